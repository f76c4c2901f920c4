"""NUMBERS, reverse: the tape, the order of the sweep, and runs that outlive or contain each other."""

from __future__ import annotations

import gc
import math
import operator
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import swept

from ad_magic.engine.dual import Dual
from ad_magic.engine.functions import MATH
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import LOCATED, PathChanged, Tape, forward_sweep, replay, reverse_order, reverse_sweep
from ad_magic.engine.traced import Traced


def record(program, *point, located=0):
    """A program recorded at a point: its columns, the row of its result."""
    tape = Tape(located=located)
    z = program(*(Traced.input(tape, x) for x in point))
    return tape.close(), z.index


def gradient(program, *point):
    columns, row = record(program, *point)
    adjoints = reverse_sweep(columns, {row: 1.0})
    return [adjoints[i] for i in range(len(point))]


# ---- the order of the sweep ----------------------------------------------------------------------


def blog(x):
    a = x * x
    b = a * a
    return a + b


def adjoints_in(order, columns, output):
    """The adjoint of the input when rows pass their adjoint on in the given order, each row once."""
    adjoints = [0.0] * len(columns)
    adjoints[output] = 1.0
    for row in order:
        for parent, partial in zip(columns.parents(row), columns.partials(row), strict=True):
            adjoints[parent] += partial * adjoints[row]
    return adjoints[0]


def breadth_first(columns, output):
    """The order of the blog post that started this: a queue, each row when it is first met."""
    order, queue = [], [output]
    while queue:
        row = queue.pop(0)
        if row not in order:
            order.append(row)
            queue += columns.parents(row)
    return order


def test_breadth_first_gives_6_where_the_derivative_is_114():
    """a = x*x; b = a*a; c = a + b at 3: dc/dx = 2x + 4x³ = 114. Breadth first, a passes on its adjoint before b has
    added to it: only the 1 of `a + b` arrives, times 2x."""
    columns, output = record(blog, 3.0)
    assert adjoints_in(breadth_first(columns, output), columns, output) == 6.0
    order = reverse_order([columns.parents(i) for i in range(len(columns))], output)
    assert adjoints_in(order, columns, output) == 114.0
    assert reverse_sweep(columns, {output: 1.0})[0] == 114.0
    assert forward_sweep(columns, {0: 1.0})[output] == 114.0
    assert gradient(lambda x: (x * x) * (x * x) + x * x, 3.0) == [114.0]


def test_the_order_of_the_blogs_program():
    columns, output = record(blog, 3.0)
    parents = [columns.parents(i) for i in range(len(columns))]
    assert parents == [(), (0, 0), (1, 1), (1, 2)]
    assert reverse_order(parents, output) == [3, 2, 1, 0]
    assert breadth_first(columns, output) == [3, 1, 2, 0]  # a before b: too early


@st.composite
def graphs(draw):
    """A random program: row i uses any earlier rows, some of them twice; the rows then get arbitrary numbers."""
    n = draw(st.integers(1, 30))
    parents = [tuple(draw(st.lists(st.integers(0, i - 1), max_size=4))) if i else () for i in range(n)]
    return parents, draw(st.integers(0, n - 1))


@given(graphs())
@swept
def test_the_reverse_order_is_a_topological_order_of_what_the_output_needs(graph):
    parents, output = graph
    order = reverse_order(parents, output)
    position = {row: k for k, row in enumerate(order)}
    assert len(position) == len(order)  # each row once
    needed, stack = {output}, [output]
    while stack:
        new = set(parents[stack.pop()]) - needed
        needed |= new
        stack += new
    assert set(order) == needed
    for row in order:
        for parent in parents[row]:
            assert position[row] < position[parent]


