"""The first row that is NaN or infinite, forward and backward, and why: which operation made it of finite numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ad_magic.engine.tape import Columns

from .kinks import said
from .row import Row

OVERFLOW = "the result is beyond the largest float, 1.8e308"
_MOVES = frozenset(("item", "reshape", "transpose", "concatenate", "stack", "array", "where", "entries"))
_GROWS = frozenset((
    "add", "sub", "mul", "square", "pow", "fpow", "exp", "exp2", "expm1", "sinh", "cosh", "ldexp", "fma", "hypot",
    "norm", "sum", "fsum", "prod", "matmul", "dot", "cumsum", "cumprod", "div",
))  # fmt: skip
_LOGARITHMS = {"log": 0.0, "log2": 0.0, "log10": 0.0, "log_base": 0.0, "log1p": -1.0}
_DOMAINS = {
    "sqrt": "the root of a negative number is not real",
    "asin": "it is defined from -1 to 1",
    "acos": "it is defined from -1 to 1",
    "atanh": "it is defined from -1 to 1",
    "acosh": "it is defined from 1 on",
    "mod": "the remainder of a division by 0 has no value",
    "fmod": "the remainder of a division by 0 has no value",
    "remainder": "the remainder of a division by 0 has no value",
    "floordiv": "a division by 0",
}


class Bad(NamedTuple):
    """A row that is the first one: its index in the rows, where the cause stands, and what is said of it."""

    row: int
    cause: int
    message: str


def singular(tape: Columns, rows: Sequence[Row], tape_rows: Sequence[int]) -> Iterator[Bad]:
    """The first rows that are infinite or NaN: values and tangents in the order of the program, adjoints backwards.

    A NaN that comes of an infinite number further on is told too.
    """
    yield from _values(tape, rows, tape_rows)
    left = _computed_with_left(tape, tape_rows[-1] + 1 if tape_rows else 0)
    rows_of_tangents = [row for row, index in zip(rows, tape_rows, strict=True) if not left[index]]
    told = {row.index: _told(tape.ops[index]) for row, index in zip(rows, tape_rows, strict=True) if row.how[0]}
    for seed in dict.fromkeys(seed for row in rows for seed in row.tangents):
        found = list(_tangents(rows, rows_of_tangents, seed, told))
        yield from found
        if found:
            break  # of several seeds the first
    yield from _adjoints(rows, told)


def _computed_with_left(tape: Columns, length: int) -> bytearray:
    """For each of the first rows 1 where it is computed with a number that a function has left: no output is."""
    found = bytearray(length)
    if any(op.hidden for op in tape.ops[:length]):
        for index, op in enumerate(tape.ops[:length]):
            found[index] = op.hidden or any(found[parent] for parent in tape.parents(index))
    return found


def _told(op: Any) -> str:
    """What a solver itself says of a derivative that is not finite."""
    return str(getattr(op, "why_singular", ""))


# ---- numbers and arrays ----------------------------------------------------------------------------


def _finite(x: Any) -> bool:
    if not hasattr(x, "shape"):
        return math.isfinite(abs(x))
    import numpy as np

    return bool(np.isfinite(x).all())


def _has_nan(x: Any) -> bool:
    if not hasattr(x, "shape"):
        return x != x
    import numpy as np

    return bool(np.isnan(x).any())


def _kind(x: Any) -> str:
    return "NaN" if _has_nan(x) else "infinite"


def _firsts(rows: Sequence[Row], number: Callable[[Row], Any]) -> list[Row]:
    """The first row whose number is not finite, and the first one after it that is NaN where that one is infinite."""
    bad = next((row for row in rows if not _finite(number(row))), None)
    if bad is None:
        return []
    if _has_nan(number(bad)):
        return [bad]
    nan = next((row for row in rows if _has_nan(number(row))), None)
    return [bad] if nan is None else [bad, nan]


def _entry(x: Any, position: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """What stands at an entry of an array of this shape; a number stands at each."""
    if not shape or not hasattr(x, "shape"):
        return x
    import numpy as np

    try:
        return np.broadcast_to(x, shape)[position].item()
    except ValueError:
        return None


def _where_bad(x: Any, nan: bool) -> tuple[int, ...]:
    """The position of the first entry that is not finite, or that is NaN."""
    if not getattr(x, "shape", ()):
        return ()
    import numpy as np

    return tuple(np.argwhere(np.isnan(x) if nan else ~np.isfinite(x))[0].tolist())


# ---- values ----------------------------------------------------------------------------------------


def _values(tape: Columns, rows: Sequence[Row], tape_rows: Sequence[int]) -> Iterator[Bad]:
    """A value that stood in the program as such, as an input or a constant, is nobody's fault."""
    infinite = False
    for row, index in zip(rows, tape_rows, strict=True):
        if row.op == "input" or _finite(row.value):
            continue
        arguments = _numbers(tape, index)
        nan = _has_nan(row.value)
        if (nan and any(map(_has_nan, arguments))) or (not nan and not all(map(_finite, arguments))):
            continue
        op = tape.ops[index]
        if op.memory or (op.array and op.name in _MOVES) or (infinite and not nan):
            continue
        reason = _why_value(tape, index, row)
        again = "" if not infinite else " NaN"
        yield Bad(
            row.index,
            row.index,
            f"the value of {row.name} = {row.expression} is {_kind(row.value)}; it is the first{again} one: {reason}",
        )
        if nan:
            return
        infinite = True


