"""The page of a panel: what it has been told, and telling it what it does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ad_magic.report import live, picture
from ad_magic.report.options import ViewOptions

from . import telling
from .inputs import InputRow
from .paths import Paths
from .static import StaticReport
from .view import View
from .widgets import classed

AT_ONCE = 200  # operations of a run whose program is made before the page asks for it


class Page:
    """The view of a panel and the state of what it shows. `view` is the widget; `asked` hears what the page asks.

    Nothing is told before the page has asked for the report: there may be none.
    """

    def __init__(
        self,
        first: Any,
        rows: Sequence[InputRow],
        static: StaticReport,
        paths: Paths,
        options: ViewOptions,
        asked: Callable[[dict[str, Any]], None],
    ) -> None:
        self.rows, self.paths, self.options = rows, paths, options
        self.is_there = False
        self._programs: dict[int, tuple[str | None, str]] = {}  # by path
        self._told: Any = None  # what the page shows, but for its numbers
        self.view = classed(View(asked, key=static.key, inputs=self._movers(first)), "ad-view")
        # an answer that is ready is given while the kernel is busy too
        self._ready = (first, self._program(first)) if len(first.run.tape) <= AT_ONCE else (None, {})

    def computes(self, result: Any) -> bool:
        """Whether the page has a program for the path that a result is on."""
        return self.is_there and self._programs.get(self._path(result), (None, ""))[0] is not None

    def is_ready(self, result: Any) -> bool:
        """Whether `introduce` needs no time."""
        return self._ready[0] is result

    def introduce(self, result: Any, has: Sequence[str]) -> None:
        """All that a page needs: the scripts, unless it has them, the report, and the program of its path."""
        code, name = telling.runtime()
        message = self._ready[1] if self.is_ready(result) else self._program(result)
        self._ready = (None, {})
        self.view.send({**message, "runtime": name, **({} if name in has else {"code": code})})
        self.is_there = True

    def pair(self) -> None:
        """From now on the page itself keeps sliders and boxes together: what is told it now would come too late."""
        for row in self.rows:
            row.paired = True

    def follow(self, result: Any) -> None:
        """One step of a slider, of which the page knows nothing by itself."""
        if self.is_there and self._path(result) in self._programs:
            self.view.send(telling.numbers(result, self.options) or self._report(result))
        else:
            self.tell(result)

    def tell(self, result: Any) -> bool:
        """Bring the page up to date, but for numbers that it writes itself; whether there was something to tell."""
        said = self._but_numbers(result)
        if not self.is_there or said == self._told:
            return False
        known = self._path(result) in self._programs
        self.view.send(self._report(result) if known else self._program(result))
        self._told = said
        return True

    def stand(self, result: Any, inputs: Mapping[str, Any]) -> None:
        """The inputs have been put somewhere else."""
        if self.computes(result):
            self.view.send({"tell": "inputs", "x": telling.packed(telling.point(result, inputs))})

    def trouble(self, result: Any, inputs: Mapping[str, Any]) -> None:
        """At these inputs the program raises something."""
        self.view.send({"tell": "trouble", "x": telling.packed(telling.point(result, inputs))})

    def hand(self, message: Mapping[str, Any]) -> bool:
        """Hand over something to copy or to save; whether there is a page."""
        if self.is_there:
            self.view.send(message)
        return self.is_there

    def same(self) -> None:
        """To a question: there is nothing to say."""
        self.view.send({"tell": "same"})

    def rest(self, result: Any) -> None:
        """At the end of a gesture: what the report says besides numbers holds here."""
        if not self.tell(result) and self.is_there:
            second = live.second(result)
            message = {"second": telling.packed(second)} if second else {}
            self.view.send({"tell": "rest", "x": telling.packed(telling.point(result)), **message})

    def figures(self, result: Any, what: Mapping[str, Any]) -> None:
        """The curve and the contour, for a page that has no program."""
        self.view.send({"tell": "figures", **picture.figures(result, what, self.options.digits)})

    def regrid(self, result: Any) -> None:
        """The names or the grids of the rows are others."""
        movers = self._movers(result)
        if movers != self.view.inputs:
            self.view.inputs = movers

    def _movers(self, result: Any) -> list[dict[str, Any]]:
        return [
            {
                **live.mover(result, row.of, row.place or (), row.grid),
                "slider": row.slider.model_id,
                "box": row.box.model_id,
            }
            for row in self.rows
        ]

    def _path(self, result: Any) -> int:
        return self.paths.number(result) or 0

    def _program(self, result: Any) -> dict[str, Any]:
        path = self._path(result)
        if path not in self._programs:
            self._programs[path] = telling.program(result)
        text, why = self._programs[path]
        self._told = self._but_numbers(result)
        return {**self._report(result), "tell": "program", "program": text, "why": why}

    def _report(self, result: Any) -> dict[str, Any]:
        path = self._path(result)
        way = self.paths.otherwise(result.inputs) if path else None
        return {**telling.report(result, path, self.view.inputs, self.options), "way": way}

    def _but_numbers(self, result: Any) -> Any:
        """What a report says besides numbers that a page can write."""
        second = live.second_of(result)
        flags = [(flag.kind, flag.line, flag.row, flag.message) for flag in result.flags]
        return self._path(result), flags, second.warnings if second else ()
