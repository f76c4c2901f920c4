"""Calls of the user's functions: each has a twin, which takes tangents beside its arguments and returns them."""

from __future__ import annotations

import ast
import math
from typing import Any

from ad_magic.codegen.expressions import name, text
from ad_magic.rules import RULES
from ad_magic.transforms.checkpoints import checkpoint

from .entries import Entries
from .layout import PRIMAL
from .ours import is_ours
from .scopes import Twin
from .sorts import (
    BOTTOM,
    UNKNOWN,
    Sort,
    container,
    join,
)
from .values import Value, hold

# functions of math by what they are, and their rows
_MATH = {
    getattr(math, rule.name): rule.name
    for rule in RULES.values()
    if not rule.variadic and hasattr(math, rule.name) and rule.value.startswith(f"{rule.name}(") and not rule.step
} | {math.pow: "fpow"}
MATH_ROWS = {id(f): rule for f, rule in _MATH.items()}


class Functions(Entries):
    """Calls of twins, and how a twin is written."""

    # ---- calls ----

    def group(self, twins: frozenset[Twin]) -> list[Twin]:
        """These functions and all that may be called in their place."""
        found = list(twins)
        for twin in found:
            found += [t for t in twin.linked if t not in found]
        for twin in found:
            twin.linked |= set(found)
        return found

    def result_of(self, twins: list[Twin]) -> tuple[Sort, list[str]]:
        """What functions return, and the seeds of it."""
        joined = BOTTOM
        for twin in twins:
            joined = join(joined, twin.returns)
        return joined, self.seeds(joined)

    def call_functions(self, node: ast.Call, callee: Value, target: str | None = None) -> Value:
        """A call of functions of the user: their twins are given tangents beside the arguments."""
        twins = self.group(callee.sort.functions)
        args = self.bound_arguments(node, twins)
        if args is None:
            return Value(ast.Constant(None), {}, UNKNOWN)
        sort, seeds = self.result_of(twins)
        for twin in twins:
            if twin.scope.shared and any(t.active for t in twins):
                self.effects |= twin.scope.shared
        called = ast.Call(callee.primal, *args)
        if sort.bottom:
            return Value(called, {}, BOTTOM)
        if not seeds:
            return Value(called, {}, sort)
        self.activity += 1
        if target is not None:
            owner = self.scope.owner(target) or self.scope
            if self.seeds(self.learn(owner, target, sort)) == seeds:
                self.emit(f"{', '.join([target, *(self.dot(target, s) for s in seeds)])} = {text(called)}", PRIMAL)
                return Value(name(target), {s: name(self.dot(target, s)) for s in seeds}, sort)
        t = self.temp()
        self.heap.settle(sort)
        self.emit(f"{', '.join([t, *(self.dot(t, s) for s in seeds)])} = {text(called)}", PRIMAL)
        return Value(name(t), {s: name(self.dot(t, s)) for s in seeds}, sort)

    def bound_arguments(self, node: ast.Call, twins: list[Twin]) -> tuple[list[ast.expr], list[ast.keyword]] | None:
        """The arguments of a call of twins, with their tangents; None where that is refused."""
        given: list[Value] = []
        rest: list[tuple[Value, bool]] = []
        first = twins[0]
        count = len(first.parameters)
        positions: list[tuple[ast.expr, bool]] = []
        for arg in node.args:
            if not isinstance(arg, ast.Starred):
                positions.append((arg, False))
                continue
            if isinstance(arg.value, (ast.List, ast.Tuple)) and not any(
                isinstance(e, ast.Starred) for e in arg.value.elts
            ):
                positions += [(e, False) for e in arg.value.elts]
                continue
            sort = self.quick(arg.value)
            if sort.only("tuple") and sort.items is not None and isinstance(arg.value, ast.Name):
                positions += [
                    (ast.copy_location(ast.Subscript(arg.value, ast.Constant(k), ast.Load()), arg), False)
                    for k in range(len(sort.items))
                ]
                continue
            positions.append((arg.value, True))
        for k, (arg, star) in enumerate(positions):
            value = self.argument(arg)
            for later, _ in positions[k + 1 :]:
                value = self.keep_order(value, later)
            if star and len(given) < count:
                self.refuse("`*` in this call cannot be interleaved; write the arguments one by one", node)
                return None
            if len(given) < count and not star:
                given.append(value)
            else:
                rest.append((value, star))
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                if (
                    isinstance(keyword.value, ast.Call)
                    and text(keyword.value.func) == "dict"
                    and not keyword.value.args
                ):
                    inner = keyword.value.keywords
                    keywords |= {k.arg: self.argument(k.value) for k in inner if k.arg is not None}
                    continue
                self.refuse("`**` in this call cannot be interleaved; write the arguments by name", node)
                return None
            keywords[keyword.arg] = self.argument(keyword.value)
        for twin in twins:
            if not self.learn_arguments(node, twin, given, rest, keywords):
                return None
        args: list[ast.expr] = []
        named: list[ast.keyword] = []
        for k, value in enumerate(given):
            args += self.with_tangents(value, first.fact(first.parameters[k].arg), twins, k)
        rest_of = first.node.args.vararg
        if rest and rest_of is not None:
            args += [ast.Starred(v.primal, ast.Load()) if star else v.primal for v, star in rest]
            for s in self.seeds(first.fact(rest_of.arg)):
                entries: list[ast.expr] = [
                    ast.Starred(self._tangent_sequence(v, s), ast.Load()) if star else self.tangent(v, s)
                    for v, star in rest
                ]
                only = entries[0].value if len(entries) == 1 and isinstance(entries[0], ast.Starred) else None
                named.append(ast.keyword(self.dot(rest_of.arg, s), only or ast.Tuple(entries, ast.Load())))
        own = {a.arg for a in (*first.parameters, *first.node.args.kwonlyargs)}
        extra: dict[str, Value] = {}
        for key, value in keywords.items():
            named.append(ast.keyword(key, value.primal))
            if key in own:
                named += [ast.keyword(self.dot(key, s), self.tangent(value, s)) for s in self.seeds(first.fact(key))]
            else:
                extra[key] = value
        if first.node.args.kwarg is not None:
            for s in self.seeds(first.fact(first.node.args.kwarg.arg)):
                entries_by_name = ast.Dict(
                    [ast.Constant(k) for k in extra], [self.tangent(v, s) for v in extra.values()]
                )
                named.append(ast.keyword(self.dot(first.node.args.kwarg.arg, s), entries_by_name))
        return args, named

    def argument(self, node: ast.expr) -> Value:
        """An argument: a name where it is active."""
        value = self.operand(node)
        if id(value.sort.known) in MATH_ROWS or id(value.sort.known) in (id(abs), id(float)):
            return self.as_function(value, node)
        return self.settled(value)

    def as_function(self, value: Value, node: ast.expr) -> Value:
        """A function of the library as one of the user's, so that it can be given where those are."""
        key = ("function", self.site(node))
        if key not in self.wrappers:
            count = len(RULES[MATH_ROWS[id(value.sort.known)]].partials) if id(value.sort.known) in MATH_ROWS else 1
            parameters = list("xyz"[:count])
            source = f"lambda {', '.join(parameters)}: f({', '.join(parameters)})"
            made = ast.parse(source, mode="eval").body
            for part in ast.walk(made):
                ast.copy_location(part, node)
            self.wrappers[key] = made
        made = self.wrappers[key]
        made.body.func = hold(value)
        return self.visit_Lambda(
            made, self.names.fresh(text(value.primal).rpartition(".")[2]) if "." in text(value.primal) else None
        )

    def learn_arguments(
        self, node: ast.Call, twin: Twin, given: list[Any], rest: list[Any], keywords: dict[str, Value]
    ) -> bool:
        """What the parameters of a function may be."""
        arguments = twin.node.args
        for k, value in enumerate(given):
            if k < len(twin.parameters):
                self.learn(twin.scope, twin.parameters[k].arg, value.sort)
            elif arguments.vararg is not None:
                rest = [*[(v, False) for v in given[k:]], *rest]
                break
            else:
                self.refuse(f"{twin.name} takes other arguments", node)
                return False
        if rest and arguments.vararg is None:
            self.refuse(f"{twin.name} takes other arguments", node)
            return False
        if arguments.vararg is not None:
            sort = Sort(frozenset({"tuple"}), sites=frozenset({("rest", id(twin))}))
            for value, star in rest:
                self.heap.put(sort, self.heap.element(value.sort) if star else value.sort)
            self.learn(twin.scope, arguments.vararg.arg, sort)
        own = {a.arg for a in (*twin.parameters, *arguments.kwonlyargs)}
        for key, value in keywords.items():
            if key in own:
                self.learn(twin.scope, key, value.sort)
            elif arguments.kwarg is not None:
                sort = container("dict", ("keywords", id(twin)))
                self.heap.put(sort, value.sort)
                self.learn(twin.scope, arguments.kwarg.arg, sort)
            else:
                self.refuse(f"{twin.name} has no parameter {key!r}", node)
                return False
        if arguments.kwarg is not None:
            self.learn(twin.scope, arguments.kwarg.arg, container("dict", ("keywords", id(twin))))
        return True

    def with_tangents(self, value: Value, fact: Sort, twins: list[Twin], k: int) -> list[ast.expr]:
        """An argument and its tangents."""
        for twin in twins:  # all of them take the same tangents at this place
            if k < len(twin.parameters):
                fact = join(fact, twin.fact(twin.parameters[k].arg))
        for twin in twins:
            if k < len(twin.parameters):
                self.learn(twin.scope, twin.parameters[k].arg, fact)
        return [value.primal, *(self.tangent(value, s) for s in self.seeds(fact))]

    def call_in_look(self, node: ast.Call) -> ast.expr:
        """A call in an expression of which only the value matters."""
        if isinstance(node.func, ast.Call) and self.quick(node.func.func).known is checkpoint:
            node.func = node.func.args[0]
        named = isinstance(node.func, (ast.Name, ast.Lambda, ast.Attribute))
        callee = self.quick(node.func) if named else UNKNOWN
        if is_ours(callee.known):
            return self.look_at_ours(node, callee.known)
        if isinstance(node.func, ast.Name) and callee.known in (globals, locals):
            if self.scope.twin is not None:
                self.refuse("globals() and locals() in a function cannot be interleaved", node)
            return ast.Call(name("locals"), [], [])
        if callee.known in (eval, exec):
            self.refuse("eval and exec cannot be interleaved", node)
        if callee.functions and not isinstance(node.func, ast.Lambda):
            twins = self.group(callee.functions)
            if any(t.active for t in twins):
                args = self.bound_arguments(node, twins)
                if args is None:
                    return node
                _, seeds = self.result_of(twins)
                called = ast.Call(self.visit(node.func).primal, *args)
                return ast.Subscript(called, ast.Constant(0), ast.Load()) if seeds else called
            self.learn_plain(node, twins)
        node.func = self.look(node.func)
        node.args = [self.look(a) for a in node.args]
        node.keywords = [ast.keyword(k.arg, self.look(k.value)) for k in node.keywords]
        return node

    def look_at_ours(self, node: ast.Call, thing: Any) -> ast.expr:
        """A call of what this package gives, in an expression of which only the value matters."""
        raise NotImplementedError

    def learn_plain(self, node: ast.Call, twins: list[Twin]) -> None:
        """A function that is called for its plain value only."""
        for twin in twins:
            for k, parameter in enumerate(twin.parameters):
                if k < len(node.args) and not isinstance(node.args[k], ast.Starred):
                    self.learn(twin.scope, parameter.arg, plain_of(self.quick(node.args[k])))


def plain_of(sort: Sort) -> Sort:
    """What a value is, without its tangents."""
    if sort.only("number", "int"):
        return Sort(sort.kinds)
    if sort.only("array"):
        return Sort(sort.kinds, shape=sort.shape)
    return sort if sort.bottom else UNKNOWN
