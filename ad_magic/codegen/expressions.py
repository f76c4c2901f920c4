"""Expressions as syntax trees: put together from rows of the derivative table, and simplified as a person would.

Trees are never changed, only built anew, so they may be shared. Nothing here reorders a computation: a simplified
expression gives the same float, except that zero times anything is zero (an exact zero is absent).
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from ad_magic.rules import Rule


@cache
def parse(text: str) -> ast.expr:
    """The tree of an expression.

    >>> text(parse("a*(b+c)"))
    'a * (b + c)'
    """
    return ast.parse(text, mode="eval").body


def text(expression: ast.expr) -> str:
    """An expression as a person writes it: only the brackets that are needed, a simple power close together.

    >>> text(parse("(a*b) ** 2 + x ** 2 * f(y) ** 3"))
    '(a * b) ** 2 + x**2 * f(y) ** 3'
    """
    return _POWER.sub(r"\1**\2", ast.unparse(expression))


# of a name or a number, as formatters have it
_POWER = re.compile(r"(?<![\w.)\]])([A-Za-z_\d][\w.]*) \*\* (-?[A-Za-z_\d][\w.]*)(?![\w.(\[])")


def name(identifier: str) -> ast.Name:
    """A name, to be read."""
    return ast.Name(identifier, ast.Load())


def number(x: Any) -> ast.expr:
    """A real number, so that its text gives the same number; infinities and NaN are the names `inf` and `nan`.

    >>> text(ast.BinOp(number(-2.0), ast.Pow(), name("v1"))), text(number(math.inf))
    ('(-2.0) ** v1', 'inf')
    """
    if isinstance(x, bool) or x is None:
        return ast.Constant(x)
    x = int(x) if isinstance(x, int) else float(x)
    if x != x:
        return name("nan")
    if math.copysign(1.0, x) < 0:
        return ast.UnaryOp(ast.USub(), number(-x))
    return name("inf") if x == math.inf else ast.Constant(x)


def thunk(value: ast.expr) -> ast.expr:
    """A function without arguments that computes an expression."""
    return ast.Lambda(ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]), value)


def put(expression: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
    """The expression with others in the place of its names. (The function that is called keeps its name.)

    >>> text(put(parse("a ** b"), {"a": parse("x + 1"), "b": number(-2)}))
    '(x + 1) ** (-2)'
    """
    # the frequent ones at once: long programs have very many
    if isinstance(expression, ast.Name):
        return names.get(expression.id, expression)
    if isinstance(expression, ast.Constant):
        return expression
    if isinstance(expression, ast.BinOp):
        old_left, old_right = expression.left, expression.right
        left, right = put(old_left, names), put(old_right, names)
        if left is old_left and right is old_right:
            return expression
        return ast.BinOp(left, expression.op, right)
    return cast(ast.expr, _Put(names).visit(expression))


def copied(node: Any) -> Any:
    """A syntax tree anew, with its places; a node without parts is the same one.

    Not by copy.deepcopy: all trees share one `ast.Load()`, on which tools that show tracebacks leave the way to a tree
    of theirs; each copy would be of that one too.

    >>> tree = parse("f(x)")
    >>> text(copied(tree)), copied(tree) is tree
    ('f(x)', False)
    """
    if isinstance(node, list):
        return [copied(x) for x in node]
    if not isinstance(node, ast.AST) or not node._fields:
        return node
    new = type(node)(**{field: copied(getattr(node, field)) for field in node._fields if hasattr(node, field)})
    for place in node._attributes:
        if hasattr(node, place):
            setattr(new, place, getattr(node, place))
    return new


class _Rebuilding(ast.NodeTransformer):
    """Visits the parts of a node and builds a new one where one of them has changed."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        fields, changed = {}, False
        for field, old in ast.iter_fields(node):
            new: Any = old
            if isinstance(old, list):
                new = [self.visit(x) if isinstance(x, ast.AST) else x for x in old]
                changed |= any(a is not b for a, b in zip(old, new, strict=True))
            elif isinstance(old, ast.expr):
                new = self.visit(old)
                changed |= new is not old
            fields[field] = new
        return type(node)(**fields) if changed else node


