"""Derivatives by composition: a body gives what NumPy's function gives, and its derivative is that of differences."""

from __future__ import annotations

import inspect
import math
import warnings

import numpy as np
import pytest

from ad_magic.rules.arrays.composed import COMPOSED, MOVES, public

RNG = np.random.default_rng(20240607)
A1, B1, C1 = RNG.normal(size=7), RNG.normal(size=7), RNG.normal(size=4)
# far enough apart for differences
A2 = RNG.permutation(np.arange(15) * 0.21 - 1.4 + RNG.uniform(0, 0.07, size=15)).reshape(3, 5)
B2 = RNG.normal(size=(3, 5))
A3 = RNG.normal(size=(2, 3, 4))
POSITIVE = RNG.uniform(0.5, 2.0, size=5)
SQUARE = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
STACK = RNG.normal(size=(2, 3, 3)) + 2 * np.eye(3)
Z1, Z2 = A1 + 1j * B1, A2 + 1j * B2
RISING = np.cumsum(RNG.uniform(0.2, 1.0, size=7))
HOLES = np.where(RNG.uniform(size=(3, 5)) < 0.3, np.nan, A2)
HOLES[1] = A2[1]
MASK = RNG.uniform(size=(3, 5)) < 0.7
MASK[:, 1] = True
MASK[0] = True
QS = np.array([[0.0, 0.3], [0.77, 1.0]])
METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip
NUMPY_2 = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


def has(name: str) -> bool:
    return public(name) is not None


CASES: list[tuple[str, tuple, dict]] = []
AT_A_CORNER: set[int] = set()  # cases without a derivative that differences could tell


def case(name: str, *args, **options) -> None:
    if has(name):
        CASES.append((name, args, options))


def corner(name: str, *args, **options) -> None:
    AT_A_CORNER.add(len(CASES))
    case(name, *args, **options)


# ---- statistics
for axis in (None, 0, -1, (0, 1)):
    for name in ("np.var", "np.std", "np.ptp", "np.median", "np.average"):
        case(name, A2, axis=axis)
        case(name, A2, axis=axis, keepdims=True)
    for name in (
        "np.nansum",
        "np.nanprod",
        "np.nanmax",
        "np.nanmin",
        "np.nanmean",
        "np.nanvar",
        "np.nanstd",
        "np.nanmedian",
    ):
        case(name, HOLES, axis=axis)
        case(name, A2, axis, keepdims=True)
for name in ("np.var", "np.std", "np.nanvar", "np.nanstd"):
    a = HOLES if "nan" in name else A2
    case(name, a, 0, None, None, 1)
    case(name, a, axis=1, ddof=0.5, where=MASK)
    case(name, A3, axis=(0, 2), ddof=1, keepdims=True)
    case(name, A1 if "nan" in name else Z2)
    case(name, 2.0)
    if NUMPY_2:
        case(name, a, axis=1, correction=1)
        case(name, a, axis=1, mean=np.nanmean(a, axis=1, keepdims=True) + 0.1)
case("np.average", A2, weights=POSITIVE[:3], axis=0)
case("np.average", A2, weights=np.abs(B2), axis=1, returned=True)
case("np.average", A2, weights=np.abs(B2), returned=True)
case("np.average", A2, returned=True)
if NUMPY_2:
    case("np.average", A3, axis=(2, 0), weights=RNG.uniform(1, 2, size=(4, 2)))
case("np.median", A1)
case("np.median", A1[:6])
case("np.median", HOLES, axis=1)
case("np.nanmedian", HOLES, axis=1)
for method in METHODS:
    for q in (0.0, 0.25, 0.5, 1.0, QS):
        case("np.quantile", A1, q, method=method)
        case("np.quantile", A2, q, axis=1, method=method, keepdims=True)
        case("np.nanquantile", HOLES, q, axis=0, method=method)
        case("np.nanquantile", HOLES, q, method=method)
case("np.quantile", A3, QS, axis=(0, 2), keepdims=True)
case("np.quantile", HOLES, 0.3, axis=1)
case("np.quantile", np.arange(7), 0.25)
case("np.percentile", A2, 37.0)
case("np.percentile", A2, [10, 50, 90.0], axis=0)
case("np.percentile", A2, [10.0, 50, 90], axis=0, method="nearest")
case("np.nanpercentile", HOLES, [10.0, 50, 90], axis=1, keepdims=True)
case("np.nansum", HOLES, axis=1, initial=2.0, where=MASK)
case("np.nanprod", HOLES, axis=1, initial=2.0, where=MASK)
case("np.nanmax", HOLES, axis=1, initial=0.3, where=MASK)
case("np.nanmin", HOLES, axis=1, initial=0.3)
case("np.nanmean", HOLES, axis=1, where=MASK)
for axis in (None, 0, 1):
    case("np.nancumsum", HOLES, axis)
    case("np.nancumprod", HOLES, axis=axis)
for x in (A2, Z2):
    case("np.cov", x)
    case("np.cov", x, x[:1] * 2 + 1, ddof=0)
    case("np.cov", x, rowvar=False, bias=True)
    case("np.corrcoef", x)
    case("np.corrcoef", x, x[::-1] ** 2, rowvar=False)
case("np.cov", A1)
case("np.cov", A1, B1)
case("np.corrcoef", A1)
case("np.corrcoef", A1, B1)
case("np.cov", A2, fweights=[1, 2, 1, 3, 1])
case("np.cov", A2, aweights=POSITIVE)
case("np.cov", A2, aweights=POSITIVE, fweights=np.array([1, 2, 1, 3, 1]), ddof=0)
case("np.cov", A2, None, True, False, 1, np.array([1, 2, 1, 3, 1]), POSITIVE)

