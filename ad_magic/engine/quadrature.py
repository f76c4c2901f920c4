"""Integrals of a user's function by SciPy's quad: the derivative is the integral of the derivative.

QUADPACK (Piessens et al. 1983) says into which parts it has cut the range. The function is recorded once more at the
Gauss-Kronrod nodes of these parts, as one of all that it reads; with respect to a limit the derivative is the function
there (Leibniz's rule).
"""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from .active import LostDerivative, primal
from .arrays.array import NUMBERS, Array, is_active, operand
from .arrays.compose import as_input
from .arrays.operation import absent, reduced, spread
from .lifting import (
    NOT_FOUND,
    Lifting,
    SolverOperation,
    bottom,
    here,
    is_open,
    plainly,
    record_solver,
    replaced,
    returning_plain,
    shown,
)
from .record import mixed
from .tape import Columns, forward_sweep, reverse_sweep

INTEGRAL = ArrayRule("integral", lambda *_: None, (), (), lambda *_: None)


class IntegralOperation(SolverOperation):
    """An integral. `total` is the row of the sum over the nodes in the recorded run."""

    __slots__ = ("bent", "total")
    bent: float | None
    total: int

    def recorded_at(self, operands: Any, more: Any = None) -> Columns:
        """See `SolverOperation.recorded_at`; a function with a bend that moves has no second derivative here."""
        if self.bent is not None and any(map(is_active, operands)):
            raise LostDerivative(
                f"quad: the function has a bend near {self.bent:.6g}, a place that depends on an input; for second "
                "derivatives integrate up to there and from there on"
            )
        return super().recorded_at(operands, more)

    def value_complex(self, *operands: Any) -> Any:
        """The integral at operands with tiny imaginary parts."""
        return self.result + 1j * self.imaginary(self.total, dict(zip(self.seeds, operands, strict=True)))

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        operands = self.arguments(left, right, values)
        inner = reverse_sweep(self.recorded_at(operands), {self.total: g})
        for i, on, seed, x in zip(left, self.active, self.seeds, operands, strict=True):
            if on and not absent(inner[seed]):
                adjoints.add(i, reduced(inner[seed], x))

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        operands = self.arguments(left, right, values)
        along = {
            seed: spread(tangents[i], x)
            for i, on, seed, x in zip(left, self.active, self.seeds, operands, strict=True)
            if on and not absent(tangents[i])
        }
        return forward_sweep(self.recorded_at(operands), along)[self.total]


# ---- nodes and weights on [0, 1] -----------------------------------------------------------------

# Gauss-Kronrod, 21 points: QUADPACK's dqk21, the positive nodes on [-1, 1] and their weights.
_KRONROD = (
    (0.995657163025808080735527280689003, 0.011694638867371874278064396062192),
    (0.973906528517171720077964012084452, 0.032558162307964727478818972459390),
    (0.930157491355708226001207180059508, 0.054755896574351996031381300244580),
    (0.865063366688984510732096688423493, 0.075039674810919952767043140916190),
    (0.780817726586416897063717578345042, 0.093125454583697605535465065083366),
    (0.679409568299024406234327365114874, 0.109387158802297641899210290325805),
    (0.562757134668604683339000099272694, 0.123491976262065851077958109585166),
    (0.433395394129247190799265943165784, 0.134709217311473325928054001771707),
    (0.294392862701460198131126603103866, 0.142775938577060080797094273138717),
    (0.148874338981631210884826001129720, 0.147739104901338491374841515972068),
)
_KRONROD_CENTER = 0.149445554002916905664936468389821

Parts = list[tuple[float, float]]
Rule = list[tuple[float, float, bool]]  # (distance from an end, weight, whether from the left end)


@functools.cache
def kronrod() -> Rule:
    """The Gauss-Kronrod rule with 21 points.

    >>> round(sum(w for _, w, _ in kronrod()), 12)
    1.0
    """
    nodes = [((1.0 - x) / 2.0, w / 2.0, left) for x, w in _KRONROD for left in (True, False)]
    return [*nodes, (0.5, _KRONROD_CENTER / 2.0, True)]


@functools.cache
def double_exponential(step: float = 0.0625) -> Rule:
    """The tanh-sinh rule, for singularities at the ends (Takahasi & Mori 1974).

    >>> round(sum(w for _, w, _ in double_exponential()), 12)
    1.0
    """
    nodes: Rule = []
    for k in range(int(4.0 / step)):
        s = math.pi / 2.0 * math.sinh(k * step)
        distance = 1.0 / (1.0 + math.exp(2.0 * s))  # (1 - tanh s) / 2
        weight = step * math.pi / 4.0 * math.cosh(k * step) / math.cosh(s) ** 2
        nodes += [(distance, weight, True)] if k == 0 else [(distance, weight, True), (distance, weight, False)]
    return nodes


