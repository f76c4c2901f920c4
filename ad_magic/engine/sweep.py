"""The fast reverse sweep: one loop over the tape, the frequent operations written out in it.

A call for each row would cost as much as the arithmetic. The statements are those of `Operation.pull`; a small binary
tree finds them by `Operation.code`. Whatever is not frequent is pulled by its own function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules import define
from ad_magic.rules.number import PLAIN

from .operation import operation, pull_lines

_BOTH, _FIRST, _SECOND = (True, True), (True, False), (False, True)
FREQUENT = [operation(name, active) for name in ("mul", "add", "sub", "div") for active in (_BOTH, _FIRST, _SECOND)]
FREQUENT.append(operation("pow", _FIRST))


def _tree(low: int, high: int, indent: str) -> list[str]:
    """Statements for the operations with codes from low to high (the last of them stands for all others)."""
    if low == high:
        if low == len(FREQUENT):
            return [f"{indent}op.pull(adjoints, g, left, right, values, z)"]
        rule = FREQUENT[low].rule
        assert rule is not None
        return [indent + line for line in pull_lines(rule, FREQUENT[low].active)]
    middle = (low + high + 1) // 2
    lower, upper = _tree(low, middle - 1, indent + "    "), _tree(middle, high, indent + "    ")
    return [f"{indent}if code < {middle}:", *lower, f"{indent}else:", *upper]


def _generate() -> Callable[..., None]:
    for code, frequent in enumerate(FREQUENT):
        frequent.code = code
    # Reversed lists are read as the loop reaches them: an adjoint is complete by then, as all its uses come later.
    head = """def sweep(adjoints, ops, lefts, rights, values):
    columns = zip(reversed(adjoints), reversed(ops), reversed(lefts), reversed(rights), reversed(values))
    for g, op, left, right, z in columns:
        if g:
            code = op.code
"""
    body = "\n".join(_tree(0, len(FREQUENT), " " * 12))
    return define(f"{head}{body}\n", "sweep", dict(PLAIN), "reverse sweep")


sweep: Callable[[list[float], list[Any], list[Any], list[Any], list[float]], None] = _generate()
