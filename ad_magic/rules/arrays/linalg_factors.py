"""Cholesky and QR factorisations.

The columns that complete a basis are determined up to a rotation; they are differentiated in the gauge in which they
turn least.
"""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .linalg_parts import (
    NUMPY_2,
    half,
    hermitian_of,
    kink_basis,
    read,
    rest_pulled,
    rest_pushed,
    right_solved,
    small,
    solved,
    turned,
)
from .rule import ArrayRule


def _pull_cholesky(k: int, g: Any, z: Any, a: Any, upper: bool = False) -> Any:
    """Murray 2016, "Differentiation of the Cholesky decomposition"."""
    if upper:
        g, z = turned(g), turned(z)
    back = turned(z)
    inverse = np.linalg.inv(back)  # of an upper triangle, so without pivots: as accurate as to solve twice, and quicker
    inner = inverse @ (half(z.shape[-1]) * (back @ g)) @ turned(inverse)
    return read(inner, not upper)


def _push_cholesky(k: int, t: Any, z: Any, a: Any, upper: bool = False) -> Any:
    t = hermitian_of(t, not upper)
    if upper:
        z = turned(z)
    t = z @ (half(z.shape[-1]) * right_solved(solved(z, t), turned(z)))
    return turned(t) if upper else t


# ---- QR ------------------------------------------------------------------------------------------


def _qr_parts(z: Any, a: Any, mode: str) -> tuple[Any, Any]:
    """Q and R, Q also where it was not asked for."""
    if mode == "r":
        n = min(a.shape[-2:])
        return right_solved(a[..., :n], z[..., :n]), z
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
        along = along + rest_pulled(q, rest, on_q[..., size:])
    inner, beyond = 0.0, np.zeros((*a.shape[:-1], n - size))
    if on_r is not None:
        on_r = on_r[..., :size, :]
        inner = on_r[..., :size] @ turned(r[..., :size])
        if n > m:  # R = [U, Q^H Y] for a = [X, Y]
            along = along + a[..., size:] @ turned(on_r[..., size:])
            beyond = q @ on_r[..., size:]
    if on_q is not None or n > m:
        inner = inner - turned(q) @ along
    inner = half(size, False) * inner
    c = right_solved(along + q @ (inner + turned(inner)), turned(r[..., :size]))
    return np.concatenate([c, beyond], axis=-1) if n > m else c


def _push_qr(k: int, t: Any, z: Any, a: Any, mode: str = "reduced") -> Any:
    q, r = _qr_parts(z, a, mode)
    m, n = a.shape[-2:]
    size = min(m, n)
    rest, q, r = q[..., size:], q[..., :size], r[..., :size, :]
    first = right_solved(t[..., :size], r[..., :size])
    inner = turned(q) @ first
    inner = half(size, False) * (inner + turned(inner))
    dq, dr = first - q @ inner, inner @ r[..., :size]
    if n > m:
        dr = np.concatenate([dr, turned(dq) @ a[..., size:] + turned(q) @ t[..., size:]], axis=-1)
    if mode == "r":
        return dr
    if rest.shape[-1]:
        dq = np.concatenate([dq, rest_pushed(q, rest, dq)], axis=-1)
        dr = np.concatenate([dr, np.zeros((*dr.shape[:-2], m - n, n))], axis=-2)
    return dq, dr


def _kink_qr(z: Any, a: Any, mode: str = "reduced") -> str | None:
    if mode not in ("reduced", "complete", "r"):
        return None
    size = np.abs(np.diagonal(z if mode == "r" else z[1], axis1=-2, axis2=-1))
    if size.size and np.any(size <= small(size)):
        return "the columns are linearly dependent: Q and R have no derivative"
    return kink_basis(a) if mode == "complete" and a.shape[-2] > a.shape[-1] else None


# fmt: off
RULES: tuple[ArrayRule, ...] = (
    ArrayRule("cholesky", np.linalg.cholesky, ("a",), ("upper",) if NUMPY_2 else (), _pull_cholesky, _push_cholesky),
    ArrayRule("qr", np.linalg.qr, ("a",), ("mode",), _pull_qr, _push_qr),
)
# fmt: on
KINKS = {"qr": _kink_qr}
