"""Second derivatives of NumPy functions of one number, in every nesting, against differences of the plain function."""

from __future__ import annotations

import numpy as np
import pytest

from ad_magic import grad, hessian, jacfwd, jacrev, jvp, taylor, trace

FUNCTIONS = {
    "einsum to a number": lambda x: np.einsum("ij,kj->", np.outer([x, 1, 2], [1, x]), np.outer([x, 1, 2], [1, x])),
    "einsum of a number": lambda x: np.einsum(",i->", x, np.array([1.0, 2.0]) * x),
    "tensordot": lambda x: np.tensordot(np.array([x, 1.0]), np.array([x, x * x]), 1),
    "outer tensordot": lambda x: np.sum(np.tensordot(np.array([x, 1.0]), np.array([x, x * x]), 0) ** 2),
    "i0": np.i0,
    "kron": lambda x: np.sum(np.kron(np.array([x, 2.0]), np.array([x, x**2])) ** 2),
    "multi_dot": lambda x: np.linalg.multi_dot([np.array([x, 1.0]), np.array([[x, 1], [2, x]]), np.array([1, x])]),
    "matrix_power": lambda x: np.linalg.matrix_power(np.array([[x, 1], [2, x]]), 3)[0, 1],
    "nuclear norm": lambda x: np.linalg.norm(np.array([[x, 1], [2, x]]), "nuc"),
    "fft": lambda x: np.abs(np.fft.fft(np.array([x, 1, x * x, 2])))[1],
    "sort": lambda x: np.sort(np.array([x, x * x, 1]))[1] ** 2,
    "eigenvectors": lambda x: np.linalg.eigh(np.array([[x, 1], [1, x**2]]))[1][0, 0] ** 2,
    "pinv": lambda x: np.linalg.pinv(np.array([[x, 1], [2, x], [1, 1]]))[0, 0],
    "percentile": lambda x: np.percentile(np.array([x, x * x, 3, 1]), 30) ** 2,
    "corrcoef": lambda x: np.corrcoef(np.array([[x, 1, 2], [3, x * x, 1]]))[0, 1],
    "flat and item": lambda x: np.array([[x, 2]]).flat[0] * np.array([x * x]).item(),
    "a broadcast number": lambda x: np.sum(np.broadcast_to(x, (2, 3)) ** 2),
}
NESTINGS = {
    "grad of grad": lambda f, x: grad(grad(f))(x),
    "forward over reverse": lambda f, x: jacfwd(grad(f))(x),
    "reverse over forward": lambda f, x: grad(jacfwd(f))(x),
    "forward over forward": lambda f, x: jvp(lambda y: jvp(f, (y,), (1.0,))[1], (x,), (1.0,))[1],
    "hessian": lambda f, x: hessian(f)(x),
    "taylor": lambda f, x: 2 * taylor(f, x, 2)[2],
    "trace": lambda f, x: trace(f, x).hessian().item(),
    "taylor of a trace": lambda f, x: 2 * next(iter(trace(f, x).taylor(2).values()))[2],
}


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_second_derivative(name, nesting):
    f = FUNCTIONS[name]
    for x in (0.7, 1.6):
        h = 1e-3  # fourth order: the error is that of rounding, about 1e-9
        at = [float(f(x + k * h)) for k in (-2, -1, 0, 1, 2)]
        expected = (-at[0] + 16 * at[1] - 30 * at[2] + 16 * at[3] - at[4]) / (12 * h * h)
        assert NESTINGS[nesting](f, x) == pytest.approx(expected, rel=1e-6, abs=1e-6)


VIEWS = {
    "slice": lambda y: y[1:],
    "reversed": lambda y: y[::-1],
    "ellipsis": lambda y: y[...],
    "new axis": lambda y: y[None][0],
    "reshape": lambda y: y.reshape(2, 2)[1],
    "transpose": lambda y: y.reshape(2, 2).T[1],
    "column": lambda y: np.hsplit(y.reshape(2, 2), 2)[1][:, 0],
    "fortran": lambda y: y.reshape((2, 2), order="F")[1],
    "swapaxes": lambda y: np.swapaxes(y.reshape(2, 2), 0, 1)[1],
    "squeeze": lambda y: np.squeeze(y[None]),
    "rot90": lambda y: np.rot90(y.reshape(2, 2))[0],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_what_is_written_through_a_view_is_in_the_array_in_a_nested_run_too(view):
    def f(x):
        y = x * 2
        view(y)[0] = x[0] ** 3
        return np.sum(y**2 * WEIGHTS)

    x, h = np.array([0.5, 0.6, 0.7, 0.8]), 1e-5
    slope = grad(f)
    expected = [(slope(x + h * e) - slope(x - h * e)) / (2 * h) for e in np.eye(4)]
    for one in (jacfwd, jacrev):
        for two in (jacfwd, jacrev):
            np.testing.assert_allclose(one(two(f))(x), expected, atol=1e-6)


WEIGHTS = np.arange(1.0, 5.0)
