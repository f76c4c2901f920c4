"""TRUST: a wrong rule is caught, and the operation named, with its line. Rules are spoilt on purpose."""

from __future__ import annotations

import math
import random
import warnings
from dataclasses import replace

import numpy as np
import pytest
from case_files import cases, run_case

from ad_magic.check.operations import check_operations
from ad_magic.check.piece import piece_of
from ad_magic.engine import operation as home
from ad_magic.engine.arrays.operation import _made, entry_operation
from ad_magic.engine.arrays.pairs import Product
from ad_magic.engine.arrays.tables import PAIRS
from ad_magic.engine.operation import RARE, _make_pull, _make_push, operation
from ad_magic.rules import RULES
from ad_magic.rules.number import PLAIN


@pytest.fixture
def cells(cells):
    cells.plain("import math\nimport numpy as np")
    return cells


def spoil(monkeypatch, name, active, *partials, modes=("pull", "push"), arrays=False):
    """Give an operation other partials, in these modes: what a wrong row of the table would make of it."""
    wrong = replace(RULES[name], partials=partials, given_b=None)
    spoilt = entry_operation(name, active) if arrays else operation(name, active)
    if arrays:
        made = _made(wrong, active)
        parts = {part: getattr(made, part) for part in ("pull", "push", "pull_carefully", "push_carefully")}
    else:
        parts = {"pull": _make_pull(wrong, active, PLAIN), "push": _make_push(wrong, active, PLAIN)}
        monkeypatch.setattr(spoilt, "code", RARE)  # else the fast sweep has its statements by heart
    for part, function in parts.items():
        if part.partition("_")[0] in modes:
            monkeypatch.setattr(spoilt, part, function)


@pytest.fixture
def spoil_pair(request):
    """spoil_pair(name, pull=…, push=…): another function pair for a primitive of arrays."""

    def spoil(name, **parts):
        rule = PAIRS[name]
        for part, function in parts.items():
            before = getattr(rule, part)
            object.__setattr__(rule, part, function)  # it is frozen
            request.addfinalizer(lambda part=part, before=before: object.__setattr__(rule, part, before))
        return rule

    return spoil


# ---- rows of the table ---------------------------------------------------------------------------

