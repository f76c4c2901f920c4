"""What the names in the derivative table mean: for plain floats, for complex numbers, in IEEE arithmetic."""

from __future__ import annotations

import cmath as _cmath
import math as _math
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from . import special

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
    return x if math.isnan(x) else float(x > 0) - float(x < 0)


def rint(x: float) -> float:
    """The nearest whole number as a float, halves to even; infinities and NaN stay.

    >>> rint(2.5), rint(-0.7)
    (2.0, -1.0)
    """
    return float(round(x)) if math.isfinite(x) else x


def maximum(a: float, b: float) -> float:
    """The greater of two numbers; a NaN wins.

    >>> maximum(1.0, 2.0), maximum(1.0, math.nan)
    (2.0, nan)
    """
    return a if a != a else b if b != b or b > a else a


def minimum(a: float, b: float) -> float:
    """The smaller of two numbers; a NaN wins."""
    return a if a != a else b if b != b or b < a else a


def fmax(a: float, b: float) -> float:
    """The greater of two numbers; a NaN is ignored.

    >>> fmax(1.0, math.nan)
    1.0
    """
    return a if b != b else b if a != a or b > a else a


def fmin(a: float, b: float) -> float:
    """The smaller of two numbers; a NaN is ignored."""
    return a if b != b else b if a != a or b < a else a


def logaddexp(a: float, b: float) -> float:
    """log(exp(a) + exp(b)) without overflow.

    >>> round(logaddexp(1000.0, 1000.0) - 1000.0, 12) == round(math.log(2.0), 12)
    True
    """
    if a == b:  # equal infinities too
        return a + math.log(2.0)
    greater, smaller = (a, b) if a > b else (b, a)
    return greater + math.log1p(math.exp(smaller - greater))


def logaddexp2(a: float, b: float) -> float:
    """log2(2**a + 2**b) without overflow.

    >>> logaddexp2(1.0, 1.0)
    2.0
    """
    if a == b:
        return a + 1.0
    greater, smaller = (a, b) if a > b else (b, a)
    return greater + math.log1p(2.0 ** (smaller - greater)) / math.log(2.0)


def heaviside(a: float, b: float) -> float:
    """0 for a < 0, 1 for a > 0, b at 0; NaN for NaN.

    >>> heaviside(-1.0, 0.5), heaviside(0.0, 0.5), heaviside(2.0, 0.5)
    (0.0, 0.5, 1.0)
    """
    return a if a != a else b if a == 0 else float(a > 0)


def sech2(a: Any, z: Any) -> Any:
    """The slope of tanh at a, where it is z: 1 - z**2, written so that it keeps its digits where z is nearly 1.

    >>> sech2(0.0, 0.0)
    1.0
    """
    return (1 / math.cosh(a)) ** 2


CONSTANTS = {
    "LN2": math.log(2.0),
    "LN10": math.log(10.0),
    "DEGREES": 180 / math.pi,
    "RADIANS": math.pi / 180,
    "PI": math.pi,
    "SQRT_2": math.sqrt(2.0),
    "SQRT_TAU": math.sqrt(2 * math.pi),
    "TWO_OVER_SQRT_PI": 2 / math.sqrt(math.pi),
    "inf": math.inf,
}

PLAIN: dict[str, Any] = {
    **{name: function for name, function in vars(math).items() if not name.startswith("_")},
    **CONSTANTS,
    "abs": abs,
    "sum": sum,
    "max": max,
    "min": min,
    "round": round,
    "polygamma": polygamma,
    "sign": sign,
    "rint": rint,
    "maximum": maximum,
    "minimum": minimum,
    "fmax": fmax,
    "fmin": fmin,
    "logaddexp": logaddexp,
    "logaddexp2": logaddexp2,
    "heaviside": heaviside,
    "sech2": sech2,
    **special.plain_names(),
}

# ---- complex numbers: what the complex step can pass through ---------------------------------------


