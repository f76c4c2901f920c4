"""Recording an initial value problem as a function of all that it reads, along its solution.

SciPy says which steps it took. On these, halved where that is not enough and cut where the right side has a bend, the
equations of the collocation are solved to rounding, starting from SciPy's solution. So the derivative is that of the
solution itself, to about nine digits, whatever tolerance the numbers of SciPy have.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .active import LostDerivative
from .arrays.array import NUMBERS, Array, is_active, latest, operand
from .arrays.compose import as_input
from .arrays.constructors import array
from .collocation import STAGES, Steps, at_times, on_the_right, step_at, tails, times_of
from .dense import Dense
from .lifting import Lifting, bottom, plainly, shown
from .paths import path_since, switches
from .problem import Problem, Read
from .trajectory import TRAJECTORY, TrajectoryOperation

_SHORT = 1e-6  # of a step's polynomial: more than this in its last term, and the step is halved
_HALVINGS = 4
_ITERATIONS = 10
_JUMPS = (
    "the right side jumps near t = {:.6g}, a time that depends on an input; let a terminal event stop the integration "
    "there, and go on from there with the next"
)


def solved(problem: Problem, call: Any, dense: Any, result: Any, times: list[tuple[int, int]], asked: bool) -> Any:
    """What the result of SciPy is to hold instead: active arrays by their names."""
    y = result.y
    if y.dtype.kind == "c":
        raise LostDerivative(f"{problem.place}: {problem.name} has a derivative for real y only")
    problem.n = y.shape[1 if problem.by_time else 0]
    mesh = _mesh(dense.ts, [*result.t.tolist(), *(result.t_events[k][j] for k, j in times)])
    nodes = _nodes_of(dense, mesh)
    shifts = np.zeros(len(times))

    def recorded(looking: bool = False) -> _Recording:
        return _Recording(problem, mesh, nodes, shifts, result, times, asked, looking)

    looked = False
    for halving in range(_HALVINGS + 1):
        recording = recorded()
        start = bottom(recording.start)
        polished = _polished(problem, mesh, nodes, shifts, recording, times)
        nodes, shifts = polished or (nodes, shifts)
        short = tails(start, nodes) > _SHORT
        cuts: list[float] = []
        if recording.turns or (short.any() and not looked):
            looked, cuts = True, _cuts(recorded, mesh)
        if halving == _HALVINGS or not (short.any() or cuts):
            break
        refined = _joined(mesh, [*((mesh[:-1] + mesh[1:])[short] / 2), *cuts])
        nodes = _interpolated(start, mesh, nodes, times_of(refined)) if polished else _nodes_of(dense, refined)
        mesh = refined
    recording = recorded() if polished else recording
    return recording.row(call, dense, recording.bends(_JUMPS))


def _cuts(recorded: Callable[[bool], _Recording], mesh: Any) -> list[float]:
    """A little before each time at which the right side goes another way, because of an input or of the time itself."""
    try:
        bends = recorded(True).bends()
    except LostDerivative:  # a function that does not take active times
        bends = recorded(False).bends()
    cuts = []
    for t in bends:
        k = step_at(mesh, t)
        cut = t - 1e-8 * (mesh[k + 1] - mesh[k])
        if np.min(np.abs(mesh - cut)) > 1e-8 * abs(mesh[-1] - mesh[0]):
            cuts.append(cut)
    return cuts


def _mesh(steps: Any, more: list[float]) -> Any:
    """The ends of the steps of SciPy, also at the times that are asked for, in the direction of the integration."""
    return _joined(np.array(steps), more)  # SciPy's arrays may be Buffers


def _joined(mesh: Any, more: list[float]) -> Any:
    first, last = mesh[0], mesh[-1]
    inside = [t for t in more if min(first, last) < t < max(first, last)]
    joined = np.unique(np.concatenate([mesh, inside]))
    return joined if last >= first else joined[::-1]


def _nodes_of(dense: Any, mesh: Any) -> Any:
    """SciPy's solution at the nodes: (N, s, n)."""
    times = times_of(mesh)
    if not times.size:
        return np.zeros((0, STAGES, len(dense(mesh[0]))))
    return np.reshape(np.array(dense(times.ravel())).T, (*times.shape, -1))


