"""Jacobians, Hessians, linear maps, and trees of arguments."""

from __future__ import annotations

import dataclasses
import math
from collections import OrderedDict, namedtuple
from typing import Any

import autograd
import autograd.numpy as anp
import autograd.scipy.special as asp
import numpy as np
import pytest
import scipy.optimize
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from ad_magic.transforms import (
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    taylor,
    value_and_grad,
    vjp,
)

V = np.array([0.5, -1.5, 2.5])
JACOBIANS = [jacfwd, jacrev, jacobian]


def equal(a: Any, b: Any, **how: Any) -> None:
    np.testing.assert_allclose(
        np.asarray(a, dtype=float), np.asarray(b, dtype=float), **{"rtol": 1e-9, "atol": 1e-12, **how}
    )


# ---- against autograd: functions that people differentiate ---------------------------------------------------

A = np.array([[2.0, -0.5, 0.3], [0.1, 1.5, -0.2], [0.4, 0.2, 1.1]])
DATA = np.linspace(-1, 1, 12).reshape(4, 3)
LABELS = np.array([1.0, 0.0, 1.0, 1.0])


def functions(np: Any, special: Any) -> dict[str, Any]:
    """Each as a function of three numbers that returns one."""

    def robot_arm(t):
        angles = np.cumsum(t)
        return np.sum(np.cos(angles)) ** 2 + np.sum(np.sin(angles)) ** 2

    def logistic(w):
        return np.sum(np.logaddexp(0.0, -(2 * LABELS - 1) * np.dot(DATA, w)))

    def network(w):
        hidden = np.tanh(np.outer(DATA[:, 0], w) + w[::-1])
        return np.mean((np.sum(hidden**2, axis=1) - LABELS) ** 2)

    def gaussian(w):
        s = np.dot(A, A.T) + np.diag(w**2)
        return np.dot(w, np.linalg.solve(s, w)) + np.linalg.slogdet(s)[1]

    return {
        "rosenbrock": lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        "quadratic form": lambda x: np.dot(x, np.dot(A, x)),
        "log-sum-exp": lambda x: np.log(np.sum(np.exp(x))),
        "robot arm": robot_arm,
        "logistic regression": logistic,
        "network": network,
        "gaussian likelihood": gaussian,
        "softmax entropy": lambda x: -np.sum(np.exp(x) / np.sum(np.exp(x)) * np.log(np.exp(x) / np.sum(np.exp(x)))),
        "lennard-jones": lambda x: np.sum(4 * ((1 / (x**2 + 1)) ** 6 - (1 / (x**2 + 1)) ** 3)),
        "gamma likelihood": lambda x: np.sum(special.gammaln(x**2 + 1) - x * np.log(x**2 + 1)),
        "error function": lambda x: special.erf(np.sum(x)) * np.prod(x),
        "kepler": lambda x: np.sqrt(x[0] ** 2 + x[1] ** 2 + 1) - 1 / (1 + x[2] ** 2) + np.arctan2(x[1], x[0] + 2),
        "trace of a power": lambda x: np.trace(np.dot(np.dot(A * x, A), A * x)),
    }


OURS, THEIRS = functions(np, scipy.special), functions(anp, asp)


@pytest.mark.parametrize("name", OURS)
def test_autograd_agrees(name):
    ours, theirs = OURS[name], THEIRS[name]
    t = np.array([0.3, 1.0, -2.0])
    equal(grad(ours)(V), autograd.grad(theirs)(V))
    second = autograd.hessian(theirs)(V)
    equal(hessian(ours)(V), second)
    equal(hvp(ours, (V,), (t,)), second @ t)
    for outer in JACOBIANS:
        equal(outer(grad(ours))(V), second)


@pytest.mark.parametrize("jac", JACOBIANS)
@pytest.mark.parametrize(
    "f",
    [
        lambda np: lambda x: np.tanh(np.dot(A, x)) * x,
        lambda np: lambda x: np.outer(x, np.sin(x)),
        lambda np: lambda x: np.concatenate([x[1:] ** 2, x[:1] * x[2]]),
        lambda np: lambda x: np.linalg.solve(A * x, x),
    ],
)
def test_jacobians_of_autograd(jac, f):
    equal(jac(f(np))(V), autograd.jacobian(f(anp))(V))


