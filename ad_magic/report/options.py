"""How a report is shown. One place for the defaults that the magics, the panel and the renderers share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """Settings of a view, from `%config ADMagic` and the options of the magic."""

    digits: int = 6  # significant digits of a number
    max_rows: int = 60  # rows of a table, nodes of a graph: what is more is folded or left out, and said so
    show: str = "tables"  # what is open first: tables, graph, curves, code, check
    continuous_update: bool = True  # recompute while a slider moves, not only when it is let go
    live: bool = True  # a panel with a script in the page; else it is of core ipywidgets only
