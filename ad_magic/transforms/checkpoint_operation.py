"""The row of a call that is not stored (see `checkpoints`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.arrays.adjoints import absent, bare_value, reduced, shape_of, spread
from ad_magic.engine.arrays.array import operand, split, youngest
from ad_magic.engine.arrays.compose import ComposedOperation, as_input
from ad_magic.engine.arrays.moves import Hole
from ad_magic.engine.arrays.pairs import PairOperation
from ad_magic.engine.arrays.perform import carried_out
from ad_magic.engine.arrays.texts import text_of
from ad_magic.engine.complexes import Complex
from ad_magic.engine.costs import Work, work
from ad_magic.engine.frames import user_frame
from ad_magic.engine.lifting import Name
from ad_magic.engine.operation import Operation
from ad_magic.engine.plans import call, plan_for
from ad_magic.engine.state import is_number
from ad_magic.engine.tape import Columns, Tape, reverse_sweep
from ad_magic.engine.words import kind_of, name_of
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from . import trees
from .linear import dual, value_and_tangent
from .pairs import copied, refuse_others
from .snapshot import Snapshot, filled, leaves_a_number, shut, standing
from .values import is_active, is_result, plain, read

_RULE = ArrayRule("checkpoint", lambda *_: None, (), (), lambda *_: None)
_SAME = 1e-9  # relative error that is allowed between what a function has given and what it gives again


def called(f: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What f gives; as one row where numbers of a run in reverse mode go in."""
    snapshot = Snapshot()
    root = tuple(snapshot.run_object(x) for x in (f, args))
    for name in options:
        snapshot._item(options, name)
        snapshot._drain()
    tape = youngest(snapshot.originals)
    if tape is None or tape.forward:
        snapshot.forget()
        return f(*args, **options)
    op = CheckpointOperation(snapshot, root, options)
    operands, items = snapshot.originals, snapshot.items
    arrays = [x for x in snapshot.alive if isinstance(x, np.ndarray) and x.flags.writeable]
    snapshot.forget()
    values, columns, _ = split(operands, tape)
    with shut(arrays):
        z = op.value(*values)
    if any(is_number(item) for held in items for item in held.came()):
        raise leaves_a_number(op.told)
    found = carried_out(tape, op, operands, values, columns, z)
    if not op.several:
        if type(z) is float:  # NumPy's own, of the row: to the program it is what the function gave
            found.value = float(found.value)
        return found
    return trees.rebuilt(op.like, found, is_result)


