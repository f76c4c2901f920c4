"""The sets of `engine/patterns.py` over a tape with arrays: an array of sets for each row that is one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ad_magic.engine.tape import Columns
from ad_magic.rules.arrays.frozen import np

from .adjoints import shape_of
from .operation import EntryOperation

LARGEST = 4_000_000  # products that are looked at one by one; of more, rows and columns as a whole
BY_ENTRY = frozenset(("real", "imag", "conj", "modulus", "angle", "astype", "complex"))
MOVING = frozenset(("item", "reshape", "transpose", "concatenate", "stack", "array", "where", "entries"))
REDUCING = frozenset(("sum", "mean", "prod", "max", "min", "norm"))
PRODUCTS = frozenset(("matmul", "dot", "einsum"))
RUNNING = frozenset(("cumsum", "cumprod"))
NOTHING = np.zeros((), object)
NOTHING[()] = 0


def dependences_of_arrays(tape: Columns, starts: Mapping[int, Any]) -> list[Any]:
    """For each row its set, or an array of sets; of a row with several results one set for all of them."""
    sets: list[Any] = []
    flats: dict[int, Any] = {}  # the contents of the memories by row
    for row, (op, left, right, z) in enumerate(zip(tape.ops, tape.left, tape.right, tape.values, strict=True)):
        if op.memory:
            found = _memory(op, left, sets, flats, row)
        elif row in starts:
            found = starts[row]
        elif op.rule is None and op.name != "part":
            found = 0
        else:
            found = _of(op, op._marked(left, right), sets, tape.values, z)
        sets.append(found)
    return sets


def union(x: Any) -> Any:
    """All the sets of an array as one."""
    return np.bitwise_or.reduce(x.ravel()) if isinstance(x, np.ndarray) else x


def spread(x: Any, shape: tuple[int, ...]) -> Any:
    """Sets in a shape; one of no axes is a number."""
    if not shape:
        return union(x)
    return np.broadcast_to(np.asarray(x, object), shape)


def _of(op: Any, marked: Sequence[tuple[Any, bool]], sets: Sequence[Any], values: Sequence[Any], z: Any) -> Any:
    if isinstance(z, tuple):
        return _all_of(marked, sets)
    shape = shape_of(z)
    if hasattr(op, "inner") and not hasattr(op, "result"):  # a function written in others, no solver
        return _composed(op, marked, sets, shape)
    if hasattr(op, "masks"):
        return _moved(op, marked, sets, values, shape)
    operands = [sets[x] if on else 0 for x, on in marked]
    if isinstance(op, EntryOperation):
        if op.name == "mul" and not all(on for _, on in marked):
            operands = [_where(x, b) for (_, on), x, b in zip(marked, operands, _others(marked), strict=True) if on]
        return _together(operands, shape)
    if not op.array or op.name in BY_ENTRY:
        return _together(operands, shape)
    if op.name in REDUCING or op.name in RUNNING:
        ((row, _),) = marked
        full = spread(operands[0], shape_of(values[row]))
        if op.name in REDUCING:
            axis, keepdims = op.options.get("axis"), op.options.get("keepdims", False)
            united: Any = np.bitwise_or.reduce
            return spread(united(full, axis=axis, keepdims=bool(keepdims)), shape)
        axis = op.options.get("axis")
        return np.bitwise_or.accumulate(full.ravel() if axis is None else full, axis=axis or 0).reshape(shape)
    shapes = [shape_of(values[x]) if on else shape_of(x) for x, on in marked]
    if op.name in MOVING:
        full = [spread(x, s) for x, s in zip(operands, shapes, strict=True)]
        return spread(op.value(*full), shape) if op.name == "where" else _placed(op, full, shape)
    if op.name in ("scattered", "placed"):
        return _into_places(op, operands, shapes)
    written = _subscripts(op, list(map(len, shapes))) if op.name in PRODUCTS else None
    if written is not None:
        constants = [None if on else np.ones(shape_of(x)) if hasattr(x, "tape") else np.asarray(x) for x, on in marked]
        return spread(_contracted(*written, operands, shapes, constants), shape)
    return spread(_all_of(marked, sets), shape)


def _all_of(marked: Sequence[tuple[Any, bool]], sets: Sequence[Any]) -> int:
    found = 0
    for x, on in marked:
        if on:
            found |= union(sets[x])
    return found


def _others(marked: Sequence[tuple[Any, bool]]) -> list[Any]:
    """For each operand of a product the other factor."""
    return [x for x, _ in reversed(marked)]


def _where(sets: Any, factor: Any) -> Any:
    """Sets that are multiplied with a constant: where it is zero there is no derivative. A number of an older run is
    none: where it is zero, its own derivative may not be."""
    if hasattr(factor, "tape"):
        return sets
    return np.where(np.asarray(factor) != 0, sets, NOTHING)


def _together(operands: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An operation by entry: the union of what stands in the same place."""
    found: Any = 0
    for x in operands:
        found = found | (union(x) if not shape else x)
    return spread(found, shape)


