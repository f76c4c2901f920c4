"""A call of a solver with plain numbers, and what the user's function leaves elsewhere than in its result.

SciPy calls the function with plain numbers, and it is run again to be recorded. Of that second time nothing is left: a
list, a counter, a variable is as the plain run leaves it. What the function has left there at the first time, and what
depends on an input, has no derivative that the solver could tell: it can be printed, counted and compared, and where a
derivative is to go through it, that is refused.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .active import LostDerivative
from .arrays.array import NUMBERS, Array, record, row, split, youngest
from .arrays.buffers import Buffer
from .arrays.pairs import PairOperation
from .arrays.perform import Part
from .complexes import Complex
from .dense import Dense
from .left_arrays import LeftArrays
from .lifting import (
    NOT_FOUND,
    bottom,
    here,
    holds_left,
    is_open,
    opened,
    plainly,
    recording,
    replaced,
    returning_plain,
    same_value,
)
from .operation import Operation
from .state import Items, Place, State, numbers_in, parts
from .tape import Columns, PathChanged, Tape, depended_on, reverse_sweep

LEFT = ArrayRule("left", lambda *_: None, (), (), lambda *_: None)
Way = tuple[Any, ...]


class Call:
    """A call of a solver. `found` are the active numbers and arrays that it is given or its functions read."""

    def __init__(self, name: str, given: dict[str, Any], functions: Sequence[str] = ()) -> None:
        """`given` are the arguments by name, `functions` those among them that must give plain numbers."""
        self.name, self.given, self.functions = name, given, functions
        self.place = here()
        self.found: list[Any] = []
        self._state = State()
        self._arrays = LeftArrays()
        self.written: set[int] = set()  # the arrays (by id) to which a recording wrote active numbers
        self._left: list[tuple[Place | Items, Any]] = []  # where, and what: plain numbers
        self._marks: dict[int, tuple[Any, Any]] = {}  # by the id of a plain number: it, and what stands for it
        self._plain: dict[int, Any] = {}  # back again

    @contextmanager
    def plainly(self) -> Iterator[dict[str, Any]]:
        """For the time of the block all is plain that the call is given or reads; gives its arguments."""

        def plain(x: Any) -> Any:
            if holds_left(x):
                return self._arrays.copy_of(x)
            active = x.nodes if type(x) is Dense else x
            if is_open(active):
                self.found.append(active)
            return plainly(x)

        self._state.run_object(self.given)
        self._arrays.note(self._state)
        done = False
        try:
            with replaced([self.given], plain) as (now,):
                now = dict(now)
                for name in self.functions:
                    if name in now:
                        now[name] = self.guarded(now[name])
                yield now
            done = True
        finally:
            if self.found:
                self._arrays.look()
                if not done:
                    self._arrays.leave(self, set())
                self._left = [(spot, spot.get()) for spot in self._state.changes()]
                self._leave({})

    def guarded(self, function: Any) -> Any:
        """A function that must give plain numbers; anything else as it is."""
        return returning_plain(function, self.name, self.place, NOT_FOUND) if callable(function) else function

    @contextmanager
    def recording(self) -> Iterator[None]:
        """For the time of the block all is as it was before the call; then as the call has left it."""
        free: dict[int, set[Way]] = {}
        free_arrays: set[int] = set()
        recording.append(self)
        try:
            yield
            free = {id(spot): _free(spot) for spot, _ in self._left if spot.changed}
            free_arrays = self._arrays.free(self.written)
        finally:
            recording.pop()
            self._state.put_back()
            self._leave(free)
            self._arrays.leave(self, free_arrays)

    def begin_again(self) -> None:
        """A recording begins: all is as it was before the call."""
        self.written = set()
        self._state.put_back()
        self._arrays.put_back()

    def _leave(self, free: dict[int, set[Way]]) -> None:
        """Let what the call has left stand there: a number without a derivative, but where it is free of the inputs."""
        if not self._marks:
            numbers = {id(x): x for spot, _ in self._left for _, x in _left_at(spot, self._state.seen)}
            for x, mark in zip(numbers.values(), self.marks(list(numbers.values()), LEAVES), strict=True):
                self._marks[id(x)] = x, mark
                self._plain[id(mark)] = x
        for spot, left in self._left:
            free_ways = free.get(id(spot), set())
            if isinstance(spot, Place):
                spot.put(self._marked(left, free_ways, (), _DEPTH))
            elif isinstance(left, dict):
                spot.put({key: self._marked(x, free_ways, _ANY, _DEPTH) for key, x in left.items()})
            else:
                old = set(map(id, spot.value))
                spot.put([x if id(x) in old else self._marked(x, free_ways, _ANY, _DEPTH) for x in left])

    def marks(self, numbers: list[Any], why: str) -> list[Any]:
        """Active numbers that stand for plain ones which the call gives or has left, and have no derivative: `why`."""
        originals: dict[int, Any] = {}
        for x in self.found:
            for y in (x.real, x.imag) if type(x) is Complex else (opened(x),):
                if is_open(y):
                    originals[id(y)] = y
        operands = list(originals.values())
        tape = youngest(operands)
        if tape is None or not numbers:
            return numbers
        plain = [np.array(x) if np.ndim(x) else bottom(x) for x in numbers]
        sentence = f"{self.place}: {why.format(self.name)}"
        op = LeftOperation(self.name, sentence, list(map(bottom, operands)), tuple(plain))
        return [_like(mark, x) for mark, x in zip(_recorded(op, operands, tape), plain, strict=True)]

    def _marked(self, x: Any, free: set[Way], way: Way, depth: int) -> Any:
        """What stands for something that was left, itself or what it holds."""
        x = self._plain.get(id(x), x)
        if id(x) in self._marks:
            return x if way in free else self._marks[id(x)][1]
        if depth <= 0 or id(x) in self._state.seen:
            return x
        inner = [(key, y, self._marked(y, free, (*way, key), depth - 1)) for key, y in parts(x)]
        if all(y is z for _, y, z in inner):
            return x
        if isinstance(x, tuple):
            return tuple.__new__(type(x), [z for _, _, z in inner])
        if isinstance(x, frozenset):
            return frozenset(z for _, _, z in inner)
        if isinstance(x, set):
            x.clear()
            x.update(z for _, _, z in inner)
            return x
        for key, _, z in inner:
            if isinstance(x, (dict, list, deque)):
                x[key] = z
            else:
                object.__setattr__(x, key, z)
        return x


LEAVES = (
    "the function that {} calls leaves a number in a variable, a list or an object of others, where it has no "
    "derivative, and what is differentiated is computed with it. Compute it after the call, from what the call gives"
)
_DEPTH = 4
_ANY: Way = ("*",)  # the way to an item of a list, whichever


def _left_at(spot: Place | Items, known: Container[int] = ()) -> Iterator[tuple[Way, Any]]:
    """The numbers that came to a spot, each with the way to it; what is `known` by its id was there before."""
    if isinstance(spot, Place):
        yield from numbers_in(spot.get(), _DEPTH, known)
        return
    for item in spot.came():
        for way, x in numbers_in(item, _DEPTH, known):
            yield (*_ANY, *way), x


def _free(spot: Place | Items) -> set[Way]:
    """The ways to the numbers that a recorded run has left at a spot and that do not depend on an input."""
    every = list(_left_at(spot))
    return {way for way, _ in every} - {way for way, x in every if _may_depend(x)}


def _may_depend(x: Any) -> bool:
    return type(x) in NUMBERS or type(x) in (Array, Buffer, Complex)


# ---- a number without a derivative ---------------------------------------------------------------


class LeftOperation(PairOperation):
    """The numbers that a call has left: each depends on all that the function reads, in a way that nobody knows."""

    __slots__ = ("at", "result", "sentence")

    def __init__(self, name: str, sentence: str, at: Sequence[Any], result: tuple[Any, ...]) -> None:
        Operation.__init__(self, name, LEFT, (True,) * len(at))
        self.options = {}
        self.sentence, self.at, self.result = sentence, at, result

    def expression(self, *operands: str, written: Sequence[str] = ()) -> str:
        """What stands for them in the text of a row: "left_by_quad", and [k] behind it."""
        return f"left_by_{self.name}"

    def value(self, *operands: Any) -> Any:
        """The numbers, at the same operands. Raises PathChanged at others."""
        tape = youngest(operands)
        if tape is not None:
            return _recorded(self, operands, tape)
        if not all(map(same_value, operands, self.at)):
            raise PathChanged(-1, f"another {self.name}")
        return self.result

    def value_complex(self, *operands: Any) -> Any:
        """The numbers; what depends on them has no derivative."""
        return tuple(z + np.nan * 1j for z in self.result)

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        """Raises LostDerivative where the adjoint of one of them is asked for."""
        if any(part is not None and np.any(bottom(part)) for part in g):
            raise LostDerivative(self.sentence)

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        """NaN: whether one of them is asked for is known at the end."""
        return tuple(np.full(np.shape(x), np.nan)[()] for x in self.result)


class LeftPart(Part):
    """One of these numbers."""

    __slots__ = ()
    hidden = True


def _recorded(op: LeftOperation, operands: Sequence[Any], tape: Tape) -> tuple[Any, ...]:
    values, columns, active = split(operands, tape)
    op = copy.copy(op)
    op.active = active
    z = op.value(*values)
    index = row(tape, op, tuple(columns), None, z)
    sentences = tape.left_behind = tape.left_behind or []
    if op.sentence not in sentences:
        sentences.append(op.sentence)
    nan = _nan(sentences.index(op.sentence))
    marks = []
    for k, x in enumerate(z):
        tangent = np.full((tape.directions, *np.shape(x)), nan) if tape.forward else None
        marks.append(record(tape, LeftPart(k, len(z)), (index,), None, x, tangent))
    return tuple(marks)


def _like(mark: Any, x: Any) -> Any:
    if type(mark) in NUMBERS and type(x) is float and type(mark.value) is np.float64:
        mark.value = x
    return mark


def _nan(k: int) -> Any:
    """A NaN that says which sentence of its run it stands for: that many in the bits that are free in a NaN."""
    return np.array([_NAN | (k + 1)], dtype=np.uint64).view(float)[0]


_NAN, _FREE = 0x7FF8 << 48, (1 << 32) - 1


def said_by(tangent: Any, sentences: Sequence[str]) -> str | None:
    """What the first NaN says in a tangent, or in one of several; None where there is none."""
    for part in tangent if isinstance(tangent, (tuple, list)) else (tangent,):
        values = np.ravel(np.array(0.0 if part is None else bottom(part), dtype=float))
        nan = values[np.isnan(values)]
        if nan.size:
            k = (int(nan.view(np.uint64)[0]) & _FREE) - 1
            return sentences[k] if 0 <= k < len(sentences) else sentences[-1]
    return None


def refuse_left_rows(tape: Columns, rows: Sequence[int]) -> None:
    """Raises LostDerivative where the derivative of rows of a run goes through such a number."""
    __tracebackhide__ = True
    if any(on and type(op) is LeftOperation for op, on in zip(tape.ops, depended_on(tape, rows), strict=True)):
        reverse_sweep(tape, {row: np.ones(np.shape(tape.values[row]))[()] for row in rows})
