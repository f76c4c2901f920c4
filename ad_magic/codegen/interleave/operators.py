"""Operators, choices and `:=`."""

from __future__ import annotations

import ast

from ad_magic.codegen.expressions import constant, name, text
from ad_magic.rules import RULES

from .layout import Line
from .nodes import Nodes
from .scopes import MUTATORS
from .sorts import (
    BOTTOM,
    INT,
    SEQUENCES,
    UNKNOWN,
    Sort,
    join,
    known,
    number,
)
from .values import Held, Value, names_of, simple

OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.Mod: "mod",
    ast.FloorDiv: "floordiv",
}  # fmt: skip

_LONG = 18  # a plain part that is longer becomes a statement of its own where a partial needs it again


class Operators(Nodes):
    """Arithmetic, and choices between values."""

    # ---- arithmetic ----

    def visit_BinOp(self, node: ast.BinOp) -> Value:
        if isinstance(node.left, (ast.Constant, ast.JoinedStr)) and isinstance(getattr(node.left, "value", ""), str):
            return self.plain(node)
        if isinstance(node.op, (ast.Add, ast.Sub)) and self.style != "compact":
            left = self.keep_order(self.term_of(node.left), node.right)
            right = self.term_of(node.right)
        else:
            left = self.keep_order(self.operand(node.left), node.right)
            right = self.operand(node.right)
        if isinstance(node.op, ast.MatMult):
            return self.product_of_arrays(node, left, right)
        kind = OPERATORS.get(type(node.op))
        if self.are_sequences(node.op, left, right):
            return self.sequences(node, left, right)
        if kind is None or left.sort.only("object") or right.sort.only("object"):
            if left.tangents or right.tangents:
                return self.refuse(f"the operator in `{ast.unparse(node)}` has no derivative", node)
            return Value(ast.BinOp(left.primal, node.op, right.primal), {}, join(left.sort, right.sort))
        return self.operation(kind, node.op, left, right, node)

    def operation(self, kind: str, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        """An arithmetic operation on two values."""
        if left.sort.bottom or right.sort.bottom:
            return Value(ast.BinOp(left.primal, op, right.primal), {}, BOTTOM)
        if left.tangents or right.tangents:
            left, right = self.again(left, right, kind), self.again(right, left, kind)
        primal = ast.BinOp(left.primal, op, right.primal)
        arrays = self.may_be_array(left) or self.may_be_array(right)
        value = self.apply(RULES[kind], [left, right], primal, "np" if arrays else "")
        return self.as_array(value, [left, right], node) if arrays else value

    def may_be_array(self, value: Value) -> bool:
        """Whether a value may be an array: one that is not known may, where the program has NumPy."""
        return value.sort.may("array") or (value.sort.may("unknown") and self.has_numpy)

    def again(self, value: Value, other: Value, kind: str) -> Value:
        """A plain part that a partial needs again, and that is long, becomes a statement of its own."""
        if value.tangents or simple(value.primal) or kind in ("add", "sub") or not other.tangents:
            return value
        return self.atom(value) if len(text(value.primal)) > _LONG or self.calls(value.primal) else value

    def calls(self, node: ast.expr) -> bool:
        """Whether an expression calls anything but functions of math and NumPy."""
        modules = tuple(f"{m}." for m in self.names.modules.values())
        return any(isinstance(n, ast.Call) and not text(n.func).startswith(modules) for n in ast.walk(node))

    def keep_order(self, value: Value, later: ast.expr) -> Value:
        """What is read before a call that may change it is kept under a name of its own."""
        if self.may_change(value.primal, later):
            t = self.temp()
            self.bind(t, value, temporary=value.sort)
            return self.of_name(t, value.sort)
        return value

    def may_change(self, node: ast.expr, later: ast.expr) -> bool:
        """Whether what is read may be changed by what is computed after it."""
        names = {n.id for n in ast.walk(later) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        calls = [n for n in ast.walk(later) if isinstance(n, ast.Call)]
        if calls:
            names |= self.effects
        writes = any(isinstance(c.func, ast.Attribute) and c.func.attr in MUTATORS for c in calls)
        if self.names.writes:
            writes = writes or any(isinstance(c.func, ast.Name) and self.quick(c.func).functions for c in calls)
        reads = any(isinstance(n, ast.Subscript) for n in ast.walk(node))
        return bool(names & names_of(node)) or (writes and reads)

    def term_of(self, node: ast.expr) -> Value:
        """An operand of a sum."""
        value = self.visit(node)
        return value if simple(value.primal) else self.term(value)

    @staticmethod
    def are_sequences(op: ast.operator, left: Value, right: Value) -> bool:
        """Whether `+` joins lists, or `*` repeats one. A number with a derivative repeats nothing."""
        if isinstance(op, ast.Add):
            return left.sort.may("list", "tuple") and right.sort.may("list", "tuple")
        return isinstance(op, ast.Mult) and (left.sort.only("list", "tuple") or right.sort.only("list", "tuple"))

    def sequences(self, node: ast.BinOp, left: Value, right: Value) -> Value:
        """`+` and `*` of lists and tuples."""
        primal = ast.BinOp(left.primal, node.op, right.primal)
        if left.sort.bottom or right.sort.bottom:
            return Value(primal, {}, BOTTOM)
        repeated = isinstance(node.op, ast.Mult)
        parts = [v for v in (left, right) if v.sort.may("list", "tuple")]
        kinds = frozenset().union(*(p.sort.kinds & SEQUENCES for p in parts))
        if not repeated and len(parts) == 2 and all(p.sort.only("tuple") and p.sort.items is not None for p in parts):
            sort = Sort(frozenset({"tuple"}), items=(*(left.sort.items or ()), *(right.sort.items or ())))
        else:
            sort = Sort(kinds, sites=frozenset({self.site(node)}))
            for p in parts:
                self.heap.put(sort, self.heap.element(p.sort))
        seeds = [s for s in self.suffixes if any(s in p.tangents for p in parts) or s in self.heap.seeds(sort)]
        if any(p.sort.may("number", "int") for p in parts) and not repeated:
            sort = join(sort, number(seeds))
        self.heap.carry(sort, seeds)

        def along(s: str) -> ast.expr:
            both = [self.tangent(v, s) if v in parts else v.primal for v in (left, right)]
            return ast.BinOp(both[0], node.op, both[1])

        return Value(primal, {s: along(s) for s in seeds}, sort)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, (ast.Not, ast.Invert)):
            return self.plain(node, Sort(frozenset({"array"})) if self.quick(node.operand).may("array") else INT)
        if constant(node) is not None:
            return Value(node, {}, known(constant(node), "int" if isinstance(constant(node), int) else "number"))
        value = self.operand(node.operand)
        primal = ast.UnaryOp(node.op, value.primal)
        if isinstance(node.op, ast.UAdd):
            return Value(primal, value.tangents, value.sort)
        arrays = self.may_be_array(value)
        result = self.apply(RULES["neg"], [value], primal, "np" if arrays else "")
        return self.as_array(result, [value], node) if arrays else result

    # ---- choices ----

    def visit_IfExp(self, node: ast.IfExp, target: str | None = None) -> Value:
        if not (self.try_out(node.body).tangents or self.try_out(node.orelse).tangents):
            sort = join(self.quick(node.body), self.quick(node.orelse))
            if not self.writes_something(node):
                return self.plain(node, sort)
        test = self.look(node.test)
        return self.choice(test, node.body, node.orelse, target)

    def choice(self, test: ast.expr, body: ast.expr, orelse: ast.expr, target: str | None = None) -> Value:
        """One of two values: as an expression where it is short, else as a statement."""
        blocks, values = [], []
        kept = self.out
        for part in (body, orelse):
            self.out = []
            values.append(self.visit(part))
            blocks.append(self.out)
        self.out = kept
        yes, no = values
        sort = join(yes.sort, no.sort)
        if not any(blocks) and (self.style == "compact" or all(simple(v.primal) for v in values)):
            yes, no = self.settled(yes), self.settled(no)
            seeds = [s for s in self.suffixes if s in yes.tangents or s in no.tangents]
            return Value(
                ast.IfExp(test, yes.primal, no.primal),
                {s: ast.IfExp(test, self.tangent(yes, s), self.tangent(no, s)) for s in seeds},
                sort,
            )
        variable = target or self.temp()
        scope = self.scope if target is None else (self.scope.owner(target) or self.scope)
        fact = sort if target is None else self.learn(scope, variable, sort)
        self.heap.settle(fact)
        bodies = []
        for block, value in zip(blocks, (yes, no), strict=True):
            self.out = block
            self.bind(variable, value, scope, sort if target is None else None)
            bodies.append(self.out)
        self.out = kept
        self.out += [Line(f"if {text(test)}:", body=bodies[0]), *_else(bodies[1])]
        return self.of_name(variable, fact)

    def visit_BoolOp(self, node: ast.BoolOp) -> Value:
        if not any(self.quick_active(x) for x in node.values) and not self.writes_something(node):
            return self.plain(node, INT if all(self.quick(x).only("int") for x in node.values) else UNKNOWN)
        first = self.atom(self.visit(node.values[0]))
        rest = node.values[1] if len(node.values) == 2 else ast.BoolOp(node.op, node.values[1:])
        hold = Held(first)
        return (
            self.choice(first.primal, rest, hold, None)
            if isinstance(node.op, ast.And)
            else self.choice(first.primal, hold, rest, None)
        )

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Value:
        variable = self.variable(node.target.id)
        self.bind(variable, self.visit(node.value), self.scope.owner(variable) or self.scope)
        return self.visit_Name(name(node.target.id))


def _else(body: list[Line]) -> list[Line]:
    """`else:`, or `elif` where it holds one `if` only."""
    if (
        body
        and body[0].text.startswith("if ")
        and all(x.text.startswith(("if", "elif", "else")) for x in body)
        and sum(x.text.startswith("if ") for x in body) == 1
    ):
        return [Line("el" + body[0].text, body=body[0].body), *body[1:]]
    return [Line("else:", body=body)] if body else []
