"""Derivatives of plain functions, also inside one another."""

from __future__ import annotations

import math
from math import sin

import pytest

from ad_magic.transforms import grad, jvp, value_and_grad


def test_names_bound_early():
    def f(x):
        return sin(x) * x

    assert grad(f)(1.0) == pytest.approx(math.sin(1.0) + math.cos(1.0))
    assert sin is math.sin


def test_argnums():
    def f(x, y, z=1.0):
        return x * y**2 * z

    assert value_and_grad(f, argnums=(1, 0))(2.0, 3.0, z=2.0) == (36.0, (24.0, 18.0))


@pytest.mark.parametrize("inner", [grad, lambda f: lambda x: jvp(f, (x,), (1.0,))[1]])
@pytest.mark.parametrize("outer", [grad, lambda f: lambda x: jvp(f, (x,), (1.0,))[1]])
def test_no_perturbation_confusion(outer, inner):
    """d/dx x · (d/dy (x + y)) is 1, not 2 (Siskind & Pearlmutter 2005)."""
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    # the outer variable is used again after the inner derivative: d/dx (2·x·2 + x²) = 4 + 2x
    assert outer(lambda x: inner(lambda y: x * y * y)(2.0) + x * x)(3.0) == 10.0
    assert outer(lambda x: inner(lambda y: math.exp(x * y))(0.5))(2.0) == pytest.approx(math.exp(1.0) * 2.0)


def test_perturbation_confusion_through_a_closure():
    """ForwardDiff.jl, issue 443: the inner function assigns a variable of the outer one."""

    def f(x):
        kept = 0.0

        def g(y):
            nonlocal kept
            kept = x
            return y

        derivative = jvp(g, (1.0,), (1.0,))[1]
        return kept * derivative

    assert jvp(f, (1.0,), (1.0,)) == (1.0, 1.0)


def test_a_leaked_number_is_a_constant():
    kept = []
    grad(lambda x: (kept.append(x * x), x)[1])(2.0)
    assert grad(lambda x: kept[0] * x)(3.0) == 4.0


def test_what_is_refused():
    with pytest.raises(TypeError, match="returned a str"):
        grad(lambda x: "a")(1.0)
    with pytest.raises(TypeError, match="argument 0 is a str"):
        grad(lambda x: x)("a")
    with pytest.raises(TypeError, match="one tangent for each"):
        jvp(lambda x: x, (1.0,), ())
