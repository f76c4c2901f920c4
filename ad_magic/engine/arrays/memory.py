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
from ad_magic.engine.operation import Operation
from ad_magic.engine.tape import Tape, user_frame
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .array import Array, directions, frozen, is_active, made, operand, row
from .operation import absent, reduced, shape_of

OPEN: list[Tape] = []  # runs in which a memory was opened, the youngest last


def owner(view: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array that owns the memory in which a view stands."""
    base: Any = view.base
    while base is not None:
        if isinstance(base, np.ndarray):
            view = base
        elif not isinstance(getattr(base, "base", None), np.ndarray):  # np.lib.stride_tricks puts an object between
            break
        base = base.base
    return view


def in_memory_order(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The entries of an array that fills its memory, as they lie there: a view."""
    if a.flags.forc:
        return a.reshape(-1, order="A")
    flat = a.transpose(sorted(range(a.ndim), key=lambda k: -a.strides[k])).reshape(-1)
    if not np.may_share_memory(flat, a) or flat.strides != (a.itemsize,):
        raise LostDerivative(
            f"{place_in_words(user_frame())}: an array with gaps in its memory cannot be written to; copy it first: "
            "a = np.array(a)"
        )
    return flat


def at_same_place(view: np.ndarray[Any, Any], root: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> Any:
    """The view on `other`, an array laid out as `root` is, that `view` is on `root`."""
    if view.shape == root.shape and view.strides == root.strides and view.dtype == root.dtype:
        return other
    offset = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    flat = in_memory_order(other)
    return np.ndarray(view.shape, view.dtype, buffer=flat, offset=offset, strides=view.strides)


def entries_as_they_lie(view: np.ndarray[Any, Any], order: Any) -> np.ndarray[Any, Any]:
    """The logical numbers of the entries of a view in the order "K" or "A", which asks for their places in memory."""
    root = owner(view)
    numbers = at_same_place(view, root, np.empty_like(root, subok=False))
    numbers = np.array(numbers, dtype=np.intp, order="K") if not view.size else numbers
    numbers[...] = np.arange(view.size).reshape(view.shape)
    return numbers.ravel(order).astype(np.intp)


def numbers_seen(view: np.ndarray[Any, Any], whole: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """For each entry of a view the logical number it has in `whole`, an array that fills the same memory."""
    root = owner(whole)
    numbers = np.empty_like(root, subok=False)
    at_same_place(whole, root, numbers)[...] = np.arange(whole.size).reshape(whole.shape)
    return np.real(at_same_place(view, root, numbers)).astype(np.intp)


def overlaps_itself(view: np.ndarray[Any, Any]) -> bool:
    """Whether two entries of a view may be the same place in memory."""
    if view.flags.forc:
        return False
    reach = view.itemsize
    for stride, size in sorted(zip(map(abs, view.strides), view.shape, strict=True)):
        if size > 1:
            if stride < reach:
                return True
            reach = stride * size
    return False


class Memory:
    """A memory of a run: what it holds now, flat; or `whole`, the array whose value fills all of it."""

    __slots__ = (
        "_numbers",
        "content",
        "known",
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
            whole, self.whole = self.whole, None
            self.content = np.reshape(whole.value, -1)
            if type(self.content) is np.ndarray:
                self.content = self.content.copy()
            self._start(whole)

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
            from .functions import PAIRS

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


def placed(content: Any, places: Any, last: Any, value: Any) -> Any:
    """The flat content with a value written to places, where either is itself active."""
    from .perform import pair

    return pair(PLACED, (content, value), {"places": places, "last": last})


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
            raise ValueError("assignment destination is read-only")
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
    tape = value.tape if is_active(value) else found.tape  # type: ignore[union-attr]
    if found is not None and found.tape.age > tape.age:
        tape = found.tape
    if not target.flags.writeable:
        raise ValueError("assignment destination is read-only")
    if type(value) is Array and key is not None and np.may_share_memory(value.place, target):
        now = target[key]
        if type(now) is not np.ndarray and isinstance(now, np.ndarray):
            now = now.view(np.ndarray)
        if _same_view(value.place, now):
            return
    open_memory(tape, target, None).write(target, key, value)


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
        elif memory.users and memory.version and memory.owner.flags.writeable:
            memory.owner[...] = np.reshape(content, memory.owner.shape)
        elif memory.version:
            final = np.empty_like(memory.owner, subok=False)
            final[...] = np.reshape(content, memory.owner.shape)
            tape.finals[id(memory.owner)] = memory.owner, final


# ---- the rows of a memory ------------------------------------------------------------------------


class MemoryOperation(Operation):
    """The row of a memory, of a look or of a write. The left column holds the row of the memory, that of its last
    write, and what is written."""

    __slots__ = ("begins", "last", "owner_shape", "places", "size")
    array = True
    memory = True

    def __init__(
        self, name: str, active: tuple[bool, ...], shape: tuple[int, ...], places: Any = None, last: Any = None,
        begins: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, None, active)
        self.decision = False
        self.rule = MEMORY  # type: ignore[assignment]
        self.places, self.last, self.owner_shape, self.begins = places, last, shape, begins
        self.size = int(np.prod(shape))

    def operands(self, left: Any, right: Any) -> tuple[Any, ...]:
        return left if self.name == "memory" else left[1:]

    def _marked(self, left: Any, right: Any) -> list[tuple[Any, bool]]:
        marks = self.active if self.name == "memory" else (True, *(self.active if self.name == "write" else ()))
        return list(zip(self.operands(left, right), marks, strict=True))

    def partials(self, left: Any, right: Any, values: Any, z: Any) -> tuple[Any, ...]:
        return ()

    def again(self, left: Any, values: list[Any], flats: dict[int, Any]) -> Any:
        """The value of the row at other values; `flats` are the contents of the memories by row."""
        if self.name == "memory":
            start = values[left[0]] if self.active[0] else left[0]
            flat = np.reshape(start, -1)
            flats[len(values)] = flat.copy() if type(flat) is np.ndarray else flat
            return 0.0
        if self.name == "look":
            seen = flats[left[0]][self.places]
            return np.asarray(seen) if type(seen) is not Array and not hasattr(seen, "tape") else seen
        value = operand(values[left[2]]) if self.active[0] else left[2]
        flat = flats[left[0]]
        if type(flat) is np.ndarray and not is_active(value):
            if np.iscomplexobj(value) and not np.iscomplexobj(flat):
                flat = flat.astype(complex)  # the complex step
                flats[left[0]] = flat
            flat[self.places] = value
        else:
            flats[left[0]] = placed(flat, self.places, self.last, value)
        return value

    def pull_memory(self, adjoints: Any, row: int, left: Any, values: Any) -> None:
        """The reverse sweep passes this row."""
        if self.name == "memory":
            g = adjoints[row]
            if self.active[0] and not absent(g):
                adjoints.add(left[0], np.reshape(g, shape_of(values[left[0]])))
            return
        if self.name == "look":
            self._pull_look(adjoints, row, left, values)
            return
        flat = adjoints[left[0]]
        if absent(flat):
            return
        g = flat[self.places]
        if self.last is not None:
            g = np.where(self.last, g, 0.0)
        adjoints[row] = _written_shape(g, values[left[2]] if self.active[0] else left[2])  # of what was written
        if type(flat) is np.ndarray:
            flat[self.places] = 0.0
        else:
            adjoints[left[0]] = placed(flat, self.places, self.last, 0.0)
        if self.active[0]:
            adjoints.add(left[2], adjoints[row])

    def _pull_look(self, adjoints: Any, row: int, left: Any, values: Any) -> None:
        g = adjoints[row]
        if absent(g):
            return
        flat = adjoints[left[0]]
        size = self.size
        if absent(flat):
            flat = np.zeros(size, complex if np.iscomplexobj(g) else float)
        if is_active(g) or is_active(flat):
            adjoints[left[0]] = flat + _scattered(g, self.places, size)
            return
        if np.iscomplexobj(g) and not np.iscomplexobj(flat):
            flat = flat.astype(complex)
        np.add.at(flat, self.places, g)
        adjoints[left[0]] = flat

    def push_memory(self, tangents: list[Any], left: Any, values: Any, flats: dict[int, Any], row: int) -> Any:
        """The forward sweep passes this row; returns its tangent."""
        if self.name == "memory":
            start = tangents[left[0]] if self.active[0] else 0.0
            if absent(start):
                flats[row] = np.zeros(self.size)
            else:
                flat = np.reshape(np.broadcast_to(start, self.owner_shape), -1)
                flats[row] = flat if is_active(flat) else flat.copy()
            return 0.0
        if self.name == "look":
            return flats[left[0]][self.places]
        t = tangents[left[2]] if self.active[0] else 0.0
        flat = flats[left[0]]
        if is_active(operand(t)) or is_active(flat):
            flats[left[0]] = placed(flat, self.places, self.last, t)
            return t
        if np.iscomplexobj(t) and not np.iscomplexobj(flat):
            flats[left[0]] = flat = flat.astype(complex)
        flat[self.places] = t
        return t


def _written_shape(g: Any, value: Any) -> Any:
    """The adjoint of what was written, in its own shape: it may have had more axes of length one than its place."""
    shape = shape_of(value)
    if len(shape) > len(shape_of(g)):
        g = np.reshape(g, (1,) * (len(shape) - len(shape_of(g))) + shape_of(g))
    return reduced(g, value)


def _scattered(g: Any, places: Any, size: int) -> Any:
    from .perform import pair

    return pair(SCATTERED, (g,), {"places": places, "size": size})


MEMORY = ArrayRule("memory", lambda *_: None, (), (), lambda *_: None)


# ---- the same as functions: where what is read and written is itself active ----------------------


def _entries(flat: Any, places: Any) -> Any:
    return flat[places]


def _scatter(g: Any, places: Any, size: int) -> Any:
    out = np.zeros(size, complex if np.iscomplexobj(g) else float)
    np.add.at(out, places, g)
    return out


def _place(content: Any, value: Any, places: Any, last: Any) -> Any:
    out = np.array(content, dtype=complex if np.iscomplexobj(value) else None)
    out[places] = value
    return out


def _pull_place(k: int, g: Any, z: Any, content: Any, value: Any, places: Any, last: Any) -> Any:
    if k == 0:
        return pair_(PLACED, (g, 0.0), {"places": places, "last": None})
    c = pair_(ENTRIES, (g,), {"places": places})
    return _written_shape(c if last is None else np.where(last, c, 0.0), value)


def _push_place(k: int, t: Any, z: Any, content: Any, value: Any, places: Any, last: Any) -> Any:
    if k == 0:
        return pair_(PLACED, (t, 0.0), {"places": places, "last": None})
    return pair_(PLACED, (np.zeros(shape_of(z)), t), {"places": places, "last": last})


def pair_(rule: ArrayRule, operands: Any, options: Any) -> Any:
    from .perform import pair

    return pair(rule, operands, options)


ENTRIES: ArrayRule = ArrayRule(
    "entries", _entries, ("flat",), ("places",),
    lambda k, g, z, flat, places: pair_(SCATTERED, (g,), {"places": places, "size": flat.size}),
)  # fmt: skip
SCATTERED: ArrayRule = ArrayRule(
    "scattered", _scatter, ("g",), ("places", "size"),
    lambda k, g, z, x, places, size: pair_(ENTRIES, (g,), {"places": places}),
)  # fmt: skip
PLACED = ArrayRule("placed", _place, ("content", "value"), ("places", "last"), _pull_place, _push_place)
