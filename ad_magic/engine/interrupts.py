"""Ctrl-C stops the user's program and waits while we put things in place or take them back."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Guard:
    """Takes Ctrl-C for the time of a run: it is let through while the guard is `open`, else it waits until the end.

    A flag that is set by one instruction has no moment at which an interrupt would find it half done.
    """

    __slots__ = ("before", "open", "waiting")

    def __init__(self) -> None:
        self.open = False
        self.waiting: list[Any] = []
        self.before: Any = None
        if threading.current_thread() is threading.main_thread():  # no other thread is ever interrupted
            before = signal.getsignal(signal.SIGINT)
            if callable(before):
                self.before = before
                signal.signal(signal.SIGINT, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.open:
            self.before(number, frame)
        else:
            self.waiting.append((number, frame))

    def let_through(self) -> None:
        """From here on Ctrl-C stops the program; also one that has waited."""
        self.open = True
        if self.waiting:
            self.before(*self.waiting.pop())

    def done(self) -> None:
        """Give Ctrl-C back, and carry out one that has waited."""
        self.open = False
        if self.before is None:
            return
        now: Any = signal.getsignal(signal.SIGINT)
        if now is self:  # not so where the program has set a handler of its own
            signal.signal(signal.SIGINT, self.before)
        if self.waiting:
            self.before(*self.waiting.pop())
