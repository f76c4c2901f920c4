"""What a panel's buttons do, without a browser: undo, freeze, a point as code, a page; ranges and shared sliders."""

from __future__ import annotations

import math
import shlex

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ipywidgets.widgets.widget import _instances

import ad_magic
from ad_magic import fixed, trace
from ad_magic.panel import registry, showing
from ad_magic.panel import slider as slider_module
from ad_magic.panel import static as static_module
from ad_magic.panel.history import GESTURE, History, Point, RowPoint
from ad_magic.panel.panel import Panel
from ad_magic.panel.static import StaticReport
from ad_magic.points import call_line, expression, magic_line
from ad_magic.report.grid import Grid
from ad_magic.report.options import ViewOptions

pytestmark = pytest.mark.usefixtures("nothing_left")


class Output:
    """An output of a cell."""

    def __init__(self, what):
        self.what = what

    def update(self, bundle, raw):
        self.what = bundle


@pytest.fixture
def outputs(monkeypatch) -> list[Output]:
    """What is displayed, instead of displaying it."""
    found: list[Output] = []

    def display(what, **options):
        found.append(Output(what))
        return found[-1]

    for module in (showing, static_module, slider_module):
        monkeypatch.setattr(module, "display", display)
    return found


def a_panel(f=lambda x, y: x**2 * y, **inputs) -> Panel:
    result = trace(f, **(inputs or {"x": 2.0, "y": 3.0}))
    view = ViewOptions(live=False)
    return Panel(result, result.at, {}, view, StaticReport(view))


def values(panel: Panel) -> list[float]:
    return [row.value for row in panel.rows]


# ---- undo


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    original = History.__init__
    monkeypatch.setattr(History, "__init__", lambda self, start: original(self, start, lambda: now[0]))
    return now


def test_one_gesture_is_one_step(clock):
    panel = a_panel()
    for _ in range(10):
        panel.rows[0].slider.value += 1
        clock[0] += GESTURE / 2
    moved = panel.rows[0].value
    clock[0] += 2 * GESTURE
    panel.rows[0].slider.value += 1
    panel.rows[1].box.value = 7.0  # another slider is another gesture
    panel.toolbar.undo()
    assert values(panel) == [panel.rows[0].value, 3.0]
    panel.toolbar.undo()
    assert values(panel) == [moved, 3.0]
    panel.toolbar.undo()
    assert values(panel) == [2.0, 3.0]
    assert panel.inputs == {"x": 2.0, "y": 3.0}
    assert panel.result.value == 12.0
    assert panel.toolbar.undo_button.disabled
    panel.toolbar.undo()  # nothing happens
    for _ in range(3):
        panel.toolbar.redo()
    assert panel.rows[1].value == 7.0
    assert panel.toolbar.redo_button.disabled


def test_more_than_twenty_steps(clock):
    panel = a_panel()
    for k in range(30):
        clock[0] += 2 * GESTURE
        panel.rows[0].box.value = 1.0 + k / 100
    for _ in range(30):
        panel.toolbar.undo()
    assert values(panel) == [2.0, 3.0]


def test_undo_brings_back_arrays_ranges_and_what_reset_has_undone(clock):
    panel = a_panel(lambda w, x: (w**2).sum() * x, w=np.array([0.5, 2.0]), x=1.0)
    w = panel.inputs["w"]
    panel.rows[1].box.value = 100.0
    wide = panel.rows[1].grid
    panel.reset()
    assert panel.inputs["w"] is w
    panel.toolbar.undo()
    assert panel.inputs["w"].tolist() == [0.5, 100.0]
    assert panel.rows[1].grid == wide
    assert panel.result.value == 0.25 + 100.0**2
    panel.toolbar.undo()
    assert panel.inputs["w"] is w
    assert panel.rows[1].grid == panel.rows[1].start_grid
    assert panel.arrays["w"].now is w