# ---- calculus
case("np.diff", A1)
case("np.diff", A2, 2, 0)
case("np.diff", A2, n=3)
case("np.diff", A2, n=0)
case("np.diff", A2, axis=0, prepend=1.5, append=B2[:2])
case("np.diff", np.array([True, False, False]))
case("np.ediff1d", A2)
case("np.ediff1d", A1, to_end=[1.0, 2.0], to_begin=3.0)
for order in (1, 2):
    case("np.gradient", A1, edge_order=order)
    case("np.gradient", A1, 0.3, edge_order=order)
    case("np.gradient", A1, RISING, edge_order=order)
    case("np.gradient", A1, np.arange(7.0), edge_order=order)
    case("np.gradient", A2, edge_order=order)
    case("np.gradient", A2, 0.5, RISING[:5], edge_order=order)
    case("np.gradient", A2, RISING[:5], axis=1, edge_order=order)
    case("np.gradient", A3, 2.0, 0.1, axis=(2, -2), edge_order=order)
case("np.gradient", np.arange(5) ** 2)
case("np.gradient", Z1, 0.3)
for name in ("np.trapezoid", "np.trapz"):
    if has(name) and not (name == "np.trapz" and NUMPY_2):
        case(name, A1)
        case(name, A2, dx=0.3)
        case(name, A2, RISING[:5])
        case(name, A2, np.cumsum(np.abs(B2), axis=0), axis=0)
        case(name, A3, RISING[:3], axis=1)
X = np.linspace(RISING[0] - 0.5, RISING[-1] + 0.5, 11).reshape(11, 1) * np.ones(2)
for x in (X, 1.7, RISING, RISING[0], RISING[-1], RISING[3], np.array([np.nan, np.inf, -np.inf, RISING[2]])):
    put = case if x is X or np.array_equal(x, 1.7) else corner
    put("np.interp", x, RISING, A1)
    put("np.interp", x, RISING, A1, left=-3.0, right=4.0)
    put("np.interp", x, RISING, Z1)
case("np.interp", X, RISING[::-1], A1, period=2.3)
case("np.interp", X, [1.0, 2.5, 4.0], [0.0, 1.0, 0.5], period=-360)
case("np.interp", X, [1.0], [2.0], 5.0)
case("np.unwrap", 4 * A1)
case("np.unwrap", 4 * A2, axis=0)
case("np.unwrap", 4 * A2, discont=4.0)
case("np.unwrap", 4 * A1, period=1.7)
corner("np.unwrap", np.array([0.0, math.pi, 0.0, -math.pi, math.pi]))
case("np.unwrap", np.array([0, 1, 2, -1, 0, 5]), period=4)
case("np.unwrap", np.array([0, 1, 3, -1, 0, 5]), period=3)
for mode in ("full", "same", "valid"):
    for a, v in ((A1, C1), (C1, A1), (A1, B1[:3]), (B1[:3], A1), (A1, B1), (Z1, Z2[0, :4]), (Z2[0, :3], Z1), (A1, 2.0)):
        case("np.convolve", a, v, mode)
        if np.ndim(v):
            case("np.correlate", a, v, mode=mode)

# ---- polynomials
for x in (0.7, A1, A2, np.arange(3)):
    case("np.polyval", C1, x)
case("np.polyval", [], A1)
case("np.polyval", [1, 2], 3)
case("np.polyval", np.poly1d([1.0, 2.0]), A1)
for name in ("np.polyadd", "np.polysub", "np.polymul"):
    case(name, A1, C1)
    case(name, C1, A1)
    case(name, A1, 2.0)
case("np.polymul", [0.0, 0.0, 1.0], [0.0, 2.0, 3.0])
case("np.polymul", [0.0], [0.0, 2.0, 3.0])
case("np.polydiv", A1, C1)
case("np.polydiv", C1, A1)
corner("np.polydiv", np.polymul(C1, A1), A1)
case("np.polydiv", A1, 2.0)
for m in (0, 1, 2, 9):
    case("np.polyder", A1, m)
    case("np.polyint", C1, m)
case("np.polyint", C1, 2, 3.0)
case("np.polyint", C1, m=2, k=[3.0, 1.0])
case("np.vander", A1)
case("np.vander", A1, 3, True)
case("np.vander", A1, N=0)
case("np.vander", [1, 2, 3])
case("np.polyfit", RISING, A1, 3)
case("np.polyfit", RISING, A1, 1, w=np.abs(B1))
case("np.polyfit", RISING, np.stack([A1, B1], axis=1), 2, w=np.abs(B1), cov=True)
case("np.polyfit", RISING, A1, 2, cov="unscaled")
corner("np.polyfit", RISING, A1, 2, full=True)
case("np.polyfit", RISING, A1, 2, cov=True)
case("np.poly", A1)
case("np.poly", np.array([1 + 2j, 1 - 2j, 0.5]))
case("np.poly", Z1)
case("np.poly", SQUARE)
case("np.poly", [])
case("np.roots", [1.0, -6.0, 11.0, -6.0])
case("np.roots", [0.0, 1.0, 0.3, 2.0, 0.0, 0.0])
case("np.roots", [0.0, 0.0])
case("np.roots", [2.0, 0.0])
case("np.roots", [2.0])

# ---- products
for a, b in ((A2, B2), (A1, A2), (A2, C1), (A3, A2), (A2, 2.0), (2.0, 3.0), (A1, A3)):
    case("np.kron", a, b)
V3, W3 = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
case("np.cross", V3, W3)
case("np.cross", V3[0], W3)
case("np.cross", V3.T, W3, axisa=0, axisc=0)
case("np.cross", V3.T, W3.T, axis=0)
if np.lib.NumpyVersion(np.__version__) < "2.5.0":  # later ones refuse vectors of two
    case("np.cross", V3[:, :2], W3)
    case("np.cross", V3, W3[:, :2])
    case("np.cross", V3[0, :2], W3[0, :2])
case("np.linalg.cross", V3.T, W3.T, axis=0)
case("np.vdot", A2, B2)
case("np.vdot", Z2, B2)
for name in ("np.vecdot", "np.linalg.vecdot"):
    case(name, Z2, B2)
    case(name, A3, A3[0])
    case(name, A2, B2, axis=0)
