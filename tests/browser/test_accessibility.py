"""What axe-core finds in the panel, in the static report and in a saved page, light and dark: nothing."""

from __future__ import annotations

import pytest
from accessibility import violations
from playwright.sync_api import expect

CELLS = {  # what a report can be made of
    "numbers": ("a = x + 2*y\nb = math.sin(x*y)\nz = a**2 * b", "x=2 y=3"),
    "flags": ("z = abs(x) * y + math.sqrt(x)\nfor k in range(30):\n    z = z * 0.9 + int(y)", "x=0 y=3"),
    "arrays": ("h = np.tanh(W @ v + x)\nz = np.sum(h * h) + v[0]", "x=0.5 v=np.array([1.0,-2.0]) W=np.ones((9,2))"),
    "several": ("a = x * y\nb = np.array([x, y]) * a", "x=2 y=-3 --of a,b --mode forward"),
}
UNFOLD = "() => document.querySelectorAll('details').forEach((part) => { part.open = true; })"
GROUNDS = {  # as the notebook and VS Code set them
    "light": ":root { color-scheme: light; } body { background: #fff; color: rgba(0, 0, 0, 0.87); }",
    "dark": ":root { color-scheme: dark; } body { background: #111; color: #fff; }",
}


@pytest.mark.parametrize("scheme", GROUNDS)
@pytest.mark.parametrize(
    ("cell", "show"), [*((cell, "tables") for cell in CELLS), ("numbers", "curves"), ("numbers", "code")]
)
def test_the_static_report(browser, result, cell, show, scheme):
    r = result(*CELLS[cell])
    tab = browser.new_page(color_scheme=scheme)
    tab.set_content(
        f'<!doctype html><html lang="en"><head><title>A report</title><style>{GROUNDS[scheme]}</style></head>'
        f"<body><main><h1>A report</h1>{r.to_html(show=show)}</main></body></html>"
    )
    assert_good(tab)
    tab.close()


@pytest.mark.parametrize("scheme", GROUNDS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_saved_page(saved, cell, scheme):
    page, _ = saved(*CELLS[cell], color_scheme=scheme)
    assert_good(page.tab)


def assert_good(tab, *selectors: str) -> None:
    """As it is at first, wide; then narrow, with all that can be unfolded."""
    tab.set_viewport_size({"width": 1200, "height": 900})
    assert not (wrong := violations(tab, *selectors)), wrong
    tab.set_viewport_size({"width": 500, "height": 900})
    tab.evaluate(UNFOLD)
    assert not (wrong := violations(tab, *selectors)), wrong


LOAD = "%load_ext ad_magic\nimport math\nimport numpy as np"
PANELS = ["numbers", "flags", "arrays"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_panel(any_host, shots, dark):
    """With all that can be unfolded: film, contour, local partials; and the panel of core ipywidgets."""
    cells = [f"%%grad {CELLS[name][1]}\n{CELLS[name][0]}" for name in PANELS]
    page = any_host.open([LOAD, *cells, cells[0].replace("\n", " --view html\n", 1)])
    page.run_all()
    expect(page.find(".ad-panel .ad-value:visible")).to_have_count(len(cells) + 1)
    page.page.wait_for_selector(".noUi-handle[aria-label]")
    page.page.wait_for_selector(".ad-panel .ad-contour:visible, .ad-panel .ad-curve-f:visible")
    page.theme(dark)
    wrong = {}
    for width, unfold in ((1200, False), (500, True)):
        page.width(width)
        if unfold:
            page.page.evaluate(UNFOLD)
        page.page.wait_for_timeout(500)
        for cell in range(1, len(cells) + 2):
            page.page.evaluate("([k]) => document.querySelectorAll('.jp-Cell')[k].setAttribute('data-cell', k)", [cell])
            # ipywidgets lets nobody give a name to a slider's handle: that takes a script
            but = "aria-input-field-name" if cell > len(cells) else ""
            wrong[width, cell] = violations(page.page, f"[data-cell='{cell}'] .ad-panel", but=but)
            name = f"axe-{page.server.app}-{'dark' if dark else 'light'}-{width}-{cell}.png"
            page.cell(cell).scroll_into_view_if_needed()
            page.screenshot(shots / name)
    assert not any(wrong.values()), "\n".join(f"{key}: {text}" for key, text in wrong.items() if text)
