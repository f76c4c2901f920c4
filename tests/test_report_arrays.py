"""Arrays in a report: what is told of them, and that it can be read in every face."""

from __future__ import annotations

import ast
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from report_samples import ARRAYS, norm_of_vector, odd_shapes, perceptron, rotation, running, stencil
from test_report_graph import by_class, drawn
from test_report_html import having, of_class, text_of, tree

from ad_magic.report import array, html, latex, markdown, text
from ad_magic.report.cells import column_cells
from ad_magic.report.strip import COLUMNS, LEVELS, ROWS, cells, strip
from ad_magic.report.table import table

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=30)
ANY = hnp.arrays(np.float64, SHAPES, elements=st.floats(width=64), fill=st.just(0.5))


def by_row(sample):
    return {row.label or row.expression: row for row in sample.rows}


# ---- what is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "written"), [((), ""), ((3,), "(3,)"), ((3, 2), "3×2"), ((0, 3), "0×3")])
def test_a_shape_is_written_in_one_way(shape, written):
    assert array.shape_text(shape) == written


@given(hnp.arrays(np.float64, SHAPES, elements=st.floats(1e-100, 1e100) | st.just(0.0) | st.floats(-1e100, -1e-100)))
def test_the_norm_is_numpys(x):
    assert array.norm(x) == pytest.approx(np.linalg.norm(x.ravel()), rel=1e-12, abs=1e-300)


def test_the_norm_does_not_overflow_and_knows_nan():
    assert array.norm(np.array([3e300, -4e300])) == pytest.approx(5e300)
    assert array.norm(np.array([1.0, math.inf])) == math.inf
    assert math.isnan(array.norm(np.array([1.0, math.nan, math.inf])))
    assert array.norm(np.array([3.0, 4.0j])) == pytest.approx(5.0)


@given(ANY)
def test_every_array_can_be_told_of_without_a_warning(x):
    """Warnings are errors here: overflow, NaN in a comparison, an empty maximum."""
    assert array.brief(x).startswith(("[", array.shape_text(x.shape)))
    assert "\n" not in array.one_line(x)
    if x.size:
        assert len(array.block(x)) <= 3 * 9 + 1
        ET.fromstring(strip(x))


@given(ANY)
def test_a_pooled_cell_has_the_greatest_of_its_entries_with_its_sign(x):
    picture = np.array(array.pooled(x, ROWS, COLUMNS))
    assert picture.size <= ROWS * COLUMNS
    if x.size:
        finite = x[np.isfinite(x)]
        assert np.isnan(picture).any() == np.isnan(x).any()
        if finite.size == x.size:
            assert np.abs(picture).max() == np.abs(x).max()
            assert set(picture.ravel()) <= set(x.ravel())


def test_a_pooled_vector_keeps_the_order():
    assert array.pooled(np.arange(48.0), 5, 24) == [[2.0 * i + 1 for i in range(24)]]
    assert array.pooled(np.array([[1.0], [-2.0]]), 5, 24) == [[1.0, -2.0]]  # a column is a vector
    assert array.pooled(np.array([[1.0, -9.0], [3.0, 4.0]]), 1, 24) == [[3.0, -9.0]]


def test_bars_of_text():
    assert array.spark(np.array([0.0, 1.0, 2.0])) == "▁▅█"
    assert array.spark(np.array([-1.0, 0.0, 1.0])) == "▁▅█"
    assert array.spark(np.array([0.0, math.nan, 1.0])) == "▁×█"
    assert array.spark(np.zeros(3)) == "▁▁▁"


@pytest.mark.parametrize("x", [np.array([1.0, -2.5]), np.array([[1.0, -2.0], [1e-8, 0.25]]), np.zeros((2, 1, 2))])
def test_a_short_array_in_one_line_is_python(x):
    assert ast.literal_eval(array.one_line(x).replace("−", "-")) == x.tolist()


def test_a_long_array_in_one_line_shows_its_ends_and_its_shape():
    assert array.one_line(np.arange(10.0)) == "[0, 1, 2, …, 7, 8, 9] (10,)"
    assert array.one_line(np.arange(20.0).reshape(5, 4)) == "[[0, 1, …, 3], …, [16, 17, …, 19]] 5×4"
    assert array.one_line(np.arange(60.0).reshape(3, 4, 5)) == "[[[0, 1, …], …], …] 3×4×5"


