"""A row for each input: its name, a slider between the two ends of its range, a number box."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets

from ad_magic.report.entries import Entries, is_scalar, span_of, spread
from ad_magic.report.grid import Grid, around, given
from ad_magic.report.number import number, plain
from ad_magic.report.table import short

from .dial import Dial
from .widgets import classed

NAME_WIDTH = 20  # characters of an input's name; a longer one is cut
BROAD = "mwMWω"  # letters half as wide again as a digit
Span = Sequence[float | None]


class InputRow:
    """The row of one number. The number is an input, or the entry `place` of an input that is an array: `name` is "x"
    or "x[1]", `of` is "x". Its dial may be that of rows in other panels too.
    """

    def __init__(
        self,
        name: str,
        dial: Dial,
        moved: Callable[[InputRow], None],
        of: str = "",
        place: tuple[int, ...] | None = None,
    ) -> None:
        self.name, self.of, self.place = name, of or name, place
        self.dial = dial
        self.own_range = False  # somebody has typed an end of it
        self._moved = moved
        self.placed: Callable[[], None] = lambda: None  # it has been moved on behalf of a row elsewhere
        self.regridded: Callable[[], None] = lambda: None  # name or grid are about to be others
        self.ranged: Callable[[str], None] = lambda message: None  # an end was typed; what is to be said of it
        self.slider, self.box = dial.slider, dial.box
        self._quiet = False
        self.ends = [self._end("lower"), self._end("upper")]
        self.label = self._label()
        self.root = classed(
            ipywidgets.HBox([self.label, self.ends[0], self.slider, self.ends[1], self.box]), "ad-input"
        )
        self._show_ends()
        dial.rows.append(self)

    def _label(self) -> Any:
        """What stands before the slider."""
        return name_label(self.name)

    @property
    def label_width(self) -> int:
        """Its width in characters."""
        return name_width(self.name)

    @property
    def value(self) -> float:
        return self.dial.value

    @property
    def grid(self) -> Grid:
        return self.dial.grid

    @property
    def start_grid(self) -> Grid:
        return self.dial.start_grid

    @property
    def paired(self) -> bool:
        """Whether the page itself keeps slider and box together."""
        return id(self) in self.dial.paired

    @paired.setter
    def paired(self, yes: bool) -> None:
        (self.dial.paired.add if yes else self.dial.paired.discard)(id(self))

    # ---- what the dial says

    def dial_moved(self) -> None:
        self._moved(self)

    def dial_placed(self) -> None:
        self.placed()

    def dial_regridded(self) -> None:
        self._show_ends()
        self.regridded()

    # ---- what it is told

    def put(self, value: float, grid: Grid | None = None) -> None:
        """Stand at a value. A grid that does not reach so far gets longer."""
        self.dial.put(value, grid, self)

    def reset(self) -> None:
        self.own_range = False
        self.put(self.dial.start, self.dial.start_grid)

    def stand(self, place: tuple[int, ...] | None, value: float, grid: Grid) -> None:
        """Stand again as it once did."""
        self.put(value, grid)

    def close(self) -> None:
        """The dial no longer speaks to this row."""
        self.paired = False
        self.dial.leave(self)

    # ---- the ends of the range

    def _end(self, which: str) -> Any:
        """A text box with one end of the range, which looks like a label until somebody comes to it."""
        end = ipywidgets.Text(continuous_update=False)
        end.observe(self._end_typed, "value")
        return classed(classed(end, "ad-end"), f"ad-{which}")

    def _show_ends(self) -> None:
        self._quiet = True
        for end, value, which in zip(self.ends, (self.grid.lo, self.grid.hi), ("lower", "upper"), strict=True):
            end.tooltip = f"{self.name}, {which} end of the range"
            end.value = number(value)
        self._quiet = False

    def _end_typed(self, change: Any) -> None:
        if self._quiet:
            return
        texts = [end.value for end in self.ends]
        lo, hi = (
            value if text == number(value) else _number_in(text)
            for text, value in zip(texts, (self.grid.lo, self.grid.hi), strict=True)
        )
        if lo is None or hi is None or not lo < hi:
            self._show_ends()
            what = "a number" if lo is None or hi is None else "below its upper end"
            which = "An end" if lo is None or hi is None else "The lower end"
            self.ranged(f"{which} of the range of {self.name} must be {what}.")
            return
        self.own_range = True
        self.dial.between(lo, hi, self)
        self.ranged("")


def _number_in(text: str) -> float | None:
    try:
        value = float(plain(text))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


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
        self._own: dict[tuple[int, ...], Grid] = {}  # of entries that have been moved
        self.index = ipywidgets.Text(
            value=entries.index_text(place),
            continuous_update=False,
            tooltip=f"Which entry of {entries.name} to move: an index from {entries.ends}",
        )
        super().__init__(entries.label(place), Dial(entries.at(place), grid_at(place)), moved, entries.name, place)
        self.index.layout.width = f"{self._index_width}ch"
        self.index.observe(self._indexed, "value")

    @property
    def _index_width(self) -> int:
        return max(len(self.entries.index_text(self.entries.last)), 3) + 3  # and the frame of the box

    def _label(self) -> Any:
        brackets = [classed(ipywidgets.Label(text), "ad-bracket") for text in "[]"]
        parts = [name_label(self.entries.name), brackets[0], classed(self.index, "ad-index"), brackets[1]]
        return classed(ipywidgets.HBox(parts), "ad-picked")

    @property
    def label_width(self) -> int:
        return name_width(self.entries.name) + self._index_width + 2

    def _indexed(self, change: Any) -> None:
        if self._quiet:
            return
        place = self.entries.parse(change.new)
        if place is None:
            self._show_index()
            self._picked(self, f"{self.entries.name} has entries {self.entries.ends}.")
        else:
            self.pick(place)
            self._picked(self, "")

    def _show_index(self) -> None:
        self._quiet = True
        self.index.value = self.entries.index_text(self.place)
        self._quiet = False

    def pick(self, place: tuple[int, ...]) -> None:
        """Stand at another entry, which keeps its value."""
        self.place, self.name = place, self.entries.label(place)
        self._show_index()
        self.put(self.entries.at(place), self._own.get(place) or self._grid_at(place))

    def dial_regridded(self) -> None:
        assert self.place is not None
        self._own[self.place] = self.grid
        super().dial_regridded()

    def stand(self, place: tuple[int, ...] | None, value: float, grid: Grid) -> None:
        """Stand at an entry again as it once did."""
        assert place is not None
        self._own[place] = grid
        self.pick(place)

    def reset(self) -> None:
        self._own.clear()
        self.own_range = False
        assert self.place is not None
        self.pick(self.place)


def align(rows: Sequence[InputRow], fixed: Sequence[Any] = ()) -> None:
    """One track below the other: names and ends are as wide as the longest of them. `fixed` rows have no slider."""
    labels = [row.children[0] for row in fixed]
    columns = [[(row.label, row.label_width) for row in rows] + [(label, name_width(label.value)) for label in labels]]
    columns += [[(row.ends[k], len(row.ends[k].value) + 1) for row in rows] for k in (0, 1)]
    for column in columns:
        width = max(3, *(length for _, length in column))
        for part, _ in column:
            part.layout.width = f"{width}ch"


def fixed_row(name: str, value: Any) -> ipywidgets.HBox:
    """An input without a slider: its name and what it is."""
    return classed(
        ipywidgets.HBox([name_label(name), classed(ipywidgets.Label(_shorten(value)), "ad-fixed")]), "ad-input"
    )


def name_width(name: str) -> int:
    """The width of a name in characters, each as wide as a digit.

    >>> name_width("x1"), name_width("gamma")
    (2, 7)
    """
    return math.ceil(sum(map(_letter_width, name[:NAME_WIDTH])))


def _letter_width(letter: str) -> float:
    if letter in BROAD or unicodedata.east_asian_width(letter) in "WF":
        return 1.6
    return 1.2 if letter.isupper() else 1.0


def name_label(name: str) -> ipywidgets.Label:
    return classed(ipywidgets.Label(name), "ad-input-name")


def _shorten(value: Any, length: int = 60) -> str:
    shape = " × ".join(str(n) for n in getattr(value, "shape", ()))
    return f"{short(value, length)} ({shape})" if shape else short(value, length)


def input_rows(
    inputs: Mapping[str, Any],
    arrays: Mapping[str, Entries],
    ranges: Mapping[str, Span],
    moved: Callable[[InputRow], None],
    picked: Callable[[PickedRow, str], None],
    shared: Mapping[str, Dial] | None = None,
) -> list[InputRow]:
    """A row for each number, and for each entry of a small array; one for a larger array.

    `shared` are the dials, by input, that belong to rows of other panels too.
    """
    small = spread(inputs)
    rows: list[InputRow] = []
    for name, value in inputs.items():
        if shared and name in shared:
            rows.append(InputRow(name, shared[name], moved))
        elif is_scalar(value):
            rows.append(InputRow(name, _dial(float(value), ranges.get(name)), moved))
        elif name in small:
            rows += _row_of_each(arrays[name], ranges, moved)
        elif name in arrays:
            rows.append(_picked_row(arrays[name], ranges, moved, picked))
    return rows


def _dial(value: float, span: Span | None, beside: float = 0.0) -> Dial:
    step = span[2] if span and len(span) > 2 else None
    return Dial(value, given(span) if span else around(value, beside), step)


def _row_of_each(entries: Entries, ranges: Mapping[str, Span], moved: Callable[[InputRow], None]) -> Iterator[InputRow]:
    for place in entries.places():
        dial = _dial(entries.at(place), span_of(ranges, entries, place), entries.typical)
        yield InputRow(entries.label(place), dial, moved, entries.name, place)


def _picked_row(
    entries: Entries,
    ranges: Mapping[str, Span],
    moved: Callable[[InputRow], None],
    picked: Callable[[PickedRow, str], None],
) -> PickedRow:
    """The entry that the user has described comes first."""
    named = (entries.parse(key[len(entries.name) :]) for key in ranges if key.startswith(f"{entries.name}["))
    first = next((place for place in named if place is not None), entries.first)

    def grid_at(place: tuple[int, ...]) -> Grid:
        span = span_of(ranges, entries, place)
        return given(span) if span else around(entries.start_at(place), entries.typical)

    return PickedRow(entries, first, grid_at, moved, picked)
