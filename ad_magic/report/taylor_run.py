"""The Taylor coefficients of a run: along which number or direction, and of each output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ad_magic.engine.active import LostDerivative
from ad_magic.engine.series import NoSeries, series_sweep

from .curves import Moving, label_of, movable
from .entries import Entries, Span, is_array
from .grid import around

if TYPE_CHECKING:
    from ad_magic.cell.run import Run

    from .derivatives import Derivatives


def series_along(run: Run, seeds: Mapping[int, Sequence[Any]], order: int, *, nudge: bool = False) -> list[Any]:
    """The series of the rows of a run. Raises LostDerivative, with the line, where one has none."""
    if run.tape.recorded > len(run.tape):
        raise TypeError("a long run in forward mode keeps no tape; use --mode reverse for its Taylor coefficients")
    rows = [row for output in run.outputs for row in output.parts]
    try:
        return series_sweep(run.tape, seeds, order, rows, nudge)
    except NoSeries as error:
        line = run.line_of(error.row)
        raise LostDerivative(f"line {line}: {error}" if line else str(error)) from None


def by_output(run: Run, series: Sequence[Any], order: int) -> dict[str, Any]:
    """The coefficients of each output: a list of numbers, or an array with an axis for them before its own."""
    found: dict[str, Any] = {}
    for output in run.outputs:
        entries = [
            coefficients(None if row is None else series[row], float(value), position, order)
            for (value, _, _), (row, position) in zip(output.flat(), output.seeds(), strict=True)
        ]
        if output.scalar:
            found[output.name] = entries[0]
        else:
            import numpy as np

            found[output.name] = np.array(entries).T.reshape(order + 1, *output.value.shape)
    return found


def coefficients(series: Any, value: float, position: tuple[int, ...], order: int) -> list[float]:
    """The coefficients of one number; those of a constant where there is no series."""
    if series is None:
        return [value, *[0.0] * order]
    every = [series[k] for k in range(order + 1)]
    return [float(c[position]) if position and getattr(c, "shape", ()) else float(c) for c in every]


def seeds_of(r: Derivatives, along: Mapping[str, Any]) -> dict[int, list[Any]]:
    """The first coefficients of the inputs by row, from a direction by input."""
    import numpy as np

    found = {}
    for name, direction in along.items():
        if name not in r.inputs:
            raise ValueError(f"there is no input {name!r}: there is {', '.join(r.inputs)}")
        shape = getattr(r.inputs[name], "shape", ())
        if np.shape(direction) != shape:
            what = f"an array of shape {shape}" if shape else "a number"
            raise ValueError(f"the direction of {name} must be like it: {what}")
        if name in r.run.rows:
            found[r.run.rows[name]] = [np.asarray(direction, dtype=float) if shape else float(direction)]
    return found


AT_ZERO = (-3.0, 3.0, None)  # beyond ±1, so that one sees where the polynomial leaves the curve


def wide_at_zero(inputs: Mapping[str, Any], ranges: Mapping[str, Span]) -> dict[str, Span]:
    """The ranges that are given, and one for each number at zero that has none."""
    zero = {name: AT_ZERO for name, value in inputs.items() if not hasattr(value, "shape") and value == 0}
    return {**zero, **ranges}


def number_along(r: Derivatives, along: str | None, ranges: Mapping[str, Span] | None = None) -> Moving:
    """The input, or the entry of one, that `along` names; the first input that is a number where it says nothing.

    Raises ValueError with a sentence that says what to write.
    """
    every = movable(r, ranges or {})
    if along is None:
        chosen = next((one for one in every if not one[1]), None)
        if chosen is None:
            name = next(iter(r.inputs))
            entry = f"{name}[{', '.join('0' * len(getattr(r.inputs[name], 'shape', ())))}]"
            raise ValueError(
                f'a Taylor polynomial is along a number, and {name} is an array: name an entry of it, as in along="'
                f'{entry}" (of a cell: --along "{entry}")'
            )
        return chosen
    wanted = along.replace(" ", "")
    for one in every:
        if label_of(one[0], one[1]).replace(" ", "") == wanted:
            return one
    large = _entry_of_large(r, along)
    if large is not None:
        return large
    labels = [label_of(name, entry) for name, entry, _ in every]
    raise ValueError(f"there is no number {along!r} to go along: there is {', '.join(labels) or 'none'}")


def _entry_of_large(r: Derivatives, along: str) -> Moving | None:
    """An entry of an array that is too large for a slider for each."""
    name, bracket, index = along.partition("[")
    value = r.inputs.get(name.strip())
    if not bracket or not is_array(value):
        return None
    entries = Entries(name.strip(), value)
    place = entries.parse(f"[{index}")
    return None if place is None else (entries.name, place, around(entries.at(place), entries.typical))
