"""An initial value problem as the program gives it: y' = fun(t, y, *args), with events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .active import LostDerivative
from .arrays.adjoints import shape_of
from .arrays.array import Array, latest, operand
from .arrays.constructors import array
from .lifting import here, plainly, replaced

_LIFTED = ("fun", "y0", "t_span", "t_eval", "events", "args")


class Problem:
    """A call of solve_ivp, with the names of its parameters: fun(t, y, *args)."""

    def __init__(self, given: dict[str, Any], name: str) -> None:
        self.given, self.name, self.place = given, name, here()
        self.vectorized = bool(given.get("vectorized"))
        self.by_time = name == "odeint"  # y[k] is that at time k, else y[:, k]
        self.n = 0

    @contextmanager
    def read_as(self, swap: Callable[[Any], Any]) -> Iterator[Read]:
        """For the time of the block the problem with all that it reads replaced."""
        with replaced([self.given[k] for k in _LIFTED], swap) as now:
            yield Read(self, dict(zip(_LIFTED, now, strict=True)), swap is plainly)


class Read:
    """A problem as it stands while what it reads is replaced."""

    def __init__(self, problem: Problem, now: dict[str, Any], plain: bool) -> None:
        self.problem, self.now, self.plain = problem, now, plain
        self.args = tuple(now["args"]) if now["args"] is not None else ()

    def rate(self, t: Any, y: Any) -> Any:
        """f(t, y), of shape (n,)."""
        problem = self.problem
        f = self.now["fun"](t, y[:, None] if problem.vectorized else y, *self.args)
        if self.plain:
            y = np.array(f, dtype=float).reshape(-1)  # a copy: it may return the same array each time
            return y if len(y) == problem.n else y * np.ones(problem.n)
        f = latest(operand(f))
        if f is NotImplemented:
            raise LostDerivative(f"{problem.place}: {problem.name} has a derivative for real y only")
        if shape_of(f) == (problem.n,):
            if type(f) is not Array:  # it may return the same array each time
                return np.array(f, dtype=float)
            return f.copy() if f.tape.writes else f
        return np.reshape(f, (problem.n,)) if shape_of(f) else array([f] * problem.n)

    def moved(self, t: Any, y: Any, h: Any) -> Any:
        """y a little later: the step of Runge and Kutta, exact enough for four derivatives with respect to h at 0."""
        k1 = self.rate(t, y)
        k2 = self.rate(t + h / 2, y + h / 2 * k1)
        k3 = self.rate(t + h / 2, y + h / 2 * k2)
        k4 = self.rate(t + h, y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def event(self, k: int, t: Any, y: Any) -> Any:
        """The number that the k-th event function gives."""
        g = operand(_listed(self.now["events"])[k](t, y, *self.args))
        return np.reshape(g, ())[()] if shape_of(g) else g


def _listed(events: Any) -> list[Any]:
    return [] if events is None else [events] if callable(events) else list(events)
