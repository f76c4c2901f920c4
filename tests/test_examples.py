"""The example notebooks, executed as a whole in a kernel; every number they show against closed forms."""

from __future__ import annotations

import json
import math
import os
import re
from decimal import Decimal
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from oracles import Cells

import ad_magic
from ad_magic.report.text import render

pytestmark = pytest.mark.xdist_group("examples")  # of several processes one executes the notebooks, each once

ASK = """
import json as _json
def _plain(r):
    return {"value": r.value, "grad": r.grad, "flags": [f.kind for f in r.flags], "order": r.order, "rows": [
        {"label": w.label, "value": w.value, "tangents": w.tangents, "adjoint": w.adjoint, "parents": list(w.parents)}
        for w in r.rows]}
print(_json.dumps({name: _plain(globals()[name]) for name in NAMES}))
"""


def execute(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Run all cells in a kernel that has the same ad_magic as the tests, installed or not."""
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env={**os.environ, "PYTHONPATH": str(Path(ad_magic.__file__).parents[1])})
    return notebook


@pytest.fixture(scope="module")
def five(root):
    """The first example, executed, and what its results hold."""
    notebook = nbformat.read(root / "examples" / "01-five-programs.ipynb", as_version=4)
    names = ["forward", "reverse", "fan_out", "checked", "both", "at_6_1", "newton"]
    notebook.cells.append(nbformat.v4.new_code_cell(ASK.replace("NAMES", repr(names))))
    execute(notebook, root / "examples")
    results = json.loads(notebook.cells[-1].outputs[0].text)
    return notebook, results


def shown(notebook: nbformat.NotebookNode, part: str) -> str:
    """The text of the outputs of the cell whose source contains `part`."""
    cell = next(c for c in notebook.cells if c.cell_type == "code" and part in c.source)
    if all(o.output_type == "stream" for o in cell.outputs):
        return "".join(o.text for o in cell.outputs)
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)


def closed_form(x, y):
    """z = (x + 2y)² sin(xy) and its derivatives, by hand."""
    s, sin, cos = x + 2 * y, math.sin(x * y), math.cos(x * y)
    return s**2 * sin, 2 * s * sin + y * cos * s**2, 4 * s * sin + x * cos * s**2


def test_interleaved_by_hand(five):
    notebook, _ = five
    assert tuple(json.loads(shown(notebook, "def interleaved").replace("(", "[").replace(")", "]"))) == pytest.approx(
        closed_form(2, 3)
    )


def test_dual_numbers(five):
    notebook, _ = five
    assert shown(notebook, "Dual(4, 2) * Dual(6, 2)") == "24 + 20ε"
    assert shown(notebook, "7 * (x + eps) ** 2") == "14 + 17ε"
    # (x + 2y)² xy at (2, 3): 384; ∂x = 2s·xy + s²·y = 96 + 192; ∂y = 4s·xy + s²·x = 192 + 128
    assert shown(notebook, "x, y = Dual(2.0, (1, 0))") == "384 + 288ε₁ + 320ε₂"


@pytest.mark.parametrize(
    ("name", "x", "y"), [("forward", 2, 3), ("reverse", 2, 3), ("checked", 2, 3), ("both", 2, 3), ("at_6_1", 6, 1)]
)
def test_the_running_example(five, name, x, y):
    result = five[1][name]
    z, dx, dy = closed_form(x, y)
    assert result["value"] == pytest.approx(z, rel=1e-12)
    assert result["grad"] == pytest.approx({"x": dx, "y": dy}, rel=1e-12)
    assert result["flags"] == []


def test_the_numbers_of_the_lecture(five):
    """As printed there: the same value at (2, 3) and (6, 1), another gradient."""
    results = five[1]
    assert [round(v, 10) for v in (results["both"]["value"], *results["both"]["grad"].values())] == [
        -17.8825918847, 179.8820470657, 113.9605007489,
    ]  # fmt: skip
    assert results["at_6_1"]["value"] == pytest.approx(results["both"]["value"], rel=1e-14)
    assert [round(v, 10) for v in results["at_6_1"]["grad"].values()] == [56.9802503744, 359.7640941314]


def test_each_tangent_and_each_adjoint(five):
    """v3 = v1 + 2 v2, v4 = v1 v2, v5 = v3², v6 = sin v4, v7 = v5 v6 at (2, 3), row by row, by hand."""
    sin, cos = math.sin(6), math.cos(6)
    values = {"v3": 8, "v4": 6, "v5": 64, "v6": sin, "v7": 64 * sin}
    tangents = {"v3": (1, 2), "v4": (3, 2), "v5": (16, 32), "v6": (3 * cos, 2 * cos), "v7": closed_form(2, 3)[1:]}
    adjoints = {"v7": 1, "v6": 64, "v5": sin, "v4": 64 * cos, "v3": 16 * sin}
    for name in ("forward", "reverse", "both"):
        rows = {row["label"]: row for row in five[1][name]["rows"] if row["label"]}
        for label, value in values.items():
            assert rows[label]["value"] == pytest.approx(value)
            if name != "reverse":
                assert tuple(rows[label]["tangents"].values()) == pytest.approx(tangents[label])
            if name != "forward":
                assert rows[label]["adjoint"] == pytest.approx(adjoints[label])


def test_the_order_of_the_sweep_is_topological(five):
    result = five[1]["reverse"]
    place = {row: k for k, row in enumerate(result["order"])}
    assert result["order"][0] == len(result["rows"]) - 1
    for index, row in enumerate(result["rows"]):
        assert all(place[index] < place[parent] for parent in row["parents"])


def test_a_breadth_first_order_is_wrong(five):
    """a = x*x; b = a*a; c = a + b: dc/dx = 2x + 4x³ = 114 at 3."""
    notebook, results = five
    assert results["fan_out"]["grad"]["x"] == 2 * 3 + 4 * 3**3 == 114
    assert shown(notebook, "def breadth_first") == "(6.0, 114.0)"


def test_the_check_agrees(five):
    text = shown(five[0], "%%gradcheck")
    assert "differs" not in text
    assert all(word in text for word in ("your formula", "differences", "complex step", "agrees"))


def test_newton(five):
    assert five[1]["newton"]["grad"]["a"] == pytest.approx(1 / (2 * math.sqrt(2)), rel=1e-10)


# ---- plain NumPy ---------------------------------------------------------------------------------

ASK_ARRAYS = """
import json as _json
def _plain(x):
    return {name: np.asarray(value).tolist() for name, value in x.items()}
print(_json.dumps({name: {"value": np.asarray(r.value).tolist(), "jacobian": _plain(r.jacobian),
    "flags": [f.kind for f in r.flags]} for name, r in ((name, globals()[name]) for name in NAMES)}))
print(_json.dumps(_plain({name: globals()[name] for name in ("points", "label", "W1", "b1", "W2", "b2")})))
"""


@pytest.fixture(scope="module")
def arrays(root):
    """The second example, executed, what its results hold, and the network as it ends."""
    notebook = nbformat.read(root / "examples" / "02-numpy.ipynb", as_version=4)
    names = ["turned", "heat", "fit", "network"]
    notebook.cells.append(nbformat.v4.new_code_cell(ASK_ARRAYS.replace("NAMES", repr(names))))
    execute(notebook, root / "examples")
    results, trained = map(json.loads, "".join(o.text for o in notebook.cells[-1].outputs).splitlines())
    return notebook, results, {name: np.array(value) for name, value in trained.items()}


def close_to(result, value, **jacobian):
    np.testing.assert_allclose(result["value"], value, rtol=1e-12)
    assert set(result["jacobian"]) == set(jacobian)
    for name, expected in jacobian.items():
        np.testing.assert_allclose(result["jacobian"][name], expected, rtol=1e-10, atol=1e-14)
    assert result["flags"] == []


def test_a_rotation(arrays):
    """p = R q; its derivative with respect to the angle is p, a quarter turn further; with respect to q it is R."""
    cos, sin = math.cos(0.5), math.sin(0.5)
    p = np.array([2 * cos - sin, 2 * sin + cos])
    close_to(arrays[1]["turned"], p, t=[-p[1], p[0]], q=[[cos, -sin], [sin, cos]])
    assert shown(arrays[0], 'turned.jacobian["q"] - R').count("0.") == 4


def test_heat_in_a_rod(arrays):
    """A step is a matrix K = 1 + alpha L: the end is K^30 u, its slope along alpha the sum of K^k L K^(29 - k) u."""
    laplace = np.zeros((21, 21))
    for i in range(1, 20):
        laplace[i, i - 1 : i + 2] = 1, -2, 1
    step = np.eye(21) + 0.4 * laplace
    start = np.zeros(21)
    start[12:17] = 1
    power = np.linalg.matrix_power
    along = sum(power(step, k) @ laplace @ power(step, 29 - k) for k in range(30)) @ start
    weights = power(step, 30)[10]
    left, weights[0] = weights[0], 0.0
    close_to(arrays[1]["heat"], weights @ start, alpha=along[10], left=left, start=weights)
    bars = shown(arrays[0], "for at, weight").splitlines()
    assert [float(line.split()[1]) for line in bars] == [round(w, 4) for w in weights]
    assert [line.count("▇") for line in bars] == [round(200 * w) for w in weights]


def test_a_straight_line(arrays):
    """slope = Sxy / Sxx, and its derivatives by hand."""
    x, y = np.arange(4.0), np.array([1.1, 2.9, 5.3, 6.8])
    dx, dy = x - x.mean(), y - y.mean()
    slope = dx @ dy / (dx @ dx)
    close_to(arrays[1]["fit"], slope, x=(dy - 2 * slope * dx) / (dx @ dx), y=dx / (dx @ dx))
    assert shown(arrays[0], 'fit.grad["y"]').count("-0.3, -0.1,  0.1,  0.3") == 2


def two_moons():
    """The points, their labels, and the weights at the beginning, as the notebook makes them."""
    rng = np.random.default_rng(0)
    angle = np.pi * rng.random(100)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    points = np.concatenate([upper, lower]) + 0.1 * rng.normal(size=(200, 2))
    first = rng.normal(size=(2, 8))
    return points, np.repeat([0.0, 1.0], 100), (first, np.zeros(8), rng.normal(size=8) / np.sqrt(8), 0.0)


def by_hand(points, label, w1, b1, w2, b2):
    """The loss of the network and its derivatives: backpropagation written out."""
    hidden = np.tanh(points @ w1 + b1)
    score = hidden @ w2 + b2
    loss = np.mean(np.log(1 + np.exp(score)) - label * score)
    up = (1 / (1 + np.exp(-score)) - label) / len(label)
    inner = np.outer(up, w2) * (1 - hidden**2)
    return loss, (points.T @ inner, inner.sum(0), hidden.T @ up, up.sum())


def test_the_network(arrays):
    points, label, weights = two_moons()
    loss, slopes = by_hand(points, label, *weights)
    close_to(arrays[1]["network"], loss, **dict(zip(("W1", "b1", "W2", "b2"), slopes, strict=True)))


def test_the_network_by_autograd(arrays):
    import autograd
    import autograd.numpy as anp

    points, label, weights = two_moons()

    def loss(w1, b1, w2, b2):
        score = anp.tanh(points @ w1 + b1) @ w2 + b2
        return anp.mean(anp.logaddexp(0, score) - label * score)

    slopes = autograd.grad(loss, argnum=(0, 1, 2, 3))(*weights)
    close_to(arrays[1]["network"], loss(*weights), **dict(zip(("W1", "b1", "W2", "b2"), slopes, strict=True)))


def test_the_training(arrays):
    """The same loop with the derivatives by hand: what is printed, the weights at the end, and the picture."""
    notebook, _, trained = arrays
    points, label, weights = two_moons()

    def score(at):
        return np.tanh(at @ weights[0] + weights[1]) @ weights[2] + weights[3]

    lines = []
    for step in range(501):
        loss, slopes = by_hand(points, label, *weights)
        if step % 100 == 0:
            lines.append(f"step {step:3}   loss {loss:.4f}   right {np.mean((score(points) > 0) == label):.1%}")
        weights = tuple(w - slope for w, slope in zip(weights, slopes, strict=True))
    assert shown(notebook, "value_and_grad(network_loss").splitlines() == lines
    assert lines[-1].endswith("right 100.0%")
    for name, expected in zip(("W1", "b1", "W2", "b2"), weights, strict=True):
        np.testing.assert_allclose(trained[name], expected, rtol=1e-7)
    np.testing.assert_array_equal(trained["points"], points)
    picture = shown(notebook, "for height in").splitlines()
    heights, columns = np.linspace(1.4, -0.9, 16), np.linspace(-1.4, 2.4, 64)
    assert [len(line) for line in picture] == [64] * 16
    for height, line in zip(heights, picture, strict=True):
        scores = score(np.column_stack([columns, np.full(64, height)]))
        assert all((sign == "#") == (s > 0) for sign, s in zip(line, scores, strict=True) if abs(s) > 1e-6)


# ---- the third -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def programs(root):
    """The third example, executed."""
    notebook = nbformat.read(root / "examples" / "03-generated-code.ipynb", as_version=4)
    return (execute(notebook, root / "examples"),)


def run_shown(notebook, part, *inputs):
    """What the program that a cell shows gives, run on its own."""
    namespace: dict = {}
    exec(shown(notebook, part), namespace)
    return namespace["derivative"](*inputs)


@pytest.mark.parametrize("part", ["%%interleave x=2 y=3 -o z_of", 'print(z_of.code("reverse"))'])
def test_the_programs_that_are_shown(programs, part):
    z, dx, dy = closed_form(1.3, -0.4)
    value, slope = run_shown(programs[0], part, 1.3, -0.4)
    assert value == pytest.approx(z, rel=1e-12)
    assert slope == pytest.approx({"x": dx, "y": dy}, rel=1e-12)


def test_one_seed(programs):
    value, slope = run_shown(programs[0], "--style compact --seed x", 1.3, -0.4)
    assert (value, slope["x"]) == pytest.approx(closed_form(1.3, -0.4)[:2], rel=1e-12)
    assert list(slope) == ["x"]


def test_the_root(programs):
    value, slope = run_shown(programs[0], "%%interleave a=2 -o root", 7.0)
    assert (value, slope["a"]) == pytest.approx((math.sqrt(7), 0.5 / math.sqrt(7)), rel=1e-12)


def test_the_loss_with_a_point_far_off(programs):
    """At 0.5 the residuals are -0.1, -0.2 and -2: a half of the squares, and |e| - 1/2 beyond 1."""
    value, slope = run_shown(programs[0], "%%interleave slope=0.5", 0.5)
    assert (value, slope["slope"]) == pytest.approx((0.005 + 0.02 + 1.5, -0.2 * 1.0 - 1.0 * 2.0), rel=1e-12)


def test_the_logistic_map(programs):
    """The tangents of the recurrence by hand."""
    x, dx, dr = 0.2, 1.0, 0.0
    for _ in range(50):
        x, dx, dr = 3.2 * x * (1 - x), 3.2 * (1 - 2 * x) * dx, x * (1 - x) + 3.2 * (1 - 2 * x) * dr
    value, slope = run_shown(programs[0], 'print(map.code("reverse"))', 0.2, 3.2)
    assert (value, slope["x"], slope["r"]) == pytest.approx((x, dx, dr), rel=1e-9)


def test_what_is_said_at_the_end(programs):
    notebook = programs[0]
    assert shown(notebook, 'exec(net.code("reverse")') == "(True, True)"
    assert "AssertionError: line 2 decides otherwise here" in shown(notebook, "kinked.code")
    assert shown(notebook, "z_of.save(page)") == "('lecture.html', True)"


# ---- the fourth ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trust(root):
    """The fourth example, executed."""
    notebook = nbformat.read(root / "examples" / "04-trust.ipynb", as_version=4)
    return (execute(notebook, root / "examples"),)


def test_the_check_of_the_fourth(trust):
    notebook = trust[0]
    assert shown(notebook, "-o checked").startswith("✓ f at x = 1: all 3 comparisons agree\n")
    assert eval(shown(notebook, "truncation_slope")) == {
        "central differences": 2, "forward differences": 1, "complex step": 2
    }  # fmt: skip
    formula = shown(notebook, '--expect "w=w**2"')
    assert formula.startswith("✗ total at w = array of 5: your formula for w differs; 15 comparisons agree\n")
    assert "the correlation is 1, yet the numbers differ: a factor 3 is missing in the formula" in formula
    assert shown(notebook, "%%gradcheck W b").startswith("✓ loss at W = array of 6 × 10, b = array of 10: all 213")
    assert "kink: left slope 0, right slope 2" in shown(notebook, "%%gradcheck x=0\n")
    lost = shown(notebook, "text = str(x)")
    assert lost.startswith("✗ y at x = 0.75") and "No operation is to blame" in lost


def test_the_flags_of_the_fourth(trust):
    notebook = trust[0]
    assert eval(shown(notebook, "corner.flags[0].left")) == (-1, 1, 0)
    assert "backward, the adjoint of v1 = x is infinite" in shown(notebook, "a = math.sqrt(x)\nz")
    lossy, exact = shown(notebook, "lossy.value").splitlines()
    assert abs(float(lossy.split()[0]) - 0.5) > 1e-5 and "cancellation" in lossy
    assert float(exact.split()[0]) == pytest.approx(0.5, rel=1e-14) and exact.endswith("[]")
    kinds = [line.split()[0] for line in shown(notebook, "for flag in stops.flags").splitlines()]
    assert kinds == ["derivative-stops", "derivative-stops", "equality-branch", "independent"]


def test_what_it_costs(trust):
    """Six operations; and the constants of the product and of Rosenbrock's function."""
    counts = eval(shown(trust[0], "r.cost.operations"))
    assert list(counts.values()) == [6, 18, 30, 17, 24, 24]
    product = [line.split() for line in shown(trust[0], "growth(math.prod, [2").splitlines()[2:9]]
    assert [list(map(float, row)) for row in product] == [
        [n, n - 1, 1 + 3 * n, 3, 2 * n] for n in (2, 5, 10, 20, 50, 100, 200)
    ]
    lines = shown(trust[0], "def rosenbrock").splitlines()
    assert [line.split("reverse")[1].split()[0] for line in lines] == ["2.13"] * 3
    assert [line.split("tape")[1].split()[0] for line in lines] == ["81", "891", "8991"]


def test_what_an_adjoint_means(trust):
    slack = re.findall(r"-?\d+\.\d{6}", shown(trust[0], "meaning.slack(row.name"))
    assert slack == [f"{math.sin(6):.6f}"] * 2  # v5 = (x + 2y)², z = v5 sin(xy)
    numbers, same = shown(trust[0], "np.linalg.solve(meaning").rstrip().rsplit("\n", 1)
    _, dx, dy = closed_form(2, 3)
    assert [float(x) for x in numbers.strip("[]").split()][:2] == pytest.approx([dx, dy], abs=1e-6)
    assert same == "True"


def test_the_quiz(trust):
    text = shown(trust[0], "homework.quiz.answer")
    assert text.count("right") == 4  # three answers, and in the score
    assert "multiply it by v̄7" in text and "a term is missing: v̄4·∂v4/∂v1" in text and "right=3, asked=8" in text
    assert shown(trust[0], "third.save(sheet") == "('homework.html', True)"


# ---- the fifth -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def higher(root):
    """The fifth example, executed."""
    notebook = nbformat.read(root / "examples" / "05-higher-order.ipynb", as_version=4)
    return (execute(notebook, root / "examples"),)


def test_the_hessian_of_the_fifth(higher):
    """z = (x + 2y)² sin(xy) at (2, 3), by hand."""
    s, sin, cos = 8, math.sin(6), math.cos(6)
    xx = 2 * sin + 4 * s * 3 * cos - s**2 * 9 * sin
    xy = 4 * sin + 2 * s * 2 * cos + 4 * s * 3 * cos + s**2 * cos - s**2 * 6 * sin
    yy = 8 * sin + 8 * s * 2 * cos - s**2 * 4 * sin
    table, eigenvalues = shown(higher[0], "H = r.hessian()").split("{")
    assert [float(x) for x in re.findall(r"-?\d+\.\d+", table)] == pytest.approx([xx, xy, xy, yy], abs=1e-6)
    assert float(eigenvalues.rsplit(None, 1)[1]) == pytest.approx(xx * yy - xy**2, abs=1e-3)
    assert f"y   {xy:.3f}  {yy:.3f}" in shown(higher[0], "--order 2 -o r")


def test_newton_in_the_fifth(higher):
    errors = [float(x) for x in re.findall(r"error (\S+)", shown(higher[0], "def newton(f, v"))]
    assert errors[-1] < errors[-2] ** 2 < errors[-3] ** 4 * 100
    kinds = re.findall(r"\(([^)]*)\).*: an? (\w+)", shown(higher[0], "def himmelblau"))
    points = {tuple(map(float, point.split(","))): kind for point, kind in kinds}
    assert len(points) == 9 and points[3.0, 2.0] == "minimum" and points[-0.2708, -0.9230] == "maximum"
    for (x, y), kind in points.items():  # the second derivatives by hand
        fxx, fyy, fxy = 12 * x**2 + 4 * y - 42, 12 * y**2 + 4 * x - 26, 4 * (x + y)
        sign = fxx * fyy - fxy**2
        assert kind == ("saddle" if sign < 0 else "minimum" if fxx > 0 else "maximum")
    assert shown(higher[0], "def newton_cg").count("True") == 2
    nested, by_hand = shown(higher[0], "def curvature").splitlines()[0].split()
    assert nested == by_hand and "at x = 0.000000, by 1.000000" in shown(higher[0], "def curvature")
    third, tenth = shown(higher[0], "series.taylor(10)").splitlines()
    assert third.split()[0] == by_hand and len(set(tenth.split()[:2])) == 1
    assert shown(higher[0], "from scipy.optimize").count("[1. 1. 1. 1. 1.]") == 3
    assert "[2.5 1.3 0.5]" in shown(higher[0], "from scipy.optimize")


def test_sparse_in_the_fifth(higher):
    """Three diagonals, three sweeps; and the middle of Bratu's rod from its closed form."""
    assert shown(higher[0], "for n in (10, 100").count(": 3 forward sweeps") == 4
    theta = 1.5
    for _ in range(60):  # u(1/2) = 2 ln cosh(θ / 4), where θ = √2 cosh(θ / 4)
        theta = math.sqrt(2) * math.cosh(theta / 4)
    middle = re.findall(r"middle (\d\.\d+)", shown(higher[0], "spsolve"))
    assert float(middle[-1]) == pytest.approx(2 * math.log(math.cosh(theta / 4)), abs=1e-6)
    assert "leaves out derivatives" in shown(higher[0], "spsolve")
    assert eval(shown(higher[0], "H.shape, H.nnz")) == ((2000, 2000), 3 * 2000 - 2, 3)
    takes = [line.split()[-1] for line in shown(higher[0], "def of(name").splitlines()[2:]]
    assert takes == ["reverse", "forward", "reverse", "reverse", "forward"]
    assert "jacobian(f) takes forward mode: 1 sweep, reverse mode has 3." in shown(higher[0], "--show cost")
    assert "stands at a corner" in shown(higher[0], "eigvalsh")


# ---- the sixth -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def implicit(root):
    """The sixth example, executed."""
    notebook = nbformat.read(root / "examples" / "06-implicit.ipynb", as_version=4)
    return (execute(notebook, root / "examples"),)


def test_three_ways_to_one_derivative(implicit):
    """Unrolled, implicit and by hand, to ten digits: z = a cos z, Kepler's equation at M = 1 and e = 1/2, √2."""
    lines = shown(implicit[0], "def cosine(a)").splitlines()[1:]
    found = [re.findall(r"\d\.\d{10}", line) for line in lines]
    assert found == [
        ["0.7390851332", *["0.4416107917"] * 3],
        ["1.4987011335", *["1.0373620219"] * 3],
        ["1.4987011335", *["1.0346672324"] * 3],
        ["1.4142135624", *["0.3535533906"] * 3],
    ]
    assert [tuple(map(int, re.findall(r"\d+", line)[-2:])) for line in lines] == [(140, 2), (122, 3), (122, 3), (19, 2)]
    assert re.findall(r"\d\.\d{10}", shown(implicit[0], 'print(f"unrolled')) == ["0.4416107917"] * 3


def test_the_unrolled_derivative_comes_later(implicit):
    """After k steps the error of z is in proportion to ρ^k, that of z' to k ρ^k: with ρ = a sin z = 0.6736."""
    cosine, newton = shown(implicit[0], "def errors").split("√2")
    errors = {int(k): float(e) for k, e in re.findall(r"(\d+) steps.*z off by (\S+)   z′", cosine) if e != "<"}
    assert math.log(errors[60] / errors[20]) / 40 == pytest.approx(math.log(0.6736120292), abs=2e-3)
    assert newton.count("< 1e-14") == 2
    one_step = shown(implicit[0], "def until_good").splitlines()[-1]
    assert re.findall(r"\d\.\d{10}", one_step) == ["0.7390851332"] * 2  # cos z, which is z


def test_the_solvers_of_the_sixth(implicit):
    notebook = implicit[0]
    assert shown(notebook, "planet.check().ok") == shown(notebook, "animals.check().ok") == "True"
    ours, by_elliptic_integrals = shown(notebook, "ellipe(k**2)").split()
    assert ours == by_elliptic_integrals
    assert "brentq by the implicit function theorem" in shown(notebook, "-o planet")
    assert "λ′ = −f_yᵀ λ" in shown(notebook, "-o animals")
    first = shown(notebook, "def best(drag)").splitlines()[0]
    assert "45.00°" in first and f"{900 / 9.81:.2f} m" in first  # without drag: v²/g


# ---- the seventh ----------------------------------------------------------------------------------

ASK_MOONS = """
import json as _json
_lists = lambda found: {name: np.asarray(x).tolist() for name, x in found.items()}
print(_json.dumps([_lists(x) for x in (net.inputs, net.grad, {"points": points, "label": label, "loss": net.value})]))
"""


@pytest.fixture(scope="module")
def moons(root):
    """The seventh example, executed; the weights at the start, the derivatives there, the points."""
    notebook = nbformat.read(root / "examples" / "07-two-moons.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK_MOONS))
    execute(notebook, root / "examples")
    found = json.loads(notebook.cells[-1].outputs[0].text)
    return notebook, *({name: np.array(x) for name, x in part.items()} for part in found)


def test_the_backpropagation_of_the_seventh(moons):
    """By hand; and neuron by neuron it is the same."""
    notebook, weights, slopes, given = moons
    W1, b1, W2, b2, W3, b3 = weights.values()
    points, label = given["points"], given["label"]
    s1 = points @ W1 + b1
    s2 = np.maximum(s1, 0) @ W2 + b2
    score = (np.maximum(s2, 0) @ W3 + b3)[:, 0]
    loss = np.mean(np.maximum(1 - label * score, 0)) + 1e-4 * sum(np.sum(w**2) for w in weights.values())
    score_bar = np.where(label * score < 1, -label, 0)[:, None] / len(label)
    s2_bar = (score_bar @ W3.T) * (s2 > 0)
    s1_bar = (s2_bar @ W2.T) * (s1 > 0)
    by_hand = {
        "W1": points.T @ s1_bar, "b1": s1_bar.sum(0), "W2": np.maximum(s1, 0).T @ s2_bar, "b2": s2_bar.sum(0),
        "W3": np.maximum(s2, 0).T @ score_bar, "b3": score_bar.sum(0),
    }  # fmt: skip
    assert given["loss"] == pytest.approx(loss, rel=1e-13)
    for name, w in weights.items():
        np.testing.assert_allclose(slopes[name], by_hand[name] + 2e-4 * w, rtol=1e-10, atol=1e-14)
    assert shown(notebook, "model.put(first_slopes)") == "(True, [True, True, True])"
    assert f"loss {loss:.6f}" in shown(notebook, "first_loss, first_slopes")


def test_both_forms_of_the_seventh_learn(moons):
    for part in ("parameters, steps = start", "range(200)"):
        last = shown(moons[0], part).splitlines()[-1]
        assert float(re.search(r"right (\d+)%", last)[1]) > 95
    assert "True" in shown(moons[0], "end = trace")  # what pulls at the end is the small term alone


# ---- all ------------------------------------------------------------------------------------------

NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def alike(one: str, other: str) -> bool:
    """The same words, and numbers that differ by one in the last decimal shown at most: sums on another processor do.

    Trailing zeros are not printed, so the coarser of two numbers says which decimal is the last. Counts are equal.
    """

    def last_digit(text):
        digits, _, power = text.partition("e")
        decimals = len(digits.partition(".")[2])
        return Decimal(10) ** (int(power or 0) - decimals) if decimals else 0

    def near(a, b):
        a, b = a.replace("−", "-"), b.replace("−", "-")
        return abs(Decimal(a) - Decimal(b)) <= max(last_digit(a), last_digit(b))

    def words(text):
        return NUMBER.sub("#", text).split()

    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=False)
    return words(one) == words(other) and all(near(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("last = 9.69488663337", "last = 9.6948866334", True),
        ("z = −1.25e-7 at x", "z = −1.26e-7 at x", True),
        ("z = −1.25e-7", "z = 1.25e-7", False),
        ("z = 1.25e-7", "z = 1.25e-6", False),
        ("z = 9.6948866", "z = 9.6948869", False),
        ("x = 3.5, 2 rows", "y = 3.5, 2 rows", False),
        ("z = 9", "z = 8.99999999999", True),
        ("2 rows", "3 rows", False),
        ("1 2", "1 2 3", False),
    ],
)
def test_what_counts_as_the_same_output(one, other, same):
    assert alike(one, other) is same


@pytest.mark.parametrize(
    ("name", "executed"),
    [
        ("01-five-programs", "five"),
        ("02-numpy", "arrays"),
        ("03-generated-code", "programs"),
        ("04-trust", "trust"),
        ("05-higher-order", "higher"),
        ("06-implicit", "implicit"),
        ("07-two-moons", "moons"),
    ],
)
def test_the_stored_outputs_are_of_this_version(root, name, executed, request):
    """What the repository shows of the notebook is what it gives: `python examples/refresh.py` makes it so."""

    def first_lines(cell):
        found = [output.get("data", {}) for output in cell.outputs]
        texts = [
            data["text/plain"] for data in found if data.get("text/plain") and not any("widget" in k for k in data)
        ]
        return [text.splitlines()[0] for text in texts]  # the result line; what is below may differ in a last digit

    def printed(cell):
        return "".join(output.text for output in cell.outputs if output.output_type == "stream")

    stored = nbformat.read(root / "examples" / f"{name}.ipynb", as_version=4)
    for old, new in zip(stored.cells, request.getfixturevalue(executed)[0].cells, strict=False):
        if old.cell_type == "code":
            assert alike("\n".join(first_lines(old)), "\n".join(first_lines(new)))
            assert alike(printed(old), printed(new))
            assert not any("widget-view" in kind for output in old.outputs for kind in output.get("data", {}))
    assert "widgets" not in stored.metadata


def test_the_readme_shows_what_is_printed(root, shell):
    """Each cell of the README with its table; the notes below the table are left out there."""
    text = (root / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"(%%grad [^`]*)```\n\n```text\n([^`]*)```", text)
    assert len(shown) == 2
    cells = Cells(shell)
    cells.plain("import math\nimport numpy as np")
    for source, table in shown:
        first, body = source.split("\n", 1)
        result = cells.grad(first.removeprefix("%%grad "), body.rstrip())
        printed = "\n".join(line.rstrip() for line in render(result, width=110).splitlines())
        assert printed.startswith(table.rstrip()), printed
    cells.done()


def test_the_readme_shows_the_program_that_is_written(root, shell):
    text = (root / "README.md").read_text(encoding="utf-8")
    source, program = re.search(r"(%%grad a=2 [^`]*)```\n\n```python\n([^`]*)```", text).groups()
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell(f"{source.rstrip()}".replace("-o r", "-o r -q"))
    assert shell.user_ns["r"].code("reverse").rstrip() == program.replace('  # r.code("reverse")', "").rstrip()


def test_an_error_stops_the_notebook(tmp_path):
    cells = ["%load_ext ad_magic", "%%grad x=2.0\na = 1\nz = a / (x - 2)", "print('never')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    with pytest.raises(CellExecutionError) as caught:
        execute(notebook, tmp_path)
    message = re.sub(r"\x1b\[[0-9;]*m", "", str(caught.value))
    assert "Cell In[2], line 3" in message
    assert "ad_magic" not in message.split("------------------")[2]
    assert not notebook.cells[2].outputs
