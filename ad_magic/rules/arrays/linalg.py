"""Linear algebra: solving, determinants, factorisations, eigenvalues, singular values, norms.

Sources: Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"; the
source for a single factorisation stands at its rule. All of them are for stacks of matrices too.

NumPy reads one triangle of a Hermitian matrix. These rules are the derivatives of what it computes: an entry of
the other triangle has no effect, and one that is read stands for two (see `_hermitian`).

Vectors that are determined up to a factor of modulus one (complex eigenvectors and singular vectors) or a rotation (the
columns that complete a basis) are differentiated in the gauge in which they turn least: what does not depend on the
choice has the right derivative. At repeated eigenvalues eigenvectors have no derivative, and theirs is NaN unless
nothing is asked of it; eigenvalues alone share theirs evenly.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .rule import ArrayRule, conj
from .sums import expanded

_EPS = float(np.finfo(float).eps)
_NUMPY_2 = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


def _turned(x: Any) -> Any:
    return np.swapaxes(conj(x), -1, -2)


def _real(x: Any) -> Any:
    return np.real(x) if np.iscomplexobj(x) else x


def _solved(a: Any, b: Any) -> Any:
    """a^-1 b for matrices; NaN where a is singular."""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        if a.ndim == 2:
            return np.full(b.shape, np.nan)
        return np.stack([_solved(a[k], b[k]) for k in range(len(a))])


def _right_solved(b: Any, a: Any) -> Any:
    """b a^-1"""
    return _turned(_solved(_turned(a), _turned(b)))


def _lifted(x: Any, a: Any) -> Any:
    """What there is one of for each matrix, to be multiplied by matrices."""
    return x if a.ndim == 2 else x[..., None, None]


def _diagonal(x: Any) -> Any:
    """Vectors as diagonal matrices."""
    return x[..., None] * np.eye(x.shape[-1])


def _applied(weights: Any, x: Any) -> Any:
    """A matrix times a vector, for stacks of both."""
    return np.sum(weights * x[..., None, :], axis=-1)


# ---- solving -------------------------------------------------------------------------------------


def _pull_inv(k: int, g: Any, z: Any, a: Any) -> Any:
    z = _turned(z)
    return -(z @ g @ z)


def _push_inv(k: int, t: Any, z: Any, a: Any) -> Any:
    return -(z @ t @ z)


def _is_vector(a: Any, b: Any) -> bool:
    return b.ndim == 1 if _NUMPY_2 else b.ndim == a.ndim - 1


def _pull_solve(k: int, g: Any, z: Any, a: Any, b: Any) -> Any:
    vector = _is_vector(a, b)
    if vector:
        g, z = g[..., None], z[..., None]
    back = np.linalg.solve(_turned(a), g)
    if k == 0:
        return -(back @ _turned(z))
    return back[..., 0] if vector else back


def _push_solve(k: int, t: Any, z: Any, a: Any, b: Any) -> Any:
    if k == 1:
        return np.linalg.solve(a, t)
    if _is_vector(a, b):
        return -np.linalg.solve(a, t @ z[..., None])[..., 0]
    return -np.linalg.solve(a, t @ z)


# ---- determinants --------------------------------------------------------------------------------

_MINORS = 16  # up to this size a singular matrix's cofactors are found as determinants


def _cofactors(a: Any, z: Any) -> Any:
    """d det / d a: det(a) a^-T, which is accurate also close to a singular matrix (Stewart 1998, "On the adjugate
    matrix"), and at one the cofactors themselves."""
    if np.all(z != 0):
        try:
            return _lifted(z, a) * np.swapaxes(np.linalg.inv(a), -1, -2)
        except np.linalg.LinAlgError:
            pass
    n = a.shape[-1]
    if n > _MINORS:
        u, s, vh = np.linalg.svd(a)
        others = np.prod(np.where(np.eye(n) == 1, 1.0, s[..., None, :]), axis=-1)
        return _lifted(np.linalg.det(u) * np.linalg.det(vh), a) * conj(u * others[..., None, :] @ vh)
    rest = np.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int).reshape(n, max(n - 1, 0))
    minors = np.linalg.det(a[..., rest[:, None, :, None], rest[None, :, None, :]])
    return minors * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))


def _pull_det(k: int, g: Any, z: Any, a: Any) -> Any:
    return _lifted(g, a) * conj(_cofactors(a, z))


def _push_det(k: int, t: Any, z: Any, a: Any) -> Any:
    return np.sum(t * _cofactors(a, z), axis=(-2, -1))


