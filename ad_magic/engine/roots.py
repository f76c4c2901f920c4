"""Roots of a user's function by SciPy, differentiated by the implicit function theorem.

At a root t of F(t, v) = 0 the derivative is dt/dv = -F_v / F_t, whatever way the solver took to it (Griewank & Walther
2008, section 15.2; Blondel et al. 2022). A system has the Jacobian in the place of F_t.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .active import LostDerivative
from .arrays.array import NUMBERS, Array, is_active, operand
from .arrays.compose import as_input
from .arrays.constructors import array
from .arrays.functions import looked
from .arrays.operation import absent, reduced, shape_of, spread
from .lifting import (
    NOT_FOUND,
    Lifting,
    SolverOperation,
    bottom,
    here,
    is_open,
    plainly,
    record_solver,
    replaced,
    returning_plain,
    shown,
)
from .record import decide_on
from .tape import Columns, forward_sweep, reverse_sweep

ROOT = ArrayRule("root", lambda *_: None, (), (), lambda *_: None)
_FAR = 1e-4  # a Newton step longer than this, in relation: what was found is no root, and there is no derivative


class RootOperation(SolverOperation):
    """A root t of F(t, operands); `unknown` and `zero` are the rows of t and F in the recorded run."""

    __slots__ = ("_slope", "unknown", "zero")
    _slope: Any
    unknown: int
    zero: int

    def value_complex(self, *operands: Any) -> Any:
        """The root at operands with tiny imaginary parts; the slope is found by such a step, too."""
        step, root = 1e-30, self.result
        moved = self.imaginary(self.zero, dict(zip(self.seeds, operands, strict=True)))
        if not shape_of(root):
            slope = self.imaginary(self.zero, {self.unknown: complex(root, step)}) / step
        else:
            units = np.eye(root.size)
            slope = np.stack([self.imaginary(self.zero, {self.unknown: root + step * 1j * e}) for e in units], 1) / step
        return root - 1j * _solved(slope, moved)

    def slope(self, inner: Columns) -> Any:
        """F_t: a number, or the Jacobian of a system."""
        if inner is self.inner and hasattr(self, "_slope"):
            return self._slope
        shape = shape_of(self.result)
        if not shape:
            slope = reverse_sweep(inner, {self.zero: 1.0})[self.unknown]
        else:
            rows = [reverse_sweep(inner, {self.zero: unit})[self.unknown] for unit in np.eye(shape[0])]
            rows = [np.broadcast_to(row, shape) for row in rows]
            slope = array(rows) if any(map(is_active, rows)) else np.array(rows)
        if inner is self.inner:
            self._slope = slope if _is_root(slope, inner.values[self.zero], self.result) else slope * np.nan
            return self._slope
        return slope

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        operands = self.arguments(left, right, values)
        inner = self.recorded_at(operands, {self.unknown: z})
        slope = self.slope(inner)
        if np.any(np.isnan(bottom(slope))):  # no root, or no derivative: for all of them, as forward
            for i, on, x in zip(left, self.active, operands, strict=True):
                if on:
                    adjoints.add(i, np.full(shape_of(x), np.nan)[()])
            return
        weights = -_solved(np.swapaxes(slope, 0, 1) if shape_of(slope) else slope, g)
        inner_adjoints = reverse_sweep(inner, {self.zero: weights})
        for i, on, seed, x in zip(left, self.active, self.seeds, operands, strict=True):
            if on and not absent(inner_adjoints[seed]):
                adjoints.add(i, reduced(inner_adjoints[seed], x))

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        operands = self.arguments(left, right, values)
        inner = self.recorded_at(operands, {self.unknown: z})
        along = {
            seed: spread(tangents[i], x)
            for i, on, seed, x in zip(left, self.active, self.seeds, operands, strict=True)
            if on and not absent(tangents[i])
        }
        return -_solved(self.slope(inner), spread(forward_sweep(inner, along)[self.zero], z))


def _solved(slope: Any, g: Any) -> Any:
    """g / slope; for a Jacobian the solution of a linear system. Where the function does not cross zero: infinite for a
    number, NaN for a system."""
    if shape_of(slope):
        try:
            return np.linalg.solve(slope, g)
        except np.linalg.LinAlgError:
            return g * np.nan
    if bottom(slope) != 0.0:
        return g / slope
    if is_active(slope) or is_active(g):
        return g * np.nan
    with np.errstate(all="ignore"):
        return np.float64(g) / np.float64(slope)


def _is_root(slope: Any, residual: Any, root: Any) -> bool:
    if not np.any(residual):
        return True
    step = np.linalg.norm(_solved(slope, residual))
    return bool(step <= _FAR * (1.0 + np.linalg.norm(root)))


# ---- the solvers ---------------------------------------------------------------------------------


def solver(original: Callable[..., Any], name: str, bind: Callable[..., Any], function: str, start: tuple[str, ...],
           fixed: bool = False) -> Callable[..., Any]:  # fmt: skip
    """The stand-in for a solver: `function` names its parameter for the function, `start` those for where it starts.

    The function of a `fixed` point is f(t) - t.
    """

    def solved(*args: Any, **kwargs: Any) -> Any:
        given = bind(args, kwargs)
        if given is None:  # SciPy says what is wrong
            return original(*args, **kwargs)
        for parameter in start:
            given[parameter] = _started(given[parameter])
        f = given[function]
        found: list[Any] = []
        place = here()

        def plain(x: Any) -> Any:
            if is_open(x):
                found.append(x)
            return plainly(x)

        with replaced([given], plain) as (now,):
            now = dict(now)
            for parameter in _FUNCTIONS:
                if callable(now.get(parameter)):
                    now[parameter] = returning_plain(now[parameter], name, place, NOT_FOUND)
            result = original(**now)
        if not found:
            return result
        root = _root_of(result)
        if type(root) is not np.ndarray and not isinstance(root, (float, int)):
            raise LostDerivative(f"{place}: {name} has a derivative for real roots only")
        return _with_root(result, _differentiated(name, f, given, root, fixed, (args, kwargs)))

    return solved


_FUNCTIONS = ("f", "func", "fun", "fprime", "fprime2", "jac", "callback")


def _started(x: Any) -> Any:
    """Where a solver starts: plain numbers. The root does not depend on it, unless another one is found."""
    if type(x) in (tuple, list):
        return type(x)(map(_started, x))
    if type(x) in NUMBERS:
        return decide_on("primal", x)
    return looked("values", lambda y: y, (x,), {}) if is_open(x) else x


def _differentiated(name: str, f: Any, given: dict[str, Any], root: Any, fixed: bool, call: Any) -> Any:
    """The root as an active number or array of the run that the function reads from."""
    lifting = Lifting()
    try:
        unknown = as_input(lifting.tape, root.copy() if type(root) is np.ndarray else float(root))
        with replaced([f, given.get("args", ())], lifting.variable) as (function, more):
            value = function(unknown, *(more if isinstance(more, tuple) else (more,)))
        if given.get("fprime") is True or given.get("jac") is True:  # it returns its derivative, too
            value = value[0]
        if type(root) is np.ndarray:
            value = operand(value)
            value = np.reshape(value, root.shape) if shape_of(value) else array([value] * root.size)
        if fixed:
            value = value - unknown
        value = operand(value)
    finally:
        inner = lifting.close()
    if not is_active_of(value, lifting) or not lifting.originals:
        return root
    template = tuple(shown(x, lifting) for x in call[0]), {k: shown(x, lifting) for k, x in call[1].items()}
    op = RootOperation(ROOT, (True,) * len(lifting.originals), {})
    op.unknown, op.zero = unknown.index, value.index
    return record_solver(op, name, lifting, inner, root, template)


def is_active_of(x: Any, lifting: Lifting) -> bool:
    """Whether a value that a function returned depends on anything that it read."""
    return (type(x) is Array or type(x) in NUMBERS) and x.tape is lifting.tape


def _root_of(result: Any) -> Any:
    root = result[0] if isinstance(result, tuple) else result  # a tuple with full_output
    for name in ("root", "x"):
        if hasattr(result, name):
            root = getattr(result, name)
    if isinstance(root, np.ndarray):
        return np.array(root, subok=False) if root.ndim else root.item()
    return root


def _with_root(result: Any, root: Any) -> Any:
    """What the solver returned, with the active root in the place of the plain one."""
    if isinstance(result, tuple):
        if hasattr(result[1], "root"):
            result[1].root = root
        return root, *result[1:]
    for name in ("root", "x"):
        if hasattr(result, name):
            setattr(result, name, root)
            return result
    return root
