"""The example notebooks, executed as a whole in a kernel; every number they show against closed forms."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from oracles import Cells

import ad_magic
from ad_magic.report.text import render

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
    autograd = pytest.importorskip("autograd")
    anp = pytest.importorskip("autograd.numpy")
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


# ---- all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "executed"),
    [("01-five-programs", "five"), ("02-numpy", "arrays"), ("03-generated-code", "programs")],
)
def test_the_stored_outputs_are_of_this_version(root, name, executed, request):
    """What the repository shows of the notebook is what it gives: `python examples/refresh.py` makes it so."""

    def first_lines(cell):
        texts = [output["data"]["text/plain"] for output in cell.outputs if output.get("data", {}).get("text/plain")]
        return [text.splitlines()[0] for text in texts]  # the result line; what is below may differ in a last digit

    def printed(cell):
        return "".join(output.text for output in cell.outputs if output.output_type == "stream")

    stored = nbformat.read(root / "examples" / f"{name}.ipynb", as_version=4)
    for old, new in zip(stored.cells, request.getfixturevalue(executed)[0].cells, strict=False):
        if old.cell_type == "code":
            assert first_lines(old) == first_lines(new)
            assert printed(old) == printed(new)
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
