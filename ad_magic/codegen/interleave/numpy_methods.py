"""Methods of arrays."""

from __future__ import annotations

import ast

from ad_magic.codegen.expressions import name, text

from .numpy_calls import NumPyCalls
from .numpy_tables import (
    FORMULAS,
    INT_RESULTS,
    LINEAR,
    PLAIN,
    VIEWS,
)
from .sorts import INT, OBJECT, UNKNOWN, Sort, container, number
from .values import Value, simple


class NumPyMethods(NumPyCalls):
    """Calls of methods: as the functions of those names."""

    def method_of_array(self, node: ast.Call, function: ast.Attribute, value: Value) -> Value:
        label = function.attr
        if not value.tangents and not any(self.quick_active(a) for a in self._arguments(node)):
            return self.plain_method(node, label, value)
        value = value if simple(value.primal) else self.atom(value)
        callee = ast.Attribute(value.primal, label, ast.Load())
        rest = node.args
        if label in PLAIN:
            return Value(
                ast.Call(callee, [self.look(a) for a in rest], self.options(node)),
                {},
                INT if label in INT_RESULTS else UNKNOWN,
            )
        if label == "dot":
            return self.bilinear_method(node, value)
        if label == "clip":
            return self.call_clip(node, function.value, rest)
        if label == "sort":
            return self.sort_in_place(node, value)
        if label == "fill":
            return self.fill(node, value)
        if any(self.quick_active(a) for a in self._arguments(node)):
            return self.refuse(f"the method .{label} with such arguments cannot be interleaved", node)
        looked, options = [self.look(a) for a in rest], self.options(node)
        primal = ast.Call(callee, looked, options)
        if label in FORMULAS:
            return self.formula(node, label, value, primal, rest)
        if label not in LINEAR:
            return self.refuse(f"the method .{label} has no derivative that is written as text", node)
        if label == "astype" and looked and not any(w in text(looked[0]) for w in ("float", "double")):
            return self.refuse("an array of another type drops the derivative", node)
        tangents: dict[str, ast.expr] = {
            s: ast.Call(ast.Attribute(t, label, ast.Load()), looked, options) for s, t in value.tangents.items()
        }
        if label == "tolist":
            sort = container("list", self.site(node))
            self.heap.put(
                sort,
                Sort(frozenset({"number", "list"}), frozenset(value.tangents), frozenset({self.site(node)})),
            )
            return Value(primal, tangents, sort)
        if label == "item":
            return Value(primal, tangents, number(tangents))
        shape = self.shape_by(
            primal, {"a": value.sort}, ast.Call(ast.Attribute(name("a"), label, ast.Load()), looked, options)
        )
        if label in VIEWS:
            kinds = Sort(frozenset({"array"}), sites=value.sort.sites, shape=shape)
            return Value(primal, tangents, kinds)
        return self.completed(Value(primal, tangents, self.made(node, shape, list(tangents))))

    def plain_method(self, node: ast.Call, label: str, value: Value) -> Value:
        """A method of an array that does not move."""
        primal = self.look_call(node)
        if label in PLAIN:
            return Value(primal, {}, INT if label in INT_RESULTS else UNKNOWN)
        if label in ("tolist", "item", "sort", "fill") or not isinstance(primal, ast.Call):
            return Value(primal, {}, OBJECT if label in ("sort", "fill") else UNKNOWN)
        standing = ast.Call(ast.Attribute(name("a"), label, ast.Load()), primal.args, primal.keywords)
        shape = self.shape_by(primal, {"a": value.sort}, standing)
        return self.completed(Value(primal, {}, self.made(node, shape, [], self.is_whole(value.sort))))

    def bilinear_method(self, node: ast.Call, value: Value) -> Value:
        other = self.operand(node.args[0])

        def of(a: ast.expr, b: ast.expr) -> ast.expr:
            return ast.Call(ast.Attribute(a, "dot", ast.Load()), [b], [])

        return self.bilinear(of(value.primal, other.primal), value, other, node, of)

    def sort_in_place(self, node: ast.Call, value: Value) -> Value:
        """y.sort(): the entries and their tangents in the same order."""
        if node.args or node.keywords:
            return self.refuse("sort with options cannot be interleaved; write y = np.sort(y)", node)
        t, np = self.temp(), self.names.numpy()
        itself = text(value.primal)
        self.emit(f"{t} = {np}.argsort({itself}, kind='stable')", "primal")
        for d in value.tangents.values():
            self.emit(f"{text(d)}[:] = {text(d)}[{t}]", "tangent")
        self.emit(f"{itself}.sort()", "primal")
        return Value(ast.Constant(None), {}, OBJECT)

    def fill(self, node: ast.Call, value: Value) -> Value:
        given = self.operand(node.args[0])
        if given.tangents and self.is_whole(value.sort):
            return self.refuse("an array of integers drops the derivative; make it one of floats", node)
        self.heap.carry(value.sort, given.tangents)
        self.emit(f"{text(value.primal)}.fill({text(given.primal)})", "primal")
        for s in self.seeds(value.sort):
            along = value.tangents.get(s, name(self.dot(text(value.primal), s)))
            self.emit(f"{text(along)}.fill({text(self.tangent(given, s))})", "tangent")
        return Value(ast.Constant(None), {}, OBJECT)
