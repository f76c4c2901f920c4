"""Putting the stand-ins into the modules, and taking them back: `math`, `numpy` and their like, for the time of a run.

What goes where is made once for each set of modules. A run inside another one finds the stand-ins in place.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import sys
from collections.abc import Container, Iterable, Mapping
from importlib import import_module
from types import CodeType
from typing import Any

from .codes import names_of
from .library import BUILTINS, MODULES, TYPE_OF, TYPES

Part = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]  # a module's names; stand-ins, and what they stand for

_originals: dict[tuple[str, str], Any] = {}
_whole: set[tuple[int, str]] = set()  # the modules (ids of their names, and which) whose stand-ins are all in place
_partly: list[list[Part]] = []  # where only some are, by open run


class Module:
    """The stand-ins for functions of a module, and these functions themselves."""

    __slots__ = ("key", "name", "originals", "place", "stand_ins")

    def __init__(self, name: str, stand_ins: Mapping[str, Any], which: str = "") -> None:
        """`which` tells those from others that may be in place in the same module."""
        module = sys.modules.get(name) or import_module(name)
        self.name = name
        self.place = vars(module)  # setting an attribute of a module is setting it here
        self.key = id(self.place), which
        self.stand_ins = dict(stand_ins)
        self.originals = {key: _originals.setdefault((name, key), getattr(module, key)) for key in stand_ins}


class Modules:
    """All the modules in which a run puts stand-ins; and from a function to its stand-in and back, by id."""

    __slots__ = ("back", "forth", "modules")

    def __init__(self, modules: tuple[Module, ...]) -> None:
        self.modules = modules
        pairs = [(m.originals[name], stand_in) for m in modules for name, stand_in in m.stand_ins.items()]
        self.forth = {id(original): stand_in for original, stand_in in pairs}
        self.back = {id(stand_in): original for original, stand_in in pairs}
        self.back |= {id(function): getattr(builtins, name) for name, function in (*BUILTINS.items(), *TYPES.items())}
        self.back |= {id(function): type for function in TYPE_OF.values()}

    def put(self) -> list[Module]:
        """Put the stand-ins in place; returns the modules where they were not."""
        missing = [m for m in self.modules if m.key not in _whole]
        for m in missing:
            m.place.update(m.stand_ins)
            _whole.add(m.key)
        return missing

    def some(self, names: Iterable[str], modules: Container[str]) -> list[Part]:
        """The stand-ins of these names in these modules, to put in place alone."""
        wanted = set(names)
        parts = []
        for m in self.modules:
            if m.name not in modules:
                continue
            chosen = wanted & m.stand_ins.keys()
            if chosen:
                stand_ins = {name: m.stand_ins[name] for name in chosen}
                parts.append((m.place, stand_ins, {name: m.originals[name] for name in chosen}))
        return parts


def take_back(modules: list[Module]) -> None:
    """Put back what the stand-ins of these modules stand for."""
    for m in modules:
        m.place.update(m.originals)
        _whole.discard(m.key)
    if modules:
        _put_again()


def put_some(parts: list[Part]) -> list[Part]:
    """Put these stand-ins in place; returns those that were not."""
    missing = [part for part in parts if (id(part[0]), "") not in _whole]
    for place, stand_ins, _ in missing:
        place.update(stand_ins)
    _partly.append(missing)
    return missing


def take_some_back(parts: list[Part]) -> None:
    """Put back what these stand for: they were put last."""
    _partly.pop()
    for place, _, originals in parts:
        place.update(originals)
    _put_again()


def _put_again() -> None:
    """What a run takes back may be needed by one that it was in."""
    for parts in _partly:
        for place, stand_ins, _ in parts:
            place.update(stand_ins)


# All that has stand-ins where it is loaded, and may be loaded between two runs.
_OPTIONAL = ("numpy", "scipy.special", "scipy.linalg", "scipy.optimize", "scipy.integrate")


def load_named(codes: Iterable[CodeType]) -> bool:
    """Load those of NumPy and SciPy that functions with these codes are about to load: what is loaded while they run
    has no stand-ins. Returns whether there was one."""
    missing = [name for name in _OPTIONAL if name not in sys.modules]
    found = []
    for names in {names_of(code) for code in codes} if missing else ():
        for name in missing:
            package, _, part = name.rpartition(".")
            if names is not None and (name in names or (package in names and part in names)):
                found.append(name)
    for name in found:
        with contextlib.suppress(ImportError):  # the program will say so
            import_module(name)
    return bool(found)


def modules_of(tree: ast.AST | None, types: bool = False) -> Modules:
    """The modules for a run: those of the standard library, and NumPy and SciPy where they are loaded or the program
    `tree` is about to load them; with the `types` of NumPy's numbers, for a program that calls them."""
    if tree is None:
        return _loaded(tuple([name for name in _OPTIONAL if name in sys.modules]), types)
    return _modules(_stand_ins(tree), types)


@functools.cache
def _loaded(optional: tuple[str, ...], types: bool) -> Modules:
    return _modules(_stand_ins(None), types)


def _stand_ins(tree: ast.AST | None) -> dict[str, dict[str, Any]]:
    from .solvers import solver_modules

    return {**MODULES, **_of_numpy(tree), **solver_modules(tree)}


def _of_numpy(tree: ast.AST | None) -> dict[str, dict[str, Any]]:
    if "numpy" not in sys.modules and not (tree is not None and (imports(tree, "numpy") or imports(tree, "scipy"))):
        return {}
    from .arrays.numpy_standins import replaced

    return replaced(tree)


def imports(tree: ast.AST, name: str) -> bool:
    """Whether a program imports a module of this name, or one in it.

    >>> imports(ast.parse("from numpy.linalg import solve"), "numpy")
    True
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == name for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == name:
            return True
    return False


def _modules(stand_ins: dict[str, dict[str, Any]], types: bool) -> Modules:
    found = []
    for name, functions in stand_ins.items():
        key = (name, frozenset(functions))
        if key not in _known:
            _known[key] = Module(name, functions)
        found.append(_known[key])
    return _set_of((*found, _types()) if types and "numpy" in stand_ins else tuple(found))


@functools.cache
def _types() -> Module:
    from .arrays.scalars import SCALARS

    return Module("numpy", SCALARS, "types")


_known: dict[tuple[str, frozenset[str]], Module] = {}
_set_of = functools.cache(Modules)
