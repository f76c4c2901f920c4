"""CALCULUS: one sweep over the derivative table, its kinks, and the written policy where there is no derivative."""

from __future__ import annotations

import itertools
import math
import operator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import EXACT, STEP, close, curvature, exact, mp, one_sided, slope, swept

from ad_magic.engine.dual import Dual
from ad_magic.engine.functions import MATH
from ad_magic.engine.library import BUILTINS
from ad_magic.engine.operation import operation, partial_of, patterns, value_of
from ad_magic.engine.record import apply
from ad_magic.engine.tape import Tape, forward_sweep, replay, reverse_sweep
from ad_magic.engine.traced import Traced
from ad_magic.rules import RULES as TABLE
from ad_magic.rules import compile_expression, special
from ad_magic.rules.number import PLAIN as TABLE_NAMES

inf, nan = math.inf, math.nan
RULES = {name: rule for name, rule in TABLE.items() if name not in special.ROWS}  # for those see test_special.py

# ---- what each primitive is called with ----------------------------------------------------------


def between(low, high):
    return st.floats(low, high, allow_subnormal=False)


def signed(low, high):
    """Either sign, of any size between the two."""
    sizes = st.floats(math.log10(low), math.log10(high)).map(lambda e: min(max(10.0**e, low), high))
    return st.builds(math.copysign, sizes, st.sampled_from([-1.0, 1.0]))


def positive(low, high):
    return signed(low, high).map(abs)


real = signed(1e-100, 1e100)
modest = signed(1e-8, 50.0)
unit = between(-0.999, 0.999)

# For each rule its arguments; a sequence of alternatives where it has several regions.
DOMAIN = {
    "add": (real, real),
    "sub": (real, real),
    "mul": (real, real),
    "div": (real, real),
    "pow": [(positive(1e-20, 1e20), signed(1e-5, 14.0)), (signed(1e-20, 1e20), st.integers(1, 14).map(float))],
    "fpow": [(positive(1e-20, 1e20), signed(1e-5, 14.0))],
    "mod": (signed(1e-3, 1e4), signed(1e-2, 1e3)),
    "floordiv": (signed(1e-3, 1e4), signed(1e-2, 1e3)),
    "neg": (real,),
    "square": (real,),
    "reciprocal": (real,),
    "abs": (real,),
    "fabs": (real,),
    "sqrt": (positive(1e-100, 1e100),),
    "cbrt": (signed(1e-100, 1e100),),
    "exp": (signed(1e-100, 700.0),),
    "exp2": (signed(1e-100, 1000.0),),
    "expm1": (signed(1e-100, 700.0),),
    "log": (positive(1e-100, 1e100),),
    "log2": (positive(1e-100, 1e100),),
    "log10": (positive(1e-100, 1e100),),
    "log_base": [(positive(1e-50, 1e50), positive(2.0, 1e50)), (positive(1e-50, 1e50), positive(1e-50, 0.5))],
    "log1p": [(positive(1e-100, 1e100),), (between(-0.999, -1e-9),)],
    "logaddexp": [(modest, modest), (signed(1e-3, 600.0), signed(1e-3, 600.0))],
    "logaddexp2": [(modest, modest), (signed(1e-3, 600.0), signed(1e-3, 600.0))],
    "sin": (signed(1e-100, 1e6),),
    "cos": (signed(1e-100, 1e6),),
    "tan": (signed(1e-100, 1e3),),
    "asin": (unit,),
    "acos": (unit,),
    "atan": (signed(1e-100, 1e100),),
    "atan2": (real, real),
    "degrees": (real,),
    "radians": (real,),
    "sinh": (signed(1e-100, 700.0),),
    "cosh": (signed(1e-100, 700.0),),
    "tanh": (signed(1e-100, 100.0),),
    "asinh": (signed(1e-100, 1e100),),
    "acosh": [(between(1.0001, 10.0),), (positive(1.5, 1e100),)],
    "atanh": (unit,),
    "hypot": (real, real),
    "copysign": (real, real),
    "fmod": (signed(1e-3, 1e4), signed(1e-2, 1e3)),
    "remainder": (signed(1e-3, 1e4), signed(1e-2, 1e3)),
    "ldexp": (real, st.integers(-300, 300)),
    "fma": (modest, modest, modest),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), (signed(1e-8, 1e10), signed(1e-8, 1e10))),
    "sum": (modest, modest, modest),
    "max": (real,),
    "min": (real,),
    "fsum": (real, real, real),
    "norm": (real, real, real),
    "erf": (signed(1e-100, 10.0),),
    "erfc": [(positive(1e-8, 15.0),), (between(-5.0, 0.0),)],
    "gamma": [(between(0.01, 150.0),), (between(-9.9, -0.1),)],
    "lgamma": [(between(0.01, 1e5),), (between(-9.9, -0.1),)],
    "polygamma": [(st.integers(0, 4), between(0.05, 200.0)), (st.integers(0, 3), between(-6.9, -0.1))],
    "sign": (real,),
    "rint": (signed(1e-3, 1e6),),
    "floor": (signed(1e-3, 1e6),),
    "ceil": (signed(1e-3, 1e6),),
    "trunc": (signed(1e-3, 1e6),),
    "heaviside": (signed(1e-3, 1e6), modest),
    "round": (signed(1e-3, 1e4), st.integers(-2, 6)),
}
# Operations of numbers that are all equal: one is drawn and repeated. There is a kink at each of their points, so that
# there a slope, a second derivative and a complex step have no meaning: the partial is the policy's.
TIES = {"max", "min"}
WHOLE = {"ldexp": {1}, "round": {1}, "polygamma": {0}}  # arguments that are ints, never active