def _placed(op: Any, operands: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """A function that moves entries: it moves their places, and these are looked up."""
    ends = np.cumsum([0, *(math.prod(shape_of(x)) for x in operands)]).tolist()
    every = np.concatenate([np.ravel(np.asarray(x, object)) for x in operands])
    places = [np.arange(a, b).reshape(shape_of(x)) for a, b, x in zip(ends[:-1], ends[1:], operands, strict=True)]
    where = op.value(*(x if x.shape else int(x) for x in places))
    return spread(every[np.asarray(where, dtype=int)], shape)


def _into_places(op: Any, operands: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> Any:
    """What the sweeps of a look and of a write do where they are part of the run: sets are added to places, or put."""
    places = op.options["places"]
    if op.name == "scattered":
        found = np.zeros(op.options["size"], object)
        np.bitwise_or.at(found, places, spread(operands[0], shapes[0]))
        return found
    found = np.array(spread(operands[0], shapes[0]), object)
    found[places] = spread(operands[1], shapes[1])
    return found


def _moved(op: Any, marked: Any, sets: Sequence[Any], values: Sequence[Any], shape: tuple[int, ...]) -> Any:
    found = np.zeros(op.source.size, object)
    for (row, _), (mask, places) in zip(marked, op.masks, strict=True):
        found[np.reshape(mask, -1)] = np.ravel(spread(sets[row], shape_of(values[row])))[places]
    return spread(found.reshape(shape), shape) if shape else found[0]


def _subscripts(op: Any, axes: Sequence[int]) -> tuple[list[str], str] | None:
    """A product as einsum would write it, ["ij", "jk"] and "ik"; None where it is not looked into."""
    if op.name == "einsum":
        text = op.options["subscripts"].replace(" ", "")
        given, arrow, out = text.partition("->")
        terms = given.split(",")
        if not arrow or "." in text or any(len(set(t)) < len(t) for t in (*terms, out)):
            return None
        return terms, out
    if min(axes) == 0 or (op.name == "dot" and max(axes) > 2):
        return None
    stack = "abcdefgh"[: max(axes) - 2] if max(axes) > 2 else ""

    def term(count: int, inner: str) -> str:
        return "j" if count == 1 else stack[len(stack) - count + 2 :] + inner

    out = stack + ("i" if axes[0] > 1 else "") + ("k" if axes[1] > 1 else "")
    return [term(axes[0], "ij"), term(axes[1], "jk")], out


def _contracted(
    terms: Sequence[str], out: str, operands: Sequence[Any], shapes: Sequence[tuple[int, ...]], constants: Sequence[Any]
) -> Any:
    """A product of arrays, summed over what is not in `out`: the union of those whose other factors are not zero."""
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, size in zip(term, shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    letters = [*out, *(x for x in sizes if x not in out)]
    summed = tuple(range(len(out), len(letters)))
    closely = math.prod(sizes.values()) <= LARGEST

    def arranged(x: Any, term: str) -> Any:
        turned = np.transpose(x, [term.index(y) for y in letters if y in term])
        lengths = iter(turned.shape)
        return turned.reshape([next(lengths) if y in term else 1 for y in letters])

    found: Any = 0
    for k, (sets, term) in enumerate(zip(operands, terms, strict=True)):
        if constants[k] is not None:
            continue
        full = arranged(spread(sets, shapes[k]), term)
        for other, constant in zip(terms, constants, strict=True):
            if constant is not None and closely:
                full = _where(full, arranged(constant, other))
        found = found | np.bitwise_or.reduce(full, axis=summed)
    return found


def _composed(op: Any, marked: Sequence[tuple[Any, bool]], sets: Sequence[Any], shape: tuple[int, ...]) -> Any:
    starts: dict[int, Any] = {}
    for (x, _), seed in zip(marked, op.seeds, strict=True):
        starts[seed] = sets[x]
    inner = dependences_of_arrays(op.inner, starts)
    results = [0 if row is None else inner[row] for row, _ in op.outputs]
    if op.several:
        found = 0
        for x in results:
            found |= union(x)
        return found
    return spread(results[0], shape)


def _memory(op: Any, left: Any, sets: Sequence[Any], flats: dict[int, Any], row: int) -> Any:
    if op.name == "memory":
        start = sets[left[0]] if op.active[0] else 0
        flats[row] = np.array(np.reshape(spread(start, op.owner_shape), -1), object)
        return 0
    if op.name == "look":
        return flats[left[0]][op.places]
    found = sets[left[2]] if op.active[0] else 0
    flats[left[0]][op.places] = found
    return found
