"""Statistics that leave NaNs out: plain values decide what is a NaN, the rest are sums, maxima and sorted rows."""

from __future__ import annotations

import warnings
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .composed_parts import NOT_GIVEN, Body, double_only, given, operand, root
from .composed_statistics import (
    counted,
    degrees_of_freedom,
    finished,
    lined_up,
    median_of,
    quantile_of,
    quantile_operands,
    squared,
)


def _kept(a: Any, where: Any) -> Any:
    """A plain mask: which entries are taken."""
    kept = ~np.isnan(a)
    return kept if where is NOT_GIVEN or where is True else kept & where


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NOT_GIVEN, initial: Any = NOT_GIVEN,
    where: Any = NOT_GIVEN,
) -> Any:  # fmt: skip
    """The sum with 0 for a NaN."""
    double_only("np.nansum", dtype, out)
    a = operand(a)
    total = np.sum(np.where(_kept(a, where), a, 0), axis=axis, keepdims=given(keepdims, False))
    return total if initial is NOT_GIVEN else total + initial


def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NOT_GIVEN, initial: Any = NOT_GIVEN,
    where: Any = NOT_GIVEN,
) -> Any:  # fmt: skip
    """The product with 1 for a NaN."""
    double_only("np.nanprod", dtype, out)
    a = operand(a)
    product = np.prod(np.where(_kept(a, where), a, 1), axis=axis, keepdims=given(keepdims, False))
    return product if initial is NOT_GIVEN else product * initial


def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running sum with 0 for a NaN."""
    double_only("np.nancumsum", dtype, out)
    a = operand(a)
    return np.cumsum(np.where(_kept(a, True), a, 0), axis=axis)


def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running product with 1 for a NaN."""
    double_only("np.nancumprod", dtype, out)
    a = operand(a)
    return np.cumprod(np.where(_kept(a, True), a, 1), axis=axis)


def _extreme(a: Any, axis: Any, keepdims: Any, initial: Any, where: Any, sign: int) -> Any:
    """The greatest (sign 1) or least (-1) of the numbers; NaN where there is none."""
    a, keepdims = operand(a), given(keepdims, False)
    if where is not NOT_GIVEN and where is not True and initial is NOT_GIVEN:
        raise ValueError("reduction operation has no identity, so to use a where mask one has to specify 'initial'")
    kept = _kept(a, where)
    reduce, pair = (np.max, np.maximum) if sign > 0 else (np.min, np.minimum)
    result = reduce(np.where(kept, a, -sign * np.inf), axis=axis, keepdims=keepdims)
    if initial is not NOT_GIVEN:
        return pair(result, initial)
    none = ~np.any(kept, axis=axis, keepdims=keepdims)
    if not np.any(none):
        return result
    _warn("All-NaN slice encountered")
    return np.where(none, np.nan, result)


def nanmax(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NOT_GIVEN, initial: Any = NOT_GIVEN,
    where: Any = NOT_GIVEN,
) -> Any:  # fmt: skip
    """The greatest of the numbers."""
    double_only("np.nanmax", None, out)
    return _extreme(a, axis, keepdims, initial, where, 1)


def nanmin(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NOT_GIVEN, initial: Any = NOT_GIVEN,
    where: Any = NOT_GIVEN,
) -> Any:  # fmt: skip
    """The least of the numbers."""
    double_only("np.nanmin", None, out)
    return _extreme(a, axis, keepdims, initial, where, -1)


def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NOT_GIVEN, *, where: Any = NOT_GIVEN
) -> Any:  # fmt: skip
    """The sum of the numbers by how many there are."""
    double_only("np.nanmean", dtype, out)
    a, keepdims = operand(a), given(keepdims, False)
    kept = _kept(a, where)
    count = np.sum(kept, axis=axis, keepdims=keepdims, dtype=np.intp)
    if np.any(count == 0):
        _warn("Mean of empty slice")
    return _by_count(np.sum(np.where(kept, a, 0), axis=axis, keepdims=keepdims), count)


def _by_count(total: Any, count: Any) -> Any:
    """total / count, NaN where nothing was counted."""
    empty = count <= 0
    if not np.any(empty):
        return total / count
    return np.where(empty, np.nan, total / np.where(empty, 1, count))


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NOT_GIVEN, *,
    where: Any = NOT_GIVEN, mean: Any = NOT_GIVEN, correction: Any = NOT_GIVEN,
) -> Any:  # fmt: skip
    """Σ |a - mean|² / (n - ddof) over the numbers."""
    double_only("np.nanvar", dtype, out)
    ddof = degrees_of_freedom(ddof, correction)
    a, keepdims = operand(a), given(keepdims, False)
    kept = _kept(a, where)
    a = np.where(kept, a, 0)
    centre = given(mean, None)
    if centre is None:
        centre = _by_count(np.sum(a, axis=axis, keepdims=True), counted(kept, np.shape(a), axis, True))
    total = np.sum(squared(np.where(kept, a - centre, 0)), axis=axis, keepdims=keepdims)
    free = counted(kept, np.shape(a), axis, keepdims) - ddof
    if np.any(free <= 0):
        _warn("Degrees of freedom <= 0 for slice.")
    return _by_count(total, free)


def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NOT_GIVEN, *,
    where: Any = NOT_GIVEN, mean: Any = NOT_GIVEN, correction: Any = NOT_GIVEN,
) -> Any:  # fmt: skip
    """The square root of the variance of the numbers; its slope is 0 where they are equal."""
    return root(nanvar(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


def _numbers(a: Any, axis: Any) -> tuple[Any, Any]:
    """The sorted rows, NaNs last, and how many numbers there are in each column."""
    ordered = np.sort(lined_up(a, axis), axis=0)
    return ordered, np.sum(~np.isnan(ordered), axis=0)


def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = NOT_GIVEN
) -> Any:  # fmt: skip
    """The middle one of the sorted numbers, or the mean of the middle two."""
    double_only("np.nanmedian", None, out)
    a = operand(a)
    if np.size(a) == 0:
        return nanmean(a, axis, keepdims=keepdims)
    ordered, n = _numbers(a, axis)
    if np.any(n == 0):
        _warn("All-NaN slice encountered")
    return finished(median_of(ordered, n), a, axis, keepdims)


def _nanquantile(a: Any, q: Any, axis: Any, method: str, keepdims: Any) -> Any:
    if np.size(a) == 0:
        return nanmean(a, axis, keepdims=keepdims)
    ordered, n = _numbers(a, axis)
    if np.any(n == 0):
        _warn("All-NaN slice encountered")
    return finished(quantile_of(ordered, n, q, method), a, axis, keepdims, np.shape(q))


def nanquantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: Any = NOT_GIVEN, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The quantile of the numbers in each column."""
    a, q = quantile_operands("np.nanquantile", a, q, out, weights, 1)
    return _nanquantile(a, q, axis, method, keepdims)


def nanpercentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: Any = NOT_GIVEN, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The quantile q / 100 of the numbers in each column."""
    a, q = quantile_operands("np.nanpercentile", a, q, out, weights, 100)
    return _nanquantile(a, q, axis, method, keepdims)


BODIES: dict[str, Body] = {
    "np.nansum": nansum,
    "np.nanprod": nanprod,
    "np.nancumsum": nancumsum,
    "np.nancumprod": nancumprod,
    "np.nanmax": nanmax,
    "np.nanmin": nanmin,
    "np.nanmean": nanmean,
    "np.nanvar": nanvar,
    "np.nanstd": nanstd,
    "np.nanmedian": nanmedian,
    "np.nanquantile": nanquantile,
    "np.nanpercentile": nanpercentile,
}
