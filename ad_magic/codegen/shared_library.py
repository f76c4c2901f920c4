"""What a program brings along in each engine: functions of NumPy's meaning, in what the engines' modules share.

The source of these functions becomes part of a program, `xp` the module of arrays of the engine; what they call besides
stands in the library of each. Nothing here runs otherwise.
"""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

xp: Any = None  # the program imports them
np: Any = None
floats: Any = None  # in the library of the engine
same: Any = None


def given(label: str, x: Any, shape: tuple[int, ...]) -> Any:
    """An input as an array of the recorded shape."""
    x = floats(x)
    if x.shape != shape:
        raise ValueError(f"{label} has the shape {tuple(x.shape)}, recorded was {shape}: vmap takes several at once")
    return x


def on_path(ok: Any, value: Any, *inputs: Any) -> Any:
    """The value; where a decision that was not known came out otherwise NaN, and so are all its derivatives."""
    if ok is True:
        return value
    nothing = xp.expm1(xp.where(ok, 0.0, xp.nan) * sum(xp.tanh(x).sum() for x in inputs))
    return {k: z + nothing for k, z in value.items()} if isinstance(value, dict) else value + nothing


def greatest(values: Any) -> Any:
    """The greatest of some numbers."""
    return xp.amax(floats(values))


def least(values: Any) -> Any:
    """The smallest of some numbers."""
    return xp.amin(floats(values))


def best_is(values: Any, places: tuple[int, ...], smallest: bool) -> Any:
    """Whether the greatest of some numbers are those at these places, the first of all first."""
    values = floats(values)
    best = values == (xp.amin(values) if smallest else xp.amax(values))
    return xp.stack([x if k in places else ~x for k, x in enumerate(best)]).all()


def hypot(*values: Any) -> Any:
    """The root of the sum of squares."""
    return reduce(lambda a, b: xp.hypot(*same(a, b)), values) if len(values) > 1 else xp.abs(values[0])


def ieee_remainder(x: Any, y: Any) -> Any:
    """The remainder of the nearest multiple."""
    x, y = same(x, y)
    rest = xp.fmod(x, 2 * y)
    y = xp.abs(y)
    rest = xp.where(xp.abs(rest) > y / 2, rest - xp.sign(rest) * y, rest)
    return xp.where(xp.abs(rest) >= y / 2, rest - xp.sign(rest) * y, rest)


def is_close(a: Any, b: Any, rel_tol: float, abs_tol: float) -> Any:
    """math.isclose"""
    a, b = same(a, b)
    near = xp.clip(rel_tol * xp.maximum(xp.abs(a), xp.abs(b)), min=abs_tol)
    return (a == b) | (xp.isfinite(a) & xp.isfinite(b) & (xp.abs(a - b) <= near))


def log_to(x: Any, base: Any) -> Any:
    """math.log(x, base)"""
    x, base = same(x, base)
    return xp.log(x) / xp.log(base)


def argsort(x: Any, axis: int = -1, kind: Any = None, order: Any = None) -> Any:
    """The order of the entries; equal ones as they stand."""
    return xp.argsort(x, axis=axis, stable=True)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """np.tensordot"""
    return xp.tensordot(*same(a, b), axes if isinstance(axes, int) else [np.ravel(k).tolist() for k in axes])


def moved(x: Any, move: Any) -> Any:
    """What NumPy does when it only moves entries: it is asked where they go."""
    places = move(np.arange(prod(x.shape)).reshape(tuple(x.shape)))
    return x.reshape(-1)[xp.asarray(places.copy())]


def sliding_window_view(x: Any, shape: Any, axis: Any = None) -> Any:
    """np.lib.stride_tricks.sliding_window_view"""
    return moved(x, lambda places: np.lib.stride_tricks.sliding_window_view(places, shape, axis))


def from_triangle(a: Any, which: str) -> Any:
    """The symmetric matrix with this triangle, the lower or the upper one, which is all that NumPy reads."""
    a = a if which in "Ll" else xp.conj(a).mT
    return xp.tril(a) + xp.conj(xp.tril(a, -1)).mT


def cholesky(a: Any, upper: bool = False) -> Any:
    """np.linalg.cholesky"""
    lower = xp.linalg.cholesky(from_triangle(a, "U" if upper else "L"))
    return xp.conj(lower).mT if upper else lower


def eigh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803 - NumPy's name for it
    """np.linalg.eigh"""
    return xp.linalg.eigh(from_triangle(a, UPLO))


def eigvalsh(a: Any, UPLO: str = "L") -> Any:  # noqa: N803 - NumPy's name for it
    """np.linalg.eigvalsh"""
    return xp.linalg.eigvalsh(from_triangle(a, UPLO))
