"""A notebook that is open in the browser, and what a person does with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from lab_server import Server
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, Page, expect

KERNEL_SECONDS, CELL_SECONDS, TEXT_SECONDS = 90, 120, 20
SIZE = (1200, 1000)
KERNELSPEC = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

# The page is there long before the kernel is: wait for the document, the session and an idle kernel.
_READY = """() => {
    const widget = window.jupyterapp?.shell?.currentWidget;
    const session = widget?.context?.sessionContext;
    return !!(widget?.context?.isReady && session?.isReady && session.session?.kernel?.status === 'idle');
}"""
# What a command resolves to can be all of Lab, in cycles: only say that it is done.
_COMMAND = """([name, args]) => {
    window.adDone = null;
    const done = (how) => { window.adDone = how; };
    window.jupyterapp.commands.execute(name, args).then(() => done(true), (error) => done(String(error)));
}"""
_IDLE = """() => window.adDone !== null
    && window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'idle'"""
# In the page that is there already: another document, none of those before it.
_OPEN = """async (path) => {
    await window.jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' });
}"""
_CLOSE = """() => {
    for (const widget of [...window.jupyterapp.shell.widgets('main')]) {
        if (widget.context) widget.context.model.dirty = false; // nobody is there to be asked
        widget.dispose();
    }
    return document.querySelectorAll('.jp-Dialog').length === 0;
}"""
_SELECT = """(index) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    notebook.deselectAll();
}"""


class NotebookPage:
    """One browser tab. `errors` are JavaScript's, `external` the requests for another machine: there should be none.

    To load JupyterLab takes longer than most tests: a tab that is in order is emptied and serves the next one.
    """

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.usable = server.app == "lab"  # by the next test; Notebook 7 has a page for each notebook
        self._is_loaded = False  # with no notebook open
        self.errors: list[str] = []
        self.external: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if not url.startswith((self.server.base, "data:", "blob:")):
            self.external.append(url)

    # --- opening and running

    def open(self, cells: Sequence[str], name: str = "test.ipynb") -> NotebookPage:
        """Open a notebook with these code cells."""
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=KERNELSPEC)
        nbformat.write(notebook, self.server.work / name)
        return self.open_file(name)

    def open_file(self, name: str) -> NotebookPage:
        """Open a notebook of the server's folder. For a second one in a test the page is loaded anew."""
        if self._is_loaded:
            self._is_loaded = False
            self.page.evaluate(_OPEN, name)
        else:
            self.page.goto(self.server.url(name), wait_until="domcontentloaded")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=KERNEL_SECONDS * 1000)
        self.page.wait_for_function(_READY, timeout=KERNEL_SECONDS * 1000)
        self.errors.clear()  # Notebook 7 has some of its own while it boots
        return self

    def anew(self) -> NotebookPage:
        """A page of this test alone, loaded when its notebook is opened."""
        self.usable = self._is_loaded = False
        return self

    def emptied(self) -> bool:
        """Close the notebook, and all that has been asked of the page; whether it can serve another test."""
        if not self.usable or not self.page.evaluate(_CLOSE):
            return False
        for other in self.page.context.pages:
            if other is not self.page:
                other.close()
        self.page.context.clear_permissions()
        self.page.emulate_media(media="null", color_scheme="null", reduced_motion="null", forced_colors="null")
        self.width(*SIZE)
        self.page.mouse.move(0, 0)
        self.external.clear()
        self._is_loaded = True
        return True

    def command(self, name: str, *, seconds: float = CELL_SECONDS, **args: Any) -> None:
        """Run a command of Lab and wait until the kernel has done what it asked for."""
        self.page.evaluate(_COMMAND, [name, args])
        self.page.wait_for_function(_IDLE, timeout=seconds * 1000)

    def run_all(self, *, check: bool = True) -> None:
        """Run All. A cell that fails ends it without a word, so look at the outputs."""
        self.command("notebook:run-all-cells")
        if check:
            assert not self.cell_errors(), self.cell_errors()

    def run_cell(self, index: int) -> None:
        self.page.evaluate(_SELECT, index)
        self.command("notebook:run-cell")

    def set_source(self, index: int, source: str) -> None:
        self.page.evaluate(
            "([i, s]) => window.jupyterapp.shell.currentWidget.content.widgets[i].model.sharedModel.setSource(s)",
            [index, source],
        )

    def save(self) -> nbformat.NotebookNode:
        """Save the notebook; what is then on the disk."""
        self.command("docmanager:save")
        path = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
        return nbformat.read(self.server.work / path, as_version=4)

    # --- looking

    def model(self) -> dict[str, Any]:
        """The notebook as the page holds it, saved or not."""
        return self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.toJSON()")

    def cell_errors(self) -> list[tuple[int, str, str]]:
        return [
            (index, output["ename"], output["evalue"])
            for index, cell in enumerate(self.model()["cells"])
            for output in cell.get("outputs", [])
            if output["output_type"] == "error"
        ]

    def text_of(self, index: int) -> str:
        """The plain text of a cell's outputs."""
        parts = []
        for output in self.model()["cells"][index].get("outputs", []):
            text = output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue") or ""
            parts.append("".join(text))
        return "".join(parts)

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def find(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def see(self, text: str | re.Pattern[str], selector: str = ".jp-Notebook", seconds: float = TEXT_SECONDS) -> None:
        """Wait until the text stands there. Widgets are drawn after their cell has run: always wait."""
        expect(self.page.locator(selector).first).to_contain_text(text, timeout=seconds * 1000)

    # --- acting

    def handle(self, nth: int = 0, scope: Locator | None = None) -> Locator:
        return (scope or self.page).locator(".widget-slider .noUi-handle").nth(nth)

    def press_slider(self, key: str, times: int = 1, nth: int = 0, scope: Locator | None = None) -> None:
        self.handle(nth, scope).focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def drag_slider(
        self, fraction: float, nth: int = 0, scope: Locator | None = None, steps: int = 10, release: bool = True
    ) -> None:
        """Take the handle with the mouse to a fraction of the track. With release=False the button stays down."""
        handle = self.handle(nth, scope)
        handle.scroll_into_view_if_needed()
        start = handle.bounding_box()
        track = (scope or self.page).locator(".widget-slider .noUi-target").nth(nth).bounding_box()
        assert start
        assert track
        y = start["y"] + start["height"] / 2
        self.page.mouse.move(start["x"] + start["width"] / 2, y)
        self.page.mouse.down()
        self.page.mouse.move(track["x"] + fraction * track["width"], y, steps=steps)
        if release:
            self.page.mouse.up()

    def theme(self, dark: bool) -> None:
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(
            "(light) => document.body.dataset.jpThemeLight === light", arg="false" if dark else "true"
        )

    def width(self, pixels: int, height: int = 1000) -> None:
        self.page.set_viewport_size({"width": pixels, "height": height})

    def screenshot(self, path: Path, locator: Locator | None = None) -> Path:
        """A picture without a blinking caret and with the fonts loaded."""
        self.page.evaluate("() => document.fonts.ready.then(() => null)")
        (locator or self.page).screenshot(path=str(path), animations="disabled", caret="hide")
        return path
