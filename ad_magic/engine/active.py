"""What every active number has in common: to the user's program it is a float.

An active number says that it is a float (`isinstance(x, float)` is true: programs branch on it), prints and formats
as its value, is its own copy, and never turns into a plain number in silence.
"""

from __future__ import annotations

import dis
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, NoReturn

from .tape import Tape, user_frame


class LostDerivative(TypeError):
    """A plain number was asked for where that would cut the derivative."""


# The last one that was raised, with the place of the call: C code may put an error of its own in its stead.
LAST_LOST: list[Any] = [None, None, None]


TEXTS: dict[str, Any] = {}  # texts made from active numbers while a cell runs, so that float(text) can be seen
_TEXTS_KEPT = 10_000


def remember(text: str, number: Any) -> str:
    """Note that a text was made from a number, while a cell runs."""
    if len(TEXTS) < _TEXTS_KEPT:
        TEXTS[text] = number
    return text


class Active:
    """Base of Dual and Traced. `value` may itself be an active number of an older run."""

    __slots__ = ("index", "tape", "value")
    __array_priority__ = 1000.0  # NumPy's scalars leave the operation to us
    types: ClassVar[set[type]] = set()  # the classes of active numbers

    value: Any
    tape: Tape
    index: int

    def __init_subclass__(cls) -> None:
        Active.types.add(cls)

    # Programs ask isinstance(x, float); a real subclass of float would be taken for its bare value by every C function.
    __class__ = property(lambda self: float)

    def __hash__(self) -> int:
        return hash(self.value)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __repr__(self) -> str:
        return remember(repr(self.value), self)

    def __str__(self) -> str:
        return remember(str(self.value), self)

    def __format__(self, spec: str) -> str:
        return remember(format(self.value, spec), self)

    def __pos__(self) -> Any:
        return self

    def __float__(self) -> float:
        frame = user_frame()
        if _formats(frame):  # "%.3f" % x reads the value as print does
            return float(primal(self))
        raise _lost(frame)

    def __complex__(self) -> NoReturn:
        raise _lost(user_frame())

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise LostDerivative("a number cannot be pickled while its derivative is computed; pickle it in a later cell")

    # ---- float's own attributes and methods ----

    @property
    def real(self) -> Any:
        return self

    @property
    def imag(self) -> float:
        return 0.0

    def conjugate(self) -> Any:
        return self

    def as_integer_ratio(self) -> NoReturn:
        raise _lost(user_frame())

    def hex(self) -> str:
        return primal(self).hex()


def primal(x: Any) -> Any:
    """The plain value of a number; any other object as it is.

    Use it where a plain float is needed and no derivative is to flow on, for a plot or a log:

    >>> from ad_magic import Dual, primal
    >>> primal(Dual(2.0, 1.0)), primal(3.5)
    (2.0, 3.5)
    """
    while type(x) in Active.types:
        x = x.value
    return x


def after_run(x: Any) -> Any:
    """A number as it is when its run is over: its value. A number of a run that is still open stays."""
    while type(x) in Active.types and x.tape.values is None:
        x = x.value
    return x


def _formats(frame: FrameType) -> bool:
    """Whether the frame stands at a `%`: as x % y would call __mod__, it is a string that is being formatted."""
    code = frame.f_code.co_code
    at = frame.f_lasti
    names = ("%", "%=")
    if at < 0 or dis.opname[code[at]] != "BINARY_OP":
        return False
    return dis._nb_ops[code[at + 1]][1] in names  # type: ignore[attr-defined]


def _lost(frame: FrameType) -> LostDerivative:
    error = LostDerivative(
        f"{place_in_words(frame)}: a plain number is needed here, and that would cut the derivative; this function "
        "has no derivative rule. Use a function of math, or write ad_magic.primal(x) where only the value matters"
    )
    LAST_LOST[:] = frame.f_code, frame.f_lasti, error
    return error


def place_in_words(frame: FrameType) -> str:
    """Where a frame stands: "line 3" of a cell, "mymodule.py, line 3" of a file."""
    file = Path(frame.f_code.co_filename)
    return f"{file.name}, line {frame.f_lineno}" if file.exists() else f"line {frame.f_lineno}"
