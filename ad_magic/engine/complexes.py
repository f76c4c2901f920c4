"""Complex numbers with active parts: a pair of reals. The derivative is that of the two real parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ad_magic.rules.number import cmath, math

from .active import OF_NUMPY, Active, primal
from .functions import MATH, is_active
from .record import decide_on, mixed

# Recorded at the user's line: these look for his frame.
_add, _sub, _mul, _div = (partial(mixed, name) for name in ("add", "sub", "mul", "div"))


class Complex:
    """re + 1j * im, where at least one part is an active number."""

    __slots__ = ("imag", "real")
    __class__ = property(lambda self: complex if self._of_numpy() is None else self._of_numpy())

    def __init__(self, real: Any, imag: Any) -> None:
        self.real, self.imag = real, imag

    def _of_numpy(self) -> type | None:
        """The type of NumPy's complex numbers, where this is one: where a part is one of NumPy's floats."""
        for part in (self.real, self.imag):
            value = primal(part)
            if type(value).__name__ == "float64":
                return type(value * 1j)
        return None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from .arrays.dispatch import call_ufunc

        return call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from .arrays.dispatch import call_function

        return call_function(function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in OF_NUMPY | {"conj"} and self._of_numpy() is not None:  # it has what an array without axes has
            if name == "conj":
                return self.conjugate
            from .arrays.constructors import whole

            return getattr(whole(self), name)
        raise AttributeError(f"'complex' object has no attribute {name!r}")

    def __complex__(self) -> complex:
        raise TypeError(
            "a plain complex number is needed here, and that would cut the derivative; use a function of cmath"
        )

    def __add__(self, other: Any) -> Any:
        return _with(other, lambda w: Complex(_add(self.real, w.real), _add(self.imag, w.imag)))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return _with(other, lambda w: Complex(_sub(self.real, w.real), _sub(self.imag, w.imag)))

    def __rsub__(self, other: Any) -> Any:
        return _with(other, lambda w: Complex(_sub(w.real, self.real), _sub(w.imag, self.imag)))

    def __mul__(self, other: Any) -> Any:
        return _with(other, lambda w: _product(self, w))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return _with(other, lambda w: _quotient(self, w))

    def __rtruediv__(self, other: Any) -> Any:
        return _with(other, lambda w: _quotient(w, self))

    def __pow__(self, other: Any) -> Any:
        return _with(other, lambda w: _power(self, w))

    def __rpow__(self, other: Any) -> Any:
        return _with(other, lambda w: _power(w, self))

    def __neg__(self) -> Complex:
        return Complex(mixed("neg", self.real), mixed("neg", self.imag))

    def __pos__(self) -> Complex:
        return self

    def __abs__(self) -> Any:
        return MATH["hypot"](self.real, self.imag)

    def conjugate(self) -> Complex:
        return Complex(self.real, mixed("neg", self.imag))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (complex, float, int)):
            return NotImplemented
        return bool(_equal(self.real, other.real) and _equal(self.imag, other.imag))

    def __bool__(self) -> bool:
        return bool(self.real) or bool(self.imag)

    def __hash__(self) -> int:
        return hash(plain_complex(self))

    def __repr__(self) -> str:
        return repr(plain_complex(self))

    def __format__(self, spec: str) -> str:
        return format(plain_complex(self), spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Complex:
        return self


def plain_complex(z: Any) -> complex:
    """The plain value of a complex number."""
    value = complex(primal(z.real), primal(z.imag))
    kind = z._of_numpy() if type(z) is Complex else None
    return value if kind is None else kind(value)


def _equal(x: Any, y: Any) -> bool:
    return decide_on("eq", x, y) if is_active(x) or is_active(y) else x == y


def _with(other: Any, operation: Callable[[Any], Any]) -> Any:
    if type(other) in Active.types:
        return operation(Complex(other, 0.0))
    return operation(other) if isinstance(other, (complex, float, int)) else NotImplemented


def _product(z: Any, w: Any) -> Complex:
    return Complex(_sub(_mul(z.real, w.real), _mul(z.imag, w.imag)), _add(_mul(z.real, w.imag), _mul(z.imag, w.real)))


def _quotient(z: Any, w: Any) -> Complex:
    """z / w without overflow where the result has none (Smith, 1962), as in Python."""
    if not primal(w.real) and not primal(w.imag):
        raise ZeroDivisionError("complex division by zero")
    if abs(primal(w.real)) >= abs(primal(w.imag)):
        ratio = _div(w.imag, w.real)
        size = _add(w.real, _mul(w.imag, ratio))
        return Complex(_div(_add(z.real, _mul(z.imag, ratio)), size), _div(_sub(z.imag, _mul(z.real, ratio)), size))
    ratio = _div(w.real, w.imag)
    size = _add(_mul(w.real, ratio), w.imag)
    return Complex(_div(_add(_mul(z.real, ratio), z.imag), size), _div(_sub(_mul(z.imag, ratio), z.real), size))


def _power(z: Any, w: Any) -> Any:
    exponent = primal(w.real)
    if (
        not is_active(w.real)
        and not is_active(w.imag)
        and not w.imag
        and exponent == int(exponent)
        and abs(exponent) <= 100
    ):
        result: Any = Complex(1.0, 0.0)
        base, n = z, abs(int(exponent))
        while n:  # by squaring, as Python does for small whole exponents
            result = _product(result, base) if n & 1 else result
            base, n = _product(base, base), n >> 1
        return _quotient(Complex(1.0, 0.0), result) if exponent < 0 else result
    if not primal(z.real) and not primal(z.imag):
        raise ZeroDivisionError("0.0 to an active complex power")
    size, angle = MATH["hypot"](z.real, z.imag), phase(z)  # in the order of Python's own, to the last digit
    length, turn = mixed("pow", size, w.real), _mul(angle, w.real)
    if is_active(w.imag) or w.imag:
        length = _div(length, MATH["exp"](_mul(angle, w.imag)))
        turn = _add(turn, _mul(w.imag, MATH["log"](size)))
    return Complex(_mul(length, MATH["cos"](turn)), _mul(length, MATH["sin"](turn)))


def complex_operator(name: str, arguments: tuple[Any, ...]) -> Any:
    """What `x * 1j` gives for an active x: an operation on complex numbers; NotImplemented where there is none."""
    symbol = {"add": "add", "sub": "sub", "mul": "mul", "div": "truediv", "pow": "pow"}.get(name)
    if symbol is None or len(arguments) != 2:
        return NotImplemented
    x, y = arguments
    if is_active(x):
        return getattr(Complex(x, 0.0), f"__{symbol}__")(y)
    return getattr(Complex(y, 0.0), f"__r{symbol}__")(x)


# ---- cmath ---------------------------------------------------------------------------------------


def exp(z: Any) -> Complex:
    size = MATH["exp"](z.real)
    return Complex(_mul(size, MATH["cos"](z.imag)), _mul(size, MATH["sin"](z.imag)))


def log(z: Any) -> Complex:
    return Complex(MATH["log"](MATH["hypot"](z.real, z.imag)), phase(z))


def phase(z: Any) -> Any:
    return MATH["atan2"](z.imag, z.real)


def sqrt(z: Any) -> Complex:
    size = MATH["hypot"](z.real, z.imag)
    if not primal(size):
        return Complex(MATH["sqrt"](size), z.imag)
    if primal(z.real) >= 0:
        re = MATH["sqrt"](_div(_add(size, z.real), 2.0))
        return Complex(re, _div(z.imag, _mul(2.0, re)))
    im = MATH["sqrt"](_div(_sub(size, z.real), 2.0))
    im = im if math.copysign(1.0, primal(z.imag)) > 0 else mixed("neg", im)
    return Complex(_div(z.imag, _mul(2.0, im)), im)


def _sinh(z: Any) -> Complex:
    sinh, cosh, sin, cos = (MATH[name] for name in ("sinh", "cosh", "sin", "cos"))
    return Complex(_mul(sinh(z.real), cos(z.imag)), _mul(cosh(z.real), sin(z.imag)))


def _cosh(z: Any) -> Complex:
    sinh, cosh, sin, cos = (MATH[name] for name in ("sinh", "cosh", "sin", "cos"))
    return Complex(_mul(cosh(z.real), cos(z.imag)), _mul(sinh(z.real), sin(z.imag)))


def _times_i(z: Any) -> Complex:
    return Complex(mixed("neg", z.imag), z.real)


def _over_i(z: Any) -> Complex:
    return Complex(z.imag, mixed("neg", z.real))


def _tanh(z: Any) -> Complex:
    if abs(primal(z.real)) < 300:
        tanh, tan, slope = MATH["tanh"](z.real), MATH["tan"](z.imag), _div(1.0, MATH["cosh"](z.real))
        both = _mul(tanh, tan)
        below = _add(1.0, _mul(both, both))
        real = _div(_mul(tanh, _add(1.0, _mul(tan, tan))), below)
        return Complex(real, _mul(_mul(_div(tan, below), slope), slope))
    small = MATH["exp"](_mul(-2.0, abs(z.real)))  # cosh would overflow
    return Complex(MATH["tanh"](z.real), _mul(_mul(4.0, small), _mul(MATH["sin"](z.imag), MATH["cos"](z.imag))))


# Inverse functions that keep their digits near their zeros and branch points (Kahan, 1987).


def _asinh(z: Any) -> Complex:
    s, t = sqrt(1 + _over_i(z)), sqrt(1 - _over_i(z))
    real = MATH["asinh"](_sub(_mul(s.real, t.imag), _mul(t.real, s.imag)))
    return Complex(real, MATH["atan2"](z.imag, _sub(_mul(s.real, t.real), _mul(s.imag, t.imag))))


def _acosh(z: Any) -> Complex:
    s, t = sqrt(z - 1), sqrt(z + 1)
    real = MATH["asinh"](_add(_mul(s.real, t.real), _mul(s.imag, t.imag)))
    return Complex(real, _mul(2.0, MATH["atan2"](s.imag, t.real)))


def _acos(z: Any) -> Complex:
    s, t = sqrt(1 - z), sqrt(1 + z)
    imag = MATH["asinh"](_sub(_mul(t.real, s.imag), _mul(t.imag, s.real)))
    return Complex(_mul(2.0, MATH["atan2"](s.real, t.real)), imag)


def _atanh(z: Any) -> Complex:
    if primal(z.real) < 0:
        return -_atanh(-z)
    left, square = _sub(1.0, z.real), _mul(z.imag, z.imag)
    real = _div(MATH["log1p"](_div(_mul(4.0, z.real), _add(_mul(left, left), square))), 4.0)
    angle = MATH["atan2"](_mul(2.0, z.imag), _sub(_mul(left, _add(1.0, z.real)), square))
    return Complex(real, _div(angle, 2.0))


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "phase": phase,
    "polar": lambda z: (abs(z), phase(z)),
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "sin": lambda z: _over_i(_sinh(_times_i(z))),
    "cos": lambda z: _cosh(_times_i(z)),
    "tan": lambda z: _over_i(_tanh(_times_i(z))),
    "asinh": _asinh,
    "atanh": _atanh,
    "acosh": _acosh,
    "asin": lambda z: _over_i(_asinh(_times_i(z))),
    "acos": _acos,
    "atan": lambda z: _over_i(_atanh(_times_i(z))),
    "log10": lambda z: log(z) / math.log(10.0),
    "isnan": lambda z: cmath.isnan(plain_complex(z)),
    "isinf": lambda z: cmath.isinf(plain_complex(z)),
    "isfinite": lambda z: cmath.isfinite(plain_complex(z)),
}


def _cmath_function(name: str) -> Callable[..., Any]:
    plain = getattr(cmath, name)

    def function(z: Any, /, *base: Any) -> Any:
        if not any(type(x) in Active.types or type(x) is Complex for x in (z, *base)):
            return plain(z, *base)
        result = _FUNCTIONS[name](z if isinstance(z, complex) else Complex(z, 0.0))
        return result / function(*base) if base else result

    function.__name__ = function.__qualname__ = name
    return function


def _rect(size: Any, angle: Any, /) -> Any:
    if not is_active(size) and not is_active(angle):
        return cmath.rect(size, angle)
    return Complex(_mul(size, MATH["cos"](angle)), _mul(size, MATH["sin"](angle)))


CMATH: dict[str, Callable[..., Any]] = {**{name: _cmath_function(name) for name in _FUNCTIONS}, "rect": _rect}
