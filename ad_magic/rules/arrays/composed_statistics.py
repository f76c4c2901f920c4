"""Statistics as programs in other NumPy functions: spread, averages, order statistics, covariance."""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .composed_parts import NOT_GIVEN, Body, axes_of, double_only, given, operand, root, shape_without

# ---- means and spread ----------------------------------------------------------------------------


def counted(where: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    """How many entries a reduction takes: a plain number, an array where a mask says which entries count."""
    if where is True:
        return math.prod(shape[k] for k in axes_of(axis, len(shape)))
    return np.sum(np.broadcast_to(where, shape), axis=axis, keepdims=keepdims, dtype=np.intp)


def squared(x: Any) -> Any:
    """x², for a complex x its squared absolute value."""
    return np.real(x * np.conjugate(x)) if np.iscomplexobj(x) else x * x


def degrees_of_freedom(ddof: Any, correction: Any) -> Any:
    if correction is NOT_GIVEN:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction


def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NOT_GIVEN, *,
    where: Any = NOT_GIVEN, mean: Any = NOT_GIVEN, correction: Any = NOT_GIVEN,
) -> Any:  # fmt: skip
    """Σ |a - mean|² / (n - ddof)."""
    double_only("np.var", dtype, out)
    ddof = degrees_of_freedom(ddof, correction)
    keepdims, where = given(keepdims, False), given(where, True)
    a = operand(a)
    if where is not True:
        a = np.where(where, a, 0)
    count = counted(where, np.shape(a), axis, keepdims)
    if np.any(ddof >= count):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
    centre = given(mean, None)
    if centre is None:
        total = np.sum(a, axis=axis, keepdims=True)
        centre = np.true_divide(total, counted(where, np.shape(a), axis, True))
    deviation = a - centre
    if where is not True:
        deviation = np.where(where, deviation, 0)
    return np.true_divide(np.sum(squared(deviation), axis=axis, keepdims=keepdims), np.maximum(count - ddof, 0))


def std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NOT_GIVEN, *,
    where: Any = NOT_GIVEN, mean: Any = NOT_GIVEN, correction: Any = NOT_GIVEN,
) -> Any:  # fmt: skip
    """The square root of the variance; its slope is 0 where all values are equal."""
    return root(var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = NOT_GIVEN
) -> Any:  # fmt: skip
    """Σ w a / Σ w."""
    a, keepdims = operand(a), given(keepdims, False)
    shape = np.shape(a)
    if weights is None:
        result = np.mean(a, axis=axis, keepdims=keepdims)
        scale: Any = float(math.prod(shape[k] for k in axes_of(axis, len(shape))))
    else:
        weights = _spread_weights(operand(weights), shape, axis)
        scale = np.sum(weights, axis=axis, keepdims=keepdims)
        if np.any(scale == 0.0):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        result = np.sum(a * weights, axis=axis, keepdims=keepdims) / scale
    if not returned:
        return result
    return result, (scale if np.shape(scale) == np.shape(result) else np.broadcast_to(scale, np.shape(result)))


