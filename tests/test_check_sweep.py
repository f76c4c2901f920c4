"""TRUST: the whole sweep of steps, random directions, correlation and signs, and a program that does not end."""

from __future__ import annotations

import cmath
import itertools
import math
import random
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from ad_magic.check.agreement import Agreement, Pair, correlation
from ad_magic.check.sweep import COMPLEX_STEP, FORWARD_DIFFERENCES, LOST, ROUNDING, TRUNCATION, steps, sweep
from ad_magic.check.watch import TooLong, watching
from ad_magic.report.check_report import CheckReport
from ad_magic.report.result import Result
from ad_magic.report.sweep_figure import figure
from ad_magic.report.sweep_plot import plot


@pytest.fixture
def cells(cells):
    cells.plain("import math\nimport numpy as np")
    return cells


def with_gradient(result, **slopes):
    made = Result(result.run, result.again)
    made.grad = {**result.grad, **slopes}
    return made


# ---- the V ---------------------------------------------------------------------------------------


def reference():
    """f = exp x + cos x + 10 at 1: a published example (T. Vieira), its derivative e - sin 1."""

    def by_complex_step(h):
        return [(cmath.exp(1 + 1j * h) + cmath.cos(1 + 1j * h) + 10).imag / h]

    return sweep("x", 1.0, [math.e - math.sin(1)], lambda x: [math.exp(x) + math.cos(x) + 10], by_complex_step)


def at(curve, steps_, h):
    return curve.errors[min(range(len(steps_)), key=lambda k: abs(math.log(steps_[k] / h)))]


def test_the_reference_sweep():
    """The errors that were found with NumPy and by hand: forward 2.2e-8 at 1e-8, central 1.3e-11 at 1e-6, 3.4e-11 at
    1e-5, 5.5e-7 at 1e-10, 1 at 1e-16; the complex step below 3.1e-15 for every step up to 1e-7."""
    found = reference()
    forward, complex_ = found.curve(FORWARD_DIFFERENCES), found.curve(COMPLEX_STEP)
    assert at(forward, found.steps, 1e-8) == pytest.approx(2.2e-8, rel=0.05) == forward.best_error
    assert forward.best_step == pytest.approx(1e-8)
    for h, error in {1e-6: 1.3e-11, 1e-5: 3.4e-11, 1e-10: 5.5e-7, 1e-16: 1.0}.items():
        assert at(found.central, found.steps, h) == pytest.approx(error, rel=0.05)
    assert 1e-6 <= found.central.best_step <= 1e-5 and found.central.best_error < 1.4e-11
    # what the series leaves out at 1e-7 is (e + sin 1) / (e - sin 1) * 1e-14 / 6, and one bit of rounding
    left_out = (math.e + math.sin(1)) / (math.e - math.sin(1)) * 1e-14 / 6 + 2.3e-16
    assert left_out == pytest.approx(3.1e-15, rel=0.1)
    assert all(error <= left_out for h, error in zip(found.steps, complex_.errors, strict=True) if h <= 1.1e-7)


def test_the_slopes_of_the_branches():
    """Truncation falls with h² (central) or h (forward), rounding grows with 1/h."""
    found = reference()
    assert found.central.truncation_slope == pytest.approx(2, abs=0.05)
    assert found.curve(FORWARD_DIFFERENCES).truncation_slope == pytest.approx(1, abs=0.05)
    assert found.central.rounding_slope == pytest.approx(-1, abs=0.25)
    assert found.curve(COMPLEX_STEP).rounding_slope is None
    assert "truncation (slope 2)" in found.words and "rounding (slope −" in found.words