# The same value by another way: Python's own operators and math.
_OPERATORS = {"div": "truediv", "abs": "abs"}
PLAIN = {
    **{name: getattr(math, name) for name in RULES if hasattr(math, name)},
    **{
        name: getattr(operator, _OPERATORS.get(name, name))
        for name in ("add", "sub", "mul", "div", "pow", "mod", "floordiv", "neg", "abs")
    },
    "fpow": math.pow,
    "log_base": math.log,
    "norm": math.hypot,
    "round": round,
    "fsum": lambda *a: math.fsum(a),
    **{name: lambda *a, f=f: f(a) for name, f in (("sum", sum), ("max", max), ("min", min))},
}
NAMES = [name for name in RULES if name != "fma" or hasattr(math, "fma")]
sweep = pytest.mark.parametrize("name", NAMES)
sweep_of_slopes = pytest.mark.parametrize("name", [name for name in NAMES if name not in TIES])


def at_kink(rule, point, z):
    """Whether the condition of the table says that there is no derivative here."""
    names = (*(("a",) if rule.variadic else rule.arguments), "z")
    return bool(compile_expression(rule.kink.where, names, TABLE_NAMES)(*([point] if rule.variadic else point), z))


def partial(rule, k, point, z):
    """The partial with respect to the k-th argument."""
    return partial_of(rule, 0, (point[k], len(point)), z) if rule.variadic else partial_of(rule, k, point, z)


def draw(data, name):
    """A point of the rule's domain that is not at, or next to, one of its kinks; or a tie."""
    regions = DOMAIN[name] if isinstance(DOMAIN[name], list) else [DOMAIN[name]]
    point = tuple(data.draw(s) for s in data.draw(st.sampled_from(regions)))
    if name in TIES:
        return point * 3
    rule = RULES[name]
    if rule.kink or rule.step:
        for k in active_places(name):
            assume(all(same_branch(name, point, k, d) for d in (-STEP, STEP)))
        assume(not rule.kink or not at_kink(rule, point, value_of(rule)(*point)))
        if name == "rint":
            assume(abs(point[0] % 1 - 0.5) > 1e-6)
        if name == "round":
            assume(abs(point[0] * 10.0 ** point[1] % 1 - 0.5) > 1e-6)
    if name in ("gamma", "lgamma", "polygamma") and point[-1] < 0:
        assume(0.05 < point[-1] % 1 < 0.95)
    return point


JUMPS = {"mod", "floordiv", "fmod", "remainder", *(name for name, rule in RULES.items() if rule.step)}


def same_branch(name, point, k, d):
    """Whether a step of the k-th argument stays on the branch of the point, so that a slope can be measured."""
    moved = list(point)
    moved[k] = mp.mpf(point[k]) * (1 + d)
    return abs(exact(EXACT[name], moved) - exact(EXACT[name], point)) < 1e-10


def active_places(name):
    """The positions of the arguments that can be active."""
    arity = 3 if RULES[name].variadic else len(RULES[name].partials)
    return [k for k in range(arity) if k not in WHOLE.get(name, ())]


def differentiable_places(name, point):
    """Without the exponent of a negative base."""
    return [k for k in active_places(name) if not (name in ("pow", "fpow") and k == 1 and point[0] < 0)]


def as_program(name):
    """The primitive as a user's program calls it."""
    if name == "log_base":
        return MATH["log"]
    if name == "fpow":
        return MATH["pow"]
    if name == "norm":
        return MATH["hypot"]
    if name in ("sum", "fsum"):
        return lambda *a: (BUILTINS["sum"] if name == "sum" else MATH["fsum"])(a)
    if name in MATH and name not in ("pow", "abs"):
        return MATH[name]
    if name in PLAIN and name not in ("floor", "ceil", "trunc", *TIES):
        return PLAIN[name]
    return lambda *a: apply(name, *a)


def forward(name, point, seeds):
    """The tangent of the primitive under dual numbers."""
    tape = Tape(limit=0)
    numbers = [x if s is None else Dual.input(tape, x, s) for x, s in zip(point, seeds, strict=True)]
    return as_program(name)(*numbers).tangent


def recorded(name, point):
    """The primitive recorded on a tape: the columns, the rows of its inputs, the row of the result."""
    tape = Tape()
    places = active_places(name)
    numbers = [Traced.input(tape, x) if k in places else x for k, x in enumerate(point)]
    z = as_program(name)(*numbers)
    return tape.close(), [numbers[k].index for k in places], z.index


def natural_scale(name, point, z, *places):
    """The size of a derivative, below which an error is rounding of the terms that cancel."""
    if name in ("polygamma", "gamma", "lgamma"):
        return max(1.0, abs(z)) / min(1.0, abs(point[-1])) ** len(places)
    scale = abs(mp.mpf(z))
    for k in places:
        scale /= abs(mp.mpf(point[k])) or 1
    return scale


def test_each_rule_has_a_domain_and_an_oracle():
    assert set(DOMAIN) == set(RULES) == set(EXACT)


# ---- the sweep -----------------------------------------------------------------------------------


@sweep
@swept
@given(data=st.data())
def test_value_is_that_of_math(name, data):
    point = draw(data, name)
    z = value_of(RULES[name])(*point)
    if name in PLAIN:
        assert z == PLAIN[name](*point)
    special = name in ("gamma", "lgamma", "polygamma")
    assert close(z, exact(EXACT[name], point), 1e-12 if special else 1e-14, max(map(abs, point)) if z else 0)


@sweep_of_slopes
@swept
@given(data=st.data())
def test_partials_are_the_slopes_of_the_function(name, data):
    point = draw(data, name)
    rule = RULES[name]
    z = value_of(rule)(*point)
    for k in differentiable_places(name, point):
        got = partial(rule, k, point, z)
        want = slope(EXACT[name], point, k)
        scale = natural_scale(name, point, z, k) if name in ("gamma", "lgamma", "polygamma") else 0
        assert close(got, want, 1e-12, scale), (point, k, got, float(want))


@pytest.mark.parametrize("name", sorted(TIES))
@pytest.mark.parametrize("n", [1, 2, 3, 7])
@swept
@given(x=real)
def test_equal_numbers_that_move_together_have_the_slope_1_and_share_it_evenly(name, n, x):
    rule, point = RULES[name], (x,) * n
    partials = [partial(rule, k, point, value_of(rule)(*point)) for k in range(n)]
    assert partials == [1 / n] * n
    assert close(math.fsum(partials), slope(lambda t: EXACT[name](*[t] * n), (x,)), 1e-15)


GIVEN_B = [name for name in NAMES if RULES[name].given_b]


def test_only_powers_have_a_partial_of_their_own_for_a_constant_b():
    assert GIVEN_B == ["pow"]


def partial_given_b(rule, point, z):
    return compile_expression(rule.given_b, (*rule.arguments, "z"), TABLE_NAMES)(*point, z)


@pytest.mark.parametrize("name", GIVEN_B)
@swept
@given(data=st.data(), whole=st.sampled_from([None, 0, 1, 2, 3, -1, -2, 0.0, 1.0, 2.0]))
def test_the_partial_for_a_constant_b_is_the_partial(name, data, whole):
    a, b = draw(data, name)
    point = (a, b if whole is None else whole)
    rule, z = RULES[name], value_of(RULES[name])(*point)
    assert_same(partial_given_b(rule, point, z), partial(rule, 0, point, z))


@pytest.mark.parametrize("name", GIVEN_B)
def test_the_partial_for_a_constant_b_at_the_extremes(name):
    rule, found = RULES[name], 0
    for point, z in edge_points(name):
        try:
            got = partial_given_b(rule, point, z)
        except (ArithmeticError, ValueError):  # then the sweeps take the partial itself
            continue
        want = partial(rule, 0, point, z)
        if point[1] == 0 and want != want:
            want = 0.0  # x**0 is constant; the partial for any b is 0 * inf at 5e-324, and NaN at NaN
        assert_same(got, want)
        found += 1
    assert found


ANALYTIC = [
    name
    for name in NAMES
    if not RULES[name].step and name not in (*TIES, "gamma", "lgamma", "polygamma", "erf", "erfc")
]


@pytest.mark.parametrize("name", ANALYTIC)
@swept
@given(data=st.data())
def test_partials_are_those_of_the_complex_step(name, data):
    point = draw(data, name)
    rule = RULES[name]
    assume(all(1e-100 < abs(x) < 1e50 for x in point))
    function = value_of(rule, "complex")
    z = value_of(rule)(*point)
    for k in differentiable_places(name, point):
        h = 1e-30 * abs(point[k])
        try:
            moved = function(*(complex(x, h) if j == k else x for j, x in enumerate(point)))
        except OverflowError:
            continue
        got = partial(rule, k, point, z)
        want = moved.imag / h
        if abs(got * h) < 1e-290:  # the step itself would underflow
            continue
        assert got == pytest.approx(want, rel=1e-9, abs=1e-16 * float(natural_scale(name, point, z, k)))


@given(modest, modest, modest)
@swept
def test_the_partials_of_fma_also_before_python_313(a, b, c):
    for k in range(3):
        assert close(partial_of(RULES["fma"], k, (a, b, c), a * b + c), slope(EXACT["fma"], (a, b, c), k), 1e-15)


@sweep
@swept
@given(data=st.data())
def test_forward_and_reverse_agree(name, data):
    point = draw(data, name)
    places = active_places(name)
    tape, inputs, row = recorded(name, point)
    adjoints = reverse_sweep(tape, {row: 1.0})
    for k, index in zip(places, inputs, strict=True):
        alone = forward(name, point, [1.0 if j == k else None for j in range(len(point))])  # the others constants
        among = forward(name, point, [float(j == k) if j in places else None for j in range(len(point))])
        swept_forward = forward_sweep(tape, {index: 1.0})[row]
        assert_same(alone, adjoints[index])
        assert_same(among, adjoints[index])
        assert_same(swept_forward, adjoints[index])


def assert_same(x, y):
    """Equal to one unit in the last place, NaN like NaN."""
    assert x == y or (x != x and y != y) or abs(x - y) <= math.ulp(y), (x, y)


@sweep
@swept
@given(data=st.data())
def test_several_directions_at_once_are_the_directions_one_by_one(name, data):
    point = draw(data, name)
    places = active_places(name)
    seeds = [tuple(float(j == k) for k in places) if j in places else None for j in range(len(point))]
    tape = Tape(limit=0)
    from ad_magic.engine.dual import Directions

    numbers = [x if s is None else Dual.input(tape, x, Directions(s)) for x, s in zip(point, seeds, strict=True)]
    together = as_program(name)(*numbers).tangent
    together = together if isinstance(together, tuple) else (together,) * len(places)  # an absent tangent: 0.0
    for k, t in zip(places, together, strict=True):
        assert_same(t, forward(name, point, [float(j == k) if j in places else None for j in range(len(point))]))


def second_tolerance(name, point, z, j, k):
    """Second derivatives are sums of terms of the size of f / (x_j x_k), and of f' / x."""
    scale = natural_scale(name, point, z, j, k)
    first = [abs(slope(EXACT[name], point, i)) / (abs(mp.mpf(point[m])) or 1) for i, m in ((j, k), (k, j))]
    return max(scale, *first)


SECOND = [n for n in NAMES if n != "polygamma" and n not in TIES]


@pytest.mark.parametrize("name", SECOND)
@swept
@given(data=st.data())
def test_second_order_by_dual_numbers_of_dual_numbers(name, data):
    point = draw(data, name)
    assume(all(1e-50 < abs(x) < 1e50 for x in point))
    z = value_of(RULES[name])(*point)
    for j, k in itertools.combinations_with_replacement(differentiable_places(name, point), 2):
        outer, inner = Tape(limit=0), Tape(limit=0)
        numbers = []
        for i, x in enumerate(point):
            x = Dual.input(outer, x, 1.0) if i == j else x
            numbers.append(Dual.input(inner, x, 1.0) if i == k else x)
        first = as_program(name)(*numbers).tangent
        got = first.tangent if isinstance(first, Dual) or type(first) is Dual else 0.0
        want = curvature(EXACT[name], point, j, k)
        assert close(got, want, 1e-11, second_tolerance(name, point, z, j, k)), (point, j, k, got, float(want))


@pytest.mark.parametrize("name", SECOND)
@swept
@given(data=st.data())
def test_second_order_by_dual_numbers_under_the_reverse_sweep(name, data):
    point = draw(data, name)
    assume(all(1e-50 < abs(x) < 1e50 for x in point))
    if name in ("pow", "fpow") and point[0] < 0:
        return
    tape, inputs, row = recorded(name, point)
    places = active_places(name)
    for j, seed in zip(places, inputs, strict=True):
        outer = Tape(limit=0)
        again = replay(tape, {i: Dual.input(outer, tape.values[i], float(i == seed)) for i in inputs}, "active")
        adjoints = reverse_sweep(again, {row: 1.0})
        for k, index in zip(places, inputs, strict=True):
            got = getattr(adjoints[index], "tangent", 0.0)
            want = curvature(EXACT[name], point, j, k)
            assert close(got, want, 1e-11, second_tolerance(name, point, tape.values[row], j, k)), (point, j, k)


@given(x=between(0.1, 5.0), y=between(0.1, 5.0))
@swept
def test_the_order_of_differentiation_does_not_matter(x, y):
    """A program of many primitives: forward over forward and forward over reverse give one symmetric Hessian."""

    def program(x, y):
        return MATH["sin"](x * y) ** 2 + MATH["atan2"](y, x) * MATH["lgamma"](x + y) - MATH["hypot"](x, y) ** y

    tape = Tape()
    a, b = Traced.input(tape, x), Traced.input(tape, y)
    row = program(a, b).index
    columns = tape.close()
    second = []
    for seed in (0, 1):
        outer = Tape(limit=0)
        again = replay(columns, {i: Dual.input(outer, columns.values[i], float(i == seed)) for i in (0, 1)}, "active")
        second.append([reverse_sweep(again, {row: 1.0})[i].tangent for i in (0, 1)])
    assert second[0][1] == pytest.approx(second[1][0], rel=1e-11, abs=1e-11)

    def exactly(x, y):
        return mp.sin(x * y) ** 2 + mp.atan2(y, x) * mp.log(mp.gamma(x + y)) - mp.sqrt(x * x + y * y) ** y

    for j, k in ((0, 0), (0, 1), (1, 1)):
        assert close(second[j][k], curvature(exactly, (x, y), j, k), 1e-10, 1)


# ---- higher order at zero ------------------------------------------------------------------------


def nth_derivative(function, x, order):
    """The n-th derivative of a function of one variable, by dual numbers n deep."""
    number, tapes = x, [Tape(limit=0) for _ in range(order)]
    for tape in tapes:
        number = Dual.input(tape, number, 1.0)
    result = function(number)
    for tape in reversed(tapes):
        result = result.tangent if type(result) is Dual and result.tape is tape else 0.0
    return result


@pytest.mark.parametrize("exponent", [2, 2.0])
@pytest.mark.parametrize(("order", "want"), [(1, 0.0), (2, 2.0), (3, 0.0), (4, 0.0)])
def test_the_derivatives_of_a_square_at_zero(exponent, order, want):
    """Powers at zero are the trap of ForwardDiff#331 and jax's third derivative of x**2.0, which is NaN."""
    assert nth_derivative(lambda x: x**exponent, 0.0, order) == want
    assert nth_derivative(lambda x: MATH["pow"](x, exponent), 0.0, order) == want


