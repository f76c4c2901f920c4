"""Curves and contours of a cell with a solver in it: the solver has to run again at each point, and the cell with it.

As for the check, each run has copies of what the cell finds, and leaves no trace. There are few points. Between them a
curve is drawn by their values and slopes (Hermite's cubic); where it would have to jump it is left out.
"""

from __future__ import annotations

import bisect
import heapq
import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .subjects import Subject

if TYPE_CHECKING:
    from .curves import Seen
    from .result import Result

Place = tuple[str, tuple[int, ...], float]  # an input, an entry of it, and a number for it
Known = tuple[float, float, bool]  # value, slope, and whether there is a value
Between = Callable[[float, float, float, Known, Known], Known]
PATIENCE, LONGEST = 0.8, 2.5  # seconds for a curve; for a contour
TOO_SLOW = 0.2  # seconds for one point
PARTS, KNOTS = 4, 40  # of a curve to begin with; points in the end
ROUGH = 0.02
UNSEEN = 1e-3  # of the whole: a smaller step between two points is the solver's tolerance, no jump
NOWHERE = (math.nan, math.nan, False)


def has_solver(r: Result) -> bool:
    """Whether a cell has to be run again to know it at other inputs, and can be."""
    return r.again is not None and any(hasattr(op, "inner") and hasattr(op, "result") for op in r.run.tape.ops)


def looking(r: Result, subject: Subject) -> Callable[[Sequence[Place]], Known]:
    """A function that gives value, slope along the first of the places, and whether there is a value, where numbers of
    the inputs are moved to these places."""
    from ad_magic.cell.again import unit
    from ad_magic.check.program import copies_of, mutable_of, random_numbers_kept
    from ad_magic.engine.tape import forward_sweep

    again = r.again
    assert again is not None
    mutable = mutable_of(again.program.whole, again.before)
    known = r.run.cache.setdefault("solved", {})
    number = subject.number
    ops = [op.name for op in r.run.tape.ops[: (number.row or 0) + 1]]
    outputs = [place for output in r.run.outputs for place in output.seeds()]
    which = outputs.index((number.row, number.place)) if (number.row, number.place) in outputs else None

    def found(places: Sequence[Place]) -> Known:
        inputs: dict[str, Any] = {}
        for name, entry, x in places:
            value = inputs.get(name, r.inputs[name])
            inputs[name] = _put(value, entry, x) if entry else x
        apart = replace(again, before={**again.before, **copies_of(mutable)})
        try:
            with random_numbers_kept():
                run = apart.rerun(r.run, inputs)
        except Exception:  # the program has no value there
            return NOWHERE
        row, place = number.row, number.place
        if which is not None:
            row, place = [where for output in run.outputs for where in output.seeds()][which]
        elif [op.name for op in run.tape.ops[: (row or 0) + 1]] != ops:
            return NOWHERE
        if row is None:
            return number.constant, 0.0, True
        name, entry, _ = places[0]
        seed = run.rows[name]
        tangent = forward_sweep(run.tape, {seed: unit(run.tape.values[seed], entry)})[row]
        value = run.tape.values[row]
        value, tangent = (x[place] if place and getattr(x, "shape", ()) else x for x in (value, tangent))
        return float(value), float(tangent), math.isfinite(value)

    def look(places: Sequence[Place]) -> Known:
        key = number, tuple(places)
        if key not in known:
            known[key] = found(places)
        return known[key]

    return look


def _put(value: Any, entry: tuple[int, ...], x: float) -> Any:
    changed = value.copy()
    changed[entry] = x
    return changed


