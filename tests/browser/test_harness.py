"""The harness itself, with nothing of ours in the page: a notebook opens, runs, and an error is seen."""


def test_a_notebook_runs(any_host, shots):
    page = any_host.open(["import ipywidgets\nipywidgets.IntSlider(3)", "print(6 * 7)"])
    page.run_all()
    assert page.text_of(1) == "42\n"
    page.see("3", ".widget-slider")
    page.drag_slider(1.0)
    page.see("100", ".widget-slider")
    page.screenshot(shots / f"harness-{page.server.app}.png")
    assert page.external == []
    assert page.errors == []


def test_an_error_is_seen(lab):
    page = lab.open(["1 / 0"])
    page.run_all(check=False)
    assert page.cell_errors() == [(0, "ZeroDivisionError", "division by zero")]


def test_themes_and_widths(lab, shots):
    page = lab.open(["1 + 1"])
    page.run_all()
    page.theme(dark=True)
    page.width(500)
    page.screenshot(shots / "harness-dark-500.png")
    page.theme(dark=False)
