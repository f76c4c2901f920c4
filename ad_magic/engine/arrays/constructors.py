"""Arrays that are made of active numbers: np.array([[cos(t), -sin(t)], [sin(t), cos(t)]]), copies, fills."""

from __future__ import annotations

from typing import Any

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.complexes import Complex
from ad_magic.engine.frames import user_frame
from ad_magic.engine.words import kind_of
from ad_magic.rules.arrays.frozen import np

from .adjoints import shape_of
from .array import NUMBERS, Array, made, operand, refresh


def array(x: Any) -> Any:
    """A (nested) list of numbers, active ones among them, as one array; plain where nothing is active."""
    from . import buffers
    from .perform import pair
    from .primitives import PAIRS

    if not isinstance(x, (list, tuple)) or type(x) is Array:
        return whole(x)
    if not buffers.holds_active(x):
        return np.asarray(buffers.bare(x) if not isinstance(x, (list, tuple)) else _bare(x))
    entries, shape = _entries(x)
    if all(not shape_of(y) and not isinstance(y, complex) for y in entries):
        if len(shape) == 0:
            return whole(entries[0])
        return pair(PAIRS["array"], entries, {"shape": shape})
    return np.stack([_as_array(array(y)) for y in x])


def _as_array(x: Any) -> Any:
    return x if shape_of(x) or isinstance(x, np.ndarray) else whole(x)


def _bare(x: Any) -> Any:
    from .buffers import bare

    return [_bare(y) for y in x] if isinstance(x, (list, tuple)) else bare(x)


def _entries(x: Any) -> tuple[list[Any], tuple[int, ...]]:
    """The numbers in a nested list in order, and the shape it has."""
    if not isinstance(x, (list, tuple)):
        value = operand(x)
        if value is NotImplemented:
            raise LostDerivative(f"{place_in_words(user_frame())}: an array of numbers cannot hold {kind_of(x)}")
        return [value], ()
    parts = [_entries(y) for y in x]
    shapes = {(*shape, *shape_of(entries[0]) * (len(entries) == 1 and not shape)) for entries, shape in parts}
    if len(shapes) > 1:
        raise ValueError(
            "setting an array element with a sequence. The requested array has an inhomogeneous shape after "
            f"1 dimensions. The detected shape was ({len(x)},) + inhomogeneous part."
        )
    inner = parts[0][1] if parts else ()
    return [y for entries, _ in parts for y in entries], (len(x), *inner)


def whole(x: Any) -> Any:
    """A number as an array without axes; an array as it is."""
    x = operand(x)
    if type(x) in NUMBERS:
        value = x.value
        tangent = None
        if x.tape.forward:
            from .array import directions

            tangent = directions(x)
        boxed = whole(value) if type(value) in NUMBERS or type(value) is Array else np.array(value)
        return made(x.tape, getattr(x, "index", -1), boxed, tangent)  # a dual number has no row
    return x if type(x) is Array else np.asarray(x)


def copy(x: Any, order: Any = "K") -> Any:
    """A copy: the same value in a memory of its own, laid out in this order."""
    x = operand(x)
    if type(x) is not Array:
        return x if type(x) in NUMBERS else np.array(x, order=order)
    if x.version != x.tape.writes:
        refresh(x)
    place = np.empty_like(x.place, x.value.dtype, order=order, subok=False)
    value = x.value
    if type(value) is np.ndarray and value.strides != place.strides:
        place[...] = value
        value = place
    return made(x.tape, x.index, value, x.tangent, place=place)


def from_complex(z: Complex) -> Any:
    """A complex number with active parts as an operand: real + 1j * imag, an array without axes."""

    re, im = operand(z.real), operand(z.imag)
    if type(re) not in NUMBERS and type(im) not in NUMBERS:
        return complex(re, im)
    from .array import row, split, youngest
    from .pairs import PairOperation
    from .perform import pushed
    from .primitives import PAIRS

    tape = youngest((re, im))
    assert tape is not None
    values, columns, active = split((re, im), tape)
    op = PairOperation(PAIRS["complex"], active, {})
    value = whole(op.value(*values))
    tangent = pushed(tape, op, (re, im), values, active, value) if tape.forward else None
    return made(tape, row(tape, op, tuple(columns), None, value, tangent), value, tangent)


def no_records() -> LostDerivative:
    """What to say where numbers are put into an array of records."""
    return LostDerivative(
        f"{place_in_words(user_frame())}: an array of records (dtype with field names) cannot hold a derivative; use "
        "one array for each field"
    )


def as_type(x: Any, dtype: Any, copied: bool = True, order: Any = "K") -> Any:
    """x.astype(dtype): floats and complex numbers keep their derivative, whole numbers are where it stops."""
    from .looks import looked
    from .perform import pair
    from .primitives import PAIRS

    x = operand(x)
    kind = np.dtype(dtype)
    if kind.kind == "V":
        raise no_records()
    if kind.kind == "O":
        out = np.empty(shape_of(x), dtype=object)
        for k in np.ndindex(shape_of(x)):
            out[k] = x[k]
        return out
    if kind.kind in "biu":
        return looked("bool" if kind.kind == "b" else "int", lambda v: np.asarray(v).astype(kind), (x,), {})
    if kind.kind not in "fc":
        return looked("str", lambda v: np.asarray(v).astype(kind), (x,), {})
    if kind == getattr(x, "dtype", np.dtype(float)):
        return copy(x, order) if copied else x
    return pair(PAIRS["astype"], (whole(x),), {"dtype": kind})
