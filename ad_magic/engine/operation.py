"""Elementary operations: a rule of the table together with which of its operands are active.

`v1 * v2`, `v1 * 3.0` and `3.0 * v1` are three operations of one rule. Each knows how to compute its value, its local
partials, how to push tangents forward and how to pull an adjoint back: functions made from the rule's expressions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

from ad_magic.rules import RULES, Rule, compile_expression, define, names_in
from ad_magic.rules.number import COMPLEX, PLAIN, NotAnalytic, ieee, math

PLAIN_TYPES = {float, int, bool}
NUMPYS: set[type] = set()  # np.float64, once it was met
EXTENDED: set[type] = set()  # NumPy's floats of a greater range, once they are used (see `extended`)


def met(kind: type) -> None:
    """Take np.float64 for the plain number that it is, without importing NumPy before it is used."""
    NUMPYS.add(kind)
    PLAIN_TYPES.add(kind)


Number = Any  # a float, or a number of the engine itself: a partial can be differentiated again


RARE = 99


class Operation:
    """One kind of elementary operation on the tape.

    `pull(adjoints, g, left, right, values, z)` adds `g` times each local partial to the adjoints of the active
    operands; `push(tangents, left, right, values, z)` returns the tangent of the result. `left` and `right` are
    indices where the operand is active, constants where it is not; with three or more arguments `left` is a tuple.
    """

    __slots__ = ("active", "attempted", "code", "decision", "name", "rule", "text")
    array = False  # an operation on arrays: its adjoints and tangents are arrays (engine/arrays)
    memory = False  # it reads or writes a memory that several arrays share (engine/arrays/memory.py)
    rule: Any  # a Rule, of an operation on arrays an ArrayRule; None: an input or a decision
    # of some operations on arrays; a sweep knows which by `array`, `memory` and the name
    again: Any
    outcome: Any
    pull_memory: Any
    push_memory: Any
    template: Any
    hidden = False  # whether its row is none of the table of operations
    unused: Any
    which: Any
    with_constant: Any

    def __init__(self, name: str, rule: Any, active: tuple[bool, ...], *, text: str = "") -> None:
        self.name = name
        self.rule = rule
        self.active = active
        self.decision = rule is None and name != "input"
        self.text = text  # of a decision: "{} < {}"
        self.attempted: Rule | None = None  # a decision: that this primitive raised an error
        self.code = RARE  # a small number for the operations that the reverse sweep knows by heart

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        """An input or a decision: the adjoint goes no further."""

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        return 0.0

    def __repr__(self) -> str:
        return f"<operation {self.name} {''.join('v' if on else 'c' for on in self.active)}>"

    def operands(self, left: Any, right: Any) -> tuple[Any, ...]:
        """The operand columns of a row as one tuple, in the order of the arguments."""
        if isinstance(left, tuple):
            return left
        return (left, right)[: len(self.active)]

    def _marked(self, left: Any, right: Any) -> list[tuple[Any, bool]]:
        """Each operand with whether it is the index of a row (else it is a constant)."""
        operands = self.operands(left, right)
        if self.rule is not None and self.rule.variadic:  # constants are kept as floats there
            return [(i, type(i) is int) for i in operands]
        return list(zip(operands, self.active, strict=True))

    def parents(self, left: Any, right: Any) -> tuple[int, ...]:
        """The indices of the active operands, one for each use."""
        return tuple(i for i, on in self._marked(left, right) if on)

    def arguments(self, left: Any, right: Any, values: Sequence[Number]) -> tuple[Number, ...]:
        """The values of the operands, in order."""
        return tuple(values[i] if on else i for i, on in self._marked(left, right))

    def partials(self, left: Any, right: Any, values: Sequence[Number], z: Number) -> tuple[Number, ...]:
        """The local partial with respect to each active operand; never raises at a singular point."""
        if self.rule is None:
            return ()
        arguments = self.arguments(left, right, values)
        marked = enumerate(self._marked(left, right))
        if self.rule.variadic:
            n = len(arguments)
            return tuple(partial_of(self.rule, 0, (arguments[k], n), z) for k, (_, on) in marked if on)
        return tuple(partial_of(self.rule, k, arguments, z) for k, (_, on) in marked if on)


class Primitive(Operation):
    """An operation whose pull and push are made from the expressions of its rule."""

    __slots__ = ("pull", "push")
    pull: Callable[..., None]
    push: Callable[..., Number]


# ---- the expressions of a rule as functions ------------------------------------------------------


@cache
def active_names() -> dict[str, Any]:
    """What the names in the table mean where the numbers may be the engine's own."""
    from .functions import ACTIVE  # it needs what stands here

    return ACTIVE


