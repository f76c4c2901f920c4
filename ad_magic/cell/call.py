"""Running a function as a cell is run: its call is a program of one expression, and its parameters are the inputs."""

from __future__ import annotations

import ast
import functools
import inspect
import keyword
import linecache
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from ad_magic.engine.active import primal

from .again import Again
from .errors import CellError
from .run import Home, Program, Run, compile_cell, run_program
from .source import lines_of, title_of


@dataclass(frozen=True)
class Call:
    """A function and what it is called with, by parameter."""

    name: str  # the function's, as it stands in `text`
    text: str  # "f(x, y, n=n)"
    values: dict[str, Any]  # name -> value of each argument
    left: dict[str, Any]  # name -> value of the defaults that are no inputs


def bound(f: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]) -> Call:
    """The call of a function. Each argument has the name of its parameter; those of `*xs` are xs_0, xs_1, …

    A float or an array that is a default becomes an argument. Raises TypeError where the function does not take these.

    >>> call = bound(lambda x, a=0.5, n=3: a * x**n, (2.0,), {})
    >>> call.text, call.values, call.left
    ('f(x, a)', {'x': 2.0, 'a': 0.5}, {'n': 3})
    """
    positional: dict[str, Any] = {}
    by_name: dict[str, Any] = {}
    left: dict[str, Any] = {}
    signature = _signature(f)
    if signature is None:  # a function of C that does not say what it takes
        names = ["x"] if len(args) == 1 else [f"x{k}" for k in range(1, len(args) + 1)]
        positional, by_name = dict(zip(names, args, strict=True)), dict(options)
    else:
        arguments = signature.bind(*args, **options).arguments
        for name, parameter in signature.parameters.items():
            value, kind = arguments.get(name, parameter.default), parameter.kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                positional.update({f"{name}_{k}": x for k, x in enumerate(arguments.get(name, ()))})
            elif kind is inspect.Parameter.VAR_KEYWORD:
                by_name.update(arguments.get(name, {}))
            elif name not in arguments and not (is_input(value) and not isinstance(value, int)):
                left[name] = value  # f knows it
            elif kind is inspect.Parameter.KEYWORD_ONLY or (left and kind is not inspect.Parameter.POSITIONAL_ONLY):
                by_name[name] = value
            elif not left:
                positional[name] = value
    values = {**positional, **by_name}
    for name in values:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise TypeError(f"{name!r} cannot be the name of an input")
    name = name_of(f)
    while name in values:
        name += "_"
    text = f"{name}({', '.join([*positional, *(f'{n}={n}' for n in by_name)])})"
    return Call(name, text, values, left if _code(f) is not None else {})


def name_of(f: Callable[..., Any]) -> str:
    """What a function is called; "f" where it has no name.

    >>> name_of(lambda x: x), name_of(functools.partial(max, 1))
    ('f', 'max')
    """
    while isinstance(f, functools.partial):
        f = f.func
    name = getattr(f, "__name__", "")
    return name if name.isidentifier() and not keyword.iskeyword(name) else "f"


def text_of(f: Callable[..., Any]) -> str:
    """How a function is written in a call: its name, or the whole of a lambda that stands alone in its line.

    >>> import math
    >>> text_of(math.sin), text_of(name_of), text_of(lambda x: x**2)
    ('math.sin', 'name_of', 'lambda x: x**2')
    """
    code = _code(f)
    if getattr(f, "__name__", "") == "<lambda>" and code is not None:
        source = "\n".join(lines_of(code.co_filename))
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return "f"
        found = [n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and n.lineno == code.co_firstlineno]
        text = ast.get_source_segment(source, found[0]) if len(found) == 1 else None
        return " ".join(text.split()) if text else "f"
    module = getattr(f, "__module__", None)
    own = getattr(f, "__self__", None)
    if code is None and isinstance(module, str) and module != "builtins" and not isinstance(own, type):
        return f"{module}.{name_of(f)}"
    return name_of(f)


