"""Decisions: the places where a program looks at a plain value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.rules.number import math

from .active import primal
from .operation import Operation, value_of

DECISIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")},
    "bool": bool,
    "int": int,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "is_integer": float.is_integer,
    "frexp": lambda x: math.frexp(x)[1],
    "isnan": math.isnan,
    "isinf": math.isinf,
    "isfinite": math.isfinite,
    "isclose": lambda a, b, rel, absolute: math.isclose(a, b, rel_tol=rel, abs_tol=absolute),
}


def best_of(choose: Callable[..., Any], values: Sequence[Any]) -> tuple[int, ...]:
    """The positions of the greatest (`choose` is max) or smallest (min) values: the first, then those equal to it.

    >>> best_of(max, [1.0, 3.0, 3.0])
    (1, 2)
    """
    first = choose(range(len(values)), key=lambda k: values[k])
    return (first, *(k for k, x in enumerate(values) if x == values[first] and k != first))


DECISIONS |= {
    "max": lambda *values: best_of(max, values),
    "min": lambda *values: best_of(min, values),
    "percent": primal,
    "text": float,  # float(s) of a text that was made from an active number
    "primal": primal,
    "hash": hash,
    "repr": repr,
    "str": str,
    "format": format,
    "hex": float.hex,
}

TEXTS = frozenset(("repr", "str", "format", "percent", "hex"))  # most often only shown

# Decisions whose outcome is a number: where it goes on into the result, the derivative stops.
STOPS = frozenset(("int", "round", "floor", "ceil", "trunc", "text"))


def decide(op: Operation, arguments: Sequence[Any]) -> Any:
    """The outcome of a decision at these values; numbers of the engine decide by their plain value."""
    if op.array:
        return op.outcome(arguments)
    plain = [primal(x) for x in arguments]
    if op.attempted is None:
        return DECISIONS[op.name](*plain)
    try:
        value_of(op.attempted)(*plain)
    except (ArithmeticError, ValueError) as error:
        return type(error).__name__
    return ""
