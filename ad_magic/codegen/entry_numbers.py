"""Numbers of a program by their entries: of an array an array of objects, one `Entry` for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.arrays.adjoints import absent
from ad_magic.rules.arrays.frozen import np

from .expressions import number
from .symbols import Entry, Writer, bare

Label = Callable[[int], str | None]  # what a row is called; None for the inside of another row


def each(z: Any, make: Callable[[str, Any], Any]) -> Any:
    """`make(suffix, entry)` of a number, or an array of that for the entries of an array."""
    if not np.shape(z):
        return make("", z.item() if isinstance(z, np.ndarray) else z)
    made = np.empty(np.shape(z), object)
    for k, x in enumerate(z.flat):
        made.flat[k] = make(f"_{k}", x)
    return made


def objects(x: Any) -> Any:
    """An array as one of objects; a number as it is."""
    return x.astype(object) if isinstance(x, np.ndarray) and x.dtype != object else x


def spread(x: Any, shape: tuple[int, ...]) -> Any:
    """A number, or an array, in a shape."""
    if not isinstance(x, np.ndarray):
        boxed = np.empty((), object)
        boxed[()] = x
        x = boxed
    return np.broadcast_to(x, shape)


def like(x: Any, z: Any) -> Any:
    """A derivative in the shape of its value."""
    return None if z is None else spread(x, np.shape(z)) if np.shape(z) else x


def plus(a: Any, b: Any) -> Any:
    """a + b, either of which may be absent."""
    return b if absent(a) else a if absent(b) else a + b


def named(writer: Writer, value: Any, label: str | None, kind: str = "value") -> Any:
    """The entries under names of their own."""

    def one(suffix: str, x: Any) -> Any:
        if not isinstance(x, Entry):
            return x if absent(x) else Entry(writer, number(float(x)), float(x))
        if label is None:
            return x
        return Entry(writer, writer.block.named(label + suffix, x.expression, writer.row, kind), x.value)

    return tuple(named(writer, x, label, kind) for x in value) if isinstance(value, tuple) else each(value, one)


def as_entry(writer: Writer, x: Any) -> Entry:
    """A number as an entry."""
    return x if isinstance(x, Entry) else Entry(writer, number(float(x)), float(x))


def extreme(op: Any, a: Any) -> Any:
    """np.max or np.min of entries: the one that it is has to stay beyond each of the others.

    NumPy itself compares as in a knock-out, whose pairs may come out otherwise where the extreme stays the same.
    """
    axes = op.options.get("axis")
    axes = range(a.ndim) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    lanes = np.moveaxis(a, tuple(axes), range(-len(axes), 0))
    lanes = lanes.reshape(*lanes.shape[: a.ndim - len(axes)], -1)
    found = np.empty(lanes.shape[:-1], object)
    for k in np.ndindex(found.shape):
        plain = [float(bare(x)) for x in lanes[k]]
        best = lanes[k][np.argmax(plain) if op.name == "max" else np.argmin(plain)]
        for x in lanes[k]:
            if x is not best:
                bool(best >= x if op.name == "max" else best <= x)  # what is asked of an entry becomes a condition
        found[k] = best
    return np.expand_dims(found, tuple(axes)) if op.options.get("keepdims") else found


def results(op: Any, values: Sequence[Any]) -> Any:
    """What a row with rows inside gives."""
    found = tuple(out if row is None else values[row] for row, out in op.outputs)
    return found if op.several else found[0]
