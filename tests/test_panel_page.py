"""What a panel tells its page, and when it computes: the page asks as view.js does, without a browser."""

from __future__ import annotations

import asyncio
import json
import math

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from ad_magic import trace
from ad_magic.panel import page as page_module
from ad_magic.panel import panel as panel_module
from ad_magic.panel import static as static_module
from ad_magic.panel.panel import Panel
from ad_magic.panel.static import StaticReport
from ad_magic.panel.telling import runtime
from ad_magic.report.options import ViewOptions


class Conversation:
    """A panel and its page: what is told is in `told`, the inputs at which the program was run in `evaluated`."""

    def __init__(self, f, *args, monkeypatch, **options) -> None:
        self.outputs: list = []
        handle = type("Handle", (), {"update": lambda _, bundle, raw: self.outputs.append(bundle)})()
        monkeypatch.setattr(static_module, "display", lambda bundle, **how: self.outputs.append(bundle) or handle)
        self.told: list[dict] = []
        self.evaluated: list[dict] = []
        result = trace(f, *args)
        view = ViewOptions(**options)
        static = StaticReport(view)
        static.show(result)
        self.panel = Panel(result, result.at, {}, view, static)
        self.panel.page.view.send = lambda message: self.told.append(json.loads(json.dumps(message, allow_nan=False)))
        at = self.panel.paths.at
        self.panel.paths.at = lambda inputs: self.evaluated.append(dict(inputs)) or at(inputs)

    def ask(self, kind: str, **what) -> list[dict]:
        """A question, and what is told because of it."""
        before = len(self.told)
        self.panel._asked({"ask": kind, **what})
        return [message for message in self.told[before:] if message["tell"] != "rest"]

    def slide(self, nth: int, index: int) -> None:
        self.panel.rows[nth].slider.value = index

    @property
    def kinds(self) -> list[str]:
        """What it was told, but for the end of each gesture."""
        return [message["tell"] for message in self.told if message["tell"] != "rest"]


def read(text: str):
    """What a page makes of a packed text: NaN and Infinity too."""
    return json.loads(text)


@pytest.fixture
def talk(monkeypatch):
    before = set(_instances)
    yield lambda f, *args, **options: Conversation(f, *args, monkeypatch=monkeypatch, **options)
    for key in set(_instances) - before:
        _instances[key].close()


def product(x, y):
    return math.sin(x * y) * (x + 2 * y) ** 2


def decides(x, y):
    if x > 1:
        return x * y
    return math.exp(x) - y**2


def test_the_page_gets_all_that_it_needs(talk):
    it = talk(product, 2.0, 3.0)
    (message,) = it.ask("program", has=[])
    code, name = runtime()
    assert (message["tell"], message["runtime"], message["code"], message["path"]) == ("program", name, code, 0)
    assert read(message["x"]) == [2.0, 3.0]
    assert 'class="ad-value"' in message["html"]
    assert message["program"].startswith("(() => {")
    assert read(message["data"])["digits"] == 6
    (again,) = it.ask("program", has=[name])  # another page of the same panel, or the same one loaded again
    assert "code" not in again
    assert again["runtime"] == name
    assert it.evaluated == []


def test_nothing_is_told_before_somebody_asks(talk):
    it = talk(product, 2.0, 3.0)
    it.slide(0, 0)
    it.panel.reset()
    assert it.told == []
    assert len(it.evaluated) == 2  # the static report follows


def test_a_page_that_comes_later_is_told_of_the_point_where_the_sliders_stand(talk):
    it = talk(product, 2.0, 3.0)
    it.slide(0, 0)
    (message,) = it.ask("program", has=[])
    assert read(message["x"]) == [0.0, 3.0]


def gesture(it: Conversation, steps: int = 10) -> None:
    """Slide, let the panel come to rest."""

    async def act():
        for index in range(steps):
            it.slide(0, index)
            await asyncio.sleep(0)
        during.append(len(it.evaluated))
        await asyncio.sleep(0.1)

    during: list[int] = []
    asyncio.run(act())
    it.during = during[0]


