"""From a key on a slider to the changed number in the page: our panel beside what goes through the kernel.

All in one page of JupyterLab in a headless Chromium, taken in turns. The clock is the page's: it starts at the key,
before any slider has heard of it, and stops when the text in the page is another one; painting is not in it.
"""

from __future__ import annotations

import math
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from .table import Row

HARNESS = Path(__file__).parents[1] / "tests" / "browser"  # the JupyterLab of the tests
BUDGET = 16.0  # milliseconds: one frame
WARM_UP, TURN = 5, 5  # events that do not count; events before the next contender has its turn
PAUSE = 150  # milliseconds between events
BURST = 200  # events in one turn of the page
QUIET = 400  # milliseconds without a change, and the number is right: it has settled

_WATCH = """([name, cell, text]) => {
    const bench = (window.adBench ??= { watched: {} });
    if (!bench.pressed) document.addEventListener("keydown", () => { bench.pressed = performance.now(); }, true);
    const root = document.querySelectorAll(".jp-Notebook .jp-Cell")[cell].querySelector(".jp-OutputArea");
    const read = () => root.querySelector(text)?.textContent.trim() ?? "";
    const watched = (bench.watched[name] = { root, read, last: read(), changed: 0, told: null });
    new MutationObserver(() => {
        const now = read();
        if (!now || now === watched.last) return;
        watched.last = now;
        watched.changed = performance.now();
        watched.told?.();
    }).observe(root, { childList: true, subtree: true, characterData: true });
}"""
_COME = """async (name) => {
    const handle = window.adBench.watched[name].root.querySelector(".noUi-handle");
    handle.scrollIntoView({ block: "center" }); // what is out of sight may rest
    handle.focus({ preventScroll: true });
    await new Promise((done) => setTimeout(done, 100));
}"""
_ARM = """async ([name, pause]) => {
    await new Promise((done) => setTimeout(done, pause)); // the kernel has done with the event before
    const watched = window.adBench.watched[name];
    watched.next = new Promise((done) => {
        const lost = setTimeout(() => done(null), 5000);
        watched.told = () => {
            clearTimeout(lost);
            watched.told = null;
            done(watched.changed - window.adBench.pressed);
        };
    });
}"""
_NEXT = "(name) => window.adBench.watched[name].next"
_BURST = """async ([name, key, times, wanted, quiet]) => {
    const watched = window.adBench.watched[name];
    const handle = watched.root.querySelector(".noUi-handle");
    const began = performance.now();
    const event = () => new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    for (let k = 0; k < times; k++) handle.dispatchEvent(event());
    const found = () => Number(watched.read().replace("\u2212", "-"));
    const right = () => Math.abs(found() - wanted) <= 1e-4 * Math.abs(wanted) + 1e-12;
    while (!right() || performance.now() - Math.max(began, watched.changed) < quiet) {
        if (performance.now() - began > 30000) throw new Error(`${name}: ${watched.read()} where ${wanted} should be`);
        await new Promise((done) => setTimeout(done, 20));
    }
    return watched.changed - began;
}"""


@dataclass
class Contender:
    """A slider, and a number that follows it. `text` finds that number in the outputs of its cell."""

    name: str
    source: str
    text: str
    at: Callable[[float], float]  # what the number must be
    end: float  # of the slider
    events: list[float] = field(default_factory=list)  # milliseconds
    bursts: list[float] = field(default_factory=list)
    lost: int = 0  # events after which nothing happened


@dataclass(frozen=True)
class Program:
    """A cell in x with a slider for it."""

    name: str
    body: str
    at: Callable[[float], float]
    start: float
    end: float
    fixed: str = ""  # other inputs

    def panel(self, name: str = "panel") -> Contender:
        line = f"%%grad x={self.start} {self.fixed} --of z --range x=0:{self.end}:{self.end / BURST}"
        return Contender(f"{self.name}, {name}", f"{line}\n{self.body}", ".ad-panel .ad-value", self.at, self.end)

    def through_the_kernel(self) -> Iterator[Contender]:
        """The two ways that people know: `interact` with a print, and a slider observed by a function."""
        indented = "\n".join(f"    {line}" for line in f"{self.fixed}\n{self.body}".split("\n"))
        slider = f"ipywidgets.FloatSlider(value={self.start}, min=0, max={self.end}, step={self.end / BURST})"
        f = re.sub(r"\W", "_", f"f_{self.name}")  # the cells of a notebook share their names
        function = f"def {f}(x):\n{indented}\n    return z\n"
        printed = f"{function}ipywidgets.interact(lambda x: print({f}(x)), x={slider});"
        html = (
            f"{function}slider, html = {slider}, ipywidgets.HTML(str({f}({self.start})))\n"
            f"def follow(change, html=html):\n    html.value = str({f}(change.new))\n"
            'slider.observe(follow, "value")\nipywidgets.VBox([slider, html])'
        )
        yield Contender(f"{self.name}, interact and print", printed, ".widget-output", self.at, self.end)
        yield Contender(f"{self.name}, FloatSlider → HTML", html, ".widget-html-content", self.at, self.end)


def _running(x: float, y: float = 3.0) -> float:
    return (x + 2 * y) ** 2 * math.sin(x * y)


def _loop(turns: int) -> Callable[[float], float]:
    def at(x: float) -> float:
        z = x
        for _ in range(turns):
            z = z * x + 0.25
        return z

    return at


