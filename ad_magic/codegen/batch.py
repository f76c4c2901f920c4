"""A recorded run at many inputs at once: its statements with arrays of points in the place of numbers. For curves."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, cast

from ad_magic.engine.tape import Columns, PathChanged, forward_sweep, replay
from ad_magic.rules import by_entry, define
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import numpy_names

from .entries import write_by_entry
from .expressions import text
from .program import Block, names_of, readable, renamed, without_dead
from .straight import row_names
from .symbols import Entry, NoProgram, Writer

Curve = tuple[Any, Any, Any]


def curve(run: Any, name: str, points: Sequence[float], entry: tuple[int, ...] = ()) -> Curve:
    """(values, slopes, valid) of the first output along one input, or one entry of it, the others as they are.

    Three arrays, one entry for each point: the output, its derivative with respect to this input, and whether all
    decisions come out there as recorded (where they do not, the two others are those of another program).
    Raises ValueError where the output is no single number.
    """
    output = run.outputs[0]
    if not output.scalar:
        raise ValueError(f"{output.name} is an array: a curve is that of a number")
    xs = np.asarray(points, dtype=float)
    cached = run.cache.setdefault("curves", {})
    key = name, tuple(entry)
    if key not in cached:
        try:
            cached[key] = _compiled(run, name, tuple(entry))
        except NoProgram:
            cached[key] = None
    if cached[key] is None:
        return _one_by_one(run, name, xs, tuple(entry))
    given = [np.asarray(run.inputs[n])[position] for n, position, _ in run.seeds]
    moving = [(n, position) for n, position, _ in run.seeds].index(key)
    given[moving] = xs
    with np.errstate(all="ignore"):
        value, slope, valid = (np.array(np.broadcast_to(x, xs.shape)) for x in cached[key](*given))
    again = valid & ~(np.isfinite(value) & np.isfinite(slope))  # singular points have their own rules
    if cached[key].stricter:
        again |= ~valid
    if again.any():
        value[again], slope[again], valid[again] = _one_by_one(run, name, xs[again], tuple(entry))
    return value, slope, valid


def _compiled(run: Any, name: str, entry: tuple[int, ...]) -> Any:
    tape = run.tape
    if tape.recorded > len(tape):
        raise NoProgram("a long run in forward mode keeps no tape")
    names = {row: f"v{k}" for k, row in enumerate(row_names(tape, run.rows))}
    block = Block()
    seed = next(s for s in run.seeds if s[:2] == (name, entry))
    rows = write_by_entry(Writer(block), run, names, [seed])
    output = run.outputs[0]
    found = (output.value, 0.0) if output.rows is None else (rows.values[output.rows], rows.tangents[0][output.rows])
    ends = [_ast(x) for x in found]
    used = [block.renamed[n].id if n in block.renamed else n for e in ends for n in names_of(e)]  # type: ignore[attr-defined]
    statements = readable(without_dead(renamed([block.statements], block.renamed), used), used)[0]
    lines = [f"def program({', '.join(text(x.expression) for x in rows.inputs)}):", "    valid = True"]
    for s in statements:
        if s.kind == "guard":
            lines.append(f"    valid = both(valid, {_text(s.value)})")
        else:
            lines.append(f"    {s.target} = {_text(s.value)}")
    value, slope = (text(block.renamed.get(e.id, e)) if isinstance(e, ast.Name) else text(e) for e in ends)
    lines.append(f"    return {value}, {slope}, valid")
    program: Any = define("\n".join(lines), "program", dict(_namespace()), "curve")
    # entry by entry NumPy may ask for more than the run has decided: which of an array is the greatest
    program.stricter = any(s.kind == "guard" and not tape.ops[s.row].decision for s in statements)
    return program


def _ast(x: Any) -> ast.expr:
    return x.expression if isinstance(x, Entry) else ast.Constant(float(x))


# ---- expressions on arrays of points -------------------------------------------------------------


class _Pointwise(ast.NodeTransformer):
    """What decisions and singular points are, for many points at once."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node = cast(ast.UnaryOp, self.generic_visit(node))
        if isinstance(node.op, ast.Not):
            return ast.Call(ast.Name("negated", ast.Load()), [node.operand], [])
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        call = node.left if isinstance(node.left, ast.Call) and isinstance(node.left.func, ast.Name) else None
        if call is not None and call.func.id == "error_of":  # type: ignore[attr-defined]
            return ast.Call(ast.Name("fails", ast.Load()), [self.visit(call.args[0])], [])
        if call is not None and call.func.id == "best_of":  # type: ignore[attr-defined]
            return ast.Call(ast.Name("best_is", ast.Load()), [*map(self.visit, call.args), node.comparators[0]], [])
        if any(isinstance(x, ast.Constant) and isinstance(x.value, str) for x in node.comparators):
            raise NoProgram("the program looks at the text of a number")
        return cast(ast.expr, self.generic_visit(node))


def _text(expression: ast.expr) -> str:
    copied = ast.parse(text(expression), mode="eval").body  # the trees of statements are shared
    tree = ast.fix_missing_locations(ast.Expression(_Pointwise().visit(copied)))
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    if unknown := called - _namespace().keys():
        raise NoProgram(f"{min(unknown)} has no form for many points at once")
    return by_entry(ast.unparse(tree))


def _namespace() -> dict[str, Any]:
    """The names of the table for arrays, and those of decisions."""
    if not _NAMES:
        _NAMES.update({**numpy_names(), **_DECISIONS, "inf": np.inf, "nan": np.nan})
    return _NAMES


_NAMES: dict[str, Any] = {}


def _best_is(choose: Any, values: Any, places: Any) -> Any:
    """Whether the best of some numbers are those at these places, the first of all first."""
    best = choose(values)
    outcome = values[places[0]] == best
    for k, x in enumerate(values):
        if k not in places:
            outcome = np.logical_and(outcome, x != best)
        else:
            outcome = np.logical_and(outcome, x == best)
    return outcome


def _at_edge(partial: Callable[[], Any], limit: float) -> Any:
    value = np.asarray(partial())
    return np.where(np.isfinite(value), value, limit)


_ROUND = np.frompyfunc(lambda x, digits: round(x, digits) if np.isfinite(x) else x, 2, 1)
_DECISIONS: dict[str, Any] = {
    "negated": np.logical_not,
    "fails": lambda compute: ~np.isfinite(compute()),
    "best_is": _best_is,
    "max": lambda values: reduce(np.maximum, values),
    "min": lambda values: reduce(np.minimum, values),
    "sum": lambda values: reduce(np.add, values),
    "fsum": lambda values: reduce(np.add, values),
    "prod": lambda values: reduce(np.multiply, values),
    "hypot": lambda *values: reduce(np.hypot, values),
    "at_edge": _at_edge,
    "times": lambda p, g: np.where((np.asarray(p) == 0) | (np.asarray(g) == 0), 0.0, p * g),
    "int": np.trunc,
    "round": lambda x, digits=0: np.asarray(_ROUND(x, digits), dtype=float),  # NumPy's own differs in the last digit
    "isclose": lambda a, b, rel_tol, abs_tol: (
        (a == b) | (np.abs(a - b) <= np.maximum(rel_tol * np.maximum(np.abs(a), np.abs(b)), abs_tol))
    ),
}


# ---- where there is no such program --------------------------------------------------------------


def _one_by_one(run: Any, name: str, points: Any, entry: tuple[int, ...]) -> Curve:
    """The recorded operations at one point after the other."""
    values, slopes, valid = np.full(points.shape, np.nan), np.full(points.shape, np.nan), np.zeros(points.shape, bool)
    row, output = run.rows[name], run.outputs[0]
    for k, x in enumerate(points):
        given: Any = float(x)
        direction: Any = 1.0
        if np.shape(run.inputs[name]):
            given = np.array(run.inputs[name], dtype=float)
            direction = np.zeros(given.shape)
            given[entry], direction[entry] = x, 1.0
        try:
            tape = _again(run, {row: given})
            slope = 0.0 if output.rows is None else forward_sweep(tape, {row: direction})[output.rows]
        except (PathChanged, ArithmeticError, ValueError):
            continue
        values[k] = output.value if output.rows is None else tape.values[output.rows]
        slopes[k], valid[k] = slope, True
    return values, slopes, valid


def _again(run: Any, inputs: dict[int, Any]) -> Columns:
    if run.tape.recorded > len(run.tape):
        raise PathChanged(len(run.tape), None)
    return replay(run.tape, inputs, shown=run.only_shown)
