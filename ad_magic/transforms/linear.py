"""A function near a point as a linear map: along a direction (jvp, linearize), and back (vjp)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.active import Active, refuse_left
from ad_magic.engine.boundary import boundary
from ad_magic.engine.dual import Dual
from ad_magic.engine.plans import call, plan_for
from ad_magic.engine.second import swept_back, swept_forward
from ad_magic.engine.tape import Columns, Tape
from ad_magic.engine.words import kind_of, name_of, of_a_function

from . import trees
from .gradient import grad
from .values import (
    argument,
    arrays,
    as_own,
    is_active,
    is_array,
    is_complex,
    is_leaf,
    is_result,
    leaves,
    leaves_like,
    number,
    own,
    plain,
    read_tree,
    rebuilt,
    shape_of,
    traced,
    with_aux,
    zero,
)


@boundary
def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The value of f at `primals` and its derivative along `tangents` (forward mode): a pair, each like f's output.

    `primals` and `tangents` are sequences of arguments: real numbers, arrays, or lists, tuples, dicts, dataclasses of
    them, alike. With `has_aux` f returns a pair (output, aux), and aux is a third part of what comes out. Raises
    TypeError where they are not alike, or f returns something else than numbers and arrays.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    >>> jvp(lambda p: [p["a"] * p["b"], p["a"]], ({"a": 2.0, "b": 3.0},), ({"a": 1.0, "b": 0.0},))
    ([6.0, 2.0], [3.0, 1.0])
    """
    of_a_function("jvp", f)
    alike("jvp", primals, tangents)
    if any(is_active(part) for x in primals for part in leaves(x)):  # within another run: what it does is recorded
        linear = Linear(f, primals, has_aux)
        pushed = linear.push([part for x, t in zip(primals, tangents, strict=True) for part in leaves_like(x, t)])
        along = trees.rebuilt(linear.value, pushed, is_result)
        return (linear.value, along, linear.aux) if has_aux else (linear.value, along)
    tape = Tape(limit=0, forward=True)
    active = []
    for k, (x, t) in enumerate(zip(primals, tangents, strict=True)):
        argument(x, k)
        duals = [dual(tape, part, along, k) for part, along in zip(leaves(x), leaves_like(x, t), strict=True)]
        active.append(rebuilt(x, duals))
    output, aux = called(f, active, tape, has_aux)[:2]
    found = trees.leaves(output, is_result)
    pairs = [value_and_tangent(x, tape) for x in found]
    value = trees.rebuilt(output, [value for value, _ in pairs], is_result)
    tangent = trees.rebuilt(output, [tangent for _, tangent in pairs], is_result)
    return (value, tangent, plain(aux)) if has_aux else (value, tangent)


def value_and_tangent(x: Any, tape: Tape) -> tuple[Any, Any]:
    """Of a result of a forward run its plain value, and its tangent."""
    if isinstance(x, complex) and type(getattr(x, "real", None)) in Active.types:  # a pair of active reals
        parts = [value_and_tangent(part, tape) for part in (x.real, x.imag)]
        return plain(x), parts[0][1] + 1j * parts[1][1]
    if type(x) is Dual and x.tape is tape:
        refuse_left(tape, x.tangent)
        return plain(x), x.tangent
    if getattr(x, "tape", None) is tape:
        refuse_left(tape, x.tangent)
        return plain(x), as_own(x.tangent[0])
    return plain(x), zero(getattr(x, "shape", ()))


def dual(tape: Tape, x: Any, tangent: Any, k: int) -> Any:
    """A part of argument k with its tangent, as a number or an array of a forward run."""
    if not is_array(x):
        return Dual.input(tape, number(x), number(tangent))
    import numpy as np

    from ad_magic.engine.arrays.constructors import copy

    value, along = arrays().operand(x), arrays().operand(tangent)
    value = copy(value) if is_active(value) else np.array(value, dtype=float)
    along = along if is_active(along) else np.asarray(along, dtype=float)
    return arrays().made(tape, -1, value, np.broadcast_to(along, value.shape)[None])


