"""The policy for second derivatives at singular points (docs/singular-points.md): one number, in every way to ask."""

from __future__ import annotations

import math

import node
import numpy as np
import pytest
from scipy import special

from ad_magic import checkpoint, grad, hessian, hvp, jacfwd, jacrev, jvp, rule, taylor, trace
from ad_magic.codegen.javascript import javascript
from ad_magic.engine import second

inf, nan = math.inf, math.nan


def _branch(x):
    return (x if x > 0 else 0.0 * x) ** 2


def _steps(x):
    return (math.floor(x) + 1.0) * x * x


# The function, and its second derivative at 0: the mean of both sides.
CASES = {
    # there is a second derivative after all
    "sqrt(x**4)": (lambda x: math.sqrt(x**4), 2.0),
    "np.sqrt(x**4)": (lambda x: np.sqrt(x**4), 2.0),
    "x**1.5 * x**0.5": (lambda x: x**1.5 * x**0.5, 2.0),
    "(x**1.5)**(4/3)": (lambda x: (x**1.5) ** (4 / 3), 2.0),
    "abs(x)**2": (lambda x: abs(x) ** 2, 2.0),
    "math.fabs(x)**2": (lambda x: math.fabs(x) ** 2, 2.0),
    "np.abs(x)**2": (lambda x: np.abs(x) ** 2, 2.0),
    "abs(x**2)": (lambda x: abs(x * x), 2.0),
    "abs(x)**3": (lambda x: abs(x) ** 3, 0.0),
    "math.hypot(x, 0)**2": (lambda x: math.hypot(x, 0.0) ** 2, 2.0),
    "math.hypot(x, x, 2x)**2": (lambda x: math.hypot(x, x, 2 * x) ** 2, 12.0),
    "np.hypot(x, x)**2": (lambda x: np.hypot(x, x) ** 2, 4.0),
    "math.dist**2": (lambda x: math.dist((x, 1.0), (0.0, 1.0)) ** 2, 2.0),
    "np.linalg.norm**2": (lambda x: np.linalg.norm(np.array([x, 2 * x])) ** 2, 10.0),
    "np.linalg.norm 1, 2x and x": (lambda x: np.linalg.norm(np.array([x, 2 * x]), 1) ** 2, 18.0),
    "np.std**2": (lambda x: np.std(np.array([x, -x])) ** 2, 2.0),
    "max(x, -x)**2": (lambda x: max(x, -x) ** 2, 2.0),
    "max(x**2, 0)": (lambda x: max(x * x, 0.0), 2.0),
    "cbrt(x)**6": (lambda x: math.cbrt(x) ** 6, 2.0),
    "cbrt(x**6)": (lambda x: math.cbrt(x**6), 2.0),
    "acos(1 - x**2/2)**2": (lambda x: math.acos(1 - x * x / 2) ** 2, 2.0),
    "acosh(1 + x**2/2)**2": (lambda x: math.acosh(1 + x * x / 2) ** 2, 2.0),
    "i0e": (special.i0e, 1.5),
    "where": (lambda x: np.where(x > 0, np.sqrt(x * np.ones(2)), x**2).sum(), 4.0),
    # the sides differ: their mean
    "max(x, 0)**2": (lambda x: max(x, 0.0) ** 2, 1.0),
    "min(x, 0)**2": (lambda x: min(x, 0.0) ** 2, 1.0),
    "np.maximum(x, 0)**2": (lambda x: np.maximum(x, 0.0) ** 2, 1.0),
    "np.clip(x, 0, 1)**2": (lambda x: np.clip(x, 0.0, 1.0) ** 2, 1.0),
    "max(x, 3x)**2": (lambda x: max(x, 3 * x) ** 2, 10.0),
    "np.max**2": (lambda x: np.max(np.array([x, 3 * x, -1.0])) ** 2, 10.0),
    "np.max, axes": (lambda x: np.sum(np.max(np.array([[x, 3 * x], [-1.0, x]]), axis=1, keepdims=True) ** 2), 12.0),
    "exp(abs(x))": (lambda x: math.exp(abs(x)), 1.0),
    "x * abs(x)": (lambda x: x * abs(x), 0.0),
    "copysign(x, -2)**2 + x": (lambda x: math.copysign(x, -2.0) ** 2 + x, 2.0),
    # the slope jumps
    "abs(x)": (abs, 0.0),
    "max(x, 0)": (lambda x: max(x, 0.0), 0.0),
    "sqrt(x**2)": (lambda x: math.sqrt(x * x), 0.0),
    # one side alone
    "sqrt(x)**4": (lambda x: math.sqrt(x) ** 4, 2.0),
    "sqrt(x)**2 * x": (lambda x: math.sqrt(x) ** 2 * x, 2.0),
    # infinite
    "x**1.5": (lambda x: x**1.5, inf),
    "np.array([x])**1.5": (lambda x: (np.array([x, x + 1]) ** 1.5)[0], inf),
    "-x * sqrt(x)": (lambda x: -x * math.sqrt(x), -inf),
    "abs(x)**1.5": (lambda x: abs(x) ** 1.5, inf),
    "cbrt(x)**4": (lambda x: math.cbrt(x) ** 4, inf),
    # a branch is that which was taken, a jump has its value at the point, an order is as it is
    "branch": (_branch, 0.0),
    "a jump": (_steps, 2.0),
    "np.sort": (lambda x: np.sort(np.array([x, 3 * x]))[0] ** 2, 2.0),
}
NOT_KNOWN = {
    "x**x": (lambda x: x**x),
    "x**2 * log-like": (lambda x: special.xlogy(x, x) * x),
    "entr": (special.entr),
    "angle": (lambda x: math.atan2(x, x) * x),
    "x**1.414...": (lambda x: x ** math.sqrt(0.5) * x),
}


