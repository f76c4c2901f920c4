"""Expressions of which only the plain value matters."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

from .scopes import bound_in
from .values import Held, names_of

if TYPE_CHECKING:
    from .nodes import Nodes


class Look(ast.NodeTransformer):
    """Puts the names of the program into an expression of which only the value matters."""

    def __init__(self, writer: Nodes) -> None:
        self.writer = writer

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.writer.visit_Name(node).primal if isinstance(node.ctx, ast.Load) else node

    def visit_Held(self, node: Held) -> ast.expr:
        return node.held.primal

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        return self.writer.visit_NamedExpr(node).primal

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self._no_effects(node.values[1:])
        return cast(ast.expr, self.generic_visit(node))

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self._no_effects([node.body, node.orelse])
        return cast(ast.expr, self.generic_visit(node))

    def _no_effects(self, nodes: list[ast.expr]) -> None:
        if any(self.writer.writes_something(n) for n in nodes):
            self.writer.refuse("`:=` in a part that is not always computed cannot be interleaved", nodes[0])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return self.writer.call_in_look(node)

    def _scoped(self, node: Any, names: set[str]) -> Any:
        kept = self.writer.hidden
        self.writer.hidden = kept | names
        try:
            return self.generic_visit(node)
        finally:
            self.writer.hidden = kept

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return self._scoped(node, bound_in(node))

    def _comprehension(self, node: Any) -> Any:
        first = self.visit(node.generators[0].iter)
        names = {n for g in node.generators for n in names_of(g.target)}
        node = self._scoped(node, names)
        node.generators[0].iter = first
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension
