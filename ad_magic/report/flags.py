"""What a reader of a result must know: corners, NaN, lost digits, where a derivative stops, what does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ad_magic.cell.run import Run
from ad_magic.cell.source import counted_with, only_looked_at, title_of
from ad_magic.engine.decisions import STOPS
from ad_magic.engine.operation import COMPARISONS, INPUT
from ad_magic.engine.tape import Columns, depended_on
from ad_magic.rules.own import STOP

from .array import all_zero
from .condition import Sweep, cancellations, lost_in_words
from .kinks import corner
from .row import Flag, Row
from .rows import expression, listed_length, named, place_at
from .singular import singular

MEAN = "what is shown is the mean of both sides, NaN where that is not known"
BRANCH = "the derivative is that of the branch taken"
_AT_EQUALITY = frozenset(("lt", "le", "gt", "ge"))
_PLAIN = {
    "int": "a whole number",
    "text": "the derivative stops here: the text of a number is read back as a number; a text carries no derivative",
}


class Flags:
    """The flags of a run in the order in which they are found; one for each kind and place."""

    def __init__(self, run: Run, where: Mapping[int, int]) -> None:
        self.run, self.where = run, where
        self.found: dict[tuple[Any, ...], Flag] = {}
        self.names = list(run.inputs)
        self.reached = list(_reached(run, listed_length(run.tape)))

    def add(self, kind: str, index: int, message: str, *, cause: int | None = None, **more: Any) -> None:
        """A flag at row `index` of the tape; what it says stands at the row `cause`, if that is another."""
        run = self.run
        place = place_at(run.tape, index if cause is None else cause)
        key = (kind, place, message if place is None or kind == "nan" else None)
        line = place.line if place and place.file == run.file else None
        if place and line is None:
            message = f"{message} ({title_of(place.file, run.cells)}, line {place.line})"
        self.found.setdefault(key, Flag(kind, message, line, self.where.get(index), self.inputs(index), **more))

    def inputs(self, index: int) -> tuple[str, ...]:
        """The inputs that a row of the tape depends on."""
        bits = self.reached[index] if index < len(self.reached) else 0
        return tuple(name for k, name in enumerate(self.names) if bits >> k & 1)


def _reached(run: Run, length: int) -> Iterator[int]:
    """For each of the first rows the inputs that it depends on, as the bits of a number."""
    own = {row: 1 << k for k, row in enumerate(run.rows[name] for name in run.inputs)}
    found: list[int] = []
    for index, op in enumerate(run.tape.ops[:length]):
        bits = own.get(index, 0)
        if op is not INPUT:
            for parent in run.tape.parents(index):
                bits |= found[parent]
        found.append(bits)
        yield bits


def make_flags(run: Run, rows: Sequence[Row], where: dict[int, int], sweep: Sweep, up_to: int = 1) -> list[Flag]:
    """What a reader of this run must know, in the order of the program.

    `where` maps an index on the tape to one in the rows; `sweep` gives the adjoints of a number of an output; `up_to`
    is the order of the derivatives that are shown.
    """
    tape = run.tape
    used = depended_on(tape, [row for output in run.outputs for row in output.parts])
    flags = Flags(run, where)
    for i, op in enumerate(tape.ops):
        if op.decision:
            _decision(flags, tape, i)
        elif used[i] and op.rule is not None and (op.array or op.rule.kink is not None or op.rule.step):
            _operation(flags, rows, i)
    index_of = {row: index for index, row in where.items()}
    for bad in singular(tape, rows, list(where)):
        flags.add("nan", index_of[bad.row], bad.message, cause=index_of[bad.cause])
    outputs = [o.name if o.name != "out" else "the output" for o in run.outputs]
    for index, loss, growth in cancellations(run, len(flags.reached), sweep):
        output = outputs[0] if len(outputs) == 1 else "an output"
        text = expression(tape, index, where)
        flags.add("cancellation", index, lost_in_words(text, tape.ops[index].name, loss, growth, output))
    _independent(flags, used, " and ".join(outputs))
    return [*flags.found.values(), *(second_order(run, where) if up_to > 1 else ())]


def second_order(run: Run, where: Mapping[int, int]) -> list[Flag]:
    """The rows that have no second derivative here, of which the policy of `engine/both_sides.py` says what it is."""
    from ad_magic.engine.both_sides import singular_rows

    flags = Flags(run, where)
    outputs = [row for output in run.outputs for row in output.parts]
    for row in singular_rows(run.tape, outputs):
        flags.add("second-order", row, f"{_text(flags, row)} has no second derivative here: {MEAN}")
    return list(flags.found.values())


def _text(flags: Flags, index: int) -> str:
    return expression(flags.run.tape, index, flags.where) if index in flags.where else flags.run.tape.ops[index].name


def _operation(flags: Flags, rows: Sequence[Row], index: int) -> None:
    """A corner, or a step."""
    tape, text = flags.run.tape, _text(flags, index)
    op = tape.ops[index]
    found = corner(tape, index, text)
    if found is not None:
        why = found.why
        row = rows[flags.where[index]] if index in flags.where else None
        if found.chosen in (float("inf"), float("-inf")) and row and row.adjoint is not None and all_zero(row.adjoint):
            why += "; its adjoint is exactly 0, and 0 · inf counts as 0"
        flags.add("kink", index, why, left=found.left, right=found.right, chosen=found.chosen)
    if op.name == STOP.name:
        flags.add(
            "derivative-stops",
            index,
            f"{text} is taken for a constant, as the program asks: its derivative is zero",
            asked=True,
        )
    elif op.rule is not None and op.rule.step:
        flags.add(
            "derivative-stops",
            index,
            f"{text} is piecewise constant: its derivative is zero, and the derivative stops here",
        )


# ---- what the program looks at ---------------------------------------------------------------------


def _decision(flags: Flags, tape: Columns, i: int) -> None:
    op, outcome = tape.ops[i], tape.values[i]
    arguments, parents = tape.arguments(i), tape.parents(i)
    if all(p in flags.where for p in parents):
        compared = op.array and op.name in COMPARISONS
        text = _compared(tape, i, flags.where) if compared else expression(tape, i, flags.where)
    else:
        text = op.name
    if op.array:
        _look(flags, tape, i, text)
        return
    two = len(set(parents)) == len(parents)
    if op.name in _AT_EQUALITY and arguments[0] == arguments[1] and two:
        flags.add("kink", i, f"the comparison {text} is made exactly at equality: {BRANCH}")
    elif ((op.name == "eq" and outcome) or (op.name == "ne" and not outcome)) and two:
        flags.add(
            "equality-branch", i, f"{text} holds at this point only: {BRANCH} here" if outcome else _unequal(text)
        )
    elif op.name == "bool" and not outcome:
        flags.add("equality-branch", i, f"a number is exactly zero where the program asks if it is: {BRANCH} here")
    elif op.name in STOPS:
        place = place_at(tape, i)
        if op.name == "text":
            flags.add("derivative-stops", i, _PLAIN["text"])
        elif place is None or not only_looked_at(place):
            flags.add(
                "derivative-stops",
                i,
                f"{text} is a plain whole number: where it goes on into the result, its derivative is zero",
            )
    _counted(flags, tape, i, text)


def _unequal(text: str) -> str:
    return f"{text} fails at this point only: {BRANCH} here"


def _counted(flags: Flags, tape: Columns, i: int, text: str) -> None:
    """A comparison that goes on into the result as a number: (x > 1) * x."""
    place = place_at(tape, i) if tape.ops[i].name in COMPARISONS else None
    if place is not None and counted_with(place):
        flags.add(
            "derivative-stops",
            i,
            f"{text} goes on into the result as a plain 0 or 1: its derivative is zero, and the derivative stops here",
        )


def _compared(tape: Columns, i: int, where: Mapping[int, int]) -> str:
    """A comparison of arrays, as it is written."""
    from ad_magic.engine.arrays.texts import constant as text_of

    op = tape.ops[i]
    names = [named(tape, p, where) for p in tape.parents(i)]
    args, _ = op.template
    left, right = (names[x.k] if hasattr(x, "k") else text_of(x) for x in args)
    return f"{left} {COMPARISONS[op.name]} {right}"


def _look(flags: Flags, tape: Columns, i: int, text: str) -> None:
    """A look at the plain values of arrays: a comparison at equality, whole numbers that go on into the result."""
    import numpy as np

    op, outcome = tape.ops[i], tape.values[i]
    if op.name in COMPARISONS:
        from ad_magic.engine.arrays.moves import filled

        args, _ = filled(op.template, tape.arguments(i))
        equal = np.equal(*args)
        if op.name in _AT_EQUALITY and np.any(equal):
            flags.add("kink", i, f"the comparison {text} is made exactly at equality: {BRANCH}")
        elif op.name in ("eq", "ne") and np.any(equal):
            flags.add("equality-branch", i, f"{text} holds in an entry at this point only: {BRANCH} here")
        _counted(flags, tape, i, text)
    elif op.name == "text":
        flags.add("derivative-stops", i, _PLAIN["text"])
    elif op.name in STOPS and np.size(outcome):
        flags.add(
            "derivative-stops",
            i,
            f"{text} makes whole numbers: where they go on into the result, their derivative is zero. An array of "
            "floats keeps it: dtype=float",
        )


# ---- what does not matter --------------------------------------------------------------------------


def _independent(flags: Flags, used: bytearray, outputs: str) -> None:
    """The inputs on which no output depends, and where the way from them ends."""
    run = flags.run
    if run.mode == "forward" and run.tape.recorded > len(run.tape):
        return  # not all rows were kept: no telling
    for name in run.inputs:
        if used[run.rows[name]]:
            continue
        end = _end_of(flags, name)
        message = f"{outputs} does not depend on {name}{end}"
        flags.found["independent", name] = Flag("independent", message, inputs=(name,))


def _end_of(flags: Flags, name: str) -> str:
    """What becomes of an input that does not matter."""
    tape = flags.run.tape
    bit = 1 << flags.names.index(name)
    reached = [i for i, bits in enumerate(flags.reached) if bits & bit and tape.ops[i] is not INPUT]
    if not reached:
        return ", which the cell does not compute with"
    if all(tape.ops[i].decision for i in reached):
        lines = sorted({line for i in reached if (line := flags.run.line_of(i)) is not None})
        where = f" (line {', '.join(map(str, lines[:3]))}{', …' if len(lines) > 3 else ''})" if lines else ""
        return f": the cell only looks at its plain value{where}"
    return ": nothing that is computed from it reaches the result"
