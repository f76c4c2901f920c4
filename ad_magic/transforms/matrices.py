"""Jacobians and Hessians of functions."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.active import refuse_left
from ad_magic.engine.boundary import boundary
from ad_magic.engine.dual import Directions, Dual
from ad_magic.engine.tape import Tape
from ad_magic.engine.words import name_of

from . import argnums as positions
from . import trees
from .argnums import Argnums
from .gradient import grad
from .linear import Linear, called
from .values import (
    argument,
    arrays,
    as_own,
    is_active,
    is_array,
    is_result,
    leaves,
    number,
    plain,
    rebuilt,
    shape_of,
    zero,
)


@boundary
def jacfwd(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the Jacobian of f, by forward mode: one run of f, along all directions at once.

    For each number or array of f's output there is one for each variable, of the shape output.shape + variable.shape;
    trees of outputs hold trees of arguments, as in JAX. With `has_aux` a pair (Jacobian, aux). It is the cheaper one
    where there are fewer variables than results. Raises TypeError as `jvp` does.

    >>> import numpy as np
    >>> jacfwd(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    wanted, alone = positions.read(argnums, f, "jacfwd")

    @boundary
    @functools.wraps(f)
    def jacobian(*args: Any, **options: Any) -> Any:
        which = positions.found(wanted, args, options, f)
        given = [part for k in which for part in leaves(argument(args[k], k))]
        if any(map(is_active, given)):  # within another run: what it does is recorded
            return _recorded("jacfwd", f, argnums, has_aux, _by_columns)(*args, **options)
        shapes = list(map(shape_of, given))
        sizes = list(map(math.prod, shapes))
        tape = Tape(limit=0, forward=True, directions=max(sum(sizes), 1))
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        seeded = iter([_seeded(tape, x, start) for x, start in zip(given, starts, strict=True)])
        active = list(args)
        for k in which:
            active[k] = rebuilt(args[k], seeded)
        output, aux, _ = called(functools.partial(f, **options) if options else f, active, tape, has_aux)
        found = []
        for x in trees.leaves(output, is_result):
            along = _along(x, tape)
            shape = getattr(x, "shape", ())
            parts = [
                zero(shape + inner) if along is None else _block(along, start, size, shape, inner)
                for start, size, inner in zip(starts, sizes, shapes, strict=True)
            ]
            found.append(_by_argument(args, which, alone, parts))
        jacobian = trees.rebuilt(output, found, is_result)
        return (jacobian, plain(aux)) if has_aux else jacobian

    return jacobian


@boundary
def jacrev(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the Jacobian of f, by reverse mode: one run of f, one sweep for each result.

    What comes out is as of `jacfwd`. It is the cheaper one where there are fewer results than variables.

    >>> import numpy as np
    >>> jacrev(lambda x: np.array([x[0] * x[1], x[0]]))(np.array([3.0, 2.0]))
    array([[2., 3.],
           [1., 0.]])
    """
    return _recorded("jacrev", f, argnums, has_aux, _by_lines)


