"""A recorded run handed over: its values as a function of another engine, JAX or torch, which differentiates it itself.

It is the straight line, printed as any other; only what its expressions call is called otherwise there. How, says a
`Target`, which is data; where the engine has no function of that meaning the program brings one along.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from inspect import signature
from itertools import count
from typing import Any, cast

from ad_magic.rules import define
from ad_magic.rules.number import CONSTANTS
from ad_magic.rules.table import OWN

from .expressions import name, number, parse, put, text
from .loop_text import indented
from .loops import Lines, Loop
from .program import Statement
from .python import array_text, by_output, definition, reason, value_lines
from .straight import Straight, straight
from .support import source_of
from .symbols import NoProgram
from .target import REAL_ONLY, REFUSED, Target


@cache
def target_of(kind: str) -> Target:
    """The target "jax" or "torch". Neither engine is imported."""
    return cast(Target, importlib.import_module(f"ad_magic.codegen.to_{kind}").TARGET)


def handed_source(run: Any, kind: str) -> str:
    """The source of `value(x, y)`, `kind` "jax" or "torch". Raises NoProgram."""
    target = target_of(kind)
    _refuse_others(run, run.tape, target)
    return _source(straight(run, "values", _reserved(target)), target)


def handed(run: Any, kind: str) -> Callable[..., Any]:
    """That function. Raises NoProgram, and ImportError where the engine is not installed."""
    target = target_of(kind)
    source = handed_source(run, kind)
    try:
        importlib.import_module(target.module)
    except ModuleNotFoundError as error:
        if error.name != target.module:
            raise
        raise ImportError(f"{target.name} is not installed: pip install {target.module}") from None
    return define(source, "value", {"__name__": f"handed_to_{kind}"}, f"{target.name} {next(_NUMBERS)}")


def _refuse_others(run: Any, tape: Any, target: Target, row: int | None = None) -> None:
    """Raise NoProgram for an operation whose derivative would be another one in the engine."""
    for k, op in enumerate(tape.ops):
        at, said = k if row is None else row, ""
        if getattr(op, "is_complex", False) and op.name in REAL_ONLY:
            said = f"{op.name} of complex numbers has another derivative on its cut in {target.name}"
        elif getattr(op.rule, "name", None) in ("own", *OWN):  # by functions, or a row like those of the table
            said = f"{op.name} has a derivative of its own, which {target.name} would not use"
        if said:
            line = run.line_of(at)
            raise NoProgram(f"line {line}: {said}" if line else said)
        if hasattr(op, "inner"):
            _refuse_others(run, op.inner, target, at)


_NUMBERS = count(1)  # each source has a file name of its own, so that tracebacks show the right one


def _reserved(target: Target) -> frozenset[str]:
    """The names that no input and no constant may have in a program."""
    return frozenset(("value", "ok", *target.imports, *target.library))


# ---- the text ------------------------------------------------------------------------------------


def _source(program: Straight, target: Target) -> str:
    body = _body(program, target)
    constants = {label: x for label, x in program.constants.items() if label in _names(body)}
    arrays = [f"{_outer(label, target)} = {target.given.format(array_text(x))}" for label, x in constants.items()]
    if target.here and constants:
        after, inputs = 1 + len(program.inputs), ", ".join(program.inputs)
        body[after:after] = [f"{k} = {target.here.format(_outer(k, target), inputs)}" for k in constants]
    definitions = _brought(_names(body), target)
    whole = "\n".join([*definitions, *arrays, *body])
    imports = [line for label, line in target.imports.items() if re.search(rf"(?<![\w.]){label}\b", whole)]
    head = "\n\n".join("\n".join(part) for part in (imports, arrays) if part)
    return "\n\n\n".join([head, *definitions, "\n".join(definition("value", program, body))]) + "\n"


def _names(lines: Sequence[str]) -> set[str]:
    tree = ast.parse("\n".join(["def value():", *indented(lines)]))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _outer(label: str, target: Target) -> str:
    """What a constant is called outside the function."""
    return f"_{label}" if target.here else label


def _brought(used: Iterable[str], target: Target) -> list[str]:
    """The functions of the library that are used, each after those it calls."""
    found: dict[str, str] = {}

    def bring(label: str) -> None:
        function = target.library.get(label)
        if function is not None and label not in found:
            source, others = source_of(function)
            for other in others:
                if other != label:
                    bring(other)
            found[label] = _in_modules(source, target)

    for label in sorted(used):
        bring(label)
    return list(found.values())


def _in_modules(code: str, target: Target) -> str:
    """The code with the engine's modules for `xp` and `sp`."""
    return re.sub(rf"\b({'|'.join(target.modules)})\b", lambda found: target.modules[found[1]], code)


