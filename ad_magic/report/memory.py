"""How much memory a tape takes, and what checkpoints save of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ad_magic.engine.costs import work
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns

from .tabular import Small

WORD, FLOAT = 8, 24  # bytes: a place in a column, a float of Python


def memory_of(tape: Columns, only: Any = None) -> int:
    """About how many bytes a tape takes: four columns and a place in the source for each row, and what stands there.
    With `only` the rows of one operation."""
    found = count = 0
    for op, *row in zip(tape.ops, tape.values, tape.left, tape.right, strict=True):
        if only is None or op is only:
            count += 1
            found += sum(_bytes_of(x) for x in row if type(x) is not int and x is not None)
    return found + count * 4 * WORD + (len(tape.codes) * 2 * WORD if only is None else 0)


def _bytes_of(x: Any) -> int:
    if isinstance(x, tuple):
        return sum(WORD + (_bytes_of(y) if type(y) is not int else 0) for y in x)
    return int(getattr(x, "nbytes", 0)) if getattr(x, "shape", ()) else FLOAT


def bytes_in_words(count: int) -> str:
    """
    >>> bytes_in_words(640), bytes_in_words(12_800), bytes_in_words(3_100_000)
    ('640 bytes', '12.8 kB', '3.1 MB')
    """
    if count < 10_000:
        return f"{count:,} bytes"
    return f"{count / 1e3:,.1f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"


# ---- checkpoints ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """What checkpoints save: how many `calls` are not stored, the `rows` and the `memory` of the tape if they were, the
    `peak` of memory in a reverse sweep, which has one of them recorded at a time, and how many operations it carries
    out `again`. In bytes, about."""

    calls: int
    rows: int
    memory: int
    peak: int
    again: int

    def table(self, rows: int, memory: int) -> Small:
        """Beside the tape as it is."""
        lines = (
            (f"tape with {self.calls:,} checkpoint{'s' * (self.calls != 1)}", f"{rows:,}", bytes_in_words(memory)),
            ("the most there is in the reverse sweep", "", bytes_in_words(self.peak)),
            ("tape if everything were stored", f"{self.rows:,}", bytes_in_words(self.memory)),
        )
        return Small("What checkpoints save", ("", "rows", "memory"), lines, frozenset((1, 2)))

    def note(self) -> list[str]:
        """The price."""
        again = f"{self.again:,} operation{'s' * (self.again != 1)}"
        return [f"Each sweep carries out {again} of the checkpoints again."]


def saved_by_checkpoints(tape: Columns, rows: int) -> Saved | None:
    """What the calls that are not stored save, of a tape with so many rows; None where there are none."""
    unstored = [row for row, op in enumerate(tape.ops) if hasattr(op, "stored")]
    if not unstored:
        return None
    own = memory_of(tape)
    found = Saved(0, rows, own, own, 0)
    for row in unstored:
        op: Any = tape.ops[row]
        inner: Columns = op.stored(tape.arguments(row))
        works = sum(work(inner, k).value for k in range(len(inner)))
        count, size = sum(op is not INPUT and op.rule is not None for op in inner.ops), memory_of(inner)
        inside = saved_by_checkpoints(inner, count) or Saved(0, count, size, size, 0)
        placed = 2 * WORD * inside.rows if tape.codes else 0
        found = Saved(
            found.calls + 1,
            found.rows + inside.rows - 1,
            found.memory + inside.memory - memory_of(inner, INPUT) + placed,
            max(found.peak, own + inside.peak),
            found.again + works + inside.again,
        )
    return found
