"""`python -m benchmarks`: the rows of the budgets, measured side by side in one run."""

from __future__ import annotations

import argparse
import os
import platform

import ad_magic

from . import cells, loading, memory
from .rosenbrock import forward_rows, peer_version, reverse_rows
from .table import Row, render

TABLES = ("scalars", "arrays", "second", "programs", "memory", "checkpoints", "loading", "cells", "taylor", "panel")
PEERS = ("micrograd", "autograd", "mygrad", "jax", "torch", "numpy")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=TABLES, help="these tables (all)")
    parser.add_argument("--n", type=int, default=1000, help="variables of the scalar loop (1000)")
    parser.add_argument("--rounds", type=int, default=25, help="interleaved rounds (25)")
    parser.add_argument("--operations", type=int, default=1_000_000, help="length of the long loop (1000000)")
    parser.add_argument("--steps", type=int, default=1000, help="steps of the training loop (1000)")
    parser.add_argument("--order", type=int, default=10, help="of the Taylor coefficients (10)")
    parser.add_argument("--blas", type=int, help="threads of NumPy's OpenBLAS (as many as it likes)")
    parser.add_argument("--starts", type=int, default=9, help="fresh processes of each kind (9)")
    parser.add_argument("--events", type=int, default=100, help="keys on each slider (100)")
    args = parser.parse_args()
    if args.blas:
        os.environ["OPENBLAS_NUM_THREADS"] = str(args.blas)
    from . import arrays, second, straight  # NumPy reads that as it is loaded

    versions = ", ".join(f"{name} {peer_version(name) or 'not installed'}" for name in PEERS)
    machine = f"{platform.machine()}, {os.cpu_count()} processors"
    print(f"ad_magic {ad_magic.__version__}, {versions}; Python {platform.python_version()}, {machine}\n", flush=True)
    measured: list[Row] = []

    def show(title: str, rows: list[Row], **heads: str) -> None:
        measured.extend(rows)
        print(render(title, rows, **heads), flush=True)

    if "scalars" in args.only:
        show(
            f"scalar loop (Rosenbrock, n = {args.n}), time for each element",
            [*reverse_rows(args.n, args.rounds), *forward_rows(args.n, args.rounds)],
        )
        print(f"Best of {args.rounds} interleaved rounds; median: of the ratios of the rounds.")
        print("Record + reverse: with the garbage collector on, until the graph is given back, unless it says else.\n")
    if "arrays" in args.only:
        rounds = max(1, args.rounds // 3)
        show("arrays: value and gradient, against by hand", arrays.rows(rounds, args.steps), ours="time")
        print(f"Best of {rounds} interleaved rounds; median: of the ratios of the rounds.")
        print("With the garbage collector on, until the graph is given back. By hand: the gradient in plain NumPy.")
        print("On a busy machine threads wait for each other, those of NumPy's BLAS too: then --blas 1.\n")
    if "second" in args.only:
        rounds = max(1, args.rounds // 3)
        show("second derivatives", second.rows(rounds), ours="time")
        print(f"Best of {rounds} interleaved rounds; the ratio is to ours, median: of the ratios of the rounds.\n")
    if "programs" in args.only:
        show("generated programs", straight.rows(min(args.n, 100), args.rounds), other="floats, by hand")
        print("Compiled beforehand; the scalar loop: time for each element.\n")
    if "memory" in args.only:
        show(
            "memory, for each operation",
            memory.rows(args.operations),
            ours="tape",
            other="resident",
            median="peak of the sweep",
        )
        print("Tape: all that the recording leaves, by tracemalloc.")
        print("Resident: growth of a fresh process, rounding included.\n")
    if "checkpoints" in args.only:
        from . import checkpoints

        rounds = max(1, args.rounds // 5)
        show(
            f"a long loop over {checkpoints.SIZE:,} numbers",
            checkpoints.rows(rounds),
            ours="peak",
            other="all stored",
            median="time",
        )
        print("Peak of value_and_grad, by tracemalloc; the time is relative to that with all stored.\n")
    if "loading" in args.only:
        show(f"loading, {args.starts} fresh processes", loading.rows(args.starts), other="IPython itself")
        print()
    if "cells" in args.only:
        show(
            "through the magic (run, derivative)",
            cells.rows(args.n, min(args.rounds, 9), args.operations),
            other="floats",
        )
        print("For information; a run in forward mode brings the derivative with it.\n")

    if "taylor" in args.only:
        from . import taylor

        print(f"JAX takes a minute or more to compile {args.order} nested derivatives.", flush=True)
        show("Taylor coefficients", taylor.rows(args.rounds, args.order), ours="time")
        print("For information. Nested derivatives are of one order, Taylor coefficients and jet of all up to it.\n")

    if "panel" in args.only:
        from . import panel

        if absent := panel.absent():
            print(f"The panel is not measured: not found: {', '.join(absent)}.\n")
        else:
            show(
                "a slider's event → changed text, in JupyterLab",
                panel.rows(args.events, max(1, args.events // 10)),
                ours="median",
                other="95th percentile",
            )
            print("One page, in turns; the ratio is to FloatSlider → HTML, through the kernel.")
            print("At once: in one turn of the page; the time is that until the last number stands.\n")

    missed = [row.what.strip() for row in measured if row.met is False]
    if measured:
        print("Missed: " + "; ".join(missed) if missed else "All the budgets measured here are met.")


if __name__ == "__main__":
    main()
