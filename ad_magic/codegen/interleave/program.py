"""The source of a cell with derivative statements between its own: program 1 of the lecture, made general.

The program follows the source, not a run: it is right at other inputs too, on other branches, with other loop counts.
Which variables have a tangent is found by going over the source until nothing new is learned; the last time over is
the program.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ad_magic.codegen.expressions import name, text

from .helpers import helper, needs_numpy
from .layout import OTHER, TANGENT, Laid, Line, comments_of, laid_out
from .library import SOLVER
from .numpy_methods import NumPyMethods
from .outside import Names, is_own_function
from .scopes import CannotInterleave, Scope, Twin, bound_in, shared_in, writes_in_place
from .sorts import BOTTOM, Heap, Sort, array, number
from .values import Value

PASSES = 80
OFFER = "r.code('forward') gives the straight-line program of this run"


@dataclass(frozen=True)
class Interleaved:
    """An interleaved program, line by line: each is primal, tangent, or neither."""

    lines: tuple[Laid, ...]

    @property
    def text(self) -> str:
        """The source."""
        return "\n".join(line.text for line in self.lines) + "\n"


def interleave(
    source: str,
    namespace: Mapping[str, Any],
    inputs: Mapping[str, Any],
    outputs: Sequence[str] = (),
    *,
    style: str = "elementary",
    seed: str | None = None,
    own: Mapping[str, Any] | None = None,
) -> Interleaved:
    """The program with derivative statements: imports, then `derivative(x, y)`; it returns (value, {"x": …, "y": …}).

    `namespace` is what the source reads; `inputs` the inputs with their values, `outputs` the names of what is
    differentiated (none: the value of the trailing expression); `style` is "elementary" (one operation in a statement)
    or "compact"; `seed` the one input whose derivative is computed; `own` the globals that the user's functions know
    the namespace by. Raises CannotInterleave with the line and the reason.

    >>> print(interleave("z = x * y", {}, {"x": 2.0, "y": 3.0}, ["z"]).text)
    def derivative(x, y):
        dx_x = 1.0
        dy_y = 1.0
    <BLANKLINE>
        z = x * y
        dz_x = y * dx_x
        dz_y = x * dy_y
        return z, {"x": dz_x, "y": dz_y}
    <BLANKLINE>
    """
    if style not in ("elementary", "compact"):
        raise ValueError(f"there is no style {style!r}; there are 'elementary' and 'compact'")
    if seed is not None and seed not in inputs:
        raise ValueError(f"there is no input {seed!r}; there is {', '.join(inputs)}")
    return _Interleaver(source, namespace, inputs, outputs, style, seed, own).program()


class _Interleaver(NumPyMethods):
    """Goes over a source until nothing new is learned, and writes the program."""

    def __init__(
        self,
        source: str,
        namespace: Mapping[str, Any],
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        style: str,
        seed: str | None,
        own: Mapping[str, Any] | None,
    ) -> None:
        self.tree = ast.parse(source)
        self.source = source
        self.inputs = dict(inputs)
        self.outputs = list(outputs)
        self.style = style
        self.namespace = dict(namespace)
        self.own = own
        self.arrays = [n for n, value in inputs.items() if hasattr(value, "shape")]
        self.seeds_asked = list(inputs) if seed is None else [seed]
        if self.arrays:
            self.suffixes = {"": ""}
        else:
            self.suffixes = {s: f"_{s}" if len(self.seeds_asked) > 1 else "" for s in self.seeds_asked}
        self.heap = Heap()
        self.cell = Scope("cell", None, bound_in(self.tree, set(inputs)) | _declared(self.tree), self.namespace)
        self.cell.shared = shared_in(self.tree)
        self.node_twins = {}
        self.functions: dict[Any, Twin] = {}
        self.chosen, self.comprehended, self.memory, self.wrappers = {}, {}, {}, {}
        self.spoken = self.all_names()
        self.effects = set(self.cell.shared)
        self.writes = writes_in_place(self.tree) or any(
            writes_in_place(ast.parse(textwrap.dedent(t))) for t in self._sources
        )
        self.prefix = self.free_prefix()
        self.letter = next(
            c
            for c in ("v", "w", "u", "t", "q", "s", "value_")
            if not any(re.fullmatch(rf"({self.prefix})?{c}\d+.*", n) for n in self.spoken)
        )
        self.has_numpy = bool(self.arrays) or any(map(_of_numpy, (self.namespace.get(n) for n in self.spoken)))
        imports = [ast.unparse(n) for n in ast.walk(self.tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
        self.has_numpy |= any(re.search("numpy|scipy|pandas", statement) for statement in imports)
        self.nobody = "_" if not _reads(self.tree, "_") else "__"

    # ---- names ----

    def all_names(self) -> set[str]:
        """All names of the source and of the user's functions that it calls."""
        self._sources: list[str] = []
        found = _names_in(self.tree) | set(self.inputs)
        seen: set[int] = set()
        queue = [(n, self.namespace) for n in found]
        while queue:
            one, env = queue.pop()
            thing = env.get(one)
            if not is_own_function(thing) or id(thing) in seen:
                continue
            seen.add(id(thing))
            function: Any = inspect.unwrap(thing)
            try:
                written = textwrap.dedent(inspect.getsource(function))
                inner = _names_in(ast.parse(written))
            except (OSError, TypeError, SyntaxError):
                continue
            self._sources.append(written)
            found |= inner
            queue += [(n, function.__globals__) for n in inner]
        return found

    def free_prefix(self) -> str:
        """What is put before a name to name its tangent: "d", where that names nothing else."""
        for prefix in ("d", "d_", "dot_", "tangent_of_"):
            made = {f"{prefix}{n}{s}" for n in self.spoken for s in self.suffixes.values()}
            if not made & self.spoken:
                return prefix
        return "__tangent_"

    # ---- passes ----

    def program(self) -> Interleaved:
        """The program, when all is known."""
        for _ in range(PASSES):
            self.heap.changed = False
            lines = self.once()
            if not self.heap.changed:
                break
        else:
            self.refused.append(CannotInterleave("the program is too involved to be interleaved"))
        if self.refused:
            why = str(self.refused[0])
            raise CannotInterleave(
                why if SOLVER in why else f"{why}; {OFFER}"
            )  # a straight-line program has none either
        return Interleaved(tuple(laid_out(lines)))

    def once(self) -> list[Line]:
        """The program by what is known so far."""
        self.names = Names(self.namespace, self.spoken | {"derivative"}, self.heap, self.writes)
        self.names.functions = self.functions
        self.names.own = self.own
        self.refused, self.constant_sites, self.count, self.out = [], {}, 0, []
        self.scope, self.last, self.line = self.cell, 0, 1
        self.activity, self.offset = 0, 0
        for variable, value in self.inputs.items():
            self.learn(self.cell, variable, self.input_sort(variable, value))
        self.carried_over()
        statements = list(self.tree.body)
        trailing = statements[-1] if statements and isinstance(statements[-1], ast.Expr) else None
        shown = trailing is not None and (not self.outputs or isinstance(trailing.value, ast.Name))
        before = self.out
        self.out = []
        if trailing is not None and shown:
            statements = statements[:-1]
        body = self.block(statements)
        self.out = body
        result = self.results(trailing)
        for comment in comments_of(self.source).between(self.last + 1, len(self.source.splitlines())):
            if comment:
                self.out.append(Line(comment))
        body = self.out
        for twin in self.names.order:  # it grows while their sources are read
            self.scope, self.out = self.cell, []
            self.names.taken |= _names_in(twin.node)
            twin.lines = self.write_function(twin)
        return self.assembled(before, body, result)

    def input_sort(self, variable: str, value: Any) -> Sort:
        """What an input is."""
        along = self.suffixes if self.arrays else {variable: ""} if variable in self.suffixes else {}
        if self.arrays and variable not in self.seeds_asked:
            along = {}
        if not hasattr(value, "shape"):
            return number(along)
        sort = array(("input", variable), value.shape)
        self.heap.carry(sort, along)
        return sort

    def carried_over(self) -> None:
        """Variables of an earlier cell that this one reads before it gives them a value of its own."""
        assigned: set[str] = set(self.inputs)
        for variable in _read_first(self.tree, self.cell.bound):
            if variable in assigned or variable not in self.namespace:
                continue
            given, sort = self.names.read(variable, self.namespace, False)
            if given in self.names.constants:
                self.names.constants[given] = (*self.names.constants[given][:2], True)
                self.constant_sites[given] = sort
                self.learn(self.cell, variable, sort)

    def results(self, trailing: ast.Expr | None) -> dict[str, Value]:
        """The outputs by name."""
        found: dict[str, Value] = {}
        if not self.outputs:
            if trailing is None:
                raise CannotInterleave("nothing to differentiate: end the cell with an expression, or name the output")
            value = self.visit(trailing.value)
            self.last = trailing.end_lineno or trailing.lineno
            found["out"] = value if isinstance(value.primal, (ast.Name, ast.List, ast.Tuple)) else self.atom(value)
            found["out"] = self.settled(found["out"])
        for variable in self.outputs:
            found[variable] = self.visit_Name(name(variable))
        return found

    # ---- the program as a whole ----

    def assembled(self, before: list[Line], body: list[Line], results: dict[str, Value]) -> list[Line]:
        """Imports, constants, functions, then `derivative`."""
        inside: list[Line] = []
        outside: list[Line] = []
        for given, (constant, _, within) in self.names.constants.items():
            placed = inside if within or given in self.cell.bound else outside
            placed.append(Line(f"{given} = {constant}"))
            sort = self.constant_sites.get(given, BOTTOM)
            for s in self.seeds(sort):
                zero = self.zero(ast.parse(constant, mode="eval").body if len(constant) < 60 else name(given), sort)
                placed.append(Line(f"{self.dot(given, s)} = {text(zero).replace('__z__', given)}", TANGENT))
        functions: list[Line] = []
        for twin in self.names.order:
            where = inside if twin.inside or twin.name in ("derivative", "tangent") else functions
            gap = [Line("")] if where is inside else [Line("#gap")] if where else []
            where += [*gap, *[Line(d) for d in twin.decorators if twin.active], *twin.lines]
        start = [*inside, *([Line("")] if inside else []), *self.starts(), *before]
        start += [Line("")] if start else []
        program = self.wrapped_up(start, body, results)
        helpers = self.helper_lines()
        head = [Line(statement) for statement in self.import_lines()]
        parts = [head, outside, helpers, functions, program]
        laid: list[Line] = []
        for part in parts:
            if part and laid:
                laid += [Line("#gap")]
            laid += part
        return _with_gaps(laid)

    def starts(self) -> list[Line]:
        """The tangents of the inputs."""
        lines = []
        for variable in self.inputs:
            if self.arrays:
                continue
            lines += [
                Line(f"{self.dot(variable, s)} = {float(s == variable)}", TANGENT)
                for s in self.seeds(self.fact(self.cell, variable))
            ]
        return lines

    def wrapped_up(self, start: list[Line], body: list[Line], results: dict[str, Value]) -> list[Line]:
        """The function `derivative`."""
        if self.arrays:
            return self.driver(start, body, results)

        def of(value: Value) -> str:
            entries = [
                f'"{s}": {text(value.tangents[s] if s in value.tangents else self.zero(value.primal, value.sort))}'
                for s in self.seeds_asked
            ]
            return f"{{{', '.join(entries)}}}".replace("__z__", text(value.primal))

        if len(results) == 1:
            value = next(iter(results.values()))
            returned = f"return {text(value.primal)}, {of(value)}"
        else:
            values = ", ".join(f'"{n}": {text(v.primal)}' for n, v in results.items())
            slopes = ", ".join(f'"{n}": {of(v)}' for n, v in results.items())
            returned = f"return {{{values}}}, {{{slopes}}}"
        return [Line(f"def derivative({', '.join(self.inputs)}):", body=[*start, *body, Line(returned)])]

    def helper_lines(self) -> list[Line]:
        lines: list[Line] = []
        for one in self.names.helpers:
            needed, written = helper(one)
            for function in needed:
                if function == "math":
                    self.names.imports.setdefault("math", "import math")
                else:
                    self.names.imports.setdefault(function, f"from math import {function}")
            if needs_numpy(one):
                np = self.names.numpy() if one != "zeros" or "numpy" in self.names.modules else "np"
                written = re.sub(r"\bnp\.", f"{np}.", written)
            given = self.names.helper_name(one)
            written = re.sub(rf"\b{one}\(", f"{given}(", written)
            lines += [Line("#gap")] if lines else []
            lines += [Line(part) for part in [written.rstrip()]]
        return lines

    def import_lines(self) -> list[str]:
        """Imports, those of one module together."""
        plain = sorted({s for s in self.names.imports.values() if s.startswith("import ")})
        by_module: dict[str, list[str]] = {}
        for statement in self.names.imports.values():
            if statement.startswith("from "):
                module, _, what = statement.removeprefix("from ").partition(" import ")
                by_module.setdefault(module, []).append(what)
        return plain + [f"from {m} import {', '.join(sorted(set(names)))}" for m, names in sorted(by_module.items())]


