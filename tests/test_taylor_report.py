"""Taylor coefficients of a run, the polynomial as text and HTML, `%%taylor`, and its panel without a page."""

from __future__ import annotations

import html.parser
import math
import re

import numpy as np
import pytest
from case_files import cases, run_case
from scipy.integrate import quad

from ad_magic import trace
from ad_magic.engine.active import LostDerivative
from ad_magic.panel import registry
from ad_magic.panel import taylor as panel_module
from ad_magic.report.radius import radius_of


def f(x, y=2.0):
    return math.exp(x) * y


def say(shell, cell, capsys):
    capsys.readouterr()
    shell.run_cell(cell)
    out, err = capsys.readouterr()
    return re.sub(r"\x1b\[[0-9;]*m", "", out + err)


# ---- coefficients of a run -----------------------------------------------------------------------


def test_orders_1_and_2_of_all_cells(loaded):
    """Of each cell the coefficient of order 1 is the gradient, that of order 2 half the second derivative."""
    compared = 0
    for name, case in cases("scalar").items():
        r = run_case(loaded, case)
        if isinstance(r, BaseException) or len(r.run.outputs) != 1 or not r.run.outputs[0].scalar:
            continue
        if r.flags and case["expect"] != "ok":  # a corner: the second derivative is a matter of policy
            continue
        numbers = [n for n in r.inputs if not hasattr(r.inputs[n], "shape")]
        if not numbers or len(r.run.tape) > 3000:
            continue
        try:
            second = r.hessian()
        except ArithmeticError:  # it overflows on the way
            continue
        places = {seed[0]: k for k, seed in enumerate(r.run.seeds)}
        for n, c in r.taylor(2).items():
            assert c[0] == pytest.approx(float(r.value), rel=1e-12, nan_ok=True), name
            assert c[1] == pytest.approx(r.grad[n], rel=1e-9, abs=1e-12, nan_ok=True), (name, n)
            k = places[n]
            assert 2 * c[2] == pytest.approx(second[k, k], rel=1e-8, abs=1e-10, nan_ok=True), (name, n)
            compared += 1
    assert compared > 60


def test_by_input_and_along():
    r = trace(f, 0.0)
    assert r.taylor(3)["x"] == pytest.approx([2.0, 2.0, 1.0, 1 / 3])
    assert r.taylor(2)["y"] == pytest.approx([2.0, 1.0, 0.0])
    assert r.taylor(2, "y") == r.taylor(2)["y"]
    assert r.taylor(2, {"x": 1.0, "y": 1.0}) == pytest.approx([2.0, 3.0, 2.0])
    again = r.at({"x": 1.0}).taylor(1, "x")
    assert again == pytest.approx([2 * math.e, 2 * math.e])


def test_arrays_and_several_outputs():
    r = trace(lambda w, t: np.sin(w * t), np.array([1.0, 2.0]), 0.0)
    assert r.taylor(3)["t"].tolist() == pytest.approx(np.array([[0, 0], [1, 2], [0, 0], [-1 / 6, -8 / 6]]))
    assert r.taylor(1, "w[1]").tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert r.taylor(1, {"w": np.ones(2), "t": 1.0}).tolist() == [[0.0, 0.0], [1.0, 2.0]]
    several = trace(lambda x: {"a": x**2, "b": [x, x * x, 1.0]}, 3.0).taylor(2, "x")
    assert several["a"] == [9.0, 6.0, 1.0]
    assert several["b"].tolist() == [[3.0, 9.0, 1.0], [1.0, 6.0, 0.0], [0.0, 1.0, 0.0]]


@pytest.mark.parametrize("mode", ["forward", "reverse", "both"])
def test_every_mode(mode):
    assert trace(f, 0.0, mode=mode).taylor(2, "x") == pytest.approx([2.0, 2.0, 1.0])


def test_what_is_refused():
    r = trace(lambda w: np.sum(w**3), np.ones(8))
    with pytest.raises(ValueError, match=re.escape('name an entry of it, as in along="w[0]"')):
        r.taylor(3)
    assert r.taylor(3, "w[7]") == [8.0, 3.0, 3.0, 1.0]
    with pytest.raises(ValueError, match="there is no number 'v'"):
        r.taylor(3, "v")
    with pytest.raises(ValueError, match="must be like it: an array of shape"):
        r.taylor(3, {"w": 1.0})
    with pytest.raises(ValueError, match="whole number from 0 to 100"):
        r.taylor(101)

    def area(b):
        return quad(math.exp, 0, b)[0]

    r = trace(area, 1.0)
    assert r.taylor(4, "b") == pytest.approx([math.e - 1, math.e, math.e / 2, math.e / 6, math.e / 24])
    with pytest.raises(LostDerivative, match=r"line \d+: quad has a limit"):
        r.taylor(5, "b")
    assert r.expansion(order=4).coefficients == r.taylor(4, "b")  # what looks further ahead does not stand in the way


