"""The interleaved source of a cell: it stands on its own, gives the numbers of Dual on all branches, and reads well."""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import json
import linecache
import math
import signal
import warnings
from pathlib import Path

import numpy as np
import pytest
from interleave_programs import ARRAY_CELLS, CELLS
from random_programs import program as random_program

from ad_magic.cell.again import Again
from ad_magic.cell.names import containers_read
from ad_magic.cell.run import CellError, compile_cell, run_program
from ad_magic.codegen.interleave import CannotInterleave, interleave
from ad_magic.report.result import Result

CASES = {
    case["id"]: {**case, "arrays": kind == "arrays"}
    for kind in ("scalar", "arrays")
    for case in json.loads((Path(__file__).parent / "cases" / f"{kind}.json").read_text(encoding="utf-8"))
}
# What cannot be interleaved, and a word of the reason.
REFUSED = {
    "args_kwargs": r"\*\*",
    "augmented_assign": "class",
    "class_neuron_call": "class",
    "complex_constructor_cmath": "cmath.exp",
    "complex_literal": "1j",
    "dataclass_vector": "class",
    "decorators": "decorator",
    "generator_functions": "generator",
    "namedtuple_params": "class",
    "percent_format_logging": "Logger",
    "int_array_write": "array of integers",
    "np_convolve_interp_trapezoid": "np.interp",
    "np_cov_average_bincount": "np.cov",
    "np_cumsum_cumprod": "np.maximum.accumulate",
    "np_diff_gradient_polyval": "np.gradient",
    "np_eigh_basic": "np.linalg.eigvalsh",
    "np_fft_power": "np.fft.fft",
    "np_linalg_norms": "norm of another order",
    "np_median_percentile": "np.median",
    "np_ufunc_trig": "np.sinc",
    "np_vectorize_branchy": "vectorize",
    "object_dtype_array": "array of objects",
    "with_errstate_context": "block",
}
NONE = {"data_dependent_none"}  # the output is no number


def reference(value):
    if isinstance(value, list):
        return np.array([reference(v) for v in value], dtype=float)
    return np.asarray(float(value), dtype=float)


def source_file(text, name):
    """A file name under which tracebacks and `inspect` find a text."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return name


def run(case, inputs):
    """The Result of a case under dual numbers; its error where it raises one."""
    namespace = {"__name__": "__main__"}
    setup, cell = case.get("setup", ""), "\n" + case["cell"]  # the empty line stands for that of the magic
    exec(compile(setup, source_file(setup, f"<setup of {case['id']}>"), "exec"), namespace)
    namespace.update(inputs)
    program = compile_cell(ast.parse(cell), cell, source_file(cell, f"<{case['id']}>"))
    before, kept = dict(namespace), containers_read(program.whole, namespace)
    given = dict.fromkeys(inputs)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ran, _ = run_program(program, namespace, given, of=[case["output"]], mode="forward")
    except Exception as error:
        return error
    return Result(ran, Again(program, namespace, before, (case["output"],), (), kept))


def inputs_of(case):
    return {n: reference(v) if isinstance(v, list) else v for n, v in case["inputs"].items()}


def called(text, inputs):
    """What the program returns, run in an empty namespace."""
    namespace: dict = {}
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, "program", "exec"), namespace)
        plain = {n: v.copy() if hasattr(v, "shape") else float(v) for n, v in inputs.items()}
        return namespace["derivative"](**plain)


def close(a, b, rtol=1e-9, atol=1e-12):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape
    finite = b[np.isfinite(b)]
    scale = float(np.max(np.abs(finite))) if finite.size else 1.0
    return bool(np.isclose(a, b, rtol=0, atol=rtol * scale + atol, equal_nan=True).all())


INTERLEAVED = [name for name in CASES if name not in REFUSED and name not in NONE]


@pytest.mark.parametrize("style", ["elementary", "compact"])
@pytest.mark.parametrize("name", INTERLEAVED)
def test_a_case(name, style):
    case = CASES[name]
    inputs = inputs_of(case)
    r = run(case, inputs)
    assert isinstance(r, Result), r
    value, gradient = called(r.interleaved(style).text, inputs)
    assert close(value, r.value)
    for x in inputs:
        assert close(gradient[x], r.jacobian[x], 1e-12 if not case["arrays"] else 1e-9), x
    rtol, atol = case.get("rtol") or 1e-9, case.get("atol") or 1e-12
    if case.get("expect", "ok") == "ok":
        for kind in ("grad", "jacobian"):
            for x, want in (case.get(kind) or {}).items():
                assert close(gradient[x], reference(want), rtol, atol), x


@pytest.mark.parametrize("name", [name for name in INTERLEAVED if not CASES[name]["arrays"]])
def test_a_scalar_case_has_exactly_the_numbers_of_dual(name):
    case = CASES[name]
    r = run(case, case["inputs"])
    value, gradient = called(r.code("interleaved"), case["inputs"])
    assert np.array_equal(np.asarray(value, dtype=float), np.asarray(r.value, dtype=float))
    for x in case["inputs"]:
        assert np.array_equal(np.asarray(gradient[x], dtype=float), r.jacobian[x], equal_nan=True), x


class TooLong(BaseException):
    """Newton's method may go on for ever elsewhere."""


