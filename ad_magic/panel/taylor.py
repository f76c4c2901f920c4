"""A Taylor polynomial that moves: the panel of the inputs, with a slider for the order and a choice of the input.

The kernel computes each step; what is shown is the HTML of the report (`html_page.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets
from IPython.display import display

from ad_magic.report.curves import label_of, movable
from ad_magic.report.options import ViewOptions
from ad_magic.report.taylor import Expansion
from ad_magic.report.taylor_run import wide_at_zero

from . import registry
from .beside import text_of
from .panel import Panel
from .running import interruptible, unseen
from .static import StaticReport
from .widgets import classed

NONE = (ValueError, TypeError, ArithmeticError)  # what says that there is no series
HIGHEST = 12  # of the slider, if no higher order is asked for
Again = Callable[[Mapping[str, Any], Mapping[str, Any], int, str], str]  # inputs, ranges, order, along -> a line


class TaylorReport(StaticReport):
    """The report of a panel: the polynomial of the order and along the input that are chosen."""

    def __init__(self, options: ViewOptions, ranges: Mapping[str, Any], order: int, along: str) -> None:
        super().__init__(options, ranges)
        self.order, self.along = order, along
        self._last: tuple[Any, Any, Expansion] | None = None

    def expansion(self, result: Any) -> Expansion:
        """That of a result, the last one remembered."""
        asked = self.order, self.along, tuple(self.ranges.items())
        if self._last is None or self._last[0] is not result or self._last[1] != asked:
            found = result.expansion(self.along, self.order, digits=self.options.digits, ranges=self.ranges)
            self._last = result, asked, found
        return self._last[2]

    def html(self, result: Any) -> str:
        return self._shown(result).to_html()

    def text(self, result: Any) -> str:
        return self._shown(result).to_text()

    def _shown(self, result: Any) -> Expansion:
        """Where there is none of this order the last one; the panel says why."""
        try:
            return self.expansion(result)
        except NONE:
            if self._last is None:
                raise
            return self._last[2]


class TaylorPanel(Panel):
    """The panel, with the order and the choice of the input above the rows."""

    static: TaylorReport

    def __init__(self, result: Any, ranges: Mapping[str, Any], static: TaylorReport, shared: Any, again: Any) -> None:
        super().__init__(result, result.at, ranges, static.options, static, shared, again)
        self.order = classed(
            ipywidgets.IntSlider(
                value=static.order,
                min=0,
                max=max(HIGHEST, static.order),
                description="order",
                continuous_update=static.options.continuous_update,
            ),
            "ad-order",
        )
        labels = [label_of(name, entry) for name, entry, _ in movable(result, ranges)]
        labels += [static.along] if static.along not in labels else []
        self.along = classed(ipywidgets.Dropdown(options=labels, value=static.along, description="along"), "ad-along")
        self.along.layout.display = None if len(labels) > 1 else "none"
        self.order.observe(lambda change: self._chosen("order", change.new), "value")
        self.along.observe(lambda change: self._chosen("along", change.new), "value")
        line = classed(ipywidgets.HBox([self.order, self.along]), "ad-choices-of-order")
        self.toolbar.buttons[-1].layout.display = "none"  # a page that is saved is one of `%%grad`
        self.root.children = (self.root.children[0], line, *self.root.children[1:])

    def _chosen(self, what: str, value: Any) -> None:
        setattr(self.static, what, value)
        self._stale = True
        self.recompute()

    def _evaluate(self) -> bool:
        """Also the series of what was computed may end in a sentence."""
        # the axis of the figure is that of the slider: it stays where it is while the point moves
        self.static.ranges = {**self.static.ranges, **{r.name: (r.grid.lo, r.grid.hi, r.dial.step) for r in self.rows}}
        before = self._result
        if not super()._evaluate():
            return False
        try:
            with interruptible(), unseen():
                self.static.expansion(self._result)
        except NONE as error:
            self.say(f'<span class="ad-error">{escape(str(error))}</span>')
            self._failed, self._result = True, before
            self.page.trouble(before, dict(self.inputs))
            return False
        return True


def show(
    result: Any, found: Expansion, ranges: Mapping[str, Any], shared: Mapping[str, Any], again: Again, *,
    digits: int = 6, continuous_update: bool = True,
) -> None:  # fmt: skip
    """Display the polynomial of a result with sliders for its order and its inputs."""
    options = ViewOptions(digits=digits, continuous_update=continuous_update, live=False)
    ranges = wide_at_zero(result.inputs, ranges)
    static = TaylorReport(options, ranges, found.order, found.name)
    static.show(result)

    def line(now: Mapping[str, Any], spans: Mapping[str, Any]) -> str:
        return again(now, spans, static.order, static.along)

    panel = TaylorPanel(result, ranges, static, shared, line)
    registry.keep(panel, text_of(result))
    panel.handle = display(panel.root, display_id=True)
