"""A straight-line program as Python source that stands on its own."""

from __future__ import annotations

import ast
import base64
import re
import symtable
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .expressions import text
from .loop_text import indented, loop_lines
from .loops import Lines, Loop
from .program import Statement, base, code_of, is_into
from .straight import Straight
from .support import Support

_ENTRIES = 400  # so many numbers of a constant array are written out; of more the bytes stand in the program


def source(program: Straight) -> str:
    """Imports, then `derivative(x, y)`, which returns (value, {"x": …, "y": …})."""
    support = Support()
    values = value_lines(program, program.values, lambda s: written(s, program))
    body = [*values, *_sweep(program), *_returned(program)]
    code = "\n".join(body)
    used = set(re.findall(r"\w+", code))
    constants = [f"{label} = {array_text(x)}" for label, x in program.constants.items() if label in used]
    support.need(_functions(program, "\n".join([*constants, code])), program.helpers)
    head = support.text(constants)
    return "\n".join([*([head, "", ""] if head else []), *definition("derivative", program, body), ""])


def definition(label: str, program: Straight, body: Sequence[str]) -> list[str]:
    """A program as a function; where an input is called like something else in it, it has its own names for them."""
    inputs, own = list(program.run.inputs), program.inputs
    whole = [f"def {label}({', '.join(own)}):", *indented(body)]
    if own == inputs:
        return whole
    inner = next(x for x in ("program", "straight", f"{label}_") if x not in (*inputs, *own))
    whole[0] = f"def {inner}({', '.join(own)}):"
    return [*whole, "", "", f"def {label}({', '.join(inputs)}):", f"    return {inner}({', '.join(inputs)})"]


def _functions(program: Straight, code: str) -> set[str]:
    """The names that are neither assigned in the program nor its parameters."""
    whole = "\n".join([f"def f({', '.join(program.inputs)}):", *indented(code.splitlines())])
    return set(_globals(symtable.symtable(whole, "program", "exec").get_children()[0]))


def _globals(scope: symtable.SymbolTable) -> Iterator[str]:
    yield from (symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global())
    for inner in scope.get_children():
        yield from _globals(inner)


# ---- statements ----------------------------------------------------------------------------------


def value_lines(program: Straight, parts: Lines, statement: Callable[[Statement], Iterable[str]]) -> Iterator[str]:
    """The values, under the lines of the user's program to which they belong; `statement` gives the text of one."""
    heading = [""]

    def lines(parts: Lines) -> Iterator[str]:
        for s in parts:
            if isinstance(s, Loop):
                yield from loop_lines(s, lines(list(s.body)), program)
                continue
            now = program.run.line_text(s.row)
            if now and now != heading[0]:
                yield f"# {now}"
                heading[0] = now
            yield from statement(s)

    return lines(parts)


def written(s: Statement, program: Straight) -> Iterator[str]:
    """The text of a statement."""
    value = code_of(s.value)
    if s.kind == "note":
        yield "# what the program sees of plain values here is not asked again at other inputs"
        return
    if s.kind == "guard":
        yield f'assert {value}, "{reason(program, s.row)}"'
        return
    target = base(s.target)
    if isinstance(s.value, ast.Call) and is_into(s.value):
        array, index, added = s.value.args
        if code_of(array) != target:  # the same array, from here on under this name
            yield f"{target} = {code_of(array)}"
        shown = text(ast.Subscript(ast.Name(target, ast.Load()), index, ast.Load()))
        if _meets_once(index):
            yield f"{shown} += {code_of(added)}"
        else:
            inner = shown.removeprefix(target)[1:-1]
            where = inner if inner.isidentifier() else f"np.s_[{inner}]"
            yield f"np.add.at({target}, {where}, {code_of(added)})"
        return
    sum_ = s.value if s.kind == "adjoint" and isinstance(s.value, ast.BinOp) else None
    sign = _SIGNS.get(type(sum_.op)) if sum_ is not None else None
    if sum_ is not None and sign and code_of(sum_.left) == target and _is_number(program, target):
        yield f"{target} {sign}= {code_of(sum_.right)}"
    else:
        yield f"{target} = {value}"


def _meets_once(index: ast.expr) -> bool:
    """Whether an index takes each entry at most once: whole numbers and slices do."""
    if isinstance(index, ast.Tuple):
        return all(map(_meets_once, index.elts))
    return isinstance(index, (ast.Slice, ast.Constant, ast.UnaryOp))


_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-"}


def _is_number(program: Straight, target: str) -> bool:
    """Whether an adjoint is a number: an array must not be changed in place, others may have the same."""
    return not program.run.tape.arrays or target in _numbers(program)


