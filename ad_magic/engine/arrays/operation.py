"""Elementary operations on arrays: rows of the derivative table that go by entries, and primitives with a function
pair.

Adjoints and tangents are arrays of the shape of the value. Broadcasting is undone where an adjoint is added.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from ad_magic.engine.operation import Number, Operation, Primitive, _bindings, _live, term
from ad_magic.rules import RULES, Rule, by_entry, compile_expression, define, names_in
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.arrays.rule import ArrayRule
from ad_magic.rules.number import numpy_names

from .spare import ALONE, BIG, MOST, room

_ndarray = np.ndarray
_FLOAT = np.dtype(float)

# ---- shapes --------------------------------------------------------------------------------------


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a number or an array, active or plain.

    >>> shape_of(1.5), shape_of(np.zeros((2, 3)))
    ((), (2, 3))
    """
    return getattr(x, "shape", ())


def reduced(c: Any, like: Any) -> Any:
    """An adjoint with the shape of `like`: summed over the axes along which that was broadcast; real for a real.

    >>> reduced(np.ones((4, 3)), np.zeros((1, 3)))
    array([[4., 4., 4.]])
    """
    shape = getattr(like, "shape", ())
    found = getattr(c, "shape", ())
    if found != shape:
        if type(c) is np.ndarray and not shape:
            c = np.add.reduce(c, axis=None)
        elif type(c) is np.ndarray and found[1:] == shape:  # a bias: added along the first axis
            c = _summed_over_rows(c)
        else:
            c = _summed_to(c, shape, found)
    if _is_complex(c) and not _is_complex(like):
        c = np.real(c)
    return c


def _summed_over_rows(c: Any) -> Any:
    """The sum along the first axis; of a matrix as a product, which is three times faster."""
    return _ones(len(c)).dot(c) if c.ndim == 2 and c.dtype is _FLOAT else np.add.reduce(c, axis=0)


@lru_cache(maxsize=8)
def _ones(length: int) -> Any:
    return np.ones(length)


def _is_complex(x: Any) -> bool:
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else dtype.kind == "c"


def _summed_to(c: Any, shape: tuple[int, ...], found: tuple[int, ...]) -> Any:
    extra = len(found) - len(shape)
    if extra < 0:
        return np.broadcast_to(c, shape)
    axes = tuple(range(extra))
    axes += tuple(extra + k for k, n in enumerate(shape) if n == 1 and found[extra + k] != 1)
    c = np.sum(c, axis=axes) if axes else c
    if getattr(c, "shape", ()) != shape:
        c = np.reshape(c, shape) if shape else np.sum(c)
    return c


def spread(t: Any, z: Any) -> Any:
    """A tangent with the shape of the result z."""
    shape = getattr(z, "shape", ())
    if getattr(t, "shape", ()) == shape:
        return np.asarray(t) if type(z) is np.ndarray and isinstance(t, (float, complex)) else t
    return np.broadcast_to(t, shape)


def absent(t: Any) -> bool:
    """Whether an adjoint or a tangent is none at all: the number zero."""
    return type(t) in (float, int, np.float64) and t == 0.0


def careful_product(t: Any, partial: Any) -> Any:
    """t * partial, where an exact zero on either side makes it zero, also times infinity.

    A zero that is itself active is only left out where it meets infinity: its own derivative may not be zero.
    """
    if absent(t) or absent(partial):
        return 0.0
    product = t * partial
    if type(product) in (np.ndarray, np.float64):
        return np.where((t == 0) | (partial == 0), 0.0, product)
    a, b = bare_value(t), bare_value(partial)
    lost = ((a == 0) & ~np.isfinite(b)) | ((b == 0) & ~np.isfinite(a))
    return np.where(lost, 0.0, product) if np.any(lost) else product


def bare_value(x: Any) -> Any:
    """The plain value of a number or an array, whatever runs it belongs to; it leaves no trace."""
    while hasattr(x, "tape"):
        x = x.value
    return x


