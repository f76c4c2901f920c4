"""Stand-ins for builtins and for library functions that would turn an active number into a plain one.

`BUILTINS` are names that the user's functions look up (max, min, sum, …); `MODULES` are functions of library modules.
"""

from __future__ import annotations

import ast
import builtins
import functools
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from types import ModuleType, new_class
from typing import Any

from ad_magic.rules.number import math

from .active import as_python, primal
from .codes import NUMPYS_TYPES
from .complexes import CMATH, Complex
from .decisions import best_of
from .functions import MATH, is_active
from .record import decide_on, mixed
from .texts import evaluate, read_back, reading
from .users import is_users, is_users_code

_add, _sub, _mul, _div = (functools.partial(mixed, name) for name in ("add", "sub", "mul", "div"))


def _any_active(items: Iterable[Any]) -> bool:
    return any(is_active(x) for x in items)


# ---- builtins ------------------------------------------------------------------------------------


def _best(plain: Callable[..., Any], name: str) -> Callable[..., Any]:
    """max or min. Which one it is, is a decision; a tie between different variables shares evenly, as in np.maximum."""

    def function(*args: Any, **options: Any) -> Any:
        items = list(args[0]) if len(args) == 1 else list(args)
        key = options.get("key") or (lambda x: x)
        keys = [key(x) for x in items] if items and _any_active(items) else []
        if not keys or not all(isinstance(k, (float, int)) and not isinstance(k, complex) for k in keys):
            return plain(items, **options) if len(args) == 1 else plain(*args, **options)
        best = [items[k] for k in (decide_on(name, *keys) if _any_active(keys) else best_of(plain, keys))]
        tied = list({(type(x), id(x)) if is_active(x) else x: x for x in best}.values())  # equal constants are one
        if len(tied) == 1 or not _any_active(tied) or any(primal(x) != primal(tied[0]) for x in tied):
            return best[0]
        return mixed(name, *tied)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = plain.__doc__
    return function


def _sum(iterable: Iterable[Any], /, start: Any = 0) -> Any:
    """sum as one operation: Python 3.12 and later do not round at every addition, so it is not a row of additions."""
    items = list(iterable)
    if not _any_active([start, *items]):
        return builtins.sum(items, start)
    if type(start) is not int or start != 0:
        items = [start, *items]
    total = mixed("sum", *items)
    return builtins.sum(items[1:], items[0]) if total is NotImplemented else total


class NamedType(type):
    """The type of what stands for the name of a type, its one base. A class that the program derives from the name is
    derived from that base: it makes objects of its own, and nothing of ours stays in it.
    """

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **options: Any) -> Any:
        if not any(isinstance(base, NamedType) for base in bases):
            return super().__new__(cls, name, bases, body)
        bases = tuple(base.__mro__[1] if isinstance(base, NamedType) else base for base in bases)
        return new_class(name, bases, options, lambda namespace: namespace.update(body))


class _FloatType(NamedType):
    """Makes the stand-in for the name `float` answer as float does."""

    def __call__(cls, *args: Any) -> Any:
        if len(args) == 1 and is_active(args[0]):
            return as_python(args[0])
        if len(args) == 1 and type(args[0]).__name__ in ("Array", "Buffer") and args[0].size == 1:
            return as_python(args[0].item()) if not args[0].ndim else float(args[0])
        if len(args) == 1 and isinstance(args[0], (str, bytes, Decimal, Fraction)):
            read_back(args[0])
        return float(*args)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, float)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, float)

    def __eq__(cls, other: object) -> bool:
        return other is float or other is cls

    def __hash__(cls) -> int:
        return hash(float)

    def __repr__(cls) -> str:
        return repr(float)


class Float(float, metaclass=_FloatType):
    """The name `float` while a cell runs: float(x) of an active number is that number; all else as float."""

    __slots__ = ()

    @classmethod
    def fromhex(cls, text: str, /) -> Any:
        """float.fromhex."""
        number = float.fromhex(text)
        read_back(number)
        return number


Float.__name__ = Float.__qualname__ = "float"


class _ComplexType(NamedType):
    def __call__(cls, *args: Any, **options: Any) -> Any:
        parts = [*args, *options.values()]
        if len(args) == 1 and isinstance(args[0], str):
            read_back(args[0])
        if not any(is_active(x) or type(x) is Complex for x in parts):
            return complex(*args, **options)
        real = _of_python(args[0] if args else options.get("real", 0.0))
        imag = _of_python(args[1] if len(args) > 1 else options.get("imag", 0.0))
        return real + imag * 1j

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, complex)


