"""The saved page as a file: what it holds, what it does without, how large it is."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from ad_magic.report import page
from ad_magic.report.grid import around

FIFTY = "\n".join(
    ["a = x*y + math.sin(x)"]
    + [f"a = a*{1 + k / 10} + math.sin(a*y) - x/{k + 2}" for k in range(7)]
    + ["z = a**2 + math.exp(-a)"]
)


class Tags(HTMLParser):
    """Every element with its attributes, and that each is closed."""

    VOID = frozenset({"meta", "input", "br", "wbr", "path", "rect", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


def test_it_is_one_file_that_needs_nothing(result, tmp_path):
    r = result("a = '</script><!--' if x < 3 else '</script>'  # a <b>\nz = x * y", "x=2 y=3")
    r.save(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    tags = Tags(text)
    for tag, attributes in tags.found:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "href", "xlink:href", "action"} & attributes.keys()
    scripts = "".join(re.findall(r"<script>(.*?)</script>", text, re.DOTALL))
    for word in ("import(", "fetch(", "XMLHttpRequest", "WebSocket", "eval(", "@import", "url("):
        assert word not in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "default-src 'none'" in text
    assert text.count("</script") == 1 and "<!--" not in scripts
    assert "a &lt;b&gt;" in text
    assert "<title>z and its derivatives</title>" in text


def test_a_cell_of_fifty_operations_is_below_150_kilobytes(result):
    r = result(FIFTY, "x=2 y=3")
    assert len(r.rows) >= 50
    assert len(page.render(r).encode()) < 150_000


def test_each_number_has_a_slider_over_its_range(result):
    r = result("z = np.sum(w * w) * x", "x=2 w=np.array([1.0,-2.0])")
    tags = Tags(page.render(r, ranges={"x": (0, 10, 0.5), "w[1]": (-3, 3)}))
    names = [a["data-ad-input"] for a in tags.named("div") if "data-ad-input" in a]
    assert names == ["x", "w[0]", "w[1]"]
    sliders = [a for a in tags.named("input") if a["type"] == "range" and a["aria-label"] in names]
    assert [int(a["max"]) for a in sliders] == [20, around(1.0, 2.5**0.5).steps, 300]
    assert [a["value"] for a in tags.named("input") if a["type"] == "text"] == ["2", "1", "-2"]


def test_what_is_too_large_for_sliders_is_said(result):
    text = page.render(result("z = np.sum(w * w) * x", "x=2 w=np.arange(12.0)"))
    assert "Too large for sliders: w (12,)." in text


def test_without_a_program_it_holds_the_report_and_says_why(result, monkeypatch):
    from ad_magic.codegen import javascript, symbols

    def none(run, order):
        raise symbols.NoProgram("quad <has> no program in JavaScript.")

    r = result("z = x * y", "x=2 y=3")
    monkeypatch.setattr(javascript, "javascript", none)
    text = page.render(r)
    tags = Tags(text)
    assert "This page does not move: quad &lt;has&gt; no program in JavaScript." in text
    assert not tags.named("script") and not tags.named("input")
    assert sum("data-ad-row" in a for a in tags.named("tr")) == len(r.rows)
    assert sum(a.get("class") == "ad-svg ad-curve" for a in tags.named("svg")) == 2  # drawn by Python


def test_a_result_without_numbers_to_move_says_so(result):
    assert "no input is a number that a slider could move" in page.render(
        result("z = np.sum(w * w)", "w=np.arange(50.0)")
    )


def test_of_several_outputs_and_of_arrays_the_numbers_are_offered(result):
    def offered(cell: str, inputs: str) -> list[str]:
        return re.findall(r'"head":"(.*?)"', page.render(result(cell, inputs)))

    assert offered("z = x * y", "x=2 y=3") == ["z"]
    assert offered("a = x * y\nb = x + y", "x=2 y=3 --of a,b") == ["a", "b"]
    assert offered("[x, y * x]", "x=2 y=3") == ["out[0]", "out[1]"]
    assert offered("a = x * y\nM = np.array([[a, x], [y, 1.0]])", "x=2 y=3 --of M,a")[2:] == ["M[1, 0]", "M[1, 1]", "a"]
    assert len(offered("w * x", "x=2 w=np.arange(50.0)")) == 24


def test_a_cell_that_prints_its_numbers_lives_too(result):
    text = page.render(result('z = x * y\nprint("z is", z, f"{x:.3f}")', "x=2 y=3"))
    assert "does not move" not in text
    assert "does not move" in page.render(result("z = x * len(str(y))", "x=2 y=3"))


def test_the_source_stands_there_with_its_line_numbers(result):
    text = page.render(result("a = x * 2\n\n# a comment\nz = a * y", "x=2 y=3"))
    source = re.search(r'<pre class="ad-source-text".*?</pre>', text, re.DOTALL)[0]
    assert re.sub("<.*?>", "", source).splitlines() == ["2a = x * 2", "3", "4# a comment", "5z = a * y"]


CURVES = "%%grad x=0.5 --view {} --show curves\nz = abs(x - 0.25) * x"


def test_static_and_text_views_show_curves(shell, capsys):
    from IPython.utils.capture import capture_output

    shell.run_line_magic("load_ext", "ad_magic")
    with capture_output() as captured:
        shell.run_cell(CURVES.format("static"))
    data = captured.outputs[0].data
    assert 'class="ad-svg ad-curve"' in data["text/html"]
    assert "kink at x = 0.25" in data["text/html"]
    assert "kink at x = 0.25" in data["text/plain"]
    assert "⠀" in data["text/plain"]
    with capture_output() as captured:
        shell.run_cell("%%grad x=0.5 y=1 --view static --show curves --of a,b\na = x * y\nb = x + y")
    text = captured.outputs[0].data["text/html"]
    assert [head in text for head in ("∂a/∂x", "∂a/∂y", "∂b/∂x", "∂b/∂y")] == [True] * 4


def test_curves_go_over_the_range_of_the_slider(shell):
    from IPython.utils.capture import capture_output

    shell.run_line_magic("load_ext", "ad_magic")
    with capture_output() as captured:
        shell.run_cell("%%grad x=0.5 --range x=-7:7 --view text --show curves\nz = x * x")
    assert re.search(r"^ +x  −7 +7$", captured.outputs[0].data["text/plain"], re.MULTILINE)
