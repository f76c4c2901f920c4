"""What derivatives cost: the counts of the literature, closed forms, and numbers that count what is done with them."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from case_files import cases, run_case
from numpy_samples import INPUTS, SAMPLES

from ad_magic import growth
from ad_magic.engine.arrays.costs import counted as counted_by_numpy
from ad_magic.engine.costs import work
from ad_magic.report.cost import Cost

METHODS = ("f", "tangent", "forward", "reverse", "reverse, every addition")


@pytest.fixture
def run(loaded, run):
    loaded.run_cell("from math import *", silent=True)
    return run


# ---- the counts of the literature ------------------------------------------------------------------

# f, f and one tangent sweep, f and n of them, f and the reverse sweep (first additions free, then all counted), tape
REFERENCE = {
    "Wikipedia": ("x=2 y=3", "z = x*y + sin(x)", (3, 9, 15, 8, 12), 5),
    "Baydin": ("x=2 y=5", "z = log(x) + x*y - sin(y)", (5, 13, 21, 12, 18), 7),
    "lecture": ("x=2 y=3", "z = (x + 2*y)**2 * sin(x*y)", (6, 18, 30, 17, 24), 8),
    "Domke": ("x=0.1", "a = exp(x); b = a**2; c = a + b; d = exp(c); e = sin(c); f = d + e", (6, 14, 14, 14, 20), 7),
}


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
@pytest.mark.parametrize("name", REFERENCE)
def test_programs_of_the_literature(run, name, mode):
    line, cell, counts, rows = REFERENCE[name]
    r = run(f"{line} --mode {mode}", cell)
    assert tuple(r.cost.operations[method] for method in METHODS) == counts
    assert r.cost.operations["differences"] == 2 * len(r.inputs) * counts[0]
    assert r.cost.rows == rows


@pytest.mark.parametrize("n", [2, 3, 10, 37, 100])
def test_the_product_of_n_numbers(n):
    """The classical bound: exactly 3 and exactly 5 (Baur & Strassen 1983), whatever n is."""
    cost = growth(math.prod, [n]).costs[n]
    f = n - 1
    assert cost.operations["f"] == f
    assert cost.ratios["reverse"] == 3 and cost.ratios["reverse, every addition"] == 5
    assert cost.ratios["tangent"] == 4 and cost.ratios["forward"] == 1 + 3 * n and cost.ratios["differences"] == 2 * n
    assert cost.rows == 2 * n - 1


@pytest.mark.parametrize("n", [2, 10, 100])
def test_the_product_of_the_entries_of_an_array(run, n):
    """Taking an entry moves a number: it costs nothing."""
    r = run("x", f"p = x[0]\nfor i in range(1, {n}): p = p*x[i]", x=np.linspace(1, 2, n))
    assert tuple(r.cost.ratios[method] for method in METHODS) == (1, 4, 1 + 3 * n, 3, 5)


def rosenbrock(x):
    terms = [100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


@pytest.mark.parametrize(
    ("n", "counts"), [(10, (71, 160, 961, 151, 231, 81)), (100, (791, 1780, 99691, 1681, 2571, 891))]
)
def test_rosenbrock(n, counts):
    cost = growth(rosenbrock, [n]).costs[n]
    assert (*(cost.operations[method] for method in METHODS), cost.rows) == counts


# ---- against numbers that count what is done with them ----------------------------------------------


class Counting:
    """A number that counts the arithmetic in which it takes part."""

    done = 0

    def __init__(self, value):
        self.value = value

    def _with(self, other, result):
        Counting.done += 1
        return Counting(result)

    def __add__(self, other):
        return self._with(other, self.value + other.value)

    def __mul__(self, other):
        return self._with(other, self.value * other.value)


def test_the_reverse_sweep_of_a_polynomial_by_counting_numbers():
    """z = x y + y y w with the sweep written out by hand: what is really done is what is counted."""

    def program(numbers):
        x, y, w = numbers
        return x * y + y * y * w

    Counting.done = 0
    x, y, w = map(Counting, (2.0, 3.0, 5.0))
    a, b = x * y, y * y
    c = b * w
    a + c
    assert Counting.done == growth(program, [3]).costs[3].operations["f"]
    g = Counting(1.0)  # z̄; ā and c̄ are the same number
    b_bar, _ = g * w, g * b
    y_bar = b_bar * y
    y_bar = y_bar + b_bar * y
    y_bar, _ = y_bar + g * x, g * y
    assert Counting.done == growth(program, [3]).costs[3].operations["reverse"]
    assert y_bar.value == 2 + 2 * 3 * 5


@pytest.mark.parametrize(
    ("cell", "value", "push", "pull"),
    [
        ("z = x**3", 1, 3 + 0, 3),  # 3 · x**2 · dx; what is made of constants alone costs nothing
        ("z = x**2", 1, 2, 2),
        ("z = 3 / x", 1, 2, 2),  # −z / x · dx
        ("z = x / 3", 1, 1, 1),
        ("z = -x", 1, 0, 0),
        ("z = sqrt(x)", 1, 2, 2),
        ("z = tan(x)", 1, 3, 3),
        ("z = hypot(x, y)", 1, 5, 4),
        ("z = math.fsum([x, y, x*x])", 2, 2, 0),
    ],
)
def test_what_an_operation_costs(run, cell, value, push, pull):
    tape = run("x=2 y=3", cell).run.tape
    found = work(tape, len(tape) - 1)
    assert (found.value, found.push, found.pull) == (value, push, pull)


# ---- arrays ------------------------------------------------------------------------------------------


def test_a_product_of_matrices(run):
    """m n (2k − 1) each, as a program with loops would do it; Aᵀ's and Bᵀ's products in the sweep."""
    r = run("A B", "C = A @ B", A=np.ones((2, 3)), B=np.ones((3, 4)))
    tape = r.run.tape
    found = work(tape, len(tape) - 1)
    assert found.value == 2 * 4 * (2 * 3 - 1)
    assert found.pull == 2 * 3 * (2 * 4 - 1) + 3 * 4 * (2 * 2 - 1)
    assert found.push == 2 * found.value + 2 * 4


def test_an_array_costs_what_its_entries_cost(run):
    """The same program in numbers and in arrays; the sum of the tangents along the second axis as well."""
    n = 7
    x = np.linspace(1, 2, n)
    whole = run("x", "z = np.sum(np.exp(x) * x)", x=x).cost
    line = " ".join(f"x{k}={v}" for k, v in enumerate(x))
    cell = "t = [" + ", ".join(f"exp(x{k})*x{k}" for k in range(n)) + "]\nz = t[0]\nfor u in t[1:]: z = z + u"
    single = run(line, cell).cost
    for method in ("f", "tangent", "forward", "reverse", "differences"):
        assert whole.operations[method] == single.operations[method]


def test_a_branch_counts_where_it_is_taken(run):
    """x ** y with y = 0 in some entries: the partial is 0 there, and nothing is multiplied."""
    tape = run("x", "z = np.sum(x ** np.array([3.0, 0.0, 2.0]))", x=np.array([1.0, 2.0, 3.0])).run.tape
    assert work(tape, 1).pull == 3 + 0 + 2


def test_a_broadcast_operand_is_summed(run):
    tape = run("b", "z = np.ones((4, 3)) * b", b=np.ones(3)).run.tape
    assert work(tape, 1).pull == 12 + 9


def test_writing_and_looking_cost_nothing(run):
    r = run("x=2.0", "b = np.zeros(3)\nb[0] = x\nb[1:] = x*x\nz = b[0] * b[2]")
    assert r.cost.operations["f"] == 2
    assert r.cost.operations["reverse"] == 2 + 2 + 2 + 1 + 1 + 1  # products; b[1:]'s two entries summed, and x twice


@pytest.mark.parametrize("n", [3, 8])
def test_solving_is_of_third_order(n):
    a = np.eye(n) + 0.1
    assert counted_by_numpy(np.linalg.solve, a, np.ones(n)) == math.ceil(2 * n**3 / 3 + 2 * n * n)
    assert counted_by_numpy(np.linalg.inv, a) == 2 * n**3


def test_every_function_of_numpy_has_a_cost(run, shell):
    """None of the function pairs is in the way of arrays that count."""
    tried = 0
    for name in list(SAMPLES)[::12]:
        for sample in SAMPLES[name] if isinstance(SAMPLES[name], list) else [SAMPLES[name]]:
            reads = [x for x in INPUTS if re.search(rf"(?<![\w.]){x}(?!\w)", sample)]
            shell.user_ns.update({x: INPUTS[x] for x in reads})
            cell = sample if "out" in re.findall(r"(\w+)\s*=", sample) else f"out = {sample}"
            done = shell.run_cell(f"%%grad {' '.join(reads)} --of out -o r_ -q\n{cell}", silent=True)
            if done.success:
                tried += 1
                cost = shell.user_ns["r_"].cost
                assert all(count >= 0 for count in cost.operations.values())
                assert cost.operations["tangent"] >= cost.operations["f"]
    assert tried > 20


SOME = [name for k, name in enumerate(sorted(cases())) if k % 15 == 0]


@pytest.mark.parametrize("name", SOME)
def test_cells_that_must_work(shell, name):
    """The bounds hold on all of them: a tangent sweep costs something, the gradient at most a few times f."""
    shell.run_line_magic("load_ext", "ad_magic")
    r = run_case(shell, cases()[name])
    if isinstance(r, BaseException) or r.cost.operations["f"] == 0:
        return
    cost = r.cost
    assert cost.operations["f"] <= cost.operations["tangent"] <= cost.operations["forward"]
    assert cost.operations["reverse"] <= cost.operations["reverse, every addition"]
    assert cost.memory > 0 and cost.rows >= len(r.inputs)


# ---- several outputs, none, and what is said ----------------------------------------------------------


def test_several_outputs_take_a_reverse_sweep_each(run):
    r = run("x=2 y=3 --of a,b", "a = x*y\nb = sin(x)")
    assert r.cost.operations["reverse"] == 2 + 2 + 2
    assert r.cost.operations["forward"] == 2 + 2 * (3 + 2)
    assert "2 reverse sweeps" in r.cost.to_text()


def test_nothing_computed(run):
    r = run("x=2", "z = x")
    assert r.cost.operations["f"] == 0 and math.isnan(r.cost.ratios["reverse"])
    assert "nan" in r.cost.to_text()


def test_a_long_forward_run_says_why(run):
    r = run("x=1.0 --mode forward", "z = x\nfor _ in range(30000): z = z*1.0001")
    with pytest.raises(ValueError, match="--mode both or reverse"):
        _ = r.cost
    assert "--mode both or reverse" in r.to_text(show="cost")
    assert "--mode both or reverse" in r.to_html(show="cost")


def test_the_memory_of_a_tape(run):
    """Within a factor of two of what Python says of the columns."""
    import sys

    r = run("x=1.5", "z = x\nfor k in range(1000): z = z*1.001 + k")
    tape = r.run.tape
    columns = (tape.values, tape.ops, tape.left, tape.right, tape.codes, tape.instructions)
    numbers = [x for column in (tape.values, tape.left, tape.right) for x in column if type(x) is float]
    real = sum(map(sys.getsizeof, columns)) + sum(map(sys.getsizeof, numbers))
    assert real / 2 < r.cost.memory < 2 * real


def test_measured(run):
    cost = run("x=2 y=3", "z = (x + 2*y)**2 * sin(x*y)").cost
    assert not cost.seconds
    timed = cost.measured(2)
    assert isinstance(timed, Cost) and set(timed.seconds) == {*METHODS[:4], "differences"}
    assert all(seconds > 0 for seconds in timed.seconds.values())
    assert timed == cost or timed.operations == cost.operations
    assert "time" in timed.to_text() and "time" in timed.to_html() and "time" not in cost.to_text()


@pytest.mark.parametrize("mode", ["both", "forward", "reverse"])
def test_show_cost(run, mode):
    r = run(f"x=2 y=3 --mode {mode}", "z = (x + 2*y)**2 * sin(x*y)")
    text, html = r.to_text(show="cost"), r.to_html(show="cost")
    assert text.index("f and one reverse sweep") < text.index("variable")
    assert 'class="ad-part ad-cost" open' in html and html.index("ad-cost") < html.index('ad-tables" open')
    assert "ad-cost" not in r.to_html()
    line = next(line for line in text.split("\n") if line.startswith("f and one reverse"))
    assert re.search(r"17\s+2\.83$", line)


def test_faces(run):
    cost = run("x=2 y=3", "z = x*y").cost
    assert repr(cost) == cost.to_text()
    ET.fromstring(cost._repr_html_().replace("\u00a0", " ").partition("<style>")[0] + "</div>")
    assert cost.to_markdown().count("|") > 20


# ---- how it grows ------------------------------------------------------------------------------------


def test_growth():
    g = growth(math.prod, range(2, 30, 9))
    assert list(g.costs) == [2, 11, 20, 29]
    assert len({cost.ratios["reverse"] for cost in g.costs.values()}) == 1
    picture = ET.fromstring(g.to_svg())
    level = next(e for e in picture.iter() if e.get("class") == "ad-growth ad-reverse" and e.get("d"))
    assert len({spot.split()[1] for spot in level.get("d")[1:].split("L")}) == 1, "the reverse mode's line is level"
    rising = next(e for e in picture.iter() if e.get("class") == "ad-growth ad-forward" and e.get("d"))
    heights = [float(spot.split()[1]) for spot in rising.get("d")[1:].split("L")]
    assert heights == sorted(heights, reverse=True) and heights[0] > heights[-1] + 50
    assert g.to_text().count("\n") == 7 and g.to_markdown().count("\n") == 7 and "relative to" in g.to_text()
    assert "<svg" in g._repr_html_()


def test_growth_of_what_is_no_function_of_numbers():
    with pytest.raises(TypeError, match="returned a str, not a number"):
        growth(lambda x: "z", [2])
    with pytest.raises(ValueError, match="at least one input"):
        growth(sum, [0])
    assert growth(lambda x: 1.0, [1]).costs[1].operations["f"] == 0


def test_growth_at_points_of_ones_own():
    asked = []

    def f(x):
        asked.append([float(v.value) for v in x])
        return x[0] * x[1]

    growth(f, [2], at=lambda n: [5.0] * n)
    assert asked == [[5.0, 5.0]]
