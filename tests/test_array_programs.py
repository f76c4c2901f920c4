"""Ordinary NumPy programs, each run plainly and under the engine: value, derivative, and all that it leaves must agree.

The programs are data, in array_programs.py. The derivative is compared with differences of the plain program.
"""

from __future__ import annotations

import ast
import contextlib
import io
import math
import types
import warnings

import numpy as np
import pytest
from array_programs import PROGRAMS, Program

from ad_magic.cell.run import compile_cell, run_program
from ad_magic.report.result import Result

HARMLESS = {"independent", "equality-branch"}


def begin(program, at=None):
    """The namespace before the cell; `at` has other values of the inputs."""
    names = {"__name__": "__main__"}
    exec("import copy, math\nimport numpy as np\n" + program.setup, names)
    for name, text in program.inputs.items():
        names[name] = value = names[name] if text is None else eval(text, names)
        if at is None:
            continue
        if isinstance(value, np.ndarray) and value.dtype == float:
            value[...] = at[name]  # what shares its memory changes too
        else:
            names[name] = np.array(at[name], float) if isinstance(value, np.ndarray) else float(at[name])
    return names


@contextlib.contextmanager
def quietly(printed):
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def plainly(program, at=None):
    """(namespace, output, what was printed) of the plain program, its inputs promoted to float as the magic does."""
    names = begin(program, at)
    for name in program.inputs:
        value = names[name]
        if not (isinstance(value, np.ndarray) and value.dtype == float):
            names[name] = value.astype(float) if isinstance(value, np.ndarray) else float(value)
    printed = io.StringIO()
    tree = ast.parse(program.cell)
    last = tree.body.pop() if program.of is None else None
    with quietly(printed):
        exec(compile(tree, "<cell>", "exec"), names)
        output = (
            names[program.of] if last is None else eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
        )
    return names, output, printed.getvalue()


def actively(program, mode):
    names = begin(program)
    printed = io.StringIO()
    cell = compile_cell(ast.parse(program.cell), program.cell, "<cell>")
    with quietly(printed):
        given = dict.fromkeys(program.inputs)
        run, _ = run_program(cell, names, given, of=[program.of] if program.of else [], mode=mode)
        result = Result(run)
        return names, result, result.jacobian, printed.getvalue()


def differences(program, start, output):
    """The Jacobian by central differences."""
    jacobian = {}
    for name, x in start.items():
        columns = []
        for k in np.ndindex(x.shape):

            def at(d, name=name, k=k):
                moved = {n: v.copy() for n, v in start.items()}
                moved[name][k] += d
                return np.array(plainly(program, moved)[1], float)

            h = program.h * max(1.0, abs(float(x[k])))
            columns.append((at(h) - at(-h)) / (2 * h))
        shape = np.shape(output) + x.shape
        jacobian[name] = np.stack(columns, -1).reshape(shape) if columns else np.zeros(shape)
    return jacobian


# ---- what a namespace holds ----------------------------------------------------------------------


def described(value, path, arrays, ours, seen=()):
    """A value as something that can be compared; collects its arrays, and what is one of ours."""
    kind = type(value)
    if kind.__module__.split(".")[0] == "ad_magic":
        ours.append(path)
    if id(value) in seen or len(seen) > 6:
        return "…"

    def inner(x, at):
        return described(x, f"{path}{at}", arrays, ours, (*seen, id(value)))

    if isinstance(value, np.ndarray):
        arrays.append((path, value))
        if value.dtype == object:
            return "objects", value.shape, [inner(x, ".flat") for x in value.flat]
        flags = value.flags
        layout = flags.writeable, flags.c_contiguous, flags.f_contiguous
        return kind.__name__, str(value.dtype), value.shape, layout, value.tolist()
    if isinstance(value, np.generic):
        return kind.__name__, value.item()
    if value is None or isinstance(value, (float, int, complex, str, bytes)):
        return kind.__name__, value
    if isinstance(value, (list, tuple)):
        return kind.__name__, [inner(x, f"[{k}]") for k, x in enumerate(value)]
    if isinstance(value, dict):
        return kind.__name__, [(inner(k, ".key"), inner(x, f"[{k!r}]")) for k, x in value.items()]
    if isinstance(value, types.FunctionType):
        held = [cell.cell_contents for cell in value.__closure__ or ()] + list(value.__defaults__ or ())
        if "ad_magic" in value.__code__.co_filename:
            ours.append(path)
        return "function", value.__name__, [inner(x, ".held") for x in held], inner(vars(value), ".dict")
    if isinstance(value, type):
        held = vars(value).items() if value.__module__ == "__main__" else ()
        return "class", value.__name__, [(k, inner(x, f".{k}")) for k, x in held if not k.startswith("__")]
    if hasattr(value, "__dict__") and not isinstance(value, types.ModuleType):
        return kind.__name__, [(k, inner(x, f".{k}")) for k, x in vars(value).items()]
    return (kind.__name__,)


def snapshot(names, skip):
    """(what each name holds, which arrays are or share which, where something of ours is)."""
    arrays: list = []
    ours: list = []
    skip = {"__builtins__", "__warningregistry__", *skip}
    with quietly(io.StringIO()):  # NumPy warns of some flags
        held = {name: described(x, name, arrays, ours) for name, x in names.items() if name not in skip}
    alike = {
        (a, b): "is" if x is y else "shares"
        for k, (a, x) in enumerate(arrays)
        for b, y in arrays[:k]
        if x is y or np.shares_memory(x, y)
    }
    return held, alike, ours


