"""Sums, products and extremes along axes."""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .rule import ArrayRule


def expanded(x: Any, like: Any, axis: Any, keepdims: bool = False) -> Any:
    """What a reduction along `axis` left, with these axes put back with length one.

    >>> expanded(np.zeros(4), np.zeros((4, 3)), 1).shape
    (4, 1)
    """
    if keepdims:
        return x
    if axis is None:
        return x
    return np.expand_dims(x, tuple(k % like.ndim for k in (axis if isinstance(axis, tuple) else (axis,))))


def length(like: Any, axis: Any) -> int:
    """How many entries a reduction along `axis` takes together."""
    if axis is None:
        return getattr(like, "size", 1)
    axes = axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([like.shape[k] for k in axes]))


def _sum(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """np.sum, without its detours for a plain array."""
    if type(a) is not np.ndarray:
        return np.sum(a, axis=axis, keepdims=keepdims)
    return np.add.reduce(a, axis, keepdims=keepdims)


def _mean(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """np.mean, without its detours for a plain array of floats."""
    if type(a) is not np.ndarray or a.dtype.char != "d" or not a.size:
        return np.mean(a, axis=axis, keepdims=keepdims)
    return np.add.reduce(a, axis, keepdims=keepdims) / length(a, axis)


def _pull_sum(k: int, g: Any, z: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _everywhere(expanded(g, a, axis, keepdims), getattr(a, "shape", ()))


def _everywhere(g: Any, shape: tuple[int, ...]) -> Any:
    if type(g) is float or type(g) is np.float64:
        full = np.empty(shape)
        full.fill(g)
        return full
    if isinstance(g, (float, int, complex, np.generic)) and not hasattr(g, "__array_function__"):  # none that is active
        return np.full(shape, g)
    return np.broadcast_to(g, shape)


def _pull_mean(k: int, g: Any, z: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _everywhere(expanded(g, a, axis, keepdims) / length(a, axis), getattr(a, "shape", ()))


# ---- products: the derivative with respect to an entry is the product of the others --------------


def _others(a: Any, z: Any, axis: Any, keepdims: bool) -> Any:
    """For each entry the product of the other entries; also where some are zero."""
    if np.all(a != 0):
        return expanded(z, a, axis, keepdims) / a
    axes = tuple(range(a.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(k % a.ndim for k in axes)
    rest = [k for k in range(a.ndim) if k not in axes]
    order = [*rest, *axes]
    turned = np.transpose(a, order)
    flat = np.reshape(turned, (*turned.shape[: len(rest)], -1))
    one = np.ones((*flat.shape[:-1], 1))
    before = np.concatenate([one, np.cumprod(flat[..., :-1], axis=-1)], axis=-1)
    after = np.flip(np.concatenate([one, np.cumprod(np.flip(flat, -1)[..., :-1], axis=-1)], axis=-1), -1)
    return np.transpose(np.reshape(before * after, turned.shape), np.argsort(order))


def _pull_prod(k: int, g: Any, z: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return expanded(g, a, axis, keepdims) * np.conjugate(_others(a, z, axis, keepdims))


def _push_prod(k: int, t: Any, z: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sum(t * _others(a, z, axis, keepdims), axis=axis, keepdims=keepdims)


# ---- running sums and products -------------------------------------------------------------------


def _pull_cumsum(k: int, g: Any, z: Any, a: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), getattr(a, "shape", ()))
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


def _running(a: Any) -> tuple[Any, Any]:
    """For the last axis: the products before entry j, and those of the entries between j and i, as [..., j, i]."""
    n = a.shape[-1]
    one = np.ones((*a.shape[:-1], 1))
    before = np.concatenate([one, np.cumprod(a[..., :-1], axis=-1)], axis=-1)
    later = np.arange(n) > np.arange(n)[:, None]
    between = np.cumprod(np.where(later, a[..., None, :], 1.0), axis=-1)
    return before, np.where(np.arange(n) >= np.arange(n)[:, None], between, 0.0)


def _pull_cumprod(k: int, g: Any, z: Any, a: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(_pull_cumprod(k, g, z, np.reshape(a, -1), 0), a.shape)
    if np.all(a != 0):
        return np.flip(np.cumsum(np.flip(g * np.conjugate(z), axis), axis=axis), axis) / np.conjugate(a)
    a, g = np.moveaxis(a, axis, -1), np.moveaxis(g, axis, -1)
    before, between = _running(a)
    return np.moveaxis(np.conjugate(before) * np.sum(g[..., None, :] * np.conjugate(between), axis=-1), -1, axis)


def _push_cumprod(k: int, t: Any, z: Any, a: Any, axis: Any = None) -> Any:
    if axis is None:
        return _push_cumprod(k, np.reshape(t, -1), z, np.reshape(a, -1), 0)
    if np.all(a != 0):
        return z * np.cumsum(t / a, axis=axis)
    a, t = np.moveaxis(a, axis, -1), np.moveaxis(t, axis, -1)
    before, between = _running(a)
    return np.moveaxis(np.sum((t * before)[..., :, None] * between, axis=-2), -1, axis)


# ---- extremes: ties share evenly -----------------------------------------------------------------


def _share(a: Any, z: Any, axis: Any, keepdims: bool) -> Any:
    """One for the extreme entry, and equal parts of it where several are."""
    best = expanded(z, a, axis, keepdims)
    mask = np.where((a == best) | (a != a), 1.0, 0.0)
    return mask / np.sum(mask, axis=axis, keepdims=True)


def _pull_extreme(k: int, g: Any, z: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return expanded(g, a, axis, keepdims) * _share(a, z, axis, keepdims)


def _push_extreme(k: int, t: Any, z: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    share = _share(a, z, axis, keepdims)
    return np.sum(np.where(share != 0, t, 0.0) * share, axis=axis, keepdims=keepdims)


def _tie(z: Any, a: Any, axis: Any = None, keepdims: bool = False) -> str | None:
    tied = np.sum(a == expanded(z, a, axis, keepdims), axis=axis) > 1
    return "a tie shares the derivative evenly" if np.any(tied) else None


_ALONG = ("axis", "keepdims")
RULES = (
    ArrayRule("sum", _sum, ("a",), _ALONG, _pull_sum),
    ArrayRule("mean", _mean, ("a",), _ALONG, _pull_mean),
    ArrayRule("prod", np.prod, ("a",), _ALONG, _pull_prod, _push_prod),
    ArrayRule("max", np.max, ("a",), _ALONG, _pull_extreme, _push_extreme),
    ArrayRule("min", np.min, ("a",), _ALONG, _pull_extreme, _push_extreme),
    ArrayRule("cumsum", np.cumsum, ("a",), ("axis",), _pull_cumsum),
    ArrayRule("cumprod", np.cumprod, ("a",), ("axis",), _pull_cumprod, _push_cumprod),
)
KINKS = {"max": _tie, "min": _tie}
