"""What the kernel tells the page: a report with its program, a report alone, or numbers. Plain data, for a message.

    view to kernel   {ask: "program", has: [hash of a runtime]}   {ask: "path", x}   {ask: "figures", what}
                     {ask: "gone"}
    kernel to view   {tell: "program"}   {tell: "report"}   {tell: "numbers"}   {tell: "inputs"}   {tell: "trouble"}
                     {tell: "same"}   {tell: "figures"}   {tell: "rest", x, second}

Each question of the kind "path" has one answer. `x` are the numbers of the inputs in the order of the seeds,
`second` is what the heat map of gradient and Hessian shows there, where there is one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ad_magic.codegen.javascript import javascript
from ad_magic.codegen.symbols import NoProgram
from ad_magic.report import live, live_html
from ad_magic.report.options import ViewOptions

LONGEST = 4000  # operations of a run that is worth a program: making it takes half a millisecond for each
INPUTS = 5000  # numbers of all inputs
MANY = 4000  # numbers of the rows that are shown
SCRIPTS = ("picture", "contour", "second")  # what a report can do besides what every live one does


@cache
def runtime() -> tuple[str, str]:
    """The scripts of js/ as one text, and a name for it, by which a page knows whether it has it."""
    code = live.runtime(*SCRIPTS)
    return code, hashlib.blake2s(code.encode(), digest_size=8).hexdigest()


def program(result: Any) -> tuple[str | None, str]:
    """The program of a result in JavaScript, or None and why there is none."""
    if len(result.run.tape) > LONGEST or result.run.seed_count > INPUTS:
        return None, "so long a program does not run in a page"
    try:
        return javascript(result.run, result.up_to), ""
    except NoProgram as error:
        return None, str(error)


def report(result: Any, path: int, moving: Sequence[Mapping[str, Any]], options: ViewOptions) -> dict[str, Any]:
    """The report at the point of a result, and what the scripts must know of it."""
    html = live_html.render(result, moving, digits=options.digits, max_rows=options.max_rows, show=options.show)
    layout = live.layout(result, options.digits, options.max_rows)
    return {"tell": "report", "path": path, "html": html, "data": packed(layout), "x": packed(point(result))}


def numbers(result: Any, options: ViewOptions) -> dict[str, Any] | None:
    """What a program would find there, for a page that has none; None where it is more than a report would be."""
    if sum(getattr(row.value, "size", 1) for row in result.rows[: options.max_rows]) > MANY:
        return None
    layout = live.layout(result, options.digits, options.max_rows)
    return {"tell": "numbers", "found": packed(live.found(result, layout))}


def point(result: Any, inputs: Mapping[str, Any] | None = None) -> list[float] | None:
    """The numbers of all inputs, in the order of the seeds; None where they are too many to be told."""
    if result.run.seed_count > INPUTS:
        return None
    there = inputs or result.inputs
    return [float(there[name][place]) if place else float(there[name]) for name, place, _ in result.run.seeds]


def packed(value: Any) -> str:
    """Plain data as a text: JSON, but for NaN and Infinity, which JSON does not know and a page does."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
