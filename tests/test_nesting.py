"""Derivatives in derivatives: traps with names, numbers that escape, exceptions on the way, and laws that always hold.

ForwardDiff.jl's reports 83, 238, 313 and 443 are perturbation confusions: the derivative of an inner function is taken
for that of an outer one. Each trap here is tried in every nesting.
"""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Callable
from math import sin as early_sin
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import Cells, swept
from random_programs import program

from ad_magic import (
    checkpoint,
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
from ad_magic.engine.standins import open_runs

# Each gives the derivative of a function of one number.
D: dict[str, Callable[..., Any]] = {
    "grad": grad,
    "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "jacfwd": jacfwd,
    "jacrev": jacrev,
    "linearize": lambda f: lambda x: linearize(f, x)[1](1.0),
    "value_and_grad": lambda f: lambda x: value_and_grad(f)(x)[1],
}
# Each gives the gradient of a function of a vector.
GRADIENTS: dict[str, Callable[..., Any]] = {
    "grad": grad,
    "jacfwd": jacfwd,
    "jacrev": jacrev,
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "jvp": lambda f: lambda x: np.array([jvp(f, (x,), (unit,))[1] for unit in np.eye(len(x))]),
}
PAIRS = list(itertools.product(D, D))


@pytest.fixture(params=D)
def outer(request):
    return D[request.param]


# ---- a number of an outer run among the operands of an inner one ----------------------------------


@pytest.mark.parametrize("inner", GRADIENTS)
@pytest.mark.parametrize("outer", GRADIENTS)
def test_an_array_of_the_inner_run_and_a_number_that_numpy_made_of_the_outer_one(outer, inner):
    """The sum of ∂/∂y Σ y²/s(x) at y = x, which is 2 Σ x / s(x), with s the sum and the length of x."""
    x = np.array([1.0, 2.0, 4.0])
    n = np.sqrt(21.0)
    for s, slope in ((np.sum, np.zeros(3)), (np.linalg.norm, 2 / n - 14 * x / n**3)):
        found = GRADIENTS[outer](lambda x, s=s: np.sum(GRADIENTS[inner](lambda y: np.sum(y * y / s(x)))(x)))(x)
        assert found == pytest.approx(slope, abs=1e-14)


def test_an_inner_run_leaves_the_outer_one_its_stand_ins():
    """What the inner function reaches is walked, as it holds an object of a class of the user's."""
    kept = Kept()

    def inner(y):
        kept.count += 1
        return early_sin(y) * float(y)

    def f(x):
        return grad(inner)(x) + early_sin(x) * float(x)

    x = 0.3
    assert f(x) == pytest.approx(x * math.cos(x) + math.sin(x) + x * math.sin(x))
    assert grad(f)(x) == pytest.approx(2 * math.cos(x) - x * math.sin(x) + math.sin(x) + x * math.cos(x))
    assert early_sin is math.sin
    assert "float" not in globals()


class Kept:
    count = 0


# ---- perturbation confusion ----------------------------------------------------------------------


def test_the_classic(outer):
    """ForwardDiff.jl 83; Siskind & Pearlmutter 2005: d/dx x (d/dy (x + y)) is 1, not 2."""
    for inner in D.values():
        assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
        assert outer(lambda x: x * inner(lambda y: x * y)(1.0))(4.0) == 8.0
        assert outer(lambda x: x * inner(lambda y: y * y)(1.0))(1.0) == 2.0  # that x is not meant at all
        # the outer variable is used again afterwards: d/dx (4x + x²)
        assert outer(lambda x: inner(lambda y: x * y * y)(2.0) + x * x)(3.0) == 10.0
        assert outer(lambda x: inner(lambda y: math.exp(x * y))(0.5))(2.0) == pytest.approx(2 * math.e)


def test_the_same_function_inside_itself(outer):
    """ForwardDiff.jl 313: an object whose call differentiates another of its own type; a type is no identity."""

    class Confuse:
        def __init__(self, outside, x, inner):
            self.outside, self.x, self.inner = outside, x, inner

        def __call__(self, z):
            return z * self.inner(Confuse(False, z, self.inner))(1.0) if self.outside else self.x + z

    for inner in D.values():
        assert outer(Confuse(True, 0.0, inner))(1.0) == 1.0


def test_a_function_that_differentiates_itself(outer):
    """f(x, n) = x f'(x, n - 1), f(x, 0) = x³: x³, 3x³, 9x³; the same code object at three depths."""
    for inner in D.values():

        def f(x, n):
            return x**3 if n == 0 else x * inner(lambda z: f(z, n - 1))(x)

        assert outer(lambda x: f(x, 2))(2.0) == pytest.approx(27 * 4.0)


def test_an_inner_function_that_assigns(outer):
    """ForwardDiff.jl 443: the outer variable leaves through `nonlocal`."""
    for inner in D.values():

        def f(x):
            kept = 0.0

            def g(y):
                nonlocal kept
                kept = x
                return y

            derivative = inner(g)(1.0)
            return kept * derivative

        assert outer(f)(1.0) == 1.0

        def remembers(x):
            kept = None

            def g(y):
                nonlocal kept
                kept = x + y if kept is None else kept
                return kept

            return x * inner(g)(1.0) + x * inner(g)(1.0)  # at the second time it is a constant

        assert outer(remembers)(1.0) == 1.0


@pytest.mark.parametrize("gradient", GRADIENTS.values(), ids=GRADIENTS)
def test_of_vectors(gradient):
    """ForwardDiff.jl 83: ∇(Σv · d/dy (y |v|)) = ∇(Σv |v|); the Jacobian of ∇_y (y · A x) is A."""
    v = np.array([1.0, 2.0, -0.5])
    expected = np.linalg.norm(v) + v.sum() * v / np.linalg.norm(v)
    for inner in D.values():
        found = gradient(lambda v: np.sum(v) * inner(lambda y: y * np.linalg.norm(v))(1.0))(v)
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    a = np.arange(6.0).reshape(2, 3)
    for jac in (jacfwd, jacrev, jacobian):
        found = jac(lambda x: gradient(lambda y: np.dot(y, a @ x))(np.array([0.3, 0.7])))(v)
        np.testing.assert_allclose(found, a, rtol=1e-14)


@pytest.mark.parametrize("gradient", GRADIENTS.values(), ids=GRADIENTS)
def test_from_lagrange_to_hamilton(gradient):
    """ForwardDiff.jl 238: three derivatives in one another; H = p²/2m + m g q₂, and ∂H/∂q = (0, m g)."""
    m, g = 2.0, 9.8

    def lagrangian(q, v):
        return m / 2 * np.dot(v, v) - m * g * q[1]

    def hamiltonian(q, p):
        along = lambda v: lagrangian(q, v)  # as the report has it
        zero = np.zeros(2)
        v = np.linalg.solve(hessian(along)(zero), p - gradient(along)(zero))
        return np.dot(p, v) - along(v)

    q, p = np.array([1.0, 2.0]), np.array([5.0, 6.0])
    assert hamiltonian(q, p) == pytest.approx(p @ p / (2 * m) + m * g * q[1])
    np.testing.assert_allclose(gradient(lambda q: hamiltonian(q, p))(q), [0.0, m * g], atol=1e-12)
    np.testing.assert_allclose(gradient(lambda p: hamiltonian(q, p))(p), p / m, rtol=1e-13)


def test_three_deep_with_variables_of_all():
    """d/dz (xyz)² = 2x²y²z; d/dy of y times that is 6x²y²z; d/dx of x times that is 18x²y²z: at (1, 2, 3) 216."""
    for a, b in PAIRS:
        for c in ("grad", "jvp"):

            def inmost(x, y, c=c):
                return D[c](lambda z: (x * y * z) ** 2)(3.0)

            def middle(x, b=b, inmost=inmost):
                return D[b](lambda y: y * inmost(x, y))(2.0)

            assert D[a](lambda x: x * middle(x))(1.0) == pytest.approx(216.0)


def test_second_derivatives_in_first_ones(outer):
    assert outer(lambda x: hessian(lambda y: x * y**3)(2.0))(5.0) == pytest.approx(12.0)
    assert outer(lambda x: hvp(lambda y: x**2 * y**3, (2.0,), (0.5,)))(5.0) == pytest.approx(60.0)
    assert outer(lambda x: x * hessian(lambda y: y * math.sin(x * y))(0.5))(1.2) == pytest.approx(
        _slope(lambda x: x * (2 * x * math.cos(x / 2) - 0.5 * x * x * math.sin(x / 2)), 1.2), rel=1e-8
    )


def _slope(f, x, h=1e-3):
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


# ---- numbers that escape -------------------------------------------------------------------------


class Escaped(Exception):
    """Carries a number out."""


def _list(run):
    kept: list[Any] = []
    run(kept.append)
    return kept[0]


def _dict(run):
    kept: dict[str, Any] = {}
    run(lambda v: kept.update(v=(v,)))
    return kept["v"][0]


def _closure(run):
    kept = None

    def keep(v):
        nonlocal kept
        kept = lambda: v  # a closure over it

    run(keep)
    return kept()


def _global(run):
    run(lambda v: globals().update(escaped=v))
    return globals().pop("escaped")


def _attribute(run):
    holder = Escaped()
    run(lambda v: setattr(holder, "v", v))
    return holder.v


def _generator(run):
    def stream(v):
        yield
        yield v  # goes on after the run

    kept: list[Any] = []

    def keep(v):
        kept.append(stream(v))
        next(kept[0])

    run(keep)
    return next(kept[0])


def _exception(run):
    def leave(v):
        raise Escaped(v)

    try:
        run(leave)
    except Escaped as error:
        return error.args[0]
    raise AssertionError


def _array(run):
    kept = np.empty(1, dtype=object)
    run(lambda v: kept.__setitem__(0, [v]))
    return kept[0][0]


WAYS = {w.__name__: w for w in (_list, _dict, _closure, _global, _attribute, _generator, _exception, _array)}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_number_that_escapes_is_a_constant_of_its_run_and_a_variable_of_the_outer_one(way):
    """x y at y = 2 leaves the inner run: outside it is 2x. And what has left all runs is a number like any other."""
    for a, b in PAIRS:

        def f(x, b=b):
            kept = way(lambda keep: D[b](lambda y: (keep(x * y), y)[1])(2.0))
            return kept * x  # 2x²

        assert D[a](f)(3.0) == 12.0
    for name, d in D.items():
        left = way(lambda keep, d=d: d(lambda y: (keep(y * y), y)[1])(2.0))
        assert grad(lambda x, left=left: left * x)(5.0) == 4.0, name
        assert left + 1 == 5.0 and f"{left:.1f}" == "4.0" and math.sqrt(left) == 2.0


@pytest.mark.parametrize("mode", ["forward", "reverse", "both"])
def test_under_a_cell(shell, mode):
    cells = Cells(shell)
    cells.plain("from ad_magic import grad, hessian, jacfwd, jacrev, jvp, linearize, vjp\nkept = []")
    ways = {
        "grad(f)(1.0)": "grad",
        "jvp(f, (1.0,), (1.0,))[1]": "jvp",
        "vjp(f, 1.0)[1](1.0)[0]": "vjp",
        "jacfwd(f)(1.0)": "jacfwd",
        "jacrev(f)(1.0)": "jacrev",
        "linearize(f, 1.0)[1](1.0)": "linearize",
    }
    for text in ways:
        r = cells.grad(
            "x=3.0 --of y", f"def f(t):\n    kept[:] = [x*t]\n    return x*t*t\ny = x*{text} + kept[0]", mode
        )
        assert (r.value, r.grad["x"]) == (21.0, 13.0), text  # 2x² + x
        assert type(cells.shell.user_ns["kept"][0]) is float
    r = cells.grad(
        "x=3.0 --of y", "y = hessian(lambda t: x*t**3)(2.0) + x*grad(lambda t: grad(lambda u: x*u*t)(1.0))(x)", mode
    )
    assert (r.value, r.grad["x"]) == (45.0, 18.0)  # 12x + x²
    cells.done()


# ---- exceptions ----------------------------------------------------------------------------------

KINDS = [KeyError, ZeroDivisionError, KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, RecursionError]


def _state():
    return [dict(vars(m)) for m in (math, np, np.linalg, np.fft, builtins)], len(open_runs)


def _same(a, b):
    return a[1] == b[1] and all(
        x.keys() == y.keys() and all(x[k] is y[k] for k in x) for x, y in zip(a[0], b[0], strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_after_an_exception_all_is_as_before(kind):
    """What stands in for `math` and NumPy is taken back, also from within a nested derivative; then all is right."""
    kept: list[Any] = []

    def raising(y):
        kept[:] = [y * y]
        raise kind("mine")

    before = _state()
    for name, d in [*D.items(), ("hessian", hessian)]:
        for f in (raising, lambda x: x * grad(raising)(x), lambda x: d(raising)(math.sin(x))):
            with pytest.raises(kind, match="mine"):
                d(f)(2.0)
            assert _same(_state(), before), name
            assert not hasattr(kept[0] * 1.0, "tape")
            assert grad(lambda x: kept[0] * x)(3.0) == kept[0]
            assert hessian(lambda x: x**3)(2.0) == 12.0

    def catches(x):
        try:
            grad(raising)(x)
        except kind:
            return kept[0] * x  # y² is x² here
        raise AssertionError

    for d in D.values():
        assert d(catches)(2.0) == 12.0


@pytest.mark.parametrize("mode", ["forward", "reverse", "both"])
@pytest.mark.parametrize("kind", ["KeyError", "KeyboardInterrupt"])
def test_after_an_exception_in_a_cell(shell, mode, kind):
    cells = Cells(shell)
    cells.plain("import math\nfrom math import sin\nfrom ad_magic import grad\nkept = []")
    before, sin = _state(), math.sin
    source = f"def f(t):\n    kept.append(x*t)\n    raise {kind}('mine')\ny = x*grad(f)(sin(x))"
    with pytest.raises(getattr(builtins, kind)):
        cells.grad("x=2.0 --of y", source, mode)
    assert _same(_state(), before)
    assert cells.shell.user_ns["sin"] is sin and type(cells.shell.user_ns["kept"][0]) is float
    r = cells.grad("x=2.0 --of y", "y = kept[0]*grad(lambda t: x*sin(t))(x)", mode)
    a = 2 * math.sin(2.0)
    assert r.grad["x"] == pytest.approx(a * (math.cos(2.0) - 2 * math.sin(2.0)))
    cells.done()


# ---- laws, on random programs --------------------------------------------------------------------

SEEDS = st.integers(0, 10**6)
POINTS = st.floats(-1.5, 1.5).filter(lambda x: abs(x) > 0.01)


def _function(seed):
    """A random program of two numbers as a function, its result kept small."""
    code = compile(program(seed), f"<program {seed}>", "exec")

    def f(x, y):
        names = {"math": math, "x": x, "y": y}
        exec(code, names)
        return math.atan(names["out"] / 8)

    return f


def _known(f, *at):
    """The gradient, where the program has one there that is of a size to be compared."""
    try:
        slopes = grad(f, argnums=(0, 1))(*at)
    except (ArithmeticError, ValueError):
        assume(False)
    assume(all(map(math.isfinite, slopes)) and max(map(abs, slopes)) < 1e6)
    return slopes


close = pytest.approx


@swept
@given(SEEDS, POINTS, POINTS, st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2))
def test_forward_is_reverse_and_both_are_linear(seed, x, y, s, t, g):
    f = _function(seed)
    a, b = _known(f, x, y)
    pulled = vjp(f, x, y)[1]
    along = lambda *d: jvp(f, (x, y), d)[1]  # three times below
    assert g * along(s, t) == close(sum(c * d for c, d in zip(pulled(g), (s, t), strict=True)), rel=1e-9, abs=1e-9)
    assert along(s, t) == close(s * a + t * b, rel=1e-9, abs=1e-9)
    assert along(s + t, t - g) == close(along(s, t) + along(t, -g), rel=1e-9, abs=1e-9)
    assert linearize(f, x, y)[1](s, t) == close(along(s, t), rel=1e-12, abs=1e-12)
    assert pulled(g) == close(tuple(g * c for c in pulled(1.0)), rel=1e-12, abs=1e-12)
    for jac in (jacfwd, jacrev, jacobian):
        assert jac(f, argnums=(0, 1))(x, y) == close((a, b), rel=1e-9, abs=1e-12)


def _relu(x):
    return max(x, 0.0)


@pytest.mark.parametrize("nested", [*D, "hessian", "hvp"])
def test_a_builtin_is_replaced_in_the_inner_run_and_for_the_outer_one_alone(nested):
    """`max` stood in the module after a derivative in a derivative, and later runs did not share a tie."""
    for f in (grad(_relu), lambda x: grad(_relu)(x) + max(x, -x)):
        {**D, "hessian": hessian, "hvp": lambda f: lambda x: hvp(f, (x,), (1.0,))}[nested](f)(0.0)
        assert "max" not in globals()
        assert grad(_relu)(0.0) == 0.5 and grad(lambda x: max(x, -x))(0.0) == 0.0


@pytest.mark.parametrize("outer", D)
def test_the_value_of_a_tie_within_a_run_shares_it(outer):
    assert D[outer](lambda x: value_and_grad(_relu)(x)[0])(0.0) == 0.5


@swept
@given(SEEDS, SEEDS, POINTS, POINTS)
def test_the_chain_rule(first, second, x, y):
    """∂ f(g(x, y), y) by the partials of f and g, each by itself."""
    f, g = _function(second), _function(first)
    gx, gy = _known(g, x, y)
    fx, fy = _known(f, g(x, y), y)
    whole = _known(lambda x, y: f(g(x, y), y), x, y)
    assert whole == close((fx * gx, fx * gy + fy), rel=1e-8, abs=1e-10)


@swept
@given(SEEDS, POINTS, POINTS)
def test_a_hessian_is_symmetric_and_the_same_in_any_nesting(seed, x, y):
    f = _function(seed)
    _known(f, x, y)
    try:
        whole = hessian(f, argnums=(0, 1))(x, y)
    except (ArithmeticError, ValueError):
        assume(False)
    size = max(abs(h) for line in whole for h in line)
    assume(math.isfinite(size) and size < 1e8)
    near = 1e-9 * max(size, 1.0)
    assert whole[0][1] == close(whole[1][0], rel=1e-9, abs=near)
    for a, b in [("grad", "jvp"), ("jvp", "grad"), ("jvp", "jvp"), ("vjp", "linearize"), ("jacfwd", "jacrev")]:
        mixed = D[a](lambda y, b=b: D[b](lambda x: f(x, y))(x))(y)
        assert mixed == close(whole[0][1], rel=1e-9, abs=near), (a, b)
    for k, other in ((0, lambda x: f(x, y)), (1, lambda y: f(x, y))):
        at = (x, y)[k]
        assert hvp(other, (at,), (1.0,)) == close(whole[k][k], rel=1e-9, abs=near)


@pytest.mark.parametrize("f", [math.sin, math.erf])
def test_a_function_of_a_library_itself_in_every_nesting(f):
    """In the inner run it is a stand-in of ours that is differentiated, no function of the user's."""
    second = hessian(lambda y: f(y))(0.4)
    for one, two in itertools.product(D, repeat=2):
        assert D[one](D[two](f))(0.4) == close(second), (one, two)
    assert grad(grad(checkpoint(f)))(0.4) == close(second)
    assert taylor(grad(f), 0.4, 1)[1] == close(second)


@pytest.mark.parametrize("d", D.values(), ids=D)
def test_an_error_carries_plain_numbers_out_of_a_run(d):
    class Far(ArithmeticError):
        pass

    def f(x):
        try:
            raise Far("far", x, [x])
        except Far as error:
            error.where = {"x": x * 2}
            raise ValueError(x) from error

    with pytest.raises(ValueError) as caught:
        d(f)(2.0)
    (value,), cause = caught.value.args, caught.value.__cause__
    held = [value, cause.args[1], *cause.args[2], cause.where["x"]]
    assert held == [2.0, 2.0, 2.0, 4.0] and {type(x) for x in held} == {float}
