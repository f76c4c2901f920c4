"""SciPy's integrators of initial value problems with tight tolerances, for differences.

With the tolerances of the user what they give is a rough function of its inputs: its differences are off by as much as
its values. The derivative is that of the solution itself, and so are differences of it.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

RTOL = 1e-11
NAMES = ("solve_ivp", "odeint")
_STIFF = ("Radau", "BDF", "LSODA")


def integrates(run: Any) -> bool:
    """Whether a run has integrated an initial value problem."""
    return any(op.name in NAMES and hasattr(op, "inner") for op in run.tape.ops)


@contextlib.contextmanager
def tightly(namespace: Mapping[str, Any], tight: bool) -> Iterator[dict[str, Any]]:
    """For the time of the block the integrators of scipy.integrate have tight tolerances; gives what is to stand for
    them in a namespace, by name. Without `tight` all is as it is."""
    if not tight:
        yield {}
        return
    module: Any = sys.modules["scipy.integrate"]
    originals = {name: getattr(module, name) for name in NAMES}
    places = {id(f.__globals__): f.__globals__ for f in namespace.values() if isinstance(f, FunctionType)}
    made = {"solve_ivp": _solve_ivp(originals["solve_ivp"]), "odeint": _odeint(originals["odeint"])}

    def standing(names: Mapping[str, Any]) -> dict[str, Any]:
        return {key: made[name] for key, x in names.items() for name, original in originals.items() if x is original}

    found = [(names, standing(names)) for names in (vars(module), *places.values())]
    try:
        for names, stand_ins in found:
            names.update(stand_ins)
        yield standing(namespace)
    finally:
        for names, stand_ins in found:
            names.update((key, originals[function.__name__]) for key, function in stand_ins.items())


def _solve_ivp(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def solve_ivp(fun: Any, t_span: Any, y0: Any, method: Any = "RK45", t_eval: Any = None, **more: Any) -> Any:
        import numpy as np

        rough = original(fun, t_span, y0, method, t_eval, **more)
        if t_eval is None:  # at the times of the first, so that there are as many
            t_eval = rough.t[:-1] if rough.status == 1 else rough.t
        for name in ("rtol", "atol", "first_step", "jac_sparsity"):
            more.pop(name, None)
        atol = 0.01 * RTOL * np.max(np.abs(rough.y), axis=1, initial=0.0) + 1e-300
        method = "LSODA" if method in _STIFF else "DOP853" if isinstance(method, str) else method
        result = original(fun, t_span, y0, method, t_eval, **more, rtol=RTOL, atol=atol)
        if rough.status == result.status == 1 and len(rough.t) == len(result.t) + 1:
            t, y = max(
                (ts[-1], ys[-1]) for ts, ys in zip(result.t_events, map(list, result.y_events), strict=True) if len(ts)
            )
            result.t, result.y = np.append(result.t, t), np.column_stack([result.y, y])
        return result

    return solve_ivp


def _odeint(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def odeint(func: Any, y0: Any, t: Any, *args: Any, **kwargs: Any) -> Any:
        import numpy as np

        rough = original(func, y0, t, *args, **kwargs)
        y = rough[0] if isinstance(rough, tuple) else rough
        kwargs |= {
            "rtol": RTOL,
            "atol": 0.01 * RTOL * np.max(np.abs(y), axis=0, initial=0.0) + 1e-300,
            "mxstep": 100_000,
        }
        return original(func, y0, t, *args[:6], **kwargs)

    return odeint
