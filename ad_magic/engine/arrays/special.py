"""scipy.special, where the user's program has imported it: its ufuncs by rows of the table, its functions by stand-ins.

Nothing here imports SciPy before the program has. `handler` is asked for a ufunc that NumPy's list does not have;
`scipy_modules` gives the stand-ins for what does not hand over, in the form of `numpy_standins.MODULES`.
"""

from __future__ import annotations

import ast
import functools
import importlib
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.dual import HAND
from ad_magic.engine.frames import user_frame
from ad_magic.engine.record import mixed
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule
from ad_magic.rules.special import FIXED, OTHERS, SEVERAL, UFUNCS

from .array import NUMBERS, is_active, operand
from .buffers import holds_active
from .perform import by_entry, pair

SPECIAL: dict[Any, str] = {}  # ufunc of scipy.special -> row of the table
_HANDLERS: dict[Any, Callable[..., Any]] = {}

# ufunc -> row of another name, and those that are rows for `math` or NumPy
_ROWS = {
    **{name: name for name in (*UFUNCS, "erf", "erfc", "gamma", "expm1", "log1p", "cbrt", "exp2")},
    "psi": "digamma", "kn": "kv", "yn": "yv", "round": "rint",
}  # fmt: skip


def handler(ufunc: Any) -> Callable[..., Any] | None:
    """What a ufunc of scipy.special does with active operands; None for one that is not known."""
    if not _HANDLERS and "scipy.special" in sys.modules:
        _fill(sys.modules["scipy.special"])
    return _HANDLERS.get(ufunc)


def _fill(special: Any) -> None:
    found = [(getattr(special, name, None), row) for name, row in _ROWS.items()]
    for function, row in [*((f, row) for f, row in found if f is not None), *((f, row) for row, f in OTHERS.items())]:
        SPECIAL.setdefault(function, row)
        _HANDLERS.setdefault(function, _entry(row, function))
    for name, rows in SEVERAL.items():
        _HANDLERS[getattr(special, name)] = _parts([_HANDLERS[OTHERS[row]] for row in rows])


def _entry(row: str, function: Any) -> Callable[..., Any]:
    fixed = FIXED.get(row, {})

    def handle(*inputs: Any, **options: Any) -> Any:
        for k, what in fixed.items():
            if is_active(operand(inputs[k])):
                raise LostDerivative(
                    f"{place_in_words(user_frame())}: scipy.special.{row} has no derivative rule for {what}; write "
                    "ad_magic.primal(…) around it where only its value matters"
                )
        if any(type(x) in NUMBERS and x.tape is HAND for x in inputs):
            return mixed(row, *inputs)
        return by_entry(row, function, *inputs, **options)

    return handle


def _parts(handlers: list[Callable[..., Any]]) -> Callable[..., Any]:
    return lambda *inputs, **options: tuple(handle(*inputs, **options) for handle in handlers)


# ---- functions with a pair -----------------------------------------------------------------------


def _whole(x: Any, axis: Any, keepdims: bool) -> Any:
    """A reduced array with the axes that it lost."""
    return x if axis is None or keepdims else np.expand_dims(x, axis)


def _shares(a: Any, z: Any, axis: Any, keepdims: bool) -> Any:
    """exp(a - z); 0 where all terms are 0, so that z is -inf."""
    z = _whole(z, axis, keepdims)
    return np.exp(a - np.where(z == -np.inf, 0.0, z))


