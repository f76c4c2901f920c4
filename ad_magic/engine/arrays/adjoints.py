"""Adjoints and tangents of arrays: of the shape of the value. Broadcasting is undone where an adjoint is added."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .spare import ALONE, MOST, room

ndarray = np.ndarray
FLOAT = np.dtype(float)

# ---- shapes --------------------------------------------------------------------------------------


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a number or an array, active or plain.

    >>> shape_of(1.5), shape_of(np.zeros((2, 3)))
    ((), (2, 3))
    """
    return getattr(x, "shape", ())


def reduced(c: Any, like: Any) -> Any:
    """An adjoint with the shape of `like`: summed over the axes along which that was broadcast; real for a real.

    >>> reduced(np.ones((4, 3)), np.zeros((1, 3)))
    array([[4., 4., 4.]])
    """
    shape = getattr(like, "shape", ())
    found = getattr(c, "shape", ())
    if found != shape:
        if type(c) is np.ndarray and not shape:
            c = np.add.reduce(c, axis=None)
        elif type(c) is np.ndarray and found[1:] == shape:  # a bias: added along the first axis
            c = _summed_over_rows(c)
        else:
            c = _summed_to(c, shape, found)
    if _is_complex(c) and not _is_complex(like):
        c = np.real(c)
    return c


def _summed_over_rows(c: Any) -> Any:
    """The sum along the first axis; of a matrix as a product, which is three times faster."""
    return _ones(len(c)).dot(c) if c.ndim == 2 and c.dtype is FLOAT else np.add.reduce(c, axis=0)


@lru_cache(maxsize=8)
def _ones(length: int) -> Any:
    return np.ones(length)


def _is_complex(x: Any) -> bool:
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else dtype.kind == "c"


def _summed_to(c: Any, shape: tuple[int, ...], found: tuple[int, ...]) -> Any:
    extra = len(found) - len(shape)
    if extra < 0:
        return np.broadcast_to(c, shape)
    axes = tuple(range(extra))
    axes += tuple(extra + k for k, n in enumerate(shape) if n == 1 and found[extra + k] != 1)
    c = np.sum(c, axis=axes) if axes else c
    if getattr(c, "shape", ()) != shape:
        c = np.reshape(c, shape) if shape else np.sum(c)
    return c


def spread(t: Any, z: Any) -> Any:
    """A tangent with the shape of the result z."""
    shape = getattr(z, "shape", ())
    if getattr(t, "shape", ()) == shape:
        return np.asarray(t) if type(z) is np.ndarray and isinstance(t, (float, complex)) else t
    return np.broadcast_to(t, shape)


def absent(t: Any) -> bool:
    """Whether an adjoint or a tangent is none at all: the number zero."""
    return type(t) in (float, int, np.float64) and t == 0.0


def careful_product(t: Any, partial: Any) -> Any:
    """t * partial, where an exact zero on either side makes it zero, also times infinity.

    A zero that is itself active is only left out where it meets infinity: its own derivative may not be zero.
    """
    if absent(t) or absent(partial):
        return 0.0
    product = t * partial
    if type(product) in (np.ndarray, np.float64):
        return np.where((t == 0) | (partial == 0), 0.0, product)
    a, b = bare_value(t), bare_value(partial)
    lost = ((a == 0) & ~np.isfinite(b)) | ((b == 0) & ~np.isfinite(a))
    return np.where(lost, 0.0, product) if np.any(lost) else product


def bare_value(x: Any) -> Any:
    """The plain value of a number or an array, whatever runs it belongs to; it leaves no trace."""
    while hasattr(x, "tape"):
        x = x.value
    return x


class Adjoints(list[Any]):
    """The adjoint of every row; 0.0 where there is none yet. A row that was added to twice has an array of its own."""

    def __init__(self, length: int, values: Any = (), spare: Any = ()) -> None:
        """`spare` are the rows whose values are asked for no more."""
        super().__init__([0.0]) if length == 1 else super().__init__([0.0] * length)
        self.own: set[int] = set()
        self.values, self.spare = values, list(spare)
        self.free: list[Any] = []  # big arrays that nobody holds

    def put(self, row: int, c: Any, like: Any) -> None:
        """Add c to the adjoint of a row with the value `like`."""
        if type(c) is not ndarray or type(like) is not ndarray or c.dtype is not like.dtype:
            c = reduced(c, like)
        elif c.shape != like.shape:
            c = _summed_over_rows(c) if c.shape[1:] == like.shape else reduced(c, like)
        old = self[row]
        if type(old) is float and old == 0.0:
            self[row] = c
        else:
            self.add(row, c)

    def room(self, shape: tuple[int, ...]) -> Any:
        """An array of floats whose memory nobody needs, or None."""
        free = self.free
        for k, x in enumerate(free):
            if x.shape == shape:
                del free[k]
                return x
        return room(self.values, self.spare, shape) if self.spare else None

    def drop(self, row: int) -> None:
        """The adjoint of a row is passed on: its memory may be used for the next."""
        if sys.getrefcount(self[row]) <= ALONE and len(self.free) < MOST:
            g = self[row]
            if g.base is None and g.dtype is FLOAT and g.flags.c_contiguous and g.flags.writeable:
                self.free.append(g)
        self[row] = 0.0

    def add(self, row: int, c: Any) -> None:
        old = self[row]
        if type(old) is float and old == 0.0:
            self[row] = c
        elif row in self.own and type(c) in (np.ndarray, np.float64, float) and _holds(old, c):
            old += c
        else:
            self[row] = total = old + c
            self.own.discard(row)
            if type(total) is np.ndarray:
                self.own.add(row)

    def buffer(self, row: int, like: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
        """The adjoint of a row as an array that may be written to."""
        if row not in self.own:
            old = self[row]
            made = np.zeros(shape_of(like), dtype or _adjoint_type(like))
            if not absent(old):
                made += old
            self[row] = made
            self.own.add(row)
        return self[row]


def _holds(old: Any, c: Any) -> bool:
    """Whether c can be added to an array in place."""
    return old.dtype.kind == "c" or getattr(c, "dtype", old.dtype).kind != "c"


def _adjoint_type(x: Any) -> Any:
    return complex if np.iscomplexobj(x) else float
