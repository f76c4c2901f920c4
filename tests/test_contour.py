"""Contours: level lines against closed forms, the gradient's arrow, what is decided otherwise; the page draws alike."""

from __future__ import annotations

import math
import re

import pytest
from node import needs_node, run

from ad_magic.report import contour as contours
from ad_magic.report import relief
from ad_magic.report.contour import Axis, Contour, ladder, level_lines, levels, polygons, sampled
from ad_magic.report.live import runtime

PROGRAMS = {  # f in Python and in JavaScript; None where the program would decide otherwise, and its line
    "bowl": (lambda x, y: x * x + y * y, "x * x + y * y"),
    "saddle": (lambda x, y: x * y, "x * y"),
    "valley": (lambda x, y: (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x),
               "(1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x)"),
    "negative": (lambda x, y: -1e-4 - 50 * x * x * x * x, "-1e-4 - 50 * x * x * x * x"),
    "plane": (lambda x, y: 3 * x - y, "3 * x - y"),
    "flat": (lambda x, y: 2.0, "2"),
    "ring": (lambda x, y: None if x * x + y * y < 1 else x + y, "x * x + y * y < 1 ? null : x + y"),
    "half": (lambda x, y: math.sqrt(x) + y if x >= 0 else math.nan, "x >= 0 ? Math.sqrt(x) + y : NaN"),
    "nowhere": (lambda x, y: None, "null"),
    "pole": (lambda x, y: 1 / (x - y) if x != y else math.inf, "x !== y ? 1 / (x - y) : Infinity"),
}  # fmt: skip
SQUARE = (-2.0, 2.0)


def made(name: str, x=SQUARE, y=SQUARE, at=(0.7, 1.1), slopes=(1.5, -2.0), count: int = 30) -> Contour:
    program = PROGRAMS[name][0]

    def look(xs, ys):
        found = [program(*point) for point in zip(xs, ys, strict=True)]
        return [math.nan if z is None else z for z in found], [z is not None for z in found]

    across, up = Axis("x", *x), Axis("y", *y)
    values, valid, rim = sampled(look, across, up, count)
    c = Contour("z", across, up, 6, count, values, valid, rim, [], at, program(*at), slopes)
    for first, *_ in contours.borders(c):
        c.lines.append((first, 7))
    return c


def points(c: Contour, level: float):
    """The level lines, each as the list of its points in the units of the axes."""
    cells = [polygon for _, polygon in polygons(c, contours.inside_of(c))]
    n = c.count - 1
    return [[(c.x.at(x / n), c.y.at(y / n)) for x, y in line] for line in level_lines(cells, level)]


@pytest.mark.parametrize("level", [0.3, 1.0, 2.5])
def test_the_level_lines_of_a_bowl_are_circles(level):
    (line,) = points(made("bowl"), level)
    assert line[0] == line[-1]
    step = 4 / 29
    for x, y in line:  # between two points of a grid x² lies above its chord by at most a quarter of the step squared
        assert x * x + y * y == pytest.approx(level, abs=step * step / 4 + 1e-12)
    assert len(line) > 20


def test_an_open_line_ends_at_the_edge():
    lines = points(made("bowl"), 5.0)
    assert len(lines) == 4
    for line in lines:
        for x, y in (line[0], line[-1]):
            assert max(abs(x), abs(y)) == pytest.approx(2.0)


def test_at_a_saddle_the_lines_do_not_cross():
    for level in (0.01, -0.01):
        lines = points(made("saddle"), level)
        assert len(lines) == 2
        for line in lines:
            assert len({math.copysign(1, x) for x, _ in line}) == 1
            for x, y in line:
                assert x * y == pytest.approx(level, abs=1e-12)  # exact: on an edge of the grid x·y is linear


