"""TRUST: right derivatives pass, wrong ones are caught, kinks are told from errors.

Expected slopes are closed forms or those of mpmath; a wrong derivative is made from a right one on purpose.
"""

from __future__ import annotations

import contextlib
import io
import math
import random
import re

import numpy as np
import pytest
from oracles import EXACT, slope

from ad_magic.check.agreement import ratio
from ad_magic.check.complexstep import complex_step
from ad_magic.check.differences import judge, measure
from ad_magic.check.formulas import FormulaError, evaluate
from ad_magic.check.verdict import relative_error
from ad_magic.engine.operation import operation, value_of
from ad_magic.engine.tape import Tape, replay
from ad_magic.engine.traced import Traced
from ad_magic.report.check_report import CheckReport
from ad_magic.report.result import Result
from ad_magic.rules import RULES
from ad_magic.rules.number import NotAnalytic
from ad_magic.rules.special import ROWS as OF_SCIPY

inf, nan = math.inf, math.nan


@pytest.fixture
def loaded(loaded):
    loaded.run_cell("import math", silent=True)
    return loaded


@pytest.fixture
def run(loaded):
    """run(cell, x=…) -> the Result of the cell under %%gradcheck."""

    def result(cell, *, line="", setup="", **inputs):
        if setup:
            assert loaded.run_cell(setup, silent=True).success
        loaded.user_ns.update(inputs)
        with contextlib.redirect_stdout(io.StringIO()):
            done = loaded.run_cell(f"%%gradcheck {' '.join(inputs)} {line} -o result_ -q\n{cell}", silent=True)
        done.raise_error()
        return loaded.user_ns["result_"]

    return result


def words(report, method):
    return [row.word for row in report.rows if row.method == method]


def row(report, method="central differences", seed=None):
    return next(r for r in report.rows if r.method == method and seed in (None, r.seed))


def with_gradient(result, **slopes):
    """The same Result with other derivatives."""
    made = Result(result.run, result.again)
    made.grad = {**result.grad, **slopes}
    return made


# ---- right derivatives -------------------------------------------------------------------------------------

