"""Where NumPy hands over: a ufunc or a function that was called with an active array or number."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.dual import HAND
from ad_magic.engine.frames import user_frame
from ad_magic.rules.arrays.frozen import np

from . import buffers, memory
from .adjoints import bare_value
from .array import NUMBERS, Array, is_active, operand
from .quick import one, product, two


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What `ufunc(*inputs)` or one of its methods gives for operands of which some are active."""
    out = options.pop("out", None)
    if method == "__call__" and len(inputs) > ufunc.nin:
        inputs, out = inputs[: ufunc.nin], inputs[ufunc.nin :]
    if method == "at":
        return UFUNC_METHODS["at"](ufunc, *inputs)
    if any(type(x) in NUMBERS and x.tape is HAND for x in inputs) and special.handler(ufunc) is None:
        return _by_objects(ufunc, method, inputs, options)
    if method != "__call__":
        result = UFUNC_METHODS[method](ufunc, *inputs, **options)
    else:
        where = options.pop("where", True)
        options.pop("casting", None), options.pop("subok", None), options.pop("order", None)
        options.pop("dtype", None)
        handler = UFUNCS.get(ufunc) or special.handler(ufunc)
        if handler is None:
            if any(operand(x) is NotImplemented for x in inputs):
                return NotImplemented
            if all(set(kinds) <= set("O->") for kinds in ufunc.types):
                return _of_python(ufunc, inputs)
            raise no_rule(f"{_home(ufunc)}.{ufunc.__name__}")
        if where is not True:
            inputs = _unmasked(ufunc, inputs, where)
        result = handler(*inputs, **options)
        if result is not NotImplemented and where is not True:
            result = _masked(result, where, out)
    if result is NotImplemented or out is None:
        return result
    if any(type(b) is np.ndarray and b is not inputs[0] for b in (out if isinstance(out, tuple) else (out,))):
        raise LostDerivative(
            f"{place_in_words(user_frame())}: the array that out= names was made by a library and cannot hold a "
            "derivative; copy it first: out = np.array(out)"
        )
    for target in out if isinstance(out, tuple) else (out,):
        if getattr(target, "dtype", np.dtype(float)).kind in "biu" and options.get("casting") != "unsafe":
            plain = [np.float64(1.0) if is_active(operand(x)) else np.asarray(operand(x)) for x in inputs]
            ufunc(*plain, out=np.empty(np.broadcast_shapes(*map(np.shape, plain)), target.dtype))  # raises as NumPy
    return written(out, result)


_INSIDE = 0.5  # it is in the domain of every ufunc but np.arccosh
_NEVER_AT: dict[Any, float] = {np.arccosh: 2.0}


def _unmasked(ufunc: np.ufunc, inputs: tuple[Any, ...], where: Any) -> tuple[Any, ...]:
    """The operands with a harmless number where `where=` says that nothing is computed: plain ones if that is enough,
    the active ones where a result would still be NaN or infinite."""
    mask = np.asarray(operand(where))
    harmless = _NEVER_AT.get(ufunc, _INSIDE)
    for active_too in (False, True):
        with np.errstate(all="ignore"):
            seen = ufunc(*(bare_value(operand(x)) for x in inputs))
        if np.all(np.isfinite(seen) | mask):
            break
        inputs = tuple(np.where(mask, x, harmless) if active_too or not is_active(operand(x)) else x for x in inputs)
    return inputs


def _masked(result: Any, where: Any, out: Any) -> Any:
    if out is None:
        raise LostDerivative(
            f"{place_in_words(user_frame())}: where= without out= leaves entries that nothing was written to; give out="
        )
    return np.where(where, result, out[0])


def written(out: Any, result: Any) -> Any:
    """Write a result where `out=` says; returns it."""
    if isinstance(out, tuple) and len(out) > 1:
        return tuple(r if o is None else written((o,), r) for o, r in zip(out, result, strict=True))
    target = out[0] if isinstance(out, tuple) else out
    if is_active(result) or type(target) is Array or memory.memory_of(target) is not None:
        return buffers.assigned(target, None, result)
    target[...] = result
    return target


