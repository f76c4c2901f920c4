"""The layout of a graph and its SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import SAMPLES, Paper, hostile, long_loop, newton, running

from ad_magic.report import svg
from ad_magic.report.layout import _isotonic, depths, layered

SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def dags(draw):
    """A random graph whose edges go from lower to higher index, with bands as a program has them and node widths."""
    n = draw(st.integers(1, 25))
    band = sorted(draw(st.lists(st.integers(0, 6), min_size=n, max_size=n)))
    edges = [(draw(st.integers(0, head - 1)), head) for head in range(1, n) for _ in range(draw(st.integers(0, 3)))]
    widths = draw(st.lists(st.floats(20, 200), min_size=n, max_size=n))
    return band, edges, widths


@given(dags())
@settings(max_examples=150, deadline=None)
def test_edges_go_down_and_nodes_do_not_touch(dag):
    band, edges, widths = dag
    ranks = depths(band, edges)
    assert all(ranks[tail] < ranks[head] for tail, head in edges)
    assert all(ranks[a] <= ranks[b] for a, b in combinations(range(len(band)), 2) if band[a] < band[b])
    layout = layered(ranks, edges, widths, gap=10)
    for layer in layout.layers:
        nodes = [node for node in layer if node < len(widths)]
        for left, right in pairwise(sorted(nodes, key=lambda node: layout.x[node])):
            assert layout.x[right] - layout.x[left] >= (widths[left] + widths[right]) / 2 + 9.999
    assert all(widths[i] / 2 - 1e-6 <= layout.x[i] <= layout.width - widths[i] / 2 + 1e-6 for i in range(len(widths)))
    where = {node: rank for rank, layer in enumerate(layout.layers) for node in layer}
    for chain in layout.chains.values():
        assert all(where[below] == where[above] + 1 for above, below in pairwise(chain))


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 5)), min_size=1, max_size=12))
def test_isotonic_is_sorted_and_keeps_the_mean(pairs):
    values, weights = zip(*pairs, strict=True)
    fitted = _isotonic(values, weights)
    assert all(a <= b + 1e-9 for a, b in pairwise(fitted))
    assert sum(v * w for v, w in pairs) == pytest.approx(sum(f * w for f, w in zip(fitted, weights, strict=True)))
    assert _isotonic(sorted(values), weights) == pytest.approx(sorted(values))


def test_a_node_without_an_edge_stands_beside_the_next_one():
    """As an input that no operation uses: it stood where the others had been before they came to rest."""
    edges = [(0, 2), (2, 3), (0, 4), (3, 4), (4, 5)]
    x = layered(depths([0, 0, 1, 1, 2, 2], edges), edges, [100.0] * 6, gap=10).x
    assert x[1] - x[0] == pytest.approx(110)


def test_a_deep_graph_does_not_recurse():
    n = 5000
    edges = [(i, i + 1) for i in range(n - 1)]
    assert layered(depths([0] * n, edges), edges, [50.0] * n).layers[-1] == [n - 1]


def drawn(sample, **options):
    return ET.fromstring(svg.graph(sample, **options))


def by_class(root, name):
    return [e for e in root.iter() if name in e.get("class", "").split()]


def box(rect):
    x, y, w, h = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
    return x, y, x + w, y + h


def text_box(text):
    """The room that a text takes, from its size and anchor."""
    width = len(text.text or "") * 0.602 * float(text.get("font-size", "11"))
    x, y = float(text.get("x")), float(text.get("y"))
    left = x - width * {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor"), 0.0)
    return left, y - 8, left + width, y + 2


def overlap(a, b):
    return a[0] < b[2] - 0.01 and b[0] < a[2] - 0.01 and a[1] < b[3] - 0.01 and b[1] < a[3] - 0.01


@pytest.mark.parametrize("name", SAMPLES)
def test_every_operation_is_a_node_and_nothing_overlaps(name):
    sample = SAMPLES[name]()
    root = drawn(sample, max_rows=80)
    nodes = by_class(root, "ad-node")
    boxes = [box(node.find(f"{SVG}rect")) for node in nodes]
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    if len(sample.rows) <= 80:
        assert sorted(int(node.get("data-ad-node")) for node in nodes) == [row.index for row in sample.rows]
    labels = [text_box(t) for t in by_class(root, "ad-partial-label")]
    assert not [pair for pair in combinations(labels, 2) if overlap(*pair)]
    assert not [1 for label in labels for node in boxes if overlap(label, node)]
    for node, bounds in zip(nodes, boxes, strict=True):
        for text in node.findall(f"{SVG}text"):
            if text.get("text-anchor") == "middle":
                assert bounds[0] <= text_box(text)[0]
                assert text_box(text)[2] <= bounds[2]
    *_, width, height = map(float, root.get("viewBox").split())
    for node in by_class(root, "ad-source"):
        assert all(text_box(t)[2] < width for t in node.findall(f"{SVG}text"))
    assert max(b[3] for b in boxes) <= height


def test_the_drawing_has_a_name_and_the_partials():
    root = drawn(running())
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    labels = {t.get("data-ad-edge"): t.text for t in by_class(root, "ad-partial-label")}
    assert labels["3 5"] == "16"  # v4 -> v6 = v4 ** 2 at v4 = 8
    assert len(labels) == 9
    assert len(by_class(root, "ad-node-input")) == 2
    assert [n.get("data-ad-node") for n in by_class(root, "ad-node-output")] == ["7"]


def test_an_operand_used_twice_has_one_edge_with_both_partials():
    labels = {t.get("data-ad-edge"): t.text for t in by_class(drawn(newton(1)), "ad-partial-label")}
    assert labels["0 1"] == "2 + 2"


def test_sign_zero_and_infinity_are_told_apart():
    p = Paper("%%grad x=1.0\na = -x\nb = 0*a\nc = inf*b")
    i = p.input("x", 1.0)
    for line, (partial, at) in enumerate([(-1.0, "-x"), (0.0, "0*a"), (float("inf"), "inf*b")], 2):
        i = p("v", 1.0, {i: partial}, line, at, op="mul")
    kinds = [e.get("class").split()[1] for e in by_class(drawn(p.done("c")), "ad-edge")]
    assert kinds == ["ad-negative", "ad-zero", "ad-bad"]


def test_a_large_graph_is_one_box_for_a_line_with_its_count():
    root = drawn(long_loop(250))
    text = " ".join(t.text or "" for t in root.iter(f"{SVG}text"))
    assert len(by_class(root, "ad-node")) == 3
    assert text.count("× 250") == 2
    assert len(by_class(root, "ad-back")) == 1  # s goes back to the line above


def test_lines_beyond_the_cap_are_counted():
    root = drawn(SAMPLES["many_lines"](), max_rows=20)
    assert len(by_class(root, "ad-node")) == 20
    assert "… 101 more lines" in [t.text for t in root.iter(f"{SVG}text")]


def test_markup_in_the_cell_stays_text():
    root = drawn(hostile())
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "g", "title", "rect", "text", "path", "style"}


def test_standalone_carries_its_style():
    assert len(list(drawn(running(), standalone=True).iter(f"{SVG}style"))) == 1
