"""Independent answers for the tests: mpmath with as many digits as it takes, and cells run through the real magic.

Nothing here looks at a formula of ad_magic: each primitive is written once more, in mpmath, and its slopes are
difference quotients with a step of 1e-30, good to more than 50 digits.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
from hypothesis import settings

mp = mpmath.mp.clone()
mp.dps = 50
STEP = mp.mpf(10) ** -30

# The same examples at each run; AD_MAGIC_EXAMPLES=500 draws that many new ones.
_examples = os.environ.get("AD_MAGIC_EXAMPLES")
swept = settings(max_examples=int(_examples or 12), derandomize=not _examples, deadline=None, database=None)


def _nearest(x: Any) -> Any:
    """The nearest whole number, halves to even."""
    low = mp.floor(x)
    return low + (x - low > 0.5 or (x - low == 0.5 and int(low) % 2 == 1))


def _truncated(x: Any) -> Any:
    return mp.floor(x) if x >= 0 else mp.ceil(x)


def _root3(x: Any) -> Any:
    return -mp.cbrt(-x) if x < 0 else mp.cbrt(x)


def _length(*xs: Any) -> Any:
    return mp.sqrt(mp.fsum(x * x for x in xs))


# The primitives of the table, written out in mpmath.
EXACT: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: mp.power(a, b),
    "fpow": lambda a, b: mp.power(a, b),
    "mod": lambda a, b: a - b * mp.floor(a / b),
    "floordiv": lambda a, b: mp.floor(a / b),
    "neg": lambda a: -a,
    "square": lambda a: a * a,
    "reciprocal": lambda a: 1 / a,
    "abs": abs,
    "fabs": abs,
    "sqrt": mp.sqrt,
    "cbrt": _root3,
    "exp": mp.exp,
    "exp2": lambda a: mp.power(2, a),
    "expm1": mp.expm1,
    "log": mp.log,
    "log_base": lambda a, b: mp.log(a) / mp.log(b),
    "log2": lambda a: mp.log(a) / mp.log(2),
    "log10": lambda a: mp.log(a) / mp.log(10),
    "log1p": lambda a: mp.log(1 + a),
    "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
    "logaddexp2": lambda a, b: mp.log(mp.power(2, a) + mp.power(2, b)) / mp.log(2),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "degrees": lambda a: a * 180 / mp.pi,
    "radians": lambda a: a * mp.pi / 180,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "hypot": _length,
    "norm": _length,
    "copysign": lambda a, b: abs(a) * mp.sign(b),
    "fmod": lambda a, b: a - b * _truncated(a / b),
    "remainder": lambda a, b: a - b * _nearest(a / b),
    "ldexp": lambda a, b: a * mp.mpf(2) ** b,
    "fma": lambda a, b, c: a * b + c,
    "maximum": lambda a, b: max(a, b),
    "minimum": lambda a, b: min(a, b),
    "fmax": lambda a, b: max(a, b),
    "fmin": lambda a, b: min(a, b),
    "sum": lambda *a: mp.fsum(a),
    "max": lambda *a: max(a),
    "min": lambda *a: min(a),
    "fsum": lambda *a: mp.fsum(a),
    "erf": mp.erf,
    "erfc": mp.erfc,
    "gamma": mp.gamma,
    "lgamma": lambda a: mp.log(abs(mp.gamma(a))),
    "polygamma": lambda n, a: mp.psi(int(n), a),
    "sign": mp.sign,
    "rint": _nearest,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "trunc": _truncated,
    "heaviside": lambda a, b: b if a == 0 else mp.mpf(a > 0),
    "round": lambda a, n: _nearest(a * mp.mpf(10) ** n) / mp.mpf(10) ** n,
}


def _digits(point: Sequence[float]) -> int:
    """Enough digits that a quotient of second differences keeps more than 50 of them, however large or small x is."""
    sizes = [abs(mp.mpf(x)) for x in point if x]
    return 150 + max((5 * abs(int(mp.log10(s))) + int(min(s, 1000)) for s in sizes), default=0)


def exact(f: Callable[..., Any], point: Sequence[float]) -> Any:
    """f at a point."""
    with mp.workdps(_digits(point)):
        return f(*map(mp.mpf, point))


def _step(x: Any) -> Any:
    """A step that is small beside x and beside 1."""
    return STEP * (min(1, abs(x)) if x else 1)


def slope(f: Callable[..., Any], point: Sequence[float], k: int = 0) -> Any:
    """The derivative of f with respect to its k-th argument: a central difference quotient."""
    with mp.workdps(_digits(point)):
        at = [mp.mpf(x) for x in point]
        h = _step(at[k])
        above, below = list(at), list(at)
        above[k] += h
        below[k] -= h
        return (f(*above) - f(*below)) / (2 * h)


def curvature(f: Callable[..., Any], point: Sequence[float], j: int = 0, k: int = 0) -> Any:
    """The second derivative of f with respect to its j-th and k-th arguments."""
    with mp.workdps(_digits(point)):
        at = [mp.mpf(x) for x in point]
        h, g = _step(at[j]), _step(at[k])

        def shifted(dj: int, dk: int) -> Any:
            moved = list(at)
            moved[j] += dj * h
            moved[k] += dk * g
            return f(*moved)

        if j == k:
            return (shifted(1, 0) - 2 * shifted(0, 0) + shifted(-1, 0)) / h**2
        return (shifted(1, 1) - shifted(1, -1) - shifted(-1, 1) + shifted(-1, -1)) / (4 * h * g)


def one_sided(f: Callable[..., Any], point: Sequence[float], side: int, digits: int, k: int = 0) -> Any:
    """The difference quotient of f from one side (1 right, -1 left), with a step of 10**-digits."""
    with mp.workdps(10 * digits):
        at = [mp.mpf(x) for x in point]
        moved = list(at)
        moved[k] += side * mp.mpf(10) ** -digits
        return (f(*moved) - f(*at)) / (moved[k] - at[k])


def close(got: Any, want: Any, rel: float, scale: Any = 0) -> bool:
    """Whether two numbers agree to a relative error, NaN with NaN; `scale` is a size below which nothing counts."""
    got, want = float(got), mp.mpf(want)
    if got != got or want != want:
        return got != got and want != want
    if mp.isinf(want) or abs(want) > mp.mpf("1.797e308"):
        return mp.mpf(got) == want or (abs(got) > 1e308 and mp.sign(want) == mp.sign(got))
    if abs(got) == float("inf"):
        return False
    return abs(mp.mpf(got) - want) <= rel * max(abs(want), abs(mp.mpf(scale))) + mp.mpf("1e-320")


# ---- cells through the real magic ----------------------------------------------------------------


class Cells:
    """Runs cells in a real IPython shell, as `%%grad … --out` does."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        shell.reset(new_session=False)
        shell.run_line_magic("load_ext", "ad_magic")
        self.before = set(shell.user_ns)

    def forget(self) -> Cells:
        """Take away the names that cells have made. (`shell.reset` collects garbage: a tenth of a second each time.)"""
        for name in set(self.shell.user_ns) - self.before:
            del self.shell.user_ns[name]
        if "ad_magic" not in self.shell.extension_manager.loaded:  # a test before has had the shell for itself
            self.shell.run_line_magic("load_ext", "ad_magic")
        return self

    def done(self) -> None:
        self.shell.run_line_magic("unload_ext", "ad_magic")
        self.shell.reset(new_session=False)

    def plain(self, source: str) -> dict[str, Any]:
        """Run an ordinary cell; the namespace."""
        with contextlib.redirect_stdout(io.StringIO()):
            done = self.shell.run_cell(source, silent=True)
        done.raise_error()
        return self.shell.user_ns

    def grad(self, inputs: str, source: str, mode: str = "both", magic: str = "grad") -> Any:
        """Run a cell under the magic; the Result. What the cell raises is raised."""
        head = f"%%{magic} {inputs} --out result_ --quiet" + (f" --mode {mode}" if magic == "grad" else "")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            done = self.shell.run_cell(f"{head}\n{source}\n", silent=True)
        done.raise_error()
        return self.shell.user_ns["result_"]
