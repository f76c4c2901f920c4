"""`checkpoint`: a call whose operations are not stored gives what it gives when they are."""

from __future__ import annotations

import cmath
import functools
import gc
import math
import random
import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import program as random_program

from ad_magic import checkpoint, grad, hessian, hvp, jacfwd, jacrev, jvp, trace, value_and_grad, vjp
from ad_magic.codegen.javascript import javascript

W, X = np.array([0.3, -0.4]), np.array([1.0, 2.0])


def plainly(f):
    return f


def step(x, k=1.0):
    return x - 0.1 * k * math.sin(x) ** 2


def loop(wrapped):
    def whole(x):
        for k in range(4):
            x = wrapped(x, k=1.0 + k)
        return x

    return whole


@pytest.mark.parametrize(
    "way",
    [
        lambda f: grad(f)(1.3),
        lambda f: grad(grad(grad(f)))(1.3),
        lambda f: jvp(f, (1.3,), (2.0,)),
        lambda f: hvp(f, (1.3,), (2.0,)),
        lambda f: jvp(grad(grad(f)), (1.3,), (2.0,)),
        lambda f: hessian(f)(1.3),
        lambda f: grad(lambda x: jvp(f, (x,), (2.0,))[1])(1.3),
    ],
    ids=["grad", "third order", "jvp", "hvp", "jvp of grad of grad", "hessian", "grad of jvp"],
)
def test_it_is_the_same_function_in_all_modes_and_orders(way):
    assert np.allclose(way(loop(checkpoint(step))), way(loop(step)), rtol=1e-12)
    assert np.allclose(way(checkpoint(loop(checkpoint(step)))), way(loop(step)), rtol=1e-12)  # nested


def test_what_it_reads_from_a_closure_is_that_of_the_call():
    """A loop rebinds what a function reads; the function is run again when the loop is over."""

    def program(wrap):
        def f(w, x):
            parts = [w, 2 * w]
            names = {"shift": 0.1}
            for k in range(3):
                x = wrap(lambda x: np.tanh(w * x + k) * parts[0] * parts[1] + names["shift"])(x)
                w = w * 1.1
                parts[0] = parts[0] + 1
                names["shift"] = names["shift"] * w.sum()
            return np.sum(x)

        return f

    for way in (lambda f: grad(f, (0, 1))(W, X), lambda f: hvp(f, (W, X), (X, W)), lambda f: jacfwd(f)(W, X)):
        for a, b in zip(way(program(checkpoint)), way(program(plainly)), strict=True):
            assert np.allclose(a, b, rtol=1e-12)


@dataclass
class Layer:
    w: Any
    name: str

    def __call__(self, x):
        return np.tanh(self.w * x)


class Plain:
    def __init__(self, x):
        self.x = x


def test_trees_objects_and_several_results():
    def program(wrap):
        block = wrap(lambda p, x, *, scale: {"y": p["w"] * x * scale, "more": (np.sum(x), [p["b"], "text", 3])})

        def f(p, x):
            layer = Layer(p["w"] * 2, "first")
            out = block(p, wrap(layer)(x), scale=p["b"])
            assert out["more"][1][1:] == ["text", 3]
            return np.sum(out["y"]) * out["more"][0] * out["more"][1][0]

        return f

    p = {"w": W, "b": 1.5, "n": "name"}
    for way in (lambda f: grad(f, (0, 1))(p, X), lambda f: vjp(f, p, X)[1](2.0), lambda f: hvp(f, (p, X), (p, W))):
        (a, ax), (b, bx) = way(program(checkpoint)), way(program(plainly))
        assert np.allclose(a["w"], b["w"], rtol=1e-11)
        assert a["b"] == pytest.approx(b["b"], rel=1e-11)
        assert np.allclose(ax, bx, rtol=1e-11)


