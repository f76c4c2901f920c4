"""Polynomials, highest power first, as programs in other NumPy functions."""

from __future__ import annotations

import warnings
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .composed_calculus import convolve
from .composed_parts import Body, operand, vector


def polyval(p: Any, x: Any) -> Any:
    """Horner's rule."""
    if isinstance(x, np.poly1d):
        raise NotImplementedError("np.polyval: a polynomial of a polynomial has no derivative rule; np.polymul has one")
    p, x = operand(p), operand(x)
    if len(p) == 0:
        return np.zeros(np.shape(x))
    y: Any = 0
    for k in range(len(p)):
        y = y * x + p[k]
    return y


def polyadd(a1: Any, a2: Any) -> Any:
    """Coefficients added, the shorter ones with zeros before them."""
    a1, a2 = vector(a1), vector(a2)
    n = max(len(a1), len(a2))
    return _lengthened(a1, n) + _lengthened(a2, n)


def polysub(a1: Any, a2: Any) -> Any:
    """Coefficients subtracted, the shorter ones with zeros before them."""
    a1, a2 = vector(a1), vector(a2)
    n = max(len(a1), len(a2))
    return _lengthened(a1, n) - _lengthened(a2, n)


def _lengthened(p: Any, n: int) -> Any:
    return p if len(p) == n else np.concatenate((np.zeros(n - len(p), int), p))


def polymul(a1: Any, a2: Any) -> Any:
    """Coefficients convolved, without leading zeros."""
    return convolve(_without_leading_zeros(vector(a1)), _without_leading_zeros(vector(a2)))


def _without_leading_zeros(p: Any) -> Any:
    places = np.nonzero(p)[0]
    return p[places[0] :] if len(places) else np.zeros(1)


def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Long division: quotient and remainder."""
    u, v = vector(u) + 0.0, vector(v) + 0.0
    steps, n = len(u) - len(v) + 1, len(v)
    scale = 1.0 / v[0]
    q, r = [], u
    for k in range(steps):
        digit = scale * r[k]
        q.append(digit)
        # the leading term is zero by rounding only: NumPy leaves what is left of it
        r = np.concatenate((r[:k], r[k : k + n] - digit * v, r[k + n :]))
    first = 0
    while first < len(r) - 1 and np.abs(r[first]) <= 1e-8:  # what np.allclose takes for 0
        first += 1
    return (np.stack(q) if q else np.zeros(1)), r[first:]


def polyder(p: Any, m: int = 1) -> Any:
    """Coefficients times their powers, m times."""
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    p = operand(p)
    for _ in range(int(m)):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """Coefficients by their powers, m times, each time with a constant of integration."""
    m = int(m)
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = np.zeros(m) if k is None else vector(k)
    if len(constants) == 1 and m > 1:
        constants = np.broadcast_to(constants, (m,))
    if len(constants) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    p = operand(p)
    for step in range(m):
        p = np.concatenate((p / np.arange(len(p), 0, -1), constants[step : step + 1]))
    return p


def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """Columns of powers of x, each the one before times x."""
    x = operand(x)
    if np.ndim(x) != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    n = len(x) if N is None else N
    if n == 0:
        return np.zeros((len(x), 0))
    columns = [np.ones(len(x), int)]
    for k in range(1, n):
        columns.append(columns[-1] * x if k > 1 else x)
    return np.stack(columns if increasing else columns[::-1], axis=1)


def polyfit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:  # fmt: skip
    """Least squares with the powers of x as columns, scaled to length 1."""
    order = int(deg) + 1
    x, y = operand(x) + 0.0, operand(y) + 0.0
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if np.ndim(x) != 1:
        raise TypeError("expected 1D vector for x")
    if np.size(x) == 0:
        raise TypeError("expected non-empty vector for x")
    if not 1 <= np.ndim(y) <= 2:
        raise TypeError("expected 1D or 2D array for y")
    if len(x) != len(y):
        raise TypeError("expected x and y to have same length")
    rcond = len(x) * np.finfo(float).eps if rcond is None else rcond
    left, right = vander(x, order), y
    if w is not None:
        w = operand(w) + 0.0
        if np.ndim(w) != 1:
            raise TypeError("expected a 1-d array for weights")
        if len(w) != len(y):
            raise TypeError("expected w and y to have the same length")
        left = left * w[:, None]
        right = right * (w[:, None] if np.ndim(right) == 2 else w)
    scale = np.sqrt(np.sum(left * left, axis=0))
    left = left / scale
    c, residuals, rank, singular = np.linalg.lstsq(left, right, rcond=rcond)
    c = np.transpose(np.transpose(c) / scale)
    if rank != order and not full:
        warning = getattr(np.exceptions, "RankWarning", None) or getattr(np, "RankWarning", RuntimeWarning)
        warnings.warn("Polyfit may be poorly conditioned", warning, stacklevel=2)
    if full:
        return c, residuals, rank, singular, rcond
    if not cov:
        return c
    base = np.linalg.inv(np.transpose(left) @ left) / np.outer(scale, scale)
    factor: Any = 1
    if cov != "unscaled":
        if len(x) <= order:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        factor = residuals / (len(x) - order)
    return c, (base * factor if np.ndim(y) == 1 else base[:, :, None] * factor)


def poly(seq_of_zeros: Any) -> Any:
    """The product of x - root."""
    zeros = vector(seq_of_zeros)
    shape = np.shape(zeros)
    if len(shape) == 2 and shape[0] == shape[1] != 0:
        zeros = np.linalg.eigvals(zeros)
    elif len(shape) != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    if len(zeros) == 0:
        return 1.0
    p: Any = np.ones(1)
    for k in range(len(zeros)):
        p = np.concatenate((p, np.zeros(1))) - np.concatenate((np.zeros(1), zeros[k] * p))
    if np.iscomplexobj(zeros) and _in_pairs(zeros):
        p = np.real(p)
    return p


def _in_pairs(zeros: Any) -> bool:
    """Whether complex numbers come with their conjugates."""
    mirrored = np.conjugate(zeros)
    ordered, other = np.take(zeros, np.argsort(zeros)), np.take(mirrored, np.argsort(mirrored))
    return bool(np.all(ordered == other))


def roots(p: Any) -> Any:
    """The eigenvalues of the companion matrix."""
    p = vector(p)
    if np.ndim(p) != 1:
        raise ValueError("Input must be a rank-1 array.")
    places = np.nonzero(p)[0]
    if len(places) == 0:
        return np.array([])
    trailing = len(p) - int(places[-1]) - 1
    p = p[int(places[0]) : int(places[-1]) + 1]
    n = len(p)
    if n == 1:
        return np.zeros(trailing)
    first = np.reshape(-p[1:] / p[0], (1, n - 1))
    companion = np.concatenate((first, np.eye(n - 2, n - 1)), axis=0)
    found = np.linalg.eigvals(companion)
    if np.iscomplexobj(found) and not np.iscomplexobj(p) and not np.any(np.imag(found)):
        found = np.real(found)  # eigvals is always complex from NumPy 2.5 on, and roots is not
    return np.concatenate((found, np.zeros(trailing))) if trailing else found


BODIES: dict[str, Body] = {
    "np.polyval": polyval,
    "np.polyadd": polyadd,
    "np.polysub": polysub,
    "np.polymul": polymul,
    "np.polydiv": polydiv,
    "np.polyder": polyder,
    "np.polyint": polyint,
    "np.polyfit": polyfit,
    "np.poly": poly,
    "np.roots": roots,
    "np.vander": vander,
}
