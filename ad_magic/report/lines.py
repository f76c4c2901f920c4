"""The operations of a run by source line: which line each belongs to, and how often each line ran."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .row import Row, Source

MEMORY = ("write", "look")  # operations that put a value into an array, and take the array as it then is


@dataclass(slots=True)
class LineGroup:
    """All operations of one source line: one list of rows for each time the line ran."""

    number: int  # position among the groups, for links between table and graph
    source: str | None
    line: int | None
    code: str
    inputs: bool = False
    runs: list[list[Row]] = field(default_factory=list)


def line_groups(rows: Iterable[Row], sources: Mapping[str, Source]) -> list[LineGroup]:
    """The operations by source line, in order of first execution, each line split into the times that it ran."""
    groups: dict[Any, LineGroup] = {}
    places: dict[Any, set[Any]] = {}  # the columns at which the current run of a line has computed already
    inner: dict[Any, bool] = {}
    previous: Row | None = None
    for row in rows:
        key = "inputs" if row.op == "input" else (row.source, row.line)
        if key not in groups:
            groups[key] = _new_group(len(groups), row, sources)
            places[key] = set()
        group = groups[key]
        # what is written into an array stands where it was computed: u[1:] += x
        place = None if row.span is None else (row.span, row.op if row.op in MEMORY else "")
        adjacent = previous is not None and (previous.source, previous.line) == (row.source, row.line)
        if group.inputs or row.line is None:
            again = False
        elif place is None:  # without columns: whatever lies between two visits parts them
            again = not adjacent
        elif place not in places[key] and not (row.op == "look" and (row.span, "") in places[key]):
            again = False  # an array is looked at before something is computed of it
        else:
            where = (row.source, place, row.op)
            if where not in inner:
                inner[where] = _inside_call(row, sources)
            # sum(terms) computes many times at one place: that is one run, as long as nothing comes between
            again = not (inner[where] and adjacent and previous is not None and previous.span == row.span)
        if again or not group.runs:
            group.runs.append([])
            places[key].clear()
        group.runs[-1].append(row)
        places[key].add(place)
        previous = row
    return list(groups.values())


def _new_group(position: int, row: Row, sources: Mapping[str, Source]) -> LineGroup:
    if row.op == "input":
        return LineGroup(position, None, None, "inputs", inputs=True)
    source = sources.get(row.source) if row.source is not None else None
    if source is None or row.line is None:
        return LineGroup(position, row.source, row.line, "(position not known)" if row.line is None else "")
    return LineGroup(position, row.source, row.line, source.line(row.line).strip())


def _inside_call(row: Row, sources: Mapping[str, Source]) -> bool:
    """Whether the operation was done by a function that is called there: the additions of `sum(terms)`."""
    source = sources.get(row.source or "")
    if source is None or row.span is None:
        return False
    first, start, last, end = row.span
    text = "\n".join(source.line(number) for number in range(first, last + 1))
    text = text[start : len(text) - len(source.line(last)) + end]
    try:
        node = ast.parse(f"({text})", mode="eval").body
    except SyntaxError:
        return False
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called != row.op
