"""The computational graph as SVG: beside each source line its operations, on each edge what belongs to it.

An edge on which a number flows has its local partial, one on which an array flows the array's shape.

A large graph is folded: one box for each source line, with the number of times it ran, and arcs for what flows where.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from .array import all_finite, brief, is_short, norm, shape_text
from .folded import folded
from .layout import Edge, Layout, depths, layered
from .lines import LineGroup, line_groups
from .markup import CHAR, esc, style_sheet, subscripted
from .number import is_finite, number
from .row import Row, warnings
from .text import display_width, shorten

if TYPE_CHECKING:
    from .result import Result

HEIGHT = 40.0  # of a node
LABEL = 13.0  # height of an edge label
MAX_CODE = 36
MAX_NODE = 20  # characters in a node


def graph(r: Result, *, digits: int = 6, max_rows: int = 60, standalone: bool = False, room: int = 0) -> str:
    """An <svg> element: the graph of a result, folded when it has more than `max_rows` operations.

    It takes its colours from the report's style sheet; `standalone` puts that into it. `room` is how many characters a
    node and an edge keep for a number that will change.
    """
    groups = line_groups(r.rows, r.sources)
    if len(r.rows) > max_rows:
        parts, width, height = folded(groups, max_rows)
        title = "Computational graph, one box for each source line"
    else:
        parts, width, height = _full(r, groups, digits, room)
        title = "Computational graph: each operation beside its source line, local partials on the edges"
    # it shrinks with the page as long as it can be read; then the part that holds it scrolls
    style = f"<style>{style_sheet()}</style>" if standalone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ad-svg{" ad-report" if standalone else ""}" role="img" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'style="min-width:{width * 0.8:.0f}px" font-size="11" fill="currentColor">'
        f"<title>{esc(title)}</title>{style}{''.join(parts)}</svg>"
    )


def _full(r: Result, groups: Sequence[LineGroup], digits: int, room: int) -> tuple[list[str], float, float]:
    rows = list(r.rows)
    owner = {row.index: (group, run) for group in groups for run, rows_ in enumerate(group.runs) for row in rows_}
    bands: list[tuple[LineGroup, int]] = []  # in order of execution; a loop comes back to its lines
    band: list[int] = []
    for row in rows:
        if not bands or bands[-1] != owner[row.index]:
            bands.append(owner[row.index])
        band.append(len(bands) - 1)
    slopes = _edges(rows)
    flows = {edge: shape_text(rows[edge[0]].shape) for edge in slopes}
    captions = [_caption(group, run) for group, run in bands]
    margin = 40 + CHAR * max(map(display_width, captions), default=0) + 28
    texts = [node_text(row, digits) for row in rows]
    widths = [
        CHAR * max(display_width(name), display_width(before) + max(display_width(text), room), 11) + 14
        for name, before, text in texts
    ]
    ranks = depths(band, list(slopes))
    layout = layered(ranks, list(slopes), widths)
    ports = _ports(layout, widths)
    labels = {
        edge: flows[edge] or " + ".join(number(s, min(digits, 4)) for s in values) for edge, values in slopes.items()
    }
    tops, spots = _heights(layout, ports, {edge: label.ljust(room - 1) for edge, label in labels.items()})
    y = {node: tops[rank] for rank, layer in enumerate(layout.layers) for node in layer}
    height = (tops[-1] if tops else 0) + HEIGHT + 12
    width = margin + layout.width + 16

    parts = []
    for place, (group, run) in enumerate(bands):
        ends = [tops[ranks[i]] for i in range(len(rows)) if band[i] == place]
        middle = (min(ends) + max(ends) + HEIGHT) / 2
        parts.append(_margin(group, captions[place], middle, margin - 28, first=run == 0))
        if place:
            above = max(tops[ranks[i]] for i in range(len(rows)) if band[i] == place - 1) + HEIGHT
            line = (above + min(ends)) / 2
            parts.append(f'<path class="ad-rule" d="M0 {_px(line)}H{_px(width)}" stroke="currentColor" opacity=".12"/>')
    parts.append(f'<g transform="translate({_px(margin)} 0)">')
    for edge, chain in layout.chains.items():
        parts.append(
            _edge(edge, slopes[edge], bool(flows[edge]), [(ports[edge][i], y[n]) for i, n in enumerate(chain)])
        )
    for (tail, head), (x, middle) in spots.items():
        kind = "shape" if flows[tail, head] else "partial"
        parts.append(
            f'<text class="ad-{kind}-label" data-ad-edge="{tail} {head}" x="{_px(x)}" y="{_px(middle + 3.5)}" '
            f'text-anchor="middle" font-size="10">{esc(labels[tail, head])}</text>'
        )
    outputs = {index for index in r.output_rows.values() if index is not None}
    for i, row in enumerate(rows):
        parts.append(_node(row, texts[i], layout.x[i], y[i], widths[i], row.index in outputs))
    return [*parts, "</g>"], width, height


def _edges(rows: Iterable[Row]) -> dict[Edge, list[float]]:
    """The local partials on each edge that are numbers; an operand that is used twice has two."""
    found: dict[Edge, list[float]] = {}
    for row in rows:
        for parent, partial in zip_longest(row.parents, row.partials[: len(row.parents)]):
            mine = found.setdefault((parent, row.index), [])
            if isinstance(partial, float | int):
                mine.append(partial)
    return found


def node_text(row: Row, digits: int) -> tuple[str, str, str]:
    """What stands in a node: its name above, and below it what comes before the number, and the number."""
    value: Any = row.value
    if is_short(value):
        text, between = brief(value, digits), " = "
    elif row.shape:
        text, between = number(norm(value), digits), f"  {shape_text(row.shape)}  ‖·‖ "
    else:
        text, between = number(value, digits), " = "
    if row.op == "input":
        return subscripted(row.name), f"{shorten(row.expression, MAX_NODE)}{between}", text
    name = subscripted(f"{row.name} = {shorten(row.expression, MAX_NODE)}")
    if row.label:
        return name, f"{shorten(row.label, MAX_NODE)}{between}", text
    return name, between.lstrip(" ="), text


def _ports(layout: Layout, widths: Sequence[float]) -> dict[Edge, list[float]]:
    """The x of each chain's points; where several edges meet at a node they touch it side by side."""
    points = {edge: [layout.x[node] for node in chain] for edge, chain in layout.chains.items()}
    for end, inner, node_of in ((-1, -2, 1), (0, 1, 0)):
        at: dict[int, list[Edge]] = {}
        for edge in layout.chains:
            at.setdefault(edge[node_of], []).append(edge)
        for node, edges in at.items():
            edges.sort(key=lambda edge: layout.x[layout.chains[edge][inner]])
            step = min(18.0, widths[node] * 0.7 / len(edges))
            for place, edge in enumerate(edges):
                points[edge][end] += (place - (len(edges) - 1) / 2) * step
    return points


