"""What a user did wrong in asking."""

from __future__ import annotations


class CellError(ValueError):
    """What a user did wrong in asking, in one sentence; the magics show it as one line."""