def test_a_block_is_cut_as_numpy_does_it():
    lines = array.block(np.arange(120.0).reshape(12, 10))
    assert len(lines) == 8
    assert lines[0].split() == ["0", "1", "2", "3", "…", "7", "8", "9"]
    assert set(lines[4].split()) == {"…"}
    assert array.block(np.arange(8.0)) == [str(i) for i in range(8)]
    assert array.block(np.arange(8.0).reshape(2, 2, 2)) == ["[0]", "0  1", "2  3", "[1]", "4  5", "6  7"]


# ---- the strip ------------------------------------------------------------------------------------


def test_the_strip_has_a_path_for_each_sign_and_a_cross_for_what_is_not_finite():
    root = ET.fromstring(f"<svg>{cells([[1.0, -1.0, 0.0, math.nan, -math.inf, 1.0]])}</svg>")
    found = {path.get("class"): path.get("d") for path in root}
    assert found["ad-plus"] == "M0 0.5h1M5 0.5h1"
    assert found["ad-less"] == "M1 0.5h1"
    assert found["ad-cross"].count("M") == 2


def test_the_depth_follows_the_magnitude_and_only_zero_is_empty():
    root = ET.fromstring(f"<svg>{cells([[4.0, 2.0, -1e-12, 0.0]])}</svg>")
    assert {path.get("d"): float(path.get("opacity")) for path in root} == {
        "M0 0.5h1": 1.0, "M1 0.5h1": 0.5, "M2 0.5h1": 1 / LEVELS,
    }  # fmt: skip


def test_neighbours_of_one_depth_are_one_stroke():
    assert cells([[2.0] * 24]).count("M") == 1


@pytest.mark.parametrize("shape", [(5,), (100,), (64, 16), (2, 3, 4), (7, 1)])
def test_the_room_of_a_strip_does_not_depend_on_its_numbers(shape):
    a, b = (re.match("<svg[^>]*>", strip(x)).group() for x in (np.zeros(shape), np.full(shape, -1e9)))
    assert a == b


# ---- HTML -----------------------------------------------------------------------------------------


def cell(root, row, key):
    (line,) = having(root, "data-ad-row", str(row.index))
    (found,) = (c for c in line if c.get("data-ad-cell") == key)
    return found


def test_a_small_vector_shows_its_entries_under_one_another():
    sample = norm_of_vector()
    root = tree(html.render(sample))
    found = cell(root, sample.rows[0], "value")
    lines = [t.strip("\u00a0 \n") for t in found.itertext() if t.strip()]
    assert lines == ["1", "−20.5", "0.25"]
    assert not found.findall("details")


def test_a_large_array_shows_shape_strip_and_norm_and_opens_to_its_entries():
    sample = perceptron()
    root = tree(html.render(sample))
    row = by_row(sample)["h"]
    found = cell(root, row, "value")
    (details,) = found.findall("details")
    summary, entries = details
    assert "open" not in details.attrib
    assert text_of(summary).startswith("64×16‖·‖")
    assert float(text_of(summary).split("\u00a0")[-1].strip()) == pytest.approx(np.linalg.norm(row.value), rel=1e-5)
    assert summary.find("svg") is not None
    assert len(entries.findall("br")) == 7
    assert "64×16: entries from" in summary.get("title")
    assert "one of greatest magnitude" in summary.get("title")
    assert "64×16" not in text_of(cell(root, row, "adjoint"))  # said once in a row


def test_scalars_among_arrays_are_as_they_were():
    root = tree(html.render(perceptron()))
    (found,) = cell(root, by_row(perceptron())["lam"], "value")
    assert found.tag == "samp" and not found.attrib


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_need_no_script_and_no_inline_style(name):
    report = html.render(ARRAYS[name]())
    for svg in re.findall(r'<svg class="ad-strip".*?</svg>', report):
        assert "style" not in svg
        assert re.sub("<[^>]*>", "", svg) == ""  # where SVG is taken away nothing is left over


