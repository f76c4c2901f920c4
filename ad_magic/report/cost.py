"""What derivatives cost: operations by method, counted from the tape; the ratio to f; memory; times, if one asks.

"The gradient costs at most a small constant times the function, whatever the number of inputs" (Baur & Strassen 1983;
Griewank & Walther 2008, chapter 4): reverse mode. Forward mode and differences take a sweep, or two runs, for each
input.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from statistics import median
from typing import Any

from ad_magic.cell.again import unit
from ad_magic.cell.run import Run
from ad_magic.engine.costs import Work, work
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns, depended_on, forward_sweep, replay, reverse_sweep
from ad_magic.transforms.matrices import mode_of

from .markup import esc, standing_alone
from .memory import Saved, bytes_in_words, memory_of, saved_by_checkpoints
from .number import number
from .tabular import Small, html, markdown, text

LOOKED_AT = 4_000_000  # entries of a Jacobian whose pattern is looked for
OUTPUTS = 16  # outputs whose reverse sweeps are counted one by one; of more each counts as all of them together
REPEATS = 5  # of a measurement, of which the median is taken
COUNTED = "One operation is +, −, ×, ÷, a power or a call of a function; moving a number and a sign are none."


@dataclass(frozen=True)
class Cost:
    """What the value and the derivatives of one run cost.

    `operations` has the counts by method: "f", "tangent" (f and one tangent sweep), "forward" (f and a tangent sweep
    for each of n inputs), "reverse" (f and a reverse sweep for each output), "reverse, every addition" (the same, where
    also the first addition to an adjoint counts, which only sets it), "differences" (2n runs of f), and where it takes
    fewer sweeps "compressed" (f and those of `jacobian(f, sparsity="auto")`). `ratios` has them relative to f. `sweeps`
    says how many there are by method; `chosen` is the mode that `jacobian(f)` takes. `rows` and `memory` are those of
    the tape, in bytes; `seconds` what was measured, by method (see `measured`); `saved` what checkpoints save, None
    where there are none.
    """

    inputs: int
    outputs: int
    operations: Mapping[str, int]
    rows: int
    memory: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    compressed: tuple[str, int] | None = None  # the mode and the number of its sweeps
    saved: Saved | None = None
    _run: Run | None = field(default=None, repr=False, compare=False)

    @property
    def ratios(self) -> dict[str, float]:
        """The operations relative to those of f; NaN where f has none."""
        f = self.operations["f"]
        return {method: count / f if f else math.nan for method, count in self.operations.items()}

    @property
    def sweeps(self) -> dict[str, int]:
        """How many sweeps find all derivatives, by method."""
        found = {"forward": self.inputs, "reverse": self.outputs}
        return {**found, **({"compressed": self.compressed[1]} if self.compressed else {})}

    @property
    def chosen(self) -> str:
        """The mode that `jacobian(f)` takes: the one of fewer sweeps."""
        return mode_of([(self.inputs,)], [(self.outputs,)])

    def measured(self, repeats: int = REPEATS) -> Cost:
        """The same with `seconds`: the recorded operations carried out one by one, and swept; the median of a few.

        The n tangent sweeps and the 2n runs of the differences are n times and 2n times what one takes.
        """
        assert self._run is not None
        return replace(self, seconds=_seconds(self._run, self.inputs, self.outputs, self.compressed, repeats))

    def to_text(self) -> str:
        """As aligned text."""
        return "\n\n".join([*map(text, self._tables()), "\n".join(self._notes())])

    def to_html(self) -> str:
        """As HTML that stands within a report."""
        notes = "".join(f'<p class="ad-note">{esc(note)}</p>' for note in self._notes())
        return "".join(map(html, self._tables())) + notes

    def to_markdown(self) -> str:
        """In Markdown."""
        return "\n\n".join([*map(markdown, self._tables()), *self._notes()])

    def _tables(self) -> list[Small]:
        return [self._table()] + ([self.saved.table(self.rows, self.memory)] if self.saved else [])

    def _table(self) -> Small:
        heads = ("", "operations", "ratio to f", *(("time", "ratio") if self.seconds else ()))
        rows = []
        for method, name in _names(self.inputs, self.outputs, self.compressed).items():
            cells = [name, f"{self.operations[method]:,}", number(self.ratios[method], 3)]
            if self.seconds:
                seconds = self.seconds.get(method)
                cells += ["", ""] if seconds is None else [_time(seconds), number(seconds / self.seconds["f"], 3)]
            rows.append(tuple(cells))
        return Small("What the derivatives cost", heads, tuple(rows), frozenset(range(1, len(heads))))

    def _notes(self) -> list[str]:
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        again = self.saved.note() if self.saved else []
        return [COUNTED, *self._choice(), f"Tape: {rows}, about {bytes_in_words(self.memory)}.", *again]

    def _choice(self) -> list[str]:
        """What jacobian does, and why."""
        mode, other = ("forward", "reverse") if self.chosen == "forward" else ("reverse", "forward")
        few, many = self.sweeps[mode], self.sweeps[other]
        why = f"{few:,} sweep{'s' if few != 1 else ''}, {other} mode has {many:,}"
        said = f"jacobian(f) takes {mode} mode: {why}."
        if self.operations[other] < self.operations[mode]:
            said += f" It goes by sweeps; counted in operations {other} mode is cheaper here."
        if self.compressed:
            which, seeds = self.compressed
            shared = "columns without a row" if which == "forward" else "rows without a column"
            said += (
                f' With sparsity="auto" it takes {seeds:,} {which} sweep{"s" if seeds != 1 else ""}: {shared} in common'
            )
            said += " share one."
        return [said]

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return standing_alone(self.to_html())


def _names(inputs: int, outputs: int, compressed: tuple[str, int] | None = None) -> dict[str, str]:
    """What the methods are called, with the numbers of their sweeps."""
    sweeps = "one reverse sweep" if outputs == 1 else f"{outputs:,} reverse sweeps"
    tangents = "1 tangent sweep" if inputs == 1 else f"{inputs:,} tangent sweeps"
    few = {}
    if compressed:
        kind = "tangent" if compressed[0] == "forward" else "reverse"
        plural = "s" if compressed[1] != 1 else ""
        few = {"compressed": f"f and {compressed[1]:,} {kind} sweep{plural}, compressed: all derivatives"}
    return {
        "f": "f",
        "tangent": "f and one tangent sweep",
        "forward": f"f and {tangents}: all derivatives",
        "reverse": f"f and {sweeps}: all derivatives",
        "reverse, every addition": "the same, the first addition to an adjoint counted too",
        **few,
        "differences": f"central differences: {2 * inputs:,} runs of f",
    }


def cost_of(run: Run) -> Cost:
    """The cost of a run. Raises ValueError where not all of its operations were kept."""
    if run.tape.recorded > len(run.tape):
        raise ValueError("a long run in forward mode keeps no tape to count; use --mode both or reverse")
    ends = [row for output in run.outputs for row, _ in output.seeds()]
    compressed = None
    if min(len(ends), run.seed_count) > 1 and len(ends) * run.seed_count <= LOOKED_AT:
        from .sparsity import sparsity_of

        s = sparsity_of(run)
        compressed = (s.mode, s.seeds) if s.seeds < min(len(ends), run.seed_count) else None
    return replace(counted(run.tape, ends, run.seed_count, compressed), _run=run)


def counted(
    tape: Columns, outputs: Sequence[int | None], inputs: int, compressed: tuple[str, int] | None = None
) -> Cost:
    """The cost of a tape; `outputs` has the row of each entry of the outputs, None for a constant. `compressed` is the
    mode and the number of sweeps of a compressed Jacobian."""
    works = [work(tape, row) for row in range(len(tape))]
    f = sum(w.value for w in works)
    push = sum(w.push for w in works)
    several = {row: len(list(group)) for row, group in groupby(sorted(row for row in outputs if row is not None))}
    if len(several) > OUTPUTS:
        first, every = (len(outputs) * count for count in _reverse(tape, works, list(several)))
    else:
        sweeps = [(count, _reverse(tape, works, [row])) for row, count in several.items()]
        first, every = (sum(count * sweep[k] for count, sweep in sweeps) for k in (0, 1))
    operations = {
        "f": f,
        "tangent": f + push,
        "forward": f + inputs * push,
        "reverse": f + first,
        "reverse, every addition": f + every,
        "differences": 2 * inputs * f,
    }
    if compressed:  # a sweep of several results at once is at most one of all of them
        one = push if compressed[0] == "forward" else _reverse(tape, works, list(several))[0]
        operations["compressed"] = f + compressed[1] * one
    rows = sum(op is INPUT or op.rule is not None for op in tape.ops)
    saved = saved_by_checkpoints(tape, rows)
    return Cost(inputs, len(outputs), operations, rows, memory_of(tape), compressed=compressed, saved=saved)


def _reverse(tape: Columns, works: Sequence[Work], outputs: Sequence[int]) -> tuple[int, int]:
    """What a reverse sweep costs: where the first addition to an adjoint is none, and where every one counts."""
    used = depended_on(tape, outputs)
    touched: dict[int, Any] = dict.fromkeys(outputs, True)  # rows whose adjoints there are; a mask where not all are
    first = every = 0
    for row in range(len(tape) - 1, -1, -1):
        if not used[row]:
            continue
        op, done = tape.ops[row], works[row]
        first, every = first + done.pull, every + done.pull
        into = done.into
        if op.memory:  # what was written, and what the memory began with; a look adds to the memory's own entries
            from ad_magic.engine.arrays.costs import passed_on

            into = passed_on(tape, row)
        elif done.moves and op.name != "part":
            from ad_magic.engine.arrays.costs import touched as entries_touched

            for parent, mask in entries_touched(tape, row):
                old = touched.get(parent, False)
                first += int((mask & old).sum())
                touched[parent] = mask | old
            continue
        for parent, size in into:
            old = touched.get(parent, False)
            first += size if old is True else int(old.sum()) if old is not False else 0
            every += size if not done.moves else 0
            touched[parent] = True
    return first, every


# ---- times ---------------------------------------------------------------------------------------


def _seconds(run: Run, inputs: int, outputs: int, compressed: tuple[str, int] | None, repeats: int) -> dict[str, float]:
    tape = run.tape
    values = {row: tape.values[row] for row in run.rows.values()}
    f = _median(lambda: replay(tape, values, "plain", run.only_shown), repeats)
    seed = next(iter(run.seeds), None)
    push = pull = 0.0
    if seed is not None:
        _, position, row = seed
        push = _median(lambda: forward_sweep(tape, {row: unit(tape.values[row], position)}), repeats)
    end = next(((r, p) for o in run.outputs for r, p in o.seeds() if r is not None and r >= 0), None)
    if end is not None:
        pull = _median(lambda: reverse_sweep(tape, {end[0]: unit(tape.values[end[0]], end[1])}), repeats)
    return {
        "f": f,
        "tangent": f + push,
        "forward": f + inputs * push,
        "reverse": f + outputs * pull,
        "differences": 2 * inputs * f,
        **({"compressed": f + compressed[1] * (push if compressed[0] == "forward" else pull)} if compressed else {}),
    }


def _median(action: Callable[[], Any], repeats: int) -> float:
    taken = []
    for _ in range(max(repeats, 1)):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return median(taken)


def _time(seconds: float) -> str:
    for size, name in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{number(seconds / size, 3)} {name}"
    return f"{number(seconds * 1e6, 3)} µs"
