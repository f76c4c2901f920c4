"""What a function leaves in a list, a variable or an object while a solver calls it. Expected: closed forms."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from IPython.core.error import UsageError

from ad_magic import grad, hessian, jacfwd, jvp, primal
from ad_magic.engine.active import LostDerivative

SENTENCE = r"line \d+: the function that {} calls leaves a number in a variable, a list or an object of others"
SOLVERS = {
    "quad": "quad(f, 0, 1)[0]",
    "brentq": "brentq(f, 0, 9)",
    "newton": "newton(f, 1.5)",
    "root_scalar": "root_scalar(f, bracket=(0, 9)).root",
    "fsolve": "fsolve(f, 1.5)[0]",
    "solve_ivp": "solve_ivp(g, (0, 1), [1.0], rtol=1e-9, atol=1e-9).y[0, -1]",
    "odeint": "odeint(g, [1.0], [0, 1], tfirst=True)[-1, 0]",
    "root": "ad_magic.root(f, 1.5)",
    "fixed_point": "ad_magic.fixed_point(lambda t: t - f(t) / 4, 1.5)",
}
SETUP = """
import numpy as np, ad_magic
from scipy.optimize import brentq, newton, root_scalar, fsolve
from scipy.integrate import quad, solve_ivp, odeint
class Plain:
    last = None
"""
CELL = """
seen, held, kept, calls = [], Plain(), {}, 0
def f(t):
    global calls, last_
    calls += 1
    last_ = x*t
    seen.append((t, x*t))
    held.last = [x*t]
    kept['x'] = x*t
    return t*t - x
def g(t, y):
    f(t)
    return -x*y
"""
USES = ["seen[-1][1]", "last_", "held.last[0]", "kept['x']", "np.mean([b for a, b in seen])"]


@pytest.fixture(params=["both", "forward"])
def mode(request):
    return request.param


@pytest.mark.parametrize("name", SOLVERS)
def test_what_leaves_is_refused_where_a_derivative_goes_through_it(cells, mode, name):
    cells.plain(SETUP)
    plain = dict(cells.shell.user_ns)
    exec(f"x = 2.0\n{CELL}\ny = {SOLVERS[name]}", plain)
    source = f"{CELL}\ny = {SOLVERS[name]}\nprint(seen[-1], f'{{last_}}', last_ > 0, len(seen))\nn = calls*x/x"
    r = cells.grad("x=2.0 --of y", source, mode)
    assert r.value == pytest.approx(plain["y"], rel=1e-12)
    expected = {"quad": -1.0, "solve_ivp": -math.exp(-2), "odeint": -math.exp(-2)}.get(name, 1 / math.sqrt(8))
    assert r.grad["x"] == pytest.approx(expected, rel=1e-7)
    names = cells.shell.user_ns  # what is left is what a plain run leaves: the second time leaves nothing
    assert (names["calls"], len(names["seen"])) == (plain["calls"], len(plain["seen"]))
    products, expected_products = ([b for _, b in found["seen"]] for found in (names, plain))  # MINPACK reuses its t
    assert np.allclose(np.array(products, dtype=float), np.array(expected_products, dtype=float), rtol=1e-12)
    assert type(names["last_"]) is type(plain["last_"])
    uses = USES if name == "quad" else USES[:1]
    for use in uses:
        with pytest.raises(UsageError, match=SENTENCE.format(name)):
            cells.grad("x=2.0 --of y", f"{CELL}\ny = {SOLVERS[name]} + {use}", mode)


def test_the_refusal_is_one_line(cells, capsys):
    cells.plain(SETUP)
    cells.shell.run_cell(f"%%grad x=2.0 --of y\n{CELL}\ny = {SOLVERS['quad']} + {USES[0]}")
    said = capsys.readouterr()
    shown = said.out + said.err
    assert re.fullmatch(rf"UsageError: {SENTENCE.format('quad')}.*\n", shown)


def integral(k, left, use=lambda left: 0.0):
    from scipy.integrate import quad

    def f(t, a):
        left.append(a * t)
        return a * t * t

    return sum(quad(f, 0, 1, args=(k * j,))[0] for j in range(3)) + use(left)


@pytest.mark.parametrize(
    ("derivative", "expected"),
    [(grad, 1.0), (jacfwd, 1.0), (hessian, 0.0), (lambda f: lambda x: jvp(f, (x,), (1.0,))[1], 1.0)],
)
def test_in_derivatives_of_functions(derivative, expected):
    left: list[Any] = []
    assert derivative(lambda k: integral(k, left))(2.0) == pytest.approx(expected, abs=1e-12)
    assert {type(x) for x in left} <= {float, np.float64}
    for use in (lambda left: left[-1], lambda left: math.sin(left[3]), lambda left: np.sum(np.array(left))):
        with pytest.raises(LostDerivative, match=SENTENCE.format("quad")):
            derivative(lambda k, use=use: integral(k, [], use))(2.0)
    seen: list[Any] = []  # a copy of them is none of the derivative, either
    assert derivative(lambda k: integral(k, [], lambda left: seen.extend(left) or 0.0))(2.0) == pytest.approx(expected)


def test_what_does_not_depend_on_an_input_stays_plain(cells, mode):
    cells.plain(SETUP)
    source = """
