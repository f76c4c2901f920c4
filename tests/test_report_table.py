"""The table, the lines and the numbers of a report."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import SAMPLES, Paper, long_loop, many_lines, newton, running, with_module

from ad_magic.report.array import quantity
from ad_magic.report.lines import line_groups
from ad_magic.report.number import align, number, plain
from ad_magic.report.row import Row
from ad_magic.report.table import Gap, Group, entries, table


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.0, "2"), (-0.0, "0"), (0.0, "0"), (1e-8, "1e−8"), (1e8, "1e8"), (-17.88259188, "−17.8826"), (1e100, "1e100"),
     (math.nan, "nan"), (math.inf, "inf"), (-math.inf, "−inf"), (9.99, "9.99"), (123456.0, "123456")],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value, 6) == text


@given(st.floats(allow_nan=False))
def test_a_number_written_with_all_digits_reads_back(value):
    assert float(plain(number(value, 17))) == value


@given(st.lists(st.floats(), min_size=1), st.integers(1, 12))
def test_aligned_numbers_have_one_width_and_one_decimal_point(values, digits):
    texts = align([number(v, digits) for v in values])
    assert len({len(t) for t in texts}) == 1
    points = {t.index(".") for t in texts if "." in t}
    assert len(points) <= 1
    for value, text in zip(values, texts, strict=True):
        assert text.strip() == number(value, digits)
        if points and "." not in text and "e" not in text:  # a whole number ends where the others have their point
            assert len(text.rstrip()) == points.copy().pop()


def test_a_long_array_is_cut_and_says_its_shape():
    import numpy as np

    text = quantity(np.arange(12.0).reshape(3, 4))
    assert "…" in text
    assert text.endswith("3×4")
    assert quantity(np.array([1.0, -2.0])) == "[1, −2]"


def groups_of(sample):
    return {group.code: group for group in line_groups(sample.rows, sample.sources)}


def test_a_line_has_its_operations_and_inputs_come_first():
    groups = groups_of(running())
    assert list(groups) == ["inputs", "v = x + 2*y", "w = x*y", "z = v**2 * math.sin(w)"]
    assert [len(g.runs[-1]) for g in groups.values()] == [2, 2, 1, 3]


def test_a_loop_counts_how_often_each_line_ran():
    groups = groups_of(newton(6))
    assert [len(groups[c].runs) for c in ("f = x*x - a", "d = 2*x", "x = x - f/d")] == [6, 6, 6]
    assert {len(run) for run in groups["f = x*x - a"].runs} == {2}


def test_a_line_that_calls_a_function_twice_ran_once():
    """Between its own operations stand those of the function; the line is not a loop for that."""
    groups = groups_of(with_module())
    assert len(groups["y = square(2*x) + square(x)"].runs) == 1
    assert len(groups["return u * u"].runs) == 2


def test_one_line_loop_is_told_by_its_columns():
    p = Paper("%%grad x=1.0\nfor i in range(3): x = x*2")
    i = p.input("x", 1.0)
    for n in range(3):
        i = p("v * 2", 2.0 ** (n + 1), {i: 2.0}, 2, "x*2", op="mul")
    assert len(groups_of(p.done("x"))["for i in range(3): x = x*2"].runs) == 3


def test_the_additions_of_sum_are_one_run():
    """sum(terms) adds at one place many times; that is not a loop over the line."""
    p = Paper("%%grad x=1.0\ns = sum(terms)")
    i = x = p.input("x", 1.0)
    for n in range(3):
        i = p("v + v1", n + 2.0, {i: 1.0, x: 1.0}, 2, "sum(terms)", op="add")
    assert [len(run) for run in groups_of(p.done("s"))["s = sum(terms)"].runs] == [3]


def test_operations_without_a_position_are_kept():
    sample = running()
    sample.rows = [replace(row, source=None, line=None, span=None) for row in sample.rows]
    shown = [e[3].index for e in entries(table(sample)) if not isinstance(e, str)]
    assert shown == list(range(8))


def test_another_source_has_a_heading():
    texts = [e for e in entries(table(with_module())) if isinstance(e, str)]
    assert texts == ["this cell", "mymodule.py"]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("max_rows", [1, 4, 7, 20, 60, 1000])
def test_the_cap_holds_and_nothing_is_dropped_in_silence(name, max_rows):
    sample = SAMPLES[name]()
    t = table(sample, max_rows=max_rows)
    rows = [e[3] for e in entries(t, unfold=True) if not isinstance(e, str)]
    assert len(rows) <= max(max_rows, 4)
    assert any(row.index == sample.output_rows[sample.outputs[0]] for row in rows)
    if len(rows) < len(sample.rows):
        gaps = [
            g
            for s in t.sections
            for x in s.groups
            for g in (
                [x]
                if isinstance(x, Gap)
                else [*x.runs, *(i for run in x.runs if not isinstance(run, Gap) for i in run.items)]
            )
            if isinstance(g, Gap)
        ]
        assert gaps


def test_the_cap_message_counts_what_is_left_out():
    t = table(long_loop(100), max_rows=13)
    group = next(g for s in t.sections for g in s.groups if isinstance(g, Group) and g.count == 100)
    gap = next(run for run in group.runs if isinstance(run, Gap))
    shown = sum(not isinstance(run, Gap) for run in group.runs)
    assert gap.count + shown == 100
    assert str(gap) == f"… {100 - shown} more runs"
    texts = [e for e in entries(table(many_lines(120), max_rows=20)) if isinstance(e, str)]
    assert texts == ["… 101 more lines"]  # 20 of 121 rows are left: the input and 19 lines


def test_a_hundred_seeds_are_cut_to_six_and_it_says_so():
    sample = running(seeds=[f"x[{i}]" for i in range(100)])
    t = table(sample)
    assert [c.kind for c in t.columns].count("tangent") == 6
    assert "94 more seeds" in t.notes[0]


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [("both", ["value", "tangent", "tangent", "adjoint"]), ("forward", ["value", "tangent", "tangent"]),
     ("reverse", ["value", "adjoint"])],
)  # fmt: skip
def test_the_mode_chooses_the_columns(mode, kinds):
    sample = running(mode=mode)
    if mode == "forward":
        sample.rows = [replace(row, adjoint=None) for row in sample.rows]
    assert [c.kind for c in table(sample).columns] == kinds


def test_a_nameless_output_is_shown_by_its_source():
    t = table(running(outputs=("out",), output_label="v**2 * math.sin(w)"))
    assert t.outcomes[0].shown == "v**2 * math.sin(w)"
    assert t.outcomes[0].derivatives[0][1] == "∂/∂x"


def test_several_outputs():
    sample = running(outputs=("a", "b"), value={"a": 1.0, "b": 2.0}, grad={"a": {"x": 3.0}, "b": {"x": 4.0}})
    t = table(sample)
    assert [(o.name, o.value, o.derivatives) for o in t.outcomes] == [
        ("a", 1.0, (("x", "∂a/∂x", 3.0),)), ("b", 2.0, (("x", "∂b/∂x", 4.0),)),
    ]  # fmt: skip


def test_a_million_rows_are_sorted_without_recursion():
    rows = [Row(i, f"v{i + 1}", "v * 2", "mul", 1.0, (i - 1,) if i else (), (2.0,) if i else (), {}, 1.0, None, "c", 2,
                (2, 0, 2, 3)) for i in range(30_000)]  # fmt: skip
    assert len(line_groups(rows, {})[0].runs) == 30_000


def test_the_output_stays_when_a_function_that_it_calls_is_long():
    p = Paper("%%grad x=1.0\nz = 2*x + f(x)\n" + "\n".join(f"u = u * {i}" for i in range(3, 103)))
    x = p.input("x", 1.0)
    i = first = p("2 * v1", 2.0, {x: 2.0}, 2, "2*x", op="mul")
    for n in range(3, 103):
        i = p("v", 1.0, {i: 1.0}, n, f"u * {n}", op="mul")
    p("v + v", 1.0, {first: 1.0, i: 1.0}, 2, "2*x + f(x)", op="add", label="z")
    rows = [e[3] for e in entries(table(p.done("z"), max_rows=20)) if not isinstance(e, str)]
    assert "z" in [row.label for row in rows]
    assert len(rows) <= 20
