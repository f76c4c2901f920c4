"""The report that follows its sliders in the page: without the kernel, across decisions, through errors."""

from __future__ import annotations

import math
import re

import pytest
from playwright.sync_api import expect
from test_panel_in_the_page import CELL, LOAD, box, ready, settled, text

BUSY = """() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'busy'"""
RUN = """(index) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    notebook.deselectAll();
    window.jupyterapp.commands.execute('notebook:run-cell').then(() => null);
}"""
DECIDES = """%%grad x=1.5 y=2
import math
if x > 1:
    z = x * y
else:
    z = math.exp(x) - y**2
z"""
NO_SCRIPT = """%%grad x=2
z = np.sum(np.sin(w * x))"""  # 30,000 numbers are too many for a page
SETUP = LOAD + "\nimport numpy as np\nw = np.linspace(0, 1, 30_000)"


def number(page, selector: str = ".ad-value") -> float:
    return float(text(page, selector))


def becomes(page, expected: float, selector: str = ".ad-value", rel: float = 1e-5) -> None:
    """Wait until a number stands there: what the kernel is asked for comes in its own time."""
    for _ in range(100):
        if number(page, selector) == pytest.approx(expected, rel=rel):
            return
        page.page.wait_for_timeout(200)
    assert number(page, selector) == pytest.approx(expected, rel=rel)


def styles(page) -> int:
    """How many static reports are hidden beside a panel."""
    return page.page.evaluate(
        "() => [...document.querySelectorAll('head style')].filter((e) => /data-ad-static/.test(e.textContent)).length"
    )


def computes(page, nth: int = 0):
    """Wait until the page has the program of a panel."""
    page.page.wait_for_selector(f":nth-match(.ad-panel .ad-view .ad-report .ad-beside, {nth + 1})")
    page.page.wait_for_timeout(300)  # until the models of the sliders are found
    return page


# ---------------------------------------------------------------------------------------------- without the kernel


def test_the_numbers_move_while_the_kernel_is_busy(lab):
    page = computes(ready(lab, LOAD, CELL, "import time; time.sleep(6)"))
    page.page.evaluate(RUN, 2)
    page.page.wait_for_function(BUSY)
    page.press_slider("ArrowRight", 5)
    expect(box(page)).to_have_value("2.1")
    x, y = 2.1, 3.0
    expect(page.find(".ad-panel .ad-value").first).to_contain_text("1.1031")
    assert number(page) == pytest.approx((x + 2 * y) ** 2 * math.sin(x * y), abs=1e-9)
    slope = 2 * (x + 2 * y) * math.sin(x * y) + (x + 2 * y) ** 2 * y * math.cos(x * y)
    assert number(page, "[data-ad-grad='x']") == pytest.approx(slope, rel=1e-5)
    assert number(page, "[data-ad-row='0'] [data-ad-cell='adjoint']") == pytest.approx(slope, rel=1e-5)
    assert "2.1" in text(page, "[data-ad-node='0'] .ad-node-value")
    assert page.page.evaluate(BUSY)  # all that without it
    page.page.wait_for_function(f"() => !({BUSY})()", timeout=20_000)
    expect(page.find("[data-ad-static] .ad-value")).to_contain_text("1.1031")  # then it has its say
    assert page.errors == []


def test_a_number_that_is_typed_is_exact(lab):
    page = computes(ready(lab))
    box(page).fill("3.14159265358979")
    box(page).press("Tab")
    settled(page)
    page.page.wait_for_timeout(800)  # and stays so when the kernel has heard of it
    expect(box(page)).to_have_value("3.14159265358979")
    assert text(page, "[data-ad-row='0'] [data-ad-cell='value']").startswith("3.14159")
    page.press_slider("ArrowRight")
    expect(box(page)).to_have_value("3.16")
    page.find(".ad-panel .ad-reset").click()
    expect(box(page)).to_have_value("2")
    page.see("-17.88259", ".ad-panel .ad-value")


# ------------------------------------------------------------------------------------------------------ decisions


def test_another_path_through_the_program(lab):
    page = computes(ready(lab, LOAD, DECIDES))
    status = page.find(".ad-panel .ad-live")
    expect(status).to_have_text("")
    page.press_slider("Home")  # x = −0.5 or so: below 1
    expect(status).to_have_text("Line 3 goes another way: x > 1 is now False.")
    x = float(box(page).input_value())
    expect(page.find(".ad-panel .ad-row")).to_have_count(5)  # x, y, exp, **, -
    becomes(page, math.exp(x) - 4)
    expect(page.find(".ad-panel .ad-stale")).to_have_count(0)
    for _ in range(3):  # back and forth: the page knows both by now
        page.press_slider("End")
        expect(status).to_have_text("")
        high = float(box(page).input_value())
        assert number(page) == pytest.approx(high * 2, rel=1e-5)
        page.press_slider("Home")
        expect(status).to_contain_text("Line 3")
        assert number(page) == pytest.approx(math.exp(x) - 4, rel=1e-5)
    expect(page.find("[data-ad-static] .ad-value")).to_have_text(page.find(".ad-panel .ad-value").text_content())
    assert page.errors == []


def test_dragging_across_a_decision(lab):
    page = computes(ready(lab, LOAD, DECIDES))
    for fraction in (0.1, 0.9, 0.2, 0.8, 0.1):
        page.drag_slider(fraction, steps=20)
    x = float(box(page).input_value())
    becomes(page, math.exp(x) - 4)
    expect(page.find(".ad-panel .ad-stale")).to_have_count(0)
    expect(page.find(".ad-panel .ad-error")).to_have_count(0)


