"""NUMBERS: the stand-ins for math, cmath, statistics, max, min, sum and lru_cache."""

from __future__ import annotations

import cmath
import functools
import inspect
import itertools
import math
import operator
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import close, curvature, mp, slope, swept

from ad_magic.engine.active import LostDerivative, primal
from ad_magic.engine.complexes import CMATH, Complex, plain_complex
from ad_magic.engine.dual import Directions, Dual
from ad_magic.engine.functions import MATH
from ad_magic.engine.library import BUILTINS, MODULES, Memo
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import LOCATED, Tape, reverse_sweep
from ad_magic.engine.traced import Traced


def both(program, *point):
    """(value, gradient) of a program of active numbers; forward and reverse must agree."""
    tape = Tape(limit=0)
    seeds = [Directions(float(j == k) for j in range(len(point))) for k in range(len(point))]
    z = program(*(Dual.input(tape, x, s) for x, s in zip(point, seeds, strict=True)))
    if type(z) is not Dual:  # a constant
        return z, [0.0] * len(point)
    forward = list(z.tangent) if isinstance(z.tangent, tuple) else [0.0] * len(point)
    tape = Tape()
    numbers = [Traced.input(tape, x) for x in point]
    w = program(*numbers)
    adjoints = reverse_sweep(tape.close(), {w.index: 1.0})
    assert w.value == z.value
    reverse = [adjoints[x.index] for x in numbers]
    assert forward == pytest.approx(reverse, rel=1e-14, abs=1e-300, nan_ok=True)
    return z.value, reverse


# ---- math, for plain numbers ---------------------------------------------------------------------

ONE = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "degrees",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "gamma",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "radians",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "isfinite",
    "isinf",
    "isnan",
    "modf",
    "frexp",
    "ulp",
]
TWO = ["atan2", "copysign", "fmod", "pow", "remainder", "hypot", "log", "isclose", "nextafter"]
WHOLE = ["isqrt", "factorial", "comb", "perm", "gcd", "lcm"]
LISTS = ["fsum", "prod"]
NUMBERS = [
    0.0,
    -0.0,
    0.5,
    1.0,
    -1.0,
    2.5,
    -3.7,
    1e-300,
    1e300,
    math.inf,
    -math.inf,
    math.nan,
    0,
    1,
    -2,
    7,
    10**20,
    10**400,
    True,
    np.float64(0.3),
    np.float64(-2.0),
    np.float32(0.1),
    np.int64(4),
    Fraction(1, 3),
]


def outcome(function, *args, **options):
    """What a call gives, in a form that compares NaN, signed zeros, types and errors."""
    try:
        z = function(*args, **options)
    except Exception as error:
        return type(error), str(error)
    return repr(z), type(z)


def test_every_function_of_math_has_a_stand_in_or_needs_none():
    names = {n for n, f in vars(math).items() if callable(f) and not n.startswith("_")}
    assert set(MATH) <= names
    assert names - set(MATH) == {"floor", "ceil", "trunc"}  # math itself asks the number for these
    covered = {*ONE, *TWO, *WHOLE, *LISTS, "dist", "ldexp", "sumprod", "fma", "cbrt", "exp2"}
    assert set(MATH) <= covered


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_number_are_those_of_math(name):
    for x in NUMBERS:
        assert outcome(MATH[name], x) == outcome(getattr(math, name), x), x


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_numbers_are_those_of_math(name):
    for x, y in itertools.product(NUMBERS, repeat=2):
        assert outcome(MATH[name], x, y) == outcome(getattr(math, name), x, y), (x, y)


@pytest.mark.parametrize("name", WHOLE)
def test_functions_of_whole_numbers_are_those_of_math(name):
    arguments = [(), (5,), (12, 18), (10, 3), (7, 0), (-1,), (2.5,), ("4",), (5, 2, 3)]
    for args in arguments:
        assert outcome(MATH[name], *args) == outcome(getattr(math, name), *args), args


def test_functions_of_lists_are_those_of_math():
    for numbers in (
        [],
        [1.0],
        [0.1] * 10,
        [1e300, 1.0, -1e300],
        [1, 2, 3],
        [math.inf, -math.inf],
        [True, 2.5],
        ["1"],
        [np.float64(0.1), 2],
        [Fraction(1, 3), 2],
    ):
        assert outcome(MATH["fsum"], numbers) == outcome(math.fsum, numbers)
        assert outcome(MATH["fsum"], iter(numbers)) == outcome(math.fsum, iter(numbers))
        assert outcome(MATH["prod"], numbers) == outcome(math.prod, numbers)
        assert outcome(MATH["prod"], numbers, start=2.5) == outcome(math.prod, numbers, start=2.5)
        assert outcome(MATH["hypot"], *numbers) == outcome(math.hypot, *numbers)
        assert outcome(MATH["dist"], numbers, numbers) == outcome(math.dist, numbers, numbers)
        assert outcome(MATH["dist"], numbers, [1.0]) == outcome(math.dist, numbers, [1.0])
    assert outcome(MATH["fsum"], 3.0) == outcome(math.fsum, 3.0)
    assert outcome(MATH["isclose"], 1.0, 1.1, rel_tol=0.2) == outcome(math.isclose, 1.0, 1.1, rel_tol=0.2)
    assert outcome(MATH["isclose"], 1.0, 1.1, abs_tol=-1) == outcome(math.isclose, 1.0, 1.1, abs_tol=-1)
    assert outcome(MATH["ldexp"], 0.75, 4) == outcome(math.ldexp, 0.75, 4)
    assert outcome(MATH["ldexp"], 0.75, 4.0) == outcome(math.ldexp, 0.75, 4.0)
    assert outcome(MATH["ldexp"], 0.75, 10**6) == outcome(math.ldexp, 0.75, 10**6)


