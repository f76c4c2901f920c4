"""A curve as SVG: f with its tangent line at the point above, f′ below, the marks on the axis.

js/curve.js draws the same in a page, character for character: what is changed here is changed there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .curves import Curve, Mark
from .markup import esc
from .number import number

WIDTH, LEFT, RIGHT, TOP, HIGH, BETWEEN, LOW, FOOT = 440, 60, 14, 26, 150, 32, 84, 44
SECOND = TOP + HIGH + BETWEEN  # the top of the lower drawing
NEEDLE = 72  # px on each side of the point
HUGE = 1e300  # numbers beyond it are not on any axis


def figure(c: Curve | None) -> str:
    """An <svg> element; for None an empty one. It takes its colours from the report's style sheet."""
    height = SECOND + LOW + FOOT
    title = f"{c.frame.head} along {c.frame.name}, its tangent line, and {c.frame.slope_head} below" if c else "Curve"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ad-svg ad-curve" role="img" aria-label="{esc(title)}" '
        f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" fill="currentColor">'
        f"{drawing(c) if c else ''}</svg>"
    )


def data(c: Curve) -> dict[str, Any]:
    """The curve as js/curve.js has it."""
    found = asdict(c)
    return {**found.pop("frame"), **found}


def drawing(c: Curve) -> str:
    """What is in the <svg>."""
    wide, bottom = WIDTH - LEFT - RIGHT, SECOND + LOW
    lo, hi, digits = c.frame.lo, c.frame.hi, c.frame.digits
    inside = [ok and math.isfinite(y) for ok, y in zip(c.valid, c.values, strict=True)]
    here, value, slope = c.value is not None and c.slope is not None, c.value or 0.0, c.slope or 0.0
    upper = extent([y for y, ok in zip(c.values, inside, strict=True) if ok], [value] if here else [])
    lower = extent([s for s, ok in zip(c.slopes, inside, strict=True) if ok], [0.0, slope] if here else [0.0])

    def x(v: float) -> float:
        return LEFT + share(v, lo, hi) * wide

    def text(kind: str, px: float, py: float, anchor: str, content: str) -> str:
        return f'<text class="{kind}" x="{spot(px)}" y="{spot(py)}" text-anchor="{anchor}">{content}</text>'

    def shown(head: str, v: float) -> str:
        return f'<tspan class="ad-name">{esc(head)}</tspan>{f" = {number(v, digits)}" if here and v == v else ""}'

    def down(v: float) -> str:
        return f'd="M{spot(x(v))} {TOP}v{HIGH}M{spot(x(v))} {SECOND}v{LOW}"/>'

    s = text("ad-curve-head", LEFT, TOP - 10, "start", shown(c.frame.head, value))
    s += text("ad-curve-head ad-curve-second", LEFT, SECOND - 10, "start", shown(c.frame.slope_head, slope))
    for v, label in ticks(lo, hi, 6):
        s += f'<path class="ad-curve-grid" {down(v)}'
        s += text("ad-curve-tick", x(v), bottom + 14, "middle", label)
    for y0, tall, (a, b), count in ((TOP, HIGH, upper, 5), (SECOND, LOW, lower, 4)):
        for v, label in ticks(a, b, count):
            py = y0 + (1 - share(v, a, b)) * tall
            zero = " ad-curve-zero" if v == 0 else ""
            s += f'<path class="ad-curve-grid{zero}" d="M{LEFT} {spot(py)}h{wide}"/>'
            s += text("ad-curve-tick", LEFT - 6, py + 3.5, "end", label)
    s += text("ad-curve-tick ad-name", LEFT - 18, bottom + 14, "end", esc(c.frame.name))
    for a, b in c.elsewhere:
        start, size = spot(x(a)), spot(x(b) - x(a))
        boxes = "".join(f"M{start} {y0}h{size}v{tall}h-{size}z" for y0, tall in ((TOP, HIGH), (SECOND, LOW)))
        s += f'<path class="ad-curve-elsewhere" d="{boxes}"/>'
    for m in c.marks:
        s += f'<g class="ad-curve-mark ad-{m.kind}"{origin(m)}><title>{esc(m.text)}</title><path {down(m.x)}'
        s += f'<path class="ad-tip" d="M{spot(x(m.x))} {bottom}l-4 7h8z"/></g>'
    if c.note:
        s += text(f"ad-curve-tick{' ad-curve-note' * bool(c.marks)}", LEFT, bottom + 28, "start", esc(c.note))
    if here:
        s += f'<path class="ad-curve-here" {down(c.at)}'
    jumps, torn = [m.x for m in c.marks if m.kind != "kink"], [m.x for m in c.marks]
    above = f'<path class="ad-curve-f" d="{path_of(c, c.values, upper, HIGH, jumps)}"/>'
    below = f'<path class="ad-curve-slope" d="{path_of(c, c.slopes, lower, LOW, torn)}"/>'
    if here and abs(value) < HUGE and abs(slope) < HUGE:  # also no NaN
        px, py = share(c.at, lo, hi) * wide, (1 - share(value, *upper)) * HIGH
        ux, uy = wide / (hi - lo), (-slope * HIGH) / (upper[1] - upper[0])
        t = NEEDLE / math.hypot(ux, uy)
        ends = f"M{spot(px - t * ux)} {spot(py - t * uy)}L{spot(px + t * ux)} {spot(py + t * uy)}"
        above += f'<path class="ad-curve-tangent" d="{ends}"/>'
        above += f'<circle class="ad-curve-point" cx="{spot(px)}" cy="{spot(py)}" r="4"/>'
        cy = spot((1 - share(slope, *lower)) * LOW)
        below += f'<circle class="ad-curve-point ad-curve-second" cx="{spot(px)}" cy="{cy}" r="3.5"/>'
    return s + "".join(
        f'<svg x="{LEFT}" y="{y0}" width="{wide}" height="{tall}">{content}</svg>'
        for y0, tall, content in ((TOP, HIGH, above), (SECOND, LOW, below))
    )