FUNCTIONS = {
    "hessian": lambda f: hessian(f)(0.0),
    "hvp": lambda f: hvp(f, (0.0,), (1.0,)),
    "grad(grad)": lambda f: grad(grad(f))(0.0),
    "jacfwd(grad)": lambda f: jacfwd(grad(f))(0.0),
    "jacrev(jacfwd)": lambda f: jacrev(jacfwd(f))(0.0),
    "jacfwd(jacfwd)": lambda f: jacfwd(jacfwd(f))(0.0),
    "jvp(jvp)": lambda f: jvp(lambda x: jvp(f, (x,), (1.0,))[1], (0.0,), (1.0,))[1],
    "taylor": lambda f: 2 * taylor(f, 0.0, 2)[2],
}
RUNS = {
    "r.hessian": lambda r: r.hessian()[0, 0],
    "r.hvp": lambda r: r.hvp([1.0])[0],
    "r.second": lambda r: r.second.hessian[0, 0],
    "r.taylor": lambda r: 2 * next(iter(r.taylor(2).values()))[2],
}


def in_all_ways(f):
    """The second derivative of f at 0, by the way it was asked for."""
    found = {way: float(ask(f)) for way, ask in FUNCTIONS.items()}
    for mode, asked in {"both": RUNS, "forward": ["r.hessian"], "reverse": ["r.hessian", "r.taylor"]}.items():
        r = trace(f, 0.0, mode=mode)
        found |= {f"{way}, {mode}": float(RUNS[way](r)) for way in asked}
    return found


def of_sides(f):
    """The mean of the second differences on both sides, of those there are; the program itself in plain floats."""

    def side(h):
        with np.errstate(all="ignore"):
            try:
                x = float((f(2 * h) - 2 * f(h) + f(0.0)) / h**2)
            except (ValueError, TypeError):  # complex, or not in the domain
                return nan
        return x

    return float(np.nanmean([side(1e-4), side(-1e-4)])), float(np.nanmean([side(1e-6), side(-1e-6)]))


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("branch", "where", "a jump", "np.sort")])
def test_the_table_is_right(case):
    f, want = CASES[case]
    near, nearer = of_sides(f)
    if math.isinf(want):
        assert nearer / near > 2 and math.copysign(1.0, near) == math.copysign(1.0, want)
    elif case in ("abs(x)", "max(x, 0)", "sqrt(x**2)"):  # of each side by itself
        assert near == nearer == 0.0
    else:
        assert near == pytest.approx(want, rel=1e-3, abs=1e-3)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", CASES)
def test_one_number_in_all_ways(case):
    f, want = CASES[case]
    got = in_all_ways(f)
    assert got == pytest.approx(dict.fromkeys(got, want), rel=1e-12, abs=1e-14)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", NOT_KNOWN)
