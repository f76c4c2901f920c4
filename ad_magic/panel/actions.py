"""The buttons of a panel: Reset, Undo, Redo, Freeze, Copy as code, Save page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from . import registry
from .history import History, Point, RowPoint
from .widgets import classed


class Toolbar:
    """The buttons of one panel, and what its inputs have been through (`history`)."""

    def __init__(self, panel: Any) -> None:
        self.panel = panel
        self.history = History(self.point())
        self.undo_button = self._button("undo", "Undo", "Back to before the last change", self.undo)
        self.redo_button = self._button("redo", "Redo", "Change it again", self.redo)
        self.buttons = [
            self._button("reset", "Reset", "All inputs back to where they began", panel.reset),
            self.undo_button,
            self.redo_button,
            self._button("freeze", "Freeze", "Leave the report of this point, without sliders", self.freeze),
            self._button("copy", "Copy as code", "Copy the line of code that begins at this point", self.copy),
            self._button("save", "Save page", "Download a page that stays alive without a kernel", self.save),
        ]
        self._enable()
        for row in panel.rows:
            row.placed = lambda row=row: panel.put({row.name: row.value})
            row.ranged = lambda message, row=row: self._ranged(row, message)

    def _button(self, name: str, description: str, tooltip: str, act: Callable[[], None]) -> Any:
        button = ipywidgets.Button(description=description, tooltip=tooltip)
        button.on_click(lambda _: self.panel.on_main(act))
        return classed(classed(button, "ad-button"), f"ad-{name}")

    # ---- undo and redo

    def point(self) -> Point:
        """Where the panel stands."""
        rows = tuple(RowPoint(row.place, row.value, row.grid, row.own_range) for row in self.panel.rows)
        return Point(dict(self.panel.inputs), rows)

    def noted(self, what: object) -> None:
        """The panel has moved: `what` is the row, or None for more than one."""
        self.history.moved(self.point(), what)
        self._enable()

    def undo(self) -> None:
        self._stand(self.history.undo())

    def redo(self) -> None:
        self._stand(self.history.redo())

    def _stand(self, point: Point | None) -> None:
        """The panel as it once stood."""
        if point is None:
            return
        panel = self.panel
        for name, value in point.inputs.items():
            panel.inputs[name] = value
            if name in panel.arrays:
                panel.arrays[name].now = value
        for row, then in zip(panel.rows, point.rows, strict=True):
            row.stand(then.place, then.value, then.grid)
            row.own_range = then.own_range
        panel.put({})
        self._enable()

    def _enable(self) -> None:
        self.undo_button.disabled = not self.history.back
        self.redo_button.disabled = not self.history.forth

    def _ranged(self, row: Any, message: str) -> None:
        """Somebody has typed an end of a range. The value may have gone along with it."""
        self.panel.say(escape(message))
        if not message:
            self.panel.static.ranges = {**self.panel.static.ranges, **self.panel.ranges()}
            self.panel.put({row.name: row.value})

    # ---- keeping the point

    def freeze(self) -> None:
        registry.forget(self.panel)
        self.panel.freeze()

    def copy(self) -> None:
        panel = self.panel
        if panel.again is None:
            panel.say("There is no line of code for this panel.")
            return
        try:
            line = panel.again(panel.inputs, panel.ranges())
        except ValueError as error:
            panel.say(f"This point cannot be written as a line: {escape(str(error))}.")
            return
        done = "Copied: " if panel.page.hand({"tell": "copy", "text": line}) else ""
        panel.say(f"{done}<code>{escape(line)}</code>")

    def save(self) -> None:
        panel = self.panel
        from ad_magic.report.page import render

        result = panel.result
        html = render(result, ranges={**panel.static.ranges, **panel.ranges()}, digits=panel.options.digits)
        name = f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', result.outputs[0]).strip('-.') or 'page'}.html"
        if panel.page.hand({"tell": "save", "name": name, "text": html}):
            panel.say(f"Saved as <code>{escape(name)}</code>, where the browser puts what it downloads.")
            return
        path = _free(Path.cwd() / name)
        try:
            path.write_text(html, encoding="utf-8")
        except OSError as error:
            panel.say(f'<span class="ad-error">{escape(str(error))}</span>')
        else:
            panel.say(f"Saved as <code>{escape(str(path))}</code>.")


def _free(path: Path) -> Path:
    """The path, or one like it where there is no file yet."""
    k, free = 2, path
    while free.exists():
        k, free = k + 1, path.with_name(f"{path.stem}-{k}{path.suffix}")
    return free
