"""The one reverse sweep of `value_and_grad`: what it may drop, and whose memory it may use again."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import swept

from ad_magic.engine.arrays import quick
from ad_magic.engine.arrays.spare import BIG
from ad_magic.engine.codes import changes_nothing
from ad_magic.transforms import grad, value_and_grad

SIDE = 70  # of the square matrices below: big enough that their memory is used again
assert SIDE * SIDE * 8 >= BIG


def matrix(seed, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=(SIDE, SIDE)) / np.sqrt(SIDE)


def by_complex_step(f, arguments, directions):
    """The derivative of f along a direction, without a look at any rule."""
    step = 1e-30
    moved = [x + 1j * step * d for x, d in zip(arguments, directions, strict=True)]
    return f(*moved).imag / step


def along(gradient, directions):
    return sum(np.sum(g * d) for g, d in zip(gradient, directions, strict=True))


def test_a_second_look_after_a_nan_finds_all_values():
    """sqrt(x²) at 0 gives 0 · inf; the careful sweep that follows needs what the first one used."""

    def f(x):
        s = np.sqrt(x * x)
        return np.sum(np.where(x > 0, s * s, 0.0) * np.array([1.0, 2.0, 3.0]))

    value, gradient = value_and_grad(f)(np.array([0.0, 1.0, 2.0]))
    assert value == 14.0
    assert gradient == pytest.approx([0.0, 4.0, 12.0])  # d/dx k x² = 2 k x


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_second_look_after_a_nan_sums_over_broadcast_axes():
    def f(x, w):
        return np.sum(np.where(x[:, None] > 0, np.log(x[:, None] * w), 0.0))

    _, (by_x, by_w) = value_and_grad(f, argnums=(0, 1))(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0]))
    assert by_x == pytest.approx([0.0, 2.0, 1.0])  # two terms of 1 / x
    assert by_w == pytest.approx([2.0, 1.0])  # two rows of 1 / w


def test_what_is_remembered_of_a_function_does_not_keep_it():
    def made():
        data = np.ones(5)
        return lambda w: np.sum(w * data)

    f = made()
    kept = weakref.ref(f)
    value_and_grad(f)(np.ones(5))
    value_and_grad(f)(np.ones(5))
    del f
    assert kept() is None


# ---- memory that is used again -------------------------------------------------------------------


def test_memory_is_used_again(monkeypatch):
    """Else the tests below show nothing."""
    found = []
    monkeypatch.setattr(quick, "room", lambda *a, room=quick.room: found.append(room(*a)) or found[-1])
    x, v = matrix(1), matrix(2)
    value_and_grad(lambda w: np.mean(np.tanh(np.tanh(x @ w + 1.0) @ v + 0.5)))(matrix(3))
    assert sum(z is not None for z in found) >= 2


def test_what_the_user_keeps_stays_as_it_was():
    x, w, v, b = matrix(1), matrix(2), matrix(3), matrix(4)[0]
    kept = []

    def f(w, v, b, keep):
        a = x @ w
        keep(a)
        keep((a + b).T)
        keep((a + b)[3:, ::2])
        keep(np.reshape(a + 1.0, -1))
        h = np.tanh(a + b)
        keep(h)
        u = h @ v
        keep(u - 1.0)
        del a, h
        return np.mean(np.exp(-(u + b) * u))

    value_and_grad(lambda w, v, b: f(w, v, b, kept.append), argnums=(0, 1, 2))(w, v, b)
    expected = []
    f(w, v, b, expected.append)
    for got, wanted in zip(kept, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(got), wanted)


def test_an_array_in_an_array_of_objects_stays_as_it_was():
    """NumPy's loops over objects hold them by the one reference that the array of objects has."""
    x = matrix(1)
    seen = []

    def f(w):
        box = np.empty(2, dtype=object)
        box[0], box[1] = x @ w, x @ w + 1.0
        sums = box + 1.0
        t = np.tanh(np.tanh(x @ w + 0.5) @ x)
        seen.extend(np.sum(y) for y in (*box, *sums))
        return np.sum(t) + np.sum(box[0] * box[1]) + np.sum(sums[0])

    def plain(w):
        return np.sum(np.tanh(np.tanh(x @ w + 0.5) @ x)) + np.sum((x @ w) * (x @ w + 1.0)) + np.sum(x @ w + 1.0)

    w, d = matrix(2), matrix(3)
    value, gradient = value_and_grad(f)(w)
    assert value == pytest.approx(plain(w), rel=1e-12)
    assert along([gradient], [d]) == pytest.approx(by_complex_step(plain, [w], [d]), rel=1e-10)
    xw = x @ w
    assert [float(s) for s in seen] == pytest.approx([xw.sum(), (xw + 1).sum(), (xw + 1).sum(), (xw + 2).sum()])


