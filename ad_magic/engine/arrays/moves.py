"""Functions that only move entries: where each entry of the result comes from is found by moving numbers of entries.

The function is run a second time on arrays of imaginary numbers, entry k being (k + 1) i: what comes out imaginary came
from there, and what comes out real was put in by the function (the zeros of a pad).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

from ad_magic.engine.complexes import Complex
from ad_magic.engine.operation import Operation
from ad_magic.engine.tape import Tape
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .adjoints import absent, reduced, shape_of
from .array import NUMBERS, Array, frozen, is_active, made, operand, record, row, split, youngest
from .pairs import PairOperation
from .perform import pushed


class Hole:
    """The place of operand k in the arguments of a call."""

    __slots__ = ("k",)

    def __init__(self, k: int) -> None:
        self.k = k


def emptied(x: Any, tape: Tape, found: list[Any]) -> Any:
    """The arguments with holes in the place of the active operands of a run, which are put into `found`."""
    from . import buffers

    kind = type(x)
    if kind is buffers.Buffer:
        x = operand(x)
        kind = type(x)
    if kind is np.ndarray and x.dtype == object:
        x = operand(x)
        kind = type(x)
    if (kind is Array or kind in NUMBERS) and operand(x) is x and x.tape is tape:
        found.append(x)
        return Hole(len(found) - 1)
    if kind is Array or kind in NUMBERS:
        return operand(x)
    if kind is list or kind is tuple:
        return kind(emptied(y, tape, found) for y in x)
    if kind is dict:
        return {name: emptied(y, tape, found) for name, y in x.items()}
    return frozen(x, tape) if kind is np.ndarray else x


def filled(x: Any, values: Any) -> Any:
    """The arguments with these values in the holes."""
    kind = type(x)
    if kind is Hole:
        return values[x.k]
    if kind is list or kind is tuple:
        return kind(filled(y, values) for y in x)
    if kind is dict:
        return {name: filled(y, values) for name, y in x.items()}
    return x


def leaves(x: Any) -> list[Any]:
    """All that stands in (nested) arguments."""
    if type(x) is list or type(x) is tuple:
        return [z for y in x for z in leaves(y)]
    if type(x) is dict:
        return [z for y in x.values() for z in leaves(y)]
    return [x]


def joined(x: Any) -> Any:
    """The arguments with complex numbers, which are pairs of active ones, as arrays without axes."""
    kind = type(x)
    if kind is Complex:
        return operand(x)
    if kind is list or kind is tuple:
        return kind(map(joined, x))
    return {name: joined(y) for name, y in x.items()} if kind is dict else x


def call_of(args: Any, kwargs: Any) -> tuple[Tape | None, list[Any], Any]:
    """The run of the youngest operand of a call, its operands, and the arguments with holes for them."""
    from . import buffers

    given = leaves([list(args), kwargs])
    if any(type(x) is Complex for x in given):
        args, kwargs = joined(tuple(args)), joined(kwargs)
        given = leaves([list(args), kwargs])
    every = [operand(x) if type(x) is buffers.Buffer else x for x in given]
    tape = youngest([x for x in every if not _closed(x)])
    if tape is None:
        return None, [], (args, kwargs)
    found: list[Any] = []
    template = emptied((tuple(args), kwargs), tape, found)
    return tape, found, template


def _closed(x: Any) -> bool:
    return (type(x) is Array or type(x) in NUMBERS) and x.tape.values is None


class MoveOperation(PairOperation):
    """A move of entries: `source` says for each entry of the result from which entry of which operand it comes."""

    __slots__ = ("call", "masks", "source", "template")

    def __init__(self, name: str, count: int, call: Callable[..., Any], source: Any, ends: Any, template: Any) -> None:
        Operation.__init__(self, name, MOVE, (True,) * count)
        self.options = {}
        self.call, self.template = call, template
        self.source = source
        self.masks = [(source >= low) & (source < high) for low, high in itertools.pairwise(ends)]
        self.masks = [
            (mask, np.atleast_1d(source[mask] - low)) for mask, low in zip(self.masks, ends[:-1], strict=True)
        ]

    def value(self, *operands: Any) -> Any:
        return self.call(*operands)

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        from .memory_rows import scattered

        for i, (mask, places) in zip(left, self.masks, strict=True):
            like = values[i]
            picked = g[mask] if shape_of(g) else np.reshape(g, (1,))[np.atleast_1d(mask)]
            size = int(np.prod(shape_of(like)))
            if type(picked) is np.ndarray and picked.dtype.kind == "f":
                c: Any = np.bincount(places, weights=picked, minlength=size) if picked.size else np.zeros(size)
            else:
                c = scattered(picked, places, size)
            adjoints.add(i, reduced(np.reshape(c, shape_of(like)), like))

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        from .memory_rows import placed

        out: Any = np.zeros(self.source.size, complex if np.iscomplexobj(z) else float)
        for i, (mask, places) in zip(left, self.masks, strict=True):
            if not absent(tangents[i]):
                picked = np.reshape(np.broadcast_to(tangents[i], shape_of(values[i])), -1)[places]
                if is_active(picked) or is_active(out):
                    out = placed(out, np.flatnonzero(mask), None, picked)
                else:
                    out[mask.reshape(-1)] = picked
        return np.reshape(out, shape_of(z))


MOVE = ArrayRule("move", lambda *_: None, (), (), lambda *_: None)


def move(function: Callable[..., Any], args: Any, kwargs: Any, name: str | None = None) -> Any:
    """The result of a function that only moves entries: an array, or a list or tuple of arrays."""
    tape, operands, template = call_of(args, kwargs)
    if tape is None:
        return function(*args, **kwargs)
    values, columns, _ = split(operands, tape)

    def call(*values: Any) -> Any:
        inner_args, inner_kwargs = filled(template, values)
        return function(*inner_args, **inner_kwargs)

    results = call(*values)
    ends = np.cumsum([0, *(int(np.prod(shape_of(v))) for v in values)])
    numbers = [_numbered(v, low, high) for v, low, high in zip(values, ends[:-1], ends[1:], strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning if hasattr(np, "exceptions") else Warning)
        try:
            sources = call(*numbers)
        except Warning:  # the function put the entries into an array of its own type: they cannot be followed
            from .dispatch import no_rule

            raise no_rule(f"np.{name or getattr(function, '__name__', 'move')}") from None
    views = _views(call, operands, results)
    title: str = name or str(getattr(function, "__name__", "move"))

    def moved(call: Callable[..., Any], z: Any, source: Any, place: Any) -> Any:
        source = np.asarray(source)
        if not np.iscomplexobj(source):  # nothing active is in it
            return z
        source = np.where(source.imag > 0, np.rint(source.imag).astype(np.intp) - 1, -1)
        op = MoveOperation(title, len(operands), call, source, ends, template)
        tangent = pushed(tape, op, operands, values, op.active, z) if tape.forward else None
        base = next((x for x in operands if place is not None and shares(place, x.place)), None)
        if base is not None and type(z) in (np.ndarray, Array):
            return view_of(base, op, tuple(columns), z, tangent, place)
        return as_its_kind(record(tape, op, tuple(columns), None, z, tangent), z)

    if not isinstance(results, (list, tuple)):
        return moved(call, results, sources, views)
    parts = [
        moved(lambda *v, k=k: call(*v)[k], z, s, view)
        for k, (z, s, view) in enumerate(zip(results, sources, views or [None] * len(results), strict=True))
    ]
    return parts if isinstance(results, list) else tuple(parts)


def _numbered(value: Any, low: int, high: int) -> Any:
    """(low + 1) i, (low + 2) i, … in the shape of a value, lying in memory as it does."""
    numbers = (np.arange(low, high) + 1.0).reshape(shape_of(value)) * 1j
    if type(value) is not np.ndarray or value.flags.c_contiguous:
        return numbers
    laid = np.empty_like(value, complex)
    laid[...] = numbers
    return laid


def _views(call: Callable[..., Any], operands: Any, results: Any) -> Any:
    """What the function makes of the memory of a single array: a view of it, or a copy."""
    if any(type(x) is not Array for x in operands):
        return None
    return results if all(x.place is x.value for x in operands) else call(*(x.place for x in operands))


def shares(view: Any, memory: Any) -> bool:
    """Whether a view stands in the same memory as an array."""
    from .places import owner

    return type(view) is np.ndarray and owner(view) is owner(memory)


def standing(result: Array, view: Any, base: Array) -> Array:
    """A result that stands in the memory of another array: a change of one changes the other."""
    return made(
        result.tape,
        result.index,
        result.value,
        result.tangent,
        place=view,
        base=base if base.base is None else base.base,
    )


def view_of(base: Array, op: Any, left: Any, z: Any, tangent: Any, place: Any) -> Array:
    """A result that is a view of an array: it stands at `place` in its memory. Its value is one too; no value is ever
    written to."""
    index = row(base.tape, op, left, None, z, tangent)
    root = base if base.base is None else base.base
    return made(base.tape, index, z, tangent, place=place, base=root)


def as_its_kind(result: Any, z: Any) -> Any:
    """A result as an array without axes where NumPy's own result z is one."""
    from .constructors import whole

    return (
        result if getattr(z, "shape", None) != () or isinstance(z, np.generic) or type(z) in NUMBERS else whole(result)
    )


def reshape_in_place(x: Array, shape: Any) -> None:
    """`x.shape = …`: the same array in another shape."""
    from .methods import METHODS

    y = METHODS["reshape"](x, shape)
    x.index, x.value, x.tangent, x.version = y.index, y.value, y.tangent, y.version
    x.base, x.place = y.base, y.place
