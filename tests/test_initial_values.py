"""solve_ivp and odeint inside a cell, in both modes. Expected: closed forms, JAX's odeint, tight integration."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from oracles import Cells

from ad_magic import grad, hessian, jacfwd, jacrev, jvp, trace
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.collocation import radau

SETUP = """
import functools, math
import numpy as np
import scipy.integrate
from scipy.integrate import odeint, solve_ivp

def decay(t, y, k):
    return -k*y

def swing(t, y, w, g):
    return [y[1], -w*w*y[0] - 2*g*y[1]]

def fall(t, y, g):
    return [y[1], -g]

def ground(t, y, g):
    return y[0]
ground.terminal = True
ground.direction = -1
"""


@pytest.fixture(params=["forward", "reverse"])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def _cells(_one_shell):
    made = Cells(_one_shell)
    yield made
    made.done()


@pytest.fixture
def cells(_cells):
    _cells.forget().plain(SETUP)
    return _cells


@pytest.fixture
def differentiated(cells, mode):
    """Run a cell with y as its output; compare gradient and Hessian, which are those of the solution itself."""

    def run(inputs, source, gradient, hessian=None, rel=1e-9):
        result = cells.grad(f"{inputs} --of y", source, mode)
        for name, derivative in gradient.items():
            np.testing.assert_allclose(result.grad[name], derivative, rtol=rel, atol=1e-12, err_msg=name)
        if hessian is not None and mode == "reverse":  # it is the same computation after both
            hessian = np.array(hessian, dtype=float, ndmin=2)
            np.testing.assert_allclose(result.hessian(), hessian, rtol=10 * rel, atol=1e-9 * np.max(np.abs(hessian)))
        return result

    return run


E = math.exp(-1.5)  # y(3) = 2 E where y' = -y/2, y(0) = 2


# ---- what the derivative is of -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA"])
def test_exponential_decay(differentiated, method):
    call = f"solve_ivp(lambda t, y: -k*y, (0, 3), [y0], method='{method}')"
    result = differentiated(
        "k=0.5 y0=2.0", f"y = {call}.y[0, -1]", {"k": -6 * E, "y0": E}, [[18 * E, -3 * E], [-3 * E, 0.0]]
    )
    assert result.value == pytest.approx(2 * E, rel=5e-3)  # SciPy's, with its default tolerances


def test_the_ends_of_the_time(differentiated):
    """y' = -k t y from (t0, 2) to T."""
    source = "y = solve_ivp(lambda t, y: -k*t*y, (t0, T), [2.0]).y[0, -1]"
    value = 2 * math.exp(-0.5 * (9 - 1) / 2)
    gradient = {"k": -4 * value, "t0": 0.5 * value, "T": -1.5 * value}
    hessian = [
        [16 * value, (1 - 2) * value, (-3 + 6) * value],
        [(1 - 2) * value, (0.5 + 0.25) * value, -0.75 * value],
        [(-3 + 6) * value, -0.75 * value, (-0.5 + 2.25) * value],
    ]
    differentiated("k=0.5 t0=1.0 T=3.0", source, gradient, hessian)


def test_times_that_are_asked_for(differentiated):
    t = np.linspace(0, 3, 7)
    source = "y = solve_ivp(decay, (0, 3), [2.0], t_eval=np.linspace(0, 3, 7), args=(k,)).y[0].sum()"
    slope = -2 * np.sum(t * np.exp(-0.5 * t))
    differentiated("k=0.5", source, {"k": slope}, 2 * np.sum(t**2 * np.exp(-0.5 * t)))
    source = "s = solve_ivp(decay, (0, T), [2.0], t_eval=np.linspace(0, T, 5), args=(k,))\ny = s.y[0, 2] + 3*s.t[2]"
    e = math.exp(-0.75)
    differentiated("k=0.5 T=3.0", source, {"k": -3 * e, "T": 1.5 - 0.5 * e})


def test_backwards_in_time(differentiated):
    differentiated("k=0.5", "y = solve_ivp(decay, (3, 0), [2.0], args=(k,)).y[0, -1]", {"k": 6 / E}, 18 / E)


def test_no_time_at_all(differentiated):
    differentiated("x=0.7", "y = solve_ivp(decay, (0, 0), [x*x], args=(x,)).y[0, -1]", {"x": 1.4})