class CheckpointOperation(PairOperation):
    """One call of a function that is run again when its derivative is asked for.

    `root` are the function and its arguments, `places` the variables that it reads, both with holes for the operands.
    """

    __slots__ = ("given", "like", "place", "places", "root", "several", "shown", "told")

    def __init__(self, snapshot: Snapshot, root: Any, options: dict[str, Any]) -> None:
        self.told = name_of(root[0])  # in a sentence; in a formula a function without a name is f
        name = self.told if self.told.isidentifier() else "f"
        Operation.__init__(self, name, _RULE, (True,) * len(snapshot.originals))
        self.options = {}
        self.places, self.root, self.given = snapshot.places, root, options
        self.like, self.several = None, False
        self.place = place_in_words(user_frame())
        args = [_shown(x, snapshot) for x in root[1]]
        self.shown = args, {key: _shown(snapshot._replace(x), snapshot) for key, x in options.items()}

    def expression(self, *operands: str, written: Sequence[str] = ()) -> str:
        """The call as a person writes it: "block(v1, v3)"."""
        args, options = self.shown
        texts = [text_of(x, operands) for x in args] + [f"{key}={text_of(x, operands)}" for key, x in options.items()]
        return f"{self.name}({', '.join(texts)})"

    # ---- running the function ----

    def _run(self, operands: Sequence[Any], run: Callable[[Any, Any, Any], Any]) -> Any:
        """`run(f, args, options)` with these operands where the numbers of the call were."""
        with standing(self.places, lambda x: filled(x, operands)) as changed:
            f, args = filled(self.root, operands)
            result = run(f, args, self.given)
            if run is _plainly and any(is_number(place.get()) for place in changed()):
                raise leaves_a_number(self.told)
            return result

    def value(self, *operands: Any) -> Any:
        """What the function gives: of plain numbers plain ones, else a row of the run of the youngest."""
        tape = youngest(operands)
        if tape is None or tape.forward:
            given = [_read_only(x) for x in operands]
            try:
                if tape is None:
                    result = self._run(given, _plainly)
                else:  # nothing is stored; perhaps no run is open that has put the stand-ins in place
                    result = self._run(given, _as_a_program)
            except ValueError as error:
                if "read-only" not in str(error):
                    raise
                raise LostDerivative(
                    f"{place_in_words(user_frame())}: {self.told} writes into an array that it was given or reads; in "
                    "a checkpoint it writes into one of its own"
                ) from None
            return self._kept(result, tape is None)
        values, columns, active = split(operands, tape)
        op = copied(self, active)
        z = op.value(*values)
        self.like, self.several = op.like, op.several
        return carried_out(tape, op, operands, values, columns, z)

    def _kept(self, result: Any, plain_operands: bool) -> Any:
        refuse_others(self.told, result)
        found = [read(x) for x in trees.leaves(result, is_result)]
        if not found:
            raise TypeError(f"{self.told} returned {kind_of(result)} without a number or an array in it")
        if plain_operands and any(map(is_active, found)):
            raise LostDerivative(
                f"{self.place}: it cannot be seen where {self.told} has a number from that depends on an input; give "
                "it as an argument"
            )
        if self.like is None:
            self.like, self.several = trees.rebuilt(result, map(plain_like, found), is_result), not is_result(result)
        return tuple(found) if self.several else found[0]

    def run_again(self, operands: Sequence[Any], z: Any = None) -> tuple[Columns, list[int], list[Any]]:
        """The operations at these operands: the recorded run, the rows of the operands, and (row, value) of each
        result. Raises ValueError where the results are not those of z."""
        nested = any(map(is_active, operands))
        tape = Tape(once=not nested and z is not None)
        variables = [as_input(tape, x) for x in operands]
        rows = [x.index for x in variables]

        def outputs(result: Any) -> list[tuple[int | None, Any]]:
            found = [read(x) for x in trees.leaves(result, is_result)]
            return [_output(operand(x) if type(x) is Complex else x, tape) for x in found]

        def run(f: Any, args: Any, options: Any) -> Any:
            return call(f, args, options, tape, outputs, plan_for(f, args, options))

        found, columns = self._run(variables, run)
        if z is not None:
            self._compare([value for _, value in found], z)
        return columns, rows, found

    def _compare(self, found: Sequence[Any], z: Any) -> None:
        before = z if self.several else (z,)
        if len(found) == len(before) and all(map(_is_same, found, before)):
            return
        raise ValueError(
            f"{self.place}: run again for its derivative, {self.told} gives something else than before; what it reads "
            "has changed since, or it uses random numbers. Give it what changes as an argument"
        )

    # ---- derivatives ----

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        operands = self.arguments(left, right, values)
        columns, rows, found = self.run_again(operands, z)
        start: dict[int, Any] = {}
        for (row, _), part in zip(found, g if self.several else (g,), strict=True):
            if row is not None and part is not None and not absent(part):
                start[row] = start[row] + part if row in start else part
        if not start:
            return
        inner = reverse_sweep(columns, start, inputs_only=not any(map(is_active, (*operands, *start.values()))))
        for i, on, row, x in zip(left, self.active, rows, operands, strict=True):
            if on and not absent(inner[row]):
                adjoints.add(i, reduced(inner[row], x))

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        operands = self.arguments(left, right, values)
        tape = Tape(limit=0, forward=True)
        duals = [
            dual(tape, x, spread(tangents[i], x) if on and not absent(tangents[i]) else _zero(x), 0)
            for i, on, x in zip(left, self.active, operands, strict=True)
        ]

        def outputs(result: Any) -> list[Any]:
            return [value_and_tangent(read(x), tape) for x in trees.leaves(result, is_result)]

        def run(f: Any, args: Any, options: Any) -> Any:
            return call(f, args, options, tape, outputs, plan_for(f, args, options))[0]

        found = self._run(duals, run)
        self._compare([value for value, _ in found], z)
        return tuple(t for _, t in found) if self.several else found[0][1]

    def value_complex(self, *operands: Any) -> Any:
        """The result at operands with tiny imaginary parts: by the operations, recorded at the real parts."""
        from ad_magic.engine.arrays.complexstep import replay_complex

        columns, rows, found = self.run_again([_real(x) for x in operands])
        again = replay_complex(columns, dict(zip(rows, operands, strict=True)))
        results = tuple(value if row is None else again[row] for row, value in found)
        return results if self.several else results[0]

    # ---- what others want to know of it ----

    def composed(self, operands: Sequence[Any]) -> ComposedOperation:
        """The same with its operations stored, at these plain operands."""
        columns, rows, found = self.run_again(operands)
        outputs = [(row, None if row is not None else value) for row, value in found]
        op = ComposedOperation(self.name, len(operands), columns, rows, outputs, list(operands))
        op.active, op.several, op.template = self.active, self.several, None
        return op

    def work(self, z: Any, operands: Sequence[Any], into: tuple[tuple[int, int], ...]) -> Work:
        """Its operations; a push and a pull carry them out once more."""
        columns, _, _ = self.run_again([bare_value(x) for x in operands])
        works = [work(columns, row) for row in range(len(columns))]
        value = max(1, sum(w.value for w in works))
        pull = sum(w.pull + sum(size for _, size in w.into if not w.moves) for w in works)
        return Work(value, value + sum(w.push for w in works), value + pull, into)

    def stored(self, operands: Sequence[Any]) -> Columns:
        """The operations as they would be stored."""
        return self.run_again([bare_value(x) for x in operands])[0]


