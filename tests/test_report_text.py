"""The report as text, Markdown, LaTeX and a DataFrame."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from report_samples import SAMPLES, baydin, hostile, newton, running

from ad_magic.report import latex, markdown, text


def body(report):
    """The lines of the table, cut into its columns of numbers."""
    lines = [line for line in report.split("\n\n")[1].split("\n") if "│" in line]
    return lines[0], lines[1:]


def test_the_result_line_is_first():
    line = text.render(running()).split("\n")[0]
    assert re.sub(r"\s+", " ", line) == "z = −17.8825918847 ∂z/∂x = 179.882 ∂z/∂y = 113.961"


@pytest.mark.parametrize("name", SAMPLES)
def test_decimal_points_stand_under_one_another(name):
    _, lines = body(text.render(SAMPLES[name]()))
    for column in range(1, lines[0].count("│") + 1):
        cells = [line.split("│")[column] for line in lines]
        for numbers in zip(*(re.findall(r"−?\d+\.\d+", c) for c in cells), strict=False):
            assert numbers
        if column == lines[0].count("│"):  # the last is one column of numbers, and of small vectors
            assert len({cell.index(".") for cell in cells if "." in cell and "[" not in cell}) <= 1


@pytest.mark.parametrize("name", SAMPLES)
def test_the_bars_are_straight_and_the_width_is_kept(name):
    head, lines = body(text.render(SAMPLES[name]()))
    bars = [i for i, c in enumerate(head.replace("\u0304", "")) if c == "│"]
    for line in lines:
        assert [i for i, c in enumerate(line) if c == "│"] == bars
    assert all(text.display_width(line) <= 112 for line in text.render(SAMPLES[name]()).split("\n"))


def test_baydins_numbers():
    """Tables 2 and 3 of Baydin et al. 2018 at (2, 5), as printed there."""
    report = text.render(baydin(), digits=4)
    for printed in ("0.6931", "10.69", "11.65", "5.5", "1.716"):
        assert printed in report


def test_too_many_tangents_for_the_width_are_named():
    report = text.render(running(), width=70)
    assert "Left out for want of width" in report
    assert "∂v/∂y" in report.split("Left out")[1]


@pytest.mark.parametrize("width", [60, 80, 110, 160])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_table_keeps_to_the_width_that_there_is(name, width):
    """What is left out goes first; a value and an adjoint are always there, and may take more than 60 columns."""
    table = text.render(SAMPLES[name](), width=width).split("\n\n")[1]
    assert all(text.display_width(line) <= max(width, 76) for line in table.split("\n"))


def test_where_code_has_no_room_beside_the_numbers_it_stands_above_them():
    narrow, wide = (text.render(running(), width=width).split("\n") for width in (70, 110))
    assert any(" code " in line for line in wide)
    assert not any(" code " in line for line in narrow)
    code = running().sources
    for line in next(iter(code.values())).lines[2:]:
        assert any(row.strip().endswith(line) for row in narrow if "│" not in row)


def test_the_terminal_says_how_wide_it_is(monkeypatch):
    assert text.terminal_width() == text.WIDTH  # a file, a notebook
    monkeypatch.setattr("sys.stdout", type("Terminal", (), {"isatty": lambda self: True})())
    for columns, width in (("87", 87), ("200", 200), ("20", 60)):
        monkeypatch.setenv("COLUMNS", columns)
        assert text.terminal_width() == width


def test_a_loop_shows_its_last_run_and_unfolds():
    folded, unfolded = text.render(newton(6)), text.render(newton(6), unfold=True)
    assert folded.count("× 6") == 3
    assert "v2 " not in folded
    assert "1 of 6" in unfolded
    assert "6 of 6" in unfolded


def test_local_partials_on_demand():
    report = text.render(running(), partials=True)
    assert "∂v6/∂v4 = 16" in report
    assert "∂v6/∂v4" not in text.render(running())


def test_flags_stand_at_the_end():
    assert text.render(hostile()).split("\n")[-1] == "! line 3: <script>alert(1)</script> log of 0"


def cells(line):
    return re.split(r"(?<!\\)\|", line)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("options", [{}, {"unfold": True}, {"partials": True}])
def test_every_markdown_line_has_as_many_cells(name, options):
    lines = [line for line in markdown.render(SAMPLES[name](), **options).split("\n") if line.startswith("|")]
    assert len({len(cells(line)) for line in lines}) == 1


def test_markdown_shows_markup_as_text():
    report = markdown.render(hostile())
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", report)  # without code spans
    assert not re.search(r"(?<!\\)<", outside)
    assert "`` " not in report or "```" not in report


def test_latex_is_escaped_and_balanced():
    report = latex.render(hostile())
    table = report[report.index(r"\begin{tabular}") : report.index(r"\end{tabular}")]
    code = re.findall(r"\\texttt\{((?:[^{}\\]|\\.|\{\})*)\}", table)
    assert len(code) >= 5
    for text_ in code:
        assert not re.search(r"(?<!\\)[#$%&_~^]", text_)
    assert report.count("{") - report.count(r"\{") == report.count("}") - report.count(r"\}")
    assert latex.escape(r"a_b & 50% $x$ #1 {} ~ ^ \n").count("\\") >= 10


@pytest.mark.parametrize("name", SAMPLES)
def test_every_latex_line_has_as_many_cells_as_the_tabular(name):
    report = latex.render(SAMPLES[name]())
    columns = len(re.search(r"\\begin\{tabular\}\{(\w+)\}", report).group(1))
    report = re.sub(r"\\begin\{array\}.*?\\end\{array\}", "", report)  # a matrix in a cell
    for line in report[: report.index(r"\end{tabular}")].split("\n"):
        if line.endswith((r"\\", r"\hline")):
            assert len(re.findall(r"(?<!\\)&", line)) + 1 == columns


def test_latex_writes_powers_of_ten():
    assert latex.math("−1.5e−8") == r"-1.5 \times 10^{-8}"


def test_a_frame_holds_the_numbers_uncut():
    from ad_magic.report.frame import frame

    sample = running()
    df = frame(sample)
    assert list(df.index) == [f"v{i}" for i in range(1, 9)]
    assert df.loc["v8", "value"] == sample.value
    assert df.loc["v1", "adjoint"] == sample.grad["x"] == pytest.approx(df.loc["v8", "tangent x"])
    assert df.loc["v4", "partials"] == {"v1": 1.0, "v3": 1.0}
    assert frame(newton()).loc["v2", "partials"] == {"v1": 4.0}  # x*x: both slopes of the one operand


def test_importing_the_report_is_light():
    code = (
        "import sys, ad_magic.report.html, ad_magic.report.frame, ad_magic.report.markdown, ad_magic.report.latex;"
        "print([m for m in ('numpy', 'pandas', 'ipywidgets', 'IPython') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
