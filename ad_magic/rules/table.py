"""The derivative table: one row of data for each elementary primitive.

Everything else is made from these rows: the methods of Dual and Traced, the stand-ins for `math`, the sweeps, the
text of an operation, the tests. A partial is written in the arguments a, b, c and the result z, with functions that
are themselves rows of the table, so that it can be differentiated again.

Formulas: Abramowitz & Stegun (1964), 4.3-4.6, 6.3, 6.4, 7.1. At a point without a derivative a partial follows
the written policy: the derivative where there is one, the minimum-norm subgradient at a kink (abs'(0) = 0), by
continuity elsewhere (infinite where a slope is), NaN only where nothing else is honest. A partial that divides by zero
or leaves the domain of a function is evaluated again in IEEE arithmetic (`number.IEEE`), where 1 / 0 is inf.
"""

from __future__ import annotations

from dataclasses import replace

from .rule import Kink, Rule

_VERTICAL = "the slope is infinite here"


def _jump(where: str) -> Kink:
    return Kink(where, "the function jumps here", jumps=True)


def _rule(
    name: str, value: str, *partials: str, kink: Kink | None = None, step: bool = False, given_b: str | None = None,
    of_complex: str | None = None, closing: tuple[str, ...] | None = None, seam: tuple[str, int] | None = None,
    bend: str | None = None,
) -> Rule:  # fmt: skip
    return Rule(
        name, value, partials, kink, step, given_b, of_complex=of_complex, closing=closing, seam=seam, bend=bend
    )


def _variadic(name: str, value: str, partial: str, kink: Kink | None = None) -> Rule:
    return Rule(name, value, (partial,), kink, variadic=True)


def _greater(sign: str, only_a: str = "a != a", only_b: str = "b != b") -> tuple[str, str]:
    """The partials of a choice between a and b; by the conditions it is a alone or b alone."""
    return (
        f"1.0 if a {sign} b or {only_a} else 0.5 if a == b else 0.0",
        f"1.0 if b {sign} a or {only_b} else 0.5 if a == b else 0.0",
    )


def _share(exp: str) -> tuple[str, str]:
    """The partials of a logarithm of a sum of exponentials: the shares of the sum; even ones of two infinite terms."""
    share = "{0}({1} - z) if {1} != z else 1.0 if {2} != z else 0.5"
    return share.format(exp, "a", "b"), share.format(exp, "b", "a")


# x**0 is constant, also at 0; 0**y is 0 for y > 0
_POWER = ("b * a ** (b - 1) if a or b else 0.0", "z * log(a) if z else 0.0")
_IN_Z = ("b * z / a", "z * log(a)")  # the same where a is not 0
_EVENLY = "a tie shares the derivative evenly"
_UP = Kink("a == b", _EVENLY, "0.0", "1.0")
_DOWN = Kink("a == b", _EVENLY, "1.0", "0.0")
_SQUARE = "2 * a if b == 2 else b * a ** (b - 1) if b else 0.0"
_ROOT = Kink("a == 0 and 0 < b < 1", _VERTICAL, None, "inf")  # x**0.5 as sqrt(x)
_BEND = "a == 0 and 1 < b < 2"
_RINT = "-rint((a - z) / b)"
_TURN = "the slope changes here"


def _far(sign: str) -> str:
    """(1, -3, 15, ...) u, u^2, u^3, ... with u = 1 / (2 a^2): what is left of erfcx and dawsn far out, where their main
    terms cancel (Abramowitz & Stegun 7.1.23)."""
    text = "1"
    for k in (13, 11, 9, 7, 5, 3):
        text = f"(1 {sign} {k} * (0.5 / a / a) * {text})"
    return f"(0.5 / a / a) * {text}"


def _near(sign: str) -> str:
    """sin(a) / a, or sinh(a) / a, near 0, without the quotient (DLMF 10.16.9, 10.39.9)."""
    return f"hyp0f1(1.5, {sign}0.25 * a * a)"


# densities, as exponentials of their logarithms
_GAMMA = "exp(xlogy(a - 1, b) - b - gammaln(a))"
_BETA = "exp(xlogy(a - 1, c) + xlog1py(b - 1, -c) - betaln(a, b))"
_IN_GAMMA = "exp(z + gammaln(a) - xlogy(a - 1, z))"
_IN_BETA = "exp(betaln(a, b) - xlogy(a - 1, z) - xlog1py(b - 1, -z))"
_D_SERIES = "PI / 4 * (0.375 + a * (0.46875 + a * (0.5126953125 + a * (0.538330078125 + a * 0.5551528930664062))))"

