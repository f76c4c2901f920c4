"""NUMBERS: the functions of scipy.special. Values and slopes against mpmath, through real cells and by the table."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from oracles import close, curvature, exact, mp, one_sided, slope
from scipy import special

from ad_magic import Dual, grad, jvp
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.arrays.special import handler
from ad_magic.engine.operation import partial_of, value_of
from ad_magic.engine.record import apply
from ad_magic.engine.tape import Tape, forward_sweep, replay, reverse_sweep
from ad_magic.engine.traced import Traced
from ad_magic.rules import RULES, compile_expression
from ad_magic.rules.number import COMPLEX, PLAIN, NotAnalytic
from ad_magic.rules.special import FIXED, OTHERS, ROWS, SEVERAL

inf, nan = math.inf, math.nan

# ---- each row once more, in mpmath ---------------------------------------------------------------


def _root_of(function, guess):
    """The inverse of an increasing or decreasing function, from a number near it."""
    return lambda *args: mp.findroot(lambda t: function(*args[:-1], t) - args[-1], guess(*args))


def _scipys(name):
    return lambda *args: mp.mpf(float(getattr(special, name)(*map(float, args))))


def _ndtr(a):
    return mp.erfc(-a / mp.sqrt(2)) / 2


def _kind(a, b):
    return (mp.power(a, b) - 1) / b if b else mp.log(a)


def _gamma_p(a, b):
    return mp.gammainc(a, 0, b, regularized=True)


def _beta_p(a, b, c):
    return mp.betainc(a, b, 0, c, regularized=True)


def _xlogy(a, b):
    return a * mp.log(b) if a else mp.mpf(0)


def _gegenbauer(n, b, a):
    """By the recurrence of DLMF 18.9.1; mpmath has no answer at 0."""
    before, now = mp.mpf(0), mp.mpf(1)
    for k in range(n):
        before, now = now, (2 * (k + b) * a * now - (k + 2 * b - 1) * before) / (k + 1)
    return now


def _owens(h, a):
    return mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a]) / (2 * mp.pi)


EXACT = {
    "erfcx": lambda a: mp.exp(a * a) * mp.erfc(a),
    "erfi": mp.erfi,
    "dawsn": lambda a: mp.sqrt(mp.pi) / 2 * mp.exp(-a * a) * mp.erfi(a),
    "erfinv": mp.erfinv,
    "erfcinv": lambda a: mp.erfinv(1 - a),
    "ndtr": _ndtr,
    "ndtri": lambda a: mp.sqrt(2) * mp.erfinv(2 * a - 1),
    "log_ndtr": lambda a: mp.log(_ndtr(a)),
    "ndtri_exp": lambda a: mp.sqrt(2) * mp.erfinv(2 * mp.exp(a) - 1),
    "owens_t": _owens,
    "gammaln": lambda a: mp.log(abs(mp.gamma(a))),
    "loggamma": mp.loggamma,
    "rgamma": mp.rgamma,
    "digamma": mp.digamma,
    "zeta": mp.zeta,
    "beta": mp.beta,
    "betaln": lambda a, b: mp.log(mp.beta(a, b)),
    "binom": mp.binomial,
    "poch": mp.rf,
    "gammainc": _gamma_p,
    "gammaincc": lambda a, b: 1 - _gamma_p(a, b),
    "gammaincinv": _root_of(_gamma_p, _scipys("gammaincinv")),
    "gammainccinv": _root_of(lambda a, b: 1 - _gamma_p(a, b), _scipys("gammainccinv")),
    "betainc": _beta_p,
    "betaincc": lambda a, b, c: 1 - _beta_p(a, b, c),
    "betaincinv": _root_of(_beta_p, _scipys("betaincinv")),
    "expit": lambda a: 1 / (1 + mp.exp(-a)),
    "logit": lambda a: mp.log(a / (1 - a)),
    "log_expit": lambda a: -mp.log(1 + mp.exp(-a)),
    "exp10": lambda a: mp.power(10, a),
    "exprel": lambda a: (mp.exp(a) - 1) / a,
    "cosm1": lambda a: mp.cos(a) - 1,
    "powm1": lambda a, b: mp.power(a, b) - 1,
    "expi": mp.ei,
    "exp1": mp.e1,
    "expn": mp.expint,
    "si": mp.si,
    "ci": mp.ci,
    "shi": mp.shi,
    "chi": lambda a: mp.re(mp.chi(a)),
    "fresnel_s": mp.fresnels,
    "fresnel_c": mp.fresnelc,
    "spence": lambda a: mp.re(mp.polylog(2, 1 - a)),
    "lambertw": lambda a, k: mp.re(mp.lambertw(a, int(k))),
    "wrightomega": lambda a: mp.re(mp.lambertw(mp.exp(a))),
    "xlogy": _xlogy,
    "xlog1py": lambda a, b: _xlogy(a, 1 + b),
    "entr": lambda a: -_xlogy(a, a),
    "rel_entr": lambda a, b: a * mp.log(a / b),
    "kl_div": lambda a, b: a * mp.log(a / b) - a + b,
    "huber": lambda a, b: b * b / 2 if abs(b) <= a else a * (abs(b) - a / 2),
    "pseudo_huber": lambda a, b: a * a * (mp.sqrt(1 + (b / a) ** 2) - 1),
    "boxcox": _kind,
    "boxcox1p": lambda a, b: _kind(1 + a, b),
    "inv_boxcox": lambda a, b: mp.power(a * b + 1, 1 / b) if b else mp.exp(a),
    "inv_boxcox1p": lambda a, b: (mp.power(a * b + 1, 1 / b) if b else mp.exp(a)) - 1,
    "hyp0f1": mp.hyp0f1,
    "hyp1f1": mp.hyp1f1,
    "j0": lambda a: mp.besselj(0, a),
    "j1": lambda a: mp.besselj(1, a),
    "jv": mp.besselj,
    "y0": lambda a: mp.bessely(0, a),
    "y1": lambda a: mp.bessely(1, a),
    "yv": mp.bessely,
    "i0": lambda a: mp.besseli(0, a),
    "i1": lambda a: mp.besseli(1, a),
    "iv": mp.besseli,
    "i0e": lambda a: mp.exp(-abs(a)) * mp.besseli(0, a),
    "i1e": lambda a: mp.exp(-abs(a)) * mp.besseli(1, a),
    "ive": lambda v, a: mp.exp(-abs(a)) * mp.besseli(v, a),
    "k0": lambda a: mp.besselk(0, a),
    "k1": lambda a: mp.besselk(1, a),
    "kv": mp.besselk,
    "k0e": lambda a: mp.exp(a) * mp.besselk(0, a),
    "k1e": lambda a: mp.exp(a) * mp.besselk(1, a),
    "kve": lambda v, a: mp.exp(a) * mp.besselk(v, a),
    "airy_ai": mp.airyai,
    "airy_aip": lambda a: mp.airyai(a, derivative=1),
    "airy_bi": mp.airybi,
    "airy_bip": lambda a: mp.airybi(a, derivative=1),
    "eval_legendre": lambda n, a: mp.legendre(int(n), a),
    "eval_gegenbauer": lambda n, b, a: _gegenbauer(int(n), b, a),
    "eval_chebyt": lambda n, a: mp.chebyt(int(n), a),
    "eval_chebyu": lambda n, a: mp.chebyu(int(n), a),
    "eval_hermite": lambda n, a: mp.hermite(int(n), a),
    "eval_hermitenorm": lambda n, a: mp.power(2, -mp.mpf(n) / 2) * mp.hermite(int(n), a / mp.sqrt(2)),
    "eval_laguerre": lambda n, a: mp.laguerre(int(n), 0, a),
    "eval_genlaguerre": lambda n, b, a: mp.laguerre(int(n), b, a),
    "ellipk": mp.ellipk,
    "ellipkm1": lambda a: mp.ellipk(1 - a),
    "ellipe": mp.ellipe,
    "ellipd": lambda a: (mp.ellipk(a) - mp.ellipe(a)) / a,
    "ellipkinc": mp.ellipf,
    "ellipeinc": mp.ellipe,
}


@cache
def first(name, point, k):
    """The derivative with respect to argument k."""
    return slope(EXACT[name], point, k)


@cache
def second(name, point, j, k):
    """The second derivative with respect to arguments j and k."""
    return curvature(EXACT[name], point, j, k)


# ---- where they are tried ------------------------------------------------------------------------

_REAL = [(-3.0,), (-0.7,), (-1e-6,), (1e-6,), (0.3,), (1.5,), (4.0,)]
_POSITIVE = [(1e-6,), (0.3,), (1.5,), (4.0,), (30.0,)]
_UNIT = [(1e-6,), (0.2,), (0.5,), (0.9,), (1 - 1e-6,)]
_PAIRS = [(0.3, 0.7), (2.5, 0.1), (1.0, 4.0), (7.5, 3.25)]
_SHAPES = [(0.5, 0.3), (2.5, 1.7), (10.0, 12.0), (1.0, 0.5)]
_LEVELS = [(0.5, 0.3), (2.5, 0.8), (10.0, 0.1), (1.0, 0.5)]
_BETAS = [(0.5, 0.7, 0.3), (2.5, 1.5, 0.6), (1.0, 1.0, 0.25), (7.0, 3.0, 0.8)]
_AIRY = [(-4.0,), (-0.3,), (1e-6,), (1.5,), (4.0,)]
_MODULI = [(-3.0,), (-0.3,), (-1e-4,), (1e-6,), (2e-3,), (0.5,), (0.99,)]
_MIDDLE = [(1e-3,), (0.3,), (1.5,), (4.0,)]
_ORDERS = [(0, 0.7), (1, 2.5), (2, 0.1), (2.5, 6.0), (0.3, 1.5)]
_WHOLE = [(0, 0.3), (1, 0.3), (2, -0.6), (5, 0.9), (3, 0.0)]

POINTS = {
    "erfcx": [*_REAL, (12.0,), (24.0,), (26.0,), (1e3,), (1e8,)],
    "erfi": _REAL,
    "dawsn": [*_REAL, (12.0,), (24.0,), (-26.0,), (1e3,)],
    "erfinv": [(-0.9,), (-0.3,), (1e-6,), (0.5,), (0.999,)],
    "erfcinv": [(1e-6,), (0.3,), (1.0,), (1.9,)],
    "ndtr": _REAL,
    "ndtri": _UNIT,
    "log_ndtr": [*_REAL, (-30.0,), (-200.0,), (20.0,)],
    "ndtri_exp": [(-30.0,), (-5.0,), (-0.7,), (-0.01,)],
    "owens_t": [(0.5, 0.3), (-1.5, 2.0), (2.0, -0.7)],
    "gammaln": [*_POSITIVE, (-0.5,), (-3.3,)],
    "loggamma": _POSITIVE,
    "rgamma": [*_REAL, (0.0,), (-1.0,), (-2.0,), (0.5,), (0.6,), (20.0,)],
    "digamma": [(0.01,), (0.5,), (1.5,), (10.0,), (1e3,), (-0.5,), (-2.3,)],
    "zeta": [(2.0, 0.7), (3.5, 2.0), (1.1, 10.0)],
    "beta": _PAIRS,
    "betaln": _PAIRS,
    "binom": [(5.5, 2.25), (4.0, 2.0), (10.0, 0.5)],
    "poch": [(2.5, 1.5), (0.5, 3.0), (4.0, 0.25)],
    **dict.fromkeys(("gammainc", "gammaincc"), _SHAPES),
    **dict.fromkeys(("gammaincinv", "gammainccinv"), _LEVELS),
    **dict.fromkeys(("betainc", "betaincc", "betaincinv"), _BETAS),
    "expit": [*_REAL, (30.0,), (-40.0,), (60.0,)],
    "logit": _UNIT,
    "log_expit": [*_REAL, (30.0,), (-40.0,), (60.0,)],
    "exp10": _REAL,
    "exprel": [*_REAL, (-50.0,), (80.0,)],
    "cosm1": _REAL,
    "powm1": [(1.5, 2.0), (0.3, -1.5), (1.0000001, 3.0)],
    "expi": [(-3.0,), (-0.1,), (0.2,), (4.0,)],
    "exp1": [(0.1,), (1.0,), (10.0,)],
    "expn": [(0, 0.7), (1, 0.7), (2, 0.7), (3, 4.0)],
    "si": _REAL,
    "ci": _POSITIVE,
    "shi": _REAL,
    "chi": _POSITIVE,
    "fresnel_s": _REAL,
    "fresnel_c": _REAL,
    "spence": [(0.2,), (0.999,), (1.5,), (7.0,)],
    "lambertw": [(-0.3, 0), (1e-6, 0), (2.0, 0), (100.0, 0), (-0.3, -1), (-0.01, -1)],
    "wrightomega": [(-5.0,), (0.3,), (4.0,), (50.0,)],
    "xlogy": [*_PAIRS, (0.0, 2.0), (-1.0, 3.0)],
    "xlog1py": [*_PAIRS, (0.0, 2.0), (2.0, -0.5)],
    "entr": _POSITIVE,
    "rel_entr": _PAIRS,
    "kl_div": _PAIRS,
    "huber": [(1.0, 0.3), (1.0, -0.3), (1.5, 4.0), (1.5, -2.0)],
    "pseudo_huber": [(1.0, 0.3), (1.0, -0.3), (1.5, 4.0), (2.0, 1e-3), (1e-3, 2.0)],
    "boxcox": [(1.5, 0.7), (0.2, -2.0), (3.0, 1e-9), (3.0, 0.0)],
    "boxcox1p": [(1.5, 0.7), (-0.2, -2.0), (3.0, 1e-9), (3.0, 0.0)],
    "inv_boxcox": [(1.5, 0.7), (0.2, -2.0), (3.0, 0.0)],
    "inv_boxcox1p": [(1.5, 0.7), (0.2, -2.0), (3.0, 0.0)],
    "hyp0f1": [(0.5, 0.7), (2.5, -3.0)],
    "hyp1f1": [(0.5, 1.5, 0.7), (2.0, 3.0, -4.0), (2.0, 3.0, 6.0)],
    "j0": [*_REAL, (20.0,)],
    "j1": [*_REAL, (20.0,)],
    "jv": [*_ORDERS, (3, -1.5), (1, 1e-6)],
    "y0": _POSITIVE,
    "y1": _POSITIVE,
    "yv": _ORDERS,
    "i0": [*_REAL, (20.0,)],
    "i1": [*_REAL, (20.0,)],
    "iv": [*_ORDERS, (3, -1.5)],
    "i0e": [*_REAL, (20.0,), (500.0,)],
    "i1e": [*_REAL, (20.0,), (500.0,)],
    "ive": [*_ORDERS, (3, -1.5)],
    **dict.fromkeys(("k0", "k1", "k0e", "k1e"), _MIDDLE),
    **dict.fromkeys(("kv", "kve"), _ORDERS),
    **dict.fromkeys(("airy_ai", "airy_aip", "airy_bi", "airy_bip"), _AIRY),
    **dict.fromkeys(("eval_legendre", "eval_chebyt", "eval_chebyu", "eval_hermite", "eval_hermitenorm"), _WHOLE),
    "eval_laguerre": _WHOLE,
    "eval_gegenbauer": [(n, 0.75, x) for n, x in _WHOLE],
    "eval_genlaguerre": [(n, 0.75, x) for n, x in _WHOLE],
    **dict.fromkeys(("ellipk", "ellipe", "ellipd"), _MODULI),
    "ellipkm1": [(1e-6,), (0.3,), (0.9999,), (2.0,)],
    "ellipkinc": [(0.7, 0.3), (-1.2, 0.9), (2.5, -1.0)],
    "ellipeinc": [(0.7, 0.3), (-1.2, 0.9), (2.5, -1.0)],
}
CASES = [(name, point) for name in sorted(ROWS) for point in POINTS[name]]
cases = pytest.mark.parametrize(("name", "point"), CASES)

# What SciPy's own values, of which the partials are made, are good to; and second derivatives near a cancellation.
VALUE = {"gammainc": 1e-12, "gammaincinv": 1e-12, "betaincinv": 1e-12, "yv": 1e-11, "jv": 1e-12}
SLOPE, CURVATURE = 2e-11, 2e-9


def places(name):
    """The arguments that may be active."""
    return [k for k in range(len(RULES[name].partials)) if k not in FIXED.get(name, {})]


def test_each_row_is_tried():
    assert set(POINTS) == set(EXACT)
    assert set(POINTS) == ROWS
    assert set(RULES) >= ROWS
    assert set(FIXED) <= ROWS | {"polygamma"}


@cases
def test_the_value(name, point):
    z = value_of(RULES[name])(*point)
    assert type(z) is float
    assert close(z, exact(EXACT[name], point), VALUE.get(name, 2e-12), 1e-3)


def size(name, point, *ks):
    """The size of the terms of a derivative, below which an error is rounding."""
    z = abs(value_of(RULES[name])(*point))
    return max(1e-6, z) * 1e-3 / math.prod(max(1.0, abs(point[k])) for k in ks)


@cases
def test_the_partials(name, point):
    rule = RULES[name]
    z = value_of(rule)(*point)
    for k in places(name):
        got, want = partial_of(rule, k, point, z), first(name, point, k)
        assert close(got, want, SLOPE, size(name, point, k)), (k, got, float(want))


def second_size(name, point, j, k):
    return max(size(name, point, j, k), 1e-3 * abs(first(name, point, k)) / max(1, abs(point[j])))


def recorded(name, point):
    tape = Tape()
    numbers = [Traced.input(tape, x) if k in places(name) else x for k, x in enumerate(point)]
    z = apply(name, *numbers)
    return tape.close(), {k: numbers[k].index for k in places(name)}, z.index


@cases
def test_forward_and_reverse_agree(name, point):
    tape, inputs, row = recorded(name, point)
    adjoints = reverse_sweep(tape, {row: 1.0})
    for k, index in inputs.items():
        bare = Tape(limit=0)
        moved = [Dual.input(bare, x, 1.0) if j == k else x for j, x in enumerate(point)]
        assert apply(name, *moved).tangent == pytest.approx(adjoints[index], rel=1e-15, abs=0)
        assert forward_sweep(tape, {index: 1.0})[row] == pytest.approx(adjoints[index], rel=1e-15, abs=0)


@cases
def test_second_order(name, point):
    tape, inputs, row = recorded(name, point)
    for j, k in itertools.combinations_with_replacement(inputs, 2):
        outer = Tape(limit=0)
        seeded = {i: Dual.input(outer, tape.values[i], float(i == inputs[j])) for i in inputs.values()}
        got = getattr(reverse_sweep(replay(tape, seeded, "active"), {row: 1.0})[inputs[k]], "tangent", 0.0)
        want = second(name, point, j, k)
        assert close(got, want, CURVATURE, second_size(name, point, j, k)), (j, k, got, float(want))


CONTINUED = sorted(name for name in ROWS if name in COMPLEX)


@pytest.mark.parametrize(("name", "point"), [case for case in CASES if case[0] in CONTINUED])
def test_the_complex_step(name, point):
    """The continuation, of the same real part, has the partial for its imaginary part."""
    rule = RULES[name]
    z = value_of(rule)(*point)
    for k in places(name):
        moved = value_of(rule, "complex")(*(complex(x, 1e-30) if j == k else x for j, x in enumerate(point)))
        assert moved.real == pytest.approx(z, rel=1e-9, abs=1e-12)
        assert close(moved.imag * 1e30, partial_of(rule, k, point, z), 1e-8, size(name, point, k))


@pytest.mark.parametrize("name", ["entr", "rel_entr", "kl_div"])
def test_no_complex_step_at_a_kink(name):
    with pytest.raises(NotAnalytic, match="has no derivative at 0"):
        value_of(RULES[name], "complex")(1e-30j, *[2.0] * (len(RULES[name].partials) - 1))


# ---- arrays --------------------------------------------------------------------------------------


def function_of(name):
    """The row as a program calls it."""
    for several, rows in SEVERAL.items():
        if name in rows:
            return lambda *a: getattr(special, several)(*a)[rows.index(name)]
    return OTHERS[name] if name in OTHERS else getattr(special, name)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_arrays_are_numbers_side_by_side(name):
    """Forward, reverse and reverse over forward, of all points at once, beside the numbers one by one."""
    function, rule = function_of(name), RULES[name]
    columns = [np.array(column) for column in zip(*POINTS[name], strict=True)]
    zs = [value_of(rule)(*point) for point in POINTS[name]]
    weights = np.cos(np.arange(len(zs)) + 1.0)
    for k in places(name):

        def program(x, k=k):
            return function(*(x if j == k else c for j, c in enumerate(columns)))

        want = np.array([partial_of(rule, k, point, z) for point, z in zip(POINTS[name], zs, strict=True)])
        x = columns[k].astype(float)
        slopes = grad(lambda x, f=program: np.sum(weights * f(x)))(x)
        assert slopes == pytest.approx(weights * want, rel=1e-9, abs=1e-12)
        value, tangent = jvp(program, (x,), (weights,))
        assert value == pytest.approx(np.array(zs), rel=1e-11)
        assert tangent == pytest.approx(weights * want, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", sorted(ROWS - {"ellipd"}))
def test_second_order_of_arrays(name):
    function = function_of(name)
    columns = [np.array(column) for column in zip(*POINTS[name], strict=True)]
    for k in places(name):
        x = columns[k].astype(float)

        def slopes(x, k=k):
            inner = lambda y: np.sum(function(*(y if j == k else c for j, c in enumerate(columns))))
            return grad(inner)(x)

        got = np.broadcast_to(jvp(slopes, (x,), (np.ones(len(x)),))[1], x.shape)
        for i, point in enumerate(POINTS[name]):
            want = second(name, point, k, k)
            assert close(got[i], want, CURVATURE, second_size(name, point, k, k)), (k, point)


# ---- where there is no derivative, and at the ends -----------------------------------------------

KINKS = {
    "i0e": ([(0.0,)], [(5e-324,), (-1.0,)]),
    "ive": ([(0, 0.0)], [(1, 0.0), (0, 1e-300)]),
    "lambertw": ([], [(0.0, 0), (-0.3, -1)]),  # -1/e is no float
    "entr": ([(0.0,)], [(5e-324,)]),
    "rel_entr": ([(0.0, 1.0)], [(5e-324, 1.0)]),
    "kl_div": ([(0.0, 1.0)], [(5e-324, 1.0)]),
}


def test_the_list_of_kinks_is_complete():
    assert set(KINKS) == {name for name in ROWS if RULES[name].kink}


@pytest.mark.parametrize("name", KINKS)
def test_kinks(name):
    rule = RULES[name]
    where = compile_expression(rule.kink.where, (*rule.arguments, "z"), PLAIN)
    at, beside = KINKS[name]
    assert all(where(*point, value_of(rule)(*point)) for point in at)
    assert not any(where(*point, value_of(rule)(*point)) for point in beside)
    k = places(name)[0]
    for point, (side, stated) in itertools.product(at, ((-1, rule.kink.left), (1, rule.kink.right))):
        if stated == "inf":
            coarse, fine = (one_sided(EXACT[name], point, side, digits, k) for digits in (20, 60))
            assert fine > 2 * coarse > 20
        elif stated is not None:
            assert abs(one_sided(EXACT[name], point, side, 40, k) - float(stated)) < 1e-20


@pytest.mark.parametrize(
    ("name", "point", "want"),
    [
        ("entr", (0.0,), [inf]),
        ("rel_entr", (0.0, 2.0), [-inf, 0.0]),
        ("rel_entr", (0.0, 0.0), [nan, 0.0]),
        ("kl_div", (0.0, 2.0), [-inf, 1.0]),
        ("xlogy", (0.0, 0.0), [-inf, 0.0]),
        ("xlog1py", (0.0, -1.0), [-inf, 0.0]),
        ("i0e", (0.0,), [0.0]),
        ("rgamma", (0.0,), [1.0]),
        ("rgamma", (-1.0,), [-1.0]),
        ("rgamma", (-2.0,), [2.0]),
        ("exprel", (0.0,), [0.5]),
        ("si", (0.0,), [1.0]),
        ("shi", (0.0,), [1.0]),
        ("spence", (1.0,), [-1.0]),
        ("lambertw", (0.0, 0), [1.0]),
        ("log_ndtr", (-1e10,), [1e10]),
        ("log_ndtr", (100.0,), [0.0]),
        ("expit", (800.0,), [0.0]),
        ("expit", (-800.0,), [0.0]),
        ("logit", (0.0,), [inf]),
        ("erfinv", (1.0,), [inf]),
        ("ndtri", (0.0,), [inf]),
        ("huber", (1.0, 1.0), [0.0, 1.0]),
        ("huber", (1.0, -1.0), [0.0, -1.0]),
        ("huber", (1.0, 0.0), [0.0, 0.0]),
        ("pseudo_huber", (1.0, 0.0), [0.0, 0.0]),
        ("pseudo_huber", (0.0, -3.0), [3.0, 0.0]),
        ("boxcox", (0.0, 0.5), [inf, 4.0]),
        ("boxcox", (2.0, 0.0), [0.5, math.log(2.0) ** 2 / 2]),
        ("ellipk", (0.0,), [math.pi / 8]),
        ("ellipk", (1.0,), [inf]),
        ("ellipkm1", (0.0,), [-inf]),
        ("ellipe", (0.0,), [-math.pi / 8]),
        ("ellipe", (1.0,), [-inf]),
        ("ellipd", (0.0,), [3 * math.pi / 32]),
        ("j1", (0.0,), [0.5]),
        ("i1", (0.0,), [0.5]),
        ("y0", (0.0,), [inf]),
        ("k0", (0.0,), [-inf]),
    ],
)
def test_the_written_policy(name, point, want):
    tape, inputs, row = recorded(name, point)
    assert [reverse_sweep(tape, {row: 1.0})[i] for i in inputs.values()] == pytest.approx(want, nan_ok=True)
    columns = [np.array([x, x]) for x in point]
    for k, slope_there in zip(inputs, want, strict=True):
        found = grad(lambda x, k=k: np.sum(function_of(name)(*(x if j == k else c for j, c in enumerate(columns)))))
        assert found(columns[k].astype(float)) == pytest.approx([slope_there] * 2, nan_ok=True)


def test_second_derivatives_at_a_branch_of_a_partial():
    """A branch on the value of an argument must not forget that argument."""

    def mixed_second(name, point, j, k):
        tape, inputs, row = recorded(name, point)
        outer = Tape(limit=0)
        seeded = {i: Dual.input(outer, tape.values[i], float(i == inputs[j])) for i in inputs.values()}
        return getattr(reverse_sweep(replay(tape, seeded, "active"), {row: 1.0})[inputs[k]], "tangent", 0.0)

    assert mixed_second("xlogy", (0.0, 2.0), 0, 1) == 0.5
    assert mixed_second("xlog1py", (0.0, 1.0), 0, 1) == 0.5
    assert mixed_second("spence", (1.0,), 0, 0) == 0.5
    assert mixed_second("rgamma", (0.0,), 0, 0) == pytest.approx(2 * np.euler_gamma)
    assert mixed_second("exprel", (0.0,), 0, 0) == pytest.approx(1 / 3)


# ---- through cells -------------------------------------------------------------------------------


MODES = ["both", "forward", "reverse"]
IMPORTS = """\
import numpy as np
import scipy.special
from scipy import special
from scipy.special import expit, logsumexp
"""

PROGRAMS = {
    "erf of a number": ("y = scipy.special.erf(x)", 1.3),
    "the normal density": ("y = special.ndtr(x) * special.ndtri(0.3) + special.log_ndtr(-x)", 1.3),
    "a name bound early": ("y = expit(x) + logsumexp([x, 2 * x, 1.0])", 0.7),
    "several results": ("s, c = special.sici(x)\na, da, b, db = special.airy(x)\ny = s * c + a * db - da * b * b", 0.7),
    "Bessel functions": ("y = special.jv(2, x) * special.kn(1, x) + special.yn(1, x) + special.jvp(1, x)", 2.5),
    "polygamma": ("y = special.polygamma(1, x) + special.psi(x) + special.zeta(3, x)", 2.5),
    "multigammaln": ("y = special.multigammaln(x, 2)", 2.5),
    "lambertw": ("y = special.lambertw(x).real + special.lambertw(-0.1 * x, -1).real", 1.3),
    "those of math": ("y = special.gamma(x) * special.erfc(x) + special.cbrt(x) + special.exp2(x)", 1.3),
    "a polynomial": ("y = special.legendre(3)(x) + special.eval_hermite(4, x)", 0.3),
    "expit of an array": ("y = expit(v) @ v", [0.3, -1.2, 2.0]),
    "gammainc by entries": ("y = (special.gammainc(np.array([1.0, 2.0, 3.0]), v) * v).sum()", [0.3, 1.2, 2.0]),
    "broadcasting": ("y = special.xlogy(v[:, None], v).sum()", [0.3, 1.2, 2.0]),
    "softmax": ("y = special.softmax(v) @ np.array([1.0, -2.0, 3.0])", [0.3, -1.2, 2.0]),
    "softmax of rows": ("y = (special.softmax(np.outer(v, v), axis=1)[:, 1] * v).sum()", [0.3, -1.2, 2.0]),
    "log_softmax": ("y = special.log_softmax(v)[1] * v[0]", [0.3, -1.2, 2.0]),
    "logsumexp by rows": ("y = logsumexp(np.outer(v, v), axis=0) @ v", [0.3, -1.2, 2.0]),
    "logsumexp with weights": ("y = logsumexp(v, b=v ** 2) + logsumexp(v, keepdims=True)[0]", [0.3, -1.2, 2.0]),
    "entropies": ("y = special.entr(v).sum() + special.rel_entr(v, v[::-1]).sum()", [0.3, 0.2, 0.5]),
    "out=": ("y = np.zeros(3)\nspecial.erf(v, out=y)\ny = y @ v", [0.3, -1.2, 2.0]),
    "an array of numbers": ("y = special.j0(np.array([v[0], v[1] * v[2]])).sum()", [0.3, -1.2, 2.0]),
}


def differences(source, name, point):
    """Central differences of the plain program."""

    def value(x):
        space = {name: x}
        exec(f"{IMPORTS}{source}", space)
        return float(space["y"])

    x = np.asarray(point, dtype=float)
    slopes = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        h = np.zeros(x.shape)
        h[i] = 1e-5
        at = [value(x + k * h if x.shape else float(x + k * h)) for k in (-2, -1, 1, 2)]
        slopes[i] = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / 12e-5
    return value(x if x.shape else float(x)), slopes


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_cells(cells, program, mode):
    source, point = PROGRAMS[program]
    name = "v" if isinstance(point, list) else "x"
    cells.plain(f"{IMPORTS}{name} = np.array({point})" if name == "v" else f"{IMPORTS}{name} = {point}")
    result = cells.grad(name, source, mode)
    value, slopes = differences(source, name, point)
    assert result.value == pytest.approx(value, rel=1e-13)
    assert result.grad[name] == pytest.approx(slopes, rel=1e-8, abs=1e-9)
    after = cells.shell.user_ns
    assert float(after["y"]) == pytest.approx(value, rel=1e-13)
    assert after["logsumexp"] is special.logsumexp
    assert special.logsumexp.__module__ == "scipy.special._logsumexp"


def test_a_cell_that_imports_scipy_itself(cells):
    source = "from scipy.special import logsumexp, expit as sigmoid\ny = logsumexp([x, 1.0]) + sigmoid(x)"
    result = cells.grad("x=0.5", source)
    s = 1 / (1 + math.exp(-0.5))
    assert result.grad["x"] == pytest.approx(math.exp(0.5) / (math.exp(0.5) + math.e) + s * (1 - s))
    assert cells.shell.user_ns["logsumexp"] is special.logsumexp


def test_a_program_that_takes_scipy_as_it_comes():
    """Nothing imports SciPy, nor NumPy, before the user's program does."""
    source = (
        "import sys, ad_magic\n"
        "from ad_magic import grad\n"
        "import ad_magic.engine.functions, ad_magic.rules\n"
        "assert grad(lambda x: x * x)(3.0) == 6.0\n"
        "assert not {'scipy', 'numpy'} & set(sys.modules), 'too early'\n"
        "import scipy.special\n"
        "print(grad(scipy.special.expit)(0.0))\n"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, env=os.environ, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "0.25"), done.stderr


