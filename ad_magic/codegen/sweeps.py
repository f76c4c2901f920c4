"""The sweeps over a recorded run, written as statements: tangents with the program, adjoints against it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from ad_magic.engine.arrays.adjoints import absent, reduced
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns
from ad_magic.rules.arrays.frozen import np

from . import own_functions
from .expressions import is_zero, name, parse, simplified
from .partials import entry_times, rule_of, scalar_partials, times_partial
from .program import INTO
from .symbols import Spread, Symbol, Writer, bare, index_tree, tree, written_beside
from .values import Values, picked, scattered, simplest, symbol_of, written

# ---- forward -------------------------------------------------------------------------------------


Tangents = list[Any]  # the tangent of each row along one direction; 0.0 where there is none


def write_tangents(
    writer: Writer, tape: Columns, values: Values, seeds: Mapping[int, Any], names: Mapping[int, str],
) -> Tangents:  # fmt: skip
    """Statements for the tangents of the rows along a direction; `seeds` gives those of the inputs."""
    tangents: Tangents = []
    flats: dict[int, Any] = {}
    for row, (op, left, right) in enumerate(zip(tape.ops, tape.left, tape.right, strict=True)):
        writer.row = row if names else writer.row
        if op is INPUT:
            tangents.append(seeds.get(row, 0.0))
        elif op.memory:
            tangents.append(_memory_tangent(writer, op, left, tangents, flats, row))
        elif values[row] is None or op.rule is None or all(absent(tangents[p]) for p in op.parents(left, right)):
            tangents.append(0.0)
        else:
            with np.errstate(all="ignore"):
                t = _tangent(writer, op, left, right, values, tangents, row)
            tangents.append(_named(writer, t, names.get(row)))
    return tangents


def _named(writer: Writer, t: Any, label: str | None) -> Any:
    if label is None or isinstance(t, tuple) or absent(t):
        return t
    t = symbol_of(writer, t)
    expression = writer.block.named(label, t.expression, writer.row, "tangent")
    return Symbol(writer, expression, t.value)


def _tangent(writer: Writer, op: Any, left: Any, right: Any, values: Values, tangents: Tangents, row: int) -> Any:
    z, op = values[row], writer.known(op)
    marked = op._marked(left, right)
    if not op.array:
        operands = [values[i] if on else i for i, on in marked]
        terms = [
            times_partial(writer, partial, symbol_of(writer, tangents[marked[k][0]]))
            for k, partial in scalar_partials(writer, rule_of(op), operands, [on for _, on in marked], z)
            if not absent(tangents[marked[k][0]])
        ]
        return _sum(terms)
    if hasattr(op, "pull_carefully"):
        operands = [values[i] if on else i for i, on in marked]
        terms = [
            entry_times(writer, rule_of(op), operands, z, factor, tangents[marked[k][0]], backward=False)
            for k, factor in rule_of(op).live_partials(op.active, op.is_complex)
            if not absent(tangents[marked[k][0]])
        ]
        return _spread(_sum([term for term in terms if not absent(term)]), z)
    if hasattr(op, "inner"):
        along = {s: _spread(tangents[i], values[i]) for i, s in zip(left, op.seeds, strict=True)}
        inner = write_tangents(writer, op.inner, writer.inner[row_key(writer, op)], along, {})
        results = tuple(0.0 if r is None else inner[r] for r, _ in op.outputs)
        return results if op.several else results[0]
    if hasattr(op, "masks"):
        return _moved(writer, op, left, values, tangents, z)
    if op.name == "scattered":
        return scattered(writer, op.options["size"], op.options["places"], tangents[left[0]])
    if op.name == "placed":
        content, value = (tangents[i] if on else 0.0 for i, on in zip(left, op.active, strict=True))
        content = np.zeros(np.shape(bare(z))) if absent(content) else content
        return writer.helper("written", written, content, simplest(op.options["places"]), value)
    if hasattr(op, "pair"):
        return own_functions.push(writer, op, tangents, left, right, values, z)
    return op.push(tangents, left, right, values, z)


def row_key(writer: Writer, op: Any) -> Any:
    """Under which the values inside a composed row are known."""
    return next(key for key in writer.inner if key[1] == id(op))


def _sum(terms: Sequence[Any]) -> Any:
    if not terms:
        return 0.0
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _spread(t: Any, z: Any) -> Any:
    return t if absent(t) or np.shape(bare(t)) == np.shape(bare(z)) else np.broadcast_to(t, np.shape(bare(z)))


def _moved(writer: Writer, op: Any, left: Any, values: Values, tangents: Tangents, z: Any) -> Any:
    """The tangent of a move: the tangents are moved as the entries are."""
    if sum(int(mask.sum()) for mask, _ in op.masks) == np.size(bare(z)):
        zeros = [np.zeros(np.shape(bare(values[i]))) for i in left]
        along = [tangents[i] for i in left]
        return op.value(*(o if absent(t) else _spread(t, o) for t, o in zip(along, zeros, strict=True)))
    total: Any = 0.0
    for i, (mask, places) in zip(left, op.masks, strict=True):
        if not absent(tangents[i]):
            flat = np.reshape(_spread(tangents[i], values[i]), -1)
            term = scattered(writer, np.shape(bare(z)), np.flatnonzero(mask), picked(flat, places))
            total = term if absent(total) else total + term
    return total


def _memory_tangent(writer: Writer, op: Any, left: Any, tangents: Tangents, flats: dict[int, Any], row: int) -> Any:
    if op.name == "memory":
        start = tangents[left[0]] if op.active[0] else 0.0
        flats[row] = symbol_of(writer, np.zeros(op.size)) if absent(start) else np.reshape(start, -1)
        return 0.0
    if op.name == "look":
        return picked(flats[left[0]], op.places)
    t = tangents[left[2]] if op.active[0] else 0.0
    flats[left[0]] = writer.helper("written", written, flats[left[0]], simplest(op.places), t)
    return t


# ---- reverse -------------------------------------------------------------------------------------


class Adjoints:
    """The adjoint of each row, written down as it is accumulated; 0.0 where there is none."""

    def __init__(self, writer: Writer, names: Mapping[int, str]) -> None:
        self.writer, self.names = writer, names
        self.found: dict[int, Any] = {}
        self._versions: dict[int, int] = {}
        self._own: set[int] = set()  # arrays that nothing else is an alias of

    def __getitem__(self, row: int) -> Any:
        return self.found.get(row, 0.0)

    def put(self, row: int, c: Any, like: Any) -> None:
        """adjoint of the row += c, summed over the axes along which `like`, its value, was broadcast."""
        self.add(row, reduced(c, like))

    def room(self, shape: tuple[int, ...]) -> None:
        """Nothing is written over in a program."""

    def __setitem__(self, row: int, g: Any) -> None:
        self.found[row] = g

    def add(self, row: int, c: Any) -> None:
        """adjoint of the row += c"""
        if absent(c):
            return
        c = symbol_of(self.writer, c)
        if not isinstance(c, Spread) and is_zero(c.expression):
            return
        old = self[row]
        if not absent(old):
            c = Symbol(
                self.writer,
                ast.BinOp(old.expression, ast.Add(), written_beside(c, old, self.writer)),
                old.value + c.value,
            )
            self._own.add(row)
        elif isinstance(c, Spread) and row in self.names:
            self._assign(row, c.few, c.value)
            self.found[row] = Spread(self.writer, self.found[row].expression, c.value)
            return
        if row in self.names:
            self._assign(row, simplified(c.expression), c.value)
        else:
            self.found[row] = Symbol(self.writer, self.writer.block.atom(c.expression, self.writer.row), c.value)

    def _assign(self, row: int, expression: ast.expr, value: Any) -> None:
        self._versions[row] = version = self._versions.get(row, 0) + 1
        target = f"{self.names[row]}_bar" + (f".{version}" if version > 1 else "")
        found = self.writer.block.assign(target, expression, self.writer.row, "adjoint")
        self.found[row] = Symbol(self.writer, found, value)

    def into(self, row: int, index: Any, g: Symbol, like: Any) -> None:
        """adjoint of the row [index] += g, in place."""
        old, shape = self[row], np.shape(bare(like))
        if row not in self.names:
            self.add(row, scattered(self.writer, shape, np.arange(int(np.prod(shape))).reshape(shape)[index], g))
            return
        if absent(old):
            kind = [ast.Constant("complex")] if np.iscomplexobj(g.value) else []
            zeros = ast.Call(parse("np.zeros"), [tree(shape, self.writer), *kind], [])
            self._assign(row, zeros, np.zeros(shape, complex if kind else float))
        elif row not in self._own:
            self._assign(row, ast.Call(parse("np.array"), [old.expression], []), np.array(old.value))
        self._own.add(row)
        old = self[row]
        value = np.array(old.value, dtype=np.result_type(old.value, g.value))
        np.add.at(value, index, g.value)
        call = ast.Call(name(INTO), [old.expression, index_tree(index, self.writer), g.expression], [])
        self._assign(row, call, value)


def write_adjoints(
    writer: Writer, tape: Columns, values: Values, seeds: Mapping[int, Any], names: Mapping[int, str]
) -> Adjoints:
    """Statements for the adjoints of the rows, from the outputs back; `seeds` gives those of the outputs."""
    adjoints = Adjoints(writer, names)
    for row, g in seeds.items():
        writer.row = row if names else writer.row
        adjoints[row] = g
    for row in range(max(seeds, default=-1), -1, -1):
        op = tape.ops[row]
        writer.row = row if names else writer.row
        left, right = tape.left[row], tape.right[row]
        if op.memory:
            _pull_memory(writer, adjoints, op, row, left, values)
            continue
        g = adjoints[row]
        if op.rule is None or absent(g) or values[row] is None:
            continue
        with np.errstate(all="ignore"):
            _pull(writer, op, left, right, values, adjoints, row, g)
    return adjoints


def _pull(writer: Writer, op: Any, left: Any, right: Any, values: Values, adjoints: Adjoints, row: int, g: Any) -> None:
    z, op = values[row], writer.known(op)
    marked = op._marked(left, right)
    if not op.array:
        operands = [values[i] if on else i for i, on in marked]
        g = symbol_of(writer, g)
        for k, partial in scalar_partials(writer, rule_of(op), operands, [on for _, on in marked], z):
            adjoints.add(marked[k][0], times_partial(writer, partial, g))
    elif hasattr(op, "pull_carefully"):
        operands = [values[i] if on else i for i, on in marked]
        for k, factor in rule_of(op).live_partials(op.active, op.is_complex):
            term = entry_times(writer, rule_of(op), operands, z, factor, g, backward=True)
            adjoints.put(marked[k][0], term, operands[k])
    elif hasattr(op, "inner"):
        parts = g if isinstance(g, tuple) else (g,)
        start: dict[int, Any] = {}
        for (r, _), part in zip(op.outputs, parts, strict=True):
            if r is not None and part is not None:
                start[r] = start[r] + part if r in start else part
        inner = write_adjoints(writer, op.inner, writer.inner[row_key(writer, op)], start, {})
        for i, seed in zip(left, op.seeds, strict=True):
            if not absent(inner[seed]):
                adjoints.add(i, reduced(inner[seed], values[i]))
    elif hasattr(op, "masks"):
        _pull_move(writer, op, left, values, adjoints, g)
    elif op.name == "scattered":
        adjoints.add(left[0], picked(np.reshape(g, -1), op.options["places"]))
    elif op.name == "placed":
        _pull_placed(writer, op, left, values, adjoints, g)
    elif op.name in ("item", "entries"):
        _pull_item(writer, op, left, values, adjoints, g)
    elif hasattr(op, "pair"):
        own_functions.pull(writer, adjoints, op, g, left, right, values, z)
    else:
        op.pull(adjoints, g, left, right, values, z)


def _pull_item(writer: Writer, op: Any, left: Any, values: Values, adjoints: Adjoints, g: Any) -> None:
    (i,) = left
    adjoints.into(i, next(iter(op.options.values())), symbol_of(writer, g), values[i])


def _pull_placed(writer: Writer, op: Any, left: Any, values: Values, adjoints: Adjoints, g: Any) -> None:
    places, last = op.options["places"], op.options["last"]
    if op.active[0]:
        adjoints.add(left[0], writer.helper("written", written, g, simplest(places), 0.0))
    if op.active[1]:
        c = picked(g, places)
        adjoints.add(left[1], reduced(c if last is None else np.where(last, c, 0.0), values[left[1]]))


def _pull_move(writer: Writer, op: Any, left: Any, values: Values, adjoints: Adjoints, g: Any) -> None:
    for i, (mask, places) in zip(left, op.masks, strict=True):
        shape = np.shape(bare(values[i]))
        size = int(np.prod(shape))
        picks = np.flatnonzero(mask)
        flat = np.reshape(g, -1)
        if picks.size == size and np.array_equal(np.sort(places), np.arange(size)):  # each entry went to one place
            adjoints.add(i, np.reshape(picked(flat, picks[np.argsort(places)]), shape))
        else:
            adjoints.add(i, scattered(writer, shape, places, picked(flat, picks)))


def _pull_memory(writer: Writer, adjoints: Adjoints, op: Any, row: int, left: Any, values: Values) -> None:
    if op.name == "memory":
        g = adjoints[row]
        if op.active[0] and not absent(g):
            adjoints.add(left[0], np.reshape(g, np.shape(bare(values[left[0]]))))
        return
    flat = adjoints[left[0]]
    if op.name == "look":
        g = adjoints[row]
        if not absent(g):
            c = (
                np.reshape(g, -1)
                if op.places.size == op.size and np.array_equal(op.places.ravel(), np.arange(op.size))
                else scattered(writer, (op.size,), op.places, g)
            )
            adjoints[left[0]] = c if absent(flat) else flat + c
        return
    if absent(flat):
        return
    g = picked(flat, op.places)
    if op.last is not None:
        g = np.where(op.last, g, 0.0)
    adjoints[left[0]] = writer.helper("written", written, flat, simplest(op.places), 0.0)
    if op.active[0]:
        value = values[left[2]]
        shape = np.shape(bare(value))
        if len(shape) > g.ndim:
            g = np.reshape(g, (1,) * (len(shape) - g.ndim) + g.shape)
        adjoints.add(left[2], reduced(g, value))
