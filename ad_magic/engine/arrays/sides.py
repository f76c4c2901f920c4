"""Power series beside a singular point (engine/sides.py), of arrays: entry by entry where an entry is singular."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ad_magic.engine.kinks import kink_of_array, where_singular
from ad_magic.engine.operation import operation
from ad_magic.engine.power_series import Series
from ad_magic.engine.series import Known, number_series, series_of
from ad_magic.engine.sides import chosen
from ad_magic.engine.tape import Tape
from ad_magic.rules.arrays.frozen import np

from .adjoints import shape_of
from .compose import as_input
from .moves import filled
from .operation import EntryOperation

MOST = 10_000  # entries of an array that are looked at one by one


def one_entry(x: Any, place: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """The series of an entry, where the array is spread to a shape."""
    if type(x) is not Series:
        return np.broadcast_to(x, shape)[place].item()

    def at(k: int) -> float:
        c = x[k]
        return np.broadcast_to(c, shape)[place].item() if shape_of(c) else float(c)

    return Series(at(0), None if x.constant else at)


def singular_entries(op: EntryOperation, left: Any, right: Any, values: Any, z: Any) -> Any:
    """A mask of the entries at which a row has no second derivative."""
    arguments = op.arguments(left, right, values)
    if op.is_complex or np.iscomplexobj(z):
        return np.zeros(np.shape(z), dtype=bool)
    return where_singular(op.rule, arguments, z, op.partials(left, right, values, z))


def by_singular_entries(
    op: EntryOperation, left: Any, right: Any, z: Any, operands: Sequence[Any], values: Any, made: Series, known: Known
) -> Series:
    """The series `made` of a row that goes by entries, with those of its singular entries put in their places."""
    places = list(map(tuple, np.argwhere(singular_entries(op, left, right, values, z)).tolist()))
    if not places:
        return made
    if len(places) > MOST:
        return Series(z, lambda k: np.full(shape_of(z), np.nan))
    shape = shape_of(z)
    of_numbers = operation(op.name, op.active)
    found = [_one(op, of_numbers, operands, np.asarray(z)[place].item(), place, shape, known) for place in places]
    return _put_in(z, made, list(zip(places, found, strict=True)))


def _one(op: Any, of_numbers: Any, operands: Any, z: float, place: Any, shape: Any, known: Known) -> Series:
    entries = [one_entry(x, place, shape) for x in operands]
    columns = [k if on else x for k, (x, on) in enumerate(zip(entries, op.active, strict=True))]
    left, right = (tuple(columns), None) if len(columns) > 2 else (*columns, None)[:2]
    return number_series(of_numbers, left, right, z, entries, Known(beside=known.beside))


def _put_in(z: Any, made: Series | None, entries: Sequence[tuple[tuple[int, ...], Series]]) -> Series:
    def following(k: int) -> Any:
        c = np.array(np.broadcast_to(0.0 if made is None else made[k], shape_of(z)), dtype=float)
        for place, series in entries:
            c[place] = series[k]
        return c if shape_of(z) else c[()]

    return Series(z, following)


# ---- function pairs ------------------------------------------------------------------------------------


def extreme(op: Any, x: Series, z: Any, known: Known) -> Series:
    """The greatest or smallest along axes: at a tie that which is so beside the point."""
    axis, keep = op.options.get("axis"), op.options.get("keepdims", False)
    shape = shape_of(x[0])
    axes = tuple(range(len(shape))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(k % len(shape) for k in axes)
    index = np.moveaxis(np.arange(np.size(x[0])).reshape(shape), axes, range(len(axes)))
    index = index.reshape(-1, *index.shape[len(axes) :]) if axes else index[None]
    if index.size > MOST:
        return Series(z, lambda k: np.full(shape_of(z), np.nan))
    best = np.asarray(np.squeeze(z, axes) if keep else z)
    flat = np.ravel(x[0])
    entries = []
    for place in np.ndindex(index.shape[1:]):
        tied = [i for i in index[(slice(None), *place)].tolist() if flat[i] == best[place]]
        among = [one_entry(x, np.unravel_index(i, shape), shape) for i in tied]
        full = place if not keep else tuple(np.insert(np.asarray(place, dtype=int), _put_back(axes), 0).tolist())
        entries.append((full, Series(best[place].item(), chosen(among, op.name == "max") if among else None)))
    return _put_in(z, None, entries)


def _put_back(axes: Sequence[int]) -> list[int]:
    """Where axes of length one are put back, for np.insert: by the places in what is there before."""
    return [axis - k for k, axis in enumerate(sorted(axes))]


def norm(op: Any, x: Series, z: Any, known: Known, series: Callable[..., Any]) -> Series | None:
    """A norm that is one of the entries, written in functions whose singular points are known."""
    how = op.options.get("ord")
    axis, keep = op.options.get("axis"), op.options.get("keepdims", False)
    vector = len(shape_of(x[0])) < 2 if axis is None else not isinstance(axis, tuple)
    if how in (None, "fro") or (how == 2 and vector):
        return _written([x], z, known, series, lambda x: np.sqrt(np.sum(x * x, axis=axis, keepdims=keep)))
    if how == 1 and vector:
        return _written([x], z, known, series, lambda x: np.sum(np.abs(x), axis=axis, keepdims=keep))
    if how in (np.inf, -np.inf) and vector:
        best = np.max if how > 0 else np.min
        return _written([x], z, known, series, lambda x: best(np.abs(x), axis=axis, keepdims=keep))
    return None


_ROOTS = {"std": np.var, "nanstd": np.nanvar}


def _written(
    operands: Sequence[Any], z: Any, known: Known, series: Callable[..., Any], body: Callable[..., Any]
) -> Series:
    """The series of a function that is written in others."""
    inner = Tape()
    inputs = [as_input(inner, x[0]) for x in operands]
    result = body(*inputs)
    rows = series_of(inner.close(), {a.index: x for a, x in zip(inputs, operands, strict=True)}, known, series)
    return Series(z, partial(_shaped, rows[result.index], shape_of(z)))


def _shaped(found: Series, shape: tuple[int, ...], k: int) -> Any:
    return np.reshape(found[k], shape) if shape_of(found[k]) else found[k]


def pair_beside(op: Any, operands: Sequence[Any], z: Any, known: Known, series: Callable[..., Any]) -> Series | None:
    """The series of a function pair that stands at a corner; None where it does not, or that is not known."""
    if op.name in _ROOTS and hasattr(op, "template"):
        return _written(operands, z, known, series, lambda *xs: np.sqrt(_of_call(op, xs)))
    if op.name not in ("max", "min", "norm") or type(operands[0]) is not Series:
        return None
    x = operands[0]
    if np.iscomplexobj(x[0]) or kink_of_array(op, [x[0]], z) is None:
        return None
    return norm(op, x, z, known, series) if op.name == "norm" else extreme(op, x, z, known)


def _of_call(op: Any, xs: Sequence[Any]) -> Any:
    args, kwargs = filled(op.template, xs)
    return _ROOTS[op.name](*args, **kwargs)
