"""Primitives of arrays with a function pair, as operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ad_magic.engine.operation import Number, Operation
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .adjoints import FLOAT, Adjoints, absent, ndarray, shape_of, spread
from .spare import BIG

# ---- primitives with a function pair -------------------------------------------------------------


class PairOperation(Operation):
    """An array primitive with its options: its operands stand in the left column, as a tuple."""

    __slots__ = ("options",)
    array = True

    def __init__(self, rule: ArrayRule, active: tuple[bool, ...], options: dict[str, Any]) -> None:
        super().__init__(rule.name, rule, active)
        self.options = options

    def expression(self, *operands: str, written: Sequence[str] = ()) -> str:
        """The operation as a person writes it: "np.sum(v1, axis=0)". `written`: the arguments in the source."""
        from .texts import pair_text

        return pair_text(self, operands, written)

    def value(self, *operands: Any) -> Any:
        """The primitive at other operands."""
        if any(hasattr(x, "tape") for x in operands):
            from .array import operand
            from .perform import pair

            z = pair(self.rule, operands, self.options)
            return operand(z) if isinstance(z, complex) else z
        return self.rule.value(*self.gathered(operands), **self.options)

    def gathered(self, operands: Sequence[Any]) -> Sequence[Any]:
        """The operands as the primitive takes them."""
        return (list(operands),) if self.rule.several else operands

    def pull(self, adjoints: Adjoints, g: Any, left: Any, right: Any, values: Sequence[Any], z: Any) -> None:
        active, options, rule = self.active, self.options, self.rule
        operands = [values[i] if on else i for i, on in zip(left, active, strict=True)]
        given = (operands,) if rule.several else operands
        for k, i in enumerate(left):
            if active[k]:
                c = rule.pull(k, g, z, *given, **options)
                if c is not None:
                    adjoints.put(i, c, operands[k])

    def push(self, tangents: Sequence[Any], left: Any, right: Any, values: Sequence[Any], z: Any) -> Any:
        operands = self.arguments(left, right, values)
        total: Any = 0.0
        for k, (i, on) in enumerate(zip(left, self.active, strict=True)):
            if on and not absent(tangents[i]):
                total = summed(total, self._pushed(k, spread(tangents[i], operands[k]), operands, z))
        return total

    def _pushed(self, k: int, t: Any, operands: tuple[Any, ...], z: Any) -> Any:
        rule: Any = self.rule
        if rule.push is not None:
            return rule.push(k, t, z, *self.gathered(operands), **self.options)
        if rule.several:  # linear in all of them together
            operands = tuple(np.zeros(shape_of(x)) if j != k else t for j, x in enumerate(operands))
        else:
            operands = (*operands[:k], t, *operands[k + 1 :])
        return self.value(*operands)

    def operands(self, left: Any, right: Any) -> tuple[Any, ...]:
        return left

    def partials(self, left: Any, right: Any, values: Sequence[Number], z: Number) -> tuple[Number, ...]:
        return ()


class Product(PairOperation):
    """A matrix product, as `@` or `np.dot`."""

    __slots__ = ()

    def pull(self, adjoints: Adjoints, g: Any, left: Any, right: Any, values: Sequence[Any], z: Any) -> None:
        i, j = left
        by_a, by_b = self.active
        a, b = values[i] if by_a else i, values[j] if by_b else j
        plain = type(g) is ndarray and type(a) is ndarray and type(b) is ndarray
        if not plain or g.dtype is not FLOAT or g.ndim != 2 or a.ndim != 2:  # of two matrices the result is one
            super().pull(adjoints, g, left, right, values, z)
            return
        if by_a:
            adjoints.put(i, g.dot(b.T, adjoints.room(a.shape) if a.nbytes >= BIG else None), a)
        if by_b:
            adjoints.put(j, a.T.dot(g, adjoints.room(b.shape) if b.nbytes >= BIG else None), b)


class Whole(PairOperation):
    """The sum or the mean of all the entries of an array."""

    __slots__ = ()

    def pull(self, adjoints: Adjoints, g: Any, left: Any, right: Any, values: Sequence[Any], z: Any) -> None:
        a = values[left[0]]
        if type(g) is not float or type(a) is not ndarray or a.dtype is not FLOAT:
            super().pull(adjoints, g, left, right, values, z)
            return
        everywhere = np.empty(a.shape)
        everywhere.fill(g if self.name == "sum" else g / a.size)
        adjoints.put(left[0], everywhere, a)


_KINDS = {"matmul": Product, "dot": Product, "sum": Whole, "mean": Whole}


def pair_operation(rule: ArrayRule, active: tuple[bool, ...]) -> PairOperation:
    """The operation of a primitive without options."""
    op = _pairs.get((rule.name, active))
    if op is None or op.rule is not rule:
        op = _pairs[rule.name, active] = _KINDS.get(rule.name, PairOperation)(rule, active, {})
    return op


_pairs: dict[tuple[str, tuple[bool, ...]], PairOperation] = {}


def summed(s: Any, t: Any) -> Any:
    """The sum of two tangents; of results with several parts part by part."""
    if isinstance(t, tuple):
        return t if absent(s) else tuple(a + b for a, b in zip(s, t, strict=True))
    return t if absent(s) else s + t
