"""The film of the sweeps in a saved page, gone through as a person does."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect
from report_in_a_page import add_script, settle, sizes, texts

from ad_magic.report.film import film
from ad_magic.report.html import parts, wrapped
from ad_magic.report.live import found, layout, runtime
from ad_magic.report.markup import style_sheet
from ad_magic.report.table import table

CELL = "z = math.log(x1) + x1*x2 - math.sin(x2)"  # Baydin et al. 2018: v7 = v5 - v6, v5 = v3 + v4
AT = "x1=2 x2=5"
LOOP = "z = x\nfor k in range(4):\n    z = z * y + x\nz = z * z"
SEEN = """(key) => [...document.querySelectorAll(`tr[data-ad-row]`)].filter((row) => {
    const content = row.querySelector(`[data-ad-cell="${key}"]`).firstElementChild;
    return getComputedStyle(content).visibility === "visible";
}).map((row) => Number(row.dataset.adRow))"""
PALE = """(what) => [...document.querySelectorAll(`[data-ad-${what}]`)]
    .filter((e) => Number(getComputedStyle(e).opacity) < 0.8).map((e) => e.dataset.adNode ?? e.dataset.adEdge)"""
NOW = "() => [...document.querySelectorAll('g.ad-edge.ad-now')].map((e) => e.dataset.adEdge)"
MOVING = """() => [...document.querySelectorAll(".ad-node, .ad-edge")]
    .some((e) => getComputedStyle(e).transitionDuration !== "0s")"""
IN_SIGHT = """() => {
    const { top, bottom } = document.querySelector("tr.ad-now").getBoundingClientRect();
    return top > 0 && bottom < innerHeight;
}"""
HEIGHT = "() => document.querySelector('.ad-film').getBoundingClientRect().height"


class Film:
    def __init__(self, tab) -> None:
        self.tab = tab
        self.count = tab.locator(".ad-film output")
        self.place = tab.locator(".ad-film-bar input")
        self.choice = tab.locator(".ad-film-bar select")

    def open(self) -> Film:
        self.tab.locator(".ad-film > summary").click()
        expect(self.count).to_contain_text("of")
        return self

    def press(self, what: str) -> None:
        self.tab.get_by_role("button", name=what, exact=True).click()

    def lines(self) -> list[str]:
        return self.tab.locator(".ad-film-step > div").inner_text().split("\n")

    def seen(self, key: str = "adjoint") -> list[int]:
        return self.tab.evaluate(SEEN, key)

    def now(self) -> list[str]:
        return self.tab.evaluate("() => [...document.querySelectorAll('tr.ad-now')].map((row) => row.dataset.adRow)")

    def steps(self) -> int:
        return int(self.count.inner_text().split(" of ")[1])


@pytest.fixture
def opened(saved):
    """A function that saves the page of a cell and opens its film: (the page, the Result, the film)."""

    def show(*cell, **how):
        page, r = saved(*cell, **how)
        return page, r, Film(page.tab).open()

    return show


def test_closed_the_page_is_as_without_it_and_closed_again(saved):
    page, r = saved(CELL, AT, reduced_motion="reduce")
    film = Film(page.tab)
    every = list(range(len(r.rows)))
    before = texts(page.tab)
    assert film.seen() == every
    film.open()
    assert film.seen() != every
    page.tab.locator(".ad-film > summary").click()
    expect(page.tab.locator("tr.ad-now")).to_have_count(0)
    assert film.seen() == every and page.tab.evaluate(PALE, "node") == []
    assert texts(page.tab) == before


def test_the_reverse_sweep_fills_the_adjoints_in_topological_order(opened):
    page, r, film = opened(CELL, AT)
    assert film.count.inner_text() == "1 of 5"
    assert film.now() == ["6"] and film.seen() == [4, 5, 6]
    assert film.lines()[0].startswith("v7 = v5 - v6") and film.lines()[1] == "∂v7/∂v5 = 1, ∂v7/∂v6 = −1"
    order, known = [film.now()[0]], film.seen()
    for _ in range(4):
        film.press("Next step")
        order += film.now()
        assert set(known) <= set(film.seen())
        known = film.seen()
    assert order == [str(row) for row in r.order if r.rows[row].parents]
    assert film.lines()[-2:] == [
        "v̄1 += v̄3 · ∂v3/∂v1 = 1 · 0.5 = 0.5 part 2 of 2",
        "v̄1 = 5 + 0.5 = 5.5",
    ]  # the literature
    assert known == [0, 1, 2, 3, 4, 5, 6]
    film.press("First step")
    assert film.count.inner_text() == "1 of 5" and film.seen() == [4, 5, 6]
    film.press("Last step")
    film.press("Previous step")
    assert film.count.inner_text() == "4 of 5" and film.now() == ["3"]
    expect(page.tab.get_by_role("button", name="Last step")).to_have_attribute("aria-disabled", "false")


def test_nodes_and_edges_fill_as_the_sweep_passes(opened):
    page, _, film = opened(CELL, AT, reduced_motion="reduce")
    film.press("Next step")  # v6 = sin(v2): v̄2 has one part of two
    assert page.tab.evaluate(PALE, "node") == ["0", "1", "2", "3"]
    assert page.tab.evaluate(NOW) == ["1 5"]
    pale = set(page.tab.evaluate(PALE, "edge"))
    assert pale == {"0 2", "0 3", "1 3", "2 4", "3 4"}  # 4 6 and 5 6 are behind it
    film.press("Last step")
    assert page.tab.evaluate(PALE, "node") == [] and page.tab.evaluate(PALE, "edge") == []


def test_the_forward_sweep_fills_the_tangents_of_its_seed(opened):
    _, _, film = opened(CELL, AT)
    film.choice.select_option(label="forward along x2")
    assert film.count.inner_text() == "1 of 6"
    assert film.seen("tangent:x2") == [0, 1] and film.seen("tangent:x1") == film.seen("adjoint") == list(range(7))
    assert film.lines()[0] == "forward along x2" and film.lines()[-1] == "v̇1 = 0, v̇2 = 1"
    film.press("Next step")
    film.press("Next step")
    assert film.now() == ["3"] and film.seen("tangent:x2") == [0, 1, 2, 3]
    assert film.lines()[-2:] == ["v̇4 = ∂v4/∂v1 · v̇1 + ∂v4/∂v2 · v̇2", "= 5 · 0 + 2 · 1 = 2"]


@pytest.mark.parametrize("width", [1200, 500])
def test_nothing_changes_its_size_from_step_to_step(opened, width):
    page, _, film = opened("h = np.tanh(W @ v + x)\nz = np.sum(h * h) + v[0] * x - x * x",
                           "x=0.5 v=np.array([1.0,-2.0]) W=np.array([[1.0,0.5],[2.0,-1.0]])", width=width)  # fmt: skip
    for choice in film.choice.locator("option").all():
        film.choice.select_option(value=choice.get_attribute("value"))
        height, all_sizes = page.tab.evaluate(HEIGHT), sizes(page.tab)
        for _ in range(film.steps() - 1):
            film.press("Next step")
            assert page.tab.evaluate(HEIGHT) == height
            if width > 1000:  # in a narrow page the table scrolls to its column
                assert sizes(page.tab) == all_sizes
    assert page.tab.evaluate("() => document.documentElement.scrollWidth") <= width


def test_the_numbers_of_a_step_follow_the_inputs(opened):
    page, _, film = opened(CELL, AT)
    film.press("Last step")
    height = page.tab.evaluate(HEIGHT)
    said = page.tab.locator(".ad-film [aria-live]").inner_text()
    page.type("x1", "4")
    page.type("x2", "3")
    assert film.count.inner_text() == "5 of 5"
    assert film.lines()[-1] == "v̄1 = 3 + 0.25 = 3.25"  # x2 + 1/x1
    assert page.tab.locator(".ad-film [aria-live]").inner_text() == said  # numbers are not read out while they move
    assert page.tab.evaluate(HEIGHT) == height


def test_where_the_program_decides_otherwise_the_numbers_stay(opened):
    page, _, film = opened("if x > 1:\n    z = x * y\nelse:\n    z = y - x", "x=1.5 y=3")
    before = film.lines()
    page.type("x", "0.5")
    assert film.lines() == before
    page.type("x", "2.5")
    assert film.lines() != before


def test_it_is_moved_by_keys_and_played(opened):
    page, _, film = opened(CELL, AT)
    film.press("Next step")
    page.tab.keyboard.press("ArrowRight")  # the focus is on a button of the bar
    assert film.count.inner_text() == "3 of 5"
    page.tab.keyboard.press("ArrowLeft")
    page.tab.keyboard.press("End")
    assert film.count.inner_text() == "5 of 5"
    film.place.focus()
    page.tab.keyboard.press("Home")
    assert film.count.inner_text() == "1 of 5"
    page.tab.keyboard.press("ArrowRight")
    assert film.count.inner_text() == "2 of 5"
    assert film.place.get_attribute("aria-valuetext").startswith("2 of 5: v6 = sin(v2)")
    expect(page.tab.locator(".ad-film [aria-live]")).to_contain_text("Step 2 of 5: v6 = sin(v2)")
    page.tab.keyboard.press("Space")
    expect(page.tab.get_by_role("button", name="Pause")).to_be_visible()
    expect(film.count).to_have_text("3 of 5")
    page.tab.keyboard.press("Space")
    expect(page.tab.get_by_role("button", name="Play")).to_be_visible()
    here = film.count.inner_text()
    page.tab.wait_for_timeout(2000)
    assert film.count.inner_text() == here


def test_played_to_its_end_it_stops_and_begins_anew(opened):
    page, _, film = opened("z = x * y + x", "x=2 y=3")
    film.press("Play")
    expect(film.count).to_have_text("2 of 2")
    expect(page.tab.get_by_role("button", name="Play", exact=True)).to_be_visible()
    film.press("Play")
    assert film.count.inner_text() == "1 of 2"


def test_who_wants_no_motion_has_none(opened):
    page, _, film = opened(CELL, AT, reduced_motion="reduce")
    film.press("Next step")
    assert not page.tab.evaluate(MOVING)


def test_the_steps_are_the_rows_that_are_shown(opened):
    page, _, film = opened(LOOP, "x=2 y=3")
    note = page.tab.locator(".ad-film .ad-note")
    assert film.steps() == 3
    assert note.inner_text() == "Left out: 6 operations that are folded or not listed."
    film.press("Next step")
    here = film.now()
    page.tab.locator(".ad-fold summary").first.click()
    expect(film.count).to_contain_text("of 9")
    assert film.now() == here
    expect(note).to_be_hidden()


@pytest.mark.parametrize(
    ("cell", "inputs", "choices"),
    [
        (CELL, AT, ["reverse", "forward along x1", "forward along x2"]),
        (CELL, AT + " --mode reverse", ["reverse"]),
        (CELL, AT + " --mode forward", ["forward along x1", "forward along x2"]),
        ("a = x * y\nb = x + y", "x=2 y=3 --of a,b", ["forward along x", "forward along y"]),
        ("[x * y, x]", "x=2 y=3 --mode reverse", []),
    ],
)
def test_only_sweeps_that_were_run_can_be_chosen(saved, cell, inputs, choices):
    page, _ = saved(cell, inputs)
    assert page.tab.locator(".ad-film option").all_text_contents() == choices


def test_the_row_stays_in_sight_where_the_one_before_was(opened):
    page, _, film = opened(
        "z = x\nz = " + "\nz = ".join(f"z*{k}.5 + y" for k in range(40)), "x=2 y=0.1", reduced_motion="reduce"
    )
    page.tab.locator("tr.ad-now").scroll_into_view_if_needed()
    for _ in range(12):
        film.press("Next step")
    assert page.tab.evaluate(IN_SIGHT)
    expect(page.tab.locator(".ad-film-bar")).to_be_in_viewport()


@pytest.fixture
def tab(browser, result):
    r = result(CELL, AT)
    t = table(r)
    body = parts(r, t, 6, 60, "tables", film=film(t))
    tab = browser.new_page()
    tab.set_content(f"<style>{style_sheet('live')}</style>{wrapped(t, body, links=False)}")
    data = layout(r)
    add_script(tab, f"{runtime()}\nwindow.start = () => film(document.querySelector('.ad-report'), {json.dumps(data)});"
                    f"window.found = {json.dumps(found(r, data))};")  # fmt: skip
    yield tab
    tab.close()


def test_a_report_that_is_drawn_anew_goes_on_at_the_same_row(tab):
    tab.evaluate("() => { window.html = document.body.innerHTML; window.movie = start(); movie.show(found); }")
    film = Film(tab).open()
    film.choice.select_option(label="forward along x2")
    film.press("Next step")
    film.press("Next step")
    before = film.lines(), film.now(), film.seen("tangent:x2")
    tab.evaluate("""() => {
        const state = movie.state();
        movie.stop();
        document.body.innerHTML = html;
        window.movie = start();
        movie.restore(state);
        movie.show(found);
    }""")
    settle(tab)
    assert (film.lines(), film.now(), film.seen("tangent:x2")) == before
    tab.evaluate("() => movie.stop()")
    assert film.now() == [] and film.seen("tangent:x2") == list(range(7))
    film.press("Next step")
    assert film.now() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 500])
def test_it_is_at_home_in_light_and_dark_wide_and_narrow(opened, shots, scheme, width):
    page, _, film = opened(LOOP, "x=1.25 y=-0.5", color_scheme=scheme, width=width)
    film.press("Next step")
    film.press("Next step")
    page.tab.locator('tr[data-ad-row="8"] .ad-expression').click()
    page.tab.screenshot(path=str(shots / f"film-{scheme}-{width}.png"), full_page=True)
    assert page.tab.evaluate("() => document.documentElement.scrollWidth") <= width
    assert re.search(r"v̄\d+ \+= ", "\n".join(film.lines()))
