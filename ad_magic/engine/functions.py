"""Stand-ins for the functions of `math`: the same functions for plain numbers, recorded for active ones.

`MATH` maps each name in `math` to its stand-in. What `math` itself dispatches (floor, ceil, trunc) needs none.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ad_magic.rules import RULES, define, special
from ad_magic.rules.number import PLAIN, math

from .active import Active, LostDerivative, place_in_words, primal
from .dual import Dual
from .frames import user_frame
from .generate import method
from .record import apply, decide_on, mixed
from .traced import Traced

NUMBERS = Active.types


def is_active(x: Any) -> bool:
    """Whether x is a number of ours, dual or traced (isinstance would answer that it is a float)."""
    return type(x) in NUMBERS


def _stand_in(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Make a stand-in look like the function of `math` that it stands for."""
    original = getattr(math, name)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = original.__doc__
    function.__module__ = "math"
    return function


def _of_reals(plain: Callable[..., Any], rule: str, args: Sequence[Any]) -> Any:
    """A function of several numbers of which some are active. Raises TypeError as `math` does."""
    z = mixed(rule, *args)
    if z is not NotImplemented:
        return z
    for x in args:
        if not hasattr(x, "__float__") and not hasattr(x, "__index__"):
            raise TypeError(f"must be real number, not {type(x).__name__}")
    return plain(*args)


_UNARY = """
def function(x, /):
    kind = type(x)
    if kind is Traced:
        return traced(x)
    if kind is Dual:
        return dual(x)
    return plain(x)
"""


def _unary(name: str) -> Callable[..., Any]:
    rule = RULES[name]
    namespace = {
        "Traced": Traced,
        "Dual": Dual,
        "traced": method(Traced, rule, depth=2),
        "dual": method(Dual, rule, depth=2),
        "plain": getattr(math, name),
    }
    return _stand_in(define(_UNARY, "function", namespace, f"math.{name}"), name)


def _fixed(name: str, rule: str | None = None) -> Callable[..., Any]:
    """A stand-in for a function of two or three numbers."""
    plain = getattr(math, name)

    def function(*args: Any) -> Any:
        if not any(type(x) in NUMBERS for x in args):
            return plain(*args)
        return _of_reals(plain, rule or name, args)

    return _stand_in(function, name)


def _predicate(name: str) -> Callable[..., Any]:
    plain = getattr(math, name)

    def function(x: Any, /) -> bool:
        return decide_on(name, x) if type(x) in NUMBERS else plain(x)

    return _stand_in(function, name)


def _refused(name: str, why: str) -> Callable[..., Any]:
    plain = getattr(math, name)

    def function(*args: Any) -> Any:
        if any(type(x) in NUMBERS for x in args):
            raise LostDerivative(f"{place_in_words(user_frame())}: math.{name} {why}")
        return plain(*args)

    return _stand_in(function, name)


def _log(x: Any, *base: Any) -> Any:
    if not base:
        return _natural_log(x)
    if len(base) > 1 or not any(map(is_active, (x, *base))):
        return math.log(x, *base)
    return _of_reals(math.log, "log_base", (x, *base))


def _hypot(*coordinates: Any) -> Any:
    if not any(map(is_active, coordinates)):
        return math.hypot(*coordinates)
    return _of_reals(math.hypot, "hypot" if len(coordinates) == 2 else "norm", coordinates)


def _dist(p: Iterable[Any], q: Iterable[Any], /) -> Any:
    p, q = tuple(p), tuple(q)
    if not any(map(is_active, (*p, *q))):
        return math.dist(p, q)
    if len(p) != len(q):
        raise ValueError("both points must have the same number of dimensions")
    return _hypot(*[_of_reals(operator.sub, "sub", (a, b)) for a, b in zip(p, q, strict=True)])


def _fsum(numbers: Iterable[Any], /) -> Any:
    items = list(numbers)
    return _of_reals(lambda *xs: math.fsum(xs), "fsum", items) if any(map(is_active, items)) else math.fsum(items)


def _prod(numbers: Iterable[Any], /, *, start: Any = 1) -> Any:
    items = list(numbers)
    if not any(map(is_active, (*items, start))):
        return math.prod(items, start=start)
    if type(start) is not int or start != 1:  # without the row `1 * x` that the start of the product would make
        items = [start, *items]
    return functools.reduce(_times, items)


def _times(x: Any, y: Any) -> Any:
    """x * y, recorded where the user's program stands."""
    z = mixed("mul", x, y)
    return x * y if z is NotImplemented else z


