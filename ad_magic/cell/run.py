"""Running a cell under the engine's numbers. What it leaves is a Run: plain data, all that the views are made from."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, cast

from ad_magic.engine.active import Active, LostDerivative, primal, refuse_left
from ad_magic.engine.complexes import Complex
from ad_magic.engine.decisions import TEXTS
from ad_magic.engine.dual import Directions, Dual
from ad_magic.engine.errors import as_told
from ad_magic.engine.standins import plain_in, standing_in
from ad_magic.engine.tape import LOCATED, Columns, Tape, mark_unused
from ad_magic.engine.traced import Traced
from ad_magic.engine.words import kind_of

from .errors import CellError
from .names import find_inputs, last_assigned, line_of_value, names_read
from .progress import Say, progress
from .source import Place, lines_of, only_printed, operands_at, place_of, title_of

DIRECTIONS = 4096  # so many tangents a run in forward mode carries along


@dataclass(frozen=True)
class Output:
    """A value that is differentiated: a number, or numbers in (nested) lists, tuples or an array."""

    name: str
    value: Any  # float, or a float array
    rows: Any  # the row of a number or an array; for a list, nested lists of rows; None where it is constant
    tangents: Any = None  # forward runs: a tuple with one tangent for each seed; for an array that of each entry

    @property
    def scalar(self) -> bool:
        """Whether it is one number."""
        return not hasattr(self.value, "shape")

    @property
    def parts(self) -> list[int]:
        """The rows that it is made of."""
        return [row for row in _flatten(self.rows) if row is not None and row >= 0]

    def seeds(self) -> list[tuple[int | None, tuple[int, ...]]]:
        """For each entry in order its row and its position there, () for a number."""
        if self.scalar or isinstance(self.rows, list):
            return [(row, ()) for row in _flatten(self.rows)]
        import numpy as np

        return [(self.rows, position) for position in np.ndindex(self.value.shape)]

    def flat(self) -> list[tuple[float, int | None, Any]]:
        """(value, row, tangents) of each entry, in order."""
        rows = [row for row, _ in self.seeds()]
        tangents = _flatten(self.tangents, leaf=tuple) if self.tangents is not None else [None] * len(rows)
        return list(zip(_flatten(self.value), rows, tangents, strict=True))


@dataclass(frozen=True)
class Run:
    """One run of a program: plain data."""

    mode: str  # both, forward, reverse
    inputs: dict[str, Any]  # name -> plain value, a float or a float array
    rows: dict[str, int]  # name of an input -> its row
    outputs: list[Output]
    tape: Columns
    file: str | None = None  # the source that was run
    cells: dict[str, int] = field(default_factory=dict)  # file name of a cell -> its execution count
    label: str | None = None  # the source of a trailing expression that has no name
    title: str = "this cell"  # what to call the source
    part: tuple[int, int] | None = None  # the lines of it that were run: those of a function in a file
    fixed: Mapping[str, Any] = field(default_factory=dict)  # what the program was given besides its inputs
    cache: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # what was made from the run

    @cached_property
    def seeds(self) -> list[tuple[str, tuple[int, ...], int]]:
        """(input, position in it, row) of each entry of each input: there may be very many."""
        return [seed for name in self.rows for seed in self.seeds_of(name)]

    def seeds_of(self, name: str) -> Iterator[tuple[str, tuple[int, ...], int]]:
        """The seeds of one input, one at a time."""
        positions = itertools.product(*map(range, getattr(self.inputs[name], "shape", ())))
        return ((name, position, self.rows[name]) for position in positions)

    def place(self, row: int) -> Place | None:
        """Where a row of the tape stands in the source, where that was recorded."""
        code = self.tape.codes[row] if 0 <= row < len(self.tape.codes) else None
        return place_of(code, self.tape.instructions[row]) if code is not None else None

    def lines(self, file: str) -> tuple[str, ...]:
        """The lines of a source."""
        return lines_of(file)

    def line_of(self, row: int) -> int | None:
        """The line of the cell on which a row stands; None elsewhere."""
        place = self.place(row)
        return place.line if place is not None and place.file == self.file else None

    def operands(self, row: int) -> tuple[str, ...]:
        """The operands of a row as they are written: ("X", "w") for `X @ w`; () where that is not known."""
        place = self.place(row)
        return operands_at(place) if place is not None else ()

    def line_text(self, row: int) -> str:
        """The line on which a row stands, as "line 2: y = x**2"; empty where that is not known."""
        place = self.place(row)
        if place is None:
            return ""
        lines = lines_of(place.file)
        home = "" if place.file == self.file else f"{title_of(place.file, self.cells)}, "
        return f"{home}line {place.line}: {lines[place.line - 1].strip() if place.line <= len(lines) else ''}"

    @cached_property
    def only_shown(self) -> frozenset[int]:
        """The rows where a text is made of a number and printed: the program does not depend on it."""
        rows = [i for i, op in enumerate(self.tape.ops) if op.decision and op.name in TEXTS]
        return frozenset(i for i in rows if (place := self.place(i)) is not None and only_printed(place))

    @property
    def seed_count(self) -> int:
        """How many entries the inputs have."""
        return sum(getattr(self.inputs[name], "size", 1) for name in self.rows)


@dataclass(frozen=True)
class Home:
    """Where the source stands that a program is shown by: a cell's own, or that of the function that it calls."""

    file: str
    title: str = "this cell"
    part: tuple[int, int] | None = None  # its lines in the file; None for all
    fixed: Mapping[str, Any] = field(default_factory=dict)  # what a function was given that is no input


