"""What an operation costs: its value, one push of a tangent, one pull of an adjoint. The one place that says so.

The counts are read off the expressions of the derivative table, so they cannot drift from what the sweeps compute;
those of array primitives off their function pairs (`arrays/costs.py`). What counts as one: + − × ÷, a power, a call of
a function. What does not:

- a sign, and a factor of 1 or −1: they go into the addition that follows;
- what is made of constants alone: it could be computed once;
- a comparison; of an expression with an `if` the branch counts that is taken;
- moving a number: an index, a slice, a write.

An operation on arrays costs that for each entry. What the sums of the adjoints cost is said by `Work.into`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from ad_magic.rules import Rule, compile_expression, names_in
from ad_magic.rules.number import PLAIN

from .operation import Operation
from .tape import Columns

ADDED_UP = ("sum", "fsum")  # of n numbers: n − 1 additions; any other function of a list is one call


class Work(NamedTuple):
    """What one row of a tape costs, in operations."""

    value: int
    push: int  # the tangent of the result from those of the operands
    pull: int  # the products of the adjoint with the local partials, without adding them up
    into: tuple[tuple[int, int], ...]  # (row of an operand, how many numbers the pull adds to its adjoint), by use
    moves: bool = False  # it only moves entries: what its pull does is no arithmetic


def work(tape: Columns, row: int) -> Work:
    """The cost of a row. An input and a decision cost nothing.

    >>> from ad_magic.engine.operation import INPUT, operation
    >>> tape = Columns([2.0, 3.0, 6.0], [INPUT, INPUT, operation("mul", (True, True))],
    ...                [None, None, 0], [None, None, 1], [], [], [], 3)
    >>> work(tape, 2)  # x * y; dx * y + x * dy; g * y and g * x
    Work(value=1, push=3, pull=2, into=((0, 1), (1, 1)), moves=False)
    """
    op = tape.ops[row]
    if op.rule is None:
        return _NOTHING
    if op.array:
        from .arrays.costs import array_work

        return array_work(tape, row)
    left, right = tape.left[row], tape.right[row]
    parents = op.parents(left, right)
    into = tuple((parent, 1) for parent in parents)
    if op.rule.variadic:
        n = len(op.operands(left, right))
        value = n - 1 if op.name in ADDED_UP else 1
        names = {"n": n, "z": tape.values[row]}
        pulls = [
            product(op.rule.partials[0], {"x", "z"}, {**names, "x": tape.values[parent]})(1, None) for parent in parents
        ]
        return Work(value, sum(pulls) + len(parents) - 1, sum(pulls), into)
    pull = _without_branches(op)
    if pull is None:
        arguments = dict(zip(op.rule.arguments, op.arguments(left, right, tape.values), strict=True))
        pull = products(op, {**arguments, "z": tape.values[row]}, 1)
    return Work(value_cost(op.rule), pull + len(parents) - 1, pull, into)


_NOTHING = Work(0, 0, 0, ())


@cache
def _without_branches(op: Operation) -> int | None:
    """What a pull costs where it is always the same."""
    assert op.rule is not None
    return None if any(" if " in p for _, p in op.rule.live_partials(op.active)) else products(op, {}, 1)


def products(op: Operation, values: Mapping[str, Any], entries: int, is_complex: bool = False) -> int:
    """What the products of an adjoint with the partials of an operation cost, over so many entries.

    `values` are those of the names in the partials, where they have branches.
    """
    assert op.rule is not None
    live = {name for name, on in zip(op.rule.arguments, op.active, strict=True) if on} | {"z"}
    partials = op.rule.live_partials(op.active, is_complex)
    return sum(product(partial, live, values)(entries, None) for _, partial in partials)


@cache
def value_cost(rule: Rule) -> int:
    """What the value of a primitive costs for one entry: at least one, as it is an operation."""
    return max(1, _count(ast.parse(rule.value, mode="eval").body, {*rule.arguments}, {})(1, None))


# ---- counting in expressions ---------------------------------------------------------------------

Count = Callable[[int, Any], int]  # (how many entries, which of them: a mask, None for all) -> operations


def product(partial: str, live: set[str], values: Mapping[str, Any]) -> Count:
    """What multiplying with a partial costs. `live` are the names in it that change.

    >>> [product(p, {"a", "z"}, {})(1, None) for p in ("1", "-1", "b", "cos(a)", "-sin(a)", "1 / b", "2 * a")]
    [0, 0, 1, 2, 2, 1, 2]
    """
    return _product(ast.parse(partial, mode="eval").body, live, values)


def _product(node: ast.expr, live: set[str], values: Mapping[str, Any]) -> Count:
    if isinstance(node, ast.IfExp):
        return _branches(node, _product, live, values)
    if isinstance(node, ast.UnaryOp):
        return _product(node.operand, live, values)
    if _is(node, 0, 1):
        return _free
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _is(_unsigned(node.left), 1):
        return _and_one(_count(node.right, live, values))  # g / b
    return _and_one(_count(node, live, values))


def _count(node: ast.expr, live: set[str], values: Mapping[str, Any]) -> Count:
    """What an expression costs."""
    if not live & _names(node):
        return _free
    if isinstance(node, ast.IfExp):
        return _branches(node, _count, live, values)
    inner = [_count(child, live, values) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]

    def counted(entries: int, mask: Any) -> int:
        return sum(one(entries, mask) for one in inner)

    one = isinstance(node, ast.Call) or (isinstance(node, ast.BinOp) and not _is(node.right, 0))
    return _and_one(counted) if one else counted


def _branches(node: ast.IfExp, count: Any, live: set[str], values: Mapping[str, Any]) -> Count:
    taken, other = count(node.body, live, values), count(node.orelse, live, values)
    test = ast.unparse(node.test)

    def counted(entries: int, mask: Any) -> int:
        if not any(hasattr(x, "shape") for x in values.values()):
            return (taken if _holds(test, values) else other)(entries, mask)
        from .arrays.costs import holds

        true = holds(test, values, mask)
        return taken(int(true.sum()), true) + other(entries - int(true.sum()), ~true if mask is None else mask & ~true)

    return counted


def _holds(test: str, values: Mapping[str, Any]) -> bool:
    names = tuple(sorted(name for name in names_in(test) if name in values))
    return bool(compile_expression(test, names, PLAIN)(*(values[name] for name in names)))


def _free(entries: int, mask: Any) -> int:
    return 0


def _and_one(count: Count) -> Count:
    return lambda entries, mask: count(entries, mask) + entries


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _unsigned(node: ast.expr) -> ast.expr:
    return node.operand if isinstance(node, ast.UnaryOp) else node


def _is(node: ast.expr, *numbers: float) -> bool:
    return isinstance(node, ast.Constant) and node.value in numbers