def seen(
    look: Callable[[float], Known], lo: float, hi: float, xs: Sequence[float], between: Between
) -> tuple[Seen, int]:
    """f and f′ at the points of a curve, and through how many points that is; `between` says what is between two.

    The part in which a new point stood farthest from the curve is halved next, as long as there is time. What is then
    not known to a few hundredths of the whole is left out. Raises ValueError where there is no time for a curve.
    """
    from .curves import Seen

    began = time.perf_counter()
    ends = [lo * (1 - k / PARTS) + hi * (k / PARTS) for k in range(PARTS + 1)]
    there = {x: look(x) for x in ends}
    each = (time.perf_counter() - began) / len(there)
    if each > TOO_SLOW:
        raise ValueError(f"No curve: each of its points is a run of {each:.1g} s.")
    parts = [(-math.inf, a, b) for a, b in itertools.pairwise(ends)]  # minus how far off, from where, to where
    while len(there) <= KNOTS and (parts[0][0] == -math.inf or time.perf_counter() - began < PATIENCE):
        _, a, b = heapq.heappop(parts)
        middle = a / 2 + b / 2
        guess = joined(between, middle, a, b, there)
        found = there[middle] = look(middle)
        off = abs(found[0] - guess[0]) if found[2] and guess[2] else _extent(there) * (b - a) / (hi - lo)
        heapq.heappush(parts, (-off, a, middle))
        heapq.heappush(parts, (-off, middle, b))
    knots = sorted(there)
    most = ROUGH * _extent(there)
    good = {a for off, a, _ in parts if -off / 8 <= most}  # a half is at least so much nearer
    values, slopes, valid = [], [], []
    for x in xs:
        k = min(max(bisect.bisect_right(knots, x) - 1, 0), len(knots) - 2)
        a, b = knots[k : k + 2]
        y, slope, known = joined(between, x, a, b, there) if a in good else NOWHERE
        values.append(y)
        slopes.append(slope)
        valid.append(known)
    for _, a, b in parts:
        middle = a / 2 + b / 2
        if (
            a not in good or not joined(between, middle, a, b, there)[2]
        ):  # also where it is smaller than the distance of two points: no line goes over it
            k = min(range(len(xs)), key=lambda k: abs(xs[k] - middle))
            values[k], slopes[k], valid[k] = NOWHERE
    return Seen(values, slopes, valid), len(knots)


def joined(between: Between, x: float, a: float, b: float, there: Mapping[float, Known]) -> Known:
    """What is at x, between two points; a straight line where they would be parted by a step that nobody sees."""
    found, (p, dp, here), (q, dq, known) = between(x, a, b, there[a], there[b]), there[a], there[b]
    if found[2] or not (here and known and math.isfinite(dp + dq)) or abs(q - p) > UNSEEN * _extent(there):
        return found
    return straight(x, a, b, there[a], there[b])


def _extent(there: Mapping[float, Known]) -> float:
    """From the least to the greatest value."""
    known = [value for value, _, valid in there.values() if valid]
    return max(known) - min(known) if known else 0.0


def straight(x: float, a: float, b: float, left: Known, right: Known) -> Known:
    """Between two points by straight lines, the slope by itself: where a derivative stops it is not that of the curve.

    >>> straight(0.5, 0.0, 1.0, (0.0, 0.0, True), (1.0, 2.0, True))
    (0.5, 1.0, True)
    """
    (p, dp, here), (q, dq, there) = left, right
    s = (x - a) / (b - a)
    return (p + s * (q - p), dp + s * (dq - dp), True) if here and there else NOWHERE


def cubic(x: float, a: float, b: float, left: Known, right: Known) -> Known:
    """Hermite's cubic through two points: its value and its slope at x.

    >>> cubic(0.5, 0.0, 1.0, (0.0, 0.0, True), (1.0, 2.0, True))
    (0.25, 1.0, True)
    """
    (p, dp, here), (q, dq, there) = left, right
    h = b - a
    if not (here and there and math.isfinite(dp + dq)):
        return NOWHERE
    if abs(q - p) > max(1e-9 * abs(p), 3 * h * max(abs(dp), abs(dq))):  # it jumps somewhere
        return NOWHERE
    s = (x - a) / h
    u = 1 - s
    y = u * u * (1 + 2 * s) * p + s * s * (3 - 2 * s) * q + h * s * u * (u * dp - s * dq)
    slope = 6 * s * u * (q - p) / h + u * (1 - 3 * s) * dp + s * (3 * s - 2) * dq
    return y, slope, True


def grid_of(look: Callable[[float, float], Known]) -> Callable[..., tuple[list[float], list[bool]]]:
    """A look for contours: values, and what is valid, at (xs[k], ys[k]). Raises ValueError after too long."""
    began = time.perf_counter()

    def at(xs: list[float], ys: list[float]) -> tuple[list[float], list[bool]]:
        found = []
        for x, y in zip(xs, ys, strict=True):
            if time.perf_counter() - began > LONGEST:
                raise ValueError("No contour: so many runs take too long.")
            found.append(look(x, y))
        return [value for value, _, _ in found], [valid for _, _, valid in found]

    return at