def test_undo_goes_back_to_the_entry_that_was_picked(clock):
    panel = a_panel(lambda w: (w**2).sum(), w=np.arange(24.0))
    (row,) = panel.rows
    row.index.value = "5"
    row.box.value = 50.0
    row.index.value = "7"
    panel.toolbar.undo()
    assert panel.inputs["w"][5] == 5.0
    assert row.name == "w[0]"


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=30))
def test_undo_and_redo_walk_over_the_points(moves):
    def point(k):
        return Point({}, (RowPoint(None, float(k), Grid(0.0, 10.0, 10)),))

    now = [0.0]
    history = History(point(0), lambda: now[0])
    expected, at = [0], 0
    for what, k in moves:
        now[0] += 2 * GESTURE
        if what == 0 and k != expected[at]:
            del expected[at + 1 :]
            expected.append(k)
            at += 1
        if what == 0:
            history.moved(point(k), "x")
        elif what == 1:
            at = max(at - 1, 0)
            history.undo()
        else:
            at = min(at + 1, len(expected) - 1)
            history.redo()
        assert history.now == point(expected[at])


# ---- ranges


def test_an_end_of_the_range_is_typed():
    panel = a_panel()
    x = panel.rows[0]
    x.ends[1].value = "10"
    assert (x.grid.lo, x.grid.hi, x.value) == (0.0, 10.0, 2.0)
    assert x.slider.max == x.grid.steps
    assert x.grid.value(x.slider.value) == 2.0
    x.ends[0].value = "−5"  # as we write it ourselves
    assert x.grid.lo == -5.0
    x.ends[0].value = "4"  # the value goes along
    assert (x.value, panel.inputs["x"], panel.result.value) == (4.0, 4.0, 48.0)
    panel.toolbar.undo()
    assert (x.value, x.grid.lo, x.ends[0].value) == (2.0, -5.0, "−5")


@pytest.mark.parametrize(("which", "text"), [(0, "x"), (0, ""), (0, "4"), (0, "nan"), (1, "-1"), (1, "inf")])
def test_an_end_that_is_none_is_refused(which, text):
    panel = a_panel()
    x = panel.rows[0]
    x.ends[which].value = text
    assert (x.grid.lo, x.grid.hi) == (0.0, 4.0)
    assert [end.value for end in x.ends] == ["0", "4"]
    assert "must be" in panel.status.value


def test_a_range_with_a_step_of_its_own_keeps_it():
    result = trace(lambda x: x, 2.0)
    view = ViewOptions(live=False)
    panel = Panel(result, result.at, {"x": (0.0, 4.0, 1.0)}, view, StaticReport(view))
    panel.rows[0].ends[1].value = "20"
    assert panel.rows[0].grid == Grid(0.0, 20.0, 20)


def test_an_end_is_shown_short_and_kept_exactly():
    result = trace(lambda x: x, 2.0)
    view = ViewOptions(live=False)
    panel = Panel(result, result.at, {"x": (-math.pi, math.pi)}, view, StaticReport(view))
    x = panel.rows[0]
    assert [end.value for end in x.ends] == ["−3.14159", "3.14159"]
    x.ends[1].value = "5"
    assert x.grid.lo == -math.pi


# ---- freeze


def test_freeze_leaves_the_report_of_the_point(outputs):
    before = len(_instances)
    result = trace(lambda x: x**2, 2.0)
    showing.show(result, result.at, options=ViewOptions(live=False))
    static, live = outputs
    (panel,) = [p for _, panels in registry._panels.values() for p in panels]
    panel.rows[0].box.value = 5.0
    panel.toolbar.freeze()
    assert "25" in static.what["text/plain"]
    assert live.what == {"text/html": "<span></span>", "text/plain": ""}
    assert len(_instances) == before
    assert registry.count() == 0


