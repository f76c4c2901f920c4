"""A run number by number: of an array each entry has a name of its own. For JavaScript, which has no arrays of NumPy.

NumPy itself says what becomes of the entries: its functions, and the engine's sweeps, are called with arrays of
objects. What cannot be said that way (a factorisation, an order) has no such program.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ad_magic.engine.arrays.operation import reduced
from ad_magic.engine.operation import INPUT, Operation
from ad_magic.engine.tape import Columns
from ad_magic.rules import Rule
from ad_magic.rules.arrays.frozen import np

from .expressions import name, number, value_of
from .guards import guard_of
from .sweeps import limit_of, rule_of, scalar_partials, times_partial
from .symbols import Entry, NoProgram, Writer, bare, tree
from .values import refuse_overflow

ENTRIES = 4_000  # so many numbers of arrays a program may have
_OTHER_FLOATS = (np.float16, np.float32, *([np.longdouble] if np.dtype(np.longdouble) != np.dtype(float) else []))
Label = Callable[[int], str | None]  # what a row is called; None for the inside of another row


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
        value = _each(tape.values[row], _input(writer, label(row)))
        rows.inputs += value.flat if isinstance(value, np.ndarray) else [value]
        inputs[row] = value
    rows.values = _Values(writer, tape, run, label).of(inputs)
    kept = [z if _is_some(z) else None for z in rows.values]
    for k, (_, position, row) in enumerate(seeds):
        start: Any = np.full(np.shape(rows.values[row]), 0.0, object) if np.shape(rows.values[row]) else 1.0
        if np.shape(start):
            start[position] = 1.0
        tangents = _tangents(writer, tape, rows.values, {row: start}, _along(label, k))
        rows.tangents.append([_like(t, z) for t, z in zip(tangents, kept, strict=True)])
    if backward:
        output = run.outputs[0].rows
        ends = {} if output is None else {output: Entry(writer, ast.Constant(1.0), 1.0)}
        adjoints = _adjoints(writer, tape, rows.values, ends, lambda r: f"{label(r)}_bar")
        rows.adjoints = [_like(adjoints[row], z) for row, z in enumerate(kept)]
    if partials:
        rows.partials = [_local_partials(writer, tape, rows.values, row) for row in range(len(tape))]
    rows.values = kept
    return rows


def _input(writer: Writer, label: str) -> Callable[[str, Any], Entry]:
    return lambda suffix, x: Entry(writer, name(label + suffix), float(x))


def _along(label: Callable[[int], str], k: int) -> Label:
    return lambda row: f"d{label(row)}_{k}"


def _is_some(z: Any) -> bool:
    return z is not None and not isinstance(z, tuple)


# ---- numbers and arrays of them --------------------------------------------------------------------


def _each(z: Any, make: Callable[[str, Any], Any]) -> Any:
    """`make(suffix, entry)` of a number, or an array of that for the entries of an array."""
    if not np.shape(z):
        return make("", z.item() if isinstance(z, np.ndarray) else z)
    made = np.empty(np.shape(z), object)
    for k, x in enumerate(z.flat):
        made.flat[k] = make(f"_{k}", x)
    return made


def _objects(x: Any) -> Any:
    """An array as one of objects; a number as it is."""
    return x.astype(object) if isinstance(x, np.ndarray) and x.dtype != object else x


def _spread(x: Any, shape: tuple[int, ...]) -> Any:
    """A number, or an array, in a shape."""
    if not isinstance(x, np.ndarray):
        boxed = np.empty((), object)
        boxed[()] = x
        x = boxed
    return np.broadcast_to(x, shape)


def _like(x: Any, z: Any) -> Any:
    """A derivative in the shape of its value."""
    return None if z is None else _spread(x, np.shape(z)) if np.shape(z) else x


def _absent(t: Any) -> bool:
    return isinstance(t, (float, int)) and t == 0


def _plus(a: Any, b: Any) -> Any:
    return b if _absent(a) else a if _absent(b) else a + b


def _named(writer: Writer, value: Any, label: str | None, kind: str = "value") -> Any:
    """The entries under names of their own."""

    def one(suffix: str, x: Any) -> Any:
        if not isinstance(x, Entry):
            return x if _absent(x) else Entry(writer, number(float(x)), float(x))
        if label is None:
            return x
        return Entry(writer, writer.block.named(label + suffix, x.expression, writer.row, kind), x.value)

    return tuple(_named(writer, x, label, kind) for x in value) if isinstance(value, tuple) else _each(value, one)


def _entry(writer: Writer, x: Any) -> Entry:
    return x if isinstance(x, Entry) else Entry(writer, number(float(x)), float(x))


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
                values.append(inputs[row] if row in inputs else _objects(z))
            elif op.decision:
                values.append(None)
                if not self.outer or row not in self.run.only_shown:
                    self._guard(op, op.arguments(left, right, values), z)
            elif op.memory:
                values.append(self._memory(op, left, values, row))
            else:
                with np.errstate(all="ignore"):
                    value = self._value(op, op.arguments(left, right, values), z)
                values.append(_named(self.writer, value, self.label(row)))
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
        args, kwargs = filled(op.template, [_objects(x) for x in arguments])
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
            self.flats[row] = _objects(np.reshape(_spread(start, np.shape(start)), -1)).copy()
            return None
        flat = self.flats[left[0]]
        if op.name == "look":
            seen = flat[op.places]
            return seen.copy() if isinstance(seen, np.ndarray) and seen.shape else seen
        value = values[left[2]] if op.active[0] else _objects(left[2])
        flat[op.places] = value
        return value

    def _value(self, op: Any, arguments: Sequence[Any], z: Any) -> Any:
        if np.iscomplexobj(z) if not isinstance(z, tuple) else any(map(np.iscomplexobj, z)):
            raise self.refuse("a complex array")
        if getattr(z, "dtype", None) in _OTHER_FLOATS:
            raise self.refuse(f"an array of {z.dtype.name}")
        if not op.array or hasattr(op, "pull_carefully"):
            return _by_entry(self.writer, op, arguments, z)
        if hasattr(op, "result") or isinstance(z, tuple):
            raise self.refuse(op.name)
        try:
            value = self._inside(op, arguments) if hasattr(op, "inner") else op.value(*map(_objects, arguments))
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
        return _results(op, values)


def _results(op: Any, values: Sequence[Any]) -> Any:
    results = tuple(out if row is None else values[row] for row, out in op.outputs)
    return results if op.several else results[0]


def _plain(value: Any) -> Any:
    """The numbers of the recorded run."""
    if isinstance(value, np.ndarray):
        return np.array([float(bare(x)) for x in value.flat]).reshape(value.shape)
    return bare(value)


def _by_entry(writer: Writer, op: Operation, arguments: Sequence[Any], z: Any) -> Any:
    shape = np.shape(z)
    spread = [_spread(x, shape) if shape else x for x in arguments]

    def one(suffix: str, x: Any) -> Entry:
        k = np.unravel_index(int(suffix[1:]), shape) if suffix else ()
        given = [y[k] if suffix else y for y in spread]
        refuse_overflow(op, given, x)
        trees = [tree(y, writer) for y in given]
        return Entry(writer, writer.block.atom(value_of(rule_of(op), trees), writer.row), float(x))

    return _each(z, one)


# ---- sweeps --------------------------------------------------------------------------------------


def _tangents(
    writer: Writer, tape: Columns, values: Sequence[Any], seeds: Mapping[int, Any], label: Label
) -> list[Any]:
    tangents: list[Any] = []
    flats: dict[int, Any] = {}
    for row, (op, left, right) in enumerate(zip(tape.ops, tape.left, tape.right, strict=True)):
        writer.row = row if label(0) is not None else writer.row
        t: Any = 0.0
        if op is INPUT:
            t = seeds.get(row, 0.0)
        elif op.memory:
            t = _memory_tangent(op, left, tangents, flats, row)
        elif op.rule is not None and not all(_absent(tangents[p]) for p in op.parents(left, right)):
            with np.errstate(all="ignore"):
                t = _tangent(writer, op, left, right, values, tangents)
            t = t if _absent(t) else _named(writer, t, label(row), "tangent")
        tangents.append(t)
    return tangents


def _memory_tangent(op: Any, left: Any, tangents: Sequence[Any], flats: dict[int, Any], row: int) -> Any:
    if op.name == "memory":
        start = tangents[left[0]] if op.active[0] else 0.0
        flats[row] = np.reshape(_spread(start, op.owner_shape), -1).copy()
        return 0.0
    if op.name == "look":
        seen = flats[left[0]][op.places]
        return seen.copy() if isinstance(seen, np.ndarray) and seen.shape else seen
    t = tangents[left[2]] if op.active[0] else 0.0
    flats[left[0]][op.places] = t
    return t


def _tangent(writer: Writer, op: Any, left: Any, right: Any, values: Sequence[Any], tangents: Sequence[Any]) -> Any:
    marked = op._marked(left, right)
    if not op.array or hasattr(op, "pull_carefully"):
        z = values[len(tangents)]
        total: Any = 0.0
        for k, factors in _partials(writer, op, marked, values, z):
            total = _plus(total, _product(writer, factors, tangents[marked[k][0]], np.shape(z)))
        return total
    full = [t if _absent(t) or v is None else _like(t, v) for t, v in zip(tangents, values, strict=False)]
    z = values[len(tangents)]
    if hasattr(op, "inner"):
        start = {s: full[i] for i, s in zip(left, op.seeds, strict=True)}
        inner = _tangents(writer, op.inner, writer.inner[id(op)], start, lambda _: None)
        results = tuple(0.0 if row is None else inner[row] for row, _ in op.outputs)
        return results if op.several else results[0]
    if hasattr(op, "masks"):
        moved = np.full(np.shape(z), 0.0, object) if np.shape(z) else np.full((1,), 0.0, object)
        for i, (mask, places) in zip(left, op.masks, strict=True):
            flat = np.reshape(_spread(full[i], np.shape(values[i])), -1)
            moved.reshape(-1)[np.flatnonzero(mask)] = flat[places]
        return moved if np.shape(z) else moved[0]
    try:
        return op.push([_objects(t) for t in full], left, right, [_objects(x) for x in values], z)
    except NoProgram:
        raise
    except Exception:
        raise NoProgram(f"the tangent of {op.name} of arrays has no program in JavaScript") from None


def _partials(writer: Writer, op: Any, marked: Any, values: Sequence[Any], z: Any) -> list[tuple[int, Any]]:
    """(position, the partial of each entry) for each active operand."""
    operands = [values[i] if on else i for i, on in marked]
    marks, shape = [on for _, on in marked], np.shape(z)
    rule: Rule = rule_of(op)
    if not shape:
        return [(k, [partial]) for k, partial in scalar_partials(writer, rule, operands, marks, z)]
    spread = [_spread(x, shape) for x in operands]
    found: dict[int, list[Any]] = {k: [] for k, _ in rule.live_partials(tuple(marks))}
    for position in np.ndindex(shape):
        for k, partial in scalar_partials(writer, rule, [x[position] for x in spread], marks, z[position]):
            found[k].append(partial)
    return list(found.items())


def _local_partials(writer: Writer, tape: Columns, values: Sequence[Any], row: int) -> list[Any] | None:
    """The local partials of a row as the table shows them: an entry for each active operand, or an array of entries."""
    op, z, writer.row = tape.ops[row], values[row], row
    if op.rule is None or op.memory or (op.array and not hasattr(op, "pull_carefully")):
        return None
    shown: list[Any] = []
    partials = _partials(writer, op, op._marked(tape.left[row], tape.right[row]), values, z)
    for (_, factors), recorded in zip(partials, tape.partials(row), strict=True):
        found = np.empty(len(factors), object)
        if not factors:  # of an empty array
            shown.append(found)
            continue
        found[:] = [Entry(writer, writer.block.atom(limit_of(writer, p), row), p.value) for p in factors]
        found, shape = found.reshape(np.shape(z)), np.shape(recorded)  # which is spread over the entries of the value
        shown.append(found[(0,) * (found.ndim - len(shape)) + tuple(slice(n) for n in shape)])
    return shown


def _product(writer: Writer, factors: Sequence[Any], g: Any, shape: tuple[int, ...]) -> Any:
    """partial * g, entry by entry."""
    if _absent(g):
        return 0.0
    if not shape:
        return times_partial(writer, factors[0], _entry(writer, g))
    spread, made = _spread(g, shape), np.empty(shape, object)
    for factor, position in zip(factors, np.ndindex(shape), strict=True):
        x = spread[position]
        made[position] = 0.0 if _absent(x) else times_partial(writer, factor, _entry(writer, x))
    return made


class _Adjoints(dict[int, Any]):
    """The adjoints of the rows, as the engine's own functions add to them."""

    def __missing__(self, row: int) -> Any:
        return 0.0

    def add(self, row: int, c: Any) -> None:
        self[row] = _plus(self[row], c)

    def put(self, row: int, c: Any, like: Any) -> None:
        if not _absent(c):
            self.add(row, reduced(_spread(c, np.shape(c)), like) if np.shape(c) else c)

    def room(self, shape: tuple[int, ...]) -> None:
        """Nothing is written over."""


