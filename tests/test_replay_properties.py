"""Random programs, random inputs: a replay is a fresh run, always; a program and a curve are, or they say no."""

from __future__ import annotations

import ast
import cmath
import contextlib
import io
import linecache
import math
import random
import statistics
import warnings
from itertools import count

import numpy as np
import pytest
import random_cells
import random_programs
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ad_magic.cell.again import Again, replayed
from ad_magic.cell.run import compile_cell, run_program
from ad_magic.codegen import compiled
from ad_magic.codegen.batch import curve
from ad_magic.codegen.symbols import NoProgram
from ad_magic.engine.tape import PathChanged
from ad_magic.report.result import Result

ERRORS = (ArithmeticError, ValueError)  # what a program may raise at some inputs
STEEP = 1e6  # where a program is so steep, the last digits of its inputs are all that one sees
_numbers = count()


def ran(source, setup=None, **inputs):
    """The Result of a cell at some inputs, run for the first time."""
    namespace = {"math": math, "np": np, "cmath": cmath, "statistics": statistics, **(setup or {}), **inputs}
    before = dict(namespace)
    file = f"<cell {next(_numbers)}>"
    linecache.cache[file] = len(source), None, source.splitlines(True), file
    program = compile_cell(ast.parse(source), source, file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run, _ = run_program(program, namespace, dict.fromkeys(inputs), of=("out",))
    return Result(run, Again(program, namespace, before, ("out",)))


def close(a, b, rtol=1e-9):
    return np.allclose(np.asarray(a, float), np.asarray(b, float), rtol=rtol, atol=rtol, equal_nan=True)


def gradient(result):
    return list(result.grad.values())


def same_rows(a, b):
    """The tables of two results say the same."""
    return len(a.rows) == len(b.rows) and all(
        u.name == v.name and np.allclose(u.value, v.value, rtol=1e-12, atol=1e-300, equal_nan=True)
        for u, v in zip(a.rows, b.rows, strict=True)
    )


def on_the_same_path(result, inputs):
    """The replay at other inputs, or None where a decision comes out otherwise or the program raises an error."""
    try:
        return Result(replayed(result.run, inputs))
    except (PathChanged, *ERRORS):
        return None


def check(source, first, others):
    """Everything that can be asked of a program at its first inputs, and at others."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            result = ran(source, **first)
        except ERRORS:
            return
        for inputs in (first, *others):
            check_replay(source, result, inputs)
        if not np.all(np.abs(gradient(result)) < STEEP):
            return
        for kind in ("forward", "reverse"):
            check_program(source, result, kind, [first, *others])
        for name in first:
            check_curve(result, name, [inputs[name] for inputs in (first, *others)])


def check_replay(source, result, inputs):
    """r.at(...) is a fresh run."""
    try:
        fresh = ran(source, **inputs)
    except ERRORS as error:
        with pytest.raises(type(error)):
            result.at(inputs)
        return
    again = result.at(inputs)
    assert close(again.value, fresh.value, 1e-13)
    assert close(gradient(again), gradient(fresh), 1e-11)
    assert same_rows(again, fresh)


def check_program(source, result, kind, points):
    """A straight-line program agrees with a fresh run, or it raises: that of its guard, or what its arithmetic raises.

    At a singular point of the other inputs it may give NaN, never another number.
    """
    try:
        code = result.code(kind)
    except NoProgram as error:
        reason = str(error)
        assert "overflows" in reason
        return
    namespace: dict = {}
    exec(code, namespace)
    for inputs in points:
        try:
            value, derivative = namespace["derivative"](**inputs)
        except (AssertionError, *ERRORS):
            assert inputs is not points[0] or not np.isfinite(gradient(result)).all()
            continue
        fresh = ran(source, **inputs)  # it may not raise what the program does not
        if not np.all(np.abs(gradient(fresh)) < STEEP):
            continue
        assert close(value, fresh.value, 1e-11)
        got, want = np.array(list(derivative.values())), np.array(gradient(fresh))
        known = np.isfinite(want) & (np.isfinite(got) | (inputs is points[0]))
        assert close(got[known], want[known])


def check_curve(result, name, points):
    """The valid points of a curve are those where no decision changes, and there it has the numbers of a run."""
    values, slopes, valid = curve(result.run, name, points)
    for x, value, slope, ok in zip(points, values, slopes, valid, strict=True):
        again = on_the_same_path(result, {name: x})
        if again is None:
            assert not ok or not np.isfinite(value)
            continue
        assert ok
        if not np.all(np.abs(gradient(again)) < STEEP):
            continue
        assert close(value, again.value)
        if np.isfinite(again.grad[name]):
            assert close(slope, again.grad[name])


SEEDS = st.integers(0, 10**6)
NUMBERS = st.integers(-(3 * 10**6), 3 * 10**6).map(lambda k: k / 1e6) | st.integers(-2, 3).map(float)
INPUTS = st.builds(lambda x, y: {"x": x, "y": y}, NUMBERS, NUMBERS)
OTHERS = st.lists(INPUTS, min_size=1, max_size=3)


def nudged(first):
    return {name: x + 1e-3 for name, x in first.items()}


@settings(max_examples=30, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # a seed does not shrink
@given(SEEDS, INPUTS, OTHERS)
def test_programs_with_branches_loops_and_functions(seed, first, others):
    check(random_programs.program(seed), first, [nudged(first), *others])


@settings(max_examples=30, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # a seed does not shrink
@given(SEEDS, INPUTS, OTHERS)
def test_cells_that_look_at_numbers(seed, first, others):
    check(random_cells.cell(seed, arrays=False), first, [nudged(first), *others])


@settings(max_examples=30, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # a seed does not shrink
@given(SEEDS, INPUTS, OTHERS)
def test_cells_with_arrays(seed, first, others):
    check(random_cells.cell(seed, arrays=True), first, [nudged(first), *others])


# ---- side effects --------------------------------------------------------------------------------


def test_what_the_cell_prints_does_not_pile_up():
    with contextlib.redirect_stdout(io.StringIO()) as said:
        result = ran("print('x is', x)\nout = x*x if x > 0 else -x", x=2.0)
    assert said.getvalue() == "x is 2.0\n"
    with contextlib.redirect_stdout(io.StringIO()) as said:
        for x in (1.0, 3.0, -1.0, 0.5):  # one of them runs the cell again
            assert result.at({"x": x}).value == (x * x if x > 0 else -x)
    assert not said.getvalue()


@pytest.mark.parametrize(
    "cell",
    [
        "out = x * random.random() + random.gauss(x, 1)",
        "out = x * np.random.rand() + np.random.normal(0, 1)",
        "out = x * rng.normal() + rng.uniform(0, 2)",
        "g = np.random.default_rng()\nout = x * g.normal() + np.sum(g.normal(size=3) * x)",
        "out = sum(x * random.choice([1, 2, 3]) for _ in range(4))",
    ],
)
def test_random_numbers_stay_as_they_were_drawn(cell):
    result = ran(cell, {"random": random, "rng": np.random.default_rng(7)}, x=2.0)
    slope = result.grad["x"]
    rest = result.value - 2.0 * slope
    for x in (1.0, -3.0):
        again = result.at({"x": x})
        assert again.value == pytest.approx(rest + x * slope)
        assert again.grad["x"] == pytest.approx(slope)
    state, mine = random.getstate(), np.random.get_state()[1].tolist()
    result.at({"x": 4.0})
    assert random.getstate() == state
    assert np.random.get_state()[1].tolist() == mine


def test_the_namespace_stays_as_the_run_has_left_it():
    source = "seen.append(1)\nout = x*x if x > 0 else -x"
    result = ran(source, {"seen": []}, x=2.0)
    before = dict(result.again.namespace)
    assert result.at({"x": 3.0}).value == 9.0
    assert result.again.namespace == before


def test_a_very_long_run_is_interpreted_not_compiled(monkeypatch):
    result = ran("out = x\nfor k in range(300_000):\n    out = out * 0.5 + y\n    out = out + x", x=1.0, y=0.5)
    assert len(result.run.tape) > 900_000

    def never(*_):
        raise AssertionError("it is compiled")

    monkeypatch.setattr(compiled, "compiled", never)
    again = result.at({"x": 2.0})
    assert again.value == pytest.approx(5.0, rel=1e-12)  # out = out/2 + y + x has the fixed point 2 (x + y)
    assert again.grad == pytest.approx({"x": 2.0, "y": 2.0}, rel=1e-12)
    with pytest.raises(ValueError, match="too long"):
        result.code("reverse")
