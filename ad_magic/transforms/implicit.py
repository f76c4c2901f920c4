"""Roots and fixed points, differentiated by the implicit function theorem, whatever way led there.

What the function reads besides its argument (from its closure, from globals, from `args`) are the variables. At a root
t of F(t, v) = 0 the derivative is dt/dv = -F_v / F_t (Griewank & Walther 2008, section 15.2; Blondel et al. 2022).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from ad_magic.engine.active import primal
from ad_magic.engine.boundary import boundary
from ad_magic.engine.words import kind_of, of_a_function

from . import trees
from .values import is_array, is_leaf, is_real, is_result, shape_of

TOLERANCE = 1e-14
STEPS = 10_000  # of an iteration that converges slowly, by a factor of 0.997 in each step
NEWTON = 200
_ELSEWHERE = "try a start that is nearer to it"


@boundary
def fixed_point(f: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), tol: float = TOLERANCE) -> Any:
    """The x with f(x, *args) = x, by iterating from x0: a real number or an array, as x0 is.

    It stops where a step is below `tol` in relation to x, or as small as rounding allows. Raises ValueError where the
    iteration does not come to rest: a fixed point is found only where f is a contraction near it.

    >>> import math
    >>> from ad_magic import grad
    >>> kepler = lambda m, e: fixed_point(lambda x: m + e * math.sin(x), m)
    >>> round(kepler(1.0, 0.5), 10), round(grad(kepler)(1.0, 0.5), 10)
    (1.4987011335, 1.0373620219)
    """
    _of_a_start("fixed_point", f, x0)
    return _solver("fixed_point")(f, x0, **_given(args, tol))


@boundary
def root(f: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), tol: float = TOLERANCE) -> Any:
    """An x with f(x, *args) = 0, by Newton's method from x0: a real number, or an array for a system of equations.

    It stops where a step is below `tol` in relation to x, or as small as rounding allows. Raises ValueError where the
    method does not come to rest.

    >>> from ad_magic import grad
    >>> grad(lambda a: root(lambda x: x**2 - a, 1.0))(4.0)
    0.25
    """
    _of_a_start("root", f, x0)
    return _solver("root")(f, x0, **_given(args, tol))


def _of_a_start(who: str, f: Any, x0: Any) -> None:
    of_a_function(who, f)
    if not is_leaf(x0):
        raise TypeError(f"{who} starts from a real number or an array, like the x of f; x0 is {kind_of(x0)}")


def _given(args: tuple[Any, ...], tol: float) -> dict[str, Any]:
    """What the row of the result is to say of a call: not what goes without saying."""
    return {**({"args": args} if args else {}), **({"tol": tol} if tol != TOLERANCE else {})}


@functools.cache
def _solver(name: str) -> Callable[..., Any]:
    from ad_magic.engine.roots import solver  # not before it is used: it loads NumPy
    from ad_magic.engine.solvers import binder

    iterate = {"fixed_point": _iterated, "root": _by_newton}[name]
    return solver(iterate, name, binder(iterate), "f", ("x0",), name == "fixed_point", name == "root")


def _iterated(f: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), tol: float = TOLERANCE) -> Any:
    return _rest("fixed_point", lambda x: _like("fixed_point", f(x, *args), x), x0, tol, STEPS)


def _like(who: str, value: Any, x: Any) -> Any:
    """What f gives, where there is as much of it as of x. Raises TypeError, ValueError."""
    found = trees.leaves(value, is_result)
    if is_array(x) and isinstance(value, (list, tuple)) and all(map(is_real, found)):
        import numpy as np

        value = np.array(found, dtype=float)
    if not is_real(value) and not is_array(value):
        raise TypeError(f"{who}: f returned {kind_of(value)}; it returns a real number or an array, like x")
    if getattr(value, "size", 1) != getattr(x, "size", 1) or is_array(value) > is_array(x):
        given, wanted = (f"an array of shape {shape_of(y)}" if is_array(y) else "a number" for y in (value, x))
        raise ValueError(f"{who}: f returned {given}, and x is {wanted}: there are as many results as unknowns")
    return value.reshape(x.shape) if is_array(value) else value


def _by_newton(f: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), tol: float = TOLERANCE) -> Any:
    from .linear import linearize
    from .matrices import jacobian

    def step(x: Any) -> Any:
        if not is_array(x):
            value, push = linearize(lambda x: f(x, *args), x)
            if not _like("root", value, x):
                return x
            slope = push(1.0)
            if not slope:
                raise ValueError(f"root: the derivative of f is 0 at x = {x!r}: no step from there; {_ELSEWHERE}")
            return x - value / slope
        import numpy as np

        value = _like("root", f(x, *args), x)
        slopes = jacobian(lambda x: f(x, *args))(x)
        size = x.size
        try:
            away = np.linalg.solve(np.reshape(slopes, (size, size)), np.reshape(value, size))
        except np.linalg.LinAlgError:
            if not np.any(value):
                return x
            raise ValueError(
                f"root: the Jacobian of f is singular at x = {x!r}: no step from there; {_ELSEWHERE}"
            ) from None
        return x - away.reshape(x.shape)

    return _rest("root", step, x0, tol, NEWTON)


def _rest(name: str, step: Callable[[Any], Any], x0: Any, tol: float, steps: int) -> Any:
    """Where an iteration comes to rest."""
    x = primal(x0) if not is_array(x0) else x0
    x = float(x) if not is_array(x) else x
    last = math.inf
    taken = 0
    while taken < steps:
        taken += 1
        new = step(x)
        moved, size = _size(new, x)
        x = new
        if not math.isfinite(moved):
            break
        # within rounding a step no longer gets shorter
        if moved <= tol * size or (moved <= 1e-12 * size and moved >= last):
            return x
        last = moved
    raise ValueError(f"{name}: no rest after {taken} steps from {x0!r}; {_ELSEWHERE}")


def _size(new: Any, old: Any) -> tuple[float, float]:
    """How far two values are from one another, and how large they are."""
    if not is_array(new):
        return abs(new - old), max(abs(new), 1e-300)
    import numpy as np

    return float(np.linalg.norm(new - old)), max(float(np.linalg.norm(new)), 1e-300)
