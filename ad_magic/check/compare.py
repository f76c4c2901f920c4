"""A result against independent derivatives: the user's formulas, differences, the complex step, the other mode."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ad_magic.rules.number import NotAnalytic

from . import stopping
from .agreement import FORMULA, Agreement, Pair, ratio
from .complexstep import complex_step, entry
from .differences import Function, judge, measure
from .directions import Directions
from .findings import CheckRow, Findings
from .formulas import FormulaError, evaluate
from .operations import Operations, check_operations
from .program import Evaluate, cell_program, random_numbers_kept, recorded_program
from .subject import Components, Seed, derivatives, spread
from .sweep import Sweep, sweep
from .tolerances import RTOL, integrates
from .verdict import AGREES, DIFFERS, KINK, SKIPPED, Comparison, compare, not_applicable
from .watch import Watch, watching

DIFFERENCES, COMPLEX, FORWARD = "central differences", "complex step", "forward mode"
ROUGH = 0.1  # so much, in relation to the largest, an integration may be off by its tolerances
EXACT = 1e-8  # relative error allowed where both numbers are exact but for rounding
SEEDS = 100  # entries of array inputs that are checked; of more, so many, evenly spread
COMPONENTS = 100  # of array outputs, likewise
PAIRS = 2_000  # so many of an input and an output
WORK = 600_000  # operations that a check may replay, which for long programs means fewer entries and directions
MANY = 20  # entries of the inputs from which on random directions are tried, and so many of them
SWEEPS = 4  # inputs of which the whole sweep of steps is made
LONGEST = 200_000  # operations of a program of which it is made
PATIENCE = 0.5  # seconds for all sweeps
BY_ENTRY = 30  # so many operations on entries of arrays take the time of one operation


NO_RULE = (
    "No operation is to blame: each agrees with differences of its own. Does the cell compute something that was not "
    "recorded (a text that is read back, an int), or is the derivative that of another program?"
)


def check(
    result: Any, expect: Mapping[str, Any] | None = None, *, directions: int | None = None, seed: int = 0
) -> Findings:
    """Check the derivatives of a Result; `expect` gives formulas of the user's own by seed ("x", "w[0]") or input.

    `directions` is how many random directions are tried (where inputs have many entries 20, else none), `seed` makes
    them others. Raises ValueError, with one sentence, for a formula that does not work.
    """
    held = stopping.frozen(result)
    result = held or result
    run = result.run
    title = ", ".join(f"{name} = {_shown(value)}" for name, value in result.inputs.items())
    label = result.output_label or " and ".join(o for o in result.outputs)
    components = Components(run, COMPONENTS)
    try:
        got = derivatives(result, components)
    except Exception as error:  # a rule that somebody has written may raise
        operations = check_operations(run, suspicious=True, seed=seed)
        if not operations.wrong:
            raise
        note = f"The derivative could not be computed: {type(error).__name__}: {error}"
        return Findings(label, title, (), (note,), operations=named(result, operations))
    names = result.seeds
    formulas = _formulas(result, names, expect or {}, components)
    chosen = _chosen(result, formulas, len(components.which))
    notes = []
    if len(chosen) < len(run.seeds):
        notes.append(f"{len(chosen)} of {len(run.seeds)} entries were checked, evenly spread.")
    if len(components.which) < components.count:
        notes.append(
            f"{len(components.which)} of {components.count} entries of the output were checked, evenly spread."
        )
    rows: list[CheckRow] = []
    pairs: dict[str, list[Pair]] = {}
    with random_numbers_kept(), watching() as watch:
        program, why = _program(result, watch, components, held is not None)
        if why:
            notes.append(why)
        if held is not None:
            notes.append(stopping.NOTE)

        def look(s: int) -> Seed:
            """All methods for one seed."""
            one = Seed(result, s, names[s], [line[s] for line in got], components)
            found = {
                FORMULA: _against_formula(one, formulas.get(s)),
                DIFFERENCES: _against_differences(one, program),
                COMPLEX: _against_complex_step(one),
                FORWARD: _against_forward(one),
            }
            rows.extend(_row(one, method, outcomes) for method, outcomes in found.items() if outcomes)
            for method, outcomes in found.items():
                pairs.setdefault(method, []).extend(_pairs(one, outcomes) if outcomes else [])
            return one

        looked = {s: look(s) for s in chosen}
        along, culprit = _along_directions(result, got, components, program, directions, seed)
        if culprit is not None and culprit not in looked:
            looked[culprit] = look(culprit)
        differs = {row.seed for row in (*rows, *along) if row.word == DIFFERS and row.method != FORMULA}
        operations = named(result, check_operations(run, suspicious=bool(differs), seed=seed))
        if differs and not operations.wrong and operations.checked == operations.count:
            notes.append(NO_RULE)
        kinks = {row.seed for row in rows if row.word == KINK}
        sweeps = _sweeps(sorted(looked.values(), key=lambda one: one.name not in differs), program, kinks)
    agreements = tuple(Agreement(method, tuple(found)) for method, found in pairs.items() if found)
    notes += [agreement.warning for agreement in agreements if agreement.warning]
    return Findings(label, title, tuple(rows), tuple(notes), along, operations, agreements, sweeps)


def named(result: Any, operations: Operations) -> Operations:
    """With the wrong operations written as in the table: "sin(v3)"."""
    try:
        table = dict(zip(result.tape_rows, result.rows, strict=True)) if operations.wrong else {}
    except Exception:  # the sweep over a wrong rule may raise
        return operations
    wrong = tuple(
        replace(w, text=f"{table[w.row].name} = {table[w.row].expression}") if w.row in table else w
        for w in operations.wrong
    )
    return replace(operations, wrong=wrong)


def _along_directions(
    result: Any, got: Sequence[Sequence[float]], components: Components, program: Evaluate, count: int | None, seed: int
) -> tuple[tuple[CheckRow, ...], int | None]:
    """A row for each method along random directions; and, where one differs, the seed that does most to it."""
    seeds = len(result.run.seeds)
    if count is None:
        count = MANY if seeds > MANY else 0
    if not count or not seeds or not got or not all(math.isfinite(x) for line in got for x in line):
        return (), None
    most = WORK // max(1, 10 * _operations(result.run.tape))
    there, draw = Directions(result, got, components, program), random.Random(seed)
    drawn = [there.drawn(draw) for _ in range(max(1, min(count, most)))]
    rows, culprit = [], None
    methods = {DIFFERENCES: there.by_differences, COMPLEX: there.by_complex_step, FORWARD: there.by_forward}
    for method, look in methods.items():
        outcomes = {k: outcome for k, one in enumerate(drawn) if (outcome := look(*one)) is not None}
        if not outcomes:
            continue
        k = min(outcomes, key=lambda k: outcomes[k].badness)
        outcome = outcomes[k]
        several = len(drawn) > 1
        note = "; ".join(part for part in (f"the worst of {len(drawn)}" if several else "", outcome.note) if part)
        name = f"{len(drawn)} random directions" if several else "a random direction"
        slope = there.got(*drawn[k])
        rows.append(CheckRow(name, method, outcome.expected, slope, outcome.error, outcome.verdict, note))
        if outcome.word == DIFFERS and culprit is None:
            culprit = there.located(*drawn[k], look)
    return tuple(rows), culprit


def _sweeps(seeds: Sequence[Seed], program: Evaluate, kinks: Collection[str]) -> tuple[Sweep, ...]:
    """How the error of a quotient depends on the step, along the first inputs, those that differ before the others."""
    found: list[Sweep] = []
    began = time.perf_counter()
    for one in seeds:
        long = found and time.perf_counter() - began > PATIENCE
        if len(found) == SWEEPS or long or _operations(one.run.tape) > LONGEST or not one.slopes:
            break
        if not (all(map(math.isfinite, (*one.slopes, *one.values, one.x))) and (one.kept or one.result.again)):
            continue
        by_complex = None
        if one.kept and not one.run.tape.arrays and not isinstance(one.complex_step, NotAnalytic):

            def by_complex(h: float, one: Seed = one) -> list[float]:
                return complex_step(one.run.tape, one.row, one.outputs, one.position, h)

        found.append(sweep(one.name, one.x, one.slopes, _moving(one, program), by_complex, one.name in kinks))
    return tuple(found)


def _pairs(one: Seed, outcomes: Sequence[Comparison]) -> list[Pair]:
    """The finite numbers that one method has compared."""
    several = one.components.count > 1
    return [
        Pair(f"∂{component}/∂{one.name}" if several else one.name, got, outcome.expected, outcome.word)
        for component, got, outcome in zip(one.components.names, one.slopes, outcomes, strict=True)
        if outcome.word in (AGREES, DIFFERS, SKIPPED)
        and outcome.expected is not None
        and math.isfinite(got)
        and math.isfinite(outcome.expected)
    ]


def _chosen(result: Any, formulas: Mapping[int, Any], components: int) -> list[int]:
    """Which seeds are checked: all, or of very many some, evenly spread, and those with a formula of their own."""
    count = len(result.run.seeds)
    most = max(4, min(SEEDS, PAIRS // max(1, components), WORK // max(1, 10 * _operations(result.run.tape))))
    if count <= most:
        return list(range(count))
    own = formulas if len(formulas) <= SEEDS else {}
    return sorted({*own, *spread(count, most)})


def _operations(tape: Any) -> int:
    """How long a program takes, in operations on numbers."""
    if not tape.arrays:
        return len(tape)
    return len(tape) + sum(getattr(value, "size", 0) for value in tape.values) // BY_ENTRY


def _program(result: Any, watch: Watch, components: Components, held: bool = False) -> tuple[Evaluate, str]:
    """What is run for the differences, and a note: the cell again, or what was recorded of it. If `held`, what the
    cell gives to `stop_gradient` stays as it is at the first run.

    Where it integrates, the values of the components become those with tight tolerances.
    """
    run, again = result.run, result.again
    recorded = recorded_program(result)
    if again is None:
        return recorded, ""

    def made(tight: bool) -> Evaluate:
        program = cell_program(run, again, watch, tight=tight)
        return stopping.holding(program) if held else program

    program = made(False)
    instead = "; the differences are those of the recorded operations."
    try:
        values = program(run.inputs)
    except Exception as error:
        return recorded, f"Run again with plain numbers, the cell raises {type(error).__name__}: {error}{instead}"
    before = [float(value) for output in run.outputs for value, _, _ in output.flat()]
    if len(values) != len(before):
        return recorded, f"Run again, the cell gives {len(values)} numbers instead of {len(before)}{instead}"
    for old, new in zip(before, values, strict=True):
        if compare(old, new, floor=1e-9).word == DIFFERS and not (old != old and new != new):
            why = "random numbers, or it changes what an earlier cell has made?"
            return recorded, f"Run again, the cell gives {new:.6g} instead of {old:.6g} ({why}){instead}"
    tight = _tight(made(True), run, components, before) if integrates(run) else None
    return tight or (program, "")


def _tight(program: Evaluate, run: Any, components: Components, before: Sequence[float]) -> tuple[Evaluate, str] | None:
    """A program with tight tolerances of its integrators; None where its values are then quite different."""
    try:
        values = program(run.inputs)
    except Exception:
        return None
    scale = max(map(abs, before), default=0.0)
    if len(values) != len(before) or not all(abs(a - b) <= ROUGH * scale for a, b in zip(values, before, strict=True)):
        return None
    components.values = components.chosen(values)
    return program, (
        f"For the differences SciPy integrates with rtol = {RTOL:.0e}: with the cell's own tolerances they would be "
        "off by as much as its values."
    )


# ---- the four methods: each gives one comparison for each component ------------------------------


def _formulas(
    result: Any, names: Sequence[str], expect: Mapping[str, Any], components: Components
) -> dict[int, list[float]]:
    """By seed, what the user's formulas give for each component of the output."""
    namespace = result.again.namespace if result.again is not None else {}
    found: dict[int, list[float]] = {}
    for target, formula in expect.items():
        of_target = [s for s, (name, _, _) in enumerate(result.run.seeds) if target in (name, names[s])]
        if not of_target:
            raise FormulaError(f"there is no input {target!r} to expect a derivative of; there is {_list(names)}")
        numbers = evaluate(target, formula, result.inputs, namespace)
        wanted = components.count * len(of_target)
        if len(numbers) == 1:  # one number for all of them
            numbers = numbers * wanted
        if len(numbers) != wanted:
            hint = (
                "; of a function by entry it is np.diag(…)"
                if len(numbers) == components.count == len(of_target)
                else ""
            )
            raise FormulaError(
                f"the formula for {target} gives {_count(len(numbers))}; the derivative has {_count(wanted)}{hint}"
            )
        for place, s in enumerate(of_target):
            found[s] = components.chosen(numbers[place :: len(of_target)])
    return found