SCALAR = {  # name, active operands, wrong partials, a cell with it on line 3, what is said of it
    "missing factor": ("pow", (True, False), ("a ** (b - 1)", "0.0"), "u = x + 1\nz = u**3 * y", "a factor 3 is"),
    "too large": ("exp", (True,), ("2 * z",), "u = x*y\nz = math.exp(u)", "it is 2 times too large"),
    "wrong sign": ("cos", (True,), ("sin(a)",), "u = x*y\nz = math.cos(u) + x", "the sign is wrong"),
    "sine for cosine": ("sin", (True,), ("sin(a)",), "u = x*y\nz = math.sin(u)", "times what it should be"),
    "dropped term": ("mul", (True, True), ("b", "0.0"), "u = x + 1\nz = u*y", "its second operand: it is zero"),
    "transposed": ("div", (True, True), ("-z / b", "1 / b"), "u = x + 1\nz = u/y", "with respect to its first operand"),
    "nothing": ("tanh", (True,), ("0.0",), "u = x*y\nz = math.tanh(u) + x*y", "it is zero"),
    "not a number": ("log", (True,), ("inf - inf",), "u = x*y\nz = math.log(u)", "it is NaN"),
    "an error": ("sqrt", (True,), ("a.nothing",), "u = x*y\nz = math.sqrt(u)", "it raises AttributeError"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCALAR)
def test_a_wrong_row_of_the_table_is_named(cells, monkeypatch, name):
    rule, active, partials, cell, says = SCALAR[name]
    result = cells.grad("x=0.7 y=1.9", cell)
    if name in ("not a number", "an error"):  # the careful sweep asks for the partials again
        monkeypatch.setattr("ad_magic.engine.operation.compiled_partial", partial_of(rule, name == "an error"))
    spoil(monkeypatch, rule, active, *partials)
    report = result.check()
    assert not report.ok
    (cause,) = report.causes
    assert f"(line 3: {cell.splitlines()[1]}) has a wrong derivative" in cause, cause
    assert says in cause, cause


def partial_of(name, raises):
    """The partials of the table, but for one rule: it raises, or gives NaN."""
    right = home.compiled_partial

    def spoilt(*arguments):
        if raises:
            raise AttributeError("a rule that somebody has written")
        return math.nan

    return lambda rule, which, kind: spoilt if rule.name == name else right(rule, which, kind)


@pytest.mark.parametrize(("mode", "part"), [("reverse", "pull"), ("forward", "push")])
def test_the_mode_is_named_whose_rule_is_wrong(cells, monkeypatch, mode, part):
    result = cells.grad("x=0.7", "z = math.atan(x)*3")
    spoil(monkeypatch, "atan", (True,), "2 / (1 + a * a)", modes=(part,))
    report = result.check()
    assert report.operations.wrong[0].modes == (mode,)
    assert f"has a wrong derivative in {mode} mode: it is 2 times too large" in report.causes[0]


def test_the_operation_is_written_as_in_the_table(cells, monkeypatch):
    result = cells.grad("x=0.7 y=2", "u = x*y\nz = math.sin(u) + u")
    spoil(monkeypatch, "sin", (True,), "-cos(a)")
    assert result.check().causes == [
        "v4 = sin(v3) (line 3: z = math.sin(u) + u) has a wrong derivative: the sign is wrong"
    ]


def test_two_mistakes_that_cancel_are_both_seen(cells, monkeypatch):
    """exp with half its slope, log with twice: the derivative of log(exp x) is right all the same."""
    result = cells.grad("x=0.7", "u = math.exp(x)\nz = math.log(u)")
    spoil(monkeypatch, "exp", (True,), "z / 2")
    spoil(monkeypatch, "log", (True,), "2 / a")
    report = result.check()
    assert {row.word for row in report.rows} == {"agrees"} and not report.ok
    assert [wrong.name for wrong in report.operations.wrong] == ["exp", "log"]
    assert report.verdict == "an operation has a wrong derivative; 3 comparisons agree"


def test_a_wrong_operation_that_does_not_reach_the_output_is_no_matter(cells, monkeypatch):
    result = cells.grad("x=0.7", "u = math.sin(x)\nz = x*x")
    spoil(monkeypatch, "sin", (True,), "2 * cos(a)")
    assert result.check().ok


def test_in_a_loop_the_first_turn_is_named(cells, monkeypatch):
    result = cells.grad("x=0.7", "t = x\nfor k in range(2000):\n    t = t + 1e-4*math.sin(t)\nt")
    spoil(monkeypatch, "sin", (True,), "2 * cos(a)")
    report = result.check()
    assert not report.ok and report.operations.wrong[0].row < 6
    assert report.causes[0].startswith("v2 = sin(v1) (line 4: t = t + 1e-4*math.sin(t))")


def test_a_tangent_that_was_recorded_wrongly(cells):
    """A run in forward mode has no sweep: its own tangents are looked at."""
    result = cells.grad("x=0.7 y=2", "u = x*y\nz = math.sin(u) + u", mode="forward")
    assert result.check().ok
    tape = result.run.tape
    row = next(k for k, op in enumerate(tape.ops) if op.name == "sin")
    tape.tangents[row] = tuple(2 * t for t in tape.tangents[row])
    found = check_operations(result.run, suspicious=True)
    assert [wrong.name for wrong in found.wrong] == ["sin", "add"]  # what is added up is not what was there
    assert "its tangent in the run is not the one of its rule" in found.wrong[0].words


# ---- arrays --------------------------------------------------------------------------------------

X = np.random.default_rng(5).normal(size=(3, 3))
ARRAYS = "X=X w=w"


@pytest.fixture
def arrays(cells):
    cells.plain("X = np.random.default_rng(5).normal(size=(3, 3)); w = np.array([0.5, -1.0, 2.0])")
    return cells


ENTRIES = {
    "missing factor": ("tanh", (True,), ("0.5 / cosh(a) ** 2",), "z = np.sum(np.tanh(h)*w)", "a factor 2 is missing"),
    "wrong sign": ("cos", (True,), ("sin(a)",), "z = np.sum(np.cos(h)*w)", "the sign is wrong"),
    "wrong in some entries": ("sin", (True,), ("cos(a) if a > 0 else 0.0",), "z = np.sum(np.sin(h)*w)", ""),
    "dropped term": ("mul", (True, True), ("b", "0.0"), "z = np.sum(h*w)", "its second operand: it is zero"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_a_wrong_row_by_entry_is_named(arrays, monkeypatch, name):
    rule, active, partials, line, says = ENTRIES[name]
    result = arrays.grad(ARRAYS, f"h = X @ w + w\n{line}")
    if rule == "tanh":
        made = _made(replace(RULES["tanh"], partials=partials), active)
        used = next(op for op in result.run.tape.ops if op.name == "tanh")  # it has a pair of its own
        for part in ("pull", "push", "pull_carefully", "push_carefully"):
            monkeypatch.setattr(used, part, getattr(made, part))
    else:
        spoil(monkeypatch, rule, active, *partials, arrays=True)
    report = result.check()
    assert not report.ok and len(report.causes) == 1
    assert f"(line 3: {line}) has a wrong derivative" in report.causes[0] and says in report.causes[0]


def test_a_transposed_product_is_named(arrays, monkeypatch):
    right = Product.pull

    def pull(self, adjoints, g, left, right_, values, z):
        if getattr(g, "ndim", 0) == 2:
            a, b = values[left[0]], values[left[1]]
            adjoints.put(left[0], (g @ b.T).T, a)
            adjoints.put(left[1], a.T @ g, b)
        else:
            right(self, adjoints, g, left, right_, values, z)

    result = arrays.grad(ARRAYS, "H = X @ (X + 1)\nz = np.sum(np.sin(H)) + w @ w")
    monkeypatch.setattr(Product, "pull", pull)
    report = result.check()
    assert [wrong.name for wrong in report.operations.wrong] == ["matmul"]
    assert "with respect to its first operand in reverse mode: it is transposed" in report.causes[0]
    assert "line 2: H = X @ (X + 1)" in report.causes[0]


PAIRED = {  # name, cell, wrong pull (k, g, z, *operands, **options), what is said
    "a system solved with the matrix itself": (
        "solve", "u = np.linalg.solve(X, w)\nz = u @ u",
        lambda k, g, z, a, b: -np.outer(np.linalg.solve(a, g), z) if k == 0 else np.linalg.solve(a, g), "solve",
    ),
    "missing factor": ("det", "u = np.linalg.det(X)\nz = u + w @ w",
                       lambda k, g, z, a: g * z * np.linalg.inv(a).T / 2, "a factor 2 is missing"),
    "transposed": ("det", "u = np.linalg.det(X)\nz = u + w @ w",
                   lambda k, g, z, a: g * z * np.linalg.inv(a), "it is transposed"),
    "wrong sign": ("inv", "u = np.linalg.inv(X)\nz = np.sum(u) + w @ w", lambda k, g, z, a: z.T @ g @ z.T,
                   "the sign is wrong"),
    "wrong broadcast: the mean for the sum": (
        "sum", "u = np.sum(X, axis=0)\nz = np.sin(u) @ w",
        lambda k, g, z, a, **_: np.broadcast_to(g, a.shape) / len(a), "a factor 3 is missing",
    ),
    "wrong broadcast: along the other axis": (
        "sum", "u = np.sum(X, axis=0)\nz = np.sin(u) @ w",
        lambda k, g, z, a, **_: np.broadcast_to(g[:, None], a.shape), "sum",
    ),
    "wrong broadcast: a shape that does not fit": (
        "det", "u = np.linalg.det(X)\nz = u + w @ w", lambda k, g, z, a: np.ones(4) * g, "ValueError",
    ),
    "dropped term": ("norm", "u = np.linalg.norm(X)\nz = u + w @ w", lambda k, g, z, a, **_: np.zeros(a.shape),
                     "it is zero"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRED)
def test_a_wrong_function_pair_is_named(arrays, spoil_pair, name):
    rule, cell, pull, says = PAIRED[name]
    result = arrays.grad(ARRAYS, cell)
    spoil_pair(rule, pull=pull)
    report = result.check()
    assert not report.ok
    assert [wrong.name for wrong in report.operations.wrong] == [rule], report
    assert "(line 2: u = " in report.causes[0] and "in reverse mode" in report.causes[0] and says in report.causes[0]


def test_a_wrong_push_of_a_pair_is_named(arrays, spoil_pair):
    result = arrays.grad(ARRAYS, "u = np.linalg.inv(X)\nz = np.sum(u) + w @ w")
    spoil_pair("inv", push=lambda k, t, z, a: z @ t @ z)
    report = result.check()
    assert "in forward mode: the sign is wrong" in report.causes[0]


def test_a_wrong_adjoint_of_a_memory_is_named(arrays, monkeypatch):
    from ad_magic.engine.arrays.memory_rows import MemoryOperation

    result = arrays.grad(ARRAYS, "b = np.zeros(3)\nb[0] = w[1]*2\nb[1:] = X[0, 1:]\nz = b @ b")
    assert result.check().ok
    right = MemoryOperation._pull_look

    def pull(self, adjoints, row, left, values):
        adjoints[row] = adjoints[row] * 2
        right(self, adjoints, row, left, values)

    monkeypatch.setattr(MemoryOperation, "_pull_look", pull)
    report = result.at({}).check()
    assert not report.ok and report.operations.wrong[0].name == "memory"
    assert "it is 2 times too large" in report.causes[0]


def test_a_difference_that_is_of_no_rule(cells):
    """What a text has lost, no operation has."""
    report = cells.grad("x=0.75", "s = str(x)\nf = 2*float(s) + x").check()
    assert not report.ok and not report.causes
    assert any("No operation is to blame" in note for note in report.notes)


# ---- no false alarm ------------------------------------------------------------------------------

SMOOTH = [name for name, case in cases("scalar", "arrays").items() if case.get("expect", "ok") == "ok"]


def moved(inputs, draw):
    """The inputs a few percent away."""
    numbers = np.random.default_rng(draw.getrandbits(32))
    return {
        name: value * (1 + 0.05 * numbers.normal(size=value.shape)) if hasattr(value, "shape")
        else value * (1 + 0.05 * draw.gauss(0, 1))
        for name, value in inputs.items()
    }  # fmt: skip


def near(result, draw):
    """The same program at a random point nearby, where it gives a number with a derivative."""
    for _ in range(5):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                there = result.at(moved(result.inputs, draw))
                if np.isfinite(there.value).all() and not there.flags:
                    return there
            except Exception:  # out of the domain
                continue
    return result


@pytest.mark.parametrize("part", range(20))
def test_right_rules_raise_no_alarm(shell, part):
    """At 200 random points: ten in each part, of ten programs."""
    shell.run_line_magic("load_ext", "ad_magic")
    draw = random.Random(part)
    for name in draw.sample(SMOOTH, 10):
        result = run_case(shell, cases("scalar", "arrays")[name])
        report = near(result, draw).check(seed=part)
        assert report.ok, report
        assert not report.causes


def test_no_alarm_at_a_kink_a_jump_and_a_vertical_slope(cells):
    cell = "z = abs(x) + max(x, 0.0) + (x - math.floor(x)) + math.sqrt(y) + math.hypot(x, y)"
    assert check_operations(cells.grad("x=0.0 y=0.0", cell).run, suspicious=True).wrong == ()


def test_no_alarm_for_complex_numbers_on_the_way(arrays):
    cell = "F = np.fft.fft(w)*np.exp(1j*w)\nz = np.sum(np.abs(F)**2) + np.linalg.eig(X)[0].real.sum()"
    report = arrays.grad(ARRAYS, cell).check()
    assert report.ok and report.operations.checked > 5, report


def test_of_a_very_long_run_some_operations_are_checked(cells):
    result = cells.grad("x=0.7", "t = x\nfor k in range(3000):\n    t = t + 1e-4*math.sin(t)\nt")
    found = check_operations(result.run, suspicious=False)
    assert found.count == 9000 and 50 < found.checked <= 300 and not found.wrong
    assert found.words.startswith(f"{found.checked} of 9000 operations were compared")


# ---- pieces --------------------------------------------------------------------------------------


def test_a_piece_has_an_input_for_each_use(cells):
    tape = cells.grad("x=3.0", "z = x*x").run.tape
    piece = piece_of(tape, 1)
    assert [op.name for op in piece.tape.ops] == ["input", "input", "mul"]
    assert piece.tape.values == [3.0, 3.0, 9.0] and piece.inputs == [0, 1] and piece.came == [0, 0]


def test_a_piece_keeps_constants(cells):
    tape = cells.grad("x=3.0", "z = x**2").run.tape
    piece = piece_of(tape, 1)
    assert piece.inputs == [0] and piece.tape.arguments(1) == (3.0, 2)
    assert math.isclose(piece.tape.values[1], 9.0)
