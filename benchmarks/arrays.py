"""Programs of arrays: the value and the gradient, against what an expert writes by hand, and against the peers."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from ad_magic import value_and_grad
from ad_magic.cell.run import compile_cell, run_program
from ad_magic.report.result import Result

from .programs import Derivative, Program, gaussian_process, mlp, moons, rnn, train
from .rosenbrock import check, peer_version
from .table import Row
from .timing import side_by_side

SMALL, LARGE = 4, 1.15  # the budgets: at most so many times what the program by hand takes


# ---- the contenders: from plain numbers and arrays to the value and the plain derivatives ----------------------------


def ours(program: Program) -> Derivative:
    return value_and_grad(program.loss, argnums=_all(program))


def as_a_cell(program: Program) -> Derivative:
    """The body of the program as the text of a cell, from the text to the derivative, as the magic does it."""
    source = body(program)
    names = list(inspect.signature(program.loss).parameters)
    constants = {"np": np, **inspect.getclosurevars(program.loss).nonlocals}

    def derivative(*arguments: Any) -> tuple[Any, Any]:
        namespace = {**constants, **dict(zip(names, arguments, strict=True))}
        cell = compile_cell(ast.parse(source), source, "<cell>")
        run, value = run_program(cell, namespace, dict.fromkeys(names), mode="reverse")
        found = Result(run).grad
        return value, [found[name] for name in names]

    return derivative


def body(program: Program) -> str:
    """What is inside the function, its result the trailing expression."""
    lines = inspect.getsource(program.loss).splitlines()[1:]
    return textwrap.dedent("\n".join(lines)).replace("return ", "")


def with_autograd(program: Program) -> Derivative:
    """The same text, with autograd's NumPy for NumPy."""
    import autograd

    own = program.loss
    names = {**own.__globals__, "np": autograd.numpy}
    loss = types.FunctionType(own.__code__, names, own.__name__, own.__defaults__, own.__closure__)
    return autograd.value_and_grad(loss, _all(program))


def with_mygrad(program: Program) -> Derivative:
    """The same text, given tensors."""
    import mygrad

    def derivative(*arguments: Any) -> tuple[Any, Any]:
        leaves = [mygrad.tensor(x, copy=False) for x in arguments]
        value = program.loss(*leaves)
        value.backward()
        return value.item(), [x.grad for x in leaves]

    return derivative


def with_torch(program: Program, threads: int) -> Derivative:
    """The program in PyTorch; its plain arrays are tensors without a gradient."""
    import torch

    loss = program.in_torch()

    def derivative(*arguments: Any) -> tuple[Any, Any]:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        leaves = [x.detach().requires_grad_() for x in arguments]
        value = loss(*leaves)
        return value.item(), torch.autograd.grad(value, leaves)

    return derivative


def as_tensors(arguments: Iterable[Any]) -> tuple[Any, ...]:
    import torch

    return tuple(torch.tensor(x, dtype=torch.float64) for x in arguments)


@dataclass(frozen=True)
class Contender:
    name: str
    make: Callable[[Program], Derivative]
    native: Callable[[tuple[Any, ...]], tuple[Any, ...]] = tuple  # NumPy's arguments as it wants them


OURS = Contender("ad_magic", ours)
CELL = Contender("ad_magic, as a cell from its text", as_a_cell)
BY_HAND = Contender("by hand", lambda program: program.by_hand)


def peers() -> tuple[list[Contender], list[str]]:
    """Those that are installed, and the names of the others."""
    found = [
        Contender(f"{name} {peer_version(name)}", make)
        for name, make in (("autograd", with_autograd), ("mygrad", with_mygrad))
        if peer_version(name)
    ]
    missing = [name for name in ("autograd", "mygrad", "torch") if not peer_version(name)]
    if "torch" not in missing:
        import torch

        for threads in sorted({1, torch.get_num_threads()}):
            name = f"torch {peer_version('torch')}, {threads} thread{'s' if threads > 1 else ''}"
            found.append(Contender(name, lambda program, n=threads: with_torch(program, n), as_tensors))
    return found, missing


