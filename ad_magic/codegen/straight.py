"""The recorded run as a straight-line program: values then tangents, or values then adjoints from the output back."""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ad_magic.engine.tape import Columns, depended_on, has_no_row
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import PLAIN

from .expressions import name, parse, put
from .loops import Lines, folded
from .naming import clashing, free_letters
from .program import Block, Statement, names_of, numbered, readable, renamed, without_dead
from .sweeps import write_adjoints, write_tangents
from .symbols import NoProgram, PlainNeeded, Symbol, Writer, bare, tree
from .values import Values, write_values

LONGEST = 200_000  # operations that a program is written of


# what a program may use otherwise
RESERVED = frozenset(
    ("np", "derivative", "tangent", "adjoints", "zero", "base64", "scipy", *dir(math), *PLAIN, *dir(builtins))
)


@dataclass
class Straight:
    """A straight-line program of one kind, as data: what a printer needs to know.

    `values` and `sweep` are statements; the sweep is run once where `bars` and `directions` are empty, else it is a
    function of them: the adjoints of the outputs, or the tangents of the inputs.
    """

    kind: str
    run: Any
    names: dict[int, str]
    values: Lines
    sweep: Lines
    parameters: list[str] = field(default_factory=list)  # of the sweep, where it is a function
    outputs: list[Any] = field(default_factory=list)  # of each output the nested expressions of its value
    derivatives: Any = None  # what the sweep gives, see `python`
    constants: dict[str, Any] = field(default_factory=dict)
    helpers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    written: list[Statement] = field(default_factory=list)  # the sweep before anything is folded

    @property
    def inputs(self) -> list[str]:
        """What the inputs are called, most often as they are by the user."""
        return [self.names[row] for row in self.run.rows.values()]

    @property
    def one(self) -> ast.expr:
        """The seed of a sweep. Next to an array of lower precision a number of Python would have that too."""
        arrays = (*self.run.tape.values, *self.constants.values())
        lower = any(getattr(z, "dtype", None) in (np.float32, np.float16) for z in arrays)
        return parse("np.float64(1.0)") if lower else ast.Constant(1.0)


def row_names(tape: Columns, inputs: Mapping[str, int]) -> dict[int, str]:
    """What the rows are called: the inputs by their names, the others v3, v4, … as in the table."""
    letter = free_letters(("v", "w", "u", "q", "vv"), inputs)
    names = {row: label for label, row in inputs.items()}
    listed = 0
    for row, (op, value) in enumerate(zip(tape.ops, tape.values, strict=True)):
        if not has_no_row(op, value):
            listed += 1
            names.setdefault(row, f"{letter}{listed}")
    return names


def straight(run: Any, kind: str, reserved: Collection[str] = ()) -> Straight:
    """The program of a run, `kind` "forward" or "reverse", or "values" alone. Raises NoProgram.

    An input is called as it is by the user, unless the program has something else of that name; `reserved` are names
    that the printer uses.
    """
    tape = run.tape
    if tape.recorded > len(tape):
        raise NoProgram("a long run in forward mode keeps no tape: run the cell with --mode reverse")
    if len(tape) > LONGEST:
        raise NoProgram(f"a run of {len(tape):,} operations is too long to be written down")
    program = _written(run, kind, {}, reserved)
    others = clashing(program, reserved)
    return _written(run, kind, others, reserved) if others else program


def _written(run: Any, kind: str, others: Mapping[str, str], reserved: Collection[str]) -> Straight:
    """The program, with other names for some of the inputs."""
    tape = run.tape
    rows = {others.get(label, label): row for label, row in run.rows.items()}
    names = row_names(tape, rows)
    block = Block(letter=free_letters(("t", "s", "p", "tt"), rows))
    writer = Writer(block, free_letters(("c", "k", "b", "cc"), rows))
    inputs = {row: Symbol(writer, name(names[row]), run.inputs[label]) for label, row in run.rows.items()}
    writer.taken = {f"{d}{label}{bar}" for label in names.values() for d in ("", "d") for bar in ("", "_bar")}
    writer.taken |= RESERVED.union(reserved)
    program = Straight(kind, run, names, [], [], constants=writer.constants, helpers=writer.helpers)
    try:
        values = write_values(writer, tape, inputs, names, _used(run), run.only_shown, run.operands)
        program.outputs = [_nested(o.rows, _reader(values, writer), o.value) for o in run.outputs]
        if kind != "values":
            (_forward if kind == "forward" else _reverse)(program, writer, values)
    except NoProgram as error:
        line = run.line_of(writer.row)
        said = _called(tape.ops[writer.row]) if isinstance(error, PlainNeeded) else error
        raise NoProgram(f"line {line}: {said}" if line else str(said)) from None
    _finish(program, block)
    return program


def _reader(values: Values, writer: Writer) -> Callable[[int | None, Any], ast.expr]:
    return lambda row, old: tree(old if row is None else values[row], writer)


def _called(op: Any) -> str:
    home = getattr(getattr(op.rule, "value", None), "__module__", None) or ""
    name = f"{home}.{op.name}" if home.startswith("scipy") else op.name
    return f"{name} has no straight-line program: it is carried out by code that cannot be written down"


