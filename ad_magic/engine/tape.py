"""The tape: the recorded list of elementary operations (Wengert, 1964), and the sweeps over it.

A tape is a few plain lists, its columns; row i is the i-th operation. Operands come before the operation that
uses them, so the tape itself is a topological order of the graph. Adjoints and tangents belong to a sweep, never to
a row: sweeping twice is the same as sweeping once.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from types import CodeType
from typing import Any

from ad_magic.rules.number import math

from .frames import user_frame
from .operation import INPUT, NUMPYS, Number, Operation, times

LOCATED = 20_000  # so many operations know where they stand in the source; later ones of a long run do not

_ages = count()


class Tape:
    """What one run records. Its age tells runs apart and is never used again; `values is None` once it is closed."""

    __slots__ = (
        "age",
        "arrays",
        "codes",
        "columns",
        "constants",
        "directions",
        "finals",
        "forward",
        "instructions",
        "left",
        "left_behind",
        "limit",
        "located",
        "memories",
        "ops",
        "recorded",
        "right",
        "spare",
        "steady",
        "tangents",
        "values",
        "writes",
    )

    def __init__(
        self,
        *,
        located: int = 0,
        limit: int | None = None,
        forward: bool = False,
        directions: int = 1,
        once: bool = False,
        steady: bool = False,
    ) -> None:
        """Positions are kept for the first `located` rows; of a forward run only the first `limit` rows are kept.

        A `forward` run carries tangents along so many `directions`. A run that is swept `once`, in reverse, for its
        inputs, need not keep what that sweep does not ask for. In a `steady` run, and until it was swept, no plain
        array changes.
        """
        self.age = next(_ages)
        self.values: list[Number] | None = []
        self.ops: list[Operation] = []
        self.left: list[Any] = []
        self.right: list[Any] = []
        self.tangents: list[Number] = []  # forward runs only
        self.codes: list[CodeType | None] = []  # where the first rows stand: the code object, and the instruction in it
        self.instructions: list[int] = []
        self.located = located
        self.limit = limit
        self.recorded = 0  # by a forward run, kept or not
        self.forward = forward
        self.directions = directions
        self.arrays = False  # whether a row is that of an array
        self.constants: dict[Any, Any] = {}  # copies of big constant arrays, each made once
        self.memories: dict[int, Any] = {}  # memory that was written to with active numbers (engine/arrays/memory.py)
        self.finals: dict[Any, Any] = {}  # what arrays of the closed run are as plain ones, by their memory
        self.writes = 0
        self.spare: list[int] | None = [] if once else None  # rows of big arrays whose value no pull will ask for
        self.steady = steady
        self.left_behind: list[str] | None = None  # sentences on numbers of this run without a derivative (left.py)
        self.columns: Columns | None = None

    def add(self, op: Operation, left: Any, right: Any, value: Number) -> int:
        """Append a row and return its index."""
        assert self.values is not None
        index = len(self.values)
        self.values.append(value)
        self.ops.append(op)
        self.left.append(left)
        self.right.append(right)
        if index < self.located:
            self.locate(op)
        return index

    def locate(self, op: Operation) -> None:
        """Note where the program is, as the place of the row that was just appended."""
        frame = user_frame() if op is not INPUT else None  # an input stands at no place of the program
        self.codes.append(frame.f_code if frame else None)
        self.instructions.append(frame.f_lasti if frame else -1)

    def keep(self, op: Operation, left: Any, right: Any, value: Number, tangent: Number = 0.0) -> int:
        """Append a row of a forward run, with its tangent, unless the limit is reached (then -1)."""
        assert self.values is not None
        self.recorded += 1
        if self.limit is None:
            return self.add(op, left, right, value)
        if len(self.values) >= self.limit:
            return -1
        self.tangents.append(tangent)
        return self.add(op, left, right, value)

    def close(self) -> Columns:
        """End the recording: numbers of this run act as plain values from now on. Returns the columns."""
        if self.columns is None:
            if self.memories:
                from .arrays.memory import close

                close(self)
            assert self.values is not None
            recorded = max(self.recorded, len(self.values))
            if NUMPYS:
                for column in (self.values, self.left, self.right):
                    _as_floats(column)
            self.columns = Columns(
                self.values, self.ops, self.left, self.right, self.codes, self.instructions, self.tangents, recorded
            )
            self.columns.arrays = self.arrays
            self.columns.spare = self.spare or []
            self.values = None
            self.constants = {}
            self.ops, self.left, self.right, self.tangents = [], [], [], []
            self.codes, self.instructions = [], []
        return self.columns


def _as_floats(column: list[Any]) -> None:
    """NumPy's floats of a column as floats of Python, with which the sweeps are several times faster."""
    if NUMPYS.isdisjoint(map(type, column)):
        return
    for k, x in enumerate(column):
        if type(x) in NUMPYS:
            column[k] = float(x)


