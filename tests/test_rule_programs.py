"""A jvp or a vjp that is a program: it sorts, writes in place, loops; its second and third derivatives in all ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ad_magic import checkpoint, grad, hessian, hvp, jacfwd, jacrev, rule, stop_gradient, taylor, trace

X = np.array([0.3, -0.2, 0.5, 0.9])
W = np.array([1.0, 2.0, 3.0, -1.0])
UP = np.argsort(np.argsort(X))  # the place of each entry in order


# ---- the same in many words ----------------------------------------------------------------------
# Each pair is of a function whose sum with weights W has the second derivatives 6 c x on the diagonal, and no others.


def sorted_cubes(x):
    return np.sort(x) ** 3


def sorted_cubes_vjp(x):
    order = x.argsort()
    cubes = x**3
    cubes.sort()

    def pull(g):
        back = np.empty_like(g)
        back[order] = g
        back *= 3 * x * x
        return back

    return cubes, pull


def sorted_cubes_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return np.sort(x) ** 3, 3 * np.sort(x) ** 2 * np.take(dx, np.argsort(x))


def positive_cubes(x):
    y = x**3
    y[x < 0] = 0.0
    return y


def positive_cubes_vjp(x):
    def pull(g):
        back = 3 * x * x * g
        back[x < 0] = 0.0
        return (back,)

    return positive_cubes(x), pull


def positive_cubes_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    dy = np.zeros(x.shape)
    np.multiply(3 * x * x, dx, out=dy)
    dy[x < 0] *= 0.0
    return positive_cubes(x), dy


def running_cubes(x):
    return np.cumsum(x**3)


def running_cubes_vjp(x):
    y, total = np.zeros(len(x)), 0.0
    for k in range(len(x)):
        total = total + x[k] ** 3
        y[k] = total

    def pull(g):
        back, total = np.zeros_like(x), 0.0
        for k in reversed(range(len(x))):
            total = total + g[k]
            back[k] += 3 * x[k] ** 2 * total
        return (back,)

    return y, pull


def running_cubes_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return np.cumsum([a**3 for a in x]), np.cumsum(np.stack([3 * a * a * b for a, b in zip(x, dx, strict=True)]))


PICKED = np.array([0, 2, 2, 1])


def picked_cubes(x):
    return np.take(x**3, PICKED)


def picked_cubes_vjp(x):
    def pull(g):
        back = np.zeros(len(x))
        np.add.at(back, PICKED, g)
        return (back * 3 * x * x,)

    return picked_cubes(x), pull


def picked_cubes_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    dy = dx[PICKED].copy()
    np.put(dy, [0, 1, 2, 3], 3 * x[PICKED] ** 2 * dy)
    return picked_cubes(x), dy


FUNCTIONS: dict[Any, Any] = {
    sorted_cubes: (sorted_cubes_jvp, sorted_cubes_vjp, W[UP]),
    positive_cubes: (positive_cubes_jvp, positive_cubes_vjp, W * (X > 0)),
    running_cubes: (running_cubes_jvp, running_cubes_vjp, np.cumsum(W[::-1])[::-1]),
    picked_cubes: (picked_cubes_jvp, picked_cubes_vjp, np.bincount(PICKED, W, 4)),
}
SECOND: dict[str, Callable[..., Any]] = {
    "hessian": lambda f: hessian(f)(X),
    "forward": lambda f: jacfwd(jacfwd(f))(X),
    "reverse over forward": lambda f: jacrev(jacfwd(f))(X),
    "reverse": lambda f: jacrev(grad(f))(X),
    "checkpointed": lambda f: hessian(checkpoint(f))(X),
    "of a report": lambda f: trace(f, X).hessian(),
}


@pytest.mark.parametrize("which", ["jvp", "vjp", "jvp+vjp"])
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_second_and_third_derivatives(f, which):
    jvp, vjp, c = FUNCTIONS[f]
    given = {name: g for name, g in (("jvp", jvp), ("vjp", vjp)) if name in which}
    own = rule(f, **given, at=X)

    def value(x):
        return np.sum(W * own(x))

    assert grad(value)(X) == pytest.approx(3 * c * X**2)
    for way, second in SECOND.items():
        assert second(value) == pytest.approx(np.diag(6 * c * X)), way
    assert hvp(value, (X,), (W,)) == pytest.approx(6 * c * X * W)
    assert taylor(value, X, 3, W)[2:] == pytest.approx([np.sum(3 * c * X * W**2), np.sum(c * W**3)])
    third = grad(lambda x: np.sum(W * grad(lambda x: np.sum(W * grad(value)(x)))(x)))(X)
    assert third == pytest.approx(6 * c * W**2)


def test_in_a_cell(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.push({"positive_cubes": positive_cubes, "pair": positive_cubes_vjp, "x": X, "w": W})
    shell.run_cell("from ad_magic import rule\nimport numpy as np\nown = rule(positive_cubes, vjp=pair, at=x)")
    shell.run_cell("%%grad x --order 2 -q -o r\ny = own(x * 1.0)\ny[0] = y[3]\nnp.sum(w * y)")
    c = np.array([0.0, 0.0, 3.0, 0.0])
    c[3] = W[0] + W[3]
    assert shell.user_ns["r"].grad["x"] == pytest.approx(3 * c * X**2)
    assert shell.user_ns["r"].hessian() == pytest.approx(np.diag(6 * c * X))


def test_a_number_of_the_run_that_a_rule_reads_where_it_is_declared(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("from ad_magic import rule")
    cell = "%%grad x=2 -q\nk = x * 2\nf = rule(lambda t: k * t, jvp=lambda p, t: (k * p[0], k * t[0]))\ny = f(x)"
    told = str(shell.run_cell(cell, silent=True).error_in_exec)
    assert told.startswith("line 3: f reads a number that depends on an input from elsewhere than its arguments")


def test_a_pair_that_calls_float():
    """An inner run leaves the stand-in of `float` to the run that it is in."""
    own = rule(lambda x: np.sum(x**2), vjp=lambda x: (float(np.sum(x**2)), lambda g: 2 * g * x), at=X)
    found = hessian(lambda x: np.sin(own(x)))(X)
    s = np.sum(X**2)
    assert found == pytest.approx(2 * np.cos(s) * np.eye(4) - 4 * np.sin(s) * np.outer(X, X))
    assert "float" not in globals()


class Holder:
    def __init__(self, x):
        self.x = x


@pytest.mark.parametrize("hide", [Holder, lambda x: {x}, lambda x: {"a": Holder(x)}, lambda x: lambda: x])
def test_stop_gradient_does_not_overlook_a_number(hide):
    with pytest.raises(TypeError, match=r"line \d+: stop_gradient takes numbers, arrays, .* hides a number"):
        grad(lambda x: stop_gradient(hide(x)) and x)(3.0)
    assert grad(lambda x: stop_gradient(Holder(2.0)).x * x)(3.0) == 2.0


def test_stop_gradient_of_complex_numbers():
    for d in (grad, jacfwd):
        assert d(lambda x: np.sum(np.real(stop_gradient(x * (1 + 1j)) * x)))(X) == pytest.approx(X)
