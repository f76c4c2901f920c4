"""Roots and integrals by SciPy inside a cell, in both modes. Expected: closed forms, or from the literature."""

from __future__ import annotations

import ast
import math

import pytest

from ad_magic import grad
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.quadrature import double_exponential, kronrod, nodes
from ad_magic.engine.solvers import solver_modules

SETUP = """
import math, functools
import numpy as np
import scipy, scipy.optimize, scipy.integrate
from scipy.optimize import bisect, brenth, brentq, fixed_point, fsolve, newton, ridder, root, root_scalar, toms748
from scipy.integrate import quad
"""


@pytest.fixture(params=["forward", "reverse"])
def mode(request):
    return request.param


@pytest.fixture
def cells(cells):
    cells.plain(SETUP)
    return cells


@pytest.fixture
def differentiated(cells, mode):
    """Run a cell with y as its output and compare with (value, gradient, Hessian)."""

    def run(inputs, source, value, gradient, hessian=None, rel=1e-9):
        result = cells.grad(f"{inputs} --of y", source, mode)
        assert result.value == pytest.approx(value, rel=rel, abs=1e-12)
        gradient = gradient if isinstance(gradient, dict) else {"x": gradient}
        for name, derivative in gradient.items():
            assert result.grad[name] == pytest.approx(derivative, rel=rel, abs=1e-12, nan_ok=True), name
        if hessian is not None:
            hessian = [[hessian]] if isinstance(hessian, float) else hessian
            assert result.hessian().tolist() == [pytest.approx(row, rel=1e-7, abs=1e-10) for row in hessian]
        return result

    return run


# ---- roots ---------------------------------------------------------------------------------------

HOLDER = """
class F:
    def __init__(self, x):
        self.x = x
    def __call__(self, t):
        return t*t - self.x
"""
SQRT = (2.0, 0.25, -1 / 32)  # of 4: value, first and second derivative


@pytest.mark.parametrize(
    "call",
    [
        *(f"{name}(lambda t: t*t - x, 0, 10)" for name in ("brentq", "brenth", "ridder", "bisect", "toms748")),
        "brentq(lambda t, p: t*t - p, 0, 10, args=(x,))",
        "brentq(lambda t: t*t - x, 0, 10, full_output=True)[0]",
        "newton(lambda t: t*t - x, 1.5)",
        "newton(lambda t: t*t - x, x, fprime=lambda t: 2*t)",
        "newton(lambda t: t*t - x, x, fprime=lambda t: 2*t, fprime2=lambda t: 2.0)",
        "root_scalar(lambda t: t*t - x, bracket=[0, 10]).root",
        "root_scalar(lambda t: t*t - x, x0=3.0, x1=4.0, method='secant').root",
        "root_scalar(lambda t: (t*t - x, 2*t), x0=3.0, fprime=True, method='newton').root",
        "fsolve(lambda t: t*t - x, 1.5)[0]",
        "fsolve(lambda t: t*t - x, 1.5, full_output=True)[0][0]",
        "root(lambda t: t*t - x, 1.5).x[0]",
        "fixed_point(lambda t: (t + x/t)/2, 1.5)",
    ],
)
def test_a_square_root(differentiated, call):
    result = differentiated("x=4.0", f"y = {call}", *SQRT, rel=1e-7)
    assert sum(row.expression.startswith(call.partition("(")[0]) for row in result.rows) == 1


def test_the_row_reads_like_the_call(differentiated):
    result = differentiated("x=4.0", "f = lambda t: t*t - x\ny = brentq(f, 0, 10)", *SQRT)
    assert [row.expression for row in result.rows] == ["x", "brentq(f, 0, 10)"]
    def_ = "def square(t, p):\n    return t*t - p\n"
    result = differentiated("x=4.0", def_ + "y = brentq(square, 0, 10, args=(x,))", *SQRT)
    assert result.rows[-1].expression == "brentq(square, 0, 10, args=(v1,))"