def loop(operations: int) -> Program:
    """A scalar loop of so many operations."""
    turns = operations // 2
    body = f"z = x\nfor _ in range({turns}):\n    z = z * x + 0.25"
    return Program(f"{operations} operations", body, _loop(turns), 0.6, 0.8)


RUNNING = Program("running example", "a = x + 2*y\nb = math.sin(x*y)\nz = a**2 * b", _running, 2.0, 4.0, "y=3")


def rows(events: int, bursts: int) -> list[Row]:
    """All of it: `events` keys on each slider, `bursts` bursts."""
    first = [c for program in (RUNNING, loop(500)) for c in (program.panel(), *program.through_the_kernel())]
    ten = [RUNNING.panel(f"panel {k + 1} of 10") for k in range(10)]
    long = loop(2000).panel()
    with notebooks() as open_notebook:
        measure(open_notebook(first), first, events, bursts)
        measure(open_notebook(ten), ten[4:5], events, bursts)
        measure(open_notebook([long]), [long], events, bursts)
    made = []
    for three in (first[:3], first[3:]):
        made += [_row(one, three[2], budget=BUDGET if one is three[0] else None) for one in three]
    made += [_row(ten[4], first[2]), _row(long)]
    return [*made, *_bursts(first[:3]), *_bursts(first[3:]), *_bursts([ten[4]]), *_bursts([long])]


def _row(one: Contender, other: Contender | None = None, budget: float | None = None) -> Row:
    middle = median(one.events)
    lost = f", {one.lost} of {one.lost + len(one.events)} events lost" if one.lost else ""
    return Row(
        one.name + lost,
        f"{middle:.1f} ms",
        f"{_percentile(one.events, 95):.1f} ms",
        f"{middle / median(other.events):.3f} ×" if other else "",
        budget=f"≤ {budget:g} ms" if budget else "",
        met=None if budget is None else middle <= budget,
    )


def _bursts(contenders: Sequence[Contender]) -> Iterator[Row]:
    for one in contenders:
        middle, most = median(one.bursts), _percentile(one.bursts, 95)
        ratio = f"{middle / median(contenders[2].bursts):.3f} ×" if len(contenders) > 2 else ""
        yield Row(f"{BURST} events at once, {one.name}", f"{middle:.1f} ms", f"{most:.1f} ms", ratio)


def _percentile(times: Sequence[float], percent: int) -> float:
    return sorted(times)[math.ceil(len(times) * percent / 100) - 1]


# ---------------------------------------------------------------------------------------------------- the page


def absent() -> list[str]:
    """What must be installed for this table, and is not."""
    return _harness("chromium").missing()


def _harness(name: str) -> Any:
    """A module of the browser tests: they are no package."""
    if str(HARNESS) not in sys.path:
        sys.path.insert(0, str(HARNESS))
    return __import__(name)


@contextmanager
def notebooks() -> Iterator[Callable[[Sequence[Contender]], Any]]:
    """A JupyterLab and a browser of our own; a function that opens a notebook with the cells of contenders."""
    import ad_magic

    chromium, lab_server, notebook_page = map(_harness, ("chromium", "lab_server", "notebook_page"))
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="ad-magic-benchmark-") as folder, sync_playwright() as playwright:
        server = lab_server.start("lab", Path(folder), str(Path(ad_magic.__file__).parents[1]))
        browser = playwright.chromium.launch(executable_path=chromium.CHROMIUM, args=chromium.CHROMIUM_ARGS)
        count = 0

        def open_notebook(contenders: Sequence[Contender]) -> Any:
            nonlocal count
            count += 1
            tab = browser.new_page(viewport={"width": 1200, "height": 1000})
            tab.set_default_timeout(30_000)
            page = notebook_page.NotebookPage(tab, server)
            head = "import math, ipywidgets\n%load_ext ad_magic"
            page.open([head, *(one.source for one in contenders)], f"benchmark-{count}.ipynb")
            page.run_all()
            for cell, one in enumerate(contenders, 1):
                tab.wait_for_function(
                    "([cell, text]) => document.querySelectorAll('.jp-Notebook .jp-Cell')[cell].querySelector(text)"
                    "?.textContent.trim() && document.querySelectorAll('.jp-Notebook .jp-Cell')[cell]"
                    ".querySelector('.noUi-handle')",
                    arg=[cell, one.text],
                )
                tab.evaluate(_WATCH, [one.name, cell, one.text])
            return tab

        try:
            yield open_notebook
        finally:
            browser.close()
            lab_server.stop(server)


def measure(tab: Any, contenders: Sequence[Contender], events: int, bursts: int) -> None:
    """Keys on each slider, in turns; then bursts, in turns. The page is closed."""
    for done in range(-WARM_UP, events, TURN):
        for one in contenders:
            tab.evaluate(_COME, one.name)
            for k in range(TURN):
                tab.evaluate(_ARM, [one.name, PAUSE])
                tab.keyboard.press("ArrowRight" if (done // TURN) % 2 else "ArrowLeft")
                time = tab.evaluate(_NEXT, one.name)
                if time is None:
                    one.lost += 1
                elif 0 <= done + k < events:
                    one.events.append(time)
    for done in range(-1, bursts):  # the first takes the sliders to their left end
        for one in contenders:
            tab.evaluate(_COME, one.name)
            key, end = ("ArrowLeft", 0.0) if done % 2 else ("ArrowRight", one.end)
            time = tab.evaluate(_BURST, [one.name, key, BURST, one.at(end), QUIET])
            if done >= 0:
                one.bursts.append(time)
    tab.close()
