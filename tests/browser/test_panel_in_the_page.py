"""The panel as a person meets it, in JupyterLab and in Notebook 7."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

LOAD = "%load_ext ad_magic"
CELL = """%%grad x=2 y=3
import math
a = x + 2*y
b = math.sin(x*y)
z = a**2 * b
z"""
Z = "-17.88259"  # at (2, 3)


def box(page, nth: int = 0):
    return page.find(".ad-panel .ad-box input").nth(nth)


def text(page, selector: str, nth: int = 0) -> str:
    """What stands in the live panel."""
    return page.find(f".ad-panel {selector}").nth(nth).text_content().replace("−", "-").strip()


def ready(page, *cells: str):
    """The page with these cells, run, when the live report has come: before it the static one stands in its place."""
    page.open(cells or [LOAD, CELL])
    page.run_all()
    page.page.wait_for_selector(".ad-panel .ad-beside .ad-table")
    expect(page.find(".ad-panel .ad-value").first).to_be_visible()
    page.page.wait_for_selector(".noUi-handle[aria-label]")
    return page


def settled(page, selector: str = ".ad-value") -> str:
    """The text when it has not changed for a while: what comes after the last event of a gesture."""
    before = None
    while before != (now := text(page, selector)):
        before = now
        page.page.wait_for_timeout(400)
    return now


# ------------------------------------------------------------------------------------------------------- sliding


def test_sliders_move_the_numbers(any_host):
    page = ready(any_host)
    assert text(page, ".ad-value").startswith(Z)
    expect(box(page)).to_have_value("2")
    grad = text(page, "[data-ad-grad='x']")

    page.press_slider("ArrowRight", 5)  # the slider gets it, not the notebook
    expect(box(page)).to_have_value("2.1")
    expect(page.find(".ad-panel [data-ad-grad='x']").first).not_to_have_text(grad)
    assert settled(page) != Z

    page.drag_slider(0.25)
    assert settled(page).startswith("6.91488")  # x = 1
    expect(box(page)).to_have_value("1")
    expect(page.find(".ad-panel [data-ad-row='0']").first).to_contain_text("1")

    page.find(".ad-panel .ad-reset").click()
    page.see(Z, ".ad-panel .ad-value")
    expect(box(page)).to_have_value("2")
    assert page.external == []
    assert page.errors == []


def test_a_letter_over_a_slider_does_nothing_to_the_cells(any_host):
    page = ready(any_host)
    cells = len(page.model()["cells"])
    page.press_slider("x")
    page.press_slider("a")
    page.press_slider("ArrowRight")
    expect(box(page)).to_have_value("2.02")
    assert len(page.model()["cells"]) == cells


def test_a_number_can_be_typed(lab):
    page = ready(lab)
    box(page).fill("10")
    box(page).press("Enter")
    settled(page)
    expect(page.find(".ad-panel .ad-upper input").first).to_have_value("10")
    expect(page.handle(0)).to_have_attribute("aria-valuetext", "10")
    page.press_slider("Home")
    expect(box(page)).to_have_value("0")
    page.see("0", ".ad-panel .ad-value")


def test_showing_a_panel_changes_no_value(lab):
    """A float slider would round π to its step by being displayed, and send it back."""
    page = ready(lab, LOAD, "%%grad x=3.141592653589793 y=1e-8 u=1e8\nz = x*y*u", "x, y, u")
    page.run_cell(2)
    assert page.text_of(2) == "(3.141592653589793, 1e-08, 100000000.0)"
    assert [box(page, n).input_value() for n in range(3)] == ["3.141592653589793", "1e-8", "100000000"]
    page.press_slider("ArrowRight", nth=1)
    expect(box(page, 1)).to_have_value("1.01e-8")
    expect(box(page, 0)).to_have_value("3.141592653589793")


def test_run_all_again_starts_anew(lab):
    page = ready(lab)
    page.press_slider("ArrowRight", 5)
    settled(page)
    page.run_all()
    page.see(Z, ".ad-panel .ad-value")
    expect(page.find(".ad-panel")).to_have_count(1)
    page.press_slider("ArrowRight")
    expect(box(page)).to_have_value("2.02")


def test_an_error_while_sliding(lab, shots):
    page = ready(lab, LOAD, "%%grad x=0.4\nimport math\ny = x\nz = math.sqrt(y)\nz")
    page.press_slider("Home")
    status = page.find(".ad-panel .ad-status")
    expect(status).to_contain_text("ValueError")
    expect(page.find(".ad-panel .ad-view")).to_have_class(re.compile("ad-trouble"))
    expect(page.find(".ad-panel .ad-value").first).to_be_visible()
    page.screenshot(shots / "panel-error.png", page.cell(1))
    page.press_slider("End")
    expect(status).to_have_text("")
    expect(page.find(".ad-panel .ad-view")).not_to_have_class(re.compile("ad-trouble"))
    assert page.cell_errors() == []


def test_an_interrupt_ends_one_run_and_no_more(lab):
    """Ctrl-C (the stop button) while a slider's run hangs: the panel says so, and works on."""
    hangs = "%%grad x=2\nimport time\nif int(x * 1000) > 2000:\n    time.sleep(60)\nz = x*x"
    page = ready(lab, LOAD, hangs)
    page.press_slider("ArrowRight")
    page.page.wait_for_timeout(1500)  # it runs on the kernel's main loop, where the page cannot see it
    page.command("notebook:interrupt-kernel")
    expect(page.find(".ad-panel .ad-status")).to_contain_text("Interrupted")
    page.page.wait_for_timeout(600)  # by then the gesture is over: the end of it does not run the program again
    page.press_slider("Home")
    expect(page.find(".ad-panel .ad-value").first).to_have_text("0")
    expect(page.find(".ad-panel .ad-status")).to_have_text("")


