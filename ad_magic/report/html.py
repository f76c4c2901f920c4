"""The report as one HTML string: result line, flags, table, graph. No script, no file beside it.

The table stands alone where style sheets and SVG are taken away (an untrusted notebook, GitHub): its numbers are
aligned by padding in a monospaced element (cells.py), and what would be folded is simply there. Everything else is in
report.css; only the rules that link a row, its source line and its graph node are made for each report.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import curves, svg
from .array import VECTOR, all_finite, all_zero, bracketed, quantity, shape_of, shape_text
from .cells import column_cells, opening
from .contour import over_two
from .entries import Span
from .figure import figure
from .markup import esc, indexed, scroller, style_sheet
from .number import plain
from .relief import relief
from .row import Flag, Row, warnings
from .second import second_or_why
from .strip import strip
from .table import Column, Gap, Group, Outcome, Run, Section, Table, entries, flag_text, table, unfolded
from .text import shorten, value_digits

if TYPE_CHECKING:
    from .result import Result

MAX_DERIVATIVES = 12  # in the result line; the others unfold
OPEN_GRAPH = 30  # a graph of more nodes than this is closed at first, unless it is what was asked for
MAX_EXPRESSION = 40  # characters of an expression in the table; a longer one is cut, and whole in its title
BLOCK = 4  # rows and columns of a matrix that stands in the result line as it is
UNTRUSTED = '<p class="ad-untrusted">The drawing is shown when the notebook is trusted.</p>'
Numbers = dict[tuple[str, int], str]  # by column and row: the content of the cell, aligned within its column

HEADS = {"tangent": "tangents, forward ↓", "adjoint": "adjoint, reverse ↑", "value": ""}


def render(
    r: Result,
    *,
    digits: int = 6,
    max_rows: int = 60,
    show: str = "tables",
    open_graph: bool = True,
    ranges: Mapping[str, Span] | None = None,
) -> str:
    """The report. `show` is what is open and comes first: "tables", "graph", "curves" (over `ranges`), or one of ASKED.

    `open_graph` opens a small graph too. Curves and what is in ASKED are there only if they are asked for.
    """
    t = table(r, max_rows=max_rows)
    figures = curves_of(r, digits, ranges) if show == "curves" else ""
    return wrapped(t, head(t, digits) + parts(r, t, digits, max_rows, show, open_graph, figures))


def wrapped(t: Table, body: str, *, links: bool = True) -> str:
    """The root of a report with its style, and the rules that link the rows of `t` to what is in its body.

    Without `links` there are no such rules: js/links.js does what they do, and more.
    """
    # reports of one page must not light each other's rows; the same content has the same name, so files do not change
    name = "ad-" + hashlib.blake2s(body.encode(), digest_size=4).hexdigest()
    rules = _links(t, name) if links else ""
    return f'<div class="ad-report {name}"><style>{style_sheet()}\n{rules}</style>{body}</div>'


def head(t: Table, digits: int) -> str:
    """The result line, and the flags."""
    return _results(t, digits) + _flags(t.flags)


def parts(
    r: Result,
    t: Table,
    digits: int,
    max_rows: int,
    show: str,
    open_graph: bool = True,
    figures: str = "",
    room: int = 0,
    film: str = "",
) -> str:
    """Tables, graph and curves, what is shown first, and above them the bar of the film (film.py).

    `room` is what a node keeps for a number that will change.
    """
    tables = _part("ad-tables", "Operations", _table(t, r.rows, digits), show != "graph")
    graph_open = show == "graph" or (open_graph and len(r.rows) <= OPEN_GRAPH)
    drawing = svg.graph(r, digits=digits, max_rows=max_rows, room=room)
    graph = _part("ad-graph", "Graph", f"{UNTRUSTED}{scroller('Graph', ' hidden')}{drawing}</div>", graph_open)
    curves = _part("ad-curves", "Curves", figures, True) if figures else ""
    second = _part("ad-second", "Gradient and Hessian", second_order(r), True) if r.up_to == 2 else ""
    order = {"graph": (graph, second, tables, curves), "curves": (curves, second, tables, graph)}
    if show in ASKED:
        kind, title, content = ASKED[show]
        order[show] = (_part(kind, title, content(r), True), second, tables, graph)
    return f'<div class="ad-parts">{film}{"".join(order.get(show, (second, tables, graph, curves)))}</div>'


def second_order(r: Result) -> str:
    """The gradient and the Hessian, or why there is none."""
    found = second_or_why(r)
    return f'<p class="ad-note">{esc(found)}.</p>' if isinstance(found, str) else found.to_html()


def code_of(r: Result) -> str:
    """The straight-line program of the run, or why there is none."""
    from .listing import listing
    from .program import source  # it shows result lines as this file does

    try:
        return source(listing(r))
    except ValueError as error:
        return f'<p class="ad-note">{esc(error)}</p>'


def check_of(r: Result) -> str:
    """The derivatives against independent ones, with the style that only this part needs."""
    from .check_html import body

    return f"<style>{style_sheet('check')}</style>{body(r.checked)}"


def cost_of(r: Result) -> str:
    """What the derivatives cost, or why that is not known."""
    try:
        return r.cost.to_html()
    except ValueError as error:
        return f'<p class="ad-note">{esc(error)}</p>'


def equations_of(r: Result) -> str:
    """The program as equations, or why there are none."""
    try:
        return r.equations.to_html()
    except ValueError as error:
        return f'<p class="ad-note">{esc(error)}</p>'


# What is there only if it is asked for, by the word for it: class, title, content.
ASKED: dict[str, tuple[str, str, Callable[[Result], str]]] = {
    "code": ("ad-code", "Program", code_of),
    "check": ("ad-check-part", "Check", check_of),
    "cost": ("ad-cost", "Cost", cost_of),
    "equations": ("ad-equations", "Equations", equations_of),
}


def curves_of(r: Result, digits: int, ranges: Mapping[str, Span] | None) -> str:
    """A curve along each input, and the contour where there are two; or why there is none."""
    try:
        found, left = curves.curves(r, digits=digits, ranges=ranges)
        drawn = "".join(map(figure, found)) + (relief(c) if (c := over_two(r, digits, ranges)) else "")
    except ValueError as error:
        return f'<p class="ad-note">{esc(error)}</p>'
    note = f'<p class="ad-note">{Gap(left, "curve")}</p>' if left else ""
    return f'{UNTRUSTED}<div class="ad-figures" hidden>{drawn}</div>{note}'


def _part(kind: str, title: str, content: str, is_open: bool) -> str:
    return f'<details class="ad-part {kind}"{" open" if is_open else ""}><summary>{title}</summary>{content}</details>'


# ------------------------------------------------------------------------------------------------- result, flags


def result_lines(r: Result, digits: int) -> str:
    """The value and the derivatives of each output."""
    return _results(table(r), digits)


def _results(t: Table, digits: int) -> str:
    """One line for each output. With several outputs a derivative also says of which output it is."""
    return "".join(_result(outcome, digits, len(t.outcomes) > 1) for outcome in t.outcomes)


def _result(outcome: Outcome, digits: int, several: bool) -> str:
    which = f' data-ad-output="{esc(outcome.name)}"' if several else ""
    cells = []
    for x, head, derivative in outcome.derivatives:
        note = outcome.notes.get(x, "")
        cells.append(
            f'<span class="ad-derivative{_wide_class(derivative)}"><span class="ad-name">{esc(head)}</span>'
            + (" = " if derivative is not None else ": ")
            + _number(derivative, digits, f'data-ad-grad="{esc(x)}"{which}', known=bool(note))
            + (f' <span class="ad-shape">{esc(note)}</span>' if note else "")
            + _mark(outcome.marks.get(x, ()))
            + "</span>"
        )
    more = cells[MAX_DERIVATIVES:]
    rest = f"<details><summary>{Gap(len(more), 'derivative')}</summary>{' '.join(more)}</details>" if more else ""
    value = _number(outcome.value, value_digits(outcome.value, digits), f'class="ad-value"{which}')
    name = f'<span class="ad-name">{esc(outcome.shown)}</span>'
    return (
        f'<div class="ad-result"><span class="ad-outcome{_wide_class(outcome.value)}">{name} = {value}</span> '
        f"{' '.join(cells[:MAX_DERIVATIVES])}{rest}</div>"
    )


def _wide_class(value: Any) -> str:
    return " ad-wide" if shape_of(value) else ""


def _number(value: Any, digits: int, mark: str, known: bool = False) -> str:
    """A number or an array of the result line; `mark` is the attribute by which a program finds its text.

    An array is written with brackets and commas, so that Python reads it; a long one is cut, and opens. `known` leaves
    out its shape.
    """
    shape = shape_of(value)
    if not shape or (len(shape) == 1 and 0 < value.size <= VECTOR):
        return f"<span {mark}>{_machine(quantity(value, digits))}</span>"
    if len(shape) == 2 and value.size and max(shape) <= BLOCK:
        lines = _machine("\n".join(bracketed(value, digits)))
        return f'<span {mark}><samp class="ad-block">{lines}</samp></span>'
    shown = quantity(value, digits).removesuffix(f" {shape_text(shape)}")
    more = "" if known else f' <span class="ad-shape">{shape_text(shape)}</span>'
    text = f"<span {mark}>{_machine(shown)}</span>{more}"
    return opening(f"{text} {strip(value)}", value, digits) if value.size else text


def _machine(text: str) -> str:
    """A number whose text is plain ASCII, for a program and for copying; the style sheet draws the proper minus."""
    return esc(plain(text)).replace("-", '<span class="ad-minus">-</span>')


def _flags(flags: Sequence[Flag]) -> str:
    if not flags:
        return ""
    items = "".join(
        f'<li data-ad-flag="{esc(flag.kind)}"{_ASKED if flag.asked else ">⚠ "}{indexed(flag_text(flag))}</li>'
        for flag in flags
    )
    return f'<ul class="ad-flags">{items}</ul>'


_ASKED = ' class="ad-asked">'


def _mark(flags: Sequence[Flag]) -> str:
    """A mark whose title says what is flagged, with all the kinds that it stands for; none without flags."""
    flags = warnings(flags)
    if not flags:
        return ""
    kinds = " ".join(dict.fromkeys(flag.kind for flag in flags))
    title = "\n".join(map(flag_text, flags))
    return f' <span class="ad-mark" data-ad-mark="{esc(kinds)}" title="{esc(title)}">⚠</span>'


# -------------------------------------------------------------------------------------------------------- table


def _table(t: Table, rows: Sequence[Row], digits: int) -> str:
    shown = [entry[3] for entry in entries(t, unfold=True) if not isinstance(entry, str)]
    numbers: Numbers = {}
    for column in t.columns:
        texts = column_cells([column.of(row) for row in shown], digits, shapes=column.kind == "value")
        numbers.update({(column.key, row.index): text for row, text in zip(shown, texts, strict=True)})
    body = "".join(_section(t, section, rows, numbers, digits) for section in t.sections)
    notes = "".join(f'<p class="ad-note">{esc(note)}</p>' for note in t.notes)
    # opened, it shows a column of the table above: no script, and without a style sheet the column is always there
    switch = '<details class="ad-switch"><summary>local partials</summary></details>'
    return (
        f'{scroller("Operations")}<table class="ad-table"><caption>Elementary operations in program order'
        f"</caption><thead>{_head(t)}</thead>{body}</table></div>{switch}{notes}"
    )


def _head(t: Table) -> str:
    """Two rows: what a group of columns is, and ∂v/∂x for each."""

    def first(text: str, kind: str = "", columns: int = 1) -> str:
        return f'<th scope="col" rowspan="2" colspan="{columns}" class="ad-head {kind}">{text}</th>'

    upper = first("line", "ad-line-head") + first("code", "ad-code-head") + (first("runs") if t.looped else "")
    upper += first("variable", columns=2) + first("expression") + first("value", "ad-number")
    lower = ""
    for kind in ("tangent", "adjoint"):
        columns = [column for column in t.columns if column.kind == kind]
        if columns:
            upper += f'<th scope="colgroup" colspan="{len(columns)}" class="ad-head ad-{kind}">{HEADS[kind]}</th>'
        lower += "".join(_column_head(column, place == 0) for place, column in enumerate(columns))
    upper += first("local partials", "ad-partial")
    return f"<tr>{upper}</tr><tr>{lower}</tr>"


def _column_head(column: Column, first: bool) -> str:
    edge = " ad-edge-left" if first else ""
    return f'<th scope="col" align="right" class="ad-number ad-{column.kind}{edge}">{esc(column.head)}</th>'


def _section(t: Table, section: Section, rows: Sequence[Row], numbers: Numbers, digits: int) -> str:
    """The lines of one source, one <tbody> each, under its name if there are several sources."""
    span = 7 + t.looped + sum(column.kind != "value" for column in t.columns)
    found = ""
    if section.name and sum(bool(other.name) for other in t.sections) > 1:
        heading = f'<th scope="rowgroup" align="left" colspan="{span}">{esc(section.name)}</th>'
        found += f'<tbody class="ad-heading"><tr>{heading}</tr></tbody>'
    for group in section.groups:
        if isinstance(group, Gap):
            found += f'<tbody><tr class="ad-gap"><td></td><td colspan="{span - 1}">{group}</td></tr></tbody>'
        else:
            found += f'<tbody class="ad-group">{_group(t, group, rows, numbers, digits)}</tbody>'
    return found


def _wide(t: Table, text: str, kind: str = "") -> str:
    """A text where the operation would be, and empty cells where its numbers would be."""
    edges = [column.kind != before.kind for before, column in zip(t.columns, t.columns[1:], strict=False)]
    blank = "".join(f'<td class="{"ad-edge-left" if edge else ""}"></td>' for edge in edges)
    return f'<td align="left" class="{kind}" colspan="4">{text}</td>{blank}<td class="ad-partial"></td>'


def _group(t: Table, group: Group, rows: Sequence[Row], numbers: Numbers, digits: int) -> str:
    """The rows of a source line. Of a line in a loop: a row that unfolds it, the earlier runs, the last run.

    That only the last run is seen is said by the style sheet, because it is the style sheet that folds.
    """
    lines: list[tuple[str, str]] = []  # class and cells of each row
    if group.count > 1:
        summary = f'<details class="ad-fold"><summary>× {group.count}</summary></details>'
        lines.append(("ad-fold-row", f"<td>{summary}</td>{_wide(t, '', 'ad-quiet ad-folded')}"))
    for run in group.runs:
        earlier = "ad-earlier " if run is not group.runs[-1] else ""
        if isinstance(run, Gap):
            lines.append(("ad-gap ad-earlier", f"<td></td>{_wide(t, str(run))}"))
            continue
        for place, item in enumerate(run.items):
            count = ""
            if t.looped:
                count = f'<td class="ad-quiet">{run.number if group.count > 1 and not place else ""}</td>'
            if isinstance(item, Gap):
                lines.append((f"ad-gap {earlier}", f"{count}{_wide(t, str(item))}"))
            else:
                lines.append((f"ad-row {earlier}", count + _cells(t, item, rows, numbers, digits)))
    # a rowspan over hidden rows is harmless: it ends with its tbody
    quiet = " ad-inputs" if group.inputs else ""
    where = (
        f'<td rowspan="{len(lines)}" class="ad-line-number">{group.line or ""}</td>'
        f'<th scope="rowgroup" align="left" rowspan="{len(lines)}" class="ad-code ad-g{group.number}{quiet}">'
        f"{esc(group.code) if group.inputs else f'<code>{_breakable(group.code)}</code>'}</th>"
    )
    items = iter([item for run in group.runs if isinstance(run, Run) for item in run.items if isinstance(item, Row)])
    found = ""
    for place, (kind, cells) in enumerate(lines):
        mark = ""
        if kind.startswith("ad-row"):
            row = next(items)
            kind, mark = f"{kind}ad-i{row.index}", f' data-ad-row="{row.index}"'
        found += f'<tr class="{kind.strip()}"{mark}>{where if place == 0 else ""}{cells}</tr>'
    return found


def _breakable(code: str) -> str:
    """Code that may be broken where an expression in brackets begins, before it is broken within a word."""
    return re.sub(r"(\([\[(]*)(?=[\w-])", r"\1<wbr/>", esc(code))


def _cells(t: Table, row: Row, rows: Sequence[Row], numbers: Numbers, digits: int) -> str:
    label = row.label if row.label and row.op != "input" else ""
    expression, whole = shorten(row.expression, MAX_EXPRESSION), ""
    if expression != row.expression:
        whole = f' title="{esc(row.expression)}"'
    expression = esc(expression) if row.op == "input" else indexed(expression)
    cells = (
        f'<th scope="row" align="left" class="ad-variable">{indexed(row.name)}</th>'
        f'<td class="ad-label">{esc(label)}</td>'
        f'<td align="left" class="ad-expression"{whole}><code>{expression}</code>{_mark(row.flags)}{_how(row)}</td>'
    )
    for column, kind in zip(t.columns, cell_kinds(t), strict=True):
        value = column.of(row)
        quiet = "" if value is None else " ad-zero" if all_zero(value) else "" if all_finite(value) else " ad-bad"
        cells += (
            f'<td align="right" class="{kind}{quiet}" data-ad-cell="{esc(column.key)}">'
            f"{numbers[column.key, row.index]}</td>"
        )
    slopes = ", ".join(f"{head} = {slope}" for head, slope in unfolded(row, rows, digits))
    return f'{cells}<td align="left" class="ad-partial">{indexed(slopes)}</td>'


def _how(row: Row) -> str:
    """How a solver is differentiated, below its expression."""
    return f'<div class="ad-how" title="{esc(row.how[1])}">{esc(row.how[0])}</div>' if row.how[0] else ""


def cell_kinds(t: Table) -> list[str]:
    """The classes of the cells of each column."""
    found, before = [], "value"
    for column in t.columns:
        kind = "primal" if column.kind == "value" else column.kind  # .ad-value is the value of the output alone
        found.append(f"ad-number ad-{kind}{' ad-edge-left' if column.kind != before else ''}")
        before = column.kind
    return found


def _links(t: Table, name: str) -> str:
    """The rules by which a row, its source line and its graph node light up together: no script needed."""
    rows_of: dict[int, list[int]] = {}
    for entry in entries(t, unfold=True):
        if not isinstance(entry, str):
            rows_of.setdefault(entry[1].number, []).append(entry[3].index)
    found = []
    for group, indices in rows_of.items():
        found += [f".{name}:has(.ad-i{i}>:not(.ad-code):hover) :is(.ad-i{i},.ad-g{group})" for i in indices]
        nodes = ",".join(f".ad-i{i}" for i in indices)
        found.append(f".{name}:has(.ad-g{group}:hover) :is(.ad-g{group},{nodes})")
    return ",\n".join(found) + "{--ad-on:var(--ad-lit)}" if found else ""
