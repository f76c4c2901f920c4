"""ASKING: the options of the magics, and what a user's words mean."""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import argument, magic_arguments

MODES = ("both", "forward", "reverse")
STYLES = ("elementary", "compact")
VIEWS = ("panel", "html", "static", "text")
ORDERS = ("1", "2")
SHOWS = ("tables", "graph", "curves", "code", "check", "cost", "equations")
Spans = dict[str, tuple[float, float, float | None]]  # (lo, hi, step) by input

CELL_MAGICS = ("grad", "tangent", "adjoint", "interleave", "gradcheck", "taylor")
COMMON = (
    argument("inputs", nargs="*", metavar="NAME[=VALUE]",
             help="the inputs; a VALUE is a Python expression, quoted if it has spaces"),
    argument("--of", action="append", default=[], metavar="NAME[,NAME]",
             help="what to differentiate (default: the trailing expression, else the variable assigned last)"),
    argument("--mode", choices=MODES, help="both (default), forward or reverse"),
    argument("--range", action="append", default=[], metavar="NAME=LO:HI[:STEP]",
             help="the range of an input's slider, or of one entry's: w[0]=0:1 (repeatable)"),
    argument("--view", choices=VIEWS, help="panel (default), html (a panel of core ipywidgets), static or text"),
    argument("--show", choices=SHOWS,
             help="what is open first: tables (default), graph, curves, code, check, cost or equations"),
    argument("-o", "--out", metavar="NAME", help="store the Result under this name"),
    argument("-q", "--quiet", action="store_true", help="compute, show nothing"),
)  # fmt: skip


_QUIZ = (
    argument("--order", choices=ORDERS, help="2 shows the Hessian too: a heat map, with its eigenvalues"),
    argument("--quiz", action="store_true", help="the column is blank: type its numbers, each is marked, with a hint"),
    argument("--exercise", metavar="LEVEL[:SEED]",
             help="a quiz on a program that is drawn, as in 2:7; on a line of its own, without a cell"),
)  # fmt: skip


def quiz_arguments(function: Any) -> Any:
    """The options for second derivatives and for a quiz."""
    for decorate in reversed(_QUIZ):
        function = decorate(function)
    return function


_TAYLOR = (
    argument("--order", type=int, metavar="N", help="the order of the polynomial, 0 to 100 (default: 5)"),
    argument("--along", metavar="NAME",
             help="the input, or the entry of one, w[0], along which it goes (default: the first that is a number)"),
)  # fmt: skip


def taylor_arguments(function: Any) -> Any:
    """The options for a Taylor polynomial."""
    for decorate in reversed(_TAYLOR):
        function = decorate(function)
    return function


def exercise_of(text: str) -> tuple[int, int | None]:
    """(level, seed) from LEVEL or LEVEL:SEED."""
    __tracebackhide__ = True
    found = re.fullmatch(r"([1-5])(?::(\d{1,9}))?", text.strip())
    if found is None:
        raise UsageError(f"--exercise {text}: write LEVEL or LEVEL:SEED, as in 2:7; levels are 1 to 5")
    return int(found[1]), None if found[2] is None else int(found[2])


def common_arguments(function: Any) -> Any:
    """The options that all the magics share."""
    for decorate in reversed(COMMON):
        function = decorate(function)
    return magic_arguments()(function)


def parse(parser: Any, name: str, line: str) -> Any:
    """The arguments of a magic; a mistake is one sentence, with what was probably meant."""
    __tracebackhide__ = True
    try:
        return parser.parse_intermixed_args(split(line))
    except ValueError as error:
        raise UsageError(f"%%{name}: {error} in {line!r}") from None
    except UsageError as error:
        options = sorted({o for a in parser._actions for o in a.option_strings if o.startswith("--")})
        wrong = re.search(r"unrecognized arguments: (\S+)", str(error))
        if wrong and wrong[1].startswith("-"):
            raise UsageError(f"%%{name}: {unknown(wrong[1].partition('=')[0], options, 'option')}") from None
        missing = re.search(r"argument (\S+): expected one argument", str(error))
        if missing:
            raise UsageError(f"%%{name}: {missing[1].split('/')[-1]} needs a value behind it") from None
        choice = re.search(r"argument (\S+): invalid choice: '?([^' ]*)'? \(choose from (.*)\)", str(error))
        if choice:
            choices = re.findall(r"[\w-]+", choice[3])
            raise UsageError(f"%%{name}: {choice[1].split('/')[-1]}: {unknown(choice[2], choices, 'value')}") from None
        raise UsageError(f"%%{name}: {error}") from None


def split(line: str) -> list[str]:
    """The words of a line. What stands in quotes is one word, at its beginning or behind its "="; so is what stands in
    brackets behind a "=". Quotes within a word are a part of it.

    >>> split('x=[1, 2] "y = 3" z="4 + 5" w=d["a"]')
    ['x=[1, 2]', 'y = 3', 'z=4 + 5', 'w=d["a"]']
    """
    words: list[str] = []
    word, begun, depth, at = "", False, 0, 0
    while at < len(line):
        c = line[at]
        if c in "'\"":
            end = line.find(c, at + 1)
            while c == '"' and end > 0 and line[end - 1] == "\\":  # an escaped one
                end = line.find(c, end + 1)
            if end < 0:
                raise ValueError(f"the quote {c} is not closed")
            bare = not word or (word[-1] == "=" and word.count("=") == 1)
            inner = line[at + 1 : end]
            word += inner.replace('\\"', '"').replace("\\\\", "\\") if bare else line[at : end + 1]
            begun, at = True, end
        elif c.isspace() and depth <= 0:
            words += [word] if begun else []
            word, begun, depth = "", False, 0
        else:
            word, begun = word + c, True
            if "=" in word:
                depth += (c in "([{") - (c in ")]}")
        at += 1
    return words + ([word] if begun else [])


