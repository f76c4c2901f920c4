"""Elementary operations on arrays: rows of the derivative table that go by entries."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from ad_magic.engine.operation import Number, Primitive, bindings, live_operands, term
from ad_magic.rules import RULES, Rule, by_entry, compile_expression, define, names_in
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import numpy_names
from ad_magic.rules.rule import ARGUMENTS

from .adjoints import Adjoints, careful_product

# ---- rows of the table, entry by entry -----------------------------------------------------------


class EntryOperation(Primitive):
    """A primitive of the table on each entry of arrays. `pull_carefully` and `push_carefully` leave absent what is
    zero."""

    __slots__ = ("is_complex", "pull_carefully", "push_carefully", "uses")
    array = True

    is_complex: bool
    pull_carefully: Callable[..., None]
    push_carefully: Callable[..., Any]
    uses: frozenset[str]  # of the operands a, b, c and the result z those whose values a pull asks for

    def expression(self, *operands: str) -> str:
        """The operation as a person writes it: "v1 * v2", "np.sin(v1)"."""
        assert self.rule is not None
        text = self.rule.expression(*operands)
        if not self.rule.value.endswith(")") or self.rule.called is not None:
            return text
        from .by_entries import name_of_row

        return f"{name_of_row(self.name)}{text[text.index('(') :]}"

    def partials(self, left: Any, right: Any, values: Sequence[Number], z: Number) -> tuple[Any, ...]:
        assert self.rule is not None
        arguments = tuple(map(divisible, self.arguments(left, right, values)))
        with np.errstate(all="ignore"):
            return tuple(
                _partial(self.rule, partial)(*arguments, z)
                for _, partial in self.rule.live_partials(self.active, self.is_complex)
            )


def divisible(x: Any) -> Any:
    """An operand by which a division is infinite where it is zero: Python's own zero as one of NumPy's."""
    if type(x) in (float, int) and not x:
        return np.float64(x) if type(x) is float else np.int64(0)
    return x


@cache
def _partial(rule: Rule, partial: str) -> Callable[..., Any]:
    return compile_expression(by_entry(partial), (*rule.arguments, "z"), numpy_names())


def _pull_lines(rule: Rule, active: tuple[bool, ...], is_complex: bool, careful: bool) -> list[str]:
    live = live_operands(rule, active, is_complex)
    lines = _bound(rule, active, [p for _, p in live], careful)
    for column, partial in live:
        factor = by_entry(partial)
        if careful and partial not in ("1", "-1"):
            product = f"careful(g, {f'conj({factor})' if is_complex else factor})"
        elif is_complex and partial not in ("1", "-1"):
            product = f"g * conj({factor})"
        elif (
            not partial.isidentifier()
            and partial not in ("1", "-1")
            and not _is_constant(partial)
            and " if " not in partial
        ):
            product = f"times_fresh(g, {factor})"
        else:
            product = term("g", partial if partial in ("1", "-1") else factor)
        lines.append(f"put({column}, {product}, values[{column}])")
    return lines


def _is_constant(partial: str) -> bool:
    return not any(c.isalpha() for c in partial)


def times_fresh(g: Any, partial: Any) -> Any:
    """g * partial; the partial was computed for this alone, and its memory is used for the product."""
    if type(partial) is np.ndarray and type(g) is np.ndarray and partial.shape == g.shape and partial.dtype == g.dtype:
        return np.multiply(g, partial, out=partial)
    return g * partial


def _push_lines(rule: Rule, active: tuple[bool, ...], is_complex: bool, careful: bool) -> list[str]:
    live = live_operands(rule, active, is_complex)
    terms = []
    for column, partial in live:
        factor = by_entry(partial)
        if careful and partial not in ("1", "-1"):
            terms.append(f"careful(tangents[{column}], {factor})")
        else:
            terms.append(term(f"tangents[{column}]", partial if partial in ("1", "-1") else factor))
    return [*_bound(rule, active, [p for _, p in live], careful), f"return {' + '.join(terms)}"]


def _bound(rule: Rule, active: tuple[bool, ...], partials: Sequence[str], careful: bool) -> list[str]:
    """Statements that give a, b, c their values; where it is done carefully, constants by which may be divided."""
    lines = bindings(rule, active, partials)
    if not careful:
        return lines
    return [re.sub(r"^([a-d]|[p-s]) = (\w+)$", r"\1 = divisible(\2)", line) for line in lines]


def entry_operation(name: str, active: tuple[bool, ...], is_complex: bool = False) -> EntryOperation:
    """The operation on arrays of a rule of the table, with these operands active: always the same one."""
    return _entry_operation(name, active, is_complex)


@cache
def _entry_operation(name: str, active: tuple[bool, ...], is_complex: bool) -> EntryOperation:
    return _made(RULES[name], active, is_complex)


def _made(rule: Rule, active: tuple[bool, ...], is_complex: bool = False) -> EntryOperation:
    name = rule.name
    made = EntryOperation(name, rule, active)
    made.is_complex = is_complex
    live = [partial for _, partial in live_operands(rule, active)]
    made.uses = frozenset().union(*map(names_in, live)) & {*ARGUMENTS, "z"}
    namespace = {
        **numpy_names(),
        "careful": careful_product,
        "divisible": divisible,
        "conj": np.conjugate,
        "times_fresh": times_fresh,
    }
    for careful in (False, True):
        body = "".join(f"    {line}\n" for line in _pull_lines(rule, active, is_complex, careful))
        source = f"def pull(adjoints, g, left, right, values, z):\n    put = adjoints.put\n{body}"
        pull = define(source, "pull", dict(namespace), f"pull {name} by entry")
        body = "".join(f"    {line}\n" for line in _push_lines(rule, active, is_complex, careful))
        source = f"def push(tangents, left, right, values, z):\n{body}"
        push = define(source, "push", dict(namespace), f"push {name} by entry")
        if careful:
            made.pull_carefully, made.push_carefully = pull, push
        else:
            made.pull, made.push = pull, push
    return made


FLAT = 0.002  # a slope of tanh below which 1 - z² loses digits


def _frugal_tanh() -> EntryOperation:
    """tanh that does not ask for its argument again. Where the slope is flat it stands in the right column: the places
    of these entries and their slopes; None where there are none."""
    made = _made(replace(RULES["tanh"], partials=("1 - z * z",)), (True,))

    def slope_of(z: Any, right: Any, out: Any) -> Any:
        slope = np.multiply(z, z, out=out)
        np.subtract(1.0, slope, out=slope)
        if right is not None:
            places, slopes = right
            slope.reshape(-1)[places] = slopes
        return slope

    def pull(adjoints: Adjoints, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        adjoints.put(left, times_fresh(g, slope_of(z, right, adjoints.room(z.shape))), values[left])

    def pull_carefully(adjoints: Adjoints, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        adjoints.put(left, careful_product(g, slope_of(z, right, None)), values[left])

    made.pull, made.pull_carefully = pull, pull_carefully
    return made


FRUGAL_TANH = _frugal_tanh()


def flat_of_tanh(a: Any, z: Any) -> Any:
    """For `FRUGAL_TANH` where tanh(a) = z is flat, and how flat."""
    edge = (1 - FLAT) ** 0.5
    if np.maximum.reduce(z, None) <= edge and np.minimum.reduce(z, None) >= -edge:
        return None
    places = np.flatnonzero((z > edge) | (z < -edge))
    return places, (1 / np.cosh(a.reshape(-1)[places])) ** 2


def _square() -> EntryOperation:
    """x ** 2, which is the most frequent power."""
    made = _made(RULES["pow"], (True, False))

    def pull(adjoints: Adjoints, g: Any, left: Any, right: Any, values: Any, z: Any) -> None:
        a = values[left]
        adjoints.put(left, times_fresh(g, a + a), a)

    made.pull = pull
    return made


SQUARE = _square()  # with 2 in the right column
