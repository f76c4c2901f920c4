"""Functions and methods of NumPy: by row of the table, linear ones, and those whose tangent is a short formula."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from typing import Any

from ad_magic.codegen.expressions import constant, name, parse, text
from ad_magic.rules import RULES

from .arrays import Arrays
from .numpy_tables import (
    BILINEAR,
    FORMULA_HELPERS,
    FORMULAS,
    INT_RESULTS,
    JOINT,
    LINEAR,
    MAKERS,
    PLAIN,
    POSITIONS,
    RENAMED,
)
from .sorts import BOTTOM, INT, UNKNOWN, Sort, container, number
from .values import Value, Z, call, replaced, simple


class NumPyCalls(Arrays):
    """Calls of NumPy."""

    def is_numpy(self, thing: Any) -> bool:
        module = getattr(thing, "__module__", None) or ""
        return str(module).split(".")[0] == "numpy" or hasattr(thing, "nin")

    def label_of(self, thing: Any) -> str:
        """The name of a function of NumPy, with `linalg.` before it where it is of that module."""
        label = getattr(thing, "__name__", "")
        module = str(getattr(thing, "__module__", "") or "")
        for part in ("linalg", "fft", "random"):
            if f".{part}" in module:
                return f"{part}.{label}"
        return label

    def call_numpy(self, node: ast.Call, callee: Value, thing: Any) -> Value:
        from ad_magic.engine.arrays.by_entries import ROWS as ROWS

        label = self.label_of(thing)
        np = sys.modules["numpy"]
        if thing in (np.float64, np.float32) or label == "float64":
            return self.call_float(node, callee)
        if getattr(np, label, None) is not thing and "." not in label:
            return self.unknown_of_numpy(node)
        if hasattr(thing, "nin") and label in ROWS and not RULES[ROWS[label]].step:
            return self.call_row(node, callee, ROWS[label])
        label = RENAMED.get(label, label)
        if label in PLAIN:
            return self.plain_call(node, INT if label in INT_RESULTS else UNKNOWN)
        if label in MAKERS:
            return self.maker(node, label)
        if label == "where" and len(node.args) == 3:
            return self.call_where(node, callee)
        if label == "clip":
            return self.call_clip(node, node.args[0], node.args[1:])
        if label in BILINEAR and len(node.args) >= 2:
            return self.call_bilinear(node, callee)
        if label == "einsum":
            return self.call_einsum(node, callee)
        if label == "linalg.solve":
            return self.call_solve(node, callee)
        if label in JOINT:
            return self.call_joint(node, callee, JOINT[label])
        if label in FORMULAS:
            value = self.as_operand(node.args[0])
            written = ast.Call(callee.primal, [value.primal, *map(self.look, node.args[1:])], self.options(node))
            return self.formula(node, label, value, written, node.args[1:])
        bordered = label == "pad" and not any(k.arg not in ("mode", "pad_width") for k in node.keywords)
        if (label in LINEAR or bordered) and node.args:
            return self.linear(node, callee)
        return self.unknown_of_numpy(node)

    def unknown_of_numpy(self, node: ast.Call) -> Value:
        if any(self.quick_active(a) for a in self._arguments(node)):
            return self.refuse(f"{ast.unparse(node.func)} has no derivative that is written as text", node)
        return self.plain_call(node, UNKNOWN)

    # ---- arguments ----

    def as_operand(self, node: ast.expr) -> Value:
        """An argument that is an array or a list of numbers."""
        return self.operand(node)

    def options(self, node: ast.Call) -> list[ast.keyword]:
        """The keywords of a call, which must be plain."""
        for k in node.keywords:
            if self.quick_active(k.value):
                self.refuse(
                    f"`{k.arg}=` of {ast.unparse(node.func)} has a derivative, which cannot be interleaved", node
                )
        return [ast.keyword(k.arg, self.look(k.value)) for k in node.keywords]

    def shape_of_list(self, node: ast.expr, value: Value) -> ast.expr | None:
        """What stands for an argument where shapes are asked for."""
        if isinstance(value.primal, (ast.List, ast.Tuple)):
            parts = [self.shape_of_list(e, v) for e, v in zip(value.primal.elts, self.parts_of(value), strict=False)]
            return None if None in parts else ast.List([p for p in parts if p is not None], ast.Load())
        shape = self.shape_of(value.sort)
        return None if shape is None else parse(f"np.ones({shape})") if shape else ast.Constant(1.0)

    def parts_of(self, value: Value) -> list[Value]:
        """The entries of a list that is written out."""
        assert isinstance(value.primal, (ast.List, ast.Tuple))
        return [self.try_out(e) for e in value.primal.elts]

    def shape_called(self, callee: Value, values: Sequence[Value], rest: Sequence[ast.expr], options: Any) -> Any:
        """The shape of a call's result, or None."""
        standing = [self.shape_of_list(v.primal, v) for v in values]
        if None in standing:
            return None
        args = [s for s in standing if s is not None]
        tree = ast.Call(callee.primal, [*args, *rest], [k for k in options if k.arg != "dtype"])
        if any(
            isinstance(n, ast.Name) and n.id not in ("np", self.np_name(), text(callee.primal)) for n in ast.walk(tree)
        ):
            return None
        return self.shape_by(tree, {}, tree)

    # ---- by kind ----

    def call_row(self, node: ast.Call, callee: Value, rule: str) -> Value:
        """A function that goes entry by entry."""
        args = self.operands(node.args)
        options = self.options(node)
        if options and any(a.tangents for a in args):
            return self.refuse(f"`{ast.unparse(node)}` with options cannot be interleaved", node)
        if len(args) != len(RULES[rule].partials):
            return self.unknown_of_numpy(node)
        if any(a.tangents for a in args) and len(args) == 2:
            args = [self.again(args[0], args[1], rule), self.again(args[1], args[0], rule)]
        primal = ast.Call(callee.primal, [a.primal for a in args], options)
        return self.as_array(self.apply(RULES[rule], args, primal, "np"), args, node)

    def maker(self, node: ast.Call, label: str) -> Value:
        """np.zeros and its like: an array of its own, which may be written to."""
        primal = self.look_call(node)
        shape = None if label.endswith("_like") else self.shape_by(primal, {}, primal)
        given = next((k.value for k in node.keywords if k.arg == "dtype"), None)
        if given is None and len(node.args) > 1 and label in ("zeros", "ones", "empty", "zeros_like", "ones_like"):
            given = node.args[1]
        if isinstance(given, ast.Attribute) and given.attr == "dtype":  # that of another array
            whole = self.is_whole(self.quick(given.value))
        elif given is not None:
            whole = "float" not in text(given)
        elif label.endswith("_like"):
            whole = self.is_whole(self.quick(node.args[0]))
        else:
            whole = label in ("arange", "indices")
        return self.completed(Value(primal, {}, self.made(node, shape, [], whole)))

    def linear(self, node: ast.Call, callee: Value) -> Value:
        """f(a, …) with the tangent f(da, …)."""
        value = self.as_operand(node.args[0])
        rest = [self.look(a) for a in node.args[1:]]
        options = self.options(node)
        if any(self.quick_active(a) for a in node.args[1:]):
            return self.refuse(f"`{ast.unparse(node)}`: only the first argument may have a derivative", node)
        primal = ast.Call(callee.primal, [value.primal, *rest], options)
        if value.sort.bottom:
            return Value(primal, {}, BOTTOM)
        if text(callee.primal).endswith("split"):
            return self.in_pieces(node, value, primal, callee, rest, options)
        kept = [k for k in options if k.arg != "dtype"]
        tangents: dict[str, ast.expr] = {
            s: ast.Call(callee.primal, [t, *rest], kept) for s, t in self.settled(value).tangents.items()
        }
        dtype = next((text(k.value) for k in options if k.arg == "dtype"), "")
        if tangents and ("int" in dtype or "bool" in dtype):
            return self.refuse("an array of integers drops the derivative; make it one of floats", node)
        if dtype == "object":
            return self.refuse("an array of objects cannot be interleaved; make it one of floats", node)
        shape = self.shape_called(callee, [value], rest, options)
        whole = not tangents and not dtype and self.holds_whole(value)
        result = Value(primal, tangents, self.made(node, shape, list(tangents), whole))
        return self.completed(result)

    def holds_whole(self, value: Value) -> bool:
        """Whether an array that is made of it may be one of integers."""
        if value.sort.may("list", "tuple"):
            element = self.heap.element(value.sort)
            depth = 0
            while element.may("list", "tuple") and depth < 4:
                element, depth = self.heap.element(element), depth + 1
            return element.may("int", "unknown") and not element.may("number")
        return self.is_whole(value.sort)

    def in_pieces(
        self, node: ast.Call, value: Value, primal: ast.expr, callee: Value, rest: list[ast.expr], options: Any
    ) -> Value:
        """np.split: a list of parts."""
        sort = container("list", self.site(node))
        self.heap.put(sort, Sort(frozenset({"array"}), sites=value.sort.sites))
        self.heap.settle(sort)
        return Value(primal, {s: ast.Call(callee.primal, [t, *rest], options) for s, t in value.tangents.items()}, sort)

    def call_joint(self, node: ast.Call, callee: Value, count: int) -> Value:
        """Linear in its first arguments together: np.linspace(a, b, n)."""
        label = callee.primal
        values = self.operands(node.args[:count])
        rest, options = [self.look(a) for a in node.args[count:]], self.options(node)
        primal = ast.Call(label, [*(v.primal for v in values), *rest], options)
        if any(v.sort.bottom for v in values):
            return Value(primal, {}, BOTTOM)
        full = text(label).endswith(("full", "full_like"))
        whole = False
        if full:
            like = text(label).endswith("_like")
            whole = self.is_whole(values[0].sort) if like else self.is_whole(values[-1].sort)
            if whole and values[-1].tangents:
                return self.refuse("an array of integers drops the derivative; make it one of floats", node)
        seeds = [s for s in self.suffixes if any(s in v.tangents for v in (values[1:] if full else values))]
        tangents: dict[str, ast.expr] = {}
        for s in seeds:
            along = [v.primal if full and k == 0 else self.tangent(v, s) for k, v in enumerate(values)]
            tangents[s] = ast.Call(label, [*along, *rest], options)
        shape = self.shape_called(callee, values, rest, options)
        if full:
            shape = self.shape_by(primal, {}, ast.Call(label, [values[0].primal, ast.Constant(0.0)], []))
        return self.completed(Value(primal, tangents, self.made(node, shape, seeds, whole)))

    def call_where(self, node: ast.Call, callee: Value) -> Value:
        test = self.look(node.args[0])
        if not simple(test):
            t = self.temp()
            self.emit(f"{t} = {text(test)}", "primal")
            test = name(t)
        yes, no = self.operands(node.args[1:])
        primal = ast.Call(callee.primal, [test, yes.primal, no.primal], [])
        if yes.sort.bottom or no.sort.bottom:
            return Value(primal, {}, BOTTOM)
        seeds = [s for s in self.suffixes if s in yes.tangents or s in no.tangents]
        yes, no = self.settled(yes), self.settled(no)

        def side(v: Value, s: str) -> ast.expr:
            return v.tangents.get(s, ast.Constant(0.0))

        shapes = [self.shape_of(v.sort) for v in (yes, no)]
        asked = self.condition_shape(node.args[0])
        shape = self.broadcast([*shapes, asked])
        args = [yes, no, Value(test, {}, Sort(frozenset({"array"})) if asked != () else INT)]
        tangents: dict[str, ast.expr] = {}
        for s in seeds:
            chosen = ast.Call(callee.primal, [test, side(yes, s), side(no, s)], [])
            tangents[s] = self.as_large(chosen, s, args, shape)
        return self.completed(Value(primal, tangents, self.made(node, shape, seeds)))

    def condition_shape(self, node: ast.expr) -> tuple[int, ...] | None:
        """The shape of a comparison."""
        if isinstance(node, ast.Compare):
            return self.broadcast([self.shape_of(self.quick(x)) for x in (node.left, *node.comparators)])
        return self.shape_of(self.quick(node))

    def call_clip(self, node: ast.Call, array: ast.expr, bounds: Sequence[ast.expr]) -> Value:
        """The smaller of the upper bound and the greater of the lower one, as the table has them."""
        given = list(bounds) + [k.value for k in node.keywords if k.arg in ("a_min", "a_max", "min", "max")]
        low, high = [*given, ast.Constant(None), ast.Constant(None)][:2]
        if len(given) == 1 and node.keywords and node.keywords[0].arg in ("a_max", "max"):
            low, high = ast.Constant(None), given[0]
        np = self.names.numpy()
        tree = array
        for bound, function in ((low, "maximum"), (high, "minimum")):
            if not (isinstance(bound, ast.Constant) and bound.value is None):
                tree = ast.copy_location(ast.Call(parse(f"{np}.{function}"), [tree, bound], []), node)
        for one in ast.walk(tree):
            if not hasattr(one, "lineno"):
                ast.copy_location(one, node)
        return self.nested(tree, node)

    def nested(self, tree: ast.expr, node: ast.Call) -> Value:
        """Functions of NumPy in one another, written by us."""
        if not (isinstance(tree, ast.Call) and text(tree.func).startswith(f"{self.names.numpy()}.m")):
            return self.as_operand(tree)
        inner = self.nested(tree.args[0], node)
        inner = inner if simple(inner.primal) or not inner.tangents else self.elementary(inner)
        other = self.as_operand(tree.args[1])
        rule = text(tree.func).rpartition(".")[2]
        primal = ast.Call(tree.func, [inner.primal, other.primal], [])
        site = ast.copy_location(ast.Name(rule, ast.Load()), node)
        return self.as_array(self.apply(RULES[rule], [inner, other], primal, "np"), [inner, other], site)

    def call_bilinear(self, node: ast.Call, callee: Value) -> Value:
        left, right = self.operands(node.args[:2])
        rest, options = [self.look(a) for a in node.args[2:]], self.options(node)

        def of(a: ast.expr, b: ast.expr) -> ast.expr:
            return ast.Call(callee.primal, [a, b, *rest], options)

        return self.bilinear(of(left.primal, right.primal), left, right, node, of)

    def call_einsum(self, node: ast.Call, callee: Value) -> Value:
        if not isinstance(node.args[0], ast.Constant):
            return self.refuse("einsum with lists of axes cannot be interleaved; write the letters", node)
        values, options = self.operands(node.args[1:]), self.options(node)

        def of(parts: list[ast.expr]) -> ast.expr:
            return ast.Call(callee.primal, [node.args[0], *parts], options)

        primals = [v.primal for v in values]
        if any(v.sort.bottom for v in values):
            return Value(of(primals), {}, BOTTOM)
        from ad_magic.codegen.expressions import total

        tangents: dict[str, ast.expr] = {}
        for s in self.suffixes:
            terms = [
                of([v.tangents[s] if j == k else p for j, p in enumerate(primals)])
                for k, v in enumerate(values)
                if s in v.tangents
            ]
            if terms:
                tangents[s] = total(terms)
        names = {f"a{k}": v.sort for k, v in enumerate(values)}
        shape = self.shape_by(of(primals), names, of([name(n) for n in names]))
        return self.completed(Value(of(primals), tangents, self.made(node, shape, list(tangents))))

    def call_solve(self, node: ast.Call, callee: Value) -> Value:
        """A x = b: A dx = db - dA x"""
        a, b = self.operands(node.args)
        primal = ast.Call(callee.primal, [a.primal, b.primal], [])
        if a.sort.bottom or b.sort.bottom:
            return Value(primal, {}, BOTTOM)
        tangents: dict[str, ast.expr] = {}
        for s in self.suffixes:
            if s in a.tangents or s in b.tangents:
                right: ast.expr = b.tangents.get(s, ast.Constant(0.0))
                if s in a.tangents:
                    moved = ast.BinOp(a.tangents[s], ast.MatMult(), name(Z))
                    right = ast.BinOp(right, ast.Sub(), moved) if s in b.tangents else ast.UnaryOp(ast.USub(), moved)
                tangents[s] = ast.Call(callee.primal, [a.primal, right], [])
        return self.completed(Value(primal, tangents, self.made(node, self.shape_of(b.sort), list(tangents))))

    def formula(self, node: ast.Call, label: str, value: Value, primal: ast.expr, rest: Sequence[ast.expr]) -> Value:
        """The tangent by a formula in a, da and z."""
        if value.sort.bottom:
            return Value(primal, {}, BOTTOM)
        pattern, allowed = FORMULAS[label]
        given = {k.arg: self.look(k.value) for k in node.keywords}
        given |= dict(zip(POSITIONS.get(label, ()), map(self.look, rest), strict=False))
        if label == "linalg.norm" and "ord" in given:
            order = constant(given.pop("ord"))
            written = text(self.look(rest[0])) if rest else ""
            if order != 2 and written not in ("'fro'", "None"):
                return self.refuse("a norm of another order cannot be interleaved; write it out", node)
        unknown = [k for k in given if k not in allowed]
        shape = self.shape_by(primal, {"a": value.sort}, replaced_first(primal, name("a")))
        if not value.tangents:
            sort = self.made(node, shape, [], self.is_whole(value.sort))
            return self.completed(Value(primal, {}, sort))
        if unknown:
            return self.refuse(f"`{unknown[0]}=` of {ast.unparse(node.func)} cannot be interleaved", node)
        value = self.atom(value) if not simple(value.primal) else value
        if isinstance(value.primal, (ast.List, ast.Tuple)) or value.sort.may("list", "tuple"):
            value = self.array_of(value)
        np = self.names.numpy()
        primal = (
            replaced_first(primal, value.primal)
            if not isinstance(node.func, ast.Attribute) or self.is_module(node.func)
            else primal
        )
        options = ", ".join(f"{k}={text(v)}" for k, v in given.items())
        axis = text(given["axis"]) if "axis" in given else "0" if label == "cumprod" else "-1"
        pattern = pattern.replace("OPTIONS", options).replace("AXIS", axis).replace(", )", ")")
        for one in FORMULA_HELPERS:
            if f"{one}(" in pattern:
                pattern = pattern.replace(f"{one}(", f"{self.use(one)}(")
        tangents = {
            s: replaced(parse(pattern.replace("np.", f"{np}.")), {"a": value.primal, "da": t, "z": name(Z)})
            for s, t in value.tangents.items()
        }
        if label == "linalg.slogdet":
            items = (number(), number(tangents))
            return Value(primal, tangents, Sort(frozenset({"tuple"}), items=items))
        return self.completed(Value(primal, tangents, self.made(node, shape, list(tangents))))

    def is_module(self, node: ast.Attribute) -> bool:
        """Whether an attribute is a function of a module."""
        return type(self.quick(node.value).known).__name__ == "module"

    def array_of(self, value: Value) -> Value:
        """A list of numbers as an array."""
        made = f"{self.names.numpy()}.array"
        return Value(call(made, value.primal), {s: call(made, t) for s, t in value.tangents.items()}, value.sort)


def replaced_first(node: ast.expr, argument: ast.expr) -> ast.expr:
    """The call with another first argument, or of another array's method."""
    assert isinstance(node, ast.Call)
    if node.args and not (isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Subscript)):
        function = node.func
        methodical = (
            isinstance(function, ast.Attribute)
            and text(function.value) not in ("np", "numpy")
            and "linalg" not in text(function)
        )
        if not methodical:
            return ast.Call(node.func, [argument, *node.args[1:]], node.keywords)
    assert isinstance(node.func, ast.Attribute)
    return ast.Call(ast.Attribute(argument, node.func.attr, ast.Load()), node.args, node.keywords)
