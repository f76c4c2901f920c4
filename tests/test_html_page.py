"""The panel of core ipywidgets only: `--view html`, and where there is no anywidget."""

from __future__ import annotations

import math
import subprocess
import sys

import ipywidgets
from ipywidgets.widgets.widget import _instances

from ad_magic import trace
from ad_magic.panel import panel as panel_module
from ad_magic.panel import registry
from ad_magic.panel import static as static_module
from ad_magic.panel.html_page import HtmlPage
from ad_magic.panel.panel import Panel
from ad_magic.panel.showing import show
from ad_magic.report.options import ViewOptions


def f(x, y):
    return math.sqrt(x) * y


def a_panel(displayed, **options):
    """The panel that is shown for f at (4, 3)."""
    result = trace(f, 4.0, 3.0)
    show(result, result.at, options=ViewOptions(live=False, **options))
    ((panel,),) = (panels for _, panels in registry._panels.values())
    assert isinstance(panel.page, HtmlPage)
    return panel


def widgets(root):
    yield root
    for child in getattr(root, "children", ()):
        yield from widgets(child)


def test_there_are_core_widgets_only(displayed):
    panel = a_panel(displayed)
    assert displayed[1] is panel.root
    assert {type(widget)._model_module.default_value for widget in widgets(panel.root)} == {"@jupyter-widgets/controls"}


def test_every_step_is_a_new_report(displayed):
    panel = a_panel(displayed)
    report = panel.page.report
    assert report.value == panel.static.html(trace(f, 4.0, 3.0))
    row = panel.rows[0]
    row.slider.value = row.grid.index(1.0)
    assert row.box.value == 1.0
    assert report.value == panel.static.html(trace(f, 1.0, 3.0))
    panel.rows[1].box.value = 7.5
    assert report.value == panel.static.html(trace(f, 1.0, 7.5))
    assert displayed[-1]["text/html"].endswith(f"{report.value}</div>")  # and the static report
    panel.reset()
    assert report.value == panel.static.html(trace(f, 4.0, 3.0))


def test_what_the_program_raises_stands_in_the_status_line(displayed):
    panel = a_panel(displayed)
    good = panel.page.report.value
    panel.rows[0].box.value = -1.0
    assert "ValueError" in panel.status.value
    assert "ad-trouble" in panel.page.view._dom_classes
    assert panel.page.report.value == good
    panel.rows[0].box.value = 4.0
    assert panel.status.value == ""
    assert "ad-trouble" not in panel.page.view._dom_classes


def test_a_slow_program_follows_when_the_slider_is_let_go(displayed, monkeypatch):
    monkeypatch.setattr(panel_module, "SLOW", 0.0)
    panel = a_panel(displayed)
    panel.rows[0].slider.value += 1
    assert "let go" in panel.status.value
    assert not panel.rows[0].slider.continuous_update


def test_the_static_report_is_hidden_by_a_style_within_the_panel(displayed):
    panel = a_panel(displayed)
    key = panel.static.key
    assert f'<div data-ad-static="{key}">' in displayed[0]["text/html"]
    style = panel.page.style.value
    assert style.startswith(f'<style>[data-ad-static="{key}"], ')
    assert "display: none !important" in style


def test_the_magic_and_its_setting(shell, displayed, capsys):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("%%grad x=2 --view html\nz = x*x")
    assert isinstance(registry_panel().page, HtmlPage)
    registry.close_all()
    shell.run_cell("%config ADMagic.view = 'html'")
    shell.run_cell("%%grad x=2\nz = x*x")
    assert isinstance(registry_panel().page, HtmlPage)
    registry.close_all()
    shell.run_cell("%config ADMagic.view = 'auto'")
    shell.run_cell("%%grad x=2 --view htlm\nz = x*x")
    assert "unknown value 'htlm': did you mean 'html'?" in capsys.readouterr().err


def registry_panel():
    ((panel,),) = (panels for _, panels in registry._panels.values())
    return panel


_WITHOUT = """
import sys
{before}
from ad_magic import trace
from ad_magic.panel import registry, show
from ad_magic.report.options import ViewOptions
result = trace(lambda x: x * x, 3.0)
show(result, result.at, options=ViewOptions(live={live}))
((panel,),) = (panels for _, panels in registry._panels.values())
print(type(panel.page).__name__, "|", panel.status.value, "|", [m for m in sys.modules if m.startswith("anywidget")])
"""


def run(before: str, live: bool) -> list[str]:
    """The panel's kind, its status line, the modules of anywidget, in a new process."""
    program = _WITHOUT.format(before=before, live=live)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return [part.strip() for part in done.stdout.splitlines()[-1].split("|")]


def test_anywidget_is_not_imported():
    assert run("", live=False) == ["HtmlPage", "", "[]"]


def test_where_there_is_no_anywidget_the_panel_is_html_and_says_so():
    kind, status, _ = run("sys.modules['anywidget'] = None", live=True)
    assert kind == "HtmlPage"
    assert "Without anywidget the numbers come from the kernel at each step" in status


def test_closing_leaves_no_widget():
    before = set(_instances)
    result = trace(f, 4.0, 3.0)
    view = ViewOptions(live=False)
    panel = Panel(result, result.at, {}, view, static_module.StaticReport(view))
    assert isinstance(panel.root, ipywidgets.VBox)
    panel.close()
    assert set(_instances) == before
