"""The curve and the contour of a live report: the place where js/picture.js draws them, and for a run that has no
program in JavaScript the figures themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .contour import contour
from .curves import Moving, curve_along, reason
from .entries import Entries, is_array, is_scalar
from .figure import figure
from .grid import Grid
from .markup import esc
from .relief import relief
from .subjects import Subject, subjects

if TYPE_CHECKING:
    from .result import Result


def stand(r: Result, names: Sequence[str]) -> str:
    """The figures, empty, and the choices of what they are of and along, where `names` are the numbers that move.

    The script fills them; where a report is drawn anew they are kept.
    """
    why = reason(r)
    if why:
        return f'<p class="ad-note">{esc(why)}</p>'
    over = ""
    if len(names) > 1:
        two = f"{names[0]} and {names[1]}" if len(names) == 2 else "two inputs"
        choices = f'<div class="ad-choices">{_choice("over", "across")}{_choice("and", "up")}</div>' * (len(names) > 2)
        over = f'<details class="ad-part ad-over"{" open" if len(names) == 2 else ""}>'
        over += f"<summary>Contour over {esc(two)}</summary>{choices}{relief(None)}</details>"
    choices = f'<div class="ad-choices">{_choice("of", "of")}{_choice("along", "along")}</div>'
    return f'<div class="ad-picture" data-ad-kept>{choices}{figure(None)}{over}</div>'


def _choice(word: str, kind: str) -> str:
    return f'<label class="ad-choice" hidden>{word} <select class="ad-{kind}"></select></label>'


def curve_figure(r: Result, along: str, grid: Grid, *, row: int | None = None, pick: int = 0, digits: int = 6) -> str:
    """The curve along the number that is called `along` ("x", "w[0]"), over `grid`, as an <svg> element.

    It is of the output, or of a `row` of the table; where that has several numbers, of the one with the index `pick`.
    Raises ValueError with a sentence where there is none.
    """
    return figure(curve_along(r, _moving(r, along, grid), _subject(r, row, pick), digits))


def contour_figure(
    r: Result, across: tuple[str, Grid], up: tuple[str, Grid], *, row: int | None = None, pick: int = 0, digits: int = 6
) -> str:
    """The contour over two numbers, each with its grid, as an <svg> element; else as `curve_figure`."""
    return relief(contour(r, _moving(r, *across), _moving(r, *up), _subject(r, row, pick), digits))


def figures(r: Result, what: Mapping[str, Any], digits: int = 6) -> dict[str, str]:
    """What a script asks for where it has no program: {"curve": …, "contour": …}, or {"why": …} where there is none.

    `what` has `along` and perhaps `across` and `up`, each {name, lo, hi, steps}, and `row` and `pick`.
    """
    row = what["row"] if (what["row"] or 0) < len(r.rows) else None
    of = {"row": row, "pick": what["pick"], "digits": digits}
    ranges = {
        key: (x["name"], Grid(x["lo"], x["hi"], x["steps"]))
        for key in ("along", "across", "up")
        if (x := what.get(key))
    }
    try:
        found = {"curve": curve_figure(r, *ranges["along"], **of)}
    except ValueError as error:
        return {"why": str(error)}
    if "up" in ranges:
        try:
            found["contour"] = contour_figure(r, ranges["across"], ranges["up"], **of)
        except ValueError as error:  # it would take too long
            found["contour"] = relief(None, str(error))
    return found


def _moving(r: Result, label: str, grid: Grid) -> Moving:
    """A number that moves, by what it is called: an input, or an entry of one."""
    name, bracket, rest = label.partition("[")
    value = r.inputs.get(name)
    if not bracket and is_scalar(value):
        return name, (), grid
    place = Entries(name, value).parse(rest) if bracket and is_array(value) else None
    if place is None:
        raise ValueError(f"There is no number {label} that moves.")
    return name, place, grid


def _subject(r: Result, row: int | None, pick: int) -> Subject:
    found = subjects(r, row)
    if not found:
        raise ValueError("A curve is drawn for a number; this is an array without entries.")
    return found[min(pick, len(found) - 1)]
