"""One operation cut out of a tape, as a tape of its own; and numbers and arrays as vectors."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ad_magic.engine.kinks import at_kink, kink_of_array, where_at_kink
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns


@dataclass(slots=True)
class Piece:
    """One operation as a tape of its own."""

    tape: Columns
    inputs: list[int]  # a row for each use of an active operand
    outputs: list[int]
    came: list[int]  # of each input the row of the whole tape


def piece_of(tape: Columns, row: int, parts: Sequence[int] = ()) -> Piece:
    """The piece of a row; `parts` are the rows that belong to it (see `parts_of`)."""
    values: list[Any] = []
    ops: list[Any] = []
    lefts: list[Any] = []
    rights: list[Any] = []
    came: dict[int, int] = {}
    inside: dict[int, int] = {}

    def append(op: Any, left: Any, right: Any, value: Any) -> int:
        ops.append(op)
        lefts.append(left)
        rights.append(right)
        values.append(value)
        return len(values) - 1

    def operand(column: Any, on: bool) -> Any:
        if not on:
            return column
        if column in inside:
            return inside[column]
        index = append(INPUT, None, None, tape.values[column])
        came[index] = column
        return index

    outputs = []
    for k in (row, *parts):
        op, left, right = tape.ops[k], tape.left[k], tape.right[k]
        if op.memory:
            marks = op.active if op.name == "memory" else (True, True, *(op.active if op.name == "write" else ()))
            left = tuple(operand(x, on) for x, on in zip(left, marks, strict=True))
        else:
            marked = [operand(x, on) for x, on in op._marked(left, right)]
            if isinstance(left, tuple):
                left = tuple(marked)
            else:
                left, right = marked[0], marked[1] if len(marked) > 1 else right
        inside[k] = append(op, left, right, tape.values[k])
        shown = not isinstance(tape.values[k], tuple) and (not op.memory or op.name == "look")
        if shown and not (op.name == "part" and _has_free_phase(tape.values[k])):
            outputs.append(inside[k])
    columns = Columns(values, ops, lefts, rights, [], [], [], len(values))
    columns.arrays = tape.arrays and (any(op.array for op in ops) or any(hasattr(x, "shape") for x in values))
    return Piece(columns, list(came), outputs, list(came.values()))


def _has_free_phase(part: Any) -> bool:
    """Whether one of several results is known up to a phase only, as complex eigenvectors are: the derivative of a
    program that does not mind it is right whichever phase the library chooses."""
    return getattr(part, "ndim", 0) > 1 and part.dtype.kind == "c"


def parts_of(tape: Columns) -> dict[int, list[int]]:
    """For each row with several results the rows that take one of them; for each memory its writes and looks."""
    found: dict[int, list[int]] = {}
    for row, (op, left) in enumerate(zip(tape.ops, tape.left, strict=True)):
        if op.name == "part" or (op.memory and op.name != "memory"):
            found.setdefault(left[0], []).append(row)
    return found


def stands_at_kink(tape: Columns, row: int) -> bool:
    """Whether a row stands at a kink, in some entry."""
    op, z = tape.ops[row], tape.values[row]
    if op.rule is None or op.memory or op.name == "part":
        return False
    arguments = tape.arguments(row)
    if op.array and kink_of_array(op, arguments, z):
        return True
    if op.rule.kink is None:
        return False
    return bool(where_at_kink(op.rule, arguments, z).any()) if hasattr(z, "shape") else at_kink(op.rule, arguments, z)


# ---- numbers and arrays ----


def direction(value: Any, draw: random.Random) -> Any:
    """A random direction in the shape of a value, complex for a complex one: normal numbers, so that no direction is
    preferred (Muller 1959)."""
    if not hasattr(value, "shape"):
        return complex(draw.gauss(0, 1), draw.gauss(0, 1)) if isinstance(value, complex) else draw.gauss(0, 1)
    import numpy as np

    random_ = np.random.default_rng(draw.getrandbits(63))
    found = random_.normal(size=value.shape)
    return found + 1j * random_.normal(size=value.shape) if value.dtype.kind == "c" else found


def size_of(value: Any) -> float:
    """The size of a number or of the largest entry of an array; 1 for zero."""
    if not hasattr(value, "shape"):
        return abs(value) or 1.0
    import numpy as np

    return float(np.max(np.abs(value), initial=0.0)) or 1.0


def dot(a: Any, b: Any) -> float:
    """The real part of the inner product."""
    if not hasattr(a, "shape") and not hasattr(b, "shape"):
        return (a.conjugate() * b).real
    import numpy as np

    return float(np.real(np.sum(np.conj(a) * b)))


def weighted(values: Sequence[Any], weights: Mapping[int, Any]) -> float:
    return sum(dot(w, values[row]) for row, w in weights.items())


def shaped(derivative: Any, like: Any) -> Any:
    """A derivative in the shape of its value; an absent one is zero. Raises ValueError where it does not fit."""
    shape = getattr(like, "shape", ())
    if getattr(derivative, "shape", ()) == shape or not hasattr(derivative, "shape"):
        return derivative
    import numpy as np

    return np.broadcast_to(derivative, shape)


def finite(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(finite, value))
    if hasattr(value, "shape"):
        import numpy as np

        return value.dtype.kind in "fc" and bool(np.isfinite(value).all())
    return isinstance(value, (float, int, complex)) and math.isfinite(abs(value))