@given(graphs(), st.lists(st.floats(-2, 2), min_size=30, max_size=30))
@swept
def test_the_sweep_of_a_random_program_is_that_of_all_its_paths(graph, numbers):
    """Adjoints by the tape against the sum over all paths, the chain rule as it is defined."""
    parents, output = graph
    tape = Tape()
    nodes = []
    for i, before in enumerate(parents):
        node = Traced.input(tape, numbers[i])
        for p in before:
            node = node + nodes[p] * numbers[i]
        nodes.append(node)
    row = nodes[output].index
    inputs = [i for i, op in enumerate(tape.ops) if op is INPUT]
    adjoints = reverse_sweep(tape.close(), {row: 1.0})
    paths = [0.0] * len(parents)  # over the small graph: derivative of the output's node with respect to each input
    paths[output] = 1.0
    for i in range(output, -1, -1):
        for p in parents[i]:
            paths[p] += paths[i] * numbers[i]
    assert [adjoints[i] for i in inputs] == pytest.approx(paths, rel=1e-9, abs=1e-12)


def test_the_order_of_a_long_chain_is_found_without_recursion():
    n = 200_000
    parents = [(), *((i,) for i in range(n))]
    assert reverse_order(parents, n) == list(range(n, -1, -1))


def test_the_order_of_a_long_ladder():
    """Each row uses the two before it, so that there are more paths than atoms: still linear."""
    n = 20_000
    parents = [(), (0,), *((i - 1, i - 2) for i in range(2, n))]
    assert reverse_order(parents, n - 1) == list(range(n - 1, -1, -1))


# ---- sweeps --------------------------------------------------------------------------------------


def messy(x, y):
    s = MATH["sin"](x * y) + x / y
    for k in range(3):
        s = s * s - y**k + MATH["hypot"](s, x)
    return MATH["fma"](s, x, y) if "fma" in MATH else s * x + y


def test_sweeping_twice_is_the_same_as_sweeping_once():
    columns, row = record(messy, 1.2, 0.7)
    before = [list(columns.values), list(columns.left), list(columns.right), list(columns.ops)]
    first = reverse_sweep(columns, {row: 1.0})
    assert reverse_sweep(columns, {row: 1.0}) == first
    assert forward_sweep(columns, {0: 1.0}) == forward_sweep(columns, {0: 1.0})
    assert [columns.values, columns.left, columns.right, columns.ops] == before
    columns, row = record(lambda x: x * x, 3.0)  # micrograd says 12 the second time
    assert [reverse_sweep(columns, {row: 1.0})[0] for _ in range(3)] == [6.0, 6.0, 6.0]


def test_both_sweeps_are_linear_in_the_seed_and_adjoint_to_each_other():
    columns, row = record(messy, 1.2, 0.7)
    once = reverse_sweep(columns, {row: 1.0})
    assert reverse_sweep(columns, {row: -2.5})[0] == pytest.approx(-2.5 * once[0])
    both = forward_sweep(columns, {0: 0.3, 1: -2.0})[row]
    assert both == pytest.approx(0.3 * once[0] - 2.0 * once[1], rel=1e-13)


def test_several_outputs_add_up():
    tape = Tape()
    x = Traced.input(tape, 3.0)
    a, b = x * x, 5.0 * x
    columns = tape.close()
    assert reverse_sweep(columns, {a.index: 1.0, b.index: 10.0})[0] == 56.0
    assert reverse_sweep(columns, {a.index: 1.0})[0] == 6.0  # what comes after the output does not matter


def test_an_operand_used_twice_counts_twice():
    columns, row = record(lambda x: x * x, 3.0)
    assert columns.parents(row) == (0, 0)
    assert columns.partials(row) == (3.0, 3.0)


def test_the_adjoint_is_the_slope_of_the_output_in_a_slack_added_to_the_row():
    """Vieira's multipliers: add delta to any row, and the output moves by its adjoint times delta."""
    columns, output = record(messy, 1.2, 0.7)
    adjoints = reverse_sweep(columns, {output: 1.0})

    def output_with(slack_row, delta):
        values = []
        for i, (op, left, right) in enumerate(zip(columns.ops, columns.left, columns.right, strict=True)):
            if op is INPUT:
                value = columns.values[i]
            else:
                from ad_magic.engine.operation import value_of

                value = value_of(op.rule)(*op.arguments(left, right, values))
            values.append(value + delta * (i == slack_row))
        return values[output]

    h = 1e-6
    for row in range(len(columns)):
        measured = (output_with(row, h) - output_with(row, -h)) / (2 * h)
        assert adjoints[row] == pytest.approx(measured, rel=1e-5, abs=1e-6)


# ---- every operator, recorded --------------------------------------------------------------------

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod, operator.floordiv, operator.pow]


@pytest.mark.parametrize("operation", OPERATORS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", [3, 2.5, True])
def test_constants_on_either_side_are_recorded_as_they_are(operation, other):
    for program, plain in (
        (lambda x: operation(x, other), operation(2.25, other)),
        (lambda x: operation(other, x), operation(other, 2.25)),
    ):
        columns, row = record(program, 2.25)
        tape = Tape(limit=0)
        assert columns.values[row] == plain
        assert type(columns.values[row]) is type(plain)
        assert len(columns) == 2  # the input and one row: no row for the constant
        assert reverse_sweep(columns, {row: 1.0})[0] == program(Dual.input(tape, 2.25, 1.0)).tangent


@pytest.mark.parametrize(
    "compare", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne], ids=lambda f: f.__name__
)
def test_comparisons_give_plain_bools_and_leave_a_decision(compare):
    for other in (2, 2.5, 3.0):
        tape = Tape()
        x, y = Traced.input(tape, 2.5), Traced.input(tape, float(other))
        assert compare(x, other) is compare(2.5, other)
        assert compare(other, x) is compare(other, 2.5)
        assert compare(x, y) is compare(2.5, float(other))
        decisions = [(op.decision, value) for op, value in zip(tape.ops, tape.values, strict=True) if op is not INPUT]
        assert [d for d, _ in decisions] == [True] * 3
        assert [v for _, v in decisions] == [compare(2.5, other), compare(other, 2.5), compare(2.5, other)]


# ---- size ----------------------------------------------------------------------------------------


def test_a_million_operations():
    """y = 1.000001 y, a million times: no recursion, and the derivative is that of the power."""
    tape = Tape(located=LOCATED)
    x = y = Traced.input(tape, 1.0)
    depth = sys.getrecursionlimit()
    for _ in range(1_000_000):
        y = y * 1.000001
    columns = tape.close()
    assert len(columns) == 1_000_001
    assert len(columns.where) == LOCATED
    adjoints = reverse_sweep(columns, {y.index: 1.0})
    assert adjoints[x.index] == pytest.approx(math.exp(1e6 * math.log1p(1e-6)), rel=1e-9)
    assert sys.getrecursionlimit() == depth


@pytest.mark.parametrize(
    "step",
    [lambda y, x: y * 1.000001, lambda y, x: y + x, lambda y, x: MATH["sin"](y)],
    ids=["constant", "two numbers", "function"],
)
def test_a_long_run_takes_at_most_100_bytes_for_each_operation(step):
    """DESIGN.md, budgets: what the tape holds beyond the rows that know where they stand."""
    tape = Tape(located=LOCATED)
    x = y = Traced.input(tape, 1.0)
    for _ in range(LOCATED):
        y = step(y, x)
    n = 100_000
    gc.collect()
    tracemalloc.start()
    for _ in range(n):
        y = step(y, x)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used <= 100 * n
    assert used > 40 * n  # it was recorded at all


def test_a_dual_run_of_any_length_keeps_no_tape_beyond_its_limit():
    tape = Tape(limit=100)
    x = y = Dual.input(tape, 1.0, 1.0)
    tracemalloc.start()
    for _ in range(20_000):
        y = y * 1.0001 + x
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 100_000
    columns = tape.close()
    assert (len(columns), columns.recorded) == (100, 40_001)
    assert y.tangent == pytest.approx(y.value)  # y is linear in x = 1


# ---- closed runs ---------------------------------------------------------------------------------