def _pull_logsumexp(k: int, g: Any, z: Any, a: Any, b: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    c = _whole(g, axis, keepdims) * _shares(a, z, axis, keepdims)
    return c if k or b is None else c * b


def _push_logsumexp(k: int, t: Any, z: Any, a: Any, b: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    c = t * _shares(a, z, axis, keepdims)
    return np.sum(c if k or b is None else c * b, axis=axis, keepdims=keepdims)


def _softmax_slope(k: int, t: Any, z: Any, x: Any, axis: Any = None) -> Any:
    """The derivative of softmax, which is symmetric: pull and push."""
    return z * (t - np.sum(z * t, axis=axis, keepdims=True))


def _pull_log_softmax(k: int, g: Any, z: Any, x: Any, axis: Any = None) -> Any:
    return g - np.exp(z) * np.sum(g, axis=axis, keepdims=True)


def _push_log_softmax(k: int, t: Any, z: Any, x: Any, axis: Any = None) -> Any:
    return t - np.sum(np.exp(z) * t, axis=axis, keepdims=True)


def _value(name: str) -> Callable[..., Any]:
    """The function itself, also of active arrays of an older run."""

    def value(*operands: Any, **options: Any) -> Any:
        if len(operands) > 1:
            options["b"] = operands[1]
        return _stand_ins()[name](operands[0], **options)

    value.__name__, value.__module__ = name, "scipy.special"
    return value


LOGSUMEXP = ArrayRule(
    "logsumexp", _value("logsumexp"), ("a", "b"), ("axis", "keepdims"), _pull_logsumexp, _push_logsumexp
)
SOFTMAX = ArrayRule("softmax", _value("softmax"), ("x",), ("axis",), _softmax_slope, _softmax_slope)
LOG_SOFTMAX = ArrayRule("log_softmax", _value("log_softmax"), ("x",), ("axis",), _pull_log_softmax, _push_log_softmax)


def _given(**options: Any) -> dict[str, Any]:
    return {name: x for name, x in options.items() if x is not None and x is not False}


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    if return_sign:
        raise LostDerivative(
            f"{place_in_words(user_frame())}: scipy.special.logsumexp has no derivative rule with return_sign=True"
        )
    return pair(LOGSUMEXP, (a,) if b is None else (a, b), _given(axis=axis, keepdims=keepdims))


# ---- functions of Python -------------------------------------------------------------------------


def _multigammaln(a: Any, d: int) -> Any:
    """log of the multivariate gamma function: d (d - 1) / 4 log pi + the sum of gammaln(a - j / 2), j < d."""
    gammaln = sys.modules["scipy.special"].gammaln
    a = operand(a)
    return d * (d - 1) * 0.25 * np.log(np.pi) + sum(gammaln(a - 0.5 * j) for j in range(d))


def _lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """A real branch, which has real numbers here; as complex ones they would have the imaginary part 0."""
    x = _plain(operand(z))
    if np.iscomplexobj(x) or np.any(np.isnan(OTHERS["lambertw"].plain(x, _plain(operand(k)))) & ~np.isnan(x)):
        raise LostDerivative(
            f"{place_in_words(user_frame())}: scipy.special.lambertw has a derivative rule only where it is real"
        )
    return OTHERS["lambertw"](operand(z), operand(k))


def _plain(x: Any) -> Any:
    while is_active(x):
        x = x.value
    return x


def _refused(name: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        from .dispatch import no_rule

        raise no_rule(f"scipy.special.{name}")

    return function


_OWN: dict[str, Callable[..., Any]] = {
    "logsumexp": _logsumexp,
    "softmax": lambda x, axis=None: pair(SOFTMAX, (x,), _given(axis=axis)),
    "log_softmax": lambda x, axis=None: pair(LOG_SOFTMAX, (x,), _given(axis=axis)),
    "softplus": lambda x: np.logaddexp(0.0, operand(x)),
    "polygamma": lambda n, x: OTHERS["polygamma"](operand(n), operand(x)),
    "zeta": lambda x, q=1.0: OTHERS["zeta"](operand(x), operand(q)),
    "lambertw": _lambertw,
    "multigammaln": _multigammaln,
}
# Written in ufuncs, so that they need nothing; and information about the module itself.
_AS_THEY_ARE = frozenset(("jvp", "yvp", "ivp", "kvp", "geterr", "seterr", "test"))


@functools.cache
def _stand_ins() -> dict[str, Callable[..., Any]]:
    special = sys.modules["scipy.special"]
    made = {}
    for name in dir(special):
        original = getattr(special, name)
        if name.startswith("_") or name in _AS_THEY_ARE or type(original) is not FunctionType:
            continue
        if (original.__module__ or "").startswith("scipy.special"):
            made[name] = stand_in(original, _OWN.get(name) or _refused(name))
    return made


def stand_in(original: Callable[..., Any], active: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a library that hands over to `active` where an argument is."""

    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        if any(map(holds_active, args)) or any(map(holds_active, kwargs.values())):
            return active(*args, **kwargs)
        return original(*args, **kwargs)

    del function.__wrapped__
    return function


def scipy_modules(tree: ast.AST | None = None) -> dict[str, dict[str, Callable[..., Any]]]:
    """The stand-ins by module: where SciPy's functions are loaded, or the program `tree` is about to import them."""
    from . import scipy_linalg

    found = {}
    for name in ("special", "linalg"):
        module = f"scipy.{name}"
        if module not in sys.modules:
            if tree is None or not _imports(tree, name):
                continue
            importlib.import_module(module)
        found[module] = _stand_ins() if name == "special" else scipy_linalg.stand_ins()
    return found


def _imports(tree: ast.AST, name: str) -> bool:
    """Whether a program says `import scipy.special`, `from scipy.special import …` or `from scipy import special`."""
    module = f"scipy.{name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(a.name.startswith(module) for a in node.names):
            return True
        if isinstance(node, ast.ImportFrom):
            home = node.module or ""
            if home.startswith(module) or (home == "scipy" and any(a.name == name for a in node.names)):
                return True
    return False