def _against_formula(one: Seed, expected: Sequence[float] | None) -> list[Comparison]:
    if expected is None:
        return []
    return [compare(g, e, floor=EXACT, natural=_natural(one, v)) for g, e, v in _each(one, expected)]


def _moving(one: Seed, program: Evaluate) -> Function:
    """The program as a function of this input alone; what it gives are the components."""
    inputs = dict(one.run.inputs)

    def along(moved: float) -> list[float]:
        if hasattr(inputs[one.input], "shape"):
            array = inputs[one.input].copy()
            array[one.position] = moved
            values = program({**inputs, one.input: array})
        else:
            values = program({**inputs, one.input: moved})
        if len(values) != one.components.count:
            raise ValueError("the output changes its shape")
        return one.components.chosen(values)

    return along


def _against_differences(one: Seed, program: Evaluate) -> list[Comparison]:
    if not one.kept and one.result.again is None:
        return [not_applicable("a long run in forward mode is not kept")] * len(one.slopes)
    trials = measure(_moving(one, program), one.x, one.values, one.slopes)
    found: list[Comparison] = []
    for k, (slope, value) in enumerate(zip(one.slopes, one.values, strict=True)):
        outcome = judge(trials, k, one.x, value, slope, name=one.name)
        if outcome.word == DIFFERS:
            kink = one.flag("kink")
            outcome = judge(trials, k, one.x, value, slope, name=one.name, kink=kink) if kink else outcome
        if outcome.word == DIFFERS:
            why = one.flag("derivative-stops", "equality-branch", "nan") or ratio(slope, outcome.expected)
            outcome = _with_note(outcome, why)
        found.append(outcome)
    return found


