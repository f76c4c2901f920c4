"""What a reader is told of an array: its shape, its 2-norm, its entries as far as there is room, a pooled picture.

A shape is written "(3,)" for a vector and "3×2" for anything else, everywhere. The norm ‖·‖ is the 2-norm of all
entries (Frobenius' for a matrix). Nothing here imports NumPy before it has an array in its hands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .number import align, is_finite, number

SMALL = 4  # entries of an array that are written out where a number would stand
SHOWN = 8  # rows and columns of a matrix that is written out; of more the first four and the last three
VECTOR = 6  # entries of a vector that stand in one line; of more the first and the last three
MATRIX = 9  # entries of a matrix that stand in one line; of more the corners
LINE_ENDS = {1: ((3, 3), (0, 0)), 2: ((2, 1), (1, 1))}  # by axes: what one line shows of a long array
SLICES = 3  # matrices of an array with more than two axes that are written out
TEXT_DIGITS = 4  # significant digits of an entry, where entries stand side by side in a narrow place
SPARKS = "▁▂▃▄▅▆▇█"


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array; () for a number, also for one of NumPy's, and for None."""
    return getattr(value, "shape", ())


def shape_text(shape: Sequence[int]) -> str:
    """A shape as it is written: "(3,)", "3×2"; "" for a number."""
    return f"({shape[0]},)" if len(shape) == 1 else "×".join(map(str, shape))


def is_small(value: Any) -> bool:
    """Whether an array has so few entries that they say more than a summary: up to four, in one or two columns."""
    shape = shape_of(value)
    return bool(shape) and 0 < value.size <= SMALL and (len(shape) == 1 or (len(shape) == 2 and shape[1] <= 2))


def is_short(value: Any) -> bool:
    """Whether its entries also fit into one line."""
    return is_small(value) and (value.ndim == 1 or value.size == 1)


def norm(value: Any) -> float:
    """The 2-norm of all entries, without overflow on the way."""
    import numpy as np

    if not value.size:
        return 0.0
    sizes = np.abs(value)
    top = float(sizes.max())  # NaN, if there is one
    if not 0 < top < math.inf:
        return top
    return top * math.sqrt(float(np.square(sizes / top).sum()))


def all_finite(value: Any) -> bool:
    """Whether a number, or every entry of an array, is neither NaN nor infinite."""
    if not shape_of(value):
        return is_finite(value)
    import numpy as np

    return bool(np.isfinite(value).all())


def all_zero(value: Any) -> bool:
    """Whether a number, or every entry of an array, is zero."""
    return not value.any() if shape_of(value) else value == 0


def pooled(value: Any, rows: int, columns: int) -> list[list[float]]:
    """An array as a picture of at most `rows` by `columns` cells: its last axis goes across, the others go down.

    A vector, or a matrix of one column, is one row. Where entries share a cell it is the one of greatest magnitude,
    with its sign; a NaN among them wins. Of complex numbers it is the magnitude.
    """
    import numpy as np

    if not value.size:
        return []
    picture = np.abs(value) if np.iscomplexobj(value) else np.asarray(value, dtype=float)
    flat = picture.ndim == 1 or picture.shape[-1] == 1
    picture = picture.reshape(1, -1) if flat else picture.reshape(-1, picture.shape[-1])
    for axis, limit in ((0, rows), (1, columns)):
        length = picture.shape[axis]
        if length > limit:
            starts = np.arange(limit) * length // limit
            high = np.maximum.reduceat(picture, starts, axis=axis)
            low = np.minimum.reduceat(picture, starts, axis=axis)
            with np.errstate(invalid="ignore"):
                picture = np.where(high >= -low, high, low)
    return picture.tolist()


def spark(value: Any, cells: int = SHOWN) -> str:
    """The entries as a row of bars "▁▄█", from the lowest to the highest of them and zero; "×" is NaN or infinite."""
    row = [x for line in pooled(value.reshape(-1), 1, cells) for x in line]
    top = max((abs(x) for x in row if is_finite(x)), default=0.0) or 1.0
    shares = [x / top for x in row]
    low, high = (end([0.0, *filter(is_finite, shares)]) for end in (min, max))
    step = (len(SPARKS) - 1) / (high - low or 1.0)
    return "".join(SPARKS[round((x - low) * step)] if is_finite(x) else "×" for x in shares)


def one_line(value: Any, digits: int = 6, between: str = ", ") -> str:
    """The entries in nested brackets, as NumPy writes them; a long array is cut, and its shape says how long it is."""
    cut = value.size > (VECTOR if value.ndim == 1 else MATRIX)
    text = _nested(value, digits, between, LINE_ENDS.get(value.ndim, ((2, 0), (1, 0))) if cut else None)
    return f"{text} {shape_text(value.shape)}" if cut or not value.size else text


