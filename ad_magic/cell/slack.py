"""A program with slack in one of its rows: v_i = f_i(…) + δ. The slope of the output in δ is the row's adjoint."""

from __future__ import annotations

from typing import Any

from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns, PathChanged, replay

from .again import output_at
from .run import Output, Run


class NoSlack(ValueError):
    """The program cannot be carried out with this slack; the message says why."""


def with_slack(run: Run, row: int, delta: Any) -> list[Output]:
    """The outputs of a run where `delta` was added to the value of a row, by replaying the recorded operations.

    What comes before the row is as it was, and the row is a variable that holds its value plus `delta`. Raises NoSlack
    where a decision comes out otherwise, or an operation raises.
    """
    import numpy as np

    tape = run.tape
    if tape.recorded > len(tape):
        raise NoSlack("a long run in forward mode keeps no tape; use --mode both or reverse")
    value = tape.values[row] + np.asarray(delta, float) if np.shape(tape.values[row]) else tape.values[row] + delta
    ops, left, right = list(tape.ops), list(tape.left), list(tape.right)
    held: dict[int, Any] = {}
    ops[:row] = [op if op.memory else INPUT for op in ops[:row]]  # they keep their values
    if ops[row].memory:
        if ops[row].name == "write":  # what is written, there and nowhere else
            ops[row], left[row] = ops[row].with_constant(), (*left[row][:2], value)
        else:
            ops[row] = INPUT
            held[row] = value
    else:
        ops[row], left[row], right[row], held[row] = INPUT, None, None, value
    columns = Columns(tape.values, ops, left, right, tape.codes, tape.instructions, tape.tangents, tape.recorded)
    columns.arrays = tape.arrays
    try:
        moved = replay(columns, held, "plain", run.only_shown)
    except PathChanged as changed:
        place = run.line_text(changed.index)
        raise NoSlack(f"{place or 'the program'} goes another way with this slack") from None
    except Exception as error:  # what the operations themselves raise
        raise NoSlack(f"{type(error).__name__} with this slack: {error}") from None
    return [output_at(output, moved) for output in run.outputs]
