"""Memory that nobody holds any more, for the next result of a run that is swept once and then forgotten.

Pages of memory that were never touched cost more than the arithmetic on them. So a big value that no pull will ask for
is written over as soon as the tape alone holds it, as NumPy does with `a @ b + c`. What the user can still see, by
whatever name or view, is held by more than the tape.
"""

from __future__ import annotations

import sys
from typing import Any

from ad_magic.rules.arrays.frozen import np

BIG = 1 << 15  # bytes: smaller memory is found faster than it is looked for
MOST = 8  # so many pieces are looked through
_NOTHING = np.full(1, np.nan)


def room(values: list[Any], rows: list[int], shape: tuple[int, ...]) -> Any:
    """An array of this shape that may be written over, or None: the value of one of these rows, whose value is then
    NaN everywhere, without memory."""
    for k, row in enumerate(rows):
        if values[row].shape == shape and sys.getrefcount(values[row]) <= ALONE:
            z = values[row]
            values[row] = np.ndarray(shape, float, _NOTHING, 0, (0,) * len(shape))
            del rows[k]
            return z
    return None


def offer(rows: list[int], row: int, z: Any) -> None:
    """No pull will ask for the value z of a row."""
    if z.base is None and z.flags.c_contiguous and z.flags.writeable:
        rows.append(row)
        if len(rows) > MOST:
            del rows[0]


def _references() -> int:
    held = [object()]
    return sys.getrefcount(held[0])


ALONE = _references()  # so many references has an object that a list alone holds