# ---- the polynomial ------------------------------------------------------------------------------


def test_an_expansion():
    e = trace(lambda x: 1 / (2 - x), 1.0).expansion(order=3)
    assert (e.head, e.name, e.at, e.order) == ("f", "x", 1.0, 3)
    assert e.coefficients == [1.0] * 4 and e.derivatives == [1.0, 1.0, 2.0, 6.0]
    assert e(1.5) == 1.875 and e(1.5, 1) == 1.5
    assert e.formula == "1 + (x − 1) + (x − 1)² + (x − 1)³"
    assert e.radius == pytest.approx(1.0)
    assert e.sound == 3 and e.remarks == []


@pytest.mark.parametrize(
    ("function", "at", "formula"),
    [
        (math.cos, 0.0, "1 − 0.5·x²"),
        (lambda x: x**3 - 2 * x, 0.0, "−2·x + x³"),
        (lambda x: -x, 0.0, "−x"),
        (lambda x: 0.0 * x, 0.0, "0"),
        (lambda x: x * x, -0.5, "0.25 − (x + 0.5) + (x + 0.5)²"),
        (math.sqrt, 0.0, "0 + …"),
    ],
)
def test_formulas(function, at, formula):
    assert trace(lambda x: function(x), at).expansion(order=3).formula == formula


def singular(*places):
    """1/(a - x) + …, by its coefficients at 0."""
    return [sum((1 / a ** (k + 1)).real for a in places) for k in range(25)]


@pytest.mark.parametrize(
    ("found", "radius"),
    [
        (singular(2.0), 2.0),
        (singular(0.1 + 0.2j, 0.1 - 0.2j), math.hypot(0.1, 0.2)),
        ([1 / (k + 1) for k in range(25)], 1.0),
        ([math.comb(2 * k, k) / 4**k * 3.0**k for k in range(25)], 1 / 3),
        ([1 / math.factorial(k) for k in range(25)], None),
        ([20.0**k * math.cos(k) / math.factorial(k) for k in range(25)], None),
        ([1.0, 2.0, 3.0, *[0.0] * 22], None),
        ([1.0] * 8, None),
    ],
)
def test_radius(found, radius):
    assert radius_of(found) == (None if radius is None else pytest.approx(radius, rel=0.02))


def test_lost_digits_are_said():
    from scipy.special import erfcx

    e = trace(lambda x: erfcx(x), 24.0).expansion(order=8)  # true: each is about 1 / 24 of the one before
    assert 3 <= e.sound < 6
    assert abs(e.coefficients[e.sound] / (e.coefficients[0] / 24**e.sound) - 1) < 0.3
    assert f"From order {e.sound + 1} on rounding leaves fewer than 3 digits." in e.to_text()
    assert trace(lambda x: math.sin(x), math.pi).expansion(order=12).sound == 12


def test_corners_are_said():
    e = trace(lambda x: abs(x) + math.exp(x), 0.0).expansion(order=2)
    assert e.coefficients == [1.0, 1.0, 0.5]
    assert any("abs(v1) has no derivative" in remark for remark in e.remarks)
    ended = trace(lambda x: x**1.5 + x, 0.0).expansion(order=3)
    assert re.search(r"line \d+: v1 \*\* 1\.5 has no finite coefficient of order 2", ended.to_text())


@pytest.mark.parametrize("at", [math.inf, math.nan, 1e308, -1e-300, 0.0])
def test_at_the_ends_of_the_floats(at):
    with np.errstate(all="ignore"):
        e = trace(lambda x: np.exp(x) * x * x, at).expansion(order=2)
        assert "order 2" in e.to_html() or e.curve is None
        assert "coefficient" in e.to_text()


