"""Second derivatives as a program: the statements of the adjoints, differentiated once more along each input.

What is differentiated is what was written, statement by statement, by the same table. The Hessian is symmetric: of each
pair of entries one is written.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, cast

from ad_magic.engine.kinks import bends
from ad_magic.engine.operation import Primitive
from ad_magic.engine.tape import Columns
from ad_magic.rules import RULES, Rule
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import PLAIN
from ad_magic.rules.rule import ARGUMENTS

from .expressions import constant, is_zero, name, negative, partials_of, product, put, total
from .program import Statement, names_of
from .symbols import Entry, NoProgram, Writer

SEEDS = 8  # inputs; of more the program would be long, and the heat map has no numbers
LONGEST = 3_000  # statements: a longer program is not worth a frame
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.Mod: "mod",
    ast.FloorDiv: "floordiv",
}  # fmt: skip
_LINEAR = frozenset(("add", "sub", "mul", "neg"))  # their partials are finite wherever their operands are
_OF_LISTS = {rule.value.partition("(")[0]: rule for rule in RULES.values() if rule.variadic}
Tangents = Mapping[str, ast.expr]  # by name; what is absent is zero


def write_second(writer: Writer, inputs: Sequence[Entry], adjoints: Sequence[Any]) -> list[list[Any]]:
    """Statements for the derivatives of the adjoints of all inputs along each of them: a square of entries.

    Raises NoProgram where a statement has none, and where they are too many.
    """
    if len(inputs) > SEEDS:
        raise NoProgram(f"second derivatives of more than {SEEDS} inputs are not computed in a page")
    block = writer.block
    written = [Statement(s.target, put(s.value, block.renamed), s.row, s.kind) for s in block.statements if s.target]
    ends = [put(g.expression, block.renamed) if isinstance(g, Entry) else None for g in adjoints]
    found: list[list[Any]] = [[0.0] * len(inputs) for _ in inputs]
    room = len(block.statements) + LONGEST
    for k, seed in enumerate(inputs):
        needed = _leading_to(written, [end for end in ends[k:] if end is not None])
        tangents: dict[str, ast.expr] = {cast(ast.Name, seed.expression).id: ast.Constant(1.0)}
        for s in written:
            if s.target not in needed:
                continue
            writer.row = s.row
            t = _tangent(s.value, tangents, name(s.target))
            if t is not None and not is_zero(t):
                tangents[s.target] = block.atom(t, s.row)
        if len(block.statements) > room:
            raise NoProgram("so long a program of second derivatives does not run in a page")
        for j, end in enumerate(ends[k:], k):
            t = None if end is None else _tangent(end, tangents, end)
            if t is not None:
                found[k][j] = found[j][k] = Entry(writer, block.atom(t, writer.row), 0.0)
    return found


def corners(tape: Columns, values: Sequence[Any]) -> list[ast.expr]:
    """Conditions of which one holds where an operation of the run has no second derivative: what the statements above
    say is wrong there. `values` are the entries of the rows."""
    found: dict[str, ast.expr] = {}
    for op, left, right, z in zip(tape.ops, tape.left, tape.right, values, strict=True):
        if op.rule is None or z is None:
            continue
        operands = [values[x] if on else x for x, on in op._marked(left, right)]
        if op.name in ("norm", "std", "nanstd"):
            texts, operands = ["z == 0"], []
        elif isinstance(op, Primitive):
            kink = [op.rule.kink.where] if op.rule.kink is not None and not op.rule.kink.jumps else []
            texts = kink + bends(op.rule)
            operands = [] if op.rule.variadic else operands
        else:
            continue
        for text in texts:
            for parts in np.broadcast(*(np.asarray(x, object) for x in (z, *operands))):
                if not all(isinstance(x, (Entry, Real)) for x in parts):  # a complex number
                    continue
                named = dict(zip(("z", *ARGUMENTS), map(_expression, parts), strict=False))
                condition = _decided(put(ast.parse(text, mode="eval").body, named))
                if condition is not None:
                    found[ast.unparse(condition)] = condition
    return list(found.values())


def _expression(x: Any) -> ast.expr:
    return x.expression if isinstance(x, Entry) else ast.Constant(float(x))


def _decided(condition: ast.expr) -> ast.expr | None:
    """A condition without the terms that hold anyway; None where one never holds."""
    terms = condition.values if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.And) else [condition]
    open_terms = []
    for term in terms:
        if names_of(term):
            open_terms.append(term)
        elif not eval(
            compile(ast.fix_missing_locations(ast.Expression(term)), "<ad_magic corner>", "eval"), dict(PLAIN)
        ):
            return None
    if not open_terms:
        return ast.Constant(True)
    return open_terms[0] if len(open_terms) == 1 else ast.BoolOp(ast.And(), open_terms)


def _leading_to(written: Sequence[Statement], ends: Sequence[ast.expr]) -> set[str]:
    """The names of the statements that something depends on."""
    needed = {n for end in ends for n in names_of(end)}
    for s in reversed(written):
        if s.target in needed:
            needed.update(names_of(s.value))
    return needed


def _tangent(x: ast.expr, tangents: Tangents, z: ast.expr) -> ast.expr | None:
    """The tangent of an expression whose value is called z; None where it is zero."""
    if isinstance(x, ast.Name):
        return tangents.get(x.id)
    if isinstance(x, (ast.Constant, ast.Compare, ast.BoolOp)) or tangents.keys().isdisjoint(names_of(x)):
        return None
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        t = _tangent(x.operand, tangents, x.operand)
        return None if t is None else negative(t)
    if isinstance(x, ast.IfExp):
        sides = [_tangent(side, tangents, side) for side in (x.body, x.orelse)]
        zero = ast.Constant(0.0)
        return ast.IfExp(x.test, *(zero if t is None else t for t in sides))
    if isinstance(x, ast.BinOp) and type(x.op) in _OPERATORS:
        return _by_rule(RULES[_OPERATORS[type(x.op)]], [x.left, x.right], tangents, z)
    if isinstance(x, ast.Call) and isinstance(x.func, ast.Name) and not x.keywords:
        if x.func.id == "times":  # a product in which an exact zero is absent
            terms = [(a, _tangent(b, tangents, b)) for a, b in (x.args, x.args[::-1])]
            return _sum([_times(factor, t) for factor, t in terms if t is not None])
        arguments = x.args[0].elts if len(x.args) == 1 and isinstance(x.args[0], ast.List) else x.args
        if x.func.id == "sech2":  # the slope of tanh(a) = b: its own is −2 b times itself
            a, b = x.args
            t = _tangent(a, tangents, a)
            return None if t is None else _times(product(ast.Constant(-2.0), product(b, z)), t)
        rule = RULES.get(x.func.id)
        if rule is None or rule.variadic or len(rule.arguments) != len(arguments):
            rule = _OF_LISTS.get(x.func.id)
        if rule is not None and not any(isinstance(a, (ast.Starred, ast.Lambda)) for a in arguments):
            return _by_rule(rule, arguments, tangents, z)
    raise NoProgram(f"{ast.unparse(x)[:40]} has no second derivative in a page")


def _by_rule(rule: Rule, arguments: Sequence[ast.expr], tangents: Tangents, z: ast.expr) -> ast.expr | None:
    """By a row of the table: the sum of each partial times the tangent of its argument."""
    along = [_tangent(a, tangents, a) for a in arguments]
    active = [t is not None for t in along]
    if not any(active):
        return None
    terms = []
    for k, partial in partials_of(rule, arguments, z, active):
        t = along[k]
        assert t is not None
        plain = rule.name in _LINEAR or constant(partial) is not None
        terms.append(product(partial, t) if plain else _times(partial, t))
    return _sum(terms)


def _times(partial: ast.expr, t: ast.expr) -> ast.expr:
    return product(partial, t) if is_zero(partial) else ast.Call(name("times"), [partial, t], [])


def _sum(terms: Sequence[ast.expr]) -> ast.expr | None:
    left = [t for t in terms if not is_zero(t)]
    return total(left) if left else None
