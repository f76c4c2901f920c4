"""The benchmark command runs, whatever peers are installed. How long anything takes is asserted nowhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_command_prints_every_row(root: Path) -> None:
    sizes = ["--n", "5", "--rounds", "1", "--operations", "100", "--starts", "1"]
    done = subprocess.run([sys.executable, "-m", "benchmarks", *sizes], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for row in (
        "record + reverse, against micrograd",
        "record + reverse, against torch",
        "dual numbers, one direction, against floats",
        "100 operations, as a cell records them",
        "100 operations, no positions",
        "%load_ext ad_magic",
        "import ad_magic",
        "Rosenbrock, n = 5, %%grad --mode reverse",
        "100 operations, --mode both",
    ):
        assert row in done.stdout, row
