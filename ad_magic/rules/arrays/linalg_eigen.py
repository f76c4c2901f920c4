"""Eigenvalues and eigenvectors: Magnus 1985, "On differentiating eigenvalues and eigenvectors".

Complex eigenvectors are determined up to a factor of modulus one; they are differentiated in the gauge in which they
turn least: what does not depend on the choice has the right derivative. At repeated eigenvalues eigenvectors have no
derivative, and theirs is NaN unless nothing is asked of it; eigenvalues alone share theirs evenly.
"""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .linalg_parts import SHARED, apart, applied, diagonal, hermitian_of, read, real, repeated, shares, solved, turned
from .rule import ArrayRule, conj

# ---- eigenvalues of Hermitian matrices: Magnus 1985, "On differentiating eigenvalues and eigenvectors" --------


def _pull_eigh(k: int, g: Any, z: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = z
    on_values, on_vectors = g
    if on_values is None and on_vectors is None:
        return None
    inner = 0.0 if on_values is None else diagonal(on_values)
    if on_vectors is not None:
        inner = inner + apart(turned(v) @ on_vectors, w)
    return read(v @ inner @ turned(v), UPLO in "Ll")


def _push_eigh(k: int, t: Any, z: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = z
    inner = turned(v) @ hermitian_of(t, UPLO in "Ll") @ v
    return real(np.diagonal(inner, axis1=-2, axis2=-1)), v @ apart(inner, w)


def _pull_eigvalsh(k: int, g: Any, z: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    along = applied(np.swapaxes(shares(z, w), -1, -2), g)
    return read(v * along[..., None, :] @ turned(v), UPLO in "Ll")


def _push_eigvalsh(k: int, t: Any, z: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    return applied(shares(z, w), real(np.sum(conj(v) * (hermitian_of(t, UPLO in "Ll") @ v), axis=-2)))


_NO_VECTORS = "repeated eigenvalues: the eigenvectors have no derivative"


def _kink_eigen(z: Any, a: Any, UPLO: Any = "L") -> str | None:
    return _NO_VECTORS if repeated(z[0]) else None


def _kink_eigenvalues(z: Any, a: Any, UPLO: Any = "L") -> str | None:
    return SHARED if repeated(z) else None


# ---- eigenvalues of any matrix: Magnus 1985; eigenvectors of unit length, which turn by v^H dv = 0 ----------


def _crosswise(v: Any, x: Any) -> Any:
    """The part of each column of x that is orthogonal to that of v."""
    return x - v * np.sum(conj(v) * x, axis=-2, keepdims=True)


def _pull_eig(k: int, g: Any, z: Any, a: Any) -> Any:
    w, v = z
    on_values, on_vectors = g
    if on_values is None and on_vectors is None:
        return None
    inner = 0.0 if on_values is None else diagonal(on_values)
    if on_vectors is not None:
        inner = inner + apart(turned(v) @ _crosswise(v, on_vectors), conj(w))
    return solved(turned(v), inner @ turned(v))


def _push_eig(k: int, t: Any, z: Any, a: Any) -> Any:
    w, v = z
    inner = solved(v, t @ v)
    return np.diagonal(inner, axis1=-2, axis2=-1), _crosswise(v, v @ apart(inner, w))


def _pull_eigvals(k: int, g: Any, z: Any, a: Any) -> Any:
    w, v = np.linalg.eig(a)
    along = applied(np.swapaxes(shares(z, w), -1, -2), g)
    return solved(turned(v), along[..., :, None] * turned(v))


def _push_eigvals(k: int, t: Any, z: Any, a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return applied(shares(z, w), np.diagonal(solved(v, t @ v), axis1=-2, axis2=-1))


# fmt: off
RULES: tuple[ArrayRule, ...] = (
    ArrayRule("eigh", np.linalg.eigh, ("a",), ("UPLO",), _pull_eigh, _push_eigh),
    ArrayRule("eigvalsh", np.linalg.eigvalsh, ("a",), ("UPLO",), _pull_eigvalsh, _push_eigvalsh),
    ArrayRule("eig", np.linalg.eig, ("a",), (), _pull_eig, _push_eig),
    ArrayRule("eigvals", np.linalg.eigvals, ("a",), (), _pull_eigvals, _push_eigvals),
)
# fmt: on
KINKS = {"eigh": _kink_eigen, "eigvalsh": _kink_eigenvalues, "eig": _kink_eigen, "eigvals": _kink_eigenvalues}
