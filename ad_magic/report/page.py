"""A page that lives without a kernel: one file with the source, its tables, the graph, a curve, and sliders.

The report is the one of html.py; a script runs the program of the recorded run (codegen) and writes new numbers into
it. Nothing is loaded from anywhere: the page forbids it itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import picture
from .array import shape_of, shape_text
from .entries import Span
from .film import film
from .html import cell_kinds, curves_of, head, parts, wrapped
from .lean import lean, short
from .live import has_arrays, in_script, layout, moving, runtime
from .markup import esc, squeezed, style_sheet
from .number import number
from .row import Source
from .table import Group, Table, table

if TYPE_CHECKING:
    from .result import Result

ROOM = 8  # characters that a node of the graph keeps for its number: "−17.8826"
MAX_SOURCE = 200  # lines of source that are shown
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render(r: Result, *, ranges: Mapping[str, Span] | None = None, digits: int = 6, max_rows: int = 60) -> str:
    """The page. Where the run has no program in JavaScript it says why, and holds the static report."""
    from ad_magic.codegen.javascript import javascript
    from ad_magic.codegen.symbols import NoProgram

    t = table(r, max_rows=max_rows)
    sliders = moving(r, ranges or {})
    program, why = "", "no input is a number that a slider could move."
    if sliders:
        try:
            program = javascript(r.run, r.up_to)
        except NoProgram as error:
            why = str(error)
    room = ROOM if program else 0
    if program:
        stand = _inputs(r, sliders) + head(t, digits) + picture.stand(r, [slider["name"] for slider in sliders])
    else:
        stand = f'<p class="ad-note">This page does not move: {esc(why)}</p>{head(t, digits)}'
        stand += curves_of(r, digits, ranges)
    main = parts(r, t, digits, max_rows, "tables", room=room, film=film(t) if program else "")
    body = f'{_source(r, t)}<div class="ad-stand">{stand}</div>{main}'
    report = lean(wrapped(t, body, links=not program))
    script = ""
    if program:
        report, classes = short(report)
        data = {**layout(r, digits, max_rows), "moving": sliders, "columns": _columns(t), "classes": classes}
        script = f"<script>{_script(r, data, program)}</script>"
    title = esc(_title(r))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{title}</title><style>{style_sheet('page')}{style_sheet('live')}</style></head>\n"
        f'<body class="ad-page"><main><h1>{title}</h1>{report}</main>{script}</body></html>\n'
    )


def _columns(t: Table) -> list[tuple[str, str]]:
    return [(column.key, kind) for column, kind in zip(t.columns, cell_kinds(t), strict=True)]


def _script(r: Result, data: Mapping[str, Any], program: str) -> str:
    more = ["contour"] * (len(data["moving"]) > 1) + ["second"] * ("second" in data)
    code = runtime(*more, "picture", "lean", "page", arrays=has_arrays(r) or "second" in data)
    program = squeezed(program).replace("</", "<\\/").replace("<!--", "<\\!--")  # they stand in texts only
    return f'(() => {{\n"use strict";\n{code}\npage(document, {in_script(data)}, ({program}));\n}})();'


def _title(r: Result) -> str:
    names = [name if name != "out" or not r.output_label else r.output_label for name in r.outputs]
    return f"{', '.join(names)} and {'its' if len(names) == 1 else 'their'} derivatives"


# ----------------------------------------------------------------------------------------------------------- source


def _source(r: Result, t: Table) -> str:
    """The text of the cell or function; of a longer one the lines from the first operation to the last."""
    if not r.sources:
        return ""
    source = next(iter(r.sources.values()))
    groups = {
        group.line: group
        for section in t.sections
        if section.name == source.name
        for group in section.groups
        if isinstance(group, Group) and group.line
    }
    found = ""
    for line in _shown_lines(source, list(groups)):
        group = f" ad-g{groups[line].number}" if line in groups else ""
        mark = f' data-ad-line="{line}"' if len(r.sources) == 1 else ""
        found += f'<span class="ad-source-line{group}"{mark}><i>{line}</i>{esc(source.line(line))}\n</span>'
    return f'<pre class="ad-source-text" aria-label="Source"><code>{found}</code></pre>' if found else ""


def _shown_lines(source: Source, used: Sequence[int]) -> list[int]:
    first, last = source.part or (1, len(source.lines))
    if last - first >= MAX_SOURCE and used:
        first, last = min(used), min(max(used), min(used) + MAX_SOURCE)
    lines = list(range(first, last + 1))
    while lines and not source.line(lines[0]).strip():  # the line of the magic is not part of what was run
        lines.pop(0)
    while lines and not source.line(lines[-1]).strip():
        lines.pop()
    return lines


# ----------------------------------------------------------------------------------------------------------- inputs


def _inputs(r: Result, sliders: Sequence[Mapping[str, Any]]) -> str:
    """A slider and a number box for each number that moves, and what does not move."""
    rows = ""
    for place, slider in enumerate(sliders):
        name, value = esc(slider["name"]), r.inputs[slider["input"]]
        value = float(value.flat[slider["place"]] if shape_of(value) else value)
        rows += (
            f'<div class="ad-input" data-ad-input="{name}"><label class="ad-name" for="ad-box-{place}">{name}</label>'
            f'<span class="ad-end">{number(slider["lo"])}</span>'
            f'<input type="range" min="0" max="{slider["steps"]}" step="1" aria-label="{name}">'
            f'<span class="ad-end">{number(slider["hi"])}</span>'
            f'<input type="text" id="ad-box-{place}" aria-label="{name}, value" inputmode="decimal" '
            f'autocomplete="off" spellcheck="false" value="{repr(value).removesuffix(".0")}"></div>'
        )
    moved = {slider["input"] for slider in sliders}
    still = [f"{name} {shape_text(shape_of(v))}" for name, v in r.inputs.items() if name not in moved]
    note = f'<p class="ad-note">Too large for sliders: {esc(", ".join(still))}.</p>' if still else ""
    reset = '<button type="button" class="ad-reset" disabled>Reset</button><p class="ad-live" role="status"></p>'
    controls = f'<div class="ad-inputs-of-page">{rows}{note}</div>'
    return f'{controls}<div class="ad-bar">{reset}</div>'