class _Put(_Rebuilding):
    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.names.get(node.id, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        args = [self.visit(x) for x in node.args]
        function = node.func if isinstance(node.func, ast.Name) else self.visit(node.func)
        return ast.Call(function, args, [cast(ast.keyword, self.visit(k)) for k in node.keywords])


# ---- simplification ------------------------------------------------------------------------------


def simplified(expression: ast.expr) -> ast.expr:
    """The expression as a person would write it: without `* 1`, `+ 0` and choices that are settled.

    >>> for e in ("1.0 * x + 0", "x + -y", "-x * -y", "0 * exp(x) + y", "2 * a if 3 == 2 else 3 * a ** (3 - 1)"):
    ...     print(text(simplified(parse(e))))
    x
    x - y
    x * y
    y
    3 * a**2
    """
    return cast(ast.expr, _Simplified().visit(expression))


class _Simplified(_Rebuilding):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node = cast(ast.UnaryOp, self.generic_visit(node))
        if isinstance(node.op, ast.USub):
            return negative(node.operand)
        if isinstance(node.op, ast.Not) and (truth := _truth(node.operand)) is not None:
            return ast.Constant(not truth)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node = cast(ast.BinOp, self.generic_visit(node))
        kind = type(node.op)
        x, y = constant(node.left), constant(node.right)
        if x is not None and y is not None and (folded := _folded(kind, x, y)) is not None:
            return folded
        simplify = _BINARY.get(kind)
        return simplify(node.left, node.right, x, y) if simplify else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        node = cast(ast.Compare, self.generic_visit(node))
        values = [constant(x) for x in (node.left, *node.comparators)]
        if len(values) == 2 and None not in values and type(node.ops[0]) in _COMPARE:
            return ast.Constant(_COMPARE[type(node.ops[0])](*values))
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """In the table `and` and `or` are only ever conditions: what they give is true or false."""
        node = cast(ast.BoolOp, self.generic_visit(node))
        settles = isinstance(node.op, ast.Or)  # a true part settles it
        truths = [_truth(x) for x in node.values]
        if settles in truths:
            return ast.Constant(settles)
        left = [x for x, truth in zip(node.values, truths, strict=True) if truth is None]
        return ast.Constant(not settles) if not left else left[0] if len(left) == 1 else ast.BoolOp(node.op, left)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self.visit(node.test)
        truth = _truth(test)
        if truth is not None:
            return self.visit(node.body if truth else node.orelse)
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))


def constant(expression: ast.expr) -> Any:
    """The number that an expression is, or None.

    >>> constant(parse("-2.5")), constant(parse("x"))
    (-2.5, None)
    """
    if isinstance(expression, ast.Constant) and type(expression.value) in (int, float, bool):
        return expression.value
    if isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.USub):
        inner = constant(expression.operand)
        return None if inner is None else -inner
    return None


def is_zero(expression: ast.expr) -> bool:
    """Whether an expression is the number zero."""
    x = constant(expression)
    return x is not None and x == 0


def negative(x: ast.expr) -> ast.expr:
    """-x"""
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        return x.operand
    return ast.UnaryOp(ast.USub(), x)


def _without_sign(x: ast.expr) -> ast.expr | None:
    """y where x is -y."""
    return x.operand if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub) else None


def _without_first_sign(x: ast.expr) -> ast.expr | None:
    """y * z where x is -y * z, which is the same number as -(y * z)."""
    if isinstance(x, ast.BinOp) and isinstance(x.op, (ast.Mult, ast.Div)):
        left = _without_first_sign(x.left)
        return None if left is None else ast.BinOp(left, x.op, x.right)
    return _without_sign(x)


def _is_sum(x: ast.expr) -> bool:
    return isinstance(x, ast.BinOp) and isinstance(x.op, (ast.Add, ast.Sub))


def _truth(x: ast.expr) -> bool | None:
    known = constant(x)
    return None if known is None else bool(known)


def _folded(kind: type[ast.operator], x: Any, y: Any) -> ast.expr | None:
    try:
        z = _OPERATE[kind](x, y)
    except (ArithmeticError, KeyError):
        return None
    return number(z) if isinstance(z, (int, float)) and math.isfinite(z) and abs(z) < 1e300 else None


_OPERATE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip


def _add(a: ast.expr, b: ast.expr, x: Any, y: Any) -> ast.expr:
    if x == 0:
        return b
    if y == 0:
        return a
    if (minus := _without_first_sign(b)) is not None:
        return ast.BinOp(a, ast.Sub(), minus)
    if (minus := _without_first_sign(a)) is not None and x is None and not _is_sum(b):
        return ast.BinOp(b, ast.Sub(), minus)
    return ast.BinOp(a, ast.Add(), b)


def _subtract(a: ast.expr, b: ast.expr, x: Any, y: Any) -> ast.expr:
    if y == 0:
        return a
    if x == 0:
        return negative(b)
    if (minus := _without_first_sign(b)) is not None:
        return ast.BinOp(a, ast.Add(), minus)
    return ast.BinOp(a, ast.Sub(), b)


def _multiply(a: ast.expr, b: ast.expr, x: Any, y: Any) -> ast.expr:
    if x == 0 or y == 0:
        return ast.Constant(0.0)
    if x == 1:
        return b
    if y == 1:
        return a
    if x == -1:
        return negative(b)
    if y == -1:
        return negative(a)
    first, second = _without_sign(a), _without_sign(b)
    if first is not None and x is None:
        return _signed(_multiply(first, b, None, y))
    if second is not None and y is None:
        return _signed(_multiply(a, second, x, None))
    if y is not None and x is None:  # a number stands first
        a, b = b, a
    return ast.BinOp(a, ast.Mult(), b)


