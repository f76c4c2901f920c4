"""What HTML and SVG share: escaping, the style sheet, the width of a character."""

from __future__ import annotations

import re
from html import escape
from importlib import resources

CHAR = 6.65  # width in px of a character of the code font at 11 px


def style_sheet(name: str = "report") -> str:
    """One of the style sheets, without its comments and the blanks between its parts."""
    text = (resources.files(__package__) / f"{name}.css").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"[ \t]*([{};])\s*", r"\1", re.sub(r"([:,])\s+", r"\1", text)).replace(";}", "}")
    return text.replace("}", "}\n").replace("}\n}", "}}").strip()


def standing_alone(body: str) -> str:
    """Something of a report as an output of its own, with the style sheet."""
    return f'<div class="ad-report"><style>{style_sheet()}</style>{body}</div>'


def script(*names: str) -> str:
    """Scripts of js/, one after another."""
    folder = resources.files(__package__) / "js"
    return squeezed("\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in names))


def squeezed(code: str) -> str:
    """A script without comments and without the blanks that it does not need; its lines stay.

    >>> squeezed("const a = (x) => `${x + 1} m`; // metres")
    'const a=(x)=>`${x + 1} m`;'
    """
    found, at = [], 0
    while at < len(code):
        end = _end_of_text(code, at) if code[at] in "\"'`" else at
        if end > at:
            found.append(code[at:end])
        elif code.startswith("//", at):
            end = code.find("\n", at) % (len(code) + 1)
        else:
            end = min((k for k in (code.find(c, at + 1) for c in ('"', "'", "`", "//")) if k > 0), default=len(code))
            found.append(_BLANKS.sub("", code[at:end]))
        at = end
    lines = (line.strip() for line in "".join(found).split("\n"))
    return "\n".join(line for line in lines if line)


# Blanks but for those that part two names, or two signs: a - -b.
_BLANKS = re.compile(
    r"(?<![\w$+-])[ \t]+|[ \t]+(?![\w$+-])|(?<=[+-])[ \t]+(?=[\w$])|(?<=[\w$])[ \t]+(?=[+-])",
)


def _end_of_text(code: str, at: int) -> int:
    """Where a text that begins with a quote ends; a template may hold texts within."""
    quote, at = code[at], at + 1
    while code[at] != quote:
        if code[at] == "\\":
            at += 1
        elif quote == "`" and code.startswith("${", at):
            at = _end_of_part(code, at + 2)
        at += 1
    return at + 1


def _end_of_part(code: str, at: int) -> int:
    """Where the brace closes that was opened before."""
    depth = 1
    while True:
        if code[at] in "\"'`":
            at = _end_of_text(code, at)
            continue
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if not depth:
            return at
        at += 1


def scroller(name: str, more: str = "") -> str:
    """The opening tag of what may be wider than its room: keys must reach it to scroll it, and a listener its name."""
    return f'<div class="ad-scroll" tabindex="0" role="group" aria-label="{name}"{more}>'


def esc(text: object) -> str:
    """Text as it may stand in HTML and in SVG, in an attribute too. What XML cannot hold becomes a replacement mark."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in str(text)))


_NAME = re.compile(r"\bv(\d+)\b")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def indexed(text: str) -> str:
    """Escaped text with v12 set as v with an index: ours must not be taken for one that a user calls v12."""
    return _NAME.sub(r"v<sub>\1</sub>", esc(text))


def subscripted(text: str) -> str:
    """The same in plain characters, for a drawing and for a terminal.

    >>> subscripted("v1 + log2(v12)")
    'v₁ + log2(v₁₂)'
    """
    return _NAME.sub(lambda found: "v" + found[1].translate(_SUBSCRIPTS), text)
