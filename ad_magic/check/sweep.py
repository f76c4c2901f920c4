"""The error of a difference quotient over many steps: the curve with the shape of a V.

A large step cuts the Taylor series off too early: the error falls with h (forward differences) or with h² (central
ones). A small step subtracts two numbers that are nearly equal: their rounding, divided by h, grows as h falls. On
logarithmic axes these are two straight branches, and the best step is where they meet (Dennis & Schnabel 1983,
section 5.4). The complex step subtracts nothing and has no such branch. A quotient does not come down to a derivative
that is wrong: there is no V then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .verdict import relative_error
from .watch import TooLong

CENTRAL, FORWARD_DIFFERENCES, COMPLEX_STEP = "central differences", "forward differences", "complex step"
EPSILON = 2.0**-52
DECADES = 17  # below the size of x: there x + h is x
MOST = 30  # decades, where x is small beside 1
SMALL = 1e-4  # an error that quotients come down to where the derivative is right
ZERO = 1e-8  # of the size that a derivative has here: below that it is zero but for rounding
TRUNCATION, ROUNDING, LOST = "truncation", "rounding", "lost"

Values = Callable[[float], Sequence[float]]  # of one input: what the output is there


@dataclass(frozen=True, slots=True)
class Curve:
    """The relative errors of one kind of quotient, one for each step; None where the program gives no number.

    `branches` says of each step why it is wrong: "truncation" (the step is too large), "rounding" (too small), "lost"
    (the quotient is zero or has no digit left), or "" (the best one, or none of these). A slope is that of log error
    over log step, None where a branch is too short to have one.
    """

    kind: str  # "central differences", "forward differences", "complex step"
    errors: tuple[float | None, ...]
    branches: tuple[str, ...]
    comes_down: bool = False  # whether the error becomes small, and not at a single step by luck
    truncation_slope: float | None = None
    rounding_slope: float | None = None
    best_step: float | None = None
    best_error: float | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """How well quotients of many steps agree with the derivative along one input, at the point x."""

    seed: str
    x: float
    derivative: tuple[float, ...]  # ad_magic's, one number for each component of the output
    steps: tuple[float, ...]  # the largest first
    curves: tuple[Curve, ...]  # central differences first
    kink: bool = False  # the program has a kink at x

    @property
    def central(self) -> Curve:
        """The curve of central differences."""
        return self.curves[0]

    def curve(self, kind: str) -> Curve | None:
        """The curve of "central differences", "forward differences" or the "complex step", if there is one."""
        return next((curve for curve in self.curves if curve.kind == kind), None)

    @property
    def comes_down(self) -> bool:
        """Whether the error becomes small at some step: with a wrong derivative it does not."""
        return self.central.comes_down

    @property
    def words(self) -> str:
        """What the curve of central differences shows, in one sentence."""
        curve = self.central
        if curve.best_error is None or curve.best_step is None:
            return "the program gives no number on both sides"
        if self.kink:
            return "at a kink a central quotient is the mean of both slopes, a forward one the right slope"
        if not self.comes_down:
            known = sorted(error for error in curve.errors if error is not None)
            return f"no V: the quotients stay {known[len(known) // 2]:.2g} away (relative) from this derivative"
        slopes = [
            f"{name} (slope {_slope(slope)})"
            for name, slope in ((TRUNCATION, curve.truncation_slope), (ROUNDING, curve.rounding_slope))
            if slope is not None
        ]
        between = f", between {' and '.join(slopes)}" if len(slopes) == 2 else f"; {slopes[0]}" if slopes else ""
        error = "exact" if curve.best_error == 0 else f"error {_power(curve.best_error)}"
        return f"best step {_power(curve.best_step)}, {error}{between}".replace("-", "−")


def sweep(
    seed: str,
    x: float,
    derivative: Sequence[float],
    f: Values,
    by_complex_step: Callable[[float], Sequence[float]] | None = None,
    kink: bool = False,
) -> Sweep:
    """Quotients of f at x over all steps; `by_complex_step(h)` gives the slopes by a complex step of size h.

    The error of several components is that of the worst one, relative to the largest derivative; of a derivative that
    is zero it is relative to what a derivative would be here, the value over x.
    """
    hs = steps(x)
    middle = _tried(f, x)
    right, left = _side(f, x, hs, 1), _side(f, x, hs, -1)
    natural = max(map(abs, middle or (0.0,)), default=0.0) / max(abs(x), 1.0)
    size = natural if max(map(abs, derivative), default=0.0) <= ZERO * natural else 0.0
    central = [_quotient(p, q, 2 * h) for p, q, h in zip(right, left, hs, strict=True)]
    forward = [_quotient(p, middle, h) for p, h in zip(right, hs, strict=True)]
    found = [_curve(kind, x, hs, slopes, derivative, size)
             for kind, slopes in ((CENTRAL, central), (FORWARD_DIFFERENCES, forward))]  # fmt: skip
    if by_complex_step is not None:
        found.append(_curve(COMPLEX_STEP, x, hs, [_tried(by_complex_step, h) for h in hs], derivative, size))
    return Sweep(seed, x, tuple(derivative), tuple(hs), tuple(found), kink)


def steps(x: float) -> list[float]:
    """Two steps in each decade, down to where x + h is x. The largest is a tenth of the size of x: a greater one often
    leaves the domain; where x is very small, a tenth.

    >>> steps(1.0)[0], steps(1.0)[2], len(steps(1.0))
    (0.1, 0.01, 33)
    """
    size = max(round(math.log10(abs(x))), -290) if x and math.isfinite(x) else 0
    top = size - 1 if size > -4 else -1
    count = min(top - size + DECADES, MOST)
    halves = (math.sqrt(10), 1.0)
    return [float(f"1e{top - k // 2}") if k % 2 == 0 else float(f"1e{top - k // 2 - 1}") * halves[0]
            for k in range(2 * count + 1)]  # fmt: skip


def _side(f: Values, x: float, hs: Sequence[float], sign: int) -> list[Sequence[float] | None]:
    """The values on one side, the smallest step first: where one does not come to an end no larger one is tried."""
    found: list[Sequence[float] | None] = []
    for h in reversed(hs):
        try:
            found.append(_finite(f(x + sign * h)))
        except TooLong:
            break
        except Exception:  # whatever else the user's program raises
            found.append(None)
    found += [None] * (len(hs) - len(found))
    return found[::-1]


def _tried(f: Values, at: float) -> Sequence[float] | None:
    try:
        return _finite(f(at))
    except Exception:
        return None


def _finite(values: Sequence[float]) -> Sequence[float] | None:
    return values if all(map(math.isfinite, values)) else None


def _quotient(p: Sequence[float] | None, q: Sequence[float] | None, h: float) -> list[float] | None:
    if p is None or q is None or len(p) != len(q):
        return None
    return [(a - b) / h for a, b in zip(p, q, strict=True)]


def _error(slopes: Sequence[float] | None, derivative: Sequence[float], least: float) -> float | None:
    """The error of slopes, relative to the largest number there is, at least to `least`."""
    if slopes is None or len(slopes) != len(derivative) or not all(map(math.isfinite, [*slopes, *derivative])):
        return None
    if len(derivative) == 1 and not least:
        return relative_error(slopes[0], derivative[0])
    size = max([least, *map(abs, slopes), *map(abs, derivative)])
    return max((abs(a - b) for a, b in zip(slopes, derivative, strict=True)), default=0.0) / size if size else 0.0


# ---- the branches --------------------------------------------------------------------------------


def _curve(
    kind: str,
    x: float,
    hs: Sequence[float],
    slopes: Sequence[Sequence[float] | None],
    got: Sequence[float],
    least: float,
) -> Curve:
    seen = 100 * EPSILON * max(abs(x), 1.0) if least else 0.0  # at smaller steps a difference of zero says nothing
    errors = tuple(_error(line, got, least) if h >= seen else None for h, line in zip(hs, slopes, strict=True))
    if all(error is None for error in errors):
        return Curve(kind, errors, ("",) * len(hs))
    best, level = _best(errors)
    if level >= SMALL:
        return Curve(kind, errors, ("",) * len(hs), best_step=hs[best], best_error=errors[best])
    branches = _branches(hs, errors) if kind != COMPLEX_STEP else _of_complex(errors)
    branches[best] = ""
    truncation = _slope_of(hs, errors, branches, TRUNCATION)
    rounding = _slope_of(hs, errors, branches, ROUNDING)
    return Curve(kind, errors, tuple(branches), True, truncation, rounding, hs[best], errors[best])


def _best(errors: Sequence[float | None]) -> tuple[int, float]:
    """The place of the smallest error where its neighbours are small too, at a small step a quotient may be right by
    luck; and the middle one of these three errors."""

    def around(k: int) -> list[tuple[float, int]]:
        return [(e, j) for j in (k - 1, k, k + 1) if 0 <= j < len(errors) and (e := errors[j]) is not None]

    places = [k for k, error in enumerate(errors) if error is not None]
    level, middle = min((sorted(around(k))[len(around(k)) // 2][0], k) for k in places)
    return min(around(middle))[1], level


def _branches(hs: Sequence[float], errors: Sequence[float | None]) -> list[str]:
    """Of each step why its quotient is wrong: compared with the level that rounding has at that step.

    The level is R / h. R is seen at the small steps, where there is nothing else: the median of error · h there.
    """
    lost = [error is not None and error >= 0.5 for error in errors]
    level = _rounding_level(hs, errors)
    found = []
    for h, error, is_lost in zip(hs, errors, lost, strict=True):
        if error is None or (not error and not level):
            found.append("")
        elif error <= 10 * level / h:
            found.append(LOST if is_lost else ROUNDING)
        else:
            found.append(TRUNCATION)
    return found


def _rounding_level(hs: Sequence[float], errors: Sequence[float | None]) -> float:
    """R, where rounding makes an error of about R / h; 0.0 where no branch of rounding is seen."""
    products = [e * h for h, e in zip(hs, errors, strict=True) if e is not None and e < 0.5]
    if len(products) < 3:
        return 0.0
    # with truncation error · h grows with h, with rounding it stays: the lower half of the steps has rounding only
    small = products[len(products) // 2 :]
    return sorted(small)[len(small) // 2]


def _of_complex(errors: Sequence[float | None]) -> list[str]:
    return [TRUNCATION if error is not None and error > 1e-13 else "" for error in errors]


def _slope_of(hs: Sequence[float], errors: Sequence[float | None], branches: Sequence[str], which: str) -> float | None:
    """The slope of a straight line through a branch, by least squares; of truncation the part where it is straight."""
    points = [
        (math.log10(h), math.log10(error))
        for h, error, branch in zip(hs, errors, branches, strict=True)
        if branch == which and error and (which == ROUNDING or error < 0.1)
    ]
    if which == TRUNCATION:
        points = points[-6:]  # the smallest steps of it: there the first term alone counts
    if len(points) < 3:
        return None
    mean_x, mean_y = (sum(column) / len(points) for column in zip(*points, strict=True))
    across = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / across


def _slope(slope: float) -> str:
    return f"{slope:.1f}".removesuffix(".0")


def _power(h: float) -> str:
    return f"{h:.1g}".replace("e-0", "e-").replace("e+0", "e")
