"""What a derivative rule is, and how its expressions become functions."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

ARGUMENTS = ("a", "b", "c", "d", "p", "q", "r", "s")  # no row of the table has more than three


@dataclass(frozen=True, slots=True)
class Kink:
    """Where a primitive has no derivative.

    `where` is a condition in the arguments and `z`; `left` and `right` are the one-sided slopes there (expressions, or
    None where the function jumps), `why` says in words what happens. Where it `jumps` its value is taken for that on
    both sides.
    """

    where: str
    why: str
    left: str | None = None
    right: str | None = None
    jumps: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the derivative table: a primitive, its value and its local partials, as expressions.

    The arguments are a, b, c; a partial may use them and the result z:

    >>> from ad_magic.rules import RULES
    >>> RULES["div"].value, RULES["div"].partials
    ('a / b', ('1 / b', '-z / b'))
    """

    name: str
    value: str
    partials: tuple[str, ...]
    kink: Kink | None = None
    step: bool = False  # piecewise constant: the derivative is zero wherever it exists, so it stops here
    given_b: str | None = None  # the partial with respect to a where b is a constant: the same number, found sooner
    variadic: bool = False  # a is a list; the one partial is that with respect to one of its n entries, x
    of_complex: str | None = None  # the one partial for complex numbers: in the result, which knows its branch
    closing: tuple[str, ...] | None = None  # the partials in terms of the result: their power series end in its own
    seam: tuple[str, int] | None = None  # where a partial is put together of two pieces, and up to which derivative of
    # the primitive these agree
    bend: str | None = None  # where the slope is finite, and its own slope is not
    called: str | None = None  # of the user's own (own.py): how he calls it; its value is an expression in others
    function: Callable[..., Any] | None = None  # of the user's own: the value, where no expression says it

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        return ARGUMENTS[: len(self.partials)]

    def live_partials(self, active: tuple[bool, ...], is_complex: bool = False) -> list[tuple[int, str]]:
        """(position, partial) for each active argument."""
        if is_complex and self.of_complex is not None:
            return [(0, self.of_complex)]
        if self.given_b is not None and active == (True, False):
            return [(0, self.given_b)]
        return [(k, partial) for k, (partial, on) in enumerate(zip(self.partials, active, strict=True)) if on]

    def expression(self, *operands: str) -> str:
        """The primitive as a person writes it, with these operands.

        >>> from ad_magic.rules import RULES
        >>> RULES["mul"].expression("v1", "v2"), RULES["pow"].expression("-2.0", "v1")
        ('v1 * v2', '(-2.0) ** v1')
        """
        if self.variadic:
            return self.value.replace("*a", ", ".join(operands)).replace("(a)", f"([{', '.join(operands)}])")
        if self.called is not None:
            return f"{self.called}({', '.join(operands)})"
        called = self.value.endswith(")")  # inside a call, a negative operand needs no brackets
        shown = (f"({text})" if text.startswith("-") and not called else text for text in operands)
        return substitute(self.value, dict(zip(ARGUMENTS, shown, strict=False)))


def substitute(expression: str, names: Mapping[str, str]) -> str:
    """The expression with other texts for its names, its spelling kept.

    >>> substitute("b * a ** (b - 1)", {"a": "v1", "b": "3"})
    '3 * v1 ** (3 - 1)'
    """
    found = sorted((node.col_offset, node.id) for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name))
    pieces, end = [], 0
    for start, name in found:
        pieces += [expression[end:start], names.get(name, name)]
        end = start + len(name)
    return "".join([*pieces, expression[end:]])


@cache
def names_in(expression: str) -> frozenset[str]:
    """The names that an expression uses.

    >>> sorted(names_in("1 / cosh(a)"))
    ['a', 'cosh']
    """
    return frozenset(node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name))


OURS = "ad_magic"  # the module of generated functions: without one they would be taken for the user's


def define(source: str, name: str, namespace: dict[str, Any], title: str) -> Callable[..., Any]:
    """Run the source of one function and return it; its text stays readable for tracebacks and debuggers.

    `title` names the made-up file, so that a frame of generated code can be told from a frame of the user.
    """
    filename = f"<ad_magic {title}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace.setdefault("__name__", OURS)
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def compile_expression(expression: str, arguments: tuple[str, ...], namespace: Mapping[str, Any]) -> Callable[..., Any]:
    """The function of these arguments that an expression of the table describes, its names looked up in `namespace`.

    >>> import math
    >>> compile_expression("cos(a)", ("a",), vars(math))(0.0)
    1.0
    """
    source = f"lambda {', '.join(arguments)}: {expression}"
    return eval(compile(source, f"<ad_magic {expression}>", "eval"), {**namespace, "__name__": OURS})


class _ByEntry(ast.NodeTransformer):
    """`x if condition else y`, `and`, `or` as functions that go by entries."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        node = cast(ast.IfExp, self.generic_visit(node))
        thunks = [ast.Lambda(_no_arguments(), branch) for branch in (node.body, node.orelse)]
        return ast.Call(ast.Name("choose", ast.Load()), [node.test, *thunks], [])

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        node = cast(ast.BoolOp, self.generic_visit(node))
        name = "both" if isinstance(node.op, ast.And) else "either"
        combined = node.values[0]
        for value in node.values[1:]:
            combined = ast.Call(ast.Name(name, ast.Load()), [combined, value], [])
        return combined

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """`a < b < c` as two comparisons."""
        node = cast(ast.Compare, self.generic_visit(node))
        terms = [node.left, *node.comparators]
        pairs = [ast.Compare(terms[k], [op], [terms[k + 1]]) for k, op in enumerate(node.ops)]
        return pairs[0] if len(pairs) == 1 else self.visit_BoolOp(ast.BoolOp(ast.And(), list(pairs)))


def _no_arguments() -> ast.arguments:
    return ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])


def by_entry(expression: str) -> str:
    """An expression of the table as one that goes by the entries of arrays.

    >>> by_entry("1.0 if a > b else 0.0")
    'choose(a > b, lambda: 1.0, lambda: 0.0)'
    """
    tree = _ByEntry().visit(ast.parse(expression, mode="eval"))
    return ast.unparse(ast.fix_missing_locations(tree))
