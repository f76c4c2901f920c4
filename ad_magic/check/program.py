"""The program as a function of plain numbers, to be run again: by differences only what it computes counts.

The cell itself is run, not what was recorded of it, so that a derivative that is lost on the way (a text that is read
back, an int) is noticed. Each run has copies of the mutable objects that the cell finds, and leaves no trace.
"""

from __future__ import annotations

import contextlib
import copy
import io
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

from .tolerances import tightly
from .watch import Watch

Evaluate = Callable[[Mapping[str, Any]], list[float]]  # inputs by name -> the components of the outputs, in order


def cell_program(run: Any, again: Any, watch: Watch, *, tight: bool = False) -> Evaluate:
    """The cell with plain numbers, with `tight` integrators if asked. A run raises TooLong where it does not end."""
    mutable = mutable_of(again.program.whole, again.before)
    views = {name: again.before.get(name) for name in run.inputs} | mutable
    views = {name: value for name, value in views.items() if type(value).__name__ == "ndarray"}

    def read(namespace: Mapping[str, Any], value: Any) -> list[float]:
        if again.program.outputs is not None:  # of a function
            return [x for _, part in again.program.outputs(value) for x in flat(part)]
        if again.of:
            return [x for name in again.of for x in flat(namespace[name])]
        return flat(value if _is_numeric(value) else namespace[run.outputs[0].name])

    def evaluate(inputs: Mapping[str, Any]) -> list[float]:
        own = {name: value.copy() if hasattr(value, "shape") else value for name, value in inputs.items()}
        shared = _views(views, own) if own.keys() & views.keys() else {}
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with watch.limited(), tightly(again.before, tight) as integrators:
                return list(again.plain({**copies_of(mutable), **integrators, **own, **shared}, read))

    return evaluate


def recorded_program(result: Any) -> Evaluate:
    """The recorded operations, where there is no cell. Raises PathChanged where a decision comes out otherwise."""
    bare = type(result)(result.run)  # it knows no cell to run again

    def evaluate(inputs: Mapping[str, Any]) -> list[float]:
        return [value for output in bare.at(inputs).run.outputs for value, _, _ in output.flat()]

    return evaluate


def flat(value: Any) -> list[float]:
    """The numbers of an output in order: of a number, or of (nested) lists, tuples, arrays."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [x for part in value for x in flat(part)]
    return [float(value)]


def _is_numeric(value: Any) -> bool:
    """Whether the value of a trailing expression is the output."""
    if hasattr(value, "tolist"):
        return value.dtype.kind in "fiu" or (value.dtype == object and all(map(_is_numeric, value.flat)))
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and all(map(_is_numeric, value))
    return isinstance(value, (float, int))


def mutable_of(code: CodeType, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The objects of earlier cells that a cell could change: those that it and the functions it calls name."""
    names: set[str] = set()
    codes: list[CodeType] = [code]
    while codes:
        code = codes.pop()
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        for name in set(code.co_names) - names:
            names.add(name)
            if isinstance(namespace.get(name), FunctionType):
                codes.append(namespace[name].__code__)
    return {name: namespace[name] for name in names if name in namespace and _is_mutable(namespace[name])}


def _is_mutable(value: Any) -> bool:
    kind = type(value)
    if isinstance(value, (type, FunctionType)):
        return False
    return (
        kind.__module__ in ("__main__", "collections")
        or isinstance(value, (list, dict, set, bytearray))
        or kind.__name__ in ("ndarray", "Generator", "RandomState", "Random")
    )


def copies_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Copies of the objects, what they share stays shared; an object that cannot be copied is used as it is."""
    memo: dict[int, Any] = {}
    copies = {}
    for name, value in values.items():
        try:
            copies[name] = copy.deepcopy(value, memo)
        except Exception:
            copies[name] = value
    return copies


def _views(arrays: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Copies of those arrays that stand in the same memory as an input, in one memory again; the inputs as given."""
    from ad_magic.engine.arrays.places import at_same_place, owner

    roots = {}
    for name in inputs.keys() & arrays.keys():
        before, given = arrays[name], inputs[name]
        if before.dtype == float and before.shape == getattr(given, "shape", None):
            roots[id(owner(before))] = owner(before)
    together = {name: value for name, value in arrays.items() if id(owner(value)) in roots}
    if len(together) < 2:
        return {}
    copies = {key: root.copy(order="K") for key, root in roots.items()}
    found = {name: at_same_place(x, owner(x), copies[id(owner(x))]) for name, x in together.items()}
    for name in inputs.keys() & found.keys():
        found[name][...] = inputs[name]
    return found


@contextlib.contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Afterwards the random numbers of the user go on as if nothing had been run."""
    numpy = sys.modules.get("numpy.random")
    states: Sequence[Any] = (random.getstate(), numpy.get_state() if numpy else None)
    try:
        yield
    finally:
        random.setstate(states[0])
        if numpy:
            numpy.set_state(states[1])
