"""What a program brings along: functions that neither `math` nor NumPy has, from the source that the engine uses."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from ad_magic.engine.own import Own
from ad_magic.rules import number as _number
from ad_magic.rules import special as _special
from ad_magic.rules.number import CONSTANTS, PLAIN
from ad_magic.transforms.pairs import OwnPair

from .symbols import NoProgram

MATH = frozenset(name for name in vars(math) if not name.startswith("_"))
BUILTINS = frozenset(
    (
        "abs",
        "sum",
        "max",
        "min",
        "round",
        "int",
        "float",
        "bool",
        "hash",
        "repr",
        "str",
        "format",
        "slice",
        "complex",
        "range",
        "zip",
        "reversed",
    )
)
_MODULES = {"np": "numpy as np", "scipy": "scipy.special", "base64": "base64"}
_SCIPY = frozenset((*_special.UFUNCS, *_special.SEVERAL, "zeta"))


class Support:
    """The lines before a program: imports, functions, numbers."""

    def __init__(self) -> None:
        self.modules: set[str] = set()  # "math", "numpy as np", "scipy.special"
        self.math: set[str] = set()
        self.scipy: set[str] = set()
        self.definitions: dict[str, str] = {}

    def need(self, names: Iterable[str], helpers: dict[str, Callable[..., Any]]) -> None:
        """What these names stand for. Raises NoProgram for one that cannot be told."""
        for name in sorted(set(names)):
            if name in self.definitions or name in BUILTINS:
                continue
            if name in helpers:
                self._define(name, helpers[name])
            elif name in MATH:
                self.math.add(name)
            elif name in CONSTANTS:
                self.definitions[name] = f"{name} = {CONSTANTS[name]!r}"
            elif name in _SCIPY:
                self.scipy.add(name)
            elif isinstance(PLAIN.get(name), FunctionType) and PLAIN[name].__module__ == _number.__name__:
                self._define(name, PLAIN[name])
            elif name in _MODULES:
                self.modules.add(_MODULES[name])
            else:
                raise NoProgram(f"{name} has no form in a program that stands on its own")

    def _define(self, name: str, function: Any) -> None:
        self.definitions[name] = ""  # it may call itself
        try:
            source, used = source_of(function)
        except (OSError, TypeError, SyntaxError, AssertionError):  # of the user's own: in C, or a lambda
            raise NoProgram(f"{name} has no form in a program that stands on its own") from None
        function = inspect.unwrap(function)
        space = function.__globals__
        for other in used:
            if other == function.__name__:
                continue
            value = space.get(other, PLAIN.get(other))
            if isinstance(value, (Own, OwnPair)):  # its derivative is not asked for here
                value = getattr(value, "__wrapped__", None)
                if value is None:
                    raise NoProgram(f"{other} has no form in a program that stands on its own")
            if other == "math" or isinstance(value, ModuleType) or other == "np":
                self.modules.add("numpy as np" if other == "np" else _imported(other, value))
            elif value is not None and value is vars(math).get(other):
                self.math.add(other)
            elif isinstance(value, FunctionType):
                if other not in self.definitions:
                    self._define(other, value)
            elif isinstance(value, (tuple, float, int)):
                self.definitions.setdefault(other, f"{other} = {value!r}")
        del self.definitions[name]
        self.definitions[name] = _under(name, source)

    def text(self, constants: Sequence[str] = ()) -> str:
        """The source, with these statements among the numbers; empty where nothing is needed."""
        head = [f"import {module}" for module in sorted(self.modules)]
        if self.math:
            head.append(f"from math import {', '.join(sorted(self.math))}")
        if self.scipy:
            head.append(f"from scipy.special import {', '.join(sorted(self.scipy))}")
        definitions = [text for text in self.definitions.values() if text.startswith("def ")]
        numbers = [text for text in self.definitions.values() if not text.startswith("def ")]
        top = "\n\n".join("\n".join(part) for part in (head, [*numbers, *constants]) if part)
        return "\n\n\n".join(part for part in (top, *definitions) if part)


def _under(name: str, source: str) -> str:
    """The definition of a function under a name of its own: two rules of the user's may be made of one."""
    tree = ast.parse(source)
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    if definition.name == name:
        return source
    for node in ast.walk(definition):
        if isinstance(node, ast.Name) and node.id == definition.name:  # it calls itself
            node.id = name
    definition.name = name
    return ast.unparse(tree)


def _imported(name: str, module: Any) -> str:
    full = getattr(module, "__name__", name)
    return name if full == name else f"{full} as {name}"


@cache
def source_of(function: Any) -> tuple[str, tuple[str, ...]]:
    """The source of a function without its types and the examples in its docstring, and the globals it uses.

    >>> print(source_of(_number.sign)[0])
    def sign(x):
        \"\"\"-1, 0 or 1; NaN for NaN.\"\"\"
        return x if math.isnan(x) else float(x > 0) - float(x < 0)
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    definition.returns = None
    given = definition.args
    for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if argument is not None:
            argument.annotation = None
    first = ast.get_docstring(definition)
    if first is not None:
        definition.body[0] = ast.Expr(ast.Constant(first.partition("\n\n")[0].replace("\n", " ")))
    function = inspect.unwrap(function)
    code = function.__code__
    if code.co_freevars:
        raise TypeError("it reads variables of the function in which it was defined")
    used = tuple(name for name in code.co_names if name in function.__globals__)
    inner = [c for c in code.co_consts if hasattr(c, "co_names")]
    used += tuple(name for c in inner for name in c.co_names if name in function.__globals__)
    return ast.unparse(ast.fix_missing_locations(tree)), used
