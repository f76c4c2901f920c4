"""Running a program on behalf of a panel: on the main thread, interruptible, and unseen."""

from __future__ import annotations

import contextlib
import io
import signal
import threading
from collections.abc import Iterator
from typing import Any

from IPython import get_ipython


def main_loop() -> Any:
    """The kernel's main loop, where it is not the one that we are in."""
    if threading.current_thread() is threading.main_thread():
        return None
    return getattr(getattr(get_ipython(), "kernel", None), "io_loop", None)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let an interrupt of the kernel through; between cells it is ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def unseen() -> Iterator[None]:
    """Hold back what a program prints or displays: it has been seen once, and would land under another cell.

    Only by means of this thread: the shell's own publisher stays in its place for cells that run meanwhile.
    """
    publisher: Any = getattr(get_ipython(), "display_pub", None)
    hook = _nothing if hasattr(publisher, "register_hook") else None
    if hook is not None:
        publisher.register_hook(hook)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        if hook is not None:
            publisher.unregister_hook(hook)


def _nothing(message: Any) -> None:
    """A message that is not sent on."""
