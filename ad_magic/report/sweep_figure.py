"""The errors of difference quotients over their steps as SVG: on logarithmic axes a V with straight branches."""

from __future__ import annotations

import math
from collections.abc import Callable

from ad_magic.check.sweep import COMPLEX_STEP, FORWARD_DIFFERENCES, LOST, ROUNDING, TRUNCATION, Curve, Sweep

from .markup import esc
from .sweep_plot import power

WIDTH, LEFT, RIGHT, TOP, HIGH, FOOT = 440, 46, 14, 14, 206, 34
LARGEST, SMALLEST, EXACT = 1.0, -17.0, -18.0  # powers of ten; what is exact stands on the last line
EVERY = 4  # decades from line to line
KEY = (
    '<span class="ad-swatch ad-truncation">●</span> truncation, the step is too large; '
    '<span class="ad-swatch ad-rounding">○</span> rounding, it is too small; '
    '<span class="ad-swatch">×</span> no digit left; '
    '<span class="ad-swatch ad-others">—</span> forward differences'
)
CHARACTER = 6.7  # px


def figure(s: Sweep) -> str:
    """An <svg> element. It takes its colours from the style sheets."""
    height = TOP + HIGH + FOOT
    wide = WIDTH - LEFT - RIGHT
    low, high = math.log10(min(s.steps)), math.log10(max(s.steps))

    def x(h: float) -> float:
        return LEFT + (math.log10(h) - low) / (high - low) * wide

    def y(error: float) -> float:
        exponent = EXACT if error <= 0 else min(max(math.log10(error), SMALLEST), LARGEST)
        return TOP + (LARGEST - exponent) / (LARGEST - EXACT) * HIGH

    parts = [_axes(s, low, high, x, y)]
    for kind, name in ((FORWARD_DIFFERENCES, "ad-others"), (COMPLEX_STEP, "ad-complex")):
        curve = s.curve(kind)
        if curve is not None and s.comes_down:
            parts.append(f'<path class="ad-sweep-line {name}" d="{_line(s, curve, x, y)}"/>')
    complex_curve = s.curve(COMPLEX_STEP)
    known = [] if complex_curve is None or not s.comes_down else [e for e in complex_curve.errors[-4:] if e is not None]
    if known:  # on the left, where it has no branch of rounding
        parts.append(_text("ad-sweep-exact", LEFT + 4, y(max(known)) - 5, "start", COMPLEX_STEP))
    parts.append(f'<path class="ad-sweep-line" d="{_line(s, s.central, x, y)}"/>')
    parts += [_mark(branch, x(h), y(error)) for h, error, branch in _points(s, s.central)]
    parts += _labels(s, x, y)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ad-svg ad-curve ad-sweep" role="img" aria-label="'
        f'{esc(f"Error of difference quotients over the step along {s.seed}: {s.words}")}" '
        f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" fill="currentColor">{"".join(parts)}</svg>'
    )


def _axes(s: Sweep, low: float, high: float, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    found, bottom, wide = "", TOP + HIGH, WIDTH - LEFT - RIGHT
    for exponent in range(math.ceil(low / EVERY) * EVERY, math.floor(high) + 1, EVERY):
        at = x(10.0**exponent)
        found += f'<path class="ad-curve-grid" d="M{_spot(at)} {TOP}v{HIGH}"/>'
        found += _text("ad-curve-tick", at, bottom + 14, "middle", power(exponent))
    for exponent in range(0, int(SMALLEST), -EVERY):
        at = y(10.0**exponent)
        found += f'<path class="ad-curve-grid" d="M{LEFT} {_spot(at)}h{wide}"/>'
        found += _text("ad-curve-tick", LEFT - 6, at + 3.5, "end", power(exponent))
    if any(error == 0 for curve in s.curves for error in curve.errors):
        found += f'<path class="ad-curve-grid" d="M{LEFT} {_spot(y(0.0))}h{wide}"/>'
        found += _text("ad-curve-tick", LEFT - 6, y(0.0) + 3.5, "end", "exact")
    found += _text("ad-curve-tick ad-name", LEFT + wide, bottom + 28, "end", "step h")
    return found + _text("ad-curve-tick ad-name", LEFT - 6, TOP + 1, "end", "error")


def _points(s: Sweep, curve: Curve) -> list[tuple[float, float, str]]:
    """(step, error, branch) of each step that gives a number."""
    return [
        (h, error, "best" if h == curve.best_step and s.comes_down else branch)
        for h, error, branch in zip(s.steps, curve.errors, curve.branches, strict=True)
        if error is not None
    ]


def _line(s: Sweep, curve: Curve, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    """The path through all errors, broken where there is none."""
    d, pen = "", "M"
    for h, error in zip(s.steps, curve.errors, strict=True):
        if error is None:
            pen = "M"
            continue
        d += f"{pen}{_spot(x(h))} {_spot(y(error))}"
        pen = "L"
    return d


def _mark(branch: str, px: float, py: float) -> str:
    """A point of the curve; the branches have shapes of their own, not colours alone."""
    if branch == LOST:
        return f'<path class="ad-sweep-lost" d="M{_spot(px - 2.5)} {_spot(py - 2.5)}l5 5m0 -5l-5 5"/>'
    radius = 4.5 if branch == "best" else 2.7
    kind = {"best": "ad-best", ROUNDING: "ad-rounding", TRUNCATION: "ad-truncation"}.get(branch, "")
    return f'<circle class="ad-sweep-point {kind}" cx="{_spot(px)}" cy="{_spot(py)}" r="{radius}"/>'


def _labels(s: Sweep, x: Callable[[float], float], y: Callable[[float], float]) -> list[str]:
    """Each branch with its slope, in the corner below it."""
    curve, found = s.central, []
    points = [(x(h), y(error)) for h, error, _ in _points(s, curve) if error > 0]
    for branch, slope, on_the_right in (
        (ROUNDING, curve.rounding_slope, False),
        (TRUNCATION, curve.truncation_slope, True),
    ):
        if slope is None:
            continue
        text = f"{branch}, slope {slope:.1f}".removesuffix(".0").replace("-", "−")
        room = CHARACTER * len(text) + 12
        edge = WIDTH - RIGHT if on_the_right else LEFT
        above = [py for px, py in points if (px > edge - room if on_the_right else px < edge + room)]
        py = min(max(above, default=TOP) + 16, TOP + HIGH - 6)
        anchor, px = ("end", edge - 4) if on_the_right else ("start", edge + 4)
        found.append(_text(f"ad-sweep-label ad-{branch}", px, py, anchor, text))
    return found


def _text(kind: str, px: float, py: float, anchor: str, content: str) -> str:
    return f'<text class="{kind}" x="{_spot(px)}" y="{_spot(py)}" text-anchor="{anchor}">{esc(content)}</text>'


def _spot(v: float) -> str:
    """A coordinate, to a tenth of a px."""
    return f"{math.floor(v * 10 + 0.5) / 10:.15g}"
