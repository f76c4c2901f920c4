"""Linear algebra and Fourier transforms: pushes against differences of NumPy's own functions, pulls against pushes.

Differences perturb the raw entries, also those of the triangle that NumPy does not read. Where a complex vector is
determined up to a phase only, the perturbed one is turned towards the unperturbed one first.
"""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import swept

from ad_magic.rules.arrays import fourier, linalg

NUMPY_2 = np.lib.NumpyVersion(np.__version__) >= "2.0.0"
RULES = {rule.name: rule for rule in (*linalg.RULES, *fourier.RULES)}
KINKS = linalg.KINKS
NONE = np._NoValue


def turned(x):
    return np.swapaxes(np.conj(x), -1, -2)


def draw(rng, shape, kind="d"):
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if kind == "D" else x


def square(rng, shape, kind="d"):
    return draw(rng, shape, kind) + 2 * np.eye(shape[-1])


def positive(rng, shape, kind="d"):
    x = draw(rng, shape, kind)
    return x @ turned(x) + np.eye(shape[-1]) + np.triu(draw(rng, shape, kind), 1) * 0.01


def spread_values(rng, shape, kind="d"):
    """A matrix whose singular values are well apart."""
    u, _, vh = np.linalg.svd(draw(rng, shape, kind), full_matrices=False)
    return u * np.arange(1.0, u.shape[-1] + 1)[::-1] @ vh


def deficient(rng, m, n, rank, kind="d"):
    return draw(rng, (m, rank), kind) @ draw(rng, (rank, n), kind)


CASES: list = []


def case(name, *operands, **options):
    if name in RULES:
        CASES.append(pytest.param(RULES[name], operands, options, id=f"{len(CASES)} {name} {options or ''}".strip()))


rng = np.random.default_rng(3)
SQUARES = [(shape, kind) for shape in ((1, 1), (2, 2), (4, 4), (2, 3, 3), (2, 1, 3, 3)) for kind in "dD"]
for shape, kind in SQUARES:
    a = square(rng, shape, kind)
    case("inv", a)
    case("det", a)
    case("slogdet", a)
    case("slogdet", -a)
    for n in (0, 1, 2, 3, 5, -1, -2, -3):
        case("matrix_power", a / 2, n=n)
    case("solve", a, draw(rng, (shape[-1],), kind) if NUMPY_2 else draw(rng, shape[:-1], kind))
    case("solve", a, draw(rng, (*shape[:-1], 2), kind))
    case("solve", a, draw(rng, (*shape[:-1], 2), "d"))
    case("cholesky", positive(rng, shape, kind))
    if NUMPY_2:
        case("cholesky", positive(rng, shape, kind), upper=True)
        case("cholesky", positive(rng, shape, kind), upper=False)
    for uplo in "LUl":
        case("eigh", draw(rng, shape, kind), UPLO=uplo)
        case("eigvalsh", draw(rng, shape, kind), UPLO=uplo)
    case("eig", a)
    case("eigvals", a)
case("solve", square(rng, (3, 3)), draw(rng, (2, 3, 2)))
case("solve", square(rng, (2, 3, 3)), draw(rng, (3, 2) if NUMPY_2 else (1, 3, 2)))
case("solve", square(rng, (2, 3, 3), "D"), draw(rng, (2, 3, 1)))
case("eig", np.array([[0.0, -2.0, 0.5], [1.0, 0.3, 0.0], [0.2, 0.0, 1.5]]))
case("eigvals", np.array([[0.0, -2.0, 0.5], [1.0, 0.3, 0.0], [0.2, 0.0, 1.5]]))
case("eig", np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [0.0, 0.0, -1.0]]))
case("det", np.arange(9.0).reshape(3, 3))  # singular
case("det", np.zeros((2, 2)))
case("det", np.zeros((1, 1)))
case("det", np.stack([np.ones((3, 3)), np.eye(3), np.diag([1.0, 2.0, 0.0])]))
case("det", np.stack([np.ones((2, 2)), np.eye(2)]) * (1 + 2j))
case("det", np.diag([0.0, *np.linspace(0.5, 1.5, linalg._MINORS)]))