def _heights(
    layout: Layout, ports: Mapping[Edge, Sequence[float]], labels: Mapping[Edge, str]
) -> tuple[list[float], dict[Edge, tuple[float, float]]]:
    """The top of each layer, and the middle of each edge label: between the layers, in lanes where none overlap."""
    layer_of = {node: rank for rank, layer in enumerate(layout.layers) for node in layer}
    waiting: dict[int, list[Edge]] = {}
    for edge in layout.chains:
        waiting.setdefault(layer_of[edge[1]], []).append(edge)
    tops, spots, top = [], {}, 8.0
    for rank in range(len(layout.layers)):
        lanes, edges = 2, waiting.get(rank, [])
        while True:
            space = 18 + LABEL * lanes
            placed = _in_lanes(edges, ports, labels, lanes, space)
            if placed is not None:
                break
            lanes += 1
        if rank:
            spots.update({edge: (x, top + HEIGHT + y) for edge, (x, y) in placed.items()})
            top += HEIGHT + space
        tops.append(top)
    return tops, spots


def _in_lanes(
    edges: Iterable[Edge], ports: Mapping[Edge, Sequence[float]], labels: Mapping[Edge, str], lanes: int, space: float
) -> dict[Edge, tuple[float, float]] | None:
    """Where the labels of one gap stand, measured from its top; None where `lanes` lanes are too few."""
    taken: list[list[tuple[float, float]]] = [[] for _ in range(lanes)]
    found = {}
    for edge in sorted(edges, key=lambda edge: ports[edge][-2]):
        half = (len(labels[edge]) * 6.1 + 8) / 2
        for lane in reversed(range(lanes)):  # near the arrow's tip, where edges have left their crossings behind
            y = 8 + LABEL * (lane + 0.5)
            x = _bezier_x(ports[edge][-2], ports[edge][-1], y / space)
            if all(x + half <= left or x - half >= right for left, right in taken[lane]):
                taken[lane].append((x - half, x + half))
                found[edge] = (x, y)
                break
        else:
            return None
    return found


def _bezier_x(start: float, end: float, y: float) -> float:
    """The x at the height y (0…1) of the curve that leaves `start` and reaches `end` vertically."""
    low, high = 0.0, 1.0
    for _ in range(20):
        t = (low + high) / 2
        low, high = (t, high) if 1.5 * t * (1 - t) + t**3 < y else (low, t)
    return start + (end - start) * (3 * low**2 - 2 * low**3)


