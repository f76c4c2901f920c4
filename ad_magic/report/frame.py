"""The operations of a result as a pandas DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .table import Column, computed_seeds

if TYPE_CHECKING:
    import pandas as pd

    from .result import Result


def frame(r: Result) -> pd.DataFrame:
    """All rows, uncut and unrounded: one for each operation, indexed by its name v1, v2, …

    Columns: label, expression, op, line, shape if there are arrays, value, then as the mode has them `tangent x` for
    each seed that was computed and `adjoint` with `condition`, then `partials`, a dict from the operand's name to the
    local partial (summed, for an operand that is used twice). An array is in the frame as it is.
    """
    import pandas as pd

    columns: dict[str, list[Any]] = {
        "label": [row.label for row in r.rows],
        "expression": [row.expression for row in r.rows],
        "op": [row.op for row in r.rows],
        "line": pd.array([row.line for row in r.rows], dtype="Int64"),
    }
    if any(row.shape for row in r.rows):
        columns["shape"] = [row.shape for row in r.rows]
    columns["value"] = [row.value for row in r.rows]
    if r.mode != "reverse":
        for seed in computed_seeds(r):
            columns[f"tangent {seed}"] = [Column("tangent", "", seed).of(row) for row in r.rows]
    if r.mode != "forward":
        columns["adjoint"] = [row.adjoint for row in r.rows]
        columns["condition"] = pd.array([row.condition for row in r.rows], dtype="Float64")
    slopes = []
    for row in r.rows:
        by_operand: dict[str, Any] = {}
        for parent, partial in zip(row.parents, row.partials, strict=False):
            operand = r.rows[parent].name
            if partial is not None:
                by_operand[operand] = by_operand.get(operand, 0.0) + partial
        slopes.append(by_operand)
    columns["partials"] = slopes
    return pd.DataFrame(columns, index=pd.Index([row.name for row in r.rows], name="variable"))
