"""A program in a page: its statements in colour, those of the derivatives told apart from those of the values."""

from __future__ import annotations

import io
import keyword
import token
import tokenize
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .html import result_lines
from .markup import esc, scroller, style_sheet

if TYPE_CHECKING:
    from ad_magic.codegen.interleave import Interleaved

    from .result import Result

_CLASS = {token.COMMENT: "ad-comment", token.STRING: "ad-string", token.NUMBER: "ad-digit"}


def render(r: Result, program: Interleaved, digits: int = 6) -> str:
    """The result line and the program, as HTML that works without JavaScript."""
    code = source([(line.text, line.role) for line in program.lines])
    return f'<div class="ad-report"><style>{style_sheet()}</style>{result_lines(r, digits)}{code}</div>'


def source(lines: Sequence[tuple[str, str]]) -> str:
    """Lines of a program in colour, each with its role: "tangent", "adjoint", or "" for a statement of values."""
    body = "".join(
        f'<code class="ad-line{" ad-" + role if role else ""}">{shown}\n</code>'
        for (_, role), shown in zip(lines, coloured([text for text, _ in lines]), strict=True)
    )
    roles = dict.fromkeys(role for _, role in lines if role)
    keys = "".join(f' <span class="ad-{role}">{role}s</span>' for role in roles)
    key = f'<p class="ad-key"><span class="ad-primal">values</span>{keys}</p>' if keys else ""
    return f'{key}{scroller("Program")}<pre class="ad-program">{body}</pre></div>'


def coloured(lines: list[str]) -> list[str]:
    """Each line as HTML, with classes for words, texts, numbers and comments.

    >>> coloured(["return x  # y"])
    ['<span class="ad-word">return</span> x  <span class="ad-comment"># y</span>']
    """
    # a line of ours may hold several, as the user wrote them
    source = "\n".join(lines) + "\n"
    shown = list(_marked(source))
    counts = [line.count("\n") + 1 for line in lines]
    found, at = [], 0
    for count in counts:
        found.append("\n".join(shown[at : at + count]))
        at += count
    return found


def _marked(source: str) -> Iterator[str]:
    """The lines of a source as HTML."""
    lines = source.split("\n")[:-1]
    marks: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    try:
        for one in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = _CLASS.get(one.type)
            if one.type == token.NAME and keyword.iskeyword(one.string):
                kind = "ad-word"
            if kind is None:
                continue
            (first, start), (last, end) = one.start, one.end
            for row in range(first, last + 1):
                begin = start if row == first else 0
                marks[row - 1].append((begin, end if row == last else len(lines[row - 1]), kind))
    except (tokenize.TokenError, SyntaxError):
        pass
    for line, own in zip(lines, marks, strict=True):
        parts, at = [], 0
        for begin, end, kind in own:
            parts += [esc(line[at:begin]), f'<span class="{kind}">{esc(line[begin:end])}</span>']
            at = end
        yield "".join([*parts, esc(line[at:])])
