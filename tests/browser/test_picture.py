"""The picture of a live report: what it is of and along, what stands while it is sampled, and moving its point."""

from __future__ import annotations

import json
import math
import re

import pytest
from playwright.sync_api import expect
from report_in_a_page import add_script, settle
from test_panel_in_the_page import CELL as PANEL
from test_panel_in_the_page import LOAD, box, ready, settled
from test_saved_page import CELL

from ad_magic.codegen.javascript import javascript
from ad_magic.report import curves, figure, live, live_html, relief
from ad_magic.report.contour import contour, over_two
from ad_magic.report.subjects import subjects

PROGRAM = """a = x * x + y
b = a * y - x / 3
z = b * a + x"""


@pytest.fixture
def drawn(browser, result):
    """A function that runs a cell and opens its report with the picture as `p`, its program, and `show(x, name)`."""
    tabs = []

    def open_(cell: str, inputs: str):
        r = result(cell, inputs)
        tab = browser.new_page()
        tabs.append(tab)
        moving = live.moving(r, {})
        tab.set_content(live_html.render(r, moving))
        data = live.in_script({**live.layout(r), "moving": moving})
        add_script(
            tab,
            f"""{live.runtime("contour", "picture")}
            const data = {data}, program = {javascript(r.run)};
            const live = follow(document.querySelector(".ad-report"), data);
            var p = picture(document.querySelector(".ad-picture"), data, program, live);
            var show = (x, name) => {{
                const what = data.moving.find((one) => one.name === name);
                p.draw(program.run(x), x, program.inputs.findIndex((one) => one.name === name), what, what);
            }};""",
        )
        return tab, r

    yield open_
    for tab in tabs:
        tab.close()


def curve_of(r, place: int, row: int | None = None, pick: int = 0) -> str:
    return figure.drawing(curves.curve_along(r, curves.movable(r, {})[place], subjects(r, row)[pick]))


def normal(browser_text: str) -> str:
    """The markup as a browser writes it, in the words of ours."""
    return re.sub(r"(?<!</title)></(path|circle)>", "/>", browser_text)


CURVE = "() => document.querySelector('svg.ad-curve').innerHTML"
CONTOUR = "() => document.querySelector('svg.ad-contour').innerHTML"
HEAD = ".ad-curve .ad-curve-head.ad-curve-second"


def test_the_page_draws_what_python_draws(drawn):
    tab, r = drawn(PROGRAM, "x=2 y=3")
    tab.evaluate("show([2, 3], 'x')")
    expect(tab.locator(HEAD)).to_contain_text("∂z/∂x")
    expect(tab.locator(".ad-contour-arrow")).to_have_count(1)
    assert normal(tab.evaluate(CURVE)) == curve_of(r, 0)
    assert normal(tab.evaluate(CONTOUR)) == relief.drawing(over_two(r))
    tab.evaluate("show([2, 3], 'y')")
    expect(tab.locator(HEAD)).to_contain_text("∂z/∂y")
    assert normal(tab.evaluate(CURVE)) == curve_of(r, 1)


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
def test_of_a_pinned_row_it_shows_that_row(drawn, mode):
    tab, r = drawn(PROGRAM, f"x=2 y=3 --mode {mode}")
    tab.evaluate("show([2, 3], 'x')")
    for row in range(len(r.rows)):
        tab.evaluate(f"p.subject({row})")
        expect(tab.locator(HEAD)).to_contain_text(subjects(r, row)[0].slope_head("x"))
        assert normal(tab.evaluate(CURVE)) == curve_of(r, 0, row)
    across, up = curves.movable(r, {})
    wanted = relief.drawing(contour(r, across, up, subjects(r, row)[0]))
    head = json.dumps(f"{subjects(r, row)[0].head} over")
    tab.wait_for_function(f"document.querySelector('svg.ad-contour').getAttribute('aria-label').startsWith({head})")
    assert normal(tab.evaluate(CONTOUR)) == wanted
    tab.evaluate("p.subject(null)")
    expect(tab.locator(HEAD)).to_contain_text("∂z/∂x")
    assert normal(tab.evaluate(CURVE)) == curve_of(r, 0)


