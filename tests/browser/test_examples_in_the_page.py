"""The examples as a new user meets them: open, Run All, move a slider."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

EXAMPLES = sorted(file.stem for file in (Path(__file__).parents[2] / "examples").glob("0*.ipynb"))


@pytest.mark.parametrize(("host", "name"), [*(("lab", name) for name in EXAMPLES), ("notebook7", EXAMPLES[0])])
def test_run_all_and_move_a_slider(request, root, shots, host, name):
    example = root / "examples" / f"{name}.ipynb"
    page = request.getfixturevalue(host)
    shutil.copy(example, page.server.work / example.name)
    page.open_file(example.name)
    page.run_all()
    value = page.find(".ad-panel .ad-value").first
    expect(value).to_be_visible()
    page.page.wait_for_selector(".noUi-handle[aria-label]")
    page.handle(0).scroll_into_view_if_needed()
    before = value.text_content()
    page.press_slider("ArrowRight", 3)
    expect(value).not_to_have_text(before)
    keyboard = value.text_content()
    page.drag_slider(0.8)
    expect(value).not_to_have_text(keyboard)
    page.page.wait_for_timeout(600)
    page.screenshot(shots / f"example-{name}-{page.server.app}.png")
    assert page.errors == []
    assert page.external == []
