"""Discrete Fourier transforms: linear, so that the transform of a tangent is its push.

The pull of a transform is the opposite transform with the scale on the other side (Van Loan 1992, "Computational
Frameworks for the Fast Fourier Transform", 1.2: F^H = n F^-1). A transform that makes its operand longer or shorter
fills up with zeros or cuts off at the end; the pull does the opposite. Where half of a spectrum stands for the whole, a
bin that has a mirror image counts twice in `irfft`, and half in the pull of `rfft`; of those that have none (zero, and
Nyquist's) `irfft` ignores the imaginary part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .rule import ArrayRule, conj

_SWAPPED: dict[Any, Any] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _fitted(g: Any, length: int, axis: int) -> Any:
    """Cut off or filled up with zeros at the end of an axis."""
    missing = length - g.shape[axis]
    if not missing:
        return g
    axis = axis % g.ndim
    if missing < 0:
        return g[(*(slice(None),) * axis, slice(length))]
    zeros = np.zeros((*g.shape[:axis], missing, *g.shape[axis + 1 :]))
    return np.concatenate([g, zeros], axis=axis)


def _weights(n: int, axis: int, ndim: int, paired: float) -> Any:
    """For the half spectrum of n points: `paired` for the bins with a mirror image, one for those without."""
    bins = np.arange(n // 2 + 1)
    weights = np.where((bins == 0) | (2 * bins == n), 1.0, paired)
    return np.reshape(weights, (-1, *(1,) * (ndim - 1 - axis % ndim)))


# The adjoint of one transform along one axis: of n points, of an operand that had `length` there.


def _fft(g: Any, n: int, length: int, axis: int, norm: Any) -> Any:
    return _fitted(np.fft.ifft(g, n, axis, _SWAPPED[norm]), length, axis)


def _ifft(g: Any, n: int, length: int, axis: int, norm: Any) -> Any:
    return _fitted(np.fft.fft(g, n, axis, _SWAPPED[norm]), length, axis)


def _rfft(g: Any, n: int, length: int, axis: int, norm: Any) -> Any:
    return _fitted(np.fft.irfft(g * _weights(n, axis, g.ndim, 0.5), n, axis, _SWAPPED[norm]), length, axis)


def _irfft(g: Any, n: int, length: int, axis: int, norm: Any) -> Any:
    return _fitted(np.fft.rfft(g, n, axis, _SWAPPED[norm]) * _weights(n, axis, g.ndim, 2.0), length, axis)


def _hfft(g: Any, n: int, length: int, axis: int, norm: Any) -> Any:  # irfft of the conjugate
    return conj(_irfft(g, n, length, axis, _SWAPPED[norm]))


def _ihfft(g: Any, n: int, length: int, axis: int, norm: Any) -> Any:  # the conjugate of rfft
    return _rfft(conj(g), n, length, axis, _SWAPPED[norm])


_ADJOINTS = {"fft": _fft, "ifft": _ifft, "rfft": _rfft, "irfft": _irfft, "hfft": _hfft, "ihfft": _ihfft}


def _along_one(name: str) -> Callable[..., Any]:
    adjoint = _ADJOINTS[name]
    to_real = name in ("irfft", "hfft")

    def pull(k: int, g: Any, z: Any, a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        length = a.shape[axis]
        if n is None:
            n = g.shape[axis] if to_real else length
        return adjoint(g, int(n), length, axis, norm)

    return pull


# ---- along several axes: one after the other -----------------------------------------------------


def _steps(one: str, shape: tuple[int, ...], s: Any, axes: Any) -> list[tuple[str, int, int, int]]:
    """(transform, points, length before, axis) in the order in which NumPy applies them.

    >>> _steps("rfft", (4, 6), None, None)
    [('rfft', 6, 6, 1), ('fft', 4, 4, 0)]
    """
    if axes is None:
        axes = range(len(shape)) if s is None else range(len(shape) - len(s), len(shape))
    axes = [k % len(shape) for k in axes]
    last = len(axes) - 1
    given = [shape[k] for k in axes] if s is None else list(s)
    if s is None and one == "irfft":
        given[last] = 2 * (given[last] - 1)
    lengths, steps = list(shape), []
    for j in [*range(last), last] if one == "irfft" else range(last, -1, -1):
        kind, axis, n = one if j == last else one.replace("rfft", "fft"), axes[j], given[j]
        if n is None:
            n = 2 * (lengths[axis] - 1) if kind == "irfft" else lengths[axis]
        elif n == -1:
            n = shape[axis]
        steps.append((kind, int(n), lengths[axis], axis))
        lengths[axis] = n // 2 + 1 if kind == "rfft" else n
    return steps


def _along_several(one: str, default: tuple[int, ...] | None) -> Callable[..., Any]:
    def pull(k: int, g: Any, z: Any, a: Any, s: Any = None, axes: Any = default, norm: Any = None) -> Any:
        for kind, n, length, axis in reversed(_steps(one, a.shape, s, axes)):
            g = _ADJOINTS[kind](g, n, length, axis, norm)
        return g

    return pull


def _pull_fftshift(k: int, g: Any, z: Any, x: Any, axes: Any = None) -> Any:
    return np.fft.ifftshift(g, axes)


def _pull_ifftshift(k: int, g: Any, z: Any, x: Any, axes: Any = None) -> Any:
    return np.fft.fftshift(g, axes)


RULES = (
    *(ArrayRule(name, getattr(np.fft, name), ("a",), ("n", "axis", "norm"), _along_one(name)) for name in _ADJOINTS),
    *(
        ArrayRule(f"{one}{d}", getattr(np.fft, f"{one}{d}"), ("a",), ("s", "axes", "norm"), _along_several(one, axes))
        for one in ("fft", "ifft", "rfft", "irfft")
        for d, axes in (("2", (-2, -1)), ("n", None))
    ),
    ArrayRule("fftshift", np.fft.fftshift, ("x",), ("axes",), _pull_fftshift),
    ArrayRule("ifftshift", np.fft.ifftshift, ("x",), ("axes",), _pull_ifftshift),
)
