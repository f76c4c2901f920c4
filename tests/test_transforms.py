"""Derivatives of plain functions, also inside one another."""

from __future__ import annotations

import math
from math import sin
from pathlib import Path

import numpy as np
import pytest

from ad_magic.transforms import grad, hessian, jacobian, jvp, value_and_grad, vjp


def test_names_bound_early():
    def f(x):
        return sin(x) * x

    assert grad(f)(1.0) == pytest.approx(math.sin(1.0) + math.cos(1.0))
    assert sin is math.sin


def test_argnums():
    def f(x, y, z=1.0):
        return x * y**2 * z

    assert value_and_grad(f, argnums=(1, 0))(2.0, 3.0, z=2.0) == (36.0, (24.0, 18.0))


def test_what_is_refused():
    with pytest.raises(TypeError, match="returned a str"):
        grad(lambda x: "a")(1.0)
    with pytest.raises(TypeError, match="argument 0 is a str"):
        grad(lambda x: x)("a")
    with pytest.raises(TypeError, match="one tangent for each"):
        jvp(lambda x: x, (1.0,), ())


# ---- arrays --------------------------------------------------------------------------------------

X = np.array([[0.3, -1.2, 2.0], [0.7, 1.1, -0.4]])
V = np.array([0.5, -1.5, 2.5])


def test_arrays_and_numbers_mixed():
    def f(w, b, x, *, scale=1.0):
        return scale * np.sum((x @ w + b) ** 2)

    value, (dw, db) = value_and_grad(f, argnums=(0, 1))(V, 0.25, X, scale=2.0)
    error = X @ V + 0.25
    assert value == pytest.approx(2 * error @ error)
    np.testing.assert_allclose(dw, 4 * X.T @ error)
    assert type(db) is float
    assert db == pytest.approx(4 * error.sum())
    assert grad(f, argnums=1)(V, 0.25, X) == pytest.approx(2 * error.sum())


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2.0), np.int64(2), np.float32(2.0), np.array(2.0)])
def test_a_number_of_any_type(number):
    value, slope = value_and_grad(lambda x: x**3)(number)
    assert (value, slope) == (8.0, 12.0)
    assert type(slope) is float
    assert jvp(lambda x: x**3, (number,), (number,)) == (8.0, 24.0)


def test_an_array_without_axes_is_a_number():
    for f, slopes in (
        (lambda x: np.sum(x * x, keepdims=True)[0], 2 * V),
        (lambda x: np.array(x[0] * x[1]), [V[1], V[0], 0.0]),
        (lambda x: np.asarray(x @ x), 2 * V),
        (lambda x: np.reshape(x[:1], ()), [1.0, 0.0, 0.0]),
    ):
        value, slope = value_and_grad(f)(V)
        assert np.shape(value) == ()
        np.testing.assert_allclose(slope, slopes)

    def filled(x):
        out = np.zeros(())
        out[()] = x[0] * x[2]
        return out

    np.testing.assert_allclose(grad(filled)(V), [V[2], 0.0, V[0]])


def test_what_does_not_depend_on_the_argument():
    assert value_and_grad(lambda x: 3.0)(1.0) == (3.0, 0.0)
    value, slope = value_and_grad(lambda x, y: y)(V, 2.0)
    assert value == 2.0
    np.testing.assert_array_equal(slope, np.zeros(3))
    slopes = grad(lambda x, y: np.sum(x), argnums=(0, 1))(V, X)
    np.testing.assert_array_equal(slopes[0], np.ones(3))
    np.testing.assert_array_equal(slopes[1], np.zeros((2, 3)))
    np.testing.assert_array_equal(jvp(lambda x: np.ones(2), (V,), (V,))[1], np.zeros(2))


def test_jvp_of_arrays():
    t = np.array([1.0, 2.0, -1.0])
    value, tangent = jvp(lambda x: np.sin(x) * x, (V,), (t,))
    np.testing.assert_allclose(value, np.sin(V) * V)
    np.testing.assert_allclose(tangent, t * (np.cos(V) * V + np.sin(V)))
    value, tangent = jvp(lambda x: x @ x, (V,), (t,))
    assert (value, tangent) == (pytest.approx(V @ V), pytest.approx(2 * V @ t))
    value, tangent = jvp(lambda a, x: a * x, (2.0, V), (1.0, t))
    np.testing.assert_allclose(tangent, V + 2 * t)
    value, tangent = jvp(lambda x: x, (V,), (t,))
    value[0] = tangent[0] = 7.0  # they are the caller's own
    assert (V[0], t[0]) == (0.5, 1.0)


