"""A primitive of the user's own, from a row like those of the derivative table: of numbers, and of arrays by entry."""

from __future__ import annotations

import ast
import contextlib
import inspect
from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType, MethodType
from typing import Any, cast

from ad_magic.rules import Rule, by_entry, compile_expression, names_in
from ad_magic.rules.number import numpy_names

from .active import Active, place_in_words
from .frames import user_frame
from .operation import PLAIN_TYPES, value_of
from .record import apply, settle
from .words import kind_of


class Own:
    """What `rule` gives for a rule by expressions: a function of real numbers and arrays.

    On arrays it goes by entry, as NumPy's own functions do. `rule` is its row.
    """

    def __init__(self, rule: Rule, names: Sequence[str], f: Callable[..., Any] | None = None, home: str = "") -> None:
        """`names` are what the user calls the arguments; `f` is the function that gives the value, where it is none of
        the row's expressions and is called in the same way; `home` the module where the rule is declared."""
        assert rule.called is not None
        self.rule, self.names = rule, tuple(names)
        usual = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        dress(self, f, rule.called, home, inspect.Signature(usual), _in_words(rule, self.names))
        self._plain = value_of(rule)

    __name__: str
    __signature__: inspect.Signature

    def __call__(self, *args: Any, **options: Any) -> Any:
        if options or len(args) != len(self.names):
            args = self.bound(args, options)
        if all(type(x) in PLAIN_TYPES for x in args):
            return self._plain(*args)
        if any(_is_array(x) for x in args):
            return of_arrays(self.rule)(*args)
        settled = [settle(x) if not isinstance(x, complex) else NotImplemented for x in args]
        for x, name, given in zip(settled, self.names, args, strict=True):
            if x is NotImplemented:
                raise TypeError(f"{self.__name__} takes real numbers and arrays of them; {name} is {kind_of(given)}")
        return apply(self.rule.name, *settled)

    def bound(self, args: Sequence[Any], options: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments of a call in order, those that have a default with it. Raises TypeError."""
        if not options and len(args) > len(self.names):
            said = ", ".join(self.names)
            raise TypeError(f"{self.__name__} takes {_count(len(self.names))} ({said}), {len(args)} were given")
        found = bound_to(self, args, options)
        for name in found.arguments.keys() - {*self.names}:
            raise TypeError(
                f"{self.__name__} has no partial for {name}, which it takes by name alone: leave {name} as it is, or "
                "let it be an argument by position, with a partial"
            )
        found.apply_defaults()
        return tuple(found.arguments[name] for name in self.names)

    def __repr__(self) -> str:
        return f"<rule {self.__name__}({', '.join(self.names)})>"

    def __reduce__(self) -> Any:
        return self.__name__  # a global of its module, as a function is


def dress(made: Any, f: Any, name: str, home: str, usual: inspect.Signature | None, words: str) -> None:
    """Let what stands for a function f of the user's look like it: its name, what it says of itself, its arguments."""
    made.__name__ = name
    made.__qualname__ = getattr(f, "__qualname__", name) if getattr(f, "__name__", "") == name else name
    made.__module__ = home or getattr(f, "__module__", None) or __name__
    told = isinstance(f, (FunctionType, MethodType)) or hasattr(f, "nin")  # else it is its class that says something
    made.__doc__ = (f.__doc__ if told else None) or words
    made.__signature__ = usual
    if f is not None:
        made.__wrapped__ = f
        with contextlib.suppress(TypeError, ValueError):  # a function in C
            made.__signature__ = inspect.signature(f)


def bound_to(made: Any, args: Sequence[Any], options: dict[str, Any]) -> inspect.BoundArguments:
    """The arguments of a call by their names. Raises TypeError."""
    signature = made.__signature__
    try:
        return cast(inspect.BoundArguments, signature.bind(*args, **options))
    except TypeError as error:
        bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        raise TypeError(f"{made.__name__}{inspect.Signature(bare)}: {error}") from None


def _in_words(rule: Rule, names: Sequence[str]) -> str:
    """A rule as its own documentation."""
    written = dict(zip(rule.arguments, names, strict=False))
    whole = f"{rule.called}({', '.join(names)})"
    value = "" if rule.function is not None else f" = {_renamed(rule.value, written)}"
    slopes = [f"∂/∂{name} = {_renamed(text, written)}" for name, text in zip(names, rule.partials, strict=True)]
    note = ["", "z is the value."] if any("z" in names_in(text) for text in rule.partials) else []
    return "\n".join([f"{whole}{value}", "", *slopes, *note])


def _renamed(text: str, written: dict[str, str]) -> str:
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = written.get(node.id, node.id)
    return ast.unparse(tree)


def _count(number: int) -> str:
    return "1 argument" if number == 1 else f"{number} arguments"


def _is_array(x: Any) -> bool:
    return type(x) not in Active.types and (isinstance(x, (list, tuple)) or getattr(x, "ndim", 0) > 0)


@cache
def of_arrays(rule: Rule) -> Callable[..., Any]:
    """A primitive of the user's own, entry by entry: of plain arrays, active ones, and symbols of a program."""
    from ad_magic.rules.arrays.frozen import np

    from .arrays.array import Array, operand
    from .arrays.perform import by_entry as recorded
    from .arrays.perform import is_number

    plain = _on_arrays(rule)

    def function(*args: Any) -> Any:
        given = [_as_floats(operand(x) if not hasattr(x, "writer") else x, np) for x in args]
        for x in given:
            if x is NotImplemented or (hasattr(x, "dtype") and x.dtype.kind not in "fiub"):
                place = place_in_words(user_frame())
                raise TypeError(f"{place}: {rule.called} takes real numbers and arrays of them")
        if any(type(x) is Array or is_number(x) for x in given):
            return recorded(rule.name, function, *given)
        return plain(*given)

    function.__name__ = rule.called or rule.name
    return function


def _as_floats(x: Any, np: Any) -> Any:
    """An array of whole numbers as one of floats."""
    return x.astype(float) if type(x) is np.ndarray and x.dtype.kind in "iub" else x


def _on_arrays(rule: Rule) -> Callable[..., Any]:
    from ad_magic.rules.arrays.frozen import np

    if rule.function is not None:
        of_numbers = rule.function
        ufunc = getattr(of_numbers, "ufunc", None)
        whole = ufunc if ufunc is not None else np.vectorize(of_numbers, otypes=[float])

        def called(*args: Any) -> Any:
            symbol = next((x for x in args if hasattr(x, "writer")), None)
            return whole(*args) if symbol is None else symbol.by_entry(rule.name, of_numbers, whole, args)

        return called
    evaluate = compile_expression(by_entry(rule.value), rule.arguments, numpy_names())

    quiet: Any = {"all": "ignore"} if " if " in rule.value else {}  # both sides of a choice are computed

    def value(*args: Any) -> Any:
        with np.errstate(**quiet):
            z = evaluate(*args)
        if any(hasattr(x, "writer") for x in args):
            return z
        shape = np.broadcast_shapes(*(np.shape(x) for x in args))
        if np.shape(z) != shape:
            return np.array(np.broadcast_to(z, shape), dtype=float)
        return z.copy("K") if any(z is x for x in args) else z

    return value