case("np.matvec", STACK, V3[0])
case("np.vecmat", Z2[:, :3].reshape(3, 3), SQUARE)
case("np.linalg.outer", A1, C1)
case("np.linalg.matmul", STACK, SQUARE)
case("np.linalg.tensordot", A2, B2, axes=([0], [0]))
case("np.linalg.multi_dot", [A2, B2.T])
case("np.linalg.multi_dot", [A2, B2.T, SQUARE])
case("np.linalg.multi_dot", [A2[0], B2.T, SQUARE, A2, A1[:5]])
case("np.linalg.multi_dot", [A2, A1[:5, None], C1[None], RNG.normal(size=(4, 6))])
case("np.linalg.multi_dot", [A2[0], B2.T, SQUARE])
for n in (-3, -1, 0, 1, 2, 3, 5, 6):
    case("np.linalg.matrix_power", SQUARE, n)
case("np.linalg.matrix_power", STACK, 4)
case("np.trace", SQUARE)
case("np.trace", A3, 1, 2, 1)
case("np.linalg.trace", A3, offset=-1)
for order in (None, 1, -1, 2, -2, np.inf, "fro", "nuc"):
    case("np.linalg.matrix_norm", A3, ord=order, keepdims=True)
    case("np.linalg.cond", SQUARE, order)
    case("np.linalg.cond", STACK, p=order)
case("np.linalg.cond", A2)
for axis in (None, 1, (0, 2), (2, 0, 1)):
    for order in (1, 2, np.inf, 3):
        case("np.linalg.vector_norm", A3, axis=axis, ord=order)
        case("np.linalg.vector_norm", A3, axis=axis, ord=order, keepdims=True)
case("np.linalg.svdvals", A3)
case("np.linalg.tensorinv", RNG.normal(size=(4, 6, 8, 3)))
case("np.linalg.tensorinv", RNG.normal(size=(6, 2, 3)), ind=1)
case("np.linalg.tensorsolve", RNG.normal(size=(2, 3, 6)), A2[:2, :3])
case("np.linalg.tensorsolve", RNG.normal(size=(2, 6, 3)), A2[:2, :3], axes=(1,))

# ---- selection
case("np.select", [A2 < 0, A2 < 1], [B2, A2**2], 4.0)
case("np.select", [A2[0] < 0, np.array(True)], [1.0, A2])
case("np.piecewise", A2, [A2 < -0.5, A2 > 0.5], [lambda t: -t, lambda t: t * t, 0.25])
case("np.piecewise", A2, [A2 < -0.5, A2 > 0.5], [lambda t: -t, lambda t: t * t])
case("np.piecewise", A2, [A2 < 0.5, A2 > -0.5], [lambda t, s: s * t, lambda t, s: t * t * s], 3.0)
case("np.piecewise", A1, A1 < 0, [lambda t: -t, lambda t: t * t])
case("np.piecewise", np.float64(0.3), [True, False], [lambda t: -t, 2.0])
case("np.choose", [[0, 1, 1], [1, 0, 0]], [A2[:2, :3], 7.0])
case("np.choose", [0, 4, -1], [1.0, 2.0, 3.0], mode="clip")
case("np.choose", [0, 4, -1], [1.0, 2.0, A1[:3]], mode="wrap")
case("np.extract", A2 > 0, A2)
case("np.compress", [True, False, True], A2, axis=0)
case("np.compress", [True, False, True], A2)
corner("np.trim_zeros", np.array([0.0, 0, 1, 0, 2, 0]))
corner("np.trim_zeros", np.array([0.0, 0, 1, 0, 2, 0]), "f")
corner("np.trim_zeros", np.array([0.0, 0]), "b")
corner("np.unique", np.array([[3.0, 1, 2], [1, np.nan, np.nan]]))
case("np.sort_complex", A1)
case("np.sort_complex", Z1)
case("np.unique", A1)
case("np.union1d", [3.0, 1, 2], [2.0, 5])
corner("np.setdiff1d", A1, A1[:3])
corner("np.setdiff1d", A1, A1[2:4], assume_unique=True)
corner("np.intersect1d", A1, A1[2:5])
corner("np.setxor1d", A1, np.append(A1[2:5], 0.5))
case("np.bincount", [0, 3, 1, 1, 3, 0, 0], A1)
case("np.bincount", [0, 3], weights=A1[:2], minlength=6)
case("np.apply_along_axis", lambda row: np.outer(row, row[:2]), 1, A3)
case("np.apply_along_axis", lambda row, p: np.sum(row**p), -1, A3, 3)
case("np.apply_along_axis", np.sort, 0, A2)
case("np.apply_over_axes", np.sum, A3, [0, 2])
case("np.apply_over_axes", np.sum, A3, -1)
for name in ("np.cumulative_sum", "np.cumulative_prod"):
    case(name, A1)
    case(name, A2, axis=1, include_initial=True)
    case(name, A2, axis=0)

# ---- entry by entry
case("np.clip", A2, -0.5, 0.5)
case("np.clip", A2, None, B2)
case("np.clip", A2, B2[0], None)
case("np.clip", np.array([np.nan, 1.0, 5.0]), 2.0, 0.0)
case("np.clip", 3.0, 0.0, 1.0)
if NUMPY_2 and "min" in inspect.signature(np.clip).parameters:
    case("np.clip", A2, min=-0.5, max=0.5)
    case("np.clip", A2, max=0.5)
    case("np.clip", A2)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 1.5])
case("np.nan_to_num", SPECIAL)
case("np.nan_to_num", SPECIAL, nan=3.0, posinf=1e3, neginf=-2.0)
case("np.nan_to_num", np.array([complex(np.nan, 1.0), complex(2.0, -np.inf)]))
case("np.nan_to_num", np.nan)
case("np.fix", 3 * A2)
case("np.real_if_close", Z1)
case("np.real_if_close", A1 + 1e-16j)
case("np.real_if_close", A1 + 1e-5j, tol=1e-4)
case("np.real_if_close", A1)
case("np.sinc", np.array([0.0, 1e-9, 0.2, 0.3183, 0.3184, 1.0, -2.5, 0.5]))
case("np.sinc", 0.0)
case("np.sinc", Z1)
case("np.i0", np.array([0.0, 0.1, -3.0, 7.999, 8.0, 8.001, 20.0, -300.0]))
case("np.i0", 1.0)
for name in ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh"):
    case(f"np.emath.{name}", POSITIVE / 3)
    corner(f"np.emath.{name}", np.array([-0.5, 0.5, 2.0, -3.0]))
    corner(f"np.emath.{name}", Z1)
case("np.emath.logn", 2.0, POSITIVE)
corner("np.emath.logn", 2, [-4, 4.0])
case("np.emath.power", POSITIVE, 1.5)
corner("np.emath.power", [-2, 4], [2, -3])
corner("np.emath.power", A1, 0.5)
for name in ("np.linspace", "np.logspace"):
    case(name, 0.3, 2.0, 6)
    case(name, A1, 2.0, 6, endpoint=False, axis=1)
    case(name, A1[:3], A2[:, :3], num=4, axis=-1)
    case(name, 0.3, 0.3, 4)
    case(name, 1.0, 2.0, 1)
    case(name, 1.0, A1, 0)
case("np.linspace", 1, 4, 5, retstep=True)
case("np.linspace", 1.0, 4.0, 1, retstep=True)
case("np.logspace", 0.0, 3.0, 5, base=2.0)
if NUMPY_2:
    case("np.logspace", 0.0, 3.0, 5, base=np.array([2.0, 3.0]))
case("np.geomspace", 1.0, 256.0, 9)
case("np.geomspace", -POSITIVE[::-1], -POSITIVE, 4, axis=1)
case("np.geomspace", POSITIVE, 3.0, 4, endpoint=False)
case("np.geomspace", 2.0, 3.0, 1)
case("np.full_like", A2, 3.0)
case("np.full_like", A2, A2[0])
case("np.full_like", A2, 2.5, shape=(2, 2))


def name_of(k: int) -> str:
    return f"{CASES[k][0]}-{k}"


def parts_of(result) -> list:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def quietly(function, *args, **options):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = function(*args, **options)
    return result, {(w.category, str(w.message)) for w in said if "divide" not in str(w.message)}


@pytest.mark.parametrize("k", range(len(CASES)), ids=name_of)
def test_a_body_has_the_values_of_the_function(k):
    name, args, options = CASES[k]
    function, body = COMPOSED[name]
    expected, warned = quietly(function, *args, **options)
    found, also = quietly(body, *args, **options)
    assert len(parts_of(found)) == len(parts_of(expected))
    for x, y in zip(parts_of(found), parts_of(expected), strict=True):
        assert np.shape(x) == np.shape(y)
        assert np.iscomplexobj(x) == np.iscomplexobj(y)
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13)
    assert warned == also


def test_there_is_a_case_for_each_function():
    assert {name for name, _, _ in CASES} | {"np.partition", "np.trapz"} >= set(COMPOSED)


@pytest.mark.parametrize("name", sorted(name for name, (f, _) in COMPOSED.items() if not isinstance(f, np.ufunc)))
def test_a_body_has_the_parameters_of_the_function(name):
    function, body = COMPOSED[name]
    try:
        expected = inspect.signature(function).parameters
    except ValueError:
        pytest.skip("this NumPy does not say its parameters")
    found = inspect.signature(body).parameters
    if NUMPY_2:
        ours = [(p.name, p.kind) for p in found.values()]
        theirs = [(p.name, p.kind) for p in expected.values()]
        assert ours[: len(theirs)] == theirs
    else:  # what has been added since is by keyword
        old = [p.name for p in expected.values() if p.kind is not p.KEYWORD_ONLY and p.name not in ("bias", "ddof")]
        assert [n for n in found if n in old and n not in ("bias", "ddof")] == old


@pytest.mark.parametrize("kth", [0, 3, [1, 4]])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_partition_has_the_parts_of_the_function(kth, axis):
    a = RNG.normal(size=(6, 6))
    _, body = COMPOSED["np.partition"]
    found, ordered = body(a, kth, axis=axis), np.sort(a, axis=axis)
    assert np.array_equal(np.sort(found, axis=axis), ordered)
    assert np.array_equal(np.take(found, kth, axis=axis), np.take(ordered, kth, axis=axis))


