"""Each operation by itself: the derivative that the sweeps take for a row of the tape, against differences of that row.

A row is cut out of the tape, with an input for each of its operands: a tape of its own, a *piece*. The engine's own
sweeps go over it, forward and in reverse, and its own replay gives the values to take differences of. So whatever is
wrong in a rule is seen where it stands, in a row of the table as in a function pair, also where two mistakes cancel
in the end. Operands move along random directions, all at once; only where that differs each moves alone.
"""

from __future__ import annotations

import contextlib
import math
import random
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ad_magic.engine.tape import Columns, depended_on, forward_sweep, replay, reverse_sweep

from .agreement import ratio
from .differences import judge, measure
from .piece import Piece, direction, dot, finite, parts_of, piece_of, shaped, size_of, stands_at_kink, weighted
from .verdict import DIFFERS, Comparison, compare

MOST = 300  # rows that are checked where nothing is wrong, evenly spread
MOST_OF_ALL = 5_000  # where something is
PATIENCE = 1.0  # seconds
EXACT = 1e-8  # relative error allowed between what a run has recorded and what its rule gives again
NAMED = 5  # wrong rows that are listed
TRANSPOSED = 12  # a matrix of so many rows is looked at entry by entry


@dataclass(frozen=True, slots=True)
class WrongOperation:
    """An operation whose derivative is not that of its value."""

    row: int  # of the tape
    name: str  # of the rule
    text: str  # the operation as the table writes it, "sin(v3)", or its name
    line: str  # "line 3: y = math.sin(x)", or "" where that is not known
    operand: int | None  # which of its active operands, from 0; None where all together are wrong
    modes: tuple[str, ...]  # "reverse", "forward": whose derivative is wrong
    got: float | None  # along a random direction of that operand
    expected: float | None
    note: str  # what is wrong with it, as far as that can be told: "a factor 2 is missing"

    @property
    def words(self) -> str:
        """One sentence: which operation, where, and what is wrong with it."""
        where = f" ({self.line})" if self.line else ""
        which = f" with respect to its {_ordinal(self.operand)} operand" if self.operand is not None else ""
        mode = "" if len(self.modes) > 1 else f" in {self.modes[0]} mode"
        return f"{self.text}{where} has a wrong derivative{which}{mode}{f': {self.note}' if self.note else ''}"


@dataclass(frozen=True, slots=True)
class Operations:
    """The outcome for the rows of a tape: so many of `count` were checked, and those that are wrong, in order."""

    count: int = 0
    checked: int = 0
    wrong: tuple[WrongOperation, ...] = ()

    @property
    def words(self) -> str:
        """One sentence, without the wrong ones."""
        if not self.checked:
            return ""
        of = f"{self.checked} of {self.count} operations were" if self.checked < self.count else (
            "The one operation was" if self.count == 1 else f"Each of the {self.count} operations was")  # fmt: skip
        found = "its derivative is" if self.count == 1 else "their derivatives are"
        right = f"{found} right" if not self.wrong else f"{len(self.wrong)} {_is(len(self.wrong))} wrong"
        return f"{of} compared with differences of its own: {right}."


NONE = Operations()


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _ordinal(number: int) -> str:
    names = ("first", "second", "third", "fourth")
    return names[number] if number < len(names) else f"{number + 1}th"


