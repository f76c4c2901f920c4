"""Ranges that are typed, undo, freeze, copy as code, save page, one slider for several panels, in a real page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from test_panel_in_the_page import box, ready, settled, text

LOAD = "%load_ext ad_magic\nimport math"
CELL = """%%grad x=2 y=3
z = (x + 2*y)**2 * math.sin(x*y)"""


def button(page, name: str, nth: int = 0):
    return page.find(f".ad-panel .ad-{name}").nth(nth)


def end(page, which: str, nth: int = 0):
    return page.find(f".ad-panel .ad-{which} input").nth(nth)


def type_in(field, value: str) -> None:
    field.click()
    field.fill(value)
    field.press("Enter")
    field.page.wait_for_timeout(500)  # the kernel sets the slider's new range


def test_an_end_of_the_range_is_typed(lab, shots):
    page = ready(lab, LOAD, CELL)
    assert [end(page, which).input_value() for which in ("lower", "upper")] == ["0", "4"]
    type_in(end(page, "upper"), "8")
    page.press_slider("End")
    expect(box(page)).to_have_value("8")
    type_in(end(page, "lower"), "-8")
    expect(end(page, "lower")).to_have_value("−8")
    page.press_slider("Home")
    expect(box(page)).to_have_value("-8")
    type_in(end(page, "lower"), "9")
    expect(page.find(".ad-panel .ad-status")).to_contain_text("must be below its upper end")
    expect(end(page, "lower")).to_have_value("−8")
    type_in(end(page, "lower"), "x")
    expect(page.find(".ad-panel .ad-status")).to_contain_text("must be a number")
    type_in(end(page, "lower"), "-1")  # the value goes along
    expect(box(page)).to_have_value("-1")
    expect(page.find(".ad-panel [data-ad-row='0']").first).to_contain_text("−1")
    page.screenshot(shots / f"inputs-range-{page.server.app}.png", page.cell(1))
    assert page.errors == []


def test_letters_in_the_new_controls_do_nothing_to_the_cells(any_host):
    page = ready(any_host, LOAD, CELL)
    cells = len(page.model()["cells"])
    end(page, "upper").click()
    page.page.keyboard.type("xab")
    for name in ("reset", "freeze"):
        button(page, name).focus()
        page.page.keyboard.press("x")
        page.page.keyboard.press("a")
    assert len(page.model()["cells"]) == cells


def test_undo_and_redo(any_host):
    page = ready(any_host, LOAD, CELL)
    expect(button(page, "undo")).to_be_disabled()
    first = text(page, ".ad-value")
    page.drag_slider(0.25, steps=1)
    expect(box(page)).to_have_value("1")
    second = text(page, ".ad-value")
    page.press_slider("ArrowRight", nth=1)
    expect(box(page, 1)).to_have_value("3.02")
    settled(page)  # the kernel, which takes the step back, has heard of it
    button(page, "undo").click()
    expect(box(page, 1)).to_have_value("3")
    expect(page.find(".ad-panel .ad-value").first).to_have_text(second)
    button(page, "undo").click()
    expect(box(page)).to_have_value("2")
    expect(page.find(".ad-panel .ad-value").first).to_have_text(first)
    expect(button(page, "undo")).to_be_disabled()
    button(page, "redo").click()
    expect(box(page)).to_have_value("1")
    button(page, "reset").click()
    expect(box(page)).to_have_value("2")
    button(page, "undo").click()
    expect(box(page)).to_have_value("1")


def test_freeze_leaves_the_report(any_host, shots):
    page = ready(any_host, LOAD, CELL)
    page.drag_slider(0.25)
    expect(box(page)).to_have_value("1")
    value = text(page, ".ad-value")
    button(page, "freeze").click()
    static = page.find("[data-ad-static] .ad-value").first
    expect(static).to_be_visible()
    expect(static).to_have_text(value)
    expect(page.find(".ad-panel")).to_have_count(0)
    outputs = page.save().cells[1].outputs
    assert not any("widget-view" in kind for output in outputs for kind in output.get("data", {}))
    page.screenshot(shots / f"inputs-frozen-{page.server.app}.png", page.cell(1))
    assert page.errors == []


def test_ad_freeze_freezes_all(lab):
    page = ready(lab, LOAD, CELL, CELL.replace("x=2", "x=1"), "", "")
    page.set_source(3, "%ad freeze")
    page.run_cell(3)
    expect(page.find("[data-ad-static] .ad-value:visible")).to_have_count(2)
    expect(page.find(".ad-panel")).to_have_count(0)
    page.set_source(4, "from ipywidgets.widgets.widget import _instances; len(_instances)")
    page.run_cell(4)
    assert page.text_of(4) == "0"
    outputs = [output for cell in page.save().cells for output in cell.outputs]
    assert not any("widget-view" in kind for output in outputs for kind in output.get("data", {}))


def test_copy_as_code_comes_back_to_the_point(lab):
    page = ready(lab, LOAD, CELL + "\nz")
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    type_in(end(page, "upper"), "8")
    page.press_slider("ArrowRight", 3)
    expect(box(page)).not_to_have_value("2")
    value = text(page, ".ad-value")
    button(page, "copy").click()
    line = page.find(".ad-panel .ad-status code")
    expect(line).to_contain_text("%%grad x=")
    shown = line.text_content()
    assert page.page.evaluate("() => navigator.clipboard.readText()") == shown
    page.set_source(1, shown + "\nz = (x + 2*y)**2 * math.sin(x*y)\nz")
    page.run_cell(1)
    page.see(value, ".ad-panel .ad-value")
    expect(end(page, "upper")).to_have_value("8")


def test_save_page_downloads_a_page_that_lives(lab, tmp_path):
    page = ready(lab, LOAD, CELL)
    page.drag_slider(0.25)
    expect(box(page)).to_have_value("1")
    with page.page.expect_download() as download:
        button(page, "save").click()
    assert download.value.suggested_filename == "z.html"
    download.value.save_as(tmp_path / "z.html")
    tab = page.page.context.new_page()
    tab.goto((tmp_path / "z.html").as_uri())
    expect(tab.locator(".ad-value").first).to_have_text(text(page, ".ad-value"))


SHARED = """import ad_magic
x = ad_magic.slider("x", 0, 4, value=2)
x"""


def test_one_slider_for_two_panels(lab, shots):
    page = ready(lab, LOAD, SHARED, CELL.replace("x=2", "x"), "%%grad x\nw = x**2", "float(x)")
    page.width(1200, 3500)  # what is out of sight follows when it comes into sight
    values = page.find(".ad-panel .ad-report .ad-value")
    expect(values).to_have_count(2)
    page.press_slider("ArrowRight", 5, scope=page.cell(3))
    for n in (1, 2, 3):
        expect(page.cell(n).locator(".ad-box input").first).to_have_value("2.1")
    expect(page.cell(3).locator(".ad-panel .ad-value").first).to_have_text("4.41")
    expect(page.cell(2).locator(".ad-panel [data-ad-row='0']").first).to_contain_text("2.1")
    page.press_slider("ArrowLeft", 5, scope=page.cell(1))  # the slider by itself
    expect(page.cell(3).locator(".ad-panel .ad-value").first).to_have_text("4")
    type_in(page.cell(2).locator(".ad-upper input").first, "8")
    expect(page.cell(3).locator(".ad-upper input").first).to_have_value("8")
    page.press_slider("End", scope=page.cell(3))
    expect(page.cell(2).locator(".ad-box input").first).to_have_value("8")
    expect(page.cell(3).locator(".ad-panel .ad-value").first).to_have_text("64")
    page.cell(3).locator(".ad-freeze").click()
    expect(page.cell(3).locator(".ad-panel")).to_have_count(0)
    page.press_slider("Home", scope=page.cell(2))  # it lives on in the other
    expect(page.cell(2).locator(".ad-box input").first).to_have_value("0")
    for _ in range(20):  # until the kernel has been told
        page.run_cell(4)
        if page.text_of(4) != "8.0":
            break
        page.page.wait_for_timeout(100)
    assert page.text_of(4) == "0.0"
    page.screenshot(shots / f"inputs-shared-{page.server.app}.png")
    assert page.errors == []


def test_two_panels_move_at_once_while_the_kernel_is_busy(lab):
    page = ready(lab, LOAD, SHARED, CELL.replace("x=2", "x"), "%%grad x\nw = x**2", "import time; time.sleep(8)")
    page.width(1200, 3500)
    page.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 4;"
        " window.jupyterapp.commands.execute('notebook:run-cell'); }"
    )
    busy = "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'busy'"
    page.page.wait_for_function(busy)
    page.press_slider("ArrowRight", 5, scope=page.cell(2))
    expect(page.cell(3).locator(".ad-panel .ad-value").first).to_have_text("4.41", timeout=4000)
    assert page.page.evaluate(busy)


EXPLORE = """from ad_magic import explore, fixed

