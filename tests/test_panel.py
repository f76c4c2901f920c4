"""The panel without a browser: which values its sliders take, what an event does, what is left when it is closed."""

from __future__ import annotations

import asyncio
import linecache
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from ipywidgets import HTML, Button, FloatText, IntSlider
from ipywidgets.widgets.widget import _instances

from ad_magic import trace
from ad_magic.panel import panel as panel_module
from ad_magic.panel import registry
from ad_magic.panel import showing as showing_module
from ad_magic.panel import static as static_module
from ad_magic.panel.panel import Panel
from ad_magic.panel.showing import show
from ad_magic.panel.static import StaticReport
from ad_magic.panel.trouble import describe, line_in
from ad_magic.panel.view import View
from ad_magic.report.grid import Grid, around, round_down, widen
from ad_magic.report.grid import given as given_range
from ad_magic.report.options import ViewOptions
from ad_magic.report.result import Result
from ad_magic.report.row import Source

# ------------------------------------------------------------------------------------------------------ stand-ins


def product(inputs: dict[str, Any]) -> Result:
    """The program of these tests: the product of its scalar inputs, at some values of them."""
    return traced(inputs, " * ".join(name for name, value in inputs.items() if isinstance(value, float)))


def total(inputs: dict[str, Any]) -> Result:
    """Another: the sum of all entries of all inputs."""
    return traced(inputs, " + ".join(f"np.sum({name})" for name in inputs))


def traced(inputs: dict[str, Any], text: str) -> Result:
    """The Result of an expression in its inputs."""
    return trace(eval(f"lambda {', '.join(inputs)}: {text}", {"np": np, "math": math}), *inputs.values())


class Steps:
    """How a panel gets a Result at other inputs, and what was asked for. `fails` is raised instead, if given."""

    def __init__(self, first: Result) -> None:
        self.first = first
        self.seen: list[dict[str, Any]] = []
        self.fails: BaseException | None = None

    def __call__(self, inputs: dict[str, Any]) -> Result:
        self.seen.append(inputs)
        if self.fails:
            raise self.fails
        return self.first.at(inputs)


def a_panel(result: Result | None = None, ranges=None, options=None, **inputs: Any) -> Panel:
    """A panel whose program is run for each step: nothing is replayed unseen. `panel.steps` is what runs it."""
    result = result or product(inputs or {"x": 2.0, "y": 3.0})
    view = options or ViewOptions()
    steps = Steps(result)
    panel = Panel(result, steps, ranges or {}, view, StaticReport(view))
    panel.paths.at = steps
    panel.steps = steps
    return panel


def value_of(panel: Panel) -> float:
    """What the panel shows."""
    return panel.result.value


pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def shown(monkeypatch) -> list:
    """What is displayed, instead of displaying it; updates of a display count as well."""
    outputs: list = []

    class Handle:
        def update(self, bundle, raw):
            outputs.append(("update", bundle))

    def display(what, **options):
        outputs.append(("display", what))
        return Handle()

    monkeypatch.setattr(showing_module, "display", display)
    monkeypatch.setattr(static_module, "display", display)
    return outputs


def html_of(shown: list) -> str:
    """The static report as it stands now."""
    return [bundle["text/html"] for _, bundle in shown if isinstance(bundle, dict)][-1]


# ---------------------------------------------------------------------------------------------------------- grids

numbers = st.floats(allow_nan=False, min_value=-1e300, max_value=1e300)


@given(numbers)
@example(1e-8)
@example(1e8)
@example(0.0)
@example(5e-324)
@example(math.pi)
def test_a_range_of_our_own_holds_the_value_and_goes_both_ways(value):
    grid = around(value)
    assert grid.lo < value < grid.hi
    assert 100 <= grid.steps <= 600
    assert 0 < grid.index(value) < grid.steps