def _body(program: Straight, target: Target) -> list[str]:
    words = _Words(target, any(x.dtype.kind not in "fc" for x in program.constants.values()))

    def visit(value: ast.expr, row: int) -> ast.expr:
        try:
            return cast(ast.expr, words.visit(value))
        except NoProgram as error:
            line = program.run.line_of(row)
            raise NoProgram(f"line {line}: {error}" if line else str(error)) from None

    values = _translated(program, visit)
    shown = value_lines(program, values, lambda s: [_statement(s, program)])
    inputs = [
        f'{own} = given("{label}", {own}, {tuple(map(int, getattr(x, "shape", ())))})'
        for own, (label, x) in zip(program.inputs, program.run.inputs.items(), strict=True)
    ]
    outputs = zip(program.outputs, program.run.outputs, strict=True)
    value = by_output(program, [_output(program, x, o, target, visit) for x, o in outputs])
    guarded = any(s.kind == "guard" for part in values for s in (part.body if isinstance(part, Loop) else [part]))
    if guarded:
        value = f"on_path(ok, {value}, {', '.join(program.inputs)})"
    what = ", ".join(o.name for o in program.run.outputs)
    start = [f'"""The value of {what}, as the run was recorded."""', *inputs, *(["ok = True"] if guarded else [])]
    return [*start, *shown, f"return {value}"]


def _translated(program: Straight, visit: Callable[[ast.expr, int], ast.expr]) -> Lines:
    """The statements of the values in the words of a target. Raises NoProgram."""

    def one(s: Statement) -> Statement:
        op = program.run.tape.ops[s.row]
        if s.kind == "note" or (s.kind == "guard" and op.name in REFUSED):  # what is asked there has no form
            visit(ast.Call(name("note" if s.kind == "note" else op.name), [], []), s.row)
        return replace(s, value=visit(_condition(s.value) if s.kind == "guard" else s.value, s.row))

    def loop(part: Loop) -> Loop:
        row = part.body[0].row
        starts = [(label, visit(value, row)) for label, value in part.starts]
        items = [(label, [visit(x, row) for x in column]) for label, column in part.items]
        return replace(part, body=list(map(one, part.body)), starts=starts, items=items)

    return [loop(part) if isinstance(part, Loop) else one(part) for part in program.values]


def _statement(s: Statement, program: Straight) -> str:
    if s.kind == "guard":
        return f'ok &= holds({text(s.value)}, "{reason(program, s.row)}")'
    return f"{s.target} = {text(s.value)}"


def _output(program: Straight, x: Any, output: Any, target: Target, visit: Callable[..., ast.expr]) -> str:
    row = len(program.run.tape) - 1

    def nested(x: Any) -> str:
        return f"[{', '.join(map(nested, x))}]" if isinstance(x, list) else text(visit(x, row))

    shared = isinstance(x, ast.Constant) or (isinstance(x, ast.Name) and x.id in program.constants)
    if isinstance(x, list) or shared or output.rows is None:  # no array, or it does not depend on the inputs
        return target.made.format(nested(x), program.inputs[0])
    recorded = program.run.tape.values[output.rows]
    lower = not output.scalar and recorded.dtype != float
    return nested(x) + (target.floats if lower else "")


# ---- expressions ---------------------------------------------------------------------------------


def _condition(value: ast.expr) -> ast.expr:
    """What a guard asks as an expression that is true or false."""
    if isinstance(value, ast.Name):
        return ast.Compare(value, [ast.NotEq()], [ast.Constant(0)])
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not):
        return ast.UnaryOp(ast.Not(), _condition(value.operand))
    return value


_NONE: Mapping[str, str] = {}
_PLACES = frozenset("abcd")  # of the arguments in a form
_NUMBERS_ALONE = re.compile(r"\[[-+\d\s\[\],.e]*\d[-+\d\s\[\],.e]*\]")  # what a list of numbers looks like
_ATTRIBUTES = ("T", "real", "imag")