@cache
def value_of(rule: Rule, kind: str = "plain") -> Callable[..., Number]:
    """The primitive as a function of its arguments.

    `kind` says of which: floats ("plain"), also active numbers ("active"), also complex numbers ("complex": the
    function raises NotAnalytic where it has no complex form), or floats of a greater range ("extended").
    """
    if rule.called is not None and kind == "active":  # a rule of the user's own: a row of its own, in all runs
        return _applied(rule)
    if rule.function is not None:
        return _of_function(rule, kind)
    if kind == "extended":
        return compile_expression(rule.value, ("*a",) if rule.variadic else rule.arguments, ieee())
    if kind == "complex":
        return _complex_value(rule)
    arguments = ("*a",) if rule.variadic else rule.arguments
    return compile_expression(rule.value, arguments, PLAIN if kind == "plain" else active_names())


def _complex_value(rule: Rule) -> Callable[..., Number]:
    """The primitive for complex numbers; of floats alone it is the plain one."""
    plain = value_of(rule)
    operator = not names_in(rule.value) - {*rule.arguments} and rule.name in COMPLEX
    expression = f"{rule.name}({', '.join(rule.arguments)})" if operator else rule.value
    if rule.called is not None:
        expression = _for_complex(rule.value)
    known = not rule.step and names_in(expression) - {*rule.arguments} <= COMPLEX.keys()
    arguments = ("*a",) if rule.variadic else rule.arguments
    continued = compile_expression(expression, arguments, COMPLEX) if known else None

    def value(*arguments: Number) -> Number:
        if not any(type(x) is complex for x in arguments):
            return plain(*arguments)
        if continued is None:
            why = "is piecewise constant" if rule.step else "is not known for complex numbers"
            raise NotAnalytic(f"{rule.name} {why}")
        return continued(*arguments)

    return value


def _applied(rule: Rule) -> Callable[..., Number]:
    def value(*arguments: Number) -> Number:
        from .record import apply

        return apply(rule.name, *arguments)

    return value


def _of_function(rule: Rule, kind: str) -> Callable[..., Number]:
    """A primitive whose value is a function of the user's, which takes plain numbers."""
    function = rule.function
    assert function is not None
    if kind == "plain":
        return function

    def value(*arguments: Number) -> Number:
        if any(type(x) is complex for x in arguments):
            raise NotAnalytic(f"{rule.called} is a function of plain numbers")
        try:
            return function(*map(float, arguments))
        except (ArithmeticError, ValueError):
            return math.nan

    return value


