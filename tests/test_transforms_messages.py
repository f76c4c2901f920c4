"""Wrong uses of the derivatives of functions: one sentence each, in the words of a plain run."""

from __future__ import annotations

import ctypes
import datetime as dt
import decimal
import json
import math
import re
import struct

import numpy as np
import pytest

import ad_magic
from ad_magic import grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, value_and_grad, vjp
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.plans import plan_of

BY_ARGNUMS = [grad, value_and_grad, jacfwd, jacrev, jacobian, hessian, ad_magic.sparsity]


@pytest.mark.parametrize("way", BY_ARGNUMS, ids=lambda way: way.__name__)
@pytest.mark.parametrize(
    ("argnums", "words"),
    [
        (5, r"argnums is 5, and product was called with 2 positional arguments"),
        ((0, -3), r"argnums is -3, and product was called with 2 positional arguments"),
        ((0, -2), r"argnums has 0 twice"),
        ("y", r"argnums='y' is not the position of an argument, as 0, nor several, as \(0, 1\): y is argument 1"),
        (1.0, r"argnums=1\.0 is not the position"),
        (None, r"argnums=None is not the position"),
    ],
)
def test_wrong_argnums_are_one_sentence_everywhere(way, argnums, words):
    def product(x, y):
        return x**2 * y

    with pytest.raises((TypeError, ValueError), match=words):
        way(product, argnums)(2.0, 3.0)


@pytest.mark.parametrize("way", BY_ARGNUMS[:-1], ids=lambda way: way.__name__)
def test_argnums_from_the_end_and_of_numpy(way):
    def product(x, y):
        return x**2 * y

    assert way(product, -1)(2.0, 3.0) == way(product, np.int64(1))(2.0, 3.0) == way(product, 1)(2.0, 3.0)
    assert way(product, (-1, 0))(2.0, 3.0) == way(product, [1, 0])(2.0, 3.0) == way(product, (1, 0))(2.0, 3.0)


@pytest.mark.parametrize("way", BY_ARGNUMS, ids=lambda way: way.__name__)
def test_what_is_no_function_and_what_is_given_by_name(way):
    with pytest.raises(TypeError, match=rf"{way.__name__} is of a function, not of a float: {way.__name__}\(f\)\(x\)"):
        way(math.sin(1.0))
    with pytest.raises(TypeError, match=r"0 positional arguments, and by name x: what .* stands by position"):
        way(lambda x: x)(x=1.0)


def test_a_truth_value_has_no_derivative():
    with pytest.raises(TypeError, match="the function returned a bool"):
        grad(lambda x: x > 0)(1.0)
    with pytest.raises(TypeError, match="the function returned a bool"):
        grad(lambda x: np.any(x > 0))(np.ones(2))
    assert grad(lambda x: 3)(1.0) == 0.0


def test_a_complex_result_in_forward_mode():
    assert jacfwd(lambda x: x * 1j + x**2)(1.5) == 3.0 + 1j
    assert jacfwd(lambda x: (x * (2 + 1j), x))(1.5) == (2 + 1j, 1.0)


@pytest.mark.parametrize("d", [grad, jacfwd, lambda f: lambda x: vjp(f, x)[1](1.0)[0]])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x: json.dumps([x]), r"line \d+: json.dumps has no derivative rule.*Write ad_magic.primal\(x\)"),
        (lambda x: decimal.Decimal(x), r"line \d+: decimal.Decimal takes a plain number only.*write ad_magic.primal"),
        (lambda x: memoryview(np.array([x])), r"line \d+: memoryview takes a plain array only"),
        (lambda x: struct.pack("d", x), r"line \d+: a plain number is needed here.*struct.pack"),
        (lambda x: ctypes.c_double(x), r"line \d+: a plain number is needed here.*ctypes.c_double"),
        (lambda x: x * dt.timedelta(1), r"line \d+: a datetime.timedelta takes a plain number only"),
        (lambda x: [1, 2][x], r"line \d+: list indices must be integers or slices, not float: write int\(x\)"),
        (lambda x: setattr(x, "v", x * 2), "'float' object has no attribute 'v'"),
        (lambda x: setattr(np.array([x]), "v", 2), "'numpy.ndarray' object has no attribute 'v'"),
        (lambda x: x + "a", "unsupported operand type.* for .: 'float' and 'str'"),
        (lambda x: None * x, "unsupported operand type.* for .: 'NoneType' and 'float'"),
        (lambda x: len(x), "object of type 'float' has no len"),
        (lambda x: x.conjugate(1), r"float\.conjugate\(\) takes 1 positional argument"),
        (lambda x: np.dot(np.array([x]), None), "np.dot takes numbers and arrays of them, and no NoneType"),
        (lambda x: math.hypot(x, "a"), "must be real number, not str"),
    ],
)
def test_an_error_names_no_class_of_ours(d, wrong, words):
    with pytest.raises((TypeError, AttributeError), match=words) as error:
        d(lambda x: wrong(x))(1.5)
    assert not re.search("Traced|Dual|Buffer|'Array'|Active", str(error.value))


