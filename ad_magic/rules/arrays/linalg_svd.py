"""Singular values and vectors: Townsend 2016, "Differentiating the singular value decomposition".

The gauge is that of eigenvectors, and so is what happens where singular values are repeated (`linalg_eigen`).
"""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .linalg_parts import (
    apart,
    applied,
    diagonal,
    hermitian_of,
    kink_basis,
    over,
    read,
    real,
    repeated,
    rest_pulled,
    rest_pushed,
    shares,
    small,
    turned,
)
from .rule import ArrayRule, conj


def _thin(z: Any) -> tuple[Any, Any, Any, Any]:
    """U, s, V of the thin decomposition, and zero for singular values that are none."""
    u, s, vh = z
    n = s.shape[-1]
    return u[..., :n], s, turned(vh[..., :n, :]), np.where(s <= small(s), 0.0, s)


def _pairs(s: Any) -> Any:
    """[..., i, j]: s_i + s_j"""
    return s[..., None, :] + s[..., :, None]


def _pull_svd(
    k: int, g: Any, z: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    if not compute_uv:
        return pull_svdvals(k, g, z, a, hermitian)
    on_u, on_s, on_vh = g
    if on_u is None and on_s is None and on_vh is None:
        return None
    u, s, v, sure = _thin(z)
    n = s.shape[-1]
    inner = 0.0 if on_s is None else diagonal(on_s)
    outer = 0.0
    turning, opposing = 0.0, 0.0
    if on_u is not None:
        along = on_u[..., :n]
        if on_u.shape[-1] > n:
            along = along + rest_pulled(u, z[0][..., n:], on_u[..., n:])
        m = turned(u) @ along
        turning, opposing = m, m
        if u.shape[-2] > n:
            outer = over(along - u @ m, sure[..., None, :]) @ turned(v)
    if on_vh is not None:
        along = turned(on_vh[..., :n, :])
        if on_vh.shape[-2] > n:
            along = along + rest_pulled(v, turned(z[2][..., n:, :]), turned(on_vh[..., n:, :]))
        m = turned(v) @ along
        turning, opposing = turning + m, opposing - m
        if v.shape[-2] > n:
            outer = outer + u @ turned(over(along - v @ m, sure[..., None, :]))
    if on_u is not None or on_vh is not None:
        inner = inner + 0.5 * apart(turning - turned(turning), s)
        inner = inner + 0.5 * over(opposing - turned(opposing), _pairs(sure))
    c = u @ inner @ turned(v) + outer
    return read(c, True) if hermitian else c


def _push_svd(
    k: int, t: Any, z: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    if not compute_uv:
        return push_svdvals(k, t, z, a, hermitian)
    if hermitian:
        t = hermitian_of(t, True)
    u, s, v, sure = _thin(z)
    n = s.shape[-1]
    p = turned(u) @ t @ v
    turning = 0.5 * apart(p + turned(p), s)  # both in the same sense
    opposing = 0.5 * over(p - turned(p), _pairs(sure))  # and in opposite ones
    du, dv = u @ (turning + opposing), v @ (turning - opposing)
    if u.shape[-2] > n:
        du = du + over(t @ v - u @ p, sure[..., None, :])
    if v.shape[-2] > n:
        dv = dv + over(turned(t) @ u - v @ turned(p), sure[..., None, :])
    if z[0].shape[-1] > n:
        du = np.concatenate([du, rest_pushed(u, z[0][..., n:], du)], axis=-1)
    if z[2].shape[-2] > n:
        dv = np.concatenate([dv, rest_pushed(v, turned(z[2][..., n:, :]), dv)], axis=-1)
    return du, real(np.diagonal(p, axis1=-2, axis2=-1)), turned(dv)


def _value_shares(z: Any, s: Any) -> Any:
    """As `shares`; a singular value that is zero has a corner there, as abs has."""
    return shares(z, s) * np.where(z <= small(s), 0.0, 1.0)[..., :, None]


def pull_svdvals(k: int, g: Any, z: Any, x: Any, hermitian: bool = False) -> Any:
    """The pull of the singular values."""
    u, s, vh = np.linalg.svd(x, full_matrices=False, hermitian=hermitian)
    along = applied(np.swapaxes(_value_shares(z, s), -1, -2), g)
    c = u * along[..., None, :] @ vh
    return read(c, True) if hermitian else c


def push_svdvals(k: int, t: Any, z: Any, x: Any, hermitian: bool = False) -> Any:
    """The push of the singular values."""
    u, s, vh = np.linalg.svd(x, full_matrices=False, hermitian=hermitian)
    if hermitian:
        t = hermitian_of(t, True)
    return applied(_value_shares(z, s), real(np.sum(conj(u) * (t @ turned(vh)), axis=-2)))


def _kink_svd(
    z: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> str | None:
    if not compute_uv:
        return _kink_svdvals(z, a)
    if repeated(z[1]):
        return "repeated singular values: the singular vectors have no derivative"
    m, n = a.shape[-2:]
    if m != n:
        if np.any(z[1] <= small(z[1])):
            return "a singular value is zero: its singular vectors have no derivative"
        return kink_basis(a) if full_matrices else None
    return None


def _kink_svdvals(z: Any, x: Any) -> str | None:
    if np.any(z <= small(z)):
        return "a singular value has a corner at zero"
    return "repeated singular values share the derivative evenly" if repeated(z) else None


# fmt: off
RULES: tuple[ArrayRule, ...] = (
    ArrayRule("svd", np.linalg.svd, ("a",), ("full_matrices", "compute_uv", "hermitian"), _pull_svd, _push_svd),
)
# fmt: on
if hasattr(np.linalg, "svdvals"):
    RULES = (*RULES, ArrayRule("svdvals", np.linalg.svdvals, ("x",), (), pull_svdvals, push_svdvals))
KINKS = {"svd": _kink_svd, "svdvals": _kink_svdvals}
