"""What the scripts of js/ must know of a report to write new numbers into it: which row of the tape stands where."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .array import all_finite, shape_of
from .curves import label_of, movable
from .entries import Span
from .grid import Grid
from .markup import script
from .row import Row
from .second import Second, second_or_why
from .subjects import Subject, subjects
from .svg import node_text
from .table import entries, table
from .text import value_digits

if TYPE_CHECKING:
    from .result import Result


def runtime(*more: str, arrays: bool = True) -> str:
    """The scripts of a page or a panel as one text: `follow`, `linked`, `film`, `curveSteps`, and their parts.

    Without `arrays` it is shorter, and does for a run in which there are none.
    """
    return script("number", *(["array"] if arrays else []), "grid", "curve", "follow", "links", "sweep", "film", *more)


def layout(r: Result, digits: int = 6, max_rows: int = 60) -> dict[str, Any]:
    """What `follow` must know of a report of `r` with at most `max_rows` rows: only of those that are shown."""
    listed = entries(table(r, max_rows=max_rows), unfold=True)
    shown = {entry[3].index for entry in listed if not isinstance(entry, str)}
    if len(r.rows) <= max_rows:  # in the graph
        shown = set(range(len(r.rows)))
    rows = [r.rows[index] for index in sorted(shown)]
    known = [r.rows[index] for index in sorted(shown.union(*(row.parents for row in rows)))]
    order = reverse_rows(r)
    seeds: dict[str, list[int]] = {}
    for place, (name, _, _) in enumerate(r.run.seeds):
        seeds.setdefault(name, []).append(place)
    return {
        "digits": digits,
        "tape": {row.index: r.tape_rows[row.index] for row in known},
        "parents": {row.index: row.parents for row in rows},
        "partials": {row.index: shapes for row in rows if any(shapes := [shape_of(p) for p in row.partials])},
        "shapes": {row.index: row.shape for row in known if row.shape},
        "nodes": {row.index: before for row in rows if (before := node_text(row, digits)[1])},
        "order": [index for index in order if index in shown],
        "unseen": _unseen(r, order, shown, known),
        "operations": sum(row.op != "input" for row in r.rows) + r.omitted,
        "finite": all(all_finite(row.value) for row in rows),
        "seeds": r.seeds,
        **({"second": {"digits": drawn.digits}} if (drawn := second_of(r)) else {}),
        "subjects": [_subject(r, subject) for subject in subjects(r)],
        "inputs": {
            name: {"row": row, "shape": shape_of(r.inputs[name]) or None, "seeds": seeds[name]}
            for name, row in r.run.rows.items()
        },
        "outputs": [
            {
                "name": output.name,
                "digits": value_digits(output.value, digits),
                "shape": shape_of(output.value) or None,
                "parts": [
                    (None, value) if row is None else (row, _place(position, shape_of(r.run.tape.values[row])))
                    for (row, position), (value, _, _) in zip(output.seeds(), output.flat(), strict=True)
                ],
            }
            for output in r.run.outputs
        ],
    }


def reverse_rows(r: Result) -> list[int]:
    """The rows in the order of the reverse sweep; none where the table has no adjoints."""
    return r.order if any(row.adjoint is not None for row in r.rows) else []


def _unseen(r: Result, order: Sequence[int], shown: Container[int], known: Sequence[Row]) -> dict[int, int]:
    """For a row how many of those that add to its adjoint are not in the report."""
    users = Counter(parent for index in order if index not in shown for parent in set(r.rows[index].parents))
    return {row.index: users[row.index] for row in known if users[row.index]}


def moving(r: Result, ranges: Mapping[str, Span]) -> list[dict[str, Any]]:
    """The numbers that have a slider, with the range of it."""
    return [mover(r, name, entry, grid) for name, entry, grid in movable(r, ranges)]


def mover(r: Result, name: str, entry: tuple[int, ...], grid: Grid) -> dict[str, Any]:
    """One of them: an input, or an entry of one that is an array."""
    return {
        "name": label_of(name, entry),
        "input": name,
        "place": _place(entry, shape_of(r.inputs[name])),
        "lo": grid.lo,
        "hi": grid.hi,
        "steps": grid.steps,
    }


def found(r: Result, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a program in JavaScript would find at the point of `r`, by row of the tape, for the rows of a `layout`.

    `slopes` has the derivative of each output by input, which a page need not put together.
    """
    outputs = r.outputs
    derivatives = r.jacobian if len(outputs) > 1 else {outputs[0]: r.jacobian}
    shown = [(int(row), r.rows[int(index)]) for index, row in data["tape"].items()]
    values = {row: _flat(one.value) for row, one in shown}
    for output in r.run.outputs:
        for (row, _), (value, _, _) in zip(output.seeds(), output.flat(), strict=True):
            if row is not None and row not in values:
                values[row] = _flat(r.run.tape.values[row]) if row >= 0 else value
    adjoints = {row: _flat(one.adjoint) for row, one in shown if one.adjoint is not None}
    return {
        "values": values,
        "adjoints": adjoints or None,
        "tangents": {
            place: {row: _flat(one.tangents[seed]) for row, one in shown}
            for place, seed in enumerate(r.seeds)
            if shown and seed in shown[0][1].tangents
        },
        "partials": {row: [_flat(p) for p in one.partials] for row, one in shown},
        "changed": None,
        "second": second(r),
        "slopes": {
            output: {x: _arranged(slope) for x, slope in of_output.items()} for output, of_output in derivatives.items()
        },
    }


def second_of(r: Result) -> Second | None:
    """Gradient and Hessian of a result that shows them; None where it does not, or there are none."""
    found = second_or_why(r) if r.up_to == 2 else None
    return None if isinstance(found, str) else found


def second(r: Result) -> dict[str, Any] | None:
    """What the heat map shows at the point of `r`, as js/second.js puts it."""
    s = second_of(r)
    if s is None:
        return None
    more = s.left_out()
    lists = {"gradient": s.gradient.tolist(), "hessian": s.hessian.tolist(), "eigenvalues": s.listed()}
    return {**lists, "more": more, "words": s.words}


def _flat(x: Any) -> Any:
    """A number, or the numbers of an array in C order; None for what is neither."""
    if x is None or isinstance(x, (tuple, complex)) or getattr(getattr(x, "dtype", None), "kind", "f") not in "fiu":
        return None
    return [float(y) for y in x.ravel()] if shape_of(x) else float(x)


def _arranged(x: Any) -> Any:
    return {"shape": shape_of(x), "data": _flat(x)} if shape_of(x) else _flat(x)


def _subject(r: Result, subject: Subject) -> dict[str, Any]:
    """What a curve is of: an entry of a row of the tape, or a constant."""
    row, position, constant, _ = subject.number
    place = constant if row is None else _place(position, shape_of(r.run.tape.values[row]))
    return {"head": subject.head, "symbol": subject.symbol, "row": row, "place": place}


def has_arrays(r: Result) -> bool:
    """Whether some number of a report is an array."""
    return any(row.shape for row in r.rows) or any(shape_of(output.value) for output in r.run.outputs)


def in_script(value: Any) -> str:
    """Plain data as it may stand in a <script>."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _place(position: Sequence[int], shape: Sequence[int]) -> int:
    """A position as one number, in C order.

    >>> _place((1, 2), (2, 3))
    5
    """
    return sum(k * math.prod(shape[axis + 1 :]) for axis, k in enumerate(position))
