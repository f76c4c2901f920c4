"""Functions that are short programs in other functions: one row, whose derivative is that of the program.

The program runs on a tape of its own; the sweeps of the row are the sweeps over it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ad_magic.engine.operation import INPUT, Operation
from ad_magic.engine.tape import Columns, Tape, forward_sweep, replay, reverse_sweep
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from . import memory
from .adjoints import absent, reduced, shape_of, spread
from .array import NUMBERS, Array, made, split
from .moves import call_of, filled
from .pairs import PairOperation
from .perform import carried_out

COMPOSED = ArrayRule("composed", lambda *_: None, (), (), lambda *_: None)


class ComposedOperation(PairOperation):
    """A function written in others. `inner` is its recorded run at the operands `at`."""

    __slots__ = ("at", "inner", "outputs", "seeds", "several", "template")

    several: bool  # whether it has several results
    template: Any

    def __init__(self, name: str, count: int, inner: Columns, seeds: list[int], outputs: Any, at: Any) -> None:
        Operation.__init__(self, name, COMPOSED, (True,) * count)
        self.options = {}
        self.inner, self.seeds, self.outputs, self.at = inner, seeds, outputs, at

    def inner_at(self, values: Any) -> Columns:
        """The inner run at operands: as recorded, or replayed."""
        if all(a is b for a, b in zip(values, self.at, strict=True)):
            return self.inner
        kind = "active" if any(type(v) is Array or type(v) in NUMBERS for v in values) else "plain"
        if any(np.iscomplexobj(v) for v in values) and not any(np.iscomplexobj(v) for v in self.at):
            kind = "complex"
        return replay(self.inner, dict(zip(self.seeds, values, strict=True)), kind)

    def value(self, *operands: Any) -> Any:
        """The result at other operands; raises PathChanged where the program goes another way."""
        inner = self.inner_at(operands)
        results = [out if row is None else inner.values[row] for row, out in self.outputs]
        return tuple(results) if self.several else results[0]

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        operands = self.arguments(left, right, values)
        parts = g if isinstance(g, tuple) else (g,)
        start: dict[int, Any] = {}
        for (row, _), part in zip(self.outputs, parts, strict=True):
            if row is not None and part is not None:
                start[row] = start[row] + part if row in start else part
        inner = reverse_sweep(self.inner_at(operands), start)
        for i, seed, x in zip(left, self.seeds, operands, strict=True):
            if not absent(inner[seed]):
                adjoints.add(i, reduced(inner[seed], x))

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        operands = self.arguments(left, right, values)
        along = {
            seed: spread(tangents[i], x)
            for i, seed, x in zip(left, self.seeds, operands, strict=True)
            if not absent(tangents[i])
        }
        inner = forward_sweep(self.inner_at(operands), along)
        results = tuple(0.0 if row is None else inner[row] for row, _ in self.outputs)
        return results if self.several else results[0]


def compose(name: str, body: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The result of a function written in others, as one row."""
    tape, operands, template = call_of(args, kwargs)
    if tape is None:
        return body(*args, **kwargs)
    values, columns, _ = split(operands, tape)
    inner = Tape()
    inputs = [as_input(inner, v) for v in values]
    try:
        inner_args, inner_kwargs = filled(template, inputs)
        result = body(*inner_args, **inner_kwargs)
        several = isinstance(result, (tuple, list))
        outputs = [output_of(x, inner) for x in (result if several else [result])]
        memory.close(inner)
    finally:
        closed = inner.close()
    if all(row is None for row, _ in outputs):
        return result
    op = ComposedOperation(name, len(operands), closed, [x.index for x in inputs], outputs, values)
    op.several, op.template = several, template
    z = tuple(closed.values[row] if row is not None else out for row, out in outputs)
    shaped = carried_out(tape, op, operands, values, columns, z if several else z[0])
    if several and isinstance(result, list):
        return list(shaped)
    return type(result)(*shaped) if several and hasattr(result, "_fields") else shaped


def as_input(tape: Tape, value: Any) -> Any:
    """A value as a variable of a run: an array or a number."""
    from ad_magic.engine.traced import Traced

    if shape_of(value) or type(value) is np.ndarray:
        tape.arrays = True
        return made(tape, tape.add(INPUT, None, None, value), value)
    return Traced.input(tape, value)


def output_of(x: Any, tape: Tape) -> tuple[int | None, Any]:
    """(row, plain value) of a result; no row where it is constant."""
    from .array import operand, refresh

    x = operand(x) if not isinstance(x, str) else x
    if (type(x) is Array or type(x) in NUMBERS) and x.tape is tape:
        if type(x) is Array and x.version != tape.writes:
            refresh(x)
        return x.index, None
    return None, x