@pytest.mark.parametrize("name", [*ONE, *TWO])
@pytest.mark.parametrize("bad", ["1", None, [1.0], 1j, object()], ids=lambda x: type(x).__name__)
def test_bad_arguments_raise_what_math_raises(name, bad):
    args = (bad, 1.0) if name in TWO and name != "log" else (bad,)

    def message(function):
        return outcome(function, *args)

    assert message(MATH[name]) == message(getattr(math, name))


@pytest.mark.parametrize("name", sorted(MATH))
def test_the_wrong_number_of_arguments_is_a_type_error(name):
    for args in ((), (1.0,) * 7):
        if outcome(getattr(math, name), *args)[0] is TypeError:
            assert outcome(MATH[name], *args)[0] is TypeError


@pytest.mark.parametrize("name", sorted(MATH))
def test_a_stand_in_looks_like_the_function(name):
    assert MATH[name].__name__ == name
    assert MATH[name].__doc__ == getattr(math, name).__doc__
    assert MATH[name].__module__ == "math"


# ---- math, for active numbers --------------------------------------------------------------------

gamma = mp.gamma
ACTIVE = {  # name -> (program of active numbers, the same in mpmath, point)
    **{
        n: (MATH[n], getattr(mp, n), (0.4,))
        for n in (
            "acos",
            "asin",
            "asinh",
            "atan",
            "atanh",
            "cos",
            "cosh",
            "degrees",
            "erf",
            "erfc",
            "exp",
            "expm1",
            "gamma",
            "radians",
            "sin",
            "sinh",
            "sqrt",
            "tan",
            "tanh",
        )
    },
    "acosh": (MATH["acosh"], mp.acosh, (1.7,)),
    "cbrt": (MATH["cbrt"], lambda x: -mp.cbrt(-x), (-2.0,)),
    "exp2": (MATH["exp2"], lambda x: mp.mpf(2) ** x, (1.3,)),
    "fabs": (MATH["fabs"], abs, (-2.0,)),
    "lgamma": (MATH["lgamma"], lambda x: mp.log(abs(gamma(x))), (-2.3,)),
    "log": (MATH["log"], mp.log, (2.2,)),
    "log, two": (MATH["log"], lambda x, b: mp.log(x) / mp.log(b), (2.2, 3.3)),
    "log, base 2": (lambda x: MATH["log"](x, 2), lambda x: mp.log(x) / mp.log(2), (5.5,)),
    "log of 7": (lambda b: MATH["log"](7, b), lambda b: mp.log(7) / mp.log(b), (5.5,)),
    "log10": (MATH["log10"], mp.log10, (2.2,)),
    "log1p": (MATH["log1p"], lambda x: mp.log(1 + x), (0.3,)),
    "log2": (MATH["log2"], lambda x: mp.log(x) / mp.log(2), (0.3,)),
    "atan2": (MATH["atan2"], mp.atan2, (-1.5, -2.0)),
    "atan2, number on the left": (lambda x: MATH["atan2"](1.5, x), lambda x: mp.atan2(1.5, x), (-2.0,)),
    "copysign": (MATH["copysign"], lambda x, y: -abs(x), (1.5, -2.0)),
    "fmod": (MATH["fmod"], lambda x, y: x + 2 * y, (-7.5, 3.0)),
    "remainder": (MATH["remainder"], lambda x, y: x - 2 * y, (7.0, 3.0)),
    "pow": (MATH["pow"], mp.power, (1.5, 2.5)),
    "pow, whole": (lambda x: MATH["pow"](x, 3), lambda x: x**3, (-1.5,)),
    "pow, base 2": (lambda x: MATH["pow"](2, x), lambda x: mp.mpf(2) ** x, (1.5,)),
    "hypot": (MATH["hypot"], lambda x, y: mp.sqrt(x * x + y * y), (-3.0, 4.5)),
    "hypot of three": (MATH["hypot"], lambda *x: mp.sqrt(mp.fsum(t * t for t in x)), (1.0, -2.0, 2.5)),
    "hypot of one": (MATH["hypot"], abs, (-2.0,)),
    "hypot with a constant": (lambda x: MATH["hypot"](x, 3, 4.0), lambda x: mp.sqrt(x * x + 25), (2.0,)),
    "dist": (
        lambda *x: MATH["dist"](x[:2], x[2:]),
        lambda a, b, c, d: mp.sqrt((a - c) ** 2 + (b - d) ** 2),
        (1.0, 2.0, 4.0, -2.5),
    ),
    "dist to a constant": (
        lambda x, y: MATH["dist"]((x, y), (1, 2)),
        lambda x, y: mp.sqrt((x - 1) ** 2 + (y - 2) ** 2),
        (4.0, 5.5),
    ),
    "fsum": (lambda x, y: MATH["fsum"]([x, y, x, 1, 2.5]), lambda x, y: 2 * x + y + 3.5, (1.5, 2.5)),
    "prod": (lambda x, y: MATH["prod"]([x, y, x]), lambda x, y: x * x * y, (1.5, 2.5)),
    "prod with a start": (lambda x, y: MATH["prod"]([x, 2], start=y), lambda x, y: 2 * x * y, (1.5, 2.5)),
    "prod with a plain start": (lambda x: MATH["prod"]([x, x], start=3), lambda x: 3 * x * x, (1.5,)),
    "ldexp": (lambda x: MATH["ldexp"](x, 5), lambda x: 32 * x, (1.5,)),
    "modf, fraction": (lambda x: MATH["modf"](x)[0], lambda x: x + 2, (-2.75,)),
    "frexp, mantissa": (lambda x: MATH["frexp"](x)[0], lambda x: x / 8, (5.5,)),
}
if "sumprod" in MATH:
    ACTIVE["sumprod"] = (
        lambda x, y: MATH["sumprod"]([x, 2, y], [y, x, 3.0]),
        lambda x, y: x * y + 2 * x + 3 * y,
        (1.5, 2.5),
    )
