"""What `rule` gives is called as the function is, looks like it, and says what is wrong with it."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import pydoc
from typing import Any

import numpy as np
import pytest
from scipy import special

from ad_magic import grad, hessian, rule, trace


@rule(partials=("y**2", "2 * x * y"))
def area(x: float, y: float = 2.0) -> float:
    """x times the square of y."""
    return x * y**2


@rule(partials="2 * x", check=False)
def power(x, *, n=2):
    return x**n


@rule(partials=("y", "x"))
def product(x, /, y):
    return x * y


price = rule("price(s, k)", "s * exp(-k)", "exp(-k)", "-z")


@rule(vjp=lambda x, y=2.0: (x * y**2, lambda g: (g * y**2, 2 * g * x * y)), at=(1.5, 2.0))
def pair(x, y=2.0):
    return x * y**2


@pytest.mark.parametrize("f", [area, pair], ids=["partials", "vjp"])
def test_by_name_and_with_its_defaults(f):
    assert (f(3.0, 2.0), f(3.0, y=2.0), f(x=3.0, y=2.0), f(y=2.0, x=3.0)) == (12.0,) * 4
    assert f(3.0) == f(x=3.0) == area.__wrapped__(3.0) == 12.0
    assert np.array_equal(f(np.array([1.0, 2.0]), y=3.0), [9.0, 18.0])
    assert grad(lambda x: f(y=x, x=x))(3.0) == pytest.approx(27.0)
    assert hessian(lambda x: f(y=x, x=x))(3.0) == pytest.approx(18.0)
    assert grad(lambda y: f(1.0, y=y))(3.0) == pytest.approx(6.0)


def test_a_rule_in_a_line_by_name():
    assert price(s=1.0, k=2.0) == price(1.0, k=2.0) == math.exp(-2.0)
    assert grad(lambda k: price(k=k, s=3.0))(1.0) == pytest.approx(-3 * math.exp(-1.0))
    assert grad(area)(3.0) == 4.0
    assert product(2.0, y=3.0) == 6.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: area(), r"area\(x, y=2\.0\): missing a required argument: 'x'"),
        (lambda: area(1.0, z=2.0), r"unexpected keyword argument 'z'"),
        (lambda: area(1.0, x=2.0), r"multiple values for argument 'x'"),
        (lambda: price(s=1.0), r"price\(s, k\): missing a required argument: 'k'"),
        (lambda: price(1.0, 2.0, 3.0), r"price takes 2 arguments \(s, k\), 3 were given"),
        (lambda: power(3.0, n=3), "power has no partial for n, which it takes by name alone"),
        (lambda: product(x=1.0, y=2.0), r"positional.only"),
        (lambda: pair(), r"pair\(x, y=2\.0\): missing a required argument: 'x'"),
        (lambda: grad(lambda x: pair(x, z=x))(1.0), "unexpected keyword argument 'z'"),
    ],
)
def test_a_wrong_call(call, words):
    with pytest.raises(TypeError, match=words) as error:
        call()
    assert "__call__" not in str(error.value)


def test_it_looks_like_the_function():
    for f, name in ((area, "area"), (pair, "pair"), (price, "price")):
        assert (f.__name__, f.__qualname__, f.__module__) == (name, name, __name__)
        assert pickle.loads(pickle.dumps(f)) is f
        assert copy.deepcopy(f) is f
    assert str(inspect.signature(price)) == "(s, k)"
    assert inspect.signature(area) == inspect.signature(area.__wrapped__)
    assert "x times the square of y." in pydoc.render_doc(area)
    said = pydoc.plain(pydoc.render_doc(price))
    for words in ("price(s, k) = s * exp(-k)", "∂/∂s = exp(-k)", "∂/∂k = -z"):
        assert words in said
    assert "jvp" in rule(lambda x: -x, jvp=lambda p, t: (-p[0], -t[0])).__doc__


@pytest.mark.parametrize(
    ("partials", "words"),
    [
        (
            math.cos,
            'takes expressions in quotes, one for each argument, as partials="2 . x"; a function goes with jvp=',
        ),
        ([math.cos], "a function goes with jvp="),
        (5, "this is of type int"),
        ({"x": "cos(x)"}, "this is of type dict"),
        ([], r"no partials: write one for each argument \(x\)"),
        (["cos(x)", "1"], r"1 argument \(x\) and 2 partials"),
        ("cos(y)", "nothing is known of y; an expression may use x, z .the result., numbers and functions of the d"),
        ("cos(x", "is no expression of Python"),
        ("", "is no expression of Python"),
        ("-cos(x)", "the sign is wrong"),
    ],
)
def test_partials_are_text(partials, words):
    def sine(x):
        return math.sin(x)

    with pytest.raises(ValueError, match=words) as error:
        rule(sine, partials=partials)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=words):
        rule(partials=partials)(sine)


def test_arguments_that_a_rule_cannot_have():
    def by_name(x, *, n):
        return x**n

    def any_number(*xs):
        return sum(xs)

    with pytest.raises(ValueError, match="by_name takes n by name alone"):
        rule(by_name, partials="2 * x")
    with pytest.raises(ValueError, match=r"no arguments that can be told; name them: rule\('any_number\(x, y\)'"):
        rule(any_number, partials="1")
    assert grad(rule("any_number(x, y)", any_number, "1", "1"), (0, 1))(1.0, 2.0) == (1.0, 1.0)


def test_a_rule_that_is_declared_again_and_one_of_another_name_have_a_program():
    def decay(x):
        return math.exp(-x)

    globals()["decay"] = decay
    for given in ("decay", "fall(x)", "decay", "fall(x)"):
        own = rule(decay, partials="-z") if given == "decay" else rule(given, decay, "-z")
        names: dict[str, Any] = {}
        exec(trace(lambda x, own=own: own(x) * area(x), 0.5).code("reverse"), names)
        value, found = names["derivative"](0.5)
        assert (value, found["x"]) == (pytest.approx(2 * math.exp(-0.5)), pytest.approx(2 * math.exp(-0.5)))


STRUVE: dict[str, Any] = {
    "vjp": lambda x: (special.struve(0, x), lambda g: g * (2 / math.pi - special.struve(1, x))),
    "jvp": lambda p, t: (special.struve(0, *p), t[0] * (2 / math.pi - special.struve(1, *p))),
}


@pytest.mark.parametrize("way", STRUVE)
def test_a_derivative_that_has_none_itself(way):
    """DLMF 11.4.27: the derivative of H₀ is 2/π − H₁."""

    def struve0(x):
        return special.struve(0, x)

    struve0 = rule(struve0, **{way: STRUVE[way]})
    assert grad(struve0)(1.5) == pytest.approx(2 / math.pi - special.struve(1, 1.5))
    for second in (grad(grad(struve0)), hessian(struve0)):
        with pytest.raises(TypeError, match=r"of struve0 only the first derivative is there: the (jvp|vjp)") as e:
            second(1.5)
        assert "scipy.special.struve has no derivative rule" in str(e.value)
        assert "For the second write it in functions that have a derivative" in str(e.value)


def test_in_an_interleaved_program_by_name(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.push({"price": price, "area": rule("area(x, y)", "x * y**2", "y**2", "2 * x * y")})
    shell.run_cell("%%grad s=2.0 k=0.5 -q -o r\nprice(s, k=k) + area(x=s, y=k)")
    r = shell.user_ns["r"]
    names: dict[str, Any] = {}
    exec(r.code("interleaved"), names)
    expected = {"s": math.exp(-0.5) + 0.25, "k": -2 * math.exp(-0.5) + 2.0}
    assert r.grad == pytest.approx(expected)
    assert names["derivative"](2.0, 0.5)[1] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"partials": "2*x", "domain": 3}, r"domain=3 is no pair \(lo, hi\)"),
        ({"partials": "2*x", "domain": ("a", "b")}, r"domain=\('a', 'b'\) is no pair"),
        ({"partials": "2*x", "at": []}, r"at=\[\] names no point"),
        ({"jvp": lambda p, t: (p[0] ** 2, 2 * p[0] * t[0]), "at": []}, r"at=\[\] names no point"),
        ({"jvp": lambda x, dx: (x**2, 2 * x * dx)}, r"A jvp is called with two tuples, jvp\(primals, tangents\)"),
        ({"vjp": lambda x, g: 2 * x * g}, r"missing 1 required positional argument: 'g'. A jvp .*; a vjp with the"),
    ],
)
def test_how_it_is_checked(how, words):
    def square(x):
        return x**2

    with pytest.raises(ValueError, match=words):
        rule(square, **how)


def test_of_a_function_that_cannot_be_checked_it_is_said_what_it_does():
    for f, words in ((lambda x: 1 / 0, "at x = 0.37 it raises ZeroDivisionError"), (lambda x: None, "it gives none")):
        with pytest.raises(ValueError, match=rf"cannot be checked.*{words}.*say where with at="):
            rule(f, jvp=lambda p, t: (p[0], t[0]))


def test_of_a_wrong_rule_the_user_sees_his_own_frames_alone():
    def square(x):
        return x**2

    for declare in (lambda: rule("f", "a*a", "a"), lambda: rule(partials="x")(square)):
        with pytest.raises(ValueError, match="a factor 2 is missing") as error:
            declare()
        assert {frame.path.name for frame in error.traceback} == {"test_rule_calls.py"}
