"""An operation by its row of the derivative table: for each seed the sum of partial * tangent."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ad_magic.codegen.expressions import constant, is_zero, name, negative, parse, partials_of, product, text, total
from ad_magic.rules import Rule, by_entry

from .sorts import (
    BOTTOM,
    INT,
    Sort,
    number,
)
from .values import Value, Values, Z, call, names_of, replaced

CONSTANTS = {
    "LN2": "log(2)", "LN10": "log(10)", "DEGREES": "180 / pi", "RADIANS": "pi / 180", "PI": "pi",
    "TWO_OVER_SQRT_PI": "2 / sqrt(pi)",
}  # fmt: skip

OF_NUMPY = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "atan2": "arctan2", "pow": "power",
}  # fmt: skip

BUILTIN = {"abs", "float", "max", "min", "sum", "round"}

HELPERS = {"sign", "rint", "sech2", "polygamma", "ln"}

_VERTICAL = "the slope is infinite here"


class Rules(Values):
    """Operations of the table."""

    def apply(self, rule: Rule, args: Sequence[Value], primal: ast.expr, style: str, sort: Sort | None = None) -> Value:
        """An operation of the table: the value `primal`, and for each seed the sum of partial * tangent.

        `style` says how functions are named in the partials: "" as those of math, "np" as those of NumPy.
        """
        active = [bool(a.tangents) for a in args]
        if any(a.sort.bottom for a in args):
            return Value(primal, {}, BOTTOM)
        if rule.step or not any(active):
            return Value(primal, {}, sort or self._result(args))
        arrays = style == "np"
        parts = self.partials(rule, args, active, arrays)
        guards, slope = self.kink(rule, args, arrays)
        tangents: dict[str, ast.expr] = {}
        for s in self.suffixes:
            terms: list[ast.expr] = []
            steep: list[ast.expr] = []
            for k, partial in parts:
                if s not in args[k].tangents:
                    continue
                d = args[k].tangents[s]
                if guards is not None and arrays:
                    terms.append(call(self.use("times"), partial, d))
                    continue
                terms.append(chosen(partial, d))
                if guards is not None:
                    infinite: ast.expr = call(slope.removeprefix("-"), d)
                    steep.append(negative(infinite) if slope.startswith("-") else infinite)
            if not terms:
                continue
            whole = total(terms)
            if len(terms) == 2 and text(terms[0]) == text(terms[1]) and isinstance(terms[0], ast.BinOp):
                whole = parse(f"2 * {text(terms[0])}")  # x + x
            if guards is not None and not arrays:
                whole = ast.IfExp(guards, whole, total(steep[:1] if rule.name in ("pow", "fpow") else steep))
            if is_zero(whole):
                continue
            tangents[s] = whole
        return Value(primal, tangents, sort or self._result(args, tangents))

    def _result(self, args: Iterable[Value], seeds: Iterable[str] = ()) -> Sort:
        if not seeds and all(a.sort.only("int") for a in args):
            return INT
        return number(seeds)

    def partials(
        self, rule: Rule, args: Sequence[Value], active: Sequence[bool], arrays: bool
    ) -> list[tuple[int, ast.expr]]:
        """The local partials, in the names of the program."""
        shown = None if rule.name in ("pow", "fpow") else (0, 1, -1)  # others stay: x / 3 is not x * (1 / 3)
        nodes = [a.primal if _settles(constant(a.primal), shown) else name(f"__{k}__") for k, a in enumerate(args)]
        if rule.given_b is not None and constant(args[1].primal) is None:
            rule = replace(rule, given_b=None)  # its form for a number as exponent
            found = [(k, p) for k, p in partials_of(rule, nodes, name(Z), [True, True]) if active[k]]
        else:
            found = partials_of(rule, nodes, name(Z), active)
        own = {f"__{k}__": a.primal for k, a in enumerate(args)}
        return [(k, replaced(self.spelled(p, arrays, rule), own)) for k, p in found]

    def spelled(self, partial: ast.expr, arrays: bool, rule: Rule) -> ast.expr:
        """An expression of the table in the names that the program has for its functions and constants."""
        tree = ast.parse(by_entry(text(partial)) if arrays else text(partial), mode="eval").body
        spell = self._spell_numpy if arrays else self._spell_math
        power = rule.name in ("pow", "fpow") and not arrays

        class Spell(ast.NodeTransformer):
            def visit_Call(self, node: ast.Call) -> ast.expr:
                called = node.func.id if isinstance(node.func, ast.Name) else ""
                node.args = [self.visit(a) for a in node.args]
                if called == "sech2" and arrays:
                    return ast.BinOp(
                        ast.BinOp(ast.Constant(1), ast.Div(), call(spell("cosh"), node.args[0])),
                        ast.Pow(),
                        ast.Constant(2),
                    )
                if called == "sech2":
                    node.args = node.args[:1]
                if called == "choose":
                    node.args = [node.args[0], *(a.body if isinstance(a, ast.Lambda) else a for a in node.args[1:])]
                logarithm = called == "log" and power and constant(node.args[0]) is None
                node.func = parse(spell("ln" if logarithm else called))
                return node

            def visit_Name(self, node: ast.Name) -> ast.expr:
                if node.id in CONSTANTS:
                    names = {n: parse(spell(n)) for n in names_of(parse(CONSTANTS[node.id]))}
                    return replaced(parse(CONSTANTS[node.id]), names)
                return parse(spell(node.id)) if node.id in ("inf", "nan") else node

        return Spell().visit(tree)

    def _spell_math(self, function: str) -> str:
        if function in HELPERS:
            return self.use(function)
        return function if function in BUILTIN else self.names.math(function)

    def _spell_numpy(self, function: str) -> str:
        np = self.names.numpy()
        if function in ("polygamma", "ln"):
            self.refuse("this function of arrays has no derivative that is written as text")
        if function == "choose":
            return f"{np}.where"
        if function in ("both", "either"):
            return f"{np}.logical_{'and' if function == 'both' else 'or'}"
        if function == "sech2":
            return self.use("sech2")
        return f"{np}.{OF_NUMPY.get(function, function)}"

    def kink(self, rule: Rule, args: Sequence[Value], arrays: bool) -> tuple[ast.expr | None, str]:
        """(a condition for the slope to be finite, the helper for where it is not), where it may be infinite."""
        if rule.kink is None or (rule.kink.why != _VERTICAL and rule.name != "atan2"):
            return None, ""
        if rule.name in ("pow", "fpow") and (not args[0].tangents or args[1].sort.only("int")):
            return None, ""
        names = dict(zip(rule.arguments, (a.primal for a in args), strict=True))
        where = replaced(parse(rule.kink.where), {**names, "z": name(Z)})
        condition = unless(where)
        if isinstance(condition, ast.Constant):
            return (None, "") if condition.value else (ast.Constant(False), "steep")
        sign = "-" if rule.partials[0].startswith("-") else ""
        if arrays:
            return condition, ""
        helper = self.use("undefined" if rule.name == "atan2" else "steep")
        return condition, sign + helper


def _settles(known: float | None, among: tuple[int, ...] | None) -> bool:
    """Whether an expression with this constant in it is to be simplified by it."""
    return known is not None and (among is None or known in among)


def chosen(partial: ast.expr, d: ast.expr) -> ast.expr:
    """partial * d; in each branch of a choice."""
    if isinstance(partial, ast.IfExp):
        return ast.IfExp(partial.test, chosen(partial.body, d), chosen(partial.orelse, d))
    return product(partial, d)


def unless(where: ast.expr) -> ast.expr:
    """The opposite of a condition of the table, as a person writes it."""
    if isinstance(where, ast.BoolOp) and isinstance(where.op, ast.And):
        parts = [unless(x) for x in where.values]
        if any(isinstance(p, ast.Constant) and p.value for p in parts):
            return ast.Constant(True)
        left = [p for p in parts if not isinstance(p, ast.Constant)]
        return left[0] if len(left) == 1 else ast.BoolOp(ast.Or(), left) if left else ast.Constant(False)
    if isinstance(where, ast.Compare) and len(where.ops) == 2:
        values = [constant(x) for x in (where.left, *where.comparators)]
        if None not in values:
            return ast.Constant(not values[0] < values[1] < values[2])
        return ast.UnaryOp(ast.Not(), where)
    if isinstance(where, ast.Compare) and isinstance(where.ops[0], ast.Eq):
        left, right = constant(where.left), constant(where.comparators[0])
        if left is not None and right is not None:
            return ast.Constant(left != right)
        if right == 0:
            return where.left
        return ast.Compare(where.left, [ast.NotEq()], where.comparators)
    return ast.UnaryOp(ast.Not(), where)
