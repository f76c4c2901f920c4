"""The recorded operations as statements: the value of each row."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ad_magic.engine.operation import INPUT, Operation
from ad_magic.engine.operation import value_of as plain_value
from ad_magic.engine.tape import Columns
from ad_magic.rules.arrays.frozen import np

from . import own_functions
from .expressions import value_of
from .guards import guard_of
from .symbols import NoProgram, Symbol, Writer, bare, called, tree

Values = list[Any]  # of each row a symbol, a tuple of them, or None


def write_values(
    writer: Writer, tape: Columns, inputs: Mapping[int, Any], names: Mapping[int, str], used: Sequence[int],
    unguarded: Collection[int] = (), written_at: Callable[[int], tuple[str, ...]] | None = None,
) -> Values:  # fmt: skip
    """Statements for the rows of a tape that are used; `inputs` are the symbols of its inputs.

    `names` says what the value of a row is called (a row without a name is part of another). No guard is written for
    the decisions in `unguarded`; `written_at` says how the operands of a row are written in the source. Raises
    NoProgram where an operation has no text.
    """
    values: Values = []
    flats: dict[int, Any] = {}
    for row, (op, left, right) in enumerate(zip(tape.ops, tape.left, tape.right, strict=True)):
        writer.row = row if names else writer.row
        if op is INPUT:
            values.append(inputs.get(row, tape.values[row]))
        elif op.decision:
            values.append(None)
            if row not in unguarded:
                guard_of(writer, op, op.arguments(left, right, values), tape.values[row])
        elif not used[row]:
            values.append(None)
        elif op.memory:
            values.append(_memory(writer, op, left, values, flats, row))
        else:
            if op.array and written_at is not None:
                _hint(writer, op, left, right, written_at(row))
            recorded = tape.values[row]
            value = _as_recorded(_value(writer, op, op.arguments(left, right, values), recorded), recorded)
            values.append(_named(writer, value, names.get(row)))
    return values


def _hint(writer: Writer, op: Operation, left: Any, right: Any, written: Sequence[str]) -> None:
    """The names of constant arrays."""
    marked = op._marked(left, right)
    if len(marked) == len(written):
        for (x, on), label in zip(marked, written, strict=True):
            if not on and isinstance(x, np.ndarray) and label.isidentifier():
                writer.hint(x, label)


def _as_recorded(value: Any, recorded: Any) -> Any:
    """A number that a function of NumPy gives as an array without axes, as a number."""
    if isinstance(value, tuple):
        return tuple(map(_as_recorded, value, recorded)) if isinstance(recorded, tuple) else value
    boxed = isinstance(value, Symbol) and isinstance(value.value, np.ndarray) and not value.shape
    return value[()] if boxed and not isinstance(recorded, np.ndarray) else value


def _named(writer: Writer, value: Any, label: str | None) -> Any:
    if label is None or not isinstance(value, Symbol):
        return value
    return Symbol(writer, writer.block.named(label, value.expression, writer.row), value.value)


def _value(writer: Writer, op: Operation, arguments: Sequence[Any], recorded: Any) -> Any:
    if not op.array:
        assert op.rule is not None
        refuse_overflow(op, arguments, recorded)
        if op.rule.function is not None:  # of the user's own: the program brings it along
            writer.helpers[op.rule.name] = op.rule.function
        expression = value_of(op.rule, [tree(x, writer) for x in arguments])
        return Symbol(writer, writer.block.atom(expression, writer.row), recorded)
    special = _SPECIAL.get(op.name)
    if special is not None:
        return special(writer, op, arguments)
    op = writer.opened(op, [bare(x) for x in arguments])
    if hasattr(op, "inner") and hasattr(op, "result"):
        raise NoProgram(f"{op.name} is a solver, which has no straight-line program")
    if hasattr(op, "inner"):
        return _composed(writer, op, arguments)
    if hasattr(op, "pair"):
        return own_functions.value(writer, op, arguments, recorded)
    if hasattr(op, "value"):
        return op.value(*arguments)
    from ad_magic.engine.arrays.by_entries import entry_function

    return entry_function(op.name)(*arguments)


def refuse_overflow(op: Operation, arguments: Sequence[Any], recorded: Any) -> None:
    """Raise NoProgram where a number is infinite and Python's own arithmetic raises an error."""
    if not isinstance(recorded, float) or not math.isinf(recorded):
        return
    assert op.rule is not None
    try:
        plain_value(op.rule)(*map(bare, arguments))
    except (ArithmeticError, ValueError):
        raise NoProgram(f"{op.name} overflows here, and Python's own arithmetic raises an error then") from None


