"""Functions of scipy.linalg as short programs in NumPy's, and two primitives of its own: packed LU, the exponential.

As in SciPy only that triangle of a symmetric matrix counts that the function reads. Where a sign is free (singular and
eigenvectors), `signs` says which one SciPy took.

Derivatives: Giles 2008, "Collected matrix derivative results"; de Hoog, Anderssen & Lukas 2011 (LU); Al-Mohy & Higham
2009 (exponential: the upper right block of exp([[A, E], [0, A]])).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.composed_parts import operand
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

Body = Callable[..., Any]
_SYMMETRIC = ("sym", "symmetric", "her", "hermitian", "pos", "positive definite")


def _turned(a: Any) -> Any:
    """The conjugate transpose."""
    return np.conj(a.T)


def _mirrored(a: Any, lower: bool) -> Any:
    """A symmetric (Hermitian) matrix from one of its triangles."""
    part = np.tril(a, -1) if lower else np.triu(a, 1)
    return np.diag(np.diagonal(a)) + part + _turned(part)


def solve(
    a: Any, b: Any, lower: bool = False, overwrite_a: Any = False, overwrite_b: Any = False, check_finite: Any = True,
    assume_a: Any = None, transposed: bool = False,
) -> Any:  # fmt: skip
    """x with a @ x = b."""
    a, b = operand(a), operand(b)
    if assume_a in _SYMMETRIC:
        a = _mirrored(a, lower)
    elif assume_a in ("upper triangular", "lower triangular"):
        a = np.triu(a) if assume_a.startswith("u") else np.tril(a)
    elif assume_a == "diagonal":
        a = np.diag(np.diagonal(a))
    return np.linalg.solve(a.T if transposed else a, b)


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, overwrite_b: Any = False,
    check_finite: Any = True,
) -> Any:  # fmt: skip
    """x with a @ x = b for one triangle of a."""
    a, b = operand(a), operand(b)
    t = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        t = t - np.diag(np.diagonal(t)) + np.eye(len(t))
    return np.linalg.solve(t.T if trans in (1, "T") else _turned(t) if trans in (2, "C") else t, b)


def inv(a: Any, overwrite_a: Any = False, check_finite: Any = True, **options: Any) -> Any:
    return np.linalg.inv(operand(a))


def det(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    return np.linalg.det(operand(a))


def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: Any = True) -> Any:
    return np.linalg.norm(operand(a), ord, axis, keepdims)


def pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False, check_finite: Any = True) -> Any:
    if atol is not None or return_rank:
        raise NotImplementedError("scipy.linalg.pinv has no derivative rule with atol or return_rank; leave them out")
    return np.linalg.pinv(operand(a)) if rtol is None else np.linalg.pinv(operand(a), rtol)


def cholesky(a: Any, lower: bool = False, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    """L with L @ L.T = a, or its transpose."""
    a = operand(a)
    return np.linalg.cholesky(a) if lower else _turned(np.linalg.cholesky(_turned(a)))


def cho_factor(a: Any, lower: bool = False, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    """(factor, lower); in the other triangle of the factor stands what SciPy leaves there."""
    a = operand(a)
    factor = cholesky(a, lower)
    if _leaves_the_other_triangle():
        factor = factor + (np.triu(a, 1) if lower else np.tril(a, -1))
    return factor, lower


@functools.cache
def _leaves_the_other_triangle() -> bool:
    """Whether the unused triangle of cho_factor's result holds what stood in a (SciPy before 1.18), or zeros."""
    from scipy import linalg

    return bool(linalg.cho_factor(np.array([[2.0, 1.0], [1.0, 2.0]]))[0][1, 0])


def cho_solve(c_and_lower: Any, b: Any, overwrite_b: Any = False, check_finite: Any = True) -> Any:
    factor, lower = c_and_lower
    t = np.tril(operand(factor)) if lower else _turned(np.triu(operand(factor)))
    return np.linalg.solve(_turned(t), np.linalg.solve(t, operand(b)))


def _order(pivots: Any) -> Any:
    """The rows in the order that exchanging row k with row pivots[k], one after the other, leaves."""
    order = np.arange(len(pivots))
    for k, other in enumerate(pivots):
        order[[k, other]] = order[[other, k]]
    return order


def lu_solve(lu_and_piv: Any, b: Any, trans: int = 0, overwrite_b: Any = False, check_finite: Any = True) -> Any:
    packed, pivots = operand(lu_and_piv[0]), lu_and_piv[1]
    b, order = operand(b), _order(pivots)
    low, up = _halves(packed)
    if not trans:
        return np.linalg.solve(up, np.linalg.solve(low, b[order]))
    turn = _turned if trans == 2 else np.transpose
    return np.linalg.solve(turn(low), np.linalg.solve(turn(up), b))[np.argsort(order)]


def eigvalsh(a: Any, b: Any = None, *, lower: bool = True, subset_by_index: Any = None, **options: Any) -> Any:
    return _part_of(np.linalg.eigvalsh(_standard(a, b, lower)[0]), subset_by_index)


def eigh(
    a: Any, b: Any = None, *, lower: bool = True, subset_by_index: Any = None, signs: Any = 1.0, **options: Any
) -> Any:
    """Eigenvalues and vectors, also of a @ v = w * b @ v."""
    a, factor = _standard(a, b, lower)
    values, vectors = np.linalg.eigh(a)
    if factor is not None:
        vectors = np.linalg.solve(_turned(factor), vectors)
    values, vectors = _part_of(values, subset_by_index), _part_of(vectors, subset_by_index)
    return values, vectors * signs


