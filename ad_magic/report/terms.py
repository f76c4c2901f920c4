"""What a derivative in the table is made of: a sum of terms.

An adjoint has a term for each row that uses its own, v̄_j · ∂v_j/∂v_i; a tangent one for each operand, ∂v_i/∂v_p · v̇_p.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ad_magic.engine.system import pulled

from .array import shape_of
from .row import Row

if TYPE_CHECKING:
    from .result import Result

CLOSE = 1e-6  # relative error up to which two numbers are the same
BAR, DOT = "\u0304", "\u0307"


@dataclass(frozen=True, slots=True)
class Term:
    """A part of the number that is asked for: `carried` is the adjoint or tangent of the other row, `slope` the partial
    between them, None for an array's."""

    row: int  # the other row
    name: str  # its name, "v5"
    carried_name: str  # "v̄5", "v̇2"
    slope_name: str  # "∂v5/∂v4"
    carried: Any
    slope: float | None
    product: Any


def terms_of(r: Result, row: int, kind: str, seed: str) -> list[Term] | None:
    """The terms of a row of the table; those that are zero are left out. None where they cannot be told apart: a memory
    that is written to, a whole Jacobian. `kind` is "adjoint" or "tangent", along `seed`."""
    return _operands(r, row, seed) if kind == "tangent" else _users(r, row)


def _users(r: Result, row: int) -> list[Term] | None:
    tape, where = r.run.tape, r.tape_rows
    own, index_of = where[row], {t: k for k, t in enumerate(where)}
    found: list[Term] = []
    for user in range(own + 1, len(tape)):
        op: Any = tape.ops[user]
        if op.rule is None or own not in tape.parents(user):
            continue
        if op.memory or user not in index_of or r.rows[index_of[user]].adjoint is None:
            return None
        other = r.rows[index_of[user]]
        carried: Any = other.adjoint
        if same(carried, 0.0 * carried):
            continue
        parents = tape.parents(user)
        slope: Any = None
        if not op.array:
            slope = sum(float(p) for parent, p in zip(parents, tape.partials(user), strict=True) if parent == own)
            product = slope * carried
        else:
            g = carried if shape_of(other.value) else float(carried)
            parts = pulled(op, tape.left[user], tape.right[user], tape.values, tape.values[user], g)
            product = sum(c for parent, c in zip(parents, parts, strict=True) if parent == own)
        name = f"∂{other.name}/∂{r.rows[row].name}"
        found.append(Term(other.index, other.name, marked(other.name, "adjoint"), name, carried, slope, product))
    return found


def _operands(r: Result, row: int, seed: str) -> list[Term] | None:
    own = r.rows[row]
    if own.op != "input" and len(own.partials) != len(own.parents):
        return None
    slopes: dict[int, Any] = {}
    for parent, partial in zip(own.parents, own.partials, strict=False):
        if partial is None or shape_of(partial):
            return None
        slopes[parent] = slopes.get(parent, 0.0) + partial
    found = []
    for parent, slope in slopes.items():
        other, carried = r.rows[parent], number_of(r.rows[parent], "tangent", seed)
        if not same(carried, 0.0 * carried):
            name = f"∂{own.name}/∂{other.name}"
            carried_name = marked(other.name, "tangent")
            found.append(Term(parent, other.name, carried_name, name, carried, slope, slope * carried))
    return found


def same(a: Any, b: Any) -> bool:
    """Whether two numbers, or two arrays of one shape, are the same up to rounding."""
    if shape_of(a) or shape_of(b):
        import numpy as np

        return shape_of(a) == shape_of(b) and bool(np.allclose(a, b, rtol=CLOSE, atol=1e-12))
    return math.isclose(a, b, rel_tol=CLOSE, abs_tol=1e-12)


def number_of(row: Row, kind: str, seed: str) -> Any:
    """The adjoint of a row, or its tangent along a seed; None where it has none."""
    return row.tangents.get(seed, 0.0) if kind == "tangent" else row.adjoint


def marked(name: str, kind: str) -> str:
    """The name of the adjoint or the tangent of a row: "v̄4", "v̇4"."""
    return f"v{BAR if kind == 'adjoint' else DOT}{name[1:]}"


def spellings(name: str, kind: str) -> tuple[str, ...]:
    """How a student may write the adjoint or the tangent of a row.

    >>> spellings("v4", "tangent")[1:]
    ('dv4', 'v4_dot')
    """
    if kind == "tangent":
        return (marked(name, kind), f"d{name}", f"{name}_dot")
    return (marked(name, kind), f"{name}_bar", f"bar{name[1:]}", f"λ{name[1:]}")
