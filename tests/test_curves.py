"""Curves: where f has corners, jumps and other paths, what the axes show, the drawing in plain characters."""

from __future__ import annotations

import math

import pytest
from test_live_scripts import sampled

from ad_magic import trace
from ad_magic.report import curves, figure
from ad_magic.report.picture import figures
from ad_magic.report.plot import plot
from ad_magic.report.subjects import subjects


def marks(name: str, **more) -> list[tuple[str, float]]:
    return [(mark.kind, mark.x) for mark in sampled(name, **more).marks]


@pytest.mark.parametrize("name", ["sine", "pole", "flat", "edge", "tiny"])
def test_a_smooth_function_has_no_mark(name):
    assert marks(name) == []


def test_a_step_of_rounding_is_no_jump():
    assert marks("dust") == [("kink", 1.0)]


def test_a_corner_a_jump_and_a_decision_are_found_where_they_are():
    assert marks("corner") == [("kink", 0.3)]
    assert sampled("corner").marks[0].text == "kink at x = 0.3: slope −1 on the left, 1 on the right"
    assert marks("steps", lo=-0.5, hi=1.5) == [("jump", 0.0), ("jump", 1.0)]
    branch = sampled("branch")
    assert [(mark.kind, mark.x) for mark in branch.marks] == [("decision", 0.25)]
    assert branch.elsewhere == [(-1.0, 0.25)]
    assert branch.note == "decides otherwise at x = 0.25"


def test_a_corner_that_is_a_point_of_the_curve_is_marked_once():
    c = sampled("corner", lo=0.3 - 199, hi=0.3 + 199, at=0.7)  # the grid of 200 points leaves 0.3 in the middle of two
    assert [mark.x for mark in c.marks] == [0.3]
    assert [mark.x for mark in sampled("corner", lo=0.3, hi=2.0).marks] == [0.3]  # at the very end
    c = sampled("corner", lo=0.3 - 1.0, hi=0.3 + 198.0)
    assert c.xs[1] == pytest.approx(0.3)
    assert [mark.x for mark in c.marks] == [pytest.approx(0.3)]


def test_nobody_looks_again_at_a_slow_program(monkeypatch):
    monkeypatch.setattr(curves, "SLOW", -1.0)
    assert marks("corner") == []
    ((kind, x),) = marks("branch")
    assert kind == "decision" and x == pytest.approx(0.25, abs=3 / 199)


def test_an_axis_cuts_a_pole_and_holds_the_point():
    c = sampled("pole")
    low, high = figure.extent([y for y in c.values if math.isfinite(y)], [c.value])
    assert low > -60 and high < 60
    assert figure.extent([0.0] * 99, [500.0])[1] > 500
    assert figure.extent([], []) == (-1.0, 1.0)
    low, high = figure.extent([7.0, 7.0], [])
    assert low < 7 < high


@pytest.mark.parametrize(("lo", "hi"), [(0, 1), (-3e-9, 2e-9), (1e8, 1e8 + 3), (-0.3, 1.1), (-5e250, 1e250)])
def test_ticks_are_round_and_inside(lo, hi):
    ticks = figure.ticks(lo, hi, 5)
    assert 2 <= len(ticks) <= 6
    assert all(lo - 1e-9 * (hi - lo) <= v <= hi + 1e-9 * (hi - lo) for v, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)
    for v, text in ticks:
        assert float(text.replace("−", "-")) == pytest.approx(v, rel=1e-9, abs=1e-9 * (hi - lo))


def test_the_tangent_line_has_the_slope_of_the_function():
    c = sampled("corner", at=1.3)
    drawing = figure.drawing(c)
    path = drawing.split('class="ad-curve-tangent" d="M')[1].split('"')[0]
    (x0, y0), (x1, y1) = ([float(v) for v in point.split()] for point in path.split("L"))
    wide = figure.WIDTH - figure.LEFT - figure.RIGHT
    low, high = figure.extent(c.values, [c.value])
    slope = -(y1 - y0) / figure.HIGH * (high - low) / ((x1 - x0) / wide * 3.0)
    assert slope == pytest.approx(1.0, rel=0.01)


def test_in_plain_characters_it_is_no_wider_than_the_terminal():
    for width in (60, 110):
        lines = plot(sampled("sine"), width).splitlines()
        assert max(map(len, lines)) <= width
        assert sum("●" in line for line in lines) == 2
    assert "decides otherwise at x = 0.25" in plot(sampled("branch"), 80)


KINKED = """a = abs(x - 0.25)
if x < 3:
    z = a * y
else:
    z = a"""