def _of_python(x: Any) -> Any:
    """A number, active or complex, as a complex number of Python."""
    if isinstance(x, complex):
        return Complex(as_python(x.real), as_python(x.imag))
    return Complex(as_python(x), 0.0)


class ComplexName(complex, metaclass=_ComplexType):
    """The name `complex` while a cell runs."""

    __slots__ = ()


ComplexName.__name__ = ComplexName.__qualname__ = "complex"


def _type_name(float_name: type) -> Callable[..., Any]:
    def function(*args: Any, **options: Any) -> Any:
        if len(args) == 3:  # a class of the program's own
            args = (*args[:2], {"__module__": sys._getframe(1).f_globals.get("__name__"), **args[2]})
        kind = builtins.type(*args, **options)
        if len(args) == 1 and (is_active(args[0]) or kind is float):
            return float_name if args[0].__class__ is float else _as_named(args[0].__class__)
        if kind.__name__ in ("Array", "Buffer") and len(args) == 1 and kind.__module__.startswith("ad_magic."):
            return args[0].__class__ if kind.__name__ == "Array" else kind.__mro__[1]
        return args[0].__class__ if kind is Complex and len(args) == 1 else _as_named(kind)

    function.__name__ = function.__qualname__ = "type"
    return function


def _as_named(kind: Any) -> Any:
    """A type of NumPy's numbers as the program finds it under its name: there may be a stand-in."""
    if kind.__module__ != "numpy" or kind.__name__ not in NUMPYS_TYPES:
        return kind
    named = vars(sys.modules["numpy"]).get(kind.__name__)
    return named if named == kind else kind


# Names of types, and eval. They are replaced only where they are called: elsewhere they are asked what they are.
TYPES: dict[str, Any] = {"float": Float, "complex": ComplexName, "eval": evaluate}
TYPE_OF: dict[bool, Any] = {
    True: _type_name(Float),
    False: _type_name(float),
}  # type(x), where `float` is replaced or not

BUILTINS: dict[str, Any] = {
    "max": _best(builtins.max, "max"),
    "min": _best(builtins.min, "min"),
    "sum": _sum,
}
_sum.__name__ = _sum.__qualname__ = "sum"


# ---- statistics: written out in operations -------------------------------------------------------


def _mean(data: list[Any]) -> Any:
    return _div(mixed("fsum", *data), float(len(data)))


def _squares(data: list[Any], center: Any) -> Any:
    differences = [_sub(x, center) for x in data]
    return mixed("fsum", *[_mul(d, d) for d in differences])


def _variance(data: list[Any], xbar: Any = None) -> Any:
    return _div(_squares(data, _mean(data) if xbar is None else xbar), float(len(data) - 1))


def _pvariance(data: list[Any], mu: Any = None) -> Any:
    return _div(_squares(data, _mean(data) if mu is None else mu), float(len(data)))


def _median(data: list[Any]) -> Any:
    data, half = sorted(data), len(data) // 2
    return data[half] if len(data) % 2 else _div(_add(data[half - 1], data[half]), 2.0)


def _geometric_mean(data: list[Any]) -> Any:
    return MATH["exp"](_mean([MATH["log"](x) for x in data]))


def _harmonic_mean(data: list[Any], weights: Any = None) -> Any:
    if weights is None:
        weights = [1.0] * len(data)
    for w, x in zip(weights, data, strict=True):
        if not x:  # the mean is 0 then, and near it the mean is that of x alone
            return _mul(x, _div(mixed("fsum", *weights), w))
    return _div(mixed("fsum", *weights), mixed("fsum", *[_div(w, x) for w, x in zip(weights, data, strict=True)]))


def _fmean(data: list[Any], weights: Any = None) -> Any:
    if weights is None:
        return _mean(data)
    weighted = mixed("fsum", *[_mul(w, x) for w, x in zip(weights, data, strict=True)])
    return _div(weighted, mixed("fsum", *weights))