def test_lines_end_where_the_program_decides_otherwise():
    c = made("ring", count=40)
    (rim,) = contours.borders(c)
    assert rim[0] == rim[-1]
    ends = [end for line in points(c, 0.5) for end in (line[0], line[-1])]
    inner = [math.hypot(*end) for end in ends if max(map(abs, end)) < 1.99]
    assert len(inner) == 2
    assert inner == pytest.approx([1.0, 1.0], abs=0.01)
    drawing = relief.drawing(c)
    assert 'class="ad-contour-rim" data-ad-line="7"' in drawing
    assert "line 7 decides otherwise" in drawing
    assert 'class="ad-contour-hatch"' in drawing


def test_where_there_is_no_value_nothing_is_drawn():
    c = made("half")
    assert all(x > -1e-9 for line in points(c, 0.5) for x, _ in line)
    assert "ad-contour-rim" not in relief.drawing(c)
    nowhere = relief.drawing(made("nowhere"))
    assert "ad-contour-line" not in nowhere and "ad-contour-arrow" not in nowhere


def test_levels_are_round_and_few():
    for name in PROGRAMS:
        found = [z for z, _ in levels(made(name))]
        assert len(found) <= 14
        assert sorted(set(found), key=abs if found and found[0] < 0 and max(found) < 0 else None) == found
        for z, text in levels(made(name)):
            assert float(text.replace("−", "-")) == pytest.approx(z, rel=1e-6)
    assert [text for _, text in levels(made("bowl"))] == ["1", "2", "3", "4", "5", "6", "7"]
    assert {"10", "100", "1000"} <= {text for _, text in levels(made("valley"))}
    assert all(text.startswith("−") for _, text in levels(made("negative")))
    assert levels(made("flat")) == levels(made("nowhere")) == []
    assert len(ladder(1e-300, 1e300)) <= 12


def arrow(c: Contour):
    """Where the arrow begins and ends, in px."""
    shaft, head = re.search(r'ad-contour-arrow">.*?d="(M.*?)"/>.*?d="(M.*?)L', relief.drawing(c)).groups()
    (x, y), _ = (map(float, point.split()) for point in shaft[1:].split("L"))
    tx, ty = map(float, head[1:].split())
    return x, y, tx, ty


@pytest.mark.parametrize("slopes", [(1.5, -2.0), (0.0, 3e-9), (-1e200, 1e200)])
@pytest.mark.parametrize("span", [((-2.0, 2.0), (-2.0, 2.0)), ((0.0, 6.0), (-2.0, 2.0)), ((0.0, 4e5), (0.0, 2e5))])
def test_the_arrow_is_the_gradient_in_the_units_of_the_axes(slopes, span):
    c = made("plane", *span, slopes=slopes)
    box = relief.frame(c)
    x, y, tx, ty = arrow(c)
    dx = (tx - x) / box.wide * (c.x.hi - c.x.lo)
    dy = -(ty - y) / box.high * (c.y.hi - c.y.lo)
    assert math.atan2(dy, dx) == pytest.approx(math.atan2(slopes[1], slopes[0]), abs=0.01)
    assert math.hypot(tx - x, ty - y) == pytest.approx(relief.ARROW, abs=0.2)


@pytest.mark.parametrize("y", [(-2.0, 2.0), (-1.0, 1.2), (-3.0, 3.0)])
def test_where_both_axes_have_one_scale_the_arrow_is_perpendicular_to_the_line(y):
    c = made("plane", y=y, slopes=(3.0, -1.0))  # the gradient of 3 x − y
    assert relief.frame(c).alike
    x, y0, tx, ty = arrow(c)
    path = re.search(r'class="ad-contour-here" d="M(.*?)L.*?([\d.]+ [\d.]+)"', relief.drawing(c))
    (ax, ay), (bx, by) = (map(float, point.split()) for point in path.groups())
    across = ((tx - x) * (bx - ax) + (ty - y0) * (by - ay)) / math.hypot(tx - x, ty - y0) / math.hypot(bx - ax, by - ay)
    assert abs(across) < 0.01
    # the line through the point goes through the point
    assert abs((bx - ax) * (y0 - ay) - (by - ay) * (x - ax)) / math.hypot(bx - ax, by - ay) < 0.2


def test_where_they_have_not_it_says_so():
    c = made("plane", (0.0, 400.0), (0.0, 1.0))
    assert not relief.frame(c).alike
    assert "not perpendicular" in relief.drawing(c)
    assert "not perpendicular" not in relief.drawing(made("plane"))


