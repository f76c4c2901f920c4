"""Derivatives that the user has written by hand."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Mapping
from typing import Any

from ad_magic.engine.words import kind_of
from ad_magic.rules.number import math, numpy_names


class FormulaError(ValueError):
    """A formula of the user's that does not work, in one sentence."""


MATH = {name: value for name, value in vars(math).items() if not name.startswith("_")}


def evaluate(target: str, formula: Any, inputs: Mapping[str, Any], namespace: Mapping[str, Any]) -> list[float]:
    """The numbers that a formula gives, in order, at the values of the inputs.

    A name in it is an input, else a name of the user's, else a function or constant of math (of NumPy by entry, where
    an input is an array), else a builtin. A number (or an array) may stand for the formula. Raises FormulaError, with
    one sentence that says what is wrong.

    >>> evaluate("x", "2*x*cos(k)", {"x": 3.0}, {"k": 0})
    [6.0]
    """
    if not isinstance(formula, str):
        return _numbers(target, formula)
    try:
        code = compile(ast.parse(formula.strip(), mode="eval"), "<formula>", "eval")
    except (SyntaxError, ValueError) as error:
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise FormulaError(f"the formula for {target} is not a Python expression ({what}): {formula.strip()}") from None
    names = {**vars(builtins), **MATH, **_by_entry(inputs), "math": math, **namespace, **inputs}
    try:
        value = eval(code, {**names, "__builtins__": builtins})
    except NameError as error:
        close = difflib.get_close_matches(error.name or "", names, 1, 0.6)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise FormulaError(f"the formula for {target} uses the unknown name {error.name!r}{hint}") from None
    except Exception as error:
        raise FormulaError(f"the formula for {target} raises {type(error).__name__}: {error}") from None
    return _numbers(target, value)


def _by_entry(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Functions for formulas of arrays, and NumPy itself."""
    if not any(hasattr(value, "shape") for value in inputs.values()):
        return {}
    import numpy as np

    return {**numpy_names(), "np": np, "numpy": np}


def _numbers(target: str, value: Any) -> list[float]:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in _numbers(target, part)]
    if isinstance(value, (float, int)):
        return [float(value)]
    raise FormulaError(f"the formula for {target} gives {kind_of(value)}, not a real number")