MISUSE = [
    ("np.var", (A1,), {"axis": 1}),
    ("np.average", (A2,), {"weights": C1}),
    ("np.average", (A2,), {"weights": C1, "axis": 0}),
    ("np.average", (A1,), {"weights": np.zeros(7)}),
    ("np.quantile", (A1, 1.5), {}),
    ("np.percentile", (A1, -1), {}),
    ("np.quantile", (Z1, 0.5), {}),
    ("np.quantile", (A1, 0.5), {"method": "best"}),
    ("np.quantile", (A2, 0.5), {"axis": (0, 0)}),
    ("np.nanmax", (np.zeros((0, 3)),), {"axis": 0}),
    ("np.nanmax", (A2,), {"where": MASK}),
    ("np.cov", (A3,), {}),
    ("np.cov", (A2,), {"ddof": 0.5}),
    ("np.cov", (A2,), {"fweights": [0.5] * 5}),
    ("np.cov", (A2,), {"aweights": [1.0]}),
    ("np.cov", (A2,), {"aweights": [-1.0] * 5}),
    ("np.diff", (1.0,), {}),
    ("np.diff", (A1,), {"n": -1}),
    ("np.diff", (A1,), {"axis": 2}),
    ("np.gradient", (A1, A1, A1), {}),
    ("np.gradient", (A1, C1), {}),
    ("np.gradient", (A1,), {"edge_order": 3}),
    ("np.gradient", (A1[:2],), {"edge_order": 2}),
    ("np.interp", (1.0, RISING, C1), {}),
    ("np.interp", (1.0, [], []), {}),
    ("np.interp", (1.0, RISING, A1), {"period": 0}),
    ("np.convolve", (A1, []), {}),
    ("np.convolve", (A2, A1), {}),
    ("np.convolve", (A1, A1, "most"), {}),
    ("np.polyint", (A1,), {"m": -1}),
    ("np.polyint", (A1,), {"m": 3, "k": [1.0, 2.0]}),
    ("np.polyder", (A1,), {"m": -1}),
    ("np.vander", (A2,), {}),
    ("np.polyfit", (A1, C1, 1), {}),
    ("np.polyfit", (A1, A1, -1), {}),
    ("np.polyfit", (A1[:2], A1[:2], 1), {"cov": True}),
    ("np.poly", (A2,), {}),
    ("np.roots", (A2,), {}),
    ("np.cross", (A1, A1), {}),
    ("np.cross", (1.0, A1), {}),
    ("np.cross", (V3[:, :2], W3[:, :1]), {}),
    ("np.linalg.cross", (A1, A1), {}),
    ("np.vdot", (A1, C1), {}),
    ("np.linalg.outer", (A2, A1), {}),
    ("np.linalg.multi_dot", ([A2],), {}),
    ("np.linalg.multi_dot", ([A2, A1, SQUARE],), {}),
    ("np.linalg.matrix_power", (A2, 2), {}),
    ("np.linalg.matrix_power", (SQUARE, 0.5), {}),
    ("np.linalg.cond", (np.zeros((0, 0)),), {}),
    ("np.linalg.cond", (A2, 1), {}),
    ("np.linalg.tensorinv", (SQUARE,), {"ind": 0}),
    ("np.linalg.tensorsolve", (A2, A1), {}),
    ("np.select", ([A1 < 0], []), {}),
    ("np.select", ([], []), {}),
    ("np.select", ([A1], [A1]), {}),
    ("np.piecewise", (A1, [A1 < 0], [1.0, 2.0, 3.0]), {}),
    ("np.choose", ([3], [A1]), {}),
    ("np.bincount", ([0, 1], A1), {}),
    ("np.apply_along_axis", (np.sum, 5, A1), {}),
    ("np.apply_along_axis", (np.sum, 0, np.zeros((3, 0))), {}),
    ("np.cumulative_sum", (A2,), {}),
    ("np.clip", (A1, 0.0), {}),
    ("np.i0", (Z1,), {}),
    ("np.linspace", (0.0, 1.0, -1), {}),
    ("np.geomspace", (0.0, 1.0), {}),
    ("np.trapezoid", (1.0,), {}),
    *([("np.var", (A1,), {"ddof": 1, "correction": 1}), ("np.trim_zeros", (A1, "x"), {})] if NUMPY_2 else []),
]


@pytest.mark.parametrize("k", range(len(MISUSE)), ids=lambda k: f"{MISUSE[k][0]}-{k}")
def test_misuse_raises_what_the_function_raises(k):
    name, args, options = MISUSE[k]
    if not has(name):
        pytest.skip("this NumPy does not have it")
    function, body = COMPOSED[name]
    with pytest.raises(Exception) as theirs:
        quietly(function, *args, **options)
    with pytest.raises(Exception) as ours:
        body(*args, **options)
    assert isinstance(ours.value, theirs.type) or issubclass(theirs.type, ours.type), (ours, theirs)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("np.quantile", (A1, 0.5), {"weights": np.ones(7), "method": "inverted_cdf"}),
        ("np.var", (A1,), {"dtype": np.float32}),
        ("np.var", (A1,), {"out": np.zeros(())}),
        ("np.clip", (A1, 0, 1), {"where": True}),
        ("np.unique", (A2,), {"axis": 0}),
        ("np.geomspace", (1.0, 1j), {}),
        ("np.polyval", (A1, np.poly1d([1.0])), {}),
    ],
)
def test_what_cannot_be_followed_is_refused_in_a_sentence(name, args, options):
    with pytest.raises(NotImplementedError, match=name):
        COMPOSED[name][1](*args, **options)


def test_an_array_of_entry_numbers_can_be_moved():
    numbers = np.arange(1, 13).reshape(3, 4)
    arguments = {
        "np.reshape": ((4, 3),), "np.swapaxes": (0, 1), "np.moveaxis": (0, 1), "np.rollaxis": (1,),
        "np.expand_dims": (0,), "np.roll": (1,), "np.repeat": (2,), "np.tile": (2,), "np.resize": ((2, 2),),
        "np.broadcast_to": ((2, 3, 4),), "np.take": ([0, 5],), "np.take_along_axis": (np.zeros((3, 1), int), 1),
        "np.delete": (1,), "np.lib.stride_tricks.sliding_window_view": ((2, 2),), "np.append": (numbers,),
        "np.insert": (1, numbers[0], 0), "np.split": (3,), "np.array_split": (2,), "np.hsplit": (2,), "np.vsplit": (3,),
    }  # fmt: skip
    sequences = ("np.concatenate", "np.concat", "np.stack", "np.hstack", "np.vstack", "np.dstack", "np.column_stack")
    for name in MOVES:
        function = public(name)
        if function is None or name == "np.row_stack":
            continue
        first = [numbers, numbers] if name in (*sequences, "np.block") else numbers
        if name == "np.dsplit":
            result = function(numbers.reshape(3, 2, 2), 2)
        else:
            result = function(first, *arguments.get(name, ()))
        for part in parts_of(result):
            assert set(np.ravel(part)) <= set(range(13))
            assert np.array_equal(np.ravel(part) * 0.5, np.ravel(part) / 2)


# ---- derivatives ---------------------------------------------------------------------------------
# Independent of the engine: an array that carries a tiny imaginary part through the primitives, and knows nothing else.
# Squire & Trapp (1998), Using complex variables to estimate derivatives of real functions, SIAM Review 40, 110-112.