if "fma" in MATH:
    ACTIVE["fma"] = (MATH["fma"], lambda a, b, c: a * b + c, (1.5, 2.5, 0.5))


@pytest.mark.parametrize("name", ACTIVE)
def test_value_and_derivative_for_active_numbers(name):
    program, oracle, point = ACTIVE[name]
    value, gradient = both(program, *point)
    function = name.split(",")[0].split(" ")[0]
    if inspect.isfunction(program) and program is MATH.get(function):
        assert value == getattr(math, function)(*point)
        assert type(value) is type(getattr(math, function)(*point))
    assert close(value, oracle(*map(mp.mpf, point)), 1e-14)
    for k, got in enumerate(gradient):
        assert close(got, slope(oracle, point, k), 1e-13, 1e-15)


def test_every_function_is_tried_with_an_active_number():
    tried = {name.split(",")[0].split(" ")[0] for name in ACTIVE}
    looked_at = {"isnan", "isinf", "isfinite", "isclose"}
    refused = {"isqrt", "comb", "perm", "factorial", "gcd", "lcm", "nextafter", "ulp"}
    assert tried | looked_at | refused == set(MATH)


@pytest.mark.parametrize("name", ["isqrt", "factorial", "comb", "perm", "gcd", "lcm", "ulp", "nextafter"])
@pytest.mark.parametrize("kind", ["dual", "traced"])
def test_functions_without_a_derivative_are_refused_in_a_sentence(name, kind):
    x = Dual(4.0, 1.0) if kind == "dual" else Traced.input(Tape(), 4.0)
    args = (x, 2) if name in ("comb", "perm", "gcd", "lcm", "nextafter") else (x,)
    with pytest.raises(LostDerivative) as refused:
        MATH[name](*args)
    line = refused.traceback[0].lineno + 1
    assert str(refused.value).startswith(f"test_standins_math.py, line {line}: math.{name} ")
    assert ("int(x)" if name not in ("ulp", "nextafter") else "primal(x)") in str(refused.value)


@pytest.mark.parametrize("kind", ["dual", "traced"])
def test_looking_at_a_number_gives_plain_answers(kind):
    for x in (2.5, -2.5, 0.0, 3.0, -0.0):
        number = Dual(x, 1.0) if kind == "dual" else Traced.input(Tape(), x)
        for look in (math.floor, math.ceil, math.trunc, round, int, MATH["isnan"], MATH["isinf"], MATH["isfinite"]):
            got, want = look(number), getattr(math, look.__name__, look)(x)
            assert (got, type(got)) == (want, type(want))
        assert MATH["isclose"](number, x + 1e-12) is math.isclose(x, x + 1e-12)
        assert MATH["isclose"](x + 1e-12, number, abs_tol=1e-9) is True
        assert MATH["frexp"](number)[1] == math.frexp(x)[1]
        assert type(MATH["frexp"](number)[1]) is int
    for x in (math.nan, math.inf):
        number = Dual(x, 1.0) if kind == "dual" else Traced.input(Tape(), x)
        assert [MATH[n](number) for n in ("isnan", "isinf", "isfinite")] == [x != x, x == math.inf, False]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("sqrt", (-1.0,)),
        ("log", (0.0,)),
        ("log", (-1.0,)),
        ("log", (2.0, 1.0)),
        ("log", (2.0, 0.0)),
        ("asin", (2.0,)),
        ("exp", (1000.0,)),
        ("cosh", (1000.0,)),
        ("gamma", (0.0,)),
        ("gamma", (-1.0,)),
        ("gamma", (200.0,)),
        ("lgamma", (-2.0,)),
        ("fmod", (1.0, 0.0)),
        ("pow", (-8.0, 1 / 3)),
        ("pow", (0.0, -1.0)),
        ("pow", (10.0, 400.0)),
        ("acosh", (0.5,)),
        ("atanh", (1.0,)),
        ("log2", (0.0,)),
        ("log1p", (-1.0,)),
        ("remainder", (1.0, 0.0)),
        ("sin", (math.inf,)),
        ("fmod", (math.inf, 1.0)),
    ],
)
@pytest.mark.parametrize("kind", ["dual", "traced"])
def test_outside_of_its_domain_an_active_number_raises_what_math_raises(name, args, kind):
    want = outcome(getattr(math, name), *args)
    assert issubclass(want[0], (ValueError, ArithmeticError))
    tape = Tape()
    numbers = [Dual(x, 1.0) if kind == "dual" else Traced.input(tape, x) for x in args]
    assert outcome(MATH[name], *numbers) == want
    assert outcome(MATH[name], numbers[0], *args[1:]) == want


