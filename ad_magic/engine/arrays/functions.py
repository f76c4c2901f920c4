"""What each function of NumPy does with active arrays: by a row of the table, by a function pair, as a move of
entries, by composition, or as a look at plain values. `UFUNCS` and `FUNCTIONS` map NumPy's own functions to ours.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from ad_magic.engine.active import LostDerivative, as_numpys, place_in_words
from ad_magic.engine.operation import Operation
from ad_magic.engine.tape import user_frame
from ad_magic.rules.arrays import moves as _moves
from ad_magic.rules.arrays import products as _products
from ad_magic.rules.arrays import sums as _sums
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .array import NUMBERS, Array, operand, refresh, row, split
from .moves import call_of, filled, move, shares, standing
from .operation import shape_of
from .perform import by_entry, pair
from .quick import Entry, whole

PAIRS: dict[str, ArrayRule] = {rule.name: rule for rule in (*_sums.RULES, *_products.RULES, *_moves.RULES)}

# ---- looks at plain values -----------------------------------------------------------------------


class Look(Operation):
    """A row that records what a function of NumPy made of plain values: a comparison, an order, a text."""

    __slots__ = ("function", "template")
    array = True

    def __init__(self, name: str, count: int, function: Callable[..., Any], template: Any) -> None:
        super().__init__(name, None, (True,) * count, text=f"{name}({', '.join(['{}'] * count)})")
        self.function, self.template = function, template

    def operands(self, left: Any, right: Any) -> tuple[Any, ...]:
        return left

    def outcome(self, arguments: Any) -> Any:
        """What it gives at other values."""
        args, kwargs = filled(self.template, arguments)
        return self.function(*args, **kwargs)


def looked(name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What a function gives for the plain values of its arguments; a decision of the run."""
    tape, operands, template = call_of(args, kwargs)
    if tape is None:
        return function(*args, **kwargs)
    values, columns, _ = split(operands, tape)
    inner_args, inner_kwargs = filled(template, values)
    nested = any(type(v) is Array or type(v) in NUMBERS for v in values)
    outcome = looked(name, function, inner_args, inner_kwargs) if nested else function(*inner_args, **inner_kwargs)
    op = Look(name, len(operands), function, template)
    kept = outcome.copy() if isinstance(outcome, np.ndarray) else outcome
    row(tape, op, tuple(columns), None, kept)
    return outcome


# ---- entry by entry ------------------------------------------------------------------------------