_STATISTICS: dict[str, tuple[Callable[..., Any], int]] = {  # with the smallest number of data points
    "mean": (_mean, 1),
    "fmean": (_fmean, 1),
    "median": (_median, 1),
    "median_low": (lambda data: sorted(data)[(len(data) - 1) // 2], 1),
    "median_high": (lambda data: sorted(data)[len(data) // 2], 1),
    "geometric_mean": (_geometric_mean, 1),
    "harmonic_mean": (_harmonic_mean, 1),
    "variance": (_variance, 2),
    "pvariance": (_pvariance, 1),
    "stdev": (lambda data, xbar=None: MATH["sqrt"](_variance(data, xbar)), 2),
    "pstdev": (lambda data, mu=None: MATH["sqrt"](_pvariance(data, mu)), 1),
}


def _plain(x: Any) -> Any:
    return [primal(y) for y in x] if isinstance(x, (list, tuple)) else primal(x)


def _statistic(name: str) -> Callable[..., Any]:
    plain, (written, least) = getattr(statistics, name), _STATISTICS[name]

    @functools.wraps(plain)
    def function(data: Iterable[Any], *args: Any, **options: Any) -> Any:
        items = list(data)
        extra = [x for x in (*args, *options.values()) if x is not None]
        flat = [y for x in extra for y in (x if isinstance(x, (list, tuple)) else [x])]
        if not _any_active([*items, *flat]) or len(items) < least:
            return plain(list(map(primal, items)), *args, **options)
        plain(*[_plain(x) for x in (items, *args)], **{name: _plain(x) for name, x in options.items()})  # its errors
        return written(items, *args, **options)

    del function.__wrapped__
    return function


# ---- functools.lru_cache -------------------------------------------------------------------------


def _by_identity(x: Any) -> Any:
    """A key for x in which an active number is itself, and no other of the same value."""
    if is_active(x) or type(x) is Complex:
        return type(x), id(x)
    if type(x) in (tuple, frozenset):
        return type(x)(map(_by_identity, x))
    return x


class Memo:
    """lru_cache while a cell runs: an active number is remembered by what it is, not by its value.

    A plain cache would take a result of an earlier plain call at the same value, or of another variable with the same
    value, and the derivative would be lost or wrong.
    """

    def __init__(self, original: Any) -> None:
        self.original = original
        functools.update_wrapper(self, original.__wrapped__)
        self.cache: dict[Any, tuple[Any, Any]] = {}
        self.hits = 0

    def __call__(self, *args: Any, **options: Any) -> Any:
        key = (_by_identity(args), tuple((name, _by_identity(x)) for name, x in options.items()))
        found = self.cache.get(key)
        if found is None:
            # The arguments are kept with the result: while they live, no other object can have their id.
            self.cache[key] = found = (self.original.__wrapped__(*args, **options), (args, options))
        else:
            self.hits += 1
        return found[0]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def cache_clear(self) -> None:
        self.cache.clear()

    def cache_info(self) -> Any:
        size = len(self.cache)
        return type(self.original.cache_info())(self.hits, size, self.original.cache_parameters()["maxsize"], size)

    def cache_parameters(self) -> Any:
        return self.original.cache_parameters()


_real_lru_cache = functools.lru_cache


def _lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    made = _real_lru_cache(maxsize, typed)
    if callable(maxsize):  # @lru_cache without brackets
        return _memo(made)
    return lambda function: _memo(made(function))


def _memo(cached: Any) -> Any:
    """A Memo for a function of the user; a library that is imported by the cell keeps its own cache."""
    return Memo(cached) if is_users_cache(cached) else cached


def is_users_cache(cache: Any) -> bool:
    """Whether it is the cache of a function of the user's own."""
    names = getattr(cache.__wrapped__, "__globals__", None)
    return is_users(getattr(cache, "__module__", None)) if names is None else is_users_code(names)


def _bound_early(module: ModuleType) -> dict[str, Any]:
    """The functions of math that a module of the library has bound under names of its own."""
    stand_ins = {id(getattr(math, name)): stand_in for name, stand_in in MATH.items()}
    return {name: stand_ins[id(value)] for name, value in vars(module).items() if id(value) in stand_ins}


def _like(original: Callable[..., Any]) -> Callable[..., Any]:
    function = functools.wraps(original)(reading(original))
    del function.__wrapped__
    return function


MODULES: dict[str, dict[str, Any]] = {
    "math": MATH,
    "cmath": CMATH,
    "random": _bound_early(random),
    "statistics": {**_bound_early(statistics), **{name: _statistic(name) for name in _STATISTICS}},
    "ast": {"literal_eval": _like(ast.literal_eval)},
    "json": {"loads": _like(json.loads)},
    "functools": {"lru_cache": _lru_cache, "cache": lambda function: _memo(_real_lru_cache(None)(function))},
}
