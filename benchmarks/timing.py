"""Timing side by side: every contender runs in every round, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

_TURN = 0.02  # seconds that a contender runs in one round: a quick one is called many times
_LONG_TURN = 0.3  # long enough for the garbage collector to come round


def side_by_side(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, *, collecting: bool = False, whole: bool = False
) -> dict[str, list[float]]:
    """Seconds for one call of each contender, in each round.

    `whole`: as a program runs. The garbage collector is on, and what a call returns (the graph) is given up before
    the clock stops. Otherwise only the computation counts: what a call returns is given up after the clock has stopped,
    and the collector has run before; `collecting` says whether it is on while the clock runs (off, as in `timeit`).
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    try:
        calls = {name: _calls(function, _LONG_TURN if whole else _TURN) for name, function in contenders.items()}
        for k in range(rounds):
            turn = k % len(names)
            for name in names[turn:] + names[:turn]:  # each is first in its turn
                gc.collect()
                (gc.enable if collecting or whole else gc.disable)()
                times[name].append(sum(_seconds(contenders[name], whole) for _ in range(calls[name])) / calls[name])
    finally:
        gc.enable()
    return times


def _calls(function: Callable[[], Any], turn: float) -> int:
    """How many calls make a turn."""
    return max(1, min(1000, round(turn / max(_seconds(function), 1e-9))))


def _seconds(function: Callable[[], Any], whole: bool = False) -> float:
    start = perf_counter()
    result = function()
    if whole:
        del result
    return perf_counter() - start


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
