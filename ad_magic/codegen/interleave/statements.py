"""Statements: each as it is, or with those of its tangents; the user's comments stay."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

from ad_magic.codegen.expressions import copied, text

from .assignments import Assignments
from .layout import OTHER, PRIMAL, TANGENT, Line, comments_of
from .look import Look
from .scopes import free_in
from .sorts import (
    OBJECT,
    UNKNOWN,
    Sort,
)
from .values import Value


class Statements(Assignments):
    """One method for each kind of statement."""

    def block(self, body: list[ast.stmt]) -> list[Line]:
        """The statements of a block."""
        kept, self.out = self.out, []
        for node in body:
            self.statement(node)
        written, self.out = self.out, kept
        return written

    def statement(self, node: ast.stmt) -> None:
        """One statement, with the user's comments before it."""
        comments = comments_of(self.source)
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        for comment in comments.between(self.last + 1, first - 1):
            self.out.append(Line(comment))
        self.last = max(self.last, first - 1)
        self.line = node.lineno + self.offset
        compound = hasattr(node, "body") or isinstance(node, ast.Match)
        if not compound:
            self.last = node.end_lineno or node.lineno
        method = getattr(self, f"do_{type(node).__name__}", None)
        if method is None:
            self.refuse(f"`{type(node).__name__}` cannot be interleaved", node)
            return
        if compound:
            method(node)
            self.last = max(self.last, node.end_lineno or node.lineno)
            return
        kept = self.activity, len(self.out), self.count
        method(node)
        trailing = comments.trailing.get(node.end_lineno or node.lineno, "")
        special = isinstance(node, (ast.Return, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal))
        if self.activity == kept[0] and not special and not self._defines_twin(node):
            del self.out[kept[1] :]
            self.count = kept[2]
            self.verbatim(node)
        if trailing and len(self.out) > kept[1]:
            one = next((x for x in self.out[kept[1] :] if x.role != TANGENT and x.body is None), self.out[-1])
            one.comment = trailing

    def _defines_twin(self, node: ast.stmt) -> bool:
        return any(
            isinstance(n, ast.Lambda) and n in self.node_twins and self.node_twins[n].active for n in ast.walk(node)
        )

    def verbatim(self, node: ast.stmt) -> None:
        """A plain statement as the user wrote it, in the names of the program."""
        looked = ast.fix_missing_locations(Look(self).visit(copied(node)))
        if ast.unparse(looked) != ast.unparse(node):
            for target in ast.walk(looked):
                if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                    target.id = self.local(target.id)
            self.out.append(
                Line(ast.unparse(looked), PRIMAL if isinstance(node, (ast.Assign, ast.AugAssign)) else OTHER)
            )
            return
        self.out.append(Line(self.segment(node), OTHER))

    def segment(self, node: ast.stmt) -> str:
        """The source of a statement."""
        found = ast.get_source_segment(self.source, node, padded=True)
        return textwrap.dedent(found) if found else ast.unparse(node)

    # ---- what is only done ----

    def do_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        value = self.visit(node.value)
        if isinstance(value.primal, ast.Call):
            self.emit(text(value.primal), PRIMAL)

    def do_Pass(self, node: ast.stmt) -> None:
        self.out.append(Line(ast.unparse(node)))

    do_Break = do_Continue = do_Pass

    def do_Assert(self, node: ast.Assert) -> None:
        self.look(node.test)

    def do_Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self.look(node.exc)

    def do_Delete(self, node: ast.Delete) -> None:
        targets, along = [], []
        for target in node.targets:
            if isinstance(target, ast.Name):
                variable = self.local(target.id)
                targets.append(variable)
                along += [self.dot(variable, s) for s in self.target_seeds(target)]
            elif isinstance(target, ast.Subscript):
                value = self.visit(target.value)
                index = text(self.look(target.slice))
                targets.append(f"{text(value.primal)}[{index}]")
                along += [f"{text(t)}[{index}]" for t in value.tangents.values()]
            else:
                self.refuse("this `del` cannot be interleaved", node)
        if along:
            self.emit(f"del {', '.join([*targets, *along])}", TANGENT)

    def do_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for variable, sort in self.names.import_statement(node).items():
            if variable in self.scope.bound:
                self.learn(self.scope, variable, sort)

    do_ImportFrom = do_Import

    def do_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        along = []
        for variable in node.names:
            owner = self.scope.owner(variable)
            if owner is None:
                self.refuse(
                    f"the global variable {variable} of an earlier cell is changed, which cannot be interleaved", node
                )
                continue
            self.note_use(owner)
            along += [self.dot(variable, s) for s in self.seeds(self.fact(owner, variable))]
        self.out.append(Line(f"nonlocal {', '.join([*node.names, *along])}"))

    do_Nonlocal = do_Global

    # ---- blocks ----

    def tested(self, node: ast.expr) -> ast.expr:
        """A condition."""
        return self.look(node)

    def do_If(self, node: ast.If) -> None:
        test = self.tested(node.test)
        self.out.append(Line(f"if {text(test)}:", body=self.block(node.body)))
        self._else_of(node)

    def _else_of(self, node: ast.If) -> None:
        if not node.orelse:
            return
        inner = node.orelse[0]
        if len(node.orelse) == 1 and isinstance(inner, ast.If) and self._is_elif(inner):
            kept, self.out = self.out, []
            test = self.tested(inner.test)
            before, self.out = self.out, kept
            if not before:
                for comment in comments_of(self.source).between(self.last + 1, inner.lineno - 1):
                    if comment:
                        self.out.append(Line(comment))
                self.last = max(self.last, inner.lineno)
                self.out.append(Line(f"elif {text(test)}:", body=self.block(inner.body)))
                self._else_of(inner)
                return
        self.out.append(Line("else:", body=self.block(node.orelse)))

    def _is_elif(self, node: ast.If) -> bool:
        lines = self.source.splitlines()
        return lines[node.lineno - 1].lstrip().startswith("elif") if node.lineno <= len(lines) else True

    def do_While(self, node: ast.While) -> None:
        kept, self.out = self.out, []
        test = self.tested(node.test)
        before, self.out = self.out, kept
        if not before:
            self.out.append(Line(f"while {text(test)}:", body=self.block(node.body)))
            if node.orelse:
                self.out.append(Line("else:", body=self.block(node.orelse)))
            return
        leave = [*(self.block(node.orelse) if node.orelse else []), Line("break")]
        stop = ast.UnaryOp(ast.Not(), test)
        body = [*before, Line(f"if {text(_opposite(test, stop))}:", body=leave), *self.block(node.body)]
        self.out.append(Line("while True:", body=body))

    def do_For(self, node: ast.For) -> None:
        head, first = self.head(node.target, node.iter)
        self.out.append(Line(head, body=[*first, *self.block(node.body)]))
        if node.orelse:
            self.out.append(Line("else:", body=self.block(node.orelse)))

    def do_With(self, node: ast.With) -> None:
        for item in node.items:
            if self.quick_active(item.context_expr):
                self.refuse("`with` of a value with a derivative cannot be interleaved", node)
            if item.optional_vars is not None:
                self.learn_target(item.optional_vars, UNKNOWN)
        items = ", ".join(
            text(self.look(i.context_expr)) + (f" as {text(self.named(i.optional_vars))}" if i.optional_vars else "")
            for i in node.items
        )
        self.out.append(Line(f"with {items}:", body=self.block(node.body)))

    def do_Try(self, node: ast.Try) -> None:
        self.out.append(Line("try:", body=self.block(node.body)))
        for handler in node.handlers:
            kind = f" {text(self.look(handler.type))}" if handler.type is not None else ""
            given = f" as {handler.name}" if handler.name else ""
            if handler.name:
                self.learn(self.scope, handler.name, OBJECT)
            self.out.append(Line(f"except{kind}{given}:", body=self.block(handler.body)))
        if node.orelse:
            self.out.append(Line("else:", body=self.block(node.orelse)))
        if node.finalbody:
            self.out.append(Line("finally:", body=self.block(node.finalbody)))

    def do_Match(self, node: ast.Match) -> None:
        subject = self.operand(node.subject)
        cases = []
        for case in node.cases:
            first: list[Line] = []
            self.captured(case.pattern, subject, first)
            guard = f" if {text(self.look(case.guard))}" if case.guard is not None else ""
            self.last = max(self.last, case.pattern.lineno)
            body = [*first, *self.block(case.body)]
            cases.append(Line(f"case {ast.unparse(case.pattern)}{guard}:", body=body))
        self.out.append(Line(f"match {text(subject.primal)}:", body=cases))

    def captured(self, pattern: ast.pattern, value: Value, lines: list[Line]) -> None:
        """The tangents of what a pattern captures."""
        if isinstance(pattern, ast.MatchAs):
            if pattern.pattern is not None:
                self.captured(pattern.pattern, value, lines)
            if pattern.name is not None:
                self.learn(self.scope.owner(pattern.name) or self.scope, pattern.name, value.sort)
                for s in self.target_seeds(ast.Name(pattern.name, ast.Store())):
                    self.activity += 1
                    lines.append(Line(f"{self.dot(pattern.name, s)} = {text(self.tangent(value, s))}", TANGENT))
        elif isinstance(pattern, ast.MatchSequence):
            star = [k for k, p in enumerate(pattern.patterns) if isinstance(p, ast.MatchStar)]
            for k, one in enumerate(pattern.patterns):
                if isinstance(one, ast.MatchStar):
                    if one.name and value.tangents:
                        self.refuse("`*` in a pattern cannot be interleaved", one)
                    continue
                at = k if not star or k < star[0] else k - len(pattern.patterns)
                self.captured(
                    one, self._part_of(value, at, self._sequence_item(value.sort, at, len(pattern.patterns))), lines
                )
        elif isinstance(pattern, ast.MatchMapping):
            for key, one in zip(pattern.keys, pattern.patterns, strict=True):
                self.captured(one, self._part_of(value, key, self.heap.element(value.sort)), lines)
            if pattern.rest and value.tangents:
                self.refuse("`**` in a pattern cannot be interleaved", pattern)
        elif isinstance(pattern, ast.MatchOr):
            for one in pattern.patterns:
                self.captured(one, value, lines)
        elif isinstance(pattern, ast.MatchClass) and value.tangents and pattern.patterns:
            self.refuse("a class in a pattern cannot be interleaved", pattern)

    def _sequence_item(self, sort: Sort, k: int, count: int) -> Sort:
        items = sort.items
        if items is not None and len(items) == count and not sort.may("list"):
            return items[k]
        return self.heap.element(sort)

    @staticmethod
    def _part_of(value: Value, key: Any, sort: Sort) -> Value:
        index = key if isinstance(key, ast.expr) else ast.Constant(key)
        return Value(
            ast.Subscript(value.primal, index, ast.Load()),
            {s: ast.Subscript(t, index, ast.Load()) for s, t in value.tangents.items()},
            sort,
        )

    def do_ClassDef(self, node: ast.ClassDef) -> None:
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
                owner = self.scope.owner(one.id)
                if owner is None and one.id in self.scope.env:
                    self.outside(one)
        for one in free_in(node):
            if self.quick_active(one):
                self.refuse(
                    f"the class {node.name} reads {one.id}, which has a derivative; give it to a function", node
                )
                break
        self.learn(self.scope, node.name, OBJECT)
        self.out.append(Line(self.segment(node)))


def _opposite(test: ast.expr, stop: ast.expr) -> ast.expr:
    """not test, as a person writes it."""
    swapped = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in swapped:
        return ast.Compare(test.left, [swapped[type(test.ops[0])]()], test.comparators)
    return stop
