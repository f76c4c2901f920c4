"""What a user's function reads besides its arguments: plain while a solver iterates, variables to differentiate.

A solver of SciPy wants plain numbers. The function that it is given reads active ones: from its closure, from globals,
from containers and instances. For the time of a block they are replaced where they stand, by their plain values or by
variables of another run, so the function becomes one of all that it reads (lambda lifting: Johnsson, 1985).
"""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CodeType, FunctionType
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .active import LostDerivative, place_in_words, primal
from .arrays import places
from .arrays.array import NUMBERS, Array, is_active, latest, split, youngest
from .arrays.buffers import Buffer, assigned, content, holds_active
from .arrays.compose import as_input
from .arrays.memory import memory_of
from .arrays.pairs import PairOperation
from .arrays.perform import carried_out
from .complexes import Complex
from .dense import Dense
from .frames import is_ours, user_frame
from .library import Memo
from .tape import Columns, PathChanged, Tape, depended_on, replay
from .users import in_library
from .walk import Walk


class Reads(Walk):
    """A walk through all that functions read: of their globals only what their code names."""

    def _function(self, value: Any) -> None:
        super()._function(value)
        code = value.__code__
        if is_ours(code) or in_library(code.co_filename):
            return
        for name in _names(code):
            if name in value.__globals__:
                self._item(value.__globals__, name)

    def _module(self, name: str | None, namespace: dict[str, Any] | None = None) -> None:
        """The rest of a module is not read."""

    def _set(self, value: set[Any]) -> None:
        """A set cannot be given back as it was; what is left in it shows when the function returns it."""

    def _visit(self, value: Any) -> None:
        if type(value) is not Memo:
            super()._visit(value)
            return
        kept = dict(value.cache)  # it remembers results for active numbers, which are not there now

        def back() -> None:
            value.cache.clear()
            value.cache.update(kept)

        value.cache.clear()
        self.undo.append(back)
        self._replace(value.original.__wrapped__)


