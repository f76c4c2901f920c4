"""The sweeps and the replay over a tape on which arrays are."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from ad_magic.engine.active import Active
from ad_magic.engine.complexes import Complex
from ad_magic.engine.operation import INPUT, times
from ad_magic.engine.record import again
from ad_magic.engine.tape import Columns, PathChanged
from ad_magic.rules.arrays.frozen import np

from .adjoints import Adjoints, absent, bare_value, shape_of
from .array import Array, operand
from .spare import BIG

_SINGULAR = (ArithmeticError, ValueError, TypeError)


def reverse(tape: Columns, seeds: Mapping[int, Any], inputs_only: bool = False) -> list[Any]:
    """The adjoint of every row, an array of the shape of its value; 0.0 where there is none."""
    with np.errstate(all="ignore"):
        nested = not _ACTIVE.isdisjoint(map(type, seeds.values())) or not _ACTIVE.isdisjoint(map(type, tape.values))
        adjoints = Adjoints(len(tape), tape.values, tape.spare)
        if not _sweep(tape, seeds, adjoints, nested, inputs_only):
            adjoints = Adjoints(len(tape))
            _sweep(tape, seeds, adjoints, True, inputs_only)
    if inputs_only:  # what a row holds may hold the run: nothing is to wait for the garbage collector
        for column in (tape.ops, tape.left, tape.right, tape.values):
            column.clear()
    return adjoints


_ACTIVE = frozenset((Array, *Active.types))


def _sweep(tape: Columns, seeds: Mapping[int, Any], adjoints: Adjoints, carefully: bool, inputs_only: bool) -> bool:
    """Fill in the adjoints; returns whether none is NaN, which is not asked where the sweep is careful."""
    for row, g in seeds.items():
        adjoints.add(row, g)
    ops, lefts, rights, values = tape.ops, tape.left, tape.right, tape.values
    for row in range(max(seeds, default=-1), -1, -1):
        op = ops[row]
        if op.memory:
            op.pull_memory(adjoints, row, lefts[row], values)
            continue
        g = adjoints[row]
        if type(g) is not ndarray and absent(g):
            continue
        if op.rule is None:
            if op is INPUT and not carefully and _is_nan(g):  # every row descends from an input: all of them show there
                return False
            continue
        if carefully and type(g) is Complex:
            g = operand(g)
        if op.array:
            pull = op.pull_carefully if carefully and hasattr(op, "pull_carefully") else op.pull
            try:
                pull(adjoints, g, lefts[row], rights[row], values, values[row])
            except ZeroDivisionError:  # Python's own, of a constant
                if carefully:
                    raise
                return False
            if inputs_only:  # the memory of what is done with is used for the next
                if type(g) is ndarray and g.nbytes >= BIG:
                    g = 0.0
                    adjoints.drop(row)
                else:
                    adjoints[row] = g = 0.0
            continue
        if not carefully:
            try:
                op.pull(adjoints, g, lefts[row], rights[row], values, values[row])
                continue
            except _SINGULAR:
                pass
        for parent, partial in zip(tape.parents(row), tape.partials(row), strict=False):
            adjoints[parent] = adjoints[parent] + times(partial, g)
    return True


ndarray = np.ndarray


def _is_nan(g: Any) -> bool:
    """Whether there is a NaN in an adjoint, or may be."""
    if type(g) is ndarray:  # of real numbers the sum of the squares is NaN only where one of them is
        if g.dtype.kind == "f":
            flat = g.reshape(-1)
            g = flat.dot(flat)
        else:
            g = np.add.reduce(g, axis=None)
    return bool(g != g)


def forward(tape: Columns, seeds: Mapping[int, Any]) -> list[Any]:
    """The tangent of every row along one direction; 0.0 where there is none."""
    tangents: list[Any] = []
    flats: dict[int, Any] = {}
    values = tape.values
    with np.errstate(all="ignore"):
        for row, (op, left, right, z) in enumerate(zip(tape.ops, tape.left, tape.right, values, strict=True)):
            if op.memory:
                tangents.append(op.push_memory(tangents, left, values, flats, row))
            elif op.rule is None:
                tangents.append(seeds.get(row, 0.0))
            elif all(absent(tangents[p]) for p in op.parents(left, right)):
                tangents.append(0.0)
            else:
                tangents.append(_tangent(tape, op, left, right, z, tangents, row))
    return tangents


def _tangent(tape: Columns, op: Any, left: Any, right: Any, z: Any, tangents: list[Any], row: int) -> Any:
    try:
        t = op.push(tangents, left, right, tape.values, z)
        if isinstance(t, tuple) or not np.isnan(t).any():
            return t
    except _SINGULAR:
        if op.array and not hasattr(op, "push_carefully"):
            raise
    if hasattr(op, "push_carefully"):
        return op.push_carefully(tangents, left, right, tape.values, z)
    if op.array:
        return t
    total: Any = 0.0
    for parent, partial in zip(tape.parents(row), tape.partials(row), strict=True):
        total = total + times(partial, tangents[parent])
    return total


def replay_arrays(tape: Columns, inputs: Mapping[int, Any], kind: str, shown: Container[int]) -> Columns:
    """The same operations at other inputs; see `ad_magic.engine.tape.replay`."""
    from ad_magic.engine.decisions import decide

    values: list[Any] = []
    flats: dict[int, Any] = {}
    for row, (op, left, right) in enumerate(zip(tape.ops, tape.left, tape.right, strict=True)):
        if op is INPUT:
            values.append(inputs.get(row, tape.values[row]))
        elif op.memory:
            values.append(op.again(left, values, flats))
        elif op.rule is None:
            outcome = tape.values[row]
            if kind != "complex":
                outcome = decide(op, [bare_value(x) for x in op.arguments(left, right, values)])
                if not _same(outcome, tape.values[row]) and row not in shown:
                    raise PathChanged(row, outcome)
            values.append(outcome)
        elif op.array:
            z = _array_again(op, op.arguments(left, right, values), kind)
            # what is a number in the run is one here: some functions of NumPy give an array without axes
            boxed = type(z) is np.ndarray and not z.ndim and type(tape.values[row]) is not np.ndarray
            values.append(z[()] if boxed else z)
        else:
            values.append(_number_again(op, op.arguments(left, right, values), kind, row, tape.values[row]))
    return tape.with_values(values, [])


def _array_again(op: Any, operands: Any, kind: str) -> Any:
    if hasattr(op, "value"):
        return (
            op.value_complex(*operands) if kind == "complex" and hasattr(op, "value_complex") else op.value(*operands)
        )
    if kind == "complex":
        from .complexstep import value_by_entry

        return value_by_entry(op.rule, operands)
    from .by_entries import entry_function

    return entry_function(op.name)(*operands)


def _number_again(op: Any, operands: Any, kind: str, row: int, before: Any) -> Any:
    if kind == "plain":
        operands = [float(x) if type(x) is np.float64 else x for x in operands]
    value = again(op, operands, kind, before)
    if type(value) is complex and kind == "plain":  # a negative number to a broken power
        raise PathChanged(row, value)
    return value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=getattr(a, "dtype", np.dtype(bool)).kind in "fc")
    return type(a) is tuple and len(a) == len(b) and all(map(_same, a, b)) if isinstance(a, tuple) else a == b


def zeros_like(x: Any) -> Any:
    """No derivative at all, in the shape of a value."""
    return np.zeros(shape_of(x)) if shape_of(x) else 0.0