class _Recording:
    """The right side at all nodes, and what is made of them, recorded as one function of all that the problem reads."""

    def __init__(self, problem: Problem, mesh: Any, nodes: Any, shifts: Any, result: Any,
                 times: list[tuple[int, int]], asked: bool, looking: bool) -> None:  # fmt: skip
        """With `looking` the time is a variable, too, so that it is seen where the right side looks at it."""
        self.problem, self.mesh, self.nodes, self.shifts, self.result = problem, mesh, nodes, shifts, result
        self.looking = looking
        self.lifting = lifting = Lifting()
        self.outputs: dict[Any, Any] = {}  # by name
        self.residuals: list[Any] = []
        try:
            self.variables = [as_input(lifting.tape, y.copy()) for y in nodes.reshape(-1, problem.n)]
            self.moves = [as_input(lifting.tape, float(u)) for u in shifts]
            with problem.read_as(lifting.variable) as read:
                self._record(read, times, asked)
        finally:
            self.inner = lifting.close()

    def _record(self, read: Read, times: list[tuple[int, int]], asked: bool) -> None:
        n, mesh = self.problem.n, self.mesh
        starts, ends = mesh[0], mesh[-1]
        t_span, t_eval, y0 = read.now["t_span"], read.now["t_eval"], read.now["y0"]
        t0, t1 = t_span
        start = operand(y0)
        start = np.reshape(start, (n,)) if is_active(start) else np.array(start, dtype=float).reshape(n)
        if is_active(operand(t0)):
            start = read.moved(t0, start, starts - t0)
        self.start = start
        self.rates = self._rates(read)
        self.after = len(self.lifting.tape.ops)

        ends_of = {t: k for k, t in enumerate(mesh.tolist())}

        def at(t: float) -> Any:
            k = ends_of[t]
            return self.variables[k * STAGES - 1] if k else start

        found: list[list[tuple[Any, Any]]] = [[] for _ in self.result.t_events or ()]
        for (k, j), u in zip(times, self.moves, strict=True):
            t = float(self.result.t_events[k][j])
            y, later = read.moved(t, at(t), u), t + u
            self.residuals.append(read.event(k, later, y))
            found[k].append((later, y))
        columns: list[tuple[Any, Any]] = []
        given = operand(t_eval) if t_eval is not None else None
        for j, t in enumerate(self.result.t.tolist()):
            place: Any = t
            if given is not None:
                place = given[j] if is_active(given) else t
            elif j == 0 and is_active(operand(t0)):
                place = t0
            elif t == ends and self.result.status != 1 and is_active(operand(t1)):
                place = t1
            columns.append((place, read.moved(t, at(t), place - t) if is_active(place) else at(t)))
        if given is None and self.result.status == 1:  # the last time is that of the event
            k = next(k for k, ts in enumerate(self.result.t_events) if len(ts) and ts[-1] == ends)
            columns[-1] = found[k][-1]
        self.outputs["y"] = np.stack([y for _, y in columns], axis=0 if self.problem.by_time else 1)
        self.outputs["t"] = array([t for t, _ in columns])
        for k, of_one in enumerate(found):
            if of_one:
                self.outputs["t_events", k] = array([t for t, _ in of_one])
                self.outputs["y_events", k] = np.stack([y for _, y in of_one])
        if asked:
            self.outputs["sol"] = np.stack([start, *self.variables])

    def _rates(self, read: Read) -> list[Any]:
        """f at all nodes."""
        times = times_of(self.mesh).ravel().tolist()
        found = [self._sampled(read, t, y) for t, y in zip(times, self.variables, strict=True)]
        self.samples = [(t, *sample) for t, sample in zip(times, found, strict=True)]
        self.turns = any(a[1] != b[1] for a, b in itertools.pairwise(found))
        return [f for f, _ in found]

    def _sampled(self, read: Read, t: float, y: Any) -> tuple[Any, tuple[Any, ...]]:
        """f at a time, and which way it went."""
        tape = self.lifting.tape
        begin = len(tape.ops)
        f = read.rate(as_input(tape, t) if self.looking else t, y)
        return f, path_since(self.lifting, begin)

    def bends(self, jumps: str | None = None) -> list[float]:
        """Where the right side goes another way; see `switches`."""
        if not self.turns:
            return []
        every = np.vstack([bottom(self.start), self.nodes.reshape(-1, self.problem.n)])
        lifting, self.lifting = self.lifting, Lifting()
        try:
            with self.problem.read_as(self.lifting.variable) as read:

                def sampled(t: float) -> Any:
                    return self._sampled(read, t, as_input(self.lifting.tape, at_times(self.mesh, every, [t])[0]))

                return switches(sampled, self.samples, jumps)
        finally:
            self.lifting.tape.close()
            self.lifting = lifting

    def index(self, x: Any) -> int | None:
        """The row of something in the recorded run; None where it is constant."""
        x = latest(x) if self.lifting.tape.values is not None else x
        return x.index if (type(x) is Array or type(x) in NUMBERS) and x.tape is self.lifting.tape else None

    def operation(self) -> TrajectoryOperation:
        """The operation, without its parts."""
        start, rates, residuals = self.index(self.start), list(map(self.index, self.rates)), self.residuals
        outputs = map(self.index, self.outputs.values())
        self.lifting.forget_left(self.inner, [start, *rates, *map(self.index, residuals), *outputs])
        op = TrajectoryOperation(TRAJECTORY, (True,) * len(self.lifting.originals), {})
        op._steps, op.h, op.n = None, np.diff(self.mesh), self.problem.n
        op.nodes, op.shifts = [x.index for x in self.variables], [x.index for x in self.moves]
        op.start, op.rates = start, rates
        op.residuals = [g.index for g in residuals]  # each depends on its shift
        op.inner, op.seeds = self.inner, [v.index for v in self.lifting.variables]
        op.at = list(map(bottom, self.lifting.originals))
        known = {*op.seeds, *op.nodes, *op.shifts, op.start}
        op.after, inner = self.after, self.inner
        later = {p for k in range(op.after, len(inner)) for p in inner.parents(k) if p < op.after}
        op.whole = not later <= known
        return op

    def row(self, call: Any, dense: Any, bends: list[float]) -> dict[Any, Any]:
        """The row of the solution: its parts by name, those that depend on an input."""
        lifting, problem = self.lifting, self.problem
        op = self.operation()
        active = {key: self.index(x) for key, x in self.outputs.items()}
        rows = {key: k for key, k in active.items() if k is not None}
        if not lifting.originals or not rows:
            return {}
        op.name, op.options, op.outputs = problem.name, {}, list(rows.values())
        op.template = tuple(shown(x, lifting) for x in call[0]), {k: shown(x, lifting) for k, x in call[1].items()}
        op.names = [*(_named(key, problem) for key in rows), ".nodes", ".shifts"]
        flat = self.nodes.reshape(-1, problem.n)
        values = [
            np.vstack([bottom(self.start), flat]) if key == "sol" else _plain_part(self.result, key) for key in rows
        ]
        op.result, op.bent = (*values, flat, self.shifts), bends[0] if bends else None
        parts = dict(zip(rows, op.parts(lifting.originals, len(rows)), strict=False))
        if "sol" in parts:
            parts["sol"] = Dense(dense, self.mesh, parts["sol"])
        return parts