def test_complex_numbers_on_the_way():
    def program(wrap):
        wave, square = wrap(lambda x: cmath.exp(1j * x)), wrap(lambda z: (z * z).imag)
        spectrum = wrap(np.fft.fft)
        return lambda x: (wave(x[0]) * x[1]).real * square(x[0] * 1j + x[1]) + np.sum(np.abs(spectrum(x) * x) ** 3)

    for way in (lambda f: grad(f)(W), lambda f: hvp(f, (W,), (X,)), lambda f: jacfwd(f)(W)):
        assert np.allclose(way(program(checkpoint)), way(program(plainly)), rtol=1e-11)


@given(seed=st.integers(0, 10**6), x=st.floats(-2, 2), y=st.floats(-2, 2))
@settings(max_examples=25)
def test_a_checkpoint_of_a_random_program_gives_the_same(seed, x, y):
    source = random_program(seed)

    def made(wrap, text):
        names: dict[str, Any] = {"math": math, "checkpoint": checkpoint}
        body = "\n".join(f"    {line}" for line in text.splitlines())
        exec(f"def f(x, y):\n{body}\n    return out", names)
        return value_and_grad(wrap(names["f"]), (0, 1))

    plain = made(plainly, source)
    inner = source.replace("def soft", "@checkpoint\ndef soft").replace("def both", "@checkpoint\ndef both")
    try:
        expected = plain(x, y)
    except (ArithmeticError, ValueError) as error:
        with pytest.raises(type(error)):
            made(checkpoint, inner)(x, y)
        return
    assert np.allclose(np.hstack(made(checkpoint, inner)(x, y)), np.hstack(expected), rtol=1e-9, equal_nan=True)


def test_equal_to_jax():
    import jax

    jax.config.update("jax_enable_x64", True)

    def network(np, wrap):
        layer = wrap(lambda w, x: np.tanh(x @ w))

        def loss(ws, x):
            for w in ws:
                x = layer(w, x)
            return np.sum(x**2)

        return loss

    draw = np.random.default_rng(0)
    ws, x = [draw.normal(size=(3, 3)) for _ in range(2)], draw.normal(size=(5, 3))
    ours = grad(network(np, checkpoint))(ws, x)
    theirs = jax.grad(network(jax.numpy, jax.checkpoint))(ws, x)
    for a, b in zip(ours, theirs, strict=True):
        assert np.allclose(a, b, rtol=1e-12)


# ---- what it is for ------------------------------------------------------------------------------


