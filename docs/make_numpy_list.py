"""Write docs/numpy.md: what each function of NumPy, and each ufunc of scipy.special, does with active arrays.

python docs/make_numpy_list.py          writes the page beside this file

Everything is asked of the engine's own tables. `entries()` gives the list as data, one Entry for each function.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.fft
import numpy.lib.stride_tricks

from ad_magic.engine.active import LostDerivative
from ad_magic.engine.arrays import by_entries, functions, numpy_standins, primitives, tables
from ad_magic.engine.arrays.dispatch import name_of, no_rule
from ad_magic.engine.arrays.special import _OWN as SPECIAL_FUNCTIONS
from ad_magic.engine.arrays.special import SPECIAL, scipy_modules
from ad_magic.engine.arrays.special import handler as special_handler
from ad_magic.rules import RULES
from ad_magic.rules.arrays.composed import COMPOSED, MOVES
from ad_magic.rules.special import FIXED, SEVERAL

try:
    import scipy
    from scipy import special
except ImportError:  # the list without its last part
    scipy = None

SUPPORTED, NO_DERIVATIVE, REFUSED = "supported", "no derivative", "refused"

ENTRY, PAIR, MOVE, COMPOSITION = "entry by entry", "function pair", "move", "composition"
WRITE, MADE, WATCHED = "written in place", "made of active numbers", "plain, may be written to"
LOOK, INFORMATION = "a look at plain values", "shape and type only"

# Handlers of their own, by what they record; `tests/test_numpy_list.py` looks at what they do.
_OWN_WAYS = {
    **dict.fromkeys(("np.outer", "np.round", "np.around", "np.divmod", "np.modf", "np.frexp"), ENTRY),
    **dict.fromkeys(("np.inner", "np.bincount", "np.linalg.matmul", "np.linalg.tensordot", "np.amax", "np.amin"), PAIR),
    **dict.fromkeys(("np.sort", "np.copy", "np.pad", "np.positive", "np.trim_zeros"), MOVE),
    "np.real_if_close": PAIR,
    "np.unique_values": COMPOSITION,
}
_MODULES: dict[str, ModuleType] = {
    "np": np, "np.linalg": np.linalg, "np.fft": np.fft, "np.emath": np.emath,
    "np.lib.stride_tricks": np.lib.stride_tricks,
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A function: its names, first the usual one; its mark; how it is done, or the sentence of a refusal."""

    names: tuple[str, ...]
    function: Any
    mark: str
    how: str
    slopes: str = ""  # for a row of the table: the partials

    @property
    def name(self) -> str:
        return self.names[0]


def _is_ufunc(x: Any) -> bool:
    return isinstance(x, np.ufunc)


def _hands_over(x: Any) -> bool:
    """Whether a function asks `__array_function__`."""
    return hasattr(x, "_implementation")


def public(name: str, wanted: Callable[[Any], bool]) -> dict[Any, list[str]]:
    """function -> its names in a module, those that are wanted."""
    found: dict[Any, list[str]] = {}
    for attribute in dir(_MODULES[name]):
        if not attribute.startswith("_") and wanted(x := getattr(_MODULES[name], attribute)):
            found.setdefault(x, []).append(f"{name}.{attribute}")
    for function, names in found.items():
        usual = f"{name}.{function.__name__}"
        found[function] = sorted(names, key=lambda text: (text != usual, len(text), text))
    return found


def sections() -> Iterator[tuple[str, list[Entry]]]:
    """The parts of the page: a title, and the functions in it."""
    yield "Ufuncs", [_ufunc(f, names) for f, names in public("np", _is_ufunc).items()]
    for module in _MODULES:
        found = [_function(f, names) for f, names in public(module, _hands_over).items()]
        yield f"Functions of {module}", found
    yield "Constructors", [_constructor(name) for name in sorted(numpy_standins._numpy)]
    if scipy is not None:
        yield "scipy.special", list(_special())


def entries() -> list[Entry]:
    """All of them, each function once."""
    once: dict[Any, Entry] = {}
    for _, found in sections():
        for entry in found:
            once.setdefault(entry.function, entry)
    return list(once.values())


# ---- what is done with each ----------------------------------------------------------------------


