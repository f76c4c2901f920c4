"""Result: what a run has found, and its faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ad_magic.cell.again import Again, replayed, unit
from ad_magic.cell.run import Output, Run
from ad_magic.cell.source import lines_of
from ad_magic.codegen.compiled import values_at
from ad_magic.engine.tape import forward_sweep, has_no_row, reverse_sweep

from .entries import Span
from .row import Flag, Row, Source
from .rows import listed_length, make_flags, make_rows, make_sources, seed_name, seed_names, sweep_order

if TYPE_CHECKING:
    import pandas as pd

    from ad_magic.check import CheckReport
    from ad_magic.codegen.interleave import Interleaved

SEEDS_SHOWN = 16  # tangent columns that are computed for the table


class Result:
    """The value, the derivatives and the table of one run.

    `value` is the primal of the output; `grad[name]` the derivative of a scalar output with respect to an input;
    `jacobian[name]` that of any output, an array of shape output.shape + input.shape. With several outputs all three
    are keyed by the output's name first. `rows`, `flags`, `inputs` say how it came about.
    """

    def __init__(self, run: Run, again: Again | None = None) -> None:
        """`again` can compute the run at other inputs; without it only the recorded operations are replayed."""
        self.run = run
        self.again = again
        self.mode = run.mode
        self.inputs: dict[str, Any] = dict(run.inputs)
        self.outputs: tuple[str, ...] = tuple(o.name for o in run.outputs)
        self.output_label = run.label

    # ---- numbers ----

    @cached_property
    def value(self) -> Any:
        """The plain value of the output; a dict by name where there are several."""
        return self._by_output({o.name: o.value for o in self.run.outputs})

    @cached_property
    def grad(self) -> dict[str, Any]:
        """The derivative of a scalar output with respect to each input, of the shape of the input.

        Raises TypeError where an output is not a scalar; `jacobian` has its derivative.
        """
        for output in self.run.outputs:
            if not output.scalar:
                raise TypeError(
                    f"{output.name} is an array: r.jacobian has its derivative, r.grad is for a scalar output"
                )
        return self._by_output({o.name: self._gradient(o) for o in self.run.outputs})

    def _gradient(self, output: Output) -> dict[str, Any]:
        """The derivative of a scalar output by input: a float, or an array of the input's shape."""
        jacobian = self._jacobian(output)
        return {name: float(x) if not x.shape else x for name, x in jacobian.items()}

    @cached_property
    def jacobian(self) -> dict[str, Any]:
        """The derivative of the output with respect to each input, an array of shape output.shape + input.shape."""
        return self._by_output({o.name: self._jacobian(o) for o in self.run.outputs})

    def _by_output(self, values: dict[str, Any]) -> Any:
        return values if len(values) > 1 else next(iter(values.values()))

    def _gradients(self, output: Output) -> Any:
        """For each entry of an output its derivative along each seed, flat."""
        import numpy as np

        count, rows = self.run.seed_count, self.run.rows
        if self.mode == "forward":
            absent = (0.0,) * count
            along = [t if t and len(t) == count else absent for _, _, t in output.flat()]
            return self._looked_again(output, np.array(along, dtype=float).reshape(len(along), count))
        gradients = []
        for row, position in output.seeds():
            adjoints = self._adjoints(row, position) if row is not None else None
            gradients.append(_flat(adjoints, rows, self.inputs))
        return self._looked_again(output, np.array(gradients).reshape(len(gradients), count))

    def _looked_again(self, output: Output, gradients: Any) -> Any:
        """The derivatives again in numbers of a greater range, where a value of the run is infinite."""
        import numpy as np

        from ad_magic.engine.extended import reverse_in_greater_range

        tape = self.run.tape
        if tape.recorded > len(tape) or (bool(np.isfinite(output.value).all()) and bool(np.isfinite(gradients).all())):
            return gradients
        rows = self.run.rows
        for k, (row, position) in enumerate(output.seeds()):
            if row is not None and row >= 0:
                adjoints = reverse_in_greater_range(tape, {row: unit(tape.values[row], position)})
                if adjoints is not None:
                    again = _flat(adjoints, rows, self.inputs)
                    gradients[k] = again if np.isfinite(again).all() else gradients[k]
        return gradients

    def _adjoints(self, row: int, position: tuple[int, ...] = ()) -> list[Any]:
        kept: dict[Any, list[Any]] = self.__dict__.setdefault("_sweeps", {})
        if (row, position) not in kept:
            kept.clear()  # one sweep is kept: that of a scalar output, which the table shows too
            kept[row, position] = reverse_sweep(self.run.tape, {row: unit(self.run.tape.values[row], position)})
        return kept[row, position]

    def _jacobian(self, output: Output) -> dict[str, Any]:
        flat = self._gradients(output)
        shape = getattr(output.value, "shape", ())
        jacobian, at = {}, 0
        for name, value in self.inputs.items():
            size, inner = (value.size, value.shape) if hasattr(value, "shape") else (1, ())
            jacobian[name] = flat[:, at : at + size].reshape(shape + inner)
            at += size
        return jacobian

    def hessian(self) -> Any:
        """The second derivatives of a scalar output on the flattened inputs, in order: a square array.

        Forward over reverse: the recorded operations under dual numbers, then the reverse sweep.

        Raises TypeError for several outputs, an array output, or a run in forward mode (it keeps no tape).
        """
        import numpy as np

        from ad_magic.engine.tape import Tape

        if len(self.run.outputs) != 1 or not self.run.outputs[0].scalar:
            raise TypeError("the Hessian is that of one scalar output")
        run, row = self.run, self.run.outputs[0].rows
        second = np.zeros((run.seed_count, run.seed_count))
        if row is None:
            return second
        if self.mode == "forward" and run.tape.recorded > len(run.tape):
            raise TypeError("a long run in forward mode keeps no tape; use --mode reverse for the Hessian")
        for k, seed in enumerate(run.seeds):
            outer = Tape(limit=0, forward=True)
            inputs = {r: _dual(outer, run.tape.values[r], seed, r) for r in run.rows.values()}
            again = values_at(run.tape, inputs, run.only_shown, run.cache, "active")
            adjoints = reverse_sweep(again, {row: 1.0})
            parts = [_second(adjoints[r], self.inputs[name], outer) for name, r in run.rows.items()]
            second[k] = np.concatenate(parts)
        return second

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
        return make_flags(self.run, *self._table)

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

    # ---- other inputs ----

    def at(self, inputs: Mapping[str, Any]) -> Result:
        """The same program at other values of its inputs; those not named stay. Raises what it raises there."""
        return Result(self.again.at(self.run, inputs) if self.again else replayed(self.run, inputs), self.again)

    def check(self, expect: Mapping[str, Any] | None = None) -> CheckReport:
        """Compare the derivatives with differences, the complex step, the other mode, and formulas of your own.

        `expect` gives formulas by input, in Python: {"x": "2*x*cos(y)"}. A name in one is an input, a name of your
        own, or one of math. The report's `ok` says whether nothing differs. Raises ValueError for a formula that does
        not work.
        """
        from ad_magic.check import check

        return check(self, expect)

    def code(self, kind: str = "reverse") -> str:
        """The program as Python source that stands on its own: `derivative(x, y)` returns (value, {"x": …}).

        `kind` is "forward" (values, then tangents) or "reverse" (values, then adjoints from the output back): the
        recorded run as a straight line; or "interleaved": the cell's own source with statements of the tangents between
        its own, right at other inputs too (see `interleaved`). With several outputs value and derivatives are keyed by
        output first. Raises ValueError for another kind, and where there is no such program, with the reason.
        """
        if kind == "interleaved":
            return self.interleaved().text
        from ad_magic.codegen.python import source
        from ad_magic.codegen.straight import straight

        return source(straight(self.run, kind))

    def interleaved(self, style: str = "elementary", seed: str | None = None) -> Interleaved:
        """The cell's own source, each statement followed by that of its tangents: `.text` and, by line, `.lines`.

        `style` is "elementary", one operation in a statement, or "compact"; `seed` the one input with respect to which
        it differentiates. Raises ValueError where the source cannot be interleaved, with the line and the reason.
        """
        if self.again is None or self.run.file is None:
            raise ValueError("only the source of a cell can be interleaved")
        from ad_magic.codegen.interleave import interleave

        names = [] if self.output_label is not None and self.outputs == ("out",) else list(self.outputs)
        return interleave(
            "\n".join(lines_of(self.run.file)),
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

    def save(self, path: str | PathLike[str], *, ranges: Mapping[str, Span] | None = None) -> None:
        """Write the report as one file that any browser opens, with sliders: it needs no network and no kernel.

        `ranges` has (lo, hi) or (lo, hi, step) by input: {"x": (0, 4)}.
        """
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


def _flat(adjoints: Sequence[Any] | None, rows: Mapping[str, int], inputs: Mapping[str, Any]) -> Any:
    """The adjoints of all entries of the inputs, in order; absent is zero."""
    import numpy as np

    shapes = {name: getattr(value, "shape", ()) for name, value in inputs.items()}
    if adjoints is None:
        return np.zeros(sum(int(np.prod(shape)) for shape in shapes.values()))
    parts = [np.broadcast_to(adjoints[rows[name]], shape).ravel() for name, shape in shapes.items() if name in rows]
    return np.concatenate(parts) if parts else np.zeros(0)


def _tangent(t: Any, k: int, count: int) -> Any:
    """The tangent along seed k of a row of a forward run."""
    if isinstance(t, tuple):
        return t[k]
    if getattr(t, "ndim", 0) and len(t) == count:
        return t[k]
    return t if count == 1 and not getattr(t, "ndim", 0) else 0.0


def _dual(tape: Any, value: Any, seed: tuple[str, tuple[int, ...], int], row: int) -> Any:
    """An input with the direction of one seed."""
    from ad_magic.engine.dual import Dual

    _, position, of = seed
    if not hasattr(value, "shape"):
        return Dual.input(tape, value, float(row == of))
    import numpy as np

    from ad_magic.engine.arrays.array import made

    tangent = unit(value, position) if row == of else np.zeros(value.shape)
    return made(tape, -1, value, tangent[None])


def _second(adjoint: Any, value: Any, tape: Any) -> Any:
    """The tangents of the adjoint of an input, flat."""
    import numpy as np

    tangent = getattr(adjoint, "tangent", 0.0) if getattr(adjoint, "tape", None) is tape else 0.0
    tangent = tangent[0] if hasattr(adjoint, "place") and not isinstance(tangent, float) else tangent
    return np.broadcast_to(tangent, getattr(value, "shape", ())).ravel()
