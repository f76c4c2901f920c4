"""`python -m benchmarks`: the scalar rows of the budgets, measured side by side in one run."""

from __future__ import annotations

import argparse
import platform

import ad_magic

from . import cells, loading, memory
from .rosenbrock import PEERS, forward_rows, peer_version, reverse_rows
from .table import Row, render


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="variables of the scalar loop (1000)")
    parser.add_argument("--rounds", type=int, default=25, help="interleaved rounds (25)")
    parser.add_argument("--operations", type=int, default=1_000_000, help="length of the long loop (1000000)")
    parser.add_argument("--starts", type=int, default=9, help="fresh processes of each kind (9)")
    args = parser.parse_args()

    peers = ", ".join(f"{name} {peer_version(name) or 'not installed'}" for name in PEERS)
    print(
        f"ad_magic {ad_magic.__version__}, {peers}; Python {platform.python_version()}, {platform.machine()}\n",
        flush=True,
    )
    measured: list[Row] = []

    def show(title: str, rows: list[Row], **heads: str) -> None:
        measured.extend(rows)
        print(render(title, rows, **heads), flush=True)

    show(
        f"scalar loop (Rosenbrock, n = {args.n}), time for each element",
        [*reverse_rows(args.n, args.rounds), *forward_rows(args.n, args.rounds)],
    )
    print(f"Best of {args.rounds} interleaved rounds; median: of the ratios of the rounds.")
    print(
        "Record + reverse: with the garbage collector on, until the graph is given back, where it does not say else.\n"
    )
    show(
        "memory, for each operation",
        memory.rows(args.operations),
        ours="tape",
        other="resident",
        median="peak of the sweep",
    )
    print(
        "Tape: all that the recording leaves, by tracemalloc. Resident: growth of a fresh process, rounding included.\n"
    )
    show(f"loading, {args.starts} fresh processes", loading.rows(args.starts), other="IPython itself")
    print()
    show(
        "through the magic (run, derivative)", cells.rows(args.n, min(args.rounds, 9), args.operations), other="floats"
    )
    print("For information; a run in forward mode brings the derivative with it.\n")

    missed = [row.what.strip() for row in measured if row.met is False]
    print("Missed: " + "; ".join(missed) if missed else "All the budgets measured here are met.")


if __name__ == "__main__":
    main()
