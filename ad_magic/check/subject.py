"""What is checked: for each scalar input the slopes that a Result shows, one for each number of its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from typing import Any

from ad_magic.engine.kinks import where_at_kink
from ad_magic.engine.operation import COMPARISONS
from ad_magic.engine.tape import Columns, forward_sweep, has_no_row
from ad_magic.rules.number import NotAnalytic

from .complexstep import Position, complex_step, entry, unit


class Components:
    """The numbers that the outputs are made of, or some of them."""

    def __init__(self, run: Any, most: int) -> None:
        """At most so many of them."""
        names = [name for output in run.outputs for name in _names(output)]
        self.count = len(names)
        self.which = spread(self.count, most)
        places = [place for output in run.outputs for place in output.seeds()]
        values = [float(value) for output in run.outputs for value in _flat(output.value)]
        self.names: list[str] = [names[k] for k in self.which]
        self.outputs: list[tuple[int | None, Position]] = [places[k] for k in self.which]
        self.values: list[float] = [values[k] for k in self.which]

    def chosen(self, numbers: Sequence[Any]) -> list[Any]:
        """Of as many numbers as there are components, those of these."""
        return [numbers[k] for k in self.which]


def spread(count: int, most: int) -> list[int]:
    """So many numbers below `count`, evenly spread, the first and the last among them.

    >>> spread(10, 4), spread(3, 4)
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return list(range(count)) if count <= most else [k * (count - 1) // (most - 1) for k in range(most)]


class Seed:
    """One scalar input of a result: what all methods need to know."""

    def __init__(self, result: Any, s: int, name: str, slopes: Sequence[float], components: Components) -> None:
        """`s` is the number of the seed, `slopes` are the derivatives along it, one for each component."""
        self.result, self.run, self.name, self.slopes = result, result.run, name, slopes
        self.input, self.position, self.row = result.run.seeds[s]
        self.x = float(entry(result.inputs[self.input], self.position))
        self.components, self.values, self.outputs = components, components.values, components.outputs

    @property
    def kept(self) -> bool:
        """Whether all recorded operations were kept (a long run in forward mode keeps the first ones)."""
        return self.run.tape.recorded <= len(self.run.tape)

    @cached_property
    def reached(self) -> bytearray:
        """For each row of the tape whether it depends on this input."""
        return dependent(self.run.tape, self.row)

    @cached_property
    def tangents(self) -> list[Any]:
        """The tangent of each row along this input."""
        return forward_sweep(self.run.tape, {self.row: unit(self.run.tape.values[self.row], self.position)})

    @cached_property
    def complex_step(self) -> list[float] | NotAnalytic:
        """The slopes by the complex step, or why there are none."""
        try:
            return complex_step(self.run.tape, self.row, self.outputs, self.position)
        except NotAnalytic as error:
            return error

    def flag(self, *kinds: str) -> str:
        """What the run's flags say of this input: the first one of these kinds that stands on a way from it."""
        tape = self.run.tape
        rows = [index for index in range(len(tape)) if not has_no_row(tape.ops[index], tape.values[index])]
        for flag in self.result.flags:
            if flag.kind not in kinds:
                continue
            if flag.row is None:
                on_the_way = any(self._is_edge(i) for i, op in enumerate(tape.ops) if op.decision)
            else:
                on_the_way = self._concerns(rows[flag.row], flag.kind)
            if on_the_way:
                return f"line {flag.line}: {flag.message}" if flag.line else flag.message
        return ""

    def _concerns(self, row: int, kind: str) -> bool:
        """Whether what happens in a row concerns this input: a kink only in the entries that move with it."""
        tape = self.run.tape
        op = tape.ops[row]
        if not self.reached[row] or not tape.arrays or kind != "kink":
            return bool(self.reached[row])
        moves = [self.tangents[parent] for parent in tape.parents(row)]
        if not op.array or op.rule is None:
            return any(map(_is_some, moves))
        if op.rule.kink is None:  # a function of many entries: it is known of the row only
            return any(map(_is_some, moves)) and isinstance(self.complex_step, NotAnalytic)
        import numpy as np

        at_kink = where_at_kink(op.rule, tape.arguments(row), tape.values[row])
        return any(_is_some(np.where(at_kink, t, 0.0)) for t in moves)

    def _is_edge(self, row: int) -> bool:
        """Whether a decision is a comparison exactly at equality, or none at all (int, round, bool, …)."""
        tape = self.run.tape
        op, arguments = tape.ops[row], tape.arguments(row)
        if not self.reached[row]:
            return False
        if op.name not in COMPARISONS:
            return True
        if not hasattr(op, "template"):
            return bool(arguments[0] == arguments[1])
        import numpy as np

        from ad_magic.engine.arrays.moves import filled

        first, second = filled(op.template, arguments)[0]
        return any(_is_some(np.where(np.equal(first, second), self.tangents[p], 0.0)) for p in tape.parents(row))


def dependent(tape: Columns, seed: int) -> bytearray:
    """For each row of a tape whether it depends on the row `seed`."""
    reached = bytearray(len(tape))
    reached[seed] = 1
    for index in range(seed + 1, len(tape)):
        if any(reached[parent] for parent in tape.parents(index)):
            reached[index] = 1
    return reached


def _is_some(tangent: Any) -> bool:
    """Whether a tangent is not zero all over."""
    if isinstance(tangent, tuple):
        return any(map(_is_some, tangent))
    some = tangent != 0
    return bool(some.any() if hasattr(some, "any") else some)


def _names(output: Any) -> list[str]:
    """The names of the numbers of an output: "z", or "z[0]", "z[1, 2]" of an array."""
    if output.scalar:
        return [output.name]
    positions = product(*map(range, output.value.shape))
    return [f"{output.name}[{', '.join(map(str, position))}]" for position in positions]


def derivatives(result: Any, components: Components) -> list[list[float]]:
    """The derivatives that a Result shows: for each of the components the slope along each seed."""
    outputs = result.run.outputs
    shown = result.grad if all(output.scalar for output in outputs) else result.jacobian
    by_output = [shown] if len(outputs) == 1 else [shown[output.name] for output in outputs]
    places = [(slopes, k, n) for n, slopes in _sized(outputs, by_output) for k in range(n)]
    lines = []
    for slopes, k, n in components.chosen(places):
        line: list[float] = []
        for name in result.inputs:
            slope = slopes[name]
            line += _flat(slope.reshape(n, -1)[k] if hasattr(slope, "reshape") else slope)
        lines.append(line)
    return lines


def _sized(outputs: Sequence[Any], by_output: Sequence[Any]) -> list[tuple[int, Any]]:
    return [(1 if o.scalar else o.value.size, slopes) for o, slopes in zip(outputs, by_output, strict=True)]


def _flat(value: Any) -> list[float]:
    return [float(x) for x in value.ravel().tolist()] if hasattr(value, "ravel") else [float(value)]
