"""The greatest, the smallest, and order."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ad_magic.codegen.expressions import constant, name, parse, product, text, total

from .folds import Folds
from .layout import PRIMAL, TANGENT
from .sorts import (
    BOTTOM,
    INT,
    OBJECT,
    container,
    number,
)
from .values import Value, replaced, simple


class Extremes(Folds):
    """max, min, sorted."""

    def call_extreme(self, node: ast.Call, callee: Value) -> Value:
        options = {k.arg: k.value for k in node.keywords}
        sign = ">" if callee.sort.known is max else "<"
        if "key" in options:
            return self.extreme_by_key(node, callee, options)
        if len(node.args) == 2 and not any(isinstance(a, ast.Starred) for a in node.args):
            a, b = self.operands(node.args)
            primal = ast.Call(callee.primal, [a.primal, b.primal], [])
            if a.sort.bottom or b.sort.bottom:
                return Value(primal, {}, BOTTOM)
            a, b = self._short(a), self._short(b)
            primal = ast.Call(callee.primal, [a.primal, b.primal], [])
            left, right = text(a.primal), text(b.primal)
            tangents: dict[str, ast.expr] = {}
            for s in self.suffixes:
                if s in a.tangents or s in b.tangents:
                    da, db = self.tangent(a, s), self.tangent(b, s)
                    shared = total([product(ast.Constant(0.5), da), product(ast.Constant(0.5), db)])
                    inner = ast.IfExp(parse(f"{right} {sign} {left}"), db, shared)
                    tangents[s] = ast.IfExp(parse(f"{left} {sign} {right}"), da, inner)
            sort = number(tangents) if tangents or not (a.sort.only("int") and b.sort.only("int")) else INT
            return Value(primal, tangents, sort)
        if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
            values = self.listed(node.args[0])
        else:
            values = self.listed(ast.copy_location(ast.List(node.args, ast.Load()), node))
        default = self.operand(options["default"]) if "default" in options else None
        extra = [ast.keyword("default", default.primal)] if default else []
        if not values.tangents and not (default and default.tangents):
            primal = ast.Call(callee.primal, [values.primal], extra)
            return Value(primal, {}, BOTTOM if values.sort.bottom else self.heap.element(values.sort))
        if values.tangents:
            values = self.atom(values)
        t = self.temp()
        v = text(values.primal)
        self.emit(f"{t} = {text(ast.Call(callee.primal, [values.primal], extra))}", PRIMAL)
        seeds = [s for s in self.suffixes if s in values.tangents or (default and s in default.tangents)]
        for s in seeds:
            found = "0.0"
            if s in values.tangents:
                found = f"{self.use('at_extreme')}({v}, {text(values.tangents[s])}, {t})"
            if default:
                found = f"{found} if {v} else {text(self.tangent(default, s))}"
            self.emit(f"{self.dot(t, s)} = {found}", TANGENT)
        return Value(name(t), {s: name(self.dot(t, s)) for s in seeds}, number(seeds))

    def _short(self, value: Value) -> Value:
        return value if simple(value.primal) or constant(value.primal) is not None else self.atom(value)

    def extreme_by_key(self, node: ast.Call, callee: Value, options: dict[Any, ast.expr]) -> Value:
        if len(node.args) == 1:
            values = self.listed(node.args[0])
        else:
            values = self.listed(ast.copy_location(ast.List(node.args, ast.Load()), node))
        if not values.tangents or "default" in options:
            return (
                self.refuse("this max or min cannot be interleaved", node) if values.tangents else self.plain_call(node)
            )
        values = self.atom(values)
        k, t, v = self.temp(), self.temp(), text(values.primal)
        key = self.key_of(options["key"])
        which = f"{text(callee.primal)}(range(len({v})), key=lambda k: {key(f'{v}[k]')})"
        self.emit(f"{k} = {which}", PRIMAL)
        element = self.heap.element(values.sort)
        entry = Value(parse(f"{v}[{k}]"), {s: parse(f"{text(d)}[{k}]") for s, d in values.tangents.items()}, element)
        self.bind(t, entry, temporary=element)
        return self.of_name(t, element)

    def key_of(self, node: ast.expr) -> Callable[[str], str]:
        """The key of a sort or a maximum, as the text of a call."""
        if isinstance(node, ast.Lambda) and len(node.args.args) == 1 and not node.args.defaults:
            function = self.look(node)
            assert isinstance(function, ast.Lambda)
            parameter = node.args.args[0].arg
            return lambda argument: text(replaced(function.body, {parameter: parse(argument)}))
        sort = self.quick(node)
        if sort.functions and any(t.active for t in sort.functions):
            self.refuse("a key that is a function with derivatives cannot be interleaved; write a lambda", node)
        label = text(self.look(node))
        return lambda argument: f"{label}({argument})"

    def call_sorted(self, node: ast.Call, callee: Value) -> Value:
        values = self.listed(node.args[0])
        options = {k.arg: k.value for k in node.keywords}
        if not values.tangents:
            sort = container("list", self.site(node))
            self.heap.put(sort, self.heap.element(values.sort))
            plain = self.plain_call(node, sort)
            return Value(plain.primal, {s: self.zero(name("__z__"), sort) for s in self.seeds(sort)}, sort)
        values = self.atom(values)
        t, v = self.temp(), text(values.primal)
        key = self.key_of(options["key"]) if "key" in options else (lambda x: x)
        reverse = f", reverse={text(self.look(options['reverse']))}" if "reverse" in options else ""
        self.emit(f"{t} = sorted(range(len({v})), key=lambda k: {key(f'{v}[k]')}{reverse})", PRIMAL)
        sort = container("list", self.site(node))
        self.heap.put(sort, self.heap.element(values.sort))
        self.heap.carry(sort, values.tangents)
        return Value(
            parse(f"[{v}[k] for k in {t}]"),
            {s: parse(f"[{text(d)}[k] for k in {t}]") for s, d in values.tangents.items()},
            sort,
        )

    def sort_list(self, node: ast.Call, value: Value) -> Value:
        options = {k.arg: k.value for k in node.keywords}
        if not value.tangents:
            return self.plain_call(node)
        t, v = self.temp(), text(value.primal)
        key = self.key_of(options["key"]) if "key" in options else (lambda x: x)
        reverse = f", reverse={text(self.look(options['reverse']))}" if "reverse" in options else ""
        self.emit(f"{t} = sorted(range(len({v})), key=lambda k: {key(f'{v}[k]')}{reverse})", PRIMAL)
        for d in value.tangents.values():
            self.emit(f"{text(d)}[:] = [{text(d)}[k] for k in {t}]", TANGENT)
        self.emit(f"{v}[:] = [{v}[k] for k in {t}]", PRIMAL)
        return Value(ast.Constant(None), {}, OBJECT)
