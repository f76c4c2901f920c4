"""The sweeps of a run number by number: tangents, adjoints, and the local partials of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ad_magic.engine.arrays.adjoints import absent, reduced
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns
from ad_magic.rules import Rule
from ad_magic.rules.arrays.frozen import np

from .entry_numbers import Label, as_entry, like, named, objects, plus, spread
from .partials import limit_of, rule_of, scalar_partials, times_partial
from .symbols import Entry, NoProgram, Writer


def tangents_of(
    writer: Writer, tape: Columns, values: Sequence[Any], seeds: Mapping[int, Any], label: Label
) -> list[Any]:
    """The tangents of the rows along a direction; `seeds` gives those of the inputs. Those with a label get a name."""
    tangents: list[Any] = []
    flats: dict[int, Any] = {}
    for row, (op, left, right) in enumerate(zip(tape.ops, tape.left, tape.right, strict=True)):
        writer.row = row if label(0) is not None else writer.row
        t: Any = 0.0
        if op is INPUT:
            t = seeds.get(row, 0.0)
        elif op.memory:
            t = _memory_tangent(op, left, tangents, flats, row)
        elif op.rule is not None and not all(absent(tangents[p]) for p in op.parents(left, right)):
            with np.errstate(all="ignore"):
                t = _tangent(writer, op, left, right, values, tangents)
            t = t if absent(t) else named(writer, t, label(row), "tangent")
        tangents.append(t)
    return tangents


def _memory_tangent(op: Any, left: Any, tangents: Sequence[Any], flats: dict[int, Any], row: int) -> Any:
    if op.name == "memory":
        start = tangents[left[0]] if op.active[0] else 0.0
        flats[row] = np.reshape(spread(start, op.owner_shape), -1).copy()
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
            total = plus(total, _product(writer, factors, tangents[marked[k][0]], np.shape(z)))
        return total
    op = writer.known(op)
    full = [t if absent(t) or v is None else like(t, v) for t, v in zip(tangents, values, strict=False)]
    z = values[len(tangents)]
    if hasattr(op, "inner"):
        start = {s: full[i] for i, s in zip(left, op.seeds, strict=True)}
        inner = tangents_of(writer, op.inner, writer.inner[id(op)], start, lambda _: None)
        results = tuple(0.0 if row is None else inner[row] for row, _ in op.outputs)
        return results if op.several else results[0]
    if hasattr(op, "masks"):
        moved = np.full(np.shape(z), 0.0, object) if np.shape(z) else np.full((1,), 0.0, object)
        for i, (mask, places) in zip(left, op.masks, strict=True):
            flat = np.reshape(spread(full[i], np.shape(values[i])), -1)
            moved.reshape(-1)[np.flatnonzero(mask)] = flat[places]
        return moved if np.shape(z) else moved[0]
    try:
        return op.push([objects(t) for t in full], left, right, [objects(x) for x in values], z)
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
    full = [spread(x, shape) for x in operands]
    found: dict[int, list[Any]] = {k: [] for k, _ in rule.live_partials(tuple(marks))}
    for position in np.ndindex(shape):
        for k, partial in scalar_partials(writer, rule, [x[position] for x in full], marks, z[position]):
            found[k].append(partial)
    return list(found.items())


def local_partials_of(writer: Writer, tape: Columns, values: Sequence[Any], row: int) -> list[Any] | None:
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
    if absent(g):
        return 0.0
    if not shape:
        return times_partial(writer, factors[0], as_entry(writer, g))
    full, made = spread(g, shape), np.empty(shape, object)
    for factor, position in zip(factors, np.ndindex(shape), strict=True):
        x = full[position]
        made[position] = 0.0 if absent(x) else times_partial(writer, factor, as_entry(writer, x))
    return made


class _Adjoints(dict[int, Any]):
    """The adjoints of the rows, as the engine's own functions add to them."""

    def __missing__(self, row: int) -> Any:
        return 0.0

    def add(self, row: int, c: Any) -> None:
        self[row] = plus(self[row], c)

    def put(self, row: int, c: Any, value: Any) -> None:
        if not absent(c):
            self.add(row, reduced(spread(c, np.shape(c)), value) if np.shape(c) else c)

    def room(self, shape: tuple[int, ...]) -> None:
        """Nothing is written over."""


def adjoints_of(
    writer: Writer, tape: Columns, values: Sequence[Any], ends: Mapping[int, Any], label: Label
) -> _Adjoints:
    """The adjoints of the rows from those of the `ends`, swept back. Those with a label get a name."""
    adjoints = _Adjoints(ends)
    for row in range(max(ends, default=-1), -1, -1):
        op, left, right = tape.ops[row], tape.left[row], tape.right[row]
        writer.row = row if label(0) is not None else writer.row
        if op.memory:
            _pull_memory(adjoints, op, row, left, values)
            continue
        g = adjoints[row]
        if absent(g) or (op.rule is None and op is not INPUT):
            continue
        if not isinstance(g, tuple):
            g = adjoints[row] = named(writer, g, label(row), "tangent")
        if op is not INPUT:
            with np.errstate(all="ignore"):
                _pull(writer, op, left, right, values, adjoints, g, values[row])
    return adjoints


def _pull_memory(adjoints: _Adjoints, op: Any, row: int, left: Any, values: Sequence[Any]) -> None:
    if op.name == "memory":
        if op.active[0] and not absent(adjoints[row]):
            adjoints.add(left[0], np.reshape(adjoints[row], np.shape(values[left[0]])))
        return
    flat = adjoints[left[0]]
    if op.name == "look":
        if not absent(adjoints[row]):
            adjoints.add(left[0], _scattered(op.size, op.places, adjoints[row]))
    elif not absent(flat):
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
    return reduced(spread(g, np.shape(g)), value) if np.shape(g) else g


def _scattered(shape: Any, places: Any, g: Any) -> Any:
    """Zeros but for the entries of g at these flat places, added up."""
    made = np.full(shape, 0.0, object)
    for place, x in zip(np.asarray(places).flat, spread(g, np.shape(places)).flat, strict=True):
        made.flat[place] = plus(made.flat[place], x)
    return made


def _pull(
    writer: Writer, op: Any, left: Any, right: Any, values: Sequence[Any], adjoints: _Adjoints, g: Any, z: Any
) -> None:
    op = writer.known(op)
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
        inner = adjoints_of(writer, op.inner, writer.inner[id(op)], start, lambda _: None)
        for i, seed in zip(left, op.seeds, strict=True):
            adjoints.put(i, inner[seed], values[i])
    elif op.name in ("item", "entries"):
        shape = np.shape(values[left[0]])
        places = np.arange(int(np.prod(shape))).reshape(shape)[next(iter(op.options.values()))]
        adjoints.add(left[0], _scattered(shape, places, g))
    elif hasattr(op, "masks"):
        for i, (mask, places) in zip(left, op.masks, strict=True):
            shape = np.shape(values[i])
            flat = np.reshape(spread(g, np.shape(z)), -1)[np.flatnonzero(mask)]
            moved = _scattered(shape or (1,), places, flat)
            adjoints.add(i, moved if shape else moved[0])
    else:
        try:
            op.pull(adjoints, g, left, right, [objects(x) for x in values], z)
        except NoProgram:
            raise
        except Exception:
            raise NoProgram(f"the adjoint of {op.name} of arrays has no program in JavaScript") from None