def _plain_part(result: Any, key: Any) -> Any:
    part = getattr(result, key[0])[key[1]] if type(key) is tuple else getattr(result, key)
    return np.array(part, dtype=float)


def _named(key: Any, problem: Problem) -> str:
    if problem.by_time:
        return ""
    return f".{key[0]}[{key[1]}]" if type(key) is tuple else f".{key}"


# ---- the solution of the collocation -------------------------------------------------------------


def _polished(problem: Problem, mesh: Any, nodes: Any, shifts: Any, recording: _Recording, times: Any) -> Any:
    """Nodes and shifts that solve their equations, by Newton's method with the matrices of the recording; None where it
    does not come to rest: then the derivative is that along SciPy's own solution."""
    op = recording.operation()
    steps: Steps = op.steps(recording.inner)
    by_shift = op._by_shift(recording.inner)
    h, n, when = np.diff(mesh), problem.n, times_of(mesh).ravel().tolist()
    start = bottom(recording.start)
    size = np.max(np.abs(nodes), axis=(0, 1), initial=0.0) + np.finfo(float).tiny
    before = np.inf
    with problem.read_as(plainly) as read, np.errstate(all="ignore"):
        for _ in range(_ITERATIONS if len(h) else 0):
            try:
                rates = np.stack([read.rate(t, y.copy()) for t, y in zip(when, nodes.reshape(-1, n), strict=True)])
            except (ArithmeticError, ValueError):
                return None
            whole = nodes.reshape(len(h), -1)
            from_before = np.tile(np.concatenate([start[None], nodes[:-1, -1]]), (1, STAGES))
            residual = whole - from_before - on_the_right(h, rates.reshape(nodes.shape))
            change = steps.forward(np.zeros(n), -residual).reshape(nodes.shape)
            length = float(np.max(np.abs(change) / size))
            if not length < min(before / 2, 0.3):
                if before > 1e-9:
                    return None
                break
            nodes, before = nodes + change, length
            if length < 1e-12:  # what is left moves the derivative by as much
                break
        ends = {t: k for k, t in enumerate(mesh.tolist())}
        flat = np.vstack([start, nodes.reshape(-1, n)])
        for j, (k, i) in enumerate(times):
            t = float(recording.result.t_events[k][i])
            y, u = flat[ends[t] * STAGES], float(shifts[j])
            for _ in range(_ITERATIONS):
                step = float(read.event(k, t + u, read.moved(t, y, u))) / float(by_shift[j])
                if not abs(step) < 0.1 * abs(mesh[-1] - mesh[0]):
                    break
                u -= step
            shifts = np.array([*shifts[:j], u, *shifts[j + 1 :]])
    return nodes, shifts


def _interpolated(start: Any, mesh: Any, nodes: Any, times: Any) -> Any:
    """The polynomials of the steps at the nodes of another mesh."""
    every = np.vstack([start, nodes.reshape(-1, nodes.shape[2])])
    return at_times(mesh, every, times.ravel()).reshape(*times.shape, -1)
