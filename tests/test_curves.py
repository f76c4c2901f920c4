"""Curves: where f has corners, jumps and other paths, what the axes show, the drawing in plain characters."""

from __future__ import annotations

import math

import pytest
from test_live_scripts import sampled

from ad_magic.report import curves, figure
from ad_magic.report.plot import plot


def marks(name: str, **more) -> list[tuple[str, float]]:
    return [(mark.kind, mark.x) for mark in sampled(name, **more).marks]


@pytest.mark.parametrize("name", ["sine", "pole", "flat", "edge", "tiny"])
def test_a_smooth_function_has_no_mark(name):
    assert marks(name) == []


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
