"""NumPy as it is when no cell runs: while one does, the module itself holds stand-ins.

Our own code uses `from ad_magic.rules.arrays.frozen import np`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
else:
    import numpy  # noqa: ICN001  `np` is the copy
    import numpy.fft
    import numpy.linalg

    np = SimpleNamespace(**vars(numpy))
    np.fft = SimpleNamespace(**vars(numpy.fft))
    np.linalg = SimpleNamespace(**vars(numpy.linalg))

__all__ = ["np"]
