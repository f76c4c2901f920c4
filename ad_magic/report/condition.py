"""How far relative errors of the rows grow on the way to the output, and the operation where digits are lost.

To first order a relative error ε of row v changes the output z by |v̄ v / z| ε relatively: the condition number of the
row (Linnainmaa 1976, "Taylor expansion of the accumulated rounding error", BIT 16; Iri, Tsuchiya and Hoshi 1988). A
subtraction of nearly equal numbers passes on the rounding errors of its operands, while what they are relative to
vanishes (Higham 2002, "Accuracy and Stability of Numerical Algorithms", sections 1.7 and 3.3): the running errors below
find the operation at which that happens. Inputs and constants are taken as exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ad_magic.cell.run import Output, Run
from ad_magic.engine.operation import INPUT
from ad_magic.engine.tape import Columns, depended_on

from .number import number, plain

LIMIT = 1e8  # a relative error that has grown so far leaves half of the digits of a float
JUMP = 1e3  # by so much it grows in an operation that is to blame for it
DIGITS = -math.log10(2.0**-53)  # of a float: 15.95
ENTRIES = 16  # of an array output that are looked at
LARGE = 100_000  # entries of an array on the tape; with larger ones nothing is looked at

# Results that no rounding changes.
_EXACT = frozenset((
    "neg", "abs", "fabs", "maximum", "minimum", "fmax", "fmin", "max", "min", "copysign", "ldexp", "item", "reshape",
    "transpose", "mod", "fmod", "remainder", "array", "where", "entries", "concatenate", "stack", "getitem", "take",
    "ravel", "broadcast_to", "real", "imag", "conj", "sort",
))  # fmt: skip
_AT_ONE = frozenset(("log", "log2", "log10", "acos", "acosh", "gamma", "lgamma"))
_OPERATORS = frozenset(("add", "sub", "mul", "div", "square", "reciprocal", "sqrt", "pow", "fpow", "neg"))

Sweep = Callable[[int, tuple[int, ...]], Sequence[Any]]  # the adjoints of all rows for one number of an output


def condition(value: Any, adjoint: Any, output: Any) -> float | None:
    """The condition number |v̄ v / z| of a row, summed over the entries of an array; None where z says nothing.

    >>> condition(2.0, 3.0, 12.0)
    0.5
    """
    if adjoint is None or isinstance(output, complex) or not math.isfinite(output) or output == 0:
        return None
    try:
        size = _total(value, adjoint) / abs(float(output))
    except OverflowError:
        return None
    return size if math.isfinite(size) else None


def _total(value: Any, adjoint: Any) -> float:
    if not hasattr(value, "shape") and not hasattr(adjoint, "shape"):
        return abs(value * adjoint) if value and adjoint else 0.0
    import numpy as np

    with np.errstate(all="ignore"):
        return float(np.sum(np.where(np.equal(adjoint, 0), 0.0, np.abs(value * adjoint))))


def cancellations(run: Run, listed: int, sweep: Sweep) -> Iterator[tuple[int, float, float]]:
    """(row, loss, growth) of each operation among the first `listed` rows that loses digits the output needs.

    `loss` is by how much relative errors grow in that operation, `growth` by how much those of its operands have grown
    in the output; both may be infinite.
    """
    tape = run.tape
    if tape.recorded > len(tape) or any(getattr(x, "size", 0) > LARGE for x in tape.values):
        return  # not all rows were kept: no telling
    outputs = list(_numbers(run.outputs))
    if not outputs:
        return
    length = min(listed, len(tape))
    used = depended_on(tape, [row for row, _, _ in outputs])
    roundings = [_rounding(tape, i, tape.values[i]) if used[i] else 0.0 for i in range(length)]
    found: dict[int, tuple[float, float]] = {}
    for row, position, z in outputs:
        adjoints = sweep(row, position)
        sources = _sources(roundings, adjoints, abs(z))
        for index, loss, terms in _running(tape, sources, used) if sources else ():
            worst = _worst(loss, adjoints[index])
            growth = _over(sum(_passed_on(tape, adjoints, index, *term) for term in terms), abs(z))
            if growth > LIMIT and worst > JUMP and growth > found.get(index, (0.0, 0.0))[1]:
                found[index] = worst, growth
    for index in sorted(found):
        yield index, *found[index]


def _numbers(outputs: Sequence[Output]) -> Iterator[tuple[int, tuple[int, ...], float]]:
    """Row, position and value of the numbers of the outputs, of each at most ENTRIES."""
    for output in outputs:
        for (row, position), (z, _, _) in list(zip(output.seeds(), output.flat(), strict=True))[:ENTRIES]:
            if row is not None and row >= 0 and math.isfinite(z):
                yield row, position, z


def _sources(roundings: Sequence[Any], adjoints: Sequence[Any], z: float) -> list[Any]:
    """The rounding errors that come large into the output; the others are set to zero. [] where all are harmless.

    What counts is the whole derivative by the row: an error of which each use takes back what the other brings (the
    mean in a variance, an early iterate of Newton's method) does no harm.
    """
    sizes = [_over(_total(error, adjoint), z) for error, adjoint in zip(roundings, adjoints, strict=False)]
    if sum(sizes) <= LIMIT:
        return []
    return [error if size > LIMIT / 100 else 0.0 for error, size in zip(roundings, sizes, strict=True)]


def _passed_on(tape: Columns, adjoints: Sequence[Any], index: int, parent: int, slope: Any, error: Any) -> float:
    """What the error of an operand makes in the output by way of row `index`.

    Other ways may take it back (the mean in a variance: the derivative by it is zero), so it is at most what the
    operand's own adjoint says.
    """
    own = abs(adjoints[parent])
    if slope is not None:
        here = adjoints[index] * slope
        if hasattr(here, "shape") or hasattr(own, "shape"):
            import numpy as np

            from ad_magic.engine.arrays.adjoints import reduced

            with np.errstate(all="ignore"):
                own = np.minimum(own, np.abs(reduced(here, tape.values[parent])))
        else:
            own = min(own, abs(here))
    if not hasattr(own, "shape") and not hasattr(error, "shape"):
        return float(own * error) if own and error else 0.0
    import numpy as np

    with np.errstate(all="ignore"):
        sizes = np.where((own == 0) | (error == 0), 0.0, own * error)
        return float(np.sum(np.where(np.isfinite(sizes), sizes, 0.0)))


def _worst(loss: Any, adjoint: Any) -> float:
    """The greatest loss of an entry that the output depends on."""
    if not hasattr(loss, "shape"):
        return float(loss) if _any(adjoint != 0) else 0.0
    import numpy as np

    return float(np.max(np.where(np.equal(adjoint, 0), 0.0, loss), initial=0.0))


def _over(a: float, b: float) -> float:
    """a / b, infinite for a division by zero; nothing is lost where there is nothing."""
    return (a / b if b else math.inf) if a and math.isfinite(a) else 0.0


# ---- running errors, in units of the rounding error ------------------------------------------------


Term = tuple[int, Any, Any]  # an operand, the partial by it (None: it is no function by entries), and its error


def _running(tape: Columns, roundings: Sequence[Any], used: bytearray) -> Iterator[tuple[int, Any, list[Term]]]:
    """(row, loss, what comes in) where an operation makes the relative errors of its operands much larger."""
    errors: list[Any] = []
    for index, own in enumerate(roundings):
        if not used[index] or tape.ops[index] is INPUT:
            errors.append(0.0)
            continue
        z = tape.values[index]
        if hasattr(z, "shape") or tape.ops[index].array or not isinstance(z, float):
            error, before, terms = _array_error(tape, index, errors)
        else:
            error, before, terms = _number_error(tape, index, errors)
        if before is not None:
            loss = _loss(error, z, before)
            if _any(loss > JUMP):
                yield index, loss, terms
        errors.append(error + own)


def _any(x: Any) -> bool:
    return bool(x.any()) if hasattr(x, "any") else bool(x)


def _loss(error: Any, z: Any, before: Any) -> Any:
    """By how much the relative error of a result is larger than those of its operands."""
    if not hasattr(error, "shape"):
        size, largest = abs(z), max(before, 1.0)
        return (error / size if size else math.inf) / largest if error and math.isfinite(largest) else 0.0
    import numpy as np

    with np.errstate(all="ignore"):
        nothing = (error == 0) | ~np.isfinite(before)  # no error, or nothing but errors already
        return np.where(nothing, 0.0, error / np.abs(z) / np.maximum(before, 1.0))


def _number_error(tape: Columns, index: int, errors: Sequence[Any]) -> tuple[float, float | None, list[Term]]:
    """The error that comes into a row of numbers, the largest relative error of an operand, and the operands."""
    slopes: dict[int, float] = {}
    for parent, partial in zip(tape.parents(index), tape.partials(index), strict=False):
        if isinstance(partial, complex) or not isinstance(errors[parent], float):
            return abs(tape.values[index]), None, []
        slopes[parent] = slopes.get(parent, 0.0) + partial
    error = before = 0.0
    terms: list[Term] = []
    for parent, slope in slopes.items():
        mine, value = errors[parent], tape.values[parent]
        if mine and slope and math.isfinite(slope):
            error += abs(slope) * mine
            before = max(before, mine / abs(value) if value else math.inf)
            terms.append((parent, slope, mine))
    return error, before, terms


def _array_error(tape: Columns, index: int, errors: Sequence[Any]) -> tuple[Any, Any, list[Term]]:
    """The same for a row of arrays. What is no function by entries and no sum is not looked into."""
    import numpy as np

    op, z = tape.ops[index], tape.values[index]
    parents = tape.parents(index)
    if isinstance(z, tuple) or (op.rule is None and not op.memory):
        return 0.0, None, []
    if not any(_any(errors[p] != 0) for p in parents):
        return 0.0, None, []
    with np.errstate(all="ignore"):
        partials = tape.partials(index)
        shape = getattr(z, "shape", ())
        if op.array and len(partials) == len(parents):
            return _by_entry(tape, parents, partials, errors, shape)
        whole: list[Term] = [(parent, None, errors[parent]) for parent in dict.fromkeys(parents)]
        before = max(_relative(errors[parent], tape.values[parent]) for parent in parents)
        if op.name == "sum" and len(parents) == 1:
            mine = np.broadcast_to(errors[parents[0]], tape.values[parents[0]].shape)
            error = np.sum(mine, **getattr(op, "options", {}))
            return error, error * 0 + before, whole
        if op.name in ("matmul", "dot", "inner", "vdot") and len(tape.arguments(index)) == 2:
            a, b = map(np.abs, tape.arguments(index))
            return getattr(np, op.name)(a, b), np.full(shape, before), whole
        return np.abs(z), None, []


def _relative(error: Any, value: Any) -> float:
    """The largest relative error of the entries of an array."""
    import numpy as np

    return float(np.max(np.where(np.equal(error, 0), 0.0, error / np.abs(value)), initial=0.0))


def _by_entry(
    tape: Columns, parents: Sequence[int], partials: Sequence[Any], errors: Sequence[Any], shape: tuple[int, ...]
) -> tuple[Any, Any, list[Term]]:
    import numpy as np

    slopes: dict[int, Any] = {}
    for parent, partial in zip(parents, partials, strict=True):
        slopes[parent] = slopes.get(parent, 0.0) + partial
    error, before = np.zeros(shape), np.zeros(shape)
    terms: list[Term] = []
    for parent, slope in slopes.items():
        mine, value = errors[parent], np.abs(tape.values[parent])
        part = np.abs(slope) * mine
        error = error + np.where(np.isfinite(part), part, 0.0)
        before = np.maximum(before, np.where(mine == 0, 0.0, mine / value))
        terms.append((parent, slope, mine))
    return error, before, terms


def _rounding(tape: Columns, index: int, z: Any) -> Any:
    """The rounding error of an operation itself: at most a unit of its result, none where that is exact."""
    op = tape.ops[index]
    if op.rule is None or isinstance(z, tuple) or op.name in _EXACT or getattr(op.rule, "step", False):
        return 0.0
    if hasattr(z, "shape"):
        import numpy as np

        whole = op.name in _OPERATORS or op.name in ("sum", "matmul", "dot", "prod")
        return np.where((z == np.rint(z.real)) & (np.abs(z) < 2.0**53), 0.0, np.abs(z)) if whole else np.abs(z)
    if not isinstance(z, float):
        return abs(z)
    arguments = tape.arguments(index)
    if not all(type(x) in (float, int) for x in arguments):
        return abs(z)
    return 0.0 if _is_exact(op.name, arguments, z) else abs(z)


def _is_exact(name: str, arguments: Sequence[float], z: float) -> bool:
    """Whether a result is the exact one: of an operator that can be seen, of other functions it is at 0 and 1 alone.

    >>> _is_exact("add", (0.25, 0.5), 0.75), _is_exact("mul", (0.1, 0.1), 0.1 * 0.1), _is_exact("cos", (0.0,), 1.0)
    (True, False, True)
    """
    if not all(map(math.isfinite, (*arguments, z))):
        return True  # what is infinite is another matter
    a, b = float(arguments[0]), float(arguments[1]) if len(arguments) > 1 else 0.0
    if name in ("add", "sub"):
        b = b if name == "add" else -b
        part = z - a
        return (a - (z - part)) + (b - part) == 0
    if name in ("mul", "square"):
        return _product(a, a if name == "square" else b, z)
    if name in ("div", "reciprocal"):
        return _product(z, b, a) if name == "div" else _product(z, a, 1.0)
    if name == "sqrt" or (name in ("pow", "fpow") and b == 0.5):
        return _product(z, z, a)
    if name in ("pow", "fpow"):
        (n, m), (p, q) = a.as_integer_ratio(), z.as_integer_ratio()
        return b in (0.0, 1.0) or (1 < b <= 16 and b == int(b) and n ** int(b) * q == p * m ** int(b))
    if name in ("sum", "fsum"):
        return math.fsum(arguments) == z
    return all(x == 0 or (x == 1 and name in _AT_ONE) for x in arguments)


def _product(a: float, b: float, z: float) -> bool:
    (n, m), (p, q), (r, s) = a.as_integer_ratio(), b.as_integer_ratio(), z.as_integer_ratio()
    return n * p * s == r * m * q


# ---- in words ------------------------------------------------------------------------------------


def lost_in_words(text: str, name: str, loss: float, growth: float, output: str) -> str:
    """What an operation, written `text`, loses; `name` is that of its rule."""
    difference = name in ("add", "sub", "sum", "fsum", "matmul", "dot", "inner", "vdot")
    what = f"{text} cancels" if difference else f"{text} is near a zero of {name}"
    if math.isinf(loss):
        lost = "all digits of its operands are lost" if difference else "nothing is left but rounding errors"
    else:
        lost = f"{_count(math.log10(loss))} of its operands {'is' if round(math.log10(loss)) == 1 else 'are'} lost"
    if math.isinf(growth):
        return f"{what}: {lost}, and no digit of {output} is sure"
    sure = max(0, math.floor(DIGITS - math.log10(growth)))
    times = plain(number(growth, 2))
    which = f"about {sure} of its 16 digits {'is' if sure == 1 else 'are'} sure" if sure else "no digit is sure"
    return f"{what}: {lost}, and their rounding errors are {times} times larger in {output}: {which}"


def _count(digits: float) -> str:
    n = round(digits)
    return f"about {n} digit{'s' if n != 1 else ''}"