def _spread_weights(weights: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """Weights along some axes, in a shape that broadcasts with all of them."""
    if np.shape(weights) == shape:
        return weights
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = axes_of(axis, len(shape))
    if np.shape(weights) != tuple(shape[k] for k in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    in_order = np.transpose(weights, tuple(np.argsort(axes)))
    return np.reshape(in_order, tuple(n if k in axes else 1 for k, n in enumerate(shape)))


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = NOT_GIVEN) -> Any:
    """Peak to peak: max - min."""
    double_only("np.ptp", None, out)
    a, keepdims = operand(a), given(keepdims, False)
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# ---- order statistics ----------------------------------------------------------------------------
# A quantile is an entry of the sorted array, or lies between two neighbours. Which entry is a decision. Sorted is along
# axis 0; n, how many rows count, is one number, or one for each column where NaNs are left out.


def lined_up(a: Any, axis: Any) -> Any:
    """a with the axes that are reduced merged into one, in front."""
    axes = axes_of(axis, np.ndim(a))
    merged = math.prod(np.shape(a)[k] for k in axes)
    moved = np.moveaxis(a, axes, tuple(range(len(axes))))
    return np.reshape(moved, (merged, *shape_without(np.shape(a), axes, False)))


def row(ordered: Any, index: Any, leading: tuple[int, ...]) -> Any:
    """Rows of the sorted array; the index has the shape `leading`, then one number for all columns or one for each."""
    columns = np.shape(ordered)[1:]
    if not leading and np.size(index) == 1:
        return ordered[int(np.reshape(index, ()))]
    if np.size(index) == math.prod(leading):
        return np.take(ordered, np.reshape(index, leading), axis=0)
    index = np.reshape(np.broadcast_to(index, leading + columns), (-1, *columns))
    return np.reshape(np.take_along_axis(ordered, index, axis=0), leading + columns)


def median_of(ordered: Any, n: Any) -> Any:
    """The middle one of n sorted rows, or the mean of the middle two."""
    low, high = np.maximum((n - 1) // 2, 0), np.minimum(n // 2, len(ordered) - 1)
    if np.all(low == high):
        return row(ordered, low, ())
    return 0.5 * (row(ordered, low, ()) + row(ordered, high, ()))


def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The middle one of the sorted values, or the mean of the middle two; NaN where there is a NaN."""
    double_only("np.median", None, out)
    a = operand(a)
    rows = lined_up(a, axis)
    if not len(rows):
        return np.mean(a, axis=axis, keepdims=keepdims)
    ordered = np.sort(rows, axis=0)
    return finished(_nan_if_any(median_of(ordered, len(rows)), ordered), a, axis, keepdims)


def _nan_if_any(result: Any, ordered: Any) -> Any:
    """The result, NaN in the columns that hold a NaN: it is sorted to the end."""
    last = ordered[-1]
    bad = np.isnan(last)
    return np.where(bad, last, result) if np.any(bad) else result


def finished(result: Any, a: Any, axis: Any, keepdims: Any, leading: tuple[int, ...] = ()) -> Any:
    """The result in the shape that keepdims asks for; `leading` is the shape of the quantiles that were asked for."""
    if not given(keepdims, False):
        return result
    return np.reshape(result, leading + shape_without(np.shape(a), axes_of(axis, np.ndim(a)), True))


# Hyndman & Fan (1996), Sample quantiles in statistical packages, The American Statistician 50: the place of quantile q
# among n sorted values, counted from 0, is n q + alpha + q (1 - alpha - beta) - 1; between two it is linear.
_LINEAR = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0),
    "median_unbiased": (1 / 3.0, 1 / 3.0),
    "normal_unbiased": (3 / 8.0, 3 / 8.0),
}
_STEPS = ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")
_HALVES = ("averaged_inverted_cdf", "midpoint")


def quantile_of(ordered: Any, n: Any, q: Any, method: str) -> Any:
    """The quantiles q of the first n sorted rows, in the shape of q followed by that of a row."""
    leading = np.shape(q)
    columns = np.ndim(ordered) - 1
    q = np.reshape(q, leading + (1,) * columns)
    if method in _STEPS:
        return row(ordered, _whole(_step(n, q, method), ordered, n), leading)
    if method in _HALVES:
        place = n * q - 1 if method == "averaged_inverted_cdf" else (n - 1) * q
        low = row(ordered, _whole(np.floor(place), ordered, n), leading)
        if method == "midpoint":
            high = row(ordered, _whole(np.ceil(place), ordered, n), leading)
            share: Any = 0.5
        else:
            high = row(ordered, _whole(np.floor(place) + 1, ordered, n), leading)
            share = np.where(place == np.floor(place), 0.5, 1.0)
        return _between(low, high, share)
    if method not in _LINEAR:
        raise ValueError(f"{method!r} is not a valid method. Use one of: {sorted([*_LINEAR, *_STEPS, *_HALVES])}")
    alpha, beta = _LINEAR[method]
    place = (n - 1) * q if method == "linear" else n * q + (alpha + q * (1 - alpha - beta)) - 1
    floor = _whole(np.floor(place), ordered, n)
    ceiling = np.where((place < 0) | (place >= n - 1), floor, floor + 1)
    return _between(row(ordered, floor, leading), row(ordered, ceiling, leading), place - floor)


def _whole(place: Any, ordered: Any, n: Any) -> Any:
    """A place that is a whole number as a plain index, also where q is active."""
    index = np.searchsorted(np.arange(len(ordered)), place)
    return np.maximum(np.minimum(index, n - 1), 0)


def _between(low: Any, high: Any, share: Any) -> Any:
    """low + share (high - low), rounded as NumPy does: exact at both ends."""
    step = high - low
    return np.where(share >= 0.5, high - step * (1 - share), low + step * share)


def _step(n: Any, q: Any, method: str) -> Any:
    """The place of quantile q by a method that takes one of the values as it is."""
    if method == "inverted_cdf":
        return np.ceil(n * q - 1)
    if method == "closest_observation":
        place = n * q - 1.5
        floor = np.floor(place)
        return np.where((place == floor) & (floor % 2 == _halfway_stays()), floor, floor + 1)
    return {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}[method]((n - 1) * q)


@functools.cache
def _halfway_stays() -> int:
    """Which places, even or odd ones, stay where `closest_observation` is half way: NumPy 2.2 has mended it."""
    return int(np.quantile(np.array([0.0, 1.0]), 0.75, method="closest_observation"))


def quantile_operands(function: str, a: Any, q: Any, out: Any, weights: Any, top: int) -> tuple[Any, Any]:
    """a and q, checked; q from 0 to 1."""
    double_only(function, None, out)
    a, q = operand(a), operand(q)
    if weights is not None:
        raise NotImplementedError(f"{function}: weights= has no derivative rule; leave them out, or repeat the values")
    if np.iscomplexobj(a):
        raise TypeError("a must be an array of real numbers")
    if not np.all((q >= 0) & (q <= top)):
        raise ValueError(f"{'Percentiles' if top == 100 else 'Quantiles'} must be in the range [0, {top}]")
    return a, q / top if top != 1 else q


def _quantile(a: Any, q: Any, axis: Any, method: str, keepdims: Any) -> Any:
    rows = lined_up(a, axis)
    ordered = np.sort(rows, axis=0)
    result = _nan_if_any(quantile_of(ordered, len(rows), q, method), ordered)
    return finished(result, a, axis, keepdims, np.shape(q))


def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """Linear in the values and in q; between which values q lies is decided by plain numbers (Hyndman & Fan 1996)."""
    a, q = quantile_operands("np.quantile", a, q, out, weights, 1)
    return _quantile(a, q, axis, method, keepdims)


def percentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The quantile q / 100."""
    a, q = quantile_operands("np.percentile", a, q, out, weights, 100)
    return _quantile(a, q, axis, method, keepdims)


# ---- covariance ----------------------------------------------------------------------------------


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """X W Xᴴ / factor with the weighted means taken from the rows of X."""
    double_only("np.cov", dtype)
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    m = operand(m)
    if np.ndim(m) > 2:
        raise ValueError("m has more than 2 dimensions")
    X = _rows(m)
    if not rowvar and np.ndim(m) != 1:
        X = np.transpose(X)
    if X.shape[0] == 0:
        return np.zeros((0, 0))
    if y is not None:
        y = operand(y)
        if np.ndim(y) > 2:
            raise ValueError("y has more than 2 dimensions")
        y = _rows(y)
        if not rowvar and y.shape[0] != 1:
            y = np.transpose(y)
        X = np.concatenate((X, y), axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = _cov_weights(X.shape[1], fweights, aweights)
    if weights is None:
        mean, factor = np.mean(X, axis=1), X.shape[1] - ddof
    else:
        total = np.sum(weights)
        if total == 0:
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        mean = np.sum(X * weights, axis=1) / total
        if ddof == 0:
            factor = total
        elif aweights is None:
            factor = total - ddof
        else:
            factor = total - ddof * np.sum(weights * operand(aweights)) / total
    if factor <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
        factor = 0.0
    X = X - mean[:, None]
    c = X @ np.conjugate(np.transpose(X if weights is None else X * weights))
    return np.squeeze(c * np.true_divide(1, factor))


def _rows(x: Any) -> Any:
    return x if np.ndim(x) == 2 else np.reshape(x, (1, -1))


def _cov_weights(n: int, fweights: Any, aweights: Any) -> Any:
    """The product of the two kinds of weights, None where there is neither."""
    product = None
    for kind, weights in (("fweights", fweights), ("aweights", aweights)):
        if weights is None:
            continue
        weights = operand(weights)
        if kind == "fweights" and not np.all(weights == np.rint(weights)):
            raise TypeError("fweights must be integer")
        if np.ndim(weights) > 1:
            raise RuntimeError(f"cannot handle multidimensional {kind}")
        if np.shape(weights)[0] != n:
            raise RuntimeError(f"incompatible numbers of samples and {kind}")
        if np.any(weights < 0):
            raise ValueError(f"{kind} cannot be negative")
        product = weights if product is None else product * weights
    return product


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Cᵢⱼ / √(Cᵢᵢ Cⱼⱼ) of the covariance C, cut to [-1, 1]."""
    double_only("np.corrcoef", dtype)
    c = cov(x, y, rowvar)
    if np.ndim(c) == 0:
        return np.true_divide(c, c)
    deviation = np.sqrt(np.real(np.diagonal(c)))
    c = c / deviation[:, None] / deviation[None, :]
    if np.iscomplexobj(c):
        return _cut(np.real(c)) + 1j * _cut(np.imag(c))
    return _cut(c)


def _cut(c: Any) -> Any:
    """c where rounding has taken it beyond ±1 set to ±1, else as it is: ±1 itself is no kink, the slope there is 0."""
    if not np.any((c > 1) | (c < -1)):
        return c
    return np.where(c > 1, 1.0, np.where(c < -1, -1.0, c))


BODIES: dict[str, Body] = {
    "np.var": var,
    "np.std": std,
    "np.average": average,
    "np.ptp": ptp,
    "np.median": median,
    "np.quantile": quantile,
    "np.percentile": percentile,
    "np.cov": cov,
    "np.corrcoef": corrcoef,
}