@pytest.mark.parametrize(
    ("value", "grid"),
    [
        (2.0, Grid(0.0, 4.0, 200)),
        (3.0, Grid(0.0, 6.0, 300)),
        (0.0, Grid(-1.0, 1.0, 200)),
        (0.5, Grid(-0.6, 1.6, 220)),
        (-2.0, Grid(-4.0, 0.0, 200)),
        (math.pi, Grid(0.0, 6.5, 325)),
        (1e-8, Grid(0.0, 2e-8, 200)),
        (1e8, Grid(0.0, 2e8, 200)),
        (math.inf, Grid(-1.0, 1.0, 200)),
        (math.nan, Grid(-1.0, 1.0, 200)),
    ],
)
def test_ranges_are_round(value, grid):
    assert around(value) == grid


@given(numbers, numbers, st.integers(1, 1000), st.data())
def test_every_step_is_found_again(lo, hi, steps, data):
    assume(hi - lo > 1e-6 * max(abs(lo), abs(hi), 1e-290))
    grid = Grid(lo, hi, steps)
    index = data.draw(st.integers(0, steps))
    assert grid.index(grid.value(index)) == index
    assert (grid.value(0), grid.value(steps)) == (lo, hi)


def test_steps_have_no_dust():
    assert [Grid(0.0, 1.0, 10).value(k) for k in range(11)] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert Grid(0.0, 2e-8, 200).value(101) == 1.01e-8
    assert Grid(-1.4, 2.6, 200).value(105) == 0.7


def test_a_range_of_the_user():
    assert given_range((0, 4, 0.1)) == Grid(0.0, 4.0, 40)
    assert given_range((0, 4)) == Grid(0.0, 4.0, 200)
    assert given_range((0, 4, None)) == Grid(0.0, 4.0, 200)
    assert given_range((-math.pi, math.pi)) == Grid(-math.pi, math.pi, 200)
    assert given_range((4, 0)) == Grid(0.0, 4.0, 200)
    assert given_range((1, 1)).holds(1)


@given(numbers, numbers)
def test_a_wider_range_holds_the_value_and_keeps_the_other_end(start, value):
    grid = around(start)
    wider = widen(grid, value)
    assert wider.holds(value)
    assert wider.lo == grid.lo or wider.hi == grid.hi
    assert 1 <= wider.steps <= 1000


def test_a_wider_range_keeps_its_step_where_it_can():
    assert widen(Grid(0.0, 10.0, 10), 12.0) == Grid(0.0, 12.0, 12)
    assert widen(Grid(0.0, 10.0, 10), 1e6).steps == 200


def test_round_down():
    assert [round_down(x) for x in (0.03, 0.02, 5, 7.3, 1e-9, 0, math.inf)] == [0.02, 0.02, 5, 5, 1e-9, 0, 0]


# ------------------------------------------------------------------------------------------------------- following


def test_the_report_is_shown_as_it_was_asked_for_over_the_ranges_of_the_sliders(monkeypatch, shown):
    asked = []
    monkeypatch.setattr(Result, "to_html", lambda self, **how: asked.append(how) or "")
    show(product({"x": 2.0}), product, ranges={"x": (0, 4)}, options=ViewOptions(show="curves"))
    assert asked == [{"digits": 6, "max_rows": 60, "show": "curves", "ranges": {"x": (0, 4)}}]


def test_slider_box_and_report_follow_each_other():
    panel = a_panel()
    x, _ = panel.rows
    x.slider.value = x.grid.index(2.5)
    assert x.box.value == 2.5
    assert value_of(panel) == 7.5
    x.box.value = 1.5
    assert x.slider.value == x.grid.index(1.5)
    assert value_of(panel) == 4.5


def test_showing_a_panel_changes_nothing():
    panel = a_panel(x=math.pi, y=1e-8)
    assert [row.value for row in panel.rows] == [math.pi, 1e-8]
    assert [row.box.value for row in panel.rows] == [math.pi, 1e-8]
    assert panel.steps.seen == []