def _adjoints(writer: Writer, tape: Columns, values: Sequence[Any], ends: Mapping[int, Any], label: Label) -> _Adjoints:
    adjoints = _Adjoints(ends)
    for row in range(max(ends, default=-1), -1, -1):
        op, left, right = tape.ops[row], tape.left[row], tape.right[row]
        writer.row = row if label(0) is not None else writer.row
        if op.memory:
            _pull_memory(adjoints, op, row, left, values)
            continue
        g = adjoints[row]
        if _absent(g) or (op.rule is None and op is not INPUT):
            continue
        if not isinstance(g, tuple):
            g = adjoints[row] = _named(writer, g, label(row), "tangent")
        if op is not INPUT:
            with np.errstate(all="ignore"):
                _pull(writer, op, left, right, values, adjoints, g, values[row])
    return adjoints


def _pull_memory(adjoints: _Adjoints, op: Any, row: int, left: Any, values: Sequence[Any]) -> None:
    if op.name == "memory":
        if op.active[0] and not _absent(adjoints[row]):
            adjoints.add(left[0], np.reshape(adjoints[row], np.shape(values[left[0]])))
        return
    flat = adjoints[left[0]]
    if op.name == "look":
        if not _absent(adjoints[row]):
            adjoints.add(left[0], _scattered(op.size, op.places, adjoints[row]))
    elif not _absent(flat):
        flat = flat.copy()
        g = flat[op.places]
        if op.last is not None:
            g = np.where(op.last, g, 0.0)
        flat[op.places] = 0.0
        adjoints[left[0]], adjoints[row] = flat, _of_written(g, values[row])
        if op.active[0]:
            adjoints.put(left[2], g, values[left[2]])


