"""Replacing objects in everything that the user's namespace holds.

Used twice: before a run, to put stand-ins in the place of functions that were bound early (`from math import exp`, a
default argument, a list of functions); after it, to leave plain numbers where active ones are. It goes into
containers, closures, default arguments, classes and instances of the user's own classes, never into libraries; of the
globals of a function into those that it names.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

from .codes import imported, names_of
from .users import is_users, is_users_code

BARE = frozenset((int, float, bool, complex, str, bytes, type(None), range, slice))
ATOMS = BARE | {BuiltinFunctionType}
MEMO = type(functools.lru_cache(len))
HOLDERS = frozenset(("collections", "queue"))  # where classes keep what they are given: ChainMap, UserList, Queue
DEEPEST = 200  # tuples in tuples deeper than this are left alone

Swap = Callable[[Any], Any]  # an object -> what stands in its place (itself, where nothing does)
Undo = Callable[[], None]


class Walk:
    """One walk. `undo` is a list of functions that take back each replacement where it still stands."""

    def __init__(self, swap: Swap, leaves: Container[int] = ()) -> None:
        """`leaves` are the ids of what it does not go into."""
        self.swap = swap
        self.leaves = leaves
        self.undo: list[Undo] = []
        self.functions: list[FunctionType] = []  # the user's, that it came to
        self.whole: set[int] = set()  # ids of namespaces of which it took every name
        self.seen: set[int] = set()
        self.alive: list[Any] = []  # what was seen stays alive, else an id could come again
        self.stack: list[Any] = []
        self.depth = 0  # of tuples in tuples

    def run(self, namespace: dict[str, Any], skip: Any = (), functions: Sequence[FunctionType] = ()) -> None:
        """Walk everything that the namespace holds, except the names in `skip`; and what these functions hold."""
        self.seen.add(id(namespace))
        self.whole.add(id(namespace))
        for name in [name for name in namespace if name not in skip and name != "__builtins__"]:
            self._item(namespace, name)
        for function in functions:
            self._replace(function)
        self._drain()

    def run_object(self, root: Any) -> Any:
        """Walk what an object holds and return what stands in its place."""
        root = self._replace(root)
        self._drain()
        return root

    def _drain(self) -> None:
        while self.stack:
            self._visit(self.stack.pop())

    def _replace(self, value: Any) -> Any:
        """What stands in the place of a value; a mutable value that stays is put on the stack."""
        kind = type(value)
        if kind in BARE:
            return value
        new = self.swap(value)
        if new is not value:
            held = getattr(value if kind is MEMO else new, "__wrapped__", None) if MEMO in (kind, type(new)) else None
            if held is not None:  # what is behind a cache is called all the same
                self._push(held)
            return new
        if kind is BuiltinFunctionType or (kind is ModuleType and not is_users(value.__name__)):
            return value
        if isinstance(value, tuple):
            return self._tuple(value)
        if isinstance(value, (staticmethod, classmethod)):
            inner = self._replace(value.__func__)
            return value if inner is value.__func__ else kind(inner)
        if isinstance(value, frozenset):
            items = [self._replace(x) for x in value]
            return kind(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
        self._push(value)
        return value

    def _push(self, value: Any) -> None:
        if id(value) not in self.seen and id(value) not in self.leaves:
            self.seen.add(id(value))
            self.alive.append(value)
            self.stack.append(value)

    def _tuple(self, value: tuple[Any, ...]) -> Any:
        if set(map(type, value)) <= ATOMS and BuiltinFunctionType not in map(type, value):
            return value
        if self.depth > DEEPEST:
            return value
        self.depth += 1
        items = [self._replace(x) for x in value]
        self.depth -= 1
        if all(a is b for a, b in zip(items, value, strict=True)):
            return value
        return tuple.__new__(type(value), items) if type(value) is not tuple else tuple(items)

    def _item(self, container: Any, key: Any) -> None:
        """Replace container[key] (a dict or a list)."""
        old = container[key]
        new = self._replace(old)
        if new is not old:
            container[key] = new
            self.undo.append(lambda: _restore_item(container, key, old, new))

    def _attribute(self, owner: Any, name: str, old: Any) -> None:
        new = self._replace(old)
        if new is old:
            return
        put = type.__setattr__ if isinstance(owner, type) else object.__setattr__
        put(owner, name, new)

        def back() -> None:
            if getattr(owner, name, None) is new or isinstance(owner, type):
                put(owner, name, old)

        self.undo.append(back)

    def _visit(self, value: Any) -> None:
        if type(value) is FunctionType:
            self._function(value)
        elif isinstance(value, dict):
            self._dict(value)
        elif isinstance(value, (list, deque)):
            self._list(value)
        elif isinstance(value, set):
            self._set(value)
        elif isinstance(value, MethodType):
            self._replace(value.__func__)
            self._replace(value.__self__)
        elif isinstance(value, functools.partial):
            self._partial(value)
        elif isinstance(value, property):
            for function in (value.fget, value.fset, value.fdel):
                self._replace(function)
        elif isinstance(value, ModuleType):
            if is_users(value.__name__):
                self._namespace(vars(value))
        elif isinstance(value, type):
            if is_users(value.__module__):
                for name, attribute in list(vars(value).items()):
                    if name not in ("__dict__", "__weakref__", "__doc__", "__module__"):
                        self._attribute(value, name, attribute)
                for base in (*value.__bases__, type(value)):
                    self._replace(base)
        elif isinstance(value, GeneratorType):
            if value.gi_frame is not None:
                self._named(value.gi_frame.f_globals, value.gi_code)
                self._behind(value)
        elif has_users_state(type(value)):
            self._instance(value)
        else:
            self._behind(value)

    def _behind(self, value: Any) -> None:
        """An object of a library is left as it is, but it may call functions of the user's (np.vectorize(f))."""
        held = gc.get_referents(value)
        for _ in range(2):  # its attributes, and what is in them
            inner = [x.values() if type(x) is dict else x for x in held if type(x) in (dict, tuple, list)]
            held = [x for x in held if _leads_to_users(x)]
            held += [x for items in inner for x in items if type(x) not in ATOMS]
        for x in held:
            if _leads_to_users(x):
                self._push(x)

    def _dict(self, value: dict[Any, Any]) -> None:
        kinds = set(map(type, value.values())) | set(map(type, value))
        if kinds <= ATOMS and BuiltinFunctionType not in kinds:
            return
        keys = [self._replace(key) for key in value]
        if any(a is not b for a, b in zip(keys, value, strict=True)):
            items = list(zip(keys, value.values(), strict=True))
            value.clear()
            value.update(items)
        for key in list(value):
            self._item(value, key)

    def _list(self, value: Any) -> None:
        kinds = set(map(type, value))
        if kinds <= ATOMS and BuiltinFunctionType not in kinds:
            return
        for k in range(len(value)):
            self._item(value, k)

    def _set(self, value: set[Any]) -> None:
        if set(map(type, value)) <= ATOMS:
            return
        items = [self._replace(x) for x in value]
        if any(a is not b for a, b in zip(items, value, strict=True)):
            value.clear()
            value.update(items)

    def _function(self, value: FunctionType) -> None:
        for cell in value.__closure__ or ():
            for old in _contents(cell):
                self._cell(cell, old)
        if value.__defaults__:
            self._attribute(value, "__defaults__", value.__defaults__)
        for part in (value.__kwdefaults__, value.__dict__, _annotations(value)):
            if part:
                self._replace(part)
        namespace = value.__globals__
        if is_users_code(namespace):  # value.__module__ would be that of what it wraps
            self.functions.append(value)
            self._named(namespace, value.__code__)

    def _cell(self, cell: CellType, old: Any) -> None:
        new = self._replace(old)
        if new is not old:
            cell.cell_contents = new
            self.undo.append(lambda: setattr(cell, "cell_contents", old) if cell.cell_contents is new else None)

    def _partial(self, value: functools.partial[Any]) -> None:
        old = value.__reduce__()[2]
        new = (self._replace(value.func), self._tuple(value.args), dict(value.keywords), old[3])
        for key in new[2]:
            new[2][key] = self._replace(new[2][key])
        if (
            new[0] is not value.func
            or new[1] is not value.args
            or any(new[2][k] is not v for k, v in value.keywords.items())
        ):
            partial: Any = value
            put = partial.__setstate__  # how copy and pickle set its state
            put(new)
            self.undo.append(lambda: put(old))

    def _instance(self, value: Any) -> None:
        state = getattr(value, "__dict__", None)
        if isinstance(state, dict) and id(state) not in self.seen:
            self.seen.add(id(state))
            self.alive.append(state)
            self._dict(state)
        for name in _slots(type(value)):
            try:
                old = object.__getattribute__(value, name)
            except AttributeError:
                continue
            self._attribute(value, name, old)
        self._replace(type(value))

    def _named(self, namespace: dict[str, Any], code: CodeType) -> None:
        """Go into what a function may reach in its globals, and into modules of the user's that it imports."""
        names = names_of(code)
        if names is None:
            self._namespace(namespace)
        elif id(namespace) not in self.whole:
            for name in names:
                if name in namespace and not name.startswith("__"):
                    self._item(namespace, name)
        for module in imported(code, namespace):
            self._replace(module)

    def _namespace(self, namespace: dict[str, Any]) -> None:
        if id(namespace) in self.whole:
            return
        self.seen.add(id(namespace))
        self.whole.add(id(namespace))
        for name in [name for name in namespace if not name.startswith("__")]:
            self._item(namespace, name)