def test_freeze_where_the_program_raises_leaves_the_last_good_report(outputs):
    result = trace(lambda x: math.sqrt(x), 4.0)
    showing.show(result, result.at, options=ViewOptions(live=False))
    (panel,) = [p for _, panels in registry._panels.values() for p in panels]
    panel.rows[0].box.value = -1.0
    panel.toolbar.freeze()
    assert "f = 2 " in outputs[0].what["text/plain"]


def test_ad_freeze(shell, outputs, capsys):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("%ad freeze")  # nothing is there: nothing happens
    for cell in ("%%grad x=2 --view html\ny = x**2", "%%grad x=3 --view html\ny = x**3"):
        assert shell.run_cell(cell).success
    assert registry.count() == 2
    assert shell.run_cell("%ad freeze").success
    assert registry.count() == 0
    assert [output.what.get("text/plain") == "" for output in outputs] == [False, True, False, True]
    capsys.readouterr()
    shell.run_cell("%ad freze")
    assert "UsageError: %ad: unknown word 'freze': did you mean 'freeze'?" in "".join(capsys.readouterr())
    shell.run_cell("%ad")
    assert "UsageError: %ad: write %ad freeze" in "".join(capsys.readouterr())
    shell.run_line_magic("unload_ext", "ad_magic")
    assert shell.find_line_magic("ad") is None


# ---- copy as code


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_reads_back_exactly(x):
    again = eval(expression(x, {}))
    assert float(again).hex() == x.hex() or (math.isnan(x) and math.isnan(again))


def test_an_array_reads_back_exactly_under_the_users_name_for_numpy():
    w = np.array([[0.1, -2.0], [1e-300, 3.0]])
    text = expression(w, {"nump": np})
    assert text.startswith("nump.array(")
    assert np.array_equal(eval(text, {"nump": np}), w)
    with pytest.raises(ValueError, match="10,000 numbers are too many"):
        expression(np.zeros(10_000), {})


CELL = "z = (w**2).sum() * x * y"


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2))
def test_the_line_of_a_magic_reads_back(x, y, w):
    line = magic_line(
        "grad",
        ["--mode", "reverse", "--out", "r"],
        {},
        {},
        {"x": x, "y": y, "w": np.array(w)},
        {"x": (-1.5, 4.0, None), "w[0]": (0.0, 1.0, 0.1)},
        {"np": np},
    )
    assert line.startswith("%%grad ")
    words = shlex.split(line.removeprefix("%%grad "))
    assert words[3:] == ["--range", "x=-1.5:4", "--range", "w[0]=0:1:0.1", "--mode", "reverse", "--out", "r"]
    found = [eval(word.partition("=")[2], {"np": np}) for word in words[:3]]
    assert found[:2] == [x, y]
    assert found[2].tolist() == w


def test_copy_as_code_is_the_line_that_begins_at_the_point(shell, outputs):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import numpy as np\nw = np.array([1.0, 2.0])\ny = 3.0")
    assert shell.run_cell(f"%%grad x=2 y w --view html --mode reverse --range x=0:8\n{CELL}").success
    (panel,) = [p for _, panels in registry._panels.values() for p in panels]
    lines = []
    panel.page.hand = lambda message: lines.append(message["text"]) or True
    panel.rows[0].box.value = 0.1
    panel.toolbar.copy()
    assert lines == ["%%grad x=0.1 y=3 w --range x=0:8 --mode reverse --view html"]
    assert "%%grad x=0.1" in panel.status.value
    panel.rows[2].box.value = 1 / 3
    panel.rows[1].ends[1].value = "10"
    panel.toolbar.copy()
    assert shell.run_cell(f"{lines[-1]} -q -o again\n{CELL}").success
    again = shell.user_ns["again"]
    assert again.value == panel.result.value
    assert again.inputs["w"].tolist() == [1 / 3, 2.0]
    assert "--range y=0:10" in lines[-1]


def power(x, n, g, label="a"):
    return g(x) ** n


