"""A saved page whose parts are linked: hovered, pinned, and gone over by keys, as a person does it."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect
from report_in_a_page import add_script, settle

from ad_magic.report.live import layout, runtime
from ad_magic.report.markup import style_sheet

CELL = """a = x + 2*y
b = math.sin(x*y)
z = a**2 * b"""  # v3 = 2*v2, v4 = v1+v3 | v5 = v1*v2, v6 = sin(v5) | v7 = v4**2, v8 = v7*v6
LOOP = "z = x\nfor k in range(4):\n    z = z * y + x\nz = z * z"

LIT = """() => {
    const report = document.querySelector(".ad-report"), clear = "rgba(0, 0, 0, 0)";
    const all = (selector) => [...report.querySelectorAll(selector)];
    const ground = (element) => getComputedStyle(element).backgroundColor !== clear;
    const on = (element) => getComputedStyle(element).getPropertyValue("--ad-on") !== "";
    const pinned = (element) => getComputedStyle(element).getPropertyValue("--ad-pin") !== "";
    const band = (edge) => getComputedStyle(edge.querySelector(".ad-band"));
    const bands = all("g[data-ad-edge]").filter((edge) => on(edge) && band(edge).stroke !== clear);
    const width = (edge) => parseFloat(band(edge).strokeWidth);
    const place = (row) => Number(row.dataset.adRow);
    return {
        rows: all("tr[data-ad-row]").filter((row) => ground(row.querySelector(".ad-expression"))).map(place),
        nodes: all("[data-ad-node]").filter(on).map((node) => Number(node.dataset.adNode)),
        lines: all(".ad-source-line").filter(ground).map((line) => Number(line.dataset.adLine)),
        into: bands.filter((edge) => width(edge) > 8).map((edge) => edge.dataset.adEdge),
        out: bands.filter((edge) => width(edge) <= 8).map((edge) => edge.dataset.adEdge),
        pinned: all("tr[data-ad-row]").filter(pinned).map(place),
    };
}"""
NOTHING = {"rows": [], "nodes": [], "lines": [], "into": [], "out": [], "pinned": []}
OF_V5 = {"rows": [4], "nodes": [4], "lines": [3], "into": ["0 4", "1 4"], "out": ["4 5"], "pinned": []}
FOCUS = """() => {
    const { dataset, className } = document.activeElement;
    return dataset.adRow ?? dataset.adNode ?? className;
}"""


def lit(page) -> dict:
    return page.tab.evaluate(LIT)


def row(page, k: int):
    return page.tab.locator(f'tr[data-ad-row="{k}"]')


def cell(page, k: int):
    return row(page, k).locator(".ad-expression")


def away(page) -> None:
    page.tab.mouse.move(2, 2)


def test_hover_lights_what_belongs_together(saved):
    page, _ = saved(CELL, "x=2 y=3")
    assert lit(page) == NOTHING
    cell(page, 4).hover()
    assert lit(page) == OF_V5
    page.tab.locator('[data-ad-node="4"] rect').hover()
    assert lit(page) == OF_V5
    away(page)
    assert lit(page) == NOTHING
    page.tab.locator('.ad-source-line[data-ad-line="3"]').hover(position={"x": 90, "y": 8})
    whole = {"rows": [4, 5], "nodes": [4, 5], "lines": [3], "into": ["0 4", "1 4", "4 5"], "out": ["5 7"]}
    assert lit(page) == {**NOTHING, **whole}
    page.tab.locator('text[data-ad-edge="3 6"]').hover()
    assert lit(page) == {**NOTHING, "rows": [3, 6], "nodes": [3, 6], "into": ["3 6"]}


def test_an_edge_is_found_beside_its_thin_line(saved):
    page, _ = saved("z = x * 3", "x=2")
    page.tab.locator('[data-ad-edge="0 1"] .ad-band').scroll_into_view_if_needed()
    box = page.tab.locator('[data-ad-edge="0 1"] path').first.bounding_box()
    page.tab.mouse.move(box["x"] + box["width"] / 2 + 4, box["y"] + 5)
    assert lit(page)["into"] == ["0 1"]


def test_the_code_beside_the_rows_lights_its_line(saved):
    page, _ = saved(CELL, "x=2 y=3", width=1700)
    page.tab.locator("th.ad-code.ad-g2").hover()
    assert lit(page)["rows"] == [4, 5] and lit(page)["lines"] == [3]


def test_a_click_pins_and_another_one_unpins(saved):
    page, _ = saved(CELL, "x=2 y=3")
    head = page.tab.locator(".ad-curve .ad-curve-head").first
    cell(page, 4).click()
    cell(page, 7).hover()
    now = lit(page)
    assert (now["rows"], now["pinned"]) == ([4, 7], [4])
    shadow = "(element) => getComputedStyle(element).boxShadow"
    assert cell(page, 4).evaluate(shadow) != cell(page, 7).evaluate(shadow)  # more than colour
    assert row(page, 4).get_attribute("aria-selected") == "true"
    expect(head).to_contain_text("v₅")  # the curve is that of the pinned row
    page.tab.locator('[data-ad-node="6"] rect').click()
    away(page)
    assert lit(page)["pinned"] == [6] and lit(page)["rows"] == [6]
    assert row(page, 4).get_attribute("aria-selected") == "false"
    page.tab.locator('[data-ad-node="6"] rect').click()
    away(page)
    assert lit(page) == NOTHING
    expect(head).to_contain_text("z")
    page.tab.locator('.ad-source-line[data-ad-line="4"]').click(position={"x": 90, "y": 8})
    away(page)
    assert lit(page)["rows"] == [6, 7]
    expect(head).to_contain_text("v₈")
    page.tab.keyboard.press("Escape")
    assert lit(page) == NOTHING


def test_an_edge_into_what_is_pinned_stays_broad_where_another_row_has_it_out(saved):
    page, _ = saved(CELL, "x=2 y=3", width=1700)
    cell(page, 6).click()
    cell(page, 3).hover()
    now = lit(page)
    assert (now["into"], now["out"]) == (["0 3", "2 3", "3 6"], ["6 7"])
    bar = "(element) => getComputedStyle(element).getPropertyValue('--ad-pin')"
    assert page.tab.locator("th.ad-code.ad-g3").evaluate(bar) == "0px"  # the row is pinned, not its line
    page.tab.locator("th.ad-code.ad-g3").click()
    assert page.tab.locator("th.ad-code.ad-g3").evaluate(bar) == "2px"


def test_text_can_be_selected_and_a_summary_opened_without_a_pin(saved):
    page, _ = saved(LOOP, "x=2 y=3")
    box = cell(page, len(page.tab.locator("tr[data-ad-row]").all()) - 1).locator("code").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.tab.mouse.move(box["x"] + 1, middle)
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + box["width"], middle, steps=4)
    page.tab.mouse.up()
    assert page.tab.evaluate("() => getSelection().toString().length") > 2
    page.tab.locator(".ad-fold summary").first.click()
    assert page.tab.locator(".ad-fold").first.get_attribute("open") is not None
    page.tab.evaluate("() => getSelection().removeAllRanges()")
    cell(page, 10).locator("code").dblclick()
    assert page.tab.evaluate("() => getSelection().toString().trim()") == "v10"
    away(page)
    assert lit(page)["pinned"] == []


def test_the_table_is_one_tab_stop_and_arrows_move_over_its_rows(saved):
    page, r = saved(LOOP, "x=2 y=3")
    page.tab.evaluate("() => document.querySelector('.ad-tables > summary').focus()")
    page.tab.keyboard.press("Tab")
    assert page.tab.evaluate(FOCUS) == "0"
    assert lit(page)["rows"] == [0]  # what has the focus is lit as by a pointer
    page.tab.keyboard.press("ArrowDown")
    page.tab.keyboard.press("ArrowDown")
    assert "ad-fold-row" in page.tab.evaluate(FOCUS)
    fold = page.tab.locator("tr.ad-fold-row")
    expect(fold).to_have_attribute("aria-expanded", "false")
    page.tab.keyboard.press("ArrowDown")  # over what is folded
    assert page.tab.evaluate(FOCUS) == "8"
    page.tab.keyboard.press("ArrowUp")
    page.tab.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "true")
    page.tab.keyboard.press("ArrowDown")
    assert page.tab.evaluate(FOCUS) == "2"
    page.tab.keyboard.press("Enter")  # folds its loop, and so itself
    assert "ad-fold-row" in page.tab.evaluate(FOCUS)
    page.tab.keyboard.press("End")
    assert page.tab.evaluate(FOCUS) == str(len(r.rows) - 1)
    page.tab.keyboard.press("Space")
    assert lit(page)["pinned"] == [len(r.rows) - 1]
    page.tab.keyboard.press("Home")
    assert page.tab.evaluate(FOCUS) == "0"
    page.tab.keyboard.press("Tab")
    assert page.tab.evaluate("() => !document.activeElement.closest('table')")
    page.tab.keyboard.press("Shift+Tab")
    assert page.tab.evaluate(FOCUS) == "0"


def test_enter_unfolds_the_entries_of_an_array(saved):
    page, _ = saved("h = np.tanh(w)\nz = np.sum(h * w) * k", "w=np.linspace(-2,2,8) k=2.0")
    row(page, 2).evaluate("(element) => element.focus()")
    page.tab.keyboard.press("Enter")
    opened = row(page, 2).locator("details[open]")
    assert opened.count() == row(page, 2).locator("details").count() > 0
    page.tab.keyboard.press("Enter")
    assert opened.count() == 0


def test_the_nodes_of_the_graph_are_reached_and_have_names(saved):
    page, _ = saved(CELL, "x=2 y=3")
    page.tab.evaluate("() => document.querySelector('.ad-graph > summary').focus()")
    page.tab.keyboard.press("Tab")
    assert page.tab.evaluate(FOCUS) == "0"
    page.tab.keyboard.press("ArrowDown")  # to what uses it
    assert page.tab.evaluate(FOCUS) == "3"
    page.tab.keyboard.press("ArrowRight")
    assert page.tab.evaluate(FOCUS) == "4"
    page.tab.keyboard.press("ArrowUp")  # to what it uses
    assert page.tab.evaluate(FOCUS) == "0"
    page.tab.keyboard.press("End")
    assert page.tab.evaluate(FOCUS) == "7"
    page.tab.keyboard.press("Enter")
    assert lit(page)["pinned"] == [7]
    node = page.tab.get_by_role("button", name="v₈ = v₇ * v₆")
    expect(node).to_have_attribute("aria-pressed", "true")


def test_keys_do_not_reach_what_is_around_the_report(saved):
    page, _ = saved(CELL, "x=2 y=3")
    page.tab.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key)); }"
    )
    for element in ("tr[data-ad-row='1']", "[data-ad-node='1']", ".ad-film > summary"):
        page.tab.locator(element).evaluate("(element) => element.focus()")
        assert page.tab.evaluate("() => document.activeElement.dataset.lmSuppressShortcuts") == "true"
        for key in ("a", "x", "ArrowDown", "ArrowUp"):
            page.tab.keyboard.press(key)
    assert page.tab.evaluate("() => heard") == []


def test_a_pin_and_a_mark_on_the_curve_stay_while_a_slider_moves(saved):
    page, _ = saved("a = abs(x - 1)\nz = a * y", "x=2 y=3")
    thick = "() => getComputedStyle(document.querySelector('.ad-curve-mark path')).strokeWidth"
    before = page.tab.evaluate(thick)
    page.tab.locator(".ad-source-line").first.click(position={"x": 90, "y": 8})
    away(page)
    settle(page.tab)
    assert page.tab.evaluate(thick) != before
    pinned = lit(page)
    page.slider("x").focus()
    for _ in range(3):
        page.tab.keyboard.press("ArrowRight")
        settle(page.tab)
    assert lit(page) == pinned
    assert page.tab.evaluate(thick) != before
    page.tab.locator(".ad-curve-mark .ad-tip").first.hover()
    assert 2 in lit(page)["lines"]


@pytest.fixture
def tab(browser, result):
    r = result(CELL, "x=2 y=3")
    tab = browser.new_page()
    tab.set_content(f"<style>{style_sheet('live')}</style>{r.to_html()}")
    add_script(tab, f"{runtime()}\nwindow.told = []; window.start = () => linked(document.querySelector('.ad-report'), "
                    f"{json.dumps(layout(r))}, (row) => told.push(row));")  # fmt: skip
    yield tab
    tab.close()


def test_a_report_that_is_drawn_anew_has_the_pin_and_the_focus_of_the_one_before(tab):
    tab.evaluate("() => { window.html = document.body.innerHTML; window.links = start(); }")
    tab.locator('tr[data-ad-row="4"] .ad-expression').click()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("() => told") == [4]
    tab.evaluate("""() => {
        const state = links.state();
        links.stop();
        document.body.innerHTML = html;
        window.links = start();
        links.restore(state);
    }""")
    assert tab.evaluate(FOCUS) == "5"
    assert tab.evaluate("() => links.state().pinned") == "row 4"
    assert tab.evaluate("() => told") == [4, 4]
    tab.evaluate("() => links.restore({ pinned: 'row 99' })")  # the program is another one
    assert tab.evaluate("() => told") == [4, 4, None]
    tab.evaluate("() => links.restore(null)")


def test_stopped_it_leaves_nothing_behind(tab):
    count = "() => [document.adoptedStyleSheets.length, document.querySelectorAll('.ad-band').length]"
    before = tab.evaluate(count)
    devtools = tab.context.new_cdp_session(tab)

    def listeners() -> int:
        found = 0
        for what in ("document", "document.querySelector('.ad-report')", "document.querySelector('tr[data-ad-row]')"):
            thing = devtools.send("Runtime.evaluate", {"expression": what})["result"]["objectId"]
            found += len(devtools.send("DOMDebugger.getEventListeners", {"objectId": thing})["listeners"])
        return found

    assert listeners() == 0
    tab.evaluate("() => { window.links = start(); }")
    assert listeners() > 4
    tab.locator('tr[data-ad-row="4"] .ad-expression').click()
    tab.evaluate("() => links.stop()")
    assert listeners() == 0
    assert tab.evaluate(count) == before
    tab.locator('tr[data-ad-row="6"] .ad-expression').click()
    assert tab.evaluate("() => told") == [4]
