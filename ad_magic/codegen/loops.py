"""Loops that were recorded, folded back: statements that come again and again, alike but for their names and numbers.

An iteration may use what the one before it has computed, what was known before the loop, and numbers or names of its
own. What a later statement needs of an earlier iteration is kept in a list (`v5_all`). Everything else stays as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .expressions import name, number, put
from .program import Statement, base, is_into, names_of

LEAST = 3  # so many iterations make a loop
_SAVED = 6  # and so many lines at least it must save
_BODY = 80  # the longest body
_TRIED = 6  # so many lengths of a body are tried from each statement on


@dataclass
class Loop:
    """`count` iterations of the statements of the first one."""

    body: list[Statement]
    count: int
    starts: list[tuple[str, ast.expr]] = field(default_factory=list)  # name = value, before the loop
    items: list[tuple[str, list[ast.expr]]] = field(default_factory=list)  # a name, and what it is in each iteration
    keeps: list[str] = field(default_factory=list)  # names whose values are kept, in order of time
    values: dict[int, Statement] = field(default_factory=dict)  # a row of the tape -> the statement of its value


Lines = list[Statement | Loop]


def folded(
    blocks: Sequence[list[Statement]], ends: Any, inputs: Sequence[str] = ()
) -> tuple[list[Lines], dict[str, ast.expr]]:
    """Blocks of statements with their loops; and for the names in `ends`, used after all of them, what they are now.

    The names of the `inputs` are nobody else's.
    """
    folding = _Folding(inputs)
    cut = [folding.cut(statements) for statements in blocks]
    if not any(isinstance(part, _Region) for parts in cut for part in parts):
        return [list(statements) for statements in blocks], {}
    lines = [folding.written(parts) for parts in cut]
    new = {n: folding.outside(n, last=True) for n in ends}
    for region in folding.regions:
        region.loop.keeps = [region.names[q] for q in sorted(region.kept)]
    return lines, {n: e for n, e in new.items() if e is not None}


def kept(label: str) -> str:
    """The list of the values that a name had in a loop."""
    return f"{label}_all"


# ---- finding -------------------------------------------------------------------------------------


def _blank(node: Any, found: list[Any]) -> Any:
    """What an expression is without its names and numbers, which are collected in order."""
    kind = type(node)
    if kind is ast.Name:
        found.append(node.id)
        return "_"
    if kind is ast.Constant:
        if type(node.value) not in (int, float):
            return kind, repr(node.value)
        found.append(node.value)
        return "#"
    if kind is ast.BinOp:
        left = _blank(node.left, found)
        return type(node.op), left, _blank(node.right, found)
    if kind is list:
        return tuple(_blank(x, found) for x in node)
    if kind is ast.Call:
        function = node.func.id if isinstance(node.func, ast.Name) else _blank(node.func, found)
        return kind, function, _blank(node.args, found), _blank(node.keywords, found)
    if isinstance(node, ast.AST):
        return kind, *(_blank(x, found) for x in map(node.__dict__.get, node._fields))
    return node


class _Leaves(ast.NodeTransformer):
    """Visits the names and numbers of an expression in the same order."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func if isinstance(node.func, ast.Name) else self.visit(node.func)
        return ast.Call(function, list(map(self.visit, node.args)), [self._keyword(k) for k in node.keywords])

    def _keyword(self, k: ast.keyword) -> ast.keyword:
        return ast.keyword(k.arg, self.visit(k.value))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        fields = {}
        for key, old in ast.iter_fields(node):
            if isinstance(old, list):
                fields[key] = [self.visit(x) if isinstance(x, ast.AST) else x for x in old]
            else:
                fields[key] = self.visit(old) if isinstance(old, ast.expr) else old
        return type(node)(**fields)


@dataclass
class _Region:
    """Iterations of statements that are alike, before it is a loop: `parts[r]` says what leaf r of the body is."""

    statements: list[list[Statement]]  # by iteration
    leaves: list[list[list[Any]]]  # by iteration and statement
    roles: list[list[tuple[Any, ...]]]  # by statement: ("same", q), ("before", q), ("fixed",) or ("item",)
    starts: dict[int, str | float] = field(default_factory=dict)  # by statement: what "before" is in the first
    names: list[str] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    loop: Loop = field(default_factory=lambda: Loop([], 0))


