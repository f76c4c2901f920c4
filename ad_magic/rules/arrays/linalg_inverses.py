"""The pseudo-inverse (Golub & Pereyra 1973, "The differentiation of pseudo-inverses …") and least squares."""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .linalg_parts import EPS, NUMPY_2, hermitian_of, read, real, small, turned
from .linalg_svd import pull_svdvals, push_svdvals
from .rule import ArrayRule, conj

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
    if not np.any(~kept & (s > 4 * small(s))):
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
    whole = hermitian_of(a, True) if hermitian else a
    cutoff = _given_cutoff(rcond, rtol)
    cut = None if cutoff is None else _cut(a, cutoff, hermitian)
    zh, gh = turned(z), turned(g)
    if cut is None:
        c = -(zh @ g @ zh)
        c = c + (gh - whole @ (z @ gh)) @ (z @ zh) + (zh @ z) @ (gh - (gh @ z) @ whole)
    else:
        u, vh, one, other = cut
        inner = vh @ g @ u
        c = u @ (one * inner + other * turned(inner)) @ vh
        c = c + (gh - u @ (turned(u) @ gh)) @ (z @ zh) + (zh @ z) @ (gh - (gh @ turned(vh)) @ vh)
    return read(c, True) if hermitian else c


def _push_pinv(
    k: int, t: Any, z: Any, a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = _NONE
) -> Any:  # fmt: skip
    whole = a
    if hermitian:
        t, whole = hermitian_of(t, True), hermitian_of(a, True)
    cutoff = _given_cutoff(rcond, rtol)
    cut = None if cutoff is None else _cut(a, cutoff, hermitian)
    zh, th = turned(z), turned(t)
    if cut is None:
        return -(z @ t @ z) + (z @ zh) @ (th - (th @ whole) @ z) + (th - z @ (whole @ th)) @ (zh @ z)
    u, vh, one, other = cut
    inner = turned(u) @ t @ turned(vh)
    dz = turned(vh) @ (one * inner + other * turned(inner)) @ turned(u)
    return dz + (z @ zh) @ (th - (th @ u) @ turned(u)) + (th - turned(vh) @ (vh @ th)) @ (zh @ z)


def _kink_pinv(z: Any, a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = _NONE) -> str | None:
    whole = hermitian_of(a, True) if hermitian else a
    rank = real(np.sum(np.swapaxes(whole, -1, -2) * z, axis=(-2, -1)))  # the trace of a projection
    if np.any(rank < min(a.shape[-2:]) - 0.5):
        return "the rank is not full: the derivative is along changes that keep it"
    return None


# ---- least squares: x = pinv(a) b ----------------------------------------------------------------

_DEFAULT_RCOND: Any = None if NUMPY_2 else "warn"


def _lstsq_cutoff(a: Any, rcond: Any) -> Any:
    """Where lstsq drops singular values, and what `_push_pinv` should be told."""
    if rcond is None or isinstance(rcond, str) or rcond < 0:
        return max(a.shape) * EPS if rcond is None else EPS, None
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
            c = _pull_pinv(0, along @ turned(columns), inverse, a, given)
        else:
            c = turned(inverse) @ along
    if on_residuals is not None and z[1].shape[0]:
        rest = columns - a @ (x[:, None] if b.ndim == 1 else x)
        along = 2.0 * rest * on_residuals
        if k == 0:
            along = -(along @ turned(x[:, None] if b.ndim == 1 else x))
        c = along if c is None else c + along
    if k == 0 and on_s is not None:
        along = pull_svdvals(0, on_s, z[3], a)
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
        along = -2.0 * real(np.sum(conj(b - a @ x) * change, axis=0))
        residuals = np.reshape(along, (-1,))
    return dx, residuals, 0.0, push_svdvals(0, t, z[3], a) if k == 0 else 0.0


def _kink_lstsq(z: Any, a: Any, b: Any, rcond: Any = _DEFAULT_RCOND) -> str | None:
    return "the rank is not full: the derivative is along changes that keep it" if z[2] < min(a.shape) else None


# fmt: off
RULES: tuple[ArrayRule, ...] = (
    ArrayRule("pinv", np.linalg.pinv, ("a",), ("rcond", "hermitian") + ("rtol",) * NUMPY_2, _pull_pinv, _push_pinv),
    ArrayRule("lstsq", np.linalg.lstsq, ("a", "b"), ("rcond",), _pull_lstsq, _push_lstsq),
)
# fmt: on
KINKS = {"pinv": _kink_pinv, "lstsq": _kink_lstsq}
