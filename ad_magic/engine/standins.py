"""Stand-ins: while a cell runs, functions that would turn an active number into a plain one are replaced.

`math`, `cmath`, `statistics` and `functools` get them as attributes; the user's namespace and his own modules get them
under the names that they had bound early, and for a few builtins. All of it is taken back, also after an exception.
"""

from __future__ import annotations

import ast
import contextlib
import dis
import functools
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from . import texts
from .active import Active, after_run
from .codes import called_in, calls_name, calls_type_of_numpy, names_of
from .complexes import Complex, plain_complex
from .interrupts import Guard
from .library import BUILTINS, TYPE_OF, TYPES, Memo, is_users_cache
from .placing import Module, Modules, load_named, modules_of, take_back
from .users import is_users, is_users_code
from .walk import MEMO, Walk


@contextlib.contextmanager
def standing_in(namespace: dict[str, Any], tree: ast.AST | None = None, skip: Any = ()) -> Iterator[Guard]:
    """Put the stand-ins in place for the time of the block, in the modules and in everything the namespace holds.

    `tree` is the cell that is about to run. Afterwards active numbers in the namespace are plain ones. Ctrl-C stops the
    block only; who cleans up in the block closes the guard first.
    """
    types = tree is not None and calls_type_of_numpy(_called_in(tree), {**_aliases(tree), **namespace})
    modules = modules_of(tree, types)
    loaded = last_loaded()
    placed: list[Placed] = []
    walks: list[Walk] = []
    in_modules: list[Module] = []
    guard = Guard()
    open_runs.append(namespace)
    try:
        watching = _may_write(namespace, tree)
        walk = _walk(namespace, skip, modules, watching, walks)
        writing = any(writes(function.__code__) for function in walk.functions)
        calling = any(calls_type_of_numpy(called_in(f.__code__), f.__globals__) for f in walk.functions)
        loading = load_named(function.__code__ for function in walk.functions)
        if (writing and not watching) or (calling and not types) or loading:
            watching = watching or writing
            modules = modules_of(tree, types or calling)
            _walk(namespace, skip, modules, watching, walks)
        for names, codes in _by_namespace(namespace, tree, walk.functions):
            wanted = wanted_builtins(codes, tree if names is namespace else None)
            placed += place_builtins((names, name, stand_in) for name, stand_in in wanted.items())
        in_modules = modules.put()
        with numpy_watched(watching):
            guard.let_through()
            try:
                yield guard
            finally:
                guard.open = False
    finally:
        guard.open = False
        take_back(in_modules)
        for walk in reversed(walks):
            for undo in reversed(walk.undo):
                undo()
        remove_builtins(placed)
        make_plain(namespace, modules, loaded, skip, [function for walk in walks for function in walk.functions])
        open_runs.pop()
        if not open_runs:
            texts.forget()
        guard.done()


open_runs: list[Any] = []  # what is run, and what that runs
Placed = tuple[dict[str, Any], str, Any]  # a stand-in for a builtin: in which namespace, the name, and it


def _walk(namespace: dict[str, Any], skip: Any, modules: Modules, watching: bool, walks: list[Walk]) -> Walk:
    """Put the stand-ins in place in everything the namespace holds. The walk is in the list before it begins."""

    def swap(value: Any) -> Any:
        if type(value) is MEMO:
            return Memo(value) if is_users_cache(value) else value
        if type(value).__name__ == "ndarray":
            return in_place_of(value, watching)
        return modules.forth.get(id(value), value)

    walk = Walk(swap, modules.back)
    walks.append(walk)
    walk.run(namespace, skip)
    return walk


def _called_in(tree: ast.AST) -> Iterator[str]:
    """The names that a program calls, or maps."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            mapping = isinstance(node.func, ast.Name) and node.func.id == "map"
            for of in (node.func, *node.args[:1]) if mapping else (node.func,):
                name = of.attr if isinstance(of, ast.Attribute) else getattr(of, "id", None)
                if name is not None:
                    yield name


def _aliases(tree: ast.AST) -> dict[str, Any]:
    """What a program imports from NumPy under another name."""
    found = [
        x for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "numpy" for x in node.names
    ]
    return {x.asname: getattr(sys.modules.get("numpy"), x.name, None) for x in found if x.asname}


def _by_namespace(
    namespace: dict[str, Any], tree: ast.AST | None, functions: list[FunctionType]
) -> list[tuple[dict[str, Any], list[CodeType]]]:
    """The functions by their globals; the cell's own namespace too."""
    found: dict[int, tuple[dict[str, Any], list[CodeType]]] = {}
    if tree is not None:
        found[id(namespace)] = namespace, []
    for function in functions:
        names = function.__globals__
        found.setdefault(id(names), (names, []))[1].append(function.__code__)
    return list(found.values())


