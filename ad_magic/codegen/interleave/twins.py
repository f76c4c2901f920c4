"""Writing the twin of a function: its parameters and what it returns have tangents beside them."""

from __future__ import annotations

import ast
import functools
from typing import Any

from ad_magic.codegen.expressions import copied, name, text
from ad_magic.transforms.checkpoints import checkpoint

from .functions import Functions
from .layout import PRIMAL, Line
from .look import Look
from .scopes import Scope, Twin, bound_in, shared_in
from .sorts import (
    OBJECT,
    UNKNOWN,
    Sort,
    container,
    join,
    too_deep,
)
from .values import Value, Z, names_of, simple


class Twins(Functions):
    """Functions, as statements."""

    def visit_Lambda(self, node: ast.Lambda, given: str | None = None) -> Value:
        """A lambda becomes a function with a name."""
        if node not in self.node_twins:
            scope = Scope(node, self.scope, bound_in(node), self.scope.env, shared=shared_in(node))
            self.node_twins[node] = scope.twin = Twin(node, "", scope, self.source, 0, False)
        twin = self.node_twins[node]
        twin.name = given or self.names.fresh("f")
        lines = self.write_function(twin)
        self.out += lines
        return Value(name(twin.name), {}, Sort(frozenset({"function"}), functions=frozenset({twin})))

    def do_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node not in self.node_twins:
            scope = Scope(node, self.scope, bound_in(node), self.scope.env, shared=shared_in(node))
            self.node_twins[node] = scope.twin = Twin(node, node.name, scope, self.source, 0, False)
        twin = self.node_twins[node]
        self.learn(
            self.scope.owner(node.name) or self.scope,
            node.name,
            Sort(frozenset({"function"}), functions=frozenset({twin})),
        )
        written = self.write_function(twin)
        node.decorator_list = [d for d in node.decorator_list if self.quick(d).known is not checkpoint]
        if node.decorator_list and twin.active:
            if not all(self.is_cache(d) for d in node.decorator_list):
                self.refuse(f"{node.name} has a decorator, which cannot be interleaved", node)
            written = [*(Line(f"@{text(self.look(d))}") for d in node.decorator_list), *written]
        self.out += written

    def is_cache(self, node: ast.expr) -> bool:
        """Whether a decorator is functools.lru_cache or functools.cache."""

        called = node.func if isinstance(node, ast.Call) else node
        return self.quick(called).known in (functools.lru_cache, functools.cache)

    def do_Return(self, node: ast.Return) -> None:
        twin = self.scope.twin
        if twin is None:
            return
        if isinstance(node.value, ast.IfExp) and self.style != "compact" and self.quick_active(node.value):
            choice, kept = node.value, self.out
            test, blocks = self.look(choice.test), []
            for part in (choice.body, choice.orelse):
                self.out = []
                self.do_Return(ast.copy_location(ast.Return(part), node))
                blocks.append(self.out)
            self.out = kept
            self.out += [Line(f"if {text(test)}:", body=blocks[0]), *blocks[1]]
            return
        value = self.visit(node.value) if node.value is not None else Value(ast.Constant(None), {}, OBJECT)
        if too_deep(value.sort):
            self.refuse("tuples in tuples without end cannot be interleaved; use lists", node)
            return
        group = self.group(frozenset({twin}))
        joined = join(twin.returns, value.sort)
        if joined != twin.returns:
            twin.returns, self.heap.changed = joined, True
        self.heap.settle(twin.returns)
        sort, seeds = self.result_of(group)
        self.heap.carry(sort, seeds)
        if not seeds:
            self.out.append(Line(f"return {text(value.primal)}" if node.value is not None else "return"))
            return
        self.activity += 1
        last = self.out[-1].text if self.out else ""
        if self.out and self.out[-1].role == PRIMAL and isinstance(value.primal, ast.Name):
            heads = ", ".join([value.primal.id, *(self.dot(value.primal.id, s) for s in seeds)])
            if last.startswith(f"{heads} = ") and list(value.tangents) == seeds and "(" in last:
                self.out[-1] = Line(f"return {last[len(heads) + 3 :]}", PRIMAL)
                return
        if any(Z in names_of(t) for t in value.tangents.values()) or (
            self.style != "compact"
            and not simple(value.primal)
            and not isinstance(value.primal, (ast.Tuple, ast.List, ast.Dict))
            and value.tangents
        ):
            value = self.atom(value)
        value = self.settled(value)
        parts = [value.primal, *(self.tangent(value, s) for s in seeds)]
        self.out.append(Line(f"return {', '.join(map(text, parts))}", PRIMAL))

    def write_function(self, twin: Twin) -> list[Line]:
        """The twin of a function: its parameters and what it returns have tangents beside them."""
        node = twin.node
        if any(isinstance(n, (ast.Yield, ast.YieldFrom, ast.Await)) for n in _of_function(node)):
            active = any(self.seeds(twin.fact(p.arg)) for p in twin.parameters)
            if active:
                self.refuse(f"{twin.name} is a generator, which cannot be interleaved; return a list", node)
            twin.returns = join(twin.returns, UNKNOWN)
        defaults = self._defaults(twin)
        kept = (
            self.scope,
            self.out,
            self.count,
            self.source,
            self.last,
            self.line,
            self.hidden,
            self.activity,
            self.offset,
        )
        if twin.outside:
            twin.scope.parent = self.cell if twin.cells else None
            self.offset = 0
        self.scope, self.out, self.count, self.source = twin.scope, [], 0, twin.source
        self.last = node.lineno
        self.activity = 0
        arguments = node.args
        if arguments.vararg is not None:
            self.learn(
                twin.scope, arguments.vararg.arg, Sort(frozenset({"tuple"}), sites=frozenset({("rest", id(twin))}))
            )
        if arguments.kwarg is not None:
            self.learn(twin.scope, arguments.kwarg.arg, container("dict", ("keywords", id(twin))))
        if isinstance(node, ast.Lambda):
            self.line = node.lineno + self.offset
            self.do_Return(ast.copy_location(ast.Return(node.body), node))
            body = self.out
        else:
            statements = node.body
            if ast.get_docstring(node) is not None:
                self.last = statements[0].end_lineno or self.last
                statements = statements[1:]
            body = self.block(statements)
            if ast.get_docstring(node) is not None:
                body = [Line(self.segment(node.body[0])), *body]
        _, seeds = self.result_of(self.group(frozenset({twin})))
        every = [*twin.parameters, *arguments.kwonlyargs, *(a for a in (arguments.vararg, arguments.kwarg) if a)]
        active = bool(seeds) or self.activity > 0 or any(self.seeds(twin.fact(a.arg)) for a in every)
        if active and not twin.active:
            twin.active, self.heap.changed = True, True
        if _falls_through(node):
            if not seeds:
                joined = join(twin.returns, OBJECT)
                if joined != twin.returns:
                    twin.returns, self.heap.changed = joined, True
            else:
                body.append(Line(f"return {', '.join(['None', *('0.0' for _ in seeds)])}"))
        if not twin.active:
            written = self._plain_function(twin)
        else:
            head = f"def {twin.name}({self._parameters(twin, defaults)}):"
            written = [Line(head, body=body)]
        self.scope, self.out, self.count, self.source, self.last, self.line, self.hidden, self.activity, self.offset = (
            kept
        )
        self.activity += twin.active  # what holds such a function is not left as it is
        return written

    def _plain_function(self, twin: Twin) -> list[Line]:
        """A function without tangents, as it is."""
        node = twin.node
        looked = Look(self)
        if isinstance(node, ast.Lambda):
            body = looked.visit(copied(node.body))
            return [Line(f"def {twin.name}({ast.unparse(node.args)}):", body=[Line(f"return {text(body)}")])]
        inner = self._inner_names(node)
        for one in ast.walk(node):  # what it reads becomes part of the program
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one.id not in inner:
                owner = twin.scope.owner(one.id)
                if owner is not None:
                    self.note_use(owner)
                elif one.id in twin.scope.env:
                    self.outside(one)
        text_ = self.segment(node)
        if twin.outside:
            text_ = "\n".join(line for line in text_.split("\n") if not line.startswith("@"))
            if twin.name != node.name:
                text_ = text_.replace(f"def {node.name}(", f"def {twin.name}(", 1)
        return [Line(text_)]

    @staticmethod
    def _inner_names(node: ast.AST) -> set[str]:
        found: set[str] = set()
        for one in ast.walk(node):
            if isinstance(one, (ast.FunctionDef, ast.Lambda)):
                found |= bound_in(one)
            elif isinstance(one, ast.comprehension):
                found |= names_of(one.target)
        return found

    def _defaults(self, twin: Twin) -> dict[str, Value]:
        """The defaults of the parameters, in the scope around the function."""
        arguments = twin.node.args
        found: dict[str, Value] = {}
        pairs = list(zip(twin.parameters[::-1], arguments.defaults[::-1], strict=False))[::-1]
        pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
        kept = self.scope, self.out
        if twin.outside:
            self.scope = Scope("defaults", self.cell, set(), twin.scope.env, twin=twin)
        for parameter, default in pairs:
            value = self.operand(default)
            self.learn(twin.scope, parameter.arg, value.sort)
            found[parameter.arg] = value
        self.scope = kept[0]
        return found

    def _parameters(self, twin: Twin, defaults: dict[str, Value]) -> str:
        arguments = twin.node.args
        parts: list[str] = []

        def add(parameter: ast.arg) -> None:
            seeds = self.seeds(twin.fact(parameter.arg))
            default = defaults.get(parameter.arg)
            if default is None:
                parts.extend([parameter.arg, *(self.dot(parameter.arg, s) for s in seeds)])
                return
            parts.append(f"{parameter.arg}={text(default.primal)}")
            parts.extend(f"{self.dot(parameter.arg, s)}={text(self.tangent(default, s))}" for s in seeds)

        for k, parameter in enumerate(twin.parameters):
            add(parameter)
            if arguments.posonlyargs and k == len(arguments.posonlyargs) - 1:
                parts.append("/")
        rest = arguments.vararg
        if rest is not None:
            parts.append(f"*{rest.arg}")
            parts += [f"{self.dot(rest.arg, s)}=()" for s in self.seeds(twin.fact(rest.arg))]
        elif arguments.kwonlyargs:
            parts.append("*")
        for parameter in arguments.kwonlyargs:
            add(parameter)
        extra = arguments.kwarg
        if extra is not None:
            parts += [f"{self.dot(extra.arg, s)}={{}}" for s in self.seeds(twin.fact(extra.arg))]
            parts.append(f"**{extra.arg}")
        return ", ".join(parts)