def test_of_an_array_and_of_several_outputs_one_chooses(drawn):
    tab, r = drawn("M = np.array([[x * y, x], [1.0, y]])\nq = x + y", "x=2 y=3 --of M,q")
    tab.evaluate("show([2, 3], 'x')")
    choice = tab.locator("select.ad-of")
    assert choice.locator("option").all_text_contents() == ["M[0, 0]", "M[0, 1]", "M[1, 0]", "M[1, 1]", "q"]
    for pick, subject in enumerate(subjects(r)):
        choice.select_option(index=pick)
        expect(tab.locator(HEAD)).to_contain_text(subject.slope_head("x"))
        assert normal(tab.evaluate(CURVE)) == curve_of(r, 0, None, pick)
    row = next(row.index for row in r.rows if row.shape)
    tab.evaluate(f"p.subject({row})")
    expect(choice.locator("option")).to_have_count(4)
    expect(tab.locator(HEAD)).to_contain_text(subjects(r, row)[0].slope_head("x"))


def test_while_it_is_sampled_the_old_one_stands_and_its_point_moves(drawn):
    tab, _ = drawn(PROGRAM, "x=2 y=3")
    tab.evaluate("show([2, 3], 'x')")
    expect(tab.locator(HEAD)).to_contain_text("∂z/∂x")
    seen = tab.evaluate("""() => {
        const shape = () => document.querySelector(".ad-curve-f").getAttribute("d");
        const point = () => document.querySelector(".ad-curve-point").getAttribute("cy");
        const before = [shape(), point()];
        show([2, 3.5], "y");  // along y now: it is not there yet
        return [before, [shape(), point()]];
    }""")
    assert seen[0][0].count("L") == seen[1][0].count("L")
    assert seen[0][1] != seen[1][1]
    expect(tab.locator(HEAD)).to_contain_text("∂z/∂y")


def test_along_its_own_inputs_only_the_point_moves(drawn):
    tab, _ = drawn(PROGRAM, "x=2 y=3")
    tab.evaluate("show([2, 3], 'x')")
    expect(tab.locator(".ad-contour-arrow")).to_have_count(1)
    runs = tab.evaluate("""async () => {
        let runs = 0;
        const run = program.run;
        program.run = (x) => { runs += 1; return run(x); };
        const lines = document.querySelector(".ad-contour-line");
        for (let k = 0; k < 20; k++) {
            show([2 + k / 50, 3], "x");
            await new Promise((done) => requestAnimationFrame(done));
        }
        return [runs, lines === document.querySelector(".ad-contour-line")];
    }""")
    assert runs == [20, True]


def test_of_three_inputs_the_one_moved_last_and_a_chosen_one(drawn):
    tab, _ = drawn("z = x * y * u + u * u", "x=2 y=3 u=1.0")
    tab.evaluate("show([2, 3, 1], 'x')")
    assert tab.locator("svg.ad-contour path").count() == 0  # closed, and so not sampled
    tab.get_by_text("Contour over two inputs").click()
    label = "() => document.querySelector('svg.ad-contour').getAttribute('aria-label')"
    expect(tab.locator(".ad-contour-arrow")).to_have_count(1)
    assert tab.evaluate(label).startswith("z over x and y")
    tab.evaluate("show([2, 3, 1.5], 'u')")
    tab.wait_for_function(
        "document.querySelector('svg.ad-contour').getAttribute('aria-label').startsWith('z over u and y')"
    )
    tab.locator("select.ad-up").select_option(label="u")
    tab.wait_for_function(
        "document.querySelector('svg.ad-contour').getAttribute('aria-label').startsWith('z over y and u')"
    )
    assert tab.evaluate(
        "[...document.querySelectorAll('.ad-over select')].map((one) => one.selectedOptions[0].text)"
    ) == ["y", "u"]


def test_a_program_that_decides_otherwise_is_hatched_and_marked_with_its_line(drawn):
    tab, r = drawn("if x * y > 1:\n    z = x + y\nelse:\n    z = x", "x=2 y=3")
    tab.evaluate("show([2, 3], 'x')")
    expect(tab.locator(".ad-contour-rim")).to_have_attribute("data-ad-line", "2")
    expect(tab.locator(".ad-curve-mark.ad-decision")).to_have_attribute("data-ad-line", "2")
    expect(tab.locator(".ad-contour-hatch")).to_have_count(1)
    assert normal(tab.evaluate(CURVE)) == curve_of(r, 0)


