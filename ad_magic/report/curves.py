"""f and f′ along one input: sampled, and marked where the program decides otherwise, has a corner or jumps.

A Curve is plain data; figure.py and plot.py draw it. The marks are found by looking closer and closer. js/curve.js does
the same in a page: what is changed here is changed there.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .entries import Entries, Span, is_scalar, span_of, spread
from .grid import Grid, around, given, widen
from .number import number
from .origin import origin
from .solved import Between, Known, Place, cubic, has_solver, looking, seen, straight
from .subjects import Subject, subjects

if TYPE_CHECKING:
    from .derivatives import Derivatives
    from .result import Result

POINTS = 200
SLOW = 0.01  # seconds for a look: at a program that is slower than that nobody looks again
PATIENCE = 1.5  # seconds for all curves
DUST = 1e-12  # of the greatest value: a smaller step is rounding, no jump


class Seen(NamedTuple):
    """f and f′ at some points; what is not `valid` belongs to another path through the program."""

    values: list[float]
    slopes: list[float]
    valid: list[bool]


Look = Callable[[list[float]], Seen]
Moving = tuple[str, tuple[int, ...], Grid]  # an input, or an entry of one, and its range
Origin = Callable[[list[float]], tuple[int | None, int | None]]  # the line and the row that a mark comes from


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the axis; `kind` is "decision", "kink" or "jump", `text` says it in a sentence.

    It comes from a `line`, where the program decides, or from a `row` of the table, where that is known.
    """

    kind: str
    x: float
    text: str
    line: int | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What a curve is of: its headings, the number that moves and its range."""

    head: str  # "z"
    slope_head: str  # "∂z/∂x"
    name: str  # "x", "w[0]"
    lo: float
    hi: float
    digits: int = 6


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve: its points and its marks, and the point at which the program stands (None where it is not valid)."""

    frame: Frame
    xs: list[float]
    values: list[float]
    slopes: list[float]
    valid: list[bool]
    at: float
    value: float | None
    slope: float | None
    marks: list[Mark]
    elsewhere: list[tuple[float, float]]  # stretches of the axis on which the program decides otherwise
    note: str


def curves(
    r: Result, *, digits: int = 6, ranges: Mapping[str, Span] | None = None, limit: int = 4
) -> tuple[list[Curve], int]:
    """A curve of each number that an output is or has along each that an input is or has: the first `limit` of them,
    and how many there are more.

    Raises ValueError with a sentence where there is nothing to draw.
    """
    why = reason(r)
    if why:
        raise ValueError(why)
    every = [(s, along) for s in subjects(r) for along in movable(r, ranges or {})]
    found: list[Curve] = []
    began = time.perf_counter()
    for subject, along in every[:limit]:
        if time.perf_counter() - began > PATIENCE:
            break
        found.append(curve_along(r, along, subject, digits))
    return found, len(every) - len(found)


def curve_along(r: Result, along: Moving, subject: Subject, digits: int = 6) -> Curve:
    """The curve of a number along one that moves. Raises ValueError with a sentence where there is none."""
    from ad_magic.codegen.batch import curve
    from ad_magic.codegen.symbols import NoProgram

    name, entry, grid = along

    def look(points: list[float]) -> Seen:
        return Seen(*(part.tolist() for part in curve(r.run, name, points, entry, subject.number)))

    label = label_of(name, entry)
    at = float(r.inputs[name][entry] if entry else r.inputs[name])
    frame = Frame(subject.head, subject.slope_head(label), label, grid.lo, grid.hi, digits)
    if has_solver(r):
        stops = any(flag.kind == "derivative-stops" for flag in r.flags)
        return _solved(looking(r, subject), along, frame, at, straight if stops else cubic)
    try:
        ((slope,), (here,)) = look([at])[1:]
        value = subject.value if here else None
        return sampled(
            look, frame, at, value, slope if here else None, partial(origin, r, name, entry, subject.number.within)
        )
    except NoProgram as error:
        raise ValueError(str(error)) from None


def _solved(find: Callable[[list[Place]], Known], along: Moving, frame: Frame, at: float, between: Between) -> Curve:
    """The curve of a cell that is run again at each point; `between` says what is between two."""
    name, entry, _ = along
    xs = [frame.lo * (1 - k / (POINTS - 1)) + frame.hi * (k / (POINTS - 1)) for k in range(POINTS)]
    value, slope, here = find([(name, entry, at)])
    found, count = seen(lambda x: find([(name, entry, x)]), frame.lo, frame.hi, xs, between)
    note = f"through {count} points: at each the cell was run again"
    return Curve(frame, xs, *found, at, value if here else None, slope if here else None, [], [], note)


