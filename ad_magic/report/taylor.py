"""A Taylor polynomial: the coefficients of a result along one of its numbers, as data, and its faces."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ad_magic.cell.again import unit
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.series import HIGHEST

from .curves import Curve, curve_along, label_of
from .entries import Span
from .figure import HUGE
from .markup import esc, standing_alone, style_sheet
from .number import MINUS, number
from .radius import radius_of
from .subjects import Subject, subjects
from .table import flag_text
from .tabular import Small, html, markdown, text
from .taylor_run import coefficients, number_along, series_along, wide_at_zero

if TYPE_CHECKING:
    from .result import Result

USUAL = 5  # the order where none is said
LOOKED_AT = 24  # so far the coefficients are found for the radius of convergence
LONG = 20_000  # operations: of a longer run no more is found than was asked for
DIGITS_LEFT = 3  # fewer are said
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


# ---- one polynomial ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expansion:
    """The Taylor polynomial of a number `head` along `name` at the point `at`; `str()` of it is the text.

    `coefficients` are c₀ … c_order, `derivatives` k! cₖ. `radius` is an estimate of the radius of convergence from
    coefficients of higher order, None where they tell nothing. `sound` is the order up to which rounding leaves three
    digits at least. `notes` says what a reader must know.
    """

    head: str
    name: str
    at: float
    coefficients: list[float]
    radius: float | None
    sound: int
    notes: tuple[str, ...]
    curve: Curve | None
    digits: int = 6

    @property
    def order(self) -> int:
        return len(self.coefficients) - 1

    @property
    def derivatives(self) -> list[float]:
        """The derivatives of each order: k! cₖ; infinite where that is beyond a float."""
        return [_times_factorial(c, k) for k, c in enumerate(self.coefficients)]

    def __call__(self, x: float, order: int | None = None) -> float:
        """The polynomial at x; of a lower order where that is said."""
        total, h = 0.0, x - self.at
        for c in reversed(self.coefficients[: None if order is None else order + 1]):
            total = total * h + c
        return total

    @property
    def step(self) -> str:
        """What a power is taken of: "x", "(x − 0.5)"."""
        if self.at == 0:
            return self.name
        sign = "+" if self.at < 0 else MINUS
        return f"({self.name} {sign} {number(abs(self.at), self.digits)})"

    def term(self, k: int) -> str:
        """The term of order k: "0.5·x²"."""
        c = number(self.coefficients[k], self.digits)
        if not math.isfinite(self.coefficients[k]):
            return "—"
        if not k or c == "0":
            return c
        power = self.step + (str(k).translate(SUPERSCRIPT) if k > 1 else "")
        return {"1": power, f"{MINUS}1": f"{MINUS}{power}"}.get(c, f"{c}·{power}")

    @property
    def formula(self) -> str:
        """The polynomial as a person writes it: "1 + x + 0.5·x²"."""
        every = [self.term(k) for k in range(self.order + 1)]
        ended = "—" in every
        terms = [t for t in every[: every.index("—") if ended else None] if t != "0"]
        joined = "".join(f" {MINUS} {t[1:]}" if t.startswith(MINUS) else f" + {t}" for t in terms)
        whole = (f"{MINUS}{joined[3:]}" if joined.startswith(f" {MINUS}") else joined[3:]) or "0"
        return f"{whole} + …" if ended else whole

    @property
    def title(self) -> str:
        return f"{self.head} near {self.name} = {number(self.at, self.digits)}"

    def table(self) -> Small:
        """k, the derivative, the coefficient and the term."""
        d = f"∂ᵏ{self.head}/∂{self.name}ᵏ" if self.head.isidentifier() else f"k-th derivative in {self.name}"
        rows = [
            (str(k), number(slope, self.digits), number(c, self.digits), self.term(k))
            for k, (slope, c) in enumerate(zip(self.derivatives, self.coefficients, strict=True))
        ]
        heads = ("k", d, "coefficient", "term")
        return Small(
            f"Taylor coefficients of {self.title}", heads, tuple(rows), frozenset((1, 2)), ((2, "ad-tangent"),)
        )

    @property
    def remarks(self) -> list[str]:
        """The notes, and what the coefficients themselves tell."""
        found = list(self.notes)
        if self.sound < self.order:
            found.append(f"From order {self.sound + 1} on rounding leaves fewer than {DIGITS_LEFT} digits.")
        return found

    @property
    def radius_text(self) -> str:
        """A few words on the radius of convergence; empty where nothing is known."""
        return "" if self.radius is None else f"radius of convergence: about {number(self.radius, 2)}"

    # ---- faces

    def to_text(self, width: int = 100) -> str:
        """The polynomial, its table and a plot in plain characters."""
        from .taylor_figure import plot

        blocks = [f"{self.title}\n{self._lines(width)}", text(self.table())]
        if self.curve is not None:
            blocks.append(plot(self, width))
        if self.radius_text:
            blocks.append(self.radius_text)
        blocks += [f"! {remark}" for remark in self.remarks]
        return "\n\n".join(blocks)

    def to_html(self) -> str:
        """The same as HTML that stands on its own, with a figure."""
        return standing_alone(f"<style>{style_sheet('taylor')}</style>{self.body()}")

    def body(self) -> str:
        """The HTML without its style sheets."""
        from .taylor_figure import figure

        value = number(self.coefficients[0], 12)
        drawn = f'<div class="ad-figures">{figure(self)}</div>' if self.curve is not None else ""
        quiet = f'<p class="ad-note">{esc(self.radius_text)}</p>' if self.radius_text else ""
        flags = "".join(f"<li>{esc(remark)}</li>" for remark in self.remarks)
        return (
            '<div class="ad-taylor"><p class="ad-result"><span class="ad-outcome">'
            f'<span class="ad-name">{esc(self.head)}</span> = <span class="ad-value">{value}</span></span> '
            f'<span class="ad-at">at <span class="ad-name">{esc(self.name)}</span> = {number(self.at, 12)}</span></p>'
            f"{f'<ul class=ad-flags>{flags}</ul>' if flags else ''}"
            f'<div class="ad-taylor-parts">{drawn}<div>{html(self.table(), _set)}{quiet}</div></div>'
            f'<p class="ad-polynomial"><span class="ad-name">P</span><sub>{self.order}</sub> = {self._set_formula()}'
            "</p></div>"
        )

    def _set_formula(self) -> str:
        """The formula as HTML; no line breaks within a term."""
        return " ".join(f'<span class="ad-term">{_set(piece)}</span>' for piece in self._pieces())

    def _pieces(self) -> list[str]:
        """The formula term by term, each with its sign."""
        return re.split(rf" (?=[+{MINUS}] )(?![^(]*\))", self.formula)

    def _lines(self, width: int) -> str:
        """The formula in lines that are no wider; no line ends within a term."""
        head = f"P{_sub(self.order)} ="
        lines = [head]
        for piece in self._pieces():
            if len(lines[-1]) + 1 + len(piece) > width and lines[-1].strip() != head:
                lines.append(" " * len(head))
            lines[-1] += f" {piece}"
        return "\n".join(lines)

    def to_markdown(self) -> str:
        """The polynomial and its table in Markdown."""
        lines = [f"P{_sub(self.order)} = {self.formula}", markdown(self.table()), self.radius_text, *self.remarks]
        return "\n\n".join(line for line in lines if line)

    def to_latex(self) -> str:
        """The polynomial as a displayed formula."""
        from .latex import escape
        from .latex import math as in_math

        def power(k: int) -> str:
            return "" if not k else f" {step}" + (f"^{{{k}}}" if k > 1 else "")

        step = rf"\mathrm{{{escape(self.name)}}}"
        if self.at:
            sign = "+" if self.at < 0 else "-"
            step = f"({step} {sign} {in_math(number(abs(self.at), self.digits))})"
        terms = [
            f"{in_math(number(c, self.digits))}{power(k)}"
            for k, c in enumerate(self.coefficients)
            if c or not self.order
        ]
        joined = " + ".join(terms or ["0"]).replace("+ -", "- ")
        return rf"\[ P_{{{self.order}}} = {joined} \]"

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()


def _times_factorial(c: float, k: int) -> float:
    try:
        return c * math.factorial(k)
    except OverflowError:
        return math.copysign(math.inf, c) if c else 0.0


def _sub(k: int) -> str:
    return str(k).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _set(written: str) -> str:
    """A formula as HTML: superscripts as such."""
    found, raised = "", ""
    back = {chr(v): chr(k) for k, v in SUPERSCRIPT.items()} | {"ᵏ": "k"}
    for character in f"{written}\0":
        if character in back:
            raised += back[character]
            continue
        if raised:
            found, raised = f"{found}<sup>{raised}</sup>", ""
        found += esc(character) if character != "\0" else ""
    return found


# ---- finding it ----------------------------------------------------------------------------------


def expansion(
    r: Result, along: str | None = None, order: int = USUAL, *, digits: int = 6,
    ranges: Mapping[str, Span] | None = None,
) -> Expansion:  # fmt: skip
    """The Taylor polynomial of the first number that the output is or has. See `Result.expansion`."""
    name, entry, grid = number_along(r, along, wide_at_zero(r.inputs, ranges or {}))
    subject = subjects(r)[0]
    seeds = {r.run.rows[name]: [unit(r.inputs[name], entry)]} if name in r.run.rows else {}
    found = _coefficients(r, seeds, subject, order)
    again = _coefficients(r, seeds, subject, order, nudge=True)[: order + 1]
    at = float(r.inputs[name][entry] if entry else r.inputs[name])
    notes = [] if math.isfinite(sum(found[: order + 1])) else [_not_finite(r, seeds, subject, order)]
    notes += dict.fromkeys(flag_text(flag) for flag in r.flags if flag.kind == "kink")
    if order > 1:
        notes += dict.fromkeys(flag_text(flag) for flag in r.second_flags)
    try:
        curve = curve_along(r, (name, entry, grid), subject, digits) if -HUGE < grid.lo < grid.hi < HUGE else None
    except ValueError:
        curve = None
    sound = _sound(found[: order + 1], again)
    radius = radius_of(found[: sound + 1] if sound < order else found)
    label = label_of(name, entry)
    return Expansion(subject.head, label, at, found[: order + 1], radius, sound, tuple(notes), curve, digits)


def _coefficients(
    r: Result, seeds: Mapping[int, Sequence[Any]], subject: Subject, order: int, *, nudge: bool = False
) -> list[float]:
    """More coefficients than are asked for, where they can be had."""
    row, position = subject.number.row, subject.number.place
    more = min(max(order, LOOKED_AT), HIGHEST)
    for highest in (order,) if nudge or len(r.run.tape) > LONG or more == order else (more, order):
        try:
            series = series_along(r.run, seeds, highest, nudge=nudge)
        except LostDerivative:
            if highest > order:
                continue
            raise
        return coefficients(None if row is None else series[row], subject.value, position, highest)
    raise AssertionError


def _sound(found: Sequence[float], again: Sequence[float]) -> int:
    """The order up to which the coefficients that were found with other rounding errors are nearly the same.

    >>> _sound([1.0, 0.5, 0.25], [1.0, 0.5, 0.3])
    1
    """
    for k, (c, other) in enumerate(zip(found, again, strict=True)):
        beside = math.sqrt(abs(found[k - 1] * found[k + 1])) if 0 < k < len(found) - 1 else 0.0
        if abs(c - other) > 10.0**-DIGITS_LEFT * max(abs(c), beside):
            return k - 1
    return len(found) - 1


def _not_finite(r: Result, seeds: Mapping[int, Sequence[Any]], subject: Subject, order: int) -> str:
    """Which operation is the first whose series ends, and at which order."""
    import numpy as np

    series = series_along(r.run, seeds, order)
    ends = [
        (next((k for k in range(1, order + 1) if not np.all(np.isfinite(_flat(s[k])))), order + 1), row)
        for row, s in enumerate(series)
        if s is not None and r.run.tape.ops[row].rule is not None
    ]
    first = min((end for end in ends if end[0] <= order), default=None)
    if first is None:
        return "Coefficients are not finite."
    k, row = first
    line = r.run.line_of(row)
    name = next((each.expression for each in r.rows if r.tape_rows[each.index] == row), r.run.tape.ops[row].name)
    place = f"line {line}: " if line else ""
    return f"{place}{name} has no finite coefficient of order {k} here; the series ends there."


def _flat(c: Any) -> Any:
    import numpy as np

    return np.concatenate([np.ravel(part) for part in c]) if isinstance(c, tuple) else np.asarray(c)
