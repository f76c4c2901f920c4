"""Linear algebra: solving, determinants, powers; and the rules of the other files of linear algebra.

Sources: Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"; the
source for a single factorisation stands at its rule. All of them are for stacks of matrices too.
"""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from . import linalg_eigen, linalg_factors, linalg_inverses, linalg_norms, linalg_svd
from .linalg_parts import NUMPY_2, lifted, turned
from .rule import ArrayRule, conj

# ---- solving -------------------------------------------------------------------------------------


def _pull_inv(k: int, g: Any, z: Any, a: Any) -> Any:
    z = turned(z)
    return -(z @ g @ z)


def _push_inv(k: int, t: Any, z: Any, a: Any) -> Any:
    return -(z @ t @ z)


def _is_vector(a: Any, b: Any) -> bool:
    return b.ndim == 1 if NUMPY_2 else b.ndim == a.ndim - 1


def _pull_solve(k: int, g: Any, z: Any, a: Any, b: Any) -> Any:
    vector = _is_vector(a, b)
    if vector:
        g, z = g[..., None], z[..., None]
    back = np.linalg.solve(turned(a), g)
    if k == 0:
        return -(back @ turned(z))
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
            return lifted(z, a) * np.swapaxes(np.linalg.inv(a), -1, -2)
        except np.linalg.LinAlgError:
            pass
    n = a.shape[-1]
    if n > _MINORS:
        u, s, vh = np.linalg.svd(a)
        others = np.prod(np.where(np.eye(n) == 1, 1.0, s[..., None, :]), axis=-1)
        return lifted(np.linalg.det(u) * np.linalg.det(vh), a) * conj(u * others[..., None, :] @ vh)
    rest = np.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int).reshape(n, max(n - 1, 0))
    minors = np.linalg.det(a[..., rest[:, None, :, None], rest[None, :, None, :]])
    return minors * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))


def _pull_det(k: int, g: Any, z: Any, a: Any) -> Any:
    return lifted(g, a) * conj(_cofactors(a, z))


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
    return _cofactors(a, z) / lifted(z, a)


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
    return lifted(factor, a) * conj(_logarithmic(a, sign))


def _push_slogdet(k: int, t: Any, z: Any, a: Any) -> Any:
    along = np.sum(t * _logarithmic(a, z[0]), axis=(-2, -1))
    if not np.iscomplexobj(a):
        return 0.0, along
    return 1j * z[0] * np.imag(along), np.real(along)


def _at_singular(z: Any, a: Any) -> str | None:
    return "the logarithm of the determinant of a singular matrix is infinite" if np.any(z[0] == 0) else None


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
    return _pushed_power(turned(a), g, int(n))  # Σ aᴴ^i g aᴴ^j


def _push_matrix_power(k: int, t: Any, z: Any, a: Any, n: int) -> Any:
    return _pushed_power(a, t, int(n))


# fmt: off
_OTHERS = (linalg_eigen, linalg_factors, linalg_svd, linalg_inverses, linalg_norms)
RULES: tuple[ArrayRule, ...] = (
    ArrayRule("inv", np.linalg.inv, ("a",), (), _pull_inv, _push_inv),
    ArrayRule("solve", np.linalg.solve, ("a", "b"), (), _pull_solve, _push_solve),
    ArrayRule("det", np.linalg.det, ("a",), (), _pull_det, _push_det),
    ArrayRule("slogdet", np.linalg.slogdet, ("a",), (), _pull_slogdet, _push_slogdet),
    ArrayRule("matrix_power", np.linalg.matrix_power, ("a",), ("n",), _pull_matrix_power, _push_matrix_power),
    *(rule for file in _OTHERS for rule in file.RULES),
)
KINKS = {
    "slogdet": _at_singular,
    **{name: kink for file in _OTHERS for name, kink in file.KINKS.items()},
}
# fmt: on
