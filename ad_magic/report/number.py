"""How a number is written: the same way in every renderer, and so that a column of them can be read.

A number is written with a fixed count of significant digits, without trailing zeros, with the typographic minus, and
with a short exponent (`1e−8`) where it is very large or small. A column lines up at the decimal point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MINUS = "−"
ARRAY_SHOWN = 6  # elements of an array that are written out before it is cut


def number(value: float, digits: int = 6) -> str:
    """`value` with `digits` significant digits: "2", "−0.279415", "1e−8", "nan", "inf"; an exact zero is "0"."""
    text = format(float(value), f".{max(digits, 1)}g")
    mantissa, e, exponent = text.partition("e")
    if e:
        text = f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text.replace("-", MINUS)


def plain(text: str) -> str:
    """A written number with the ASCII minus, so that `float()` reads it and a paste into a cell works."""
    return text.replace(MINUS, "-")


def is_finite(value: float) -> bool:
    """Whether `value` is neither NaN nor infinite."""
    return value - value == 0


def split(text: str) -> tuple[str, str]:
    """A written number before and from its decimal point (or exponent): ("−17", ".8826"), ("1", "e−8"), ("nan", "")."""
    if text[-1:].isdigit():
        for place, character in enumerate(text):
            if character in ".e":
                return text[:place], text[place:]
    return text, ""


def align(texts: Sequence[str], *, pad: str = " ") -> list[str]:
    """The texts padded to one width, decimal points under one another. An empty text stays blank."""
    parts = [split(text) for text in texts]
    left = max((len(whole) for whole, _ in parts), default=0)
    right = max((len(rest) for _, rest in parts), default=0)
    return [pad * (left - len(whole)) + whole + rest + pad * (right - len(rest)) for whole, rest in parts]


def quantity(value: Any, digits: int = 6) -> str:
    """A number or an array in one line. A long array is cut, and its shape says how long it is."""
    shape = getattr(value, "shape", ())
    if not shape:
        return "" if value is None else number(value, digits)
    flat = value.ravel().tolist()
    shown = ", ".join(number(element, digits) for element in flat[:ARRAY_SHOWN])
    size = " × ".join(str(length) for length in shape)
    if len(shape) == 1 and len(flat) <= ARRAY_SHOWN:
        return f"[{shown}]"
    return f"[{shown}{', …' if len(flat) > ARRAY_SHOWN else ''}] ({size})"
