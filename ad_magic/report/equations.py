"""What an adjoint means: the program as constraints, its Lagrangian, and the multipliers, which are the adjoints.

L = z − Σ λ_i (v_i − f_i). ∂L/∂λ_i = 0 is the program, ∂L/∂v_i = 0 the reverse sweep, line by line. A multiplier says
what a constraint is worth: if its row is given a slack, v_i = f_i + δ, the output changes by λ_i δ. Both are shown
with numbers: the system is solved, and each row is given a slack. See "Backprop is not just the chain rule" (T. Vieira,
2017).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ad_magic.cell.slack import with_slack
from ad_magic.check.differences import EPSILON, extrapolate, probe
from ad_magic.engine.system import Block, NoSystem, System, system
from ad_magic.engine.tape import depended_on

from .array import brief, shape_of
from .markup import esc, scroller, standing_alone
from .number import number
from .row import Row
from .tabular import Small, html, markdown, text

if TYPE_CHECKING:
    from .result import Result

SHOWN = 30  # rows whose equations are listed; of more the first and the last
FIRST = 10
TERMS = 8  # of the Lagrangian
MATRIX = 9  # unknowns of a matrix that is written out
AGREE = 1e-12
GOOD = 1e-8  # a slope that is known so well is not looked for again
REVERSE_NEEDED = "The adjoints need reverse mode: --mode both or reverse. These are the constraints alone."


@dataclass(frozen=True)
class Equation:
    """One row of the program: its constraint, and the equation of its multiplier.

    `constraint` is "v3 = v1 * v2", `stationarity` "λ1 = λ3·∂v3/∂v1", `numbers` the same with its numbers; `multiplier`
    is the solution of the system, `adjoint` that of the reverse sweep, `slope` that of the output in a slack of the row
    (of an array in its entry `entry`), None where that was not found.
    """

    row: int
    name: str
    constraint: str
    value: Any
    stationarity: str = ""
    numbers: str = ""
    multiplier: Any = None
    adjoint: Any = None
    slope: float | None = None
    entry: tuple[int, ...] = ()


class Equations:
    """The equations of a result; see the module. `rows` are those that are shown, `notes` say what is not."""

    def __init__(self, r: Result) -> None:
        self._r = r
        self.notes: list[str] = []
        self.output = r.outputs[0]
        self.shown, self.left = _shown(r.rows)

    # ---- data

    @cached_property
    def system(self) -> System | None:
        """The triangular system, or None where it is too large to be written out; the notes say so."""
        try:
            return system(self._r.run.tape)
        except NoSystem as error:
            self.notes.append(f"No system: {error}.")
            return None

    @cached_property
    def multipliers(self) -> list[Any] | None:
        """The solution of the system by block; None where there is none."""
        row = self._output_row
        if self.system is None or row is None:
            return None
        try:
            return self.system.solve(row)
        except ArithmeticError:
            return None

    @property
    def _output_row(self) -> int | None:
        output = self._r.run.outputs[0]
        return output.rows if len(self._r.outputs) == 1 and output.scalar else None

    @cached_property
    def matrix(self) -> Any:
        """I − Jᵀ; None where there is no system."""
        return None if self.system is None else self.system.matrix()

    @cached_property
    def agree(self) -> bool | None:
        """Whether the solution is the adjoints, to 1e-12 of the greatest; None where nothing can be compared."""
        import numpy as np

        if self.multipliers is None or self.system is None or self._r.mode == "forward":
            return None
        assert self._output_row is not None
        adjoints, values = self._r._adjoints(self._output_row), self._r.run.tape.values
        pairs = [
            (found, np.broadcast_to(adjoints[b.row], shape_of(values[b.row])).ravel())
            for b, found in zip(self.system.blocks, self.multipliers, strict=True)
            if not b.memory
        ]
        scale = max((float(np.max(np.abs(found), initial=0.0)) for found, _ in pairs), default=0.0)
        if not math.isfinite(scale):
            return None
        return all(float(np.max(np.abs(a - b), initial=0.0)) <= AGREE * max(scale, 1.0) for a, b in pairs)

    @cached_property
    def rows(self) -> list[Equation]:
        """The equations that are shown, in the order of the program."""
        return [self._equation(row) for row in self.shown if row is not None]

    @property
    def lagrangian(self) -> str:
        """L = z − Σ λ (v − f), its first and last terms written out."""
        terms = [f"λ{row.index + 1}·({row.name} − {_bracketed(_right(row))})" for row in self.shown if row is not None]
        cut = len(terms) > TERMS or self.left > 0
        if cut:
            terms = [*terms[: TERMS // 2], "…", *terms[-TERMS // 2 :]]
        return f"L = {self.output if self.output != 'out' else 'z'} − {' − '.join(terms)}"

    def _equation(self, row: Row) -> Equation:
        found = Equation(row.index, row.name, f"{row.name} = {_right(row)}", row.value)
        if self._r.mode == "forward" or self.multipliers is None or self.system is None:
            found = replace(found, adjoint=row.adjoint)
            return found if row.adjoint is None else self._with_slope(found, row)
        here = self.system.block_of(self._r.tape_rows[row.index])
        assert here is not None
        stationarity, numbers = self._stationarity(row, here)
        multiplier = self.multipliers[here].reshape(shape_of(row.value))
        multiplier = multiplier if shape_of(row.value) else float(multiplier)
        found = replace(found, stationarity=stationarity, numbers=numbers, multiplier=multiplier, adjoint=row.adjoint)
        return self._with_slope(found, row)

    def _stationarity(self, row: Row, here: int) -> tuple[str, str]:
        """λ4 = λ5·∂v5/∂v4 + …, in names and in numbers; the output's own begins with 1."""
        assert self.system is not None
        assert self.multipliers is not None
        used = self._used
        parts, numbers = [], []
        array = bool(shape_of(row.value))
        if self._r.tape_rows[row.index] == self._output_row:
            parts.append("1")
            numbers.append("1")
        for i in self._uses.get(here, ()):
            block, partial = self.system.blocks[i], self.system.partials[i, here]
            if not used[block.row]:
                continue
            name = self._names[i]
            scalars = partial.shape == (1, 1) and not array
            head, slope = f"λ{_index(name)}", f"∂{name}/∂{row.name}"
            parts.append(f"{head}·{slope}" if scalars else f"({slope})ᵀ {head}")
            if scalars:
                numbers.append(f"{_factor(float(self.multipliers[i][0]))}·{_factor(float(partial[0, 0]))}")
            else:
                numbers.append("")
        left = f"λ{row.index + 1}"
        if not parts:
            return f"{left} = 0", "no row uses it"
        shown = " + ".join(numbers) if all(numbers) and numbers != ["1"] else ""
        return f"{left} = {' + '.join(parts)}", shown

    @cached_property
    def _used(self) -> bytearray:
        outputs = [row for output in self._r.run.outputs for row in output.parts]
        return depended_on(self._r.run.tape, outputs)

    @cached_property
    def _uses(self) -> dict[int, list[int]]:
        """For each block those that use it."""
        found: dict[int, list[int]] = {}
        for i, j in self.system.partials if self.system else ():
            found.setdefault(j, []).append(i)
        return found

    @cached_property
    def _names(self) -> list[str]:
        """The names of the blocks: v3, and m3 for what a memory holds after it was written to in row v3."""
        where = {tape_row: index for index, tape_row in enumerate(self._r.tape_rows)}
        assert self.system is not None
        return [_name_of(block, where) for block in self.system.blocks]

    def _with_slope(self, found: Equation, row: Row) -> Equation:
        entry = _entry(row)
        return replace(found, slope=self.slack_slope(row.index, entry), entry=entry)

    def slack_slope(self, row: int, entry: tuple[int, ...] = ()) -> float | None:
        """The slope of the output in a slack of a row, by central differences; None where it cannot be found.

        Of an array the slack is in one entry. The quotients of three steps are extrapolated (Richardson, 1911).
        """
        import numpy as np

        value, tape_row = self._r.rows[row].value, self._r.tape_rows[row]
        at = float(np.asarray(value)[entry])

        def output(moved: float) -> list[float]:
            delta = np.zeros(shape_of(value))
            delta[entry] = moved - at
            return [float(with_slack(self._r.run, tape_row, delta if shape_of(value) else moved - at)[0].value)]

        best: tuple[float, float] | None = None
        if self._output_row is None or not math.isfinite(at):
            return None
        for step in _steps(at):
            trial = probe(output, at, step)
            if isinstance(trial.right, Exception) or isinstance(trial.left, Exception):
                continue
            pairs = list(zip(trial.right, trial.left, strict=True))
            slope = extrapolate([(b[0] - a[0]) / (h - k) for (h, b), (k, a) in pairs], 4)
            size = max(abs(x[0]) for pair in pairs for _, x in pair)
            error = slope.error + EPSILON * size / abs(pairs[-1][0][0])  # what is left of the series, and the rounding
            if best is None or error < best[1]:
                best = slope.value, error
            if best[1] <= GOOD * abs(best[0]):
                break
        if best is None or best[1] > 1e-6 * max(abs(best[0]), 1e-3):
            return None  # only a slack too small to be measured leaves the program on its path
        return best[0] if abs(best[0]) > best[1] else 0.0

    # ---- faces

    def to_text(self) -> str:
        """As aligned text."""
        blocks = [*self._head(), text(self._constraints()), self.lagrangian]
        if self._multiplied:
            blocks += [_STATIONARY, text(self._multipliers())]
            blocks += [text(self._matrix())] if self._matrix_shown else []
            blocks += [self._solved()]
        return "\n\n".join([*blocks, *([] if not self._notes() else ["\n".join(self._notes())])])

    def to_markdown(self) -> str:
        """In Markdown."""
        from .markdown import escape

        blocks = [*self._head(), markdown(self._constraints()), escape(self.lagrangian)]
        if self._multiplied:
            blocks += [_STATIONARY, markdown(self._multipliers())]
            blocks += [markdown(self._matrix())] if self._matrix_shown else []
            blocks += [self._solved()]
        return "\n\n".join([*blocks, *map(escape, self._notes())])

    def to_html(self) -> str:
        """As HTML that stands within a report."""

        def note(content: str) -> str:
            return f'<p class="ad-note">{esc(content)}</p>'

        found = "".join(f'<p class="ad-note">{esc(line)}</p>' for line in self._head())
        found += html(self._constraints(), named)
        found += f'{scroller("Lagrangian")}<p class="ad-lagrangian">{named(self.lagrangian)}</p></div>'
        if self._multiplied:
            order = list(reversed(self.rows))
            marks = [f'data-ad-equation="{equation.row}"' for equation in order]
            found += note(_STATIONARY) + html(self._multipliers(), named, marks)
            found += f'<div class="ad-matrix">{html(self._matrix(), named)}</div>' if self._matrix_shown else ""
            found += note(self._solved())
        return f'<div class="ad-equations-body">{found}</div>' + "".join(map(note, self._notes()))

    @property
    def _multiplied(self) -> bool:
        return any(equation.adjoint is not None for equation in self.rows)

    @property
    def _matrix_shown(self) -> bool:
        return self.system is not None and self.multipliers is not None and self.system.size <= MATRIX

    def _head(self) -> list[str]:
        if self._multiplied:
            return []
        return [REVERSE_NEEDED if self._r.mode == "forward" else "There are adjoints for one output that is a number."]

    def _constraints(self) -> Small:
        rows: list[tuple[str, ...]] = []
        for row in self.shown:
            if row is None:
                rows.append((f"… {self.left} more", "", ""))
            else:
                label = row.label if row.label and row.op != "input" else ""
                written = row.expression.partition(" = ")[0] if row.op == "write" else ""
                label = f"written to {written}" if written else label
                rows.append((f"{row.name} = {_right(row)}", label, brief(row.value)))
        return Small("The program as constraints", ("constraint", "", "value"), tuple(rows), frozenset({2}))

    def _multipliers(self) -> Small:
        solved = self.multipliers is not None
        heads = (
            ("stationarity", "", "λ", "adjoint", "slope by slack") if solved else ("row", "adjoint", "slope by slack")
        )
        rows: list[tuple[str, ...]] = []
        for equation in reversed(self.rows):
            slope = "" if equation.slope is None else number(equation.slope)
            if equation.entry:
                slope = f"{slope} in [{', '.join(map(str, equation.entry))}]" if slope else ""
            adjoint = "" if equation.adjoint is None else brief(equation.adjoint)
            if solved:
                numbers = (
                    f"= {equation.numbers}" if equation.numbers and equation.numbers[0] != "n" else equation.numbers
                )
                rows.append((equation.stationarity, numbers, brief(equation.multiplier), adjoint, slope))
            else:
                rows.append((equation.name, adjoint, slope))
        first = 2 if solved else 1
        return Small(
            "The multipliers, from the output back",
            heads,
            tuple(rows),
            frozenset(range(first, len(heads))),
            ((len(heads) - 2, "ad-adjoint"),),
        )

    def _matrix(self) -> Small:
        """(I − Jᵀ) λ = e, each unknown a column."""
        assert self.system is not None
        assert self.multipliers is not None
        labels = [label for k, block in enumerate(self.system.blocks) for label in self._labels(k, block)]
        flat = [float(x) for found in self.multipliers for x in found]
        right = [0.0] * self.system.size
        output = self.system.block_of(self._output_row or 0)
        if output is not None:
            right[self.system.blocks[output].start] = 1.0
        rows = [
            (
                labels[k],
                *(("·" if x == 0 and j != k else number(float(x), 4)) for j, x in enumerate(line)),
                number(flat[k], 4),
                number(right[k]),
            )
            for k, line in enumerate(self.matrix)
        ]
        heads = ("I − Jᵀ", *labels, "λ", "e")
        return Small("The triangular system", heads, tuple(rows), frozenset(range(1, len(heads))))

    def _labels(self, k: int, block: Block) -> list[str]:
        name = self._names[k]
        return [name] if block.size == 1 else [f"{name}[{j}]" for j in range(block.size)]

    def _solved(self) -> str:
        if self.agree is None:
            return "The system is not solved here: a partial is not finite." if self.system else ""
        size = self.system.size if self.system else 0
        what = f"(I − Jᵀ) λ = e, {size} × {size}, solved from the last row up: λ"
        return f"{what} is the adjoints, to 1e-12." if self.agree else f"{what} differs from the adjoints."

    def _notes(self) -> list[str]:
        notes = list(self.notes)
        if self._multiplied:
            notes.append(_SLACK)
            if any("m" in equation.stationarity for equation in self.rows):
                notes.append("m3 is what a memory holds after the write in row v3.")
            if any(equation.slope is None for equation in self.rows):
                notes.append(
                    "Where no slope stands, the program goes another way with a slack, or cannot be carried out."
                )
        return notes

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return standing_alone(self.to_html())


