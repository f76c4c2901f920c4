"""The complex step: f(x + ih) = f(x) + ih f'(x) - …, so that f'(x) = Im f(x + ih) / h, without a subtraction.

h may be as small as one likes: one evaluation gives the derivative to the last digit (Squire & Trapp, 1998, "Using
complex variables to estimate derivatives of real functions"). The recorded operations are replayed; each must have a
complex form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ad_magic.engine.tape import Columns, replay
from ad_magic.rules.number import NotAnalytic

STEP = 1e-30  # relative: its square is lost beside 1, and products of small derivatives do not underflow


def complex_step(tape: Columns, seed: int, outputs: Sequence[int | None]) -> list[float]:
    """The derivative of each output row (None: a constant) with respect to the input at row `seed`.

    Raises NotAnalytic, with one clear sentence, where a complex step is not possible.
    """
    x = tape.values[seed]
    h = max(STEP * (abs(x) or 1.0), 1e-290)
    try:
        values = replay(tape, {seed: complex(x, h)}, "complex").values
    except NotAnalytic:
        raise
    except (ArithmeticError, ValueError, TypeError) as error:
        raise NotAnalytic(f"complex arithmetic raises {type(error).__name__} here") from None
    assert values is not None
    moved = [0.0 if row is None else values[row] for row in outputs]
    slopes = [z.imag / h for z in moved]
    if not all(map(math.isfinite, slopes)):
        raise NotAnalytic("complex arithmetic gives NaN or infinity here")
    return slopes