def test_where_the_page_computes_the_kernel_has_its_say_at_the_end_of_a_gesture(talk, monkeypatch):
    monkeypatch.setattr(panel_module, "REST", 0.02)
    it = talk(product, 2.0, 3.0)
    it.ask("program", has=[])
    gesture(it)
    assert it.during == 0
    x = it.panel.rows[0].grid.value(9)
    assert it.evaluated == [{"x": x, "y": 3.0}]
    assert it.kinds == ["program"]  # there are but other numbers, which the page knows
    assert it.outputs[-1]["text/html"].count(it.panel.result.to_html()) == 1
    assert it.panel.result.inputs["x"] == x
    assert len(it.outputs) == 2


def test_a_slider_of_the_page_is_not_told_where_its_box_stands(talk):
    """What comes back while a slider moves would pull it back; the page itself keeps slider and box together."""
    it = talk(product, 2.0, 3.0)
    it.ask("program", has=[])
    row = it.panel.rows[0]
    it.slide(0, 7)
    assert (row.box.value, row.value, it.panel.inputs["x"]) == (2.0, row.grid.value(7), row.grid.value(7))
    row.box.value = row.grid.value(7)  # the page says it when the gesture is over
    assert len(it.evaluated) == 1
    row.box.value = 2.001  # typed
    assert (row.value, row.slider.value) == (2.001, 7)
    row.slider.value = row.grid.index(2.001)  # again the page
    assert row.value == 2.001
    row.box.value = 50.0  # the range must grow, which the page cannot do
    assert row.slider.max == row.slider.value == row.grid.steps
    assert it.panel.page.view.inputs[0]["hi"] == 50.0


def test_a_flag_brings_a_new_report(talk):
    it = talk(lambda x: abs(x - 1) * 2, 2.0)
    it.ask("program", has=[])
    it.panel.rows[0].box.value = 1.0
    assert it.kinds == ["program", "report"]
    assert 'data-ad-flag="kink"' in it.told[-1]["html"]
    it.panel.rows[0].box.value = 1.5
    assert it.kinds == ["program", "report", "report"]
    it.panel.rows[0].box.value = 1.7
    assert len(it.kinds) == 3
    assert (it.told[-1]["tell"], read(it.told[-1]["x"])) == ("rest", [1.7])


def test_each_path_is_told_once_and_each_question_answered_once(talk):
    it = talk(decides, 1.5, 2.0)
    it.ask("program", has=[])
    (other,) = it.ask("path", x=[0.5, 2.0])
    assert (other["tell"], other["path"]) == ("program", 1)
    assert other["way"]["text"] == "x > 1 is now False"
    assert it.panel.inputs == {"x": 0.5, "y": 2.0}
    assert it.panel.result.value == math.exp(0.5) - 4
    assert [message["tell"] for message in it.ask("path", x=[0.5, 2.0])] == ["same"]
    (back,) = it.ask("path", x=[1.25, 2.0])
    assert (back["tell"], back["path"], back["way"]) == ("report", 0, None)
    (again,) = it.ask("path", x=[0.25, 1.0])
    assert (again["tell"], again["path"]) == ("report", 1)  # it has the program
    assert it.panel.result.value == math.exp(0.25) - 1


def test_what_the_program_raises_is_answered_too(talk):
    it = talk(lambda x: math.sqrt(x), 2.0)
    it.ask("program", has=[])
    (trouble,) = it.ask("path", x=[-1.0])
    assert (trouble["tell"], read(trouble["x"])) == ("trouble", [-1.0])
    assert "ValueError" in it.panel.status.value
    assert [message["tell"] for message in it.ask("path", x=[-1.0])] == ["trouble"]
    assert len(it.evaluated) == 1  # it is not tried again
    assert it.panel.result.value == math.sqrt(2.0)
    (fine,) = it.ask("path", x=[4.0])
    assert fine["tell"] == "same"
    assert it.panel.status.value == ""


def test_the_slider_may_tell_of_a_move_after_the_page_has_asked(talk):
    """Where the program hangs there an interrupt has ended the one run; a second would hang again."""
    it = talk(lambda x: math.sqrt(x), 2.0)
    it.ask("program", has=[])
    lowest = it.panel.rows[0].grid.value(0)
    assert lowest <= 0
    it.ask("path", x=[lowest - 1.0])
    it.ask("path", x=[lowest])
    it.slide(0, 0)
    assert it.evaluated == [{"x": lowest - 1.0}, {"x": lowest}]


