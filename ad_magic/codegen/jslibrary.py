"""The functions that a program in JavaScript may use: those of Math, and our own, of which it takes what it needs.

Our own are the blocks of `functions*.js`: a blank line ends a block, the first name that it declares is its name, the
names in it are what it needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_SAME = (
    "sqrt", "cbrt", "exp", "expm1", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot", "floor", "ceil", "trunc", "abs",
)  # fmt: skip

# The names that are an expression of JavaScript as they are.
DIRECT: dict[str, str] = {
    **{name: f"Math.{name}" for name in _SAME},
    "fabs": "Math.abs",
    "PI": "Math.PI",
    "LN2": "Math.LN2",
    "LN10": "Math.LN10",
    "SQRT_2": "Math.SQRT2",
    "inf": "Infinity",
}

_DECLARED = re.compile(r"(?:const|function) (\w+)")
_NAME = re.compile(r"(?<![\w.$])[A-Za-z_]\w*")  # not what follows a dot


def _blocks() -> dict[str, str]:
    """The source of each of our functions, without the comments above it."""
    blocks = {}
    for file in sorted(Path(__file__).parent.glob("functions*.js")):
        for block in file.read_text(encoding="utf-8").split("\n\n"):
            code = "\n".join(line for line in block.splitlines() if not line.startswith("//"))
            if found := _DECLARED.match(code):
                blocks[found[1]] = code
    return blocks


_SOURCES = _blocks()
_NEEDS = {name: set(_NAME.findall(code)) & _SOURCES.keys() - {name} for name, code in _SOURCES.items()}

KNOWN: frozenset[str] = frozenset(DIRECT) | frozenset(_SOURCES)


def source_of(names: Iterable[str]) -> str:
    """The source of these functions and of all that they need, each once, in an order in which they can be run.

    Names that are an expression of JavaScript (`DIRECT`) need none.

    >>> print(source_of(["sin", "radians"]))
    const RADIANS = Math.PI / 180;
    const radians = (a) => a * RADIANS;
    """
    needed: set[str] = set()
    open_names = [name for name in names if name not in DIRECT]
    while open_names:
        name = open_names.pop()
        if name not in needed:
            needed.add(name)
            open_names += _NEEDS[name]
    return "\n".join(code for name, code in _SOURCES.items() if name in needed)
