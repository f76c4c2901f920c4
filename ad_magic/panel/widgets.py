"""Small things that every widget of ours needs."""

from __future__ import annotations

from typing import Any

import ipywidgets


def classed(widget: Any, name: str) -> Any:
    widget.add_class(name)
    return widget


SHARED = "ad-shared"  # the class of what belongs to several panels: none of them closes it


def close(widget: Any, *, shared: bool = False) -> None:
    """A widget with all that was made with it: closing a box closes neither its children nor its layout.

    What is shared stays, unless it is said.
    """
    if SHARED in getattr(widget, "_dom_classes", ()) and not shared:
        return
    for child in getattr(widget, "children", ()):
        close(child)
    for part in (getattr(widget, "layout", None), getattr(widget, "style", None), widget):
        if isinstance(part, ipywidgets.Widget):
            part.close()


def cleared(handle: Any) -> None:
    """Leave nothing of an output: a saved notebook then holds no widget there."""
    if handle is not None:
        handle.update({"text/html": "<span></span>", "text/plain": ""}, raw=True)
