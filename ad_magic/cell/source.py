"""Where each operation stands: from a code object and an instruction to a line and a span of the user's source."""

from __future__ import annotations

import ast
import itertools
import linecache
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A place in a source: its file name, the line (from 1) and the span (line, column, end line, end column)."""

    file: str
    line: int
    span: tuple[int, int, int, int]


Positions = list[tuple[int | None, int | None, int | None, int | None]]
_POSITIONS: dict[int, tuple[CodeType, Positions]] = {}  # by identity: to hash a code object is to read it all


def _positions(code: CodeType) -> Positions:
    kept = _POSITIONS.get(id(code))
    if kept is None:
        kept = _POSITIONS[id(code)] = code, list(code.co_positions())
    return kept[1]


def place_of(code: CodeType, instruction: int) -> Place | None:
    """Where an instruction stands; columns count characters from 0. None where the code does not say.

    >>> def f(x):
    ...     return x * x
    >>> place_of(f.__code__, len(f.__code__.co_code) - 2).line - f.__code__.co_firstlineno
    1
    """
    positions = _positions(code)
    at = instruction // 2
    if not 0 <= at < len(positions):
        return None
    line, end_line, column, end_column = positions[at]
    if line is None or end_line is None or column is None or end_column is None:
        return None if line is None else Place(code.co_filename, line, (line, 0, line, 0))
    file = code.co_filename
    return Place(file, line, (line, _characters(file, line, column), end_line, _characters(file, end_line, end_column)))


def lines_of(file: str) -> tuple[str, ...]:
    """The lines of a source, of a cell or a file, without their line ends."""
    read = linecache.getlines(file)
    kept = _LINES.get(file)
    if kept is None or kept[0] is not read:  # linecache gives the same list as long as the file is the same
        kept = _LINES[file] = read, tuple(line.rstrip("\n") for line in read)
    return kept[1]


_LINES: dict[str, tuple[list[str], tuple[str, ...]]] = {}


def _characters(file: str, line: int, column: int) -> int:
    """A column in characters; the compiler counts bytes of UTF-8."""
    text = linecache.getline(file, line)
    return column if text.isascii() else len(text.encode()[:column].decode(errors="ignore"))


@cache
def _labels(text: str) -> dict[tuple[int, int, int, int], str]:
    """For each span of an expression that is assigned to a name: the name."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return {}
    found: dict[tuple[int, int, int, int], str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _pair(target, node.value, found)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            _pair(node.target, node.value, found)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found[_span(node)] = node.target.id
    return found


def _pair(target: ast.expr, value: ast.expr, found: dict[tuple[int, int, int, int], str]) -> None:
    if isinstance(target, ast.Name):
        found.setdefault(_span(value), target.id)
        return
    lists = (ast.Tuple, ast.List)
    if isinstance(target, lists) and isinstance(value, lists) and len(target.elts) == len(value.elts):
        for t, v in zip(target.elts, value.elts, strict=True):
            _pair(t, v, found)


def _span(node: ast.expr | ast.stmt) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def label_at(place: Place) -> str | None:
    """The user's own name for the value of the expression at a place: "z" for the whole right side of `z = …`."""
    lines = lines_of(place.file)
    return _labels("\n".join(lines)).get(_in_bytes(place.span, lines))


def _in_bytes(span: tuple[int, int, int, int], lines: tuple[str, ...]) -> tuple[int, int, int, int]:
    """A span whose columns count bytes of UTF-8, as those of a syntax tree do."""
    if all(line.isascii() for line in lines[span[0] - 1 : span[2]]):
        return span
    encoded = [lines[n - 1][:c].encode() for n, c in ((span[0], span[1]), (span[2], span[3]))]
    return span[0], len(encoded[0]), span[2], len(encoded[1])


LONGEST_NAME = 16


def operands_at(place: Place) -> tuple[str, ...]:
    """The operands of the operator or of the call at a place as they are written: ("X", "w") for `X @ w`; "" for one
    that is long. () where there are none."""
    lines = lines_of(place.file)
    return _operands("\n".join(lines)).get(_in_bytes(place.span, lines), ())


@cache
def _operands(text: str) -> dict[tuple[int, int, int, int], tuple[str, ...]]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return {}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            found[_span(node)] = _names((node.left, node.right), "({})")
        elif isinstance(node, ast.AugAssign):
            found[_span(node)] = _names((node.target, node.value), "({})")
        elif isinstance(node, ast.Call) and not any(isinstance(x, ast.Starred) for x in node.args):
            found[_span(node)] = _names(node.args)
    return found


def _names(nodes: Iterable[ast.expr], bracket: str = "{}") -> tuple[str, ...]:
    """The texts of expressions; `bracket` is put around one that an operator might tear apart."""
    whole = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
    texts = ((ast.unparse(x), x) for x in nodes)
    return tuple(
        "" if len(text) > LONGEST_NAME else text if isinstance(x, whole) else bracket.format(text) for text, x in texts
    )


_LOOKS = ("print", "range", "len", "str", "repr", "format", "isinstance")


def only_printed(place: Place) -> bool:
    """Whether the value made at a place only goes to print(), which may make a text of it itself."""
    path = _path(place)
    return _goes_to(path, ("print",)) or (bool(path) and _calls(path[-1], ("print",)))


def only_looked_at(place: Place) -> bool:
    """Whether the value made at a place is only printed, counted with, compared or used as an index."""
    path = _path(place)
    for outer, inner in itertools.pairwise(path):
        if isinstance(outer, (ast.FormattedValue, ast.Compare)):
            return True
        if inner is (outer.slice if isinstance(outer, ast.Subscript) else getattr(outer, "test", None)):
            return True
    return _goes_to(path, _LOOKS)


_NUMBERS = ("sum", "float", "int", "abs", "min", "max", "pow", "round")  # they take a truth value for 0 or 1


def counted_with(place: Place) -> bool:
    """Whether the comparison at a place goes on as a number: `(x > 1) * x`, `n = x > 1` with `n * x` further on."""
    path = _path(place)
    if not path or not _covers_exactly(path[-1], place.span):
        return False
    inner = path[-1]
    for outer in reversed(path[:-1]):
        if isinstance(outer, (ast.BinOp, ast.AugAssign)):
            return not isinstance(outer.op, (ast.BitAnd, ast.BitOr, ast.BitXor))
        if isinstance(outer, ast.UnaryOp) and isinstance(outer.op, (ast.USub, ast.UAdd)):
            return True
        if isinstance(outer, ast.Assign):
            names = {target.id for target in outer.targets if isinstance(target, ast.Name)}
            return outer.value is inner and _names_counted_with(path[0], names)
        if isinstance(outer, ast.Call):
            return inner is not outer.func and isinstance(outer.func, ast.Name) and outer.func.id in _NUMBERS
        if not isinstance(outer, (ast.GeneratorExp, ast.ListComp)) or inner is not outer.elt:
            return False
        inner = outer
    return False


def _covers_exactly(node: ast.AST, span: tuple[int, int, int, int]) -> bool:
    return isinstance(node, ast.Compare) and _span(node)[:2] == span[:2]


def _names_counted_with(tree: ast.AST, names: Collection[str]) -> bool:
    """Whether one of these names is an operand of arithmetic somewhere in a source."""
    for node in ast.walk(tree):
        operands: list[ast.expr] = [node.left, node.right] if isinstance(node, ast.BinOp) else []
        if isinstance(node, ast.AugAssign):
            operands = [node.value]
        bits = isinstance(getattr(node, "op", None), (ast.BitAnd, ast.BitOr, ast.BitXor))
        if not bits and any(isinstance(x, ast.Name) and x.id in names for x in operands):
            return True
    return False


def _goes_to(path: list[ast.AST], functions: Collection[str]) -> bool:
    """Whether a path leads into a call of one of these functions."""
    return any(
        _calls(outer, functions) and inner is not getattr(outer, "func", None)
        for outer, inner in itertools.pairwise(path)
    )


def _calls(node: ast.AST, functions: Collection[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions


def _path(place: Place) -> list[ast.AST]:
    try:
        tree = ast.parse("\n".join(lines_of(place.file)))
    except SyntaxError:
        return []
    return _path_to(tree, place.span)


def _path_to(tree: ast.AST, span: tuple[int, int, int, int]) -> list[ast.AST]:
    """The nodes from the root down to the one that covers exactly this span."""
    path: list[ast.AST] = [tree]
    while True:
        for child in ast.iter_child_nodes(path[-1]):
            if isinstance(child, (ast.expr, ast.stmt, ast.comprehension, ast.keyword)) and _covers(child, span):
                path.append(child)
                break
        else:
            return path


def _covers(node: ast.AST, span: tuple[int, int, int, int]) -> bool:
    if isinstance(node, ast.comprehension):
        return any(_covers(child, span) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
    placed: Any = node  # an expression, a statement or a keyword: ast.AST in general has no place
    start, end = (placed.lineno, placed.col_offset), (placed.end_lineno, placed.end_col_offset)
    return start <= span[:2] and span[2:] <= end


def title_of(file: str, cells: dict[str, int]) -> str:
    """What to call a source: "cell 2" for a cell (`cells` maps file names to their numbers), else the file's name."""
    return f"cell {cells[file]}" if file in cells else Path(file).name