def test_the_row_says_how_it_is_differentiated(differentiated, cells):
    """In a few words in the row, with its formula below the table; and the local partials."""
    cells.plain("from ad_magic import fixed_point as fixed, root as ours")
    roots = ("brentq(lambda t: t*t - x, 0, 10)", "newton(lambda t: t*t - x, 1.0)", "ours(lambda t: t*t - x, 1.0)")
    for call in roots:
        result = differentiated("x=4.0", f"y = {call}", *SQRT, rel=1e-7)
        assert result.rows[1].how[0] == "implicit function theorem"
        assert "∂t/∂v = −F_v / F_t at a root t of F(t, v)." in result.to_text()
        assert result.rows[1].partials == pytest.approx((0.25,))
        assert '<div class="ad-how"' in result.to_html()
    result = differentiated("x=4.0", "y = fixed(lambda t: (t + x/t)/2, 1.0)", *SQRT, rel=1e-7)
    assert "f_v / (1 − f_t) where t = f(t, v)." in result.to_text()
    result = differentiated("x=4.0", "z = fsolve(lambda v: [v[0]*v[1] - x, v[0] - v[1]], [1.0, 3.0])\ny = z[0]", *SQRT)
    assert "−F_t⁻¹ F_v" in result.rows[1].how[1]
    assert result.sparsity.shape == (1, 1) and result.to_latex().isascii()
    result = differentiated("x=4.0", "y = quad(lambda t: t*x, 0, x)[0]", 32.0, 24.0)
    assert "v2: quad under the integral sign" in result.to_text() and result.to_latex().isascii()
    assert result.rows[1].partials == pytest.approx((24.0,))  # x stands for the factor and for the limit


@pytest.mark.parametrize(
    "call", ["brentq(lambda t: t*t - x, 0, 10)", "brentq(F(x), 0, 10)", "quad(lambda t: t*x, 0, 1)[0]"]
)
def test_no_solver_is_interleaved(cells, call):
    """What the function reads would count as a constant."""
    result = cells.grad("x=4.0 --of y", HOLDER + f"y = {call}")
    with pytest.raises(ValueError, match=r"is a solver: its derivative is not written as text$"):
        result.code("interleaved")


def test_keplers_equation(differentiated):
    eccentric = 1.4987011335178484
    slope = 1 - 0.5 * math.cos(eccentric)
    by_m, by_e = 1 / slope, math.sin(eccentric) / slope
    sine = 0.5 * math.sin(eccentric)
    hessian = [
        [-sine * by_m**3, by_m**2 * (math.cos(eccentric) - sine * by_e)],
        [by_m**2 * (math.cos(eccentric) - sine * by_e), by_m * by_e * (2 * math.cos(eccentric) - sine * by_e)],
    ]
    source = "def anomaly(M, e):\n    return brentq(lambda E: E - e*math.sin(E) - M, 0, 10)\ny = anomaly(M, e)"
    gradient = {"M": 1.0373620219, "e": 1.0346672324}
    differentiated("M=1.0 e=0.5", source, 1.4987011335, gradient, hessian, rel=1e-10)


def test_a_fixed_point_of_the_cosine(differentiated):
    differentiated("x=1.0", "y = newton(lambda z: z - x*math.cos(z), 1)", 0.7390851332, 0.4416107917, rel=1e-10)
    differentiated("x=1.0", "y = fixed_point(lambda z: x*math.cos(z), 1)", 0.7390851332, 0.4416107917, rel=1e-10)


@pytest.mark.parametrize(
    "source",
    [
        "kept = [x]\ny = brentq(lambda t: t*t - kept[0], 0, 10)",
        "kept = {'a': (1.0, x)}\ny = brentq(lambda t: t*t - kept['a'][1], 0, 10)",
        "def f(t, p=x):\n    return t*t - p\ny = brentq(f, 0, 10)",
        "y = brentq(functools.partial(lambda p, t: t*t - p, x), 0, 10)",
        HOLDER + "y = brentq(F(x), 0, 10)",
        HOLDER + "y = brentq(F(x).__call__, 0, 10)",
        "def outer(p):\n    def g(t): return t*t\n    return lambda t: g(t) - p\ny = brentq(outer(x), 0, 10)",
        "r = np.zeros(2)\nr[0] = x\ny = brentq(lambda t: t*t - r[0], 0, 10)",
        "w = np.array([x, 1.0])\nw[1] = x\ny = brentq(lambda t: t*t - w[1], 0, 10)",
        "out = np.zeros(1)\ndef f(t):\n    out[0] = t*t - x\n    return out[0]\ny = brentq(f, 0, 10)",
        "@functools.lru_cache\ndef p(k):\n    return k*x\ny = brentq(lambda t: t*t - p(1), 0, 10)\np(1)",
        "x1 = x\ny = brentq(lambda t: t*t - (x1 if t > 1 else x), 0, 10)",
    ],
)
def test_where_a_function_reads_from(differentiated, source):
    differentiated("x=4.0", source, *SQRT)