RIGHT = {  # cell, inputs, closed forms
    "blog": (
        "z = (x + 2*y)**2 * math.sin(x*y)", {"x": 2.0, "y": 3.0},
        {"x": "2*(x+2*y)*sin(x*y) + y*cos(x*y)*(x+2*y)**2", "y": "4*(x+2*y)*sin(x*y) + x*cos(x*y)*(x+2*y)**2"},
    ),
    "Baydin": (
        "y = math.log(x1) + x1*x2 - math.sin(x2)", {"x1": 2.0, "x2": 5.0}, {"x1": "1/x1 + x2", "x2": "x1 - cos(x2)"},
    ),
    "loop": ("t = x\nfor k in range(20): t = t + 0.1*math.sin(t)*k/(1 + k)\nt", {"x": 0.7}, {}),
    "until converged": (
        "r = 1.0\nwhile abs(r*r - a) > 1e-13*a: r = 0.5*(r + a/r)\nr", {"a": 7.3}, {"a": "0.5/sqrt(a)"},
    ),
    "branch": ("y = x*x if x > 1 else 3*x", {"x": 1.5}, {"x": "2*x"}),
    "away from the kink": ("y = abs(x) + max(x, 2*x) + x % 3 + math.hypot(x, 1)", {"x": -1.2},
                           {"x": "-1 + 1 + 1 + x/hypot(x, 1)"}),
    "special functions": ("y = math.erf(x) + math.gamma(x)", {"x": 2.0},
                          {"x": "2/sqrt(pi)*exp(-x*x) + 1 - 0.57721566490153286"}),  # gamma'(2) = 1 - Euler's constant
    "steps that do not matter": ("y = x*x + math.floor(x)*x", {"x": 2.5}, {"x": "2*x + 2"}),
    "constant": ("y = 3.0 + 0*x", {"x": 2.5}, {"x": "0"}),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
@pytest.mark.parametrize("name", RIGHT)
def test_right_derivatives_agree(run, name, mode):
    cell, inputs, expect = RIGHT[name]
    report = run(cell, line=f"--mode {mode}", **inputs).check(expect=expect)
    assert report.ok and report
    assert {r.word for r in report.rows} <= {"agrees", "not applicable"}, report
    assert words(report, "central differences") == ["agrees"] * len(inputs), report
    assert words(report, "your formula") == ["agrees"] * len(expect), report
    assert words(report, "forward mode") == ["agrees"] * len(inputs) * (mode == "both"), report
    for target, formula in expect.items():
        want = eval(formula, {**vars(math), **inputs})
        assert row(report, "central differences", target).expected == pytest.approx(want, rel=1e-7, abs=1e-10)
        assert row(report, "your formula", target).got == pytest.approx(want, rel=1e-8)


SCALES = {  # the program, a point, its slope there: all of very different sizes
    "tiny input": (lambda x: 1 / x, 1e-12, -1e24),
    "tiny input, smooth at 1": (math.exp, 1e-12, 1.0),
    "huge input": (math.sqrt, 1e24, 0.5e-12),
    "fast": (lambda x: math.sin(1e6 * x), 1000.3, 1e6 * math.cos(1e6 * 1000.3)),
    "tiny value": (lambda x: 1e-40 * math.sin(x), 0.5, 1e-40 * math.cos(0.5)),
    "huge value": (lambda x: 1e60 * x * x, 3.0, 6e60),
    "steep": (lambda x: math.tanh(1000 * (x - 1)), 1.0, 1000.0),
    "narrow": (lambda x: math.sqrt((x - 1) ** 2 + 1e-8), 1.0 + 1e-4, 1 / math.sqrt(2)),
    "near an edge": (math.log, 1e-9, 1e9),
    "near an edge at 1": (lambda x: math.sqrt(1 - x), 1 - 1e-8, -0.5 / math.sqrt(1e-8)),
    "a large constant": (lambda x: 1e8 + x**3, 2.0, 12.0),
    "near a jump": (lambda x: x - math.floor(x), 2 + 1e-6, 1.0),
    "periodic in the step": (lambda x: math.sin(2 * math.pi * 4000 * x) + x, 1.0, 8000 * math.pi + 1),
    "zero": (lambda x: x * x, 0.0, 0.0),
}


def by_differences(f, x, got, kink=""):
    def program(v):
        return [f(v)]

    return judge(measure(program, x, program(x), [got]), 0, x, f(x), got, kink=kink)


@pytest.mark.parametrize("name", SCALES)
def test_no_false_alarm_at_any_scale(name):
    f, x, want = SCALES[name]
    found = by_differences(f, x, want)
    assert found.word == "agrees", found


@pytest.mark.parametrize("wrong", [2.0, -1.0, 0.5, 1.001, 0.0])
@pytest.mark.parametrize("name", [name for name in SCALES if name != "zero"])
def test_a_wrong_slope_is_caught_at_any_scale(name, wrong):
    f, x, want = SCALES[name]
    assert by_differences(f, x, want * wrong).word == "differs"


def test_reference_sweep():
    """f = exp x + cos x + 10 at 1."""
    want = math.e - math.sin(1)
    found = by_differences(lambda x: math.exp(x) + math.cos(x) + 10, 1.0, want)
    assert found.word == "agrees"
    assert found.error < 1e-11  # the best that a plain central difference can do is 1.3e-11
    tape = Tape()
    x = Traced.input(tape, 1.0)
    y = operations(x)
    assert complex_step(tape.close(), x.index, [(y.index, ())]) == [pytest.approx(want, rel=3e-15)]


def operations(x):
    from ad_magic.engine.functions import MATH

    return MATH["exp"](x) + MATH["cos"](x) + 10


def test_random_programs_at_random_points(run):
    """Random expressions: the derivative is that of the differences, a changed one is not."""
    draw = random.Random(4)
    shapes = ["{a}*{b} + math.sin({a})", "math.exp(-{a}*{a})/(1 + {b}**2)", "math.sqrt({a}**2 + {b}**2 + 1)",
              "math.atan2({a}, {b} + 10)", "math.log1p({a}**2) - {b}*math.tanh({a})"]  # fmt: skip
    for _ in range(25):
        a, b = draw.sample(["x", "y", "(x - y)", "(x*y)", "(2*x + 1)"], 2)
        cell = "z = " + " + ".join(draw.choice(shapes).format(a=a, b=b) for _ in range(3))
        result = run(cell, x=draw.uniform(-3, 3), y=draw.uniform(-3, 3))
        report = result.check()
        assert {r.word for r in report.rows} == {"agrees"}, (cell, report)
        wrong = with_gradient(result, x=result.grad["x"] + 1e-3 * (1 + abs(result.grad["x"]))).check()
        assert not wrong.ok and wrong.verdicts == {"x": "differs", "y": "agrees"}, (cell, wrong)


# ---- wrong derivatives -------------------------------------------------------------------------------------

CELL = "z = x*x*y + math.sin(x) + y"
WRONG = {  # at x = 1.5, y = 2
    "missing factor": 0.5 * (2 * 1.5 * 2 + math.cos(1.5)),
    "wrong sign": -(2 * 1.5 * 2 + math.cos(1.5)),
    "dropped term": 2 * 1.5 * 2,
    "sine for cosine": 2 * 1.5 * 2 + math.sin(1.5),
    "nothing": 0.0,
    "NaN": nan,
    "infinite": inf,
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_derivatives_differ(run, name):
    result = with_gradient(run(CELL, x=1.5, y=2.0), x=WRONG[name])
    report = result.check(expect={"x": "2*x*y + cos(x)", "y": "x*x + 1"})
    assert not report.ok and not report
    assert {r.word for r in report.rows if r.seed == "x"} == {"differs"}
    assert {r.word for r in report.rows if r.seed == "y"} == {"agrees"}
    assert report.verdicts == {"x": "differs", "y": "agrees"}
    assert "x differs" in report.verdict and repr(report).startswith("✗")


def test_a_wrong_formula_differs(run):
    report = run(CELL, x=1.5, y=2.0).check(expect={"x": "2*x*y - cos(x)"})
    assert words(report, "your formula") == ["differs"]
    assert row(report, "your formula").expected == pytest.approx(6 - math.cos(1.5))
    assert set(words(report, "central differences") + words(report, "complex step")) == {"agrees"}
    assert not report.ok


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.0, 1 + 1e-6])
def test_a_wrong_rule_differs(run, monkeypatch, factor):
    """The reverse rule of atan is spoilt; the forward one is not."""
    spoilt = operation("atan", (True, False)[:1])
    right = spoilt.pull
    monkeypatch.setattr(spoilt, "pull", lambda adjoints, g, *rest: right(adjoints, g * factor, *rest))
    report = run("z = math.atan(x)*3", x=0.5).check()
    assert words(report, "complex step") == words(report, "forward mode") == ["differs"], report
    assert words(report, "central differences") == ["differs" if abs(factor - 1) > 1e-5 else "agrees"]


def test_a_spoilt_rule_in_both_modes_is_seen_from_outside(run, monkeypatch):
    spoilt = operation("atan", (True,))
    monkeypatch.setattr(spoilt, "pull", lambda adjoints, g, left, *rest: adjoints.__setitem__(left, g))
    monkeypatch.setattr(spoilt, "push", lambda tangents, left, *rest: tangents[left])
    report = run("z = math.atan(x)*3", x=0.5).check()
    assert words(report, "forward mode") == ["agrees"]
    assert words(report, "complex step") == words(report, "central differences") == ["differs"]


@pytest.mark.parametrize(
    ("got", "expected", "says"),
    [(-3.0, 3.0, "the sign is wrong"), (3.0, 6.0, "a factor 2 is missing"), (6.0, 3.0, "it is 2 times too large"),
     (-1.0, 3.0, "a factor 3 is missing, and the sign is wrong"), (1.0, 1.234, ""), (0.0, 1.0, ""), (nan, 1.0, ""),
     (1.0, math.pi, "a factor π is missing")],
)  # fmt: skip
def test_what_a_wrong_derivative_looks_like(got, expected, says):
    assert ratio(got, expected) == says


def test_the_note_says_what_is_missing(run):
    result = run("z = 3*x**2", x=2.0)
    assert "a factor 2 is missing" in row(with_gradient(result, x=6.0).check()).note