def test_a_number_of_an_earlier_run_is_a_constant_in_reverse():
    """autograd says 12: L = []; grad(lambda x: (L.append(x*x), x)[1])(2.); grad(lambda x: L[0]*x)(3.)."""
    kept = []
    gradient(lambda x: (kept.append(x * x), x)[1], 2.0)
    assert gradient(lambda x: kept[0] * x, 3.0) == [4.0]
    assert gradient(lambda x: x * kept[0], 3.0) == [4.0]


def test_a_number_of_an_earlier_run_is_a_constant_forward():
    """autograd says 5 for deriv(lambda x: x + F[0])(3.) with a leaked x*x."""
    kept = []

    def derivative(program, x):
        tape = Tape(limit=0)
        number = program(Dual.input(tape, x, 1.0))
        tape.close()
        return number.tangent

    derivative(lambda x: (kept.append(x * x), x)[1], 2.0)
    assert derivative(lambda x: x + kept[0], 3.0) == 1.0
    assert derivative(lambda x: kept[0] + x, 3.0) == 1.0
    assert derivative(lambda x: kept[0] * x, 3.0) == 4.0


@pytest.fixture(params=["dual", "traced"])
def closed(request):
    """A number with value 2.5 whose run is over."""
    tape = Tape(limit=0) if request.param == "dual" else Tape()
    number = Dual.input(tape, 2.5, 1.0) if request.param == "dual" else Traced.input(tape, 2.5)
    tape.close()
    return number


ON_CLOSED = {
    "x + 1": lambda x: x + 1,
    "1 + x": lambda x: 1 + x,
    "x * x": lambda x: x * x,
    "-x": lambda x: -x,
    "abs": abs,
    "x ** 2": lambda x: x**2,
    "2 ** x": lambda x: 2**x,
    "x / 2": lambda x: x / 2,
    "x % 2": lambda x: x % 2,
    "x // 2": lambda x: x // 2,
    "x < 3": lambda x: x < 3,
    "3 < x": lambda x: x > 3,
    "x == 2.5": lambda x: x == 2.5,
    "x == x": lambda x: x == x,
    "bool": bool,
    "int": int,
    "round": round,
    "round 1": lambda x: round(x, 1),
    "divmod": lambda x: divmod(x, 2),
    "floor": math.floor,
    "sin": MATH["sin"],
    "hypot": lambda x: MATH["hypot"](x, 2.0),
    "atan2": lambda x: MATH["atan2"](x, x),
    "log base": lambda x: MATH["log"](x, 2),
    "fsum": lambda x: MATH["fsum"]([x, x]),
    "prod": lambda x: MATH["prod"]([x, x]),
    "isnan": MATH["isnan"],
    "frexp": MATH["frexp"],
    "str": str,
    "repr": repr,
    "format": lambda x: f"{x:.3f}",
    "percent": lambda x: "%.3f" % x,
    "hash": hash,
    "is_integer": lambda x: x.is_integer(),
}


@pytest.mark.parametrize("name", ON_CLOSED)
def test_a_closed_number_acts_as_its_plain_value(name, closed):
    got, want = ON_CLOSED[name](closed), ON_CLOSED[name](2.5)
    assert got == want
    assert type(got) is type(want)


@pytest.mark.parametrize("name", ["float", "math.sin", "complex", "as_integer_ratio"])
def test_a_closed_number_is_plain_to_functions_of_c(name, closed):
    function = {
        "float": float,
        "math.sin": math.sin,
        "complex": complex,
        "as_integer_ratio": lambda x: x.as_integer_ratio(),
    }[name]
    assert function(closed) == function(2.5)


def test_a_closed_number_is_not_recorded(closed):
    columns, row = record(lambda x: x * closed + closed, 3.0)
    assert len(columns) == 3
    assert reverse_sweep(columns, {row: 1.0})[0] == 2.5


def test_no_run_has_the_identity_of_another():
    ages = [Tape().age for _ in range(100)]
    assert len(set(ages)) == 100
    tape = Tape()
    assert tape.close() is tape.close()


