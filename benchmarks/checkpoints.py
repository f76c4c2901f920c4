"""A long loop over an array, everything stored beside one checkpoint for each √n steps: the peak of memory, and time.

Counted by tracemalloc, without the garbage collector: what a derivative needs at the height of its sweep. With √n
checkpoints the tape has √n rows, and the sweep one piece of √n steps at a time (Griewank & Walther 2008, chapter 12).
"""

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from ad_magic import checkpoint, value_and_grad

from .table import Row
from .timing import side_by_side

LENGTHS = (100, 400, 1_600)
SIZE = 10_000  # entries of the array: 80 kB for each value that is kept


def loop(n: int, wrap: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """n explicit steps of x' = sin(x), in pieces of √n."""
    root = math.isqrt(n)

    def piece(x: Any) -> Any:
        for _ in range(root):
            x = x + 0.01 * np.sin(x)
        return x

    wrapped = wrap(piece)

    def whole(x: Any) -> Any:
        for _ in range(n // root):
            x = wrapped(x)
        return np.sum(x)

    return whole


def peak(derivative: Callable[[Any], Any], x: Any) -> int:
    """The most bytes that there are while a derivative is computed."""
    derivative(x)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        derivative(x)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()


def rows(rounds: int, lengths: tuple[int, ...] = LENGTHS, size: int = SIZE) -> list[Row]:
    """For each length the peaks, and how many times longer it takes."""
    x = np.linspace(0.0, 1.0, size)
    made = []
    for n in lengths:
        plain, own = (value_and_grad(loop(n, wrap)) for wrap in (lambda f: f, checkpoint))
        assert np.allclose(plain(x)[1], own(x)[1], rtol=1e-12)
        times = side_by_side({"own": lambda f=own: f(x), "plain": lambda f=plain: f(x)}, rounds)
        stored, kept = peak(plain, x), peak(own, x)
        slower = f"{min(times['own']) / min(times['plain']):.1f} ×"
        root = math.isqrt(n)
        made.append(Row(f"{n:,} steps, {root} checkpoints", _mb(kept), _mb(stored), f"{kept / stored:.2f} ×", slower))
    return made


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
