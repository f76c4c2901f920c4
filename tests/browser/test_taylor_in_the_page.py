"""`%%taylor` in JupyterLab: sliders for order and point, a choice of the input; frozen, the report stays."""

from __future__ import annotations

from playwright.sync_api import expect

CELL = "%%taylor x=0.5 k=2 --order 4 -o r\ny = math.exp(math.sin(k*x)) / (1 + x*x)"


def test_a_polynomial_moves(lab, shots):
    page = lab.open(["%load_ext ad_magic\nimport math", CELL], "taylor.ipynb")
    page.run_all()
    panel = page.find(".ad-panel")
    expect(panel.locator(".ad-taylor tbody tr")).to_have_count(5)
    expect(page.find("[data-ad-static]")).not_to_be_visible()  # the panel shows it
    order = panel.locator(".ad-order .noUi-handle")
    order.focus()
    for _ in range(3):
        order.press("ArrowRight")
    expect(panel.locator(".ad-taylor tbody tr")).to_have_count(8)
    expect(panel.locator(".ad-polynomial")).to_contain_text("P7")
    for width, dark in ((1200, False), (500, True)):
        page.page.set_viewport_size({"width": width, "height": 1100})
        page.theme(dark)
        page.page.wait_for_timeout(300)
        page.screenshot(shots / f"taylor-{'dark' if dark else 'light'}-{width}.png")
    box = panel.locator(".ad-box input").first
    box.fill("0")
    box.press("Enter")
    expect(panel.locator(".ad-value")).to_have_text("1")
    panel.locator(".ad-along select").select_option("k")
    expect(panel.locator(".ad-at")).to_contain_text("k = 2")
    panel.locator(".ad-freeze").click()
    expect(page.find(".ad-panel")).to_have_count(0)
    expect(page.find("[data-ad-static] .ad-at")).to_contain_text("k = 2")
    assert page.errors == [] and page.external == []