def height(t, v=20.0, n=2, where="here"):
    fall = 9.81 * t**n / 2
    return v * t - fall

explore(height, t=(0, 4), v=20.0)"""


def test_explore_is_the_same_panel(lab, shots):
    page = ready(lab, LOAD, EXPLORE)
    expect(box(page)).to_have_value("2")
    assert text(page, ".ad-value") == "20.38"
    assert page.find(".ad-panel .ad-fixed").all_text_contents() == ["2", "'here'"]
    page.press_slider("Home")
    expect(page.find(".ad-panel .ad-value").first).to_have_text("0")
    expect(page.find(".ad-panel [data-ad-grad='t']").first).to_have_text("20")
    button(page, "copy").click()
    expect(page.find(".ad-panel .ad-status code")).to_have_text("explore(height, t=0, v=20, ranges={'t': (0, 4)})")
    page.screenshot(shots / f"inputs-explore-{page.server.app}.png", page.cell(1))
    assert page.errors == []


@pytest.mark.parametrize("width", [1200, 500])
def test_rows_of_many_inputs_stand_below_each_other(lab, width):
    names = "abcdefghij"
    page = ready(lab, LOAD, f"%%grad {' '.join(f'{name}=1' for name in names)}\nz = {' + '.join(names)}")
    page.width(width)
    page.page.wait_for_timeout(300)
    ends = page.page.evaluate("""() => [...document.querySelectorAll('.ad-panel .ad-input')].flatMap((row) => {
        const parts = [...row.querySelectorAll('.ad-box, .ad-slider, .ad-input-name')];
        const places = parts.map((e) => e.getBoundingClientRect());
        return [Math.min(...places.map((e) => e.top)), Math.max(...places.map((e) => e.bottom))];
    })""")
    assert len(ends) == 2 * len(names)
    assert ends == sorted(ends)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 500])
def test_looks(lab, shots, dark, width):
    page = ready(lab, LOAD, CELL.replace("y=3", "y=3 tiny=1e-8 huge=-1e8") + " + tiny * huge")
    page.width(width, 1300)
    page.theme(dark)
    page.press_slider("ArrowRight", 3)
    button(page, "copy").click()
    expect(page.find(".ad-panel .ad-status code")).to_be_visible()
    page.screenshot(shots / f"inputs-{'dark' if dark else 'light'}-{width}.png")