def test_an_input_that_is_not_moved_keeps_its_exact_value():
    panel = a_panel(x=math.pi, y=3.0)
    panel.rows[1].slider.value += 1
    assert panel.steps.seen == [{"x": math.pi, "y": 3.02}]


def test_one_event_is_one_evaluation():
    panel = a_panel()
    panel.rows[0].slider.value += 1
    panel.rows[0].box.value = 99.0  # also where the range grows with it
    panel.put({"x": 1.0, "y": 2.0})
    assert len(panel.steps.seen) == 3


def test_a_number_outside_the_range_widens_it():
    panel = a_panel()
    x = panel.rows[0]
    x.box.value = 10.0
    assert (x.grid.lo, x.grid.hi) == (0.0, 10.0)
    assert x.slider.max == x.slider.value == x.grid.steps
    assert panel.page.view.inputs[0]["hi"] == 10.0
    x.slider.value = 0
    assert x.box.value == 0.0


def test_the_users_range_counts():
    panel = a_panel(ranges={"x": (0, 1, 0.25)}, x=0.5, y=1.0)
    assert panel.rows[0].grid == Grid(0.0, 1.0, 4)
    assert a_panel(ranges={"x": (0, 1)}, x=2.0).rows[0].grid.holds(2.0)


def test_reset():
    panel = a_panel(x=math.pi, y=3.0)
    first = panel.result.to_html()
    panel.rows[0].box.value = 100.0
    panel.rows[1].slider.value = 0
    assert panel.result.to_html() != first
    panel.reset_button.click()
    assert [row.value for row in panel.rows] == [math.pi, 3.0]
    assert [row.grid for row in panel.rows] == [row.start_grid for row in panel.rows]
    assert panel.result.to_html() == first


def test_without_an_input_that_moves_there_is_no_panel(shown):
    result = product({"x": 2.0})
    result.inputs = {"x": "no number"}
    show(result, product)
    assert len(shown) == 1
    assert registry.count() == 0


# --------------------------------------------------------------------------------------------------------- arrays


def names_of(panel: Panel) -> list[str]:
    return [row.name for row in panel.rows]


def test_a_small_array_has_a_slider_for_each_entry():
    w, m = np.array([0.1, 2.0]), np.array([[1.0, 0.0], [0.5, -3.0]])
    panel = a_panel(total({"x": 2.0, "w": w, "m": m}))
    seen, w, m = panel.steps.seen, panel.inputs["w"], panel.inputs["m"]
    assert names_of(panel) == ["x", "w[0]", "w[1]", "m[0, 0]", "m[0, 1]", "m[1, 0]", "m[1, 1]"]
    assert [entry["name"] for entry in panel.page.view.inputs] == names_of(panel)
    panel.rows[0].slider.value += 1
    assert seen[0]["w"] is w  # what has not moved is what it was
    panel.rows[2].box.value = 7.0
    assert seen[1]["w"].tolist() == [0.1, 7.0]
    assert w.tolist() == [0.1, 2.0]
    panel.rows[6].box.value = 4.0
    assert seen[2]["m"].tolist() == [[1.0, 0.0], [0.5, 4.0]]
    assert seen[2]["w"].tolist() == [0.1, 7.0]
    assert seen[1]["m"] is m
    panel.reset_button.click()
    assert seen[3]["w"] is w
    assert seen[3]["m"] is m
    assert [row.value for row in panel.rows] == [2.0, 0.1, 2.0, 1.0, 0.0, 0.5, -3.0]