RECTANGLES = [
    (shape, kind) for shape in ((1, 3), (3, 1), (3, 3), (4, 2), (2, 4), (2, 4, 3), (2, 3, 4)) for kind in "dD"
]
for shape, kind in RECTANGLES:
    a = spread_values(rng, shape, kind)
    for mode in ("reduced", "complete", "r"):
        case("qr", a, mode=mode)
    for full in (False, True):
        case("svd", a, full_matrices=full)
    case("svd", a, compute_uv=False)
    case("svdvals", a)
    case("pinv", a)
    case("pinv", a, rcond=0.4)  # drops singular values that are not zero
    if NUMPY_2:
        case("pinv", a, rtol=0.4)
        case("pinv", a, rtol=None)
    if len(shape) == 2:
        for b in (draw(rng, shape[:1], kind), draw(rng, (shape[0], 2), kind), draw(rng, (shape[0], 1), "d")):
            case("lstsq", a, b, rcond=None)
            case("lstsq", a, b, rcond=0.4)
            case("lstsq", a, b, rcond=-1)
for kind in "dD":
    hermitian = positive(rng, (3, 3), kind) - 2 * np.eye(3)
    case("svd", hermitian, hermitian=True)
    case("svd", hermitian, compute_uv=False, hermitian=True)
    case("pinv", hermitian, hermitian=True)
    case("pinv", hermitian, rcond=0.4, hermitian=True)
case("pinv", np.stack([spread_values(rng, (3, 3)), spread_values(rng, (3, 3))]), rcond=np.array([0.4, 0.7]))

VECTOR_ORDERS = (None, 2, 1, 0, np.inf, -np.inf, 3, 2.5, 0.5, -1, -2)
MATRIX_ORDERS = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
for kind, keepdims in itertools.product("dD", (False, True)):
    a = draw(rng, (2, 3, 4), kind)
    case("norm", a, keepdims=keepdims)
    for order in VECTOR_ORDERS:
        case("norm", a[0, 0], ord=order, keepdims=keepdims)
        for axis in (0, -1, (1,)):
            case("norm", a, ord=order, axis=axis, keepdims=keepdims)
    for order in MATRIX_ORDERS:
        case("norm", a[0], ord=order, keepdims=keepdims)
        for axes in ((0, 1), (2, 0), (-1, -2)):
            case("norm", a, ord=order, axis=axes, keepdims=keepdims)

for norm in (None, "backward", "ortho", "forward"):
    for n, axis in ((None, -1), (3, 1), (4, -1), (6, 0), (9, 1), (1, 0)):
        for name in ("fft", "ifft", "irfft", "hfft"):
            case(name, draw(rng, (3, 5), "D"), n=n, axis=axis, norm=norm)
            case(name, draw(rng, (4, 4)), n=n, axis=axis, norm=norm)
        for name in ("rfft", "ihfft"):
            case(name, draw(rng, (3, 5)), n=n, axis=axis, norm=norm)
            case(name, draw(rng, (4, 4)), n=n, axis=axis, norm=norm)
    for one, d in itertools.product(("fft", "ifft", "rfft", "irfft"), "2n"):
        for s, axes in (
            (None, (0, 1)), (None, (-1, 0)), ((3, 6), (1, 2)), ((4, 2), (2, 0)), ((5,), (1,)), (None, (1, 1)),
            ((4, 6), (1, 1)),
        ):  # fmt: skip
            case(f"{one}{d}", draw(rng, (2, 4, 3), "d" if one[0] == "r" else "D"), s=s, axes=axes, norm=norm)
        case(f"{one}{d}", draw(rng, (2, 4, 3)), norm=norm)
        if NUMPY_2:
            case(f"{one}{d}", draw(rng, (2, 4, 3)), s=(-1, 5), axes=(0, 1), norm=norm)
for name in ("fftshift", "ifftshift"):
    for axes in (None, 0, (0, 1), -1):
        case(name, draw(rng, (3, 4), "D"), axes=axes)


# ---- what a rule says, against NumPy -------------------------------------------------------------


def parts_of(z):
    return list(z) if isinstance(z, tuple) else [z]


def is_number(part):
    return np.asarray(part).dtype.kind in "fc"


def pushed(rule, k, t, z, operands, options):
    if rule.push is not None:
        return rule.push(k, t, z, *operands, **options)
    return rule.value(*operands[:k], t, *operands[k + 1 :], **options)


def value(rule, operands, options):
    z = rule.value(*operands, **options)
    return tuple(z) if isinstance(z, (tuple, list)) else z


def in_phase(x, like):
    """The columns of x, each turned by the phase that brings it closest to that of `like`."""
    c = np.sum(np.conj(x) * like, axis=-2, keepdims=True)
    return x * c / np.abs(c)


def closest(x, like):
    """The columns of x, rotated among themselves towards those of `like`."""
    u, _, vh = np.linalg.svd(turned(x) @ like)
    return x @ u @ vh


def nearest(w, like):
    """In which order the eigenvalues w are those of `like`."""
    return np.argmin(np.abs(like[..., :, None] - w[..., None, :]), axis=-1)


def aligned(rule, z, at):
    """The result z near the result `at`, in the gauge of the rule."""
    if rule.name == "eigvals":
        return np.take_along_axis(z, nearest(z, at), -1)
    if rule.name == "eig":
        order = nearest(z[0], at[0])
        z = np.take_along_axis(z[0], order, -1), np.take_along_axis(z[1], order[..., None, :], -1)
    if rule.name in ("eigh", "eig"):
        return z[0], in_phase(z[1], at[1])
    if rule.name == "qr" and len(z) == 2 and z[0].shape[-1] > z[1].shape[-1]:
        n = z[1].shape[-1]
        return np.concatenate([z[0][..., :n], closest(z[0][..., n:], at[0][..., n:])], axis=-1), z[1]
    if rule.name == "svd" and isinstance(z, tuple):
        n = z[1].shape[-1]
        u, v, u0, v0 = z[0], turned(z[2]), at[0], turned(at[2])
        c = np.sum(np.conj(u[..., :n]) * u0[..., :n], axis=-2) * np.sum(np.conj(v[..., :n]) * v0[..., :n], axis=-2)
        phase = np.sqrt(c / np.abs(c) + 0j)[..., None, :]  # one phase for both: U and V turn in opposite senses
        phase = phase * np.where(
            np.sum(np.conj(u[..., :n] * phase) * u0[..., :n], axis=-2, keepdims=True).real < 0, -1, 1
        )
        phase = phase if np.iscomplexobj(u) else phase.real
        u = np.concatenate([u[..., :n] * phase, closest(u[..., n:], u0[..., n:])], axis=-1)
        v = np.concatenate([v[..., :n] * phase, closest(v[..., n:], v0[..., n:])], axis=-1)
        return u, z[1], turned(v)
    return z


@pytest.mark.parametrize(("rule", "operands", "options"), CASES)
def test_pushes_are_differences_and_pulls_are_their_adjoints(rule, operands, options):
    rng = np.random.default_rng(11)
    with np.errstate(all="ignore"):
        z = value(rule, operands, options)
        for k, x in enumerate(operands):
            t = draw(rng, x.shape, x.dtype.char)
            push = parts_of(pushed(rule, k, t, z, operands, options))
            h = 2e-6

            def near(step):
                moved = (*operands[:k], x + step * t, *operands[k + 1 :])
                return parts_of(aligned(rule, value(rule, moved, options), z))

            assert len(push) == len(parts_of(z))
            ahead, behind = near(h), near(-h)
            for part, at, after, before in zip(push, parts_of(z), ahead, behind, strict=True):
                if is_number(at):
                    slope = (after - before) / (2 * h)
                    np.testing.assert_allclose(np.broadcast_to(part, np.shape(at)), slope, rtol=2e-6, atol=1e-6)
            chosen = [draw(rng, np.shape(at), "D" if np.iscomplexobj(at) else "d") for at in parts_of(z)]
            numbers = [j for j, at in enumerate(parts_of(z)) if is_number(at) and np.size(at)]
            for some in [*([j] for j in numbers), numbers]:  # single parts, and all together
                g = tuple(chosen[j] if j in some else None for j in range(len(chosen)))
                c = rule.pull(k, g if isinstance(z, tuple) else g[0], z, *operands, **options)
                left = sum(np.sum(np.conj(g[j]) * push[j]).real for j in some)
                right = 0.0 if c is None else np.sum(np.conj(c) * t).real
                scale = sum(np.linalg.norm(g[j]) * np.linalg.norm(push[j]) for j in some)
                assert abs(left - right) <= 1e-10 * (1 + scale), (k, some)
                assert c is None or np.shape(c)[-x.ndim :] == x.shape or np.broadcast(c, x).shape == np.shape(c)
            nothing = tuple(None for _ in chosen)
            assert not isinstance(z, tuple) or rule.pull(k, nothing, z, *operands, **options) is None