def check_operations(run: Any, *, suspicious: bool, seed: int = 0) -> Operations:
    """The operations that the outputs of a run depend on, each by itself. `suspicious`: something else differs.

    The names in the table are left to the caller (see `named`): a wrong row has the name of its rule.
    """
    tape = run.tape
    used = depended_on(tape, {row for output in run.outputs for row in output.parts})
    rows = [row for row in _rows(tape) if used[row]]
    chosen = _spread(run, rows, MOST_OF_ALL if suspicious else MOST)
    looks = parts_of(tape)
    draw, wrong, checked, began = random.Random(seed), list[WrongOperation](), 0, time.perf_counter()
    with quiet():
        for row in chosen:
            if time.perf_counter() - began > PATIENCE * (5 if suspicious else 1) or len(wrong) >= NAMED:
                break
            found = _check_row(run, row, looks.get(row, ()), draw)
            checked += 1
            if found is not None:
                wrong.append(found)
    return Operations(len(rows), checked, tuple(wrong))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of NumPy: a step may lead out of the domain."""
    numpy = sys.modules.get("numpy")
    with numpy.errstate(all="ignore") if numpy else contextlib.nullcontext(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _rows(tape: Columns) -> Iterator[int]:
    """The rows that are checked: operations, and of a memory with its writes and looks the first row."""
    for row, op in enumerate(tape.ops):
        if op.rule is not None and op.name != "part" and (not op.memory or op.name == "memory"):
            yield row


def _spread(run: Any, rows: Sequence[int], most: int) -> list[int]:
    """So many rows: of a long run the first of each place in the source, then others, evenly spread."""
    if len(rows) <= most:
        return list(rows)
    tape = run.tape
    first: dict[Any, int] = {}
    for row in rows:
        place = (id(tape.codes[row]), tape.instructions[row]) if row < len(tape.codes) else None
        first.setdefault((id(tape.ops[row]), place), row)
    firsts = sorted(first.values())[:most]
    step = max(1, len(rows) // max(1, most - len(firsts)))
    return sorted({*firsts, *rows[::step][: most - len(firsts)]})


SMALLEST = 1e-290  # below that a difference has no digits


# ---- one row -------------------------------------------------------------------------------------


def _check_row(run: Any, row: int, parts: Sequence[int], draw: random.Random) -> WrongOperation | None:
    tape = run.tape
    piece = piece_of(tape, row, parts)
    if not piece.outputs or not all(finite(piece.tape.values[k]) for k in (*piece.inputs, *piece.outputs)):
        return None
    if any(isinstance(v, float) and 0 < abs(v) < SMALLEST for k in piece.inputs for v in (piece.tape.values[k],)):
        return None
    found = _compared(piece, piece.inputs, draw)
    recorded = run.mode == "forward" and not _as_recorded(run, piece, row, parts, draw)
    if not recorded and not _wrong_modes(found):
        return None
    if recorded:
        return _named(run, row, None, ("forward",), None, None, "its tangent in the run is not the one of its rule")
    for k, single in enumerate(piece.inputs):  # a second direction, of one operand alone
        one = _compared(piece, [single], draw)
        modes = _wrong_modes(one)
        if modes:
            outcome, got = one[modes[0]]
            which = k if len(piece.inputs) > 1 else None
            return _named(run, row, which, modes, got, outcome.expected, _what(piece, single, one, modes, draw))
    return None


def _named(
    run: Any,
    row: int,
    operand: int | None,
    modes: tuple[str, ...],
    got: float | None,
    expected: float | None,
    note: str,
) -> WrongOperation:
    name = run.tape.ops[row].name
    return WrongOperation(row, name, name, run.line_text(row), operand, modes, got, expected, note)


def _wrong_modes(found: Mapping[str, tuple[Comparison, float]]) -> tuple[str, ...]:
    """The modes whose derivative differs from a slope that is known: at a jump or a vertical slope nothing is said."""
    return tuple(
        mode
        for mode, (outcome, _) in found.items()
        if outcome.word == DIFFERS and outcome.expected is not None and math.isfinite(outcome.expected)
    )


def _compared(piece: Piece, moving: Sequence[int], draw: random.Random) -> dict[str, tuple[Comparison, float]]:
    """For each mode its slope of a random sum of the outputs along a random direction of some operands, compared."""
    moves = {row: direction(piece.tape.values[row], draw) for row in moving}
    length = math.sqrt(sum(dot(d, d) for d in moves.values())) or 1.0
    along = {row: d * (size_of(piece.tape.values[row]) / length) for row, d in moves.items()}
    weights = {row: direction(piece.tape.values[row], draw) for row in piece.outputs}
    got = {"reverse": _by_reverse(piece, along, weights), "forward": _by_forward(piece, along, weights)}
    middle = weighted(piece.tape.values, weights)

    def f(t: float) -> list[float]:
        moved = {row: piece.tape.values[row] + t * d for row, d in along.items()}
        value = weighted(replay(piece.tape, moved).values, weights)
        return [value] * len(got)

    trials = measure(f, 0.0, [middle] * len(got), list(got.values()))
    found = {}
    for k, (mode, slope) in enumerate(got.items()):
        outcome = judge(trials, k, 0.0, middle, slope)
        if outcome.word == DIFFERS and any(stands_at_kink(piece.tape, row) for row in range(len(piece.tape))):
            outcome = judge(trials, k, 0.0, middle, slope, kink="the operation has a kink")
        found[mode] = outcome, slope
    return found


def _by_reverse(piece: Piece, along: Mapping[int, Any], weights: Mapping[int, Any]) -> float:
    """The slope that the reverse sweep gives; NaN where it raises, or an adjoint has not the shape of its operand."""
    try:
        adjoints = reverse_sweep(piece.tape, weights)
        return sum(dot(shaped(adjoints[row], piece.tape.values[row]), d) for row, d in along.items())
    except Exception:  # of a rule that somebody has written
        return math.nan


def _by_forward(piece: Piece, along: Mapping[int, Any], weights: Mapping[int, Any]) -> float:
    try:
        tangents = forward_sweep(piece.tape, along)
        return sum(dot(w, shaped(tangents[row], piece.tape.values[row])) for row, w in weights.items())
    except Exception:
        return math.nan


def _as_recorded(run: Any, piece: Piece, row: int, parts: Sequence[int], draw: random.Random) -> bool:
    """Whether the tangents that a forward run has recorded are those that the rule gives for those of its operands."""
    mix = [draw.gauss(0, 1) for _ in range(run.seed_count)]
    tape = run.tape
    if len(tape.tangents) < len(tape):
        return True
    along = {k: _mixed(tape.tangents[parent], mix) for k, parent in zip(piece.inputs, piece.came, strict=True)}
    try:
        tangents = forward_sweep(piece.tape, along)
    except Exception:
        return False
    rows = [k for k in (row, *parts) if not isinstance(tape.values[k], tuple)]
    whole = [k for k in rows if not tape.ops[k].memory or tape.ops[k].name == "look"]
    return all(
        _same(_mixed(tape.tangents[k], mix), tangents[mine]) for k, mine in zip(whole, piece.outputs, strict=True)
    )


def _mixed(tangent: Any, mix: Sequence[float]) -> Any:
    """The tangent along one direction, a mixture of those of the run."""
    if isinstance(tangent, tuple):
        return sum(c * t for c, t in zip(mix, tangent, strict=True) if t) if len(tangent) == len(mix) else 0.0
    if getattr(tangent, "ndim", 0):
        import numpy as np

        return np.tensordot(np.array(mix), tangent, 1) if len(tangent) == len(mix) else 0.0
    return mix[0] * tangent if len(mix) == 1 else 0.0


def _same(a: Any, b: Any) -> bool:
    if not hasattr(a, "shape") and not hasattr(b, "shape"):
        outcome = compare(a, b, floor=EXACT)
        return outcome.word != DIFFERS or (a != a and b != b)
    import numpy as np

    a, b = np.asarray(a), np.asarray(b)
    size = max(np.max(np.abs(a), initial=0.0), np.max(np.abs(b), initial=0.0))
    return bool(np.allclose(a, b, rtol=EXACT, atol=EXACT * size if math.isfinite(size) else EXACT, equal_nan=True))


# ---- what is wrong -------------------------------------------------------------------------------


def _what(
    piece: Piece, operand: int, found: Mapping[str, tuple[Comparison, float]], modes: Sequence[str], draw: random.Random
) -> str:
    """What a wrong derivative looks like: a factor, a sign, a matrix that is transposed; "" where it cannot be said."""
    outcome, got = found[modes[0]]
    if got != got:
        return _why_nan(piece, operand, modes[0], draw)
    again, second = _compared(piece, [operand], draw)[modes[0]]
    first = (outcome.expected or 0.0) / got if got else math.nan
    other = (again.expected or 0.0) / second if second else math.nan
    if first == 0.0 == other:
        return "it should be zero"
    if math.isclose(first, other, rel_tol=1e-4):
        known = ratio(got, outcome.expected)
        return known or f"it is {1 / first:.4g} times what it should be".replace("-", "−")
    if got == 0.0 == second:
        return "it is zero"
    value = piece.tape.values[operand]
    if modes[0] == "reverse" and getattr(value, "ndim", 0) == 2 and max(value.shape) <= TRANSPOSED:
        return _transposed(piece, operand, draw)
    return ""


def _why_nan(piece: Piece, operand: int, mode: str, draw: random.Random) -> str:
    """A derivative that is no number: what was raised, or that its shape is wrong."""
    value = piece.tape.values[operand]
    weights = {row: direction(piece.tape.values[row], draw) for row in piece.outputs}
    try:
        if mode == "reverse":
            shaped(reverse_sweep(piece.tape, weights)[operand], value)
        else:
            tangents = forward_sweep(piece.tape, {operand: direction(value, draw)})
            [shaped(tangents[row], piece.tape.values[row]) for row in piece.outputs]
    except Exception as error:
        return f"it raises {type(error).__name__}: {error}"
    return "it is NaN"


def _transposed(piece: Piece, operand: int, draw: random.Random) -> str:
    import numpy as np

    value = piece.tape.values[operand]
    weights = {row: direction(piece.tape.values[row], draw) for row in piece.outputs}
    got = np.asarray(shaped(reverse_sweep(piece.tape, weights)[operand], value))
    right = np.zeros(value.shape)
    step = 1e-5 * size_of(value)
    for place in np.ndindex(value.shape):
        unit = np.zeros(value.shape)
        unit[place] = step
        up, down = (weighted(replay(piece.tape, {operand: value + s * unit}).values, weights) for s in (1, -1))
        right[place] = (up - down) / (2 * step)
    near = 1e-5 * float(np.max(np.abs(right)))
    if got.shape[0] == got.shape[1] and np.allclose(got.T, right, rtol=1e-5, atol=near):
        return "it is transposed"
    off = np.abs(got - right)
    place = np.unravel_index(int(np.argmax(off)), off.shape)
    return f"entry [{', '.join(map(str, place))}] of {off.size} is the worst" if np.any(off <= near) else ""
