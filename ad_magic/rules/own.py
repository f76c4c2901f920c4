"""A rule of the user's own: his expressions, read as those of the derivative table are, and made a row of it.

What is wrong with them is said in one sentence, a ValueError.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .number import CONSTANTS, PLAIN
from .rule import ARGUMENTS, Kink, Rule, names_in
from .table import OWN, RULES

MOST = len(ARGUMENTS)
_RESULT = "z"
_NUMBERS = {"pi": "PI", "tau": repr(math.tau), "e": repr(math.e), "nan": None}  # as the table has them
_INSTEAD = {"max": "maximum", "min": "minimum", "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
            "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "sigmoid": "expit",
            "power": "pow", "absolute": "abs"}  # fmt: skip
_NODES = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant, ast.IfExp, ast.Compare, ast.BoolOp)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Mod, ast.FloorDiv)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


BY_TITLE: dict[str, Rule] = {}  # the latest rule of each name: another one may use it
STOP = OWN.setdefault(  # that of `stop_gradient`
    "stop_gradient", Rule("stop_gradient", "a", ("0.0",), step=True, called="stop_gradient")
)


def own_rule(
    title: str,
    arguments: Sequence[str] | None,
    value: str | Callable[..., float],
    partials: Sequence[str],
    kink: str | None = None,
) -> Rule:
    """The row for a primitive that the user calls `title`, registered under a name of its own.

    `arguments` are the names that the expressions have for the arguments; None for a, b, c, … as far as there are
    partials. `value` is an expression, or a function of plain numbers. Raises ValueError, with one sentence.

    >>> own_rule("square_of", ["x"], "x*x", ["2*x"]).partials
    ('2 * a',)
    """
    if arguments is None:
        arguments = _counted(value)
    if not partials:
        raise ValueError(f"{title} has no partials: write one for each argument ({', '.join(arguments)})")
    if len(partials) != len(arguments):
        raise ValueError(
            f"{title} has {_count(len(arguments), 'argument')} ({', '.join(arguments)}) and "
            f"{_count(len(partials), 'partial')}: write one partial for each argument"
        )
    if len(arguments) > MOST:
        raise ValueError(f"{title} has {len(arguments)} arguments; a rule by expressions has at most {MOST}, use jvp=")
    if _RESULT in arguments:
        raise ValueError(f"{title}: z is the result in its partials; call the argument otherwise")
    internal = dict(zip(arguments, ARGUMENTS, strict=False))
    function = value if callable(value) else None
    texts = [
        _read(text, f"the partial of {title} for {x}", {**internal, _RESULT: _RESULT}, not function)
        for text, x in zip(partials, arguments, strict=True)
    ]
    where = None
    if kink is not None:
        where = Kink(_read(kink, f"the kink of {title}", {**internal, _RESULT: _RESULT}), "the slope changes here")
    name = title
    for k in range(2, 10_000):
        whole = f"{name}({', '.join(ARGUMENTS[: len(arguments)])})" if function else _value(title, value, internal)
        rule = Rule(name, whole, tuple(texts), kink=where, called=title, function=function)
        if not _taken(name) and OWN.get(name, rule) == rule:
            break
        name = f"{title}_{k}"
    BY_TITLE[title] = rule
    return OWN.setdefault(name, rule)


def _value(title: str, value: Any, internal: dict[str, str]) -> str:
    return _read(value, f"the value of {title}", internal)


def _taken(name: str) -> bool:
    """Whether the table has another meaning for a name."""
    return name in RULES or name in PLAIN or name in ARGUMENTS


def _counted(value: Any) -> list[str]:
    """The arguments a, b, c, … as far as a value uses them."""
    try:
        used = names_in(value) & {*ARGUMENTS}
    except (SyntaxError, TypeError, ValueError):
        used = frozenset()
    return list(ARGUMENTS[: max((ARGUMENTS.index(name) + 1 for name in used), default=1)])


def signature(text: str) -> tuple[str, list[str] | None]:
    """The name of a rule, and those of its arguments where they are given.

    >>> signature("softplus"), signature("price(s, k)")
    (('softplus', None), ('price', ['s', 'k']))
    """
    name, bracket, rest = text.strip().partition("(")
    given = [x.strip() for x in rest.removesuffix(")").split(",")] if bracket else None
    for x in (name, *(given or ())):
        if not x.isidentifier() or keyword.iskeyword(x):
            raise ValueError(f"{text!r} is no name for a rule: write 'softplus', or 'softplus(x)' with its arguments")
    if given and len({*given}) < len(given):
        raise ValueError(f"{text!r} has an argument twice")
    return name, given


# ---- reading an expression -----------------------------------------------------------------------


def _read(text: Any, what: str, internal: dict[str, str], named: bool = True) -> str:
    """An expression of the user's in the names of the table; `named` says whether he has named the arguments himself,
    and not a function that gives the value."""
    if not isinstance(text, str):
        raise ValueError(f"{what} is a {type(text).__name__}; it is an expression in quotes, as '2 * a'")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise ValueError(f"{what}, {text!r}, is no expression of Python") from None
    return ast.unparse(ast.fix_missing_locations(_Reader(text, what, internal, named).visit(tree)))


class _Reader(ast.NodeTransformer):
    """Takes an expression over, or says what in it cannot be part of a rule."""

    def __init__(self, text: str, what: str, internal: dict[str, str], named: bool) -> None:
        self.text, self.what, self.internal, self.named = text, what, internal, named

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if not isinstance(node, (*_NODES, *_OPERATORS, *_COMPARISONS, ast.And, ast.Or, ast.USub, ast.UAdd, ast.Not)):
            self._refuse(node)
        return super().visit(node)

    def _refuse(self, node: ast.AST) -> None:
        if isinstance(node, ast.BitXor):
            raise ValueError(f"{self.what}, {self.text!r}, has ^, which is no power: write **")
        shown = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
        raise ValueError(
            f"{self.what}, {self.text!r}, has {shown}: an expression of a rule is made of numbers, its arguments, "
            "operators, `x if … else y` and functions of the derivative table"
        )

    def _attribute(self, node: ast.Attribute) -> ast.expr:
        """math.exp is exp."""
        if isinstance(node.value, ast.Name) and node.value.id in ("math", "np", "numpy"):
            name = _INSTEAD.get(node.attr, node.attr)
            if name in _functions():
                return ast.Name(name, ast.Load())
            return self.visit(ast.Name(node.attr, ast.Load()))
        self._refuse(node)
        raise AssertionError

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if type(node.value) not in (int, float):
            self._refuse(node)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.UAdd) else node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.internal:
            return ast.Name(self.internal[node.id], ast.Load())
        own = _NUMBERS.get(node.id)
        if own is not None:
            return ast.parse(own, mode="eval").body
        if node.id in CONSTANTS or node.id == "nan":
            return node
        if node.id == _RESULT:
            raise ValueError(f"{self.what}, {self.text!r}, uses z, which is the value itself")
        if node.id in _functions():
            raise ValueError(f"{self.what}, {self.text!r}: {node.id} is a function, write what it is of")
        raise ValueError(f"{self.what}, {self.text!r}: {self._unknown(node.id, self.internal)}")

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = self._attribute(node.func) if isinstance(node.func, ast.Attribute) else node.func
        if not isinstance(function, ast.Name) or node.keywords or any(isinstance(x, ast.Starred) for x in node.args):
            self._refuse(node)
        assert isinstance(function, ast.Name)
        if function.id in BY_TITLE and function.id not in _functions():
            return self._of_own(BY_TITLE[function.id], node)
        if function.id not in _functions():
            raise ValueError(f"{self.what}, {self.text!r}: {self._unknown(function.id, _functions())}")
        least, most = _functions()[function.id]
        if not least <= len(node.args) <= most:
            takes = _count(most, "argument")
            raise ValueError(f"{self.what}, {self.text!r}: {function.id} takes {takes}, not {len(node.args)}")
        return ast.Call(ast.Name(function.id, ast.Load()), [self.visit(x) for x in node.args], [])

    def _of_own(self, rule: Rule, node: ast.Call) -> ast.expr:
        """A call of another rule of the user's own: its value, written out."""
        if rule.function is not None:
            raise ValueError(
                f"{self.what}, {self.text!r}: {rule.called} is a function of plain numbers, which cannot be part of an "
                "expression"
            )
        if len(node.args) != len(rule.arguments):
            takes = _count(len(rule.arguments), "argument")
            raise ValueError(f"{self.what}, {self.text!r}: {rule.called} takes {takes}, not {len(node.args)}")
        given = dict(zip(rule.arguments, map(self.visit, node.args), strict=True))
        return _Put(given).visit(ast.parse(rule.value, mode="eval").body)

    def _unknown(self, name: str, known: Any) -> str:
        near = _INSTEAD.get(name) or next(iter(difflib.get_close_matches(name, known, 1)), None)
        if near:
            return f"nothing is known of {name}; did you mean {near}?"
        others = " (arguments of other names stand behind that of the rule: 'f(x, y)')" if self.named else ""
        return f"nothing is known of {name}; an expression may use {', '.join(_shown(self.internal))}{others}"


class _Put(ast.NodeTransformer):
    """Other expressions in the place of names."""

    def __init__(self, given: dict[str, ast.expr]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.given.get(node.id, node)


def _shown(internal: dict[str, str]) -> Iterator[str]:
    yield from (f"{x} (the result)" if x == _RESULT else x for x in internal)
    yield "numbers and functions of the derivative table"


def _functions() -> dict[str, tuple[int, int]]:
    """The functions that an expression may use: how many arguments they take, at least and at most."""
    if not _FUNCTIONS:
        for rule in RULES.values():
            as_written = rule.value == f"{rule.name}({', '.join(rule.arguments)})"
            if as_written and callable(PLAIN.get(rule.name)) and not rule.variadic and rule.name != "round":
                _FUNCTIONS[rule.name] = len(rule.arguments), len(rule.arguments)
        _FUNCTIONS.update({"abs": (1, 1), "log": (1, 2), "pow": (2, 2)})
    return _FUNCTIONS


_FUNCTIONS: dict[str, tuple[int, int]] = {}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
