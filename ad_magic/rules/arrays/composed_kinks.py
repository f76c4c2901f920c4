"""Where functions that are written in others have no derivative: the corner of std, equal values in an order.

Each function here takes the result and the arguments of the call, and says why there is no derivative; None where there
is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np

_EQUAL = "values are equal, and the derivative is that of the one which the order puts there"


def _std(z: Any, a: Any, *args: Any, **options: Any) -> str | None:
    """
    >>> _std(np.float64(0), np.ones(3)), _std(np.float64(0), np.ones(1))
    ('it has a corner where all values are equal, and 0 is taken', None)
    """
    corner = np.size(a) > np.size(z) and bool(np.any(z == 0))
    return "it has a corner where all values are equal, and 0 is taken" if corner else None


def _clip(z: Any, a: Any, low: Any = None, high: Any = None, *args: Any, **options: Any) -> str | None:
    """
    >>> _clip(1.0, 1.0, -1, 1), _clip(0.5, 0.5, -1, 1)
    ('it has a corner at its bounds, where a tie shares the derivative evenly', None)
    """
    low, high = (
        options.get(old, options.get(new, x)) for old, new, x in (("a_min", "min", low), ("a_max", "max", high))
    )
    tied = [np.any(np.equal(a, bound)) for bound in (low, high) if bound is not None]
    return "it has a corner at its bounds, where a tie shares the derivative evenly" if any(tied) else None


def _sort(z: Any, a: Any, axis: int = -1) -> str | None:
    return _EQUAL if np.any(np.diff(z, axis=axis) == 0) else None


def _median(quantile: Callable[..., Any]) -> Callable[..., str | None]:
    def kink(z: Any, a: Any, axis: Any = None, *args: Any, **options: Any) -> str | None:
        """The two in the middle may be equal: exchanging them changes nothing."""
        count = np.sum(~np.isnan(a), axis=axis, keepdims=True)
        alike = _among(a, 0.5, axis, quantile)
        return _EQUAL if np.any(alike > 2 - count % 2) else None

    return kink


def _quantile(quantile: Callable[..., Any], top: float) -> Callable[..., str | None]:
    def kink(z: Any, a: Any, q: Any, axis: Any = None, *args: Any, **options: Any) -> str | None:
        for share in np.ravel(q) / top:
            low, high = _ends(a, share, axis, quantile)
            if np.any(_among(a, share, axis, quantile) > 1 + (low != high)):
                return _EQUAL
        return None

    return kink


def _ends(a: Any, q: Any, axis: Any, quantile: Callable[..., Any]) -> tuple[Any, Any]:
    """The values between which a quantile lies."""
    low, high = (quantile(a, q, axis=axis, method=method, keepdims=True) for method in ("lower", "higher"))
    return low, high


def _among(a: Any, q: Any, axis: Any, quantile: Callable[..., Any]) -> Any:
    """How many values are one of those between which a quantile lies."""
    low, high = _ends(a, q, axis, quantile)
    return np.sum((a == low) | (a == high), axis=axis, keepdims=True)


KINKS: dict[str, Callable[..., str | None]] = {
    "clip": _clip,
    "std": _std,
    "nanstd": _std,
    "sort": _sort,
    "median": _median(np.quantile),
    "nanmedian": _median(np.nanquantile),
    "quantile": _quantile(np.quantile, 1.0),
    "percentile": _quantile(np.quantile, 100.0),
    "nanquantile": _quantile(np.nanquantile, 1.0),
    "nanpercentile": _quantile(np.nanquantile, 100.0),
}
