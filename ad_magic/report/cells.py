"""The HTML of a column of values, in which numbers and arrays stand under one another.

A number is aligned at its decimal point. A small array has one line for each row, aligned with the numbers. A larger
one shows its shape, a heat strip and its norm, and opens to its entries: <details>, no script. What it takes of room
follows from its shape alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .array import TEXT_DIGITS, block, bracketed, brief, described, is_small, norm, shape_of, shape_text
from .markup import esc
from .number import align, number
from .strip import explained, strip

NBSP = "\u00a0"  # pads: as wide as a digit in every monospaced font, and never collapsed
NORM = '<span class="ad-norm">‖·‖</span>'


def column_cells(values: Sequence[Any], digits: int, *, shapes: bool = False) -> list[str]:
    """The content of each cell of a column; `shapes` says the shape of an array, which its row need say only once."""
    texts: list[str] = []  # what is aligned, over all cells
    counts: list[int] = []  # how many of them are a cell's
    for value in values:
        mine = _aligned(value, digits)
        texts += mine
        counts.append(len(mine))
    aligned = iter(align(texts, pad=NBSP))
    wide = max((len(shape_text(shape_of(value))) for value in values if _is_large(value)), default=0)
    cells = []
    for value, count in zip(values, counts, strict=True):
        lines = [next(aligned) for _ in range(count)]
        if not lines:
            cells.append(f'<samp class="ad-shape">{brief(value)}</samp>')
        elif not shape_of(value):
            cells.append(f"<samp>{lines[0]}</samp>")
        elif is_small(value):
            cells.append(_small(value, lines, digits))
        else:
            cells.append(_large(value, lines[0], digits, wide if shapes else 0))
    return cells


def _aligned(value: Any, digits: int) -> list[str]:
    """The texts of a value that line up with those of the other cells: of an array its last column, or its norm."""
    if shape_of(value) and not value.size:
        return []
    if not shape_of(value):
        return ["" if value is None else number(value, digits)]
    if is_small(value):
        digits = _digits_of(value, digits)
        return [number(x, digits) for x in value.reshape(len(value), -1)[:, -1].tolist()]
    return [number(norm(value), digits)]


def _digits_of(value: Any, digits: int) -> int:
    """The digits of an entry: where two stand side by side, fewer; its title has the others."""
    return min(digits, TEXT_DIGITS) if value.ndim > 1 and value.shape[1] > 1 else digits


def _small(value: Any, last: Sequence[str], digits: int) -> str:
    matrix = value.reshape(len(value), -1)
    lines, said = list(last), described(value)
    if matrix.shape[1] == 2:
        first = align([number(x, _digits_of(value, digits)) for x in matrix[:, 0].tolist()], pad=NBSP)
        lines = [f"{a}{NBSP * 2}{b}" for a, b in zip(first, last, strict=True)]
        said = f"{said}: {''.join(bracketed(value, digits))}"
    return f'<samp class="ad-entries" title="{esc(said)}">{"<br/>".join(lines)}</samp>'


def _is_large(value: Any) -> bool:
    return bool(shape_of(value)) and bool(value.size) and not is_small(value)


def _large(value: Any, norm_text: str, digits: int, shape_width: int) -> str:
    """`shape_width` is what the shapes of the column take, 0 for none: the strips stand below one another."""
    shape = f'<samp class="ad-shape">{shape_text(value.shape).rjust(shape_width, NBSP)}</samp>' if shape_width else ""
    summary = f"{shape}{strip(value)}<samp>{NORM}{NBSP}{norm_text}</samp>"
    return opening(summary, value, digits)


def opening(summary: str, value: Any, digits: int) -> str:
    """A summary that opens to the entries of an array."""
    inside = entries(value, digits)
    return f'<details class="ad-array"><summary title="{title(value)}">{summary}</summary>{inside}</details>'


def entries(value: Any, digits: int) -> str:
    """The entries of an array as an aligned matrix."""
    return f'<samp class="ad-entries">{"<br/>".join(block(value, digits, pad=NBSP))}</samp>'


def title(value: Any) -> str:
    """What an array is, and what its summary means, as an attribute."""
    return esc(f"{described(value)}; ‖·‖ is the 2-norm of all entries; {explained(value)}")
