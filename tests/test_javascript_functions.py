"""PROGRAMS: the functions that JavaScript lacks, run under Node, against mpmath and against Python's own functions.

One Node process answers for all points. Without Node the tests skip; with REQUIRE_NODE=1 they fail.
"""

from __future__ import annotations

import itertools
import math
import operator
import random
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from javascript_domains import CONDITIONED, DIGITS, DOMAINS, FEW, MAY_REFUSE, REAL, SIZES
from javascript_node import NODE, Node, need_node
from oracles import close, mp, swept

from ad_magic.codegen.jslibrary import DIRECT, KNOWN, source_of
from ad_magic.rules import RULES, names_in
from ad_magic.rules.number import CONSTANTS, PLAIN
from ad_magic.rules.special import SEVERAL

inf, nan = math.inf, math.nan


@pytest.fixture(scope="module")
def node(tmp_path_factory) -> Iterator[Node]:
    need_node()
    node = Node(tmp_path_factory.mktemp("node"))
    yield node
    node.close()


# ---- values, against mpmath --------------------------------------------------------------------------

POINTS = 10 * swept.max_examples
PARTS = {row: (name, k) for name, rows in SEVERAL.items() for k, row in enumerate(rows)}


def exactly(name, point):
    """The value, of 40 digits or more; NaN at a pole."""
    with mp.workdps(DIGITS.get(name, 40)):
        try:
            return mp.re(REAL[name](*map(mp.mpf, point)))
        except (ValueError, ZeroDivisionError):
            return mp.nan