SMOOTH = {
    "tanh": (math.tanh, lambda x: 1 - math.tanh(x) ** 2, 0.4),
    "exp, far out": (math.exp, math.exp, 20.0),
    "1/x, close to zero": (lambda x: 1 / x, lambda x: -1 / x**2, 1e-3),
    "log": (math.log, lambda x: 1 / x, 3e5),
    "tiny values": (lambda x: 1e-40 * math.sin(x), lambda x: 1e-40 * math.cos(x), 0.5),
    "sin, steep": (lambda x: math.sin(1e4 * x), lambda x: 1e4 * math.cos(1e4 * x), 1.2),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_the_branches_of_other_functions(name):
    f, slope, x = SMOOTH[name]
    found = sweep("x", x, [slope(x)], lambda v: [f(v)])
    assert found.comes_down
    assert found.central.truncation_slope == pytest.approx(2, abs=0.1)
    assert found.central.rounding_slope == pytest.approx(-1, abs=0.35)
    branches = [b for b in found.central.branches if b]
    assert branches == sorted(branches, key=[TRUNCATION, ROUNDING, LOST].index)  # each in one piece


@pytest.mark.parametrize("factor", [2.0, 0.5, -1.0, 1.01, 0.0])
def test_a_wrong_derivative_has_no_v(factor):
    found = sweep("x", 1.0, [factor * math.cos(1)], lambda x: [math.sin(x)])
    assert not found.comes_down and found.words.startswith("no V"), found.words
    assert found.central.truncation_slope is found.central.rounding_slope is None
    if not factor:
        return
    away = re.search(r"stay (\S+) away", found.words)[1]
    assert float(away) == pytest.approx(abs(1 - factor) / max(1, abs(factor)), rel=0.1)


def test_a_polynomial_has_no_truncation():
    found = sweep("x", 3.0, [6.0], lambda x: [x * x])
    assert found.comes_down and TRUNCATION not in found.central.branches
    assert found.central.best_step == pytest.approx(0.1)


def test_a_derivative_that_is_zero_is_measured_by_the_value():
    found = sweep("x", 0.5 * math.pi, [math.cos(0.5 * math.pi)], lambda x: [math.sin(x)])
    assert found.comes_down


def test_steps_stay_near_the_point():
    assert steps(1.0)[0] == 0.1 and steps(200.0)[0] == 10.0 and steps(0.0)[0] == 0.1
    assert max(steps(7.3)) < 7.3  # a root of x at the other side of zero may never be found
    assert all(a > b for a, b in itertools.pairwise(steps(0.02)))
    assert 1.0 + steps(1.0)[-1] == 1.0  # the last one is lost


def test_where_the_program_gives_nothing_the_curve_has_a_gap():
    found = sweep("x", 1e-3, [1e3], lambda x: [math.log(x)])
    assert found.comes_down
    edge = sweep("x", 0.0, [0.0], lambda x: [math.sqrt(x) ** 3])
    assert set(edge.central.errors) == {None} and edge.words == "the program gives no number on both sides"
    assert edge.curve(FORWARD_DIFFERENCES).best_error is not None


def test_several_components_have_the_error_of_the_worst():
    found = sweep("x", 1.0, [math.cos(1), 3.0], lambda x: [math.sin(x), x**3 + 1e-3 * x])
    assert not found.comes_down
    assert found.central.errors[4] == pytest.approx(1e-3 / 3.001, rel=1e-2)


# ---- its pictures --------------------------------------------------------------------------------


def test_the_figure_tells_the_branches_apart_by_more_than_colour():
    root = ET.fromstring(figure(reference()))
    svg = "{http://www.w3.org/2000/svg}"
    kinds = [circle.get("class").split()[-1] for circle in root.iter(f"{svg}circle")]
    found = reference().central.branches
    assert kinds.count("ad-truncation") == found.count(TRUNCATION) > 5
    assert kinds.count("ad-rounding") == found.count(ROUNDING) > 10 and kinds.count("ad-best") == 1
    texts = ["".join(text.itertext()) for text in root.iter(f"{svg}text")]
    assert "truncation, slope 2" in texts and any(text.startswith("rounding, slope −") for text in texts)
    assert {"10⁻⁴", "10⁻⁸", "10⁻¹²", "10⁻¹⁶", "1"} <= set(texts)


def test_the_figure_keeps_within_its_box():
    for s in (reference(), sweep("x", 1.0, [5.0], lambda x: [math.sin(x)]), sweep("x", 3.0, [6.0], lambda x: [x * x])):
        root = ET.fromstring(figure(s))
        width, height = float(root.get("width")), float(root.get("height"))
        for element in root.iter():
            for key, most in (("cx", width), ("x", width), ("cy", height), ("y", height)):
                assert 0 <= float(element.get(key, 0)) <= most


def test_a_branch_lies_on_a_straight_line():
    """On the drawing: equal steps to the right, equal steps up."""
    root = ET.fromstring(figure(reference()))
    points = [
        (float(c.get("cx")), float(c.get("cy")))
        for c in root.iter("{http://www.w3.org/2000/svg}circle")
        if c.get("class").endswith("ad-truncation")
    ]
    turns = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(points)]
    assert max(turns) - min(turns) < 0.1 * abs(turns[0])


def test_the_plot_in_plain_characters():
    lines = plot(reference()).splitlines()
    assert lines[0].startswith("along x: best step") and all(len(line) < 110 for line in lines)
    assert sum(line.count("◆") for line in lines[1:-1]) == 1
    picture = [line for line in lines[1:] if "┤" in line]
    first = {mark: min(line.index(mark) for line in picture if mark in line) for mark in "×○●"}
    assert first["×"] < first["○"] < first["●"]  # small steps on the left
    assert [line.split("┤")[0].strip() for line in picture][:3] == ["1", "10⁻²", "10⁻⁴"]