def _swing(w, g, t=4):
    d = mpmath.sqrt(w * w - g * g)
    return mpmath.exp(-g * t) * (mpmath.cos(d * t) + g / d * mpmath.sin(d * t))


def _by(*orders):
    return float(mpmath.diff(_swing, (2.0, 0.3), orders))


SWING = {"w": _by(1, 0), "g": _by(0, 1)}
SWING2 = [[_by(2, 0), _by(1, 1)], [_by(1, 1), _by(0, 2)]]


@pytest.mark.parametrize(
    ("call", "hessian", "rel"),
    [
        ("solve_ivp(swing, (0, 4), [1.0, 0.0], args=(w, g)).y[0, -1]", SWING2, 1e-9),
        ("odeint(swing, [1.0, 0.0], [0, 2.0, 4.0], args=(w, g), tfirst=True)[-1, 0]", None, 1e-9),
        ("solve_ivp(swing, (0, 7), [1.0, 0.0], args=(w, g), dense_output=True).sol(4.0)[0]", None, 1e-6),
    ],
)
def test_an_oscillator_with_damping(differentiated, call, hessian, rel):
    differentiated("w=2.0 g=0.3", f"y = {call}", SWING, hessian, rel)


def test_between_the_steps(differentiated, cells):
    source = (
        "s = solve_ivp(decay, (0, 3), [2.0], args=(k,), dense_output=True)\ny = s.sol(t)[0] + s.sol([0.5, 1.0])[0, 1]"
    )
    e, f = math.exp(-0.6), math.exp(-0.5)
    result = differentiated("k=0.5 t=1.2", source, {"k": -2.4 * e - 2 * f, "t": -e}, rel=1e-6)
    assert "sol(v3, v2)" in [row.expression for row in result.rows]
    names = cells.plain("import copy\nlater = copy.deepcopy(s).sol(1.2)")
    assert type(names["s"].sol).__name__ == "OdeSolution"
    assert type(names["later"]) is np.ndarray and names["later"][0] == pytest.approx(2 * e, rel=1e-2)


def test_logistic_growth(differentiated):
    """y = K / (1 + (K/y0 - 1) e^{-rt}) at t = 3, by all three."""

    def logistic(r, k, y0):
        return k / (1 + (k / y0 - 1) * mpmath.exp(-3 * r))

    at = (1.2, 5.0, 0.4)
    by = {
        n: float(mpmath.diff(logistic, at, tuple(int(i == j) for j in range(3))))
        for i, n in enumerate(("r", "K", "y0"))
    }
    differentiated("r=1.2 K=5.0 y0=0.4", "y = solve_ivp(lambda t, y: r*y*(1 - y/K), (0, 3), [y0]).y[0, -1]", by)


def test_predators_and_prey_as_jax_has_it(cells):
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax.experimental.ode import odeint

    jnp = jax.numpy

    def last(p, u):
        def rate(y, t):
            return jnp.array([p[0] * y[0] - p[1] * y[0] * y[1], -p[2] * y[1] + p[3] * y[0] * y[1]])

        return odeint(rate, u, jnp.array([0.0, 5.0, 10.0]), rtol=1e-11, atol=1e-11)[1:].sum()

    by_p, by_u = jax.grad(last, (0, 1))(jnp.array([1.1, 0.4, 0.4, 0.1]), jnp.array([10.0, 5.0]))
    cells.plain("u = np.array([10.0, 5.0])")
    source = (
        "def rate(t, y):\n    return np.array([a*y[0] - b*y[0]*y[1], -c*y[1] + d*y[0]*y[1]])\n"
        "y = solve_ivp(rate, (0, 10), u, t_eval=[5.0, 10.0]).y.sum()"
    )
    gradient = dict(zip("abcd", by_p.tolist(), strict=True)) | {"u": np.asarray(by_u)}
    for mode in ("forward", "reverse"):
        result = cells.grad("a=1.1 b=0.4 c=0.4 d=0.1 u --of y", source, mode)
        for name, derivative in gradient.items():
            np.testing.assert_allclose(result.grad[name], derivative, rtol=1e-7, err_msg=name)


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_a_stiff_oscillator(cells, method):
    """Van der Pol's with mu = 1000: differences of a tight integration."""
    from scipy.integrate import solve_ivp

    def last(mu):
        def rate(t, y):
            return [y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]]

        return solve_ivp(rate, (0, 100), [2.0, 0.0], method="LSODA", rtol=1e-12, atol=1e-14).y[0, -1]

    expected = (last(1010.0) - last(990.0)) / 20
    cells.plain("def oscillator(t, y, mu):\n    return [y[1], mu*(1 - y[0]**2)*y[1] - y[0]]")
    source = f"y = solve_ivp(oscillator, (0, 100), [2.0, 0.0], args=(mu,), method='{method}').y[0, -1]"
    forward, reverse = (cells.grad("mu=1000.0 --of y", source, mode).grad["mu"] for mode in ("forward", "reverse"))
    assert forward == pytest.approx(expected, rel=1e-3)  # the difference has an error of its own
    assert reverse == pytest.approx(forward, rel=1e-9)