def test_arrays(differentiated, cells):
    cells.plain("w = np.array([1.0, 8.0])")
    result = differentiated("w", "y = brentq(lambda t: t**3 - w[0]*w[1], 0, 10)", 2.0, {})
    assert result.grad["w"].tolist() == pytest.approx([2 / 3, 1 / 12])
    assert result.hessian().ravel().tolist() == pytest.approx([-4 / 9, 1 / 36, 1 / 36, -1 / 144])


@pytest.mark.parametrize("call", ["fsolve(f, [3.0, 0.5])", "root(f, [3.0, 0.5]).x"])
def test_a_system(differentiated, call):
    """The two roots of z² - a z + b: their derivatives are ±z / (z₁ - z₂) and ∓1 / (z₁ - z₂)."""
    source = f"def f(v):\n    return [v[0] + v[1] - a, v[0]*v[1] - b]\nz = {call}\ny = 3*z[0] + z[1]"
    gradient = {"a": 5.0, "b": -2.0}
    differentiated("a=3.0 b=2.0", source, 7.0, gradient, [[-8.0, 6.0], [6.0, -4.0]], rel=1e-8)


def test_one_equation_for_each_entry(differentiated):
    source = "w = np.array([x, 4*x])\ny = newton(lambda t: t*t - w, np.array([1.0, 1.0])).sum()"
    differentiated("x=4.0", source, 6.0, 0.75, -3 / 32)


def test_in_a_loop_and_of_one_another(differentiated):
    loop = "y = 0.0\nfor k in range(1, 4):\n    y += brentq(lambda t: t*t - k*x, 0, 10)"
    roots = 1 + math.sqrt(2) + math.sqrt(3)
    differentiated("x=4.0", loop, 2 * roots, roots / 4, -roots / 32)
    twice = "u = brentq(lambda t: t*t - x, 0, 10)\ny = brentq(lambda t: t*t - u, 0, 10)"
    differentiated("x=4.0", twice, math.sqrt(2), 4**-0.75 / 4, -3 / 16 * 4**-1.75)
    inside = "y = brentq(lambda t: brentq(lambda s: s*s - t, 0, 100) - x, 0, 100)"
    differentiated("x=4.0", inside, 16.0, 8.0, 2.0)


def test_an_unused_root_and_one_that_depends_on_nothing(differentiated):
    differentiated("x=4.0", "brentq(lambda t: t*t - x, 0, 10)\ny = 2*x", 8.0, 2.0)
    differentiated("x=4.0", "y = x*brentq(lambda t: t*t - 4, 0, 10)", 8.0, 2.0)
    differentiated("x=4.0", "y = x*brentq(lambda t: t*t - 4, 0, x)", 8.0, 2.0)


def test_derivatives_in_derivatives(differentiated):
    head = "from ad_magic import grad\n"
    source = head + "y = grad(lambda u: brentq(lambda t: t*t - u, 0, 10))(x)"
    differentiated("x=4.0", source, 0.25, -1 / 32, 3 / 256)
    source = head + "y = grad(lambda u: brentq(lambda t: t*t - u*x, 0, 10))(1.0)"
    differentiated("x=4.0", source, 1.0, 1 / 8, -1 / 64)
    differentiated("x=4.0", head + "y = brentq(lambda t: grad(lambda u: u**3/3)(t) - x, 0, 10)", *SQRT)


def test_three_times():
    from scipy.optimize import brentq

    def f(x):
        return brentq(lambda t: t * t - x, 0, 10)

    def first(x):
        return grad(f)(x)

    def second(x):
        return grad(first)(x)

    assert first(4.0) == pytest.approx(1 / 4)
    assert second(4.0) == pytest.approx(-1 / 32)
    assert grad(second)(4.0) == pytest.approx(3 / 256)


def test_errors_are_those_of_scipy(cells, mode):
    with pytest.raises(ValueError, match=r"^f\(a\) and f\(b\) must have different signs$"):
        cells.grad("x=4.0 --of y", "y = brentq(lambda t: t*t + x, 0, 10)", mode)
    with pytest.raises(TypeError, match="missing"):
        cells.grad("x=4.0 --of y", "y = brentq(lambda t: t*t + x)", mode)
    with pytest.raises(RuntimeError, match="converge"):
        cells.grad("x=4.0 --of y", "y = brentq(lambda t: t*t - x, 0, 10, maxiter=2)", mode)