def _array(writer: Writer, op: Any, entries: Sequence[Any]) -> Symbol:
    """np.array([[v1, v2], [v3, v4]])"""

    def nested(items: Sequence[Any], shape: tuple[int, ...]) -> Any:
        if len(shape) > 1:
            step = len(items) // shape[0] if shape[0] else 0
            items = [nested(items[k * step : (k + 1) * step], shape[1:]) for k in range(shape[0])]
        return list(items)

    return called(writer, np.array, "np.array", (nested(entries, op.options["shape"]),), {})


def _complex(writer: Writer, op: Any, parts: Sequence[Any]) -> Symbol:
    real, imaginary = (tree(x, writer) for x in parts)
    value = np.asarray(bare(parts[0]) + 1j * bare(parts[1]))
    return writer.symbol(ast.BinOp(real, ast.Add(), ast.BinOp(ast.Constant(1j), ast.Mult(), imaginary)), value)


_SPECIAL = {
    "array": _array,
    "complex": _complex,
    "entries": lambda writer, op, x: picked(x[0], op.options["places"]),
    "scattered": lambda writer, op, x: scattered(writer, op.options["size"], op.options["places"], x[0]),
    "placed": lambda writer, op, x: writer.helper("written", written, x[0], simplest(op.options["places"]), x[1]),
}


def scattered(writer: Writer, shape: Any, places: Any, entries: Any) -> Symbol:
    """Zeros but for some entries, in flat order; a place that comes twice has the sum."""
    return writer.helper("placed", placed, shape, simplest(places), entries)


def placed(shape, places, entries):  # it becomes part of the program
    """Zeros but for some entries, in flat order."""
    out = np.zeros(shape, np.result_type(entries, float))
    np.add.at(out.reshape(-1), places, entries)
    return out


def _composed(writer: Writer, op: Any, operands: Sequence[Any]) -> Any:
    """A function written in others: its own rows, as parts of this one. They are kept for its derivative."""
    inner = write_values(writer, op.inner, dict(zip(op.seeds, operands, strict=True)), {}, [1] * len(op.inner))
    writer.inner[writer.row, id(op)] = inner
    results = tuple(out if row is None else inner[row] for row, out in op.outputs)
    return results if op.several else results[0]


# ---- memory: contents as values ------------------------------------------------------------------


def _memory(writer: Writer, op: Any, left: Any, values: Values, flats: dict[int, Any], row: int) -> Any:
    if op.name == "memory":
        start = values[left[0]] if op.active[0] else left[0]
        flats[row] = np.reshape(start, -1) if isinstance(start, Symbol) else symbol_of(writer, np.reshape(start, -1))
        return None
    flat = flats[left[0]]
    if op.name == "look":
        return picked(flat, op.places)
    value = values[left[2]] if op.active[0] else left[2]
    flats[left[0]] = writer.helper("written", written, flat, simplest(op.places), value)
    return value if isinstance(value, Symbol) else symbol_of(writer, value)


def symbol_of(writer: Writer, x: Any) -> Symbol:
    """A constant as a symbol."""
    return x if isinstance(x, Symbol) else Symbol(writer, tree(x, writer), x)


def picked(flat: Any, places: Any) -> Any:
    """The entries of a flat content at these places."""
    if places.size == flat.size and np.array_equal(places.ravel(), np.arange(flat.size)):
        return np.reshape(flat, places.shape)
    return flat[simplest(places)]


def simplest(places: Any) -> Any:
    """An index for these places: a number, a slice, else the array.

    >>> simplest(np.array(3)), simplest(np.array([1, 3, 5])), simplest(np.array([2, 0]))
    (3, slice(1, 6, 2), array([2, 0]))
    """
    places = np.asarray(places)
    if places.ndim == 0:
        return int(places)
    if places.ndim == 1 and places.size:
        step = int(places[1] - places[0]) if places.size > 1 else 1
        if step > 0 and np.array_equal(places, places[0] + step * np.arange(places.size)):
            return slice(int(places[0]), int(places[-1]) + 1, None if step == 1 else step)
    return places


def written(flat, places, value):  # it becomes part of the program
    """The content after an assignment."""
    flat = np.array(flat, dtype=np.result_type(flat, value))
    flat[places] = value
    return flat
