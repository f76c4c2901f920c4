"""The report as aligned Unicode text, for a terminal and for `text/plain`."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from .array import column_texts, quantity, shape_of, shape_text
from .markup import subscripted
from .row import warnings
from .table import Column, Gap, Table, entries, flag_text, table, unfolded

if TYPE_CHECKING:
    from .entries import Span
    from .result import Result

Names = Callable[[str], str]  # how our own names are written
WIDTH = 110  # columns that a table may take where there is no terminal to ask
LEAST_WIDTH = 60
MAX_CODE = 34  # a longer source line gets a line of its own
MAX_EXPRESSION = 26  # more in a wide terminal
BETWEEN = "   "  # the parts of a result line
MAX_DERIVATIVES = 12  # derivatives in the result line


def render(
    r: Result,
    *,
    digits: int = 6,
    max_rows: int = 60,
    partials: bool = False,
    unfold: bool = False,
    width: int | None = None,
    show: str = "tables",
    ranges: Mapping[str, Span] | None = None,
) -> str:
    """The result line, the table, notes, flags. `unfold` lists earlier runs of a loop, `partials` local partials.

    `width` is that of the terminal, if it is not said. With show="curves" there are curves before the table, with one
    of ASKED ("code", "check", "cost", "equations") there is that.
    """
    width = terminal_width() if width is None else width
    t = table(r, max_rows=max_rows)
    names = subscripted if _names_like_ours(r) else str  # v₃ is ours where the user calls something v3
    left, columns, bars, notes = _fitting(t, width, digits, unfold, names)
    results = [
        line if display_width(line) <= width else line.replace(BETWEEN, "\n  ") for line in result_lines(t, digits)
    ]
    blocks = ["\n".join(results), *(_plots(r, digits, width, ranges) if show == "curves" else [])]
    blocks += [_asked(r, show)] if show in ASKED else []
    blocks += [second_order(r)] if r.up_to == 2 else []
    blocks += _table(t, r, left, columns, digits, partials, unfold, bars, names)
    notes += notes_of(t, unfold)
    if notes:
        blocks.append("\n".join(notes))
    if t.flags:
        blocks.append("\n".join(f"{'·' if flag.asked else '!'} {names(flag_text(flag))}" for flag in t.flags))
    return "\n\n".join(blocks)


def _plots(r: Result, digits: int, width: int, ranges: Mapping[str, Span] | None) -> list[str]:
    """The curves, or why there is none."""
    from .curves import curves
    from .plot import plot

    try:
        found, left = curves(r, digits=digits, ranges=ranges)
    except ValueError as error:
        return [str(error)]
    return [*(plot(c, width) for c in found), *([str(Gap(left, "curve"))] if left else [])]


def _program(r: Result) -> str:
    """The straight-line program of the run."""
    from .listing import listing

    return "\n".join(line for line, _ in listing(r))


# What is there only if it is asked for, by the word for it.
ASKED: dict[str, Callable[[Result], str]] = {
    "code": _program,
    "check": lambda r: r.checked.to_text(),
    "cost": lambda r: r.cost.to_text(),
    "equations": lambda r: r.equations.to_text(),
}


def _asked(r: Result, show: str) -> str:
    """What was asked for, or why there is none."""
    try:
        return ASKED[show](r)
    except ValueError as error:
        return str(error)


def second_order(r: Result) -> str:
    """The gradient and the Hessian, or why there is none."""
    from .second import second_or_why

    found = second_or_why(r)
    return f"{found}." if isinstance(found, str) else found.to_text()


def terminal_width() -> int:
    """The columns of the terminal that reads this; in a notebook and in a file there is none."""
    try:
        terminal = sys.stdout.isatty()
    except (AttributeError, ValueError):  # a stand-in, or closed
        terminal = False
    return max(shutil.get_terminal_size((WIDTH, 24)).columns, LEAST_WIDTH) if terminal else WIDTH


def _names_like_ours(r: Result) -> bool:
    return any(row.label and re.fullmatch(r"v\d+", row.label) for row in r.rows)


def notes_of(t: Table, unfold: bool) -> list[str]:
    """What is left out, in words."""
    folded = t.looped and not unfold
    return [*t.notes, *(["A line that ran several times (× n) shows its last run."] if folded else [])]


def result_lines(t: Table, digits: int, between: str = BETWEEN, mark: str = "!") -> list[str]:
    """One line for each output: `z = −17.8825918847   ∂z/∂x = 179.882   ∂z/∂y = 113.961`.

    A derivative of which something is flagged has the mark.
    """
    found = []
    for outcome in t.outcomes:
        parts = [f"{outcome.shown} = {quantity(outcome.value, value_digits(outcome.value, digits))}"]
        for x, head, derivative in outcome.derivatives[:MAX_DERIVATIVES]:
            note = outcome.notes.get(x, "")
            text = head if derivative is None else f"{head} = {_without_shape(derivative, digits, note)}"
            text = f"{text} ({note})" if note else text
            parts.append(f"{text} {mark}" if x in outcome.marks else text)
        if len(outcome.derivatives) > MAX_DERIVATIVES:
            parts.append(str(Gap(len(outcome.derivatives) - MAX_DERIVATIVES, "derivative")))
        found.append(between.join(parts))
    return found


def _without_shape(derivative: object, digits: int, note: str) -> str:
    """A derivative in one line; where the note says its shape, the number does not."""
    text = quantity(derivative, digits)
    return text.removesuffix(f" {shape_text(shape_of(derivative))}") if note else text


def value_digits(value: object, digits: int) -> int:
    """The output itself is written with twice the digits of the table, an array is not."""
    return digits if getattr(value, "shape", ()) else min(2 * digits, 15)


def display_width(text: str) -> int:
    """Terminal columns of a text: a combining mark takes none, a wide character two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shorten(text: str, limit: int) -> str:
    """The text on one line, cut at `limit` characters with an ellipsis; what is taken of a call stays.

    >>> shorten("solve_ivp(f, (0, 20), [1.0, 0.0], args=(v1, v2)).y", 26)
    'solve_ivp(f, (0, 20), …).y'
    """
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    taken = re.search(r"\)(\.\w+)(\[\d+\])?$", text)
    tail = taken.group() if taken and len(taken.group()) < limit // 2 else ""
    return f"{text[: limit - 1 - len(tail)]}…{tail}"


