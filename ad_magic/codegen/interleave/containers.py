"""Lists and dicts: what makes them, and their methods. Their tangents are lists and dicts beside them."""

from __future__ import annotations

import ast
import copy
import itertools
from typing import Any

from ad_magic.codegen.expressions import name, parse, text

from .extremes import Extremes
from .layout import PRIMAL, TANGENT
from .scopes import MUTATORS
from .sorts import (
    BOTTOM,
    INT,
    OBJECT,
    UNKNOWN,
    Nothing,
    Sort,
    container,
    join,
)
from .values import Value, hold, simple

_TEXTS = {
    "format",
    "join",
    "startswith",
    "endswith",
    "upper",
    "lower",
    "strip",
    "split",
    "replace",
    "ljust",
    "rjust",
    "center",
}


class Containers(Extremes):
    """list(…), zip(…), append, items, …"""

    def listed(self, node: ast.expr) -> Value:
        """What an iterable expression goes through, as a list or what can be gone through again."""
        if isinstance(node, ast.GeneratorExp):
            inner = ast.copy_location(ast.ListComp(node.elt, node.generators), node)
            if self.is_plain_comprehension(node):
                return Value(self.look(node), {}, self.comprehension_sort(inner))
            return self.visit(inner)
        value = self.visit(node)
        if value.sort.only("dict"):  # its keys
            keys = container("list", self.site(node))
            self.heap.put(keys, UNKNOWN)
            return Value(value.primal, {}, keys)
        return value if simple(value.primal) or not value.tangents else self.elementary(value)

    def call_list(self, node: ast.Call, callee: Value) -> Value:
        """list(…), tuple(…), of the value and of its tangents."""
        kind = callee.sort.known.__name__
        sort = container(kind, self.site(node))
        if not node.args:
            return Value(
                ast.Call(callee.primal, [], []),
                {s: ast.Call(callee.primal, [], []) for s in self.seeds(sort)},
                sort,
            )
        values = self.listed(node.args[0])
        if values.sort.bottom:
            return Value(node, {}, BOTTOM)
        if kind == "tuple" and values.sort.only("tuple"):
            return values
        self.heap.put(sort, self.heap.element(values.sort))
        self.heap.carry(sort, values.tangents)
        seeds = self.seeds(sort)
        made = isinstance(node.args[0], ast.Call) and self.quick(node.args[0].func).known in (map, itertools.accumulate)
        fresh = isinstance(values.primal, ast.Name) and (made or isinstance(node.args[0], ast.GeneratorExp))
        if fresh and kind == "list" and values.tangents:  # it has been made into a list already
            return values
        return Value(
            ast.Call(callee.primal, [values.primal], []),
            {
                s: ast.Call(callee.primal, [values.tangents[s]], [])
                if s in values.tangents
                else self.zero(name("__z__"), sort)
                for s in seeds
            },
            sort,
        )

    def call_mirrored(self, node: ast.Call, callee: Value) -> Value:
        """zip, enumerate, reversed: the same of the tangents. What has none stands in for itself."""
        args, starred = [], []
        for arg in node.args:
            star = isinstance(arg, ast.Starred)
            value = self.listed(arg.value if isinstance(arg, ast.Starred) else arg)
            args.append(value)
            starred.append(star)
        if any(a.sort.bottom for a in args):
            return Value(node, {}, BOTTOM)
        extra = [ast.keyword(k.arg, self.look(k.value)) for k in node.keywords]
        sort = container("list", self.site(node))
        function = callee.sort.known
        if function is reversed:
            self.heap.put(sort, self.heap.element(args[0].sort))
        elif function is enumerate:
            self.heap.put(sort, Sort(frozenset({"tuple"}), items=(INT, self.heap.element(args[0].sort))))
        elif any(starred):
            inner = Sort(frozenset({"tuple"}), sites=frozenset({("row", *self.site(node))}))
            for a in args:
                element = self.heap.element(a.sort)
                self.heap.put(inner, self.heap.element(element) if not element.bottom else BOTTOM)
            self.heap.put(sort, inner)
        else:
            items = tuple(self.heap.element(a.sort) for a in args)
            self.heap.put(sort, Sort(frozenset({"tuple"}), items=items))
        seeds = [s for s in self.suffixes if any(s in a.tangents for a in args)]
        if seeds and function is not enumerate:
            for k, value in enumerate(args):  # an iterator is gone through once only
                written = text(value.primal)
                if not simple(value.primal) and "(" in written and not written.startswith("range("):
                    t = self.temp()
                    self.emit(f"{t} = list({written})", PRIMAL)
                    args[k] = Value(name(t), value.tangents, value.sort)

        def of(values: list[ast.expr]) -> ast.expr:
            given = [ast.Starred(v, ast.Load()) if star else v for v, star in zip(values, starred, strict=True)]
            return ast.Call(callee.primal, given, extra)

        tangents = {s: of([a.tangents.get(s, a.primal) for a in args]) for s in seeds}
        self.heap.settle(sort)
        return Value(of([a.primal for a in args]), tangents, sort)

    def call_map(self, node: ast.Call, callee: Value) -> Value:
        """map(f, xs) as a comprehension."""
        function = self.visit(node.args[0])
        variables = [self.names.fresh("x_") if len(node.args) > 2 else "x" for _ in node.args[1:]]
        values = [self.listed(a) for a in node.args[1:]]
        if not any(v.tangents for v in values) and not any(t.active for t in function.sort.functions):
            return self.plain_call(node)
        source = hold(values[0]) if len(values) == 1 else ast.Call(name("zip"), [hold(v) for v in values], [])
        target: ast.expr = (
            ast.Name(variables[0], ast.Store())
            if len(values) == 1
            else ast.Tuple([ast.Name(v, ast.Store()) for v in variables], ast.Store())
        )
        tree = ast.ListComp(
            ast.Call(hold(function), [name(v) for v in variables], []),
            [ast.comprehension(target, source, [], 0)],
        )
        for part in ast.walk(tree):
            if not hasattr(part, "lineno"):
                ast.copy_location(part, node)
        return self.visit(tree)

    def call_dict(self, node: ast.Call, callee: Value) -> Value:
        if not node.args and all(k.arg for k in node.keywords):
            keys: list[Any] = [ast.Constant(k.arg) for k in node.keywords]
            return self.visit(ast.copy_location(ast.Dict(keys, [k.value for k in node.keywords]), node))
        if len(node.args) != 1 or node.keywords:
            return self.refuse("this dict(…) cannot be interleaved", node)
        values = self.operand(node.args[0])
        sort = container("dict", self.site(node))
        if values.sort.may("dict"):
            self.heap.put(sort, self.heap.element(values.sort))
        else:
            pair = self.heap.element(values.sort)
            self.heap.put(sort, pair.items[1] if pair.items else self.heap.element(pair))
        self.heap.carry(sort, values.tangents)
        return Value(
            ast.Call(callee.primal, [values.primal], []),
            {s: ast.Call(callee.primal, [t], []) for s, t in values.tangents.items()},
            sort,
        )

    def call_copy(self, node: ast.Call, callee: Value) -> Value:
        value = self.operand(node.args[0])
        primal = ast.Call(callee.primal, [value.primal], [])
        if value.sort.only("number", "int", "tuple"):
            return Value(primal, value.tangents, value.sort)
        deep = callee.sort.known is copy.deepcopy
        sort = self._copied(value.sort, self.site(node), deep)
        seeds = self.seeds(value.sort)
        self.heap.carry(sort, seeds)
        return Value(
            primal,
            {
                s: ast.Call(callee.primal, [value.tangents[s]], [])
                if s in value.tangents
                else self.zero(value.primal, sort)
                for s in self.seeds(sort)
            },
            sort,
        )

    def _copied(self, sort: Sort, site: Any, deep: bool) -> Sort:
        """What a copy is: it holds the same, or copies of it. (All copies of one place share what is known.)"""
        if not sort.sites:
            return sort
        made = Sort(sort.kinds, sort.seeds, frozenset({site}), sort.items, sort.functions)
        element = self.heap.element(sort)
        self.heap.put(made, self._copied(element, (*site, "in"), deep) if deep and len(site) < 12 else element)
        return made

    # ---- methods ----

    def method(self, node: ast.Call, function: ast.Attribute, value: Value) -> Value:
        """A call of a method."""
        attribute, sort = function.attr, value.sort
        if sort.only("object") or (isinstance(function.value, (ast.Constant, ast.JoinedStr)) and attribute in _TEXTS):
            return self.method_of_object(node, value)
        listed = sort.may("list") and attribute in ("append", "extend", "insert", "pop", "index", "count")
        if listed:
            return self.method_of_container(node, attribute, value if simple(value.primal) else self.atom(value))
        if sort.may("array") or (sort.may("number") and value.tangents):
            return self.method_of_array(node, function, value)
        if sort.may("list", "dict", "tuple"):
            value = value if simple(value.primal) else self.atom(value)
            return self.method_of_container(node, attribute, value)
        if not value.tangents and not any(self.quick_active(a) for a in self._arguments(node)):
            return self.plain_call(node)
        return self.refuse(f"it is not known what `{ast.unparse(function)}` does", node)

    def method_of_object(self, node: ast.Call, value: Value) -> Value:
        """A method of a text, or of an object that only looks at what it is given."""
        thing = value.sort.known
        if (
            any(self.quick_active(a) for a in self._arguments(node))
            and thing is not Nothing
            and not isinstance(thing, str)
        ):
            return self.refuse(f"`{ast.unparse(node.func)}` keeps or computes what cannot be interleaved", node)
        return self.plain_call(node, OBJECT)

    def method_of_container(self, node: ast.Call, attribute: str, value: Value) -> Value:
        sort = value.sort
        along = {s: f"{text(t)}.{attribute}" for s, t in value.tangents.items()}
        callee = ast.Attribute(value.primal, attribute, ast.Load())
        if attribute in ("index", "count", "keys"):
            result = INT if attribute != "keys" else OBJECT
            return Value(ast.Call(callee, [self.look(a) for a in node.args], []), {}, result)
        if attribute == "copy":
            made = container("list" if sort.may("list") else "dict", self.site(node))
            self.heap.put(made, self.heap.element(sort))
            self.heap.carry(made, value.tangents)
            return Value(
                ast.Call(callee, [], []),
                {s: parse(f"{a}()") for s, a in along.items()},
                made,
            )
        if attribute in ("items", "values"):
            made = container("list", self.site(node))
            element = self.heap.element(sort)
            self.heap.put(
                made, element if attribute == "values" else Sort(frozenset({"tuple"}), items=(UNKNOWN, element))
            )
            self.heap.settle(made)
            return Value(ast.Call(callee, [], []), {s: parse(f"{a}()") for s, a in along.items()}, made)
        if attribute in ("append", "insert", "extend", "setdefault", "update"):
            return self.put_in(node, attribute, value)
        if attribute in ("pop", "get"):
            return self.take_out(node, attribute, value)
        if attribute in ("clear", "reverse", "popitem"):
            if attribute == "popitem":
                return self.refuse("popitem cannot be interleaved; use pop", node)
            for a in along.values():
                self.emit(f"{a}()", TANGENT)
            return Value(ast.Call(callee, [], []), {}, OBJECT)
        if attribute == "sort":
            return self.sort_list(node, value)
        if (
            not value.tangents
            and not any(self.quick_active(a) for a in self._arguments(node))
            and attribute not in MUTATORS
        ):
            return self.plain_call(node)
        return self.refuse(f"the method .{attribute} cannot be interleaved", node)

    def put_in(self, node: ast.Call, attribute: str, value: Value) -> Value:
        callee = ast.Attribute(value.primal, attribute, ast.Load())
        if attribute == "update":
            given = (
                self.operand(node.args[0])
                if node.args
                else self.atom(self.visit(ast.copy_location(ast.Call(name("dict"), [], node.keywords), node)))
            )
            if node.args and node.keywords:
                return self.refuse("this update cannot be interleaved", node)
            self.heap.put(value.sort, self.heap.element(given.sort))
            self.heap.settle(value.sort)
            for s, t in self._tangents_of(value).items():
                self.emit(f"{t}.update({text(self.tangent(given, s))})", TANGENT)
            return Value(ast.Call(callee, [given.primal], []), {}, OBJECT)
        *places, last = (
            node.args if attribute != "setdefault" or len(node.args) > 1 else [*node.args, ast.Constant(None)]
        )
        indices = [self.look(p) for p in places]
        given = self.listed(last) if attribute == "extend" else self.operand(last)
        self.heap.put(value.sort, self.heap.element(given.sort) if attribute == "extend" else given.sort)
        self.heap.settle(value.sort)
        lines = []
        for s, t in self._tangents_of(value).items():
            along = self._tangent_sequence(given, s) if attribute == "extend" else self.tangent(self.settled(given), s)
            arguments = ", ".join(map(text, [*indices, along]))
            lines.append((s, f"{t}.{attribute}({arguments})"))
        if attribute == "setdefault":
            key, element = indices[0], self.heap.element(value.sort)
            result = Value(ast.Call(callee, [key, given.primal], []), {s: parse(line) for s, line in lines}, element)
            return self.atom(result) if result.tangents else result
        self.emit(text(ast.Call(callee, [*indices, given.primal], [])), PRIMAL)
        for _, line in lines:
            self.emit(line, TANGENT)
        return Value(ast.Constant(None), {}, OBJECT)

    def _tangents_of(self, value: Value) -> dict[str, str]:
        """The tangents of a container as text, those that it has got only now included."""
        found = {s: text(t) for s, t in value.tangents.items()}
        if isinstance(value.primal, ast.Name):
            for s in self.seeds(value.sort):
                found.setdefault(s, self.dot(value.primal.id, s))
        return found

    def take_out(self, node: ast.Call, attribute: str, value: Value) -> Value:
        args = [self.operand(a) for a in node.args]
        callee = ast.Attribute(value.primal, attribute, ast.Load())
        element = self.heap.element(value.sort)
        if len(args) > 1:
            element = join(element, args[1].sort)
        primal = ast.Call(callee, [a.primal for a in args], [])
        if element.bottom:
            return Value(primal, {}, BOTTOM)
        tangents: dict[str, ast.expr] = {}
        for s in self.seeds(element):
            if s in value.tangents:
                along = [args[0].primal, self.tangent(args[1], s)] if len(args) > 1 else [a.primal for a in args]
                tangents[s] = ast.Call(parse(f"{text(value.tangents[s])}.{attribute}"), along, [])
            elif len(args) > 1:
                tangents[s] = self.tangent(args[1], s)
        if attribute == "get" and not tangents:
            return Value(primal, {}, element)
        result = Value(primal, tangents, element)
        return self.atom(result) if attribute == "pop" and tangents else result
