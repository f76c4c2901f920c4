"""The one form between a Result and its renderers: what is in the table, in which order, and what is left out.

`table` chooses the columns and cuts the lines to `max_rows`; `entries` walks a table in the order in which it is read.
Text, HTML, Markdown and LaTeX all draw these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from .array import brief, is_short, is_small, shape_of, shape_text
from .lines import LineGroup, line_groups
from .row import Flag, Number, Row, Source, warnings

if TYPE_CHECKING:
    from .result import Result

MAX_SEEDS = 6  # tangent columns; more than that cannot be read side by side
MAX_ENTRIES = 4  # the same where inputs are arrays and the adjoint has the derivative for all of their entries
MAX_WIDE = 2  # and where what is computed are matrices or long vectors: a column of them is wide
TANGENTS_WIDE = 35  # characters of all tangents of such side by side, where the adjoint says the same in one column
SEEDS_NAMED = 8  # in a note
CONDITION_DIGITS = 2
MAX_SWEEPS = 16  # entries of an array output for whose Jacobian the report runs a reverse sweep each


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is not shown: how many of what."""

    count: int
    what: str  # "operation", "line", "run"

    def __str__(self) -> str:
        return f"… {self.count} more {self.what}{'s' if self.count != 1 else ''}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers: its heading, and a key ("value", "adjoint", "tangent:x") to find it by."""

    kind: str  # "value", "tangent", "adjoint"
    head: str
    seed: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.seed}" if self.seed else self.kind

    def of(self, row: Row) -> Number | None:
        """What `row` has in this column; None where it has nothing. A tangent that is absent is an exact zero."""
        if self.kind == "tangent":
            return row.tangents.get(self.seed, 0.0)
        return row.value if self.kind == "value" else row.adjoint


