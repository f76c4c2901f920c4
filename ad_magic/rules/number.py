"""What the names in the derivative table mean: for plain floats, for complex numbers, in IEEE arithmetic."""

from __future__ import annotations

import cmath as _cmath
import math as _math
from functools import cache
from types import SimpleNamespace
from typing import Any

# Copies: while a cell runs, the modules themselves hold stand-ins.
math = SimpleNamespace(**vars(_math))
cmath = SimpleNamespace(**vars(_cmath))

_EULER_MACLAURIN = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)  # B2, B4, …


def polygamma(n: int, x: float) -> float:
    """The n-th derivative of digamma, the logarithmic derivative of gamma; polygamma(0, x) is digamma itself.

    Recurrence up to x >= 16, then the asymptotic series; reflection for x < 0 (Abramowitz & Stegun 6.3, 6.4).
    NaN at the poles x = 0, -1, -2, …

    >>> round(polygamma(0, 1.0), 12)  # minus Euler's constant
    -0.577215664902
    """
    n = int(n)
    if x <= 0:
        if x == math.floor(x):
            return math.nan
        return (-1) ** n * polygamma(n, 1 - x) - _cotangent_derivative(n, x)
    sign, total = (-1) ** (n + 1), 0.0
    factorial = math.factorial(n)
    while x < 16 + n:
        total += sign * factorial / x ** (n + 1)
        x += 1
    if n == 0:
        series = math.log(x) - 0.5 / x
        terms = [-bernoulli / (2 * k * x ** (2 * k)) for k, bernoulli in enumerate(_EULER_MACLAURIN, 1)]
    else:
        series = sign * (math.factorial(n - 1) / x**n + factorial / (2 * x ** (n + 1)))
        terms = [
            sign * bernoulli * math.factorial(2 * k + n - 1) / (math.factorial(2 * k) * x ** (2 * k + n))
            for k, bernoulli in enumerate(_EULER_MACLAURIN, 1)
        ]
    return math.fsum([total, series, *terms])


def _cotangent_derivative(n: int, x: float) -> float:
    """The n-th derivative of pi * cot(pi x): with u = cot(pi x), d/dx p(u) = -pi (1 + u^2) p'(u)."""
    coefficients = [0.0, 1.0]  # of the polynomial in u, lowest power first
    for _ in range(n):
        slope = [k * c for k, c in enumerate(coefficients)][1:]
        coefficients = [-a - b for a, b in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope], strict=True)]
    u = 1 / math.tan(math.pi * math.fmod(x, 1.0))
    return math.pi ** (n + 1) * sum(c * u**k for k, c in enumerate(coefficients))


def sign(x: float) -> float:
    """-1, 0 or 1; NaN for NaN.

    >>> sign(-2.0), sign(0.0)
    (-1.0, 0.0)
    """
    return x if math.isnan(x) else float((x > 0) - (x < 0))


def rint(x: float) -> float:
    """The nearest whole number as a float, halves to even; infinities and NaN stay.

    >>> rint(2.5), rint(-0.7)
    (2.0, -1.0)
    """
    return float(round(x)) if math.isfinite(x) else x


def _complex_atan2(a: complex, b: complex) -> complex:
    """atan2, continued to complex numbers: the quotient keeps a small imaginary part that b + 1j * a would lose."""
    if abs(a) > abs(b):
        return math.copysign(math.pi / 2, a.real) - cmath.atan(b / a)
    return cmath.atan(a / b) + (0.0 if b.real > 0 else math.copysign(math.pi, a.real))


CONSTANTS = {
    "LN2": math.log(2.0),
    "LN10": math.log(10.0),
    "DEGREES": 180 / math.pi,
    "RADIANS": math.pi / 180,
    "TWO_OVER_SQRT_PI": 2 / math.sqrt(math.pi),
    "inf": math.inf,
}

PLAIN: dict[str, Any] = {
    **{name: function for name, function in vars(math).items() if not name.startswith("_")},
    **CONSTANTS,
    "abs": abs,
    "sum": sum,
    "round": round,
    "polygamma": polygamma,
    "sign": sign,
    "rint": rint,
}

COMPLEX: dict[str, Any] = {  # what the complex step can pass through: analytic functions only
    **CONSTANTS,
    **{name: function for name, function in vars(cmath).items() if not name.startswith(("_", "is"))},
    "log": lambda a, *base: cmath.log(a) / cmath.log(*base) if base else cmath.log(a),
    "log2": lambda a: cmath.log(a) / CONSTANTS["LN2"],
    "exp2": lambda a: cmath.exp(a * CONSTANTS["LN2"]),
    # sinh and atanh keep the digits of a small a, which exp(a) - 1 and log(1 + a) would lose
    "expm1": lambda a: cmath.exp(a) - 1 if abs(a) > 0.5 else 2 * cmath.exp(a / 2) * cmath.sinh(a / 2),
    "log1p": lambda a: cmath.log(1 + a) if abs(a) > 0.5 else 2 * cmath.atanh(a / (2 + a)),
    "cbrt": lambda a: a ** (1 / 3) if a.real >= 0 else -((-a) ** (1 / 3)),
    "pow": lambda a, b: a**b,
    "degrees": lambda a: a * CONSTANTS["DEGREES"],
    "radians": lambda a: a * CONSTANTS["RADIANS"],
    "hypot": lambda *xs: cmath.sqrt(sum(x * x for x in xs)),
    "atan2": _complex_atan2,
    "fabs": lambda a: -a if a.real < 0 else a,
    "abs": lambda a: -a if a.real < 0 else a,
    "fma": lambda a, b, c: a * b + c,
    "ldexp": lambda a, b: a * 2.0**b,
}


@cache
def ieee() -> dict[str, Any]:
    """The names in IEEE arithmetic, where 1 / 0 is inf and log(-1) is NaN: NumPy's functions, of NumPy's floats."""
    import numpy as np

    def quiet(function: Any) -> Any:
        def call(*args: Any) -> Any:
            try:
                return np.float64(function(*map(float, args)))
            except OverflowError:
                return np.float64(np.inf)
            except (ValueError, ZeroDivisionError):
                return np.float64(np.nan)

        return call

    own = {name: getattr(np, name) for name in ("sqrt", "cbrt", "exp", "exp2", "expm1", "log2", "log10", "log1p")}
    own |= {name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "sign", "rint")}
    return {
        **{name: quiet(function) if callable(function) else function for name, function in PLAIN.items()},
        **own,
        "abs": np.abs,
        "ldexp": lambda a, b: np.ldexp(a, int(b)),
        "log": lambda a, *base: np.log(a) / np.log(*base) if base else np.log(a),
    }
