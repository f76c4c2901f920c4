"""Stand-ins for a Result, written out by hand, so that the renderers are tested without the engine."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from ad_magic.report.row import Flag, Row, Source


@dataclass
class Sample:
    """What a renderer reads of a Result."""

    rows: list[Row]
    sources: dict[str, Source]
    inputs: dict[str, Any]
    outputs: tuple[str, ...]
    value: Any
    grad: Any
    seeds: list[str]
    mode: str = "both"
    omitted: int = 0
    flags: list[Flag] = field(default_factory=list)
    output_rows: dict[str, int | None] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    output_label: str | None = None
    up_to: int = 1
    run: Any = field(default_factory=lambda: SimpleNamespace(fixed={}))

    @property
    def jacobian(self) -> Any:
        return self.grad


class Paper:
    """Rows written one after another; tangents and adjoints follow from the partials by the chain rule.

    An operation on arrays has functions in the place of partials: `push` from a parent's tangent, `pull` from the
    row's adjoint.
    """

    def __init__(self, code: str, name: str = "this cell", key: str = "cell") -> None:
        self.sources = {key: Source(name, tuple(code.split("\n")))}
        self.drafts: list[dict[str, Any]] = []
        self.key = key

    def __call__(
        self,
        expression: str,
        value: Any,
        uses: dict[int, float] | None = None,
        line: int | None = None,
        at: str | None = None,
        **more: Any,
    ) -> int:
        """Write a row down; `uses` maps parents to partials, `at` is its text in the line, for the span."""
        source = more.pop("source", self.key if line is not None else None)
        span = more.pop("span", None)
        if at is not None and line is not None:
            start = self.sources[source].lines[line - 1].index(at)
            span = (line, start, line, start + len(at))
        parents = more.pop("parents", tuple(uses or more.get("pull", ())))
        slopes = more.pop("partials", tuple((uses or {}).values()))
        self.drafts.append(
            {
                "expression": expression,
                "value": value,
                "parents": parents,
                "partials": slopes,
                "line": line,
                "source": source,
                "span": span,
                "op": more.pop("op", "op"),
                **more,
            }
        )
        return len(self.drafts) - 1

    def input(self, name: str, value: Any) -> int:
        return self(name, value, op="input", label=name)

    def done(self, output: str, **more: Any) -> Sample:
        drafts, n = self.drafts, len(self.drafts)
        pushes, pulls = ([self._functions(d, d.pop(kind, None)) for d in drafts] for kind in ("push", "pull"))
        adjoints: list[Any] = [0.0 * d["value"] for d in drafts]
        adjoints[-1] = adjoints[-1] + 1.0
        for i in reversed(range(n)):
            for parent, pull in pulls[i]:
                adjoints[parent] = adjoints[parent] + pull(adjoints[i])
        tangents: list[dict[str, Any]] = []
        for d, functions in zip(drafts, pushes, strict=True):
            mine: dict[str, Any] = dict(_basis(d["expression"], d["value"])) if d["op"] == "input" else {}
            for parent, push in functions:
                for seed, t in tangents[parent].items():
                    mine[seed] = mine.get(seed, 0.0) + push(t)
            tangents.append(mine)
        first = sorted({seed: 0 for mine in tangents for seed in mine}, key=lambda seed: "[" in seed)[:16]
        tangents = [{seed: t for seed, t in mine.items() if seed in first} for mine in tangents]  # as a Result has them
        plain = not getattr(drafts[-1]["value"], "shape", ())
        rows = [
            Row(index=i, name=f"v{i + 1}", tangents=tangents[i], adjoint=adjoints[i] if plain else None, **d)
            for i, d in enumerate(drafts)
        ]
        inputs = [d["expression"] for d in drafts if d["op"] == "input"]
        seeds = [
            seed for d in drafts if d["op"] == "input" for seed, _ in _basis(d["expression"], d["value"], limit=None)
        ]
        settings: dict[str, Any] = {
            "inputs": {d["expression"]: d["value"] for d in drafts if d["op"] == "input"},
            "outputs": (output,),
            "value": drafts[-1]["value"],
            "grad": {name: adjoints[i] for i, name in enumerate(inputs)},
            "seeds": seeds,
            "output_rows": {output: n - 1},
            "order": list(reversed(range(n))),
        }
        return Sample(rows=rows, sources=self.sources, **{**settings, **more})

    def _functions(self, draft: dict[str, Any], functions: dict[int, Any] | None) -> list[tuple[int, Any]]:
        if functions is not None:
            return list(functions.items())
        return [
            (parent, lambda x, partial=partial: partial * x)
            for parent, partial in zip(draft["parents"], draft["partials"], strict=True)
        ]


def _basis(name: str, value: Any, limit: int | None = 16) -> list[tuple[str, Any]]:
    """The seeds of an input with their directions."""
    if not getattr(value, "shape", ()):
        return [(name, 1.0)]
    found = []
    for position in list(np.ndindex(value.shape))[:limit]:
        direction = np.zeros(value.shape)
        direction[position] = 1.0
        found.append((f"{name}[{', '.join(map(str, position))}]", direction))
    return found


def running(**more: Any) -> Sample:
    """z = (x + 2y)² sin(xy) at (2, 3), in three lines."""
    p = Paper("%%grad x=2.0 y=3.0\nv = x + 2*y\nw = x*y\nz = v**2 * math.sin(w)")
    x, y = p.input("x", 2.0), p.input("y", 3.0)
    a = p("2 * v2", 6.0, {y: 2.0}, 2, "2*y", op="mul")
    v = p("v1 + v3", 8.0, {x: 1.0, a: 1.0}, 2, "x + 2*y", op="add", label="v")
    w = p("v1 * v2", 6.0, {x: 3.0, y: 2.0}, 3, "x*y", op="mul", label="w")
    q = p("v4 ** 2", 64.0, {v: 16.0}, 4, "v**2", op="pow")
    s = p("sin(v5)", math.sin(6.0), {w: math.cos(6.0)}, 4, "math.sin(w)", op="sin")
    p("v6 * v7", 64 * math.sin(6.0), {q: math.sin(6.0), s: 64.0}, 4, "v**2 * math.sin(w)", op="mul", label="z")
    return p.done("z", **more)


def newton(steps: int = 6) -> Sample:
    """Newton's method for the square root of a, three lines in a loop."""
    p = Paper(f"%%grad a=2.0\nx = a\nfor _ in range({steps}):\n    f = x*x - a\n    d = 2*x\n    x = x - f/d")
    i = p.input("a", 2.0)
    a = x = 2.0
    ix = i
    for _ in range(steps):
        sq = p(f"v{ix + 1} * v{ix + 1}", x * x, None, 4, "x*x", op="mul", parents=(ix, ix), partials=(x, x))
        f = p(f"v{sq + 1} - v{i + 1}", x * x - a, {sq: 1.0, i: -1.0}, 4, "x*x - a", op="sub", label="f")
        d = p(f"2 * v{ix + 1}", 2 * x, {ix: 2.0}, 5, "2*x", op="mul", label="d")
        fv, dv = x * x - a, 2 * x
        q = p(f"v{f + 1} / v{d + 1}", fv / dv, {f: 1 / dv, d: -fv / dv**2}, 6, "f/d", op="div")
        ix2 = p(f"v{ix + 1} - v{q + 1}", x - fv / dv, {ix: 1.0, q: -1.0}, 6, "x - f/d", op="sub", label="x")
        x, ix = x - fv / dv, ix2
    return p.done("x")


