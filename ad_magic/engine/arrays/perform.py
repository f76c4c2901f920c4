"""Carrying out an operation on operands of which some are active, and recording it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.operation import Operation, operation
from ad_magic.engine.record import careful_tangent
from ad_magic.engine.tape import Tape
from ad_magic.rules import RULES
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .adjoints import shape_of, spread
from .array import NUMBERS, Array, directions, frozen, operand, record, row, split, youngest
from .operation import EntryOperation, entry_operation
from .pairs import PairOperation, pair_operation


def by_entry(name: str, function: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """The primitive `name` of the derivative table on each entry; `function` is that of NumPy. NotImplemented for
    operands that are no numbers."""
    operands = [operand(x) for x in given]
    for x in operands:
        if x is NotImplemented:
            return NotImplemented
    tape = youngest(operands)
    if tape is None:
        return function(*operands, **options)
    values, columns, active = split(operands, tape)
    z = function(*values, **options)
    if len(columns) == 2:
        left, right = columns
    else:
        left, right = (columns[0], None) if len(columns) == 1 else (tuple(columns), None)
    if type(z) is np.ndarray or type(z) is Array:
        op: Operation = entry_operation(name, active, z.dtype.kind == "c")
    elif isinstance(z, complex):
        op = entry_operation(name, active, True)
    else:
        op = operation(name, active)
    tangent = None
    if tape.forward:
        tangent = pushed(tape, op, operands, values, active, z)
    return record(tape, op, left, right, z, tangent)


def pair(rule: ArrayRule, given: Sequence[Any], options: dict[str, Any]) -> Any:
    """An array primitive with its operands and options; plain where nothing is active."""
    operands = [operand(x) for x in given]
    for x, one in zip(given, operands, strict=True):
        if one is NotImplemented:
            raise TypeError(f"np.{rule.name} takes numbers and arrays of them, and no {type(x).__name__}")
    tape = youngest(operands)
    if tape is None:
        return rule.value(*([operands] if rule.several else operands), **options)
    values, columns, active = split(operands, tape)
    if options:
        options = {name: frozen(np.asarray(x), tape) if isinstance(x, np.ndarray) else x for name, x in options.items()}
    op = PairOperation(rule, active, options) if options else pair_operation(rule, active)
    return carried_out(tape, op, operands, values, columns, op.value(*values))


def carried_out(tape: Tape, op: Any, operands: Any, values: Any, columns: Any, z: Any) -> Any:
    """Record an operation whose operands stand in the left column; a result of several parts part by part."""
    tangent = pushed(tape, op, operands, values, op.active, z) if tape.forward else None
    if not isinstance(z, tuple):
        return record(tape, op, tuple(columns), None, z, tangent)
    index = row(tape, op, tuple(columns), None, z)
    parts = []
    for k, part in enumerate(z):
        if hasattr(part, "tape") or isinstance(part, complex) or np.asarray(part).dtype.kind in "fc":
            parts.append(record(tape, Part(k, len(z)), (index,), None, part, None if tangent is None else tangent[k]))
        else:
            parts.append(part)
    return type(z)(*parts) if hasattr(z, "_fields") else tuple(parts)


class Part(Operation):
    """One of the results of an operation with several."""

    __slots__ = ("count", "which")
    array = True
    rule: Any

    def __init__(self, which: int, count: int) -> None:
        super().__init__("part", None, (True,))
        self.decision = False
        self.rule = PART
        self.which, self.count = which, count

    def value(self, whole: Any) -> Any:
        return whole[self.which]

    def operands(self, left: Any, right: Any) -> tuple[Any, ...]:
        return left

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        (i,) = left
        old = adjoints[i]
        parts = list(old) if isinstance(old, tuple) else [None] * self.count
        parts[self.which] = g if parts[self.which] is None else parts[self.which] + g
        adjoints[i] = tuple(parts)

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        whole = tangents[left[0]]
        return whole[self.which] if isinstance(whole, tuple) else 0.0

    def partials(self, left: Any, right: Any, values: Any, z: Any) -> tuple[Any, ...]:
        return ()


PART = ArrayRule("part", lambda whole: whole, ("whole",), (), lambda *_: None)


# ---- forward mode: the tangents at once ----------------------------------------------------------


def pushed(tape: Tape, op: Any, operands: Sequence[Any], values: Sequence[Any], active: Sequence[bool], z: Any) -> Any:
    """The tangents of a result along all directions, as an array with a leading axis for them."""
    tangents = [directions(x) if on else None for x, on in zip(operands, active, strict=True)]
    with np.errstate(all="ignore"):
        if isinstance(op, EntryOperation):
            return _entries_pushed(tape, op, tangents, values, z)
        if op.array:
            return _pair_pushed(tape, op, tangents, values, z)
        t = _numbers_pushed(op, tangents, values, z)
    return np.broadcast_to(t, (tape.directions,)) if getattr(t, "shape", ()) != (tape.directions,) else t


def _numbers_pushed(op: Operation, tangents: Sequence[Any], values: Sequence[Any], z: Any) -> Any:
    from .constructors import array

    live = [k for k, on in enumerate(op.active) if on]
    count = len(tangents[live[0]])
    return array([careful_tangent(op, values, z, [tangents[k][d] for k in live]) for d in range(count)])


def _entries_pushed(tape: Tape, op: EntryOperation, tangents: Sequence[Any], values: Sequence[Any], z: Any) -> Any:
    ndim = len(shape_of(z))
    shape = (tape.directions, *shape_of(z))

    def aligned(t: Any, x: Any) -> Any:
        own = shape_of(x)
        return t if len(own) == ndim else np.reshape(t, (tape.directions, *(1,) * (ndim - len(own)), *own))

    lined = [None if t is None else aligned(t, x) for t, x in zip(tangents, values, strict=True)]
    columns: list[Any] = [k if on else x for k, (x, on) in enumerate(zip(values, op.active, strict=True))]
    left, right = columns if len(columns) == 2 else (columns[0] if len(columns) == 1 else tuple(columns), None)
    t = op.push(lined, left, right, values, z)
    if type(t) is not np.ndarray or math.isnan(abs(t.sum())):
        t = op.push_carefully(lined, left, right, values, z)
    return t if shape_of(t) == shape else np.broadcast_to(t, shape)


def _pair_pushed(tape: Tape, op: Any, tangents: Sequence[Any], values: Sequence[Any], z: Any) -> Any:
    left = tuple(k if on else x for k, (x, on) in enumerate(zip(values, op.active, strict=True)))
    along = []
    for d in range(tape.directions):
        t = op.push([0.0 if t is None else t[d] for t in tangents], left, None, values, z)
        along.append(t)
    if isinstance(z, tuple):
        return [_stacked([t[k] if isinstance(t, tuple) else 0.0 for t in along], part) for k, part in enumerate(z)]
    return _stacked(along, z)


def _stacked(along: list[Any], z: Any) -> Any:
    along = [spread(t, z) for t in along]
    if shape_of(z):  # tangents are never written to: a view will do
        return np.reshape(along[0], (1, *shape_of(z))) if len(along) == 1 else np.stack(along)
    from .constructors import array

    return array(along)


def same_kind(name: str) -> bool:
    """Whether the table has a row of this name."""
    return name in RULES


def is_number(x: Any) -> bool:
    """Whether x is an active number."""
    return type(x) in NUMBERS
