"""The Chromium that the system has, and how it is started."""

from __future__ import annotations

import importlib.util
import os
import shutil

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
CHROMIUM_ARGS = [
    "--no-sandbox",  # tests may run as root
    "--disable-dev-shm-usage",  # small in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # a page that wants the network fails at once
]


def missing() -> list[str]:
    """What must be installed for a notebook in a browser, and is not."""
    needed = ("playwright", "psutil", "jupyterlab", "notebook")
    names = [name for name in needed if importlib.util.find_spec(name) is None]
    return names if CHROMIUM else [*names, "a Chromium (set CHROMIUM to its path)"]