class Columns:
    """A finished tape: plain data."""

    __slots__ = ("arrays", "codes", "instructions", "left", "ops", "recorded", "right", "spare", "tangents", "values")

    def __init__(
        self,
        values: list[Number],
        ops: list[Operation],
        left: list[Any],
        right: list[Any],
        codes: list[CodeType | None],
        instructions: list[int],
        tangents: list[Number],
        recorded: int,
    ) -> None:
        self.values, self.ops, self.left, self.right = values, ops, left, right
        self.codes, self.instructions = codes, instructions
        self.tangents, self.recorded = tangents, recorded
        self.arrays = False
        self.spare: list[int] = []  # rows of big arrays whose value no pull asks for

    def __len__(self) -> int:
        return len(self.values)

    def head(self, length: int) -> Columns:
        """The first rows alone."""
        if length >= len(self):
            return self
        cut = slice(length)
        places = self.codes[cut], self.instructions[cut]
        operations = self.values[cut], self.ops[cut], self.left[cut], self.right[cut]
        columns = Columns(*operations, *places, self.tangents[cut], self.recorded)
        columns.arrays = self.arrays
        return columns

    @property
    def where(self) -> list[tuple[CodeType | None, int]]:
        """Where the first rows stand: code object and instruction."""
        return list(zip(self.codes, self.instructions, strict=True))

    def with_values(self, values: list[Number], tangents: list[Number]) -> Columns:
        """The same operations with other values."""
        columns = Columns(
            values, self.ops, self.left, self.right, self.codes, self.instructions, tangents, self.recorded
        )
        columns.arrays = self.arrays
        return columns

    def parents(self, index: int) -> tuple[int, ...]:
        """The rows that row `index` uses, one for each use."""
        return self.ops[index].parents(self.left[index], self.right[index])

    def arguments(self, index: int) -> tuple[Number, ...]:
        """The values of the operands of row `index`."""
        return self.ops[index].arguments(self.left[index], self.right[index], self.values)

    def partials(self, index: int) -> tuple[Number, ...]:
        """The local partials of row `index`, one for each parent."""
        return self.ops[index].partials(self.left[index], self.right[index], self.values, self.values[index])


def has_no_row(op: Operation, value: Any) -> bool:
    """Whether a row of the tape is none of the table of operations: a decision, a memory and how it begins, a result
    with several parts, a part of what a solver gave that nobody uses, a number that its function has left."""
    memory = op.memory and (op.name == "memory" or getattr(op, "begins", False))
    unused = op.name == "part" and getattr(op, "unused", False)
    return op.decision or memory or unused or op.hidden or isinstance(value, tuple)


def mark_unused(tape: Columns, outputs: Iterable[int | None]) -> None:
    """Mark the parts of what solvers gave that no other row and no output uses; of each solver one stays."""
    parts = [i for i, op in enumerate(tape.ops) if op.name == "part" and hasattr(op, "unused")] if tape.arrays else []
    if not parts:
        return
    used = {*outputs, *(parent for i in range(len(tape)) for parent in tape.parents(i))}
    kept: set[int] = {tape.left[i][0] for i in parts if i in used}
    for i in parts:
        (whole,) = tape.left[i]
        tape.ops[i].unused = i not in used and whole in kept
        kept.add(whole)


# ---- sweeps --------------------------------------------------------------------------------------


def reverse_sweep(tape: Columns, seeds: Mapping[int, Number], *, inputs_only: bool = False) -> list[Number]:
    """The adjoint of every row, from the outputs back: adjoint of an operand += adjoint of the result * local partial.

    `seeds` gives the adjoints of the outputs by row. An adjoint that is exactly zero is absent: it is not passed on.
    With `inputs_only` the adjoints of other rows are not kept, nor are the values: it is the last use of the tape.
    """
    if tape.arrays:
        from .arrays.sweeps import reverse

        return reverse(tape, seeds, inputs_only)
    if all(type(g) is float and type(tape.values[i]) is float for i, g in seeds.items()):
        try:
            adjoints = _fast_reverse(tape, seeds)
            if not _any_nan(tape, adjoints):
                return adjoints
        except (ArithmeticError, ValueError, TypeError):
            pass  # a singular point: carefully, then
    adjoints = [0.0] * len(tape)
    for index, seed in seeds.items():
        adjoints[index] = adjoints[index] + seed
    for index in range(len(tape) - 1, -1, -1):
        g = adjoints[index]
        if type(g) is float and g == 0.0:
            continue
        for parent, partial in zip(tape.parents(index), tape.partials(index), strict=False):
            adjoints[parent] = adjoints[parent] + times(partial, g)
    return adjoints


def _fast_reverse(tape: Columns, seeds: Mapping[int, float]) -> list[float]:
    from .sweep import sweep

    columns = tape.head(max(seeds, default=-1) + 1)  # what comes after the outputs does not matter
    adjoints = [0.0] * len(columns)
    for index, seed in seeds.items():
        adjoints[index] += seed
    sweep(adjoints, columns.ops, columns.left, columns.right, columns.values)
    return adjoints + [0.0] * (len(tape) - len(adjoints))


