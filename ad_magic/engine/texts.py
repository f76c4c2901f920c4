"""Texts and bytes that a program makes of active numbers, and where it reads them back as numbers.

A text cannot carry a derivative. Most often it is only shown; where it becomes a number again the derivative stops,
and that is said: by a flag in a report, by a warning where there is none. It is the value that is recognised, so it
does not matter in which way it went, nor if the text has other digits before it.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from decimal import Decimal
from numbers import Real
from typing import Any

from .frames import user_frame

_KEPT = 10_000
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ENTRIES = 100  # of an array whose text is looked for
_LONG = 100_000  # characters of a text: a longer one is data

KNOWN: dict[Any, Any] = {}  # what a text of an open run reads as, or bytes -> the number or array they were made of
_whole: set[str] = set()  # such texts without a point
_rounded: list[tuple[float, Any]] = []  # of texts whose digits we have not seen ("%.3f" % x): the value, and the number


def remember(text: str, number: Any, value: float) -> str:
    """Note that a text was made from a number of this plain value, while a program runs."""
    _note(value, number)
    if len(text) < 40:
        try:
            _note(float(text), number)
        except ValueError:
            return text
        if not _has_point(text):
            _whole.add(text.strip())
    return text


def remember_array(made: Any, array: Any) -> None:
    """Note that bytes, or a text with some digits of each entry, were made from an array."""
    from .lifting import bottom

    if isinstance(made, bytes):
        _note(made, array)
    elif array.size <= _ENTRIES:
        for value in bottom(array).ravel().tolist():
            remember_rounded(value, array)


def remember_rounded(value: float, number: Any) -> None:
    """Note that a text was made from a number, with digits that are not known."""
    _note(value, number)
    if len(_rounded) < _KEPT:
        _rounded.append((value, number))


def _note(value: Any, number: Any) -> None:
    if len(KNOWN) >= _KEPT:
        del KNOWN[next(iter(KNOWN))]
    KNOWN[value] = number


def _has_point(text: str) -> bool:
    return not text.strip(" +-").isdigit()


def forget() -> None:
    """There is no run any longer."""
    KNOWN.clear()
    _whole.clear()
    _rounded.clear()


# ---- where they are read -------------------------------------------------------------------------


def read_back(x: Any) -> None:
    """A program makes a number of a text, or a number that it has read out of something: it may be one of its own."""
    if not KNOWN:
        return
    if isinstance(x, (bytes, bytearray, memoryview)):
        if bytes(x) in KNOWN:
            stopped(KNOWN[bytes(x)])
        elif isinstance(x, bytes) and x.isascii():
            read_back(x.decode())
        return
    if isinstance(x, str):
        for digits in _NUMBER.findall(x[:_LONG]):
            if _has_point(digits) or digits in _whole:
                _look(float(digits), digits)
        return
    if isinstance(x, (Real, Decimal)):
        _look(float(x))


def _look(value: float, digits: str = "") -> None:
    number = KNOWN.get(value)
    number = _of_rounded(digits) if number is None and digits else number
    if number is not None:
        stopped(number)


def _of_rounded(digits: str) -> Any:
    for value, number in reversed(_rounded):
        mantissa, _, power = digits.lower().partition("e")
        places = len(mantissa.partition(".")[2]) - int(power or 0)
        if abs(float(digits) - value) <= 0.5000001 * 10.0**-places and ("." in digits or power):
            return number
    return None


def stopped(number: Any) -> None:
    """The derivative of a number stops: a decision of its run, and a warning where there is no report to say so."""
    if hasattr(number, "place"):
        from .arrays.array import is_active, latest
        from .arrays.looks import looked

        number = latest(number)
        if not is_active(number):
            return
        looked("text", lambda x: x.copy(), (number,), {})
    else:
        from .active import Active, after_run
        from .record import decide_on

        number = after_run(number)
        if type(number) not in Active.types:
            return
        decide_on("text", number)
    if not number.tape.located:
        frame = user_frame()
        said = "the derivative stops here: the text of a number is read back as a number"
        warnings.warn_explicit(said, UserWarning, frame.f_code.co_filename, frame.f_lineno)


def reading(original: Callable[..., Any]) -> Callable[..., Any]:
    """The stand-in for a function that makes numbers of a text: json.loads, ast.literal_eval."""

    def function(*args: Any, **options: Any) -> Any:
        for x in args[:1]:
            read_back(x)
        return original(*args, **options)

    return function


def evaluate(source: Any, /, *scopes: Any, **named: Any) -> Any:
    """The stand-in for eval, which reads names where it is called."""
    read_back(source)
    names = [*scopes, *(named.get(name) for name in ("globals", "locals")[len(scopes) :])]
    if names[0] is None:
        frame = sys._getframe(1)
        return eval(source, frame.f_globals, frame.f_locals if names[1] is None else names[1])
    return eval(source, *scopes, **named)