def _nested(value: Any, digits: int, between: str, ends: tuple[tuple[int, int], tuple[int, int]] | None) -> str:
    """`ends` is how many are shown at the beginning and the end: of entries in a row, and of rows; None for all."""
    if not value.ndim:
        return number(value.item(), digits)
    places: Sequence[int | None] = range(len(value))
    if ends:
        places = _places(len(value), *ends[value.ndim > 1])
    texts = ["…" if place is None else _nested(value[place, ...], digits, between, ends) for place in places]
    return f"[{between.join(texts)}]"


def _places(length: int, head: int, tail: int) -> list[int | None]:
    """The positions along an axis that are shown, None for a gap."""
    if length <= head + tail:
        return list(range(length))
    return [*range(head), None, *(range(length - tail, length))]


def quantity(value: Any, digits: int = 6) -> str:
    """A number or an array in one line; "" for None."""
    if value is None:
        return ""
    return one_line(value, digits) if shape_of(value) else number(value, digits)


def brief(value: Any, digits: int = 6) -> str:
    """A number or an array for a narrow place: "[1 −2 3]" for a small vector, else "3×2 ▁▃▇ ‖·‖ 4.12"."""
    return column_texts([value], digits)[0].strip()


def column_texts(values: Sequence[Any], digits: int = 6, *, shapes: bool = True, bars: bool = True) -> list[str]:
    """A column of them in plain characters, of one width: numbers and norms with their points under one another.

    `shapes` says the shape of an array, which its row need say only once; `bars` draws it.
    """
    heads, numbers = [], []
    for value in values:
        if not shape_of(value):
            head, text = "", quantity(value, digits)
        elif is_short(value):
            head, text = one_line(value, min(digits, TEXT_DIGITS), " "), ""
        elif not value.size:
            head, text = f"{shape_text(value.shape)} empty", ""
        else:
            shape = f"{shape_text(value.shape)} " if shapes else ""
            head, text = f"{shape}{spark(value) + ' ' if bars else ''}‖·‖ ", number(norm(value), digits)
        heads.append(head)
        numbers.append(text)
    aligned = align(numbers)
    # a small array stands at the right edge, where the others have their last digit
    texts = [f"{head}{text}" if text.strip() else head for head, text in zip(heads, aligned, strict=True)]
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def block(value: Any, digits: int = 6, pad: str = " ") -> list[str]:
    """The entries of an array that has any, as lines with aligned columns, cut to 8 × 8; a vector is a column."""
    digits = min(digits, TEXT_DIGITS) if value.shape[-1] > 2 and value.ndim > 1 else digits  # wide enough as it is
    if value.ndim <= 2:
        return _matrix(value.reshape(len(value), -1), digits, pad)
    import numpy as np

    lines: list[str] = []
    leading = value.shape[:-2]
    for place in _places(math.prod(leading), SLICES - 1, 1):
        if place is None:
            lines.append("…")
            continue
        index = tuple(map(int, np.unravel_index(place, leading)))
        lines += [f"[{', '.join(map(str, index))}]", *_matrix(value[index], digits, pad)]
    return lines


def shown_places(length: int) -> list[int | None]:
    """The rows or columns of a matrix that are written out, None for a gap."""
    return list(range(length)) if length <= SHOWN else _places(length, SHOWN // 2, SHOWN // 2 - 1)


def _matrix(matrix: Any, digits: int, pad: str) -> list[str]:
    rows, columns = map(shown_places, matrix.shape)
    shown = []
    for column in columns:
        texts = ["…" if r is None or column is None else number(matrix[r, column].item(), digits) for r in rows]
        shown.append(align(texts, pad=pad))
    return [(pad * 2).join(line).rstrip(pad) for line in zip(*shown, strict=True)]


def bracketed(value: Any, digits: int = 6) -> list[str]:
    """A small matrix as lines that Python reads: ["[[1, 2],", " [3, 4]]"]."""
    columns = [align([number(x, digits) for x in column]) for column in value.T.tolist()]
    end = len(columns) - 1
    for k, column in enumerate(columns):  # the comma stands at the number, the space behind it
        mark = "," if k < end else "]"
        columns[k] = [text.rstrip() + mark + " " * (len(text) - len(text.rstrip())) for text in column]
    lines = [" ".join(line) for line in zip(*columns, strict=True)]
    last = len(lines) - 1
    return [f"{'[[' if not i else ' ['}{line.rstrip()}{',' if i < last else ']'}" for i, line in enumerate(lines)]


def described(value: Any, digits: int = 6) -> str:
    """An array in words, for a title: its shape, its range, what cannot be seen."""
    import numpy as np

    shape = shape_text(value.shape)
    if not value.size:
        return f"{shape}: no entries"
    finite = np.isfinite(value)
    bad = int(value.size - finite.sum())
    shown = np.abs(value) if np.iscomplexobj(value) else value
    what = "magnitudes" if np.iscomplexobj(value) else "entries"
    span = ""
    if finite.any():
        span = f" from {number(shown[finite].min(), digits)} to {number(shown[finite].max(), digits)}"
    return f"{shape}: {what}{span}" + (f", {bad} of {value.size} NaN or infinite" if bad else "")
