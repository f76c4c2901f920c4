"""A power series whose coefficients are found one after another, and the arithmetic of such series.

Sums, products, quotients, whole powers and absolute values, of numbers and of arrays: what the series of all other
functions are written in (`series`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Series:
    """A power series whose coefficients are found when they are asked for; 0.0 is an absent one, of arrays too.

    >>> geometric = Series(1.0, lambda k: 0.5**k)
    >>> geometric[3], geometric.coefficients
    (0.125, [1.0, 0.5, 0.25, 0.125])
    """

    __slots__ = ("_slopes", "coefficients", "following")

    def __init__(self, first: Any, following: Callable[[int], Any] | None = None) -> None:
        """`following(k)` gives coefficient k from those before it; without it the series is a constant."""
        self.coefficients = [first]
        self.following = following
        self._slopes: list[Any] = []

    def __getitem__(self, k: int) -> Any:
        found = self.coefficients
        while len(found) <= k:
            found.append(self.following(len(found)) if self.following is not None else 0.0)
        return found[k]

    @property
    def constant(self) -> bool:
        """Whether there is nothing but the first coefficient."""
        return self.following is None

    def slopes(self, k: int) -> list[Any]:
        """The first k coefficients of the derivative: a₁, 2a₂, …, k aₖ."""
        if len(self._slopes) < k:
            self[k]
            known = len(self._slopes)
            self._slopes += [j * a for j, a in enumerate(self.coefficients[known + 1 : k + 1], known + 1)]
        return self._slopes if len(self._slopes) == k else self._slopes[:k]

    def until(self, k: int) -> list[Any]:
        """The first k coefficients."""
        if len(self.coefficients) < k:
            self[k - 1]
        return self.coefficients if len(self.coefficients) == k else self.coefficients[:k]


def derivative(a: Series, first: Any) -> Series:
    """The series of a′, whose own first coefficient is given (as an array, where a has an absent one)."""
    return Series(first, lambda k: (k + 1) * a[k + 1])


class Arithmetic:
    """How coefficients are multiplied and divided, and how a partial is recorded: of numbers, or of arrays."""

    def __init__(self, convolved: Any, times: Any, over: Any, sign: Any, nonzero: Any, recorded: Any) -> None:
        self.convolved, self.times, self.over = convolved, times, over
        self.sign, self.nonzero, self.recorded = sign, nonzero, recorded


def _add(by: Arithmetic, a: Any, b: Any) -> Callable[[int], Any]:
    if type(a) is not Series:
        return lambda k: b[k]
    return (lambda k: a[k] + b[k]) if type(b) is Series else lambda k: a[k]


def _sub(by: Arithmetic, a: Any, b: Any) -> Callable[[int], Any]:
    if type(a) is not Series:
        return lambda k: -b[k]
    return (lambda k: a[k] - b[k]) if type(b) is Series else lambda k: a[k]


def _mul(by: Arithmetic, a: Any, b: Any) -> Callable[[int], Any]:
    if type(a) is not Series or a.constant:
        a, b = b, a
    if type(b) is not Series or b.constant:
        factor = b[0] if type(b) is Series else b
        return lambda k: by.times(factor, a[k])
    return lambda k: by.convolved(a.until(k + 1), b.until(k + 1))


def _div(by: Arithmetic, a: Any, b: Any) -> Callable[[int], Any]:
    """b z = a, term by term: zₖ = (aₖ - Σⱼ₌₁…ₖ bⱼ zₖ₋ⱼ) / b₀."""
    if type(b) is not Series:
        return lambda k: by.over(a[k], b)
    z = [by.over(a[0] if type(a) is Series else a, b[0])]

    def following(k: int) -> Any:
        while len(z) <= k:
            n = len(z)
            rest = by.convolved(b.until(n + 1)[1:], z)
            z.append(by.over((a[n] if type(a) is Series else 0.0) - rest, b[0]))
        return z[k]

    return following


def _neg(by: Arithmetic, a: Series) -> Callable[[int], Any]:
    return lambda k: -a[k]


def _abs(by: Arithmetic, a: Series) -> Callable[[int], Any]:
    """±a. At a = 0 the first coefficient that is not zero says which: of an even order the sign is the same on both
    sides; of an odd one it is another, and their mean is zero."""
    signs = by.sign(a[0])
    odd = signs * 0.0

    def following(k: int) -> Any:
        nonlocal signs, odd
        found = by.sign(a[k]) * (signs == 0) * (odd == 0)
        if k % 2:
            odd = odd + found
        else:
            signs = signs + found
        return by.times(signs, a[k])

    return following


RING: dict[str, Callable[..., Callable[[int], Any]]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _neg, "abs": _abs, "fabs": _abs,
    "square": lambda by, a: _mul(by, a, a),
}  # fmt: skip
MULTIPLIED = 64  # up to this exponent a power of a number that is not zero is a product


def power(operands: list[Any], z: Any, by: Arithmetic) -> Series | None:
    """a**b for a whole constant b: by multiplication, which is right at a = 0, too. None for another exponent."""
    a, b = operands
    if type(b) is Series and b.constant:
        b = b[0]
    if type(b) is Series or type(a) is not Series or (hasattr(b, "shape") and b.shape):
        return None
    if not (0 <= b <= 1024 and float(b).is_integer()) or (b > MULTIPLIED and by.nonzero(a[0])):
        return None
    if not b:
        return Series(z)
    found: Series | None = None
    square, n = a, int(b)
    while True:
        n, odd = divmod(n, 2)
        if odd:
            found = square if found is None else _product(by, found, square)
        if not n:
            assert found is not None
            return Series(z, found.__getitem__)
        square = _product(by, square, square)


def _product(by: Arithmetic, a: Series, b: Series) -> Series:
    return Series(by.times(a[0], b[0]), _mul(by, a, b))
