"""The worked examples of the literature, every number, through the real magic (research/engines.md, section 3)."""

from __future__ import annotations

import math

import numpy as np
import pytest


@pytest.fixture
def cells(cells):
    cells.plain("import math\nfrom math import sin, cos, log, exp, sqrt")
    return cells


def ten(x):
    """To the ten decimals of the tables."""
    return pytest.approx(x, rel=1e-12, abs=0.6e-10)


def table(result):
    """The rows in order: (value, tangents by seed, adjoint)."""
    return [(row.value, row.tangents, row.adjoint) for row in result.rows]


def assert_table(result, values, tangents, adjoints):
    rows = table(result)
    assert [value for value, _, _ in rows] == [ten(v) for v in values]
    for seed, column in tangents.items():
        assert [t[seed] for _, t, _ in rows] == [ten(v) for v in column]
    assert [adjoint for _, _, adjoint in rows] == [ten(v) for v in adjoints]


def in_every_mode(cells, inputs, source, value, grad):
    for mode in ("forward", "reverse", "both"):
        result = cells.grad(inputs, source, mode)
        assert result.value == ten(value)
        assert result.grad == {name: ten(v) for name, v in grad.items()}
    assert cells.grad(inputs, source, magic="tangent").grad == {name: ten(v) for name, v in grad.items()}
    assert cells.grad(inputs, source, magic="adjoint").grad == {name: ten(v) for name, v in grad.items()}


# ---- Baydin, Pearlmutter, Radul, Siskind 2018, tables 2 and 3 ------------------------------------

BAYDIN = "y = log(x1) + x1*x2 - sin(x2)"


def test_baydin(cells):
    in_every_mode(cells, "x1=2.0 x2=5.0", BAYDIN, 11.6520714552, {"x1": 5.5, "x2": 1.7163378145})


def test_baydin_every_row(cells):
    """The program's order is ln, product, sum, sine, difference; the paper's v3 is the sine, v4 the sum."""
    r = cells.grad("x1=2.0 x2=5.0", BAYDIN)
    assert [row.op for row in r.rows] == ["input", "input", "log", "mul", "add", "sin", "sub"]
    assert_table(
        r,
        [2, 5, 0.6931471806, 10, 10.6931471806, -0.9589242747, 11.6520714552],
        {"x1": [1, 0, 0.5, 5, 5.5, 0, 5.5], "x2": [0, 1, 0, 2, 2, 0.2836621855, 1.7163378145]},
        [5.5, 1.7163378145, 1, 1, 1, -1, 1],
    )
    assert [row.parents for row in r.rows] == [(), (), (0,), (0, 1), (2, 3), (1,), (4, 5)]
    assert [row.label for row in r.rows] == ["x1", "x2", None, None, None, None, "y"]


def test_baydin_in_the_papers_own_order(cells):
    """Table 2's v1 … v5, written as a program; the running sums of the reverse pass of table 3."""
    source = "v1 = log(x1)\nv2 = x1*x2\nv3 = sin(x2)\nv4 = v1 + v2\nv5 = v4 - v3"
    r = cells.grad("x1=2.0 x2=5.0", source)
    assert_table(
        r,
        [2, 5, 0.6931471806, 10, -0.9589242747, 10.6931471806, 11.6520714552],
        {"x1": [1, 0, 0.5, 5, 0, 5.5, 5.5], "x2": [0, 1, 0, 2, 0.2836621855, 2, 1.7163378145]},
        [5.5, 1.7163378145, 1, 1, -1, 1, 1],
    )
    assert r.order == [6, 5, 4, 3, 2, 1, 0]
    by_hand = [0.0] * 7
    by_hand[6] = 1.0
    steps = []
    for row in r.order:
        for parent, partial in zip(r.rows[row].parents, r.rows[row].partials, strict=True):
            by_hand[parent] += by_hand[row] * partial
            steps.append((parent, by_hand[parent]))
    want = [(5, 1), (4, -1), (2, 1), (3, 1), (1, -0.2836621855), (0, 5), (1, 1.7163378145), (0, 5.5)]
    assert steps == [(row, ten(v)) for row, v in want]


def test_the_names_and_lines_of_the_papers_rows(cells):
    source = "v1 = log(x1)\nv2 = x1*x2\nv3 = sin(x2)\nv4 = v1 + v2\nv5 = v4 - v3"
    r = cells.grad("x1=2.0 x2=5.0", source)
    assert [row.label for row in r.rows] == ["x1", "x2", "v1", "v2", "v3", "v4", "v5"]
    assert [row.line for row in r.rows[2:]] == [2, 3, 4, 5, 6]  # the magic line is line 1
    assert [source.name for source in r.sources.values()] == ["this cell"]


