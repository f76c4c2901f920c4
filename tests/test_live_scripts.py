"""The scripts of a live page say what Python says, text for text: numbers, columns, arrays, sliders, curves."""

from __future__ import annotations

import math
import random
import struct

import numpy as np
import pytest
from node import needs_node, run

from ad_magic.report import array, cells, curves, figure, grid, second, strip
from ad_magic.report.live import runtime
from ad_magic.report.markup import squeezed
from ad_magic.report.number import align, number

pytestmark = needs_node
SCRIPT = runtime("second")


def some_floats(count: int, seed: int) -> list[float]:
    """Numbers of every kind: any bit pattern, everyday ones, round ones, ties of rounding, the special ones."""
    rng = random.Random(seed)
    found = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]
    for k in range(count):
        sign = rng.choice((1, -1))
        match k % 5:
            case 0:
                found.append(struct.unpack("d", rng.randbytes(8))[0])
            case 1:
                found.append(sign * rng.random() * 10.0 ** rng.randint(-9, 12))
            case 2:
                found.append(sign * round(rng.random() * 1000, rng.randint(0, 5)))
            case 3:  # exactly between two numbers of six digits (or of one, two, …)
                found.append(sign * (rng.randrange(10 ** rng.randint(1, 7)) + 0.5) * 2.0 ** rng.randint(-3, 3))
            case 4:
                found.append(sign * 0.5 ** rng.randint(1, 40) * rng.randrange(1, 2**12))
    return found


@pytest.mark.parametrize("digits", [1, 2, 4, 6, 12, 15, 17])
def test_numbers_have_the_same_text(digits):
    values = some_floats(4000, digits)
    got = run(SCRIPT, f"data.map((x) => number(x, {digits}))", values)
    wrong = [(x, number(x, digits), text) for x, text in zip(values, got, strict=True) if number(x, digits) != text]
    assert not wrong, wrong[:5]


def test_a_tie_of_rounding_goes_to_the_even_digit():
    assert run(SCRIPT, "data.map((x) => number(x, 6))", [100000.5, 100001.5, 2.5, -1000002.5]) == [
        "100000",
        "100002",
        "2.5",
        "−1e6",
    ]


def test_a_column_is_aligned_alike_and_keeps_the_width_it_has_had():
    rng = random.Random(1)
    columns = [[number(x) for x in rng.sample(some_floats(200, 3), rng.randint(1, 9))] for _ in range(400)]
    assert run(SCRIPT, "data.map((texts) => align(texts, ' '))", columns) == [align(texts) for texts in columns]
    kept = run(SCRIPT, "((room) => data.map((texts) => align(texts, ' ', room)))({ left: 0, right: 0 })", columns)
    widths = [len(lines[0]) for lines in kept]
    assert widths == sorted(widths)
    assert all(len(set(map(len, lines))) == 1 for lines in kept)


SHAPES = [
    (1,),
    (3,),
    (4,),
    (7,),
    (30,),
    (1, 1),
    (2, 2),
    (2, 1),
    (1, 3),
    (3, 3),
    (5, 2),
    (12, 9),
    (40, 30),
    (2, 3, 4),
    (4, 1, 5),
]


def some_arrays():
    rng = np.random.default_rng(5)
    for shape in SHAPES:
        yield rng.normal(size=shape) * 10.0 ** rng.integers(-5, 6)
        yield rng.integers(-3, 4, shape).astype(float)
        spoilt = rng.normal(size=shape)
        spoilt.flat[rng.integers(spoilt.size)] = rng.choice([np.nan, np.inf, -np.inf])
        yield spoilt
    yield np.zeros((2, 3))


@pytest.mark.parametrize(
    ("script", "python"),
    [
        ("stripOf(a)", lambda a: strip.cells(array.pooled(a, strip.ROWS, strip.COLUMNS))),
        ("titleOf(a)", lambda a: cells.title(a).replace("&#x27;", "'")),
        ("described(a)", array.described),
        ("blockOf(a, 6, ' ')", lambda a: array.block(a, 6)),
        ("oneLine(a, 6)", array.one_line),
        ("brief(a, 6)", array.brief),
        ("[isSmall(a), isShort(a)]", lambda a: [array.is_small(a), array.is_short(a)]),
        ("a.shape.length === 2 && Math.max(...a.shape) <= BLOCK ? bracketed(a, 6) : []",
         lambda a: array.bracketed(a) if a.ndim == 2 and max(a.shape) <= 4 else []),
        ("number(norm(a), 12)", lambda a: number(array.norm(a), 12)),
    ],
)  # fmt: skip
def test_arrays_are_described_alike(script, python):
    arrays = list(some_arrays())
    data = [{"shape": list(a.shape), "data": a.ravel().tolist()} for a in arrays]
    for a, got in zip(arrays, run(SCRIPT, f"data.map((a) => {script})", data), strict=True):
        assert got == python(a), a