class NotAnalytic(ValueError):
    """A function has no derivative at a complex number, or none that is known here; the message says which and why."""


def _except_at(function: Any, name: str, *points: float) -> Any:
    """The function, refusing a number with an imaginary part whose real part is one of the points."""

    def call(a: complex) -> complex:
        if a.imag and a.real in points:
            raise NotAnalytic(f"{name} has no derivative at {a.real:g}")
        return function(a)

    return call


def _except_at_first(function: Any, name: str) -> Any:
    """The function of two numbers, refusing a first one that moves away from 0."""

    def call(a: complex, b: complex) -> complex:
        if a.imag and a.real == 0:
            raise NotAnalytic(f"{name} has no derivative at 0")
        return function(a, b)

    return call


def _complex_sqrt(a: complex) -> complex:
    if a.real <= 0 and a:  # a real program gets there from 0 only
        raise NotAnalytic("sqrt has no derivative at 0")
    return cmath.sqrt(a)


def _complex_pow(a: complex, b: complex) -> complex:
    """a ** b; where b is real, without the polar form on the left of 0, which would lose a small imaginary part."""
    if isinstance(b, complex) and b.imag:
        if a.real > 0:
            return cmath.exp(b * cmath.log(a))
        if a == 0 and b.real > 0:
            return 0.0
        raise NotAnalytic("a power of a number that is not positive has no derivative in its exponent")
    b = b.real
    if b == 0:
        return 1.0
    if a.real > 0 or (abs(b) <= 100 and b == math.floor(b)):
        return a**b
    if a.real == 0 and b > 1:
        return 0.0
    if b == math.floor(b):
        return (-a) ** b * (-1) ** int(b % 2)
    raise NotAnalytic(f"a power {b:g} has no derivative at {a.real:g}")


def _complex_log1p(a: complex) -> complex:
    """atanh keeps the digits of a small a, which log(1 + a) would lose."""
    return cmath.log(1 + a) if abs(a) > 0.5 else 2 * cmath.atanh(a / (2 + a))


def _complex_expm1(a: complex) -> complex:
    """sinh keeps the digits of a small a, which exp(a) - 1 would lose."""
    return cmath.exp(a) - 1 if abs(a) > 0.5 else 2 * cmath.exp(a / 2) * cmath.sinh(a / 2)


def _complex_cbrt(a: complex) -> complex:
    return a ** (1 / 3) if a.real >= 0 else -((-a) ** (1 / 3))


def _complex_hypot(*xs: complex) -> complex:
    """Scaled, as a square may overflow."""
    size = max(abs(x.real) for x in xs)
    if size == 0:
        if any(x.imag for x in xs):
            raise NotAnalytic("hypot has no derivative at the origin")
        return 0.0
    return size * cmath.sqrt(sum((x / size) * (x / size) for x in xs))


def _complex_atan2(a: complex, b: complex) -> complex:
    """By the quotient: it keeps a small imaginary part that b + 1j * a would lose."""
    if a.real == b.real == 0:
        raise NotAnalytic("atan2 has no derivative at the origin")
    if abs(a) > abs(b):
        return math.copysign(math.pi / 2, a.real) - cmath.atan(b / a)
    return cmath.atan(a / b) + (0.0 if b.real > 0 else math.copysign(math.pi, a.real))


def _complex_abs(a: complex) -> complex:
    return -a if a.real < 0 else a


def _complex_copysign(a: complex, b: complex) -> complex:
    if (b.real == 0 and b.imag) or (a.real == 0 and a.imag):
        raise NotAnalytic("copysign has no derivative where the sign changes")
    return a if math.copysign(1.0, a.real) == math.copysign(1.0, b.real) else -a


def _complex_remainder(name: str, real: Any, edge: Any) -> Any:
    """A remainder: a - n * b, where the whole number n is that of the real parts; `edge(a, b, z)` where n jumps."""

    def remainder(a: complex, b: complex) -> complex:
        z = real(a.real, b.real)
        if edge(a.real, b.real, z):
            raise NotAnalytic(f"{name} jumps here")
        n = float(round((a.real - z) / b.real))
        return complex(z, a.imag - n * b.imag)

    return remainder