@pytest.mark.parametrize("name", ["inv", "det", "solve", "matrix_power"])
def test_pushes_are_complex_steps_of_analytic_functions(name):
    rng = np.random.default_rng(5)
    a = square(rng, (4, 4)) + np.diag(np.arange(4.0))
    rest, options = ((draw(rng, (4, 2)),) if name == "solve" else ()), ({"n": -3} if name == "matrix_power" else {})
    rule, t = RULES[name], draw(rng, (4, 4))
    z = rule.value(a, *rest, **options)
    w = rule.value(a + 1e-30j * t, *rest, **options)
    np.testing.assert_allclose(rule.push(0, t, z, a, *rest, **options), w.imag / 1e-30, rtol=1e-11, atol=1e-11)


@swept
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1), st.sampled_from("dD"))
def test_any_shape_and_seed(m, n, seed, kind):
    """Gauge-free identities: Q R, U S V and V Λ V^H reproduce the tangent of the matrix."""
    rng = np.random.default_rng(seed)
    a, t = draw(rng, (m, n), kind), draw(rng, (m, n), kind)
    q, r = z = np.linalg.qr(a)
    dq, dr = RULES["qr"].push(0, t, z, a)
    size = 1e-6 * (1 + np.linalg.cond(a) ** 2)
    np.testing.assert_allclose(dq @ r + q @ dr, t, atol=size)
    u, s, vh = z = np.linalg.svd(a, full_matrices=False)
    du, ds, dvh = RULES["svd"].push(0, t, z, a, full_matrices=False)
    gap = np.min(np.abs(s[:, None] - s)[~np.eye(len(s), dtype=bool)], initial=1.0)
    np.testing.assert_allclose(du * s @ vh + u * ds @ vh + u * s @ dvh, t, atol=1e-6 * (1 + 1 / gap + 1 / s[-1]))
    whole, along = a @ turned(a) + np.eye(m), t @ turned(a) + a @ turned(t)
    L = np.linalg.cholesky(whole)
    dL = RULES["cholesky"].push(0, along, L, whole)
    np.testing.assert_allclose(dL @ turned(L) + L @ turned(dL), along, atol=1e-9 * (1 + np.abs(whole).max()) ** 2)


# ---- the triangle that is not read ---------------------------------------------------------------


@pytest.mark.parametrize("kind", "dD")
@pytest.mark.parametrize("name", ["cholesky", "eigh", "eigvalsh", "svd", "pinv"])
@pytest.mark.parametrize("lower", [True, False])
def test_one_triangle_is_read(name, lower, kind):
    """The other triangle has no effect, and an entry that is read stands for two."""
    rng = np.random.default_rng(8)
    options = {"eigh": {"UPLO": "L" if lower else "U"}, "eigvalsh": {"UPLO": "L" if lower else "U"}}.get(name, {})
    if name in ("svd", "pinv"):
        options = {"hermitian": True, **({"compute_uv": False} if name == "svd" else {})}
        if not lower:
            return
    if name == "cholesky" and not lower:
        if not NUMPY_2:
            return
        options = {"upper": True}
    rule, a = RULES[name], positive(rng, (3, 3), kind)
    a = (a + turned(a)) / 2
    unread = (np.triu if lower else np.tril)(np.ones((3, 3)), -1 if not lower else 1)
    z = value(rule, (a,), options)
    g = tuple(draw(rng, part.shape, kind if part.dtype.kind == "c" else "d") for part in parts_of(z))
    g = g if isinstance(z, tuple) else g[0]
    c = rule.pull(0, g, z, a, **options)
    assert np.all(c[unread == 1] == 0)
    assert np.all(np.diagonal(c).imag == 0)
    poisoned = np.where(unread == 1, np.nan, a)
    for part, same in zip(parts_of(value(rule, (poisoned,), options)), parts_of(z), strict=True):
        np.testing.assert_array_equal(part, same)
    moved = rule.push(0, unread * 1.0, z, a, **options)
    assert all(np.all(part == 0) for part in parts_of(moved))


