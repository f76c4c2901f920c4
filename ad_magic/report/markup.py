"""What HTML and SVG share: escaping, the style sheet, the width of a character."""

from __future__ import annotations

from html import escape
from importlib import resources

CHAR = 6.65  # width in px of a character of the code font at 11 px


def style_sheet() -> str:
    """The report's style sheet, without its comments."""
    text = (resources.files(__package__) / "report.css").read_text(encoding="utf-8")
    while "/*" in text:
        before, _, after = text.partition("/*")
        text = before + after.partition("*/")[2]
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def esc(text: object) -> str:
    """Text as it may stand in HTML and in SVG, in an attribute too. What XML cannot hold becomes a replacement mark."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in str(text)))
