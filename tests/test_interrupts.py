"""Ctrl-C in the middle of a run, and what a long run says meanwhile: real interrupts, in processes of their own."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from ad_magic.cell import progress as progress_of
from ad_magic.engine.tape import Tape

CHILD = """
import json, os, random, signal, sys, threading, time
import math, numpy as np
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "ad_magic")
from ad_magic.engine.standins import open_runs
from ad_magic.engine.active import Active
shell.showtraceback = lambda *args, **options: None
shell.run_cell("import math, numpy as np\\nfrom math import sin", silent=True)
shell.run_cell("w = np.zeros(3)\\nfor_later = np.arange(3.0)", silent=True)
CELL = '''%%grad x=1.5 --mode {mode} --of y -q
y, kept, b = x, [], np.zeros(4)
for k in range(10**7):
    y = sin(y) * math.cos(x) + np.exp(-y)
    kept = [y, b]
    b[k % 4] = y
    w[1] = y
    for_later[0] += 1.0
'''
math_before, numpy_before = dict(vars(math)), dict(vars(np))
names_before = set(shell.user_ns) | {{"y", "kept", "b", "k", "x", "t", "z", "r"}}
draw = random.Random({seed})
found = []
handler = signal.getsignal(signal.SIGINT)

def press(after):
    time.sleep(after)
    os.kill(os.getpid(), signal.SIGINT)

for n in range({rounds}):
    for name in ("y", "kept", "b", "k"):
        shell.user_ns.pop(name, None)
    # some at once, where the stand-ins are being put in place, some in the middle of the run; some twice
    finger = [threading.Thread(target=press, args=(draw.random() ** 3 * 0.08,)) for _ in range(draw.randint(1, 2))]
    caught = False
    try:
        for one in finger: one.start()
        done = shell.run_cell(CELL, silent=True)
        caught = isinstance(done.error_in_exec or done.error_before_exec, KeyboardInterrupt)
    except KeyboardInterrupt:  # before the cell began, or after it was over
        caught = True
    for one in finger:
        while one.is_alive():
            try: one.join()
            except KeyboardInterrupt: pass
    ns = shell.user_ns
    plain = [ns.get("y"), *ns.get("kept", []), ns.get("b"), ns["w"], ns["for_later"]]
    found.append({{
        "caught": caught,
        "math": [k for k, v in math_before.items() if vars(math).get(k) is not v],
        "numpy": [k for k, v in numpy_before.items() if vars(np).get(k) is not v],
        "names": sorted(str(k) for k in set(ns) - names_before if not str(k).startswith("_i")),
        "types": sorted({{type(v).__name__ for v in plain if v is not None}}),
        "sin": ns["sin"] is math_before["sin"],
        "nan": bool(np.isnan(ns["w"]).any() or np.isnan(ns["for_later"]).any()),
        "open": len(open_runs),
        "handler": signal.getsignal(signal.SIGINT) is handler,
    }})
    after = shell.run_cell("%%grad t=2.0 --of z -q -o r\\nz = t*t*sin(t)", silent=True)
    found[-1]["next"] = after.success and ns["r"].grad["t"]
print(json.dumps(found))
"""


@pytest.mark.parametrize(("mode", "seed"), [("both", 1), ("forward", 2), ("reverse", 3)])
def test_an_interrupt_leaves_everything_as_it_was(mode, seed):
    import math

    code = CHILD.format(mode=mode, seed=seed, rounds=25)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    rounds = json.loads(done.stdout.splitlines()[-1])
    assert len(rounds) == 25
    for one in rounds:
        assert one["caught"]
        assert not one["math"] and not one["numpy"] and not one["names"]
        assert set(one["types"]) <= {"float", "float64", "ndarray"}
        assert one["sin"] and not one["nan"] and one["open"] == 0 and one["handler"]
        assert one["next"] == pytest.approx(4 * math.sin(2.0) + 4 * math.cos(2.0), rel=1e-14)


def test_an_interrupt_in_a_terminal_and_the_progress_before_it():
    """After two seconds a run says how far it is, Ctrl-C stops it, and the next cell works."""
    code = textwrap.dedent("""
        from IPython import start_ipython
        start_ipython(["--simple-prompt", "--no-banner", "--quick", "--colors=NoColor"])
    """)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        _expect(ours, "In [1]")
        os.write(ours, b"%load_ext ad_magic\n")
        _expect(ours, "In [2]")
        os.write(ours, b"import math\n")
        _expect(ours, "In [3]")
        os.write(ours, b"%grad sum(x*k for k in range(10**12)) --of y\n")  # x is not there: one sentence
        _expect(ours, "In [4]")
        os.write(ours, b"x = 2.0\n")
        _expect(ours, "In [5]")
        os.write(ours, b"%grad sum(x*k for k in range(10**12))\n")
        said = _expect(ours, "operations so far")
        assert "Traceback" not in said
        os.kill(process.pid, signal.SIGINT)
        said = _expect(ours, "In [6]")
        assert "KeyboardInterrupt" in said and "recorded in" in said
        os.write(ours, b"%grad x**3 --view text\n")
        said = _expect(ours, "In [7]")
        assert "= 12" in said
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)


def _expect(terminal, text, seconds=60):
    """What the terminal shows until it shows this text."""
    import select

    shown, end = "", time.monotonic() + seconds
    while text not in shown:
        assert time.monotonic() < end, shown
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


def test_a_short_run_says_nothing_and_a_long_one_what_it_has(monkeypatch):
    monkeypatch.setattr(progress_of, "FIRST", 0.05)
    monkeypatch.setattr(progress_of, "NEXT", 0.05)
    tape, said = Tape(), []
    with progress_of.progress(tape, said.append):
        pass
    assert said == []
    with progress_of.progress(tape, said.append):  # it waits for something: that is not our word
        tape.values += [0.0] * 8
        time.sleep(0.2)
    assert said == []
    with progress_of.progress(tape, said.append):
        tape.values += [0.0] * 1_234_559
        while len(said) < 2:
            time.sleep(0.01)
    assert said[0].startswith("1,234,567 operations so far") and said[-1].startswith("1,234,567 operations recorded in")
    with progress_of.progress(tape, None):  # nobody listens: no thread
        import threading

        assert "ad_magic progress" not in {thread.name for thread in threading.enumerate()}
