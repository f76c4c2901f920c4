"""A saved page in a browser without network and without kernel: moved as a person moves it, compared with Python."""

from __future__ import annotations

import math
import re

import pytest
from playwright.sync_api import expect
from report_in_a_page import marks, settle, sizes, texts

CELL = """a = x + 2*y
b = math.sin(x*y)
z = a**2 * b / (1 + y*y)"""
BRANCH = """if x > 1:
    z = x * y
else:
    z = y - x
z = z * z"""
LOOP = """z = x
for k in range(4):
    z = z * y + x / (k + 1)
    w = -z
z = z + w / 2"""


def drawn_by_python(browser, r):
    """The texts and the marks of the report that Python draws."""
    tab = browser.new_page()
    tab.set_content(r.to_html())
    found = texts(tab), marks(tab)
    tab.close()
    return found


POINTS = [{"x": 2.5}, {"y": -0.25}, {"x": 0.0}, {"x": 1e-5, "y": 12.0}, {"x": 3.0, "y": 3.0}]


@pytest.mark.parametrize(("cell", "start"), [(CELL, "x=2 y=3"), (LOOP, "x=1.1 y=0.9")])
def test_every_number_is_the_one_that_python_draws(saved, browser, cell, start):
    page, r = saved(cell, start)
    assert texts(page.tab) == drawn_by_python(browser, r)[0]
    for point in POINTS:
        for name, value in {**r.inputs, **point}.items():
            page.type(name, repr(value))
        assert (texts(page.tab), marks(page.tab)) == drawn_by_python(browser, r.at({**r.inputs, **point}))


ARRAYS = """h = np.tanh(W @ v + x)
z = np.sum(h * h) + v[0] * x"""


def test_entries_of_small_arrays_have_sliders(saved, browser):
    page, r = saved(ARRAYS, "x=0.5 v=np.array([1.0,-2.0]) W=np.array([[1.0,0.5],[2.0,-1.0]])")
    assert texts(page.tab) == drawn_by_python(browser, r)[0]
    page.type("v[1]", "0.75")
    page.type("W[1, 0]", "-3.5")
    page.type("x", "-0.125")
    moved = {"x": -0.125, "v": [1.0, 0.75], "W": [[1.0, 0.5], [-3.5, -1.0]]}
    assert (texts(page.tab), marks(page.tab)) == drawn_by_python(browser, r.at(moved))
    expect(page.tab.locator(".ad-curve-head.ad-curve-second")).to_contain_text("∂z/∂x")


def test_a_flag_of_the_beginning_is_not_said_of_another_point(saved):
    page, r = saved("z = abs(x) * y", "x=0 y=3")
    assert [flag.kind for flag in r.flags] == ["kink"]
    flag = page.tab.locator('[data-ad-flag="kink"]')
    said = "(element) => getComputedStyle(element, '::after').content"
    assert flag.evaluate(said) == "none"
    page.type("x", "-0.5")
    assert "where it began" in flag.evaluate(said)
    assert page.value() == -0.0 + r.at({"x": -0.5}).value
    expect(page.tab.locator(".ad-curve-mark.ad-kink title").first).to_contain_text(
        "slope −3 on the left, 3 on the right"
    )


def test_a_point_outside_of_the_domain_is_said(saved):
    page, _ = saved("a = x - 1\nz = math.log(a)", "x=2")
    page.type("x", "0.5")
    expect(page.tab.locator(".ad-live")).to_contain_text("v3 has no finite value here")
    page.type("x", "1.5")
    expect(page.tab.locator(".ad-live")).to_have_text("")
    assert page.value() == pytest.approx(math.log(0.5), rel=1e-11)


def test_a_slider_moves_by_keys_and_by_mouse_and_reset_brings_it_back(saved):
    page, r = saved(CELL, "x=2 y=3")
    before = texts(page.tab)
    expect(page.box("x")).to_have_value("2")
    page.slider("x").focus()
    page.tab.keyboard.press("ArrowRight")
    expect(page.box("x")).to_have_value("2.02")
    settle(page.tab)
    assert page.value() == pytest.approx(r.at({"x": 2.02}).value, rel=1e-9)

    track = page.slider("y").bounding_box()
    middle = track["y"] + track["height"] / 2
    page.tab.mouse.move(track["x"] + track["width"] / 2, middle)
    page.tab.mouse.down()
    page.tab.mouse.move(track["x"] + track["width"] * 0.8, middle, steps=5)
    settle(page.tab)
    y = float(page.box("y").input_value())
    assert 4 < y < 5.5
    assert page.value() == pytest.approx(r.at({"x": 2.02, "y": y}).value, rel=1e-9)
    page.tab.mouse.up()

    page.tab.get_by_role("button", name="Reset").click()
    settle(page.tab)
    assert texts(page.tab) == before
    expect(page.box("y")).to_have_value("3")
    expect(page.tab.get_by_role("button", name="Reset")).to_be_disabled()


def test_being_looked_at_changes_no_value(saved):
    page, _ = saved(CELL, f"x={math.pi!r} y=1e-8")
    expect(page.box("x")).to_have_value(repr(math.pi))
    expect(page.box("y")).to_have_value("1e-8")
    page.slider("x").focus()
    page.tab.keyboard.press("Tab")
    expect(page.box("x")).to_have_value(repr(math.pi))


