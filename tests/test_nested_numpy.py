"""Second derivatives of NumPy functions of one number, in every nesting, against differences of the plain function."""

from __future__ import annotations

import numpy as np
import pytest

from ad_magic import grad, hessian, jacfwd, jvp, taylor, trace

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
