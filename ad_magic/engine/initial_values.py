"""The stand-ins for solve_ivp and odeint: SciPy integrates plain numbers, what it gave is recorded as one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .arrays.adjoints import shape_of
from .left import Call
from .lifting import plainly
from .problem import Problem
from .roots import started
from .solution import solved


def initial_value_problem(original: Callable[..., Any], bind: Callable[..., Any]) -> Callable[..., Any]:
    """The stand-in for scipy.integrate.solve_ivp."""

    def solve_ivp(*args: Any, **kwargs: Any) -> Any:
        given = bind(args, kwargs)
        if given is None:  # SciPy says what is wrong
            return original(*args, **kwargs)
        given["options"] = {key: x if callable(x) else started(x) for key, x in given["options"].items()}
        problem = Problem(given, "solve_ivp")
        call = Call("solve_ivp", given, ("fun",))
        with call.plainly() as now:
            options = now.pop("options")
            if callable(now["events"]):
                now["events"] = call.guarded(now["events"])
            elif call.found and isinstance(now["events"], (tuple, list)):
                now["events"] = [call.guarded(event) for event in now["events"]]
            if "jac" in options:
                options["jac"] = call.guarded(options["jac"])
            asked = now["dense_output"]
            result = original(**{**now, "dense_output": bool(asked or call.found)}, **options)
        if not call.found:
            return result
        dense = result.sol
        if not asked:
            result.sol = None
        if dense is None:  # it has not begun
            return result
        times = [(k, j) for k, found in enumerate(result.t_events or ()) for j in range(len(found))]
        with call.recording():
            parts = solved(problem, (args, kwargs), dense, result, times, bool(asked))
        for key, part in parts.items():
            if type(key) is tuple:
                getattr(result, key[0])[key[1]] = part
            else:
                setattr(result, key, part)
        return result

    return solve_ivp


def ordinary(
    original: Callable[..., Any], bind: Callable[..., Any], solve_ivp: Callable[..., Any]
) -> Callable[..., Any]:
    """The stand-in for scipy.integrate.odeint: the steps are those of the same method in `solve_ivp`."""

    def odeint(*args: Any, **kwargs: Any) -> Any:
        given = bind(args, kwargs)
        if given is None:
            return original(*args, **kwargs)
        for key in ("rtol", "atol", "hmax", "hmin", "h0", "tcrit"):
            given[key] = started(given[key])
        problem = Problem(_as_ivp(given), "odeint")
        call = Call("odeint", given, ("func", "Dfun"))
        with call.plainly() as now:
            result = original(**now)
        if not call.found:
            return result
        y = result[0] if isinstance(result, tuple) else result
        times = np.asarray(now["t"], dtype=float)
        with call.recording():
            with problem.read_as(plainly) as read:
                wide = {key: 100 * (1.49012e-8 if now[key] is None else np.asarray(now[key])) for key in _TOLERANCES}
                as_ivp = read.now["fun"], (times[0], times[-1]), np.atleast_1d(now["y0"]), "LSODA"
                dense = solve_ivp(*as_ivp, args=read.args, dense_output=True, **wide).sol
            y = solved(problem, (args, kwargs), dense, _Solution(times, y), [], False).get("y", y)
        return (y, *result[1:]) if isinstance(result, tuple) else y

    return odeint


_TOLERANCES = ("rtol", "atol")


class _Solution:
    """What odeint gave, with the names of solve_ivp; y is (len(t), n)."""

    status = 0
    t_events = None

    def __init__(self, t: Any, y: Any) -> None:
        self.t, self.y = t, y


def _as_ivp(given: dict[str, Any]) -> dict[str, Any]:
    f, args = given["func"], given["args"]
    turned = f if given["tfirst"] else _Turned(f)
    t, y0 = given["t"], given["y0"]
    args = args if isinstance(args, tuple) else (args,)
    y0 = y0 if shape_of(y0) or isinstance(y0, (list, tuple)) else [y0]
    return {"fun": turned, "y0": y0, "t_span": (t[0], t[-1]), "t_eval": t, "events": None, "args": args}


class _Turned:
    """A function of (y, t) as one of (t, y)."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, t: Any, y: Any, *args: Any) -> Any:
        return self.function(y, t, *args)
