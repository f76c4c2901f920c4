"""A Taylor polynomial over its curve: as SVG, and in plain characters."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from .curves import Curve
from .figure import LEFT, RIGHT, WIDTH, extent, origin, path_of, share, spot, ticks
from .markup import esc
from .number import number
from .plot import BLANK, COLUMNS, POINT, dot_at, drawn

if TYPE_CHECKING:
    from .taylor import Expansion

TOP, HIGH, FOOT = 44, 220, 44
ROWS = 12  # of the plot, in characters
FAINT = 4  # lower orders that are drawn


def figure(e: Expansion) -> str:
    """An <svg> element, in the style of the curves: the curve, the polynomial, faintly those of lower orders."""
    c = e.curve
    assert c is not None
    bottom, wide = TOP + HIGH, WIDTH - LEFT - RIGHT
    y_range = extent([y for y, ok in zip(c.values, c.valid, strict=True) if ok and math.isfinite(y)], _here(e))
    s = _axes(c, y_range) + _legend(e)
    for m in c.marks:
        down = f"M{spot(_x(c, m.x))} {TOP}v{HIGH}"
        s += f'<g class="ad-curve-mark ad-{m.kind}"{origin(m)}><title>{esc(m.text)}</title><path d="{down}"/>'
        s += f'<path class="ad-tip" d="M{spot(_x(c, m.x))} {bottom}l-4 7h8z"/></g>'
    if c.marks:
        s += _text("ad-curve-tick ad-curve-note", LEFT, bottom + 28, "start", esc(c.note))
    s += _reach(e)
    if math.isfinite(e.at):
        s += f'<path class="ad-curve-here" d="M{spot(_x(c, e.at))} {TOP}v{HIGH}"/>'
    jumps = [m.x for m in c.marks if m.kind != "kink"]
    inner = f'<path class="ad-curve-f" d="{path_of(c, c.values, y_range, HIGH, jumps)}"/>'
    for order in range(max(0, e.order - FAINT), e.order):
        inner += _polynomial(e, order, y_range, "ad-taylor-lower")
    inner += _polynomial(e, e.order, y_range, "ad-taylor-p")
    if _has_point(e, y_range):
        cx, cy = share(e.at, c.frame.lo, c.frame.hi) * wide, (1 - share(e.coefficients[0], *y_range)) * HIGH
        inner += f'<circle class="ad-curve-point" cx="{spot(cx)}" cy="{spot(cy)}" r="4"/>'
    s += f'<svg x="{LEFT}" y="{TOP}" width="{wide}" height="{HIGH}">{inner}</svg>'
    title = esc(f"{e.head} along {e.name}, and its Taylor polynomial of order {e.order} at {number(e.at, e.digits)}")
    height = TOP + HIGH + FOOT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ad-svg ad-curve" role="img" aria-label="{title}" '
        f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" fill="currentColor">{s}</svg>'
    )


def _has_point(e: Expansion, y_range: tuple[float, float]) -> bool:
    return math.isfinite(e.at) and y_range[0] <= e.coefficients[0] <= y_range[1]


def _here(e: Expansion) -> list[float]:
    """What must be within the drawing."""
    return [e.coefficients[0]] if math.isfinite(e.coefficients[0]) and math.isfinite(e.at) else []


def _x(c: Curve, v: float) -> float:
    return LEFT + share(v, c.frame.lo, c.frame.hi) * (WIDTH - LEFT - RIGHT)


def _text(kind: str, px: float, py: float, anchor: str, content: str) -> str:
    return f'<text class="{kind}" x="{spot(px)}" y="{spot(py)}" text-anchor="{anchor}">{content}</text>'


def _legend(e: Expansion) -> str:
    """Which line is what: the words stand behind a piece of it."""
    s, px = "", float(LEFT)
    for kind, words in (
        ("ad-curve-f", f'<tspan class="ad-name">{esc(e.head)}</tspan>'),
        ("ad-taylor-p", f"order {e.order}"),
        *((("ad-taylor-lower", "lower orders"),) if e.order else ()),
    ):
        s += f'<path class="{kind}" d="M{spot(px)} {TOP - 18}h20"/>'
        s += _text("ad-curve-head", px + 26, TOP - 14, "start", words)
        px += 26 + 7.0 * len(words if kind != "ad-curve-f" else e.head) + 22
    return s


def _axes(c: Curve, y_range: tuple[float, float]) -> str:
    s, bottom, wide = "", TOP + HIGH, WIDTH - LEFT - RIGHT
    for v, label in ticks(c.frame.lo, c.frame.hi, 6):
        s += f'<path class="ad-curve-grid" d="M{spot(_x(c, v))} {TOP}v{HIGH}"/>'
        s += _text("ad-curve-tick", _x(c, v), bottom + 14, "middle", label)
    for v, label in ticks(*y_range, 5):
        py = TOP + (1 - share(v, *y_range)) * HIGH
        zero = " ad-curve-zero" if v == 0 else ""
        s += f'<path class="ad-curve-grid{zero}" d="M{LEFT} {spot(py)}h{wide}"/>'
        s += _text("ad-curve-tick", LEFT - 6, py + 3.5, "end", label)
    s += _text("ad-curve-tick ad-name", LEFT - 18, bottom + 14, "end", esc(c.frame.name))
    for a, b in c.elsewhere:
        size = spot(_x(c, b) - _x(c, a))
        s += f'<path class="ad-curve-elsewhere" d="M{spot(_x(c, a))} {TOP}h{size}v{HIGH}h-{size}z"/>'
    return s


def _reach(e: Expansion) -> str:
    """How far the series converges, as a line below the axis; nothing where it is not known or reaches everywhere."""
    c = e.curve
    assert c is not None
    if e.radius is None or not math.isfinite(e.at):
        return ""
    low, high = e.at - e.radius, e.at + e.radius
    if low < c.frame.lo and high > c.frame.hi:
        return ""
    left, right = _x(c, max(low, c.frame.lo)), _x(c, min(high, c.frame.hi))
    if not left < right:
        return ""
    ends = "".join(f"M{spot(_x(c, v))} {TOP + HIGH - 4}v8" for v in (low, high) if c.frame.lo <= v <= c.frame.hi)
    return f'<path class="ad-taylor-reach" d="M{spot(left)} {TOP + HIGH}H{spot(right)}{ends}"/>'


def _polynomial(e: Expansion, order: int, y_range: tuple[float, float], kind: str) -> str:
    c = e.curve
    assert c is not None
    d = path_of(replace(c, valid=[True] * len(c.xs)), [e(x, order) for x in c.xs], y_range, HIGH, [])
    return f'<path class="{kind}" d="{d}"/>'


# ---- in plain characters -------------------------------------------------------------------------


def plot(e: Expansion, width: int) -> str:
    """The curve in dots of Braille, the polynomial as · where it is not on the curve, no wider than `width`."""
    c = e.curve
    assert c is not None
    inside = [ok and math.isfinite(y) for ok, y in zip(c.valid, c.values, strict=True)]
    y_range = extent([y for y, ok in zip(c.values, inside, strict=True) if ok], _here(e))
    low, high = y_range
    ends = number(high, 3), number(low, 3)
    left = max(9, *map(len, ends))
    columns = min(COLUMNS, width - left - 2)
    canvas = drawn(c, c.values, inside, y_range, columns, ROWS)
    polynomial = [e(x) for x in c.xs]
    for column in range(columns):
        k = round(column * (len(c.xs) - 1) / (columns - 1))
        y = polynomial[k]
        if math.isfinite(y) and low <= y <= high:
            row = dot_at(y, y_range, ROWS) // 4
            if canvas[row][column] == BLANK:
                canvas[row][column] = "·"
    if _has_point(e, y_range):
        column = round(share(e.at, c.frame.lo, c.frame.hi) * (2 * columns - 1)) // 2
        canvas[dot_at(e.coefficients[0], y_range, ROWS) // 4][min(max(column, 0), columns - 1)] = POINT
    lines = [f"{'':{left}}  ⠤⠤ {e.head}   ·· order {e.order}"]
    for k, line in enumerate(canvas):
        said = ends[0] if k == 0 else ends[1] if k == ROWS - 1 else ""
        lines.append(f"{said:>{left}} {'┤' if said else '│'}{''.join(line).rstrip(BLANK)}")
    lo, hi = number(c.frame.lo, 4), number(c.frame.hi, 4)
    lines.append(f"{c.frame.name:>{left}}  {lo}{hi.rjust(columns - len(lo))}")
    return "\n".join(lines)
