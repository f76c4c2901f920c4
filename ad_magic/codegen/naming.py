"""The names in a straight-line program, so that none is that of an input of the user's as well."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

from .loops import Loop, kept
from .program import base

# What programs read that can be told from an input of that name neither by its place nor by an assignment.
_ANYWHERE = frozenset(
    (
        "np",
        "scipy",
        "base64",
        "inf",
        "nan",
        "max",
        "min",
        "float",
        "int",
        "bool",
        "complex",
        "range",
        "zip",
        "reversed",
        "_",
    )
)
_LOCAL = re.compile(r"zero|tangent|adjoints|rows_\d+|.+_along")  # what a program with a function in it assigns


def free_letters(letters: Iterable[str], taken: Iterable[str]) -> str:
    """The first of some letters with which no name that is taken is numbered.

    >>> free_letters(["v", "w"], ["v3", "x"])
    'w'
    """
    taken = list(taken)
    return next(c for c in letters if not any(re.fullmatch(rf"d?{c}\d+(_.*)?", name) for name in taken))


def clashing(program: Any, reserved: Iterable[str] = ()) -> dict[str, str]:
    """The inputs of a program whose names it uses for something else too, with other names for them.

    `reserved` are names that its printer uses.
    """
    inputs: list[str] = list(program.run.rows)
    used = {*_ANYWHERE, *reserved, *program.parameters, *program.constants, *program.helpers}
    for part in (*program.values, *program.sweep):
        if isinstance(part, Loop):
            used.update(map(kept, part.keeps))
        for s in part.body if isinstance(part, Loop) else [part]:
            used.add(base(s.target))
            used.update(functions_of(s.value))
    if program.parameters:
        used.update(label for label in inputs if _LOCAL.fullmatch(label))
    others: dict[str, str] = {}
    for label in inputs:
        if label in used:
            other = f"{label}_"
            while other in used or other in inputs or other in others.values():
                other += "_"
            others[label] = other
    return others


def functions_of(value: ast.expr) -> Iterator[str]:
    """The names that an expression calls."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
