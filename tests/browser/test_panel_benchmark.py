"""The benchmark of the panel runs and prints its rows. How long anything takes is asserted nowhere."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import need_browser


def test_the_command_prints_the_rows_of_the_panel(root):
    need_browser()
    if not (root / "benchmarks").is_dir():
        pytest.skip("no benchmarks beside these tests")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "panel", "--events", "5"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for row in (
        "running example, panel",
        "running example, interact and print",
        "running example, FloatSlider → HTML",
        "500 operations, panel",
        "running example, panel 5 of 10",
        "2000 operations, panel",
        "200 events at once, 500 operations, panel",
    ):
        assert f"\n{row}" in done.stdout, row
    assert done.stdout.count("≤ 16 ms") == 2