def _used(run: Any) -> bytearray:
    """The rows that outputs and decisions depend on."""
    tape, shown = run.tape, run.only_shown
    ends = {row for output in run.outputs for row in output.parts}
    decisions = [i for i, op in enumerate(tape.ops) if op.decision and i not in shown]
    ends.update(parent for i in decisions for parent in tape.parents(i))
    return depended_on(tape, ends)


def _nested(rows: Any, leaf: Callable[[Any, Any], Any], old: Any) -> Any:
    """The same nesting with `leaf(row, recorded value)` for its rows."""
    if isinstance(rows, list):
        return [_nested(row, leaf, x) for row, x in zip(rows, old, strict=True)]
    return leaf(rows, old)


# ---- reverse -------------------------------------------------------------------------------------


def _reverse(program: Straight, writer: Writer, values: Values) -> None:
    run = program.run
    outer, writer.block = writer.block, Block(writer.block)
    single = len(run.outputs) == 1 and run.outputs[0].scalar
    rows = list(dict.fromkeys(row for output in run.outputs for row in output.parts))
    seeds = {}
    for row in rows:
        label = f"{program.names[row]}_bar"
        shape = np.shape(bare(values[row]))
        seeds[row] = Symbol(writer, name(label), np.ones(shape) if shape else 1.0)
        if single:
            writer.block.statements.append(Statement(label, program.one, row, "adjoint"))
        else:
            program.parameters.append(label)
    adjoints = write_adjoints(writer, run.tape, values, seeds, program.names)
    program.derivatives = {label: _shaped(writer, adjoints[row], run.inputs[label]) for label, row in run.rows.items()}
    program.written = writer.block.statements
    writer.block = outer


def _shaped(writer: Writer, derivative: Any, like: Any) -> ast.expr:
    """A derivative with the shape of its input; absent is zero."""
    shape = np.shape(like)
    if np.shape(bare(derivative)) != shape:
        if not isinstance(derivative, Symbol):
            return tree(np.broadcast_to(np.float64(derivative), shape), writer)
        derivative = np.broadcast_to(derivative, shape)
    return tree(derivative, writer)


# ---- forward -------------------------------------------------------------------------------------


def _forward(program: Straight, writer: Writer, values: Values) -> None:
    run = program.run
    outer, writer.block = writer.block, Block(writer.block)
    rows = run.rows
    if any(np.shape(x) for x in run.inputs.values()):  # a function of the direction
        seeds = {}
        for label, row in rows.items():
            shape = np.shape(run.inputs[label])
            program.parameters.append(f"d{program.names[row]}")
            seeds[row] = Symbol(writer, name(f"d{program.names[row]}"), np.ones(shape) if shape else 1.0)
        names = {row: f"d{label}" for row, label in program.names.items()}
        tangents = write_tangents(writer, run.tape, values, seeds, names)
        program.derivatives = [_tangents_of(writer, o, tangents) for o in run.outputs]
    else:
        program.derivatives = {}
        for label, row in rows.items():
            suffix = f"_{label}" if len(rows) > 1 else ""
            names = {r: f"d{n}{suffix}" for r, n in program.names.items()}
            writer.block.statements.append(Statement(names[row], program.one, row, "tangent"))
            seed = Symbol(writer, name(names[row]), 1.0)
            tangents = write_tangents(writer, run.tape, values, {row: seed}, names)
            program.derivatives[label] = [_tangents_of(writer, o, tangents) for o in run.outputs]
    program.written = writer.block.statements
    writer.block = outer


def _tangents_of(writer: Writer, output: Any, tangents: Sequence[Any]) -> Any:
    def leaf(row: int | None, old: Any) -> ast.expr:
        t = 0.0 if row is None else tangents[row]
        return _shaped(writer, t, old)

    return _nested(output.rows, leaf, output.value)


# ---- what is left --------------------------------------------------------------------------------


def _finish(program: Straight, block: Block) -> None:
    """Leave what is needed, readable."""
    ends = _changed((program.outputs, program.derivatives), block.renamed)
    used = [n for e in _expressions(ends) for n in names_of(e)]
    statements = renamed([block.statements, program.written], block.renamed)
    blocks = readable(without_dead(statements, used), used)
    ends = _changed(ends, numbered(blocks, block.letter))
    left = {n for e in _expressions(ends) for n in names_of(e)}
    (program.values, program.sweep), new = folded(blocks, left, program.inputs)
    program.outputs, program.derivatives = _changed(ends, new)


def _changed(x: Any, new: Mapping[str, ast.expr]) -> Any:
    """The same nesting with other names in its expressions."""
    if isinstance(x, ast.expr):
        return put(x, new)
    if isinstance(x, dict):
        return {k: _changed(y, new) for k, y in x.items()}
    return type(x)(_changed(y, new) for y in x) if isinstance(x, (list, tuple)) else x


def _expressions(x: Any) -> Iterator[ast.expr]:
    if isinstance(x, ast.expr):
        yield x
    for y in x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else ():
        yield from _expressions(y)