seen = []
def f(t):
    seen.append((t, 3.0))
    return x*t
y = quad(f, 0, 1)[0]
kinds = {type(n) for pair in seen for n in pair}
y = y + seen[0][1] * x
"""
    r = cells.grad("x=2.0 --of y", source, mode)
    assert r.grad["x"] == pytest.approx(3.5, rel=1e-12)
    assert cells.shell.user_ns["kinds"] == {float}


def test_what_it_remembers_for_itself_is_new_for_the_derivative():
    from scipy.integrate import quad

    def f(k):
        memo: dict[float, Any] = {}

        def g(t):
            if t not in memo:
                memo[t] = math.exp(-k * t)
            return memo[t]

        return quad(g, 0, 1)[0] + quad(g, 0, 2)[0]

    # ∫ exp(-kt) from 0 to b is (1 - exp(-kb)) / k
    expected = sum(b * math.exp(-b) - (1 - math.exp(-b)) for b in (1, 2))
    assert grad(f)(1.0) == pytest.approx(expected, rel=1e-9)
    assert jacfwd(f)(1.0) == pytest.approx(expected, rel=1e-9)


def test_objects_and_errors():
    from scipy.optimize import brentq

    @dataclass
    class Step:
        at: float
        value: float

    def f(k, use):
        steps: list[Step] = []

        def g(t):
            steps.append(Step(t, t * t - k))
            return steps[-1].value

        root = brentq(g, 0, 9)
        try:
            brentq(g, 7, 9)
        except ValueError:
            return root + use(steps)

    assert grad(lambda k: f(k, len))(4.0) == pytest.approx(0.25)
    for use in (lambda steps: steps[-1].value, lambda steps: steps[0].at):
        with pytest.raises(LostDerivative, match=SENTENCE.format("brentq")):
            grad(lambda k, use=use: f(k, use))(4.0)


ERROR = r"line \d+: the error that quad estimates has no derivative"


@pytest.mark.parametrize("derivative", [grad, jacfwd, hessian])
def test_the_error_that_quad_estimates(derivative):
    from scipy.integrate import quad

    def f(k, use):
        y, error = quad(lambda t: k**3 * t * t, 0, 1)
        assert error < 1e-10 and len(f"{error:.3e}") > 4
        return y + use(error)

    expected = {hessian: 2 * 2.0}.get(derivative, 2.0**2)
    assert derivative(lambda k: f(k, lambda error: 0.0))(2.0) == pytest.approx(expected)
    assert derivative(lambda k: f(k, primal))(2.0) == pytest.approx(expected)
    with pytest.raises(LostDerivative, match=ERROR):
        derivative(lambda k: f(k, lambda error: error))(2.0)
    with pytest.raises(LostDerivative, match=ERROR):  # in a function that is integrated itself
        derivative(lambda k: quad(lambda t: k * sum(quad(lambda s: s * t * k, 0, t)), 0, 1)[0])(2.0)
    twice = derivative(lambda k: quad(lambda t: k * quad(lambda s: s * t * k, 0, t)[0], 0, 1)[0])(2.0)
    assert twice == pytest.approx({hessian: 0.25}.get(derivative, 0.5))  # k²/8
    if derivative is not jacfwd:
        assert derivative(lambda k: np.array(quad(lambda t: k * t, 0, 1))[0])(2.0) == pytest.approx(
            {hessian: 0.0}.get(derivative, 0.5)
        )


ARRAYS = """
from scipy.integrate import solve_ivp, quad
log, rate, count = np.zeros(60), np.zeros(2), np.zeros(1)
first = log[:3]
def g(t, y):
    rate[0] = -x*y[0]
    rate[1] = x*y[0]
    return rate
