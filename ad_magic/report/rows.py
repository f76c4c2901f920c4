"""From a Run to the rows of its table and its sources."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from ad_magic.cell.run import Run
from ad_magic.cell.source import Place, label_at, lines_of, operands_at, place_of, title_of
from ad_magic.engine.operation import INPUT
from ad_magic.engine.system import local_jacobian
from ad_magic.engine.tape import Columns, has_no_row, reverse_order

from .array import shape_of
from .condition import condition
from .row import Number, Row, Source

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
    output = run.outputs[0].value if adjoints is not None else None
    for i, op in enumerate(tape.ops[: listed_length(tape)]):
        if has_no_row(op, tape.values[i]):
            continue
        where[i] = index = len(rows)
        place = place_at(tape, i) if op is not INPUT else None
        label = names.get(i) if op is INPUT else label_at(place) if place else None
        value = _number_or_array(tape.values[i])
        adjoint = _like(adjoints[i], value) if adjoints is not None else None
        rows.append(
            Row(
                index=index,
                name=f"v{index + 1}",
                expression=names.get(i, "?") if op is INPUT else expression(tape, i, where),
                op=op.name,
                value=value,
                parents=tuple(where[p] for p in shown_parents(tape, i, where)),
                partials=partials_of(tape, i),
                tangents={seed: _like(column[i], value) for seed, column in tangents.items()},
                adjoint=adjoint,
                label=label,
                source=place.file if place else None,
                line=place.line if place else None,
                span=place.span if place else None,
                condition=condition(value, adjoint, output),
                how=getattr(op, "how", ("", "")),
            )
        )
    return rows, where


def partials_of(tape: Columns, index: int) -> tuple[Number | None, ...]:
    """The local partials of a row; of a solver, too, where what it gives and what it reads are numbers."""
    op = tape.ops[index]
    if (
        hasattr(op, "inner")
        and hasattr(op, "how")
        and not any(map(shape_of, (tape.values[index], *tape.arguments(index))))
    ):
        return tuple(float(matrix[0, 0]) for _, matrix in local_jacobian(tape, index))
    return tuple(map(_number_or_array, tape.partials(index)))


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
    texts = [named(tape, x, where) if on else constant(x) for x, on in marked]
    if op.name == "part":
        return f"{texts[0]}{getattr(op, 'named', f'[{op.which}]')}"
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


def named(tape: Columns, row: int, where: Mapping[int, int]) -> str:
    """The name of a row, or its expression where it has no row of its own in the table."""
    return f"v{where[row] + 1}" if row in where else expression(tape, row, where)


def _memory_text(tape: Columns, index: int, where: Mapping[int, int]) -> str:
    """What was written where, as it stands in the source; a look has the name of the array."""
    op, left = tape.ops[index], tape.left[index]
    if op.name == "write":
        value = named(tape, left[2], where) if op.active[0] else constant(left[2])
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
    titles = {file: run.title if file == run.file else title_of(file, run.cells) for file in files}
    return {file: Source(titles[file], lines_of(file), run.part if file == run.file else None) for file in files}


def sweep_order(rows: Sequence[Row], output: int | None) -> list[int]:
    """The rows in the order of the reverse sweep from an output."""
    return [] if output is None else reverse_order([row.parents for row in rows], output)
