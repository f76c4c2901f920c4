"""What went wrong while a slider moved, in one line."""

from __future__ import annotations

import linecache
import traceback
from html import escape
from typing import Any

LONGEST = 200  # characters of a message


def describe(error: BaseException, cell: Any) -> str:
    """Type, message and the line of the cell, as HTML. `cell` is the cell's Source, or None."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted: these are the numbers of the last complete run."
    message = " ".join(str(error).split())
    if len(message) > LONGEST:
        message = message[:LONGEST] + "…"
    text = f"<b>{escape(type(error).__name__)}</b>" + (f": {escape(message)}" if message else "")
    line = line_in(error, cell)
    return text if line is None else f"{text} (line {line}: <code>{escape(cell.line(line).strip())}</code>)"


def line_in(error: BaseException, cell: Any) -> int | None:
    """The innermost line of the cell on the way to an error, or None.

    A frame is known to be the cell's by its text: that of the line that Python would show for it in a traceback.
    """
    if cell is None:
        return None
    found = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        text = linecache.getline(frame.f_code.co_filename, number).strip()
        if text and text == cell.line(number).strip():
            found = number
    return found