def test_of_a_larger_array_one_entry_is_picked_and_moved():
    w = np.arange(24.0).reshape(2, 3, 4)
    panel = a_panel(total({"w": w}))
    seen, w = panel.steps.seen, panel.inputs["w"]
    (row,) = panel.rows
    assert (row.name, row.value, row.index.value) == ("w[0, 0, 0]", 0.0, "0, 0, 0")
    row.index.value = "1,2, 3"
    assert (row.name, row.value, row.index.value) == ("w[1, 2, 3]", 23.0, "1, 2, 3")
    assert panel.page.view.inputs[0]["name"] == "w[1, 2, 3]"
    assert seen == []  # to pick is not to move
    row.box.value = 100.0
    row.index.value = "[0, -1, 0]"
    assert (row.name, row.value) == ("w[0, 2, 0]", 8.0)
    row.slider.value = row.grid.steps
    expected = w.copy()
    expected[1, 2, 3], expected[0, 2, 0] = 100.0, row.grid.hi
    assert np.array_equal(seen[-1]["w"], expected)
    row.index.value = "1, 2, 3"
    assert (row.value, row.grid.hi) == (100.0, 100.0)  # its longer range is kept
    panel.reset_button.click()
    assert seen[-1]["w"] is w
    assert (row.name, row.value) == ("w[1, 2, 3]", 23.0)


@pytest.mark.parametrize("text", ["", "5", "0, 8", "2, 0", "x", "0, 0, 0", "0.5, 1"])
def test_an_index_that_is_none_is_refused_in_words(text):
    panel = a_panel(total({"w": np.zeros((2, 8))}))
    (row,) = panel.rows
    row.index.value = "1, 7"
    row.index.value = text
    assert (row.index.value, row.name) == ("1, 7", "w[1, 7]")
    assert "[0, 0] to [1, 7]" in panel.status.value


def test_ranges_of_entries_follow_the_array():
    panel = a_panel(total({"w": np.array([100.0, 0.5, 0.0]), "z": np.zeros(3), "t": np.array([1e-3, 2e-3])}))
    grids = {row.name: row.grid for row in panel.rows}
    assert grids["w[2]"].lo < -50 < 50 < grids["w[2]"].hi
    assert (grids["z[0]"].lo, grids["z[0]"].hi) == (-1.0, 1.0)
    assert grids["t[0]"].hi < 0.01
    assert all(row.grid.holds(row.value) for row in panel.rows)
    assert a_panel(total({"w": np.array([math.nan, math.inf, 1.0])})).rows[2].grid == around(1.0)


def test_a_range_for_all_entries_and_one_for_a_single_entry():
    ranges = {"w": (0, 1), "w[1]": (-5, 5), "m[1,2]": (0, 9)}
    panel = a_panel(total({"w": np.array([0.5, 0.5, 0.25]), "m": np.zeros((2, 4))}), ranges=ranges)
    *entries, picked = panel.rows
    assert [(row.grid.lo, row.grid.hi) for row in entries] == [(0, 1), (-5, 5), (0, 1)]
    assert picked.name == "m[1, 2]"  # the one that was spoken of comes first
    assert (picked.grid.lo, picked.grid.hi) == (0, 9)
    picked.index.value = "0, 0"
    assert (picked.grid.lo, picked.grid.hi) == (-1, 1)


def test_an_entry_keeps_its_exact_value_until_it_moves():
    panel = a_panel(total({"w": np.array([math.pi, 1 / 3])}))
    panel.rows[0].slider.value += 1
    assert panel.steps.seen[0]["w"][1] == 1 / 3
    assert panel.rows[1].box.value == 1 / 3


def test_many_small_arrays_have_one_slider_each():
    panel = a_panel(total(dict(**{name: np.zeros(6) for name in "abcdefg"})))
    assert [row.name for row in panel.rows] == [f"{name}[0]" for name in "abcdefg"]


def test_an_array_of_many_entries_costs_no_widgets_and_no_time():
    before = len(_instances)
    a_panel(total({"w": np.zeros((128, 128))}))
    assert len(_instances) - before < 60


def test_closing_a_panel_of_arrays_leaves_no_widget():
    before = len(_instances)
    panel = a_panel(total({"x": 1.0, "w": np.zeros(3), "m": np.zeros((4, 4))}))
    panel.close()
    assert len(_instances) == before


