"""trace and explore: the same Result for a function, in a script and in a notebook."""

from __future__ import annotations

import functools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ad_magic import explore, fixed, grad, trace


def lecture(x, y):
    a = x * y
    return (x + 2 * y) ** 2 * math.sin(a)


def line_of(function, offset):
    return function.__code__.co_firstlineno + offset


small = st.floats(-3, 3)


@given(small, small)
def test_value_and_derivatives_are_those_of_calculus(x, y):
    s = x + 2 * y
    for mode in ("both", "forward", "reverse"):
        r = trace(lecture, x, y, mode=mode)
        assert r.value == pytest.approx(lecture(x, y), rel=1e-12, abs=1e-12)
        assert r.grad["x"] == pytest.approx(2 * s * math.sin(x * y) + s**2 * y * math.cos(x * y), rel=1e-9, abs=1e-9)
        assert r.grad["y"] == pytest.approx(4 * s * math.sin(x * y) + s**2 * x * math.cos(x * y), rel=1e-9, abs=1e-9)


def test_rows_stand_at_the_lines_of_the_function():
    r = trace(lecture, 2.0, 3.0)
    assert [row.line for row in r.rows if row.op != "input"] == [line_of(lecture, 1)] + [line_of(lecture, 2)] * 5
    assert r.rows[2].label == "a"
    (source,) = r.sources.values()
    assert source.name == "test_explore.py"
    assert source.part == (line_of(lecture, 0), line_of(lecture, 2))
    assert source.line(source.part[1]).strip() == "return (x + 2 * y) ** 2 * math.sin(a)"


def test_a_lambda_and_its_line():
    r = trace(lambda x: x**3, 2)
    assert r.outputs == ("f",)
    assert r.grad == {"x": 12.0}
    assert r.rows[-1].line == test_a_lambda_and_its_line.__code__.co_firstlineno + 1


def test_inputs_are_named_after_the_parameters():
    def of_all_kinds(a, /, b, *rest, c, **more):
        return a * b * rest[0] * rest[1] * c * more["d"]

    r = trace(of_all_kinds, 2, 3, 5, 7, c=11, d=13)
    product = 2 * 3 * 5 * 7 * 11 * 13
    names = {"a": 2, "b": 3, "rest_0": 5, "rest_1": 7, "c": 11, "d": 13}
    assert r.value == product
    assert r.grad == {name: product / x for name, x in names.items()}
    assert list(r.inputs) == list(names)


def test_defaults_count():
    weights = np.array([1.0, 2.0])

    def f(x, n=2, a=0.5, how="up", w=weights):
        return a * x**n * w.sum() if how == "up" else 0.0

    r = trace(f, 3.0)
    assert list(r.inputs) == ["x", "a", "w"]
    assert r.grad["a"] == 27.0
    assert r.grad["x"] == 9.0
    assert r.run.fixed == {"n": 2, "how": "up"}
    assert "Fixed: n = 2, how = 'up'." in r.to_text()
    assert "Fixed: n = 2, how = &#x27;up&#x27;." in r.to_html() or "Fixed: n = 2, how = 'up'." in r.to_html()
    assert trace(f, 3.0, n=3.0).grad["n"] == pytest.approx(0.5 * 27 * 3 * math.log(3))


def test_what_is_fixed_has_no_derivative():
    r = trace(lambda x, n, g: g(x) * n, 2.0, fixed(3), math.exp)
    assert list(r.inputs) == ["x"]
    assert r.grad["x"] == pytest.approx(3 * math.exp(2))
    assert r.run.fixed == {"n": 3, "g": math.exp}
    with pytest.raises(ValueError, match="f gets no number to differentiate by: it gets s = 'a'"):
        trace(lambda s: s, "a")


def test_several_outputs_by_name():
    def pair(x, y):
        a, b = x * y, x + y
        return a, b

    r = trace(pair, 2.0, 3.0)
    assert r.value == {"a": 6.0, "b": 5.0}
    assert r.grad == {"a": {"x": 3.0, "y": 2.0}, "b": {"x": 1.0, "y": 1.0}}
    assert trace(lambda x: (x, x**2), 3.0).grad == {"f[0]": {"x": 1.0}, "f[1]": {"x": 6.0}}
    assert trace(lambda x: {"y": x, "z": x**2}, 3.0).grad["z"] == {"x": 6.0}
    jacobian = trace(lambda x: {"y": 2 * x, "z": [x[0] * x[1], x[1]]}, np.array([3.0, 4.0])).jacobian
    assert jacobian["y"]["x"].tolist() == [[2, 0], [0, 2]]
    assert jacobian["z"]["x"].tolist() == [[4, 3], [0, 1]]


def test_arrays():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    r = trace(lambda matrix, b: np.linalg.solve(matrix, b), matrix, np.array([1, 0]))
    inverse = np.array([[-2.0, 1.0], [1.5, -0.5]])
    assert np.allclose(r.jacobian["b"], inverse)


def test_an_array_argument_stays_what_it_was():
    w = np.array([1.0, 2.0])

    def writes(w):
        w[0] = w[0] * w[1]
        return w.sum()

    r = trace(writes, w)
    assert r.grad["w"].tolist() == [2, 2]
    assert w.tolist() == [1, 2]
    assert r.at({"w": np.array([3.0, 4.0])}).value == 16


