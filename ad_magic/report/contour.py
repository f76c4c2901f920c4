"""The values of a number over two inputs: sampled, and its level lines.

A Contour is plain data: the values on a grid, and where between two of its points the program decides otherwise or has
no value. The lines are found by marching squares. relief.py draws it. js/contour.js does the same in a page: what is
changed here is changed there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from .curves import Moving, label_of, movable
from .entries import Span
from .figure import HUGE, extent, ticks
from .number import number
from .origin import deciding
from .solved import Known, Place, grid_of, has_solver, looking
from .subjects import Subject, subjects

if TYPE_CHECKING:
    from .result import Result

POINTS, FEW, FEWEST = 60, 16, 7  # of the grid, along each input
CLOSER = 6  # times that a border is looked for in half of what is left
PATIENCE = 1.5  # seconds

Look = Callable[[list[float], list[float]], tuple[list[float], list[bool]]]  # the values there, and what is valid


class Axis(NamedTuple):
    """An input, or an entry of one, and its range."""

    name: str
    lo: float
    hi: float

    def at(self, share: float) -> float:
        return self.lo * (1 - share) + self.hi * share


@dataclass(frozen=True, slots=True)
class Contour:
    """A number over two inputs, and the point at which the program stands (`value` is None where it is not valid)."""

    head: str  # "z"
    x: Axis
    y: Axis
    digits: int
    count: int  # points along each axis
    values: list[float]  # line by line, from the lowest y
    valid: list[bool]
    rim: list[tuple[int, float, float]]  # an edge of the grid, how far along it the values end, and the last one there
    lines: list[tuple[int, int]]  # of an edge of the rim, the line that decides otherwise beyond it
    at: tuple[float, float]
    value: float | None
    slopes: tuple[float, float]


def contour(r: Result, across: Moving, up: Moving, subject: Subject, digits: int = 6) -> Contour:
    """The contour of a number over two that move. Raises ValueError with a sentence where there is none."""
    from ad_magic.codegen.batch import curve, surface
    from ad_magic.codegen.symbols import NoProgram

    axes = [across[:2], up[:2]]
    x, y = (Axis(label_of(name, entry), grid.lo, grid.hi) for name, entry, grid in (across, up))

    def look(xs: list[float], ys: list[float]) -> tuple[list[float], list[bool]]:
        values, valid = surface(r.run, axes, [xs, ys], subject.number)
        return values.tolist(), valid.tolist()

    at = tuple(float(r.inputs[name][entry] if entry else r.inputs[name]) for name, entry in axes)
    if has_solver(r):
        return _solved(looking(r, subject), axes, (x, y), (at[0], at[1]), subject, digits)
    try:
        found = [curve(r.run, name, [a], entry, subject.number) for (name, entry), a in zip(axes, at, strict=True)]
        look([at[0]], [at[1]])  # it is compiled
        began = time.perf_counter()
        look([at[0]] * POINTS, [y.at(k / (POINTS - 1)) for k in range(POINTS)])
        count = POINTS if (time.perf_counter() - began) * POINTS < PATIENCE else FEW
        values, valid, rim = sampled(look, x, y, count)
    except NoProgram as error:
        raise ValueError(str(error)) from None
    here = all(ok[0] for _, _, ok in found)
    c = Contour(
        *(subject.head, x, y, digits, count, values, valid, rim, []),
        *((at[0], at[1]), subject.value if here else None, (float(found[0][1][0]), float(found[1][1][0]))),
    )
    for first, *_ in borders(c):
        p, q = ends_of(first, count)
        beyond = between(p, q, 1.0 if valid[p] else 0.0, count)
        given = [(name, entry, axis.at(s)) for (name, entry), axis, s in zip(axes, (x, y), beyond, strict=True)]
        if line := deciding(r, given, subject.number.within):
            c.lines.append((first, line))
    return c


def _solved(
    find: Callable[[list[Place]], Known],
    axes: Sequence[tuple[str, tuple[int, ...]]],
    over: tuple[Axis, Axis],
    at: tuple[float, float],
    subject: Subject,
    digits: int,
) -> Contour:
    """The contour of a cell that is run again at each point."""

    def place(which: int, x: float) -> Place:
        return (*axes[which], x)

    began = time.perf_counter()
    _, slope, here = find([place(0, at[0]), place(1, at[1])])
    _, other, _ = find([place(1, at[1]), place(0, at[0])])
    each = (time.perf_counter() - began) / 2
    count = max(FEWEST, min(FEW, int(math.sqrt(PATIENCE / max(each, 1e-6)))))
    look = grid_of(lambda a, b: find([place(0, a), place(1, b)]))
    values, valid, rim = sampled(look, *over, count)
    value = subject.value if here else None
    return Contour(subject.head, *over, digits, count, values, valid, rim, [], at, value, (slope, other))


def over_two(r: Result, digits: int = 6, ranges: Mapping[str, Span] | None = None) -> Contour | None:
    """The contour of a run in which just two numbers move. Raises ValueError with a sentence where there is none."""
    moving = movable(r, ranges or {})
    if len(moving) != 2:
        return None
    try:
        return contour(r, moving[0], moving[1], subjects(r)[0], digits)
    except ValueError:
        if has_solver(r):  # it would take too long; the curves are there
            return None
        raise


def sampled(look: Look, x: Axis, y: Axis, count: int) -> tuple[list[float], list[bool], list[tuple[int, float, float]]]:
    """Values, what is valid, and the rim, on a grid of count × count points."""
    steps = [k / (count - 1) for k in range(count)]
    values, valid = look([x.at(s) for _ in steps for s in steps], [y.at(s) for s in steps for _ in steps])
    inside = [ok and abs(z) < HUGE for z, ok in zip(values, valid, strict=True)]
    ends = []  # the edges on which the values end, the point of each that has one first
    for edge in range(2 * count * count):
        p, q = ends_of(edge, count)
        if q >= 0 and inside[p] != inside[q]:
            ends.append((edge, p, q) if inside[p] else (edge, q, p))
    near, far, last = [0.0] * len(ends), [1.0] * len(ends), [values[known] for _, known, _ in ends]
    for _ in range(CLOSER if ends else 0):
        shares = [(a + b) / 2 for a, b in zip(near, far, strict=True)]
        at = [between(known, other, s, count) for (_, known, other), s in zip(ends, shares, strict=True)]
        for k, (z, ok) in enumerate(zip(*look([x.at(a) for a, _ in at], [y.at(b) for _, b in at]), strict=True)):
            if ok and abs(z) < HUGE:
                near[k], last[k] = shares[k], z
            else:
                far[k] = shares[k]
    rim = [(edge, near[k] if known < other else 1 - near[k], last[k]) for k, (edge, known, other) in enumerate(ends)]
    return values, valid, rim


def ends_of(edge: int, count: int) -> tuple[int, int]:
    """The two points of an edge: 2k leads from point k to the right, 2k + 1 upward; -1 where there is none."""
    p = edge // 2
    if edge % 2:
        return p, p + count if p + count < count * count else -1
    return p, p + 1 if (p + 1) % count else -1


def between(p: int, q: int, s: float, count: int) -> tuple[float, float]:
    """A point on the way from one point of the grid to another, as shares of the axes."""
    i, j = p % count, p // count
    return (i + (q % count - i) * s) / (count - 1), (j + (q // count - j) * s) / (count - 1)


# ------------------------------------------------------------------------------------------------------- level lines


class Corner(NamedTuple):
    """A corner of a polygon, in units of the grid, its value, and what the side that begins there lies on.

    That is an edge of the grid, or where the side leads along the rim the edge that it leaves, plus `_inward`.
    """

    x: float
    y: float
    value: float
    side: int


Polygon = list[Corner]
Line = list[tuple[float, float]]


def polygons(c: Contour, inside: Sequence[bool]) -> Iterator[tuple[int, Polygon]]:
    """Of each cell, named by its lower left point, the part that is inside."""
    n, rim = c.count, {edge: (s, z) for edge, s, z in c.rim}
    for k in range(n * (n - 1)):
        if (k + 1) % n == 0:
            continue
        points, edges = (k, k + 1, k + n + 1, k + n), (2 * k, 2 * k + 3, 2 * (k + n), 2 * k + 1)
        found = []
        for p, q, edge in zip(points, (*points[1:], points[0]), edges, strict=True):
            if inside[p]:
                found.append(Corner(p % n, p // n, c.values[p], edge))
            if inside[p] != inside[q]:
                low, high = min(p, q), max(p, q)
                s, z = rim[edge]
                x, y = low % n + (high % n - low % n) * s, low // n + (high // n - low // n) * s
                found.append(Corner(x, y, z, edge if inside[q] else edge + _inward(c)))
        if found:
            yield k, found


def _inward(c: Contour) -> int:
    return 2 * c.count * c.count


def level_lines(cells: Sequence[Polygon], level: float) -> list[Line]:
    """The lines on which the value is `level`, in units of the grid. A closed one ends where it begins."""
    spots: dict[int, tuple[float, float]] = {}
    pairs: list[tuple[int, int]] = []
    for polygon in cells:
        crossed = []
        for k, p in enumerate(polygon):
            q = polygon[(k + 1) % len(polygon)]
            if (p.value >= level) != (q.value >= level):
                s = (level - p.value) / (q.value - p.value)
                spots.setdefault(p.side, (p.x + (q.x - p.x) * s, p.y + (q.y - p.y) * s))
                crossed.append((p.side, q.value >= level))
        if crossed:  # at a saddle the middle says which side is one
            middle = reduce(add, (p.value for p in polygon)) / len(polygon) >= level  # sum is another in the page
            start = 0 if crossed[0][1] != middle else 1
            turned = [side for side, _ in crossed[start:] + crossed[:start]]
            pairs += zip(turned[::2], turned[1::2], strict=True)
    return [[spots[side] for side in line] for line in chained(pairs)]


def chained(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Pairs of neighbours as chains, the open ones first.

    >>> chained([(1, 2), (7, 8), (3, 2), (8, 9), (9, 7)])
    [[1, 2, 3], [7, 8, 9, 7]]
    """
    links: dict[int, list[int]] = {}
    for a, b in pairs:
        links.setdefault(a, []).append(b)
        links.setdefault(b, []).append(a)
    found, seen = [], set()
    for start in [*(a for a in links if len(links[a]) == 1), *links]:
        if start in seen:
            continue
        line, at = [], start
        while at not in seen:
            line.append(at)
            seen.add(at)
            at = next((b for b in links[at] if b not in seen), at)
        if len(line) > 2 and start in links[at]:
            line.append(start)
        found.append(line)
    return found