def test_the_gradient_is_the_callers_own():
    x, y, kept = V.copy(), V.copy(), np.array([1.0, 2.0, 3.0])
    f = lambda x, y: np.sum(x + y) + kept @ x + np.sum(np.broadcast_to(y, (2, 3)) * 2.0)
    both = value_and_grad(f, argnums=(0, 1))
    expected = [1 + kept, np.full(3, 5.0)]
    for _ in range(3):
        value, slopes = both(x, y)
        np.testing.assert_allclose(slopes[0], expected[0])
        np.testing.assert_allclose(slopes[1], expected[1])
        assert value == pytest.approx(f(x, y))
        assert not any(np.may_share_memory(s, a) for s in slopes for a in (x, y, kept))
        assert not np.may_share_memory(*slopes)
        for slope in slopes:
            slope[...] = np.nan
    for f in (np.sum, lambda x: x[1] * 2, lambda x: kept @ x, lambda x: np.sum(x.T), lambda x: np.sum(x[::-1] * kept)):
        slope = grad(f)(x)
        slope[...] = np.nan
        assert slope.shape == x.shape
    np.testing.assert_array_equal(x, V)
    np.testing.assert_array_equal(kept, [1.0, 2.0, 3.0])


def test_two_arguments_with_the_same_adjoint():
    slopes = grad(lambda a, b, c: np.sum(a + b + c), argnums=(0, 1, 2))(V, V, V)
    slopes[0][0] = 7.0
    assert slopes[1][0] == slopes[2][0] == 1.0
    with pytest.raises(ValueError, match="twice"):
        grad(lambda a: a, argnums=(0, 0))(1.0)


def test_an_argument_that_the_function_writes_into():
    def f(x):
        x *= 2.0
        return np.sum(x**2)

    x = V.copy()
    np.testing.assert_allclose(grad(f)(x), 8 * V)
    np.testing.assert_array_equal(x, V)  # the function got a copy
    np.testing.assert_allclose(jvp(f, (x,), (np.ones(3),))[1], 8 * V.sum())


def test_a_helper_that_writes():
    def squares(x):
        out = np.zeros(3)
        for k in range(3):
            out[k] = x[k] ** 2
        return out

    kept = np.ones(3)

    def into(x):
        kept[:] = x
        return kept

    np.testing.assert_allclose(grad(lambda x: np.sum(squares(x)))(V), 2 * V)
    np.testing.assert_allclose(grad(lambda x: np.sum(into(x) ** 2))(V), 2 * V)
    assert type(kept) is np.ndarray
    np.testing.assert_array_equal(kept, V)


def test_derivatives_of_derivatives():
    def f(x):
        return np.sum(np.exp(x) * x) + x[0] * x[1] ** 2

    hessian = np.diag(np.exp(V) * (V + 2))
    hessian[0, 1] = hessian[1, 0] = 2 * V[1]
    hessian[1, 1] += 2 * V[0]
    t = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(grad(lambda x: grad(f)(x) @ t)(V), hessian @ t)
    np.testing.assert_allclose(grad(lambda x: np.sum(grad(f)(x) * t))(V), hessian @ t)
    np.testing.assert_allclose(jvp(grad(f), (V,), (t,))[1], hessian @ t)
    np.testing.assert_allclose(grad(lambda x: jvp(f, (x,), (t,))[1])(V), hessian @ t)
    np.testing.assert_allclose(jvp(lambda x: jvp(f, (x,), (t,))[1], (V,), (t,))[1], t @ hessian @ t)
    np.testing.assert_allclose([grad(lambda x: grad(f)(x)[k])(V) for k in range(3)], hessian)


def test_derivatives_of_derivatives_of_a_number():
    cube = lambda x: np.sum(np.array([x, x**2]) * x)  # x² + x³
    assert grad(grad(cube))(2.0) == pytest.approx(2 + 12)
    assert grad(grad(grad(cube)))(2.0) == pytest.approx(6)
    # the outer variable goes into an array that the inner function reads
    assert grad(lambda s: np.sum(grad(lambda w: np.sum(s * w**2))(V)))(3.0) == pytest.approx(2 * V.sum())
    np.testing.assert_allclose(grad(lambda w: grad(lambda s: np.sum(s**2 * w**2))(3.0))(V), 12 * V)


@pytest.mark.parametrize("inner", [lambda f: lambda x: grad(f)(x), lambda f: lambda x: jvp(f, (x,), (x * 0 + 1.0,))[1]])
def test_no_perturbation_confusion_with_arrays(inner):
    """d/dx sum(x · d/dy sum(x + y)): the inner derivative is one, whatever x is."""
    f = lambda x: np.sum(x * np.sum(inner(lambda y: np.sum(x + y))(x)))
    np.testing.assert_allclose(grad(f)(V), np.full(3, 3.0))
    np.testing.assert_allclose(jvp(f, (V,), (np.ones(3),))[1], 9.0)


def test_an_adjoint_of_an_outer_run_may_be_written_into():
    def f(x):
        a, b = grad(lambda y, z: np.sum((y + z) * x), argnums=(0, 1))(x, x)
        a[0] = 0.0
        return np.sum(a * x) + np.sum(b * x)  # x[1]² + x[2]² + sum(x²)

    np.testing.assert_allclose(grad(f)(V), [2 * V[0], 4 * V[1], 4 * V[2]])


def written(x):
    b = np.zeros(2, complex)
    b[0] = x * x * 1j
    b[1] = b[0] * x + 1
    return abs(b[1]) + (b[0] * b[1]).real


