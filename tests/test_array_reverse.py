"""The one reverse sweep of `value_and_grad`: what it may drop, and whose memory it may use again."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from ad_magic.transforms import value_and_grad


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
