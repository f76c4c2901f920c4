"""What the rows of the table mean that are functions of scipy.special.

Such a row is reached through SciPy only, which the user's program has imported: it is never imported from here before
a row is used. A row has the name of the function, or of one of its results (`sici` gives "si" and "ci").
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

# Rows with the name of a ufunc of scipy.special; erf, gamma and others are rows for `math` already.
UFUNCS = (
    "erfcx", "erfi", "dawsn", "erfinv", "erfcinv", "ndtr", "ndtri", "log_ndtr", "ndtri_exp", "owens_t",
    "gammaln", "loggamma", "rgamma", "digamma", "beta", "betaln", "binom", "poch",
    "gammainc", "gammaincc", "gammaincinv", "gammainccinv", "betainc", "betaincc", "betaincinv",
    "expit", "logit", "log_expit", "exp10", "exprel", "cosm1", "powm1", "expi", "exp1", "expn", "spence", "wrightomega",
    "xlogy", "xlog1py", "entr", "rel_entr", "kl_div", "huber", "pseudo_huber",
    "boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p", "hyp0f1", "hyp1f1",
    "j0", "j1", "jv", "y0", "y1", "yv", "i0", "i1", "iv", "i0e", "i1e", "ive", "k0", "k1", "kv", "k0e", "k1e", "kve",
    "eval_legendre", "eval_gegenbauer", "eval_chebyt", "eval_chebyu", "eval_hermite", "eval_hermitenorm",
    "eval_laguerre", "eval_genlaguerre",
    "ellipk", "ellipkm1", "ellipe", "ellipkinc", "ellipeinc",
)  # fmt: skip

# The results of a function that has several, in order: rows of their own.
SEVERAL = {
    "sici": ("si", "ci"),
    "shichi": ("shi", "chi"),
    "fresnel": ("fresnel_s", "fresnel_c"),
    "airy": ("airy_ai", "airy_aip", "airy_bi", "airy_bip"),
}

# The argument with respect to which a row has no derivative: its position, and what it is.
_ORDER, _PARAMETER, _TWO = {0: "the order"}, {0: "the parameter"}, {0: "the parameter a", 1: "the parameter b"}
FIXED: dict[str, dict[int, str]] = {
    "jv": _ORDER, "yv": _ORDER, "iv": _ORDER, "ive": _ORDER, "kv": _ORDER, "kve": _ORDER, "expn": _ORDER,
    "polygamma": _ORDER, "zeta": {0: "the exponent"}, "lambertw": {1: "the branch"},
    "gammainc": _PARAMETER, "gammaincc": _PARAMETER, "gammaincinv": _PARAMETER, "gammainccinv": _PARAMETER,
    "hyp0f1": _PARAMETER, "betainc": _TWO, "betaincc": _TWO, "betaincinv": _TWO, "hyp1f1": _TWO,
    "eval_legendre": _ORDER, "eval_chebyt": _ORDER, "eval_chebyu": _ORDER, "eval_hermite": _ORDER,
    "eval_hermitenorm": _ORDER, "eval_laguerre": _ORDER,
    "eval_gegenbauer": {0: "the order", 1: "the parameter"}, "eval_genlaguerre": {0: "the order", 1: "the parameter"},
    "inv_boxcox": {1: "the power"}, "inv_boxcox1p": {1: "the power"},
    "ellipkinc": {1: "the parameter m"}, "ellipeinc": {1: "the parameter m"},
}  # fmt: skip


class Entrywise:
    """A function of arrays by entry that is no ufunc, but hands over to active arrays and numbers as one does."""

    nout = 1

    def __init__(self, name: str, nin: int, plain: Callable[..., Any]) -> None:
        self.__name__ = name
        self.nin = nin
        self.plain = plain

    def __call__(self, *arguments: Any) -> Any:
        from .arrays.frozen import np

        for x in arguments:
            kind = type(x)
            if hasattr(kind, "__array_ufunc__") and not issubclass(kind, (np.ndarray, np.generic)):
                return x.__array_ufunc__(self, "__call__", *arguments)
        return self.plain(*arguments)


@cache
def _scipy() -> Any:
    from scipy import special

    return special


def _late(name: str) -> Callable[..., Any]:
    """The function of scipy.special, looked up when it is called."""
    return lambda *arguments: getattr(_scipy(), name)(*arguments)


def _part(name: str, k: int) -> Callable[..., Any]:
    return lambda *arguments: getattr(_scipy(), name)(*arguments)[k]


def _legendre_d(m: Any) -> Any:
    """The complete elliptic integral D(m) = (K(m) - E(m)) / m, by Carlson's R_D (DLMF 19.25.1)."""
    return _scipy().elliprd(0.0, 1.0 - m, 1.0) / 3.0


def _lambertw(x: Any, k: Any = 0) -> Any:
    """A branch at real numbers: real for x >= -1/e (k = 0) and for -1/e <= x < 0 (k = -1), else NaN."""
    w = _scipy().lambertw(x, k)
    from .arrays.frozen import np

    return np.where(w.imag == 0, w.real, np.nan)[()]


# Functions that are no ufuncs.
OTHERS: dict[str, Entrywise] = {
    "polygamma": Entrywise("polygamma", 2, _late("polygamma")),
    "zeta": Entrywise("zeta", 2, _late("zeta")),
    "lambertw": Entrywise("lambertw", 2, _lambertw),
    "ellipd": Entrywise("ellipd", 1, _legendre_d),
    **{row: Entrywise(row, 1, _part(name, k)) for name, rows in SEVERAL.items() for k, row in enumerate(rows)},
}

ROWS = frozenset((*UFUNCS, "zeta", "lambertw", "ellipd", *(row for rows in SEVERAL.values() for row in rows)))


def _number(name: str) -> Callable[..., float]:
    function = OTHERS[name].plain if name in OTHERS else _late(name)
    return lambda *arguments: float(function(*arguments))


def _numbers(name: str) -> Callable[..., tuple[float, ...]]:
    return lambda *arguments: tuple(map(float, getattr(_scipy(), name)(*arguments)))


def plain_names() -> dict[str, Callable[..., Any]]:
    """The names for floats."""
    return {name: _number(name) for name in ROWS} | {name: _numbers(name) for name in SEVERAL}


def array_names() -> dict[str, Callable[..., Any]]:
    """The names for arrays, also active ones; among them those that are rows for `math`."""
    return {
        **{name: _late(name) for name in (*UFUNCS, *SEVERAL, "erf", "erfc", "gamma")},
        "lgamma": _late("gammaln"),
        **OTHERS,
    }
