"""A recorded run as one compiled function: the values of all rows at other inputs, decisions guarded.

What `engine.tape.replay` does operation by operation is one straight line of Python here, several times as fast. It is
made once for a tape and kept. A very long run would take seconds to compile: it is replayed as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any

from ad_magic.engine.decisions import decide
from ad_magic.engine.operation import COMPARISONS, INPUT, Operation, active_names, value_of
from ad_magic.engine.tape import Columns, PathChanged, replay
from ad_magic.rules import RULES, define, substitute
from ad_magic.rules.number import PLAIN

LONGEST = 5_000  # operations; compiling costs some ten microseconds for each


def values_at(
    tape: Columns, inputs: Mapping[int, Any], shown: Collection[int] = (), cached: Any = None, kind: str = "plain"
) -> Columns:
    """The run at other inputs (by row), as `replay` gives it; `cached` is a dictionary that keeps what was compiled.

    `kind` is "plain" for floats, "active" for numbers of the engine: a derivative is to be differentiated again.

    Raises PathChanged where a decision comes out otherwise, and what the operations themselves raise.
    """
    if tape.arrays or len(tape) > LONGEST or cached is None:
        return replay(tape, inputs, kind, shown)
    program = cached.get(("values", kind))
    if program is None:
        program = cached["values", kind] = compiled(tape, shown, kind)
    try:
        values = program(*(inputs.get(row, tape.values[row]) for row in program.inputs))
    except (ArithmeticError, ValueError):  # it may be where the run itself went on, with numbers of NumPy
        return replay(tape, inputs, kind, shown)
    return tape.with_values(values, [])


def compiled(tape: Columns, shown: Collection[int] = (), kind: str = "plain") -> Any:
    """The function from the inputs, in the order of their rows, to the list of the values of all rows."""
    namespace: dict[str, Any] = {**(PLAIN if kind == "plain" else active_names()), "PathChanged": PathChanged}
    lines: list[str] = []
    inputs = [row for row, op in enumerate(tape.ops) if op is INPUT]
    for row, (op, left, right) in enumerate(zip(tape.ops, tape.left, tape.right, strict=True)):
        if op is INPUT:
            continue
        marked = op._marked(left, right)
        operands = [f"v{x}" if on else _constant(x, row, k, namespace) for k, (x, on) in enumerate(marked)]
        if op.rule is None:
            lines += _decision(tape, row, op, operands, namespace, row in shown)
        elif op.rule.variadic:
            lines.append(f"v{row} = {op.rule.expression(*operands)}")
        elif op.rule.called is not None:  # of the user's own
            namespace[f"own{row}"] = value_of(op.rule, kind)
            lines.append(f"v{row} = own{row}({', '.join(operands)})")
        else:
            lines.append(f"v{row} = {_template(op.name).format(*operands)}")
            if "pow" in op.name:
                lines.append(f"if type(v{row}) is complex: raise PathChanged({row}, v{row})")
    body = "".join(f"    {line}\n" for line in lines)
    source = f"def program({', '.join(f'v{row}' for row in inputs)}):\n{body}"
    source += f"    return [{', '.join(f'v{row}' for row in range(len(tape)))}]\n"
    program: Any = define(source, "program", namespace, f"values of {len(tape)} rows")
    program.inputs = inputs
    return program


@cache
def _template(name: str) -> str:
    """The value of a primitive, with places for its operands.

    >>> _template("pow")
    '({0}) ** ({1})'
    """
    rule = RULES[name]
    return substitute(rule.value, {a: f"({{{k}}})" for k, a in enumerate(rule.arguments)})


def _constant(x: Any, row: int, k: int, namespace: dict[str, Any]) -> str:
    if type(x) in (float, int, str) and x == x and x not in (float("inf"), -float("inf")):
        return repr(x)
    namespace[f"c{row}_{k}"] = x
    return f"c{row}_{k}"


def _decision(
    tape: Columns, row: int, op: Operation, operands: list[str], namespace: dict[str, Any], shown: bool
) -> list[str]:
    """The outcome is that of the recorded run; of one that is only shown what comes out now."""
    outcome = tape.values[row]
    if op.name in COMPARISONS and op.attempted is None and isinstance(outcome, bool):
        wrong = f"not {operands[0]} {COMPARISONS[op.name]} {operands[1]}"
        wrong = wrong if outcome else wrong.removeprefix("not ")
        return [f"v{row} = {outcome}", f"if {wrong}: raise PathChanged({row}, {not outcome})"]
    namespace[f"decide{row}"] = _decider(op)
    namespace[f"outcome{row}"] = outcome
    lines = [f"v{row} = decide{row}({', '.join(operands)})"]
    if not shown:
        lines.append(f"if v{row} != outcome{row}: raise PathChanged({row}, v{row})")
    return lines


def _decider(op: Operation) -> Callable[..., Any]:
    return lambda *arguments: decide(op, arguments)