def _numbers(tape: Columns, index: int) -> list[Any]:
    """The operands of a row that are numbers or arrays of numbers."""
    kinds = ("f", "i", "u", "b", "c")
    return [
        x
        for x in tape.arguments(index)
        if isinstance(x, (float, int, complex)) or getattr(getattr(x, "dtype", None), "kind", "") in kinds
    ]


def _why_value(tape: Columns, index: int, row: Row) -> str:
    op, z = tape.ops[index], row.value
    position = _where_bad(z, _has_nan(z))
    shape = getattr(z, "shape", ())
    arguments = tape.arguments(index)
    if op.array and not _goes_by_entry(tape, index):
        return _in_general(op.name, z)
    at = [_entry(x, position, shape) for x in arguments]
    if not all(isinstance(x, (float, int)) for x in at):
        return _in_general(op.name, z)
    entry = f"in entry [{', '.join(map(str, position))}] " if position else ""
    return entry + why(op.name, [float(x) for x in at], _has_nan(z))


def _goes_by_entry(tape: Columns, index: int) -> bool:
    return len(tape.partials(index)) == len(tape.parents(index)) > 0


def _in_general(name: str, z: Any) -> str:
    if _has_nan(z):
        return f"{name} has no value for these operands"
    return OVERFLOW if name in _GROWS else f"{name} is infinite for these operands"


def why(name: str, at: Sequence[float], nan: bool) -> str:
    """Why a primitive is NaN, or else infinite, at these operands.

    >>> why("mul", [0.0, float("-inf")], True), why("log", [0.0], False)
    ('0 · -inf has no value', 'the logarithm of 0 is -inf')
    """
    a, b = at[0], at[1] if len(at) > 1 else 0.0
    shown = ", ".join(map(said, at[:3]))
    signs = {"mul": "·", "div": "/", "add": "+", "sub": "-"}
    if nan:
        if name in signs and len(at) == 2:
            second = f"({said(b)})" if b < 0 and name in ("add", "sub") else said(b)
            return f"{said(a)} {signs[name]} {second} has no value"
        if name in _LOGARITHMS and a < _LOGARITHMS[name]:
            return "the logarithm of a negative number is not real"
        if name in ("pow", "fpow") and a < 0:
            return "a negative number to a broken power is not real"
        if any(map(math.isinf, at)):
            return f"{name} has no value at {shown}"
        return _DOMAINS.get(name, f"{name} is not defined at {shown}")
    if (name == "div" and b == 0) or (name == "reciprocal" and a == 0) or (name in ("pow", "fpow") and a == 0 > b):
        return "a division by 0"
    if name in _LOGARITHMS and a == _LOGARITHMS[name]:
        return "the logarithm of 0 is -inf"
    return OVERFLOW if name in _GROWS else f"{name} is infinite at {shown}"


# ---- tangents ----------------------------------------------------------------------------------------


def _tangents(rows: Sequence[Row], listed: Sequence[Row], seed: str, told: Mapping[int, str]) -> Iterator[Bad]:
    def tangent(row: Row) -> Any:
        return row.tangents.get(seed, 0.0)

    for place, row in enumerate(_firsts(listed, tangent)):
        parts = [
            (row, partial, tangent(rows[parent])) for parent, partial in zip(row.parents, row.partials, strict=False)
        ]
        reason = told.get(row.index) or _why_sum(rows, tangent(row), parts, len(parts) == len(row.parents), told)
        along = f" along {seed}" if sum(1 for _ in row.tangents) > 1 else ""
        yield Bad(
            row.index,
            row.index,
            _first(f"the tangent of {row.name} = {row.expression}{along}", tangent(row), place, reason),
        )


def _first(what: str, x: Any, place: int, reason: str) -> str:
    again = " NaN" if place else ""
    return f"{what} is {_kind(x)}; it is the first{again} one: {reason}"


