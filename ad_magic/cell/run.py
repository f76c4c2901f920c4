"""Running a cell under the engine's numbers. What it leaves is a Run: plain data, all that the views are made from."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, TracebackType
from typing import Any, cast

from ad_magic.engine.active import LAST_LOST, Active, LostDerivative, function_in_words, primal
from ad_magic.engine.complexes import Complex
from ad_magic.engine.decisions import TEXTS
from ad_magic.engine.dual import Directions, Dual
from ad_magic.engine.standins import plain_in, standing_in
from ad_magic.engine.tape import LOCATED, Columns, Tape, is_ours
from ad_magic.engine.traced import Traced
from ad_magic.engine.users import in_library

from .names import find_inputs, last_assigned
from .source import Place, lines_of, only_printed, operands_at, place_of, title_of

DIRECTIONS = 4096  # so many tangents a run in forward mode carries along


class CellError(ValueError):
    """What a user did wrong in asking, in one sentence; the magics show it as one line."""


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


@dataclass
class Program:
    """A cell, compiled: the statements, and the trailing expression where there is one."""

    tree: ast.Module
    file: str
    body: CodeType
    last: CodeType | None
    last_text: str | None
    cells: dict[str, int] = field(default_factory=dict)

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
) -> tuple[Run, Any]:
    """Run a cell once, with its inputs as active numbers.

    `given` maps each named input to its value, or to None where the namespace has it; without any, the inputs are the
    floats and float arrays that the cell reads. `of` names the outputs. Returns the Run and the plain value of the
    trailing expression. What the cell raises propagates, its traceback without our frames; the namespace then holds
    plain numbers all the same. Raises CellError for an input or an output that is none.
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
    with standing_in(namespace, program.tree, skip):
        namespace.update(numbers)
        try:
            exec(program.body, namespace)
            if program.last is not None:
                value = eval(program.last, namespace)
            outputs = [read_output(name, v, tape) for name, v in choose_outputs(program, namespace, value, of)]
        except BaseException as error:
            trace = without_our_frames(error.__traceback__)
            lost = _hidden_loss(error, trace) or _library_loss(error, trace)
            if lost is not None:
                raise lost.with_traceback(trace) from None
            error.with_traceback(trace)
            chained = error.__cause__ or error.__context__
            while chained is not None:  # what was raised while an error was handled, and so on
                chained.with_traceback(without_our_frames(chained.__traceback__))
                chained = chained.__cause__ or chained.__context__
            raise
        finally:
            columns = tape.close()  # its numbers are plain values from here on; leaving the block takes them out
            for name, number in numbers.items():  # an input that was not assigned keeps the object it had
                if namespace.get(name) is number:
                    namespace[name] = _as_it_was(number, given.get(name), before.get(name, inputs[name]))
    label = program.last_text if outputs and outputs[0].name == "out" else None
    run = Run(mode, inputs, rows, outputs, columns, program.file, program.cells, label)
    return run, plain_in(value)


def read_inputs(program: Program, namespace: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs by name, as floats or float arrays (ints are promoted)."""
    names = list(given) or find_inputs(program.whole, namespace)
    if not names:
        raise CellError("no inputs: the cell reads no float. Name them and give values: %%grad x=1.5 y=2")
    inputs = {}
    for name in names:
        value = given.get(name)
        if value is None:
            if name not in namespace:
                raise CellError(f"{name!r} has no value: give it one ({name}=1.5), or assign it in an earlier cell")
            value = namespace[name]
        inputs[name] = _as_input(name, value)
    return inputs


def _as_input(name: str, given: Any) -> Any:
    value: Any = primal(given)
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        return float(value)
    dtype = getattr(value, "dtype", None)
    if dtype is not None and dtype.kind in "fiu":
        return value.astype(float) if value.ndim else float(value)
    what = "complex" if isinstance(value, complex) else _kind_in_words(value)
    raise CellError(f"input {name!r} is {what}; an input must be a real number or an array of real numbers")


def _kind_in_words(value: Any) -> str:
    """What a value is that can be no input and no output: "a str", "an array of complex numbers"."""
    dtype = getattr(value, "dtype", None)
    if dtype is None or not isinstance(value, _arrays()):
        return f"a {type(value).__name__}"
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


def read_output(name: str, value: Any, tape: Tape) -> Output:
    """An output: its plain value, and which rows it is made of."""
    if type(value) is Complex or isinstance(value, complex):
        raise CellError(
            f"the output {name!r} is complex; differentiate its parts: {name}.real, {name}.imag or abs({name})"
        )
    if value is None:
        raise CellError(
            f"the output {name!r} is None, not a number (a function without return, or a branch not taken?)"
        )
    if not is_numeric(value):
        if getattr(getattr(value, "dtype", None), "kind", "") == "c":
            parts = f"{name}.real, {name}.imag or abs({name})"
            raise CellError(f"the output {name!r} is {_kind_in_words(value)}; differentiate its parts: {parts}")
        raise CellError(f"the output {name!r} is {_kind_in_words(value)}, not a number or an array of numbers")
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
        raise CellError(f"the output {name!r} is a ragged list: its rows have different lengths") from None
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


_DRAW = (
    "a random draw takes plain numbers, and that would cut the derivative. Draw first and shape it then: "
    "mean + width * rng.standard_normal(n), low + (high - low) * rng.random(n)"
)


def _hidden_loss(error: BaseException, trace: TracebackType | None) -> LostDerivative | None:
    """The LostDerivative that a C function turned into an error of its own (`required argument is not a float`)."""
    code, instruction, lost = LAST_LOST
    LAST_LOST[:] = None, None, None
    while trace is not None:
        rest = trace.tb_next
        asked = (trace.tb_frame.f_code, trace.tb_lasti) == (code, instruction) or isinstance(error, LostDerivative)
        if rest is not None and asked and _module_of(rest).startswith("numpy.random"):  # Cython shows its own lines
            return LostDerivative(f"line {trace.tb_lineno}: {_DRAW}")
        if rest is None:
            return lost if asked and not isinstance(error, LostDerivative) else None
        trace = rest
    return None


def _module_of(trace: TracebackType) -> str:
    return str(trace.tb_frame.f_globals.get("__name__", ""))


def _library_loss(error: BaseException, trace: TracebackType | None) -> LostDerivative | None:
    """A library's own error about an active number or array that it was given, as a sentence that says so."""
    if type(error) not in (TypeError, AttributeError):
        return None
    users: TracebackType | None = None
    inner: TracebackType | None = None
    while trace is not None:
        if not in_library(trace.tb_frame.f_code.co_filename):
            users, inner = trace, None
        elif inner is None:
            inner = trace
        trace = trace.tb_next
    if users is None or inner is None:
        return None
    frame = inner.tb_frame
    held = [x for local in frame.f_locals.values() for x in (local if isinstance(local, tuple) else (local,))]
    if not any(type(x) in Active.types or type(x).__name__ == "Array" for x in held):
        return None
    name = function_in_words(frame)
    said = str(error).partition("\n")[0].replace("a 'Array' object", "an active array")
    return LostDerivative(
        f"line {users.tb_lineno}: {name} has no derivative rule, and cannot take a number or an array whose derivative "
        f"is computed ({type(error).__name__}: {said}). Write ad_magic.primal(x) where only the value matters"
    )


def without_our_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback with only the frames of the user and of libraries."""
    kept = []
    while trace is not None:
        if not is_ours(trace.tb_frame.f_code):
            kept.append(trace)
        trace = trace.tb_next
    following: TracebackType | None = None
    for one in reversed(kept):
        one.tb_next = following
        following = one
    return following
