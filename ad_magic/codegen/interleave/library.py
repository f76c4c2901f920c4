"""Calls by what is called: builtins, and the functions of `math`."""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import math
from typing import Any

from ad_magic.codegen.expressions import name, parse, text
from ad_magic.rules import RULES

from .functions import MATH_ROWS
from .layout import PRIMAL, TANGENT
from .ours import is_ours
from .own_rules import OwnRules
from .sorts import (
    BOTTOM,
    INT,
    OBJECT,
    UNKNOWN,
    Nothing,
    Sort,
    container,
    number,
)
from .values import Value, hold, simple

_LOOKS = {
    len: INT, int: INT, round: Sort(frozenset({"number", "int"})), bool: INT, isinstance: INT, any: INT, all: INT,
    hash: INT, id: INT, ord: INT, callable: INT, str: OBJECT, repr: OBJECT, format: OBJECT, type: OBJECT, print: OBJECT,
    hasattr: INT, math.floor: INT, math.ceil: INT, math.trunc: INT, math.isnan: INT, math.isinf: INT,
    math.isfinite: INT, math.isclose: INT, issubclass: INT, input: OBJECT,
}  # fmt: skip

_HANDLED = {
    id(f): handler
    for f, handler in (
        (float, "float"), (abs, "abs"), (pow, "pow"), (divmod, "divmod"), (sum, "sum"), (math.fsum, "fsum"),
        (math.prod, "prod"), (functools.reduce, "reduce"), (itertools.accumulate, "accumulate"), (math.hypot, "hypot"),
        (math.dist, "dist"), (max, "extreme"), (min, "extreme"), (sorted, "sorted"), (list, "list"), (tuple, "list"),
        (zip, "mirrored"), (enumerate, "mirrored"), (reversed, "mirrored"), (map, "map"), (dict, "dict"),
        (copy.copy, "copy"), (copy.deepcopy, "copy"),
    )
}  # fmt: skip


# What they call may be any object.
_SOLVERS = ("scipy.optimize", "scipy.integrate", "ad_magic.transforms.implicit")
SOLVER = "is a solver: its derivative is not written as text"


