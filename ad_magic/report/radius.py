"""The radius of convergence of a power series, estimated from its coefficients."""

from __future__ import annotations

import math
from collections.abc import Sequence


def radius_of(found: Sequence[float]) -> float | None:
    """An estimate of the radius of convergence, where two stretches of the coefficients agree on it.

    A singularity on the axis leaves cₖ like k^(p - 1) R^-k, a pair beside it like R^-k cos(kθ) (Flajolet & Sedgewick
    2009, VI.1): the one is a fit of log |cₖ|, the other of a recurrence over two steps. None where the coefficients
    tell nothing: too few, a polynomial, a function without a singularity, whose coefficients fall faster and faster.

    >>> round(radius_of([0.5**k for k in range(25)]), 6)
    2.0
    >>> import math
    >>> radius_of([1 / math.factorial(k) for k in range(25)]) is None
    True
    """
    last = len(found) - 1
    if last < 16 or not all(map(math.isfinite, found)):
        return None
    first, middle = last // 4, 5 * last // 8
    for estimate in (_on_the_axis, _beside_the_axis):
        sizes = [estimate(found, lo, hi) for lo, hi in ((first, middle), (middle - 1, last))]
        near, far = sizes
        if near is not None and far is not None and abs(near / far - 1) < 0.04:
            return far
    return None


def _on_the_axis(found: Sequence[float], low: int, high: int) -> float | None:
    import numpy as np

    points = [(k, math.log(abs(found[k]))) for k in range(low, high + 1) if abs(found[k]) > 1e-290]
    if len(points) < 5:
        return None
    k, sizes = np.array(points).T
    columns = np.stack([np.ones(len(k)), k, np.log(k)], axis=1)
    fit, *_ = np.linalg.lstsq(columns, sizes, rcond=None)
    fits = np.max(np.abs(columns @ fit - sizes)) < 0.05
    return math.exp(-fit[1]) if fits and abs(fit[1]) < 30 else None


def _beside_the_axis(found: Sequence[float], low: int, high: int) -> float | None:
    """Two poles z and z̄: cₖ = p cₖ₋₁ - q cₖ₋₂ with q = 1 / |z|². Each equation counts by its own size."""
    import numpy as np

    c = np.array(found[low - 2 : high + 1])
    rows = np.stack([c[1:-1], -c[:-2], c[2:]], axis=1)
    weights = np.max(np.abs(rows), axis=1, keepdims=True)
    if not np.all(weights > 1e-290):
        return None
    rows = rows / weights
    (_, q), *_ = np.linalg.lstsq(rows[:, :2], rows[:, 2], rcond=None)
    return float(q) ** -0.5 if q > 1e-12 else None