def _numbers(program: Straight) -> set[str]:
    values = program.run.tape.values
    return {f"{label}_bar" for row, label in program.names.items() if not np.shape(values[row])}


def reason(program: Straight, row: int) -> str:
    """What a program says where the decision of a row comes out otherwise."""
    line = program.run.line_of(row)
    return f"line {line} decides otherwise here: run the cell again" if line else "the program goes another way here"


def _sweep(program: Straight) -> list[str]:
    texts = _texts_by_row(program)
    last = [-1]

    def statements(parts: Lines) -> Iterator[str]:
        for s in parts:
            if isinstance(s, Loop):
                last[0] = -1
                yield from loop_lines(s, statements(list(s.body)), program)
                last[0] = -1
                continue
            seed = s.target == f"{program.names.get(s.row)}_bar"  # that of an output
            if program.kind == "reverse" and s.row != last[0] and not seed:
                last[0] = s.row
                if s.row in texts:
                    yield f"# adjoint of: {texts[s.row]}"
            yield from written(s, program)

    lines = list(statements(program.sweep))
    if not program.parameters:
        return ["", f"# {'tangents' if program.kind == 'forward' else 'adjoints, from the output back'}", *lines]
    name = "tangent" if program.kind == "forward" else "adjoints"
    derivatives = program.derivatives
    if program.kind == "reverse":
        returned = _dict({k: code_of(e) for k, e in derivatives.items()})
    else:
        returned = ", ".join(_nested_text(e) for e in derivatives) + ("," if len(derivatives) == 1 else "")
    return ["", f"def {name}({', '.join(program.parameters)}):", *indented([*lines, f"return {returned}"]), ""]


def _texts_by_row(program: Straight) -> dict[int, str]:
    """The statement of each row that has one, as it stands in the program."""
    texts: dict[int, str] = {}
    for part in program.values:
        if isinstance(part, Loop):
            texts.update((row, f"{s.target} = {code_of(s.value)}") for row, s in part.values.items())
        elif part.kind == "value" and part.target == program.names.get(part.row):
            texts[part.row] = f"{part.target} = {code_of(part.value)}"
    return texts


def _nested_text(x: Any) -> str:
    if isinstance(x, list):
        return f"[{', '.join(map(_nested_text, x))}]"
    return code_of(x)


# ---- what is returned ------------------------------------------------------------------------------


def by_output(program: Straight, texts: Sequence[str]) -> str:
    outputs = program.run.outputs
    if len(outputs) == 1:
        return texts[0]
    return _dict({o.name: t for o, t in zip(outputs, texts, strict=True)})


def _dict(texts: Mapping[str, str]) -> str:
    """The text of a dictionary."""
    return "{" + ", ".join(f'"{k}": {t}' for k, t in texts.items()) + "}"


def _value_text(program: Straight, x: Any, output: Any) -> str:
    """The value of an output: a float, or an array of floats."""
    if isinstance(x, list):
        return f"np.array({_nested_text(x)}{'' if output.parts else ', dtype=float'})"
    if output.scalar:
        return _number_text(program, _nested_text(x))
    recorded = output.value if output.rows is None else program.run.tape.values[output.rows]
    return _nested_text(x) + ("" if recorded.dtype == float else ".astype(float)")


def _number_text(program: Straight, shown: str) -> str:
    """A number as one of Python's: of arrays come those of NumPy."""
    return f"float({shown})" if program.run.tape.arrays and shown.isidentifier() else shown


def _zeros(shape: tuple[int, ...]) -> str:
    return f"np.zeros({shape})" if shape else "0.0"


def _units(shape: tuple[int, ...]) -> str:
    """All directions of an array."""
    size = int(np.prod(shape))
    return f"np.eye({size})" + (f".reshape({(size, *shape)})" if len(shape) != 1 else "")


def _returned(program: Straight) -> list[str]:
    outputs = program.run.outputs
    texts = [_value_text(program, x, o) for x, o in zip(program.outputs, outputs, strict=True)]
    value = by_output(program, texts)
    scalar_inputs = {k for k, x in program.run.inputs.items() if not np.shape(x)}
    if program.kind == "reverse":
        if len(outputs) > 1 or not outputs[0].scalar:
            return [*_along_outputs(program, value)]
        found = {k: code_of(e) for k, e in program.derivatives.items()}
        found = {k: _number_text(program, e) if k in scalar_inputs else e for k, e in found.items()}
        return [f"return {value}, {_dict(found)}"]
    if program.parameters:
        return [*_along_inputs(program, value)]
    texts = []
    for k, output in enumerate(outputs):
        along = {label: t[k] for label, t in program.derivatives.items()}
        texts.append(_dict({label: _derivative_text(program, t, output) for label, t in along.items()}))
    return [f"return {value}, {by_output(program, texts)}"]


