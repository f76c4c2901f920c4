"""Running a function under the stand-ins. What a simple function can reach is remembered from one call to the next.

A function is simple where all that it can reach is functions of the user's, numbers, arrays, and functions and modules
of libraries: nothing that could change without one of its names getting another value. Whether one has is asked before
each call, and after it, when an active number may have been left somewhere. Any other function is walked.
"""

from __future__ import annotations

import builtins
import functools
import sys
import weakref
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any

from . import boundary, texts
from .active import Active
from .codes import called_in, calls_type_of_numpy, changes_nothing, imported, names_of
from .frames import is_ours
from .library import BUILTINS, TYPE_OF, TYPES
from .placing import Modules, Part, load_named, modules_of, put_some, take_back, take_some_back
from .standins import (
    Placed,
    last_loaded,
    make_plain,
    numpy_watched,
    open_runs,
    place_builtins,
    remove_builtins,
    standing_in,
    wanted_builtins,
    writes,
)
from .tape import Columns, Tape
from .users import is_users, is_users_code
from .walk import ATOMS, BARE

_MISSING = object()


def plan_for(f: Callable[..., Any], args: Sequence[Any], options: dict[str, Any]) -> Plan | None:
    """The plan of a function that is called with these arguments; None where it or one of them is not simple."""
    plan = plan_of(f) if type(f) is FunctionType else None
    if plan is None or not (all(map(plan.takes, args)) and all(map(plan.takes, options.values()))):
        return None
    return plan


def call(
    f: Callable[..., Any],
    args: Sequence[Any],
    options: dict[str, Any],
    tape: Tape,
    read: Callable[[Any], Any],
    plan: Plan | None,
) -> tuple[Any, Columns]:
    """`read` of what f gives under the stand-ins, and the columns of the run, which is closed then."""
    if plan is None:
        return _call_walked(f, args, options, tape, read)
    loaded = last_loaded()
    open_runs.append(f)
    in_place = plan.put()
    try:
        try:
            with numpy_watched(plan.watching):
                output = read(f(*args, **options))
        finally:
            columns = tape.close()
    finally:
        plan.take_back(in_place)
        if not plan.holds(f) or loaded != last_loaded():
            reached: list[Any] = [f, *(state[0] for state in plan.functions)]
            make_plain({"f": f}, plan.modules, loaded, functions=reached)
        open_runs.pop()
        if not open_runs:
            texts.forget()
    return output, columns


def _call_walked(
    f: Any, args: Sequence[Any], options: dict[str, Any], tape: Tape, read: Callable[[Any], Any]
) -> tuple[Any, Columns]:
    active = [_is_active(x) for x in args]
    held: dict[str, Any] = {
        "f": f,
        "args": [None if on else x for x, on in zip(args, active, strict=True)],
        "options": {**options},
    }
    with standing_in(held):
        try:
            now = [x if on else y for x, y, on in zip(args, held["args"], active, strict=True)]
            output = read(held["f"](*now, **held["options"]))
        finally:
            columns = tape.close()
    return output, columns


def _is_active(x: Any) -> bool:
    return type(x) in Active.types or type(x).__name__ == "Array"


class _NotSimple(Exception):
    """A function reaches something that may change by itself."""


class Plan:
    """What a simple function can reach, as it was when it was looked at, and what is to be put in place for it."""

    __slots__ = (
        "arrays", "builtins", "cells", "first", "functions", "items", "modules", "parts", "replaced", "steady",
        "watching", "weak",
    )  # fmt: skip

    def __init__(self, f: FunctionType, modules: Modules) -> None:
        self.modules = modules
        self.first = f.__code__, f.__defaults__  # not f itself: a plan that is kept must not keep it alive
        self.functions: list[tuple[FunctionType, CodeType, Any]] = []  # the others: each, its code, its defaults
        self.items: list[tuple[dict[str, Any], str, Any]] = []  # globals, by their namespace
        self.weak: list[tuple[dict[str, Any], str, Any]] = []  # those that are arrays: they are not kept alive
        self.cells: list[tuple[CellType, Any]] = []
        self.replaced: list[tuple[Any, Any, Any, Any]] = []  # a namespace or a cell, name; the value, its stand-in
        self.builtins: list[Placed] = []
        self.parts: list[Part] | None = None  # the stand-ins that it may look up; None where that cannot be told
        self.watching = False
        self.steady = False  # whether it can be seen that no array changes while it runs
        self.arrays = False  # whether there are arrays among what it reaches

    def takes(self, x: Any) -> bool:
        """Whether an argument is as simple."""
        kind = type(x)
        if kind in BARE or kind in Active.types:
            return True
        return kind.__name__ == "Array" or (_is_array(x) and not self.watching)

    def holds(self, f: Any) -> bool:
        """Whether all that f can reach is as it was."""
        if f.__code__ is not self.first[0] or f.__defaults__ is not self.first[1] or (f.__dict__ and _keeps(f)):
            return False
        for function, code, defaults in self.functions:
            if function.__code__ is not code or function.__defaults__ is not defaults or function.__dict__:
                return False
        for namespace, name, value in self.items:
            if _own(namespace, name) is not value:
                return False
        for namespace, name, ref in self.weak:
            if namespace.get(name, _MISSING) is not ref():
                return False
        for cell, value in self.cells:
            try:
                if cell.cell_contents is not value:
                    return False
            except ValueError:
                return False
        return True

    def put(self) -> tuple[list[Placed], list[Any]]:
        """Put everything in place; returns what `take_back` needs to know."""
        for place, name, _, stand_in in self.replaced:
            _set(place, name, stand_in)
        placed = place_builtins(self.builtins)
        return placed, self.modules.put() if self.parts is None else put_some(self.parts)

    def take_back(self, put: tuple[list[Placed], list[Any]]) -> None:
        placed, in_place = put
        (take_back if self.parts is None else take_some_back)(in_place)
        for place, name, value, stand_in in self.replaced:
            if _get(place, name) is stand_in:
                _set(place, name, value)
        remove_builtins(placed)