def f(t):
    log[int(count[0])] = x*t
    count[0] += 1
    return x*t
"""


def test_arrays_that_it_writes_to(cells, mode):
    cells.plain(SETUP)
    source = f"""{ARRAYS}
s = solve_ivp(g, (0, 1), [1.0, 0.0], rtol=1e-9, atol=1e-9)
s = solve_ivp(g, (0, 1), s.y[:, -1], rtol=1e-9, atol=1e-9)
y = s.y[1, -1] + quad(f, 0, 1)[0] + quad(f, 0, 1)[0]
print(log[:2], rate, first)
"""
    plain = dict(cells.shell.user_ns)
    exec("x = 2.0\n" + source, plain)
    r = cells.grad("x=2.0 --of y", source, mode)
    assert r.value == pytest.approx(plain["y"], rel=1e-9)
    assert r.grad["x"] == pytest.approx(2 * math.exp(-4) + 1.0, rel=1e-8)
    assert not r.flags
    names = cells.shell.user_ns
    for name in ("log", "count", "first"):
        assert type(names[name]) is np.ndarray
        assert np.array_equal(names[name], plain[name]), name
    for use in ("log[3]", "np.sum(log)", "first[1]", "rate[0]"):
        with pytest.raises(UsageError, match=SENTENCE.format(r"(quad|solve_ivp)")):
            cells.grad("x=2.0 --of y", f"{source}\ny = y + {use}", mode)
    source = f"{ARRAYS}\ny = quad(f, 0, 1)[0] + count[0] + x * log[50]\nlog[3] = x\ny = y + log[3]"
    assert cells.grad("x=2.0 --of y", source, mode).grad["x"] == pytest.approx(1.5)


def test_an_array_of_one_call_that_the_next_one_reads():
    from scipy.integrate import quad

    def f(k, use):
        found = np.zeros(2)

        def g(t):
            found[0] = k * t
            return k * t

        def h(t):
            return t * use(found) * k

        return quad(g, 0, 1)[0] + quad(h, 0, 1)[0]

    assert grad(lambda k: f(k, lambda found: 1.0 + found[1]))(2.0) == pytest.approx(1.0)
    for derivative in (grad, jacfwd):
        with pytest.raises(LostDerivative, match=SENTENCE.format("quad")):
            derivative(lambda k: f(k, lambda found: found[0]))(2.0)


def test_a_recording_does_not_read_what_an_earlier_one_has_remembered():
    """The integrand is recorded three times here, at nodes that come again; each time its memo is new."""
    from scipy.integrate import quad

    def f(x):
        memo: dict[float, Any] = {}

        def g(t):
            if t not in memo:
                memo[t] = x * x / math.sqrt(t)
            return memo[t]

        return quad(g, 0, 1)[0]

    for derivative in (grad, jacfwd):
        assert derivative(f)(1.5) == pytest.approx(6.0, rel=1e-9)  # of 2 x²


def test_what_a_report_shows_of_it(cells):
    cells.plain(SETUP)
    source = f"{CELL}\nI = quad(f, 0, 1)[0]\nm = seen[0][1] * 2\nn = [b for a, b in seen][1:3]\ny = I * x"
    r = cells.grad("x=2.0 --of y", source)
    assert r.grad["x"] == pytest.approx(1 / 3 - 2 * 2.0)  # of x/3 - x²
    assert [row.expression for row in r.rows] == ["x", "quad(f, 0, 1)", "left_by_quad[3] * 2", "v2 * v1"]
    assert math.isnan(r.rows[2].tangents["x"]) and not r.flags
    assert r.check()
    assert r.at({"x": 3.0}).grad["x"] == pytest.approx(1 / 3 - 6.0)
    assert r.hessian()[0][0] == pytest.approx(-2.0)
    assert "left_by_quad" in r.to_html() and "left_by_quad" in r.to_markdown()
