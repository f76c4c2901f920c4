"""The names of NumPy, `math` and SciPy in torch. `tests/test_handed.py` tries them: values and derivatives."""

from __future__ import annotations

import ast

from . import shared_library, torch_arrays, torch_library
from .target import FORMS, REFUSED, Target, functions_of, words

_CONJUGATE = "torch.resolve_conj(torch.conj(a))"  # of a view that is only marked as conjugate vmap cannot take parts
_OTHERWISE = {  # functions of NumPy that have another name
    "degrees": "rad2deg", "expand_dims": "unsqueeze", "fabs": "abs",
    "moveaxis": "movedim", "radians": "deg2rad", "rint": "round", "unstack": "unbind",
}  # fmt: skip
_SIGNS = {
    "equal": "==", "not_equal": "!=", "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=",
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/", "power": "**", "float_power": "**",
}  # fmt: skip
# functions of two arrays, which torch wants to be of one type
_PAIRS = {
    **{label: label for label in words("copysign fmax fmin fmod logaddexp logaddexp2 matmul maximum minimum")},
    "arctan2": "atan2",
    "linalg.solve": "linalg.solve",
    "mod": "remainder",
    "remainder": "remainder",
}
_SPECIAL_PAIRS = words("gammainc gammaincc xlog1py xlogy")
_TRANSFORMS = words("fft2 fftn fftshift ifft2 ifftn ifftshift irfft2 irfftn rfft2 rfftn")
_ARRAYS = functions_of(torch_arrays)  # most are called as in NumPy

TARGET = Target(
    name="torch",
    module="torch",
    modules={"xp": "torch", "sp": "torch.special"},
    imports={
        "inf": "from math import inf",
        "nan": "from math import nan",
        "reduce": "from functools import reduce",
        "prod": "from math import prod",
        "np": "import numpy as np",
        "torch": "import torch",
    },
    library={**functions_of(shared_library, torch_library), **_ARRAYS},
    forms={
        **FORMS,
        **{f"np.{label}": label for label in _ARRAYS if label not in ("at", "cast", "pad")},
        **{f"np.linalg.{label}": label for label in words("det lstsq norm qr svd")},
        **{f"np.{label}": label for label in words("allclose array_equal cbrt heaviside hypot isclose where")},
        **{f"np.{label}": f"torch.{other}" for label, other in _OTHERWISE.items()},
        **{f"np.{label}": f"a {sign} b" for label, sign in _SIGNS.items()},
        **{f"np.{label}": f"torch.{label}(same(*a))" for label in words("dstack hstack vstack")},
        **{f"np.{label}": f"torch.{other}(*same(a, b))" for label, other in _PAIRS.items()},
        **{f"scipy.special.{label}": f"torch.special.{label}(*same(a, b))" for label in _SPECIAL_PAIRS},
        "np.conjugate": _CONJUGATE,
        "atan2": "torch.atan2(*same(a, b))",
        "log/2": "log_to",
        "scipy.special.gamma": "gamma",
        "scipy.special.log_expit": "torch.nn.functional.logsigmoid",
        "scipy.special.polygamma": "torch.polygamma(int(a), b)",
        "np.array": "floats",
        "np.asarray": "floats",
        "np.floor_divide": "floor_quotient",
        "np.ldexp": "a * 2.0 ** b",
        "np.sum": "total",
        "np.prod": "product",
        "np.max": "greatest_of",
        "np.min": "least_of",
        "np.array_split": "split",
        **{f"np.pad/{mode}": "pad" for mode in words("constant edge reflect symmetric wrap")},
        "np.matrix_transpose": "(a).mT",
        "np.linalg.matrix_transpose": "(a).mT",
    },
    methods={
        "sum/0": ".sum",
        "mean/0": ".mean",
        "prod/0": ".prod",
        "max/0": ".amax",
        "min/0": ".amin",
        "sum": "total",
        "mean": "mean",
        "prod": "product",
        "max": "greatest_of",
        "min": "least_of",
        "reshape": ".reshape",
        "conj": _CONJUGATE,
        "astype": "cast",
    },
    given="torch.tensor({})",
    made="floats({}, {})",
    floats=".to(torch.float64)",
    here="beside({}, {})",
    options={
        **{f"np.fft.{label}": {"axes": "dim"} for label in _TRANSFORMS},
        **{f"np.{label}": {"k": "diagonal"} for label in words("diag tril triu")},
        "np.roll": {"axis": "dims"},
        "np.rot90": {"axes": "dims"},
    },
    operators={
        ast.Mod: "torch.remainder(*same(a, b))",
        ast.FloorDiv: "floor_quotient",
        ast.MatMult: "torch.matmul(*same(a, b))",
    },
    backwards="at",
    refused=REFUSED,
)
