"""Norms of vectors and matrices, and their corners."""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .linalg_parts import real, small
from .rule import ArrayRule, conj
from .sums import expanded


def _sign(x: Any) -> Any:
    """x / |x|, and 0 for 0."""
    if not np.iscomplexobj(x):
        return np.sign(x)
    size = np.abs(x)
    return np.where(size == 0, 0.0, x / np.where(size == 0, 1.0, size))


def _even(mask: Any, axis: Any) -> Any:
    """Equal parts of one for the entries of a mask."""
    ones = np.where(mask, 1.0, 0.0)
    return ones / np.sum(ones, axis=axis, keepdims=True)


def _norm_axes(x: Any, ord: Any, axis: Any) -> tuple[int, ...]:
    """The axes of a norm, and none of them where all entries are one vector."""
    if axis is None:
        return () if ord is None else tuple(range(x.ndim))
    return tuple(int(k) % x.ndim for k in axis) if isinstance(axis, tuple) else (int(axis) % x.ndim,)


def _vector_gradient(z: Any, x: Any, ord: Any, axis: Any) -> Any:
    """Of a vector norm z, with its axes put back."""
    if ord in (np.inf, -np.inf):
        return _even(np.abs(x) == z, axis) * _sign(x)
    if ord == 0:
        return np.zeros(x.shape)
    if ord == 1:
        return _sign(x)
    flat = z == 0
    z = np.where(flat, 1.0, z)
    if ord is None or ord == 2:
        return np.where(flat, 0.0, x / z)
    size = np.abs(x)
    none = (size == 0) | flat
    return np.where(none, 0.0, (np.where(none, 1.0, size) / z) ** (ord - 1.0) * _sign(x))


def _matrix_gradient(x: Any, ord: Any, rows: int, columns: int) -> Any:
    """Of a matrix norm that is none of the vector of its entries."""
    if ord in (1, -1, np.inf, -np.inf):
        along, across = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = np.sum(np.abs(x), axis=along, keepdims=True)
        best = (np.max if ord > 0 else np.min)(sums, axis=across, keepdims=True)
        return _even(sums == best, across) * _sign(x)
    u, s, vh = np.linalg.svd(np.moveaxis(x, (rows, columns), (-2, -1)), full_matrices=False)
    weights = np.where(s <= small(s), 0.0, 1.0)
    if ord != "nuc":
        best = s[..., :1] if ord == 2 else s[..., -1:]
        weights = weights * _even(np.abs(s - best) <= small(s), -1)
    return np.moveaxis(u * weights[..., None, :] @ vh, (-2, -1), (rows, columns))


def _norm_gradient(z: Any, x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    """D with dz = Re Σ conj(D) dx. The derivative of least length where there are many."""
    axes = _norm_axes(x, ord, axis)
    if len(axes) == 2 and ord not in (None, "fro", "f"):
        return _matrix_gradient(x, ord, *axes)
    return _vector_gradient(
        expanded(z, x, axis, keepdims), x, None if isinstance(ord, str) else ord, axes[0] if len(axes) == 1 else None
    )


def _pull_norm(
    k: int, g: Any, z: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:  # fmt: skip
    return expanded(g, x, axis, keepdims) * _norm_gradient(z, x, ord, axis, keepdims)


def _push_norm(
    k: int, t: Any, z: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:  # fmt: skip
    return np.sum(real(conj(_norm_gradient(z, x, ord, axis, keepdims)) * t), axis=axis, keepdims=keepdims)


def _kink_norm(
    z: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> str | None:  # fmt: skip
    corner, tie = (
        "the norm has a corner where an entry is 0, and 0 is taken there",
        "a tie shares the derivative evenly",
    )
    axes = _norm_axes(x, ord, axis)
    if np.any(z == 0) and ord != 0:
        return "the norm has a corner at 0, and 0 is taken"
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        s = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        best = s[..., :1] if ord == 2 else s[..., -1:]
        if ord == "nuc":
            return "the nuclear norm has a corner where the rank is not full" if np.any(s <= small(s)) else None
        return tie if np.any(np.sum(np.abs(s - best) <= small(s), axis=-1) > 1) else None
    if ord in (None, "fro", "f", 2):
        return None
    if len(axes) == 2:
        along, across = axes if ord in (1, -1) else axes[::-1]
        sums = np.sum(np.abs(x), axis=along, keepdims=True)
        best = sums == expanded(z, x, axis, keepdims)
        if np.any(np.sum(best, axis=across) > 1):
            return tie
        return corner if np.any(best & (x == 0)) else None
    if ord in (np.inf, -np.inf):
        return tie if np.any(np.sum(np.abs(x) == expanded(z, x, axis, keepdims), axis=axis) > 1) else None
    if ord == 0:
        return "the count of the entries that are not 0 jumps" if np.any(x == 0) else None
    return corner if ord <= 1 and np.any(x == 0) else None


# fmt: off
RULES: tuple[ArrayRule, ...] = (
    ArrayRule("norm", np.linalg.norm, ("x",), ("ord", "axis", "keepdims"), _pull_norm, _push_norm),
)
# fmt: on
KINKS = {"norm": _kink_norm}
