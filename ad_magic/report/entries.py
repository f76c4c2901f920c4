"""The entries of an input that is an array: which there are, what they are called, moving one of them. No widgets."""

from __future__ import annotations

import itertools
import math
import numbers
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ONE_EACH = 6  # entries of an array that has a slider for each of them
MAX_SLIDERS = 24  # sliders of one panel or page; where there would be more, those of one array share one

Place = tuple[int, ...]
Span = Sequence[float | None]


def is_array(value: Any) -> bool:
    """Whether a value is an array with entries that a slider can move."""
    return bool(getattr(value, "shape", ())) and value.size > 0 and value.dtype.kind in "fiu"


def is_scalar(value: Any) -> bool:
    """Whether a value is a number that a slider can move."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def spread(inputs: Mapping[str, Any]) -> set[str]:
    """The arrays of which each entry has a slider: small ones, as long as there are not too many sliders in all."""
    arrays = {name: value for name, value in inputs.items() if is_array(value)}
    small = {name for name, value in arrays.items() if value.size <= ONE_EACH}
    count = sum(map(is_scalar, inputs.values())) + sum(arrays[name].size for name in small) + len(arrays) - len(small)
    return small if count <= MAX_SLIDERS else {name for name in small if arrays[name].size == 1}


class Entries:
    """An array input of a panel. The array that it began with stays as it is; `now` is another once it has moved."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.start, self.now = name, value, value
        self.shape: Place = value.shape
        self.size: int = value.size
        self.typical = _typical(value)

    @property
    def first(self) -> Place:
        return (0,) * len(self.shape)

    @property
    def last(self) -> Place:
        return tuple(n - 1 for n in self.shape)

    @property
    def ends(self) -> str:
        """All entries in words: "[0, 0] to [1, 7]"."""
        return f"[{self.index_text(self.first)}] to [{self.index_text(self.last)}]"

    def places(self) -> Iterator[Place]:
        """Every entry, in the order of the seeds. For small arrays."""
        return itertools.product(*map(range, self.shape))

    def label(self, place: Place) -> str:
        """The name of an entry, as that of its seed: "w[0, 3]"."""
        return f"{self.name}[{self.index_text(place)}]"

    @staticmethod
    def index_text(place: Place | None) -> str:
        return ", ".join(map(str, place or ()))

    def parse(self, text: str) -> Place | None:
        """The entry that a text names, "0, 3" or "[0, 3]"; -1 is the last, as in NumPy. None where there is none."""
        found = re.fullmatch(r"\s*\[?([\s\d,;-]*)\]?\s*", text)
        parts = re.findall(r"-?\d+", found[1]) if found else []
        if len(parts) != len(self.shape):
            return None
        place = tuple(k + n if k < 0 else k for k, n in zip(map(int, parts), self.shape, strict=True))
        return place if all(0 <= k < n for k, n in zip(place, self.shape, strict=True)) else None

    def at(self, place: Place) -> float:
        return float(self.now[place])

    def start_at(self, place: Place) -> float:
        return float(self.start[place])

    def moved(self, place: Place, value: float) -> Any:
        """The array with one entry moved: a new one, the results that there are keep theirs."""
        import numpy as np

        self.now = np.array(self.now, dtype=float)
        self.now[place] = value
        return self.now

    def reset(self) -> Any:
        """The array as it was at first, the very same."""
        self.now = self.start
        return self.now


def span_of(ranges: Mapping[str, Span], entries: Entries, place: Place) -> Span | None:
    """The range that a user has given for an entry, or for the whole array; that of the entry counts."""
    own = (key for key in ranges if key.startswith(f"{entries.name}["))
    key = next((key for key in own if entries.parse(key[len(entries.name) :]) == place), entries.name)
    return ranges.get(key)


def _typical(value: Any) -> float:
    """How large the entries are on the whole: the root of their mean square; 0 where that is no number."""
    import numpy as np

    with np.errstate(all="ignore"):
        size = math.sqrt(float(np.mean(np.square(np.asarray(value, dtype=float)))))
    return size if math.isfinite(size) else 0.0