def test_a_derivative_that_is_lost_in_a_text_is_noticed(run):
    """The recorded operations know nothing of it: only the cell itself does."""
    report = run("s = str(x)\nf = 2*float(s) + x", x=0.75).check()
    assert not report.ok
    assert row(report).word == "differs" and row(report).expected == pytest.approx(3.0)
    assert "text" in row(report).note
    assert words(report, "complex step") == words(report, "forward mode") == ["agrees"]


def test_a_branch_on_equality_is_noticed(run):
    report = run("y = 1.0 if x == 1 else x**2", x=1.0).check()
    assert row(report).word == "differs" and row(report).expected == pytest.approx(2.0)
    assert "this point only" in row(report).note


# ---- kinks, jumps, edges -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "x", "left", "right"),
    [
        ("y = abs(x)", 0.0, -1, 1),
        ("y = abs(x) + 3*x", 0.0, 2, 4),
        ("y = abs(x)*1e-6 + x*1e-6", 0.0, 0, 2e-6),
        ("y = 1e6*max(x, 2.0)", 2.0, 0, 1e6),
        ("y = x if x > 0 else 0.1*x", 0.0, 0.1, 1),
        ("y = max(x, x*x)", 1.0, 1, 2),
        ("y = math.sqrt((x - 1)**2)", 1.0, -1, 1),
        ("y = math.hypot(x, 0.0)", 0.0, -1, 1),
        ("y = x % 1", 2.0, -inf, 1),
        ("y = math.floor(x)*1.0", 2.0, inf, 0),
    ],
)
def test_a_kink_is_reported_with_both_slopes(run, cell, x, left, right):
    report = run(cell, x=x).check()
    assert report.ok and row(report).word == "kink", report
    slopes = re.fullmatch(r"kink: left slope (\S+), right slope (\S+)", row(report).verdict)
    found = [float(slope.replace("−", "-")) for slope in slopes.groups()]
    assert found == [pytest.approx(left, rel=1e-5, abs=1e-9), pytest.approx(right, rel=1e-5, abs=1e-9)]
    assert "a kink in x" in report.verdict


def test_the_words_for_a_kink(run):
    assert row(run("y = abs(x)", x=0.0).check()).verdict == "kink: left slope −1, right slope 1"


def test_a_kink_close_by_is_found_too(run):
    report = run("y = abs(x - 1)", x=1 + 1e-12).check()
    assert report.ok and row(report).word in ("kink", "agrees")


def test_at_a_kink_that_nobody_knows_of_the_derivative_must_lie_between_the_slopes():
    assert by_differences(abs, 0.0, 0.3).word == "kink"
    assert by_differences(abs, 0.0, -1.0).word == "kink"
    assert by_differences(abs, 0.0, 2.0).word == "differs"
    assert by_differences(abs, 0.0, nan).word == "differs"


def test_a_smooth_way_past_a_kink_is_no_kink(run):
    report = run("y = abs(x)**3 + x", x=0.0).check()
    assert row(report).word == "agrees" and row(report).expected == pytest.approx(1.0)


def test_the_difference_of_two_kinks(run):
    """relu(x) - relu(-x) is x, but each relu has slope 0 at 0: reported, with the flag."""
    report = run("def relu(t): return t if t > 0 else 0.0\ny = relu(x) - relu(-x)", x=0.0).check()
    assert row(report).got == 0.0 and row(report).verdict == "kink: left slope 1, right slope 1"
    assert "the derivative is neither: line" in row(report).note and "equality" in row(report).note


@pytest.mark.parametrize("cell", ["z = abs(x) + y*y", "z = (x if x > 0 else 0.0) + (y*y if y > 0 else y)"])
def test_another_input_is_still_checked_beside_a_kink(run, cell):
    result = run(cell, x=0.0, y=3.0)
    assert result.check().verdicts["y"] == "agrees"
    report = with_gradient(result, y=5.0).check()
    assert not report.ok and row(report, "central differences", "y").word == "differs"
    assert row(report, "central differences", "x").word == "kink"


@pytest.mark.parametrize(
    ("cell", "x", "want"),
    [("y = math.sqrt(x)", 0.0, inf), ("y = math.cbrt(x)", 0.0, inf), ("y = math.asin(x)", 1.0, inf)],
)
def test_a_vertical_slope_agrees_with_an_infinite_one(run, cell, x, want):
    report = run(cell, x=x).check()
    assert report.ok and row(report).word == "agrees" and row(report).got == want, report
    assert "without bound" in row(report).note
    assert row(with_gradient(run(cell, x=x), x=1.0).check()).word != "agrees"


def test_at_the_edge_of_the_domain_one_side_is_enough(run):
    report = run("y = x**2 + math.sqrt(x)**3 + 5*x", x=0.0).check()
    assert row(report).word == "agrees", report
    assert row(report).note == "one-sided: the program raises ValueError at x − h"
    assert row(report).expected == pytest.approx(5.0, abs=1e-3)
    assert not with_gradient(run("y = math.sqrt(x)**3 + 5*x", x=0.0), x=-5.0).check().ok


def test_a_program_that_runs_at_one_point_only(run):
    report = run("assert x == 2.0\ny = x**3", x=2.0).check()
    assert row(report).verdict.startswith("not applicable: the program raises AssertionError at x ± h")
    assert words(report, "complex step") == ["agrees"] and report.ok


def test_a_value_that_is_nan(run):
    report = run("y = x*math.nan", x=2.0).check()
    assert row(report).verdict == "not applicable: the value is nan here"


def test_nothing_could_be_compared(run):
    report = run("y = x*math.nan", line="--mode reverse", x=2.0).check()
    assert not report.ok and report.verdict == "nothing could be compared"


# ---- what is skipped ---------------------------------------------------------------------------------------


def test_tiny_pairs_are_skipped_and_that_is_said(run):
    report = run("y = 1 + x*1e-40", x=0.5).check()
    assert words(report, "complex step") == ["agrees"]  # it is exact at any size
    assert row(report).verdict == "skipped: both below 1e-10" and report.ok
    assert "skipped" in report.verdict or "agree" in report.verdict


def test_relative_errors():
    assert relative_error(1.0, 1.0) == relative_error(inf, inf) == relative_error(0.0, 0.0) == 0.0
    assert relative_error(1.0, 2.0) == relative_error(2.0, 1.0) == 0.5
    assert relative_error(1e308, -1e308) == 2.0
    assert relative_error(inf, 1.0) == relative_error(-inf, inf) == inf
    assert math.isnan(relative_error(nan, 1.0))


