"""NUMBERS, forward: dual numbers as a user holds and prints them."""

from __future__ import annotations

import copy
import math
import operator
import pickle
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import EXACT, close, slope, swept

from ad_magic import Dual, eps, primal
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.dual import Directions
from ad_magic.engine.tape import Tape

# ---- the lecture's second program ----------------------------------------------------------------


def test_program_two_of_the_lecture():
    x = 1
    assert str(7 * (x + eps) ** 2 + 3 * (x + eps) + 4) == "14 + 17ε"


def test_the_product_of_the_lecture():
    assert repr(Dual(4, 2) * Dual(6, 2)) == "24 + 20ε"


def test_epsilon_squared_is_zero():
    square = eps * eps
    assert (square.value, square.tangent) == (0, 0)
    assert repr((2 + eps) ** 2) == "4 + 4ε"
    assert repr(eps) == "0 + 1ε"


def test_the_chain_rule_by_hand():
    """d/dx x / (1 + x²) at 2 is (1 - 4) / 25."""
    x = Dual(2.0, 1.0)
    y = x / (1 + x * x)
    assert y.value == pytest.approx(0.4)
    assert y.tangent == pytest.approx(-3 / 25)


# ---- several directions --------------------------------------------------------------------------


def test_several_directions_at_once():
    x, y = Dual(3.0, (1, 0)), Dual(2.0, (0, 1))
    z = x * y
    assert (z.value, tuple(z.tangent)) == (6.0, (2.0, 3.0))
    assert repr(z) == "6 + 2ε₁ + 3ε₂"
    assert repr(x - 2 * y) == "-1 + 1ε₁ - 2ε₂"
    assert z._repr_latex_() == r"$6 + 2\varepsilon_{1} + 3\varepsilon_{2}$"


def test_a_list_gives_directions_too():
    assert tuple((Dual(3.0, [1.0, 2.0, 4.0]) * 2).tangent) == (2.0, 4.0, 8.0)


def test_eleven_directions_have_two_digits():
    assert repr(Dual(1.0, [0.0] * 10 + [1.0])).endswith(" + 0ε₁₀ + 1ε₁₁")


def test_different_numbers_of_directions_do_not_mix():
    with pytest.raises(ValueError, match="2 and with 3 directions"):
        Dual(1.0, (1, 0)) + Dual(1.0, (1, 0, 0))


def test_directions_are_a_vector():
    a, b = Directions((1.0, -2.0)), Directions((0.5, 4.0))
    assert tuple(a + b) == (1.5, 2.0)
    assert tuple(a - b) == (0.5, -6.0)
    assert tuple(-a) == (-1.0, 2.0)
    assert tuple(3 * a) == tuple(a * 3) == (3.0, -6.0)
    assert tuple(0.0 + a) == tuple(a + 0.0) == (1.0, -2.0)
    assert tuple(0.0 - a) == (-1.0, 2.0)
    assert tuple(math.inf * Directions((0.0, 1.0))) == (0.0, math.inf)  # an absent tangent stays absent


@given(st.floats(-10, 10), st.floats(0.1, 10))
@swept
def test_the_directions_are_the_partials(x, y):
    z = Dual(x, (1, 0)) * 3 - Dual(y, (0, 1)) ** 2 / Dual(x + 20, (1, 0))
    assert z.tangent[0] == pytest.approx(3 + y**2 / (x + 20) ** 2)
    assert z.tangent[1] == pytest.approx(-2 * y / (x + 20))


# ---- every operator, both ways round -------------------------------------------------------------

OPERATORS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "mod": operator.mod,
    "floordiv": operator.floordiv,
    "pow": operator.pow,
}
OTHERS = [3, -2, True, 2.5, Fraction(5, 2), np.float64(2.5), np.float32(1.5), np.int64(3), np.bool_(True), 10**20]


def same_number(x, y):
    return type(x) is type(y) and (x == y or (x != x and y != y))