def _signature(f: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(f)
    except ValueError:
        return None


def run_call(
    f: Callable[..., Any],
    call: Call,
    inputs: Mapping[str, Any],
    *,
    mode: str = "both",
    cells: dict[str, int] | None = None,
) -> tuple[Run, Again]:
    """Run a function once, with `inputs` (values by name, of those in the call) as active numbers.

    The rest of the call stays as it is. Arrays are copies: what the function writes into one stays its own. Raises what
    the function raises, and CellError where there is nothing to differentiate.
    """
    __tracebackhide__ = True
    fixed = {name: value for name, value in {**call.values, **call.left}.items() if name not in inputs}
    fixed = {name: value for name, value in fixed.items() if value is not None}
    if not inputs:
        what = ", ".join(f"{name} = {value!r:.40}" for name, value in fixed.items())
        raise CellError(f"{call.name} gets no number to differentiate by: it gets {what or 'nothing'}")
    program = _program(f, call, fixed, cells or {})
    namespace = {**call.values, call.name: f, "__tracebackhide__": True}
    before = dict(namespace)
    own = {name: value.copy() if hasattr(value, "shape") and value.ndim else value for name, value in inputs.items()}
    run, _ = run_program(program, namespace, own, mode=mode)
    return run, Again(program, namespace, before, ())


def _program(f: Callable[..., Any], call: Call, fixed: dict[str, Any], cells: dict[str, int]) -> Program:
    file = f"<call of {call.text}>"  # the same for the same text: the cache of lines does not grow
    linecache.cache[file] = (len(call.text), None, [call.text + "\n"], file)
    code = _code(f)
    outputs = functools.partial(_outputs, call.name, _names_returned(code, lines_of(code.co_filename)) if code else ())
    program = compile_cell(ast.parse(call.text), call.text, file, cells)
    if code is None or not lines_of(code.co_filename):  # of C, or of a source that is not kept
        home = Home(file, f"call of {call.name}", fixed=fixed)
    else:
        home = Home(code.co_filename, title_of(code.co_filename, cells), _lines(code), fixed)
    return replace(program, home=home, outputs=outputs)


def _code(f: Any) -> CodeType | None:
    """The code of the function that a user has written, inside of what is around it."""
    f = inspect.unwrap(f)
    while isinstance(f, functools.partial):
        f = inspect.unwrap(f.func)
    if not hasattr(f, "__code__") and not isinstance(f, type):
        f = getattr(f, "__func__", None) or inspect.getattr_static(type(f), "__call__", None)
    code = getattr(inspect.unwrap(f) if callable(f) else f, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _lines(code: CodeType) -> tuple[int, int]:
    """The first and the last line of a function."""
    ends = [end for _, end, _, _ in code.co_positions() if end is not None]
    ends += [_lines(inner)[1] for inner in code.co_consts if isinstance(inner, CodeType)]
    return code.co_firstlineno, max(ends, default=code.co_firstlineno)


def _names_returned(code: CodeType, lines: Sequence[str]) -> tuple[str, ...]:
    """The names in `return a, b`, where all that a function returns is that; else ()."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return ()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name and _first(node) == code.co_firstlineno:
            found = {_names_in(inner.value) for inner in _returns(node)}
            return found.pop() if len(found) == 1 else ()
    return ()


def _first(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _returns(node: ast.AST) -> list[ast.Return]:
    """The return statements of a function, not those of functions in it."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            found.append(child)
        elif not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            found += _returns(child)
    return found


def _names_in(value: ast.expr | None) -> tuple[str, ...]:
    if not isinstance(value, ast.Tuple):
        return ()
    names = tuple(x.id for x in value.elts if isinstance(x, ast.Name))
    return names if len(names) == len(value.elts) == len(set(names)) else ()


def _outputs(name: str, returned: tuple[str, ...], value: Any) -> list[tuple[str, Any]]:
    """What a function gives, by name: of a dict its entries, of a tuple its parts; else the function's own name.

    >>> _outputs("f", (), (1.0, 2.0)), _outputs("f", ("a", "b"), (1.0, 2.0)), _outputs("f", (), {"y": 3.0})
    ([('f[0]', 1.0), ('f[1]', 2.0)], [('a', 1.0), ('b', 2.0)], [('y', 3.0)])
    """
    if isinstance(value, dict) and value:
        return [(str(key), x) for key, x in value.items()]
    if isinstance(value, tuple) and value:
        names = getattr(value, "_fields", None) or (returned if len(returned) == len(value) else ())
        return list(zip(names or [f"{name}[{k}]" for k in range(len(value))], value, strict=True))
    return [(name, value)]


def is_input(value: Any) -> bool:
    """Whether an argument can be an input: a real number, or an array of such.

    >>> is_input(2), is_input(2.5), is_input(True), is_input("2"), is_input(None)
    (True, True, False, False, False)
    """
    value = primal(value)
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return dtype.kind in "fiu" and getattr(value, "size", 1) > 0
    return isinstance(value, (float, int)) and not isinstance(value, bool)
