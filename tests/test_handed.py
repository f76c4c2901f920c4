"""Recorded runs handed over to JAX and to torch: the numbers and the derivatives of the engine.

All cells of `tests/cases` hand over, or say why not. Executing all of them takes minutes in JAX, so only some are
executed each time; AD_MAGIC_HANDED=1 executes all, and the samples of NumPy's functions. torch is tried where it is
installed.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import linecache
import math
import os
import warnings
from functools import partial

import jax
import numpy as np
import pytest
from case_files import cases, differs, inputs_of
from test_numpy_list import ENTRIES, FLAT, cell_of, samples
from test_numpy_list import inputs_of as sample_inputs
from test_numpy_list import run as run_sample

from ad_magic import hessian, primal, rule, stop_gradient, trace
from ad_magic.cell.run import compile_cell, run_program
from ad_magic.codegen.handed import target_of
from ad_magic.report.result import Result

try:
    import torch
except ImportError:
    torch = None

NEEDS_TORCH = pytest.mark.skipif(torch is None, reason="torch is not installed")
ENGINES = ["jax", pytest.param("torch", marks=NEEDS_TORCH)]
ALL = bool(os.environ.get("AD_MAGIC_HANDED"))
CASES = cases()
TEXT = "the program looks at the (text|hash) of a number"
REFUSED = {
    "scipy brentq root": "brentq is a solver",
    "scipy quad": "quad is a solver",
    "log1p(exp(1000))": "exp overflows here",
    "round_of_active": "line 1: round\\(x, n\\) rounds a number as it is written in decimals",
    **dict.fromkeys(
        ("percent_format_logging", "print_and_fstrings", "string_roundtrip", "f-string fmt", "percent fmt"), TEXT
    ),
    "dict memo {x:..}": TEXT,
}
# At a kink or a singular point the derivatives are those of the other engine.
SINGULAR = {
    "jax": {"abs_at_zero", "norm_at_zero", "np.linalg.norm at 0", "np.where trap", "where_sinc_zero"},
    "torch": {"atan2_origin", "np.where trap", "where_sinc_zero"},
}
CHOSEN = (
    *("tuple_output_two", "math_erf_gamma", "powers_const_base", "list_of_lists_matmul", "try_except_domain"),
    *("sorted_min_max", "math_angle_mod", "complex_literal", "np_inplace_basic", "softmax_cross_entropy"),
    *("np_linalg_solve", "mlp_two_layer", "np_sort_argsort"),
)
# of NumPy's functions some that another engine has otherwise
FUNCTIONS = {
    "jax": ("np.linalg.cholesky(S + M @ M.T)", "np.emath.log(w)", "np.insert(x, [1, 3], v[:2])", "special.fresnel(x)"),
    "torch": ("np.linalg.cholesky(S + M @ M.T)", "np.emath.log(w)", "np.take(x, [0, 2, 2])", "np.flip(A)"),
}
# refused by one of the two, or with another derivative
SAMPLES_APART = {
    "np.corrcoef(A)": "decides otherwise",  # whether a 1 that was computed is greater than 1
    "np.abs(np.sort_complex(w * (1 + 2j)))": "complex",
    "np.linalg.eigh(M + M.T)": None,  # eigenvectors may have the other sign
}


@pytest.fixture(autouse=True)
def double_precision():
    """JAX in double precision, and quick to compile."""
    options = ("jax_enable_x64", "jax_disable_most_optimizations")
    for option in options:
        jax.config.update(option, True)
    yield
    for option in options:
        jax.config.update(option, False)


def result_of(case):
    """The Result of a case, without a notebook; None where the cell raises an error or leaves no number."""
    names = {"__name__": "__main__"}
    exec(case.get("setup") or "", names)
    names |= inputs_of(case)
    file, cell = f"<case {case['id']}>", case["cell"]
    linecache.cache[file] = len(cell), None, cell.splitlines(keepends=True), file
    program = compile_cell(ast.parse(cell), cell, file)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            done, _ = run_program(program, names, dict.fromkeys(case["inputs"]), of=[case["output"]], mode="both")
    except Exception:
        return None
    return Result(done)


def computed(function, inputs, kind):
    """The value and the Jacobian of a function of one of the engines."""
    if kind == "jax":
        arrays = {k: np.asarray(x, dtype=float) for k, x in inputs.items()}

        def both(arrays):
            value = function(**arrays)
            return value, value

        jacobian, value = jax.jit(jax.jacrev(both, has_aux=True))(arrays)
        return value, jacobian
    tensors = {k: torch.tensor(np.asarray(x, dtype=float)) for k, x in inputs.items()}

    def along(name):
        def flat(*xs):
            z = function(*xs)
            return z if name is None else z[name]

        return dict(zip(tensors, torch.autograd.functional.jacobian(flat, tuple(tensors.values())), strict=True))

    value = function(*tensors.values())
    return value, {k: along(k) for k in value} if isinstance(value, dict) else along(None)


def agrees(r, kind, rtol=1e-9, derivatives=True):
    """The function that is handed over has the numbers of a Result; evaluated at once it says so too."""
    function = getattr(r, f"to_{kind}")()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value, jacobian = computed(function, r.inputs, kind)
    several = len(r.outputs) > 1
    for output in r.run.outputs:
        v, w = (value[output.name], r.value[output.name]) if several else (value, r.value)
        d, j = (jacobian[output.name], r.jacobian[output.name]) if several else (jacobian, r.jacobian)
        assert np.shape(v) == np.shape(w)
        assert not differs(np.asarray(v.tolist()), w, 1e-12)
        for name in j if derivatives else ():
            assert not differs(np.asarray(d[name].tolist()).reshape(j[name].shape), j[name], rtol), (output.name, name)
    return function


def test_the_cases_are_handed_over_or_say_why_not():
    """As sources, for which no engine is needed: nineteen of twenty."""
    count, refused = 0, set()
    for name, case in CASES.items():
        r = result_of(case)
        count += r is not None
        for kind in ("jax", "torch") if r is not None else ():
            if name in REFUSED:
                refused.add(name)
                with pytest.raises(ValueError, match=REFUSED[name]):
                    r.code(kind)
            else:
                compile(r.code(kind), name, "exec")
    assert count > 230
    assert refused == set(REFUSED)
    assert len(refused) <= 0.05 * count


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("name", [name for name in CASES if name not in REFUSED] if ALL else CHOSEN)
def test_a_case(name, kind):
    r = result_of(CASES[name])
    if r is not None:
        agrees(r, kind, derivatives=name not in SINGULAR[kind])


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("k", range(sum(len(samples(e)) for e in ENTRIES) if ALL else 4))
def test_a_function_of_numpy(k, kind):
    sample = [s for e in ENTRIES for s in samples(e)][k] if ALL else FUNCTIONS[kind][k]
    try:
        r = Result(run_sample(cell_of(sample) + FLAT, sample_inputs(sample), "both")[0])
        r.code(kind)
    except (ValueError, TypeError, Warning) as error:  # the engine, or a target, refuses it with the line
        if not ALL:
            raise AssertionError(f"{sample} is not handed over") from error
        return
    reason = SAMPLES_APART.get(sample, "")
    if reason == "" and np.size(r.value):
        agrees(r, kind)
    elif reason:
        with contextlib.suppress(Exception):
            agrees(r, kind)


# ---- what it is made for -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ENGINES)
def test_what_an_engine_has_otherwise(kind):
    """The other triangle, also of a Hermitian matrix; a logarithm to a base that is an input; what vmap must take."""

    def f(a, x, base):
        hermitian = a + 1j * np.tril(a, -1)
        w = [np.linalg.eigvalsh(a, "U"), np.linalg.eigvalsh(hermitian), np.linalg.eigh(a.T, UPLO="L")[0]]
        w = np.concatenate(w)
        moved = np.moveaxis(np.column_stack([w, w**2]).reshape(2, 3, 3), 0, -1)
        return math.log(x, base) * moved[1, 2] + math.log(2.5, base) + np.conj(hermitian)[1, 0].imag

    point = np.array([[2.0, 0.3, 0.1], [0.4, 1.5, 0.2], [0.1, 0.6, 1.8]]), 1.5, 3.0
    r = trace(f, *point)
    agrees(r, kind)
    function = getattr(r, f"to_{kind}")()
    twice = [np.stack([x, x]) for x in point]
    if kind == "jax":
        got = jax.vmap(jax.jacrev(function, 2))(*twice)
    else:
        got = torch.func.vmap(torch.func.jacrev(function, 2))(*map(torch.tensor, twice))
    np.testing.assert_allclose(got, np.stack([r.jacobian["base"]] * 2), rtol=1e-10)
    closed = (f(point[0], 1.5, 3.0 + 1e-6) - f(point[0], 1.5, 3.0 - 1e-6)) / 2e-6  # plain NumPy
    np.testing.assert_allclose(got[0], closed, rtol=1e-7)


def listed(a, v):
    """Lists, which JAX takes for no array."""
    return np.concatenate([a[0], np.append(v, [1.0]), np.repeat(v, [1, 2, 1]), np.fmin(v, [1.0, np.nan, 3.0])])


def optioned(a, v):
    """Options that torch calls otherwise; numbers that are none of single precision."""
    parts = [np.roll(a, 1, axis=0), np.rot90(a, axes=(1, 0)), np.tril(a, k=-1), np.fft.fftn(a, axes=[0]).real]
    parts += [np.pad(v, (1, 2), constant_values=(1.0, 2.0)), np.concatenate([a, a], axis=None)]
    parts += [v * np.searchsorted([0.0, 1.0], v), v * np.digitize(v, [1.3]), v * np.digitize(v, [2.0, 1.0])]
    parts += [v * np.isin(v, [1.3, 9.0])]
    return np.concatenate([part.ravel() for part in parts])


@pytest.mark.parametrize(
    ("f", "kind"),
    [(listed, "jax"), *(pytest.param(f, "torch", marks=NEEDS_TORCH) for f in (listed, optioned))],
)
def test_lists_and_options(f, kind):
    a, v = np.array([[2.0, 0.3, 0.1], [0.4, 1.5, 0.2], [0.1, 0.6, 1.8]]), np.array([0.7, 1.3, 2.1])
    function = agrees(trace(f, a, v), kind)
    np.testing.assert_allclose(function(a, v), f(a, v), rtol=1e-14)  # plain NumPy


@pytest.mark.filterwarnings("ignore:::torch")
@pytest.mark.parametrize("kind", ENGINES)
def test_the_determinant_of_a_singular_matrix(kind):
    """Its derivative is the matrix of cofactors."""
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    f = agrees(trace(np.linalg.det, a), kind)
    second = (jax if kind == "jax" else torch.func).hessian(f)(a if kind == "jax" else torch.tensor(a + np.eye(2)))
    if kind == "torch" or not np.isnan(jax.hessian(jax.numpy.linalg.det)(a)).any():  # JAX's own is NaN from 0.11 on
        np.testing.assert_allclose(second[0, 0], [[0, 0], [0, 1]], atol=1e-12)
    if kind == "torch":
        x = torch.tensor(a, requires_grad=True)
        f(x).backward()
        np.testing.assert_allclose(x.grad, [[4, -2], [-2, 1]], rtol=1e-13)
        twice = torch.tensor(np.stack([a, a + np.eye(2)]))
        got = torch.func.vmap(torch.func.grad(f))(twice)
        np.testing.assert_allclose(got, [[[4, -2], [-2, 1]], [[5, -2], [-2, 2]]], rtol=1e-13)


def test_an_option_that_has_no_form():
    for f, said in (
        (lambda v: np.take(v, [0, 5], mode="clip"), r"np\.take with mode='clip' has no form in torch"),
        (lambda v: v * np.searchsorted(v[::-1], v, sorter=[2, 1, 0]), r"np\.searchsorted with sorter=\[2, 1, 0\]"),
    ):
        with pytest.raises(ValueError, match=rf"^line \d+: {said}"):
            trace(f, np.array([0.7, 1.3, 2.1])).code("torch")


def swing(x, y):
    s = 0.0
    for k in range(8):
        s += math.sin(x + k * y) ** 2
    if s > y:
        s *= y
    return s


def test_jit_grad_vmap_and_second_order_in_jax():
    r = trace(swing, 0.3, 0.5)
    f = r.to_jax()
    assert r.code("jax").count("for k in range") == 1  # the loop is one
    assert jax.jit(f)(0.3, 0.5) == pytest.approx(r.value, rel=1e-13)
    assert f(y=0.5, x=0.3) == f(0.3, 0.5) == pytest.approx(r.value, rel=1e-13)
    xs = np.array([0.1, 0.3, 0.4])
    want = [trace(swing, x, 0.5).grad["x"] for x in xs]
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(f), (0, None)))(xs, 0.5), want, rtol=1e-11)
    second = jax.jit(jax.hessian(f, (0, 1)))(0.3, 0.5)
    np.testing.assert_allclose(second, r.hessian(), rtol=1e-10)
    np.testing.assert_allclose(second[0][0], hessian(lambda x: swing(x, 0.5))(0.3), rtol=1e-10)


@pytest.mark.filterwarnings("ignore:::torch")
@NEEDS_TORCH
def test_autograd_vmap_and_second_order_in_torch():
    r = trace(swing, 0.3, 0.5)
    f = r.to_torch()
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.3, 0.5))
    f(x, y).backward()
    assert x.grad.item() == pytest.approx(r.grad["x"], rel=1e-12)
    xs = torch.tensor([0.1, 0.3, 0.4], dtype=torch.float64)
    want = [trace(swing, x, 0.5).grad["x"] for x in xs.tolist()]
    got = torch.func.vmap(torch.func.grad(f), (0, None))(xs, torch.tensor(0.5, dtype=torch.float64))
    np.testing.assert_allclose(got, want, rtol=1e-11)
    second = torch.func.hessian(f, (0, 1))(*(torch.tensor(v, dtype=torch.float64) for v in (0.3, 0.5)))
    np.testing.assert_allclose([[h.item() for h in row] for row in second], r.hessian(), rtol=1e-10)
    compiled = torch.compile(f, backend="eager")
    assert compiled(x, y).item() == pytest.approx(r.value, rel=1e-13)


def choice(x, y):
    return 3 * x + y if x * y > 1 else x**2


def test_a_decision_that_comes_out_otherwise_in_jax():
    """An error at once where a plain number is at hand; else NaN, in every derivative: also where the recorded path is
    linear and its second derivative exactly zero."""
    f = trace(choice, 2.0, 1.0).to_jax()
    with pytest.raises(AssertionError, match=r"line .* decides otherwise here"):
        f(0.5, 1.0)
    with pytest.raises(AssertionError, match="decides otherwise"):
        jax.grad(f, argnums=1)(0.5, 1.0)
    for derivative, on_path in ((f, 7.0), (jax.grad(f, 1), 1.0), (jax.hessian(f), 0.0)):
        got = jax.jit(jax.vmap(derivative, (0, None)))(np.array([0.5, 2.0]), 1.0)
        assert np.isnan(got[0]) and got[1] == on_path
    infinite = trace(lambda x: 1 / x if x > 0 else x, 2.0).to_jax()
    assert jax.jit(infinite)(np.inf) == 0.0  # on the path, at infinity


@pytest.mark.filterwarnings("ignore:::torch")
@NEEDS_TORCH
def test_a_decision_that_comes_out_otherwise_in_torch():
    f = trace(choice, 2.0, 1.0).to_torch()
    number = partial(torch.tensor, dtype=torch.float64)
    with pytest.raises(AssertionError, match="decides otherwise"):
        f(0.5, 1.0)
    for derivative, on_path in ((f, 7.0), (torch.func.grad(f), 3.0), (torch.func.hessian(f), 0.0)):
        got = torch.func.vmap(derivative, (0, None))(number([0.5, 2.0]), number(1.0))
        assert torch.isnan(got[0]) and got[1] == on_path
    compiled = torch.compile(f, backend="eager", fullgraph=True)
    assert torch.isnan(compiled(number(0.5), number(1.0))) and compiled(number(2.0), number(1.0)) == 7.0


def test_single_precision_is_said():
    r = trace(lambda x: x * x, 3.0)
    jax.config.update("jax_enable_x64", False)
    with pytest.warns(UserWarning, match="single precision.*jax_enable_x64"):
        f = r.to_jax()
    assert f(3.0).dtype == np.float32 and not jax.config.jax_enable_x64


@NEEDS_TORCH
def test_tensors_keep_their_precision():
    weights = np.array([0.5, 1.5])
    f = trace(lambda x: np.maximum(x, 0.25) @ weights + np.array([x[0], 1.0]).sum(), np.array([1.0, 2.0])).to_torch()
    assert f(torch.tensor([1.0, 2.0])).dtype == torch.float32
    assert f([1.0, 2.0]).dtype == f(np.array([1.0, 2.0])).dtype == torch.float64


@pytest.mark.parametrize("kind", ENGINES)
def test_a_shape_is_that_of_the_run(kind):
    f = getattr(trace(lambda x, c: (c * x).sum(), np.ones(3), 2.0), f"to_{kind}")()
    with pytest.raises(ValueError, match=r"x has the shape \(4,\), recorded was \(3,\).*vmap"):
        f(np.ones(4), 1.0)
    with pytest.raises(ValueError, match=r"c has the shape \(3,\), recorded was \(\)"):
        f(np.ones(3), np.ones(3))
    assert f(c=2, x=[1, 2, 3]) == 12.0


@pytest.mark.parametrize("kind", ENGINES)
def test_the_source_stands_on_its_own(kind):
    def moved(x):
        u = np.zeros(4)
        u[1:3] = x
        u[0] += u[2] ** 2
        return u @ np.array([1, 2, 3, 4])

    r = trace(moved, np.array([0.5, 2.0]))
    function = getattr(r, f"to_{kind}")()
    names = {}
    exec(r.code(kind), names)
    assert inspect.getsource(function) in r.code(kind)
    assert names["value"]([1.0, 3.0]) == function([1.0, 3.0]) == 9 + 2 + 9
    agrees(r, kind)


@pytest.mark.parametrize("kind", ENGINES)
def test_names_of_inputs_and_constant_outputs(kind):
    def f(ok, value, jnp, given, gamma, c1):
        return np.exp(ok * value) + jnp * given + gamma * c1 @ np.array([1.0, 2.0]), 0 * ok, np.array([1.0, ok])

    function = agrees(trace(f, 0.5, 0.2, 1.5, 2.0, 3.0, np.array([1.0, 4.0])), kind)
    assert list(inspect.signature(function).parameters) == ["ok", "value", "jnp", "given", "gamma", "c1"]


@pytest.mark.parametrize("kind", ["jax", "torch"])
def test_an_engine_that_is_missing(monkeypatch, kind):
    r = trace(lambda x: x * x, 3.0)
    monkeypatch.setitem(__import__("sys").modules, kind, None)
    with pytest.raises(ImportError, match=f"^(JAX|torch) is not installed: pip install {kind}$"):
        getattr(r, f"to_{kind}")()
    assert "def value(x):" in r.code(kind)


@pytest.mark.parametrize("kind", ["jax", "torch"])
def test_a_derivative_of_its_own_is_not_lost(kind):
    softplus = rule("softplus", "log1p(exp(a))", "1 / (1 + exp(-a))")
    square = rule(lambda x: x * x, vjp=lambda x: (x * x, lambda g: (2 * g * x,)))
    for f in (lambda x: softplus(x) * x, lambda x: x * stop_gradient(x), lambda x: square(x) * x):
        with pytest.raises(ValueError, match=r"line \d+: .* has a derivative of its own, which .* would not use"):
            trace(f, 1.5).code(kind)
        with pytest.raises(ValueError, match="has a derivative of its own"):
            trace(lambda x, f=f: f(x).sum(), np.ones(2)).code(kind)


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x: primal(x) * x, r"primal\(…\) takes the plain value, which would stay what it was here"),
        (lambda x: float(str(x)) * x, "the program looks at the text of a number"),
        (lambda x: {x: 2.0}[x] * x, "the program looks at the hash of a number"),
        (lambda x: len(np.flatnonzero(np.array([x, 1.0]))) * x, "the program looks at which entries are not zero"),
    ],
)
@pytest.mark.parametrize("kind", ["jax", "torch"])
def test_a_look_that_has_no_form(f, said, kind):
    with pytest.raises(ValueError, match=rf"^line \d+: {said}"):
        trace(f, 1.5).code(kind)


def test_another_kind_of_program():
    with pytest.raises(ValueError, match=r"no 'values' program; there are .*'jax' and 'torch'"):
        trace(lambda x: x, 1.0).code("values")


def test_the_tables_name_functions_that_there_are():
    import jax.numpy as jnp
    import jax.scipy.special as jsp

    spaces = {
        "jax": {"jax": jax, "jnp": jnp, "jsp": jsp, "xp": jnp, "sp": jsp},
        "torch": {"torch": torch, "xp": torch, "sp": torch and torch.special},
    }
    for kind in ("jax", "torch") if torch else ("jax",):
        for form in (*target_of(kind).forms.values(), *target_of(kind).methods.values()):
            for node in ast.walk(ast.parse(form.lstrip("."), mode="eval")):
                if isinstance(node, ast.Attribute) and ast.unparse(node).split(".")[0] in spaces[kind]:
                    eval(ast.unparse(node), spaces[kind])
