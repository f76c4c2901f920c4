"""ASKING: a point of the inputs as the line of code that begins there. What is written reads back exactly."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

Span = tuple[float, float, float | None]  # lo, hi, step
Spans = Mapping[str, Span]
Again = Callable[[Mapping[str, Any], Spans], str]  # inputs and ranges -> a line of code


def expression(value: Any, namespace: Mapping[str, Any]) -> str:
    """A number or an array as a Python expression; NumPy has the name that it has in the namespace.

    Raises ValueError where an array is too large for a line of code.

    >>> import numpy
    >>> expression(0.1, {}), expression(2.0, {}), expression(numpy.array([0.5, -1.0]), {"np": numpy})
    ('0.1', '2', 'np.array([0.5, -1.0])')
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 and repr(value) != "-0.0":
        return repr(value).removesuffix(".0")
    from ad_magic.codegen.interleave.outside import literal

    text = literal(value)
    if text is None:
        size = getattr(value, "size", None)
        raise ValueError(f"{size:,} numbers are too many for a line of code" if size else f"{value!r:.40} has no text")
    if text.startswith("np."):
        return _numpy(namespace) + text.removeprefix("np")
    return text


def _numpy(namespace: Mapping[str, Any]) -> str:
    """What NumPy is called in a namespace."""
    names = [n for n, x in namespace.items() if isinstance(x, ModuleType) and x.__name__ == "numpy"]
    return "np" if "np" in names or not names else names[0]


def magic_line(
    name: str,
    options: Iterable[str],
    words: Mapping[str, str],
    before: Mapping[str, Any],
    inputs: Mapping[str, Any],
    ranges: Spans,
    namespace: Mapping[str, Any],
) -> str:
    """The line of a magic: `%%grad x=1.2 y=0.5 --range y=0:4`, and its other options.

    `words` are the inputs as the user has written them; an array that is what it was `before` keeps them.

    >>> magic_line("grad", ["--mode", "both"], {}, {"x": 2.0}, {"x": 1.2}, {"x": (0.0, 4.0, None)}, {})
    '%%grad x=1.2 --range x=0:4 --mode both'
    """
    parts = []
    for n, value in inputs.items():
        if hasattr(value, "shape") and value is before.get(n):
            parts.append(words.get(n, n))
        else:
            parts.append(f"{n}={expression(value, namespace)}")
    for target, span in ranges.items():
        ends = ":".join(expression(float(x), {}) for x in span if x is not None)
        parts += ["--range", f"{target}={ends}"]
    return " ".join([f"%%{name}", *map(shlex.quote, [*parts, *options])])


def options_of(parser: Any, args: Any, skip: Iterable[str] = ("inputs", "range", "help")) -> list[str]:
    """The options that a user has given, as he would write them."""
    found: list[str] = []
    for action in parser._actions:
        value = getattr(args, action.dest, None)
        if action.dest in skip or not action.option_strings or value in (None, action.default):
            continue
        flag = max(action.option_strings, key=len)
        if value is True:
            found.append(flag)
        else:
            found += [word for one in (value if isinstance(value, list) else [value]) for word in (flag, str(one))]
    return found


def call_line(
    function: str,
    fixed: Mapping[str, Any],
    options: Mapping[str, Any],
    inputs: Mapping[str, Any],
    ranges: Spans,
    namespace: Mapping[str, Any],
) -> str:
    """The call of explore: `explore(f, x=1.2, n=fixed(3), ranges={'y': (0, 4)})`.

    >>> call_line("f", {"n": 3}, {"show": "curves"}, {"x": 1.2}, {"x": (0.0, 4.0, None)}, {})
    "explore(f, x=1.2, n=fixed(3), ranges={'x': (0, 4)}, show='curves')"
    """
    parts = [f"{n}={expression(value, namespace)}" for n, value in inputs.items()]
    parts += [f"{n}={_fixed(value, namespace)}" for n, value in fixed.items()]
    if ranges:
        spans = {
            target: f"({', '.join(expression(float(x), {}) for x in span if x is not None)})"
            for target, span in ranges.items()
        }
        parts.append(f"ranges={{{', '.join(f'{target!r}: {span}' for target, span in spans.items())}}}")
    parts += [f"{name}={value!r}" for name, value in options.items() if value is not None]
    return f"explore({', '.join([function, *parts])})"


def _fixed(value: Any, namespace: Mapping[str, Any]) -> str:
    """An argument that is no input: by its name where it has one."""
    if callable(value) and hasattr(value, "__name__"):
        module = getattr(value, "__module__", None)
        own = any(x is value for x in namespace.values())
        return value.__name__ if own or module in (None, "builtins") else f"{module}.{value.__name__}"
    text = expression(value, namespace) if not isinstance(value, float) else repr(value)
    number = (isinstance(value, (int, float)) and not isinstance(value, bool)) or hasattr(value, "shape")
    return f"fixed({text})" if number or isinstance(value, tuple) else text