# ufunc of NumPy -> row of the table
_ROWS = {
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
    """The ufunc of NumPy for a row of the table."""
    for name, found in _ROWS.items():
        if found == rule:
            return getattr(np, name)
    from .special import SPECIAL

    return next(function for function, row in SPECIAL.items() if row == rule)


def name_of_row(rule: str) -> str:
    """How NumPy calls a row of the table: "np.arcsin"."""
    names = [name for name, row in _ROWS.items() if row == rule]
    return f"np.{names[0]}" if names else f"special.{rule}"


def _entry(name: str, row: str) -> Callable[..., Any]:
    ufunc = getattr(np, name)

    def handler(*inputs: Any, **options: Any) -> Any:
        return by_entry(row, ufunc, *inputs, **options)

    return handler


# NumPy's ufunc -> its row, for the short way
ENTRIES: dict[Any, Entry] = {
    getattr(np, name): Entry(row, getattr(np, name), getattr(np, name).nin)
    for name, row in _ROWS.items()
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
    """z / |z| of a complex number, as in NumPy 2."""
    if not np.iscomplexobj(x):
        return by_entry("sign", np.sign, x)
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
    **{getattr(np, name): _entry(name, row) for name, row in _ROWS.items()},
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


# ---- methods of ufuncs ---------------------------------------------------------------------------

_NONE = np._NoValue


def _given(**options: Any) -> dict[str, Any]:
    return {name: x for name, x in options.items() if x is not _NONE and x is not None}


def _reduce(
    ufunc: Any, a: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False, initial: Any = _NONE,
    where: Any = True,
) -> Any:  # fmt: skip
    options: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    named = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}.get(ufunc)
    if named is not None:
        return _reduction(named, a, initial=initial, where=where, **options)
    if ufunc in (np.logical_and, np.logical_or):
        return looked(ufunc.__name__, ufunc.reduce, (a,), options)
    a = operand(a)
    if axis is None or isinstance(axis, tuple):
        a, axis = np.reshape(a, -1), 0
    items = np.moveaxis(a, axis, 0)
    total = items[0]
    for k in range(1, len(items)):
        total = ufunc(total, items[k])
    return np.expand_dims(total, axis) if keepdims else total


def _accumulate(ufunc: Any, a: Any, axis: int = 0, dtype: Any = None) -> Any:
    if ufunc is np.add:
        return pair(PAIRS["cumsum"], (a,), {"axis": axis})
    if ufunc is np.multiply:
        return pair(PAIRS["cumprod"], (a,), {"axis": axis})
    from .compose import compose

    return compose(f"{ufunc.__name__}.accumulate", partial(_step_by_step, ufunc), (a,), {"axis": axis})


def _step_by_step(ufunc: Any, a: Any, axis: int = 0) -> Any:
    items = np.moveaxis(a, axis, 0)
    steps = [items[0]]
    for k in range(1, len(items)):
        steps.append(ufunc(steps[-1], items[k]))
    return np.stack(steps, axis)


def _outer(ufunc: Any, a: Any, b: Any, **options: Any) -> Any:
    a, b = operand(a), operand(b)
    lined = np.reshape(a, (*shape_of(a), *(1,) * len(shape_of(b)))) if shape_of(a) else a
    return ufunc(lined, b, **options)


def _reduceat(ufunc: Any, a: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    a = np.moveaxis(operand(a), axis, 0)
    ends = [*indices[1:], len(a)]
    parts = [_reduce(ufunc, a[i:j], 0) if i < j else a[i] for i, j in zip(list(indices), ends, strict=True)]
    return np.moveaxis(np.stack(parts), 0, axis)


def _at(ufunc: Any, a: Any, indices: Any, *operands: Any) -> None:
    """ufunc.at: an index that comes twice is treated twice."""
    from .buffers import assigned

    places = np.arange(int(np.prod(shape_of(a)))).reshape(shape_of(a))[indices]
    if operands:
        values = np.broadcast_to(operand(operands[0]), places.shape)
    flat = np.reshape(operand(a), -1)
    for k, place in np.ndenumerate(places):
        new = ufunc(flat[place], values[k]) if operands else ufunc(flat[place])
        flat = np.concatenate([flat[:place], [new], flat[place + 1 :]])
    assigned(a, ..., np.reshape(flat, shape_of(a)))


UFUNC_METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce, "accumulate": _accumulate, "outer": _outer, "reduceat": _reduceat, "at": _at,
}  # fmt: skip

# ---- reductions ----------------------------------------------------------------------------------


def _reduction(
    name: str, a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = _NONE, initial: Any = _NONE,
    where: Any = _NONE,
) -> Any:  # fmt: skip
    if type(a) is Array and axis is None and where is _NONE and initial is _NONE and keepdims is not True:
        z = whole(PAIRS[name], a)
        if z is not None:
            return z
    a = operand(a)
    if where is not _NONE and where is not True:
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
    if initial is _NONE or initial is None:
        return result
    combine = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}[name]
    return combine(result, initial)


def _cumulative(name: str, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    if not shape_of(operand(a)):
        a = np.reshape(operand(a), (1,))
    return pair(PAIRS[name], (a,), {"axis": axis})


# ---- products ------------------------------------------------------------------------------------


def _dot(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    m, n = len(shape_of(a)), len(shape_of(b))
    if not m or not n:
        return np.multiply(a, b)
    if m <= 2 and n <= 2:
        return pair(PAIRS["dot"], (a, b), {})
    return pair(PAIRS["tensordot"], (a, b), {"axes": (-1, -1 if n == 1 else -2)})


def _inner(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
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


# ---- writing -------------------------------------------------------------------------------------


def _write(target: Any, key: Any, value: Any) -> None:
    from .buffers import assigned

    assigned(target, key, value)


def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    _write(dst, ..., src if where is True else np.where(where, src, operand(dst)))


def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    size = int(np.prod(shape_of(a)))
    indices = np.asarray(ind)
    indices = indices % size if mode == "wrap" else np.clip(indices, 0, size - 1) if mode == "clip" else indices
    values = np.resize(operand(v), indices.shape) if shape_of(operand(v)) else operand(v)
    _write(a, np.unravel_index(np.where(indices < 0, indices + size, indices), shape_of(a)), values)


def _putmask(a: Any, mask: Any, values: Any) -> None:
    mask = np.asarray(mask)
    values = operand(values)
    spread = np.resize(values, mask.shape)[mask] if shape_of(values) else values
    _write(a, mask, spread)


def _place(arr: Any, mask: Any, vals: Any) -> None:
    mask = np.asarray(mask, dtype=bool)
    vals = operand(vals)
    _write(arr, mask, np.resize(vals, int(mask.sum())) if shape_of(vals) else vals)


def _put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    if axis is None:
        _write(arr, np.unravel_index(indices, shape_of(arr)), values)
        return
    grid = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    grid[axis] = indices
    _write(arr, tuple(grid), values)


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    numbers = np.zeros(shape_of(a), bool)
    np.fill_diagonal(numbers, True, wrap)
    val = operand(val)
    _write(a, numbers, np.resize(val, int(numbers.sum())) if shape_of(val) else val)


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
        return pair(rule, operands, {name: x for name, x in given.items() if x is not _NONE})

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