def _plainly(f: Any, args: Any, options: Any) -> Any:
    return f(*args, **options)


def _as_a_program(f: Any, args: Any, options: Any) -> Any:
    return call(f, args, options, Tape(), lambda result: result, plan_for(f, args, options))[0]


def plain_like(x: Any) -> Any:
    """What stands for a result in the shape of what a function gives: no number of a run, no big array."""
    return 0.0 if is_active(x) or shape_of(x) else x


def _output(x: Any, tape: Tape) -> tuple[int | None, Any]:
    return (x.index if getattr(x, "tape", None) is tape else None), plain_of(x)


def plain_of(x: Any) -> Any:
    return bare_value(x) if hasattr(x, "tape") else x


def _is_same(a: Any, b: Any) -> bool:
    a, b = bare_value(plain(a)), bare_value(b)
    if shape_of(a) != shape_of(b):
        return False
    if not shape_of(a):
        return a == b or (a != a and b != b) or bool(abs(a - b) <= _SAME * abs(b))
    size = np.max(np.abs(b), initial=0.0)
    return bool(np.allclose(a, b, rtol=_SAME, atol=_SAME * size if np.isfinite(size) else 0.0, equal_nan=True))


def _read_only(x: Any) -> Any:
    if type(x) is not np.ndarray:
        return x
    x = x.view()
    x.flags.writeable = False
    return x


def _zero(x: Any) -> Any:
    return np.zeros(shape_of(x)) if shape_of(x) else 0.0


def _real(x: Any) -> Any:
    return np.real(x).copy() if shape_of(x) else float(np.real(x))


def _shown(x: Any, snapshot: Snapshot) -> Any:
    """An argument for the text of the row."""
    if type(x) is Hole:
        return x
    if type(x) in (list, tuple):
        return type(x)(_shown(snapshot.hole(y), snapshot) for y in x)
    if type(x) is dict:
        return {key: _shown(snapshot.hole(y), snapshot) for key, y in x.items()}
    if type(x).__repr__ is object.__repr__:  # an instance, by its class
        return Name(type(x))
    return Name(x) if callable(x) and not shape_of(x) else x
