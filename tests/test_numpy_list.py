"""docs/numpy.md: made from the tables, complete, and true.

Every function in it is called with active input, in reverse and in forward mode, and compared with central differences
of the plain cell; what is refused says so with the line; what has no derivative gives something that does not vary.
"""

from __future__ import annotations

import ast
import importlib
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy_samples import INPUTS, ONE, REFUSED_CALLS, SAMPLES, TWO

from ad_magic.cell.run import compile_cell, run_program
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.arrays.compose import ComposedOperation
from ad_magic.engine.arrays.looks import Look
from ad_magic.engine.arrays.moves import MoveOperation
from ad_magic.engine.arrays.operation import EntryOperation
from ad_magic.engine.arrays.pairs import PairOperation
from ad_magic.engine.operation import INPUT
from ad_magic.report.result import Result

SETUP = """
import numpy as np
try:
    from scipy import special
except ImportError:
    pass

def flat(r):
    if isinstance(r, (list, tuple)):
        return np.concatenate([np.zeros(0)] + [flat(part) for part in r])
    r = np.ravel(r)
    if np.iscomplexobj(r):
        return np.concatenate([np.real(r), np.imag(r)])
    return r if r.dtype.kind == "f" else np.zeros(0)
"""
FLAT = "\nresult = flat(out)"
STEP = 1e-6

# function -> what is wrong with it
FAILING: dict[str, str] = {}


with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(Path(__file__).parents[1] / "docs")
    maker = importlib.import_module("make_numpy_list")
ENTRIES = maker.entries()


def samples(entry) -> list[str]:
    """The calls of a function: those of the list, or the usual one for a ufunc."""
    for name in entry.names:
        if name in SAMPLES:
            given = SAMPLES[name]
            return [given] if isinstance(given, str) else given
    short = entry.name.rpartition(".")[2]
    if entry.name.startswith("scipy.special"):
        count = getattr(entry.function, "nin", 1)
        return [f"special.{short}({', '.join(['x', 'y', 'x + y', 'x * y', '2 * x', '3 * x', 'y + 1'][:count])})"]
    if isinstance(entry.function, np.ufunc):
        return [(ONE, TWO)[entry.function.nin - 1].format(short)]
    return [] if entry.mark == maker.SUPPORTED else [f"{entry.name}(x)"]


def cell_of(sample: str) -> str:
    return sample if re.search(r"^out = |\nout = ", sample) else f"out = {sample}"


def inputs_of(sample: str) -> dict:
    names = {node.id for node in ast.walk(ast.parse(sample)) if isinstance(node, ast.Name)}
    return {
        name: value.copy() if isinstance(value, np.ndarray) else value
        for name, value in INPUTS.items()
        if name in names
    }


def plain(source: str, inputs: dict) -> dict:
    """The names after a plain run."""
    names: dict = {}
    exec(SETUP, names)
    names |= {k: x.copy() if isinstance(x, np.ndarray) else x for k, x in inputs.items()}
    exec(source, names)
    return names


def differences(source: str, inputs: dict, name: str) -> np.ndarray:
    """Central differences of `result` with respect to each entry of an input: result's shape, then the input's."""
    value = np.asarray(inputs[name], dtype=float)
    columns = []
    for k in np.ndindex(value.shape):
        ends = []
        for sign in (1, -1):
            moved = value.copy()
            moved[k] += sign * STEP
            ends.append(plain(source, {**inputs, name: moved if value.ndim else float(moved)})["result"])
        columns.append((ends[0] - ends[1]) / (2 * STEP))
    return np.stack(columns, axis=-1).reshape((*np.shape(columns[0]), *value.shape))


def run(source: str, inputs: dict, mode: str, of: str = "result"):
    """A cell under the engine: its Run, the names after it."""
    names: dict = {"__name__": "__main__"}
    exec(SETUP, names)
    names |= inputs
    program = compile_cell(ast.parse(source), source, "<cell>")
    done, _ = run_program(program, names, dict.fromkeys(inputs), of=[of], mode=mode)
    return done, names


def ways(done, count: int) -> set[str]:
    """How the rows of a run were made, by the words of the page; its last ones, by `flat`, are there too."""
    found = set()
    for op in done.tape.ops:
        if op is INPUT:
            continue
        if isinstance(op, ComposedOperation):
            found.add(maker.COMPOSITION)
        elif isinstance(op, MoveOperation):
            found.add(maker.MOVE)
        elif isinstance(op, PairOperation):
            found.add(maker.PAIR)
            if op.rule.name in ("reshape", "transpose", "item", "concatenate", "stack", "array"):
                found.add(maker.MOVE)
        elif isinstance(op, Look):
            found.add(maker.LOOK)
        elif isinstance(op, EntryOperation) or op.rule is not None:
            found.add(maker.ENTRY)
    return found


