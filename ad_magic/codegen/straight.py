"""The recorded run as a straight-line program: values then tangents, or values then adjoints from the output back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns, depended_on
from ad_magic.rules import names_in, substitute
from ad_magic.rules.number import CONSTANTS

_ALLOWED = {name for name in vars(math) if not name.startswith("_")}
_OWN = {  # what math does not have
    "sign": "def sign(x):\n    return float((x > 0) - (x < 0))",
    "rint": "def rint(x):\n    return float(round(x))",
}
_BUILTIN = {"abs", "sum", "max", "min", "round"}


def straight_line(tape: Columns, inputs: Mapping[str, int], output: int | None, kind: str, value: float = 0.0) -> str:
    """Source that stands on its own: imports, then `derivative(x, y)`, which returns (value, {"x": …, "y": …}).

    `inputs` maps each input to its row; `output` is the row of the output (None: it is the constant `value`); `kind` is
    "forward" or "reverse". Raises ValueError for another kind, or where an operation has no plain form yet.
    """
    if kind not in ("forward", "reverse"):
        raise ValueError(f"there is no {kind!r} program yet; there are 'forward' and 'reverse'")
    used = depended_on(tape, [] if output is None else [output])
    rows = [i for i in range(len(tape)) if used[i] and tape.ops[i] is not INPUT]
    names = {row: name for name, row in inputs.items()} | {i: f"v{i + 1}" for i in rows}
    values: list[str] = []
    body: list[str] = []
    functions: set[str] = set()
    for i in rows:
        expression, partials = _texts(tape, i, names)
        functions |= {name for text in (expression, *(p for _, p in partials)) for name in names_in(text)}
        values.append(f"{names[i]} = {expression}")
        if kind == "forward":
            for seed in inputs:
                terms = [f"({p}) * d{names[j]}_{seed}" for j, p in partials]
                values.append(f"d{names[i]}_{seed} = {' + '.join(terms)}")
        else:
            block = [f"# adjoint of: {names[i]} = {expression}"]
            block += [f"b_{names[j]} += b_{names[i]} * ({p})" for j, p in partials]
            body = block + body
    functions -= set(names.values()) | _BUILTIN
    unknown = sorted(functions - _ALLOWED - _OWN.keys())
    if unknown:
        raise ValueError(f"{unknown[0]} has no plain form in a program yet")
    imported = sorted(functions & _ALLOWED)
    lines = [f"from math import {', '.join(imported)}", "", ""] if imported else []
    for name in sorted(functions & _OWN.keys()):
        lines += [*_OWN[name].splitlines(), "", ""]
    lines.append(f"def derivative({', '.join(inputs)}):")
    if kind == "forward":
        lines += [f"    d{name}_{seed} = {float(name == seed)}" for name in inputs for seed in inputs]
        gradient = {name: "0.0" if output is None else f"d{names[output]}_{name}" for name in inputs}
        body = values
    else:
        zeros = [f"b_{names[i]} = 0.0" for i in (*inputs.values(), *rows)]
        start = [] if output is None else [f"b_{names[output]} = 1.0"]
        gradient = {name: f"b_{name}" for name in inputs}
        body = [*values, *zeros, *start, *body]
    result = repr(value) if output is None else names[output]
    returned = ", ".join(f'"{name}": {text}' for name, text in gradient.items())
    return "\n".join([*lines, *(f"    {line}" for line in body), f"    return {result}, {{{returned}}}", ""])


def _texts(tape: Columns, index: int, names: Mapping[int, str]) -> tuple[str, list[tuple[int, str]]]:
    """The expression of a row, and for each active operand its row and the local partial."""
    op = tape.ops[index]
    rule = op.rule
    assert rule is not None
    operands = op.operands(tape.left[index], tape.right[index])
    marks: Sequence[bool] = [type(x) is int for x in operands] if rule.variadic else op.active
    texts = [names[x] if on else repr(x) for x, on in zip(operands, marks, strict=True)]
    constants = {name: repr(number) for name, number in CONSTANTS.items() if name != "inf"}
    if rule.variadic:
        known = {"z": names[index], "n": str(len(texts)), **constants}
        partials = [
            (x, substitute(rule.partials[0], {**known, "x": text}))
            for x, on, text in zip(operands, marks, texts, strict=True)
            if on
        ]
    else:
        bracketed = [f"({text})" if text.startswith("-") else text for text in texts]
        known = {**dict(zip(rule.arguments, bracketed, strict=True)), "z": names[index], **constants}
        partials = [(operands[k], substitute(p, known)) for k, p in rule.live_partials(op.active)]
    return rule.expression(*texts), partials
