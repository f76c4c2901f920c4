"""The recorded run as a program in JavaScript: values, tangents and adjoints of every row, for a page without a kernel.

JavaScript has the arithmetic of IEEE 754, which raises nothing: where Python would, a number is infinite or NaN here.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ad_magic.engine.operation import COMPARISONS
from ad_magic.rules.arrays.frozen import np

from . import jslibrary
from .entries import write_by_entry
from .expressions import put
from .program import Block, Statement, names_of, numbered, readable, renamed, without_dead
from .second import corners, write_second
from .straight import row_names
from .symbols import Entry, NoProgram, Writer

SEEDS = 64  # so many tangents a program computes; of more inputs it has the values and adjoints alone
STATEMENTS = 20_000  # a longer program would make a page slow and large


def javascript(run: Any, order: int = 1) -> str:
    """An object in JavaScript, `{inputs, run}`; `run(x)` takes the numbers of the inputs in order and returns
    `{values, adjoints, tangents, partials, changed}`, by row of the tape.

    An entry is a number, or a flat array of numbers for a row that is an array; null where there is none. Of `partials`
    it is a list of the local partials that the table shows, one for each active operand. `adjoints` is null where there
    is no single number to be differentiated. `changed` is null, or names the first decision that comes out otherwise
    than recorded. With `order` 2 there is `second` too, the Hessian, a list for each input; it is left out where it has
    no program, and null at a point where an operation has no second derivative. Raises NoProgram.
    """
    tape = run.tape
    if tape.recorded > len(tape):
        raise NoProgram("a long run in forward mode keeps no tape: run the cell with --mode reverse")
    names = {row: f"v{k}" for k, row in enumerate(row_names(tape, run.rows))}
    block = Block()
    writer = Writer(block)
    seeds = run.seeds if run.mode != "reverse" and run.seed_count <= SEEDS else []
    single = len(run.outputs) == 1 and run.outputs[0].scalar
    backward = single and (run.mode != "forward" or order == 2)
    rows = write_by_entry(writer, run, names, seeds, backward=backward, partials=True)
    second, at_corner = [], []
    if order == 2 and rows.adjoints is not None:
        along = [g for row in run.rows.values() for g in np.ravel(np.asarray(rows.adjoints[row], object))]
        with contextlib.suppress(NoProgram):
            second = write_second(writer, rows.inputs, along)
            at_corner = corners(tape, rows.values)
        rows.adjoints = rows.adjoints if run.mode != "forward" else None
    ends = {
        n
        for column in (rows.values, *rows.tangents, rows.adjoints or [], rows.partials, second)
        for x in column
        for n in _leaves(x)
    } | {n for condition in at_corner for n in names_of(condition)}
    ends = {block.now(n) for n in ends}
    statements = readable(without_dead(renamed([block.statements], block.renamed), ends), ends)
    new = numbered(statements)
    if len(statements[0]) > STATEMENTS:
        raise NoProgram("so long a program does not run in a page")
    final = _Final(block.renamed, new)
    body = [line for s in statements[0] for line in _statement(s, run)]
    inputs = [
        {"name": name, "entry": list(position) or None, "value": float(np.asarray(run.inputs[name])[position])}
        for name, position, _ in run.seeds
    ]
    used = set(re.findall(r"[A-Za-z_]\w*", "\n".join(body)))
    library = [text for name, text in _EXTRA.items() if name in used]
    source = jslibrary.source_of(n for n in sorted(used) if n in jslibrary.KNOWN)
    hessian = final.column(second)
    if at_corner:
        hessian = f"{' || '.join(f'({final.text(condition)})' for condition in at_corner)} ? null : {hessian}"
    given = [f"const {final.text(s.expression)} = x[{k}];" for k, s in enumerate(rows.inputs)]
    result = (
        f"return {{values: {final.column(rows.values)}, "
        f"adjoints: {'null' if rows.adjoints is None else final.column(rows.adjoints)}, "
        f"tangents: [{', '.join(map(final.column, rows.tangents))}], "
        f"partials: {final.column(rows.partials)}, {f'second: {hessian}, ' if second else ''}changed}};"
    )
    lines = [*source.splitlines(), *library, f"return {{inputs: {json.dumps(inputs)}, run: (x) => {{"]
    lines += ["  let changed = null;", *(f"  {line}" for line in [*given, *body, result]), "}};"]
    return "(() => {\n" + "\n".join(lines) + "\n})()"


def _leaves(x: Any) -> list[str]:
    """The names in an entry of a column: of a symbol, or of an array of them."""
    if isinstance(x, Entry):
        return names_of(x.expression)
    if isinstance(x, np.ndarray | list):
        return [n for y in (x if isinstance(x, list) else x.flat) for n in _leaves(y)]
    return []


class _Final:
    """Texts with the names that are left in the end."""

    def __init__(self, *renames: Mapping[str, ast.expr]) -> None:
        self.renames = renames

    def text(self, expression: ast.expr) -> str:
        """The text of a name or a number."""
        for new in self.renames:  # one after the other: t1 of the first may be another than t1 of the second
            expression = put(expression, new)
        return js(expression)

    def column(self, column: Sequence[Any]) -> str:
        """An array with an entry for each row of the tape."""
        return f"[{', '.join(map(self.entry, column))}]"

    def entry(self, x: Any) -> str:
        if x is None:
            return "null"
        if isinstance(x, Entry):
            return self.text(x.expression)
        if isinstance(x, np.ndarray | list):
            return f"[{', '.join(map(self.entry, x if isinstance(x, list) else x.flat))}]"
        return _number(float(x))


# ---- statements ----------------------------------------------------------------------------------


def _statement(s: Statement, run: Any) -> list[str]:
    if s.kind != "guard":
        return [f"const {js(ast.Name(s.target, ast.Load()))} = {js(s.value)};"]
    changed = json.dumps(otherwise(run, s.row), ensure_ascii=False)
    return [f"if (changed === null && !{_test(s.value)}) changed = {changed};"]


def otherwise(run: Any, row: int) -> dict[str, Any]:
    """The decision of a row of the tape in words, where it does not come out as recorded: {row, line, text}."""
    op, place = run.tape.ops[row], run.place(row)
    text = _source(run, place) or op.text
    if op.name in COMPARISONS and isinstance(run.tape.values[row], (bool, np.bool_)):
        text = f"{text} is now {not run.tape.values[row]}"
    else:
        text = f"{text} comes out otherwise"
    return {"row": row, "line": run.line_of(row), "text": text}


def _source(run: Any, place: Any) -> str:
    """What stands in the source at a place of one line."""
    if place is None or place.span[0] != place.span[2]:
        return ""
    line = run.lines(place.file)[place.line - 1 : place.line]
    return line[0][place.span[1] : place.span[3]] if line else ""


# ---- expressions ---------------------------------------------------------------------------------

_OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", 11), ast.Sub: ("-", 11), ast.Mult: ("*", 12), ast.Div: ("/", 12),
}  # fmt: skip
_FUNCTIONS: dict[type[ast.operator], str] = {ast.Pow: "pow", ast.Mod: "mod", ast.FloorDiv: "floordiv"}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "===", ast.NotEq: "!==",
}  # fmt: skip
# What a program needs besides the functions of the table, and what decisions are in JavaScript.
_EXTRA = {
    "times": "const times = (p, g) => (p === 0 || g === 0 ? 0 : p * g);",
    "at_edge": "const at_edge = (p, limit) => (p - p === 0 ? p : limit);",
    "best_of": "const best_of = (values, sign) => { let first = 0; values.forEach((x, k) => "
    "{ if (sign * x > sign * values[first]) first = k; }); return [first, ...values.keys()].filter((k, j) => "
    "j === 0 || (k !== first && values[k] === values[first])).join(); };",
    "isclose": "const isclose = (a, b, rel, abs) => a === b || (Math.abs(a - b) !== Infinity && Math.abs(a - b) <= "
    "Math.max(rel * Math.max(Math.abs(a), Math.abs(b)), abs));",
}
_DECISIONS: dict[str, Callable[..., str]] = {
    "int": lambda x: f"Math.trunc({x})",
    "isnan": lambda x: f"Number.isNaN({x})",
    "isinf": lambda x: f"(Math.abs({x}) === Infinity)",
    "isfinite": lambda x: f"Number.isFinite({x})",
    "float": lambda x: x,
}


def js(node: ast.expr, around: int = 0) -> str:
    """The text of an expression of the table in JavaScript; `around` is how tightly the operator around it binds.

    >>> js(ast.parse("(a + b) * -c ** 2 if a and b >= 1 else sin(a)", mode="eval").body)
    'a !== 0 && b >= 1 ? (a + b) * -pow(c, 2) : Math.sin(a)'
    """
    text, binds = _js(node)
    return f"({text})" if binds < around else text


def _js(node: ast.expr) -> tuple[str, int]:
    if isinstance(node, ast.Name):
        return {**jslibrary.DIRECT, "nan": "NaN"}.get(node.id, node.id.replace(".", "_")), 20
    if isinstance(node, ast.Constant):
        return _constant(node.value), 20
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return f"-{js(node.operand, 14)}".replace("--", "- -"), 14
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"!{_test(node.operand, 14)}", 14
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        sign, binds = _OPERATORS[type(node.op)]
        return f"{js(node.left, binds)} {sign} {js(node.right, binds + 1)}", binds
    if isinstance(node, ast.BinOp) and type(node.op) in _FUNCTIONS:
        return f"{_FUNCTIONS[type(node.op)]}({js(node.left)}, {js(node.right)})", 20
    if isinstance(node, ast.Compare):
        return _compared(node)
    if isinstance(node, ast.BoolOp):
        sign, binds = ("&&", 4) if isinstance(node.op, ast.And) else ("||", 3)
        return f" {sign} ".join(_test(x, binds + 1) for x in node.values), binds
    if isinstance(node, ast.IfExp):
        return f"{_test(node.test, 3)} ? {js(node.body, 2)} : {js(node.orelse, 2)}", 2
    if isinstance(node, ast.Subscript):
        return f"{js(node.value, 18)}[{js(node.slice)}]", 18
    if isinstance(node, (ast.List, ast.Tuple)):
        return f"[{', '.join(map(js, node.elts))}]", 20
    if isinstance(node, ast.Lambda):
        return js(node.body), 0
    if isinstance(node, ast.Call):
        return _called(node), 18
    raise NoProgram(f"{ast.unparse(node)} has no form in JavaScript")


def _test(node: ast.expr, around: int = 14) -> str:
    """An expression as a condition: a number is true unless it is zero (NaN too, as in Python)."""
    if isinstance(node, (ast.Compare, ast.BoolOp)) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return js(node, around)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return js(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _TRUTHS:
        return js(node, around)
    return f"({js(node, 10)} !== 0)" if around > 8 else f"{js(node, 10)} !== 0"


_TRUTHS = ("isnan", "isinf", "isfinite", "isclose", "is_integer")


def _compared(node: ast.Compare) -> tuple[str, int]:
    terms = [node.left, *node.comparators]
    if isinstance(node.left, ast.Call) and isinstance(node.left.func, ast.Name) and node.left.func.id == "error_of":
        return f"!Number.isFinite({js(node.left.args[0])})", 14
    pairs = []
    for k, op in enumerate(node.ops):
        left, right = terms[k], terms[k + 1]
        if isinstance(right, ast.Tuple):  # what best_of gives
            pairs.append(f"{js(left)} === {json.dumps(','.join(map(js, right.elts)))}")
        elif isinstance(right, ast.Constant) and isinstance(right.value, str):
            raise NoProgram("the program looks at the text of a number, which JavaScript would write otherwise")
        else:
            pairs.append(f"{js(left, 10)} {_COMPARE[type(op)]} {js(right, 10)}")
    return (pairs[0], 9) if len(pairs) == 1 else (" && ".join(pairs), 4)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "is_integer":
        return f"Number.isInteger({js(node.args[0])})"
    label = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    args = [js(x.value if isinstance(x, ast.Starred) else x) for x in node.args]
    args += [js(k.value) for k in node.keywords]
    if label == "best_of":
        return f"best_of({args[1]}, {1 if args[0].endswith('max') else -1})"
    if label in _DECISIONS:
        return _DECISIONS[label](*args)
    if label in jslibrary.KNOWN or label in _EXTRA:
        return f"{jslibrary.DIRECT.get(label, label)}({', '.join(args)})"
    raise NoProgram(f"{label} has no form in JavaScript here")


def _constant(x: Any) -> str:
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, (int, float)):
        return _number(x)
    if isinstance(x, str):
        return json.dumps(x)
    raise NoProgram(f"{x!r} has no form in JavaScript")


def _number(x: float) -> str:
    """A number of JavaScript, which knows doubles only.

    >>> _number(2.0), _number(1e-9), _number(float("inf"))
    ('2', '1e-09', 'Infinity')
    """
    x = float(x)
    if x != x:
        return "NaN"
    if abs(x) == float("inf"):
        return "Infinity" if x > 0 else "-Infinity"
    return repr(x).removesuffix(".0")