# ---- events --------------------------------------------------------------------------------------

H, G, R = 3.0, 9.81, 0.8


def test_the_time_of_an_event(differentiated):
    """A fall from the height h lasts √(2h/g)."""
    source = "y = solve_ivp(fall, (0, 10), [h, 0.0], args=(g,), events=ground).t[-1]"
    t = math.sqrt(2 * H / G)
    hessian = [[-t / (4 * H * H), -t / (4 * H * G)], [-t / (4 * H * G), 0.75 * t / G**2]]
    differentiated("h=3.0 g=9.81", source, {"h": t / (2 * H), "g": -t / (2 * G)}, hessian)


def test_from_one_event_to_the_next_start(differentiated):
    """Thrown up again with r times its speed: the height at the time 1.5."""
    source = (
        "s = solve_ivp(fall, (0, 10), [h, 0.0], args=(g,), events=ground)\n"
        "y = solve_ivp(fall, (s.t[-1], 1.5), [0.0, -r*s.y[1, -1]], args=(g,)).y[0, -1]"
    )
    t = math.sqrt(2 * H / G)
    left, speed = 1.5 - t, R * G * t
    by_t = R * G * left - speed + G * left
    gradient = {
        "h": by_t * t / (2 * H),
        "g": R * t * left - left**2 / 2 - by_t * t / (2 * G),
        "r": G * t * left,
    }
    result = differentiated("h=3.0 g=9.81 r=0.8", source, gradient)
    assert result.value == pytest.approx(speed * left - G * left**2 / 2)


def test_events_on_the_way(differentiated):
    """cos wt = 1/2 for the second time at t = 5π/3w, with the speed w √3/2."""
    source = (
        "s = solve_ivp(swing, (0, 5), [1.0, 0.0], args=(w, 0.0), events=[lambda t, y, *_: y[0] - 0.5], rtol=1e-8)\n"
        "y = s.t_events[0][1] + s.y_events[0][1, 1]"
    )
    differentiated("w=2.0", source, {"w": -5 * math.pi / 12 + math.sqrt(0.75)})


# ---- right sides with corners --------------------------------------------------------------------


def test_bends_and_switches(differentiated):
    grows = "y = solve_ivp(lambda t, y: [max(y[0], x)], (0, 2), [0.2]).y[0, -1]"
    result = differentiated("x=0.7", grows, {"x": math.exp(2 - 0.5 / 0.7) * (1 - 0.2 / 0.7)}, rel=1e-6)
    with pytest.raises(LostDerivative, match=r"bend near t = 0\.714286"):
        result.hessian()
    differentiated("x=0.7", "y = solve_ivp(lambda t, y: [abs(t - x)], (0, 2), [0.0]).y[0, -1]", {"x": -0.6}, rel=1e-6)
    switched = "y = solve_ivp(lambda t, y: [x if t < 1 else 2*x*y[0]], (0, 2), [0.0]).y[0, -1]"
    differentiated("x=0.7", switched, {"x": (1 + 2 * 0.7) * math.exp(1.4)}, rel=1e-6)


@pytest.mark.parametrize("rate", ["-1.0 if t < x else 1.0", "2 + math.copysign(1.0, y[0] - x)"])
def test_a_jump_at_a_time_that_depends_on_an_input_is_refused(cells, mode, rate):
    with pytest.raises(LostDerivative, match=r"^line 2: the right side jumps near t = 0\.[67]"):
        cells.grad("x=0.7 --of y", f"y = solve_ivp(lambda t, y: [{rate}], (0, 2), [0.0]).y[0, -1]", mode)