# ---- in a report ---------------------------------------------------------------------------------


def test_a_report_has_the_sweep_of_each_input(cells):
    report = cells.grad("x=1.0 y=0.3", "z = math.exp(x)*math.sin(y)").check()
    assert list(report.sweep) == ["x", "y"] and all(s.comes_down for s in report.sweeps)
    assert report.sweep["x"].derivative == (pytest.approx(math.e * math.sin(0.3)),)
    assert report.sweep["x"].curve(COMPLEX_STEP).best_error < 1e-14
    html = report.to_html()
    assert html.count("<svg") == 2 and html.count("<figcaption") == 2
    assert "along y: best step" in report.to_text() and "along y: best step" in report.to_markdown()


def test_what_differs_has_its_sweep_first(cells):
    cells.plain("w = np.linspace(0.1, 1, 12)")
    result = cells.grad("w", "z = np.sum(np.sin(w))")
    wrong = result.grad["w"].copy()
    wrong[9] *= 2
    report = with_gradient(result, w=wrong).check()
    assert report.sweeps[0].seed == "w[9]" and not report.sweeps[0].comes_down
    assert report.by_input == {"w": "differs"} and report.worst.seed == "w[9]"


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
def test_arrays_and_several_outputs_in_each_mode(cells, mode):
    cells.plain("w = np.linspace(0.1, 1, 6)")
    report = cells.grad("w x=2.0 --of a,b", "a = np.outer(w, w)[:2]*x\nb = math.sin(x)*w[0]", mode=mode).check()
    assert report.ok and list(report.by_input) == ["w", "x"]
    assert len(report.sweeps) == 4 and all(s.comes_down for s in report.sweeps)


def test_at_a_kink_the_sweep_says_so(cells):
    report = cells.grad("x=0.0", "z = abs(x)").check()
    assert report.ok and report.sweep["x"].words.startswith("at a kink a central quotient is the mean")


def test_the_check_beside_the_tables(cells):
    result = cells.grad("x=1.0", "z = math.exp(x)")
    for face in (result.to_html(show="check"), result.to_text(show="check")):
        assert "all 3 comparisons agree" in face
    assert "ad-sweep" in result.to_html(show="check") and "ad-sweep" not in result.to_html()
    html = result.to_html(show="check")
    assert html.index('"ad-part ad-check-part"') < html.index('"ad-part ad-tables"')


# ---- random directions ---------------------------------------------------------------------------

MANY = "w = np.random.default_rng(2).normal(size=(30, 20))"


def test_one_wrong_entry_of_many_is_found_and_named(cells):
    """Of 600 entries at most a hundred are looked at one by one."""
    cells.plain(MANY)
    result = cells.grad("w", "z = np.sum(np.sin(w))")
    assert result.check().ok
    wrong = result.grad["w"].copy()
    wrong[17, 3] += 1e-2
    report = with_gradient(result, w=wrong).check()
    assert "w[17, 3]" not in {row.seed for row in result.check().rows}
    assert report.verdicts["w[17, 3]"] == "differs"
    assert {row.word for row in report.directions} == {"differs"}
    assert [seed for seed, verdict in report.verdicts.items() if verdict == "differs"] == ["w[17, 3]"]


def test_directions_are_drawn_from_a_seed(cells):
    cells.plain(MANY)
    result = cells.grad("w", "z = np.sum(np.sin(w)**2)")
    first, again, other = (result.check(seed=seed).directions for seed in (0, 0, 1))
    assert first == again and first[0].got != other[0].got
    assert {row.word for row in (*first, *other)} == {"agrees"}
    assert first[0].seed == "20 random directions" and first[0].note.startswith("the worst of 20")


def test_few_inputs_have_directions_if_they_are_asked_for(cells):
    result = cells.grad("x=1.0 y=2.0", "z = x*y + math.sin(x)")
    assert result.check().directions == ()
    report = result.check(directions=3)
    assert [row.method for row in report.directions] == ["central differences", "complex step", "forward mode"]
    assert report.ok and report.directions[0].seed == "3 random directions"


def test_directions_of_several_outputs(cells):
    cells.plain(MANY)
    result = cells.grad("w", "z = np.sin(w) @ np.cos(w).T")
    report = result.check()
    assert report.ok and {row.word for row in report.directions} == {"agrees"}
    made = Result(result.run, result.again)
    made.jacobian = {"w": result.jacobian["w"] * 2}
    assert {row.word for row in made.check().directions} == {"differs"}


