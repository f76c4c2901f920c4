"""Lists, tuples and dicts as they are written, their entries, and attributes."""

from __future__ import annotations

import ast

from ad_magic.codegen.expressions import constant, name, text

from .layout import PRIMAL
from .operators import Operators
from .sorts import (
    BOTTOM,
    UNKNOWN,
    Nothing,
    Sort,
    container,
    known,
)
from .values import Value, simple


class Entries(Operators):
    """What is made of values, and taken out of it."""

    def visit_List(self, node: ast.List) -> Value:
        return self._arranged(node, "list")

    def visit_Tuple(self, node: ast.Tuple) -> Value:
        return self._arranged(node, "tuple")

    def _arranged(self, node: ast.List | ast.Tuple, kind: str) -> Value:
        parts: list[tuple[Value, bool]] = []
        for k, one in enumerate(node.elts):
            inner = one.value if isinstance(one, ast.Starred) else one
            value = self.argument(inner)
            for later in node.elts[k + 1 :]:
                value = self.keep_order(value, later)
            parts.append((value, isinstance(one, ast.Starred)))
        starred = any(star for _, star in parts)
        if kind == "tuple" and not starred:
            sort = Sort(frozenset({"tuple"}), items=tuple(v.sort for v, _ in parts))
        else:
            sort = container(kind, self.site(node))
            for value, star in parts:
                self.heap.put(sort, self.heap.element(value.sort) if star else value.sort)
        self.heap.settle(sort)
        seeds = [s for s in self.suffixes if s in self.heap.seeds(sort)]

        def along(s: str) -> ast.expr:
            entries = [
                ast.Starred(self._tangent_sequence(v, s), ast.Load()) if star else self.tangent(self.settled(v), s)
                for v, star in parts
            ]
            return type(node)(entries, ast.Load())

        primal = type(node)([ast.Starred(v.primal, ast.Load()) if star else v.primal for v, star in parts], ast.Load())
        return Value(primal, {s: along(s) for s in seeds}, sort)

    def visit_Dict(self, node: ast.Dict) -> Value:
        keys = [self.look(k) if k is not None else None for k in node.keys]
        values = []
        for k, one in enumerate(node.values):
            value = self.argument(one)
            for later in node.values[k + 1 :]:
                value = self.keep_order(value, later)
            values.append(value)
        sort = container("dict", self.site(node))
        for key, value in zip(keys, values, strict=True):
            self.heap.put(sort, self.heap.element(value.sort) if key is None else value.sort)
        self.heap.settle(sort)
        seeds = [s for s in self.suffixes if s in self.heap.seeds(sort)]
        primal = ast.Dict(keys, [v.primal for v in values])
        tangents: dict[str, ast.expr] = {
            s: ast.Dict(
                keys,
                [
                    self.tangent(self.settled(v), s)
                    if k is not None or s in v.tangents
                    else ast.Call(name("dict.fromkeys"), [v.primal, ast.Constant(0.0)], [])
                    for k, v in zip(keys, values, strict=True)
                ],
            )
            for s in seeds
        }
        return Value(primal, tangents, sort)

    def visit_Subscript(self, node: ast.Subscript) -> Value:
        value = self.visit(node.value)
        if value.tangents and not simple(value.primal):
            value = self.atom(value)
        index = self.look(node.slice)
        primal = ast.Subscript(value.primal, index, ast.Load())
        if value.sort.bottom:
            return Value(primal, {}, BOTTOM)
        if value.sort.only("number") and value.tangents:  # a number of NumPy: x[None]
            sort = self.made(node, None, list(value.tangents))
        else:
            sort = self.entry(value.sort, node.slice)
        if not value.tangents:
            return Value(primal, {}, sort)
        if sum(isinstance(n, ast.Call) for n in ast.walk(index)):
            index = self._named(index)
            primal = ast.Subscript(value.primal, index, ast.Load())
        seeds = self.heap.seeds(sort)
        return Value(
            primal, {s: ast.Subscript(t, index, ast.Load()) for s, t in value.tangents.items() if s in seeds}, sort
        )

    def _named(self, node: ast.expr) -> ast.expr:
        if isinstance(node, (ast.Slice, ast.Tuple)) or text(node).startswith(("len(", f"{self.np_name()}.")):
            return node
        t = self.temp()
        self.emit(f"{t} = {text(node)}", PRIMAL)
        return name(t)

    def np_name(self) -> str:
        """NumPy's name, without importing it."""
        return self.names.modules.get("numpy", "np")

    def entry(self, sort: Sort, index: ast.expr) -> Sort:
        """What an entry, or a slice, may be."""
        k = constant(index)
        if sort.only("tuple") and sort.items is not None:
            if isinstance(k, int) and -len(sort.items) <= k < len(sort.items):
                return sort.items[k]
            if isinstance(index, ast.Slice):
                try:
                    bounds = [None if x is None else constant(x) for x in (index.lower, index.upper, index.step)]
                    return Sort(sort.kinds, items=sort.items[slice(*bounds)])
                except TypeError:
                    return sort
        if sort.may("array"):
            return self.entry_of_array(sort, index)
        if isinstance(index, ast.Slice):
            return sort
        return self.heap.element(sort)

    def visit_Attribute(self, node: ast.Attribute) -> Value:
        value = self.visit(node.value)
        if value.sort.known is not Nothing and type(value.sort.known).__name__ == "module":
            thing = getattr(value.sort.known, node.attr, None)
            sort = known(thing)
            if isinstance(thing, (int, float)):
                sort = known(thing, "int" if isinstance(thing, int) else "number")
            return Value(ast.Attribute(value.primal, node.attr, ast.Load()), {}, sort)
        if value.sort.may("array") or (value.sort.may("number") and node.attr in ("real", "imag", "T")):
            return self.attribute_of_array(node, value)
        if value.tangents:
            return self.refuse(f"the attribute .{node.attr} of a value with a derivative cannot be interleaved", node)
        return Value(ast.Attribute(value.primal, node.attr, ast.Load()), {}, UNKNOWN if value.sort.kinds else BOTTOM)