def test_after_an_exception_all_is_as_before(differentiated, cells):
    source = """
q = [x]
def f(t):
    if t > 5:
        raise KeyError("mine")
    return t*t - q[0]
try:
    brentq(f, 0, 10)
except KeyError:
    pass
y = 2*q[0] + x
"""
    differentiated("x=4.0", source, 12.0, 3.0)
    assert type(cells.shell.user_ns["q"][0]) is float


def test_what_stays_behind_is_plain(differentiated, cells):
    import scipy.optimize

    before = scipy.optimize.brentq
    source = """
from scipy.optimize import brentq as solve
seen = []
def f(t):
    seen.append(t)
    return t*t - x
r = root_scalar(f, bracket=[0, 10])
print(seen, f"{seen[-1]:.2f}")
s = root(lambda v: v*v - x, [1.0])
y = solve(f, 0, 10) + 0*len(seen)
"""
    differentiated("x=4.0", source, *SQRT)
    names = cells.shell.user_ns
    assert type(names["r"].root) is float
    assert type(names["s"].x).__name__ == "ndarray"
    assert {type(t).__name__ for t in names["seen"]} <= {"float", "int"}
    assert names["solve"] is before is scipy.optimize.brentq is names["brentq"]


JUMPS = [
    "1.0 if t > x else -1.0",
    "1.0 if t > x else 0.0 if t == x else -1.0",
    "np.sign(t - x)",
    "math.copysign(1.0, t - x)",
    "(1.0 if t > x else -1.0) * (1 + t*t)",
    "math.floor(t - x) + 0.5",
    "np.where(t > x, 1.0, -2.0)",
]
BRACKETED = ["brentq(f, 0, 10)", "bisect(f, 0, 10.0)", "ridder(f, 0, 10.5)", "root_scalar(f, bracket=[0, 10]).root"]


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("call", BRACKETED)
def test_a_jump_is_no_root(cells, mode, jump, call):
    with pytest.raises(
        LostDerivative, match=rf"^line 2: {call[:6]}\w* ended where the function jumps from one sign to"
    ):
        cells.grad("x=4.0 --of y", f"y = {call.replace('(f,', f'(lambda t: {jump},')}", mode)


@pytest.mark.parametrize(
    "call", ["newton(f, 3.9, disp=False)", "root_scalar(f, x0=3.9, x1=3.8).root", "root(f, 4.1).x[0]"]
)
@pytest.mark.parametrize("f", ["t*t + x", "(1.0 if t > x else -1.0) * (1 + t*t)"])
def test_what_is_no_root_has_no_derivative(cells, mode, call, f):
    result = cells.grad("x=4.0 --of y", f"y = {call.replace('(f,', f'(lambda t: {f},')}", mode)
    assert math.isnan(result.grad["x"])
    assert all("ended where the function is not zero, which is no root" in flag.message for flag in result.flags)
    assert {flag.kind for flag in result.flags} == {"nan"}


@pytest.mark.parametrize(
    ("f", "why"),
    [
        ("(t - x)**3", "is 0 at the root that bisect gave: a multiple root"),
        ("np.cbrt(t - x)", "is infinite at the root that bisect gave"),
    ],
)
def test_a_root_without_a_slope_says_so(cells, mode, f, why):
    result = cells.grad("x=4.0 --of y", f"y = bisect(lambda t: {f}, 0, 8)", mode)
    assert math.isnan(result.grad["x"])  # 1 in truth, and nobody can tell it from 0 / 0
    assert result.flags
    assert all(flag.message.endswith(f"the slope of the function {why}") for flag in result.flags)


def test_a_root_with_a_vertical_tangent(differentiated):
    differentiated("x=0.0", "y = brentq(lambda t: t**3 - x, -1, 1)", 0.0, math.inf)


def test_other_inputs_and_the_check(cells, mode):
    source = "y = brentq(lambda t: t*t - x, 0, 10) * quad(lambda t: x*t, 0, 1)[0]"
    result = cells.grad("x=4.0 --of y", source, mode)
    moved = result.again.at(result.run, {"x": 9.0})
    assert moved.outputs[0].value == pytest.approx(13.5)
    assert result.check().ok