def _any_nan(tape: Columns, adjoints: Sequence[float]) -> bool:
    """Whether a sweep met 0 * inf: it always shows at an input, because every row descends from one."""
    if math.isfinite(sum(adjoints)):
        return False
    return any(g != g for g, op in zip(adjoints, tape.ops, strict=True) if op is INPUT)


def forward_sweep(tape: Columns, seeds: Mapping[int, Number]) -> list[Number]:
    """The tangent of every row along one direction; `seeds` gives the tangents of the inputs by row."""
    if tape.arrays:
        from .arrays.sweeps import forward

        return forward(tape, seeds)
    values = tape.values
    tangents: list[Number] = []
    append = tangents.append
    for index, (op, left, right, z) in enumerate(zip(tape.ops, tape.left, tape.right, values, strict=True)):
        if op.rule is None:
            append(seeds.get(index, 0.0))
            continue
        try:
            tangent = op.push(tangents, left, right, values, z)
            if tangent == tangent:  # not NaN
                append(tangent)
                continue
        except (ArithmeticError, ValueError, TypeError):
            pass
        tangent = 0.0
        for parent, partial in zip(tape.parents(index), tape.partials(index), strict=True):
            tangent = tangent + times(partial, tangents[parent])
        append(tangent)
    return tangents


def depended_on(tape: Columns, outputs: Iterable[int]) -> bytearray:
    """For each row 1 where some of the outputs depends on it, else 0."""
    used = bytearray(len(tape))
    for row in outputs:
        used[row] = 1
    columns = (tape.ops, tape.left, tape.right)
    for index, op, left, right in zip(range(len(tape) - 1, -1, -1), *map(reversed, columns), strict=True):
        if used[index] and op.rule is not None:
            if op.array:
                for parent in op.parents(left, right):
                    used[parent] = 1
            elif op.active == _BOTH:
                used[left] = used[right] = 1
            elif op.active == _FIRST and not isinstance(left, tuple):
                used[left] = 1
            else:
                for parent in op.parents(left, right):
                    used[parent] = 1
    return used


_BOTH, _FIRST = (True, True), (True, False)


def reverse_order(parents: Sequence[Sequence[int]], output: int) -> list[int]:
    """The rows that `output` depends on, in the order of the reverse sweep: each after every row that uses it.

    A topological sort by counting (Kahn, 1962), without recursion. A breadth-first walk would visit a row
    before all its uses have been added up, and give a wrong derivative.

    >>> reverse_order([(), (0, 0), (1, 1), (1, 2)], 3)  # a = x*x; b = a*a; c = a + b
    [3, 2, 1, 0]
    """
    uses = [0] * len(parents)
    seen = {output}
    stack = [output]
    while stack:
        for parent in parents[stack.pop()]:
            uses[parent] += 1
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    order = []
    ready = [-output]  # a heap: of the rows that are ready, the last of the program comes first
    while ready:
        row = -heappop(ready)
        order.append(row)
        for parent in parents[row]:
            uses[parent] -= 1
            if not uses[parent]:
                heappush(ready, -parent)
    return order


class PathChanged(Exception):
    """A decision came out otherwise than recorded: the recorded operations are not those of this input."""

    def __init__(self, index: int, outcome: Any) -> None:
        super().__init__(f"row {index} now gives {outcome!r}")
        self.index, self.outcome = index, outcome


def replay(tape: Columns, inputs: Mapping[int, Number], kind: str = "plain", shown: Container[int] = ()) -> Columns:
    """The same operations at other inputs (by row); `kind` as in `value_of`.

    `shown` are rows where a text was made of a number that is only shown: it may come out otherwise.

    Raises PathChanged where a decision comes out otherwise, and what the operations themselves raise. Complex inputs
    are a hair's breadth from the recorded ones: the decisions stay as they were.
    """
    if tape.arrays:
        from .arrays.sweeps import replay_arrays

        return replay_arrays(tape, inputs, kind, shown)
    from .decisions import decide
    from .record import again

    values: list[Number] = []
    for index, (op, left, right) in enumerate(zip(tape.ops, tape.left, tape.right, strict=True)):
        if op is INPUT:
            values.append(inputs.get(index, tape.values[index]))
        elif op.rule is None:
            outcome = tape.values[index]
            if kind != "complex":
                outcome = decide(op, op.arguments(left, right, values))
                if outcome != tape.values[index] and index not in shown:
                    raise PathChanged(index, outcome)
            values.append(outcome)
        else:
            value = again(op, op.arguments(left, right, values), kind, tape.values[index])
            if type(value) is complex and kind == "plain":  # a negative number to a broken power
                raise PathChanged(index, value)
            values.append(value)
    return tape.with_values(values, [])
