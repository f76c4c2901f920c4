"""A jvp or a vjp of the user's own against differences along random directions, where it is declared."""

from __future__ import annotations

import inspect
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ad_magic.engine.active import LostDerivative
from ad_magic.engine.words import kind_of
from ad_magic.transforms import trees
from ad_magic.transforms.pairs import OwnPair, beside, filled, from_elsewhere, operation_of
from ad_magic.transforms.values import is_result

from .declared import ENOUGH, Point, at_words, hint, listed, short, shown, tried
from .differences import judge, measure
from .piece import direction, dot, finite, shaped, size_of
from .program import random_numbers_kept
from .verdict import DIFFERS, Comparison, relative_error

_LINEAR = 1e-9  # relative error that is allowed where nothing is measured
_SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (3, 3))


def check_pair(pair: OwnPair, at: Any = None) -> None:
    """Compare jvp and vjp with differences of the function, along random directions of its arguments.

    `at` is a tuple of arguments, or a list of such; whole numbers among them stay as they are. Without it numbers and
    small arrays are tried. Raises ValueError, with one sentence, where something is wrong.
    """
    draw = random.Random(0)
    with random_numbers_kept():
        points = [p if isinstance(p, tuple) else (p,) for p in listed(at)] if at is not None else _candidates(pair)
        checked = 0
        failed: tuple[Point, Exception] | None = None
        unlike = ""  # what the function does at the first point where it gives no numbers
        for point in points:
            try:
                found = [float(dot(x, x)) for x in trees.leaves(pair.f(*_copied(point)), is_result)]
            except LostDerivative:
                raise from_elsewhere(pair.__name__) from None
            except Exception as error:
                if at is None:
                    unlike = unlike or f"at {at_words(_names(pair), point)} it raises {type(error).__name__}: {error}"
                    continue
                raise ValueError(
                    f"{pair.__name__} cannot be checked at {at_words(_names(pair), point)}: it raises "
                    f"{type(error).__name__}: {error}"
                ) from error
            if at is None and not (found and all(map(math.isfinite, found))):
                unlike = unlike or f"at {at_words(_names(pair), point)} it gives {'none' if not found else 'others'}"
                continue
            try:
                _Point(pair, point, draw).check()
            except Differs:
                raise
            except Exception as error:  # made for arrays, perhaps, and this is a number
                if at is not None:
                    raise _told(pair, point, error) from error
                failed = failed or (point, error)
                continue
            checked += 1
            if at is None and checked == ENOUGH:
                break
    if not checked and failed is not None:
        raise _told(pair, *failed) from failed[1]
    if not checked:
        raise ValueError(
            f"{pair.__name__} cannot be checked: it gives no finite number at numbers, vectors of 3 or matrices of "
            f"3 × 3 ({unlike}); say where with at=(…), a tuple of its arguments"
        )


class Differs(ValueError):
    """A derivative that is another than what differences measure, or no derivative at all."""


def _told(pair: OwnPair, point: Point, error: Exception) -> Exception:
    """What is wrong where a rule could not be compared: in one sentence."""
    if isinstance(error, NameError) or (
        isinstance(error, (ValueError, LostDerivative)) and pair.__name__ in str(error)
    ):
        return error
    form = ""
    if isinstance(error, TypeError) and ("positional argument" in str(error) or "'tuple'" in str(error)):
        form = ". A jvp is called with two tuples, jvp(primals, tangents); a vjp with the arguments, vjp(x, y)"
    return ValueError(
        f"the rule of {pair.__name__} raises {type(error).__name__} at {at_words(_names(pair), point)}: {error}{form}"
    )


def _names(pair: OwnPair) -> list[str]:
    if pair.__signature__ is None:
        return [f"argument {k}" for k in range(20)]
    return [p.name for p in pair.__signature__.parameters.values()]


def _copied(point: Point) -> Point:
    return tuple(x.copy() if hasattr(x, "shape") else x for x in point)


