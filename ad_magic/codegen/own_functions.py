"""Functions of the user's with rules of their own, in a program: what they do with symbols is what is written.

They were made for numbers and arrays, so what comes out is compared with what they give for those. A function that does
not take symbols (it uses `math`, or asks what it was given) is called, and the program brings it along.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.arrays.adjoints import absent
from ad_magic.rules.arrays.frozen import np
from ad_magic.transforms import trees
from ad_magic.transforms.pairs import beside, filled

from .expressions import name
from .symbols import NoProgram, Symbol, Writer, bare, tree


def value(writer: Writer, op: Any, operands: Sequence[Any], recorded: Any) -> Any:
    """The value of such an operation. Raises NoProgram."""
    try:
        return _written(writer, op, lambda: op.value(*operands), lambda: recorded)
    except NoProgram:
        call = _call(writer, op, op.pair.f, *_arguments(op, operands))
        return writer.symbol(call, recorded)


def push(writer: Writer, op: Any, tangents: Sequence[Any], left: Any, right: Any, values: Sequence[Any], z: Any) -> Any:
    """Its tangent. Raises NoProgram."""

    def plain() -> Any:
        return op.push([bare(t) for t in tangents], left, right, [bare(x) for x in values], bare(z))

    try:
        return _written(writer, op, lambda: op.push(tangents, left, right, values, z), plain)
    except NoProgram:
        pass
    operands = op.arguments(left, right, values)
    along = [tangents[i] if on else 0.0 for i, on in zip(left, op.active, strict=True)]
    along = [np.zeros(np.shape(bare(x)))[()] if absent(t) else t for t, x in zip(along, operands, strict=True)]
    if op.pair.jvp is not None:
        return writer.symbol(_along(writer, op, operands, along), plain())
    partials = _partials(writer, op, operands, z)
    terms = [p * t for p, t in zip(partials, along, strict=True) if not absent(t)]
    return sum(terms[1:], terms[0])


def pull(writer: Writer, adjoints: Any, op: Any, g: Any, left: Any, right: Any, values: Sequence[Any], z: Any) -> None:
    """Add to the adjoints of its operands. Raises NoProgram."""

    def added(g: Any, values: Sequence[Any], z: Any) -> list[Any]:
        taken = _Taken()
        op.pull(taken, g, left, right, values, z)
        return taken

    def plain() -> list[Any]:
        return [(row, bare(c), bare(x)) for row, c, x in added(bare(g), [bare(x) for x in values], bare(z))]

    try:
        found = _written(writer, op, lambda: added(g, values, z), plain)
    except NoProgram:
        operands = op.arguments(left, right, values)
        marked = list(zip(left, op.active, operands, strict=True))
        if op.pair.vjp is None:
            found = [
                (i, p * g, x) for (i, on, x), p in zip(marked, _partials(writer, op, operands, z), strict=True) if on
            ]
        else:
            parts = _pulled(writer, op, operands, g)
            found = [(i, c, x) for (i, on, x), c in zip(marked, parts, strict=True) if on]
    for row, c, like in found:
        adjoints.put(row, c, like)


class _Taken(list[Any]):
    def put(self, row: int, c: Any, like: Any) -> None:
        self.append((row, c, like))


def _written(writer: Writer, op: Any, symbolic: Callable[[], Any], plain: Callable[[], Any]) -> Any:
    before = writer.block.asked()
    try:
        found = symbolic()
        same = _same(found, plain())
    except Exception:  # whatever functions raise that were made for other things
        same = False
    if not same:
        writer.block.unasked(before)
        raise _none(op)
    return found


def _none(op: Any) -> NoProgram:
    return NoProgram(f"{op.name} has a rule of your own: what your functions do cannot be written down")


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if absent(bare(a)) and absent(b):
        return True
    return np.shape(bare(a)) == np.shape(b) and bool(np.allclose(bare(a), b, rtol=1e-9, equal_nan=True))


# ---- calls ---------------------------------------------------------------------------------------


def _arguments(op: Any, operands: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments of a call with these operands: numbers, arrays and texts only."""
    args, options = op.template
    if op.several or options or any(map(trees.is_container, args)):
        raise _none(op)
    return filled(args, operands)


def _call(writer: Writer, op: Any, function: Any, *args: Any) -> ast.Call:
    """The call of a function that the program brings along."""
    label = getattr(function, "__name__", "")
    if not label.isidentifier() or label in writer.taken or writer.helpers.get(label, function) is not function:
        raise _none(op)
    writer.helpers[label] = function
    return ast.Call(name(label), [tree(x, writer) for x in args], [])


def _along(writer: Writer, op: Any, operands: Sequence[Any], along: Sequence[Any]) -> ast.expr:
    """The tangent that the jvp gives."""
    args = _arguments(op, operands)
    call = _call(writer, op, op.pair.jvp, tuple(args), beside(op.template, along)[0])
    return ast.Subscript(call, ast.Constant(1), ast.Load())


def _pulled(writer: Writer, op: Any, operands: Sequence[Any], g: Any) -> list[Any]:
    """The adjoints of the operands that the vjp gives."""
    made = ast.Subscript(_call(writer, op, op.pair.vjp, *_arguments(op, operands)), ast.Constant(1), ast.Load())
    call = writer.block.atom(ast.Call(made, [tree(g, writer)], []), writer.row)
    given = op.pair.vjp(*map(bare, _arguments(op, operands)))[1](bare(g))
    if not isinstance(given, (tuple, list)):
        return [Symbol(writer, call, given)]
    places = [k for k, x in enumerate(op.template[0]) if type(x).__name__ == "Hole"]
    return [writer.symbol(ast.Subscript(call, ast.Constant(k), ast.Load()), given[k]) for k in places]


def _partials(writer: Writer, op: Any, operands: Sequence[Any], z: Any) -> list[Any]:
    """The partials of a number with respect to numbers, where it is the other of jvp and vjp that is there."""
    if any(np.shape(bare(x)) for x in (*operands, z)):
        raise _none(op)
    if op.pair.vjp is not None:
        return _pulled(writer, op, operands, 1.0)
    found = []
    for k in range(len(operands)):
        unit = [1.0 if j == k else 0.0 for j in range(len(operands))]
        plain = op.pushed([bare(x) for x in operands], unit, bare(z))[0]
        found.append(writer.symbol(_along(writer, op, operands, unit), plain))
    return found