def test_a_failing_program_leaves_the_next_run_alone():
    """autograd's trace level is not restored after an exception."""
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            gradient(lambda x: x / 0, 1.0)
    assert gradient(lambda x: x * x, 3.0) == [6.0]


# ---- runs within runs ----------------------------------------------------------------------------


def derivative_forward(f, x):
    tape = Tape(limit=0)
    z = f(Dual.input(tape, x, 1.0))
    tape.close()
    return z.tangent if type(z) is Dual and z.tape is tape else 0.0


def derivative_reverse(f, x):
    tape = Tape()
    number = Traced.input(tape, x)
    z = f(number)
    columns = tape.close()
    return reverse_sweep(columns, {z.index: 1.0})[number.index] if type(z) is Traced and z.tape is tape else 0.0


WAYS = {"forward": derivative_forward, "reverse": derivative_reverse}
nested = pytest.mark.parametrize("outer", WAYS)
within = pytest.mark.parametrize("inner", WAYS)


@nested
@within
def test_perturbations_are_not_confused(outer, inner):
    """Siskind & Pearlmutter: d/dx x * (d/dy (x + y) at 1) is d/dx x * 1 = 1, not 2."""
    D, d = WAYS[outer], WAYS[inner]
    assert D(lambda x: x * d(lambda y: x + y, 1.0), 1.0) == 1.0
    assert D(lambda x: x * d(lambda y: y * x, 2.0), 3.0) == 6.0  # x * x
    assert D(lambda x: d(lambda y: x * y * y, 4.0), 3.0) == 8.0  # 2xy


@nested
@within
def test_perturbations_are_not_confused_through_a_nonlocal(outer, inner):
    """ForwardDiff#443: the inner function keeps the outer's number; autograd's forward mode says 2."""
    D, d = WAYS[outer], WAYS[inner]

    def program(x):
        kept = 0.0

        def f(y):
            nonlocal kept
            kept = x + y if kept == 0.0 else kept
            return kept

        first = d(f, 1.0)  # 1
        second = d(f, 1.0)  # kept is a number of the run before: a constant plus x
        return x * first + 0 * x + second * x

    assert D(program, 1.0) == 1.0


@nested
@within
def test_a_number_of_an_inner_run_that_escapes_is_its_value(outer, inner):
    D, d = WAYS[outer], WAYS[inner]

    def program(x):
        escaped = []
        d(lambda y: (escaped.append(x * y), y)[1], 5.0)
        return 1 * escaped[0]  # x * 5, no longer a variable of the inner run

    assert D(program, 2.0) == 5.0


@nested
@within
@pytest.mark.parametrize(
    ("f", "second", "x"),
    [
        (lambda x: x**3, lambda x: 6 * x, 2.0),
        (lambda x: 1 / x, lambda x: 2 / x**3, 0.5),
        (MATH["sin"], lambda x: -math.sin(x), 1.0),
        (lambda x: MATH["exp"](x * x), lambda x: (2 + 4 * x * x) * math.exp(x * x), 0.7),
        (lambda x: x**x, lambda x: x**x * ((1 + math.log(x)) ** 2 + 1 / x), 1.5),
        (lambda x: MATH["log"](x, 2), lambda x: -1 / (x * x * math.log(2)), 3.0),
        (lambda x: abs(x) * x, lambda x: -2.0, -3.0),
        (lambda x: max(x, 0.0) ** 2, lambda x: 2.0, 3.0),
    ],
    ids=["cube", "reciprocal", "sin", "gauss", "x**x", "log2", "abs", "max"],
)
def test_second_derivatives_in_all_four_ways(outer, inner, f, second, x):
    assert WAYS[outer](lambda v: WAYS[inner](f, v), x) == pytest.approx(second(x), rel=1e-13)


@pytest.mark.parametrize("ways", [(a, b, c) for a in WAYS for b in WAYS for c in WAYS], ids="-".join)
def test_third_derivatives_in_all_eight_ways(ways):
    a, b, c = (WAYS[w] for w in ways)
    assert a(lambda x: b(lambda y: c(lambda v: v**4 + MATH["sin"](v), y), x), 2.0) == pytest.approx(48 - math.cos(2.0))


