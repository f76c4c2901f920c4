"""Comparing two numbers, and the words for the outcome.

Never by the absolute error: a derivative may have any size. The relative error is |a - b| / max(|a|, |b|); a pair that
is tiny on both sides says nothing and is skipped (T. Vieira, "How to test gradient implementations", 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TINY = 1e-10  # both below: skipped
SAFETY = 10.0  # a measured slope may be off by so many times its estimated error

AGREES = "agrees"
DIFFERS = "differs"
SKIPPED = "skipped"
KINK = "kink"
NOT_APPLICABLE = "not applicable"
TOO_SMALL = f"{SKIPPED}: both below"
WORST_FIRST = (DIFFERS, KINK, AGREES, SKIPPED, NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of one comparison. `verdict` begins with one of the five words, in `word`."""

    verdict: str
    expected: float | None = None
    error: float | None = None  # relative
    note: str = ""

    @property
    def word(self) -> str:
        """The first words of the verdict: agrees, differs, skipped, kink, not applicable."""
        return self.verdict.partition(":")[0]

    @property
    def badness(self) -> tuple[int, float]:
        """For sorting: the worst first."""
        error = 0.0 if self.error is None else self.error
        return WORST_FIRST.index(self.word), -error if error == error else -math.inf


def not_applicable(why: str) -> Comparison:
    """No comparison is possible, and why."""
    return Comparison(f"{NOT_APPLICABLE}: {why}")


def relative_error(a: float, b: float) -> float:
    """|a - b| / max(|a|, |b|); 0 for equal numbers, infinities among them; NaN where one is NaN.

    >>> relative_error(2.0, 1.0), relative_error(0.0, 0.0)
    (0.5, 0.0)
    """
    if a == b:
        return 0.0
    if math.isinf(a) or math.isinf(b):
        return math.inf
    larger = max(abs(a), abs(b))
    return abs(a / larger - b / larger)


def compare(
    got: float, expected: float, *, floor: float, error: float = 0.0, natural: float = 1.0, note: str = ""
) -> Comparison:
    """Compare a derivative with an independent one.

    `floor` is the relative error that is always allowed, `error` the estimated error of `expected`. `natural` is the
    size a derivative has here, that of the value over that of the input; a badly scaled program has small ones.
    """
    relative = relative_error(got, expected)
    larger = max(abs(got), abs(expected))
    allowed = SAFETY * error
    if relative <= floor and (larger or allowed <= 1e-6 * natural):  # a zero must have been measured as one
        return Comparison(AGREES, expected, relative, note)
    if not math.isfinite(relative):
        return Comparison(DIFFERS, expected, relative, note)
    tiny = TINY * min(1.0, natural or 1.0)
    if larger < tiny:
        return Comparison(f"{TOO_SMALL} {tiny:.0e}", expected, relative, note)
    if abs(got - expected) > allowed + floor * larger:
        return Comparison(DIFFERS, expected, relative, note)
    if allowed <= 1e-2 * larger:
        within = f"to the ±{allowed:.1g} that it is known to"
        return Comparison(AGREES, expected, relative, f"{note}; {within}" if note else within)
    if allowed <= 1e-6 * natural:
        return Comparison(f"{SKIPPED}: too small beside the value to be measured", expected, relative, note)
    return Comparison(
        f"{NOT_APPLICABLE}: rounding hides the slope, which is only known to ±{allowed:.1g}", expected, relative, note
    )


def is_kink(left: float, right: float, error: float) -> bool:
    """Whether two one-sided slopes, known to `error` together, differ."""
    gap = abs(right - left)
    return gap > SAFETY * error and gap > 1e-3 * max(abs(left), abs(right)) and gap > TINY
