"""Which names a cell reads before it assigns them, and which it assigns last: its inputs and its output."""

from __future__ import annotations

import ast
import contextlib
import copy
import dis
import math
from types import CodeType, FunctionType
from typing import Any


def names_read(code: CodeType) -> list[str]:
    """The names that a cell (compiled as a module) reads before it has assigned them, in order; also in its functions.

    >>> names_read(compile("y = x * a; z = y + b", "", "exec"))
    ['x', 'a', 'b']
    """
    assigned: set[str] = set()
    read: dict[str, None] = {}
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            names = [instruction.argval]
        elif isinstance(instruction.argval, CodeType):  # a function or a class that is defined here
            names = _globals_of(instruction.argval)
        else:
            names = []
            if instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
                assigned.add(instruction.argval)
        read.update((name, None) for name in names if name not in assigned)
    return list(read)


def _globals_of(code: CodeType) -> list[str]:
    """The global names that a function reads, or the functions in it."""
    names = [i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    return names + [name for inner in code.co_consts if isinstance(inner, CodeType) for name in _globals_of(inner)]


def find_inputs(code: CodeType, namespace: dict[str, Any]) -> list[str]:
    """The inputs of a cell that names none: every float or float array that it reads before it assigns it.

    The constants of math (pi, e, tau, …) under their own names are not inputs.
    """
    return [
        name
        for name in names_read(code)
        if name in namespace
        and _is_float(namespace[name])
        and not (hasattr(math, name) and namespace[name] == getattr(math, name))
    ]


def _is_float(value: Any) -> bool:
    if isinstance(value, float):
        return True
    return type(value).__name__ == "ndarray" and value.dtype.kind == "f"


def last_assigned(tree: ast.Module) -> str | None:
    """The name that a cell assigns last (in the order of its source; functions, classes and imports do not count).

    >>> last_assigned(ast.parse("y = x\\nfor k in range(3):\\n    y += k\\nprint(y)"))
    'y'
    """
    for statement in reversed(tree.body):
        name = _last_in(statement)
        if name:
            return name
    return None


def line_of_value(tree: ast.Module, name: str | None) -> int | None:
    """The line on which a name is last assigned at the top of a cell; that of its last expression for None.

    >>> line_of_value(ast.parse("y = 1\\ny = 2\\nprint(y)"), "y")
    2
    """
    if name is None:
        return tree.body[-1].lineno if tree.body else None
    for statement in reversed(tree.body):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
                return node.lineno
    return tree.body[-1].lineno if tree.body and isinstance(tree.body[-1], ast.Expr) else None


def _last_in(statement: ast.stmt) -> str | None:
    if isinstance(
        statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Delete)
    ):
        return None
    blocks = [getattr(statement, "finalbody", []), getattr(statement, "orelse", [])]
    blocks += [h.body for h in reversed(getattr(statement, "handlers", []))]
    blocks += [c.body for c in reversed(getattr(statement, "cases", []))] + [getattr(statement, "body", [])]
    # In `if … else …` the names are most often the same; the body speaks first there and in a loop.
    for block in reversed(blocks):
        for inner in reversed(block):
            name = _last_in(inner)
            if name:
                return name
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        return names[0] if len(targets) == 1 and isinstance(targets[0], ast.Name) else (names[-1] if names else None)
    walrus = [n.target.id for n in ast.walk(statement) if isinstance(n, ast.NamedExpr)] if not blocks[-1] else []
    return walrus[-1] if walrus else None


def containers_read(code: CodeType, namespace: dict[str, Any], entries: int = 4000) -> dict[str, Any]:
    """Copies of the small lists, dicts, sets and arrays that a cell, or a function that it names, may write into.

    >>> containers_read(compile("log.append(x)", "", "exec"), {"log": [1], "x": 2.0})
    {'log': [1]}
    """
    found: dict[str, Any] = {}
    seen: set[CodeType] = set()
    queue = [code]
    while queue:
        one = queue.pop()
        if one in seen:
            continue
        seen.add(one)
        for name in names_read(one):
            thing = namespace.get(name)
            function = getattr(thing, "__wrapped__", thing)
            if isinstance(function, FunctionType):
                queue.append(function.__code__)
            if name not in found and (isinstance(thing, (list, dict, set)) or type(thing).__name__ == "ndarray"):
                with contextlib.suppress(_TooMuch):
                    _count(thing, entries)
                    found[name] = copy.deepcopy(thing)
    return found


class _TooMuch(Exception):
    """A container that is big, or holds what is not plain."""


def _count(thing: Any, left: int, depth: int = 0) -> int:
    """How many entries may still come, after those of a thing."""
    if left < 0 or depth > 8:  # one that holds itself is deep too
        raise _TooMuch
    if type(thing).__name__ == "ndarray" and thing.dtype.kind in "fiubc":
        return _count(0, left - thing.size, depth)
    if isinstance(thing, (list, tuple, set)):
        for one in thing:
            left = _count(one, left, depth + 1)
    elif isinstance(thing, dict):
        for key, one in thing.items():
            left = _count(one, _count(key, left, depth + 1), depth + 1)
    elif not isinstance(thing, (int, float, complex, str, bytes, type(None))):
        raise _TooMuch
    return left - 1
