"""The names of NumPy's types of numbers while a program runs that calls them: np.float32(x) of an active x."""

from __future__ import annotations

from typing import Any

import numpy as np

from ad_magic.engine.active import as_numpys
from ad_magic.engine.codes import NUMPYS_TYPES
from ad_magic.engine.library import NamedType
from ad_magic.engine.texts import read_back

from .array import NUMBERS, Array, is_active, operand
from .buffers import holds_active
from .constructors import as_type, copy


class _ScalarType(NamedType, type):
    """Makes the stand-in for a type of NumPy, its one base, answer as that does."""

    def __call__(cls, *args: Any) -> Any:
        original = _original(cls)
        if len(args) == 1 and (is_active(args[0]) or holds_active(args[0])):
            x = operand(args[0])
            if np.dtype(original) == np.float64:
                return as_numpys(x) if type(x) in NUMBERS else copy(x)
            made = as_type(x, original)
            return made[()] if type(made) is Array and not made.ndim else made
        if len(args) == 1 and isinstance(args[0], str):
            read_back(args[0])
        return original(*args)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _original(cls))

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _original(cls))

    def __eq__(cls, other: object) -> bool:
        return other is _original(cls) or other is cls

    def __hash__(cls) -> int:
        return hash(_original(cls))

    def __repr__(cls) -> str:
        return repr(_original(cls))


def _original(cls: type) -> Any:
    return cls.__mro__[1]


def _standing_for(original: type) -> type:
    made = _ScalarType(original.__name__, (original,), {"__slots__": ()})
    made.__module__, made.__qualname__ = original.__module__, original.__qualname__
    return made


_TYPES = {kind: _standing_for(kind) for kind in (np.float64, np.float32, np.float16, np.longdouble, np.complex128)}
SCALARS = {name: _TYPES[getattr(np, name)] for name in NUMPYS_TYPES}