def test_dual_numbers_that_one_holds():
    z = special.erf(Dual(0.5, 1.0))
    assert z.value == special.erf(0.5)
    assert z.tangent == pytest.approx(2 / math.sqrt(math.pi) * math.exp(-0.25))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("special.struve(1, x)", "scipy.special.struve has no derivative rule here"),
        ("special.hyp2f1(1, 2, 3, 0.1 * x)", "scipy.special.hyp2f1 has no derivative rule here"),
        ("special.factorial(x)", "scipy.special.factorial has no derivative rule here"),
        ("special.comb(x, 2)", "scipy.special.comb has no derivative rule here"),
        ("special.spherical_jn(1, x)", "scipy.special.spherical_jn has no derivative rule here"),
        ("special.jv(x, 1.0)", "scipy.special.jv has no derivative rule for the order"),
        ("special.kn(x, 1.0)", "scipy.special.kv has no derivative rule for the order"),
        ("special.gammainc(x, 1.0)", "scipy.special.gammainc has no derivative rule for the parameter"),
        ("special.betainc(1.0, x, 0.5)", "scipy.special.betainc has no derivative rule for the parameter b"),
        ("special.polygamma(x, 1.0)", "scipy.special.polygamma has no derivative rule for the order"),
        ("special.zeta(x)", "scipy.special.zeta has no derivative rule for the exponent"),
        ("special.inv_boxcox(1.0, x)", "scipy.special.inv_boxcox has no derivative rule for the power"),
        ("special.lambertw(-x).real", "scipy.special.lambertw has a derivative rule only where it is real"),
        ("logsumexp([x, 1.0], return_sign=True)[0]", "scipy.special.logsumexp has no derivative rule with return_"),
        ("special.struve(1, x * np.ones(2)).sum()", "scipy.special.struve has no derivative rule here"),
    ],
)  # fmt: skip
def test_what_has_no_rule_says_so(cells, source, sentence):
    cells.plain(IMPORTS)
    with pytest.raises(LostDerivative, match="^line 2: " + sentence.replace(".", "[.]")):
        cells.grad("x=1.5", f"y = {source}")


