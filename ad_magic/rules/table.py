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

from .rule import Kink, Rule

_VERTICAL = "the slope is infinite here"
_JUMP = "the function jumps here"


def _rule(
    name: str, value: str, *partials: str, kink: Kink | None = None, step: bool = False, given_b: str | None = None
) -> Rule:
    return Rule(name, value, partials, kink, step, given_b)


def _variadic(name: str, value: str, partial: str, kink: Kink | None = None) -> Rule:
    return Rule(name, value, (partial,), kink, variadic=True)



def _greater(sign: str, only_a: str = "a != a", only_b: str = "b != b") -> tuple[str, str]:
    """The partials of a choice between a and b; by the conditions it is a alone or b alone."""
    return (
        f"1.0 if a {sign} b or {only_a} else 0.5 if a == b else 0.0",
        f"1.0 if b {sign} a or {only_b} else 0.5 if a == b else 0.0",
    )


# x**0 is constant, also at 0; 0**y is 0 for y > 0
_POWER = ("b * a ** (b - 1) if a or b else 0.0", "z * log(a) if z else 0.0")
_TIE = Kink("True", "a tie shares the derivative evenly")
_EQUAL = Kink("a == b", "a tie shares the derivative evenly", "0.0", "1.0")
_SQUARE = "2 * a if b == 2 else b * a ** (b - 1) if b else 0.0"
_ROOT = Kink("a == 0 and 0 < b < 1", _VERTICAL, None, "inf")  # x**0.5 as sqrt(x)
_RINT = "-rint((a - z) / b)"