def some_grids():
    rng = random.Random(7)
    for _ in range(300):
        yield grid.around(rng.choice((1, -1)) * rng.random() * 10.0 ** rng.randint(-12, 12))
        lo = round(rng.uniform(-100, 100), rng.randint(0, 4))
        yield grid.given((lo, lo + round(rng.uniform(0.01, 50), 2), rng.choice((None, 0.5, 0.01))))
    yield grid.around(0.0)
    yield grid.around(1e300)


def test_sliders_stand_for_the_same_values():
    rng = random.Random(2)
    pairs = [(g, k) for g in some_grids() for k in {0, 1, g.steps // 3, g.steps - 1, g.steps, rng.randint(0, g.steps)}]
    data = [[{"lo": g.lo, "hi": g.hi, "steps": g.steps}, k] for g, k in pairs]
    assert run(SCRIPT, "data.map(([g, k]) => gridValue(g, k))", data) == [g.value(k) for g, k in pairs]
    back = run(SCRIPT, "data.map(([g, k]) => gridIndex(g, gridValue(g, k)))", data)
    assert back == [g.index(g.value(k)) for g, k in pairs]
    halves = [(g, g.lo + (g.hi - g.lo) * (k + 0.5) / g.steps) for g, k in pairs]
    data = [[{"lo": g.lo, "hi": g.hi, "steps": g.steps}, x] for g, x in halves]
    assert run(SCRIPT, "data.map(([g, x]) => gridIndex(g, x))", data) == [g.index(x) for g, x in halves]


def test_a_range_that_is_too_short_gets_longer_alike():
    rng = random.Random(3)
    pairs = [(g, g.lo + (g.hi - g.lo) * rng.uniform(-3, 4)) for g in some_grids() for _ in range(3)]
    data = [[{"lo": g.lo, "hi": g.hi, "steps": g.steps}, x] for g, x in pairs]
    expected = [{"lo": g.lo, "hi": g.hi, "steps": g.steps} for g in (grid.widen(g, x) for g, x in pairs)]
    assert run(SCRIPT, "data.map(([g, x]) => widen(g, x))", data) == expected


# ---------------------------------------------------------------------------------------------------------- curves

PROGRAMS = {  # f and f' at a point, in Python and in JavaScript; None where the program would decide otherwise
    "sine": (lambda x: (math.sin(3 * x), 3 * math.cos(3 * x)), "[Math.sin(3 * x), 3 * Math.cos(3 * x)]"),
    "corner": (lambda x: (abs(x - 0.3), 1.0 if x > 0.3 else -1.0), "[Math.abs(x - 0.3), x > 0.3 ? 1 : -1]"),
    "steps": (lambda x: (float(math.floor(x)), 0.0), "[Math.floor(x), 0]"),
    "branch": (lambda x: (x * x, 2 * x) if x > 0.25 else None, "x > 0.25 ? [x * x, 2 * x] : null"),
    "pole": (lambda x: (1 / x, -1 / (x * x)) if x else (math.inf, -math.inf), "[1 / x, -1 / (x * x)]"),
    "flat": (lambda x: (2.0, 0.0), "[2, 0]"),
    "edge": (lambda x: (math.sqrt(x), 0.5 / math.sqrt(x)) if x > 0 else (math.nan, math.nan),
             "x > 0 ? [Math.sqrt(x), 0.5 / Math.sqrt(x)] : [NaN, NaN]"),
    "dust": (lambda x: (2e-17 if x > 0.5 else 0.0, 0.0) if x < 1 else (x - 1, 1.0),
             "x < 1 ? [x > 0.5 ? 2e-17 : 0, 0] : [x - 1, 1]"),
    "tiny": (lambda x: (1e-9 * x**3, 3e-9 * x**2), "[1e-9 * x ** 3, 3e-9 * x ** 2]"),
}  # fmt: skip


def sampled(name: str, lo: float = -1.0, hi: float = 2.0, at: float = 0.7) -> curves.Curve:
    program = PROGRAMS[name][0]

    def look(points):
        found = [program(x) for x in points]
        lost = (math.nan, math.nan)
        return curves.Seen(
            [(f or lost)[0] for f in found], [(f or lost)[1] for f in found], [f is not None for f in found]
        )

    return curves.sampled(look, curves.Frame("z", "∂z/∂x", "x", lo, hi), at, *program(at))


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("span", [(-1.0, 2.0), (0.0, 1.0), (-0.4, 8.6)])
def test_a_curve_is_drawn_alike_by_python_and_by_the_page(name, span):
    c = sampled(name, *span)
    assert run(SCRIPT, "drawCurve(data)", figure.data(c)) == figure.drawing(c)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "sine"])  # Math.sin need not be libm's
