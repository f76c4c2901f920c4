"""What loading costs: `%load_ext ad_magic` in a fresh IPython, and `import ad_magic` in a fresh Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from statistics import median
from time import perf_counter
from typing import Any

from .table import Row

BUDGET = 100  # milliseconds on top of IPython itself
HEAVY = ("numpy", "ipywidgets", "anywidget", "pandas", "matplotlib", "jedi")

_SHELL = """
from time import perf_counter
import json, sys
start = perf_counter()
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
ready = perf_counter()
before = set(sys.modules)
if {load}:
    shell.run_line_magic("load_ext", "ad_magic")
done = perf_counter()
print(json.dumps([ready - start, done - ready, sorted(set(sys.modules) - before)]))
"""
_IMPORT = """
from time import perf_counter
import json, sys
before = set(sys.modules)
start = perf_counter()
import ad_magic
done = perf_counter()
print(json.dumps([done - start, sorted(set(sys.modules) - before)]))
"""


def _fresh(program: str, home: str) -> tuple[float, Any]:
    """Wall time of a fresh process in ms, and what it printed."""
    environment = {**os.environ, "IPYTHONDIR": home, "PYTHONPYCACHEPREFIX": home}  # nobody's own settings
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled once, not at each start
    start = perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    return (perf_counter() - start) * 1e3, json.loads(done.stdout.splitlines()[-1])


def rows(starts: int) -> list[Row]:
    """`starts` fresh processes of each kind, interleaved."""
    walls: dict[bool, list[float]] = {False: [], True: []}
    shells, loads, imports = [], [], []
    with tempfile.TemporaryDirectory(prefix="ad-magic-benchmark-") as home:
        for load in (False, True):  # compiled files get written
            _fresh(_SHELL.format(load=load), home)
        for _ in range(starts):
            for load in (False, True):
                wall, (shell, loading, loaded) = _fresh(_SHELL.format(load=load), home)
                walls[load].append(wall)
                if load:
                    shells.append(shell * 1e3)
                    loads.append(loading * 1e3)
            _, (importing, imported) = _fresh(_IMPORT, home)
            imports.append(importing * 1e3)
    ms = min(loads)  # as in the other tables: whatever else the machine does can only add
    difference = median(b - a for a, b in zip(walls[False], walls[True], strict=True))
    budget = f"≤ {BUDGET} ms"
    return [
        _against("%load_ext ad_magic, best", ms, min(shells), budget=budget, met=ms <= BUDGET),
        _against("    median", median(loads), median(shells)),
        Row("    whole process, with it and without", f"+{difference:.0f} ms", f"{median(walls[False]):.0f} ms"),
        Row(f"    modules that it imports: {len(loaded)}{_heavy(loaded)}"),
        Row("import ad_magic", f"{median(imports):.1f} ms"),
        Row(f"    modules that it imports: {len(imported)}{_heavy(imported)}"),
    ]


def _against(what: str, ours: float, shell: float, **verdict: Any) -> Row:
    return Row(what, f"{ours:.0f} ms", f"{shell:.0f} ms", f"{ours / shell:.2f} ×", **verdict)


def _heavy(modules: list[str]) -> str:
    found = [name for name in HEAVY if name in modules]
    return f"   WARNING: {', '.join(found)} among them" if found else ""