def same(a, b, tolerance):
    if isinstance(a, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, (float, complex)) and isinstance(b, (float, complex)):
        return a == b or (a != a and b != b) or abs(a - b) <= tolerance * max(abs(a), abs(b), 1e-3)
    return a == b


# ---- the test ------------------------------------------------------------------------------------

PLAIN: dict[int, tuple] = {}  # program -> (namespace, output, printed, Jacobian): for both modes


def expected(program):
    if id(program) not in PLAIN:
        try:
            names, output, printed = plainly(program)
        except AttributeError as error:
            if "module 'numpy" in str(error):
                pytest.skip(f"not in NumPy {np.__version__}")
            raise
        start = {name: np.array(value, float) for name, value in begin(program).items() if name in program.inputs}
        jacobian = program.grad or differences(program, start, output)
        PLAIN[id(program)] = names, output, printed, jacobian
    return PLAIN[id(program)]


def promoted(program):
    """The inputs that are no float arrays: the plain run had another object."""
    given = begin(program)
    return [n for n in program.inputs if not (isinstance(given[n], np.ndarray) and given[n].dtype == float)]


def param(program, mode):
    marks = pytest.mark.xfail(reason=program.fails, strict=True) if program.fails else ()
    return pytest.param(program, mode, id=f"{program.group}: {program.name} [{mode}]", marks=marks)


@pytest.mark.parametrize(("program", "mode"), [param(p, m) for p in PROGRAMS for m in ("forward", "reverse")])
def test_a_program(program: Program, mode: str):
    if program.refused:
        with pytest.raises(ValueError if program.refused == "output" else TypeError, match=r"line|output"):
            actively(program, mode)
        return
    if program.raises:
        with pytest.raises(BaseException) as wanted:
            plainly(program)
        with pytest.raises(BaseException) as got:
            actively(program, mode)
        assert got.type.__name__ == wanted.type.__name__ == program.raises
        if program.message:
            assert str(got.value) == str(wanted.value)
        return
    plain_names, output, plain_printed, plain_jacobian = expected(program)
    names, result, jacobian, printed = actively(program, mode)
    assert same(np.asarray(result.value).tolist(), np.asarray(output, float).tolist(), program.tolerance)
    for name, want in plain_jacobian.items():
        want = np.asarray(want, float)
        assert jacobian[name].shape == want.shape
        finite = np.abs(want[np.isfinite(want)])
        size = max(finite.max(initial=0.0), 1e-2)
        np.testing.assert_allclose(jacobian[name], want, rtol=program.rtol, atol=program.rtol * size, err_msg=name)
    kinds = {flag.kind for flag in result.flags}
    assert kinds <= HARMLESS or program.flagged, result.flags
    held, alike, ours = snapshot(names, promoted(program))
    plain_held, plain_alike, _ = snapshot(plain_names, promoted(program))
    assert not ours
    assert held.keys() == plain_held.keys()
    for name, value in held.items():
        assert same(value, plain_held[name], program.tolerance), name
    assert alike == plain_alike
    assert printed == plain_printed


KINKED = {
    "np.std(x)": ("np.ones(3)", "np.ones(1)"),
    "np.std(x, axis=0)": ("np.array([[1.0, 2.0], [1.0, 3.0]])", "np.array([[1.0, 2.0], [2.0, 3.0]])"),
    "np.median(x)": ("np.array([1.0, 1.0, 0.0])", "np.array([1.0, 1.0, 0.0, 3.0])"),
    "np.median(x, axis=1)": ("np.array([[1.0, 1.0, 1.0, 3.0]])", "np.array([[1.0, 3.0, 3.0]]).T"),
    "np.percentile(x, [25, 60])": ("np.array([1.0, 5.0, 5.0])", "np.array([1.0, 5.0, 6.0])"),
    "np.nanquantile(np.append(x, np.nan), 0.5)": ("np.array([1.0, 1.0, 0.0])", "np.array([1.0, 2.0, 0.0])"),
    "np.sort(x, axis=0)": ("np.array([[1.0, 1.0], [1.0, 2.0]])", "np.array([[1.0, 1.0], [2.0, 2.0]])"),
}


@pytest.mark.parametrize("text", KINKED)
def test_equal_values_are_told(text):
    """At the first point the function has a corner (exchange the two equal values: the slopes change places), at the
    second it has none."""
    kinks = []
    for x in KINKED[text]:
        _, result, _, _ = actively(Program("kinks", text, f"y = {text}", {"x": x}), "reverse")
        kinks.append([flag.kind for flag in result.flags if flag.kind == "kink"])
    assert kinks == [["kink"], []]


def test_the_second_derivative_of_the_length_of_a_mean_of_complex_numbers():
    """|mean(exp(i x))|² = Σ cos(x_j - x_k) / n²: its Hessian is 2 (cos(x_j - x_k) - δ_jk Σ cos(x_j - x_m)) / n²."""
    cell = "y = np.abs(np.mean(np.exp(1j * x))) ** 2"
    _, result, _, _ = actively(Program("hessian", "", cell, {"x": "np.array([0.7, -1.2, 2.3])"}), "reverse")
    x = np.array([0.7, -1.2, 2.3])
    cosines = np.cos(x[:, None] - x)
    np.testing.assert_allclose(result.hessian(), 2 * (cosines - np.diag(cosines.sum(1))) / 9, atol=1e-12)


def test_the_programs_are_different():
    seen = [(p.setup, p.cell, tuple(p.inputs.items())) for p in PROGRAMS]
    assert len(set(seen)) == len(seen)
    assert len({(p.group, p.name) for p in PROGRAMS}) == len(PROGRAMS)
    assert math.isfinite(sum(p.h for p in PROGRAMS))
