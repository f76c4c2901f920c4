"""A quiz and a slack in JupyterLab and Notebook 7: typed answers are marked, a slider gives a row its slack."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from test_live_view import computes

QUIZ = "%%adjoint x=2 y=3 --quiz -o r\nz = (x + 2*y)**2 * math.sin(x*y)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_quiz(lab, shots, scheme):
    page = lab.open(["%load_ext ad_magic\nimport math", QUIZ, "print(r.quiz.score)"], f"quiz-{scheme}.ipynb")
    page.page.emulate_media(color_scheme=scheme)
    page.run_all()
    boxes = page.find(".ad-boxes .ad-typed input")
    expect(boxes).to_have_count(8)
    assert page.find(".ad-quiz-sheet .ad-fill").count() == 8
    for place, text in enumerate(["1", "64", "cos(6)", "v7", "v5_bar*2*v4"]):
        boxes.nth(place).fill(text)
        boxes.nth(place).press("Enter")
        page.page.wait_for_timeout(150)
    said = page.find(".ad-boxes .ad-said")
    expect(said.nth(0)).to_contain_text("✓ right")
    expect(said.nth(2)).to_contain_text("multiply it by")
    expect(page.find(".ad-boxes .ad-score")).to_contain_text("4 of 8 right")
    for width in (1200, 500):
        page.page.set_viewport_size({"width": width, "height": 1100})
        page.page.wait_for_timeout(400)
        page.screenshot(shots / f"quiz-{scheme}-{width}-{page.server.app}.png")
    page.run_cell(2)
    expect(page.find(".jp-OutputArea-output").last).to_contain_text("4 of 8")
    assert page.errors == [] and page.external == []


def test_a_slack(any_host, shots):
    cell = "%%grad x=2 y=3 --show equations\nz = (x + 2*y)**2 * math.sin(x*y)"
    page = any_host.open(["%load_ext ad_magic\nimport math", cell], "slack.ipynb")
    page.run_all()
    shown = page.find(".ad-boxes table.ad-slack")
    expect(shown).to_contain_text("move the slider")
    handle = page.find(".ad-boxes .noUi-handle").first
    handle.focus()
    for key in ("ArrowRight", "ArrowRight", "d", "d", "ArrowRight"):  # "d, d" deletes a cell
        handle.press(key)
    expect(shown).not_to_contain_text("move the slider")
    expect(handle).to_have_attribute("aria-label", "δ")
    expect(shown).to_contain_text("δ = 0.09")  # 3 steps of 1/200 of v3 = 6
    for width in (1200, 500):
        page.page.set_viewport_size({"width": width, "height": 1700})
        page.page.wait_for_timeout(400)
        page.screenshot(shots / f"slack-{width}-{page.server.app}.png")
    assert page.errors == [] and page.external == []


def test_the_boxes_leave_a_panel_as_it_is(lab):
    """Their style sheet is that of the whole page: nothing of a panel has a class that it speaks of."""
    where = """() => [...document.querySelectorAll('.ad-panel :is(.ad-value, .ad-part, .ad-program .ad-line)')]
        .map((e) => [e.offsetLeft, e.offsetHeight])"""
    code = "%%grad x=1 --show code\nz = math.exp(x)*x"
    page = lab.open(["%load_ext ad_magic\nimport math", code, QUIZ], "boxes.ipynb")
    page.run_cell(0)
    page.run_cell(1)
    computes(page)
    expect(page.find(".ad-panel .ad-program .ad-line").first).to_be_visible()
    before = page.page.evaluate(where)
    page.run_cell(2)
    expect(page.find(".ad-boxes .ad-typed input").first).to_be_visible()
    assert page.page.evaluate(where) == before