# ---- other programs ------------------------------------------------------------------------------

# (name, rule options, operands)
whole = positive(rng, (4, 4))
whole = whole + whole.T
COMPARED = [
    ("inv", {}, (square(rng, (3, 3)),)),
    ("solve", {}, (square(rng, (3, 3)), draw(rng, (3, 2)))),
    ("solve", {}, (square(rng, (3, 3)), draw(rng, (3,)))),
    ("det", {}, (square(rng, (3, 3)),)),
    ("slogdet", {}, (square(rng, (2, 3, 3)),)),
    ("cholesky", {}, (whole,)),
    ("eigh", {}, (whole,)),
    ("svd", {"full_matrices": False}, (spread_values(rng, (4, 3)),)),
    ("svd", {"full_matrices": False}, (spread_values(rng, (3, 4)),)),
    ("pinv", {}, (spread_values(rng, (4, 3)),)),
    ("norm", {}, (draw(rng, (4, 3)),)),
    ("norm", {"ord": "nuc"}, (draw(rng, (4, 3)),)),
    ("norm", {"ord": 3, "axis": 0}, (draw(rng, (4, 3)),)),
    ("fft", {}, (draw(rng, (5,), "D"),)),
    ("ifft", {"n": 7}, (draw(rng, (5,), "D"),)),
    ("rfft", {}, (draw(rng, (6,)),)),
    ("irfft", {}, (draw(rng, (4,), "D"),)),
    ("fft2", {}, (draw(rng, (3, 4), "D"),)),
    ("rfftn", {}, (draw(rng, (3, 4)),)),
]
# Others treat a Hermitian matrix as a whole; ours is the sum of both triangles in the one that is read.
SYMMETRIC = ("cholesky", "eigh")


def compare(ours, theirs, name):
    if name in SYMMETRIC:
        ours, theirs = ((x + x.T) / 2 for x in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)


def ids(cases):
    return [f"{name} {options or ''}".strip() for name, options, _ in cases]


def compared_pulls(name, options, operands):
    rng = np.random.default_rng(4)
    rule = RULES[name]
    z = value(rule, operands, options)
    g = tuple(draw(rng, np.shape(part), "D" if np.iscomplexobj(part) else "d") for part in parts_of(z))
    for k, x in enumerate(operands):
        c = rule.pull(k, g if isinstance(z, tuple) else g[0], z, *operands, **options)
        yield k, g, c if np.iscomplexobj(x) else np.real(c)


def autograd_has(name, options, operands):
    """Not with these options; and a vector in solve is that of NumPy 1 there."""
    vector = name == "solve" and operands[1].ndim == 1
    return name not in ("irfft", "ifft", "rfft") and not (NUMPY_2 and (name == "pinv" or vector))


IN_AUTOGRAD = [case for case in COMPARED if autograd_has(*case)]


@pytest.mark.parametrize(("name", "options", "operands"), IN_AUTOGRAD, ids=ids(IN_AUTOGRAD))
def test_as_autograd(name, options, operands):
    import autograd.numpy as anp
    from autograd import make_vjp

    function = getattr(anp.fft if hasattr(anp.fft, name) else anp.linalg, name)
    for k, g, ours in compared_pulls(name, options, operands):

        def of_one(x, k=k):
            return function(*operands[:k], x, *operands[k + 1 :], **options)

        theirs = 0.0
        for j, part in enumerate(g):
            if (name, j) != ("slogdet", 0):  # the sign is constant
                pull, _ = make_vjp(lambda x, j=j: of_one(x)[j] if len(g) > 1 else of_one(x))(operands[k])
                theirs = theirs + np.conj(pull(np.conj(part)))
        compare(ours, theirs, name)


