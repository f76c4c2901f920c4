"""`stop_gradient`: a value that is taken for a constant."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ad_magic.engine.active import Active, place_in_words
from ad_magic.engine.complexes import Complex
from ad_magic.engine.frames import user_frame
from ad_magic.engine.own import of_arrays
from ad_magic.engine.record import apply, settle
from ad_magic.engine.walk import ATOMS, Walk
from ad_magic.engine.words import kind_of
from ad_magic.rules.own import STOP

from . import trees
from .values import arrays, is_active, is_result, shape_of


def stop_gradient(x: Any) -> Any:
    """x as it is, with a derivative of zero, in either mode and of any order, as `jax.lax.stop_gradient`.

    x is a number, an array (of which a new one comes out), or lists, tuples, dicts, dataclasses of them; all else in
    them stays. A report says at the row that it was asked for, and a check by differences holds the value where it is.
    Raises TypeError where a number is hidden in something else, an object or a set: it would keep its derivative.

    >>> from ad_magic import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    _refuse_hidden(x)
    return trees.rebuilt(x, map(_stopped, trees.leaves(x, is_result)), is_result)


def _refuse_hidden(x: Any) -> None:
    if is_result(x) or type(x) in ATOMS:
        return
    if trees.is_container(x):
        for part in trees.parts(x):
            _refuse_hidden(part)
        return
    found: list[Any] = []

    def look(held: Any) -> Any:
        if is_active(held):
            found.append(held)
        return held

    Walk(look).run_object(x)
    if found:
        place = place_in_words(user_frame())
        raise TypeError(
            f"{place}: stop_gradient takes numbers, arrays, and lists, tuples, dicts or dataclasses of them; "
            f"{kind_of(x)} hides a number that would keep its derivative"
        )


def _stopped(x: Any) -> Any:
    if type(x) in Active.types:
        x = settle(x)
        return apply(STOP.name, x) if type(x) in Active.types else _held(x)
    if type(x) is Complex:
        return Complex(_stopped(x.real), _stopped(x.imag))
    if not getattr(x, "ndim", 0) and not hasattr(x, "tape"):
        return _held(x)
    if x.dtype.kind == "c" and is_active(operand := arrays().operand(x)):
        return _stopped(operand.real) + 1j * _stopped(operand.imag)
    if x.dtype.kind != "f":
        return x
    x = of_arrays(STOP)(x)
    return x if hasattr(x, "tape") else _held(x)


# ---- held where it is ----------------------------------------------------------------------------


class Held:
    """The values that a program gives to `stop_gradient`, in their order; runs after the first one get them again."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.known = False
        self.next = 0

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """One run of the program."""
        self.next = 0
        _open.append(self)
        try:
            yield
        finally:
            _open.pop()
            self.known = True

    def take(self, x: Any) -> Any:
        if not self.known:
            self.values.append(x.copy() if hasattr(x, "copy") else x)
            return x
        k, self.next = self.next, self.next + 1
        if k >= len(self.values) or shape_of(self.values[k]) != shape_of(x):
            return x  # the program has gone another way
        held = self.values[k]
        return held.copy() if hasattr(held, "copy") else held


_open: list[Held] = []


def _held(x: Any) -> Any:
    return _open[-1].take(x) if _open else x
