"""Result: what a run has found, and its faces."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ad_magic.cell.again import Again, replayed, unit
from ad_magic.cell.run import Run
from ad_magic.cell.source import lines_of
from ad_magic.engine.boundary import boundary
from ad_magic.engine.tape import forward_sweep, has_no_row

from .derivatives import Derivatives
from .entries import Span
from .flags import make_flags, second_order
from .row import Flag, Row, Source
from .rows import listed_length, make_rows, make_sources, seed_name, seed_names, sweep_order

if TYPE_CHECKING:
    import pandas as pd

    from ad_magic.codegen.interleave import Interleaved

    from .check_report import CheckReport
    from .cost import Cost
    from .equations import Equations
    from .quiz import Quiz
    from .second import Second
    from .sparsity import Sparsity
    from .taylor import Expansion

SEEDS_SHOWN = 16  # tangent columns that are computed for the table


class Result(Derivatives):
    """The value, the derivatives and the table of one run.

    `value` is the primal of the output; `grad[name]` the derivative of a scalar output with respect to an input;
    `jacobian[name]` that of any output, an array of shape output.shape + input.shape. With several outputs all three
    are keyed by the output's name first. `rows`, `flags`, `inputs` say how it came about.
    """

    def __init__(self, run: Run, again: Again | None = None, up_to: int = 1) -> None:
        """`again` can compute the run at other inputs; without it only the recorded operations are replayed.

        `up_to` is the order of the derivatives that its faces show: with 2 gradient and Hessian as well.
        """
        super().__init__(run)
        self.again = again
        self.up_to = up_to
        self.outputs: tuple[str, ...] = tuple(o.name for o in run.outputs)
        self.output_label = run.label

    def expansion(
        self, along: str | None = None, order: int = 5, *, digits: int = 6, ranges: Mapping[str, Span] | None = None
    ) -> Expansion:
        """The Taylor polynomial along an input (default: the first that is a number) or an entry, "w[0]", to look at.

        It has the coefficients, the derivatives, an estimate of the radius of convergence, and can be called. Of an
        array output it is that of the first entry. Raises as `taylor` does.
        """
        from ad_magic.transforms.taylor import order_of

        from .taylor import expansion

        return expansion(self, along, order_of(order), digits=digits, ranges=ranges)

    # ---- the table ----

    @cached_property
    def seeds(self) -> list[str]:
        """The names of the seeds, in order: the keys of `Row.tangents`. There may be very many."""
        return seed_names(self.run)

    @cached_property
    def _table(self) -> tuple[list[Row], dict[int, int]]:
        tape = self.run.tape
        tangents: dict[str, Any] = {}
        if self.mode == "forward":
            count = self.run.seed_count
            for k, (name, position, _) in self._shown_seeds().items():
                tangents[seed_name(name, position)] = [_tangent(t, k, count) for t in tape.tangents]
        elif self.mode == "both":
            listed = tape.head(listed_length(tape))
            for name, position, row in self._shown_seeds().values():
                tangents[seed_name(name, position)] = forward_sweep(listed, {row: unit(tape.values[row], position)})
        adjoints = None
        if self.mode != "forward" and len(self.run.outputs) == 1 and self.run.outputs[0].scalar:
            row = self.run.outputs[0].rows
            adjoints = self._adjoints(row) if row is not None else [0.0] * len(tape)
        return make_rows(self.run, tangents, adjoints)

    def _shown_seeds(self) -> dict[int, tuple[str, tuple[int, ...], int]]:
        """The seeds of which the table has tangents, by number: of very many the inputs that are numbers first."""
        run, first, starts = self.run, 0, {}
        for name in run.rows:
            starts[name] = first
            first += getattr(run.inputs[name], "size", 1)
        chosen: dict[int, tuple[str, tuple[int, ...], int]] = {}
        for name in sorted(run.rows, key=lambda name: hasattr(run.inputs[name], "shape")):  # it keeps the order else
            some = islice(run.seeds_of(name), SEEDS_SHOWN - len(chosen))
            chosen.update(enumerate(some, starts[name]))
        return dict(sorted(chosen.items()))

    @cached_property
    def rows(self) -> list[Row]:
        """The elementary operations in the order of the program, the inputs first."""
        rows = list(self._table[0])
        for flag in self.flags:
            if flag.row is not None:
                rows[flag.row] = replace(rows[flag.row], flags=(*rows[flag.row].flags, flag))
        return rows

    @cached_property
    def omitted(self) -> int:
        """How many operations of a very long run are not in `rows`."""
        tape = self.run.tape
        without = sum(map(has_no_row, tape.ops, tape.values))
        return tape.recorded - without - len(self.rows)

    @cached_property
    def flags(self) -> list[Flag]:
        """What a reader must know: kinks, NaN, where a derivative stops, …"""
        from .second import LONGEST

        up_to = self.up_to if len(self.run.tape) <= LONGEST else 1  # of a longer run no Hessian is shown
        return make_flags(self.run, *self._table, self._adjoints, up_to)

    @cached_property
    def second_flags(self) -> list[Flag]:
        """The operations that have no second derivative here: those of `flags` whose kind is "second-order", whatever
        order is shown."""
        return second_order(self.run, self._table[1])

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The sources in which the rows stand, the cell itself first."""
        return make_sources(self.run, self.rows)

    @property
    def output_rows(self) -> dict[str, int | None]:
        """For each output its row; None for a constant or an array."""
        where = self._table[1]
        return {
            o.name: None if isinstance(o.rows, list) or o.rows is None else where.get(o.rows) for o in self.run.outputs
        }

    @property
    def tape_rows(self) -> list[int]:
        """For each row of the table its index on the tape."""
        return list(self._table[1])

    @cached_property
    def order(self) -> list[int]:
        """The rows in the order of the reverse sweep: a topological order from the output back."""
        rows = [row for row in self.output_rows.values() if row is not None]
        return sweep_order(self.rows, rows[0]) if rows else []

    @cached_property
    def second(self) -> Second:
        """Gradient and Hessian of a scalar output, with the eigenvalues and what they mean.

        Raises TypeError as `hessian` does.
        """
        from .second import second_of

        return second_of(self)

    @cached_property
    def sparsity(self) -> Sparsity:
        """Which entries of the Jacobian can be other than zero, and by how few sweeps it is found.

        Raises ValueError for a long run in forward mode, which keeps no tape to look at.
        """
        from .sparsity import sparsity_of

        return sparsity_of(self.run)

    @cached_property
    def cost(self) -> Cost:
        """What f and its derivatives cost by each method: operations counted from the tape, their ratio to f, memory.

        Raises ValueError for a long run in forward mode, which keeps no tape to count.
        """
        from .cost import cost_of

        return cost_of(self.run)

    @cached_property
    def equations(self) -> Equations:
        """The program as constraints, its Lagrangian, and the multipliers of these, which are the adjoints."""
        from .equations import Equations

        return Equations(self)

    @cached_property
    def quiz(self) -> Quiz:
        """A quiz: the adjoints, in forward mode the tangents along the first seed. `r.quiz.score` counts the answers.

        Raises ValueError where there is neither.
        """
        from .quiz import Quiz

        return Quiz(self)

    @boundary
    def slack(self, row: int | str, delta: Any) -> Any:
        """The value of the output where `delta` is added to one row: v = f + δ. Its slope in δ is the row's adjoint.

        `row` is the index of a row, or its name, "v3"; `delta` a number, or for an array one of its shape. The
        recorded operations are replayed. Raises ValueError where there is no such row, and where a decision of the
        program comes out otherwise.
        """
        from ad_magic.cell.slack import with_slack

        names = {each.name: each.index for each in self.rows}
        index = names.get(row) if isinstance(row, str) else row if row in range(len(self.rows)) else None
        if index is None:
            raise ValueError(f"there is no row {row!r}: rows are v1 to v{len(self.rows)}, or 0 to {len(self.rows) - 1}")
        return self._by_output({o.name: o.value for o in with_slack(self.run, self.tape_rows[index], delta)})

    # ---- other inputs ----

    @boundary
    def at(self, inputs: Mapping[str, Any]) -> Result:
        """The same program at other values of its inputs; those not named stay. Raises what it raises there, ValueError
        for a name that is no input."""
        for name in inputs:
            if name not in self.inputs:
                raise ValueError(f"there is no input {name!r}; there is {', '.join(self.inputs)}")
        return self.of(self.again.at(self.run, inputs) if self.again else replayed(self.run, inputs))

    def of(self, run: Run) -> Result:
        """The result of another run of the same program."""
        return Result(run, self.again, self.up_to)

    @boundary
    def check(
        self, expect: Mapping[str, Any] | None = None, *, directions: int | None = None, seed: int = 0
    ) -> CheckReport:
        """Compare the derivatives with differences, the complex step, the other mode, and formulas of your own.

        `expect` gives formulas by input, in Python: {"x": "2*x*cos(y)"}. A name in one is an input, a name of your
        own, or one of math. `directions` is how many random directions are tried (20 where the inputs have more
        entries than that, else none); another `seed` draws others. The report's `ok` says whether nothing differs; an
        operation whose derivative is wrong is named. Raises ValueError for a formula that does not work.
        """
        from ad_magic.check import check

        from .check_report import CheckReport

        return CheckReport.of(check(self, expect, directions=directions, seed=seed))

    @cached_property
    def checked(self) -> CheckReport:
        """The check that a report with show="check" has in it."""
        return self.check()

    def code(self, kind: str = "reverse") -> str:
        """The program as Python source that stands on its own: `derivative(x, y)` returns (value, {"x": …}).

        `kind` is "forward" (values, then tangents) or "reverse" (values, then adjoints from the output back): the
        recorded run as a straight line; or "interleaved": the cell's own source with statements of the tangents between
        its own, right at other inputs too (see `interleaved`). With several outputs value and derivatives are keyed by
        output first. "jax" and "torch" are the source of the functions of `to_jax` and `to_torch`, `value(x, y)`.
        Raises ValueError for another kind, and where there is no such program, with the reason.
        """
        if kind == "interleaved":
            return self.interleaved().text
        if kind in ("jax", "torch"):
            from ad_magic.codegen.handed import handed_source

            return handed_source(self.run, kind)
        if kind not in ("forward", "reverse"):
            kinds = "'forward', 'reverse', 'interleaved', 'jax' and 'torch'"
            raise ValueError(f"there is no {kind!r} program; there are {kinds}")
        from ad_magic.codegen.python import source
        from ad_magic.codegen.straight import straight

        return source(straight(self.run, kind))

    def to_jax(self) -> Callable[..., Any]:
        """The recorded run as a function of JAX: of the inputs, by name or in order, to the value of the output.

        It takes and gives arrays of JAX, and is made for `jax.jit`, `jax.grad`, `jax.vmap` and their like; derivatives
        are JAX's own, at kinks too. With several outputs it gives a dict. Its source is `r.code("jax")`.

        The recorded path is handed over. Of plain numbers that take another one it raises AssertionError, with the line
        that decides; under `jit` and `vmap`, where nothing can be raised, its value and all derivatives are NaN there.
        Where Python's arithmetic would raise (1 / 0) a number is infinite or NaN. A shape is that of the recorded run.

        Raises ValueError with the line where something has no form in JAX, ImportError where JAX is not installed.
        Warns where JAX computes in single precision (it does unless `jax_enable_x64` is set).
        """
        from ad_magic.codegen.handed import handed

        function = handed(self.run, "jax")
        if not importlib.import_module("jax").config.jax_enable_x64:
            warnings.warn(
                'JAX computes in single precision; jax.config.update("jax_enable_x64", True) before gives all digits',
                stacklevel=2,
            )
        return function

    def to_torch(self) -> Callable[..., Any]:
        """The recorded run as a function of torch: of the inputs, by name or in order, to the value of the output.

        As `to_jax`, on tensors: with autograd, `torch.func` and `torch.compile`. Numbers and NumPy's arrays are taken
        too; tensors keep their precision and their device. Its source is `r.code("torch")`.
        """
        from ad_magic.codegen.handed import handed

        return handed(self.run, "torch")

    def interleaved(self, style: str = "elementary", seed: str | None = None) -> Interleaved:
        """The cell's own source, each statement followed by that of its tangents: `.text` and, by line, `.lines`.

        `style` is "elementary", one operation in a statement, or "compact"; `seed` the one input with respect to which
        it differentiates. Raises ValueError where the source cannot be interleaved, with the line and the reason.
        """
        if self.again is None:
            raise ValueError("only the source of a cell or a function can be interleaved")
        from ad_magic.codegen.interleave import interleave

        source = "\n".join(lines_of(self.again.program.file))
        names = [] if self.output_label is not None and self.outputs == ("out",) else list(self.outputs)
        if self.again.program.outputs is not None:  # the source is the call of a function
            if len(names) > 1 and not all(map(str.isidentifier, names)):
                raise ValueError("a function whose outputs have no names of their own cannot be interleaved")
            source = source if len(names) == 1 else f"{', '.join(names)} = {source}"
            names = [] if len(names) == 1 else names
        return interleave(
            source,
            {**self.again.before, **self.again.kept},
            self.inputs,
            names,
            style=style,
            seed=seed,
            own=self.again.namespace,
        )

    # ---- faces ----

    def to_text(
        self, digits: int = 6, max_rows: int = 60, show: str = "tables", ranges: Mapping[str, Span] | None = None
    ) -> str:
        """The result and its table as aligned text; with show="curves" the curves too, over `ranges`."""
        from .text import render

        return render(self, digits=digits, max_rows=max_rows, show=show, ranges=ranges)

    def to_html(
        self, digits: int = 6, max_rows: int = 60, show: str = "tables", ranges: Mapping[str, Span] | None = None
    ) -> str:
        """The report as HTML that works without JavaScript; show="curves" draws curves, over `ranges` by input."""
        from .html import render

        return render(self, digits=digits, max_rows=max_rows, show=show, ranges=ranges)

    def save(self, path: str | PathLike[str], *, ranges: Mapping[str, Span] | None = None, quiz: bool = False) -> None:
        """Write the report as one file that any browser opens, with sliders: it needs no network and no kernel.

        `ranges` has (lo, hi) or (lo, hi, step) by input: {"x": (0, 4)}. With `quiz` the file is a sheet to print, the
        table with blanks, and its answers on a second page.
        """
        if quiz:
            from .sheet import page

            Path(path).write_text(page(self.quiz), encoding="utf-8")
            return
        from .page import render

        Path(path).write_text(render(self, ranges=ranges), encoding="utf-8")

    def to_markdown(self, digits: int = 6, max_rows: int = 60) -> str:
        """The table in Markdown."""
        from .markdown import render

        return render(self, digits=digits, max_rows=max_rows)

    def to_latex(self, digits: int = 6, max_rows: int = 60) -> str:
        """The table in LaTeX."""
        from .latex import render

        return render(self, digits=digits, max_rows=max_rows)

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame (pandas must be installed)."""
        from .frame import frame

        return frame(self)

    def __repr__(self) -> str:
        derivatives = "" if any(not o.scalar for o in self.run.outputs) else f", grad={self.grad}"
        return f"Result(value={self.value}{derivatives})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.to_text(), "text/html": self.to_html()}


def _tangent(t: Any, k: int, count: int) -> Any:
    """The tangent along seed k of a row of a forward run."""
    if isinstance(t, tuple):
        return t[k]
    if getattr(t, "ndim", 0) and len(t) == count:
        return t[k]
    return t if count == 1 and not getattr(t, "ndim", 0) else 0.0