# fmt: off
_ROWS = (
    # ---- operators -------------------------------------------------------------------------------
    #      name         value              d/da                                   d/db
    _rule("add",       "a + b",           "1",                                   "1"),
    _rule("sub",       "a - b",           "1",                                   "-1"),
    _rule("mul",       "a * b",           "b",                                   "a"),
    _rule("div",       "a / b",           "1 / b",                               "-z / b"),
    _rule("pow",       "a ** b",          *_POWER, kink=_ROOT, given_b=_SQUARE),
    _rule("mod",       "a % b",           "1",                                   "-(a // b)",
          kink=Kink("z == 0", _JUMP)),
    _rule("floordiv",  "a // b",          "0.0",                                 "0.0",
          kink=Kink("a % b == 0", _JUMP), step=True),
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
    _rule("logaddexp", "logaddexp(a, b)", "exp(a - z)",                          "exp(b - z)"),
    _rule("logaddexp2", "logaddexp2(a, b)", "exp2(a - z)",                       "exp2(b - z)"),
    _rule("fpow",      "pow(a, b)",       *_POWER, kink=_ROOT),

    # ---- trigonometric functions and their inverses ----------------------------------------------
    _rule("sin",       "sin(a)",          "cos(a)"),
    _rule("cos",       "cos(a)",          "-sin(a)"),
    _rule("tan",       "tan(a)",          "1 + z * z"),
    _rule("asin",      "asin(a)",         "1 / sqrt((1 - a) * (1 + a))",
          kink=Kink("abs(a) == 1", _VERTICAL)),
    _rule("acos",      "acos(a)",         "-1 / sqrt((1 - a) * (1 + a))",
          kink=Kink("abs(a) == 1", _VERTICAL)),
    _rule("atan",      "atan(a)",         "1 / (1 + a * a)"),
    _rule("atan2",     "atan2(a, b)",     "b / hypot(a, b) / hypot(a, b)",       "-a / hypot(a, b) / hypot(a, b)",
          kink=Kink("a == 0 and b == 0", "the angle is undefined at the origin")),
    _rule("degrees",   "degrees(a)",      "DEGREES"),
    _rule("radians",   "radians(a)",      "RADIANS"),

    # ---- hyperbolic functions and their inverses -------------------------------------------------
    _rule("sinh",      "sinh(a)",         "cosh(a)"),
    _rule("cosh",      "cosh(a)",         "sinh(a)"),
    _rule("tanh",      "tanh(a)",         "sech2(a, z)"),
    _rule("asinh",     "asinh(a)",        "1 / hypot(1.0, a)"),
    _rule("acosh",     "acosh(a)",        "1 / (sqrt(a - 1) * sqrt(a + 1))",
          kink=Kink("a == 1", _VERTICAL, None, "inf")),
    _rule("atanh",     "atanh(a)",        "1 / ((1 - a) * (1 + a))"),

    # ---- lengths, signs, remainders --------------------------------------------------------------
    _rule("hypot",     "hypot(a, b)",     "a / z if z else 0.0",                 "b / z if z else 0.0",
          kink=Kink("z == 0", "the slope changes here", "-1.0", "1.0")),
    _rule("fabs",      "fabs(a)",         "sign(a)",
          kink=Kink("a == 0", "the slope changes here", "-1.0", "1.0")),
    _rule("copysign",  "copysign(a, b)",  "sign(a) * copysign(1.0, b)",          "0.0",
          kink=Kink("a == 0 or b == 0", "the slope or the sign changes here")),
    _rule("fmod",      "fmod(a, b)",      "1",                                   _RINT,
          kink=Kink("z == 0 and a != 0", _JUMP)),
    _rule("remainder", "remainder(a, b)", "1",                                   _RINT,
          kink=Kink("2 * abs(z) == abs(b)", _JUMP)),
    _rule("ldexp",     "ldexp(a, b)",     "ldexp(1.0, b)",                       "0.0"),  # b is an int, never active
    _rule("fma",       "fma(a, b, c)",    "b",                                   "a",            "1"),

    # ---- the greater and the smaller: a NaN wins, except in fmax and fmin --------------------------
    _rule("maximum",   "maximum(a, b)",   *_greater(">"), kink=_EQUAL),
    _rule("minimum",   "minimum(a, b)",   *_greater("<"), kink=_EQUAL),
    _rule("fmax",      "fmax(a, b)",      *_greater(">", "b != b", "a != a"), kink=_EQUAL),
    _rule("fmin",      "fmin(a, b)",      *_greater("<", "b != b", "a != a"), kink=_EQUAL),

    # ---- any number of arguments: a is the list of them, the partial with respect to one of them, x
    _variadic("sum",   "sum(a)",          "1"),
    _variadic("max",   "max(a)",          "1 / n", kink=_TIE),  # of equal numbers only: else it is one of them
    _variadic("min",   "min(a)",          "1 / n", kink=_TIE),
    _variadic("fsum",  "fsum(a)",         "1"),
    _variadic("norm",  "hypot(*a)",       "x / z if z else 0.0",
              kink=Kink("z == 0", "the slope changes here", "-1.0", "1.0")),

    # ---- special functions -----------------------------------------------------------------------
    _rule("erf",       "erf(a)",          "TWO_OVER_SQRT_PI * exp(-a * a)"),
    _rule("erfc",      "erfc(a)",         "-TWO_OVER_SQRT_PI * exp(-a * a)"),
    _rule("gamma",     "gamma(a)",        "z * polygamma(0, a)"),
    _rule("lgamma",    "lgamma(a)",       "polygamma(0, a)"),
    _rule("polygamma", "polygamma(a, b)", "0.0",                                 "polygamma(a + 1, b)"),  # a: the order

    # ---- steps: the derivative stops here --------------------------------------------------------
    _rule("sign",      "sign(a)",         "0.0", kink=Kink("a == 0", _JUMP), step=True),
    _rule("rint",      "rint(a)",         "0.0", kink=Kink("abs(a - floor(a)) == 0.5", _JUMP), step=True),
    _rule("floor",     "floor(a)",        "0.0", kink=Kink("a == z", _JUMP), step=True),
    _rule("ceil",      "ceil(a)",         "0.0", kink=Kink("a == z", _JUMP), step=True),
    _rule("trunc",     "trunc(a)",        "0.0", kink=Kink("a == z and a != 0", _JUMP), step=True),
    _rule("heaviside", "heaviside(a, b)", "0.0",                                 "0.0 if a else 1.0",
          kink=Kink("a == 0", _JUMP), step=True),
    _rule("round",     "round(a, b)",     "0.0", "0.0", step=True),  # b is an int, never active
)
# fmt: on

RULES: dict[str, Rule] = {rule.name: rule for rule in _ROWS}