@pytest.mark.parametrize("n", range(7))
@pytest.mark.parametrize("order", range(1, 6))
def test_the_derivatives_of_whole_powers(n, order):
    falling = math.prod(n - i for i in range(order))
    for x in (0.0, 2.0, -3.0):
        want = falling * x ** (n - order) if order <= n else 0.0
        assert nth_derivative(lambda v: v**n, x, order) == want


def test_the_derivatives_of_whole_powers_at_a_tiny_number():
    for n, order in itertools.product(range(7), range(1, 6)):
        want = math.prod(n - i for i in range(order)) * 1e-200 ** (n - order) if order <= n else 0.0
        assert nth_derivative(lambda v, n=n: v**n, 1e-200, order) == want


# ---- kinks ---------------------------------------------------------------------------------------

# For each rule that has kinks: points that are, and points beside them that are not.
_TIES = ([(2.0, 2.0), (2.0, 2.0, 2.0), (0.0, 0.0), (-1.5, -1.5)], [])  # nothing else is recorded as a max or min
_EQUAL = ([(2.0, 2.0), (0.0, -0.0), (-1.5, -1.5)], [(2.0, math.nextafter(2, 3)), (0.0, 5e-324), (inf, 1.0)])
_ROOTS = ([(0.0, 0.5), (0.0, 0.25), (-0.0, 1 / 3)], [(5e-324, 0.5), (0.0, 1.0), (0.0, 2.0), (0.0, 0.0), (1.0, 0.5)])
KINKS = {
    "pow": _ROOTS,
    "fpow": _ROOTS,
    "mod": ([(6.0, 3.0), (0.0, 2.0), (-4.0, 2.0), (6.0, -3.0)], [(6.5, 3.0), (5.999, 3.0), (1e-9, 2.0)]),
    "floordiv": ([(6.0, 3.0), (0.0, 2.0), (-4.0, 2.0)], [(6.5, 3.0), (5.999, 3.0)]),
    "abs": ([(0.0,), (-0.0,)], [(5e-324,), (-5e-324,)]),
    "fabs": ([(0.0,), (-0.0,)], [(5e-324,), (-5e-324,)]),
    "sqrt": ([(0.0,), (-0.0,)], [(5e-324,), (1.0,)]),
    "cbrt": ([(0.0,), (-0.0,)], [(5e-324,), (-5e-324,)]),
    "asin": ([(1.0,), (-1.0,)], [(math.nextafter(1, 0),), (math.nextafter(-1, 0),), (0.0,)]),
    "acos": ([(1.0,), (-1.0,)], [(math.nextafter(1, 0),), (math.nextafter(-1, 0),), (0.0,)]),
    "acosh": ([(1.0,)], [(math.nextafter(1, 2),)]),
    "atan2": ([(0.0, 0.0), (-0.0, 0.0), (0.0, -0.0)], [(0.0, 1.0), (1e-100, 0.0), (1.0, 0.0)]),
    "hypot": ([(0.0, 0.0), (-0.0, 0.0)], [(5e-324, 0.0), (0.0, -5e-324)]),
    "norm": ([(0.0, 0.0, 0.0)], [(0.0, 5e-324, 0.0)]),
    "max": _TIES,
    "min": _TIES,
    "copysign": ([(0.0, 2.0), (2.0, 0.0), (2.0, -0.0)], [(1e-100, 2.0), (2.0, -1e-100)]),
    "fmod": ([(6.0, 3.0), (-6.0, 3.0), (6.0, -3.0)], [(0.0, 3.0), (6.5, 3.0), (-2.9, 3.0)]),
    "remainder": ([(1.0, 2.0), (-3.0, 2.0), (2.5, -1.0)], [(0.0, 2.0), (2.0, 2.0), (1.1, 2.0), (0.9, 2.0)]),
    "sign": ([(0.0,), (-0.0,)], [(5e-324,), (-5e-324,)]),
    "rint": ([(0.5,), (1.5,), (-2.5,)], [(0.0,), (1.0,), (0.49,), (-2.51,)]),
    "floor": ([(0.0,), (2.0,), (-3.0,)], [(0.5,), (1.999,), (-5e-324,)]),
    "ceil": ([(0.0,), (2.0,), (-3.0,)], [(0.5,), (1.999,), (5e-324,)]),
    "trunc": ([(2.0,), (-3.0,)], [(0.0,), (0.5,), (-0.5,), (1.999,)]),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), _EQUAL),
    "heaviside": ([(0.0, 0.5), (-0.0, 1.0)], [(5e-324, 0.5), (-5e-324, 0.5)]),
}
kinked = pytest.mark.parametrize("name", [n for n, rule in RULES.items() if rule.kink])


def test_the_list_of_kinks_is_complete():
    assert set(KINKS) == {n for n, rule in RULES.items() if rule.kink}


@kinked
def test_a_kink_is_found_where_it_is_and_nowhere_else(name):
    at, beside = KINKS[name]
    for point in at:
        assert at_kink(RULES[name], point, value_of(RULES[name])(*point)), point
    for point in beside:
        assert not at_kink(RULES[name], point, value_of(RULES[name])(*point)), point


@kinked
def test_the_stated_slopes_are_those_on_either_side(name):
    """Left and right as written in the table, against difference quotients whose step goes to zero."""
    kink = RULES[name].kink
    function = EXACT[name]
    for point in KINKS[name][0]:
        for side, stated in ((-1, kink.left), (1, kink.right)):
            if stated is None:
                continue
            coarse, fine = (one_sided(function, point, side, digits) for digits in (20, 60))
            if stated == "inf":
                assert fine > 1e6 * coarse > 1e6
            else:
                assert abs(fine - float(stated)) < 1e-20


