"""A result against independent derivatives: the user's formulas, differences, the complex step, the other mode."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ad_magic.rules.number import NotAnalytic

from .complexstep import entry
from .differences import judge, measure
from .formulas import evaluate
from .program import Evaluate, cell_program, random_numbers_kept, recorded_program
from .report import FORMULA, CheckReport, CheckRow
from .subject import Components, Seed, derivatives, spread
from .verdict import DIFFERS, KINK, Comparison, compare, not_applicable

DIFFERENCES, COMPLEX, FORWARD = "central differences", "complex step", "forward mode"
EXACT = 1e-8  # relative error allowed where both numbers are exact but for rounding
SEEDS = 100  # entries of array inputs that are checked; of more, so many, evenly spread
COMPONENTS = 100  # of array outputs, likewise
PAIRS = 2_000  # so many of an input and an output
WORK = 20_000_000  # operations that a check may replay, which for long programs means fewer entries
BY_ENTRY = 30  # so many operations on entries of arrays take the time of one operation


def check(result: Any, expect: Mapping[str, Any] | None = None) -> CheckReport:
    """Check the derivatives of a Result; `expect` gives formulas of the user's own by seed ("x", "w[0]") or input.

    Raises ValueError, with one sentence, for a formula that does not work.
    """
    run = result.run
    components = Components(run, COMPONENTS)
    got = derivatives(result, components)
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
    with random_numbers_kept():
        program, why = _program(result)
        if why:
            notes.append(why)
        for s in chosen:
            one = Seed(result, s, names[s], [line[s] for line in got], components)
            found = {
                FORMULA: _against_formula(one, formulas.get(s)),
                DIFFERENCES: _against_differences(one, program),
                COMPLEX: _against_complex_step(one),
                FORWARD: _against_forward(one),
            }
            rows += [_row(one, method, outcomes) for method, outcomes in found.items() if outcomes]
    title = ", ".join(f"{name} = {_shown(value)}" for name, value in result.inputs.items())
    label = result.output_label or " and ".join(o for o in result.outputs)
    return CheckReport(label, title, tuple(rows), tuple(notes))


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


def _program(result: Any) -> tuple[Evaluate, str]:
    """What is run for the differences: the cell again, or what was recorded of it, and then why."""
    run, again = result.run, result.again
    recorded = recorded_program(result)
    if again is None:
        return recorded, ""
    program = cell_program(run, again)
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
    return program, ""


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
            raise ValueError(f"there is no input {target!r} to expect a derivative of; there is {_list(names)}")
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
            raise ValueError(
                f"the formula for {target} gives {_count(len(numbers))}; the derivative has {_count(wanted)}{hint}"
            )
        for place, s in enumerate(of_target):
            found[s] = components.chosen(numbers[place :: len(of_target)])
    return found


def _against_formula(one: Seed, expected: Sequence[float] | None) -> list[Comparison]:
    if expected is None:
        return []
    return [compare(g, e, floor=EXACT, natural=_natural(one, v)) for g, e, v in _each(one, expected)]


def _against_differences(one: Seed, program: Evaluate) -> list[Comparison]:
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

    if not one.kept and one.result.again is None:
        return [not_applicable("a long run in forward mode is not kept")] * len(one.slopes)
    trials = measure(along, one.x, one.values, one.slopes)
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
    return [
        compare(g, e, floor=EXACT, natural=_natural(one, v))
        if g == g or e == e
        else not_applicable("both modes give NaN here")
        for g, e, v in _each(one, expected)
    ]


def _each(one: Seed, expected: Sequence[float]) -> list[tuple[float, float, float]]:
    return list(zip(one.slopes, expected, one.values, strict=True))


def _natural(one: Seed, value: float) -> float:
    return abs(value) / max(abs(one.x), 1.0) if math.isfinite(value) else 1.0


# ---- explanations --------------------------------------------------------------------------------


def ratio(got: float, expected: float | None) -> str:
    """What a wrong derivative looks like: a wrong sign, a missing factor.

    >>> ratio(-3.0, 3.0), ratio(3.0, 6.0000001)
    ('the sign is wrong', 'a factor 2 is missing')
    """
    if not got or not expected or not math.isfinite(got / expected):
        return ""
    times = expected / got
    for factor in (2, 3, 4, 5, 10, math.pi):
        name = "π" if factor == math.pi else str(factor)
        for exponent, words in ((1, f"a factor {name} is missing"), (-1, f"it is {name} times too large")):
            if math.isclose(abs(times), factor**exponent, rel_tol=1e-5):
                return words + (", and the sign is wrong" if times < 0 else "")
    return "the sign is wrong" if math.isclose(times, -1.0, rel_tol=1e-5) else ""


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