def test_the_page_samples_and_marks_as_python_does(name):
    look = f"""(points) => {{
        const found = points.map((x) => {PROGRAMS[name][1]});
        const part = (k) => found.map((f) => (f ?? [NaN, NaN])[k]);
        return {{ values: part(0), slopes: part(1), valid: found.map((f) => f !== null) }};
    }}"""
    c = sampled(name)
    data = figure.data(c)
    frame = {key: data[key] for key in ("head", "slope_head", "name", "lo", "hi", "digits")}
    answered = """(steps, look) => {
        let next = steps.next();
        while (!next.done) next = steps.next(look(next.value));
        return next.value;
    }"""
    got = run(SCRIPT, f"({answered})(curveSteps(data.frame), {look})", {"frame": frame})
    assert got["marks"] == data["marks"]
    assert got["elsewhere"] == [list(pair) for pair in data["elsewhere"]]
    assert got["note"] == data["note"]
    assert got["xs"] == data["xs"]
    np.testing.assert_allclose(got["values"], data["values"], rtol=1e-14)


def test_a_script_without_its_blanks_is_the_same_script():
    code = """
    const a = (x) => `${x + `in ${1 - -x} "quotes"`} // no comment`; // it's one
    const b = { c : "a  b", d : 'x // y' };
    const e = - - 2 + + 3, f = e / 2, g = /\\d+/.test("12");
    """
    short = squeezed(code)
    assert "no comment" in short and "it's" not in short and len(short) < len(code) - 50
    assert run(code, "[a(1), b, e, f, g]", None) == run(short, "[a(1), b, e, f, g]", None)


def some_hessians():
    """(gradient, Hessian, point): of every sign and size, with repeated and vanishing eigenvalues, with NaN."""
    rng = np.random.default_rng(11)
    for n in (1, 2, 3, 5, 8, 12):
        for kind in range(6):
            turn = np.linalg.qr(rng.normal(size=(n, n)))[0]
            values = rng.normal(size=n) * 10.0 ** rng.integers(-6, 7)
            values = [values, np.abs(values), -np.abs(values), np.where(values > 0, values, 0.0), values * 0, values][
                kind
            ]
            values = np.full(n, values[0]) if kind == 5 else values
            gradient = rng.normal(size=n) * (kind % 2) * np.abs(values).max()
            yield gradient, turn @ np.diag(values) @ turn.T, rng.normal(size=n)
    yield np.ones(2), np.array([[1.0, np.nan], [np.nan, np.inf]]), np.ones(2)
    yield np.zeros(2), np.array([[0.0, 1e200], [1e200, 0.0]]), np.ones(2)


def test_a_hessian_is_described_alike():
    points = list(some_hessians())
    data = [[g.tolist(), ((h + h.T) / 2).tolist(), x.tolist()] for g, h, x in points]
    for (g, h, x), got in zip(points, run(SCRIPT, "data.map((one) => secondOf(...one))", data), strict=True):
        s = second.of_numbers("f", "f", [f"x{k}" for k in range(len(g))], g, (h + h.T) / 2, x, [])
        scale = float(np.abs(h).max())
        assert got["words"] == s.words and got["more"] == s.left_out()
        assert len(got["eigenvalues"]) == len(s.listed())
        for a, b in zip(got["eigenvalues"], s.listed(), strict=True):
            assert a == b or abs(a - b) <= 1e-12 * scale