@kinked
def test_a_kink_is_one_in_truth(name):
    """The two one-sided slopes differ, or grow without bound, or the function jumps or ends, at each listed point."""
    function = EXACT[name]
    for point in KINKS[name][0]:
        rough = False
        for k in range(len(point)):
            try:
                left, right = (one_sided(function, point, side, 40, k) for side in (-1, 1))
            except (ZeroDivisionError, ValueError):
                rough = True
                continue
            if any(isinstance(s, mp.mpc) and s.imag for s in (left, right)):
                rough = True  # the real function ends here
            else:
                rough = rough or abs(left - right) > 0.5 or abs(left) > 1e15
        assert rough, point


# ---- the written policy --------------------------------------------------------------------------


def both_ways(program, *point):
    """The derivatives of a program with respect to all its arguments: forward one by one, forward together, reverse."""
    from ad_magic.engine.dual import Directions

    n = len(point)
    tape = Tape(limit=0)
    ahead = []
    for k in range(n):
        z = program(*(Dual.input(tape, x, float(j == k)) for j, x in enumerate(point)))
        ahead.append(z.tangent if type(z) is Dual else 0.0)
    z = program(*(Dual.input(tape, x, Directions(float(j == k) for k in range(n))) for j, x in enumerate(point)))
    together = list(z.tangent) if isinstance(z.tangent, tuple) else [0.0] * n
    tape = Tape()
    numbers = [Traced.input(tape, x) for x in point]
    row = program(*numbers).index
    adjoints = reverse_sweep(tape.close(), {row: 1.0})
    columns = tape.columns
    pushed = [forward_sweep(columns, {i.index: 1.0})[row] for i in numbers]
    return {"dual": ahead, "directions": together, "reverse": [adjoints[i.index] for i in numbers], "sweep": pushed}


