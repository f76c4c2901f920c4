"""A page that is told HTML only: the panel of core ipywidgets, for front ends without anywidget.

Every step is a run in the kernel, and the report anew. Hover links by the style sheet; what a script does in the page
(the film, the curve that follows, keeping open what a reader has unfolded) is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

import ipywidgets

from .inputs import InputRow, PickedRow
from .static import StaticReport
from .widgets import classed


class HtmlPage:
    """What page.py does, without a script. `view` is the widget."""

    def __init__(self, first: Any, rows: Sequence[InputRow], static: StaticReport, *others: Any) -> None:
        self.rows, self.static = rows, static
        self.report = ipywidgets.HTML(static.html(first))
        # as long as this is shown the static report beside it is not
        twin = f'[data-ad-static="{static.key}"]'
        hidden = f"{twin}, .jp-OutputArea-child:has(> * {twin}) {{ display: none !important; }}"
        css = (resources.files(__package__) / "panel.css").read_text(encoding="utf-8")
        self.style = classed(ipywidgets.HTML(f"<style>{hidden}\n{css}</style>"), "ad-style")
        self.view = classed(ipywidgets.VBox([self.style, self.report]), "ad-view")
        self.regrid(first)

    def computes(self, result: Any) -> bool:
        """Never."""
        return False

    def follow(self, result: Any) -> None:
        """One step of a slider."""
        self.tell(result)

    def tell(self, result: Any) -> bool:
        """Show the report of a result."""
        self.view.remove_class("ad-trouble")
        self.report.value = self.static.html(result)
        return True

    def rest(self, result: Any) -> None:
        """At the end of a gesture the report is what the last step has shown."""

    def trouble(self, result: Any, inputs: Any) -> None:
        """At these inputs the program raises something: what is shown is that of others."""
        self.view.add_class("ad-trouble")

    def stand(self, result: Any, inputs: Any) -> None:
        """The inputs have been put somewhere else: the next report says it."""

    def hand(self, message: Any) -> bool:
        """It can neither copy nor save."""
        return False

    def regrid(self, result: Any) -> None:
        """The names or the grids of the rows are others. To a slider's handle ipywidgets lets nobody give a name."""
        for row in self.rows:
            row.box.description = f"{row.name}, value"  # read, not seen
            for text in (*row.ends, *([row.index] if isinstance(row, PickedRow) else [])):
                text.description = text.tooltip