def _all(program: Program) -> tuple[int, ...]:
    return tuple(range(len(program.arguments)))


# ---- the rows --------------------------------------------------------------------------------------------------------


def rows(rounds: int, steps: int) -> list[Row]:
    """All the programs; `steps` of the training loop."""
    return [
        *program_rows(mlp(64, 16), rounds, SMALL),
        *program_rows(mlp(256, 128), rounds, LARGE),
        *program_rows(gaussian_process(), rounds),
        *program_rows(rnn(), rounds),
        *training_rows(moons(), rounds, steps),
    ]


def program_rows(program: Program, rounds: int, budget: float | None = None) -> list[Row]:
    """Value and gradient, from plain numbers to plain numbers, until the graph is given back."""
    others, missing = peers()
    if program.in_place:
        others.append(Contender("by hand, writing over what it has made", lambda p: p.in_place))
    calls, refused = _calls(program, [OURS, BY_HAND, CELL, *others], lambda derivative, x: derivative(*x))
    calls["the value alone, plain NumPy"] = lambda: program.loss(*program.arguments)
    return _rows(program.title, side_by_side(calls, rounds, whole=True), refused, missing, budget)


def training_rows(program: Program, rounds: int, steps: int) -> list[Row]:
    """A plain loop of gradient steps, each of which records and sweeps anew; times are for one step."""
    others, missing = peers()
    calls, refused = _calls(program, [OURS, BY_HAND, *others], lambda derivative, x: train(derivative, x, steps))
    times = side_by_side(calls, rounds, whole=True)
    each = {name: [seconds / steps for seconds in found] for name, found in times.items()}
    return _rows(f"one of {steps} training steps, {program.title}", each, refused, missing)


def _calls(
    program: Program, contenders: list[Contender], run: Callable[[Derivative, tuple[Any, ...]], tuple[Any, Any]]
) -> tuple[dict[str, Callable[[], Any]], dict[str, str]]:
    """What to time, and why a contender is not among it. Raises SystemExit where one computes something else."""
    expected = _flat(run(program.by_hand, program.arguments))
    calls: dict[str, Callable[[], Any]] = {}
    refused: dict[str, str] = {}
    for contender in contenders:
        arguments = contender.native(program.arguments)
        try:
            derivative = contender.make(program)
            found = run(derivative, arguments)
        except Exception as error:  # whatever it is, the others are timed all the same, and the row says it
            refused[contender.name] = f"{type(error).__name__}, {str(error).partition(chr(10))[0]}"[:70]
        else:
            check(_flat(found), expected, f"{program.title}, {contender.name}")
            calls[contender.name] = lambda d=derivative, x=arguments: run(d, x)
    return calls, refused


def _flat(found: tuple[Any, Any]) -> list[float]:
    """The value, and then every entry of the arrays."""
    value, gradient = found
    return [float(value), *np.concatenate([np.ravel(g) for g in gradient]).tolist()]


def _rows(
    title: str,
    times: dict[str, list[float]],
    refused: dict[str, str],
    missing: list[str],
    budget: float | None = None,
) -> list[Row]:
    """A row for each contender, ours first, with its ratio to the program by hand; times of the same rounds."""
    hand = times[BY_HAND.name]
    made = []
    for name in dict.fromkeys([OURS.name, *times, *refused]):
        what, limit = (f"{title}: {name}", budget) if name == OURS.name else (f"    {name}", None)
        asked = f"≤ {limit:g} ×" if limit else ""
        if name in refused:
            made.append(Row(f"{what}: {refused[name]}", budget=asked, met=False if limit else None))
            continue
        ratio = min(times[name]) / min(hand)
        between = median(a / b for a, b in zip(times[name], hand, strict=True))
        met = ratio <= limit if limit else None
        time = f"{min(times[name]) * 1e6:.1f} µs"
        made.append(Row(what, time, "", f"{ratio:.2f} ×", f"{between:.2f} ×", asked, met))
    return [*made, *(Row(f"    {name}: not installed") for name in missing)]
