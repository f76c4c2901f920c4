"""What a reader is told: the non-smooth table of engines.md, the first NaN and why, digits that cancel, what stops."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from ad_magic import grad as derivative
from ad_magic import trace

MODES = ["forward", "reverse", "both"]


@pytest.fixture
def cells(cells):
    cells.plain("import math\nimport numpy as np")
    return cells


def flags(result, kind):
    return [flag for flag in result.flags if flag.kind == kind]


# ---- the table of points without a derivative (engines.md, section 1) -------------------------------

# cell, inputs, derivatives by the written policy, kinds of flags
NON_SMOOTH = {
    "abs at 0": ("y = abs(x)", "x=0.0", {"x": 0.0}, {"kink"}),
    "np.abs at 0": ("y = np.abs(x)", "x=0.0", {"x": 0.0}, {"kink"}),
    "maximum of equals": ("y = np.maximum(x, t)", "x=1.0 t=1.0", {"x": 0.5, "t": 0.5}, {"kink"}),
    "max of equals": ("y = max(x, t)", "x=1.0 t=1.0", {"x": 0.5, "t": 0.5}, {"kink"}),
    "max of an array": ("y = w.max()", "w=np.array([1.0,1.0,0.0])", {"w": [0.5, 0.5, 0.0]}, {"kink"}),
    "relu as maximum": ("y = np.maximum(x, 0)", "x=0.0", {"x": 0.5}, {"kink"}),
    "relu as a branch": ("y = x if x > 0 else 0*x", "x=0.0", {"x": 0.0}, {"kink"}),
    "relu as a product": ("y = x*(x > 0)", "x=0.0", {"x": 0.0}, {"kink", "derivative-stops"}),
    "clip at its edge": ("y = np.clip(x, -1, 1)", "x=1.0", {"x": 0.5}, {"kink"}),
    "sqrt at 0": ("y = math.sqrt(x)", "x=0.0", {"x": math.inf}, {"kink", "nan"}),
    "a power at 0": ("y = x**0.5", "x=0.0", {"x": math.inf}, {"kink", "nan"}),
    "norm at 0": ("y = np.linalg.norm(w)", "w=np.zeros(2)", {"w": [0.0, 0.0]}, {"kink"}),
    "x**0 at 0": ("y = x**0", "x=0.0", {"x": 0.0}, set()),
    "x**0. at 0": ("y = x**0.", "x=0.0", {"x": 0.0}, set()),
    "0**y at 2": ("y = 0**x", "x=2.0", {"x": 0.0}, set()),
    "x**x at 0": ("y = x**x", "x=0.0", {"x": -math.inf}, {"nan"}),  # log x + 1 by continuity
    "a product with a zero": ("y = np.prod(w)", "w=np.array([1.0,0.0,3.0])", {"w": [0.0, 3.0, 0.0]}, set()),
    "sinc at 0": ("y = np.sinc(x)", "x=0.0", {"x": 0.0}, set()),
    "std of equals": ("y = np.std(w)", "w=np.array([1.0,1.0])", {"w": [0.0, 0.0]}, {"kink"}),
    "where": ("y = np.where(w>0,np.sqrt(w),0).sum()", "w=np.array([0.0,4.0])", {"w": [0.0, 0.25]}, {"kink"}),
    "softplus far out": ("y = np.log1p(np.exp(np.float64(x)))", "x=1000.0", {"x": 1.0}, {"nan"}),
    "logaddexp far out": ("y = np.logaddexp(x, 0)", "x=1000.0", {"x": 1.0}, set()),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NON_SMOOTH)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_point_without_a_derivative(cells, name, mode):
    cell, inputs, want, kinds = NON_SMOOTH[name]
    result = cells.grad(f"{inputs} --of y", cell, mode)
    for x, slope in want.items():
        np.testing.assert_array_equal(result.grad[x], slope)
    found = {flag.kind for flag in result.flags}
    assert kinds <= found
    assert found <= kinds | {"nan"} if any(map(np.any, map(np.isinf, want.values()))) or "where" in name else True
    for flag in result.flags:
        assert flag.line == 2 and flag.message


def test_higher_derivatives_of_a_square_at_0():
    f = derivative(derivative(derivative(lambda x: x**2.0)))
    assert f(0.0) == 0.0
    assert derivative(derivative(lambda x: x**2.0))(0.0) == 2.0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_nan_is_silent(cells, mode):
    """NaN in a value or a derivative always has a flag."""
    for cell in ("y = x*np.inf", "y = (np.float64(x) - 1)/(x - 1)", "u = np.array([x])*np.inf\ny = (u - u).sum()"):
        for at in (0.0, 1.0):
            result = cells.grad(f"x={at} --of y", cell, mode)
            if math.isnan(result.value) or math.isnan(result.grad["x"]):
                assert flags(result, "nan"), cell


# ---- kinks: what stands on either side, and what was taken ------------------------------------------

SIDES = {
    "abs(x)": (0.0, -1.0, 1.0, 0.0),
    "max(x, 1.0)": (1.0, 0.0, 1.0, 0.5),
    "min(x, 1.0)": (1.0, 1.0, 0.0, 0.5),
    "math.hypot(x)": (0.0, -1.0, 1.0, 0.0),
    "math.sqrt(x)": (0.0, None, math.inf, math.inf),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("source", SIDES)
def test_the_slopes_on_either_side_and_the_one_taken(cells, source, mode):
    x, left, right, taken = SIDES[source]
    result = cells.grad(f"x={x} --of y", f"t = 3.0\ny = t*{source}", mode)
    (flag,) = flags(result, "kink")
    assert (flag.left, flag.right, flag.chosen, flag.line, flag.inputs) == (left, right, taken, 3, ("x",))
    h = 1e-7
    for side, slope in ((-1, left), (1, right)):  # of the operation itself
        if slope is not None and math.isfinite(slope):
            f = eval(f"lambda x: {source}", {"math": math})
            assert (f(x + side * h) - f(x)) / (side * h) == pytest.approx(slope, abs=1e-6)
    assert f"{taken:g} is taken" in flag.message
    assert result.rows[flag.row].flags[0] is flag


def test_an_infinite_slope_times_nothing_is_said(cells):
    result = cells.grad("x=0.0 --of y", "y = math.sqrt(x)*0.0 + x")
    assert result.grad["x"] == 1.0
    assert "0 · inf counts as 0" in flags(result, "kink")[0].message


def test_flags_say_which_inputs_they_concern(cells):
    result = cells.grad("a=0.0 b=2.0 c=1.0 --of y", "u = abs(a)\nv = int(b)*b\ny = u + v + c*1e-3")
    by_kind = {flag.kind: flag for flag in result.flags}
    assert by_kind["kink"].inputs == ("a",)
    assert by_kind["derivative-stops"].inputs == ("b",)
    line = result.to_text().split("\n")[0]
    parts = {part.split(" = ")[0]: part for part in line.split("   ")[1:]}
    assert [name for name, part in parts.items() if part.endswith("!")] == ["∂y/∂a", "∂y/∂b"]


# ---- the first NaN, and why -------------------------------------------------------------------------

REASONS = {
    "u = np.log(np.float64(x))\ny = u*2": (0.0, "the value of v2", 2, "the logarithm of 0 is -inf"),
    "u = np.log(np.float64(x))\ny = u*x": (0.0, "v3 = v2 * v1 is NaN", 3, "-inf · 0 has no value"),
    "u = np.sqrt(np.float64(x))\ny = u + 1": (-1.0, "v2 = sqrt(v1) is NaN", 2, "root of a negative number"),
    "u = x*1e300\ny = u*u": (1e10, "v2 = v1 * 1e+300", 2, "beyond the largest float"),
    "u = np.float64(1)/x\ny = u": (0.0, "v2 = 1.0 / v1 is infinite", 2, "a division by 0"),
    "u = 2*x\ny = math.sqrt(u)": (0.0, "the tangent of v3", 3, "the derivative of sqrt at 0 is infinite"),
    "t = math.sqrt(x)\ny = 5*t": (0.0, "backward, the adjoint of v1 = x", 2, "the derivative of sqrt at 0 is infinite"),
    "u = np.array([1.0, x])\ny = np.log(u).sum()": (-2.0, "is NaN", 3, "in entry [1] the logarithm of a negative"),
    "u = np.array([1.0, x])\ny = np.sqrt(u).sum()": (0.0, "the tangent", 3, "the derivative of sqrt at 0 is infinite"),
}


@pytest.mark.parametrize("cell", REASONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_first_row_that_is_not_finite_and_why(cells, cell):
    x, what, line, why = REASONS[cell]
    result = cells.grad(f"x={x} --of y", cell)
    found = [flag for flag in flags(result, "nan") if what in flag.message]
    assert found, result.flags
    assert found[0].line == line
    assert why in found[0].message


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_nan_that_was_there_before_is_nobodys_fault(cells):
    result = cells.grad("x=2.0 --of y", "y = x*float('nan')")
    assert all("the value" not in flag.message for flag in flags(result, "nan"))


# ---- digits that cancel -----------------------------------------------------------------------------

# an expression that loses digits at x, the operation to blame, and one that is the same function and keeps them
CANCEL = {
    "(1 - math.cos(x))/x**2": (1e-6, "1 - v2", "2*(math.sin(x/2)/x)**2"),
    "math.sqrt(x + 1) - math.sqrt(x)": (1e12, "v3 - v4", "1/(math.sqrt(x + 1) + math.sqrt(x))"),
    "math.exp(x) - 1": (1e-11, "v2 - 1", "math.expm1(x)"),
    "math.log(1 + x)": (1e-11, "log(v2)", "math.log1p(x)"),
    "(-x + math.sqrt(x*x - 4))/2": (1e6, "v2 + v5", "-2/(x + math.sqrt(x*x - 4))"),
    "(x + 1/3)**2 - x*x": (1e9, "v3 - v4", "2*x/3 + 1/9"),
}
mp_names = {"math": mpmath.mp}


def exactly(expression, x):
    """The value of an expression in 60 digits; 1/3 is the float that the program has."""
    text = expression.replace("1/3", "mp.mpf(1/3.0)").replace("math.expm1", "mp.expm1").replace("math.", "mp.")
    with mpmath.workdps(60):
        return eval(text, {"mp": mpmath.mp}, {"x": mpmath.mpf(x)})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("expression", CANCEL)
def test_the_operation_that_loses_the_digits_is_named(cells, expression, mode):
    x, to_blame, stable = CANCEL[expression]
    lossy = cells.grad(f"x={x} --of y", f"y = {expression}", mode)
    (flag,) = flags(lossy, "cancellation")
    assert lossy.rows[flag.row].expression == to_blame
    assert flag.line == 2 and flag.inputs == ("x",)
    truth = exactly(expression, x)
    assert abs(lossy.value - truth) > 1e-11 * abs(truth)  # in truth digits are lost
    if expression == "(x + 1/3)**2 - x*x":  # the other form has other constants
        return
    kept = cells.grad(f"x={x} --of y", f"y = {stable}", mode)
    assert flags(kept, "cancellation") == []
    assert abs(kept.value - truth) < 1e-15 * abs(truth)


@pytest.mark.parametrize("mode", MODES)
def test_arrays_cancel_too(cells, mode):
    """The variance as a difference of means (Higham 2002, section 1.9)."""
    cell = "y = (w*w).mean() - w.mean()**2"
    result = cells.grad("w=np.array([1e9,1e9+1,1e9+2.5]) --of y", cell, mode)
    (flag,) = flags(result, "cancellation")
    assert abs(result.value - np.var([0, 1, 2.5])) > 0.1
    result = cells.grad("w=np.array([1e9,1e9+1,1e9+2.5]) --of y", "m = w.mean()\ny = ((w - m)**2).mean()", mode)
    assert flags(result, "cancellation") == []
    result = cells.grad("w=np.array([1e-9,2e-9]) --of y", "u = (1 - np.cos(w))/w**2\ny = u.sum()", mode)
    (flag,) = flags(result, "cancellation")
    assert result.rows[flag.row].expression == "1 - v2"


@pytest.mark.parametrize(
    ("cell", "x"),
    [
        ("y = x - 1", 1 + 1e-12),  # the operands are exact, so is the difference
        ("y = x*x - 4*x + 4", 2.0),
        ("y = x - round(x)", 3.0000001),
        ("y = (x - 0.5) - (x - 0.5)", 0.75),
        ("y = x\nfor _ in range(30): y = (y + x/y)/2", 2.0),
        ("y = x\nfor _ in range(9): y = y - (y*y - x)/(2*y)", 2.0),  # what cancels does not reach the result
        ("y = math.cos(x) - 1 + x", 0.0),
        ("y = 5.0 + (math.exp(x) - 1)", 1e-12),  # nor here: it is small beside 5
        ("y = math.sin(x)**2 + math.cos(x)**2", 0.3),
        ("b = x*1e9\nn = [b, b + 1, b + 2.5]\nm = sum(n)/3\ny = sum((v - m)**2 for v in n)", 1.1),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_no_false_alarm(cells, cell, x, mode):
    assert flags(cells.grad(f"x={x!r} --of y", cell, mode), "cancellation") == []


def test_the_condition_of_a_row():
    """|x f'(x) / f(x)| of the input, and of a row the same with the rest of the program for f."""
    r = trace(lambda x: math.exp(3 * x), 0.7)
    assert [row.condition for row in r.rows] == pytest.approx([2.1, 2.1, 1.0], rel=1e-14)  # x, 3x, exp(3x)
    r = trace(lambda x: x**5, 1.3)
    assert r.rows[0].condition == pytest.approx(5.0, rel=1e-14)
    r = trace(lambda x: (1 - math.cos(x)) / x**2, 1e-3)
    cosine = next(row for row in r.rows if row.op == "cos")
    assert cosine.condition == pytest.approx(math.cos(1e-3) / (2 * math.sin(5e-4) ** 2), rel=1e-9)
    r = trace(lambda w: (w * w).sum(), np.array([1.0, -2.0, 3.0]))
    assert [row.condition for row in r.rows] == pytest.approx([2.0, 1.0, 1.0])
    assert all(row.condition is None for row in trace(lambda x: x - x, 1.0).rows)  # relative to 0 nothing is said
    assert "condition = 2.1" in r_text(trace(lambda x: math.exp(3 * x), 0.7))


