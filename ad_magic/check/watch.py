"""A limit of time for a program that is run at other inputs: there its loops may not come to an end."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Iterator

LEAST = 1.0  # seconds that a run may always take
TIMES = 30  # so many times as long as the first run has taken


class TooLong(Exception):
    """The program has not come to an end in time."""


class _Stop(BaseException):
    """Raised in the middle of the program; it is no Exception, which the program could take for one of its own."""


class Watch:
    """Watches over one thread, the one that made it; `limited` is a block that must come to an end.

    One other thread looks at the clock, as long as the Watch is open. It needs no signal, so that it works in a kernel
    as in a terminal; a single call of a function in C is not interrupted.
    """

    def __init__(self) -> None:
        self.limit = LEAST
        self._thread = threading.get_ident()
        self._since: float | None = None
        self._fired = False
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._clock: threading.Thread | None = None

    @contextlib.contextmanager
    def limited(self) -> Iterator[None]:
        """A block that raises TooLong when it has taken longer than the limit."""
        if self._clock is None:
            self._clock = threading.Thread(target=self._look, name="ad_magic check", daemon=True)
            self._clock.start()
        self._since = began = time.perf_counter()
        try:
            yield
        except _Stop:
            raise TooLong(f"it does not come to an end within {self.limit:.0f} s") from None
        finally:
            self._end()
        if self.limit == LEAST:
            self.limit = max(LEAST, TIMES * (time.perf_counter() - began))

    def _end(self) -> None:
        """The block is over. What was on its way to it is taken back."""
        with self._lock:
            self._since = None
            fired, self._fired = self._fired, False
        if fired:
            with contextlib.suppress(_Stop):
                _raise_in(self._thread, None)

    def _look(self) -> None:
        while not self._closed.wait(0.1):
            with self._lock:
                since = self._since
                if since is not None and time.perf_counter() - since > self.limit:
                    self._fired = True
                    self._since = time.perf_counter()  # again, if the program has caught it
                    _raise_in(self._thread, _Stop)

    def close(self) -> None:
        """End the other thread."""
        self._closed.set()
        if self._clock is not None:
            self._clock.join()


def _raise_in(thread: int, what: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(what) if what is not None else None
    )


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """A Watch that is closed at the end."""
    watch = Watch()
    try:
        yield watch
    finally:
        watch.close()