def last_loaded() -> tuple[int, str, Any]:
    """How many modules there are, and the one that was loaded last: where both are the same later, none is new."""
    name = next(reversed(sys.modules))
    return len(sys.modules), name, sys.modules[name]


def _is_ours(value: Any) -> bool:
    kind = type(value)
    return kind in Active.types or (kind.__name__ in ("Array", "Buffer") and kind.__module__.startswith("ad_magic."))


def in_place_of(array: Any, watching: bool) -> Any:
    """What stands in the place of a plain array: one that notices what is written to it, where that may happen."""
    if array.dtype.kind not in "fc":
        return array if array.dtype.kind != "i" or not watching else _buffer(array)
    from .arrays.memory import memory_of

    return _buffer(array) if watching or memory_of(array) is not None else array


def _buffer(array: Any) -> Any:
    from .arrays.buffers import Buffer

    return array.view(Buffer)


def numpy_watched(watching: bool) -> contextlib.AbstractContextManager[None]:
    """For the time of the block NumPy makes arrays that notice what is written to them."""
    if "numpy" not in sys.modules:
        return contextlib.nullcontext()
    from .arrays.numpy_standins import WATCHING, watching_arrays

    if WATCHING and WATCHING[-1] == watching:  # so it is in the run that this one is in
        return contextlib.nullcontext()
    return watching_arrays(watching)


_WRITING = frozenset(  # and methods of a plain array that would not hand over, as a.dot(x)
    (
        "dot", "clip", "choose", "searchsorted", "repeat", "compress", "take", "put", "fill", "sort",
        "partition", "resize", "copyto", "place", "putmask", "fill_diagonal", "put_along_axis", "at",
        "shuffle", "itemset", "setfield"
    )
)  # fmt: skip


def _may_write(namespace: dict[str, Any], tree: ast.AST | None) -> bool:
    """Whether the program may write into an array: the cell, or a function that the namespace holds."""
    if tree is not None:
        for node in ast.walk(tree):
            if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)):
                return True
            if isinstance(node, ast.Attribute) and (node.attr in _WRITING or isinstance(node.ctx, ast.Store)):
                return True
            if isinstance(node, ast.Name) and node.id in ("exec", "eval"):
                return True
            if isinstance(node, ast.keyword) and node.arg == "out":
                return True
            if isinstance(node, ast.Call) and _gives_out(node):
                return True
    for value in list(namespace.values()):
        if isinstance(value, ModuleType) and is_users(value.__name__):
            return True
        methods = list(vars(value).values()) if isinstance(value, type) and is_users(value.__module__) else [value]
        for function in methods:
            code = getattr(function, "__code__", None)
            if isinstance(code, CodeType) and is_users_code(function.__globals__) and writes(code):
                return True
    return False