class Library(OwnRules):
    """Builtins and `math`."""

    def visit_Call(self, node: ast.Call, target: str | None = None) -> Value:
        if isinstance(node.func, ast.Attribute):
            value = self.visit(node.func.value)
            if value.sort.bottom:
                return Value(node, {}, BOTTOM)
            if not isinstance(value.sort.known, type(math)):
                return self.method(node, node.func, value)
            callee = self.visit_Attribute(node.func)
        else:
            callee = self.visit(node.func)
        if callee.sort.bottom:
            return Value(node, {}, BOTTOM)
        if callee.sort.functions:
            return self.call_functions(node, callee, target)
        thing = callee.sort.known
        if thing is Nothing:
            if any(self.quick_active(a) for a in self._arguments(node)):
                return self.refuse(f"it is not known what `{ast.unparse(node.func)}` is", node)
            return self.plain_call(node)
        return self.call_known(node, callee, thing, target)

    def _arguments(self, node: ast.Call) -> list[ast.expr]:
        args = [a.value if isinstance(a, ast.Starred) else a for a in node.args]
        return args + [k.value for k in node.keywords]

    def plain_call(self, node: ast.Call, sort: Sort = UNKNOWN) -> Value:
        """A call whose result has no tangent."""
        return Value(self.look_call(node), {}, sort)

    def look_call(self, node: ast.Call) -> ast.expr:
        """The call in the names of the program."""
        return self.look(node)

    def call_known(self, node: ast.Call, callee: Value, thing: Any, target: str | None) -> Value:
        """A call of one known object."""
        try:
            looked = _LOOKS.get(thing)
        except TypeError:
            looked = None
        if thing is range:
            made = container("list", self.site(node))
            self.heap.put(made, INT)
            return self.plain_call(node, made)
        if looked is not None:
            return self.plain_call(node, looked)
        handled = _HANDLED.get(id(thing))
        if handled is not None:
            return getattr(self, f"call_{handled}")(node, callee)
        if is_ours(thing):
            return self.call_ours(node, thing, target)
        if id(thing) in MATH_ROWS:
            return self.call_math(node, callee, MATH_ROWS[id(thing)])
        if self.is_numpy(thing):
            return self.call_numpy(node, callee, thing)
        if thing in (globals, locals):
            return self.plain_call(node, OBJECT)
        if isinstance(thing, type) and issubclass(thing, BaseException):
            return self.plain_call(node, OBJECT)
        label = ast.unparse(node.func)
        takes = any(isinstance(a, (ast.Name, ast.Lambda)) and self.quick(a).functions for a in self._arguments(node))
        if str(getattr(thing, "__module__", "")).startswith(_SOLVERS):
            return self.refuse(f"{label} {SOLVER}", node)
        if takes:
            return self.refuse(f"{label} calls a function; it has no derivative that is written as text", node)
        if not any(self.quick_active(a) for a in self._arguments(node)):
            return self.plain_call(node)
        if isinstance(thing, type):
            return self.refuse(f"{label} is a class: what it keeps cannot be interleaved", node)
        return self.refuse(f"{label} has no derivative that is written as text", node)

    def call_math(self, node: ast.Call, callee: Value, rule: str) -> Value:
        """A function of math with a rule."""
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            return self.refuse(f"`{ast.unparse(node)}`: write the arguments one by one", node)
        args = self.operands(node.args)
        if rule == "log" and len(args) == 2:
            rule = "log_base"
        row = RULES[rule]
        if len(args) != len(row.partials):
            return self.refuse(f"{ast.unparse(node.func)} takes {len(row.partials)} arguments", node)
        if any(a.tangents for a in args):
            args = [self.again(a, b, rule) for a, b in zip(args, args[::-1], strict=True)]
        return self.apply(row, args, ast.Call(callee.primal, [a.primal for a in args], []), "")

    def operands(self, nodes: list[ast.expr]) -> list[Value]:
        """Several operands, from left to right."""
        values = []
        for k, one in enumerate(nodes):
            value = self.operand(one)
            for later in nodes[k + 1 :]:
                value = self.keep_order(value, later)
            values.append(value)
        return values

    def call_float(self, node: ast.Call, callee: Value) -> Value:
        if len(node.args) != 1:
            return self.plain_call(node, number())
        value = self.operand(node.args[0])
        if not value.tangents:
            return Value(ast.Call(callee.primal, [value.primal], []), {}, number())
        return Value(ast.Call(callee.primal, [value.primal], []), self.settled(value).tangents, number(value.tangents))

    def call_abs(self, node: ast.Call, callee: Value) -> Value:
        value = self.operand(node.args[0])
        arrays = self.may_be_array(value)
        result = self.apply(RULES["abs"], [value], ast.Call(callee.primal, [value.primal], []), "np" if arrays else "")
        return self.as_array(result, [value], node) if arrays else result

    def call_pow(self, node: ast.Call, callee: Value) -> Value:
        return self.visit_BinOp(ast.copy_location(ast.BinOp(node.args[0], ast.Pow(), node.args[1]), node))

    def call_divmod(self, node: ast.Call, callee: Value) -> Value:
        left, right = self.operands(node.args)
        first = self.operation("floordiv", ast.FloorDiv(), left, right, node)
        second = self.atom(self.operation("mod", ast.Mod(), left, right, node))
        items = (first.sort if not first.sort.bottom else number(), second.sort)
        seeds = list(second.tangents)
        return Value(
            ast.Tuple([first.primal, second.primal], ast.Load()),
            {s: ast.Tuple([ast.Constant(0.0), second.tangents[s]], ast.Load()) for s in seeds},
            Sort(frozenset({"tuple"}), items=items),
        )

    def call_sum(self, node: ast.Call, callee: Value) -> Value:
        values = self.listed(node.args[0])
        start = [self.operand(a) for a in (*node.args[1:], *(k.value for k in node.keywords))]
        primal = ast.Call(callee.primal, [values.primal, *(v.primal for v in start)], [])
        if values.sort.bottom:
            return Value(primal, {}, BOTTOM)
        element = self.heap.element(values.sort)
        if element.may("list", "tuple"):
            return self.refuse("sum of lists cannot be interleaved", node)
        seeds = [s for s in self.suffixes if s in values.tangents or any(s in v.tangents for v in start)]
        tangents: dict[str, ast.expr] = {}
        for s in seeds:
            along = values.tangents.get(s)
            added = [v.tangents[s] for v in start if s in v.tangents]
            if along is None:
                tangents[s] = added[0]
            else:
                tangents[s] = ast.Call(callee.primal, [along, *added], [])
        sort = element if element.may("array") else number(seeds)
        if element.may("array"):
            return self.as_array(Value(primal, tangents, sort), [values], node)
        return Value(primal, tangents, sort if seeds or element.may("number", "unknown") else INT)

    def call_fsum(self, node: ast.Call, callee: Value) -> Value:
        values = self.listed(node.args[0])
        primal = ast.Call(callee.primal, [values.primal], [])
        tangents: dict[str, ast.expr] = {s: ast.Call(callee.primal, [t], []) for s, t in values.tangents.items()}
        return Value(primal, tangents, BOTTOM if values.sort.bottom else number(tangents))

    def call_hypot(self, node: ast.Call, callee: Value) -> Value:
        if len(node.args) == 2 and not any(isinstance(a, ast.Starred) for a in node.args):
            return self.call_math(node, callee, "hypot")
        if any(isinstance(a, ast.Starred) for a in node.args):
            values = self.listed(ast.copy_location(ast.List(node.args, ast.Load()), node))
            return self.length(values, callee)
        args = self.operands(node.args)
        return self.apply(RULES["norm"], args, ast.Call(callee.primal, [a.primal for a in args], []), "")

    def length(self, values: Value, callee: Value) -> Value:
        """hypot(*values)"""
        values = self.atom(values) if values.tangents else values
        t = self.temp()
        v = text(values.primal)
        self.emit(f"{t} = {text(callee.primal)}(*{v})", PRIMAL)
        for s, d in values.tangents.items():
            along = f"sum(x / {t} * dx for x, dx in zip({v}, {text(d)})) if {t} else 0.0"
            self.emit(f"{self.dot(t, s)} = {along}", TANGENT)
        sort = number(values.tangents)
        return Value(name(t), {s: name(self.dot(t, s)) for s in values.tangents}, sort)

    def call_dist(self, node: ast.Call, callee: Value) -> Value:
        """The length of the differences."""
        p, q = node.args
        sizes = [self._length_of(x) for x in (p, q)]
        hypot = Value(parse(self.names.math("hypot")), {}, OBJECT)
        if None not in sizes and sizes[0] == sizes[1]:
            pairs = [[self._element_of(x, k) for k in range(sizes[0] or 0)] for x in (p, q)]
            differences = [ast.copy_location(ast.BinOp(a, ast.Sub(), b), node) for a, b in zip(*pairs, strict=True)]
            args = [self.operand(d) for d in differences]
            rule = RULES["hypot" if len(args) == 2 else "norm"]
            return self.apply(rule, args, ast.Call(hypot.primal, [a.primal for a in args], []), "")
        left, right = self.listed(p), self.listed(q)
        template = "[a - b for a, b in zip(p, q)]"
        tree = ast.parse(template, mode="eval").body
        assert isinstance(tree, ast.ListComp)
        tree.generators[0].iter = ast.Call(name("zip"), [hold(left), hold(right)], [])
        for part in ast.walk(tree):
            ast.copy_location(part, node)
        return self.length(self.visit(tree), hypot)

    def _length_of(self, node: ast.expr) -> int | None:
        if isinstance(node, (ast.List, ast.Tuple)) and not any(isinstance(e, ast.Starred) for e in node.elts):
            return len(node.elts)
        sort = self.quick(node)
        return len(sort.items) if sort.only("tuple") and sort.items is not None and simple(node) else None

    @staticmethod
    def _element_of(node: ast.expr, k: int) -> ast.expr:
        if isinstance(node, (ast.List, ast.Tuple)):
            return node.elts[k]
        return ast.copy_location(ast.Subscript(node, ast.Constant(k), ast.Load()), node)
