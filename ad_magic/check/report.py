"""The report of a check: plain data, and its faces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from itertools import groupby
from typing import Any

from .verdict import AGREES, DIFFERS, KINK, NOT_APPLICABLE, SKIPPED, WORST_FIRST

SHOWN = 60  # rows that agree; all that do not are shown
HEAD = ("input", "against", "independent", "ad_magic", "relative error", "verdict")
FORMULA = "your formula"
NUMBERS = (2, 3, 4)  # its columns of numbers


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One comparison: the derivative of the output with respect to a seed, against one independent number."""

    seed: str
    method: str
    expected: float | None  # None where there is no number to compare with
    got: float
    relative_error: float | None
    verdict: str  # agrees | differs | skipped: … | kink: left slope …, right slope … | not applicable: …
    note: str = ""

    @property
    def word(self) -> str:
        """The first words of the verdict."""
        return self.verdict.partition(":")[0]


@dataclass(frozen=True, repr=False)
class CheckReport:
    """What a check has found. `ok` is true where nothing differs and something could be compared."""

    output: str
    inputs: str
    rows: tuple[CheckRow, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no comparison differs, and not every one was impossible."""
        words = {row.word for row in self.rows}
        return DIFFERS not in words and bool(words - {NOT_APPLICABLE})

    @property
    def verdicts(self) -> dict[str, str]:
        """For each seed one verdict: that of its worst comparison."""
        worst: dict[str, CheckRow] = {}
        for row in self.rows:
            known = worst.get(row.seed)
            if known is None or WORST_FIRST.index(row.word) < WORST_FIRST.index(known.word):
                worst[row.seed] = row
        return {seed: row.verdict for seed, row in worst.items()}

    @property
    def verdict(self) -> str:
        """One sentence for all."""
        verdicts = self.verdicts
        by_word = {word: [s for s, v in verdicts.items() if v.startswith(word)] for word in WORST_FIRST}
        count = sum(row.word == AGREES for row in self.rows)
        agree = "1 comparison agrees" if count == 1 else f"{count} comparisons agree"
        if by_word[DIFFERS]:
            wrong = {row.seed for row in self.rows if row.word == DIFFERS and row.method != FORMULA}
            formulas = [seed for seed in by_word[DIFFERS] if seed not in wrong]  # all else agrees with the derivative
            seeds = [seed for seed in by_word[DIFFERS] if seed in wrong]
            found = [f"the derivative with respect to {_names(seeds)} differs"] if seeds else []
            found += [f"your formula for {_names(formulas)} differs"] if formulas else []
            return "; ".join([*found, agree])
        if not count and not by_word[KINK] and not by_word[SKIPPED]:
            return "nothing could be compared"
        if count > 1 and len(by_word[AGREES]) == len(verdicts):
            agree = "both comparisons agree" if count == 2 else f"all {agree}"
        parts = [agree]
        if by_word[KINK]:
            parts.append(f"a kink in {_names(by_word[KINK])}")
        if by_word[SKIPPED]:
            parts.append(f"{_names(by_word[SKIPPED])} skipped, as too small to compare")
        if by_word[NOT_APPLICABLE]:
            parts.append(f"{_names(by_word[NOT_APPLICABLE])} could not be compared")
        return "; ".join(parts)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        rows, left_out = self._shown()
        lines = [self._title(), ""]
        cells = [HEAD, *_cells(rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            fields = [
                text.rjust(width) if k in NUMBERS else text.ljust(width)
                for k, (text, width) in enumerate(zip(line, widths, strict=True))
            ]
            lines.append("  ".join(fields).rstrip())
        return "\n".join([*lines, *(["", *left_out] if left_out else [])])

    def to_markdown(self) -> str:
        """The table in Markdown."""
        rows, left_out = self._shown()
        lines = [f"**{_markdown(self._title())}**", "", _pipes(HEAD), "|---|---|--:|--:|--:|---|"]
        lines += [_pipes(map(_markdown, line)) for line in _cells(rows)]
        return "\n".join([*lines, *(f"\n{_markdown(note)}" for note in left_out)])

    def to_html(self) -> str:
        """The table as HTML that needs no script."""
        rows, left_out = self._shown()
        head = "".join(f'<th scope="col"{_kind(k)}>{text}</th>' for k, text in enumerate(HEAD))
        body = "".join(
            f'<tr class="ad-{row.word.replace(" ", "-")}" data-ad-seed="{_escape(row.seed)}">{_html_cells(line)}</tr>'
            for row, line in zip(rows, _cells(rows), strict=True)
        )
        notes = "".join(f'<p class="ad-note">{_escape(note)}</p>' for note in left_out)
        word = AGREES if self.ok else DIFFERS
        return (
            f'<div class="ad-report ad-check"><style>{style_sheet()}</style>'
            f'<div class="ad-verdict ad-{word}">{_escape(self._title())}</div>'
            f'<div class="ad-scroll"><table class="ad-table"><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>{notes}</div>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.to_html()}

    def _title(self) -> str:
        return f"{'✓' if self.ok else '✗'} {self.output} at {self.inputs}: {self.verdict}"

    def _shown(self) -> tuple[list[CheckRow], list[str]]:
        """The rows that are shown, and the notes: those that do not agree, and the first others up to a limit."""
        plain = [row for row in self.rows if row.word not in (DIFFERS, KINK)]
        hidden = set(map(id, plain[SHOWN:]))
        left_out = [f"{len(hidden)} more rows are not shown; none of them differs."] if hidden else []
        return [row for row in self.rows if id(row) not in hidden], [*self.notes, *left_out]


def style_sheet() -> str:
    """The style sheet of the report, without its comments."""
    text = (resources.files(__package__) / "check.css").read_text(encoding="utf-8")
    return "\n".join(
        line.strip() for line in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).splitlines() if line.strip()
    )


def _cells(rows: Sequence[CheckRow]) -> list[tuple[str, ...]]:
    """What stands in the table; the name of an input only in its first row."""
    lines: list[tuple[str, ...]] = []
    for seed, group in groupby(rows, key=lambda row: row.seed):
        for k, row in enumerate(group):
            verdict = f"{row.verdict} ({row.note})" if row.note else row.verdict
            error = "" if row.relative_error is None else _number(row.relative_error, 2)
            expected = "" if row.expected is None else _number(row.expected)
            lines.append(("" if k else seed, row.method, expected, _number(row.got), error, verdict))
    return lines


def _number(value: float, digits: int = 10) -> str:
    text = format(float(value), f".{digits}g")
    mantissa, e, exponent = text.partition("e")
    if e:
        text = f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text.replace("-", "−")


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _kind(column: int) -> str:
    return ' class="ad-number"' if column in NUMBERS else ""


def _html_cells(line: Sequence[str]) -> str:
    cells = [f"<td{_kind(k)}>{_escape(text)}</td>" for k, text in enumerate(line[:-1])]
    return "".join([*cells, f'<td class="ad-word">{_escape(line[-1])}</td>'])


def _escape(text: str) -> str:
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text))


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text)


def _pipes(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
