"""The report as GitHub Markdown: the result, a table, notes and flags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .array import column_texts
from .row import Row, warnings
from .table import entries, flag_text, table, unfolded
from .text import notes_of, result_lines

if TYPE_CHECKING:
    from .result import Result


def render(r: Result, *, digits: int = 6, max_rows: int = 60, partials: bool = False, unfold: bool = False) -> str:
    """A Markdown text. `unfold` lists earlier runs of a loop, `partials` adds the local partials."""
    t = table(r, max_rows=max_rows)
    heads = ["line", "code", *(["runs"] if t.looped else []), "variable", "expression"]
    left = len(heads)
    heads += [column.head for column in t.columns] + (["local partials"] if partials else [])
    shown = list(entries(t, unfold=unfold))
    rows = [entry[3] for entry in shown if not isinstance(entry, str)]
    numbers = [
        column_texts([column.of(row) for row in rows], digits, shapes=column.kind == "value") for column in t.columns
    ]
    marks = ["--:", *[":--"] * (left - 1), *["--:"] * len(t.columns), *([":--"] if partials else [])]
    lines = ["\n\n".join(escape(line) for line in result_lines(t, digits, " · ", "⚠")), ""]
    lines += [line_of([escape(head) for head in heads]), line_of(marks)]
    if r.up_to == 2:
        lines[1:1] = ["", _second(r)]
    place, above = 0, None
    for entry in shown:
        if isinstance(entry, str):
            lines.append(line_of(["", f"*{escape(entry)}*", *[""] * (len(heads) - 2)]))
            continue
        _, group, run, row = entry
        first = group is not above
        cells = [str(group.line or "") if first else "", _code_of(group.code, group.inputs) if first else ""]
        if t.looped:
            count = f"{run.number} of {group.count}" if unfold else f"× {group.count}"
            cells.append(count if group.count > 1 and row is run.items[0] else "")
        label = f" **{escape(row.label)}**" if row.label and row.op != "input" else ""
        cells += [row.name + label, code(row.expression) + (" ⚠" if warnings(row.flags) else "")]
        cells += [column[place] for column in numbers]
        if partials:
            cells.append(escape(_slopes(row, r, digits)))
        lines.append(line_of(cells))
        place, above = place + 1, group
    lines += [f"\n{escape(note)}" for note in notes_of(t, unfold)]
    if t.flags:
        lines += ["", *(f"- {'' if flag.asked else '⚠ '}{escape(flag_text(flag))}" for flag in t.flags)]
    return "\n".join(lines)


def _second(r: Result) -> str:
    from .second import second_or_why

    found = second_or_why(r)
    return escape(f"{found}.") if isinstance(found, str) else found.to_markdown()


def escape(text: str) -> str:
    """Text that Markdown shows as it is, also in a table cell."""
    return re.sub(r"([\\`*_{}\[\]<>|#~&$])", r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A code span for a table cell: fenced by more backticks than it holds, its bars escaped."""
    text = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else ""


def _code_of(text: str, inputs: bool) -> str:
    return "*inputs*" if inputs else code(text)


def _slopes(row: Row, r: Result, digits: int) -> str:
    return ", ".join(f"{head} = {slope}" for head, slope in unfolded(row, r.rows, digits))


def line_of(cells: list[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"