def _only_at_a_tie(name: str) -> Any:
    """max and min are operations of their own where numbers tie; elsewhere they are the chosen number."""

    def refuse(*_: Any) -> complex:
        raise NotAnalytic(f"{name} has no derivative at a tie")

    return refuse


def _complex_choice(name: str) -> Any:
    """The greater or the smaller by the real parts."""

    def choose(a: complex, b: complex) -> complex:
        if a.real == b.real:
            raise NotAnalytic(f"{name} has no derivative at a tie")
        return a if PLAIN[name](a.real, b.real) == a.real else b

    return choose


def _complex_logaddexp(a: complex, b: complex) -> complex:
    greater, smaller = (a, b) if a.real > b.real else (b, a)
    return greater + _complex_log1p(cmath.exp(smaller - greater))


def _complex_expit(a: complex) -> complex:
    return 1 / (1 + cmath.exp(-a)) if a.real > 0 else cmath.exp(a) / (1 + cmath.exp(a))


def _complex_log_expit(a: complex) -> complex:
    return -_complex_log1p(cmath.exp(-a)) if a.real > 0 else a - _complex_log1p(cmath.exp(a))


def _complex_xlog(name: str, log: Any) -> Any:
    """a * log of the others; where a moves away from 0, it has a slope only where that logarithm is finite."""

    def xlog(a: complex, *others: complex) -> complex:
        try:
            return a * log(a, *others)
        except (ArithmeticError, ValueError):
            raise NotAnalytic(f"{name} has no derivative here") from None

    return xlog


_complex_entr = _except_at(_complex_xlog("entr", lambda a: -cmath.log(a)), "entr", 0.0)
_complex_rel_entr = _except_at_first(_complex_xlog("rel_entr", lambda a, b: cmath.log(a / b)), "rel_entr")


# Analytic functions, and functions that are analytic on either side of a kink. An operator that complex numbers lack,
# or that loses a small imaginary part, stands here under the name of its rule.
COMPLEX: dict[str, Any] = {
    **CONSTANTS,
    **{name: function for name, function in vars(cmath).items() if not name.startswith(("_", "is"))},
    "abs": _except_at(_complex_abs, "abs", 0.0),
    "fabs": _except_at(_complex_abs, "fabs", 0.0),
    "sqrt": _complex_sqrt,
    "cbrt": _except_at(_complex_cbrt, "cbrt", 0.0),
    "pow": _complex_pow,
    "exp2": lambda a: cmath.exp(a * CONSTANTS["LN2"]),
    "expm1": _complex_expm1,
    "log": lambda a, *base: cmath.log(a) / cmath.log(*base) if base else cmath.log(a),
    "log2": lambda a: cmath.log(a) / CONSTANTS["LN2"],
    "log1p": _complex_log1p,
    "asin": _except_at(cmath.asin, "asin", -1.0, 1.0),
    "acos": _except_at(cmath.acos, "acos", -1.0, 1.0),
    "acosh": _except_at(cmath.acosh, "acosh", 1.0),
    "atan2": _complex_atan2,
    "degrees": lambda a: a * CONSTANTS["DEGREES"],
    "radians": lambda a: a * CONSTANTS["RADIANS"],
    "hypot": _complex_hypot,
    "copysign": _complex_copysign,
    "mod": _complex_remainder("%", lambda a, b: a % b, lambda a, b, z: z == 0),
    "fmod": _complex_remainder("fmod", math.fmod, lambda a, b, z: z == 0 and a != 0),
    "remainder": _complex_remainder("remainder", math.remainder, lambda a, b, z: 2 * abs(z) == abs(b)),
    "fma": lambda a, b, c: a * b + c,
    "ldexp": lambda a, b: a * 2.0**b,
    "sech2": lambda a, z: 1 - z * z,
    "maximum": _complex_choice("maximum"),
    "minimum": _complex_choice("minimum"),
    "fmax": _complex_choice("fmax"),
    "fmin": _complex_choice("fmin"),
    "logaddexp": lambda a, b: _complex_logaddexp(a, b),
    "logaddexp2": lambda a, b: _complex_logaddexp(a * CONSTANTS["LN2"], b * CONSTANTS["LN2"]) / CONSTANTS["LN2"],
    "expit": _complex_expit,
    "log_expit": _complex_log_expit,
    "logit": lambda a: cmath.log(a / (1 - a)),
    "exp10": lambda a: cmath.exp(a * CONSTANTS["LN10"]),
    "exprel": lambda a: _complex_expm1(a) / a,
    "cosm1": lambda a: -2 * cmath.sin(a / 2) ** 2,
    "xlogy": _complex_xlog("xlogy", lambda a, b: cmath.log(b)),
    "xlog1py": _complex_xlog("xlog1py", lambda a, b: _complex_log1p(b)),
    "entr": _complex_entr,
    "rel_entr": _complex_rel_entr,
    "kl_div": lambda a, b: _complex_rel_entr(a, b) - a + b,
    "powm1": lambda a, b: _complex_pow(a, b) - 1,
    "sum": sum,
    "max": _only_at_a_tie("max"),
    "min": _only_at_a_tie("min"),
    "fsum": sum,
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
        "sech2": lambda a, z: (1 / np.cosh(a)) ** 2,
        "ldexp": lambda a, b: np.ldexp(a, int(b)),
        "log": lambda a, *base: np.log(a) / np.log(*base) if base else np.log(a),
    }


