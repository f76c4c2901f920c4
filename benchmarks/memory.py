"""What the tape of a long loop holds, in bytes for each operation.

Counted by tracemalloc, in a pass of its own: all that is alive after the recording and was not before it, the lists'
spare room included. `resident` is what the operating system saw, in a fresh process: the allocator rounds up.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from typing import Any

from ad_magic.engine.tape import LOCATED, Columns, Tape, reverse_sweep
from ad_magic.engine.traced import Traced

from .table import Row

BUDGET = 100  # bytes for each operation


def loop(x: Any, operations: int) -> Any:
    """Two operations a turn; the constant is one object."""
    y = x
    for _ in range(operations // 2):
        y = y * x + 0.25
    return y


def loop_with_data(x: Any, operations: int) -> Any:
    """Two operations a turn, and a new number in each turn, as when a program reads data: the tape keeps that too."""
    y = x
    for i in range(operations // 2):
        y = y * x + 0.25 / (i + 1.0)
    return y


def record(function: Any, operations: int, located: int) -> tuple[Columns, int]:
    tape = Tape(located=located)
    output = function(Traced.input(tape, 0.999999), operations)
    return tape.close(), output.index


def traced_bytes(function: Any, operations: int, located: int) -> tuple[float, float]:
    """Bytes for each operation: of the tape, and of tape and adjoints at the height of the reverse sweep."""
    record(function, min(operations, 1000), located)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tape, output = record(function, operations, located)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        reverse_sweep(tape, {output: 1.0})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return (held - before) / len(tape), (peak - before) / len(tape)


def resident_bytes(operations: int, located: int) -> float | None:
    """Bytes for each operation that a fresh process grows by; None on a system that does not tell (no /proc)."""
    program = (
        "import json, os\n"
        "from benchmarks.memory import loop, record\n"
        "pages = lambda: int(open('/proc/self/statm').read().split()[1])\n"
        f"record(loop, 1000, {located})\n"
        "before = pages()\n"
        f"tape, _ = record(loop, {operations}, {located})\n"
        "print(json.dumps([(pages() - before) * os.sysconf('SC_PAGE_SIZE'), len(tape)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    grown, rows = json.loads(done.stdout)
    return grown / rows


def rows(operations: int) -> list[Row]:
    """The tape of a loop, recorded as the cell runner records it and as a bare function."""
    made = []
    for title, function, located, n, budget in (
        (f"{operations:,} operations, as a cell records them", loop, LOCATED, operations, BUDGET),
        (f"{operations:,} operations, no positions", loop, 0, operations, BUDGET),
        ("    with a new number in every second one", loop_with_data, LOCATED, operations, None),
        (
            f"    {min(LOCATED, operations):,} operations, all with positions",
            loop,
            LOCATED,
            min(LOCATED, operations),
            None,
        ),
    ):
        held, peak = traced_bytes(function, n, located)
        resident = resident_bytes(n, located) if function is loop else None
        met = None if budget is None else held <= budget
        shown = f"{resident:.0f} B" if resident is not None else ""
        made.append(Row(title, f"{held:.1f} B", shown, "", f"{peak:.0f} B", f"≤ {budget} B" if budget else "", met))
    return made
