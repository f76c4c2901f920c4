"""Choosing and assembling entries as programs in other NumPy functions; what is chosen is decided by plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .composed_parts import Body, axes_of, double_only, operand, vector

# ---- by condition --------------------------------------------------------------------------------


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The first choice whose condition holds."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if len(condlist) == 0:
        raise ValueError("select with an empty condition list is not possible")
    conditions = [np.asarray(condition) for condition in condlist]
    for k, condition in enumerate(conditions):
        if condition.dtype != bool:
            raise TypeError(f"invalid entry {k} in condlist: should be boolean ndarray")
    result = operand(default)
    for condition, choice in zip(reversed(conditions), reversed(list(choicelist)), strict=True):
        result = np.where(condition, operand(choice), result)
    return result


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Each function at the entries where its condition holds, the last of them where several do."""
    x = operand(x)
    shape = np.shape(x)
    if np.ndim(condlist) == 0 or (np.ndim(condlist[0]) == 0 and shape):
        condlist = [condlist]
    conditions = [np.broadcast_to(np.asarray(one, bool), shape).ravel() for one in condlist]
    n = len(conditions)
    if n == len(funclist) - 1:
        conditions.append(~np.any(conditions, axis=0))
    elif n != len(funclist):
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    flat = np.reshape(x, (-1,))
    # the values of all functions in a row, after a 0 for entries without one; `source` says which is whose
    values: list[Any] = [np.zeros(1)]
    filled, source = 1, np.zeros(np.size(x), np.intp)
    for condition, function in zip(conditions, funclist, strict=True):
        places = np.nonzero(condition)[0]
        if callable(function):
            if not len(places):
                continue
            function = function(np.take(flat, places), *args, **kw)
        values.append(np.broadcast_to(operand(function), places.shape))
        source[places] = np.arange(filled, filled + len(places))
        filled += len(places)
    return np.reshape(np.take(np.concatenate(values), source), shape)


def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """Entry by entry the choice that the integer in a says."""
    double_only("np.choose", None, out)
    a, n = np.asarray(a), len(choices)
    if mode == "raise":
        if np.any((a < 0) | (a >= n)):
            raise ValueError("invalid entry in choice array")
    elif mode == "wrap":
        a = a % n
    elif mode == "clip":
        a = np.clip(a, 0, n - 1)
    else:
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    result = operand(choices[0])
    if n == 1:
        return np.broadcast_to(result, np.broadcast_shapes(a.shape, np.shape(result)))
    for k in range(1, n):
        result = np.where(a == k, operand(choices[k]), result)
    return result


def extract(condition: Any, arr: Any) -> Any:
    """The entries of the flattened array where the condition holds."""
    return np.take(np.reshape(operand(arr), (-1,)), np.nonzero(np.ravel(condition))[0])


def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    """The slices along an axis where the condition holds."""
    double_only("np.compress", None, out)
    if np.ndim(condition) != 1:
        raise ValueError("condition must be a 1-d array")
    return np.take(operand(a), np.nonzero(condition)[0], axis=axis)


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """The array without the zeros at its ends."""
    filt = operand(filt)
    trim = trim.lower()
    if trim not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    places = np.nonzero(filt)
    index: list[slice] = [slice(None)] * np.ndim(filt)
    for k in axes_of(axis, np.ndim(filt)):
        if not len(places[k]):
            index[k] = slice(0, 0)
        else:
            start = int(places[k].min()) if "f" in trim else None
            index[k] = slice(start, int(places[k].max()) + 1 if "b" in trim else None)
    return filt[tuple(index)]


# ---- by order ------------------------------------------------------------------------------------


def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """The entries in the order that np.argpartition gives."""
    a = operand(a)
    if axis is None:
        a, axis = np.reshape(a, (-1,)), -1
    places = np.argpartition(a, kth, axis=axis, kind=kind, order=order)
    return np.take_along_axis(a, places, axis=axis)


def sort_complex(a: Any) -> Any:
    """Sorted by real parts, then imaginary parts; always complex."""
    return np.sort(operand(a)) + 0j


def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None, *,
    equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    """The sorted entries without repetition: of equal ones the first."""
    ar = operand(ar)
    if axis is not None and np.ndim(ar) != 1:
        raise NotImplementedError(
            "np.unique: axis= has no derivative rule; flatten the array, or find the rows to keep"
        )
    flat = np.reshape(ar, (-1,))
    order = np.argsort(flat, kind="stable")
    ordered = np.take(flat, order)
    before, after = ordered[:-1], ordered[1:]
    differs = after != before
    if equal_nan:
        differs = differs & ~(np.isnan(after) & np.isnan(before))
    first = np.concatenate((np.ones(min(len(order), 1), bool), differs))
    places = order[first]
    results: list[Any] = [np.take(flat, places)]
    if return_index:
        results.append(places)
    if return_inverse:
        inverse = np.empty(len(order), np.intp)
        inverse[order] = np.cumsum(first) - 1
        results.append(inverse.reshape(np.shape(ar)) if axis is None and _INVERSE_HAS_SHAPE else inverse)
    if return_counts:
        results.append(np.diff(np.append(np.nonzero(first)[0], len(order))))
    return results[0] if len(results) == 1 else tuple(results)


