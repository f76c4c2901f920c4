"""Taylor mode, against closed forms, mpmath, jax.experimental.jet, and differences of coefficients one order lower."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest
import scipy.linalg
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from oracles import EXACT, mp, swept
from random_programs import program
from scipy import integrate

from ad_magic import checkpoint, grad, hessian, rule, stop_gradient, taylor
from ad_magic.cell.errors import CellError
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.operation import operation, value_of
from ad_magic.engine.power_series import Series
from ad_magic.engine.series import series_sweep
from ad_magic.engine.tape import Tape
from ad_magic.engine.traced import Traced
from ad_magic.report.result import Result
from ad_magic.rules import RULES

ORDER = 8


def near(got, want, rel=1e-10):
    """Whether coefficients agree, each beside its own size; one that is zero beside the greatest."""
    scale = max(abs(w) for w in want)
    return all(
        abs(g - w) <= rel * (abs(w) if abs(w) > 1e-18 * scale else scale) for g, w in zip(got, want, strict=True)
    )


# ---- closed forms --------------------------------------------------------------------------------


def tangent_numbers(order):
    """tan x = Σ (-1)^(n-1) 4^n (4^n - 1) B₂ₙ / (2n)! x^(2n-1) (Abramowitz & Stegun 4.3.67)."""
    found = [0.0] * (order + 1)
    for n in range(1, (order + 1) // 2 + 1):
        found[2 * n - 1] = float((-1) ** (n - 1) * 4**n * (4**n - 1) * mpmath.bernoulli(2 * n) / math.factorial(2 * n))
    return found


CLOSED = [
    (math.exp, lambda k: 1 / math.factorial(k)),
    (math.sin, lambda k: (0, 1, 0, -1)[k % 4] / math.factorial(k)),
    (math.log1p, lambda k: (-1) ** (k + 1) / k if k else 0.0),
    (lambda x: 1 / (1 - x), lambda k: 1.0),
    (lambda x: (1 - x) ** -2, lambda k: k + 1.0),
    (math.tan, lambda k: tangent_numbers(max(k, 1))[k]),
    (math.atan, lambda k: (0, 1, 0, -1)[k % 4] / max(k, 1)),
    (lambda x: math.sqrt(1 - 4 * x), lambda k: -math.comb(2 * k, k) / (2 * k - 1)),
    (lambda x: x**5, lambda k: float(k == 5)),
    (lambda x: 3.0, lambda k: 3.0 * (k == 0)),
]


@pytest.mark.parametrize(("f", "coefficient"), CLOSED)
def test_closed_forms_at_0(f, coefficient):
    assert near(taylor(f, 0.0, 12), [coefficient(k) for k in range(13)], 1e-12)


def test_high_order_stays_exact():
    assert near(taylor(lambda x: 1 / (1 - x), 0.5, 60), [2.0 ** (k + 1) for k in range(61)], 1e-12)
    assert near(taylor(lambda x: math.exp(-x) * math.exp(x), 0.3, 40)[:1], [1.0], 1e-12)


# ---- the table, row by row -----------------------------------------------------------------------

POINTS = {1: ((0.3,), (1.7,), (-0.6,)), 2: ((0.6, 1.4), (2.4, 3.5)), 3: ((0.3, 0.4, 0.5),)}
ROWS = [name for name in EXACT if name in RULES and not RULES[name].variadic and name not in ("ldexp", "round", "fma")]


def coefficients_of(name, point, k, order=ORDER):
    """The coefficients of one row along its k-th argument."""
    rule, tape = RULES[name], Tape()
    columns = [Traced.input(tape, x).index if j == k else x for j, x in enumerate(point)]
    left, right = (*columns, None)[:2] if len(columns) < 3 else (tuple(columns), None)
    row = tape.add(operation(name, tuple(j == k for j in range(len(point)))), left, right, value_of(rule)(*point))
    return series_sweep(tape.close(), {0: [1.0]}, order, [row])[row].coefficients


@pytest.mark.parametrize("name", ROWS)
def test_rows_against_mpmath(name):
    rule, tried = RULES[name], 0
    for point in POINTS[len(rule.partials)]:
        for k, partial in enumerate(rule.partials):
            if (partial == "0.0" and not rule.step) or name == "polygamma":
                continue
            try:
                value_of(rule)(*point)
            except ValueError:  # not in its domain
                continue
            with mp.workdps(60):
                moved = lambda t, k=k, p=point: EXACT[name](
                    *(t if j == k else mp.mpf(x) for j, x in enumerate(p))
                )  # a short function of one point
                want = [mp.re(c) for c in mp.taylor(moved, mp.mpf(point[k]), ORDER)]
            if any(mp.im(c) for c in mp.taylor(moved, mp.mpf(point[k]), 0)):
                continue
            assert near(coefficients_of(name, point, k), want), (point, k)
            tried += 1
    assert tried or name == "polygamma"


SPECIAL = {
    "gamma": (scipy.special.gamma, mp.gamma, 2.3),
    "j0": (scipy.special.j0, lambda a: mp.besselj(0, a), 1.5),
    "jv": (lambda a: scipy.special.jv(2, a), lambda a: mp.besselj(2, a), 2.5),
    "airy": (lambda a: scipy.special.airy(a)[0], mp.airyai, 0.7),
    "expit": (scipy.special.expit, lambda a: 1 / (1 + mp.exp(-a)), 0.4),
    "digamma": (scipy.special.digamma, mp.digamma, 1.2),
    "si near 0": (lambda a: scipy.special.sici(a)[0], mp.si, 0.01),
    "si": (lambda a: scipy.special.sici(a)[0], mp.si, 3.0),
    "lambertw": (lambda a: scipy.special.lambertw(a).real, lambda a: mp.re(mp.lambertw(a)), 0.8),
    "legendre": (lambda a: scipy.special.eval_legendre(5, a), lambda a: mp.legendre(5, a), 0.3),
    "erfinv": (scipy.special.erfinv, mp.erfinv, 0.2),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions(name):
    function, exact, at = SPECIAL[name]
    with mp.workdps(60):
        want = [mp.re(c) for c in mp.taylor(exact, mp.mpf(at), ORDER)]
    assert near(taylor(function, at, ORDER), want, 1e-9)


@swept
@given(st.integers(0, 10_000), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_random_programs(seed, x, y):
    """Branches, loops, lists: the program itself, run in mpmath, along a line through x and y."""
    source = compile(program(seed), "program", "exec")

    def run(a, b, library):
        names = {"x": a, "y": b, "math": library}
        exec(source, names)
        return names["out"]

    got = taylor(lambda a, b: run(a, b, math), (x, y), 4, direction=(1.0, 0.5))
    with mp.workdps(80):
        want = mp.taylor(lambda t: mp.mpf(run(mp.mpf(x) + t, mp.mpf(y) + t / 2, mp)), mp.mpf(0), 4)
    if all(abs(c) < 1e12 for c in want) and max(map(abs, got)) > 1e-3:
        scale = max(map(abs, want))
        assert all(abs(g - w) <= 1e-8 * scale for g, w in zip(got, want, strict=True))


def test_against_jet():
    import jax
    import jax.numpy as jnp
    from jax.experimental.jet import jet

    def f(np, x):
        return np.exp(np.sin(x)) / (1 + x * x)

    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        value, terms = jet(lambda x: f(jnp, x), (0.3,), ((1.0, *[0.0] * 6),))
    want = [float(value), *(float(c) / math.factorial(k) for k, c in enumerate(terms, 1))]
    assert near(taylor(lambda x: f(np, x), 0.3, 7), want)


# ---- arrays: each coefficient is the slope of the one before, over k -----------------------------

_draw = np.random.default_rng(3)
A, B, C = _draw.normal(size=(3, 3, 3))
V = _draw.normal(size=3)
_matrix = lambda t: A + 0.3 * t * B + 4 * np.eye(3)  # a line of matrices
_symmetric = lambda t: (A + A.T) * t + np.diag([1.0, 4.0, 9.0]) + t * t * (B + B.T)  # a curve of symmetric ones


def _written(t):
    u = np.ones(6) * t
    for _ in range(3):
        u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2]) * np.cos(u[1:-1])
    v = u[1:4]
    v *= t
    return u


ARRAYS = {
    "entries": lambda t: np.exp(t * V) + np.arctan2(t * V, 2.0) + np.array([t, t * t, 1.0]) ** np.array([2.0, 3, 1.5]),
    "zero to a power": lambda t: (np.array([t - 0.3, 2.0, t]) ** 3) ** 2,
    "products": lambda t: np.einsum("ij,jk,kl->il", _matrix(t), C, _matrix(t) @ _matrix(t)),
    "moves": lambda t: np.concatenate([np.sort(_matrix(t)[0]), np.roll(_matrix(t)[:, 1], 1)[::-1], np.cumsum(t * V)]),
    "written in place": _written,
    "solve": lambda t: np.linalg.solve(_matrix(t), t * V) + np.linalg.solve(_matrix(t), C)[:, 0],
    "inverse and determinant": lambda t: np.linalg.inv(_matrix(t)) * np.linalg.det(_matrix(t)),
    "eigenvalues": lambda t: np.linalg.eigvalsh(_symmetric(t)),
    "eigenvectors": lambda t: np.linalg.eigh(_symmetric(t))[1] ** 2,
    "singular values": lambda t: np.linalg.svd(_matrix(t))[1],
    "factors": lambda t: np.linalg.cholesky(_matrix(t) @ _matrix(t).T) + np.abs(np.linalg.qr(_matrix(t))[1]),
    "least squares": lambda t: np.linalg.lstsq(_matrix(t)[:, :2], V, rcond=None)[0],
    "exponential": lambda t: scipy.linalg.expm(0.3 * _matrix(t)),
    "prod with zeros": lambda t: np.cumprod(np.array([t, t - 0.3, t * t, 2.0])) + np.prod(np.array([t - 0.3, t])),
    "statistics": lambda t: np.var(_matrix(t), axis=0) + np.median(_matrix(t), axis=0) + np.linalg.norm(_matrix(t)),
    "complex on the way": lambda t: np.abs(np.fft.fft(_matrix(t)[0])) + np.real((1 + V * 1j) * np.exp(1j * t)),
    "polynomials": lambda t: np.polyfit(np.arange(3.0) + t, _matrix(t)[0], 1) + np.polyval(V, t),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name):
    f, at, order, h = ARRAYS[name], 0.3, 5, 2e-3
    got = taylor(f, at, order)
    assert got.shape == (order + 1, *np.shape(f(at)))
    assert np.allclose(got[0], f(at), rtol=1e-12, atol=0)
    beside = {j: taylor(f, at + j * h, order) for j in (-3, -2, -1, 1, 2, 3)}
    weights = {1: 45, 2: -9, 3: 1}
    for k in range(1, order + 1):
        slope = sum(w * (beside[j][k - 1] - beside[-j][k - 1]) for j, w in weights.items()) / (60 * h)
        assert np.allclose(got[k], slope / k, rtol=1e-6, atol=1e-8 * (1 + np.max(np.abs(slope)))), k


@pytest.mark.parametrize("part", range(4))
def test_functions_of_the_list(part):
    """Every sixth sample call of docs/numpy.md, along a line through all its inputs."""
    from numpy_samples import SAMPLES
    from test_numpy_list import FLAT, cell_of, inputs_of, run

    every = [s for given in SAMPLES.values() for s in ([given] if isinstance(given, str) else given)]
    some = [s for s in every[part::24] + every[part + 6 :: 24] if inputs_of(s) and "empty" not in s]
    draw, compared = np.random.default_rng(part), 0
    for sample in some:
        start = inputs_of(sample)
        along = {name: draw.normal(size=np.shape(x))[()] for name, x in start.items()}

        def at(h, sample=sample, start=start, along=along):
            moved = {name: x + h * along[name] for name, x in start.items()}
            return Result(run(cell_of(sample) + FLAT, moved, "reverse")[0]).taylor(3, along)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                got, *beside = (at(h * 1e-3) for h in (0, 2, 1, -1, -2))
            except (LostDerivative, CellError):  # refused, or nothing that varies
                continue
        for k in range(1, 4):
            far, right, left, near_ = (c[k - 1] for c in beside)
            slope = (8 * (right - left) - (far - near_)) / (12e-3 * k)
            size = 1 + np.max(np.abs(slope), initial=0.0)
            np.testing.assert_allclose(got[k], slope, rtol=1e-4, atol=1e-6 * size, err_msg=f"{sample}, order {k}")
        compared += 1
    assert compared > 10


def test_solvers():
    from scipy.integrate import quad, solve_ivp
    from scipy.optimize import brentq

    decay = taylor(lambda k: solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], rtol=1e-9).y[0, -1], 0.5, 4)
    assert near(decay, [math.exp(-0.5) * (-1) ** k / math.factorial(k) for k in range(5)], 1e-7)

    root = taylor(lambda t: brentq(lambda u: u * u - t, 0, 5, xtol=1e-15), 2.0, 6)
    assert near(root, [float(c) for c in mp.taylor(mp.sqrt, 2, 6)], 1e-8)
    within = taylor(lambda t: quad(lambda u: math.exp(t * u), 0, 1)[0], 0.7, 6)
    assert near(within, [float(c) for c in mp.taylor(lambda t: (mp.exp(t) - 1) / t, mp.mpf(0.7), 6)], 1e-8)
    with pytest.raises(LostDerivative, match="limit that depends on an input"):
        taylor(lambda t: quad(math.exp, 0, t)[0], 1.0, 5)


def test_rules_of_ones_own():
    softplus = rule("softplus", "log1p(exp(a))", "1 / (1 + exp(-a))")
    want = [float(c) for c in mp.taylor(lambda t: mp.log1p(mp.exp(t)), mp.mpf(0.3), 6)]
    assert near(taylor(softplus, 0.3, 6), want)
    assert near(taylor(lambda x: softplus(x * np.ones(2)), 0.3, 6)[:, 1], want)

    @rule(vjp=lambda x: (math.sqrt(x), lambda g: (g / (2 * math.sqrt(x)),)))
    def root(x):
        return math.sqrt(x)

    assert near(taylor(root, 2.0, 6), [float(c) for c in mp.taylor(mp.sqrt, 2, 6)])


def test_calls_that_are_not_stored():
    def f(w):
        return np.sin(w) @ w

    direct, stored = (taylor(lambda x, g=g: g(x * V), 0.5, 5) for g in (f, checkpoint(f)))
    assert near(stored, direct, 1e-13)
    assert taylor(lambda x: x * stop_gradient(x * x), 0.5, 2) == [0.125, 0.25, 0.0]


# ---- directions, trees, orders 1 and 2 -----------------------------------------------------------


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3), st.lists(st.floats(-2, 2), min_size=3, max_size=3))
@swept
def test_orders_1_and_2_are_gradient_and_hessian(x, d):
    def f(v):
        return np.sum(np.sin(v) * np.exp(v[::-1])) + v[0] * v[1] ** 3 / (2 + np.cos(v[2]))

    x, d = np.array(x), np.array(d)
    got = taylor(f, x, 2, direction=d)
    assert math.isclose(got[1], float(grad(f)(x) @ d), rel_tol=1e-10, abs_tol=1e-10)
    assert math.isclose(got[2], float(d @ hessian(f)(x) @ d) / 2, rel_tol=1e-10, abs_tol=1e-9)


def test_trees():
    got = taylor(lambda p, s: {"a": p["w"] * s, "b": [p["w"][0] ** 2, 1.0]}, ({"w": np.array([1.0, 2.0])}, 3.0), 2,
                 direction=({"w": np.array([1.0, 0.0])}, 1.0))  # fmt: skip
    assert got["a"].tolist() == [[3.0, 6.0], [4.0, 2.0], [1.0, 0.0]]
    assert got["b"] == [[1.0, 2.0, 1.0], [1.0, 0.0, 0.0]]


def test_the_cost_of_a_row_does_not_explode(monkeypatch):
    """sin, cos and their like end in one another; the chain of gamma goes one order down with each link."""
    made, whole = 0, Series.__init__

    def counted(self, *parts):
        nonlocal made
        made += 1
        whole(self, *parts)

    monkeypatch.setattr(Series, "__init__", counted)
    taylor(math.tanh, 0.3, 40)
    few = made
    taylor(math.gamma, 1.5, 40)
    assert few < 30
    assert made - few < 300


# ---- where there is no series --------------------------------------------------------------------


def test_corners_and_infinite_slopes():
    assert taylor(abs, 0.0, 3) == [0.0, 0.0, 0.0, 0.0]  # the mean of both sides
    assert taylor(lambda x: abs(x**2 - x**5), 0.0, 6) == [0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0]  # no corner at all
    assert taylor(lambda x: np.abs(np.array([-(x**4), x**3, x - 2])), 0.0, 4).T.tolist() == [
        [0.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [2.0, -1.0, 0.0, 0.0, 0.0],
    ]
    assert taylor(lambda x: max(x, 2 * x), 0.0, 2) == [0.0, 1.5, 0.0]
    assert taylor(math.sqrt, 0.0, 1) == [0.0, math.inf]
    assert not any(map(math.isfinite, taylor(math.sqrt, 0.0, 4)[1:]))
    found = taylor(lambda x: x**2.5, 0.0, 4)
    assert found[:3] == [0.0, 0.0, 0.0]
    assert not any(map(math.isfinite, found[3:]))
    assert taylor(lambda x: np.where(x > 0, np.sqrt(np.array([x])), 0.0), 0.0, 2).tolist() == [[0.0], [0.0], [0.0]]


def test_an_overflow_is_no_silent_number():
    """log(1 + exp(x)) at 800 is infinite in doubles, and what comes out of zero times infinity is not its slope."""
    with np.errstate(all="ignore"):
        assert all(map(math.isnan, taylor(lambda x: np.log1p(np.exp(x)), 800.0, 3)[1:]))
        chosen = taylor(lambda x: np.where(x > 0, 1 / (x * np.ones(2)), x), 0.0, 2)
    assert chosen.tolist() == [[0.0] * 2, [1.0] * 2, [0.0] * 2]
    assert taylor(math.tanh, 800.0, 3) == [1.0, 0.0, 0.0, 0.0]


def test_a_seam_is_no_silent_number():
    """Where a partial of the table is put together of two pieces: right as far as it goes, then NaN."""
    spence = taylor(scipy.special.spence, 1.0, 4)  # at z = 1: Σ (-1)^k (z - 1)^k / k²
    assert near(spence[:3], [0.0, -1.0, 0.25])
    assert all(map(math.isnan, spence[3:]))
    huber = taylor(lambda b: scipy.special.huber(1.0, b), 1.0, 3)
    assert huber[:2] == [0.5, 1.0]
    assert all(map(math.isnan, huber[2:]))


def test_repeated_eigenvalues():
    got = taylor(lambda t: np.linalg.eigh(np.eye(2) + t * np.ones((2, 2)))[1] ** 2, 0.0, 3)
    assert np.isnan(got[2:]).any()


def test_mistakes():
    with pytest.raises(ValueError, match="whole number from 0 to 100"):
        taylor(math.sin, 0.0, -1)
    with pytest.raises(ValueError, match="whole number"):
        taylor(math.sin, 0.0, 2.5)
    with pytest.raises(TypeError, match="needs a direction"):
        taylor(lambda x, y: x * y, (1.0, 2.0), 3)
    with pytest.raises(TypeError, match="needs a direction"):
        taylor(np.sum, np.ones(3), 3)
    with pytest.raises(TypeError, match="must be like it"):
        taylor(lambda x, y: x * y, (1.0, 2.0), 3, direction=(1.0, [1.0]))
    with pytest.raises(TypeError, match="inside another derivative"):
        grad(lambda x: taylor(math.sin, x, 2)[1])(0.3)


def test_an_operation_without_a_series_is_named_with_its_line():
    def f(x):
        a = x * x
        return integrate.quad(lambda t: t * a, 0.0, x)[0]

    line = f.__code__.co_firstlineno + 2
    with pytest.raises(LostDerivative, match=rf"^test_taylor.py, line {line}: quad has a limit"):
        taylor(f, 1.0, 6)
    with pytest.raises(LostDerivative, match=rf"^test_taylor.py, line {line}: quad has a limit"):
        taylor(lambda x: np.sum(np.array([x, f(x)])), 1.0, 6)


def test_the_nudged_sweep_tells_lost_digits():
    """1 - cos x near 0 loses digits; x + 1 does not."""

    def differs(f, at, order):
        tape = Tape()
        x = Traced.input(tape, at)
        out = f(x)
        columns, rows = tape.close(), [out.index]
        both = [series_sweep(columns, {0: [1.0]}, order, rows, nudge)[rows[0]][order] for nudge in (False, True)]
        return abs(both[0] - both[1]) / abs(both[0])

    from ad_magic.engine.functions import MATH

    assert differs(lambda x: MATH["exp"](x) * x, 0.7, 6) < 1e-13
    assert differs(lambda x: MATH["sin"](x) / x, 0.05, 8) > 1e-6


def test_no_numpy_for_numbers():
    """A program of plain numbers does not need NumPy for its series."""
    import subprocess
    import sys

    code = "import math, sys; from ad_magic import taylor; taylor(math.exp, 0.0, 3); print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
