"""PROGRAMS: the functions that JavaScript lacks, run under Node, against mpmath and against Python's own functions.

One Node process answers for all of them. Without Node the tests skip; with
REQUIRE_NODE=1 they fail.
"""

from __future__ import annotations

import itertools
import json
import math
import operator
import os
import random
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import EXACT, close, mp, swept
from test_special import EXACT as SPECIAL

from ad_magic.codegen.jslibrary import DIRECT, KNOWN, source_of
from ad_magic.rules import RULES, names_in
from ad_magic.rules.number import CONSTANTS, PLAIN
from ad_magic.rules.special import ROWS, SEVERAL

NODE = shutil.which("node")
inf, nan = math.inf, math.nan

# Answers one line of JSON, [name, [arguments, …]], with one line: the values. JSON has no infinities: they are texts.
SERVER = """
const read = (x) => (Array.isArray(x) ? x.map(read) : typeof x === "string" ? Number(x) : x);
const write = (x) => (Array.isArray(x) ? x.map(write) : Object.is(x, -0) ? "-0" : String(x));
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [name, points] = JSON.parse(line);
  console.log(JSON.stringify(points.map((point) => write(KNOWN[name](...read(point))))));
});
"""


class Node:
    """A Node process that knows the functions: `node(name, points)` gives their values at the points."""

    def __init__(self) -> None:
        # each with what it needs and nothing else, as in a program that uses it alone
        alone = (f"{name}: (() => {{ {source_of([name])}\nreturn {DIRECT.get(name, name)}; }})()" for name in KNOWN)
        source = f'"use strict";\nconst KNOWN = {{ {", ".join(alone)} }};\n{SERVER}'
        self.process = subprocess.Popen([NODE, "-e", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, name, points):
        self.process.stdin.write(json.dumps([name, _texts(list(map(list, points)))]) + "\n")
        self.process.stdin.flush()
        return _numbers(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=10)


def _texts(x):
    return [_texts(y) for y in x] if isinstance(x, list) else repr(float(x)).replace("inf", "Infinity")


def _numbers(x):
    return [_numbers(y) for y in x] if isinstance(x, list) else float(x)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    if NODE is None:
        refuse = pytest.fail if os.environ.get("REQUIRE_NODE") == "1" else pytest.skip
        refuse("not found: node")
    node = Node()
    yield node
    node.close()


# ---- values, against mpmath -------------------------------------------------------------------------

REAL = {
    **EXACT,
    **SPECIAL,
    "log": lambda a, *base: mp.log(a) / mp.log(*base) if base else mp.log(a),
    "sech2": lambda a, z: mp.sech(a) ** 2,
    "sinc": lambda a: mp.sinc(mp.pi * a),
    "sinpi": mp.sinpi,
}


# A domain draws an argument from a generator of random numbers.


def spread(low, high):
    """Numbers of all sizes."""
    return lambda draw: math.exp(draw.uniform(math.log(low), math.log(high)))


def signed(low, high):
    return lambda draw: draw.choice((-1, 1)) * spread(low, high)(draw)


def beside(x, low, high):
    return lambda draw: x + signed(low, high)(draw)


def whole(low, high):
    return lambda draw: float(draw.randint(low, high))


def one_of(*domains):
    return lambda draw: draw.choice(domains)(draw)


def minus(domain):
    return lambda draw: -domain(draw)


_real, _positive, _small = signed(1e-9, 1e3), spread(1e-9, 1e3), signed(1e-9, 5)
_unit = one_of(spread(1e-9, 1), lambda draw: draw.uniform(0.0, 1.0))

DOMAINS = {
    **dict.fromkeys(("exp2", "sech2", "exprel", "log_expit", "expit", "degrees", "radians"), (signed(1e-9, 300),)),
    **dict.fromkeys(("sinc", "sinpi", "cosm1"), (_real,)),
    **dict.fromkeys(("logaddexp", "logaddexp2"), (_real, _real)),
    "sech2": (signed(1e-9, 300), whole(0, 0)),
    "exp10": (signed(1e-9, 300),),
    "fma": (_real, _real, _real),
    "pow": (_positive, signed(1e-9, 30)),
    "log": (spread(1e-300, 1e300), spread(1.1, 1e9)),
    "logit": (_unit,),
    "powm1": (one_of(spread(1e-3, 1e3), beside(1, 1e-9, 0.1)), signed(1e-6, 50)),
    **dict.fromkeys(("xlogy", "rel_entr", "kl_div"), (_positive, _positive)),
    "xlog1py": (_real, _positive),
    "entr": (spread(1e-300, 1e30),),
    **dict.fromkeys(("huber", "pseudo_huber"), (_positive, _real)),
    "boxcox": (_positive, _small),
    "boxcox1p": (_positive, _small),
    "inv_boxcox": (_positive, spread(1e-3, 10)),
    "inv_boxcox1p": (_positive, spread(1e-3, 10)),
    "erf": (signed(1e-9, 7),),
    "erfc": (signed(1e-9, 26),),
    "erfcx": (one_of(signed(1e-9, 26), spread(1, 1e9)),),
    "ndtr": (signed(1e-9, 37),),
    "log_ndtr": (one_of(signed(1e-9, 37), minus(spread(1, 1e3))),),
    **dict.fromkeys(("gamma", "rgamma"), (one_of(signed(1e-9, 170), beside(-3, 1e-9, 0.1)),)),
    **dict.fromkeys(
        ("lgamma", "gammaln"), (one_of(spread(1e-9, 1e9), signed(1e-6, 100), beside(1, 1e-9, 1), beside(2, 1e-9, 1)),)
    ),
    "loggamma": (spread(1e-9, 1e9),),
    "digamma": (one_of(signed(1e-6, 100), spread(1, 1e9)),),
    "polygamma": (whole(0, 10), one_of(signed(1e-3, 10), spread(1, 1e3))),
}

# Parts of the others, tried with them.
INNER = ("halves", "stirling", "lgamma2", "cotangent", "BERNOULLI", "ZETA_TAIL")

# The size of the terms that cancel where a value crosses zero (elsewhere than at zero): an error is small beside it.
SIZES = {
    **dict.fromkeys(("sinc", "sinpi", "cosm1", "logaddexp", "logaddexp2", "fma", "log"), 1),
    **dict.fromkeys(("xlogy", "xlog1py", "rel_entr", "kl_div", "entr", "powm1"), 1),
    **dict.fromkeys(("lgamma", "gammaln", "digamma", "polygamma"), 1),
}

POINTS = 6 * swept.max_examples


def exactly(name, point):
    """The value in as many digits as it takes; NaN at a pole."""
    for digits in (60, 700):
        with mp.workdps(digits):
            try:
                value = mp.re(REAL[name](*map(mp.mpf, point)))
            except (ValueError, ZeroDivisionError):
                return mp.nan
        if abs(value) > 1e-20:
            break
    return value


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_values(node, name):
    draw = random.Random(name)
    points = [tuple(domain(draw) for domain in DOMAINS[name]) for _ in range(POINTS)]
    tried = 0
    for point, got in zip(points, node(name, points), strict=True):
        want = exactly(name, point)
        if mp.isfinite(want):
            assert close(got, want, 1e-12, SIZES.get(name, 0)), (point, got, float(want))
            tried += 1
    assert tried > 0.8 * POINTS


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
DIGITS = (0, 1, 2, 3, 5, 10, 30, -1, -2, -3, -400, 1020, -1074)


def arguments(name):
    """Every point to try."""
    if name in ("round", "ldexp"):
        eighths = [k / 8 for k in range(-30, 30)] + [5.0, 15.0, 25.0, 1250.0, -150.0]
        return itertools.product((*NUMBERS, *eighths), DIGITS)
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
    tried = {*DOMAINS, *PYTHONS, *LISTS, *DIRECT, *CONSTANTS, *INNER}
    assert tried >= KNOWN
    assert KNOWN | RULES.keys() >= tried


def test_the_names_of_the_table_are_known():
    used = {
        name
        for rule in RULES.values()
        for text in (rule.value, *rule.partials, rule.given_b or "0")
        for name in names_in(text)
    }
    unknown = used - KNOWN - {"a", "b", "c", "z", "x", "n"}
    assert unknown <= ROWS | SEVERAL.keys(), "of those that need no SciPy all are there"


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