def test_a_kink_has_the_row_it_comes_from(drawn):
    tab, r = drawn("a = abs(x - 1)\nz = a * y", "x=2 y=3")
    tab.evaluate("show([2, 3], 'x')")
    row = next(row.index for row in r.rows if row.op == "abs")
    expect(tab.locator(".ad-curve-mark.ad-kink")).to_have_attribute("data-ad-row", str(row))
    assert normal(tab.evaluate(CURVE)) == curve_of(r, 0)


def test_nothing_of_it_is_left_after_stop(drawn):
    tab, _ = drawn(PROGRAM, "x=2 y=3")
    tab.evaluate("show([2, 3], 'x'); p.stop()")
    settle(tab)
    tab.wait_for_timeout(200)
    assert tab.evaluate(CURVE) == ""
    kept = tab.evaluate("JSON.stringify(p.state())")
    assert json.loads(kept)["row"] is None


def test_a_click_in_the_contour_puts_the_point_there(saved):
    page, r = saved(CELL, "x=2 y=3", {"x": (0, 4), "y": (0, 4)})
    box = page.tab.locator(".ad-contour-box")
    expect(page.tab.locator(".ad-contour-arrow")).to_have_count(1)
    area = box.bounding_box()
    page.tab.mouse.move(area["x"] + area["width"] * 0.25, area["y"] + area["height"] * 0.75)
    page.tab.mouse.down()
    page.settle()
    assert float(page.box("x").input_value()) == pytest.approx(1.0, abs=0.03)
    assert float(page.box("y").input_value()) == pytest.approx(1.0, abs=0.03)
    page.tab.mouse.move(area["x"] + area["width"] * 0.5, area["y"] - 20, steps=4)  # beyond the edge
    page.tab.mouse.up()
    page.settle()
    x = float(page.box("x").input_value())
    assert x == pytest.approx(2.0, abs=0.03)
    expect(page.box("y")).to_have_value("4")
    assert page.value() == pytest.approx(r.at({"x": x, "y": 4.0}).value, rel=1e-9)
    page.tab.mouse.move(area["x"], area["y"])
    page.settle()
    expect(page.box("y")).to_have_value("4")


# ------------------------------------------------------------------------------------------------------- in the panel

SECONDS = 30_000  # ms for what the kernel has to do first
NO_PROGRAM = """%%grad x=2 y=3
import numpy as np
u = np.linalg.solve(np.array([[x, 1.0], [1.0, y]]), np.array([1.0, 2.0]))
z = u[0] * u[1]
z"""


def test_in_the_panel_a_click_in_the_contour_moves_the_sliders(lab):
    page = ready(lab, LOAD, PANEL)
    expect(page.find(".ad-contour-arrow").first).to_be_visible(timeout=SECONDS)
    area = page.find(".ad-contour-box").bounding_box()
    page.page.mouse.click(area["x"] + area["width"] * 0.25, area["y"] + area["height"] * 0.5)
    expect(box(page)).to_have_value(
        re.compile(r"^(0\.9[6-8]|1|1\.0[2-4])$")
    )  # a step of the slider is narrower than a px
    expect(page.find(".ad-panel .ad-box input").nth(1)).to_have_value(re.compile(r"^(2\.9|3)"))
    x, y = (float(box(page, k).input_value()) for k in range(2))
    assert float(settled(page)) == pytest.approx((x + 2 * y) ** 2 * math.sin(x * y), rel=1e-9)
    assert page.errors == []


def test_without_a_program_the_kernel_draws_the_curve(lab):
    page = ready(lab, LOAD, NO_PROGRAM)
    head = page.find(".ad-panel .ad-curve-head.ad-curve-second")
    expect(head).to_contain_text("∂z/∂x", timeout=SECONDS)
    expect(page.find(".ad-panel .ad-contour-arrow")).to_have_count(1)
    slope = head.text_content()
    page.press_slider("ArrowRight", 5)
    expect(head).not_to_have_text(slope, timeout=SECONDS)
    page.find("select.ad-along").select_option(label="y")
    expect(head).to_contain_text("∂z/∂y", timeout=SECONDS)
    assert page.errors == []
