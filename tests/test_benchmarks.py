"""The benchmark command runs, whatever peers are installed. How long anything takes is asserted nowhere."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Small enough for differences, and every size different from the others: a wrong axis is then an error.
SIZES = {
    "mlp": {"batch": 7, "hidden": 5},
    "moons": {"points": 8, "hidden": 5},
    "gaussian_process": {"n": 12},
    "rnn": {"steps": 6, "hidden": 5, "batch": 4},
}


@pytest.fixture
def module(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of benchmarks/ by name: it is no installed package."""
    monkeypatch.syspath_prepend(str(root))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def test_the_command_prints_every_row(root: Path) -> None:
    sizes = ["--n", "5", "--rounds", "1", "--operations", "100", "--starts", "1"]
    tables = ["--only", "scalars", "programs", "memory", "loading", "cells"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *sizes, *tables], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for row in (
        "record + reverse, against micrograd",
        "record + reverse, against torch",
        "dual numbers, one direction, against floats",
        "value and gradient, Rosenbrock, n = 5",
        "MLP 2-16-16-1, batch 64, against by hand",
        "f and f′ at 200 points, 100 operations",
        "100 operations, as a cell records them",
        "100 operations, no positions",
        "%load_ext ad_magic",
        "import ad_magic",
        "Rosenbrock, n = 5, %%grad --mode reverse",
        "100 operations, --mode both",
    ):
        assert row in done.stdout, row


def test_checkpoints_are_measured_side_by_side(module: Any) -> None:
    (row,) = module("checkpoints").rows(1, lengths=(64,), size=2_000)
    assert row.what == "64 steps, 8 checkpoints"
    assert float(row.ours.split()[0]) < float(row.other.split()[0])


def test_the_command_prints_the_rows_of_the_arrays(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays, timing, command = module("arrays"), module("timing"), module("__main__")
    monkeypatch.setattr(timing, "_LONG_TURN", 0.0)  # each contender once
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "arrays", "--rounds", "1", "--steps", "2"])
    command.main()
    printed = capsys.readouterr().out
    for row in (
        "MLP 2-16-16-1, batch 64: ad_magic",
        "MLP 2-128-128-1, batch 256: ad_magic",
        "Gaussian process, n = 100: ad_magic",
        "RNN, 100 steps, hidden 16: ad_magic",
        "one of 2 training steps, two moons, 2-16-16-1: ad_magic",
        "    by hand",
        "    ad_magic, as a cell from its text",
        "    the value alone, plain NumPy",
    ):
        assert f"\n{row} " in printed, row  # and then a time; a colon would say why there is none
    assert f"{arrays.CELL.name}:" not in printed
    for name in ("autograd", "mygrad", "torch"):
        assert f"\n    {name}" in printed, name
    assert printed.count("≤") == 2, "the two budgets"
    assert f"≤ {arrays.LARGE} ×" in printed


def test_the_command_prints_the_rows_of_second_derivatives(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each contender has computed what ours has: it would not be timed else."""
    second, timing, command = module("second"), module("timing"), module("__main__")
    monkeypatch.setattr(second, "functions", lambda found=second.functions: found()[:1])
    monkeypatch.setattr(second, "peer_version", lambda name: "0" if name == "autograd" else None)
    monkeypatch.setattr(timing, "_LONG_TURN", 0.0)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "second", "--rounds", "1"])
    command.main()
    printed = capsys.readouterr().out
    for row in ("Rosenbrock, n = 30, product: ad_magic", "Rosenbrock, n = 30, Hessian: ad_magic"):
        assert f"\n{row} " in printed, row
    assert printed.count("    autograd 0 ") == printed.count("    ad_magic, of a recorded run ") == 2


@pytest.mark.parametrize("name", SIZES)
def test_the_gradients_by_hand_are_the_derivatives(module: Any, name: str) -> None:
    program = getattr(module("programs"), name)(**SIZES[name])
    start = [np.asarray(x, dtype=float) for x in program.arguments]
    for by_hand in filter(None, (program.by_hand, program.in_place)):
        value, gradient = by_hand(*start)
        assert value == pytest.approx(program.loss(*start), rel=1e-12)
        for k, found in enumerate(gradient):
            np.testing.assert_allclose(found, _differences(program.loss, start, k), rtol=1e-6, atol=1e-8)


def _differences(loss: Any, start: list[np.ndarray], k: int, step: float = 1e-5) -> np.ndarray:
    """Central differences with respect to each entry of argument k."""
    found = np.empty(start[k].shape)
    for position in np.ndindex(found.shape):
        ends = []
        for sign in (1, -1):
            moved = [x.copy() for x in start]
            moved[k][position] += sign * step
            ends.append(loss(*moved))
        found[position] = (ends[0] - ends[1]) / (2 * step)
    return found


@pytest.mark.parametrize("name", SIZES)
def test_autograd_has_the_gradients_by_hand(module: Any, name: str) -> None:
    program = getattr(module("programs"), name)(**SIZES[name])
    value, gradient = module("arrays").with_autograd(program)(*program.arguments)
    expected, by_hand = program.by_hand(*program.arguments)
    assert value == pytest.approx(expected, rel=1e-12)
    for found, wanted in zip(gradient, by_hand, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_the_training_by_hand_learns(module: Any) -> None:
    programs = module("programs")
    moons = programs.moons()
    losses = [programs.train(moons.by_hand, moons.arguments, steps)[0] for steps in (1, 300)]
    assert losses[1] < 0.2 * losses[0]


def test_a_program_is_a_cell(module: Any) -> None:
    program = module("programs").mlp(3, 2)
    assert module("arrays").body(program).splitlines()[-1] == "np.mean((out - y) ** 2)"


def test_without_a_browser_the_panel_is_not_measured_and_that_is_said(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    panel, command = module("panel"), module("__main__")
    monkeypatch.setattr(panel, "absent", lambda: ["a Chromium (set CHROMIUM to its path)"])
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "panel"])
    command.main()
    printed = capsys.readouterr().out
    assert "The panel is not measured: not found: a Chromium (set CHROMIUM to its path).\n" in printed
    assert "budgets measured here" not in printed


def test_taylor_prints_its_rows(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    timing, command = module("timing"), module("__main__")
    monkeypatch.setattr(timing, "_TURN", 0.0)  # each contender once
    monkeypatch.setattr(module("taylor"), "peer_version", lambda name: None)  # JAX compiles for seconds
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "taylor", "--rounds", "1", "--order", "3"])
    command.main()
    printed = capsys.readouterr().out
    for row in (
        "order 3, exp(sin(x))",
        "    ad_magic.grad, nested 3 times",
        "jax is not installed",
        "order 40, beside",
    ):
        assert row in printed, row