def origin(m: Mark) -> str:
    """The attributes by which a mark is lit with the line or the row that it comes from."""
    line = f' data-ad-line="{m.line}"' if m.line else ""
    return line + (f' data-ad-row="{m.row}"' if m.row is not None else "")


def extent(numbers: Sequence[float], held: Sequence[float]) -> tuple[float, float]:
    """The range of an axis that shows the numbers; what stands far out is cut off. `held` must be within.

    >>> extent([0.0, 1.0, 2.0], [])
    (-0.12, 2.12)
    """
    every = sorted(y for y in numbers if abs(y) < HUGE)
    if not every:
        return -1.0, 1.0
    n = len(every) - 1
    low, high = every[math.floor(0.05 * n)], every[math.ceil(0.95 * n)]
    span, lo, hi = high - low, every[0], every[n]
    if lo < low - 3 * span:
        lo = low - span
    if hi > high + 3 * span:
        hi = high + span
    for y in held:
        if abs(y) < HUGE:
            lo, hi = min(lo, y), max(hi, y)
    if hi - lo <= 1e-9 * max(abs(lo), abs(hi)):
        reach = abs(lo) / 2 or 1.0
        return lo - reach, hi + reach
    margin = 0.06 * (hi - lo)
    return lo - margin, hi + margin


def ticks(lo: float, hi: float, count: int) -> list[tuple[float, str]]:
    """About `count` round numbers from lo to hi, with their texts.

    >>> [text for _, text in ticks(-0.3, 1.1, 4)]
    ['0', '0.5', '1']
    """
    size = (hi - lo) / count
    power = math.floor(math.log10(size))
    step = next(s for m in (1, 2, 5, 10, 20) if (s := float(f"{m}e{power}")) >= size * (1 - 1e-9))
    digits = min(15, max(6, math.ceil(math.log10(max(abs(lo), abs(hi)) / step)) + 2))
    places = range(math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9) + 1)
    return [(k * step, number(k * step, digits)) for k in places]


def share(v: float, lo: float, hi: float) -> float:
    return (v / 2 - lo / 2) / (hi / 2 - lo / 2)


def spot(v: float) -> str:
    """A coordinate, to a tenth of a px."""
    return f"{math.floor(v * 10 + 0.5) / 10:.15g}"


def path_of(c: Curve, ys: Sequence[float], y_range: tuple[float, float], high: float, breaks: Sequence[float]) -> str:
    """The curve within a box that is `high`; broken where it is not valid, and where it jumps."""
    wide, d, last = WIDTH - LEFT - RIGHT, "", None
    for i, (x, y, ok) in enumerate(zip(c.xs, ys, c.valid, strict=True)):
        if not ok or not math.isfinite(y):
            last = None
            continue
        at = min(max(1 - share(y, *y_range), -1.0), 2.0)  # clamped far outside of the box, which is cut off
        torn = (
            last is None or (last < 0 and at > 1) or (last > 1 and at < 0) or any(c.xs[i - 1] <= b <= x for b in breaks)
        )
        d += f"{'M' if torn else 'L'}{spot(share(x, c.frame.lo, c.frame.hi) * wide)} {spot(at * high)}"
        last = at
    return d
