"""Stand-ins for functions of SciPy that take a function: roots, fixed points, integrals, initial values.

SciPy is never imported before the user's program imports it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

# solver -> (the parameter that is the function, those that say where to start)
_ROOTS: dict[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(("brentq", "brenth", "ridder", "bisect", "toms748"), ("f", ("a", "b"))),
    "newton": ("func", ("x0", "x1")),
    "root_scalar": ("f", ("bracket", "x0", "x1")),
    "fsolve": ("func", ("x0",)),
    "root": ("fun", ("x0",)),
    "fixed_point": ("func", ("x0",)),
}
# Without a derivative rule: a function that returns an active number is refused.
_REFUSED = {
    "scipy.optimize": (
        "minimize minimize_scalar least_squares leastsq curve_fit basinhopping differential_evolution dual_annealing "
        "shgo brute direct fmin fmin_bfgs fmin_cg fmin_cobyla fmin_l_bfgs_b fmin_ncg fmin_powell fmin_slsqp fmin_tnc "
        "fminbound brent golden bracket approx_fprime"
    ),
    "scipy.integrate": "solve_bvp dblquad tplquad nquad quad_vec cubature tanhsinh nsum",
}


def solver_modules(tree: ast.AST | None = None) -> dict[str, dict[str, Any]]:
    """The stand-ins by module, for the modules of SciPy that are loaded or that the cell is about to load."""
    made = {}
    for name in _REFUSED:
        if name in sys.modules or (tree is not None and _loads(tree, name)):
            made[name] = _stand_ins(name)
    return made


def _loads(tree: ast.AST, name: str) -> bool:
    """Whether a program loads a module of SciPy: it imports it, or names it as an attribute of scipy.

    >>> _loads(ast.parse("from scipy.optimize import brentq"), "scipy.optimize")
    True
    >>> _loads(ast.parse("import scipy; scipy.integrate.quad"), "scipy.optimize")
    False
    """
    package, _, module = name.rpartition(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name.startswith(name) for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            named = node.module == package and any(alias.name in (module, "*") for alias in node.names)
            if named or node.module.startswith(name):
                return True
        if isinstance(node, ast.Attribute) and node.attr == module and isinstance(node.value, ast.Name):
            return package in sys.modules or _loads_package(tree, package)
    return False


def _loads_package(tree: ast.AST, package: str) -> bool:
    return any(
        isinstance(node, ast.Import) and any(alias.name.split(".")[0] == package for alias in node.names)
        for node in ast.walk(tree)
    )


@functools.cache
def _stand_ins(name: str) -> dict[str, Any]:
    from .initial_values import initial_value_problem, ordinary
    from .quadrature import integral
    from .roots import solver

    module = sys.modules.get(name) or import_module(name)
    made: dict[str, Any] = {}
    if name == "scipy.optimize":
        for solver_name, (function, start) in _ROOTS.items():
            original = getattr(module, solver_name)
            fixed = solver_name == "fixed_point"
            made[solver_name] = solver(original, solver_name, binder(original), function, start, fixed)
    else:
        made["quad"] = integral(module.quad, binder(module.quad))
        made["solve_ivp"] = initial_value_problem(module.solve_ivp, binder(module.solve_ivp))
        made["odeint"] = ordinary(module.odeint, binder(module.odeint), module.solve_ivp)
    for refused in _REFUSED[name].split():
        original = getattr(module, refused, None)
        if original is not None:
            made[refused] = _refusing(original, f"{name}.{refused}")
    return {key: _like(function, getattr(module, key)) for key, function in made.items()}


def _like(function: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    function = functools.wraps(original)(function)
    del function.__wrapped__
    return function


def binder(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives the arguments of a call by name, with the defaults; None where they do not fit."""
    signature = inspect.signature(original)

    def bind(args: Any, kwargs: Any) -> dict[str, Any] | None:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return None
        bound.apply_defaults()
        return dict(bound.arguments)

    return bind


def _refusing(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function of SciPy as it was, except that a user's function that returns an active number is refused clearly."""
    from .lifting import NO_RULE, here, reads_active, returning_plain

    def function(*args: Any, **kwargs: Any) -> Any:
        if not reads_active((args, kwargs)):
            return original(*args, **kwargs)
        place = here()

        def guarded(x: Any) -> Any:
            return returning_plain(x, name, place, NO_RULE) if callable(x) and not isinstance(x, type) else x

        return original(*map(guarded, args), **{key: guarded(x) for key, x in kwargs.items()})

    return function
