"""How far a long run is, said by a thread that now and then looks at the tape: the run itself knows nothing of it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from ad_magic.engine.tape import Tape

FIRST = 2.0  # seconds before a run is long
NEXT = 0.5  # and between two words
MANY = 10_000  # operations: what takes long before so many is not the recording of them

Say = Callable[[str], None]


@contextlib.contextmanager
def progress(tape: Tape, say: Say | None) -> Iterator[None]:
    """For the time of the block `say` is told every now and then how many operations the tape has, if they are many.

    The last word is how many there were. Without `say` nothing happens.
    """
    if say is None:
        yield
        return
    over, said, start = threading.Event(), threading.Event(), time.monotonic()

    def tell(ends: bool = False) -> None:
        seconds = time.monotonic() - start
        verb = "recorded in" if ends else "so far,"
        say(f"{counted(tape)} {verb} {seconds:.1f} s")

    def watch() -> None:
        wait = FIRST
        while not over.wait(wait):
            wait = NEXT
            if count_of(tape) >= MANY:
                said.set()
                tell()

    watcher = threading.Thread(target=watch, name="ad_magic progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        if said.is_set():
            watcher.join(1.0)
            tell(ends=True)


def counted(tape: Tape) -> str:
    """How many operations a tape has, in words.

    >>> counted(Tape())
    '0 operations'
    """
    count = count_of(tape)
    return f"{count:,} operation{'s' if count != 1 else ''}"


def count_of(tape: Tape) -> int:
    """How many operations a tape has, recorded by a run that is open or over, kept or not."""
    values = tape.values
    return max(tape.recorded, len(values) if values is not None else len(tape.columns or ()))
