"""The live panel, linked and with its film, in JupyterLab and in Notebook 7."""

from __future__ import annotations

from playwright.sync_api import expect
from test_panel_in_the_page import LOAD, box, ready

BRANCH = """%%grad x=2 y=3
a = x * y
if x > 1:
    z = a * a
else:
    z = a - x
z = z + x
z"""
GROUND = "(element) => getComputedStyle(element).backgroundColor"
FOCUS = "() => document.activeElement.dataset.adRow"


def panel(page, selector: str):
    return page.find(f".ad-panel .ad-report {selector}")


def cells(page) -> int:
    return page.page.locator(".jp-Notebook .jp-Cell").count()


def test_rows_are_moved_over_and_pinned_by_keys_that_do_not_reach_the_notebook(any_host):
    page = ready(any_host)
    tab, before = page.page, cells(page)
    expect(panel(page, "tr[data-ad-row='0']")).to_have_attribute("tabindex", "0")
    quiet = panel(page, "tr[data-ad-row='1'] .ad-expression").evaluate(GROUND)
    panel(page, "tr[data-ad-row='0']").focus()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate(FOCUS) == "1"
    assert panel(page, "tr[data-ad-row='1'] .ad-expression").evaluate(GROUND) != quiet
    for key in ("a", "b", "x", "d", "d", "End"):  # each would change the notebook
        tab.keyboard.press(key)
    assert tab.evaluate(FOCUS) == "7"
    tab.keyboard.press("Space")
    expect(panel(page, "tr[data-ad-row='7']")).to_have_attribute("aria-selected", "true")
    assert cells(page) == before
    page.press_slider("ArrowRight", 3)
    expect(box(page)).to_have_value("2.06")
    expect(panel(page, "tr[data-ad-row='7']")).to_have_attribute("aria-selected", "true")
    assert panel(page, "tr[data-ad-row='7'] .ad-expression").evaluate(GROUND) != quiet
    assert page.errors == []


def test_film_and_pin_stay_when_the_program_goes_another_way(lab):
    page = ready(lab, LOAD, BRANCH)
    panel(page, ".ad-film > summary").click()
    expect(panel(page, ".ad-film output")).to_have_text("1 of 3")
    panel(page, "tr[data-ad-row='2'] .ad-expression").click()
    panel(page, "[data-ad-step='last']").click()
    expect(panel(page, "tr.ad-now")).to_have_attribute("data-ad-row", "2")
    expect(panel(page, ".ad-film-step")).to_contain_text("v̄1 = 1 + 36 = 37")  # z = x + (xy)²: ∂z/∂x = 1 + 2xy²
    box(page).fill("0.5")
    box(page).press("Tab")
    expect(panel(page, "tr[data-ad-row='3'] .ad-expression")).to_have_text("v3 - v1")  # z = x + xy - x
    expect(panel(page, ".ad-film-step")).to_contain_text("v̄1 = 1 − 1 + 3 = 3")
    expect(panel(page, "tr.ad-now")).to_have_attribute("data-ad-row", "2")
    expect(panel(page, "tr[data-ad-row='2']")).to_have_attribute("aria-selected", "true")
    box(page).fill("3")
    box(page).press("Tab")
    expect(panel(page, ".ad-film-step")).to_contain_text("v̄1 = 1 + 54 = 55")
    assert page.errors == []


def test_the_film_is_moved_by_keys(any_host):
    page = ready(any_host)
    tab, before = page.page, cells(page)
    panel(page, ".ad-film > summary").click()
    panel(page, ".ad-film-bar input").focus()
    for key in ("ArrowRight", "ArrowRight", "a", "x", "ArrowLeft"):
        tab.keyboard.press(key)
    expect(panel(page, ".ad-film output")).to_have_text("2 of 6")
    assert cells(page) == before
    page.press_slider("ArrowRight", 2)
    expect(panel(page, ".ad-film output")).to_have_text("2 of 6")
    assert page.errors == []