def _gives_out(call: ast.Call) -> bool:
    """Whether a ufunc is called with one argument more than it takes: that is what it writes to."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    ufunc = vars(sys.modules["numpy"]).get(name) if "numpy" in sys.modules else None
    return len(call.args) > getattr(ufunc, "nin", len(call.args))


@functools.cache
def writes(code: CodeType) -> bool:
    if not _WRITING.isdisjoint(code.co_names) or any("out" in c for c in code.co_consts if isinstance(c, tuple)):
        return True
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_SUBSCR", "STORE_SLICE"):
            return True
        if instruction.opname == "BINARY_OP" and instruction.argrepr.endswith("="):
            return True
    return any(writes(inner) for inner in code.co_consts if isinstance(inner, CodeType))


def make_plain(
    namespace: dict[str, Any],
    modules: Modules,
    loaded: tuple[int, str, Any],
    skip: Any = (),
    functions: Sequence[FunctionType] = (),
) -> None:
    """Leave plain numbers and real functions in everything that the namespace and these functions hold.

    `loaded` is what `last_loaded` said before the run.
    """
    back = modules.back
    if loaded != last_loaded() and len(open_runs) < 2:  # modules that it has imported may have bound a stand-in
        for name in list(reversed(sys.modules)):
            if name == loaded[1]:
                break
            names = getattr(sys.modules[name], "__dict__", {}) if not name.startswith("ad_magic.engine") else {}
            for key, value in list(names.items()):
                if id(value) in back:
                    names[key] = back[id(value)]
    seen: dict[int, Any] = {}
    inner = len(open_runs) > 1  # then the run that this one is in still needs its stand-ins, and takes them back itself

    def one_plain(value: Any) -> Any:
        if inner and (id(value) in back or type(value) is Memo):
            return value
        state = getattr(value, "__dict__", None)
        if type(state) is dict and not isinstance(value, (type, ModuleType, FunctionType)):
            for name, held in list(state.items()):  # an object of a library may have been given an active array to keep
                if _is_ours(held):
                    state[name] = one_plain(held)
        if isinstance(value, BaseException) and any(map(_is_ours, value.args)):
            value.args = tuple(map(one_plain, value.args))
        if isinstance(value, MethodType) and _is_ours(value.__self__):
            return getattr(one_plain(value.__self__), value.__name__)
        if type(value).__name__ != "Buffer":
            return plain(value, back)
        if id(value) not in seen:  # the same array in two places is the same one afterwards
            seen[id(value)] = value, plain(value, back)
        return seen[id(value)][1]

    Walk(one_plain, back).run(namespace, skip, functions)


def plain_in(value: Any) -> Any:
    """A value with plain numbers in the place of active ones, also in what it holds."""
    return Walk(plain).run_object(value)


def plain(value: Any, back: dict[int, Any] | None = None) -> Any:
    """The plain object for a number of a closed run, a complex number of such, a memo, a stand-in; else itself."""
    kind = type(value)
    if kind in Active.types:
        return after_run(value)
    if kind is Complex:
        value = Complex(plain(value.real), plain(value.imag))
        return value if any(type(x) in Active.types for x in (value.real, value.imag)) else plain_complex(value)
    if kind is Memo:
        return value.original
    if kind.__name__ == "Array" and hasattr(kind, "__array_ufunc__"):
        from .arrays.array import plain as plain_array

        return plain_array(value)
    if kind.__name__ == "Dense" and kind.__module__.startswith("ad_magic."):
        return value.plain if value.over else value
    if kind.__name__ == "Buffer":
        from .arrays.buffers import unwrapped
        from .arrays.numpy_standins import WATCHING

        return value if WATCHING else unwrapped(value)  # it still serves the run that this one is in
    if kind.__name__ == "ndarray" and value.dtype == object and any(type(x) in Active.types for x in value.flat):
        for k, x in enumerate(value.flat):
            value.flat[k] = plain(x)
        return value
    if back and callable(value):
        return back.get(id(value), value)
    return value


def wanted_builtins(codes: Sequence[CodeType], tree: ast.AST | None = None) -> dict[str, Any]:
    """The stand-ins for builtins that a cell `tree`, or functions with these codes, may look up, by name."""

    def called(name: str) -> bool:
        return (tree is not None and calls(tree, name)) or any(calls_name(code, name) for code in codes)

    used = [names_of(code) for code in codes]
    every = tree is not None or None in used
    wanted = {name: stand_in for name, stand_in in BUILTINS.items() if every or any(name in u for u in used if u)}
    wanted |= {name: stand_in for name, stand_in in TYPES.items() if called(name)}
    if called("type") and not (tree is not None and mentions(tree, "type")):
        wanted["type"] = TYPE_OF["float" in wanted]
    return wanted


def place_builtins(wanted: Iterable[Placed]) -> list[Placed]:
    """Put stand-ins for builtins into namespaces that do not have these names themselves; returns those that were put:
    what stands there already is that of the run that this one is in."""
    placed = [one for one in wanted if one[1] not in one[0]]
    for names, name, stand_in in placed:
        names[name] = stand_in
    return placed


def remove_builtins(placed: list[Placed]) -> None:
    for names, name, stand_in in placed:
        if names.get(name) is stand_in:
            del names[name]


def calls(tree: ast.AST, name: str) -> bool:
    """Whether a program calls name(…) of something that it computed, or a method of it, or maps it over something.

    >>> calls(ast.parse("y = float(x)"), "float"), calls(ast.parse("isinstance(x, float); float('inf')"), "float")
    (True, False)
    >>> calls(ast.parse("float.fromhex(text)"), "float")
    True
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                if node.func.value.id == name:
                    return True
                continue
            names = [a.id if isinstance(a, ast.Name) else None for a in (node.func, *node.args[:1])]
            constant = all(isinstance(a, ast.Constant) for a in node.args)
            if (names[0] == name and not constant) or names[:2] == ["map", name]:
                return True
    return False


def mentions(tree: ast.AST, name: str) -> bool:
    """Whether a program uses a name otherwise than to call it.

    >>> mentions(ast.parse("class M(type): pass"), "type"), mentions(ast.parse("type(x)"), "type")
    (True, False)
    """
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return any(isinstance(node, ast.Name) and node.id == name and id(node) not in called for node in ast.walk(tree))
