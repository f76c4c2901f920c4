"""A JupyterLab or Notebook 7 of our own: loopback only, in its own folders, gone when the tests are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

TOKEN = "ad-magic-tests"
START_SECONDS = 90  # generous: two shared cores

# User settings, so that nothing is written into the environment.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # every cell is in the page, seen or not
}


@dataclass
class Server:
    """A running server. `app` is "lab" or "notebook"; notebooks are files in `work`."""

    app: str
    root: Path
    process: subprocess.Popen
    base: str = ""

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    def api(self, path: str, method: str = "GET", data: Any = None) -> Any:
        """The answer of the server's REST interface."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(
            f"{self.base}/{path}", body, {"Authorization": f"token {TOKEN}"}, method=method
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not know our loopback
        with direct.open(request, timeout=15) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def url(self, notebook: str) -> str:
        page = "notebooks" if self.app == "notebook" else "doc/tree"  # doc: one document, no file browser
        return f"{self.base}/{page}/{notebook}?token={TOKEN}&reset"

    def close_kernels(self) -> None:
        for session in self.api("api/sessions"):
            self.api(f"api/sessions/{session['id']}", "DELETE")


def environment(root: Path, pythonpath: str) -> dict[str, str]:
    """The environment of a server that knows nothing of the user's own Jupyter."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "PLAYWRIGHT"))}
    folders = {
        "HOME": "home",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    for folder in (*folders.values(), "work"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    return (
        kept
        | {name: str(root / folder) for name, folder in folders.items()}
        | {
            "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel wins over the user's
            "PYTHONPATH": os.pathsep.join(filter(None, [pythonpath, os.environ.get("PYTHONPATH", "")])),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "NO_PROXY": "127.0.0.1,localhost",
        }
    )


def start(app: str, root: Path, pythonpath: str = "") -> Server:
    """A server that answers. Raises with the end of its log if it does not."""
    env = environment(root, pythonpath)
    for name, values in SETTINGS.items():
        file = root / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    command = [
        *(sys.executable, "-m", {"lab": "jupyterlab", "notebook": "notebook"}[app]),
        *("--no-browser", "--allow-root", "--expose-app-in-browser"),
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",  # one that is free; told below
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={root / 'work'}",
        "--ServerApp.terminals_enabled=False",
        # No question about news: it would cover the lower right corner.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        # Should the tests be killed, the orphan goes by itself.
        "--ServerApp.shutdown_no_activity_timeout=600",
        "--MappingKernelManager.cull_idle_timeout=300",
    ]
    with (root / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=root / "work",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = Server(app, root, process)
    told = root / "runtime" / f"jpserver-{process.pid}.json"  # written once the port is bound
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.base = f"http://127.0.0.1:{json.loads(told.read_text())['port']}"
            server.api("api/status")
            return server
        except (OSError, ValueError):  # not there yet, half written, refused
            if process.poll() is not None or time.monotonic() > deadline:
                stop(server)
                raise RuntimeError(f"{app} does not answer:\n{server.log.read_text()[-4000:]}") from None
            time.sleep(0.1)


def stop(server: Server) -> None:
    """End the server and the kernels that it started."""
    try:
        kernels = psutil.Process(server.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        kernels = []
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(15)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait(5)
    _, alive = psutil.wait_procs(kernels, timeout=5)
    for kernel in alive:
        kernel.kill()