@dataclass
class Program:
    """A cell, compiled: the statements, and the trailing expression where there is one."""

    tree: ast.Module
    file: str
    body: CodeType
    last: CodeType | None
    last_text: str | None
    cells: dict[str, int] = field(default_factory=dict)
    home: Home | None = None  # None for a cell
    outputs: Callable[[Any], list[tuple[str, Any]]] | None = None  # of a call: what it gives, by name

    @property
    def whole(self) -> CodeType:
        """All of it as one code object, to look at."""
        return compile(self.tree, self.file, "exec")


def compile_cell(
    tree: ast.Module, source: str, file: str, cells: dict[str, int] | None = None, flags: int = 0
) -> Program:
    """A cell from its syntax tree; `file` is the name under which tracebacks find the source, `flags` for compile()."""
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = ast.Module(tree.body[:-1] if last else tree.body, [])
    code = compile(body, file, "exec", flags=flags, dont_inherit=True)
    if last is None:
        return Program(tree, file, code, None, None, cells or {})
    expression = compile(ast.Expression(last.value), file, "eval", flags=flags, dont_inherit=True)
    return Program(tree, file, code, expression, ast.get_source_segment(source, last.value), cells or {})


def run_program(
    program: Program,
    namespace: dict[str, Any],
    given: Mapping[str, Any],
    *,
    of: Sequence[str] = (),
    mode: str = "both",
    skip: Any = (),
    say: Say | None = None,
) -> tuple[Run, Any]:
    """Run a cell once, with its inputs as active numbers.

    `given` maps each named input to its value, or to None where the namespace has it; without any, the inputs are the
    floats and float arrays that the cell reads. `of` names the outputs. Returns the Run and the plain value of the
    trailing expression. What the cell raises propagates, its traceback without our frames; the namespace then holds
    plain numbers all the same. `say` is told how far a long run is. Raises CellError for an input or an output that is
    none.
    """
    __tracebackhide__ = True
    inputs = read_inputs(program, namespace, given)
    before = {name: namespace[name] for name in inputs if name in namespace}
    forward = mode == "forward"
    directions = sum(getattr(value, "size", 1) for value in inputs.values()) if forward else 1
    if directions > DIRECTIONS:
        raise CellError(
            f"forward mode carries one tangent for each entry of the inputs, and these have {directions:,}; "
            "use --mode reverse"
        )
    tape = Tape(located=LOCATED, limit=LOCATED if forward else None, forward=forward, directions=directions)
    own = {name: before.get(name) if given.get(name) is None else given[name] for name in inputs}
    numbers = make_active(inputs, tape, own, forward=forward)
    rows = {name: number.index for name, number in numbers.items()}
    value: Any = None
    outputs: list[Output] = []
    with progress(tape, say), standing_in(namespace, program.tree, skip) as guard:
        namespace.update(numbers)
        try:
            exec(program.body, namespace)
            if program.last is not None:
                value = eval(program.last, namespace)
            outputs = [_output_of(program, name, v, tape) for name, v in choose_outputs(program, namespace, value, of)]
        except BaseException as error:
            told = as_told(error)
            if told is not error:
                raise told from None
            raise
        finally:
            guard.open = False
            columns = tape.close()  # its numbers are plain values from here on; leaving the block takes them out
            for name, number in numbers.items():  # an input that was not assigned keeps the object it had
                if namespace.get(name) is number:
                    namespace[name] = _as_it_was(number, given.get(name), before.get(name, inputs[name]))
    if tape.left_behind is not None:
        for output in outputs:
            _refuse_left(tape, columns, output)
    mark_unused(columns, (row for output in outputs for row, _ in output.seeds()))
    label = program.last_text if outputs and outputs[0].name == "out" and program.outputs is None else None
    home = program.home or Home(program.file)
    about = (home.file, program.cells, label, home.title, home.part, home.fixed)
    return Run(mode, inputs, rows, outputs, columns, *about), plain_in(value)


