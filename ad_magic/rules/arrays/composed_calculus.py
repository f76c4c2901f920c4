"""Calculus on samples as programs in other NumPy functions: differences, integrals, interpolation, convolution."""

from __future__ import annotations

import math
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .composed_parts import NOT_GIVEN, Body, axes_of, operand, part, vector

# ---- differences and integrals -------------------------------------------------------------------


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = NOT_GIVEN, append: Any = NOT_GIVEN) -> Any:
    """Neighbours subtracted, n times."""
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    a = operand(a)
    if np.ndim(a) == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    (axis,) = axes_of(axis, np.ndim(a))
    one = tuple(1 if k == axis else length for k, length in enumerate(np.shape(a)))
    pieces = [a]
    if prepend is not NOT_GIVEN:
        prepend = operand(prepend)
        pieces.insert(0, prepend if np.ndim(prepend) else np.broadcast_to(prepend, one))
    if append is not NOT_GIVEN:
        append = operand(append)
        pieces.append(append if np.ndim(append) else np.broadcast_to(append, one))
    if len(pieces) > 1:
        a = np.concatenate(pieces, axis=axis)
    for _ in range(n):
        after, before = part(a, axis, 1, None), part(a, axis, None, -1)
        a = after != before if a.dtype == bool else after - before
    return a


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Neighbours of the flattened array subtracted, with something before and after."""
    flat = np.reshape(operand(ary), -1)
    pieces = [flat[1:] - flat[:-1]]
    if to_begin is not None:
        pieces.insert(0, np.reshape(operand(to_begin), -1))
    if to_end is not None:
        pieces.append(np.reshape(operand(to_end), -1))
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences, one-sided ones of order `edge_order` at the ends; second order also on an uneven grid.

    Fornberg (1988), Generation of finite difference formulas on arbitrarily spaced grids, Mathematics of Computation
    51, 699-706.
    """
    f = operand(f)
    if not (np.iscomplexobj(f) or np.issubdtype(f.dtype, np.floating)):
        f = f * 1.0
    axes = axes_of(axis, np.ndim(f))
    if not varargs:
        spacings: list[Any] = [1.0] * len(axes)
    elif len(varargs) == 1 and np.ndim(varargs[0]) == 0:
        spacings = [varargs[0]] * len(axes)
    elif len(varargs) == len(axes):
        spacings = [_steps(distances, np.shape(f)[k]) for distances, k in zip(varargs, axes, strict=True)]
    else:
        raise TypeError("invalid number of arguments")
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    slopes = [_slope(f, k, spacing, edge_order) for k, spacing in zip(axes, spacings, strict=True)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def _steps(distances: Any, length: int) -> Any:
    """The spacing of one axis: a number, or the steps between coordinates."""
    distances = operand(distances)
    if np.ndim(distances) == 0:
        return distances
    if np.ndim(distances) != 1:
        raise ValueError("distances must be either scalars or 1d")
    if len(distances) != length:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    return distances[1:] * 1.0 - distances[:-1]


def _slope(f: Any, axis: int, h: Any, edge_order: int) -> Any:
    """The slope of f along one axis; h is a number, or the steps.

    NumPy takes equal steps for one number. Here each of them is itself, and has a derivative of its own.
    """
    length = np.shape(f)[axis]
    if length < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, "
            "at least (edge_order + 1) elements are required."
        )
    even = np.ndim(h) == 0
    before, here, after = part(f, axis, None, -2), part(f, axis, 1, -1), part(f, axis, 2, None)
    if even:
        inside = (after - before) / (2.0 * h)
    else:
        spread = tuple(-1 if k == axis else 1 for k in range(np.ndim(f)))
        h1, h2 = np.reshape(h[:-1], spread), np.reshape(h[1:], spread)
        inside = (
            -h2 / (h1 * (h1 + h2)) * before + (h2 - h1) / (h1 * h2) * here + h1 / (h2 * (h1 + h2)) * after
        )  # fmt: skip
    f0, f1 = part(f, axis, 0, 1), part(f, axis, 1, 2)
    g1, g0 = part(f, axis, length - 2, length - 1), part(f, axis, length - 1, length)
    if edge_order == 1:
        first, last = (f1 - f0) / (h if even else h[0]), (g0 - g1) / (h if even else h[-1])
    else:
        f2, g2 = part(f, axis, 2, 3), part(f, axis, length - 3, length - 2)
        first = _edge(f0, f1, f2, h if even else h[0], h if even else h[1])
        last = -_edge(g0, g1, g2, h if even else h[-1], h if even else h[-2])
    return np.concatenate((first, inside, last), axis=axis)


def _edge(f0: Any, f1: Any, f2: Any, h1: Any, h2: Any) -> Any:
    """The slope at the first of three points that are h1 and h2 apart."""
    return -(2.0 * h1 + h2) / (h1 * (h1 + h2)) * f0 + (h1 + h2) / (h1 * h2) * f1 - h1 / (h2 * (h1 + h2)) * f2


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Σ h (y₁ + y₂) / 2."""
    y = operand(y)
    (k,) = axes_of(axis, np.ndim(y))
    if x is None:
        h = dx
    else:
        x = operand(x)
        if np.ndim(x) == 1:
            h = np.reshape(x[1:] - x[:-1], tuple(-1 if one == k else 1 for one in range(np.ndim(y))))
        else:
            h = diff(x, axis=axis)
    return np.sum(h * (part(y, k, 1, None) + part(y, k, None, -1)) / 2.0, axis=k)


# ---- interpolation -------------------------------------------------------------------------------


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Linear between the points; outside them `left` and `right`, which are the first and the last value if not given.

    At a point where two slopes meet the derivative with respect to x is the one of least absolute value between them:
    convex or concave, one of the two always applies.
    """
    x, xp, fp = operand(x), operand(xp), operand(fp)
    if np.ndim(xp) != 1 or np.ndim(fp) != 1:
        raise ValueError("Data points must be 1-D sequences")
    if len(xp) != len(fp):
        raise ValueError("fp and xp are not of the same length.")
    if len(xp) == 0:
        raise ValueError("array of sample points is empty")
    if period is not None:
        if period == 0:
            raise ValueError("period must be a non-zero value")
        period, left, right = abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = np.take(xp, order), np.take(fp, order)
        xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
        fp = np.concatenate((fp[-1:], fp, fp[:1]))
    inside = _between_points(x, xp, fp, left is None, right is None) if len(xp) > 1 else fp[0]
    below = fp[0] if left is None else left
    above = fp[-1] if right is None else right
    result = np.where(x < xp[0], below, np.where(x > xp[-1], above, inside))
    return result if np.ndim(result) or not isinstance(result, np.ndarray) else result[()]


