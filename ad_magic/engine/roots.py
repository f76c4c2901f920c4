"""Roots of a user's function by SciPy, differentiated by the implicit function theorem.

At a root t of F(t, v) = 0 the derivative is dt/dv = -F_v / F_t, whatever way the solver took to it (Griewank & Walther
2008, section 15.2; Blondel et al. 2022). A system has the Jacobian in the place of F_t.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .active import LostDerivative
from .arrays.adjoints import absent, reduced, shape_of, spread
from .arrays.array import NUMBERS, Array, is_active, operand
from .arrays.compose import as_input
from .arrays.constructors import array
from .arrays.looks import looked
from .left import Call
from .lifting import Lifting, SolverOperation, bottom, is_open, plainly, record_solver, replaced
from .record import decide_on
from .tape import Columns, depended_on, forward_sweep, reverse_sweep

ROOT = ArrayRule("root", lambda *_: None, (), (), lambda *_: None)
_FAR = 1e-4  # a Newton step longer than this, in relation: what was found is no root, and there is no derivative


class RootOperation(SolverOperation):
    """A root t of F(t, operands); `unknown` and `zero` are the rows of t and F in the recorded run."""

    __slots__ = ("_slope", "fixed", "unknown", "zero")
    _slope: Any
    fixed: bool  # a fixed point: F is f(t) - t
    unknown: int
    zero: int

    @property
    def how(self) -> tuple[str, str]:  # type: ignore[override]  # it depends on the solver, not on the class
        """See `SolverOperation.how`."""
        several = bool(shape_of(self.result))
        if self.fixed:
            formula = f"{'(I − f_t)⁻¹ f_v' if several else 'f_v / (1 − f_t)'} where t = f(t, v)"
        else:
            formula = f"{'−F_t⁻¹ F_v' if several else '−F_v / F_t'} at a root t of F(t, v)"
        return "implicit function theorem", f"by the implicit function theorem, not unrolled: ∂t/∂v = {formula}"

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

    @property
    def why_singular(self) -> str:
        """Why the derivative is not finite here; empty where it is."""
        slope, residual = self.slope(self.inner), self.inner.values[self.zero]
        if np.any(np.isnan(slope)):
            if np.all(np.isfinite(residual)) and np.any(residual):
                return f"{self.name} ended where the function is not zero, which is no root"
            return f"the slope of the function is NaN where {self.name} ended"
        if not np.all(np.isfinite(slope)):
            return f"the slope of the function is infinite at the root that {self.name} gave"
        if shape_of(slope):
            several = np.linalg.matrix_rank(slope) < len(slope)
            return f"the Jacobian of the function is singular at the root that {self.name} gave" if several else ""
        return "" if slope else f"the slope of the function is 0 at the root that {self.name} gave: a multiple root"

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        operands = self.arguments(left, right, values)
        inner = self.recorded_at(operands, {self.unknown: z})
        slope = self.slope(inner)
        regular = _is_regular(slope)
        if not shape_of(slope) and not regular:  # 0 / 0 and inf / inf are NaN: first what is divided
            weights: Any = -g
        else:
            weights = -_solved(np.swapaxes(slope, 0, 1) if shape_of(slope) else slope, g)
        inner_adjoints = reverse_sweep(inner, {self.zero: weights})
        used = self._used(inner, slope)
        for i, on, seed, x in zip(left, self.active, self.seeds, operands, strict=True):
            if not on or not used[seed]:
                continue
            if regular:
                if not absent(inner_adjoints[seed]):
                    adjoints.add(i, reduced(inner_adjoints[seed], x))
            elif shape_of(slope):
                adjoints.add(i, np.full(shape_of(x), np.nan)[()])
            else:
                adjoints.add(i, _solved(slope, spread(reduced(inner_adjoints[seed], x), x)))

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        operands = self.arguments(left, right, values)
        inner = self.recorded_at(operands, {self.unknown: z})
        slope = self.slope(inner)
        used = self._used(inner, slope)
        along = {
            seed: spread(tangents[i], x)
            for i, on, seed, x in zip(left, self.active, self.seeds, operands, strict=True)
            if on and used[seed] and not absent(tangents[i])
        }
        if not along:
            return 0.0
        return -_solved(slope, spread(forward_sweep(inner, along)[self.zero], z))

    def _used(self, inner: Columns, slope: Any) -> Any:
        """By row whether the root depends on it; what is no root (its slope is NaN) might depend on anything."""
        if np.any(np.isnan(bottom(slope))):
            return [True] * len(inner)
        return depended_on(inner, [self.zero])


def _is_regular(slope: Any) -> bool:
    """Whether a root with this slope or Jacobian has a derivative; NaN is what is no root."""
    plain = bottom(slope)
    if not np.all(np.isfinite(plain)):
        return False
    if not shape_of(plain):
        return bool(plain)
    try:
        return bool(np.all(np.isfinite(np.linalg.inv(plain))))
    except np.linalg.LinAlgError:
        return False


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
           fixed: bool = False, differentiates: bool = False) -> Callable[..., Any]:  # fmt: skip
    """The stand-in for a solver: `function` names its parameter for the function, `start` those for where it starts.

    The function of a `fixed` point is f(t) - t. A solver that itself `differentiates` the function calls it with active
    numbers of its own.
    """

    def solved(*args: Any, **kwargs: Any) -> Any:
        given = bind(args, kwargs)
        if given is None:  # SciPy says what is wrong
            return original(*args, **kwargs)
        for parameter in start:
            given[parameter] = started(given[parameter])
        now = Call(name, given, () if differentiates else _FUNCTIONS)
        with now.plainly() as plain:
            result = original(**plain)
        if not now.found:
            return result
        root = _root_of(result)
        if type(root) is not np.ndarray and not isinstance(root, (float, int)):
            raise LostDerivative(f"{now.place}: {name} has a derivative for real roots only")
        with now.recording():
            root = _differentiated(name, now.place, given[function], given, root, fixed, (args, kwargs))
        return _with_root(result, root)

    return solved


_FUNCTIONS = ("f", "func", "fun", "fprime", "fprime2", "jac", "callback")


def started(x: Any) -> Any:
    """Where a solver starts: plain numbers. The root does not depend on it, unless another one is found."""
    if type(x) in (tuple, list):
        return type(x)(map(started, x))
    if type(x) in NUMBERS:
        return decide_on("primal", x)
    return looked("values", lambda y: y, (x,), {}) if is_open(x) else x


def _differentiated(name: str, place: str, f: Any, given: dict[str, Any], root: Any, fixed: bool, call: Any) -> Any:
    """The root as an active number or array of the run that the function reads from."""
    if getattr(root, "ndim", 0) > 1:  # as a system, in one row of numbers

        def flat(x: Any, *more: Any) -> Any:
            value = operand(f(np.reshape(x, root.shape), *more))
            return np.reshape(value, root.size) if shape_of(value) else value

        return np.reshape(_differentiated(name, place, flat, given, root.ravel(), fixed, call), root.shape)
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
    if not lifting.originals:
        return root
    op = RootOperation(ROOT, (True,) * len(lifting.originals), {})
    if is_active_of(value, lifting):
        op.inner, op.unknown, op.zero, op.fixed, op.result = inner, unknown.index, value.index, fixed, root
    if not is_active_of(value, lifting) or (np.size(root) == 1 and _jumps(op, f, given)):
        raise LostDerivative(
            f"{place}: {name} ended where the function jumps from one sign to the other: there is no zero there whose "
            "derivative the function tells. Give it a function that crosses zero: t - k instead of t > k"
        )
    return record_solver(op, name, lifting, inner, root, call, op.zero)


def _jumps(op: RootOperation, f: Any, given: dict[str, Any]) -> bool:
    """Whether the function jumps from one sign to the other where a solver has ended, instead of crossing zero."""
    root, residual = op.result, op.inner.values[op.zero]
    slope = op.slope(op.inner)
    if op.fixed or not (np.any(np.isnan(slope)) or not np.any(slope)):
        return False
    pair = given.get("fprime") is True or given.get("jac") is True  # it returns its derivative, too
    place = float(np.ravel(root)[0])
    with replaced([f, given.get("args", ())], plainly) as (function, more):
        more = more if isinstance(more, tuple) else (more,)

        def at(t: float) -> float:
            value = function(np.full(np.shape(root), t) if np.ndim(root) else t, *more)
            return float(np.ravel(value[0] if pair else value)[0])

        try:
            for far in _NEAR:
                step = far * max(1.0, abs(place))
                low, high = at(place - step), at(place + step)
                least = max(math.sqrt(step), _FAR * float(np.max(np.abs(residual))))
                if low * high < 0.0 and min(abs(low), abs(high)) > least:
                    return True
        except (ArithmeticError, ValueError, TypeError):
            pass
    return False


_NEAR = (1e-12, 1e-9, 1e-6)  # how near to where a solver has ended the other side of a jump is looked for


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
