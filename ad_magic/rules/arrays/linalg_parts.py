"""What the rules of linear algebra have in common: products and quotients of stacks of matrices.

NumPy reads one triangle of a Hermitian matrix. The rules are the derivatives of what it computes: an entry of the
other triangle has no effect, and one that is read stands for two (see `hermitian_of`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .rule import conj

EPS = float(np.finfo(float).eps)
NUMPY_2 = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


def turned(x: Any) -> Any:
    return np.swapaxes(conj(x), -1, -2)


def real(x: Any) -> Any:
    return np.real(x) if np.iscomplexobj(x) else x


def solved(a: Any, b: Any) -> Any:
    """a^-1 b for matrices; NaN where a is singular."""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        if a.ndim == 2:
            return np.full(b.shape, np.nan)
        return np.stack([solved(a[k], b[k]) for k in range(len(a))])


def right_solved(b: Any, a: Any) -> Any:
    """b a^-1"""
    return turned(solved(turned(a), turned(b)))


def lifted(x: Any, a: Any) -> Any:
    """What there is one of for each matrix, to be multiplied by matrices."""
    return x if a.ndim == 2 else x[..., None, None]


def diagonal(x: Any) -> Any:
    """Vectors as diagonal matrices."""
    return x[..., None] * np.eye(x.shape[-1])


def applied(weights: Any, x: Any) -> Any:
    """A matrix times a vector, for stacks of both."""
    return np.sum(weights * x[..., None, :], axis=-1)


# ---- Hermitian matrices, of which one triangle is read --------------------------------------------


def half(n: int, lower: bool = True) -> Any:
    """Ones in one triangle, halves on the diagonal."""
    return _small_half(n, lower) if n <= 128 else _new_half(n, lower)


def _new_half(n: int, lower: bool) -> Any:
    mask = np.tril(np.ones((n, n)), -1) + 0.5 * np.eye(n)
    mask.flags.writeable = False
    return mask if lower else mask.T


_small_half = lru_cache(maxsize=4)(_new_half)  # it takes longer to make than to use


def hermitian_of(t: Any, lower: bool) -> Any:
    """The Hermitian matrix that NumPy reads off one triangle of t; of the diagonal it takes the real part.

    >>> hermitian_of(np.array([[1.0, 5.0], [2.0, 3.0]]), True)
    array([[1., 2.],
           [2., 3.]])
    """
    x = t * half(t.shape[-1], lower)
    return x + turned(x)


def read(g: Any, lower: bool) -> Any:
    """The pull of `hermitian_of`."""
    return half(g.shape[-1], lower) * (g + turned(g))


# ---- quotients by differences of eigenvalues -----------------------------------------------------


def small(w: Any) -> Any:
    """What is no difference between eigenvalues (or singular values) w, but rounding; with one axis of length one."""
    return w.shape[-1] * EPS * np.max(np.abs(w), axis=-1, keepdims=True)


def gaps(w: Any) -> Any:
    """[..., i, j]: w_j - w_i, exactly zero where they are equal to rounding."""
    d = w[..., None, :] - w[..., :, None]
    return np.where(np.abs(d) <= small(w)[..., None], 0.0, d)


def over(m: Any, d: Any) -> Any:
    """m / d. Where d is 0 there is no derivative: NaN, unless m is 0 too, as where nothing depends on it.

    >>> over(np.array([3.0, 3.0, 0.0]), np.array([2.0, 0.0, 0.0]))
    array([1.5, nan, 0. ])
    """
    none = d == 0
    if not np.any(none):
        return m / d
    return np.where(none, np.where(m == 0, 0.0, np.nan), m / np.where(none, 1.0, d))


def apart(m: Any, w: Any) -> Any:
    """m_ij / (w_j - w_i), and zeros on the diagonal."""
    return over(m * (1.0 - np.eye(w.shape[-1])), gaps(w))


def shares(z: Any, w: Any) -> Any:
    """[..., i, j]: the part of the derivative of w_j in that of z_i; w are the same numbers, maybe in another order.

    >>> shares(np.array([1.0, 2.0, 2.0]), np.array([2.0, 1.0, 2.0]))
    array([[0. , 1. , 0. ],
           [0.5, 0. , 0.5],
           [0.5, 0. , 0.5]])
    """
    far = np.abs(z[..., :, None] - w[..., None, :])
    near = np.where(far <= np.min(far, axis=-1, keepdims=True) + small(w)[..., None], 1.0, 0.0)
    return near / np.sum(near, axis=-1, keepdims=True)


def repeated(w: Any) -> bool:
    return bool(np.any(np.sum(gaps(w) == 0, axis=(-2, -1)) > w.shape[-1]))


SHARED = "repeated eigenvalues share the derivative evenly"


# ---- columns that complete a basis ---------------------------------------------------------------


def rest_pushed(q: Any, rest: Any, t: Any) -> Any:
    """The tangent of orthonormal columns `rest`, orthogonal to q, where that of q is t: they only evade it."""
    return -(q @ turned(t) @ rest)


def rest_pulled(q: Any, rest: Any, g: Any) -> Any:
    """The adjoint g of `rest` as one of q."""
    return -(rest @ turned(g) @ q)


def kink_basis(a: Any) -> str | None:
    """A single real column that completes a basis is determined up to its sign."""
    if abs(a.shape[-2] - a.shape[-1]) <= (0 if np.iscomplexobj(a) else 1):
        return None
    return "the columns that complete a basis are arbitrary: only what does not depend on them has a derivative"