def _slopes(row: str) -> str:
    """The partials of a row, as code."""
    rule = RULES[row]
    if rule.step:
        return "`0`"
    return ", ".join(f"`{text}`" if len(text) < 60 else "(a series)" for text in rule.partials)


def _ufunc(function: Any, names: list[str]) -> Entry:
    own = tuple(names)
    row = next((by_entries.ROWS[n[3:]] for n in own if n[3:] in by_entries.ROWS), None)
    if row is not None:
        return Entry(own, function, SUPPORTED, ENTRY, _slopes(row))
    if any(name[3:] in by_entries._LOOKS for name in own):
        return Entry(own, function, NO_DERIVATIVE, LOOK)
    if function not in by_entries.UFUNCS:
        return Entry(own, function, REFUSED, _sentence(no_rule(f"np.{function.__name__}")))
    return Entry(own, function, SUPPORTED, _way(own))


def _function(function: Any, names: list[str]) -> Entry:
    own = tuple(names)
    handler = functions.FUNCTIONS.get(function)
    if handler is None:
        standing = numpy_standins._numpy.get(function.__name__)
        if standing is not None and function.__module__ == "numpy":
            return _constructor(function.__name__)
        return Entry(own, function, REFUSED, _sentence(no_rule(name_of(function))))
    if "refuse.<locals>" in getattr(handler, "__qualname__", ""):
        try:
            handler()
        except LostDerivative as error:
            return Entry(own, function, REFUSED, _sentence(error))
    short = [name.removeprefix("np.") for name in own]
    if "_information.<locals>" in getattr(handler, "__qualname__", ""):
        return Entry(own, function, NO_DERIVATIVE, INFORMATION)
    if isinstance(handler, partial) and handler.func is tables._look_named:
        return Entry(own, function, NO_DERIVATIVE, LOOK)
    if any(name in functions.LOOKING for name in short):
        return Entry(own, function, NO_DERIVATIVE, LOOK)
    if "_write" in getattr(getattr(handler, "__code__", None), "co_names", ()):
        return Entry(own, function, SUPPORTED, WRITE)
    return Entry(own, function, SUPPORTED, _way(own))


def _way(names: tuple[str, ...]) -> str:
    """How a function with a derivative is done."""
    for name in names:
        if name in _OWN_WAYS:
            return _OWN_WAYS[name]
        function = operator.attrgetter(name.removeprefix("np."))(np)
        handler = functions.FUNCTIONS.get(function)
        if "bound.<locals>" in getattr(handler, "__qualname__", ""):
            return PAIR
        if name in COMPOSED:
            return COMPOSITION
        if name in MOVES or name.replace("lib.stride_tricks.", "") in MOVES:
            return MOVE
        if name.rpartition(".")[2] in primitives.PAIRS or any(r.value is function for r in primitives.PAIRS.values()):
            return PAIR
    raise LookupError(f"{names}: not in a table; say in _OWN_WAYS how it is done")


def _constructor(name: str) -> Entry:
    function = getattr(np, name)
    standing = numpy_standins._numpy[name]
    if name == "nditer":
        try:
            numpy_standins._iterating()
        except LostDerivative as error:
            return Entry((f"np.{name}",), function, REFUSED, _sentence(error))
    takes_active = name not in numpy_standins._PLAIN and standing is not None
    return Entry((f"np.{name}",), function, SUPPORTED, MADE if takes_active else WATCHED)


def _special() -> Iterator[Entry]:
    stand_ins = scipy_modules()["scipy.special"]
    for name in sorted(dir(special)):
        function = getattr(special, name)
        own = (f"scipy.special.{name}",)
        if name.startswith("_"):
            continue
        if isinstance(function, np.ufunc):
            if special_handler(function) is None:
                yield Entry(own, function, REFUSED, _sentence(no_rule(own[0])))
                continue
            rows = SEVERAL.get(name, (SPECIAL.get(function, name),))
            fixed = " and ".join(text for row in rows for text in FIXED.get(row, {}).values())
            slopes = "; ".join(filter(None, map(_special_slopes, rows)))
            yield Entry(own, function, SUPPORTED, f"{ENTRY}; not in {fixed}" if fixed else ENTRY, slopes)
        elif name in SPECIAL_FUNCTIONS:
            row = name if name in RULES else ""
            fixed = " and ".join(FIXED.get(row, {}).values())
            how = PAIR if name.endswith(("softmax", "logsumexp")) else ENTRY
            yield Entry(own, function, SUPPORTED, f"{how}; not in {fixed}" if fixed else how,
                        _special_slopes(row) if row else "")  # fmt: skip
        elif name in stand_ins:
            yield Entry(own, function, REFUSED, _sentence(no_rule(own[0])))