def _why_sum(rows: Sequence[Row], total: Any, parts: Sequence[tuple[Row, Any, Any]], known: bool,
             told: Mapping[int, str]) -> str:  # fmt: skip
    """Why a sum of products partial * derivative is not finite. A part is (operation, partial, derivative); a partial
    of None is a whole Jacobian, and `known` says that all parts are there; `told` is what a row says of itself."""
    met: list[tuple[float, str]] = []
    for row, partial, derivative in parts:
        if told.get(row.index) and not (partial is not None and _finite(partial)):
            return told[row.index]
        if partial is None:
            return _of_jacobian(row)
        shape = getattr(partial, "shape", ()) or getattr(derivative, "shape", ())
        for position in _positions(partial, derivative, shape):
            slope, moved = _entry(partial, position, shape), _entry(derivative, position, shape)
            if slope is None or moved is None or not moved or not slope or isinstance(slope * moved, complex):
                continue
            if not math.isfinite(slope * moved):
                met.append((slope * moved, _why_product(rows, row, position, shape, slope, moved)))
    nan = _has_nan(total)
    if nan and not any(x != x for x, _ in met) and len({x for x, _ in met}) > 1:
        return "inf - inf has no value, and infinite contributions of both signs meet"
    if met:
        return next((why for x, why in met if nan and x != x), met[0][1])
    if not known:
        if parts and told.get(parts[0][0].index):
            return told[parts[0][0].index]
        return _of_jacobian(parts[0][0]) if parts else "it comes from an operation that is not listed"
    return "a sum of contributions is beyond the largest float, 1.8e308"


def _why_product(
    rows: Sequence[Row], row: Row, position: tuple[int, ...], shape: tuple[int, ...], slope: float, moved: float
) -> str:
    if math.isfinite(slope):
        if math.isfinite(moved):
            return f"{said(moved)} · {said(slope)} is beyond the largest float, 1.8e308"
        return "it is passed on"
    at = _operands(rows, row, position, shape)
    if at is None:
        return f"an operand of {row.op} is not finite already"
    return f"the derivative of {row.op} at {at} is {'NaN' if slope != slope else 'infinite'}"


def _of_jacobian(row: Row) -> str:
    return f"the derivative of {row.op} is not finite here"


def _positions(partial: Any, derivative: Any, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The entries at which a product of two arrays is worth a look: where it is not finite."""
    if not shape:
        return [()]
    import numpy as np

    with np.errstate(all="ignore"):
        try:
            product = np.broadcast_to(
                partial * derivative, np.broadcast_shapes(np.shape(partial), np.shape(derivative))
            )
        except ValueError:
            return []
        if product.shape != shape:
            return []
        return list(map(tuple, np.argwhere(~np.isfinite(product))[:8].tolist()))


def _operands(rows: Sequence[Row], row: Row, position: tuple[int, ...], shape: tuple[int, ...]) -> str | None:
    """The operands of an entry in a sentence; None where one is NaN or infinite."""
    values = [_entry(rows[parent].value, position, shape) for parent in dict.fromkeys(row.parents)]
    if any(isinstance(x, (float, complex)) and not math.isfinite(abs(x)) for x in values):
        return None
    return ", ".join(said(x) for x in values if isinstance(x, (float, int, complex))) or "these operands"


# ---- adjoints ----------------------------------------------------------------------------------------


def _adjoints(rows: Sequence[Row], told: Mapping[int, str]) -> Iterator[Bad]:
    def adjoint(row: Row) -> Any:
        return 0.0 if row.adjoint is None else row.adjoint

    firsts = _firsts(rows[::-1], adjoint)
    if not firsts:
        return
    uses: dict[int, list[tuple[Row, Any]]] = {}
    for row in rows:
        known = len(row.partials) == len(row.parents)
        for place, parent in enumerate(row.parents):
            uses.setdefault(parent, []).append((row, row.partials[place] if known else None))
    for place, row in enumerate(firsts):
        moving = [(user, partial, adjoint(user)) for user, partial in uses.get(row.index, []) if _some(adjoint(user))]
        reason = _why_sum(rows, adjoint(row), moving, bool(moving), told)
        bad = (user for user, partial, moved in moving if not _finite(_product(partial, moved)))
        cause = next(bad, moving[0][0] if moving else row)
        what = f"backward, the adjoint of {row.name} = {row.expression}"
        yield Bad(row.index, cause.index, _first(what, adjoint(row), place, reason))


def _product(partial: Any, derivative: Any) -> Any:
    if partial is None:
        return math.inf
    import numpy as np

    with np.errstate(all="ignore"):
        try:
            product = np.multiply(partial, derivative)
        except ValueError:
            return math.inf
        return np.where(np.isnan(product) & ((np.equal(partial, 0)) | (np.equal(derivative, 0))), 0.0, product)


def _some(x: Any) -> bool:
    return bool(x.any()) if hasattr(x, "any") else x != 0