def test_a_value_that_is_asked_for_late():
    """A sum asks for none of its operands; a product of it, much later, does, also with something small."""
    x, w, v, c = matrix(1), matrix(2), matrix(3), matrix(4)[:1]

    def f(w, v, c):
        s = x @ w + c
        t = np.tanh(s)
        u = t @ v + c
        small = c * 2.0
        scaled = small * s  # the small one comes first
        del s
        r = np.exp(-u) + scaled
        q = r @ w
        return np.sum(q * r) + np.sum(u - 1.0)

    arguments, directions = (w, v, c), (matrix(5), matrix(6), matrix(7)[:1])
    _, gradient = value_and_grad(f, argnums=(0, 1, 2))(*arguments)
    assert along(gradient, directions) == pytest.approx(by_complex_step(f, arguments, directions), rel=1e-10)


def test_the_slope_of_tanh_where_it_is_flat():
    x = np.linspace(-40.0, 40.0, 3 * SIDE * SIDE)
    slopes = grad(lambda x: np.sum(np.tanh(x)))(x)
    np.testing.assert_allclose(slopes, 1 / np.cosh(x) ** 2, rtol=1e-13)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_second_look_where_memory_was_used_again():
    """d/dx of √(Σ x²) · 0 is absent, not NaN, and the rest of the program has its derivative."""
    x, d = matrix(1), matrix(3)

    def f(w):
        nothing = (w - w) @ x
        h = np.tanh(np.tanh(w @ x + 1.0) @ x)
        return np.sum(h) + np.sum(np.where(nothing > 1, np.sqrt(nothing), 0.0))

    w = matrix(2)
    _, gradient = value_and_grad(f)(w)
    wanted = by_complex_step(lambda w: np.sum(np.tanh(np.tanh(w @ x + 1.0) @ x)), [w], [d])
    assert along([gradient], [d]) == pytest.approx(wanted, rel=1e-10)


STEPS = {
    "product": lambda a, b: a @ b,
    "turned": lambda a, b: a.T @ b,
    "sum": lambda a, b: a + b,
    "row": lambda a, b: a + b[0],
    "column": lambda a, b: a * b[:, :1],
    "times": lambda a, b: a * b,
    "less": lambda a, b: 1.0 - a,
    "tanh": lambda a, b: np.tanh(a),
    "of a sum": lambda a, b: np.tanh(a @ b + b[0]),
    "exp": lambda a, b: np.exp(-a),
    "square": lambda a, b: a**2,
    "over": lambda a, b: a / (b * b + 1.0),
    "general": lambda a, b: np.einsum("ij,ij->ij", a, b),
    "cut": lambda a, b: np.concatenate([a[:20], b[20:]]),
}