_STATIONARY = "∂L/∂λ = 0 is the program. ∂L/∂v = 0 is the reverse sweep, from the output back:"
_SLACK = "Slack: a row is given v = f + δ. The slope of the output in δ, by differences, is the row's adjoint."


def _shown(rows: Sequence[Row]) -> tuple[list[Row | None], int]:
    """The rows whose equations are listed; None stands for those that are left out."""
    if len(rows) <= SHOWN:
        return list(rows), 0
    return [*rows[:FIRST], None, *rows[FIRST - SHOWN :]], len(rows) - SHOWN


def _name_of(block: Block, where: dict[int, int]) -> str:
    if block.row in where:
        return f"{'m' if block.memory else 'v'}{where[block.row] + 1}"
    return "m0" if block.memory else "…"


def _steps(at: float) -> Iterator[float]:
    """Sizes of a slack: relative to the value of the row, and to 1, as a residual may be very small."""
    scales = sorted({abs(at), 1.0} - {0.0}, reverse=True)
    yield from (1.37 * scale * 10.0**-k for k in (3, 4, 2, 5) for scale in scales)


def _right(row: Row) -> str:
    """The right side of a constraint; of a write what is written."""
    return row.expression.partition(" = ")[2] or row.expression if row.op == "write" else row.expression


def _index(name: str) -> str:
    return name[1:] if name.startswith("v") else f"({name})"


def _factor(x: float) -> str:
    shown = number(x)
    return shown if x >= 0 else f"({shown})"


def _bracketed(expression: str) -> str:
    return f"({expression})" if re.search(r" [-+] ", expression) else expression


def _entry(row: Row) -> tuple[int, ...]:
    """The entry of an array in which it is given a slack: where its adjoint is greatest."""
    import numpy as np

    if not shape_of(row.value) or not np.size(row.value):
        return ()
    sizes = np.abs(np.asarray(row.adjoint if row.adjoint is not None else row.value))
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(np.nan_to_num(sizes))), sizes.shape))


_OURS = re.compile(r"(\b[vm]|λ)(\d+)\b")


def named(content: str) -> str:
    """Escaped text with v12, m12 and λ12 set with an index."""
    return _OURS.sub(r"\1<sub>\2</sub>", esc(content))
