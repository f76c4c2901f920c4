"""Which panel belongs to which cell, so that running a cell again closes what its last run has shown.

ipywidgets keeps every widget until it is closed, and closing a box closes neither its children nor their layouts: 100
runs of a cell with three sliders leave 1400 models behind. A panel is known here by the id of its cell; front ends that
tell none (nbclient) get a key of the caller's, the text of the cell.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol

LIMIT = 100  # panels: where a page does not tell that a cell is deleted, the oldest are closed


class Closable(Protocol):
    def close(self) -> None: ...
    def freeze(self) -> None: ...


_panels: dict[Hashable, tuple[object, list[Closable]]] = {}  # cell -> the execution that made them, and they
_hooked: list[Any] = []  # the shell whose event we listen to


def keep(panel: Closable, fallback: Hashable) -> None:
    """Remember a panel of the cell that is running. Those of an earlier execution of the same cell are closed."""
    cell, execution = _where(fallback)
    if cell in _panels and _panels[cell][0] != execution:
        close(cell)
    # taken out and put back: the dict is in the order of use
    _, panels = _panels.pop(cell, (execution, []))
    _panels[cell] = (execution, [*panels, panel])
    while sum(len(panels) for _, panels in _panels.values()) > LIMIT and len(_panels) > 1:
        close(next(iter(_panels)))
    _listen()


def close(cell: Hashable) -> None:
    """Close the panels of a cell."""
    for panel in _panels.pop(cell, (None, []))[1]:
        panel.close()


def forget(panel: Closable) -> None:
    """A panel is closed by its owner."""
    for cell, (execution, panels) in list(_panels.items()):
        kept = [one for one in panels if one is not panel]
        if kept:
            _panels[cell] = execution, kept
        else:
            del _panels[cell]


def freeze_all() -> None:
    """Put the report in the place of every panel, at the point where it stands."""
    for panel in [panel for _, panels in _panels.values() for panel in panels]:
        forget(panel)
        panel.freeze()


def close_all() -> None:
    """Close every panel and listen to nothing any more: for unloading the extension."""
    for cell in list(_panels):
        close(cell)
    while _hooked:
        _hooked.pop().events.unregister("pre_run_cell", _cell_starts)


def count() -> int:
    """How many panels are open."""
    return sum(len(panels) for _, panels in _panels.values())


def _where(fallback: Hashable) -> tuple[Hashable, object]:
    """The cell that is running, and this very execution of it."""
    shell = _shell()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    message = (parent.get("header") or {}).get("msg_id")
    cell = (parent.get("metadata") or {}).get("cellId")
    # without a kernel there is no message: each panel is an execution of its own
    return cell or ("text", fallback), message or object()


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _listen() -> None:
    """A cell that is run again loses its outputs at once, also where the new run shows no panel or fails."""
    shell = _shell()
    if shell is not None and shell not in _hooked:
        shell.events.register("pre_run_cell", _cell_starts)
        _hooked.append(shell)


def _cell_starts(info: Any) -> None:
    cell = getattr(info, "cell_id", None)
    if cell is not None:
        close(cell)