@cache
def numpy_names() -> dict[str, Any]:
    """The names for arrays: NumPy's functions, also of active arrays. `choose` is `x if where else y` by entry."""
    from ad_magic.rules.arrays.frozen import np

    def choose(where: Any, x: Callable[[], Any], y: Callable[[], Any]) -> Any:
        if getattr(where, "ndim", 0) == 0:  # one condition for all: the other side is not needed
            return x() if where else y()
        return np.where(where, x(), y())

    def sech2_of(a: Any, z: Any) -> Any:
        if type(z) is not np.ndarray or type(a) is not np.ndarray or z.dtype.kind != "f":
            return (1 / np.cosh(a)) ** 2
        slope = np.multiply(z, z)
        np.subtract(1.0, slope, out=slope)
        if slope.size and not slope.item(slope.argmin()) >= 0.002:  # the few that would lose digits
            flat = np.flatnonzero(slope < 0.002)
            slope.reshape(-1)[flat] = (1 / np.cosh(a.reshape(-1)[flat])) ** 2
        return slope

    def remainder(a: Any, b: Any) -> Any:
        """That of `math`, between -b/2 and b/2: `np.remainder` is another."""
        b = np.abs(b)
        rest = np.fmod(np.abs(a), 2 * b)
        return np.copysign(1.0, a) * np.where(rest <= b / 2, rest, np.where(rest < b * 1.5, rest - b, rest - 2 * b))

    own = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
           "atanh": "arctanh", "atan2": "arctan2", "pow": "power", "degrees": "rad2deg",
           "radians": "deg2rad"}  # fmt: skip
    same = [name for name in PLAIN if isinstance(getattr(np, name, None), np.ufunc)]
    return {
        **CONSTANTS,
        **{name: getattr(np, name) for name in same},
        **{name: getattr(np, function) for name, function in own.items()},
        "abs": np.abs,
        "choose": choose,
        "remainder": remainder,
        "hypot": lambda a, b: np.sqrt(a * a + b * b) if np.iscomplexobj(a) or np.iscomplexobj(b) else np.hypot(a, b),
        "both": np.logical_and,
        "either": np.logical_or,
        **special.array_names(),
        "sech2": sech2_of,
        "log": lambda a, *base: np.log(a) / np.log(*base) if base else np.log(a),
    }