# ---- arrays in real cells

IN_PLACE = """%%grad k=0.2 u=np.array([0.0,1.0,3.0,1.0,0.5]) -q -o r
v = u.copy()
for _ in range(3):
    v[1:-1] += k * (v[2:] - 2 * v[1:-1] + v[:-2])
e = np.sum(v**2)"""
MASKED = """%%grad w=np.array([1.0,-2.0,3.0]) -q -o r
p = w[w > 0]
e = np.sum(p**2)"""
REPLAYED = """%%grad W=np.array([[1.0,2.0],[0.5,-1.0]]) b=np.array([0.1,-0.2]) -q -o r
e = np.sum(np.tanh(W @ b + b)**2)"""


@pytest.mark.parametrize("cell", [IN_PLACE, MASKED, REPLAYED], ids=["in place", "mask", "replayed"])
def test_moving_an_entry_is_a_fresh_run(shell, shown, cell):
    """Value, gradient and the report are those of the cell run anew at the moved array."""
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import numpy as np")
    assert shell.run_cell(cell).success
    result = shell.user_ns["r"]
    show(result, result.at)
    root = shown[-1][1]
    name = next(name for name, value in result.inputs.items() if hasattr(value, "shape"))
    rows = [row for row in root.children[0].children if row.children[0].value.startswith(f"{name}[")]
    for place, x in ((1, 0.75), (0, -1.25), (1, -0.5)):  # the second and the third change which entries are positive
        rows[place].children[-1].value = x
    moved = result.inputs[name].copy()
    moved.flat[1], moved.flat[0] = -0.5, -1.25
    again = result.again.rerun(result.run, {**result.inputs, name: moved})
    fresh = type(result)(again, result.again)
    assert fresh.to_html() in html_of(shown)
    at = result.at({**result.inputs, name: moved})
    assert at.value == pytest.approx(fresh.value, rel=1e-14)
    for x, gradient in fresh.grad.items():
        assert np.allclose(at.grad[x], gradient, rtol=1e-13, atol=1e-15)
    step = 1e-6
    bumped = moved.copy()
    bumped.flat[-1] += step
    slope = (result.at({name: bumped}).value - at.value) / step
    assert np.ravel(at.grad[name])[-1] == pytest.approx(slope, rel=1e-4, abs=1e-4)


def test_moving_an_entry_changes_value_and_strips(shell, shown):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import numpy as np")
    shell.run_cell("%%grad w=np.linspace(-1,1,12) -q -o r\ne = np.sum(np.sin(w)**2)")
    result = shell.user_ns["r"]
    show(result, result.at)
    row = shown[-1][1].children[0].children[0]

    def parts():
        html = html_of(shown)
        return re.findall(r'<svg class="ad-strip".*?</svg>', html), re.search(r"ad-value.>[^<]*", html)[0]

    strips, value = parts()
    row.children[-1].value = 3.0
    strips_after, value_after = parts()
    assert value_after != value
    assert len(strips) == len(strips_after)
    assert sum(a != b for a, b in zip(strips, strips_after, strict=True)) >= 3  # input, adjoints, gradient


def test_ranges_of_entries_are_understood_by_the_magic(shell, shown, capsys):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import numpy as np\nw = np.array([0.5, 0.25])\nM = np.eye(4)")
    shell.run_cell(
        '%%grad w M --view panel --range "w[1]=0:2" --range w=-1:1 --range "M[2, 3]=-9:9"\ne = (M[:2, :2] @ w).sum()'
    )
    inputs = shown[-1][1].children[-1].inputs
    assert [(i["name"], i["lo"], i["hi"]) for i in inputs] == [("w[0]", -1, 1), ("w[1]", 0, 2), ("M[2, 3]", -9, 9)]
    capsys.readouterr()
    for target in ("w[2]", "w[0, 0]", "w[x]", "w[]", "v[0]"):
        assert shell.run_cell(f'%%grad w --range "{target}=0:1"\ne = w.sum()').error_in_exec is not None
        assert "--range" in "".join(capsys.readouterr())