# --------------------------------------------------------------------------------------- what the page cannot do


def test_a_program_that_no_page_can_run(lab):
    page = computes(ready(lab, SETUP, NO_SCRIPT))
    page.press_slider("ArrowRight", 5)
    expect(box(page)).to_have_value("2.1")

    def z(x: float) -> float:
        return sum(math.sin(k / 29_999 * x) for k in range(30_000))

    becomes(page, z(2.1))
    step = 1e-4
    slope = (z(2.1 + step) - z(2.1 - step)) / (2 * step)
    assert number(page, "[data-ad-grad='x']") == pytest.approx(slope, rel=1e-4)
    page.drag_slider(0.25, steps=30)
    becomes(page, z(float(box(page).input_value())))
    assert page.errors == []


def test_a_slow_program_follows_when_the_slider_is_let_go(lab):
    slow = "%%grad x=2\nimport time\nif int(x * 1000) >= 0:\n    time.sleep(0.3)\nz = np.sum(w * x * x)"
    page = computes(ready(lab, SETUP, slow))
    page.press_slider("ArrowRight")
    expect(page.find(".ad-panel .ad-status")).to_contain_text("let go")
    before = settled(page)
    page.drag_slider(0.9, release=False)
    page.page.wait_for_timeout(700)
    assert text(page, ".ad-value") == before
    page.page.mouse.up()
    expect(box(page)).not_to_have_value("2.02")


def test_an_error_and_its_end(lab):
    page = computes(ready(lab, LOAD, "%%grad x=0.4\nimport math\ny = x\nz = math.sqrt(y)\nz"))
    page.press_slider("Home")
    status = page.find(".ad-panel .ad-status")
    expect(status).to_contain_text("ValueError")
    expect(status).to_contain_text("line 4")
    expect(page.find(".ad-panel .ad-view")).to_have_class(re.compile("ad-trouble"))
    assert number(page) > 0  # the last good picture
    page.press_slider("End")
    expect(page.find(".ad-panel .ad-view")).not_to_have_class(re.compile("ad-trouble"))
    expect(status).to_have_text("")
    assert number(page) == pytest.approx(math.sqrt(float(box(page).input_value())), rel=1e-5)


# --------------------------------------------------------------------------------------------------- what survives

LOOP = """%%grad x=1.5 y=0.5
z = x
for k in range(6):
    z = z * y + abs(x - 1)
z"""


def test_what_a_reader_did_to_the_report_survives_a_new_one(lab):
    """At x = 1 there is a kink, so the report gets a flag, and loses it again."""
    page = computes(ready(lab, LOAD, LOOP))
    page.find(".ad-panel .ad-switch summary").click()
    page.find(".ad-panel .ad-fold summary").first.click()
    page.find(".ad-panel .ad-graph > summary").click()
    mark = "() => { window.kept = [...document.querySelectorAll('.ad-panel :is(tr[data-ad-row], .ad-switch)')]; }"
    page.page.evaluate(mark)
    rows = page.find(".ad-panel tr[data-ad-row]:visible").count()
    for value in ("1", "2"):
        box(page).fill(value)
        box(page).press("Enter")
        expect(page.find(".ad-panel [data-ad-flag='kink']")).to_have_count(1 if value == "1" else 0)
        expect(page.find(".ad-panel .ad-switch")).to_have_attribute("open", "")
        expect(page.find(".ad-panel .ad-fold").first).to_have_attribute("open", "")
        expect(page.find(".ad-panel .ad-graph")).not_to_have_attribute("open", "")
        assert page.find(".ad-panel tr[data-ad-row]:visible").count() == rows
        assert page.page.evaluate("() => window.kept.every((element) => element.isConnected)")
    assert page.errors == []


def test_columns_never_get_narrower(lab):
    page = computes(ready(lab))
    width = "() => [...document.querySelectorAll('.ad-panel tr[data-ad-row=\"0\"] td')].map((e) => e.offsetWidth)"
    page.press_slider("End")
    settled(page)
    page.page.wait_for_timeout(700)
    widest = page.page.evaluate(width)
    for key in ("Home", "End", "Home"):
        page.press_slider(key)
        settled(page)
        page.page.wait_for_timeout(700)  # and the kernel has had its say
        now = page.page.evaluate(width)
        assert all(a >= b for a, b in zip(now, widest, strict=True))
        widest = now


# ------------------------------------------------------------------------------------------------------------ life


def test_a_panel_out_of_sight_rests_until_it_is_seen(lab):
    page = computes(computes(ready(lab, LOAD, CELL, *["'x'\n" + "\n" * 60] * 2, CELL)), 1)
    page.press_slider("ArrowRight", 5)
    expect(box(page)).to_have_value("2.1")
    other = page.find(".ad-panel").nth(1)
    expect(other.locator(".ad-value").first).to_contain_text("17.88259")
    other.scroll_into_view_if_needed()
    page.press_slider("ArrowRight", 5, scope=other)
    expect(other.locator(".ad-value").first).to_contain_text("1.1031")


def test_a_cleared_output_leaves_nothing_at_work(lab):
    page = computes(ready(lab))
    assert styles(page) == 1
    page.command("notebook:clear-all-cell-outputs")
    expect(page.find(".ad-panel")).to_have_count(0)
    assert styles(page) == 0
    assert page.errors == []