def test_baydin_hessian(cells):
    for mode in ("both", "reverse", "forward"):
        second = cells.grad("x1=2.0 x2=5.0", BAYDIN, mode).hessian()
        np.testing.assert_allclose(second, [[-0.25, 1.0], [1.0, -0.9589242747]], rtol=0, atol=1e-10)


# ---- Wikipedia, Automatic differentiation --------------------------------------------------------

WIKIPEDIA = "w3 = x1*x2\nw4 = sin(x1)\nz = w3 + w4"


def test_wikipedia_every_row(cells):
    r = cells.grad("x1=2.0 x2=3.0", WIKIPEDIA)
    assert_table(
        r,
        [2, 3, 6, 0.9092974268, 6.9092974268],
        {"x1": [1, 0, 3, -0.4161468365, 2.5838531635], "x2": [0, 1, 2, 0, 2]},
        [2.5838531635, 2, 1, 1, 1],
    )


def test_wikipedia_at_two_points(cells):
    in_every_mode(cells, "x1=2.0 x2=3.0", "z = x1*x2 + sin(x1)", 6.9092974268, {"x1": 2.5838531635, "x2": 2})
    in_every_mode(cells, "x1=1.0 x2=2.0", "z = x1*x2 + sin(x1)", 2.8414709848, {"x1": 2.5403023059, "x2": 1})


def test_the_code_example_of_wikipedia(cells):
    in_every_mode(cells, "x=2 y=3", "z = x*(x+y) + y*y", 19, {"x": 7, "y": 8})


# ---- micrograd's README --------------------------------------------------------------------------

MICROGRAD = """
c = a + b
d = a * b + b**3
c += c + 1
c += 1 + c + (-a)
d += d * 2 + relu(b + a)
d += 3 * d + relu(b - a)
e = c - d
f = e**2
g = f / 2.0
g += 10.0 / f
"""


def test_micrograds_readme(cells):
    cells.plain("def relu(t):\n    return t if t > 0 else 0.0 * t")
    in_every_mode(cells, "a=-4.0 b=2.0", MICROGRAD, 2421 / 98, {"a": 47620 / 343, "b": 221433 / 343})
    assert (ten(24.7040816327), ten(138.8338192420), ten(645.5772594752)) == (2421 / 98, 47620 / 343, 221433 / 343)
    names = cells.shell.user_ns
    assert [names[n] for n in "abcdef"] == [-4.0, 2.0, -1.0, 6.0, -7.0, 49.0]
    assert {type(names[n]) for n in "cdefg"} == {float}


# ---- the lecture's function ----------------------------------------------------------------------

LECTURE = "z = (x + 2*y)**2 * sin(x*y)"


@pytest.mark.parametrize(
    ("x", "y", "zx", "zy"),
    [
        (2.0, 3.0, 179.8820470657, 113.9605007489),
        (6.0, 1.0, 56.9802503744, 359.7640941314),
    ],
)
def test_the_lectures_function(cells, x, y, zx, zy):
    in_every_mode(cells, f"x={x} y={y}", LECTURE, -17.8825918847, {"x": zx, "y": zy})
    by_hand = (
        2 * (x + 2 * y) * math.sin(x * y) + y * math.cos(x * y) * (x + 2 * y) ** 2,
        4 * (x + 2 * y) * math.sin(x * y) + x * math.cos(x * y) * (x + 2 * y) ** 2,
    )
    assert by_hand == (ten(zx), ten(zy))


def test_the_lectures_function_every_row(cells):
    s, c = math.sin(6.0), math.cos(6.0)
    r = cells.grad("x=2.0 y=3.0", LECTURE)
    assert [row.op for row in r.rows] == ["input", "input", "mul", "add", "pow", "mul", "sin", "mul"]
    assert_table(
        r,
        [2, 3, 6, 8, 64, 6, s, 64 * s],
        {"x": [1, 0, 0, 1, 16, 3, 3 * c, 16 * s + 192 * c], "y": [0, 1, 2, 2, 32, 2, 2 * c, 32 * s + 128 * c]},
        [16 * s + 192 * c, 32 * s + 128 * c, 16 * s, 16 * s, s, 64 * c, 64, 1],
    )


def test_the_lectures_hessian(cells):
    x, y = 2.0, 3.0
    u, s, c = x + 2 * y, math.sin(x * y), math.cos(x * y)
    want = [
        [2 * s + 4 * u * y * c - y * y * u * u * s, 4 * s + (2 * x + 4 * y) * u * c + u * u * c - x * y * u * u * s],
        [0.0, 8 * s + 8 * u * x * c - x * x * u * u * s],
    ]
    want[1][0] = want[0][1]
    np.testing.assert_allclose(cells.grad("x=2.0 y=3.0", LECTURE).hessian(), want, rtol=1e-12)


