"""The short way of the frequent operations: arrays of one open run that is recorded, and plain numbers.

It records what `perform` would record. Whatever it does not know it leaves to that: it returns None then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.engine.tape import Tape
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .array import FLOAT, NUMBERS, Array, frozen, record, recorded
from .operation import FRUGAL_TANH, SQUARE, EntryOperation, entry_operation, flat_of_tanh
from .pairs import pair_operation
from .spare import BIG, offer, room

ndarray = np.ndarray
_float64 = np.float64


# ---- entry by entry ------------------------------------------------------------------------------


class Entry:
    """A row of the table on arrays: NumPy's function, and its operation for each choice of active operands."""

    __slots__ = ("both", "first", "second", "ufunc")

    def __init__(self, name: str, ufunc: Callable[..., Any], arity: int) -> None:
        self.ufunc = ufunc
        if arity == 1:
            self.first = entry_operation(name, (True,))
        else:
            self.both = entry_operation(name, (True, True))
            self.first = entry_operation(name, (True, False))
            self.second = entry_operation(name, (False, True))


def one(entry: Entry, x: Array) -> Array | None:
    """The entry's function of an array."""
    tape, a = x.tape, x.value
    if type(a) is not ndarray or a.dtype is not FLOAT or x.version != tape.writes or tape.values is None:
        return None
    if tape.forward or not a.ndim:
        return None
    ufunc, op = entry.ufunc, entry.first
    if a.nbytes < BIG or tape.spare is None:
        return recorded(tape, op, x.index, None, ufunc(a))
    z = _into(tape, a, ufunc, a)
    right = None
    if op.name == "tanh":
        op, right = FRUGAL_TANH, flat_of_tanh(a, z)
    _note(tape, op, x.index, None, z)
    return recorded(tape, op, x.index, right, z)


def two(entry: Entry, a: Any, b: Any) -> Array | None:
    """The entry's function of two operands, one of which is an array."""
    second = type(a) is not Array  # only the second one is
    x, other = (b, a) if second else (a, b)
    tape, p, kind = x.tape, x.value, type(other)
    if type(p) is not ndarray or p.dtype is not FLOAT or x.version != tape.writes or tape.values is None:
        return None
    if tape.forward or not p.ndim:
        return None
    op = entry.second if second else entry.first
    if kind is Array:
        q, column, op = other.value, other.index, entry.both
        if other.tape is not tape or other.version != tape.writes or type(q) is not ndarray or q.dtype is not FLOAT:
            return None
    elif kind is float or kind is int:
        q = column = other
    elif kind is ndarray:
        if other.dtype is not FLOAT:
            return None
        q = column = other if tape.steady else frozen(other, tape)
    elif kind is _float64:
        q = column = float(other)
    elif kind in NUMBERS and other.tape is tape and type(other.value) in (float, _float64):
        q, column, op = other.value, other.index, entry.both
    else:
        return None
    ufunc, left, right = entry.ufunc, x.index, column
    if second:
        p, q, left, right = q, p, right, left
    if not tape.spare and (x.value.nbytes < BIG or tape.spare is None):
        return recorded(tape, op, left, right, ufunc(p, q))
    z = _into(tape, x.value, ufunc, p, q)
    _note(tape, op, left, right, z)
    return recorded(tape, op, left, right, z)


def square(x: Array) -> Array | None:
    """x ** 2, which NumPy computes as a product."""
    tape, a = x.tape, x.value
    if type(a) is not ndarray or a.dtype is not FLOAT or x.version != tape.writes or tape.values is None:
        return None
    if tape.forward or not a.ndim:
        return None
    z = np.square(a)
    if tape.spare:
        _note(tape, SQUARE, x.index, 2, z)
    return recorded(tape, SQUARE, x.index, 2, z)


def _into(tape: Tape, like: Any, ufunc: Callable[..., Any], *operands: Any) -> Any:
    """The result of a ufunc, where it can be in memory that nobody needs; `like` is the first operand that has axes."""
    assert tape.spare is not None
    assert tape.values is not None
    if not tape.spare or not like.flags.c_contiguous:
        return ufunc(*operands)
    shape = like.shape
    for q in operands:
        own = getattr(q, "shape", ())
        if own not in (shape, (), shape[-1:]):
            return ufunc(*operands)
    return ufunc(*operands, out=room(tape.values, tape.spare, shape))


def _note(tape: Tape, op: EntryOperation, left: Any, right: Any, z: Any) -> None:
    """Take from the spare rows what the pulls of an operation ask for, and offer its result z where none does."""
    spare = tape.spare
    assert spare is not None
    assert tape.values is not None
    for name, column, on in zip("ab", (left, right), op.active, strict=False):
        if on and name in op.uses and column in spare:
            spare.remove(column)
    if "z" not in op.uses and z.nbytes >= BIG:
        offer(spare, len(tape.values), z)


# ---- matrix products -----------------------------------------------------------------------------


def product(rule: ArrayRule, a: Any, b: Any) -> Array | None:
    """a @ b of two matrices."""
    x = a if type(a) is Array else b
    tape = x.tape
    if tape.values is None or tape.forward:
        return None
    p, i = _matrix(a, tape)
    q, j = _matrix(b, tape)
    if p is None or q is None:
        return None
    op = pair_operation(rule, (i is not p, j is not q))
    if tape.spare is None:
        return recorded(tape, op, (i, j), None, np.matmul(p, q))
    for column in (i, j):
        if type(column) is int and column in tape.spare:
            tape.spare.remove(column)
    size = len(p) * q.shape[1] * 8
    z = np.matmul(p, q, out=room(tape.values, tape.spare, (len(p), q.shape[1])) if size >= BIG else None)
    if size >= BIG:
        offer(tape.spare, len(tape.values), z)
    return recorded(tape, op, (i, j), None, z)


def _matrix(x: Any, tape: Tape) -> tuple[Any, Any]:
    """The value of a matrix and what stands for it in a column; None where it is something else."""
    if type(x) is Array:
        p = x.value
        if x.tape is tape and x.version == tape.writes and type(p) is ndarray and p.ndim == 2 and p.dtype is FLOAT:
            return p, x.index
    elif type(x) is ndarray and x.ndim == 2 and x.dtype is FLOAT:
        p = x if tape.steady else frozen(x, tape)
        return p, p
    return None, None


# ---- sums ----------------------------------------------------------------------------------------


def whole(rule: ArrayRule, x: Array) -> Any:
    """A reduction of all the entries of an array to one number."""
    tape, a = x.tape, x.value
    if type(a) is not ndarray or a.dtype is not FLOAT or x.version != tape.writes or tape.values is None:
        return None
    if tape.forward or not a.ndim:
        return None
    return record(tape, pair_operation(rule, (True,)), (x.index,), None, rule.value(a))
