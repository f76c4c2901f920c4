"""Timing side by side: every contender runs in every round, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

_TURN = 0.02  # seconds that a contender runs in one round: a quick one is called many times


def side_by_side(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, *, collecting: bool = False, disposing: bool = False
) -> dict[str, list[float]]:
    """Seconds for one call of each contender, in each round.

    What a call returns is given up after the clock has stopped, so a contender should return its graph: to give
    memory back is then free for all alike. With `disposing` it is part of the time for all, garbage that only Python's
    collector finds included (micrograd's graph is full of cycles).

    `collecting`: with the collector on while the clock runs, as programs run; off, as in `timeit`. Either way it
    runs before the next contender's turn, and what was imported is not among the objects that it visits.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    gc.freeze()
    try:
        calls = {name: _calls(function) for name, function in contenders.items()}
        for k in range(rounds):
            turn = k % len(names)
            for name in names[turn:] + names[:turn]:  # each is first in its turn
                gc.collect()
                (gc.enable if collecting else gc.disable)()
                times[name].append(sum(_seconds(contenders[name], disposing) for _ in range(calls[name])) / calls[name])
    finally:
        gc.enable()
        gc.unfreeze()
    return times


def _calls(function: Callable[[], Any]) -> int:
    """How many calls make a turn."""
    return max(1, min(1000, round(_TURN / max(_seconds(function), 1e-9))))


def _seconds(function: Callable[[], Any], disposing: bool = False) -> float:
    start = perf_counter()
    result = function()
    if disposing:
        del result
        gc.collect()
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
