"""What the code of a function says of what it may reach: read once for each code object."""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Iterable
from types import CodeType, ModuleType
from typing import Any

# Ways to a global that is not named: a function with one of these may reach all of them.
_DYNAMIC = {"globals", "vars", "eval", "exec", "compile", "modules", "import_module", "__import__"}
_DYNAMIC |= {"__globals__", "__builtins__", "f_globals", "_getframe", "currentframe"}


@functools.cache
def names_of(code: CodeType) -> tuple[str, ...] | None:
    """The names that a function uses, or a function in it: of globals, attributes, modules. None where it may find a
    global by another way.

    >>> names_of((lambda x: print(x.real + y)).__code__)
    ('print', 'real', 'y')
    >>> names_of((lambda x: globals()["y"]).__code__)
    """
    names = dict.fromkeys(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found = names_of(inner)
            if found is None:
                return None
            names |= dict.fromkeys(found)
    return None if not _DYNAMIC.isdisjoint(names) else tuple(names)


@functools.cache
def calls_name(code: CodeType, name: str) -> bool:
    """Whether a function calls a global by this name (the compiler marks a name that it loads to call it), or a method
    of it."""
    if name in code.co_names:
        if name in called_in(code):
            return True
        loaded = False
        for i in dis.get_instructions(code):
            if loaded and (i.opname == "LOAD_METHOD" or "NULL" in i.argrepr):
                return True
            loaded = i.argval == name
    return any(calls_name(inner, name) for inner in code.co_consts if isinstance(inner, CodeType))


NUMPYS_TYPES = frozenset(("float64", "double", "float32", "single", "float16", "half", "longdouble", "complex128"))


@functools.cache
def called_in(code: CodeType) -> frozenset[str]:
    """The names of globals and attributes that a function calls, or a function in it; all of its names where it maps.

    >>> sorted(called_in((lambda x, y: np.float64(x, dtype=np.single) == float(y)).__code__) - {"np"})
    ['float', 'float64']
    """
    called: set[str] = set()
    callee = False  # whether it loads what will be called: x, then an attribute of x, and so on
    before = None
    for i in dis.get_instructions(code):
        if i.opname == "PUSH_NULL" and before is not None and before.opname == "LOAD_ATTR":  # from Python 3.13 on
            called.add(before.argval)
        callee = (
            "NULL" in i.argrepr
            or i.opname in ("LOAD_METHOD", "PUSH_NULL")
            or (callee and i.opname == "LOAD_ATTR")
            or (before is not None and before.opname == "PUSH_NULL")  # until Python 3.12
        )
        if callee and isinstance(i.argval, str):
            called.add(i.argval)
        before = i
    if "map" in called:
        called.update(code.co_names)
    return frozenset(called).union(*(called_in(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def calls_type_of_numpy(called: Iterable[str], namespace: dict[str, Any]) -> bool:
    """Whether one of these names is that of a type of NumPy's numbers, or stands for one in a namespace."""
    return any(name in NUMPYS_TYPES or _is_type_of_numpy(namespace.get(name)) for name in called)


def _is_type_of_numpy(x: Any) -> bool:
    return isinstance(x, type) and x.__module__ == "numpy" and x.__name__ in NUMPYS_TYPES


def imported(code: CodeType, namespace: dict[str, Any]) -> list[ModuleType | None]:
    """The modules that a function imports when it runs; None for one that is not loaded yet."""
    found: list[ModuleType | None] = []
    for name, level, of in _imports(code):
        if level:
            package = namespace.get("__package__") or namespace.get("__name__", "")
            home = package.rsplit(".", level - 1)[0]
            name = f"{home}.{name}" if name else home
        found.append(sys.modules.get(name))
        found += [sys.modules[full] for part in of if (full := f"{name}.{part}") in sys.modules]
    return found


@functools.cache
def _imports(code: CodeType) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    """(module, level of a relative import, names that are taken from it) of each import in a function."""
    found: list[tuple[str, int, tuple[str, ...]]] = []
    if dis.opmap["IMPORT_NAME"] in code.co_code[::2]:
        before: list[Any] = []  # the constants that were loaded last: the level, and the names
        for instruction in dis.get_instructions(code):
            if instruction.opname == "IMPORT_NAME":
                level, of = before[-2:]
                found.append((instruction.argval, level, tuple(of or ())))
            elif instruction.opname.startswith("LOAD_"):
                before.append(instruction.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found += _imports(inner)
    return tuple(found)


_ASSIGNING = {f"{what}_{to}" for what in ("STORE", "DELETE") for to in ("ATTR", "SUBSCR", "SLICE", "GLOBAL")}


@functools.cache
def changes_nothing(code: CodeType) -> bool:
    """Whether it can be seen that a function changes no array, where all that it calls is NumPy's functions of arrays,
    methods of arrays that do not write (see `standins.writes`), and functions of which the same can be seen: it assigns
    to names alone, and gives no call more than one argument by position, so that none of them is `out`.

    >>> changes_nothing((lambda x, w: np.tanh(x @ w).sum(axis=0)).__code__)
    True
    >>> changes_nothing((lambda x, w: np.add(x, w, w)).__code__)
    False
    """
    if any(name.startswith("__") or name == "byteswap" for name in code.co_names):
        return False
    by_name: tuple[Any, ...] = ()
    constant: tuple[Any, ...] = ()
    for instruction in dis.get_instructions(code):
        name = instruction.opname
        if name == "KW_NAMES":  # until Python 3.12
            by_name = code.co_consts[instruction.arg or 0]
        elif name == "LOAD_CONST" and isinstance(instruction.argval, tuple):
            constant = instruction.argval
        elif name == "CALL_FUNCTION_EX":
            return False
        elif name in ("CALL", "CALL_KW"):
            if name == "CALL_KW":
                by_name = constant
            if (instruction.arg or 0) - len(by_name) > 1 or not {"out", "copy"}.isdisjoint(by_name):
                return False
            by_name = ()
        elif name in _ASSIGNING or (name == "BINARY_OP" and instruction.argrepr.endswith("=")):
            return False
    return all(changes_nothing(inner) for inner in code.co_consts if isinstance(inner, CodeType))