def reason(r: Result) -> str | None:
    """Why there is no curve, if there is none."""
    if not movable(r, {}):
        return "There is no input that a curve could be drawn along."
    if not subjects(r):
        return f"A curve is drawn for a number; {r.outputs[0]} is an array without entries."
    return None


def label_of(name: str, entry: tuple[int, ...]) -> str:
    """What a number that moves is called: "x", "w[0]"."""
    return name + (f"[{Entries.index_text(entry)}]" if entry else "")


def movable(r: Derivatives, ranges: Mapping[str, Span]) -> list[Moving]:
    """The numbers that have a slider, each with its range: inputs, and the entries of small arrays (entries.py)."""
    found: list[Moving] = []
    small = spread(r.inputs)
    for name, value in r.inputs.items():
        if name in small:
            entries = Entries(name, value)
            for place in entries.places():
                span, at = span_of(ranges, entries, place), entries.at(place)
                found.append((name, place, widen(given(span) if span else around(at, entries.typical), at)))
        elif is_scalar(value):
            grid = given(ranges[name]) if name in ranges else around(float(value))
            found.append((name, (), widen(grid, float(value))))
    return found


# --------------------------------------------------------------------------------------------------------- sampling


def nowhere(points: list[float]) -> tuple[None, None]:
    """An Origin that is not known."""
    return None, None


def sampled(
    look: Look, frame: Frame, at: float, value: float | None, slope: float | None, origin: Origin = nowhere
) -> Curve:
    """A curve over the frame's range, through a point."""
    xs = [frame.lo * (1 - k / (POINTS - 1)) + frame.hi * (k / (POINTS - 1)) for k in range(POINTS)]
    seen = look(xs)
    began = time.perf_counter()
    look(xs[:16])
    slow = time.perf_counter() - began > SLOW
    marks = find_marks(None if slow else look, frame.name, xs, seen, nowhere if slow else origin)
    aside = _stretches(xs, seen.valid, marks)
    return Curve(frame, xs, *seen, at, value, slope, marks, aside, _note(frame.name, marks))


def find_marks(look: Look | None, name: str, xs: Sequence[float], seen: Seen, origin: Origin = nowhere) -> list[Mark]:
    """Where the program decides otherwise, and where f has a corner or jumps, from left to right.

    Without `look` only the decisions, as far as the points tell.
    """
    found: list[Mark] = []
    for i, (a, b) in enumerate(itertools.pairwise(xs)):
        if seen.valid[i] != seen.valid[i + 1]:
            a, b = _closer(look, a, b, _change) if look else (a, b)
            at, (line, _) = _round_within(a, b), origin([a, b])
            who = f"line {line}" if line else "the program"
            found.append(Mark("decision", at, f"at {name} = {number(at, 6)} {who} decides otherwise", line))
    if look:
        _add_corners(found, look, name, xs, seen, origin)
        _add_jumps(found, look, name, xs, seen, origin)
    return sorted(found, key=lambda m: m.x)


def _add_corners(found: list[Mark], look: Look, name: str, xs: Sequence[float], seen: Seen, origin: Origin) -> None:
    slopes = seen.slopes
    for i in _candidates(slopes, seen.valid):
        a, b = _closer(look, xs[i], xs[i + 1], lambda s: _largest(s.slopes, s.valid))
        reach, at = (xs[i + 1] - xs[i]) / 64, _round_within(a, b)
        near = look([at - reach, a, b, at + reach])
        left, right, still = near.slopes[0], near.slopes[3], abs(near.slopes[2] - near.slopes[1])
        jump = abs(slopes[i + 1] - slopes[i])
        if not all(near.valid) or not all(map(math.isfinite, (left, right, still))):
            continue
        if not jump / 4 <= still <= 4 * jump or abs(right - left) < jump / 4:
            continue  # a steep piece, or a pole, not a corner
        if not any(abs(m.x - at) < reach for m in found):
            sides = f"slope {number(left, 4)} on the left, {number(right, 4)} on the right"
            place = origin([xs[i], a, b, xs[i + 1]])
            found.append(Mark("kink", at, f"kink at {name} = {number(at, 6)}: {sides}", *place))


