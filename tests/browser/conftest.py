"""JupyterLab and Notebook 7 in a headless Chromium, for the tests in this folder.

`lab` and `notebook7` are pages (notebook_page.py), `any_host` is each in turn, `shots` the folder for screenshots:
that of the environment variable AD_SHOTS, or a temporary one. Without Chromium the tests skip; with REQUIRE_BROWSER=1
they fail.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def need_browser() -> None:
    """Skip, or fail where the browser is required."""
    needed = ("playwright", "psutil", "jupyterlab", "notebook")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if CHROMIUM is None:
        missing.append("a Chromium (set CHROMIUM to its path)")
    if missing:
        refuse = pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip
        refuse("not found: " + ", ".join(missing))


@pytest.fixture(scope="package")
def browser() -> Iterator:
    need_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS, headless=True)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def servers(tmp_path_factory) -> Iterator:
    """app -> a running server, started when it is first asked for."""
    need_browser()
    import lab_server

    import ad_magic

    # the kernel gets the same ad_magic as the tests, installed or not, and the modules beside the tests
    path = os.pathsep.join([str(Path(ad_magic.__file__).parents[1]), str(Path(__file__).parent)])
    running: dict[str, lab_server.Server] = {}

    def server(app: str) -> lab_server.Server:
        if app not in running:
            running[app] = lab_server.start(app, tmp_path_factory.mktemp(app), path)
        return running[app]

    yield server
    for one in running.values():
        lab_server.stop(one)


@pytest.fixture(scope="session")
def shots(tmp_path_factory) -> Path:
    folder = Path(os.environ.get("AD_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _page(browser, servers, app: str, request, shots: Path) -> Iterator:
    from notebook_page import TEXT_SECONDS, NotebookPage

    server = servers(app)
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(TEXT_SECONDS * 1000)
    page = NotebookPage(tab, server)
    try:
        yield page
    finally:
        if getattr(request.node, "ad_failed", False):
            picture = shots / f"FAILED-{request.node.name.replace('/', '-')}.png"
            tab.screenshot(path=str(picture))
            print(f"\n{picture}\nserver log: {server.log}\npage errors: {page.errors}")
        context.close()
        server.close_kernels()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.ad_failed = report.failed
    return report


@pytest.fixture
def lab(browser, servers, request, shots) -> Iterator:
    """A page of JupyterLab."""
    yield from _page(browser, servers, "lab", request, shots)


@pytest.fixture
def notebook7(browser, servers, request, shots) -> Iterator:
    """A page of Notebook 7."""
    yield from _page(browser, servers, "notebook", request, shots)


@pytest.fixture(params=["lab", "notebook"])
def any_host(browser, servers, request, shots) -> Iterator:
    """A page of JupyterLab, then one of Notebook 7."""
    yield from _page(browser, servers, request.param, request, shots)
