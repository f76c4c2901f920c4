"""The rows of a memory: how it begins, a look, a write; and the same as functions, where what is read or written is
itself active."""

from __future__ import annotations

from typing import Any

from ad_magic.engine.operation import Operation
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .adjoints import absent, reduced, shape_of
from .array import Array, is_active, operand


def placed(content: Any, places: Any, last: Any, value: Any) -> Any:
    """The flat content with a value written to places, where either is itself active."""
    from .perform import pair

    return pair(PLACED, (content, value), {"places": places, "last": last})


# ---- the rows of a memory ------------------------------------------------------------------------


class MemoryOperation(Operation):
    """The row of a memory, of a look or of a write. The left column holds the row of the memory, that of its last
    write, and what is written."""

    __slots__ = ("begins", "last", "owner_shape", "places", "size")
    array = True
    memory = True

    def __init__(
        self, name: str, active: tuple[bool, ...], shape: tuple[int, ...], places: Any = None, last: Any = None,
        begins: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, None, active)
        self.decision = False
        self.rule = MEMORY
        self.places, self.last, self.owner_shape, self.begins = places, last, shape, begins
        self.size = int(np.prod(shape))

    def operands(self, left: Any, right: Any) -> tuple[Any, ...]:
        return left if self.name == "memory" else left[1:]

    def _marked(self, left: Any, right: Any) -> list[tuple[Any, bool]]:
        marks = self.active if self.name == "memory" else (True, *(self.active if self.name == "write" else ()))
        return list(zip(self.operands(left, right), marks, strict=True))

    def partials(self, left: Any, right: Any, values: Any, z: Any) -> tuple[Any, ...]:
        return ()

    def with_constant(self) -> MemoryOperation:
        """The same write of a value that is no variable."""
        return MemoryOperation(self.name, (False,), self.owner_shape, self.places, self.last, self.begins)

    def again(self, left: Any, values: list[Any], flats: dict[int, Any]) -> Any:
        """The value of the row at other values; `flats` are the contents of the memories by row."""
        if self.name == "memory":
            start = values[left[0]] if self.active[0] else left[0]
            flat = np.reshape(start, -1)
            flats[len(values)] = flat.copy() if type(flat) is np.ndarray else flat
            return 0.0
        if self.name == "look":
            seen = flats[left[0]][self.places]
            return np.asarray(seen) if type(seen) is not Array and not hasattr(seen, "tape") else seen
        value = operand(values[left[2]]) if self.active[0] else left[2]
        flat = flats[left[0]]
        if type(flat) is np.ndarray and not is_active(value):
            if np.iscomplexobj(value) and not np.iscomplexobj(flat):
                flat = flat.astype(complex)  # the complex step
                flats[left[0]] = flat
            flat[self.places] = value
        else:
            flats[left[0]] = placed(flat, self.places, self.last, value)
        return value

    def pull_memory(self, adjoints: Any, row: int, left: Any, values: Any) -> None:
        """The reverse sweep passes this row."""
        if self.name == "memory":
            g = adjoints[row]
            if self.active[0] and not absent(g):
                adjoints.add(left[0], np.reshape(g, shape_of(values[left[0]])))
            return
        if self.name == "look":
            self._pull_look(adjoints, row, left, values)
            return
        flat = adjoints[left[0]]
        if absent(flat):
            return
        g = flat[self.places]
        if self.last is not None:
            g = np.where(self.last, g, 0.0)
        adjoints[row] = _written_shape(g, values[left[2]] if self.active[0] else left[2])  # of what was written
        if type(flat) is np.ndarray:
            flat[self.places] = 0.0
        else:
            adjoints[left[0]] = placed(flat, self.places, self.last, 0.0)
        if self.active[0]:
            adjoints.add(left[2], adjoints[row])

    def _pull_look(self, adjoints: Any, row: int, left: Any, values: Any) -> None:
        g = adjoints[row]
        if absent(g):
            return
        flat = adjoints[left[0]]
        size = self.size
        if absent(flat):
            flat = np.zeros(size, complex if np.iscomplexobj(g) else float)
        if is_active(g) or is_active(flat):
            adjoints[left[0]] = flat + scattered(g, self.places, size)
            return
        if np.iscomplexobj(g) and not np.iscomplexobj(flat):
            flat = flat.astype(complex)
        np.add.at(flat, self.places, g)
        adjoints[left[0]] = flat

    def push_memory(self, tangents: list[Any], left: Any, values: Any, flats: dict[int, Any], row: int) -> Any:
        """The forward sweep passes this row; returns its tangent."""
        if self.name == "memory":
            start = tangents[left[0]] if self.active[0] else 0.0
            if absent(start):
                flats[row] = np.zeros(self.size)
            else:
                flat = np.reshape(np.broadcast_to(start, self.owner_shape), -1)
                flats[row] = flat if is_active(flat) else flat.copy()
            return 0.0
        if self.name == "look":
            return flats[left[0]][self.places]
        t = tangents[left[2]] if self.active[0] else 0.0
        flat = flats[left[0]]
        if is_active(operand(t)) or is_active(flat):
            flats[left[0]] = placed(flat, self.places, self.last, t)
            return t
        if np.iscomplexobj(t) and not np.iscomplexobj(flat):
            flats[left[0]] = flat = flat.astype(complex)
        flat[self.places] = t
        return t