def _add_jumps(found: list[Mark], look: Look, name: str, xs: Sequence[float], seen: Seen, origin: Origin) -> None:
    values, slopes, valid = seen
    dust = DUST * max((abs(z) for z, ok in zip(values, valid, strict=True) if ok and math.isfinite(z)), default=0.0)
    for i in range(len(xs) - 1):
        step, width = abs(values[i + 1] - values[i]), xs[i + 1] - xs[i]
        smooth = max(abs(slopes[i]), abs(slopes[i + 1])) * width
        known = valid[i] and valid[i + 1] and math.isfinite(step)
        if not known or not step > 3 * smooth or not step > max(1e-9 * abs(values[i]), dust):
            continue
        a, b = _closer(look, xs[i], xs[i + 1], lambda s: _largest(s.values, s.valid))
        ends = look([a, b]).values
        at = _round_within(a, b)
        if abs(ends[1] - ends[0]) > step / 2 and not any(abs(m.x - at) < width / 64 for m in found):
            place = origin([xs[i], a, b, xs[i + 1]])
            found.append(Mark("jump", at, f"jump at {name} = {number(at, 6)}", *place))


def _closer(look: Look, a: float, b: float, which: Callable[[Seen], int]) -> tuple[float, float]:
    """A small part of [a, b]: five times the sixteenth that `which` picks."""
    for _ in range(5):
        points = [a + (b - a) * k / 16 for k in range(17)]
        k = which(look(points))
        if k < 0 or not points[k] < points[k + 1]:
            break
        a, b = points[k], points[k + 1]
    return a, b


def _change(seen: Seen) -> int:
    return next((k for k in range(len(seen.valid) - 1) if seen.valid[k] != seen.valid[k + 1]), -1)


def _largest(numbers: Sequence[float], valid: Sequence[bool]) -> int:
    """The step with the greatest difference between neighbours."""
    place, most = -1, 0.0
    for k in range(len(numbers) - 1):
        d = abs(numbers[k + 1] - numbers[k])
        if valid[k] and valid[k + 1] and d > most:
            place, most = k, d
    return place


def _candidates(slopes: Sequence[float], valid: Sequence[bool]) -> list[int]:
    """The steps at which the slope changes much more than two steps before and after it: at most twelve."""
    change = [
        abs(b - a) if valid[i] and valid[i + 1] and math.isfinite(b - a) else 0.0
        for i, (a, b) in enumerate(itertools.pairwise(slopes))
    ]
    scale = max((abs(s) for s, ok in zip(slopes, valid, strict=True) if ok and math.isfinite(s)), default=0.0)
    beside = [max(change[i - 2] if i >= 2 else 0.0, *change[i + 2 : i + 3], 0.0) for i in range(len(change))]
    found = [i for i, d in enumerate(change) if d > 1e-4 * scale and d > 1.5 * beside[i]]
    return sorted(sorted(found, key=lambda i: (-change[i], i))[:12])


def _round_within(a: float, b: float) -> float:
    """The roundest number from a to b.

    >>> _round_within(0.4999999, 0.5000002)
    0.5
    """
    if a <= 0 <= b:
        return 0.0
    for digits in range(1, 17):
        x = float(f"{(a + b) / 2:.{digits}g}")
        if a <= x <= b:
            return x
    return (a + b) / 2


def _stretches(xs: Sequence[float], valid: Sequence[bool], marks: Sequence[Mark]) -> list[tuple[float, float]]:
    ends = [xs[0], *(m.x for m in marks if m.kind == "decision"), xs[-1]]
    found = []
    for a, b in itertools.pairwise(ends):
        inside = [ok for x, ok in zip(xs, valid, strict=True) if a <= x <= b]
        if a < b and 2 * inside.count(False) > len(inside):
            found.append((a, b))
    return found


def _note(name: str, marks: Sequence[Mark]) -> str:
    """A few words on the marks, for below the axis."""
    texts = []
    for kind, words in (("decision", "decides otherwise"), ("kink", "kink"), ("jump", "jump")):
        places = [number(m.x, 4) for m in marks if m.kind == kind]
        if places:
            texts.append(f"{words} at {name} = {', '.join(places[:3])}{', …' if len(places) > 3 else ''}")
    return " · ".join(texts)
