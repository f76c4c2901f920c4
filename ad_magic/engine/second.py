"""Second derivatives: recorded operations under dual numbers, then the reverse sweep (Pearlmutter, 1994); where an
operation has none, those of the policy (both_sides.py).

One direction costs one replay and one sweep, whatever the number of inputs. At a singular point an entry of the Hessian
that goes through the singular operation costs series along two directions, on both sides.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .active import Active, LostDerivative
from .both_sides import is_doubtful, means, singular_rows
from .operation import INPUT, operation
from .patterns import dependences
from .record import decide_on
from .sides import is_singular, slopes_of
from .tape import Columns, Tape, forward_sweep, replay, reverse_sweep

TOGETHER = 32  # directions of one replay
NUMBERS = 2_000_000  # entries that the tangents of its rows may have in all
WORK = 400_000  # rows of all the series that are computed at a singular point; of more the entries are NaN
Replay = Callable[[Columns, Mapping[int, Any]], Columns]


def _again(tape: Columns, inputs: Mapping[int, Any]) -> Columns:
    return replay(tape, inputs, "active")


class Variables:
    """The inputs with respect to which second derivatives are taken, as one flat vector."""

    def __init__(self, tape: Columns, rows: Sequence[int]) -> None:
        self.tape, self.rows = tape, list(rows)
        self.shapes: list[tuple[int, ...]] = [getattr(tape.values[row], "shape", ()) for row in rows]
        self.count = sum(map(math.prod, self.shapes))

    def places(self) -> dict[int, slice]:
        """Where each stands in the vector, by row."""
        ends = list(itertools.accumulate(map(math.prod, self.shapes), initial=0))
        return {row: slice(*pair) for row, pair in zip(self.rows, itertools.pairwise(ends), strict=True)}

    def parts(self, flat: Any) -> Iterator[tuple[int, tuple[int, ...], Any]]:
        """(row, shape, its part of a flat vector or of several, in that shape) for each."""
        at = 0
        for row, shape in zip(self.rows, self.shapes, strict=True):
            size = math.prod(shape)
            yield row, shape, flat[..., at : at + size].reshape((*flat.shape[:-1], *shape))
            at += size


def products(
    tape: Columns, weights: Mapping[int, Any], rows: Sequence[int], directions: Any, again: Replay = _again
) -> Any:
    """The Hessian of the sum of weight · row over some rows, times each of some flat directions, on the inputs `rows`.

    `again` replays the run under dual numbers. Raises what that raises.
    """
    import numpy as np

    variables = Variables(tape, rows)
    coupled = _coupled(tape, list(weights), variables)
    if coupled is None:
        return _smooth(weights, variables, directions, again)
    through = np.flatnonzero(coupled.any(axis=0) & directions.any(axis=0))
    rest = directions.copy()
    rest[:, through] = 0.0
    found = _smooth(weights, variables, rest, again)
    units = np.zeros((len(through), variables.count))
    units[np.arange(len(through)), through] = 1.0
    columns = _smooth(weights, variables, units, again)
    _put_singular(tape, weights, variables, coupled, through, columns)
    with np.errstate(all="ignore"):
        for j, column in zip(through, columns, strict=True):
            for d in np.flatnonzero(directions[:, j]):
                found[d] += directions[d, j] * column
    return found


# ---- where all is smooth ------------------------------------------------------------------------------


def _smooth(weights: Mapping[int, Any], variables: Variables, directions: Any, again: Replay) -> Any:
    import numpy as np

    found = np.zeros(directions.shape)
    size = sum(getattr(z, "size", 1) for z in variables.tape.values)
    step = max(1, min(TOGETHER, NUMBERS // max(size, 1)))
    for start in range(0, len(directions), step):
        some = directions[start : start + step]
        if some.any():
            found[start : start + step] = _along(weights, variables, some, again)
    return found


def _along(weights: Mapping[int, Any], variables: Variables, directions: Any, again: Replay) -> Any:
    import numpy as np

    outer = Tape(limit=0, forward=True, directions=len(directions))
    inputs = {row: _dual(outer, variables.tape.values[row], t) for row, _, t in variables.parts(directions)}
    with np.errstate(all="ignore"):
        adjoints = reverse_sweep(again(variables.tape, inputs), weights)
    flat = [_tangents(adjoints[row], outer, shape) for row, shape, _ in variables.parts(directions)]
    return np.concatenate([x.reshape(len(directions), -1) for x in flat], axis=1)


def _dual(tape: Tape, value: Any, tangents: Any) -> Any:
    """An input with its tangents along all directions."""
    if hasattr(value, "shape"):
        from .arrays.array import made

        return made(tape, -1, value, tangents)
    from .dual import Directions, Dual

    along = tangents.tolist()
    return Dual.input(tape, value, Directions(along) if len(along) > 1 else along[0])


def _tangents(adjoint: Any, tape: Tape, shape: tuple[int, ...]) -> Any:
    """The tangents of the adjoint of an input of that shape, along all directions."""
    import numpy as np

    found: Any = 0.0
    if getattr(adjoint, "tape", None) is tape:
        found = np.asarray([*adjoint.tangent] if type(adjoint.tangent) is tuple else adjoint.tangent, dtype=float)
        if not hasattr(adjoint, "place"):  # a number: one tangent for each direction, or none at all
            found = np.broadcast_to(found.reshape(-1), (tape.directions,))
        found = found.reshape(tape.directions, *(1,) * (len(shape) + 1 - found.ndim), *found.shape[1:])
    return np.broadcast_to(found, (tape.directions, *shape))


# ---- at a singular point ------------------------------------------------------------------------------


def _coupled(tape: Columns, ends: Sequence[int], variables: Variables) -> Any:
    """Which entries of the Hessian go through a singular operation; None where there is none.

    With finite slopes these are those of two variables on which it depends, else of one such and any other.
    """
    import numpy as np

    rows = list(singular_rows(tape, ends))
    if not rows:
        return None
    starts: dict[int, Any] = {}
    bit = 0
    for row, shape in zip(variables.rows, variables.shapes, strict=True):
        bits = [1 << k for k in range(bit, bit + math.prod(shape))]
        starts[row] = np.array(bits, object).reshape(shape) if shape else bits[0]
        bit += len(bits)
    sets = dependences(tape, starts)
    groups = {pair for row in rows for pair in _groups(tape, row, sets)}
    coupled = np.zeros((variables.count, variables.count), dtype=bool)
    for dependent, finite in groups:
        mask = np.array([dependent >> k & 1 for k in range(variables.count)], dtype=bool)
        coupled |= mask[:, None] & mask if finite else mask[:, None] | mask
    return coupled if coupled.any() else None


def _groups(tape: Columns, row: int, sets: Sequence[Any]) -> Iterator[tuple[int, bool]]:
    """(the variables on which a singular row depends, whether its slopes are finite), by entries."""
    op, z = tape.ops[row], tape.values[row]
    if not op.array:
        yield sets[row], all(map(math.isfinite, slopes_of(op.rule, tape.arguments(row), z, op.active)))
        return
    import numpy as np

    from .arrays.operation import EntryOperation
    from .arrays.sides import singular_entries

    if not isinstance(op, EntryOperation):
        operands = [np.ravel(np.asarray(sets[parent], object)) for parent in tape.parents(row)]
        yield int(np.bitwise_or.reduce(np.concatenate(operands))), False
        return
    every = np.asarray(sets[row], object)
    mask = singular_entries(op, tape.left[row], tape.right[row], tape.values, z)
    finite = np.ones(mask.shape, dtype=bool)
    for slope in tape.partials(row):
        finite &= np.isfinite(slope)
    yield from zip(np.broadcast_to(every, mask.shape)[mask].tolist(), finite[mask].tolist(), strict=True)


def _put_singular(
    tape: Columns, weights: Mapping[int, Any], variables: Variables, coupled: Any, through: Any, columns: Any
) -> None:
    """Put the entries that go through singular operations into columns of the Hessian."""
    import numpy as np

    pairs = {(min(i, j), max(i, j)) for j in through.tolist() for i in np.flatnonzero(coupled[:, j]).tolist()}
    known: dict[tuple[int, int], float] = {}
    if len(pairs) * len(tape) * 4 <= WORK:

        def coefficient(i: int, j: int, sign: float) -> float:
            v = np.zeros(variables.count)
            v[i], v[j] = 1.0, sign
            return _second_coefficient(tape, weights, variables, v)

        for i, j in pairs:
            known[i, j] = (
                2.0 * coefficient(i, i, 1.0) if i == j else 0.5 * (coefficient(i, j, 1.0) - coefficient(i, j, -1.0))
            )
    for column, j in zip(columns, through.tolist(), strict=True):
        for i in np.flatnonzero(coupled[:, j]).tolist():
            column[i] = known.get((min(i, j), max(i, j)), math.nan)


def _second_coefficient(tape: Columns, weights: Mapping[int, Any], variables: Variables, v: Any) -> float:
    import numpy as np

    seeds = {row: [t if shape else float(t)] for row, shape, t in variables.parts(v) if t.any()}
    try:
        found = means(tape, seeds, 2, list(weights))
    except LostDerivative:
        return math.nan
    with np.errstate(all="ignore"):
        return float(sum(np.sum(weight * found[row][0]) for row, weight in weights.items()))


# ---- a sweep within another run -----------------------------------------------------------------------


def swept_back(tape: Columns, seeds: Mapping[int, Any], *, inputs_only: bool = False) -> list[Any]:
    """`reverse_sweep` of a run whose numbers may belong to another run that is still open: an adjoint of an input is
    then differentiated once more, and at a singular point that is done by the policy."""
    nested = any(_is_active(tape.values[row]) for row in seeds) and not any(map(_is_active, seeds.values()))
    if not nested or not _may_be_singular(tape):
        return reverse_sweep(tape, seeds, inputs_only=inputs_only)
    import numpy as np

    bare = _Bare(tape)
    with np.errstate(all="ignore"):
        adjoints = reverse_sweep(tape, seeds, inputs_only=inputs_only)
    if any(True for _ in singular_rows(bare.columns, [bare.rows[row] for row in seeds])):
        bare.correct(adjoints, seeds)
    return adjoints


def swept_forward(tape: Columns, seeds: Mapping[int, Any], ends: Sequence[int]) -> list[Any]:
    """`forward_sweep` in the same way, right in the rows `ends`."""
    nested = any(_is_active(tape.values[row]) for row in ends) and not any(map(_is_active, seeds.values()))
    tangents = forward_sweep(tape, seeds)
    if nested and _may_be_singular(tape):
        bare = _Bare(tape)
        for row in dict.fromkeys(ends):
            if any(True for _ in singular_rows(bare.columns, [bare.rows[row]])):
                tangents[row] = bare.along(row, tangents[row], seeds)
    return tangents


def _may_be_singular(tape: Columns) -> bool:
    """Whether some row may have no second derivative where it stands: of numbers, whether one has none; operations on
    arrays are looked at once their run is bare."""
    for row, op in enumerate(tape.ops):
        if is_doubtful(op):
            z = _value(tape.values[row])
            if op.array or (type(z) is not complex and math.isfinite(z) and _is_singular(tape, row, z)):
                return True
    return False


def _is_singular(tape: Columns, row: int, z: float) -> bool:
    """With respect to any operand: what is a constant of this run may be a number of the other one."""
    op = tape.ops[row]
    arguments = tuple(map(_value, tape.arguments(row)))
    return is_singular(op.rule, arguments, z, [True] * len(arguments))


def _is_active(x: Any) -> bool:
    return type(x) in Active.types or hasattr(x, "place")


def _value(x: Any) -> Any:
    """The plain value of a number or an array of other runs; it leaves no trace."""
    while _is_active(x):
        x = x.value
    return x


def _all_value(column: Any) -> Any:
    """An operand column with plain values; the same one where all are plain."""
    if isinstance(column, tuple) and any(map(_is_active, column)):
        return tuple(map(_value, column))
    return _value(column)


class _Bare:
    """A run with plain values in the place of the numbers of another one. `outer` are these, by the row of the input
    that each is now, `rows` the rows of the run by what they were."""

    def __init__(self, tape: Columns) -> None:
        self.rows: dict[int, int] = {}
        self.outer: dict[int, Any] = {}
        self.whole = True  # whether all numbers of the other run are inputs now
        self.columns = columns = Columns([], [], [], [], [], [], [], 0)
        columns.arrays = tape.arrays
        for row, (op, left, right, z) in enumerate(zip(tape.ops, tape.left, tape.right, tape.values, strict=True)):
            if not tape.arrays:
                op, left, right = self._operands(op, left, right)
            else:  # rows stay where they are
                self.whole = self.whole and _all_value(left) is left and _all_value(right) is right
                left, right = _all_value(left), _all_value(right)
            self.rows[row] = self._add(op, left, right, tuple(map(_value, z)) if isinstance(z, tuple) else _value(z))
            if op is INPUT and _is_active(z):
                self.outer[self.rows[row]] = z

    def _add(self, op: Any, left: Any, right: Any, value: Any) -> int:
        columns = self.columns
        columns.ops.append(op)
        columns.left.append(left)
        columns.right.append(right)
        columns.values.append(value)
        return len(columns.values) - 1

    def _operands(self, op: Any, left: Any, right: Any) -> tuple[Any, Any, Any]:
        """An operation of numbers, with the constants that belong to another run as inputs."""
        if op is INPUT:
            return op, left, right
        marked = op._marked(left, right)
        new = [self.rows[x] if on else self._input(x) if _is_active(x) else x for x, on in marked]
        if op.rule is None:
            return op, *((tuple(new), None) if isinstance(left, tuple) else (*new, None, None)[:2])
        if not op.rule.variadic:
            op = operation(op.name, tuple(on or _is_active(x) for x, on in marked))
        return op, *((tuple(new), None) if isinstance(left, tuple) else (*new, None)[:2])

    def _input(self, x: Any) -> int:
        known = next((row for row, u in self.outer.items() if u is x), None)
        if known is None:
            known = self._add(INPUT, None, None, _value(x))
            self.outer[known] = x
        return known

    def correct(self, adjoints: list[Any], seeds: Mapping[int, Any]) -> None:
        """Give the adjoints of the inputs the derivatives of the policy, as numbers of the other run."""
        import numpy as np

        whole = Variables(self.columns, list(self.outer))
        hessian = self._products(whole, {self.rows[row]: g for row, g in seeds.items()}, np.eye(whole.count))
        places = whole.places()
        for old, new in self.rows.items():
            if self.columns.ops[new] is INPUT and new in self.outer:
                shape = getattr(self.columns.values[new], "shape", ())
                adjoints[old] = _with_slopes(_value(adjoints[old]), shape, hessian[places[new]], whole, self)

    def along(self, row: int, tangent: Any, seeds: Mapping[int, Any]) -> Any:
        """The same for the tangent of a row."""
        import numpy as np

        whole = Variables(self.columns, list(self.outer))
        direction = np.zeros(whole.count)
        for old, t in seeds.items():
            if self.rows[old] in self.outer:
                direction[whole.places()[self.rows[old]]] = np.ravel(t)
        z = self.columns.values[self.rows[row]]
        shape = getattr(z, "shape", ())
        lines = []
        for k in range(math.prod(shape)):
            weight: Any = 1.0
            if shape:
                weight = np.zeros(shape)
                weight.flat[k] = 1.0
            lines.append(self._products(whole, {self.rows[row]: weight}, direction[None])[0])
        return _with_slopes(_value(tangent), shape, np.array(lines), whole, self)

    def _products(self, variables: Variables, weights: Mapping[int, Any], directions: Any) -> Any:
        """Products with the Hessian; NaN where it is not known."""
        import numpy as np

        if self.whole and not self._deeper():
            with contextlib.suppress(ArithmeticError, ValueError, LostDerivative):
                return products(self.columns, weights, variables.rows, directions)
        return np.full(directions.shape, np.nan)

    def _deeper(self) -> list[Any]:
        """What the second derivatives themselves depend on, where third ones are asked for: numbers of more runs."""
        youngest = max(u.tape.age for u in self.outer.values())
        own = [u.value if u.tape.age == youngest else u for u in self.outer.values()]
        return [x for x in own if _is_active(x)]


def _with_slopes(value: Any, shape: tuple[int, ...], slopes: Any, variables: Variables, bare: _Bare) -> Any:
    """A number or an array with this value whose derivatives in the numbers of the other run are `slopes`: a line for
    each entry. It is linear in how far these are from where they are."""
    from ad_magic.rules.arrays.frozen import np

    value = np.broadcast_to(value, shape) if shape else float(value)
    total: Any = value
    for row, inner, part in variables.parts(slopes):
        if not part.any():
            continue
        u = bare.outer[row]
        if not inner:
            decide_on("primal", u)  # it holds at this point only
        away = u - _value(u)
        if not shape and not inner:
            total = total + away * float(part.reshape(()))
        else:
            flat = np.reshape(away, (-1,))
            total = total + np.reshape(np.sum(part.reshape(-1, flat.shape[0]) * flat, axis=1), shape)
    if total is value:
        return value
    deeper = bare._deeper()
    if deeper:  # what is not known of the second derivative is not known of its derivatives
        return total + sum(np.sum(x * math.nan) for x in deeper) * sum(
            np.sum(u - _value(u)) for u in bare.outer.values()
        )
    total.value = value if not shape else np.array(value)
    if total.tape.values is not None and 0 <= getattr(total, "index", -1) < len(total.tape.values):
        total.tape.values[total.index] = total.value
    return total
