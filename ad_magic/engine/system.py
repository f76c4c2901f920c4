"""The reverse sweep as one triangular system of equations: (I − Jᵀ) λ = e.

A program is a list of constraints v_i = f_i(v_j, …, v_k), in an order in which operands come first. With multipliers
λ_i the Lagrangian is L = z − Σ λ_i (v_i − f_i). Its derivative with respect to λ_i is the constraint: the program. Its
derivative with respect to v_j gives λ_j = Σ_i λ_i ∂f_i/∂v_j, and λ = 1 for the output: the reverse sweep. J holds the
local partials, below the diagonal, so the matrix is triangular and is solved by substitution, from the last row up.

Nothing here sweeps: a partial of an operation is asked of that operation alone. Arrays are blocks. A memory that is
written to is a block of its own for each of its states, because in a system of equations nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .operation import INPUT
from .tape import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 400  # unknowns of a system that is written out


class NoSystem(ValueError):
    """A run whose equations are not written out; the message says why."""


@dataclass(frozen=True, slots=True)
class Block:
    """The unknowns of one row of the tape: its value, or what a memory holds after it."""

    row: int
    start: int
    size: int
    memory: bool = False

    @property
    def places(self) -> slice:
        """Where they stand among all unknowns."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class System:
    """The blocks of a program in order, and the partials between them: `partials[i, j]` is ∂(block i)/∂(block j)."""

    blocks: tuple[Block, ...]
    partials: dict[tuple[int, int], NDArray[Any]]

    @property
    def size(self) -> int:
        """The number of unknowns."""
        return sum(block.size for block in self.blocks)

    def block_of(self, row: int) -> int | None:
        """The number of the block that is the value of a row."""
        return next((k for k, block in enumerate(self.blocks) if block.row == row and not block.memory), None)

    def matrix(self) -> NDArray[Any]:
        """I − Jᵀ, which is upper triangular."""
        import numpy as np

        found = np.eye(self.size)
        for (i, j), partial in self.partials.items():
            found[self.blocks[j].places, self.blocks[i].places] -= partial.T
        return found

    def solve(self, output: int, position: tuple[int, ...] = ()) -> list[NDArray[Any]]:
        """The multipliers by block, for the output in a row of the tape (of an array the entry at `position`, flat)."""
        import numpy as np

        block = self.block_of(output)
        right = np.zeros(self.size)
        if block is not None:
            right[self.blocks[block].start + (position[0] if position else 0)] = 1.0
        found = np.linalg.solve(self.matrix(), right)
        return [found[block.places] for block in self.blocks]


def system(tape: Columns, largest: int = LARGEST) -> System:
    """The system of a recorded program. Raises NoSystem where it is larger than asked for, or has complex numbers.

    >>> from ad_magic.engine.operation import operation
    >>> tape = Columns([2.0, 3.0, 6.0], [INPUT, INPUT, operation("mul", (True, True))],
    ...                [None, None, 0], [None, None, 1], [], [], [], 3)
    >>> [x.tolist() for x in system(tape).solve(2)]
    [[3.0], [2.0], [1.0]]
    """
    import numpy as np

    if tape.recorded > len(tape):
        raise NoSystem("a long run in forward mode keeps no tape; use --mode both or reverse")
    blocks: list[Block] = []
    partials: dict[tuple[int, int], Any] = {}
    value_of: dict[int, int] = {}  # row -> its block
    state: dict[int, int] = {}  # row of a memory -> the block of what it holds now
    start = 0

    def new(row: int, size: int, memory: bool = False) -> int:
        nonlocal start
        if start + size > largest:
            raise NoSystem(f"the program has more than {largest} unknowns; its equations are not written out")
        blocks.append(Block(row, start, size, memory))
        start += size
        return len(blocks) - 1

    def put(i: int, j: int, partial: Any) -> None:
        partials[i, j] = partials[i, j] + partial if (i, j) in partials else partial

    op: Any
    for row, (op, left, value) in enumerate(zip(tape.ops, tape.left, tape.values, strict=True)):
        if (op.rule is None and op is not INPUT) or isinstance(value, tuple):
            continue  # a decision; the parts of a result with several are rows of their own
        if np.iscomplexobj(value):
            raise NoSystem("equations of complex numbers are not written out")
        if op.memory and op.name == "memory":
            state[row] = new(row, op.size, memory=True)
            if op.active[0]:
                put(state[row], value_of[left[0]], np.eye(op.size))
            continue
        value_of[row] = here = new(row, int(np.size(value)))
        if op.memory:
            before = state[left[0]]
            if op.name == "look":
                put(here, before, np.eye(op.size)[np.arange(op.size)[op.places].ravel()])
                continue
            if op.active[0]:
                put(here, value_of[left[2]], np.eye(blocks[here].size))
            source = np.full(op.size, -1)  # for each entry of the memory the entry that is written there
            source[op.places] = np.arange(np.size(value)).reshape(np.shape(value))
            state[left[0]] = after = new(row, op.size, memory=True)
            put(after, before, np.diag((source < 0).astype(float)))
            put(after, here, (source[:, None] == np.arange(np.size(value))).astype(float))
            continue
        for parent, partial in local_jacobian(tape, row):
            put(here, value_of[parent], partial)
    return System(tuple(blocks), partials)


