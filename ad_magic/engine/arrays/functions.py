"""What functions of NumPy do with active arrays: reductions, products, choices; and how a handler is made from a
function pair, a move, a composition or a look. `FUNCTIONS` maps NumPy's own functions to ours; `tables` fills it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from ad_magic.engine.active import LostDerivative, as_numpys, place_in_words
from ad_magic.engine.frames import user_frame
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .adjoints import shape_of
from .array import NUMBERS, Array, operand
from .looks import looked
from .moves import move, shares, standing
from .perform import pair
from .primitives import PAIRS
from .quick import whole

# ---- methods of ufuncs ---------------------------------------------------------------------------

NONE = np._NoValue

# ---- reductions ----------------------------------------------------------------------------------


def reduction(
    name: str, a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = NONE, initial: Any = NONE,
    where: Any = NONE,
) -> Any:  # fmt: skip
    """np.sum, np.mean, np.prod, np.max or np.min, by name, of an active array."""
    if type(a) is Array and axis is None and where is NONE and initial is NONE and keepdims is not True:
        z = whole(PAIRS[name], a)
        if z is not None:
            return z
    a = operand(a)
    if where is not NONE and where is not True:
        if name == "mean":
            where = np.broadcast_to(where, shape_of(a))
            count = np.sum(where, axis=axis, keepdims=keepdims is True)
            return np.sum(np.where(where, a, 0.0), axis=axis, keepdims=keepdims is True) / count
        start = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}[name]
        a = np.where(where, a, start)
    if not shape_of(a):
        return a[()] if type(a) is Array else as_numpys(a)
    options: dict[str, Any] = {"axis": axis, "keepdims": keepdims is True}
    if axis is None and not options["keepdims"]:
        options = {}
    elif not options["keepdims"]:
        options.pop("keepdims")
    result = pair(PAIRS[name], (a,), options)
    if initial is NONE or initial is None:
        return result
    combine = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}[name]
    return combine(result, initial)


def _cumulative(name: str, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    if not shape_of(operand(a)):
        a = np.reshape(operand(a), (1,))
    return pair(PAIRS[name], (a,), {"axis": axis})


# ---- products ------------------------------------------------------------------------------------


def _factors(name: str, *given: Any) -> Any:
    """What is multiplied, as operands. Raises TypeError."""
    factors = list(map(operand, given))
    for x, one in zip(given, factors, strict=True):
        if one is NotImplemented:
            raise TypeError(f"np.{name} takes numbers and arrays of them, and no {type(x).__name__}")
    return factors


def _dot(a: Any, b: Any) -> Any:
    a, b = _factors("dot", a, b)
    m, n = len(shape_of(a)), len(shape_of(b))
    if not m or not n:
        return np.multiply(a, b)
    if m <= 2 and n <= 2:
        return pair(PAIRS["dot"], (a, b), {})
    return pair(PAIRS["tensordot"], (a, b), {"axes": (-1, -1 if n == 1 else -2)})


def _inner(a: Any, b: Any) -> Any:
    a, b = _factors("inner", a, b)
    if not shape_of(a) or not shape_of(b):
        return np.multiply(a, b)
    return np.dot(a, b) if len(shape_of(b)) == 1 else np.tensordot(a, b, (-1, -1))


def _outer_product(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def _einsum(*given: Any, optimize: Any = False, **options: Any) -> Any:
    if not isinstance(given[0], str):
        letters = "abcdefghijklmnopqrstuvwxyz"
        pairs_, output = (given[:-1], given[-1]) if len(given) % 2 else (given, None)

        def term(indices: Any) -> str:
            return "".join("..." if i is ... else letters[i] for i in indices)

        subscripts = ",".join(map(term, pairs_[1::2])) + ("" if output is None else f"->{term(output)}")
        given = (subscripts, *pairs_[::2])
    subscripts = given[0].replace(" ", "")
    result = pair(PAIRS["einsum"], given[1:], {"subscripts": subscripts})
    x = operand(given[1])
    if len(given) == 2 and type(x) is Array and type(result) is Array:  # a diagonal, a transpose: a view
        place = np.einsum(subscripts, x.place)
        return standing(result, place, x) if shares(place, x.place) else result
    return result


# ---- choosing ------------------------------------------------------------------------------------


def _where(condition: Any, *branches: Any) -> Any:
    if not branches:
        return np.nonzero(condition)
    condition = _truth(condition)
    return boxed(pair(PAIRS["where"], branches, {"condition": condition}))


def _truth(x: Any) -> Any:
    """A condition as plain truth values."""
    x = operand(x)
    return looked("bool", lambda v: np.asarray(v) != 0, (x,), {}) if type(x) is Array or type(x) in NUMBERS else x


def _sorted(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, stable: Any = None) -> Any:
    a = operand(a)
    if axis is None:
        a, axis = np.reshape(a, -1), -1
    places = looked("argsort", np.argsort, (a,), {"axis": axis, "kind": "stable"})
    along = {} if axis in (-1, a.ndim - 1) else {"axis": axis}
    return move(lambda v, axis=axis: np.take_along_axis(v, places, axis), (a,), along, "sort")


# ---- the list ------------------------------------------------------------------------------------


def refuse(name: str, why: str) -> Callable[..., Any]:
    """A function that has no derivative: says so where it is called with something active."""

    def handler(*args: Any, **kwargs: Any) -> Any:
        raise LostDerivative(f"{place_in_words(user_frame())}: {name} {why}")

    return handler


def bound(rule: ArrayRule) -> Callable[..., Any]:
    """The handler of a rule: its arguments sorted into operands and options by the names of NumPy's signature."""
    names = (*rule.operands, *rule.options)
    count = len(rule.operands)

    def handler(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        operands = [given.pop(name) for name in rule.operands if name in given]
        if rule.several and count == 1:
            operands = list(operands[0])
        return pair(rule, operands, {name: x for name, x in given.items() if x is not NONE})

    return handler


def _looking(name: str) -> Callable[..., Any]:
    function = operator.attrgetter(name)(np)
    return lambda *args, **kwargs: looked(name, function, args, kwargs)


def _information(name: str) -> Callable[..., Any]:
    """A function that asks for shapes and types only."""
    function = operator.attrgetter(name)(np)

    def handler(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_shaped, args), **{key: _shaped(x) for key, x in kwargs.items()})

    return handler


