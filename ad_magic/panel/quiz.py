"""The answers of a quiz: a text box for each blank; each answer is marked, with a hint where it is wrong.

It needs no JavaScript of ours. The sheet with the blanks is an output of its own above it, and stays in a saved
notebook. The marks are in `r.quiz`, so Python reads what a student has done here, and shows here what it is told.
"""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets

from ad_magic.report.quiz import Mark, Quiz
from ad_magic.report.sheet import named

from .beside import Box, rooted, text_of
from .widgets import classed


def show(quiz: Quiz) -> None:
    """Display the boxes of a quiz."""
    QuizPanel(quiz).show(text_of(quiz.result))


class QuizPanel(Box):
    """A box for each blank of a quiz, the score, and two buttons: begin anew, and the way to every answer."""

    def __init__(self, quiz: Quiz) -> None:
        self.quiz = quiz
        order = quiz.asked if quiz.kind == "tangent" else list(reversed(quiz.asked))
        self.boxes: dict[int, ipywidgets.Text] = {}
        self.said: dict[int, ipywidgets.HTML] = {}
        self._quiet = False
        lines = [self._line(row) for row in order]
        self.score = classed(ipywidgets.HTML(), "ad-score")
        self.ways = classed(ipywidgets.HTML(), "ad-ways")
        again = ipywidgets.Button(description="Begin anew", tooltip="Empty all boxes")
        solve = ipywidgets.Button(description="Show the way", tooltip="How each number is found")
        again.on_click(lambda _: self.begin())
        solve.on_click(lambda _: self.solve())
        foot = classed(ipywidgets.HBox([self.score, again, solve]), "ad-foot")
        self.root = rooted(*lines, foot, self.ways)
        self._tell_score()

    def _line(self, row: int) -> Any:
        each, name = self.quiz.result.rows[row], self.quiz.name(row)
        what = f' <span class="ad-what"><code>{named(each.expression)}</code></span>' if each.op == "input" else ""
        asked = classed(ipywidgets.HTML(f"<code>{named(name)}</code>{what} ="), "ad-asked")
        box = ipywidgets.Text(placeholder="number or expression", continuous_update=False, tooltip=f"{name} =")
        self.boxes[row] = classed(box, "ad-typed")
        self.said[row] = classed(ipywidgets.HTML(), "ad-said")
        if row in self.quiz.marks:
            self._say(row, self.quiz.marks[row])
        box.observe(lambda change: self._typed(row, change.new), "value")
        return classed(ipywidgets.HBox([asked, box, self.said[row]]), "ad-line")

    def _typed(self, row: int, text: str) -> None:
        if self._quiet:
            return
        if not text.strip():
            self.quiz.marks.pop(row, None)
            self.said[row].value = ""
        else:
            self._say(row, self.quiz.answer(row, text))
        self._tell_score()

    def _say(self, row: int, mark: Mark) -> None:
        if mark.right:
            said = '<span class="ad-right">✓ right</span>'
        else:
            said = f'<span class="ad-wrong"><b>✗</b> {named(mark.hint)}</span>'
        self.said[row].value = f'<span role="status">{said}</span>'

    def _tell_score(self) -> None:
        done = " — all right" if self.quiz.score.right == self.quiz.score.asked else ""
        self.score.value = f'<span role="status">{escape(str(self.quiz.score))} right{done}</span>'

    def begin(self) -> None:
        """Empty all boxes and forget the marks."""
        self.quiz.forget()
        self._quiet = True
        for row, box in self.boxes.items():
            box.value = ""
            self.said[row].value = ""
        self._quiet = False
        self.ways.value = ""
        self._tell_score()

    def solve(self) -> None:
        """Show how each number is found; what was not answered stays unanswered."""
        self.ways.value = "".join(f"<p>{named(self.quiz.solution(row))}</p>" for row in self.boxes)