def _candidates(pair: OwnPair) -> Iterator[Point]:
    """Arguments to try: numbers, then arrays."""
    count = _arity(pair)
    yield from itertools.islice(tried(count, None), 9)
    import numpy as np

    generator = np.random.default_rng(0)
    same = [(shape,) * count for shape in _SHAPES[1:]]
    others = [s for s in itertools.product(_SHAPES, repeat=count) if len(set(s)) > 1] if 1 < count <= 3 else []
    for shapes in (*same, *others):
        yield tuple(_sample(shape, generator) for shape in shapes)


def _sample(shape: tuple[int, ...], generator: Any) -> Any:
    import numpy as np

    if not shape:
        return 0.7
    x = generator.uniform(0.2, 0.9, shape)
    return x + 2 * np.eye(3) if len(shape) == 2 else x


def _arity(pair: OwnPair) -> int:
    """How many arguments a function must be given."""
    if pair.__signature__ is None:
        return 1
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = pair.__signature__.parameters.values()
    return max(1, sum(p.kind in kinds and p.default is p.empty for p in parameters))


class _Point:
    """A function with its rule at one point."""

    def __init__(self, pair: OwnPair, point: Point, draw: random.Random) -> None:
        from ad_magic.engine.arrays.moves import Hole

        self.pair, self.point, self.draw = pair, point, draw
        self.operands: list[Any] = []
        self.owner: list[int] = []  # of each operand the argument that it is in

        def emptied(x: Any, k: int) -> Any:
            if type(x) is float or (hasattr(x, "shape") and x.dtype.kind == "f"):
                self.operands.append(x if type(x) is float else x.copy() if x.shape else float(x))
                self.owner.append(k)
                return Hole(len(self.operands) - 1)
            return x

        template: Any = (
            tuple(
                trees.rebuilt(x, [emptied(y, k) for y in trees.leaves(x, is_result)], is_result)
                for k, x in enumerate(point)
            ),
            {},
        )
        self.op = operation_of(pair, template, (True,) * len(self.operands))
        self.z = self.op.value(*self.operands)
        self.parts = list(self.z) if self.op.several else [self.z]
        self._arrays = any(getattr(x, "shape", ()) for x in (*self.operands, *self.parts))

    def check(self) -> None:
        """Raises ValueError where something is wrong."""
        name = self.pair.__name__
        self._values()
        ways: dict[str, Callable[[Any, Any], float]] = {}
        if self.pair.jvp is not None:
            self._is_linear(f"the jvp of {name}", lambda t: self.op.pushed(self.operands, t, self.z), self.operands)
            ways["jvp"] = self._by_jvp
        if self.pair.vjp is not None:
            self._is_linear(f"the pull of the vjp of {name}", lambda g: self._pulled(g), self.parts)
            ways["vjp"] = self._by_vjp
        for way, slope in ways.items():
            if self._wrong(way, slope, range(len(self.operands))) is None:
                continue
            for k in range(len(self.operands)):
                found = self._wrong(way, slope, [k])
                if found is not None:
                    self._say(way, found, f" for {_names(self.pair)[self.owner[k]]}")
            found = self._wrong(way, slope, range(len(self.operands)))
            if found is not None:
                self._say(way, found, "")

    def _say(self, way: str, found: tuple[float, Comparison], which: str) -> None:
        got, outcome = found
        where = at_words(_names(self.pair), self.point)
        along = "" if which and not self._arrays and len(self.parts) == 1 else " along a random direction"
        raise Differs(
            f"{self.pair.__name__}: at {where} the {way} gives the derivative {shown(got)}{which}{along}, and "
            f"differences measure {shown(outcome.expected)}{hint(got, outcome)}"
        )

    def _values(self) -> None:
        """Both give the value of the function too."""
        args, _ = filled(self.op.template, self.operands)
        zeros = [0.0 * x for x in self.operands]
        given = {}
        if self.pair.jvp is not None:
            given["jvp"] = self.pair.jvp(tuple(args), beside(self.op.template, zeros)[0])
        if self.pair.vjp is not None:
            given["vjp"] = self.pair.vjp(*args)
        for way, out in given.items():
            what = "(value, tangent)" if way == "jvp" else "(value, pull)"
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise ValueError(f"the {way} of {self.pair.__name__} gives {kind_of(out)}; it gives {what}")
            own = trees.leaves(out[0], is_result)
            alike = len(own) == len(self.parts) and all(
                getattr(a, "shape", ()) == getattr(b, "shape", ()) for a, b in zip(own, self.parts, strict=True)
            )
            if not alike or not all(_close(a, b) for a, b in zip(own, self.parts, strict=True)):
                shown = " and ".join(short(x) for x in (out[0], self.op.like))
                raise Differs(
                    f"the {way} of {self.pair.__name__} gives another value than the function at "
                    f"{at_words(_names(self.pair), self.point)}: {shown}"
                )

    def _is_linear(self, words: str, function: Callable[[list[Any]], list[Any]], like: Sequence[Any]) -> None:
        s, t = ([direction(x, self.draw) for x in like] for _ in range(2))
        first, second = function(list(s)), function(list(t))
        both = function([a + 2 * b for a, b in zip(s, t, strict=True)])
        for a, b, c in zip(first, second, both, strict=True):
            if not all(map(finite, (a, b, c))):
                raise Differs(f"{words} gives NaN or infinity at {at_words(_names(self.pair), self.point)}")
            size = max(size_of(a), size_of(b), size_of(c)) if _any(a, b, c) else 1.0
            gap = abs(a + 2 * b - c)
            if not (gap if not hasattr(gap, "max") else gap.max(initial=0.0)) <= _LINEAR * 10 * size:
                what = "tangents" if "jvp" in words else "adjoint"
                raise Differs(
                    f"{words} is not linear in the {what} at {at_words(_names(self.pair), self.point)}: of s + 2 t it "
                    f"does not give what it gives of s and twice what it gives of t"
                )

    def _wrong(
        self, way: str, slope: Callable[[Any, Any], float], moving: Sequence[int] | range
    ) -> tuple[float, Comparison] | None:
        moves = {k: direction(self.operands[k], self.draw) * size_of(self.operands[k]) for k in moving}
        weights = [direction(x, self.draw) for x in self.parts]
        if not self._arrays and len(moving) == 1 and len(self.parts) == 1:  # a number that can be read as it is
            moves, weights = {moving[0]: 1.0}, [1.0]
        along = [moves.get(k, 0.0 * x) for k, x in enumerate(self.operands)]
        got = slope(along, weights)
        middle = sum(dot(w, x) for w, x in zip(weights, self.parts, strict=True))

        def f(t: float) -> list[float]:
            z = self.op.value(*(x + t * d for x, d in zip(self.operands, along, strict=True)))
            return [sum(dot(w, x) for w, x in zip(weights, z if self.op.several else (z,), strict=True))]

        outcome = judge(measure(f, 0.0, [middle], [got]), 0, 0.0, middle, got)
        return (got, outcome) if outcome.word == DIFFERS else None

    def _by_jvp(self, along: Any, weights: Any) -> float:
        tangents = self.op.pushed(self.operands, along, self.z)
        return sum(dot(w, shaped(t, x)) for w, t, x in zip(weights, tangents, self.parts, strict=True))

    def _by_vjp(self, along: Any, weights: Any) -> float:
        return sum(dot(c, d) for c, d in zip(self._pulled(weights), along, strict=True))

    def _pulled(self, weights: Any) -> list[Any]:
        found = self.op.pulled(self.operands, weights, self.z)
        return [shaped(c, x) if not _is_zero(c) else 0.0 * x for c, x in zip(found, self.operands, strict=True)]


def _is_zero(c: Any) -> bool:
    return type(c) is float and c == 0.0


def _any(*xs: Any) -> bool:
    return any(getattr(x, "size", 1) for x in xs)


def _close(a: Any, b: Any) -> bool:
    if not hasattr(a, "shape") and not hasattr(b, "shape"):
        return relative_error(float(a), float(b)) < _LINEAR or a == b
    import numpy as np

    return bool(np.allclose(a, b, rtol=_LINEAR, atol=_LINEAR * float(np.max(np.abs(b), initial=0.0)), equal_nan=True))