@pytest.mark.parametrize("other", OTHERS, ids=lambda x: f"{type(x).__name__} {x}")
@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_with_every_number_both_ways_round(name, other):
    operation, x = OPERATORS[name], 2.25
    for reflected in (False, True):
        plain = float(other) if not isinstance(other, (int, np.bool_)) else int(other)  # a Fraction acts as a float
        try:
            want = operation(plain, x) if reflected else operation(x, plain)
        except OverflowError:
            with pytest.raises(OverflowError):
                operation(other, Dual(x, 1.0)) if reflected else operation(Dual(x, 1.0), other)
            continue
        got = operation(other, Dual(x, 1.0)) if reflected else operation(Dual(x, 1.0), other)
        if isinstance(want, complex):  # (-2) ** 2.25
            assert complex(primal(got.real), primal(got.imag)) == pytest.approx(want, rel=1e-14)
            continue
        assert type(got) is Dual
        assert same_number(float(got.value) if isinstance(other, np.float64) else got.value, want)
        point = (float(other), x) if reflected else (x, float(other))
        assert close(got.tangent, slope(EXACT[name], point, 1 if reflected else 0), 1e-13)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_in_place(name):
    x = Dual(7.5, 1.0)
    y = x
    y = getattr(operator, "i" + {"div": "truediv"}.get(name, name))(y, 2)
    assert y.value == OPERATORS[name](7.5, 2)
    assert (x.value, x.tangent) == (7.5, 1.0)  # a number is never changed


