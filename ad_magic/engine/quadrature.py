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

from .active import LostDerivative
from .arrays.adjoints import absent, reduced, spread
from .arrays.array import NUMBERS, Array, is_active, operand
from .arrays.compose import as_input
from .left import Call
from .lifting import Lifting, SolverOperation, bottom, here, is_open, record_solver, replaced
from .paths import path_since, switches
from .record import mixed
from .tape import Columns, forward_sweep, reverse_sweep

INTEGRAL = ArrayRule("integral", lambda *_: None, (), (), lambda *_: None)
# The integral of the derivative leaves out what a jump adds.
_JUMPS = "the function jumps near {:.6g}, a place that depends on an input; integrate up to there and from there on"


_ERROR = (
    "the error that {} estimates has no derivative, and what is differentiated is computed with it. Take the integral "
    "alone, quad(…)[0], or ad_magic.primal(error) where only its value matters"
)


class IntegralOperation(SolverOperation):
    """An integral. `total` is the row of the sum over the nodes in the recorded run."""

    __slots__ = ("bent", "total")
    how = (
        "under the integral sign",
        "under the integral sign, not unrolled: ∂/∂v ∫ f(t, v) dt = ∫ f_v dt, and f at a limit that moves",
    )
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
        now = Call("quad", given, ("func",))
        special = given["weight"] is not None or given.get("complex_func")
        with now.plainly() as plain:
            result = original(**plain) if special else original(**{**plain, "full_output": 1})
            limits = float(plain["a"]), float(plain["b"])
        if special:
            if now.found:
                raise LostDerivative(
                    f"{now.place}: quad with weight= or complex_func= has no derivative rule; write the "
                    "weight into the function"
                )
            return result
        if now.found:
            with now.recording():
                y = _differentiated(given, limits, result, (args, kwargs))
            (error,) = now.marks([result[1]], _ERROR)
            result = (y, error, *result[2:])
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
    found: list[tuple[float, Any, list[float], Lifting, Columns]] = []
    for rule, looking in ((kronrod(), False), (kronrod(), True), (double_exponential(), True)):
        lifting = Lifting()
        try:
            total, bends = _sum(given, limits, parts, rule, lifting, looking)
        except (ArithmeticError, ValueError):  # at a node where SciPy has not been
            continue
        finally:
            inner = lifting.close()
        found.append((abs(bottom(total) - y), total, bends, lifting, inner))
        if found[-1][0] <= max(1e-9 * abs(y), error, 1e-13) or not math.isfinite(y):
            break
    if not found or not (_is_near(found, y, given, error) or not math.isfinite(y)):
        raise LostDerivative(
            f"{here()}: quad goes around a singularity here, and the derivative cannot follow; "
            "substitute a variable in which the function is smooth"
        )
    _, total, bends, lifting, inner = min(found, key=lambda one: one[0])
    if not ((type(total) is Array or type(total) in NUMBERS) and total.tape is lifting.tape):
        return y
    op = IntegralOperation(INTEGRAL, (True,) * len(lifting.originals), {})
    op.total, op.bent = total.index, bends[0] if bends else None
    return record_solver(op, "quad", lifting, inner, y, call, op.total)


def _is_near(found: list[Any], y: float, given: dict[str, Any], error: float) -> bool:
    """Whether one of our sums is the integral that QUADPACK gave. It may think that its error is smaller than it is: it
    may be as much as was asked of it; and where two rules find the same, they know better."""
    near = max(given["epsabs"], given["epsrel"] * abs(y), error)
    if len(found) == 3 and abs(bottom(found[1][1]) - bottom(found[2][1])) <= 1e-9 * abs(y):
        near = max(near, 1e-6 * abs(y))
    return bool(min(one[0] for one in found) <= near)


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
            return y, path_since(lifting, start)

        points = list(nodes(*limits, parts, rule))
        found = [(t, *sampled(t)) for t, _ in points]
        bends = switches(sampled, found, _JUMPS)
        if bends or looking:
            places = bends
            if looking:
                places = switches(lambda t: sampled(t, True), [(t, *sampled(t, True)) for t, _ in points])
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
