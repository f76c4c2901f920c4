"""What a program reads from the namespace is put into it: as an import, a function or a constant."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import itertools
import sys
import textwrap
from collections.abc import Hashable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, TypeGuard

from ad_magic.engine.users import in_library, is_users

from .ours import is_ours, original
from .scopes import CannotInterleave, Scope, Twin, bound_in, shared_in
from .sorts import BOTTOM, OBJECT, UNKNOWN, Heap, Sort, array, container, join, known

ENTRIES = 4000  # constants of more numbers are not written into a program


def literal(thing: Any, limit: int = ENTRIES, depth: int = 0) -> str | None:
    """A constant as source, or None where there is no such text.

    >>> literal([1.5, -2, float("inf"), (True, "a")])
    "[1.5, -2, float('inf'), (True, 'a')]"
    """
    kind = type(thing)
    if depth > 8:  # a list may hold itself
        return None
    if thing is None or kind in (bool, int, str, bytes):
        return repr(thing)
    if kind in (float, complex) or (kind.__module__ == "numpy" and kind.__name__ in ("float64", "int64", "bool")):
        plain = thing if kind in (float, complex) else thing.item()
        if isinstance(plain, float) and (plain != plain or plain in (float("inf"), float("-inf"))):
            return f"float({str(plain)!r})"
        return repr(plain)
    if kind in (list, tuple, set, frozenset):
        if len(thing) > limit:
            return None
        parts = [literal(x, limit, depth + 1) for x in thing]
        if None in parts:
            return None
        inner = ", ".join(p for p in parts if p is not None)
        if kind is list:
            return f"[{inner}]"
        if kind is tuple:
            return f"({inner},)" if len(parts) == 1 else f"({inner})"
        return f"{{{inner}}}" if kind is set and parts else f"{kind.__name__}([{inner}])"
    if kind is dict:
        pairs = [(literal(k, limit, depth + 1), literal(v, limit, depth + 1)) for k, v in thing.items()]
        if any(k is None or v is None for k, v in pairs):
            return None
        return "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
    if kind is range:
        return repr(thing)
    if kind.__name__ == "ndarray" and kind.__module__ == "numpy" and thing.dtype.kind in "fiub":
        if thing.size > limit:
            return None
        text = literal(thing.tolist(), limit)
        default = {"f": "float64", "i": "int64", "b": "bool"}.get(thing.dtype.kind)
        typed = "" if thing.dtype.name == default and thing.size else f", dtype={thing.dtype.name!r}"
        return f"np.array({text}{typed})"
    return None


class Names:
    """What a program takes from outside: imports, constants, functions. One for each pass over the program."""

    def __init__(self, namespace: dict[str, Any], taken: set[str], heap: Heap, writes: bool) -> None:
        self.namespace = namespace
        self.heap = heap
        self.writes = writes  # whether the program writes in place: then lists are made anew in each call
        self.taken = set(taken)
        self.imports: dict[str, str] = {}  # name -> statement
        self.constants: dict[str, tuple[str, Any, bool]] = {}  # name -> text, object, whether inside `derivative`
        self.helpers: dict[str, None] = {}
        self.functions: dict[Any, Twin] = {}  # of the namespace, by function
        self.order: list[Twin] = []  # those that are used, in the order of their use
        self.given: dict[tuple[int, str], str] = {}  # (namespace, name) -> the name in the program
        self.modules: dict[str, str] = {}  # module -> its name in the program
        self.own: Any = None  # the globals of the user's functions: they are known by `namespace`

    # ---- names of modules and of functions of math ----

    def fresh(self, name: str) -> str:
        """A name that the program has not used."""
        if name not in self.taken:
            self.taken.add(name)
            return name
        for k in itertools.count(2):
            if f"{name}_{k}" not in self.taken:
                self.taken.add(f"{name}_{k}")
                return f"{name}_{k}"
        raise AssertionError

    def math(self, name: str) -> str:
        """How a function or constant of math is named in the program, as text."""
        if "math" in self.modules:
            return f"{self.modules['math']}.{name}"
        for given, statement in self.imports.items():
            if statement in (f"from math import {name}", f"from math import {name} as {given}"):
                return given
        given = name if name not in self.taken else self.fresh(f"{name}_")
        self.taken.add(given)
        self.imports[given] = f"from math import {name}" + ("" if given == name else f" as {given}")
        return given

    def numpy(self) -> str:
        """How NumPy is named in the program."""
        if "numpy" not in self.modules:
            for own, thing in self.namespace.items():  # the name that the user has for it
                if isinstance(thing, ModuleType) and thing.__name__ == "numpy" and own in self.taken:
                    self.import_module(own, "numpy")
                    return own
            given = "np" if "np" not in self.taken else self.fresh("np_")
            self.taken.add(given)
            self.modules["numpy"] = given
            self.imports[given] = "import numpy" if given == "numpy" else f"import numpy as {given}"
        return self.modules["numpy"]

    def helper(self, name: str) -> str:
        """A small function that the program brings along; what it is called there."""
        self.helpers[name] = None
        return self.helper_name(name)

    def helper_name(self, name: str) -> str:
        """A name for a helper that the user has for nothing else."""
        return f"{name}_" if name in self.taken else name

    def import_module(self, given: str, name: str) -> None:
        """`import name as given`"""
        self.imports[given] = f"import {name}" if given == name else f"import {name} as {given}"
        if "." not in name:
            self.modules.setdefault(name, given)
        self.taken.add(given)

    def import_statement(self, node: ast.Import | ast.ImportFrom) -> dict[str, Sort]:
        """An import of the cell stands at the top of the program; what its names are."""
        found: dict[str, Sort] = {}
        for alias in node.names:
            if isinstance(node, ast.Import):
                given = alias.asname or alias.name.split(".")[0]
                module = importlib.import_module(alias.name)
                if alias.asname or "." not in alias.name:
                    self.import_module(given, alias.name)
                else:
                    self.imports[alias.name] = f"import {alias.name}"
                    module = importlib.import_module(given)
                found[given] = known(module)
            else:
                module = importlib.import_module(node.module or "")
                if alias.name == "*":
                    for name in getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]):
                        found[name] = self.read_object(name, getattr(module, name), {})
                    continue
                given = alias.asname or alias.name
                thing = getattr(module, alias.name, None)
                if is_ours(thing):
                    found[given] = known(thing)
                    continue
                self.imports[given] = f"from {node.module} import {alias.name}" + (
                    f" as {alias.asname}" if alias.asname and alias.asname != alias.name else ""
                )
                found[given] = known(thing) if not isinstance(thing, (int, float)) else self._sort(thing, given)
        return found

    # ---- what the namespace holds ----

    def read(self, name: str, env: dict[str, Any], inside: bool) -> tuple[str, Sort]:
        """(its name in the program, what it is) of a global name. Raises KeyError where there is none."""
        if name not in env:
            return name, known(getattr(builtins, name)) if hasattr(builtins, name) else self._missing(name)
        key = (id(env), name)
        thing = env[name]
        if key not in self.given:
            clash = name in self.imports or name in self.constants or any(t.name == name for t in self.order)
            same = any(n == name and env2 != id(env) for env2, n in self.given) and clash
            self.given[key] = self.fresh(name) if same and not self._same(name, thing) else name
        given = self.given[key]
        return given, self.read_object(given, thing, env, inside)

    def _same(self, name: str, thing: Any) -> bool:
        if name in self.constants:
            return self.constants[name][1] is thing
        return isinstance(thing, ModuleType) or not is_own_function(thing)

    @staticmethod
    def _missing(name: str) -> Sort:
        raise KeyError(name)

    def read_object(self, given: str, thing: Any, env: dict[str, Any], inside: bool = False) -> Sort:
        """What an object of the namespace is; it becomes part of the program."""
        if isinstance(thing, ModuleType):
            self.import_module(given, thing.__name__)
            return known(thing)
        if is_ours(thing):
            return known(thing)
        thing = original(thing)
        if is_own_function(thing):
            twin = self.twin(given, thing)
            return Sort(frozenset({"function"}), functions=frozenset({twin}), known=thing, identity=id(thing))
        text = literal(thing)
        if text is not None:
            mutable = isinstance(thing, (list, dict, set)) or hasattr(thing, "flags")
            if text.startswith("np.") or "np.array" in text:
                text = text.replace("np.array(", f"{self.numpy()}.array(")
            was = self.constants.get(given)
            placed = (self.writes and mutable) or (inside and mutable and self.writes)
            self.constants[given] = (text, thing, placed or bool(was and was[2]))
            return self._sort(thing, given)
        module, name = (
            getattr(thing, "__module__", None),
            getattr(thing, "__qualname__", getattr(thing, "__name__", None)),
        )
        if module is None and isinstance(thing, BuiltinFunctionType) and isinstance(thing.__self__, ModuleType):
            module = thing.__self__.__name__
        if hasattr(thing, "nin") and hasattr(thing, "nout"):
            module = "numpy" if hasattr(importlib.import_module("numpy"), thing.__name__) else None
            name = thing.__name__
        if module and module.startswith("_"):  # functools.reduce says that it is of _functools
            module = (
                module.removeprefix("_") if hasattr(sys.modules.get(module.removeprefix("_")), name or "") else module
            )
        if module and name and "." not in name and not is_users(module):
            try:
                importable = getattr(importlib.import_module(module), name, None) is thing
            except ImportError:
                importable = False
            if importable:
                self.imports[given] = f"from {module} import {name}" + ("" if given == name else f" as {given}")
                self.taken.add(given)
                return known(thing)
        return known(thing, "alien")

    def twin(self, given: str, thing: Any) -> Twin:
        """The twin of a function of the namespace."""
        cached = thing if hasattr(thing, "cache_info") else None
        function = inspect.unwrap(thing) if cached else thing
        if function not in self.functions:
            self.functions[function] = make_twin(
                given, function, cached, self.namespace if self._is_own(function) else None
            )
        twin = self.functions[function]
        twin.name = given
        if twin not in self.order:
            self.order.append(twin)
        if cached is not None:
            maxsize = cached.cache_parameters()["maxsize"]
            self.imports["lru_cache"] = "from functools import lru_cache"
            twin.decorators = [f"@lru_cache(maxsize={maxsize})"]
        return twin

    def _is_own(self, function: FunctionType) -> bool:
        """Whether a function is of the user's namespace itself."""
        return function.__globals__ is self.own or function.__globals__ is self.namespace

    def _sort(self, thing: Any, site: Hashable) -> Sort:
        """What a constant is."""
        kind = type(thing)
        if kind in (bool, int):
            return known(thing, "int")
        if kind is float or (kind.__module__ == "numpy" and getattr(thing, "ndim", None) == 0):
            return known(thing, "number")
        if kind is tuple:
            items = tuple(self._sort(x, (site, k)) for k, x in enumerate(thing))
            return Sort(frozenset({"tuple"}), items=items)
        if kind in (list, dict):
            sort = container(kind.__name__, ("constant", site))
            elements: Any = thing.values() if kind is dict else thing
            joined = BOTTOM
            for k, x in enumerate(elements):
                joined = join(joined, self._sort(x, (site, min(50, k))))
            self.heap.put(sort, joined if not joined.bottom else BOTTOM)
            return sort
        if hasattr(thing, "dtype") and hasattr(thing, "shape"):
            self.heap.at(("constant", site)).whole = thing.dtype.kind != "f"
            return array(("constant", site), thing.shape)
        return known(thing) if kind in (str, bytes, type(None)) else UNKNOWN if kind is not range else OBJECT


