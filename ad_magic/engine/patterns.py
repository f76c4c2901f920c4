"""On which entries of the inputs each number of a run depends: sets of entries, handed on from operands to results.

A set is a whole number whose bit k stands for entry k, so that a union is one `|`. What is found holds for the path
of the run, at any inputs: an entry that is not in a set has a derivative of exactly zero. A set may hold an entry too
many, where an operation is not looked into (the solution of equations depends on all of them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .tape import Columns


def dependences(tape: Columns, starts: Mapping[int, Any]) -> list[Any]:
    """For each row its set, for a row that is an array an array of sets. `starts` has those of the inputs by row.

    >>> from ad_magic.engine.operation import INPUT, operation
    >>> both = operation("mul", (True, True))
    >>> tape = Columns([2.0, 3.0, 6.0], [INPUT, INPUT, both], [None, None, 0], [None, None, 1], [], [], [], 3)
    >>> dependences(tape, {0: 0b01, 1: 0b10})
    [1, 2, 3]
    """
    if tape.arrays:
        from .arrays.patterns import dependences_of_arrays

        return dependences_of_arrays(tape, starts)
    sets: list[Any] = []
    for row, (op, left, right) in enumerate(zip(tape.ops, tape.left, tape.right, strict=True)):
        found = starts.get(row, 0)
        if op.rule is not None:
            for parent in op.parents(left, right):
                found |= sets[parent]
        sets.append(found)
    return sets