class _Folding:
    def __init__(self, inputs: Sequence[str]) -> None:
        self.inputs = set(inputs)
        self.regions: list[_Region] = []
        self.where: dict[str, tuple[_Region, int, int]] = {}  # a name -> its loop, iteration, statement
        self.defined: dict[str, int] = {}
        self.overwritten: set[str] = set()  # names of an earlier loop that a later one gives to its items
        self.holder: dict[str, _Region | None] = {}  # whose value a name has, where it is written now

    # -- cutting a block into statements and regions

    def cut(self, statements: list[Statement]) -> list[Statement | _Region]:
        keys, leaves = [], []
        for s in statements:
            found: list[Any] = []
            keys.append(("" if s.target else s.kind, _blank(s.value, found)))
            leaves.append(found)
        numbers: dict[Any, int] = {}
        ids = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
        runs = _runs_of(ids)
        parts: list[Statement | _Region] = []
        i = 0
        while i < len(statements):
            region = _best(statements, ids, leaves, i, runs[:, i]) if len(runs) else None
            if region is None:
                parts.append(statements[i])
                i += 1
            else:
                self._enter(region)
                parts.append(region)
                i += len(region.statements) * len(region.statements[0])
        return parts

    def _enter(self, region: _Region) -> None:
        self.regions.append(region)
        for j, iteration in enumerate(region.statements):
            for q, s in enumerate(iteration):
                if s.target:
                    self.where[s.target] = region, j, q

    # -- writing

    def written(self, parts: Sequence[Statement | _Region]) -> Lines:
        """The lines of a block, in names that hold when the lines are run."""
        before = set(self.inputs)
        for part in parts:
            if isinstance(part, _Region):
                self._name(part, before)
                before.update(part.names)
            else:
                before.add(base(part.target))
        holder = dict(self.holder)
        for part in parts:  # which names become those of items has to be known before anything is written
            if isinstance(part, _Region):
                self._loop(part)
                part.loop = Loop([], 0)
        self.holder = holder
        return [self._loop(part) if isinstance(part, _Region) else self._plain(part) for part in parts]

    def _name(self, region: _Region, before: set[str]) -> None:
        """The names of the body: those of the first iteration; an adjoint in a loop has that of what it belongs to.

        A name in `before` is somebody else's, unless the loop goes on with it.
        """
        first = region.statements[0]
        others = {base(x) for row in region.leaves for leaves in row for x in leaves if isinstance(x, str)}
        others -= {base(s.target) for row in region.statements for s in row}
        for q, s in enumerate(first):
            label = base(s.target)
            if is_into(s.value) and region.roles[q][0][0] == "same":  # it writes into that very array
                region.names.append(region.names[region.roles[q][0][1]])
                continue
            earlier = [k for k in range(q) if base(first[k].target) == label]
            goes_on = base(str(region.starts.get(q, ""))) == label
            if earlier and region.names[earlier[-1]] == label:
                goes_on = True
            own = label.removesuffix("_bar")
            wanted = [label]
            if label.endswith("_bar") and own in self.where and not goes_on:
                other, _, k = self.where[own]
                wanted.insert(0, f"{other.names[k]}_bar")
            stem = re.sub(r"\d+", "", label) or "u"
            wanted += [stem, *(f"{stem}{k}" for k in range(2, 100))]
            taken = (before | others | set(region.names)) - ({label} if goes_on else set())
            if _is_read_later(region, q):  # what this name was before is still asked for
                taken.add(label)
            region.names.append(next(w for w in wanted if w not in taken) if s.target else "")

    def _plain(self, s: Statement) -> Statement:
        value = self._resolved(s.value)
        self.holder[base(s.target)] = None
        return Statement(s.target, value, s.row, s.kind)

    def _resolved(self, value: ast.expr) -> ast.expr:
        new = {n: e for n in names_of(value) if (e := self.outside(n)) is not None}
        return put(value, new) if new else value

    def outside(self, label: str, last: bool = False) -> ast.expr | None:
        """What a name that was assigned in a loop is outside of it; None for any other name."""
        if label not in self.where:
            return None
        region, j, q = self.where[label]
        if not region.names:  # a loop further on
            return None
        own = region.names[q]
        if j == len(region.statements) - 1 and own not in self.overwritten and self.holder.get(own) is region:
            return name(own)
        region.kept.add(q)
        index = j - len(region.statements) if j == len(region.statements) - 1 else j
        return ast.Subscript(name(kept(own)), number(index), ast.Load())

    def _loop(self, region: _Region) -> Loop:
        first, loop = region.statements[0], region.loop
        loop.count = len(region.statements)
        known: dict[Any, str] = {}
        for q, start in region.starts.items():
            value = number(start) if not isinstance(start, str) else self._resolved(name(start))
            if not (isinstance(value, ast.Name) and base(value.id) == region.names[q]):
                loop.starts.append((region.names[q], value))
        self.holder.update(dict.fromkeys(region.names, region))
        older = {role[1] for roles in region.roles for role in roles if role[0] == "older"}
        for label in dict.fromkeys(region.names[q] for q in sorted(older)):
            loop.body.append(Statement(f"{label}_before", name(label), first[0].row, "part"))
        for q, s in enumerate(first):
            if region.roles[q] == [("before", q)] and isinstance(s.value, ast.Name):
                continue  # it stays what it is
            given = [self._leaf(region, q, r, known) for r in range(len(region.leaves[0][q]))]
            loop.body.append(Statement(region.names[q] if s.target else "", _filled(s.value, given), s.row, s.kind))
            if s.kind == "value":
                loop.values.update((iteration[q].row, loop.body[-1]) for iteration in region.statements)
        return loop

    def _leaf(self, region: _Region, q: int, r: int, known: dict[Any, str]) -> ast.expr:
        role = region.roles[q][r]
        if role[0] in ("same", "before"):
            return name(region.names[role[1]])
        if role[0] == "older":
            return name(f"{region.names[role[1]]}_before")
        leaf = region.leaves[0][q][r]
        if role[0] == "fixed":
            return self._resolved(name(leaf)) if isinstance(leaf, str) else number(leaf)
        column = [leaves[q][r] for leaves in region.leaves]
        key = tuple(map(repr, column))
        if key not in known:
            known[key] = label = self._item_name(column, {*known.values(), *region.names, *self.inputs})
            region.loop.items.append((label, [self._item(x) for x in column]))
        return name(known[key])

    def _item(self, x: Any) -> ast.expr:
        """What an item is in one iteration: a number, a name, or what a loop has kept."""
        if not isinstance(x, str):
            return number(x)
        if x in self.where and self.where[x][0].names:
            region, j, q = self.where[x]
            region.kept.add(q)
            return ast.Subscript(name(kept(region.names[q])), number(j), ast.Load())
        return name(x)

    def _item_name(self, column: Sequence[Any], taken: set[str]) -> str:
        places = [self.where[x] for x in column if isinstance(x, str) and x in self.where]
        labels = {region.names[q] for region, _, q in places if region.names}
        if len(labels) == 1 and (label := labels.pop()) not in taken:
            self.overwritten.add(label)
            return label
        stem = "k" if not isinstance(column[0], str) else f"{base(column[0]).rstrip('0123456789') or 'u'}_k"
        return next(n for n in (stem, *(f"{stem}{m}" for m in range(2, 1000))) if n not in taken)


