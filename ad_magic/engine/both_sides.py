"""Derivatives of second and higher order at a point where an operation has none: the policy, and how it is carried out.

The first derivative at a singular point is that of the rules (rules/table.py). A derivative of order k >= 2 along a
direction is the mean of the k-th derivatives on both sides of the point along it: what a Taylor series to the right and
one to the left have there, or the one alone where the program is defined on one side only. So it is the true one where
there is one (abs(x)**2, sqrt(x**4)), infinite where both sides are (x**1.5), and NaN where it is not known (x**x). Of a
decision the branch that was taken is on both sides, and of a jump the value at the point.

The entry i, j of a Hessian is (c(e_i + e_j) - c(e_i - e_j)) / 2, with c(v) the coefficient of order 2 along v.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ad_magic.rules import Rule

from .active import LostDerivative
from .kinks import has_kinks, is_smooth, kink_of_array
from .operation import Operation
from .power_series import Series
from .series import located, number_series, swept
from .sides import FINEST, Beside, OffGrid, is_singular
from .tape import Columns, depended_on

# of equal values in an order the one that was put there is on both sides
_CHOSEN = frozenset(("sort", "median", "nanmedian", "quantile", "percentile", "nanquantile", "nanpercentile"))


# ---- where --------------------------------------------------------------------------------------------


def singular_rows(tape: Columns, rows: Iterable[int]) -> Iterator[int]:
    """The rows on which some of `rows` depend and that have no second derivative at their operands."""
    doubtful = [row for row, op in enumerate(tape.ops) if is_doubtful(op)]
    used = depended_on(tape, rows) if doubtful else ()
    for row in doubtful:
        if used[row] and _is_at_one(tape, row):
            yield row


def is_doubtful(op: Operation) -> bool:
    """Whether there may be operands at which an operation has no second derivative: they must be looked at."""
    if not isinstance(op.rule, Rule):  # a function pair, or no rule at all
        return op.rule is not None and (hasattr(op, "inner") or hasattr(op, "run_again") or has_kinks(op))
    return not is_smooth(op.rule)


def _is_at_one(tape: Columns, row: int) -> bool:
    try:
        return _at(tape, row)
    except LostDerivative:  # a function written in others reads numbers of another run: it is not looked into
        return False


def _at(tape: Columns, row: int) -> bool:
    op, z = tape.ops[row], tape.values[row]
    if not op.array:
        plain = type(z) is not complex and math.isfinite(z)
        return plain and is_singular(op.rule, tape.arguments(row), z, op.active)
    from .arrays.compose import ComposedOperation
    from .arrays.operation import EntryOperation
    from .arrays.sides import singular_entries

    if isinstance(op, EntryOperation):
        return bool(singular_entries(op, tape.left[row], tape.right[row], tape.values, z).any())
    if op.name not in _CHOSEN and kink_of_array(op, tape.arguments(row), z) is not None:
        return True
    if isinstance(op, ComposedOperation):
        inner = op.inner_at(tape.arguments(row))
        return any(singular_rows(inner, [out for out, _ in op.outputs if out is not None]))
    if hasattr(op, "run_again"):
        inner, _, outputs = op.run_again(list(tape.arguments(row)))
        return any(singular_rows(inner, [out for out, _ in outputs if out is not None]))
    return False


# ---- series on both sides -----------------------------------------------------------------------------


def means(tape: Columns, seeds: Mapping[int, Sequence[Any]], order: int, rows: Sequence[int]) -> dict[int, list[Any]]:
    """For each row its coefficients of the orders 2, 3, …: the mean of both sides. `seeds` as of `series_sweep`.

    Raises NoSeries as it does.
    """
    fineness = 1
    while True:
        try:
            right, left = (_one_side(tape, seeds, order, rows, sign, fineness) for sign in (1, -1))
            break
        except OffGrid as found:
            fineness *= found.denominator
            if fineness > FINEST:
                return {row: [_nan(tape.values[row])] * (order - 1) for row in rows}
    return {row: [_mean(a, b) for a, b in zip(right[row], left[row], strict=True)] for row in rows}


def _nan(z: Any) -> Any:
    return tuple(map(_nan, z)) if isinstance(z, tuple) else z * math.nan


def _mean(a: tuple[Any, bool], b: tuple[Any, bool]) -> Any:
    (right, outside), (left, out) = a, b
    if isinstance(right, tuple):
        return tuple(_mean((x, outside), (y, out)) for x, y in zip(right, left, strict=True))
    if not getattr(right, "shape", ()) and not getattr(left, "shape", ()):
        if right != right and outside:
            return left
        if left != left and out:
            return right
        return 0.5 * right + 0.5 * left
    import numpy as np

    with np.errstate(all="ignore"):
        mean = 0.5 * right + 0.5 * left
        mean = np.where(np.isnan(right) & outside, left, mean)
        return np.where(np.isnan(left) & out, right, mean)


def _one_side(
    tape: Columns, seeds: Mapping[int, Sequence[Any]], order: int, rows: Sequence[int], sign: int, fineness: int
) -> dict[int, list[tuple[Any, bool]]]:
    """For each row the coefficients of the orders 2, 3, … on one side, each with whether the program ends there."""

    def along(path: Sequence[Any]) -> Any:
        def following(k: int) -> Any:
            j, rest = divmod(k, fineness)
            return path[j - 1] * sign**j if not rest and j <= len(path) else 0.0

        return following

    inputs = {row: Series(tape.values[row], along(list(path))) for row, path in seeds.items()}
    beside, highest = Beside(), order * fineness
    if tape.arrays:
        from .arrays.series import array_sweep

        found = array_sweep(tape, inputs, highest, rows, False, beside)
    else:
        found = swept(tape, inputs, highest, depended_on(tape, rows), number_series, beside=beside)
    result = {}
    for row in rows:
        try:
            every = [found[row][k] for k in range(highest + 1)]
        except (LostDerivative, RecursionError) as error:
            raise located(error, tape, row) from None
        result[row] = [(_of_order(every, k, sign, fineness), beside.outside) for k in range(2, order + 1)]
    return result


def _of_order(every: Sequence[Any], k: int, sign: int, fineness: int) -> Any:
    """The coefficient of t^k, with t = ±s^q: infinite where there is a term before it whose exponent is not whole."""
    if isinstance(every[0], tuple):
        parts = [[c[i] if isinstance(c, tuple) else 0.0 for c in every] for i in range(len(every[0]))]
        return tuple(_of_order(part, k, sign, fineness) for part in parts)
    found = every[k * fineness] * sign**k
    for j in range(k * fineness - 1, 0, -1):
        if j % fineness:
            falling = math.prod(j / fineness - i for i in range(k)) * sign**k
            found = _infinite_where(every[j], math.copysign(math.inf, falling), found)
    return found


def _infinite_where(c: Any, infinite: float, found: Any) -> Any:
    if not getattr(c, "shape", ()):
        return found if c == 0 or getattr(found, "shape", ()) else infinite * c
    import numpy as np

    with np.errstate(all="ignore"):
        return np.where(c == 0, found, infinite * c)
