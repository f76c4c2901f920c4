"""The solution of an initial value problem as one row, differentiated by the sensitivity and the adjoint equation.

Forward: S' = f_y S + f_v along the solution. Reverse: λ' = -f_y^T λ backwards in time, and the derivative with respect
to v is the integral of λ^T f_v (Cao, Li, Petzold & Serban 2003; Chen et al. 2018). Both are solved by the method of
`collocation.py`; the adjoint is exactly the transpose of the other. A time at which an event happens is a root, with
the derivative of the implicit function theorem.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .active import LostDerivative
from .arrays.adjoints import absent, reduced, spread
from .arrays.array import is_active, record, row, youngest
from .arrays.perform import Part, pushed
from .collocation import STAGES, Steps, at_the_rates, on_the_right
from .lifting import SolverOperation
from .operation import INPUT
from .tape import Columns, forward_sweep, reverse_sweep

TRAJECTORY = ArrayRule("trajectory", lambda *_: None, (), (), lambda *_: None)


class TrajectoryOperation(SolverOperation):
    """All that an integration gives, as parts: what the program gets, then the unknowns, which are the nodes of all
    steps (N·s, n) and the shifts of the times of events.

    The recorded run has the nodes and the shifts for variables. Its rows: `start` (y_0, None where that is plain), the
    `rates` f at the nodes (None where constant), the `residuals` of the events, and the `outputs`.
    """

    __slots__ = (
        "_steps", "after", "bent", "h", "n", "names", "nodes", "outputs", "rates", "residuals", "shifts", "start",
        "whole",
    )  # fmt: skip
    how = (
        "sensitivity / adjoint equation",
        "forward by the sensitivity equation S′ = f_y S + f_v, in reverse by the adjoint one, λ′ = −f_yᵀ λ",
    )
    _steps: Any
    after: int  # the row from which on there is what is made of the nodes
    whole: bool
    bent: float | None  # a time that depends on an input, where the right side has a bend
    h: Any
    n: int
    names: list[str]  # of the parts
    nodes: list[int]
    outputs: list[int]
    rates: list[int | None]
    residuals: list[int]
    shifts: list[int]
    start: int | None

    def recorded_at(self, operands: Any, more: Any = None) -> Columns:
        """See `SolverOperation.recorded_at`; with a bend that moves there is no second derivative here."""
        if self.bent is not None and any(map(is_active, operands)):
            raise LostDerivative(
                f"{self.name}: the right side has a bend near t = {self.bent:.6g}, a time that depends on an input; "
                "for second derivatives let a terminal event stop the integration there, and go on with the next"
            )
        return super().recorded_at(operands, more)

    def value(self, *operands: Any) -> Any:
        """See `SolverOperation.value`; all parts."""
        return self.parts(operands, len(self.result))

    def parts(self, operands: Sequence[Any], shown: int) -> Any:
        """The parts at operands; for the run of the youngest only so many get a row."""
        tape = youngest(operands)
        if tape is None:
            self.recorded_at(operands)
            return self.result
        op, values, columns = self.within(tape, operands)
        z = op.value(*values)
        tangents = pushed(tape, op, operands, values, op.active, z) if tape.forward else [None] * len(z)
        index = row(tape, op, tuple(columns), None, z)
        return tuple(
            record(tape, Named(k, len(z), name), (index,), None, part, tangent) if k < shown else part
            for k, (name, part, tangent) in enumerate(zip(self.names, z, tangents, strict=True))
        )

    def value_complex(self, *operands: Any) -> Any:
        """The parts at operands with tiny imaginary parts; the matrices are found by such steps, too."""
        step = 1e-30
        given = dict(zip(self.seeds, operands, strict=True))
        nodes, shifts = self.result[-2:]

        def imaginary(rows: Sequence[int | None], inputs: dict[int, Any]) -> list[Any]:
            from .arrays.complexstep import replay_complex

            values = replay_complex(self.inner, inputs)
            return [0.0 if k is None else np.imag(values[k]) for k in rows]

        slopes = np.empty((len(self.nodes), self.n, self.n))
        for a in range(self.n):
            moved = {k: y + 1j * step * unit for k, y, unit in zip(self.nodes, nodes, self._units(a), strict=True)}
            slopes[:, :, a] = self._together(imaginary(self.rates, moved)).reshape(-1, self.n) / step
        steps = Steps(self.h, slopes.reshape(-1, STAGES, self.n, self.n))
        start, *rates = imaginary([self.start, *self.rates], given)
        moved = steps.forward(spread(start, np.zeros(self.n)), on_the_right(self.h, self._together(rates)))
        moved = moved.reshape(-1, self.n)
        given |= {k: y + 1j * dy for k, y, dy in zip(self.nodes, nodes, moved, strict=True)}
        along = imaginary(self.residuals, given)
        by_shift = imaginary(self.residuals, {k: complex(u, step) for k, u in zip(self.shifts, shifts, strict=True)})
        du = [-r / (slope / step) for r, slope in zip(along, by_shift, strict=True)]
        given |= {k: complex(u, d) for k, u, d in zip(self.shifts, shifts, du, strict=True)}
        changes = [*imaginary(self.outputs, given), moved, np.array(du)]
        return tuple(z + 1j * change for z, change in zip(self.result, changes, strict=True))

    # ---- the equations of the steps ----

    def steps(self, inner: Columns) -> Steps:
        """The linearised equations along the recorded solution."""
        if inner is self.inner and getattr(self, "_steps", None) is not None:
            return self._steps
        rows = []
        for a in range(self.n):
            seeds = {k: u for k, u in zip(self.rates, self._units(a), strict=True) if k is not None}
            adjoints = reverse_sweep(inner, seeds) if seeds else None
            rows.append(
                self._together([0.0] * len(self.nodes) if adjoints is None else [adjoints[k] for k in self.nodes])
            )
        steps = Steps(self.h, np.stack(rows, axis=2))
        if inner is self.inner:
            self._steps = steps
        return steps

    def _units(self, a: int) -> list[Any]:
        unit = np.zeros(self.n)
        unit[a] = 1.0
        return [unit] * len(self.nodes)

    def _together(self, pieces: list[Any]) -> Any:
        """Vectors of all nodes as one array (N, s, n); 0.0 stands for none."""
        zero = np.zeros(self.n)
        pieces = [zero if absent(x) else spread(x, zero) for x in pieces]
        return np.reshape(np.stack(pieces), (-1, STAGES, self.n)) if pieces else np.zeros((0, STAGES, self.n))

    def _at(self, operands: Sequence[Any], z: Any) -> Columns:
        nodes, shifts = z[-2:]
        if not (is_active(nodes) or is_active(shifts) or any(map(is_active, operands))):
            return self.recorded_at(operands)
        more = {k: nodes[j] for j, k in enumerate(self.nodes)}
        return self.recorded_at(operands, {**more, **{k: shifts[j] for j, k in enumerate(self.shifts)}})

    def _after(self, inner: Columns) -> Columns:
        """The recorded run without the right side at the nodes: all before `after` is given. The whole run where what
        comes later uses something of that (a function may remember what it has computed)."""
        if self.whole:
            return inner
        cut = inner.with_values(inner.values, [])
        cut.ops = [INPUT] * self.after + inner.ops[self.after :]
        return cut

    def _by_shift(self, inner: Columns) -> list[Any]:
        """The derivative of the residual of each event with respect to its shift."""
        if not self.shifts:
            return []
        adjoints = reverse_sweep(inner, dict.fromkeys(self.residuals, 1.0))
        return [adjoints[k] for k in self.shifts]

    # ---- the sweeps ----

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        operands = self.arguments(left, right, values)
        inner = self._at(operands, z)
        along = {
            seed: spread(tangents[i], x)
            for i, on, seed, x in zip(left, self.active, self.seeds, operands, strict=True)
            if on and not absent(tangents[i])
        }
        found = forward_sweep(inner, along)
        start = np.zeros(self.n) if self.start is None else spread(found[self.start], np.zeros(self.n))
        rates = self._together([0.0 if k is None else found[k] for k in self.rates])
        moved = np.reshape(self.steps(inner).forward(start, on_the_right(self.h, rates)), (-1, self.n))
        along |= {k: moved[j] for j, k in enumerate(self.nodes)}
        if self.start is not None:
            along[self.start] = start
        inner = self._after(inner)
        found = forward_sweep(inner, along)
        du: list[Any] = []
        if self.shifts:
            du = [-_quotient(found[k], d) for k, d in zip(self.residuals, self._by_shift(inner), strict=True)]
            found = forward_sweep(inner, {**along, **dict(zip(self.shifts, du, strict=True))})
        outputs = [spread(found[k], inner.values[k]) for k in self.outputs]
        return (*outputs, moved, _vector(du))

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        operands = self.arguments(left, right, values)
        inner = self._at(operands, z)
        *outputs, by_nodes, by_shifts = g
        sweeps = [reverse_sweep(inner, _present(zip(self.outputs, outputs, strict=True)))]
        nodes = self._together([sweeps[0][k] for k in self.nodes])
        if self.shifts:
            weights: dict[int, Any] = {}
            for j, (k, residual, d) in enumerate(zip(self.shifts, self.residuals, self._by_shift(inner), strict=True)):
                total = sweeps[0][k] if by_shifts is None else sweeps[0][k] + by_shifts[j]
                if not absent(total):
                    weights[residual] = -_quotient(total, d)
            sweeps.append(reverse_sweep(inner, weights))
            nodes = nodes + self._together([sweeps[1][k] for k in self.nodes])
        if by_nodes is not None:
            nodes = nodes + np.reshape(by_nodes, nodes.shape)
        mu, right_sides = self.steps(inner).backward(np.reshape(nodes, (len(self.h), STAGES * self.n)))
        rates = np.reshape(at_the_rates(self.h, right_sides, self.n), (-1, self.n))
        pairs = [(k, rates[j]) for j, k in enumerate(self.rates) if k is not None]  # some may be the same row
        sweeps.append(reverse_sweep(inner, _present([(self.start, mu), *pairs] if self.start is not None else pairs)))
        for sweep in sweeps:
            for i, on, seed, x in zip(left, self.active, self.seeds, operands, strict=True):
                if on and not absent(sweep[seed]):
                    adjoints.add(i, reduced(sweep[seed], x))


def _present(pairs: Any) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for k, g in pairs:
        if g is not None and not absent(g):
            found[k] = found[k] + g if k in found else g
    return found


def _quotient(a: Any, b: Any) -> Any:
    """a / b; infinite where an event only touches."""
    if is_active(a) or is_active(b):
        return a / b
    with np.errstate(all="ignore"):
        return np.float64(a) / np.float64(b)


def _vector(numbers: list[Any]) -> Any:
    from .arrays.constructors import array

    return array(numbers) if any(map(is_active, numbers)) else np.array(numbers, dtype=float)


class Named(Part):
    """A part with the name that the program has for it: solve_ivp(…).y"""

    __slots__ = ("named", "unused")
    how = TrajectoryOperation.how

    def __init__(self, which: int, count: int, named: str) -> None:
        super().__init__(which, count)
        self.named = named
        self.unused = False