def test_a_direction_is_on_the_sphere():
    """No axis and no diagonal is preferred: the mean of the squares is the same in each entry (Muller 1959)."""
    from ad_magic.check.directions import _sphere

    draw = random.Random(3)
    drawn = np.array([_sphere(5, draw) for _ in range(4000)])
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1)
    np.testing.assert_allclose(np.mean(drawn**2, axis=0), 0.2, atol=0.02)
    np.testing.assert_allclose(np.mean(drawn**4, axis=0), 3 / 35, atol=0.02)  # of a cube it would be another


def test_the_magic_takes_directions_and_a_seed(shell, capsys):
    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_cell("%%gradcheck x=2.0 --directions 5 --seed 3\nz = x*x")
    assert "5 random directions" in capsys.readouterr().out
    shell.run_cell("%%gradcheck x=2.0 --directions many\nz = x*x")
    assert "UsageError" in "".join(capsys.readouterr())


# ---- correlation and signs -----------------------------------------------------------------------


def agreement(got, expected, word="differs"):
    return Agreement("m", tuple(Pair(f"v{k}", g, e, word) for k, (g, e) in enumerate(zip(got, expected, strict=True))))


def test_correlation_is_that_of_numpy():
    draw = np.random.default_rng(0)
    for _ in range(20):
        a, b = draw.normal(size=(2, 7)) * 10.0 ** draw.integers(-150, 150)
        assert correlation(list(a), list(b)) == pytest.approx(np.corrcoef(a / abs(a).max(), b / abs(b).max())[0, 1])


def test_what_the_correlation_cannot_say():
    assert correlation([1.0, 2.0], [5.0, 7.0]) is None  # of two points it is always 1
    assert correlation([1.0, 1.0, 1.0], [5.0, 7.0, 9.0]) is None
    assert correlation([1.0, math.nan, 1.0], [5.0, 7.0, 9.0]) is None


TRUE = [1.0, -2.0, 0.5, 4.0, 0.0]


@pytest.mark.parametrize(
    ("got", "says"),
    [([t / 3 for t in TRUE], "the correlation is 1, yet the numbers differ: a factor 3 is missing"),
     ([t * 1.7 for t in TRUE], f"a factor {1 / 1.7:.6g} is missing"),
     ([-t for t in TRUE], "the correlation is −1, yet the numbers differ: the sign is wrong"),
     ([t + 0.25 for t in TRUE], "the constant −0.25 is missing"),
     ([0.0] * 5, "all of them are zero")],
)  # fmt: skip
def test_a_correlation_beside_numbers_that_differ(got, says):
    assert says in agreement(got, TRUE).warning


def test_numbers_that_differ_in_no_common_way():
    found = agreement([1.0, 2.0, 0.5, 4.0, 0.1], TRUE)
    assert found.difference == "" and found.signs == (3, 5)
    assert found.worst.name in ("v1", "v4") and "3 of 5 signs agree" in found.words


def test_nearly_all_pairs_are_tiny():
    found = agreement([1e-20] * 9, [2e-20] * 9, "skipped")
    assert found.skipped == 9 and "9 of 9 pairs are too small" in found.warning
    assert "9 of 9 pairs skipped, both numbers tiny" in found.words


def test_a_missing_factor_is_said_of_all(cells):
    cells.plain("w = np.linspace(0.5, 2, 5)")
    result = cells.grad("w", "z = np.sum(w**3)")
    report = with_gradient(result, w=result.grad["w"] / 3).check()
    assert any("correlation is 1, yet the numbers differ: a factor 3 is missing" in note for note in report.notes)
    assert report.agreements[0].correlation == pytest.approx(1.0)
    assert result.check().agreements[0].signs == (5, 5)


# ---- a program that does not come to an end ------------------------------------------------------


def test_a_loop_without_end_elsewhere(cells):
    """For x <= 2 it does not stop: differences are taken on the other side, and nobody waits for ever."""
    cell = "t = 0.0\nwhile t < 1:\n    t = t + (x - 2 if x > 2 else 0.0)\nz = 3*x + t*0"
    report = cells.grad("x=2.5", cell).check()
    assert report.ok, report


def without_end():
    while True:
        pass


def catching_all():
    while True:
        try:
            without_end()
        except Exception:
            continue


def test_a_block_that_takes_too_long_is_ended():
    with watching() as watch:
        watch.limit = 0.2
        with pytest.raises(TooLong), watch.limited():
            without_end()
        with watch.limited():
            assert sum(range(1000)) == 499500  # and nothing is left of it
        with pytest.raises(TooLong), watch.limited():
            catching_all()


def test_a_report_is_made_of_findings(cells):
    report = cells.grad("x=1.0", "z = x*x").check()
    assert isinstance(report, CheckReport) and report.worst.seed == "x"
    assert report.causes == [] and report.operations.checked == 1
    assert (
        report.operations.words
        == "The one operation was compared with differences of its own: its derivative is right."
    )
