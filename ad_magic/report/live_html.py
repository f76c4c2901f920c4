"""The report as the live panel holds it: the one of html.py, and a place for the curve that the page draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import picture
from .film import film
from .html import MAX_EXPRESSION, head, parts, wrapped
from .markup import style_sheet
from .table import Table, entries, table, widest

if TYPE_CHECKING:
    from .result import Result

ROOM = 8  # characters that a node of the graph keeps for its number: "−17.8826"
CROWDED = 42  # em; a wider table has room for the code in a very wide page alone
# Of the table, in em: a character, and what is left and right of a column; in characters: the number of a line, most
# numbers ("−0.0952381"), and one of a heading, which is in a smaller script.
WIDE, PADDING = 0.56, 1.2
LINE, LONG, HEAD = 3, 10, 0.75


def render(
    r: Result, moving: Sequence[Mapping[str, Any]], *, digits: int = 6, max_rows: int = 60, show: str = "tables"
) -> str:
    """The report of a panel whose inputs `moving` are (see `live.moving`). What a script draws is empty."""
    t = table(r, max_rows=max_rows)
    body = parts(r, t, digits, max_rows, show, room=ROOM, film=film(t))
    figures = picture.stand(r, [one["name"] for one in moving])
    room = room_of(t)
    crowded = " ad-crowded" if room > CROWDED else ""
    body = f'<div class="ad-beside{crowded}" style="--ad-room: {room:.0f}em">{figures}{body}</div>'
    body = head(t, digits) + body
    return wrapped(t, f"<style>{style_sheet('live')}</style>{body}", links=False)


def room_of(t: Table) -> float:
    """How wide the table is, roughly, in em. Where that does not fit beside the figures they stand above it: at once,
    not in the middle of a gesture, when a number gets longer."""
    rows = [entry[3] for entry in entries(t) if not isinstance(entry, str)]
    names = max((len(row.name) for row in rows), default=0)
    labels = max((len(row.label or "") for row in rows if row.op != "input"), default=0)
    expressions = max((len(row.expression[:MAX_EXPRESSION]) for row in rows), default=0)
    numbers = (max(LONG, HEAD * len(c.head), widest(c.of(row) for row in rows)) for c in t.columns)
    columns = (LINE, LINE * t.looped, names, labels, expressions, *numbers)
    return sum(WIDE * n + PADDING for n in columns if n)