def _logarithmic(a: Any, sign: Any) -> Any:
    """d log det / d a: a^-T; infinite or NaN for a singular matrix."""
    if np.all(sign != 0):
        try:
            return np.swapaxes(np.linalg.inv(a), -1, -2)
        except np.linalg.LinAlgError:
            pass
    z = np.linalg.det(a)
    return _cofactors(a, z) / _lifted(z, a)


def _pull_slogdet(k: int, g: Any, z: Any, a: Any) -> Any:
    sign, _ = z
    along_sign, along_log = g
    if not np.iscomplexobj(a):
        along_sign = None
    if along_sign is None and along_log is None:
        return None
    factor = 0.0 if along_log is None else along_log
    if along_sign is not None:  # the angle of the determinant is the imaginary part of its logarithm
        factor = factor + 1j * np.imag(np.conjugate(sign) * along_sign)
    return _lifted(factor, a) * conj(_logarithmic(a, sign))


def _push_slogdet(k: int, t: Any, z: Any, a: Any) -> Any:
    along = np.sum(t * _logarithmic(a, z[0]), axis=(-2, -1))
    if not np.iscomplexobj(a):
        return 0.0, along
    return 1j * z[0] * np.imag(along), np.real(along)


def _at_singular(z: Any, a: Any) -> str | None:
    return "the logarithm of the determinant of a singular matrix is infinite" if np.any(z[0] == 0) else None


# ---- Hermitian matrices, of which one triangle is read --------------------------------------------


def _half(n: int, lower: bool = True) -> Any:
    """Ones in one triangle, halves on the diagonal."""
    return _small_half(n, lower) if n <= 128 else _new_half(n, lower)


def _new_half(n: int, lower: bool) -> Any:
    mask = np.tril(np.ones((n, n)), -1) + 0.5 * np.eye(n)
    mask.flags.writeable = False
    return mask if lower else mask.T


_small_half = lru_cache(maxsize=4)(_new_half)  # it takes longer to make than to use


def _hermitian(t: Any, lower: bool) -> Any:
    """The Hermitian matrix that NumPy reads off one triangle of t; of the diagonal it takes the real part.

    >>> _hermitian(np.array([[1.0, 5.0], [2.0, 3.0]]), True)
    array([[1., 2.],
           [2., 3.]])
    """
    x = t * _half(t.shape[-1], lower)
    return x + _turned(x)


def _read(g: Any, lower: bool) -> Any:
    """The pull of `_hermitian`."""
    return _half(g.shape[-1], lower) * (g + _turned(g))


def _pull_cholesky(k: int, g: Any, z: Any, a: Any, upper: bool = False) -> Any:
    """Murray 2016, "Differentiation of the Cholesky decomposition"."""
    if upper:
        g, z = _turned(g), _turned(z)
    back = _turned(z)
    inverse = np.linalg.inv(back)  # of an upper triangle, so without pivots: as accurate as to solve twice, and quicker
    inner = inverse @ (_half(z.shape[-1]) * (back @ g)) @ _turned(inverse)
    return _read(inner, not upper)


def _push_cholesky(k: int, t: Any, z: Any, a: Any, upper: bool = False) -> Any:
    t = _hermitian(t, not upper)
    if upper:
        z = _turned(z)
    t = z @ (_half(z.shape[-1]) * _right_solved(_solved(z, t), _turned(z)))
    return _turned(t) if upper else t


# ---- quotients by differences of eigenvalues -----------------------------------------------------


def _small(w: Any) -> Any:
    """What is no difference between eigenvalues (or singular values) w, but rounding; with one axis of length one."""
    return w.shape[-1] * _EPS * np.max(np.abs(w), axis=-1, keepdims=True)


def _gaps(w: Any) -> Any:
    """[..., i, j]: w_j - w_i, exactly zero where they are equal to rounding."""
    d = w[..., None, :] - w[..., :, None]
    return np.where(np.abs(d) <= _small(w)[..., None], 0.0, d)


def _over(m: Any, d: Any) -> Any:
    """m / d. Where d is 0 there is no derivative: NaN, unless m is 0 too, as where nothing depends on it.

    >>> _over(np.array([3.0, 3.0, 0.0]), np.array([2.0, 0.0, 0.0]))
    array([1.5, nan, 0. ])
    """
    none = d == 0
    if not np.any(none):
        return m / d
    return np.where(none, np.where(m == 0, 0.0, np.nan), m / np.where(none, 1.0, d))


def _apart(m: Any, w: Any) -> Any:
    """m_ij / (w_j - w_i), and zeros on the diagonal."""
    return _over(m * (1.0 - np.eye(w.shape[-1])), _gaps(w))