# ---- in any order --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [*JACOBIANS, grad])
@pytest.mark.parametrize("outer", JACOBIANS)
def test_a_hessian_in_any_order(outer, inner):
    f = lambda x: np.sum(np.exp(x) * x) + x[0] * x[1] ** 2
    expected = np.diag(np.exp(V) * (V + 2))
    expected[0, 1] = expected[1, 0] = 2 * V[1]
    expected[1, 1] += 2 * V[0]
    equal(outer(inner(f))(V), expected)


@pytest.mark.parametrize("a", JACOBIANS)
@pytest.mark.parametrize("b", JACOBIANS)
@pytest.mark.parametrize("c", JACOBIANS)
def test_third_derivatives(a, b, c):
    third = a(b(c(lambda x: np.sum(x**4) + x[0] * x[1] * x[2])))(V)
    expected = np.zeros((3, 3, 3))
    for k in range(3):
        expected[k, k, k] = 24 * V[k]
    for i, j, k in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]:
        expected[i, j, k] = 1.0
    equal(third, expected)
    assert a(b(c(lambda x: x**4)))(2.0) == 48.0


def test_the_map_may_be_differentiated_too():
    assert grad(lambda x: vjp(lambda y: y * y * x, x)[1](1.0)[0])(3.0) == 12.0  # 2 x²
    assert grad(lambda g: vjp(lambda y: y**2, 3.0)[1](g)[0])(5.0) == 6.0
    assert grad(lambda t: linearize(lambda y: y**2, 3.0)[1](t))(5.0) == 6.0
    equal(grad(lambda c: np.sum(linearize(lambda y: y**2 * c, V)[1](c)))(V), 4 * V * V)
    equal(jacfwd(lambda c: vjp(lambda y: y**2 * c, V)[1](c)[0])(V), np.diag(4 * V * V))


# ---- linear maps ---------------------------------------------------------------------------------------------


def test_one_run_many_directions():
    runs = []

    def f(x, s):
        runs.append(1)
        return {"y": np.cumsum(x) * s, "s": s**2}

    value, push = linearize(f, V, 2.0)
    equal(value["y"], np.cumsum(V) * 2)
    for t in np.eye(3):
        along = push(t, 0.0)
        equal(along["y"], np.cumsum(t) * 2)
        assert along["s"] == 0.0
    equal(push(np.zeros(3), 1.0)["y"], np.cumsum(V))
    value, pull = vjp(f, V, 2.0)
    slopes = pull({"y": np.array([0.0, 1.0, 0.0]), "s": 1.0})
    equal(slopes[0], [2.0, 2.0, 0.0])
    assert slopes[1] == pytest.approx(V[0] + V[1] + 4.0)
    slopes[0][...] = np.nan  # the caller's own
    equal(pull({"y": np.array([0.0, 1.0, 0.0]), "s": 0.0})[0], [2.0, 2.0, 0.0])
    assert len(runs) == 2


vectors = st.lists(st.floats(-2, 2), min_size=3, max_size=3).map(np.array)


@pytest.mark.parametrize("f", [
    lambda x: np.tanh(A @ x) * x[0],
    lambda x: np.sort(x) + np.cumsum(x**2),
    lambda x: np.fft.fft(x).real + x[::-1],
    lambda x: np.array([math.exp(x[0] / 3), x[1] * x[2], np.max(x)]),
])  # fmt: skip
@given(x=vectors, t=vectors, s=vectors, g=vectors)
def test_forward_and_reverse_are_adjoint_and_linear(f, x, t, s, g):
    value, along = jvp(f, (x,), (t,))
    _, push = linearize(f, x)
    _, pull = vjp(f, x)
    equal(push(t), along)
    equal(g @ along, pull(g)[0] @ t, rtol=1e-7, atol=1e-9)
    equal(push(2 * t + s), 2 * push(t) + push(s), rtol=1e-7, atol=1e-9)
    equal(value, f(x))