class _OfComplex(ast.NodeTransformer):
    """Comparisons by the real parts, powers and remainders by the functions for complex numbers."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        parts = [ast.Attribute(x, "real", ast.Load()) for x in (node.left, *node.comparators)]
        return ast.Compare(parts[0], node.ops, list(parts[1:]))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        name = {ast.Pow: "pow", ast.Mod: "mod", ast.FloorDiv: "floordiv"}.get(type(node.op))
        return ast.Call(ast.Name(name, ast.Load()), [node.left, node.right], []) if name else node


def _for_complex(expression: str) -> str:
    """An expression of the user's own for complex numbers.

    >>> _for_complex("a ** b if a > 0 else 0.0")
    'pow(a, b) if a.real > 0 .real else 0.0'
    """
    tree = _OfComplex().visit(ast.parse(expression, mode="eval").body)
    return ast.unparse(ast.fix_missing_locations(tree))


@cache
def compiled_partial(rule: Rule, which: int, kind: str) -> Callable[..., Number]:
    """A partial of a rule as a function of its arguments and the result; `kind` as for `value_of`, or "ieee"."""
    names = ("x", "n", "z") if rule.variadic else (*rule.arguments, "z")
    namespace = PLAIN if kind == "plain" else active_names() if kind == "active" else ieee()
    return compile_expression(rule.partials[which], names, namespace)


def partial_of(rule: Rule, which: int, arguments: Sequence[Number], z: Number) -> Number:
    """A local partial at any point: in IEEE arithmetic where Python's would raise."""
    if EXTENDED and any(type(v) in EXTENDED for v in (*arguments, z)):
        return compiled_partial(rule, which, "ieee")(*arguments, z)
    plain = all(type(v) in PLAIN_TYPES for v in (*arguments, z))
    try:
        return compiled_partial(rule, which, "plain" if plain else "active")(*arguments, z)
    except (ArithmeticError, ValueError):
        if not plain:
            return _singular_partial(rule, which, arguments, z)
    return _ieee_partial(rule, which, arguments, z)


def _ieee_partial(rule: Rule, which: int, arguments: Sequence[float], z: float) -> float:
    import numpy as np

    with np.errstate(all="ignore"):
        return float(compiled_partial(rule, which, "ieee")(*map(np.float64, arguments), np.float64(z)))


def _singular_partial(rule: Rule, which: int, arguments: Sequence[Number], z: Number) -> Number:
    """A partial that is to be differentiated again, at a point where Python's arithmetic raises."""
    import numpy as np

    from .active import primal, with_value

    def lifted(x: Number) -> Number:  # the same number of its run, with a value whose division by zero is infinite
        return with_value(x, lifted(x.value)) if type(x) not in PLAIN_TYPES else np.float64(x)

    with np.errstate(all="ignore"):
        try:
            return compiled_partial(rule, which, "active")(*map(lifted, arguments), lifted(z))
        except (ArithmeticError, ValueError):
            # Where the partial itself is finite it has run into its limit (tanh at 800); else nothing else is honest.
            partial = _ieee_partial(rule, which, list(map(primal, arguments)), primal(z))
            return partial if math.isfinite(partial) else math.nan


def times(partial: Number, tangent: Number) -> Number:
    """A product in which an exact zero is absent: zero times an infinite partial is zero.

    >>> times(math.inf, 0.0), times(0, math.inf), times(2.0, 3.0)
    (0.0, 0.0, 6.0)
    """
    if (type(partial) in PLAIN_TYPES and not partial) or (type(tangent) in PLAIN_TYPES and not tangent):
        return 0.0
    return partial * tangent


# ---- operations made from the table --------------------------------------------------------------


def bindings(rule: Rule, active: tuple[bool, ...], partials: Sequence[str]) -> list[str]:
    """Statements that give a, b, c their values, where the partials use them."""
    used = frozenset().union(*(names_in(p) for p in partials))
    columns = _columns(rule)
    lines = [f"{', '.join(columns)} = left"] if len(columns) > 2 else []
    for name, column, on in zip(rule.arguments, columns, active, strict=True):
        if name in used:
            lines.append(f"{name} = values[{column}]" if on else f"{name} = {column}")
    return lines


def _columns(rule: Rule) -> tuple[str, ...]:
    """The local names of the operand columns: `left` and `right`, or the entries of the tuple that `left` holds."""
    arity = len(rule.partials)
    return ("left", "right")[:arity] if arity <= 2 else tuple(f"i{k}" for k in range(arity))


def live_operands(rule: Rule, active: tuple[bool, ...], is_complex: bool = False) -> list[tuple[str, str]]:
    """(column, partial) for each active operand."""
    return [(_columns(rule)[k], partial) for k, partial in rule.live_partials(active, is_complex)]


