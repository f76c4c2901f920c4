"""Scopes, functions with a twin, and the names that they bind."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .layout import Line
from .sorts import BOTTOM, Sort


class CannotInterleave(ValueError):
    """Why a source cannot be interleaved, in one sentence with the line."""


@dataclass
class Scope:
    """A function's variables, or those of the cell."""

    key: Hashable
    parent: Scope | None
    bound: set[str]
    env: dict[str, Any]  # the namespace for all other names
    facts: dict[str, Sort] = field(default_factory=dict)
    renamed: list[dict[str, str]] = field(default_factory=list)  # variables of comprehensions, innermost last
    twin: Twin | None = None
    shared: set[str] = field(default_factory=set)  # names that functions in it assign (nonlocal, global)

    def owner(self, name: str) -> Scope | None:
        """The scope whose variable a name is; None for a global one."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bound:
                return scope
            scope = scope.parent
        return None


@dataclass(eq=False)
class Twin:
    """A function of the user, and what is known of it: its twin computes tangents too."""

    node: ast.FunctionDef | ast.Lambda
    name: str
    scope: Scope
    source: str
    first: int  # the line of the source at which it begins, less one
    outside: bool  # from the namespace, not of the cell
    returns: Sort = BOTTOM
    active: bool = False  # whether it computes tangents
    cells: bool = True  # whether its globals are the variables of the cell
    inside: bool = False  # its source must stand inside of `derivative`
    decorators: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    linked: set[Twin] = field(default_factory=set)  # functions that may be called at the same place

    @property
    def parameters(self) -> list[ast.arg]:
        """The parameters that are given by position."""
        return [*self.node.args.posonlyargs, *self.node.args.args]

    def fact(self, name: str) -> Sort:
        """What a parameter may be."""
        return self.scope.facts.get(name, BOTTOM)


def bound_in(node: Any, inputs: set[str] | None = None) -> set[str]:
    """The names that a function (or the cell) binds itself; not those of functions and comprehensions in it."""
    names: set[str] = set(inputs or ())
    outer: set[str] = set()
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        names |= {a.arg for a in every if a is not None}
    body = node.body if isinstance(node.body, list) else [node.body]
    for one in _own(body):
        if isinstance(one, ast.Name) and isinstance(one.ctx, (ast.Store, ast.Del)):
            names.add(one.id)
        elif isinstance(one, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            names.add(one.name)
        elif isinstance(one, (ast.Global, ast.Nonlocal)):
            outer |= set(one.names)
        elif (isinstance(one, ast.ExceptHandler) and one.name) or (
            isinstance(one, (ast.MatchAs, ast.MatchStar)) and one.name
        ):
            names.add(one.name)
        elif isinstance(one, ast.MatchMapping) and one.rest:
            names.add(one.rest)
        elif isinstance(one, (ast.Import, ast.ImportFrom)):
            names |= {(a.asname or a.name).split(".")[0] for a in one.names}
    return names - outer


def _own(nodes: list[Any]) -> Iterator[ast.AST]:
    """The nodes that belong to a scope itself."""
    for node in nodes:
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            inner: list[Any] = [*getattr(node, "decorator_list", [])]
            if hasattr(node, "args"):
                inner += [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
            yield from _own(inner)
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            yield from (n for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            yield from (n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        else:
            yield from _own(list(ast.iter_child_nodes(node)))


def free_in(node: ast.AST, bound: frozenset[str] = frozenset()) -> Iterator[ast.Name]:
    """The names that are read in a class or a function and not bound in one of the functions in it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        bound |= bound_in(node)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound:
        yield node
    for one in ast.iter_child_nodes(node):
        yield from free_in(one, bound)


def shared_in(node: ast.AST) -> set[str]:
    """The names that functions inside assign in an outer scope."""
    return {name for one in ast.walk(node) if isinstance(one, (ast.Global, ast.Nonlocal)) for name in one.names}


MUTATORS = {
    "append", "extend", "insert", "pop", "remove", "sort", "reverse", "clear", "update", "setdefault", "popitem", "add",
    "discard", "fill", "put", "itemset", "resize", "partition", "setfield", "appendleft", "popleft",
}  # fmt: skip


def writes_in_place(tree: ast.AST) -> bool:
    """Whether a program writes into lists, dicts or arrays."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            return True
        if isinstance(node, ast.Call) and any(k.arg == "out" for k in node.keywords):
            return True
        if isinstance(node, ast.AugAssign):
            return True
    return False