def _own(namespace: dict[str, Any], name: str) -> Any:
    """What the user's namespace has under a name; a stand-in for a builtin, which another run has put there, is not."""
    value = namespace.get(name, _MISSING)
    return _MISSING if id(value) in _FOR_BUILTINS else value


_FOR_BUILTINS = frozenset(map(id, (*BUILTINS.values(), *TYPES.values(), *TYPE_OF.values())))


def _set(place: Any, name: str | None, value: Any) -> None:
    if name is None:
        place.cell_contents = value
    else:
        place[name] = value


def _get(place: Any, name: str | None) -> Any:
    return place.cell_contents if name is None else place.get(name)


# ---- making a plan -------------------------------------------------------------------------------


def plan_of(f: FunctionType) -> Plan | None:
    """The plan of a function as it is now; None where it is not simple."""
    modules = modules_of(None)
    plan = _plans.get(f)
    if plan is not None and plan.modules is modules and plan.holds(f):
        return plan
    look = _Look(f, modules)
    try:
        look.go()
    except _NotSimple:
        return None
    if look.lasting:
        _plans[f] = look.plan
    return look.plan


_plans: weakref.WeakKeyDictionary[FunctionType, Plan] = weakref.WeakKeyDictionary()


class _Look:
    """One look at all that a function can reach. Raises _NotSimple."""

    def __init__(self, f: FunctionType, modules: Modules) -> None:
        self.f = f
        self.plan = Plan(f, modules)
        self.stack = [f]
        self.seen = {id(f)}
        self.names: set[str] = set()
        self.lasting = True  # whether the plan can be kept: it must not keep the function alive
        self.known = True  # whether all that looks up a name in a module is known
        self.reached: set[str] = set()  # the modules in which names may be looked up

    def go(self) -> None:
        f = self.f
        if not _is_derivative(f) and (is_ours(f.__code__) or not is_users_code(f.__globals__)):
            raise _NotSimple  # a stand-in, or a function of a library, which may have one
        while self.stack:
            self._function(self.stack.pop())
        plan = self.plan
        reached = [(self.f, self.f.__code__), *((function, code) for function, code, _ in plan.functions)]
        plan.watching = any(writes(code) for _, code in reached)
        if plan.arrays and (plan.watching or memory_is_open()):
            raise _NotSimple  # arrays that notice what is written to them are put in their place
        codes: dict[int, tuple[dict[str, Any], list[CodeType]]] = {}
        for function, code in reached:
            codes.setdefault(id(function.__globals__), (function.__globals__, []))[1].append(code)
        for namespace, those in codes.values():
            for name, stand_in in wanted_builtins(those).items():
                if namespace.get(name, stand_in) is stand_in:
                    plan.builtins.append((namespace, name, stand_in))
        if self.known and self.names.isdisjoint(_unknown_names(plan.modules)):
            plan.parts = plan.modules.some(self.names, self.reached)
            plan.steady = not plan.watching and all(changes_nothing(code) for _, code in reached)

    def _function(self, function: FunctionType) -> None:
        self._cells(function)
        if _is_derivative(function):  # that is all they can reach of the user's
            self.known = False
            return
        namespace, code = function.__globals__, function.__code__
        names = names_of(code)
        if names is None or function.__kwdefaults__ or function.__dict__:
            raise _NotSimple
        if load_named((code,)):  # the modules for this run have changed
            raise _NotSimple
        if calls_type_of_numpy(called_in(code), namespace):  # there are stand-ins for these where they are called
            raise _NotSimple
        if function is not self.f:
            self.plan.functions.append((function, code, function.__defaults__))
        self.names.update(names)
        if getattr(sys.modules.get(namespace.get("__name__", "")), "__dict__", None) is not namespace:
            self.lasting = False
        for value in function.__defaults__ or ():
            if self._value(value) is not value:
                raise _NotSimple
        for name in names:
            self._global(namespace, name)
        for module in imported(code, namespace):
            if module is None:
                raise _NotSimple
            self._value(module)

    def _cells(self, function: FunctionType) -> None:
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:
                raise _NotSimple from None
            new = self._value(value)
            self.plan.cells.append((cell, value))
            if new is not value:
                self.plan.replaced.append((cell, None, value, new))

    def _global(self, namespace: dict[str, Any], name: str) -> None:
        value = _own(namespace, name)
        if value is _MISSING:
            self.plan.items.append((namespace, name, value))
            usual = vars(builtins).get(name)
            if usual is not None and not isinstance(usual, (BuiltinFunctionType, type, bool)):
                self.known = False
            return
        new = self._value(value)
        if _is_array(value):
            self.plan.weak.append((namespace, name, weakref.ref(value)))
        else:
            self.plan.items.append((namespace, name, value))
        if new is not value:
            self.plan.replaced.append((namespace, name, value, new))

    def _value(self, value: Any) -> Any:
        """What stands in the place of a value; a function of the user's is put on the stack."""
        kind = type(value)
        modules = self.plan.modules
        if kind in BARE or id(value) in modules.back:
            return value
        if id(value) in modules.forth:
            return modules.forth[id(value)]
        if kind is FunctionType:
            self._is_function(value)
        elif _is_array(value):
            self.plan.arrays = True
        elif kind is tuple:
            if any(self._value(x) is not x for x in value):
                raise _NotSimple
        elif kind is ModuleType:
            if is_users(value.__name__):
                raise _NotSimple
            self.known = self.known and value.__name__ in _KNOWN
            self.reached.update((value.__name__, *_KNOWN.get(value.__name__, ())))
        elif isinstance(value, type):
            if is_users(value.__module__):
                raise _NotSimple
            self.known = self.known and (value.__module__ == "builtins" or _is_scalar_type(value))
        elif kind is BuiltinFunctionType:
            if value in _DYNAMIC:
                raise _NotSimple
            self.known = self.known and getattr(value.__self__, "__name__", "") in ("builtins", "math", "cmath")
        elif kind in Active.types or kind.__name__ == "Array":
            if value.tape.values is None:
                raise _NotSimple
        elif kind.__module__ == "ad_magic.engine.own":  # a rule of the user's own: its function gets plain numbers
            self.known = self.known and value.rule.function is None
        elif kind.__module__ == "numpy" and kind.__name__ in ("ufunc", "_ArrayFunctionDispatcher"):
            self.known = self.known and kind.__name__ == "ufunc"
        elif kind.__module__.startswith("numpy.random."):
            self.known = False
        elif not _is_scalar_type(kind):
            raise _NotSimple
        return value

    def _is_function(self, value: FunctionType) -> None:
        if value is self.f:
            self.lasting = False
        if id(value) in self.seen:
            return
        if _is_derivative(value) or is_users_code(value.__globals__):
            self.seen.add(id(value))
            self.stack.append(value)
        elif value.__closure__ or value.__dict__:
            raise _NotSimple
        else:
            self.known = False