# ---- complex numbers ---------------------------------------------------------------------------------------

POINTS = {  # where each argument may lie; elsewhere (-5, 5)
    "sqrt": [(0.01, 50)], "log": [(0.01, 50)], "log2": [(0.01, 50)], "log10": [(0.01, 50)], "log1p": [(-0.9, 50)],
    "log_base": [(0.01, 50), (1.5, 20)], "acosh": [(1.1, 50)], "asin": [(-0.99, 0.99)], "acos": [(-0.99, 0.99)],
    "atanh": [(-0.99, 0.99)], "fpow": [(0.1, 5), (-3, 3)], "pow": [(0.1, 5), (-3, 3)],
    "ldexp": [(-5, 5), None],
}  # fmt: skip
WITHOUT = {"erf", "erfc", "gamma", "lgamma", "polygamma", "floordiv", "sign", "rint", "floor", "ceil", "trunc", "round",
           "heaviside"}  # fmt: skip
TIES = [name for name, rule in RULES.items() if rule.kink and rule.kink.where == "True"]
OTHERS = {*WITHOUT, *TIES, *OF_SCIPY, *(() if hasattr(math, "fma") else ("fma",))}
CONTINUED = [name for name in RULES if name not in OTHERS]


@pytest.mark.parametrize("name", CONTINUED)
def test_each_function_is_accurate_at_a_tiny_imaginary_part(name):
    """A complex step of 1e-20 gives the slope of the function (mpmath), and the partial of the table, to 1e-10."""
    rule, draw = RULES[name], random.Random(name)
    function = value_of(rule, "complex")
    arity = 3 if rule.variadic else len(rule.partials)
    for _ in range(40):
        spans = POINTS.get(name, [(-5, 5)] * arity)
        point = [draw.randint(-3, 3) if span is None else draw.uniform(*span) for span in spans]
        z = value_of(rule)(*point)
        for k in range(arity):
            if name == "ldexp" and k == 1:
                continue
            moved = [complex(x, 1e-20) if j == k else x for j, x in enumerate(point)]
            value = function(*moved)
            assert value.real == pytest.approx(z, rel=1e-12, abs=1e-13)
            got = value.imag / 1e-20
            partial = table_partial(name, point, k, z)
            assert got == pytest.approx(float(slope(EXACT[name], point, k)), rel=1e-10, abs=1e-12), (name, point)
            assert got == pytest.approx(partial, rel=1e-10, abs=1e-12), (name, point)


def table_partial(name, point, k, z):
    """The partial of the table with respect to the k-th argument."""
    made = operation(name, () if RULES[name].variadic else tuple(j == k for j in range(len(point))))
    columns = [k if j == k else x for j, x in enumerate(point)]
    left, right = (tuple(columns), None) if RULES[name].variadic or len(point) > 2 else (columns[0], columns[-1])
    return made.partials(left, right, point, z)[0]


@pytest.mark.parametrize("name", TIES)
def test_at_a_tie_there_is_no_complex_step(name):
    with pytest.raises(NotAnalytic, match=f"{name} has no derivative at a tie"):
        value_of(RULES[name], "complex")(1 + 1e-20j, 1.0)


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_the_others_say_so(name):
    rule = RULES[name]
    function = value_of(rule, "complex")
    arguments = (0, 1.5)[: len(rule.partials)] if name == "polygamma" else (1.5, 1)[: len(rule.partials)]
    assert function(*arguments) == value_of(rule)(*arguments)  # real numbers pass
    with pytest.raises(NotAnalytic, match=name):
        function(*arguments[:-1], 1.5 + 1e-20j)


@pytest.mark.parametrize(
    ("name", "point"),
    [("abs", (1e-20j,)), ("fabs", (1e-20j,)), ("sqrt", (1e-20j,)), ("cbrt", (1e-20j,)), ("acosh", (1 + 1e-20j,)),
     ("asin", (1 + 1e-20j,)), ("acos", (-1 + 1e-20j,)), ("hypot", (1e-20j, 0.0)), ("atan2", (0.0, 1e-20j)),
     ("pow", (1e-20j, 0.5)), ("pow", (-2.0, 3 + 1e-20j)), ("mod", (4 + 1e-20j, 2.0)), ("fmod", (4 + 1e-20j, 2.0)),
     ("remainder", (3 + 1e-20j, 2.0)), ("copysign", (1.0, 1e-20j))],
)  # fmt: skip
def test_at_a_kink_there_is_no_complex_step(name, point):
    with pytest.raises(NotAnalytic):
        value_of(RULES[name], "complex")(*point)


@pytest.mark.parametrize("exponent", [3.0, 2.0, 101.0, 150.0, -3.0, -101.0])
def test_whole_powers_of_a_negative_number(exponent):
    got = value_of(RULES["pow"], "complex")(complex(-1.1, 1e-20), exponent)
    assert got.imag / 1e-20 == pytest.approx(exponent * (-1.1) ** (exponent - 1), rel=1e-12)


def test_powers_at_zero():
    power = value_of(RULES["pow"], "complex")
    assert power(1e-20j, 1.0).imag == 1e-20
    assert power(1e-20j, 2.0).imag == power(1e-20j, 2.5).imag == power(1e-20j, 0.0).imag == 0.0
    assert power(0.0, 2 + 1e-20j) == 0


def test_decisions_keep_their_outcome_under_a_complex_step():
    tape = Tape()
    x = Traced.input(tape, 2.0)
    y = x * x if x * x == 4.0 and x > 1 else x
    columns = tape.close()
    values = replay(columns, {x.index: complex(2.0, 1e-20)}, "complex").values
    assert values[y.index].imag == pytest.approx(4e-20)
    assert [v for v, op in zip(values, columns.ops, strict=True) if op.decision] == [True, True]


@pytest.mark.parametrize(
    ("cell", "x", "want"),
    [("y = abs(x)*2", -3.0, -2.0), ("y = x*x if x > 1 else 0.0", 2.0, 4.0), ("y = max(x, 1.0)**2", 3.0, 6.0),
     ("y = x % 2 + math.fmod(x, 1.5)", 3.25, 2.0), ("y = math.atan2(x, -2.0)", 3.0, -2 / 13),
     ("y = math.log(math.exp(-300*x))", 1.0, -300.0), ("y = math.hypot(x, 1e200)/1e200", 1e200, 0.5**0.5 / 1e200),
     ("y = math.cbrt(x)", -8.0, 1 / 12), ("y = math.log1p(x)", 1e-15, 1.0), ("y = math.expm1(x)", 1e-15, 1.0)],
)  # fmt: skip
def test_the_complex_step_is_exact(run, cell, x, want):
    found = row(run(cell, x=x).check(), "complex step")
    assert found.word == "agrees" and found.expected == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize("function", ["erf", "gamma"])
