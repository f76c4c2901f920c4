"""What the film of the sweeps says at each step: sweep.js under Node, against sums that are made here."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from node import needs_node, run
from numpy.testing import assert_allclose

from ad_magic.engine.tape import reverse_order
from ad_magic.report import live

pytestmark = needs_node
SCRIPT = live.runtime()
SWEEPS = """data.map(({ layout, found, shown, seed }) => {
    const sweep = sweepOf(layout, shown, seed);
    return sweep.steps.map((row, k) => ({
        row, lines: sweep.lines(found, k), partials: sweep.partials(found, k),
        reached: Object.keys(layout.parents).filter((r) => sweep.reached(Number(r)) <= k).map(Number),
    }));
})"""


def text(html: str) -> str:
    return re.sub("<.*?>", "", html)


def told(*sweeps: dict) -> list[list[dict]]:
    """The steps of each sweep, in plain text."""
    return [
        [{**step, "lines": list(map(text, step["lines"])), "partials": text(step["partials"])} for step in steps]
        for steps in run(SCRIPT, SWEEPS, list(sweeps))
    ]


def of(r, seed: str | None = None, shown=None, max_rows: int = 60) -> list[dict]:
    layout = live.layout(r, max_rows=max_rows)
    shown = layout["parents"] if shown is None else shown
    at = None if seed is None else r.seeds.index(seed)
    (steps,) = told({"layout": layout, "found": live.found(r, layout), "shown": list(shown), "seed": at})
    return steps


def numbers(line: str) -> float:
    """The number after the last sign of equality."""
    return float(line.split(" = ")[-1].partition(" part ")[0].replace("−", "-"))


def parts(steps: list[dict]) -> dict[int, float]:
    """What all steps add to each adjoint, by its row."""
    found: dict[int, float] = {}
    for step in steps:
        for line in step["lines"]:
            if added := re.match(r"v̄(\d+) \+= ", line):
                row = int(added[1]) - 1
                found[row] = found.get(row, 0.0) + numbers(line)
    return found


# --------------------------------------------------------------------------------------------------- the literature

BAYDIN = "z = math.log(x1) + x1*x2 - math.sin(x2)", "x1=2 x2=5"  # Baydin et al. 2018, tables 2 and 3


def test_the_reverse_sweep_of_the_literature(result):
    steps = of(result(*BAYDIN))
    assert [step["row"] for step in steps] == [6, 5, 4, 3, 2]
    assert [step["lines"] for step in steps] == [
        ["v̄7 = 1 the seed", "v̄5 += v̄7 · ∂v7/∂v5 = 1 · 1 = 1", "v̄6 += v̄7 · ∂v7/∂v6 = 1 · (−1) = −1"],
        ["v̄2 += v̄6 · ∂v6/∂v2 = −1 · 0.283662 = −0.283662 part 1 of 2"],
        ["v̄3 += v̄5 · ∂v5/∂v3 = 1 · 1 = 1", "v̄4 += v̄5 · ∂v5/∂v4 = 1 · 1 = 1"],
        [
            "v̄1 += v̄4 · ∂v4/∂v1 = 1 · 5 = 5 part 1 of 2",
            "v̄2 += v̄4 · ∂v4/∂v2 = 1 · 2 = 2 part 2 of 2",
            "v̄2 = −0.283662 + 2 = 1.71634",
        ],
        ["v̄1 += v̄3 · ∂v3/∂v1 = 1 · 0.5 = 0.5 part 2 of 2", "v̄1 = 5 + 0.5 = 5.5"],
    ]
    assert steps[0]["partials"] == "∂v7/∂v5 = 1, ∂v7/∂v6 = −1"
    assert [step["reached"] for step in steps] == [
        [4, 5, 6],
        [4, 5, 6],
        [2, 3, 4, 5, 6],
        [1, 2, 3, 4, 5, 6],
        [0, 1, 2, 3, 4, 5, 6],
    ]


def test_the_forward_sweep_of_the_literature(result):
    steps = of(result(*BAYDIN), "x1")
    assert [step["row"] for step in steps] == [None, 2, 3, 4, 5, 6]
    assert steps[0]["lines"] == ["v̇1 = 1, v̇2 = 0"]
    assert [numbers(step["lines"][-1]) for step in steps[1:]] == [0.5, 5, 5.5, 0, 5.5]
    assert steps[2]["lines"] == ["v̇4 = ∂v4/∂v1 · v̇1 + ∂v4/∂v2 · v̇2", "= 5 · 1 + 2 · 0 = 5"]
    assert steps[2]["reached"] == [0, 1, 2, 3]


def test_an_operand_that_is_used_twice_adds_once(result):
    steps = of(result("z = x * x * 3", "x=4"))
    assert steps[1]["lines"] == ["v̄1 += v̄2 · ∂v2/∂v1 = 3 · (4 + 4) = 24"]
    assert steps[1]["partials"] == "∂v2/∂v1 = 4 + 4"


# ------------------------------------------------------------------------------------------------- sums made here


def graphs(count: int):
    """Programs that are linear: for each row its operands and the slopes along them. The last row is the output."""
    rng = random.Random(11)
    for _ in range(count):
        rows = [[] for _ in range(rng.randint(1, 3))]
        for _ in range(rng.randint(1, 9)):
            slopes = (-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0)
            rows.append([(rng.randrange(len(rows)), rng.choice(slopes)) for _ in range(rng.randint(1, 4))])
        yield rows


def solved(rows) -> np.ndarray:
    """The adjoints: (I - Jᵀ) λ = e."""
    jacobian = np.zeros((len(rows), len(rows)))
    for k, row in enumerate(rows):
        for parent, slope in row:
            jacobian[k, parent] += slope
    return np.linalg.solve(np.eye(len(rows)) - jacobian.T, np.eye(len(rows))[-1])


def linear(rows) -> dict:
    """Such a program as the scripts have it."""
    n = len(rows)
    parents = {k: [parent for parent, _ in row] for k, row in enumerate(rows)}
    layout = {"digits": 15, "tape": {k: k for k in range(n)}, "parents": parents, "partials": {}, "shapes": {},
              "order": reverse_order(list(parents.values()), n - 1), "unseen": {}}  # fmt: skip
    found = {"values": [0.0] * n, "adjoints": list(solved(rows)), "tangents": [],
             "partials": [[slope for _, slope in row] for row in rows], "changed": None}  # fmt: skip
    return {"layout": layout, "found": found, "shown": list(range(n)), "seed": None}


def test_what_is_added_is_the_adjoint_whatever_the_graph():
    """Each adjoint is the sum of what the steps add to it; it is known when the last has come, and said then."""
    programs = [(rows, linear(rows)) for rows in graphs(300)]
    for (rows, data), steps in zip(programs, told(*(data for _, data in programs)), strict=True):
        order, adjoints, added = data["layout"]["order"], solved(rows), parts(steps)
        place = {step["row"]: k for k, step in enumerate(steps)}
        for row in order[1:]:
            users = [user for user in order if row in data["layout"]["parents"][user]]
            last = max(place[user] for user in users)
            assert added[row] == pytest.approx(adjoints[row], abs=1e-12)
            assert row in steps[last]["reached"] and not any(row in step["reached"] for step in steps[:last])
            sums = [line for step in steps for line in step["lines"] if line.startswith(f"v̄{row + 1} = ")]
            assert len(sums) == (len(users) > 1) and all(line in steps[last]["lines"] for line in sums)
            if sums and len(users) <= 6:
                _, terms, total = sums[0].replace(" − ", " + −").replace("−", "-").split(" = ")
                assert sum(map(float, terms.split(" + "))) == pytest.approx(float(total), abs=1e-12)


def test_entries_are_broadcast_as_in_numpy():
    rng = random.Random(5)
    cases, expected = [], []
    for _ in range(300):
        large = [rng.randint(1, 4) for _ in range(rng.randint(0, 3))]
        small = [rng.choice([1, n]) for n in large][rng.randint(0, len(large)) :]
        expected.append(np.broadcast_to(np.arange(np.prod(small, dtype=int)).reshape(small), large).ravel().tolist())
        cases.append([len(expected[-1]), large, small])
    assert (
        run(SCRIPT, "data.map(([n, large, small]) => range(0, n).map((k) => placeIn(k, large, small)))", cases)
        == expected
    )


CELLS = {
    "numbers": ("a = x*y\nb = math.sin(a) + x\nz = a*b/y - x", "x=1.25 y=-0.5"),
    "fan-out": ("z = sum([x, y, x*y, x]) * max(x, y)", "x=1.25 y=-0.5"),
    "loop": ("z = x\nfor k in range(5):\n    z = z*y + math.cos(x)", "x=1.25 y=-0.5"),
}
FUNCTIONS = {  # of complex numbers too
    "numbers": lambda x, y: x * y * (np.sin(x * y) + x) / y - x,
    "fan-out": lambda x, y: (2 * x + y + x * y) * x,
    "loop": lambda x, y: x * y**5 + np.cos(x) * (1 + y + y**2 + y**3 + y**4),
}


@pytest.mark.parametrize("name", CELLS)
def test_the_parts_of_an_input_are_its_derivative_by_the_complex_step(result, name):
    r = result(*CELLS[name])
    added = parts(of(r))
    for row, point in enumerate([(1.25 + 1e-30j, -0.5), (1.25, -0.5 + 1e-30j)]):
        assert added[row] == pytest.approx(FUNCTIONS[name](*point).imag / 1e-30, rel=2e-5)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("seed", ["x", "y"])
def test_a_forward_step_ends_in_the_tangent_by_the_complex_step(result, name, seed):
    point = (1.25 + 1e-30j, -0.5) if seed == "x" else (1.25, -0.5 + 1e-30j)
    steps = of(result(*CELLS[name]), seed)
    assert numbers(steps[-1]["lines"][-1]) == pytest.approx(FUNCTIONS[name](*point).imag / 1e-30, rel=2e-5)


# ---------------------------------------------------------------------------------------------------------- arrays


def test_arrays_are_multiplied_entry_by_entry_and_summed_where_they_were_broadcast(result):
    r = result("m = A * v\nz = np.sum(m * x)", "x=2 v=np.array([1.0,-2.0]) A=np.array([[1.0,0.5],[2.0,-1.0]])")
    lines = [line for step in of(r) for line in step["lines"]]
    # ∂z/∂v = x ΣᵢAᵢⱼ = [6, -1]; ∂z/∂A = x v in each row; ∂z/∂x = Σ A v = 1 - 1 + 2 + 2
    line = next(line for line in lines if line.startswith("v̄2 += "))
    assert line.endswith("= [6 −1]") and " = Σ 2×2 " in line
    line = next(line for line in lines if line.startswith("v̄1 += "))
    assert numbers(line) == 4 and " = Σ 2×2 " in line
    line = next(line for line in lines if line.startswith("v̄3 += "))
    assert line.endswith("‖·‖ 6.32456") and "Σ" not in line  # |[[2, -4], [2, -4]]| = √40


def test_a_function_pair_has_no_partial_and_what_it_adds_is_what_is_left(result):
    r = result(
        "h = W @ v\nz = np.sum(h * h) + np.sum(v * v)", "v=np.array([1.0,2.0]) W=np.array([[1.0,0.0],[1.0,1.0]])"
    )
    lines = [line for step in of(r) for line in step["lines"]]
    # z = |W v|² + |v|²: ∂z/∂v = 2 Wᵀ W v + 2 v = [8, 6] + [2, 4]
    assert "v̄1 = [2 4] + [8 6] = [10 10]" in lines
    assert any(re.match(r"v̄1 \+= v̄\d+ · ∂v3/∂v1 = \[8 6\]", line) for line in lines)


def test_where_two_parts_have_no_number_none_is_made_up(result):
    r = result("z = np.sum(W @ v) + v[0]", "v=np.array([1.0,2.0]) W=np.array([[1.0,0.0],[1.0,1.0]])")
    lines = [line for step in of(r) for line in step["lines"]]
    assert "v̄1 += v̄5 · ∂v5/∂v1 part 1 of 2" in lines
    assert "v̄1 = v̄5 · ∂v5/∂v1 + v̄3 · ∂v3/∂v1 = [3 1]" in lines


# -------------------------------------------------------------------------------------------------- what is not shown


def test_a_long_loop_says_how_many_parts_come_from_rows_that_are_not_listed(result):
    r = result("z = x\nfor k in range(100):\n    z = z * y + x / (k + 1)", "x=1.1 y=0.9")
    steps = of(r, shown=[0, 1, *range(len(r.rows) - 9, len(r.rows))], max_rows=12)
    uses = 101  # x in each run, and once as the first z
    last = next(line for step in steps for line in step["lines"] if line.startswith("v̄1 += "))
    assert f"part 1 of {uses}" in last
    total = next(line for step in steps for line in step["lines"] if line.startswith("v̄1 = "))
    assert re.search(r"… \d+ from rows that are not listed = ", total)
    assert numbers(total) == pytest.approx(r.grad["x"], rel=1e-5)


def test_rows_that_are_folded_are_no_steps_but_their_parts_count(result):
    r = result(*CELLS["loop"])
    all_steps = of(r)
    some = [row for row in range(len(r.rows)) if row < 2 or row > len(r.rows) - 4]
    few = of(r, shown=some)
    assert [step["row"] for step in few] == [step["row"] for step in all_steps if step["row"] in some]
    sums = next(line for step in few for line in step["lines"] if line.startswith("v̄2 = "))
    assert sums == next(line for step in all_steps for line in step["lines"] if line.startswith("v̄2 = "))


def test_a_zero_beside_an_infinite_slope_is_zero(result):
    steps = of(result("z = math.sqrt(x) * 0.0 + y", "x=0.0 y=2"))
    line = next(line for step in steps for line in step["lines"] if line.startswith("v̄1 += "))
    assert line.endswith("= 0 · inf = 0")


def test_an_output_that_is_an_input_is_one_step(result):
    assert [step["lines"] for step in of(result("z = x", "x=3 y=1"))] == [["v̄1 = 1 the seed"]]


def test_many_operands_are_counted(result):
    r = result("z = sum([x, y, a, b, c, d, e])", "x=1 y=2 a=3 b=4 c=5 d=6 e=7")
    (step,) = of(r)
    assert len([line for line in step["lines"] if "+=" in line]) == 5
    assert "… 2 more operands" in step["lines"]
    assert_allclose(numbers(step["lines"][1]), 1)
