"""Methods of ufuncs: np.add.reduce, np.multiply.outer, np.add.at, …"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .adjoints import shape_of
from .array import operand
from .functions import NONE, reduction
from .looks import looked
from .perform import pair
from .primitives import PAIRS


def _given(**options: Any) -> dict[str, Any]:
    return {name: x for name, x in options.items() if x is not NONE and x is not None}


def _reduce(
    ufunc: Any, a: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False, initial: Any = NONE,
    where: Any = True,
) -> Any:  # fmt: skip
    options: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    named = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}.get(ufunc)
    if named is not None:
        return reduction(named, a, initial=initial, where=where, **options)
    if ufunc in (np.logical_and, np.logical_or):
        return looked(ufunc.__name__, ufunc.reduce, (a,), options)
    a = operand(a)
    if axis is None or isinstance(axis, tuple):
        a, axis = np.reshape(a, -1), 0
    items = np.moveaxis(a, axis, 0)
    total = items[0]
    for k in range(1, len(items)):
        total = ufunc(total, items[k])
    return np.expand_dims(total, axis) if keepdims else total


def _accumulate(ufunc: Any, a: Any, axis: int = 0, dtype: Any = None) -> Any:
    if ufunc is np.add:
        return pair(PAIRS["cumsum"], (a,), {"axis": axis})
    if ufunc is np.multiply:
        return pair(PAIRS["cumprod"], (a,), {"axis": axis})
    from .compose import compose

    return compose(f"{ufunc.__name__}.accumulate", partial(_step_by_step, ufunc), (a,), {"axis": axis})


def _step_by_step(ufunc: Any, a: Any, axis: int = 0) -> Any:
    items = np.moveaxis(a, axis, 0)
    steps = [items[0]]
    for k in range(1, len(items)):
        steps.append(ufunc(steps[-1], items[k]))
    return np.stack(steps, axis)


def _outer(ufunc: Any, a: Any, b: Any, **options: Any) -> Any:
    a, b = operand(a), operand(b)
    lined = np.reshape(a, (*shape_of(a), *(1,) * len(shape_of(b)))) if shape_of(a) else a
    return ufunc(lined, b, **options)


def _reduceat(ufunc: Any, a: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    a = np.moveaxis(operand(a), axis, 0)
    ends = [*indices[1:], len(a)]
    parts = [_reduce(ufunc, a[i:j], 0) if i < j else a[i] for i, j in zip(list(indices), ends, strict=True)]
    return np.moveaxis(np.stack(parts), 0, axis)


def _at(ufunc: Any, a: Any, indices: Any, *operands: Any) -> None:
    """ufunc.at: an index that comes twice is treated twice."""
    from .buffers import assigned

    places = np.arange(int(np.prod(shape_of(a)))).reshape(shape_of(a))[indices]
    if operands:
        values = np.broadcast_to(operand(operands[0]), places.shape)
    flat = np.reshape(operand(a), -1)
    for k, place in np.ndenumerate(places):
        new = ufunc(flat[place], values[k]) if operands else ufunc(flat[place])
        flat = np.concatenate([flat[:place], [new], flat[place + 1 :]])
    assigned(a, ..., np.reshape(flat, shape_of(a)))


UFUNC_METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce, "accumulate": _accumulate, "outer": _outer, "reduceat": _reduceat, "at": _at,
}  # fmt: skip
