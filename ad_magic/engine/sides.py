"""Power series beside a singular point: of abs, sqrt, max and their like where an argument begins with zeros.

On the side of a small s > 0 such a function is an ordinary one again: |a| is a or -a, by the first coefficient that is
not zero, and a series that begins with s^m has a root that begins with s^(m/2). So sqrt(x**4) is x**2, and abs(x)**2 is
x**2 on both sides. Exponents that are not whole are made so by going along x = x0 + v s^q: `OffGrid` says which q.

A coefficient that cannot be had is NaN, and nothing hides it: zero times NaN is NaN, unless the zero is a constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from ad_magic.rules import Rule, compile_expression

from .kinks import at_kink, bends_at
from .operation import Operation, active_names, partial_of
from .power_series import Series

FINEST = 12  # the greatest q
FAR = 32  # so many coefficients that are zero are all


class OffGrid(Exception):
    """A series has an exponent with this denominator."""

    def __init__(self, denominator: int) -> None:
        super().__init__(denominator)
        self.denominator = denominator


class Beside:
    """One side of a point. `outside`: whether the program left its domain there, as sqrt(x) does on the left of 0."""

    def __init__(self) -> None:
        self.outside = False


def coefficient(x: Any, k: int) -> float:
    """Coefficient k of a series, or of a constant."""
    if type(x) is Series:
        return x[k]
    return 0.0 if k else x


def leading(a: Any, highest: int) -> int | None:
    """The order of the first coefficient that is not zero, up to the highest that is asked for."""
    return next((k for k in range(highest + 1) if coefficient(a, k) != 0), None)


# ---- each function, beside the point where it is singular ---------------------------------------------


def _absolute(a: Any, sign: float = 1.0) -> Callable[[int], Any]:
    def following(k: int) -> Any:
        m = leading(a, k)
        return 0.0 if m is None else sign * math.copysign(1.0, coefficient(a, m)) * coefficient(a, k)

    return following


def _powered(a: Any, b: float, beside: Beside, odd: bool = False) -> Callable[[int], Any]:
    """a**b for b > 0 where a begins with zeros: (s^m u)^b = s^(mb) u^b, with u^b by its recursion (Knuth, 4.7)."""
    exact = Fraction(b).limit_denominator(FINEST)
    known = abs(float(exact) - b) <= 1e-15 * b
    found: list[Any] = []  # m, where the series begins, its coefficients from there

    def following(k: int) -> Any:
        if not found:
            m = leading(a, math.floor(k / b + 1e-9))
            if m is None:
                return 0.0
            if not known:
                return math.nan
            if (m * exact).denominator != 1:
                raise OffGrid((m * exact).denominator)
            first = coefficient(a, m)
            if first < 0 and not odd:
                beside.outside = True
                first = math.nan
            root = math.sqrt(first) if b == 0.5 and first >= 0 else abs(first) ** b
            found.extend(
                (m, int(m * exact), [first if first != first else math.copysign(root, first) if odd else root])
            )
        m, start, w = found
        while len(w) <= k - start:
            n = len(w)
            terms = ((b * j - (n - j)) * coefficient(a, m + j) * w[n - j] for j in range(1, n + 1))
            w.append(sum(terms) / (n * coefficient(a, m)))
        return 0.0 if k < start else w[k - start]

    return following


def _power(a: Any, b: Any, beside: Beside) -> Callable[[int], Any] | None:
    if type(b) is not Series or b.constant:
        exponent = coefficient(b, 0)
        return _powered(a, float(exponent), beside) if exponent > 0 else None

    def following(k: int) -> Any:  # s^b(s) has a logarithm in it
        m = leading(a, k)
        return 0.0 if m is None or k < m * b[0] else math.nan

    return following


def chosen(xs: Sequence[Any], greatest: bool) -> Callable[[int], Any]:
    """The greatest or smallest of series that begin with the same number."""
    left, done = list(xs), 0

    def following(k: int) -> Any:
        nonlocal left, done
        for j in range(done + 1, k + 1):
            if len(left) > 1:
                values = [coefficient(x, j) for x in left]
                best = math.nan if any(v != v for v in values) else (max if greatest else min)(values)
                left = [x for x, v in zip(left, values, strict=True) if v == best] or [math.nan]
        done = max(done, k)
        return math.nan if left == [math.nan] else coefficient(left[0], k)

    return following


def length(xs: Sequence[Any], beside: Beside) -> Callable[[int], Any]:
    """The length of a vector that begins at the origin."""

    def squares(k: int) -> Any:
        return sum(coefficient(x, j) * coefficient(x, k - j) for x in xs for j in range(k + 1))

    return _powered(Series(0.0, squares), 0.5, beside)


# The same function in others, whose singular points are known here.
_REWRITTEN = {
    "asin": "atan2(a, sqrt((1 - a) * (1 + a)))",
    "acos": "atan2(sqrt((1 - a) * (1 + a)), a)",
    "acosh": "asinh(sqrt((a - 1) * (a + 1)))",
    "i0e": "exp(-abs(a)) * i0(a)",
}


def _following(name: str, xs: Sequence[Any], z: Any, beside: Beside) -> Callable[[int], Any] | None:
    if name in ("abs", "fabs"):
        return _absolute(xs[0])
    if name in ("sqrt", "cbrt"):
        return _powered(xs[0], 1 / 2 if name == "sqrt" else 1 / 3, beside, odd=name == "cbrt")
    if name in ("pow", "fpow"):
        return _power(xs[0], xs[1], beside)
    if name in ("max", "min", "maximum", "minimum", "fmax", "fmin"):
        return chosen([x for x in xs if coefficient(x, 0) == z], "max" in name)
    if name in ("hypot", "norm"):
        return length(xs, beside)
    if name == "copysign" and coefficient(xs[1], 0):
        return _absolute(xs[0], math.copysign(1.0, coefficient(xs[1], 0)))
    return None


def singular_series(op: Operation, operands: Sequence[Any], z: Any, known: Any) -> Series | None:
    """The series of a row of numbers that stands at a singular point; None where it does not."""
    rule: Any = op.rule
    values = [coefficient(x, 0) for x in operands]
    if not is_singular(rule, values, z, [type(x) is Series and not x.constant for x in operands]):
        return None
    following = _following(op.name, operands, z, known.beside)
    if following is None and op.name in _REWRITTEN:
        return _rewritten(rule, operands, z, known)
    return Series(z, following or _unknown(operands))


def with_fixed_exponent(op: Operation, operands: list[Any]) -> list[Any]:
    """An exponent that does not move along the path, as an entry of an array that moves elsewhere, is a constant."""
    if op.name not in ("pow", "fpow") or type(operands[1]) is not Series or operands[1].constant:
        return operands
    a, b = operands
    return operands if any(b[k] != 0 for k in range(1, FAR)) else [a, Series(b[0])]


def _unknown(operands: Sequence[Any]) -> Callable[[int], Any]:
    """NaN as soon as an operand moves."""
    return lambda k: math.nan if any(coefficient(x, j) != 0 for x in operands for j in range(1, k + 1)) else 0.0


def _rewritten(rule: Rule, operands: Sequence[Any], z: Any, known: Any) -> Series:
    from .series import number_series, series_of
    from .tape import Tape
    from .traced import Traced

    inner = Tape()
    a = Traced.input(inner, operands[0][0])
    written = compile_expression(_REWRITTEN[rule.name], ("a",), active_names())(a)
    found = series_of(inner.close(), {a.index: operands[0]}, known, number_series)[written.index]
    return Series(z, found.__getitem__)


# ---- where that is ------------------------------------------------------------------------------------


def is_singular(rule: Rule, arguments: Sequence[Any], z: Any, active: Sequence[bool]) -> bool:
    """Whether a primitive of numbers has no second derivative here: at a kink that is no jump, where its slope bends,
    and where a slope is infinite."""
    if rule.kink is not None and not rule.kink.jumps and at_kink(rule, arguments, z):
        return True
    return bends_at(rule, arguments, z) or not all(map(math.isfinite, slopes_of(rule, arguments, z, active)))


def slopes_of(rule: Rule, arguments: Sequence[Any], z: Any, active: Sequence[bool]) -> list[float]:
    """The local partials of a primitive of numbers; of one with any number of operands they are finite."""
    if rule.variadic:
        return []
    return [float(partial_of(rule, k, arguments, z)) for k, on in enumerate(active) if on]
