"""Plain arrays that a program may write active numbers into.

A cell says `b = np.zeros(3); b[1] = x`. While it runs, the arrays that NumPy makes for it, and those of earlier
cells, are Buffers: ndarrays like any other, for C code too, that notice when something active is written to them. From
then on what stands in them is followed as a memory of the run (see `memory`), and their own memory holds NaN until
the run is over, so that code that reads past us cannot take plain numbers unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ad_magic.engine.complexes import Complex
from ad_magic.rules.arrays.frozen import np

from . import memory
from .array import NUMBERS, Array, is_active, operand
from .places import owner


class Buffer(np.ndarray):
    """An ndarray that may come to hold active numbers."""

    __slots__ = ()

    def __setitem__(self, key: Any, value: Any) -> None:
        key = plain_key(key)
        if holds_active(value) or memory.memory_of(self) is not None:
            assigned(self, key, value)
        else:
            bare(self)[key] = bare(value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        from .dispatch import call_ufunc

        out = options.get("out", ())
        if any(holds_active(x) for x in (*inputs, *(out or ()))):
            return call_ufunc(ufunc, method, inputs, options)
        if out:
            options["out"] = tuple(bare(x) for x in out)
        result = getattr(ufunc, method)(*map(bare, inputs), **options)
        if out:
            return out[0] if len(out) == 1 else out
        return wrapped(result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from .dispatch import call_function

        if all_plain(args, kwargs):
            return on_plain(function, args, kwargs)
        return call_function(function, args, kwargs)

    def __copy__(self) -> Any:
        from .constructors import copy

        return copy(self) if memory.memory_of(self) is not None else wrapped(bare(self).copy())

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))

    real = property(lambda self: self._part("real"), lambda self, x: self._set_part("real", x))
    imag = property(lambda self: self._part("imag"), lambda self, x: self._set_part("imag", x))
    flat = property(lambda self: Flat(self), lambda self, x: Flat(self).__setitem__(slice(None), x))

    def _part(self, name: str) -> Any:
        return wrapped(getattr(bare(self), name))

    def _set_part(self, name: str, value: Any) -> None:
        self._part(name)[...] = value

    def __reduce__(self) -> Any:
        return np.array(bare(self)).__reduce__()


class Flat:
    """What `a.flat` is: the entries in order, to read, to write and to go through."""

    def __init__(self, base: Any) -> None:
        self.base = base
        self.index = 0

    def _places(self, key: Any) -> Any:
        """The index in the array for one in the flat order."""
        numbers = np.arange(self.base.size)[plain_key(key)]
        return np.unravel_index(numbers, self.base.shape)

    def __getitem__(self, key: Any) -> Any:
        return self.base[self._places(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        places = self._places(key)
        value = operand(value) if holds_active(value) else value
        shape = np.shape(value)
        if shape and places[0].shape != shape:
            value = np.resize(value, places[0].shape)
        self.base[places] = value

    def __len__(self) -> int:
        return self.base.size

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self.index >= self.base.size:
            raise StopIteration
        self.index += 1
        return self[self.index - 1]

    @property
    def coords(self) -> tuple[int, ...]:
        return (
            tuple(int(k) for k in np.unravel_index(self.index, self.base.shape)) if self.base.size > self.index else ()
        )

    def copy(self) -> Any:
        return self.base.flatten()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.copy(), dtype=dtype)


def bare(x: Any) -> Any:
    """A buffer as the ndarray it is; anything else as it is."""
    return x.view(np.ndarray) if type(x) is Buffer else x


def unwrapped(x: Any) -> Any:
    """A buffer after the run as the plain array that it stands for: the very object, where it is one of the user's."""
    root = owner(x)
    if type(root) is np.ndarray and root.dtype == x.dtype and memory._same_view(root, x):
        return root
    return x.view(np.ndarray)


def wrapped(x: Any) -> Any:
    """A new plain array of numbers as a buffer; anything else as it is."""
    if type(x) is np.ndarray and x.dtype.kind in "fci":
        return x.view(Buffer)
    if type(x) is tuple or type(x) is list:
        return type(x)(wrapped(y) for y in x)
    return x


def content(x: Any) -> Any:
    """What stands in a buffer: an active array where something active was written to it, else a plain array."""
    plain = x.view(np.ndarray)
    found = memory.memory_of(plain)
    if found is None:
        return plain
    now = found.look(plain)
    return _seen(now, plain)


def _seen(now: Array, view: Any) -> Array:
    """What was looked up, standing where it stands: writing to it changes that memory."""
    from .array import made

    return made(now.tape, now.index, now.value, now.tangent, place=view, base=now)


def plain_key(key: Any) -> Any:
    """An index as NumPy takes it."""
    if type(key) is Buffer:
        return bare(key)
    if type(key) is tuple:
        return tuple(bare(k) for k in key)
    return key


def holds_active(x: Any) -> bool:
    """Whether x is active, a buffer that holds active numbers, or a list, tuple or array of objects with such in it."""
    kind = type(x)
    if kind is Array or kind in NUMBERS or kind is Complex:
        return True
    if kind is Buffer:
        return memory.memory_of(x) is not None
    if kind is list or kind is tuple:
        return any(holds_active(y) for y in x)
    if kind is np.ndarray and x.dtype == object:
        return any(is_active(y) or type(y) is Complex for y in x.flat)
    return False


def assigned(target: Any, key: Any, value: Any) -> Any:
    """`target[key] = value` where one of them is active (`target[...]` for no key); returns the target."""
    value = operand(value)
    if type(target) is not Array:
        plain = target.view(np.ndarray)
        if plain.dtype.kind in "biu" and is_active(value):
            return _whole_numbers(target, key, value)
        if plain.dtype == object:
            plain[... if key is None else key] = value
            return target
        if key is not None and type(value) is Array and value.ndim == 0:
            value = value[()]
        memory.write(plain, key, value)
        return target if type(target) is Buffer else plain.view(Buffer)
    memory.write(target, key, value)
    return target


def _whole_numbers(target: Any, key: Any, value: Any) -> Any:
    """An active number in an array of whole numbers: what is after the point is cut off, and the derivative stops."""
    from .looks import looked

    plain = target.view(np.ndarray)
    cut = looked("int", lambda x: _cut(x, plain.dtype), (value,), {})
    plain[... if key is None else key] = cut
    return target


def _cut(x: Any, dtype: Any) -> Any:
    """Numbers as such an array holds them: NaN and a number that is too large are NumPy's errors."""
    cut = np.empty(np.shape(x), dtype)
    cut[...] = x if np.shape(x) else np.asarray(x).item()
    return cut


def all_plain(args: Any, kwargs: Any) -> bool:
    """Whether nothing active is among the arguments."""
    return not any(holds_active(x) for x in (*args, *kwargs.values()))


def on_plain(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A function of NumPy on buffers that hold nothing active."""

    def stripped(x: Any) -> Any:
        if type(x) is list or type(x) is tuple:
            return type(x)(stripped(y) for y in x)
        return bare(x)

    result = function(*map(stripped, args), **{name: stripped(x) for name, x in kwargs.items()})
    out = kwargs.get("out")
    return wrapped(result) if out is None else out


def _delegated(name: str) -> Callable[..., Any]:
    plain = getattr(np.ndarray, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if memory.memory_of(self) is None and all_plain(args, kwargs):
            return wrapped(plain(bare(self), *map(bare, args), **kwargs))
        from .methods import METHODS

        return METHODS[name](content(self), *args, **kwargs)

    method.__name__ = name
    return method