def test_one_clear_line_where_there_is_no_complex_step(run, function):
    report = run(f"y = math.{function}(x) + y0*2", x=1.7, y0=3.0).check()
    assert row(report, "complex step", "x").verdict == f"not applicable: {function} is not known for complex numbers"
    assert row(report, "complex step", "y0").word == "agrees"  # the way of this input does not pass it
    assert report.ok


def test_steps_have_no_complex_step(run):
    report = run("y = x // 2 + x", x=3.0).check()
    assert row(report, "complex step").verdict == "not applicable: floordiv is piecewise constant"


# ---- arrays, several outputs -------------------------------------------------------------------------------

VECTOR = "z = [x*y, x + y, math.sin(x), 7.0]"


def test_vector_outputs(run):
    report = run(VECTOR, x=0.7, y=1.3).check(expect={"x": "[y, 1, cos(x), 0]", "y": "(x, 1, 0, 0)"})
    assert report.ok and {r.word for r in report.rows} == {"agrees"}, report
    assert [(r.seed, r.method) for r in report.rows][:2] == [("x", "your formula"), ("x", "central differences")]


@pytest.mark.parametrize(("k", "name"), [(0, "z[0]"), (2, "z[2]"), (3, "z[3]")])
def test_the_worst_component_is_named(run, k, name):
    result = run(VECTOR, x=0.7, y=1.3)
    jacobian = {seed: slopes.copy() for seed, slopes in result.jacobian.items()}
    jacobian["x"][k] += 0.5
    made = Result(result.run, result.again)
    made.jacobian = jacobian
    report = made.check()
    assert not report.ok and report.verdicts == {"x": "differs", "y": "agrees"}
    for method in ("central differences", "complex step", "forward mode"):
        assert row(report, method, "x").note.startswith(f"{name} is the worst of 4")


def test_a_kink_in_one_component(run):
    report = run("z = [abs(x), x*x, x]", x=0.0).check()
    assert report.ok and row(report).verdict == "kink: left slope −1, right slope 1"
    assert row(report).note == "z[0] is the worst of 3"


def test_a_matrix_has_components_with_two_indices(run):
    result = run("z = [[x, x*x], [3*x, x**3]]", x=2.0)
    made = Result(result.run, result.again)
    made.jacobian = {"x": np.array([[1.0, 4.0], [3.0, 11.0]])}
    assert row(made.check()).note.startswith("z[1, 1] is the worst of 4")
    assert result.check(expect={"x": "[[1, 2*x], [3, 3*x*x]]"}).ok


def test_array_inputs_entry_by_entry(run):
    result = run("z = w[0]*w[1] + math.sin(w[2])*w[0]", w=np.array([1.5, -2.0, 0.3]))
    report = result.check(expect={"w[1]": "w[0]", "w[0]": "w[1] + sin(w[2])"})
    assert report.ok and list(report.verdicts) == ["w[0]", "w[1]", "w[2]"], report
    assert result.check(expect={"w": "[w[1] + sin(w[2]), w[0], w[0]*cos(w[2])]"}).ok
    wrong = result.grad["w"] + np.array([0.0, 0.1, 0.0])
    report = with_gradient(result, w=wrong).check()
    assert report.verdicts == {"w[0]": "agrees", "w[1]": "differs", "w[2]": "agrees"}


def test_a_matrix_as_input(run):
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    report = run("d = a[0][0]*a[1][1] - a[0][1]*a[1][0]", a=a).check(
        expect={"a": "[[a[1,1], -a[1,0]], [-a[0,1], a[0,0]]]"}
    )
    assert report.ok and list(report.verdicts) == ["a[0, 0]", "a[0, 1]", "a[1, 0]", "a[1, 1]"]
    assert words(report, "your formula") == ["agrees"] * 4


def test_of_very_many_entries_some_are_checked(run):
    report = run("z = sum([v*v for v in w])", w=np.linspace(1, 2, 1000)).check(expect={"w[501]": "2*w[501]"})
    assert report.ok and 4 <= len(report.verdicts) < 200 and "w[501]" in report.verdicts
    assert any("of 1000 entries were checked" in note for note in report.notes)
    assert [line.split()[0] for line in repr(report).splitlines() if line.startswith("w")] == ["w[…]", "w[501]"]


def test_several_outputs(run):
    result = run("a = x*x\nb = [a*y, y]", line="--of a,b", x=2.0, y=3.0)
    report = result.check(expect={"x": "[2*x, 2*x*y, 0]", "y": "[0, x*x, 1]"})
    assert report.ok, report
    made = Result(result.run, result.again)
    made.jacobian = {**result.jacobian, "b": {**result.jacobian["b"], "y": np.array([4.0, 2.0])}}
    report = made.check()
    assert report.verdicts == {"x": "agrees", "y": "differs"}
    assert row(report, "central differences", "y").note.startswith("b[1] is the worst of 3")


# ---- programs on arrays --------------------------------------------------------------------------------------

