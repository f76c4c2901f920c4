"""What an ndarray can do, for active arrays: the operators of Python, indexing and the methods."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from ad_magic.engine.active import LAST_LOST, as_python
from ad_magic.rules.arrays.frozen import np

from . import buffers, memory, memory_rows
from .adjoints import absent, shape_of
from .array import Array, is_active, lost, made, operand, plain, record, refresh, row
from .by_entries import imag, real
from .constructors import as_type, copy
from .looks import looked
from .moves import shares, standing
from .pairs import PairOperation
from .perform import by_entry, pair, pushed
from .primitives import PAIRS
from .quick import Entry, product, square, two

# ---- indexing ------------------------------------------------------------------------------------


class ItemOperation(PairOperation):
    """a[index]. Its adjoint is added in place: a loop over the entries costs no more than the entries."""

    __slots__ = ()

    def __init__(self, index: Any) -> None:
        super().__init__(PAIRS["item"], (True,), {"index": index})

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        (i,) = left
        a, index = values[i], self.options["index"]
        if is_active(g) or (is_active(adjoints[i]) and not absent(adjoints[i])):
            shape = shape_of(a)
            size = math.prod(shape)
            places = np.arange(size).reshape(shape)[index]
            adjoints.add(i, np.reshape(memory_rows.scattered(g, places, size), shape))
            return
        buffer = adjoints.buffer(i, a, complex if np.iscomplexobj(g) else None)
        if _simple(index):
            buffer[index] += g
        else:
            np.add.at(buffer, index, g)


def _simple(index: Any) -> bool:
    """Whether an index meets each entry at most once."""
    kind = type(index)
    if kind is int or kind is slice:
        return True
    if kind is np.ndarray:
        return index.dtype == bool
    if kind is tuple:
        return all(map(_simple, index))
    return index is None or index is ... or isinstance(index, np.integer)


def _plain_index(key: Any) -> Any:
    """An index without anything active: an active whole number in it has been looked at."""
    from .buffers import Buffer, plain_key

    if type(key) is tuple:
        return tuple(_plain_index(k) for k in key)
    if type(key) is Buffer:
        return plain_key(key).copy()
    if type(key) is list:
        return np.array(key) if key else np.zeros(0, int)
    return key.copy() if type(key) is np.ndarray else key


def _getitem(self: Array, key: Any) -> Any:
    tape = self.tape
    if tape.values is None:
        return plain(self)[key]
    if self.version != tape.writes:
        refresh(self)
    key = _plain_index(key)
    z = self.value[key]
    op = ItemOperation(key)
    tangent = pushed(tape, op, (self,), (self.value,), op.active, z) if tape.forward else None
    view = None
    if type(z) is Array or (type(z) is np.ndarray and z.base is not None):  # an Array: the value is of another run
        view = z if self.place is self.value else self.place[key]
        if not shares(view, self.place):
            view = None
    if view is not None:  # it stands in the same memory
        if type(self.value) is np.ndarray and z.ndim == 0:
            z = z.copy()
        index = row(tape, op, (self.index,), None, z, tangent)
        return standing(_made_view(self, index, z, tangent), view, self)
    return record(tape, op, (self.index,), None, z, tangent)


def _made_view(base: Array, index: int, z: Any, tangent: Any) -> Array:
    return made(base.tape, index, z, tangent)


def _setitem(self: Array, key: Any, value: Any) -> None:
    if self.tape.values is None:
        raise ValueError("assignment destination belongs to a cell that is over")
    memory.write(self, _plain_index(key), value)


def _iterate(self: Array) -> Iterator[Any]:
    if not self.place.shape:
        raise TypeError("iteration over a 0-d array")
    return (self[k] for k in range(len(self)))


# ---- operators -----------------------------------------------------------------------------------

_BINARY = {
    "add": ("add", np.add), "sub": ("sub", np.subtract), "mul": ("mul", np.multiply), "truediv": ("div", np.divide),
    "mod": ("mod", np.remainder), "floordiv": ("floordiv", np.floor_divide), "pow": ("pow", np.power),
}  # fmt: skip
_COMPARED = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
             "ne": np.not_equal}  # fmt: skip


def _binary(name: str, ufunc: Any, reflected: bool) -> Callable[..., Any]:
    """An operator."""
    entry = Entry(name, ufunc, 2)

    def method(self: Array, other: Any) -> Any:
        z = two(entry, other, self) if reflected else two(entry, self, other)
        if z is not None:
            return z
        return by_entry(name, ufunc, other, self) if reflected else by_entry(name, ufunc, self, other)

    return method


def _power(self: Array, other: Any) -> Any:
    """As NumPy: a square is a product."""
    z = square(self) if type(other) is int and other == 2 else two(_POWER, self, other)
    return by_entry("pow", np.power, self, other) if z is None else z


_POWER = Entry("pow", np.power, 2)


def _inplace(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Array, other: Any) -> Any:
        result = function(self, other)
        if result is NotImplemented:
            return NotImplemented
        if self.tape.values is None:
            return result
        if np.shape(result) != self.shape:
            raise ValueError(
                f"non-broadcastable output operand with shape {self.shape} doesn't match the broadcast shape "
                f"{np.shape(result)}"
            )
        memory.write(self, None, result)
        return self

    return method


def _matmul(self: Any, other: Any) -> Any:
    z = product(PAIRS["matmul"], self, other)
    if z is not None:
        return z
    other = operand(other)
    return NotImplemented if other is NotImplemented else pair(PAIRS["matmul"], (self, other), {})


def _rmatmul(self: Any, other: Any) -> Any:
    z = product(PAIRS["matmul"], other, self)
    if z is not None:
        return z
    other = operand(other)
    return NotImplemented if other is NotImplemented else pair(PAIRS["matmul"], (other, self), {})


def _compared(name: str, ufunc: Any) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        given = operand(other)
        if given is NotImplemented and name in ("eq", "ne"):  # x == None: entry by entry, as NumPy
            return np.full(self.shape, name == "ne")
        if given is NotImplemented:
            return NotImplemented
        return looked(name, ufunc, (self, given), {})

    return method


def _divmod(x: Any, y: Any) -> Any:
    return np.divmod(x, y)


def _look_whole(name: str, function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda self: looked(name, function, (self,), {})


def _text(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        if self.tape.values is None:
            return function(plain(self), *args)
        return looked(name, function, (self, *args), {})

    return method


def _float(self: Array) -> float:
    if self.tape.values is None:
        return float(plain(self))
    from ad_magic.engine.frames import user_frame

    error = lost()
    frame = user_frame()
    LAST_LOST[:] = frame.f_code, frame.f_lasti, error
    raise error


# ---- methods -------------------------------------------------------------------------------------


def _function(name: str) -> Callable[..., Any]:
    """A method that does what the function of NumPy of that name does."""
    function = getattr(np, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        from .dispatch import call_function

        return call_function(function, (self, *args), kwargs)

    return method


def _reshape(self: Array, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
    wanted = shape[0] if len(shape) == 1 else shape
    return np.reshape(self, wanted, order=order)


def _transpose(self: Array, *axes: Any) -> Any:
    wanted = axes[0] if len(axes) == 1 else axes or None
    return np.transpose(self, wanted)


def _listed(self: Array) -> Any:
    return [x.tolist() if type(x) is Array else as_python(x) for x in self] if self.ndim else as_python(self[()])


def _item(self: Array, *index: Any) -> Any:
    if not index:
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return as_python(self.reshape(-1)[0])
    return as_python(self.reshape(-1)[index[0]] if len(index) == 1 and self.ndim > 1 and not isinstance(index[0], tuple)
                   else self[index if len(index) > 1 else index[0]])  # fmt: skip


def _sort(self: Array, axis: int = -1, kind: Any = None, order: Any = None) -> None:
    memory.write(self, None, np.sort(self, axis))


def _partition(self: Array, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None) -> None:
    memory.write(self, None, np.partition(self, kth, axis))


def _fill(self: Array, value: Any) -> None:
    memory.write(self, ..., value)


def _flatten(self: Array, order: Any = "C") -> Any:
    return copy(np.ravel(self, order))


def _set_flat(self: Array, value: Any) -> None:
    buffers.Flat(self)[:] = value


def _resize(self: Array, *shape: Any, refcheck: bool = True) -> None:
    wanted = shape[0] if len(shape) == 1 else shape
    flat = self.reshape(-1)
    size = int(np.prod(wanted))
    if size > self.size:
        flat = np.concatenate([flat, np.zeros(size - self.size)])
    y: Any = np.reshape(flat[:size], wanted)
    self.index, self.value, self.tangent, self.version = y.index, y.value, y.tangent, y.version
    self.base, self.place = None, np.empty(self.value.shape, self.value.dtype)


def _view(self: Array, *args: Any, **kwargs: Any) -> Any:
    if not args and not kwargs:
        return self[...]
    if args and args[0] in (np.ndarray, float, np.float64):
        return self[...]
    raise lost()


def _bytes(self: Array, *args: Any) -> Any:
    if self.tape.values is None:
        return plain(self).tobytes(*args)
    return looked("tobytes", lambda v: np.asarray(v).tobytes(*args), (self,), {})


METHODS: dict[str, Callable[..., Any]] = {
    **{name: _function(name) for name in (
        "sum", "prod", "mean", "std", "var", "max", "min", "argmax", "argmin", "argsort", "argpartition", "cumsum",
        "cumprod", "ptp", "round", "trace", "diagonal", "dot", "squeeze", "swapaxes", "ravel", "repeat", "take",
        "choose", "nonzero", "searchsorted", "any", "all", "put") if hasattr(np, name)},
    "reshape": _reshape,
    "transpose": _transpose,
    "copy": lambda self, order="C": copy(self, order),
    "astype": lambda self, dtype, order="K", casting="unsafe", subok=True, copy=True: as_type(self, dtype, copy, order),
    # unlike np.clip the method may leave a bound out
    "clip": lambda self, min=None, max=None, out=None, **how: np.clip(self, min, max, out, **how),
    "conj": lambda self: np.conjugate(self) if self.dtype.kind == "c" else self,
    "conjugate": lambda self: np.conjugate(self) if self.dtype.kind == "c" else self,
    "compress": lambda self, condition, axis=None: np.compress(condition, self, axis),
    "flatten": _flatten,
    "tolist": _listed,
    "item": _item,
    "sort": _sort,
    "partition": _partition,
    "fill": _fill,
    "resize": _resize,
    "view": _view,
    "tobytes": _bytes,
    "setflags": lambda self, write=None, align=None, uic=None: self.place.setflags(write, align, uic),
    "__getitem__": _getitem,
    "__setitem__": _setitem,
    "__iter__": _iterate,
    "__contains__": lambda self, x: bool((self == x).any()),
    "__neg__": lambda self: by_entry("neg", np.negative, self),
    "__pos__": lambda self: copy(self),
    "__abs__": lambda self: np.abs(self),
    "__divmod__": lambda self, other: _divmod(self, other),
    "__rdivmod__": lambda self, other: _divmod(other, self),
    "__pow__": _power,
    "__ipow__": _inplace(_power),
    "__matmul__": _matmul,
    "__rmatmul__": _rmatmul,
    "__imatmul__": _inplace(_matmul),
    "__bool__": _look_whole("bool", bool),
    "__int__": _look_whole("int", int),
    "__index__": _look_whole("index", lambda v: v.__index__()),
    "__float__": _float,
    "__complex__": _float,
    "__repr__": _text("repr", repr),
    "__str__": _text("str", str),
    "__format__": _text("format", format),
    "__copy__": lambda self: copy(self),
    "__deepcopy__": lambda self, memo: copy(self),
    **{f"__{special}__": _binary(name, ufunc, False) for special, (name, ufunc) in _BINARY.items() if name != "pow"},
    **{f"__r{special}__": _binary(name, ufunc, True) for special, (name, ufunc) in _BINARY.items()},
    **{f"__i{special}__": _inplace(_binary(name, ufunc, False)) for special, (name, ufunc) in _BINARY.items()
       if name != "pow"},
    **{f"__{name}__": _compared(name, ufunc) for name, ufunc in _COMPARED.items()},
}  # fmt: skip
PROPERTIES: dict[str, Any] = {
    "T": property(lambda self: _transpose(self)),
    "mT": property(lambda self: np.swapaxes(self, -1, -2)),
    "real": property(real, lambda self, value: memory.write(real(self), ..., value)),
    "imag": property(imag, lambda self, value: memory.write(imag(self), ..., value)),
    "flat": property(lambda self: buffers.Flat(self), lambda self, value: _set_flat(self, value)),
}

for _name, _method in {**METHODS, **PROPERTIES}.items():
    if not isinstance(_method, property):
        _method.__name__ = _name
    setattr(Array, _name, _method)
