"""Memory that arrays share, and writing to it.

As long as nothing is written, an array is a value: a row of its run. The first write to a memory opens it: from
then on its content is followed entry by entry, in the logical order of the array that owns it, and an array that
stands in it looks up its content whenever something was written since. What was saved for the sweeps before stays
as it was.

On the tape a memory is a row, and each write and each look one more. In the reverse sweep the adjoint of the memory
is one flat array: a look adds to it, a write takes out what was written and leaves zero (the adjoint of `b[i] = x` is
`x̄ += b̄[i]; b̄[i] = 0`; Griewank & Walther 2008, section 4.1).
"""

from __future__ import annotations

from typing import Any

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.frames import user_frame
from ad_magic.engine.tape import Tape
from ad_magic.rules.arrays.frozen import np

from .adjoints import shape_of
from .array import Array, directions, frozen, is_active, made, operand, row
from .memory_rows import ENTRIES, MemoryOperation, pair_, placed
from .places import in_memory_order, overlaps_itself, owner

OPEN: list[Tape] = []  # runs in which a memory was opened, the youngest last


class Memory:
    """A memory of a run: what it holds now, flat; or `whole`, the array whose value fills all of it."""

    __slots__ = (
        "_numbers",
        "content",
        "covered",
        "known",
        "left",
        "owner",
        "row",
        "state",
        "tangent",
        "tape",
        "users",
        "version",
        "whole",
    )

    def __init__(self, tape: Tape, owner_: np.ndarray[Any, Any], whole: Array | None, users: bool) -> None:
        """`whole` fills the memory; without it the memory has the plain numbers that stand there. `users`: it is
        that of an array of the user's, which in the end holds what was written."""
        if owner_.dtype.kind not in "fc":
            raise LostDerivative(
                f"{place_in_words(user_frame())}: this array cannot hold a derivative (its type is {owner_.dtype}); "
                "make it an array of floats first: a = np.array(a, dtype=float)"
            )
        self.tape = tape
        self.owner = owner_
        self.users = users
        self._numbers: Any = None
        self.whole = whole
        self.content: Any = None
        self.tangent: Any = None
        self.row = self.state = -1  # the row of the memory, and that of its last write
        self.version = 0
        self.covered = False  # whether the user's array holds NaN in the place of the content
        self.left = False  # whether all that is active in it is what a solver's function has left (see `engine/left`)
        self.known: dict[Any, Array] = {}  # looks since the last write
        if whole is None:
            self.content = np.array(owner_).ravel()
            self._start(self.content.copy())

    @property
    def numbers(self) -> np.ndarray[Any, Any]:
        """The numbers of its entries in logical order, laid out in memory as they are."""
        if self._numbers is None:
            self._numbers = np.empty_like(self.owner, dtype=np.intp, subok=False)
            self._numbers[...] = np.arange(self.owner.size).reshape(self.owner.shape)
        return self._numbers

    def _start(self, start: Any) -> None:
        """The row of the memory, with its first content: a constant, or the row of an array."""
        tape = self.tape
        tape.arrays = True
        active = type(start) is Array
        op = MemoryOperation("memory", (active,), self.owner.shape)
        first = (start.index if active else start,)
        if tape.forward:
            if active:
                self.tangent = np.reshape(start.tangent, (tape.directions, -1)).copy()
                if self.owner.dtype.kind == "c" and not is_active(self.tangent):  # it may be real so far
                    self.tangent = self.tangent.astype(self.owner.dtype)
            else:
                self.tangent = np.zeros((tape.directions, self.owner.size), self.owner.dtype)
        self.row = self.state = row(tape, op, first, None, 0.0)

    def opened(self) -> None:
        """Make the content an array of entries that can be written to one by one."""
        if self.whole is not None:
            whole = self.whole
            content = np.reshape(whole.value, -1)
            self.content = content.copy() if type(content) is np.ndarray else content
            self._start(whole)
            self.whole = None  # last: an interrupt finds one of the two

    def places(self, view: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """For each entry of a view on this memory its number in the memory."""
        offset = view.__array_interface__["data"][0] - self.owner.__array_interface__["data"][0]
        wide, item = self.numbers.itemsize, self.owner.itemsize
        if view.dtype != self.owner.dtype:
            raise LostDerivative(f"{place_in_words(user_frame())}: a view of another type on an active array")
        strides = tuple(s // item * wide for s in view.strides)
        flat = in_memory_order(self.numbers)
        if not view.size:
            return np.zeros(view.shape, np.intp)
        return np.ndarray(view.shape, np.intp, buffer=flat.view(), offset=offset // item * wide, strides=strides)

    def _around(self, view: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], str]:
        """For a view on the real or the imaginary parts of a complex memory: the view on the complex entries, and which
        parts these are."""
        offset = view.__array_interface__["data"][0] - self.owner.__array_interface__["data"][0]
        part = offset % self.owner.itemsize
        flat = in_memory_order(self.owner)
        whole = np.ndarray(view.shape, self.owner.dtype, buffer=flat, offset=offset - part, strides=view.strides)
        return whole, "imag" if part else "real"

    def fills(self, view: np.ndarray[Any, Any]) -> bool:
        """Whether a view is all of the memory, in its order."""
        return view.shape == self.owner.shape and view.strides == self.owner.strides

    def look(self, view: np.ndarray[Any, Any]) -> Array:
        """What stands in a view now, as an array of the run."""
        if view.dtype != self.owner.dtype and self.owner.dtype.kind == "c":
            whole, part = self._around(view)
            from .primitives import PAIRS

            return pair_(PAIRS[part], (self.look(whole),), {})
        key = self.key(view)
        found = self.known.get(key)
        if found is None:
            self.known[key] = found = self._look(view)
        return found

    def key(self, view: np.ndarray[Any, Any]) -> Any:
        """What tells a view from others on this memory."""
        return view.__array_interface__["data"][0], view.shape, view.strides

    def _look(self, view: np.ndarray[Any, Any]) -> Array:
        tape = self.tape
        places = self.places(view)
        if self.whole is not None:
            if self.fills(view):
                return self.whole
            from .perform import pair

            return pair(ENTRIES, (np.reshape(self.whole_array(), -1),), {"places": places})
        value = self.content[places]
        tangent = self.tangent[:, places] if tape.forward else None
        op = MemoryOperation("look", (True,), self.owner.shape, places)
        z = np.asarray(value) if type(value) is not Array else value
        return made(tape, row(tape, op, (self.row, self.state), None, z, tangent), z, tangent)

    def whole_array(self) -> Array:
        """The array that fills this memory, as a value that is written to no more."""
        whole = self.whole
        assert whole is not None
        return made(self.tape, whole.index, whole.value, whole.tangent)

    def write(self, view: np.ndarray[Any, Any], key: Any, given: Any, begins: bool = False) -> None:
        """Write a value, active or plain, to `view[key]` (all of the view where key is None). `begins`: that is how an
        input comes there, nothing that the program does."""
        tape = self.tape
        value = operand(given)
        if view.dtype != self.owner.dtype and self.owner.dtype.kind == "c":
            whole, part = self._around(view)
            now = self.look(whole)[... if key is None else key]
            value = value + 1j * np.imag(now) if part == "real" else np.real(now) + 1j * value
            self.write(whole, key, value)
            return
        active = is_active(value) and value.tape is tape
        self.left = self.left and not active
        if type(value) is Array and active and value.version != tape.writes:
            value = made(tape, *_current(value))
        if key is None and type(value) is Array and active and self.fills(view) and _alike(value, view):
            self.whole, self.content, self.tangent = made(tape, value.index, value.value, value.tangent), None, None
            self._written()
            return
        self.opened()
        places = self.places(view)
        if key is not None:
            places = places[key]
        places = np.asarray(places)
        inner = value.value if active else value
        if type(inner) is np.ndarray:
            inner = frozen(inner, tape)
        places, last = _last_of_each(places, key, view)
        if type(self.content) is np.ndarray and not is_active(inner):
            self.content[places] = inner  # as NumPy: its errors, its broadcasting
        else:
            self.content = placed(self.content, places, last, inner)
        if tape.forward:
            self._write_tangent(places, last, directions(value) if active else None, inner)
        op = MemoryOperation("write", (active,), self.owner.shape, places, last, begins)
        columns = (self.row, self.state, (value.index if tape.limit != 0 else -1) if active else inner)
        along = None
        if tape.forward:
            along = directions(value) if active else np.broadcast_to(0.0, (tape.directions, *shape_of(inner)))
        self.state = row(tape, op, columns, None, inner, along)
        self._written()

    def _write_tangent(self, places: Any, last: Any, tangent: Any, inner: Any) -> None:
        if tangent is None:
            t: Any = 0.0
        else:
            t = np.reshape(tangent, (len(tangent), *(1,) * (places.ndim - len(shape_of(inner))), *shape_of(inner)))
        if is_active(t) or is_active(self.tangent):  # of an older run
            count, size = self.tape.directions, self.owner.size
            spread_places = np.add.outer(np.arange(count) * size, places)
            flat = placed(np.reshape(self.tangent, -1), spread_places, last, t)
            self.tangent = np.reshape(flat, (count, size))
            return
        for d in range(self.tape.directions):
            row = t if tangent is None else t[d]
            self.tangent[d][places] = row

    def _written(self) -> None:
        self.tape.writes += 1
        self.version = self.tape.writes
        self.known = {}


def _alike(value: Any, view: np.ndarray[Any, Any]) -> bool:
    return value.value.shape == view.shape and value.value.dtype == view.dtype


def _current(x: Array) -> tuple[Any, ...]:
    refresh(x)
    return x.index, x.value, x.tangent


def _last_of_each(
    places: np.ndarray[Any, Any], key: Any, view: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], Any]:
    """The places, and where one of them comes more than once a mask of those that are written last."""
    keys = key if isinstance(key, tuple) else (key,)
    if places.size < 2:
        return places, None
    if not any(isinstance(k, (list, np.ndarray)) for k in keys) and not overlaps_itself(view):
        return places, None
    flat = places.ravel()
    final = {place: k for k, place in enumerate(flat.tolist())}
    if len(final) == flat.size:
        return places, None
    mask = np.zeros(flat.size, bool)
    mask[list(final.values())] = True
    return places, mask.reshape(places.shape)


# ---- finding the memory of an array --------------------------------------------------------------


def memory_of(view: np.ndarray[Any, Any]) -> Memory | None:
    """The memory in which a plain view stands, if active numbers were written to it."""
    if not OPEN:
        return None
    key = id(owner(view))
    for tape in reversed(OPEN):
        if key in tape.memories:
            return tape.memories[key]
    return None


def refresh(x: Array) -> None:
    """Bring the value of an array up to what was last written to its memory."""
    tape = x.tape
    memory = tape.memories.get(id(owner(x.place)))
    if memory is not None and memory.version > x.version:
        now = memory.look(x.place)
        x.index, x.value, x.tangent = now.index, now.value, now.tangent
    x.version = tape.writes


def open_memory(tape: Tape, view: np.ndarray[Any, Any], whole: Array | None, place: Any = None) -> Memory:
    """The memory of a view in a run, opened where it is not. `whole` fills it, standing at `place` there."""
    root = owner(view)
    memory = tape.memories.get(id(root))
    if memory is None:
        before = memory_of(root)
        memory = Memory(tape, root, whole, users=whole is None)
        if whole is not None and place is not None and not memory.fills(place):
            memory.whole = _in_order(memory, whole, place)
        if before is not None and whole is None:  # of an older run: its numbers go on
            memory.content = np.reshape(before.look(root), -1)
        _opened(tape, memory)
        if whole is None and root.flags.writeable:
            memory.covered = True
            root.fill(np.nan)  # who reads past us shall notice
    return memory


def _in_order(memory: Memory, whole: Array, place: np.ndarray[Any, Any]) -> Array:
    """An array that fills a memory with other axes, in the order and the shape of the memory."""
    order = np.empty(memory.owner.size, np.intp)
    order[memory.places(place).ravel()] = np.arange(memory.owner.size)
    return pair_(ENTRIES, (np.reshape(whole, -1),), {"places": order.reshape(memory.owner.shape)})


def begin_at(tape: Tape, array: np.ndarray[Any, Any], whole: Array) -> None:
    """An input stands in the memory of the user's own array: what is a view of that array is one of the input."""
    root = owner(array)
    if root is array and array.flags.forc:
        _opened(tape, Memory(tape, array, whole, users=True))
    elif root.flags.forc and root.dtype == array.dtype and type(root) is np.ndarray and id(root) not in tape.memories:
        memory = Memory(tape, root, None, users=True)  # it is a part of a greater array, whose rest is constant
        _opened(tape, memory)
        memory.write(array, None, whole, begins=True)
        tape.writes, memory.version = 0, 0  # nothing that the program wrote
        memory.known[memory.key(array)] = whole


def _opened(tape: Tape, memory: Memory) -> None:
    tape.memories[id(memory.owner)] = memory
    if tape not in OPEN:
        OPEN.append(tape)


def write(target: Any, key: Any, value: Any) -> None:
    """`target[key] = value`, where at least one of them is active; target is an active array or a plain view."""
    value = operand(value)
    if value is NotImplemented:
        raise TypeError("an array takes numbers only")
    if type(target) is Array:
        tape = target.tape
        if is_active(value) and value.tape.age > tape.age:
            raise LostDerivative(
                f"{place_in_words(user_frame())}: an inner derivative writes into an array of an outer one; "
                "write into a copy of it"
            )
        if not target.place.flags.writeable:
            raise _read_only()
        if type(value) is Array and _same_place(value, target, key):
            return
        if target.version != tape.writes:
            refresh(target)
        filling = target if target.base is None else target.base
        whole = made(tape, filling.index, filling.value, filling.tangent)
        place = filling.place
        memory = open_memory(tape, target.place, whole, place)
        memory.write(target.place, key, value)
        return
    found = memory_of(target)
    written = [value] if is_active(value) else []
    tape = max((x.tape for x in (*written, found) if x is not None), key=lambda tape: tape.age)  # one is there
    if not target.flags.writeable:
        raise _read_only()
    if type(value) is Array and key is not None and np.may_share_memory(value.place, target):
        now = target[key]
        if type(now) is not np.ndarray and isinstance(now, np.ndarray):
            now = now.view(np.ndarray)
        if _same_view(value.place, now):
            return
    open_memory(tape, target, None).write(target, key, value)


def _read_only() -> ValueError:
    """NumPy's error, with what to do."""
    error = ValueError("assignment destination is read-only")
    error.add_note(f"{place_in_words(user_frame())}: write into a copy instead, a = a.copy()")
    return error


def _same_place(value: Array, target: Array, key: Any) -> bool:
    """Whether a value already is what stands at `target[key]`: `a[1:] += x` assigns what was changed in place."""
    if key is None or owner(value.place) is not owner(target.place):
        return False
    return _same_view(value.place, target.place[key])


def _same_view(a: Any, b: Any) -> bool:
    if not isinstance(b, np.ndarray) or a.shape != b.shape or a.strides != b.strides:
        return False
    return a.__array_interface__["data"] == b.__array_interface__["data"]


def close(tape: Tape) -> None:
    """End the memories of a run: what was written stands in the arrays as plain numbers, or goes to an older run."""
    if not tape.memories:
        return
    memories, tape.memories = list(tape.memories.values()), {}
    if tape in OPEN:
        OPEN.remove(tape)
    for memory in memories:
        if memory.users or memory.version:
            tape.finals[id(memory.owner)] = memory.owner, memory.owner
        content = memory.content if memory.whole is None else memory.whole.value
        if is_active(content):
            older = memory_of(memory.owner)
            (older or open_memory(content.tape, memory.owner, None)).write(
                memory.owner, None, np.reshape(content, memory.owner.shape)
            )
        elif memory.users and (memory.version or memory.covered) and memory.owner.flags.writeable:
            memory.owner[...] = np.reshape(content, memory.owner.shape)
        elif memory.version:
            final = np.empty_like(memory.owner, subok=False)
            final[...] = np.reshape(content, memory.owner.shape)
            tape.finals[id(memory.owner)] = memory.owner, final