class Adjoints(list[Any]):
    """The adjoint of every row; 0.0 where there is none yet. A row that was added to twice has an array of its own."""

    def __init__(self, length: int, values: Any = (), spare: Any = ()) -> None:
        """`spare` are the rows whose values are asked for no more."""
        super().__init__([0.0]) if length == 1 else super().__init__([0.0] * length)
        self.own: set[int] = set()
        self.values, self.spare = values, list(spare)
        self.free: list[Any] = []  # big arrays that nobody holds

    def put(self, row: int, c: Any, like: Any) -> None:
        """Add c to the adjoint of a row with the value `like`."""
        if type(c) is not _ndarray or type(like) is not _ndarray or c.dtype is not like.dtype:
            c = reduced(c, like)
        elif c.shape != like.shape:
            c = _summed_over_rows(c) if c.shape[1:] == like.shape else reduced(c, like)
        old = self[row]
        if type(old) is float and old == 0.0:
            self[row] = c
        else:
            self.add(row, c)

    def room(self, shape: tuple[int, ...]) -> Any:
        """An array of floats whose memory nobody needs, or None."""
        free = self.free
        for k, x in enumerate(free):
            if x.shape == shape:
                del free[k]
                return x
        return room(self.values, self.spare, shape) if self.spare else None

    def drop(self, row: int) -> None:
        """The adjoint of a row is passed on: its memory may be used for the next."""
        if sys.getrefcount(self[row]) <= ALONE and len(self.free) < MOST:
            g = self[row]
            if g.base is None and g.dtype is _FLOAT and g.flags.c_contiguous and g.flags.writeable:
                self.free.append(g)
        self[row] = 0.0

    def add(self, row: int, c: Any) -> None:
        old = self[row]
        if type(old) is float and old == 0.0:
            self[row] = c
        elif row in self.own and type(c) in (np.ndarray, np.float64, float) and _holds(old, c):
            old += c
        else:
            self[row] = total = old + c
            self.own.discard(row)
            if type(total) is np.ndarray:
                self.own.add(row)

    def buffer(self, row: int, like: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
        """The adjoint of a row as an array that may be written to."""
        if row not in self.own:
            old = self[row]
            made = np.zeros(shape_of(like), dtype or _adjoint_type(like))
            if not absent(old):
                made += old
            self[row] = made
            self.own.add(row)
        return self[row]


def _holds(old: Any, c: Any) -> bool:
    """Whether c can be added to an array in place."""
    return old.dtype.kind == "c" or getattr(c, "dtype", old.dtype).kind != "c"


def _adjoint_type(x: Any) -> Any:
    return complex if np.iscomplexobj(x) else float


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
        if not self.rule.value.endswith(")"):
            return text
        from .functions import name_of_row

        return f"{name_of_row(self.name)}{text[text.index('(') :]}"

    def partials(self, left: Any, right: Any, values: Sequence[Number], z: Number) -> tuple[Any, ...]:
        assert self.rule is not None
        arguments = self.arguments(left, right, values)
        with np.errstate(all="ignore"):
            return tuple(
                _partial(self.rule, partial)(*arguments, z)
                for _, partial in self.rule.live_partials(self.active, self.is_complex)
            )


@cache
def _partial(rule: Rule, partial: str) -> Callable[..., Any]:
    return compile_expression(by_entry(partial), (*rule.arguments, "z"), numpy_names())


def _pull_lines(rule: Rule, active: tuple[bool, ...], is_complex: bool, careful: bool) -> list[str]:
    live = _live(rule, active, is_complex)
    lines = _bindings(rule, active, [p for _, p in live])
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
    live = _live(rule, active, is_complex)
    terms = []
    for column, partial in live:
        factor = by_entry(partial)
        if careful and partial not in ("1", "-1"):
            terms.append(f"careful(tangents[{column}], {factor})")
        else:
            terms.append(term(f"tangents[{column}]", partial if partial in ("1", "-1") else factor))
    return [*_bindings(rule, active, [p for _, p in live]), f"return {' + '.join(terms)}"]


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
    live = [partial for _, partial in _live(rule, active)]
    made.uses = frozenset().union(*map(names_in, live)) & {"a", "b", "c", "z"}
    namespace = {
        **numpy_names(),
        "careful": careful_product,
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


# ---- primitives with a function pair -------------------------------------------------------------


class PairOperation(Operation):
    """An array primitive with its options: its operands stand in the left column, as a tuple."""

    __slots__ = ("options",)
    array = True

    def __init__(self, rule: ArrayRule, active: tuple[bool, ...], options: dict[str, Any]) -> None:
        super().__init__(rule.name, rule, active)  # type: ignore[arg-type]  # it answers as a row of the table does
        self.options = options

    def expression(self, *operands: str, written: Sequence[str] = ()) -> str:
        """The operation as a person writes it: "np.sum(v1, axis=0)". `written`: the arguments in the source."""
        from .texts import pair_text

        return pair_text(self, operands, written)

    def value(self, *operands: Any) -> Any:
        """The primitive at other operands."""
        if any(hasattr(x, "tape") for x in operands):
            from .array import operand
            from .perform import pair

            z = pair(self.rule, operands, self.options)  # type: ignore[arg-type]
            return operand(z) if isinstance(z, complex) else z
        return self.rule.value(*self.gathered(operands), **self.options)  # type: ignore[union-attr, operator]

    def gathered(self, operands: Sequence[Any]) -> Sequence[Any]:
        """The operands as the primitive takes them."""
        return (list(operands),) if self.rule.several else operands  # type: ignore[union-attr]

    def pull(self, adjoints: Adjoints, g: Any, left: Any, right: Any, values: Sequence[Any], z: Any) -> None:
        active, options, rule = self.active, self.options, self.rule
        operands = [values[i] if on else i for i, on in zip(left, active, strict=True)]
        given = (operands,) if rule.several else operands  # type: ignore[union-attr]
        for k, i in enumerate(left):
            if active[k]:
                c = rule.pull(k, g, z, *given, **options)  # type: ignore[union-attr]
                if c is not None:
                    adjoints.put(i, c, operands[k])

    def push(self, tangents: Sequence[Any], left: Any, right: Any, values: Sequence[Any], z: Any) -> Any:
        operands = self.arguments(left, right, values)
        total: Any = 0.0
        for k, (i, on) in enumerate(zip(left, self.active, strict=True)):
            if on and not absent(tangents[i]):
                total = summed(total, self._pushed(k, spread(tangents[i], operands[k]), operands, z))
        return total

    def _pushed(self, k: int, t: Any, operands: tuple[Any, ...], z: Any) -> Any:
        rule: Any = self.rule
        if rule.push is not None:
            return rule.push(k, t, z, *self.gathered(operands), **self.options)
        if rule.several:  # linear in all of them together
            operands = tuple(np.zeros(shape_of(x)) if j != k else t for j, x in enumerate(operands))
        else:
            operands = (*operands[:k], t, *operands[k + 1 :])
        return self.value(*operands)

    def operands(self, left: Any, right: Any) -> tuple[Any, ...]:
        return left

    def partials(self, left: Any, right: Any, values: Sequence[Number], z: Number) -> tuple[Number, ...]:
        return ()


class Product(PairOperation):
    """A matrix product, as `@` or `np.dot`."""

    __slots__ = ()

    def pull(self, adjoints: Adjoints, g: Any, left: Any, right: Any, values: Sequence[Any], z: Any) -> None:
        i, j = left
        by_a, by_b = self.active
        a, b = values[i] if by_a else i, values[j] if by_b else j
        plain = type(g) is _ndarray and type(a) is _ndarray and type(b) is _ndarray
        if not plain or g.dtype is not _FLOAT or g.ndim != 2 or a.ndim != 2:  # of two matrices the result is one
            super().pull(adjoints, g, left, right, values, z)
            return
        if by_a:
            adjoints.put(i, g.dot(b.T, adjoints.room(a.shape) if a.nbytes >= BIG else None), a)
        if by_b:
            adjoints.put(j, a.T.dot(g, adjoints.room(b.shape) if b.nbytes >= BIG else None), b)


class Whole(PairOperation):
    """The sum or the mean of all the entries of an array."""

    __slots__ = ()

    def pull(self, adjoints: Adjoints, g: Any, left: Any, right: Any, values: Sequence[Any], z: Any) -> None:
        a = values[left[0]]
        if type(g) is not float or type(a) is not _ndarray or a.dtype is not _FLOAT:
            super().pull(adjoints, g, left, right, values, z)
            return
        everywhere = np.empty(a.shape)
        everywhere.fill(g if self.name == "sum" else g / a.size)
        adjoints.put(left[0], everywhere, a)


_KINDS = {"matmul": Product, "dot": Product, "sum": Whole, "mean": Whole}


def pair_operation(rule: ArrayRule, active: tuple[bool, ...]) -> PairOperation:
    """The operation of a primitive without options."""
    op = _pairs.get((rule.name, active))
    if op is None or op.rule is not rule:
        op = _pairs[rule.name, active] = _KINDS.get(rule.name, PairOperation)(rule, active, {})
    return op


_pairs: dict[tuple[str, tuple[bool, ...]], PairOperation] = {}


def summed(s: Any, t: Any) -> Any:
    """The sum of two tangents; of results with several parts part by part."""
    if isinstance(t, tuple):
        return t if absent(s) else tuple(a + b for a, b in zip(s, t, strict=True))
    return t if absent(s) else s + t
