"""What a check has found, as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .agreement import FORMULA, Agreement
from .operations import NONE, Operations
from .sweep import Sweep
from .verdict import AGREES, DIFFERS, KINK, NOT_APPLICABLE, SKIPPED, WORST_FIRST


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One comparison: the derivative of the output with respect to a seed, against one independent number."""

    seed: str
    method: str
    expected: float | None  # None where there is no number to compare with
    got: float
    relative_error: float | None
    verdict: str  # agrees | differs | skipped: … | kink: left slope …, right slope … | not applicable: …
    note: str = ""

    @property
    def word(self) -> str:
        """The first words of the verdict."""
        return self.verdict.partition(":")[0]


@dataclass(frozen=True, repr=False)
class Findings:
    """What a check has found. `ok` is true where nothing differs and something could be compared."""

    output: str
    inputs: str
    rows: tuple[CheckRow, ...]  # for each seed and method one, that of the worst component of the output
    notes: tuple[str, ...] = ()
    directions: tuple[CheckRow, ...] = ()  # for each method one, along random directions of all inputs
    operations: Operations = NONE  # each operation by itself
    agreements: tuple[Agreement, ...] = ()  # for each method all pairs of numbers: correlation, signs
    sweeps: tuple[Sweep, ...] = ()  # the errors over many steps, along the first inputs

    @property
    def every(self) -> tuple[CheckRow, ...]:
        """All comparisons: those by seed, and those along random directions."""
        return (*self.rows, *self.directions)

    @property
    def ok(self) -> bool:
        """Whether no comparison differs, no operation is wrong, and not every comparison was impossible."""
        words = {row.word for row in self.every}
        return DIFFERS not in words and not self.operations.wrong and bool(words - {NOT_APPLICABLE})

    @property
    def verdicts(self) -> dict[str, str]:
        """For each seed ("x", "w[0]") one verdict: that of its worst comparison."""
        return _worst_by([(row.seed, row) for row in self.rows])

    @property
    def by_input(self) -> dict[str, str]:
        """The same for each input: an array has the verdict of its worst entry."""
        return _worst_by([(row.seed.partition("[")[0], row) for row in self.rows])

    @property
    def worst(self) -> CheckRow | None:
        """The comparison with the largest relative error, one that differs before any other; None without any."""
        known = [row for row in self.every if row.relative_error is not None and row.word != SKIPPED]
        return max(known, key=lambda row: (row.word == DIFFERS, _size(row.relative_error)), default=None)

    @property
    def sweep(self) -> dict[str, Sweep]:
        """By seed the errors of difference quotients over many steps."""
        return {sweep.seed: sweep for sweep in self.sweeps}

    @property
    def causes(self) -> list[str]:
        """The operations whose derivative is wrong, a sentence for each, in the order of the program."""
        return [wrong.words for wrong in self.operations.wrong]

    @property
    def verdict(self) -> str:
        """One sentence for all."""
        verdicts = self.verdicts
        by_word = {word: [s for s, v in verdicts.items() if v.startswith(word)] for word in WORST_FIRST}
        count = sum(row.word == AGREES for row in self.every)
        agree = "1 comparison agrees" if count == 1 else f"{count} comparisons agree"
        if by_word[DIFFERS]:
            wrong = {row.seed for row in self.rows if row.word == DIFFERS and row.method != FORMULA}
            formulas = [seed for seed in by_word[DIFFERS] if seed not in wrong]  # all else agrees with the derivative
            seeds = [seed for seed in by_word[DIFFERS] if seed in wrong]
            found = [f"the derivative with respect to {self._together(seeds)} differs"] if seeds else []
            found += [f"your formula for {self._together(formulas)} differs"] if formulas else []
            return "; ".join([*found, agree])
        if any(row.word == DIFFERS for row in self.directions):
            return f"the derivative along random directions differs; {agree}"
        if self.operations.wrong:
            return f"an operation has a wrong derivative; {agree}" if count else "an operation has a wrong derivative"
        if not count and not by_word[KINK] and not by_word[SKIPPED]:
            return "nothing could be compared"
        if count > 1 and len(by_word[AGREES]) == len(verdicts):
            agree = "both comparisons agree" if count == 2 else f"all {agree}"
        parts = [agree]
        if by_word[KINK]:
            parts.append(f"a kink in {self._together(by_word[KINK])}")
        if by_word[SKIPPED]:
            parts.append(f"{self._together(by_word[SKIPPED])} skipped, as too small to compare")
        if by_word[NOT_APPLICABLE]:
            parts.append(f"{self._together(by_word[NOT_APPLICABLE])} could not be compared")
        return "; ".join(parts)

    def __bool__(self) -> bool:
        return self.ok

    def _together(self, seeds: Sequence[str]) -> str:
        """The names of seeds in a sentence; all entries of an array are the array."""
        entries: dict[str, list[str]] = {}
        for seed in dict.fromkeys(row.seed for row in self.rows):
            entries.setdefault(seed.partition("[")[0], []).append(seed)
        names: list[str] = []
        for name, own in entries.items():
            mine = [seed for seed in own if seed in seeds]
            names += [name] if len(mine) == len(own) else mine
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _worst_by(rows: Sequence[tuple[str, CheckRow]]) -> dict[str, str]:
    worst: dict[str, CheckRow] = {}
    for name, row in rows:
        known = worst.get(name)
        if known is None or WORST_FIRST.index(row.word) < WORST_FIRST.index(known.word):
            worst[name] = row
    return {name: row.verdict for name, row in worst.items()}


def _size(error: float | None) -> float:
    return math.inf if error is None or error != error else error