@boundary
def jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    sparsity: Any = None,
    sparse: bool = False,
) -> Callable[..., Any]:
    """A function that returns the Jacobian of f: one run of f, then the sweeps of the mode that needs fewer of them.

    What comes out is as of `jacfwd`. With `sparsity` columns that have no row in common, or rows that have no column in
    common, are found in one sweep: of a banded function a few sweeps, whatever its size. `sparsity` is "auto" (the
    pattern of the run, found at each call), what `ad_magic.sparsity(f)` has found before, or a matrix, of truth values
    or of scipy.sparse, with a row for each entry of the results and a column for each of the variables. With `sparse`
    each block is a `scipy.sparse.csr_array` (size of the result × size of the variable) instead of an array; that needs
    SciPy. Raises ValueError where a given pattern does not fit, or leaves out derivatives that are not zero.

    >>> import numpy as np
    >>> jacobian(lambda x: np.outer(x, x))(np.array([1.0, 2.0])).shape
    (2, 2, 2)
    >>> jacobian(lambda x: x[1:] * x[:-1], sparsity="auto")(np.array([1.0, 2.0, 3.0]))
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    if sparse or sparsity is not None:
        return _recorded("jacobian", f, argnums, has_aux, lambda linear: _by_colors(linear, sparsity, sparse))
    return _recorded("jacobian", f, argnums, has_aux, _by_fewer_sweeps)


@boundary
def hessian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    sparsity: Any = None,
    sparse: bool = False,
) -> Callable[..., Any]:
    """A function that returns the second derivatives of f, forward over reverse.

    f returns a real number (or numbers: then one Hessian for each). For an array of shape s it is an array of shape
    s + s; trees of arguments give trees of trees, as in JAX. Where an operation has no second derivative it is the mean
    of both sides, NaN where that is not known (docs/singular-points.md). With `has_aux` a pair (Hessian,
    aux). `sparsity` and `sparse` are as for `jacobian`, of the gradient of f, which then returns a real number.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 2.0]))
    array([[4., 6.],
           [6., 0.]])
    """
    positions.read(argnums, f, "hessian")
    if sparse or sparsity is not None:
        return jacobian(grad(f, argnums, has_aux), argnums, has_aux, sparsity=sparsity, sparse=sparse)
    return jacfwd(jacrev(f, argnums, has_aux), argnums, has_aux)


def _recorded(
    who: str, f: Callable[..., Any], argnums: Argnums, has_aux: bool, blocks_of: Callable[[Linear], list[list[Any]]]
) -> Callable[..., Any]:
    """A function that records f and puts the blocks of its Jacobian together. `who` of the functions here it is."""
    wanted, alone = positions.read(argnums, f, who)

    @boundary
    @functools.wraps(f)
    def jacobian(*args: Any, **options: Any) -> Any:
        which = positions.found(wanted, args, options, f)
        linear = recorded(f, which, args, options, has_aux)
        found = [_by_argument(args, which, alone, parts) for parts in blocks_of(linear)]
        whole = trees.rebuilt(linear.value, found, is_result)
        return (whole, linear.aux) if has_aux else whole

    return jacobian


def recorded(
    f: Callable[..., Any], which: Sequence[int], args: Sequence[Any], options: Any, has_aux: bool = False
) -> Linear:
    """A run of f, as a linear map of the arguments at these positions."""

    def of_those(*variables: Any) -> Any:
        all_args = list(args)
        for k, x in zip(which, variables, strict=True):
            all_args[k] = x
        return f(*all_args, **options)

    of_those.__name__ = name_of(f)  # for what is said of it
    for k in which:
        argument(args[k], k)
    return Linear(of_those, [args[k] for k in which], has_aux)


def _by_fewer_sweeps(linear: Linear) -> list[list[Any]]:
    return (_by_columns if mode_of(linear.shapes, linear.out_shapes) == "forward" else _by_lines)(linear)


def mode_of(variables: Sequence[tuple[int, ...]], results: Sequence[tuple[int, ...]]) -> str:
    """The mode that needs fewer sweeps, by the shapes of the variables and the results; of as many, reverse mode."""
    return "forward" if sum(map(math.prod, variables)) < sum(map(math.prod, results)) else "reverse"


def _by_colors(linear: Linear, given: Any, as_sparse: bool) -> list[list[Any]]:
    """The blocks from few sweeps, with the pattern that is given, or that of the run."""
    from . import sparse

    auto = given is None or (isinstance(given, str) and given == "auto")
    shape = sum(map(math.prod, linear.out_shapes)), sum(map(math.prod, linear.shapes))
    if isinstance(given, str) and not auto:
        raise ValueError(f'sparsity={given!r}: it is "auto", a matrix, or what ad_magic.sparsity(f) has found')
    s = sparse.found_by(linear) if auto else given
    if not isinstance(s, sparse.Sparsity):
        s = sparse.of_matrix(s, shape)
    if s.shape != shape:
        raise ValueError(f"the sparsity has shape {s.shape}, the Jacobian {shape}: one row for each result")
    whole = (sparse.csr if as_sparse else sparse.dense)(linear, s)
    if is_active(whole):
        safe = s if auto else sparse.within(s, linear)
        whole = whole if safe is s else sparse.dense(linear, safe)
    elif not auto and not sparse.agrees(linear, whole):
        raise ValueError('the sparsity leaves out derivatives that are not zero here: sparsity="auto" finds them all')
    ends = [0, *itertools.accumulate(map(math.prod, linear.out_shapes))]
    cuts = [0, *itertools.accumulate(map(math.prod, linear.shapes))]
    return [
        [
            _cut(whole, rows, columns, None if as_sparse else outer + inner)
            for columns, inner in zip(itertools.pairwise(cuts), linear.shapes, strict=True)
        ]
        for rows, outer in zip(itertools.pairwise(ends), linear.out_shapes, strict=True)
    ]


def _cut(whole: Any, rows: tuple[int, int], columns: tuple[int, int], shape: tuple[int, ...] | None) -> Any:
    """A block of a Jacobian; a matrix of scipy.sparse stays one."""
    block = whole[slice(*rows), slice(*columns)]
    if shape is None:
        return block
    return as_own(block.reshape(shape)) if shape else number(block[0, 0])


def _by_lines(linear: Linear) -> list[list[Any]]:
    """For each result and each variable the block of the Jacobian, one reverse sweep for each line."""
    blocks = []
    for place, shape in enumerate(linear.out_shapes):
        if linear.out_rows[place] is None:
            blocks.append([zero(shape + inner) for inner in linear.shapes])
            continue
        lines = [linear.pull(seeds) for seeds in _units(linear.out_shapes, place)]
        blocks.append([
            _stacked([line[k] for line in lines], shape, inner, 0) for k, inner in enumerate(linear.shapes)
        ])  # fmt: skip
    return blocks


def _by_columns(linear: Linear) -> list[list[Any]]:
    """The same, one forward sweep for each column."""
    columns = [[linear.push(seeds) for seeds in _units(linear.shapes, k)] for k in range(len(linear.shapes))]
    return [
        [_stacked([column[place] for column in columns[k]], shape, inner, -1) for k, inner in enumerate(linear.shapes)]
        for place, shape in enumerate(linear.out_shapes)
    ]


def _units(shapes: Sequence[tuple[int, ...]], place: int) -> Any:
    """The unit vectors of one of several numbers or arrays, each with zeros for the others."""
    zeros = list(map(zero, shapes))
    if not shapes[place]:
        yield [*zeros[:place], 1.0, *zeros[place + 1 :]]
        return
    for k in range(math.prod(shapes[place])):
        one = zero(shapes[place])
        one.flat[k] = 1.0
        yield [*zeros[:place], one, *zeros[place + 1 :]]


def _stacked(parts: list[Any], shape: tuple[int, ...], inner: tuple[int, ...], axis: int) -> Any:
    """The block of shape `shape + inner` whose slices along one axis are `parts`, one for each entry."""
    if not shape + inner:
        return parts[0]
    import numpy as np

    if not parts:
        return np.zeros(shape + inner)
    return np.reshape(np.stack([np.asarray(p) if not is_active(p) else p for p in parts], axis), shape + inner)


def _seeded(tape: Tape, x: Any, start: int) -> Any:
    """A variable with its directions: entry k of it has direction start + k."""
    if is_array(x):
        return _seeded_array(tape, x, start)
    unit = [0.0] * tape.directions
    unit[start] = 1.0
    return Dual.input(tape, number(x), Directions(unit) if len(unit) > 1 else 1.0)  # as arrays give a single one


def _seeded_array(tape: Tape, x: Any, start: int) -> Any:
    import numpy as np

    from ad_magic.engine.arrays.constructors import copy

    value = arrays().operand(x)
    value = copy(value) if is_active(value) else np.array(value, dtype=float)
    size = math.prod(value.shape)
    tangent = np.zeros((tape.directions, size))
    tangent[np.arange(start, start + size), np.arange(size)] = 1.0
    return arrays().made(tape, -1, value, tangent.reshape((tape.directions, *value.shape)))


def _along(x: Any, tape: Tape) -> Any:
    """The tangents of a result along all directions, along a leading axis; None where it does not depend on them."""
    if isinstance(x, complex) and type(x) is not complex:  # a pair of real numbers
        real, imag = _along(x.real, tape), _along(x.imag, tape)
        return real if imag is None else 1j * imag + (0.0 if real is None else real)
    if getattr(x, "tape", None) is not tape:
        return None
    along = arrays().directions(x)
    refuse_left(tape, along)
    return along


def _block(along: Any, start: int, size: int, shape: tuple[int, ...], inner: tuple[int, ...]) -> Any:
    import numpy as np

    block = np.moveaxis(along[start : start + size], 0, -1)
    if not shape + inner:
        return block[0] if isinstance(block[0], complex) else number(block[0])
    return as_own(np.reshape(block, shape + inner))


def _by_argument(args: Sequence[Any], which: Sequence[int], alone: bool, parts: Sequence[Any]) -> Any:
    """What there is for each variable, arranged like the arguments."""
    supply = iter(parts)
    found = [rebuilt(args[k], supply) for k in which]
    return found[0] if alone else tuple(found)