@pytest.mark.parametrize("other", [None, "text", [1.0], object(), Decimal(1)], ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("name", OPERATORS)
def test_what_a_float_refuses_a_dual_number_refuses(name, other):
    with pytest.raises(TypeError):
        OPERATORS[name](1.5, other)
    with pytest.raises(TypeError):
        OPERATORS[name](Dual(1.5, 1.0), other)
    if (name, other) == ("mod", "text"):  # formatting: a number that takes an index, as NumPy's do, counts as a mapping
        return
    with pytest.raises(TypeError):
        OPERATORS[name](other, Dual(1.5, 1.0))


def test_unary_operators():
    x = Dual(-3.0, 2.0)
    assert repr(-x) == "3 - 2ε"
    assert +x is x
    assert repr(abs(x)) == "3 - 2ε"
    assert repr(abs(Dual(3.0, 2.0))) == "3 + 2ε"
    assert (abs(Dual(0.0, 1.0)).value, abs(Dual(0.0, 1.0)).tangent) == (0.0, 0.0)


@pytest.mark.parametrize("x", [7.5, -7.5])
@pytest.mark.parametrize("y", [2, 2.5, -3.0, Fraction(5, 2), np.float64(2.5)])
def test_divmod_both_ways_round(x, y):
    for got, want in ((divmod(Dual(x, 1.0), y), divmod(x, float(y))), (divmod(y, Dual(x, 1.0)), divmod(float(y), x))):
        quotient, rest = got
        assert (primal(quotient), primal(rest)) == want
    quotient, rest = divmod(Dual(x, 1.0), y)
    assert (quotient.tangent, rest.tangent) == (0.0, 1.0)
    quotient, rest = divmod(y, Dual(x, 1.0))
    assert rest.tangent == -(float(y) // x)


def test_pow_in_its_three_forms():
    x, n = Dual(3.0, 1.0), Dual(2.0, 1.0)
    assert repr(pow(x, 2)) == "9 + 6ε"
    assert pow(2, n).tangent == pytest.approx(4 * math.log(2))
    assert (x**n).tangent == pytest.approx(6 + 9 * math.log(3))  # d/dt (3+t)**(2+t)
    assert repr(pow(x, 2, None)) == "9 + 6ε"
    with pytest.raises(TypeError) as plain:
        pow(3.0, 2, 5)
    with pytest.raises(TypeError) as ours:
        pow(x, 2, 5)
    assert str(ours.value) == str(plain.value)


@pytest.mark.parametrize(
    "error",
    [
        (lambda x: x / 0),
        (lambda x: 1 / (x - x)),
        (lambda x: x % 0),
        (lambda x: x // 0.0),
        (lambda x: (x - x) ** -1),
        (lambda x: divmod(x, 0)),
        (lambda x: x**10000 * 1.0),
        (lambda x: x * 10**400),
    ],
)
def test_what_a_float_raises_a_dual_number_raises(error):
    with pytest.raises(ArithmeticError) as plain:
        error(2.5)
    with pytest.raises(type(plain.value)) as ours:
        error(Dual(2.5, 1.0))
    if "divmod" not in str(plain.value):
        assert str(ours.value) == str(plain.value)


def test_a_negative_number_to_a_broken_power_is_complex():
    root = Dual(-8.0, 1.0) ** (1 / 3)
    assert complex(primal(root.real), primal(root.imag)) == pytest.approx((-8.0) ** (1 / 3))
    assert isinstance(root, complex)
    want = (1 / 3) * (-8.0 + 0j) ** (-2 / 3)
    assert complex(root.real.tangent, root.imag.tangent) == pytest.approx(want)


def test_a_number_with_a_complex_number():
    for z in (Dual(2.0, 1.0) * 1j, 1j * Dual(2.0, 1.0), Dual(2.0, 1.0) * np.complex128(1j)):
        assert (primal(z.real), primal(z.imag), z.imag.tangent) == (0.0, 2.0, 1.0)


# ---- looking at the value ------------------------------------------------------------------------

COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "other", [2, 2.5, 3, True, Fraction(5, 2), np.float64(2.5), 10**400, math.nan, math.inf], ids=str
)
def test_comparisons_are_those_of_the_values(compare, other):
    for x in (2.5, 1.0, math.nan):
        number = Dual(x, 7.0)
        assert isinstance(compare(number, other), (bool, np.bool_))
        assert compare(number, other) == compare(x, other)
        assert compare(number, Dual(2.5, 1.0)) is compare(x, 2.5)
        if not isinstance(other, Fraction):
            assert compare(other, number) == compare(other, x)


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda f: f.__name__)
def test_a_fraction_on_the_left_of_a_comparison(compare):
    assert compare(Fraction(5, 2), Dual(2.5, 1.0)) is compare(Fraction(5, 2), 2.5)


def test_equality_with_a_complex_number():
    assert Dual(1.0, 1.0) == (1 + 0j)


def test_equality_with_anything_else():
    assert Dual(1.0, 1.0) != "1"
    assert (Dual(1.0, 1.0) == None) is False  # noqa: E711  `==` is what is tested
    with pytest.raises(TypeError):
        operator.lt(Dual(1.0, 1.0), "1")


def test_equal_numbers_have_equal_hashes():
    x = Dual(2.0, 1.0)
    assert x == 2 == Dual(2.0, 5.0)
    assert hash(x) == hash(2.0) == hash(2)
    assert {2.0: "two"}[x] == "two"
    assert {x: "two"}[2] == "two"
    assert 2.0 in {x, 5.0}


@pytest.mark.parametrize("look", [bool, int, round, math.floor, math.ceil, math.trunc], ids=lambda f: f.__name__)
@pytest.mark.parametrize("x", [2.5, -2.5, 0.0, -0.0, 3.5, 1e18])
def test_whole_numbers_are_plain(look, x):
    got = look(Dual(x, 1.0))
    assert type(got) is type(look(x))
    assert got == look(x)


@pytest.mark.parametrize("look", [int, round, math.floor, math.ceil, math.trunc], ids=lambda f: f.__name__)
@pytest.mark.parametrize("x", [math.inf, math.nan])
def test_what_has_no_whole_number(look, x):
    with pytest.raises((ValueError, OverflowError)) as plain:
        look(x)
    with pytest.raises(type(plain.value), match=str(plain.value)):
        look(Dual(x, 1.0))


def test_round_to_digits_stays_a_number_and_its_derivative_is_zero():
    x = round(Dual(2.675, 1.0), 1)
    assert (x.value, x.tangent) == (2.7, 0.0)
    assert round(Dual(1234.5, 1.0), -2).value == 1200.0
    assert round(Dual(2.5, 1.0), None) == 2


def test_it_is_a_float_to_those_who_ask():
    x = Dual(2.5, 1.0)
    assert isinstance(x, float)
    assert not isinstance(x, int)
    assert type(x) is Dual
    assert x.real is x
    assert x.imag == 0.0
    assert x.conjugate() is x
    assert (x.is_integer(), Dual(2.0, 1.0).is_integer()) == (False, True)
    assert x.hex() == (2.5).hex()
    import numbers

    assert isinstance(x, numbers.Real)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: copy.deepcopy([x])[0], lambda x: copy.deepcopy({"k": (x,)})["k"][0]]
)
def test_a_copy_is_the_same_variable(copied):
    x = Dual(3.0, 1.0)
    assert copied(x) is x
    assert (copied(x) * x).tangent == 6.0


# ---- a derivative is never lost in silence -------------------------------------------------------