@contextlib.contextmanager
def at_most(seconds):
    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def moved(inputs, k):
    """Other inputs: on other sides of the decisions of a cell."""
    scale, shift = [(0.9, 0.05), (0.6, 0.3), (-1.0, 0.25), (1.7, -0.9)][k]
    return {n: v * scale + shift for n, v in inputs.items()}


@pytest.mark.parametrize("name", INTERLEAVED)
def test_a_case_at_other_inputs(name):
    """The program of one run against fresh runs under dual numbers, on whatever branch they take."""
    case = CASES[name]
    inputs = inputs_of(case)
    text = run(case, inputs).interleaved().text
    compared = 0
    for k in range(4):
        other = moved(inputs, k)
        try:
            with at_most(2):
                fresh = run(case, other)
        except TooLong:
            continue
        if isinstance(fresh, CellError):  # the output is complex there
            continue
        if not isinstance(fresh, Result):  # outside of its domain: then the program raises too
            with pytest.raises((type(fresh), ValueError, ArithmeticError)):
                called(text, other)
            continue
        value, gradient = called(text, other)
        assert close(value, fresh.value)
        for x in inputs:
            assert close(gradient[x], fresh.jacobian[x]), (x, other)
        compared += 1
    assert compared


@pytest.mark.parametrize("name", REFUSED)
def test_a_case_that_is_refused_says_why(name):
    case = CASES[name]
    r = run(case, inputs_of(case))
    if not isinstance(r, Result):  # no number, or refused by Dual itself
        return
    with pytest.raises(CannotInterleave, match=REFUSED[name]) as refused:
        r.interleaved()
    assert "line " in str(refused.value) or "in " in str(refused.value)
    assert "r.code('forward') gives the straight-line program of this run" in str(refused.value)


def test_most_cases_can_be_interleaved():
    scalar = [name for name in CASES if not CASES[name]["arrays"] and name not in NONE]
    done = [name for name in scalar if name in INTERLEAVED]
    assert len(done) >= 0.8 * len(scalar), f"{len(done)} of {len(scalar)}"
    arrays = [name for name in CASES if CASES[name]["arrays"]]
    done = [name for name in arrays if name in INTERLEAVED]
    assert len(done) >= 0.8 * len(arrays), f"{len(done)} of {len(arrays)}"


# ---- random programs: branches, loops, functions, lists ----------------------------------------------


def fresh_run(source, inputs):
    tree = ast.parse(source)
    ran, _ = run_program(
        compile_cell(tree, source, "<random>"), {"math": math}, dict(inputs), of=["out"], mode="forward"
    )
    return Result(ran)


@pytest.mark.parametrize("style", ["elementary", "compact"])
@pytest.mark.parametrize("seed", range(60))
def test_a_random_program(seed, style):
    source = random_program(seed)
    text = interleave(source, {"math": math}, {"x": 1.0, "y": 1.0}, ["out"], style=style).text
    for x, y in ((0.3, 1.7), (-1.2, 0.4), (2.5, -0.8), (0.0, 1.0)):
        try:
            r = fresh_run(source, {"x": x, "y": y})
        except ArithmeticError as error:
            with pytest.raises(type(error)):
                called(text, {"x": x, "y": y})
            continue
        value, gradient = called(text, {"x": x, "y": y})
        assert value == r.value
        assert gradient == pytest.approx(r.grad, rel=1e-12, abs=1e-300, nan_ok=True)


# ---- cells as people write them ----------------------------------------------------------------------

KEPT_OUT = {0: "s.add", 1: "deque", 2: "what `d` is", 3: "itertools.chain", 4: "functools.partial", 52: "iter",
            54: "filter", 58: "pattern", 60: "complex", 63: "V"}  # fmt: skip


