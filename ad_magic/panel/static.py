"""The report as an output of its own, which a saved notebook keeps."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from IPython.display import display

from ad_magic.report.options import ViewOptions


class StaticReport:
    """The report as an output of its own: HTML and text, no widget, so that it is there in every saved notebook."""

    def __init__(self, options: ViewOptions, ranges: Mapping[str, Sequence[float | None]] | None = None) -> None:
        self.options = options
        self.ranges = ranges or {}
        self.key = secrets.token_hex(6)  # this output and no other, also not a copy of the cell
        self.handle: Any = None

    def html(self, result: Any) -> str:
        o = self.options
        return result.to_html(digits=o.digits, max_rows=o.max_rows, show=o.show, ranges=self.ranges)

    def text(self, result: Any) -> str:
        o = self.options
        return result.to_text(digits=o.digits, max_rows=o.max_rows, show=o.show, ranges=self.ranges)

    def show(self, result: Any, html: str | None = None) -> None:
        """Display a result, the first time; after that, put it in the place of the one before."""
        bundle = {
            "text/html": f'<div data-ad-static="{self.key}">{self.html(result) if html is None else html}</div>',
            "text/plain": self.text(result),
        }
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)