@pytest.mark.parametrize(
    "cut",
    [
        float,
        complex,
        math.sin,
        lambda x: x.as_integer_ratio(),
        pickle.dumps,
        lambda x: math.fsum([x]),
        lambda x: np.array([1.0]).__setitem__(0, x),
    ],
)
def test_what_would_cut_the_derivative_raises_and_says_so(cut):
    with pytest.raises((LostDerivative, ValueError, TypeError)) as lost:
        cut(Dual(2.0, 1.0))
    cause = lost.value if isinstance(lost.value, LostDerivative) else lost.value.__cause__
    assert isinstance(cause, LostDerivative)
    assert "derivative" in str(cause)


def test_the_message_names_the_line_and_what_to_write():
    with pytest.raises(LostDerivative) as lost:
        float(Dual(2.0, 1.0))
    line = lost.traceback[0].lineno + 1
    assert f"test_dual.py, line {line}:" in str(lost.value)
    assert "primal(x)" in str(lost.value)
    assert isinstance(lost.value, TypeError)


def test_primal_takes_the_value_on_purpose():
    assert primal(Dual(2.0, 1.0)) == 2.0
    assert type(primal(Dual(2.0, 1.0))) is float
    assert primal(Dual(Dual(2.0, 1.0), 1.0)) == 2.0
    assert primal("text") == "text"


# ---- as text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Dual(14.0, 17.0), "14 + 17ε"),
        (Dual(1.5, -2.25), "1.5 - 2.25ε"),
        (Dual(-1, 0), "-1 + 0ε"),
        (Dual(1e300, 1e-300), "1e+300 + 1e-300ε"),
        (Dual(0.1, 1), "0.1 + 1ε"),
        (Dual(1e20, 1.0), "1e+20 + 1ε"),
        (Dual(math.inf, math.nan), "inf + nanε"),
        (Dual(2.0), "2 + 0ε"),
        (Dual(Dual(1, 2), Dual(3, 4)), "(1 + 2ε) + (3 + 4ε)ε"),
    ],
)
def test_how_it_prints(number, text):
    assert str(number) == repr(number) == f"{number}" == text


def test_formatting_applies_to_each_part():
    x = Dual(1, 3) / 7
    assert f"{x:.3f}" == "0.143 + 0.429ε"
    assert f"{-x:.3f}" == "-0.143 - 0.429ε"
    assert f"{x!r}" == repr(x)
    assert f"{Dual(2, 1):.2f}" == "2.00 + 1.00ε"
    with pytest.raises(ValueError):
        f"{x:nonsense}"


def test_percent_formatting_takes_the_value():
    x = Dual(2.5, 1.0)
    assert "%.3f" % x == "2.500"
    assert "%.1f and %d" % (x, x) == "2.5 and 2"
    template = "%e"
    assert template % x == "2.500000e+00"
    template %= x
    assert template == "2.500000e+00"
    assert "%s" % x == "2.5 + 1ε"


def test_latex():
    assert (Dual(1.5, -2)._repr_latex_()) == r"$1.5 - 2\varepsilon$"


def test_a_number_of_a_run_prints_as_its_value():
    """While a cell runs, print(x) shows what a plain run would show."""
    x = Dual.input(Tape(limit=0), 2.5, 1.0)
    assert (str(x), repr(x), f"{x}") == ("2.5", "2.5", "2.5")
    assert (f"{x:.2f}", "%g" % x, x._repr_latex_()) == ("2.50", "2.5", None)


# ---- dual numbers in dual numbers ----------------------------------------------------------------


def test_second_derivatives_by_hand():
    x = Dual(Dual(3.0, 1.0), Dual(1.0, 0.0))
    y = x**3
    assert (y.value.value, y.tangent.value, y.tangent.tangent) == (27.0, 27.0, 18.0)


def test_polynomials_over_fractions_and_ints_stay_exact_in_value():
    assert primal((2 + eps) ** 10) == 1024
    assert ((2 + eps) ** 10).tangent == 5120


def test_numbers_of_numbers_before_anything_else_is_loaded():
    """Where the value of a row is the first thing that is asked for."""
    program = """
from ad_magic.rules import RULES
from ad_magic.engine.operation import value_of
hypot = value_of(RULES["hypot"], "active")
from ad_magic import Dual
print(hypot(Dual(3.0, 1.0), 4.0))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "5 + 0.6ε"
