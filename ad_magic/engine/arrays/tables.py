"""The list of NumPy's public functions, and what each does with active arguments. It is made when it is first
needed."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from ad_magic.engine.operation import Operation
from ad_magic.rules.arrays import composed_borders, composed_kinks, sums
from ad_magic.rules.arrays.composed import COMPOSED, MOVES
from ad_magic.rules.arrays.frozen import np

from . import by_entries, functions, writing
from .array import NUMBERS, Array, operand, record, refresh
from .buffers import assigned, holds_active
from .by_entries import UFUNCS
from .compose import compose
from .constructors import as_type, copy
from .functions import FUNCTIONS, INFORMATION, LOOKING, bound, refuse
from .looks import looked
from .moves import as_its_kind, move, shares, view_of
from .pairs import PairOperation
from .perform import by_entry, pair, pushed
from .places import entries_as_they_lie
from .primitives import PAIRS

# ---- moves that keep the order of the entries ----------------------------------------------------


def _in_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives the same entries in another shape: its adjoint is the shape of before."""

    def handler(a: Any, *args: Any, **kwargs: Any) -> Any:
        x = operand(a)
        order = kwargs.get("order", args[0] if args and isinstance(args[0], str) else "C")
        if type(x) is not Array or order != "C":
            if order in ("K", "A") and type(x) is Array:  # by the layout in memory, which the value may not have
                if x.place.flags.forc:
                    order = "C" if x.place.flags.c_contiguous else "F"
                    return move(function, (x, order), {})
                places = entries_as_they_lie(x.place, order)
                return move(lambda v: np.reshape(v, -1)[places], (x,), {}, "ravel")
            return move(function, (a, *args), kwargs)
        return _viewed(x, lambda v: function(v, *args, **kwargs), "reshape", lambda z: {"shape": z.shape})

    return handler


def _reshape(a: Any, shape: Any = None, order: str = "C", **options: Any) -> Any:
    x = operand(a)
    if order == "A" and type(x) is Array:  # by the layout in memory
        order = "F" if x.place.flags.fnc else "C"
    shape = options.pop("newshape", shape)
    if type(x) is Array and order == "C":
        return _viewed(x, lambda v: np.reshape(v, shape), "reshape", lambda z: {"shape": z.shape})
    return move(np.reshape, (x, shape), {"order": order}, "reshape")


def _viewed(x: Array, call: Callable[[Any], Any], rule: str, options: Callable[[Any], dict[str, Any]]) -> Any:
    tape = x.tape
    if x.version != tape.writes:
        refresh(x)
    z = call(x.value)
    view = z if x.place is x.value else call(x.place)
    op: Operation = PairOperation(PAIRS[rule], (True,), options(z))
    tangent = pushed(tape, op, (x,), (x.value,), op.active, z) if tape.forward else None
    if shares(view, x.place) and type(z) in (np.ndarray, Array):
        return view_of(x, op, (x.index,), z, tangent, view)
    return as_its_kind(record(tape, op, (x.index,), None, z, tangent), z)


def _transpose(a: Any, axes: Any = None) -> Any:
    x = operand(a)
    if type(x) is not Array:
        return move(np.transpose, (a, axes), {})
    return _viewed(x, lambda v: np.transpose(v, axes), "transpose", lambda z: {"axes": axes})


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    if composed_borders.computes(mode, options):
        return compose("pad", composed_borders.pad, (array, pad_width, mode), options)
    if mode not in ("constant", "edge", "wrap", "reflect", "symmetric", "empty"):
        return refuse(
            "np.pad", f"has no derivative rule for mode={mode!r}; put the border together by np.concatenate"
        )()
    constants = options.get("constant_values", 0)
    if holds_active(constants):
        return _framed(array, pad_width, constants)
    return move(np.pad, (array, pad_width, mode), options)


