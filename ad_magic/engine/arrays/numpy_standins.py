"""Stand-ins for what NumPy does not hand over: functions that make arrays, functions of lists of numbers, np.vectorize.

`MODULES` has the same form as in `ad_magic.engine.library`; it is asked for only where NumPy is loaded.
"""

from __future__ import annotations

import ast
import functools
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.complexes import Complex
from ad_magic.engine.frames import is_ours, user_frame
from ad_magic.engine.texts import KNOWN, read_back
from ad_magic.engine.users import in_library

from . import buffers, dispatch, memory, methods, tables  # noqa: F401  (methods gives Array its operators)
from .array import NUMBERS, Array, operand
from .buffers import Buffer, bare, holds_active, wrapped
from .constructors import array, as_type, copy, no_records, whole
from .functions import FUNCTIONS
from .looks import looked
from .moves import standing
from .places import numbers_seen
from .special import scipy_modules
from .vectorized import vectorized

WATCHING: list[bool] = []  # whether the arrays that the program makes may be written to with active numbers


def _users_call() -> bool:
    """Whether the function two frames up was called by the user's program, which may write to what it gets, or by
    NumPy's polynomials, which write their coefficients into new arrays."""
    if not WATCHING:
        return False
    code = sys._getframe(2).f_code
    if code.co_filename.startswith(_POLYNOMIALS):
        return True
    return WATCHING[-1] and not is_ours(code) and not in_library(code.co_filename)


_POLYNOMIALS = str(Path(np.__file__).parent / "polynomial")


