"""One slider for several panels."""

from __future__ import annotations

import math
from importlib import resources
from typing import Any

import ipywidgets
from IPython.display import display

from ad_magic.report.grid import Grid, around, given, widen

from . import registry
from .dial import Dial
from .inputs import InputRow, align
from .widgets import SHARED, classed, close


class Slider:
    """See `slider`. `value` is where it stands; it can be set."""

    def __init__(self, name: str, grid: Grid, value: float, step: float | None) -> None:
        self.name = name
        self.dial = Dial(value, grid, step)
        for widget in (self.dial.slider, self.dial.box):
            classed(widget, SHARED)
        self._shown: list[tuple[InputRow, Any, Any]] = []  # by itself: a row, its root, the output

    @property
    def value(self) -> float:
        """Where it stands, exactly."""
        return self.dial.value

    @value.setter
    def value(self, value: float) -> None:
        if not math.isfinite(value):
            raise ValueError(f"a slider stands at a number, not at {value}")
        self.dial.put(float(value))

    @property
    def grid(self) -> Grid:
        return self.dial.grid

    @property
    def span(self) -> tuple[float, float, float | None]:
        """(lo, hi, step) of its range."""
        return self.grid.lo, self.grid.hi, self.dial.step

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        step = "" if self.dial.step is None else f", step={self.dial.step!r}"
        return f"slider({self.name!r}, {self.grid.lo!r}, {self.grid.hi!r}, value={self.value!r}{step})"

    def _ipython_display_(self) -> None:
        """Show it by itself."""
        row = InputRow(self.name, self.dial, lambda row: None)
        align([row])
        css = (resources.files(__package__) / "panel.css").read_text(encoding="utf-8")
        style = classed(ipywidgets.HTML(f"<style>{css}</style>"), "ad-style")
        style.layout.display = "none"
        inputs = classed(ipywidgets.VBox([row.root]), "ad-inputs")
        root = classed(Alone([style, inputs, *_names(row)]), "ad-panel")
        root.text = repr(self)
        self._shown.append((row, root, display(root, display_id=True)))

    def close(self) -> None:
        """Close its widgets, as soon as no panel shows it any more. It keeps its value."""
        for row, root, _ in self._shown:
            row.close()
            close(root)
        self._shown.clear()
        self.dial.retire()

    def freeze(self) -> None:
        """Leave its value in the place of where it is shown by itself."""
        for _, _, output in self._shown:
            if output is not None:
                output.update({"text/plain": repr(self)}, raw=True)
        self.close()


class Alone(ipywidgets.VBox):
    """What shows a slider by itself. Where widgets are not shown it is a text."""

    text = ""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": self.text}


def _names(row: InputRow) -> list[Any]:
    """What gives the controls their names in the page, and the keys to the slider: not there without anywidget."""
    try:
        from .view import View
    except ImportError:
        return []
    grid = {"lo": row.grid.lo, "hi": row.grid.hi, "steps": row.grid.steps}
    models = {"slider": row.slider.model_id, "box": row.box.model_id}
    view = View(lambda question: None, key=f"slider-{id(row)}", inputs=[{"name": row.name, **grid, **models}])

    def regridded() -> None:
        align([row])
        now = {"lo": row.grid.lo, "hi": row.grid.hi, "steps": row.grid.steps}
        view.inputs = [{"name": row.name, **now, **models}]

    row.regridded = regridded
    return [view]


def slider(
    name: str,
    lo: float | None = None,
    hi: float | None = None,
    *,
    value: float | None = None,
    step: float | None = None,
) -> Slider:
    """A slider that several panels share: moved in one of them, it moves in all.

    A panel uses it where an input is given as such a slider: `%%grad x` where the variable x is one, or
    `explore(f, x=s)`. The cell or the function gets its value, a float. `lo` and `hi` are the ends of the range (by
    default around the value), `value` where it begins (by default in the middle), `step` its step. As the last
    expression of a cell it is shown by itself. Raises ValueError for a range that is none.

    >>> s = slider("x", 0, 1, value=0.25)
    >>> float(s)
    0.25
    >>> s.value = 0.5
    >>> s
    slider('x', 0.0, 1.0, value=0.5)
    """
    if (lo is None) != (hi is None):
        raise ValueError(f"slider {name!r}: give both ends of the range, or none")
    if lo is None or hi is None:
        grid = around(1.0 if value is None else float(value))
        start = 1.0 if value is None else float(value)
    else:
        if not (math.isfinite(lo) and math.isfinite(hi) and lo < hi) or (step is not None and not step > 0):
            raise ValueError(f"slider {name!r}: a range is lo, hi with lo < hi, and a step above 0")
        grid = given((float(lo), float(hi), step))
        start = grid.value(grid.steps // 2) if value is None else float(value)
    if not math.isfinite(start):
        raise ValueError(f"slider {name!r} stands at a number, not at {start}")
    made = Slider(name, widen(grid, start), start, step)
    registry.keep(made, made)
    return made
