"""The row of a function with a rule of its own (see `pairs`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ad_magic.engine.active import LostDerivative
from ad_magic.engine.arrays.adjoints import absent, shape_of, spread
from ad_magic.engine.arrays.array import split, youngest
from ad_magic.engine.arrays.pairs import PairOperation
from ad_magic.engine.arrays.perform import carried_out
from ad_magic.engine.arrays.texts import text_of
from ad_magic.engine.costs import Work
from ad_magic.engine.operation import Operation
from ad_magic.engine.words import kind_of
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule

from . import trees
from .pairs import (
    NoSecondDerivative,
    OwnPair,
    WrongRule,
    adjoints_of,
    beside,
    copied,
    derivative_leaves,
    filled,
    first_sentence,
    flat_result,
    not_analytic,
    run,
    transposed,
)
from .values import is_active, is_result, read_tree

_RULE = ArrayRule("own", lambda *_: None, (), (), lambda *_: None)


class OwnOperation(PairOperation):
    """One call. `like` is what the function gave, `several` whether that is more than one number or array."""

    __slots__ = ("_pulled", "like", "pair", "several", "template")

    def __init__(self, pair: OwnPair, template: Any, active: tuple[bool, ...]) -> None:
        Operation.__init__(self, pair.__name__, _RULE, active)
        self.options = {}
        self.pair, self.template = pair, template
        self.several, self.like = False, None
        self._pulled: tuple[Any, Any] | None = None  # of the plain operands: them, and what the vjp has made of them

    def expression(self, *operands: str, written: Sequence[str] = ()) -> str:
        """The call as a person writes it: "f(v1, 2.0)"."""
        args, options = self.template
        texts = [_shown(x, operands) for x in args] + [f"{name}={_shown(x, operands)}" for name, x in options.items()]
        return f"{self.name}({', '.join(texts)})"

    # ---- values ----

    def at_first(self, values: Sequence[Any], forward: bool) -> Any:
        """The value where the call is recorded: a vjp gives it too, and what it has made for the sweep is kept."""
        plain = not any(map(is_active, values))
        if forward or not plain or self.pair.vjp is None:
            return self.value(*values)
        args, options = filled(self.template, values)
        result, pull = _pair_of(self.pair.vjp(*args, **options), f"the vjp of {self.name}", "(value, pull)")
        self._pulled = tuple(values), pull
        return self._kept(result, values)

    def value(self, *operands: Any) -> Any:
        """What the function gives at these operands: plain, or a row of the run of the youngest."""
        tape = youngest(operands)
        if tape is None:
            args, options = filled(self.template, operands)
            return self._kept(self.pair.f(*args, **options), operands)
        values, columns, active = split(operands, tape)
        op = copied(self, active)
        z = op.value(*values)
        self.like, self.several = op.like, op.several
        return carried_out(tape, op, operands, values, columns, z)

    def value_complex(self, *operands: Any) -> Any:
        raise not_analytic(self.pair)

    def _kept(self, result: Any, operands: Sequence[Any]) -> Any:
        if any(hasattr(x, "writer") for x in trees.leaves(result, is_result)):  # symbols of a program
            found = trees.leaves(result, is_result)
        else:
            result = read_tree(result)
            found = flat_result(self.pair, result)
            found = [x.copy() if any(x is y for y in operands) and hasattr(x, "copy") else x for x in found]
        if self.like is None:
            self.like, self.several = result, not is_result(result)
        return tuple(found) if self.several else found[0]

    # ---- derivatives ----

    def push(self, tangents: Any, left: Any, right: Any, values: Any, z: Any) -> Any:
        operands = self.arguments(left, right, values)
        along = [
            spread(tangents[i], x) if on and not absent(tangents[i]) else np.zeros(shape_of(x))[()]
            for i, on, x in zip(left, self.active, operands, strict=True)
        ]
        found = self.pushed(operands, along, z)
        return tuple(found) if self.several else found[0]

    def pushed(self, operands: Sequence[Any], along: Sequence[Any], z: Any) -> list[Any]:
        """The tangents of the results, from those of the operands."""
        parts = z if self.several else (z,)
        if self.pair.jvp is not None:
            return self._by_jvp(operands, along, parts)

        def linear(gs: list[Any]) -> list[Any]:
            return self._by_vjp(operands, gs)

        likes = [_ones(x) for x in parts]
        return transposed(
            linear, likes, along, f"the pull of the vjp of {self.name}", "forward mode: declare a jvp= too"
        )

    def _by_jvp(self, operands: Sequence[Any], along: Sequence[Any], parts: Sequence[Any]) -> list[Any]:
        jvp = self.pair.jvp
        assert jvp is not None
        args, options = filled(self.template, operands)
        tangents = beside(self.template, along)[0]
        words = f"the jvp of {self.name}"

        def call() -> Any:
            return jvp(tuple(args), tangents, **options)

        out = self._called(call, operands, along, words)
        _, tangent = _pair_of(out, words, "(value, tangent)")
        return derivative_leaves(tangent, self.like, parts, f"the tangent that {words} gives")

    def pull(self, adjoints: Any, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        operands = self.arguments(left, right, values)
        parts = z if self.several else (z,)
        given = g if self.several else (g,)
        gs = [
            np.zeros(shape_of(x))[()] if t is None or absent(t) else spread(t, x)
            for t, x in zip(given, parts, strict=True)
        ]
        for i, on, c, x in zip(left, self.active, self.pulled(operands, gs, z), operands, strict=True):
            if on and not absent(c):
                adjoints.put(i, c, x)

    def pulled(self, operands: Sequence[Any], gs: Sequence[Any], z: Any) -> list[Any]:
        """The adjoints of the operands, from those of the results."""
        if self.pair.vjp is not None:
            return self._by_vjp(operands, gs)
        parts = z if self.several else (z,)

        def linear(along: list[Any]) -> list[Any]:
            every = [along.pop(0) if on else np.zeros(shape_of(x))[()] for on, x in marked]
            return self._by_jvp(operands, every, parts)

        marked = list(zip(self.active, operands, strict=True))
        likes = [_ones(x) for on, x in marked if on]
        found = transposed(linear, likes, gs, f"the jvp of {self.name}", "reverse mode: declare a vjp= too")
        return [found.pop(0) if on else 0.0 for on, _ in marked]

    def _by_vjp(self, operands: Sequence[Any], gs: Sequence[Any]) -> list[Any]:
        vjp = self.pair.vjp
        assert vjp is not None
        args, options = filled(self.template, operands)
        words = f"the vjp of {self.name}"
        like = trees.rebuilt(self.like, gs, is_result) if self.several else gs[0]
        kept = self._pulled

        def call() -> Any:
            if kept is not None and all(a is b for a, b in zip(kept[0], operands, strict=True)):
                return kept[1](like)
            _, pull = _pair_of(vjp(*args, **options), words, "(value, pull)")
            if not callable(pull):
                raise WrongRule(f"{words} gives a value and {kind_of(pull)}; it gives (value, pull)")
            if not any(is_active(x) or hasattr(x, "writer") for x in operands):
                self._pulled = tuple(operands), pull
            return pull(like)

        return adjoints_of(self.pair, self._called(call, operands, gs, words), self.template, operands)

    def _called(self, function: Callable[[], Any], operands: Sequence[Any], along: Sequence[Any], words: str) -> Any:
        """What a function of the user's gives; where active numbers go in, under the stand-ins."""
        again = any(map(is_active, operands))
        if not again and not any(map(is_active, along)):
            return read_tree(function())
        try:
            return run(function, read_it=read_tree)[0]
        except NoSecondDerivative:
            raise
        except LostDerivative as error:
            if not again:
                raise
            raise NoSecondDerivative(
                f"of {self.name} only the first derivative is there: {words} has none itself "
                f"({first_sentence(error)}). For the second write it in functions that have a derivative, with a rule "
                "of their own where they need one"
            ) from None

    # ---- costs ----

    def work(self, z: Any, operands: Sequence[Any], into: tuple[tuple[int, int], ...]) -> Work:
        """What is inside is not known: one call for each number that it gives, or that it pulls."""
        size = sum(int(np.size(x)) for x in (z if self.several else (z,)))
        return Work(size, size, sum(count for _, count in into), into)


def _shown(x: Any, operands: Sequence[str]) -> str:
    usual = not trees.is_container(x) or type(x) in (list, tuple)
    return text_of(x, operands) if usual else f"{type(x).__name__}(…)"


def _pair_of(out: Any, words: str, what: str) -> tuple[Any, Any]:
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise WrongRule(f"{words} gives {kind_of(out)}; it gives a pair {what}")
    return out[0], out[1]


def _ones(x: Any) -> Any:
    return np.ones(shape_of(x)) if shape_of(x) else 1.0
