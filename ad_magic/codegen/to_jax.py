"""The names of NumPy, `math` and SciPy in JAX. `tests/test_handed.py` tries them: values and derivatives."""

from __future__ import annotations

from ad_magic.rules.special import SEVERAL

from . import jax_library, shared_library
from .target import FORMS, REFUSED, Target, functions_of, words

# functions of NumPy that jax.numpy has under the same name, with the same arguments, besides those that all have
_SAME = words("""
add allclose append arctan2 array array_equal array_equiv array_split asarray bincount block broadcast_arrays
broadcast_to cbrt column_stack concatenate conjugate copysign cumprod cumsum degrees delete diagflat diagonal divmod dot
dstack einsum equal expand_dims fabs flip float_power floor_divide fmax fmin fmod frexp greater greater_equal heaviside
hstack hypot imag inner isclose iscomplex isin isreal ldexp less less_equal lexsort logaddexp logaddexp2 matmul
matrix_transpose max maximum mean meshgrid min minimum mod moveaxis multiply nanargmax nanargmin nan_to_num newaxis
not_equal outer pad power prod radians ravel real remainder repeat reshape resize rint rollaxis searchsorted split stack
subtract sum take_along_axis tile trace transpose true_divide unstack unwrap vander vdot vecdot vstack where
linalg.cond linalg.lstsq linalg.matrix_transpose linalg.norm linalg.outer linalg.qr linalg.solve linalg.svd
linalg.tensorinv linalg.tensorsolve linalg.trace
""")
# functions of scipy.special that jax.scipy.special has, besides
_SPECIAL = words("""
beta betainc betaln boxcox boxcox1p dawsn exp1 expi expn fresnel gamma gammainc gammaincc hyp1f1 kl_div loggamma owens_t
poch polygamma rel_entr sici spence xlog1py xlogy zeta
""")

TARGET = Target(
    name="JAX",
    module="jax",
    modules={"xp": "jnp", "sp": "jsp"},
    imports={
        "jax": "import jax",
        "jnp": "import jax.numpy as jnp",
        "jsp": "import jax.scipy.special as jsp",
        "inf": "from math import inf",
        "nan": "from math import nan",
        "np": "import numpy as np",
        "prod": "from math import prod",
        "reduce": "from functools import reduce",
    },
    library=functions_of(shared_library, jax_library),
    forms={
        **FORMS,
        **{f"np.{label}": f"jnp.{label}" for label in _SAME},
        **{f"scipy.special.{label}": f"jsp.{label}" for label in _SPECIAL},
        **{
            f"scipy.special.{part}": f"jsp.{label}(a)[{k}]"
            for label in ("sici", "fresnel")
            for k, part in enumerate(SEVERAL[label])
        },
        **{f"np.{label}": label for label in words("digitize insert take")},
        "atan2": "jnp.arctan2",
        "log/2": "jnp.log(a) / jnp.log(b)",
        "scipy.special.log_expit": "jax.nn.log_sigmoid",
    },
    methods={label: f".{label}" for label in words("sum mean prod max min reshape astype conj")},
    given="{}",
    lists="np.array({})",
    made="floats({})",
    floats=".astype(float)",
    refused={**REFUSED, "np.argpartition": "JAX partitions in another order than NumPy"},
)
