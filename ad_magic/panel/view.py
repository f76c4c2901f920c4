"""The one piece of our own JavaScript in a panel: the report, which follows the sliders in the page (view.js)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class View(anywidget.AnyWidget):
    """The report of a panel. `key` is that of the static report beside it.

    `inputs` has for each row of inputs the models of its slider and its box, its name, and lo, hi, steps of its grid.
    All else goes by messages, which a saved notebook does not keep: `asked` is called with what the page asks.
    """

    # Text, not a Path: anywidget watches a file for changes, and what watches keeps every instance alive.
    _esm = (_HERE / "view.js").read_text(encoding="utf-8")
    _css = (_HERE / "panel.css").read_text(encoding="utf-8")
    key = traitlets.Unicode().tag(sync=True)
    inputs: Any = traitlets.List().tag(sync=True)

    def __init__(self, asked: Callable[[dict[str, Any]], None], **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(lambda widget, content, buffers: asked(content))
