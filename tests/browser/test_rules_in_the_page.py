"""A rule of one's own, stop_gradient and checkpoint in JupyterLab: the page computes with them; the cost table."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import expect
from test_live_view import becomes, computes
from test_panel_in_the_page import box

SETUP = """%load_ext ad_magic
import math
from ad_magic import checkpoint, rule, stop_gradient
softplus = rule("softplus", "log1p(exp(a))", "1 / (1 + exp(-a))")

@checkpoint
def ten_steps(x):
    for _ in range(10):
        x = x - 0.1 * math.sin(x)
    return x"""
CELL = """%%grad x=1 y=0.5 --show cost
u = softplus(x * y)
v = ten_steps(ten_steps(x)) * u
z = v + stop_gradient(u) * y"""

THEME = "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_the_panel(lab, shots, scheme):
    page = lab.open([SETUP, CELL], f"rules-{scheme}.ipynb")
    page.page.emulate_media(color_scheme=scheme)
    page.page.evaluate(THEME, f"JupyterLab {scheme.title()}")
    page.run_all()
    computes(page)
    report = page.find(".ad-panel .ad-report")
    expect(report).to_contain_text("softplus(")
    expect(report).to_contain_text("tape if everything were stored")
    expect(report.locator(".ad-asked")).to_contain_text("is taken for a constant, as the program asks")
    expect(report.locator(".ad-mark")).to_have_count(0)  # it was asked for: told, and no warning
    page.press_slider("ArrowRight", 5)
    x = float(box(page).input_value())
    assert x != 1.0
    moved, u = x, math.log1p(math.exp(x * 0.5))
    for _ in range(20):
        moved -= 0.1 * math.sin(moved)
    becomes(page, moved * u + u * 0.5)
    for width in (1200, 500):
        page.page.set_viewport_size({"width": width, "height": 1500})
        page.page.wait_for_timeout(400)
        page.screenshot(shots / f"rules-{scheme}-{width}.png")
    page.page.evaluate(THEME, "JupyterLab Light")  # the setting is that of all pages
    assert page.errors == [] and page.external == []