def slack(name, point, want):
    """How much the value moves with the last digit of an argument."""
    moved = ((*point[:k], math.nextafter(x, inf), *point[k + 1 :]) for k, x in enumerate(point))
    return sum(abs(exactly(name, other) - want) for other in moved)


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_values(node, name):
    draw = random.Random(name)
    points = [tuple(domain(draw) for domain in DOMAINS[name]) for _ in range(POINTS // 4 if name in FEW else POINTS)]
    function, part = PARTS.get(name, (name, None))
    tried = 0
    for point, got in zip(points, node(function, points), strict=True):
        got = got if part is None else got[part]
        want = exactly(name, point)
        if not mp.isfinite(want) or (name in MAY_REFUSE and math.isnan(got)):
            continue
        tried += 1
        size = SIZES.get(name, 0)
        if not close(got, want, 1e-12, size(*point) if callable(size) else size):
            assert name in CONDITIONED, (point, got, float(want))
            assert abs(got - want) < 4 * slack(name, point, want), (point, got, float(want))
    assert tried > 0.8 * len(points)


# ---- values, the same as Python's ----------------------------------------------------------------------

NUMBERS = (
    0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1.0, -1.0, 3.0, -3.0, 0.1, -0.1, 0.3, 7.5, -7.25, 2.675, 123456.789,
    0.49999999999999994, 1e16, 1e300, -1e300, 5e-324, inf, -inf, nan,
)  # fmt: skip
PYTHONS = {
    "mod": operator.mod,
    "floordiv": operator.floordiv,
    "round": round,
    **{name: PLAIN[name] for name in ("fmod", "remainder", "copysign", "sign", "rint", "heaviside", "ldexp", "fabs")},
    **{name: PLAIN[name] for name in ("maximum", "minimum", "fmax", "fmin", "floor", "ceil", "trunc")},
}
PLACES = (0, 1, 2, 3, 5, 10, 30, -1, -2, -3, -400, 1020, -1074)


def arguments(name):
    """Every point to try."""
    if name in ("round", "ldexp"):
        eighths = [k / 8 for k in range(-30, 30)] + [5.0, 15.0, 25.0, 1250.0, -150.0]
        return itertools.product((*NUMBERS, *eighths), PLACES)
    return itertools.product(NUMBERS, repeat=len(RULES[name].arguments))


@pytest.mark.parametrize("name", sorted(PYTHONS))
def test_the_same_as_python(node, name):
    points = list(arguments(name))
    tried = 0
    for point, got in zip(points, node(name, points), strict=True):
        try:
            want = float(PYTHONS[name](*point))
        except (ArithmeticError, ValueError):  # where Python raises, anything honest will do
            continue
        same = got == want and math.copysign(1, got) == math.copysign(1, want)
        if name in ("round", "floor", "ceil", "trunc") and got == want == 0:  # Python's whole numbers have no -0
            same = True
        assert same or (got != got and want != want), (point, got, want)
        tried += 1
    assert tried > len(points) / 3


LISTS = ("fsum", "sum", "max", "min", "prod", "dist")
_floats = st.floats(allow_nan=False, allow_infinity=False, width=32)


@swept
@given(st.lists(_floats, min_size=1, max_size=30), st.lists(_floats, min_size=1, max_size=5))
def test_lists(node, a, b):
    a += [-x * (1 + 2**-40) for x in a[::2]]
    for name, python in (("fsum", math.fsum), ("max", max), ("min", min), ("prod", math.prod)):
        assert node(name, [(a,), (b,)]) == [python(a), python(b)]
    assert close(node("sum", [(a,)])[0], math.fsum(a), 1e-12, 1e-30 * sum(map(abs, a)))
    assert close(node("dist", [(b, b[::-1])])[0], math.dist(b, b[::-1]), 1e-15)


def test_a_power_means_what_python_means(node):
    points = [(1.0, nan), (-1.0, inf), (-1.0, -inf), (nan, 0.0), (-8.0, 3.0), (0.0, 0.0), (2.0, -1074.0)]
    assert node("pow", points) == [math.pow(*point) for point in points]


SINGULAR = {
    "gamma": [(0.0, inf), (-0.0, -inf), (-1.0, nan), (172.0, inf), (inf, inf), (-171.5, 0.0)],
    "lgamma": [(0.0, inf), (-2.0, inf), (inf, inf), (-inf, inf)],
    "rgamma": [(0.0, 0.0), (-3.0, 0.0), (inf, 0.0)],
    "digamma": [(0.0, -inf), (-1.0, nan)],
    "erf": [(inf, 1.0), (-inf, -1.0)],
    "erfc": [(inf, 0.0), (-inf, 2.0)],
    "erfcx": [(inf, 0.0), (-inf, inf)],
    "log": [(0.0, -inf), (-1.0, nan)],
    "logit": [(0.0, -inf), (1.0, inf), (2.0, nan)],
    "expit": [(inf, 1.0), (-inf, 0.0)],
    "log_expit": [(inf, 0.0), (-inf, -inf)],
    "exprel": [(0.0, 1.0), (inf, inf), (-inf, 0.0), (712.0, mp.exp(712) / 712)],
    "entr": [(0.0, 0.0), (-1.0, -inf)],
    "log_ndtr": [(-inf, -inf), (inf, 0.0)],
}


@pytest.mark.parametrize("name", sorted(SINGULAR))
def test_singular_points(node, name):
    points, want = zip(*SINGULAR[name], strict=True)
    assert all(map(close, node(name, [(x,) for x in points]), want, [1e-12] * len(want)))
    assert math.isnan(node(name, [(nan,)])[0])


# ---- the library ------------------------------------------------------------------------------------------


def test_every_function_is_tried():
    tried = {*DOMAINS, *PYTHONS, *LISTS, *DIRECT, *CONSTANTS} - PARTS.keys() | SEVERAL.keys()
    inner = KNOWN - tried  # parts of the others, tried with them
    assert all(any(name in source_of([other]) for other in tried) for name in inner)
    assert inner.isdisjoint(PLAIN)
    assert tried <= KNOWN


def test_the_names_of_the_table_are_known():
    used = {
        name
        for rule in RULES.values()
        for text in (rule.value, *rule.partials, rule.given_b or "0")
        for name in names_in(text)
    }
    assert used - KNOWN == {"a", "b", "c", "z", "x", "n"}


def test_a_program_takes_what_it_needs():
    assert source_of(["sin", "PI"]) == ""
    assert source_of(["mod"]).count("\n") < 12
    assert "polygamma" not in source_of(["gamma"])
    assert "//" not in source_of(KNOWN)
    assert source_of(["erf", "erfc"]) == source_of(["erfc", "erf", "erf"])


def test_constants(node):
    assert {name for name in CONSTANTS if name not in KNOWN} == set()
    source = "; ".join(f"console.log({DIRECT.get(name, name)})" for name in CONSTANTS)
    out = subprocess.run([NODE, "-e", source_of(CONSTANTS) + ";" + source], capture_output=True, text=True, check=True)
    got = [float(text.replace("Infinity", "inf")) for text in out.stdout.split()]
    assert got == pytest.approx(list(CONSTANTS.values()), rel=1e-15)
