"""A small table whose cells are texts already: as aligned text, as HTML in the look of the report, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .markup import esc, indexed, scroller
from .number import align
from .text import display_width

NBSP = "\u00a0"


@dataclass(frozen=True, slots=True)
class Small:
    """Headings, rows of as many cells, and which columns are numbers: these stand under one another at the point.

    `kinds` are classes of the style sheet by column, "ad-adjoint" or "ad-tangent"; `caption` says what the table is.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    kinds: tuple[tuple[int, str], ...] = ()

    def aligned(self) -> list[list[str]]:
        """The cells by column, numbers padded."""
        columns = [[row[k] for row in self.rows] for k in range(len(self.heads))]
        return [align(column) if k in self.numbers else column for k, column in enumerate(columns)]


def text(t: Small) -> str:
    """The table as aligned text.

    >>> print(text(Small("", ("n", "cost"), (("a", "1.5"), ("bb", "10")), frozenset({1}))))
    n   cost
    ──  ────
    a    1.5
    bb  10
    """
    columns = t.aligned()
    widths = [max(map(display_width, [head, *column])) for head, column in zip(t.heads, columns, strict=True)]

    def line(cells: Sequence[str]) -> str:
        parts = []
        for k, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            space = " " * (width - display_width(cell))
            parts.append(space + cell if k in t.numbers else cell + space)
        return "  ".join(parts).rstrip()

    rule = "  ".join("─" * width for width in widths)
    return "\n".join([line(t.heads), rule, *(line(cells) for cells in zip(*columns, strict=True))])


def html(t: Small, markup: Callable[[str], str] = indexed, marks: Sequence[str] = ()) -> str:
    """The table as HTML. `markup` makes HTML of a cell; `marks` are attributes of the rows."""
    kinds = dict(t.kinds)
    columns = t.aligned()

    def cell(k: int, content: str) -> str:
        kind = f"{'ad-number ' if k in t.numbers else ''}{kinds.get(k, '')}".strip()
        named = f' class="{kind}"' if kind else ""
        side = "right" if k in t.numbers else "left"
        if k == 0:
            return f'<th scope="row" align="{side}"{named}>{markup(content)}</th>'
        inner = f"<samp>{_padded(content, markup)}</samp>" if k in t.numbers else markup(content)
        return f'<td align="{side}"{named}>{inner}</td>'

    heads = "".join(
        f'<th scope="col" align="{"right" if k in t.numbers else "left"}" '
        f'class="{_head_class(k in t.numbers, kinds.get(k, ""))}">{markup(head)}</th>'
        for k, head in enumerate(t.heads)
    )
    every = list(zip(*columns, strict=True)) if columns else []
    found = ""
    for k, cells in enumerate(every):
        mark = f" {marks[k]}" if k < len(marks) and marks[k] else ""
        found += f"<tr{mark}>{''.join(cell(j, content) for j, content in enumerate(cells))}</tr>"
    return (
        f'{scroller(esc(t.caption))}<table class="ad-table ad-small"><caption>{esc(t.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{found}</tbody></table></div>"
    )


def _head_class(is_number: bool, kind: str) -> str:
    return " ".join(part for part in ("ad-head", "ad-number" if is_number else "", kind) if part)


def _padded(content: str, markup: Callable[[str], str]) -> str:
    """A cell whose blanks at both ends are kept."""
    inner = content.strip()
    before = len(content) - len(content.lstrip()) if inner else 0
    return NBSP * before + markup(inner) + NBSP * (len(content) - before - len(inner))


def markdown(t: Small) -> str:
    """The table in Markdown."""
    from .markdown import escape, line_of

    marks = ["--:" if k in t.numbers else ":--" for k in range(len(t.heads))]
    return "\n".join(
        [line_of([escape(h) for h in t.heads]), line_of(marks), *(line_of([*map(escape, r)]) for r in t.rows)]
    )