def test_what_is_not_finite_or_zero_is_marked():
    root = tree(html.render(stencil(steps=1)))
    row = stencil(steps=1).rows[3]
    found = cell(root, row, "value")
    assert "ad-bad" in found.get("class").split()
    assert len(of_class(found, "ad-cross")) == 1
    assert "2 of 38 NaN or infinite" in found.find("details/summary").get("title")
    zero = cell(tree(html.render(odd_shapes())), by_row(odd_shapes())["b3"], "value")
    assert "ad-zero" in zero.get("class").split()


def test_the_derivatives_of_the_result_line_are_arrays_that_python_reads():
    sample = norm_of_vector()
    root = tree(html.render(sample))
    (found,) = having(root, "data-ad-grad", "x")
    assert ast.literal_eval(text_of(found)) == pytest.approx(sample.grad["x"], rel=1e-5)
    (found,) = having(tree(html.render(rotation())), "data-ad-grad", "c")
    assert np.array(ast.literal_eval(text_of(found))) == pytest.approx(rotation().grad["c"], rel=1e-5)
    (value,) = of_class(tree(html.render(rotation())), "ad-value")
    assert ast.literal_eval(text_of(value)) == pytest.approx(rotation().value, rel=1e-5)


def test_a_large_derivative_is_cut_has_its_strip_and_opens():
    root = tree(html.render(perceptron()))
    (found,) = having(root, "data-ad-grad", "W")
    assert re.fullmatch(r"\[\[[-\d., …]+\], \[[-\d., …]+\]\]", text_of(found))
    (details,) = (d for d in of_class(root, "ad-array") if having(d, "data-ad-grad", "W"))
    assert "2×16" in text_of(details[0])
    assert of_class(details[0], "ad-strip")


def test_the_output_may_be_an_array():
    report = html.render(rotation())
    assert "r.jacobian['t'], shape (2,)" in text_of(tree(report))
    assert "r.jacobian['c'], shape 2×2" in text_of(tree(report))
    assert "r.jacobian['c'], shape 2×2" in text.render(rotation())


def test_the_jacobian_of_a_large_output_is_not_computed_for_the_report():
    class Costly(dict):
        def __getitem__(self, key):
            raise AssertionError("a reverse sweep for each entry")

        items = keys = values = __iter__ = __getitem__

    sample = rotation()
    sample.value, sample.grad = np.zeros((10, 10)), Costly()
    for report in (html.render(sample), text.render(sample), markdown.render(sample).replace("\\", "")):
        assert "shape 10×10×2" in report
    assert r"\texttt{r.jacobian['c'], shape 10$\times$10$\times$2}" in latex.render(sample)
    assert table(sample).outcomes[0].derivatives[0] == ("t", "∂q/∂t", None)


# ---- columns --------------------------------------------------------------------------------------


def seeds_of(sample):
    return [column.seed for column in table(sample).columns if column.kind == "tangent"]


def test_few_seeds_have_a_column_each():
    assert seeds_of(norm_of_vector()) == ["x[0]", "x[1]", "x[2]", "y"]
    assert table(norm_of_vector()).notes == ()


def test_where_matrices_are_computed_the_adjoint_stands_for_three_seeds():
    sample = norm_of_vector()
    sample.rows[-2] = replace(sample.rows[-2], value=np.ones((4, 4)))
    assert seeds_of(sample) == ["y"]


def test_of_thousands_of_seeds_only_those_are_named_that_are_said():
    sample = stencil()
    sample.inputs["u"] = np.zeros((300, 300))
    sample.seeds = None  # is not asked
    assert table(sample).notes[0].startswith("Tangents of 90000 seeds, the entries of u,")


def test_of_many_entries_there_is_the_adjoint_alone_and_it_says_so():
    sample = stencil()
    assert seeds_of(sample) == ["k"]
    assert table(sample).columns[-1].kind == "adjoint"
    assert table(sample).notes[0] == (
        "Tangents of 40 seeds, the entries of u, are not shown: the adjoint has the derivative for each of them."
    )


