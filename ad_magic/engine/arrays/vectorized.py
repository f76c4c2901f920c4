"""np.vectorize on active arrays: the user's function is called for each entry, or for each part by its signature."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .array import is_active, operand
from .buffers import holds_active
from .constructors import array, whole

_call_vectorized = np.vectorize.__call__


def vectorized(self: Any, *args: Any, **kwargs: Any) -> Any:
    """What stands in the place of np.vectorize.__call__ while a cell runs."""
    if not any(map(holds_active, (*args, *kwargs.values()))):
        return _call_vectorized(self, *args, **kwargs)
    if self.signature is not None:
        return _by_signature(self, args, kwargs)
    given = [operand(x) for x in args]
    named = {name: operand(x) for name, x in kwargs.items() if name not in (self.excluded or ())}
    rest = {name: x for name, x in kwargs.items() if name not in named}
    skip = self.excluded or set()
    shape = np.broadcast_shapes(
        *(np.shape(x) for k, x in enumerate(given) if k not in skip), *(np.shape(x) for x in named.values())
    )
    spread = [args[k] if k in skip else np.broadcast_to(x, shape) if np.shape(x) else x for k, x in enumerate(given)]
    named = {name: np.broadcast_to(x, shape) if np.shape(x) else x for name, x in named.items()}

    def at(x: Any, position: Any) -> Any:
        return x[position] if np.shape(x) else x

    results = [
        self.pyfunc(
            *(x if k in skip else at(x, position) for k, x in enumerate(spread)),
            **{name: at(x, position) for name, x in named.items()},
            **rest,
        )
        for position in np.ndindex(*shape)
    ]
    if not shape:
        return whole(results[0]) if is_active(results[0]) else np.asarray(results[0])
    if results and isinstance(results[0], tuple):
        return tuple(np.reshape(array(list(part)), shape) for part in zip(*results, strict=True))
    return np.reshape(array(results), shape)


def core_dimensions(signature: str) -> tuple[list[list[str]], list[list[str]]]:
    """The names of the axes that each argument and each result of a signature has.

    >>> core_dimensions("(m,n),(n)->(m)")
    ([['m', 'n'], ['n']], [['m']])
    """
    sides = signature.replace(" ", "").split("->")
    inputs, outputs = ([part.split(",") if part else [] for part in re.findall(r"\((.*?)\)", side)] for side in sides)
    return inputs, outputs


def _by_signature(self: Any, args: Any, kwargs: Any) -> Any:
    inputs, outputs = core_dimensions(self.signature)
    skip = self.excluded or set()
    places = [k for k in range(len(args)) if k not in skip]
    if len(places) != len(inputs):
        raise TypeError(f"wrong number of positional arguments: expected {len(inputs)}, got {len(places)}")
    given: dict[int, Any] = {k: operand(args[k]) for k in places}
    loops: list[tuple[int, ...]] = []
    sizes: dict[str, int] = {}
    for k, names in zip(places, inputs, strict=True):
        shape = np.shape(given[k])
        if len(shape) < len(names):
            raise ValueError(
                f"{len(shape)}-dimensional argument does not have enough dimensions for all core dimensions "
                f"{tuple(names)!r}"
            )
        core = shape[len(shape) - len(names) :]
        for name, size in zip(names, core, strict=True):
            if sizes.setdefault(name, size) != size:
                raise ValueError(f"inconsistent size for core dimension {name!r}: {size} vs {sizes[name]}")
        loops.append(shape[: len(shape) - len(names)])
        given[k] = core, given[k]
    loop = np.broadcast_shapes(*loops)
    spread = {k: np.broadcast_to(x, (*loop, *core)) for k, (core, x) in given.items()}
    results = [
        self.pyfunc(*(spread[k][position] if k in spread else x for k, x in enumerate(args)), **kwargs)
        for position in np.ndindex(*loop)
    ]
    if len(outputs) == 1:
        return _stacked(results, loop)
    return tuple(_stacked(list(part), loop) for part in zip(*results, strict=True))


def _stacked(results: list[Any], loop: tuple[int, ...]) -> Any:
    made = array(results) if not all(np.shape(x) for x in results) else np.stack([operand(x) for x in results])
    return np.reshape(made, (*loop, *np.shape(made)[1:]))