def _pad(text: str, width: int, right: bool = False) -> str:
    space = " " * max(width - display_width(text), 0)
    return space + text if right else text + space


def _left_cells(t: Table, unfold: bool, names: Names, width: int, max_code: int) -> list[list[str] | str]:
    """The cells left of the numbers for each entry: line, code, runs, variable, expression. A text stands alone.

    Code of more than `max_code` characters gets a line of its own, which may be as long as the table.
    """
    max_expression = max(width * MAX_EXPRESSION // WIDTH, MAX_EXPRESSION // 2)
    cells: list[list[str] | str] = []
    above = None
    for entry in entries(t, unfold=unfold):
        if isinstance(entry, str):
            cells.append(f"{'':4}  {entry}")
            continue
        _, group, run, row = entry
        first = group is not above
        code, line = (shorten(group.code, width - 6), group.line) if first else ("", None)
        if len(code) > max_code:
            cells.append(f"{line or '':>4}  {code}")
            code, line = "", None
        runs = ""
        if group.count > 1 and row is run.items[0]:
            runs = f"{run.number} of {group.count}" if unfold else f"× {group.count}"
        label = row.label if row.label and row.op != "input" else ""
        variable = f"{names(row.name)} {label}".strip()
        expression = row.expression if row.op == "input" else names(row.expression)
        expression = shorten(expression, max_expression) + (" !" if warnings(row.flags) else "")
        cells.append([str(line or ""), code, runs, variable, expression])
        above = group
    return cells


def _heads(t: Table, cells: Sequence[Sequence[str] | str]) -> list[str]:
    code = any(cell[1] for cell in cells if not isinstance(cell, str))
    return ["line", "code" if code else "", "runs" if t.looped else "", "variable", "expression"]


def _widths(heads: Sequence[str], cells: Sequence[Sequence[str] | str]) -> list[int]:
    rows = [heads, *(c for c in cells if not isinstance(c, str))]
    return [max(display_width(row[i]) for row in rows) for i in range(len(heads))]


def _text_width(t: Table, cells: Sequence[Sequence[str] | str]) -> int:
    return sum(w + 2 for w in _widths(_heads(t, cells), cells) if w)


def _numbers(t: Table, column: Column, digits: int, unfold: bool, bars: bool) -> list[str]:
    """The aligned numbers of a column, one for each operation of the table."""
    values = [column.of(entry[3]) for entry in entries(t, unfold=unfold) if not isinstance(entry, str)]
    return column_texts(values, digits, shapes=column.kind == "value", bars=bars)


def _fitting(
    t: Table, width: int, digits: int, unfold: bool, names: Names
) -> tuple[list[list[str] | str], list[Column], bool, list[str]]:
    """What fits into `width`: the cells left of the numbers, the columns, whether arrays are drawn as bars.

    The bars go first, then the column of the code, then the last tangents, and a note says which.
    """

    def size(columns: Sequence[Column], bars: bool) -> int:
        widths = [[display_width(c.head), *map(len, _numbers(t, c, digits, unfold, bars))] for c in columns]
        return sum(max(found) + 3 for found in widths)

    columns, dropped = list(t.columns), list[str]()
    left = _left_cells(t, unfold, names, width, MAX_CODE)
    room = width - _text_width(t, left)
    bars = size(columns, True) <= room
    if size(columns, bars) > room:  # in a wider terminal a code column is worth more than a tangent
        above = _left_cells(t, unfold, names, width, 0)
        if width < WIDTH or size(columns, bars) <= width - _text_width(t, above):
            left, room = above, width - _text_width(t, above)
            bars = size(columns, True) <= room
    while size(columns, bars) > room and any(c.kind == "tangent" for c in columns):
        last = max(i for i, c in enumerate(columns) if c.kind == "tangent")
        dropped.insert(0, columns.pop(last).head)
    return left, columns, bars, [f"Left out for want of width: {', '.join(dropped)}."] if dropped else []


def _table(
    t: Table,
    r: Result,
    cells: list[list[str] | str],
    columns: list[Column],
    digits: int,
    with_partials: bool,
    unfold: bool,
    bars: bool,
    names: Names,
) -> list[str]:
    heads = _heads(t, cells)
    if not any(not isinstance(c, str) for c in cells):
        return []
    widths = _widths(heads, cells)
    numbers = [_numbers(t, column, digits, unfold, bars) for column in columns]
    sizes = [max(display_width(c.head), len(n[0])) for c, n in zip(columns, numbers, strict=True)]
    rows = [entry[3] for entry in entries(t, unfold=unfold) if not isinstance(entry, str)]

    def joined(left: Sequence[str], right: Sequence[str], extra: str) -> str:
        text = "  ".join(_pad(c, w, i == 0) for i, (c, w) in enumerate(zip(left, widths, strict=True)) if w)
        kind = "value"
        for column, cell, size in zip(columns, right, sizes, strict=True):
            text += (" │ " if column.kind != kind else "  ") + _pad(cell, size, right=True)
            kind = column.kind
        return f"{text}  {extra}".rstrip()

    head = joined(heads, [column.head for column in columns], "local partials" if with_partials else "")
    rule = "".join("┼" if c == "│" else "─" for c in joined(heads, ["─" * s for s in sizes], "").ljust(1))
    rule += "─" * (display_width(head) - len(rule))
    lines, place = [head, rule], 0
    for cell in cells:
        if isinstance(cell, str):
            lines.append(cell)
            continue
        slopes = unfolded(rows[place], r.rows, digits) if with_partials else []
        extra = ", ".join(f"{names(head)} = {slope}" for head, slope in slopes)
        lines.append(joined(cell, [column[place] for column in numbers], extra))
        place += 1
    return ["\n".join(lines)]
