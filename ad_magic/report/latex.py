"""The report as LaTeX: the result in mathematics, the operations in a plain `tabular`, without any package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .array import TEXT_DIGITS, is_small, norm, shape_of, shape_text, shown_places
from .number import MINUS, number
from .table import Column, Table, entries, flag_text, output_symbol, table
from .text import notes_of, value_digits

if TYPE_CHECKING:
    from .result import Result

MAX_NAMES = 8  # inputs that are named beside a Hessian
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "…": r"\ldots{}", "×": r"$\times$", "∂": r"$\partial$",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", MINUS: "$-$",
    "`": r"\textasciigrave{}", "∫": r"$\int$", "λ": r"$\lambda$", "′": "$'$", "ᵀ": "$^T$", "⁻": "$^{-}$", "¹": "$^{1}$",
}  # fmt: skip


def render(r: Result, *, digits: int = 6, max_rows: int = 60, unfold: bool = False) -> str:
    """A LaTeX text: one displayed formula for each output, then the table. `unfold` lists earlier runs of a loop."""
    t = table(r, max_rows=max_rows)
    looped = ["runs"] if t.looped else []
    heads = ["line", "code", *looped, "variable", "expression", *(_head(column, r) for column in t.columns)]
    lines = [
        *_results(t, digits),
        *_second(r, digits),
        r"\begin{tabular}{rl" + "l" * len(looped) + "ll" + "r" * len(t.columns) + "}",
    ]
    lines += [_line(heads) + r" \hline"]
    above = None
    for entry in entries(t, unfold=unfold):
        if isinstance(entry, str):
            lines.append(_line(["", rf"\emph{{{escape(entry)}}}", *[""] * (len(heads) - 2)]))
            continue
        _, group, run, row = entry
        first = group is not above
        code = escape(group.code) if group.inputs else _code(group.code)
        cells = [str(group.line or ""), code] if first else ["", ""]
        if t.looped:
            count = f"{run.number} of {group.count}" if unfold else rf"$\times {group.count}$"
            cells.append(count if group.count > 1 and row is run.items[0] else "")
        label = "~" + _code(row.label) if row.label and row.op != "input" else ""
        cells += [f"${_name(row.name)}${label}", _code(row.expression)]
        values = [column.of(row) for column in t.columns]
        cells += ["" if value is None else f"${_cell(value, digits)}$" for value in values]
        lines.append(_line(cells))
        above = group
    lines.append(r"\end{tabular}")
    lines += [f"\n{escape(text)}" for text in (*notes_of(t, unfold), *map(flag_text, t.flags))]
    return "\n".join(lines)


def escape(text: str) -> str:
    """Text in which nothing is a LaTeX command."""
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))


def math(text: str) -> str:
    """A written number in mathematics: "1e−8" is 1 × 10⁻⁸."""
    text = re.sub(r"(\d)e(−?\d+)", r"\1 \\times 10^{\2}", text).replace(MINUS, "-")
    return re.sub(r"nan|inf", lambda word: {"nan": r"\mathrm{NaN}", "inf": r"\infty"}[word.group()], text)


def _code(text: str) -> str:
    return rf"\texttt{{{escape(text)}}}" if text else ""


def _name(name: str) -> str:
    """v12 as v with an index; a user's name with more than one letter upright."""
    if re.fullmatch(r"v\d+", name):
        return f"v_{{{name[1:]}}}"
    return name if re.fullmatch(r"[A-Za-z]", name) else rf"\mathrm{{{escape(name)}}}"


def _results(t: Table, digits: int) -> list[str]:
    found = []
    for outcome in t.outcomes:
        named = outcome.shown == outcome.name
        symbol = _name(outcome.name) if named else ""
        parts = [f"{symbol or _code(outcome.shown)} = {_quantity(outcome.value, value_digits(outcome.value, digits))}"]
        for x, _, derivative in outcome.derivatives:
            fraction = rf"\frac{{\partial {symbol}}}{{\partial {_name(x)}}}"
            if derivative is None:  # too many to compute: where it is
                parts.append(rf"{fraction} = \mbox{{{_code(outcome.notes[x])}}}")
            else:
                parts.append(f"{fraction} = {_quantity(derivative, digits)}")
        found.append(r"\[" + r" \qquad ".join(parts) + r"\]")
    return found


def _second(r: Result, digits: int) -> list[str]:
    """The Hessian and its eigenvalues, for a result that shows them."""
    if r.up_to != 2:
        return []
    from .second import second_or_why

    s = second_or_why(r)
    if isinstance(s, str):
        return [f"{escape(s)}."]
    symbol = _name(s.symbol) if s.symbol else "f"
    names = escape(", ".join(s.names[:MAX_NAMES]) + (", …" if len(s.names) > MAX_NAMES else ""))
    parts = [rf"\nabla^2 {symbol} = {_quantity(s.hessian, digits)}"]
    if s.eigenvalues is not None:
        values = [r"\ldots" if x is None else math(number(x, s.digits)) for x in s.listed()]
        parts.append(rf"\lambda = {', '.join(values)}")
    return [
        r"\[" + r" \qquad ".join(parts) + r"\]",
        f"The inputs in order: {names}. {escape(s.words.rstrip('.'))}.",
        "",
    ]


def _quantity(value: Any, digits: int) -> str:
    """A number or an array of the result in mathematics; a large array is cut, one of more than two axes summarised."""
    shape = shape_of(value)
    if not shape:
        return math(number(value, digits)) if value is not None else ""
    if len(shape) > 2 or not value.size:
        return _cell(value, digits)
    matrix = value.reshape(-1, shape[-1])  # a vector is a row, as NumPy writes it
    rows, columns = map(shown_places, matrix.shape)
    lines = []
    for row in rows:
        dots = r"\vdots" if row is None else r"\cdots"
        entries = [
            dots if row is None or column is None else math(number(matrix[row, column].item(), digits))
            for column in columns
        ]
        lines.append(" & ".join(entries))
    body = r" \\ ".join(lines)
    return rf"\left[\begin{{array}}{{{'r' * len(columns)}}}{body}\end{{array}}\right]"


def _cell(value: Any, digits: int) -> str:
    """A number or an array in a cell of the table: the entries of a small one, the shape and the norm of a larger."""
    shape = shape_of(value)
    if not shape:
        return math(number(value, digits))
    if is_small(value) and len(shape) == 1:
        entries = r",\ ".join(math(number(x, min(digits, TEXT_DIGITS))) for x in value.tolist())
        return f"({entries})"
    if is_small(value):
        return _quantity(value, min(digits, TEXT_DIGITS))
    size = shape_text(shape).replace("×", r" \times ")
    return rf"{size},\ \|\cdot\| = {math(number(norm(value), digits))}"


def _head(column: Column, r: Result) -> str:
    if column.kind == "value":
        return "value"
    if column.kind == "tangent":
        return rf"$\partial v/\partial {_name(column.seed)}$"
    symbol = output_symbol(r, r.outputs[0]) if len(r.outputs) == 1 else ""
    return rf"$\bar v = \partial {_name(symbol)}/\partial v$" if symbol else r"$\bar v$"


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