def test_in_forward_mode_there_is_no_adjoint_and_entries_are_shown_up_to_the_cap():
    sample = stencil()
    sample.mode = "forward"
    sample.rows = [replace(row, adjoint=None) for row in sample.rows]
    assert seeds_of(sample) == [f"u[{i}]" for i in range(6)]
    assert table(sample).notes[0].startswith("Tangents of 35 more seeds are not shown: u[6], u[7]")


def test_a_tangent_that_was_not_computed_is_not_shown_as_zero():
    sample = perceptron()
    sample.rows = [
        replace(row, tangents={seed: t for seed, t in row.tangents.items() if seed != "lam"}) for row in sample.rows
    ]
    assert seeds_of(sample) == []
    assert "Tangents of 1 more seed are not shown: lam." in table(sample).notes


# ---- graph ----------------------------------------------------------------------------------------


def test_edges_say_the_shape_of_an_array_and_the_partial_of_a_number():
    root = drawn(perceptron())
    shapes = {t.get("data-ad-edge"): t.text for t in by_class(root, "ad-shape-label")}
    partials = {t.get("data-ad-edge"): t.text for t in by_class(root, "ad-partial-label")}
    rows = by_row(perceptron())
    assert shapes[f"0 {rows['X @ v1'].index}"] == "2×16"
    assert shapes["6 7"] == "64×16"
    assert shapes["9 10"] == "(64,)"
    assert partials["10 14"] == "1"
    assert not shapes.keys() & partials.keys()


def test_nodes_of_arrays_say_their_shape():
    root = drawn(perceptron())
    values = {n.get("data-ad-node"): by_class(n, "ad-node-value")[0].text for n in by_class(root, "ad-node")}
    assert values["0"].startswith("W  2×16  ‖·‖ ")
    assert values["6"].startswith("h  64×16  ‖·‖ ")
    assert values["3"] == "lam = 0.01"
    assert by_class(drawn(norm_of_vector()), "ad-node-value")[0].text == "x = [1 −20.5 0.25]"


def test_every_operand_has_an_edge_also_without_a_partial():
    edges = {e.get("data-ad-edge") for e in by_class(drawn(odd_shapes()), "ad-edge")}
    assert edges == {f"0 {i}" for i in range(1, 8)}


# ---- other faces ----------------------------------------------------------------------------------


def test_text_says_the_shape_once_and_lines_up_norms_with_numbers():
    lines = text.render(odd_shapes()).split("\n")
    (line,) = (line for line in lines if "f2(v1)" in line)
    assert re.search(r"30×1 ▁▂▃▄▅▆▇█ ‖·‖ 14\.0872 +│ +▁{8} ‖·‖ 0$", line)
    (other,) = (line for line in lines if "f6(v1)" in line)
    assert other.index(".") == line.index(".")


@pytest.mark.parametrize("name", ARRAYS)
def test_latex_is_balanced_and_needs_no_package(name):
    report = latex.render(ARRAYS[name]())
    assert report.count("{") - report.count(r"\{") == report.count("}") - report.count(r"\}")
    assert report.count(r"\left[") == report.count(r"\right]")
    assert not re.search(r"matrix\}|\\text\{|[‖×▁-█]", report)


def test_a_frame_holds_the_arrays():
    from ad_magic.report.frame import frame

    df = frame(norm_of_vector())
    assert list(df["shape"]) == [(3,), (), (3,), (3,), ()]
    assert df.loc["v1", "adjoint"].shape == (3,)
    assert df.loc["v3", "tangent x[1]"].tolist() == pytest.approx([0.0, math.cos(-20.5), 0.0])
    assert "shape" not in frame(running())
    assert "tangent w[0]" not in frame(perceptron())  # it was not computed


def test_a_row_knows_its_shape():
    assert [row.shape for row in norm_of_vector().rows] == [(3,), (), (3,), (3,), ()]


