"""A quiz as a sheet: the table with blanks, as text, as HTML, and as a page to print, its answers on a second page.

Nothing on the sheet says what is asked for: of the numbers only the values are there, and those of the column that are
given.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from .array import brief
from .markup import esc, scroller, standing_alone, style_sheet, subscripted
from .number import number
from .quiz import Quiz
from .tabular import Small, html, text

if TYPE_CHECKING:
    from .row import Source

BLANK = "\ue000"  # stands for a blank cell until it is drawn
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def question(quiz: Quiz) -> str:
    """What is asked for, in a sentence."""
    if quiz.kind == "tangent":
        return f"Compute the tangents v̇ = ∂v/∂{quiz.seed}, line by line."
    return f"Compute the adjoints v̄ = ∂{quiz.output}/∂v, from the last row up."


def sheet(quiz: Quiz, *, answers: bool = False) -> Small:
    """The table of a quiz: its operations, their values, and the column with blanks (or with the answers)."""
    r = quiz.result
    rows, above = [], None
    shown = [*quiz.asked, *(row.index for row in r.rows if row.index not in quiz.asked)]
    for index in sorted(shown[: max(len(quiz.asked), 40)]):
        row = r.rows[index]
        source = r.sources.get(row.source or "")
        code = source.line(row.line).strip() if source and row.line else "inputs" if row.op == "input" else ""
        first = (row.source, row.line, row.op == "input") != above
        above = (row.source, row.line, row.op == "input")
        label = row.label if row.label and row.op != "input" else ""
        truth = quiz.truth(index)
        given = BLANK if index in quiz.asked and not answers else "" if truth is None else brief(truth)
        line = str(row.line) if row.line and first else ""
        rows.append((line, code if first else "", row.name, label, row.expression, brief(row.value), given))
    kind = "ad-tangent" if quiz.kind == "tangent" else "ad-adjoint"
    kinds = ((0, "ad-line-number"), (1, "ad-code"), (2, "ad-variable"), (3, "ad-label"), (6, kind))
    heads = ("line", "code", "variable", "", "expression", "value", quiz.head)
    return Small(question(quiz), heads, tuple(rows), frozenset({5, 6} if answers else {5}), kinds)


def to_text(quiz: Quiz) -> str:
    """The sheet as text."""
    table = sheet(quiz)
    ours = subscripted if quiz.names_like_ours else str  # v₃ is ours where the user calls something v3
    rows = tuple(
        (*row[:2], ours(row[2]), row[3], ours(row[4]), row[5], "……………" if row[6] == BLANK else row[6])
        for row in table.rows
    )
    how = 'r.quiz.answer("v4", "64*3") marks an answer, r.quiz.score counts them.'
    return "\n\n".join([question(quiz), text(replace(table, rows=rows)), f"A number or an expression: {how}"])


def to_html(quiz: Quiz) -> str:
    """The sheet as an output of its own."""
    return standing_alone(body(quiz))


def body(quiz: Quiz) -> str:
    """The question and the table with blanks."""
    return f'<p class="ad-question">{esc(question(quiz))}</p>{_drawn(sheet(quiz))}'


def _drawn(table: Small) -> str:
    drawn = html(table, lambda cell: '<span class="ad-fill"></span>' if cell == BLANK else named(cell))
    return f'<div class="ad-quiz-sheet">{drawn}</div>'


def page(quiz: Quiz) -> str:
    """A page to print: the program, the table with blanks, and on a page of its own the answers and the way to them."""
    title = esc(f"{'Tangents' if quiz.kind == 'tangent' else 'Adjoints'} of {quiz.output}")
    given = ", ".join(f"{name} = {_given(value)}" for name, value in quiz.result.inputs.items())
    ways = "".join(f"<li>{named(quiz.solution(row))}</li>" for row in _order(quiz))
    first = (
        f'<section class="ad-sheet-page"><h1>{title}</h1><p class="ad-sheet-name">Name</p>{_program(quiz)}'
        f"<p>{esc(given)}</p>{body(quiz)}</section>"
    )
    second = (
        f'<section class="ad-sheet-page ad-sheet-answers"><h1>{title}: answers</h1>'
        f'{_drawn(sheet(quiz, answers=True))}<ol class="ad-sheet-ways">{ways}</ol></section>'
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{title}</title>'
        f"<style>{style_sheet('page')}{style_sheet('sheet')}</style></head>\n"
        f'<body class="ad-page ad-sheet"><main>{standing_alone(first + second)}</main></body></html>\n'
    )


_OURS = re.compile(r"\b(v[\u0304\u0307]?)(\d+)\b")


def named(content: str) -> str:
    """Escaped text with v12, v̄12 and v̇12 set with an index."""
    return _OURS.sub(r"\1<sub>\2</sub>", esc(content))


def _order(quiz: Quiz) -> list[int]:
    return quiz.asked if quiz.kind == "tangent" else list(reversed(quiz.asked))


def _given(value: object) -> str:
    return number(value, 12) if isinstance(value, float) else brief(value)


def _program(quiz: Quiz) -> str:
    source: Source | None = next(iter(quiz.result.sources.values()), None)
    if source is None:
        return ""
    lines = "\n".join(line for line in source.lines if not line.lstrip().startswith("%")).strip("\n")
    return f'{scroller("Program")}<pre class="ad-sheet-source"><code>{esc(lines)}</code></pre></div>'