sqrt, cbrt, hypot, atan2 = (MATH[name] for name in ("sqrt", "cbrt", "hypot", "atan2"))
POLICY = {
    "abs at 0": (abs, (0.0,), [0.0]),
    "abs at -0": (abs, (-0.0,), [0.0]),
    "fabs at 0": (MATH["fabs"], (0.0,), [0.0]),
    "hypot at the origin": (hypot, (0.0, 0.0), [0.0, 0.0]),
    "hypot of three at the origin": (hypot, (0.0, 0.0, 0.0), [0.0, 0.0, 0.0]),
    "hypot of one at the origin": (hypot, (0.0,), [0.0]),
    "dist of a point to itself": (lambda x, y: MATH["dist"]((x, y), (1.0, 2.0)), (1.0, 2.0), [0.0, 0.0]),
    "sqrt at 0": (sqrt, (0.0,), [inf]),
    "sqrt at -0": (sqrt, (-0.0,), [inf]),
    "cbrt at 0": (cbrt, (0.0,), [inf]),
    "cbrt at -0": (cbrt, (-0.0,), [inf]),
    "x**0.5 at 0": (lambda x: x**0.5, (0.0,), [inf]),
    "pow(x, 0.5) at 0": (lambda x: MATH["pow"](x, 0.5), (0.0,), [inf]),
    "x**0 at 0": (lambda x: x**0, (0.0,), [0.0]),
    "x**0.0 at 0": (lambda x: x**0.0, (0.0,), [0.0]),
    "x**0 at the smallest number": (lambda x: x**0, (5e-324,), [0.0]),
    "x**1 at the smallest number": (lambda x: x**1, (5e-324,), [1.0]),
    "x**0 at 3": (lambda x: x**0, (3.0,), [0.0]),
    "x**1 at 0": (lambda x: x**1, (0.0,), [1.0]),
    "x**1.0 at 0": (lambda x: x**1.0, (0.0,), [1.0]),
    "x**2 at 0": (lambda x: x**2, (0.0,), [0.0]),
    "x**1.5 at 0": (lambda x: x**1.5, (0.0,), [0.0]),
    "0**y for y > 0": (lambda y: 0**y, (2.0,), [0.0]),
    "0.0**y for y > 0": (lambda y: 0.0**y, (0.5,), [0.0]),
    "x**y at (0, 2)": (lambda x, y: x**y, (0.0, 2.0), [0.0, 0.0]),
    "x**y at (0, 1)": (lambda x, y: x**y, (0.0, 1.0), [1.0, 0.0]),
    "(-2)**y has no real derivative": (lambda y: (-2.0) ** y, (2.0,), [nan]),
    "(-2)**y does not hurt x": (lambda x, y: (x - 5.0) ** y, (3.0, 2.0), [-4.0, nan]),
    "asin at 1": (MATH["asin"], (1.0,), [inf]),
    "asin at -1": (MATH["asin"], (-1.0,), [inf]),
    "acos at 1": (MATH["acos"], (1.0,), [-inf]),
    "acosh at 1": (MATH["acosh"], (1.0,), [inf]),
    "atan2 at the origin": (atan2, (0.0, 0.0), [nan, nan]),
    "copysign at 0": (lambda x: MATH["copysign"](x, -1.0), (0.0,), [0.0]),
    "copysign of the sign": (lambda y: MATH["copysign"](3.0, y), (-2.0,), [0.0]),
    "copysign(x, -1)": (lambda x: MATH["copysign"](x, -1.0), (3.0,), [-1.0]),
    "copysign(x, -1) of a negative": (lambda x: MATH["copysign"](x, -1.0), (-3.0,), [1.0]),
    "fmod(7, 3)": (MATH["fmod"], (7.0, 3.0), [1.0, -2.0]),
    "fmod(-7, 3)": (MATH["fmod"], (-7.0, 3.0), [1.0, 2.0]),
    "remainder(7, 3)": (MATH["remainder"], (7.0, 3.0), [1.0, -2.0]),
    "remainder(8, 3)": (MATH["remainder"], (8.0, 3.0), [1.0, -3.0]),
    "7 % 3": (lambda a, b: a % b, (7.0, 3.0), [1.0, -2.0]),
    "-7 % 3": (lambda a, b: a % b, (-7.0, 3.0), [1.0, 3.0]),
    "a jump takes the slope beside it": (lambda a, b: a % b, (6.0, 3.0), [1.0, -2.0]),
    "floor division": (lambda a, b: a // b, (7.0, 3.0), [0.0, 0.0]),
    "round to digits": (lambda a: round(a, 1), (7.25,), [0.0]),
    # zero times infinity: an exact zero is absent
    "sqrt(x**2) at 0": (lambda x: sqrt(x**2), (0.0,), [0.0]),
    "sqrt(x*x) at 0": (lambda x: sqrt(x * x), (0.0,), [0.0]),
    "(x*x)**0.5 at 0": (lambda x: (x * x) ** 0.5, (0.0,), [0.0]),
    "sqrt(x*x + y*y) at 0": (lambda x, y: sqrt(x * x + y * y), (0.0, 0.0), [0.0, 0.0]),
    "cbrt(x**3) at 0": (lambda x: cbrt(x**3), (0.0,), [0.0]),
    "sqrt(0*x)": (lambda x: sqrt(0 * x), (3.0,), [0.0]),
    "sqrt(x - x)": (lambda x: sqrt(x - x), (3.0,), [0.0]),
    "sqrt(0.0*x)": (lambda x: sqrt(0.0 * x), (3.0,), [0.0]),
    "sqrt(x)*0.0 at 0": (lambda x: sqrt(x) * 0.0, (0.0,), [0.0]),
    "sqrt(x)**2 at 0": (lambda x: sqrt(x) ** 2, (0.0,), [0.0]),  # by the rule: 0 * inf is absent
    "x*sqrt(y) at y=0": (lambda x, y: x * sqrt(y), (2.0, 0.0), [0.0, inf]),
    "0*sqrt(y) beside x": (lambda x, y: x + hypot(x, y) * 0, (0.0, 0.0), [1.0, 0.0]),
    "tanh far out": (MATH["tanh"], (800.0,), [0.0]),
    "erf far out": (MATH["erf"], (40.0,), [0.0]),
    "acosh far out": (lambda x: MATH["acosh"](x) * 1e200, (1e200,), [1.0]),
    "ldexp beyond 2**1023": (lambda x: MATH["ldexp"](x, 1024), (0.001,), [inf]),
    "sqrt(x)*0 at 0": (lambda x: sqrt(x) * 0, (0.0,), [0.0]),
    "sqrt(x)*0 + y at x=0": (lambda x, y: sqrt(x) * 0 + y, (0.0, 1.0), [0.0, 1.0]),
    "asin(x)*0 at 1": (lambda x: 0.0 * MATH["asin"](x), (1.0,), [0.0]),
    "sqrt(-x) at 0": (lambda x: sqrt(-x), (0.0,), [-inf]),  # it falls to 0 from the left
    "sqrt(0 - x) at 0": (lambda x: sqrt(0.0 - x), (0.0,), [-inf]),
    "logaddexp of two that are nothing": (lambda x, y: apply("logaddexp", x, y), (-inf, -inf), [0.5, 0.5]),
    "logaddexp of one that is nothing": (lambda x, y: apply("logaddexp", x, y), (-inf, 2.0), [0.0, 1.0]),
    "logaddexp far out": (lambda x, y: apply("logaddexp", x, y), (1000.0, 0.0), [1.0, 0.0]),
    "maximum at a tie": (lambda x, y: apply("maximum", x, y), (2.0, 2.0), [0.5, 0.5]),
    "minimum at a tie": (lambda x, y: apply("minimum", x, y), (2.0, 2.0), [0.5, 0.5]),
    "maximum: a NaN wins": (lambda x, y: apply("maximum", x, y), (nan, 2.0), [1.0, 0.0]),
    "fmax: a NaN is ignored": (lambda x, y: apply("fmax", x, y), (nan, 2.0), [0.0, 1.0]),
    "fmin: a NaN is ignored": (lambda x, y: apply("fmin", x, y), (2.0, nan), [1.0, 0.0]),
    "heaviside at 0": (lambda x, y: apply("heaviside", x, y), (0.0, 0.5), [0.0, 1.0]),
    "reciprocal far out": (lambda x: apply("reciprocal", x), (1e200,), [0.0]),
}
BROKEN = {("sqrt(x - x)", "reverse"): "LIMIT: the reverse sweep adds inf and -inf; NaN is flagged"}


@pytest.mark.parametrize("way", ["dual", "directions", "reverse", "sweep"])
@pytest.mark.parametrize("case", POLICY)
def test_the_written_policy(case, way, request):
    if (case, way) in BROKEN:
        request.applymarker(pytest.mark.xfail(strict=True, reason=BROKEN[case, way]))
    program, point, want = POLICY[case]
    got = both_ways(program, *point)[way]
    assert got == pytest.approx(want, rel=1e-14, abs=0, nan_ok=True)


# ---- no partial ever raises ----------------------------------------------------------------------

EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 5e-324, 1e-200, 1e200, -1e200, 1.7e308, -1.7e308, 800.0, inf, -inf, nan)


