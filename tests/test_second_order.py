"""Second derivatives of a run: against closed forms, autograd and JAX; how `--order 2` shows them."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import autograd
import autograd.numpy as anp
import autograd.scipy.special as asp
import numpy as np
import pytest
import scipy.special
from case_files import cases, differs, run_case
from peer_functions import flattened, functions, mappings

from ad_magic import explore, hessian, hvp, jacfwd, jacobian, jacrev, trace
from ad_magic.report import second

OURS, THEIRS = functions(np, scipy.special), functions(anp, asp)


def near(got, want, rtol=1e-9):
    scale = max(1.0, float(np.abs(want).max()))
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=0, atol=rtol * scale)


# ---- the numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_autograd_agrees(name):
    f, arguments = OURS[name]
    theirs, point = flattened(*THEIRS[name])
    gradient, whole = autograd.grad(theirs)(point), autograd.hessian(theirs)(point)
    v = np.random.default_rng(3).normal(size=len(point))
    for mode in ("both", "reverse", "forward"):
        r = trace(f, *arguments, mode=mode)
        near(np.concatenate([np.ravel(x) for x in r.grad.values()]), gradient)
        near(r.hessian(), whole)
        near(r.hessian(), r.hessian().T, 1e-13)
        near(r.hvp(v), whole @ v)
    by_input = dict(zip(r.inputs, [np.zeros(np.shape(x)) for x in arguments], strict=True))
    first = next(iter(r.inputs))
    by_input[first] = np.ones(np.shape(arguments[0])) if np.shape(arguments[0]) else 1.0
    flat = np.concatenate([np.ravel(x) for x in by_input.values()])
    got = r.hvp({first: by_input[first]})  # what is not named is zero
    near(np.concatenate([np.ravel(x) for x in got.values()]), whole @ flat)
    assert all(np.shape(got[n]) == np.shape(x) for n, x in r.inputs.items())
    ours, _ = flattened(f, arguments)
    near(hessian(ours)(point), whole)
    near(hvp(ours, (point,), (v,)), whole @ v)


@pytest.mark.parametrize("name", ["network", "Gaussian process", "softmax regression"])
def test_jax_agrees(name):
    import jax
    import jax.numpy as jnp

    f, arguments = OURS[name]
    theirs, point = flattened(*functions(jnp, None)[name])
    enabled = jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
    with enabled:
        v = np.linspace(-1, 1, len(point))
        whole = np.asarray(jax.jit(jax.hessian(theirs))(jnp.asarray(point)))
    r = trace(f, *arguments)
    near(r.hessian(), whole)
    near(r.hvp(v), whole @ v)


@pytest.mark.parametrize("name", mappings(np))
def test_jacobians(name):
    f, x = mappings(np)[name]
    want = autograd.jacobian(mappings(anp)[name][0])(x)
    for jac in (jacobian, jacfwd, jacrev, lambda f: jacobian(f, sparsity="auto")):
        near(jac(f)(x), want)
    (got,) = trace(f, x).jacobian.values()
    near(got, want)


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
@pytest.mark.parametrize("case", [c for c in cases().values() if "hessian" in c], ids=lambda case: case["id"])
def test_the_cases(shell, case, mode):
    shell.run_line_magic("load_ext", "ad_magic")
    result = run_case(shell, case, mode)
    whole = np.array(case["hessian"])
    assert not differs(result.hessian(), whole, 1e-8, 1e-9)
    assert not differs(result.hvp(np.ones(len(whole))), whole.sum(axis=1), 1e-8, 1e-9)


def test_many_inputs_in_several_replays(monkeypatch):
    x = np.linspace(-1, 1, 40)
    r = trace(lambda x: np.sum(x[1:] ** 2 * x[:-1]), x)
    whole = r.hessian()
    monkeypatch.setattr("ad_magic.engine.second.NUMBERS", 500)  # a few directions at a time
    np.testing.assert_array_equal(r.hessian(), whole)
    want = np.zeros((40, 40))
    for k in range(39):
        want[k + 1, k + 1] += 2 * x[k]
        want[k, k + 1] = want[k + 1, k] = 2 * x[k + 1]
    near(whole, want)


def test_a_constant_and_what_does_not_matter():
    r = trace(lambda x, y: x**3, 2.0, 5.0, order=2)
    assert r.hessian().tolist() == [[12, 0], [0, 0]] and r.hvp({"y": 1.0}) == {"x": 0.0, "y": 0.0}
    r = trace(lambda x: 3.0, 2.0, order=2)
    assert r.hessian().tolist() == [[0]] and r.hvp([1.0]).tolist() == [0] and "undecided" in r.second.words


def test_what_has_no_hessian_says_what_to_write():
    with pytest.raises(TypeError, match=r"f\[0\], f\[1\]: choose one of them, and return it alone"):
        trace(lambda x: (x, x * x), 2.0).hessian()
    with pytest.raises(TypeError, match=r"an array of shape \(2,\).*f\[0\] or np.sum\(f\*\*2\); r.jacobian"):
        trace(lambda x: np.array([x, x * x]), 2.0).hvp([1.0])
    r = trace(lambda x, w: x * np.sum(w), 2.0, np.ones(3))
    with pytest.raises(ValueError, match=r"v has shape \(3,\): it is a vector of 4 numbers"):
        r.hvp(np.ones(3))
    with pytest.raises(ValueError, match=r"v\['w'\] has shape \(2,\), and w has \(3,\)"):
        r.hvp({"w": np.ones(2)})
    with pytest.raises(ValueError, match="there is no input 'y': there is x, w"):
        r.hvp({"y": 1.0})


# ---- what it means -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "point", "words"),
    [
        (lambda x, y: x**2 + 3 * y**2, (0.0, 0.0), "2 positive: a minimum"),
        (lambda x, y: -math.cosh(x) - y**2, (0.0, 0.0), "2 negative: a maximum"),
        (lambda x, y: x * y, (0.0, 0.0), "1 positive, 1 negative: a saddle"),
        (lambda x, y, z: x**2 - y**2 + z**4, (0.0, 0.0, 0.0), "1 positive, 1 negative, 1 zero: a saddle"),
        (lambda x, y: x**2 + y**4, (0.0, 0.0), "1 positive, 1 zero: undecided by second derivatives"),
        (lambda x, y: (x - 1) ** 2 + (y + 2) ** 2, (1.0 + 1e-9, -2.0), "2 positive: a minimum"),
        (lambda x, y: (x - 1) ** 2 + (y + 2) ** 2, (1.1, -2.0), "2 positive: curves up along 2 directions"),
        (lambda x, y: x * y, (1.0, 0.0), "1 positive, 1 negative: curves up along 1 direction, down along 1"),
        (lambda x, y: x + y, (1.0, 0.0), "2 zero: straight along 2 directions"),
    ],
)
def test_words(f, point, words):
    assert trace(f, *point, order=2).second.words == words


def test_where_there_is_no_second_derivative_it_is_flagged():
    r = trace(lambda a, b: np.linalg.eigvalsh(np.array([[a, b], [b, a]]))[1], 1.0, 0.0, order=2)
    assert r.second.eigenvalues is None and "NaN or infinite: there are no eigenvalues" in r.second.words
    assert any("is nan" in w for w in r.second.warnings) and any("at a corner" in w for w in r.second.warnings)
    r = trace(lambda x, y: abs(x) * y + y**1.5, 0.0, 0.0, order=2)
    text = r.to_text()
    assert "∂²f/∂y² is inf: there is none at this point." in text and "stands at a corner" in text
    assert 'class="ad-warm ad-bad"' in r.to_html() and "⚠" in r.second.to_html()


def test_a_hessian_that_is_not_symmetric_is_flagged(monkeypatch):
    monkeypatch.setattr(second, "hessian", lambda run, first: np.array([[1.0, 2.0], [2.5, 1.0]]))
    (warning,) = trace(lambda x, y: x * y, 1.0, 2.0, order=2).second.warnings
    assert warning == "∂²f/∂x∂y = 2, but ∂²f/∂y∂x = 2.5: the slopes have a jump at this point."


# ---- how it is shown ---------------------------------------------------------------------------------


def closed_form(x, y):
    """The Hessian of z = (x + 2y)² sin(xy), by hand."""
    s, sin, cos = x + 2 * y, math.sin(x * y), math.cos(x * y)
    xx = 2 * sin + 4 * s * y * cos - s**2 * y**2 * sin
    xy = 4 * sin + 2 * s * x * cos + 4 * s * y * cos + s**2 * cos - s**2 * x * y * sin
    yy = 8 * sin + 8 * s * x * cos - s**2 * x**2 * sin
    return np.array([[xx, xy], [xy, yy]])


@pytest.fixture
def grad2(shell):
    """Run a cell under a magic and return its Result and what it displayed."""
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import math\nimport numpy as np", silent=True)
    shown: list[dict] = []

    def run(line, cell, magic="grad"):
        from unittest import mock

        shown.clear()
        with mock.patch("IPython.display.display", lambda data, **how: shown.append(data)):
            done = shell.run_cell(f"%%{magic} {line} -o r_\n{cell}", silent=True)
        done.raise_error()
        return shell.user_ns["r_"], shown[0]

    return run


RUNNING = "z = (x + 2*y)**2 * math.sin(x*y)"


@pytest.mark.parametrize(("magic", "mode"), [("grad", "both"), ("tangent", "forward"), ("adjoint", "reverse")])
def test_the_running_example(grad2, magic, mode):
    r, shown = grad2("x=2 y=3 --order 2 --view static", RUNNING, magic)
    whole = closed_form(2, 3)
    near(r.hessian(), whole)
    s = r.second
    near(s.eigenvalues, np.linalg.eigvalsh(whole)[::-1])
    near(np.prod(s.eigenvalues), whole[0, 0] * whole[1, 1] - whole[0, 1] ** 2)
    page = ET.fromstring(f"<r>{re.sub('<style>.*?</style>', '', s.to_html(), flags=re.DOTALL)}</r>")
    numbers = [float(e.text.strip("\u00a0").replace("−", "-")) for e in page.iter("samp")]
    want = [*r.grad.values(), *whole.ravel(), *s.eigenvalues]
    assert numbers == pytest.approx(want, rel=1e-5)
    assert r.mode == mode and s.to_html() in shown["text/html"] and s.to_text() in shown["text/plain"]
    assert "1 positive, 1 negative: curves up along 1 direction, down along 1" in shown["text/plain"]
    assert f"| y | {whole[1, 0]:.6g} | {whole[1, 1]:.6g} |" in r.to_markdown()
    assert rf"\nabla^2 z = \left[\begin{{array}}{{rr}}{whole[0, 0]:.6g} & {whole[0, 1]:.6g} \\" in r.to_latex()
    assert r.at({"x": 1.0}).up_to == 2


def test_it_is_asked_for_in_every_way(grad2, shell, capsys):
    r, shown = grad2("x=2 y=3 --order 2 --view text --show cost", RUNNING)
    assert "What" not in shown["text/plain"].split("Gradient and Hessian of z")[1]  # the cost comes first
    r, shown = grad2("x=2 y=3 --view static", RUNNING)
    assert "Hessian" not in shown["text/html"] and r.up_to == 1
    explore(lambda x, y: x * y, x=1.0, y=2.0, order=2, view="text")
    assert "Gradient and Hessian of f" in capsys.readouterr().out
    with pytest.raises(ValueError, match="order=3: there are 1, the derivatives, and 2"):
        explore(lambda x: x * x, x=1.0, order=3)
    shell.run_cell("%%grad x=1.0 --order 3\nx**2", silent=True)
    assert "--order: unknown value '3'" in capsys.readouterr().err
    shell.run_cell("%%grad x=1.0 --order 2 --quiz\nx**2", silent=True)
    assert "a quiz asks for first derivatives: leave out --order 2" in capsys.readouterr().err
    shell.run_cell("%grad --exercise 2:7 --order 2", silent=True)
    assert "a quiz asks for first derivatives: leave out --order 2" in capsys.readouterr().err
    assert trace(lambda order: order**2, order=3.0).grad == {"order": 6.0}  # f's own parameter


def test_what_cannot_be_shown_says_why(grad2):
    r, shown = grad2("x=2 --of a,b --order 2 --view static", "a = x\nb = x*x")
    for text in (shown["text/html"], shown["text/plain"], r.to_markdown().replace("\\", "")):
        assert "the Hessian is that of one number, and there are a, b: choose one of them, --of a" in text


def test_a_very_long_run_has_none_in_its_report(monkeypatch):
    monkeypatch.setattr(second, "LONGEST", 2)
    r = trace(lambda x: math.sin(x) * x, 2.0, order=2)
    assert "No Hessian in the report of so long a run (3 operations): r.hessian() computes it." in r.to_text()
    near(r.hessian(), [[2 * math.cos(2) - 2 * math.sin(2)]])


def test_an_expression_has_no_name(grad2):
    _, shown = grad2("x=2 y=3 --order 2 --view text", "x**2 * y")
    assert "Gradient and Hessian of x**2 * y\n" in shown["text/plain"]


@pytest.mark.parametrize("n", [5, 12, 40, 300])
def test_more_inputs(n):
    """Numbers for a few, a picture for more, the first of them for very many."""
    r = trace(lambda x, t: t * np.sum(x**2 * np.arange(1.0, n)), np.ones(n - 1), 2.0, order=2)
    s = r.second
    html = re.sub("<style>.*?</style>", "", s.to_html(), flags=re.DOTALL)
    ET.fromstring(f"<r>{html}</r>")
    assert ("<table" in html) == (n <= 8) and ("ad-heat-picture" in html) == (n > 8)
    shown = min(n, 64)
    assert s.hessian.shape == (shown, shown) and len(s.to_text().splitlines()) < 20
    near(np.diag(s.hessian)[: shown - (n <= 64)], 4 * np.arange(1.0, shown + (n > 64)))
    if n <= 64:
        assert len(s.eigenvalues) == n and sum(s.signs) == n and len(s.listed()) == min(n, 9)
        assert ("more between" in s.to_text()) == (n > 8)
    else:
        assert s.eigenvalues is None and "Of 300 inputs the first 64 are shown" in s.words
