"""Nothing that a user's cell says becomes a part of the page: names, texts, keys and messages are shown as they are.

Each page is parsed; every element and attribute in it must be one that we write, and what is hostile must be text.
"""

from __future__ import annotations

import contextlib
import io
import re
from html.parser import HTMLParser

import pytest

EVIL = "<img src=x onerror=alert(1)>"
MORE = (
    '"><script>alert(2)</script>',
    "' onmouseover='alert(3)",
    "</style><b>",
    "</title><svg onload=alert(4)>",
    "]]>&lt;i&gt;",
)
QUOTED = repr(EVIL + "".join(MORE))

# Every element that a report, a panel or a page of ours has, and the attributes that are a danger elsewhere.
_ELEMENTS = """
div span p ul li br wbr sub sup code samp pre b i em strong small details summary table caption thead tbody tfoot tr
th td svg g path rect text tspan title circle line polyline polygon defs clippath pattern use desc
style html head meta body main header section h1 h2 h3 label input output button form select option footer script nav
math mrow mi mo mn mfrac msup msub msubsup mover munder mtext mspace mtable mtr mtd mstyle semantics figure figcaption
ol dl dt dd fieldset legend colgroup col a hr
"""
ELEMENTS = set(_ELEMENTS.split())


class Page(HTMLParser):
    """What a page is made of, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.said: list[str] = []
        self.scripts: list[str] = []
        self.inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.inside = tag
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        (self.scripts if self.inside in ("script", "style") else self.said).append(data)


def harmless(html: str) -> str:
    """The text of a page, once it is seen that nothing in it is made of a user's text."""
    page = Page(html)
    assert page.tags <= ELEMENTS, page.tags - ELEMENTS
    assert "img" not in page.tags
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name, value)
        assert name not in ("srcdoc", "formaction") and not value.lower().lstrip().startswith("javascript:"), (
            tag,
            name,
        )
        assert re.fullmatch(r"[a-zA-Z][\w:-]*", name), (tag, name)
    for script in page.scripts:
        assert "<img" not in script
        assert "<script>alert" not in script
    return "".join(page.said)


# cells whose sources, keys, messages, functions and constants are hostile
CELLS = {
    "a text in the source": f"t = {QUOTED}\nz = x*x  # {EVIL}",
    "a key": f"d = {{{QUOTED}: x}}\nz = d[{QUOTED}]*2",
    "a comparison with a text": f"z = x*2 if {QUOTED} > 'a' else x",
    "what it prints": f"print({QUOTED})\nz = x*x",
    "a function of that name": f"def f(t):\n    return t*t\nf.__name__ = f.__qualname__ = {QUOTED}\nz = f(x)",
    "a function of a file of that name": f"exec(compile('def g(t): return t*t', {QUOTED}, 'exec'))\nz = g(x)",
    "a nameless output": f"({QUOTED} and x)*2",
    "a kink with it": f"z = abs(x - 2.0)*len({QUOTED})",
    "NaN with it": f"z = (x*float('inf') if {QUOTED} else x)*0",
    "an array with it": f"z = (np.array([x, 2.0])*(1 if {QUOTED} else 0)).sum()",
    "two outputs": f"y = x*len({QUOTED})\nz = y*x",
    "a loop": f"z = x\nfor k in {QUOTED}[:3]: z = z*x + ord(k)",
}
IN_ITS_LINE = ("a key", "an array with it", "a kink with it", "two outputs")


@pytest.fixture
def loaded(loaded):
    loaded.run_cell("import math, numpy as np", silent=True)
    return loaded


def results(shell, cell):
    line = "--of y,z" if cell.startswith("y =") else ""
    for mode in ("both", "forward", "reverse"):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            done = shell.run_cell(f"%%grad x=2.0 {line} --mode {mode} -q -o r\n{cell}", silent=True)
        assert done.success, (cell, done.error_in_exec)
        yield shell.user_ns["r"]


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_faces_of_a_result(loaded, name, tmp_path):
    cell = CELLS[name]
    for r in results(loaded, cell):
        for show in ("tables", "graph", "curves", "code", "cost", "equations", "check"):
            text = harmless(r.to_html(show=show))
            if show == "tables" and name in IN_ITS_LINE:
                assert "onerror=alert(1)" in text  # it is there, as text
        with contextlib.suppress(ValueError):  # a run that has no program
            r.save(tmp_path / "page.html")
            harmless((tmp_path / "page.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CELLS)
def test_the_interleaved_listing_and_the_report_of_a_check(loaded, name):
    from ad_magic.report.program import render

    cell = CELLS[name]
    r = next(results(loaded, cell))
    with contextlib.suppress(ValueError):  # what cannot be interleaved says why, as text
        harmless(render(r, r.interleaved(), 6))
    report = r.check()
    if hasattr(report, "_repr_html_"):
        harmless(report._repr_html_())


@pytest.mark.parametrize("magic", ["grad", "tangent", "adjoint", "interleave", "gradcheck", "taylor"])
def test_what_the_magics_show(loaded, magic):
    """The bundles that are shown, as a notebook gets them."""
    shown = []
    publish = loaded.display_pub.publish
    loaded.display_pub.publish = lambda data, *args, **options: shown.append(data)
    try:
        for cell in CELLS.values():
            of = "--of y,z" if cell.startswith("y =") else ""
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                loaded.run_cell(f"%%{magic} x=2.0 {of} --view static\n{cell}", silent=True)
    finally:
        loaded.display_pub.publish = publish
    pages = [data["text/html"] for data in shown if "text/html" in data]
    assert len(pages) > 5
    for page in pages:
        harmless(page)


def test_a_hostile_error_while_a_slider_moves(loaded):
    from ad_magic.panel.trouble import describe
    from ad_magic.report.row import Source

    loaded.run_cell(f"def bad(t):\n    raise KeyError({QUOTED})", silent=True)
    done = loaded.run_cell(f"%%grad x=2.0 -q\nz = bad(x)  # {EVIL}", silent=True)
    error = done.error_in_exec
    harmless(describe(error, Source("this cell", ("", f"z = bad(x)  # {EVIL}"))))
    kind = type(EVIL, (ValueError,), {})  # the name of a class may be any text
    text = harmless(describe(kind(EVIL), None))
    assert text.count("onerror=alert(1)") == 2


def test_inputs_and_outputs_of_functions(tmp_path):
    """The names of parameters are names; those of functions are any text."""
    from ad_magic import trace

    def f(x, n=3):
        return x * x * n

    f.__name__ = f.__qualname__ = EVIL
    r = trace(f, 2.0)
    harmless(r.to_html())
    harmless(r.to_html(show="code"))
    r.save(tmp_path / "page.html")
    harmless((tmp_path / "page.html").read_text(encoding="utf-8"))
    r = trace(lambda x, note=EVIL: x * x, 2.0)
    assert "onerror" not in "".join(Page(r.to_html()).tags)
    harmless(r.to_html())


def test_the_test_sees_an_injection():
    for bad in ("<img src=x>", "<b onclick=x>", "<a href='javascript:x'>", "<p x<y=1>"):
        with pytest.raises(AssertionError):
            harmless(bad)
