"""The one piece of our own JavaScript in a panel: it sees to what ipywidgets cannot do (companion.js says what)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class Companion(anywidget.AnyWidget):
    """Stands unseen in a panel. `key` is that of the static report; `inputs` has name, lo, hi, steps of each slider."""

    # Text, not a Path: anywidget watches a file for changes, and what watches keeps every instance alive.
    _esm = (_HERE / "companion.js").read_text(encoding="utf-8")
    _css = (_HERE / "panel.css").read_text(encoding="utf-8")
    key = traitlets.Unicode().tag(sync=True)
    inputs: Any = traitlets.List().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        # The page asks whether a kernel is there: in an exported page nobody answers, and the static report stays.
        self.on_msg(lambda widget, content, buffers: widget.send({"alive": True}))
