"""Sparse Jacobians from few sweeps: columns that share no row have one seed together.

The pattern comes from one recorded run; columns, or rows, are coloured so that those of one colour have no row, or
column, in common (Curtis, Powell & Reid 1974; Gebremedhin, Manne & Pothen 2005, "What color is your Jacobian?").
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ad_magic.engine.patterns import dependences

from .linear import Linear
from .values import is_active

AGREE = 1e-6  # how far a product with a given pattern may be from the true one, relative to its terms


@dataclass(frozen=True, eq=False)
class Sparsity:
    """Which entries of a Jacobian may be other than zero, and by which seeds it is found.

    `shape` is (results, variables); row i has the columns `columns[starts[i]:starts[i + 1]]`. `mode` is the one that
    needs fewer sweeps; `colors` has for each column (forward mode) or row (reverse mode) the number of its seed, −1 for
    one without entries; `sweeps` how many sweeps each mode takes.
    """

    shape: tuple[int, int]
    starts: Any
    columns: Any
    mode: str
    colors: Any
    sweeps: dict[str, int]

    @property
    def seeds(self) -> int:
        """How many sweeps find the Jacobian."""
        return self.sweeps[self.mode]

    @property
    def entries(self) -> int:
        """How many entries may be other than zero."""
        return len(self.columns)

    @property
    def rows(self) -> Any:
        """The row of each entry."""
        import numpy as np

        return np.repeat(np.arange(self.shape[0]), np.diff(self.starts))

    @property
    def pattern(self) -> Any:
        """As a matrix of truth values."""
        import numpy as np

        found = np.zeros(self.shape, bool)
        found[self.rows, self.columns] = True
        return found

    def __repr__(self) -> str:
        results, variables = self.shape
        plain = f"{min(results, variables):,} without compression"
        noun = "entry" if self.entries == 1 else "entries"
        sweeps = f"{self.seeds:,} {self.mode} sweep{'s' if self.seeds != 1 else ''}"
        return f"{results:,} × {variables:,}, {self.entries:,} {noun}: {sweeps}, {plain}"


def found_by(linear: Linear) -> Sparsity:
    """The sparsity of a recorded run."""
    import numpy as np

    starts: dict[int, Any] = {}
    count = 0
    for row, shape in zip(linear.rows, linear.shapes, strict=True):
        size = math.prod(shape)
        bits = [1 << k for k in range(count, count + size)]
        starts[row] = np.array(bits, object).reshape(shape) if shape else bits[0]
        count += size
    sets = dependences(linear.columns, starts)
    flat: list[int] = []
    for end, shape in zip(linear.out_rows, linear.out_shapes, strict=True):
        flat += [0] * math.prod(shape) if end is None else np.ravel(np.asarray(sets[end], object)).tolist()
    return of_sets(flat, count)


def of_sets(sets: Sequence[int], variables: int) -> Sparsity:
    """The sparsity of results that depend on these sets of variables."""
    import numpy as np

    def bits(x: int) -> Any:
        octets = np.frombuffer(x.to_bytes((variables + 7) // 8, "little"), np.uint8)
        return np.flatnonzero(np.unpackbits(octets, bitorder="little").view(bool))

    lines = [bits(x) for x in sets]
    starts = np.cumsum([0, *map(len, lines)])
    columns = np.concatenate(lines) if lines else np.zeros(0, int)
    return coloured(starts, columns, (len(sets), variables))


def of_matrix(matrix: Any, shape: tuple[int, int]) -> Sparsity:
    """The sparsity that a user gives: a matrix of NumPy or SciPy whose entries are true or not zero."""
    import numpy as np

    if hasattr(matrix, "tocoo"):
        coo = matrix.tocoo()
        kept = coo.data != 0
        rows, columns, given = coo.row[kept], coo.col[kept], coo.shape
    else:
        matrix = np.asarray(matrix)
        (rows, columns), given = np.nonzero(matrix) if matrix.ndim == 2 else ((), ()), matrix.shape
    if tuple(given) != shape:
        raise ValueError(f"the sparsity has shape {tuple(given)}, the Jacobian {shape}: one row for each result")
    order = np.lexsort((columns, rows))
    starts = np.searchsorted(np.asarray(rows)[order], np.arange(shape[0] + 1))
    return coloured(starts, np.asarray(columns)[order], shape)


def coloured(starts: Any, columns: Any, shape: tuple[int, int]) -> Sparsity:
    """The sparsity of a pattern, with the colours of the mode that needs fewer; of the same number, forward mode."""
    import numpy as np

    by_row = [columns[a:b].tolist() for a, b in itertools.pairwise(starts.tolist())]
    by_column: list[list[int]] = [[] for _ in range(shape[1])]
    for i, line in enumerate(by_row):
        for j in line:
            by_column[j].append(i)
    found = {"forward": _colors(by_column, by_row), "reverse": _colors(by_row, by_column)}
    sweeps = {mode: max(colors, default=-1) + 1 for mode, colors in found.items()}
    mode = "forward" if sweeps["forward"] <= sweeps["reverse"] else "reverse"
    return Sparsity(shape, starts, columns, mode, np.array(found[mode], int), sweeps)


def _colors(lines: Sequence[Sequence[int]], across: Sequence[Sequence[int]]) -> list[int]:
    """A colour for each line, so that two that cross the same line have different ones; −1 for an empty one.

    The longest first, each with the first colour that is free.

    >>> _colors([[0], [0, 1], [1]], [[0, 1], [1, 2]])
    [1, 0, 1]
    """
    colors = [-1] * len(lines)
    if max(map(len, across), default=0) == sum(map(bool, lines)):  # one crosses all of them: no two can be together
        next_one = itertools.count()
        return [next(next_one) if line else -1 for line in lines]
    for j in sorted(range(len(lines)), key=lambda j: -len(lines[j])):
        taken = {colors[k] for i in lines[j] for k in across[i]}
        if lines[j]:
            colors[j] = next(c for c in itertools.count() if c not in taken)
    return colors


# ---- the Jacobian from its sweeps ------------------------------------------------------------------


def compressed(linear: Linear, s: Sparsity) -> Any:
    """The results of all sweeps: an array (results × seeds) in forward mode, (seeds × variables) in reverse mode."""
    import numpy as np

    shapes, sweep = (linear.shapes, linear.push) if s.mode == "forward" else (linear.out_shapes, linear.pull)
    lines = [_flat(sweep(_split((s.colors == c).astype(float), shapes))) for c in range(s.seeds)]
    if not lines:
        return np.zeros((s.shape[0], 1) if s.mode == "forward" else (1, s.shape[1]))
    return np.stack(lines, axis=1 if s.mode == "forward" else 0)


def within(s: Sparsity, linear: Linear) -> Sparsity:
    """A given sparsity for a Jacobian that is itself differentiated: that of the run, where it has more entries.

    The numbers do not tell: an entry that is zero here may have a derivative.
    """
    found = found_by(linear)
    return found if (found.pattern & ~s.pattern).any() else s


def _split(flat: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """A flat vector as numbers and arrays."""
    ends = [0, *itertools.accumulate(map(math.prod, shapes))]
    parts = [flat[a:b] for a, b in itertools.pairwise(ends)]
    return [x.reshape(shape) if shape else float(x[0]) for x, shape in zip(parts, shapes, strict=True)]


def _flat(parts: Sequence[Any]) -> Any:
    import numpy as np

    return np.concatenate([np.reshape(x, -1) if hasattr(x, "shape") else np.stack([x]) for x in parts])


def dense(linear: Linear, s: Sparsity) -> Any:
    """The whole Jacobian, a matrix (results × variables)."""
    import numpy as np

    found = compressed(linear, s)
    spread = found[:, s.colors] if s.mode == "forward" else found[s.colors]
    return np.where(s.pattern, spread, 0.0)


def csr(linear: Linear, s: Sparsity) -> Any:
    """The same as a matrix of scipy.sparse. Raises ImportError where there is no SciPy."""
    try:
        from scipy.sparse import csr_array
    except ImportError:
        raise ImportError("sparse=True needs SciPy (pip install scipy); without it the Jacobian is an array") from None
    found = compressed(linear, s)
    if is_active(found):
        raise TypeError("a sparse Jacobian cannot be differentiated again: leave out sparse=True")
    rows = s.rows
    data = found[rows, s.colors[s.columns]] if s.mode == "forward" else found[s.colors[rows], s.columns]
    return csr_array((data, s.columns, s.starts), shape=s.shape)


def agrees(linear: Linear, jacobian: Any) -> bool:
    """Whether a Jacobian that was found with a given pattern is the true one: by one product with random numbers."""
    import numpy as np

    v = np.random.default_rng(0).uniform(0.5, 1.5, jacobian.shape[1])
    true, got = _flat(linear.push(_split(v, linear.shapes))), jacobian @ v
    scale = abs(jacobian) @ abs(v) + np.abs(true)
    with np.errstate(invalid="ignore"):
        return not bool((np.abs(true - got) > AGREE * scale).any())
