"""The text of a loop in Python: what it starts with, what its items are, what it keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from .expressions import name, number
from .loops import LEAST, Loop, kept
from .program import code_of
from .straight import Straight


def indented(lines: Sequence[str]) -> list[str]:
    """Lines one step further in."""
    return [f"    {line}" if line else "" for line in lines]


def loop_lines(loop: Loop, body: Iterator[str], program: Straight) -> Iterator[str]:
    """A loop around the lines of its body."""
    lengths = {kept(label): part.count for part in program.values if isinstance(part, Loop) for label in part.keeps}
    for label, value in loop.starts:
        yield f"{label} = {code_of(value)}"
    lines = list(body)
    if not loop.keeps and all(line.startswith("#") for line in lines):  # what it does has no statement: x = x
        return
    for label in loop.keeps:
        yield f"{kept(label)} = []"
    items = [code_of(shown_items(column, lengths)) for _, column in loop.items]
    if not items:
        yield f"for _ in range({loop.count}):"
    elif len(items) == 1:
        yield f"for {loop.items[0][0]} in {items[0]}:"
    else:
        yield f"for {', '.join(label for label, _ in loop.items)} in zip({', '.join(items)}):"
    yield from indented([*lines, *(f"{kept(label)}.append({label})" for label in loop.keeps)])


def shown_items(column: Sequence[ast.expr], lengths: Mapping[str, int] = MappingProxyType({})) -> ast.expr:
    """The items as a person writes them: a range, a list that was kept, from its end, or one after the other.

    `lengths` are those of the lists that were kept.

    >>> ast.unparse(shown_items([number(k) for k in range(3, 9, 2)]))
    'range(3, 9, 2)'
    """
    values: Any = [x.value if isinstance(x, ast.Constant) else None for x in column]
    if all(type(x) is int for x in values) and len(values) > 1:
        step = values[1] - values[0]
        if step and all(b - a == step for a, b in pairwise(values)):
            ends = [number(x) for x in (values[0], values[-1] + step, step)]
            ends = ends[:2] if step == 1 else ends
            return ast.Call(name("range"), ends[1:] if values[0] == 0 and step == 1 else ends, [])
    pieces = list(_runs(column, lengths))
    if len(pieces) == 1:
        return pieces[0]
    return ast.Tuple(
        [piece.args[0] if _is_list(piece) else ast.Starred(piece, ast.Load()) for piece in pieces], ast.Load()
    )


def _is_list(piece: Any) -> bool:
    return isinstance(piece, ast.Call) and isinstance(piece.func, ast.Name) and piece.func.id == "one"


def _runs(column: Sequence[ast.expr], lengths: Mapping[str, int]) -> Iterator[Any]:
    """Runs of neighbours in a list that was kept as slices of it; `one(x)` for what is no such run."""
    places: Any = [_place(item) for item in column]
    k = 0
    while k < len(column):
        here = places[k]
        end = k + 1
        step = 0
        if here is not None:
            while end < len(column) and places[end] is not None and places[end][0] == here[0]:
                move = places[end][1] - places[end - 1][1]
                if move not in (1, -1) or (step and move != step):
                    break
                step = move
                end += 1
        if here is None or end - k < LEAST:
            yield ast.Call(name("one"), [column[k]], [])
            k += 1
            continue
        low, high = sorted((here[1], places[end - 1][1]))
        piece: ast.expr = name(here[0])
        if low or high + 1 != lengths.get(here[0]):
            piece = ast.Subscript(piece, ast.Slice(number(low) if low else None, number(high + 1)), ast.Load())
        yield piece if step > 0 else ast.Call(name("reversed"), [piece], [])
        k = end


def _place(x: ast.expr) -> tuple[str, int] | None:
    if isinstance(x, ast.Subscript) and isinstance(x.value, ast.Name) and isinstance(x.slice, ast.Constant):
        index = x.slice.value
        return (x.value.id, index) if isinstance(index, int) else None
    return None
