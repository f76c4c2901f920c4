"""Reverse mode: traced numbers. An operation on them appends a row to the tape of their run."""

from __future__ import annotations

from typing import Any

from .active import Active
from .generate import add_operators
from .operation import INPUT
from .tape import Tape


class Traced(Active):
    """A number whose operations are recorded: its value, its run's tape, and the index of its row there."""

    __slots__ = ()
    forward = False

    @staticmethod
    def record(tape: Tape, op: Any, left: Any, right: Any, value: Any) -> Traced:
        node = Traced()
        node.tape, node.value = tape, value
        node.index = tape.add(op, left, right, value)
        return node

    @staticmethod
    def input(tape: Tape, value: Any) -> Traced:
        """A new variable of a run: a row of the tape without operands."""
        node = Traced()
        node.tape, node.value = tape, value
        node.index = tape.add(INPUT, None, None, value)
        return node


add_operators(Traced)