def test_a_mark_says_the_line_or_the_row_that_it_comes_from(result):
    r = result(KINKED, "x=2 y=3")
    (along, _) = curves.movable(r, {"x": (0.0, 4.0)})
    found = curves.curve_along(r, along, subjects(r)[0])
    kinks = [mark for mark in found.marks if mark.kind == "kink"]
    assert [(mark.x, r.rows[mark.row].op, mark.line) for mark in kinks] == [(0.25, "abs", None)]
    assert f'data-ad-row="{kinks[0].row}"' in figure.drawing(found)
    assert [(mark.x, mark.line, mark.row) for mark in found.marks if mark.kind == "decision"] == [(3.0, 3, None)]
    assert 'data-ad-line="3"' in figure.drawing(found)
    assert "line 3 decides otherwise" in figure.drawing(found)


def test_a_curve_can_be_that_of_any_row(result):
    r = result("a = x * x\nb = math.exp(a) * y\nz = math.log(b)", "x=0.5 y=3")
    row = next(row.index for row in r.rows if row.label == "b")
    (subject,) = subjects(r, row)
    c = curves.curve_along(r, curves.movable(r, {})[0], subject)
    assert (c.frame.head, c.frame.slope_head) == ("v₅", "∂v₅/∂x")
    for x, value, slope in zip(c.xs, c.values, c.slopes, strict=True):
        assert value == pytest.approx(3 * math.exp(x * x), rel=1e-12)
        assert slope == pytest.approx(6 * x * math.exp(x * x), rel=1e-12)
    assert (c.value, c.slope) == (pytest.approx(3 * math.exp(0.25)), pytest.approx(3 * math.exp(0.25)))


def test_what_is_decided_after_a_row_does_not_matter_to_it(result):
    r = result("a = x * x\nif a > 1:\n    z = a * y\nelse:\n    z = y", "x=2 y=3")
    row = next(row.index for row in r.rows if row.label == "a")
    along = curves.movable(r, {"x": (0.0, 4.0)})[0]
    assert all(curves.curve_along(r, along, subjects(r, row)[0]).valid)
    whole = curves.curve_along(r, along, subjects(r)[0])
    assert [(mark.kind, mark.x, mark.line) for mark in whole.marks] == [("decision", 1.0, 3)]


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
def test_of_arrays_and_of_several_outputs_each_number_has_a_curve(result, mode):
    r = result(
        "M = np.array([[x * y, x], [1.0, y * y]]) @ w\nq = x + y",
        f"x=2 y=3 w=np.array([0.5,-1.0]) --of M,q --mode {mode}",
    )
    found = subjects(r)
    assert [s.head for s in found] == ["M[0]", "M[1]", "q"]
    x, _, _, w1 = curves.movable(r, {})
    for subject, f in zip(found, (lambda x: x * 3 / 2 - x, lambda x: 0.5 - 9, lambda x: x + 3), strict=True):
        c = curves.curve_along(r, x, subject)
        assert c.values == pytest.approx([f(x) for x in c.xs], rel=1e-12)
        assert c.slopes == pytest.approx([f(1.0) - f(0.0)] * len(c.xs), rel=1e-12)
    drawn, left = curves.curves(r)
    assert (len(drawn), left) == (4, 8)
    c = curves.curve_along(r, w1, found[1])
    assert c.slopes == pytest.approx([9.0] * len(c.xs))


def test_outside_of_the_domain_there_is_no_value_and_no_other_path(result):
    r = result("z = math.log(x) * math.sqrt(1 - x)", "x=0.5")
    c = curves.curve_along(r, curves.movable(r, {"x": (-1.0, 2.0)})[0], subjects(r)[0])
    assert all(c.valid) and c.marks == [] and c.elsewhere == []
    assert [math.isnan(y) for y in c.values] == [not 0 < x <= 1 for x in c.xs]


def test_figures_of_what_a_page_asks_for(result):
    r = result("a = x * w[3]\nz = a * y", "x=2 y=3 w=np.arange(50.0)")
    x, y = ({"name": name, "lo": 0.0, "hi": 4.0, "steps": 200} for name in "xy")
    entry = {**x, "name": "w[3]"}
    found = figures(r, {"row": None, "pick": 0, "along": entry, "across": x, "up": y})
    assert "∂z/∂w[3]" in found["curve"] and "z over x and y" in found["contour"]
    found = figures(r, {"row": next(row.index for row in r.rows if row.label == "a"), "pick": 0, "along": x})
    assert found.keys() == {"curve"} and "∂v" in found["curve"]
    assert figures(r, {"row": None, "pick": 0, "along": {**x, "name": "w[50]"}}) == {
        "why": "There is no number w[50] that moves."
    }


def test_at_the_end_of_the_floats():
    """What the axis has no room for is not drawn."""
    result = trace(lambda x: 1e308 + 0 * x, 1e308)
    assert 'class="ad-curve-f"' in result.to_html(show="curves")