def inputs(words: Sequence[str], namespace: dict[str, Any]) -> dict[str, Any]:
    """The inputs by name, from words NAME=VALUE; the value of a NAME alone is None: that of the namespace."""
    __tracebackhide__ = True
    given: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not is_name(name):
            raise UsageError(
                f"{word!r} is not an input: write NAME or NAME=VALUE, as in x=1.5 (with spaces: in quotes)"
            )
        if name in given:
            raise UsageError(f"input {name!r} is given twice")
        if not equals:
            if name not in namespace:
                candidates = [n for n, v in namespace.items() if isinstance(v, (int, float)) and not n.startswith("_")]
                close = unknown(name, candidates, "input")
                raise UsageError(f"{close}; give it a value ({name}=1.5) or assign it in an earlier cell")
            given[name] = None
            continue
        try:
            given[name] = eval(text, namespace)
        except SyntaxError as error:
            hint = f"; write {name}=1.5" if not text else ""
            if "never closed" in error.msg:
                hint = f'; a value with spaces stands in quotes, "{name}=…"'
            raise UsageError(f"the value of input {name!r}, {text!r}, is no expression: {error.msg}{hint}") from None
        except Exception as error:
            raise UsageError(
                f"the value of input {name!r}, {text!r}, does not work here: {type(error).__name__}: {error}"
            ) from None
    return given


def ranges(words: Sequence[str]) -> Spans:
    """(lo, hi, step) by input, from words NAME=LO:HI[:STEP]."""
    __tracebackhide__ = True
    spans: Spans = {}
    for word in words:
        name, _, span = map(str.strip, word.partition("="))
        try:
            numbers = [float(part) for part in span.split(":")]
            low, high = numbers[:2]
            step = numbers[2] if len(numbers) > 2 else None
            if len(numbers) > 3 or not low < high or (step is not None and step <= 0):
                raise ValueError
        except ValueError:
            raise UsageError(
                f"--range {word}: write NAME=LO:HI or NAME=LO:HI:STEP with LO < HI, as in x=0:4:0.1"
            ) from None
        spans[name] = (low, high, step)
    return spans


def is_name(text: str) -> bool:
    """Whether a text can be the name of a variable.

    >>> is_name("x1"), is_name("3x"), is_name("class")
    (True, False, False)
    """
    return text.isidentifier() and not keyword.iskeyword(text)


def check_names(option: str, words: Sequence[str]) -> None:
    """Names that an option takes."""
    __tracebackhide__ = True
    for word in words:
        if not is_name(word):
            raise UsageError(f"{option} takes the name of a variable, as in {option} z; got {word!r}")


def names(names: list[str]) -> str:
    return ", ".join(names) or "none"


def unknown(word: str, known: list[str], what: str) -> str:
    """One sentence about an unknown word, with the closest known one."""
    close = difflib.get_close_matches(word, known, 1, 0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"there is {names(sorted(known))}" if known else "there is none"
    return f"unknown {what} {word!r}: {hint}"


def check_range(target: str, values: dict[str, Any]) -> None:
    """A range is for an input, "x", or for one entry of an array, "x[1]" or "W[0, 3]"."""
    __tracebackhide__ = True
    name, bracket, index = target.partition("[")
    if name not in values:
        raise UsageError(f"--range: {unknown(name, list(values), 'input')}")
    if not bracket:
        return
    shape = getattr(values[name], "shape", ())
    places = index.removesuffix("]").split(",")
    if len(places) != len(shape) or not all(
        re.fullmatch(r"\s*-?\d+\s*", k) and -n <= int(k) < n for k, n in zip(places, shape, strict=True)
    ):
        what = f"an array of shape {shape}" if shape else "a number"
        raise UsageError(f"--range: there is no entry {target}: {name} is {what}")


def expression_line(line: str) -> tuple[str, str]:
    """`%grad EXPRESSION [options]` as (options, cell)."""
    found = re.search(r"(^|\s)(--?[a-z]+)\b", line)
    known = {o for a in COMMON for o in a.args} | {
        "--expect",
        "--style",
        "--seed",
        "--insert",
        "--order",
        "--quiz",
        "--exercise",
        "--along",
    }
    if found and found[2] in known:
        return line[found.start() :].strip(), line[: found.start()].strip()
    return "", line


def complete(shell: Any, event: Any) -> list[str]:
    """Completion on the line of a magic: options, their values, variables of the namespace."""
    words = event.line.split()
    if "\n" in event.line or not words:
        return []
    word = event.symbol if event.line[-1:].strip() else ""
    previous = words[-2] if word and len(words) > 1 else words[-1]
    taylor = words[0].lstrip("%") == "taylor"
    choices = {"--mode": MODES, "--style": STYLES, "--view": VIEWS, "--show": SHOWS}.get(previous)
    if previous == "--order" and not taylor:
        choices = ORDERS
    if choices:
        return list(choices)
    if word.startswith("-") or event.line.endswith("-"):
        return sorted(
            {o for decorate in (*COMMON, *(_TAYLOR if taylor else _QUIZ)) for o in decorate.args if o.startswith("-")}
        )
    skip = set(shell.user_ns_hidden)
    return [
        n
        for n, v in shell.user_ns.items()
        if n not in skip and not n.startswith("_") and (isinstance(v, (int, float)) or type(v).__name__ == "ndarray")
    ]