def baydin() -> Sample:
    """y = ln(x1) + x1 x2 - sin(x2) at (2, 5): Baydin et al. 2018, tables 2 and 3."""
    p = Paper("%%grad x1=2.0 x2=5.0\ny = log(x1) + x1*x2 - sin(x2)")
    x1, x2 = p.input("x1", 2.0), p.input("x2", 5.0)
    a = p("log(v1)", math.log(2), {x1: 0.5}, 2, "log(x1)", op="log")
    b = p("v1 * v2", 10.0, {x1: 5.0, x2: 2.0}, 2, "x1*x2", op="mul")
    c = p("v3 + v4", math.log(2) + 10, {a: 1.0, b: 1.0}, 2, "log(x1) + x1*x2", op="add")
    s = p("sin(v2)", math.sin(5), {x2: math.cos(5)}, 2, "sin(x2)", op="sin")
    p("v5 - v6", math.log(2) + 10 - math.sin(5), {c: 1.0, s: -1.0}, 2, "log(x1) + x1*x2 - sin(x2)", op="sub", label="y")
    return p.done("y")


def long_loop(steps: int = 250) -> Sample:
    """A loop of two operations in two lines: 500 operations at 250 steps."""
    p = Paper(f"%%grad x=1.0\ns = x\nfor i in range({steps}):\n    t = s*0.9\n    s = t + x")
    x = p.input("x", 1.0)
    s, value = x, 1.0
    for _ in range(steps):
        t = p(f"v{s + 1} * 0.9", value * 0.9, {s: 0.9}, 4, "s*0.9", op="mul", label="t")
        value = value * 0.9 + 1.0
        s = p(f"v{t + 1} + v1", value, {t: 1.0, x: 1.0}, 5, "t + x", op="add", label="s")
    return p.done("s")


