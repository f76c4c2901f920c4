"""Random directions: all entries of all inputs move at once, so that a few runs test any number of them.

A direction is spherical, a vector of normal numbers divided by its length: with independent uniform numbers the corners
of the cube would be preferred (T. Vieira, "How to test gradient implementations", 2017). Each input moves in units of
its own largest entry. Of several outputs a random sum is differentiated, which is different in each direction.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.tape import forward_sweep
from ad_magic.rules.number import NotAnalytic

from .complexstep import complex_step_along, entry
from .differences import judge, measure
from .program import Evaluate
from .subject import Components
from .verdict import DIFFERS, Comparison, compare, not_applicable

Moves = list[float]  # how far each seed moves, in order
Look = Callable[[Moves, Sequence[float]], Comparison | None]  # a method: at a direction and a sum of the outputs


class Directions:
    """What is needed to differentiate the outputs of a result along directions."""

    def __init__(
        self, result: Any, slopes: Sequence[Sequence[float]], components: Components, program: Evaluate
    ) -> None:
        """`slopes` are ad_magic's derivatives: for each of the components that along each seed."""
        self.result, self.run = result, result.run
        self.slopes, self.components, self.program = slopes, components, program
        sizes = {name: _size(value) for name, value in result.inputs.items()}
        self.units = [sizes[name] for name, _, _ in self.run.seeds]

    def drawn(self, draw: random.Random) -> tuple[Moves, list[float]]:
        """A random direction, and a random sum of the components."""
        moves, weights = _sphere(len(self.units), draw), _sphere(len(self.slopes), draw)
        return [m * u for m, u in zip(moves, self.units, strict=True)], weights if len(weights) > 1 else [1.0]

    def got(self, moves: Moves, weights: Sequence[float]) -> float:
        """ad_magic's derivative of the sum along a direction."""
        lines = zip(weights, self.slopes, strict=True)
        return math.fsum(w * m * slope for w, line in lines for m, slope in zip(moves, line, strict=True) if m)

    def by_differences(self, moves: Moves, weights: Sequence[float]) -> Comparison:
        """Compared with central differences."""
        arrays = self._by_input(moves)

        def along(t: float) -> list[float]:
            values = self.program({name: self.run.inputs[name] + t * d for name, d in arrays.items()})
            if len(values) != self.components.count:
                raise ValueError("the output changes its shape")
            return [_dot(weights, self.components.chosen(values))]

        got, middle = self.got(moves, weights), _dot(weights, self.components.values)
        trials = measure(along, 0.0, [middle], [got])
        outcome = judge(trials, 0, 0.0, middle, got, name="t")
        if outcome.word == DIFFERS and any(flag.kind == "kink" for flag in self.result.flags):
            outcome = judge(trials, 0, 0.0, middle, got, name="t", kink="a kink on the way")
        return outcome

    def by_complex_step(self, moves: Moves, weights: Sequence[float]) -> Comparison:
        """Compared with the complex step."""
        tape, arrays = self.run.tape, self._by_input(moves)
        if tape.recorded > len(tape):
            return not_applicable("a long run in forward mode keeps no tape")
        try:
            along = {self.run.rows[name]: d for name, d in arrays.items()}
            slopes = complex_step_along(tape, along, self.components.outputs)
        except NotAnalytic as error:
            return not_applicable(str(error))
        return self._exactly(moves, weights, slopes)

    def by_forward(self, moves: Moves, weights: Sequence[float]) -> Comparison | None:
        """Compared with a forward sweep; None where there is no other mode to compare."""
        if self.result.mode != "both":
            return None
        arrays = self._by_input(moves)
        tangents = forward_sweep(self.run.tape, {self.run.rows[name]: d for name, d in arrays.items()})
        outputs = self.components.outputs
        slopes = [0.0 if row is None else float(entry(tangents[row], place)) for row, place in outputs]
        return self._exactly(moves, weights, slopes)

    def _exactly(self, moves: Moves, weights: Sequence[float], slopes: Sequence[float]) -> Comparison:
        got = self.got(moves, weights)
        # a sum of many terms may be far smaller than each of them: it is then known to less
        terms = [w * m * s for w, line in zip(weights, self.slopes, strict=True)
                 for m, s in zip(moves, line, strict=True) if m]  # fmt: skip
        size = max((abs(x) for x in terms if math.isfinite(x)), default=0.0)
        natural = abs(_dot(weights, self.components.values))
        return compare(got, _dot(weights, slopes), floor=1e-8, error=1e-14 * size * math.sqrt(len(terms)),
                       natural=natural if math.isfinite(natural) else 1.0)  # fmt: skip

    def _by_input(self, moves: Moves) -> dict[str, Any]:
        """The direction by input: a number, or an array of its shape."""
        arrays: dict[str, Any] = {}
        for (name, position, _), move in zip(self.run.seeds, moves, strict=True):
            value = self.run.inputs[name]
            if not hasattr(value, "shape"):
                arrays[name] = move
                continue
            if name not in arrays:
                import numpy as np

                arrays[name] = np.zeros(value.shape)
            arrays[name][position] = move
        return arrays

    def located(self, moves: Moves, weights: Sequence[float], look: Look) -> int:
        """Of a direction that differs the one seed that does most: the half that differs more is halved again."""
        low, high = 0, len(moves)
        while high - low > 1:
            middle = (low + high) // 2
            first, second = (
                self._gap([m if a <= k < b else 0.0 for k, m in enumerate(moves)], weights, look)
                for a, b in ((low, middle), (middle, high))
            )
            low, high = (low, middle) if first >= second else (middle, high)
        return low

    def _gap(self, moves: Moves, weights: Sequence[float], look: Look) -> float:
        outcome = look(moves, weights)
        if outcome is None or outcome.expected is None:
            return math.inf if outcome is not None and outcome.word == DIFFERS else 0.0
        gap = abs(self.got(moves, weights) - outcome.expected)
        return gap if gap == gap else math.inf


def _sphere(count: int, draw: random.Random) -> list[float]:
    numbers = [draw.gauss(0, 1) for _ in range(count)]
    length = math.sqrt(sum(x * x for x in numbers)) or 1.0
    return [x / length for x in numbers]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) if all(map(math.isfinite, b)) else math.nan


def _size(value: Any) -> float:
    """The size of the largest entry; 1 for zero."""
    if not hasattr(value, "shape"):
        return abs(value) if value and math.isfinite(value) else 1.0
    import numpy as np

    size = float(np.max(np.abs(value), initial=0.0, where=np.isfinite(value)))
    return size or 1.0
