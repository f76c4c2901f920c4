"""The lecture's homework: compute the adjoints. Cells of a column are blank; an answer is right, or gets a hint.

The number of a cell is a sum of terms (terms.py). Most wrong answers are such a sum with something left out or turned
round, and so the hint can say what: the wrong answer is looked for among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from .answers import NoAnswer, evaluate
from .array import all_finite, brief, shape_of, shape_text
from .number import number
from .terms import Term, marked, number_of, same, spellings, terms_of

if TYPE_CHECKING:
    from .result import Result

MOST = 12  # blanks of a quiz
ENTRIES = 6  # entries of an array that may be asked for
DIGITS = 3  # that a rounded number must have


class Score(NamedTuple):
    """How many answers are right, of how many blanks."""

    right: int
    asked: int

    def __str__(self) -> str:
        return f"{self.right} of {self.asked}"


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said of an answer: whether it is right, and a hint where it is not."""

    right: bool
    hint: str = ""

    def __bool__(self) -> bool:
        return self.right


class Quiz:
    """A quiz on one column of a result. `answer("v4", "64*3")` marks an answer; `score` counts the right ones.

    `column` is "adjoint" or "tangent:x", the tangents along a seed. Raises ValueError where there is no such column.

    >>> from ad_magic import exercise
    >>> quiz = exercise(1, seed=1).quiz()
    >>> quiz.score
    Score(right=0, asked=4)
    >>> quiz.answer("v4", "1").right, str(quiz.score)
    (True, '1 of 4')
    """

    def __init__(self, r: Result, column: str | None = None) -> None:
        self.result = r
        self.kind, self.seed = _column(r, column)
        self.asked: list[int] = _asked(r, self.kind, self.seed)
        self.marks: dict[int, Mark] = {}
        self.tries: dict[int, int] = {}

    @property
    def score(self) -> Score:
        """How many of the blanks have a right answer."""
        return Score(sum(mark.right for mark in self.marks.values()), len(self.asked))

    @property
    def head(self) -> str:
        """The heading of the column: "v̄ = ∂z/∂v", "∂v/∂x"."""
        return f"∂v/∂{self.seed}" if self.kind == "tangent" else f"v̄ = ∂{self.output}/∂v"

    @property
    def output(self) -> str:
        """The name of the output; z for an expression without a name."""
        return self.result.outputs[0] if self.result.outputs[0] != "out" else "z"

    def name(self, row: int) -> str:
        """What is asked for in a row: "v̄4", "v̇4"."""
        return marked(self.result.rows[row].name, self.kind)

    def truth(self, row: int) -> Any:
        """The number that is asked for in a row."""
        return number_of(self.result.rows[row], self.kind, self.seed)

    def row(self, which: int | str) -> int:
        """The row of a blank: its index, its name "v4" or "v̄4", or the user's own name for it. Raises ValueError."""
        for row in self.asked:
            each = self.result.rows[row]
            if which in (row, each.name, self.name(row), each.label):
                return row
        blanks = ", ".join(self.result.rows[row].name for row in self.asked)
        raise ValueError(f"{which!r} is not asked for; asked for are {blanks}")

    def answer(self, which: int | str, text: str) -> Mark:
        """Mark an answer: a number, or an expression in the names of rows, of inputs, and of adjoints that are known.

        A number may be rounded to three digits or more. What is no expression is not counted as a try.
        """
        row = self.row(which)
        try:
            value = evaluate(text, self.names(row), lambda name: self._unknown(name, row))
            mark = self._mark(row, text, value)
            if not mark and self.names_like_ours:  # v5 may be the user's own
                mark = self._mark(row, text, evaluate(text, self.names(row, own=True))) or mark
        except NoAnswer as error:
            mark = Mark(False, str(error))
        else:
            self.tries[row] = self.tries.get(row, 0) + 1
        self.marks[row] = mark
        return mark

    @cached_property
    def names_like_ours(self) -> bool:
        """Whether the program has variables v1, v2, … of its own."""
        return any(row.label and re.fullmatch(r"v\d+", row.label) for row in self.result.rows)

    def forget(self) -> None:
        """Begin anew."""
        self.marks.clear()
        self.tries.clear()

    # ---- names

    def names(self, row: int, own: bool = False) -> dict[str, Any]:
        """What an answer may name: values, and adjoints (or tangents) that are given or were answered.

        `own` says whose v3 it is where the program has a variable of that name: the user's own, or that of the table.
        """
        found: dict[str, Any] = {}
        labels: dict[str, Any] = {}
        for each in self.result.rows:
            if each.op == "input":
                labels.setdefault(each.expression, each.value)
            elif each.label:
                labels[each.label] = each.value  # the last one, as in the program
        for each in self.result.rows:
            found[each.name] = each.value
            if each.index != row and self._known(each.index):
                known = number_of(each, self.kind, self.seed)
                if known is not None:
                    found.update(dict.fromkeys(spellings(each.name, self.kind), known))
        return {**found, **labels} if own else {**labels, **found}

    def _known(self, row: int) -> bool:
        return row not in self.asked or (row in self.marks and self.marks[row].right)

    def _unknown(self, name: str, row: int) -> str:
        own = self.result.rows[row].name
        for each in self.result.rows:
            if name in spellings(each.name, self.kind):
                if each.name == own:
                    return f"{self.name(row)} is what is asked for"
                return f"{self.name(each.index)} is not known yet: answer it first"
        return f"there is no {name}; rows are v1, v2, …, {spellings('v1', self.kind)[1]} stands for {self.name(0)}"

    # ---- marking

    def _mark(self, row: int, text: str, value: Any) -> Mark:
        truth = self.truth(row)
        if shape_of(value) != shape_of(truth) and shape_of(truth):
            return Mark(False, f"{self.name(row)} is an array of shape {shape_text(shape_of(truth))}")
        if shape_of(value) and not shape_of(truth):
            return Mark(False, f"{self.name(row)} is a number")
        if same(value, truth):
            return Mark(True)
        places = _rounded(text)
        if places is not None and not shape_of(truth) and abs(value - truth) <= 0.505 * 10.0 ** -places[1]:
            if places[0] >= DIGITS:
                return Mark(True)
            return Mark(False, f"right as far as it goes: give {DIGITS} digits, or an expression")
        close = (lambda x: abs(value - x) <= 0.505 * 10.0 ** -places[1]) if places and places[0] >= DIGITS else None
        return Mark(False, self._hint(row, value, close))

    def _hint(self, row: int, value: Any, close: Any) -> str:
        if not all_finite(value):
            return "this is not a finite number"
        truth = self.truth(row)
        for wrong, hint in self._mistakes(row):
            if wrong is None or shape_of(wrong) != shape_of(value) or same(wrong, truth):
                continue
            if same(value, wrong) or (close is not None and not shape_of(wrong) and close(wrong)):
                return hint
        return f"not yet: {self.rule(row)}"

    def _mistakes(self, row: int) -> Iterator[tuple[Any, str]]:
        """Wrong answers and what to say of each, the likeliest first."""
        truth, terms, own = self.truth(row), self.terms(row), self.result.rows[row]
        name = self.name(row)
        yield -truth, f"the sign is wrong: {self.rule(row)}"
        if terms is not None:
            for count in range(1, len(terms)):
                for missing in combinations(terms, count):
                    said = " and ".join(f"{t.carried_name}·{t.slope_name}" for t in missing)
                    which = "a term is" if count == 1 else "terms are"
                    yield truth - sum(t.product for t in missing), f"{which} missing: {said}"
                if count >= 3:
                    break
            for t in terms:
                if len(terms) > 1:
                    yield truth - 2 * t.product, f"the term {t.carried_name}·{t.slope_name} has the wrong sign"
            for t in terms:
                yield t.slope, f"that is the local partial {t.slope_name} alone: multiply it by {t.carried_name}"
            if len(terms) > 1 and all(t.slope is not None for t in terms):
                whole = " + ".join(f"{t.carried_name}·{t.slope_name}" for t in terms)
                yield sum(t.slope or 0.0 for t in terms), f"these are the local partials alone: {name} = {whole}"
            for t in terms:
                yield t.carried, f"that is {t.carried_name} as it is: multiply it by {t.slope_name}"
                if t.slope and not shape_of(t.carried):
                    yield t.carried / t.slope, f"multiply {t.carried_name} by {t.slope_name}, do not divide"
        yield own.value, f"that is the value of {own.name}; {name} is asked for"
        yield from self._other_columns(row)
        for factor in (2.0, 0.5, 3.0, 4.0):
            size = number(factor if factor > 1 else 1 / factor)
            yield truth * factor, f"a factor of {size} {'too much' if factor > 1 else 'is missing'}"
        for factor in (3.0, 4.0):
            yield truth / factor, f"a factor of {number(factor)} is missing"

    def _other_columns(self, row: int) -> Iterator[tuple[Any, str]]:
        own, name = self.result.rows[row], self.name(row)
        for seed, tangent in own.tangents.items():
            if self.kind == "tangent" and seed != self.seed:
                yield tangent, f"that is the tangent along another seed, ∂{own.name}/∂{seed}"
            elif self.kind == "adjoint":
                said = f"that is the tangent ∂{own.name}/∂{seed}; {name} is how {self.output} depends on {own.name}"
                yield tangent, said
        if self.kind == "tangent" and own.adjoint is not None:
            yield own.adjoint, f"that is the adjoint of {own.name}; {name} is how {own.name} depends on {self.seed}"
        for each in self.result.rows:
            if each.index != row:
                other = number_of(each, self.kind, self.seed)
                if other is not None and not all(x in (0.0, 1.0) for x in ([other] if not shape_of(other) else [0.5])):
                    yield other, f"that is {marked(each.name, self.kind)}, of another row"

    # ---- what a number is made of

    def rule(self, row: int) -> str:
        """How the number of a row is found: "v̄4 = v̄5·∂v5/∂v4 + v̄6·∂v6/∂v4"."""
        terms, name = self.terms(row), self.name(row)
        if terms is None:
            return f"{name} is the sum over all that {self.result.rows[row].name} goes into"
        if self.kind == "adjoint" and row == self._output_row:
            return f"{name} is the derivative of {self.output} with respect to itself"
        if not terms:
            return f"nothing that {self.output} depends on uses {self.result.rows[row].name}"
        return f"{name} = {' + '.join(f'{t.carried_name}·{t.slope_name}' for t in terms)}"

    def solution(self, row: int) -> str:
        """The rule of a row with its numbers: "v̄4 = v̄5·∂v5/∂v4 = −0.279415·16 = −4.47065"."""
        terms, truth = self.terms(row), brief(self.truth(row))
        if terms is None or (self.kind == "adjoint" and row == self._output_row):
            return f"{self.name(row)} = {truth}"
        if not terms:
            return f"{self.name(row)} = 0"
        parts = [
            f"{_factor(t.carried)}·{_factor(t.slope)}" if t.slope is not None and not shape_of(t.carried) else ""
            for t in terms
        ]
        numbers = f" = {' + '.join(parts)}" if all(parts) else ""
        return f"{self.rule(row)}{numbers} = {truth}"

    def terms(self, row: int) -> list[Term] | None:
        """The terms whose sum is asked for; None where they cannot be told apart (a memory that is written to)."""
        if row not in self._terms:
            self._terms[row] = terms_of(self.result, row, self.kind, self.seed)
        return self._terms[row]

    @cached_property
    def _terms(self) -> dict[int, list[Term] | None]:
        return {}

    @cached_property
    def _output_row(self) -> int | None:
        return next(iter(self.result.output_rows.values()), None)

    # ---- faces

    def to_text(self) -> str:
        """The sheet as text: the table with blanks."""
        from .sheet import to_text

        return to_text(self)

    def to_html(self) -> str:
        """The sheet as HTML, as an output of its own."""
        from .sheet import to_html

        return to_html(self)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()


