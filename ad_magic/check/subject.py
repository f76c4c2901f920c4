"""What is checked: for each scalar input the slopes that a Result shows, one for each number of its outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ad_magic.engine.tape import Columns


class Seed:
    """One scalar input of a result: what all methods need to know."""

    def __init__(self, result: Any, s: int, slopes: Sequence[float]) -> None:
        """`s` is the number of the seed, `slopes` are the derivatives along it, one for each component."""
        self.result, self.run, self.slopes = result, result.run, slopes
        self.input, self.position, self.row = result.run.seeds[s]
        self.name: str = result.seeds[s]
        value = result.inputs[self.input]
        self.x = float(value[self.position] if self.position or getattr(value, "shape", None) == () else value)
        entries = [entry for output in result.run.outputs for entry in output.flat()]
        self.values = [float(value) for value, _, _ in entries]
        self.output_rows: list[int | None] = [row for _, row, _ in entries]

    @property
    def kept(self) -> bool:
        """Whether all recorded operations were kept (a long run in forward mode keeps the first ones)."""
        return self.run.tape.recorded <= len(self.run.tape)

    @cached_property
    def reached(self) -> bytearray:
        """For each row of the tape whether it depends on this input."""
        return dependent(self.run.tape, self.row)

    def flag(self, *kinds: str) -> str:
        """What the run's flags say of this input: the first one of these kinds that stands on a way from it."""
        tape = self.run.tape
        rows = [index for index, op in enumerate(tape.ops) if not op.decision]
        for flag in self.result.flags:
            if flag.kind not in kinds:
                continue
            if flag.row is None:
                on_the_way = any(self.reached[i] for i, op in enumerate(tape.ops) if op.decision and _is_edge(tape, i))
            else:
                on_the_way = bool(self.reached[rows[flag.row]])
            if on_the_way:
                return f"line {flag.line}: {flag.message}" if flag.line else flag.message
        return ""


def dependent(tape: Columns, seed: int) -> bytearray:
    """For each row of a tape whether it depends on the row `seed`."""
    reached = bytearray(len(tape))
    reached[seed] = 1
    for index in range(seed + 1, len(tape)):
        if any(reached[parent] for parent in tape.parents(index)):
            reached[index] = 1
    return reached


def _is_edge(tape: Columns, index: int) -> bool:
    """Whether a decision is a comparison exactly at equality, or one that is no comparison (int, round, bool, …)."""
    arguments = tape.arguments(index)
    return tape.ops[index].name not in ("lt", "le", "gt", "ge", "eq", "ne") or arguments[0] == arguments[1]


def components(run: Any) -> list[str]:
    """The names of the numbers that the outputs are made of: "z", or "z[0]", "z[1, 2]" of an array."""
    names = []
    for output in run.outputs:
        shape = getattr(output.value, "shape", ())
        if not isinstance(output.rows, list):
            names.append(output.name)
            continue
        for flat in range(math.prod(shape)):
            at, position = flat, []
            for length in reversed(shape):
                at, place = divmod(at, length)
                position.append(str(place))
            names.append(f"{output.name}[{', '.join(reversed(position))}]")
    return names


def derivatives(result: Any, size: int) -> list[list[float]]:
    """The derivatives that a Result shows: for each component of the outputs the slope along each seed."""
    scalars = not any(isinstance(output.rows, list) for output in result.run.outputs)
    shown = result.grad if scalars else result.jacobian
    by_output = [shown] if len(result.outputs) == 1 else [shown[name] for name in result.outputs]
    found: list[list[float]] = []
    for output, slopes in zip(result.run.outputs, by_output, strict=True):
        count = math.prod(getattr(output.value, "shape", ()))
        lines: list[list[float]] = [[] for _ in range(count)]
        for name in result.inputs:
            flat = _flat(slopes[name])
            width = len(flat) // count if count else 0
            for k, line in enumerate(lines):
                line += flat[k * width : (k + 1) * width]
        found += lines
    assert len(found) == size
    return found


def _flat(value: Any) -> list[float]:
    return [float(x) for x in value.ravel().tolist()] if hasattr(value, "ravel") else [float(value)]
