"""Names, numbers, and what is only looked at."""

from __future__ import annotations

import ast

from ad_magic.codegen.expressions import copied, name

from .look import Look
from .rules import Rules
from .scopes import Scope
from .sorts import (
    INT,
    OBJECT,
    UNKNOWN,
    Sort,
    known,
    number,
)
from .values import Held, Value, simple


class Nodes(Rules):
    """The simplest expressions."""

    def visit(self, node: ast.expr, target: str | None = None) -> Value:
        """What an expression is worth. `target`: the name that it will be given, where that is known."""
        method = getattr(self, f"visit_{type(node).__name__}", None)
        if method is None:
            return self.refuse(f"{type(node).__name__} cannot be interleaved", node)
        aimed = (ast.Call, ast.IfExp, ast.ListComp, ast.DictComp)
        return method(node, target) if type(node) in aimed else method(node)

    def operand(self, node: ast.expr) -> Value:
        """An expression as an operand: a name where it is active."""
        return self.simple_value(self.visit(node))

    def simple_value(self, value: Value) -> Value:
        """A value as an operand."""
        return value if simple(value.primal) else self.elementary(value)

    # ---- names and numbers ----

    def visit_Constant(self, node: ast.Constant) -> Value:
        value = node.value
        if isinstance(value, int):
            return Value(node, {}, known(value, "int"))
        return Value(node, {}, number() if isinstance(value, float) else OBJECT)

    def visit_Name(self, node: ast.Name) -> Value:
        if node.id in self.hidden:
            return Value(name(node.id), {}, UNKNOWN)
        local = self.variable(node.id)
        owner = self.scope.owner(local)
        if owner is None:
            return self.outside(node)
        self.note_use(owner)
        fact = self.fact(owner, local)
        return self.of_name(local, fact)

    def visit_Held(self, node: Held) -> Value:
        return node.held

    def note_use(self, owner: Scope) -> None:
        """A function of the namespace that uses a variable of the cell must stand inside."""
        scope: Scope | None = self.scope
        while scope is not None and scope is not owner:
            if scope.twin is not None and scope.twin.outside and not scope.twin.inside:
                scope.twin.inside = True
                self.heap.changed = True
            scope = scope.parent

    def outside(self, node: ast.Name) -> Value:
        """What the namespace has under a name."""
        scope = self.scope
        within = scope.twin is not None and scope.twin.inside
        try:
            given, sort = self.names.read(node.id, scope.env, within)
        except KeyError:
            return self.refuse(f"{node.id!r} has no value", node)
        for twin in sort.functions:
            if twin.inside:
                self.within()
        entry = self.names.constants.get(given)
        if entry is not None and entry[2]:
            self.within()
        if sort.may("alien"):
            kind = type(sort.known).__name__
            what = "a class" if kind == "type" else f"a {kind}"
            return self.refuse(f"{node.id!r} is {what} of an earlier cell, which cannot be put into the program", node)
        if sort.sites:
            self.constant_sites[given] = sort
        return self.of_name(given, sort)

    def within(self) -> None:
        """The function that is being written must stand inside of `derivative`."""
        scope: Scope | None = self.scope
        while scope is not None:
            if scope.twin is not None and scope.twin.outside and not scope.twin.inside:
                scope.twin.inside = True
                self.heap.changed = True
            scope = scope.parent

    # ---- what is only looked at ----

    def look(self, node: ast.expr) -> ast.expr:
        """An expression of which only the plain value matters, in the names of the program."""
        return Look(self).visit(copied(node))

    def plain(self, node: ast.expr, sort: Sort = OBJECT) -> Value:
        """The value of an expression that has no tangent."""
        return Value(self.look(node), {}, sort)

    def visit_Compare(self, node: ast.Compare) -> Value:
        left = [self.quick(x) for x in (node.left, *node.comparators)]
        return self.plain(node, Sort(frozenset({"array"})) if any(s.may("array") for s in left) else INT)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Value:
        return self.plain(node)

    def visit_Slice(self, node: ast.Slice) -> Value:
        return self.plain(node)

    def visit_Set(self, node: ast.Set) -> Value:
        if any(self.quick_active(x) for x in node.elts):
            return self.refuse("a set of numbers with derivatives cannot be interleaved; use a list", node)
        return self.plain(node)

    def quick(self, node: ast.expr) -> Sort:
        """What an expression may be, without writing anything."""
        return self.try_out(node).sort

    def quick_active(self, node: ast.expr) -> bool:
        """Whether an expression has a tangent, without writing anything."""
        return bool(self.try_out(node).tangents)

    def try_out(self, node: ast.expr) -> Value:
        """The value of an expression; what is written on the way is thrown away."""
        kept = self.out, self.count, len(self.refused)
        self.out = []
        try:
            return self.visit(node)
        finally:
            self.out, self.count = kept[:2]
            del self.refused[kept[2] :]

    def writes_something(self, node: ast.expr) -> bool:
        """Whether an expression gives a variable a value."""
        return any(isinstance(n, ast.NamedExpr) for n in ast.walk(node))
