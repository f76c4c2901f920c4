"""From a Run to the rows of its table, its sources and its flags."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ad_magic.cell.run import Run
from ad_magic.cell.source import Place, label_at, lines_of, only_looked_at, operands_at, place_of, title_of
from ad_magic.engine.decisions import STOPS
from ad_magic.engine.operation import COMPARISONS, INPUT, Operation
from ad_magic.engine.tape import Columns, depended_on, has_no_row, reverse_order
from ad_magic.rules import Rule, by_entry, compile_expression
from ad_magic.rules.number import PLAIN, numpy_names

from .row import Flag, Row, Source

LIMIT = 20_000  # rows that a table is made of; the sweeps run over all


def seed_names(run: Run) -> list[str]:
    """The names of the seeds in order: "x" for a number, "x[0]", "x[1]", … for an array."""
    return [seed_name(name, position) for name, position, _ in run.seeds]


def seed_name(name: str, position: tuple[int, ...]) -> str:
    """The name of a seed: that of the input, with the position of the entry."""
    return name + (f"[{', '.join(map(str, position))}]" if position else "")


def listed_length(tape: Columns) -> int:
    """How much of a tape is listed in the table: up to LIMIT operations."""
    listed = 0
    for i, op in enumerate(tape.ops):
        listed += not op.decision
        if listed > LIMIT:
            return i
    return len(tape)


def make_rows(
    run: Run, tangents: dict[str, Sequence[Any]], adjoints: Sequence[Any] | None
) -> tuple[list[Row], dict[int, int]]:
    """The rows of a run, and the map from an index on its tape to an index in the rows.

    `tangents` gives for each seed the tangent of every tape row, `adjoints` the adjoint of every tape row.
    """
    tape = run.tape
    names = {row: name for name, row in run.rows.items()}
    where: dict[int, int] = {}
    rows: list[Row] = []
    for i, op in enumerate(tape.ops[: listed_length(tape)]):
        if has_no_row(op, tape.values[i]):
            continue
        where[i] = index = len(rows)
        place = place_at(tape, i) if op is not INPUT else None
        label = names.get(i) if op is INPUT else label_at(place) if place else None
        value = _number_or_array(tape.values[i])
        rows.append(
            Row(
                index=index,
                name=f"v{index + 1}",
                expression=names.get(i, "?") if op is INPUT else expression(tape, i, where),
                op=op.name,
                value=value,
                parents=tuple(where[p] for p in shown_parents(tape, i, where)),
                partials=tuple(map(_number_or_array, tape.partials(i))),
                tangents={seed: _like(column[i], value) for seed, column in tangents.items()},
                adjoint=_like(adjoints[i], value) if adjoints is not None else None,
                label=label,
                source=place.file if place else None,
                line=place.line if place else None,
                span=place.span if place else None,
            )
        )
    return rows, where


def shown_parents(tape: Columns, index: int, where: Mapping[int, int]) -> list[int]:
    """The rows that a row uses, through those that have none of their own in the table."""
    found: list[int] = []
    for parent in tape.parents(index):
        if parent in where:
            found.append(parent)
        elif tape.ops[parent].rule is not None:
            found += shown_parents(tape, parent, where)
    return found


def _number_or_array(x: Any) -> Any:
    """A value of the tape: an array without axes is the number in it."""
    return x.item() if getattr(x, "shape", None) == () else x


def _like(x: Any, value: Any) -> Any:
    """A derivative in the shape of the value; absent is zero."""
    x = _number_or_array(x)
    shape = getattr(value, "shape", ())
    if getattr(x, "shape", ()) == shape:
        return float(x) if type(x) in (int, bool) else x
    import numpy as np

    return np.broadcast_to(x, shape)


def place_at(tape: Columns, index: int) -> Place | None:
    """Where a row of the tape stands in the source, if it was recorded."""
    code = tape.codes[index] if index < len(tape.codes) else None
    return place_of(code, tape.instructions[index]) if code is not None else None


def expression(tape: Columns, index: int, where: Mapping[int, int]) -> str:
    """A row as a person writes it: "v1 * v2", "2 * v3", "np.sum(v4)", "b[1] = v1", "v1 < 0"."""
    op = tape.ops[index]
    if op.memory:
        return _memory_text(tape, index, where)
    marked = op._marked(tape.left[index], tape.right[index])
    texts = [_named(tape, x, where) if on else constant(x) for x, on in marked]
    if op.name == "part":
        return f"{texts[0]}[{op.which}]"  # type: ignore[attr-defined]
    if op.array and op.rule is not None:
        return _array_text(op, texts, place_at(tape, index))
    if op.rule is not None:
        return op.rule.expression(*texts)
    return op.text.format(*texts)


def _array_text(op: Any, texts: list[str], place: Place | None) -> str:
    """An operation on arrays. A constant array that is said by its shape has the name that it has in the source."""
    text: str = op.expression(*texts)
    if "<" not in text or place is None:
        return text
    from ad_magic.engine.arrays.texts import by_name

    written = operands_at(place)
    if len(written) == len(texts):
        texts = by_name(texts, written)
    return op.expression(*texts, written=written) if hasattr(op, "options") else op.expression(*texts)


def _named(tape: Columns, row: int, where: Mapping[int, int]) -> str:
    return f"v{where[row] + 1}" if row in where else expression(tape, row, where)


def _memory_text(tape: Columns, index: int, where: Mapping[int, int]) -> str:
    """What was written where, as it stands in the source; a look has the name of the array."""
    op, left = tape.ops[index], tape.left[index]
    if op.name == "write":
        value = _named(tape, left[2], where) if op.active[0] else constant(left[2])
        return f"{_written_at(tape, index) or 'array[…]'} = {value}"
    write = left[1]
    target = _written_at(tape, write) if tape.ops[write].name == "write" else None
    return (target or "array").partition("[")[0]


def _written_at(tape: Columns, index: int) -> str | None:
    place = place_at(tape, index)
    if place is None:
        return None
    line, start, end_line, end = place.span
    text = Source("", lines_of(place.file)).line(line)[start:end] if line == end_line else ""
    if text.endswith("]"):
        return text
    try:  # u[1:-1] += x: the whole statement
        statement = ast.parse(text).body[0]
    except (SyntaxError, IndexError):
        return None
    target = statement.target if isinstance(statement, ast.AugAssign) else None
    return None if target is None else ast.unparse(target) + ("" if isinstance(target, ast.Subscript) else "[...]")


def constant(x: Any) -> str:
    """A constant operand: as it was written where that is short."""
    if not isinstance(x, (float, int)) or hasattr(x, "shape"):
        from ad_magic.engine.arrays.texts import constant as text_of

        return text_of(x)
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


@cache
def _kink_by_entry(rule: Rule) -> Any:
    assert rule.kink is not None
    return compile_expression(by_entry(rule.kink.where), (*rule.arguments, "z"), numpy_names())


def entries_at_kink(rule: Rule, arguments: Sequence[Any], z: Any) -> list[tuple[int, ...]]:
    """The entries of the result at which a primitive has no derivative."""
    import numpy as np

    with np.errstate(all="ignore"):
        return list(map(tuple, np.argwhere(np.broadcast_to(_kink_by_entry(rule)(*arguments, z), z.shape)).tolist()))


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
            if op.array:
                reason = kink_of_array(op, tape.arguments(i), tape.values[i])
                if reason:
                    add("kink", i, f"{expression(tape, i, where) if i in where else op.name}: {reason}")
            if op.rule.kink is None and not op.rule.step:
                continue
            arguments, z = tape.arguments(i), tape.values[i]
            text = expression(tape, i, where) if i in where else op.name
            if hasattr(z, "shape"):
                found_at = entries_at_kink(op.rule, arguments, z) if op.rule.kink is not None else []
                if found_at:
                    add("kink", i, _kink_message(op.rule, text, _at(arguments, found_at[0], z), found_at))
            elif at_kink(op.rule, arguments, z):
                add("kink", i, _kink_message(op.rule, text, arguments))
            if op.rule.step:
                add(
                    "derivative-stops",
                    i,
                    f"{text} is piecewise constant: its derivative is zero, and the derivative stops here",
                )
        elif op.decision:
            _decision_flag(tape, i, where, add)
    _nan_flags(tape, rows, where, add)
    _independent_flags(run, used, found)
    return list(found.values())


def kink_of_array(op: Operation, arguments: Sequence[Any], z: Any) -> str | None:
    """Why an array primitive with a function pair has no derivative here, if it has none."""
    from ad_magic.engine.arrays.moves import filled
    from ad_magic.engine.arrays.tables import KINKS

    question = KINKS.get(op.name)
    if question is None:
        return None
    if hasattr(op, "template"):  # a function written in others: its arguments as the program gave them
        args, kwargs = filled(op.template, arguments)
        return question(z, *args, **kwargs)
    return question(z, *arguments, **getattr(op, "options", {}))


def _at(arguments: Sequence[Any], position: tuple[int, ...], z: Any) -> list[float]:
    """The arguments of one entry of the result."""
    import numpy as np

    return [float(np.broadcast_to(x, z.shape)[position]) for x in arguments]


def _kink_message(rule: Rule, text: str, arguments: Sequence[float], entries: Sequence[tuple[int, ...]] = ()) -> str:
    assert rule.kink is not None
    slopes = ""
    if rule.kink.left or rule.kink.right:
        sides = [
            f"{slope.removesuffix('.0')} on the {side}"
            for slope, side in ((rule.kink.left, "left"), (rule.kink.right, "right"))
            if slope
        ]
        slopes = f" (slope {' and '.join(sides)})"
    at = ", ".join(f"{x:g}" for x in arguments[:2])
    where = ""
    if entries:
        first = f"[{', '.join(map(str, entries[0]))}]"
        where = f" in entry {first}" + (f" and {len(entries) - 1} more" if len(entries) > 1 else "")
    return f"{text} has no derivative at {at}{where}: {rule.kink.why}{slopes}"


def _decision_flag(tape: Columns, i: int, where: dict[int, int], add: Any) -> None:
    op, outcome = tape.ops[i], tape.values[i]
    arguments = tape.arguments(i)
    parents = tape.parents(i)
    if all(p in where for p in parents):
        text = expression(tape, i, where) if not op.array or op.name not in COMPARISONS else _compared(tape, i, where)
    else:
        text = op.name
    if op.array:
        _look_flag(tape, i, text, add)
    elif op.name in ("lt", "le", "gt", "ge") and arguments[0] == arguments[1] and len(set(parents)) == len(parents):
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


def _compared(tape: Columns, i: int, where: Mapping[int, int]) -> str:
    """A comparison of arrays, as it is written."""
    from ad_magic.engine.arrays.texts import constant as text_of

    op = tape.ops[i]
    names = [_named(tape, p, where) for p in tape.parents(i)]
    args, _ = op.template  # type: ignore[attr-defined]
    left, right = (names[x.k] if hasattr(x, "k") else text_of(x) for x in args)
    return f"{left} {COMPARISONS[op.name]} {right}"


def _look_flag(tape: Columns, i: int, text: str, add: Any) -> None:
    """A look at the plain values of arrays: a comparison at equality, whole numbers that go on into the result."""
    import numpy as np

    op, outcome = tape.ops[i], tape.values[i]
    if op.name in COMPARISONS:
        from ad_magic.engine.arrays.moves import filled

        args, _ = filled(op.template, tape.arguments(i))  # type: ignore[attr-defined]
        equal = np.equal(*args)
        if op.name in ("lt", "le", "gt", "ge") and np.any(equal):
            add(
                "kink",
                i,
                f"the comparison {text} is made exactly at equality: the derivative is that of the branch taken",
            )
        elif op.name in ("eq", "ne") and np.any(equal):
            add(
                "equality-branch",
                i,
                f"{text} holds in an entry at this point only: the derivative is that of the branch taken here",
            )
    elif op.name in STOPS and np.size(outcome):
        add(
            "derivative-stops",
            i,
            f"{text} are whole numbers: where they go on into the result, their derivative is zero",
        )


def _made_here(tape: Columns, index: int) -> bool:
    """Whether an operation makes what is not finite from finite numbers; else it stood in the program as such."""
    op = tape.ops[index]
    if op.rule is None or not op.array:
        return all(math.isfinite(x) for x in tape.arguments(index) if isinstance(x, (float, int)))
    if op.memory or op.name in ("item", "reshape", "transpose", "concatenate", "stack", "array", "where", "entries"):
        return False
    return all(_finite(x) for x in tape.arguments(index) if not isinstance(x, tuple))


def _nan_flags(run_tape: Columns, rows: Sequence[Row], where: dict[int, int], add: Any) -> None:
    """The first row that goes NaN or infinite: in its value, forward in a tangent, backward in an adjoint."""
    index_of = {row: index for index, row in where.items()}
    for what, rows_in_order, numbers in (
        ("value", rows, lambda r: [r.value]),
        ("tangent", rows, lambda r: r.tangents.values()),
        ("adjoint", reversed(rows), lambda r: [] if r.adjoint is None else [r.adjoint]),
    ):
        for row in rows_in_order:
            if what == "value" and not _made_here(run_tape, index_of[row.index]):
                continue
            bad = [x for x in numbers(row) if not _finite(x)]
            if bad:
                shown = "NaN" if _has_nan(bad[0]) else "infinite"
                message = f"the {what} of {row.name} = {row.expression} is {shown}; it is the first one"
                add("nan", index_of[row.index], message)
                break


def _finite(x: Any) -> bool:
    if not hasattr(x, "shape"):
        return math.isfinite(abs(x))
    import numpy as np

    return bool(np.isfinite(x).all())


def _has_nan(x: Any) -> bool:
    if not hasattr(x, "shape"):
        return math.isnan(abs(x))
    import numpy as np

    return bool(np.isnan(x).any())


def _used(run: Run) -> bytearray:
    """For each row of the tape whether some output depends on it."""
    outputs = [row for output in run.outputs for row in output.parts]
    return depended_on(run.tape, outputs)


def _independent_flags(run: Run, used: bytearray, found: dict[tuple[Any, ...], Flag]) -> None:
    if run.mode == "forward" and run.tape.recorded > len(run.tape):
        return  # not all rows were kept: no telling
    for name in run.inputs:
        if not used[run.rows[name]]:
            outputs = " and ".join(o.name if o.name != "out" else "the output" for o in run.outputs)
            found[("independent", name)] = Flag("independent", f"{outputs} does not depend on {name}")


def sweep_order(rows: Sequence[Row], output: int | None) -> list[int]:
    """The rows in the order of the reverse sweep from an output."""
    return [] if output is None else reverse_order([row.parents for row in rows], output)
