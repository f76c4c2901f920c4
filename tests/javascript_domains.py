"""Where the JavaScript functions are tried, and what they should give: for tests only."""

from __future__ import annotations

import math

from oracles import EXACT, mp
from test_special import EXACT as SPECIAL

# The rows in mpmath; here those that need another form to keep their digits far out, and what is no row.
REAL = {
    **EXACT,
    **SPECIAL,
    "log": lambda a, *base: mp.log(a) / mp.log(*base) if base else mp.log(a),
    "sech2": lambda a, z: mp.sech(a) ** 2,
    "sinc": lambda a: mp.sinc(mp.pi * a),
    "sinpi": mp.sinpi,
    "log_expit": lambda a: -mp.log1p(mp.exp(-a)),
    "log_ndtr": lambda a: mp.log1p(-mp.erfc(a / mp.sqrt(2)) / 2) if a > 0 else mp.log(mp.erfc(-a / mp.sqrt(2)) / 2),
    "erfcinv": lambda a: mp.erfinv(1 - a) if a > 1e-6 else mp.findroot(_log_tail(a), mp.sqrt(-mp.log(a)) - 0.3),
    "gammaincc": lambda a, b: mp.gammainc(a, b, mp.inf, regularized=True),
    "betaincc": lambda a, b, c: mp.betainc(b, a, 0, 1 - c, regularized=True),
    "ellipkm1": lambda a: mp.pi / 2 / mp.agm(1, mp.sqrt(a)),
}


def _log_tail(q):
    return lambda x: mp.log(mp.erfc(x)) - mp.log(q)


# A domain draws an argument from a generator of random numbers.


def spread(low, high):
    """Numbers of all sizes."""
    return lambda draw: math.exp(draw.uniform(math.log(low), math.log(high)))


def signed(low, high):
    return lambda draw: draw.choice((-1, 1)) * spread(low, high)(draw)


def beside(x, low, high):
    return lambda draw: x + signed(low, high)(draw)


def between(low, high):
    return lambda draw: draw.uniform(low, high)


def whole(low, high):
    return lambda draw: float(draw.randint(low, high))


def one_of(*domains):
    return lambda draw: draw.choice(domains)(draw)


def minus(domain, x=0.0):
    return lambda draw: x - domain(draw)


_real, _positive, _small = signed(1e-9, 1e3), spread(1e-9, 1e3), signed(1e-9, 5)
_unit = one_of(spread(1e-9, 1), between(0, 1))
_shape, _order, _degree = spread(1e-3, 500), between(-10, 60), whole(0, 20)
_modulus = minus(spread(1e-9, 100), 1.0)
_log_gamma = one_of(spread(1e-9, 1e9), signed(1e-6, 100), beside(1, 1e-9, 1), beside(2, 1e-9, 1))