@dataclass(frozen=True, slots=True)
class Run:
    """One time that a line ran, as far as it is shown."""

    number: int  # from 1
    items: tuple[Row | Gap, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A source line in the table. The last of `runs` is the last time the line ran; those before it are folded away."""

    number: int
    line: int | None
    code: str
    inputs: bool
    count: int  # how often the line ran
    runs: tuple[Run | Gap, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The lines of one source: the cell, an earlier cell, a module."""

    name: str
    groups: tuple[Group | Gap, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One output with its value and the derivative with respect to each input: (input, heading, derivative).

    The derivative of a large array is None: it has not been computed. `notes` says for each input of an array output
    where its Jacobian is found.
    """

    name: str
    shown: str  # its name, or the source text of a nameless expression
    value: Any
    derivatives: tuple[tuple[str, str, Any], ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, tuple[Flag, ...]] = field(default_factory=dict)  # by input, what is flagged of its derivative


@dataclass(frozen=True, slots=True)
class Table:
    """Everything that a renderer shows, already cut to size. `notes` says in words what was left out."""

    outcomes: tuple[Outcome, ...]
    flags: tuple[Flag, ...]
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    looped: bool  # whether some line ran more than once
    notes: tuple[str, ...]


def table(r: Result, *, max_rows: int = 60) -> Table:
    """The table of a result, of at most `max_rows` operations."""
    groups = line_groups(r.rows, r.sources)
    kept = _cut(groups, max(max_rows, 4))
    sections = []
    for key in _source_order(groups, r.sources):
        of_source = [group for group in groups if group.source == key and not group.inputs]
        sections.append(Section(_source_name(key, r.sources), tuple(_with_gaps(of_source, kept))))
    inputs = [kept[group.number] for group in groups if group.inputs and group.number in kept]
    if inputs:
        sections.insert(0, Section("", tuple(inputs)))
    seeds, notes = _seeds(r)
    if r.omitted:
        what = "operation comes" if r.omitted == 1 else "operations come"
        notes.append(f"{r.omitted} more {what} after these: in the result, but not listed.")
    if r.run.fixed:
        notes.insert(0, f"Fixed: {', '.join(f'{name} = {short(value)}' for name, value in r.run.fixed.items())}.")
    notes += _hows(r.rows)
    looped = any(isinstance(g, Group) and g.count > 1 for section in sections for g in section.groups)
    columns = _columns(r, seeds)
    return Table(outcomes(r), tuple(r.flags), columns, tuple(sections), looped, tuple(notes))


def _hows(rows: Sequence[Row]) -> list[str]:
    """How what the solvers gave is differentiated, one note for all rows of a kind."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        if row.how[1]:
            of.setdefault(row.how[1], []).append(row)
    found = []
    for how, mine in of.items():
        names = _some([row.name for row in mine])
        solvers = ", ".join(dict.fromkeys(row.expression.partition("(")[0] for row in mine))
        found.append(f"{names}: {solvers} {how}.")
    return found


def short(value: Any, length: int = 40) -> str:
    """A value that is no input, in one line.

    >>> short("rk4"), short(abs)
    ("'rk4'", 'abs')
    """
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    text = " ".join(repr(value).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def outcomes(r: Result) -> tuple[Outcome, ...]:
    """The outputs of a result with their derivatives."""
    several = len(r.outputs) != 1
    arrays = any(map(shape_of, r.value.values())) if several else bool(shape_of(r.value))
    found = []
    for name in r.outputs:
        value = r.value[name] if several else r.value
        shape = shape_of(value)
        symbol = output_symbol(r, name)
        shown = name if symbol else str(r.output_label)
        if shape and value.size > MAX_SWEEPS and r.mode != "forward":
            by_input = dict.fromkeys(r.inputs)
        else:
            by_input = r.jacobian if arrays else r.grad
            by_input = by_input[name] if several else by_input
            by_input = {x: float(d) if shape_of(d) == () else d for x, d in by_input.items()}
        derivatives = tuple((x, f"∂{symbol}/∂{x}", derivative) for x, derivative in by_input.items())
        marks = {x: mine for x in by_input if (mine := tuple(flag for flag in warnings(r.flags) if x in flag.inputs))}
        found.append(Outcome(name, shown, value, derivatives, _where(r, name, shape) if shape else {}, marks))
    return tuple(found)


def _where(r: Result, name: str, shape: tuple[int, ...]) -> dict[str, str]:
    """For each input where the Jacobian of an array output is, and how large."""
    jacobian = f"r.jacobian[{name!r}]" if len(r.outputs) != 1 else "r.jacobian"
    return {x: f"{jacobian}[{x!r}], shape {shape_text(shape + shape_of(v))}" for x, v in r.inputs.items()}


def output_symbol(r: Result, name: str) -> str:
    """The name to write in ∂z/∂x: "" for an expression without a name, which reads ∂/∂x."""
    label = getattr(r, "output_label", None)
    return "" if label and len(r.outputs) == 1 and label != name else name


def entries(t: Table, *, unfold: bool = False) -> Iterator[tuple[str, Group, Run, Row] | str]:
    """The table line by line: a heading or a gap as text, an operation with the group and run it belongs to."""
    for section in t.sections:
        if section.name and len([s for s in t.sections if s.name]) > 1:
            yield section.name
        for group in section.groups:
            if isinstance(group, Gap):
                yield str(group)
                continue
            for run in group.runs if unfold else group.runs[-1:]:
                if isinstance(run, Gap):
                    yield str(run)
                    continue
                for item in run.items:
                    yield str(item) if isinstance(item, Gap) else (section.name, group, run, item)


def partials(row: Row, rows: Sequence[Row], digits: int = 6) -> list[tuple[str, str]]:
    """The local partials of a row as (heading, number): [("∂v3/∂v1", "2")]. An operand used twice stands twice."""
    pairs = zip(row.parents, row.partials, strict=False)
    return [
        (f"∂{row.name}/∂{rows[parent].name}", brief(partial, digits))
        for parent, partial in pairs
        if partial is not None
    ]


def unfolded(row: Row, rows: Sequence[Row], digits: int = 6) -> list[tuple[str, str]]:
    """What stands under "local partials": the partials, and by how much a relative error here grows in the output."""
    condition = [] if row.condition is None else [("condition", brief(row.condition, CONDITION_DIGITS))]
    return partials(row, rows, digits) + condition


def flag_text(flag: Flag) -> str:
    """A flag in words, with its line."""
    return f"line {flag.line}: {flag.message}" if flag.line is not None else flag.message


def _seeds(r: Result) -> tuple[list[str], list[str]]:
    """The seeds whose tangents are shown, and in words what is left out.

    Where an input is an array of many entries, the adjoint says in one column what its tangents say in many. There may
    be thousands of seeds: none of them is named that is not shown or said.
    """
    if r.mode == "reverse":
        return [], []
    arrays = {name: value.size for name, value in r.inputs.items() if shape_of(value)}
    of_arrays = sum(arrays.values())
    count = len(r.inputs) - len(arrays) + of_arrays if arrays else len(r.seeds)
    wide = any(row.shape and row.op != "input" and not is_short(row.value) for row in r.rows)
    many = count > (MAX_WIDE if wide else MAX_ENTRIES) and any(row.adjoint is not None for row in r.rows)
    starts = tuple(f"{name}[" for name in arrays)
    hidden = many and of_arrays > 0
    known = computed_seeds(r) if arrays else r.seeds
    room = MAX_SEEDS
    if any(row.adjoint is not None and row.shape for row in r.rows):
        room = max(1, TANGENTS_WIDE // widest(row.value for row in r.rows))
    shown = [seed for seed in known if not (hidden and seed.startswith(starts))][:room]
    notes = []
    if hidden:
        which = f"{of_arrays} seed{'s' if of_arrays != 1 else ''}, the entries of {_some(list(arrays))}"
        notes.append(f"Tangents of {which}, are not shown: the adjoint has the derivative for each of them.")
    left = count - len(shown) - (of_arrays if hidden else 0)
    if left:
        every = _seed_names(r, arrays=not hidden) if arrays else r.seeds
        names = (seed for seed in every if seed not in shown)
        some = _some(list(islice(names, SEEDS_NAMED + 1)))
        end = "" if some.endswith("…") else "."
        notes.append(f"Tangents of {left} more seed{'s' if left != 1 else ''} are not shown: {some}{end}")
    return shown, notes


def widest(values: Iterable[Any]) -> int:
    """How many characters the widest of these numbers and arrays takes in a column, roughly.

    >>> widest([1.5])
    7
    """
    return max(map(_width, values), default=7)


def _width(x: Any) -> int:
    if not shape_of(x):
        return 7
    if is_small(x):  # its entries
        return 9 * x.shape[-1] if x.ndim > 1 else 8
    return 15  # heat strip and norm


def _seed_names(r: Result, *, arrays: bool) -> Iterator[str]:
    """The seeds in order, one at a time; without `arrays` those of numbers alone."""
    for name, value in r.inputs.items():
        if not shape_of(value):
            yield name
        elif arrays:
            yield from (f"{name}[{', '.join(map(str, place))}]" for place in product(*map(range, value.shape)))


def computed_seeds(r: Result) -> list[str]:
    """The seeds of which there are tangents: for large inputs not all, and one that is missing is no zero."""
    return list(dict.fromkeys(seed for row in r.rows if row.op == "input" for seed in row.tangents))


def _columns(r: Result, seeds: Sequence[str]) -> tuple[Column, ...]:
    columns = [Column("value", "value")]
    if r.mode != "reverse":
        columns += [Column("tangent", f"∂v/∂{seed}", seed) for seed in seeds]
    if any(row.adjoint is not None for row in r.rows):  # none in forward mode, nor for several outputs at once
        symbol = output_symbol(r, r.outputs[0]) if len(r.outputs) == 1 else ""
        columns.append(Column("adjoint", f"v̄ = ∂{symbol}/∂v" if symbol else "v̄"))
    return tuple(columns)


def _cut(groups: Sequence[LineGroup], max_rows: int) -> dict[int, Group]:
    """The groups that are shown, by number: of each line its last run first, then earlier runs as far as there is room.

    The line of the last operation is always kept, and the end of the program before its middle: the output is there.
    """
    room = max_rows
    kept: dict[int, LineGroup] = {}
    last = {group.number: _shorten(group.runs[-1], max_rows // 2) for group in groups}
    size = {place: _length(items) for place, items in last.items()}
    if sum(size.values()) <= max_rows:
        kept = {group.number: group for group in groups}
        room -= sum(size.values())
    else:
        output = max(groups, key=lambda group: group.runs[-1][-1].index)
        kept[output.number] = output
        room -= size[output.number]
        for part, left in ((reversed(groups), room // 2), (groups, max_rows)):
            for group in part:
                if group.number in kept:
                    continue
                if size[group.number] > min(left, room):
                    break
                kept[group.number] = group
                left -= size[group.number]
                room -= size[group.number]
    loops = [place for place, group in kept.items() if len(group.runs) > 1]
    shown = {}
    for place, group in sorted(kept.items()):
        earlier: list[Run | Gap] = []
        count = len(group.runs)
        if count > 1:
            share = room // len(loops)
            loops.remove(place)
            for done, rows in enumerate(group.runs[:-1]):
                if len(rows) > share:
                    earlier.append(Gap(count - 1 - done, "run"))
                    break
                earlier.append(Run(done + 1, tuple(rows)))
                share -= len(rows)
                room -= len(rows)
        runs = (*earlier, Run(count, last[place]))
        shown[place] = Group(place, group.line, group.code, group.inputs, count, runs)
    return shown


def _shorten(rows: Sequence[Row], limit: int) -> tuple[Row | Gap, ...]:
    if len(rows) <= limit:
        return tuple(rows)
    tail = max(limit // 2, 1)
    head = limit - tail
    return (*rows[:head], Gap(len(rows) - limit, "operation"), *rows[len(rows) - tail :])


def _length(items: Iterable[Row | Gap]) -> int:
    return sum(isinstance(item, Row) for item in items)


def _with_gaps(groups: Sequence[LineGroup], kept: Mapping[int, Group]) -> Iterator[Group | Gap]:
    missing = 0
    for group in groups:
        if group.number not in kept:
            missing += 1
            continue
        if missing:
            yield Gap(missing, "line")
        missing = 0
        yield kept[group.number]
    if missing:
        yield Gap(missing, "line")


def _source_order(groups: Iterable[LineGroup], sources: Mapping[str, Source]) -> list[str | None]:
    """The sources that have operations: the cell first, the others in order of first execution."""
    found = list(dict.fromkeys(group.source for group in groups if not group.inputs))
    cell = next(iter(sources), None)
    return sorted(found, key=lambda key: key != cell)


def _source_name(key: str | None, sources: Mapping[str, Source]) -> str:
    return sources[key].name if key is not None and key in sources else (key or "elsewhere")


def _some(names: Sequence[str], limit: int = SEEDS_NAMED) -> str:
    return ", ".join(names[:limit]) + (", …" if len(names) > limit else "")
