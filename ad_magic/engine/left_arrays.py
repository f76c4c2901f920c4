"""Plain arrays of the user's into which a function writes while a solver calls it: a log, or room for its result.

As with variables and lists (see `left`), what it has written there is as a plain run leaves it, and where it depends on
an input it has no derivative. A later call may write there again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ad_magic.rules.arrays.frozen import np

from .arrays.buffers import Buffer, bare
from .arrays.memory import memory_of, open_memory
from .arrays.places import owner
from .lifting import plainly
from .standins import writes
from .state import State

if TYPE_CHECKING:
    from .left import Call


class LeftArrays:
    """The arrays that the functions of a call reach and may write to."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, Any]] = []  # the arrays, and what was in them
        self._copies: dict[int, tuple[Any, Any, Any]] = {}  # those with what a call has left: it, its stand-in, before
        self._after: list[tuple[Any, Any, Any]] = []  # the arrays that were written to, what is in them, and where

    def note(self, state: State) -> None:
        """Note what is in the arrays that the functions reach, where one of these writes at all."""
        if any(writes(f.__code__) for f in state.functions):
            found = [x for x in state.alive if type(x) is Buffer and x.dtype.kind in "fc" and x.flags.writeable]
            self._before = [(x, np.array(bare(x))) for x in found if memory_of(x) is None]

    def copy_of(self, x: Any) -> Any:
        """The stand-in for an array with what an earlier call has left."""
        if id(x) not in self._copies:
            copy = plainly(x)
            self._copies[id(x)] = x, copy, copy.copy()
        return self._copies[id(x)][1]

    def look(self) -> None:
        """The call is over: see where it has written."""
        self._after = []
        for x, before in self._before:
            changed = ~_equal(bare(x), before)
            if changed.any():
                self._after.append((x, np.array(bare(x)), changed))
        for x, copy, before in self._copies.values():
            if not _equal(copy, before).all():
                self._after.append((x, copy, ...))

    def put_back(self) -> None:
        """Let in the arrays be what was there before the call."""
        for x, before in self._before:
            bare(x)[...] = before

    def free(self, written: set[int]) -> set[int]:
        """The ids of the arrays into which a recorded run wrote plain numbers alone."""
        plain = [(x, before) for x, before in self._before if id(owner(bare(x))) not in written]
        return {id(x) for x, before in plain if not _equal(bare(x), before).all()}

    def leave(self, call: Call, free: set[int]) -> None:
        """Let in the arrays be what the call has left, without a derivative but where it is free of the inputs."""
        from .left import LEAVES

        self.put_back()
        for x, after, where in self._after:
            if id(x) in free:
                bare(x)[...] = after
                continue
            (mark,) = call.marks([after[where]], LEAVES)
            memory = open_memory(mark.tape, bare(x), None)
            memory.write(bare(x), where, mark, begins=True)  # it is nothing that the program does with active numbers
            memory.left = True


def _equal(a: Any, b: Any) -> Any:
    return (a == b) | ((a != a) & (b != b))