def test_a_number_that_json_does_not_know(talk):
    it = talk(lambda v: v[0] / v[1] + v[2], np.array([1.0, np.inf, 2.0]))
    (message,) = it.ask("program", has=[])
    assert read(message["x"]) == [1.0, math.inf, 2.0]
    assert [m["tell"] for m in it.ask("path", x=[3.0, None, 2.0])] == ["same"]  # what the page cannot say stays
    assert it.panel.inputs["v"].tolist() == [3.0, math.inf, 2.0]


W = np.linspace(0.0, 1.0, 12)


@pytest.fixture
def no_program(monkeypatch):
    monkeypatch.setattr(page_module.telling, "program", lambda result: (None, "for this test"))


@pytest.mark.usefixtures("no_program")
def test_without_a_program_each_step_is_computed_and_told_as_numbers(talk):
    it = talk(lambda x, y: np.sum(np.sin(x * W)) * y, 2.0, 3.0)
    it.ask("program", has=[])
    it.slide(0, 7)
    assert it.kinds == ["program", "numbers"]
    x = it.panel.rows[0].grid.value(7)
    found = read(it.told[1]["found"])
    slope = 3.0 * np.sum(W * np.cos(x * W))
    assert found["slopes"]["f"]["x"] == pytest.approx(slope, rel=1e-12)
    rows = it.panel.result.tape_rows
    assert found["adjoints"][str(rows[0])] == pytest.approx(slope, rel=1e-12)
    assert found["values"][str(rows[0])] == x
    assert np.allclose(found["values"][str(rows[3])], np.sin(x * W), rtol=1e-14)
    assert np.allclose(found["tangents"]["0"][str(rows[3])], W * np.cos(x * W), rtol=1e-14)
    assert found["changed"] is None


@pytest.mark.usefixtures("no_program")
def test_large_arrays_are_told_as_a_report(talk):
    w = np.linspace(0.0, 1.0, 5000)
    it = talk(lambda x: np.sum(np.sin(x * w)), 2.0)
    it.ask("program", has=[])
    it.slide(0, 7)
    assert it.kinds == ["program", "report"]
    assert max(len(json.dumps(message)) for message in it.told[1:]) < 200_000


def test_what_is_put_by_the_kernel_is_told(talk):
    it = talk(lambda x, v: x * np.sum(v), 2.0, np.arange(12.0))
    it.ask("program", has=[])
    row = it.panel.rows[1]
    row.index.value = "3"
    assert it.panel.page.view.inputs[1]["name"] == "v[3]"
    row.box.value = 7.0
    row.index.value = "5"
    it.panel.put({"x": 1.0, "v[5]": -1.0})
    (inputs,) = [message for message in it.told if message["tell"] == "inputs"]
    assert read(inputs["x"]) == [1.0, 0.0, 1.0, 2.0, 7.0, 4.0, -1.0, *map(float, range(6, 12))]
    it.panel.reset()
    assert it.kinds[-1] == "inputs"
    assert read(it.told[-2]["x"]) == [2.0, *map(float, range(12))]


def test_a_long_run_has_no_program(talk):
    def loop(x):
        z = x
        for _ in range(4500):
            z = z * 0.999
        return z

    it = talk(loop, 2.0)
    (message,) = it.ask("program", has=[])
    assert message["program"] is None
    assert "long" in message["why"]
    it.slide(0, 0)
    assert it.kinds == ["program", "numbers"]


def test_closing_in_the_middle_of_a_gesture_keeps_the_last_point(talk):
    it = talk(product, 2.0, 3.0)
    it.ask("program", has=[])

    async def act():
        it.slide(0, 0)
        it.panel.close()

    asyncio.run(act())
    assert it.outputs[-1]["text/plain"].split()[2] == "0"


def test_no_question_stays_open(talk, monkeypatch):
    it = talk(decides, 1.5, 2.0)
    it.ask("program", has=[])
    monkeypatch.setattr(page_module.telling, "report", lambda *args: 1 / 0)  # a mistake of ours
    before = len(it.told)
    with pytest.raises(ZeroDivisionError):
        it.ask("path", x=[0.5, 2.0])
    assert [message["tell"] for message in it.told[before:]] == ["same"]
