"""np.float64(x) and its like where x is active: in cells, in functions that cells call, in derivatives of functions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy import float64 as bound_early

from ad_magic import grad, hessian, jacfwd, jvp, trace

X = 1.3
FUNCTIONS = {  # at 1.3: the derivative, the second one
    "np.float64(x) * x": (2 * X, 2.0),
    "np.double(x) ** 2": (2 * X, 2.0),
    "bound_early(x) * 2": (2.0, 0.0),
    "np.float32(x) * 3.0": (3.0, 0.0),
    "np.half(x) * 2": (2.0, 0.0),
    "np.longdouble(x) * 2": (2.0, 0.0),
    "abs(np.complex128(x) * 2j)": (2.0, 0.0),
    "sum(map(np.float64, [x, x * x]))": (1 + 2 * X, 2.0),
    "np.float64(np.array([x, x * x])).sum()": (1 + 2 * X, 2.0),
    "x * x if type(np.float64(x)) is np.float64 and isinstance(x, np.float64 | float) else 0.0": (2 * X, 2.0),
    "x * np.float64(2.5) + np.zeros(2, dtype=np.float64).sum()": (2.5, 0.0),
}


@pytest.mark.parametrize("source", FUNCTIONS)
def test_in_derivatives_of_functions(source):
    first, second = FUNCTIONS[source]
    names = {"np": np, "bound_early": bound_early}
    f = eval(f"lambda x: {source}", names)
    for found in (grad(f)(X), jacfwd(f)(X), jvp(f, (X,), (1.0,))[1], trace(f, X).grad["x"]):
        assert found == pytest.approx(first, rel=1e-6)
    assert hessian(f)(X) == pytest.approx(second)
    assert names["bound_early"] is np.float64 and type(np.float64) is type


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
def test_in_cells_and_in_what_they_call(cells, mode):
    cells.plain("import numpy as np\nfrom numpy import float32 as single\nfrom ad_magic import grad\n"
                "def square(v):\n    return np.float64(v) ** 2\ndef rounded(v):\n    return single(v) * 2")  # fmt: skip
    for source, expected in {
        "y = np.float64(x) * x": 2 * X,
        "y = square(x)": 2 * X,
        "y = rounded(x)": 2.0,
        "y = grad(square)(x) * x": 4 * X,
        "from numpy import float64 as D\ny = D(x) * x": 2 * X,
        "y = x * 2 if type(np.float64(x)) is np.float64 else x": 2.0,
    }.items():
        assert cells.grad(f"x={X} --of y", source, mode).grad["x"] == pytest.approx(expected, rel=1e-6), source
    # a float32 is rounded to its digits, here and there
    assert cells.grad(f"x={X} --of y", "y = rounded(x)", mode).value == float(np.float32(X) * 2)
    assert cells.shell.user_ns["single"] is np.float32


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
@pytest.mark.parametrize("name", ["float", "np.float64", "complex"])
def test_a_class_derived_from_a_name_is_one_of_its_own(cells, name, mode):
    cells.plain("import numpy as np")
    source = f"class Tenfold({name}):\n    def __add__(self, other):\n        return 10 * {name}(self) + other\n"
    result = cells.grad("x=1.5 --of y", f"{source}y = abs(Tenfold(2.0) + {name}(x) * x)", mode)
    assert (result.value, result.grad["x"]) == (22.25, 3.0)
    kind = cells.shell.user_ns["Tenfold"]
    assert (kind.__bases__, type(kind)) == ((eval(name),), type)