IN_JAX = [case for case in COMPARED if case[0] != "norm" or case[1].get("ord") != "nuc"]  # that one compiles for long


@pytest.mark.parametrize(("name", "options", "operands"), IN_JAX, ids=ids(IN_JAX))
def test_as_jax(name, options, operands):
    import jax
    import jax.numpy as jnp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        enabled = jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
        with enabled:
            function = getattr(jnp.fft if hasattr(jnp.fft, name) else jnp.linalg, name)
            z, pull = jax.vjp(lambda *xs: function(*xs, **options), *map(jnp.asarray, operands))
            for k, g, ours in compared_pulls(name, options, operands):
                conjugate = [jnp.asarray(np.conj(x)) for x in g]
                seeds = (
                    type(z)(*conjugate) if hasattr(z, "_fields") else tuple(conjugate) if len(g) > 1 else conjugate[0]
                )
                compare(ours, np.conj(np.asarray(pull(seeds)[k])), name)


# ---- points without a derivative -----------------------------------------------------------------


def test_a_norm_has_no_slope_at_zero():
    for shape, options in itertools.product(((3,), (2, 3)), ({}, {"ord": 1}, {"ord": np.inf}, {"ord": 2})):
        x = np.zeros(shape)
        z = np.linalg.norm(x, **options)
        with np.errstate(all="ignore"):
            assert np.all(RULES["norm"].pull(0, 1.0, z, x, **options) == 0)
            assert np.all(RULES["norm"].push(0, np.ones(shape), z, x, **options) == 0)
        assert KINKS["norm"](z, x, **options) == "the norm has a corner at 0, and 0 is taken"
    rows = np.array([[0.0, 0.0], [3.0, 4.0]])
    c = RULES["norm"].pull(0, np.ones(2), np.linalg.norm(rows, axis=1), rows, axis=1)
    np.testing.assert_array_equal(c, [[0, 0], [0.6, 0.8]])


def test_corners_and_ties_of_norms():
    x = np.array([3.0, -3.0, 1.0, 0.0])
    np.testing.assert_array_equal(RULES["norm"].pull(0, 1.0, 3.0, x, ord=np.inf), [0.5, -0.5, 0, 0])
    np.testing.assert_array_equal(RULES["norm"].pull(0, 1.0, 7.0, x, ord=1), [1, -1, 1, 0])
    z = np.linalg.norm(x, ord=3)
    np.testing.assert_allclose(RULES["norm"].pull(0, 1.0, z, x, ord=3), (x / z) ** 2 * np.sign(x))
    assert "tie" in KINKS["norm"](3.0, x, ord=np.inf)
    assert "corner" in KINKS["norm"](7.0, x, ord=1)
    assert KINKS["norm"](np.linalg.norm(x), x) is None
    assert KINKS["norm"](z, x, ord=3) is None
    assert "jumps" in KINKS["norm"](3.0, x, ord=0)
    same = np.array([[1.0, -2.0], [-2.0, 1.0]])
    np.testing.assert_array_equal(RULES["norm"].pull(0, 1.0, 3.0, same, ord=1), np.sign(same) / 2)
    assert "tie" in KINKS["norm"](3.0, same, ord=1)
    assert "tie" in KINKS["norm"](1.0, np.eye(2), ord=2)
    assert "corner" in KINKS["norm"](1.0, np.diag([1.0, 0.0]), ord="nuc")
    assert KINKS["norm"](3.0, np.diag([1.0, 3.0]), ord=2) is None
    assert "corner" in KINKS["norm"](3.0, np.diag([1.0, 3.0]), ord=1)
    np.testing.assert_allclose(RULES["norm"].pull(0, 1.0, 1.0, np.eye(4), ord=2), np.eye(4) / 4, atol=1e-15)
    np.testing.assert_allclose(RULES["norm"].pull(0, 1.0, 1.0, np.diag([2.0, 0.0]), ord="nuc"), np.diag([1, 0.0]))


