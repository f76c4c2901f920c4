"""What the scripts of js/ must know of a report to write new numbers into it: which row of the tape stands where."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .array import all_finite, shape_of
from .curves import heads, movable, reason
from .entries import Entries, Span
from .markup import script
from .svg import node_text
from .table import entries, table
from .text import value_digits

if TYPE_CHECKING:
    from .result import Result


def runtime(*more: str, arrays: bool = True) -> str:
    """The scripts of a page or a panel as one text: `follow(report, data)`, `curveOf`, and what they are made of.

    Without `arrays` it is shorter, and does for a run in which there are none.
    """
    return script("number", *(["array"] if arrays else []), "grid", "curve", "follow", *more)


def layout(r: Result, digits: int = 6, max_rows: int = 60) -> dict[str, Any]:
    """What `follow` must know of a report of `r` with at most `max_rows` rows: only of those that are shown."""
    listed = entries(table(r, max_rows=max_rows), unfold=True)
    shown = {entry[3].index for entry in listed if not isinstance(entry, str)}
    if len(r.rows) <= max_rows:  # in the graph
        shown = set(range(len(r.rows)))
    rows = [r.rows[index] for index in sorted(shown)]
    seeds: dict[str, list[int]] = {}
    for place, (name, _, _) in enumerate(r.run.seeds):
        seeds.setdefault(name, []).append(place)
    return {
        "digits": digits,
        "tape": {row.index: r.tape_rows[row.index] for row in rows},
        "parents": {row.index: row.parents for row in rows},
        "partials": {row.index: shapes for row in rows if any(shapes := [shape_of(p) for p in row.partials])},
        "shapes": {row.index: row.shape for row in rows if row.shape},
        "nodes": {row.index: before for row in rows if (before := node_text(row, digits)[1])},
        "finite": all(all_finite(row.value) for row in rows),
        "seeds": r.seeds,
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


def moving(r: Result, ranges: Mapping[str, Span]) -> list[dict[str, Any]]:
    """The numbers that have a slider, with the range of it, and what stands over a curve along it."""
    drawn = reason(r) is None
    found = []
    for name, entry, grid in movable(r, ranges):
        label = name + (f"[{Entries.index_text(entry)}]" if entry else "")
        head, slope_head = heads(r, label) if drawn else ("", "")
        found.append(
            {
                "name": label,
                "input": name,
                "place": _place(entry, shape_of(r.inputs[name])),
                "lo": grid.lo,
                "hi": grid.hi,
                "steps": grid.steps,
                "head": head,
                "slope_head": slope_head,
            }
        )
    return found


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
