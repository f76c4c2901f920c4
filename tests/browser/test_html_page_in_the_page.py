"""The panel of core ipywidgets only, in JupyterLab and in Notebook 7."""

from __future__ import annotations

from playwright.sync_api import expect
from test_panel_in_the_page import CELL, LOAD, Z, box, settled, text

HTML = LOAD + "\n%config ADMagic.view = 'html'"


def ready(page, *cells: str):
    page.open(cells or [HTML, CELL])
    page.run_all()
    expect(page.find(".ad-panel .ad-value").first).to_be_visible()
    page.page.wait_for_selector(".ad-panel .noUi-handle")
    return page


def test_the_kernel_computes_every_step(any_host, shots):
    page = any_host.anew()
    page.page.route("**/labextensions/anywidget/**", lambda route: route.abort())  # a front end that lacks it
    ready(page)
    assert text(page, ".ad-value").startswith(Z)
    expect(page.find("[data-ad-static]")).to_be_hidden()
    expect(page.find(".ad-value:visible")).to_have_count(1)
    page.drag_slider(0.25)
    assert settled(page).startswith("6.91488")  # x = 1
    expect(box(page)).to_have_value("1")
    page.find(".ad-panel .ad-reset").click()
    page.see(Z, ".ad-panel .ad-value")
    page.find('.ad-panel [data-ad-row="3"] .ad-number').first.hover()
    lit = "(node) => getComputedStyle(node.querySelector('rect')).fill"
    nodes = page.find(".ad-panel .ad-node")
    assert nodes.nth(3).evaluate(lit) != nodes.nth(0).evaluate(lit)  # by the style sheet alone
    page.screenshot(shots / f"panel-html-{page.server.app}.png", page.cell(1))
    assert page.external == []


def test_an_error_and_the_way_back(lab):
    page = ready(lab, HTML, "%%grad x=0.4\nimport math\ny = x\nz = math.sqrt(y)\nz")
    page.press_slider("Home")
    status = page.find(".ad-panel .ad-status")
    expect(status).to_contain_text("ValueError")
    page.press_slider("End")
    expect(status).to_have_text("")


def test_the_static_report_is_there_again_without_the_panel(lab):
    page = ready(lab, HTML, CELL, "")
    page.set_source(2, "%unload_ext ad_magic")
    page.run_cell(2)
    expect(page.find("[data-ad-static] .ad-value")).to_be_visible()
    expect(page.find(".ad-panel")).to_have_count(0)
