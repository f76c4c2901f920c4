"""Functions of NumPy that write into an array."""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .adjoints import shape_of
from .array import operand

# ---- writing -------------------------------------------------------------------------------------


def _write(target: Any, key: Any, value: Any) -> None:
    from .buffers import assigned

    assigned(target, key, value)


def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    _write(dst, ..., src if where is True else np.where(where, src, operand(dst)))


def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    size = int(np.prod(shape_of(a)))
    indices = np.asarray(ind)
    indices = indices % size if mode == "wrap" else np.clip(indices, 0, size - 1) if mode == "clip" else indices
    values = np.resize(operand(v), indices.shape) if shape_of(operand(v)) else operand(v)
    _write(a, np.unravel_index(np.where(indices < 0, indices + size, indices), shape_of(a)), values)


def _putmask(a: Any, mask: Any, values: Any) -> None:
    mask = np.asarray(mask)
    values = operand(values)
    spread = np.resize(values, mask.shape)[mask] if shape_of(values) else values
    _write(a, mask, spread)


def _place(arr: Any, mask: Any, vals: Any) -> None:
    mask = np.asarray(mask, dtype=bool)
    vals = operand(vals)
    _write(arr, mask, np.resize(vals, int(mask.sum())) if shape_of(vals) else vals)


def _put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    if axis is None:
        _write(arr, np.unravel_index(indices, shape_of(arr)), values)
        return
    grid = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    grid[axis] = indices
    _write(arr, tuple(grid), values)


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    numbers = np.zeros(shape_of(a), bool)
    np.fill_diagonal(numbers, True, wrap)
    val = operand(val)
    _write(a, numbers, np.resize(val, int(numbers.sum())) if shape_of(val) else val)
