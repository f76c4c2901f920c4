"""What an engine is to which programs are handed over, as data, and what the tables of all of them share."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from ad_magic.engine.decisions import TEXTS


def words(text: str) -> list[str]:
    """The words of a text: names, in a table."""
    return text.split()


def functions_of(*modules: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions that are written in these modules, by name: what a program may bring along."""
    return {
        label: x
        for module in modules
        for label, x in vars(module).items()
        if isinstance(x, FunctionType) and x.__module__ == module.__name__
    }


@dataclass(frozen=True)
class Target:
    """An engine that programs are handed over to.

    `forms` says how a function of the program is written there: a name with dots, the name of a function of the
    `library`, or an expression in a, b, c; "log/2" is that of two arguments, "np.pad/constant" that with this word.
    `methods` does so for methods of arrays. A function of `math` or of the table is written as that of NumPy or of
    scipy.special with its name, unless it has a form of its own. In the forms and in the `library` `modules` says what
    stands for `xp`, the engine's module of arrays, and `sp`, that of special functions.
    """

    name: str
    module: str
    modules: Mapping[str, str]
    imports: Mapping[str, str]  # what stands before a dot in the text -> the statement that imports it
    library: Mapping[str, Callable[..., Any]]
    forms: Mapping[str, str]
    methods: Mapping[str, str]
    given: str  # how a constant array is one of the engine's
    made: str  # how numbers are an array of floats, beside an input
    floats: str  # how an array is made one of floats
    lists: str = ""  # how a list of numbers is an array, where the functions take no lists
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # a function -> what its options are called
    here: str = ""  # a constant array beside the inputs, where that needs to be said
    operators: Mapping[type[ast.operator], str] = field(default_factory=dict)  # those that are functions there
    backwards: str = ""  # what takes x[::-1], where an index may not go backwards
    refused: Mapping[str, str] = field(default_factory=dict)  # a function -> why it has no form


# functions of NumPy that each engine has under the same name, with the same arguments
_SAME = words("""
abs absolute all angle any arccos arccosh arcsin arcsinh arctan arctanh argmax argmin atleast_1d atleast_2d atleast_3d
ceil cos cosh count_nonzero deg2rad diag diff dsplit exp exp2 expm1 fliplr flipud floor hsplit inf isfinite isinf
isnan isneginf isposinf kron log log10 log1p log2 logical_and logical_not logical_or logical_xor nan negative pi
positive rad2deg reciprocal roll rot90 sign signbit sin sinc sinh sqrt square squeeze swapaxes tan tanh tril triu trunc
vsplit linalg.det linalg.diagonal linalg.inv linalg.matrix_power linalg.matrix_rank linalg.pinv linalg.slogdet
linalg.svdvals fft.fft fft.fft2 fft.fftn fft.fftshift fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ifftshift fft.ihfft
fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn
""")
# functions of scipy.special that each has under the same name
_SPECIAL = words("""
digamma entr erf erfc erfcx erfinv expit gammaln i0 i0e i1 i1e log_ndtr logit ndtr ndtri
""")
FORMS = {
    **{f"np.{label}": f"xp.{label}" for label in _SAME},
    **{f"scipy.special.{label}": f"sp.{label}" for label in _SPECIAL},
    **{f"np.linalg.{label}": label for label in words("cholesky eigh eigvalsh")},
    **{f"a{label}": f"xp.arc{label}" for label in words("sin cos tan sinh cosh tanh")},
    **{label: label for label in words("hypot placed slice sum written")},
    "inf": "xp.inf",
    "nan": "xp.nan",
    "pow": "a ** b",
    "fma": "a * b + c",
    "fsum": "sum",
    "int": "xp.trunc",
    "float.is_integer": "a == xp.floor(a)",
    "isclose": "is_close",
    "max": "greatest",
    "min": "least",
    "remainder": "ieee_remainder",
    "round": "xp.round",
    "lgamma": "sp.gammaln",
    "scipy.special.psi": "sp.digamma",
    "scipy.special.exp10": "10.0 ** a",
    "np.argsort": "argsort",
    "np.tensordot": "tensordot",
    "np.lib.stride_tricks.sliding_window_view": "sliding_window_view",
}
# why something has no form; "{engine}" is the name of the engine
REFUSED = {
    **dict.fromkeys((*TEXTS, "text"), "the program looks at the text of a number, which has no form in {engine}"),
    "hash": "the program looks at the hash of a number, which has no form in {engine}",
    "primal": "primal(…) takes the plain value, which would stay what it was here: {engine} cannot ask for it again",
    "note": "the program looks at plain values here in a way that {engine} cannot ask again at other inputs",
    "round/2": "round(x, n) rounds a number as it is written in decimals, which has no form in {engine}",
    **dict.fromkeys(
        ("np.linalg.eig", "np.linalg.eigvals"),
        "eigenvalues of a matrix that need not be symmetric are complex in {engine}, also where NumPy gives real ones",
    ),
    **dict.fromkeys(
        ("np.nonzero", "np.flatnonzero", "np.argwhere"),
        "the program looks at which entries are not zero: how many there are, {engine} cannot know beforehand",
    ),
}
# operations that have another derivative in the engines of complex numbers
REAL_ONLY = frozenset(("acos", "asin", "arccos", "arcsin"))