def term(factor: str, partial: str) -> str:
    """factor * partial, as an expression: a factor of one is left out, and 1 / b as a partial divides.

    >>> term("g", "-1"), term("g", "1 / b"), term("g", "-z / b")
    ('-g', 'g / (b)', 'g * (-z / b)')
    """
    tree = ast.parse(partial, mode="eval").body
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div) and ast.unparse(tree.left) in ("1", "-1"):
        return f"{'-' if partial.startswith('-1') else ''}{factor} / ({ast.unparse(tree.right)})"
    sign = "-" if partial == "-1" else ""
    return sign + factor if partial in ("1", "-1") else f"{factor} * ({partial})"


def pull_lines(rule: Rule, active: tuple[bool, ...]) -> list[str]:
    """`adjoint of the operand += adjoint of the result * local partial` for each active operand, as statements.

    >>> pull_lines(RULES["mul"], (True, False))
    ['b = right', 'adjoints[left] += g * (b)']
    """
    live = live_operands(rule, active)
    lines = bindings(rule, active, [p for _, p in live])
    return lines + [f"adjoints[{column}] += {term('g', p)}" for column, p in live]


def _make_pull(rule: Rule, active: tuple[bool, ...], namespace: Mapping[str, Any]) -> Callable[..., None]:
    lines = pull_lines(rule, active)
    source = "def pull(adjoints, g, left, right, values, z):\n" + "".join(f"    {line}\n" for line in lines)
    return define(source, "pull", dict(namespace), f"pull {rule.name}")


def _make_push(rule: Rule, active: tuple[bool, ...], namespace: Mapping[str, Any]) -> Callable[..., Number]:
    live = live_operands(rule, active)
    terms = " + ".join(term(f"tangents[{column}]", p) for column, p in live)
    lines = [*bindings(rule, active, [p for _, p in live]), f"return {terms}"]
    source = "def push(tangents, left, right, values, z):\n" + "".join(f"    {line}\n" for line in lines)
    return define(source, "push", dict(namespace), f"push {rule.name}")


def _make_variadic(rule: Rule) -> Operation:
    made = Primitive(rule.name, rule, ())

    def pull(adjoints: Any, g: Number, left: Any, right: Any, values: Sequence[Number], z: Number) -> None:
        for i, partial in zip(made.parents(left, right), made.partials(left, right, values, z), strict=True):
            adjoints[i] += times(partial, g)

    def push(tangents: Any, left: Any, right: Any, values: Sequence[Number], z: Number) -> Number:
        pairs = zip(made.parents(left, right), made.partials(left, right, values, z), strict=True)
        return sum(times(partial, tangents[i]) for i, partial in pairs)

    made.pull, made.push = pull, push
    return made


@cache
def operation(name: str, active: tuple[bool, ...] = ()) -> Operation:
    """The operation of a rule with these operands active (a variadic rule has only one).

    >>> operation("mul", (True, False))
    <operation mul vc>
    """
    rule = RULES[name]
    if rule.variadic:
        return _make_variadic(rule)
    made = Primitive(name, rule, active)
    made.pull = _make_pull(rule, active, PLAIN)
    made.push = _make_push(rule, active, PLAIN)
    return made


def patterns(arity: int) -> list[tuple[bool, ...]]:
    """All ways in which at least one of the operands is active.

    >>> patterns(2)
    [(True, True), (True, False), (False, True)]
    """
    return [active for active in product((True, False), repeat=arity) if any(active)]


INPUT = Operation("input", None, ())

COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


@cache
def decision(name: str, active: tuple[bool, ...] = (True,)) -> Operation:
    """A row that records that the program looked at a plain value: a comparison, or `int`, `bool`, `round`, …

    >>> decision("lt", (True, False)).text
    '{} < {}'
    """
    text = f"{{}} {COMPARISONS[name]} {{}}" if name in COMPARISONS else f"{name}({', '.join('{}' for _ in active)})"
    return Operation(name, None, active, text=text)


@cache
def attempt(name: str, active: tuple[bool, ...]) -> Operation:
    """A row that records that a primitive raised an error: where it does not, the program goes another way.

    >>> attempt("div", (False, True)).text
    '{} / {} raises'
    """
    rule = RULES[name]
    made = Operation(f"{name} raises", None, active, text=f"{rule.expression(*('{}' for _ in active))} raises")
    made.attempted = rule
    return made
