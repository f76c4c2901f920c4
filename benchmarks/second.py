"""Second derivatives: Hessians, and products with them, against the peers; for information, there is no budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from ad_magic import hessian, hvp
from ad_magic.cell.second import hessian as hessian_of_run
from ad_magic.cell.second import product as product_of_run

from .rosenbrock import check, peer_version
from .table import Row
from .timing import side_by_side

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Second:
    """A function of one vector, written for any NumPy: `f(np)` is the function. `whole`: its Hessian too."""

    title: str
    f: Callable[[Any], Function]
    point: Any
    whole: bool = True


def _rosenbrock(np: Any) -> Function:
    return lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def _network(np: Any, points: Any, labels: Any, hidden: int) -> Function:
    """A layer of tanh and a sum, its weights in one vector."""
    size = points.shape[1] * hidden

    def loss(w: Any) -> Any:
        out = np.tanh(points @ w[:size].reshape((-1, hidden))) @ w[size:]
        return np.mean((out - labels) ** 2)

    return loss


def functions() -> list[Second]:
    """The functions that are measured."""
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(64, 8)), rng.normal(size=64)

    def network(of: Any) -> Function:
        native = of.tensor if hasattr(of, "tensor") else of.asarray  # PyTorch's, or NumPy's and its like
        return _network(of, native(points), native(labels), 8)

    return [
        Second("Rosenbrock, n = 30", _rosenbrock, np.sin(np.arange(1.0, 31))),
        Second("Rosenbrock, n = 3000", _rosenbrock, np.sin(np.arange(1.0, 3001)), whole=False),
        Second("network 8-8-1, batch 64", network, 0.3 * rng.normal(size=72)),
    ]


def rows(rounds: int) -> list[Row]:
    """For each function a product with the Hessian, and of those with few variables the Hessian."""
    found = []
    for one in functions():
        v = np.cos(np.arange(float(len(one.point))))
        for kind in ("product", "Hessian") if one.whole else ("product",):
            calls = dict(_contenders(one, v, kind == "Hessian"))
            expected = np.ravel(next(iter(calls.values()))()).tolist()
            for name, call in calls.items():
                check(np.ravel(np.asarray(call())).tolist(), expected, f"{one.title}, {name}")
            found += _rows(f"{one.title}, {kind}", side_by_side(calls, rounds, whole=True))
    return [
        *found,
        *(Row(f"    {name}: not installed") for name in ("autograd", "jax", "torch") if not peer_version(name)),
    ]


def _contenders(one: Second, v: Any, whole: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    """By name what computes a product with v, or the whole Hessian, from the plain point."""
    x = one.point
    ours = one.f(np)
    yield "ad_magic", lambda: hessian(ours)(x) if whole else hvp(ours, (x,), (v,))
    from ad_magic import trace

    run = trace(lambda x: ours(x), x).run
    yield "ad_magic, of a recorded run", lambda: hessian_of_run(run) if whole else product_of_run(run, v)
    if peer_version("autograd"):
        import autograd
        import autograd.numpy as anp

        theirs = one.f(anp)
        hv = autograd.hessian_vector_product(theirs)
        yield f"autograd {peer_version('autograd')}", lambda: autograd.hessian(theirs)(x) if whole else hv(x, v)
    if peer_version("jax"):
        yield from _jax(one, x, v, whole)
    if peer_version("torch"):
        yield from _torch(one, x, v, whole)


def _jax(one: Second, x: Any, v: Any, whole: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    theirs = one.f(jnp)

    def derivative(x: Any, v: Any) -> Any:
        return jax.hessian(theirs)(x) if whole else jax.jvp(jax.grad(theirs), (x,), (v,))[1]

    compiled = jax.jit(derivative)
    version = peer_version("jax")
    yield f"jax {version}", lambda: np.asarray(derivative(jnp.asarray(x), jnp.asarray(v)))
    yield f"jax {version}, compiled beforehand", lambda: np.asarray(compiled(jnp.asarray(x), jnp.asarray(v)))


def _torch(one: Second, x: Any, v: Any, whole: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    import torch

    theirs, point, along = one.f(torch), torch.tensor(x), torch.tensor(v)

    def derivative() -> Any:
        if whole:
            return torch.autograd.functional.hessian(theirs, point).numpy()
        return torch.autograd.functional.hvp(theirs, point, along)[1].numpy()

    yield f"torch {peer_version('torch')}", derivative


def _rows(title: str, times: dict[str, list[float]]) -> list[Row]:
    """A row for each contender, ours first, with its ratio to ours; times of the same rounds."""
    ours = times["ad_magic"]
    made = []
    for name, taken in times.items():
        between = median(a / b for a, b in zip(taken, ours, strict=True))
        what = f"{title}: {name}" if name == "ad_magic" else f"    {name}"
        made.append(Row(what, f"{min(taken) * 1e6:.1f} µs", "", f"{min(taken) / min(ours):.2f} ×", f"{between:.2f} ×"))
    return made