def test_names_are_escaped():
    c = made("plane")
    text = relief.relief(Contour("<b>", Axis("<x>", 0.0, 1.0), Axis('"', 0.0, 1.0), *list(at(c))[3:]))
    assert "<b>" not in text and "<x>" not in text and 'and ":' not in text


def at(c: Contour):
    return (getattr(c, name) for name in c.__slots__)


@needs_node
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("span", [(SQUARE, SQUARE), ((-1.0, 2.0), (0.0, 1e-3)), ((-0.4, 1.7), (-1.5, 1.5))])
def test_the_page_samples_and_draws_the_same(name, span):
    c = made(name, *span)
    frame = {"head": c.head, "x": c.x._asdict(), "y": c.y._asdict(), "digits": 6, "count": c.count}
    frame |= {"at": c.at, "value": c.value, "slopes": c.slopes}
    script = f"""{runtime("contour")}
    const program = (x, y) => {PROGRAMS[name][1]};
    const look = (points) => {{
        const found = points.map(([x, y]) => program(x, y));
        const part = (act) => found.map(act);
        return {{ values: part((z) => z ?? NaN), valid: part((z) => z !== null), lines: part((z) => z === null && 7) }};
    }};
    const sampled = (frame) => {{
        const steps = contourSteps(frame);
        let next = steps.next();
        while (!next.done) next = steps.next(look(next.value));
        return next.value;
    }};"""
    got = run(script, "[drawContour(data.c), ((c) => [c.rim, c.lines, drawContour(c)])(sampled(data.frame))]",
              {"c": relief.data(c), "frame": frame})  # fmt: skip
    assert got[0] == relief.drawing(c)
    assert got[1][0] == [list(end) for end in c.rim]
    assert {tuple(pair) for pair in c.lines} <= {tuple(pair) for pair in got[1][1]}
    assert got[1][2] == relief.drawing(c)


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
@pytest.mark.parametrize("inputs", ["x=1.0 y=0.5", "w=np.array([1.0,0.5])"])
def test_the_contour_of_a_run_has_its_values_and_its_gradient(result, mode, inputs):
    names = ("x", "y") if inputs.startswith("x") else ("w[0]", "w[1]")
    r = result(f"z = {names[0]}**2 * math.exp({names[1]})", f"{inputs} --mode {mode}")
    c = contours.over_two(r, ranges={"x": (-2.0, 2.0), "y": (-2.0, 2.0), "w": (-2.0, 2.0)})
    n = c.count
    assert (c.x.name, c.y.name) == names
    for k in range(0, n * n, 37):
        x, y = c.x.at(k % n / (n - 1)), c.y.at(k // n / (n - 1))
        assert c.values[k] == pytest.approx(x * x * math.exp(y), rel=1e-12)
    assert c.value == pytest.approx(math.exp(0.5))
    assert c.slopes == pytest.approx((2 * math.exp(0.5), math.exp(0.5)))
    assert "z over" in r.to_html(show="curves") and "z over" not in r.to_html()


def test_each_decision_has_its_line(result):
    cell = "z = x * y\nif x > 1:\n    z = z + 1\nif y > 1:\n    z = z + y"
    c = contours.over_two(result(cell, "x=2 y=2"), ranges={"x": (0.0, 3.0), "y": (0.0, 3.0)})
    assert {line for _, line in c.lines} <= {3, 5} and c.lines
    for z, x, y in zip(c.values, [c.x.at(k % c.count / (c.count - 1)) for k in range(c.count**2)],
                       [c.y.at(k // c.count / (c.count - 1)) for k in range(c.count**2)], strict=True):  # fmt: skip
        if x > 1 and y > 1:
            assert z == pytest.approx(x * y + 1 + y)


def test_only_two_numbers_have_a_contour_of_their_own(result):
    assert contours.over_two(result("z = x * x", "x=2")) is None
    assert contours.over_two(result("z = x * y * u", "x=2 y=3 u=1.0")) is None
