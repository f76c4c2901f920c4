"""What an adjoint means: the triangular system solved, and the slope of the output in a slack of each row."""

from __future__ import annotations

import math
import re
import warnings

import numpy as np
import pytest
from case_files import cases, run_case

from ad_magic.engine.system import NoSystem, local_jacobian, system
from ad_magic.report.result import Result

LECTURE = "z = (x + 2*y)**2 * math.sin(x*y)"


# ---- the system --------------------------------------------------------------------------------------


def test_the_matrix_of_the_lecture(run):
    """Written out by hand: v3 = 2y, v4 = x + v3, v5 = v4², v6 = xy, v7 = sin v6, v8 = v5 v7 at (2, 3)."""
    e = run("x=2 y=3", LECTURE).equations
    sin, cos = math.sin(6), math.cos(6)
    jacobian = np.zeros((8, 8))
    jacobian[2, 1] = 2
    jacobian[3, 0] = jacobian[3, 2] = 1
    jacobian[4, 3] = 16
    jacobian[5, 0], jacobian[5, 1] = 3, 2
    jacobian[6, 5] = cos
    jacobian[7, 4], jacobian[7, 6] = sin, 64
    np.testing.assert_allclose(e.matrix, np.eye(8) - jacobian.T, rtol=1e-15)
    assert np.array_equal(np.triu(e.matrix), e.matrix), "triangular"
    assert e.agree
    assert [float(x[0]) for x in e.multipliers][:2] == pytest.approx(
        [16 * sin + 3 * 64 * cos, 32 * sin + 2 * 64 * cos], rel=1e-14
    )


SCIPY = [name for k, name in enumerate(sorted(cases())) if k % 16 == 3]


@pytest.mark.parametrize("name", SCIPY)
def test_the_solution_is_the_adjoints_and_a_slack_their_slope(shell, name):
    """On cells that must work: SciPy solves the triangle, and differences of a replayed run measure the slopes."""
    from scipy.linalg import solve_triangular

    shell.run_line_magic("load_ext", "ad_magic")
    r = run_case(shell, cases()[name])
    if isinstance(r, BaseException) or len(r.outputs) != 1 or not r.run.outputs[0].scalar:
        return
    row = r.run.outputs[0].rows
    if row is None or len(r.run.tape) > 300:
        return
    try:
        s = system(r.run.tape)
    except NoSystem:
        return
    adjoints = r._adjoints(row)
    right = np.zeros(s.size)
    right[s.blocks[s.block_of(row)].start] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = solve_triangular(s.matrix(), right, check_finite=False)
    if np.isfinite(found).all():
        scale = max(1.0, np.max(np.abs(found)))
        for block in s.blocks:
            if not block.memory:
                own = np.broadcast_to(adjoints[block.row], np.shape(r.run.tape.values[block.row])).ravel()
                np.testing.assert_allclose(found[block.places], own, rtol=0, atol=1e-12 * scale)
        assert r.equations.agree
    if r.flags:  # at a kink there is no slope
        return
    for equation in r.equations.rows:
        if equation.slope is not None:
            adjoint = float(np.asarray(equation.adjoint)[equation.entry])
            assert equation.slope == pytest.approx(adjoint, rel=1e-6, abs=1e-9), equation.constraint


@pytest.mark.parametrize(
    ("cell", "jacobian"),
    [
        ("z = x @ np.array([[1., 2.], [3., 4.]])", [[1, 3], [2, 4]]),
        ("z = x[::-1]", [[0, 1], [1, 0]]),
        ("z = x * np.array([[5.], [7.]])", [[5, 0], [0, 5], [7, 0], [0, 7]]),
        ("z = np.cumsum(x)", [[1, 0], [1, 1]]),
        ("z = np.outer(x, x)", None),
    ],
)
def test_the_local_jacobian_of_an_array_operation(run, cell, jacobian):
    """By hand, or by central differences of NumPy's own function."""
    x = np.array([2.0, -3.0])
    tape = run("x", cell, x=x).run.tape
    pairs = local_jacobian(tape, len(tape) - 1)
    total = sum(partial for _, partial in pairs)
    if jacobian is None:
        h = 1e-6
        moved = [(np.outer(x + h * e, x + h * e) - np.outer(x - h * e, x - h * e)).ravel() / (2 * h) for e in np.eye(2)]
        jacobian = np.array(moved).T
    np.testing.assert_allclose(total, jacobian, rtol=1e-8)


