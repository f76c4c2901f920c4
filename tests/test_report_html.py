"""The report as HTML: its contract for a page, escaping, folding, links by CSS."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from report_samples import SAMPLES, hostile, long_loop, newton, running

from ad_magic.report import html
from ad_magic.report.row import Flag


def tree(text):
    """The report as a tree. It is well-formed XML too, so the strict parser reads it."""
    before, _, rest = text.partition("<style>")
    style, _, after = rest.partition("</style>")
    text = f"{before}<style>{style.replace('>', '&gt;')}</style>{after}"
    text = re.sub(r"<details([^>]*) open>", r'<details\1 open="">', text).replace(" hidden>", ' hidden="">')
    return ET.fromstring(text)


def having(root, attribute, value=None):
    return [e for e in root.iter() if (e.get(attribute) == value if value is not None else attribute in e.attrib)]


def of_class(root, name):
    return [e for e in root.iter() if name in e.get("class", "").split()]


NBSP = "\u00a0"


def text_of(element):
    return "".join(element.itertext()).strip()


@pytest.mark.parametrize("name", SAMPLES)
def test_well_formed(name):
    root = tree(html.render(SAMPLES[name]()))
    assert "ad-report" in root.get("class").split()


def test_the_value_and_the_derivatives_are_found_by_a_program():
    sample = running()
    root = tree(html.render(sample))
    (value,) = of_class(root, "ad-value")
    assert float(text_of(value)) == pytest.approx(sample.value, rel=1e-10)
    for name, derivative in sample.grad.items():
        (found,) = having(root, "data-ad-grad", name)
        assert float(text_of(found)) == pytest.approx(derivative, rel=1e-5)


def test_every_row_has_its_index_and_its_numbers():
    sample = running()
    root = tree(html.render(sample))
    rows = having(root, "data-ad-row")
    assert [int(row.get("data-ad-row")) for row in rows] == [row.index for row in sample.rows]
    for row, element in zip(sample.rows, rows, strict=True):
        cell = {c.get("data-ad-cell"): text_of(c).replace("−", "-") for c in element if c.get("data-ad-cell")}
        assert float(cell["value"]) == pytest.approx(row.value, rel=1e-5)
        assert float(cell["adjoint"]) == pytest.approx(row.adjoint, rel=1e-5)
        assert float(cell["tangent:y"]) == pytest.approx(row.tangents.get("y", 0.0), rel=1e-5)
    assert {int(n.get("data-ad-node")) for n in having(root, "data-ad-node")} == {row.index for row in sample.rows}


@pytest.mark.parametrize("name", SAMPLES)
def test_numbers_of_a_column_are_padded_to_one_width(name):
    root = tree(html.render(SAMPLES[name]()))
    widths: dict[str, set[int]] = {}
    points: dict[str, set[int]] = {}
    for cell in having(root, "data-ad-cell"):
        for text in numbers_of(cell):
            widths.setdefault(cell.get("data-ad-cell"), set()).add(len(text))
            if "." in text:
                points.setdefault(cell.get("data-ad-cell"), set()).add(text.index("."))
    assert all(len(found) == 1 for found in [*widths.values(), *points.values()])


def numbers_of(cell):
    """The numbers of a cell that stand in the column: its number, each line of a small vector, the norm of an array."""
    found = cell.findall("samp") or cell.findall("details/summary/samp")
    if "ad-shape" in found[0].get("class", ""):
        return []  # an array without entries
    if "ad-entries" in found[0].get("class", ""):
        lines = [found[0].text, *(line.tail for line in found[0])]
        return [line for line in lines if NBSP * 2 not in line.strip(NBSP)]  # without those of two columns
    return ["".join(found[0].itertext()).removeprefix(f"‖·‖{NBSP}")]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
def test_every_line_of_a_table_fills_its_columns(name, mode):
    """Cells, colspans and rowspans add up: no line sticks out."""
    sample = SAMPLES[name]()
    sample.mode = mode
    (table,) = of_class(tree(html.render(sample)), "ad-table")
    counts = set()
    for part in table:
        if part.tag == "caption":
            continue
        hanging: list[tuple[int, int]] = []  # (lines still to cover, columns)
        for line in part:
            width = sum(columns for left, columns in hanging if left)
            hanging = [(left - 1, columns) for left, columns in hanging if left]
            for cell in line:
                columns = int(cell.get("colspan", "1"))
                width += columns
                if int(cell.get("rowspan", "1")) > 1:
                    hanging.append((int(cell.get("rowspan")) - 1, columns))
            counts.add(width)
        assert not [1 for left, _ in hanging if left]
    assert len(counts) == 1


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_what_the_user_wrote_is_text():
    text = html.render(hostile())
    found = Tags(text)
    assert not found.tags & {"img", "script", "b"}
    assert not [a for a in found.attributes if a.startswith("on")]
    assert "<img src=x onerror=alert(1)>" in text_of(of_class(tree(text), "ad-code")[1])


def test_no_script_and_nothing_from_outside():
    for make in SAMPLES.values():
        text = html.render(make())
        found = Tags(text)
        assert not found.tags & {"script", "link", "iframe", "img", "object"}
        assert not found.attributes & {"src", "href"}
        assert not re.search(r"@import|url\(", text)


def test_flags_are_listed_with_their_line_and_marked_in_the_row():
    root = tree(html.render(hostile()))
    (flag,) = having(root, "data-ad-flag")
    assert text_of(flag).endswith("line 3: <script>alert(1)</script> log of 0")
    (row,) = having(root, "data-ad-row", "2")
    assert of_class(row, "ad-mark")
    assert of_class(row, "ad-bad")
    two = running(flags=[Flag("kink", "a", 2), Flag("independent", "b")])
    assert [text_of(f) for f in having(tree(html.render(two)), "data-ad-flag")] == ["⚠ line 2: a", "⚠ b"]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_shown_row_is_linked_to_its_line_and_node_within_its_report(name):
    text = html.render(SAMPLES[name]())
    root = tree(text)
    scope = root.get("class").split()[1]
    rules = text.partition("<style>")[2].partition("</style>")[0]
    for row in having(root, "data-ad-row"):
        own = f"ad-i{row.get('data-ad-row')}"
        assert own in row.get("class").split()
        link = re.search(rf"\.{scope}:has\(\.{own}>[^)]*\):hover\) :is\(\.{own},\.(ad-g\d+)\)", rules)
        assert link
        assert of_class(root, link[1])
    for node in having(root, "data-ad-node"):
        assert f"ad-i{node.get('data-ad-node')}" in node.get("class").split()


def test_two_reports_have_different_scopes_and_one_report_always_the_same():
    assert html.render(running()) == html.render(running())
    first, second = (tree(html.render(s)).get("class") for s in (running(), newton()))
    assert first != second


def test_a_loop_is_folded_with_its_count_and_its_earlier_runs_are_there():
    root = tree(html.render(newton(6)))
    assert [text_of(d) for d in of_class(root, "ad-fold")] == ["× 6"] * 3
    earlier = [int(e.get("data-ad-row")) for e in of_class(root, "ad-earlier")]
    shown = {int(e.get("data-ad-row")) for e in having(root, "data-ad-row")}
    assert len(shown) == 31  # the input and six runs of five operations
    assert set(earlier) == set(range(1, 26)) & shown


def test_a_long_loop_says_how_many_runs_are_left_out():
    root = tree(html.render(long_loop(250), max_rows=60))
    assert len(having(root, "data-ad-row")) <= 60
    gaps = [text_of(g) for g in of_class(root, "ad-gap")]
    assert len(gaps) == 2
    assert all(re.search(r"… 2\d\d more runs", gap) for gap in gaps)


@pytest.mark.parametrize("show", ["tables", "graph"])
def test_what_is_shown_first_is_open(show):
    root = tree(html.render(long_loop(), show=show))
    first, second = of_class(root, "ad-part")
    assert f"ad-{show}" in first.get("class").split()
    assert "open" in first.attrib
    assert "open" not in second.attrib


def test_several_outputs_say_which_derivative_is_whose():
    sample = running(outputs=("a", "b"), value={"a": 1.0, "b": 2.0},
                     grad={"a": {"x": 3.0, "y": 5.0}, "b": {"x": 4.0, "y": 6.0}})  # fmt: skip
    root = tree(html.render(sample))
    found = {(e.get("data-ad-output"), e.get("data-ad-grad")): text_of(e) for e in having(root, "data-ad-grad")}
    assert found == {("a", "x"): "3", ("a", "y"): "5", ("b", "x"): "4", ("b", "y"): "6"}
    assert [text_of(e) for e in of_class(root, "ad-value")] == ["1", "2"]


def test_the_table_says_what_its_headings_head():
    root = tree(html.render(running()))
    (table,) = of_class(root, "ad-table")
    assert table[0].tag == "caption"
    assert all(th.get("scope") for th in table.iter("th"))


def test_a_hundred_inputs_are_all_there():
    names = [f"x{i}" for i in range(100)]
    sample = running(grad={name: float(i) for i, name in enumerate(names)})
    root = tree(html.render(sample))
    assert [e.get("data-ad-grad") for e in having(root, "data-ad-grad")] == names
    assert "… 88 more derivatives" in html.render(sample)


def test_the_table_stands_without_style_and_drawing():
    """What an untrusted notebook keeps: no <style>, no <svg>, its text would be left over, so its place is hidden."""
    text = re.sub(r"<style>.*?</style>", "", html.render(running()), flags=re.DOTALL)
    drawing = text[text.index(' aria-label="Graph" hidden>') :]
    assert drawing.index("<svg") < drawing.index("</div>")
    assert "<samp>" in text
    assert "style=" not in text[: text.index("<svg")]
