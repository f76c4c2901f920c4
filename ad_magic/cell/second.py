"""Second derivatives of a recorded run: its operations under dual numbers, then the reverse sweep (Pearlmutter, 1994).

One direction costs one replay and one sweep, whatever the number of inputs: a product of the Hessian with a vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ad_magic.codegen.compiled import values_at
from ad_magic.engine.tape import Columns

from .run import Run


def one_number(run: Run) -> int | None:
    """The row of the one number that a run gives, None for a constant. Raises TypeError where it gives more."""
    outputs = run.outputs
    if len(outputs) > 1:
        names = ", ".join(o.name for o in outputs)
        how = f"--of {outputs[0].name}" if outputs[0].name.isidentifier() else "and return it alone"
        raise TypeError(f"the Hessian is that of one number, and there are {names}: choose one of them, {how}")
    if not outputs[0].scalar:
        name, shape = outputs[0].name, outputs[0].value.shape
        it = name if name.isidentifier() and name != "out" else "y"
        entry = f"{it}[{', '.join('0' for _ in shape)}]"
        raise TypeError(
            f"the Hessian is that of one number, and {name} is an array of shape {shape}: end the program with a "
            f"number of it, as in {entry} or np.sum({it}**2); r.jacobian has its first derivatives"
        )
    if run.mode == "forward" and run.tape.recorded > len(run.tape):
        raise TypeError("a long run in forward mode keeps no tape: use --mode reverse for second derivatives")
    row: int | None = outputs[0].rows
    return row


def hessian(run: Run, first: int | None = None) -> Any:
    """The second derivatives of the one number that a run gives, on the flattened inputs, in order: a square array.

    With `first` only so many of its rows, those of the first entries. Raises TypeError as `one_number` does.
    """
    import numpy as np

    count = run.seed_count
    end = one_number(run)
    rows = count if first is None else min(first, count)
    if end is None:
        return np.zeros((rows, count))
    units = np.zeros((rows, count))
    units[np.arange(rows), np.arange(rows)] = 1.0
    return along(run, end, units)


def product(run: Run, v: Any) -> Any:
    """The Hessian times a vector: one replay and one sweep.

    `v` is a flat vector in the order of the Hessian, or a dict of numbers and arrays by input, where what is not named
    is zero; the product has the same form. Raises TypeError as `one_number` does, ValueError where v does not fit.
    """
    import numpy as np

    end, count = one_number(run), run.seed_count
    flat = _flat(run, v) if isinstance(v, Mapping) else np.asarray(v, dtype=float)
    if flat.shape != (count,):
        raise ValueError(
            f"v has shape {flat.shape}: it is a vector of {count} numbers, in the order of r.hessian(), or a dict by "
            "input"
        )
    found = np.zeros(count) if end is None else along(run, end, flat[None])[0]
    if not isinstance(v, Mapping):
        return found
    return {name: x if shape else float(x) for name, shape, x in _parts(run, found)}


def along(run: Run, end: int, directions: Any) -> Any:
    """The Hessian of row `end` of a run times each of some flat directions: an array of as many rows."""

    def again(tape: Columns, inputs: Mapping[int, Any]) -> Columns:
        return values_at(tape, inputs, run.only_shown, run.cache, "active")

    from ad_magic.engine.second import products

    return products(run.tape, {end: 1.0}, list(run.rows.values()), directions, again)


def _parts(run: Run, flat: Any) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    """(input, its shape, its part of a flat vector or of several, in that shape) for each input."""
    at = 0
    for name in run.rows:
        shape: tuple[int, ...] = getattr(run.inputs[name], "shape", ())
        size = getattr(run.inputs[name], "size", 1)
        yield name, shape, flat[..., at : at + size].reshape((*flat.shape[:-1], *shape))
        at += size


def _flat(run: Run, v: Mapping[str, Any]) -> Any:
    """A vector by input as a flat one."""
    import numpy as np

    for name in v:
        if name not in run.rows:
            raise ValueError(f"there is no input {name!r}: there is {', '.join(run.rows)}")
    flat = np.zeros(run.seed_count)
    for name, shape, part in _parts(run, flat):  # views of it
        given = np.asarray(v.get(name, 0.0), dtype=float)
        if name in v and given.shape != shape:
            raise ValueError(f"v[{name!r}] has shape {given.shape}, and {name} has {shape}")
        part[...] = given
    return flat
