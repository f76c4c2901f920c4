"""What HTML and SVG share: escaping, the style sheet, the width of a character."""

from __future__ import annotations

import re
from html import escape
from importlib import resources

CHAR = 6.65  # width in px of a character of the code font at 11 px


def style_sheet(name: str = "report") -> str:
    """One of the style sheets, without its comments."""
    text = (resources.files(__package__) / f"{name}.css").read_text(encoding="utf-8")
    while "/*" in text:
        before, _, after = text.partition("/*")
        text = before + after.partition("*/")[2]
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def script(*names: str) -> str:
    """Scripts of js/, one after another, without the lines that are comments."""
    folder = resources.files(__package__) / "js"
    lines = "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in names).splitlines()
    return "\n".join(text for line in lines if (text := line.strip()) and not text.startswith("//"))


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
