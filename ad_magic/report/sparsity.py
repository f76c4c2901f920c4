"""Where a Jacobian can be other than zero, and which columns or rows are found together: in text, as a picture."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ad_magic.engine.boundary import boundary
from ad_magic.engine.patterns import dependences
from ad_magic.transforms import argnums as positions
from ad_magic.transforms import sparse
from ad_magic.transforms.argnums import Argnums
from ad_magic.transforms.matrices import recorded

from .markup import esc, standing_alone

if TYPE_CHECKING:
    from ad_magic.cell.run import Run

DRAWN = 120  # rows and columns of the picture; of more those in the upper left corner
SIDE, WIDTH = 14, 420  # px of a cell at most, and of the picture
SHARE = 0.86  # of the room of a cell that its square takes
HUES = 12  # colours that are told apart: with more seeds they begin again


class Sparsity(sparse.Sparsity):
    """The pattern of a Jacobian and the seeds that find it; `jacobian(f, sparsity=…)` takes it.

    `pattern` is a matrix of truth values, with a row for each entry of the results and a column for each of the
    variables; `mode` and `seeds` say by how many sweeps, `colors` by which of them each column (in reverse mode each
    row) is found; `sweeps` has their number by mode.
    """

    def to_html(self) -> str:
        """The pattern as a picture; what is found in one sweep has one colour."""
        lines = "columns of one colour have no row" if self.mode == "forward" else "rows of one colour have no column"
        results, variables = self.shape
        rest = ""
        if max(self.shape) > DRAWN:
            rest = f" Drawn: the upper left corner, {min(results, DRAWN)} × {min(variables, DRAWN)}."
        note = f"{self!r}: {lines} in common.{rest}"
        return f'{self._picture()}<p class="ad-note">{esc(note)}</p>'

    def _picture(self) -> str:
        import numpy as np

        down, across = (min(n, DRAWN) for n in self.shape)
        side = max(1.0, min(SIDE, WIDTH / max(down, across, 1)))
        rows = self.rows
        seen = (rows < down) & (self.columns < across)
        rows, columns = rows[seen], self.columns[seen]
        colors = self.colors[columns if self.mode == "forward" else rows]
        found = ""
        for color in np.unique(colors).tolist():
            mine = colors == color
            at = zip(rows[mine].tolist(), columns[mine].tolist(), strict=True)
            cells = "".join(f"M{x + (1 - SHARE) / 2:.4g} {y + 0.5:g}h{SHARE}" for y, x in at)
            hue = (210 + 360 * (color % HUES) / min(HUES, max(self.seeds, 1))) % 360
            found += f'<path stroke="hsl({hue:.0f} 46% 56%)" stroke-width="{SHARE}" d="{cells}"/>'
        frame = f'<path stroke="currentColor" opacity="0.3" stroke-width="{1 / side:.3g}" d="M0 0h{across}v{down}H0z"/>'
        return (
            f'<svg class="ad-svg" width="{across * side + 2:g}" height="{down * side + 2:g}" fill="none" role="img" '
            f'viewBox="{-1 / side:.3g} {-1 / side:.3g} {across + 2 / side:.5g} {down + 2 / side:.5g}">'
            f"<title>{esc(repr(self))}</title>{found}{frame}</svg>"
        )

    def _repr_html_(self) -> str:
        return standing_alone(self.to_html())


@boundary
def sparsity(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Sparsity]:
    """A function that finds where the Jacobian of f can be other than zero, and which seeds find it: one run of f.

    It holds as long as the program takes the same path. `jacobian(f, sparsity=…)` takes what comes out; at other points
    that spares the colouring. `sparsity(grad(f))` is that of the Hessian.

    >>> import numpy as np
    >>> sparsity(lambda x: x[1:] * x[:-1])(np.ones(1000))
    999 × 1,000, 1,998 entries: 2 forward sweeps, 999 without compression
    """

    wanted, _ = positions.read(argnums, f, "sparsity")

    @boundary
    @functools.wraps(f)
    def found(*args: Any, **options: Any) -> Sparsity:
        which = positions.found(wanted, args, options, f)
        return _with_faces(sparse.found_by(recorded(f, which, args, options)))

    return found


def sparsity_of(run: Run) -> Sparsity:
    """The sparsity of the Jacobian of a run. Raises ValueError for a long run in forward mode: it keeps no tape."""
    import numpy as np

    if run.tape.recorded > len(run.tape):
        raise ValueError("a long run in forward mode keeps no tape to look at; use --mode both or reverse")
    starts: dict[int, Any] = {}
    count = 0
    for name, row in run.rows.items():
        shape = getattr(run.inputs[name], "shape", ())
        bits = [1 << k for k in range(count, count + math.prod(shape))]
        starts[row] = np.array(bits, object).reshape(shape) if shape else bits[0]
        count += len(bits)
    sets = dependences(run.tape, starts)
    ends = [place for output in run.outputs for place in output.seeds()]
    flat = [0 if row is None else int(np.asarray(sets[row], object)[position]) for row, position in ends]
    return _with_faces(sparse.of_sets(flat, count))


def _with_faces(s: sparse.Sparsity) -> Sparsity:
    return Sparsity(**{field.name: getattr(s, field.name) for field in fields(s)})