def test_a_number_box_takes_what_a_person_types_and_the_range_follows(saved):
    page, r = saved(CELL, "x=2 y=3")
    page.type("x", "25")
    assert page.value() == pytest.approx(r.at({"x": 25.0}).value, rel=1e-9)
    assert int(page.slider("x").get_attribute("max")) > 0
    assert page.tab.locator('.ad-input[data-ad-input="x"] .ad-end').last.text_content() in ("25", "26", "30")
    page.type("x", "two")
    expect(page.box("x")).to_have_attribute("aria-invalid", "true")
    assert page.value() == pytest.approx(r.at({"x": 25.0}).value, rel=1e-9)
    page.type("x", "−1,5")
    assert page.value() == pytest.approx(r.at({"x": -1.5}).value, rel=1e-9)


def test_a_decision_that_comes_out_otherwise_greys_what_follows(saved):
    page, r = saved(BRANCH, "x=1.5 y=3")
    note = page.tab.locator(".ad-live")
    report = page.tab.locator(".ad-report")
    expect(note).to_have_text("")
    before = texts(page.tab)
    page.type("x", "0.5")
    expect(note).to_contain_text("Line 2 decides otherwise")
    assert "ad-elsewhere" in report.get_attribute("class")
    after = texts(page.tab)
    assert after["row 0 value"] == "0.5"  # what comes before the decision follows
    assert after["value "] == before["value "]  # what comes after it stays, grey
    opacity = "(element) => Number(getComputedStyle(element).opacity)"
    assert page.tab.locator(".ad-result").evaluate(opacity) < 0.5
    last = len(r.rows) - 1
    assert page.tab.locator(f'[data-ad-row="{last}"] [data-ad-cell="value"]').evaluate(opacity) < 0.5
    assert page.tab.locator('[data-ad-row="0"] [data-ad-cell="value"]').evaluate(opacity) == 1
    page.type("x", "1.5")
    expect(note).to_have_text("")
    assert texts(page.tab) == before
    assert page.tab.locator(".ad-result").evaluate(opacity) == 1


def test_nothing_changes_its_place_while_a_slider_moves(saved):
    page, _ = saved(CELL, "x=2 y=3")
    before = sizes(page.tab)
    page.slider("x").focus()
    for key in ("ArrowRight", "PageUp", "PageUp", "Home", "End", "ArrowLeft"):
        page.tab.keyboard.press(key)
        settle(page.tab)
        assert sizes(page.tab) == before


def test_the_curve_is_along_what_is_moved(saved):
    page, r = saved(CELL, "x=2 y=3")
    along = page.tab.locator("select.ad-along")
    expect(along).to_have_value("0")
    head = page.tab.locator(".ad-curve-head.ad-curve-second")
    expect(head).to_contain_text("∂z/∂x")
    page.slider("y").focus()
    page.tab.keyboard.press("ArrowRight")
    expect(head).to_contain_text("∂z/∂y")
    shape = page.tab.locator(".ad-curve-f").get_attribute("d")
    page.tab.keyboard.press("ArrowRight")  # along its own input the curve stays, the point moves
    settle(page.tab)
    assert page.tab.locator(".ad-curve-f").get_attribute("d") == shape
    along.select_option(label="x")
    expect(head).to_contain_text("∂z/∂x")
    slope = float(head.text_content().split("=")[1].replace("−", "-"))
    assert slope == pytest.approx(r.at({"y": float(page.box("y").input_value())}).grad["x"], rel=1e-5)


def test_what_is_unfolded_stays_so(saved):
    page, _ = saved(LOOP, "x=1.1 y=0.9")
    page.tab.locator(".ad-fold summary").first.click()
    page.tab.locator(".ad-switch summary").click()
    page.slider("x").focus()
    page.tab.keyboard.press("ArrowRight")
    settle(page.tab)
    assert page.tab.locator(".ad-fold").first.get_attribute("open") is not None
    assert page.tab.locator(".ad-partial").nth(3).is_visible()


def test_everything_is_reached_by_keyboard_and_has_a_name(saved):
    page, _ = saved(CELL, "x=2 y=3")
    for _ in range(3):
        page.tab.keyboard.press("Tab")
    names = page.tab.evaluate("""() => [...document.querySelectorAll("input, select, button")].map((e) =>
        e.getAttribute("aria-label") || [...(e.labels ?? [])].map((l) => l.textContent).join() || e.textContent)""")
    assert all(name.strip() for name in names)
    assert page.slider("x").get_attribute("aria-valuetext") == "2"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 500])
def test_it_is_at_home_in_light_and_dark_wide_and_narrow(saved, shots, scheme, width):
    page, _ = saved(CELL, "x=2 y=3", color_scheme=scheme, width=width)
    style = "() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]; }"
    ground, ink = (int(re.search(r"\d+", colour)[0]) for colour in page.tab.evaluate(style))
    assert (ground > 200 > ink) if scheme == "light" else (ground < 60 < ink)
    assert page.tab.evaluate("() => document.documentElement.scrollWidth") <= width
    page.tab.screenshot(path=str(shots / f"page-{scheme}-{width}.png"), full_page=True)
