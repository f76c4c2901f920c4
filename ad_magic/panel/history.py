"""Undo and redo: where the inputs of a panel have stood. Plain data, no widgets."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from ad_magic.report.grid import Grid

GESTURE = 0.8  # seconds: what follows sooner upon a move of the same slider is the same gesture
LIMIT = 200  # steps that are kept


@dataclass(frozen=True)
class RowPoint:
    """Where a row stands: at which entry of its array, at which value, over which grid."""

    place: tuple[int, ...] | None
    value: float
    grid: Grid
    own_range: bool = False


@dataclass(frozen=True)
class Point:
    """Where a panel stands: its inputs by name, and its rows."""

    inputs: dict[str, Any]
    rows: tuple[RowPoint, ...]

    def is_at(self, other: Point) -> bool:
        """Whether nothing differs. An array that is moved is another array."""
        arrays = [name for name, value in self.inputs.items() if hasattr(value, "shape")]
        return self.rows == other.rows and all(self.inputs[name] is other.inputs[name] for name in arrays)


class History:
    """The points of a panel, back and forth. One gesture is one step."""

    def __init__(self, start: Point, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = start
        self.back: list[Point] = []
        self.forth: list[Point] = []
        self._clock = clock
        self._last: tuple[Hashable, float] | None = None  # what was moved last, and when

    def moved(self, now: Point, what: Hashable) -> None:
        """The panel stands elsewhere; `what` has been moved: a slider, or None for what is a step by itself."""
        if now.is_at(self.now):
            return
        at = self._clock()
        if what is None or self._last is None or self._last[0] != what or at - self._last[1] > GESTURE:
            self.back = [*self.back[-LIMIT + 1 :], self.now]
        self.forth.clear()
        self._last = what, at
        self.now = now

    def undo(self) -> Point | None:
        """The point before the last gesture; None where there is none."""
        return self._step(self.back, self.forth)

    def redo(self) -> Point | None:
        """The point that was left by the last undo."""
        return self._step(self.forth, self.back)

    def _step(self, origin: list[Point], other: list[Point]) -> Point | None:
        if not origin:
            return None
        other.append(self.now)
        self.now = origin.pop()
        self._last = None
        return self.now