# ---- integrals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "call", "value", "gradient", "hessian"),
    [
        ("x=4.0", "quad(lambda t: x*t, 0, 1)", 2.0, 0.5, 0.0),
        ("x=4.0", "quad(lambda t, p: p*t, 0, 1, args=(x,))", 2.0, 0.5, 0.0),
        ("x=4.0", "quad(lambda t, p: p*t, 0, 1, args=x)", 2.0, 0.5, 0.0),
        ("x=2.0", "quad(lambda t: math.exp(-x*t), 0, np.inf)", 0.5, -0.25, 0.25),
        ("x=2.0", "quad(lambda t: math.exp(x*t), -np.inf, 0)", 0.5, -0.25, 0.25),
        ("x=2.0", "quad(lambda t: math.exp(-x*t), np.inf, 0)", -0.5, 0.25, -0.25),
        ("x=math.pi", "quad(lambda t: math.exp(-x*t*t), -np.inf, np.inf)", 1.0, -0.5 / math.pi, 0.75 / math.pi**2),
        # limits
        ("x=2.0", "quad(lambda t: x*t*t, 0, x)", 16 / 3, 32 / 3, 16.0),
        ("x=2.0", "quad(lambda t: x*t*t, x, 0)", -16 / 3, -32 / 3, -16.0),
        ("x=2.0", "quad(lambda t: t*t, x, 3*x)", 208 / 3, 104.0, 104.0),
        ("x=2.0", "quad(lambda t: math.exp(-t), x, np.inf)", math.exp(-2), -math.exp(-2), math.exp(-2)),
        ("x=0.7", "quad(lambda t: 1.0 if t < 0.5 else 2.0, 0, x)", 0.9, 2.0, 0.0),
        # singular at the end, and jumps that stay
        ("x=2.0", "quad(lambda t: t**(x - 2.5), 0, 1)", 2.0, -4.0, 16.0),
        ("x=2.0", "quad(lambda t: x*math.log(t), 0, 1)", -2.0, -1.0, 0.0),
        ("x=0.7", "quad(lambda t: x if t < 0.3 else 2.0, 0, 1)", 1.61, 0.3, 0.0),
        ("x=0.7", "quad(lambda t: math.floor(3*t)*x, 0, 1)", 0.7, 1.0, 0.0),
    ],
)
def test_an_integral(differentiated, inputs, call, value, gradient, hessian):
    result = differentiated(inputs, f"y = {call}[0]", value, gradient, hessian)
    assert len(result.rows) <= 3


def test_the_row_of_an_integral(differentiated):
    result = differentiated("x=2.0", "y = quad(lambda t: t, 0, x)[0]", 2.0, 2.0)
    assert [row.expression for row in result.rows] == ["x", "quad(f, 0, v1)"]


def test_an_integral_over_arrays(differentiated, cells):
    cells.plain("w = np.array([1.0, 2.0, 3.0])")
    result = differentiated("w", "y = quad(lambda t: np.polyval(w, t), 0, 1)[0]", 1 / 3 + 1 + 3, {})
    assert result.grad["w"].tolist() == pytest.approx([1 / 3, 1 / 2, 1.0])


def test_integrals_and_roots_in_one_another(differentiated):
    double = "y = quad(lambda t: quad(lambda s: x*s*t, 0, t)[0], 0, 1)[0]"
    differentiated("x=2.0", double, 0.25, 0.125, 0.0)
    roots = "y = quad(lambda t: brentq(lambda s: s*s - x*t, 0, 10), 1, 4)[0]"
    differentiated("x=4.0", roots, 28 / 3, 7 / 6, -7 / 48)
    inverse = "y = brentq(lambda b: quad(lambda t: 2*t, 0, b)[0] - x, 0, 10)"
    differentiated("x=4.0", inverse, *SQRT)


def test_a_bend_that_moves(differentiated):
    result = differentiated("x=0.3", "y = quad(lambda t: abs(t - x), 0, 1)[0]", 0.29, -0.4)
    with pytest.raises(LostDerivative, match=r"bend near 0\.3"):
        result.hessian()
    differentiated("x=0.3", "y = quad(lambda t: t if t < x else x, 0, 1)[0]", 0.255, 0.7)
    differentiated(
        "x=0.3", "y = quad(lambda t: math.exp(-abs(t - x)), 0, np.inf)[0]", 2 - math.exp(-0.3), math.exp(-0.3)
    )


