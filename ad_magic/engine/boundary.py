"""Where the user's program ends and ours begins: of an error he sees his own frames."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def boundary(function: Callable[P, T]) -> Callable[P, T]:
    """A function of ours that users call: the traceback of what it raises has no frame of ours but this one, its text
    no name of a class of ours."""

    @functools.wraps(function)
    def called(*args: P.args, **options: P.kwargs) -> T:
        __tracebackhide__ = True
        try:
            return function(*args, **options)
        except Exception as error:
            from .errors import as_told

            told = as_told(error)
            if told is error:
                raise  # with the frames of the user alone
            raise told from None

    return called
