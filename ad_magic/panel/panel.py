"""The panel: a row for each input, and the report, which follows them.

Two outputs of the cell: the static report, which a saved notebook keeps, and the panel. While the panel lives in the
page the static report is hidden (companion.js); it is brought up to date when the sliders have come to rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets
from IPython import get_ipython
from IPython.display import display

from ad_magic.report.entries import Entries, is_array, is_scalar, span_of, spread
from ad_magic.report.grid import Grid, around, given, widen
from ad_magic.report.options import ViewOptions

from . import registry
from .companion import Companion
from .trouble import describe

Evaluate = Callable[[dict[str, Any]], Any]  # inputs by name -> a Result; may raise anything

SLOW = 0.150  # seconds: a recompute that takes longer is not for every step of a moving slider
NAME_WIDTH = 20  # characters of an input's name; a longer one is cut
REST = 0.3  # seconds without a change: the gesture is over


def show(
    result: Any,
    evaluate: Evaluate,
    *,
    ranges: Mapping[str, Sequence[float | None]] | None = None,
    options: ViewOptions | None = None,
) -> None:
    """Display a result with sliders that move its inputs.

    `evaluate` recomputes the program at new inputs; `ranges` has (lo, hi, step) for those inputs ("x"), or entries of
    inputs ("x[0, 1]"), whose slider the user has described (the step may be None). A result without an input that
    can be moved is displayed without a panel.
    """
    view = options or ViewOptions()
    static = StaticReport(view, ranges or {})
    static.show(result)
    if any(is_scalar(value) or is_array(value) for value in result.inputs.values()):
        panel = Panel(result, evaluate, ranges or {}, view, static)
        registry.keep(panel, _text(result))
        display(panel.root)


def _text(result: Any) -> str:
    """The text of the cell, by which it is known where the front end gives it no id."""
    return "\n".join(next(iter(result.sources.values())).lines) if result.sources else ""


class StaticReport:
    """The report as an output of its own: HTML and text, no widget, so that it is there in every saved notebook."""

    def __init__(self, options: ViewOptions, ranges: Mapping[str, Sequence[float | None]] | None = None) -> None:
        self.options = options
        self.ranges = ranges or {}
        self.key = secrets.token_hex(6)  # this output and no other, also not a copy of the cell
        self.handle: Any = None

    def html(self, result: Any) -> str:
        o = self.options
        return result.to_html(digits=o.digits, max_rows=o.max_rows, show=o.show, ranges=self.ranges)

    def show(self, result: Any, html: str | None = None) -> None:
        """Display a result, the first time; after that, put it in the place of the one before."""
        bundle = {
            "text/html": f'<div data-ad-static="{self.key}">{self.html(result) if html is None else html}</div>',
            "text/plain": result.to_text(
                digits=self.options.digits,
                max_rows=self.options.max_rows,
                show=self.options.show,
                ranges=self.ranges,
            ),
        }
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)


class Live(ipywidgets.VBox):
    """The root of a panel. Where widgets are not shown it is nothing at all: the static report stands beside it."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": "", "text/html": "<span></span>"}