def _long(n, block, wrap):
    def run(x):
        for _ in range(block):
            x = x + 0.01 * np.sin(x)
        return x

    inner = wrap(run)

    def whole(x):
        for _ in range(n // block):
            x = inner(x)
        return np.sum(x)

    return whole


def test_the_memory_of_a_long_loop():
    x = np.linspace(0.0, 1.0, 5_000)
    peaks = {}
    for name, f in {"plain": _long(144, 12, plainly), "root of n": _long(144, 12, checkpoint)}.items():
        derivative = value_and_grad(f)
        derivative(x)
        gc.collect()
        gc.disable()  # nothing of a call waits for the collector
        tracemalloc.start()
        found = derivative(x)
        now, peaks[name] = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        gc.enable()
        assert now < 2 * x.nbytes + 20_000, name
        assert found[0] == pytest.approx(f(x))
    assert peaks["root of n"] < peaks["plain"] / 3
    assert np.allclose(grad(_long(144, 12, checkpoint))(x), grad(_long(144, 12, plainly))(x), rtol=1e-12)


def test_the_cost_table_has_both_tapes_and_the_price():
    plain, own = (trace(_long(40, 10, wrap), np.zeros(3) + 0.5) for wrap in (plainly, checkpoint))
    saved = own.cost.saved
    assert plain.cost.saved is None
    assert (saved.calls, saved.again) == (4, plain.cost.operations["f"] - 2)  # all but the sum
    assert (own.cost.rows, saved.rows) == (6, plain.cost.rows)
    assert saved.memory == pytest.approx(plain.cost.memory, rel=0.1)
    assert own.cost.memory < saved.peak < saved.memory
    assert own.cost.operations["f"] == plain.cost.operations["f"]
    assert own.cost.operations["reverse"] >= plain.cost.operations["reverse"] + saved.again
    for text in (own.cost.to_text(), own.cost.to_html(), own.cost.to_markdown()):
        assert "tape with 4 checkpoints" in text
        assert "tape if everything were stored" in text
        assert "360 operations" in text
    inner = checkpoint(step)
    nested = trace(checkpoint(lambda x: inner(inner(x))), 1.0).cost.saved
    assert (nested.calls, nested.rows, nested.again) == (1, 9, 16)


def test_what_a_report_shows_and_writes():
    def block(x, w):
        return np.tanh(w * x) if np.sum(x) > 0 else x * w**2

    r = trace(lambda w, x: np.sum(checkpoint(block)(checkpoint(block)(x, w), w)), W, X)
    assert [row.expression for row in r.rows] == ["w", "x", "block(v2, v1)", "block(v3, v1)", "np.sum(v4)"]
    assert r.check()
    turned = r.at({"x": -X})  # the other branch: the call is run again
    assert turned.value == pytest.approx(np.sum(block(block(-X, W), W)))
    assert np.allclose(turned.grad["w"], grad(lambda w: np.sum(block(block(-X, w), w)))(W), rtol=1e-12)
    for result, at in ((r, 1.5 * X), (turned, -X)):
        for kind in ("forward", "reverse"):
            names: dict[str, Any] = {}
            exec(result.code(kind), names)
            value, slopes = names["derivative"](W, at)
            assert value == pytest.approx(np.sum(block(block(at, W), W)))
            assert np.allclose(slopes["w"], grad(lambda w, at=at: np.sum(block(block(at, w), w)))(W), rtol=1e-12)
    assert not [line for line in r.code("reverse").splitlines() if "block" in line and "# line" not in line]
    assert "Math.tanh" in javascript(r.run)


def test_interleaved_and_in_a_cell(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell(
        "import math\nfrom ad_magic import checkpoint\n@checkpoint\ndef wave(x):\n    return x * math.sin(x)",
        silent=True,
    )
    cell = "scale = x * 2\n@checkpoint\ndef inner(v):\n    return scale * v\ny = wave(inner(x)) + checkpoint(inner)(x)"
    answers = {}
    for mode in ("both", "forward", "reverse"):
        assert shell.run_cell(f"%%grad x=0.7 -o r_ -q --mode {mode}\n{cell}", silent=True).success
        r = shell.user_ns["r_"]
        answers[mode] = r.value, r.grad["x"]
        assert type(shell.user_ns["scale"]) is float
    assert answers["both"] == pytest.approx(answers["forward"], rel=1e-14)
    assert answers["both"] == pytest.approx(answers["reverse"], rel=1e-14)
    names: dict[str, Any] = {}
    exec(r.code("interleaved"), names)
    assert "checkpoint" not in names
    value, slopes = names["derivative"](0.7)
    assert (value, slopes["x"]) == pytest.approx(answers["both"], rel=1e-12)
    shell.run_cell("g_ = __import__('ad_magic').grad(lambda t: wave(t * scale))(0.3)", silent=True)
    assert shell.user_ns["g_"] == pytest.approx(1.4 * (math.sin(0.42) + 0.42 * math.cos(0.42)))


# ---- what goes wrong -----------------------------------------------------------------------------


def test_a_function_that_gives_something_else_again_is_refused(shell):
    with pytest.raises(ValueError, match=r"line \d+: run again for its derivative, the function gives something else"):
        grad(checkpoint(lambda x: x * random.random()))(1.0)
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import random\nfrom ad_magic import checkpoint", silent=True)
    done = shell.run_cell("%%grad x=1\ny = checkpoint(lambda v: v * random.random())(x)", silent=True)
    assert str(done.error_in_exec).startswith("line 2: run again for its derivative, the function gives something else")
    assert type(done.error_in_exec).__name__ == "UsageError"
    constants = [1.0, 2.0]

    def changed(x):
        y = checkpoint(lambda x: x * sum(constants))(x)
        constants.append(3.0)
        return y

    with pytest.raises(ValueError, match="Give it what changes as an argument"):
        grad(changed)(1.0)


def test_what_it_raises_and_what_it_may_not_do():
    def raises(x):
        raise KeyError("mine")

    def writes(x):
        x[0] = 1.0
        return np.sum(x)

    with pytest.raises(KeyError, match="mine"):
        grad(checkpoint(raises))(1.0)
    with pytest.raises(TypeError, match=r"writes writes into an array that it was given or r"):
        grad(lambda w: checkpoint(writes)(w * 1))(W)
    with pytest.raises(TypeError, match="returned a str without a number"):
        grad(checkpoint(lambda x: "text"))(1.0)
    with pytest.raises(TypeError, match="is of a function, not of a float"):
        checkpoint(1.0)
    with pytest.raises(TypeError, match=r"functools\.partial"):
        grad(lambda x: checkpoint(functools.partial(step, x))())(1.0)
    hidden = {1.0}

    def reads_a_set(x):
        return x * max(hidden)

    def hides(x):
        hidden.clear()
        hidden.add(x)
        return checkpoint(reads_a_set)(2.0 * x)

    with pytest.raises(TypeError, match="cannot be seen where reads_a_set has a number from"):
        grad(hides)(1.0)
    for lost in (lambda x: (x, {x}), lambda x: [x, lambda: x], lambda x: (x, Plain(x))):
        with pytest.raises(TypeError, match="in which a derivative would be lost"):
            grad(lambda x, f=lost: checkpoint(f)(x)[0])(1.0)
    assert grad(checkpoint(functools.partial(step, k=2.0)))(1.0) == grad(lambda x: step(x, 2.0))(1.0)


def test_a_number_that_it_leaves_elsewhere_would_have_no_derivative():
    history: list[Any] = []
    memo: dict[str, Any] = {}
    total, buffer = 0.0, np.zeros((2, 2))
    view = buffer[0]

    @dataclass
    class Holder:
        last: Any = None

    holder = Holder()

    def appends(x):
        history.append(x * x)
        return x

    def remembers(x):
        memo["x"] = [x * 2]
        return x

    def adds(x):
        nonlocal total
        total = total + x
        return x

    def keeps(x):
        holder.last = x
        return x

    for f in (appends, remembers, adds, keeps):
        with pytest.raises(TypeError, match=f"{f.__name__} leaves a number in a variable, a list or an object"):
            grad(lambda x, f=f: checkpoint(f)(x) * 2)(1.5)

    def writes(x):
        buffer[0] = x
        return x + view[0]

    with pytest.raises(TypeError, match="writes writes into an array that it was given or reads"):
        grad(checkpoint(writes))(1.5)
    assert buffer.flags.writeable
    counted: list[Any] = []

    def counts(x):
        counted.append("once")
        own = [x]
        own.append(x * own[0])
        scratch = np.zeros(2)
        scratch[1] = own[1]
        return scratch.sum()

    assert grad(checkpoint(counts))(1.5) == 3.0
    assert counted == ["once"] * 2


def test_it_is_run_again_for_each_sweep_and_never_for_its_value():
    runs = []

    @checkpoint
    def told(x):
        """Told."""
        runs.append(1)
        return x * x

    assert told.__doc__ == "Told."
    assert told(3.0) == 9.0
    assert len(runs) == 1
    jvp(told, (3.0,), (1.0,))
    assert len(runs) == 2
    grad(told)(3.0)
    assert len(runs) == 4
    jacrev(lambda x: np.array([told(x), x]))(3.0)
    assert len(runs) == 6
