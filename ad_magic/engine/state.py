"""What stands in all that a function reads and reaches: noted, compared with what stands there later, and put back."""

from __future__ import annotations

import dis
import functools
from collections import deque
from collections.abc import Callable, Container, Iterator
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any

from .frames import is_ours
from .lifting import Reads
from .users import in_library
from .walk import has_users_state

NOTHING = object()
_LONG = 10_000  # of a list that is longer only what comes behind its end is looked at


class Place:
    """A variable that a function reads: where it stands, and what stood there."""

    __slots__ = ("holder", "key", "value")

    def __init__(self, holder: Any, key: Any, value: Any) -> None:
        """The holder is a dict or a list, a cell (no key), or an object with an attribute of that name."""
        self.holder, self.key, self.value = holder, key, value

    def get(self) -> Any:
        """What stands there now; `NOTHING` where it is gone."""
        try:
            if type(self.holder) is CellType:
                return self.holder.cell_contents
            if isinstance(self.holder, (dict, list)):
                return self.holder[self.key]
            return getattr(self.holder, self.key)
        except (KeyError, IndexError, AttributeError, ValueError):
            return NOTHING

    def put(self, value: Any) -> None:
        """Let a value stand there."""
        if type(self.holder) is CellType:
            if value is NOTHING:
                del self.holder.cell_contents
            else:
                self.holder.cell_contents = value
        elif isinstance(self.holder, dict):
            if value is NOTHING:
                self.holder.pop(self.key, None)
            else:
                self.holder[self.key] = value
        elif isinstance(self.holder, list):
            if value is not NOTHING and self.key < len(self.holder):
                self.holder[self.key] = value
        elif value is not NOTHING:
            (type.__setattr__ if isinstance(self.holder, type) else object.__setattr__)(self.holder, self.key, value)

    @property
    def changed(self) -> bool:
        """Whether something else stands there now."""
        return self.get() is not self.value


class Items:
    """What stands in a list or a deque, of a long one behind its end; in a set; in a dict under new keys."""

    __slots__ = ("holder", "known", "value")

    def __init__(self, holder: Any) -> None:
        self.holder = holder
        if isinstance(holder, dict):  # what is under the others is a place each
            self.known: Any = set(holder)
        else:
            self.known = len(holder) if len(holder) >= _LONG and not isinstance(holder, set) else 0
        self.value = self.get()

    def get(self) -> Any:
        """What stands there now: a list, a set, or a dict."""
        if isinstance(self.holder, dict):
            return {key: value for key, value in self.holder.items() if key not in self.known}
        return set(self.holder) if isinstance(self.holder, set) else list(self.holder)[self.known :]

    def put(self, value: Any) -> None:
        """Let these stand there."""
        holder = self.holder
        if isinstance(holder, dict):
            for key in [key for key in holder if key not in self.known]:
                del holder[key]
            holder.update(value)
        elif isinstance(holder, set):
            holder.clear()
            holder.update(value)
        else:
            while len(holder) > self.known:
                holder.pop()
            holder.extend(value)

    @property
    def changed(self) -> bool:
        """Whether something else stands there now."""
        return bool(self.came()) or len(self.get()) != len(self.value)

    def came(self) -> list[Any]:
        """What stands there now and did not before."""
        now = self.get()
        if isinstance(now, dict):
            return list(now.values())
        if isinstance(now, set):
            before = set(map(id, self.value))
            return [x for x in now if id(x) not in before]
        new = [x for x, y in zip(now, self.value, strict=False) if x is not y]
        return [*new, *now[len(self.value) :]]


class State(Reads):
    """A walk through what functions read, which notes what stands where; nothing is replaced."""

    def __init__(self, swap: Callable[[Any], Any] = lambda x: x) -> None:
        super().__init__(swap)
        self.places: list[Place] = []
        self.items: list[Items] = []

    def _note(self, holder: Any, key: Any, old: Any) -> None:
        value = self._replace(old)
        if _is_variable(value):
            self.places.append(Place(holder, key, value))

    def _item(self, container: Any, key: Any) -> None:
        self._note(container, key, container[key])

    def _attribute(self, owner: Any, name: str, old: Any) -> None:
        self._note(owner, name, old)

    def _cell(self, cell: Any, old: Any) -> None:
        self._note(cell, None, old)

    def _partial(self, value: functools.partial[Any]) -> None:
        for part in (value.func, value.args, value.keywords):
            self._replace(part)

    def _function(self, value: FunctionType) -> None:
        super()._function(value)
        if is_ours(value.__code__) or in_library(value.__code__.co_filename):
            return
        self._replace(value.__dict__)
        for cell in value.__closure__ or ():
            if (place := Place(cell, None, NOTHING)).get() is NOTHING:
                self.places.append(place)
        for name in _assigned(value.__code__):
            if name not in value.__globals__:
                self.places.append(Place(value.__globals__, name, NOTHING))

    def _dict(self, value: dict[Any, Any]) -> None:
        self.items.append(Items(value))
        for key in list(value):
            self._item(value, key)

    def _list(self, value: Any) -> None:
        self.items.append(Items(value))
        super()._list(value)

    def _set(self, value: set[Any]) -> None:
        self.items.append(Items(value))

    def changes(self) -> list[Place | Items]:
        """Where something else stands now."""
        places = [place for place in self.places if not isinstance(place.holder, list) and place.changed]
        return [*[items for items in self.items if items.changed], *places]

    def put_back(self) -> None:
        """Let everything be as it was."""
        for spot in self.changes():
            spot.put(spot.value)


@functools.cache
def _assigned(code: CodeType) -> frozenset[str]:
    """The globals that a function assigns to, or a function in it."""
    found = {i.argval for i in dis.get_instructions(code) if i.opname == "STORE_GLOBAL"}
    return frozenset(found.union(*(_assigned(inner) for inner in code.co_consts if isinstance(inner, CodeType))))


def _is_variable(value: Any) -> bool:
    """Whether what stands in a place may be another thing later: no module, class or function of a library."""
    kind = type(value)
    if kind is FunctionType:
        return not is_ours(value.__code__) and not in_library(value.__code__.co_filename)
    return kind not in (ModuleType, BuiltinFunctionType, type) and not hasattr(value, "nin")


def is_number(x: Any, depth: int = 3) -> bool:
    """Whether something is a number that may have a derivative, or holds one."""
    return any(True for _ in numbers_in(x, depth))


def numbers_in(x: Any, depth: int = 3, known: Container[int] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The numbers that may have a derivative in (nested) containers and objects, each with the way to it: keys, and
    names of attributes. What is `known`, by its id, is not gone into."""
    if isinstance(x, (float, complex)) or getattr(getattr(x, "dtype", None), "kind", "") in ("f", "c"):
        yield (), x
    elif depth > 0 and id(x) not in known:
        for key, value in parts(x):
            for way, number in numbers_in(value, depth - 1, known):
                yield (key, *way), number


def parts(x: Any) -> list[tuple[Any, Any]]:
    """What a container or an object of the user's holds, by key or by name."""
    if isinstance(x, dict):
        return list(x.items())
    if isinstance(x, (list, tuple, deque)):
        return list(enumerate(x))
    if isinstance(x, (set, frozenset)):
        return [(None, y) for y in x]
    return list(vars(x).items()) if has_users_state(type(x)) and hasattr(x, "__dict__") else []
