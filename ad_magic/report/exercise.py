"""Exercises of rising difficulty, drawn from a seed: a short program and its inputs, for `%%grad` and for a quiz.

    1  a chain: one input, each variable is used once
    2  two inputs that meet
    3  a variable that is used twice: its adjoint is a sum
    4  three inputs, division and powers, and more than one such variable
    5  a loop

A draw whose numbers are tiny, huge or zero is dropped, and the next one is taken: the same seed gives the same
exercise.
"""

from __future__ import annotations

import ast
import linecache
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ad_magic.cell.again import Again
from ad_magic.cell.run import compile_cell, run_program

from .result import Result

if TYPE_CHECKING:
    from .quiz import Quiz

LEVELS = (1, 2, 3, 4, 5)
_EASY = ("{}**2", "3*{}", "{} + 2", "math.sin({})", "math.exp({})", "5 - {}", "2*{}")
_HARDER = (*_EASY, "math.log({})", "math.sqrt({})", "1/{}", "math.cos({})", "{}**3")
_TWO = ("{}*{}", "{} + {}", "{} - {}")
_TWO_HARDER = (*_TWO, "{}/{}", "{}*{}")
_START = (0.5, 1.5, 2.0, 3.0)
_SMALL, _LARGE = 0.05, 60.0  # what a value and an adjoint may be


@dataclass(frozen=True)
class Exercise:
    """A program to differentiate by hand: its source, and the values of its inputs."""

    level: int
    seed: int
    source: str
    inputs: dict[str, float]

    @property
    def cell(self) -> str:
        """A cell that asks for its adjoints."""
        given = " ".join(f"{name}={value:g}" for name, value in self.inputs.items())
        return f"%%adjoint {given} --quiz\n{self.source}"

    def result(self, mode: str = "both") -> Result:
        """The program, differentiated, in a namespace of its own."""
        title = f"<exercise {self.level}:{self.seed}>"
        text = f"\n{self.source}"  # the first line of a cell is its magic
        linecache.cache[title] = (len(text), None, text.splitlines(keepends=True), title)
        program = compile_cell(ast.parse(text), text, title)
        namespace: dict[str, Any] = {"math": math}
        before = dict(namespace)
        run, _ = run_program(program, namespace, self.inputs, of=("z",), mode=mode)
        return Result(run, Again(program, namespace, before, ("z",)))

    def quiz(self, mode: str = "both") -> Quiz:
        """A quiz on it: the adjoints, in forward mode the tangents along the first input."""
        return self.result(mode).quiz

    def __str__(self) -> str:
        return self.cell


def exercise(level: int = 1, seed: int | None = None) -> Exercise:
    """An exercise of a level from 1 to 5. The same seed gives the same one; without a seed one is drawn.

    Raises ValueError for another level.

    >>> print(exercise(2, seed=7).source == exercise(2, seed=7).source)
    True
    """
    if level not in LEVELS:
        raise ValueError(f"levels are 1 to {LEVELS[-1]}; there is no level {level!r}")
    seed = random.randrange(10_000) if seed is None else seed
    draw = random.Random(1000 * seed + level)
    while True:
        source, inputs = _loop(draw) if level == 5 else _program(draw, level)
        found = Exercise(level, seed, source, inputs)
        if _is_fair(found):
            return found


def _is_fair(found: Exercise) -> bool:
    """Whether all values and derivatives can be computed by hand without tiny or huge numbers."""
    try:
        rows = found.result().rows
    except (ArithmeticError, ValueError):
        return False
    numbers: list[Any] = [x for row in rows for x in (row.value, row.adjoint)]
    curved = sum(row.op not in ("input", "add", "sub") and not _is_scaling(row) for row in rows)
    if curved < (1 if found.level < 3 else 2):  # sums and multiples alone have nothing to learn from
        return False
    return all(x is not None and _SMALL <= abs(x) <= _LARGE for x in numbers)


def _is_scaling(row: Any) -> bool:
    """Whether a row multiplies one number by a constant, or divides it by one."""
    return row.op in ("mul", "div") and len(row.parents) == 1 and not row.expression.startswith("1 / ")


def _program(draw: random.Random, level: int) -> tuple[str, dict[str, float]]:
    count = {1: 1, 2: 2, 3: 2, 4: 3}[level]
    one, two = (_HARDER, _TWO_HARDER) if level >= 4 else (_EASY, _TWO)
    inputs = {name: draw.choice(_START) for name in "xyw"[:count]}
    free, names, lines = list(inputs), iter("abcdefgh"), list[str]()  # free: variables that nothing uses yet
    known = list(inputs)

    def write(expression: str, *used: str) -> None:
        name = next(names)
        lines.append(f"{name} = {expression.format(*used)}")
        for x in used:
            if x in free:
                free.remove(x)
        free.append(name)
        known.append(name)

    for _ in range({1: 2, 2: 1, 3: 1, 4: 2}[level]):
        write(draw.choice(one), draw.choice(free))
    if level >= 3:
        twice = draw.choice([name for name in known if name not in free])  # it is used once more
        write(draw.choice(two), twice, draw.choice([name for name in free if name != twice]))
    if level == 4:
        again = draw.choice(known[:-1])
        write(draw.choice(one), again)
    while len(free) > 1:
        first, second = draw.sample(free, 2)
        write(draw.choice(two), first, second)
    write(draw.choice(one), free[0])
    last = lines.pop()
    return "\n".join([*lines, f"z = {last.partition(' = ')[2]}"]), inputs


def _loop(draw: random.Random) -> tuple[str, dict[str, float]]:
    inputs = {"x": draw.choice(_START), "a": draw.choice((0.5, 1.5, 2.0))}
    step = draw.choice(("a*s + x", "s*x - a", "s + a*x", "(s + a/s) / 2", "a*s*s / 4", "s - a*s*x / 5"))
    times = draw.choice((2, 3))
    end = draw.choice(("z = s*x", "z = s**2", "z = s + a", "z = math.sin(s)", "z = s"))
    return f"s = {draw.choice(('x', '1.5*x', 'x + 1'))}\nfor _ in range({times}):\n    s = {step}\n{end}", inputs
