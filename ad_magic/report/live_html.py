"""The report as the live panel holds it: the one of html.py, and a place for the curve that the page draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import picture
from .film import film
from .html import head, parts, wrapped
from .markup import style_sheet
from .table import table

if TYPE_CHECKING:
    from .result import Result

ROOM = 8  # characters that a node of the graph keeps for its number: "−17.8826"


def render(
    r: Result, moving: Sequence[Mapping[str, Any]], *, digits: int = 6, max_rows: int = 60, show: str = "tables"
) -> str:
    """The report of a panel whose inputs `moving` are (see `live.moving`). What a script draws is empty."""
    t = table(r, max_rows=max_rows)
    body = parts(r, t, digits, max_rows, show, room=ROOM, film=film(t))
    body = f'{head(t, digits)}<div class="ad-beside">{picture.stand(r, [one["name"] for one in moving])}{body}</div>'
    return wrapped(t, f"<style>{style_sheet('live')}</style>{body}", links=False)