# ---- how it is called, and what it reads ---------------------------------------------------------


CALL = "solve_ivp(f, (0, 1), [2.0]).y[0, -1]"


@pytest.mark.parametrize(
    "source",
    [
        "y = scipy.integrate.solve_ivp(fun=lambda t, u: -x*u, t_span=(0, 1), y0=(2,))['y'][0][-1]",
        "kept = {'a': [x]}\ny = solve_ivp(lambda t, u: [-kept['a'][0]*u[0]], (0, 1), [2.0]).y[0, -1]",
        f"out = np.zeros(1)\ndef f(t, u):\n    out[0] = -x*u[0]\n    return out\ny = {CALL}",
        f"def f(t, u):\n    d = np.zeros_like(u)\n    d[0] = -x*u[0]\n    return d\ny = {CALL}",
        "y = solve_ivp(functools.partial(lambda k, t, u: -k*u, x), (0, 1), [2.0]).y[0, -1]",
        "A = np.array([[-x]])\ny = solve_ivp(lambda t, u: A @ u, (0, 1), np.array([2.0])).y[0, -1]",
        "y = solve_ivp(lambda t, u: -x*u, (0, 1), [2.0], vectorized=True, method='Radau').y[0, -1]",
        "y = solve_ivp(lambda t, u: -x*u, (0, 1), [2.0], jac=lambda t, u: [[-x]], method='BDF').y[0, -1]",
        "y = solve_ivp(lambda t, u: -x*u, (0, 1), [2.0], max_step=x/7).y[0, -1]",
        "y = odeint(lambda u, t: -x*u, 2.0, [0, 1])[-1, 0]",
        "y = odeint(lambda u, t, k: -k*u, 2.0, [0, 1], (x,), full_output=True)[0][-1, 0]",
    ],
)
def test_where_a_right_side_reads_from(differentiated, source):
    differentiated("x=0.7", source, {"x": -2 * math.exp(-0.7)})


def test_the_row_says_how(cells):
    result = cells.grad("k=0.5 --of y", "y = solve_ivp(decay, (0, 3), [2.0], args=(k,)).y[0, -1]")
    row = result.rows[1]
    assert row.expression == "solve_ivp(decay, (0, 3), [2.0], args=(v1,)).y"
    assert "adjoint equation" in row.how[0]
    text = result.to_text()
    assert "S′ = f_y S + f_v" in text
    assert "λ′ = −f_yᵀ λ" in text
    assert "sensitivity / adjoint equation" in result.to_html()
    assert result.to_latex().isascii()
    assert [
        r.expression
        for r in cells.grad("k=0.5 --of y", "y = odeint(decay, 2.0, [0, 1], (k,), tfirst=True)[-1, 0]").rows
    ][1] == "odeint(decay, 2.0, [0, 1], (v1,), tfirst=True)"


def test_what_stays_behind_is_that_of_scipy(cells, mode):
    names = cells.plain("plain = solve_ivp(fall, (0, 10), [3.0, 0.0], args=(9.81,), events=ground)")
    cells.grad("h=3.0 --of y", "s = solve_ivp(fall, (0, 10), [h, 0.0], args=(9.81,), events=ground)\ny = s.t[-1]", mode)
    plain, found = names["plain"], names["s"]
    for key in ("t", "y"):
        assert type(found[key]) is np.ndarray
        np.testing.assert_array_equal(found[key], plain[key])
    assert type(found.t_events[0]) is type(found.y_events[0]) is np.ndarray
    assert (found.status, found.message, found.success, found.sol) == (1, plain.message, True, None)
    assert names["solve_ivp"] is __import__("scipy").integrate.solve_ivp


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ("solve_ivp(lambda t, u: -x*u, (0, 1))", TypeError, "missing"),
        ("solve_ivp(lambda t, u: -x*u, (0, 1), [1.0], method='none')", ValueError, "method"),
        ("solve_ivp(lambda t, u: {}[x], (0, 1), [1.0])", KeyError, "0.7"),
        ("solve_ivp(lambda t, u: -x*u, (0, 1), [1.0 + 0j])", LostDerivative, "^line 2: .* real y only"),
        (
            "solve_ivp(lambda t, u, it=iter([x]*999): -next(it)*u, (0, 1), [1.0])",
            LostDerivative,
            "^line 2: .* cannot see",
        ),
    ],
)
def test_errors(cells, mode, call, error, message):
    with pytest.raises(error, match=message):
        cells.grad("x=0.7 --of y", f"y = {call}.y[0, -1]", mode)
    assert cells.grad("x=0.7 --of y", "y = 2*x", mode).grad["x"] == 2.0


