"""What goes into a derivative of a function and what comes out of it: numbers, arrays, and trees of them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from ad_magic.engine.active import Active, after_run
from ad_magic.engine.standins import plain_in
from ad_magic.engine.tape import Tape
from ad_magic.engine.traced import Traced
from ad_magic.engine.words import kind_of, name_of

from . import trees


@functools.cache
def arrays() -> Any:
    """The module of active arrays, not before there is an array: it loads NumPy."""
    from ad_magic.engine.arrays import array

    return array


# ---- telling them apart --------------------------------------------------------------------------


def is_active(x: Any) -> bool:
    return type(x) in Active.types or hasattr(x, "place")


def is_array(x: Any) -> bool:
    """Whether x is an array of real numbers, with axes."""
    if type(x) is float or type(x) in Active.types:
        return False
    return getattr(x, "ndim", 0) > 0 and getattr(getattr(x, "dtype", None), "kind", "") in ("f", "i", "u")


def is_real(x: Any) -> bool:
    """Whether x is a real number: of Python, of NumPy, or in an array without axes."""
    if isinstance(x, (float, int)):
        return True
    return getattr(x, "shape", None) == () and getattr(getattr(x, "dtype", None), "kind", "") in ("f", "i", "u", "b")


def is_complex(x: Any) -> bool:
    """Whether x is a complex number or an array of such."""
    return isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c"


def is_leaf(x: Any) -> bool:
    """Whether x is a variable that a derivative may be with respect to: a real number, no truth value, or an array."""
    return type(x) is float or (is_real(x) and not isinstance(x, bool)) or is_array(x)


def is_result(x: Any) -> bool:
    """Whether x is a number or an array that a function may return; complex ones too."""
    return is_real(x) or isinstance(x, complex) or (hasattr(x, "dtype") and hasattr(x, "shape"))


def shape_of(x: Any) -> tuple[int, ...]:
    return x.shape if is_array(x) else ()


def leaves(x: Any) -> list[Any]:
    return trees.leaves(x, is_leaf)


def leaves_like(x: Any, other: Any) -> list[Any]:
    """The leaves of another tree of the same shape, in the order of those of x."""
    return trees.leaves_like(x, other, is_leaf)


def rebuilt(x: Any, new: Any) -> Any:
    return trees.rebuilt(x, new, is_leaf)


# ---- what goes in --------------------------------------------------------------------------------


def argument(x: Any, k: int) -> Any:
    """Argument k as it can be differentiated with respect to. Raises TypeError where there is no number in it."""
    if is_leaf(x) or (trees.is_container(x) and (leaves(x) or not x)):
        return x
    if trees.is_container(x):
        raise TypeError(
            f"argument {k}, {kind_of(x)}, holds no real number; a derivative is with respect to real numbers"
        )
    if hasattr(x, "dtype"):
        raise TypeError(f"argument {k} is {kind_of(x)} of {x.dtype}; a derivative is with respect to real numbers")
    raise TypeError(
        f"argument {k} is {kind_of(x)}; a derivative is with respect to a real number, an array, or lists, tuples, "
        "dicts and dataclasses of them"
    )


def traced(tape: Tape, x: Any) -> Any:
    """A leaf as a variable of a recorded run."""
    return arrays().array_input(tape, x, shared=False) if is_array(x) else Traced.input(tape, number(x))


def number(x: Any) -> Any:
    """A real number as the engine takes it."""
    if type(x) is float or type(x) in Active.types:
        return x
    return read(x) if is_active(x) else float(x)


# ---- what comes out ------------------------------------------------------------------------------


def read(output: Any) -> Any:
    """What a function gives, while its run is open: of an array what it holds now; the number in one without axes."""
    if type(output).__name__ not in ("Array", "Buffer"):
        return output
    output = arrays().latest(output)
    return output[()] if output.shape == () else output


def read_tree(output: Any) -> Any:
    """The same for all that a tree holds."""
    return trees.rebuilt(output, map(read, trees.leaves(output, is_result)), is_result)


def plain(x: Any) -> Any:
    """A result as it is when its run is over."""
    return after_run(x) if type(x) in Active.types else plain_in(x)


def own(held: list[Any], k: int, shape: tuple[int, ...]) -> Any:
    """An adjoint, taken out of the list: a number, or an array that nobody else holds."""
    x, alone = _taken(held, k)
    if alone and type(x).__name__ == "ndarray" and x.shape == shape and x.base is None and x.flags.writeable:
        return x
    if not shape:
        return x if is_active(x) else float(x)
    if getattr(x, "shape", ()) != shape:
        import numpy as np

        return as_own(np.broadcast_to(x, shape))
    return as_own(x)


def _taken(held: list[Any], k: int) -> tuple[Any, bool]:
    """Take an object out of a list: it, and whether nobody else holds it."""
    x = held[k]
    held[k] = None
    return x, sys.getrefcount(x) <= _ALONE


_ALONE = 0  # the number of references to such an object there
while not _taken([object()], 0)[1]:
    _ALONE += 1


def as_own(x: Any) -> Any:
    """An array with a memory of its own; a number as it is."""
    if not hasattr(x, "shape"):
        return x
    if is_active(x):
        from ad_magic.engine.arrays.constructors import copy

        return copy(x)
    import numpy as np

    return np.array(x)


def zero(shape: tuple[int, ...]) -> Any:
    if not shape:
        return 0.0
    import numpy as np

    return np.zeros(shape)


def with_aux(f: Callable[..., Any], output: Any) -> tuple[Any, Any]:
    """The pair (output, aux) that a function with has_aux=True returns."""
    if not isinstance(output, tuple) or len(output) != 2:
        kind = kind_of(output) + (f" of {len(output)}" if isinstance(output, tuple) else "")
        raise TypeError(f"{name_of(f)} returned {kind}; with has_aux=True it returns a pair (output, aux)")
    return output