def test_a_cell_that_is_run_while_a_panel_recomputes_is_run(lab):
    """It waits for its turn, and nothing of it is lost."""
    slow = "%%grad x=2\nimport time\nif int(x * 1000) > 2000:\n    time.sleep(1.5)\nz = x*x"
    page = ready(lab, LOAD, slow, "print('after', x, 1 + 1)")
    for _ in range(2):
        page.press_slider("ArrowRight")
        page.page.wait_for_timeout(400)
        page.run_cell(2)
        page.see("after 2 2", ".jp-Notebook")
        assert page.model()["cells"][2]["execution_count"] is not None
        page.set_source(2, "print('after', x, 1 + 1)")
    expect(page.find(".ad-panel .ad-value").first).to_have_text("4.1616")


def test_a_page_that_is_loaded_again_has_its_panel(lab):
    """The kernel lives on, and so does the panel."""
    page = ready(lab)
    page.press_slider("ArrowRight", 5)
    settled(page)
    page.save()
    page.open_file("test.ipynb")
    expect(box(page)).to_have_value("2.1")
    expect(page.find("[data-ad-static]")).to_be_hidden()
    page.page.wait_for_selector(".noUi-handle[aria-label]")
    page.press_slider("ArrowRight")
    expect(box(page)).to_have_value("2.12")


# -------------------------------------------------------------------------------------------------- what stays put


def test_what_is_unfolded_stays_so(lab):
    page = ready(lab)
    partials = page.find(".ad-panel .ad-switch")
    graph = page.find(".ad-panel .ad-graph")
    partials.locator("summary").click()
    graph.locator("summary").first.click()
    page.press_slider("ArrowRight", 3)
    settled(page)
    expect(partials).to_have_attribute("open", "")
    expect(graph).not_to_have_attribute("open", "")


UNFOLD_AT_ONCE = """() => new MutationObserver((_, observer) => {
    const fold = document.querySelector(".ad-panel .ad-switch");
    if (!fold || document.querySelector(".ad-panel .ad-picture")) return;
    observer.disconnect();
    fold.open = document.body.adUnfolded = true;
}).observe(document.body, { subtree: true, childList: true })"""


def test_what_is_unfolded_before_the_live_report_has_come_stays_so(lab):
    page = lab
    page.open([LOAD, CELL])
    page.page.evaluate(UNFOLD_AT_ONCE)
    page.run_all()
    page.page.wait_for_selector(".ad-panel .ad-picture")
    assert page.page.evaluate("() => document.body.adUnfolded")
    expect(page.find(".ad-panel .ad-switch")).to_have_attribute("open", "")
    expect(page.find(".ad-panel .ad-graph")).to_have_attribute("open", "")


