"""The same program at other inputs: for sliders, checks and curves.

The recorded operations are replayed where every decision comes out as before; else the cell is run again, in the
namespace as it was before its first run, with its output held back. The user's namespace stays as his own run left it.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ad_magic.codegen.compiled import values_at
from ad_magic.engine.tape import Columns, PathChanged, forward_sweep

from .run import Output, Program, Run, run_program


@dataclass(frozen=True)
class Again:
    """What is needed to compute a run at other inputs."""

    program: Program
    namespace: dict[str, Any]  # the user's
    before: dict[str, Any]  # a copy of it, from before the first run
    of: tuple[str, ...]
    skip: Any = ()
    kept: Mapping[str, Any] = field(default_factory=dict)  # copies of what the run may have written into

    def at(self, run: Run, inputs: Mapping[str, Any]) -> Run:
        """The run at other values of its inputs. Raises what the program raises there."""
        try:
            return replayed(run, inputs)
        except Exception:  # another path, or an error: that of the cell itself has its line
            return self.rerun(run, inputs)

    def rerun(self, run: Run, inputs: Mapping[str, Any]) -> Run:
        """Run the cell itself again, recorded anew."""
        with scratch(self.namespace, self.before), contextlib.redirect_stdout(io.StringIO()):
            return run_program(
                self.program, self.namespace, {**run.inputs, **inputs}, of=self.of, mode=run.mode, skip=self.skip
            )[0]

    def plain(self, inputs: Mapping[str, Any], read: Callable[[dict[str, Any], Any], Any]) -> Any:
        """Run the cell with plain numbers and return `read(namespace, value of the trailing expression)`."""
        with scratch(self.namespace, self.before), contextlib.redirect_stdout(io.StringIO()):
            self.namespace.update(inputs)
            exec(self.program.body, self.namespace)
            value = eval(self.program.last, self.namespace) if self.program.last is not None else None
            return read(self.namespace, value)


@contextlib.contextmanager
def scratch(namespace: dict[str, Any], before: Mapping[str, Any]) -> Iterator[None]:
    """For the time of the block the namespace is as it was before; then it is as it is now."""
    now = dict(namespace)
    namespace.clear()
    namespace.update(before)
    try:
        yield
    finally:
        namespace.clear()
        namespace.update(now)


def replayed(run: Run, inputs: Mapping[str, Any]) -> Run:
    """A run at other inputs, from its recorded operations. Raises PathChanged where a decision comes out otherwise."""
    if run.tape.recorded > len(run.tape):  # not all of it was kept
        raise PathChanged(len(run.tape), None)
    values = {**run.inputs, **{name: _as_before(run.inputs[name], value) for name, value in inputs.items()}}
    rows = {row: x if hasattr(x := values[name], "shape") else float(x) for name, row in run.rows.items()}
    tape = values_at(run.tape, rows, run.only_shown, run.cache)
    forward = run.mode == "forward"
    if forward:
        columns = [forward_sweep(tape, {row: unit(tape.values[row], position)}) for _, position, row in run.seeds]
        tape = tape.with_values(tape.values, list(zip(*columns, strict=True)))
    return replace(run, inputs=values, tape=tape, outputs=[output_at(o, tape, forward) for o in run.outputs])


def unit(value: Any, position: tuple[int, ...], size: Any = 1.0) -> Any:
    """A direction: `size` at one entry of a value and zero elsewhere; `size` itself for a number.

    >>> unit(3.5, ())
    1.0
    """
    if not hasattr(value, "shape"):
        return size
    import numpy as np

    direction = np.zeros(value.shape, type(size))
    direction[position] = size
    return direction


def _as_before(old: Any, new: Any) -> Any:
    if hasattr(old, "shape"):
        import numpy as np

        return np.array(new, dtype=float).reshape(old.shape)
    return float(new)


def output_at(output: Output, tape: Columns, forward: bool = False) -> Output:
    """An output as the rows of another tape have it; of a forward run with its tangents."""
    if output.rows is None:
        return output
    if output.scalar:
        row = output.rows
        return replace(output, value=float(tape.values[row]), tangents=_along(tape, row, ()) if forward else None)
    import numpy as np

    seeds = output.seeds()
    flat = [old if row is None else tape.values[row] for (row, _), old in zip(seeds, output.value.flat, strict=True)]
    if not isinstance(output.rows, list):
        flat = tape.values[output.rows]
    value = np.array(flat, dtype=float).reshape(output.value.shape)
    if not forward:
        return replace(output, value=value)
    tangents = [None if row is None else _along(tape, row, position) for row, position in seeds]
    return replace(output, value=value, tangents=tangents)


def _along(tape: Columns, row: int, position: tuple[int, ...]) -> tuple[float, ...]:
    """The tangents of one entry of a row, along each seed."""
    return tuple(float(t[position] if hasattr(t, "shape") and position else t) for t in tape.tangents[row])