TINY = 1e-200  # its square is 0
LOOKS = {
    "argsort", "argpartition", "argmax", "argmin", "nonzero", "searchsorted", "any", "all", "isclose", "isnan",
    "isfinite", "isinf", "isin", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and",
    "logical_or", "shape", "ndim", "size", "count_nonzero",
}  # fmt: skip
ANALYTIC = {
    "add", "subtract", "multiply", "divide", "power", "negative", "positive", "square", "sqrt", "exp", "sin",
    "cos", "log10", "log", "log2", "arccos", "arcsin", "arctanh", "where", "sum", "prod", "mean", "cumsum",
    "cumprod", "matmul", "dot", "tensordot", "outer", "linalg.inv", "linalg.solve",
}  # fmt: skip
ANALYTIC |= {name.removeprefix("np.") for name in MOVES}


class Step:
    """A real array, and its derivative along one direction as a tiny imaginary part; no more than NumPy's protocols."""

    def __init__(self, z):
        self.z = np.asarray(z, complex)

    shape = property(lambda self: self.z.shape)
    ndim = property(lambda self: self.z.ndim)
    dtype = property(lambda self: self.z.real.dtype)

    def __len__(self):
        return len(self.z)

    def __getitem__(self, key):
        return Step(self.z[key])

    def __bool__(self):
        raise AssertionError("a truth value of something active")

    __float__ = __int__ = __index__ = __array__ = __bool__

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        assert method == "__call__" and not options
        return perform(ufunc.__name__, ufunc, inputs, {})

    def __array_function__(self, function, types, args, kwargs):
        home = "linalg." if "linalg" in (function.__module__ or "") else ""
        return perform(home + function.__name__, function, args, kwargs)


def binary(ufunc):
    return lambda a, b: ufunc(a, b), lambda a, b: ufunc(b, a)


for _op, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "mod": np.remainder,
    "matmul": np.matmul, "pow": np.power,
}.items():  # fmt: skip
    _plain, _reflected = binary(_ufunc)
    setattr(Step, f"__{_op}__", _plain)
    setattr(Step, f"__r{_op}__", _reflected)
for _op, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(Step, f"__{_op}__", binary(_ufunc)[0])
for _op, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    setattr(Step, f"__{_op}__", (lambda ufunc: lambda a: ufunc(a))(_ufunc))


def each(f, x):
    if isinstance(x, Step):
        return f(x.z)
    return type(x)(each(f, part) for part in x) if isinstance(x, (list, tuple)) else x


def wrapped(z):
    if isinstance(z, (tuple, list)):
        return type(z)(*map(wrapped, z)) if hasattr(z, "_fields") else type(z)(map(wrapped, z))
    return Step(z) if np.iscomplexobj(z) else z


def along_sorted(z, axis=-1):
    return np.take_along_axis(z, np.argsort(z.real, axis=axis), axis)


def extreme(function):
    def of(z, axis=None, keepdims=False):
        held = z.real == function(z.real, axis=axis, keepdims=True)
        z = np.where(held, z, 0)  # a tie shares evenly
        return np.sum(z, axis=axis, keepdims=keepdims) / np.sum(held, axis=axis, keepdims=keepdims)

    return of


def chosen(function):
    def of(a, b):
        a, b = np.asarray(a) + 0j, np.asarray(b) + 0j
        real = function(a.real, b.real)
        return real + 1j * np.where(a.real == b.real, (a.imag + b.imag) / 2, np.where(real == a.real, a.imag, b.imag))

    return of


def singular_values(z, compute_uv=True):
    assert not compute_uv
    u, s, vh = np.linalg.svd(z.real, full_matrices=False)
    return s + 1j * np.einsum("...ik,...ij,...kj->...k", u, z.imag, vh)


def norm(z, ord=None, axis=None, keepdims=False):  # noqa: A002 - NumPy's name
    """By differences: what a norm's derivative is stands elsewhere."""
    h = 1e-6 / TINY
    f = [np.linalg.norm(z.real + k * h * z.imag, ord=ord, axis=axis, keepdims=keepdims) for k in (-2, -1, 0, 1, 2)]
    return f[2] + 1j * (8 * (f[3] - f[1]) - (f[4] - f[0])) / (12 * h)


def solved(a, b, rcond=None):
    a, b = np.asarray(a), np.asarray(b)
    x = np.linalg.solve(a.T @ a, a.T @ b)
    rest = b - a @ x
    plain = np.linalg.lstsq(a.real, b.real, rcond)
    return x, np.atleast_1d(np.sum(rest * rest, axis=0)), plain[2], plain[3]


SPECIALLY = {
    "absolute": lambda z: np.where(z.real < 0, -z, z),
    "maximum": chosen(np.maximum),
    "minimum": chosen(np.minimum),
    "sort": along_sorted,
    "max": extreme(np.max),
    "amax": extreme(np.max),
    "min": extreme(np.min),
    "amin": extreme(np.min),
    "floor": lambda z: np.floor(z.real) + 0j,
    "ceil": lambda z: np.ceil(z.real) + 0j,
    "rint": lambda z: np.rint(z.real) + 0j,
    "trunc": lambda z: np.trunc(z.real) + 0j,
    "remainder": lambda a, b: a - b * np.floor_divide(np.real(a), np.real(b)),
    "power": lambda a, b: np.asarray(a, complex) ** b,
    "conjugate": lambda z: z,
    "real": lambda z: z,
    "linalg.svd": singular_values,
    "linalg.norm": norm,
    "linalg.lstsq": solved,
}


def perform(name, function, args, kwargs):
    if name == "iscomplexobj":
        return False
    if name == "result_type":
        return np.dtype(float)
    if name in LOOKS:
        return function(*each(np.real, args), **{key: each(np.real, x) for key, x in kwargs.items()})
    assert name in SPECIALLY or name in ANALYTIC, f"{name} is not a primitive"
    args, kwargs = each(np.copy, args), {key: each(np.copy, x) for key, x in kwargs.items()}
    return wrapped(SPECIALLY.get(name, function)(*args, **kwargs))


