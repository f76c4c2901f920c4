"""The methods of Dual and Traced, written out from the derivative table.

The templates are the fast path: two numbers of one run, or a number and a plain constant. All else is `mixed`.
In them {a}, {b} are the operands by position: for a reflected method (`2.0 * x`) `self` is the second of them.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

from ad_magic.rules import RULES, Rule, define
from ad_magic.rules.number import PLAIN

from .active import LostDerivative
from .frames import is_ours, user_frame
from .operation import COMPARISONS, NUMPYS, decision, operation, term
from .record import broken_power, careful_tangent, decide_on, mixed, raised

FRAMES = {"is_ours": is_ours, "user_frame": user_frame}  # an operation inside one of our own functions is the user's

# operator of Python -> rule of the table
BINARY = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "truediv": "div",
    "mod": "mod",
    "floordiv": "floordiv",
    "pow": "pow",
}
UNARY = {"__neg__": "neg", "__abs__": "abs"}

_POWER = """
    if modulus is not None:
        raise TypeError("pow() 3rd argument not allowed unless all arguments are integers")
"""
_BROKEN_POWER = "    if type(z) is complex:  # (-8.0) ** (1 / 3)\n        return broken_power({first}, {second})\n"

# ---- reverse mode: append a row ------------------------------------------------------------------

_RECORD = """
    node = Number()
    node.tape = tape
    node.value = z
    node.index = index = len(values)
    values.append(z)
    tape.ops.append(op)
    tape.left.append({left})
    tape.right.append({right})
    if index < tape.located:
        frame = getframe({depth})
        if is_ours(frame.f_code):
            frame = user_frame()
        tape.codes.append(frame.f_code)
        tape.instructions.append(frame.f_lasti)
    return node
"""
_TRACED_BINARY = """
def method(self, other{extra}):{prologue}
    kind = type(other)
    tape = self.tape
    values = tape.values
    if kind is Number:
        if other.tape is not tape or values is None:
            return mixed({name!r}, {first}, {second})
        {other} = other.value
        operand = other.index
        op = BOTH
    elif (kind is float or kind is int or kind in NUMPYS) and values is not None:
        {other} = operand = other
        op = ONE
    else:
        return mixed({name!r}, {first}, {second})
    {self} = self.value
    try:
        z = {value}
    except (ArithmeticError, ValueError) as error:
        raised({name!r}, op.active, self, ({left}, {right}), error)
        raise
{epilogue}"""
_TRACED_UNARY = """
def method(self):
    tape = self.tape
    values = tape.values
    if values is None:
        return mixed({name!r}, self)
    a = self.value
    try:
        z = {value}
    except LostDerivative:  # a number in a number: the general way knows what to do
        return mixed({name!r}, self)
    except (ArithmeticError, ValueError) as error:
        raised({name!r}, op.active, self, ({left}, None), error)
        raise
"""

# ---- forward mode: value and tangent together ----------------------------------------------------

_DUAL_TAIL = """
    node = new(Number)
    node.tape = tape
    node.value = z
    node.tangent = tangent
    if tape.limit != 0:
        keep(node, op, {left}, {right})
    return node
"""
_DUAL_BINARY = """
def method(self, other{extra}):{prologue}
    kind = type(other)
    tape = self.tape
    if kind is Number:
        if other.tape is not tape or tape.values is None:
            return mixed({name!r}, {first}, {second})
        {self} = self.value
        {other} = other.value
        op = BOTH
        operand = other.index if tape.limit != 0 else None
        try:
            z = {value}
        except (ArithmeticError, ValueError) as error:
            if tape.limit != 0:
                raised({name!r}, op.active, self, ({left}, {right}), error)
            raise
{epilogue}        try:
            tangent = {both}
            if tangent != tangent:
                tangent = careful_tangent(BOTH, (a, b), z, ({first}.tangent, {second}.tangent))
        except SINGULAR:
            tangent = careful_tangent(BOTH, (a, b), z, ({first}.tangent, {second}.tangent))
    elif (kind is float or kind is int or kind in NUMPYS) and tape.values is not None:
        {self} = self.value
        {other} = operand = other
        op = ONE
        try:
            z = {value}
        except (ArithmeticError, ValueError) as error:
            if tape.limit != 0:
                raised({name!r}, op.active, self, ({left}, {right}), error)
            raise
{epilogue}        try:
            tangent = {one}
            if tangent != tangent:
                tangent = careful_tangent(ONE, (a, b), z, (self.tangent,))
        except SINGULAR:
            tangent = careful_tangent(ONE, (a, b), z, (self.tangent,))
    else:
        return mixed({name!r}, {first}, {second})
"""
_DUAL_UNARY = """
def method(self):
    tape = self.tape
    if tape.values is None:
        return mixed({name!r}, self)
    a = self.value
    try:
        z = {value}
    except LostDerivative:  # a number in a number: the general way knows what to do
        return mixed({name!r}, self)
    except (ArithmeticError, ValueError) as error:
        if tape.limit != 0:
            raised({name!r}, op.active, self, ({left}, None), error)
        raise
    try:
        tangent = {one}
        if tangent != tangent:
            tangent = careful_tangent(op, (a,), z, (self.tangent,))
    except SINGULAR:
        tangent = careful_tangent(op, (a,), z, (self.tangent,))