def test_nothing_moves_while_sliding(lab):
    """Columns keep the width that they have had; the table stays where it is."""
    page = ready(lab)
    where = """() => [...document.querySelectorAll('.ad-panel :is([data-ad-row="0"] td, .ad-part, [data-ad-grad])')]
        .map((e) => Math.round(e.getBoundingClientRect().left) + ' ' + Math.round(e.getBoundingClientRect().top))"""
    track = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    for fraction in track:  # the widest numbers have been seen
        page.drag_slider(fraction, steps=1)
        settled(page)
    before = page.page.evaluate(where)
    for fraction in track:
        page.drag_slider(fraction, steps=1)
        settled(page)
        assert page.page.evaluate(where) == before


WIDE = """%%grad a=1.0 b=2.0 c=3.0 d=4.0
if a > 1.5:
    a = a * 1.0
z = a*b*c*d
z"""
HIDDEN = """() => { const table = document.querySelector('.ad-panel .ad-tables .ad-scroll');
    return table.scrollWidth - table.clientWidth; }"""
BESIDE = """() => { const [figures, table] = ['.ad-picture', '.ad-table'].map((part) =>
    document.querySelector(`.ad-panel ${part}`).getBoundingClientRect());
    return figures.left >= table.right && figures.top < table.bottom; }"""


def test_the_figures_stand_beside_a_table_that_has_room_there(lab):
    page = ready(lab)
    assert page.page.evaluate(BESIDE) and page.page.evaluate(HIDDEN) <= 0
    page = ready(lab.anew(), LOAD, WIDE)  # four tangents: beside the figures two of them would be covered
    for key in ("Home", "End"):  # nor does it go to and fro with the path
        assert not page.page.evaluate(BESIDE) and page.page.evaluate(HIDDEN) <= 0
        page.press_slider(key)
        settled(page)


def test_what_there_is_to_say_moves_nothing(lab):
    page = ready(lab, LOAD, "%%grad x=30\nimport math\nif x > 20:\n    y = x\nelse:\n    y = x - 5\nz = math.sqrt(y)")
    top = "() => document.querySelector('.ad-panel .ad-result').getBoundingClientRect().top"
    before = page.page.evaluate(top)
    page.press_slider("Home")
    expect(page.find(".ad-panel .ad-status")).to_contain_text("ValueError")
    expect(page.find(".ad-panel .ad-live")).to_contain_text("another way")
    assert page.page.evaluate(top) == before


# --------------------------------------------------------------------------------------------------------- arrays

ARRAYS = """%%grad x=2 w W
h = np.tanh(W @ np.ones(8) + x)
loss = np.sum(h**2) * np.sum(w**2)"""
SETUP = LOAD + "\nimport numpy as np\nw = np.array([0.5, -1.0]); W = np.linspace(-1, 1, 128).reshape(16, 8)"


def test_entries_of_arrays_move(lab, shots):
    page = ready(lab, SETUP, ARRAYS, "w, W[3, 4]")
    expect(page.find(".ad-panel .ad-input")).to_have_count(4)
    index = page.find(".ad-panel .ad-index input")
    assert [page.handle(n).get_attribute("aria-label") for n in range(4)] == ["x", "w[0]", "w[1]", "W[0, 0]"]
    tracks = page.page.evaluate(
        "() => [...document.querySelectorAll('.ad-panel .noUi-target')]"
        ".map((e) => Math.round(e.getBoundingClientRect().left))"
    )
    assert len(set(tracks)) == 1
    grad = text(page, "[data-ad-grad='w']")
    page.press_slider("ArrowRight", 5, nth=1)
    expect(box(page, 1)).not_to_have_value("0.5")
    expect(box(page, 2)).to_have_value("-1")
    expect(page.find(".ad-panel [data-ad-grad='w']").first).not_to_have_text(grad)

    value = settled(page)
    index.fill("3, 4")
    index.press("Enter")
    expect(page.handle(3)).to_have_attribute("aria-label", "W[3, 4]")
    assert settled(page) == value
    box(page, 3).fill("2")
    box(page, 3).press("Enter")
    expect(page.find(".ad-panel .ad-value").first).not_to_have_text(value)
    index.fill("16, 0")
    index.press("Enter")
    expect(page.find(".ad-panel .ad-status")).to_contain_text("[0, 0] to [15, 7]")
    expect(index).to_have_value("3, 4")
    page.screenshot(shots / f"panel-arrays-{page.server.app}.png", page.cell(1))
    page.run_cell(2)
    assert page.text_of(2).startswith("(array([ 0.5, -1. ])")  # the user's own arrays stay as they are
    assert page.errors == []


