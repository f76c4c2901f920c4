"""The life of a panel: what comes early, what is left when it is gone."""

from __future__ import annotations

import pytest
from notebook_page import _SELECT as SELECT
from playwright.sync_api import expect
from test_panel_in_the_page import CELL, LOAD, ready, settled, text

LONG = """%%grad x=0.6
z = x
for _ in range(250):
    z = z * x + 0.25"""


def at(x: float) -> float:
    z = x
    for _ in range(250):
        z = z * x + 0.25
    return z


def test_a_slider_that_is_moved_before_the_page_has_the_program(lab):
    """The kernel is busy, so the report comes later than the slider: it must show where the slider stands."""
    page = lab.open([LOAD, LONG, "import time; time.sleep(3)"])
    page.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.page.wait_for_selector(".ad-panel .noUi-handle")
    expect(page.find(".ad-panel .ad-value").first).to_be_visible()  # the static report in its place
    page.press_slider("ArrowRight", 5)
    expect(page.find(".ad-panel .ad-box input").first).to_have_value("0.65", timeout=20_000)
    assert float(settled(page)) == pytest.approx(at(0.65), rel=1e-6)
    assert float(text(page, "[data-ad-cell='value']")) == pytest.approx(0.65)


# ---------------------------------------------------------------------------------------------------------- leaks

COUNT = "import gc; from ipywidgets.widgets.widget import _instances; gc.collect(); print(len(_instances))"
LEFT = """() => ({
    styles: document.querySelectorAll("style").length,
    comms: window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel._comms.size,
})"""
REMEMBER = """() => {
    for (const report of document.querySelectorAll(".ad-panel .ad-report")) {
        (window.adReports ??= []).push(new WeakRef(report));
    }
}"""
CORE = """import ipywidgets
for widget in made if "made" in dir() else []:
    widget.close()
made = [ipywidgets.IntSlider(), ipywidgets.IntSlider()]
ipywidgets.VBox(made)"""


class Left:
    """What is left in a page, as Chrome counts it after a collection, and how many widgets the kernel has.

    Cell `count` of the notebook prints the latter.
    """

    def __init__(self, page, count: int) -> None:
        self.page, self.count = page, count
        self.session = page.page.context.new_cdp_session(page.page)
        self.session.send("Performance.enable")

    def now(self) -> dict[str, int]:
        self.page.run_cell(self.count)
        self.page.page.wait_for_timeout(1000)  # for whatever is still on its way
        self.session.send("HeapProfiler.collectGarbage")
        metrics = {one["name"]: int(one["value"]) for one in self.session.send("Performance.getMetrics")["metrics"]}
        found = {"listeners": metrics["JSEventListeners"], "nodes": metrics["Nodes"]}
        return {**found, **self.page.page.evaluate(LEFT), "models": int(self.page.text_of(self.count))}

    def grown(self, cell: int, times: int) -> dict[str, float]:
        """By how much all that grows each time that a cell is run again."""
        self.page.run_cell(cell)
        before = self.now()
        for _ in range(times):
            self.page.page.evaluate(REMEMBER)
            self.page.run_cell(cell)
        now = self.now()
        return {name: (now[name] - before[name]) / times for name in now}


def test_fifty_reruns_leave_nothing(lab):
    """JupyterLab itself keeps the elements of closed widgets and what listens to them, so the measure is two sliders
    of its own. Of the reports nothing is kept."""
    page = ready(lab.anew(), LOAD, CELL, CELL, COUNT, CORE)  # nothing of another test is counted
    left = Left(page, 3)
    core = left.grown(4, 10)
    ours = left.grown(1, 50)
    assert ours["models"] == ours["comms"] == ours["styles"] == 0
    assert ours["listeners"] <= core["listeners"] + 0.5
    kept = "() => new Set(window.adReports.map((one) => one.deref()).filter((one) => one && !one.isConnected)).size"
    assert page.page.evaluate(kept) <= 1  # one is held by whoever looked for it: this test
    expect(page.find(".ad-panel")).to_have_count(2)
    page.press_slider("ArrowRight", nth=2)  # the other cell's panel lives
    expect(page.find(".ad-panel .ad-box input").nth(2)).to_have_value("2.02")


@pytest.mark.parametrize("command", ["notebook:delete-cell", "notebook:clear-cell-output"])
def test_a_cell_that_is_gone_leaves_nothing(lab, command):
    page = ready(lab, LOAD, CELL, COUNT)
    left = Left(page, 2)
    page.page.evaluate(SELECT, 1)
    page.command(command)
    if command.endswith("delete-cell"):
        left.count = 1
    expect(page.find(".ad-panel")).to_have_count(0)
    page.page.wait_for_timeout(21_000)  # view.js, PATIENCE: the cell might come back
    now = left.now()
    assert now["models"] == 0
    assert now["comms"] == 0
    assert page.find("style:text('ad-static')").count() == 0
    assert page.errors == []


def test_a_cell_that_comes_back_has_its_panel(lab):
    page = ready(lab, LOAD, CELL)
    page.press_slider("ArrowRight", 5)
    settled(page)
    page.page.evaluate(SELECT, 1)
    page.command("notebook:cut-cell")
    expect(page.find(".ad-panel")).to_have_count(0)
    page.command("notebook:paste-cell-below")
    page.page.wait_for_selector(".ad-panel .noUi-handle[aria-label]")
    page.page.wait_for_timeout(21_000)
    page.press_slider("ArrowRight")
    expect(page.find(".ad-panel .ad-box input").first).to_have_value("2.12")


def test_a_kernel_that_starts_anew_has_no_widget(lab):
    page = ready(lab, LOAD, CELL, COUNT)
    page.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart().then(() => null)"
    )
    page.page.wait_for_timeout(2000)
    left = Left(page, 2)
    now = left.now()
    assert now["models"] == 0
    assert now["comms"] == 0
    page.run_all()
    page.see("-17.88259", ".ad-panel .ad-value")
    page.page.wait_for_selector(".noUi-handle[aria-label]")
    page.press_slider("ArrowRight", 5)
    expect(page.find(".ad-panel .ad-box input").first).to_have_value("2.1")
