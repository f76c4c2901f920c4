"""The bar under which js/film.js shows the sweeps step by step: closed, and empty until the script fills it."""

from __future__ import annotations

from .markup import esc
from .table import Table

TITLE = "Sweeps, step by step"
_BUTTONS = (  # what it does, its name, the picture on it, 12 × 12
    ("first", "First step", "M2 1v10M11 1l-7 5l7 5z"),
    ("previous", "Previous step", "M9 1l-7 5l7 5z"),
    ("play", "Play", "M3 1l8 5l-8 5z"),
    ("next", "Next step", "M3 1l7 5l-7 5z"),
    ("last", "Last step", "M10 1v10M1 1l7 5l-7 5z"),
)
_PAUSE = '<path class="ad-pause" d="M3 1h2v10h-2zM7 1h2v10h-2z"/>'


def film(t: Table) -> str:
    """The bar for the sweeps that a table has columns of; "" where it has none.

    Reverse comes first, then forward along each seed that has a column. The value of a choice is the key of the column.
    """
    sweeps = [(column.key, "reverse") for column in t.columns if column.kind == "adjoint"]
    sweeps += [(column.key, f"forward along {column.seed}") for column in t.columns if column.kind == "tangent"]
    if not sweeps:
        return ""
    buttons = "".join(
        f'<button type="button" data-ad-step="{what}" aria-label="{name}" title="{name}">'
        f'<svg viewBox="0 0 12 12"><path d="{picture}"/>{_PAUSE if what == "play" else ""}</svg></button>'
        for what, name, picture in _BUTTONS
    )
    options = "".join(f'<option value="{esc(key)}">{esc(name)}</option>' for key, name in sweeps)
    return (
        f'<details class="ad-part ad-film"><summary>{TITLE}</summary>'
        f'<div class="ad-film-bar" role="group" aria-label="{TITLE}">{buttons}'
        f'<input type="range" min="0" step="1" value="0" aria-label="Step"><output></output>'
        f'<select aria-label="Sweep">{options}</select></div>'
        f'<div class="ad-film-step"><div></div></div><p class="ad-note"></p><p class="ad-said" aria-live="polite"></p>'
        f"</details>"
    )
