"""Random programs on arrays: forward, reverse and the complex step of NumPy itself agree.

A program is a few lines drawn from templates; each takes arrays that are there and makes a new one. The oracle
runs the same lines with plain NumPy on complex numbers (Squire & Trapp 1998): no derivative rule takes part in it.
"""

from __future__ import annotations

import ast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ad_magic.cell.run import compile_cell, run_program
from ad_magic.report.result import Result

SHAPES = [(3,), (4,), (2, 3), (3, 2), (3, 3), (2, 1, 3), (1, 4)]

# Of one array a: analytic near the real axis, and tame, so that a chain of them stays of order one.
UNARY = [
    "np.sin({a})", "np.cos({a})", "np.tanh({a})", "np.arctan({a} / 3)", "np.exp(-{a} * {a})", "np.log(3 + np.sin({a}))",
    "np.sqrt(2 + np.cos({a}))", "1 / (2 + {a} * {a})", "{a} ** 3 / 4", "np.square({a}) / 2", "np.expm1({a} / 2)",
    "np.log1p({a} * {a})", "np.arcsinh({a})", "np.sinh({a} / 2)", "2.5 ** ({a} / 2)", "-{a}", "{a} - {a}.mean()",
    "{a}.T", "{a}.ravel()", "{a}[::-1]", "{a}[..., ::2]", "{a}[..., [0, -1, 0]]", "{a}[..., None]",
    "{a}[{a}.real > -9]",
    "np.sum({a}, axis=0, keepdims=True)", "np.mean({a}, axis=-1, keepdims=True)", "np.cumsum({a}, axis=-1)",
    "np.cumprod(1 + {a} / 4, axis=0)", "np.prod(1 + {a} / 3, axis=-1, keepdims=True)", "np.roll({a}, 1)",
    "np.flip({a}, -1)", "np.tile({a}, 2)", "np.repeat({a}, 2, axis=0)", "np.pad({a}, 1)", "np.diff({a}, axis=-1)",
    "np.concatenate([{a}, 2 * {a}], axis=-1)", "np.stack([{a}, np.sin({a})])", "np.expand_dims({a}, 0)",
    "np.where(np.arange({a}.size).reshape({a}.shape) % 2 == 0, {a}, {a} * {a})",
    "np.einsum('...i->...', {a})[..., None]",
    "np.einsum('...i,...i->...i', {a}, {a})", "np.multiply.outer({a}.ravel()[:3], {a}.ravel()[:2])", "{a} @ {a}.T / 2",
    "np.dot({a}.ravel(), {a}.ravel()) / 4 + np.zeros(2)", "np.var({a}, axis=-1, keepdims=True)",
    "np.array({a}.tolist())",
    "np.linalg.solve(4 * np.eye({a}.shape[-1]), np.moveaxis({a}, -1, 0).reshape({a}.shape[-1], -1))",
    "np.linalg.inv(5 * np.eye(2) + np.outer({a}.ravel()[:2], {a}.ravel()[-2:]))",
    "np.linalg.det(3 * np.eye(2) + np.outer({a}.ravel()[:2], {a}.ravel()[-2:])) + np.zeros(1)",
    "np.array([{a}.ravel()[0], 1.0, {a}.ravel()[-1] ** 2])", "np.gradient({a}.ravel())",
    "np.trapezoid({a}, axis=-1)[..., None]",
    "np.convolve({a}.ravel(), [0.5, 0.25])", "np.kron({a}.ravel()[:2], np.array([1.0, 2.0]))",
    "np.fft.ifft(np.fft.fft({a})).real",
]  # fmt: skip
BINARY = [
    "{a} + {b}",
    "{a} - {b}",
    "{a} * {b}",
    "{a} / (3 + {b} * {b})",
    "np.maximum({a}, -9) * {b}",
    "(2 + np.cos({a})) ** {b}",
]
# Statements: written in place, through views too.
STATEMENTS = [
    ["{v} = {a}.copy()", "{v}[..., 0] = 2.0", "{v} *= 1.5"],
    ["{v} = {a} * 1.0", "{v}[..., 0] += np.sin({a}[..., -1])"],
    ["{v} = np.zeros({a}.shape, {a}.dtype)", "{v}[...] = {a}", "w_ = {v}[..., :1]", "w_ += {a}[..., :1] ** 2"],
    ["{v} = {a} + 0.0", "{v}.T[0] = np.cos({v}.T[-1])", "{v} -= {v}.sum() / 9"],
    ["{v} = {a}.ravel() * 2", "for k_ in range(1, {v}.size):", "    {v}[k_] += np.sin({v}[k_ - 1]) / 2"],
]
SKIPPED = (
    "tolist",
    "np.var",
    ".real > -9",
    "maximum",
    "ifft",
)  # not analytic as plain NumPy runs it on complex numbers


