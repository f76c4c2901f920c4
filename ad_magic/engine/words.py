"""What a sentence of ours calls the user's things."""

from __future__ import annotations

import functools
from typing import Any

from .active import primal


def name_of(f: Any) -> str:
    """What a sentence calls a function: its name, where it has one.

    >>> name_of(len), name_of(lambda x: x)
    ('len', 'the function')
    """
    while isinstance(f, functools.partial):
        f = f.func
    name = getattr(f, "__name__", type(f).__name__)
    return name if name.isidentifier() else "the function"


def kind_of(x: Any) -> str:
    """What something is, in a sentence.

    >>> import numpy as np
    >>> kind_of(1), kind_of("a"), kind_of(None), kind_of(np.zeros(2))
    ('an int', 'a str', 'None', 'an ndarray')
    """
    name = primal(x).__class__.__name__
    return "None" if x is None else f"{'an' if name[0] in 'aeio' or name.startswith('nd') else 'a'} {name}"


def of_a_function(who: str, f: Any, again: bool = False) -> None:
    """Raise TypeError where f is no function; `again` says that what `who` gives is called with the arguments."""
    if not callable(f):
        instead = f": {who}(f)(x), not {who}(f(x))" if again else ""
        raise TypeError(f"{who} is of a function, not of {kind_of(f)}{instead}")