def _of_written(g: Any, value: Any) -> Any:
    """The adjoint of what was written, in its own shape."""
    if np.ndim(value) > np.ndim(g):
        g = np.reshape(g, (1,) * (np.ndim(value) - np.ndim(g)) + np.shape(g))
    return reduced(_spread(g, np.shape(g)), value) if np.shape(g) else g


def _scattered(shape: Any, places: Any, g: Any) -> Any:
    """Zeros but for the entries of g at these flat places, added up."""
    made = np.full(shape, 0.0, object)
    for place, x in zip(np.asarray(places).flat, _spread(g, np.shape(places)).flat, strict=True):
        made.flat[place] = _plus(made.flat[place], x)
    return made


def _pull(
    writer: Writer, op: Any, left: Any, right: Any, values: Sequence[Any], adjoints: _Adjoints, g: Any, z: Any
) -> None:
    marked = op._marked(left, right)
    if not op.array or hasattr(op, "pull_carefully"):
        for k, factors in _partials(writer, op, marked, values, z):
            adjoints.put(marked[k][0], _product(writer, factors, g, np.shape(z)), values[marked[k][0]])
    elif hasattr(op, "inner"):
        parts = g if isinstance(g, tuple) else (g,)
        start = _Adjoints()
        for (row, _), part in zip(op.outputs, parts, strict=True):
            if row is not None and part is not None:
                start.add(row, part)
        inner = _adjoints(writer, op.inner, writer.inner[id(op)], start, lambda _: None)
        for i, seed in zip(left, op.seeds, strict=True):
            adjoints.put(i, inner[seed], values[i])
    elif op.name in ("item", "entries"):
        shape = np.shape(values[left[0]])
        places = np.arange(int(np.prod(shape))).reshape(shape)[next(iter(op.options.values()))]
        adjoints.add(left[0], _scattered(shape, places, g))
    elif hasattr(op, "masks"):
        for i, (mask, places) in zip(left, op.masks, strict=True):
            shape = np.shape(values[i])
            flat = np.reshape(_spread(g, np.shape(z)), -1)[np.flatnonzero(mask)]
            moved = _scattered(shape or (1,), places, flat)
            adjoints.add(i, moved if shape else moved[0])
    else:
        try:
            op.pull(adjoints, g, left, right, [_objects(x) for x in values], z)
        except NoProgram:
            raise
        except Exception:
            raise NoProgram(f"the adjoint of {op.name} of arrays has no program in JavaScript") from None