DRAW = np.random.default_rng(7)
X, Y, V = DRAW.normal(size=(3, 4)), DRAW.normal(size=4), DRAW.normal(size=5)
A = DRAW.normal(size=(3, 3)) + 3 * np.eye(3)
ON_ARRAYS = {  # cell, inputs; the complex step passes through all of these
    "by entry": ("z = np.sum(np.exp(-x*x)*np.tanh(x)/(1 + x**2) - np.sqrt(x**2 + 1))", {"x": X}),
    "functions": ("z = np.sum(np.log1p(x**2) + np.arctan(x) + np.expm1(x) + np.cbrt(x) + np.sinh(x))", {"x": V}),
    "two arguments": ("z = np.sum(np.hypot(x, y) + np.arctan2(x, y) + np.logaddexp(x, y) + x % 2)", {"x": X, "y": Y}),
    "choices": ("z = np.sum(np.maximum(x, 0.1)*2 + np.minimum(x, y) + abs(x) + np.where(x > y, x*y, x))",
                {"x": X, "y": Y}),
    "MLP": (
        "h = np.tanh(x @ w + b)\np = h @ u\nloss = np.mean((p - np.array([1., 0, 2]))**2) + 1e-2*np.sum(w*w)",
        {"w": DRAW.normal(size=(4, 5)), "b": V, "u": DRAW.normal(size=5), "x": X},
    ),
    "softmax": (
        "m = x - x.max(axis=1, keepdims=True)\nz = -np.mean((m - np.log(np.exp(m).sum(1, keepdims=True)))[:, 1])",
        {"x": X},
    ),
    "stencil in place": (
        "u = v.copy()\nfor k in range(3): u[1:-1] += 0.1*(u[2:] - 2*u[1:-1] + u[:-2])\nz = np.sum(u**3)", {"v": V},
    ),
    "the input in place": ("v[0] = v[1]*v[2]\nv *= v\nz = v.sum()", {"v": V}),
    "entries": ("z = x[0, 1]*x[1, 2]**2 + x[2] @ x[0] + x[[0, 0, 1]].sum()*x[-1, ::2].prod()", {"x": X}),
    "spread": ("z = np.std(x) + np.var(x, axis=0).sum() + np.median(x) + np.sort(x, axis=None)[2]*3", {"x": X}),
    "ends": ("z = x.max() - x.min(axis=0) @ y", {"x": X, "y": Y}),
    "linear algebra": ("z = np.linalg.solve(a, y) @ np.linalg.inv(a)[0] + np.linalg.det(a)", {"a": A, "y": Y[:3]}),
    "determinant": ("s, l = np.linalg.slogdet(-a @ a)\nz = l*2", {"a": A}),
    "Cholesky": ("z = np.sum(np.linalg.cholesky(a @ a.T + np.eye(3))**3)", {"a": A}),
    "a triangle": ("z = np.sum(np.linalg.cholesky(a @ a.T + np.eye(3) + np.triu(a, 1))**3)", {"a": A}),
    "norms": ("z = np.linalg.norm(x) + np.linalg.norm(x, axis=1).sum() + np.linalg.norm(x, 1) + np.linalg.norm(v, 3)",
              {"x": X, "v": V}),
    "softmax of SciPy": (
        "from scipy.special import *\nz = logsumexp(x, axis=1, b=w) @ softmax(x, 0)[:, 1] + log_softmax(x).std()",
        {"x": X, "w": 1 + Y**2},
    ),
    "einsum": ("z = np.einsum('ij,kj,j->', x, x, y) + np.tensordot(x, y, 1) @ np.ones(3)*np.vdot(x, x)",
               {"x": X, "y": Y}),
    "moves": ("z = np.concatenate([np.roll(v, 2), v[::-1]]) @ np.tile(v, 2) + np.trace(np.outer(v, v))", {"v": V}),
    "numbers and arrays": ("z = np.array([math.sin(s), s*s, t]) @ v[:3] + s*v.sum()", {"s": 0.7, "t": 1.3, "v": V}),
    "array of results": ("z = x * y + np.sin(x)", {"x": X[:2], "y": Y}),
    "a vector": ("z = np.cumsum(v**2)/np.arange(1., 6.)", {"v": V}),
    "real parts": ("z = np.sum(np.real(v)*np.conj(v)) + np.fft.irfft(v) @ np.arange(8.)", {"v": V}),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
@pytest.mark.parametrize("name", ON_ARRAYS)
def test_programs_on_arrays_agree(run, name, mode):
    cell, inputs = ON_ARRAYS[name]
    inputs = {key: np.copy(value) if isinstance(value, np.ndarray) else value for key, value in inputs.items()}
    report = run(cell, line=f"--mode {mode}", setup="import numpy as np", **inputs).check()
    assert report.ok and {r.word for r in report.rows} <= {"agrees", "skipped"}, report
    assert set(words(report, "complex step")) == {"agrees"}, report
    assert bool(words(report, "forward mode")) == (mode == "both")
    assert not report.notes, report.notes


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("z = np.sum(np.abs(np.fft.fft(v))**2)", "fft is of complex numbers, and a complex step starts from real ones"),
        ("z = np.sum(np.exp(1j*v).imag)", "mul gives complex numbers, and a complex step starts from real ones"),
        ("z = np.linalg.svd(v.reshape(2, 2) + np.eye(2), compute_uv=False)[0]",
         "svd conjugates complex numbers, which is not analytic"),
        ("z = np.sum(np.floor(v)*v)", "floor is piecewise constant"),
    ],
)  # fmt: skip
def test_where_arrays_have_no_complex_step(run, cell, says):
    report = run(cell, setup="import numpy as np", v=np.array([0.3, 1.5, -2.2, 0.7])).check()
    assert report.ok and set(words(report, "central differences")) == {"agrees"}, report
    assert row(report, "complex step").verdict == f"not applicable: {says}"


@pytest.mark.parametrize(
    ("cell", "left", "right"),
    [("z = np.sum(abs(v - 1.5)*2)", -2, 2), ("z = np.maximum(v, 1.5) @ np.ones(4)", 0, 1), ("z = 3*v.max()", 0, 3),
     ("z = np.where(v > 1.5, 2*v, v + 1.5).sum()", 1, 2), ("z = np.sort(v) @ np.arange(4.)", 2, 3),
     ("z = np.linalg.norm(v.reshape(2, 2) - np.array([[0, 1.5], [-2, 1.5]]), axis=1).sum()", -1, 1)],
)  # fmt: skip
def test_a_kink_in_one_entry_excuses_no_other(run, cell, left, right):
    result = run(cell, setup="import numpy as np", v=np.array([0.0, 1.5, -2.2, 1.5]))
    report = result.check()
    slopes = re.fullmatch(r"kink: left slope (\S+), right slope (\S+)", row(report, seed="v[1]").verdict)
    assert report.ok and [float(s.replace("−", "-")) for s in slopes.groups()] == pytest.approx([left, right], abs=1e-6)
    assert row(report, seed="v[2]").word == "agrees"
    wrong = with_gradient(result, v=result.grad["v"] + np.array([0, 0, 0.5, 0])).check()
    assert not wrong.ok and row(wrong, seed="v[2]").word == "differs"


