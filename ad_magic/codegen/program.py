"""A straight-line program: statements that assign each name once, and what makes them few and readable.

The names of statements are `v7` (the value of a row), `dv7_x` (its tangent along the seed x), `v7_bar` (its adjoint;
`v7_bar.2` is the sum after a second contribution) and `t3` (a part of an expression that has no name of its own).
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .expressions import name, put, text

INTO = "__into__"  # __into__(a, index, x) is what a is after a[index] += x
LONGEST = 88  # so long may the text of an expression become when parts of it are put in their places
_READABLE = 3_000  # longer programs are left as they are: nobody reads them


@dataclass(slots=True)
class Statement:
    """target = value; of a guard the value must be true. A guard and a note have no target."""

    target: str
    value: ast.expr
    row: int  # on the tape: where it belongs
    kind: str  # value, tangent, adjoint, part, guard, note


class Block:
    """Statements as they are written. What was computed before under another name is not computed again."""

    def __init__(self, outer: Block | None = None, letter: str = "t") -> None:
        """A block inside another one sees what that one has computed. Parts are called `letter` and a number."""
        self.letter: str = letter if outer is None else outer.letter
        self.statements: list[Statement] = []
        self._known: dict[Any, ast.Name] = {} if outer is None else dict(outer._known)
        self._parts: list[int] = outer._parts if outer is not None else [0]
        self._guards: set[str] = outer._guards if outer is not None else set()
        self.renamed: dict[str, ast.Name] = outer.renamed if outer is not None else {}

    def assign(self, target: str, value: ast.expr, row: int, kind: str) -> ast.expr:
        """Write a statement; returns the name under which its value is known.

        >>> from ad_magic.codegen.expressions import parse
        >>> block = Block()
        >>> one = block.assign("v3", parse("sin(x) * sin(x)"), 2, "value")
        >>> two = block.assign("v4", parse("sin(x)"), 3, "value")
        >>> [f"{s.target} = {text(s.value)}" for s in block.statements], text(two)
        (['t1 = sin(x)', 'v3 = t1 * t1'], 't1')
        """
        value, key = self._elementary(value, row)
        if kind == "value" and key in self._known:
            return self._known[key]
        self.statements.append(Statement(target, value, row, kind))
        found = name(target)
        if kind != "adjoint" and key is not None:  # what is added to an adjoint later would change it
            self._known.setdefault(key, found)
        return found

    def atom(self, value: ast.expr, row: int) -> ast.expr:
        """A name or a number for an expression; its parts become statements."""
        if _key(value) is not None:
            return value
        value, key = self._elementary(value, row)
        if key in self._known:
            return self._known[key]
        self._parts[0] += 1
        target = f"{self.letter}{self._parts[0]}"
        self.statements.append(Statement(target, value, row, "part"))
        if key is None:
            return name(target)
        return self._known.setdefault(key, name(target))

    def named(self, target: str, value: ast.expr, row: int, kind: str = "value") -> ast.expr:
        """A name for a value that was just computed as a part; one that was computed before keeps its own."""
        last = self.statements[-1] if self.statements else None
        if last is None or last.kind != "part" or not isinstance(value, ast.Name) or last.target != value.id:
            return value
        found = name(target)
        for key in reversed(self._known):
            if self._known[key] is value:
                self._known[key] = found
            break
        self.statements[-1] = Statement(target, last.value, row, kind)
        self.renamed[last.target] = found
        return found

    def now(self, target: str) -> str:
        """What a name is called now."""
        return self.renamed[target].id if target in self.renamed else target

    def guard(self, condition: ast.expr, row: int) -> None:
        """From here on the condition must be true."""
        shown = text(condition)
        if shown in self._guards:
            return
        self._guards.add(shown)
        self.statements.append(Statement("", condition, row, "guard"))

    def asked(self) -> tuple[int, frozenset[str]]:
        """What was asked so far: for `unasked`."""
        return len(self.statements), frozenset(self._guards)

    def unasked(self, before: tuple[int, frozenset[str]]) -> None:
        """Take back the conditions since."""
        count, guards = before
        kept = [s for s in self.statements[count:] if s.kind not in ("guard", "note")]
        self.statements[count:] = kept
        self._guards.intersection_update(guards)

    def note(self, row: int) -> None:
        """A decision was made here that cannot be written down: it is not asked again."""
        self.statements.append(Statement("", ast.Constant(None), row, "note"))

    def _elementary(self, value: ast.expr, row: int) -> tuple[ast.expr, Any]:
        """The expression with names and numbers for its parts, and what tells it from others (None: nothing)."""
        if isinstance(value, ast.BinOp):
            left, right = self.atom(value.left, row), self.atom(value.right, row)
            keys: Any = (_key(left), _key(right))
            if isinstance(value.op, (ast.Add, ast.Mult)):
                keys = tuple(sorted(keys))
            return ast.BinOp(left, value.op, right), (type(value.op), *keys)
        if isinstance(value, ast.UnaryOp):
            operand = self.atom(value.operand, row)
            return ast.UnaryOp(value.op, operand), (type(value.op), _key(operand))
        if isinstance(value, ast.Call) and not any(isinstance(x, ast.Lambda) for x in value.args):
            args = [self._argument(x, row) for x in value.args]
            keywords = [ast.keyword(k.arg, self._argument(k.value, row)) for k in value.keywords]
            value = ast.Call(value.func, args, keywords)
        elif isinstance(value, ast.Subscript):
            value = ast.Subscript(self.atom(value.value, row), value.slice, ast.Load())
        elif isinstance(value, ast.Attribute):
            value = ast.Attribute(self.atom(value.value, row), value.attr, ast.Load())
        elif _key(value) is not None:
            return value, None
        return value, text(value)

    def _argument(self, value: ast.expr, row: int) -> ast.expr:
        if isinstance(value, ast.List | ast.Tuple):
            return type(value)([self._argument(x, row) for x in value.elts], ast.Load())
        if isinstance(value, ast.BinOp | ast.UnaryOp | ast.Call | ast.Subscript | ast.Attribute):
            return self.atom(value, row)
        return value


def _key(value: ast.expr) -> str | None:
    """The text of a name or a number, else None."""
    if isinstance(value, ast.Name):
        return value.id
    if isinstance(value, ast.Constant):
        return repr(value.value)
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub) and isinstance(value.operand, ast.Constant):
        return f"-{value.operand.value!r}"
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id == "np":
        return f"np.{value.attr}"
    return None


# ---- passes --------------------------------------------------------------------------------------


def names_of(value: ast.AST) -> list[str]:
    """The names that an expression reads, one for each use."""
    found: list[str] = []
    _collect(value, found)
    return found


def _collect(node: ast.AST, found: list[str]) -> None:
    if isinstance(node, ast.Name):
        found.append(node.id)
    elif isinstance(node, ast.BinOp):
        _collect(node.left, found)
        _collect(node.right, found)
    elif not isinstance(node, ast.Constant):
        for part in ast.iter_child_nodes(node):
            _collect(part, found)


def renamed(blocks: list[list[Statement]], new: Mapping[str, ast.expr]) -> list[list[Statement]]:
    """Blocks in which parts that were given a name later have it everywhere."""
    for statements in blocks:
        for s in statements:
            s.value = put(s.value, new)
    return blocks


def without_dead(blocks: list[list[Statement]], used: Iterable[str]) -> list[list[Statement]]:
    """The statements of blocks, in the order in which they are run, that something depends on in the end."""
    needed = set(used)
    kept: list[list[Statement]] = []
    for statements in reversed(blocks):
        left = []
        for s in reversed(statements):
            if not s.target or s.target in needed:
                left.append(s)
                needed.update(names_of(s.value))
        kept.append(left[::-1])
    return kept[::-1]


def readable(blocks: list[list[Statement]], ends: Iterable[str] = ()) -> list[list[Statement]]:
    """Blocks in which parts that are used once stand where they are used; `ends` are names that are used at the end."""
    if sum(map(len, blocks)) > _READABLE:
        return blocks
    uses = Counter(n for statements in blocks for s in statements for n in names_of(s.value))
    uses.update(n for n in ends for _ in range(2))  # they keep their names
    pending: dict[str, ast.expr] = {}
    result: list[list[Statement]] = []
    for statements in blocks:
        left = []
        for s in statements:
            value = put(s.value, pending) if pending else s.value
            if s.kind == "part" and uses[s.target] == 1 and len(text(value)) <= LONGEST:
                pending[s.target] = value
            else:
                left.append(Statement(s.target, value, s.row, s.kind))
        result.append(left)
    return result


def numbered(blocks: list[list[Statement]], letter: str = "t") -> dict[str, ast.expr]:
    """Call the parts that are left t1, t2, …; returns the new names by the old ones."""
    new: dict[str, ast.expr] = {}
    for statements in blocks:
        for s in statements:
            s.value = put(s.value, new)
            if s.kind == "part":
                label = f"{letter}{len(new) + 1}"
                new[s.target] = name(label)
                s.target = label
    return new


def is_into(value: ast.expr) -> bool:
    """Whether an expression is that of a[index] += x."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == INTO


def base(target: str) -> str:
    """The name as it is written: "v7_bar" for "v7_bar.2"."""
    return target.partition(".")[0]


def code_of(value: ast.expr) -> str:
    """The text of an expression, its names as they are written."""
    return re.sub(r"(_bar)\.\d+", r"\1", text(value))