@pytest.mark.parametrize("style", ["elementary", "compact"])
@pytest.mark.parametrize("number", range(len(CELLS)))
def test_a_cell(number, style):
    case = {"id": f"cell {number}", "setup": "import math", "cell": CELLS[number], "output": "z"}
    inputs = {"x": 1.3, "y": 0.7}
    r = run(case, inputs)
    assert isinstance(r, Result), r
    if number in KEPT_OUT:
        with pytest.raises(CannotInterleave, match=KEPT_OUT[number]):
            r.interleaved(style)
        return
    text = r.interleaved(style).text
    for other in (inputs, {"x": -0.6, "y": 1.9}, {"x": 2.4, "y": -1.2}):
        fresh = run(case, other)
        if not isinstance(fresh, Result):  # outside of its domain
            continue
        value, gradient = called(text, other)
        assert close(value, fresh.value, 1e-12)
        for x in other:
            assert close(gradient[x], fresh.jacobian[x], 1e-12), x


ARRAYS_KEPT_OUT = {23: "options", 28: "array of integers"}


@pytest.mark.parametrize("style", ["elementary", "compact"])
@pytest.mark.parametrize("number", range(len(ARRAY_CELLS)))
def test_a_cell_of_arrays(number, style):
    setup = "import math\nimport numpy as np"
    case = {"id": f"array cell {number}", "setup": setup, "cell": ARRAY_CELLS[number], "output": "z"}
    points = [([0.6, -1.1, 1.7, 0.3], 0.7), ([-0.6, 1.3, -0.2, 0.9], 1.4), ([2.0, 0.4, 0.3, -1.0], -0.4)]
    r = run(case, {"x": np.array(points[0][0]), "t": points[0][1]})
    assert isinstance(r, Result), r
    if number in ARRAYS_KEPT_OUT:
        with pytest.raises(CannotInterleave, match=ARRAYS_KEPT_OUT[number]):
            r.interleaved(style)
        return
    text = r.interleaved(style).text
    for x, t in points:
        fresh = run(case, {"x": np.array(x), "t": t})
        value, gradient = called(text, {"x": np.array(x), "t": t})
        assert close(value, fresh.value)
        for name in ("x", "t"):
            assert close(gradient[name], fresh.jacobian[name]), name


# ---- how it reads ------------------------------------------------------------------------------------


def written(source, outputs=("z",), inputs=("x", "y"), namespace=None, **options):
    namespace = {"math": math} if namespace is None else namespace
    return interleave(source, namespace, dict.fromkeys(inputs, 1.5), outputs, **options).text


def body(text):
    """The statements between the seeds and `return`."""
    return text.split("= 1.0\n")[-1].strip().split("\n    return")[0].replace("\n    ", "\n")


def test_the_notation_of_the_lecture():
    assert written("z = (x + 2*y)**2 * math.sin(x*y)", seed="x") == (
        "import math\n\n\n"
        "def derivative(x, y):\n"
        "    dx = 1.0\n\n"
        "    v1 = x + 2 * y\n"
        "    dv1 = dx\n"
        "    v2 = v1**2\n"
        "    dv2 = 2 * v1 * dv1\n"
        "    v3 = x * y\n"
        "    dv3 = y * dx\n"
        "    v4 = math.sin(v3)\n"
        "    dv4 = math.cos(v3) * dv3\n"
        "    z = v2 * v4\n"
        "    dz = v4 * dv2 + v2 * dv4\n"
        '    return z, {"x": dz}\n'
    )


def test_several_seeds_have_a_tangent_each_and_only_where_there_is_one():
    text = written("v = x * y\nz = v + x")
    assert "dv_x = y * dx_x\n    dv_y = x * dy_y" in text
    assert "dz_x = dv_x + dx_x\n    dz_y = dv_y" in text
    assert "dx_y" not in text


def test_compact_has_one_statement_for_each():
    text = written("z = (x + 2*y)**2 * x", seed="x", style="compact")
    assert body(text) == "z = (x + 2 * y) ** 2 * x\ndz = x * (2 * (x + 2 * y) * dx) + (x + 2 * y) ** 2 * dx"


def test_the_old_value_is_used_before_it_is_gone():
    text = written("z = x\nz *= x\nz **= 2\nz = z / x", seed="x")
    assert "dz = x * dz + z * dx\n    z *= x" in text
    assert "dz = 2 * z * dz\n    z **= 2" in text


