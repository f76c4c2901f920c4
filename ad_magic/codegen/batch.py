"""A recorded run at many inputs at once: its statements with arrays of points in the place of numbers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple, cast

from ad_magic.engine.tape import Columns, PathChanged, forward_sweep, replay
from ad_magic.rules import by_entry, define
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import numpy_names

from .entries import write_by_entry
from .expressions import text
from .program import Block, names_of, readable, renamed, without_dead
from .straight import row_names
from .symbols import Entry, NoProgram, Writer

Seed = tuple[str, tuple[int, ...]]  # an input, or an entry of one


class Number(NamedTuple):
    """A number of a run: an entry of a row of its tape, or a constant, where `row` is None.

    `within` is the number of rows of the tape that must come out as recorded; None for all of them.
    """

    row: int | None
    place: tuple[int, ...] = ()
    constant: float = 0.0
    within: int | None = None


def curve(
    run: Any, name: str, points: Sequence[float], entry: tuple[int, ...] = (), of: Number | None = None
) -> tuple[Any, Any, Any]:
    """(values, slopes, valid) of the first output along one input, or one entry of it, the others as they are.

    Three arrays, one entry for each point: the output, its derivative with respect to this input, and whether all
    decisions come out there as recorded (where they do not, the two others are those of another program). Where the
    program has no value the two are NaN. With `of` they are those of another number of the run.
    Raises ValueError where the output is no single number.
    """
    return _at(run, [(name, tuple(entry))], [points], of, along=(name, tuple(entry)))


def surface(run: Any, axes: Sequence[Seed], points: Sequence[Sequence[float]], of: Number | None = None) -> Any:
    """(values, valid) of the same over several inputs: `points` has a sequence of numbers for each of the `axes`."""
    values, _, valid = _at(run, [(name, tuple(entry)) for name, entry in axes], points, of)
    return values, valid


def _at(run: Any, axes: list[Seed], points: Sequence[Any], of: Number | None, along: Seed | None = None) -> Any:
    """Values, slopes along one seed or zeros, and what is valid."""
    of = of or _output(run)
    columns = [np.asarray(xs, dtype=float) for xs in points]
    cached = run.cache.setdefault("curves", {})
    key = along, of
    if key not in cached:
        try:
            cached[key] = _compiled(run, along, of)
        except NoProgram:
            cached[key] = None
    if cached[key] is None:
        return _one_by_one(run, axes, columns, of, along)
    given = [np.asarray(run.inputs[n])[position] for n, position, _ in run.seeds]
    seeds = [(n, position) for n, position, _ in run.seeds]
    for seed, xs in zip(axes, columns, strict=True):
        given[seeds.index(seed)] = xs
    with np.errstate(all="ignore"):
        value, slope, valid = (np.array(np.broadcast_to(x, columns[0].shape)) for x in cached[key](*given))
    again = valid & ~(np.isfinite(value) & np.isfinite(slope))  # singular points have their own rules
    if cached[key].stricter:
        again |= ~valid
    if again.any():
        some = [xs[again] for xs in columns]
        value[again], slope[again], valid[again] = _one_by_one(run, axes, some, of, along)
    return value, slope, valid


def _output(run: Any) -> Number:
    output = run.outputs[0]
    if not output.scalar:
        raise ValueError(f"{output.name} is an array: a curve is that of a number")
    return Number(output.rows, (), output.value if output.rows is None else 0.0)


def _compiled(run: Any, along: Seed | None, of: Number) -> Any:
    tape = run.tape
    if tape.recorded > len(tape):
        raise NoProgram("a long run in forward mode keeps no tape")
    names = {row: f"v{k}" for k, row in enumerate(row_names(tape, run.rows))}
    block = Block()
    seeds = [next(s for s in run.seeds if s[:2] == along)] if along else []
    rows = write_by_entry(Writer(block), run, names, seeds)
    found = [of.constant if of.row is None else _entry(rows.values[of.row], of.place), 0.0]
    if of.row is not None and seeds:
        found[1] = _entry(rows.tangents[0][of.row], of.place)
    ends = [_ast(x) for x in found]
    used = [block.now(n) for e in ends for n in names_of(e)]
    asked = [s for s in block.statements if s.kind != "guard" or of.within is None or s.row < of.within]
    statements = readable(without_dead(renamed([asked], block.renamed), used), used)[0]
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


def _entry(x: Any, place: tuple[int, ...]) -> Any:
    return x[place] if place and isinstance(x, np.ndarray) else x


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
        call = node.left
        called = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        if isinstance(call, ast.Call) and called == "error_of":
            return ast.Call(ast.Name("fails", ast.Load()), [self.visit(call.args[0])], [])
        if isinstance(call, ast.Call) and called == "best_of":
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


def _one_by_one(run: Any, axes: list[Seed], points: list[Any], of: Number, along: Seed | None) -> Any:
    """The recorded operations at one point after the other."""
    shape = points[0].shape
    values, slopes, valid = np.full(shape, np.nan), np.full(shape, 0.0), np.zeros(shape, bool)
    for k, at in enumerate(zip(*points, strict=True)):
        given: dict[int, Any] = {}
        for (name, entry), x in zip(axes, at, strict=True):
            given[run.rows[name]] = _put(given.get(run.rows[name], run.inputs[name]), entry, x)
        try:
            tape = _again(run, given, of.within)
            values[k] = of.constant if of.row is None else _entry(tape.values[of.row], of.place)
            if along and of.row is not None:
                direction = {run.rows[along[0]]: _put(np.zeros(np.shape(run.inputs[along[0]])), along[1], 1.0)}
                slopes[k] = _entry(forward_sweep(tape, direction)[of.row], of.place)
        except PathChanged:
            values[k] = slopes[k] = np.nan
            continue
        except (ArithmeticError, ValueError):  # on this path, and it leads nowhere
            values[k] = slopes[k] = np.nan
        valid[k] = True
    return values, slopes, valid


def _put(value: Any, entry: tuple[int, ...], x: float) -> Any:
    """A value with one entry replaced; the number alone where it is one."""
    if not entry:
        return float(x)
    changed = np.array(value, dtype=float)
    changed[entry] = x
    return changed


def _again(run: Any, inputs: dict[int, Any], within: int | None) -> Columns:
    if run.tape.recorded > len(run.tape):
        raise PathChanged(len(run.tape), None)
    return replay(run.tape if within is None else run.tape.head(within), inputs, shown=run.only_shown)