@boundary
def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of f at `primals` and the function that takes tangents, one for each argument, to the tangent of f.

    f is run once; each call of the function is one forward sweep. With `has_aux` f returns a pair (output, aux), aux
    is a third part of what comes out. Raises TypeError as `jvp` does.

    >>> value, push = linearize(lambda x, y: x * y, 2.0, 3.0)
    >>> value, push(1.0, 0.0), push(0.0, 1.0)
    (6.0, 3.0, 2.0)
    """
    of_a_function("linearize", f)
    found = Linear(f, primals, has_aux)

    @boundary
    def push(*tangents: Any) -> Any:
        alike("the linear map", primals, tangents)
        flat = found.push([part for x, t in zip(primals, tangents, strict=True) for part in leaves_like(x, t)])
        return trees.rebuilt(found.value, flat, is_result)

    return (found.value, push, found.aux) if has_aux else (found.value, push)


@boundary
def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of f at `primals` and the function that takes an adjoint of the output to a tuple of adjoints, one for
    each argument (reverse mode).

    f is run once; each call of the function is one reverse sweep. The adjoint is like f's output. With `has_aux` f
    returns a pair (output, aux), and aux is a third part of what comes out. Raises TypeError as `jvp` does.

    >>> value, pull = vjp(lambda x, y: (x * y, x + y), 2.0, 3.0)
    >>> value, pull((1.0, 0.0)), pull((0.0, 1.0))
    ((6.0, 5.0), (3.0, 2.0), (1.0, 1.0))
    """
    of_a_function("vjp", f)
    found = Linear(f, primals, has_aux)

    def pull(adjoint: Any) -> tuple[Any, ...]:
        if not trees.same_shape(found.value, adjoint, is_result):
            raise TypeError(f"the adjoint must be like the output of {name_of(f)}: {_in_words(found.value)}")
        given = trees.leaves_like(found.value, adjoint, is_result)
        for g, shape in zip(given, found.out_shapes, strict=True):
            same_size(f"the adjoint of the output of {name_of(f)}", g, shape)
        supply = iter(found.pull(given))
        return tuple(rebuilt(x, supply) for x in primals)

    pull.__qualname__ = "pull"  # Python names it so where it is called with too few adjoints, or too many
    back = boundary(pull)
    return (found.value, back, found.aux) if has_aux else (found.value, back)


