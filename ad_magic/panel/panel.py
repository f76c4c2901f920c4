"""The panel: a row for each input, and the report, which follows them.

Two outputs of the cell: the static report, which a saved notebook keeps, and the panel. While the panel lives in the
page the static report is hidden (view.js); it is brought up to date when the sliders have come to rest.

The page computes where the run has a program in JavaScript: the kernel is told what moves, and has its say when the
gesture is over, where a decision comes out otherwise, and where a number is not finite. Else it computes each step.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets

from ad_magic.report.entries import Entries, is_array, is_scalar
from ad_magic.report.options import ViewOptions

from . import registry
from .actions import Toolbar
from .inputs import InputRow, PickedRow, align, fixed_row, input_rows
from .paths import Evaluate, Paths
from .running import interruptible, main_loop, unseen
from .slider import Slider
from .static import StaticReport
from .trouble import describe
from .widgets import classed, cleared, close

Again = Callable[[Mapping[str, Any], Mapping[str, Any]], str]  # inputs, ranges -> a line of code

SLOW = 0.150  # seconds: a recompute that takes longer is not for every step of a moving slider
REST = 0.3  # seconds without a change: the gesture is over


def _page(options: ViewOptions) -> tuple[Any, str]:
    """What a panel tells its page, and why it is not more."""
    why = ""
    if options.live:
        try:
            from .page import Page

            return Page, ""
        except ImportError as error:
            why = f"Without anywidget the numbers come from the kernel at each step ({escape(str(error))})."
    from .html_page import HtmlPage

    return HtmlPage, why


class Live(ipywidgets.VBox):
    """The root of a panel. Where widgets are not shown it is nothing at all: the static report stands beside it."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": "", "text/html": "<span></span>"}


