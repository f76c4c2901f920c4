"""np.pad where the border is computed: statistics of the rows, ramps, reflections about the edge's value.

As NumPy does it, axis by axis: the border of an axis is made of what the axes before have left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.composed_parts import operand
from ad_magic.rules.arrays.frozen import np

_STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": np.mean, "maximum": np.max, "minimum": np.min, "median": np.median,
}  # fmt: skip


def computes(mode: Any, options: dict[str, Any]) -> bool:
    """Whether the border is more than a copy of entries."""
    return mode in _STATISTICS or mode == "linear_ramp" or options.get("reflect_type") == "odd"


def pad(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """np.pad in one of the modes that compute."""
    x = operand(array)
    widths = _pairs(pad_width, np.ndim(x))
    lengths = _pairs(options.get("stat_length"), np.ndim(x))
    ends = _pairs(options.get("end_values", 0), np.ndim(x))
    for axis, (width, length, end) in enumerate(zip(widths, lengths, ends, strict=True)):
        if mode in _STATISTICS:
            x = _of_statistic(x, axis, width, length, _STATISTICS[mode])
        elif mode == "linear_ramp":
            first, last = _rows(x, axis, 0, 1), _rows(x, axis, -1, None)
            down = _rows(_ramp(end[1], last, axis, width[1]), axis, None, None, -1)
            x = np.concatenate([_ramp(end[0], first, axis, width[0]), x, down], axis=axis)
        else:
            x = _reflected(x, axis, *width, 0 if mode == "symmetric" else 1)
    return x


def _rows(x: Any, axis: int, *ends: Any) -> Any:
    """x[start:stop:step] along an axis."""
    return x[(*(slice(None),) * axis, slice(*ends))]


def _pairs(given: Any, ndim: int) -> list[tuple[Any, Any]]:
    """(before, after) for each axis, as np.pad reads its options.

    >>> _pairs(3, 2), _pairs(((1, 2), (0, 4)), 2)
    ([(3, 3), (3, 3)], [(1, 2), (0, 4)])
    """
    if given is None:
        return [(None, None)] * ndim
    if isinstance(given, dict):
        given = [given.get(k, given.get(k - ndim, 0)) for k in range(ndim)]
        return [tuple(np.broadcast_to(x, 2).tolist()) for x in given]
    return [tuple(x) for x in np.broadcast_to(given, (ndim, 2)).tolist()]


def _of_statistic(x: Any, axis: int, width: Any, length: Any, function: Callable[..., Any]) -> Any:
    sides = []
    n = np.shape(x)[axis]
    for k, (count, seen) in enumerate(zip(width, length, strict=True)):
        seen = n if seen is None else min(seen, n)
        value = function(_rows(x, axis, 0, seen) if k == 0 else _rows(x, axis, n - seen, n), axis=axis, keepdims=True)
        sides.append(np.repeat(value, count, axis=axis))
    return np.concatenate([sides[0], x, sides[1]], axis=axis)


def _ramp(end: Any, edge: Any, axis: int, count: int) -> Any:
    """From the end value in even steps towards the edge, which is not reached."""
    shape = [1] * np.ndim(edge)
    shape[axis] = count
    return end + (edge - end) * np.reshape(np.arange(count) / max(count, 1), shape)


def _reflected(x: Any, axis: int, before: int, after: int, start: int) -> Any:
    """Point reflections about the edges, again and again until the border is filled. `start`: where a reflection
    begins, 0 where the edge comes twice."""
    while before or after:
        n = np.shape(x)[axis]
        reach = max(n - start, 0)
        first, last = _rows(x, axis, 0, 1), _rows(x, axis, -1, None)
        if not reach:  # a single row has nothing to reflect
            return np.concatenate([np.repeat(first, before, axis), x, np.repeat(last, after, axis)], axis=axis)
        low, high = min(before, reach), min(after, reach)
        left = 2 * first - _rows(_rows(x, axis, start, start + low), axis, None, None, -1)
        right = 2 * last - _rows(_rows(x, axis, n - start - high, n - start), axis, None, None, -1)
        x = np.concatenate([left, x, right], axis=axis)
        before, after = before - low, after - high
    return x
