"""What a student has typed, as a number: arithmetic, names, functions of the derivative table, and nothing else.

The text is parsed, never run: a walk over the syntax tree knows the few things that there are.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ad_magic.rules import RULES
from ad_magic.rules.number import PLAIN, numpy_names

LONGEST = 300  # characters of an answer
WORDS = {"ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan"}  # other words for functions
SIGNS = str.maketrans({"−": "-", "·": "*", "×": "*", "÷": "/", "^": "**", "²": "**2", "³": "**3"})
_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


class NoAnswer(ValueError):
    """A text that is no number and no expression; the message says what to write instead."""


def functions() -> frozenset[str]:
    """The functions that may be used: those of the derivative table.

    >>> {"sin", "exp", "log"} <= functions(), "factorial" in functions()
    (True, False)
    """
    return frozenset(name for name, rule in RULES.items() if callable(PLAIN.get(name)) and not rule.variadic)


def evaluate(text: str, names: Mapping[str, Any], unknown: Callable[[str], str] | None = None) -> Any:
    """The number, or the array, that a text stands for. `names` are the values of names.

    `unknown` says of a name that there is not what to tell the student. Raises NoAnswer.

    >>> evaluate("v5*cos(v4)", {"v5": 64.0, "v4": 0.0}), evaluate("2^3 − 1", {})
    (64.0, 7.0)
    """
    text = text.strip()
    if not text:
        raise NoAnswer("type a number or an expression")
    if len(text) > LONGEST:
        raise NoAnswer(f"an answer has at most {LONGEST} characters")
    try:
        with warnings.catch_warnings():  # of Python about the text, of NumPy about the numbers
            warnings.simplefilter("ignore")
            tree = ast.parse(text.translate(SIGNS), mode="eval").body
            value = _walk(tree, names, unknown or (lambda name: f"there is no {name}"))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, NoAnswer):
            raise
        raise NoAnswer(_mistake(text, error)) from None
    except ArithmeticError as error:
        raise NoAnswer(f"this cannot be computed: {error}") from None
    if isinstance(value, complex):
        raise NoAnswer("this is a complex number")
    return value


def _mistake(text: str, error: BaseException) -> str:
    if isinstance(error, ValueError) and not isinstance(error, SyntaxError):
        return f"this cannot be computed: {error}"
    if re.search(r"(?<![\w.])\d[\d.]*\s*[A-Za-z(]", text) or re.search(r"\)\s*[\w(]", text):
        return "write * between the factors of a product, as in 2*x"
    return "this is no number and no expression, as 64*3 or v5*cos(v4)"


def _walk(node: ast.expr, names: Mapping[str, Any], unknown: Callable[[str], str]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and node.value is not bool(node.value):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _walk(node.left, names, unknown), _walk(node.right, names, unknown)
        return _BINARY[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
        value = _walk(node.operand, names, unknown)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Name):
        if node.id in names:
            return names[node.id]
        if node.id in ("pi", "e"):
            return getattr(math, node.id)
        raise NoAnswer(unknown(node.id))
    if isinstance(node, ast.Call) and not node.keywords:
        return _called(node, names, unknown)
    if isinstance(node, (ast.List, ast.Tuple)):
        import numpy as np

        if isinstance(node, ast.Tuple) and all(isinstance(x, ast.Constant) for x in node.elts):
            raise NoAnswer("write a point in a number, as in 3.5; the entries of an array in brackets, as in [1, 2]")
        try:
            return np.array([_walk(x, names, unknown) for x in node.elts], dtype=float)
        except (TypeError, ValueError) as error:
            if isinstance(error, NoAnswer):
                raise
            raise NoAnswer("the rows of an array have one length") from None
    raise NoAnswer("an answer is arithmetic: numbers, names, + - * / **, and functions such as cos(v4)")


def _called(node: ast.Call, names: Mapping[str, Any], unknown: Callable[[str], str]) -> Any:
    named = node.func
    if isinstance(named, ast.Attribute) and isinstance(named.value, ast.Name) and named.value.id in ("math", "np"):
        name = named.attr  # math.cos is cos
    elif isinstance(named, ast.Name):
        name = named.id
    else:
        raise NoAnswer("write * between the factors of a product, as in 2*(x + 1)")
    name = WORDS.get(name, name)
    if name not in functions():
        raise NoAnswer(f"there is no function {name}; there are sin, cos, exp, log, sqrt, …")
    arguments = [_walk(x, names, unknown) for x in node.args]
    array = any(hasattr(x, "shape") for x in arguments)
    function = (numpy_names() if array else PLAIN).get(name)
    if function is None:
        raise NoAnswer(f"{name} takes numbers, not arrays")
    try:
        return function(*arguments)
    except TypeError:
        raise NoAnswer(f"{name} does not take {len(arguments)} numbers") from None