def test_comments_and_blank_lines_stay():
    source = "# speed\nv = x * 2  # doubled\n\n\n# what is left\nz = v + y\n# the end\n"
    text = written(source)
    assert "    # speed\n    v = x * 2  # doubled\n" in text
    assert "\n\n    # what is left\n    z = v + y\n" in text
    assert "# the end" in text
    assert "\n\n\n    #" not in text


def test_plain_statements_stay_as_they_are_written():
    text = written("n = int( 7.5 )   # steps\nz = x\nfor k in range(n):\n    print(f'{z:.3f}')\n    z = z*y", seed="x")
    assert "n = int( 7.5 )  # steps" in text
    assert "print(f'{z:.3f}')" in text


def test_names_do_not_collide():
    text = written("dx = 0.1\nv1 = x * dx\nz = v1 * y + dx", seed="x")
    value, gradient = called(text, {"x": 2.0, "y": 3.0})
    assert (value, gradient) == (pytest.approx(0.7), {"x": pytest.approx(0.3)})
    text = written("w = [k * x for k in (1.0, 2.0)]\nk = 5.0\nz = k * sum(w) + y")
    assert called(text, {"x": 2.0, "y": 3.0}) == (33.0, {"x": 15.0, "y": 1.0})


def test_a_function_that_has_a_name_of_ours():
    source = "def sign(v):\n    return 2 * v\n\ndef steep(v):\n    return v + 1\nz = abs(sign(x)) + math.sqrt(steep(y))"
    value, gradient = called(written(source), {"x": -2.0, "y": 3.0})
    assert (value, gradient) == (6.0, {"x": -2.0, "y": 0.25})


def test_long_lines_are_broken():
    source = (
        "z = math.sin(x) * math.cos(y) * math.exp(x) * math.exp(y) * math.tanh(x) * math.tanh(y) + math.sqrt(x * y)"
    )
    for style in ("elementary", "compact"):
        text = written(source, style=style)
        assert max(map(len, text.splitlines())) <= 100
        ast.parse(text)


def test_constants_come_along():
    def scale(v, by=3.0):
        return v * by + RATE  # noqa: F821  a name of the cell's

    namespace = {"math": math, "table": [1.0, 2.5], "limit": math.inf, "label": "it's", "RATE": 0.25, "scale": scale}
    source = "z = 0.0\nfor t in table:\n    if x < limit and label:\n        z += scale(t * x)\nz += math.pi * y"
    scale.__globals__["RATE"] = 0.25
    try:
        value, gradient = called(written(source, namespace=namespace), {"x": 2.0, "y": 1.0})
    finally:
        del scale.__globals__["RATE"]
    assert value == pytest.approx(21.5 + math.pi)
    assert gradient == {"x": pytest.approx(10.5), "y": math.pi}


def test_lists_of_an_earlier_cell_are_new_in_each_call(loaded):
    loaded.run_cell("log = [1.0]", silent=True)
    loaded.run_cell("%%tangent x=2.0 -o r_ -q\nlog.append(x * x)\nz = sum(log)", silent=True)
    assert loaded.user_ns["log"] == [1.0, 4.0]
    namespace: dict = {}
    exec(loaded.user_ns["r_"].code("interleaved"), namespace)
    assert namespace["derivative"](2.0) == (5.0, {"x": 4.0})
    assert namespace["derivative"](2.0) == (5.0, {"x": 4.0})


# ---- points without a derivative: the policy of the table ----------------------------------------------


@pytest.mark.parametrize(
    ("source", "x", "slope"),
    [
        ("z = math.sqrt(x)", 0.0, math.inf),
        ("z = math.sqrt(0 * x)", 1.0, 0.0),
        ("z = math.sqrt(x * x) if x else x", 0.0, 1.0),
        ("z = x ** 0.5", 0.0, math.inf),
        ("z = (0.0 * x) ** 0.3", 1.0, 0.0),
        ("z = abs(x)", 0.0, 0.0),
        ("z = max(x, 0.0)", 0.0, 0.5),
        ("z = min([x, 2 * x, 1.0])", 0.0, 1.5),
        ("z = math.asin(x)", 1.0, math.inf),
        ("z = math.acos(x)", 1.0, -math.inf),
        ("z = x ** 0 + x ** 1 + x ** 2", 0.0, 1.0),
        ("z = sum(x ** k for k in range(4))", 0.0, 1.0),
        ("z = math.hypot(x, 0.0)", 0.0, 0.0),
        ("z = math.tanh(1000 * x)", 1.0, 0.0),
        ("z = x ** x", 0.0, math.nan),
        ("z = math.floor(x) + round(x, 1)", 2.0, 0.0),
    ],
)
def test_the_policy_of_the_table(source, x, slope):
    _, gradient = called(written(source, inputs=["x"]), {"x": x})
    r = Result(
        run_program(
            compile_cell(ast.parse(source), source, "<cell>"), {"math": math}, {"x": x}, of=["z"], mode="forward"
        )[0]
    )
    assert gradient["x"] == pytest.approx(r.grad["x"], nan_ok=True)
    if not math.isnan(slope):
        assert gradient["x"] == slope