# ---- positions -----------------------------------------------------------------------------------


def placed(x, y):
    first = x * y + x / 2
    if first > y:
        first = MATH["sin"](first) ** 2
    wide = [
        y - 3.0,
        abs(
            first,
        ),
    ]
    return -first + wide[0] * wide[1]


def test_each_row_knows_its_expression():
    from ad_magic.cell.source import lines_of, place_of

    columns, _ = record(placed, 2.0, 5.0, located=100)
    lines = lines_of(__file__)
    texts = []
    for op, where in zip(columns.ops, columns.where, strict=True):
        if op is INPUT:
            continue
        place = place_of(*where)
        line, column, end_line, end_column = place.span
        assert place.line == line
        assert place.file == __file__
        if line == end_line:
            texts.append((op.name, lines[line - 1][column:end_column]))
        else:
            texts.append((op.name, f"{lines[line - 1].strip()} … {lines[end_line - 1].strip()}"))
    assert texts == [
        ("mul", "x * y"),
        ("div", "x / 2"),
        ("add", "x * y + x / 2"),
        ("gt", "first > y"),
        ("sin", 'MATH["sin"](first)'),
        ("pow", 'MATH["sin"](first) ** 2'),
        ("sub", "y - 3.0"),
        ("abs", "abs( … ),"),
        ("neg", "-first"),
        ("mul", "wide[0] * wide[1]"),
        ("add", "-first + wide[0] * wide[1]"),
    ]


def test_positions_within_comprehensions_lambdas_and_reflected_operators():
    from ad_magic.cell.source import lines_of, place_of

    def program(x):
        total = sum([2.0 * x for _ in range(2)], start=0)
        return (lambda t: 1 - t)(total) / x + MATH["hypot"](x, 3.0)

    columns, _ = record(program, 2.0, located=100)
    lines = lines_of(__file__)
    texts = []
    for op, where in zip(columns.ops, columns.where, strict=True):
        if op is not INPUT:
            place = place_of(*where)
            texts.append(lines[place.line - 1][place.span[1] : place.span[3]])
    assert texts == [
        "2.0 * x",
        "2.0 * x",
        "sum([2.0 * x for _ in range(2)], start=0)",
        "sum([2.0 * x for _ in range(2)], start=0)",
        "1 - t",
        "(lambda t: 1 - t)(total) / x",
        'MATH["hypot"](x, 3.0)',
        '(lambda t: 1 - t)(total) / x + MATH["hypot"](x, 3.0)',
    ]


# ---- replay --------------------------------------------------------------------------------------


@given(st.floats(-3, 3), st.floats(0.1, 3))
@swept
def test_a_replay_at_other_inputs_is_a_fresh_run(x, y):
    recorded, _ = record(messy, 1.2, 0.7)
    again = replay(recorded, {0: x, 1: y})
    fresh, row = record(messy, x, y)
    assert again.values == fresh.values
    assert reverse_sweep(again, {row: 1.0}) == reverse_sweep(fresh, {row: 1.0})
    assert again.ops is recorded.ops


def branches(x):
    if x > 2:
        y = x * x
    elif x == 1:
        y = 7 * x
    else:
        y = x + 1
    for _ in range(int(x)):
        y = y * 2
    return y + round(x)


def test_a_decision_that_comes_out_otherwise_stops_the_replay():
    columns, row = record(branches, 3.2)
    assert replay(columns, {0: 3.4}).values[row] == branches(3.4)
    for x, index in ((1.0, 1), (3.6, None), (4.2, None)):
        with pytest.raises(PathChanged) as changed:
            replay(columns, {0: x})
        if index is not None:
            assert changed.value.index == index
            assert changed.value.outcome is False


