"""`rule`: primitives of the user's own, in a line or as functions; `stop_gradient`."""

from __future__ import annotations

import gc
import math
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import node
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special

import ad_magic
from ad_magic import Dual, grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, primal, rule, stop_gradient, trace, vjp
from ad_magic.codegen.compiled import values_at
from ad_magic.codegen.javascript import javascript
from ad_magic.rules import RULES


class Pair(NamedTuple):
    a: Any
    b: Any


W = np.array([0.5, -1.5, 3.0])


def softplus() -> Any:
    return rule("softplus", "log1p(exp(a))", "1 / (1 + exp(-a))")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# ---- in one line ---------------------------------------------------------------------------------


def test_a_rule_in_one_line_is_a_function_of_numbers_and_arrays():
    f = softplus()
    assert f(0.0) == math.log(2)
    assert type(f(2)) is float
    assert np.allclose(f(W), np.logaddexp(0, W), rtol=1e-14)
    assert np.array_equal(f([1.0, 2.0]), f(np.array([1, 2])))
    assert repr(f) == "<rule softplus(a)>"
    assert not hasattr(RULES, "softplus")
    assert "softplus" not in list(RULES)  # no row of the table itself


@pytest.mark.parametrize("x", [-30.0, -0.7, 0.0, 2.5, 40.0])
def test_its_derivatives_of_any_order_are_those_of_the_partial(x):
    f, s = softplus(), sigmoid(x)
    assert grad(f)(x) == pytest.approx(s, rel=1e-14)
    assert jvp(f, (x,), (3.0,))[1] == pytest.approx(3 * s, rel=1e-14)
    assert grad(grad(f))(x) == pytest.approx(s * sigmoid(-x), rel=1e-12)
    assert jvp(grad(f), (x,), (1.0,))[1] == pytest.approx(s * sigmoid(-x), rel=1e-12)
    assert grad(grad(grad(f)))(x) == pytest.approx(s * sigmoid(-x) * (1 - 2 * s), rel=1e-10, abs=1e-25)
    assert f(Dual(x, 1.0)).tangent == pytest.approx(s, rel=1e-14)


def test_the_declared_partial_is_what_is_taken_and_not_the_derivative_of_the_value():
    f = rule("twice", "2 * a", "2 + 0 * z", check=False)
    wrong = rule("twice", "2 * a", "5", check=False)
    assert (grad(f)(1.0), grad(wrong)(1.0)) == (2.0, 5.0)
    assert grad(lambda x: grad(lambda y: wrong(x * y))(1.0))(3.0) == 5.0  # through a number of an older run too
    assert np.array_equal(grad(lambda w: np.sum(wrong(w)))(W), [5.0] * 3)


