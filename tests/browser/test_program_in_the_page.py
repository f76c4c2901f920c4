"""The interleaved program in a notebook: readable in both themes and in a narrow page; inserted as a cell below."""

from __future__ import annotations

from playwright.sync_api import expect

SETUP = "%load_ext ad_magic\nimport math"
CELL = """%%interleave x=2 y=3
# the example of the lecture
s = 0.0
for k in range(3):
    s += math.sin(x + k*y)**2
label = "swing"
z = (x + 2*y) * s"""


def colour(locator) -> str:
    return locator.evaluate("e => getComputedStyle(e).color")


def test_the_program_is_shown_in_colour(lab, shots):
    page = lab.open([SETUP, CELL])
    page.run_all()
    program = page.find(".ad-program").first
    expect(program).to_contain_text("ds_x += dv4_x")
    expect(page.find('.ad-report [data-ad-grad="x"]').first).to_be_visible()
    tangent, primal = program.locator(".ad-tangent").first, program.locator(".ad-primal").first
    for dark in (False, True):
        page.theme(dark)
        for width in (1200, 500):
            page.width(width)
            page.page.wait_for_timeout(300)
            assert colour(tangent) != colour(primal)
            page.screenshot(shots / f"program-{'dark' if dark else 'light'}-{width}.png")
            height = program.evaluate("e => e.getBoundingClientRect().height / e.querySelectorAll('.ad-line').length")
            assert 12 < height < 30  # one line each: neither broken nor in boxes
            box = program.evaluate("e => [e.parentElement.clientWidth, document.documentElement.clientWidth]")
            assert box[0] <= box[1]
    copied = program.evaluate("e => e.textContent")
    namespace: dict = {}
    exec(copied, namespace)
    assert abs(namespace["derivative"](2.0, 3.0)[0] - float(page.find(".ad-value").first.text_content())) < 1e-6
    assert page.errors == []


def test_insert_makes_a_cell_below(lab):
    page = lab.open([SETUP, "%%interleave x=2 --insert\nz = x ** 3"])
    page.run_all()
    page.see("def derivative(x):")
    sources = [cell["source"] for cell in page.model()["cells"]]
    assert any("".join(source).startswith("def derivative(x):") for source in sources)