def is_own_function(thing: Any) -> TypeGuard[FunctionType]:
    """Whether it is a plain function of the user's own, cached or not."""
    if hasattr(thing, "cache_info") and hasattr(thing, "__wrapped__"):
        thing = thing.__wrapped__
    if not isinstance(thing, FunctionType) or hasattr(thing, "__wrapped__"):
        return False
    file = thing.__code__.co_filename
    return is_users(thing.__module__) and not (file.startswith("<frozen") or in_library(file))


def _is_checkpoint(decorator: ast.expr) -> bool:
    """Whether a function was decorated with `checkpoint`, as it seems: what it is of was found by what it is."""
    return ast.unparse(decorator).rpartition(".")[2] == "checkpoint"


def make_twin(given: str, function: FunctionType, cached: Any, namespace: dict[str, Any] | None) -> Twin:
    """A function of the namespace as a tree. Raises CannotInterleave where its source is not there."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        tree, source = ast.Module([], []), ""
    found: Any = None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            found = node
            break
        if isinstance(node, ast.Lambda) and function.__name__ == "<lambda>":
            if found is not None and ast.dump(found) != ast.dump(node):
                found = None
                break
            found = node
    if found is None:
        raise CannotInterleave(f"the source of {given} cannot be found; define it in the cell")
    allowed = 1 if cached is not None else sum(map(_is_checkpoint, getattr(found, "decorator_list", [])))
    if len(getattr(found, "decorator_list", [])) > allowed:
        raise CannotInterleave(f"{given} has a decorator, which cannot be interleaved")
    env = dict(inspect.getclosurevars(function).nonlocals)
    space: dict[str, Any] = function.__globals__ if namespace is None else namespace
    if env:
        space = {**space, **env}
    scope = Scope(found, None, bound_in(found), space, shared=shared_in(found))
    twin = Twin(found, given, scope, source, 0, True, cells=namespace is not None)
    scope.twin = twin
    return twin
