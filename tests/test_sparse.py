"""Sparse Jacobians: the pattern of a run, its colours, and the same numbers from fewer sweeps."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
from case_files import cases, run_case
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize._numdiff import group_columns

from ad_magic import checkpoint, grad, hessian, jacfwd, jacobian, jacrev, sparsity, trace
from ad_magic.transforms.sparse import coloured, of_matrix

X = np.array([0.5, 1.3, 2.2, 3.1, 0.7, 1.9])
TWO = np.diag(np.arange(1.0, 7)) + np.diag(np.ones(5), 1)  # two diagonals


def band(x):
    return x[1:-1] ** 2 * x[2:] - x[:-2]


def written_in_place(x):
    y = np.zeros(6)
    y[1:] = x[:-1]
    y[0] += x[2]
    return y * x


def through_a_view(x):
    y = x.copy()
    y[::2] = y[1::2] * 2
    y[3] = 5.0
    return y


def of_numbers(x):
    return [x[k] * x[k + 1] for k in range(5)]


# Each with how many entries its Jacobian has, counted by hand.
EXACT = {
    "band": (band, 12),
    "difference": (np.diff, 10),
    "neighbour": (lambda x: np.roll(x, 1) * x, 12),
    "convolution": (lambda x: np.convolve(x, [1, 2, 1]), 18),
    "running sum": (np.cumsum, 21),
    "padding": (lambda x: np.pad(x, 1), 6),
    "matrix times vector": (lambda x: TWO @ x, 11),
    "vector times matrix": (lambda x: x @ TWO, 11),
    "matrix times matrix": (lambda x: TWO @ np.stack([x, x**2], axis=1), 22),
    "two matrices": (lambda x: x.reshape(3, 2) @ x.reshape(2, 3), 9 * 4 - 6),
    "stacks": (lambda x: x.reshape(2, 1, 3) @ np.ones((2, 3, 2)), 12),
    "einsum": (lambda x: np.einsum("ij,j->i", TWO, x), 11),
    "sums of lines": (lambda x: np.sum(x.reshape(2, 3), axis=1), 6),
    "norms of lines": (lambda x: np.linalg.norm(x.reshape(2, 3), axis=1), 6),
    "variances of lines": (lambda x: np.var(x.reshape(2, 3), axis=1), 6),
    "a choice": (lambda x: np.where(x > 2, x, 0), 2),
    "an order": (np.sort, 6),
    "outer product": (lambda x: np.outer(x, x), 36 + 30),
    "masked": (lambda x: x * np.array([1.0, 0, 0, 1, 0, 0]), 2),
    "put together": (lambda x: np.array([x[0] * x[1], x[2]]), 3),
    "joined": (lambda x: np.concatenate([x[:2], [1.0], x[4:]]), 4),
    "in place": (written_in_place, 12),
    "a view": (through_a_view, 5),
    "numbers": (of_numbers, 10),
    "entry by entry": (lambda x: np.vectorize(lambda t: t * t)(x), 6),
    "constant": (lambda x: np.ones(3), 0),
}


def flat(parts):
    """The Jacobian as a matrix, whatever the output is."""
    return np.reshape(np.asarray(parts, dtype=float), (-1, 6))


@pytest.mark.parametrize("name", EXACT)
def test_the_pattern_and_the_numbers(name):
    f, entries = EXACT[name]
    s = sparsity(f)(X)
    whole = flat(jacrev(f)(X))
    assert s.entries == entries == np.count_nonzero(s.pattern) and s.shape == whole.shape
    np.testing.assert_array_equal(s.pattern, s.pattern | (whole != 0))
    for how in ({"sparsity": "auto"}, {"sparsity": s}, {"sparsity": s.pattern}):
        np.testing.assert_allclose(flat(jacobian(f, **how)(X)), whole, rtol=1e-14, atol=0)
    if not isinstance(f(X), list):
        np.testing.assert_allclose(jacobian(f, sparse=True)(X).toarray(), whole, rtol=1e-14, atol=0)


def test_what_is_not_looked_into_depends_on_all():
    for f in (np.linalg.inv, np.linalg.cholesky, np.fft.rfft):
        s = sparsity(lambda x, f=f: np.real(f(np.diag(x)) if f is not np.fft.rfft else f(x)))(X)
        assert s.entries == s.shape[0] * 6


KNOWN = [case for case in cases("arrays").values() if {"grad", "jacobian"} & case.keys()]


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case["id"])
def test_the_cases(shell, case):
    """The pattern of a cell covers the derivatives of its case file."""
    shell.run_line_magic("load_ext", "ad_magic")
    result = run_case(shell, case)
    wanted = case.get("jacobian") or case["grad"]
    size = np.size(result.value)
    lines = [np.asarray(wanted[name], dtype=float).reshape(size, -1) for name in result.inputs]
    outside = np.where(result.sparsity.pattern, 0.0, np.concatenate(lines, axis=1))
    assert not np.abs(outside).max() > 1e-12


# ---- seeds -------------------------------------------------------------------------------------------


@st.composite
def patterns(draw):
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    bits = draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns))
    return np.array(bits).reshape(rows, columns)


@given(patterns())
def test_colours_part_what_meets(pattern):
    s = of_matrix(pattern, pattern.shape)
    np.testing.assert_array_equal(s.pattern, pattern)
    lines = pattern.T if s.mode == "forward" else pattern
    for a, b in itertools.combinations(range(len(lines)), 2):
        if s.colors[a] == s.colors[b] >= 0:
            assert not (lines[a] & lines[b]).any()
    assert [color >= 0 for color in s.colors] == lines.any(axis=1).tolist()
    assert set(s.colors) - {-1} == set(range(s.seeds)) and s.seeds == min(s.sweeps.values())
    assert max(pattern.sum(axis=1)) <= s.sweeps["forward"] and max(pattern.sum(axis=0)) <= s.sweeps["reverse"]


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_a_band_takes_as_many_seeds_as_it_is_wide(width):
    """As many as SciPy's grouping of columns takes (Curtis, Powell & Reid 1974), whatever the size."""
    for n in (20, 400):
        s = sparsity(lambda x: sum(x[k : len(x) - width + 1 + k] ** (k + 1) for k in range(width)))(np.ones(n))
        assert s.seeds == width == group_columns(s.pattern, np.arange(n)).max() + 1
    assert repr(s) == (
        f"{401 - width} × 400, {width * (401 - width):,} entries: {width} forward sweep{'s' * (width > 1)}, "
        f"{401 - width} without compression"
    )