# fmt: off
_ROWS = (
    # ---- operators -------------------------------------------------------------------------------
    #      name         value              d/da                                   d/db
    _rule("add",       "a + b",           "1",                                   "1"),
    _rule("sub",       "a - b",           "1",                                   "-1"),
    _rule("mul",       "a * b",           "b",                                   "a"),
    _rule("div",       "a / b",           "1 / b",                               "-z / b"),
    _rule("pow",       "a ** b",          *_POWER, kink=_ROOT, given_b=_SQUARE, closing=_IN_Z, bend=_BEND),
    _rule("mod",       "a % b",           "1",                                   "-(a // b)",
          kink=_jump("z == 0")),
    _rule("floordiv",  "a // b",          "0.0",                                 "0.0",
          kink=_jump("a % b == 0"), step=True),
    _rule("neg",       "-a",              "-1"),
    _rule("square",    "a * a",           "2 * a"),
    _rule("reciprocal", "1 / a",          "-z * z"),
    _rule("abs",       "abs(a)",          "sign(a)",
          kink=Kink("a == 0", "the slope changes here", "-1.0", "1.0")),

    # ---- powers, exponentials, logarithms --------------------------------------------------------
    _rule("sqrt",      "sqrt(a)",         "0.5 / (z + 0.0)",  # sqrt(-0.0) is -0.0
          kink=Kink("a == 0", _VERTICAL, None, "inf")),
    _rule("cbrt",      "cbrt(a)",         "1 / (3 * z * z)",
          kink=Kink("a == 0", _VERTICAL, "inf", "inf")),
    _rule("exp",       "exp(a)",          "z"),
    _rule("exp2",      "exp2(a)",         "z * LN2"),
    _rule("expm1",     "expm1(a)",        "exp(a)"),
    _rule("log",       "log(a)",          "1 / a"),
    _rule("log_base",  "log(a, b)",       "1 / (a * log(b))",                    "-z / (b * log(b))"),
    _rule("log2",      "log2(a)",         "1 / (a * LN2)"),
    _rule("log10",     "log10(a)",        "1 / (a * LN10)"),
    _rule("log1p",     "log1p(a)",        "1 / (1 + a)"),
    _rule("logaddexp", "logaddexp(a, b)", *_share("exp")),
    _rule("logaddexp2", "logaddexp2(a, b)", *_share("exp2")),
    _rule("fpow",      "pow(a, b)",       *_POWER, kink=_ROOT, closing=_IN_Z, bend=_BEND),

    # ---- trigonometric functions and their inverses ----------------------------------------------
    _rule("sin",       "sin(a)",          "cos(a)"),
    _rule("cos",       "cos(a)",          "-sin(a)"),
    _rule("tan",       "tan(a)",          "1 + z * z"),
    _rule("asin",      "asin(a)",         "1 / (sqrt(1 - a) * sqrt(1 + a))",
          kink=Kink("abs(a) == 1", _VERTICAL), of_complex="1 / cos(z)"),
    _rule("acos",      "acos(a)",         "-1 / (sqrt(1 - a) * sqrt(1 + a))",
          kink=Kink("abs(a) == 1", _VERTICAL), of_complex="-1 / sin(z)"),
    _rule("atan",      "atan(a)",         "1 / (1 + a * a)"),
    _rule("atan2",     "atan2(a, b)",     "b / hypot(a, b) / hypot(a, b)",       "-a / hypot(a, b) / hypot(a, b)",
          kink=Kink("a == 0 and b == 0", "the angle is undefined at the origin")),
    _rule("degrees",   "degrees(a)",      "DEGREES"),
    _rule("radians",   "radians(a)",      "RADIANS"),

    # ---- hyperbolic functions and their inverses -------------------------------------------------
    _rule("sinh",      "sinh(a)",         "cosh(a)"),
    _rule("cosh",      "cosh(a)",         "sinh(a)"),
    _rule("tanh",      "tanh(a)",         "sech2(a, z)"),
    _rule("asinh",     "asinh(a)",        "1 / hypot(1.0, a)",
          of_complex="1 / cosh(z)"),
    _rule("acosh",     "acosh(a)",        "1 / (sqrt(a - 1) * sqrt(a + 1))",
          kink=Kink("a == 1", _VERTICAL, None, "inf"), of_complex="1 / sinh(z)"),
    _rule("atanh",     "atanh(a)",        "1 / ((1 - a) * (1 + a))"),

    # ---- lengths, signs, remainders --------------------------------------------------------------
    _rule("hypot",     "hypot(a, b)",     "a / z if z else 0.0",                 "b / z if z else 0.0",
          kink=Kink("z == 0", "the slope changes here", "-1.0", "1.0")),
    _rule("fabs",      "fabs(a)",         "sign(a)",
          kink=Kink("a == 0", "the slope changes here", "-1.0", "1.0")),
    _rule("copysign",  "copysign(a, b)",  "sign(a) * copysign(1.0, b)",          "0.0",
          kink=Kink("a == 0 or b == 0", "the slope or the sign changes here")),
    _rule("fmod",      "fmod(a, b)",      "1",                                   _RINT,
          kink=_jump("z == 0 and a != 0")),
    _rule("remainder", "remainder(a, b)", "1",                                   _RINT,
          kink=_jump("2 * abs(z) == abs(b)")),
    _rule("ldexp",     "ldexp(a, b)",     "ldexp(1.0, b)",                       "0.0"),  # b is an int, never active
    _rule("fma",       "fma(a, b, c)",    "b",                                   "a",            "1"),

    # ---- the greater and the smaller: a NaN wins, except in fmax and fmin --------------------------
    _rule("maximum",   "maximum(a, b)",   *_greater(">"), kink=_UP),
    _rule("minimum",   "minimum(a, b)",   *_greater("<"), kink=_DOWN),
    _rule("fmax",      "fmax(a, b)",      *_greater(">", "b != b", "a != a"), kink=_UP),
    _rule("fmin",      "fmin(a, b)",      *_greater("<", "b != b", "a != a"), kink=_DOWN),

    # ---- any number of arguments: a is the list of them, the partial with respect to one of them, x
    _variadic("sum",   "sum(a)",          "1"),
    _variadic("max",   "max(a)",          "1 / n", kink=replace(_UP, where="True")),  # of equal numbers only, else
    _variadic("min",   "min(a)",          "1 / n", kink=replace(_DOWN, where="True")),  # it is one of them
    _variadic("fsum",  "fsum(a)",         "1"),
    _variadic("norm",  "hypot(*a)",       "x / z if z else 0.0",
              kink=Kink("z == 0", "the slope changes here", "-1.0", "1.0")),

    # ---- special functions -----------------------------------------------------------------------
    _rule("erf",       "erf(a)",          "TWO_OVER_SQRT_PI * exp(-a * a)"),
    _rule("erfc",      "erfc(a)",         "-TWO_OVER_SQRT_PI * exp(-a * a)"),
    _rule("gamma",     "gamma(a)",        "z * polygamma(0, a)"),
    _rule("lgamma",    "lgamma(a)",       "polygamma(0, a)"),
    _rule("polygamma", "polygamma(a, b)", "0.0",                                 "polygamma(a + 1, b)"),  # a: the order

    # ---- functions of scipy.special (special.py): error functions and the normal distribution -----
    _rule("erfcx",     "erfcx(a)",
          f"2 * a * z - TWO_OVER_SQRT_PI if a < 25 else -TWO_OVER_SQRT_PI * {_far('-')}"),
    _rule("erfi",      "erfi(a)",         "TWO_OVER_SQRT_PI * exp(a * a)"),
    _rule("dawsn",     "dawsn(a)",        f"1 - 2 * a * z if abs(a) < 25 else -{_far('+')}"),
    _rule("erfinv",    "erfinv(a)",       "exp(z * z) / TWO_OVER_SQRT_PI"),
    _rule("erfcinv",   "erfcinv(a)",      "-exp(z * z) / TWO_OVER_SQRT_PI"),
    _rule("ndtr",      "ndtr(a)",         "exp(-0.5 * a * a) / SQRT_TAU"),
    _rule("ndtri",     "ndtri(a)",        "SQRT_TAU * exp(0.5 * z * z)"),
    _rule("log_ndtr",  "log_ndtr(a)",     "2 / (SQRT_TAU * erfcx(-a / SQRT_2))"),
    _rule("ndtri_exp", "ndtri_exp(a)",    "0.5 * SQRT_TAU * erfcx(-z / SQRT_2)"),
    _rule("owens_t",   "owens_t(a, b)",   "-exp(-0.5 * a * a) * erf(a * b / SQRT_2) / (2 * SQRT_TAU)",
                                          "exp(-0.5 * a * a * (1 + b * b)) / (2 * PI * (1 + b * b))"),

    # ---- of scipy.special: gamma and beta ----------------------------------------------------------
    _rule("gammaln",   "gammaln(a)",      "digamma(a)"),
    _rule("loggamma",  "loggamma(a)",     "digamma(a)"),
    _rule("rgamma",    "rgamma(a)",       "-z * digamma(a) if a > 0.5 else "
                                          "gamma(1 - a) * (cos(PI * a) - sin(PI * a) * digamma(1 - a) / PI)"),
    _rule("digamma",   "digamma(a)",      "polygamma(1, a)"),
    _rule("zeta",      "zeta(a, b)",      "0.0",                                 "-a * zeta(a + 1, b)"),
    _rule("beta",      "beta(a, b)",      "z * (digamma(a) - digamma(a + b))",   "z * (digamma(b) - digamma(a + b))"),
    _rule("betaln",    "betaln(a, b)",    "digamma(a) - digamma(a + b)",         "digamma(b) - digamma(a + b)"),
    _rule("binom",     "binom(a, b)",     "z * (digamma(a + 1) - digamma(a - b + 1))",
                                          "z * (digamma(a - b + 1) - digamma(b + 1))"),
    _rule("poch",      "poch(a, b)",      "z * (digamma(a + b) - digamma(a))",   "z * digamma(a + b)"),
    _rule("gammainc",  "gammainc(a, b)",  "0.0",                                 _GAMMA),
    _rule("gammaincc", "gammaincc(a, b)", "0.0",                                 f"-{_GAMMA}"),
    _rule("gammaincinv", "gammaincinv(a, b)", "0.0",                             _IN_GAMMA),
    _rule("gammainccinv", "gammainccinv(a, b)", "0.0",                           f"-{_IN_GAMMA}"),
    _rule("betainc",   "betainc(a, b, c)", "0.0", "0.0", _BETA),
    _rule("betaincc",  "betaincc(a, b, c)", "0.0", "0.0", f"-{_BETA}"),
    _rule("betaincinv", "betaincinv(a, b, c)", "0.0", "0.0", _IN_BETA),

    # ---- of scipy.special: exponentials, logarithms, entropies -------------------------------------
    _rule("expit",     "expit(a)",        "z * expit(-a)"),
    _rule("logit",     "logit(a)",        "1 / (a * (1 - a))"),
    _rule("log_expit", "log_expit(a)",    "expit(-a)"),
    _rule("exp10",     "exp10(a)",        "z * LN10"),
    _rule("exprel",    "exprel(a)",       "0.5 * hyp1f1(2.0, 3.0, a)"),
    _rule("cosm1",     "cosm1(a)",        "-sin(a)"),
    _rule("powm1",     "powm1(a, b)",     "b * a ** (b - 1) if a or b else 0.0", "(z + 1) * log(a) if z + 1 else 0.0",
          closing=("b * (z + 1) / a", "(z + 1) * log(a)")),
    _rule("expi",      "expi(a)",         "exp(a) / a"),
    _rule("exp1",      "exp1(a)",         "-exp(-a) / a"),
    _rule("expn",      "expn(a, b)",      "0.0",     "-expn(a - 1, b) if a else -exp(-b) * (1 + b) / (b * b)"),
    _rule("si",        "sici(a)[0]",      f"sin(a) / a if abs(a) > 2 else {_near('-')}"),
    _rule("ci",        "sici(a)[1]",      "cos(a) / a"),
    _rule("shi",       "shichi(a)[0]",    f"sinh(a) / a if abs(a) > 2 else {_near('')}"),
    _rule("chi",       "shichi(a)[1]",    "cosh(a) / a"),
    _rule("fresnel_s", "fresnel(a)[0]",   "sin(0.5 * PI * a * a)"),
    _rule("fresnel_c", "fresnel(a)[1]",   "cos(0.5 * PI * a * a)"),
    _rule("spence",    "spence(a)",       "log(a) / (1 - a) if a != 1 else 0.5 * (a - 3)", seam=("a == 1", 2)),
    _rule("lambertw",  "lambertw(a, b)",  "1 / (a + exp(z))",                    "0.0",
          kink=Kink("a + exp(z) == 0", _VERTICAL)),
    _rule("wrightomega", "wrightomega(a)", "z / (1 + z)"),
    _rule("xlogy",     "xlogy(a, b)",     "log(b)",                              "a / b if a or b else 0.0"),
    _rule("xlog1py",   "xlog1py(a, b)",   "log1p(b)",                            "a / (1 + b) if a or 1 + b else 0.0"),
    _rule("entr",      "entr(a)",         "-1 - log(a)",
          kink=Kink("a == 0", _VERTICAL, None, "inf")),
    _rule("rel_entr",  "rel_entr(a, b)",  "log(a / b) + 1",                      "-(a / b) if a or b else 0.0",
          kink=Kink("a == 0", _VERTICAL)),
    _rule("kl_div",    "kl_div(a, b)",    "log(a / b)",                          "1 - a / b if a or b else 1.0",
          kink=Kink("a == 0", _VERTICAL)),
    _rule("huber",     "huber(a, b)",     "0.0 if abs(b) <= a else abs(b) - a",  "b if abs(b) <= a else a * sign(b)",
          seam=("abs(b) == a", 1)),
    _rule("pseudo_huber", "pseudo_huber(a, b)",
          "b * b / hypot(a, b) * (b / (a + hypot(a, b))) ** 2 if b else 0.0",
          "a * b / hypot(a, b) if a or b else 0.0"),
    _rule("boxcox",    "boxcox(a, b)",    "a ** (b - 1)",
          "0.5 * log(a) ** 2 * hyp1f1(2.0, 3.0, b * log(a)) if a else 1 / (b * b)"),
    _rule("boxcox1p",  "boxcox1p(a, b)",  "exp((b - 1) * log1p(a))",
          "0.5 * log1p(a) ** 2 * hyp1f1(2.0, 3.0, b * log1p(a)) if 1 + a else 1 / (b * b)"),
    _rule("inv_boxcox", "inv_boxcox(a, b)", "z / (a * b + 1)",                   "0.0"),
    _rule("inv_boxcox1p", "inv_boxcox1p(a, b)", "(z + 1) / (a * b + 1)",         "0.0"),
    _rule("hyp0f1",    "hyp0f1(a, b)",    "0.0",                                 "hyp0f1(a + 1, b) / a"),
    _rule("hyp1f1",    "hyp1f1(a, b, c)", "0.0", "0.0", "a / b * hyp1f1(a + 1, b + 1, c)"),

    # ---- of scipy.special: Bessel and Airy functions (Abramowitz & Stegun 9.1, 9.6, 10.4) ----------
    _rule("j0",        "j0(a)",           "-j1(a)"),
    _rule("j1",        "j1(a)",           "0.5 * (j0(a) - jv(2, a))"),
    _rule("jv",        "jv(a, b)",        "0.0",                                 "0.5 * (jv(a - 1, b) - jv(a + 1, b))"),
    _rule("y0",        "y0(a)",           "-y1(a)"),
    _rule("y1",        "y1(a)",           "0.5 * (y0(a) - yv(2, a))"),
    _rule("yv",        "yv(a, b)",        "0.0",                                 "0.5 * (yv(a - 1, b) - yv(a + 1, b))"),
    _rule("i0",        "i0(a)",           "i1(a)"),
    _rule("i1",        "i1(a)",           "0.5 * (i0(a) + iv(2, a))"),
    _rule("iv",        "iv(a, b)",        "0.0",                                 "0.5 * (iv(a - 1, b) + iv(a + 1, b))"),
    _rule("k0",        "k0(a)",           "-k1(a)"),
    _rule("k1",        "k1(a)",           "-0.5 * (k0(a) + kv(2, a))"),
    _rule("kv",        "kv(a, b)",        "0.0",                                "-0.5 * (kv(a - 1, b) + kv(a + 1, b))"),
    _rule("i0e",       "i0e(a)",          "i1e(a) - sign(a) * z", kink=Kink("a == 0", _TURN, "1.0", "-1.0")),
    _rule("i1e",       "i1e(a)",          "0.5 * (i0e(a) + ive(2, a)) - sign(a) * z"),
    _rule("ive",       "ive(a, b)",       "0.0",                "0.5 * (ive(a - 1, b) + ive(a + 1, b)) - sign(b) * z",
          kink=Kink("a == 0 and b == 0", _TURN, "1.0", "-1.0")),
    _rule("k0e",       "k0e(a)",          "z - k1e(a)"),
    _rule("k1e",       "k1e(a)",          "z - 0.5 * (k0e(a) + kve(2, a))"),
    _rule("kve",       "kve(a, b)",       "0.0",                "z - 0.5 * (kve(a - 1, b) + kve(a + 1, b))"),
    _rule("airy_ai",   "airy(a)[0]",      "airy(a)[1]"),
    _rule("airy_aip",  "airy(a)[1]",      "a * airy(a)[0]"),
    _rule("airy_bi",   "airy(a)[2]",      "airy(a)[3]"),
    _rule("airy_bip",  "airy(a)[3]",      "a * airy(a)[2]"),

    # ---- of scipy.special: orthogonal polynomials (Abramowitz & Stegun 22.8) -----------------------
    _rule("eval_legendre", "eval_legendre(a, b)", "0.0", "eval_gegenbauer(a - 1, 1.5, b) if a else 0.0"),
    _rule("eval_gegenbauer", "eval_gegenbauer(a, b, c)", "0.0", "0.0",
          "2 * b * eval_gegenbauer(a - 1, b + 1, c) if a else 0.0"),
    _rule("eval_chebyt", "eval_chebyt(a, b)", "0.0", "a * eval_chebyu(a - 1, b) if a else 0.0"),
    _rule("eval_chebyu", "eval_chebyu(a, b)", "0.0", "2 * eval_gegenbauer(a - 1, 2.0, b) if a else 0.0"),
    _rule("eval_hermite", "eval_hermite(a, b)", "0.0", "2 * a * eval_hermite(a - 1, b) if a else 0.0"),
    _rule("eval_hermitenorm", "eval_hermitenorm(a, b)", "0.0", "a * eval_hermitenorm(a - 1, b) if a else 0.0"),
    _rule("eval_laguerre", "eval_laguerre(a, b)", "0.0", "-eval_genlaguerre(a - 1, 1.0, b) if a else 0.0"),
    _rule("eval_genlaguerre", "eval_genlaguerre(a, b, c)", "0.0", "0.0",
          "-eval_genlaguerre(a - 1, b + 1, c) if a else 0.0"),

    # ---- of scipy.special: elliptic integrals; ellipd is D = (K - E) / m (DLMF 19.4) ---------------
    _rule("ellipk",    "ellipk(a)",       "(z - ellipd(a)) / (2 * (1 - a)) if a != 1 else inf"),
    _rule("ellipkm1",  "ellipkm1(a)",     "(ellipd(1 - a) - z) / (2 * a) if a else -inf"),
    _rule("ellipe",    "ellipe(a)",       "-0.5 * ellipd(a)"),
    _rule("ellipd",    "ellipd(a)",
          f"(ellipk(a) + (a - 2) * z) / (2 * a * (1 - a)) if abs(a) > 1e-3 else {_D_SERIES}",
          seam=("abs(a) <= 1e-3", 3)),
    _rule("ellipkinc", "ellipkinc(a, b)", "1 / sqrt(1 - b * sin(a) ** 2)",       "0.0"),
    _rule("ellipeinc", "ellipeinc(a, b)", "sqrt(1 - b * sin(a) ** 2)",           "0.0"),

    # ---- steps: the derivative stops here --------------------------------------------------------
    _rule("sign",      "sign(a)",         "0.0", kink=_jump("a == 0"), step=True),
    _rule("rint",      "rint(a)",         "0.0", kink=_jump("abs(a - floor(a)) == 0.5"), step=True),
    _rule("floor",     "floor(a)",        "0.0", kink=_jump("a == z"), step=True),
    _rule("ceil",      "ceil(a)",         "0.0", kink=_jump("a == z"), step=True),
    _rule("trunc",     "trunc(a)",        "0.0", kink=_jump("a == z and a != 0"), step=True),
    _rule("heaviside", "heaviside(a, b)", "0.0",                                 "0.0 if a else 1.0",
          kink=_jump("a == 0"), step=True),
    _rule("round",     "round(a, b)",     "0.0", "0.0", step=True),  # b is an int, never active
)
# fmt: on


OWN: dict[str, Rule] = {}  # rules of the user's own (own.py)


class Table(dict[str, Rule]):
    """The rows by name. A rule of the user's own is found here too, but it is not among the rows."""

    def __missing__(self, name: str) -> Rule:
        return OWN[name]


RULES: dict[str, Rule] = Table({rule.name: rule for rule in _ROWS})