def test_a_wrong_rule_of_an_array_differs(run, monkeypatch):
    """The reverse rule of sinh by entry loses a factor in one entry."""
    from ad_magic.engine.arrays.operation import entry_operation

    spoilt = entry_operation("sinh", (True,), False)
    right, factor = spoilt.pull, np.array([1.0, 0.5, 1.0])
    monkeypatch.setattr(spoilt, "pull", lambda adjoints, g, *rest: right(adjoints, g * factor, *rest))
    report = run("z = np.sum(np.sinh(v)*v)", setup="import numpy as np", v=np.array([0.3, 0.5, 0.7])).check()
    assert report.verdicts == {"v[0]": "agrees", "v[1]": "differs", "v[2]": "agrees"}
    for method in ("central differences", "complex step", "forward mode"):
        assert row(report, method, "v[1]").word == "differs"


def test_the_worst_entry_of_an_array_is_named(run):
    result = run("z = np.outer(x, y)*x[:, None]", setup="import numpy as np", x=np.array([1.0, 2]), y=np.ones(3))
    made = Result(result.run, result.again)
    made.jacobian = {name: slopes.copy() for name, slopes in result.jacobian.items()}
    made.jacobian["x"][1, 2, 1] += 0.5
    report = made.check()
    assert [seed for seed, verdict in report.verdicts.items() if verdict == "differs"] == ["x[1]"]
    for method in ("central differences", "complex step", "forward mode"):
        assert row(report, method, "x[1]").note == "z[1, 2] is the worst of 6"


def test_of_a_large_jacobian_some_entries_are_checked(run):
    report = run("z = np.sin(x)[:, None]*np.cos(x)", setup="import numpy as np", x=np.linspace(0, 1, 40)).check()
    assert report.ok and 4 <= len(report.verdicts) < 40
    assert "100 of 1600 entries of the output were checked, evenly spread." in report.notes


def test_a_name_for_a_part_of_an_input(run):
    """What was a view of the array before the cell is one in every run of it."""
    setup = "import numpy as np\nw = np.arange(6.).reshape(2, 3)\nlast = w[1]"
    result = run("last[0] = w[0, 1]*w[1, 1]\nz = np.sum(last*last) + np.sum(w*w)", setup=setup, line="w")
    report = result.check()
    assert report.ok and set(report.verdicts.values()) == {"agrees"}, report
    assert result.grad["w"].tolist() == [[0, 66, 4], [0, 32, 20]]  # 4 w01 w11² + 2 w01, …


def test_a_generator_of_random_numbers_is_left_alone(run, loaded):
    report = run("z = np.sum(x*g.normal(size=3))", setup="import numpy as np\ng = np.random.default_rng(3)",
                 x=np.ones(3)).check()  # fmt: skip
    own = np.random.default_rng(3)
    own.normal(size=3)
    assert loaded.user_ns["g"].normal() == own.normal()
    assert report.ok and "random numbers" in report.notes[0]


def test_formulas_of_arrays(run):
    result = run("z = np.sum(np.sin(x)*k)", setup="import numpy as np", x=np.array([[0.1, 0.2], [0.3, 0.4]]), k=2.0)
    assert result.check(expect={"x": "k*cos(x)", "k": "np.sum(sin(x))"}).ok
    assert result.check(expect={"x": "2*np.cos(x)", "x[0, 1]": "2*cos(0.2)"}).ok
    assert not result.check(expect={"x": "k*sin(x)"}).ok
    assert run("z = np.sum(x)", x=np.ones(3)).check(expect={"x": "1"}).ok  # one number for all of them
    squares = run("z = x*x", x=np.array([1.0, 2, 3]))
    assert squares.check(expect={"x": "np.diag(2*x)"}).ok
    with pytest.raises(ValueError, match=r"the derivative has 9 numbers; of a function by entry it is np\.diag"):
        squares.check(expect={"x": "2*x"})


# ---- formulas ----------------------------------------------------------------------------------------------


def test_names_in_a_formula(run):
    result = run("z = a*math.sin(x)", setup="a = 4.0\ndef slope_of(t): return a*math.cos(t)", x=0.5)
    assert result.check(expect={"x": "slope_of(x)"}).ok
    assert result.check(expect={"x": "a*cos(x)"}).ok
    assert result.check(expect={"x": "a*math.cos(x)"}).ok
    assert result.check(expect={"x": "sum([a*cos(t) for t in [x]])"}).ok
    assert result.check(expect={"x": 4 * math.cos(0.5)}).ok


def test_a_name_of_the_user_comes_before_math():
    assert evaluate("x", "e*x", {"x": 2.0}, {"e": 10.0}) == [20.0]
    assert evaluate("x", "e", {}, {}) == [math.e]
    assert evaluate("e", "e", {"e": 3.0}, {"e": 10.0}) == [3.0]


def test_the_inputs_have_the_values_they_had(run):
    """Also where the cell assigns their names."""
    assert run("x = x*x\nz = 3*x", x=2.0).check(expect={"x": "6*x"}).ok


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("2*(x", "the formula for x is not a Python expression"),
        ("x = 3", "the formula for x is not a Python expression"),
        ("", "the formula for x is not a Python expression"),
        ("x\0", "the formula for x is not a Python expression"),
        ("2*x*sinn(x)", "unknown name 'sinn'; did you mean 'sin'?"),
        ("2*qqqqqq", "unknown name 'qqqqqq'"),
        ("1/0", "raises ZeroDivisionError"),
        ("sqrt(-1)", "raises ValueError"),
        ("[1, 2]", "gives 2 numbers; the derivative has 1 number"),
        ("'text'", "gives a str, not a real number"),
        ("None", "gives None, not a real number"),
        ("1j*x", "gives a complex, not a real number"),
        ("sin", "not a real number"),
    ],
)
def test_a_formula_that_does_not_work_is_one_sentence(run, formula, says):
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        run("z = x*x", x=3.0).check(expect={"x": formula})
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, FormulaError)


def test_a_formula_for_something_that_is_no_input(run):
    with pytest.raises(ValueError, match="no input 'q'"):
        run("z = x*x", x=3.0).check(expect={"q": "1"})


# ---- the cell is run again, and nobody notices -------------------------------------------------------------