def test_over_the_edge_of_floats_the_partial_goes_on_where_the_expression_overflows():
    stable = rule("stable(x)", "x if x > 30 else log1p(exp(x))", "1 / (1 + exp(-x)) if x > -30 else exp(x)")
    assert grad(stable)(1e4) == 1.0
    assert grad(stable)(-700.0) == math.exp(-700.0)
    assert np.array_equal(grad(lambda w: np.sum(stable(w)))(np.array([1e3, 0.0])), [1.0, 0.5])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_several_arguments_broadcast_as_numpys_functions_do(shape):
    area = rule("corner(w, h, c)", "w * h**2 - c", "h**2", "2 * w * h", "-1")
    w, h, c = np.full(shape, 1.5)[()], W, 2.0

    def value(w, h, c):
        return np.sum(area(w, h, c) ** 2)

    def plain(w, h, c):
        return np.sum((w * h**2 - c) ** 2)

    for a, b in zip(grad(value, (0, 1, 2))(w, h, c), grad(plain, (0, 1, 2))(w, h, c), strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.allclose(a, b, rtol=1e-13)
    assert np.allclose(hvp(value, (w, h, c), (w, h, c))[1], hvp(plain, (w, h, c), (w, h, c))[1], rtol=1e-12)


def test_five_arguments():
    """Black & Scholes (1973), the price of a call and its five partials, the greeks."""
    d1 = "((log(s / k) + (r + v*v/2) * t) / (v * sqrt(t)))"
    d2 = f"({d1} - v * sqrt(t))"
    bell = f"(exp(-{d1}**2 / 2) / sqrt(2 * pi))"
    call = rule(
        "call(s, k, r, v, t)",
        f"s * ndtr({d1}) - k * exp(-r * t) * ndtr({d2})",
        f"ndtr({d1})",
        f"-exp(-r * t) * ndtr({d2})",
        f"k * t * exp(-r * t) * ndtr({d2})",
        f"s * {bell} * sqrt(t)",
        f"s * {bell} * v / (2 * sqrt(t)) + r * k * exp(-r * t) * ndtr({d2})",
        domain=((80, 120), (80, 120), (0.01, 0.1), (0.1, 0.5), (0.2, 2)),
    )
    at = (100.0, 95.0, 0.05, 0.2, 1.0)
    greeks = grad(call, (0, 1, 2, 3, 4))(*at)
    assert greeks[0] == pytest.approx(special.ndtr((math.log(100 / 95) + 0.07) / 0.2), rel=1e-14)
    assert sum(x * g for x, g in zip(at[:2], greeks[:2], strict=True)) == pytest.approx(call(*at))  # Euler
    strikes = np.linspace(90, 110, 5)
    assert np.allclose(jacrev(lambda k: call(100.0, k, 0.05, 0.2, 1.0))(strikes).diagonal(), [
        grad(lambda k: call(100.0, k, 0.05, 0.2, 1.0))(k) for k in strikes])  # fmt: skip


@given(st.floats(-4, 4), st.floats(0.1, 4))
@settings(max_examples=10)
def test_any_expression_gives_in_all_modes_what_the_same_program_gives(x, y):
    assume(x != y)  # at a tie the rule has the slope of one side
    text = "sin(x) * y ** x if x < 1 else atan2(x, y) - maximum(x, y)"
    f = rule("mixed(x, y)", text,
             "y**x * (cos(x) + sin(x) * log(y)) if x < 1 else y / (x*x + y*y) - (1 if x > y else 0)",
             "sin(x) * x * y ** (x - 1) if x < 1 else -x / (x*x + y*y) - (0 if x > y else 1)", check=False)  # fmt: skip

    def program(x, y):
        return math.sin(x) * y**x if x < 1 else math.atan2(x, y) - (max(y, x))

    for way in (lambda g: grad(g, (0, 1))(x, y), lambda g: jvp(g, (x, y), (1.0, -2.0)), lambda g: jacfwd(g)(x, y)):
        assert np.allclose(way(f), way(program), rtol=1e-10, atol=1e-12)
    r = trace(lambda x, y: f(x, y) * 1.0, x, y)
    assert r.value == pytest.approx(program(x, y), rel=1e-13)


def test_what_a_report_shows_and_writes():
    f = softplus()
    r = trace(lambda x, y: f(x * y) + y, 0.3, 2.0)
    row = r.rows[3]
    assert (row.op, row.expression) == ("softplus", "softplus(v3)")
    assert row.partials == (pytest.approx(sigmoid(0.6)),)
    assert r.check()
    assert "softplus(" in r.to_html()
    assert r.at({"x": 4.0}).value == pytest.approx(np.logaddexp(0, 8.0) + 2)
    assert values_at(r.run.tape, {0: 1.0, 1: 2.0}, cached={}).values[-1] == pytest.approx(np.logaddexp(0, 2.0) + 2)
    assert r.hessian()[0, 0] == pytest.approx(4 * sigmoid(0.6) * sigmoid(-0.6), rel=1e-12)
    assert r.cost.operations["f"] == 4  # log1p and exp are two
    for kind in ("forward", "reverse", "interleaved"):
        names: dict[str, Any] = {}
        exec(r.code(kind), names)
        value, slopes = names["derivative"](1.2, -0.7)
        assert value == pytest.approx(np.logaddexp(0, -0.84) - 0.7, rel=1e-13)
        assert slopes["x"] == pytest.approx(-0.7 * sigmoid(-0.84), rel=1e-13), kind
        assert "ad_magic" not in r.code(kind)


def test_a_rule_may_use_another_one():
    rule("logistic", "1 / (1 + exp(-a))", "z * (1 - z)")
    f = rule(
        "swish(x, b)",
        "x * logistic(b * x)",
        "logistic(b*x) + b * z * (1 - logistic(b*x))",
        "x * z * (1 - logistic(b*x))",
    )
    plain = grad(lambda x, b: x / (1 + math.exp(-b * x)), (0, 1))
    assert np.allclose(grad(f, (0, 1))(0.7, -1.5), plain(0.7, -1.5), rtol=1e-13)
    with pytest.raises(ValueError, match="logistic takes 1 argument, not 2"):
        rule("f", "logistic(a, a)", "1")
    rule("mine", math.erf, "2 / sqrt(pi) * exp(-x*x)")
    with pytest.raises(ValueError, match="mine is a function of plain numbers, which cannot be part of"):
        rule("f", "mine(a)", "1")


def test_two_rules_of_one_name_and_names_of_the_table_do_not_meet():
    first = rule("f", "a * a", "2 * a")
    second = rule("f", "a * a * a", "3 * a * a")
    sine = rule("sin", "a", "1")
    assert (grad(first)(3.0), grad(second)(3.0), grad(sine)(3.0)) == (6.0, 27.0, 1.0)
    assert grad(math.sin)(0.5) == math.cos(0.5)
    assert trace(lambda x: sine(x), 1.0).rows[-1].expression == "sin(v1)"
    assert rule("f", "a * a", "2 * a").rule is first.rule  # a cell that is run again


@node.needs_node
def test_in_javascript():
    f = softplus()
    r = trace(lambda x: np.sum(f(x * 2) * W[:2]), np.array([0.1, 0.2]))
    out = node.run(f"const p = {javascript(r.run)};", "p.run(data)", [0.5, -1.0])
    x = np.array([0.5, -1.0])
    assert out["values"][-1] == pytest.approx(np.sum(np.logaddexp(0, 2 * x) * W[:2]), rel=1e-14)
    assert np.allclose(out["adjoints"][0], 2 * sigmoid(2 * x) * W[:2], rtol=1e-14)


def test_in_a_cell(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("from ad_magic import rule\nf = rule('cube(x)', 'x**3', '3*x**2', kink='x == 0')", silent=True)
    for mode in ("both", "forward", "reverse"):
        done = shell.run_cell(f"%%grad x=0 -o r_ -q --mode {mode}\ny = f(x)", silent=True)
        assert done.success, done.error_in_exec
        r = shell.user_ns["r_"]
        assert (r.value, r.grad["x"], r.rows[-1].expression) == (0.0, 0.0, "cube(v1)")
        assert [flag.kind for flag in r.flags if flag.line == 2] == ["kink"]
        assert shell.user_ns["y"] == 0.0
        assert type(shell.user_ns["y"]) is float


# ---- a function with partials --------------------------------------------------------------------


def test_a_function_of_plain_numbers_with_partials():
    @rule(partials=("log(y) * z", "x / y * z"), domain=((-2, 2), (0.1, 3)))
    def power(x: float, y: float) -> float:
        """y to the x."""
        assert type(x) is float
        return float.__pow__(y, x)  # C code, which an active number may not enter

    assert power.__doc__ == "y to the x."
    assert grad(power, (0, 1))(2.0, 3.0) == (pytest.approx(9 * math.log(3)), pytest.approx(6.0))
    assert hessian(power, 1)(2.0, 3.0) == pytest.approx(2.0)
    assert np.allclose(jacobian(lambda x: power(x, 2.0))(W), np.diag(2**W * math.log(2)))
    r = trace(lambda x: power(x, 2.0) + np.sum(power(W, x)), 1.5)
    assert r.check()
    assert "np.vectorize(power" in trace(lambda x: np.sum(power(W * x, 2.0)), 1.5).code("forward")
    with pytest.raises(ValueError, match="has no program in JavaScript"):
        javascript(r.run)
    lgamma = rule("lgamma(x)", special.gammaln, "digamma(x)")
    assert np.allclose(grad(lambda w: np.sum(lgamma(w)))(np.abs(W)), special.digamma(np.abs(W)))


def test_its_source_is_part_of_a_program(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell(
        "import math\nfrom math import exp\nfrom ad_magic import rule\n@rule(partials='-z')\n"
        "def decay(x):\n    return math.cosh(x) - math.sqrt(math.cosh(x)**2 - 1) if x > 0 else exp(-x)",
        silent=True,
    )
    assert shell.run_cell("%%grad x=0.5 -o r_ -q\ny = decay(x) * x", silent=True).success
    names: dict[str, Any] = {}
    exec(shell.user_ns["r_"].code("reverse"), names)
    assert names["derivative"](-0.5)[1]["x"] == pytest.approx(math.exp(0.5) * 1.5)


# ---- a jvp, a vjp --------------------------------------------------------------------------------


def _solve(m, b):
    return np.linalg.solve(np.array(m), b)  # for plain arrays only


def _solve_jvp(primals, tangents):
    (m, b), (dm, db) = primals, tangents
    x = np.linalg.solve(m, b)
    return x, np.linalg.solve(m, db - dm @ x)


def _solve_vjp(m, b):
    x = np.linalg.solve(m, b)

    def pull(g):
        c = np.linalg.solve(m.T, g)
        return -np.outer(c, x), c

    return x, pull


MATRIX, B = np.array([[3.0, 1.0], [0.5, 2.0]]), np.array([1.0, -2.0])
ONE_OR_BOTH = pytest.mark.parametrize(
    "how", [{"jvp": _solve_jvp}, {"vjp": _solve_vjp}, {"jvp": _solve_jvp, "vjp": _solve_vjp}], ids="+".join
)


@ONE_OR_BOTH
def test_one_of_jvp_and_vjp_is_enough_for_both_modes_and_higher_orders(how):
    solve = rule(_solve, **how, at=(MATRIX, B))

    def loss(s):
        return lambda m, b: np.sum(s(m * 1.5, b) ** 3)

    own, plain = loss(solve), loss(np.linalg.solve)
    for a, b in zip(grad(own, (0, 1))(MATRIX, B), grad(plain, (0, 1))(MATRIX, B), strict=True):
        assert np.allclose(a, b, rtol=1e-12)
    assert jvp(own, (MATRIX, B), (MATRIX, B))[1] == pytest.approx(jvp(plain, (MATRIX, B), (MATRIX, B))[1], rel=1e-12)
    for a, b in zip(hvp(own, (MATRIX, B), (MATRIX, B)), hvp(plain, (MATRIX, B), (MATRIX, B)), strict=True):
        assert np.allclose(a, b, rtol=1e-11)
    for jac in (jacfwd, jacrev):
        assert np.allclose(jac(solve)(MATRIX, B), jac(np.linalg.solve)(MATRIX, B), rtol=1e-12)
    r = trace(own, MATRIX, B)
    assert [row.expression for row in r.rows][3] == "_solve(v3, v2)"
    assert r.check()
    assert np.allclose(r.at({"b": 2 * B}).value, 8 * r.value)
    assert r.cost.operations["reverse"] > r.cost.operations["f"] > 0


@ONE_OR_BOTH
def test_written_in_numpy_they_become_part_of_a_program(how):
    solve = rule(lambda m, b: np.linalg.solve(m, b), **how, at=(MATRIX, B))
    r = trace(lambda m, b: np.sum(solve(m, b) ** 2), MATRIX, B)
    kind = "reverse" if "vjp" in how else "forward"
    names: dict[str, Any] = {}
    exec(r.code(kind), names)
    value, slopes = names["derivative"](2 * MATRIX, B)
    assert value == pytest.approx(np.sum(np.linalg.solve(2 * MATRIX, B) ** 2))
    assert np.allclose(slopes["m"], grad(lambda m: np.sum(np.linalg.solve(m, B) ** 2))(2 * MATRIX))


def _wave(x, k):
    return math.sin(x) * k if x > 0 else k


def _wave_jvp(primals, tangents):
    (x, k), (dx, dk) = primals, tangents
    return _wave(x, k), math.cos(x) * k * dx + math.sin(x) * dk if x > 0 else dk


def _wave_vjp(x, k):
    return _wave(x, k), lambda g: (g * math.cos(x) * k, g * math.sin(x)) if x > 0 else (0.0, g)


@pytest.mark.parametrize("how", [{"jvp": _wave_jvp}, {"vjp": _wave_vjp}], ids="+".join)
def test_what_takes_no_symbols_is_called_in_a_program_and_brought_along(how):
    wave = rule(_wave, **how)

    def loss(f):
        return lambda x, y: f(x * y, 2.0) * f(y, x) + x

    r = trace(loss(wave), 0.3, 2.0)
    for kind in ("forward", "reverse"):
        names: dict[str, Any] = {}
        exec(r.code(kind), names)
        for at in ((0.5, 1.5), (0.5, -1.5)):  # the other branch too: the function decides it
            value, slopes = names["derivative"](*at)
            assert value == pytest.approx(loss(_wave)(*at), rel=1e-14)
            assert (slopes["x"], slopes["y"]) == pytest.approx(grad(loss(_wave), (0, 1))(*at), rel=1e-13)
        assert "ad_magic" not in r.code(kind)
    hidden = rule(lambda v: math.sin(v), vjp=lambda v: (math.sin(v), lambda g: g * math.cos(v)))  # without a name
    with pytest.raises(ValueError, match="what your functions do cannot be written down"):
        trace(lambda x: hidden(x), 1.0).code("reverse")


def test_as_jax_has_them():
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    clipped = jax.custom_vjp(lambda x: x**3)
    clipped.defvjp(lambda x: (x**3, x), lambda x, g: (jnp.clip(3 * x**2 * g, -1, 1),))
    ours = rule(
        lambda x: x**3, vjp=lambda x: (x**3, lambda g: (np.clip(3 * x**2 * g, -1, 1),)), check=False
    )  # gradient clipping: no derivative, and so it is not checked
    w = np.array([0.1, 0.5, 2.0])
    assert np.allclose(grad(lambda w: np.sum(ours(w * 2)))(w), jax.grad(lambda w: jnp.sum(clipped(w * 2)))(w))

    @jax.custom_jvp
    def theirs(x, y):
        return jnp.sin(x) * y

    @theirs.defjvp
    def _(primals, tangents):
        (x, y), (dx, dy) = primals, tangents
        return theirs(x, y), jnp.cos(x) * dx * y + jnp.sin(x) * dy

    def product_jvp(primals, tangents):
        (x, y), (dx, dy) = primals, tangents
        return product(x, y), math.cos(x) * dx * y + math.sin(x) * dy

    def product(x, y):
        return math.sin(x) * y

    product = rule(product, jvp=product_jvp)
    for order in (lambda d, f: d(f, (0, 1)), lambda d, f: d(d(f))):
        assert np.allclose(order(grad, product)(0.3, 2.0), order(jax.grad, theirs)(0.3, 2.0), rtol=1e-12)

    def frozen(stop, w):
        return (w * stop(w)).sum() * stop(w)[0] ** 2

    assert np.allclose(
        grad(lambda w: frozen(stop_gradient, w))(W), jax.grad(lambda w: frozen(jax.lax.stop_gradient, w))(W)
    )


def test_trees_options_and_results_of_several_parts():
    def both(p, *, scale=1.0):
        return {"product": p["a"] * p["b"] * scale, "rest": (p["b"], "text", 3)}

    def both_jvp(primals, tangents, *, scale=1.0):
        p, t = primals[0], tangents[0]
        product = (t["a"] * p["b"] + p["a"] * t["b"]) * scale
        return both(p, scale=scale), {"product": product, "rest": (t["b"], "text", None)}

    f = rule(both, jvp=both_jvp, at=({"a": 2.0, "b": W},))
    assert f({"a": 2.0, "b": 3.0}) == {"product": 6.0, "rest": (3.0, "text", 3)}

    def loss(p):
        return np.sum(f(p, scale=2.0)["product"] * f(p)["rest"][0])

    found = grad(loss)({"a": 2.0, "b": W})
    assert found["a"] == pytest.approx(np.sum(2 * W * W))
    assert np.allclose(found["b"], 8 * W)
    _value, pull = vjp(lambda p: f(p), {"a": 2.0, "b": 3.0})
    assert pull({"product": 1.0, "rest": (10.0, "text", 0)})[0] == {"a": 3.0, "b": 12.0}


@dataclass
class Line:
    slope: Any
    at: Pair
    name: str = "line"


def test_dataclasses_and_named_tuples_among_the_arguments():
    """A number in them is one of the function's, not one of the engine's to follow."""

    def value(line, x):
        return line.slope * x + line.at.a * line.at.b

    def value_vjp(line, x):
        assert type(line.slope) is float
        return value(line, x), lambda g: (Line(g * x, Pair(g * line.at.b, g * line.at.a), None), g * line.slope)

    f = rule(value, vjp=value_vjp, at=(Line(2.0, Pair(3.0, 4.0)), 1.5))
    line = Line(2.0, Pair(3.0, 5.0))
    for own in (grad(f, (0, 1)), lambda line, x: vjp(f, line, x)[1](1.0)):
        by_line, by_x = own(line, 1.5)
        assert (by_line.slope, by_line.at, by_line.name, by_x) == (1.5, Pair(5.0, 3.0), "line", 2.0)
    assert jvp(f, (line, 1.5), (line, 0.0))[1] == 2 * 1.5 + 2 * 15.0
    assert trace(lambda x: f(Line(x, Pair(x, 1.0)), x), 2.0).rows[-1].expression == "value(Line(…), v1)"


def test_the_pull_that_a_call_has_made_is_used_by_its_sweeps_and_goes_with_them():
    calls = []

    def cube_vjp(x):
        calls.append(x)
        return x**3, lambda g: (3 * x**2 * g,)

    f = rule(lambda x: x**3, vjp=cube_vjp, check=False)
    assert np.array_equal(jacrev(lambda x: np.array([f(x), 2 * f(x)]))(2.0), [12.0, 24.0])
    assert calls == [2.0, 2.0]  # of each call once
    gc.collect()
    gc.disable()
    try:
        big = np.ones(1000)
        before = sys.getrefcount(big)
        grad(lambda w: np.sum(f(big) * w))(2.0)
        grad(lambda w: np.sum(f(w)))(big)
        assert sys.getrefcount(big) <= before + 1
    finally:
        gc.enable()


# ---- what is wrong with a rule -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("f", "a*a", "a"), r"f: at a = 0\.37 the partial for a is declared as 0\.37, and .* 0\.74: a fact"),
        (("f", "a*a", "-2*a"), "the sign is wrong"),
        (("f", "a*b*b", "b*b", "a*b"), "the partial for b is declared"),
        (("f(x)", "exp(x)", "exp(x) if x < 2 else 0.0"), "at x = 4.3"),
        (("f", "a^2", "2*a"), "has \\^, which is no power"),
        (("f", "exp(a", "1"), "is no expression of Python"),
        (("f", "exp(a, a)", "1"), "exp takes 1 argument, not 2"),
        (("f", "ln(a)", "1/a"), "did you mean log"),
        (("f", "a*x", "x"), "nothing is known of x.*stand behind that of the rule"),
        (("f(x)", "x[0]", "1"), r"has x\[0\]"),
        (("f", "exp", "1"), "exp is a function"),
        (("f", "a + z", "1"), "z, which is the value itself"),
        (("f(z)", "z", "1"), "z is the result"),
        (("f(x, x)", "x", "1"), "an argument twice"),
        (("f", "a*b", "b"), r"2 arguments \(a, b\) and 1 partial"),
        (("f", "a", "1", "2"), r"1 argument \(a\) and 2 partials"),
        (("f g", "a", "1"), "is no name for a rule"),
        (("f", "a", 1.0), "the partial of f for a is a float"),
        (("f", "log(a - 100)", "1/(a - 100)"), r"cannot be checked.*domain=\(lo, hi\)"),
        (("f",), "rule by expressions is"),
        ((math.sin,), "needs the derivative"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_line_is_one_sentence(given, words):
    with pytest.raises(ValueError, match=words) as error:
        rule(*given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"jvp": lambda p, t: (p[0] ** 2, p[0] * t[0])}, "the jvp gives the derivative .* for x, .*: a factor 2 is"),
        ({"jvp": lambda p, t: (p[0] ** 2, 2 * p[0] * t[0] ** 2)}, "is not linear in the tangents"),
        ({"jvp": lambda p, t: (p[0] ** 2, 2 * p[0] * t[0] + 1)}, "is not linear in the tangents"),
        ({"jvp": lambda p, t: (p[0] ** 3, 2 * p[0] * t[0])}, "gives another value than the function"),
        ({"jvp": lambda p, t: 2 * p[0] * t[0]}, r"gives \(value, tangent\)"),
        ({"jvp": lambda p, t: (p[0] ** 2, np.ones(3) * t[0]), "at": 2.0}, r"has the shape \(3,\); what it"),
        ({"jvp": lambda p, t: (p[0] ** 2, "1")}, "is a str"),
        ({"vjp": lambda x: (x**2, lambda g: -2 * x * g)}, "the vjp gives the derivative .*: the sign is wrong"),
        ({"vjp": lambda x: (x**2, lambda g: (2 * x * g, 0.0))}, "gives 2 adjoints; .* one for each of 1 arguments"),
        ({"vjp": lambda x: (x**2, 3.0)}, r"a value and a float; it gives \(value, pull\)"),
        ({"vjp": lambda x: (x**2, lambda g: (2 * x * g * g,))}, "not linear in the adjoint"),
        ({"vjp": lambda x: (x**2, lambda g: (2 * x * g,)), "partials": "2*x"}, "not by both"),
        ({"jvp": 3}, "jvp= is a function, not an int"),
        ({"jvp": lambda p, t: (p[0] ** 2, 2 * p[0] * t[0]), "kink": "x == 0"}, "go with partials"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_jvp_or_a_vjp_is_one_sentence(how, words):
    with pytest.raises(ValueError, match=words) as error:
        rule(lambda x: x**2, **how)
    assert "\n" not in str(error.value)


def test_a_wrong_adjoint_of_a_matrix_names_its_argument():
    def transposed(m, b):
        return (
            np.linalg.solve(m, b),
            lambda g: (_solve_vjp(m, b)[1](g)[0].T, _solve_vjp(m, b)[1](g)[1]),
        )

    with pytest.raises(
        ValueError, match=r"at m = an array of 2 × 2, b = an array of 2 the vjp gives .* for m along a r"
    ):
        rule(_solve, vjp=transposed, at=(MATRIX, B))
    with pytest.raises(ValueError, match=r"the adjoint of argument 1 .* has the shape \(2, 2\)"):
        rule(_solve, vjp=lambda m, b: (np.linalg.solve(m, b), lambda g: (np.outer(g, g), m)), at=(MATRIX, B))


def test_a_rule_that_is_made_for_arrays_is_checked_at_arrays():
    """np.cumsum of a number is an array of one."""

    def pull(x):
        return (np.cumsum(x), lambda g: (np.cumsum(g[::-1])[::-1],))

    running = rule(np.cumsum, vjp=pull)
    assert np.array_equal(grad(lambda w: running(w * 2)[1])(W), [2.0, 2.0, 0.0])
    with pytest.raises(ValueError, match="a = an array of 3 the vjp gives the derivative"):
        rule(np.cumsum, vjp=lambda x: (np.cumsum(x), lambda g: (np.cumsum(g),)))
    with pytest.raises(ValueError, match=r"the rule of cumsum raises ZeroDivisionError at a = .*: division by zero"):
        rule(np.cumsum, vjp=lambda x: (np.cumsum(x), lambda g: 1 / 0))


def test_what_cannot_be_transposed_or_differentiated_again_says_so():
    def slope(x):
        return 2 / math.pi - special.struve(1, x)  # DLMF 11.4.27

    def outside(t):
        return special.struve(-1.5, t)  # no rule: a tangent cannot be recorded there

    f = rule(lambda x: x, jvp=lambda p, t: (p[0], outside(t[0])), check=False)
    assert jvp(f, (1.2,), (1.0,))[1] == outside(1.0)
    with pytest.raises(TypeError, match=r"the jvp of f .*declare a vjp= too"):
        grad(f)(1.2)
    g = rule(lambda x: special.struve(0, x), vjp=lambda x: (special.struve(0, x), lambda g: (g * slope(x),)))
    assert jvp(g, (1.2,), (3.0,))[1] == pytest.approx(3 * slope(1.2))
    with pytest.raises(TypeError, match=r"scipy.special.struve has no derivative rule"):
        grad(grad(g))(1.2)
    y = 2.0
    closed = rule(lambda x: x * y, jvp=lambda p, t: (p[0] * y, t[0] * y))

    def reads(x):
        nonlocal y
        y = x
        return closed(x)

    with pytest.raises(TypeError, match="from elsewhere than its arguments"):
        grad(reads)(3.0)
    with pytest.raises(TypeError, match="takes real numbers and arrays of them; a is a str"):
        softplus()("1")
    with pytest.raises(TypeError, match=r"softplus takes 1 argument \(a\), 2 were given"):
        softplus()(1.0, 2.0)
    with pytest.raises(ValueError, match="calls early, which is not there before it is declared"):
        exec_early()


def exec_early():
    def early_jvp(primals, tangents):
        return early(primals[0]), tangents[0]

    @rule(jvp=early_jvp)
    def early(x):
        return x


# ---- stop_gradient -------------------------------------------------------------------------------


def test_stop_gradient_in_numbers_arrays_and_trees():
    assert grad(lambda x: x * stop_gradient(x))(3.0) == 3.0
    assert jvp(lambda x: x * stop_gradient(x), (3.0,), (1.0,)) == (9.0, 3.0)
    assert grad(grad(lambda x: x * x * stop_gradient(x)))(3.0) == 6.0
    assert np.array_equal(trace(lambda x, y: stop_gradient(x * y) * y + x, 0.4, 0.7).hessian(), np.zeros((2, 2)))
    assert np.array_equal(grad(lambda w: np.sum(w * stop_gradient(w)))(W), W)
    assert np.array_equal(jacfwd(lambda w: w * stop_gradient(w))(W), np.diag(W))

    def loss(x, w):
        held = stop_gradient({"x": x, "list": [w, 2, "text"], "pair": Pair(x, None)})
        assert held["list"][1:] == [2, "text"]
        return held["x"] * x + np.sum(held["list"][0] * w) + held["pair"].a

    assert grad(loss, (0, 1))(2.0, W)[0] == 2.0
    assert np.array_equal(grad(loss, (0, 1))(2.0, W)[1], W)
    plain = stop_gradient(W)
    plain[0] = 7.0
    assert W[0] == 0.5
    assert stop_gradient("text") == "text"


def test_a_report_says_that_it_was_asked_for_and_a_check_holds_it(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("from ad_magic import stop_gradient\nimport math", silent=True)
    cell = "d = stop_gradient({'a': x, 'b': [x*w]})\ny = d['a']*x**2 + (d['b'][0]*w).sum()"
    shell.user_ns["w"] = W.copy()
    assert shell.run_cell(f"%%grad x=1.5 w -o r_ -q\n{cell}", silent=True).success
    r = shell.user_ns["r_"]
    assert r.grad["x"] == pytest.approx(2 * 1.5**2)
    flags = [flag for flag in r.flags if flag.kind == "derivative-stops"]
    assert flags[0].message == "stop_gradient(v1) is taken for a constant, as the program asks: its derivative is zero"
    found = r.check()
    assert found
    assert "held where it is" in found.to_text()
    assert len([row for row in found.rows if row.method == "complex step"]) == 4
    assert r.at({"x": 2.0}).value == pytest.approx(8 + 2 * np.sum(W * W))  # a slider moves what is held
    for kind in ("forward", "reverse", "interleaved"):
        names: dict[str, Any] = {}
        exec(r.code(kind), names)
        assert names["derivative"](2.0, W)[1]["x"] == pytest.approx(8.0)
        assert "stop_gradient" not in names


def test_a_wrong_rule_is_still_found_behind_stop_gradient():
    wrong = rule("wrong", "a * a", "3 * a", check=False)
    found = trace(lambda x: stop_gradient(x) * wrong(x), 2.0).check()
    assert not found
    assert "wrong(v1)" in found.to_text()


def test_it_is_light_to_import():
    assert primal(stop_gradient(2.0)) == 2.0
    assert {"rule", "stop_gradient", "checkpoint"} <= {*ad_magic.__all__}
