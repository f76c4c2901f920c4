"""Decisions as conditions: a recorded program is right while each of them comes out as it did."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from ad_magic.engine.decisions import best_of
from ad_magic.engine.operation import COMPARISONS, Operation
from ad_magic.rules.arrays.frozen import np

from .expressions import name, parse, put, thunk, value_of
from .symbols import Symbol, Writer, tree

# How the outcome is written where it is not a function of Python or of math with the decision's name.
_TEXTS = {
    "frexp": "frexp(a)[1]",
    "isclose": "isclose(a, b, rel_tol=c, abs_tol=d)",
    "is_integer": "float.is_integer(a)",
    "percent": "a",
    "hex": "float.hex(a)",
    "text": "a",
    "primal": "a",
}


def guard_of(writer: Writer, op: Operation, arguments: Sequence[Any], outcome: Any) -> None:
    """Write the condition that a decision comes out as it was recorded; where that has no text, a note of it."""
    if op.array:
        _of_arrays(writer, op, arguments, outcome)
        return
    trees = [tree(x, writer) for x in arguments]
    if op.attempted is not None:
        writer.helpers["error_of"] = error_of
        tried = ast.Call(name("error_of"), [thunk(value_of(op.attempted, trees))], [])
        writer.block.guard(_equals(tried, ast.Constant(outcome)), writer.row)
    elif op.name in COMPARISONS:
        condition = parse(f"a {COMPARISONS[op.name]} b")
        assert isinstance(condition, ast.Compare)
        condition = ast.Compare(trees[0], condition.ops, [trees[1]])
        writer.block.guard(condition if outcome else ast.UnaryOp(ast.Not(), condition), writer.row)
    elif op.name in ("max", "min"):
        writer.helpers["best_of"] = best_of
        call = ast.Call(name("best_of"), [name(op.name), ast.List(trees, ast.Load())], [])
        writer.block.guard(_equals(call, tree(tuple(outcome), writer)), writer.row)
    elif op.name == "bool":
        writer.block.guard(trees[0] if outcome else ast.UnaryOp(ast.Not(), trees[0]), writer.row)
    else:
        text = _TEXTS.get(op.name) or f"{op.name}({', '.join('abcd'[: len(trees)])})"
        looked = put(parse(text), dict(zip("abcd", trees, strict=False)))
        result: Any = ast.Constant(outcome) if isinstance(outcome, (str, bool)) else tree(outcome, writer)
        writer.block.guard(_equals(looked, result), writer.row)


def _of_arrays(writer: Writer, op: Any, arguments: Sequence[Any], outcome: Any) -> None:
    from ad_magic.engine.arrays.moves import filled

    if op.name in ("int", "bool") and isinstance(outcome, np.ndarray):  # astype, or a write into such an array
        plain = ast.Call(parse("np.asarray"), [tree(arguments[0], writer)], [])
        cut = ast.Call(ast.Attribute(plain, "astype", ast.Load()), [ast.Constant(outcome.dtype.name)], [])
        _equal_arrays(writer, cut, outcome)
        return
    args, kwargs = filled(op.template, arguments)
    try:
        looked = op.function(*args, **kwargs)
    except Exception:  # it does with plain arrays what cannot be written down
        writer.block.note(writer.row)
        return
    parts = list(zip(looked, outcome, strict=True)) if isinstance(looked, (tuple, list)) else [(looked, outcome)]
    for part, expected in parts:
        if isinstance(part, Symbol):
            if np.array_equal(part.value, expected, equal_nan=_is_float(expected)):
                _equal_arrays(writer, part.expression, expected)
            else:
                writer.block.note(writer.row)


def _equal_arrays(writer: Writer, looked: ast.expr, outcome: Any) -> None:
    options = [ast.keyword("equal_nan", ast.Constant(True))] if _is_float(outcome) and np.isnan(outcome).any() else []
    writer.block.guard(ast.Call(parse("np.array_equal"), [looked, tree(outcome, writer)], options), writer.row)


def _is_float(x: Any) -> bool:
    return np.asarray(x).dtype.kind == "f"


def _equals(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.Compare(left, [ast.Eq()], [right])


def error_of(compute):  # it becomes part of the program
    """The name of the error that a computation raises; empty where it raises none."""
    try:
        compute()
    except (ArithmeticError, ValueError) as error:
        return type(error).__name__
    return ""