def _of_function(node: Any) -> list[ast.AST]:
    """The nodes of a function, without those of functions in it."""
    found: list[ast.AST] = []
    body = node.body if isinstance(node.body, list) else [node.body]
    queue: list[ast.AST] = list(body)
    while queue:
        one = queue.pop()
        found.append(one)
        if not isinstance(one, (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.AsyncFunctionDef)):
            queue += ast.iter_child_nodes(one)
    return found


def _falls_through(node: ast.FunctionDef | ast.Lambda) -> bool:
    """Whether a function may end without `return`."""
    return isinstance(node, ast.FunctionDef) and not _leaves(node.body)


def _leaves(body: list[Any]) -> bool:
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return True
    if isinstance(last, ast.If):
        return bool(last.orelse) and _leaves(last.body) and _leaves(last.orelse)
    if isinstance(last, ast.While):
        always = isinstance(last.test, ast.Constant) and last.test.value
        return bool(always) and not any(isinstance(n, ast.Break) for n in ast.walk(last))
    if isinstance(last, ast.With):
        return _leaves(last.body)
    if isinstance(last, ast.Try):
        if last.finalbody and _leaves(last.finalbody):
            return True
        return (_leaves(last.orelse) if last.orelse else _leaves(last.body)) and all(
            _leaves(h.body) for h in last.handlers
        )
    if isinstance(last, ast.Match):
        wild = any(
            isinstance(c.pattern, ast.MatchAs) and c.pattern.pattern is None and c.guard is None for c in last.cases
        )
        return wild and all(_leaves(c.body) for c in last.cases)
    return False
