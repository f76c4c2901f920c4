"""A value with its tangents, and giving it a name: the statements that are written."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ad_magic.codegen.expressions import constant, name, parse, text

from .layout import OTHER, PRIMAL, TANGENT, Line
from .outside import Names
from .scopes import CannotInterleave, Scope, Twin
from .sorts import (
    BOTTOM,
    UNKNOWN,
    Heap,
    Sort,
    join,
)

Z = "__z__"  # in a tangent: the value that it belongs to

COMPACT = 140  # in the compact style, tangents that are longer are split


@dataclass
class Value:
    """An expression that has been looked at: itself, its tangents by seed (absent: zero), and what it is."""

    primal: ast.expr
    tangents: Mapping[str, ast.expr] = field(default_factory=dict)
    sort: Sort = UNKNOWN

    @property
    def atomic(self) -> bool:
        """Whether it is a name or a number."""
        return isinstance(self.primal, (ast.Name, ast.Constant)) and not is_z(self.primal)


def is_z(node: ast.AST) -> bool:
    """Whether it stands for the value itself."""
    return isinstance(node, ast.Name) and node.id == Z


def replaced(node: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
    """The expression with others for some of its names, functions too."""

    class Replace(ast.NodeTransformer):
        def visit_Name(self, one: ast.Name) -> ast.expr:
            return names.get(one.id, one)

    return Replace().visit(ast.parse(ast.unparse(node), mode="eval").body)


def names_of(node: ast.AST) -> set[str]:
    """All names in an expression."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def call(function: str, *args: ast.expr) -> ast.Call:
    """A call of a function, by its (dotted) name."""
    return ast.Call(parse(function), list(args), [])


def simple(node: ast.expr) -> bool:
    """Whether it is a name, a number, or an entry by a name or a number."""
    if isinstance(node, ast.Subscript):
        return simple(node.value) and _simple_index(node.slice)
    return isinstance(node, (ast.Name, ast.Constant))


def _simple_index(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple):
        return all(map(_simple_index, node.elts))
    if isinstance(node, ast.BinOp):
        return simple(node.left) and simple(node.right)
    return simple(node) or constant(node) is not None


class Held(ast.expr):
    """A value that has been looked at, in the place of an expression."""

    _fields = ()

    def __init__(self, held: Value) -> None:
        super().__init__()
        self.held = held


def hold(value: Value) -> ast.expr:
    """A value in the place of an expression."""
    return Held(value)