class _Words(ast.NodeTransformer):
    """An expression of NumPy, `math` and SciPy as one of the target. Trees are shared: each is built anew."""

    def __init__(self, target: Target, mixed: bool = False) -> None:
        """`mixed`: there are arrays of whole numbers among the constants."""
        self.target, self.mixed = target, mixed

    def generic_visit(self, node: ast.AST) -> ast.AST:
        fields: dict[str, Any] = {}
        for key, old in ast.iter_fields(node):
            parts = isinstance(old, list)
            fields[key] = [self._part(x) for x in old] if parts else self._part(old)
        return type(node)(**fields)

    def _part(self, x: Any) -> Any:
        return self.visit(x) if isinstance(x, (ast.expr, ast.keyword)) else x

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in ("inf", "nan"):
            return parse(self._form(node.id))
        return number(CONSTANTS[node.id]) if node.id in CONSTANTS else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        label = ast.unparse(node)
        if _is_module(label):
            return parse(self._form(label))
        if node.attr not in _ATTRIBUTES:
            raise NoProgram(f".{node.attr} of an array has no form in {self.target.name}")
        return ast.Attribute(self.visit(node.value), node.attr, ast.Load())

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not):
            return self._called("np.logical_not", [node.operand], [])
        return cast(ast.expr, self.generic_visit(node))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        form = self.target.operators.get(type(node.op))
        if form is not None and (self.mixed or not isinstance(node.op, ast.MatMult)):
            return self._call(form, [self.visit(node.left), self.visit(node.right)], [], "the operator")
        return cast(ast.expr, self.generic_visit(node))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        steps = [x.step for x in ast.walk(node.slice) if isinstance(x, ast.Slice) and x.step is not None]
        if self.target.backwards and any(isinstance(step, ast.UnaryOp) for step in steps):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            index = ast.Tuple([_slice_call(x) for x in parts], ast.Load())
            return self._call(self.target.backwards, [self.visit(node.value), index], [], "[::-1]")
        return cast(ast.expr, self.generic_visit(node))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        call = node.left
        label = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        if label == "error_of":  # a number where there is no error; what Python refuses is infinite or NaN elsewhere
            tried = cast(ast.Lambda, cast(ast.Call, call).args[0]).body
            finite = self._called("np.isfinite", [tried], [])
            fails = cast(ast.Constant, node.comparators[0]).value
            return self._call(self._form("np.logical_not"), [finite], [], label) if fails else finite
        if label == "best_of":
            choose, values = cast(ast.Call, call).args
            least = ast.unparse(choose) == "min"
            args = [self.visit(values), self.visit(node.comparators[0]), ast.Constant(least)]
            return ast.Call(name("best_is"), args, [])
        return cast(ast.expr, self.generic_visit(node))

    def visit_List(self, node: ast.List) -> ast.expr:
        shown = ast.unparse(node)
        if self.target.lists and _NUMBERS_ALONE.fullmatch(shown):
            return parse(self.target.lists.format(shown))
        return cast(ast.expr, self.generic_visit(node))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        label = ast.unparse(node.func)
        if isinstance(node.func, ast.Name) or _is_module(label):
            return self._called(label, node.args, node.keywords)
        method = node.func
        if not isinstance(method, ast.Attribute):
            raise NoProgram(f"{label} has no form in {self.target.name}")
        if method.attr not in self.target.methods:
            raise NoProgram(f".{method.attr}() of an array has no form in {self.target.name}")
        alone = f"{method.attr}/0" if not node.args and not node.keywords else method.attr
        form = self.target.methods.get(alone) or self.target.methods[method.attr]
        array = self.visit(method.value)
        args, keywords = list(map(self.visit, node.args)), self._keywords(node.keywords)
        if form.startswith("."):
            return ast.Call(ast.Attribute(array, form[1:], ast.Load()), args, keywords)
        return self._call(form, [array, *args], keywords, f".{method.attr}()")

    def _keywords(self, keywords: list[ast.keyword], names: Mapping[str, str] = _NONE) -> list[ast.keyword]:
        found = []
        for k in keywords:
            value = k.value if k.arg in ("axis", "axes") else self.visit(k.value)  # a list of axes stays one
            found.append(ast.keyword(names.get(str(k.arg), k.arg), value))
        return found

    def _called(self, label: str, args: Sequence[ast.expr], keywords: list[ast.keyword]) -> ast.expr:
        given = [x.value for x in (*args, *(k.value for k in keywords)) if isinstance(x, ast.Constant)]
        special = [f"{label}/{x}" for x in (len(args), *given) if isinstance(x, (int, str))]
        known = (*self.target.forms, *self.target.refused)
        form = self._form(next((x for x in special if x in known), label))
        keywords = self._keywords(keywords, self.target.options.get(label, _NONE))
        return self._call(form, list(map(self.visit, args)), keywords, label)

    def _call(self, form: str, args: list[ast.expr], keywords: list[ast.keyword], label: str) -> ast.expr:
        """The form with these arguments. Raises NoProgram where it does not take them."""
        words, function = re.fullmatch(r"[\w.]+", form) is not None, self.target.library.get(form)
        takes = True
        if function is not None:
            with_names = {str(k.arg): k.value for k in keywords}
            try:
                signature(function).bind(*args, **with_names)
            except TypeError:
                takes = False
        elif not words:
            takes = not keywords and len(args) <= len(_PLACES.intersection(re.findall(r"\w+", form)))
        if not takes:
            options = ", ".join(f"{k.arg}={text(k.value)}" for k in keywords) or f"{len(args)} arguments"
            raise NoProgram(f"{label} with {options} has no form in {self.target.name}")
        if words:
            return ast.Call(parse(form), args, keywords)
        return put(parse(form), dict(zip("abcd", args, strict=False)))

    def _form(self, label: str) -> str:
        """How something is written there. Raises NoProgram."""
        target = self.target
        if label in target.refused:
            raise NoProgram(target.refused[label].format(engine=target.name))
        homes = ("", "np.", "scipy.special.") if "." not in label else ("",)
        form = next((target.forms[home + label] for home in homes if home + label in target.forms), None)
        if form is None:
            raise NoProgram(f"{label} has no form in {target.name}")
        return _in_modules(form, target)


def _slice_call(x: ast.expr) -> ast.expr:
    """A part of an index as an argument: `slice(None, None, -1)` for `::-1`."""
    if not isinstance(x, ast.Slice):
        return x
    return ast.Call(name("slice"), [ast.Constant(None) if y is None else y for y in (x.lower, x.upper, x.step)], [])


def _is_module(label: str) -> bool:
    return label.startswith(("np.", "scipy.", "float.")) and re.fullmatch(r"[\w.]+", label) is not None
