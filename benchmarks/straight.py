"""Generated programs: the straight-line source of a recorded run against the plain loop, and curves at many points."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numpy as np

from ad_magic.cell.run import Run, compile_cell, run_program
from ad_magic.codegen.batch import curve
from ad_magic.codegen.compiled import values_at
from ad_magic.engine.tape import replay
from ad_magic.report.result import Result

from .arrays import body
from .programs import Program, mlp
from .rosenbrock import by_hand, check, point, rosenbrock
from .table import Row, times_slower
from .timing import side_by_side

LOOP, SMALL, CURVE = 7, 1.3, 5e-3  # budgets: times the float loop, times what is written by hand, seconds
POINTS = 200


def rows(n: int, rounds: int) -> list[Row]:
    """All of it; n variables of the scalar loop."""
    return [*loop_rows(n, rounds), *array_rows(mlp(64, 16), rounds, SMALL), *array_rows(mlp(256, 128), rounds),
            *curve_rows(rounds)]  # fmt: skip


def run_of(source: str, inputs: Mapping[str, Any], constants: Mapping[str, Any] | None = None) -> Run:
    """The recorded run of the text of a cell."""
    cell = compile_cell(ast.parse(source), source, "<cell>")
    return run_program(cell, {"np": np, **(constants or {}), **inputs}, dict.fromkeys(inputs), mode="reverse")[0]


def program_of(run: Run) -> Callable[..., Any]:
    """The function that the generated source defines."""
    namespace: dict[str, Any] = {}
    exec(Result(run).code("reverse"), namespace)
    return namespace["derivative"]


def loop_rows(n: int, rounds: int) -> list[Row]:
    """Value and gradient of the scalar loop by the generated program, against the plain loop of floats."""
    names = [f"x{k}" for k in range(n)]
    x = point(n)
    inputs = dict(zip(names, x, strict=True))
    run = run_of(f"rosenbrock([{', '.join(names)}])", inputs, {"rosenbrock": rosenbrock})
    program, cache = program_of(run), {}
    found = program(*x)[1]
    check([found[name] for name in names], by_hand(x), "the generated program")
    rows_ = {row: inputs[name] for name, row in run.rows.items()}
    contenders = {
        "program": lambda: program(*x),
        "floats": lambda: rosenbrock(x),
        "compiled": lambda: values_at(run.tape, rows_, cached=cache),
        "replay": lambda: replay(run.tape, rows_),
    }
    times = side_by_side(contenders, rounds)
    return [
        times_slower(f"value and gradient, Rosenbrock, n = {n}", times["program"], times["floats"], LOOP, n),
        times_slower("    the values of all rows, compiled", times["compiled"], times["floats"], None, n),
        times_slower("    the same, operation by operation", times["replay"], times["floats"], None, n),
    ]


def array_rows(program: Program, rounds: int, budget: float | None = None) -> list[Row]:
    """Value and gradient of a network by the generated program, against what is written by hand."""
    names = list(inspect.signature(program.loss).parameters)
    inputs = dict(zip(names, program.arguments, strict=True))
    generated = program_of(run_of(body(program), inputs, inspect.getclosurevars(program.loss).nonlocals))
    value, found = generated(*program.arguments)
    expected, gradient = program.by_hand(*program.arguments)
    for name, wanted in zip(names, gradient, strict=True):
        check(np.ravel(found[name]).tolist(), np.ravel(wanted).tolist(), f"{program.title}, the generated program")
    check([value], [expected], program.title)
    contenders = {
        "program": lambda: generated(*program.arguments),
        "by hand": lambda: program.by_hand(*program.arguments),
    }
    times = side_by_side(contenders, rounds, whole=True)
    return [times_slower(f"{program.title}, against by hand", times["program"], times["by hand"], budget, 1)]


def curve_rows(rounds: int) -> list[Row]:
    """f and its slope at many points, of a cell with a hundred operations, once the program is compiled."""
    source = "import math\nz = x\nfor k in range(33):\n    z = math.sin(z) * y + x\nz * y"
    run = run_of(source, {"x": 0.5, "y": 0.3})
    points = np.linspace(-3.0, 3.0, POINTS)
    for at, slope in zip(points[::50], curve(run, "x", points)[1][::50], strict=True):
        step = 1e-5
        low, high = (_plain(float(at) + d) for d in (-step, step))
        if abs(slope - (high - low) / (2 * step)) > 1e-6:
            raise SystemExit("the curve: the slope differs from that of differences")
    times = side_by_side({"curve": lambda: curve(run, "x", points)}, rounds)["curve"]
    what = f"f and f′ at {POINTS} points, {len(run.tape) - 2} operations"
    met = min(times) <= CURVE
    return [
        Row(what, f"{min(times) * 1e3:.2f} ms", median=f"{median(times) * 1e3:.2f} ms", budget="≤ 5 ms", met=met),
    ]


def _plain(x: float) -> float:
    z = x
    for _ in range(33):
        z = math.sin(z) * 0.3 + x
    return z * 0.3