def test_a_column_is_narrow_again_when_an_array_is_closed(lab):
    page = ready(lab, SETUP, ARRAYS)
    width = (
        "() => Math.round(document.querySelector('.ad-panel [data-ad-cell=\"value\"]').getBoundingClientRect().width)"
    )
    page.press_slider("ArrowRight", 1)
    settled(page)
    before = page.page.evaluate(width)
    array = page.find(".ad-panel [data-ad-cell='value'] .ad-array").first
    array.locator("summary").click()
    opened = page.page.evaluate(width)
    assert opened > before
    page.press_slider("ArrowRight", 1, nth=1)
    settled(page)
    expect(array).to_have_attribute("open", "")
    array.locator("summary").click()
    assert page.page.evaluate(width) <= before + 12


# -------------------------------------------------------------------------------------------------- static report


def test_the_static_report_is_hidden_beside_a_live_panel(any_host):
    page = ready(any_host)
    expect(page.find("[data-ad-static]")).to_have_count(1)
    expect(page.find("[data-ad-static]")).to_be_hidden()
    expect(page.find(".ad-value:visible")).to_have_count(1)


def test_a_saved_notebook_holds_the_last_state(any_host):
    page = ready(any_host)
    page.press_slider("ArrowRight", 5)
    value = settled(page)
    expect(page.find("[data-ad-static] .ad-value")).to_contain_text(value[1:9])  # the kernel has had its say
    outputs = page.save().cells[1].outputs
    (static,) = (output for output in outputs if "data-ad-static" in output.data.get("text/html", ""))
    assert value[1:9] in static.data["text/html"]
    assert value[1:9] in static.data["text/plain"]
    (live,) = (output for output in outputs if output is not static)
    assert live.data["text/plain"] == ""
    assert live.data["text/html"] == "<span></span>"


def test_reopened_without_a_kernel_the_report_is_there(lab):
    page = ready(lab)
    page.save()
    page.server.close_kernels()
    page.open_file("test.ipynb")
    expect(page.find("[data-ad-static] .ad-value")).to_be_visible()
    expect(page.find(".ad-panel")).to_have_count(0)
    left = page.find(".jp-OutputArea-output").get_by_text("Error displaying widget")  # JupyterLab's, for a widget
    expect(left).to_have_count(1, timeout=60_000)
    expect(left).to_be_hidden()


def test_unloading_leaves_the_report(lab):
    page = ready(lab, LOAD, CELL, "")
    page.set_source(2, "%unload_ext ad_magic")
    page.run_cell(2)
    expect(page.find("[data-ad-static] .ad-value")).to_be_visible()


# ---------------------------------------------------------------------------------------------------------- looks


def test_many_inputs_of_every_kind(lab, shots):
    names = ["a", "rate", "a_rather_long_name", "tiny", "huge"]
    values = "a=1 rate=0.05 a_rather_long_name=-3.25 tiny=1e-8 huge=1e8 w"
    page = ready(
        lab,
        LOAD,
        "import numpy as np\nw = np.array([0.5, -1.0, 2.0])",
        f"%%grad {values}\nz = {' * '.join(names)} * w[0] + w[2]",
    )
    expect(page.find(".ad-panel .ad-input")).to_have_count(8)  # w has three
    assert [page.handle(n).get_attribute("aria-label") for n in range(5)] == names
    tracks = page.page.evaluate(
        "() => [...document.querySelectorAll('.ad-panel .noUi-target')].map((e) => e.getBoundingClientRect().left)"
    )
    assert len(set(tracks)) == 1  # one below the other
    page.screenshot(shots / "panel-many.png", page.cell(2))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 500])
def test_looks(lab, shots, dark, width):
    page = ready(lab, LOAD, CELL)
    page.width(width, 1500)
    page.theme(dark)
    page.press_slider("ArrowRight", 3)
    settled(page)
    page.screenshot(shots / f"panel-{'dark' if dark else 'light'}-{width}.png")
    wide = page.page.evaluate(
        "() => { const p = document.querySelector('.ad-panel').getBoundingClientRect();"
        " const o = document.querySelector('.ad-panel').closest('.jp-OutputArea-output').getBoundingClientRect();"
        " return [p.left >= o.left - 1, p.right <= o.right + 1, document.body.scrollWidth <= window.innerWidth]; }"
    )
    assert wide == [True, True, True]