def test_copy_as_code_of_a_call(outputs):
    line = call_line("power", {"n": 3, "g": math.exp}, {"show": "curves"}, {"x": 0.1}, {"x": (0.0, 1.0, 0.5)}, {})
    assert line == "explore(power, x=0.1, n=fixed(3), g=math.exp, ranges={'x': (0, 1, 0.5)}, show='curves')"
    seen = []

    def explore(f, **how):
        seen.append((f, how))

    eval(line, {"explore": explore, "power": power, "fixed": fixed, "math": math})
    assert seen[0][0] is power
    assert seen[0][1]["n"].value == 3
    assert seen[0][1]["ranges"] == {"x": (0, 1, 0.5)}


# ---- save page


def test_save_page_without_a_browser_writes_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = a_panel()
    panel.rows[0].box.value = 1.0
    panel.toolbar.save()
    panel.toolbar.save()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f-2.html", "f.html"]
    assert "f.html" in panel.status.value or "f-2.html" in panel.status.value
    assert 'data-ad-grad="x"' in (tmp_path / "f.html").read_text(encoding="utf-8")


# ---- sliders that are shared


def test_one_slider_moves_all_its_panels(outputs):
    s = ad_magic.slider("x", 0, 4, value=2)
    panels = []
    for f in (lambda x: x**2, lambda x, y: x * y):
        inputs = {"x": 2.0} if not panels else {"x": 2.0, "y": 3.0}
        result = trace(f, **inputs)
        view = ViewOptions(live=False)
        panels.append(Panel(result, result.at, {}, view, StaticReport(view), {"x": s}))
    first, second = panels
    assert first.rows[0].slider is second.rows[0].slider
    first.rows[0].slider.value = s.grid.index(3.0)
    assert [p.result.value for p in panels] == [9.0, 9.0]
    assert float(s) == 3.0
    s.value = math.pi
    assert [p.inputs["x"] for p in panels] == [math.pi, math.pi]
    second.rows[0].ends[1].value = "8"
    assert first.rows[0].grid.hi == 8.0
    assert first.rows[0].ends[1].value == "8"
    second.toolbar.undo()
    assert first.rows[0].grid.hi == 4.0
    second.toolbar.undo()
    assert first.inputs["x"] == 3.0
    first.reset()
    assert second.inputs["x"] == 2.0
    first.close()
    second.rows[0].slider.value = s.grid.index(1.0)  # it lives on
    assert second.result.value == 3.0
    assert first.inputs["x"] == 2.0


def test_a_slider_is_closed_when_its_cell_runs_again_and_no_panel_shows_it(outputs):
    before = len(_instances)
    s = ad_magic.slider("x", 0, 4)
    s._ipython_display_()
    result = trace(lambda x: x**2, 2.0)
    view = ViewOptions(live=False)
    panel = Panel(result, result.at, {}, view, StaticReport(view), {"x": s})
    registry.forget(s)
    s.close()
    panel.rows[0].slider.value += 1  # a panel still has it
    assert panel.result.value == 2.02**2
    panel.close()
    assert len(_instances) == before


def test_a_cell_sees_the_value_of_a_slider(shell, outputs):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import ad_magic\nx = ad_magic.slider('x', 0, 1, value=0.25)\ns = x")
    for line in ("%%grad x", "%%grad", "%%grad x=s"):
        assert shell.run_cell(f"{line} --view html -o r\nkind = type(x).__name__; y = x**2").success
        assert shell.user_ns["kind"] == "float"
        assert shell.user_ns["r"].grad == {"x": 0.5}
        assert shell.user_ns["x"] is shell.user_ns["s"] or line == "%%grad x=s"
        panel = [p for _, panels in registry._panels.values() for p in panels][-1]
        assert panel.rows[0].slider is shell.user_ns["s"].dial.slider
        assert (panel.rows[0].grid.lo, panel.rows[0].grid.hi) == (0.0, 1.0)
    assert shell.run_cell("%%grad x=0.5 -q -o r\ny = x**2").success
    assert shell.user_ns["r"].grad == {"x": 1.0}
    shell.run_cell("%%grad x=s -q\nx = 2 * x")
    assert shell.user_ns["x"] == 0.5  # what the cell assigns stays


