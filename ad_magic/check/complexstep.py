"""The complex step: f(x + ih) = f(x) + ih f'(x) - …, so that f'(x) = Im f(x + ih) / h, without a subtraction.

h may be as small as one likes: one evaluation gives the derivative to the last digit (Squire & Trapp, 1998, "Using
complex variables to estimate derivatives of real functions"). The recorded operations are replayed; each must have a
complex form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ad_magic.engine.tape import Columns, replay
from ad_magic.rules.number import NotAnalytic

STEP = 1e-30  # relative: its square is lost beside 1, and products of small derivatives do not underflow


Position = tuple[int, ...]  # of an entry in an array; () for a number


def entry(value: Any, position: Position) -> Any:
    """An entry of an array as a number; a number as it is.

    >>> entry(2.5, ())
    2.5
    """
    return value[position].item() if getattr(value, "shape", ()) else value


def unit(value: Any, position: Position, size: Any = 1.0) -> Any:
    """What has `size` at one entry of an array and is zero elsewhere; of a number `size` itself."""
    if not hasattr(value, "shape"):
        return size
    import numpy as np

    direction = np.zeros(value.shape, type(size))
    direction[position] = size
    return direction


def complex_step(
    tape: Columns,
    seed: int,
    outputs: Sequence[tuple[int | None, Position]],
    position: Position = (),
    step: float | None = None,
) -> list[float]:
    """The derivative of each output with respect to the input at row `seed`, of an array the entry at `position`.

    An output is a row, None for a constant, and the position in it. The step is as small as it may be, if it is not
    given. Raises NotAnalytic, with one clear sentence, where a complex step is not possible.
    """
    x = entry(tape.values[seed], position)
    h = step or max(STEP * (abs(x) or 1.0), 1e-290)
    return _slopes(tape, {seed: unit(tape.values[seed], position, complex(0.0, h))}, outputs, h)


def complex_step_along(
    tape: Columns, along: Mapping[int, Any], outputs: Sequence[tuple[int | None, Position]]
) -> list[float]:
    """The derivative of each output along a direction, which is given by row of the inputs."""
    return _slopes(tape, {seed: d * complex(0.0, STEP) for seed, d in along.items()}, outputs, STEP)


def _slopes(
    tape: Columns, moves: Mapping[int, Any], outputs: Sequence[tuple[int | None, Position]], h: float
) -> list[float]:
    try:
        values = _values(tape, {seed: tape.values[seed] + move for seed, move in moves.items()})
    except NotAnalytic:
        raise
    except (ArithmeticError, ValueError, TypeError) as error:
        raise NotAnalytic(f"complex arithmetic raises {type(error).__name__} here") from None
    slopes = [0.0 if row is None else entry(values[row], place).imag / h for row, place in outputs]
    if not all(map(math.isfinite, slopes)):
        raise NotAnalytic("complex arithmetic gives NaN or infinity here")
    return slopes


def _values(tape: Columns, inputs: Mapping[int, Any]) -> Sequence[Any]:
    if tape.arrays:
        from ad_magic.engine.arrays.complexstep import replay_complex

        return replay_complex(tape, inputs)
    return replay(tape, inputs, "complex").values