def _sumprod(p: Iterable[Any], q: Iterable[Any], /) -> Any:
    p, q = list(p), list(q)
    if not any(map(is_active, (*p, *q))):
        return math.sumprod(p, q)
    if len(p) != len(q):
        raise ValueError("Inputs are not the same length")
    return _fsum([_times(a, b) for a, b in zip(p, q, strict=True)])


def _isclose(a: Any, b: Any, *, rel_tol: float = 1e-09, abs_tol: float = 0.0) -> bool:
    if is_active(a) or is_active(b):
        return decide_on("isclose", a, b, rel_tol, abs_tol)
    return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)


def _modf(x: Any, /) -> tuple[Any, Any]:
    if not is_active(x) or not decide_on("isfinite", x):
        return math.modf(primal(x))
    fraction = mixed("fmod", x, 1.0)
    return fraction, mixed("sub", x, fraction)


def _frexp(x: Any, /) -> tuple[Any, int]:
    if not is_active(x):
        return math.frexp(x)
    exponent = decide_on("frexp", x)
    return mixed("ldexp", x, -exponent), exponent


_UNARY_NAMES = [
    rule.name
    for rule in RULES.values()
    if rule.value == f"{rule.name}(a)"
    and hasattr(math, rule.name)
    and rule.name not in ("floor", "ceil", "trunc", "fsum")
]
_WHOLE = "takes whole numbers only and has no derivative; where a whole number is meant, write int(x)"
_STEPS = "looks at the bits of a number and has no derivative; write ad_magic.primal(x) where only the value matters"

_natural_log = _unary("log")

MATH: dict[str, Callable[..., Any]] = {
    **{name: _unary(name) for name in _UNARY_NAMES},
    **{name: _fixed(name) for name in ("atan2", "fmod", "remainder", "copysign", "ldexp")},
    "pow": _fixed("pow", "fpow"),
    **{name: _predicate(name) for name in ("isnan", "isinf", "isfinite")},
    **{name: _refused(name, _WHOLE) for name in ("isqrt", "comb", "perm", "factorial", "gcd", "lcm")},
    **{name: _refused(name, _STEPS) for name in ("nextafter", "ulp")},
    "log": _stand_in(_log, "log"),
    "hypot": _stand_in(_hypot, "hypot"),
    "dist": _stand_in(_dist, "dist"),
    "fsum": _stand_in(_fsum, "fsum"),
    "prod": _stand_in(_prod, "prod"),
    "isclose": _stand_in(_isclose, "isclose"),
    "modf": _stand_in(_modf, "modf"),
    "frexp": _stand_in(_frexp, "frexp"),
}
if hasattr(math, "sumprod"):  # Python 3.12
    MATH["sumprod"] = _stand_in(_sumprod, "sumprod")
if hasattr(math, "fma"):  # Python 3.13
    MATH["fma"] = _fixed("fma")


def _table_function(name: str) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        return apply(name, *args)

    return function


def _table_functions(names: Sequence[str]) -> Callable[..., Any]:
    functions = [_table_function(name) for name in names]
    return lambda *args: tuple(function(*args) for function in functions)


# What the names of the table mean where the numbers may be ours: a partial is differentiated like any other program.
ACTIVE: dict[str, Any] = {
    **PLAIN,
    **MATH,
    "sech2": lambda a, z: (1 / MATH["cosh"](a)) ** 2,
    "sum": lambda numbers: functools.reduce(operator.add, numbers),
    "max": lambda numbers: mixed("max", *numbers),  # of numbers that tie
    "min": lambda numbers: mixed("min", *numbers),
    **{name: _table_function(name) for name in (
        "sign", "rint", "floor", "ceil", "trunc", "polygamma", "maximum", "minimum", "fmax", "fmin", "logaddexp",
        "logaddexp2", "heaviside", *special.ROWS)},
    **{name: _table_functions(rows) for name, rows in special.SEVERAL.items()},
}  # fmt: skip

# NumPy calls these methods for the elements of an object array, and np.sin(x) of a single number ends here too.
for _name, _function in (("arcsin", "asin"), ("arccos", "acos"), ("arctan", "atan"), ("arcsinh", "asinh"),
                         ("arccosh", "acosh"), ("arctanh", "atanh"), *((n, n) for n in _UNARY_NAMES)):  # fmt: skip
    for _number in (Traced, Dual):
        if not hasattr(_number, _name):
            setattr(_number, _name, (lambda f: lambda self: f(self))(MATH[_function]))