def test_a_bend_wherever_it_is():
    """QUADPACK says of one in twenty of these that its error is smaller than it is."""
    from scipy.integrate import quad

    for k in range(60):
        x = 0.1 + 0.0467 * k
        slope = grad(lambda x: quad(lambda t: max(0.0, t - x / 3), 0, 1)[0])(x)
        assert slope == pytest.approx(-(1 - x / 3) / 3, rel=1e-9), x


@pytest.mark.parametrize(
    "f",
    [
        "1.0 if t < x else 0.0",
        "math.copysign(1.0, t - x)",
        "(t + x) % 1",
        "math.floor(t + x)",
        "np.where(t < x, 1.0, 0.0)",
    ],
)
def test_a_jump_that_moves_is_refused(cells, mode, f):
    with pytest.raises(LostDerivative, match=r"^line 2: the function jumps near 0\.[37]"):
        cells.grad("x=0.3 --of y", f"y = quad(lambda t: {f}, 0, 1)[0]", mode)


def test_what_quad_returns(differentiated, cells):
    source = "y, error, info = quad(lambda t: x*t, 0, 1, full_output=1)"
    differentiated("x=4.0", source, 2.0, 0.5)
    assert cells.shell.user_ns["error"] < 1e-12
    assert cells.shell.user_ns["info"]["last"] == 1


def test_warnings_are_those_of_scipy(cells, mode):
    from scipy.integrate import IntegrationWarning

    with pytest.warns(IntegrationWarning, match="maximum number of subdivisions"):
        cells.grad("x=40.0 --of y", "y = quad(lambda t: math.sin(x*t), 0, 10, limit=40)[0]\n"
                   "y = y + quad(lambda t: math.sin(90*t), 0, 10, limit=3)[0]", mode)  # fmt: skip


def test_a_weight_is_refused(cells, mode):
    with pytest.raises(LostDerivative, match=r"^line 2: quad with weight="):
        cells.grad("x=4.0 --of y", "y = quad(lambda t: x*t, 0, 1, weight='cos', wvar=2.0)[0]", mode)


@pytest.mark.parametrize("rule", [kronrod(), double_exponential()])
@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (1.0, 0.0), (2.0, 5.0)])
def test_the_rules_integrate_polynomials(rule, a, b):
    for power in range(12):
        found = math.fsum(w * t**power for t, w in nodes(a, b, [(min(a, b), max(a, b))], rule))
        assert found == pytest.approx((b ** (power + 1) - a ** (power + 1)) / (power + 1), rel=1e-12)


# ---- the rest of SciPy ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        "scipy.optimize.minimize(lambda t: ((t - x)**2).sum(), [0.0]).x[0]",
        "scipy.optimize.minimize_scalar(lambda t: (t - x)**2).x",
        "scipy.optimize.least_squares(lambda t: t - x, 0.0).x[0]",
        "scipy.optimize.curve_fit(lambda t, a: a*t*x, [0.0, 1.0, 2.0], [0.0, 1.0, 2.0])[0][0]",
        "scipy.integrate.quad_vec(lambda t: t*x, 0, 1)[0]",
        "scipy.integrate.dblquad(lambda t, s: t*x, 0, 1, 0, 1)[0]",
        "brentq(lambda t, it=iter([x]*99): t*t - next(it), 0, 10)",
    ],
)
def test_what_has_no_rule_says_so(cells, mode, call):
    with pytest.raises(LostDerivative, match=r"^line 2: "):
        cells.grad("x=4.0 --of y", f"y = {call}", mode)


def test_plain_calls_are_as_they_were(differentiated):
    source = """
fit = scipy.optimize.curve_fit(lambda t, a, b: a*t + b, [0.0, 1.0, 2.0], [1.0, 3.0, 5.0])[0]
def stop(t, u):
    return u[0] - 0.5
stop.terminal = True
end = scipy.integrate.solve_ivp(lambda t, u: -u, (0, 9), [1.0], events=stop, rtol=1e-9, atol=1e-9).t[-1]
y = x*(fit[0] + round(end, 4))
"""
    differentiated("x=1.0", source, 2.6931, 2.6931, rel=1e-6)


def test_scipy_is_not_imported_before_the_program_does(monkeypatch):
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    assert solver_modules() == {}
    assert solver_modules(ast.parse("import numpy as np\ny = np.optimize")) == {}
    assert "scipy" not in sys.modules