def test_an_arrow_is_found_row_by_row_or_column_by_column():
    down = sparsity(lambda x: x[0] * x[1:])(np.ones(40))  # one full column: two seeds
    assert (down.mode, down.seeds) == ("forward", 2)
    across = sparsity(lambda x: np.array([np.sum(x), *x[:20]]))(np.ones(20))  # one full row
    assert (across.mode, across.seeds, across.sweeps["forward"]) == ("reverse", 2, 20)
    s = coloured(np.array([0, 0]), np.zeros(0, int), (1, 3))
    assert s.seeds == 0 and s.colors.tolist() == [-1] * 3


# ---- jacobian and hessian ----------------------------------------------------------------------------


def test_trees_of_arguments_and_results():
    def f(p, t):
        return {"a": p["u"] * p["v"][0] * t, "b": [p["v"][1:] * p["v"][:-1]]}, "aux"

    args = {"u": 2.0, "v": np.array([1.0, 2, 3])}, 0.5
    got, aux = jacobian(f, (0, 1), has_aux=True, sparsity="auto")(*args)
    want, _ = jacrev(f, (0, 1), has_aux=True)(*args)
    assert aux == "aux" and got["a"][0]["u"] == want["a"][0]["u"] == 0.5 and got["a"][1] == 2.0
    np.testing.assert_array_equal(got["b"][0][0]["v"], want["b"][0][0]["v"])
    assert jacobian(f, 0, has_aux=True, sparse=True)(*args)[0]["b"][0]["v"].shape == (2, 3)


