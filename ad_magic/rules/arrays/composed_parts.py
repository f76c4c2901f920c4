"""What the composed functions share: operands, axes, options that NumPy marks as "not given"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np

Body = Callable[..., Any]
NOT_GIVEN: Any = np._NoValue  # NumPy's own mark, which its functions also pass to one another


def given(option: Any, default: Any) -> Any:
    """The option, or the default where it was not given.

    >>> given(NOT_GIVEN, False), given(3, False)
    (False, 3)
    """
    return default if option is NOT_GIVEN else option


def operand(x: Any) -> Any:
    """x as something that has a shape: arrays and active numbers as they are, a list of them stacked, plain data."""
    if hasattr(x, "__array_function__"):
        return x
    if isinstance(x, (list, tuple)) and _holds_active(x):
        return np.stack([operand(part) for part in x])
    return np.asarray(x)


def vector(x: Any) -> Any:
    """x as an array of at least one axis."""
    x = operand(x)
    return x if np.ndim(x) else np.reshape(x, (1,))


def _holds_active(x: Any) -> bool:
    """Whether a list holds anything that NumPy alone cannot make an array of."""
    if isinstance(x, (list, tuple)):
        return any(_holds_active(part) for part in x)
    return hasattr(x, "__array_function__") and not issubclass(type(x), np.ndarray)


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that `axis` (None, a number, a tuple) means, none of them negative.

    >>> axes_of(None, 2), axes_of(-1, 3), axes_of((0, -1), 3)
    ((0, 1), (2,), (0, 2))
    """
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    for one in axes:
        if not -ndim <= one < ndim:
            raise np.exceptions.AxisError(one, ndim)
    axes = tuple(int(one) % ndim for one in axes)
    if len(set(axes)) != len(axes):
        raise ValueError("repeated axis")
    return axes


def shape_without(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape of a reduction over the axes.

    >>> shape_without((2, 3, 4), (1,), False), shape_without((2, 3, 4), (1,), True)
    ((2, 4), (2, 1, 4))
    """
    if keepdims:
        return tuple(1 if k in axes else n for k, n in enumerate(shape))
    return tuple(n for k, n in enumerate(shape) if k not in axes)


def part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """x[start:stop] along one axis, counted from the front."""
    return x[(slice(None),) * axis + (slice(start, stop),)]


def double_only(function: str, dtype: Any = None, out: Any = None) -> None:
    """Refuse what a composition cannot follow: other precision than double, a result that is written elsewhere."""
    if out is not None:
        raise NotImplementedError(f"{function}: `out` has no derivative rule; assign the result instead")
    if dtype is not None and np.dtype(dtype) not in (np.float64, np.complex128):
        raise NotImplementedError(f"{function}: derivatives are computed in double precision, not in {np.dtype(dtype)}")


def root(x: Any) -> Any:
    """The square root of something that is nowhere negative, with slope 0 where it is 0.

    A standard deviation has its minimum there: 0 is the minimum-norm subgradient. The slope of the root itself is
    infinite and that of what it is taken of is 0: in a reverse sweep infinity times 0.
    """
    zero = x == 0
    if not np.any(zero):
        return np.sqrt(x)
    return np.where(zero, 0.0, np.sqrt(np.where(zero, 1.0, x)))