def written_reals(x):
    b = np.zeros(3)
    b[0] = x * x
    b[1] = b[0] * x
    b[1:] += np.array([x, x**2])
    b[:2] *= b[1:]
    return (b**2).sum()


COMPLEX = {
    "an entry of an array": lambda x: (lambda z: (z * z).real + abs(z))((np.array([x, 2 * x]) * (1 + 2j))[1]),
    "of a transform": lambda x: (lambda z: z.real**2 + z.imag * z.real)(np.fft.fft([x, x**2, np.sin(x)])[1]),
    "np.exp of a number": lambda x: np.real(np.exp(1j * x) * x),
    "put together in an array": lambda x: np.abs(np.array([x + 1j * x**2, 1j * x])).sum(),
    "np.sqrt of an entry": lambda x: np.sqrt(np.array([x + 1j * x**3, 2.0])[0]).imag,
    "a sum": lambda x: abs((np.array([x, x * x]) * 1j).sum() + x),
    "a product": lambda x: np.vdot(np.array([x + 1j, x]), np.array([x, 1j * x])).imag,
    "an angle": lambda x: np.angle(np.array([x + 1j * x**2])[0]),
    "iterated": lambda x: sum(z.real * z.imag for z in np.exp(1j * np.array([x, x**2]))),
    "roots": lambda x: sum(abs(z) ** 2 for z in np.roots(np.array([1.0, x, x * x + 3]))),
    "eigenvalues": lambda x: sum((z**2).real for z in np.linalg.eigvals(np.array([[x, -2.0], [x**2, 1.0]]))),
    "written in place": written,
    "real, written in place": written_reals,
    # on the branch cuts the sign of a zero says which side is meant
    "arccos above its cut": lambda x: np.arccos(x + 2 + 0j).imag,
    "arcsin below its cut": lambda x: np.arcsin(np.array([complex(-3.0, -0.0)]) * x * 2).imag[0],
    "arccosh": lambda x: np.arccosh(np.array([-x - 0.2j, -x - 2])).real.sum(),
    "arcsinh above its cut": lambda x: np.arcsinh((x + 2) * 1j).real,
    "arcsinh below its cut": lambda x: np.arcsinh(np.array([(-x - 2) * 1j])).real[0],
}


@pytest.mark.parametrize("f", COMPLEX.values(), ids=COMPLEX)
def test_complex_numbers_on_the_way_to_a_real_result(f):
    """Derivatives of derivatives in all four orders, against differences of the plain function."""
    x, h = 0.7, 1e-3
    along = lambda f: lambda x: jvp(f, (x,), (1.0,))[1]
    values = [float(f(x + k * h)) for k in range(-3, 4)]
    first = np.dot([-1, 9, -45, 0, 45, -9, 1], values) / (60 * h)  # of order 6 (Fornberg 1988)
    second = np.dot([2, -27, 270, -490, 270, -27, 2], values) / (180 * h**2)
    for inner in (grad, along):
        assert inner(f)(x) == pytest.approx(first, rel=1e-8, abs=1e-8)
        for outer in (grad, along):
            assert outer(inner(f))(x) == pytest.approx(second, rel=1e-7, abs=1e-7)


def test_what_is_refused_of_arrays():
    with pytest.raises(TypeError, match="returned an ndarray"):
        grad(lambda x: x * 2)(V)
    with pytest.raises(TypeError, match="argument 0 is an ndarray"):
        grad(np.sum)(np.array([1j, 2.0]))
    with pytest.raises(ValueError, match="broadcast"):
        jvp(lambda x: x, (V,), (np.ones(2),))


def test_of_an_error_the_user_sees_his_own_frames():
    def f(x):
        return 1 / (x - x)

    for call in (grad(f), jacobian(f), hessian(f), lambda x: jvp(f, (x,), (1.0,)), lambda x: vjp(f, x)):
        with pytest.raises(ZeroDivisionError) as raised:
            call(1.0)
        names = [(Path(frame.path).name, frame.name) for frame in raised.traceback]
        assert names[-1] == ("test_transforms.py", "f")
        assert {file for file, _ in names} <= {"test_transforms.py", "boundary.py"}
        assert len(names) <= 5


@pytest.mark.parametrize("f", [lambda x: np.array(x) * x, lambda x: np.asarray(x) * x, lambda x: np.sin(np.array(x))])
def test_a_number_that_is_made_an_array(f):
    x, h = 2.5, 1e-6
    slope = (f(x + h) - f(x - h)) / (2 * h)
    for found in (jvp(f, (x,), (1.0,))[1], grad(f)(x), jacobian(f)(x), vjp(f, x)[1](1.0)[0]):
        assert float(found) == pytest.approx(slope, rel=1e-8)
    assert float(hessian(f)(x)) == pytest.approx((f(x + 1e-4) - 2 * f(x) + f(x - 1e-4)) / 1e-8, rel=1e-5)


def test_argnums_that_are_not_there():
    with pytest.raises(TypeError, match=r"argnums is 5, and .* was called with 2 positional arguments"):
        grad(lambda a, b: a * b, argnums=5)(2.0, 3.0)