def _px(v: float) -> str:
    """A coordinate, to a tenth of a px."""
    return f"{v:.1f}".removesuffix(".0")


def _down(path: str, y: float) -> str:
    """A path that goes on straight down to y."""
    return f"{re.sub(r'V[^VC]*$', '', path)}V{_px(y)}"


def _edge(edge: Edge, slopes: Sequence[float], array: bool, points: Sequence[tuple[float, float]]) -> str:
    """An edge along its points; `array` is whether an array flows, which the sign of one partial cannot say."""
    slope = math.fsum(slopes) if all(map(is_finite, slopes)) else math.nan
    kind = (
        "array"
        if array or not slopes
        else "zero"
        if slope == 0
        else "bad"
        if not is_finite(slope)
        else "negative"
        if slope < 0
        else "positive"
    )
    weight = 1.3 + 0.5 * max(-1.0, min(3.0, math.log10(abs(slope)))) if kind in ("positive", "negative") else 1.0
    weight = 2.4 if array else weight
    (x, y), path = points[0], f"M{_px(points[0][0])} {_px(points[0][1] + HEIGHT)}"
    for place, (nx, ny) in enumerate(points[1:], 1):
        start, stop = y + HEIGHT, ny - (5 if place == len(points) - 1 else 0)
        if _px(nx) == _px(x):  # one straight line through as many layers as there are
            path = _down(path, stop)
        else:
            path = _down(path, start) if place > 1 else path
            middle = _px((start + stop) / 2)
            path += f"C{_px(x)} {middle} {_px(nx)} {middle} {_px(nx)} {_px(stop)}"
        x, y = nx, ny
    dash = ' stroke-dasharray="3 3"' if kind == "zero" else ""
    return (
        f'<g class="ad-edge ad-{kind}" stroke="currentColor" data-ad-edge="{edge[0]} {edge[1]}">'
        f'<path d="{path}" fill="none" stroke-width="{weight:.2f}"{dash}/>'
        f'<path class="ad-tip" d="M{_px(x)} {_px(y - 1)}l-3.2 -6h6.4z" fill="currentColor" stroke="none"/></g>'
    )


def _node(row: Row, text: tuple[str, str, str], x: float, y: float, width: float, is_output: bool) -> str:
    kind = " ad-node-output" if is_output else " ad-node-input" if row.op == "input" else ""
    bad = "" if all_finite(row.value) else " ad-bad"
    flags = "".join(f"\n{flag.message}" for flag in row.flags)
    mark = (
        f'<text class="ad-node-mark" x="{_px(x + width / 2 - 4)}" y="{_px(y + 11)}" text-anchor="end" font-size="10">'
        "⚠</text>"
        if warnings(row.flags)
        else ""
    )
    round_ = HEIGHT / 2 if row.op == "input" else 5
    return (
        f'<g class="ad-node{kind}{bad} ad-i{row.index}" data-ad-node="{row.index}">'
        f"<title>{esc(subscripted(f'{row.name} = {row.expression}{flags}'))}</title>"
        f'<rect x="{_px(x - width / 2)}" y="{_px(y)}" width="{_px(width)}" height="{HEIGHT:.0f}" rx="{round_:.0f}" '
        f'fill="none" stroke="currentColor" stroke-width="{2 if is_output else 1}"/>'
        f'<text class="ad-node-name" x="{_px(x)}" y="{_px(y + 15.5)}" text-anchor="middle">{esc(text[0])}</text>'
        f'<text class="ad-node-value" x="{_px(x)}" y="{_px(y + 31)}" text-anchor="middle">'
        f"{esc(text[1] + text[2])}</text>{mark}</g>"
    )


def _caption(group: LineGroup, run: int) -> str:
    again = f" · {run + 1}" if len(group.runs) > 1 else ""
    return shorten(group.code, MAX_CODE) + again


def _margin(group: LineGroup, caption: str, y: float, width: float, *, first: bool) -> str:
    """The source line at the left: its number and its code."""
    return (
        f'<g class="ad-source ad-g{group.number}{"" if first else " ad-again"}" opacity=".8">'
        f'<rect x="2" y="{_px(y - 11)}" width="{_px(width)}" height="22" rx="4" fill="none"/>'
        f'<text x="26" y="{_px(y + 4)}" text-anchor="end" opacity=".6">{group.line or ""}</text>'
        f'<text x="36" y="{_px(y + 4)}">{esc(caption)}</text></g>'
    )
