"""The errors of difference quotients over their steps, in plain characters for a terminal: the V."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ad_magic.check.sweep import COMPLEX_STEP, FORWARD_DIFFERENCES, LOST, ROUNDING, Curve, Sweep

TOP, BOTTOM = 0, -16  # powers of ten of the axis; a line for two of them, one more for what is exact
LINES = (TOP - BOTTOM) // 2 + 2
MARKS = {ROUNDING: "○", LOST: "×"}
BEST, TRUNCATED, OTHER, COMPLEX = "◆", "●", "·", "–"
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plot(s: Sweep) -> str:
    """The curve of central differences, and those of the others where it leaves room."""
    columns = 2 * len(s.steps)
    canvas = [[" "] * columns for _ in range(LINES)]

    def put(curve: Curve | None, mark: str) -> None:
        for k, error in enumerate(curve.errors if curve is not None else ()):
            if error is not None and curve is not None:
                at = columns - 2 - 2 * k  # the smallest step on the left
                best = mark == TRUNCATED and s.comes_down and s.steps[k] == curve.best_step
                canvas[line_of(error)][at] = (
                    BEST if best else MARKS.get(curve.branches[k], mark) if mark == TRUNCATED else mark
                )

    if s.comes_down:
        put(s.curve(COMPLEX_STEP), COMPLEX)
        put(s.curve(FORWARD_DIFFERENCES), OTHER)
    put(s.central, TRUNCATED)
    lines = [f"along {s.seed}: {s.words}"]
    for k, line in enumerate(canvas):
        label = "exact" if k == LINES - 1 else power(TOP - 2 * k)
        lines.append(f"{label:>6} ┤{''.join(line).rstrip()}")
    lines.append(f"{'h':>6}  {_axis(s.steps, columns)}")
    if not s.comes_down:
        return "\n".join(lines)
    key = [f"{TRUNCATED} truncation", f"{MARKS[ROUNDING]} rounding", f"{MARKS[LOST]} no digit left", f"{BEST} best",
           f"{OTHER} forward differences"]  # fmt: skip
    if s.curve(COMPLEX_STEP) is not None:
        key.append(f"{COMPLEX} complex step")
    return "\n".join([*lines, f"{'':8}{'   '.join(key)}"])


def line_of(error: float) -> int:
    """The line of an error, from the top; what is exact, or better than the axis, stands in the last one."""
    if error <= 0 or math.log10(error) < BOTTOM - 1:
        return LINES - 1
    return min(max(round((TOP - math.log10(error)) / 2), 0), LINES - 2)


def power(exponent: int) -> str:
    """A power of ten as it is written: "10⁻⁶", "1"."""
    return "1" if exponent == 0 else "10" + str(exponent).translate(SUPERSCRIPT)


def _axis(steps: Sequence[float], columns: int) -> str:
    line = [" "] * (columns + 6)
    for k, h in enumerate(steps):
        exponent = round(math.log10(h))
        if k % 2 == 0 and exponent % 4 == 0:
            at = columns - 2 - 2 * k
            text = power(exponent)
            line[at : at + len(text)] = text
    return "".join(line).rstrip()
