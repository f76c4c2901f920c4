"""Assignments: the tangents follow the value, or precede it where they need the old one."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ad_magic.codegen.expressions import name, text

from .comprehensions import Comprehensions
from .layout import PRIMAL, TANGENT, Line
from .operators import OPERATORS
from .sorts import (
    UNKNOWN,
    Sort,
    too_deep,
)
from .values import Value, Z, names_of, replaced, simple

_IN_PLACE = {"add": "+=", "sub": "-=", "mul": "*=", "div": "/="}


class Assignments(Comprehensions):
    """=, +=, and unpacking."""

    def do_Assign(self, node: ast.Assign) -> None:
        if len(node.targets) == 1:
            self.assign(node.targets[0], node.value)
            return
        value = self.visit(node.value)
        if not simple(value.primal) and value.tangents:
            value = self.atom(value)
        for target in node.targets:
            self.learn_target(target, value.sort)
        seeds = [s for s in self.suffixes if any(s in self.target_seeds(t) for t in node.targets)]
        targets = " = ".join(text(self.named(t)) for t in node.targets)
        value = self.settled(value)
        pairs: list[tuple[str, list[ast.expr]]] = []
        for s in seeds:
            mirrored = [self.mirror(t, s) for t in node.targets if s in self.target_seeds(t)]
            along = replaced(self.tangent(value, s), {Z: self.named(node.targets[0])})
            pairs.append((" = ".join(map(text, mirrored)), [along]))
        stored = {self.local(n) for t in node.targets for n in names_of(t)}
        self.together(f"{targets} = {text(value.primal)}", stored, pairs)

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, node.value)

    def assign(self, target: ast.expr, node: ast.expr) -> None:
        """target = value"""
        if isinstance(target, ast.Name):
            variable = self.local(target.id)
            owner = self.scope.owner(variable)
            if owner is None:
                self.refuse(f"the global variable {target.id} is changed, which cannot be interleaved", target)
                return
            self.note_use(owner)
            if isinstance(node, ast.Lambda):
                value = self.visit_Lambda(node, variable)
                self.learn(owner, variable, value.sort)
                return
            value = self.visit(node, variable)
            if too_deep(value.sort):
                self.refuse("a tuple grows in a loop, which cannot be interleaved; use a list", node)
                return
            if isinstance(value.primal, ast.Name) and value.primal.id == variable:
                return
            self.bind(variable, value)
            return
        if isinstance(target, ast.Subscript):
            self.store(target, self.visit(node))
            return
        if isinstance(target, (ast.Tuple, ast.List)):
            self.unpack(target, node)
            return
        if self.quick_active(node):
            self.refuse(
                "an attribute that holds a number with a derivative cannot be interleaved; use a variable", node
            )

    def store(self, target: ast.Subscript, value: Value) -> None:
        """target[i] = value, the tangents first where they read what is written."""
        self.keep_whole(target, value)
        where = self.quick(target.value)
        if self.unknown_holder(target, where, value):
            return
        sliced = isinstance(target.slice, ast.Slice) and not where.may("array")
        if (not where.bottom and where.may("list", "dict")) or where.may("array"):
            self.heap.put(where, self.heap.element(value.sort) if sliced else value.sort)
            self.heap.settle(where)
            for site in where.sites if where.may("array") else ():
                self.heap.carry(Sort(where.kinds, sites=frozenset({site})), value.tangents)
        holder = self.visit(target.value)
        if where.may("array"):
            for site in where.sites:
                self.heap.carry(Sort(where.kinds, sites=frozenset({site})), value.tangents)
        index = self.look(target.slice)
        if any(isinstance(n, ast.Call) for n in ast.walk(index)):
            index = self._named(index)
        place = ast.Subscript(holder.primal, index, ast.Load())
        seeds = [s for s in self.suffixes if s in holder.tangents]
        if sliced and seeds and not simple(value.primal):
            value = self.atom(value)
        along = {s: self._tangent_sequence(value, s) if sliced else self.tangent(value, s) for s in seeds}
        if any(Z in names_of(t) for t in along.values()):
            value = self.atom(value)
            along = {s: self.tangent(value, s) for s in seeds}
        lines = [
            Line(f"{text(ast.Subscript(holder.tangents[s], index, ast.Load()))} = {text(along[s])}", TANGENT)
            for s in seeds
        ]
        reads = any(
            isinstance(n, (ast.Subscript, ast.Attribute, ast.Call))
            or (isinstance(n, ast.Name) and not self._is_number(n.id))
            for t in along.values()
            for n in ast.walk(t)
        )
        reads = reads or not _plain_index(index)  # it may look at what is written
        primal = [Line(f"{text(place)} = {text(value.primal)}", PRIMAL)]
        self.activity += len(seeds)
        self.out += lines + primal if reads else primal + lines

    def _is_number(self, variable: str) -> bool:
        """Whether a name is that of a number, or of the tangent of one."""
        if variable.startswith((self.letter, self.prefix + self.letter)):
            return True
        owner = self.scope.owner(variable)
        if owner is not None:
            return self.fact(owner, variable).only("number", "int")
        for s in self.suffixes:
            suffix = self.suffixes[s]
            if variable.startswith(self.prefix) and variable.endswith(suffix):
                inner = variable[len(self.prefix) : len(variable) - len(suffix)]
                owner = self.scope.owner(inner)
                if owner is not None:
                    return self.fact(owner, inner).only("number", "int")
        return False

    def unknown_holder(self, target: ast.Subscript, where: Sort, value: Value) -> bool:
        """Whether a number with a derivative is put into something that is not known to keep it."""
        lost = bool(value.tangents) and not where.bottom and not where.may("list", "dict", "array")
        if lost:
            self.refuse(
                f"it is not known what `{ast.unparse(target.value)}` is, so the derivative would be lost", target
            )
        return lost

    def keep_whole(self, target: ast.Subscript, value: Value) -> None:
        """An array of integers keeps no derivative."""
        where = self.quick(target.value)
        if value.tangents and where.may("array") and any(self.heap.at(s).whole for s in where.sites):
            self.refuse(
                f"{ast.unparse(target.value)} may be an array of integers, which drops the derivative of what is "
                "written to it; make it one of floats",
                target,
            )

    def unpack(self, target: ast.Tuple | ast.List, node: ast.expr) -> None:
        """a, b = …"""
        if (
            isinstance(node, (ast.Tuple, ast.List))
            and len(node.elts) == len(target.elts)
            and not any(isinstance(e, ast.Starred) for e in (*node.elts, *target.elts))
        ):
            self._in_parallel(target.elts, node.elts)
            return
        if isinstance(node, ast.Call) and self._unpack_call(target, node):
            return
        value = self.visit(node)
        self.learn_target(target, value.sort)
        seeds = self.target_seeds(target)
        if seeds and not simple(value.primal) and not isinstance(value.primal, (ast.Tuple, ast.List)):
            value = self.atom(value)
        value = self.settled(value)
        pairs: list[tuple[str, list[ast.expr]]] = []
        for s in seeds:
            along = value.tangents.get(s)
            if along is None:
                along = ast.Tuple([ast.Constant(0.0)] * len(target.elts), ast.Load())
            pairs.append((bare(self.mirror(target, s)), [along]))
        stored = {self.local(n) for n in names_of(target)}
        self.together(f"{bare(self.named(target))} = {bare(value.primal)}", stored, pairs)

    def _unpack_call(self, target: ast.Tuple | ast.List, node: ast.Call) -> bool:
        """`a, b = f(x)` of a function with a twin, which returns values and tangents."""
        callee = self.quick(node.func) if isinstance(node.func, ast.Name) else UNKNOWN
        if not callee.functions:
            return False
        result = self.visit(node)
        last = self.out[-1] if self.out else None
        self.learn_target(target, result.sort)
        seeds = self.target_seeds(target)
        if not result.tangents or last is None or not last.text.startswith(f"{text(result.primal)}, "):
            self.emit(f"{bare(self.named(target))} = {text(result.primal)}", PRIMAL)
            for s in seeds:
                self.emit(f"{bare(self.mirror(target, s))} = {text(self.tangent(result, s))}", TANGENT)
            return True
        if seeds == list(result.tangents):
            self.out.pop()
            self.count -= 1
            heads = [text(self.named(target)), *(text(self.mirror(target, s)) for s in seeds)]
            self.emit(f"{', '.join(heads)} = {last.text.partition(' = ')[2]}", PRIMAL)
            return True
        self.emit(f"{bare(self.named(target))} = {text(result.primal)}", PRIMAL)
        for s in seeds:
            self.emit(f"{bare(self.mirror(target, s))} = {text(self.tangent(result, s))}", TANGENT)
        return True

    def _in_parallel(self, targets: list[ast.expr], nodes: list[ast.expr]) -> None:
        """Several assignments at once: one after the other where that is the same."""
        stored = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        apart = all(isinstance(t, ast.Name) for t in targets) and not any(
            isinstance(t, ast.Name) and t.id in set().union(*(names_of(n) for n in nodes[k + 1 :]), set())
            for k, t in enumerate(targets)
        )
        if apart and not any(
            isinstance(n, (ast.Call, ast.NamedExpr)) and self.effects for x in nodes for n in ast.walk(x)
        ):
            plain = not any(self.quick_active(n) for n in nodes) and not any(self.target_seeds(t) for t in targets)
            for target, node in zip(targets, nodes, strict=True):
                if plain:
                    self.learn_target(target, self.visit(node).sort)
                else:
                    self.assign(target, node)
            return
        values = []
        for k, node in enumerate(nodes):
            value = self.operand(node)
            for later in nodes[k + 1 :]:
                value = self.keep_order(value, later)
            values.append(self.settled(value))
        for target, value in zip(targets, values, strict=True):
            self.learn_target(target, value.sort)
        heads = [text(self.named(t)) for t in targets]
        primal = f"{', '.join(heads)} = {', '.join(text(v.primal) for v in values)}"
        pairs = []
        for s in self.suffixes:
            along = [(t, v) for t, v in zip(targets, values, strict=True) if s in self.target_seeds(t)]
            if along:
                mirrored = ", ".join(text(self.mirror(t, s)) for t, _ in along)
                pairs.append((mirrored, [self.tangent(v, s) for _, v in along]))
        self.together(primal, {self.local(n) for n in stored}, pairs)

    def together(self, primal: str, stored: set[str], pairs: list[tuple[str, list[ast.expr]]]) -> None:
        """An assignment and those of its tangents: before it where they read what it changes."""
        lines = [Line(f"{heads} = {', '.join(map(bare if len(v) == 1 else text, v))}", TANGENT) for heads, v in pairs]
        reads = any(stored & names_of(t) for _, values in pairs for t in values)
        self.activity += len(pairs)
        self.out += [*lines, Line(primal, PRIMAL)] if reads else [Line(primal, PRIMAL), *lines]

    # ---- x += y ----

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        kind = OPERATORS.get(type(node.op))
        if isinstance(node.target, ast.Attribute):
            if self.quick_active(node.value):
                self.refuse("an attribute that holds a number with a derivative cannot be interleaved", node)
            return
        read: ast.expr = ast.copy_location(
            ast.Name(node.target.id, ast.Load())
            if isinstance(node.target, ast.Name)
            else ast.Subscript(node.target.value, node.target.slice, ast.Load()),
            node.target,
        )
        old = self.visit(read)
        other = self.settled(self.operand(node.value))
        if old.sort.bottom:
            return
        if old.sort.may("list") and kind == "add":
            self.heap.put(old.sort, self.heap.element(other.sort))
            self.heap.settle(old.sort)
            old = self.visit(read)
            self.emit(f"{text(old.primal)} += {text(other.primal)}", PRIMAL)
            for s, t in old.tangents.items():
                self.emit(f"{text(t)} += {text(self._tangent_sequence(other, s))}", TANGENT)
            return
        if old.sort.may("array") and isinstance(node.target, ast.Name):
            self.in_place(node, old, other, kind)
            return
        whole = ast.copy_location(ast.BinOp(read, node.op, node.value), node)
        if isinstance(node.target, ast.Subscript):
            self.keep_whole(node.target, other)
            if self.unknown_holder(node.target, self.quick(node.target.value), other):
                return
        if kind is None or old.sort.may("tuple", "object"):
            self.assign(node.target, whole)
            return
        result = self.operation(kind, node.op, old, other, node)
        if isinstance(node.target, ast.Name):
            variable = self.local(node.target.id)
            owner = self.scope.owner(variable)
            if owner is None:
                self.refuse(f"the global variable {variable} is changed, which cannot be interleaved", node)
                return
            fact = self.learn(owner, variable, result.sort)
            place: ast.expr = name(variable)
            holders: Mapping[str, ast.expr] = {s: name(self.dot(variable, s)) for s in self.seeds(fact)}
            seeds = self.seeds(fact)
        else:
            where = self.quick(node.target.value)
            self.heap.put(where, result.sort)
            if where.may("array"):
                for site in where.sites:
                    self.heap.carry(Sort(where.kinds, sites=frozenset({site})), result.tangents)
            self.heap.settle(where)
            old = self.visit(read)
            place, holders = old.primal, old.tangents
            seeds = list(old.tangents)
        if not seeds:
            self.emit(f"{text(place)} {_sign(node.op)}= {text(other.primal)}", PRIMAL)
            return
        itself = text(place)
        lines, reads_old, reads_new = [], False, False
        for s in seeds:
            along = self.tangent(result, s)
            if kind in ("add", "sub"):
                if s in other.tangents:
                    lines.append(Line(f"{text(holders[s])} {_sign(node.op)}= {text(other.tangents[s])}", TANGENT))
                    reads_old |= _mentions(other.tangents[s], place)
                continue
            reads_new |= Z in names_of(along)
            used = text(along)
            reads_old |= _mentions(along, place)
            del used
            written = text(replaced(along, {Z: place}))
            if written != text(holders[s]):
                lines.append(Line(f"{text(holders[s])} = {written}", TANGENT))
        reads_old |= isinstance(node.target, ast.Subscript) and not _plain_index(node.target.slice)
        if reads_old and reads_new:
            self.assign_value(node.target, result)
            return
        self.activity += len(seeds)
        primal = [Line(f"{itself} {_sign(node.op)}= {text(other.primal)}", PRIMAL)]
        self.out += lines + primal if reads_old else primal + lines

    def assign_value(self, target: ast.Name | ast.Subscript, value: Value) -> None:
        """target = a value that has been looked at"""
        if isinstance(target, ast.Name):
            self.bind(self.local(target.id), value)
        else:
            self.store(target, value)

    def in_place(self, node: ast.AugAssign, old: Value, other: Value, kind: str | None) -> None:
        """`b *= x` of an array changes the array itself, under all its names."""
        if other.tangents and any(self.heap.at(s).whole for s in old.sort.sites):
            self.refuse(
                "an array of integers drops the derivative of what is written to it; make it one of floats", node
            )
        assert isinstance(node.target, ast.Name)
        self.heap.carry(old.sort, other.tangents)
        if old.sort.may("number"):
            self.learn_target(node.target, Sort(frozenset({"number"}), frozenset(other.tangents)))
        old = self.visit(ast.copy_location(ast.Name(node.target.id, ast.Load()), node))
        if kind not in _IN_PLACE:
            self.refuse(f"`{ast.unparse(node)}` of an array cannot be interleaved; write it with =", node)
            return
        itself, sign = text(old.primal), _IN_PLACE[kind]
        lines = []
        for s, t in old.tangents.items():
            d = other.tangents.get(s)
            if kind in ("add", "sub"):
                if d is not None:
                    lines.append(f"{text(t)} {sign} {text(d)}")
                continue
            lines.append(f"{text(t)} {sign} {text(other.primal)}")
            if d is not None and kind == "mul":
                lines.append(f"{text(t)} += {text(ast.BinOp(old.primal, ast.Mult(), d))}")
            elif d is not None:
                quotient = ast.BinOp(old.primal, ast.Div(), other.primal)
                lines.append(f"{text(t)} -= {text(ast.BinOp(quotient, ast.Mult(), d))}")
        primal = [Line(f"{itself} {sign} {text(other.primal)}", PRIMAL)]
        along = [Line(x, TANGENT) for x in lines]
        self.activity += len(old.tangents)
        self.out += along + primal if kind == "mul" else primal + along


def _plain_index(index: ast.expr) -> bool:
    """Whether an index is made of numbers and names of numbers, and looks at nothing that an assignment changes."""
    parts = list(ast.walk(index))
    looks = any(isinstance(n, (ast.Compare, ast.Call, ast.Subscript, ast.Attribute)) for n in parts)
    return not looks and not any(isinstance(n, ast.UnaryOp) and not isinstance(n.op, ast.USub) for n in parts)


def _sign(op: ast.operator) -> str:
    return ast.unparse(ast.BinOp(name("a"), op, name("b"))).split()[1]


def _mentions(node: ast.expr, place: ast.expr) -> bool:
    """Whether an expression reads a name or an entry."""
    itself = text(place)
    root = place
    while isinstance(root, ast.Subscript):
        root = root.value
    if isinstance(root, ast.Name) and root is not place:
        return any(isinstance(n, ast.Subscript) and text(n) == itself for n in ast.walk(node)) or any(
            isinstance(n, ast.Subscript) for n in ast.walk(node)
        )
    return any(isinstance(n, ast.expr) and text(n) == itself for n in ast.walk(node))


def bare(node: ast.expr) -> str:
    """A tuple without its brackets."""
    found = text(node)
    return found[1:-1] if isinstance(node, ast.Tuple) and len(node.elts) > 1 and found.startswith("(") else found
