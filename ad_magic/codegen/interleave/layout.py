"""The look of an interleaved program: the user's comments and blank lines, indentation, lines that are not too long."""

from __future__ import annotations

import functools
import io
import token
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field

WIDTH = 100
PRIMAL, TANGENT, OTHER = "primal", "tangent", ""


@dataclass
class Line:
    """A simple statement, or the head of a compound one, with the statements in it."""

    text: str
    role: str = OTHER
    body: list[Line] | None = None
    comment: str = ""


@dataclass(frozen=True)
class Laid:
    """A line of the program as it is shown."""

    text: str
    role: str


@dataclass
class Comments:
    """What a source says besides its statements, by line."""

    own: dict[int, str] = field(default_factory=dict)  # a line that is a comment or blank
    trailing: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str) -> Comments:
        """The comments of a source.

        >>> Comments.of("# first\\nx = 1  # one\\n")
        Comments(own={1: '# first'}, trailing={2: '# one'})
        """
        found = cls()
        lines = source.splitlines()
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(source + "\n").readline))
        except (tokenize.TokenError, SyntaxError):
            return found
        for one in tokens:
            if one.type == token.COMMENT:
                row, column = one.start
                alone = not lines[row - 1][:column].strip()
                (found.own if alone else found.trailing)[row] = one.string
        found.own |= {k: "" for k, line in enumerate(lines, 1) if not line.strip()}
        return found

    def between(self, first: int, last: int) -> list[str]:
        """The comments and blank lines of these lines, in order."""
        return [self.own[k] for k in range(first, last + 1) if k in self.own]


@functools.cache
def comments_of(source: str) -> Comments:
    """The comments of a source."""
    return Comments.of(source)


def laid_out(lines: list[Line], indent: int = 0) -> Iterator[Laid]:
    """The lines as they are shown, one blank line at most between two of them."""
    blank, function = True, False
    for k, one in enumerate(lines):
        if not one.text and one.body is None:
            if not blank and k < len(lines) - 1:
                yield Laid("", OTHER)
            blank = True
            continue
        starts = one.text.startswith(("def ", "@")) and indent > 0 and not lines[k - 1].text.startswith("@")
        if not blank and (starts or function):
            yield Laid("", OTHER)
        blank, function = False, one.text.startswith("def ") and indent > 0
        for part in _broken(one.text, indent, one.comment):
            yield Laid(part, one.role)
        if one.body is not None:
            yield from laid_out(one.body or [Line("pass")], indent + 4)


def _broken(text: str, indent: int, comment: str) -> list[str]:
    space = " " * indent
    whole = text.split("\n")
    if len(whole) > 1:  # a statement of the user as he wrote it
        whole = [whole[0], *whole[1:]]
    elif len(space + text) > WIDTH and not text.startswith("#"):
        whole = wrapped(text, WIDTH - indent)
    if comment:
        whole[-1] += "  " + comment
    return [(space + part).rstrip() if k == 0 or len(whole) > 1 else part for k, part in enumerate(whole)]


_WEAK = {"+", "-", "if", "else", "and", "or", "for"}
_OPERATORS = {"+", "-", "*", "/", "%", "@", "//", "if", "else", "and", "or", "for", "in", "|", "&"}


def wrapped(text: str, width: int) -> list[str]:
    """A statement on several lines: broken behind commas and before operators, where the fewest brackets are open.

    >>> print("\\n".join(wrapped("total = first * second + third * fourth", 30)))
    total = (first * second
             + third * fourth)
    """
    places, start = _places(text)
    if start and any(not brackets for _, brackets, _ in places):  # an operator outside of all brackets
        text = f"{text[:start]}({text[start:]})"
        places, _ = _places(text)
    places = [place for place in places if place[1]]
    lines = [(0, 0)]  # of each line where it begins in the text, and its indentation

    def column(at: int) -> int:
        begin, indent = next(line for line in reversed(lines) if line[0] <= at)
        return at - begin + indent

    while len(text) - lines[-1][0] + lines[-1][1] > width:
        ahead = [place for place in places if place[0] > lines[-1][0]]
        fitting = [place for place in ahead if column(place[0]) <= width + 1] or ahead[:1]
        if not fitting:
            break
        at, brackets, _ = min(fitting, key=lambda place: (len(place[1]), place[2], -place[0]))
        indent = column(brackets[-1]) + 1
        lines.append((at, indent if indent < width * 2 // 3 else 8))
    ends = [begin for begin, _ in lines[1:]] + [len(text)]
    return [" " * indent + text[begin:end].rstrip() for (begin, indent), end in zip(lines, ends, strict=True)]


def _places(text: str) -> tuple[list[tuple[int, tuple[int, ...], int]], int]:
    """Where a statement may be broken: (column, the brackets that are open there, rank); and where its value begins."""
    places: list[tuple[int, tuple[int, ...], int]] = []
    brackets: list[int] = []
    operand, start = False, len("return ") if text.startswith("return ") else 0
    for one in tokenize.generate_tokens(io.StringIO(text).readline):
        written = one.string
        if written and written in ")]}":
            brackets.pop()
        if written == "=" and not brackets and not start:
            start, places = one.end[1] + 1, []
        elif written == "," and one.end[1] < len(text):
            places.append((one.end[1] + 1, tuple(brackets), 0))
        elif written in _OPERATORS and operand:
            places.append((one.start[1], tuple(brackets), 1 if written in _WEAK else 2))
        word = one.type in (token.NAME, token.NUMBER, token.STRING) and written not in _OPERATORS
        operand = word or (bool(written) and written in ")]}")
        if written and written in "([{":
            brackets.append(one.start[1])
    return places, start