def test_every_other_ufunc_refuses_by_its_name():
    found, x = 0, Traced.input(Tape(), 0.5)
    for name in dir(special):
        function = getattr(special, name)
        if not isinstance(function, np.ufunc) or handler(function) is not None or getattr(np, name, None) is function:
            continue
        with pytest.raises(LostDerivative, match=rf"scipy[.]special[.]{function.__name__} has no derivative rule here"):
            function(*[x] * function.nin)
        found += 1
    assert found > 50


@pytest.mark.parametrize("function", [special.logsumexp, special.softmax, special.log_softmax])
def test_second_order_of_functions_with_a_pair(function):
    weights, v = np.array([1.0, -2.0, 3.0]), np.array([0.3, -1.2, 2.0])

    def slopes(x):
        return grad(lambda y: np.sum(weights * function(y) ** 2))(x)

    for direction in np.eye(3):
        got = jvp(slopes, (v,), (direction,))[1]
        h = 1e-5
        assert got == pytest.approx((slopes(v + h * direction) - slopes(v - h * direction)) / (2 * h), abs=1e-8)
        assert jvp(lambda x: np.sum(weights * function(x) ** 2), (v,), (direction,))[1] == pytest.approx(
            slopes(v) @ direction
        )


def test_logsumexp_of_what_is_nothing():
    v = np.array([[-inf, 0.5], [-inf, -inf]])
    for row, want in ((0, [[0.0, 1.0], [0.0, 0.0]]), (1, [[0.0, 0.0], [0.0, 0.0]])):
        got = grad(lambda x, row=row: special.logsumexp(x, axis=1)[row])(v)
        assert got == pytest.approx(np.array(want))


def test_the_report_shows_them_as_they_are_written(cells):
    cells.plain(f"{IMPORTS}v = np.array([0.3, 1.2])")
    rows = cells.grad("v", "y = special.gammaln(v).sum() + special.jv(2, v)[0] + logsumexp(v, axis=0)").rows
    shown = " ".join(row.expression for row in rows)
    for text in ("special.gammaln(v", "special.jv(2, v", "special.logsumexp(v"):
        assert text in shown, shown
