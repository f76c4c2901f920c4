"""A slider and a number box that stand at one number, for one row of a panel or for rows of several."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any, Protocol

import ipywidgets

from ad_magic.report.grid import Grid, given, widen

from .widgets import classed, close

LATE = 2.0  # seconds: a page tells of a box when its slider rests (view.js), and a kernel may be busy


class Listener(Protocol):
    """A row that shows a dial."""

    def dial_moved(self) -> None: ...  # by somebody's hand; each page that shows it has seen that too
    def dial_placed(self) -> None: ...  # on behalf of another row
    def dial_regridded(self) -> None: ...  # the grid is about to be another


class Dial:
    """`value` is where slider and box stand, at first at `start`.

    The slider counts steps of `grid`. It never speaks first: a value that is not on the grid (π) stays as it is until
    somebody moves the slider. `step` is the step that a user has asked for.
    """

    def __init__(self, value: float, grid: Grid, step: float | None = None) -> None:
        self.start = self.value = value
        self.start_grid = self.grid = widen(grid, value)
        self.step = step
        self.rows: list[Listener] = []
        self.paired: set[int] = set()  # the pages (by a number of theirs) that keep slider and box together themselves
        self.retired = False  # whoever made it for several panels is done with it
        self._quiet = False
        self._owed = (math.nan, 0.0)  # what a page is about to tell of the box, since when
        index = self.grid.index(value) if math.isfinite(value) else 0
        self.slider = classed(ipywidgets.IntSlider(value=index, min=0, max=self.grid.steps, readout=False), "ad-slider")
        self.box = classed(ipywidgets.FloatText(value=value), "ad-box")
        self.slider.observe(self._slid, "value")
        self.box.observe(self._typed, "value")

    def _slid(self, change: Any) -> None:
        still = math.isfinite(self.value) and change.new == self.grid.index(self.value)
        if not self._quiet and not still:
            value = self.grid.value(change.new)
            self._owed = (value, time.monotonic()) if self.paired else (math.nan, 0.0)
            self._go(value)

    def _typed(self, change: Any) -> None:
        owed, since = self._owed
        if change.new == owed and not self._quiet:
            self._owed = (math.nan, 0.0)
            if change.new != self.value and time.monotonic() - since < LATE:  # it has been put elsewhere since
                with self._quietly():
                    self.box.value = self.value
                return
        if not self._quiet and math.isfinite(change.new) and change.new != self.value:
            self._go(change.new)

    def _go(self, value: float) -> None:
        """Somebody has moved it. What is told to a page in the middle of a gesture would pull the slider back."""
        if self.paired and self.grid.holds(value):
            self.value = value
        else:
            self._stand(value, widen(self.grid, value))
        for row in list(self.rows):
            row.dial_moved()

    def put(self, value: float, grid: Grid | None = None, by: Listener | None = None) -> None:
        """Stand at a value, on behalf of a row. A grid that does not reach so far gets longer."""
        before = self.value, self.grid
        self._stand(value, widen(grid or self.grid, value))
        if (self.value, self.grid) != before:
            for row in list(self.rows):
                if row is not by:
                    row.dial_placed()

    def _stand(self, value: float, grid: Grid) -> None:
        """The box is told before the slider: a slider that moves alone is taken for somebody's hand (view.js).

        Then the slider's range, where it grows, before its place, in messages of their own: a place beyond the range
        that the page knows would be cut off there.
        """
        self.value, self.grid = value, grid
        with self._quietly():
            for row in list(self.rows):
                row.dial_regridded()
            self.box.value = value
            self.slider.max = max(grid.steps, self.slider.max)
            if math.isfinite(value):
                self.slider.value = grid.index(value)
            self.slider.max = grid.steps

    def between(self, lo: float, hi: float, by: Listener | None = None) -> None:
        """Reach from lo to hi. A value that is outside goes along with the nearer end."""
        self.put(min(max(self.value, lo), hi), given((lo, hi, self.step)), by)

    def retire(self) -> None:
        """Its owner is done with it: it is closed as soon as no row shows it."""
        self.retired = True
        self.leave(None)

    def leave(self, row: Listener | None) -> None:
        """A row is closed."""
        if row in self.rows:
            self.rows.remove(row)
        if self.retired and not self.rows:
            for widget in (self.slider, self.box):
                close(widget, shared=True)

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """Slider and box follow each other: what one of them is told here is not news."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False