def local_jacobian(tape: Columns, row: int) -> list[tuple[int, Any]]:
    """(operand, ∂ row / ∂ operand) for each use of an operand, as matrices: flat result by flat operand."""
    import numpy as np

    op: Any = tape.ops[row]
    left, right, z = tape.left[row], tape.right[row], tape.values[row]
    if op is INPUT:
        return []
    if not op.array:
        pairs = zip(tape.parents(row), tape.partials(row), strict=True)
        return [(parent, np.array([[float(partial)]])) for parent, partial in pairs]
    shape, wrap = np.shape(z), None
    if op.name == "part":  # one of the results of an operation with several
        which, count, row = op.which, op.count, left[0]
        op, left, right, z = tape.ops[row], tape.left[row], tape.right[row], tape.values[row]
        wrap = (which, count)
    parents, found = op.parents(left, right), []
    for unit in np.eye(int(np.prod(shape))):
        g: Any = unit.reshape(shape) if shape else 1.0
        found.append(pulled(op, left, right, tape.values, z, g if wrap is None else _one_of(g, *wrap)))
    return [
        (parent, np.array([np.broadcast_to(c[k], np.shape(tape.values[parent])).ravel() for c in found], float).reshape(
            len(found), -1
        ))
        for k, parent in enumerate(parents)
    ]  # fmt: skip


def _one_of(g: Any, which: int, count: int) -> tuple[Any, ...]:
    return tuple(g if k == which else None for k in range(count))


def pulled(op: Any, left: Any, right: Any, values: Any, z: Any, g: Any) -> list[Any]:
    """What the pull of an operation on arrays adds to each active operand, one for each use."""
    import numpy as np

    from .arrays.adjoints import Adjoints

    own_left, own_right, operands = alone(op, left, right, values)
    adjoints = Adjoints(len(operands))
    pull = getattr(op, "pull_carefully", op.pull)
    with np.errstate(all="ignore"):  # a singular point: an infinite partial is one
        pull(adjoints, g, own_left, own_right, operands, z)
    return [c for c, on in zip(adjoints, _marks(op, left, right), strict=True) if on]


def alone(op: Any, left: Any, right: Any, values: Any) -> tuple[Any, Any, list[Any]]:
    """(left, right, values) of an operation as the only one of a tape, each use of an operand a row of its own."""
    marked = op._marked(left, right)
    own = [k if on else x for k, (x, on) in enumerate(marked)]
    operands = [values[x] if on else x for x, on in marked]
    if isinstance(left, tuple):
        return tuple(own), right, operands
    return own[0], own[1] if len(own) > 1 else right, operands


def _marks(op: Any, left: Any, right: Any) -> list[bool]:
    return [on for _, on in op._marked(left, right)]
