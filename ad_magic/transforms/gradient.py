"""Gradients of functions that return one real number, in reverse mode."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ad_magic.engine.active import Active, after_run
from ad_magic.engine.boundary import boundary
from ad_magic.engine.plans import call, plan_for
from ad_magic.engine.second import swept_back
from ad_magic.engine.tape import Tape
from ad_magic.engine.words import kind_of, name_of

from . import argnums as positions
from . import trees
from .argnums import Argnums
from .values import (
    argument,
    is_complex,
    is_leaf,
    is_real,
    is_result,
    leaves,
    own,
    plain,
    read,
    rebuilt,
    shape_of,
    traced,
    with_aux,
    zero,
)

_TRUTH = ("bool", "bool_")  # of Python, of NumPy


@boundary
def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns the value of f and its derivative (reverse mode).

    f returns a real number. `argnums` says with respect to which positional arguments: real numbers, arrays, or lists,
    tuples, dicts and dataclasses of them. One number gives one derivative, a sequence a tuple of them, each like its
    argument: new arrays, the caller's own; what in it is no real number stays as it is. With `has_aux` f returns a pair
    (value, aux), and the value that comes out is that pair: aux is whatever else f has to say. Raises TypeError where f
    returns something else, or an argument holds no real number.

    >>> import numpy as np
    >>> value, gradient = value_and_grad(lambda w: np.sum(w**2))(np.array([1.0, 2.0]))
    >>> float(value), gradient
    (5.0, array([2., 4.]))
    >>> grad(lambda p: p["a"] ** 2 * p["b"])({"a": 3.0, "b": 2.0})
    {'a': 12.0, 'b': 9.0}
    """

    wanted, alone = positions.read(argnums, f, "value_and_grad")

    @boundary
    @functools.wraps(f)
    def differentiated(*args: Any, **options: Any) -> tuple[Any, Any]:
        which = positions.found(wanted, args, options, f)
        plan = plan_for(f, args, options)
        tape = Tape(once=True, steady=plan is not None and plan.steady)
        active = list(args)
        rows, shapes = [], []  # as they are now: an array that is written to stands in another row
        for k in which:
            x = args[k]
            if is_leaf(x):
                active[k] = variable = traced(tape, x)
                variables = [variable]
                shapes.append(shape_of(x))
            else:
                parts = leaves(argument(x, k))
                variables = [traced(tape, part) for part in parts]
                shapes += map(shape_of, parts)
                active[k] = rebuilt(x, variables)
            rows += [variable.index for variable in variables]
        output, columns = call(f, active, options, tape, _read_pair(f) if has_aux else read, plan)
        aux = None
        if has_aux:
            output, aux = output
        if type(output) in Active.types and output.tape is tape:
            adjoints = swept_back(columns, {output.index: 1.0}, inputs_only=True)
            found = [own(adjoints, row, shape) for row, shape in zip(rows, shapes, strict=True)]
            output = after_run(output)
        elif is_real(output) and type(output).__name__ not in _TRUTH:  # it does not depend on the arguments
            found = list(map(zero, shapes))
        else:
            found = trees.leaves(output, is_result)
            others = "; jacobian takes others" if found and not any(map(is_complex, found)) else ""
            raise TypeError(
                f"{name_of(f)} returned {kind_of(output)}; grad needs a function that returns a real number{others}"
            )
        supply = iter(found)
        slopes = [next(supply) if is_leaf(args[k]) else rebuilt(args[k], supply) for k in which]
        return (output, plain(aux)) if has_aux else output, slopes[0] if alone else tuple(slopes)

    return differentiated


@boundary
def grad(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the derivative of f (reverse mode), with `has_aux` a pair (derivative, aux).

    See `value_and_grad`.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """

    positions.read(argnums, f, "grad")
    both = value_and_grad(f, argnums, has_aux)

    @boundary
    @functools.wraps(f)
    def derivative(*args: Any, **options: Any) -> Any:
        value, slopes = both(*args, **options)
        return (slopes, value[1]) if has_aux else slopes

    return derivative


def _read_pair(f: Callable[..., Any]) -> Callable[[Any], Any]:
    def read_pair(output: Any) -> Any:
        value, aux = with_aux(f, output)
        return read(value), aux

    return read_pair