def borders(c: Contour) -> list[list[int]]:
    """The rim of what is decided otherwise, as chains of edges."""
    pairs: list[tuple[int, int]] = []
    for k, polygon in polygons(c, inside_of(c)):
        for place, p in enumerate(polygon):
            if p.side >= _inward(c) and is_elsewhere(c, k):
                pairs.append((p.side - _inward(c), polygon[(place + 1) % len(polygon)].side))
    return chained(pairs)


def inside_of(c: Contour) -> list[bool]:
    return [ok and abs(z) < HUGE for z, ok in zip(c.values, c.valid, strict=True)]


def is_elsewhere(c: Contour, k: int) -> bool:
    """Whether in a cell some corner belongs to another path through the program."""
    return not (c.valid[k] and c.valid[k + 1] and c.valid[k + c.count] and c.valid[k + c.count + 1])


def levels(c: Contour) -> list[tuple[float, str]]:
    """Round levels and their texts: evenly spaced, or where the values span decades of one sign 1, 2, 5, 10, …"""
    every = sorted(z for z, ok in zip(c.values, inside_of(c), strict=True) if ok)
    if not every or every[0] == every[-1]:
        return []
    sign, n = -1.0 if every[0] < 0 else 1.0, len(every) - 1
    sizes = every if sign > 0 else sorted(-z for z in every)
    low, high = sizes[math.floor(0.05 * n)], sizes[math.ceil(0.95 * n)]
    if sizes[0] >= 0 and 0 < 250 * low < high:
        return [(sign * z, number(sign * z, 6)) for z in ladder(low, sizes[n])]
    return [(z, text) for z, text in ticks(*extent(every, []), 12) if every[0] < z < every[n]]


def ladder(low: float, high: float) -> list[float]:
    """At most twelve of the numbers 1, 2, 5, 10, … from low to high.

    >>> ladder(0.3, 12)
    [0.5, 1.0, 2.0, 5.0, 10.0]
    """
    powers = range(math.floor(math.log10(low)) - 1, math.floor(math.log10(high)) + 2)
    found = [z for e in powers for m in (1, 2, 5) if low <= (z := float(f"{m}e{e}")) <= high]
    if len(found) > 12:
        found = [z for e in powers if low <= (z := float(f"1e{e}")) <= high]
    return found[:: math.ceil(len(found) / 12) or 1]
