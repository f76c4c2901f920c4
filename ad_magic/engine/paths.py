"""Which way a user's function went at each place where a solver looks at it, and where it takes another way."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .active import LostDerivative
from .lifting import Lifting, bottom, here


def _turns(a: Any, b: Any, z: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.rint((a - z) / b)


# The functions that jump, but are no steps: on which of their pieces they are.
_PIECES: dict[str, Callable[..., Any]] = {
    "mod": _turns,
    "fmod": _turns,
    "remainder": _turns,
    "copysign": lambda a, b, z: np.signbit(b),
}

Sample = tuple[float, Any, tuple[Any, ...]]  # where, the value of the function there, and its path


def path_since(lifting: Lifting, start: int) -> tuple[Any, ...]:
    """Which way the function went since a row: decisions, step functions, the sides of kinks."""
    tape = lifting.tape
    assert tape.values is not None
    path: list[Any] = []
    for k, op in enumerate(tape.ops[start:], start):
        value = tape.values[k]
        if op.decision or (op.rule is not None and op.rule.step):
            path.append((op.name, str(value) if hasattr(value, "shape") else value))
        elif op.rule is not None and op.rule.kink is not None:
            partials = op.partials(tape.left[k], tape.right[k], tape.values, value)
            path.append((op.name, *(p if p in (-1.0, 0.0, 1.0) else None for p in map(_one, partials))))
            if op.name in _PIECES:
                piece = _PIECES[op.name](
                    *map(bottom, op.arguments(tape.left[k], tape.right[k], tape.values)), bottom(value)
                )
                path.append((op.name, _one(piece)))
    return tuple(path)


def _one(partial: Any) -> Any:
    return partial if not getattr(partial, "shape", ()) else str(partial)


def switches(sampled: Callable[[float], Any], found: list[Sample], jumps: str | None = None) -> list[float]:
    """The places where the function goes from one way to another; `sampled` gives its value and its path at a place.

    Raises LostDerivative where it jumps there and must not: `jumps` is what is wrong with that, with {} for the place.
    """
    found = sorted(found, key=lambda sample: sample[0])
    scale = max((_size(y) for _, y, _ in found), default=0.0)
    places = []
    for (low, y_low, path), (high, y_high, other) in itertools.pairwise(found):
        if path == other:
            continue
        while (middle := (low + high) / 2.0) not in (low, high):
            try:
                y, way = sampled(middle)
            except (ArithmeticError, ValueError):  # a singularity: that is the place
                low = middle
                break
            if way == path:
                low, y_low = middle, y
            else:
                high, y_high = middle, y
        if jumps is not None and _size(bottom(y_high) - bottom(y_low)) > 1e-6 * scale:
            raise LostDerivative(f"{here()}: {jumps.format(low)}")
        places.append(low)
    return places


def _size(y: Any) -> float:
    return float(np.max(np.abs(bottom(y)), initial=0.0))
