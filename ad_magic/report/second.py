"""The gradient and the Hessian at a point, as a reader is told of them: numbers, eigenvalues, what they mean.

js/second.js says the same of other points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ad_magic.cell.second import hessian, one_number

from .array import TEXT_DIGITS, shown_places
from .flags import MEAN
from .number import number
from .rows import seed_names
from .table import output_symbol
from .tabular import Small, markdown, text

if TYPE_CHECKING:
    from .result import Result

NUMBERS = 8  # inputs of which the Hessian is written in numbers; of more it is a picture
WHOLE = 64  # inputs of which it is all there; of more it is the block of the first
LONGEST = 200_000  # operations of a run whose Hessian is in the report: it takes some 20 microseconds for each
FULL = 3  # inputs whose numbers have all their digits
EIGENVALUES = 8  # that are listed
ZERO = 1e-10  # an eigenvalue below so much of the greatest counts as zero
NEAR = 1e-6  # the gradient is near zero where a step of this size, relative to the inputs, would undo it


@dataclass(frozen=True)
class Second:
    """The derivatives of one number up to the second order.

    `of` is what the number is called, `symbol` what stands in ∂z/∂x, "" for an expression without a name. `names` are
    the inputs in order, "x" or "w[0]"; `gradient` and `hessian` have an entry for each; `eigenvalues` are those of the
    Hessian, from the greatest down, None where some of it is not finite, or not shown. Of very many inputs names,
    gradient and Hessian are those of the first; `inputs` is how many there are in all. `stationary` says whether the
    gradient is near zero; `warnings` are sentences.
    """

    of: str
    symbol: str
    names: tuple[str, ...]
    gradient: Any
    hessian: Any
    inputs: int
    eigenvalues: Any
    stationary: bool
    warnings: tuple[str, ...]

    @property
    def signs(self) -> tuple[int, int, int]:
        """How many eigenvalues are positive, negative, and zero to rounding."""
        if self.eigenvalues is None:
            return 0, 0, 0
        values = rounded(self.eigenvalues)
        up, down = int((values > 0).sum()), int((values < 0).sum())
        return up, down, len(values) - up - down

    @property
    def words(self) -> str:
        """What the eigenvalues say: "1 positive, 1 negative: curves up along 1 direction, down along 1"."""
        if self.eigenvalues is None:
            return self._without()
        return said(*self.signs, self.stationary)

    def _without(self) -> str:
        import numpy as np

        bad = int((~np.isfinite(self.hessian)).sum())
        if bad:
            return f"{bad} of {self.hessian.size} second derivatives are NaN or infinite: there are no eigenvalues."
        left = f"Of {self.inputs:,} inputs the first {len(self.names)} are shown, without eigenvalues: r.hessian() is "
        return left + "the whole, r.hvp(v) its product with a vector."

    @property
    def digits(self) -> int:
        """Significant digits of a number in it."""
        return 6 if len(self.names) <= FULL else TEXT_DIGITS

    def listed(self) -> list[float | None]:
        """The eigenvalues that are listed, None where some are left out."""
        if self.eigenvalues is None:
            return []
        values: list[float | None] = rounded(self.eigenvalues).tolist()
        half = EIGENVALUES // 2
        return values if len(values) <= EIGENVALUES else [*values[:half], None, *values[-half:]]

    def left_out(self) -> int:
        """How many are not."""
        return 0 if self.eigenvalues is None else max(0, len(self.eigenvalues) - EIGENVALUES)

    def to_text(self) -> str:
        """As aligned text."""
        return "\n\n".join([f"{self._table().caption}\n{text(self._table())}", "\n".join(self._notes())])

    def to_html(self) -> str:
        """As HTML that stands within a report: a heat map, the eigenvalues beside it."""
        from .second_html import body

        return body(self)

    def to_markdown(self) -> str:
        """In Markdown."""
        return "\n\n".join([f"**{self._table().caption}**", markdown(self._table()), *self._notes()])

    def _table(self) -> Small:
        places = shown_places(len(self.names)) if len(self.names) > NUMBERS else list(range(len(self.names)))

        def cells(line: Any) -> list[str]:
            return ["…" if k is None else number(float(line[k]), self.digits) for k in places]

        rows = [(f"∇{self.symbol}", *cells(self.gradient))]
        for k in places:
            line = ["…"] * len(places) if k is None else cells(self.hessian[k])
            rows.append(("…" if k is None else self.names[k], *line))
        heads = ("", *("…" if k is None else self.names[k] for k in places))
        return Small(f"Gradient and Hessian of {self.of}", heads, tuple(rows), frozenset(range(1, len(heads))))

    def _notes(self) -> list[str]:
        listed = ["…" if x is None else number(x, self.digits) for x in self.listed()]
        more = f" ({self.left_out()} more between)" if self.left_out() else ""
        lines = [f"Eigenvalues: {', '.join(listed)}{more}."] if listed else []
        return [*lines, self.words if not listed else f"{self.words}.", *self.warnings]

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        from .markup import standing_alone

        return standing_alone(self.to_html())


def rounded(eigenvalues: Any) -> Any:
    """The eigenvalues; those that are zero to rounding are zero."""
    import numpy as np

    top = float(np.abs(eigenvalues).max(initial=0.0))
    return np.where(np.abs(eigenvalues) <= ZERO * top, 0.0, eigenvalues)


def said(up: int, down: int, flat: int, stationary: bool) -> str:
    """The signs of the eigenvalues in words.

    >>> said(2, 1, 0, True)
    '2 positive, 1 negative: a saddle'
    >>> said(1, 1, 0, False)
    '1 positive, 1 negative: curves up along 1 direction, down along 1'
    """
    counts = [(up, "positive", "up"), (down, "negative", "down"), (flat, "zero", "straight")]
    found = [(n, sign, way) for n, sign, way in counts if n]
    if stationary:
        verdict = "a saddle" if up and down else "undecided by second derivatives" if flat else ""
        verdict = verdict or ("a minimum" if up else "a maximum")
    else:
        ways = [f"{way} along {n}" for n, _, way in found]
        first = found[0][0]
        verdict = "curves " if found[0][2] != "straight" else ""
        verdict += ", ".join([f"{ways[0]} direction{'s' if first != 1 else ''}", *ways[1:]])
    return f"{', '.join(f'{n} {sign}' for n, sign, _ in found)}: {verdict}"


def second_or_why(r: Result) -> Second | str:
    """The second order of a result, or a sentence that says why there is none."""
    if len(r.run.tape) > LONGEST:
        return f"No Hessian in the report of so long a run ({len(r.run.tape):,} operations): r.hessian() computes it"
    try:
        return r.second
    except Exception as error:  # several outputs; an operation without a second derivative, whatever it raises
        return f"No Hessian: {str(error) or type(error).__name__}"


def second_of(r: Result) -> Second:
    """The second order of a result. Raises TypeError where its output is not one number."""
    import numpy as np

    one_number(r.run)
    shown = min(r.run.seed_count, WHOLE)
    names = seed_names(r.run)[:shown]
    whole = hessian(r.run, shown)[:, :shown]
    gradient = np.concatenate([np.ravel(r.grad[name]) for name in r.run.rows])[:shown]
    inputs = np.concatenate([np.ravel(r.inputs[name]) for name in r.run.rows])
    symbol = output_symbol(r, r.outputs[0])
    shown_as = r.outputs[0] if symbol else r.output_label or "the output"
    return of_numbers(shown_as, symbol, names, gradient, whole, inputs, _warnings(r, symbol, names, whole))


def of_numbers(
    of: str, symbol: str, names: Sequence[str], gradient: Any, whole: Any, inputs: Any, warnings: Sequence[str]
) -> Second:
    """What there is to say of these numbers at the point `inputs`, of which the first have names."""
    import numpy as np

    eigenvalues = None
    if len(names) == len(inputs) and np.isfinite(whole).all():
        eigenvalues = np.linalg.eigvalsh((whole + whole.T) / 2)[::-1]
    top = 0.0 if eigenvalues is None else float(np.abs(eigenvalues).max())
    stationary = bool(np.abs(gradient).max() <= NEAR * top * max(1.0, float(np.abs(inputs).max())))
    return Second(of, symbol, tuple(names), gradient, whole, len(inputs), eigenvalues, stationary, tuple(warnings))


def _warnings(r: Result, symbol: str, names: Sequence[str], whole: Any) -> list[str]:
    """Where second derivatives are not what they seem."""
    import numpy as np

    found = []
    bad = np.argwhere(~np.isfinite(whole)).tolist()
    if bad:
        i, j = bad[0]
        found.append(f"{partial(symbol, names[i], names[j])} is {number(whole[i, j])}: there is none at this point.")
    kinks = [flag for flag in (*r.flags, *r.second_flags) if flag.kind in ("kink", "second-order")]
    if kinks:
        lines = sorted({flag.line for flag in kinks if flag.line is not None})
        where = f"Line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}" if lines else "An operation"
        verb = "stand" if len(lines) > 1 else "stands"
        said = MEAN if r.second_flags else "the second derivatives are those of the branch that was taken"
        found.append(f"{where} {verb} at a corner: {said}.")
    top = float(np.abs(whole[np.isfinite(whole)]).max(initial=0.0))
    with np.errstate(invalid="ignore"):
        uneven = np.argwhere(np.abs(whole - whole.T) > NEAR * top).tolist()
    if uneven:
        i, j = uneven[0]
        both = [f"{partial(symbol, names[a], names[b])} = {number(whole[a, b])}" for a, b in ((i, j), (j, i))]
        found.append(f"{both[0]}, but {both[1]}: the slopes have a jump at this point.")
    return found


def partial(symbol: str, a: str, b: str) -> str:
    """
    >>> partial("z", "x", "y"), partial("z", "w[0]", "w[0]")
    ('∂²z/∂x∂y', '∂²z/∂w[0]²')
    """
    return f"∂²{symbol}/∂{a}²" if a == b else f"∂²{symbol}/∂{a}∂{b}"