def r_text(result):
    from ad_magic.report.text import render

    return render(result, partials=True)


# ---- where a derivative stops, and what does not matter ---------------------------------------------

STOPS = {
    "y = int(x)*x": "int(v1)",
    "y = round(x)*x": "round(v1)",
    "y = x//1 + x": "v1 // 1",
    "y = (x > 1)*x": "v1 > 1",
    "m = x > 1\ny = m*x": "v1 > 1",
    "y = x + sum(v > 0 for v in [x, 2*x])": "> 0",
    "y = float(str(x))*x": "a text",
    "u = np.zeros(2, dtype=int)\nu[0] = x\ny = u.sum() + x": "an array of floats keeps it",
    "u = np.array([x, -x])\ny = ((u > 0)*u).sum()": "> 0",
    "y = np.sign(x)*x": "sign(v1)",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cell", STOPS)
def test_a_derivative_that_stops_is_said_with_its_line(cells, cell, mode):
    result = cells.grad("x=2.5 --of y", cell, mode)
    found = flags(result, "derivative-stops")
    assert found and STOPS[cell].lower() in found[0].message.lower()
    assert found[0].line is not None and found[0].inputs == ("x",)


@pytest.mark.parametrize(
    "cell",
    [
        "y = x if x > 1 else -x",
        "y = x\nwhile y > 1: y = y/2",
        "assert x > 0\ny = x",
        "y = x*2 if x > 0 and x < 5 else x",
        "u = np.array([x, -x])\ny = u[u > 0].sum()",
        "u = np.array([x, -x])\ny = np.where(u > 0, u, 0).sum()",
        "print(x > 1)\ny = x",
        "ok = x > 1\ny = x if ok else -x",
    ],
)
def test_a_comparison_that_only_decides_is_no_stop(cells, cell):
    assert flags(cells.grad("x=2.5 --of y", cell), "derivative-stops") == []


INDEPENDENT = {
    "y = t*t": "which the cell does not compute with",
    "y = t if x > 1 else -t": "only looks at its plain value (line 2)",
    "u = x*x\ny = t": "nothing that is computed from it",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cell", INDEPENDENT)
def test_an_input_that_does_not_matter(cells, cell, mode):
    result = cells.grad("x=2.0 t=3.0 --of y", cell, mode)
    (flag,) = flags(result, "independent")
    assert flag.inputs == ("x",)
    assert flag.message.startswith("y does not depend on x") and INDEPENDENT[cell] in flag.message


def test_flags_in_every_face(cells):
    result = cells.grad("x=0.0 --of y", "u = abs(x)\ny = u + x")
    message = flags(result, "kink")[0].message
    assert f"! line 2: {message.replace('v1', 'v₁')}" in result.to_text() or f"! line 2: {message}" in result.to_text()
    assert "⚠" in result.to_markdown() and "⚠" in result.to_html()
    html = result.to_html()
    assert html.count("ad-node-mark") >= 1  # on the graph
    assert 'data-ad-mark="kink"' in html and 'data-ad-flag="kink"' in html
    assert "kink" not in cells.grad("x=1.0 --of y", "u = abs(x)\ny = u + x").to_html().split("</style>")[1]