def _against_complex_step(one: Seed) -> list[Comparison]:
    if not one.kept:
        return [not_applicable("a long run in forward mode keeps no tape")] * len(one.slopes)
    expected = one.complex_step
    if isinstance(expected, NotAnalytic):
        return [not_applicable(str(expected))] * len(one.slopes)
    return [_with_ratio(compare(g, e, floor=EXACT, natural=_natural(one, v)), g) for g, e, v in _each(one, expected)]


def _against_forward(one: Seed) -> list[Comparison]:
    if one.result.mode != "both":
        return []
    expected = [0.0 if row is None else float(entry(one.tangents[row], place)) for row, place in one.outputs]
    return [_of_two_modes(one, g, e, v) for g, e, v in _each(one, expected)]


def _of_two_modes(one: Seed, got: float, expected: float, value: float) -> Comparison:
    if not math.isfinite(value):  # the one mode has looked again, in numbers of a greater range
        return not_applicable(f"the value is {value} here")
    if got != got and expected != expected:
        return not_applicable("both modes give NaN here")
    return compare(got, expected, floor=EXACT, natural=_natural(one, value))


def _each(one: Seed, expected: Sequence[float]) -> list[tuple[float, float, float]]:
    return list(zip(one.slopes, expected, one.values, strict=True))


