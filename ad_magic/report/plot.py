"""A curve in plain characters, for a terminal: f above, f′ below, drawn with the dots of Braille."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .curves import Curve
from .figure import extent
from .number import number

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a character, by row and column
BLANK = "⠀"
COLUMNS, HIGH, LOW = 60, 8, 5  # characters
POINT = "●"


def plot(c: Curve, width: int) -> str:
    """Both drawings one below the other, no wider than `width`."""
    inside = [ok and math.isfinite(y) for ok, y in zip(c.valid, c.values, strict=True)]
    here = c.value is not None and c.slope is not None and math.isfinite(c.value) and math.isfinite(c.slope)
    pieces = []
    for head, ys, now, rows, held in (
        (c.frame.head, c.values, c.value, HIGH, []),
        (c.frame.slope_head, c.slopes, c.slope, LOW, [0.0]),
    ):
        low, high = extent(
            [y for y, ok in zip(ys, inside, strict=True) if ok], [*held, *([now] if here and now is not None else [])]
        )
        ends = number(high, 3), number(low, 3)
        left = max(9, *map(len, ends))
        columns = min(COLUMNS, width - left - 2)
        canvas = drawn(c, ys, inside, (low, high), columns, rows)
        if here and now is not None:
            column = round((c.at - c.frame.lo) / (c.frame.hi - c.frame.lo) * (2 * columns - 1)) // 2
            canvas[dot_at(now, (low, high), rows) // 4][column] = POINT
        value = f" = {number(now, c.frame.digits)}" if here and now is not None else ""
        lines = [f"{'':{left}}  {head}{value}"]
        for k, line in enumerate(canvas):
            text = ends[0] if k == 0 else ends[1] if k == rows - 1 else ""
            lines.append(f"{text:>{left}} {'┤' if text else '│'}{''.join(line).rstrip(BLANK)}")
        pieces.append(lines)
    lo, hi = number(c.frame.lo, 4), number(c.frame.hi, 4)
    axis = f"{c.frame.name:>{left}}  {lo}{hi.rjust(columns - len(lo))}"
    return "\n".join([*pieces[0], *pieces[1], axis, *([f"{'':{left}}  {c.note}"] if c.note else [])])


def drawn(
    c: Curve, ys: Sequence[float], inside: Sequence[bool], y_range: tuple[float, float], columns: int, rows: int
) -> list[list[str]]:
    """A curve as lines of Braille characters; where it is steep its dots are joined."""
    masks = [[0] * columns for _ in range(rows)]
    low, high = y_range
    before: int | None = None
    for x in range(2 * columns):
        k = round(x * (len(ys) - 1) / (2 * columns - 1))
        if not inside[k] or not low <= ys[k] <= high:
            before = None
            continue
        dot = dot_at(ys[k], y_range, rows)
        start = dot if before is None else before + (dot > before) - (dot < before)
        for d in range(min(start, dot), max(start, dot) + 1):
            masks[d // 4][x // 2] |= DOTS[d % 4][x % 2]
        before = dot
    return [[chr(ord(BLANK) + mask) for mask in line] for line in masks]


def dot_at(y: float, y_range: tuple[float, float], rows: int) -> int:
    """The line of dots, from the top, on which a number stands."""
    low, high = y_range
    return min(max(round((high - y) / (high - low) * (4 * rows - 1)), 0), 4 * rows - 1)
