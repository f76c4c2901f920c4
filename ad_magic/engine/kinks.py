"""Whether an operation of a run stands where it has no derivative."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from typing import Any

from ad_magic.rules import Rule, by_entry, compile_expression
from ad_magic.rules.number import PLAIN, numpy_names

from .operation import Operation


@cache
def _compiled(rule: Rule, condition: str, entries: bool = False) -> Any:
    """A condition as a function of the arguments and the result of a rule: of numbers, or entry by entry."""
    if entries:
        return compile_expression(by_entry(condition), (*rule.arguments, "z"), numpy_names())
    return compile_expression(condition, (*(("a",) if rule.variadic else rule.arguments), "z"), PLAIN)


def at_kink(rule: Rule, arguments: Sequence[Any], z: float) -> bool:
    """Whether a primitive has no derivative at this point.

    >>> from ad_magic.rules import RULES
    >>> at_kink(RULES["abs"], (0.0,), 0.0)
    True
    """
    if rule.kink is None:
        return False
    try:
        return bool(_compiled(rule, rule.kink.where)(*([arguments] if rule.variadic else arguments), z))
    except (ArithmeticError, ValueError):
        return False


def at_condition(rule: Rule, condition: str, arguments: Sequence[Any], z: Any) -> bool:
    """Whether a condition in the arguments and the result of a rule holds, for arrays at any entry.

    >>> from ad_magic.rules import RULES
    >>> at_condition(RULES["spence"], "a == 1", (1.0,), 0.0)
    True
    """
    numbers = all(isinstance(x, (float, int)) for x in (*arguments, z))
    found = _compiled(rule, condition, not numbers)(*arguments, z)
    return bool(found if numbers else found.any())


def bends_at(rule: Rule, arguments: Sequence[Any], z: Any) -> bool:
    """Whether the slope of a primitive is finite here and its own slope is not, for arrays at any entry.

    >>> from ad_magic.rules import RULES
    >>> bends_at(RULES["pow"], (0.0, 1.5), 0.0), bends_at(RULES["pow"], (0.0, 2.5), 0.0)
    (True, False)
    """
    return any(at_condition(rule, condition, arguments, z) for condition in bends(rule))


def bends(rule: Rule) -> list[str]:
    """The conditions under which the slope of a primitive is finite and its own slope is not."""
    own = [rule.bend] if rule.bend is not None else []
    return own + ([rule.seam[0]] if rule.seam is not None and rule.seam[1] < 2 else [])


# functions that are finite wherever their argument is, but for what is beyond the largest float
_EVERYWHERE = frozenset(("sin", "cos", "sinh", "cosh", "tanh", "sech2", "exp", "exp2", "expm1", "atan", "asinh", "erf"))


@cache
def is_smooth(rule: Rule) -> bool:
    """Whether the row of a primitive shows that it has a second derivative wherever it has a value: no kink but jumps,
    no bend, and slopes that are finite whatever the operands are.

    >>> from ad_magic.rules import RULES
    >>> is_smooth(RULES["mul"]), is_smooth(RULES["sin"]), is_smooth(RULES["sqrt"]), is_smooth(RULES["abs"])
    (True, True, False, False)
    """
    if (rule.kink is not None and not rule.kink.jumps) or bends(rule):
        return False
    return all(_is_finite(ast.parse(partial, mode="eval").body) for partial in rule.partials)


def _is_finite(node: ast.expr) -> bool:
    match node:
        case ast.Constant() | ast.Name():
            return True
        case ast.UnaryOp(operand=inner):
            return _is_finite(inner)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
            return _is_finite(left) and _is_finite(right)
        case ast.Call(func=ast.Name(id=function), args=args):
            return function in _EVERYWHERE and all(map(_is_finite, args))
    return False


def where_singular(rule: Rule, arguments: Sequence[Any], z: Any, slopes: Sequence[Any]) -> Any:
    """A mask of the entries of the result at which a primitive with these slopes has no second derivative."""
    import numpy as np

    found = np.zeros(np.shape(z), dtype=bool)
    with np.errstate(all="ignore"):
        if rule.kink is not None and not rule.kink.jumps:
            found |= where_at_kink(rule, arguments, z)
        for condition in bends(rule):
            found |= _compiled(rule, condition, True)(*arguments, z)
        for slope in slopes:
            found |= ~np.isfinite(slope)
    return found


def where_at_kink(rule: Rule, arguments: Sequence[Any], z: Any) -> Any:
    """A mask of the entries of the result at which a primitive that has kinks has no derivative."""
    import numpy as np

    assert rule.kink is not None
    with np.errstate(all="ignore"):
        return np.broadcast_to(_compiled(rule, rule.kink.where, True)(*arguments, z), np.shape(z))


def entries_at_kink(rule: Rule, arguments: Sequence[Any], z: Any) -> list[tuple[int, ...]]:
    """The entries of the result at which a primitive that has kinks has no derivative."""
    import numpy as np

    return list(map(tuple, np.argwhere(where_at_kink(rule, arguments, z)).tolist()))


def has_kinks(op: Operation) -> bool:
    """Whether there are points at which an array primitive with a function pair has no derivative."""
    from .arrays.tables import KINKS

    return op.name in KINKS


def kink_of_array(op: Operation, arguments: Sequence[Any], z: Any) -> str | None:
    """Why an array primitive with a function pair has no derivative here, if it has none."""
    from .arrays.moves import filled
    from .arrays.tables import KINKS

    question = KINKS.get(op.name)
    if question is None:
        return None
    if hasattr(op, "template"):  # a function written in others: its arguments as the program gave them
        args, kwargs = filled(op.template, arguments)
        return question(z, *args, **kwargs)
    return question(z, *arguments, **getattr(op, "options", {}))
