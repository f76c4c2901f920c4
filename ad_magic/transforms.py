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
from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.active import Active, primal
from ad_magic.engine.dual import Dual
from ad_magic.engine.standins import plain_in, standing_in
from ad_magic.engine.tape import Tape, reverse_sweep
from ad_magic.engine.traced import Traced

Argnums = int | Sequence[int]


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., tuple[Any, Any]]:
    """A function that returns the value of f and its derivative (reverse mode).

    f returns a real number. `argnums` says with respect to which positional arguments, real numbers or arrays; one
    number gives one derivative, a sequence a tuple of them, each of the shape of its argument. Raises TypeError where f
    returns something else.

    >>> import numpy as np
    >>> value_and_grad(lambda w: np.sum(w**2))(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))
    """

    @functools.wraps(f)
    def differentiated(*args: Any, **options: Any) -> tuple[Any, Any]:
        which = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        tape = Tape()
        active = list(args)
        for k in which:
            active[k] = _input(tape, args[k], k)
        with standing_in({"f": f}):
            try:
                output: Any = _as_number(_stood_in(f)(*active, **options))
            finally:
                columns = tape.close()
        if type(output) in Active.types and output.tape is tape:
            adjoints = reverse_sweep(columns, {output.index: 1.0}, inputs_only=True)
            found = [_shaped(adjoints[active[k].index], active[k]) for k in which]
            return plain_in(output), _as_asked(argnums, found)
        if isinstance(output, (float, int)):  # it does not depend on the arguments
            return output, _as_asked(argnums, [_shaped(0.0, active[k]) for k in which])
        raise TypeError(
            f"{_name(f)} returned a {type(output).__name__}; grad needs a function that returns a real number"
        )

    return differentiated


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that returns the derivative of f (reverse mode); see `value_and_grad`.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """

    @functools.wraps(f)
    def derivative(*args: Any, **options: Any) -> Any:
        return value_and_grad(f, argnums)(*args, **options)[1]

    return derivative


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of f at `primals` and its derivative along `tangents` (forward mode): two real numbers.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    if len(primals) != len(tangents):
        raise TypeError(f"jvp needs one tangent for each argument: {len(primals)} arguments, {len(tangents)} tangents")
    tape = Tape(limit=0, forward=True)
    active = [_dual(tape, x, t, k) for k, (x, t) in enumerate(zip(primals, tangents, strict=True))]
    with standing_in({"f": f}):
        try:
            output = _stood_in(f)(*active)
        finally:
            tape.close()
    if hasattr(output, "place") and output.tape is tape:
        return plain_in(output), output.tangent[0]
    if type(output) is not Dual or output.tape is not tape:
        return output, 0.0
    return output.value, output.tangent


def _stood_in(f: Callable[..., Any]) -> Callable[..., Any]:
    """f itself, or what stands in for it where it is a function of math."""
    import math

    name = getattr(f, "__name__", "")
    return getattr(math, name) if getattr(f, "__module__", None) == "math" and hasattr(math, name) else f


def _input(tape: Tape, x: Any, k: int) -> Any:
    """Argument k as a variable of a run."""
    if not _is_array(x):
        return Traced.input(tape, _number(x, k))
    from ad_magic.engine.arrays.array import array_input

    return array_input(tape, x, shared=False)


def _dual(tape: Tape, x: Any, tangent: Any, k: int) -> Any:
    if not _is_array(x):
        return Dual.input(tape, _number(x, k), tangent)
    import numpy as np

    from ad_magic.engine.arrays.array import made

    value = np.array(x, dtype=float)
    return made(tape, -1, value, np.broadcast_to(np.asarray(tangent, dtype=float), value.shape)[None])


def _is_array(x: Any) -> bool:
    return getattr(x, "ndim", 0) > 0 and getattr(getattr(x, "dtype", None), "kind", "") in ("f", "i", "u")


def _as_number(output: Any) -> Any:
    """The number in an array of one entry without axes; anything else as it is."""
    return output[()] if getattr(output, "shape", None) == () and hasattr(output, "place") else output


def _shaped(adjoint: Any, variable: Any) -> Any:
    """A derivative in the shape of its argument, as an array of its own."""
    shape = getattr(variable, "shape", ())
    if not shape:
        return adjoint
    import numpy as np

    return np.array(np.broadcast_to(adjoint, shape)) if not hasattr(adjoint, "place") else adjoint


def _number(x: Any, k: int) -> Any:
    if type(x) in Active.types:
        return x
    if isinstance(x, (float, int)) and not isinstance(x, bool):
        return float(x)
    raise TypeError(f"argument {k} is a {type(primal(x)).__name__}; a derivative is with respect to a real number")


def _as_asked(argnums: Argnums, gradient: list[Any]) -> Any:
    return gradient[0] if isinstance(argnums, int) else tuple(gradient)


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", repr(f))
