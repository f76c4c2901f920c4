"""A slack in one row of a program, by hand: the slope of the output in it is the row's adjoint.

A choice of the row, a slider for δ, and what the output then is. The kernel computes: `r.slack(row, δ)` replays the
recorded operations, and where a decision comes out otherwise it says so.
"""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets

from ad_magic.report.array import shape_of
from ad_magic.report.number import number
from ad_magic.report.sheet import named

from .beside import Box, rooted, text_of
from .widgets import classed

STEPS = 100  # of the slider on each side of zero
MOST = 200  # rows to choose from


def show(result: Any) -> None:
    """Display the slack of a result, if it has one output that is a number."""
    if len(result.outputs) == 1 and result.run.outputs[0].scalar and result.run.outputs[0].rows is not None:
        SlackPanel(result).show(text_of(result))


class SlackPanel(Box):
    """A row to choose, a slider for its slack δ, and the output at δ beside what the adjoint says of it."""

    def __init__(self, result: Any) -> None:
        self.result = result
        rows = [row for row in result.rows if not shape_of(row.value)][-MOST:]
        options = [(f"{row.name} = {row.expression}"[:60], row.index) for row in rows]
        first = next((row.index for row in rows if row.op != "input"), rows[0].index)
        self.row = classed(ipywidgets.Dropdown(options=options, value=first, description="row"), "ad-slack-row")
        self.slider = classed(
            ipywidgets.IntSlider(value=0, min=-STEPS, max=STEPS, description="δ", readout=False), "ad-slack-slider"
        )
        self.shown = ipywidgets.HTML()
        self.row.observe(self._chosen, "value")
        self.slider.observe(lambda _: self.tell(), "value")
        reset = ipywidgets.Button(description="δ = 0", tooltip="No slack")
        reset.on_click(lambda _: setattr(self.slider, "value", 0))
        line = classed(ipywidgets.HBox([self.row, self.slider, reset]), "ad-line")
        self.root = rooted(line, self.shown)
        self.tell()

    @property
    def delta(self) -> float:
        """The slack: the slider reaches as far as the value of the row is large."""
        value = abs(float(self.result.rows[self.row.value].value)) or 1.0
        return self.slider.value / STEPS * value / 2

    def _chosen(self, _: Any) -> None:
        if self.slider.value:
            self.slider.value = 0
        else:
            self.tell()

    def tell(self) -> None:
        """Write what the output is with this slack."""
        row, delta = self.result.rows[self.row.value], self.delta
        name = self.result.outputs[0] if self.result.outputs[0] != "out" else "z"
        lines = [(f"{row.name} = {row.expression} + δ", f"δ = {number(delta)}")]
        try:
            value = self.result.slack(row.index, delta)
        except ValueError as error:
            lines.append((f"{name}(δ)", str(error)))
        else:
            lines.append((f"{name}(δ)", number(value, 10)))
            slope = number((value - self.result.value) / delta) if delta else "move the slider"
            lines.append((f"({name}(δ) − {name}) / δ", slope))
        adjoint = "needs reverse mode" if row.adjoint is None else number(row.adjoint)
        lines.append((f"adjoint v\u0304{row.index + 1} = ∂{name}/∂{row.name}: the slope at δ = 0", adjoint))
        body = "".join(f'<tr><th scope="row">{named(head)}</th><td>{escape(text)}</td></tr>' for head, text in lines)
        self.shown.value = f'<table class="ad-slack">{body}</table>'
