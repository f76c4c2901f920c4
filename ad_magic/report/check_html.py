"""The report of a check as HTML that needs no script: verdict, table, curves of the sweep of steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ad_magic.check.verdict import AGREES, DIFFERS

from .check_report import CURVES, HEAD, NUMBERS, cells_of, shown, summary, title
from .markup import esc, indexed, scroller, style_sheet
from .sweep_figure import KEY, figure

if TYPE_CHECKING:
    from ad_magic.check.findings import CheckRow, Findings

NBSP = "\u00a0"
UNTRUSTED = '<p class="ad-untrusted">The drawing is shown when the notebook is trusted.</p>'


def render(found: Findings) -> str:
    """The whole, with its style."""
    style = f"{style_sheet()}\n{style_sheet('check')}"
    return f'<div class="ad-report"><style>{style}</style>{body(found)}</div>'


def body(found: Findings) -> str:
    """What stands in a report, which has the style sheets."""
    rows, left_out = shown(found)
    word = AGREES if found.ok else DIFFERS
    causes = "".join(f'<p class="ad-cause">{indexed(cause)}</p>' for cause in found.causes)
    notes = "".join(f'<p class="ad-note">{esc(note)}</p>' for note in (*summary(found), *left_out))
    return (
        f'<div class="ad-check"><p class="ad-verdict ad-{word}">{esc(title(found))}</p>{causes}'
        f"{_table(rows)}{notes}{_curves(found)}</div>"
    )


def _table(rows: Sequence[CheckRow]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col"{_kind(k)}>{text}</th>' for k, text in enumerate(HEAD))
    lines = iter(cells_of(rows, NBSP))
    groups = []
    for seed, group in groupby(rows, key=lambda row: row.seed):
        group_rows = list(group)
        cells = [
            f'<tr class="ad-{row.word.replace(" ", "-")}" data-ad-seed="{esc(seed)}">'
            f"{_cells(next(lines), len(group_rows) if not k else 0)}</tr>"
            for k, row in enumerate(group_rows)
        ]
        groups.append(f"<tbody>{''.join(cells)}</tbody>")
    return (
        f'{scroller("Comparisons")}<table class="ad-table ad-comparisons"><caption>Derivatives against independent ones'
        f"</caption><thead><tr>{head}</tr></thead>{''.join(groups)}</table></div>"
    )


def _cells(line: Sequence[str], span: int) -> str:
    """The cells of a row; the first one stands before all rows of its input."""
    first = f'<th scope="rowgroup" align="left" rowspan="{span}" class="ad-seed">{esc(line[0])}</th>' if span else ""
    cells = [
        f"<td{_kind(k)}>{f'<samp>{text}</samp>' if k in NUMBERS else esc(text)}</td>"
        for k, text in enumerate(line[1:-1], 1)
    ]
    return "".join([first, *cells, f'<td class="ad-word">{esc(line[-1])}</td>'])


def _kind(column: int) -> str:
    return ' align="right" class="ad-number"' if column in NUMBERS else ""


def _curves(found: Findings) -> str:
    if not found.sweeps:
        return ""
    drawn = "".join(
        f'<figure class="ad-sweep-figure">{figure(s)}<figcaption><span class="ad-name">{esc(s.seed)}</span>: '
        f"{esc(s.words)}</figcaption></figure>"
        for s in found.sweeps
    )
    head = f'<p class="ad-note">{CURVES}, relative to ad_magic’s derivative: {KEY}</p>'
    return f'{head}{UNTRUSTED}<div class="ad-figures" hidden>{drawn}</div>'