def many_lines(lines: int = 120) -> Sample:
    """A straight program of many different lines."""
    p = Paper("%%grad x=1.0\n" + "\n".join(f"a{i} = a{i - 1} * 1.01" for i in range(1, lines + 1)))
    last, value = p.input("x", 1.0), 1.0
    for i in range(1, lines + 1):
        value *= 1.01
        last = p(f"v{last + 1} * 1.01", value, {last: 1.01}, i + 1, f"a{i - 1} * 1.01", op="mul", label=f"a{i}")
    return p.done(f"a{lines}")


def with_module() -> Sample:
    """A function of the user's own module, called twice in one line of the cell."""
    p = Paper("%%grad x=3.0\ny = square(2*x) + square(x)")
    p.sources["mod"] = Source("mymodule.py", ("", "def square(u):", "    return u * u"))
    x = p.input("x", 3.0)
    d = p("2 * v1", 6.0, {x: 2.0}, 2, "2*x", op="mul")
    a = p("v2 * v2", 36.0, None, 3, "u * u", op="mul", source="mod", parents=(d, d), partials=(6.0, 6.0))
    b = p("v1 * v1", 9.0, None, 3, "u * u", op="mul", source="mod", parents=(x, x), partials=(3.0, 3.0))
    p("v3 + v4", 45.0, {a: 1.0, b: 1.0}, 2, "square(2*x) + square(x)", op="add", label="y")
    return p.done("y")


def hostile() -> Sample:
    """A cell full of markup, with numbers that are hard to write, and flags."""
    p = Paper(
        "%%grad x=0.0\ny = x*f('<img src=x onerror=alert(1)>') | {'a_b': 100%3, \"q\": `$#&~^\\`}\nz = log(y) <b>"
    )
    x = p.input("x", 0.0)
    flag = Flag("nan", "<script>alert(1)</script> log of 0", 3, 2)
    y = p("v1 * f('<img src=x onerror=alert(1)>')", 0.0, {x: 1e-8}, 2, op="mul", label="y", span=(2, 4, 2, 9))
    p("log(v2)", -math.inf, {y: math.inf}, 3, op="log", label="z", span=(3, 4, 3, 10), flags=(flag,))
    return p.done("z", flags=[flag], grad={"x": math.nan})


# ---- arrays --------------------------------------------------------------------------------------


def norm_of_vector() -> Sample:
    """A small vector and a number: every entry stands in the table."""
    p = Paper("%%grad x y=2.0\nu = y * np.sin(x)\nz = u @ u")
    a = np.array([1.0, -20.5, 0.25])
    x, y = p.input("x", a), p.input("y", 2.0)
    sine, cosine = np.sin(a), np.cos(a)
    s = p("np.sin(v1)", sine, None, 2, "np.sin(x)", op="sin",
          push={x: lambda t: cosine * t}, pull={x: lambda g: cosine * g}, partials=(cosine,))  # fmt: skip
    u = p("v2 * v3", 2.0 * sine, None, 2, "y * np.sin(x)", op="mul", label="u",
          push={y: lambda t: sine * t, s: lambda t: 2.0 * t},
          pull={y: lambda g: float(sine @ g), s: lambda g: 2.0 * g})  # fmt: skip
    p("v4 @ v4", float(4.0 * sine @ sine), None, 3, "u @ u", op="matmul", label="z",
      parents=(u, u), push={u: lambda t: float(4.0 * sine @ (t + np.zeros(3)))},
      pull={u: lambda g: 4.0 * sine * g})  # fmt: skip
    return p.done("z")