def _signed(x: ast.expr) -> ast.expr:
    """-x, the sign at the first factor: -a * b is the same number as -(a * b)."""
    if isinstance(x, ast.BinOp) and isinstance(x.op, (ast.Mult, ast.Div)):
        return ast.BinOp(_signed(x.left), x.op, x.right)
    return negative(x)


def _divide(a: ast.expr, b: ast.expr, x: Any, y: Any) -> ast.expr:
    if y == 1:
        return a
    if x == 0 and y is None:
        return ast.Constant(0.0)
    return ast.BinOp(a, ast.Div(), b)


def _power(a: ast.expr, b: ast.expr, x: Any, y: Any) -> ast.expr:
    if y == 1:
        return a
    if y == 0:
        return ast.Constant(1.0)
    return ast.BinOp(a, ast.Pow(), b)


_BINARY: dict[type[ast.operator], Callable[[ast.expr, ast.expr, Any, Any], ast.expr]] = {
    ast.Add: _add, ast.Sub: _subtract, ast.Mult: _multiply, ast.Div: _divide, ast.Pow: _power,
}  # fmt: skip


# ---- sums of products, as derivatives are ----------------------------------------------------------


def product(partial: ast.expr, derivative: ast.expr) -> ast.expr:
    """partial * derivative; 1 / q as a partial divides.

    >>> [text(product(parse(p), parse("dx"))) for p in ("1", "-1", "2 * x", "-sin(x)", "1 / x")]
    ['dx', '-dx', '2 * x * dx', '-sin(x) * dx', 'dx / x']
    """
    if isinstance(partial, ast.BinOp) and isinstance(partial.op, ast.Div) and constant(partial.left) in (1, -1):
        numerator = derivative if constant(partial.left) == 1 else negative(derivative)
        return _divide(numerator, partial.right, constant(numerator), constant(partial.right))
    return _multiply(partial, derivative, constant(partial), constant(derivative))


def total(terms: Iterable[ast.expr]) -> ast.expr:
    """The sum of the terms, from left to right; 0.0 where all are absent.

    >>> text(total([parse("dx"), parse("0.0"), parse("-dy")]))
    'dx - dy'
    """
    s: ast.expr = ast.Constant(0.0)
    for term in terms:
        s = _add(s, term, constant(s), constant(term))
    return s


def value_of(rule: Rule, arguments: Sequence[ast.expr]) -> ast.expr:
    """The primitive of these arguments, as the table writes it.

    >>> from ad_magic.rules import RULES
    >>> text(value_of(RULES["fma"], list(map(name, "xyz"))))
    'fma(x, y, z)'
    """
    if rule.variadic:
        call = cast(ast.Call, parse(rule.value))
        if isinstance(call.args[0], ast.Starred):
            return ast.Call(call.func, list(arguments), [])
        return ast.Call(call.func, [ast.List(list(arguments), ast.Load())], [])
    return put(parse(rule.value), dict(zip(rule.arguments, arguments, strict=True)))


def partials_of(
    rule: Rule, arguments: Sequence[ast.expr], z: ast.expr, active: Sequence[bool]
) -> list[tuple[int, ast.expr]]:
    """(position, local partial) for each active argument, in these arguments and the result z, simplified.

    >>> from ad_magic.rules import RULES
    >>> x, two, z = name("x"), number(2), name("z")
    >>> [(k, text(p)) for k, p in partials_of(RULES["pow"], [x, two], z, [True, False])]
    [(0, '2 * x')]
    >>> [(k, text(p)) for k, p in partials_of(RULES["div"], [x, name("y")], z, [True, True])]
    [(0, '1 / y'), (1, '-z / y')]
    >>> [(k, text(product(p, name("dx")))) for k, p in partials_of(RULES["div"], [x, number(3)], z, [True, False])]
    [(0, 'dx / 3')]
    """
    if rule.variadic:
        known = {"z": z, "n": number(len(arguments))}
        partial = parse(rule.partials[0])
        return [
            (k, simplified(put(partial, {**known, "x": x})))
            for k, (x, on) in enumerate(zip(arguments, active, strict=True))
            if on
        ]
    known = {**dict(zip(rule.arguments, arguments, strict=True)), "z": z}
    return [(k, _simplified_partial(put(parse(p), known))) for k, p in rule.live_partials(tuple(active))]


def _simplified_partial(partial: ast.expr) -> ast.expr:
    """Simplified, but 1 / 3 stays a division: `dx / 3` is the float that the engine computes, `0.3333 * dx` another."""
    if isinstance(partial, ast.BinOp) and isinstance(partial.op, ast.Div) and constant(partial.left) in (1, -1):
        divisor = simplified(partial.right)
        if constant(divisor) not in (None, 0, 1):
            return ast.BinOp(partial.left, ast.Div(), divisor)
    return simplified(partial)
