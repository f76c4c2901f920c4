"""What a run says that ends in an error: the user's own error with his frames alone, or a sentence on our numbers."""

from __future__ import annotations

import builtins
import re
from types import FrameType, TracebackType

from .active import LAST_LOST, Active, LostDerivative, function_in_words, line_in_words, place_in_words, written_at
from .frames import user_frame, without_our_frames
from .standins import plain_in
from .users import in_library, is_users


def as_told(error: BaseException) -> BaseException:
    """The error that a run ends with, its traceback without our frames.

    It is the user's own, but where C code or a library has met a number of ours and speaks of that.
    """
    trace = without_our_frames(error.__traceback__)
    lost = _hidden_loss(error, trace) or _library_loss(error, trace) or _foreign(error, trace)
    if lost is not None:
        return lost.with_traceback(_users_part(trace))
    _said_of_floats(error, trace)
    _leave_plain(error)
    chained = error.__cause__ or error.__context__
    seen = {id(error)}
    while chained is not None and id(chained) not in seen:  # what was raised while an error was handled, and so on
        seen.add(id(chained))
        chained.with_traceback(without_our_frames(chained.__traceback__))
        _leave_plain(chained)
        chained = chained.__cause__ or chained.__context__
    return error.with_traceback(trace)


def _leave_plain(error: BaseException) -> None:
    """What an error of the user's own carries out of a run that is over: plain numbers and arrays."""
    held, old = vars(error), error.args
    new = tuple(map(plain_in, old))
    if any(a is not b for a, b in zip(new, old, strict=True)):
        error.args = new
    plain_in(held)


_DRAW = (
    "a random draw takes plain numbers, and that would cut the derivative. Draw first and shape it then: "
    "mean + width * rng.standard_normal(n), low + (high - low) * rng.random(n)"
)

_ITSELF = (  # it was called from a frame of ours
    "the function that is differentiated takes plain numbers only, and has no derivative rule. Differentiate one of "
    "your own that calls it, lambda x: …, with ad_magic.primal(x) where only the value matters"
)


def _hidden_loss(error: BaseException, trace: TracebackType | None) -> LostDerivative | None:
    """The LostDerivative that a C function turned into an error of its own (`required argument is not a float`)."""
    code, instruction, lost = LAST_LOST
    LAST_LOST[:] = None, None, None
    if trace is None and lost is not None:
        here = user_frame()
        other = isinstance(error, LostDerivative) and error is not lost  # a sentence of its own
        asked = (here.f_code, here.f_lasti) == (code, instruction) and not other
        return LostDerivative(f"{place_in_words(here)}: {_ITSELF}") if asked else None
    while trace is not None:
        rest = trace.tb_next
        asked = (trace.tb_frame.f_code, trace.tb_lasti) == (code, instruction) or isinstance(error, LostDerivative)
        if rest is not None and asked and _module_of(rest).startswith("numpy.random"):  # Cython shows its own lines
            return LostDerivative(f"{_place(trace)}: {_DRAW}")
        if rest is None:
            return lost if asked and not isinstance(error, LostDerivative) else None
        trace = rest
    return None


def _module_of(trace: TracebackType) -> str:
    return str(trace.tb_frame.f_globals.get("__name__", ""))


_OF_TYPES = re.compile(r"\b(float|Traced|Dual|Array)\b")


def _holds_ours(frame: FrameType) -> bool:
    held = [x for local in frame.f_locals.values() for x in (local if isinstance(local, tuple) else (local,))]
    return any(type(x) in Active.types or type(x).__name__ == "Array" for x in held)


def _library_loss(error: BaseException, trace: TracebackType | None) -> LostDerivative | None:
    """A library's own error about an active number or array that it was given, as a sentence that says so."""
    if type(error) not in (TypeError, AttributeError) or isinstance(error, LostDerivative):
        return None
    users: TracebackType | None = None
    inside: list[TracebackType] = []
    while trace is not None:
        if not in_library(trace.tb_frame.f_code.co_filename):
            users, inside = trace, []
        else:
            inside.append(trace)
        trace = trace.tb_next
    if users is None or not inside:
        return None
    frame = inside[0].tb_frame
    deep = inside[1:] if _OF_TYPES.search(str(error)) else []  # further in, where it is a type that does not please
    if not any(_holds_ours(one.tb_frame) for one in (inside[0], *deep)) or _AS_A_FLOAT.search(str(error)):
        return None
    name = function_in_words(frame)
    said = str(error).partition("\n")[0].replace("a 'Array' object", "an active array")
    return LostDerivative(
        f"{_place(users)}: {name} has no derivative rule, and cannot take a number or an array whose derivative "
        f"is computed ({type(error).__name__}: {said}). Write ad_magic.primal(x) where only the value matters"
    )


