"""The same programs through the real magic, from the cell's text to the derivative. For information."""

from __future__ import annotations

import os
import tempfile
from time import perf_counter
from typing import Any

from .rosenbrock import by_hand, check, point, rosenbrock
from .table import Row

_ROSENBROCK = """\
total = 0.0
for i in range(len(x) - 1):
    total = total + 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
total
"""
_LOOP = """\
y = x
for _ in range({turns}):
    y = y * x + 0.25
y
"""


def rows(n: int, rounds: int, operations: int) -> list[Row]:
    os.environ.setdefault("IPYTHONDIR", tempfile.mkdtemp(prefix="ad-magic-benchmark-"))
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "ad_magic")
    try:
        return [*_gradient(shell, n, rounds), *_loop(shell, operations)]
    finally:
        shell.run_line_magic("unload_ext", "ad_magic")
        InteractiveShell.clear_instance()


def _run(shell: Any, line: str, cell: str) -> tuple[float, float]:
    """Seconds that the cell takes, and then its derivative."""
    start = perf_counter()
    shell.run_cell_magic("grad", f"{line} -q -o result", cell)
    ran = perf_counter()
    shell.ev("result.grad")
    return ran - start, perf_counter() - ran


def _gradient(shell: Any, n: int, rounds: int) -> list[Row]:
    import numpy as np

    x = point(n)
    cells, plains = [], []
    for _ in range(rounds):
        shell.user_ns["x"] = np.array(x)
        cells.append(sum(_run(shell, "x --mode reverse", _ROSENBROCK)))
        start = perf_counter()
        rosenbrock(x)
        plains.append(perf_counter() - start)
    check(shell.ev("result.grad['x']").tolist(), by_hand(x), "%%grad --mode reverse")
    each = [f"{min(times) / n * 1e6:.3f} µs" for times in (cells, plains)]
    title = f"Rosenbrock, n = {n}, %%grad --mode reverse, all"
    return [Row(title, *each, f"{min(cells) / min(plains):.0f} ×")]


def _loop(shell: Any, operations: int) -> list[Row]:
    cell = _LOOP.format(turns=operations // 2)
    start = perf_counter()
    exec(compile(cell, "<plain>", "exec"), {"x": 0.999999})
    plain = perf_counter() - start
    made = []
    for mode in ("reverse", "forward", "both"):
        ran, swept = _run(shell, f"x=0.999999 --mode {mode}", cell)
        title = f"{operations:,} operations, --mode {mode}"
        made.append(Row(title, f"{ran:.2f} + {swept:.2f} s", f"{plain:.3f} s", f"{(ran + swept) / plain:.0f} ×"))
    return made
