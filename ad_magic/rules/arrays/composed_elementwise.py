"""Functions of each entry, and evenly spaced numbers, as programs in other NumPy functions."""

from __future__ import annotations

import math
import operator
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .composed_parts import NOT_GIVEN, Body, double_only, operand

# ---- limits and special values -------------------------------------------------------------------


def clip(
    a: Any, a_min: Any = NOT_GIVEN, a_max: Any = NOT_GIVEN, out: Any = None, *, min: Any = NOT_GIVEN,
    max: Any = NOT_GIVEN, **kwargs: Any,
) -> Any:  # fmt: skip
    """min(max(a, low), high)."""
    double_only("np.clip", kwargs.pop("dtype", None), out)
    if kwargs:
        raise NotImplementedError(f"np.clip: {next(iter(kwargs))}= has no derivative rule")
    if a_min is NOT_GIVEN and a_max is NOT_GIVEN:
        a_min = None if min is NOT_GIVEN else min
        a_max = None if max is NOT_GIVEN else max
    elif a_min is NOT_GIVEN or a_max is NOT_GIVEN:
        missing = "a_min" if a_min is NOT_GIVEN else "a_max"
        raise TypeError(f"clip() missing 1 required positional argument: {missing!r}")
    elif min is not NOT_GIVEN or max is not NOT_GIVEN:
        raise ValueError(
            "Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden."
        )  # fmt: skip
    a = operand(a)
    if a_min is None and a_max is None:
        return +a
    if a_min is not None:
        a = np.maximum(a, operand(a_min))
    if a_max is not None:
        a = np.minimum(a, operand(a_max))
    return a


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """NaN and infinities replaced by numbers, of which the derivative is 0. Where `copy` is False the caller writes the
    result into x."""
    x = operand(x)
    greatest = np.finfo(float).max
    instead = nan, greatest if posinf is None else posinf, -greatest if neginf is None else neginf
    if np.iscomplexobj(x):
        return _replaced(np.real(x), *instead) + 1j * _replaced(np.imag(x), *instead)
    return _replaced(x, *instead)


def _replaced(x: Any, nan: Any, above: Any, below: Any) -> Any:
    if np.all(np.isfinite(x)):
        return +x
    return np.where(np.isnan(x), nan, np.where(x == np.inf, above, np.where(x == -np.inf, below, x)))


def fix(x: Any, out: Any = None) -> Any:
    """Rounded towards 0."""
    double_only("np.fix", None, out)
    np.fix(0.0)  # it warns of itself from NumPy 2.5 on
    return np.trunc(operand(x))


def real_if_close(a: Any, tol: Any = 100) -> Any:
    """The real part, where all imaginary parts are within `tol` units of the last place."""
    a = operand(a)
    if not np.iscomplexobj(a):
        return a
    imaginary = np.imag(a)
    limit = np.finfo(float).eps * tol if tol > 1 else tol
    return np.real(a) if np.all((imaginary < limit) & (imaginary > -limit)) else a


# ---- special functions ---------------------------------------------------------------------------


def _powers(s: Any, coefficients: list[float]) -> Any:
    """Horner's rule, lowest power first in the list."""
    result: Any = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        result = result * s + c
    return result


_SINC = [(-1) ** k / math.factorial(2 * k + 1) for k in range(14)]


def sinc(x: Any) -> Any:
    """sin(πx) / (πx); within |πx| < 1 its Taylor series, which has all derivatives at 0 and loses no digits there."""
    y = np.pi * operand(x)
    near = np.abs(y) < 1
    if not np.any(near):
        return np.sin(y) / y
    inner = np.where(near, y, 0.0)
    outer = np.where(near, 1.0, y)
    return np.where(near, _powers(inner * inner, _SINC), np.sin(outer) / outer)


# I₀(x) = Σ (x²/4)ᵏ / k!² (Abramowitz & Stegun 9.6.12): all terms positive, 40 of them are enough for |x| ≤ 8
_I0 = [1 / math.factorial(k) ** 2 for k in range(40)]
# exp(-x) √x I₀(x) as a Chebyshev series in 32/x - 2 for x > 8: Moshier, Cephes Math Library, i0.c; NumPy uses it, too
_I0_FAR = [
    -7.23318048787475395456e-18, -4.83050448594418207126e-18, 4.46562142029675999901e-17, 3.46122286769746109310e-17,
    -2.82762398051658348494e-16, -3.42548561967721913462e-16, 1.77256013305652638360e-15, 3.81168066935262242075e-15,
    -9.55484669882830764870e-15, -4.15056934728722208663e-14, 1.54008621752140982691e-14, 3.85277838274214270114e-13,
    7.18012445138366623367e-13, -1.79417853150680611778e-12, -1.32158118404477131188e-11, -3.14991652796324136454e-11,
    1.18891471078464383424e-11, 4.94060238822496958910e-10, 3.39623202570838634515e-9, 2.26666899049817806459e-8,
    2.04891858946906374183e-7, 2.89137052083475648297e-6, 6.88975834691682398426e-5, 3.36911647825569408990e-3,
    8.04490411014108831608e-1,
]  # fmt: skip


def i0(x: Any) -> Any:
    """The modified Bessel function of order 0."""
    x = operand(x)
    if np.iscomplexobj(x):
        raise TypeError("i0 not supported for complex values")
    near = np.abs(x) <= 8
    inner = np.where(near, x, 0.0)
    result = _powers(inner * inner / 4, _I0)
    if np.all(near):
        return result
    outer = np.abs(np.where(near, 9.0, x))
    u = 32.0 / outer - 2.0
    b0, b1, b2 = np.zeros(()), np.zeros(()), np.zeros(())
    for c in _I0_FAR[1:]:  # Clenshaw's recurrence
        b0, b1, b2 = u * b0 - b1 + c, b0, b1
    return np.where(near, result, np.exp(outer) * (0.5 * (b0 - b2)) / np.sqrt(outer))


