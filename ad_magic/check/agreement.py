"""How two vectors of derivatives agree as a whole, and what a wrong derivative looks like.

The relative error says that something is wrong; Pearson's correlation says what: it does not see a scale or a shift, so
where it is 1 and the numbers differ a factor or a constant is missing (T. Vieira, "How to test gradient
implementations", 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .verdict import relative_error

FORMULA = "your formula"
SAME = 1e-5  # relative residual of a fit that explains the difference
FEW = 3  # pairs: of two points the correlation is always 1
MOST_SKIPPED = 0.75  # of the pairs: then the agreement says little


@dataclass(frozen=True, slots=True)
class Pair:
    """One derivative and the independent one: its name ("∂z/∂x"), ad_magic's number, the other, and the word for it."""

    name: str
    got: float
    expected: float
    word: str  # agrees | differs | skipped


@dataclass(frozen=True, slots=True)
class Agreement:
    """All pairs of one method, and what can be said of them together."""

    method: str
    pairs: tuple[Pair, ...]

    @property
    def compared(self) -> list[Pair]:
        """The pairs that are not too small to say anything."""
        return [pair for pair in self.pairs if pair.word != "skipped"]

    @property
    def skipped(self) -> int:
        """How many pairs are too small on both sides."""
        return len(self.pairs) - len(self.compared)

    @property
    def worst(self) -> Pair | None:
        """The pair with the largest relative error."""
        return max(self.compared, key=_error, default=None)

    @property
    def correlation(self) -> float | None:
        """Pearson's correlation of the two vectors; None for fewer than three pairs, and where one is constant."""
        return correlation([p.got for p in self.pairs], [p.expected for p in self.pairs])

    @property
    def signs(self) -> tuple[int, int]:
        """How many of the pairs that are compared have the same sign, and how many they are."""
        same = sum(_sign(p.got) == _sign(p.expected) for p in self.compared)
        return same, len(self.compared)

    @property
    def difference(self) -> str:
        """Where some pairs differ: what all of them have in common, "a factor 2 is missing"; else ""."""
        if all(pair.word != "differs" for pair in self.pairs) or len(self.pairs) < 2:
            return ""
        got, expected = [p.got for p in self.pairs], [p.expected for p in self.pairs]
        if not all(map(math.isfinite, [*got, *expected])):
            return ""
        if self.method == FORMULA:  # it is the formula that is to be mended
            found = in_common(expected, got)
            return f"{found} in the formula" if found else ""
        return in_common(got, expected)

    @property
    def words(self) -> str:
        """One line: the worst error, correlation, signs, what was skipped."""
        parts = []
        worst = self.worst
        if worst is not None:
            error = _error(worst)
            parts.append(f"worst relative error {_brief(error)} ({worst.name})" if error else "no difference at all")
        r = self.correlation
        if r is not None:
            parts.append(f"correlation {_rounded(r)}")
        same, count = self.signs
        if count >= FEW:
            parts.append(f"{same} of {count} signs agree")
        if self.skipped:
            parts.append(f"{self.skipped} of {len(self.pairs)} pairs skipped, both numbers tiny")
        return f"Against {self.method}: {', '.join(parts)}." if parts else ""

    @property
    def warning(self) -> str:
        """What a reader should not overlook: a correlation beside numbers that differ, nearly all pairs skipped."""
        if self.difference:
            r = self.correlation
            although = f"the correlation is {_rounded(r)}, yet the numbers differ: " if r is not None else ""
            return f"Against {self.method} {although or 'all numbers differ alike: '}{self.difference}."
        if len(self.pairs) > FEW and self.skipped >= MOST_SKIPPED * len(self.pairs):
            return (
                f"Against {self.method} {self.skipped} of {len(self.pairs)} pairs are too small on both sides to be "
                "compared: is this a point where the derivative vanishes?"
            )
        return ""


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's correlation of two vectors.

    >>> correlation([1.0, 2.0, 4.0], [3.0, 5.0, 9.0])
    1.0
    """
    if len(a) < FEW or not all(map(math.isfinite, [*a, *b])):
        return None
    x, y = _centred(a), _centred(b)
    across, up = (math.sqrt(sum(v * v for v in line)) for line in (x, y))
    if across <= 1e-12 or up <= 1e-12:  # one of them is constant
        return None
    return min(1.0, max(-1.0, sum(p * q for p, q in zip(x, y, strict=True)) / (across * up)))


def _centred(a: Sequence[float]) -> list[float]:
    """A vector without its mean, its largest number having been made 1."""
    size = max(map(abs, a)) or 1.0
    mean = math.fsum(v / size for v in a) / len(a)
    return [v / size - mean for v in a]


def in_common(got: Sequence[float], expected: Sequence[float]) -> str:
    """What the differences of two vectors have in common: one factor, or one constant.

    >>> in_common([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    'a factor 2 is missing'
    >>> in_common([1.0, 2.0, 4.0, 5.0], [1.5, 2.5, 4.5, 5.5])
    'the constant 0.5 is missing'
    """
    size, other = max(map(abs, expected)), max(map(abs, got))
    if not size or not other:
        return "all of them are zero" if size else ""
    x, y = [v / other for v in got], [v / size for v in expected]
    factor = sum(p * q for p, q in zip(x, y, strict=True)) / sum(p * p for p in x)
    if max(abs(q - factor * p) for p, q in zip(x, y, strict=True)) <= SAME:
        times = factor * size / other
        return ratio(1.0, times) or f"a factor {times:.6g} is missing".replace("-", "−")
    shift = [e - g for g, e in zip(got, expected, strict=True)]
    if len(got) > FEW and max(shift) - min(shift) <= SAME * max(map(abs, shift)):
        return f"the constant {shift[0]:.6g} is missing".replace("-", "−")
    return ""


def ratio(got: float, expected: float | None) -> str:
    """What a wrong derivative looks like: a wrong sign, a missing factor.

    >>> ratio(-3.0, 3.0), ratio(3.0, 6.0000001)
    ('the sign is wrong', 'a factor 2 is missing')
    """
    if not got or not expected or not math.isfinite(got / expected):
        return ""
    times = expected / got
    for factor in (2, 3, 4, 5, 10, math.pi):
        name = "π" if factor == math.pi else str(factor)
        for exponent, words in ((1, f"a factor {name} is missing"), (-1, f"it is {name} times too large")):
            if math.isclose(abs(times), factor**exponent, rel_tol=1e-5):
                return words + (", and the sign is wrong" if times < 0 else "")
    return "the sign is wrong" if math.isclose(times, -1.0, rel_tol=1e-5) else ""


def _error(pair: Pair) -> float:
    error = relative_error(pair.got, pair.expected)
    return error if error == error else math.inf


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def _brief(x: float) -> str:
    text = f"{x:.1g}"
    mantissa, e, exponent = text.partition("e")
    return (f"{mantissa}e{int(exponent)}" if e else text).replace("-", "−")


def _rounded(r: float) -> str:
    """A correlation as it is read: 1 only where it is one to many digits."""
    return ("1" if r > 0 else "−1") if abs(r) > 1 - 1e-9 else f"{r:.4g}".replace("-", "−")