DOMAINS = {
    # powers, exponentials, logarithms
    **dict.fromkeys(("exp2", "exp10", "exprel", "log_expit", "expit", "degrees", "radians"), (signed(1e-9, 300),)),
    **dict.fromkeys(("sinc", "sinpi", "cosm1"), (_real,)),
    **dict.fromkeys(("logaddexp", "logaddexp2"), (_real, _real)),
    "sech2": (signed(1e-9, 300), whole(0, 0)),
    "fma": (_real, _real, _real),
    "pow": (_positive, signed(1e-9, 30)),
    "log": (spread(1e-300, 1e300), spread(1.1, 1e9)),
    "logit": (_unit,),
    "powm1": (one_of(spread(1e-3, 1e3), beside(1, 1e-9, 0.1)), signed(1e-6, 50)),
    **dict.fromkeys(("xlogy", "rel_entr", "kl_div"), (_positive, _positive)),
    "xlog1py": (_real, _positive),
    "entr": (spread(1e-300, 1e30),),
    **dict.fromkeys(("huber", "pseudo_huber"), (_positive, _real)),
    **dict.fromkeys(("boxcox", "boxcox1p"), (_positive, _small)),
    **dict.fromkeys(("inv_boxcox", "inv_boxcox1p"), (_positive, spread(1e-3, 10))),
    # error functions and the normal distribution
    "erf": (signed(1e-9, 7),),
    "erfc": (signed(1e-9, 26),),
    "erfcx": (one_of(signed(1e-9, 26), spread(1, 1e9)),),
    "erfi": (signed(1e-9, 26.5),),
    "dawsn": (_real,),
    "erfinv": (one_of(_unit, minus(_unit)),),
    "erfcinv": (one_of(_unit, minus(spread(1e-6, 1), 2), spread(1e-300, 1e-6)),),
    "ndtr": (signed(1e-9, 37),),
    "ndtri": (_unit,),
    "log_ndtr": (one_of(signed(1e-9, 37), minus(spread(1, 1e3))),),
    "ndtri_exp": (minus(spread(1e-6, 50)),),
    "owens_t": (signed(1e-3, 10), signed(1e-3, 100)),
    # gamma and its like
    **dict.fromkeys(("gamma", "rgamma"), (one_of(signed(1e-9, 170), beside(-3, 1e-9, 0.1)),)),
    **dict.fromkeys(("lgamma", "gammaln"), (_log_gamma,)),
    "loggamma": (spread(1e-9, 1e9),),
    "digamma": (one_of(signed(1e-6, 100), spread(1, 1e9)),),
    "polygamma": (whole(0, 10), one_of(signed(1e-3, 10), spread(1, 1e3))),
    "zeta": (minus(minus(spread(1e-6, 60)), 1), spread(1e-3, 1e3)),
    "beta": (one_of(_shape, minus(spread(1e-3, 20))), _shape),
    "betaln": (spread(1e-3, 1e5), spread(1e-3, 1e5)),
    "binom": (spread(1e-2, 300), one_of(between(-5, 300), whole(0, 300))),
    "poch": (one_of(_shape, minus(spread(1e-3, 20))), one_of(between(-30, 30), whole(-30, 100))),
    **dict.fromkeys(("gammainc", "gammaincc"), (spread(1e-6, 1e3), spread(1e-6, 2e3))),
    **dict.fromkeys(("gammaincinv", "gammainccinv"), (spread(0.05, 100), between(1e-3, 0.999))),
    **dict.fromkeys(("betainc", "betaincc"), (_shape, _shape, _unit)),
    "betaincinv": (spread(0.1, 50), spread(0.1, 50), between(1e-3, 0.999)),
    # integrals, Lambert's function, hypergeometric functions
    "expi": (signed(1e-9, 700),),
    "exp1": (spread(1e-9, 700),),
    "expn": (whole(0, 80), spread(1e-9, 600)),
    **dict.fromkeys(("si", "fresnel_s", "fresnel_c"), (signed(1e-9, 1e4),)),
    "ci": (spread(1e-9, 1e4),),
    "shi": (signed(1e-9, 700),),
    "chi": (spread(1e-9, 700),),
    "spence": (one_of(spread(1e-9, 1e9), between(0, 3)),),
    "lambertw": (minus(spread(1e-9, 0.3678)), whole(-1, 0)),
    "wrightomega": (_real,),
    "hyp0f1": (spread(0.1, 50), signed(1e-3, 500)),
    "hyp1f1": (spread(0.1, 10), spread(0.1, 10), signed(1e-3, 300)),
    # elliptic integrals, polynomials
    **dict.fromkeys(("ellipk", "ellipe", "ellipd"), (_modulus,)),
    "ellipkm1": (spread(1e-300, 1e3),),
    **dict.fromkeys(("ellipkinc", "ellipeinc"), (signed(1e-3, 10), one_of(between(-5, 1), minus(spread(1e-6, 1), 1)))),
    **dict.fromkeys(("eval_legendre", "eval_chebyt", "eval_chebyu"), (_degree, between(-2, 2))),
    **dict.fromkeys(("eval_hermite", "eval_hermitenorm", "eval_laguerre"), (_degree, between(-10, 10))),
    **dict.fromkeys(("eval_gegenbauer", "eval_genlaguerre"), (_degree, spread(0.1, 5), between(-2, 10))),
    # Bessel and Airy functions
    **dict.fromkeys(("j0", "j1"), (one_of(signed(1e-9, 100), spread(1, 1e8)),)),
    **dict.fromkeys(("y0", "y1"), (one_of(spread(1e-9, 100), spread(1, 1e8)),)),
    "jv": (one_of(_order, whole(-5, 60)), spread(1e-6, 300)),
    "yv": (one_of(_order, whole(-5, 60)), spread(1e-2, 300)),
    **dict.fromkeys(("i0", "i1"), (signed(1e-9, 700),)),
    **dict.fromkeys(("i0e", "i1e"), (signed(1e-9, 1e5),)),
    "iv": (one_of(_order, whole(-5, 60)), spread(1e-6, 600)),
    "ive": (one_of(_order, whole(-5, 60)), spread(1e-6, 1e5)),
    **dict.fromkeys(("k0", "k1"), (spread(1e-9, 600),)),
    **dict.fromkeys(("k0e", "k1e"), (spread(1e-9, 1e5),)),
    "kv": (_order, spread(1e-2, 600)),
    "kve": (_order, spread(1e-2, 1e4)),
    **dict.fromkeys(("airy_ai", "airy_aip", "airy_bi", "airy_bip"), (signed(1e-9, 50),)),
}

# The size of the terms that cancel where a value crosses zero (elsewhere than at zero): an error is small beside it.
# A number, or a function of the point.
SIZES = {
    **dict.fromkeys(("sinc", "sinpi", "cosm1", "logaddexp", "logaddexp2", "fma", "log"), 1),
    **dict.fromkeys(("xlogy", "xlog1py", "rel_entr", "kl_div", "entr", "powm1"), 1),
    **dict.fromkeys(("lgamma", "gammaln", "digamma", "polygamma", "betaln"), 1),
    **dict.fromkeys(("ndtri", "ndtri_exp", "expi", "ci", "chi", "spence"), 1e-2),
    **dict.fromkeys(("hyp0f1", "hyp1f1"), 0.1),
    **dict.fromkeys(("eval_legendre", "eval_chebyt", "eval_chebyu", "eval_hermite", "eval_hermitenorm"), 0.1),
    **dict.fromkeys(("eval_laguerre", "eval_gegenbauer", "eval_genlaguerre"), 0.1),
    **dict.fromkeys(("j0", "j1", "y0", "y1"), lambda x: 0.1 / max(1, abs(x) ** 0.5)),
    **dict.fromkeys(("jv", "yv"), lambda v, x: 0.01 if x > abs(v) else 0),
}

# Beside their poles and zeros the last digit of an argument moves the value by more than 1e-12.
CONDITIONED = {"binom", "poch", "beta", "airy_ai", "airy_aip", "airy_bi", "airy_bip"}

# These give NaN where cancellation leaves no 12 digits.
MAY_REFUSE = {"hyp1f1"}

# mpmath loses so many of its digits.
DIGITS = {"expn": 110, "zeta": 110}

# mpmath takes long.
FEW = {
    "owens_t", "gammaincinv", "gammainccinv", "betaincinv", "gammainc", "gammaincc", "betainc", "betaincc",
    "k0", "k1", "k0e", "k1e", "kv", "kve", "yv", "y0", "y1", "erfcinv", "expn", "zeta",
}  # fmt: skip
