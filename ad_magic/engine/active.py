"""What every active number has in common: to the user's program it is a float.

An active number says that it is a float (`isinstance(x, float)` is true: programs branch on it), prints and formats
as its value, is its own copy, and never turns into a plain number in silence.
"""

from __future__ import annotations

import dis
import itertools
import linecache
import re
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, ClassVar, NoReturn

from .frames import is_ours, user_frame
from .tape import Tape
from .texts import remember, remember_rounded
from .users import in_library


class LostDerivative(TypeError):
    """A plain number was asked for where that would cut the derivative."""


# The last one that was raised, with the place of the call: C code may put an error of its own in its stead.
LAST_LOST: list[Any] = [None, None, None]


def refuse_left(tape: Tape, tangent: Any) -> None:
    """Raises LostDerivative where a tangent of a forward run comes from a number without a derivative (see `left`)."""
    if tape.left_behind is not None:
        from .left import said_by

        sentence = said_by(tangent, tape.left_behind)
        if sentence is not None:
            raise LostDerivative(sentence)


def _looked(name: str, number: Any, outcome: Any, *constants: Any) -> Any:
    from .record import look

    return look(name, number, outcome, *constants)


class Active:
    """Base of Dual and Traced. `value` may itself be an active number of an older run."""

    __slots__ = ("index", "tape", "value")
    types: ClassVar[set[type]] = set()  # the classes of active numbers

    value: Any
    tape: Tape
    index: int

    def __init_subclass__(cls) -> None:
        Active.types.add(cls)

    # Programs ask isinstance(x, float); a real subclass of float would be taken for its bare value by every C function.
    # An entry of an array is a float of NumPy.
    __class__ = property(lambda self: _class_of(self))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from .arrays.dispatch import call_ufunc

        return call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from .arrays.dispatch import call_function

        return call_function(function, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        if not _of_numpy(self):
            raise TypeError("'float' object is not subscriptable")
        from .arrays.constructors import whole

        return whole(self)[key]

    __iter__ = None

    def __getattr__(self, name: str) -> Any:
        if name in OF_NUMPY and _of_numpy(self):  # an entry of an array has what an array without axes has
            if name == "T":
                return self
            if name in ("sum", "prod", "mean", "max", "min", "copy", "squeeze", "transpose"):
                return lambda *args, **options: self
            from .arrays.constructors import whole

            return getattr(whole(self), name)
        raise AttributeError(f"'float' object has no attribute {name!r}")

    def __hash__(self) -> int:
        return _looked("hash", self, hash(self.value))

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __repr__(self) -> str:
        return _looked("repr", self, remember(repr(self.value), self, primal(self)))

    def __str__(self) -> str:
        return _looked("str", self, remember(str(self.value), self, primal(self)))

    def __format__(self, spec: str) -> str:
        return _looked("format", self, remember(format(self.value, spec), self, primal(self)), spec)

    def __pos__(self) -> Any:
        return self

    def __float__(self) -> float:
        if self.tape.values is None:  # its run is over: there is no derivative to lose
            return float(self.value)
        frame = user_frame()
        if _formats(frame):  # "%.3f" % x reads the value as print does
            remember_rounded(primal(self), self)
            return float(primal(_looked("percent", self, primal(self))))
        if _compares(frame):
            return float(primal(self))
        raise _lost(frame)

    def __complex__(self) -> complex:
        if self.tape.values is None:
            return complex(self.value)
        raise _lost(user_frame())

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise LostDerivative(
            f"{place_in_words(user_frame())}: a number cannot be pickled while its derivative is computed; pickle "
            "ad_magic.primal(x), or the number in a later cell"
        )

    # ---- float's own attributes and methods ----

    @property
    def real(self) -> Any:
        return self

    @property
    def imag(self) -> float:
        return 0.0

    def conjugate(self) -> Any:
        return self

    def as_integer_ratio(self) -> tuple[int, int]:
        frame = user_frame()
        if self.tape.values is None or _compares(frame):
            return primal(self).as_integer_ratio()
        raise _lost(frame)

    def hex(self) -> str:
        return _looked("hex", self, remember(primal(self).hex(), self, primal(self)))


OF_NUMPY = frozenset((
    "shape", "ndim", "size", "dtype", "T", "item", "sum", "mean", "std", "var", "prod", "max", "min", "astype",
    "reshape", "copy", "tolist", "flatten", "ravel", "clip", "round", "squeeze", "any", "all", "nbytes",
    "itemsize", "dot", "cumsum", "cumprod", "argmax", "argmin", "transpose", "strides", "flags", "repeat"
))  # fmt: skip


def _of_numpy(x: Any) -> bool:
    return _class_of(x) is not float


def _class_of(x: Any) -> type:
    kind = type(primal(x))
    return kind if kind.__module__ == "numpy" else float


def primal(x: Any) -> Any:
    """The plain value of a number, whatever runs it belongs to; any other object as it is. It leaves no trace."""
    while type(x) in Active.types:
        x = x.value
    return x


def with_value(x: Active, value: Any) -> Any:
    """The same variable of the same run with another value."""
    copy = type(x).__new__(type(x))
    for base in type(x).__mro__:
        for name in base.__dict__.get("__slots__", ()):
            if hasattr(x, name):
                setattr(copy, name, getattr(x, name))
    copy.value = value
    return copy


def as_python(x: Any) -> Any:
    """The same variable with a float of Python for its value, as float(x) gives it."""
    return _with_plain(x, float)


def as_numpys(x: Any) -> Any:
    """The same variable with a float of NumPy for its value, as np.float64(x) gives it."""
    import numpy as np

    return _with_plain(x, np.float64)


def _with_plain(x: Any, kind: Any) -> Any:
    if type(x) in Active.types:
        value = _with_plain(x.value, kind)
        return x if value is x.value else with_value(x, value)
    return kind(x) if type(x) is float or (kind is float and type(x).__module__ == "numpy") else x


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
    operators = vars(dis)["_nb_ops"]  # no public table says for which operator an argument of BINARY_OP stands
    return operators[code[at + 1]][1] in names


def _compares(frame: FrameType | None) -> bool:
    """Whether a Fraction is being compared with a number: it asks for the exact value and goes no further."""
    for _ in range(3):
        if frame is None or frame.f_globals.get("__name__") != "fractions":
            return False
        if frame.f_code.co_name in ("_richcmp", "__eq__"):
            return True
        frame = frame.f_back
    return False


def _lost(frame: FrameType) -> LostDerivative:
    error = lost_here(frame, "a plain number is", "Use a function of math, or write")
    LAST_LOST[:] = frame.f_code, frame.f_lasti, error
    return error


def lost_here(frame: FrameType, needed: str, advice: str) -> LostDerivative:
    """What to say where the function called at a frame, or one that this called, needs plain numbers."""
    called = _library_call(frame)
    if called is None and _at(frame, "STORE_SUBSCR", "STORE_SLICE"):
        return LostDerivative(
            f"{place_in_words(frame)}: the array that is written to cannot hold a derivative (a library made it, or "
            "its entries are records); copy it first, as an array of floats: a = np.array(a, dtype=float)"
        )
    name = called or _written_call(frame) or "this function"
    objects = name == "this function" or name.endswith((".astype", "array"))
    hint = "; of an array of objects, np.array(a.tolist()) makes an array of numbers" if objects and not called else ""
    return LostDerivative(
        f"{place_in_words(frame)}: {needed} needed here, and that would cut the derivative; {name} has no derivative "
        f"rule. {advice} ad_magic.primal(x) where only the value matters{hint}"
    )


def _written_call(frame: FrameType) -> str | None:
    """The function that is called at a frame, as it is written there: "struct.pack"; None where it is no plain name."""
    return written_at(frame.f_code, frame.f_lasti)


def written_at(code: CodeType, instruction: int) -> str | None:
    """The same at an instruction of a program."""
    where = next(itertools.islice(code.co_positions(), instruction // 2, None), (None, None, None, None))
    first, last, start, end = where
    if first is None or first != last or start is None or end is None:
        return None
    text = linecache.getline(code.co_filename, first).encode()[start:end].decode(errors="ignore")
    name = re.match(r"[A-Za-z_][\w.]*(?=\()", text)
    return name[0] if name else None


def _at(frame: FrameType, *instructions: str) -> bool:
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in instructions


def _library_call(frame: FrameType | None) -> str | None:
    """The function of a library that the user's program called on the way to a frame; None where there is none.

    A class stands for its method: "scipy.interpolate.CubicSpline".
    """
    called = None
    while frame is not None and (in_library(frame.f_code.co_filename) or is_ours(frame.f_code)):
        called = called if is_ours(frame.f_code) else frame
        frame = frame.f_back
    return None if called is None else function_in_words(called)


def function_in_words(called: FrameType) -> str:
    """The function of a library that a frame runs, by the name that users call it."""
    names = called.f_code.co_qualname.rpartition("<locals>.")[2].removesuffix(".__new__").removesuffix(".__init__")
    home = [part for part in called.f_globals.get("__name__", "").split(".") if not part.startswith("_")]
    return ".".join(["np" if part == "numpy" else part for part in home if part != "core"] + [names])


def place_in_words(frame: FrameType) -> str:
    """Where a frame stands: "line 3" of a cell, "mymodule.py, line 3" of a file; for a library, where it was called."""
    while frame.f_back is not None and (in_library(frame.f_code.co_filename) or is_ours(frame.f_code)):
        frame = frame.f_back
    return line_in_words(frame.f_code.co_filename, frame.f_lineno)


def line_in_words(filename: str, line: int) -> str:
    """A line of a cell, or of a file: "line 3", "mymodule.py, line 3"."""
    file = Path(filename)
    return f"{file.name}, line {line}" if file.exists() else f"line {line}"