def perceptron(batch: int = 64, hidden: int = 16) -> Sample:
    """The loss of a small perceptron: matrices that must be summed up, and one number among them."""
    lines = ["h = np.tanh(X @ W + b)", "p = h @ w", "loss = np.mean((p - t)**2) + lam * np.sum(W**2)"]
    p = Paper("%%grad W b w lam=0.01\n" + "\n".join(lines))
    random = np.random.default_rng(1)
    X, T = random.normal(size=(batch, 2)), random.normal(size=batch)
    A, B, C = random.normal(size=(2, hidden)), random.normal(size=hidden) / 9, random.normal(size=hidden)
    W, b, w, lam = p.input("W", A), p.input("b", B), p.input("w", C), p.input("lam", 0.01)
    m = p("X @ v1", X @ A, None, 2, "X @ W", op="matmul", push={W: lambda t: X @ t}, pull={W: lambda g: X.T @ g})
    s = p("v5 + v2", X @ A + B, None, 2, "X @ W + b", op="add",
          push={m: lambda t: t, b: lambda t: t + 0 * X @ A}, pull={m: lambda g: g, b: lambda g: g.sum(0)})  # fmt: skip
    H = np.tanh(X @ A + B)
    h = p("np.tanh(v6)", H, None, 2, "np.tanh(X @ W + b)", op="tanh", label="h",
          push={s: lambda t: (1 - H**2) * t}, pull={s: lambda g: (1 - H**2) * g}, partials=(1 - H**2,))  # fmt: skip
    o = p("v7 @ v3", H @ C, None, 3, "h @ w", op="matmul", label="p",
          push={h: lambda t: t @ C, w: lambda t: H @ t},
          pull={h: lambda g: np.outer(g, C), w: lambda g: H.T @ g})  # fmt: skip
    E = H @ C - T
    d = p("v8 - t", E, None, 4, "p - t", op="sub", push={o: lambda t: t}, pull={o: lambda g: g})
    q = p("v9 ** 2", E**2, None, 4, "(p - t)**2", op="pow",
          push={d: lambda t: 2 * E * t}, pull={d: lambda g: 2 * E * g}, partials=(2 * E,))  # fmt: skip
    e = p("np.mean(v10)", float(np.mean(E**2)), None, 4, "np.mean((p - t)**2)", op="mean",
          push={q: lambda t: float(np.mean(t))}, pull={q: lambda g: g / batch + 0 * E})  # fmt: skip
    W2 = p("v1 ** 2", A**2, None, 4, "W**2", op="pow", push={W: lambda t: 2 * A * t}, pull={W: lambda g: 2 * A * g})
    f = p("np.sum(v12)", float(np.sum(A**2)), None, 4, "np.sum(W**2)", op="sum",
          push={W2: lambda t: float(np.sum(t))}, pull={W2: lambda g: g + 0 * A})  # fmt: skip
    r = p(
        "v4 * v13", 0.01 * float(np.sum(A**2)), {lam: float(np.sum(A**2)), f: 0.01}, 4, "lam * np.sum(W**2)", op="mul"
    )
    p(
        "v11 + v14",
        float(np.mean(E**2) + 0.01 * np.sum(A**2)),
        {e: 1.0, r: 1.0},
        4,
        lines[2][7:],
        op="add",
        label="loss",
    )
    return p.done("loss")


def rotation() -> Sample:
    """An array for an output: rotated points, their Jacobian, and writing in place."""
    p = Paper("%%grad t=0.5 c --of q\nR = np.array([[cos(t), -sin(t)], [sin(t), cos(t)]])\nq = R @ c\nq[0] += t**2")
    t0, c0 = 0.5, np.array([3.0, -1.0])
    cos, sin = math.cos(t0), math.sin(t0)
    t, c = p.input("t", t0), p.input("c", c0)
    a = p("cos(v1)", cos, {t: -sin}, 2, "cos(t)", op="cos")
    b = p("sin(v1)", sin, {t: cos}, 2, "sin(t)", op="sin")
    matrix, turn = np.array([[cos, -sin], [sin, cos]]), np.array([[0.0, -1.0], [1.0, 0.0]])
    R = p("np.array([[v3, -v4], [v4, v3]])", matrix, None, 2, op="array", label="R",
          push={a: lambda x: x * np.eye(2), b: lambda x: x * turn},
          pull={a: lambda g: g.trace(), b: lambda g: g[1, 0] - g[0, 1]})  # fmt: skip
    q = p("v5 @ v2", matrix @ c0, None, 3, "R @ c", op="matmul", label="q",
          push={R: lambda x: x @ c0, c: lambda x: matrix @ x},
          pull={R: lambda g: np.outer(g, c0), c: lambda g: matrix.T @ g})  # fmt: skip
    s = p("v1 ** 2", t0**2, {t: 2 * t0}, 4, "t**2", op="pow")
    first = np.array([1.0, 0.0])
    p("v6[0] += v7", matrix @ c0 + first * t0**2, None, 4, "q[0] += t**2", op="write", label="q",
      push={q: lambda x: x, s: lambda x: x * first}, pull={q: lambda g: g, s: lambda g: g[0]})  # fmt: skip
    slopes = matrix @ turn @ c0 + first * 2 * t0
    return p.done("q", grad={"t": slopes, "c": matrix})


