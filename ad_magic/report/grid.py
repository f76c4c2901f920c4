"""Which values a slider can take. Plain numbers, no widgets.

A slider of the page moves over whole numbers 0, 1, …, steps; a Grid says which value each of them stands for. A float
slider would not do: it rounds its value to its step, and sends it back, by merely being displayed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FINE = 200  # a slider of our own choice has at least so many steps, and at most 2.5 times as many
CLEAN_DIGITS = 12  # 0.1 + 0.2 reads 0.3 on a slider


@dataclass(frozen=True, slots=True)
class Grid:
    """`steps` equal steps from `lo` to `hi`."""

    lo: float
    hi: float
    steps: int

    def value(self, index: int) -> float:
        """The value at a place of the slider: exact at both ends, and free of rounding dust between them."""
        if index <= 0:
            return self.lo
        if index >= self.steps:
            return self.hi
        # weights first: hi - lo may overflow
        value = self.lo * (1 - index / self.steps) + self.hi * (index / self.steps)
        largest = max(abs(self.lo), abs(self.hi))
        return round(value, CLEAN_DIGITS - math.ceil(math.log10(largest))) if largest else value

    def index(self, value: float) -> int:
        """The place of the slider that is nearest to a value."""
        half = self.hi / 2 - self.lo / 2  # halves first: hi - lo may overflow
        share = (value / 2 - self.lo / 2) / half if half else 0.0
        return min(max(round(share * self.steps), 0), self.steps)

    def holds(self, value: float) -> bool:
        return self.lo <= value <= self.hi


def around(value: float, beside: float = 0.0) -> Grid:
    """A grid for an input of which nothing but its value is known: value ± max(1, |value|), with round ends.

    A value that is small beside 1 is taken for a small quantity (a step, a rate), and gets a small range. An entry of
    an array reaches as far as the entries beside it are large.
    """
    # also NaN; beyond these the arithmetic of a range runs out of floats
    value, beside = (x if 1e-290 < abs(x) < 1e307 else 0.0 for x in (value, beside))
    size = max(abs(value), beside)
    reach = size if 0 < size < 0.1 else max(1.0, size)
    return between(value - reach, value + reach)


def between(lo: float, hi: float) -> Grid:
    """A grid from about lo to about hi: a round step, and both ends moved outward to multiples of a coarser one."""
    fine, coarse = round_down((hi - lo) / FINE), round_down((hi - lo) / 10)
    lo, hi = _down(lo, coarse), _up(hi, coarse)
    return Grid(lo, hi, max(round((hi - lo) / fine), 1))


def given(span: Sequence[float | None]) -> Grid:
    """The grid that a user has asked for: his two ends as they are, and his step, or a fine one."""
    lo, hi = span[0], span[1]
    assert lo is not None
    assert hi is not None
    step = span[2] if len(span) > 2 else None
    if hi < lo:
        lo, hi = hi, lo
    if hi == lo:
        return around(lo)
    fine = step or round_down((hi - lo) / FINE)
    steps = (hi - lo) / fine if fine else math.inf
    if not math.isfinite(steps) or (step is None and abs(steps - round(steps)) > 1e-9):
        steps = FINE  # ends that are not round have no round step
    return Grid(float(lo), float(hi), max(round(steps), 1))


def widen(grid: Grid, value: float) -> Grid:
    """The grid with one end moved outward, so that it holds the value. The other end stays: it may have a reason."""
    if grid.holds(value) or not math.isfinite(value):
        return grid
    lo, hi = min(grid.lo, value), max(grid.hi, value)
    coarse = round_down(hi / 10 - lo / 10)
    if lo < grid.lo:
        lo = _down(lo, coarse)
    else:
        hi = _up(hi, coarse)
    step = grid.hi / grid.steps - grid.lo / grid.steps
    steps = hi / step - lo / step
    if steps <= 5 * FINE and abs(steps - round(steps)) < 1e-6:  # the step may have a reason too
        return Grid(lo, hi, round(steps))
    return given((lo, hi))


def round_down(size: float) -> float:
    """The largest of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not above a size; 0 where there is none."""
    if not size > 0 or math.isinf(size):
        return 0.0
    power = math.floor(math.log10(size) + 1e-12)
    mantissa = size / 10.0**power if power > -300 else 0.0
    leading = next((m for m in (5, 2, 1) if m <= mantissa * (1 + 1e-9)), 0)
    return float(f"{leading}e{power}")  # as it would be typed: 0.02, not 2 * 0.01


def _down(end: float, coarse: float) -> float:
    """A lower end of a range, moved down to a multiple of `coarse`."""
    return 0.0 - _up(-end, coarse)  # not -0.0


def _up(end: float, coarse: float) -> float:
    """An upper end of a range, moved up to a multiple of `coarse`."""
    if not coarse:
        return end
    moved = float(f"{math.ceil(round(end / coarse, 9)) * coarse:.12g}")
    return max(moved, end) if math.isfinite(moved) else end