def _written_shape(g: Any, value: Any) -> Any:
    """The adjoint of what was written, in its own shape: it may have had more axes of length one than its place."""
    shape = shape_of(value)
    if len(shape) > len(shape_of(g)):
        g = np.reshape(g, (1,) * (len(shape) - len(shape_of(g))) + shape_of(g))
    return reduced(g, value)


def scattered(g: Any, places: Any, size: int) -> Any:
    from .perform import pair

    return pair(SCATTERED, (g,), {"places": places, "size": size})


MEMORY = ArrayRule("memory", lambda *_: None, (), (), lambda *_: None)


# ---- the same as functions: where what is read and written is itself active ----------------------


def _entries(flat: Any, places: Any) -> Any:
    return flat[places]


def _scatter(g: Any, places: Any, size: int) -> Any:
    out = np.zeros(size, complex if np.iscomplexobj(g) else float)
    np.add.at(out, places, g)
    return out


def _place(content: Any, value: Any, places: Any, last: Any) -> Any:
    out = np.array(content, dtype=complex if np.iscomplexobj(value) else None)
    out[places] = value
    return out


def _pull_place(k: int, g: Any, z: Any, content: Any, value: Any, places: Any, last: Any) -> Any:
    if k == 0:
        return pair_(PLACED, (g, 0.0), {"places": places, "last": None})
    c = pair_(ENTRIES, (g,), {"places": places})
    return _written_shape(c if last is None else np.where(last, c, 0.0), value)


def _push_place(k: int, t: Any, z: Any, content: Any, value: Any, places: Any, last: Any) -> Any:
    if k == 0:
        return pair_(PLACED, (t, 0.0), {"places": places, "last": None})
    return pair_(PLACED, (np.zeros(shape_of(z)), t), {"places": places, "last": last})


def pair_(rule: ArrayRule, operands: Any, options: Any) -> Any:
    from .perform import pair

    return pair(rule, operands, options)


ENTRIES: ArrayRule = ArrayRule(
    "entries", _entries, ("flat",), ("places",),
    lambda k, g, z, flat, places: pair_(SCATTERED, (g,), {"places": places, "size": flat.size}),
)  # fmt: skip
SCATTERED: ArrayRule = ArrayRule(
    "scattered", _scatter, ("g",), ("places", "size"),
    lambda k, g, z, x, places, size: pair_(ENTRIES, (g,), {"places": places}),
)  # fmt: skip
PLACED = ArrayRule("placed", _place, ("content", "value"), ("places", "last"), _pull_place, _push_place)