def test_moving_from_one_point_to_the_other_is_a_fresh_run(cells):
    r = cells.grad("x=2.0 y=3.0", LECTURE)
    moved = r.at({"x": 6.0, "y": 1.0})
    assert moved.value == ten(-17.8825918847)
    assert moved.grad == {"x": ten(56.9802503744), "y": ten(359.7640941314)}
    assert r.grad["x"] == ten(179.8820470657)  # the first result stays


# ---- Domke, Vieira -------------------------------------------------------------------------------

DOMKE = "a = exp(x)\nb = a**2\nc = a + b\nd = exp(c)\ne = sin(c)\nf = d + e"


def test_domke_and_vieira(cells):
    in_every_mode(cells, "x=0.1", DOMKE, 10.9705248533, {"x": 33.9077682999})
    in_every_mode(cells, "x=0.0", DOMKE, 8.2983535258, {"x": 20.9187277872})


def test_domke_and_vieira_every_row(cells):
    r = cells.grad("x=0.1", DOMKE)
    assert [row.label for row in r.rows] == ["x", "a", "b", "c", "d", "e", "f"]
    rows = {row.label: row for row in r.rows}
    want = {
        "a": 1.1051709181,
        "b": 1.2214027582,
        "c": 2.3265736762,
        "d": 10.2427862388,
        "e": 0.7277386144,
        "f": 10.9705248533,
    }
    assert {name: rows[name].value for name in want} == {name: ten(v) for name, v in want.items()}
    want = {"f": 1, "d": 1, "e": 1, "c": 9.5569316558, "b": 9.5569316558, "a": 30.6810175198, "x": 33.9077682999}
    assert {name: rows[name].adjoint for name in want} == {name: ten(v) for name, v in want.items()}
    assert rows["f"].tangents["x"] == ten(33.9077682999)


def test_the_table_is_a_triangular_system(cells):
    """Vieira: (I - Jᵀ) λ = e_n, solved by back-substitution; NumPy's solver gives the same adjoints."""
    for source, inputs in ((DOMKE, "x=0.1"), (BAYDIN, "x1=2.0 x2=5.0"), (LECTURE, "x=2.0 y=3.0")):
        rows = cells.grad(inputs, source).rows
        n = len(rows)
        jacobian = np.zeros((n, n))
        for row in rows:
            for parent, partial in zip(row.parents, row.partials, strict=True):
                jacobian[row.index, parent] += partial
        multipliers = np.linalg.solve(np.eye(n) - jacobian.T, np.eye(n)[-1])
        np.testing.assert_allclose([row.adjoint for row in rows], multipliers, rtol=1e-12)


# ---- the blog's program, and fixed points --------------------------------------------------------


def test_breadth_first_gives_6_in_a_cell_too(cells):
    in_every_mode(cells, "x=3.0", "a = x*x\nb = a*a\nc = a + b", 90, {"x": 114})
    in_every_mode(cells, "x=3.0", "a = x*x\nb = a*a\nc = b + a", 90, {"x": 114})
    assert cells.grad("x=3.0", "a = x*x\nb = a*a\nc = a + b").order == [3, 2, 1, 0]


def test_a_fixed_point_unrolled(cells):
    """z = a cos z at a = 1; dz/da = cos z / (1 + a sin z)."""
    source = "z = 0.5*a\nfor _ in range(120):\n    z = a*cos(z)"
    in_every_mode(cells, "a=1.0", source, 0.7390851332, {"a": 0.4416107917})


def test_keplers_equation_by_newton(cells):
    source = """
E = M
while True:
    step = (E - e*sin(E) - M) / (1 - e*cos(E))
    E = E - step
    if abs(step) < 1e-14:
        break
result = E + 0.0
"""
    in_every_mode(cells, "M=1.0 e=0.5", source, 1.4987011335, {"M": 1.0373620219, "e": 1.0346672324})


def test_the_square_root_of_two_by_newton(cells):
    source = "a = x\nwhile abs(a*a - x) > 1e-12:\n    a = (a + x/a)/2\nroot = a + 0"
    in_every_mode(cells, "x=2.0", source, math.sqrt(2), {"x": 0.3535533906})


@pytest.mark.parametrize("n", [3, 10])
def test_the_product_of_n_numbers(cells, n):
    """Each derivative is the product of the others, also with a zero among them."""
    for values in ([float(k + 1) for k in range(n)], [0.0, *(float(k + 2) for k in range(n - 1))]):
        inputs = " ".join(f"x{k}={v}" for k, v in enumerate(values))
        source = "p = 1.0\nfor v in [" + ", ".join(f"x{k}" for k in range(n)) + "]:\n    p = p*v"
        want = {f"x{k}": math.prod(values[:k] + values[k + 1 :]) for k in range(n)}
        in_every_mode(cells, inputs + " --of p", source, math.prod(values), want)