def test_what_the_program_prints_does_not_get_under_another_cell(capsys, shown):
    panel = a_panel()
    panel.paths.at = lambda inputs: print("x =", inputs["x"]) or product(inputs)
    panel.rows[0].box.value = 1.0
    assert capsys.readouterr().out == ""


# ----------------------------------------------------------------------------------------------------- trouble, pace

CELL = "%%grad x=2\ny = x - 1\nz = sqrt(y)\n"


def test_an_error_stands_in_the_status_line_and_the_last_good_result_stays():
    panel = a_panel(traced({"x": 2.0}, "math.sqrt(x)"))
    panel.rows[0].box.value = 4.0
    panel.rows[0].box.value = -1.0
    assert "<b>ValueError</b>: " in panel.status.value
    assert value_of(panel) == 2.0
    panel.rows[0].box.value = 9.0
    assert panel.status.value == ""
    assert value_of(panel) == 3.0


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), ZeroDivisionError("<b>"), RecursionError()])
def test_no_error_gets_out_of_an_event(error):
    panel = a_panel()
    panel.steps.fails = error
    panel.rows[0].slider.value += 1
    assert panel.status.value != ""
    assert "<b></b>" not in panel.status.value
    assert "<b><b>" not in panel.status.value


def test_an_error_names_the_line_of_the_cell():
    """Lines count as in a traceback: the magic's line is the first, and the file is what IPython compiles."""
    name = "a-cell-of-the-tests"
    text = "\n" + CELL.partition("\n")[2]
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    with pytest.raises(ValueError) as raised:
        exec(compile(text, name, "exec"), {"x": 0.0, "sqrt": math.sqrt})
    cell = Source("this cell", tuple(CELL.splitlines()))
    assert line_in(raised.value, cell) == 3
    assert describe(raised.value, cell).endswith("(line 3: <code>z = sqrt(y)</code>)")
    assert line_in(raised.value, None) is None


def test_a_long_message_is_cut():
    assert len(describe(ValueError("x" * 10_000), None)) < 300


def test_a_slow_program_follows_when_the_slider_is_let_go(monkeypatch):
    panel = a_panel()
    slider = panel.rows[0].slider
    assert slider.continuous_update
    monkeypatch.setattr(panel_module, "SLOW", 0.0)
    slider.value += 1
    assert not any(row.slider.continuous_update for row in panel.rows)
    assert "let go" in panel.status.value
    monkeypatch.setattr(panel_module, "SLOW", math.inf)
    slider.value += 1
    assert slider.continuous_update
    assert panel.status.value == ""


def test_continuous_update_can_be_off_from_the_start():
    panel = a_panel(options=ViewOptions(continuous_update=False))
    panel.rows[0].slider.value += 1
    assert not panel.rows[0].slider.continuous_update


# ------------------------------------------------------------------------------------------------ outputs, closing


def test_the_static_report_is_an_output_of_its_own(shown):
    show(product({"x": 2.0}), product, options=ViewOptions(digits=3, show="graph"))
    (_, static), (_, root) = shown
    how = {"digits": 3, "show": "graph"}
    key = root.children[-1].key
    assert static["text/html"] == f'<div data-ad-static="{key}">{product({"x": 2.0}).to_html(**how)}</div>'
    assert static["text/plain"] == product({"x": 2.0}).to_text(**how)
    assert "ad-panel" in root._dom_classes
    bundle = root._repr_mimebundle_()
    assert bundle["text/html"] == "<span></span>"
    assert bundle["text/plain"] == ""
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_every_execution_has_a_key_of_its_own(shown):
    show(product({"x": 2.0}), product)
    show(product({"x": 2.0}), product)
    assert shown[0][1]["text/html"] != shown[2][1]["text/html"]


