"""Programs in JavaScript say what Python says: values, tangents, adjoints of every row, and which decision changes."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest
import scipy.special
from case_files import cases, run_case
from node import needs_node
from node import run as node
from peer_functions import functions
from program_samples import SAMPLES
from test_straight_programs import nudged, run

from ad_magic import trace
from ad_magic.cell.again import replayed, unit
from ad_magic.codegen.javascript import javascript
from ad_magic.codegen.symbols import NoProgram
from ad_magic.engine.tape import PathChanged, forward_sweep, reverse_sweep

pytestmark = needs_node
CASES = cases()
# Cells of numbers that have no program in JavaScript, and a word of the reason.
REFUSED = {
    "string_roundtrip": "text of a number",
    "print_and_fstrings": "text of a number",
    "f-string fmt": "text of a number",
    "dict memo {x:..}": "hash",
    "scipy brentq root": "brentq",
    "scipy quad": "quad",
    "log1p(exp(1000))": "overflows",
}
EACH = "[(() => { const p = PROGRAM; return data.map((x) => p.run(x)); })()]"


def flat(run_, inputs):
    """The numbers of the inputs in order, as a program in JavaScript takes them."""
    return [float(np.asarray(inputs[name])[position]) for name, position, _ in run_.seeds]


def answers(result, points):
    """What the program in JavaScript gives at some points, each given by all inputs. Raises NoProgram."""
    code = javascript(result.run)
    return node("", EACH.replace("PROGRAM", code), [flat(result.run, point) for point in points])[0]


def same_columns(got, want, tape, what):
    """Each row of a column agrees to 1e-12, relative to the greatest number of the column: terms may cancel."""
    kept = [np.asarray(w, dtype=float).ravel() for w, g in zip(want, got, strict=True) if g is not None]
    scale = max((float(np.max(np.abs(w[np.isfinite(w)]), initial=0.0)) for w in kept), default=0.0)
    for row, (g, w) in enumerate(zip(got, want, strict=True)):
        if g is None or w is None:
            continue
        w = np.broadcast_to(np.asarray(w, dtype=float), np.shape(tape.values[row])).ravel()
        g = np.array(g, dtype=float).ravel()
        assert g.shape == w.shape, (what, row)
        assert np.allclose(g, w, rtol=1e-12, atol=1e-12 * min(scale, 1e3), equal_nan=True), (what, row, g, w)


def agrees(run_, answer):
    """An answer has the values, tangents and adjoints of a run, and no decision has changed."""
    tape = run_.tape
    assert answer["changed"] is None
    plain = [None if op.decision or isinstance(z, tuple) else z for op, z in zip(tape.ops, tape.values, strict=True)]
    same_columns(answer["values"], plain, tape, "value")
    for k, (name, position, row) in enumerate(run_.seeds[: len(answer["tangents"])]):
        want = forward_sweep(tape, {row: unit(tape.values[row], position)})
        same_columns(answer["tangents"][k], want, tape, f"tangent along {name}")
    output = run_.outputs[0].rows
    if answer["adjoints"] is not None and output is not None:
        same_columns(answer["adjoints"], reverse_sweep(tape, {output: 1.0}), tape, "adjoint")


def check(result):
    """The program at the inputs of the run and near by."""
    points, runs = [result.inputs], [result.run]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            other = nudged(result.inputs)
            runs.append(replayed(result.run, copy.deepcopy(other)))
            points.append(other)
        except (PathChanged, ArithmeticError, ValueError):
            pass
    for run_, answer in zip(runs, answers(result, points), strict=True):
        # entry by entry NumPy may ask for more than the run has decided: which one is the greatest, whether one is zero
        stricter = answer["changed"] is not None and not run_.tape.ops[answer["changed"]["row"]].decision
        if run_ is result.run or not stricter:
            agrees(run_, answer)


@pytest.mark.parametrize("name", CASES)
def test_a_case(loaded, name):
    r = run_case(loaded, CASES[name])
    if isinstance(r, BaseException):
        assert CASES[name]["expect"] != "ok"
        return
    if name in REFUSED:
        with pytest.raises(NoProgram, match=REFUSED[name]):
            javascript(r.run)
        return
    try:
        check(r)
    except NoProgram:
        assert r.run.tape.arrays  # of a cell of numbers there is a program


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample(loaded, sample):
    r = run(loaded, sample.cell, sample.inputs, sample.of)
    try:
        check(r)
    except NoProgram as error:
        reason = str(error)
        assert r.run.tape.arrays or any(word in reason for word in ("hash", "text of a number", "frexp"))


@pytest.mark.parametrize(
    ("cell", "inputs", "second", "line", "text"),
    [
        ("y = x*x\nz = y if x > 1 else 3*x", {"x": 2.0}, {"x": 0.5}, 3, "x > 1 is now False"),
        ("y = x*x\nz = y*int(x)", {"x": 2.5}, {"x": 3.5}, 3, "int(x) comes out otherwise"),
        ("y = x*x\n\nz = y*round(x)", {"x": 2.4}, {"x": 2.6}, 4, "round(x) comes out otherwise"),
        ("z = max(x, 2.0)", {"x": 2.5}, {"x": 1.5}, 2, "max(x, 2.0) comes out otherwise"),
        ("try:\n    z = math.sqrt(x)\nexcept ValueError:\n    z = 2*x", {"x": -1.0}, {"x": 1.0}, 3, "math.sqrt(x)"),
        ("z = 1\nwhile x > 1:\n    x = x/2\n    z = z*x", {"x": 9.0}, {"x": 3.0}, 3, "x > 1 is now False"),
        ("z = x if math.isclose(x, 2.0) else 3*x", {"x": 2.0}, {"x": 3.0}, 2, "math.isclose(x, 2.0)"),
        ("z = np.sum(x[x > 0.15])", {"x": np.array([0.5, 0.1])}, {"x": np.array([0.1, 0.5])}, 2, "x > 0.15"),
        ("z = x*2 if x else 3.0", {"x": 2.0}, {"x": 0.0}, 2, ""),
        ("z = x*math.floor(x) + divmod(x, 2)[0]", {"x": 2.5}, {"x": 3.5}, 2, "math.floor(x)"),
    ],
)
def test_a_decision_that_changes_is_told(loaded, cell, inputs, second, line, text):
    r = run(loaded, cell, inputs)
    here, there = answers(r, [inputs, second])
    agrees(r.run, here)
    assert there["changed"]["line"] == line
    assert there["changed"]["row"] in range(len(r.run.tape))
    assert text in there["changed"]["text"]


@pytest.mark.parametrize("op", ["max", "min"])
def test_of_an_extreme_only_the_entry_that_it_is_decides(loaded, op):
    sign = 1.0 if op == "max" else -1.0
    inputs = {"w": sign * np.array([[1.0, 2.0, 3.0, 0.5]])}
    for options in ("", "axis=1", "axis=(0, 1), keepdims=True", "axis=-1, keepdims=True"):
        r = run(loaded, f"z = np.sum(np.exp(w - w.{op}({options})))", inputs)
        others = [[2.5, 2.0, 3.0, 0.5], [0.1, 0.2, 3.0, 2.9], [2.0, 2.0, 3.0, 2.0], [4.0, 2.0, 3.0, 0.5]]
        here, *same, beyond = answers(r, [inputs, *({"w": sign * np.array([o])} for o in others)])
        agrees(r.run, here)
        assert [found["changed"] for found in same] == [None] * 3
        assert f"w.{op}({options}) comes out otherwise" in beyond["changed"]["text"]


# ---- second derivatives ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["both", "forward"])
def test_the_hessian_in_javascript(mode):
    """At another point than the recorded one; of a few functions there is no program, and none of more inputs."""
    known = {}
    for name, (f, arguments) in functions(np, scipy.special).items():
        r = trace(f, *arguments, mode=mode)
        try:
            program = javascript(r.run, 2)
        except NoProgram:
            continue
        assert ("second: " in program) == (r.run.seed_count <= 8), name
        if "second: " in program:
            moved = {n: np.asarray(x) * 1.01 if np.shape(x) else x * 1.01 for n, x in r.inputs.items()}
            point = np.concatenate([np.ravel(x) for x in moved.values()]).tolist()
            known[name] = (f"{program}.run({point}).second", r.at(moved).hessian())
    r = trace(lambda x, y: math.hypot(x, y, 1.0) ** 2.5 if x > y else max(x, y) * math.tanh(x) * abs(y), 0.2, -0.7)
    known["a choice"] = (f"{javascript(r.run, 2)}.run([0.2, -0.7]).second", r.hessian())
    assert {"Kepler", "Black–Scholes", "running example", "logistic regression", "a choice"} <= known.keys()
    expressions = ", ".join(program for program, _ in known.values())
    for (name, (_, want)), got in zip(known.items(), node("", f"[{expressions}]", 0), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max(), err_msg=name)
