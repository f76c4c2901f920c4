"""Gradient and Hessian in the panel: they follow the sliders in the page, or are brought by the kernel at rest."""

from __future__ import annotations

import math
import re

import numpy as np
from playwright.sync_api import expect
from test_live_view import computes

from ad_magic import trace

SETUP = "%load_ext ad_magic\nimport math\nimport numpy as np"
RUNNING = "%%grad x=2 y=3 --order 2\nz = (x + 2*y)**2 * math.sin(x*y)"
# nine inputs: the page has a program, but none of second derivatives
MANY = "%%grad a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9 --order 2 --range a=0:2\nz = a**3 * b * c + d*e*f + g*h*i"


def numbers(part) -> list[float]:
    """All numbers of a heat map and the eigenvalues beside it."""
    texts = part.locator("samp").all_text_contents()
    return [float(re.sub(r"\s", "", text).replace("−", "-")) for text in texts]


def found(second) -> list[float]:
    return [*second.gradient, *second.hessian.ravel(), *second.eigenvalues]


def test_the_hessian_follows(lab, shots):
    page = lab.open([SETUP, RUNNING, MANY])
    page.run_all()
    panel, many = page.find(".ad-panel").nth(0), page.find(".ad-panel").nth(1)
    part, words = panel.locator(".ad-second"), panel.locator(".ad-second-words")
    expect(panel.locator("[data-ad-grad='x']")).to_be_visible()
    computes(page)

    def f(x, y):
        return (x + 2 * y) ** 2 * math.sin(x * y)

    assert np.allclose(numbers(part), found(trace(f, 2.0, 3.0, order=2).second), rtol=1e-5)
    height = part.bounding_box()["height"]
    for at, x in ((0.1, 0.4), (0.5, 2.0), (0.0, 0.0)):
        page.drag_slider(at, scope=panel, release=False)
        page.page.wait_for_timeout(50)  # the button is still down: only the page has computed
        want = trace(f, x, 3.0, order=2).second
        assert np.allclose(numbers(part), found(want), rtol=1e-5, atol=1e-5)
        expect(words).to_have_text(want.words)
        assert part.bounding_box()["height"] == height
        page.page.mouse.up()
    negative = [e.split() for e in part.locator("td.ad-warm").evaluate_all("all => all.map((e) => e.className)")]
    assert ["ad-less" in kind for kind in negative] == (want.hessian.ravel() < 0).tolist()

    picture = many.locator(".ad-heat-cells")
    before = picture.inner_html()
    page.drag_slider(0.9, scope=many, release=False)
    expect(many.locator(".ad-second")).to_have_class(re.compile("ad-stale"))
    page.page.mouse.up()
    expect(many.locator(".ad-second")).not_to_have_class(re.compile("ad-stale"))
    assert picture.inner_html() != before

    def g(a, b, c, d, e, f, g, h, i):
        return a**3 * b * c + d * e * f + g * h * i

    told = trace(g, 1.8, *map(float, range(2, 10)), order=2).second
    expect(many.locator(".ad-second-words")).to_have_text(told.words)
    assert np.allclose(numbers(many.locator(".ad-eigen")), [x for x in told.listed() if x is not None], rtol=1e-3)
    for dark in (False, True):
        page.theme(dark)
        for width in (1200, 500):
            page.width(width)
            page.page.wait_for_timeout(300)
            for name, one in (("numbers", panel), ("picture", many)):
                one.scroll_into_view_if_needed()
                page.screenshot(shots / f"second-{name}-{'dark' if dark else 'light'}-{width}.png")
    assert page.errors == []
    assert page.external == []


def test_a_hessian_from_the_kernel_at_each_step(lab):
    """A run without a program in the page, and one that has no Hessian at all."""
    cell = "%%grad x=1 y=2 --order 2\nz = np.linalg.slogdet(np.array([[x + 3, y], [y, x**2 + 2]]))[1]"
    page = lab.open([SETUP, cell, "%%grad x=1 --order 2 --of u,v\nu = x\nv = x*x"])
    page.run_all()
    panel = page.find(".ad-panel").first
    expect(panel.locator("[data-ad-grad='x']")).to_be_visible()
    computes(page)
    page.press_slider("ArrowRight", 3, scope=panel)

    def f(x, y):
        return np.linalg.slogdet(np.array([[x + 3, y], [y, x**2 + 2]]))[1]

    box = panel.locator(".ad-box input").first
    expect(box).to_have_value("1.03")
    want = trace(f, 1.03, 2.0, order=2).second
    expect(panel.locator(".ad-heat td.ad-adjoint samp").first).to_have_text(f"{want.gradient[0]:.6g}")
    assert np.allclose(numbers(panel.locator(".ad-second")), found(want), rtol=1e-4, atol=1e-5)
    expect(panel.locator(".ad-second-words")).to_have_text(want.words)
    note = page.find(".ad-panel").nth(1).locator(".ad-second .ad-note")
    expect(note).to_contain_text("there are u, v: choose one of them, --of u")
    assert page.errors == []