def test_in_a_loop_what_is_written_in_place_is_part_of_the_run_that_computed_it(shell):
    """u[1:-1] += … reads, computes and writes at one place: three runs of the loop are three runs of the line."""
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import numpy as np")
    cell = "u = u0.copy()\nfor _ in range(3):\n    u[1:-1] += k * (u[2:] - u[:-2])\ne = np.sum(u**2)"
    shell.run_cell(f"%%grad k=0.2 u0=np.linspace(0,1,12) -q -o r\n{cell}")
    r = shell.user_ns["r"]
    (group,) = (group for section in table(r).sections for group in section.groups if "+=" in group.code)
    assert group.count == 3
    done = [[row.op for row in run.items] for run in group.runs]
    assert done[1] == done[2] == ["look", *done[0]]  # nothing was written before the first
    assert "× 3" in r.to_html()
    shell.run_cell(
        "%%grad x=np.arange(3.0) -q -o r\nfor k in range(3):\n    x[k] = x[k-1] * 2\n    x[1:] *= 2\nx.sum()"
    )
    counts = [group.count for section in table(shell.user_ns["r"]).sections for group in section.groups]
    assert counts == [1, 3, 3, 1]


def test_constant_arrays_have_the_names_that_they_have_in_the_source(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import numpy as np\nX, y, é = np.ones((8, 2)), np.arange(8.0), np.arange(8.0)\nd = {'t': y}")
    cell = """\
h = X @ w
e = (y + 1) * h - d['t'] * é
f = np.where(y > 3, e, y) + np.interp(w[0], y, X[:, 1])
g = np.bincount(np.arange(8) % 3, f)
f -= np.linspace(0.0, 1.0, 8)
np.sum(f) + g[0]"""
    shell.run_cell(f"%%grad w=np.ones(2) -q -o r\n{cell}")
    r = shell.user_ns["r"]
    assert [row.expression for row in r.rows if row.op != "item"] == [
        "w", "X @ v1", "(y + 1) * v2", "v3 - (d['t'] * é)", "np.where(y > 3, v4, y)", "np.interp(v6, y, X[:, 1])",
        "v5 + v7", "np.bincount(np.arange(8) % 3, v8)", "v8 - <8>", "np.sum(v10)", "v11 + v12",
    ]  # fmt: skip


def test_an_input_that_is_a_part_of_an_array_is_no_operation(shell):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import numpy as np\nW = np.linspace(-1, 1, 4).reshape(2, 2)\nv = np.arange(6.0)[1:3]")
    shell.run_cell("%%grad W v -q -o r\nh = W @ v\nv[0] = 1.0\nnp.sum(h) + v[0]")
    assert [row.expression for row in shell.user_ns["r"].rows] == [
        "W", "v", "v1 @ v2", "v[0] = 1.0", "np.sum(v3)", "v", "v6[0]", "v5 + v7",
    ]  # fmt: skip


def test_the_comma_of_a_matrix_stands_at_its_number():
    from ad_magic.report.array import bracketed

    assert bracketed(np.array([[0.5, -1.0], [12.25, 3.0]])) == ["[[ 0.5,  −1],", " [12.25,  3]]"]


def test_strips_of_a_column_stand_below_one_another():
    """The shapes before them take the same width."""
    found = column_cells([np.ones(30), np.ones((3, 4)), np.ones((64, 128))], 6, shapes=True)
    assert {len(re.search(r'ad-shape">([^<]*)<', cell)[1]) for cell in found} == {len("64×128")}


def test_beside_matrices_there_is_room_for_few_tangents(shell):
    """The adjoint, in one column, says of the output what they say."""
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("import numpy as np")
    cell = "A = np.array([[a, b], [c, d]])\nnp.trace(A @ A.T)"
    shell.run_cell(f"%%grad a=1.0 b=0.3 c=-0.2 d=2.0 -q -o r\n{cell}")
    assert seeds_of(shell.user_ns["r"]) == ["a"]
    assert table(shell.user_ns["r"]).notes == ("Tangents of 3 more seeds are not shown: b, c, d.",)
    shell.run_cell(f"%%tangent a=1.0 b=0.3 c=-0.2 d=2.0 -q -o r\n{cell}")  # here it says nothing
    assert seeds_of(shell.user_ns["r"]) == ["a", "b", "c", "d"]


def test_two_entries_side_by_side_have_their_other_digits_in_the_title():
    cell = column_cells([np.array([[1.23456, 2.0], [3.0, 4.0]])], 6)[0]
    assert ">1.235" in cell and "1.23456" in cell.partition(">")[0]
