"""Showing a result with its panel: two outputs of a cell, the static report and what moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from IPython.display import display

from ad_magic.report.entries import is_array, is_scalar
from ad_magic.report.options import ViewOptions

from . import registry
from .panel import Again, Panel
from .paths import Evaluate
from .slider import Slider
from .static import StaticReport


def show(
    result: Any,
    evaluate: Evaluate,
    *,
    ranges: Mapping[str, Sequence[float | None]] | None = None,
    options: ViewOptions | None = None,
    shared: Mapping[str, Slider] | None = None,
    again: Again | None = None,
) -> None:
    """Display a result with sliders that move its inputs.

    `evaluate` recomputes the program at new inputs; `ranges` has (lo, hi, step) for those inputs ("x"), or entries of
    inputs ("x[0, 1]"), whose slider the user has described (the step may be None); `shared` are inputs that have a
    slider together with other panels; `again` writes the line of code that begins at a point. A result without an input
    that can be moved is displayed without a panel.
    """
    view = options or ViewOptions()
    static = StaticReport(view, ranges or {})
    static.show(result)
    if any(is_scalar(value) or is_array(value) for value in result.inputs.values()):
        panel = Panel(result, evaluate, ranges or {}, view, static, shared, again)
        registry.keep(panel, _text(result))
        panel.handle = display(panel.root, display_id=True)


def _text(result: Any) -> str:
    """The text of the cell, by which it is known where the front end gives it no id."""
    return "\n".join(next(iter(result.sources.values())).lines) if result.sources else ""