def complex_step(source: str, x: np.ndarray) -> np.ndarray:
    """The gradient of y by the complex step, entry by entry."""
    gradient = np.empty(x.shape)
    for position in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[position] += 1e-30j
        names = {"np": np, "x": moved}
        exec(source, names)
        gradient[position] = names["y"].imag / 1e-30
    return gradient


def differences(source: str, x: np.ndarray) -> np.ndarray:
    """The gradient of y by central differences of the fourth order, for what has no complex form."""

    def y(step: float, position: tuple[int, ...]) -> float:
        names = {"np": np, "x": x.copy()}
        names["x"][position] += step
        exec(source, names)
        return float(names["y"])

    h = 2e-3
    weights = ((h, 8), (-h, -8), (2 * h, -1), (-2 * h, 1))
    slopes = [sum(w * y(s, p) for s, w in weights) / (12 * h) for p in np.ndindex(x.shape)]
    return np.array(slopes).reshape(x.shape)


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, np.ndarray]:
    """A source with the input x and the output y, and a value for x."""
    shape = draw(st.sampled_from(SHAPES))
    x = np.array(draw(st.lists(st.integers(-20, 20), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))))
    x = x.reshape(shape) / 10 + 0.013
    lines: list[str] = []
    names: dict[str, np.ndarray] = {"x": x}
    for k in range(draw(st.integers(1, 5))):
        a = draw(st.sampled_from(sorted(names)))
        fresh = f"v{k}"
        kind = draw(st.integers(0, 5))
        if kind == 0:
            made = [line.format(a=a, v=fresh) for line in draw(st.sampled_from(STATEMENTS))]
        elif kind == 1:
            b = draw(st.sampled_from(sorted(names)))
            made = [f"{fresh} = " + draw(st.sampled_from(BINARY)).format(a=a, b=b)]
        else:
            made = [f"{fresh} = " + draw(st.sampled_from(UNARY)).format(a=a)]
        scope = {"np": np, **{name: value.copy() for name, value in names.items()}}
        try:
            with np.errstate(all="raise"):
                exec("\n".join(made), scope)
        except (ValueError, IndexError, TypeError, FloatingPointError, np.linalg.LinAlgError):
            continue  # shapes that do not fit: another line
        value = scope[fresh]
        if isinstance(value, np.ndarray) and 0 < value.size <= 40 and value.ndim <= 4 and np.abs(value).max() < 50:
            lines += made
            names[fresh] = value
    used = " + ".join(f"np.sum(np.sin({name}))" for name in names)
    return "\n".join([*lines, f"y = {used}"]), x


@pytest.mark.skipif(not hasattr(np, "trapezoid"), reason="the templates are written for NumPy 2")
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs())
def test_forward_reverse_and_the_complex_step_agree(program):
    source, x = program
    plain = {"np": np, "x": x.copy()}
    exec(source, plain)
    analytic = not any(word in source for word in SKIPPED)
    want = complex_step(source, x) if analytic else differences(source, x)
    tolerance = 1e-9 if analytic else 1e-3
    scale = max(1.0, float(np.abs(want).max()))
    for mode in ("reverse", "forward"):
        names = {"np": np, "__name__": "__main__"}
        compiled = compile_cell(ast.parse(source), source, "<cell>")
        run, _ = run_program(compiled, names, {"x": x.copy()}, of=("y",), mode=mode)
        result = Result(run)
        assert result.sparsity.pattern[0][np.abs(want.ravel()) > 1e-6].all(), source
        assert result.value == pytest.approx(plain["y"], rel=1e-12), source
        np.testing.assert_allclose(result.grad["x"], want, rtol=0, atol=tolerance * scale, err_msg=f"{mode}\n{source}")
        for name, value in plain.items():  # the namespace is that of a plain run
            if isinstance(value, np.ndarray):
                assert type(names[name]) is np.ndarray, name
                np.testing.assert_allclose(names[name], value, rtol=1e-12, atol=1e-14)