_OURS = re.compile(r"(?<![\w.])(Traced|Dual|Active|Buffer|Array)\b(?=\.\w+\(\)|[^.]|$)")
_AS_A_FLOAT = re.compile(
    r"'(Traced|Dual|float)' object is not (callable|iterable|subscriptable)|'(Traced|Dual|float)' has no len"
)
_INTEGER = re.compile(r"as an integer|indices must be|slice indices")
_PLAIN_ONLY = re.compile(  # what C code says of an active number, and would not say of a float, or of an array
    r"conversion from|unsupported type for|'float' objects doesn't|a 'float' object but|got Array"
    r"|bytes-like object .*'(Array|Buffer)'"
)
_OPERATOR = re.compile(r"(?:unsupported operand type|not supported between).*'(\w[\w.]*)' and '(\w[\w.]*)'")


def _foreign(error: BaseException, trace: TracebackType | None) -> LostDerivative | None:
    """The error of C code that wants a plain number or array: `conversion from Traced to Decimal is not supported`."""
    said = str(error)
    in_floats = _of_floats(said, trace)
    if type(error) is not TypeError or in_floats == said:
        return None
    users = _innermost(trace)
    start = "" if users is None else f"{_place(users)}: "
    if _INTEGER.search(said):
        return LostDerivative(
            f"{start}{in_floats}: write int(x) where a whole number is meant, ad_magic.primal(x) where only the value "
            "matters"
        )
    other = _library_operand(said, users)
    if other is not None:
        return LostDerivative(
            f"{start}a {other} takes a plain number only, and this is one whose derivative is computed; write "
            "ad_magic.primal(x) where only the value matters"
        )
    if not _PLAIN_ONLY.search(said):
        return None
    name = None if users is None else written_at(users.tb_frame.f_code, users.tb_lasti)
    kind = "array" if re.search("'(Array|Buffer)'", said) else "number"
    return LostDerivative(
        f"{start}{name or 'what is called here'} takes a plain {kind} only, and this is one whose derivative is "
        "computed; write ad_magic.primal(x) where only the value matters"
    )


def _library_operand(said: str, users: TracebackType | None) -> str | None:
    """The class of a library, as `datetime.timedelta`, that an active number was to be added to, or the like."""
    found = _OPERATOR.search(said)
    if found is None:
        return None
    one, two = (_of_floats(name, users) for name in (found[1], found[2]))
    other = two if one == "float" else one
    own = users and users.tb_frame.f_globals.get(other)
    if hasattr(builtins, other) or other in ("NoneType", "function", "module", "builtin_function_or_method"):
        return None
    return None if other == "numpy.ndarray" or (isinstance(own, type) and is_users(own.__module__)) else other


def _of_floats(said: str, trace: TracebackType | None) -> str:
    """A text in the words of a plain run: a class of ours in it is what the number or array is to the user's program. A
    class of his own that is called the same keeps its name."""
    users = _innermost(trace)
    names = {} if users is None else users.tb_frame.f_globals

    def instead(found: re.Match[str]) -> str:
        own = names.get(found[1])
        if isinstance(own, type) and not own.__module__.startswith("ad_magic."):
            return found[0]
        return "numpy.ndarray" if found[1] in ("Buffer", "Array") else "float"

    return _OURS.sub(instead, said)


def _said_of_floats(error: BaseException, trace: TracebackType | None) -> None:
    """An error of the user's own, in the words of a plain run."""
    said = str(error)
    in_floats = _of_floats(said, trace)
    if type(error) in (TypeError, AttributeError) and len(error.args) == 1 and in_floats != said:
        error.args = (in_floats,)
    if type(error).__name__ in ("_UFuncOutputCastingError", "UFuncTypeError") and "dtype('int" in said:
        error.add_note("The array holds whole numbers. Make it one of floats: a = a.astype(float)")


def _innermost(trace: TracebackType | None) -> TracebackType | None:
    """The innermost place in the user's program on the way to an error."""
    found = None
    while trace is not None:
        if not in_library(trace.tb_frame.f_code.co_filename):
            found = trace
        trace = trace.tb_next
    return found


def _place(trace: TracebackType) -> str:
    return line_in_words(trace.tb_frame.f_code.co_filename, trace.tb_lineno)


def _users_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback that ends with the user's last line: what a library did then says nothing."""
    last, one = None, trace
    while one is not None:
        last = one if not in_library(one.tb_frame.f_code.co_filename) else last
        one = one.tb_next
    if last is not None:
        last.tb_next = None
    return trace


def as_told_of_sweep(error: BaseException) -> BaseException | None:
    """The error of a function of the user's that a sweep has called; None where it is a sentence of ours."""
    trace = _users_part(without_our_frames(error.__traceback__))
    while trace is not None and in_library(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return None if trace is None else error.with_traceback(trace)