class InputRow:
    """A slider and a number box for one number: `value` is where they stand.

    The number is an input, or the entry `place` of an input that is an array: `name` is "x" or "x[1]", `of` is "x".
    The slider counts steps of `grid`. It never speaks first: a value that is not on the grid (π) stays as it is until
    somebody moves the slider.
    """

    def __init__(
        self,
        name: str,
        value: float,
        grid: Grid,
        moved: Callable[[InputRow], None],
        of: str = "",
        place: tuple[int, ...] | None = None,
    ) -> None:
        self.name, self.of, self.place = name, of or name, place
        self.start = self.value = value
        self.start_grid = self.grid = widen(grid, value)
        self._moved = moved
        self._quiet = False
        self.slider = ipywidgets.IntSlider(
            value=self.grid.index(value) if math.isfinite(value) else 0, min=0, max=self.grid.steps, readout=False
        )
        self.box = ipywidgets.FloatText(value=value)
        self.slider.observe(self._slid, "value")
        self.box.observe(self._typed, "value")
        self.label = self._label()
        self.root = ipywidgets.HBox([self.label, self.slider, self.box])
        _classed(self.slider, "ad-slider")
        _classed(self.box, "ad-box")
        _classed(self.root, "ad-input")

    def _label(self) -> Any:
        """What stands before the slider."""
        return _name(self.name)

    @property
    def label_width(self) -> int:
        """Its width in characters."""
        return min(len(self.name), NAME_WIDTH)

    def _slid(self, change: Any) -> None:
        if not self._quiet:
            self.put(self.grid.value(change.new))
            self._moved(self)

    def _typed(self, change: Any) -> None:
        if not self._quiet and math.isfinite(change.new):
            self.put(change.new)
            self._moved(self)

    def put(self, value: float, grid: Grid | None = None) -> None:
        """Stand at a value. A grid that does not reach so far gets longer."""
        self.value = value
        self.grid = widen(grid or self.grid, value)
        with self._quietly():
            self.slider.max = self.grid.steps
            if math.isfinite(value):
                self.slider.value = self.grid.index(value)
            self.box.value = value

    def reset(self) -> None:
        self.put(self.start, self.start_grid)

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """Slider and box follow each other: what one of them is told here is not news."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False


class PickedRow(InputRow):
    """One slider for an array of many entries: the index in a text box says which of them it moves."""

    def __init__(
        self,
        entries: Entries,
        place: tuple[int, ...],
        grid_at: Callable[[tuple[int, ...]], Grid],
        moved: Callable[[InputRow], None],
        picked: Callable[[PickedRow, str], None],
    ) -> None:
        self.entries, self._grid_at, self._picked = entries, grid_at, picked
        self._longer: dict[tuple[int, ...], Grid] = {}  # of entries that have been moved
        self.index = ipywidgets.Text(
            value=entries.index_text(place),
            continuous_update=False,
            tooltip=f"Which entry of {entries.name} to move: an index from {entries.ends}",
        )
        super().__init__(entries.label(place), entries.at(place), grid_at(place), moved, entries.name, place)
        self.index.layout.width = f"{self._index_width}ch"
        self.index.observe(self._indexed, "value")

    @property
    def _index_width(self) -> int:
        return max(len(self.entries.index_text(self.entries.last)), 3) + 3  # and the frame of the box

    def _label(self) -> Any:
        brackets = [_classed(ipywidgets.Label(text), "ad-bracket") for text in "[]"]
        parts = [_name(self.entries.name), brackets[0], _classed(self.index, "ad-index"), brackets[1]]
        return _classed(ipywidgets.HBox(parts), "ad-picked")

    @property
    def label_width(self) -> int:
        return min(len(self.entries.name), NAME_WIDTH) + self._index_width + 2

    def _indexed(self, change: Any) -> None:
        if self._quiet:
            return
        place = self.entries.parse(change.new)
        if place is None:
            with self._quietly():
                self.index.value = self.entries.index_text(self.place)
            self._picked(self, f"{self.entries.name} has entries {self.entries.ends}.")
        else:
            self.pick(place)
            self._picked(self, "")

    def pick(self, place: tuple[int, ...]) -> None:
        """Stand at another entry, which keeps its value."""
        self.place, self.name = place, self.entries.label(place)
        with self._quietly():
            self.index.value = self.entries.index_text(place)
        super().put(self.entries.at(place), self._longer.get(place) or self._grid_at(place))

    def put(self, value: float, grid: Grid | None = None) -> None:
        super().put(value, grid)
        assert self.place is not None
        self._longer[self.place] = self.grid

    def reset(self) -> None:
        self._longer.clear()
        assert self.place is not None
        self.pick(self.place)


class Panel:
    """One panel: its rows, the report, the status line. `root` is the widget to display."""

    def __init__(
        self,
        result: Any,
        evaluate: Evaluate,
        ranges: Mapping[str, Sequence[float | None]],
        options: ViewOptions,
        static: StaticReport,
    ) -> None:
        self.evaluate, self.options, self.static = evaluate, options, static
        self.result = result  # the last good one
        self.html = static.html(result)
        self.inputs = dict(result.inputs)
        self.arrays = {name: Entries(name, value) for name, value in result.inputs.items() if is_array(value)}
        self.rows: list[InputRow] = self._make_rows(ranges)
        self._pending: asyncio.TimerHandle | None = None
        self._asked = False  # a recompute waits for the main thread
        self._every_step(options.continuous_update)

        self.view = _classed(ipywidgets.HTML(self.html), "ad-view")
        self.status = _classed(ipywidgets.HTML(), "ad-status")
        self.reset_button = _classed(
            ipywidgets.Button(description="Reset", tooltip="Back to where it began"), "ad-reset"
        )
        self.reset_button.on_click(lambda _: self.reset())
        self.companion = Companion(key=static.key, inputs=self._grids())
        width = max(row.label_width for row in self.rows)
        for row in self.rows:  # one slider below the other
            row.label.layout.width = f"{width}ch"
        fixed = [name for name, value in result.inputs.items() if not is_scalar(value) and not is_array(value)]
        rows = [row.root for row in self.rows] + [_fixed_row(name, result.inputs[name], width) for name in fixed]
        self.root = _classed(
            Live(
                [
                    _classed(ipywidgets.VBox(rows), "ad-inputs"),
                    _classed(ipywidgets.HBox([self.reset_button, self.status]), "ad-bar"),
                    self.view,
                    self.companion,
                ]
            ),
            "ad-panel",
        )

    def _make_rows(self, ranges: Mapping[str, Sequence[float | None]]) -> list[InputRow]:
        """A row for each number, and for each entry of a small array; one for a larger array."""
        small = spread(self.inputs)
        rows: list[InputRow] = []
        for name, value in self.inputs.items():
            if is_scalar(value):
                grid = given(ranges[name]) if name in ranges else around(float(value))
                rows.append(InputRow(name, float(value), grid, self._moved))
            elif name in self.arrays:
                rows += self._rows_of(self.arrays[name], ranges, each=name in small)
        return rows

    def _rows_of(
        self, entries: Entries, ranges: Mapping[str, Sequence[float | None]], *, each: bool
    ) -> Iterator[InputRow]:
        def grid_at(place: tuple[int, ...]) -> Grid:
            span = span_of(ranges, entries, place)
            return given(span) if span else around(entries.start_at(place), entries.typical)

        if each:
            for place in entries.places():
                label, value = entries.label(place), entries.at(place)
                yield InputRow(label, value, grid_at(place), self._moved, entries.name, place)
        else:  # the entry that the user has described comes first
            named = (entries.parse(key[len(entries.name) :]) for key in ranges if key.startswith(f"{entries.name}["))
            first = next((place for place in named if place is not None), entries.first)
            yield PickedRow(entries, first, grid_at, self._moved, self._picked)

    # ---- what a user does

    def _moved(self, row: InputRow) -> None:
        self.inputs[row.of] = row.value if row.place is None else self.arrays[row.of].moved(row.place, row.value)
        self.recompute()

    def _picked(self, row: PickedRow, message: str) -> None:
        """Another entry stands at the slider: nothing has moved."""
        self._say(message)
        self._tell_grids()

    def reset(self) -> None:
        """Every input back to where it began."""
        for name, entries in self.arrays.items():
            self.inputs[name] = entries.reset()
        for row in self.rows:
            row.reset()
            if row.place is None:
                self.inputs[row.of] = row.value
        self.recompute()

    # ---- what follows from it

    def recompute(self) -> None:
        """Run the program at the inputs, on the kernel's main thread.

        A front end may send the moves of a slider to a thread of their own. A program that runs there would see the
        namespace in the middle of somebody's cell, and could not be interrupted. Moves that come in the
        meantime are one recompute.
        """
        loop = _main_loop()
        if loop is None:
            self._recompute()
        elif not self._asked:
            self._asked = True
            loop.add_callback(self._recompute)

    def _recompute(self) -> None:
        """What the program raises stands in the status line, and the last good report stays."""
        self._asked = False
        began = time.perf_counter()
        try:
            with _interruptible(), _unseen():
                result = self.evaluate(dict(self.inputs))
            html = self.static.html(result)
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            self._say(f'<span class="ad-error">{describe(error, self._cell())}</span>')
            self.view.add_class("ad-stale")
            return
        self.result, self.html = result, html
        self.view.value = html
        self.view.remove_class("ad-stale")
        self._pace(time.perf_counter() - began)
        self._tell_grids()
        self._save_soon()

    def _pace(self, seconds: float) -> None:
        """A slow program follows a slider when it is let go; one that has become fast follows every step again."""
        if not self.options.continuous_update:
            self._say("")
        elif seconds > SLOW:
            self._every_step(False)
            self._say(f"A run takes {seconds:.2g} s: the numbers follow when the slider is let go.")
        elif seconds < SLOW / 2 or self.rows[0].slider.continuous_update:
            self._every_step(True)
            self._say("")

    def _every_step(self, yes: bool) -> None:
        for row in self.rows:
            row.slider.continuous_update = yes

    def _say(self, html: str) -> None:
        self.status.value = f'<div role="status">{html}</div>' if html else ""

    def _cell(self) -> Any:
        return next(iter(self.result.sources.values()), None)

    def _grids(self) -> list[dict[str, Any]]:
        return [{"name": row.name, "lo": row.grid.lo, "hi": row.grid.hi, "steps": row.grid.steps} for row in self.rows]

    def _tell_grids(self) -> None:
        grids = self._grids()
        if grids != self.companion.inputs:
            self.companion.inputs = grids

    # ---- the static report

    def _save_soon(self) -> None:
        """Bring the static report up to date once the sliders rest: one update for a gesture, not one for a step."""
        self._cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel, so nobody's time to save
            self._save()
        else:
            self._pending = loop.call_later(REST, self._save)

    def _save(self) -> None:
        self._pending = None
        self.static.show(self.result, self.html)

    def _cancel(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def close(self) -> None:
        """Close every widget that was built here. What the sliders last showed stays in the static report."""
        if self._pending is not None:
            self._cancel()
            self._save()
        _close(self.root)


def _main_loop() -> Any:
    """The kernel's main loop, where it is not the one that we are in."""
    if threading.current_thread() is threading.main_thread():
        return None
    return getattr(getattr(get_ipython(), "kernel", None), "io_loop", None)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt of the kernel through; between cells it is ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _unseen() -> Iterator[None]:
    """Hold back what a program prints or displays: it has been seen once, and would land under another cell.

    Only by means of this thread: the shell's own publisher stays in its place for cells that run meanwhile.
    """
    publisher: Any = getattr(get_ipython(), "display_pub", None)
    hook = _nothing if hasattr(publisher, "register_hook") else None
    if hook is not None:
        publisher.register_hook(hook)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        if hook is not None:
            publisher.unregister_hook(hook)


def _nothing(message: Any) -> None:
    """A message that is not sent on."""


def _fixed_row(name: str, value: Any, width: int) -> ipywidgets.HBox:
    """An input without a slider: its name and what it is."""
    label = _name(name)
    label.layout.width = f"{width}ch"
    return _classed(ipywidgets.HBox([label, _classed(ipywidgets.Label(_shorten(value)), "ad-fixed")]), "ad-input")


def _name(name: str) -> ipywidgets.Label:
    return _classed(ipywidgets.Label(name), "ad-input-name")


def _shorten(value: Any, length: int = 60) -> str:
    text = " ".join(str(value).split())
    shape = " × ".join(str(n) for n in getattr(value, "shape", ()))
    short = text if len(text) <= length else f"{text[:length]}…"
    return f"{short} ({shape})" if shape else short


def _classed(widget: Any, name: str) -> Any:
    widget.add_class(name)
    return widget


def _close(widget: Any) -> None:
    """A widget with all that was made with it: closing a box closes neither its children nor its layout."""
    for child in getattr(widget, "children", ()):
        _close(child)
    for part in (getattr(widget, "layout", None), getattr(widget, "style", None), widget):
        if isinstance(part, ipywidgets.Widget):
            part.close()