def edge_points(name):
    """Every combination of extreme arguments at which the primitive itself has a real value."""
    places = active_places(name)
    choices = [
        EDGES if k in places else (0, 1, -1, 1024, 2000)
        for k in range(3 if RULES[name].variadic else len(RULES[name].partials))
    ]
    choices = [(0, 1, 2) if name == "polygamma" and k == 0 else c for k, c in enumerate(choices)]
    if len(choices) == 3:
        choices = [(*c[:10:2], inf, nan) for c in choices]
    for point in [(x,) * 3 for x in EDGES] if name in TIES else itertools.product(*choices):
        try:
            z = value_of(RULES[name])(*point)
        except (ArithmeticError, ValueError):
            continue
        if not isinstance(z, complex):
            yield point, z


@sweep
def test_no_partial_ever_raises(name):
    rule, found = RULES[name], 0
    for point, z in edge_points(name):
        for k in active_places(name):
            got = partial(rule, k, point, z)
            assert isinstance(got, (float, int)), (point, k)
            found += 1
    assert found


@sweep
def test_forward_and_reverse_agree_at_the_extremes(name):
    for point, _ in edge_points(name):
        tape, inputs, row = recorded(name, point)
        adjoints = reverse_sweep(tape, {row: 1.0})
        places = active_places(name)
        for k, index in zip(places, inputs, strict=True):
            seeds = [float(j == k) if j in places else None for j in range(len(point))]
            got = forward(name, point, seeds)
            want = adjoints[index]
            assert got == want or (got != got and want != want), (point, k, got, want)
            pushed = forward_sweep(tape, {index: 1.0})[row]
            assert pushed == want or (pushed != pushed and want != want), (point, k)


# ---- the operations made from the rules ----------------------------------------------------------


@sweep
@swept
@given(data=st.data())
def test_pull_and_push_of_every_pattern_use_the_partials(name, data):
    """Whichever operands are active: the generated functions are adjoint to each other."""
    rule = RULES[name]
    if rule.variadic:
        return
    point = draw(data, name)
    z = value_of(rule)(*point)
    assume(math.isfinite(z))
    for active in patterns(len(rule.partials)):
        if any(k in WHOLE.get(name, ()) for k, on in enumerate(active) if on):
            continue
        op = operation(name, active)
        values = [*point, z]
        columns = [k if on else x for k, (on, x) in enumerate(zip(active, point, strict=True))]
        left, right = (tuple(columns), None) if len(columns) > 2 else (columns[0], [*columns, None][1])
        adjoints = [0.0] * len(values)
        try:
            op.pull(adjoints, 1.0, left, right, values, z)
        except (ArithmeticError, ValueError):  # a singular point: the sweeps then take op.partials
            assert name in ("pow", "fpow")
            continue
        for k, on in enumerate(active):
            want = float(partial_of(rule, k, point, z)) if on else 0.0
            assert_same(adjoints[k], want)
            tangents = [float(j == k) for j in range(len(values))]
            pushed = op.push(tangents, left, right, values, z)
            assert (pushed != pushed and want != want) or pushed == pytest.approx(want, nan_ok=True)
        assert len(op.partials(left, right, values, z)) == sum(active) == len(op.parents(left, right))


@pytest.mark.parametrize("way", ["forward over forward", "forward over reverse"])
@pytest.mark.parametrize("y", [0.0, 1.0, 2.0, 3.0, -1.0, 0.5])
def test_the_mixed_second_derivative_of_a_power(y, way):
    """d²/dxdy x**y at x = 3 is x**(y-1) (1 + y log x), in either order: a branch on the exponent's value forgets it."""
    want = 3.0 ** (y - 1) * (1 + y * math.log(3.0))
    got = []
    for j in (0, 1):
        if way == "forward over forward":
            outer, inner = Tape(limit=0), Tape(limit=0)
            point = [3.0, y]
            point[j] = Dual.input(outer, point[j], 1.0)
            point[1 - j] = Dual.input(inner, point[1 - j], 1.0)
            got.append(getattr((point[0] ** point[1]).tangent, "tangent", 0.0))
        else:
            tape, inputs, row = recorded("pow", (3.0, y))
            outer = Tape(limit=0)
            seeded = {i: Dual.input(outer, tape.values[i], float(i == inputs[j])) for i in inputs}
            adjoints = reverse_sweep(replay(tape, seeded, "active"), {row: 1.0})
            got.append(getattr(adjoints[inputs[1 - j]], "tangent", 0.0))
    assert got == pytest.approx([want, want])


@pytest.mark.parametrize(
    ("name", "x", "want"),
    [
        ("tanh", 800.0, 0.0),
        ("sqrt", 0.0, -inf),
    ],
)
def test_second_order_at_a_singular_partial_does_not_raise(name, x, want):
    assert nth_derivative(MATH[name], x, 2) == want