class Checker(html.parser.HTMLParser):
    """That every tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_faces():
    e = trace(f, 0.5).expansion("x", 4)
    text = e.to_text(80)
    assert text.splitlines()[0] == "f near x = 0.5"
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "order 4" in text and "●" in text
    checker = Checker()
    checker.feed(e.to_html())
    assert checker.open == []
    said = "".join(checker.text)
    assert "f = 3.2974425414" in said and "at x = 0.5" in said and "coefficient" in said
    assert e.to_html().count('class="ad-taylor-lower"') == 5  # four lower orders, and the key
    assert e.to_markdown().count("\n| ") == 7
    assert e.to_latex().startswith(r"\[ P_{4} = 3.29744 + 3.29744 (\mathrm{x} - 0.5) + ")
    hostile = trace(lambda w: np.sum(w**2), np.ones(2)).expansion("w[1]", 2)
    assert "∂ᵏf/∂w[1]ᵏ" in hostile.to_text()


# ---- the magic -----------------------------------------------------------------------------------


@pytest.fixture
def ready(loaded):
    loaded.run_cell("import math\nimport numpy as np", silent=True)
    return loaded


def test_the_magic_shows_a_text(ready, capsys):
    text = say(ready, "%%taylor x=0 --order 3 -o r\ny = math.exp(math.sin(x))", capsys)
    assert "y near x = 0" in text and "P₃ = 1 + x + 0.5·x²" in text
    assert ready.user_ns["r"].taylor(1, "x") == [1.0, 1.0] and ready.user_ns["y"] == 1.0
    assert "P₂ = x" in say(ready, "x = 0.0\n%taylor math.sin(x) --order 2", capsys)
    assert "z near b = 2" in say(ready, "%taylor a=1.0 b=2.0 --along b --view static --order 1\nz = a*b*b", capsys)
    assert say(ready, "%%taylor x=1 -q -o r\ny = x*x", capsys) == ""
    assert "y near x = 1" in say(ready, "%%taylor x=1 --mode forward\ny = x*x", capsys)
    assert "b near x = 1" in say(ready, "%%taylor x=1 --of b\nb = x*x\nc = 2*x", capsys)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x=1 --order -2", "whole number from 0 to 100"),
        ("x=1 --order many", "--order"),
        ("x=1 --show graph", "--show is for %%grad"),
        ("x=1 --along k", "there is no number 'k' to go along: there is x"),
        ("x=1 --alog x", "did you mean '--along'"),
        ('"x=np.ones(2)"', '--along "x[0]"'),
    ],
)
def test_mistakes_are_one_sentence(ready, capsys, line, said):
    text = say(ready, f"%%taylor {line}\ny = np.sum(x*x)", capsys)
    assert said in text and text.count("\n") <= 2 and "Traceback" not in text


def test_completion(ready):
    from types import SimpleNamespace

    from ad_magic.arguments import complete

    options = complete(ready, SimpleNamespace(line="%%taylor x --", symbol="--"))
    assert {"--order", "--along", "--range"} <= set(options) and "--quiz" not in options
    assert complete(ready, SimpleNamespace(line="%%grad x --order ", symbol="")) == ["1", "2"]


# ---- the panel -----------------------------------------------------------------------------------


def a_panel(order=4, **inputs):
    result = trace(f, **{"x": 0.0, **inputs})
    lines = lambda now, ranges, order, along: f"order {order} along {along}"  # in the place of a magic's
    panel_module.show(result, result.expansion(order=order), {}, {}, lines)
    ((panel,),) = (panels for _, panels in registry._panels.values())
    return panel


def test_the_panel_follows(displayed):
    panel = a_panel()
    assert "P</span><sub>4</sub>" in panel.page.report.value
    panel.order.value = 2
    assert "P</span><sub>2</sub>" in panel.page.report.value
    assert "P₂ =" in displayed[-1]["text/plain"]  # what a saved notebook keeps
    panel.rows[0].box.value = 1.0
    assert f"{2 * math.e:.10f}" in panel.page.report.value
    frame = panel.static.expansion(panel.result).curve.frame
    assert (frame.lo, frame.hi) == (-3.0, 3.0)  # it does not move along with the point
    panel.along.value = "y"
    assert "2.71828·(y" in displayed[-1]["text/plain"]
    panel.toolbar.copy()
    assert "order 2 along y" in panel.status.value


def test_freeze_leaves_the_report(displayed):
    panel = a_panel()
    panel.order.value = 1
    panel.freeze()
    assert any("P₁ = 2 + 2·x" in bundle.get("text/plain", "") for bundle in displayed if isinstance(bundle, dict))
    registry._panels.clear()


def test_where_the_series_ends_the_panel_says_so(displayed):
    def g(x):
        return quad(math.exp, 0, x)[0]

    result = trace(g, 1.0)
    panel_module.show(result, result.expansion(order=4), {}, {}, lambda *parts: "")
    ((panel,),) = (panels for _, panels in registry._panels.values())
    panel.order.value = 5
    assert "up to order 4" in panel.status.value
    panel.order.value = 3
    assert "up to order 4" not in panel.status.value and "<sub>3</sub>" in panel.page.report.value
