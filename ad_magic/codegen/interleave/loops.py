"""Going through lists, arrays and dicts with their tangents: `for` statements and comprehensions."""

from __future__ import annotations

import ast
from typing import Any

from ad_magic.codegen.expressions import name, text

from .containers import Containers
from .layout import TANGENT, Line
from .sorts import (
    BOTTOM,
    INT,
    UNKNOWN,
    Sort,
    container,
)
from .values import Value, simple


class Loops(Containers):
    """Loops over what is active."""

    # ---- targets ----

    def local(self, variable: str) -> str:
        """The name that a variable which is assigned has in the program."""
        return self.variable(variable)

    def learn_target(self, target: ast.expr, sort: Sort) -> None:
        """What the names of a target may be."""
        if isinstance(target, ast.Name):
            variable = self.local(target.id)
            self.learn(self.scope.owner(variable) or self.scope, variable, sort)
        elif isinstance(target, (ast.Tuple, ast.List)):
            star = [k for k, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
            for k, one in enumerate(target.elts):
                if isinstance(one, ast.Starred):
                    made = container("list", self.site(one))
                    if sort.items is not None:
                        for item in sort.items[k : len(sort.items) - (len(target.elts) - 1 - k)]:
                            self.heap.put(made, item)
                    elif not sort.bottom:
                        self.heap.put(made, self.heap.element(sort))
                    self.learn_target(one.value, made)
                    continue
                at = k if not star or k < star[0] else k - len(target.elts)
                self.learn_target(one, self.item_of(sort, at))
        elif isinstance(target, (ast.Subscript, ast.Attribute)):
            value = self.quick(target.value)
            self.heap.put(value, sort)
            self.heap.settle(value)

    def item_of(self, sort: Sort, k: int) -> Sort:
        """What item k of a value that is unpacked may be."""
        if sort.bottom:
            return BOTTOM
        if sort.items is not None and not sort.sites:
            return sort.items[k] if -len(sort.items) <= k < len(sort.items) else UNKNOWN
        if sort.may("array"):
            return self.entry_of_array(sort, ast.Constant(k))
        return self.heap.element(sort)

    def target_seeds(self, target: ast.expr) -> list[str]:
        """The seeds along which some name of a target has a tangent."""
        found: set[str] = set()
        if isinstance(target, ast.Name):
            variable = self.local(target.id)
            found |= set(self.seeds(self.fact(self.scope.owner(variable) or self.scope, variable)))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for one in target.elts:
                found |= set(self.target_seeds(one))
        elif isinstance(target, ast.Starred):
            found |= set(self.target_seeds(target.value))
        elif isinstance(target, (ast.Subscript, ast.Attribute)):
            found |= set(self.seeds(self.quick(target.value)))
        return [s for s in self.suffixes if s in found]

    def named(self, target: ast.expr) -> ast.expr:
        """A target in the names of the program."""
        if isinstance(target, ast.Name):
            return ast.Name(self.local(target.id), ast.Store())
        if isinstance(target, (ast.Tuple, ast.List)):
            return type(target)([self.named(t) for t in target.elts], ast.Store())
        if isinstance(target, ast.Starred):
            return ast.Starred(self.named(target.value), ast.Store())
        if isinstance(target, ast.Subscript):
            return ast.Subscript(self.look(target.value), self.look(target.slice), ast.Store())
        if isinstance(target, ast.Attribute):
            return ast.Attribute(self.look(target.value), target.attr, ast.Store())
        return target

    def mirror(self, target: ast.expr, seed: str) -> ast.expr:
        """The target of the tangents; `_` for what has none."""
        if isinstance(target, ast.Name):
            if seed not in self.target_seeds(target):
                return ast.Name(self.nobody, ast.Store())
            return ast.Name(self.dot(self.local(target.id), seed), ast.Store())
        if isinstance(target, (ast.Tuple, ast.List)):
            return type(target)([self.mirror(t, seed) for t in target.elts], ast.Store())
        if isinstance(target, ast.Starred):
            return ast.Starred(self.mirror(target.value, seed), ast.Store())
        if isinstance(target, ast.Subscript):
            value = self.visit(target.value)
            if seed not in value.tangents:
                return ast.Name(self.nobody, ast.Store())
            return ast.Subscript(value.tangents[seed], self.look(target.slice), ast.Store())
        self.refuse("this target of an assignment cannot be interleaved", target)
        return ast.Name(self.nobody, ast.Store())

    # ---- the head of a loop ----

    def head(self, target: ast.expr, iterable: ast.expr) -> tuple[str, list[Line]]:
        """`for … in …:` with the tangents, and statements that stand first in its body."""
        special = self._special(target, iterable)
        if special is not None:
            targets, sources, wrap = special
        else:
            values = self.listed(iterable)
            self.learn_target(target, self.heap.element(values.sort) if not values.sort.bottom else BOTTOM)
            targets, sources, wrap = [self.named(target)], [values.primal], "{}"
            given = []
            for s in self.target_seeds(target):
                if s in values.tangents:
                    targets.append(self.mirror(target, s))
                    sources.append(values.tangents[s])
                    given.append(s)
            if values.tangents and len(sources) == 1 and not simple(values.primal):
                pass
        covered = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        first = []
        for one in ast.walk(target):
            if isinstance(one, ast.Name):
                variable = self.local(one.id)
                for s in self.target_seeds(one):
                    if self.dot(variable, s) not in covered:
                        zero = self.zero(name(variable), self.fact(self.scope.owner(variable) or self.scope, variable))
                        first.append(
                            Line(f"{self.dot(variable, s)} = {text(zero).replace('__z__', variable)}", TANGENT)
                        )
        if len(targets) == 1:
            inner = text(targets[0]) if wrap == "{}" else text(ast.Tuple([targets[0]], ast.Store()))
            joined = text(sources[0])
        else:
            inner = text(ast.Tuple(targets, ast.Store()))
            inner = inner[1:-1] if inner.startswith("(") and inner.endswith(")") else inner
            joined = f"zip({', '.join(map(text, sources))})"
        if wrap != "{}":
            counter, made = wrap.split("|")
            inner = f"({inner})" if len(targets) > 1 else text(targets[0])
            return f"for {counter}, {inner} in {made.format(joined)}:", first
        inner = inner[1:-1] if len(targets) == 1 and inner.startswith("(") else inner
        return f"for {inner} in {joined}:", first

    def _known(self, node: ast.expr) -> Any:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return None
        return self.quick(node.func).known

    def _special(self, target: ast.expr, iterable: ast.expr) -> tuple[list[ast.expr], list[ast.expr], str] | None:
        """zip, enumerate and items() with a tuple for their target."""
        pair = isinstance(target, (ast.Tuple, ast.List)) and not any(isinstance(t, ast.Starred) for t in target.elts)
        if not pair or not isinstance(iterable, ast.Call):
            return None
        assert isinstance(target, (ast.Tuple, ast.List))
        function = self._known(iterable)
        if function is zip and len(iterable.args) == len(target.elts) and not iterable.keywords:
            if any(isinstance(a, ast.Starred) for a in iterable.args):
                return None
            values = [self.listed(a) for a in iterable.args]
            return self._side_by_side(target.elts, values) if any(v.tangents for v in values) else None
        if function is enumerate and len(target.elts) == 2:
            counter, inner = target.elts
            first = iterable.args[0]
            if not self.quick_active(first):
                return None
            self.learn_target(counter, INT)
            nested = self._special(inner, first)
            if nested is not None and nested[2] != "{}":
                return None
            if nested is None:
                nested = self._side_by_side([inner], [self.listed(first)])
            options = [text(self.look(a)) for a in iterable.args[1:]]
            options += [f"{k.arg}={text(self.look(k.value))}" for k in iterable.keywords]
            made = f"enumerate({', '.join(['{}', *options])})"
            return nested[0], nested[1], f"{text(self.named(counter))}|{made}"
        if isinstance(iterable.func, ast.Attribute) and iterable.func.attr == "items" and len(target.elts) == 2:
            value = self.visit(iterable.func.value)
            if not value.tangents or not value.sort.only("dict"):
                return None
            value = value if simple(value.primal) else self.atom(value)
            self.learn_target(target.elts[0], UNKNOWN)
            self.learn_target(target.elts[1], self.heap.element(value.sort))
            targets: list[ast.expr] = [self.named(target)]
            sources: list[ast.expr] = [ast.parse(f"{text(value.primal)}.items()", mode="eval").body]
            for s in self.target_seeds(target.elts[1]):
                if s in value.tangents:
                    targets.append(self.mirror(target.elts[1], s))
                    sources.append(ast.parse(f"{text(value.tangents[s])}.values()", mode="eval").body)
            return targets, sources, "{}"
        return None

    def _side_by_side(self, parts: list[ast.expr], values: list[Value]) -> tuple[list[ast.expr], list[ast.expr], str]:
        targets, sources = [], []
        for one, value in zip(parts, values, strict=True):
            self.learn_target(one, self.heap.element(value.sort) if not value.sort.bottom else BOTTOM)
        for one, value in zip(parts, values, strict=True):
            targets.append(self.named(one))
            sources.append(value.primal)
            for s in self.target_seeds(one):
                if s in value.tangents:
                    targets.append(self.mirror(one, s))
                    sources.append(value.tangents[s])
        return targets, sources, "{}"
