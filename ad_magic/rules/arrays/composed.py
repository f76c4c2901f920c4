"""Derivatives by composition: NumPy functions that are a short program in other NumPy functions.

Each has a body with NumPy's signature and NumPy's values, written in functions that have a rule, so that its
derivative, of any order, is theirs. What a body asks about plain values (which entry is the greatest, what is a NaN)
is a decision like any other. What cannot be followed is refused in a sentence: `out`, a `dtype` other than double
precision, weights of a quantile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np

from . import (
    composed_calculus,
    composed_elementwise,
    composed_nan,
    composed_polynomials,
    composed_products,
    composed_selection,
    composed_statistics,
)

_BODIES = (
    composed_statistics.BODIES
    | composed_nan.BODIES
    | composed_calculus.BODIES
    | composed_polynomials.BODIES
    | composed_products.BODIES
    | composed_selection.BODIES
    | composed_elementwise.BODIES
)


def public(name: str) -> Callable[..., Any] | None:
    """NumPy's function of a dotted name; None where this NumPy does not have it.

    >>> public("np.linalg.cond") is np.linalg.cond, public("np.nothing")
    (True, None)
    """
    found: Any = np
    for attribute in name.split(".")[1:]:
        found = getattr(found, attribute, None)
    return found


COMPOSED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    name: (function, body) for name, body in _BODIES.items() if (function := public(name)) is not None
}

# Functions that move, copy or leave out entries by their place alone, and may fill with constants: what they do to an
# array of the entries' numbers, they do to the entries.
MOVES: tuple[str, ...] = (
    # other shapes, the same entries
    "np.reshape", "np.ravel", "np.transpose", "np.permute_dims", "np.matrix_transpose", "np.linalg.matrix_transpose",
    "np.swapaxes", "np.moveaxis", "np.rollaxis", "np.squeeze", "np.expand_dims", "np.atleast_1d", "np.atleast_2d",
    "np.atleast_3d", "np.copy",
    # other places
    "np.flip", "np.fliplr", "np.flipud", "np.rot90", "np.roll", "np.fft.fftshift", "np.fft.ifftshift",
    # repeated
    "np.repeat", "np.tile", "np.resize", "np.broadcast_to", "np.broadcast_arrays", "np.meshgrid",
    "np.lib.stride_tricks.sliding_window_view",
    # taken, left out
    "np.take", "np.take_along_axis", "np.delete", "np.diagonal", "np.linalg.diagonal",
    # filled with constants
    "np.diag", "np.diagflat", "np.tril", "np.triu",
    # several arrays in, or out
    "np.concatenate", "np.concat", "np.stack", "np.hstack", "np.vstack", "np.row_stack", "np.dstack", "np.column_stack",
    "np.block", "np.append", "np.insert", "np.split", "np.array_split", "np.hsplit", "np.vsplit", "np.dsplit",
    "np.unstack",
)  # fmt: skip
