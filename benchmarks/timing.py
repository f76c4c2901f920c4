"""Timing side by side: every contender runs in every round, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

_LEAST = 0.02  # seconds that a contender runs in one round, at least: a quick one is called many times


def side_by_side(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, *, collecting: bool
) -> dict[str, list[float]]:
    """Seconds for one call of each contender, in each round.

    `collecting`: with Python's garbage collector on, as programs run; off, as in `timeit`, where a graph with cycles
    (micrograd's) costs nothing. Either way the garbage of one contender is cleared away before the clock of the next
    starts, and what was imported is not among the objects that a collection visits.
    """
    calls = {name: max(1, round(_LEAST / max(_seconds(function, 1), 1e-9))) for name, function in contenders.items()}
    calls = {name: min(n, 1000) for name, n in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    gc.freeze()
    try:
        for k in range(rounds):
            for name in names[k % len(names) :] + names[: k % len(names)]:  # each is first in its turn
                gc.collect()
                (gc.enable if collecting else gc.disable)()
                times[name].append(_seconds(contenders[name], calls[name]))
    finally:
        gc.enable()
        gc.unfreeze()
    return times


def _seconds(function: Callable[[], Any], calls: int) -> float:
    start = perf_counter()
    for _ in range(calls):
        function()
    return (perf_counter() - start) / calls


def with_deep_stack(function: Callable[[], Any], megabytes: int = 512) -> Any:
    """The result of a function run in a thread with a big stack, for a contender that recurses."""
    result: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            result.append(function())
        except BaseException as error:
            errors.append(error)

    before = threading.stack_size(megabytes * 2**20)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    if errors:
        raise errors[0]
    return result[0]
