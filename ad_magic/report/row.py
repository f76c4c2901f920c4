"""The plain data of a report: what one elementary operation is, what a reader must know, which source was run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number: TypeAlias = "complex | NDArray[Any]"  # a float or a complex number, or an array of them


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a reader must know about a result.

    `kind` is one of "kink", "nan", "cancellation", "derivative-stops", "equality-branch", "independent" and, where
    second derivatives are shown, "second-order"; `line` is the line of the cell (the magic line is line 1, as in a
    traceback) or None; `row` the index of the row it stands at, or None; `inputs` the inputs it concerns. At a
    kink with one-sided slopes `left` and `right` are those, of the operation in its operand, and `chosen` is the local
    partial that was taken. `asked`: the program asks for it, so it is told and is no warning.
    """

    kind: str
    message: str
    line: int | None = None
    row: int | None = None
    inputs: tuple[str, ...] = ()
    left: float | None = None
    right: float | None = None
    chosen: float | None = None
    asked: bool = False


def warnings(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """The flags that warn: without those of what the program asks for."""
    return tuple(flag for flag in flags if not flag.asked)


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of the user's source in which operations were recorded: the cell, an earlier cell, a module."""

    name: str  # "this cell", "cell 2", "mymodule.py"
    lines: tuple[str, ...]  # lines[0] is line 1
    part: tuple[int, int] | None = None  # the first and the last line of what was run; None for all

    def line(self, number: int) -> str:
        """The text of a line (numbered from 1), or "" where there is no such line."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One elementary operation of a run, as a row of the table after Baydin et al. (2018), tables 2 and 3.

    An operation on arrays is one row, and so is an input that is an array: value, tangents and adjoint are then arrays
    of one shape.
    """

    index: int  # position in Result.rows
    name: str  # "v3"
    expression: str  # "v1 * v2", "sin(v4)"; an input has its own name, "x"
    op: str  # "mul", "sin", "input"
    value: Number
    parents: tuple[int, ...] = ()  # indices of rows; an operand that is used twice stands twice
    partials: tuple[Number | None, ...] = ()  # with respect to each parent; () where it is a whole Jacobian
    tangents: dict[str, Number] = field(default_factory=dict)  # by input (or "x[0]"): the derivative of this row
    adjoint: Number | None = None  # derivative of the output with respect to this row; None in forward mode
    label: str | None = None  # the user's own name for it: "z" for the last operation of `z = ...`
    source: str | None = None  # key into Result.sources; None where the position is not known
    line: int | None = None
    span: tuple[int, int, int, int] | None = None  # line, column, end line, end column; columns in characters from 0
    flags: tuple[Flag, ...] = ()
    condition: float | None = None  # |v̄ v / z|: by how much a relative error of this row is larger in the output z
    how: tuple[str, str] = ("", "")  # of a solver, how it is differentiated: in a few words, and with its formula

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; () for a number."""
        return getattr(self.value, "shape", ())
