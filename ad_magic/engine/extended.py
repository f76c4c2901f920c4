"""A second look where a number ran out of the range of doubles.

log1p(exp(x)) at x = 1000 is infinite in doubles, and its derivative comes out as zero times infinity. The slope is
1 all the same. Where a value of a run is infinite the recorded operations are done once more in numbers of a
greater range (80 bits on x86; where NumPy has none there is no second look), and the derivative is taken there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .operation import EXTENDED, INPUT
from .tape import Columns, PathChanged, replay, reverse_sweep


def in_greater_range(tape: Columns) -> Columns | None:
    """The run in numbers of a greater range, where that makes finite what was infinite; else None."""
    import numpy as np

    wide = np.longdouble
    if np.finfo(wide).max <= np.finfo(float).max or not any(_overflowed(op, z) for op, z in _rows(tape)):
        return None
    EXTENDED.add(wide)
    inputs = {row: wide(z) for row, (op, z) in enumerate(_rows(tape)) if op is INPUT}
    with np.errstate(all="ignore"):
        try:
            again = replay(tape, inputs, "extended")
        except (PathChanged, ArithmeticError, ValueError, TypeError, AttributeError, NotImplementedError):
            return None
    return again


def _rows(tape: Columns) -> Any:
    return zip(tape.ops, tape.values, strict=True)


def _overflowed(op: Any, z: Any) -> bool:
    import numpy as np

    if op.rule is None or isinstance(z, tuple) or not isinstance(z, (float, np.ndarray)):
        return False
    return bool(np.isinf(z).any())


def reverse_in_greater_range(tape: Columns, seeds: Mapping[int, Any]) -> list[Any] | None:
    """The adjoints by a sweep in a greater range, as doubles; None where there is nothing to gain."""
    import numpy as np

    wide = in_greater_range(tape)
    if wide is None or any(not np.isfinite(wide.values[row]).all() for row in seeds):
        return None
    with np.errstate(all="ignore"):
        adjoints = reverse_sweep(wide, {row: np.longdouble(g) for row, g in seeds.items()})
        return [_double(g) for g in adjoints]


def _double(x: Any) -> Any:
    import numpy as np

    if isinstance(x, np.ndarray):
        return x.astype(float)
    return float(x) if isinstance(x, (float, np.floating)) else x