def nodes(a: float, b: float, parts: Parts, rule: Rule) -> Iterator[tuple[float, float]]:
    """Nodes and weights for the integral from a to b that is cut into parts: where a limit is infinite, into parts of
    QUADPACK's variable u, with t = c ± (1 - u) / u."""
    sign = 1.0 if a <= b else -1.0
    low, high = min(a, b), max(a, b)
    for left, right in parts:
        length = right - left
        for distance, weight, from_left in rule:
            u = left + length * distance if from_left else right - length * distance
            w = sign * length * weight
            if u in (left, right) and rule is not kronrod():
                continue  # so near to the end that it is the end
            if not (math.isinf(low) or math.isinf(high)):
                yield u, w
                continue
            t, w = (1.0 - u) / u, w / u / u
            if math.isinf(low) and math.isinf(high):
                yield t, w
                yield -t, w
            else:
                yield (low + t, w) if math.isinf(high) else (high - t, w)


# ---- quad ----------------------------------------------------------------------------------------


def integral(original: Callable[..., Any], bind: Callable[..., Any]) -> Callable[..., Any]:
    """The stand-in for scipy.integrate.quad."""

    def quad(*args: Any, **kwargs: Any) -> Any:
        given = bind(args, kwargs)
        if given is None:  # SciPy says what is wrong
            return original(*args, **kwargs)
        found: list[Any] = []
        place = here()

        def plain(x: Any) -> Any:
            if is_open(x):
                found.append(x)
            return plainly(x)

        special = given["weight"] is not None or given.get("complex_func")
        with replaced([given], plain) as (now,):
            if callable(now["func"]):
                now = {**now, "func": returning_plain(now["func"], "quad", place, NOT_FOUND)}
            result = original(**now) if special else original(**{**now, "full_output": 1})
            limits = float(now["a"]), float(now["b"])
        if special:
            if found:
                raise LostDerivative(
                    f"{place}: quad with weight= or complex_func= has no derivative rule; write the "
                    "weight into the function"
                )
            return result
        if found:
            y = _differentiated(given, limits, result, (args, kwargs))
            result = (y, *result[1:])
        if given["full_output"]:
            return result
        if len(result) > 3:
            from scipy.integrate import IntegrationWarning

            warnings.warn(result[3], IntegrationWarning, stacklevel=2)
        return result[:2]

    return quad


def _differentiated(given: dict[str, Any], limits: tuple[float, float], result: Any, call: Any) -> Any:
    """The integral as an active number of the run that the function and the limits read from."""
    y, error, info = result[:3]
    last = info["last"]
    parts = sorted(zip(info["alist"][:last].tolist(), info["blist"][:last].tolist(), strict=True))
    bends: list[float] = []
    for rule, looking in ((kronrod(), False), (kronrod(), True), (double_exponential(), True)):
        lifting = Lifting()
        try:
            total, bends = _sum(given, limits, parts, rule, lifting, looking)
        except (ArithmeticError, ValueError):  # at a node where SciPy has not been
            continue
        finally:
            inner = lifting.close()
        if abs(bottom(total) - y) <= max(1e-9 * abs(y), error, 1e-13) or not math.isfinite(y):
            break
    else:
        raise LostDerivative(
            f"{here()}: quad goes around a singularity here, and the derivative cannot follow; "
            "substitute a variable in which the function is smooth"
        )
    if not ((type(total) is Array or type(total) in NUMBERS) and total.tape is lifting.tape):
        return y
    template = tuple(shown(x, lifting) for x in call[0]), {k: shown(x, lifting) for k, x in call[1].items()}
    op = IntegralOperation(INTEGRAL, (True,) * len(lifting.originals), {})
    op.total, op.bent = total.index, bends[0] if bends else None
    return record_solver(op, "quad", lifting, inner, y, template)