LOOKS = {
    "<": lambda x: x * 2 if x < 2 else x,
    ">=": lambda x: x * 2 if x >= 2 else x,
    "==": lambda x: x * 2 if x == 3 else x,
    "bool": lambda x: x * 2 if x - 3 else x,
    "int": lambda x: x * int(x),
    "floor": lambda x: x * math.floor(x),
    "ceil": lambda x: x * math.ceil(x),
    "trunc": lambda x: x * math.trunc(x),
    "round": lambda x: x * round(x),
    "is_integer": lambda x: x * x.is_integer(),
    "isclose": lambda x: x * MATH["isclose"](x, 3.0),
    "frexp": lambda x: x * MATH["frexp"](x)[1],
    "max": lambda x: x * (max(x, 2.0) - 2.0),
    "sorted": lambda x: x * (sorted([x, 2.0])[1] == x),
    "in": lambda x: x * (x in [3.0, 5.0]),
    "isfinite": lambda x: x * MATH["isfinite"](x),
    "isnan": lambda x: x * MATH["isnan"](x),
    "isinf": lambda x: x * MATH["isinf"](x),
}
HASHED = {
    "dict": lambda x: x * {3.0: 5.0, 1.0: 7.0}.get(x, 0.0),
    "set": lambda x: x * (x in {3.0, 5.0}),
    "format": lambda x: x * (f"{x:.0f}" == "3"),
    "hash": lambda x: x * (hash(x) == 3),
}


def check_replay_or_refusal(program, recorded_at, other):
    columns, row = record(program, recorded_at)
    fresh, fresh_row = record(program, other)
    try:
        again = replay(columns, {0: other})
    except PathChanged:
        return
    assert again.values[row] == fresh.values[fresh_row]
    assert reverse_sweep(again, {row: 1.0})[0] == reverse_sweep(fresh, {fresh_row: 1.0})[0]


POINTS = [(3.0, 1.0), (1.0, 3.0), (2.5, 3.0), (3.0, 8.0), (1.5, 1.7)]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(("here", "there"), POINTS)
def test_a_replay_is_a_fresh_run_or_refuses(look, here, there):
    check_replay_or_refusal(LOOKS[look], here, there)


@pytest.mark.parametrize("look", HASHED)
def test_a_replay_is_a_fresh_run_or_refuses_where_the_hash_or_the_text_is_looked_at(look):
    for here, there in POINTS:
        check_replay_or_refusal(HASHED[look], here, there)


def test_a_replay_is_a_fresh_run_or_refuses_where_primal_is_taken():
    from ad_magic import primal

    check_replay_or_refusal(lambda x: x * primal(x), 3.0, 4.0)


def caught(x):
    try:
        return 1 / (x - 3)
    except ZeroDivisionError:
        return x * x


def test_a_replay_is_a_fresh_run_or_refuses_where_an_exception_was_caught():
    check_replay_or_refusal(caught, 3.0, 4.0)


def test_a_replay_raises_what_the_operations_raise():
    columns, _ = record(lambda x: 1 / (x - 3), 4.0)
    with pytest.raises(ZeroDivisionError):
        replay(columns, {0: 3.0})
    columns, _ = record(MATH["log"], 4.0)
    with pytest.raises(ValueError, match="math domain error"):
        replay(columns, {0: -1.0})


def test_a_power_that_turns_complex_stops_the_replay():
    columns, _ = record(lambda x: x ** (1 / 3), 8.0)
    with pytest.raises((PathChanged, ArithmeticError, ValueError)):
        replay(columns, {0: -8.0})


@pytest.mark.parametrize("look", LOOKS)
def test_a_program_with_decisions_is_replayed_with_active_numbers(look):
    """What r.hessian() does. At 3 all of them are c * x, but max, which is x (x - 2)."""
    columns, row = record(LOOKS[look], 3.0)
    tape = Tape(limit=0)
    again = replay(columns, {0: Dual.input(tape, 3.0, 1.0)}, "active")
    adjoint = reverse_sweep(again, {row: 1.0})[0]
    from ad_magic import primal

    assert primal(adjoint) == reverse_sweep(columns, {row: 1.0})[0]
    assert getattr(adjoint, "tangent", 0.0) == (2.0 if look == "max" else 0.0)
