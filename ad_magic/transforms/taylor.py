"""Taylor coefficients of a function along a straight line, by truncated power series (engine/series.py)."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

from ad_magic.engine.active import LostDerivative
from ad_magic.engine.boundary import boundary
from ad_magic.engine.series import HIGHEST, NoSeries, series_sweep
from ad_magic.engine.tape import LOCATED
from ad_magic.engine.words import of_a_function

from . import trees
from .linear import Linear, alike, shaped
from .values import is_active, is_array, is_result, leaves, leaves_like


@boundary
def taylor(f: Callable[..., Any], x: Any, order: int, direction: Any = None) -> Any:
    """The Taylor coefficients c₀, …, c_order of t ↦ f(x + t·direction) at t = 0: cₖ is the k-th derivative over k!.

    `x` is the argument of f: a real number, an array, or a list or dict of them; a tuple is several arguments. The
    direction is like x; for a single number it is 1 where nothing is said. What comes out is like the output of f: in
    the place of a number a list of order + 1 numbers, in that of an array one with an axis of that length before its
    own. f is run once; the cost is that of some (order + 1)² / 2 runs, not exponential in the order as for nested
    derivatives; of a function whose partials lead to ever new ones (gamma, Bessel functions) with the third power.
    Where a series does not exist (`math.sqrt` at 0) coefficients are infinite or NaN; at a corner the first is the
    derivative of the rules, those after it are the mean of both sides (docs/singular-points.md).

    Raises TypeError where x and direction are not alike, ValueError for an order that is none (0 to 100), and
    LostDerivative, with the line, for an operation that has no series.

    >>> import math
    >>> taylor(math.exp, 0.0, 4)
    [1.0, 1.0, 0.5, 0.16666666666666666, 0.041666666666666664]
    >>> taylor(lambda x, y: x * y**2, (2.0, 3.0), 3, direction=(1.0, 0.5))
    [18.0, 15.0, 3.5, 0.25]
    """
    of_a_function("taylor", f)
    highest = order_of(order)
    primals = x if isinstance(x, tuple) else (x,)
    if direction is None:
        if len(primals) != 1 or is_array(x) or trees.is_container(x):
            raise TypeError("taylor needs a direction, like x: with more than one number it is along a line")
        direction = 1.0
    if isinstance(x, tuple) and not isinstance(direction, (tuple, list)):
        raise TypeError(f"the direction is like x: a tuple of {len(x)}, one for each argument")
    tangents = direction if isinstance(x, tuple) else (direction,)
    alike("taylor", primals, tangents)
    if any(is_active(part) for tree in primals for part in leaves(tree)):
        raise TypeError("taylor inside another derivative: its coefficients are plain numbers; take it outside")
    found = Linear(f, primals, located=LOCATED)
    flat = [part for x, t in zip(primals, tangents, strict=True) for part in leaves_like(x, t)]
    seeds = {row: [shaped(t, shape)] for row, t, shape in zip(found.rows, flat, found.shapes, strict=True)}
    try:
        series = series_sweep(found.columns, seeds, highest, [row for row in found.out_rows if row is not None])
    except NoSeries as error:
        raise LostDerivative(f"{error.where}: {error}" if error.where else str(error)) from None
    values = trees.leaves(found.value, is_result)
    parts = zip(found.out_rows, found.out_shapes, values, strict=True)
    results = [coefficients(None if row is None else series[row], v, shape, highest) for row, shape, v in parts]
    return trees.rebuilt(found.value, results, is_result)


def order_of(order: Any) -> int:
    """An order as a whole number. Raises ValueError."""
    try:
        found = index(order)
    except TypeError:
        found = -1
    if not 0 <= found <= HIGHEST:
        raise ValueError(f"order={order!r}: the order of a Taylor polynomial is a whole number from 0 to {HIGHEST}")
    return found


def coefficients(series: Any, value: Any, shape: tuple[int, ...], order: int) -> Any:
    """The coefficients of a result: a list of numbers, or an array with an axis for them before its own."""
    every = [value if k == 0 else 0.0 if series is None else series[k] for k in range(order + 1)]
    if not shape:
        return [float(c) for c in every]
    import numpy as np

    return np.stack([np.broadcast_to(np.asarray(c, dtype=float), shape) for c in every])
