"""Taylor mode: a truncated power series for every row of a recorded run.

Along a path x(t) = x₀ + x₁t + x₂t² + … through the inputs each row z(t) is a power series. Its coefficients are found
one after another, each from those before it (Griewank & Walther 2008, chapter 13):

    z = f(a, b)    z′ = p·a′ + q·b′    k zₖ = Σⱼ₌₁…ₖ j (aⱼ pₖ₋ⱼ + bⱼ qₖ₋ⱼ)

with the local partials p, q of the derivative table. A partial is a little program of its own: it is recorded at the
operands and the result, and its rows are series too. A row that is met again is the same series, so that sin and cos,
each of which is in the partial of the other, end in one another; then the cost is quadratic in the order. A chain of
partials that never ends (polygamma, Bessel functions, hypergeometric functions) goes one order down with each link: it
costs the third power.

Sums, products and quotients of series are the arithmetic that all this is written in, and so have no partials here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import mul
from typing import Any

from ad_magic.rules import Rule, compile_expression
from ad_magic.rules.number import math, sign

from .active import LostDerivative, line_in_words
from .kinks import at_condition
from .operation import PLAIN_TYPES, Operation, active_names, times
from .power_series import RING, Arithmetic, Series, power
from .sides import Beside, singular_series, with_fixed_exponent
from .tape import Columns, Tape, depended_on, forward_sweep

HIGHEST = 100  # order
ULP = 2.0**-52


class Known(dict[Any, Series]):
    """The series that one row is found by, by what they are. `nudge` moves each value that was computed by a rounding
    error, up or down: what then differs in a coefficient is what rounding does to it. `beside` is the side of the point
    on which the series is, where it is one for a small s > 0."""

    __slots__ = ("beside", "count", "nudge")

    def __init__(self, nudge: bool = False, count: int = 0, beside: Beside | None = None) -> None:
        super().__init__()
        self.nudge, self.count, self.beside = nudge, count, beside

    def value(self, z: Any) -> Any:
        """A value as it is, or nudged."""
        if not self.nudge:
            return z
        self.count += 1
        if isinstance(z, tuple):
            return tuple(map(self.value, z))
        if getattr(z, "shape", ()):
            from .arrays.series import nudged

            return nudged(z, self.count)
        return z * (1.0 + (ULP if (self.count * 2654435761 >> 16) & 1 else -ULP)) if isinstance(z, float) else z


# ---- over a tape ---------------------------------------------------------------------------------


def series_sweep(
    tape: Columns, seeds: Mapping[int, Sequence[Any]], order: int, rows: Iterable[int], nudge: bool = False
) -> list[Any]:
    """The series of each row, up to an order, along a path through the inputs; None for a row that is not needed.

    `seeds` gives the coefficients x₁, x₂, … of inputs by row (x₀ is the value of the row), and `rows` are those that
    are asked for. `nudge` as for `Known`. At a singular point the coefficients from order 2 on are those of
    `both_sides`, the first is that of the rules. Raises NoSeries for an operation that has no series.
    """
    rows = list(rows)
    found = _as_it_is(tape, seeds, order, rows, nudge)
    if order < 2:
        return found
    from .both_sides import means, singular_rows

    if not any(True for _ in singular_rows(tape, rows)):
        return found
    slopes = forward_sweep(tape, {row: path[0] for row, path in seeds.items() if path})
    listed = [row for row, one in enumerate(found) if one is not None and not tape.ops[row].memory]
    for row, higher in means(tape, seeds, order, listed).items():
        found[row] = made = Series(found[row][0], _ended)
        made.coefficients += [slopes[row], *higher]
    return found


def _as_it_is(tape: Columns, seeds: Mapping[int, Sequence[Any]], order: int, rows: list[int], nudge: bool) -> list[Any]:
    inputs = {row: Series(tape.values[row], _given(list(path))) for row, path in seeds.items()}
    if tape.arrays:
        from .arrays.series import array_sweep

        return array_sweep(tape, inputs, order, rows, nudge)
    return swept(tape, inputs, order, depended_on(tape, rows), number_series, nudge)


def _given(path: list[Any]) -> Callable[[int], Any]:
    return lambda k: path[k - 1] if k <= len(path) else 0.0


def swept(tape: Columns, inputs: Mapping[int, Series], order: int, used: Sequence[int], series: Callable[..., Any],
          nudge: bool = False, beside: Beside | None = None) -> list[Any]:  # fmt: skip
    """The series of the rows that are used, each to the end before the next: what was made for it is given back.
    Beside a point more coefficients of a row may be asked for later."""
    found: list[Any] = [None] * len(tape)
    lost: set[int] = set()  # numbers that overflowed, and what is made of them: zero times infinity is not zero there
    for row, (op, left, right, z) in enumerate(zip(tape.ops, tape.left, tape.right, tape.values, strict=True)):
        if not used[row]:
            continue
        if op.rule is None:
            found[row] = inputs.get(row) or Series(z)
            continue
        if not op.array and (not _is_finite(z) or not lost.isdisjoint(op.parents(left, right))):
            lost.add(row)
            found[row] = Series(z, lambda k: math.nan)
            continue
        try:
            one = found[row] = series(op, left, right, z, found, Known(nudge, row, beside), tape.values, row)
            one[order]
        except (LostDerivative, RecursionError) as error:
            raise located(error, tape, row) from None
        if one.following is not None and beside is None:
            one.following = _ended
    return found


def _is_finite(z: Any) -> bool:
    return type(z) is not float or math.isfinite(z)


def _ended(k: int) -> Any:
    raise IndexError(f"the sweep ended before order {k}")


class NoSeries(LostDerivative):
    """An operation that has no power series, and in which row of the tape it stands."""

    def __init__(self, message: str, row: int, where: str | None) -> None:
        super().__init__(message)
        self.row, self.where = row, where  # its row, and where that stands: "mymodule.py, line 3"


def located(error: Exception, tape: Columns, row: int) -> NoSeries:
    """The error of a row, with the row."""
    said = str(error)
    if isinstance(error, RecursionError):
        said = f"the partials of {tape.ops[row].name} form too long a chain for this order; take a lower one"
    return NoSeries(said, row, _where(tape, row))


def _where(tape: Columns, row: int) -> str | None:
    code = tape.codes[row] if row < len(tape.codes) else None
    if code is None:
        return None
    at = tape.instructions[row]
    lines = (line for start, end, line in code.co_lines() if line is not None and start <= at < end)
    return line_in_words(code.co_filename, next(lines, code.co_firstlineno))


def series_of(columns: Columns, inputs: Mapping[int, Series], known: Known, series: Callable[..., Any]) -> list[Any]:
    """The series of the rows of a little program, found when they are asked for."""
    found: list[Any] = []
    rows = zip(columns.ops, columns.left, columns.right, columns.values, strict=True)
    for row, (op, left, right, z) in enumerate(rows):
        if op.rule is None:
            found.append(inputs.get(row) or Series(z))
        else:
            found.append(series(op, left, right, z, found, known, columns.values, row))
    return found


# ---- rows of the derivative table ----------------------------------------------------------------


def number_series(op: Operation, left: Any, right: Any, z: Any, found: Any, known: Known, *_: Any) -> Series:
    """The series of a row of numbers; the same one where the row is known."""
    operands = [found[i] if on else i for i, on in op._marked(left, right)]
    key = (op.name, *(_key(x) for x in operands))
    if key not in known:
        made = known[key] = _number_series(op, left, right, known.value(z), operands, known)
        if op.name == "neg" and type(operands[0]) is Series:  # -(-a) is a
            known["neg", _key(made)] = operands[0]
    return known[key]


def _number_series(op: Operation, left: Any, right: Any, z: Any, operands: list[Any], known: Known) -> Series:
    if known.beside is None:
        return table_series(op, left, right, z, operands, known, NUMBERS)
    if all(type(x) is not Series or x.constant for x in operands):
        return Series(z)
    operands = with_fixed_exponent(op, operands)
    return singular_series(op, operands, z, known) or table_series(op, left, right, z, operands, known, STRICT)


def _key(x: Any) -> Any:
    return (type(x), x) if type(x) in PLAIN_TYPES else ("object", id(x))


def _convolved(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Σ xⱼ yₙ₋ⱼ; an exact zero is absent, also beside an infinite number."""
    total = sum(map(mul, xs, reversed(ys)), 0.0)
    if total != total:
        total = sum(map(times, xs, reversed(ys)), 0.0)
    return total