@pytest.mark.parametrize("name", ["eigvalsh", "eigvals", "svdvals"])
def test_repeated_values_share_evenly(name):
    if name not in RULES:
        pytest.skip("not in this NumPy")
    rule, a = RULES[name], np.diag([2.0, 5.0, 2.0])
    z = rule.value(a)
    c = rule.pull(0, np.where(np.isclose(z, 2), [1.0, 0.0, 2.0], 0.0), z, a)
    weight = np.sum(np.where(np.isclose(z, 2), [1.0, 0.0, 2.0], 0.0)) / 2
    np.testing.assert_allclose(c, np.diag([weight, 0, weight]), atol=1e-14)
    assert "share" in KINKS[name](z, a)
    assert KINKS[name](rule.value(np.diag([1.0, 2.0, 3.0])), a) is None


def test_vectors_of_repeated_values():
    """NaN, but not in what does not depend on them."""
    a, t = np.diag([2.0, 2.0, 5.0]), np.ones((3, 3))
    for name in ("eigh", "eig"):
        rule = RULES[name]
        z = tuple(rule.value(a))
        values, vectors = rule.push(0, t, z, a)
        assert np.all(np.isfinite(values)) and np.all(np.isfinite(vectors[:, 2]))
        assert np.all(np.isnan(vectors[:, :2]).any(axis=0))
        only_last = np.array([[0, 0, 1.0], [0, 0, 2.0], [0, 0, 3.0]])
        c = rule.pull(0, (None, only_last), z, a)
        assert np.all(np.isfinite(c))
        np.testing.assert_allclose(np.sum(c * t), np.sum(only_last * np.where(np.isnan(vectors), 0, vectors)))
        with np.errstate(all="ignore"):
            assert np.isnan(rule.pull(0, (None, np.arange(9.0).reshape(3, 3)), z, a)).any()
        assert "no derivative" in KINKS[name](z, a)
    rule = RULES["svd"]
    z = tuple(np.linalg.svd(a))
    assert np.all(np.isfinite(rule.pull(0, (None, np.ones(3), None), z, a)))
    assert np.isnan(rule.pull(0, (np.arange(9.0).reshape(3, 3), None, None), z, a)).any()
    assert "no derivative" in KINKS["svd"](z, a)
    defective = np.array([[1.0, 1.0], [0.0, 1.0]])
    z = tuple(np.linalg.eig(defective))
    with np.errstate(all="ignore"):
        c = RULES["eig"].pull(0, (np.array([1.0, 0.0]), None), z, defective)
    assert not np.max(np.abs(c)) < 1e15  # NaN, or infinite to rounding
    assert "repeated" in KINKS["eig"](z, defective)


def test_singular_values_have_a_corner_at_zero():
    a = np.diag([2.0, 0.0])
    z = np.linalg.svd(a, compute_uv=False)
    c = RULES["svd"].pull(0, np.ones(2), z, a, compute_uv=False)
    np.testing.assert_allclose(c, np.diag([1.0, 0.0]))
    assert "corner" in KINKS["svd"](z, a, compute_uv=False)
    tall = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    z = tuple(np.linalg.svd(tall, full_matrices=False))
    assert "zero" in KINKS["svd"](z, tall, full_matrices=False)
    assert np.isnan(RULES["svd"].pull(0, (np.ones((3, 2)), None, None), z, tall, full_matrices=False)).any()
    for size, turns in ((3, False), (4, True)):  # one more column has no freedom but its sign
        tall = np.eye(size)[:, :2] * [1.0, 2.0]
        assert (KINKS["svd"](tuple(np.linalg.svd(tall)), tall) is not None) is turns
        assert (KINKS["qr"](tuple(np.linalg.qr(tall, "complete")), tall, mode="complete") is not None) is turns
    assert "arbitrary" in KINKS["svd"](tuple(np.linalg.svd(tall)), tall)