def test_explore_with_a_slider(shell, outputs):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("from ad_magic import explore, slider\ns = slider('k', 0, 4, value=1.5)\ndef f(x, k): return k * x")
    assert shell.run_cell("explore(f, x=2, k=s, view='html')").success
    (panel,) = [p for _, panels in registry._panels.values() for p in panels if isinstance(p, Panel)]
    assert panel.result.value == 3.0
    shell.user_ns["s"].value = 2.0
    assert panel.result.value == 4.0


@pytest.mark.parametrize(
    "wrong",
    [{"lo": 1, "hi": 0}, {"lo": 0}, {"lo": 0, "hi": math.inf}, {"lo": 0, "hi": 1, "step": 0}, {"value": math.nan}],
)
def test_a_slider_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="slider 'x'"):
        ad_magic.slider("x", **wrong)


# ---- the saved notebook

NOTEBOOK = """%load_ext ad_magic
import math"""


def test_a_saved_notebook_shows_tables_in_html_and_markdown(tmp_path):
    """A panel as it is saved with its static report, a frozen one, and explore: converted without a kernel."""
    import nbclient
    import nbformat
    from nbconvert import HTMLExporter, MarkdownExporter
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [
        NOTEBOOK,
        "%%grad x=2 y=3\nz = (x + 2*y)**2 * math.sin(x*y)",
        "from ad_magic import explore\ndef f(u): return u**3\nexplore(f, u=2.0)",
    ]
    notebook = new_notebook(cells=[new_code_cell(c) for c in [*cells, "%ad freeze"]])
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", store_widget_state=False)
    client.execute(cwd=str(tmp_path))
    nbformat.validate(notebook)
    kinds = [kind for cell in notebook.cells for output in cell.outputs for kind in output.get("data", {})]
    assert "application/vnd.jupyter.widget-view+json" not in kinds
    html, _ = HTMLExporter().from_notebook_node(notebook)
    assert "179.882" in html
    assert 'data-ad-grad="u"' in html
    markdown, _ = MarkdownExporter().from_notebook_node(notebook)
    assert "179.882" in markdown


@pytest.mark.parametrize(("start", "to"), [(2.0, 10.0), (10.0, 2.0), (10.0, 0.0)])
def test_a_slider_is_never_told_a_place_beyond_the_range_that_the_page_knows(monkeypatch, start, to):
    """What several traits of one message are applied in is no order to count on."""
    panel = a_panel()
    row = panel.rows[0]
    row.box.value = start
    page = {"max": row.slider.max, "value": row.slider.value}
    messages = []

    def send_state(self, key=None):
        if self is row.slider:
            messages.append({name: getattr(self, name) for name in ([key] if isinstance(key, str) else key)})

    monkeypatch.setattr(type(row.slider), "send_state", send_state)
    row.put(to, row.start_grid if to <= 4 else None)
    assert messages
    for message in messages:
        assert len(message) == 1
        page.update(message)
        assert page["value"] <= page["max"]
    assert page == {"max": row.grid.steps, "value": row.grid.index(to)}


def test_what_a_page_tells_late_of_a_box_does_not_take_back_an_undo():
    panel = a_panel()
    row = panel.rows[0]
    row.paired = True  # the page keeps slider and box together, and tells of the box when the slider rests
    row.slider.value = row.grid.index(3.0)
    assert row.box.value == 2.0
    panel.toolbar.undo()
    row.box.value = 3.0  # on its way when the button was pressed
    assert (row.value, row.box.value, panel.inputs["x"]) == (2.0, 2.0, 2.0)
    row.box.value = 3.0  # typed
    assert (row.value, panel.inputs["x"]) == (3.0, 3.0)
