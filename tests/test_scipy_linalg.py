"""Functions of scipy.linalg: value, derivative in both directions, the Hessian, and what they leave."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from array_programs import Program
from test_array_programs import actively, differences, plainly, promoted, same, snapshot

from ad_magic.engine.active import LostDerivative

A = "np.array([[4.0, 1.0, 0.5], [0.3, 5.0, 1.0], [0.2, 1.1, 3.0]])"
B = "np.array([1.0, 2.0, 3.0])"
CALLS = [
    "sla.solve(A, b)", "sla.solve(A, b, assume_a='pos')", "sla.solve(A, b, assume_a='sym', lower=True)",
    "sla.solve(A, b, transposed=True)", "sla.solve(A, np.eye(3), assume_a='upper triangular')", "sla.inv(A)",
    "sla.det(A)", "sla.norm(A)", "sla.norm(b, 1)", "sla.norm(A, axis=0)", "sla.cholesky(A)",
    "sla.cholesky(A, lower=True)", "sla.solve_triangular(A, b)", "sla.solve_triangular(A, b, lower=True, trans=1)",
    "sla.solve_triangular(A, b, lower=True, unit_diagonal=True)", "sla.lu_solve(sla.lu_factor(A[::-1]), b)",
    "sla.lu_solve(sla.lu_factor(A[::-1]), b, trans=1)", "sla.lu_factor(A[::-1])[0]", "sla.lu(A[::-1])[1]",
    "sla.lu(A[[1, 0, 2]], permute_l=True)[0]", "sla.cho_solve(sla.cho_factor(A), b)",
    "sla.cho_solve(sla.cho_factor(A, lower=True), b)", "sla.cho_factor(A)[0]", "sla.eigh(A)[1] ** 2", "sla.eigh(A)[0]",
    "sla.eigh(A, A @ A.T)[1] ** 2", "sla.eigh(A, eigvals_only=True)", "sla.eigvalsh(A, lower=False)",
    "sla.eigh(A, subset_by_index=[1, 2])[1] ** 2", "sla.svd(A)[0] ** 2", "sla.svd(A)[2] ** 2",
    "sla.svd(A[:2], full_matrices=False)[2] ** 2", "sla.svd(A, compute_uv=False)", "sla.svdvals(A)", "sla.pinv(A[:2])",
    "sla.expm(A / 4)", "sla.expm(-A) @ b", "sla.eigvals(A).real", "sla.block_diag(A[:2], b, A[0, 0])",
    "sla.toeplitz(b)", "sla.toeplitz(b, A[0])", "sla.circulant(b)",
]  # fmt: skip
WEIGHED = "\ny = (np.arange(1.0, 1 + np.size(r)).reshape(np.shape(r)) * r**2).sum() + np.sum(r**3)"


def program(call: str) -> Program:
    cell = f"r = {call}{WEIGHED}"
    return Program("scipy.linalg", call, cell, {"A": A, "b": B}, setup="import scipy.linalg as sla")


@pytest.mark.parametrize("call", CALLS)
def test_a_call(call):
    p = program(call)
    plain_names, output, _ = plainly(p)
    start = {name: np.array(plain_names[name]) for name in "Ab"}
    want = differences(p, start, output)
    for mode in ("forward", "reverse"):
        names, result, jacobian, _ = actively(p, mode)
        assert result.value == pytest.approx(output, rel=1e-11)
        for name, slope in want.items():
            size = max(np.abs(slope).max(), 1e-2)
            np.testing.assert_allclose(jacobian[name], slope, rtol=2e-6, atol=2e-6 * size, err_msg=f"{mode} {name}")
        left, _, ours = snapshot(names, promoted(p))
        assert not ours
        assert same(left["r"], snapshot(plain_names, promoted(p))[0]["r"], 1e-11)


@pytest.mark.parametrize("call", [call for call in CALLS if "lu" in call or "ch" in call or "expm" in call])
def test_the_hessian_of_a_call(call):
    """Against differences of the gradient."""
    p, h = program(call), 1e-5
    hessian = actively(p, "reverse")[1].hessian()

    def gradient(a, b):
        at = Program(p.group, p.name, p.cell, {"A": f"np.array({a.tolist()})", "b": f"np.array({b.tolist()})"}, p.setup)
        grad = actively(at, "reverse")[1].grad
        return np.concatenate([grad["A"].ravel(), grad["b"]])

    a, b = eval(A), eval(B)
    for k in range(12):
        step = np.eye(12)[k] * h
        up = gradient(a + step[:9].reshape(3, 3), b + step[9:])
        down = gradient(a - step[:9].reshape(3, 3), b - step[9:])
        np.testing.assert_allclose(hessian[k], (up - down) / (2 * h), rtol=1e-5, atol=1e-5 * np.abs(hessian).max())


def test_the_exponential_of_a_rotation():
    """exp([[0, -t], [t, 0]]) turns by t."""
    p = Program(
        "", "", "E = expm(np.array([[0.0, -t], [t, 0.0]]))\ny = E[0, 0] * 2 + E[1, 0]", {"t": "0.7"},
        setup="from scipy.linalg import expm",
    )  # fmt: skip
    for mode in ("forward", "reverse"):
        assert actively(p, mode)[1].grad["t"] == pytest.approx(-2 * np.sin(0.7) + np.cos(0.7), rel=1e-14)


@pytest.mark.parametrize("call", ["sla.sqrtm(A)", "sla.schur(A)[0]", "sla.hessenberg(A)"])
def test_what_has_no_rule_says_so(call):
    with pytest.raises(LostDerivative, match=r"line 1: scipy.linalg.\w+ has no derivative rule"):
        actively(program(call), "reverse")


def test_a_module_that_is_loaded_between_two_derivatives():
    """Which modules have stand-ins is not remembered from the first one."""
    program = """
import numpy as np
from ad_magic import grad
grad(np.sum)(np.ones(2))
import scipy.linalg as sla
print(grad(lambda x: np.sum(sla.expm(x * np.eye(2))))(0.0))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(2.0)
