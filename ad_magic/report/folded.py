"""The graph of a large program: one box for each source line, and arcs for what flows from line to line.

What flows down is on the right; what a loop carries back to an earlier line is on the left, dashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .lines import LineGroup
from .markup import CHAR, esc
from .text import display_width, shorten

MAX_CODE = 44


@dataclass(frozen=True, slots=True)
class _Arc:
    tail: int
    head: int


def folded(groups: Sequence[LineGroup], max_rows: int) -> tuple[list[str], float, float]:
    """The parts of the drawing, its width and its height. Of more than `max_rows` lines the last are left out."""
    owner = {row.index: group.number for group in groups for run in group.runs for row in run}
    pairs = {_Arc(owner[p], group.number) for group in groups for run in group.runs for row in run for p in row.parents}
    shown = list(groups[:max_rows])
    arcs = sorted((a for a in pairs if max(a.tail, a.head) < len(shown)), key=lambda a: (abs(a.head - a.tail), a.tail))
    captions = [shorten(group.code, MAX_CODE) for group in shown]
    carried = max((_reach(arc) for arc in arcs if arc.head <= arc.tail), default=0.0)
    left, step, high = 40.0 + carried, 48.0, 30.0
    box = CHAR * max(map(display_width, captions), default=0) + 28
    counts = [f"× {len(group.runs)}" if len(group.runs) > 1 else "" for group in shown]
    right = [left + box + (CHAR * len(count) + 12 if count else 0) for count in counts]
    reach = max((_reach(arc) for arc in arcs if arc.head > arc.tail + 1), default=0.0)
    width = max(right, default=left) + reach + 12
    height = 16 + step * len(shown) + (18 if len(groups) > len(shown) else 0)
    last = max((owner.items()), default=(0, -1))[1]  # the line of the last operation
    parts = []
    for arc in arcs:
        start, stop = 8 + step * arc.tail + high / 2, 8 + step * arc.head + high / 2
        if arc.head == arc.tail + 1:
            x = left + box / 2
            path, tip = f"M{x} {start + high / 2}V{stop - high / 2 - 5}", f"M{x} {stop - high / 2 - 1}l-3.2 -6h6.4z"
        elif arc.head > arc.tail:
            x, end, start, stop = right[arc.tail], right[arc.head], start + 5, stop - 5
            out = max(right) + _reach(arc) * 1.3
            path, tip = f"M{x} {start}C{out} {start} {out} {stop} {end + 6} {stop}", f"M{end + 1} {stop}l6 -3.2v6.4z"
        else:
            x, start, stop = left - 1, start + 7, stop - 7
            out = x - _reach(arc) * 1.3
            path, tip = f"M{x} {start}C{out} {start} {out} {stop} {x - 5} {stop}", f"M{x - 1} {stop}l-6 -3.2v6.4z"
        kind = "ad-positive" if arc.head > arc.tail else "ad-back"
        dash = ' stroke-dasharray="4 3"' if kind == "ad-back" else ""
        parts.append(
            f'<g class="ad-edge {kind}" stroke="currentColor"><path d="{path}" fill="none" stroke-width="1.3"{dash}/>'
            f'<path class="ad-tip" d="{tip}" fill="currentColor" stroke="none"/></g>'
        )
    for place, group in enumerate(shown):
        y = 8 + step * place
        kind = " ad-node-input" if group.inputs else " ad-node-output" if group.number == last else ""
        parts.append(
            f'<g class="ad-node ad-line{kind} ad-g{group.number}"><title>{esc(group.code)}</title>'
            f'<text x="24" y="{y + 19:.0f}" text-anchor="end" opacity=".6">{group.line or ""}</text>'
            f'<rect x="{left:.1f}" y="{y:.1f}" width="{box:.1f}" height="{high:.0f}" rx="{15 if group.inputs else 5}" '
            f'fill="none" stroke="currentColor"/>'
            f'<text x="{left + 14:.1f}" y="{y + 19:.1f}">{esc(captions[place])}</text>'
            f'<text class="ad-count" x="{left + box + 6:.1f}" y="{y + 19:.1f}" opacity=".7">{counts[place]}</text></g>'
        )
    if len(groups) > len(shown):
        parts.append(f'<text x="{left:.1f}" y="{height - 8:.1f}">… {len(groups) - len(shown)} more lines</text>')
    return parts, width, height


def _reach(arc: _Arc) -> float:
    """How far an arc swings out, so that arcs nest."""
    return min(16.0 + 9.0 * abs(arc.head - arc.tail), 68.0 if arc.head <= arc.tail else 130.0)
