"""JupyterLab and Notebook 7 in a headless Chromium, for the tests in this folder.

`lab` and `notebook7` are pages (notebook_page.py), `any_host` is each in turn, `shots` the folder for screenshots:
that of the environment variable AD_SHOTS, or a temporary one. Without Chromium the tests skip; with REQUIRE_BROWSER=1
they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM, CHROMIUM_ARGS, missing


def need_browser() -> None:
    """Skip, or fail where the browser is required."""
    if absent := missing():
        refuse = pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip
        refuse("not found: " + ", ".join(absent))


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


@pytest.fixture(scope="package")
def tabs(browser) -> Iterator:
    """app -> the page that the last test has left in order."""
    kept: dict[str, Any] = {}
    yield kept
    for page in kept.values():
        page.page.context.close()


def _page(browser, servers, tabs, app: str, request, shots: Path) -> Iterator:
    from notebook_page import SIZE, TEXT_SECONDS, NotebookPage

    server = servers(app)
    page = tabs.pop(app, None)
    if page is None:
        context = browser.new_context(viewport=dict(zip(("width", "height"), SIZE, strict=True)))
        tab = context.new_page()
        tab.set_default_timeout(TEXT_SECONDS * 1000)
        page = NotebookPage(tab, server)
    try:
        yield page
    finally:
        failed = getattr(request.node, "ad_failed", False)
        if failed:
            picture = shots / f"FAILED-{request.node.name.replace('/', '-')}.png"
            page.page.screenshot(path=str(picture))
            print(f"\n{picture}\nserver log: {server.log}\npage errors: {page.errors}")
        if not failed and page.emptied():
            tabs[app] = page
        else:
            page.page.context.close()
        server.close_kernels()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.ad_failed = report.failed
    return report


@pytest.fixture
def lab(browser, servers, tabs, request, shots) -> Iterator:
    """A page of JupyterLab."""
    yield from _page(browser, servers, tabs, "lab", request, shots)


@pytest.fixture
def notebook7(browser, servers, tabs, request, shots) -> Iterator:
    """A page of Notebook 7."""
    yield from _page(browser, servers, tabs, "notebook", request, shots)


@pytest.fixture(params=["lab", "notebook"])
def any_host(browser, servers, tabs, request, shots) -> Iterator:
    """A page of JupyterLab, then one of Notebook 7."""
    yield from _page(browser, servers, tabs, request.param, request, shots)


@pytest.fixture
def saved(browser, result, tmp_path):
    """A function that runs a cell, saves its page and opens it with the network off: (the open page, the Result)."""
    from saved_page import Saved

    contexts = []
    pages = []

    def save(cell: str, inputs: str, ranges=None, width: int = 1200, **how):
        r = result(cell, inputs)
        path = tmp_path / f"page{len(contexts)}.html"
        r.save(path, ranges=ranges)
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **how)
        contexts.append(context)
        pages.append(Saved(context, path))
        return pages[-1], r

    yield save
    for page in pages:
        assert page.errors == []
        assert page.asked == [page.url]
    for context in contexts:
        context.close()