def _shares(z: Any, w: Any) -> Any:
    """[..., i, j]: the part of the derivative of w_j in that of z_i; w are the same numbers, maybe in another order.

    >>> _shares(np.array([1.0, 2.0, 2.0]), np.array([2.0, 1.0, 2.0]))
    array([[0. , 1. , 0. ],
           [0.5, 0. , 0.5],
           [0.5, 0. , 0.5]])
    """
    far = np.abs(z[..., :, None] - w[..., None, :])
    near = np.where(far <= np.min(far, axis=-1, keepdims=True) + _small(w)[..., None], 1.0, 0.0)
    return near / np.sum(near, axis=-1, keepdims=True)


def _repeated(w: Any) -> bool:
    return bool(np.any(np.sum(_gaps(w) == 0, axis=(-2, -1)) > w.shape[-1]))


# ---- eigenvalues of Hermitian matrices: Magnus 1985, "On differentiating eigenvalues and eigenvectors" --------


def _pull_eigh(k: int, g: Any, z: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = z
    on_values, on_vectors = g
    if on_values is None and on_vectors is None:
        return None
    inner = 0.0 if on_values is None else _diagonal(on_values)
    if on_vectors is not None:
        inner = inner + _apart(_turned(v) @ on_vectors, w)
    return _read(v @ inner @ _turned(v), UPLO in "Ll")


def _push_eigh(k: int, t: Any, z: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = z
    inner = _turned(v) @ _hermitian(t, UPLO in "Ll") @ v
    return _real(np.diagonal(inner, axis1=-2, axis2=-1)), v @ _apart(inner, w)


def _pull_eigvalsh(k: int, g: Any, z: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    along = _applied(np.swapaxes(_shares(z, w), -1, -2), g)
    return _read(v * along[..., None, :] @ _turned(v), UPLO in "Ll")


def _push_eigvalsh(k: int, t: Any, z: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    return _applied(_shares(z, w), _real(np.sum(conj(v) * (_hermitian(t, UPLO in "Ll") @ v), axis=-2)))


_NO_VECTORS = "repeated eigenvalues: the eigenvectors have no derivative"
_SHARED = "repeated eigenvalues share the derivative evenly"


def _kink_eigen(z: Any, a: Any, UPLO: Any = "L") -> str | None:
    return _NO_VECTORS if _repeated(z[0]) else None


def _kink_eigenvalues(z: Any, a: Any, UPLO: Any = "L") -> str | None:
    return _SHARED if _repeated(z) else None


# ---- eigenvalues of any matrix: Magnus 1985; eigenvectors of unit length, which turn by v^H dv = 0 ----------


def _crosswise(v: Any, x: Any) -> Any:
    """The part of each column of x that is orthogonal to that of v."""
    return x - v * np.sum(conj(v) * x, axis=-2, keepdims=True)


def _pull_eig(k: int, g: Any, z: Any, a: Any) -> Any:
    w, v = z
    on_values, on_vectors = g
    if on_values is None and on_vectors is None:
        return None
    inner = 0.0 if on_values is None else _diagonal(on_values)
    if on_vectors is not None:
        inner = inner + _apart(_turned(v) @ _crosswise(v, on_vectors), conj(w))
    return _solved(_turned(v), inner @ _turned(v))


def _push_eig(k: int, t: Any, z: Any, a: Any) -> Any:
    w, v = z
    inner = _solved(v, t @ v)
    return np.diagonal(inner, axis1=-2, axis2=-1), _crosswise(v, v @ _apart(inner, w))


def _pull_eigvals(k: int, g: Any, z: Any, a: Any) -> Any:
    w, v = np.linalg.eig(a)
    along = _applied(np.swapaxes(_shares(z, w), -1, -2), g)
    return _solved(_turned(v), along[..., :, None] * _turned(v))


def _push_eigvals(k: int, t: Any, z: Any, a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return _applied(_shares(z, w), np.diagonal(_solved(v, t @ v), axis1=-2, axis2=-1))


# ---- columns that complete a basis ---------------------------------------------------------------


def _rest_pushed(q: Any, rest: Any, t: Any) -> Any:
    """The tangent of orthonormal columns `rest`, orthogonal to q, where that of q is t: they only evade it."""
    return -(q @ _turned(t) @ rest)


def _rest_pulled(q: Any, rest: Any, g: Any) -> Any:
    """The adjoint g of `rest` as one of q."""
    return -(rest @ _turned(g) @ q)


def _kink_basis(a: Any) -> str | None:
    """A single real column that completes a basis is determined up to its sign."""
    if abs(a.shape[-2] - a.shape[-1]) <= (0 if np.iscomplexobj(a) else 1):
        return None
    return "the columns that complete a basis are arbitrary: only what does not depend on them has a derivative"


# ---- QR ------------------------------------------------------------------------------------------


def _qr_parts(z: Any, a: Any, mode: str) -> tuple[Any, Any]:
    """Q and R, Q also where it was not asked for."""
    if mode == "r":
        n = min(a.shape[-2:])
        return _right_solved(a[..., :n], z[..., :n]), z
    if mode not in ("reduced", "complete"):
        raise NotImplementedError(f"np.linalg.qr has no derivative rule for mode={mode!r}; use 'reduced'")
    return z


def _pull_qr(k: int, g: Any, z: Any, a: Any, mode: str = "reduced") -> Any:
    """Walter & Lehmann 2012, "Algorithmic differentiation of linear algebra functions"; Liao et al. 2019,
    "Differentiable programming tensor networks"; for a wide matrix the first columns determine Q."""
    q, r = _qr_parts(z, a, mode)
    on_q, on_r = (None, g) if mode == "r" else g
    if on_q is None and on_r is None:
        return None
    m, n = a.shape[-2:]
    size = min(m, n)
    rest, q, r = q[..., size:], q[..., :size], r[..., :size, :]
    along = 0.0 if on_q is None else on_q[..., :size]
    if on_q is not None and rest.shape[-1]:
        along = along + _rest_pulled(q, rest, on_q[..., size:])
    inner, beyond = 0.0, np.zeros((*a.shape[:-1], n - size))
    if on_r is not None:
        on_r = on_r[..., :size, :]
        inner = on_r[..., :size] @ _turned(r[..., :size])
        if n > m:  # R = [U, Q^H Y] for a = [X, Y]
            along = along + a[..., size:] @ _turned(on_r[..., size:])
            beyond = q @ on_r[..., size:]
    if on_q is not None or n > m:
        inner = inner - _turned(q) @ along
    inner = _half(size, False) * inner
    c = _right_solved(along + q @ (inner + _turned(inner)), _turned(r[..., :size]))
    return np.concatenate([c, beyond], axis=-1) if n > m else c


def _push_qr(k: int, t: Any, z: Any, a: Any, mode: str = "reduced") -> Any:
    q, r = _qr_parts(z, a, mode)
    m, n = a.shape[-2:]
    size = min(m, n)
    rest, q, r = q[..., size:], q[..., :size], r[..., :size, :]
    first = _right_solved(t[..., :size], r[..., :size])
    inner = _turned(q) @ first
    inner = _half(size, False) * (inner + _turned(inner))
    dq, dr = first - q @ inner, inner @ r[..., :size]
    if n > m:
        dr = np.concatenate([dr, _turned(dq) @ a[..., size:] + _turned(q) @ t[..., size:]], axis=-1)
    if mode == "r":
        return dr
    if rest.shape[-1]:
        dq = np.concatenate([dq, _rest_pushed(q, rest, dq)], axis=-1)
        dr = np.concatenate([dr, np.zeros((*dr.shape[:-2], m - n, n))], axis=-2)
    return dq, dr


def _kink_qr(z: Any, a: Any, mode: str = "reduced") -> str | None:
    if mode not in ("reduced", "complete", "r"):
        return None
    size = np.abs(np.diagonal(z if mode == "r" else z[1], axis1=-2, axis2=-1))
    if size.size and np.any(size <= _small(size)):
        return "the columns are linearly dependent: Q and R have no derivative"
    return _kink_basis(a) if mode == "complete" and a.shape[-2] > a.shape[-1] else None


# ---- singular values: Townsend 2016, "Differentiating the singular value decomposition" -----------------


def _thin(z: Any) -> tuple[Any, Any, Any, Any]:
    """U, s, V of the thin decomposition, and zero for singular values that are none."""
    u, s, vh = z
    n = s.shape[-1]
    return u[..., :n], s, _turned(vh[..., :n, :]), np.where(s <= _small(s), 0.0, s)


def _pairs(s: Any) -> Any:
    """[..., i, j]: s_i + s_j"""
    return s[..., None, :] + s[..., :, None]


def _pull_svd(
    k: int, g: Any, z: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    if not compute_uv:
        return _pull_svdvals(k, g, z, a, hermitian)
    on_u, on_s, on_vh = g
    if on_u is None and on_s is None and on_vh is None:
        return None
    u, s, v, sure = _thin(z)
    n = s.shape[-1]
    inner = 0.0 if on_s is None else _diagonal(on_s)
    outer = 0.0
    turning, opposing = 0.0, 0.0
    if on_u is not None:
        along = on_u[..., :n]
        if on_u.shape[-1] > n:
            along = along + _rest_pulled(u, z[0][..., n:], on_u[..., n:])
        m = _turned(u) @ along
        turning, opposing = m, m
        if u.shape[-2] > n:
            outer = _over(along - u @ m, sure[..., None, :]) @ _turned(v)
    if on_vh is not None:
        along = _turned(on_vh[..., :n, :])
        if on_vh.shape[-2] > n:
            along = along + _rest_pulled(v, _turned(z[2][..., n:, :]), _turned(on_vh[..., n:, :]))
        m = _turned(v) @ along
        turning, opposing = turning + m, opposing - m
        if v.shape[-2] > n:
            outer = outer + u @ _turned(_over(along - v @ m, sure[..., None, :]))
    if on_u is not None or on_vh is not None:
        inner = inner + 0.5 * _apart(turning - _turned(turning), s)
        inner = inner + 0.5 * _over(opposing - _turned(opposing), _pairs(sure))
    c = u @ inner @ _turned(v) + outer
    return _read(c, True) if hermitian else c


def _push_svd(
    k: int, t: Any, z: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    if not compute_uv:
        return _push_svdvals(k, t, z, a, hermitian)
    if hermitian:
        t = _hermitian(t, True)
    u, s, v, sure = _thin(z)
    n = s.shape[-1]
    p = _turned(u) @ t @ v
    turning = 0.5 * _apart(p + _turned(p), s)  # both in the same sense
    opposing = 0.5 * _over(p - _turned(p), _pairs(sure))  # and in opposite ones
    du, dv = u @ (turning + opposing), v @ (turning - opposing)
    if u.shape[-2] > n:
        du = du + _over(t @ v - u @ p, sure[..., None, :])
    if v.shape[-2] > n:
        dv = dv + _over(_turned(t) @ u - v @ _turned(p), sure[..., None, :])
    if z[0].shape[-1] > n:
        du = np.concatenate([du, _rest_pushed(u, z[0][..., n:], du)], axis=-1)
    if z[2].shape[-2] > n:
        dv = np.concatenate([dv, _rest_pushed(v, _turned(z[2][..., n:, :]), dv)], axis=-1)
    return du, _real(np.diagonal(p, axis1=-2, axis2=-1)), _turned(dv)


def _value_shares(z: Any, s: Any) -> Any:
    """As `_shares`; a singular value that is zero has a corner there, as abs has."""
    return _shares(z, s) * np.where(z <= _small(s), 0.0, 1.0)[..., :, None]


def _pull_svdvals(k: int, g: Any, z: Any, x: Any, hermitian: bool = False) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False, hermitian=hermitian)
    along = _applied(np.swapaxes(_value_shares(z, s), -1, -2), g)
    c = u * along[..., None, :] @ vh
    return _read(c, True) if hermitian else c


def _push_svdvals(k: int, t: Any, z: Any, x: Any, hermitian: bool = False) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False, hermitian=hermitian)
    if hermitian:
        t = _hermitian(t, True)
    return _applied(_value_shares(z, s), _real(np.sum(conj(u) * (t @ _turned(vh)), axis=-2)))


def _kink_svd(
    z: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> str | None:
    if not compute_uv:
        return _kink_svdvals(z, a)
    if _repeated(z[1]):
        return "repeated singular values: the singular vectors have no derivative"
    m, n = a.shape[-2:]
    if m != n:
        if np.any(z[1] <= _small(z[1])):
            return "a singular value is zero: its singular vectors have no derivative"
        return _kink_basis(a) if full_matrices else None
    return None


def _kink_svdvals(z: Any, x: Any) -> str | None:
    if np.any(z <= _small(z)):
        return "a singular value has a corner at zero"
    return "repeated singular values share the derivative evenly" if _repeated(z) else None


# ---- the pseudo-inverse: Golub & Pereyra 1973, "The differentiation of pseudo-inverses …" ----------------------

_NONE: Any = np._NoValue  # the default of rtol


def _given_cutoff(rcond: Any, rtol: Any) -> Any:
    """Below which part of the greatest singular value pinv drops the others; None where that is rounding."""
    return rcond if rcond is not None else None if rtol is _NONE else rtol


def _cut(a: Any, rcond: Any, hermitian: bool) -> Any:
    """The decomposition and, for each pair of singular values, the two coefficients of the derivative where pinv drops
    singular values that are not zero; else None."""
    u, s, vh = np.linalg.svd(a, full_matrices=False, hermitian=hermitian)
    kept = s > np.asarray(rcond)[..., None] * np.max(s, axis=-1, keepdims=True)
    if not np.any(~kept & (s > 4 * _small(s))):
        return None
    f = np.where(kept, 1 / np.where(kept, s, 1.0), 0.0)
    mixed = kept[..., :, None] != kept[..., None, :]
    squares = np.abs(s[..., :, None] ** 2 - s[..., None, :] ** 2)
    over = np.where(mixed, 1 / np.where(mixed, squares, 1.0), 0.0)
    one = over * (s[..., :, None] * f[..., None, :] + f[..., :, None] * s[..., None, :])
    return u, vh, one - f[..., :, None] * f[..., None, :], over


def _pull_pinv(
    k: int, g: Any, z: Any, a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = _NONE
) -> Any:  # fmt: skip
    whole = _hermitian(a, True) if hermitian else a
    cutoff = _given_cutoff(rcond, rtol)
    cut = None if cutoff is None else _cut(a, cutoff, hermitian)
    zh, gh = _turned(z), _turned(g)
    if cut is None:
        c = -(zh @ g @ zh)
        c = c + (gh - whole @ (z @ gh)) @ (z @ zh) + (zh @ z) @ (gh - (gh @ z) @ whole)
    else:
        u, vh, one, other = cut
        inner = vh @ g @ u
        c = u @ (one * inner + other * _turned(inner)) @ vh
        c = c + (gh - u @ (_turned(u) @ gh)) @ (z @ zh) + (zh @ z) @ (gh - (gh @ _turned(vh)) @ vh)
    return _read(c, True) if hermitian else c


def _push_pinv(
    k: int, t: Any, z: Any, a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = _NONE
) -> Any:  # fmt: skip
    whole = a
    if hermitian:
        t, whole = _hermitian(t, True), _hermitian(a, True)
    cutoff = _given_cutoff(rcond, rtol)
    cut = None if cutoff is None else _cut(a, cutoff, hermitian)
    zh, th = _turned(z), _turned(t)
    if cut is None:
        return -(z @ t @ z) + (z @ zh) @ (th - (th @ whole) @ z) + (th - z @ (whole @ th)) @ (zh @ z)
    u, vh, one, other = cut
    inner = _turned(u) @ t @ _turned(vh)
    dz = _turned(vh) @ (one * inner + other * _turned(inner)) @ _turned(u)
    return dz + (z @ zh) @ (th - (th @ u) @ _turned(u)) + (th - _turned(vh) @ (vh @ th)) @ (zh @ z)


def _kink_pinv(z: Any, a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = _NONE) -> str | None:
    whole = _hermitian(a, True) if hermitian else a
    rank = _real(np.sum(np.swapaxes(whole, -1, -2) * z, axis=(-2, -1)))  # the trace of a projection
    if np.any(rank < min(a.shape[-2:]) - 0.5):
        return "the rank is not full: the derivative is along changes that keep it"
    return None


# ---- least squares: x = pinv(a) b ----------------------------------------------------------------

_DEFAULT_RCOND: Any = None if _NUMPY_2 else "warn"


def _lstsq_cutoff(a: Any, rcond: Any) -> Any:
    """Where lstsq drops singular values, and what `_push_pinv` should be told."""
    if rcond is None or isinstance(rcond, str) or rcond < 0:
        return max(a.shape) * _EPS if rcond is None else _EPS, None
    return rcond, rcond


def _pull_lstsq(k: int, g: Any, z: Any, a: Any, b: Any, rcond: Any = _DEFAULT_RCOND) -> Any:
    on_x, on_residuals, _, on_s = g
    x = z[0]
    columns = b[:, None] if b.ndim == 1 else b
    c: Any = None
    if on_x is not None:
        cutoff, given = _lstsq_cutoff(a, rcond)
        inverse = np.linalg.pinv(a, cutoff)
        along = on_x[:, None] if b.ndim == 1 else on_x
        if k == 0:
            c = _pull_pinv(0, along @ _turned(columns), inverse, a, given)
        else:
            c = _turned(inverse) @ along
    if on_residuals is not None and z[1].shape[0]:
        rest = columns - a @ (x[:, None] if b.ndim == 1 else x)
        along = 2.0 * rest * on_residuals
        if k == 0:
            along = -(along @ _turned(x[:, None] if b.ndim == 1 else x))
        c = along if c is None else c + along
    if k == 0 and on_s is not None:
        along = _pull_svdvals(0, on_s, z[3], a)
        c = along if c is None else c + along
    return c[:, 0] if c is not None and k == 1 and b.ndim == 1 else c


def _push_lstsq(k: int, t: Any, z: Any, a: Any, b: Any, rcond: Any = _DEFAULT_RCOND) -> Any:
    x = z[0]
    cutoff, given = _lstsq_cutoff(a, rcond)
    inverse = np.linalg.pinv(a, cutoff)
    dx = _push_pinv(0, t, inverse, a, given) @ b if k == 0 else inverse @ t
    residuals: Any = np.zeros(0)
    if z[1].shape[0]:
        change = t @ x if k == 0 else -t
        along = -2.0 * _real(np.sum(conj(b - a @ x) * change, axis=0))
        residuals = np.reshape(along, (-1,))
    return dx, residuals, 0.0, _push_svdvals(0, t, z[3], a) if k == 0 else 0.0


def _kink_lstsq(z: Any, a: Any, b: Any, rcond: Any = _DEFAULT_RCOND) -> str | None:
    return "the rank is not full: the derivative is along changes that keep it" if z[2] < min(a.shape) else None


# ---- powers --------------------------------------------------------------------------------------


def _pushed_power(a: Any, t: Any, n: int) -> Any:
    """The tangent of a**n by repeated squaring of a + t ε."""
    if n == 0:
        return np.zeros(a.shape)
    if n < 0:
        a = np.linalg.inv(a)
        t, n = -(a @ t @ a), -n
    power, along = None, None
    while True:
        n, odd = divmod(n, 2)
        if odd:
            power, along = (a, t) if power is None else (power @ a, along @ a + power @ t)
        if not n:
            return along
        a, t = a @ a, t @ a + a @ t


def _pull_matrix_power(k: int, g: Any, z: Any, a: Any, n: int) -> Any:
    return _pushed_power(_turned(a), g, int(n))  # Σ aᴴ^i g aᴴ^j


def _push_matrix_power(k: int, t: Any, z: Any, a: Any, n: int) -> Any:
    return _pushed_power(a, t, int(n))


# ---- norms ---------------------------------------------------------------------------------------


def _sign(x: Any) -> Any:
    """x / |x|, and 0 for 0."""
    if not np.iscomplexobj(x):
        return np.sign(x)
    size = np.abs(x)
    return np.where(size == 0, 0.0, x / np.where(size == 0, 1.0, size))


def _even(mask: Any, axis: Any) -> Any:
    """Equal parts of one for the entries of a mask."""
    ones = np.where(mask, 1.0, 0.0)
    return ones / np.sum(ones, axis=axis, keepdims=True)


def _norm_axes(x: Any, ord: Any, axis: Any) -> tuple[int, ...]:  # noqa: A002
    """The axes of a norm, and none of them where all entries are one vector."""
    if axis is None:
        return () if ord is None else tuple(range(x.ndim))
    return tuple(int(k) % x.ndim for k in axis) if isinstance(axis, tuple) else (int(axis) % x.ndim,)


def _vector_gradient(z: Any, x: Any, ord: Any, axis: Any) -> Any:  # noqa: A002
    """Of a vector norm z, with its axes put back."""
    if ord in (np.inf, -np.inf):
        return _even(np.abs(x) == z, axis) * _sign(x)
    if ord == 0:
        return np.zeros(x.shape)
    if ord == 1:
        return _sign(x)
    flat = z == 0
    z = np.where(flat, 1.0, z)
    if ord is None or ord == 2:
        return np.where(flat, 0.0, x / z)
    size = np.abs(x)
    none = (size == 0) | flat
    return np.where(none, 0.0, (np.where(none, 1.0, size) / z) ** (ord - 1.0) * _sign(x))


def _matrix_gradient(x: Any, ord: Any, rows: int, columns: int) -> Any:  # noqa: A002
    """Of a matrix norm that is none of the vector of its entries."""
    if ord in (1, -1, np.inf, -np.inf):
        along, across = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = np.sum(np.abs(x), axis=along, keepdims=True)
        best = (np.max if ord > 0 else np.min)(sums, axis=across, keepdims=True)
        return _even(sums == best, across) * _sign(x)
    u, s, vh = np.linalg.svd(np.moveaxis(x, (rows, columns), (-2, -1)), full_matrices=False)
    weights = np.where(s <= _small(s), 0.0, 1.0)
    if ord != "nuc":
        best = s[..., :1] if ord == 2 else s[..., -1:]
        weights = weights * _even(np.abs(s - best) <= _small(s), -1)
    return np.moveaxis(u * weights[..., None, :] @ vh, (-2, -1), (rows, columns))


def _norm_gradient(z: Any, x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:  # noqa: A002
    """D with dz = Re Σ conj(D) dx. The derivative of least length where there are many."""
    axes = _norm_axes(x, ord, axis)
    if len(axes) == 2 and ord not in (None, "fro", "f"):
        return _matrix_gradient(x, ord, *axes)
    return _vector_gradient(
        expanded(z, x, axis, keepdims), x, None if isinstance(ord, str) else ord, axes[0] if len(axes) == 1 else None
    )


def _pull_norm(
    k: int, g: Any, z: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False  # noqa: A002
) -> Any:  # fmt: skip
    return expanded(g, x, axis, keepdims) * _norm_gradient(z, x, ord, axis, keepdims)


def _push_norm(
    k: int, t: Any, z: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False  # noqa: A002
) -> Any:  # fmt: skip
    return np.sum(_real(conj(_norm_gradient(z, x, ord, axis, keepdims)) * t), axis=axis, keepdims=keepdims)


def _kink_norm(
    z: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False  # noqa: A002
) -> str | None:  # fmt: skip
    corner, tie = "the norm has a corner where an entry is 0", "a tie shares the derivative evenly"
    axes = _norm_axes(x, ord, axis)
    if np.any(z == 0) and ord != 0:
        return "the norm has a corner at 0"
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        s = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        best = s[..., :1] if ord == 2 else s[..., -1:]
        if ord == "nuc":
            return "the nuclear norm has a corner where the rank is not full" if np.any(s <= _small(s)) else None
        return tie if np.any(np.sum(np.abs(s - best) <= _small(s), axis=-1) > 1) else None
    if ord in (None, "fro", "f", 2):
        return None
    if len(axes) == 2:
        along, across = axes if ord in (1, -1) else axes[::-1]
        sums = np.sum(np.abs(x), axis=along, keepdims=True)
        best = sums == expanded(z, x, axis, keepdims)
        if np.any(np.sum(best, axis=across) > 1):
            return tie
        return corner if np.any(best & (x == 0)) else None
    if ord in (np.inf, -np.inf):
        return tie if np.any(np.sum(np.abs(x) == expanded(z, x, axis, keepdims), axis=axis) > 1) else None
    if ord == 0:
        return "the count of the entries that are not 0 jumps" if np.any(x == 0) else None
    return corner if ord <= 1 and np.any(x == 0) else None


# fmt: off
RULES: tuple[ArrayRule, ...] = (
    ArrayRule("inv", np.linalg.inv, ("a",), (), _pull_inv, _push_inv),
    ArrayRule("solve", np.linalg.solve, ("a", "b"), (), _pull_solve, _push_solve),
    ArrayRule("det", np.linalg.det, ("a",), (), _pull_det, _push_det),
    ArrayRule("slogdet", np.linalg.slogdet, ("a",), (), _pull_slogdet, _push_slogdet),
    ArrayRule("cholesky", np.linalg.cholesky, ("a",), ("upper",) if _NUMPY_2 else (), _pull_cholesky, _push_cholesky),
    ArrayRule("qr", np.linalg.qr, ("a",), ("mode",), _pull_qr, _push_qr),
    ArrayRule("eigh", np.linalg.eigh, ("a",), ("UPLO",), _pull_eigh, _push_eigh),
    ArrayRule("eigvalsh", np.linalg.eigvalsh, ("a",), ("UPLO",), _pull_eigvalsh, _push_eigvalsh),
    ArrayRule("eig", np.linalg.eig, ("a",), (), _pull_eig, _push_eig),
    ArrayRule("eigvals", np.linalg.eigvals, ("a",), (), _pull_eigvals, _push_eigvals),
    ArrayRule("svd", np.linalg.svd, ("a",), ("full_matrices", "compute_uv", "hermitian"), _pull_svd, _push_svd),
    ArrayRule("pinv", np.linalg.pinv, ("a",), ("rcond", "hermitian") + ("rtol",) * _NUMPY_2, _pull_pinv, _push_pinv),
    ArrayRule("matrix_power", np.linalg.matrix_power, ("a",), ("n",), _pull_matrix_power, _push_matrix_power),
    ArrayRule("lstsq", np.linalg.lstsq, ("a", "b"), ("rcond",), _pull_lstsq, _push_lstsq),
    ArrayRule("norm", np.linalg.norm, ("x",), ("ord", "axis", "keepdims"), _pull_norm, _push_norm),
)
# fmt: on
if hasattr(np.linalg, "svdvals"):
    RULES = (*RULES, ArrayRule("svdvals", np.linalg.svdvals, ("x",), (), _pull_svdvals, _push_svdvals))

KINKS = {
    "slogdet": _at_singular,
    "qr": _kink_qr,
    "eigh": _kink_eigen,
    "eigvalsh": _kink_eigenvalues,
    "eig": _kink_eigen,
    "eigvals": _kink_eigenvalues,
    "svd": _kink_svd,
    "svdvals": _kink_svdvals,
    "pinv": _kink_pinv,
    "lstsq": _kink_lstsq,
    "norm": _kink_norm,
}