def test_the_check_leaves_no_trace(run, loaded, capsys):
    setup = "history = []\nbox = {'n': 0}\nimport random\nrandom.seed(3)"
    result = run("history.append(x)\nprint('hello')\nt = x*x\nz = t*y", setup=setup, x=2.0, y=3.0)
    before = {name: value for name, value in loaded.user_ns.items() if not name.startswith("_")}
    state = random.getstate()
    capsys.readouterr()
    assert result.check().ok
    assert capsys.readouterr() == ("", "")
    after = {name: value for name, value in loaded.user_ns.items() if not name.startswith("_")}
    assert list(after) == list(before) and all(after[name] is before[name] for name in before)
    assert after["history"] == [2.0] and random.getstate() == state


def test_a_cell_that_changes_what_an_earlier_one_made(run, loaded):
    setup = "class Counter:\n    n = 0\ncounter = Counter()\narray = __import__('numpy').zeros(2)"
    result = run("counter.n += 1\narray[0] += 1\nz = x*x*counter.n", setup=setup, x=3.0)
    report = result.check()
    assert report.ok and loaded.user_ns["counter"].n == 1 and loaded.user_ns["array"][0] == 1
    assert "Run again, the cell gives 18 instead of 9" in report.notes[0]


def test_random_numbers(run):
    report = run("import random\nz = x*x*random.random()", x=3.0).check()
    assert report.ok and words(report, "central differences") == ["agrees"]
    assert "random numbers" in report.notes[0] and "random numbers" in repr(report)


def test_a_result_without_a_cell_replays_its_operations(run):
    bare = Result(run("print(f'{x:.3f}')\nz = x*x*y if x > 1 else y", x=3.0, y=2.0).run)
    report = bare.check(expect={"x": "2*x*y"})
    assert report.ok and words(report, "central differences") == ["agrees", "agrees"]
    assert not with_gradient(bare, x=1.0).check().ok


def test_an_int_that_is_needed_as_one(run):
    """The input is a float in a plain run."""
    report = run("z = x**2 + y*len('abc')", x=3, y=2).check()
    assert report.ok


def test_the_trailing_expression(run):
    assert run("t = x*x\n3*t", x=2.0).check(expect={"x": "6*x"}).ok
    assert run("t = x*x\nprint(t)", x=2.0).check(expect={"x": "2*x"}).ok
    assert run("(x*x, x)", x=2.0).check(expect={"x": "(2*x, 1)"}).ok


def test_an_error_while_the_cell_is_run_again(run):
    setup = "runs = iter([1])"
    report = run("next(runs)\nz = x*x", setup=setup, x=2.0).check()
    assert report.ok and "Run again with plain numbers, the cell raises StopIteration" in report.notes[0]


def test_a_long_run_in_forward_mode(run):
    cell = "t = x\nfor k in range(15_000): t = t + 1e-5*t*1.0\nt"
    report = run(cell, line="--mode forward", x=1.0).check()
    assert report.ok and words(report, "central differences") == ["agrees"]
    assert "keeps no tape" in row(report, "complex step").verdict


# ---- the report --------------------------------------------------------------------------------------------


def test_the_faces_of_a_report(run):
    report = run("z = abs(x) + y", x=0.0, y=1.0).check(expect={"y": "1"})
    assert isinstance(report, CheckReport)
    bundle = report._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == repr(report)
    lines = repr(report).splitlines()
    assert lines[0].startswith("✓ z at x = 0, y = 1: ") and "a kink in x" in lines[0]
    assert lines[2].split() == ["input", "against", "independent", "ad_magic", "relative", "error", "verdict"]
    assert all(len(line) < 140 for line in lines)
    html = bundle["text/html"]
    assert html.startswith('<div class="ad-report">') and html.count("<tr") == len(report.rows) + 1
    assert "--ad-text" in html and "<script" not in html
    assert report.to_markdown().count("\n|") == len(report.rows) + 2


def test_nothing_of_the_user_is_html(run):
    result = run("'<img src=x onerror=alert(1)>' and x*x", x=2.0)
    report = result.check()
    assert "<img" not in report.to_html() and "&lt;img" in report.to_html()


def test_rows_are_plain_data(run):
    found = row(run("z = x*x", x=2.0).check(), "complex step")
    assert (found.seed, found.method, found.got, found.verdict, found.note) == ("x", "complex step", 4.0, "agrees", "")
    assert found.expected == pytest.approx(4.0) and found.relative_error < 1e-12


# ---- through the magic -------------------------------------------------------------------------------------


def say(shell, cell, capsys):
    capsys.readouterr()
    shell.run_cell(cell, store_history=True)
    out, err = capsys.readouterr()
    return out + err


def test_the_lecture_s_check(loaded, capsys):
    text = say(
        loaded,
        '%%gradcheck x=2.0 y=3.0 --expect "x=2*(x+2*y)*sin(x*y) + y*cos(x*y)*(x+2*y)**2"\n'
        "import math\nz = (x + 2*y)**2 * math.sin(x*y)",
        capsys,
    )
    assert text.startswith("✓ z at x = 2, y = 3: all 7 comparisons agree\n")
    assert text.count("179.88204") == 8 and text.count("113.9605007") == 6


def test_a_wrong_formula_in_the_magic(loaded, capsys):
    text = say(loaded, '%%gradcheck x=2.0 --expect "x=x"\nz = x*x', capsys)
    assert text.startswith("✗ z at x = 2: your formula for x differs; 3 comparisons agree")


@pytest.mark.parametrize("formula", ["x=2*(x", "x=2*y0y", "x=", "q=1", "x=[1,2]"])
def test_a_mistake_in_the_magic_is_one_line(loaded, capsys, formula):
    text = say(loaded, f'%%gradcheck x=2.0 --expect "{formula}"\nz = x*x', capsys)
    assert text.startswith("UsageError: ") and text.strip().count("\n") == 0


def test_the_check_of_a_stored_result(loaded, capsys):
    say(loaded, "%%grad x=2.0 -o r -q\nz = x**3", capsys)
    assert "all 3 comparisons agree" in say(loaded, "r.check()", capsys)
    assert say(loaded, "assert r.check()", capsys) == ""


def test_an_expression_on_one_line(loaded, capsys):
    say(loaded, "x = 3.0", capsys)
    assert "✓" in say(loaded, "%gradcheck x**2 + 1", capsys)
