"""A recorded run as a straight-line program: it stands on its own and has the numbers of the run, also elsewhere."""

from __future__ import annotations

import contextlib
import copy
import io
import math
import re
import warnings

import numpy as np
import pytest
from case_files import cases, differs, inputs_of, reference, run_case
from program_samples import SAMPLES

from ad_magic import trace
from ad_magic.cell.again import replayed
from ad_magic.engine.tape import PathChanged
from ad_magic.report.result import Result

CASES = cases()
REFUSED = {
    "scipy brentq root": "brentq is a solver",
    "scipy quad": "quad is a solver",
    "log1p(exp(1000))": "exp overflows here",
}
KINDS = ["forward", "reverse"]


def run(shell, cell, inputs, of="", mode="both"):
    """The Result of a cell that knows `math`, `cmath` and `np`."""
    setup = "import math, cmath\nimport numpy as np\n"
    shell.reset(new_session=False)
    shell.run_cell(setup, silent=True)
    shell.user_ns.update(copy.deepcopy(inputs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a kink may divide by zero in a plain run too
        given = f"{' '.join(inputs)} {f'--of {of}' if of else ''}"
        done = shell.run_cell(f"%%grad {given} --mode {mode} -o r_ -q\n{cell}", silent=True)
    assert done.success, done.error_in_exec or done.error_before_exec
    return shell.user_ns.pop("r_")


def called(code, inputs):
    """What the program returns, run in an empty namespace; its arguments stay as they are, it can be called again."""
    namespace: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, "program", "exec"), namespace)
        given = copy.deepcopy(inputs)
        found = namespace["derivative"](**given)
        for name, x in inputs.items():
            assert np.array_equal(given[name], x, equal_nan=True), f"{name} was changed"
        again = namespace["derivative"](*given.values())
    assert repr(again) == repr(found)
    return found


def agrees(result, found, rtol=1e-10):
    """What a program returned has the numbers, the types and the shapes of a Result."""
    value, derivative = found
    for output in result.run.outputs:
        several = len(result.outputs) > 1
        v, w = (value[output.name], result.value[output.name]) if several else (value, result.value)
        d, j = (derivative[output.name], result.jacobian[output.name]) if several else (derivative, result.jacobian)
        assert type(v) is type(w)
        assert not differs(v, w, 1e-12)
        assert list(d) == list(j)
        for name in j:
            assert type(d[name]) is (float if output.scalar and not j[name].shape else np.ndarray)
            assert not differs(d[name], j[name], rtol), (output.name, name)


def agrees_at(result, code, inputs):
    """At other inputs the program has the numbers of a replay; where that takes another path the program says so.

    Returns whether it was the same path.
    """
    inputs = {**result.inputs, **inputs}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = Result(replayed(result.run, inputs))
    except (PathChanged, ArithmeticError, ValueError):
        with pytest.raises((AssertionError, ArithmeticError, ValueError)):
            called(code, inputs)
        return False
    agrees(other, called(code, inputs))
    return True