"""


def _chain(*pairs: tuple[str, str]) -> str:
    """The chain rule as an expression: the sum of partial * tangent, zeros left out."""
    return " + ".join(term(t, p) for p, t in pairs if p != "0.0") or "0.0"


def method(number: type, rule: Rule, *, reflected: bool = False, depth: int = 1) -> Any:
    """The method of `number` (Dual or Traced) for a rule with one or two arguments.

    `reflected`: self is the second operand. `depth`: how many frames up the user's program is.
    """
    forward = number.__name__ == "Dual"
    unary = len(rule.partials) == 1
    power = rule.name == "pow"
    mine, yours = ("b", "a") if reflected else ("a", "b")
    first, second = ("other", "self") if reflected else ("self", "other")
    names = {
        "name": rule.name, "value": rule.value, "depth": depth,
        "self": mine, "other": yours, "first": first, "second": second,
        "extra": ", modulus=None" if power else "", "prologue": _POWER.rstrip() if power else "",
    }  # fmt: skip
    broken = _BROKEN_POWER.format(first=first, second=second) if power else ""
    if unary:
        columns = {"left": "self.index", "right": "None"}
    else:
        columns = (
            {"left": "operand", "right": "self.index"} if reflected else {"left": "self.index", "right": "operand"}
        )
    if forward:
        names["both"] = (
            "" if unary else _chain((rule.partials[0], f"{first}.tangent"), (rule.partials[1], f"{second}.tangent"))
        )
        alone = (True,) if unary else (not reflected, reflected)
        names["one"] = _chain((rule.live_partials(alone)[0][1], "self.tangent"))
        names["epilogue"] = broken.replace("    if", "        if").replace("        return", "            return")
        source = (_DUAL_UNARY if unary else _DUAL_BINARY) + _DUAL_TAIL
    else:
        names["epilogue"] = broken
        source = (_TRACED_UNARY if unary else _TRACED_BINARY) + _RECORD
    namespace: dict[str, Any] = {
        **PLAIN, "Number": number, "new": number.__new__,
        "NUMPYS": NUMPYS, "mixed": mixed, "broken_power": broken_power, "raised": raised,
        "careful_tangent": careful_tangent, "getframe": sys._getframe, **FRAMES, "keep": getattr(number, "keep", None),
        "LostDerivative": LostDerivative, "SINGULAR": (ArithmeticError, ValueError, LostDerivative),
    }  # fmt: skip
    if unary:
        namespace["op"] = operation(rule.name, (True,))
    else:
        namespace["BOTH"] = operation(rule.name, (True, True))
        namespace["ONE"] = operation(rule.name, (False, True) if reflected else (True, False))
    title = f"{number.__name__} {rule.name}{' reflected' * reflected}"
    return define(source.format(**names, **columns), "method", namespace, title)


_TRACED_COMPARISON = """
def method(self, other):
    kind = type(other)
    tape = self.tape
    values = tape.values
    if kind is Number and other.tape is tape and values is not None:
        outcome = self.value {symbol} other.value
        op = BOTH
        right = other.index
    elif (kind is float or kind is int or kind in NUMPYS) and values is not None:
        outcome = self.value {symbol} other
        op = ONE
        right = other
    else:
        return decide_on({name!r}, self, other)
    index = len(values)
    values.append(outcome)
    tape.ops.append(op)
    tape.left.append(self.index)
    tape.right.append(right)
    if index < tape.located:
        frame = getframe(1)
        if is_ours(frame.f_code):
            frame = user_frame()
        tape.codes.append(frame.f_code)
        tape.instructions.append(frame.f_lasti)
    return outcome
"""
_DUAL_COMPARISON = """
def method(self, other):
    kind = type(other)
    if self.tape.limit == 0 and (kind is float or kind is int or kind in NUMPYS):
        return self.value {symbol} other
    return decide_on({name!r}, self, other)
"""


def comparison(number: type, name: str) -> Any:
    """The comparison method `name` ("lt", …): a plain bool, and a row that records the decision."""
    template = _DUAL_COMPARISON if number.__name__ == "Dual" else _TRACED_COMPARISON
    namespace = {
        "Number": number, "decide_on": decide_on, "getframe": sys._getframe, **FRAMES, "NUMPYS": NUMPYS,
        "BOTH": decision(name, (True, True)), "ONE": decision(name, (True, False)),
    }  # fmt: skip
    source = template.format(name=name, symbol=COMPARISONS[name])
    return define(source, "method", namespace, f"{number.__name__} {name}")


def add_operators(number: type) -> None:
    """Give a number class the operators of Python, both ways round, and the comparisons."""
    for special, name in BINARY.items():
        setattr(number, f"__{special}__", method(number, RULES[name]))
        setattr(number, f"__r{special}__", method(number, RULES[name], reflected=True))
    for special, name in UNARY.items():
        setattr(number, special, method(number, RULES[name]))
    for name in COMPARISONS:
        setattr(number, f"__{name}__", comparison(number, name))
    own = {f"__{name}__": _look(name) for name in ("bool", "int", "floor", "ceil", "trunc")}
    own |= {"is_integer": _look("is_integer"), "__round__": _round}
    own |= {
        "__divmod__": lambda self, other: _divmod(self, other),
        "__rdivmod__": lambda self, other: _divmod(other, self),
    }
    for special, function in own.items():
        setattr(number, special, function)


def _look(name: str) -> Any:
    return lambda self: decide_on(name, self)


def _divmod(x: Any, y: Any) -> Any:
    quotient = mixed("floordiv", x, y)
    return quotient if quotient is NotImplemented else (quotient, mixed("mod", x, y))


def _round(self: Any, digits: int | None = None) -> Any:
    if digits is None:
        return decide_on("round", self)
    return mixed("round", self, operator.index(digits))  # what is no whole number is refused, as by float