def _with_gaps(lines: list[Line]) -> list[Line]:
    """Two blank lines between the parts."""
    return [Line("\n", OTHER) if one.text == "#gap" else one for one in lines]


def _of_numpy(thing: Any) -> bool:
    """Whether an object is of NumPy, or of a library that is made of it."""
    homes = {getattr(thing, "__name__", ""), str(getattr(thing, "__module__", "")), type(thing).__module__}
    return not {str(home).split(".")[0] for home in homes}.isdisjoint({"numpy", "scipy", "pandas"})


def _declared(tree: ast.Module) -> set[str]:
    """The variables of the cell that its functions declare global."""
    return {n for one in ast.walk(tree) if isinstance(one, ast.Global) for n in one.names}


def _names_in(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for one in ast.walk(tree):
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.arg):
            found.add(one.arg)
        elif isinstance(one, (ast.FunctionDef, ast.ClassDef, ast.MatchAs, ast.MatchStar, ast.ExceptHandler)):
            found.add(one.name or "")
        elif isinstance(one, ast.keyword) and one.arg:
            found.add(one.arg)
        elif isinstance(one, (ast.Import, ast.ImportFrom)):
            found |= {(a.asname or a.name).split(".")[0] for a in one.names}
    return found


def _reads(tree: ast.AST, variable: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == variable and isinstance(n.ctx, ast.Load) for n in ast.walk(tree))


