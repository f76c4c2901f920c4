"""Where a corner, a jump or another path of a curve comes from: the line that decides, or the row of the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .entries import Place

if TYPE_CHECKING:
    from .result import Result


def origin(
    r: Result, name: str, entry: Place, within: int | None, points: Sequence[float]
) -> tuple[int | None, int | None]:
    """(line, row) of what happens between two points close to one another, along one input; what is not known is None.

    The line is that of a decision which comes out otherwise at one of the `points`; of the tape the rows `within`
    count.
    Of four points the outer two are farther apart: the row is the first one of which a value or a local partial
    changes in the middle as it does on the whole.
    """
    from ad_magic.engine.tape import PathChanged, replay

    tape = r.run.tape if within is None else r.run.tape.head(within)
    seen = []
    for x in points:
        try:
            seen.append(replay(tape, {r.run.rows[name]: _with(r.inputs[name], entry, x)}, shown=r.run.only_shown))
        except PathChanged as changed:
            return r.run.line_of(changed.index), None
        except Exception:  # outside of the domain
            return None, None
    if len(seen) < 4 or points[2] - points[1] > (points[3] - points[0]) / 100:
        return None, None
    for row, index in enumerate(r.tape_rows):
        if index >= len(tape):
            break
        if any(_jumps(*numbers) for numbers in zip(*(_numbers(one, index) for one in seen), strict=False)):
            return None, row
    return None, None


def deciding(r: Result, given: Sequence[tuple[str, Place, float]], within: int | None) -> int | None:
    """The line that decides otherwise where some inputs, or entries of them, have other values; None for none."""
    from ad_magic.engine.tape import PathChanged, replay

    tape = r.run.tape if within is None else r.run.tape.head(within)
    inputs = {name: r.inputs[name] for name, _, _ in given}
    for name, entry, x in given:
        inputs[name] = _with(inputs[name], entry, x)
    try:
        replay(tape, {r.run.rows[name]: value for name, value in inputs.items()}, shown=r.run.only_shown)
    except PathChanged as changed:
        return r.run.line_of(changed.index)
    except Exception:  # outside of the domain
        return None
    return None


def _with(value: Any, entry: Place, x: float) -> Any:
    if not entry:
        return x
    changed = value.astype(float)
    changed[entry] = x
    return changed


def _numbers(tape: Any, index: int) -> list[float]:
    """The value of a row and its partials, entry by entry."""
    found: list[float] = []
    for x in (tape.values[index], *tape.partials(index)):
        found += [float(y) for y in x.flat] if getattr(x, "shape", ()) else [float(x)]
    return found


def _jumps(start: float, left: float, right: float, end: float) -> bool:
    """Whether a number changes in the middle by much of what it changes on the whole."""
    step = abs(right - left)
    return step > abs(end - start) / 4 and step > 1e-9 * max(abs(start), abs(end))