def test_modf_gives_the_whole_part_as_math_does():
    for x in (2.5, -2.75, 0.25):
        fraction, whole = MATH["modf"](Dual(x, 1.0))
        assert (fraction.value, whole.value) == math.modf(x)
        assert (fraction.tangent, whole.tangent) == (1.0, 0.0)


@pytest.mark.parametrize("x", [2.5, math.inf, -math.inf])
def test_the_whole_part_of_modf_is_a_float(x):
    fraction, whole = MATH["modf"](Dual(x, 1.0))  # of an infinite number both are plain
    assert repr((primal(fraction), primal(whole))) == repr(math.modf(x))


CALLS = {
    "sin": lambda x: MATH["sin"](x),
    "sqrt": lambda x: MATH["sqrt"](x),
    "gamma": lambda x: MATH["gamma"](x),
    "log, two": lambda x: MATH["log"](x, x),
    "atan2": lambda x: MATH["atan2"](x, 1.0),
    "pow": lambda x: MATH["pow"](x, 2),
    "hypot": lambda x: MATH["hypot"](x, 1.0),
    "fsum": lambda x: MATH["fsum"]([x, x]),
    "prod": lambda x: MATH["prod"]([x, x]),
    "dist": lambda x: MATH["dist"]([x], [1.0]),
    "modf": lambda x: MATH["modf"](x),
    "isnan": lambda x: MATH["isnan"](x),
    "frexp": lambda x: MATH["frexp"](x),
    "isclose": lambda x: MATH["isclose"](x, 1.0),
    "max": lambda x: BUILTINS["max"](x, 2.0),
    "max, tie": lambda x: BUILTINS["max"](x, 1.5),
    "sum": lambda x: BUILTINS["sum"]([x, x]),
    "floor": lambda x: math.floor(x),
    "mean": lambda x: MODULES["statistics"]["mean"]([x, 2.0]),
    "stdev": lambda x: MODULES["statistics"]["stdev"]([x, 2.0]),
    "geometric_mean": lambda x: MODULES["statistics"]["geometric_mean"]([x, 2.0]),
    "cmath.exp": lambda x: CMATH["exp"](x),
    "cmath.sqrt": lambda x: CMATH["sqrt"](x),
    "cmath.asin": lambda x: CMATH["asin"](x),
    "1j": lambda x: abs(1j * x / (1 + x)) ** 2,
    "log": lambda x: MATH["log"](x),
    "cmath.log": lambda x: CMATH["log"](x),
    "round": lambda x: round(x, 1) + round(x),
    "divmod": lambda x: divmod(x, 1.0),
    "x.sin()": lambda x: x.sin(),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_row_stands_in_the_users_program(name):
    tape = Tape(located=LOCATED)
    CALLS[name](Traced.input(tape, 1.5))
    columns = tape.close()
    rows = [code.co_filename for op, (code, _) in zip(columns.ops, columns.where, strict=True) if op is not INPUT]
    assert rows
    assert set(rows) == {__file__}


# ---- max, min, sum -------------------------------------------------------------------------------

maximum, minimum, total = (BUILTINS[name] for name in ("max", "min", "sum"))


@pytest.mark.parametrize("name", ["max", "min", "sum"])
def test_builtins_of_plain_things_are_the_builtins(name):
    import builtins

    plain, ours = getattr(builtins, name), BUILTINS[name]
    for args, options in (
        (([3, 1, 2],), {}),
        ((iter([3, 1, 2]),), {}),
        (([],), {}),
        ((3,), {}),
        ((["b", "a"],), {}),
        (([1, "a"],), {}),
        (([[1], [2]], []), {}),
        (([0.1] * 10,), {}),
        (([],), {"default": 5}),
        (([3, -4],), {"key": abs}),
        ((1, 2.0, True), {}),
        (([math.nan, 1.0],), {}),
        (([1, 2],), {"start": 5}),
    ):
        again = tuple(iter([3, 1, 2]) if hasattr(a, "__next__") else a for a in args)
        if not (name == "sum" and (len(args) > 2 or options.keys() - {"start"})):
            assert outcome(ours, *args, **options) == outcome(plain, *again, **options), args
    assert outcome(ours)[0] is outcome(plain)[0] is TypeError


def test_max_and_min_take_the_chosen_one():
    assert both(lambda x, y: maximum(x, y), 2.0, 1.0) == (2.0, [1.0, 0.0])
    assert both(lambda x, y: minimum(x, y), 2.0, 1.0) == (1.0, [0.0, 1.0])
    assert both(lambda x, y: maximum([x, 0.5, y * y]), 2.0, 3.0) == (9.0, [0.0, 6.0])
    assert both(lambda x, y: maximum(x, y, key=lambda t: -t), 2.0, 1.0) == (1.0, [0.0, 1.0])
    assert both(lambda x: maximum((t * x for t in range(3)), default=0), 2.0) == (4.0, [2.0])
    assert both(lambda x: maximum(x, -x), -3.0) == (3.0, [-1.0])


def test_a_tie_shares_evenly():
    assert both(lambda x, y: maximum(x, y), 2.0, 2.0) == (2.0, [0.5, 0.5])
    assert both(lambda x, y: minimum([x, y]), 2.0, 2.0) == (2.0, [0.5, 0.5])
    assert both(lambda x, y, z: maximum(x, y, z), 2.0, 1.0, 2.0) == (2.0, [0.5, 0.0, 0.5])
    assert both(lambda x: maximum(x, 2.0), 2.0) == (2.0, [0.5])  # as np.maximum(x, 2.0)
    assert both(lambda x: maximum(x, 0), 0.0) == (0.0, [0.5])
    assert both(lambda x, y: maximum(x, y, key=abs), 2.0, -2.0)[0] == 2.0


def test_the_same_variable_twice_is_not_a_tie():
    assert both(lambda x: maximum(x, x), 2.0) == (2.0, [1.0])
    assert both(lambda x, y: maximum(x, x, y), 2.0, 2.0)[1] == [0.5, 0.5]


@pytest.mark.parametrize(
    "point", [(0.1, 0.1, 0.1), (1.5e308, 1.5e308, 1.0), (5e-324, 5e-324, 0.0), (math.inf, math.inf, 1.0)], ids=str
)
@pytest.mark.parametrize("best", [maximum, minimum], ids=["max", "min"])
def test_the_value_of_a_tie_is_the_value_that_ties(point, best):
    program = {maximum: max, minimum: min}[best]
    tape = Tape(limit=0)
    assert best(*(Dual.input(tape, x, 1.0) for x in point)).value == program(*point)


def record(program, *point):
    tape = Tape()
    z = program(*(Traced.input(tape, x) for x in point))
    return tape.close(), z.index


@pytest.mark.parametrize(
    ("here", "there"), [((2.0, 2.0), (3.0, 2.0)), ((3.0, 2.0), (2.0, 2.0)), ((2.0, 2.0), (5.0, 5.0))]
)
def test_a_tie_is_a_decision(here, there):
    """Recorded at a tie, x slides to 3: the maximum is 3, not (3 + 2) / 2."""
    from ad_magic.engine.tape import PathChanged, replay

    columns, row = record(lambda x, y: 1.0 * maximum(x, y), *here)
    fresh, fresh_row = record(lambda x, y: 1.0 * maximum(x, y), *there)
    try:
        again = replay(columns, dict(enumerate(there)))
    except PathChanged:
        return
    assert again.values[row] == fresh.values[fresh_row]
    assert reverse_sweep(again, {row: 1.0})[:2] == reverse_sweep(fresh, {fresh_row: 1.0})[:2]


def test_sum():
    assert both(lambda x, y: total([x, y, x * y]), 2.0, 3.0) == (11.0, [4.0, 3.0])
    assert both(lambda x, y: total((x, 1, 2.5), start=y), 2.0, 3.0) == (8.5, [1.0, 1.0])
    assert both(lambda x: total(x * i for i in range(4)), 3.0) == (18.0, [6.0])
    columns, _ = record(lambda x: total([x, x, x]), 1.0)
    assert len(columns) <= 3  # no row for 0 + x


# ---- complex numbers -----------------------------------------------------------------------------


def complex_parts(program, x, y):
    """The complex value of a program of z = x + iy, and its derivatives with respect to x and y, in both modes."""
    tape = Tape(limit=0)
    a, b = Dual.input(tape, x, Directions((1.0, 0.0))), Dual.input(tape, y, Directions((0.0, 1.0)))
    w = program(a + 1j * b)
    forward = []
    for k in (0, 1):
        parts = [p.tangent[k] if type(p) is Dual and isinstance(p.tangent, tuple) else 0.0 for p in (w.real, w.imag)]
        forward.append(complex(*parts))
    tape = Tape()
    c, d = Traced.input(tape, x), Traced.input(tape, y)
    v = program(c + 1j * d)
    columns = tape.close()
    parts = [reverse_sweep(columns, {p.index: 1.0}) if type(p) is Traced else [0.0, 0.0] for p in (v.real, v.imag)]
    reverse = [complex(parts[0][k], parts[1][k]) for k in (0, 1)]
    assert forward == pytest.approx(reverse, rel=1e-13, abs=1e-13)
    value = w if isinstance(w, complex) and type(w) is not Complex else plain_complex(w)
    return value, reverse


def by_differences(program, z):
    """Value, d/dx and d/dy in mpmath."""
    h = mp.mpf(10) ** -20
    z = mp.mpc(z)
    return program(z), [(program(z + d) - program(z - d)) / (2 * h) for d in (h, mp.mpc(0, h))]


def assert_complex(program, exact, z, rel=1e-12, scale=0.0):
    value, gradient = complex_parts(program, z.real, z.imag)
    want, slopes = by_differences(exact, z)
    want, slopes = complex(want), [complex(s) for s in slopes]
    assert abs(value - want) <= rel * max(abs(want), scale)
    for got, right in zip(gradient, slopes, strict=True):
        assert abs(got - right) <= 10 * rel * max(abs(right), scale, 1e-12)


POINTS = [0.7 + 0.4j, -1.3 + 0.6j, -0.8 - 1.1j, 1.9 - 0.2j, 3 + 4j]
c = 2.0 - 0.5j
OPERATIONS = {
    "z + c": (lambda z: z + c,) * 2,
    "c + z": (lambda z: c + z,) * 2,
    "z - c": (lambda z: z - c,) * 2,
    "c - z": (lambda z: c - z,) * 2,
    "z * c": (lambda z: z * c,) * 2,
    "c * z": (lambda z: c * z,) * 2,
    "z / c": (lambda z: z / c,) * 2,
    "c / z": (lambda z: c / z,) * 2,
    "z * z": (lambda z: z * z,) * 2,
    "z / (z + 1)": (lambda z: z / (z + 1),) * 2,
    "2 - z": (lambda z: 2 - z,) * 2,
    "3.5 * z": (lambda z: 3.5 * z,) * 2,
    "1 / z": (lambda z: 1 / z,) * 2,
    "-z": (lambda z: -z,) * 2,
    "+z": (lambda z: +z,) * 2,
    "z ** 2": (lambda z: z**2,) * 2,
    "z ** -3": (lambda z: z**-3,) * 2,
    "z ** 0.5": (lambda z: z**0.5, mp.sqrt),
    "z ** c": (lambda z: z**c,) * 2,
    "c ** z": (lambda z: c**z, lambda z: mp.mpc(c) ** z),
    "2 ** z": (lambda z: 2**z,) * 2,
    "z ** z": (lambda z: z**z,) * 2,
    "conj": (lambda z: z.conjugate(), mp.conj),
    "z * conj": (lambda z: z * z.conjugate(), lambda z: z * mp.conj(z)),
    "real part": (lambda z: z.real * (1 + 0j), lambda z: mp.mpc(z.real)),
    "with a number": (lambda z: z.real * z + z.imag * 1j, lambda z: z.real * z + z.imag * mp.mpc(0, 1)),
    "number / z": (lambda z: z.real / z, lambda z: z.real / z),
    "number ** z": (lambda z: (z.real * z.real) ** z, lambda z: mp.mpc(z.real**2) ** z),
}


@pytest.mark.parametrize("z", POINTS, ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_complex_arithmetic(name, z):
    assert_complex(*OPERATIONS[name], z)


@pytest.mark.parametrize("z", POINTS, ids=str)
def test_the_absolute_value_and_the_phase(z):
    for program, exact in ((abs, abs), (CMATH["phase"], mp.arg)):
        value, gradient = both(lambda x, y: program(x + 1j * y), z.real, z.imag)
        assert close(value, exact(mp.mpc(z)), 1e-14)
        for k in (0, 1):
            assert close(gradient[k], slope(lambda x, y: exact(mp.mpc(x, y)), (z.real, z.imag), k), 1e-13)
    r, phi = CMATH["polar"](Complex(Dual(z.real, 1.0), z.imag))
    assert (r.value, phi.value) == pytest.approx(cmath.polar(z))
    w = CMATH["rect"](Dual(2.0, 1.0), 0.5)
    assert plain_complex(w) == pytest.approx(cmath.rect(2.0, 0.5))
    assert complex(w.real.tangent, w.imag.tangent) == pytest.approx(cmath.rect(1.0, 0.5))


ANALYTIC = [
    "exp",
    "log",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "asin",
    "acos",
    "atan",
    "asinh",
    "acosh",
    "atanh",
    "log10",
]


@pytest.mark.parametrize("z", POINTS, ids=str)
@pytest.mark.parametrize("name", ANALYTIC)
def test_functions_of_cmath(name, z):
    assert cmath.isclose(
        complex(getattr(mp, name)(mp.mpc(z))), getattr(cmath, name)(z), rel_tol=1e-14
    )  # the same branch
    assert_complex(CMATH[name], getattr(mp, name), z)
    assert outcome(CMATH[name], z) == outcome(getattr(cmath, name), z)


HARD = [
    ("asinh", 1e-10),
    ("asinh", -1e5),
    ("atanh", 1e-10),
    ("asin", 1e-10),
    ("atan", 1e-10),
    ("asinh", -1e9),
    ("tanh", 800.0),
    ("tan", 1 + 800j),
    ("sqrt", 0.0),
    ("acosh", 1 + 1e-12),
    ("log", 1 + 1e-12),
]


@pytest.mark.parametrize(("name", "z"), HARD, ids=str)
def test_the_values_of_cmath_are_kept_where_it_is_hard(name, z):
    want = getattr(cmath, name)(z)
    z = complex(z)
    got = plain_complex(CMATH[name](Complex(Dual(z.real, 1.0), Dual(z.imag, 0.0))))
    assert abs(got - want) <= 1e-13 * abs(want)


AS_PYTHON = {
    "tanh": (lambda z: CMATH["tanh"](z), cmath.tanh, 4.533085569531028 - 0.9766902473806589j),
    "a root": (lambda z: z**0.5, lambda z: z**0.5, -4.189081824775757 - 0.8204516955136865j),
    "a broken power": (lambda z: z**2.5, lambda z: z**2.5, 0.3074211190384346 - 0.13467393635967867j),
    "a complex power": (lambda z: z ** (1 + 2j), lambda z: z ** (1 + 2j), -2.1772300790945764 + 0.3106831735349438j),
    "a complex exponent": (lambda z: 2**z, lambda z: 2**z, 3.2270138957946406 + 3.202828562785697j),
}


@pytest.mark.parametrize("name", AS_PYTHON)
def test_complex_values_are_those_of_python(name):
    ours, pythons, z = AS_PYTHON[name]
    got, want = plain_complex(ours(Complex(Dual(z.real, 1.0), Dual(z.imag, 0.0)))), pythons(z)
    assert abs(got - want) <= 4e-16 * abs(want)


def test_a_root_of_a_negative_number_is_that_of_python():
    assert abs(Dual(-2.0, 1.0) ** 0.5).value == abs((-2.0) ** 0.5)


@pytest.mark.parametrize("w", [1e200 + 0j, 1e-200 + 0j, 1e200 - 1e200j])
def test_division_by_very_large_and_small_complex_numbers(w):
    got = plain_complex(Dual(1.0, 1.0) / w)
    assert abs(got - 1 / w) <= 1e-14 * abs(1 / w)


def test_complex_numbers_to_those_who_look():
    z = Dual(3.0, 1.0) + 4j
    assert isinstance(z, complex)
    assert z == 3 + 4j
    assert z != 3 + 5j
    assert hash(z) == hash(3 + 4j)
    assert (repr(z), f"{z:.1f}", bool(z)) == ("(3+4j)", "3.0+4.0j", True)
    assert (CMATH["isnan"](z), CMATH["isinf"](z), CMATH["isfinite"](z)) == (False, False, True)
    with pytest.raises(TypeError, match="derivative"):
        complex(z)
    with pytest.raises(ZeroDivisionError):
        z / 0
    with pytest.raises(TypeError):
        operator.lt(z, 1)
    assert CMATH["log"](z, 10).real.value == pytest.approx(cmath.log(3 + 4j, 10).real)


# ---- statistics ----------------------------------------------------------------------------------

DATA = (1.5, 4.0, 2.25, 3.0)


def _var(data, less):
    m = mp.fsum(data) / len(data)
    return mp.fsum((x - m) ** 2 for x in data) / (len(data) - less)


STATISTICS = {
    "mean": lambda *x: mp.fsum(x) / len(x),
    "fmean": lambda *x: mp.fsum(x) / len(x),
    "median": lambda *x: mp.fsum(sorted(x)[1:3]) / 2,
    "median_low": lambda *x: sorted(x)[1],
    "median_high": lambda *x: sorted(x)[2],
    "geometric_mean": lambda *x: mp.exp(mp.fsum(map(mp.log, x)) / len(x)),
    "harmonic_mean": lambda *x: len(x) / mp.fsum(1 / t for t in x),
    "variance": lambda *x: _var(x, 1),
    "pvariance": lambda *x: _var(x, 0),
    "stdev": lambda *x: mp.sqrt(_var(x, 1)),
    "pstdev": lambda *x: mp.sqrt(_var(x, 0)),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics(name):
    function = MODULES["statistics"][name]
    value, gradient = both(lambda *x: function(x), *DATA)
    assert value == pytest.approx(getattr(statistics, name)(DATA), rel=1e-15)
    for k in range(4):
        assert close(gradient[k], slope(STATISTICS[name], DATA, k), 1e-13, 1e-15)
    value, gradient = both(lambda x: function(iter([x, *DATA[1:]])), DATA[0])  # constants among them
    assert close(gradient[0], slope(STATISTICS[name], DATA, 0), 1e-13, 1e-15)
    assert function.__name__ == name


def test_the_list_of_statistics_is_complete():
    ours = MODULES["statistics"]
    bound_early = {name for name in ours if name in MATH}  # by the module, for itself
    assert set(STATISTICS) == set(ours) - bound_early
    assert all(ours[name] is MATH[name] for name in bound_early)


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_of_plain_numbers_are_pythons(name):
    plain, ours = getattr(statistics, name), MODULES["statistics"][name]
    for data in ([1, 2, 3, 4], [1.5, 2.5, 4.0], [Fraction(1, 2), Fraction(1, 3)], [2.0], [], (x for x in (1.0, 3.0))):
        data = list(data)
        assert outcome(ours, data) == outcome(plain, data)
        assert outcome(ours, iter(data)) == outcome(plain, iter(data))


def test_statistics_with_their_options():
    ours = MODULES["statistics"]
    assert both(lambda x, w: ours["fmean"]([x, 4.0], weights=[w, 1.0]), 2.0, 3.0)[0] == statistics.fmean(
        [2.0, 4.0], [3.0, 1.0]
    )
    assert both(lambda x, w: ours["fmean"]([x, 4.0], [w, 1.0]), 2.0, 3.0)[1] == pytest.approx([3 / 4, -2 / 16])
    value, gradient = both(lambda x: ours["harmonic_mean"]([x, 60.0], weights=[5, 30]), 40.0)
    assert value == pytest.approx(56.0)
    assert gradient == pytest.approx([35 * 5 / (5 / 40 + 30 / 60) ** 2 / 1600])
    assert both(lambda x: ours["pvariance"]([x, 2.0], 1.0), 3.0) == (2.5, [2.0])
    assert both(lambda m: ours["variance"]([1.0, 2.0], m), 0.0) == (5.0, [-6.0])


def test_what_statistics_refuses():
    for name in ("variance", "stdev"):
        with pytest.raises(statistics.StatisticsError):
            MODULES["statistics"][name]([Dual(1.0, 1.0)])


def test_a_harmonic_mean_with_a_zero():
    mean = MODULES["statistics"]["harmonic_mean"]([Dual(0.0, 1.0), 1.0])
    assert mean.value == statistics.harmonic_mean([0.0, 1.0])
    assert mean.tangent == 2.0  # 2 / (1/x + 1) is about 2x near 0


def test_equal_constants_in_a_tie_are_one():
    one, other = float("2.0"), float("2.0")
    assert (
        BUILTINS["max"](Dual(2.0, 1.0), one, other).tangent == BUILTINS["max"](Dual(2.0, 1.0), one, one).tangent == 0.5
    )


@pytest.mark.parametrize(("name", "data"), [("geometric_mean", [-1.0, 2.0]), ("harmonic_mean", [-1.0, 2.0])])
def test_means_of_negative_numbers_are_refused(name, data):
    with pytest.raises(statistics.StatisticsError):
        getattr(statistics, name)(data)
    with pytest.raises(statistics.StatisticsError):
        MODULES["statistics"][name]([Dual(data[0], 1.0), data[1]])


# ---- lru_cache -----------------------------------------------------------------------------------


def memo(function):
    return Memo(functools.lru_cache(function))


def test_two_variables_with_equal_values_are_remembered_apart():
    square = memo(lambda t: t * t)
    assert both(lambda x, y: square(x) + 2 * square(y), 3.0, 3.0) == (27.0, [6.0, 12.0])


def test_a_plain_result_is_not_taken_for_that_of_a_variable():
    square = memo(lambda t: t * t)
    assert square(3.0) == 9.0
    assert both(lambda x: square(x) + square(3.0), 3.0) == (18.0, [6.0])
    assert square(3.0) == 9.0
    assert type(square(3.0)) is float


def test_a_memo_remembers():
    calls = []

    @functools.cache
    def fibonacci(n, x):
        calls.append(n)
        return x if n < 2 else fibonacci(n - 1, x) + fibonacci(n - 2, x)

    original, fibonacci = fibonacci, Memo(fibonacci)
    x = Dual(2.0, 1.0)
    assert fibonacci(30, x).tangent == 832040 + 514229  # F(31)
    assert len(calls) == 31
    assert fibonacci.original is original
    hits = fibonacci.cache_info().hits
    fibonacci(30, x)
    assert fibonacci.cache_info().hits == hits + 1
    fibonacci.cache_clear()
    fibonacci(1, x)
    assert len(calls) == 32
    assert fibonacci.cache_parameters() == {"maxsize": None, "typed": False}
    assert fibonacci.__name__ == "fibonacci"


def test_a_memo_raises_for_what_cannot_be_hashed():
    with pytest.raises(TypeError, match="unhashable"):
        memo(lambda t: t)([1.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x: f(t=x),
        lambda f, x: f((x, 1.0))[0],
        lambda f, x: f(frozenset([x])),
        lambda f, x: abs(f(x * 1j)),
    ],
    ids=["keyword", "tuple", "frozenset", "complex"],
)
def test_variables_in_keywords_tuples_and_complex_numbers_are_remembered_apart(call):
    same = memo(lambda t: next(iter(t)) if isinstance(t, frozenset) else t)
    assert both(lambda x, y: call(same, x) + 2 * call(same, y), 3.0, 3.0)[1] == [1.0, 2.0]


@given(st.floats(0.1, 5), st.floats(0.1, 5))
@swept
def test_a_program_of_many_stand_ins(x, y):
    def program(x, y):
        r = MATH["hypot"](x, y)
        w = CMATH["exp"](1j * r) * (x + 2j)
        return abs(w) + MATH["fsum"]([r, MATH["log"](x, 2), y]) * MATH["prod"]([x, y, r]) - total([x, r * y])

    def exact(x, y):
        r = mp.sqrt(x * x + y * y)
        return mp.sqrt(x * x + 4) + (r + mp.log(x) / mp.log(2) + y) * x * y * r - (x + r * y)

    value, gradient = both(program, x, y)
    scale = 1 + (x + y) ** 4 + abs(math.log(x)) * (x + y) ** 3
    assert close(value, exact(mp.mpf(x), mp.mpf(y)), 1e-13, scale)
    for k in (0, 1):
        assert close(gradient[k], slope(exact, (x, y), k), 1e-13, 10 * scale)
    assert curvature(exact, (x, y), 0, 1) == pytest.approx(curvature(exact, (x, y), 1, 0))
