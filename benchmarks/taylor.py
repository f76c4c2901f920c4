"""Taylor coefficients: a power series through the recorded run, against nested derivatives and jet of JAX."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from ad_magic import grad, taylor

from .rosenbrock import check, peer_version
from .table import Row
from .timing import side_by_side

AT = 0.3
NESTED = 6  # at the order asked for, nested derivatives that are not compiled take minutes
GROWTH = (5, 10, 20, 40)


def f(x: Any) -> Any:
    """The function."""
    return math.exp(math.sin(x)) / (1 + x * x)


def rows(rounds: int, order: int = 10) -> list[Row]:
    """All of it."""
    lower = min(NESTED, order)
    found = [*_by_jax(rounds, order, lower)] if peer_version("jax") else [Row("jax is not installed")]
    ours = side_by_side({"taylor": lambda: taylor(f, AT, order), "nested": lambda: nested(grad, f, lower)(AT)}, rounds)
    return [
        Row(f"order {order}, exp(sin(x)) / (1 + x²): ad_magic.taylor", _time(min(ours["taylor"]))),
        Row(f"    ad_magic.grad, nested {lower} times", _time(min(ours["nested"]))),
        *found,
        *growth_rows(rounds),
    ]


def nested(derivative: Callable[..., Any], function: Callable[..., Any], order: int) -> Callable[..., Any]:
    """The derivative of the derivative of …"""
    for _ in range(order):
        function = derivative(function)
    return function


def growth_rows(rounds: int) -> list[Row]:
    """The cost at higher and higher orders, beside that of the lowest."""
    times = side_by_side({str(n): lambda n=n: taylor(f, AT, n) for n in GROWTH}, rounds)
    first, *_ = times.values()
    return [
        Row(
            f"    ad_magic.taylor, order {n}, beside order {GROWTH[0]}",
            _time(min(ours)),
            ratio=f"{min(ours) / min(first):.1f} ×",
            median=f"{median(a / b for a, b in zip(ours, first, strict=True)):.1f} ×",
        )
        for n, ours in zip(GROWTH, times.values(), strict=True)
    ]


def _by_jax(rounds: int, order: int, lower: int) -> list[Row]:
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    from jax.experimental.jet import jet

    def g(x: Any) -> Any:
        return jnp.exp(jnp.sin(x)) / (1 + x * x)

    def along(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: jax.jvp(function, (x,), (1.0,))[1]

    def terms(x: Any) -> Any:
        return jet(g, (x,), ((1.0, *[0.0] * (order - 1)),))

    def done(function: Callable[..., Any]) -> Callable[[], Any]:
        return lambda: jax.block_until_ready(function(AT))

    compiled = {f"{order} nested jvp": jax.jit(nested(along, g, order)), "jet": jax.jit(terms)}
    eager = {f"jax.grad, nested {lower} times": nested(jax.grad, g, lower), "jax.experimental.jet": terms}
    rows, coefficient = [], taylor(f, AT, order)[order]
    for name, function in eager.items():
        rows.append(Row(f"    {name}, first call", _time(_once(done(function)))))
    for name, function in compiled.items():
        rows.append(Row(f"    jax.jit of {name}, first call: tracing, compiling", _time(_once(done(function)))))
    check([float(compiled[f"{order} nested jvp"](AT)) / math.factorial(order)], [coefficient], "nested jvp")
    check([float(compiled["jet"](AT)[1][-1]) / math.factorial(order)], [coefficient], "jet")
    again = {f"jax.jit of {name}, compiled": done(function) for name, function in compiled.items()}
    times = side_by_side({"jax.experimental.jet, again": done(terms), **again}, rounds)
    return [*rows, *(Row(f"    {name}", _time(min(found))) for name, found in times.items())]


def _once(function: Callable[[], Any]) -> float:
    start = perf_counter()
    function()
    return perf_counter() - start


def _time(seconds: float) -> str:
    """In a unit that fits."""
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
