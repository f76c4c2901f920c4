"""A row of the printed table, and the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One measurement. A row without a budget is for information."""

    what: str
    ours: str = ""
    other: str = ""
    ratio: str = ""
    median: str = ""  # of the ratios of the single rounds: where it is far from `ratio`, the machine was busy
    budget: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return (self.what, self.ours, self.other, self.ratio, self.median, self.budget, verdict)


def times_faster(what: str, ours: list[float], other: list[float], budget: float | None, elements: int) -> Row:
    """A row that says how many times faster than a peer we are; times of the same rounds."""
    ratio = min(other) / min(ours)
    between = median(b / a for a, b in zip(ours, other, strict=True))
    met = None if budget is None else ratio >= budget
    return _row(what, ours, other, ratio, between, "≥", budget, met, elements)


def times_slower(what: str, ours: list[float], other: list[float], budget: float | None, elements: int) -> Row:
    """A row that says how many times slower than a plain program we are; times of the same rounds."""
    ratio = min(ours) / min(other)
    between = median(a / b for a, b in zip(ours, other, strict=True))
    met = None if budget is None else ratio <= budget
    return _row(what, ours, other, ratio, between, "≤", budget, met, elements)


def _row(
    what: str,
    ours: list[float],
    other: list[float],
    ratio: float,
    between: float,
    sign: str,
    budget: float | None,
    met: bool | None,
    elements: int,
) -> Row:
    each = [f"{min(times) / elements * 1e6:.3f} µs" for times in (ours, other)]
    return Row(what, *each, f"{ratio:.1f} ×", f"{between:.1f} ×", f"{sign} {budget:g} ×" if budget else "", met)


def render(title: str, rows: Iterable[Row], ours: str = "ours", other: str = "other", median: str = "median") -> str:
    """The rows as aligned text under these heads; a column that is empty throughout is left out."""
    header = (title, ours, other, "ratio", median, "budget", "")
    lines = [header, *(row.cells for row in rows)]
    shown = [k for k in range(len(header)) if k == 0 or any(line[k] for line in lines[1:])]
    width = {k: max(len(line[k]) for line in lines if k or line[1]) for k in shown}
    text = []
    for line in lines:
        cells = [line[0].ljust(width[0]), *(line[k].rjust(width[k]) for k in shown[1:])]
        text.append("   ".join(cells).rstrip())
    text.insert(1, "─" * (sum(width.values()) + 3 * len(shown) - 3))
    return "\n".join(text)