class Panel:
    """One panel: its rows, the report, the status line. `root` is the widget to display, `bar` has its buttons."""

    def __init__(
        self,
        result: Any,
        evaluate: Evaluate,
        ranges: Mapping[str, Sequence[float | None]],
        options: ViewOptions,
        static: StaticReport,
        shared: Mapping[str, Slider] | None = None,
        again: Again | None = None,
    ) -> None:
        self.options, self.static, self.again = options, static, again
        self.handle: Any = None  # of the output that shows it
        self.paths = Paths(result, evaluate)
        self.inputs = dict(result.inputs)
        self.arrays = {name: Entries(name, value) for name, value in result.inputs.items() if is_array(value)}
        dials = {name: slider.dial for name, slider in (shared or {}).items()}
        self.rows: list[InputRow] = input_rows(self.inputs, self.arrays, ranges, self._moved, self._picked, dials)
        self._given = {row.name for row in self.rows if row.name in ranges}  # the user has described these ranges
        self._result = result  # the last good one
        self._stale = False  # the inputs are others than those that were tried last
        self._failed = False  # there the program has raised what stands in the status line
        self._slow = 0  # runs that took long, one after another
        self._waiting = False  # a recompute waits for the main thread
        self._pending: asyncio.TimerHandle | None = None
        self._every_step(options.continuous_update)

        self.status = classed(ipywidgets.HTML(), "ad-status")
        self.toolbar = Toolbar(self)
        self.reset_button = self.toolbar.buttons[0]
        self.bar = classed(ipywidgets.HBox(self.toolbar.buttons), "ad-buttons")
        page, why = _page(options)
        self.page = page(result, self.rows, static, self.paths, options, self._asked)
        self.say(why)
        for row in self.rows:
            row.regridded = self._regridded
        still = {name: x for name, x in result.inputs.items() if not is_scalar(x) and not is_array(x)}
        self.fixed = [fixed_row(name, value) for name, value in {**still, **result.run.fixed}.items()]
        align(self.rows, self.fixed)
        self.root = classed(
            Live(
                [
                    classed(ipywidgets.VBox([*(row.root for row in self.rows), *self.fixed]), "ad-inputs"),
                    classed(ipywidgets.HBox([self.bar, self.status]), "ad-bar"),
                    self.page.view,
                ]
            ),
            "ad-panel",
        )

    # ---- what a user does

    def _moved(self, row: InputRow) -> None:
        self._take(row)
        self.toolbar.noted(row)
        self._follow()

    def _take(self, row: InputRow) -> None:
        self._stand(row.of, row.place, row.value)

    def _stand(self, name: str, place: Any, value: float) -> None:
        """One number of the inputs. Slider and page both tell of a move: one run of it, or one interrupt, is enough."""
        now = self.inputs[name]
        if value != (now[place] if place else now):
            self.inputs[name] = self.arrays[name].moved(place, value) if place else value
            self._stale = True

    def _picked(self, row: PickedRow, message: str) -> None:
        """Another entry stands at the slider: nothing has moved."""
        self.say(message)

    def put(self, values: Mapping[str, float]) -> None:
        """Stand at these values, by the name of the row ("x", "w[1]"); one recompute for all of them."""
        for row in self.rows:
            if row.name in values:
                row.put(float(values[row.name]))
                self._take(row)
        self.toolbar.noted(None)
        self._put()

    def reset(self) -> None:
        """Every input back to where it began."""
        for name, entries in self.arrays.items():
            self.inputs[name] = entries.reset()
        for row in self.rows:
            row.reset()
            if row.place is None:
                self.inputs[row.of] = row.value
        self.toolbar.noted(None)
        self._put()

    def _put(self) -> None:
        self._stale = True
        self.page.stand(self._result, self.inputs)
        self._follow()

    def ranges(self) -> dict[str, tuple[float, float, float | None]]:
        """(lo, hi, step) of the ranges that the user has given or typed, by row."""
        own = (row for row in self.rows if row.own_range or row.name in self._given)
        return {row.name: (row.grid.lo, row.grid.hi, row.dial.step) for row in own}

    def say(self, html: str) -> None:
        """What stands in the status line."""
        self.status.value = f'<div role="status">{html}</div>' if html else ""

    @property
    def result(self) -> Any:
        """The Result at the inputs as they are; where the program raises there, the last good one."""
        if self._stale:
            self._evaluate()
        return self._result

    # ---- what follows from it

    def _follow(self) -> None:
        """The inputs are others: the page shows it by itself, or the program is run here."""
        if self.page.computes(self._result):
            self.on_main(self._rest)
        else:
            self.recompute()

    def recompute(self) -> None:
        """Run the program at the inputs. Moves that come in the meantime are one recompute."""
        if not self._waiting:
            self._waiting = True
            self.on_main(self._recompute)

    def on_main(self, act: Callable[[], None]) -> None:
        """Do something on the kernel's main thread.

        A front end may send the moves of a slider to a thread of their own. A program that runs there would see the
        namespace in the middle of somebody's cell, and could not be interrupted.
        """
        loop = main_loop()
        if loop is None:
            act()
        else:
            loop.add_callback(act)

    def _recompute(self) -> None:
        self._waiting = False
        began = time.perf_counter()
        fine = self._evaluate() if self._stale else not self._failed  # a look at `result` may have run it meanwhile
        if fine:
            self.page.follow(self._result)
            self._pace(time.perf_counter() - began)
            self._rest()

    def _evaluate(self) -> bool:
        """Compute the result. What the program raises stands in the status line, and the last good report stays."""
        inputs, self._stale = dict(self.inputs), False
        try:
            with interruptible(), unseen():
                result = self.paths.at(inputs)
                _ = result.flags  # the sweeps too may raise
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            self.say(f'<span class="ad-error">{describe(error, self._cell())}</span>')
            self._failed = True
            self.page.trouble(self._result, inputs)
            return False
        self._result = result
        if self._failed:
            self._failed = False
            self.say("")
        return True

    def _pace(self, seconds: float, patience: int = 1) -> None:
        """A slow program follows a slider when it is let go; one that has become fast follows every step again.

        `patience` is how many slow runs, one after another, are too many.
        """
        if not self.options.continuous_update:
            return
        self._slow = self._slow + 1 if seconds > SLOW else 0
        if self._slow >= patience:
            self._every_step(False)
            self.say(f"A run takes {seconds:.2g} s: the numbers follow when the slider is let go.")
        elif seconds < SLOW / 2 and not self.rows[0].slider.continuous_update:
            self._every_step(True)
            self.say("")

    def _every_step(self, yes: bool) -> None:
        for row in self.rows:
            row.slider.continuous_update = yes

    def _cell(self) -> Any:
        return next(iter(self._result.sources.values()), None)

    # ---- what the page asks

    def _asked(self, question: dict[str, Any]) -> None:
        match question:
            case {"ask": "program", "has": has}:
                self.page.pair()
                if self.page.is_ready(self._result) and not self._stale:
                    self.page.introduce(self._result, has)
                else:
                    self.on_main(lambda: self._introduce(has))
            case {"ask": "path", "x": x}:
                self.on_main(lambda: self._look(x))
            case {"ask": "figures", "what": what}:
                self.on_main(lambda: self._draw(what))
            case {"ask": "gone"}:
                self.on_main(self._gone)

    def _introduce(self, has: Sequence[str]) -> None:
        self.page.introduce(self.result, has)
        if self._failed:
            self.page.trouble(self._result, self.inputs)

    def _look(self, x: Sequence[float | None]) -> None:
        """The page cannot know what is at `x`: a decision comes out otherwise there, or a number is not finite."""
        try:
            self._look_at(x)
        except Exception:
            self.page.same()  # as long as a question is open the page asks no other
            raise

    def _look_at(self, x: Sequence[float | None]) -> None:
        for (name, place, _), value in zip(self._result.run.seeds, x, strict=True):
            if value is not None:
                self._stand(name, place, value)
        began, tried = time.perf_counter(), self._stale
        if tried and self._evaluate():
            self._pace(time.perf_counter() - began, patience=3)
        if self._failed and not tried:
            self.page.trouble(self._result, self.inputs)
        elif not self._failed and not self.page.tell(self._result):
            self.page.same()
        self._rest()

    def _draw(self, what: Mapping[str, Any]) -> None:
        with interruptible(), unseen():
            self.page.figures(self._result, what)

    def _gone(self) -> None:
        """The cell is deleted, or its output cleared."""
        registry.forget(self)
        self.close()

    def _regridded(self) -> None:
        align(self.rows, self.fixed)
        self.page.regrid(self._result)

    # ---- the end of a gesture

    def _rest(self) -> None:
        """Have the last word once the sliders rest: once for a gesture, not for a step."""
        self._cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel, so nobody's time to save
            self._settle()
        else:
            self._pending = loop.call_later(REST, self._settle)

    def _settle(self) -> None:
        """Bring the page and the static report up to date."""
        self._pending = None
        if self._stale:
            self._evaluate()
        if not self._failed:
            self.page.rest(self._result)
            self.static.show(self._result)

    def _cancel(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def close(self) -> None:
        """Close every widget that was built here. What the sliders last showed stays in the static report."""
        if self._pending is not None:
            self._cancel()
            self._settle()
        for row in self.rows:
            row.close()
        close(self.root)

    def freeze(self) -> None:
        """Leave the report of the point where it stands in the place of the panel."""
        self._cancel()
        self.static.show(self.result)
        cleared(self.handle)
        self.close()