def _between_points(x: Any, xp: Any, fp: Any, flat_left: bool, flat_right: bool) -> Any:
    n = len(xp)
    step = xp[1:] - xp[:-1]
    slopes = (fp[1:] - fp[:-1]) / np.where(step == 0, 1.0, step)
    place = np.searchsorted(xp, x, side="right") - 1
    piece = np.clip(place, 0, n - 2)
    knot = np.clip(place, 0, n - 1)
    on_knot = x == np.take(xp, knot)
    slope = np.take(slopes, piece)
    if np.any(on_knot):
        # beyond the ends it is flat, or jumps: then there is one slope only
        before = np.zeros(1) if flat_left else slopes[:1]
        after = np.zeros(1) if flat_right else slopes[-1:]
        padded = np.concatenate((before, slopes, after))
        least = _least(np.take(padded, knot), np.take(padded, knot + 1))
        slope = np.where(on_knot, np.where(np.isfinite(least), least, 0.0), slope)
        piece = np.where(on_knot, knot, piece)
    return np.take(fp, piece) + slope * (x - np.take(xp, piece))


def _least(a: Any, b: Any) -> Any:
    """The number of least absolute value between a and b; for complex ones the middle."""
    if np.iscomplexobj(a):
        return (a + b) / 2
    return np.where((a > 0) & (b > 0), np.where(a < b, a, b), np.where((a < 0) & (b < 0), np.where(a > b, a, b), 0.0))


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Any:
    """p plus multiples of the period, so that neighbours differ by half a period at most.

    The multiple is mod(d + period/2) - (d + period/2): in its derivative the 1 of the remainder and the 1 of d cancel.
    """
    p = operand(p)
    (axis,) = axes_of(axis, np.ndim(p))
    d = part(p, axis, 1, None) - part(p, axis, None, -1)
    discont = period / 2 if discont is None else discont
    if np.issubdtype(np.result_type(d, period), np.integer):
        high, odd = divmod(period, 2)
        ambiguous = odd == 0
    else:
        high, ambiguous = period / 2, True
    wrapped = np.mod(d + high, period) - high
    if ambiguous:
        wrapped = np.where((wrapped == -high) & (d > 0), high, wrapped)
    correction = np.where(np.abs(d) < discont, 0, wrapped - d)
    return np.concatenate((part(p, axis, 0, 1), part(p, axis, 1, None) + np.cumsum(correction, axis=axis)), axis=axis)


# ---- convolution ---------------------------------------------------------------------------------


def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """Σₖ aₖ vₙ₋ₖ."""
    a, v = vector(a), vector(v)
    if np.ndim(a) != 1 or np.ndim(v) != 1:
        raise ValueError("object too deep for desired array")
    if len(a) == 0 or len(v) == 0:
        raise ValueError(f"{'a' if len(a) == 0 else 'v'} cannot be empty")
    if len(v) > len(a):
        a, v = v, a
    return _cut(_products(a, v), len(a), len(v), mode)


def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """Σₙ aₙ₊ₖ conj(vₙ)."""
    a, v = operand(a), operand(v)
    if np.ndim(a) != 1 or np.ndim(v) != 1:
        raise ValueError("np.correlate takes arrays of one axis")
    if len(a) == 0 or len(v) == 0:
        raise ValueError(
            "first array argument cannot be empty" if len(a) == 0 else "second array argument cannot be empty"
        )
    v = np.conjugate(v)
    if len(v) <= len(a):
        return _cut(_products(a, np.flip(v)), len(a), len(v), mode)
    return np.flip(_cut(_products(v, np.flip(a)), len(v), len(a), mode))


def _products(a: Any, v: Any) -> Any:
    """The full convolution: rows of a table of all products, each a place to the right of the one above, added up.

    The places come from reading the table, widened by zeros, in rows that are shorter by one.
    """
    n, k = len(a), len(v)
    table = np.concatenate((v[:, None] * a[None, :], np.zeros((k, k), int)), axis=1)
    return np.sum(np.reshape(np.reshape(table, -1)[: k * (n + k - 1)], (k, n + k - 1)), axis=0)


def _cut(full: Any, long: int, short: int, mode: Any) -> Any:
    if mode in ("full", 2):
        return full
    if mode in ("same", 1):
        return full[(short - 1) // 2 : (short - 1) // 2 + long]
    if mode in ("valid", 0):
        return full[short - 1 : long]
    raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")


BODIES: dict[str, Body] = {
    "np.diff": diff,
    "np.ediff1d": ediff1d,
    "np.gradient": gradient,
    "np.trapezoid": trapezoid,
    "np.trapz": trapezoid,
    "np.interp": interp,
    "np.unwrap": unwrap,
    "np.convolve": convolve,
    "np.correlate": correlate,
}
