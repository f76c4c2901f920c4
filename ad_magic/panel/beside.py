"""What a panel of its own needs that is no report: its style, a root that leaves nothing behind, being closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
from IPython.display import display

from . import registry
from .widgets import classed, cleared, close

STYLE = (Path(__file__).parent / "boxes.css").read_text(encoding="utf-8")


class Beside(ipywidgets.VBox):
    """A root that is nothing where widgets are not shown: what it belongs to stands above it."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": "", "text/html": "<span></span>"}


def rooted(*children: Any) -> Beside:
    """The root of such a panel, with its style sheet."""
    style = ipywidgets.HTML(f"<style>{STYLE}</style>")
    style.layout.display = "none"
    root: Beside = classed(Beside([style, *children]), "ad-boxes")
    return root


class Box:
    """A panel that the registry closes when its cell runs again."""

    root: Any
    handle: Any = None  # of the output that shows it

    def show(self, text: str) -> None:
        """Display it. `text` is that of the cell, by which it is known where the front end gives no id."""
        registry.keep(self, text)
        self.handle = display(self.root, display_id=True)

    def freeze(self) -> None:
        """Leave what it belongs to, which stands above it, alone."""
        cleared(self.handle)
        self.close()

    def close(self) -> None:
        """Close every widget that was built here."""
        close(self.root)


def text_of(result: Any) -> str:
    """The text of the cell of a result."""
    return "\n".join(next(iter(result.sources.values())).lines) if result.sources else ""
