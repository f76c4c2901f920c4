"""Roots and fixed points of our own, against closed forms and against unrolling the iteration."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from oracles import Cells

from ad_magic import fixed_point, grad, hessian, jacobian, jvp, root, value_and_grad
from ad_magic.transforms import jacfwd, jacrev


def kepler(m, e):
    return fixed_point(lambda x: m + e * math.sin(x), m)


def kepler_by_root(m, e):
    return root(lambda x: x - e * math.sin(x) - m, m)


@pytest.mark.parametrize("anomaly", [kepler, kepler_by_root])
def test_keplers_equation(anomaly):
    """E - e sin E = M: dE/dM = 1 / (1 - e cos E), dE/de = sin E / (1 - e cos E)."""
    value, (by_m, by_e) = value_and_grad(anomaly, argnums=(0, 1))(1.0, 0.5)
    w = 1 - 0.5 * math.cos(value)
    assert value - 0.5 * math.sin(value) == pytest.approx(1.0, abs=1e-15)
    assert by_m == pytest.approx(1 / w, rel=1e-13)
    assert by_e == pytest.approx(math.sin(value) / w, rel=1e-13)
    assert jvp(anomaly, (1.0, 0.5), (1.0, 2.0))[1] == pytest.approx(by_m + 2 * by_e, rel=1e-13)
    second = hessian(anomaly, argnums=(0, 1))(1.0, 0.5)
    assert second[0][0] == pytest.approx(-0.5 * math.sin(value) / w**3, rel=1e-12)
    assert second[0][1] == pytest.approx(second[1][0], rel=1e-12)


def test_a_fixed_point_of_the_cosine():
    """z = a cos z at a = 1: dz/da = cos z / (1 + a sin z)."""
    z = fixed_point(math.cos, 1.0)
    slope = grad(lambda a: fixed_point(lambda z: a * math.cos(z), 0.5))(1.0)
    assert slope == pytest.approx(math.cos(z) / (1 + math.sin(z)), rel=1e-12)
    assert grad(lambda a: fixed_point(lambda z, c: c * math.cos(z), 0.5, args=(a,)))(1.0) == slope


def test_unrolled_and_implicit():
    def unrolled(x):
        a = 1.0
        while abs(a * a - x) > 1e-15 * x:
            a, before = (a + x / a) / 2, a
            if a == before:
                break
        return a

    assert grad(unrolled)(2.0) == pytest.approx(1 / (2 * math.sqrt(2)), rel=1e-12)
    for implicit in (lambda x: fixed_point(lambda a: (a + x / a) / 2, 1.0), lambda x: root(lambda a: a * a - x, 1.0)):
        assert grad(implicit)(2.0) == pytest.approx(1 / (2 * math.sqrt(2)), rel=1e-14)


def test_systems():
    a = np.array([[0.2, 0.1], [0.05, 0.3]])
    b = np.array([1.0, 2.0])
    inverse = np.linalg.inv(np.eye(2) - a)
    for jac in (jacfwd, jacrev, jacobian):
        found = jac(lambda b: fixed_point(lambda x: a @ x + b, np.zeros(2)))(b)
        np.testing.assert_allclose(found, inverse, rtol=1e-12)
    f = lambda x, b: np.array([x[0] ** 2 + x[1] - b[0], x[0] - x[1] * b[1]])
    x = root(lambda x: f(x, b), np.ones(2))
    np.testing.assert_allclose(f(x, b), 0, atol=1e-14)
    by_x = np.array([[2 * x[0], 1.0], [1.0, -b[1]]])
    by_b = np.array([[-1.0, 0.0], [0.0, -x[1]]])
    expected = -np.linalg.solve(by_x, by_b)
    np.testing.assert_allclose(jacobian(lambda b: root(lambda x: f(x, b), np.ones(2)))(b), expected, rtol=1e-12)
    grid = np.arange(1.0, 5.0).reshape(2, 2)
    diagonal = jacobian(lambda c: root(lambda x: x**2 - c, np.ones((2, 2))))(grid)
    np.testing.assert_allclose(diagonal.reshape(4, 4), np.diag(0.5 / np.sqrt(np.arange(1.0, 5.0))), atol=1e-14)


@pytest.mark.parametrize("mode", ["forward", "reverse", "both"])
def test_in_a_cell(shell, mode):
    cells = Cells(shell)
    cells.forget().plain("import math\nfrom ad_magic import fixed_point")
    r = cells.grad("m=1.0 e=0.5 --of E", "E = fixed_point(lambda E: m + e*math.sin(E), m)", mode)
    assert r.grad["m"] == pytest.approx(1 / (1 - 0.5 * math.cos(r.value)), rel=1e-12)
    assert [row.expression for row in r.rows if row.op == "fixed_point"] == ["fixed_point(f, v1)"]
    assert r.check().ok
    cells.done()


def test_where_there_is_no_rest():
    for call in (lambda: fixed_point(lambda x: 2 * x + 1, 1.0), lambda: root(lambda x: x * x + 1, 0.7)):
        with pytest.raises(ValueError, match="no rest after"):
            call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: root("x", 1.0), "root is of a function, not of a str"),
        (
            lambda: root(lambda x: x, [0.0, 1.0]),
            "root starts from a real number or an array, like the x of f; x0 is a list",
        ),
        (
            lambda: root(lambda x: x[:1], np.ones(2)),
            r"shape \(1,\), and x is an array of shape \(2,\): there are as many",
        ),
        (lambda: root(lambda x: np.array([x]), 1.0), r"f returned an array of shape \(1,\), and x is a number"),
        (lambda: root(lambda x: 3.0, 1.0), r"the derivative of f is 0 at x = 1\.0: no step from there"),
        (
            lambda: root(lambda x: 3.0 + 0 * x, np.ones(2)),
            r"the Jacobian of f is singular at x = array\(\[1\., 1\.\]\)",
        ),
        (lambda: fixed_point(lambda x: np.ones(2), np.ones(3)), r"shape \(2,\), and x is an array of shape \(3,\)"),
        (lambda: fixed_point(lambda x: None, 1.0), "f returned None; it returns a real number or an array, like x"),
    ],
)
def test_a_function_or_a_start_that_does_not_fit_is_one_sentence(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


def test_a_start_that_is_the_root_and_a_system_in_a_list():
    assert root(lambda x: x**3, 0.0) == 0.0
    assert root(lambda x: x**3, np.zeros(2)).tolist() == [0.0, 0.0]
    assert fixed_point(lambda x: [0.5 * x[1], 0.2], np.ones(2)).tolist() == [0.1, 0.2]


def test_plain_numbers_stay_plain():
    assert type(fixed_point(math.cos, 1)) is float
    assert type(root(lambda x: x - 2, 1)) is float
    assert "ad_magic" not in type(root(lambda x: x**2 - 2, np.ones(2))).__module__
    assert math.cos is sys.modules["math"].cos
