"""The panel: a row for each input, and the report, which follows them.

Two outputs of the cell: the static report, which a saved notebook keeps, and the panel. While the panel lives in the
page the static report is hidden (companion.js); it is brought up to date when the sliders have come to rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import numbers
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets
from IPython import get_ipython
from IPython.display import display

from ad_magic.report.options import ViewOptions

from . import registry
from .companion import Companion
from .grid import Grid, around, given, widen
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

    `evaluate` recomputes the program at new inputs; `ranges` has (lo, hi, step) for those inputs whose slider the user
    has described (the step may be None). A result without a scalar input is displayed without a panel.
    """
    view = options or ViewOptions()
    static = StaticReport(view)
    static.show(result)
    if any(is_scalar(value) for value in result.inputs.values()):
        panel = Panel(result, evaluate, ranges or {}, view, static)
        registry.keep(panel, _text(result))
        display(panel.root)


def is_scalar(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _text(result: Any) -> str:
    """The text of the cell, by which it is known where the front end gives it no id."""
    return "\n".join(next(iter(result.sources.values())).lines) if result.sources else ""


class StaticReport:
    """The report as an output of its own: HTML and text, no widget, so that it is there in every saved notebook."""

    def __init__(self, options: ViewOptions) -> None:
        self.options = options
        self.key = secrets.token_hex(6)  # this output and no other, also not a copy of the cell
        self.handle: Any = None

    def html(self, result: Any) -> str:
        o = self.options
        return result.to_html(digits=o.digits, max_rows=o.max_rows, show=o.show)

    def show(self, result: Any, html: str | None = None) -> None:
        """Display a result, the first time; after that, put it in the place of the one before."""
        bundle = {
            "text/html": f'<div data-ad-static="{self.key}">{self.html(result) if html is None else html}</div>',
            "text/plain": result.to_text(digits=self.options.digits, max_rows=self.options.max_rows),
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
    """A slider and a number box for one input: `value` is where they stand.

    The slider counts steps of `grid`. It never speaks first: a value that is not on the grid (π) stays as it is until
    somebody moves the slider.
    """

    def __init__(self, name: str, value: float, grid: Grid, moved: Callable[[InputRow], None]) -> None:
        self.name = name
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
        self.root = ipywidgets.HBox([_name(name), self.slider, self.box])
        _classed(self.slider, "ad-slider")
        _classed(self.box, "ad-box")
        _classed(self.root, "ad-input")

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
        self.rows = [
            InputRow(name, float(value), given(ranges[name]) if name in ranges else around(float(value)), self._moved)
            for name, value in result.inputs.items()
            if is_scalar(value)
        ]
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
        rows = [row.root for row in self.rows]
        rows += [_fixed_row(name, value) for name, value in result.inputs.items() if not is_scalar(value)]
        for row in rows:  # one slider below the other
            row.children[0].layout.width = f"{min(max(map(len, result.inputs)), NAME_WIDTH)}ch"
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

    # ---- what a user does

    def _moved(self, row: InputRow) -> None:
        self.inputs[row.name] = row.value
        self.recompute()

    def reset(self) -> None:
        """Every input back to where it began."""
        for row in self.rows:
            row.reset()
            self.inputs[row.name] = row.value
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
        grids = self._grids()
        if grids != self.companion.inputs:
            self.companion.inputs = grids
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


def _fixed_row(name: str, value: Any) -> ipywidgets.HBox:
    """An input without a slider: its name and what it is."""
    return _classed(ipywidgets.HBox([_name(name), _classed(ipywidgets.Label(_shorten(value)), "ad-fixed")]), "ad-input")


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