def _by_objects(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Dual numbers that a user holds, with NumPy: entry by entry, as NumPy does with any object."""

    def boxed(x: Any) -> Any:
        if type(x) not in NUMBERS:
            return np.asarray(x).astype(object)  # of Python's own floats
        box = np.empty((), dtype=object)
        box[()] = x
        return box

    if ufunc is np.divmod:  # NumPy has none for objects
        return np.floor_divide(*map(boxed, inputs)), np.remainder(*map(boxed, inputs))
    with np.errstate(invalid="ignore"):  # a comparison with NaN
        return getattr(ufunc, method)(*map(boxed, inputs), **options)


def _of_python(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    """What np.frompyfunc made: a function of Python, for each entry."""
    from .constructors import array

    given = np.broadcast_arrays(*(operand(x) for x in inputs)) if len(inputs) > 1 else [operand(inputs[0])]
    shape = np.shape(given[0])
    entries = [_by_objects(ufunc, "__call__", tuple(x[k] for x in given), {}) for k in np.ndindex(*shape)]
    return np.reshape(array(entries), shape) if shape else entries[0]


def _home(function: Any) -> str:
    name = getattr(function, "__name__", "")
    if getattr(sys.modules.get("scipy.special"), name, None) is function and getattr(np, name, None) is not function:
        return "scipy.special"
    module = getattr(function, "__module__", None) or ""
    return {"numpy.linalg": "np.linalg", "numpy.fft": "np.fft"}.get(module, "np")


def no_rule(name: str) -> LostDerivative:
    """What to say of a function without a rule."""
    return LostDerivative(
        f"{place_in_words(user_frame())}: {name} has no derivative rule here. Write it with functions that have one, "
        "or ad_magic.primal(x) where only the value matters"
    )


def call_function(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function of NumPy gives for arguments of which some are active."""
    handler = FUNCTIONS.get(function)
    if handler is None:
        from . import tables  # noqa: F401  it fills the list

        handler = FUNCTIONS.get(function)
    if handler is None:
        if buffers.all_plain(args, kwargs):
            return buffers.on_plain(function, args, kwargs)
        raise no_rule(name_of(function))
    out = kwargs.get("out")
    if out is not None:
        kwargs = {name: value for name, value in kwargs.items() if name != "out"}
        return written(out, handler(*args, **kwargs))
    return handler(*args, **kwargs)


def name_of(function: Callable[..., Any]) -> str:
    """A function of NumPy as a user writes it: "np.linalg.solve"."""
    module = (getattr(function, "__module__", "") or "numpy").replace("numpy", "np", 1)
    return f"{module}.{getattr(function, '__name__', '?')}"


# Down here, for they import what stands above.
from . import methods, special  # noqa: F401  methods gives Array its operators
from .by_entries import ENTRIES, UFUNCS
from .functions import FUNCTIONS
from .primitives import PAIRS
from .ufunc_methods import UFUNC_METHODS


def _called(self: Array, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """`__array_ufunc__`: the short way, or any other."""
    if not options and method == "__call__":
        entry = ENTRIES.get(ufunc)
        if entry is not None and len(inputs) == ufunc.nin:
            z = one(entry, self) if len(inputs) == 1 else two(entry, *inputs)
            if z is not None:
                return z
        elif ufunc is np.matmul and len(inputs) == 2:
            z = product(PAIRS["matmul"], *inputs)
            if z is not None:
                return z
    return call_ufunc(ufunc, method, inputs, options)


def _handed(self: Array, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """`__array_function__`."""
    return call_function(function, args, kwargs)


_array: Any = Array
_array.__array_ufunc__, _array.__array_function__ = _called, _handed  # here, as they need the tables