def _as(original: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    function = functools.wraps(original)(function)
    del function.__wrapped__
    return function


# ---- constructors --------------------------------------------------------------------------------


def _constructor(name: str) -> Callable[..., Any]:
    """np.zeros and its like: of plain arguments, as always, but noticing what is written to the result."""
    original = getattr(np, name)
    reads = name in ("frombuffer", "fromstring")

    def function(*args: Any, **kwargs: Any) -> Any:
        if reads and KNOWN and args:
            read_back(args[0])
        result = original(*map(bare, args), **kwargs)
        return wrapped(result) if type(result) is np.ndarray and _users_call() else result

    return _as(original, function)


def _are_texts(x: Any) -> bool:
    return type(x) in (list, tuple) and bool(x) and all(type(y) is str for y in x)


def _making(name: str, active: Callable[..., Any]) -> Callable[..., Any]:
    """A constructor with another way for active arguments."""
    original = getattr(np, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        if any(map(holds_active, args)) or (kwargs and any(map(holds_active, kwargs.values()))):
            return active(*args, **kwargs)
        if KNOWN and len(args) + len(kwargs) > 1 and _are_texts(args[0]):  # with a dtype, which may be one of numbers
            read_back(" ".join(args[0]))
        result = original(*map(_bared, args), **kwargs)
        return wrapped(result) if type(result) is np.ndarray and _users_call() else result

    return _as(original, function)


def _bared(x: Any) -> Any:
    return [_bared(y) for y in x] if type(x) is list else bare(x)


def _array(object: Any, dtype: Any = None, *,
           copy: Any = True, order: str = "K", subok: bool = False, ndmin: int = 0,
           like: Any = None) -> Any:  # fmt: skip
    if dtype is not None and np.dtype(dtype) == np.dtype(object_type):
        return _of_objects(object)
    if dtype is not None and np.dtype(dtype).kind == "V":
        raise no_records()
    made = array(object) if isinstance(object, (list, tuple)) and type(object) is not Array else whole(object)
    if type(made) is Array and copy is True:
        made = copy_of(made, order)
    if dtype is not None and type(made) is Array:
        made = as_type(made, dtype, False)
    while type(made) is Array and made.ndim < ndmin:
        made = made[None]
    return made


object_type = object
copy_of = copy


def _of_objects(x: Any) -> Any:
    """An array of objects: the active numbers are its entries, and NumPy calls their methods."""
    if type(x) is Array:
        return as_type(x, object)
    listed = [y.tolist() if type(y) is Array else y for y in x] if isinstance(x, (list, tuple)) else x
    return _real_array(listed, dtype=object)


_real_array = np.array


def _asarray(a: Any, dtype: Any = None, order: Any = None, **options: Any) -> Any:
    if type(a) is Buffer:
        if dtype in (None, float, a.dtype) and order is None and options.get("copy") is not True:
            return a
        a = buffers.content(a)
    made = _array(a, dtype, copy=options.get("copy") is True)
    flags = made.flags
    if (order == "C" and not flags.c_contiguous) or (order == "F" and not flags.f_contiguous):
        made = copy_of(made, order)
    return made


def _of_order(order: str) -> Callable[..., Any]:
    return lambda a, dtype=None, **options: _asarray(a, dtype, order)


def _full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", **options: Any) -> Any:
    made = np.broadcast_to(operand(fill_value), shape)
    made = made if type(made) is Array else whole(made)
    made = copy(made, order)
    return as_type(made, dtype, False) if dtype is not None else made


def _arange(*args: Any, dtype: Any = None, **options: Any) -> Any:
    start, stop, step = (0, args[0], 1) if len(args) == 1 else (args[0], args[1], args[2] if len(args) > 2 else 1)
    count = looked("arange", lambda a, b, c: len(np.arange(a, b, c)), (start, stop, step), {})
    return np.add(start, np.multiply(np.arange(count, dtype=float), step))


def _fromiter(
    iter: Any,
    dtype: Any,
    count: int = -1,
    **options: Any,
) -> Any:
    items = list(iter)
    if holds_active(items):
        return as_type(array(items), dtype, False)
    return wrapped(np_fromiter(items, dtype, count))


np_fromiter = np.fromiter


def _of_memory(original: Any) -> Callable[..., Any]:
    def function(x: Any, *args: Any, **kwargs: Any) -> Any:
        return _as_strided(x, *args, **kwargs) if holds_active(x) else original(x, *args, **kwargs)

    return _as(original, function)


def _require(a: Any, dtype: Any = None, requirements: Any = None, **options: Any) -> Any:
    wanted = [requirements] if isinstance(requirements, str) else requirements or []
    order = "F" if {"F", "F_CONTIGUOUS"} & set(wanted) else "C" if {"C", "C_CONTIGUOUS"} & set(wanted) else None
    return _asarray(a, dtype, order)


# ---- functions of lists --------------------------------------------------------------------------


def _of_lists(function: Callable[..., Any]) -> Callable[..., Any]:
    """np.mean([x, y]) and its like: NumPy hands over for arrays, not for lists of active numbers."""

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) is Array:  # NumPy would hand over
            result = dispatch.call_function(function, args, kwargs)
        else:
            for x in args:
                kind = type(x)
                if (kind is list or kind is tuple or kind is np.ndarray or kind in NUMBERS) and holds_active(x):
                    return dispatch.call_function(function, args, kwargs)
            for x in kwargs.values():
                if holds_active(x):
                    return dispatch.call_function(function, args, kwargs)
            result = function(*args, **kwargs)
        if type(result) is np.ndarray and result.dtype.kind in "fc" and _users_call():
            return wrapped(result)
        return result

    return _as(function, stand_in)


# ---- np.r_, np.c_ ---------------------------------------------------------------------------------


class _Concatenator:
    """np.r_ and np.c_ with active numbers among the pieces."""

    def __init__(self, original: Any, columns: bool) -> None:
        self.original, self.columns = original, columns

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)

    def __len__(self) -> int:
        return 0

    def __getitem__(self, key: Any) -> Any:
        pieces = key if isinstance(key, tuple) else (key,)
        flat = [y for x in pieces for y in ((x.start, x.stop, x.step) if isinstance(x, slice) else (x,))]
        if not any(map(holds_active, flat)):
            return wrapped(self.original[key])
        if isinstance(pieces[0], str):
            return self._directed(pieces[0], pieces[1:])
        return np.concatenate([self._piece(x) for x in pieces], axis=-1 if self.columns else 0)

    def _directed(self, text: str, pieces: tuple[Any, ...]) -> Any:
        """np.r_['axis,ndmin,place', ...]: new axes are put before the axes of a piece, or where the text says."""
        if text in ("r", "c"):
            raise LostDerivative(f"{place_in_words(user_frame())}: np.r_[{text!r}, ...] makes a matrix; use np.r_[...]")
        axis, ndmin, place = (*map(int, text.split(",")), *(0, 0, -1)[text.count(",") + 1 :])
        return np.concatenate([_with_axes(self._piece(x), ndmin, place) for x in pieces], axis=axis)

    def _piece(self, x: Any) -> Any:
        if isinstance(x, slice):
            if isinstance(x.step, complex):
                x = np.linspace(x.start or 0, x.stop, int(abs(x.step)))
            else:
                x = np.arange(x.start or 0, x.stop, 1 if x.step is None else x.step)
        x = np.atleast_1d(array(x) if isinstance(x, (list, tuple)) else operand(x))
        return np.reshape(x, (-1, 1)) if self.columns and np.ndim(x) == 1 else x


def _as_strided(x: Any, shape: Any = None, strides: Any = None, **options: Any) -> Any:
    """A view by strides: the entries that it shows, standing in the same memory."""
    x = operand(x)
    whole_ = x if x.base is None else x.base
    view = np.lib.stride_tricks.as_strided(x.place, shape, strides, **options)
    places = numbers_seen(view, whole_.place)
    return standing(np.reshape(whole_, -1)[places], view, x)


def _iterating(*args: Any, **kwargs: Any) -> Any:
    raise LostDerivative(
        f"{place_in_words(user_frame())}: np.nditer gives plain numbers, and that would cut the derivative; go through "
        "x.flat or np.ndenumerate(x) instead"
    )