_NUMBER = re.compile(r"[-+−]?\s*(\d*)(?:\.(\d*))?(?:[eE]([-+−]?\d+))?")


def _rounded(text: str) -> tuple[int, int] | None:
    """(significant digits, decimal places) of a number that is written out with a point; None for an expression.

    >>> _rounded("-0.960"), _rounded("61.5"), _rounded("1.2e-3"), _rounded("v5*2")
    ((3, 3), (3, 1), (2, 4), None)
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None or not (found[1] or found[2]):
        return None
    whole, part = found[1] or "", found[2] or ""
    digits = len((whole + part).lstrip("0"))
    return digits, len(part) - int((found[3] or "0").replace("−", "-"))


def _column(r: Result, column: str | None) -> tuple[str, str]:
    """The kind of the column, and its seed: by default the adjoint, in forward mode the tangents along the first."""
    adjoint = any(row.adjoint is not None for row in r.rows)
    seeds = [seed for row in r.rows[:1] for seed in row.tangents] if r.mode != "reverse" else []
    if column is None:
        column = "adjoint" if adjoint else f"tangent:{seeds[0]}" if seeds else "adjoint"
    kind, _, seed = column.partition(":")
    seed = seed or (seeds[0] if seeds else "")
    if kind == "adjoint" and adjoint:
        return kind, ""
    if kind == "tangent" and seed in seeds:
        return kind, seed
    there = [*(["adjoint"] if adjoint else []), *(f"tangent:{s}" for s in seeds)]
    known = f"there is {', '.join(there)}" if there else "a quiz needs one output that is a number, or forward mode"
    raise ValueError(f"there is no column {column!r} to ask for: {known}")


def _asked(r: Result, kind: str, seed: str) -> list[int]:
    """The rows that are blank: where the number is finite and not large; of many the last ones, and the inputs."""
    found = []
    for row in r.rows:
        truth = number_of(row, kind, seed)
        if truth is None or (kind == "tangent" and row.op == "input"):
            continue
        if all_finite(truth) and (not shape_of(truth) or (len(shape_of(truth)) == 1 and len(truth) <= ENTRIES)):
            found.append(row.index)
    if len(found) > MOST:
        inputs = [row for row in found if r.rows[row].op == "input"][: MOST // 3]
        found = sorted({*inputs, *found[len(inputs) - MOST :]})
    return found


def _factor(x: Any) -> str:
    return number(x) if x >= 0 else f"({number(x)})"