@swept
@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=12)
)
def test_drawn_programs(steps):
    """Any order of operations, any of their results still in use."""

    def f(w, v):
        held = [w, v]
        for name, i, j in steps:
            z = STEPS[name](held[i % len(held)], held[j % len(held)])
            held.append(np.tanh(z) if name == "product" else z * 0.5)
            if len(held) > 4:
                del held[(i + j) % 3]
        return sum(np.mean(z) for z in held)

    arguments, directions = (matrix(1), matrix(2)), (matrix(3), matrix(4))
    value, gradient = value_and_grad(f, argnums=(0, 1))(*arguments)
    assert value == pytest.approx(f(*arguments), rel=1e-12, abs=1e-12)
    wanted = by_complex_step(f, arguments, directions)
    assert along(gradient, directions) == pytest.approx(wanted, rel=1e-8, abs=1e-12)


def test_nothing_waits_for_the_collector():
    x, w = matrix(1), matrix(2)

    def f(w):
        return np.mean(np.sum(np.tanh(x @ w), axis=0)[2:] ** 2) + np.var(w)

    value_and_grad(f)(w)
    gc.collect()
    gc.disable()
    try:
        value_and_grad(f)(w)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_derivative_of_a_derivative_of_big_arrays():
    """The Hessian of Σ tanh(x)² / 2 is diagonal: t'² + t t'' with t' = 1 - t² and t'' = -2 t t'."""
    x = np.linspace(-3.0, 3.0, SIDE * SIDE)
    inner = grad(lambda x: np.sum(np.tanh(x) ** 2) / 2)
    t = np.tanh(x)
    slope = 1 - t * t
    np.testing.assert_allclose(grad(lambda x: np.sum(inner(x)))(x), slope**2 - 2 * t * t * slope, atol=1e-12)


# ---- what is not copied --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "writes",
    [
        lambda w: np.add(w, 1.0, w),
        lambda w: np.add(*(w, 1.0, w)),
        lambda w: np.negative(w, w),
        lambda w: np.cumsum(w, 0, None, w),
        lambda w: w.max(0, np.zeros(())) + np.add(w, w, w),
        lambda w: np.add(w, 1.0, out=w),
        lambda w: w.__iadd__(1.0),
        lambda w: w.byteswap(True),
        lambda w: w.fill(0.0),
        lambda w: np.nan_to_num(w * np.nan + w, copy=False),
    ],
)
def test_a_later_write_does_not_change_what_was_used(writes):
    """The function writes to the caller's arrays behind our back: an argument, and a constant."""
    given, constant = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])

    def f(x):
        y = np.sum(x * x * constant)
        writes(given)
        writes(constant)
        return y

    _, gradient = value_and_grad(f)(given)
    assert gradient == pytest.approx([8.0, 20.0, 36.0])  # 2 x c
    assert not changes_nothing(writes.__code__) or "fill" in writes.__code__.co_names


def assigned_to_a_slot(w):
    w[0] = 1.0


def assigned_to_an_attribute(w):
    w.real = 1.0


def added_to(w):
    w += 1.0


def inside(w):
    return [np.add(x, 1.0, x) for x in w]


@pytest.mark.parametrize("function", [assigned_to_a_slot, assigned_to_an_attribute, added_to, inside])
def test_what_changes_an_array(function):
    assert not changes_nothing(function.__code__)


def test_what_changes_none():
    assert changes_nothing((lambda x, w: np.mean(np.tanh(x @ w + 1.0) ** 2, axis=0, keepdims=True)).__code__)


def test_the_gradient_is_the_callers_own():
    w, v = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    for f in (lambda w, v: np.sum(w * v), lambda w, v: w @ v, lambda w, v: np.sum(w) + np.sum(v.T)):
        _, gradient = value_and_grad(f, argnums=(0, 1))(w, v)
        for g in gradient:
            assert not np.shares_memory(g, w)
            assert not np.shares_memory(g, v)
            g += 1.0
    assert w.tolist() == [1.0, 2.0]


def test_a_loop_that_changes_its_arrays():
    """w ← w - w / 2 halves w."""
    w = np.array([8.0, 16.0])
    derivative = value_and_grad(lambda w: np.sum(w * w) / 4)
    for _ in range(3):
        _, g = derivative(w)
        w -= g
    assert w.tolist() == [1.0, 2.0]
