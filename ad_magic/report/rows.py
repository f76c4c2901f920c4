"""From a Run to the rows of its table, its sources and its flags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from ad_magic.cell.run import Run
from ad_magic.cell.source import Place, label_at, lines_of, only_looked_at, place_of, title_of
from ad_magic.engine.decisions import STOPS
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns, depended_on, reverse_order
from ad_magic.rules import Rule, compile_expression
from ad_magic.rules.number import PLAIN

from .row import Flag, Row, Source

LIMIT = 20_000  # rows that a table is made of; the sweeps run over all


def seed_names(run: Run) -> list[str]:
    """The names of the seeds in order: "x" for a number, "x[0]", "x[1]", … for an array."""
    return [name + (f"[{', '.join(map(str, position))}]" if position else "") for name, position, _ in run.seeds]


def listed_length(tape: Columns) -> int:
    """How much of a tape is listed in the table: up to LIMIT operations."""
    listed = 0
    for i, op in enumerate(tape.ops):
        listed += not op.decision
        if listed > LIMIT:
            return i
    return len(tape)


def make_rows(
    run: Run, tangents: dict[str, Sequence[float]], adjoints: Sequence[float] | None
) -> tuple[list[Row], dict[int, int]]:
    """The rows of a run, and the map from an index on its tape to an index in the rows.

    `tangents` gives for each seed the tangent of every tape row, `adjoints` the adjoint of every tape row.
    """
    tape = run.tape
    names = dict(zip((row for _, _, row in run.seeds), seed_names(run), strict=True))
    where: dict[int, int] = {}
    rows: list[Row] = []
    for i, op in enumerate(tape.ops[: listed_length(tape)]):
        if op.decision:
            continue
        where[i] = index = len(rows)
        place = place_at(tape, i) if op is not INPUT else None
        label = names.get(i) if op is INPUT else label_at(place) if place else None
        rows.append(
            Row(
                index=index,
                name=f"v{index + 1}",
                expression=names.get(i, "?") if op is INPUT else expression(tape, i, where),
                op=op.name,
                value=tape.values[i],
                parents=tuple(where[p] for p in tape.parents(i)),
                partials=tape.partials(i),
                tangents={seed: column[i] for seed, column in tangents.items()},
                adjoint=adjoints[i] if adjoints is not None else None,
                label=label,
                source=place.file if place else None,
                line=place.line if place else None,
                span=place.span if place else None,
            )
        )
    return rows, where


def place_at(tape: Columns, index: int) -> Place | None:
    """Where a row of the tape stands in the source, if it was recorded."""
    code = tape.codes[index] if index < len(tape.codes) else None
    return place_of(code, tape.instructions[index]) if code is not None else None


def expression(tape: Columns, index: int, where: dict[int, int]) -> str:
    """A row as a person writes it: "v1 * v2", "2 * v3", "sin(v4)", "v1 < 0"."""
    op = tape.ops[index]
    operands = op.operands(tape.left[index], tape.right[index])
    parents = iter(tape.parents(index))
    marks = [type(x) is int for x in operands] if op.rule is not None and op.rule.variadic else op.active
    texts = [f"v{where[next(parents)] + 1}" if on else constant(x) for x, on in zip(operands, marks, strict=True)]
    if op.rule is not None:
        return op.rule.expression(*texts)
    return op.text.format(*texts)


def constant(x: Any) -> str:
    """A constant operand: as it was written where that is short."""
    text = repr(x)
    return text if len(text) <= 10 else f"{x:.6g}"


def make_sources(run: Run, rows: Sequence[Row]) -> dict[str, Source]:
    """The sources that the rows stand in; the cell itself comes first."""
    files = dict.fromkeys([*([run.file] if run.file else []), *(row.source for row in rows if row.source)])
    return {
        file: Source("this cell" if file == run.file else title_of(file, run.cells), lines_of(file)) for file in files
    }


# ---- flags ---------------------------------------------------------------------------------------


@cache
def _kink_condition(rule: Rule) -> Any:
    assert rule.kink is not None
    arguments = ("a",) if rule.variadic else rule.arguments
    return compile_expression(rule.kink.where, (*arguments, "z"), PLAIN)


def at_kink(rule: Rule, arguments: Sequence[Any], z: float) -> bool:
    """Whether a primitive has no derivative at this point.

    >>> from ad_magic.rules import RULES
    >>> at_kink(RULES["abs"], (0.0,), 0.0)
    True
    """
    if rule.kink is None:
        return False
    try:
        return bool(_kink_condition(rule)(*([arguments] if rule.variadic else arguments), z))
    except (ArithmeticError, ValueError):
        return False


def make_flags(run: Run, rows: Sequence[Row], where: dict[int, int]) -> list[Flag]:
    """What a reader of this run must know, in the order of the program; one flag for each kind and place."""
    tape = run.tape
    used = _used(run)
    found: dict[tuple[Any, ...], Flag] = {}

    def add(kind: str, index: int | None, message: str) -> None:
        place = place_at(tape, index) if index is not None else None
        key = (kind, place, message if place is None else None)
        line = place.line if place and place.file == run.file else None
        if place and line is None:
            message = f"{message} ({title_of(place.file, run.cells)}, line {place.line})"
        row = where.get(index) if index is not None else None
        found.setdefault(key, Flag(kind, message, line, row))

    for i, op in enumerate(tape.ops):
        if not used[i] and not op.decision:
            continue
        if op.rule is not None:
            if op.rule.kink is None and not op.rule.step:
                continue
            arguments, z = tape.arguments(i), tape.values[i]
            text = expression(tape, i, where) if i in where else op.name
            if at_kink(op.rule, arguments, z):
                add("kink", i, _kink_message(op.rule, text, arguments))
            if op.rule.step:
                add(
                    "derivative-stops",
                    i,
                    f"{text} is piecewise constant: its derivative is zero, and the derivative stops here",
                )
        elif op.decision:
            _decision_flag(tape, i, where, add)
    _nan_flags(rows, where, add)
    _independent_flags(run, used, found)
    return list(found.values())


def _kink_message(rule: Rule, text: str, arguments: Sequence[float]) -> str:
    assert rule.kink is not None
    slopes = ""
    if rule.kink.left or rule.kink.right:
        sides = [
            f"{slope.removesuffix('.0')} on the {side}"
            for slope, side in ((rule.kink.left, "left"), (rule.kink.right, "right"))
            if slope
        ]
        slopes = f" (slope {' and '.join(sides)})"
    return f"{text} has no derivative at {', '.join(f'{x:g}' for x in arguments[:2])}: {rule.kink.why}{slopes}"


def _decision_flag(tape: Columns, i: int, where: dict[int, int], add: Any) -> None:
    op, outcome = tape.ops[i], tape.values[i]
    arguments = tape.arguments(i)
    parents = tape.parents(i)
    if all(p in where for p in parents):
        text = expression(tape, i, where)
    else:
        text = op.name
    if op.name in ("lt", "le", "gt", "ge") and arguments[0] == arguments[1] and len(set(parents)) == len(parents):
        add("kink", i, f"the comparison {text} is made exactly at equality: the derivative is that of the branch taken")
    elif (op.name == "eq" and outcome) or (op.name == "ne" and not outcome):
        if len(set(parents)) == len(parents):
            add(
                "equality-branch",
                i,
                f"{text} holds at this point only: the derivative is that of the branch taken here",
            )
    elif op.name == "bool" and not outcome:
        add(
            "equality-branch",
            i,
            "a number is exactly zero where the program asks if it is: the derivative is that of the branch taken here",
        )
    elif op.name in STOPS:
        place = place_at(tape, i)
        if op.name == "text":
            add(
                "derivative-stops",
                i,
                "a text cannot carry a derivative: where float() reads it back, the derivative stops",
            )
        elif place is None or not only_looked_at(place):
            add(
                "derivative-stops",
                i,
                f"{text} is a plain whole number: where it goes on into the result, its derivative is zero",
            )


def _nan_flags(rows: Sequence[Row], where: dict[int, int], add: Any) -> None:
    """The first row that goes NaN or infinite: in its value, forward in a tangent, backward in an adjoint."""
    index_of = {row: index for index, row in where.items()}
    for what, rows_in_order, numbers in (
        ("value", rows, lambda r: [r.value]),
        ("tangent", rows, lambda r: r.tangents.values()),
        ("adjoint", reversed(rows), lambda r: [] if r.adjoint is None else [r.adjoint]),
    ):
        for row in rows_in_order:
            bad = [x for x in numbers(row) if not math.isfinite(x)]
            if bad:
                shown = "NaN" if math.isnan(bad[0]) else "infinite"
                message = f"the {what} of {row.name} = {row.expression} is {shown}; it is the first one"
                add("nan", index_of[row.index], message)
                break


def _used(run: Run) -> bytearray:
    """For each row of the tape whether some output depends on it."""
    outputs = [row for output in run.outputs for _, row, _ in output.flat() if row is not None and row >= 0]
    return depended_on(run.tape, outputs)


def _independent_flags(run: Run, used: bytearray, found: dict[tuple[Any, ...], Flag]) -> None:
    if run.mode == "forward" and run.tape.recorded > len(run.tape):
        return  # not all rows were kept: no telling
    for name in run.inputs:
        if not any(used[row] for input_name, _, row in run.seeds if input_name == name):
            outputs = " and ".join(o.name if o.name != "out" else "the output" for o in run.outputs)
            found[("independent", name)] = Flag("independent", f"{outputs} does not depend on {name}")


def sweep_order(rows: Sequence[Row], output: int | None) -> list[int]:
    """The rows in the order of the reverse sweep from an output."""
    return [] if output is None else reverse_order([row.parents for row in rows], output)