@pytest.mark.parametrize("kind", "dD")
def test_along_changes_that_keep_the_rank(kind):
    """pinv and lstsq of a matrix that has not full rank."""
    rng = np.random.default_rng(2)
    left, right = draw(rng, (5, 2), kind), draw(rng, (2, 4), kind)
    dl, dr, b = draw(rng, (5, 2), kind), draw(rng, (2, 4), kind), draw(rng, (5,), kind)
    a, t, h = left @ right, dl @ right + left @ dr, 1e-6
    ahead, behind = (left + h * dl) @ (right + h * dr), (left - h * dl) @ (right - h * dr)
    z = np.linalg.pinv(a, 1e-8)
    slope = (np.linalg.pinv(ahead, 1e-8) - np.linalg.pinv(behind, 1e-8)) / (2 * h)
    np.testing.assert_allclose(RULES["pinv"].push(0, t, z, a, rcond=1e-8), slope, rtol=1e-6, atol=1e-6)
    assert "rank" in KINKS["pinv"](z, a)
    assert KINKS["pinv"](np.linalg.pinv(left), left) is None
    z = tuple(np.linalg.lstsq(a, b, 1e-8))
    slope = (np.linalg.lstsq(ahead, b, 1e-8)[0] - np.linalg.lstsq(behind, b, 1e-8)[0]) / (2 * h)
    np.testing.assert_allclose(RULES["lstsq"].push(0, t, z, a, b, rcond=1e-8)[0], slope, rtol=1e-6, atol=1e-6)
    assert "rank" in KINKS["lstsq"](z, a, b)
    assert KINKS["lstsq"](np.linalg.lstsq(left, b, None), left, b) is None


def test_singular_matrices():
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    z = tuple(np.linalg.slogdet(a))
    assert "singular" in KINKS["slogdet"](z, a) and KINKS["slogdet"](np.linalg.slogdet(np.eye(2)), a) is None
    with np.errstate(all="ignore"):
        c = RULES["slogdet"].pull(0, (None, 1.0), z, a)
    np.testing.assert_array_equal(np.abs(c), np.inf)
    np.testing.assert_array_equal(RULES["det"].pull(0, 1.0, 0.0, a), [[4, -2], [-2, 1]])  # exact
    big = np.diag([0.0, 0.0, *np.ones(20)])
    np.testing.assert_array_equal(RULES["det"].pull(0, 1.0, 0.0, big), np.zeros((22, 22)))
    big[0, 0] = 3.0
    expected = np.zeros((22, 22))
    expected[1, 1] = 3.0
    np.testing.assert_allclose(RULES["det"].pull(0, 1.0, 0.0, big), expected, atol=1e-14)
    flat = np.stack([np.ones((3, 2)), np.eye(3)[:, :2]])
    z = tuple(np.linalg.qr(flat))
    assert "dependent" in KINKS["qr"](z, flat)
    q, r = z
    r = np.where(np.abs(r) < 1e-14, 0.0, r)
    c = RULES["qr"].pull(0, (q, r), (q, r), flat)
    assert np.isnan(c[0]).all() and np.isfinite(c[1]).all()
    wide = flat[1].T
    assert KINKS["qr"](np.linalg.qr(wide, "complete"), wide, mode="complete") is None
    assert KINKS["qr"](np.linalg.qr(flat[1], "r"), flat[1], mode="r") is None


def test_what_has_no_rule_says_so():
    a = np.eye(3)
    z = np.linalg.qr(a, "raw")
    assert KINKS["qr"](z, a, mode="raw") is None
    with pytest.raises(NotImplementedError, match="mode='raw'"):
        RULES["qr"].pull(0, z, z, a, mode="raw")
    with pytest.raises(NotImplementedError, match="mode='raw'"):
        RULES["qr"].push(0, a, z, a, mode="raw")


def test_every_rule_has_a_case_and_names_its_parameters():
    import inspect

    assert {c.values[0].name for c in CASES} == set(RULES)
    for rule in RULES.values():
        names = [n for n in inspect.signature(rule.value).parameters if n not in ("out", "kwargs")]
        assert [*rule.operands, *rule.options] == names, rule.name
    assert set(KINKS) <= set(RULES) | {"svdvals"}
