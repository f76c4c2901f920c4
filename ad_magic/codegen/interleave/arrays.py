"""Arrays: their tangent is an array of the same shape beside them. One direction in a run; `derivative` runs them all.

Shapes are followed through the source, from those of the inputs: where one is not known, or a part of a sum that does
not move is larger, the tangent is made as large as the value by adding zeros.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ad_magic.codegen.expressions import constant, name, text, total

from .layout import TANGENT, Line
from .sorts import BOTTOM, INT, UNKNOWN, Sort, array, join, number, part_of_array
from .statements import Statements
from .values import Value, Z, call, names_of, simple

_LINEAR_ATTRIBUTES = {"T", "real"}
_PLAIN_ATTRIBUTES = {"shape": True, "size": True, "ndim": True, "dtype": False, "itemsize": True, "nbytes": True}


class Arrays(Statements):
    """Operators, indexing and attributes of arrays; the driver of all directions."""

    # ---- shapes ----

    def shape_of(self, sort: Sort) -> tuple[int, ...] | None:
        """The shape of a value, () for a number; None where it is not known."""
        if sort.only("number", "int"):
            return ()
        return sort.shape if sort.only("array") else None

    def made(self, node: ast.AST, shape: tuple[int, ...] | None, seeds: Sequence[str], whole: bool = False) -> Sort:
        """What an operation makes: an array of its own, or a number."""
        if shape == ():
            return INT if whole and not seeds else number(seeds)
        site = self.site(node)
        at = self.heap.at(site)
        if not at.seeds.issuperset(seeds) or (whole and not at.whole):
            at.seeds |= set(seeds)
            at.whole |= whole
            self.heap.changed = True
        sort = array(site, shape)
        return sort if shape is not None else join(sort, number(seeds))

    def broadcast(self, shapes: Sequence[tuple[int, ...] | None]) -> tuple[int, ...] | None:
        """The shape that arrays have together; None where it is not known."""
        if None in shapes:
            return None
        import numpy as np

        try:
            return np.broadcast_shapes(*[s for s in shapes if s is not None])
        except ValueError:
            return None

    def as_array(self, value: Value, args: Sequence[Value], node: ast.AST) -> Value:
        """The result of an operation by entry, whose tangents have its shape."""
        if value.sort.bottom:
            return value
        shapes = [self.shape_of(a.sort) for a in args]
        shape = self.broadcast(shapes)
        whole = not value.tangents and all(self.is_whole(a.sort) for a in args)
        sort = self.made(node, shape, list(value.tangents), whole)
        tangents = {s: self.as_large(t, s, args, shape) for s, t in value.tangents.items()}
        return self.completed(Value(value.primal, tangents, sort))

    def as_large(self, t: ast.expr, seed: str, args: Sequence[Value], shape: tuple[int, ...] | None) -> ast.expr:
        """A tangent that is as large as the value."""
        moving = [self.shape_of(a.sort) for a in args if seed in a.tangents]
        still = [a for a in args if seed not in a.tangents and self.shape_of(a.sort) != ()]
        parts = {ast.dump(n) for n in ast.walk(t)}  # what stands in the tangent too makes it large
        large = all(ast.dump(a.primal) in parts for a in still) or Z in names_of(t)
        large = large or (shape is not None and self.broadcast(moving) == shape)
        return t if large else ast.BinOp(t, ast.Add(), call(f"{self.names.numpy()}.zeros_like", name(Z)))

    def completed(self, value: Value) -> Value:
        """With tangents of zeros along the seeds that the array gets elsewhere, when it is written to."""
        missing = [s for s in self.seeds(value.sort) if s not in value.tangents]
        if not missing or not value.sort.may("array"):
            return value
        zeros = call(f"{self.names.numpy()}.zeros_like", name(Z))
        return replace(value, tangents={**value.tangents, **dict.fromkeys(missing, zeros)})

    def is_whole(self, sort: Sort) -> bool:
        """Whether it may be of integers."""
        if sort.only("int"):
            return True
        return sort.may("array") and any(self.heap.at(s).whole for s in sort.sites)

    # ---- operators ----

    def product_of_arrays(self, node: ast.BinOp, left: Value, right: Value) -> Value:
        primal = ast.BinOp(left.primal, ast.MatMult(), right.primal)
        return self.bilinear(primal, left, right, node, lambda a, b: ast.BinOp(a, ast.MatMult(), b))

    def bilinear(self, primal: ast.expr, left: Value, right: Value, node: ast.AST, of: Any) -> Value:
        """What is linear in each of two operands."""
        if left.sort.bottom or right.sort.bottom:
            return Value(primal, {}, BOTTOM)
        tangents: dict[str, ast.expr] = {}
        for s in self.suffixes:
            terms = []
            if s in left.tangents:
                terms.append(of(left.tangents[s], right.primal))
            if s in right.tangents:
                terms.append(of(left.primal, right.tangents[s]))
            if terms:
                tangents[s] = total(terms)
        shape = self.shape_by(primal, {"a": left.sort, "b": right.sort}, of(name("a"), name("b")))
        whole = not tangents and self.is_whole(left.sort) and self.is_whole(right.sort)
        return self.completed(Value(primal, tangents, self.made(node, shape, list(tangents), whole)))

    def shape_by(self, primal: ast.expr, sorts: dict[str, Sort], node: ast.expr) -> tuple[int, ...] | None:
        """The shape that an expression in arrays of known shapes has: NumPy is asked, with zeros."""
        import numpy as np

        values: dict[str, Any] = {self.names.numpy(): np, "np": np}
        for variable, sort in sorts.items():
            shape = self.shape_of(sort)
            if shape is None or np.prod(shape) > 1e6:
                return None
            values[variable] = np.ones(shape) if shape else 1.0
        try:
            with np.errstate(all="ignore"):
                code = compile(ast.fix_missing_locations(ast.Expression(node)), "<shape>", "eval")
                return np.shape(eval(code, values))
        except Exception:  # what it depends on is known only when the program runs
            return None

    # ---- entries and attributes ----

    def entry_of_array(self, sort: Sort, index: ast.expr) -> Sort:
        seeds = self.heap.seeds(sort)
        if not sort.only("array"):
            return join(Sort(frozenset({"array"}), sites=sort.sites), join(number(seeds), self.parts(sort)))
        if sort.shape is not None:
            names = {n.id for n in ast.walk(index) if isinstance(n, ast.Name)}
            whole = {n: self.quick(name(n)) for n in names if n not in self.hidden}
            if all(s.only("int") for s in whole.values()):
                ints = {n: Sort(frozenset({"int"})) for n in whole}
                shape = self._indexed(sort, index, ints)
                if shape is not None:
                    return number(seeds) if shape == () else Sort(frozenset({"array"}), sites=sort.sites, shape=shape)
        if isinstance(index, (ast.Slice, ast.List, ast.Compare)) or self._has_slice(index):
            return Sort(frozenset({"array"}), sites=sort.sites)
        if constant(index) is not None or self.quick(index).only("int"):
            return part_of_array(sort, seeds)
        return join(Sort(frozenset({"array"}), sites=sort.sites), number(seeds))

    def parts(self, sort: Sort) -> Sort:
        """The elements of the lists that it may be."""
        others = Sort(sort.kinds - {"array"}, sites=sort.sites, items=sort.items)
        return self.heap.element(others) if others.may("list", "tuple", "dict") else BOTTOM

    def _indexed(self, sort: Sort, index: ast.expr, ints: dict[str, Sort]) -> tuple[int, ...] | None:
        import numpy as np

        values: dict[str, Any] = dict.fromkeys(ints, 0) | {"np": np, self.np_name(): np}
        assert sort.shape is not None
        if any(isinstance(n, ast.Slice) and any(isinstance(m, ast.Name) for m in ast.walk(n)) for n in ast.walk(index)):
            return None  # how long it is depends on a variable
        try:
            place = ast.fix_missing_locations(ast.Expression(ast.Subscript(name("__a__"), index, ast.Load())))
            values["__a__"] = np.empty(sort.shape)
            return np.shape(eval(compile(place, "<shape>", "eval"), values))
        except Exception:  # what it depends on is known only when the program runs
            return None

    @staticmethod
    def _has_slice(index: ast.expr) -> bool:
        return isinstance(index, ast.Tuple) and any(
            isinstance(e, ast.Slice) or (isinstance(e, ast.Constant) and e.value in (None, ...)) for e in index.elts
        )

    def attribute_of_array(self, node: ast.Attribute, value: Value) -> Value:
        primal = ast.Attribute(value.primal, node.attr, ast.Load())
        if node.attr in _PLAIN_ATTRIBUTES:
            if node.attr == "shape" and self.shape_of(value.sort) is not None:
                count = len(self.shape_of(value.sort) or ())
                return Value(primal, {}, Sort(frozenset({"tuple"}), items=(INT,) * count))
            return Value(primal, {}, INT if _PLAIN_ATTRIBUTES[node.attr] else UNKNOWN)
        if node.attr in _LINEAR_ATTRIBUTES:
            value = value if simple(value.primal) or not value.tangents else self.atom(value)
            shape = self.shape_of(value.sort)
            sort = value.sort if shape is None or node.attr == "real" else replace(value.sort, shape=shape[::-1])
            return Value(
                ast.Attribute(value.primal, node.attr, ast.Load()),
                {s: ast.Attribute(t, node.attr, ast.Load()) for s, t in value.tangents.items()},
                sort,
            )
        if not value.tangents:
            return Value(primal, {}, UNKNOWN)
        return self.refuse(f"the attribute .{node.attr} of an array with a derivative cannot be interleaved", node)

    # ---- all directions ----

    def driver(self, start: list[Line], body: list[Line], results: dict[str, Value]) -> list[Line]:
        """`tangent`, one direction, and `derivative`, which runs it for each entry of each input."""
        np = self.names.numpy()
        asked = [n for n in self.inputs if n in self.seeds_asked]
        parameters = [p for n in self.inputs for p in ((n, self.dot(n, "")) if n in asked else (n,))]
        values = [text(v.primal) for v in results.values()]
        slopes = [text(self.tangent(v, "")).replace(Z, text(v.primal)) for v in results.values()]
        one = len(results) == 1
        returned = f"{values[0]}, {slopes[0]}" if one else f"({', '.join(values)}), ({', '.join(slopes)})"
        head = f"def {self.tangent_name}({', '.join(parameters)}):"
        what = f'"""The value along one direction: {", ".join(self.dot(n, "") for n in asked)}."""'
        run = [Line(head, body=[Line(what), *start, *body, Line(f"return {returned}")])]
        lines = [Line('"""The value and its derivatives: a run for each direction, in which one entry moves."""')]
        shapes = {n: getattr(v, "shape", ()) for n, v in self.inputs.items()}
        lines += [
            Line(f"{n} = {np}.array({n}, dtype=float).reshape({_shape(shape)})") for n, shape in shapes.items() if shape
        ]
        for n in asked:
            given = []
            for m in self.inputs:
                given.append(f"{m}.copy()" if shapes[m] and self.names.writes else m)
                if m not in asked:
                    continue
                if m != n:
                    given.append(f"{np}.zeros({_shape(shapes[m])})" if shapes[m] else "0.0")
                else:
                    given.append("e" if shapes[m] else "1.0")
            called = f"{self.tangent_name}({', '.join(given)})"
            if not shapes[n]:
                lines.append(Line(f"along_{n} = {called}", TANGENT))
                continue
            size = 1
            for k in shapes[n]:
                size *= k
            unit = f"{np}.eye({size})" + (f".reshape({_shape((size, *shapes[n]))})" if len(shapes[n]) > 1 else "")
            lines.append(Line(f"along_{n} = [{called} for e in {unit}]", TANGENT))
        first = asked[0]
        lines.append(Line(f"value = along_{first}{'[0]' if shapes[first] else ''}[0]"))
        entries = []
        for k, output in enumerate(results):
            which = "" if one else f"[{k}]"
            parts = []
            for n in asked:
                if not shapes[n]:
                    parts.append(f'"{n}": along_{n}[1]{which}')
                    continue
                value = "value" if one else f"value[{k}]"
                made = f"{np}.stack([d{which} for _, d in along_{n}], axis=-1)"
                flat = self.shape_of(list(results.values())[k].sort)
                if flat == ():
                    made += f".reshape({_shape(shapes[n])})" if len(shapes[n]) > 1 else ""
                elif len(shapes[n]) > 1:
                    made += f".reshape({np}.shape({value}) + {_shape(shapes[n], True)})"
                parts.append(f'"{n}": {made}')
            entries.append((output, "{" + ", ".join(parts) + "}"))
        if one:
            lines.append(Line(f"return value, {entries[0][1]}"))
        else:
            plain = ", ".join(f'"{o}": value[{k}]' for k, o in enumerate(results))
            lines.append(
                Line(f"return {{{plain}}}, {{{', '.join(f'{chr(34)}{o}{chr(34)}: {e}' for o, e in entries)}}}")
            )
        return [*run, Line("#gap"), Line(f"def derivative({', '.join(self.inputs)}):", body=lines)]

    tangent_name = "tangent"
    inputs: dict[str, Any]
    seeds_asked: list[str]


def _shape(shape: tuple[int, ...], whole: bool = False) -> str:
    """A shape as it is written: 3, or 2, 3."""
    inner = ", ".join(map(str, shape))
    return f"({inner}{',' if len(shape) == 1 else ''})" if whole else inner if len(shape) == 1 else f"({inner})"
