"""`checkpoint`: in reverse mode a call is stored as one row, and its operations are computed again in the sweep.

What is stored of a call is what the function was given and what it has read: so it can be run again as it was, whatever
its variables are called by then. Griewank & Walther (2008), chapter 12; JAX calls it checkpoint or remat.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from ad_magic.engine.boundary import boundary
from ad_magic.engine.words import kind_of

ORIGINALS: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()  # what checkpoint gave -> of what


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, whose operations are not stored: a function that gives the same, as one row in reverse mode.

    In the reverse sweep f is run once more for each call, recorded, swept, and forgotten: memory for time. f takes and
    gives numbers, arrays, and lists, tuples, dicts, dataclasses of them; what it reads from a closure, a global or an
    object counts as an argument, as it is at the time of the call. Checkpoints may be nested. In forward mode, where
    nothing is stored, f runs as it is.

    As f is run again, all that it does is done again (a text is printed twice), and it must give the same: a ValueError
    says where it does not, with random numbers for example. All numbers that it computes are in its result: where it
    leaves one in a list, an array or a variable of others a TypeError says so. What f raises comes through as it is.

    >>> from ad_magic import grad
    >>> def step(x):
    ...     return x - 0.1 * x**2
    >>> def ten_steps(x):
    ...     for _ in range(10):
    ...         x = step(x)
    ...     return x
    >>> grad(lambda x: checkpoint(ten_steps)(checkpoint(ten_steps)(x)))(2.0) == grad(
    ...     lambda x: ten_steps(ten_steps(x))
    ... )(2.0)
    True
    """
    if not callable(f):
        raise TypeError(f"checkpoint(f) is of a function, not of {kind_of(f)}")

    @boundary
    @functools.wraps(f)
    def checkpointed(*args: Any, **options: Any) -> Any:
        return _called(f, args, options)

    ORIGINALS[checkpointed] = f
    return checkpointed


def _called(f: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    from .checkpoint_operation import called

    return called(f, args, options)