@boundary
def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of f at `primals` times a vector, forward over reverse (Pearlmutter, 1994): no Hessian is formed.

    f returns a real number. What comes out is like the argument where there is one, else a tuple.

    >>> hvp(lambda x: x**3, (2.0,), (1.0,))
    12.0
    """
    of_a_function("hvp", f)
    alike("hvp", primals, tangents)
    argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(f, argnums), primals, tangents)[1]


class Linear:
    """A recorded run of f, as a linear map between the leaves of its arguments and those of its output.

    `value` is the output as it is, `shapes` the shapes of the variables, `out_shapes` those of the results.
    """

    def __init__(
        self, f: Callable[..., Any], primals: Sequence[Any], has_aux: bool = False, *, located: int = 0
    ) -> None:
        tape = Tape(located=located)
        active: list[Any] = []
        self.rows: list[int] = []
        self.shapes: list[tuple[int, ...]] = []
        for k, x in enumerate(primals):
            argument(x, k)
            variables = [traced(tape, part) for part in leaves(x)]
            self.rows += [variable.index for variable in variables]
            self.shapes += map(shape_of, leaves(x))
            active.append(rebuilt(x, variables))
        output, aux, self.columns = called(f, active, tape, has_aux)
        found = trees.leaves(output, is_result)
        for x in found:
            if is_complex(x):
                raise TypeError(f"{name_of(f)} returned complex numbers; return their real and imaginary parts")
        self.out_rows = [x.index if getattr(x, "tape", None) is tape else None for x in found]
        self.out_shapes = [getattr(x, "shape", ()) for x in found]
        self.value = trees.rebuilt(output, map(plain, found), is_result)
        self.aux = plain(aux)

    columns: Columns

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """The tangent of each result, from that of each variable."""
        seeds = {row: shaped(t, s) for row, t, s in zip(self.rows, tangents, self.shapes, strict=True)}
        along = swept_forward(self.columns, seeds, [row for row in self.out_rows if row is not None])
        pairs = zip(self.out_rows, self.out_shapes, strict=True)
        return [zero(shape) if row is None else shaped(along[row], shape) for row, shape in pairs]

    def pull(self, adjoints: Sequence[Any]) -> list[Any]:
        """The adjoint of each variable, from that of each result."""
        seeds: dict[int, Any] = {}
        for row, g, shape in zip(self.out_rows, adjoints, self.out_shapes, strict=True):
            if row is not None:
                g = shaped(g, shape)
                seeds[row] = seeds[row] + g if row in seeds else g
        if not seeds:
            return list(map(zero, self.shapes))
        found = swept_back(self.columns, seeds)
        return [own(found, row, shape) for row, shape in zip(self.rows, self.shapes, strict=True)]


def shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """A tangent or adjoint in the shape of its value, in a memory of its own."""
    if not shape:
        return number(x)
    import numpy as np

    x = arrays().operand(x)
    if not is_active(x):
        x = np.asarray(x, dtype=float)
    return as_own(np.broadcast_to(x, shape))


def called(f: Callable[..., Any], active: list[Any], tape: Tape, has_aux: bool) -> tuple[Any, Any, Columns]:
    """The output of f, read while the run was open, aux, and the columns of the run."""

    def read(output: Any) -> tuple[Any, Any]:
        output, aux = with_aux(f, output) if has_aux else (output, None)
        if not is_result(output) and not trees.leaves(output, is_result):
            raise TypeError(f"{name_of(f)} returned {kind_of(output)} without a number or an array in it")
        return read_tree(output), aux

    (output, aux), columns = call(f, active, {}, tape, read, plan_for(f, active, {}))
    return output, aux, columns


def alike(who: str, primals: Sequence[Any], tangents: Sequence[Any]) -> None:
    """Raise TypeError or ValueError where tangents are not like the arguments they belong to; `who` asks."""
    for given in (primals, tangents):
        if not isinstance(given, (tuple, list)):
            raise TypeError(
                f"{who} takes the arguments of the function as a tuple, and their tangents as another: {who}(f, (x,), "
                f"(t,)); this is {_in_words(given)}"
            )
    if len(primals) != len(tangents):
        raise TypeError(
            f"{who} needs one tangent for each argument: {len(primals)} arguments, {len(tangents)} tangents"
        )
    for k, (x, t) in enumerate(zip(primals, tangents, strict=True)):
        argument(x, k)
        if not trees.same_shape(x, t, is_leaf):
            raise TypeError(f"the tangent of argument {k} must be like it: {_in_words(x)}")
        for part, along in zip(leaves(x), leaves_like(x, t), strict=True):
            if shape_of(along) and not is_array(part):
                raise TypeError(f"argument {k} is a number, and its tangent is an array")
            same_size(f"the tangent of argument {k}", along, shape_of(part))


def same_size(what: str, x: Any, shape: tuple[int, ...]) -> None:
    """Raise ValueError where a tangent or an adjoint has not the shape of its value, and is not broadcast to it."""
    found = shape_of(x)
    fits = len(found) <= len(shape) and all(n in (1, m) for n, m in zip(found[::-1], shape[::-1], strict=False))
    if not fits:
        wanted = f"an array of shape {shape}, and is not broadcast to it" if shape else "a number"
        raise ValueError(f"{what} has the shape {found}; what it belongs to is {wanted}")


def _in_words(x: Any) -> str:
    """What a tree is, for a message."""
    if isinstance(x, dict):
        return f"a dict with {', '.join(map(repr, x))}"
    if trees.is_container(x):
        return kind_of(x) + (f" of {len(x)}" if isinstance(x, (list, tuple)) else "")
    shape = getattr(x, "shape", ())
    return f"an array of shape {shape}" if shape else "a number" if is_leaf(x) else kind_of(x)