def test_the_static_report_is_updated_once_for_a_gesture(shown, monkeypatch):
    monkeypatch.setattr(panel_module, "REST", 0.01)

    async def gesture():
        first = product({"x": 2.0})
        show(first, first.at)
        root = shown[1][1]
        slider = root.children[0].children[0].children[2]
        for _ in range(10):
            slider.value += 1
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)

    asyncio.run(gesture())
    updates = [bundle for kind, bundle in shown if kind == "update"]
    assert [bundle["text/plain"].splitlines()[0].split()[2] for bundle in updates] == ["2.2"]


def test_a_failed_run_does_not_touch_the_static_report(shown):
    root = traced({"x": 2.0}, "math.sqrt(x)")
    show(root, root.at)
    shown[1][1].children[0].children[0].children[-1].value = -1.0
    assert not [kind for kind, _ in shown if kind == "update"]


def test_a_panel_whose_cell_is_gone_is_closed(shown):
    before = set(_instances)
    result = product({"x": 2.0, "y": 3.0})
    show(result, result.at)
    ((panel,),) = (panels for _, panels in registry._panels.values())
    panel._asked({"ask": "gone"})
    assert registry.count() == 0
    assert set(_instances) == before


def test_closing_leaves_no_widget():
    before = len(_instances)
    panel = a_panel()
    assert len(_instances) > before
    panel.close()
    assert len(_instances) == before


def test_a_panel_has_sliders_boxes_one_view_and_buttons():
    panel = a_panel()
    found = []

    def walk(widget):
        found.append(type(widget))
        for child in getattr(widget, "children", ()):
            walk(child)

    walk(panel.root)
    assert [found.count(kind) for kind in (IntSlider, FloatText, Button)] == [2, 2, 6]
    assert found.count(HTML) == 1  # the status line
    assert sum(issubclass(kind, View) for kind in found) == 1  # the report


RERUN = """
from ad_magic.panel import show
from ad_magic import trace
f = lambda x: x * x  # text of a cell
r = trace(f, 2.0)
show(r, r.at)
"""


def test_fifty_reruns_leave_as_many_widgets_as_one(shell, shown):
    shell.run_cell(RERUN, cell_id="a")
    shell.run_cell(RERUN.replace("text of a", "another"), cell_id="b")
    once = len(_instances)
    for _ in range(50):
        assert shell.run_cell(RERUN, cell_id="a").success
    assert len(_instances) == once
    assert registry.count() == 2


def test_a_cell_that_shows_no_panel_any_more_loses_its_panel(shell, shown, monkeypatch, capsys):
    """In a notebook: the message says which cell it is, and running it again is known before it shows anything."""
    before = len(_instances)
    monkeypatch.setattr(registry, "_where", lambda fallback: ("a", object()))
    shell.run_cell(RERUN, cell_id="a")
    assert len(_instances) > before
    shell.run_cell("1 + 1", cell_id="b")
    assert len(_instances) > before
    shell.run_cell("1 / 0", cell_id="a")
    assert len(_instances) == before


def test_old_panels_are_closed_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(registry, "LIMIT", 3)
    closed = []

    class Fake:
        def __init__(self, name):
            self.name = name

        def close(self):
            closed.append(self.name)

    for name in "abcde":
        registry.keep(Fake(name), name)
    assert closed == ["a", "b"]
    registry.close_all()
    assert closed == ["a", "b", "c", "d", "e"]
    assert registry.count() == 0


def test_close_all_stops_listening(shell, shown):
    listeners = list(shell.events.callbacks["pre_run_cell"])
    shell.run_cell(RERUN, cell_id="a")
    assert len(shell.events.callbacks["pre_run_cell"]) == len(listeners) + 1
    registry.close_all()
    assert shell.events.callbacks["pre_run_cell"] == listeners