# ---- what cannot be interleaved --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("class A: pass\na = A()\na.v = x\nz = a.v * y", "line 3: an attribute that holds a number with a derivative"),
        ("def g(v):\n    yield v\nz = sum(g(x))", "g is a generator"),
        ("class A:\n    def m(self): return x*y\nz = A().m()", "line 1: the class A reads x, which has a derivative"),
        ("w = 2*x\nclass A:\n    k = w\nz = A.k", "line 2: the class A reads w"),
        ("import statistics\nz = statistics.mean([x, y])", "line 2: statistics.mean has no derivative"),
        ("z = {x, y}\nz = x", "line 1: a set of numbers"),
        ("t = ()\nwhile len(t) < 9:\n    t = (x, t)\nz = t[0]", "tuple"),
        ("z = (x * 1j).imag", "line 1: the operator in"),
        ("z = eval('x * y')", "line 1"),
    ],
)
def test_what_cannot_be_interleaved_says_line_and_reason(source, why):
    with pytest.raises(CannotInterleave, match=why):
        written(source)


# ---- the magic ---------------------------------------------------------------------------------------------


def test_the_magic_runs_the_cell_once_and_shows_the_program(loaded, capsys):
    loaded.run_cell("import math\nruns = []", silent=True)
    done = loaded.run_cell("%%interleave x=2 y=3 -o r\nruns.append(1)\nz = x * math.sin(y)")
    assert done.success
    assert loaded.user_ns["runs"] == [1]
    assert loaded.user_ns["z"] == 2 * math.sin(3)
    assert loaded.user_ns["r"].grad == {"x": math.sin(3), "y": 2 * math.cos(3)}
    assert "dz_y = " in capsys.readouterr().out


def test_insert_puts_it_into_a_new_cell(loaded, capsys):
    assert loaded.run_cell("%%interleave x=2 --insert --style compact\nz = x ** 3").success
    text = loaded.rl_next_input if getattr(loaded, "rl_next_input", None) else capsys.readouterr().out
    assert "def derivative(x):" in text
    assert "dz = 3 * x**2 * dx" in text


def test_the_first_line_form(loaded, capsys):
    assert loaded.run_cell("%interleave x=2 --seed x\nz = x ** 3").success
    assert "dz = 3 * x**2 * dx" in capsys.readouterr().out


def test_a_refusal_is_one_sentence(loaded, capsys):
    done = loaded.run_cell("%%interleave x=2 -o r\nclass A: pass\na = A()\na.v = x\nz = a.v * 2")
    error = done.error_in_exec
    assert "line 4" in str(error)
    assert "straight-line program" in str(error)
    assert loaded.user_ns["r"].grad == {"x": 2.0}


def test_another_style_or_seed_is_refused(loaded):
    assert "there is no input" in str(loaded.run_cell("%%interleave x=2 --seed w\nz = x").error_in_exec)
    with pytest.raises(ValueError, match="'elementary' and 'compact'"):
        written("z = x", style="short")


def test_only_python_is_needed():
    """No name of ours is in the program."""
    text = written("z = math.sqrt(abs(x)) + max(x, y)")
    free = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)} - {"math", "inf"}
    assert "ad_magic" not in text
    assert all(hasattr(builtins, n) or n in text.split("import", 1)[1] for n in free)


class NotToBeCopied:
    def __deepcopy__(self, memo):
        raise AssertionError("a tree that is none of ours was copied")


def test_trees_of_others_are_not_copied(monkeypatch):
    """Tools that show tracebacks (executing) leave in the one `ast.Load()` of all trees the way to a tree of theirs."""
    load = ast.parse("x").body[0].value.ctx
    assert ast.parse("y").body[0].value.ctx is load
    monkeypatch.setattr(load, "parent", NotToBeCopied(), raising=False)
    source = "def f(t):\n    return -t if t < 1 else t\nz = f(x) if x > 0 else f(2.0)"
    assert "dz = " in interleave(source, {}, {"x": 1.0}, ["z"], style="compact").text
