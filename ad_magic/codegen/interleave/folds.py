"""What goes through a list with a running value: products, reduce, accumulate."""

from __future__ import annotations

import ast
from collections.abc import Callable

from ad_magic.codegen.expressions import name, text

from .layout import PRIMAL, TANGENT, Line
from .library import Library
from .sorts import (
    BOTTOM,
    INT,
    container,
    join,
    number,
)
from .values import Value, hold


class Folds(Library):
    """acc = f(acc, x), one after the other."""

    def call_prod(self, node: ast.Call, callee: Value) -> Value:
        """math.prod: one factor after the other."""
        values = self.listed(node.args[0])
        start = self.operand(node.keywords[0].value) if node.keywords else Value(ast.Constant(1), {}, INT)
        if not values.tangents and not start.tangents:
            return self.plain_call(node, number())
        return self.folded(lambda acc, x: self.operation("mul", ast.Mult(), acc, x, node), values, start)

    def call_reduce(self, node: ast.Call, callee: Value) -> Value:
        function = self.visit(node.args[0])
        values = self.listed(node.args[1])
        start = self.operand(node.args[2]) if len(node.args) > 2 else None
        active = bool(values.tangents or (start and start.tangents)) or any(t.active for t in function.sort.functions)
        if not active:
            return self.plain_call(node)
        if start is None:
            first = ast.Subscript(values.primal, ast.Constant(0), ast.Load())
            along = {s: ast.Subscript(t, ast.Constant(0), ast.Load()) for s, t in values.tangents.items()}
            start = Value(first, along, self.heap.element(values.sort))
            others = ast.parse(f"{text(values.primal)}[1:]", mode="eval").body
            rest: dict[str, ast.expr] = {
                s: ast.parse(f"{text(t)}[1:]", mode="eval").body for s, t in values.tangents.items()
            }
            values = Value(others, rest, values.sort)
        return self.folded(lambda acc, x: self.call_value(function, [acc, x], node), values, start)

    def call_value(self, function: Value, args: list[Value], node: ast.AST) -> Value:
        """A call of a function that is a value, with arguments that have been looked at."""
        held = [ast.copy_location(hold(a), node) for a in args]
        return self.visit(ast.copy_location(ast.Call(hold(function), held, []), node))

    def folded(self, step: Callable[[Value, Value], Value], values: Value, start: Value) -> Value:
        """acc = start; for x in values: acc = step(acc, x)"""
        acc, x = self.temp(), self.temp()
        element = self.heap.element(values.sort)
        key = ("folded", acc, id(self.scope))
        sort = join(self.memory.get(key, BOTTOM), start.sort)
        xs = Value(name(x), {s: name(self.dot(x, s)) for s in values.tangents}, element)
        kept = self.out
        self.out = []
        result = step(self.of_name(acc, sort), xs)
        sort = join(sort, result.sort)
        if sort != self.memory.get(key, BOTTOM):
            self.memory[key], self.heap.changed = sort, True
        self.bind(acc, result, temporary=sort)
        body, self.out = self.out, kept
        self.bind(acc, start, temporary=sort)
        along = [text(t) for t in values.tangents.values()]
        heads = [x, *(self.dot(x, s) for s in values.tangents)]
        source = f"zip({', '.join([text(values.primal), *along])})" if along else text(values.primal)
        self.out.append(Line(f"for {', '.join(heads)} in {source}:", body=body))
        return self.of_name(acc, sort)

    def call_accumulate(self, node: ast.Call, callee: Value) -> Value:
        """itertools.accumulate, as a list."""
        options = {k.arg: k.value for k in node.keywords}
        function_node = node.args[1] if len(node.args) > 1 else options.get("func")
        function = self.visit(function_node) if function_node is not None else None
        values = self.listed(node.args[0])
        initial = self.operand(options["initial"]) if "initial" in options else None
        sort = container("list", self.site(node))
        t = self.temp()

        def step(acc: Value, x: Value) -> Value:
            if function is None:
                result = self.operation("add", ast.Add(), acc, x, node)
            else:
                result = self.call_value(function, [acc, x], node)
            result = self.atom(result)
            self.heap.put(sort, result.sort)
            self.append(t, sort, result)
            return result

        first = initial
        if first is None:
            along = {s: ast.Subscript(d, ast.Constant(0), ast.Load()) for s, d in values.tangents.items()}
            first = Value(
                ast.Subscript(values.primal, ast.Constant(0), ast.Load()),
                along,
                self.heap.element(values.sort),
            )
            values = Value(
                ast.parse(f"{text(values.primal)}[1:]", mode="eval").body,
                {s: ast.parse(f"{text(d)}[1:]", mode="eval").body for s, d in values.tangents.items()},
                values.sort,
            )
        self.heap.put(sort, first.sort)
        self.heap.settle(sort)
        self.emit(f"{t} = [{text(first.primal)}]", PRIMAL)
        for s in self.seeds(sort):
            self.emit(f"{self.dot(t, s)} = [{text(self.tangent(first, s))}]", TANGENT)
        self.folded(step, values, first)
        return self.of_name(t, sort)
