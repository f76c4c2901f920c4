"""Curves and contours of cells with a solver: few points, the cell run again at each. Expected: closed forms."""

from __future__ import annotations

import math

import pytest
from oracles import Cells

from ad_magic import grad
from ad_magic.engine.active import LostDerivative
from ad_magic.report import curves, solved
from ad_magic.report.contour import over_two
from ad_magic.report.grid import Grid
from ad_magic.report.picture import figures

ROOT = "y = brentq(lambda t: t*t - x, 0, 10)"
OVER = {"name": "x", "lo": 1.0, "hi": 9.0, "steps": 80}


@pytest.fixture(scope="module")
def cells(_one_shell):
    made = Cells(_one_shell)
    made.plain("import numpy as np\nfrom scipy.integrate import quad, solve_ivp\nfrom scipy.optimize import brentq")
    yield made
    made.done()


@pytest.mark.parametrize("mode", ["forward", "reverse", "both"])
def test_a_curve_through_few_points(cells, mode):
    r = cells.grad("x=4.0 --of y", ROOT, mode)
    (curve,), left = curves.curves(r, ranges={"x": (1.0, 9.0)})
    assert left == 0 and all(curve.valid) and curve.marks == []
    assert "the cell was run again" in curve.note
    assert (curve.value, curve.slope) == pytest.approx((2.0, 0.25))
    assert curve.values == pytest.approx([math.sqrt(x) for x in curve.xs], abs=2e-3)
    assert curve.slopes == pytest.approx([0.5 / math.sqrt(x) for x in curve.xs], abs=2e-2)


def test_where_the_derivative_stops_its_slope_draws_no_waves(cells):
    """f is x + x, f′ is what the rules give: 1."""
    r = cells.grad("x=4.0 --of y", "y = quad(lambda t: 2*x*t, 0, 1)[0] + float(f'{x}')")
    (curve,), _ = curves.curves(r, ranges={"x": (1.0, 9.0)})
    assert all(curve.valid)
    assert curve.values == pytest.approx([2 * x for x in curve.xs])
    assert curve.slopes == pytest.approx([1.0] * len(curve.xs))


def test_of_an_array_and_of_a_row(cells):
    cells.plain("w = np.array([1.0, 4.0])")
    r = cells.grad("w", "y = np.array([brentq(lambda t: t*t - x, 0, 10) for x in w])")
    subject = curves.subjects(r)[1]
    curve = curves.curve_along(r, ("w", (1,), Grid(1.0, 9.0, 80)), subject)
    assert (curve.value, curve.slope) == pytest.approx((2.0, 0.25))
    assert curve.values[-1] == pytest.approx(3.0)
    r = cells.grad("x=4.0 --of z", f"{ROOT}\nz = y*y")
    curve = curves.curve_along(r, ("x", (), Grid(1.0, 9.0, 80)), curves.subjects(r, 1)[0])
    assert curve.values[-1] == pytest.approx(3.0)


def test_where_there_is_no_value_and_where_it_jumps(cells):
    r = cells.grad("x=4.0 --of y", ROOT)
    (curve,), _ = curves.curves(r, ranges={"x": (-4.0, 4.0)})  # no root below 0
    assert not any(ok for x, ok in zip(curve.xs, curve.valid, strict=True) if x < 0)
    assert all(ok for x, ok in zip(curve.xs, curve.valid, strict=True) if x > 1)
    r = cells.grad("x=1.0 --of y", "y = (3 if x > 2 else 0) + quad(lambda t: 0.1*x*t, 0, 1)[0]")
    (curve,), _ = curves.curves(r, ranges={"x": (0.0, 4.0)})
    assert 0 < curve.valid.count(False) < 60  # where it jumps no line is drawn
    assert curve.values[-1] == pytest.approx(3.2)


def test_the_tolerance_of_a_solver_is_no_jump(cells):
    """Far out nothing is left but what solve_ivp is allowed to err: some 1e-7, with no slope to it."""
    sol = "sol = solve_ivp(lambda t, y: -k*y, (0, 40), [1.0])\ny = sol.y[0, -1]"
    r = cells.grad("k=0.3 --of y", sol)
    (curve,), _ = curves.curves(r, ranges={"k": (0.0, 1.4)})
    assert all(curve.valid)
    assert abs(curve.values[-1]) < 1e-5


def test_a_contour(cells):
    r = cells.grad("x=4.0 a=1.0 --of y", "y = a*brentq(lambda t: t*t - x, 0, 10)")
    c = over_two(r, ranges={"x": (1.0, 9.0), "a": (0.5, 1.5)})
    assert c.slopes == pytest.approx((0.25, 2.0)) and all(c.valid)
    steps = [k / (c.count - 1) for k in range(c.count)]
    assert c.values == pytest.approx([c.y.at(v) * math.sqrt(c.x.at(u)) for v in steps for u in steps])


def test_it_gives_up_where_it_takes_too_long(cells, monkeypatch):
    monkeypatch.setattr(solved, "LONGEST", 0.0)
    monkeypatch.setattr(solved, "PATIENCE", 0.0)
    monkeypatch.setattr(solved, "TOO_SLOW", 60.0)
    r = cells.grad("x=4.0 a=1.0 --of y", "y = a*brentq(lambda t: t*t - x, 0, 10)")
    assert over_two(r) is None
    found = figures(r, {"along": OVER, "across": OVER, "up": {**OVER, "name": "a"}, "row": None, "pick": 0})
    assert "through 9 points" in found["curve"]
    assert "No contour: " in found["contour"]
    monkeypatch.setattr(solved, "TOO_SLOW", 0.0)
    assert figures(r, {"along": OVER, "row": None, "pick": 0})["why"].startswith("No curve: ")


def test_the_runs_leave_no_trace(cells):
    names = cells.plain("seen = []\nrng = np.random.default_rng(0)")
    r = cells.grad("x=4.0 --of y", f"seen.append(1)\nprint('loud')\nkept = {ROOT[4:]}\ny = kept", "both")
    before = dict(names)
    curves.curves(r)
    assert names["seen"] == [1]
    assert names["kept"] == 2.0 and set(names) == set(before)


@pytest.mark.parametrize("jump", [lambda t, k: 1.0 if t > k else -1.0, lambda t, k: math.floor(t - k) + 0.5])
def test_a_jump_is_no_zero(jump):
    from scipy.optimize import brentq

    assert brentq(lambda t: jump(t, 0.5), -1.0, 5.0) == pytest.approx(0.5)
    with pytest.raises(LostDerivative, match=r"test_solved.py, line \d+: brentq ended where the function jumps"):
        grad(lambda k: brentq(lambda t: jump(t, k), -1.0, 5.0))(0.5)