def _runs_of(ids: Any) -> Any:
    """For each length p of a body, from 1 on, and each statement: how many from there on have one alike p further."""
    longest = min(_BODY, len(ids) // LEAST)
    runs = np.zeros((max(longest, 0), len(ids)), int)
    for p in range(1, longest + 1):
        alike = ids[:-p] == ids[p:]
        ends = np.where(alike, len(alike), np.arange(len(alike)))  # where the run that a statement is in ends
        ends = np.minimum.accumulate(ends[::-1])[::-1]
        runs[p - 1, : len(alike)] = ends - np.arange(len(alike))
    return runs


def _best(statements: list[Statement], ids: Any, leaves: list[Any], i: int, runs: Any) -> _Region | None:
    """The loop that begins with statement i and takes most statements; `runs` are those of i."""
    lengths = np.arange(1, len(runs) + 1)
    counts = runs // lengths + 1
    good = np.flatnonzero((counts >= LEAST) & ((counts - 1) * lengths >= _SAVED))
    for k in good[np.argsort(-(counts * lengths)[good], kind="stable")][:_TRIED]:
        p, count = int(lengths[k]), int(counts[k])
        if (
            _repeats(ids[i : i + p].tolist())
            or _region(statements, leaves, i, p, min(count, LEAST + 1 + _SAVED // p)) is None
        ):
            continue
        region = _region(statements, leaves, i, p, count)
        if region is not None:
            return region
    return None


def _region(statements: list[Statement], leaves: list[Any], start: int, p: int, count: int) -> _Region | None:
    """The longest run of iterations from `start` on that are one loop; None where there is none."""
    count = min(count, (len(statements) - start) // p)
    rows = [statements[start + j * p : start + (j + 1) * p] for j in range(count)]
    grid = [leaves[start + j * p : start + (j + 1) * p] for j in range(count)]
    place = {s.target: (j, q) for j, row in enumerate(rows) for q, s in enumerate(row) if s.target}
    roles: list[list[tuple[Any, ...]]] = []
    starts: dict[int, Any] = {}
    length = count
    for q in range(p):
        mine: list[tuple[Any, ...]] = []
        for r in range(len(grid[0][q])):
            column = [grid[j][q][r] for j in range(count)]
            role, reach = _role(column, place, q)
            if role is None:
                return None
            length = min(length, reach)
            if role[0] == "before":
                if starts.setdefault(role[1], column[0]) != column[0] or type(starts[role[1]]) is not type(column[0]):
                    return None
                if role[1] < q and roles[role[1]] != [("before", role[1])]:  # it would be assigned already
                    role = ("older", role[1])
            mine.append(role)
        roles.append(mine)
    if length < LEAST or (length - 1) * p < _SAVED:
        return None
    return _Region(rows[:length], grid[:length], roles, starts)


def _is_read_later(region: _Region, q: int) -> bool:
    """Whether another statement that the user would call by the same name as q is still read, as it was in the
    iteration before, after q is assigned."""
    targets = [base(s.target) for s in region.statements[0]]
    same = {k for k in range(len(targets)) if targets[k] == targets[q] and k != q}
    return any(
        role[0] in ("before", "older") and role[1] in same
        for k in range(q + 1, len(targets))
        for role in region.roles[k]
    )


def _role(column: Sequence[Any], place: Mapping[str, tuple[int, int]], q: int) -> tuple[tuple[Any, ...] | None, int]:
    """What a leaf is in the iterations, and for how many of them that holds."""
    where = [place.get(x) if isinstance(x, str) else None for x in column]
    second = where[1]
    if where[0] is not None and where[0][0] == 0 and where[0][1] < q:  # of the same iteration
        same = where[0][1]
        return ("same", same), next((j for j, w in enumerate(where) if w != (j, same)), len(column))
    if second is not None and second[0] == 0:
        if where[0] is not None:
            return None, 0
        before = second[1]
        return ("before", before), next((j for j, w in enumerate(where) if j and w != (j - 1, before)), len(column))
    reach = next((j for j, w in enumerate(where) if w is not None), len(column))
    if all(x == column[0] and type(x) is type(column[0]) for x in column[:reach]):
        return ("fixed",), reach
    return ("item",), reach


def _repeats(ids: list[int]) -> bool:
    """Whether a body is itself several alike: a shorter one will do, from another statement on."""
    n = len(ids)
    return any(n % p == 0 and ids[:p] * (n // p) == ids for p in range(1, n // 2 + 1))


def _filled(value: ast.expr, given: Sequence[ast.expr]) -> ast.expr:
    """The expression with others for its leaves, in order."""
    left = iter(given)

    class Filled(_Leaves):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return next(left)

        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            return next(left) if type(node.value) in (int, float) else node

    return Filled().visit(value)