def _derivative_text(program: Straight, t: Any, output: Any) -> str:
    if isinstance(t, list):
        return f"np.array({_nested_text(t)})"
    return _number_text(program, _nested_text(t)) if output.scalar else _nested_text(t)


def _along_inputs(program: Straight, value: str) -> Iterator[str]:
    """One call for each entry of each input."""
    run, one = program.run, text(program.one)
    inputs = [(label, np.shape(x)) for label, x in run.inputs.items()]
    zeros = [_zeros(shape) for _, shape in inputs]
    yield f"zero = {_dict(dict(zip(program.parameters, zeros, strict=True)))}"
    for (label, shape), seed in zip(inputs, program.parameters, strict=True):
        if not shape:
            yield f'{label}_along = [tangent(**{{**zero, "{seed}": {one}}})]'
        elif 0 not in shape:
            yield f'{label}_along = [tangent(**{{**zero, "{seed}": unit}}) for unit in {_units(shape)}]'
    found = []
    for k, output in enumerate(run.outputs):
        shape_out = np.shape(output.value)
        inner = {}
        for label, shape in inputs:
            if not shape and not shape_out:
                inner[label] = f"float({label}_along[0][{k}])"
            elif not shape:
                inner[label] = f"np.asarray({label}_along[0][{k}])"
            elif 0 in shape:
                inner[label] = _zeros((*shape_out, *shape))
            else:
                stacked = f"np.stack([t[{k}] for t in {label}_along], axis=-1)"
                inner[label] = stacked + (f".reshape({(*shape_out, *shape)})" if len(shape) != 1 else "")
        found.append(_dict(inner))
    yield f"return {value}, {by_output(program, found)}"


def _along_outputs(program: Straight, value: str) -> Iterator[str]:
    """One call for each entry of each output."""
    run, names, one = program.run, program.names, text(program.one)
    if program.parameters:
        rows = {f"{label}_bar": row for row, label in names.items()}
        zeros = {label: _zeros(np.shape(run.tape.values[rows[label]])) for label in program.parameters}
        yield f"zero = {_dict(zeros)}"
    found = []
    for k, output in enumerate(run.outputs):
        shape = np.shape(output.value)
        if not output.parts or 0 in shape:  # constant, or empty
            found.append(_dict({label: _zeros((*shape, *np.shape(x))) for label, x in run.inputs.items()}))
            continue
        if isinstance(output.rows, list):
            labels = [None if row is None else f"{names[row]}_bar" for row, _ in output.seeds()]
            calls = ["adjoints(**zero)" if b is None else f'adjoints(**{{**zero, "{b}": {one}}})' for b in labels]
            yield f"rows_{k} = [{', '.join(calls)}]"
        elif output.scalar:
            yield f'rows_{k} = [adjoints(**{{**zero, "{names[output.rows]}_bar": {one}}})]'
        else:
            given = f'{{**zero, "{names[output.rows]}_bar": unit}}'
            yield f"rows_{k} = [adjoints(**{given}) for unit in {_units(shape)}]"
        inner = {}
        for label, x in run.inputs.items():
            if not shape:
                first = f'rows_{k}[0]["{label}"]'
                inner[label] = first if np.shape(x) else f"float({first})"
            else:
                stacked = f'np.stack([row["{label}"] for row in rows_{k}])'
                inner[label] = stacked + (f".reshape({(*shape, *np.shape(x))})" if len(shape) != 1 else "")
        found.append(_dict(inner))
    yield f"return {value}, {by_output(program, found)}"


def array_text(x: Any) -> str:
    """A constant array, exactly."""
    if not x.size:  # a list does not tell the shape of an empty one, nor its type
        return f"np.zeros({x.shape}, {x.dtype.name!r})"
    if x.size <= _ENTRIES or x.dtype.kind not in "fiubc":
        return f"np.array({x.tolist()!r}" + (f", dtype={x.dtype.name!r})" if x.dtype.name not in _PLAIN else ")")
    data = base64.b64encode(np.ascontiguousarray(x).tobytes()).decode()
    return f'np.frombuffer(base64.b64decode("{data}"), "{x.dtype.str}").reshape({x.shape})'


_PLAIN = ("float64", "int64", "bool", "complex128")