def test_a_memory_that_is_written_to_has_a_block_for_each_state(run):
    r = run("x=2.0", "b = np.zeros(3)\nb[0] = x\nb[1:] = x*x\nb[0] = b[0] * b[2]\nz = b[0] + b[1]")
    s = system(r.run.tape)
    assert sum(block.memory for block in s.blocks) >= 4
    assert r.equations.agree  # z = x³ + x²
    assert r.equations.rows[0].slope == pytest.approx(3 * 2**2 + 2 * 2, rel=1e-9)


def test_what_is_too_large_is_not_written_out(run):
    r = run("x", "z = np.sum(x*x)", x=np.linspace(0, 1, 500))
    with pytest.raises(NoSystem, match="more than 400 unknowns"):
        system(r.run.tape)
    text = r.equations.to_text()
    assert "No system: the program has more than 400 unknowns" in text and "slope by slack" in text


# ---- slack -------------------------------------------------------------------------------------------


def test_slack_by_hand(run):
    """v4 = x + 2y is given δ: z = (v4 + δ)² sin(xy)."""
    r = run("x=2 y=3", LECTURE)
    for delta in (0.0, 0.5, -3.0):
        assert r.slack("v4", delta) == pytest.approx((8 + delta) ** 2 * math.sin(6), rel=1e-15)
    assert r.slack(0, 0.25) == pytest.approx(8.25**2 * math.sin(2.25 * 3), rel=1e-15)
    assert r.slack("v8", 1.5) == r.value + 1.5
    assert r.slack("v4", 1.0) != r.value and r.value == r.equations._r.value  # the result itself is as it was


def test_slack_in_an_entry(run):
    r = run("x", "y = x * 2\nz = y @ y", x=np.array([1.0, 2.0, 3.0]))
    assert r.slack("v2", np.array([0, 0.5, 0])) == 4 + 4.5**2 + 36
    assert r.slack("v2", 1.0) == 9 + 25 + 49  # in every entry


def test_slack_in_several_outputs(run):
    r = run("x=2 y=3 --of a,b", "a = x*y\nb = a + x")
    assert r.slack("v3", 0.5) == {"a": 6.5, "b": 8.5}


def test_slack_respects_decisions(run):
    r = run("x=2.0", "y = x - 1\nz = y*3 if y > 0 else y*5")
    assert r.slack("v2", 0.5) == 4.5
    with pytest.raises(ValueError, match=r"line 3: z = y\*3 if y > 0 else y\*5 goes another way"):
        r.slack("v2", -2.0)


def test_slack_where_an_operation_raises(run):
    r = run("x=2.0", "y = x - 1\nz = math.log(y)")
    with pytest.raises(ValueError, match="ValueError with this slack: "):
        r.slack("v2", -2.0)


@pytest.mark.parametrize("row", ["v9", "z", 99, -1])
def test_slack_in_a_row_that_there_is_not(run, row):
    with pytest.raises(ValueError, match=r"there is no row .*: rows are v1 to v2, or 0 to 1"):
        run("x=2.0", "z = x*x").slack(row, 0.1)


def test_a_slack_that_cannot_be_measured_has_no_slope(run):
    """Every slack but the tiniest changes the number of steps."""
    r = run("a=2.0", "x = 1.0\nwhile abs(x*x - a) > 1e-12: x = (x + a/x)/2\nz = x")
    residuals = [e for e in r.equations.rows if "-" in e.constraint and abs(e.value) < 1e-12]
    assert residuals and all(e.slope in (None, 0.0) for e in residuals)