@pytest.mark.parametrize("kind", ["forward", "reverse", "interleaved"])
def test_its_programs_stand_on_their_own(kind):
    namespace: dict = {}
    exec(trace(lecture, 2.0, 3.0).code(kind), namespace)
    value, slopes = namespace["derivative"](1.0, 0.5)
    expected = trace(lecture, 1.0, 0.5)
    assert value == pytest.approx(expected.value)
    assert slopes == pytest.approx(expected.grad)


def test_interleaved_with_several_outputs():
    def pair(x, y):
        a, b = x * y, x + y
        return a, b

    namespace: dict = {}
    exec(trace(pair, 2.0, 3.0).code("interleaved"), namespace)
    assert namespace["derivative"](5.0, 7.0) == (
        {"a": 35.0, "b": 12.0},
        {"a": {"x": 7.0, "y": 5.0}, "b": {"x": 1.0, "y": 1.0}},
    )
    with pytest.raises(ValueError, match="no names of their own"):
        trace(lambda x: (x, x**2), 3.0).code("interleaved")


def test_another_path_through_the_function():
    def branches(x):
        if x > 1:
            return x**2
        return 5 * x

    r = trace(branches, 2.0)
    assert r.at({"x": 0.5}).grad == {"x": 5.0}
    assert r.at({"x": 3.0}).grad == {"x": 6.0}


def test_the_check_runs_the_function_again():
    assert trace(lecture, 2.0, 3.0).check().ok
    wrong = trace(lambda x: float(f"{x:.17g}") * x, 2.0)
    assert not wrong.check().ok  # the derivative is lost in a text, and the check says so
    several = trace(lambda x: (x, x**2), 3.0).check(expect={"x": "[1, 2*x]"})
    assert several.ok


def test_a_saved_page_shows_the_function_and_no_more(tmp_path):
    trace(lecture, 2.0, 3.0).save(tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "def lecture(x, y):" in html
    assert "def line_of" not in html


class Spring:
    def __init__(self, k):
        self.k = k

    def energy(self, x):
        return self.k * x**2 / 2

    def __call__(self, x):
        return -self.k * x


def test_callables_of_every_kind():
    spring = Spring(3.0)
    assert trace(spring.energy, 2.0).grad == {"x": 6.0}
    assert trace(spring.energy, 2.0).outputs == ("energy",)
    assert trace(spring, 2.0).grad == {"x": -3.0}
    assert trace(math.sin, 0.5).grad["x"] == math.cos(0.5)
    assert trace(np.sin, 0.5).grad["x"] == pytest.approx(math.cos(0.5))
    assert trace(functools.partial(lecture, y=3.0), 2.0).grad.keys() == {"x", "y"}
    assert trace(grad(lambda x: x**3), 2.0).grad["x"] == pytest.approx(12)
    assert trace(functools.lru_cache(lambda x: x**3), 2.0).grad["x"] == pytest.approx(12)


def test_what_it_raises_is_what_the_function_raises():
    def fails(x):
        y = x - 1
        return math.sqrt(y)

    with pytest.raises(ValueError) as raised:
        trace(fails, 0.5)
    assert raised.traceback[-1].lineno + 1 == line_of(fails, 2)
    with pytest.raises(TypeError, match="lecture: missing a required argument: 'y'"):
        trace(lecture, 1.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        trace(lecture, 1.0, 2.0, z=3)
    with pytest.raises(ValueError, match="None"):
        trace(lambda x: None, 1.0)
    with pytest.raises(ValueError, match="did you mean 'forward'"):
        trace(lecture, 1.0, 2.0, mode="foward")


def test_a_parameter_comes_before_an_option_of_that_name():
    r = trace(lambda x, mode: x * mode, 2.0, mode=5.0)
    assert r.grad == {"x": 5.0, "mode": 2.0}
    assert r.mode == "both"


# ---- explore, where there is no panel


def test_explore_prints_the_report_in_a_script():
    source = "from ad_magic import explore\ndef f(x, y=3.0): return x * y\nexplore(f, x=1.5, y=(0, 10))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert "f = 4.5   ∂f/∂x = 3   ∂f/∂y = 1.5" in done.stdout


def test_abbreviations(capsys):
    def value_of(**abbreviations):
        explore(lambda x, **more: x, **abbreviations)
        return capsys.readouterr().out.split()[2]

    assert value_of(x=2) == "2"
    assert value_of(x=(0, 10)) == "5"
    assert value_of(x=(0, 1, 0.3)) == "0.333333333333"  # the nearest of its steps
    assert value_of(x=np.float64(1.5)) == "1.5"
    for wrong in ((2, 1), (0, 1, -1)):
        with pytest.raises(ValueError, match="a range is"):
            explore(lambda x: x, x=wrong)


def test_explore_in_a_shell_displays(shell, capsys):
    shell.run_cell("from ad_magic import explore\ndef f(x):\n    y = x**2\n    return 3*y")
    capsys.readouterr()
    shell.run_cell("explore(f, x=2)")
    out = capsys.readouterr().out
    assert "f = 12   ∂f/∂x = 12" in out
    assert "return 3*y" in out


def test_a_script_that_traces_loads_neither_ipython_nor_widgets():
    source = (
        "import sys\nfrom ad_magic import trace\ndef f(x): return x*x\nprint(trace(f, 2.0).grad)\n"
        "print(sorted({'IPython', 'ipywidgets', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "{'x': 4.0}"
    assert "ipywidgets" not in done.stdout
    assert "IPython" not in done.stdout
