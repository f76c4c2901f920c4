"""Forward mode: dual numbers, a + bε with ε² = 0 (Clifford, 1873).

`value` is a, `tangent` is b: one float, or one for each of several directions.
"""

from __future__ import annotations

from typing import Any

from .active import Active, primal
from .generate import add_operators
from .operation import INPUT, PLAIN_TYPES, times
from .tape import Tape

HAND = Tape(limit=0, forward=True)  # the run of the dual numbers that a user writes down himself


class Directions(tuple):
    """Tangents along several directions at once: a vector. A zero entry is absent: zero times infinity is zero.

    >>> 2.0 * Directions((1.0, 0.0)) + Directions((0.0, 1.0))
    Directions(2.0, 1.0)
    """

    __slots__ = ()
    __array_ufunc__ = None  # a float of NumPy on the left leaves the product to us

    def __mul__(self, factor: Any) -> Directions:
        return Directions([times(factor, t) for t in self])

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Directions:
        return Directions([0.0 if type(t) in PLAIN_TYPES and not t else t / divisor for t in self])

    def __add__(self, other: Any) -> Directions:
        if type(other) is not Directions:  # an absent tangent
            return self if other == 0.0 else NotImplemented
        if len(self) != len(other):
            raise ValueError(f"dual numbers with {len(self)} and with {len(other)} directions do not mix")
        return Directions([s + t for s, t in zip(self, other, strict=True)])

    __radd__ = __add__

    def __neg__(self) -> Directions:
        return Directions([-t for t in self])

    def __sub__(self, other: Any) -> Directions:
        return self + -other

    def __rsub__(self, other: Any) -> Directions:
        return -self + other

    def __repr__(self) -> str:
        return f"Directions({', '.join(map(repr, self))})"


class Dual(Active):
    """A dual number: value and tangent.

    The tangent is one number, or a sequence of numbers for several directions at once.

    >>> Dual(4, 2) * Dual(6, 2)
    24 + 20ε
    >>> Dual(3.0, (1, 0)) * Dual(2.0, (0, 1))
    6 + 2ε₁ + 3ε₂
    >>> f"{Dual(1, 3) / 7:.3f}"
    '0.143 + 0.429ε'
    """

    __slots__ = ("tangent",)
    forward = True

    tangent: Any

    def __init__(self, value: Any, tangent: Any = 0.0) -> None:
        self.tape = HAND
        self.value = value
        self.tangent = Directions(tangent) if isinstance(tangent, (tuple, list)) else tangent

    @staticmethod
    def record(tape: Tape, op: Any, left: Any, right: Any, value: Any, tangent: Any) -> Dual:
        node = _new(Dual)
        node.tape, node.value, node.tangent = tape, value, tangent
        if tape.limit != 0:
            node.index = tape.keep(op, left, right, value, tangent)
        return node

    @staticmethod
    def input(tape: Tape, value: Any, tangent: Any) -> Dual:
        """A new variable of a run, with its seed."""
        node = _new(Dual)
        node.tape, node.value, node.tangent = tape, value, tangent
        if tape.limit != 0:
            node.index = tape.keep(INPUT, None, None, value, tangent)
        return node

    @staticmethod
    def keep(node: Dual, op: Any, left: Any, right: Any) -> None:
        node.index = node.tape.keep(op, left, right, node.value, node.tangent)

    def __repr__(self) -> str:
        return _text(self, "") if self.tape is HAND else Active.__repr__(self)

    def __str__(self) -> str:
        return _text(self, "") if self.tape is HAND else Active.__str__(self)

    def __format__(self, spec: str) -> str:
        return _text(self, spec) if self.tape is HAND else Active.__format__(self, spec)

    def _repr_latex_(self) -> str | None:
        if self.tape is not HAND:
            return None
        terms = _terms(
            self, "", [r"\varepsilon"] if _single(self) else [rf"\varepsilon_{{{k + 1}}}" for k in range(99)]
        )
        return f"${terms}$"


_new = Dual.__new__


def _single(number: Dual) -> bool:
    return type(number.tangent) is not Directions


def _text(number: Dual, spec: str) -> str:
    subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    units = ["ε"] if _single(number) else [f"ε{k + 1}".translate(subscripts) for k in range(len(number.tangent))]
    return _terms(number, spec, units)


def _terms(number: Dual, spec: str, units: list[str]) -> str:
    tangents = [number.tangent] if _single(number) else number.tangent
    text = _number(number.value, spec)
    for tangent, unit in zip(tangents, units, strict=False):
        shown = _number(tangent, spec)
        text += f" - {shown[1:]}{unit}" if shown.startswith("-") else f" + {shown}{unit}"
    return text


def _number(x: Any, spec: str) -> str:
    """A part of a dual number: 14 for 14.0, brackets around a part that is itself a dual number."""
    if type(x) is Dual:
        return f"({x:{spec}})"
    x = primal(x)
    if spec:
        return format(x, spec)
    return str(int(x)) if isinstance(x, float) and x.is_integer() and abs(x) < 1e16 else str(x)


add_operators(Dual)
eps = Dual(0, 1)