class Values:
    """What is known while a program is written. `out` are the statements of the block that is being written."""

    names: Names
    heap: Heap
    scope: Scope
    cell: Scope
    out: list[Line]
    style: str
    suffixes: dict[str, str]
    prefix: str
    letter: str
    count: int
    line: int
    refused: list[CannotInterleave]
    node_twins: dict[ast.AST, Twin]
    effects: set[str]
    constant_sites: dict[str, Sort]
    wrappers: dict[Any, Any]
    memory: dict[Any, Sort]
    chosen: dict[Any, str]
    spoken: set[str]
    comprehended: dict[Any, set[str]]
    offset = 0
    activity = 0  # how many statements have carried a derivative
    last = 0  # the last line of the source that has been written
    hidden: frozenset[str] = frozenset()
    source = ""
    nobody = "_"
    has_numpy = False  # whether the program may have arrays

    # ---- small things ----

    def refuse(self, why: str, node: ast.AST | None = None) -> Value:
        """What cannot be interleaved; it is raised when all is known."""
        line = getattr(node, "lineno", None)
        line = self.line if line is None else line + self.offset
        where = (
            f"line {line}" if self.scope.twin is None or not self.scope.twin.outside else f"in {self.scope.twin.name}"
        )
        self.refused.append(CannotInterleave(f"{where}: {why}"))
        # it counts as active: what it is part of must not be taken for plain
        lost: dict[str, ast.expr] = dict.fromkeys(self.suffixes, ast.Constant(0.0))
        return Value(ast.Constant(None), lost, Sort(frozenset({"unknown"}), frozenset(self.suffixes)))

    def temp(self) -> str:
        """v1, v2, …"""
        self.count += 1
        return f"{self.letter}{self.count}"

    def dot(self, variable: str, seed: str) -> str:
        """The name of a tangent."""
        return f"{self.prefix}{variable}{self.suffixes[seed]}"

    def seeds(self, sort: Sort) -> list[str]:
        """The seeds along which a value has a tangent, in order."""
        found = self.heap.seeds(sort)
        return [s for s in self.suffixes if s in found]

    def emit(self, node: str | ast.stmt, role: str = OTHER) -> None:
        """A statement of the block."""
        self.activity += role == TANGENT
        self.out.append(Line(node if isinstance(node, str) else ast.unparse(ast.fix_missing_locations(node)), role))

    def use(self, helper: str) -> str:
        """A helper, and what it needs."""
        return self.names.helper(helper)

    def variable(self, name_: str) -> str:
        """The name that a variable has in the program: that of a comprehension may be another."""
        scope: Scope | None = self.scope
        while scope is not None:
            for names in reversed(scope.renamed):
                if name_ in names:
                    return names[name_]
            if name_ in scope.bound:
                return name_
            scope = scope.parent
        return name_

    def fact(self, owner: Scope, variable: str) -> Sort:
        """What a variable may be."""
        return owner.facts.get(variable, BOTTOM)

    def learn(self, owner: Scope, variable: str, sort: Sort) -> Sort:
        """A variable may be this too."""
        old = owner.facts.get(variable, BOTTOM)
        new = join(old, sort)
        if new != old or new.known is not old.known:
            if new != old:
                self.heap.changed = True
            owner.facts[variable] = new
        self.heap.settle(new)
        return new

    def site(self, node: ast.AST) -> Any:
        """The name of what is made at a place in the source."""
        place = [getattr(node, p, 0) for p in ("lineno", "col_offset", "end_lineno", "end_col_offset")]
        return (type(node).__name__, *place, id(self.scope))

    # ---- giving a value a name ----

    def bind(self, target: str, value: Value, owner: Scope | None = None, temporary: Sort | None = None) -> None:
        """`target = value` and its tangents: before it where they need the old value of the target.

        `temporary`: what the target may be, where it is v1, v2, …
        """
        if temporary is None:
            fact = self.learn(owner or self.scope.owner(target) or self.scope, target, value.sort)
        else:
            fact = temporary
            self.heap.settle(fact)
        seeds = self.seeds(fact)
        value = self.fresh_copy(value)
        tangents = {s: self.tangent(value, s) for s in seeds}
        found = [names_of(t) for t in tangents.values()]
        old = any(target in names for names in found)
        new = any(Z in names for names in found)
        if old and new:
            t = self.temp()
            self.bind(t, value, temporary=value.sort)
            self.bind(target, self.of_name(t, value.sort), owner, temporary)
            return
        itself = name(target)
        primal = [Line(f"{target} = {text(value.primal)}", PRIMAL)]
        lines = []
        for s in seeds:
            written = text(replaced(tangents[s], {Z: itself}) if new else tangents[s])
            if written != self.dot(target, s):
                lines.append(Line(f"{self.dot(target, s)} = {written}", TANGENT))
        self.activity += len(seeds)
        self.out += lines + primal if old else primal + lines

    def of_name(self, variable: str, sort: Sort) -> Value:
        """The value that a name stands for, with the tangents that it has."""
        return Value(name(variable), {s: name(self.dot(variable, s)) for s in self.seeds(sort)}, sort)

    def fresh_copy(self, value: Value) -> Value:
        """An array that is new has tangents of its own, where the program writes into arrays."""
        if not (self.names.writes and value.sort.may("array")) or isinstance(
            value.primal, (ast.Name, ast.Subscript, ast.Attribute)
        ):
            return value
        tangents = {
            s: call(f"{self.names.numpy()}.copy", t) if isinstance(t, ast.Name) else t
            for s, t in value.tangents.items()
        }
        return replace(value, tangents=tangents)

    def atom(self, value: Value) -> Value:
        """The value as a name: it is given one where it has none."""
        if value.atomic:
            return value
        t = self.temp()
        self.bind(t, value, temporary=value.sort)
        return self.of_name(t, value.sort)

    def elementary(self, value: Value) -> Value:
        """The value as an operand of an elementary operation: a name where it is active."""
        if not value.tangents:
            return value
        if self.style == "compact":
            size = max(len(text(t)) for t in (value.primal, *value.tangents.values()))
            simple = value.sort.only("number", "int", "array") and size < COMPACT
            if simple:
                return self.settled(value)
        return self.atom(value)

    def settled(self, value: Value) -> Value:
        """The value with itself in its tangents, written out."""
        if not any(Z in names_of(t) for t in value.tangents.values()):
            return value
        return replace(value, tangents={s: replaced(t, {Z: value.primal}) for s, t in value.tangents.items()})

    def term(self, value: Value) -> Value:
        """An operand of a sum: a multiple of a name may stay as it is."""
        node = value.primal
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, (ast.Mult, ast.Div))
            and value.sort.only("number", "array")
        ):
            parts = [node.left, node.right] if isinstance(node.op, ast.Mult) else [node.left]
            other = node.right if parts[0] is node.left else node.left
            if len(parts) == 1:
                other = node.right
            multiple = constant(other) is not None and isinstance(parts[0], ast.Name)
            if isinstance(node.op, ast.Mult) and constant(node.left) is not None:
                multiple = isinstance(node.right, ast.Name)
            if multiple and not any(Z in names_of(t) for t in value.tangents.values()):
                return value
        return self.elementary(value)

    def append(self, variable: str, sort: Sort, value: Value) -> None:
        """variable.append(value), and so for the tangents."""
        self.emit(f"{variable}.append({text(value.primal)})", PRIMAL)
        value = self.settled(value)
        for s in self.seeds(sort):
            self.emit(f"{self.dot(variable, s)}.append({text(self.tangent(value, s))})", TANGENT)

    # ---- tangents that are zero ----

    def tangent(self, value: Value, seed: str) -> ast.expr:
        """The tangent along a seed; where it is absent, zeros in the arrangement of the value."""
        found = value.tangents.get(seed)
        return found if found is not None else self.zero(value.primal, value.sort)

    def zero(self, node: ast.expr, sort: Sort) -> ast.expr:
        """Zeros in the arrangement of a plain value."""
        if isinstance(node, (ast.List, ast.Tuple)):
            parts = [
                ast.Starred(self.zero(x.value, UNKNOWN), ast.Load())
                if isinstance(x, ast.Starred)
                else self.zero(x, self._part(sort))
                for x in node.elts
            ]
            return type(node)(parts, ast.Load())
        if isinstance(node, ast.Dict) and all(k is not None for k in node.keys):
            return ast.Dict(list(node.keys), [self.zero(v, self._part(sort)) for v in node.values])
        if isinstance(node, ast.Constant) or sort.only("number", "int", "object", "function") or not sort.kinds:
            return ast.Constant(0.0)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.left, ast.List):
            return ast.BinOp(self.zero(node.left, sort), ast.Mult(), node.right)
        if sort.only("tuple") and sort.items is not None and all(i.only("number", "int", "object") for i in sort.items):
            return ast.Tuple([ast.Constant(0.0) for _ in sort.items], ast.Load())
        if sort.only("array"):
            return call(f"{self.names.numpy()}.zeros_like", node if not isinstance(node, ast.Call) else name(Z))
        if not sort.may("list", "tuple", "dict", "array"):
            return ast.Constant(0.0)
        return call(self.use("zeros"), node if isinstance(node, ast.Name) else name(Z))

    def _part(self, sort: Sort) -> Sort:
        return self.heap.element(sort) if sort.may("list", "tuple", "dict") else sort

    def _tangent_sequence(self, value: Value, seed: str) -> ast.expr:
        found = value.tangents.get(seed)
        return found if found is not None else ast.parse(f"[0.0] * len({text(value.primal)})", mode="eval").body

    # ---- what is said further down ----

    def visit(self, node: ast.expr, target: str | None = None) -> Value:
        """What an expression is worth."""
        raise NotImplementedError

    def block(self, body: list[ast.stmt]) -> list[Line]:
        """The statements of a block."""
        raise NotImplementedError

    def segment(self, node: ast.stmt) -> str:
        """The source of a statement."""
        raise NotImplementedError

    def do_Return(self, node: ast.Return) -> None:
        """`return` in a twin."""
        raise NotImplementedError

    def call_functions(self, node: ast.Call, callee: Value, target: str | None = None) -> Value:
        """A call of functions of the user."""
        raise NotImplementedError

    def call_in_look(self, node: ast.Call) -> ast.expr:
        """A call in an expression of which only the value matters."""
        raise NotImplementedError

    def listed(self, node: ast.expr) -> Value:
        """What an iterable expression goes through, as a list or what can be gone through again."""
        raise NotImplementedError

    def method(self, node: ast.Call, function: ast.Attribute, value: Value) -> Value:
        """A call of a method."""
        raise NotImplementedError

    def visit_Lambda(self, node: ast.Lambda, given: str | None = None) -> Value:
        """A lambda becomes a function with a name."""
        raise NotImplementedError

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Value:
        """`name := value`"""
        raise NotImplementedError

    def product_of_arrays(self, node: ast.BinOp, left: Value, right: Value) -> Value:
        """left @ right"""
        raise NotImplementedError

    def argument(self, node: ast.expr) -> Value:
        """A value that is given away; a function of the library becomes one of the program's."""
        raise NotImplementedError

    def made(self, node: ast.AST, shape: tuple[int, ...] | None, seeds: Sequence[str], whole: bool = False) -> Sort:
        """What an operation on arrays makes."""
        raise NotImplementedError

    def as_array(self, value: Value, args: Sequence[Value], node: ast.AST) -> Value:
        """The value as an array, where its operands may be some."""
        raise NotImplementedError

    def entry_of_array(self, sort: Sort, index: ast.expr) -> Sort:
        """What an entry of an array may be, or a part of it."""
        raise NotImplementedError

    def attribute_of_array(self, node: ast.Attribute, value: Value) -> Value:
        """An attribute of an array."""
        raise NotImplementedError

    def is_numpy(self, thing: Any) -> bool:
        """Whether it is a function of NumPy."""
        raise NotImplementedError

    def call_numpy(self, node: ast.Call, callee: Value, thing: Any) -> Value:
        """A call of a function of NumPy."""
        raise NotImplementedError

    def method_of_array(self, node: ast.Call, function: ast.Attribute, value: Value) -> Value:
        """A call of a method of an array."""
        raise NotImplementedError

    def is_plain_comprehension(self, node: Any) -> bool:
        """Whether a comprehension has no tangent."""
        raise NotImplementedError

    def comprehension_sort(self, node: ast.ListComp) -> Sort:
        """What a comprehension makes."""
        raise NotImplementedError
