"""Functions of NumPy that go by entries: its ufuncs, by the row of the derivative table that each of them is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ad_magic.rules import RULES
from ad_magic.rules.arrays.frozen import np

from .adjoints import shape_of
from .array import NUMBERS, Array, operand, refresh
from .looks import looked
from .moves import standing
from .perform import by_entry, pair
from .primitives import PAIRS
from .quick import Entry

# ---- entry by entry ------------------------------------------------------------------------------

# ufunc of NumPy -> row of the table
ROWS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow", "float_power": "pow",
    "remainder": "mod", "floor_divide": "floordiv", "negative": "neg", "absolute": "abs", "fabs": "fabs",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "degrees": "degrees", "radians": "radians", "rad2deg": "degrees", "deg2rad": "radians",
    **{name: name for name in (
        "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh",
        "tanh", "hypot", "fmod", "copysign", "ldexp", "sign", "rint", "floor", "ceil", "trunc", "square", "reciprocal",
        "maximum", "minimum", "fmax", "fmin", "logaddexp", "logaddexp2", "heaviside")},
}  # fmt: skip
_COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
_LOOKS = (*_COMPARISONS, "isnan", "isinf", "isfinite", "signbit", "logical_and", "logical_or", "logical_xor",
          "logical_not")  # fmt: skip
_SHORT = {"less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq", "not_equal": "ne"}


@cache
def entry_function(rule: str) -> Callable[..., Any]:
    """The ufunc of NumPy for a row of the table; what a row of the user's own is on arrays."""
    if RULES[rule].called is not None:
        from ad_magic.engine.own import of_arrays

        return of_arrays(RULES[rule])
    for name, found in ROWS.items():
        if found == rule:
            return getattr(np, name)
    from .special import SPECIAL

    return next(function for function, row in SPECIAL.items() if row == rule)


def name_of_row(rule: str) -> str:
    """How NumPy calls a row of the table: "np.arcsin"."""
    names = [name for name, row in ROWS.items() if row == rule]
    return f"np.{names[0]}" if names else f"special.{rule}"


def _entry(name: str, row: str) -> Callable[..., Any]:
    ufunc = getattr(np, name)

    def handler(*inputs: Any, **options: Any) -> Any:
        return by_entry(row, ufunc, *inputs, **options)

    return handler


# NumPy's ufunc -> its row, for the short way
ENTRIES: dict[Any, Entry] = {
    getattr(np, name): Entry(row, getattr(np, name), getattr(np, name).nin)
    for name, row in ROWS.items()
    if name not in ("ldexp", "float_power")
}


def _look_at(name: str) -> Callable[..., Any]:
    ufunc = getattr(np, name)

    def handler(*inputs: Any, **options: Any) -> Any:
        given = [operand(x) for x in inputs]
        if any(x is NotImplemented for x in given):
            return NotImplemented
        if all(not shape_of(x) for x in given) and name in _COMPARISONS:
            from ad_magic.engine.record import decide_on

            return np.bool_(decide_on(_SHORT[name], *given))
        return looked(_SHORT.get(name, name), ufunc, tuple(given), options)

    return handler


def _modulus(x: Any) -> Any:
    x = operand(x)
    return pair(PAIRS["modulus"], (x,), {}) if np.iscomplexobj(x) else by_entry("abs", np.absolute, x)


def real(x: Any) -> Any:
    """The real part of an active array, standing in its memory; a real one itself."""
    return _part(x, "real") if _kind(x) == "c" else x


def imag(x: Any) -> Any:
    """The imaginary part of an active array, standing in its memory; zeros for a real one."""
    return _part(x, "imag") if _kind(x) == "c" else np.zeros(shape_of(x))


def _kind(x: Any) -> str:
    return "f" if type(x) in NUMBERS else x.dtype.kind


def _part(x: Any, name: str) -> Any:
    result = pair(PAIRS[name], (x,), {})
    if type(x) is not Array or type(result) is not Array:
        return result
    if x.version != x.tape.writes:
        refresh(x)
    return standing(result, getattr(x.place, name), x)


def _sign(x: Any) -> Any:
    """The sign of a real number, z / |z| of a complex one. Before NumPy 2 that was the sign of its real part, or, where
    that is 0, of its imaginary part."""
    if not np.iscomplexobj(x):
        return by_entry("sign", np.sign, x)
    if np.sign(3j) != 1j:
        across, along = np.real(x), np.imag(x)
        return np.where(across != 0, by_entry("sign", np.sign, across), by_entry("sign", np.sign, along)) + 0j
    size = np.abs(x)
    return np.where(size == 0, 0.0, x / np.where(size == 0, 1.0, size))


def _divmod(x: Any, y: Any) -> Any:
    quotient = by_entry("floordiv", np.floor_divide, x, y)
    return quotient, by_entry("mod", np.remainder, x, y)


def _modf(x: Any) -> Any:
    whole = by_entry("trunc", np.trunc, x)
    return by_entry("sub", np.subtract, x, whole), whole


def _frexp(x: Any) -> Any:
    exponent = looked("frexp", lambda v: np.frexp(v)[1], (x,), {})
    return by_entry("ldexp", np.ldexp, x, -exponent), exponent


UFUNCS: dict[Any, Callable[..., Any]] = {
    **{getattr(np, name): _entry(name, row) for name, row in ROWS.items()},
    **{getattr(np, name): _look_at(name) for name in _LOOKS},
    np.absolute: _modulus,
    np.positive: lambda x: _copied(x),
    np.conjugate: lambda x: pair(PAIRS["conj"], (x,), {}) if np.iscomplexobj(operand(x)) else _copied(x),
    np.sign: lambda x: _sign(operand(x)),
    np.divmod: _divmod,
    np.modf: _modf,
    np.frexp: _frexp,
    np.matmul: lambda a, b, **axes: _matmul(a, b, **axes),
}


def _matmul(a: Any, b: Any, axes: Any = None) -> Any:
    if axes is None:
        return pair(PAIRS["matmul"], (a, b), {})
    first, second, last = ((x,) if isinstance(x, int) else tuple(x) for x in axes)
    if first == second == last == (-2, -1):
        return pair(PAIRS["matmul"], (a, b), {})
    z = pair(PAIRS["matmul"], (np.moveaxis(a, first, _last(first)), np.moveaxis(b, second, _last(second))), {})
    return np.moveaxis(z, _last(last), last) if last else z


def _last(axes: tuple[int, ...]) -> tuple[int, ...]:
    """As many axes at the end."""
    return tuple(range(-len(axes), 0))


def _copied(x: Any) -> Any:
    from .constructors import copy

    return copy(x)