def _keeps(function: FunctionType) -> bool:
    """Whether of the attributes of a function one may come from a run: a derivative of ours is born with one."""
    return not _is_derivative(function) or len(function.__dict__) > 1


def _is_derivative(function: FunctionType) -> bool:
    """Whether it is one of ours, as grad(f) is: all that it can reach of the user's is in its cells."""
    home = function.__globals__.get("__name__") or ""
    return home.startswith("ad_magic.transforms.") or home == boundary.__name__


_DYNAMIC = (eval, exec, globals, vars, __import__)
_KNOWN: dict[str, tuple[str, ...]] = {  # with the modules that are in them
    "math": (),
    "cmath": (),
    "numpy": ("numpy.linalg", "numpy.fft"),
    "numpy.linalg": (),
    "numpy.fft": (),
}


def _is_array(x: Any) -> bool:
    """Whether x is a plain array of numbers."""
    kind = type(x)
    return kind.__name__ == "ndarray" and kind.__module__ == "numpy" and x.dtype.kind in "fciub"


def _is_scalar_type(kind: type) -> bool:
    """Whether it is the type of the numbers in an array."""
    return kind.__module__ == "numpy" and any(base.__name__ in ("number", "bool_", "bool") for base in kind.__mro__)


def memory_is_open() -> bool:
    """Whether active numbers may stand in the memory of a plain array."""
    memory = sys.modules.get("ad_magic.engine.arrays.memory")
    return memory is not None and bool(memory.OPEN)


@functools.cache
def _unknown_names(modules: Modules) -> frozenset[str]:
    """Names of which it cannot be told what is looked up by what they stand for."""
    names = {"getattr", "__getattribute__", "__getattr__", "__dict__", "attrgetter", "methodcaller"}
    for m in modules.modules:
        if m.name not in _KNOWN:
            continue
        module = sys.modules[m.name]
        for name in {*dir(module), *getattr(module, "__all__", ())} - m.stand_ins.keys() - {"linalg", "fft"}:
            value = vars(module).get(name, module)
            plain = type(value) in ATOMS or type(value).__name__ == "ufunc"
            if not plain and not (isinstance(value, type) and _is_scalar_type(value)):
                names.add(name)
    return frozenset(names)