def _framed(array: Any, pad_width: Any, constants: Any) -> Any:
    """np.pad with active numbers for the border: put on axis by axis."""
    x = operand(array)
    widths = np.broadcast_to(pad_width, (np.ndim(x), 2))
    pairs = constants if isinstance(constants, (list, tuple)) else (constants, constants)
    if not isinstance(pairs[0], (list, tuple)):
        pairs = [tuple(pairs) * (2 // len(pairs))] * np.ndim(x)
    for axis, ((before, after), (low, high)) in enumerate(zip(widths.tolist(), pairs, strict=True)):
        sides = []
        for width, value in ((before, low), (after, high)):
            shape = list(np.shape(x))
            shape[axis] = width
            sides.append(np.broadcast_to(operand(value), shape))
        x = np.concatenate([sides[0], x, sides[1]], axis=axis)
    return x


def _nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    result = compose("nan_to_num", COMPOSED["np.nan_to_num"][1], (x, True, nan, posinf, neginf), {})
    return result if copy or not isinstance(x, np.ndarray) else assigned(x, ..., result)


# ---- one by one ----------------------------------------------------------------------------------


def _round(a: Any, decimals: int = 0) -> Any:
    if not decimals:
        return by_entry("rint", np.rint, a)
    scale = 10.0**decimals
    return by_entry("rint", np.rint, np.multiply(a, scale)) / scale


def _angle(z: Any, deg: bool = False) -> Any:
    x = operand(z)
    if np.iscomplexobj(x):
        angle = pair(PAIRS["angle"], (x,), {})
    else:
        angle = looked("angle", np.angle, (x,), {})
    return np.rad2deg(angle) if deg else angle


def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    x = np.asarray(x)
    size = max(minlength, int(x.max()) + 1 if x.size else 0)
    return pair(_SCATTERED, (operand(weights),), {"places": x, "size": size})


def _scattered_rule() -> Any:
    from .memory_rows import SCATTERED

    return SCATTERED


_SCATTERED = _scattered_rule()


_COUNTS = "counts and has no derivative; write ad_magic.primal(x) for the numbers it counts"
_OWN: dict[str, Callable[..., Any]] = {
    "sum": partial(functions.reduction, "sum"), "prod": partial(functions.reduction, "prod"),
    "mean": partial(functions.reduction, "mean"), "max": partial(functions.reduction, "max"),
    "min": partial(functions.reduction, "min"), "amax": partial(functions.reduction, "max"),
    "amin": partial(functions.reduction, "min"),
    "cumsum": partial(functions._cumulative, "cumsum"), "cumprod": partial(functions._cumulative, "cumprod"),
    "dot": functions._dot, "inner": functions._inner, "outer": functions._outer_product, "einsum":
    functions._einsum, "where": functions._where, "sort": functions._sorted,
    "unique_values": lambda x: np.unique(x),
    "copyto": writing._copyto, "put": writing._put, "putmask": writing._putmask, "place": writing._place,
    "put_along_axis": writing._put_along_axis, "fill_diagonal": writing._fill_diagonal,
    "round": _round, "around": _round,
    "angle": _angle, "real": lambda x: by_entries.real(_whole(x)), "imag": lambda x: by_entries.imag(_whole(x)),
    "astype": lambda x, dtype, copy=True, **o: as_type(x, dtype, copy),
    "copy": lambda a, order="K", subok=False: copy(a, order), "pad": _pad, "nan_to_num": _nan_to_num,
    # a view of their argument, or the argument itself: no row of their own
    "trim_zeros": COMPOSED["np.trim_zeros"][1],
    "real_if_close": lambda a, tol=100: functions.boxed(COMPOSED["np.real_if_close"][1](a, tol)),
    "bincount": _bincount,
    "reshape": _reshape, "transpose": _transpose, "permute_dims": _transpose,
    "linalg.matmul": lambda a, b: np.matmul(a, b),
    "linalg.tensordot": lambda a, b, axes=2: np.tensordot(a, b, axes=axes),
    **{name: refuse(f"np.{name}", _COUNTS) for name in (
        "histogram", "histogram2d", "histogramdd", "histogram_bin_edges", "unique_counts", "unique_all",
        "unique_inverse")},
}  # fmt: skip


def _whole(x: Any) -> Any:
    x = operand(x)
    return np.float64(x) if isinstance(x, (float, int)) and type(x) not in NUMBERS else x


_REAL_MOVES = ("ravel", "squeeze", "expand_dims", "atleast_1d", "atleast_2d", "atleast_3d")
_PAIR_FUNCTIONS = ("tensordot", "concatenate", "stack")


def _fill() -> None:
    """Make the list: first the general ways, then the special ones."""

    def put(name: str, handler: Callable[..., Any]) -> None:
        with contextlib.suppress(AttributeError):  # not in this NumPy
            FUNCTIONS[operator.attrgetter(name)(np)] = handler

    for name in MOVES:
        put(name[3:], partial(_move_named, name[3:]))
    for name in LOOKING:
        put(name, partial(_look_named, name))
    for name in INFORMATION:
        if hasattr(np, name):
            put(name, functions._information(name))
    for name, (function, body) in COMPOSED.items():
        (UFUNCS if isinstance(function, np.ufunc) else FUNCTIONS)[function] = functions._composing(name, body)
    for module in ("linalg", "fourier"):
        try:
            home = import_module(f"ad_magic.rules.arrays.{module}")
        except ModuleNotFoundError:
            continue
        KINKS.update(getattr(home, "KINKS", {}))
        for rule in home.RULES:
            PAIRS[rule.name] = rule
            FUNCTIONS[rule.value] = bound(rule)
    KINKS.update(sums.KINKS | composed_kinks.KINKS)
    for name in _PAIR_FUNCTIONS:
        put(name, bound(PAIRS[name]))
    put("matmul", by_entries._matmul)
    put("concat", bound(PAIRS["concatenate"]))
    put("tensordot", lambda *args, **kwargs: functions.boxed(bound(PAIRS["tensordot"])(*args, **kwargs)))
    for name in _REAL_MOVES:
        put(name, _in_order(operator.attrgetter(name)(np)))
    for name, handler in _OWN.items():
        put(name, handler)


KINKS: dict[str, Callable[..., str | None]] = {}
"""Why a primitive has no derivative at a point: name -> a function of its result and operands."""


def _move_named(name: str, *args: Any, **kwargs: Any) -> Any:
    return move(operator.attrgetter(name)(np), args, kwargs, name.rpartition(".")[2])


def _look_named(name: str, *args: Any, **kwargs: Any) -> Any:
    return looked(name, operator.attrgetter(name)(np), args, kwargs)


_fill()