def _sum(given: dict[str, Any], limits: tuple[float, float], parts: Parts, rule: Rule,
         lifting: Lifting, looking: bool) -> tuple[Any, list[float]]:  # fmt: skip
    """The sum over the nodes, and for active limits what moving them adds; and where the function has moving bends.

    The parts are cut at these, and where the sum is to be good enough and is not, one is `looking` for those that stay
    where they are, too.
    """
    ends = [_scalar(given[name]) for name in ("a", "b")]
    with replaced([given["func"], given["args"]], lifting.variable) as (function, more):
        more = more if isinstance(more, tuple) else (more,)

        def at(t: Any) -> Any:
            return _scalar(function(t, *more))

        def sampled(t: float, lifted: bool = False) -> tuple[Any, tuple[Any, ...]]:
            start = len(lifting.tape.ops)
            y = at(as_input(lifting.tape, t) if lifted else t)
            return y, _path(lifting, start)

        points = list(nodes(*limits, parts, rule))
        found = [(t, *sampled(t)) for t, _ in points]
        bends = _switches(sampled, found, jumps=False)
        if bends or looking:
            places = bends
            if looking:
                places = _switches(lambda t: sampled(t, True), [(t, *sampled(t, True)) for t, _ in points])
            points = list(nodes(*limits, _cut(limits, parts, places), rule))
            found = [(t, *sampled(t)) for t, _ in points]
        products = [mixed("mul", w, y) for (_, w), (_, y, _) in zip(points, found, strict=True)]
        total = mixed("fsum", *products)
        for name, end, start in zip("ab", ends, limits, strict=True):
            if is_open(end) and math.isfinite(start):
                moved = _from(at, start, lifting.variable(end))
                total = total + moved if name == "b" else total - moved
    return total, bends


def _cut(limits: tuple[float, float], parts: Parts, bends: list[float]) -> Parts:
    """The parts, cut also at bends; for an infinite range in QUADPACK's variable."""
    low, high = min(limits), max(limits)
    places = []
    for t in bends:
        if math.isinf(low) and math.isinf(high):
            t = 1.0 / (1.0 + abs(t))
        elif math.isinf(low) or math.isinf(high):
            t = 1.0 / (1.0 + (high - t if math.isinf(low) else t - low))
        places.append(t)
    cut = []
    for left, right in parts:
        inside = sorted({t for t in places if left < t < right})
        cut += list(itertools.pairwise([left, *inside, right]))
    return cut


def _from(at: Callable[..., Any], start: float, end: Any) -> Any:
    """The integral from a limit to where it moves, by Gauss with two points: zero, with the right derivatives up to the
    fourth."""
    step = end - start
    inset = (1.0 - 1.0 / math.sqrt(3.0)) / 2.0
    return step * (at(start + step * inset) + at(start + step * (1.0 - inset))) / 2.0


def _scalar(x: Any) -> Any:
    """A number that a function returned, also one in an array of one entry."""
    x = operand(x)
    return np.reshape(x, ())[()] if getattr(x, "shape", ()) else x


Sample = tuple[float, Any, tuple[Any, ...]]  # where, the value of the function there, and its path


def _path(lifting: Lifting, start: int) -> tuple[Any, ...]:
    """Which way the function went since a row: decisions, step functions, the sides of kinks."""
    tape = lifting.tape
    assert tape.values is not None
    path: list[Any] = []
    for k, op in enumerate(tape.ops[start:], start):
        value = tape.values[k]
        if op.decision or (op.rule is not None and op.rule.step):
            path.append((op.name, str(value) if hasattr(value, "shape") else value))
        elif op.rule is not None and op.rule.kink is not None:
            partials = op.partials(tape.left[k], tape.right[k], tape.values, value)
            path.append((op.name, *(p if p in (-1.0, 0.0, 1.0) else None for p in map(_one, partials))))
    return tuple(path)


def _one(partial: Any) -> Any:
    return partial if not getattr(partial, "shape", ()) else str(partial)


def _switches(sampled: Callable[[float], Any], found: list[Sample], jumps: bool = True) -> list[float]:
    """The places where the function goes from one way to another.

    Raises LostDerivative where it `jumps` there and must not: the integral of the derivative leaves out what a jump
    that depends on an input adds.
    """
    found = sorted(found, key=lambda sample: sample[0])
    scale = max((abs(primal(y)) for _, y, _ in found), default=0.0)
    switches = []
    for (low, y_low, path), (high, y_high, other) in itertools.pairwise(found):
        if path == other:
            continue
        while (middle := (low + high) / 2.0) not in (low, high):
            try:
                y, way = sampled(middle)
            except (ArithmeticError, ValueError):  # a singularity: that is the place
                low = middle
                break
            if way == path:
                low, y_low = middle, y
            else:
                high, y_high = middle, y
        if not jumps and abs(primal(y_high) - primal(y_low)) > 1e-6 * scale:
            raise LostDerivative(
                f"{here()}: the function jumps near {low:.6g}, a place that depends on an input; "
                "integrate up to there and from there on"
            )
        switches.append(low)
    return switches
