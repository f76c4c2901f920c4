"""A function of the user's with a derivative of his own: a jvp or a vjp in the place of what the engine would record.

The function runs on plain numbers and arrays, so it may call anything. Its call is one row. Of a jvp and a vjp one is
enough: both are linear maps, and the one is the other transposed. To transpose a map it is recorded, and swept back.
"""

from __future__ import annotations

import copy
import enum
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.frames import user_frame
from ad_magic.engine.own import bound_to, dress
from ad_magic.engine.plans import call, plan_for
from ad_magic.engine.tape import Tape, reverse_sweep
from ad_magic.engine.words import kind_of
from ad_magic.rules.number import NotAnalytic

from . import trees
from .values import arrays, is_active, is_leaf, is_result, read


class WrongRule(ValueError):
    """What is wrong with a jvp or a vjp, in one sentence."""


class NoSecondDerivative(LostDerivative):
    """A function has a derivative that has none itself."""


def first_sentence(error: Exception) -> str:
    """What an error says, without the advice."""
    return str(error).partition(". ")[0]


class OwnPair:
    """What `rule` gives for a function with a jvp or a vjp; `f`, `jvp` and `vjp` are what it was made of."""

    def __init__(self, f: Callable[..., Any], jvp: Callable[..., Any] | None, vjp: Callable[..., Any] | None) -> None:
        self.f, self.jvp, self.vjp = f, jvp, vjp
        ways = " and a ".join(way for way, given in (("jvp", jvp), ("vjp", vjp)) if given is not None)
        dress(self, f, _named(f), "", None, f"{_named(f)}, with a {ways} of its own")

    __name__: str
    __signature__: inspect.Signature | None

    def __call__(self, *args: Any, **options: Any) -> Any:
        args, options = self.bound(args, options)
        tape, operands, template = call_of(args, options)
        if tape is None:
            args, options = template
            return self.f(*args, **options)
        return recorded(self, tape, operands, template)

    def bound(self, args: Sequence[Any], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments by position, as far as the function takes them so; those that it takes by name alone."""
        if self.__signature__ is None:
            return tuple(args), options
        found = bound_to(self, args, options)
        return found.args, found.kwargs

    def __repr__(self) -> str:
        return f"<rule {self.__name__}>"

    def __reduce__(self) -> Any:
        return self.__name__


def _named(f: Any) -> str:
    name = getattr(f, "__name__", "f")
    return name if name.isidentifier() else "f"


def _bottom(x: Any) -> Any:
    from ad_magic.engine.lifting import bottom

    return bottom(x)


def call_of(args: Any, options: Any) -> tuple[Tape | None, list[Any], Any]:
    """The run of the youngest active number of a call, those of its numbers, and the arguments with holes for them.

    Without a run the arguments have plain numbers. Containers are new, so what becomes of the caller's does not matter.
    """
    found = trees.leaves((args, options), is_result)
    if not any(map(_may_be_active, found)):
        return None, [], (args, options)
    from ad_magic.engine.arrays.array import frozen, operand, youngest
    from ad_magic.engine.arrays.moves import Hole

    every = [operand(x) if _may_be_active(x) else x for x in found]
    tape = youngest([x for x in every if is_active(x) and x.tape.values is not None])
    operands: list[Any] = []
    for k, x in enumerate(every):
        if is_active(x) and x.tape is tape:
            operands.append(x)
            every[k] = Hole(len(operands) - 1)
        elif is_active(x) and x.tape.values is None:
            every[k] = _bottom(x)
        elif tape is not None and type(x).__name__ == "ndarray":
            every[k] = frozen(x, tape)
    return tape, operands, trees.rebuilt((args, options), every, is_result)


def _may_be_active(x: Any) -> bool:
    kind = type(x).__name__
    return is_active(x) or kind in ("Buffer", "Complex") or (kind == "ndarray" and x.dtype == object)


def filled(template: Any, values: Sequence[Any]) -> Any:
    """The arguments with these values in the holes."""
    return trees.rebuilt(template, values, _is_hole)


def _is_hole(x: Any) -> bool:
    return type(x).__name__ == "Hole"


def _is_atom(x: Any) -> bool:
    return not trees.is_container(x)


# ---- recording -----------------------------------------------------------------------------------


def recorded(pair: OwnPair, tape: Tape, operands: Sequence[Any], template: Any) -> Any:
    """The call as a row of a run, and what the function gives, active."""
    from ad_magic.engine.arrays.array import split
    from ad_magic.engine.arrays.perform import carried_out

    op = operation_of(pair, template, (True,) * len(operands))
    values, columns, _ = split(operands, tape)
    z = op.at_first(values, tape.forward)
    found = carried_out(tape, op, operands, values, columns, z)
    if type(z) is float:  # NumPy's own, of the row: to the program it is what the function gave
        found.value = float(found.value)
    return trees.rebuilt(op.like, found, is_result) if op.several else found


def operation_of(pair: OwnPair, template: Any, active: tuple[bool, ...]) -> Any:
    """The operation of one call; its arguments are those of `template`, which has holes for the operands."""
    return _kind()(pair, template, active)


def _kind() -> Any:
    """The class of the operation, not before it is needed: it loads NumPy."""
    from .pair_operation import OwnOperation

    return OwnOperation


# ---- running what the user has written -----------------------------------------------------------


def run(function: Callable[[], Any], tape: Tape | None = None, read_it: Callable[[Any], Any] = lambda x: x) -> Any:
    """`read_it` of what a function gives, run as a program of the user's: under the stand-ins. It closes the tape."""
    tape = tape or Tape()
    output, columns = call(function, (), {}, tape, read_it, plan_for(function, (), {}))
    return output, columns


def transposed(
    linear: Callable[[list[Any]], list[Any]], like: Sequence[Any], seeds: Sequence[Any], words: str, what_for: str
) -> list[Any]:
    """A linear map transposed, applied to `seeds`: the map is recorded at variables `like`, and swept back.

    `linear` takes a list of them and gives a list as long as `seeds`. `words` say whose map it is, and what for it is
    transposed. Raises LostDerivative where it cannot be.
    """
    from ad_magic.engine.arrays.compose import as_input

    tape = Tape()
    variables = [as_input(tape, x) for x in like]
    rows = [x.index for x in variables]  # now: after the run plain numbers stand there
    try:
        found, columns = run(lambda: linear(list(variables)), tape, lambda xs: [read(x) for x in xs])
    except NoSecondDerivative:
        raise
    except LostDerivative as error:
        raise LostDerivative(f"{words} cannot be transposed ({first_sentence(error)}) for {what_for}") from None
    starts: dict[int, Any] = {}
    for x, seed in zip(found, seeds, strict=True):
        if getattr(x, "tape", None) is tape and seed is not None:
            starts[x.index] = starts[x.index] + seed if x.index in starts else seed
    if not starts:
        return [0.0] * len(like)
    adjoints = reverse_sweep(columns, starts)
    return [adjoints[row] for row in rows]


def place() -> str:
    """Where the user's program calls: "line 3"."""
    return place_in_words(user_frame())


# ---- what goes in and comes out ------------------------------------------------------------------


def flat_result(pair: OwnPair, result: Any) -> list[Any]:
    """The numbers and arrays that a function gives. Raises TypeError, with one sentence, where it gives none."""
    refuse_others(pair.__name__, result)
    found = trees.leaves(result, is_result)
    if not found:
        raise TypeError(f"{pair.__name__} returned {kind_of(result)} without a number or an array in it")
    for x in found:
        if is_active(x):
            raise from_elsewhere(pair.__name__)
        if isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c":
            raise TypeError(f"{pair.__name__} returned complex numbers; return their real and imaginary parts")
    return [x if getattr(x, "shape", ()) else _number(x) for x in found]


def from_elsewhere(name: str) -> LostDerivative:
    """What to say where a function has an active number from its closure or from globals."""
    return LostDerivative(
        f"{place()}: {name} reads a number that depends on an input from elsewhere than its arguments; a function with "
        "a rule of its own takes it as an argument"
    )


def refuse_others(name: str, result: Any) -> None:
    """Raise LostDerivative where a result holds something that may hide a number: it would be a plain one."""
    if is_result(result):
        return
    if trees.is_container(result):
        for part in trees.parts(result):
            refuse_others(name, part)
    elif not isinstance(result, (str, bytes, type(None), type, enum.Enum)):
        raise LostDerivative(
            f"{place()}: {name} returns {kind_of(result)}, in which a derivative would be lost; it returns "
            "numbers, arrays, and lists, tuples, dicts or dataclasses of them"
        )


def _number(x: Any) -> Any:
    return x.item() if hasattr(x, "item") and not isinstance(x, float) else float(x)


def beside(template: Any, filling: Sequence[Any]) -> Any:
    """Tangents for the arguments of a call: those of the operands; zero for other numbers, None for what is none."""

    def one(x: Any) -> Any:
        if _is_hole(x):
            return filling[x.k]
        if not is_leaf(x):
            return None
        return 0.0 if not getattr(x, "shape", ()) else arrays().np.zeros(x.shape)

    return trees.rebuilt(template, map(one, trees.leaves(template, _is_atom)), _is_atom)


def derivative_leaves(found: Any, like: Any, leaves: Sequence[Any], words: str) -> list[Any]:
    """The leaves of a derivative that should be like a value. Raises WrongRule."""
    if is_result(like):
        return [fitting(found, leaves[0], words)]
    if not _alike(found, like):
        raise WrongRule(f"{words} is {kind_of(found)}, and not like the value, {kind_of(like)}")
    given = _aligned(found, like)
    return [fitting(t, x, words) for t, x in zip(given, leaves, strict=True)]


def _alike(found: Any, like: Any) -> bool:
    if is_result(like):
        return found is None or is_result(found)
    parts, own = list(trees.parts(found)), list(trees.parts(like))
    same = isinstance(found, type(like)) or (isinstance(found, (list, tuple)) and isinstance(like, (list, tuple)))
    return same and len(parts) == len(own) and all(map(_alike, parts, own))


def _aligned(found: Any, like: Any) -> Iterator[Any]:
    if is_result(like):
        yield found
        return
    for x, y in zip(trees.parts(found), trees.parts(like), strict=True):
        yield from _aligned(x, y)


def fitting(t: Any, x: Any, words: str) -> Any:
    """A derivative of the shape of x; None is zero. Raises WrongRule."""
    if t is None:
        return 0.0
    own = tuple(getattr(x, "shape", ()))
    if isinstance(t, (list, tuple)) and own:
        t = arrays().operand(t)
    if isinstance(t, complex) or not (is_result(t) or hasattr(t, "writer")):
        raise WrongRule(f"{words} is {kind_of(t)}; it is a number or an array, like {_of_shape(x)}")
    shape = tuple(getattr(t, "shape", ()))
    if shape != own:
        raise WrongRule(f"{words} has the shape {shape}; what it belongs to is {_of_shape(x)}")
    return t


def _of_shape(x: Any) -> str:
    shape = getattr(x, "shape", ())
    return f"an array of shape {shape}" if shape else "a number"


def adjoints_of(pair: OwnPair, given: Any, template: Any, operands: Sequence[Any]) -> list[Any]:
    """For each operand the adjoint that a pull has given, in the place of its argument. Raises WrongRule."""
    args = template[0]
    if len(args) == 1 and not isinstance(given, tuple):
        given = (given,)
    name = pair.__name__
    if not isinstance(given, (tuple, list)) or len(given) != len(args):
        tuples = isinstance(given, (tuple, list))
        count = f"{len(given)} adjoint{'s' * (len(given) != 1)}" if tuples else kind_of(given)
        raise WrongRule(f"the vjp of {name} gives {count}; it gives a tuple with one for each of {len(args)} arguments")
    found: list[Any] = [0.0] * len(operands)

    def take(x: Any, adjoint: Any, k: int) -> None:
        words = f"the adjoint of argument {k} that the vjp of {name} gives"
        if _is_hole(x):
            found[x.k] = fitting(adjoint, operands[x.k], words)
        elif trees.is_container(x) and adjoint is not None:
            mine, its = list(trees.parts(x)), list(trees.parts(adjoint))
            keys = isinstance(x, dict) and isinstance(adjoint, dict)
            if len(mine) != len(its) or isinstance(x, dict) != isinstance(adjoint, dict):
                raise WrongRule(f"{words} is not like that argument")
            if keys and x.keys() != adjoint.keys():
                raise WrongRule(f"{words} is a dict with other keys than that argument")
            for part, one in zip(mine, [adjoint[key] for key in x] if keys else its, strict=True):
                take(part, one, k)

    for k, (x, adjoint) in enumerate(zip(args, given, strict=True)):
        take(x, adjoint, k)
    return found


def not_analytic(pair: OwnPair) -> NotAnalytic:
    """Why there is no complex step through it."""
    return NotAnalytic(f"{pair.__name__} is a function of plain numbers")


def copied(op: Any, active: tuple[bool, ...]) -> Any:
    """The same operation with other operands active."""
    op = copy.copy(op)
    op.active = active
    return op