def _names(code: CodeType) -> set[str]:
    """The names that a function looks up, and those of the functions in it."""
    return set(code.co_names).union(*(_names(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


@contextlib.contextmanager
def replaced(objects: Sequence[Any], swap: Callable[[Any], Any]) -> Iterator[list[Any]]:
    """For the time of the block all that the objects hold and read is replaced; gives what stands in their place."""
    walk = Reads(swap)
    try:
        yield [walk.run_object(x) for x in objects]
    finally:
        for undo in reversed(walk.undo):
            undo()


def reads_active(objects: Sequence[Any]) -> bool:
    """Whether objects hold or read an active number or array."""
    found = []

    def look(x: Any) -> Any:
        if is_open(x):
            found.append(x)
        return x

    with replaced(objects, look):
        return bool(found)


def is_open(x: Any) -> bool:
    """Whether an object is an active number or array of an open run, or holds one in its place."""
    kind = type(x)
    if kind in NUMBERS or kind is Array:
        return is_active(latest(x))
    return (kind is Buffer and holds_active(x)) or kind is Complex


def opened(x: Any) -> Any:
    """An active array or number as it is now: of a plain array that holds some its content."""
    return latest(content(x) if type(x) is Buffer else x)


def bottom(x: Any) -> Any:
    """The plain value of a number or an array, whatever runs it belongs to; an array as a copy nobody can write to."""
    while type(x) is Array:
        x = x.value
    if type(x) is np.ndarray:
        x = x.copy()
        x.flags.writeable = False
        return x
    return primal(x)


def plainly(x: Any) -> Any:
    """What stands in the place of an object while a solver iterates."""
    if type(x) is Dense:
        return x.plain
    if not is_open(x):
        return x
    if holds_left(x):  # it may write there
        return np.array(bottom(opened(x)))
    return complex(primal(x.real), primal(x.imag)) if type(x) is Complex else bottom(opened(x))


def holds_left(x: Any) -> bool:
    """Whether it is a plain array in which all that is active is what a solver's function has left there."""
    memory = memory_of(x) if type(x) is Buffer else None
    return memory is not None and memory.left


recording: list[Any] = []  # the calls (see `left.Call`) whose functions are being recorded, one in the other


class Lifting:
    """A run in which all that a function reads is a variable. `originals` are what they stand for, in order."""

    def __init__(self) -> None:
        if recording:  # what an earlier recording has left to itself is of a run that is over
            recording[-1].begin_again()
        self.tape = Tape()
        self.originals: list[Any] = []
        self.variables: list[Any] = []
        self._known: dict[int, tuple[Any, Any]] = {}
        self._left: set[int] = set()  # the ids of originals that a call has left in an array
        self._rooms: dict[int, Any] = {}  # what stands in the place of these arrays, by id

    def variable(self, x: Any) -> Any:
        """What stands in the place of an object while the function is recorded."""
        if type(x) is Dense:
            return x.on(self.variable(x.nodes))
        if not is_open(x) or getattr(x, "tape", None) is self.tape or id(x) in self._rooms:
            return x  # a name that two functions read comes twice
        if type(x) is Complex:
            return Complex(self.variable(x.real), self.variable(x.imag))
        if id(x) not in self._known:
            original = opened(x)
            variable = as_input(self.tape, bottom(original))
            self._known[id(x)] = x, variable
            if holds_left(x):
                stand_in = np.array(bottom(original)).view(Buffer)
                assigned(stand_in, None, variable)
                self._known[id(x)] = x, stand_in
                self._rooms[id(stand_in)] = stand_in
                self._left.add(id(original))
            self.originals.append(original)
            self.variables.append(variable)
        return self._known[id(x)][1]

    def forget_left(self, inner: Columns, rows: Iterable[int | None]) -> None:
        """Of the numbers that earlier calls have left keep those on which these rows of the closed run depend. Raises
        LostDerivative where their derivative goes through one that a call in the function has left."""
        those = [row for row in rows if row is not None]
        if self.tape.left_behind is not None:  # by a call in the function itself
            from .left import refuse_left_rows

            refuse_left_rows(inner, those)
        used = depended_on(inner, those)
        pairs = zip(self.originals, self.variables, strict=True)
        kept = [(x, v) for x, v in pairs if used[v.index] or not (is_left(x) or id(x) in self._left)]
        self.originals, self.variables = [x for x, _ in kept], [v for _, v in kept]

    def close(self) -> Columns:
        """End the run."""
        roots = [places.owner(v.place) for v in self.variables if type(v) is Array]
        changed = any(id(root) in self.tape.memories and self.tape.memories[id(root)].version for root in roots)
        for call in recording:
            call.written.update(self.tape.memories)
        columns = self.tape.close()
        if changed:
            raise LostDerivative(
                f"{here()}: the function writes into an array that depends on an input; let it write into a copy"
            )
        return columns


def is_left(x: Any) -> bool:
    """Whether a number or an array is one that a solver's function has left (see `left`)."""
    index = getattr(x, "index", -1) if x.tape.left_behind is not None else -1
    return 0 <= index < len(x.tape.ops) and x.tape.ops[index].hidden


def here() -> str:
    """Where the user's program calls us: "line 3"."""
    return place_in_words(user_frame())


NO_RULE = (
    "has no derivative rule here. Write it with functions that have one, or ad_magic.primal(x) where only the value "
    "matters"
)
NOT_FOUND = "cannot see where its function has an active number from; let it come by args= or from a variable"


EVENT = ("terminal", "direction")  # what `solve_ivp` asks of an event


def returning_plain(function: Callable[..., Any], solver: str, place: str, why: str) -> Callable[..., Any]:
    """A user's function as SciPy calls it: an active number that it returns is refused, with the place of the call."""

    @functools.wraps(function)  # some solvers look at the parameters of a function, or at what it has for attributes
    def called(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if _holds_open(result):
            raise LostDerivative(f"{place}: {solver} {why}")
        return result

    for name in EVENT:  # of an object they may be attributes of its class
        if hasattr(function, name):
            setattr(called, name, getattr(function, name))
    return called


def _holds_open(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(map(_holds_open, x))
    return is_open(x)


# ---- the row of a solver -------------------------------------------------------------------------


class SolverOperation(PairOperation):
    """The result of a solver as one row. `inner` is the recorded run of the user's function at the operands `at`, its
    variables in the rows `seeds`, and `result` is what the solver gave there."""

    __slots__ = ("at", "inner", "result", "seeds", "template")
    how = ("", "")  # how it is differentiated: in two or three words, and in a sentence with its formula

    def begin(self, inner: Columns, seeds: list[int], at: Sequence[Any], result: Any, template: Any) -> None:
        """The parts that all solvers have."""
        self.options = {}
        self.inner, self.seeds, self.at, self.result, self.template = inner, seeds, at, result, template

    def value(self, *operands: Any) -> Any:
        """The result at the recorded operands: for plain values that of the solver, for numbers of the engine a row of
        their run, so that derivatives of derivatives are right, too. Raises PathChanged for other plain values: the
        solver has to be run again."""
        tape = youngest(operands)
        if tape is None:
            self.recorded_at(operands)
            return self.result
        op, values, columns = self.within(tape, operands)
        z = carried_out(tape, op, operands, values, columns, op.value(*values))
        if type(self.result) is float and type(z.value) is np.float64:  # a float of Python, as the solver gave it
            z.value = float(z.value)
        return z

    def within(self, tape: Any, operands: Sequence[Any]) -> tuple[Any, list[Any], list[Any]]:
        """The row that it is in a run, and the values and the columns of its operands there."""
        values, columns, active = split(operands, tape)
        op = copy.copy(self)
        op.active = active
        return op, values, columns

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        """Add to the adjoints of the operands."""
        raise NotImplementedError

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        """The tangent of the result."""
        raise NotImplementedError

    def expression(self, *operands: str, written: Sequence[str] = ()) -> str:
        """The call as a person writes it: "brentq(f, 0, 10)"."""
        from .arrays.texts import text_of

        args, kwargs = self.template
        texts = [text_of(x, operands) for x in args] + [f"{name}={text_of(x, operands)}" for name, x in kwargs.items()]
        return f"{self.name}({', '.join(texts)})"

    def recorded_at(self, operands: Sequence[Any], more: dict[int, Any] | None = None) -> Columns:
        """The user's function at the recorded operands, as plain values or under numbers of the engine.

        Raises PathChanged for other plain values: the solver has to be run again.
        """
        if any(map(is_active, (*operands, *(more or {}).values()))):
            return replay(self.inner, {**dict(zip(self.seeds, operands, strict=True)), **(more or {})}, "active")
        if all(same_value(a, b) for a, b in zip(operands, self.at, strict=True)):
            return self.inner
        raise PathChanged(-1, f"another {self.name}")

    def imaginary(self, row: int, inputs: dict[int, Any]) -> Any:
        """The imaginary part of a row of the recorded run, where inputs have a tiny one."""
        from .arrays.complexstep import replay_complex

        return np.imag(replay_complex(self.inner, inputs)[row])


def same_value(a: Any, b: Any) -> bool:
    """Whether two plain operands are the same; NaN is the same as NaN."""
    return a is b or bool(np.array_equal(a, b, equal_nan=True))


def record_solver(op: Any, name: str, lifting: Lifting, inner: Columns, result: Any, called: Any, row: int) -> Any:
    """Record what a solver gave, for the runs of the numbers that the function reads: it depends on that row.

    `called` are the arguments and the options of the call.
    """
    op.name = name
    lifting.forget_left(inner, [row])
    template = tuple(shown(x, lifting) for x in called[0]), {k: shown(x, lifting) for k, x in called[1].items()}
    op.active = (True,) * len(lifting.originals)
    op.begin(inner, [v.index for v in lifting.variables], list(map(bottom, lifting.originals)), result, template)
    return op.value(*lifting.originals)


class Name:
    """A function in the text of a row."""

    def __init__(self, function: Any) -> None:
        name = getattr(function, "__name__", "f")
        self.name = name if name.isidentifier() else "f"

    def __repr__(self) -> str:
        return self.name


def shown(x: Any, lifting: Lifting) -> Any:
    """The arguments of a call for the text of its row: holes for operands, functions by their names."""
    from .arrays.moves import Hole

    for k, original in enumerate(lifting.originals):
        if original is x:
            return Hole(k)
    if type(x) in (list, tuple):
        return type(x)(shown(y, lifting) for y in x)
    if type(x) is dict:
        return {name: shown(y, lifting) for name, y in x.items()}
    if isinstance(x, FunctionType) or callable(x):
        return Name(x)
    return plainly(x)
