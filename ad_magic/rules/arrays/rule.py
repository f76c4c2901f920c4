"""What an array primitive is: a function of NumPy with one function pair, pull and push.

An array primitive that acts on each entry alone (sin, multiply, …) is a row of the derivative table and has no
entry here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

Pull = Callable[..., Any]
Push = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ArrayRule:
    """One array primitive: a function of NumPy, the names of its operands and options, and its pair.

    `value(*operands, **options)` is the primitive; `operands` are the names of the arguments that carry derivatives,
    `options` those of the others, in the order of NumPy's signature.

    `pull(k, g, z, *operands, **options)` is what the adjoint g of the result z adds to the adjoint of operand k;
    `push(k, t, z, *operands, **options)` is what the tangent t of operand k adds to the tangent of the result.
    Without a push the primitive is linear in each operand by itself, and its own value at t is the push. A
    primitive with several results has tuples for z, g (None for a part that nothing depends on) and for what push
    returns.

    Adjoint of a complex number z = x + iy: the derivative with respect to x plus i times that with respect to y, so
    that pull(g) of a linear map A is A^H g. The engine takes the real part for a real operand, and sums over axes
    along which an operand was broadcast.
    """

    name: str
    value: Callable[..., Any]
    operands: tuple[str, ...]
    options: tuple[str, ...]
    pull: Pull
    push: Push | None = None
    several: bool = (
        False  # operand 0 is a sequence of arrays: concatenate, stack; each of them is an operand of its own
    )

    # What a row of the derivative table may be, and this is not.
    variadic: ClassVar[bool] = False
    step: ClassVar[bool] = False
    kink: ClassVar[None] = None


def conj(x: Any) -> Any:
    """The complex conjugate; a real array as it is, without a copy.

    >>> conj(2.0), conj(1j)
    (2.0, -1j)
    """
    dtype = getattr(x, "dtype", None)
    if dtype.kind == "c" if dtype is not None else isinstance(x, complex):
        return x.conjugate()
    return x