# ---- functions that leave the real numbers where they have to ------------------------------------


def _negative(x: Any) -> Any:
    return x < 0


def _beyond_one(x: Any) -> Any:
    return (x > 1) | (x < -1)


def _widened(x: Any, outside: Any) -> Any:
    """x as complex numbers where one of them is outside."""
    x = operand(x)
    return x if np.iscomplexobj(x) or not np.any(outside(x)) else x + 0j


def emath_sqrt(x: Any) -> Any:
    """√x, imaginary for x < 0."""
    return np.sqrt(_widened(x, _negative))


def emath_log(x: Any) -> Any:
    """log x, with imaginary part π for x < 0."""
    return np.log(_widened(x, _negative))


def emath_log2(x: Any) -> Any:
    """log₂ x, complex for x < 0."""
    return np.log2(_widened(x, _negative))


def emath_log10(x: Any) -> Any:
    """log₁₀ x, complex for x < 0."""
    return np.log10(_widened(x, _negative))


def emath_logn(n: Any, x: Any) -> Any:
    """log x / log n, complex where one of them is negative."""
    return np.log(_widened(x, _negative)) / np.log(_widened(n, _negative))


def emath_power(x: Any, p: Any) -> Any:
    """xᵖ, complex for x < 0."""
    p = operand(p)
    if not np.iscomplexobj(p) and np.issubdtype(np.result_type(p), np.integer) and np.any(p < 0):
        p = p * 1.0
    return np.power(_widened(x, _negative), p)


def emath_arccos(x: Any) -> Any:
    """arccos x, complex for |x| > 1."""
    return np.arccos(_widened(x, _beyond_one))


def emath_arcsin(x: Any) -> Any:
    """arcsin x, complex for |x| > 1."""
    return np.arcsin(_widened(x, _beyond_one))


def emath_arctanh(x: Any) -> Any:
    """artanh x, complex for |x| > 1."""
    return np.arctanh(_widened(x, _beyond_one))


# ---- evenly spaced numbers -----------------------------------------------------------------------


def linspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """start + k (stop - start) / n."""
    double_only("np.linspace", dtype)
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    gaps = num - 1 if endpoint else num
    start, stop = operand(start) * 1.0, operand(stop) * 1.0
    width = stop - start
    k = np.reshape(np.arange(0.0, num), (-1,) + (1,) * np.ndim(width))
    step = width / gaps if gaps > 0 else np.nan
    points = (k * step if gaps > 0 else k * width) + start
    if endpoint and num > 1:
        last = np.broadcast_to(stop, (1, *np.shape(width)))
        points = np.concatenate((points[:-1], last))
    points = np.moveaxis(points, 0, axis) if axis != 0 else points
    return (points, step) if retstep else points


def logspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:  # fmt: skip
    """base to the power of evenly spaced numbers."""
    double_only("np.logspace", dtype)
    start, stop, base = operand(start), operand(stop), operand(base)
    if np.ndim(base):
        n = max(np.ndim(start), np.ndim(stop), np.ndim(base))
        start, stop, base = (np.reshape(x, (1,) * (n - np.ndim(x)) + np.shape(x)) for x in (start, stop, base))
        base = np.expand_dims(base, axis)
    return np.power(base, linspace(start, stop, num=num, endpoint=endpoint, axis=axis))


def geomspace(start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers in geometric progression, by their logarithms."""
    double_only("np.geomspace", dtype)
    start, stop = operand(start) * 1.0, operand(stop) * 1.0
    if np.any(start == 0) or np.any(stop == 0):
        raise ValueError("Geometric sequence cannot include zero")
    if np.iscomplexobj(start) or np.iscomplexobj(stop):
        raise NotImplementedError("np.geomspace: complex numbers have no derivative rule; use np.exp(np.linspace(...))")
    sign = np.where(start < 0, -1.0, 1.0)
    between = sign * np.power(10.0, linspace(np.log10(sign * start), np.log10(sign * stop), num=num, endpoint=endpoint))
    shape = np.shape(between)[1:]
    pieces = [np.broadcast_to(start, (1, *shape)), between[1:]] if num > 0 else [between]
    if num > 1 and endpoint:
        pieces = [pieces[0], between[1:-1], np.broadcast_to(stop, (1, *shape))]
    points = np.concatenate(pieces)
    return np.moveaxis(points, 0, axis) if axis != 0 else points


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    """One number, or numbers that broadcast, in the shape of an array."""
    double_only("np.full_like", dtype)
    return np.copy(np.broadcast_to(operand(fill_value), np.shape(a) if shape is None else shape))


BODIES: dict[str, Body] = {
    "np.clip": clip,
    "np.nan_to_num": nan_to_num,
    "np.fix": fix,
    "np.real_if_close": real_if_close,
    "np.sinc": sinc,
    "np.i0": i0,
    "np.emath.sqrt": emath_sqrt,
    "np.emath.log": emath_log,
    "np.emath.log2": emath_log2,
    "np.emath.log10": emath_log10,
    "np.emath.logn": emath_logn,
    "np.emath.power": emath_power,
    "np.emath.arccos": emath_arccos,
    "np.emath.arcsin": emath_arcsin,
    "np.emath.arctanh": emath_arctanh,
    "np.linspace": linspace,
    "np.logspace": logspace,
    "np.geomspace": geomspace,
    "np.full_like": full_like,
}
