"""A number that goes through a text, or through bytes, and is read back: the derivative stops, and never in silence."""

from __future__ import annotations

import ast
import json
import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from ad_magic import grad, jvp

SETUP = "import ast, json\nimport numpy as np\nfrom decimal import Decimal\nfrom fractions import Fraction"
NAMES = {"ast": ast, "json": json, "np": np, "Decimal": Decimal, "Fraction": Fraction}
READ_BACK = [
    "eval(f'{x}')",
    "eval(f'{x} * 2') / 2",
    "float(repr(x))",
    "float(f'{x:.3f}')",
    "float('%.3f' % x)",
    "float(str(x).encode())",
    "float.fromhex(x.hex())",
    "float(Decimal(str(x)))",
    "float(Fraction(str(x)))",
    "complex(str(x)).real",
    "json.loads(f'[{x}]')[0]",
    "ast.literal_eval(repr(x))",
    "sum(map(float, f'{x} 0'.split()))",
    "np.float64(str(x))",
    "np.array([str(x)], dtype=float)[0]",
    "np.frombuffer(np.array([x, 2.0]).tobytes())[0]",
    "float(str(np.array([x, 2.0]))[1:-1].split()[0])",
]
SHOWN = [  # and not read back
    "(x, print(f'{x:.3f}'))[0]",
    "x * float('2.5') if len(str(x)) < 9 else x",
    "x * json.loads('[1, 2.5]')[0] * len(f'{x}')",
    "x * eval('2.0 + 1') if repr(x) else x",
    "x * float(Decimal('7.5')) if str(x) else x",
    "x * np.frombuffer(np.ones(1).tobytes())[0] * len(f'{x}')",
]
SAYS = "the derivative stops here: the text of a number is read back as a number"


@pytest.mark.parametrize("source", READ_BACK)
def test_in_a_cell_it_is_flagged(cells, source):
    cells.plain(SETUP)
    for mode in ("both", "forward"):
        r = cells.grad("x=1.25 --of y", f"y = x * 3 + {source}", mode)
        assert (r.value, r.grad["x"]) == (pytest.approx(5.0), 3.0)
        assert [(flag.kind, flag.line) for flag in r.flags] == [("derivative-stops", 2)]
        assert r.flags[0].message.startswith(SAYS)
    assert r.at({"x": 2.5}).value == pytest.approx(10.0)  # another text: the cell is run again


@pytest.mark.parametrize("source", READ_BACK)
def test_in_a_derivative_of_a_function_there_is_a_warning(source):
    f = eval(f"lambda x: x * 3 + {source}", dict(NAMES))
    with pytest.warns(UserWarning, match=SAYS) as caught:
        assert grad(f)(1.25) == 3.0
    assert {warning.filename for warning in caught} == {"<string>"}
    with pytest.warns(UserWarning, match=SAYS):
        assert jvp(f, (1.25,), (1.0,)) == (pytest.approx(5.0), 3.0)


@pytest.mark.parametrize("source", SHOWN)
def test_what_is_only_shown_is_not(cells, source):
    cells.plain(SETUP)
    f = eval(f"lambda x: {source}", dict(NAMES))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = (f(1.25 + 1e-6) - f(1.25)) / 1e-6 if "len" not in source else f(1.25) / 1.25
        assert grad(f)(1.25) == pytest.approx(expected, rel=1e-6)
        assert not cells.grad("x=1.25 --of y", f"y = {source}").flags


def test_eval_sees_the_names_where_it_stands():
    def f(x: Any, k: float = 2.0) -> Any:
        here = 3.0  # noqa: F841  # in the text
        return eval("here * k * x") + eval("a * x", {"a": 5.0, "x": x}) + eval("b", {}, {"b": 1.0})

    assert grad(f)(1.5) == 11.0
    with pytest.raises(NameError, match="'x'"):  # as without us: a generator has no x of its own
        grad(lambda x: sum(eval("x * i") for i in (1, 2)))(1.5)
