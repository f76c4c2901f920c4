"""Small functions that an interleaved program brings along, where Python has none of that name."""

from __future__ import annotations

import inspect
from functools import cache

from ad_magic.rules import number

# name -> (the names of math that it needs, its source)
_WRITTEN: dict[str, tuple[str, str]] = {
    "sign": (
        "",
        '''
def sign(x):
    """-1, 0 or 1: the slope of abs."""
    return float(x > 0) - float(x < 0) if x == x else x
''',
    ),
    "rint": (
        "isfinite",
        '''
def rint(x):
    """The nearest whole number."""
    return float(round(x)) if isfinite(x) else x
''',
    ),
    "sech2": (
        "cosh",
        '''
def sech2(x):
    """1 / cosh(x)**2: the slope of tanh."""
    return (1 / cosh(x)) ** 2 if abs(x) < 700 else 0.0
''',
    ),
    "ln": (
        "inf log nan",
        '''
def ln(x):
    """log(x), infinite at 0 and undefined below."""
    return log(x) if x > 0 else -inf if x == 0 else nan
''',
    ),
    "steep": (
        "inf",
        '''
def steep(tangent):
    """An infinite slope times a tangent: a tangent of exactly zero stays zero."""
    return inf * tangent if tangent else 0.0
''',
    ),
    "undefined": (
        "nan",
        '''
def undefined(tangent):
    """The tangent where there is no slope: a tangent of exactly zero stays zero."""
    return nan if tangent else 0.0
''',
    ),
    "at_extreme": (
        "",
        '''
def at_extreme(values, tangents, extreme):
    """The tangent of a maximum or a minimum: that of the number it is, shared evenly by equal numbers."""
    chosen = [t for v, t in zip(values, tangents) if v == extreme]
    return sum(1 / len(chosen) * t for t in chosen)
''',
    ),
    "zeros": (
        "",
        '''
def zeros(value):
    """Tangents of plain values: zeros in the same arrangement."""
    if isinstance(value, dict):
        return {key: zeros(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(zeros, value))
    return np.zeros(value.shape) if hasattr(value, "shape") else 0.0
''',
    ),
    "times": (
        "",
        '''
def times(slope, tangent):
    """slope * tangent by entry: a tangent of exactly zero stays zero beside an infinite slope."""
    with np.errstate(invalid="ignore"):
        return np.where(tangent == 0, 0.0, slope * tangent)
''',
    ),
    "tied": (
        "",
        '''
def tied(x, dx, z, axis=None, keepdims=False):
    """The tangent of z, the greatest or smallest of x: that of its entry, shared evenly by equal ones."""
    chosen = x == (z if axis is None or keepdims else np.expand_dims(z, axis))
    share = chosen / np.sum(chosen, axis=axis, keepdims=True)
    return np.sum(share * dx, axis=axis, keepdims=keepdims)
''',
    ),
    "prod_tangent": (
        "",
        '''
def prod_tangent(x, dx, axis=None, keepdims=False):
    """The tangent of a product: each factor moves in turn."""
    if axis is None:
        x, dx, axis = np.ravel(x), np.ravel(dx), 0
    x, dx = np.moveaxis(x, axis, 0), np.moveaxis(dx, axis, 0)
    total = sum(dx[k] * np.prod(x[:k], axis=0) * np.prod(x[k + 1 :], axis=0) for k in range(len(x)))
    return np.expand_dims(total, axis) if keepdims else total
''',
    ),
    "cumprod_tangent": (
        "",
        '''
def cumprod_tangent(x, dx, axis=None):
    """The tangent of a running product."""
    if axis is None:
        x, dx, axis = np.ravel(x), np.ravel(dx), 0
    x, dx = np.moveaxis(np.atleast_1d(x), axis, 0), np.moveaxis(np.atleast_1d(dx), axis, 0)
    z, dz, tangents = 1.0, 0.0, []
    for factor, d in zip(x, dx):
        z, dz = z * factor, factor * dz + z * d
        tangents.append(dz)
    return np.moveaxis(np.array(tangents), 0, axis)
''',
    ),
    "var_tangent": (
        "",
        '''
def var_tangent(x, dx, axis=None, ddof=0, keepdims=False):
    """The tangent of a variance."""
    off = x - np.mean(x, axis=axis, keepdims=True)
    count = x.size / np.mean(x, axis=axis, keepdims=True).size - ddof
    return np.sum(2 * off * dx, axis=axis, keepdims=keepdims) / count
''',
    ),
    "norm_tangent": (
        "",
        '''
def norm_tangent(x, dx, z, axis=None, keepdims=False):
    """The tangent of z, the length of x; 0 at the origin."""
    along = np.sum(x * dx, axis=axis, keepdims=keepdims)
    return np.where(z == 0, 0.0, along / np.where(z == 0, 1.0, z))
''',
    ),
    "cholesky_tangent": (
        "",
        '''
def cholesky_tangent(z, da):
    """The tangent of z, the Cholesky factor of a matrix."""
    inner = np.linalg.solve(z, np.linalg.solve(z, da).T).T
    lower = np.tril(inner)
    return z @ (lower - 0.5 * np.diag(np.diag(lower)))
''',
    ),
}
_NEEDS_NUMPY = {
    "zeros", "times", "tied", "prod_tangent", "cumprod_tangent", "var_tangent", "norm_tangent", "cholesky_tangent",
}  # fmt: skip


@cache
def helper(name: str) -> tuple[list[str], str]:
    """(the names of math that it needs, the source) of a helper."""
    if name == "polygamma":
        parts = [
            f"_EULER_MACLAURIN = {number._EULER_MACLAURIN!r}  # B2, B4, …",
            inspect.getsource(number.polygamma),
            inspect.getsource(number._cotangent_derivative),
        ]
        return ["math"], "\n\n".join(part.strip() + "\n" for part in parts)
    names, source = _WRITTEN[name]
    return names.split(), source.strip() + "\n"


def needs_numpy(name: str) -> bool:
    """Whether a helper is written with NumPy."""
    return name in _NEEDS_NUMPY


HELPERS = frozenset({*_WRITTEN, "polygamma"})
