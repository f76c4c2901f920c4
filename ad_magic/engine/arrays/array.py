"""An active array: to the user's program it is an ndarray.

It holds its value, its run and the row of that run it stands for; in forward mode its tangents, one for each direction
along a leading axis. It is no ndarray in truth: C code that does not ask (`__array_function__`, `__array_ufunc__`)
would take the bare values, and the derivative would be lost in silence.
"""

from __future__ import annotations

import dis
import weakref
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from ad_magic.engine.active import Active, LostDerivative, after_run, lost_here, place_in_words
from ad_magic.engine.complexes import Complex
from ad_magic.engine.dual import Directions, Dual
from ad_magic.engine.frames import user_frame
from ad_magic.engine.operation import INPUT, Operation, met
from ad_magic.engine.tape import Tape
from ad_magic.engine.traced import Traced
from ad_magic.rules.arrays.frozen import np

NUMBERS = Active.types
met(np.float64)
FLOAT = np.dtype(float)
SCALARS = frozenset((float, int, bool, np.float64, np.int64, np.bool_))


class Array:
    """An active array. `place` is where it stands in memory, which other arrays may share (see `memory`).

    `base` is the array that fills that memory, None where it is this one, as in NumPy; `version` says up to which write
    the value is known to be true.
    """

    __slots__ = ("__weakref__", "base", "index", "place", "tangent", "tape", "value", "version")
    __array_priority__ = 1000.0

    def __hash__(self) -> int:
        raise TypeError("unhashable type: 'numpy.ndarray'")

    base: Any
    index: int
    tangent: Any
    tape: Tape
    value: Any
    version: int
    place: Any

    __class__ = property(lambda self: np.ndarray)

    def __getattr__(self, name: str) -> Any:
        """What an ndarray has and an active array has not gives its memory away."""
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")
        if self.tape.values is None:
            return getattr(plain(self), name)
        raise LostDerivative(
            f"{place_in_words(user_frame())}: .{name} gives the plain memory of an array, and that would cut the "
            f"derivative; write ad_magic.primal(x).{name} where only the values matter"
        )

    if TYPE_CHECKING:  # what `methods` adds

        def __getitem__(self, key: Any) -> Any: ...
        def __iter__(self) -> Iterator[Any]: ...

    # ---- what an ndarray says of itself ----

    @property
    def shape(self) -> tuple[int, ...]:
        return self.place.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        from .moves import reshape_in_place

        reshape_in_place(self, shape)

    ndim = property(lambda self: self.place.ndim)
    size = property(lambda self: self.place.size)
    dtype = property(lambda self: self.place.dtype)
    itemsize = property(lambda self: self.place.itemsize)
    nbytes = property(lambda self: self.place.nbytes)
    strides = property(lambda self: self.place.strides)
    flags = property(lambda self: self.place.flags)
    device = property(lambda self: "cpu")

    def __len__(self) -> int:
        if not self.place.shape:
            raise TypeError("len() of unsized object")
        return self.place.shape[0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.tape.values is None:
            return np.array(plain(self), dtype=dtype)
        if dtype in (None, object) and _asks_for_product(user_frame()):
            from .constructors import as_type

            return as_type(self, object)
        raise lost()

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.tape.values is None:
            return plain(self).__reduce_ex__(protocol)
        raise LostDerivative(
            f"{place_in_words(user_frame())}: an array cannot be pickled while its derivative is computed; pickle it "
            "in a later cell"
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        from .dispatch import call_ufunc

        return call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from .dispatch import call_function

        return call_function(function, args, kwargs)


def _asks_for_product(frame: FrameType) -> bool:
    """Whether the frame stands at `a.dot(x)` of a plain array: NumPy does that with objects too, entry by entry."""
    instructions = list(dis.get_instructions(frame.f_code))
    at = next((i for i in instructions if i.offset == frame.f_lasti), None)
    if at is None or at.positions is None or "CALL" not in at.opname:
        return False
    methods = [
        i
        for i in instructions
        if i.opname in ("LOAD_METHOD", "LOAD_ATTR") and i.positions is not None and i.offset < at.offset
        and (i.positions.lineno, i.positions.col_offset) == (at.positions.lineno, at.positions.col_offset)
    ]  # fmt: skip
    return bool(methods) and methods[-1].argval == "dot"


def lost() -> LostDerivative:
    """What to say where plain numbers are asked of an active array."""
    return lost_here(user_frame(), "plain numbers are", "Write")


def plain(x: Any) -> Any:
    """An array of a run that is over as an ndarray; an array of an open run as it is.

    Arrays that shared memory share it again; none of them is one that the run still needs.
    """
    while type(x) is Array and x.tape.values is None:
        x = _plain(x)
    return x


def _plain(x: Array) -> Any:
    from .places import at_same_place, owner

    known = x.tape.finals.get(("array", id(x)))
    if known is not None and known[0]() is x:
        return known[1]
    filling = x if x.base is None else x.base
    if type(filling.value) is not np.ndarray:  # of an open run that is older
        return x.value
    root = owner(x.place)
    found = x.tape.finals.get(id(root))
    if found is None:
        final = np.empty_like(root, subok=False)
        at_same_place(filling.place, root, final)[...] = filling.value
        x.tape.finals[id(root)] = found = (root, final)
    result = at_same_place(x.place, *found)
    if result is found[1] and x.base is not None:  # a view of all of it
        result = result.view()
    if not x.place.flags.writeable:
        result.flags.writeable = False
    x.tape.finals["array", id(x)] = weakref.ref(x), result  # the run does not hold it: that were a cycle
    return result


def is_active(x: Any) -> bool:
    """Whether x is an active array or number."""
    return type(x) is Array or type(x) in NUMBERS


def array_input(tape: Tape, given: Any, first: int = 0, *, shared: bool = True) -> Array:
    """A new variable of a run, in a row without operands: a copy of an array; in a steady run the array itself. In
    forward mode entry k of it has the direction first + k. If `shared` it stands where the given array stands: what is
    a view of that one is one of it."""
    if type(given) is np.ndarray and given.dtype is FLOAT and not shared and not tape.forward:
        tape.arrays = True
        return recorded(tape, INPUT, None, None, given if tape.steady else given.copy("K"))
    given = operand(given)
    if type(given) is Array:  # of an older run
        from .constructors import copy

        value = copy(given)
        return made(tape, row(tape, INPUT, None, None, value), value)
    value = np.array(given, dtype=float)
    tangent = None
    if tape.forward:
        tangent = np.zeros((tape.directions, value.size))
        tangent[np.arange(first, first + value.size), np.arange(value.size)] = 1.0
        tangent = tangent.reshape((tape.directions, *value.shape))
    index = row(tape, INPUT, None, None, value, tangent)
    if not shared or type(given) is not np.ndarray or given.dtype != value.dtype:
        return made(tape, index, value, tangent)
    from .memory import begin_at

    begin_at(tape, given, made(tape, index, value, tangent))
    return made(tape, index, value, tangent, place=given)


def latest(x: Any) -> Any:
    """An array as an output: what it holds now, active or plain."""
    x = operand(x)
    if type(x) is Array and x.version != x.tape.writes:
        refresh(x)
    return x


def written_to(x: Array, before: Any) -> Any:
    """The object that an array input was. What the program wrote into it stands there now."""
    if isinstance(before, np.ndarray) and not np.may_share_memory(x.place, before) and x.version:
        np.copyto(before, plain(x), casting="unsafe")  # an array of whole numbers: the run had a copy
    return before


# ---- operands ------------------------------------------------------------------------------------

FROZEN_BELOW = 1024  # entries: so small a constant is copied whenever it is used


def operand(x: Any) -> Any:
    """What a user gave, as an operand: an open active array or number, a plain array or number; NotImplemented else."""
    kind = type(x)
    if kind is Array:
        return x if x.tape.values is not None else operand(plain(x))
    if kind in NUMBERS:
        return after_run(x)
    if kind in SCALARS:
        return x
    if kind is np.ndarray:
        return x if x.dtype != object else _from_objects(x)
    from . import buffers, constructors

    if kind is buffers.Buffer:
        return buffers.content(x)
    if kind is Complex:
        return constructors.from_complex(x)
    if kind in (list, tuple):
        return constructors.array(x)
    if isinstance(x, (np.ndarray, np.generic, float, int, complex)):
        return np.asarray(x) if isinstance(x, np.ndarray) else x
    return NotImplemented


def _from_objects(x: Any) -> Any:
    if any(is_active(y) or type(y) is Complex for y in x.flat):
        from .constructors import array

        return array(x.tolist())
    return x


def youngest(operands: Any) -> Tape | None:
    """The run that began last among those of the active operands."""
    found: Tape | None = None
    for x in operands:
        kind = type(x)
        if (kind is Array or kind in NUMBERS) and (found is None or x.tape.age > found.age):
            found = x.tape
    return found


def split(operands: Any, tape: Tape) -> tuple[list[Any], list[Any], tuple[bool, ...]]:
    """Of operands of a run: their values, their columns (rows or constants), and which are active."""
    values, columns, active = [], [], []
    for x in operands:
        kind = type(x)
        if kind is Array and x.tape is tape:
            if x.version != tape.writes:
                refresh(x)
            values.append(x.value)
            columns.append(x.index)
            active.append(True)
        elif kind in NUMBERS and x.tape is tape:
            values.append(x.value)
            columns.append(x.index if tape.limit != 0 else -1)
            active.append(True)
        else:
            if kind is np.ndarray:
                x = frozen(x, tape)
            elif kind not in NUMBERS and isinstance(x, np.floating):
                x = float(x)
            values.append(x)
            columns.append(x)
            active.append(False)
    return values, columns, tuple(active)


def refresh(x: Array) -> None:
    """The value of an array whose memory may have been written to."""
    from .memory import refresh

    refresh(x)


def frozen(x: Any, tape: Tape) -> Any:
    """A constant as a later write cannot change it: a copy, the same as last time where nothing has changed."""
    if tape.steady:
        return x
    if x.size <= FROZEN_BELOW:
        return x.copy("K")
    key = (x.__array_interface__["data"][0], x.shape, x.strides, x.dtype)
    kept = tape.constants.get(key)
    if kept is None or not np.array_equal(kept, x, equal_nan=x.dtype.kind in "fc"):
        tape.constants[key] = kept = x.copy("K")
    return kept


# ---- results -------------------------------------------------------------------------------------


def directions(x: Any) -> Any:
    """The tangents of a dual number or array along all directions, as an array with a leading axis for them."""
    if type(x) is Array:
        return x.tangent
    from .constructors import array

    tangent = x.tangent
    if type(tangent) is Directions:
        return array(list(tangent))
    if x.tape.directions > 1:  # none at all
        return np.zeros(x.tape.directions)
    return array([tangent])


def record(tape: Tape, op: Operation, left: Any, right: Any, z: Any, tangent: Any = None) -> Any:
    """The result of an operation that was carried out: a row of the run, and the array or number that stands for it."""
    kind = type(z)
    if kind is np.ndarray and (z.base is not None or not z.ndim):
        z = z.copy("K") if z.ndim else z[()]
        kind = type(z)
    elif kind is float:
        z = np.float64(z)
    elif kind is Complex:  # of an older run
        z = operand(z)
        kind = Array
    index = row(tape, op, left, right, z, tangent)
    if kind is not np.ndarray and getattr(z, "ndim", 0) == 0:
        if kind is Array and z.dtype.kind == "c":
            return _complex_parts(made(tape, index, z, tangent))
        if isinstance(z, complex):
            return _complex_parts(made(tape, index, np.array(z), tangent))
        return number(tape, index, z, tangent)
    return made(tape, index, z, tangent)


def row(tape: Tape, op: Operation, left: Any, right: Any, z: Any, tangent: Any = None) -> int:
    """Append the row of an operation that was carried out; -1 where a forward run keeps it not."""
    tape.arrays = True
    if not tape.forward:
        if tape.spare:  # who knows what this operation will ask for
            tape.spare = [kept for kept in tape.spare if kept not in op.parents(left, right)]
        return tape.add(op, left, right, z)
    if tape.limit == 0:
        return -1
    scalar = tangent is not None and getattr(z, "ndim", 0) == 0 and not isinstance(z, tuple)
    return tape.keep(op, left, right, z, _direction(tape, tangent) if scalar else tangent)


def recorded(tape: Tape, op: Operation, left: Any, right: Any, z: Any) -> Array:
    """The same in short, of a run that is no forward one and has arrays, for an array that nobody else holds."""
    values = tape.values
    assert values is not None
    x = Array()
    x.tape, x.value, x.place, x.base, x.tangent, x.version = tape, z, z, None, None, tape.writes
    x.index = index = len(values)
    values.append(z)
    tape.ops.append(op)
    tape.left.append(left)
    tape.right.append(right)
    if index < tape.located:
        tape.locate(op)
    return x


def made(tape: Tape, index: int, value: Any, tangent: Any = None, place: Any = None, base: Any = None) -> Array:
    """An active array for a row; with its place in the memory of its base it shares that one's memory."""
    x = Array()
    x.tape, x.index, x.value, x.tangent, x.version = tape, index, value, tangent, tape.writes
    x.place = _bare(value) if place is None else place
    x.base = base
    return x


def _bare(value: Any) -> Any:
    """A plain array for the memory of a value; the value itself where it is plain."""
    return value if type(value) is np.ndarray else np.empty(value.shape, value.dtype)


def number(tape: Tape, index: int, value: Any, tangent: Any = None) -> Any:
    """An active number for a row."""
    kind: Any = Dual if tape.forward else Traced
    x = kind.__new__(kind)
    x.tape, x.index, x.value = tape, index, value
    if tape.forward:
        x.tangent = _direction(tape, tangent)
    return x


def _direction(tape: Tape, tangent: Any) -> Any:
    """Tangents of a number, as a dual number holds them."""
    if tape.directions == 1:
        return tangent[0]
    return Directions(tangent.tolist() if type(tangent) is np.ndarray else list(tangent))


def _complex_parts(x: Array) -> Complex:
    from .by_entries import imag, real

    return Complex(real(x), imag(x))