_INVERSE_HAS_SHAPE = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


def union1d(ar1: Any, ar2: Any) -> Any:
    """The sorted entries of both without repetition."""
    return unique(np.concatenate((np.reshape(operand(ar1), (-1,)), np.reshape(operand(ar2), (-1,)))))


def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The entries of one that the other does not have."""
    a = np.reshape(operand(ar1), (-1,)) if assume_unique else unique(ar1)
    return a[~np.isin(a, operand(ar2))]


def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The entries of one that the other has, too; as variables they are those of the first."""
    if return_indices:
        raise NotImplementedError("np.intersect1d: return_indices= has no derivative rule; use np.isin and np.nonzero")
    a = unique(ar1)
    return a[np.isin(a, operand(ar2))]


def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The entries that one of the two has."""
    return np.sort(np.concatenate((setdiff1d(unique(ar1), ar2), setdiff1d(unique(ar2), ar1))))


def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """The sum of the weights for each integer in x."""
    counts = np.bincount(x, minlength=minlength)
    if weights is None:
        return counts
    weights = operand(weights)
    if np.shape(weights) != np.shape(x):
        raise ValueError("The weights and list don't have the same length.")
    # a table of bins, not differences of a running sum: those would cancel
    chosen = np.asarray(x)[None, :] == np.arange(len(counts))[:, None]
    return np.sum(np.where(chosen, weights, 0.0), axis=1)


# ---- slice by slice ------------------------------------------------------------------------------


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """The function of each slice, its axes in the place of the slice's axis."""
    arr = operand(arr)
    (axis,) = axes_of(axis, np.ndim(arr))
    outer = tuple(n for k, n in enumerate(np.shape(arr)) if k != axis)
    if 0 in outer:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    rows = np.moveaxis(arr, axis, -1)
    results = [operand(func1d(rows[(*place, Ellipsis)], *args, **kwargs)) for place in np.ndindex(outer)]
    inner = np.shape(results[0])
    together = np.reshape(np.stack(results), outer + inner)
    new = tuple(range(len(outer), len(outer) + len(inner)))
    return np.moveaxis(together, new, tuple(range(axis, axis + len(inner))))


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """The function along one axis after the other, with as many axes as before."""
    value = operand(a)
    n = np.ndim(value)
    for axis in (axes,) if np.ndim(axes) == 0 else axes:
        axis = axis + n if axis < 0 else axis
        result = operand(func(value, axis))
        if np.ndim(result) != np.ndim(value):
            result = np.expand_dims(result, axis)
            if np.ndim(result) != np.ndim(value):
                raise ValueError("function is not returning an array of the correct shape")
        value = result
    return value


# ---- running results of the array API ------------------------------------------------------------


def cumulative_sum(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:  # fmt: skip
    """np.cumsum along an axis, after a 0 if asked for."""
    double_only("np.cumulative_sum", dtype, out)
    return _cumulative(np.cumsum, np.zeros, x, axis, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:  # fmt: skip
    """np.cumprod along an axis, after a 1 if asked for."""
    double_only("np.cumulative_prod", dtype, out)
    return _cumulative(np.cumprod, np.ones, x, axis, include_initial)


def _cumulative(run: Any, neutral: Any, x: Any, axis: Any, include_initial: bool) -> Any:
    x = vector(x)
    if axis is None:
        if np.ndim(x) >= 2:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0
    (axis,) = axes_of(axis, np.ndim(x))
    result = run(x, axis=axis)
    if not include_initial:
        return result
    one = tuple(1 if k == axis else n for k, n in enumerate(np.shape(x)))
    return np.concatenate((neutral(one, int), result), axis=axis)


BODIES: dict[str, Body] = {
    "np.select": select,
    "np.piecewise": piecewise,
    "np.choose": choose,
    "np.extract": extract,
    "np.compress": compress,
    "np.trim_zeros": trim_zeros,
    "np.partition": partition,
    "np.sort_complex": sort_complex,
    "np.unique": unique,
    "np.union1d": union1d,
    "np.setdiff1d": setdiff1d,
    "np.intersect1d": intersect1d,
    "np.setxor1d": setxor1d,
    "np.bincount": bincount,
    "np.apply_along_axis": apply_along_axis,
    "np.apply_over_axes": apply_over_axes,
    "np.cumulative_sum": cumulative_sum,
    "np.cumulative_prod": cumulative_prod,
}
