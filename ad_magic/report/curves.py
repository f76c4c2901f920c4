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
from typing import TYPE_CHECKING, NamedTuple

from .array import shape_of
from .entries import Entries, Span, is_scalar, span_of, spread
from .grid import Grid, around, given, widen
from .number import number
from .table import output_symbol

if TYPE_CHECKING:
    from .result import Result

POINTS = 200
SLOW = 0.01  # seconds for a look: at a program that is slower than that nobody looks again
PATIENCE = 1.5  # seconds for all curves


class Seen(NamedTuple):
    """f and f′ at some points; what is not `valid` belongs to another path through the program."""

    values: list[float]
    slopes: list[float]
    valid: list[bool]


Look = Callable[[list[float]], Seen]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the axis; `kind` is "decision", "kink" or "jump", `text` says it in a sentence."""

    kind: str
    x: float
    text: str


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
    """A curve for each number that an input is or has, the first `limit` of them, and how many there are more.

    Raises ValueError with a sentence where there is nothing to draw.
    """
    from ad_magic.codegen.batch import curve
    from ad_magic.codegen.symbols import NoProgram

    why = reason(r)
    if why:
        raise ValueError(why)
    found: list[Curve] = []
    moving = movable(r, ranges or {})
    began = time.perf_counter()
    for name, entry, grid in moving[:limit]:
        if time.perf_counter() - began > PATIENCE:
            break

        def look(points: list[float], name: str = name, entry: tuple[int, ...] = entry) -> Seen:
            return Seen(*(part.tolist() for part in curve(r.run, name, points, entry)))

        at = float(r.inputs[name][entry] if entry else r.inputs[name])
        label = name + (f"[{Entries.index_text(entry)}]" if entry else "")
        frame = Frame(*heads(r, label), label, grid.lo, grid.hi, digits)
        slope = r.grad[name]
        try:
            found.append(sampled(look, frame, at, float(r.value), float(slope[entry] if entry else slope)))
        except NoProgram as error:
            raise ValueError(str(error)) from None
    return found, len(moving) - len(found)


def heads(r: Result, label: str) -> tuple[str, str]:
    """What stands over the two drawings: ("z", "∂z/∂x")."""
    symbol = output_symbol(r, r.outputs[0])
    return symbol or str(r.output_label), f"∂{symbol}/∂{label}"


def reason(r: Result) -> str | None:
    """Why there is no curve, if there is none."""
    if len(r.outputs) != 1:
        return "A curve is drawn for one output; there are several."
    if shape_of(r.value):
        return f"A curve is drawn for a number; {r.outputs[0]} is an array."
    if not movable(r, {}):
        return "There is no input that a curve could be drawn along."
    return None


def movable(r: Result, ranges: Mapping[str, Span]) -> list[tuple[str, tuple[int, ...], Grid]]:
    """The numbers that have a slider, each with its range: inputs, and the entries of small arrays (entries.py)."""
    found: list[tuple[str, tuple[int, ...], Grid]] = []
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


def sampled(look: Look, frame: Frame, at: float, value: float | None, slope: float | None) -> Curve:
    """A curve over the frame's range, through a point."""
    xs = [frame.lo * (1 - k / (POINTS - 1)) + frame.hi * (k / (POINTS - 1)) for k in range(POINTS)]
    seen = look(xs)
    began = time.perf_counter()
    look(xs[:16])
    marks = find_marks(look if time.perf_counter() - began < SLOW else None, frame.name, xs, seen)
    aside = _stretches(xs, seen.valid, marks)
    return Curve(frame, xs, *seen, at, value, slope, marks, aside, _note(frame.name, marks))


def find_marks(look: Look | None, name: str, xs: Sequence[float], seen: Seen) -> list[Mark]:
    """Where the program decides otherwise, and where f has a corner or jumps, from left to right.

    Without `look` only the decisions, as far as the points tell.
    """
    found: list[Mark] = []
    for i, (a, b) in enumerate(itertools.pairwise(xs)):
        if seen.valid[i] != seen.valid[i + 1]:
            at = _round_within(*(_closer(look, a, b, _change) if look else (a, b)))
            found.append(Mark("decision", at, f"at {name} = {number(at, 6)} the program decides otherwise"))
    if look:
        _add_corners(found, look, name, xs, seen)
        _add_jumps(found, look, name, xs, seen)
    return sorted(found, key=lambda m: m.x)


def _add_corners(found: list[Mark], look: Look, name: str, xs: Sequence[float], seen: Seen) -> None:
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
            found.append(Mark("kink", at, f"kink at {name} = {number(at, 6)}: {sides}"))


def _add_jumps(found: list[Mark], look: Look, name: str, xs: Sequence[float], seen: Seen) -> None:
    values, slopes, valid = seen
    for i in range(len(xs) - 1):
        step, width = abs(values[i + 1] - values[i]), xs[i + 1] - xs[i]
        smooth = max(abs(slopes[i]), abs(slopes[i + 1])) * width
        known = valid[i] and valid[i + 1] and math.isfinite(step)
        if not known or not step > 3 * smooth or not step > 1e-9 * abs(values[i]):
            continue
        a, b = _closer(look, xs[i], xs[i + 1], lambda s: _largest(s.values, s.valid))
        ends = look([a, b]).values
        at = _round_within(a, b)
        if abs(ends[1] - ends[0]) > step / 2 and not any(abs(m.x - at) < width / 64 for m in found):
            found.append(Mark("jump", at, f"jump at {name} = {number(at, 6)}"))


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
