"""scipy.linalg, where the user's program has imported it: stand-ins that compose NumPy's functions.

SciPy's functions do not hand over. Nothing here imports SciPy before the program has.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ad_magic.rules.arrays import scipy_linalg
from ad_magic.rules.arrays.frozen import np

from .array import Array, is_active, operand
from .compose import compose
from .constructors import copy
from .dispatch import no_rule
from .looks import looked
from .perform import pair
from .special import stand_in


def _as_scipy(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A body with the signs that SciPy takes: which ones it takes is a decision."""
    body, which = scipy_linalg.BODIES[name], scipy_linalg.FREE_SIGNS[name]

    def signs(*args: Any, **kwargs: Any) -> Any:
        found, wanted = body(*args, **kwargs)[which], original(*args, **kwargs)[which]
        columns = min(np.shape(args[0] if args else kwargs["a"])) if name == "svd" else None
        return scipy_linalg.signs_between(found[:, :columns], wanted[:, :columns])

    def function(*args: Any, **kwargs: Any) -> Any:
        if name == "eigh" and kwargs.pop("eigvals_only", False):
            return scipy_linalg.eigvalsh(*args, **kwargs)
        if name == "svd" and (not kwargs.get("compute_uv", True) or not all(args[2:3])):
            return body(*args, **kwargs)
        return body(*args, **kwargs, signs=looked("signs", signs, args, kwargs))

    return function


def _primitive(original: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's function, also of active arrays."""

    def value(a: Any) -> Any:
        return pair(rule, (a,), {}) if is_active(operand(a)) else original(a)

    value.__name__, value.__module__ = "expm", "scipy.linalg"
    rule = scipy_linalg.expm_rule(value)
    return value


def _lu_packed(original: Callable[..., Any]) -> Callable[..., Any]:
    def value(a: Any) -> Any:
        return pair(rule, (a,), {}) if is_active(operand(a)) else original(a)[0]

    value.__name__, value.__module__ = "lu", "scipy.linalg"
    rule = scipy_linalg.lu_rule(value)
    return value


def _lu_factor(original: Callable[..., Any]) -> Callable[..., Any]:
    """(packed L and U, pivots): which rows are exchanged is a decision."""
    packed = _lu_packed(original)

    def function(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
        a = operand(a)
        pivots = looked("pivots", lambda v: original(v)[1], (a,), {})
        return packed(a[scipy_linalg._order(pivots)]), pivots

    return function


def _lu(original: Callable[..., Any]) -> Callable[..., Any]:
    factor = _lu_factor(original)

    def function(a: Any, permute_l: bool = False, overwrite_a: Any = False, check_finite: Any = True) -> Any:
        packed, pivots = factor(a)
        low, up = scipy_linalg._halves(packed)
        exchange = np.eye(len(pivots))[np.argsort(scipy_linalg._order(pivots))]
        return (exchange @ low, up) if permute_l else (exchange, low, up)

    return function


def _refused(name: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        raise no_rule(f"scipy.linalg.{name}")

    return function


@functools.cache
def stand_ins() -> dict[str, Callable[..., Any]]:
    """Function of scipy.linalg -> what stands in its place while a program runs."""
    home = sys.modules["scipy.linalg"]
    own = {
        "expm": lambda A: _primitive(home.expm)(operand(A)),
        "lu_factor": _lu_factor(home.lu_factor),
        "lu": _lu(home.lu_factor),
    }
    made = {}
    for name in home.__all__:
        original = getattr(home, name)
        if type(original) is not FunctionType:
            continue
        if name in own:
            active = own[name]
        elif name in scipy_linalg.BODIES:
            body = _as_scipy(name, original) if name in scipy_linalg.FREE_SIGNS else scipy_linalg.BODIES[name]
            active = functools.partial(_composed, original, body)
        else:
            active = _refused(name)
        made[name] = stand_in(original, active)
    return made


@functools.cache
def _by_columns(original: Callable[..., Any]) -> bool:
    """Whether what a function of SciPy gives lies in memory column by column, as LAPACK has it: versions differ."""
    given = original(np.array([[2.0, 1.0], [1.0, 2.0]]))
    matrices = [x for x in (given if isinstance(given, tuple) else (given,)) if np.ndim(x) == 2]
    return any(not x.flags.c_contiguous for x in matrices)


_LAPACKS = frozenset(("cholesky", "cho_factor", "eigh", "svd", "pinv"))


def _composed(original: Callable[..., Any], body: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    name = original.__name__
    result = compose(f"scipy.linalg.{name}", body, args, kwargs)
    if name not in _LAPACKS:
        return result
    order = "F" if _by_columns(original) else "C"
    if isinstance(result, tuple):
        return tuple(copy(x, order) if type(x) is Array else x for x in result)
    return copy(result, order) if type(result) is Array else result
