"""The straight-line program of a result, as a report shows it: capped, its derivative statements told apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .result import Result

_FIRST, _LAST = 200, 60  # lines that are shown of a very long program
_DERIVATIVE = re.compile(r"\s*(\w+_bar\b.*=|d\w+ = |# adjoint|# tangents)")


def listing(r: Result) -> list[tuple[str, str]]:
    """(line, role) of the program of a result: reverse, or forward for a run in forward mode.

    The role is "tangent" or "adjoint" for a statement of a derivative, else "". Raises ValueError where the run has no
    program; the message says why.
    """
    kept = r.run.cache  # a slider replays the run: the program stays
    if "listing" not in kept:
        kept["listing"] = _listing(r)
    found: list[tuple[str, str]] = kept["listing"]
    return found


def _listing(r: Result) -> list[tuple[str, str]]:
    kind = "forward" if r.mode == "forward" else "reverse"
    role = "tangent" if kind == "forward" else "adjoint"
    lines = r.code(kind).rstrip("\n").split("\n")
    start = next((k for k, line in enumerate(lines) if line.startswith("def derivative")), 0)
    found = [(line, role if k > start and _DERIVATIVE.match(line) else "") for k, line in enumerate(lines)]
    left = len(found) - _FIRST - _LAST
    if left <= 1:
        return found
    note = f'    # … {left} lines more: r.code("{kind}") has all of them'
    return [*found[:_FIRST], (note, ""), *found[-_LAST:]]