def test_a_class_of_the_users_that_is_called_as_one_of_ours_keeps_its_name():
    space: dict[str, object] = {"__name__": "__main__", "grad": grad}
    exec("class Dual: pass\ndef f(x):\n    return Dual() + 'a'", space)
    with pytest.raises(TypeError, match="'Dual' and 'str'"):
        grad(space["f"])(1.0)
    exec("def f(x):\n    return Dual() + x", space)
    with pytest.raises(TypeError, match="'Dual' and 'float'"):
        grad(space["f"])(1.0)


def test_tangents_and_adjoints_of_another_shape():
    x = np.ones(3)
    with pytest.raises(ValueError, match=r"tangent of argument 0 has the shape \(2,\); .* array of shape \(3,\)"):
        jvp(lambda x: x, (x,), (np.ones(2),))
    with pytest.raises(ValueError, match=r"adjoint of the output of the function has the shape \(2,\); .* \(3,\)"):
        vjp(lambda x: x, x)[1](np.ones(2))
    with pytest.raises(ValueError, match=r"adjoint of the output of sum has the shape \(2,\); .* a number"):
        vjp(np.sum, x)[1](np.ones(2))
    with pytest.raises(TypeError, match=r"^pull\(\) missing 1 required positional argument: 'adjoint'"):
        vjp(np.sum, x)[1]()
    with pytest.raises(TypeError, match=r"jvp takes the arguments of the function as a tuple.*; this is a number"):
        jvp(math.sin, 1.0, 1.0)
    with pytest.raises(TypeError, match=r"hvp takes the arguments .* this is an array of shape \(3,\)"):
        hvp(np.sum, x, x)
    assert np.array_equal(jvp(lambda x: 2 * x, (np.ones((2, 3)),), (x,))[1], np.full((2, 3), 2.0))


def test_of_a_result_too_the_user_sees_his_own_frames_alone():
    r = ad_magic.trace(lambda x: [x, x], 1.0)
    calls = [
        (lambda: r.hessian(), "the Hessian is that of one number"),
        (lambda: r.at({"y": 1.0}), "there is no input 'y'; there is x"),
        (lambda: r.taylor(-1), "whole number from 0"),
        (lambda: ad_magic.trace(3.0, 1.0), "trace is of a function, not of a float"),
        (lambda: ad_magic.trace(lambda x: x.foo, 1.0), "'float' object has no attribute 'foo'"),
    ]
    for call, words in calls:
        with pytest.raises((TypeError, ValueError, AttributeError), match=words) as error:
            call()
        files = [frame.path.name if hasattr(frame.path, "name") else str(frame.path) for frame in error.traceback]
        assert {f for f in files if not f.startswith("<call")} == {"test_transforms_messages.py"}


@pytest.mark.parametrize("f", [np.float64, float, struct.Struct("d").pack])
@pytest.mark.parametrize("way", [grad, jacobian, hessian])
def test_a_function_of_c_that_is_differentiated_itself(way, f):
    with pytest.raises(LostDerivative, match=r"line \d+: the function that is differentiated takes plain"):
        way(f)(1.0)


def test_jacobian_is_offered_only_for_what_it_takes():
    for result, offered in ((lambda x: (x, x), True), (lambda x: x * 1j, False)):
        with pytest.raises(TypeError, match="needs a function that returns a real number") as caught:
            grad(result)(1.0)
        assert ("jacobian takes others" in str(caught.value)) is offered


def test_a_derivative_that_is_as_it_was_is_not_walked_again():
    """It is born with an attribute; one more may have come from a run."""
    slope = grad(lambda x: x * x)
    plan = plan_of(slope)
    assert plan.holds(slope)
    slope.kept = 1.0
    assert not plan.holds(slope)