def nudged(inputs):
    """Other inputs near by."""
    return {name: np.multiply(x, 1.0001) if np.shape(x) else x * 1.0001 for name, x in inputs.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_case(loaded, name):
    case = CASES[name]
    r = run_case(loaded, case)
    if isinstance(r, BaseException):  # the cell raises an error, or its output is no number
        assert case["expect"] != "ok"
        return
    for kind in KINDS:
        if name in REFUSED:
            with pytest.raises(ValueError, match=REFUSED[name]):
                r.code(kind)
            continue
        code = r.code(kind)
        found = called(code, r.inputs)
        agrees(r, found)
        agrees_at(r, code, nudged(r.inputs))
        if case["expect"] == "ok":
            rtol, atol = case.get("rtol") or 1e-9, case.get("atol") or 1e-12
            for x, want in (case.get("grad") or case.get("jacobian") or {}).items():
                assert not differs(found[1][x], reference(want), rtol, atol), x


def test_most_cases_have_a_program():
    assert len(REFUSED) <= 0.02 * len(CASES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample(loaded, sample):
    r = run(loaded, sample.cell, sample.inputs, sample.of)
    for kind in KINDS:
        code = r.code(kind)
        agrees(r, called(code, r.inputs))
        if sample.second is not None:
            assert agrees_at(r, code, sample.second), "the path is another"


@pytest.mark.parametrize("mode", KINDS)
@pytest.mark.parametrize("name", ["rosenbrock", "np_inplace_basic", "np_axis_keepdims_softmax", "tuple_output_two"])
def test_a_run_in_one_mode_has_both_programs(loaded, name, mode):
    r = run_case(loaded, CASES[name], mode)
    for kind in KINDS:
        agrees(r, called(r.code(kind), inputs_of(CASES[name])))


# ---- names ---------------------------------------------------------------------------------------

TAKEN = (
    *(
        "v3",
        "w3",
        "t1",
        "c1",
        "dx",
        "dv3",
        "dv3_dx",
        "dx_x",
        "x_bar",
        "v3_bar",
        "x_along",
        "rows_0",
        "unit",
        "row",
        "t",
    ),
    *("derivative", "adjoints", "tangent", "zero", "times", "at_edge", "written", "error_of", "program"),
    *("exp", "np", "inf", "nan", "float", "sum", "dict", "max", "slice", "base64", "scipy", "ε", "e"),
)


@pytest.mark.parametrize("name", TAKEN)
def test_an_input_may_be_called_like_anything_in_the_program(loaded, name):
    number = f"import numpy, builtins, math as m\nz = numpy.exp({name})*x + m.exp({name}*x) + 2*builtins.max(x, {name})"
    array = (
        f"import numpy\nz = {name}[1:]*x + numpy.cumsum({name})[:-1]*numpy.array([1.0, numpy.inf])[0] + numpy.exp(x)"
    )
    row = np.array([0.5, 0.2, 0.1])
    for cell, first, second in ((number, 0.5, 0.4), (array, row, row + 1)):
        r = run(loaded, cell, {name: first, "x": 1.5})
        for kind in KINDS:
            assert agrees_at(r, r.code(kind), {name: second})


@pytest.mark.parametrize(
    "name", ["k", "v", "v3", "v_all", "v5_all", "v4_k", "range", "zip", "dv", "v_bar", "_", "t", "d"]
)
def test_an_input_may_be_called_like_what_a_loop_has(loaded, name):
    first = f"for i in [2, 3, 4, 5, 6, 7, 8]:\n    z = m.sin(z*{name}) + i*z + i\nz = z + {name}*x"
    second = f"for i in (0, 1, 2, 3, 4, 5): z = z*m.cos(z*i + {name})"
    r = run(loaded, f"import math as m\nz = x\n{first}\n{second}", {name: 0.5, "x": 1.5})
    for kind in KINDS:
        assert "for " in r.code(kind)
        assert agrees_at(r, r.code(kind), {name: 0.4})


def test_several_inputs_with_names_of_the_program(loaded):
    inputs = {"x": 1.5, "x_": 0.5, "dx": 2.0, "x_bar": 0.3, "dx_": 0.2, "exp": 0.1, "exp_": 0.7}
    r = run(loaded, "import math as m\nz = x*x_*m.exp(dx*x_bar + exp_) + dx_*exp", inputs)
    for kind in KINDS:
        assert agrees_at(r, r.code(kind), {"x": 1.0, "exp": 3.0})


def test_functions_of_other_cells_and_closures(loaded):
    loaded.run_cell("import math\ndef make(k):\n    def f(x):\n        return math.sin(k*x)\n    return f\ng = make(3)")
    loaded.user_ns["x"] = 0.5
    loaded.run_cell("%%grad x -o r_ -q\nz = g(x) + [g(k*x) for k in range(3)][-1]", silent=True)
    r = loaded.user_ns["r_"]
    for kind in KINDS:
        value, derivative = called(r.code(kind), {"x": 0.7})
        assert value == pytest.approx(math.sin(2.1) + math.sin(4.2), rel=1e-14)
        assert derivative == {"x": pytest.approx(3 * math.cos(2.1) + 6 * math.cos(4.2), rel=1e-14)}


# ---- guards --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "inputs", "second", "line"),
    [
        ("y = x*x\nz = y if x > 1 else 3*x", {"x": 2.0}, {"x": 0.5}, 3),
        ("y = x*x\nz = y*int(x)", {"x": 2.5}, {"x": 3.5}, 3),
        ("y = x*x\n\nz = y*round(x)", {"x": 2.4}, {"x": 2.6}, 4),
        ("z = max(x, 2.0)", {"x": 2.5}, {"x": 1.5}, 2),
        ("try:\n    z = math.sqrt(x)\nexcept ValueError:\n    z = 2*x", {"x": -1.0}, {"x": 1.0}, 3),
        ("z = 1\nwhile x > 1:\n    x = x/2\n    z = z*x", {"x": 9.0}, {"x": 3.0}, 3),
        ("z = x*len(f'{x:.1f}')", {"x": 9.0}, {"x": 10.0}, 2),
        ("z = np.sum(x[x > 0.15])", {"x": np.array([0.5, 0.1])}, {"x": np.array([0.1, 0.5])}, 2),
        ("z = x[np.argmax(x)]", {"x": np.array([0.5, 0.1])}, {"x": np.array([0.1, 0.5])}, 2),
        ("z = np.sum(np.sort(x)*np.array([1, 2]))", {"x": np.array([0.5, 0.1])}, {"x": np.array([0.1, 0.5])}, 2),
        ("match x:\n    case 2.0: z = x\n    case _: z = 3*x", {"x": 2.0}, {"x": 3.0}, 3),
        ("z = np.sum(x.astype(int) * x)", {"x": np.array([2.5, 0.1])}, {"x": np.array([3.5, 0.1])}, 2),
        (
            "k = np.zeros(2, int)\nk[:] = x\nz = np.sum(k*x)",
            {"x": np.array([2.5, 0.1])},
            {"x": np.array([3.5, 0.1])},
            3,
        ),
        ("z = x if math.isclose(x, 2.0) else 3*x", {"x": 2.0}, {"x": 3.0}, 2),
        ("z = {x: 2*x}[x] + len({x, 1.0})", {"x": 2.0}, {"x": 1.0}, 2),
    ],
)
def test_a_decision_that_changes_is_told(loaded, cell, inputs, second, line):
    r = run(loaded, cell, inputs)
    for kind in KINDS:
        code = r.code(kind)
        agrees(r, called(code, r.inputs))
        with pytest.raises(AssertionError, match=f"^line {line} decides otherwise here"):
            called(code, second)


# ---- how it reads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rosenbrock", "np_dot_matmul_outer", "np_median_percentile", "where_sinc_zero"])
def test_it_is_formatted(loaded, name):
    r = run_case(loaded, CASES[name])
    for kind in KINDS:
        code = r.code(kind)
        assert not re.search(r"\n\n\n\n|[ \t]\n|\A\n", code)
        assert code.endswith("\n") and not code.endswith("\n\n")
        assert len(re.findall(r"^def derivative", code, re.MULTILINE)) == 1


def test_nothing_of_ours_is_needed(loaded):
    for sample in SAMPLES[::7]:
        r = run(loaded, sample.cell, sample.inputs, sample.of)
        assert all("ad_magic" not in r.code(kind) for kind in KINDS)


def test_a_program_prints_nothing_and_draws_nothing(loaded):
    r = run(loaded, "import random\nprint(x)\nz = x*random.random() + np.random.default_rng().normal()", {"x": 1.0})
    for kind in KINDS:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            agrees(r, called(r.code(kind), r.inputs))
        assert not said.getvalue()


def test_what_has_no_text_is_named(loaded):
    cell = "import scipy.linalg as sl\nz = sl.expm(np.eye(2) * x).sum()"
    r = run(loaded, cell, {"x": 0.5})
    for kind in KINDS:
        with pytest.raises(ValueError, match=r"line 3: scipy\.linalg\.expm has no straight-line program"):
            r.code(kind)


@pytest.mark.parametrize(
    "call", ["np.emath.log(x).real", "np.emath.sqrt(x).imag", "special.airy(x)[1]", "special.sici(x)[1]"]
)
def test_functions_whose_result_is_complex_or_one_of_several(loaded, call):
    r = run(
        loaded,
        f"from scipy import special\nz = {call}",
        {"x": np.array([-0.7, 0.4, -1.5])} if "emath" in call else {"x": np.array([0.7, 1.4])},
    )
    for kind in KINDS:
        agrees(r, called(r.code(kind), r.inputs))


@pytest.mark.parametrize("call", ["np.concatenate([A, 2 * A], axis=None)", "np.multiply.reduce(A, axis=None)"])
def test_all_axes_where_that_is_not_the_default(loaded, call):
    r = run(loaded, f"z = {call}", {"A": np.array([[1.0, 2.0], [3.0, 5.0]])})
    for kind in KINDS:
        agrees(r, called(r.code(kind), r.inputs))


def test_a_reshape_is_written_as_one_and_the_same_one_once():
    """It is no move of single entries: its adjoint is the shape of before."""
    r = trace(lambda w: np.sum(w.reshape(2, -1) @ np.reshape(w, (2, 2))), np.arange(4.0))
    code = r.code("reverse")
    assert code.count("    v2 = w.reshape((2, 2))\n") == 1 and "order" not in code