def _standard(a: Any, b: Any, lower: bool) -> tuple[Any, Any]:
    """The symmetric matrix with the eigenvalues of a @ v = w * b @ v, and the factor of b."""
    a = _mirrored(operand(a), lower)
    if b is None:
        return a, None
    factor = np.linalg.cholesky(_mirrored(operand(b), lower))
    return np.linalg.solve(factor, _turned(np.linalg.solve(factor, a))), factor


def _part_of(x: Any, subset: Any) -> Any:
    return x if subset is None else x[..., subset[0] : subset[1] + 1]


def signs_between(found: Any, wanted: Any) -> Any:
    """What the columns of a matrix are to be multiplied with, so that they have the signs (phases) of another.

    >>> signs_between(np.eye(2), -np.eye(2))
    array([-1., -1.])
    """
    phase = np.sum(np.conj(found) * wanted, axis=0)
    size = np.abs(phase)
    return np.where(size == 0, 1.0, phase / np.where(size == 0, 1.0, size)).round(12)


def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, overwrite_a: Any = False, check_finite: Any = True,
    lapack_driver: Any = "gesdd", *, signs: Any = None,
) -> Any:  # fmt: skip
    if not compute_uv:
        return np.linalg.svd(operand(a), compute_uv=False)
    u, s, vh = np.linalg.svd(operand(a), full_matrices)
    if signs is None:
        return u, s, vh
    k, m, n = len(signs), np.shape(u)[1], np.shape(vh)[0]
    rest = np.ones(max(m, n) - k)  # what spans the null space has no values
    return u * np.append(signs, rest[: m - k]), s, vh * np.conj(np.append(signs, rest[: n - k]))[:, None]


def svdvals(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    return np.linalg.svd(operand(a), compute_uv=False)


def eigvals(a: Any, b: Any = None, overwrite_a: Any = False, check_finite: Any = True, **options: Any) -> Any:
    """Always complex."""
    a = operand(a)
    return np.linalg.eigvals(a if b is None else np.linalg.solve(operand(b), a)) + 0j


def block_diag(*arrays: Any) -> Any:
    """The matrices along the diagonal, zeros elsewhere."""
    parts = [np.atleast_2d(operand(x)) for x in arrays]
    width = sum(np.shape(x)[1] for x in parts)
    rows, start = [], 0
    for x in parts:
        m, n = np.shape(x)
        rows.append(np.concatenate([np.zeros((m, start)), x, np.zeros((m, width - start - n))], axis=1))
        start += n
    return np.concatenate(rows, axis=0)


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with the first column c and the first row r, constant along its diagonals."""
    c = np.ravel(operand(c))
    r = np.conj(c) if r is None else np.ravel(operand(r))
    m, n = np.shape(c)[0], np.shape(r)[0]
    return np.concatenate([c[::-1], r[1:]])[m - 1 - np.arange(m)[:, None] + np.arange(n)]


def circulant(c: Any) -> Any:
    """The matrix whose columns are c, turned on."""
    c = np.ravel(operand(c))
    n = np.shape(c)[0]
    return c[(np.arange(n)[:, None] - np.arange(n)) % n]


BODIES: dict[str, Body] = {
    body.__name__: body for body in (
        solve, solve_triangular, inv, det, norm, pinv, cholesky, cho_factor, cho_solve, lu_solve, eigvalsh, eigh, svd,
        svdvals, eigvals, block_diag, toeplitz, circulant)
}  # fmt: skip
FREE_SIGNS = {"eigh": 1, "svd": 0}  # which of the results has columns whose signs are free


# ---- primitives ----------------------------------------------------------------------------------


def _halves(packed: Any) -> tuple[Any, Any]:
    return np.tril(packed, -1) + np.eye(np.shape(packed)[0]), np.triu(packed)


def _pull_lu(k: int, g: Any, z: Any, a: Any) -> Any:
    low, up = _halves(z)
    inner = np.tril(_turned(low) @ np.tril(g, -1), -1) + np.triu(np.triu(g) @ _turned(up))
    return np.linalg.solve(_turned(low), _turned(np.linalg.solve(up, _turned(inner))))


def _push_lu(k: int, t: Any, z: Any, a: Any) -> Any:
    low, up = _halves(z)
    inner = np.linalg.solve(low, np.linalg.solve(up.T, t.T).T)
    return low @ np.tril(inner, -1) + np.triu(inner) @ up


def lu_rule(value: Callable[..., Any]) -> ArrayRule:
    """Packed L and U of a matrix that needs no exchange of rows; `value` computes them."""
    return ArrayRule("lu", value, ("a",), (), _pull_lu, _push_lu)


def expm_rule(value: Callable[..., Any]) -> ArrayRule:
    """The exponential of a square matrix; `value` computes it, also of active arrays."""

    def along(a: Any, t: Any) -> Any:
        n = np.shape(a)[0]
        return value(np.concatenate([np.concatenate([a, t], 1), np.concatenate([np.zeros((n, n)), a], 1)]))[:n, n:]

    return ArrayRule("expm", value, ("A",), (), lambda k, g, z, a: along(_turned(a), g), lambda k, t, z, a: along(a, t))
