"""A check of a program with `stop_gradient`: what was asked to be a constant is one for the differences too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns
from ad_magic.rules.own import STOP
from ad_magic.transforms.stopping import Held

from .program import Evaluate

NOTE = (
    "What stop_gradient was given is held where it is: the differences are those of the program with these constants."
)


def frozen(result: Any) -> Any:
    """The result with its stopped rows as constants of the tape; None where there are none."""
    tape = result.run.tape
    if not any(op.name == STOP.name for op in tape.ops):
        return None
    columns = Columns(
        tape.values,
        [INPUT if op.name == STOP.name else op for op in tape.ops],
        tape.left,
        tape.right,
        tape.codes,
        tape.instructions,
        tape.tangents,
        tape.recorded,
    )
    columns.arrays = tape.arrays
    return type(result)(replace(result.run, tape=columns, cache={}), result.again)


def holding(program: Evaluate) -> Evaluate:
    """The program; in later runs it gives to `stop_gradient` what it gave in the first."""
    held = Held()

    def evaluate(inputs: Mapping[str, Any]) -> list[float]:
        with held.run():
            return program(inputs)

    return evaluate
