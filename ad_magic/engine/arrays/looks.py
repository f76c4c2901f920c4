"""Functions of NumPy that look at plain values: a comparison, an order, a text. What they found is a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.engine.operation import Operation
from ad_magic.engine.texts import remember_array
from ad_magic.rules.arrays.frozen import np

from .array import NUMBERS, Array, row, split
from .moves import call_of, filled

# ---- looks at plain values -----------------------------------------------------------------------


class Look(Operation):
    """A row that records what a function of NumPy made of plain values: a comparison, an order, a text."""

    __slots__ = ("function", "template")
    array = True

    def __init__(self, name: str, count: int, function: Callable[..., Any], template: Any) -> None:
        super().__init__(name, None, (True,) * count, text=f"{name}({', '.join(['{}'] * count)})")
        self.function, self.template = function, template

    def operands(self, left: Any, right: Any) -> tuple[Any, ...]:
        return left

    def outcome(self, arguments: Any) -> Any:
        """What it gives at other values."""
        args, kwargs = filled(self.template, arguments)
        return self.function(*args, **kwargs)


def looked(name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What a function gives for the plain values of its arguments; a decision of the run."""
    tape, operands, template = call_of(args, kwargs)
    if tape is None:
        return function(*args, **kwargs)
    values, columns, _ = split(operands, tape)
    inner_args, inner_kwargs = filled(template, values)
    nested = any(type(v) is Array or type(v) in NUMBERS for v in values)
    outcome = looked(name, function, inner_args, inner_kwargs) if nested else function(*inner_args, **inner_kwargs)
    op = Look(name, len(operands), function, template)
    kept = outcome.copy() if isinstance(outcome, np.ndarray) else outcome
    row(tape, op, tuple(columns), None, kept)
    if isinstance(outcome, (str, bytes)):
        for x in operands:
            if type(x) is Array:
                remember_array(outcome, x)
    return outcome
