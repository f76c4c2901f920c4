"""Slopes by differences: the program is run at x + h and x - h, for several h.

Central differences only, and one-sided ones where the program has a kink or an edge. The step is not chosen
beforehand: three quotients (h, h/2, h/4) are extrapolated to h = 0, which also estimates the error (Richardson, 1911;
Ridders, 1982, "Accurate computation of F'(x) and F'(x)F''(x)"). Where that is not good enough, other h are
tried over many decades, and the slope on which two of them agree best is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from .verdict import AGREES, DIFFERS, KINK, SAFETY, TOO_SMALL, Comparison, compare, is_kink, not_applicable
from .watch import TooLong

EPSILON = 2.0**-52
FLOOR = 1e-6  # relative error that is always allowed
DECADES = (3, 4, 2, 5, 6, 7, 8, 9, 10, 11, 12, 1)  # of the step below the size of x, the most promising first
ODD = 1.37  # no step is a round number: a periodic program could return to the same value

Function = Callable[[float], Sequence[float]]  # of one input, the others fixed; all components of the output
Samples = list[tuple[float, Sequence[float]]]  # (x + h - x, values there), h signed, the largest first


@dataclass(frozen=True, slots=True)
class Slope:
    """A measured slope and the estimate of its error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What the program gives around a point, or why it gives nothing there."""

    right: Samples | Exception
    left: Samples | Exception

    def side(self, sign: int) -> Samples | Exception:
        """The samples on the right (1) or on the left (-1)."""
        return self.right if sign > 0 else self.left


def steps(x: float) -> Iterator[float]:
    """Steps to try at x, the most promising first: relative to x, then, for a small x, up to the size of 1."""
    scale = abs(x) or 1.0
    yield from (ODD * scale * 10.0**-k for k in DECADES)
    yield from (ODD * 10.0**-k for k in range(1, 16) if 10.0**-k > 0.3 * scale)


def probe(f: Function, x: float, step: float) -> Trial:
    """Run the program at x ± step, x ± step / 2, x ± step / 4."""

    def side(sign: int) -> Samples | Exception:
        if not 0 < abs((x + sign * step / 4) - x) < math.inf:  # at infinity, and where floats end
            return ValueError(f"there is no float beside {x:g}")
        try:
            return [(moved - x, f(moved)) for moved in (x + sign * step / part for part in (1, 2, 4))]
        except Exception as error:  # whatever the user's program raises
            return error

    return Trial(side(1), side(-1))


def measure(f: Function, x: float, middle: Sequence[float], got: Sequence[float]) -> list[Trial]:
    """Trials at x, until one agrees with the derivatives `got` of all components; `middle` are their values at x."""
    trials = []
    for step in steps(x):
        trials.append(probe(f, x, step))
        if all(_agrees(trials[-1], k, x, middle[k], g) for k, g in enumerate(got)):
            break
    return trials


def judge(
    trials: Sequence[Trial], k: int, x: float, middle: float, got: float, *, name: str = "x", kink: str = ""
) -> Comparison:
    """Compare the derivative `got` of component k with what the trials say.

    `middle` is the value of the component at x, `name` the name of the input; `kink` is what is known of a kink
    on the way: then the slopes are reported, whatever they are.
    """
    if not math.isfinite(middle):
        return not_applicable(f"the value is {middle} here")
    trials = next(([trial] for trial in trials if _agrees(trial, k, x, middle, got)), trials)
    central, left, right = _central(trials, k), _one_sided(trials, k, middle, -1), _one_sided(trials, k, middle, 1)
    side = right or left
    if side is None:
        return not_applicable(f"{_trouble(trials, k, 1)} at {name} ± h")
    if central is None:
        return _at_edge(trials, k, x, middle, got, name, side, 1 if right else -1)
    assert left is not None
    assert right is not None
    infinite = {s: _limit(trials, k, middle, s) for s, slope in ((-1, left), (1, right)) if _is_vague(slope)}
    slopes = (infinite.get(-1) or left.value, infinite.get(1) or right.value)
    if any(infinite.values()):
        return _vertical(slopes, left.error + right.error, got, kink)
    if is_kink(*slopes, left.error + right.error) and not _smooth(central, left, right, got):
        slack = SAFETY * (left.error + right.error) + 1e-4 * abs(slopes[1] - slopes[0])
        between = min(slopes) - slack <= got <= max(slopes) + slack
        if between or kink:
            return _kink(slopes, "" if between else f"the derivative is neither, nor between them; {kink}")
        return Comparison(DIFFERS, central.value, math.inf, f"at a kink, with slopes {_slopes(slopes)}")
    found = compare(got, central.value, floor=FLOOR, error=central.error, natural=_natural(trials, k, x, middle))
    if found.word == DIFFERS and kink:
        return _kink(slopes, f"the derivative is neither: {kink}")
    return found


# ---- slopes from samples -------------------------------------------------------------------------


def extrapolate(quotients: Sequence[float], factor: float) -> Slope:
    """The limit of three quotients at h, h/2, h/4; `factor` is 4 where the error begins with h², 2 where with h.

    >>> extrapolate([1 + h * h for h in (0.4, 0.2, 0.1)], 4).value
    1.0
    """
    a, b, c = quotients
    first, second = b + (b - a) / (factor - 1), c + (c - b) / (factor - 1)
    best = second + (second - first) / (factor * factor - 1)
    return Slope(best, abs(best - second))


def agreed(slopes: Sequence[Slope]) -> Slope | None:
    """The slope on which two measurements agree best, relative to its size; how far they are apart is error too."""
    if len(slopes) < 2:
        return slopes[0] if slopes else None
    pairs = []
    for s, t in combinations(slopes, 2):
        value = min(s, t, key=lambda slope: slope.error).value
        pairs.append(Slope(value, max(s.error, t.error, abs(s.value - t.value))))
    best = min(pairs, key=lambda slope: slope.error / abs(slope.value) if slope.value else math.inf)
    return min(pairs, key=lambda slope: slope.error) if _is_vague(best) else best


def _central(trials: Sequence[Trial], k: int) -> Slope | None:
    found = []
    for trial in trials:
        right, left = _component(trial.right, k), _component(trial.left, k)
        if right and left:
            quotients = [(p - q) / (h - g) for (h, p), (g, q) in zip(right, left, strict=True)]
            found.append(_rounded(extrapolate(quotients, 4), [*right, *left]))
    return agreed(found)


def _one_sided(trials: Sequence[Trial], k: int, middle: float, sign: int) -> Slope | None:
    found = []
    for trial in trials:
        samples = _component(trial.side(sign), k)
        if samples:
            quotients = [(value - middle) / h for h, value in samples]
            found.append(_rounded(extrapolate(quotients, 2), [*samples, (samples[-1][0], middle)]))
    return agreed(found)


def _rounded(slope: Slope, samples: Sequence[tuple[float, float]]) -> Slope:
    """With the rounding error of the values added: the extrapolation takes the smallest step about four times."""
    rounding = 4 * EPSILON * max(abs(value) for _, value in samples) / abs(samples[-1][0])
    return Slope(slope.value, slope.error + rounding)


def _component(samples: Samples | Exception, k: int) -> list[tuple[float, float]] | None:
    """The samples of one component; None where there are none, or one is not finite."""
    if isinstance(samples, Exception):
        return None
    found = [(h, values[k]) for h, values in samples]
    return found if all(math.isfinite(value) for _, value in found) else None


def _agrees(trial: Trial, k: int, x: float, middle: float, got: float) -> bool:
    """Whether a trial alone shows beyond doubt that the derivative is right and that there is no kink."""
    central, left, right = _central([trial], k), _one_sided([trial], k, middle, -1), _one_sided([trial], k, middle, 1)
    if central is None or left is None or right is None or is_kink(left.value, right.value, left.error + right.error):
        return False
    natural = _natural([trial], k, x, middle)
    zero = max(abs(got), abs(central.value)) <= 1e-8 * natural
    if central.error > (1e-9 * natural if zero else 1e-6 * abs(central.value)):
        return False
    outcome = compare(got, central.value, floor=FLOOR, error=central.error, natural=natural)
    return outcome.word == AGREES or outcome.verdict.startswith(TOO_SMALL)


def _natural(trials: Sequence[Trial], k: int, x: float, middle: float) -> float:
    """The size that a derivative has here: that of the value over that of the input."""
    near = [_component(trials[0].side(sign), k) or [] for sign in (-1, 1)]
    return max([abs(middle), *(abs(value) for samples in near for _, value in samples)]) / max(abs(x), 1.0)


def _smooth(central: Slope, left: Slope, right: Slope, got: float) -> bool:
    """Whether the derivative and the one-sided slopes, although they seem to differ, are the same to a good part.

    Only the central quotient is accurate; one-sided ones of a steep but smooth program may miss by more than they say.
    """
    return abs(right.value - left.value) < 1e-2 * abs(central.value) and abs(got - central.value) <= 1e-4 * abs(got)


# ---- edges, jumps, vertical slopes ---------------------------------------------------------------


def _is_vague(slope: Slope) -> bool:
    return not slope.error < 1e-2 * abs(slope.value)


def _limit(trials: Sequence[Trial], k: int, middle: float, sign: int) -> float | None:
    """±inf where the quotients on one side grow without bound as h shrinks, as at a jump or at sqrt(0); else None."""
    quotients = []
    for trial in trials:
        samples = _component(trial.side(sign), k)
        h, value = samples[-1] if samples else (0.0, middle)
        if abs(value - middle) > 1e3 * EPSILON * max(abs(value), abs(middle)):  # not rounding
            quotients.append((abs(h), (value - middle) / h))
    ordered = [quotient for _, quotient in sorted(quotients, reverse=True)]
    grows = len(ordered) >= 5 and all(b / a > 1.05 for a, b in pairwise(ordered[1:]))
    if not grows or ordered[-1] / ordered[1] < 4 or ordered[-1] / ordered[-2] < 1.2:
        return None
    return math.copysign(math.inf, ordered[-1])


def _at_edge(
    trials: Sequence[Trial], k: int, x: float, middle: float, got: float, name: str, slope: Slope, sign: int
) -> Comparison:
    """At the edge of the domain of the program: the slope of the one side that exists."""
    where = f"{name} − h" if sign > 0 else f"{name} + h"
    note = f"one-sided: {_trouble(trials, k, -sign)} at {where}"
    limit = _limit(trials, k, middle, sign) if _is_vague(slope) else None
    if limit is not None:
        verdict = AGREES if got == limit else DIFFERS
        return Comparison(verdict, limit, 0.0 if got == limit else math.inf, f"{note}; the slope grows without bound")
    natural = _natural(trials, k, x, middle)
    return compare(got, slope.value, floor=1e-5, error=slope.error, natural=natural, note=note)


def _vertical(slopes: tuple[float, float], error: float, got: float, kink: str) -> Comparison:
    """One of the slopes is infinite: the graph is vertical there, or it jumps."""
    if slopes[0] == slopes[1] == got:
        return Comparison(AGREES, got, 0.0, "the slope grows without bound on both sides")
    finite = [slope for slope in slopes if math.isfinite(slope)]
    if kink or got in slopes or any(abs(got - slope) <= SAFETY * error + 1e-5 * abs(got) for slope in finite):
        return _kink(slopes, "")
    return Comparison(DIFFERS, None, math.inf, f"the slope grows without bound; {_slopes(slopes)}")


def _kink(slopes: tuple[float, float], note: str) -> Comparison:
    return Comparison(f"{KINK}: {_slopes(slopes)}", None, None, note)


def _slopes(slopes: tuple[float, float]) -> str:
    left, right = (f"{slope:.6g}".replace("-", "−") for slope in (s if abs(s) > 1e-9 else 0.0 for s in slopes))
    return f"left slope {left}, right slope {right}"


def _trouble(trials: Sequence[Trial], k: int, sign: int) -> str:
    """Why there is no value on one side."""
    for trial in reversed(trials):
        samples = trial.side(sign)
        if isinstance(samples, Exception):
            if type(samples).__name__ == "PathChanged":
                return "a decision of the recorded program comes out otherwise"
            if isinstance(samples, TooLong):
                return "the program does not come to an end"
            return f"the program raises {type(samples).__name__}"
        odd = [values[k] for _, values in samples if not math.isfinite(values[k])]
        if odd:
            return f"the value is {odd[0]}"
    return "the program gives nothing"
