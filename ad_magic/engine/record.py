"""The general way to record an operation: any rule, any number of operands, numbers of several runs mixed.

The generated methods of Dual and Traced handle the common case, two numbers of one run or a number and a constant;
all else comes here. A number of a closed run acts as its plain value. Of two open runs the younger takes
the number of the older for a constant, so derivatives can be nested without confusing one with the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Rational
from typing import Any

from ad_magic.rules import RULES
from ad_magic.rules.number import math

from .active import Active, after_run, as_numpys
from .decisions import DECISIONS
from .operation import NUMPYS, Operation, attempt, decision, met, operation, partial_of, times, value_of

_PLAIN = frozenset((float, int))


def settle(x: Any) -> Any:
    """A number as the engine takes it: a float, an int, an open active number; NotImplemented for anything else."""
    kind = type(x)
    if kind in _PLAIN:
        return x
    if kind in Active.types:
        return after_run(x)
    if isinstance(x, float):
        if kind.__name__ != "float64":
            return float(x)
        if kind not in NUMPYS:
            met(kind)
        return x
    if isinstance(x, int):  # bool among them
        return int(x)
    if getattr(x, "ndim", None) == 0 and hasattr(x, "item"):  # a NumPy scalar
        return settle(x.item())
    if isinstance(x, Rational):
        return float(x)
    return NotImplemented


def mixed(name: str, *arguments: Any) -> Any:
    """What an operator method answers for operands that the fast path does not know; may be NotImplemented."""
    if any(isinstance(x, complex) for x in arguments):
        from .complexes import complex_operator

        return complex_operator(name, arguments)
    settled = [settle(x) for x in arguments]
    if any(x is NotImplemented for x in settled):
        return NotImplemented
    return apply(name, *settled)


def youngest(arguments: Any) -> Any:
    """The number whose run began last among the active ones, or None."""
    active = [x for x in arguments if type(x) in Active.types]
    return max(active, key=lambda x: x.tape.age, default=None)


def apply(name: str, *arguments: Any, kind: str = "plain") -> Any:
    """The primitive `name` of these settled numbers, recorded by the run of the youngest; `kind` as in `value_of`.

    >>> apply("mul", 2.0, 3.0)
    6.0
    """
    rule = RULES[name]
    chosen = youngest(arguments)
    if chosen is None:
        return value_of(rule, kind)(*arguments)
    tape = chosen.tape
    active = tuple(type(x) in Active.types and x.tape is tape for x in arguments)
    inner = [x.value if on else x for x, on in zip(arguments, active, strict=True)]
    nested = any(type(x) in Active.types for x in inner)
    try:
        z = value_of(rule, "active" if nested else kind)(*inner)
    except (ArithmeticError, ValueError) as error:
        raised(name, active, chosen, _columns(arguments, active) if keeps_rows(chosen) else (), error)
        raise
    if type(z) is complex:  # (-8.0) ** (1 / 3)
        return broken_power(*arguments)
    op = operation(name, () if rule.variadic else active)
    left, right = _columns(arguments, active, rule.variadic) if keeps_rows(chosen) else (None, None)
    if type(chosen).forward:
        tangents = [x.tangent if on else 0.0 for x, on in zip(arguments, active, strict=True) if on or rule.variadic]
        return type(chosen).record(tape, op, left, right, z, careful_tangent(op, inner, z, tangents))
    return type(chosen).record(tape, op, left, right, z)


def again(op: Operation, operands: Sequence[Any], kind: str, before: Any) -> Any:
    """The primitive of a recorded row at other operands; `before` is the value that the row has.

    Where the row is not finite the run went on, as numbers of NumPy do, and so do numbers of the engine here.
    """
    rule = op.rule
    assert rule is not None
    try:
        return value_of(rule, kind)(*operands)
    except (ArithmeticError, ValueError):
        if kind != "active" or math.isfinite(primal(before)):
            raise
        return apply(op.name, *map(as_numpys, operands), kind="extended")


def keeps_rows(number: Any) -> bool:
    """Whether the run of a number keeps rows at all (a bare dual number has no index)."""
    return number.tape.limit is None or number.tape.limit > 0


def _columns(arguments: Sequence[Any], active: Sequence[bool], variadic: bool = False) -> tuple[Any, Any]:
    """The operand columns: indices of the active operands, constants else; a tuple on the left for three or more."""
    operands = [x.index if on else x for x, on in zip(arguments, active, strict=True)]
    if variadic:  # there, an int is an index and nothing else
        operands = [i if on or type(i) is not int else float(i) for i, on in zip(operands, active, strict=True)]
    if variadic or len(operands) > 2:
        return tuple(operands), None
    return operands[0], operands[1] if len(operands) > 1 else None


def raised(name: str, active: tuple[bool, ...], number: Any, columns: Sequence[Any], error: Exception) -> None:
    """Record that a primitive raised: a program that catches the error has made a decision by it."""
    if keeps_rows(number) and not RULES[name].variadic:
        number.tape.keep(attempt(name, active), *columns, type(error).__name__)


def careful_tangent(op: Operation, arguments: Sequence[Any], z: Any, tangents: Sequence[Any]) -> Any:
    """The tangent of a result at a singular point too: partials in IEEE arithmetic, zeros absent."""
    rule = op.rule
    assert rule is not None
    total: Any = 0.0
    which = [0] * len(arguments) if rule.variadic else [k for k, on in enumerate(op.active) if on]
    points = [(x, len(arguments)) for x in arguments] if rule.variadic else [tuple(arguments)] * len(which)
    for k, point, tangent in zip(which, points, tangents, strict=True):
        total = total + times(partial_of(rule, k, point, z), tangent)
    return total


def broken_power(x: Any, y: Any) -> Any:
    """A negative number to a power that is not whole: complex, as for floats."""
    from .complexes import Complex

    return Complex(x, 0.0) ** y


def look(name: str, number: Any, outcome: Any, *constants: Any) -> Any:
    """Record that the program has seen a number as a text or by its hash; returns what it saw."""
    if number.tape.values is not None and keeps_rows(number):
        op = decision(name, (True, *(False for _ in constants)))
        number.tape.keep(op, number.index, constants[0] if constants else None, outcome)
    return outcome


def primal(x: Any) -> Any:
    """The plain value of a number or an array, also in a list or a tuple; any other object as it is.

    Use it where plain numbers are needed and no derivative is to flow on, for a plot or a log:

    >>> from ad_magic import Dual, primal
    >>> primal(Dual(2.0, 1.0)), primal(3.5)
    (2.0, 3.5)
    """
    if type(x) in Active.types:
        return decide_on("primal", x)
    if isinstance(x, (list, tuple)):
        return type(x)(map(primal, x)) if type(x) in (list, tuple) else x
    if type(x).__name__ in ("Array", "Buffer") and hasattr(x, "__array_ufunc__"):
        from .arrays.looks import looked

        return looked("primal", lambda value: value.copy(), (x,), {})
    return x


def decide_on(name: str, *arguments: Any) -> Any:
    """Look at plain values (a comparison, int, bool, …) and record the decision; may be NotImplemented."""
    if any(isinstance(x, complex) for x in arguments):
        if name not in ("eq", "ne") or any(x.imag for x in arguments):
            return name == "ne" if name in ("eq", "ne") else NotImplemented
        arguments = tuple(x.real for x in arguments)  # 1.0 == 1 + 0j
    settled = [settle(x) for x in arguments]
    if any(x is NotImplemented for x in settled):
        return NotImplemented
    chosen = youngest(settled)
    if chosen is None:
        return DECISIONS[name](*settled)
    active = tuple(type(x) in Active.types and x.tape is chosen.tape for x in settled)
    inner = [x.value if on else x for x, on in zip(settled, active, strict=True)]
    nested = any(type(x) in Active.types for x in inner)
    outcome = decide_on(name, *inner) if nested else DECISIONS[name](*inner)
    if keeps_rows(chosen):
        chosen.tape.keep(decision(name, active), *_columns(settled, active), outcome)
    return outcome