def _shaped(x: Any) -> Any:
    """A plain stand-in of the same shape and type."""
    given, x = x, operand(x) if not isinstance(x, (str, type, np.dtype)) else NotImplemented
    if x is NotImplemented:
        return given
    if type(x) is Array:
        return x.place
    if type(x) in NUMBERS:
        return np.float64(0.0)
    return x


def _moving(name: str) -> Callable[..., Any]:
    function = operator.attrgetter(name)(np)
    return lambda *args, **kwargs: move(function, args, kwargs, name.rpartition(".")[2])


def _composing(name: str, body: Callable[..., Any]) -> Callable[..., Any]:
    from .compose import compose

    def handler(*args: Any, **kwargs: Any) -> Any:
        result = compose(name.removeprefix("np."), body, args, kwargs)
        return boxed(result) if name in _ALWAYS_ARRAYS else result

    return handler


def boxed(x: Any) -> Any:
    """A number as an array without axes, as some functions of NumPy always give it."""
    from .constructors import whole

    return whole(x) if type(x) in NUMBERS else x


_ALWAYS_ARRAYS = frozenset(("np.select", "np.piecewise", "np.i0", "np.real_if_close"))  # also of numbers


LOOKING = (
    "argmax", "argmin", "argsort", "argpartition", "argwhere", "nonzero", "flatnonzero", "searchsorted", "digitize",
    "count_nonzero", "any", "all", "isclose", "allclose", "array_equal", "array_equiv", "lexsort", "nanargmax",
    "nanargmin", "isposinf", "isneginf", "isin", "array_repr", "array_str", "array2string", "isreal", "iscomplex",
    "linalg.matrix_rank", "savetxt", "savez_compressed", "save", "savez",
)  # fmt: skip
INFORMATION = (
    "shape", "ndim", "size", "iscomplexobj", "isrealobj", "result_type", "can_cast", "min_scalar_type", "common_type",
    "may_share_memory", "shares_memory", "zeros_like", "ones_like", "empty_like", "isfortran", "einsum_path",
    "broadcast_shapes", "diag_indices_from", "tril_indices_from", "triu_indices_from", "iterable", "isscalar",
)  # fmt: skip
"""Filled by `tables`: NumPy's function -> what it does with active arguments."""
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
