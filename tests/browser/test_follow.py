"""The script that writes new numbers into a report, fed with what Python's own sweeps find: arrays, loops, forms.

Whatever the report shows at a point must read as if Python had drawn it there.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from report_in_a_page import add_script, marks, pictures, texts

from ad_magic.cell.again import unit
from ad_magic.engine.tape import forward_sweep, reverse_sweep
from ad_magic.report.live import layout, runtime
from ad_magic.report.markup import style_sheet

CELLS = {
    "numbers": ("z = x * math.exp(y) / (x - y)", "x=2 y=1", [{"x": 1.5}, {"y": -3.0}, {"x": 0.0}]),
    "small": (
        "w = v * 2\nz = np.sum(w * w) + w[0]",
        "v=np.array([1.0,-2.0,3.0])",
        [{"v": np.array([0.5, 1e-7, -1234.5678])}, {"v": np.array([0.0, 0.0, 0.0])}],
    ),
    "pairs": ("z = np.sum(m @ m)", "m=np.array([[1.0,2.0],[3.0,4.5]])", [{"m": np.array([[-1.0, 0.25], [1e5, 7.0]])}]),
    "large": (
        "h = np.tanh(w)\nz = np.sum(h * w) * k",
        "w=np.linspace(-2,2,40).reshape(8,5) k=2.0",
        [{"w": np.cos(np.arange(40.0)).reshape(8, 5), "k": -0.3}],
    ),
    "long": ("z = np.sum(np.sin(t) * t)", "t=np.arange(100.0)", [{"t": np.sqrt(np.arange(100.0))}]),
    "array out": (
        "y = A @ v",
        "v=np.array([1.0,2.0]) A=np.array([[1.0,2.0],[3.0,4.0]])",
        [{"v": np.array([-0.125, 3e6])}],
    ),
    "list out": ("out = [x * y, 2.5, x + y]\nout", "x=2 y=3", [{"x": 4.25}]),
    "several": ("a = x * y\nb = np.array([x, y]) * a", "x=2 y=3 --of a,b", [{"x": -1.0, "y": 0.1}]),
    "forward": (
        "z = np.sum(v * v) * x",
        "v=np.array([1.0,2.0]) x=3 --mode forward",
        [{"x": 0.5, "v": np.array([2.0, -1.0])}],
    ),
    "folded": ("z = x\nfor k in range(30):\n    z = z * 0.9 + math.sin(x)", "x=1", [{"x": -2.0}]),
    "in place": (
        "b = np.zeros(3)\nb[0] = x\nb[1:] = np.sin(x * np.array([1.0, 2.0]))\nz = np.linalg.norm(b)",
        "x=0.5",
        [{"x": 2.0}],
    ),
}


def found_at(r) -> dict:
    """What a program would find: the sweeps of Python over the tape of a Result."""
    run = r.run
    tape = run.tape
    outputs = run.outputs
    adjoints = None
    if len(outputs) == 1 and outputs[0].scalar:
        adjoints = reverse_sweep(tape, {outputs[0].rows: 1.0})
    tangents = [forward_sweep(tape, {row: unit(tape.values[row], place)}) for _, place, row in run.seeds]
    return {
        "values": [flat(x) for x in tape.values],
        "adjoints": adjoints and [flat(x) for x in adjoints],
        "tangents": [[flat(x) for x in column] for column in tangents],
        "partials": [[flat(x) for x in tape.partials(i)] for i in range(len(tape))],
        "changed": None,
    }


def flat(x):
    if isinstance(x, tuple) or x is None or (hasattr(x, "dtype") and x.dtype.kind not in "fi"):
        return None
    return np.asarray(x, float).ravel().tolist() if getattr(x, "shape", ()) else float(x)


def as_script(x) -> str:
    return json.dumps(x).replace("Infinity", "1/0")


def live(browser, r):
    """A tab with the report of a Result, and `live`, which follows."""
    tab = browser.new_page()
    tab.set_content(f"<style>{style_sheet('live')}</style>{r.to_html()}")
    follow = f"window.live = follow(document.querySelector('.ad-report'), {as_script(layout(r))});"
    add_script(tab, f"{runtime()}\n{follow}")
    return tab


@pytest.mark.parametrize("name", CELLS)
def test_it_writes_what_python_draws(browser, result, name):
    cell, inputs, points = CELLS[name]
    with np.errstate(all="ignore"):
        r = result(cell, inputs)
        tab, other = live(browser, r), browser.new_page()
        for point in [*points, {}]:
            there = r.at({**r.inputs, **point})
            other.set_content(there.to_html())
            tab.evaluate(f"() => live.show({as_script(found_at(there))})")
            assert texts(tab) == texts(other)
            assert marks(tab) == marks(other)
            assert pictures(tab) == pictures(other)
        tab.close()
        other.close()


def test_a_column_keeps_the_width_that_it_has_had(browser, result):
    r = result("z = x * y", "x=2 y=3")
    long = found_at(r.at({"x": -1234.56, "y": math.pi * 1e-7}))
    tab = live(browser, r)
    wide = "() => document.querySelector('[data-ad-cell=\"value\"]').getBoundingClientRect().width"
    tab.evaluate(f"() => live.prepare({as_script(long)})")
    tab.evaluate(f"() => live.show({as_script(found_at(r))})")
    width = tab.evaluate(wide)
    tab.evaluate(f"() => live.show({as_script(long)})")
    assert tab.evaluate(wide) == width
    tab.close()


def test_local_partials_that_no_program_gives_are_grey_away_from_the_beginning(browser, result):
    r = result("z = x * y", "x=2 y=3")
    tab = live(browser, r)
    opacity = "() => Number(getComputedStyle(document.querySelector('.ad-partial-label')).opacity)"
    there = {**found_at(r.at({"x": 2.5})), "partials": None}
    tab.evaluate(f"() => live.show({as_script(there)})")
    assert tab.evaluate(opacity) < 0.5
    tab.evaluate(f"() => live.show({as_script({**found_at(r), 'partials': None})}, false)")
    assert tab.evaluate(opacity) == 1
    tab.close()


def test_what_a_program_does_not_give_is_grey_and_never_zero(browser, result):
    r = result("a = x * y\nb = x + y", "x=2 y=3 --of a,b")
    tab = live(browser, r)
    before = texts(tab)
    there = found_at(r.at({"x": 2.5}))
    tab.evaluate(f"() => live.show({as_script({**there, 'tangents': [], 'values': [None] * len(there['values'])})})")
    after = texts(tab)
    kept = [key for key in before if not key.startswith(("edge", "row")) or "tangent" in key or "value" in key]
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    grey = """() => [...document.querySelectorAll("[data-ad-grad], .ad-value, [data-ad-cell]")]
        .every((e) => Number(getComputedStyle(e).opacity) < 0.5)"""
    assert tab.evaluate(grey)
    tab.close()
