"""The scalar loop: Rosenbrock's function of n variables, one after the other, under every kind of number."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ad_magic.engine.dual import Dual
from ad_magic.engine.tape import Tape, reverse_sweep
from ad_magic.engine.traced import Traced

from .table import Row, times_faster, times_slower
from .timing import side_by_side, with_deep_stack

MICROGRAD, TORCH, DUAL = 8, 15, 20  # the budgets


def rosenbrock(x: Sequence[Any]) -> Any:
    """As everybody writes it."""
    total = 0.0
    for i in range(len(x) - 1):
        total = total + 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def with_products(x: Sequence[Any]) -> Any:
    """The same function without powers, which are slow also for floats: the hardest ratio to keep."""
    total = 0.0
    for i in range(len(x) - 1):
        u = x[i + 1] - x[i] * x[i]
        v = 1.0 - x[i]
        total = total + 100.0 * (u * u) + v * v
    return total


def point(n: int) -> list[float]:
    return [math.sin(i) for i in range(1, n + 1)]


# ---- the gradient, from each contender, and what the contender keeps for it ------------------------------------------

Gradient = tuple[list[float], Any]


def by_hand(x: Sequence[float]) -> list[float]:
    g = [0.0] * len(x)
    for i in range(len(x) - 1):
        u = x[i + 1] - x[i] ** 2
        g[i] += -400.0 * u * x[i] - 2.0 * (1.0 - x[i])
        g[i + 1] += 200.0 * u
    return g


def ours(x: Sequence[float], function: Callable[[Sequence[Any]], Any] = rosenbrock) -> Gradient:
    tape = Tape(located=0)
    inputs = [Traced.input(tape, value) for value in x]
    output = function(inputs)
    columns = tape.close()
    adjoints = reverse_sweep(columns, {output.index: 1.0})
    return [adjoints[v.index] for v in inputs], (columns, adjoints, inputs)


def micrograd(x: Sequence[float]) -> Gradient:
    from micrograd.engine import Value

    inputs = [Value(value) for value in x]
    output = rosenbrock(inputs)
    output.backward()
    return [v.grad for v in inputs], (output, inputs)


def pytorch(x: Sequence[float]) -> Gradient:
    import torch

    inputs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in x]
    output = rosenbrock(inputs)
    output.backward()
    return [v.grad.item() for v in inputs], (output, inputs)


PEERS = {"micrograd": (micrograd, MICROGRAD), "torch": (pytorch, TORCH)}


def peer_version(name: str) -> str | None:
    """The version of a peer, None where it is not installed."""
    try:
        __import__(name)
        return version(name)
    except (ImportError, PackageNotFoundError):
        return None


def check(gradient: Sequence[float], expected: Sequence[float], who: str) -> None:
    """Refuse to time a contender that computes something else."""
    for i, (found, wanted) in enumerate(zip(gradient, expected, strict=True)):
        if not abs(found - wanted) <= 1e-9 * max(1.0, abs(wanted)):
            raise SystemExit(f"{who}: the derivative with respect to x[{i}] is {found!r}, by hand it is {wanted!r}")


def reverse_rows(n: int, rounds: int) -> list[Row]:
    """Record + reverse, from plain numbers to the list of derivatives.

    The budget is asked of programs as they run: Python's garbage collector is on, and the graph is given back. The
    computation alone, with the collector on and off, is for information.
    """
    x = point(n)
    here = {name: function for name, (function, _) in PEERS.items() if peer_version(name)}
    contenders = {"ad_magic": ours, **here}

    def measure() -> list[dict[str, list[float]]]:
        expected = by_hand(x)
        for who, function in contenders.items():
            check(function(x)[0], expected, who)
        calls = {who: (lambda f=function: f(x)) for who, function in contenders.items()}
        return [
            side_by_side(calls, max(3, rounds // 3), whole=True),
            side_by_side(calls, rounds, collecting=True),
            side_by_side(calls, rounds),
        ]

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10_000 + 20 * n))  # micrograd walks the graph by recursion
    try:
        measured = with_deep_stack(measure)
    finally:
        sys.setrecursionlimit(limit)
    rows = []
    for name, (_, budget) in PEERS.items():
        title = f"record + reverse, against {name}"
        if name not in here:
            rows.append(Row(f"{title}: not installed", budget=f"≥ {budget} ×"))
            continue
        details = ("    before the graph is given back", "    the same, without garbage collection")
        for what, times in zip((f"{title} {peer_version(name)}", *details), measured, strict=True):
            rows.append(times_faster(what, times["ad_magic"], times[name], None if what in details else budget, n))
    return rows


# ---- one directional derivative --------------------------------------------------------------------------------------


def jvp(x: Sequence[float], direction: Sequence[float], function: Callable[[Sequence[Any]], Any] = rosenbrock) -> float:
    tape = Tape(limit=0)  # nothing is recorded
    return function([Dual.input(tape, value, t) for value, t in zip(x, direction, strict=True)]).tangent


def forward_rows(n: int, rounds: int) -> list[Row]:
    """Dual numbers along one direction, against the plain float loop."""
    x = point(n)
    direction = [math.cos(i) for i in range(n)]
    expected = sum(g * t for g, t in zip(by_hand(x), direction, strict=True))
    rows = []
    for title, function, budget in (
        ("dual numbers, one direction, against floats", rosenbrock, DUAL),
        ("    the same, squares written as products", with_products, None),
    ):
        check([jvp(x, direction, function)], [expected], "ad_magic, forward")
        contenders = {
            "dual": lambda f=function: jvp(x, direction, f),
            "floats": lambda f=function: f(x),
            "reverse": lambda f=function: ours(x, f),
        }
        times = side_by_side(contenders, rounds)
        rows.append(times_slower(title, times["dual"], times["floats"], budget, n))
        if function is rosenbrock:
            reverse = times_slower("record + reverse, against floats", times["reverse"], times["floats"], None, n)
    return [*rows, reverse]
