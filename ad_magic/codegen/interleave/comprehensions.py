"""Comprehensions: what is active becomes a loop that fills a list or a dict."""

from __future__ import annotations

import ast
import builtins
from typing import Any

from ad_magic.codegen.expressions import name, text

from .layout import PRIMAL, TANGENT, Line
from .loops import Loops
from .sorts import (
    Sort,
    container,
)
from .values import Held, Value, names_of, simple


class Comprehensions(Loops):
    """List and dict comprehensions, generator expressions."""

    def visit_ListComp(self, node: ast.ListComp, target: str | None = None) -> Value:
        return self._comprehension(node, "list", target)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Value:
        return self._comprehension(node, "list")

    def visit_DictComp(self, node: ast.DictComp, target: str | None = None) -> Value:
        return self._comprehension(node, "dict", target)

    def visit_SetComp(self, node: ast.SetComp) -> Value:
        if self.is_plain_comprehension(node):
            return self.plain(node)
        return self.refuse("a set of numbers with derivatives cannot be interleaved; use a list", node)

    def is_plain_comprehension(self, node: Any) -> bool:
        if any(isinstance(n, ast.NamedExpr) for n in ast.walk(node)):
            return False
        before = self.activity
        if isinstance(node, ast.SetComp):
            node = ast.copy_location(ast.ListComp(node.elt, node.generators), node)
        value = self._tried_loops(node, "dict" if isinstance(node, ast.DictComp) else "list")
        plain = self.activity == before and not value.tangents
        self.activity = before
        return plain and not self._holds_twins(value.sort)

    def _holds_twins(self, sort: Sort) -> bool:
        return any(t.active for t in self.heap.element(sort).functions) if sort.sites else False

    def comprehension_sort(self, node: ast.ListComp) -> Sort:
        before = self.activity
        sort = self._tried_loops(node, "list").sort
        self.activity = before
        return sort

    def _tried_loops(self, node: Any, kind: str) -> Value:
        kept = self.out, self.count, len(self.refused)
        self.out = []
        try:
            return self._loops(node, kind)
        finally:
            self.out, self.count = kept[:2]
            del self.refused[kept[2] :]

    def _comprehension(self, node: Any, kind: str, target: str | None = None) -> Value:
        if self.is_plain_comprehension(node) and not any(isinstance(n, Held) for n in ast.walk(node)):
            before = self.activity
            sort = self._tried_loops(node, kind).sort
            self.activity = before
            return Value(self.look(node), {}, sort)
        return self._loops(node, kind, target)

    def _loops(self, node: Any, kind: str, target: str | None = None) -> Value:
        """A comprehension as loops that fill a list or a dict."""
        sort = container(kind, self.site(node))
        if target is not None and target not in names_of(node):
            t = target
            sort = self.learn(self.scope.owner(t) or self.scope, t, sort)
        else:
            t = self.temp()
        kept = self.out
        self.out = []
        depth = 0
        heads: list[tuple[str, list[Line]]] = []
        outer: list[list[Line]] = []
        for k, generator in enumerate(node.generators):
            if k == 0:
                held = generator.iter  # it is looked at outside of the comprehension's own names
                names = self._own_names(node)
                iterable = self._looked_outside(held, names)
            else:
                iterable = generator.iter
            head, first = self.head(generator.target, iterable)
            outer.append(self.out)
            self.out = list(first)
            heads.append((head, self.out))
            depth += 1
            for test in generator.ifs:
                looked = self.look(test)
                outer.append(self.out)
                self.out = []
                heads.append((f"if {text(looked)}:", self.out))
                depth += 1
        if kind == "dict":
            key = self.look(node.key)
            if not simple(key):
                key_name = self.temp()
                self.emit(f"{key_name} = {text(key)}", PRIMAL)
                key = name(key_name)
            value = self.settled(self.operand(node.value))
            self.heap.put(sort, value.sort)
            self.heap.settle(sort)
            self.emit(f"{t}[{text(key)}] = {text(value.primal)}", PRIMAL)
            for s in self.seeds(sort):
                self.emit(f"{self.dot(t, s)}[{text(key)}] = {text(self.tangent(value, s))}", TANGENT)
        else:
            value = self.operand(node.elt)
            self.heap.put(sort, value.sort)
            self.heap.settle(sort)
            self.append(t, sort, value)
        self.scope.renamed.pop()
        body = self.out
        for (head, _), before in zip(reversed(heads), reversed(outer), strict=True):
            before.append(Line(head, body=body))
            body = before
        self.out = kept
        empty = "{}" if kind == "dict" else "[]"
        seeds = self.seeds(sort)
        self.emit(f"{t} = {empty}", PRIMAL)
        for s in seeds:
            self.emit(f"{self.dot(t, s)} = {empty}", TANGENT)
        self.out += body
        return Value(name(t), {s: name(self.dot(t, s)) for s in seeds}, sort)

    def _looked_outside(self, iterable: ast.expr, names: dict[str, str]) -> ast.expr:
        """The first iterable of a comprehension belongs to the scope around it."""
        clash = names_of(iterable) & {k for k, v in names.items() if k != v}
        if not clash:
            self.scope.renamed.append(names)
            return iterable
        if isinstance(iterable, ast.Call) and (
            self._known(iterable) in (zip, enumerate) or getattr(iterable.func, "attr", "") == "items"
        ):
            args: list[ast.expr] = [ast.copy_location(Held(self.listed(a)), a) for a in iterable.args]
            iterable = ast.copy_location(ast.Call(iterable.func, args, iterable.keywords), iterable)
        else:
            iterable = ast.copy_location(Held(self.listed(iterable)), iterable)
        self.scope.renamed.append(names)
        return iterable

    def _own_names(self, node: Any) -> dict[str, str]:
        """Names for the variables of a comprehension, which do not collide with others."""
        found: dict[str, str] = {}
        captured = any(isinstance(n, ast.Lambda) for n in ast.walk(node))
        for generator in node.generators:
            for variable in names_of(generator.target):
                key = (variable, self.site(node))
                if key not in self.chosen:
                    owner = self.scope.owner(variable)
                    taken = owner is not None and variable not in self.comprehended.get(owner.key, set())
                    taken = taken or variable in self.scope.env or hasattr(builtins, variable)
                    self.chosen[key] = self.another(variable) if taken or captured else variable
                    if not (taken or captured):
                        self.comprehended.setdefault(self.scope.key, set()).add(variable)
                found[variable] = self.chosen[key]
                self.scope.bound.add(found[variable])
        return found

    def another(self, variable: str) -> str:
        """A name like this one that nothing has."""
        k = 2
        while f"{variable}_{k}" in self.spoken:
            k += 1
        self.spoken.add(f"{variable}_{k}")
        return f"{variable}_{k}"