@given(x=vectors, t=vectors)
def test_the_chain_rule(x, t):
    f = lambda x: np.sin(A @ x) * x
    g = lambda y: np.exp(y / 3) + y[::-1] ** 2
    equal(jacobian(lambda x: g(f(x)))(x), jacrev(g)(f(x)) @ jacfwd(f)(x), rtol=1e-7, atol=1e-9)
    h = hessian(lambda x: np.sum(g(f(x))))(x)
    equal(h, h.T, rtol=1e-7, atol=1e-9)
    equal(hvp(lambda x: np.sum(g(f(x))), (x,), (t,)), h @ t, rtol=1e-7, atol=1e-9)


# ---- trees ---------------------------------------------------------------------------------------------------

Point = namedtuple("Point", "x y")


@dataclasses.dataclass(frozen=True)
class Layer:
    weights: Any
    bias: Any
    activation: str = "tanh"


@dataclasses.dataclass
class Net:
    layers: list[Layer]
    scale: float


def loss(net: Net, x: Any) -> Any:
    for layer in net.layers:
        x = x @ layer.weights + layer.bias
        x = np.tanh(x) if layer.activation == "tanh" else x
    return net.scale * np.sum(x**2)


NET = Net([Layer(A, V), Layer(A.T @ A, 0.5, "none")], 2.0)


def test_dataclasses_in_lists():
    slopes = grad(loss)(NET, DATA)
    assert type(slopes) is Net
    assert [layer.activation for layer in slopes.layers] == ["tanh", "none"]
    h = 1e-6
    for place in (0, 1):
        layer = NET.layers[place]
        for k in np.ndindex(3, 3):
            bent = [*NET.layers]
            values = []
            for step in (h, -h):
                weights = layer.weights.copy()
                weights[k] += step
                bent[place] = dataclasses.replace(layer, weights=weights)
                values.append(loss(Net(bent, 2.0), DATA))
            assert slopes.layers[place].weights[k] == pytest.approx(
                (values[0] - values[1]) / (2 * h), rel=1e-5, abs=1e-6
            )
    assert slopes.scale == pytest.approx(loss(NET, DATA) / 2.0)
    assert type(slopes.layers[1].bias) is float
    assert NET.layers[0].weights is A


def test_the_shapes_of_trees():
    f = lambda p: p["a"] * p["b"][0] + p["b"][1].x ** 2 * p["b"][1].y
    p = OrderedDict(b=[2.0, Point(3.0, 4.0)], a=5.0)
    slopes = grad(f)(p)
    assert slopes == OrderedDict(b=[5.0, Point(24.0, 9.0)], a=2.0)
    assert type(slopes["b"][1]) is Point
    second = hessian(f)(p)
    assert second["a"]["b"][0] == 1.0
    assert second["b"][1].x["b"][1] == Point(8.0, 6.0)
    assert jvp(f, (p,), (slopes,))[1] == 2.0**2 + 5.0**2 + 24.0**2 + 9.0**2
    assert grad(lambda xs: xs[0] * xs[1] * xs[2][0])([1.0, 2.0, (3.0,)]) == [6.0, 3.0, (2.0,)]


@pytest.mark.parametrize("jac", JACOBIANS)
def test_jacobians_of_trees(jac):
    found = jac(lambda p, q: {"a": p[0] * p[1], "b": np.array([p[0], p[1] ** 2 * q])})((2.0, 3.0), 5.0)
    assert found["a"] == (3.0, 2.0)
    equal(found["b"], [[1.0, 0.0], [0.0, 30.0]])
    found = jac(lambda x, m: m @ m * x, argnums=(1, 0))(2.0, np.eye(2))
    equal(found[1], np.eye(2))
    assert found[0].shape == (2, 2, 2, 2)
    equal(jac(lambda x, k=1.0: x * k)(2.0, k=5.0), 5.0)
    assert jac(lambda x: np.sum(x))(np.zeros(0)).shape == (0,)
    equal(jac(lambda x: 3.0)(V), np.zeros(3))


def test_hessians_of_several_arguments():
    assert hessian(lambda x, y: x * y**2, argnums=(0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))
    second = hessian(loss)(NET, DATA[:1])
    assert second.scale.scale == 0.0
    equal(second.layers[0].weights.layers[1].bias, second.layers[1].bias.layers[0].weights)