def _special_slopes(row: str) -> str:
    fixed = FIXED.get(row, {})
    texts = [text for k, text in enumerate(RULES[row].partials) if k not in fixed]
    return "`0`" if RULES[row].step else ", ".join(f"`{t}`" if len(t) < 60 else "(a series)" for t in texts)


def _sentence(error: LostDerivative) -> str:
    """What an error says after the place: one line for a table."""
    return str(error).partition(": ")[2].replace("|", "\\|")


# ---- the page ------------------------------------------------------------------------------------

_HEAD = """# NumPy, function by function

Made by `python docs/make_numpy_list.py` from the tables of the engine, with {versions};
`tests/test_numpy_list.py` calls each function and compares its derivative with differences.

What a function of NumPy does when it is called with an array (or a number) that carries a derivative:

| mark | how | what it means |
|---|---|---|
| supported | entry by entry | a row of the derivative table; its slopes, in the arguments a, b and the result z |
| | function pair | a pull and a push written for the whole array |
| | move | entries are moved, repeated, left out; each keeps its derivative |
| | composition | a short program in other functions of this list, shown as one row |
| | written in place | writes into an array, which from then on carries derivatives, with all its views |
| | made of active numbers | a constructor: the numbers given to it stay what they are |
| | plain, may be written to | a constructor of plain arrays into which active numbers may be written |
| no derivative | a look at plain values | an index, an order, a truth value: what it saw is a decision of the run |
| | shape and type only | asks for no value at all |
| refused | a sentence | raises `LostDerivative`, with the line and this sentence; never a wrong number |

Options that cannot be followed (`np.pad(mode="mean")`, `out=` of a library's array) say so in such a
sentence too.

{counts}
"""


def versions() -> str:
    """The versions that the list depends on."""
    texts = [("NumPy", np.__version__), *([("SciPy", scipy.__version__)] if scipy is not None else [])]
    return " and ".join(f"{name} {'.'.join(text.split('.')[:2])}" for name, text in texts)


def page() -> str:
    """The whole page."""
    parts, rows = [], []
    for title, found in sections():
        tally = [sum(entry.mark == mark for entry in found) for mark in (SUPPORTED, NO_DERIVATIVE, REFUSED)]
        rows.append(f"| [{title}](#{_anchor(title)}) | {len(found)} | {' | '.join(map(str, tally))} |")
        parts.append(f"\n## {title}\n\n{_table(title, found)}")
    counts = "\n".join(["| | functions | supported | no derivative | refused |", "|---|---|---|---|---|", *rows])
    return _HEAD.format(versions=versions(), counts=counts) + "\n".join(parts) + "\n"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-").replace(".", "")


def _table(title: str, found: list[Entry]) -> str:
    general = [entry for entry in found if entry.mark == REFUSED and "has no derivative rule here" in entry.how]
    lines = ["| function | mark | how |", "|---|---|---|"]
    for entry in found:
        if entry not in general:
            names = ", ".join(f"`{name}`" for name in entry.names)
            slopes = entry.slopes.replace("|", "\\|")
            lines.append(f"| {names} | {entry.mark} | {entry.how}{': ' + slopes if slopes else ''} |")
    if not general:
        return "\n".join(lines)
    text = general[0].how.replace(general[0].name, "…")
    names = ", ".join(f"`{name}`" for entry in general for name in entry.names)
    return "\n".join([*(lines if len(lines) > 2 else []), "", f"Refused, with “{text}”:", "", names])


if __name__ == "__main__":
    path = Path(__file__).with_name("numpy.md")
    path.write_text(page(), encoding="utf-8")
    print(path.name)