def stencil(n: int = 40, steps: int = 5) -> Sample:
    """A heat equation, in place in a loop; one entry has gone NaN and one infinite."""
    p = Paper(f"%%grad u k=0.2\nfor _ in range({steps}):\n    u[1:-1] += k * np.diff(u, 2)\nE = np.sum(u)")
    value = np.exp(-(np.linspace(-3, 3, n) ** 2))
    u, k = p.input("u", value.copy()), p.input("k", 0.2)
    for _ in range(steps):
        d2 = np.diff(value, 2)
        d = p(f"np.diff(v{u + 1}, 2)", d2, None, 3, "np.diff(u, 2)", op="diff",
              push={u: lambda t: np.diff(t + np.zeros(n), 2)},
              pull={u: lambda g: np.convolve(g, [1.0, -2.0, 1.0])})  # fmt: skip
        m = p(f"v{k + 1} * v{d + 1}", 0.2 * d2, None, 3, "k * np.diff(u, 2)", op="mul",
              push={k: lambda t, d2=d2: t * d2, d: lambda t: 0.2 * t},
              pull={k: lambda g, d2=d2: float(g @ d2), d: lambda g: 0.2 * g})  # fmt: skip
        value = value + np.pad(0.2 * d2, 1)
        u = p(f"u[1:-1] += v{m + 1}", value, None, 3, "u[1:-1] += k * np.diff(u, 2)", op="write", label="u",
              push={u: lambda t: t, m: lambda t: np.pad(t, 1)},
              pull={u: lambda g: g, m: lambda g: g[1:-1]})  # fmt: skip
    p(f"np.sum(v{u + 1})", float(value.sum()), None, 4, "np.sum(u)", op="sum", label="E",
      push={u: lambda t: float(np.sum(t))}, pull={u: lambda g: g + np.zeros(n)})  # fmt: skip
    sample = p.done("E")
    bad = sample.rows[3].value.copy()
    bad[7:9] = math.nan, math.inf
    sample.rows[3] = replace(sample.rows[3], value=bad, flags=(Flag("nan", "the value of v4 is NaN", 3, 3),))
    return sample


def odd_shapes() -> Sample:
    """No entries, one entry, one column, three axes, complex numbers, an adjoint that is zero, an unknown one."""
    p = Paper("%%grad a\n" + "\n".join(f"b{i} = f{i}(a)" for i in range(7)))
    a = p.input("a", np.linspace(-1, 1, 24).reshape(2, 3, 4))
    values = [np.zeros((0, 3)), np.array([[1e-8]]), np.linspace(-2, 5, 30).reshape(30, 1), np.zeros((5, 2)),
              np.exp(1j * np.arange(5.0)), np.array([1 + 2j, -1j]), np.float64(2.5)]  # fmt: skip
    for i, value in enumerate(values):
        p(
            f"f{i}(v1)",
            value,
            None,
            i + 2,
            f"f{i}(a)",
            op="f",
            label=f"b{i}",
            parents=(a,),
            partials=(),
            push={},
            pull={},
        )
    return p.done("b6")


SAMPLES = {f.__name__: f for f in (running, newton, baydin, long_loop, many_lines, with_module, hostile)}
ARRAYS = {f.__name__: f for f in (norm_of_vector, perceptron, rotation, stencil, odd_shapes)}
SAMPLES |= ARRAYS
