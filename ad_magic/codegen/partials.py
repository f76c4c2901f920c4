"""The local partials of an operation as expressions, and what is multiplied with them."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from ad_magic.engine.operation import Operation, compiled_partial, partial_of
from ad_magic.rules import RULES, Rule, by_entry, compile_expression
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import numpy_names

from .expressions import constant, name, number, partials_of, product, thunk
from .symbols import Symbol, Writer, bare, tree


class Partial(NamedTuple):
    """A local partial of a number."""

    expression: ast.expr
    value: Any  # in the recorded run
    ordinary: bool  # whether Python's arithmetic can compute it there, and it is finite


def scalar_partials(
    writer: Writer, rule: Rule, operands: Sequence[Any], marks: Sequence[bool], z: Any
) -> list[tuple[int, Partial]]:
    """(position, partial) for each active operand of a number."""
    trees = [tree(x, writer) for x in operands]
    plain = [bare(x) for x in operands]
    found = []
    for k, partial in partials_of(rule, trees, tree(z, writer), marks):
        point = (plain[k], len(plain)) if rule.variadic else plain
        value = partial_of(rule, 0 if rule.variadic else k, point, bare(z))
        found.append((k, Partial(partial, value, _is_ordinary(rule, k, point, bare(z), value))))
    return found


def _is_ordinary(rule: Rule, k: int, point: Sequence[Any], z: Any, value: Any) -> bool:
    """Whether Python's arithmetic can compute a partial here, and it is finite."""
    try:
        partial = compiled_partial(rule, 0 if rule.variadic else k, "plain")
        return math.isfinite(value) and math.isfinite(partial(*point, z))
    except (ArithmeticError, ValueError):
        return False


def times_partial(writer: Writer, partial: Partial, g: Any) -> Any:
    """partial * g; at a singular point as IEEE arithmetic has it, and an exact zero is absent."""
    if partial.ordinary and (constant(partial.expression) or np.all(np.isfinite(g.value))):
        with np.errstate(all="ignore"):
            expression = writer.block.atom(product(partial.expression, g.expression), writer.row)
            return type(g)(writer, expression, partial.value * g.value)
    writer.helpers["times"] = times
    call = ast.Call(name("times"), [limit_of(writer, partial), g.expression], [])
    value = _kept_infinite(times(partial.value, g.value), partial.value)
    return type(g)(writer, writer.block.atom(call, writer.row), value)


def _kept_infinite(product: Any, partial: Any) -> Any:
    """The recorded value of a product: where the partial is infinite, so is this.

    The program is for other directions too, in which the derivative is not zero as it may be in the recorded one: what
    comes after must be ready for infinities.
    """
    if not np.shape(product):
        return product if np.all(np.isfinite(partial)) else math.inf
    return np.where(np.isfinite(partial), product, np.inf)


def limit_of(writer: Writer, partial: Partial) -> ast.expr:
    """A partial as an expression; where it is no ordinary number, its limit."""
    if partial.ordinary:
        return partial.expression
    writer.helpers["at_edge"] = at_edge
    return ast.Call(name("at_edge"), [thunk(partial.expression), number(partial.value)], [])


def at_edge(partial, limit):  # these become part of the program
    """A partial where it is an ordinary number, else its limit at the recorded point."""
    try:
        value = partial()
    except (ArithmeticError, ValueError):
        return limit
    return value if value - value == 0 else limit


def times(partial, derivative):
    """A product in which an exact zero is absent: zero times infinity is zero."""
    return 0.0 if partial == 0 or derivative == 0 else partial * derivative


def times_by_entry(partial, derivative):
    """A product in which an exact zero is absent: zero times infinity is zero."""
    with np.errstate(all="ignore"):
        return np.where((partial == 0) | (derivative == 0), 0.0, partial * derivative)


def sech2(a, z):
    """The slope of tanh, z = tanh(a): 1 - z * z, but for the few entries where that would lose digits."""
    slope = 1 - z * z
    if np.size(slope) and np.min(slope) < 0.002:
        slope = np.where(slope < 0.002, (1 / np.cosh(a)) ** 2, slope)
    return slope


@cache
def _entry_partial(rule: Rule, partial: str) -> Any:
    names = {**numpy_names(), "sech2": lambda a, z: z.writer.helper("sech2", sech2, a, z)}
    return compile_expression(by_entry(partial), (*rule.arguments, "z"), names)


def rule_of(op: Operation) -> Rule:
    """The row of the table: the engine may know a shorter way where a value is at hand."""
    return RULES.get(op.name, op.rule)


def entry_times(
    writer: Writer, rule: Rule, operands: Sequence[Any], z: Any, partial: str, g: Any, backward: bool
) -> Any:
    """partial * g by entry; of a complex number its conjugate where the sweep goes `backward`."""
    if partial in ("1", "-1"):
        return g if partial == "1" else -g
    conjugate = backward and np.iscomplexobj(z)
    if partial.startswith("1 / "):
        divisor = _entry_partial(rule, partial.removeprefix("1 / "))(*operands, z)
        if _parsed_as_divisor(partial) and np.all(bare(divisor) != 0) and np.all(np.isfinite(bare(g))):
            return g / (np.conj(divisor) if conjugate else divisor)
    with np.errstate(all="ignore"):
        factor = _entry_partial(rule, partial)(*operands, z)
    if conjugate:
        factor = np.conj(factor)
    if not np.all(np.isfinite(bare(factor))) or not np.all(np.isfinite(bare(g))):
        product = writer.helper("times_by_entry", times_by_entry, factor, g)
        return Symbol(writer, product.expression, _kept_infinite(product.value, bare(factor)))
    return factor * g if isinstance(factor, Symbol) or not isinstance(factor, np.ndarray) else g * factor


@cache
def _parsed_as_divisor(partial: str) -> bool:
    tree = ast.parse(partial, mode="eval").body
    return isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div) and isinstance(tree.left, ast.Constant)