def cases(mark: str) -> list:
    made = []
    for entry in ENTRIES:
        if entry.mark == mark:
            for sample in samples(entry):
                why = FAILING.get(sample) or FAILING.get(entry.name)
                marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
                made.append(pytest.param(entry, sample, id=sample.replace("\n", "; "), marks=marks))
    return made


# ---- the page ------------------------------------------------------------------------------------


def test_the_page_is_of_this_code(root):
    written = (root / "docs" / "numpy.md").read_text(encoding="utf-8")
    if f"with {maker.versions()};" not in written:
        pytest.skip(f"it was made with other versions than {maker.versions()}")
    assert maker.page() == written, "python docs/make_numpy_list.py writes it anew"


def test_every_function_that_hands_over_is_listed():
    names = {name for entry in ENTRIES for name in entry.names}
    ufuncs = [n for n in dir(np) if isinstance(getattr(np, n), np.ufunc)]
    functions = [n for n in dir(np) if not n.startswith("_") and hasattr(getattr(np, n), "_implementation")]
    assert {f"np.{n}" for n in (*ufuncs, *functions)} <= names
    if np.lib.NumpyVersion(np.__version__) >= "2.4.0":
        assert len(ufuncs) >= 106 and len(functions) >= 216


def test_every_supported_function_has_a_sample():
    assert [entry.name for entry in ENTRIES if not samples(entry)] == []


# ---- each function -------------------------------------------------------------------------------


@pytest.mark.parametrize(("entry", "sample"), cases(maker.SUPPORTED))
def test_supported(entry, sample):
    """Values, the derivative in both directions, and the way it was done."""
    source = cell_of(sample) + FLAT
    inputs = inputs_of(sample)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = plain(source, inputs)["result"]
        slopes = {name: differences(source, inputs, name) for name in inputs}
        assert np.all(np.isfinite(expected))
        for mode in ("reverse", "forward"):
            done, names = run(source, inputs_of(sample), mode)
            result = Result(done)
            np.testing.assert_allclose(names["result"], expected, rtol=1e-13, atol=1e-13)
            for name, slope in slopes.items():
                np.testing.assert_allclose(result.jacobian[name], slope, rtol=2e-6, atol=2e-8, err_msg=f"{mode} {name}")
            if mode == "reverse":
                lines = [slope.reshape(np.size(expected), -1) for slope in slopes.values()]
                outside = np.where(result.sparsity.pattern, 0.0, np.concatenate(lines, axis=1))
                np.testing.assert_allclose(outside, 0, atol=1e-7, err_msg="the pattern leaves out a derivative")
                how = entry.how.partition(";")[0]
                called = any(f"{name}(" in sample for name in entry.names)  # not a method of a ufunc
                if called and how in (maker.ENTRY, maker.PAIR, maker.MOVE, maker.COMPOSITION):
                    assert how in ways(done, len(inputs))


@pytest.mark.parametrize(("entry", "sample"), cases(maker.NO_DERIVATIVE))
def test_no_derivative(entry, sample):
    """The plain result, which does not vary with the input."""
    source = cell_of(sample)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = plain(source, inputs_of(sample))["out"]
        outcomes = []
        for mode in ("reverse", "forward"):
            given = inputs_of(sample)
            done, names = run(source + f"\nz = np.sum({next(iter(given))})", given, mode, of="z")
            outcomes.append(names["out"])
            if mode == "reverse" and entry.how == maker.LOOK:
                assert any(isinstance(op, Look) or op.rule is None for op in done.tape.ops if op is not INPUT)
    for outcome in outcomes:
        if "empty" in sample:
            assert outcome.shape == expected.shape
        else:
            assert repr(outcome) == repr(expected)
    numeric = source + "\nresult = flat(out)"
    if "empty" not in sample:
        for name in inputs_of(sample):
            assert not np.any(differences(numeric, inputs_of(sample), name)), "it varies with the input"


@pytest.mark.parametrize(("entry", "sample"), cases(maker.REFUSED))
def test_refused(entry, sample):
    refuses(sample, entry)


@pytest.mark.parametrize("sample", REFUSED_CALLS)
def test_refused_calls(sample):
    refuses(sample, None)


def refuses(sample: str, entry) -> None:
    """In both modes, with the line and the name of the function."""
    for mode in ("reverse", "forward"):
        given = inputs_of(sample)
        source = cell_of(sample)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(LostDerivative) as caught:
                run("# a comment\n" + source, given, mode, of="out")
        line = 1 + len(source.splitlines())
        text = str(caught.value)
        assert text.startswith(f"line {line}: "), text
        if entry is not None:
            assert entry.how.replace("\\|", "|") in text