def _strictly(xs: Sequence[float], ys: Sequence[float]) -> float:
    return sum(map(mul, xs, reversed(ys)), 0.0)


def _over(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return math.copysign(math.inf, a) * math.copysign(1.0, b) if a and a == a else math.nan


def _recorded(op: Operation, left: Any, right: Any, z: Series, found: Any, known: Known) -> list[Any]:
    """The local partials of a row: series, and numbers for those that are constant."""
    from .traced import Traced

    inner = Tape()
    values: Any = {i: Traced.input(inner, found[i][0]) for i in op.parents(left, right)}  # by index
    result = Traced.input(inner, z[0])
    written = written_out(op, left, right, values, result, active_names(), bool)
    partials = written or op.partials(left, right, values, result)
    columns = inner.close()
    inputs = {x.index: found[i] for i, x in values.items()} | {result.index: z}
    series = series_of(columns, inputs, known, number_series)
    return [series[p.index] if type(p) is Traced and p.tape is inner else p for p in partials]


def written_out(
    op: Operation, left: Any, right: Any, values: Any, z: Any, names: Mapping[str, Any], nonzero: Callable[[Any], Any]
) -> Any:
    """The partials as they are written in the result, where the rule has them so, and its first argument is not zero;
    else None."""
    rule = op.rule
    if rule is None or not rule.closing:
        return None
    arguments = op.arguments(left, right, values)
    if not nonzero(getattr(arguments[0], "value", arguments[0])):
        return None
    live = [text for text, on in zip(rule.closing, op.active, strict=True) if on]
    return tuple(compile_expression(text, (*rule.arguments, "z"), names)(*arguments, z) for text in live)


NUMBERS = Arithmetic(_convolved, times, _over, sign, bool, _recorded)
STRICT = Arithmetic(_strictly, times, _over, sign, bool, _recorded)  # nothing hides a NaN


def table_series(
    op: Operation, left: Any, right: Any, z: Any, operands: list[Any], known: Known, by: Arithmetic
) -> Series:
    """The series of a row of the derivative table."""
    assert op.rule is not None
    if all(type(x) is not Series or x.constant for x in operands):
        return Series(z)
    make = RING.get(op.name)
    if make is not None:
        return Series(z, make(by, *operands))
    if op.name in ("pow", "fpow") and (made := power(operands, z, by)) is not None:
        return made
    return by_partials(op, left, right, z, operands, known, by)


def by_partials(
    op: Operation, left: Any, right: Any, z: Any, operands: list[Any], known: Known, by: Arithmetic
) -> Series:
    """k zₖ = Σ j aⱼ pₖ₋ⱼ over all operands."""
    made = Series(z)
    terms: list[tuple[Any, Series]] = []
    limit = seam_of(op.rule, [x[0] if type(x) is Series else x for x in operands], z)
    lookup = {i: x for (i, on), x in zip(op._marked(left, right), operands, strict=True) if on}

    def following(k: int) -> Any:
        if not terms:
            partials = by.recorded(op, left, right, made, lookup, known)
            terms.extend(zip(partials, (x for x in operands if type(x) is Series), strict=True))
        if limit is not None and k > limit:
            return math.nan
        total: Any = 0.0
        for partial, a in terms:
            if a.constant:
                continue
            if type(partial) is Series and not partial.constant:
                total = total + by.convolved(a.slopes(k), partial.until(k)) / k
            else:
                total = total + by.times(partial[0] if type(partial) is Series else partial, a[k])
        return total

    made.following = following
    return made


def seam_of(rule: Rule | None, arguments: Any, z: Any) -> int | None:
    """Up to which order the series is right, where the partial is put together of two pieces and this is their seam."""
    if rule is None or rule.seam is None:
        return None
    condition, limit = rule.seam
    return limit if at_condition(rule, condition, arguments, z) else None
