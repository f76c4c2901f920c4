"""How a number is written: the same way in every renderer, and so that a column of them can be read.

A number is written with a fixed count of significant digits, without trailing zeros, with the typographic minus, and
with a short exponent (`1e−8`) where it is very large or small. A column lines up at the decimal point.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence

MINUS = "−"


def number(value: complex, digits: int = 6) -> str:
    """`value` with `digits` significant digits: "2", "−0.279415", "1e−8", "nan", "inf"; an exact zero is "0".

    A complex number is written as Python does it, "1−2j".
    """
    if isinstance(value, complex):
        imaginary = number(value.imag, digits)
        return f"{number(value.real, digits)}{'' if imaginary.startswith(MINUS) else '+'}{imaginary}j"
    text = format(float(value), f".{max(digits, 1)}g")
    mantissa, e, exponent = text.partition("e")
    if e:
        text = f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text.replace("-", MINUS)


def plain(text: str) -> str:
    """A written number with the ASCII minus, so that `float()` reads it and a paste into a cell works."""
    return text.replace(MINUS, "-")


def is_finite(value: complex) -> bool:
    """Whether `value` is neither NaN nor infinite."""
    return cmath.isfinite(value)


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
