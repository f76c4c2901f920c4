"""A run number by number: of an array each entry has a name of its own. For JavaScript, which has no arrays of NumPy.

NumPy itself says what becomes of the entries: its functions, and the engine's sweeps, are called with arrays of
objects. What cannot be said that way (a factorisation, an order) has no such program.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ad_magic.engine.operation import INPUT, Operation
from ad_magic.engine.tape import Columns
from ad_magic.rules.arrays.frozen import np

from .entry_numbers import Label, each, extreme, like, named, objects, results, spread
from .entry_sweeps import adjoints_of, local_partials_of, tangents_of
from .expressions import name, value_of
from .guards import guard_of
from .partials import rule_of
from .symbols import Entry, NoProgram, Writer, bare, tree
from .values import refuse_overflow

ENTRIES = 4_000  # so many numbers of arrays a program may have
_OTHER_FLOATS = (np.float16, np.float32, *([np.longdouble] if np.dtype(np.longdouble) != np.dtype(float) else []))


@dataclass
class Rows:
    """For each row of the tape an entry, an array of entries, or None where there is none."""

    inputs: list[Entry] = field(default_factory=list)  # flat
    values: list[Any] = field(default_factory=list)
    tangents: list[list[Any]] = field(default_factory=list)  # for each seed
    adjoints: list[Any] | None = None
    partials: list[Any] = field(default_factory=list)  # for each row a list of them, one for each active operand


def write_by_entry(
    writer: Writer, run: Any, names: Mapping[int, str], seeds: Sequence[Any], *,
    backward: bool = False, partials: bool = False,
) -> Rows:  # fmt: skip
    """Statements for the values of all rows of a run, their tangents along some of its seeds, and if it is to go
    `backward` the adjoints, and the local `partials`. Raises NoProgram."""
    tape = run.tape
    if sum(np.size(z) for z in tape.values if isinstance(z, np.ndarray)) > ENTRIES:
        raise NoProgram("the arrays are too large to be computed in a page")
    rows = Rows()

    def label(row: int) -> str:
        return names.get(row, f"u{row}")

    inputs = {}
    for row in run.rows.values():
        value = each(tape.values[row], _input(writer, label(row)))
        rows.inputs += value.flat if isinstance(value, np.ndarray) else [value]
        inputs[row] = value
    rows.values = _Values(writer, tape, run, label).of(inputs)
    kept = [z if _is_some(z) else None for z in rows.values]
    for k, (_, position, row) in enumerate(seeds):
        start: Any = np.full(np.shape(rows.values[row]), 0.0, object) if np.shape(rows.values[row]) else 1.0
        if np.shape(start):
            start[position] = 1.0
        tangents = tangents_of(writer, tape, rows.values, {row: start}, _along(label, k))
        rows.tangents.append([like(t, z) for t, z in zip(tangents, kept, strict=True)])
    if backward:
        output = run.outputs[0].rows
        ends = {} if output is None else {output: Entry(writer, ast.Constant(1.0), 1.0)}
        adjoints = adjoints_of(writer, tape, rows.values, ends, lambda r: f"{label(r)}_bar")
        rows.adjoints = [like(adjoints[row], z) for row, z in enumerate(kept)]
    if partials:
        rows.partials = [local_partials_of(writer, tape, rows.values, row) for row in range(len(tape))]
    rows.values = kept
    return rows


def _input(writer: Writer, label: str) -> Callable[[str, Any], Entry]:
    return lambda suffix, x: Entry(writer, name(label + suffix), float(x))


def _along(label: Callable[[int], str], k: int) -> Label:
    return lambda row: f"d{label(row)}_{k}"


def _is_some(z: Any) -> bool:
    return z is not None and not isinstance(z, tuple)


# ---- values --------------------------------------------------------------------------------------


class _Values:
    """The values of the rows of a tape."""

    def __init__(self, writer: Writer, tape: Columns, run: Any, label: Label) -> None:
        self.writer, self.tape, self.run, self.label = writer, tape, run, label
        self.outer = tape is run.tape
        self.flats: dict[int, Any] = {}

    def of(self, inputs: Mapping[int, Any]) -> list[Any]:
        tape, values = self.tape, list[Any]()
        columns = zip(tape.ops, tape.left, tape.right, tape.values, strict=True)
        for row, (op, left, right, z) in enumerate(columns):
            self.writer.row = row if self.outer else self.writer.row
            if op is INPUT:
                values.append(inputs[row] if row in inputs else objects(z))
            elif op.decision:
                values.append(None)
                if not self.outer or row not in self.run.only_shown:
                    self._guard(op, op.arguments(left, right, values), z)
            elif op.memory:
                values.append(self._memory(op, left, values, row))
            else:
                with np.errstate(all="ignore"):
                    value = self._value(op, op.arguments(left, right, values), z)
                values.append(named(self.writer, value, self.label(row)))
        return values

    def refuse(self, what: str) -> NoProgram:
        line = self.run.line_of(self.writer.row)
        return NoProgram(f"{f'line {line}: ' if line else ''}{what} has no program in JavaScript")

    def _guard(self, op: Any, arguments: Sequence[Any], outcome: Any) -> None:
        if not op.array:
            guard_of(self.writer, op, arguments, outcome)
            return
        from ad_magic.engine.arrays.moves import filled

        if op.name not in ("lt", "le", "gt", "ge", "eq", "ne", "bool"):
            raise self.refuse(f"{op.name} of an array")
        args, kwargs = filled(op.template, [objects(x) for x in arguments])
        try:
            found = np.asarray(op.function(*args, **kwargs))
        except Exception:
            raise self.refuse(f"{op.name} of an array") from None
        for x, expected in zip(found.flat, np.asarray(outcome).flat, strict=True):
            if bool(x) != bool(expected):  # what is asked of an entry becomes a condition
                raise self.refuse(f"{op.name} of an array")

    def _memory(self, op: Any, left: Any, values: Sequence[Any], row: int) -> Any:
        if op.name == "memory":
            start = values[left[0]] if op.active[0] else left[0]
            self.flats[row] = objects(np.reshape(spread(start, np.shape(start)), -1)).copy()
            return None
        flat = self.flats[left[0]]
        if op.name == "look":
            seen = flat[op.places]
            return seen.copy() if isinstance(seen, np.ndarray) and seen.shape else seen
        value = values[left[2]] if op.active[0] else objects(left[2])
        flat[op.places] = value
        return value

    def _value(self, op: Any, arguments: Sequence[Any], z: Any) -> Any:
        if np.iscomplexobj(z) if not isinstance(z, tuple) else any(map(np.iscomplexobj, z)):
            raise self.refuse("a complex array")
        if getattr(z, "dtype", None) in _OTHER_FLOATS:
            raise self.refuse(f"an array of {z.dtype.name}")
        if not op.array or hasattr(op, "pull_carefully"):
            return _by_entry(self.writer, op, arguments, z)
        op = self.writer.opened(op, [_plain(x) for x in arguments])
        if hasattr(op, "result") or hasattr(op, "pair") or isinstance(z, tuple):
            raise self.refuse(op.name)
        try:
            if hasattr(op, "inner"):
                value = self._inside(op, arguments)
            elif op.name in ("max", "min"):
                value = extreme(op, *map(objects, arguments))
            else:
                value = op.value(*map(objects, arguments))
        except NoProgram:
            raise
        except Exception:
            raise self.refuse(f"{op.name} of arrays") from None
        if isinstance(value, np.ndarray) and not value.shape:
            value = value[()]
        if np.shape(value) != np.shape(z) or not np.allclose(_plain(value), z, rtol=1e-9, equal_nan=True):
            raise self.refuse(f"{op.name} of arrays")
        return value

    def _inside(self, op: Any, arguments: Sequence[Any]) -> Any:
        inside = _Values(self.writer, op.inner, self.run, lambda _: None)
        values = inside.of(dict(zip(op.seeds, arguments, strict=True)))
        self.writer.inner[id(op)] = values
        return results(op, values)


def _plain(value: Any) -> Any:
    """The numbers of the recorded run."""
    if isinstance(value, np.ndarray):
        return np.array([float(bare(x)) for x in value.flat]).reshape(value.shape)
    return bare(value)


def _by_entry(writer: Writer, op: Operation, arguments: Sequence[Any], z: Any) -> Any:
    if op.rule is not None and op.rule.function is not None:
        raise NoProgram(f"{op.rule.called} is a function of yours, which has no program in JavaScript")
    shape = np.shape(z)
    parts = [spread(x, shape) if shape else x for x in arguments]

    def one(suffix: str, x: Any) -> Entry:
        k = np.unravel_index(int(suffix[1:]), shape) if suffix else ()
        given = [y[k] if suffix else y for y in parts]
        refuse_overflow(op, given, x)
        trees = [tree(y, writer) for y in given]
        return Entry(writer, writer.block.atom(value_of(rule_of(op), trees), writer.row), float(x))

    return each(z, one)