def _read_first(tree: ast.Module, bound: set[str]) -> list[str]:
    """The variables of the cell that may be read before they have a value, by the order of the source."""
    assigned: set[str] = set()
    found: dict[str, None] = {}

    def go(nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, ast.Assign):
                go([node.value, *node.targets])
            elif isinstance(node, ast.AugAssign):
                if isinstance(node.target, ast.Name) and node.target.id not in assigned:
                    found[node.target.id] = None
                go([node.value, node.target])
            elif isinstance(node, (ast.For, ast.comprehension)):
                go([node.iter, node.target])
                go([*getattr(node, "body", []), *getattr(node, "orelse", []), *getattr(node, "ifs", [])])
            elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
                go([*node.generators, node.elt])
            elif isinstance(node, ast.DictComp):
                go([*node.generators, node.key, node.value])
            elif isinstance(node, ast.NamedExpr):
                go([node.value, node.target])
            elif isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Load):
                    if node.id in bound and node.id not in assigned:
                        found[node.id] = None
                else:
                    assigned.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                assigned.add(node.name)
                inner = bound_in(node) if isinstance(node, ast.FunctionDef) else set()
                found.update(
                    (n, None)
                    for n in _names_in(node)
                    if n in bound and n not in assigned and n not in inner and n in _loaded(node)
                )
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                assigned.update((a.asname or a.name).split(".")[0] for a in node.names)
            else:
                go(ast.iter_child_nodes(node))

    go(tree.body)
    return list(found)


def _loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