def _restore_item(container: Any, key: Any, old: Any, new: Any) -> None:
    try:
        if container[key] is new:
            container[key] = old
    except (KeyError, IndexError):
        pass  # the program took it away itself


def _annotations(function: FunctionType) -> Any:
    try:
        return function.__annotations__
    except NameError:  # Python 3.14 looks them up when asked
        return None


def _leads_to_users(value: Any, depth: int = 3) -> bool:
    """Whether a value is a function of the user's, or one that calls such."""
    kind = type(value)
    if kind is FunctionType:
        if is_users_code(value.__globals__):
            return True
        inner = [x for cell in value.__closure__ or () for x in _contents(cell)]
    elif kind is MethodType:
        inner = [value.__func__, value.__self__]
    elif isinstance(value, functools.partial):
        inner = [value.func]
    elif kind is MEMO:
        inner = [value.__wrapped__]
    elif isinstance(value, type):
        return is_users(value.__module__)
    else:
        return kind is not ModuleType and is_users(kind.__module__)
    return depth > 0 and any(_leads_to_users(x, depth - 1) for x in inner)


def _contents(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # an empty one
        return ()


def has_users_state(kind: type) -> bool:
    """Whether objects of a class hold what the user has put there: the walk goes into them."""
    return is_users(kind.__module__) or kind in (SimpleNamespace, dataclasses.Field) or kind.__module__ in HOLDERS


def _slots(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                mangled = name.startswith("__") and not name.endswith("__")
                yield f"_{base.__name__.lstrip('_')}{name}" if mangled else name