def test_what_is_not_known_is_no_number(case):
    got = in_all_ways(NOT_KNOWN[case])
    assert not any(map(math.isfinite, got.values())), got


# ---- several variables ---------------------------------------------------------------------------------

MATRICES = {
    "abs(x) * y": (lambda v: abs(v[0]) * v[1], [0.0, 2.0], [[0, 0], [0, 0]]),
    "(max(x, 0) + y)**2": (lambda v: (max(v[0], 0.0) + v[1]) ** 2, [0.0, 0.0], [[1, 1], [1, 2]]),
    "max(x, y)**2": (lambda v: max(v[0], v[1]) ** 2, [0.0, 0.0], [[1, 0], [0, 1]]),
    "max(x, y)**2 at 1": (lambda v: np.maximum(v[0], v[1]) ** 2, [1.0, 1.0], [[1, 0], [0, 1]]),
    "abs(x) * abs(y)": (lambda v: abs(v[0]) * abs(v[1]), [0.0, 0.0], [[0, 0], [0, 0]]),
    "sqrt(x**4) + x*y**2": (lambda v: math.sqrt(v[0] ** 4) + v[0] * v[1] ** 2, [0.0, 3.0], [[2, 6], [6, 0]]),
    "hypot(x, y)**2": (lambda v: math.hypot(v[0], v[1]) ** 2, [0.0, 0.0], [[2, 0], [0, 2]]),
    "norm(v)**2": (lambda v: np.linalg.norm(v) ** 2, [0.0, 0.0], [[2, 0], [0, 2]]),
    "abs of an array": (lambda v: np.sum(np.abs(v) ** 2 * v[::-1]), [0.0, 3.0], [[6, 6], [6, 0]]),
    "a penalty": (lambda v: np.sum(np.abs(v)) + np.sum(v**2) * v[0], [0.0, 3.0], [[0, 6], [6, 0]]),
    "relu of a product": (lambda v: np.sum(np.maximum(np.array([[1.0, 2], [3, -1]]) @ v, 0) ** 2), [0.0, 0.0],
                          [[10, -1], [-1, 5]]),
    "(x - 5)**y": (lambda v: (v[0] - 5.0) ** v[1], [3.0, 2.0], [[2, nan], [nan, nan]]),
    "x**1.5 * y": (lambda v: v[0] ** 1.5 * v[1], [0.0, 2.0], [[inf, 0], [0, 0]]),
    "written in place": (lambda v: _in_place(v), [0.0, 2.0], [[2, 0], [0, 0]]),
}  # fmt: skip


def _in_place(v):
    a = np.zeros(3)
    a[1:] = np.abs(v)
    a[1] *= a[1]
    return a.sum()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", MATRICES)
def test_hessians(case):
    f, point, want = MATRICES[case]
    x = np.array(point)
    r = trace(f, x)
    for got in (
        r.hessian(),
        np.array([r.hvp(e) for e in np.eye(2)]),
        hessian(f)(x),
        jacrev(grad(f))(x),
        jacfwd(jacfwd(f))(x),
        np.array([hvp(f, (x,), (e,)) for e in np.eye(2)]),
    ):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", ["max(x, 0)**2", "np.abs(x)**2", "x**1.5"])
def test_the_polynomial_has_it_too(case):
    f, want = CASES[case]
    assert trace(f, 0.0).expansion(order=2).derivatives[2] == pytest.approx(want)


def test_arguments_one_by_one():
    f = lambda x, y: abs(x) ** 2 * y
    assert np.array(hessian(f, (0, 1))(0.0, 3.0)).tolist() == [[6.0, 0.0], [0.0, 0.0]]
    assert jacfwd(grad(f, 0), 1)(0.0, 3.0) == grad(grad(f, 0), 1)(0.0, 3.0) == 0.0
    assert grad(grad(f))(0.0, 3.0) == 6.0
    assert grad(lambda y: grad(grad(f))(0.0, y))(3.0) != 0.0  # 2 is right; what is not known is NaN


def test_of_a_third_run_nothing_is_known():
    assert math.isnan(grad(grad(grad(lambda x: abs(x) ** 3)))(0.0))
    assert taylor(lambda x: abs(x) ** 3, 0.0, 4) == [0.0, 0.0, 0.0, 0.0, 0.0]
    assert taylor(lambda x: abs(x**3) + abs(x) ** 4, 0.0, 4) == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_first_derivatives_stay():
    assert taylor(lambda x: math.sqrt(x) ** 2, 0.0, 2) == [0.0, 0.0, 0.0]  # by the rules: 0 · inf is absent
    assert taylor(lambda x: max(x, 0.0) ** 2 + max(x, 0.0), 0.0, 2) == [0.0, 0.5, 0.5]