def test_a_sparse_hessian():
    def f(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x = np.linspace(-1, 1, 30)
    whole = jacfwd(grad(f))(x)
    np.testing.assert_allclose(hessian(f, sparsity="auto")(x), whole, rtol=1e-13)
    found = hessian(f, sparse=True)(x)
    np.testing.assert_allclose(found.toarray(), whole, rtol=1e-13)
    assert found.nnz == 3 * 30 - 2 and sparsity(grad(f))(x).seeds == 3
    assert hessian(lambda x: (x[0] * x[1]) ** 2, sparsity="auto")(np.array([0.0, 1.0])).tolist() == [[2, 0], [0, 0]]


def test_it_can_be_differentiated_again():
    want = grad(lambda x: np.sum(jacrev(band)(x) ** 2))(X)
    np.testing.assert_allclose(grad(lambda x: np.sum(jacobian(band, sparsity="auto")(x) ** 2))(X), want)
    with pytest.raises(TypeError, match="cannot be differentiated again"):
        grad(lambda x: jacobian(band, sparse=True)(x).sum())(X)


def test_an_infinite_slope_stays_in_its_column():
    x = np.array([0.0, 1.0, 4.0, 0.0])
    whole = jacobian(np.sqrt, sparsity="auto")(x)
    np.testing.assert_array_equal(whole, np.diag([np.inf, 0.5, 0.25, np.inf]))


def test_a_given_pattern_must_fit():
    with pytest.raises(ValueError, match="leaves out derivatives that are not zero"):
        jacobian(band, sparsity=np.eye(4, 6))(X)
    with pytest.raises(ValueError, match=r"shape \(4, 5\), the Jacobian \(4, 6\)"):
        jacobian(band, sparsity=np.eye(4, 5))(X)
    with pytest.raises(ValueError, match='it is "auto"'):
        jacobian(band, sparsity="coloured")(X)
    turned = sparsity(lambda x: x if x[0] > 0 else x[::-1])
    with pytest.raises(ValueError, match="leaves out"):  # another path
        jacobian(lambda x: x if x[0] > 0 else x[::-1], sparsity=turned(X))(-X)


def test_of_a_result():
    r = trace(lambda x, t: x[1:] * x[:-1] * t, X, 2.0)
    assert r.sparsity.shape == (5, 7) and r.sparsity.entries == 15
    assert r.sparsity.pattern[:, -1].all() and "of one colour" in r.sparsity._repr_html_()
    assert r.cost.sweeps == {"forward": 7, "reverse": 5, "compressed": 3}
    assert r.cost.operations["compressed"] < min(r.cost.operations[mode] for mode in ("forward", "reverse"))
    text = r.cost.to_text()
    assert "jacobian(f) takes reverse mode: 5 sweeps, forward mode has 7." in text
    assert "compressed: all derivatives" in text
    assert trace(lambda t: [t, t**2, t**3], 2.0).cost.chosen == "forward"


def test_what_runs_a_solver_or_is_run_again_depends_on_all_that_it_reads():
    def f(a):
        r = scipy.optimize.brentq(lambda t: t**3 + a[0] * t - a[1], 0, 3)
        q = scipy.integrate.quad(lambda t: math.exp(-a[2] * t), 0, 1)[0]
        return np.concatenate([np.array([r, q, a[3] ** 2]), checkpoint(lambda x: x[1:] * x[:-1])(a[3:])])

    a = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    r = trace(f, a)
    np.testing.assert_array_equal(r.sparsity.pattern, r.sparsity.pattern | (r.jacobian["a"] != 0))
    np.testing.assert_allclose(jacobian(f, sparsity="auto")(a), jacrev(f)(a), rtol=1e-14)
    assert r.cost.to_text()


@pytest.mark.parametrize("given", ["auto", "ones", "too few"])
def test_inside_another_derivative(given):
    """The Hessian of Σ c xₖ xₖ₊₁², and what depends on it; a pattern that leaves something out cannot lose it here."""

    def f(x):
        return np.sum(x[1:] ** 2 * x[:-1])

    x = np.array([1.0, 2.0, 3.0])
    sparsity = {"auto": "auto", "ones": np.ones((3, 3)), "too few": np.eye(3)}[given]
    assert grad(lambda x: np.sum(hessian(f, sparsity=sparsity)(x) ** 2))(x) == pytest.approx([8.0, 48.0, 48.0])
    for c in (0.0, 2.0):  # where c is zero, the Hessian is, but not its derivative
        found = grad(lambda c: np.sum(hessian(lambda x: c * f(x), sparsity=sparsity)(x)))(c)
        assert found == pytest.approx(np.sum(hessian(f)(x)))
        a = np.diag([1.0, 1.0], 1)
        by_a = jacfwd(lambda a, c=c: jacobian(lambda x: (c + a) @ x, sparsity=sparsity)(x))(a)
        assert by_a == pytest.approx(np.eye(9).reshape(3, 3, 3, 3))
