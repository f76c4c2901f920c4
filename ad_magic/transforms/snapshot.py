"""What a function reads and is given when it is called, and what it leaves behind elsewhere than in its result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.arrays.moves import Hole
from ad_magic.engine.complexes import Complex
from ad_magic.engine.frames import user_frame
from ad_magic.engine.lifting import is_open, opened
from ad_magic.engine.state import Place, State

from .values import is_active


class Snapshot(State):
    """What a function reads and is given, with holes in the place of active numbers; nothing is replaced."""

    def __init__(self) -> None:
        super().__init__(self.hole)
        self.originals: list[Any] = []
        self._holes: dict[int, tuple[Any, Any]] = {}

    def hole(self, x: Any) -> Any:
        if not is_open(x):
            return x
        if id(x) not in self._holes:
            if type(x) is Complex:
                hole: Any = _Pair(self.hole(x.real), self.hole(x.imag))
            else:
                self.originals.append(opened(x))
                hole = Hole(len(self.originals) - 1)
            self._holes[id(x)] = x, hole
        return self._holes[id(x)][1]

    def forget(self) -> None:
        """Hold nothing any longer: a walk is a cycle, which would wait for the garbage collector."""
        self.swap = lambda x: x
        self.originals, self._holes, self.alive = [], {}, []

    def _partial(self, value: functools.partial[Any]) -> None:
        for part in (value.func, value.args, value.keywords):
            if _has_hole(self._replace(part)):
                raise LostDerivative(
                    f"{place_in_words(user_frame())}: a functools.partial in a checkpoint holds a number that depends "
                    "on an input; write a lambda instead"
                )


@contextmanager
def standing(places: list[Place], fill: Callable[[Any], Any]) -> Iterator[Callable[[], list[Place]]]:
    """For the time of the block `fill` of what stood in these places stands there; then what stands there now.

    Gives a function that says in which of them something else stands since.
    """
    now: list[tuple[Place, Any]] = []
    there: list[tuple[Place, Any]] = []
    try:
        for place in places:
            before, value = place.get(), fill(place.value)
            there.append((place, value))
            if before is not value:
                now.append((place, before))
                place.put(value)
        yield lambda: [place for place, value in there if place.get() is not value]
    finally:
        for place, before in reversed(now):
            place.put(before)


@contextmanager
def shut(arrays: Sequence[Any]) -> Iterator[None]:
    """For the time of the block nobody can write into these arrays."""
    try:
        for x in arrays:
            x.flags.writeable = False
        yield
    finally:
        for x in sorted(arrays, key=lambda x: x.base is not None):  # a view after what it is one of
            x.flags.writeable = True


def leaves_a_number(name: str) -> LostDerivative:
    return LostDerivative(
        f"{place_in_words(user_frame())}: {name} leaves a number in a variable, a list or an object of others, where "
        "it has no derivative; in a checkpoint all that it computes is in its result"
    )


class _Pair:
    """The place of a complex number, which is a pair of active ones."""

    def __init__(self, real: Any, imag: Any) -> None:
        self.real, self.imag = real, imag


def _has_hole(x: Any) -> bool:
    return type(x) in (Hole, _Pair) or (isinstance(x, tuple) and any(map(_has_hole, x)))


def filled(x: Any, values: Sequence[Any]) -> Any:
    """What stood in a place, with these values in the holes."""
    kind = type(x)
    if kind is Hole:
        return values[x.k]
    if kind is _Pair:
        real, imag = filled(x.real, values), filled(x.imag, values)
        return Complex(real, imag) if is_active(real) or is_active(imag) else complex(real, imag)
    if isinstance(x, tuple) and any(map(_has_hole, x)):
        items = [filled(y, values) for y in x]
        return tuple(items) if kind is tuple else tuple.__new__(kind, items)
    return x
