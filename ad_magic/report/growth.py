"""How the cost of a derivative grows with the number of inputs: a program of n numbers, counted for several n.

The picture has both axes to powers of ten: what is in proportion to n is a line that rises by one decade in one, and
what does not grow is level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ad_magic.engine.words import kind_of, name_of

from .cost import Cost, counted
from .markup import esc, standing_alone
from .number import number
from .tabular import Small, html, markdown, text

SHOWN = ("forward", "reverse", "differences")
HEADS = {"forward": "forward mode", "reverse": "reverse mode", "differences": "central differences"}
KINDS = {"forward": "ad-forward", "reverse": "ad-reverse", "differences": "ad-plain"}
NOTE = "The last three columns: operations of f and its gradient, relative to those of f."
WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 480, 250, 46, 148, 26, 40


@dataclass(frozen=True)
class Growth:
    """The costs of a program by the number of its inputs: `costs[n]`."""

    name: str
    costs: dict[int, Cost]

    def to_text(self) -> str:
        """As aligned text."""
        return f"{text(self._table())}\n\n{NOTE}"

    def to_html(self) -> str:
        """The picture and the table, as HTML that stands within a report."""
        return f'<div class="ad-figures">{self.to_svg()}</div>{html(self._table())}<p class="ad-note">{NOTE}</p>'

    def to_markdown(self) -> str:
        """The table in Markdown."""
        return f"{markdown(self._table())}\n\n{NOTE}"

    def to_svg(self) -> str:
        """The ratios to f over n, both to powers of ten."""
        return _drawing(self)

    def _table(self) -> Small:
        heads = ("n", "operations of f", *SHOWN)
        rows = [
            (str(n), f"{cost.operations['f']:,}", *(number(cost.ratios[method], 4) for method in SHOWN))
            for n, cost in self.costs.items()
        ]
        kinds = ((2, "ad-tangent"), (3, "ad-adjoint"))
        return Small(f"What the gradient of {self.name} costs", heads, tuple(rows), frozenset(range(1, 5)), kinds)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return standing_alone(self.to_html())


def growth(
    f: Callable[[list[Any]], Any], sizes: Iterable[int], at: Callable[[int], Sequence[float]] | None = None
) -> Growth:
    """What the gradient of a function of n numbers costs, for each n of `sizes`.

    f takes a list of n numbers and returns one; it is called once for each n. `at(n)` gives the point (default: n
    numbers from 1 to 2). Raises TypeError where f returns no number, and what f raises.

    >>> import math
    >>> growth(math.prod, [2, 10, 100]).costs[100].ratios["reverse"]
    3.0
    """
    point = at or (lambda n: [1 + k / max(n - 1, 1) for k in range(n)])
    return Growth(getattr(f, "__name__", "f"), {n: _cost_at(f, list(map(float, point(n)))) for n in sizes})


def _cost_at(f: Callable[[list[Any]], Any], x: list[float]) -> Cost:
    from ad_magic.engine.active import Active
    from ad_magic.engine.plans import call, plan_for
    from ad_magic.engine.tape import Tape
    from ad_magic.engine.traced import Traced

    if not x:
        raise ValueError("a program needs at least one input: sizes begin with 1")
    tape = Tape()
    numbers = [Traced.input(tape, value) for value in x]
    output, columns = call(f, [numbers], {}, tape, lambda z: z, plan_for(f, [numbers], {}))
    if type(output) not in Active.types and not isinstance(output, (float, int)):
        raise TypeError(f"{name_of(f)} returned {kind_of(output)}, not a number")
    row = output.index if getattr(output, "tape", None) is tape else None
    return counted(columns, [row], len(x))


# ---- the picture ---------------------------------------------------------------------------------


def _drawing(g: Growth) -> str:
    """An <svg> element, in the style of the curves."""
    sizes = list(g.costs)
    top = max((max(c.ratios[m] for m in SHOWN) for c in g.costs.values()), default=10.0)
    finite = top if math.isfinite(top) else 10.0
    low_x, high_x = _decades(min(sizes, default=1), max(sizes, default=10))
    low_y, high_y = _decades(1, finite)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - FOOT

    def at(n: float, ratio: float) -> tuple[float, float]:
        x = LEFT + (math.log10(n) - low_x) / (high_x - low_x) * wide
        y = TOP + (1 - (math.log10(max(ratio, 1e-3)) - low_y) / (high_y - low_y)) * high
        return x, y

    s = f'<text class="ad-curve-head" x="{LEFT}" y="{TOP - 10}">operations of the gradient, relative to f</text>'
    for value in _ticks(low_y, high_y):
        _, y = at(1, value)
        s += f'<path class="ad-curve-grid" d="M{LEFT} {y:.1f}h{wide}"/>'
        s += f'<text class="ad-curve-tick" x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{number(value)}</text>'
    for value in _ticks(low_x, high_x):
        x, _ = at(value, 1)
        s += f'<path class="ad-curve-grid" d="M{x:.1f} {TOP}v{high}"/>'
        s += (
            f'<text class="ad-curve-tick" x="{x:.1f}" y="{TOP + high + 14}" text-anchor="middle">{number(value)}</text>'
        )
    s += (
        f'<text class="ad-curve-tick" x="{LEFT + wide / 2:.1f}" y="{TOP + high + 30}" text-anchor="middle">'
        f"n, the number of inputs</text>"
    )
    ends: list[tuple[float, str]] = []
    for method in SHOWN:
        points = [(n, c.ratios[method]) for n, c in g.costs.items() if math.isfinite(c.ratios[method])]
        if not points:
            continue
        spots = [at(n, ratio) for n, ratio in sorted(points)]
        d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
        s += f'<path class="ad-growth {KINDS[method]}" d="{d}"/>'
        s += "".join(f'<circle class="ad-growth {KINDS[method]}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in spots)
        ends.append((spots[-1][1], method))
    for y, method in _apart(ends):
        place = f'x="{LEFT + wide + 8}" y="{y + 3.5:.1f}"'
        s += f'<text class="ad-growth-label {KINDS[method]}" {place}>{HEADS[method]}</text>'
    title = esc(f"What the gradient of {g.name} costs, relative to f, over the number of inputs")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ad-svg ad-curve" role="img" aria-label="{title}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" fill="currentColor" font-size="11">{s}</svg>'
    )


def _decades(low: float, high: float) -> tuple[float, float]:
    """The logarithms between which an axis reaches; at least a factor of ten."""
    first, last = math.log10(max(low, 1e-3)), math.log10(max(high, low, 1e-3))
    return (first, max(last, first + 1))


def _ticks(low: float, high: float) -> list[float]:
    """The powers of ten within, and where these are few, 2 and 5 times them."""
    leads = (1, 2, 5) if high - low < 2.5 else (1,)
    powers = range(math.floor(low) - 1, math.ceil(high) + 1)
    values = [lead * 10.0**power for power in powers for lead in leads]
    return [value for value in values if low - 1e-9 <= math.log10(value) <= high + 1e-9]


def _apart(ends: list[tuple[float, str]], space: float = 13.0) -> list[tuple[float, str]]:
    """Heights of labels, moved down so that none stands on another."""
    placed: list[tuple[float, str]] = []
    for y, method in sorted(ends):
        least = placed[-1][0] + space if placed else y
        placed.append((max(y, least), method))
    return placed