def test_too_much_work_is_no_number(monkeypatch):
    f = lambda x: np.sum(np.maximum(x, 0.0)) ** 2
    np.testing.assert_allclose(hessian(f)(np.zeros(3)), np.eye(3) * 0.5 + 0.5)
    monkeypatch.setattr(second, "WORK", 3)
    for got in (hessian(f)(np.zeros(3)), trace(f, np.zeros(3)).hessian()):
        assert np.isnan(np.diag(got)).all() and got[0, 1] == 0.5


def test_within_a_checkpoint():
    f = lambda x: checkpoint(lambda x: max(x, 0.0))(x) ** 2
    assert trace(f, 0.0).hessian()[0, 0] == hessian(f)(0.0) == 2 * taylor(f, 0.0, 2)[2] == 1.0


def test_a_kink_of_a_rule_of_ones_own():
    ramp = rule("ramp(x)", "x if x > 0 else 0.0", "1.0 if x > 0 else 0.0", kink="x == 0")
    f = lambda x: ramp(x) ** 2
    assert not any(map(math.isfinite, in_all_ways(f).values()))
    assert hessian(f)(1.0) == 2.0


# ---- what a reader is told -----------------------------------------------------------------------------


@pytest.mark.parametrize("magic", ["grad", "tangent", "adjoint"])
def test_the_cell_says_which_line(shell, magic):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell(f"%%{magic} x=0.0 --order 2 -o r_ --view text -q\na = x * x\ny = abs(x)**2 + a**0.75", silent=True)
    r = shell.user_ns["r_"]
    assert r.hessian()[0, 0] == inf
    flags = [flag for flag in r.flags if flag.kind == "second-order"]
    assert [(flag.line, r.rows[flag.row].op, flag.inputs) for flag in flags] == [(3, "abs", ("x",)), (3, "pow", ("x",))]
    assert "abs(v1) has no second derivative here" in flags[0].message
    assert any("Line 3 stands at a corner" in warning for warning in r.second.warnings)
    assert "has no second derivative here" in r.to_text() and 'data-ad-flag="second-order"' in r.to_html()


def test_a_first_order_report_is_not_told():
    r = trace(lambda x: abs(x) ** 2 + x**1.5, 0.0)
    assert [flag.kind for flag in r.flags] == ["kink"]
    assert [flag.kind for flag in r.second_flags] == ["second-order"] * 2
    assert sum("no second derivative" in remark for remark in r.expansion(order=2).remarks) == 2
    assert not any("second derivative" in remark for remark in r.expansion(order=1).remarks)
    assert trace(lambda x: abs(x) ** 2, 1.0, order=2).second_flags == []


@node.needs_node
@pytest.mark.parametrize(
    ("f", "point", "smooth", "corners"),
    [
        (lambda x: abs(x) ** 2 + x**3, [1.0], [[8.0]], [[0.0]]),
        (lambda x, y: math.sqrt(x) * y, [1.0, 2.0], [[-0.5, 0.5], [0.5, 0.0]], [[0.0, 2.0]]),
        (lambda x, y: x**1.5 + x**2.5 * y**2, [1.0, 2.0], [[15.75, 10.0], [10.0, 2.0]], [[0.0, 2.0]]),
        (lambda x: np.sum(np.abs(np.array([x, x - 1.0])) ** 2), [3.0], [[4.0]], [[0.0], [1.0]]),
        (lambda x: math.sin(x) ** 2 + x**3 + x % 2, [0.0], [[2.0]], []),
    ],
)
def test_a_page_shows_no_number_at_a_corner(f, point, smooth, corners):
    """The page computes a Hessian by its own program; at a corner it leaves it to the kernel, and greys what it has."""
    r = trace(f, *point, order=2)
    program = javascript(r.run, 2)
    script = f"const program = {program};"
    got = node.run(script, "data.map((x) => program.run(x).second)", [point, *corners])
    np.testing.assert_allclose(got[0], smooth, rtol=1e-12)
    assert got[1:] == [None] * len(corners)
