"""What a curve or a contour can be of: the numbers that are outputs or entries of one, or those of a pinned row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from .array import shape_of
from .entries import Entries
from .markup import subscripted
from .table import output_symbol

if TYPE_CHECKING:
    from ad_magic.codegen.batch import Number

    from .result import Result

OFFERED = 24  # of more numbers the first ones


class Subject(NamedTuple):
    """A number that a curve is of: how it is called, how in ∂z/∂x, where it is found, and its value now."""

    head: str
    symbol: str
    number: Number
    value: float

    def slope_head(self, label: str) -> str:
        """What stands over its derivative: "∂z/∂x"."""
        return f"∂{self.symbol}/∂{label}"


def subjects(r: Result, row: int | None = None) -> list[Subject]:
    """The numbers of the outputs, or of one row of the table; of very many the first ones."""
    return list(islice(_of_outputs(r) if row is None else _of_row(r, row), OFFERED))


def _of_outputs(r: Result) -> Iterator[Subject]:
    from ad_magic.codegen.batch import Number

    for output in r.run.outputs:
        symbol = output_symbol(r, output.name)
        if output.scalar:
            value = float(output.value)
            number = Number(output.rows, (), value if output.rows is None else 0.0)
            yield Subject(symbol or str(r.output_label), symbol, number, value)
            continue
        places = Entries(output.name, output.value).places()
        for place, (row, position), (value, _, _) in zip(places, output.seeds(), output.flat(), strict=True):
            label = f"{output.name}[{Entries.index_text(place)}]"
            yield Subject(label, label, Number(row, position, value if row is None else 0.0), float(value))


def _of_row(r: Result, row: int) -> Iterator[Subject]:
    from ad_magic.codegen.batch import Number

    index = r.tape_rows[row]
    name, value = subscripted(r.rows[row].name), r.run.tape.values[index]
    for place in Entries(name, value).places() if shape_of(value) else ((),):
        label = f"{name}[{Entries.index_text(place)}]" if place else name
        yield Subject(label, label, Number(index, place, 0.0, index + 1), float(value[place] if place else value))
