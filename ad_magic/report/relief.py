"""A contour as SVG: level lines with their labels, what is decided otherwise, the point and the gradient there.

js/contour.js draws the same in a page, character for character: what is changed here is changed there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from .contour import Contour, Line, Polygon, borders, ends_of, inside_of, is_elsewhere, level_lines, levels, polygons
from .figure import HUGE, share, spot, ticks
from .markup import esc
from .number import number

WIDTH, LEFT, TOP, WIDE, HIGH, FOOT = 440, 60, 26, 366, 280, 50
NARROW = 0.45  # a picture of one scale for both inputs may be so much narrower, or lower, than it is long
ARROW = 46  # px
LABELS = (0.5, 0.25, 0.75, 0.125, 0.375, 0.625, 0.875)  # where along a line its label may stand


class Frame(NamedTuple):
    """The rectangle of the drawing in px. Its scales are those of the axes where that leaves it a good shape."""

    wide: float
    high: float
    alike: bool  # one unit is as long in both directions


def frame(c: Contour) -> Frame:
    x, y = c.x.hi / 2 - c.x.lo / 2, c.y.hi / 2 - c.y.lo / 2
    wide, high = min(WIDE, HIGH / y * x), min(HIGH, WIDE / x * y)
    alike = wide >= NARROW * WIDE and high >= NARROW * HIGH
    return Frame(wide, high, True) if alike else Frame(WIDE, HIGH, False)


def relief(c: Contour | None, why: str = "") -> str:
    """An <svg> element; for None an empty one, which may say `why`. Its colours are those of the style sheet."""
    height = TOP + HIGH + FOOT
    title = f"{c.head} over {c.x.name} and {c.y.name}: level lines, the point, and the gradient" if c else "Contour"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ad-svg ad-contour" role="img" aria-label="{esc(title)}" '
        f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" fill="currentColor">'
        f"{drawing(c) if c else _text('ad-curve-tick', 0, TOP, 'start', esc(why)) if why else ''}</svg>"
    )


def data(c: Contour) -> dict[str, Any]:
    """The contour as js/contour.js has it."""
    return {**asdict(c), "x": c.x._asdict(), "y": c.y._asdict()}


def drawing(c: Contour) -> str:
    """What is in the <svg>: what stands, and what moves with the point."""
    cells = list(polygons(c, inside_of(c)))
    return f"<g>{_still(c, cells)}</g><g>{_moving(c, cells)}</g>"


def _text(kind: str, px: float, py: float, anchor: str, content: str) -> str:
    return f'<text class="{kind}" x="{spot(px)}" y="{spot(py)}" text-anchor="{anchor}">{content}</text>'


def _still(c: Contour, cells: Sequence[tuple[int, Polygon]]) -> str:
    f = frame(c)
    bottom = TOP + f.high
    box = f"M{LEFT} {TOP}h{spot(f.wide)}v{spot(f.high)}h-{spot(f.wide)}z"
    s = f'<path class="ad-contour-box" d="{box}"/>'
    for v, label in ticks(c.x.lo, c.x.hi, 6 if f.wide > 250 else 3):
        px = LEFT + share(v, c.x.lo, c.x.hi) * f.wide
        s += f'<path class="ad-curve-grid" d="M{spot(px)} {TOP}v{spot(f.high)}"/>'
        s += _text("ad-curve-tick", px, bottom + 14, "middle", label)
    for v, label in ticks(c.y.lo, c.y.hi, 6):
        py = TOP + (1 - share(v, c.y.lo, c.y.hi)) * f.high
        s += f'<path class="ad-curve-grid" d="M{LEFT} {spot(py)}h{spot(f.wide)}"/>'
        s += _text("ad-curve-tick", LEFT - 6, py + 3.5, "end", label)
    s += _text("ad-curve-tick ad-name", LEFT - 18, bottom + 14, "end", esc(c.x.name))
    s += _text("ad-curve-tick ad-name", LEFT - 18, TOP - 8, "end", esc(c.y.name))
    s += _elsewhere(c, f)
    polygon_of = [polygon for _, polygon in cells]
    lines, labels, boxes = "", "", list[tuple[float, float, float]]()
    for level, label in levels(c):
        found = level_lines(polygon_of, level)
        if not found:
            continue
        name = f"<title>{esc(c.head)} = {label}</title>"
        lines += f'<path class="ad-contour-line" d="{_path(c, f, found)}">{name}</path>'
        labels += _label(c, f, max(found, key=len), label, boxes)
    return s + lines + labels


def _moving(c: Contour, cells: Sequence[tuple[int, Polygon]]) -> str:
    f = frame(c)
    here, (fx, fy) = c.value is not None, c.slopes
    value = c.value or 0.0
    name = f'<tspan class="ad-name">{esc(c.head)}</tspan>'
    s = _text("ad-curve-head", LEFT, TOP - 8, "start", f"{name} = {number(value, c.digits)}" if here else name)
    if not here:
        return s
    px = LEFT + share(c.at[0], c.x.lo, c.x.hi) * f.wide
    py = TOP + (1 - share(c.at[1], c.y.lo, c.y.hi)) * f.high
    if abs(value) < HUGE:
        s += f'<path class="ad-contour-here" d="{_path(c, f, level_lines([p for _, p in cells], value))}"/>'
    gradient = f"gradient ({number(fx, c.digits)}, {number(fy, c.digits)})"
    s += _text("ad-curve-tick ad-contour-gradient", LEFT, TOP + f.high + 29, "start", gradient)
    if not f.alike:
        note = "axes of different scale: not perpendicular to the line"
        s += _text("ad-curve-tick", LEFT, TOP + f.high + 42, "start", note)
    largest = max(abs(fx), abs(fy))
    if 0 < largest < HUGE and abs(fx) < HUGE and abs(fy) < HUGE:
        ux = fx / largest * (f.wide / (c.x.hi / 2 - c.x.lo / 2))
        uy = -fy / largest * (f.high / (c.y.hi / 2 - c.y.lo / 2))
        size = math.sqrt(ux * ux + uy * uy)
        ux, uy = ux / size, uy / size
        tx, ty = px + ARROW * ux, py + ARROW * uy
        bx, by = tx - 8 * ux, ty - 8 * uy  # where the head begins
        head = (
            f"M{spot(tx)} {spot(ty)}L{spot(bx - 4 * uy)} {spot(by + 4 * ux)}L{spot(bx + 4 * uy)} {spot(by - 4 * ux)}z"
        )
        shaft = f'<path d="M{spot(px)} {spot(py)}L{spot(bx)} {spot(by)}"/><path class="ad-tip" d="{head}"/>'
        s += f'<g class="ad-contour-arrow"><title>{gradient}, its direction</title>{shaft}</g>'
    return s + f'<circle class="ad-curve-point" cx="{spot(px)}" cy="{spot(py)}" r="4"/>'


def _elsewhere(c: Contour, f: Frame) -> str:
    """What the program decides otherwise: a pale area with its rim, hatched."""
    n, inside = c.count, inside_of(c)
    whole, area = set[int](), ""
    for k, polygon in polygons(c, [not ok for ok in inside]):
        if is_elsewhere(c, k):
            if not (inside[k] or inside[k + 1] or inside[k + n] or inside[k + n + 1]):
                whole.add(k)
            else:
                area += "M" + "L".join(_at(c, f, p.x, p.y) for p in polygon) + "z"
    hatch = ""
    for k in range(n * n):
        if k not in whole:
            continue
        if k % n == 0 or k - 1 not in whole:  # as many cells of a line as there are
            end = k
            while end in whole:
                end += 1
            i, j = k % n, k // n
            area += (
                f"M{_at(c, f, i, j)}L{_at(c, f, i + end - k, j)}L{_at(c, f, i + end - k, j + 1)}L{_at(c, f, i, j + 1)}z"
            )
        if (k % n - k // n) % 3 == 0 and k - n - 1 not in whole:
            end = k
            while end in whole:
                end += n + 1
            hatch += f"M{_at(c, f, k % n, k // n)}L{_at(c, f, k % n + (end - k) // (n + 1), end // n)}"
    if not area:
        return ""
    s = f'<path class="ad-curve-elsewhere" d="{area}"/><path class="ad-contour-hatch" d="{hatch}"/>'
    lines, rim = dict(c.lines), {edge: share for edge, share, _ in c.rim}
    for chain in borders(c):
        line = next((lines[edge] for edge in chain if edge in lines), None)
        mark = f' data-ad-line="{line}"' if line else ""
        who = f"line {line}" if line else "the program"
        spots = []
        for edge in chain:
            p, q = ends_of(edge, n)
            spots.append((p % n + (q % n - p % n) * rim[edge], p // n + (q // n - p // n) * rim[edge]))
        d = _path(c, f, [spots])
        s += f'<path class="ad-contour-rim"{mark} d="{d}"><title>{who} decides otherwise</title></path>'
    return s


def _at(c: Contour, f: Frame, x: float, y: float) -> str:
    """A point of the grid in px."""
    return f"{spot(LEFT + x / (c.count - 1) * f.wide)} {spot(TOP + (1 - y / (c.count - 1)) * f.high)}"


def _path(c: Contour, f: Frame, lines: Sequence[Line]) -> str:
    """Lines as one path. Of points that are close to one another one is enough."""
    found = ""
    for line in lines:
        before = line[0]
        found += f"M{_at(c, f, *before)}"
        for k in range(1, len(line)):
            x, y = (line[k][0] - before[0]) * f.wide / (c.count - 1), (line[k][1] - before[1]) * f.high / (c.count - 1)
            if k == len(line) - 1 or x * x + y * y > 6:
                before = line[k]
                found += f"L{_at(c, f, *before)}"
    return found


def _label(c: Contour, f: Frame, line: Line, text: str, boxes: list[tuple[float, float, float]]) -> str:
    """The level of a line, upon it, where there is room for it."""
    half = 3.1 * len(text) + 2
    for part in LABELS:
        x, y = line[math.floor(part * (len(line) - 1))]
        px, py = LEFT + x / (c.count - 1) * f.wide, TOP + (1 - y / (c.count - 1)) * f.high
        within = LEFT + half <= px <= LEFT + f.wide - half and TOP + 7 <= py <= TOP + f.high - 7
        if within and not any(abs(px - qx) < half + wide and abs(py - qy) < 13 for qx, qy, wide in boxes):
            boxes.append((px, py, half))
            return _text("ad-contour-label", px, py + 3.5, "middle", text)
    return ""
