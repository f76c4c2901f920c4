"""Power series of the rows of arrays (engine/series.py): coefficients are arrays, an absent one is the number 0.0.

What is linear maps each coefficient; a product is the sum over all orders that add up. Of any other primitive with a
function pair the push is a little program for z′, recorded at the operands, their first derivatives and the result,
whose rows are series too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from ad_magic.engine.active import LostDerivative
from ad_magic.engine.kinks import kink_of_array
from ad_magic.engine.operation import Operation
from ad_magic.engine.power_series import Arithmetic, Series, derivative
from ad_magic.engine.series import (
    ULP,
    Known,
    number_series,
    series_of,
    swept,
    table_series,
    written_out,
)
from ad_magic.engine.sides import Beside
from ad_magic.engine.tape import Columns, Tape, depended_on
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import numpy_names

from .adjoints import absent, careful_product, shape_of, spread
from .compose import ComposedOperation, as_input, output_of
from .moves import Hole, MoveOperation
from .operation import EntryOperation
from .pairs import PairOperation
from .perform import Part
from .sides import by_singular_entries, pair_beside


def array_sweep(
    tape: Columns, inputs: dict[int, Series], order: int, rows: Iterable[int], nudge: bool, beside: Beside | None = None
) -> list[Any]:
    """`series_sweep` over a tape on which arrays are."""
    # a write concerns all that looks at its memory
    used = bytearray(b"\1" * len(tape)) if any(op.memory for op in tape.ops) else depended_on(tape, rows)
    with np.errstate(all="ignore"):
        return swept(tape, inputs, order, used, Rows(), nudge, beside)


def nudged(z: Any, count: int) -> Any:
    """Each entry moved by a rounding error, up or down."""
    if z.dtype.kind not in "fc":
        return z
    bits = ((np.arange(z.size, dtype=np.uint64) + np.uint64(count)) * np.uint64(2654435761)) >> np.uint64(16)
    return z * (1.0 + ULP * (2.0 * (bits & np.uint64(1)).astype(float) - 1.0)).reshape(z.shape)


class Rows:
    """The series of the rows of one tape, in order; what is in its memories stands here by order."""

    def __init__(self) -> None:
        self.flats: dict[int, dict[int, Any]] = {}
        self.before: Series | None = None  # of the last row of a memory

    def __call__(
        self, op: Any, left: Any, right: Any, z: Any, found: Any, known: Known, values: Any, row: int
    ) -> Series:
        if op.memory:
            return self._memory(op, left, z, found, values, row)
        if not op.array:
            return number_series(op, left, right, z, found, known)
        operands = [found[i] if on else i for i, on in op._marked(left, right)]
        if all(type(x) is not Series or x.constant for x in operands):
            return Series(z)
        key = _key(op, operands)
        if key not in known:
            known[key] = self._made(op, left, right, known.value(z), found, operands, known, values)
        return known[key]

    def _made(
        self, op: Any, left: Any, right: Any, z: Any, found: Any, operands: list[Any], known: Known, values: Any
    ) -> Series:
        if isinstance(op, EntryOperation):
            if known.beside is None:
                return table_series(op, left, right, z, operands, known, ARRAYS)
            made = table_series(op, left, right, z, operands, known, STRICT)
            return by_singular_entries(op, left, right, z, operands, values, made, known)
        if isinstance(op, Part):
            (whole,) = operands
            return Series(z, lambda k: _part(whole[k], op.which))
        if known.beside is not None and (beside := pair_beside(op, operands, z, known, Rows())) is not None:
            return beside
        if isinstance(op, ComposedOperation):
            return _composed(op, left, z, found, known, values)
        if hasattr(op, "run_again"):
            return _run_again(op, left, right, z, found, known)
        if hasattr(op, "total"):
            return _integral(op, left, z, found, known, values)
        if op.name in WRITTEN_OUT:
            return Series(z, WRITTEN_OUT[op.name](op, operands, z))
        if isinstance(op, MoveOperation) or _is_linear(op, operands):
            return Series(z, _linear(op, left, right, z, found, values))
        if op.rule.push is None and type(op).push is PairOperation.push:
            return Series(z, _products(op, operands))
        return _by_push(op, left, right, z, found, known, values)

    def _memory(self, op: Any, left: Any, z: Any, found: Any, values: Any, row: int) -> Series:
        before = self.before

        def following(k: int) -> Any:
            if before is not None:
                before[k]  # writes in their order
            return op.push_memory(_Order(found, k), left, values, self.flats.setdefault(k, {}), row)

        self.before = Series(z, following)
        return self.before


class _Order:
    """The coefficients of one order, by row."""

    def __init__(self, found: Any, k: int) -> None:
        self.found, self.k = found, k

    def __getitem__(self, row: int) -> Any:
        return self.found[row][self.k]


def _key(op: Any, operands: Sequence[Any]) -> Any:
    """What two rows have in common that are the same series; a key of its own where that is not seen."""
    if isinstance(op, EntryOperation):
        kind: Any = "entry", op.name, op.is_complex
    elif isinstance(op, Part):
        kind = "part", op.which
    elif isinstance(op, PairOperation) and not op.options and type(op).push is PairOperation.push:
        kind = "pair", op.name
    else:
        return ("row", id(op), *map(id, operands))
    numbers = (float, int)
    return (*kind, *((type(x), x) if type(x) in numbers else ("object", id(x)) for x in operands))


def _part_at(z: Series, which: int, k: int) -> Any:
    return _part(z[k], which)


def _part(whole: Any, which: int) -> Any:
    return whole[which] if isinstance(whole, tuple) else 0.0


# ---- rows of the derivative table, entry by entry ------------------------------------------------


def _convolved(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    total: Any = 0.0
    pairs = list(zip(xs, reversed(ys), strict=True))
    for x, y in pairs:
        if not absent(x) and not absent(y):
            total = total + x * y
    if np.isnan(total).any():
        total = sum((careful_product(x, y) for x, y in pairs), 0.0)
    return total


def _strictly(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    total: Any = 0.0
    for x, y in zip(xs, reversed(ys), strict=True):
        if not absent(x) and not absent(y):
            total = total + x * y
    return total


def _over(a: Any, b: Any) -> Any:
    return 0.0 if absent(a) else np.divide(a, b)


def _recorded(op: Any, left: Any, right: Any, z: Series, found: Any, known: Known) -> list[Any]:
    inner = Tape()
    values = {i: as_input(inner, found[i][0]) for i in op.parents(left, right)}
    result = as_input(inner, z[0])
    written = written_out(op, left, right, values, result, numpy_names(), np.all)
    partials = [output_of(p, inner) for p in written or op.partials(left, right, values, result)]
    columns = inner.close()
    inputs = {x.index: found[i] for i, x in values.items()} | {result.index: z}
    series = series_of(columns, inputs, known, Rows())
    return [constant if row is None else series[row] for row, constant in partials]


ARRAYS = Arithmetic(_convolved, careful_product, _over, np.sign, np.all, _recorded)
STRICT = Arithmetic(_strictly, careful_product, _over, np.sign, np.all, _recorded)  # nothing hides a NaN


# ---- primitives with a function pair -------------------------------------------------------------


def _is_linear(op: Any, operands: Sequence[Any]) -> bool:
    if op.rule.push is not None or type(op).push is not PairOperation.push:
        return False
    return op.rule.several or sum(type(x) is Series and not x.constant for x in operands) < 2


def _linear(op: Any, left: Any, right: Any, z: Any, found: Any, values: Any) -> Callable[[int], Any]:
    return lambda k: op.push(_Order(found, k), left, right, values, z)


def _products(op: Any, operands: Sequence[Any]) -> Callable[[int], Any]:
    """Of what is linear in each operand by itself: the sum over all orders that add up to k."""

    def at(x: Any, k: int) -> Any:
        if type(x) is not Series:
            return x if k == 0 else 0.0
        c = x[k]
        return c if absent(c) and k else spread(c, x[0])

    def following(k: int) -> Any:
        total: Any = 0.0
        for orders in _adding_up(k, len(operands)):
            factors = [at(x, j) for x, j in zip(operands, orders, strict=True)]
            if not any(j and absent(c) for j, c in zip(orders, factors, strict=True)):
                total = total + op.value(*factors)
        return total

    return following


def _adding_up(k: int, count: int) -> Iterator[tuple[int, ...]]:
    if count == 1:
        yield (k,)
        return
    for first in range(k + 1):
        for rest in _adding_up(k - first, count - 1):
            yield (first, *rest)


def _by_push(op: Any, left: Any, right: Any, z: Any, found: Any, known: Known, values: Any) -> Series:
    """k zₖ = coefficient k - 1 of z′ = push(a′)."""
    made = Series(z)
    state: list[Any] = []
    corner = kink_of_array(op, op.arguments(left, right, values), z)

    def following(k: int) -> Any:
        if not state:
            state.append(_pushed(op, left, right, made, found, known, values))
        slope = state[0]
        if slope is None:
            return op.push(_Order(found, k), left, right, values, z)
        if corner and k > 1:
            return _everywhere(z, math.nan)
        return _divided(_at(slope, k - 1), k)

    made.following = following
    return made


def _at(slope: Any, k: int) -> Any:
    return tuple(s[k] for s in slope) if isinstance(slope, tuple) else slope[k]


def _divided(c: Any, k: int) -> Any:
    return tuple(part / k for part in c) if isinstance(c, tuple) else c / k


def _everywhere(z: Any, x: float) -> Any:
    return tuple(_everywhere(part, x) for part in z) if isinstance(z, tuple) else spread(x, z)


def _pushed(op: Any, left: Any, right: Any, z: Series, found: Any, known: Known, values: Any) -> Any:
    """The series of z′, for several results a tuple of them; None where the push is linear: it reads nothing else."""
    inner = Tape()
    parents = list(dict.fromkeys(op.parents(left, right)))
    operands = {i: as_input(inner, found[i][0]) for i in parents}
    first = {i: spread(found[i][1], values[i]) for i in parents if not found[i].constant}
    along = {i: as_input(inner, t) for i, t in first.items()}
    parts = [as_input(inner, x) if _is_real(x) else x for x in (z[0] if isinstance(z[0], tuple) else (z[0],))]
    tangents = {i: along.get(i, 0.0) for i in parents}
    result = op.push(tangents, left, right, operands, tuple(parts) if isinstance(z[0], tuple) else parts[0])
    outputs = [output_of(x, inner) for x in (result if isinstance(result, tuple) else (result,))]
    columns = inner.close()
    read = depended_on(columns, [row for row, _ in outputs if row is not None])
    others = [x.index for x in (*operands.values(), *(p for p in parts if hasattr(p, "tape")))]
    if not any(read[row] for row in others):
        return None
    inputs = {x.index: found[i] for i, x in operands.items()}
    inputs |= {x.index: derivative(found[i], first[i]) for i, x in along.items()}
    for k, x in enumerate(parts):
        if hasattr(x, "tape"):
            inputs[x.index] = Series(x.value, partial(_part_at, z, k)) if isinstance(z[0], tuple) else z
    series = series_of(columns, inputs, known, Rows())
    slopes = tuple(Series(constant) if row is None else series[row] for row, constant in outputs)
    return slopes if isinstance(result, tuple) else slopes[0]


def _is_real(x: Any) -> bool:
    return isinstance(x, (float, complex)) or getattr(getattr(x, "dtype", None), "kind", "") in ("f", "c")


# ---- programs in a row ---------------------------------------------------------------------------


def _composed(op: Any, left: Any, z: Any, found: Any, known: Known, values: Any) -> Series:
    inner = op.inner_at(tuple(values[i] for i in left))
    series = series_of(inner, {seed: found[i] for seed, i in zip(op.seeds, left, strict=True)}, known, Rows())
    results = [Series(constant) if row is None else series[row] for row, constant in op.outputs]
    if op.several:
        return Series(z, lambda k: tuple(s[k] for s in results))
    return Series(z, results[0].__getitem__)


def _run_again(op: Any, left: Any, right: Any, z: Any, found: Any, known: Known) -> Series:
    """A function that was not recorded: its operations now."""
    operands = [found[i] if on else i for i, on in op._marked(left, right)]
    inner, seeds, outputs = op.run_again([x[0] if type(x) is Series else x for x in operands])
    inputs = {seed: x for seed, x in zip(seeds, operands, strict=True) if type(x) is Series}
    series = series_of(inner, inputs, known, Rows())
    results = [Series(constant) if row is None else series[row] for row, constant in outputs]
    if op.several:
        return Series(z, lambda k: tuple(s[k] for s in results))
    return Series(z, results[0].__getitem__)


EXACT = 4  # a limit of an integral moves by a formula that is right so far (engine/quadrature.py)


def _integral(op: Any, left: Any, z: Any, found: Any, known: Known, values: Any) -> Series:
    """Under the integral sign: the series of the sum over the nodes."""
    args, kwargs = op.template
    moving = any(type(x) is Hole for x in (*args[1:3], kwargs.get("a"), kwargs.get("b")))
    inputs = {seed: found[i] for seed, i, on in zip(op.seeds, left, op.active, strict=True) if on}
    series = series_of(op.inner, inputs, known, Rows())

    def following(k: int) -> Any:
        if op.bent is not None and k > 1:
            raise LostDerivative(
                f"quad: the function has a bend near {op.bent:.6g}, a place that depends on an input; for a Taylor "
                "series integrate up to there and from there on"
            )
        if moving and k > EXACT:
            raise LostDerivative(
                f"quad has a limit that depends on an input: its Taylor series is known up to order {EXACT}"
            )
        return series[op.total][k]

    return Series(z, following)


# ---- primitives whose equation is solved order by order ------------------------------------------


def _solve(op: Operation, operands: Sequence[Any], z: Any) -> Callable[[int], Any]:
    """A Z = B, term by term: zₖ = A₀⁻¹ (bₖ - Σⱼ₌₁…ₖ Aⱼ zₖ₋ⱼ). Both are the push of solve, at zₖ₋ⱼ in the place of z."""
    a, b = (x if type(x) is Series else Series(x) for x in operands)
    push: Any = op.rule.push
    found = [z]

    def following(k: int) -> Any:
        while len(found) <= k:
            n = len(found)
            total = push(1, spread(b[n], b[0]), z, a[0], b[0]) if not absent(b[n]) else np.zeros(shape_of(z))
            for j in range(1, n + 1):
                if not absent(a[j]):
                    total = total + push(0, spread(a[j], a[0]), found[n - j], a[0], b[0])
            found.append(total)
        return found[k]

    return following


def _expm(op: Any, operands: Sequence[Any], z: Any) -> Callable[[int], Any]:
    """A function of a matrix that is a power series: that of the block matrix in which aⱼ stands on diagonal j (Higham
    2008, "Functions of matrices", 3.2)."""
    (a,) = operands

    def following(k: int) -> Any:
        n = len(a[0])
        blocks = np.zeros((k + 1, n, k + 1, n), dtype=np.asarray(a[0]).dtype)
        for i, j in itertools.combinations_with_replacement(range(k + 1), 2):
            blocks[i, :, j] = a[j - i]
        return op.rule.value(blocks.reshape((k + 1) * n, (k + 1) * n))[:n, k * n :]

    return following


def _running(op: Any, operands: Sequence[Any], z: Any) -> Callable[[int], Any]:
    """A product along axes, and the running one, by multiplication: right where entries are zero, too."""
    (a,) = operands
    shape, axis = shape_of(a[0]), op.options.get("axis")
    axes = tuple(range(len(shape))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(k % len(shape) for k in axes)
    count = math.prod(shape[k] for k in axes)
    products: list[list[Any]] = [[] for _ in range(count)]  # up to entry i, by order
    entries: list[Any] = []

    def following(k: int) -> Any:
        while len(entries) <= k:
            n = len(entries)
            moved = np.moveaxis(spread(a[n], a[0]), axes, range(len(axes)))
            entries.append(moved.reshape(count, *moved.shape[len(axes) :]))
            for i, so_far in enumerate(products):
                if i == 0:
                    so_far.append(entries[n][0])
                else:
                    so_far.append(sum(products[i - 1][j] * entries[n - j][i] for j in range(n + 1)))
        if op.name == "prod":
            return np.reshape(products[-1][k], shape_of(z)) if count else 0.0
        running = np.stack([so_far[k] for so_far in products])
        return running if axis is None else np.moveaxis(running, 0, axes[0])

    return following


WRITTEN_OUT: dict[str, Callable[..., Callable[[int], Any]]] = {
    "solve": _solve,
    "expm": _expm,
    "prod": _running,
    "cumprod": _running,
}