def _refuse_left(tape: Tape, columns: Columns, output: Output) -> None:
    """Raises LostDerivative where an output is computed with a number that a solver's function has left."""
    __tracebackhide__ = True
    from ad_magic.engine.left import refuse_left_rows

    try:
        refuse_left_rows(columns, output.parts)
        for tangents in _flatten(output.tangents, leaf=tuple) if output.tangents is not None else ():
            refuse_left(tape, tangents)  # of a long forward run not all rows are kept
    except LostDerivative as error:
        raise error.with_traceback(None) from None


def read_inputs(program: Program, namespace: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs by name, as floats or float arrays (ints are promoted)."""
    names = list(given) or find_inputs(program.whole, namespace)
    if not names:
        raise CellError(_no_inputs(program, namespace))
    inputs = {}
    for name in names:
        value = given.get(name)
        if value is None:
            if name not in namespace:
                raise CellError(f"{name!r} has no value: give it one ({name}=1.5), or assign it in an earlier cell")
            value = namespace[name]
        inputs[name] = _as_input(name, value)
    return inputs


def _no_inputs(program: Program, namespace: dict[str, Any]) -> str:
    whole = [n for n in names_read(program.whole) if type(namespace.get(n)) is int]
    if whole:
        return f"no inputs: the cell reads no float, only the int {whole[0]}. Named, it is one: %%grad {whole[0]}"
    return "no inputs: the cell reads no float. Name them and give values: %%grad x=1.5 y=2"


def _as_input(name: str, given: Any) -> Any:
    value: Any = primal(given)
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise CellError(f"input {name!r} is a whole number beyond the largest float, 1.8e308") from None
    dtype = getattr(value, "dtype", None)
    if dtype is not None and dtype.kind in "fiu":
        return value.astype(float) if value.ndim else float(value)
    what = "complex" if isinstance(value, complex) else _kind_in_words(value)
    hint = ": put np.array(…) around it" if isinstance(value, (list, tuple)) else ""
    raise CellError(f"input {name!r} is {what}; an input must be a real number or an array of real numbers{hint}")


def _kind_in_words(value: Any) -> str:
    """What a value is that can be no input and no output: "a str", "an array of complex numbers"."""
    dtype = getattr(value, "dtype", None)
    if dtype is None or not isinstance(value, _arrays()):
        return kind_of(value)
    kinds = {"c": "complex numbers", "b": "truth values", "O": "objects", "U": "texts", "S": "bytes"}
    return f"an array of {kinds.get(dtype.kind, dtype)}"


def make_active(inputs: Mapping[str, Any], tape: Tape, own: Mapping[str, Any], *, forward: bool) -> dict[str, Any]:
    """The inputs as active numbers and arrays of a run. In forward mode each entry of them is one direction.

    `own` are the user's own objects: an array input stands in the memory of his array.
    """
    numbers: dict[str, Any] = {}
    first = 0  # the direction of the first entry
    for name, value in inputs.items():
        if hasattr(value, "shape"):
            from ad_magic.engine.arrays.array import array_input

            kept: Any = own.get(name)
            same = type(kept).__name__ == "ndarray" and kept.shape == value.shape
            numbers[name] = array_input(tape, kept if same else value, first)
        elif forward:
            along = [float(k == first) for k in range(tape.directions)]
            numbers[name] = Dual.input(tape, value, Directions(along) if len(along) > 1 else 1.0)
        else:
            numbers[name] = Traced.input(tape, value)
        first += getattr(value, "size", 1)
    return numbers


def _as_it_was(number: Any, given: Any, before: Any) -> Any:
    """The object that an input was before the run; an array that the program wrote to holds what it wrote."""
    value = given if given is not None else before
    if not hasattr(number, "place"):
        return value
    from ad_magic.engine.arrays.array import written_to

    return written_to(number, value)


def choose_outputs(program: Program, namespace: dict[str, Any], value: Any, of: Sequence[str]) -> list[tuple[str, Any]]:
    """What is differentiated: the names given, else the trailing expression, else the variable assigned last."""
    if program.outputs is not None:
        return program.outputs(value)
    if of:
        missing = [name for name in of if name not in namespace]
        if missing:
            raise CellError(f"the cell leaves no variable {missing[0]!r} to differentiate (--of {','.join(of)})")
        return [(name, namespace[name]) for name in of]
    if value is not None and (is_numeric(value) or last_assigned(program.tree) is None):
        text = program.last_text or "out"
        return [(text if text.isidentifier() else "out", value)]
    name = last_assigned(program.tree)
    if name is None:
        raise CellError("nothing to differentiate: end the cell with an expression, or assign a variable")
    if name not in namespace:
        raise CellError(f"{name!r} has no value after the cell; name the output with --of NAME")
    return [(name, namespace[name])]


def as_array(value: Any) -> Any:
    """A value as an array, active or plain, where it is one or a list with arrays in it; else None.

    Lists of numbers stay lists: each has a row of its own.
    """
    if isinstance(value, (list, tuple)) and any(isinstance(x, (list, tuple)) or hasattr(x, "ndim") for x in value):
        from ad_magic.engine.arrays.constructors import array

        try:
            made = array(value)
        except ValueError:
            return None
        return made if hasattr(made, "place") else None
    if type(value).__name__ == "Buffer" or type(value).__name__ == "ndarray" or hasattr(value, "place"):
        from ad_magic.engine.arrays.array import latest

        return latest(value)
    return None


def _whole(value: Any) -> Any:
    return value.astype(float) if value.ndim else float(value)


def _tangents(value: Any) -> Any:
    """The tangents of an array, for each entry a tuple with one for each seed; as nested lists."""
    if value.tangent is None:
        return None

    def each(t: Any) -> Any:
        return tuple(t.tolist()) if t.ndim == 1 else [each(x) for x in t]

    import numpy as np

    return each(np.moveaxis(np.asarray(value.tangent), 0, -1))


def is_numeric(value: Any) -> bool:
    """Whether a value can be differentiated: a real number, or a non-empty list, tuple or array of such."""
    if hasattr(value, "dtype") and hasattr(value, "ndim") and isinstance(value, _arrays()):
        value = cast(Any, value)
        return value.dtype.kind in "fiu" or (value.dtype == object and all(is_numeric(x) for x in value.flat))
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and all(map(is_numeric, value))
    if type(value) in Active.types or getattr(getattr(value, "dtype", None), "kind", "") in ("f", "i", "u"):
        return True
    return isinstance(value, (float, int)) and not isinstance(value, complex)


def _arrays() -> type:
    import numpy as np

    return np.ndarray


def _output_of(program: Program, name: str, value: Any, tape: Tape) -> Output:
    """An output, or an error with the line on which it gets its value."""
    try:
        return read_output(name, value, tape)
    except CellError as error:
        line = line_of_value(program.tree, None if name == "out" and program.last is not None else name)
        raise CellError(f"line {line}: {error}" if line is not None else str(error)) from None


def read_output(name: str, value: Any, tape: Tape) -> Output:
    """An output: its plain value, and which rows it is made of."""
    what = f"the output {name!r}" if name != "out" else "the value of the last expression"
    it = name if name != "out" else "(…)"
    parts = f"differentiate its parts: {it}.real, {it}.imag or abs({it if name != 'out' else '…'})"
    if type(value) is Complex or isinstance(value, complex):
        raise CellError(f"{what} is complex; {parts}")
    if value is None:
        raise CellError(f"{what} is None, not a number (a function without return, or a branch not taken?)")
    if not is_numeric(value):
        if getattr(getattr(value, "dtype", None), "kind", "") == "c":
            raise CellError(f"{what} is {_kind_in_words(value)}; {parts}")
        raise CellError(f"{what} is {_kind_in_words(value)}, not a number or an array of numbers")
    array = as_array(value)
    if array is not None:
        value = array
        if hasattr(value, "place"):
            return Output(name, _whole(value.value), value.index if value.tape is tape else None, _tangents(value))
        return Output(name, value.astype(float) if value.ndim else float(value), None)
    if not isinstance(value, (list, tuple)):
        return Output(name, float(primal(value)), _row(value, tape), _tangent(value, tape))

    def each(function: Callable[[Any], Any], x: Any) -> Any:
        return [each(function, y) for y in x] if isinstance(x, (list, tuple)) else function(x)

    import numpy as np

    try:
        plain = np.array(each(lambda x: float(primal(x)), value))
    except ValueError:
        raise CellError(f"{what} is a ragged list: its rows have different lengths") from None
    return Output(name, plain, each(lambda x: _row(x, tape), value), each(lambda x: _tangent(x, tape), value))


def _row(value: Any, tape: Tape) -> int | None:
    return value.index if type(value) in Active.types and value.tape is tape else None


def _tangent(value: Any, tape: Tape) -> tuple[float, ...] | None:
    if type(value) is not Dual or value.tape is not tape:
        return None
    return tuple(value.tangent) if type(value.tangent) is Directions else (value.tangent,)


def _flatten(value: Any, leaf: type | None = None) -> list[Any]:
    if type(value).__name__ == "ndarray":
        return value.ravel().tolist()
    if isinstance(value, list):
        return [x for y in value for x in _flatten(y, leaf)]
    return [value]
