"""A heat strip: the entries of an array as a few small cells, in inline SVG.

Zero is the ground, a positive entry the colour of the text, a negative one the red of a negative partial; the deeper,
the greater beside the greatest of the array. A cell that is not finite is crossed in the colour of a warning. Colours
are classes of the style sheet, so the strip is at home in a light and in a dark page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .array import pooled
from .number import is_finite, number

COLUMNS, ROWS = 24, 5  # cells; an array of more is pooled
WIDTH, HEIGHT = 72, 15  # px, whatever the array holds: nothing moves when its numbers change
LEVELS = 8


def strip(value: Any) -> str:
    """An <svg> element for an array that has entries."""
    picture = pooled(value, ROWS, COLUMNS)
    return (
        f'<svg class="ad-strip" viewBox="0 0 {len(picture[0])} {len(picture)}" width="{WIDTH}" height="{HEIGHT}" '
        f'preserveAspectRatio="none" aria-hidden="true" fill="none">{cells(picture)}</svg>'
    )


def cells(picture: Sequence[Sequence[float]]) -> str:
    """The cells as paths in units of one cell: one path for each depth of each sign, neighbours in one stroke."""
    top = max((abs(x) for line in picture for x in line if is_finite(x)), default=0.0)
    strokes: dict[int, list[str]] = {}
    crosses = ""
    for y, line in enumerate(picture):
        x = 0
        while x < len(line):
            if not is_finite(line[x]):
                crosses += f"M{x + 0.2:g} {y + 0.2:g}l.6 .6m0 -.6l-.6 .6"
                x += 1
                continue
            level, start = _level(line[x], top), x
            while x < len(line) and is_finite(line[x]) and _level(line[x], top) == level:
                x += 1
            if level:
                strokes.setdefault(level, []).append(f"M{start} {y + 0.5:g}h{x - start}")
    found = "".join(
        f'<path class="ad-{"plus" if level > 0 else "less"}" stroke="currentColor" '
        f'opacity="{abs(level) / LEVELS:g}" d="{"".join(parts)}"/>'
        for level, parts in sorted(strokes.items())
    )
    return found + (f'<path class="ad-cross" stroke="currentColor" d="{crosses}"/>' if crosses else "")


def _level(value: float, top: float) -> int:
    """How deep a cell is, with its sign: 0 for zero alone."""
    if not value:
        return 0
    share = abs(value) / top * LEVELS if top else 0.0
    level = min(LEVELS, max(1, -int(-share // 1)))
    return level if value > 0 else -level


def explained(value: Any) -> str:
    """What the strip shows, for a title: the scale, and how it is pooled."""
    picture = pooled(value, ROWS, COLUMNS)
    finite = [abs(x) for line in picture for x in line if is_finite(x)]
    scale = f"the strip's colours go from 0 to ±{number(max(finite, default=0.0), 4)}, red is negative"
    shared = sum(map(len, picture)) < value.size
    return scale + ("; where entries share a cell it shows the one of greatest magnitude" if shared else "")