# Arguments that stay plain: whole numbers, and places where the result jumps.
PLAIN_ARGUMENTS = {
    "np.quantile": 1, "np.percentile": 1, "np.nanquantile": 1, "np.nanpercentile": 1, "np.var": 4, "np.std": 4,
    "np.nanvar": 4, "np.nanstd": 4,
}  # fmt: skip
PLAIN_OPTIONS = {"ddof", "correction", "fweights", "where", "discont", "tol", "p", "ord", "axis", "endpoint"}


def is_continuous(x) -> bool:
    return isinstance(x, (float, np.floating)) or (isinstance(x, np.ndarray) and x.dtype in (float, complex))


def active_parts(name: str, args: tuple, options: dict) -> list:
    """Where in the arguments the real and complex numbers are."""
    cut = PLAIN_ARGUMENTS.get(name, len(args))
    found = []
    for k, x in enumerate(args[:cut]):
        if (
            isinstance(x, list)
            and x
            and all(is_continuous(part) and np.ndim(part) for part in x)
            and name != "np.select"
        ):
            found += [(k, j) for j in range(len(x))]
        elif is_continuous(x):
            found.append((k,))
    return found + [(key,) for key, x in options.items() if is_continuous(x) and key not in PLAIN_OPTIONS]


def with_parts(args: tuple, options: dict, places: list, parts: list) -> tuple[list, dict]:
    args, options = [list(x) if isinstance(x, list) else x for x in args], dict(options)
    for (key, *inner), x in zip(places, parts, strict=True):
        if inner:
            args[key][inner[0]] = x
        elif isinstance(key, int):
            args[key] = x
        else:
            options[key] = x
    return args, options


def given_parts(args: tuple, options: dict, places: list) -> list:
    found = []
    for key, *inner in places:
        x = args[key] if isinstance(key, int) else options[key]
        found.append(np.asarray(x[inner[0]] if inner else x))
    return found


def smooth(x: np.ndarray) -> bool:
    return not np.any(np.isinf(x))


# the derivatives that can be taken, and those of them that the complex step can take
DIFFERENTIABLE = [
    k
    for k, (name, args, options) in enumerate(CASES)
    if k not in AT_A_CORNER
    and name != "np.real_if_close"
    and active_parts(name, args, options)
    and all(map(smooth, given_parts(args, options, active_parts(name, args, options))))
]
REAL = [
    k
    for k in DIFFERENTIABLE
    if CASES[k][0] not in ("np.poly", "np.roots", "np.fix")
    and not any(isinstance(x, np.ndarray) and np.iscomplexobj(x) for x in (*CASES[k][1], *CASES[k][2].values()))
]


def slope_by_differences(f, parts: list, directions: list) -> list:
    """Of fourth order: central differences at two steps."""
    h = 1e-4

    def at(k: int) -> list:
        result, _ = quietly(f, *(x + k * h * d for x, d in zip(parts, directions, strict=True)))
        return [np.asarray(y) * 1.0 for y in parts_of(result)]

    return [(8 * (b - a) - (d - c)) / (12 * h) for a, b, c, d in zip(at(-1), at(1), at(-2), at(2), strict=True)]


def called(f, args: tuple, options: dict, places: list):
    """f as a function of the active parts of its arguments."""

    def of(*parts):
        args_, options_ = with_parts(args, options, places, list(parts))
        return f(*args_, **options_)

    return of


def directions_of(parts: list, seed: int) -> list:
    random = np.random.default_rng(seed)
    return [
        random.normal(size=x.shape) + (1j * random.normal(size=x.shape) if np.iscomplexobj(x) else 0) for x in parts
    ]


@pytest.mark.parametrize("k", REAL, ids=name_of)
def test_a_body_has_the_derivative_of_the_function(k):
    name, args, options = CASES[k]
    function, body = COMPOSED[name]
    places = active_parts(name, args, options)
    parts = given_parts(args, options, places)
    directions = directions_of(parts, k)
    steps = [Step(x + 1j * TINY * d) for x, d in zip(parts, directions, strict=True)]
    found, _ = quietly(called(body, args, options, places), *steps)
    expected, _ = quietly(called(function, args, options, places), *parts)
    slopes = slope_by_differences(called(function, args, options, places), parts, directions)
    for x, y, slope in zip(parts_of(found), parts_of(expected), slopes, strict=True):
        z = x.z if isinstance(x, Step) else np.asarray(x, complex)
        np.testing.assert_allclose(z.real, y, rtol=1e-11, atol=1e-12)
        known = np.isfinite(slope)
        np.testing.assert_allclose((z.imag / TINY)[known], slope[known], rtol=1e-6, atol=1e-6)


def recorded(f, parts: list):
    """The results of f on a tape, their rows, those of the parts, and the run."""
    from ad_magic.engine.arrays import tables  # noqa: F401 - it fills the lists of the engine
    from ad_magic.engine.arrays.compose import as_input
    from ad_magic.engine.complexes import Complex
    from ad_magic.engine.tape import Tape

    tape = Tape()
    inputs = [as_input(tape, x if x.ndim else x.item()) for x in parts]
    try:
        results = parts_of(quietly(f, *inputs)[0])
        rows = [
            (x.real.index, x.imag.index) if type(x) is Complex else (x.index,) if hasattr(x, "tape") else ()
            for x in results
        ]
    finally:
        run = tape.close()
    return results, rows, [x.index for x in inputs], run


