"""The report of a check as people read it: text, Markdown; check_html.py draws it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ad_magic.check.agreement import FEW
from ad_magic.check.findings import Findings
from ad_magic.check.verdict import DIFFERS, KINK

from .number import align, number
from .sweep_plot import plot

if TYPE_CHECKING:
    from ad_magic.check.findings import CheckRow

SHOWN = 60  # rows of an input that do not agree
FEW_ENTRIES = 6  # of an input, that have rows of their own
HEAD = ("input", "against", "independent", "ad_magic", "relative error", "verdict")
NUMBERS = (2, 3, 4)  # its columns of numbers
DIGITS, ERROR_DIGITS = 10, 2
CURVES = "Error of a difference quotient over its step h"


class CheckReport(Findings):
    """What a check has found, with its faces.

    `ok`, `verdict`, `verdicts`, `by_input`, `worst`, `causes`, `rows`, `directions`, `operations`, `agreements` and
    `sweep` are plain data. It is true where it is `ok`, so that `assert r.check()` is a test.
    """

    @classmethod
    def of(cls, findings: Findings) -> CheckReport:
        """The report of what was found."""
        return cls(**{name: getattr(findings, name) for name in Findings.__dataclass_fields__})

    def __repr__(self) -> str:
        return self.to_text()

    def to_text(self, *, curves: bool = True) -> str:
        """The report as aligned text; with `curves` the sweep of steps of the first input in plain characters."""
        rows, left_out = shown(self)
        lines = [title(self), *(f"  {cause}" for cause in self.causes), ""]
        cells = [HEAD, *cells_of(rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for place, line in enumerate(cells):
            if place and line[0]:  # a new input
                lines += [""] if rows and place > 1 and len(rows) > 8 else []
            fields = [
                text.rjust(width) if k in NUMBERS else text.ljust(width)
                for k, (text, width) in enumerate(zip(line, widths, strict=True))
            ]
            lines.append("  ".join(fields).rstrip())
        blocks = ["\n".join(lines if rows else lines[:-2])]
        blocks += ["\n".join(found)] if (found := summary(self)) else []
        if curves and self.sweeps:
            first, *others = self.sweeps
            blocks.append("\n".join([CURVES, plot(first), *(f"along {s.seed}: {s.words}" for s in others)]))
        blocks += ["\n".join(left_out)] if left_out else []
        return "\n\n".join(blocks)

    def to_markdown(self) -> str:
        """The table in Markdown, and what is said beside it."""
        rows, left_out = shown(self)
        lines = [f"**{_markdown(title(self))}**", *(f"\n{_markdown(cause)}" for cause in self.causes), ""]
        if rows:
            lines += [_pipes(HEAD), "|---|---|--:|--:|--:|---|"]
            lines += [_pipes(_markdown(text.strip()) for text in line) for line in cells_of(rows)]
        more = [*summary(self), *(f"{CURVES}, along {s.seed}: {s.words}" for s in self.sweeps), *left_out]
        return "\n".join([*lines, *(f"\n{_markdown(text)}" for text in more)])

    def to_html(self) -> str:
        """The report as HTML that needs no script."""
        from .check_html import render

        return render(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.to_text(), "text/html": self.to_html()}


def title(found: Findings) -> str:
    """The verdict in one line: "✓ z at x = 2: all 3 comparisons agree"."""
    return f"{'✓' if found.ok else '✗'} {found.output} at {found.inputs}: {found.verdict}"


def shown(found: Findings) -> tuple[list[CheckRow], list[str]]:
    """The rows that are shown, and the notes. Of an input with many entries those that say the same are one row."""
    rows: list[CheckRow] = list(found.directions)
    left = 0
    for _, group in groupby(_in_order(found.rows), key=lambda row: row.seed.partition("[")[0]):
        mine = list(group)
        if len({row.seed for row in mine}) <= FEW_ENTRIES:
            rows += mine
            continue
        bad = [row for row in mine if row.word in (DIFFERS, KINK)]
        left += max(len(bad) - SHOWN, 0)
        rows += [*_folded([row for row in mine if row.word not in (DIFFERS, KINK)]), *bad[:SHOWN]]
    return rows, [*found.notes, *([f"{left} more rows are not shown."] if left else [])]


def _in_order(rows: Sequence[CheckRow]) -> list[CheckRow]:
    """The rows by input, in the order in which the inputs come."""
    inputs = list(dict.fromkeys(row.seed.partition("[")[0] for row in rows))
    return sorted(rows, key=lambda row: inputs.index(row.seed.partition("[")[0]))


def _folded(rows: Sequence[CheckRow]) -> list[CheckRow]:
    """For each method and verdict one row, the one with the largest error."""
    alike: dict[tuple[str, str], list[CheckRow]] = {}
    for row in rows:
        alike.setdefault((row.method, row.verdict), []).append(row)
    found = []
    for same in alike.values():
        worst = max(same, key=lambda row: row.relative_error or 0.0)
        count = len(same)
        if count == 1:
            found.append(worst)
            continue
        name = worst.seed.partition("[")[0]
        note = f"{worst.seed} is the worst of {count}" if worst.relative_error else f"all {count} entries"
        found.append(replace(worst, seed=f"{name}[…]", note="; ".join(part for part in (note, worst.note) if part)))
    return found


def summary(found: Findings) -> list[str]:
    """What can be said of all numbers together, a line for each method; and of the operations by themselves."""
    lines = [agreement.words for agreement in found.agreements if len(agreement.pairs) >= FEW]
    return [line for line in (*lines, found.operations.words) if line]


def cells_of(rows: Sequence[CheckRow], pad: str = " ") -> list[tuple[str, ...]]:
    """What stands in the table, the numbers aligned; the name of an input only in its first row."""
    columns = [
        align(["" if row.expected is None else number(row.expected, DIGITS) for row in rows], pad=pad),
        align([number(row.got, DIGITS) for row in rows], pad=pad),
        [error_of(row) for row in rows],
    ]
    numbers = iter(zip(*columns, strict=True))
    lines: list[tuple[str, ...]] = []
    for seed, group in groupby(rows, key=lambda row: row.seed):
        for k, row in enumerate(group):
            verdict = f"{row.verdict} ({row.note})" if row.note else row.verdict
            lines.append(("" if k else seed, row.method, *next(numbers), verdict))
    return lines


def error_of(row: CheckRow) -> str:
    """The relative error as it is written."""
    return "" if row.relative_error is None else number(row.relative_error, ERROR_DIGITS)


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text)


def _pipes(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