def test_something_else_to_say():
    both = value_and_grad(lambda x: (x**2, {"twice": 2 * x, "n": 3, "name": "x"}), has_aux=True)
    assert both(3.0) == ((9.0, {"twice": 6.0, "n": 3, "name": "x"}), 6.0)
    assert type(both(3.0)[0][1]["twice"]) is float
    assert grad(lambda x: (x * x, x + 1), has_aux=True)(3.0) == (6.0, 4.0)
    for jac in JACOBIANS:
        assert jac(lambda x: (x * x, x + 1), has_aux=True)(3.0) == (6.0, 4.0)
    assert hessian(lambda x: (x**3, x + 1), has_aux=True)(3.0) == (18.0, 4.0)
    assert jvp(lambda x: (x * x, x + 1), (3.0,), (1.0,), has_aux=True) == (9.0, 6.0, 4.0)
    assert vjp(lambda x: (x * x, "said"), 3.0, has_aux=True)[2] == "said"
    with pytest.raises(TypeError, match="a pair"):
        grad(lambda x: x, has_aux=True)(3.0)


# ---- with SciPy ----------------------------------------------------------------------------------------------


def test_scipy_takes_them_as_they_are():
    rosen = scipy.optimize.rosen
    start = np.array([1.2, 0.9, 0.5, 2.0])
    equal(grad(rosen)(start), scipy.optimize.rosen_der(start))
    equal(hessian(rosen)(start), scipy.optimize.rosen_hess(start))
    found = scipy.optimize.minimize(value_and_grad(rosen), start, jac=True, hess=hessian(rosen), method="trust-exact")
    equal(found.x, np.ones(4), atol=1e-5)
    residuals = lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])
    for jac in JACOBIANS:
        equal(scipy.optimize.least_squares(residuals, [2.0, 2.0], jac=jac(residuals)).x, np.ones(2), atol=1e-6)


# ---- what is refused -----------------------------------------------------------------------------------------


def test_one_sentence_for_each_mistake():
    with pytest.raises(TypeError, match="argument 0, a list, holds no real number"):
        grad(lambda x: x)(["a"])
    with pytest.raises(TypeError, match="returned a str without a number"):
        jacfwd(lambda x: "a")(1.0)
    with pytest.raises(TypeError, match="tangent of argument 0 must be like it: a list of 1"):
        jvp(lambda x: x[0], ([1.0],), ([1.0, 2.0],))
    with pytest.raises(TypeError, match=r"adjoint must be like the output of the function: a tuple of 2"):
        vjp(lambda x: (x, x), 1.0)[1](1.0)
    with pytest.raises(TypeError, match="complex numbers"):
        jacrev(np.fft.fft)(V)
    with pytest.raises(TypeError, match="argument 0 is a number, and its tangent is an array"):
        jvp(lambda x: x, (1.0,), (V,))


def test_the_keys_of_a_tangent_and_of_an_adjoint_stand_in_any_order():
    w = np.array([1.0, 2.0, -4.0])
    p, t = {"a": 2.0, "b": V}, {"b": w, "a": 3.0}

    def f(p):
        return {"x": p["a"] ** 2, "y": p["a"] * np.sum(p["b"])}

    slope = {"x": 12.0, "y": pytest.approx(3 * np.sum(V) + 2 * np.sum(w))}
    assert jvp(f, (p,), (t,))[1] == slope
    assert linearize(f, p)[1](t) == slope
    back = vjp(f, p)[1]({"y": 5.0, "x": 7.0})[0]
    assert list(back) == ["a", "b"]
    assert back["a"] == pytest.approx(7 * 4.0 + 5 * np.sum(V))
    assert np.allclose(back["b"], 10.0)
    assert hvp(lambda p: f(p)["y"], (p,), (t,))["a"] == pytest.approx(np.sum(w))
    assert taylor(lambda p: f(p)["x"], p, 2, t) == pytest.approx([4.0, 12.0, 9.0])
    with pytest.raises(TypeError, match="must be like it: a dict with 'a', 'b'"):
        jvp(f, (p,), ({"a": 1.0, "c": w},))