@pytest.mark.parametrize("k", DIFFERENTIABLE, ids=name_of)
def test_the_engine_has_the_derivative_of_the_function(k):
    from ad_magic.engine.arrays.compose import compose
    from ad_magic.engine.tape import forward_sweep, reverse_sweep

    name, args, options = CASES[k]
    function, body = COMPOSED[name]
    places = active_parts(name, args, options)
    parts = given_parts(args, options, places)
    directions = directions_of(parts, k)
    plain = called(function, args, options, places)
    expected, slopes = parts_of(quietly(plain, *parts)[0]), slope_by_differences(plain, parts, directions)
    active = called(lambda *a, **o: compose(name, body, a, o), args, options, places)
    found, rows, inputs, run = recorded(active, parts)
    assert sum(op.name not in ("input", "part", "real", "imag") for op in run.ops) <= 1

    weights, total = {}, 0.0
    for x, row, y, slope_, w in zip(found, rows, expected, slopes, directions_of(slopes, k + 1), strict=True):
        values = [run.values[i] for i in row] or [x]
        np.testing.assert_allclose(
            values[0] + 1j * values[1] if len(values) > 1 else values[0], y, rtol=1e-11, atol=1e-12
        )
        if row:
            if not np.iscomplexobj(y):  # np.poly is real where its zeros come in pairs, and only there
                slope_, w = np.real(slope_), np.real(w)
            w = np.where(np.isfinite(slope_), w, 0.0)
            total += np.sum(np.real(np.conj(w) * np.where(np.isfinite(slope_), slope_, 0.0)))
            w = w if w.ndim else w.item()
            weights |= dict(zip(row, (w.real, w.imag) if len(row) > 1 else (w,), strict=True))
    adjoints = reverse_sweep(run, weights)
    backward = sum(
        np.sum(np.where(np.isnan(x), 0.0, np.real(np.conj(adjoints[i]) * d)))
        for i, d, x in zip(inputs, directions, parts, strict=True)
    )
    tangents = forward_sweep(run, {i: d if d.ndim else d.item() for i, d in zip(inputs, directions, strict=True)})
    forward = sum(np.sum(np.where(w == 0, 0.0, np.real(np.conj(w) * tangents[i]))) for i, w in weights.items())
    np.testing.assert_allclose([backward, forward], total, rtol=1e-6, atol=1e-6)


def slope(name: str, *args, **options) -> np.ndarray:
    """The derivative of the body in direction 1 of its first argument."""
    first, *others = args
    result = COMPOSED[name][1](Step(np.asarray(first) + 1j * TINY), *others, **options)
    return np.squeeze(result.z.imag / TINY)


def test_the_deviation_of_equal_values_has_the_slope_0():
    a = Step(np.full(4, 0.5) + 1j * TINY * A1[:4])
    for name in ("np.std", "np.nanstd"):
        assert COMPOSED[name][1](a).z == 0


# slopes -1, 2, 3, -1 between the points: by the point the one of least absolute value, 0 where it is flat outside
@pytest.mark.parametrize(
    ("x", "outside", "expected"),
    [(0.0, {}, 0.0), (1.0, {}, 0.0), (2.0, {}, 2.0), (3.0, {}, 0.0), (4.0, {}, 0.0), (0.0, {"left": 9.0}, -1.0),
     (4.0, {"right": 9.0}, -1.0), (5.0, {}, 0.0), (-1.0, {"left": 9.0}, 0.0), (2.5, {}, 3.0)],
)  # fmt: skip
def test_interp_at_a_point_has_the_least_slope_between_those_of_its_sides(x, outside, expected):
    assert slope("np.interp", x, np.arange(5.0), np.array([0.0, -1.0, 1.0, 4.0, 3.0]), **outside) == expected


def test_interp_at_a_point_moves_with_its_value_and_against_its_place():
    body, knots, values = COMPOSED["np.interp"][1], np.arange(3.0), np.array([0.0, 1.0, 3.0])
    raised = body(1.0, knots, Step(values + 1j * TINY * np.array([0.0, 1.0, 0.0])))
    moved = body(1.0, Step(knots + 1j * TINY * np.array([0.0, 1.0, 0.0])), values)
    assert raised.z.imag / TINY == 1
    assert moved.z.imag / TINY == -1


def test_sinc_and_i0_are_smooth_at_0():
    x = np.array([0.0, 1e-12, 1e-6, 1e-3])
    np.testing.assert_allclose(slope("np.sinc", x), -(np.pi**2) / 3 * x, rtol=1e-5, atol=0)
    np.testing.assert_allclose(slope("np.i0", x), x / 2, rtol=1e-6, atol=0)


def test_sinc_and_i0_have_no_seam():
    import mpmath

    x = np.array([0.31, 0.3183, 0.31831, 0.32, 7.9, 7.999999, 8.000001, 9.0, 50.0])
    derivative = [float(mpmath.diff(mpmath.sincpi, t)) for t in x]
    np.testing.assert_allclose(slope("np.sinc", x), derivative, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(slope("np.i0", x), [float(mpmath.besseli(1, t)) for t in x], rtol=1e-14)


@pytest.mark.filterwarnings("ignore:numpy.fix")
def test_a_step_is_taken_along_with_its_start():
    assert np.array_equal(slope("np.unwrap", np.array([0.0, math.pi, 0.0, 4 * math.pi])), np.ones(4))
    assert np.array_equal(slope("np.clip", np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), 0.0, 1.0), [0, 0.5, 1, 0.5, 0])
    assert np.array_equal(slope("np.nan_to_num", np.array([np.nan, np.inf, 2.0])), [0, 0, 1])
    assert np.array_equal(slope("np.fix", A1), np.zeros(7))


def test_left_out_entries_have_no_derivative():
    kept = ~np.isnan(HOLES)
    for name in ("np.nansum", "np.nanmean", "np.nanstd", "np.nanmax", "np.nanmedian", "np.nanprod"):
        a = Step(HOLES + 1j * TINY * np.where(kept, 0.0, 1.0))
        assert COMPOSED[name][1](a).z.imag == 0


def test_lists_of_active_numbers_are_stacked():
    numbers = [Step(x + 1j * TINY) for x in A1]
    for name, args in (("np.var", ()), ("np.median", ()), ("np.polyval", (2.0,)), ("np.diff", ())):
        found, expected = COMPOSED[name][1](numbers, *args), COMPOSED[name][0](A1, *args)
        np.testing.assert_allclose(found.z.real, expected, rtol=1e-13)
