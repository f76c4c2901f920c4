"""Stand-ins for a Result, written out by hand, so that the renderers are tested without the engine."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

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

    @property
    def jacobian(self) -> Any:
        return self.grad


class Paper:
    """Rows written one after another; tangents and adjoints follow from the partials by the chain rule."""

    def __init__(self, code: str, name: str = "this cell", key: str = "cell") -> None:
        self.sources = {key: Source(name, tuple(code.split("\n")))}
        self.drafts: list[dict[str, Any]] = []
        self.key = key

    def __call__(
        self,
        expression: str,
        value: float,
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
        parents = more.pop("parents", tuple(uses or ()))
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

    def input(self, name: str, value: float) -> int:
        return self(name, value, op="input", label=name)

    def done(self, output: str, **more: Any) -> Sample:
        drafts, n = self.drafts, len(self.drafts)
        seeds = [d["expression"] for d in drafts if d["op"] == "input"]
        adjoints = [0.0] * n
        adjoints[-1] = 1.0
        for i in reversed(range(n)):
            for parent, partial in zip(drafts[i]["parents"], drafts[i]["partials"], strict=True):
                adjoints[parent] += partial * adjoints[i]
        tangents: list[dict[str, float]] = []
        for d in drafts:
            if d["op"] == "input":
                tangents.append({d["expression"]: 1.0})
                continue
            mine: dict[str, float] = {}
            for parent, partial in zip(d["parents"], d["partials"], strict=True):
                for seed, t in tangents[parent].items():
                    mine[seed] = mine.get(seed, 0.0) + partial * t
            tangents.append(mine)
        rows = [
            Row(index=i, name=f"v{i + 1}", tangents=tangents[i], adjoint=adjoints[i], **d) for i, d in enumerate(drafts)
        ]
        settings: dict[str, Any] = {
            "inputs": {d["expression"]: d["value"] for d in drafts if d["op"] == "input"},
            "outputs": (output,),
            "value": drafts[-1]["value"],
            "grad": {s: adjoints[i] for i, s in enumerate(seeds)},
            "seeds": seeds,
            "output_rows": {output: n - 1},
            "order": list(reversed(range(n))),
        }
        return Sample(rows=rows, sources=self.sources, **{**settings, **more})


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


SAMPLES = {f.__name__: f for f in (running, newton, baydin, long_loop, many_lines, with_module, hostile)}