# ---- with everything else ------------------------------------------------------------------------


def test_the_check_and_other_inputs(cells):
    """The differences are those of SciPy with tight tolerances: with its own they were off by 0.002."""
    result = cells.grad("k=0.5 T=3.0 --of y", "y = solve_ivp(decay, (0, T), [2.0], args=(k,)).y[0, -1]")
    report = result.check()
    assert report.ok
    found = [row for row in report.rows if row.method == "central differences"]
    assert [row.verdict for row in found] == ["agrees", "agrees"]
    assert "rtol = 1e-11" in report.to_text()
    moved = result.again.at(result.run, {"k": 1.0})
    assert moved.outputs[0].value == pytest.approx(2 * math.exp(-3), rel=1e-2)
    with pytest.raises(ValueError, match="line 2: solve_ivp is a solver"):
        result.code("reverse")


def test_the_check_of_a_function():
    assert trace(_decayed, 0.5).check().ok


def _decayed(k):
    from scipy.integrate import solve_ivp

    return solve_ivp(lambda t, y: -k * y, (0, 3), [2.0]).y[0, -1]


def test_derivatives_of_functions():
    assert grad(_decayed)(0.5) == pytest.approx(-6 * E)
    assert jvp(_decayed, (0.5,), (2.0,))[1] == pytest.approx(-12 * E)
    assert jacfwd(_decayed)(0.5) == pytest.approx(jacrev(_decayed)(0.5), rel=1e-13)
    assert hessian(_decayed)(0.5) == pytest.approx(18 * E)
    assert grad(grad(grad(_decayed)))(0.5) == pytest.approx(-54 * E, rel=1e-8)
    assert grad(lambda k: grad(lambda c: _decayed(c * k))(1.0))(0.5) == pytest.approx(-6 * E + 9 * E)


def test_an_integration_of_a_root_of_an_integration(differentiated):
    """The k for which y(1) = x is -log x; then y(2) = x²."""
    source = (
        "from scipy.optimize import brentq\n"
        "last = lambda k, t: solve_ivp(decay, (0, t), [1.0], args=(k,), rtol=1e-9, atol=1e-12).y[0, -1]\n"
        "y = last(brentq(lambda k: last(k, 1) - x, 0.1, 5), 2)"
    )
    differentiated("x=0.5", source, {"x": 1.0}, rel=1e-7)


def test_the_method():
    """Radau IIA integrates polynomials up to the degree 2s - 2 exactly."""
    c, a = radau()
    for k in range(9):
        assert a[-1] @ c**k == pytest.approx(1 / (k + 1), rel=1e-13)


def test_an_event_whose_class_says_that_it_is_terminal():
    from scipy.integrate import solve_ivp

    class Ground:
        terminal, direction = True, -1

        def __call__(self, t, y):
            return y[0]

    def landing(k):
        return solve_ivp(lambda t, y: [-k], (0, 20), [1.0], events=Ground(), rtol=1e-10, atol=1e-12).t[-1]

    for found in (grad(landing)(1.5), jvp(landing, (1.5,), (1.0,))[1]):
        assert found == pytest.approx(-1 / 1.5**2, rel=1e-7)


def test_another_solver_reads_the_solution(differentiated):
    """∫ exp(-k t) from 0 to 2, and where exp(-k t) is 1/2, from sol.sol(t)."""
    k = 0.7
    of_integral = 2 * math.exp(-2 * k) / k - (1 - math.exp(-2 * k)) / k**2
    source = """
from scipy.integrate import quad
from scipy.optimize import brentq
s = solve_ivp(lambda t, y: -k*y, (0, 3), [1.0], dense_output=True, rtol=1e-10, atol=1e-12)
y = quad(lambda t: s.sol(t)[0], 0, 2)[0] + brentq(lambda t: s.sol(t)[0] - 0.5, 0, 3)
"""
    differentiated("k=0.7", source, {"k": of_integral - math.log(2) / k**2}, rel=1e-5)