def _with_axes(x: Any, ndmin: int, place: int) -> Any:
    """A piece with at least `ndmin` axes; its own begin at `place`."""
    more = ndmin - np.ndim(x)
    if more <= 0:
        return x
    start = place + more + 1 if place < 0 else place
    return np.reshape(x, (*(1,) * start, *np.shape(x), *(1,) * (more - start)))


# ---- the list ------------------------------------------------------------------------------------

_PLAIN = ("zeros", "ones", "empty", "eye", "identity", "tri", "fromfunction", "indices", "loadtxt", "genfromtxt",
          "frombuffer", "hanning", "hamming", "blackman", "bartlett", "load", "fromstring")  # fmt: skip
_numpy: dict[str, Any] = {
    **{name: _constructor(name) for name in _PLAIN if hasattr(np, name)},
    "array": _making("array", _array),
    **{name: _making(name, _asarray) for name in ("asarray", "asanyarray")},
    "ascontiguousarray": _making("ascontiguousarray", _of_order("C")),
    "asfortranarray": _making("asfortranarray", _of_order("F")),
    "asarray_chkfinite": _making("asarray_chkfinite", _asarray),
    "require": _making("require", _require),
    "full": _making("full", _full),
    "arange": _making("arange", _arange),
    "fromiter": _as(np.fromiter, _fromiter),
    "nditer": _making("nditer", _iterating),
    "r_": _Concatenator(np.r_, False),
    "c_": _Concatenator(np.c_, True),
}


def _public(module: Any) -> dict[str, Any]:
    """The functions of a module of NumPy that hand over for arrays, as stand-ins that see lists too."""
    made = {}
    for name in dir(module):
        function = getattr(module, name)
        if not name.startswith("_") and function in FUNCTIONS_OF and not isinstance(function, type):
            made[name] = _of_lists(function)
    return made


def _hashable(x: Any) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True


class _Known:
    def __contains__(self, x: Any) -> bool:
        return _hashable(x) and x in FUNCTIONS


FUNCTIONS_OF = _Known()
MODULES: dict[str, dict[str, Any]] = {
    "numpy": {**_public(np), **_numpy},
    "numpy.linalg": _public(np.linalg),
    "numpy.lib.stride_tricks": {
        **_public(np.lib.stride_tricks),
        "as_strided": _of_memory(np.lib.stride_tricks.as_strided),
    },
    "numpy.fft": _public(np.fft),
}


def _warn(kind: str, flag: int) -> None:
    """NumPy's warning of a division by zero and its like, at the user's line and not at ours."""
    inner, frame = sys._getframe(1), user_frame()
    function = inner.f_locals.get("function", inner.f_locals.get("ufunc")) if is_ours(inner.f_code) else None
    name = f" in {function.__name__}" if isinstance(function, np.ufunc) else ""
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    module = frame.f_globals.get("__name__", "__main__")
    warnings.warn_explicit(
        f"{kind} encountered{name}", RuntimeWarning, frame.f_code.co_filename, frame.f_lineno, module, registry
    )


_vectorize: Any = np.vectorize


class watching_arrays:  # noqa: N801  # a context, and one for each call of a derivative: a generator costs more
    """For the time of the block: np.vectorize works on active arrays, and new arrays notice what is written to them."""

    __slots__ = ("before", "errors", "watching")

    def __init__(self, watching: bool) -> None:
        self.watching = watching
        self.errors: Any = None

    def __enter__(self) -> None:
        WATCHING.append(self.watching)
        self.before = _vectorize.__call__
        _vectorize.__call__ = vectorized
        warned: Any = {kind: "call" for kind, what in np.geterr().items() if what == "warn"}
        if warned:
            self.errors = np.errstate(**warned, call=_warn)
            self.errors.__enter__()

    def __exit__(self, *error: Any) -> None:
        if self.errors is not None:
            self.errors.__exit__(*error)
        _vectorize.__call__ = self.before
        WATCHING.pop()


def replaced(tree: ast.AST | None) -> dict[str, dict[str, Any]]:
    """The stand-ins by module, those of scipy.special too."""
    return {**MODULES, **scipy_modules(tree)}


for _name in ("getitem", "repr", "str", "format", "bool", "int", "float", "contains", "index", "complex"):
    setattr(Buffer, f"__{_name}__", buffers._delegated(f"__{_name}__"))
_DELEGATED = (
    "sum", "prod", "mean", "std", "var", "max", "min", "argmax", "argmin", "argsort", "argpartition", "cumsum",
    "cumprod", "trace", "dot", "repeat", "take", "choose", "compress", "nonzero", "searchsorted", "any", "all",
    "copy", "astype", "flatten", "tolist", "item", "clip", "round", "conj", "conjugate", "tobytes", "ravel",
    "reshape", "put", "diagonal", "sort", "partition", "fill",
)  # fmt: skip
for _name in _DELEGATED:
    setattr(Buffer, _name, buffers._delegated(_name))


def complex_of(z: Complex) -> Any:
    """A complex number with active parts, as an array without axes."""
    return operand(z)