# ---- what is shown -------------------------------------------------------------------------------------


def test_the_text_of_the_lecture(run):
    text = run("x=2 y=3", LECTURE).to_text(show="equations")
    assert "L = z − λ1·(v1 − x) − λ2·(v2 − y) − λ3·(v3 − 2 * v2) − λ4·(v4 − (v1 + v3))" in text
    lines = text.split("\n")
    sweep = [re.split(r"\s{2,}", line)[0] for line in lines if re.match(r"λ\d+ = ", line)]
    assert sweep[0] == "λ8 = 1" and sweep[-1] == "λ1 = λ4·∂v4/∂v1 + λ6·∂v6/∂v1"
    assert "8 × 8" in text and "λ is the adjoints, to 1e-12" in text


@pytest.mark.parametrize("mode", ["both", "reverse"])
def test_each_line_of_the_sweep_adds_up(run, mode):
    """The numbers of a line, evaluated, are its multiplier."""
    r = run(f"x=2 y=3 --mode {mode}", LECTURE)
    for equation in r.equations.rows:
        if equation.numbers:
            written = equation.numbers.replace("−", "-").replace("·", "*")
            assert eval(written) == pytest.approx(equation.multiplier, rel=1e-5)
            assert equation.multiplier == pytest.approx(r.rows[equation.row].adjoint, rel=1e-12)


def test_forward_mode_has_the_constraints_alone(run):
    r = run("x=2 y=3 --mode forward", LECTURE)
    for face in (r.to_text(show="equations"), r.to_html(show="equations"), r.equations.to_markdown()):
        assert "The adjoints need reverse mode" in face
    assert "slope by slack" not in r.to_text(show="equations")
    assert r.slack("v4", 0.5) == pytest.approx(8.5**2 * math.sin(6))


def test_an_output_that_is_an_array(run):
    text = run("x", "z = x * 2", x=np.arange(3.0)).to_text(show="equations")
    assert "There are adjoints for one output that is a number" in text and "v2 = v1 * 2" in text


def test_a_loop_is_cut(run):
    e = run("x=2.0", "z = x\nfor i in range(100): z = z*0.99 + 1").equations
    assert len(e.rows) == 30 and e.left == 171 and "… 171 more" in e.to_text()
    assert e.agree and "m3 is what" not in e.to_text()
    assert all(x.slope == pytest.approx(x.adjoint, rel=1e-6) for x in e.rows)


def test_a_row_that_nothing_uses(run):
    r = run("x=2.0 --of z", "z = x*x\nw = z + 1")
    line = next(e for e in r.equations.rows if e.name == "v3")
    assert line.stationarity == "λ3 = 0" and line.multiplier == 0 and line.slope == 0


def test_arrays_are_blocks(run):
    r = run("x", "z = np.sum(np.sin(x))", x=np.array([0.5, 1.0]))
    text = r.to_text(show="equations")
    assert "λ1 = (∂v2/∂v1)ᵀ λ2" in text
    first = r.equations.rows[0]
    assert first.entry == (0,) and first.slope == pytest.approx(math.cos(0.5), rel=1e-9)


def test_the_html(run):
    html = run("x=2 y=3", LECTURE).to_html(show="equations")
    assert html.count("data-ad-equation=") == 8 and "λ<sub>8</sub>" in html and "ad-matrix" in html
    assert 'class="ad-part ad-equations" open' in html and "ad-part ad-equations" not in run("x=2", "z=x").to_html()


def test_text_of_the_user_is_no_markup(run):
    cell = "d = {'<img src=x onerror=alert(1)>': x}\nz = d['<img src=x onerror=alert(1)>'] * 2"
    html = run("x=2", cell).equations._repr_html_()
    assert "<img" not in html


def test_a_partial_that_is_infinite(run):
    r: Result = run("x=0.0", "z = math.sqrt(x)")
    assert r.equations.agree is None
    assert "not finite" in r.to_text(show="equations")