def _natural(one: Seed, value: float) -> float:
    return abs(value) / max(abs(one.x), 1.0) if math.isfinite(value) else 1.0


# ---- explanations --------------------------------------------------------------------------------


def _with_ratio(outcome: Comparison, got: float) -> Comparison:
    return _with_note(outcome, ratio(got, outcome.expected)) if outcome.word == DIFFERS else outcome


def _with_note(outcome: Comparison, note: str) -> Comparison:
    note = "; ".join(part for part in (outcome.note, note) if part)
    return Comparison(outcome.verdict, outcome.expected, outcome.error, note)


# ---- rows of the report --------------------------------------------------------------------------


def _row(one: Seed, method: str, outcomes: Sequence[Comparison]) -> CheckRow:
    """The row of one method: the worst component, named where there are several."""
    k = min(range(len(outcomes)), key=lambda place: (outcomes[place].badness, -abs(one.slopes[place])))
    outcome = outcomes[k]
    note = outcome.note
    if one.components.count > 1 and (outcome.word in (DIFFERS, KINK) or outcome.error):
        note = "; ".join(part for part in (f"{one.components.names[k]} is the worst of {len(outcomes)}", note) if part)
    return CheckRow(one.name, method, outcome.expected, one.slopes[k], outcome.error, outcome.verdict, note)


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", ())
    return f"{float(value):.6g}".replace("-", "−") if not shape else f"array of {' × '.join(map(str, shape))}"


def _count(number: int) -> str:
    return "1 number" if number == 1 else f"{number} numbers"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
