"""With respect to which arguments: `argnums`, read in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

from ad_magic.engine.words import name_of, of_a_function

Argnums = int | Sequence[int]


def read(argnums: Any, f: Callable[..., Any], who: str) -> tuple[tuple[int, ...], bool]:
    """The positions of the arguments, and whether there is one alone: then the derivative is no tuple.

    They may be negative, as in an index; which arguments these are is known where f is called. `who` asks, with a
    function f. Raises TypeError.

    >>> read(1, pow, "grad"), read((0, -1), pow, "grad")
    (((1,), True), ((0, -1), False))
    """
    of_a_function(who, f, again=True)
    try:
        return (index(argnums),), True
    except TypeError:
        pass
    try:
        if isinstance(argnums, (str, bytes, dict, set)):
            raise TypeError
        return tuple(map(index, argnums)), False
    except TypeError:
        hint = f": {_position(f, argnums)}" if isinstance(argnums, str) else ""
        raise TypeError(
            f"argnums={argnums!r} is not the position of an argument, as 0, nor several, as (0, 1){hint}"
        ) from None


def _position(f: Callable[..., Any], name: str) -> str:
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        names = []
    return f"{name} is argument {names.index(name)}" if name in names else "positions count from 0"


def found(wanted: tuple[int, ...], args: Sequence[Any], options: Any, f: Callable[..., Any]) -> tuple[int, ...]:
    """The same, counted from the first argument of a call. Raises TypeError where one of them is not there, ValueError
    where one is there twice."""
    count = len(args)
    if wanted == (0,) and count:
        return wanted
    places: list[int] = []
    for k in wanted:
        if not -count <= k < count:
            named = f", and by name {', '.join(options)}" if options else ""
            advice = ": what it is differentiated with respect to stands by position" if options else ""
            plural = "" if count == 1 else "s"
            raise TypeError(
                f"argnums is {k}, and {name_of(f)} was called with {count} positional argument{plural}{named}{advice}"
            )
        if k % count in places:
            raise ValueError(f"argnums has {k % count} twice")
        places.append(k % count)
    return tuple(places)
