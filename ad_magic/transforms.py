"""FUNCTIONS: derivatives of plain functions, under JAX's names and argument order.

>>> import math
>>> def f(x, y):
...     return (x + 2 * y) ** 2 * math.sin(x * y)
>>> value, (dx, dy) = value_and_grad(f, argnums=(0, 1))(2.0, 3.0)
>>> round(value, 10), round(dx, 10), round(dy, 10)
(-17.8825918847, 179.8820470657, 113.9605007489)
>>> jvp(math.sin, (0.0,), (1.0,))
(0.0, 1.0)
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.active import Active, after_run, primal
from ad_magic.engine.dual import Dual
from ad_magic.engine.plans import call, plan_for
from ad_magic.engine.standins import plain_in
from ad_magic.engine.tape import Tape, reverse_sweep
from ad_magic.engine.traced import Traced

Argnums = int | Sequence[int]


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., tuple[Any, Any]]:
    """A function that returns the value of f and its derivative (reverse mode).

    f returns a real number. `argnums` says with respect to which positional arguments, real numbers or arrays; one
    number gives one derivative, a sequence a tuple of them, each of the shape of its argument: new arrays, the caller's
    own. Raises TypeError where f returns something else.

    >>> import numpy as np
    >>> value, gradient = value_and_grad(lambda w: np.sum(w**2))(np.array([1.0, 2.0]))
    >>> float(value), gradient
    (5.0, array([2., 4.]))
    """

    @functools.wraps(f)
    def differentiated(*args: Any, **options: Any) -> tuple[Any, Any]:
        which = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        plan = plan_for(f, args, options)
        tape = Tape(once=True, steady=plan is not None and plan.steady)
        active = list(args)
        rows, shapes = [], []  # as they are now: an array that is written to stands in another row
        for k in which:
            x = args[k]
            if active[k] is not x:
                raise ValueError(f"argnums has {k} twice")
            if _is_array(x):
                active[k] = variable = _arrays().array_input(tape, x, shared=False)
                shapes.append(x.shape)
            else:
                active[k] = variable = Traced.input(tape, _number(x, k))
                shapes.append(())
            rows.append(variable.index)
        output, columns = call(f, active, options, tape, _read, plan)
        if type(output) in Active.types and output.tape is tape:
            adjoints = reverse_sweep(columns, {output.index: 1.0}, inputs_only=True)
            found = [_own(adjoints, row, shape) for row, shape in zip(rows, shapes, strict=True)]
            return after_run(output), _as_asked(argnums, found)
        if _is_real(output):  # it does not depend on the arguments
            return output, _as_asked(argnums, list(map(_zero, shapes)))
        kind = output.__class__.__name__
        raise TypeError(f"{_name(f)} returned a {kind}; grad needs a function that returns a real number")

    return differentiated


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that returns the derivative of f (reverse mode); see `value_and_grad`.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """

    both = value_and_grad(f, argnums)

    @functools.wraps(f)
    def derivative(*args: Any, **options: Any) -> Any:
        return both(*args, **options)[1]

    return derivative


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of f at `primals` and its derivative along `tangents` (forward mode): two numbers or two arrays.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    if len(primals) != len(tangents):
        raise TypeError(f"jvp needs one tangent for each argument: {len(primals)} arguments, {len(tangents)} tangents")
    tape = Tape(limit=0, forward=True)
    active = [_dual(tape, x, t, k) for k, (x, t) in enumerate(zip(primals, tangents, strict=True))]
    output, _ = call(f, active, {}, tape, _read, plan_for(f, active, {}))
    if type(output) is Dual and output.tape is tape:
        return after_run(output), output.tangent
    if getattr(output, "tape", None) is tape:
        return plain_in(output), _as_own(output.tangent[0])
    if _is_real(output) or isinstance(output, complex) or hasattr(output, "dtype"):
        return output, _zero(getattr(output, "shape", ()))
    kind = output.__class__.__name__
    raise TypeError(f"{_name(f)} returned a {kind}; jvp needs a function that returns a number or an array")


# ---- what goes in --------------------------------------------------------------------------------


def _dual(tape: Tape, x: Any, tangent: Any, k: int) -> Any:
    if not _is_array(x):
        return Dual.input(tape, _number(x, k), _number(tangent, k))
    import numpy as np

    from ad_magic.engine.arrays.constructors import copy

    value, along = _arrays().operand(x), _arrays().operand(tangent)
    value = copy(value) if _is_active(value) else np.array(value, dtype=float)
    along = along if _is_active(along) else np.asarray(along, dtype=float)
    return _arrays().made(tape, -1, value, np.broadcast_to(along, value.shape)[None])


def _is_active(x: Any) -> bool:
    return type(x) in Active.types or hasattr(x, "place")


@functools.cache
def _arrays() -> Any:
    from ad_magic.engine.arrays import array  # not before there is an array: it loads NumPy

    return array


def _is_array(x: Any) -> bool:
    if type(x) is float or type(x) in Active.types:
        return False
    return getattr(x, "ndim", 0) > 0 and getattr(getattr(x, "dtype", None), "kind", "") in ("f", "i", "u")


def _number(x: Any, k: int) -> Any:
    if type(x) is float or type(x) in Active.types:
        return x
    if _is_real(x) and not isinstance(x, bool):
        return _read(x) if _is_active(x) else float(x)
    raise TypeError(f"argument {k} is a {type(primal(x)).__name__}; a derivative is with respect to a real number")


# ---- what comes out ------------------------------------------------------------------------------


def _read(output: Any) -> Any:
    """What a function gives, while its run is open: of an array what it holds now; the number in one without axes."""
    if type(output).__name__ not in ("Array", "Buffer"):
        return output
    output = _arrays().latest(output)
    return output[()] if output.shape == () else output


def _is_real(x: Any) -> bool:
    """Whether x is a real number: of Python, of NumPy, or in an array without axes."""
    if isinstance(x, (float, int)):
        return True
    return getattr(x, "shape", None) == () and getattr(getattr(x, "dtype", None), "kind", "") in ("f", "i", "u", "b")


def _own(held: list[Any], k: int, shape: tuple[int, ...]) -> Any:
    """An adjoint, taken out of the list: a number, or an array that nobody else holds."""
    x, alone = _taken(held, k)
    if alone and type(x).__name__ == "ndarray" and x.shape == shape and x.base is None and x.flags.writeable:
        return x
    if not shape:
        return x if _is_active(x) else float(x)
    if getattr(x, "shape", ()) != shape:
        import numpy as np

        return _as_own(np.broadcast_to(x, shape))
    return _as_own(x)


def _taken(held: list[Any], k: int) -> tuple[Any, bool]:
    """Take an object out of a list: it, and whether nobody else holds it."""
    x = held[k]
    held[k] = None
    return x, sys.getrefcount(x) <= _ALONE


_ALONE = 0  # the number of references to such an object there
while not _taken([object()], 0)[1]:
    _ALONE += 1


def _as_own(x: Any) -> Any:
    """An array with a memory of its own; a number as it is."""
    if not hasattr(x, "shape"):
        return x
    if _is_active(x):
        from ad_magic.engine.arrays.constructors import copy

        return copy(x)
    import numpy as np

    return np.array(x)


def _zero(shape: tuple[int, ...]) -> Any:
    if not shape:
        return 0.0
    import numpy as np

    return np.zeros(shape)


def _as_asked(argnums: Argnums, gradient: list[Any]) -> Any:
    return gradient[0] if isinstance(argnums, int) else tuple(gradient)


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", repr(f))
