"""What operations on arrays cost. An operation of the derivative table costs for each entry what it costs for a number.

A primitive with a function pair is carried out once more on arrays that count: what NumPy is asked to do is added up.
So the cost of a push and of a pull is that of the very functions that the sweeps call. Here stands only what NumPy's
own functions cost: of a product of matrices m × k and k × n the products and sums that a program with loops would
carry out, m n (2k − 1); of factorisations the leading terms (Golub & Van Loan 2013, "Matrix Computations"; Trefethen
& Bau 1997, lectures 10, 20, 23, 31).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ad_magic.engine.costs import Work, products, value_cost
from ad_magic.engine.tape import Columns
from ad_magic.rules import by_entry, compile_expression, names_in
from ad_magic.rules.arrays.composed import MOVES
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import numpy_names

from .adjoints import Adjoints, shape_of
from .operation import EntryOperation


def array_work(tape: Columns, row: int) -> Work:
    """The cost of a row that is an operation on arrays; see `costs.work`."""
    op: Any = tape.ops[row]
    left, right, z = tape.left[row], tape.right[row], tape.values[row]
    parents = op.parents(left, right)
    into = tuple((parent, _size(tape.values[parent])) for parent in parents)
    if isinstance(op, EntryOperation):
        assert op.rule is not None
        entries = _size(z)
        values = dict(zip(op.rule.arguments, op.arguments(left, right, tape.values), strict=True))
        pull = products(op, {**values, "z": z}, entries, op.is_complex)
        summed = sum(max(entries - size, 0) for _, size in into)  # over the axes along which an operand was broadcast
        return Work(value_cost(op.rule) * entries, pull + (len(parents) - 1) * entries, pull + summed, into)
    if op.memory or op.name == "part":
        return Work(0, 0, _spread(op, z) if op.name == "write" and op.active[0] else 0, into, moves=True)
    if hasattr(op, "work"):  # a function with a rule of the user's own
        return op.work(z, op.arguments(left, right, tape.values), into)
    if hasattr(op, "inner"):
        return _inner_work(op, into)
    operands = op.arguments(left, right, tape.values)
    value = counted(lambda *x: op.value(*x), *operands)
    if not value:
        return Work(0, 0, 0, into, moves=True)
    g = _ones(z)
    pull = counted(lambda *x: _pulled(op, x, g, z), *operands)
    push = counted(lambda *x: _pushed(op, x, z), *operands)
    return Work(value, push, pull, into)


def _spread(op: Any, value: Any) -> int:
    """What it costs to sum the adjoints of the places to which one value was written."""
    places = np.empty(op.size, bool)[op.places].size
    return max(places - _size(value), 0)


def _pulled(op: Any, operands: Any, g: Any, z: Any) -> None:
    op.pull(Adjoints(len(operands)), counting(g), *_columns(op, operands), counting(z))


def _pushed(op: Any, operands: Any, z: Any) -> None:
    tangents = [counting(_ones(x)) for x in operands]
    op.push(tangents, *_columns(op, operands), counting(z))


def _columns(op: Any, operands: Any) -> tuple[Any, Any, Any]:
    """(left, right, values) of an operation that stands alone, its operands the only values."""
    return tuple(k if on else x for k, (x, on) in enumerate(zip(operands, op.active, strict=True))), None, operands


def _inner_work(op: Any, into: tuple[tuple[int, int], ...]) -> Work:
    """A function written in others costs what they cost. A solver counts as one run of its function, because how many
    it took is not on the tape."""
    works = [_of_inner(op.inner, row) for row in range(len(op.inner))]
    pull = sum(w.pull + sum(size for _, size in w.into if not w.moves) for w in works)
    return Work(max(1, sum(w.value for w in works)), sum(w.push for w in works), pull, into)


def _of_inner(tape: Columns, row: int) -> Work:
    from ad_magic.engine.costs import work

    return work(tape, row)


def touched(tape: Columns, row: int) -> list[tuple[int, Any]]:
    """For a row that only moves entries: to which entries of each operand its pull adds, as masks."""
    op: Any = tape.ops[row]
    operands = op.arguments(tape.left[row], tape.right[row], tape.values)
    adjoints = Adjoints(len(operands))
    op.pull(adjoints, _ones(tape.values[row]), *_columns(op, operands), tape.values[row])
    found = [g for g, on in zip(adjoints, op.active, strict=True) if on]
    return [
        (parent, np.broadcast_to(np.asarray(g) != 0, shape_of(tape.values[parent])))
        for parent, g in zip(tape.parents(row), found, strict=True)
    ]


def passed_on(tape: Columns, row: int) -> tuple[tuple[int, int], ...]:
    """For a row of a memory: to which row its pull hands the adjoint on, and how many numbers."""
    op, left = tape.ops[row], tape.left[row]
    if op.name == "look" or not op.active[0]:
        return ()
    parent = left[2] if op.name == "write" else left[0]
    return ((parent, _size(tape.values[parent])),)


def holds(test: str, values: Any, mask: Any) -> Any:
    """Where a condition of the table holds, by entry."""
    names = tuple(sorted(name for name in names_in(test) if name in values))
    with np.errstate(all="ignore"):
        true = compile_expression(by_entry(test), names, numpy_names())(*(values[name] for name in names))
    true = np.broadcast_to(np.asarray(true, bool), np.broadcast_shapes(*map(shape_of, values.values())))
    return true if mask is None else true & mask


def _size(x: Any) -> int:
    return math.prod(shape_of(x))


def _ones(x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(map(_ones, x))
    kind = complex if np.iscomplexobj(x) else float
    return np.ones(x.shape, kind) if shape_of(x) else kind(1)


# ---- arrays that count ---------------------------------------------------------------------------

_COUNT: list[int] = []  # of the block that is being counted


class Counting(np.ndarray):
    """An array that adds up what NumPy is asked to do with it."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if out is not None:
            options["out"] = bare(out)
        inputs = bare(inputs)
        result = getattr(ufunc, method)(*inputs, **options)
        if method == "__call__":
            _add(_UFUNCS.get(ufunc.__name__, _by_entry)(result, *inputs))
        elif method in ("reduce", "accumulate"):
            _add(np.size(inputs[0]) - (np.size(result) if method == "reduce" else 1))
        elif method == "at":
            _add(np.size(inputs[-1]))
        else:
            _add(np.size(result))
        return counting(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        args, kwargs = bare(args), bare(kwargs)
        result = func(*args, **kwargs)
        _add(_FUNCTIONS.get(func, _by_entry)(result, *args, **kwargs))
        return counting(result)


def counted(function: Callable[..., Any], *operands: Any) -> int:
    """How many operations NumPy carries out in a function of these operands.

    >>> counted(np.matmul, np.ones((2, 3)), np.ones((3, 4)))
    40
    """
    with _counting_block() as count, np.errstate(all="ignore"):
        function(*map(counting, operands))
    return count[0]


@contextmanager
def _counting_block() -> Iterator[list[int]]:
    _COUNT.append(0)
    found = [0]
    try:
        yield found
    finally:
        found[0] = _COUNT.pop()


def _add(operations: float) -> None:
    if _COUNT:
        _COUNT[-1] += math.ceil(max(operations, 0))


def counting(x: Any) -> Any:
    """An array as one that counts; what is in a tuple or a list likewise."""
    if isinstance(x, (tuple, list)):
        made = map(counting, x)
        return type(x)(*made) if hasattr(x, "_fields") else type(x)(made)
    return x.view(Counting) if isinstance(x, np.ndarray) else x


def bare(x: Any) -> Any:
    """The arrays in x as plain ones."""
    if isinstance(x, (tuple, list)):
        made = map(bare, x)
        return type(x)(*made) if hasattr(x, "_fields") else type(x)(made)
    if isinstance(x, dict):
        return {name: bare(y) for name, y in x.items()}
    return x.view(np.ndarray) if isinstance(x, Counting) else x


# ---- what NumPy's functions cost -----------------------------------------------------------------


def _by_entry(result: Any, *args: Any, **kwargs: Any) -> float:
    return np.size(result) if not isinstance(result, (tuple, list)) else sum(map(np.size, result))


def _nothing(result: Any, *args: Any, **kwargs: Any) -> float:
    return 0


def _reduction(result: Any, a: Any, *args: Any, **kwargs: Any) -> float:
    return np.size(a) - np.size(result)


def _mean(result: Any, a: Any, *args: Any, **kwargs: Any) -> float:
    return np.size(a)


def _running(result: Any, a: Any, *args: Any, **kwargs: Any) -> float:
    return np.size(a) - 1


def _product(result: Any, a: Any, b: Any, *args: Any, **kwargs: Any) -> float:
    """Each entry of a product is a sum of so many products as the axis in the middle is long."""
    k = np.shape(a)[-1] if np.ndim(a) else 1
    return np.size(result) * (2 * k - 1)


def _tensordot(result: Any, a: Any, b: Any, *args: Any, **kwargs: Any) -> float:
    k = math.isqrt(np.size(a) * np.size(b) // max(np.size(result), 1))
    return np.size(result) * (2 * k - 1)


def _einsum(result: Any, subscripts: str, *operands: Any, **kwargs: Any) -> float:
    """Products of all factors for each index, then the sums over those that are left out."""
    sizes: dict[str, int] = {}
    inputs = subscripts.replace(" ", "").partition("->")[0].split(",")
    for term, x in zip(inputs, operands, strict=False):
        sizes.update(zip(term.replace("...", ""), np.shape(x)[-len(term.replace("...", "")) or None :], strict=False))
    full = math.prod(sizes.values())
    return full * (len(operands) - 1) + max(full - np.size(result), 0)


def _matrices(cost: Callable[[int, int], float]) -> Callable[..., float]:
    """A cost by the rows and columns of each matrix of a stack."""

    def of(result: Any, a: Any, *args: Any, **kwargs: Any) -> float:
        m, n = np.shape(a)[-2:]
        return float(np.size(a) // max(m * n, 1) * cost(m, n))

    return of


def _solve(result: Any, a: Any, b: Any, *args: Any, **kwargs: Any) -> float:
    n = np.shape(a)[-1]
    return np.size(a) // max(n * n, 1) * 2 * n**3 / 3 + 2 * n * np.size(result)


def _transform(result: Any, a: Any, *args: Any, **kwargs: Any) -> float:
    n = max(np.size(a), np.size(result))
    return 5 * n * math.log2(max(n, 2))


_UFUNCS: dict[str, Callable[..., float]] = {
    "matmul": _product, "vecdot": lambda z, a, b: 2 * np.size(a) - np.size(z),
    "matvec": _product, "vecmat": lambda z, a, b: np.size(z) * (2 * np.shape(a)[-1] - 1),
    **dict.fromkeys(("negative", "positive", "conjugate", "isnan", "isfinite", "isinf", "signbit", "logical_and",
                     "logical_or", "logical_not", "less", "less_equal", "greater", "greater_equal", "equal",
                     "not_equal", "bitwise_and", "bitwise_or", "invert"), _nothing),
}  # fmt: skip


def _functions() -> dict[Any, Callable[..., float]]:
    from ad_magic.rules.arrays.composed import public

    lin, fft = np.linalg, np.fft
    square = _matrices
    costs: dict[Any, Callable[..., float]] = {
        **{move: _nothing for name in MOVES if (move := public(name)) is not None},
        **dict.fromkeys(
            (np.where, np.zeros_like, np.ones_like, np.full_like, np.empty_like, np.real, np.imag, np.shape, np.ndim,
             np.size, np.iscomplexobj, np.isrealobj, np.argsort, np.sort, np.argmax, np.argmin, np.any, np.all,
             np.copyto, np.nonzero, np.flatnonzero, np.count_nonzero, np.array_equal, np.isclose, np.allclose, np.ix_,
             np.may_share_memory, np.shares_memory, np.result_type, np.putmask, np.place, np.broadcast_arrays,
             np.fill_diagonal, np.put_along_axis, np.searchsorted, np.partition, np.argpartition, np.unique), _nothing),
        **dict.fromkeys((np.sum, np.prod, np.max, np.min, np.amax, np.amin, np.trace), _reduction),
        np.mean: _mean, np.cumsum: _running, np.cumprod: _running,
        np.dot: _product, np.inner: _product, np.vdot: lambda z, a, b: 2 * np.size(a) - 1,
        np.tensordot: _tensordot, np.einsum: _einsum,
        lin.solve: _solve, lin.lstsq: lambda z, a, b, *_, **__: _matrices(lambda m, n: 2 * m * n * n)(z, a),
        lin.inv: square(lambda m, n: 2 * n**3), lin.pinv: square(lambda m, n: 4 * m * n * min(m, n) + 8 * min(m, n)**3),
        lin.det: square(lambda m, n: 2 * n**3 / 3), lin.slogdet: square(lambda m, n: 2 * n**3 / 3),
        lin.cholesky: square(lambda m, n: n**3 / 3),
        lin.qr: square(lambda m, n: 4 * (m * m * n - m * n * n + n**3 / 3) if m >= n else 4 * m * m * n),
        lin.svd: square(lambda m, n: 4 * max(m, n)**2 * min(m, n) + 8 * max(m, n) * min(m, n)**2 + 9 * min(m, n)**3),
        lin.eigh: square(lambda m, n: 9 * n**3), lin.eigvalsh: square(lambda m, n: 4 * n**3 / 3),
        lin.eig: square(lambda m, n: 25 * n**3), lin.eigvals: square(lambda m, n: 10 * n**3),
        lin.matrix_power: lambda z, a, n: _matrices(lambda m, _: m**3 * 2 * max(int(abs(n)).bit_length(), 1))(z, a),
        lin.norm: lambda z, a, *_, **__: 2 * np.size(a),
        **dict.fromkeys((fft.fft, fft.ifft, fft.rfft, fft.irfft, fft.fft2, fft.ifft2, fft.fftn, fft.ifftn, fft.rfft2,
                         fft.irfft2, fft.rfftn, fft.irfftn, fft.hfft, fft.ihfft), _transform),
    }  # fmt: skip
    return costs


_FUNCTIONS = _functions()
