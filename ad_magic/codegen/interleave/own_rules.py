"""Calls of the user's own rules, of `stop_gradient` and of `checkpoint`: none of them is left in the program."""

from __future__ import annotations

import ast
import math
from typing import Any

from ad_magic.codegen.expressions import name, parse, put
from ad_magic.engine.own import Own
from ad_magic.rules import Rule, names_in
from ad_magic.rules.number import PLAIN
from ad_magic.transforms.checkpoints import checkpoint
from ad_magic.transforms.pairs import OwnPair

from .functions import plain_of
from .rules import BUILTIN, CONSTANTS, HELPERS, OF_NUMPY
from .sorts import Sort
from .twins import Twins
from .values import Value, call


class OwnRules(Twins):
    """Calls of what this package gives."""

    def call_ours(self, node: ast.Call, thing: Any, target: str | None) -> Value:
        """A call of a rule of the user's own, of `stop_gradient` or `checkpoint`."""
        node = _by_position(node, thing)
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            return self.refuse(f"`{ast.unparse(node)}`: write the arguments one by one", node)
        if isinstance(thing, OwnPair):
            return self.refuse(
                f"{thing.__name__} has a rule of your own, a function, which is not written as text", node
            )
        if isinstance(thing, Own):
            return self._own(node, thing)
        if thing is checkpoint:
            return self.visit(node.args[0])
        value = self.visit(node.args[0])
        return Value(self._own_copy(value.primal, value.sort), {}, plain_of(value.sort))

    def _own_copy(self, node: ast.expr, sort: Sort) -> ast.expr:
        """`stop_gradient` gives a new array, where the program writes into arrays."""
        return call(f"{self.names.numpy()}.copy", node) if self.names.writes and sort.may("array") else node

    def look_at_ours(self, node: ast.Call, thing: Any) -> ast.expr:
        node = _by_position(node, thing)
        if isinstance(thing, OwnPair) or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            return self.refuse(f"`{ast.unparse(node)}` is not written as text", node).primal
        if not isinstance(thing, Own):
            return self._own_copy(self.look(node.args[0]), self.quick(node.args[0]))
        arrays = any(self.quick(a).may("array") for a in node.args)
        if thing.rule.function is not None or _unknown(thing.rule, arrays):
            return self.refuse(f"{thing.__name__} has a rule of your own that is not written as text", node).primal
        inside = put(parse(thing.rule.value), {x: name(f"__{k}__") for k, x in enumerate(thing.rule.arguments)})
        looked = {f"__{k}__": self.look(a) for k, a in enumerate(node.args)}
        return put(self.spelled(inside, arrays, thing.rule), looked)

    def _own(self, node: ast.Call, own: Own) -> Value:
        rule = own.rule
        if len(node.args) != len(own.names):
            return self.refuse(f"{own.__name__} takes {len(own.names)} arguments", node)
        args = [self.operand(a) for a in node.args]
        for k, later in enumerate(node.args[1:], 1):
            args[:k] = [self.keep_order(a, later) for a in args[:k]]
        arrays = any(self.may_be_array(a) for a in args)
        unknown = _unknown(rule, arrays)
        if rule.function is not None or unknown:
            why = "its value is a function of plain numbers" if rule.function else f"{unknown} is none of math"
            return self.refuse(f"{own.__name__} has a rule of your own that is not written as text: {why}", node)
        args = [a if isinstance(a.primal, ast.Constant) else self.atom(a) for a in args]
        inside = put(parse(rule.value), {x: name(f"__{k}__") for k, x in enumerate(rule.arguments)})
        texts = self.spelled(inside, arrays, rule)
        primal = put(texts, {f"__{k}__": a.primal for k, a in enumerate(args)})
        value = self.apply(rule, args, primal, "np" if arrays else "")
        return self.as_array(value, args, node) if arrays else value


def _by_position(node: ast.Call, thing: Any) -> ast.Call:
    """A call of a rule with its arguments in order, where those given by name stand in that order too."""
    if not isinstance(thing, Own) or any(isinstance(a, ast.Starred) for a in node.args):
        return node
    given = {k.arg: k.value for k in node.keywords if k.arg is not None}
    if len(given) < len(node.keywords) or not {*given} <= {*thing.names}:  # **options, or a wrong name
        return node
    try:
        args = thing.bound(node.args, given)
    except TypeError:
        return node
    written = [*node.args, *given.values()]
    if [a for a in args if a in written] != written:
        return node
    defaults = [a if isinstance(a, ast.expr) else ast.Constant(a) for a in args]
    return ast.copy_location(ast.fix_missing_locations(ast.Call(node.func, defaults, [])), node)


def _unknown(rule: Rule, arrays: bool) -> str:
    """A name of its expressions that neither math nor NumPy has; "" where there is none."""
    used = frozenset().union(*map(names_in, (rule.value, *rule.partials))) - {*rule.arguments, "z", "inf", "nan"}
    for used_name in sorted(used - CONSTANTS.keys()):
        if used_name not in PLAIN or (not hasattr(math, used_name) and used_name not in BUILTIN | HELPERS):
            return used_name
        if arrays and used_name in HELPERS:
            return used_name
        if arrays:
            from ad_magic.rules.arrays.frozen import np

            if not hasattr(np, OF_NUMPY.get(used_name, used_name)):
                return used_name
    return ""
