"""Symbols: values that write down what is done to them.

The engine's own sweeps run over symbols in the place of arrays; what NumPy is asked to do becomes statements. A symbol
has its value too, that of the recorded run, so that shapes are known and a choice comes out as it did.
"""

from __future__ import annotations

import ast
import cmath
import inspect
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from ad_magic.engine.words import kind_of
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.special import SEVERAL

from .expressions import constant, name, number, parse, simplified
from .program import Block


class NoProgram(ValueError):
    """A run, or a part of it, has no program of this kind; the message says why, in one sentence."""


class PlainNeeded(NoProgram):
    """An operation is carried out by a function that takes plain arrays only, so that it has no text."""


_BINARY: dict[str, tuple[type[ast.operator], Callable[[Any, Any], Any]]] = {
    "add": (ast.Add, operator.add), "sub": (ast.Sub, operator.sub), "mul": (ast.Mult, operator.mul),
    "truediv": (ast.Div, operator.truediv), "floordiv": (ast.FloorDiv, operator.floordiv),
    "mod": (ast.Mod, operator.mod), "pow": (ast.Pow, operator.pow), "matmul": (ast.MatMult, operator.matmul),
    "and": (ast.BitAnd, operator.and_), "or": (ast.BitOr, operator.or_),
}  # fmt: skip
_COMPARE: dict[str, tuple[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    "lt": (ast.Lt, operator.lt), "le": (ast.LtE, operator.le), "gt": (ast.Gt, operator.gt),
    "ge": (ast.GtE, operator.ge), "eq": (ast.Eq, operator.eq), "ne": (ast.NotEq, operator.ne),
}  # fmt: skip
_OPERATORS: dict[str, type[ast.operator]] = {  # ufuncs that are written as operators
    "add": ast.Add, "subtract": ast.Sub, "multiply": ast.Mult, "divide": ast.Div, "true_divide": ast.Div,
    "power": ast.Pow, "matmul": ast.MatMult,
}  # fmt: skip


class Writer:
    """Where the statements of symbols go: a block, the row they belong to, the constant arrays they name."""

    def __init__(self, block: Block, letter: str = "c") -> None:
        """Constant arrays are called `letter` and a number."""
        self.block, self.letter = block, letter
        self.row = -1
        self.constants: dict[str, Any] = {}
        self._by_content: dict[Any, ast.expr] = {}
        self._hints: dict[Any, str] = {}  # what the user calls an array
        self.taken: set[str] = set()  # names that are none for a constant
        self.helpers: dict[str, Callable[..., Any]] = {}
        self.inner: dict[Any, list[Any]] = {}  # the values of the rows in a composed one
        self._opened: dict[int, tuple[Any, Any]] = {}  # of calls that are not stored: them, with their operations

    def opened(self, op: Any, operands: Sequence[Any]) -> Any:
        """An operation; of a call that is not stored (a checkpoint) the one with its operations, at these values."""
        if hasattr(op, "composed"):
            self._opened[id(op)] = op, op.composed(operands)
        return self.known(op)

    def known(self, op: Any) -> Any:
        """The same once it was opened."""
        return self._opened[id(op)][1] if id(op) in self._opened else op

    def constant(self, x: Any) -> ast.expr:
        """A name for a constant array; the same for the same numbers."""
        if x.dtype == object:
            raise NoProgram("an array of objects cannot be written down in a program")
        if x.ndim == 0:
            return tree(x[()], self)
        key = _content(x)
        if key not in self._by_content:
            turned = self._by_content.get(_content(x.T)) if x.ndim == 2 else None
            if turned is not None:
                self._by_content[key] = ast.Attribute(turned, "T", ast.Load())
            else:
                label = self._hints.get(key, "")
                if not label or label in self.taken or label in self.constants or re.fullmatch(_OURS, label):
                    label = f"{self.letter}{len(self.constants) + 1}"
                self._by_content[key] = name(label)
                self.constants[label] = x
        return self._by_content[key]

    def hint(self, x: Any, label: str) -> None:
        """The user calls a constant array so."""
        self._hints.setdefault(_content(x), label)

    def symbol(self, expression: ast.expr, value: Any) -> Symbol:
        """A symbol for an expression, which becomes a statement."""
        return Symbol(self, self.block.atom(_simple(expression, value), self.row), value)

    def helper(self, label: str, function: Callable[..., Any], *args: Any) -> Symbol:
        """A call of a function that the program brings along."""
        self.helpers[label] = function
        call = ast.Call(name(label), [tree(x, self) for x in args], [])
        with np.errstate(all="ignore"):
            return self.symbol(call, function(*map(bare, args)))


_OURS = r"[a-z]+\d+\w*|\w+_(bar|all|before|along)|d\w+_\w+"  # names that a program makes


def _content(x: Any) -> Any:
    return x.shape, x.dtype.str, x.tobytes()


class Written:
    """A value of the program: its expression (a name or a number), and its value in the recorded run."""

    __slots__ = ("expression", "value", "writer")
    __hash__: Any = None  # as Python sets it where == is defined

    def __init__(self, writer: Writer, expression: ast.expr, value: Any) -> None:
        self.writer, self.expression, self.value = writer, expression, value

    def __bool__(self) -> bool:
        truth = bool(self.value)
        condition = self.expression if truth else ast.UnaryOp(ast.Not(), self.expression)
        self.writer.block.guard(condition, self.writer.row)
        return truth

    def __neg__(self) -> Any:
        return self.made(ast.UnaryOp(ast.USub(), self.expression), -self.value)

    def __pos__(self) -> Any:
        return self

    def made(self, expression: ast.expr, value: Any) -> Any:
        """One of the same kind, for an expression, which becomes a statement."""
        return type(self)(self.writer, self.writer.block.atom(_simple(expression, value), self.writer.row), value)


def _simple(expression: ast.expr, value: Any) -> ast.expr:
    """An expression simplified, as long as it still is its value: `0 * x` of an array is no number, of NaN not zero."""
    simple = simplified(expression)
    known = constant(simple)
    return simple if known is None or (not np.shape(value) and known == value) else expression


class Entry(Written):
    """A number. To NumPy it is an object like any other: arrays of such are arrays of objects."""

    __slots__ = ()

    def conjugate(self) -> Entry:
        return self

    def _function(self, name_: str, function: Callable[[float], float]) -> Entry:
        with np.errstate(all="ignore"):
            return self.made(ast.Call(name(name_), [self.expression], []), float(function(self.value)))

    def __abs__(self) -> Entry:
        return self._function("abs", abs)

    def sqrt(self) -> Entry:
        return self._function("sqrt", np.sqrt)

    def exp(self) -> Entry:
        return self._function("exp", np.exp)

    def log(self) -> Entry:
        return self._function("log", np.log)


class Symbol(Written):
    """A number or an array. NumPy hands over to it."""

    __slots__ = ()
    __array_priority__ = 2000.0

    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: np.asarray(self.value).dtype)
    T = property(lambda self: self._attribute("T") if self.ndim > 1 else self)
    real = property(lambda self: self._attribute("real") if self.dtype.kind == "c" else self)
    imag = property(lambda self: self._attribute("imag"))

    def _attribute(self, attribute: str) -> Symbol:
        return self.writer.symbol(
            ast.Attribute(self.expression, attribute, ast.Load()), getattr(np.asarray(self.value), attribute)
        )

    def method(self, method: str, *args: Any, **kwargs: Any) -> Symbol:
        """What a method of an array gives."""
        call = ast.Call(
            ast.Attribute(self.expression, method, ast.Load()),
            [tree(x, self.writer) for x in args],
            [ast.keyword(k, tree(x, self.writer)) for k, x in kwargs.items()],
        )
        return self.writer.symbol(call, getattr(np.asarray(self.value), method)(*map(bare, args), **kwargs))

    def by_entry(self, label: str, function: Any, whole: Any, args: Any) -> Symbol:
        """A function of numbers on each entry; `whole` does it for arrays."""
        self.writer.helpers[label] = function
        vectorized = ast.Call(parse("np.vectorize"), [name(label)], [ast.keyword("otypes", parse("[float]"))])
        call = ast.Call(vectorized, [tree(x, self.writer) for x in args], [])
        return self.writer.symbol(call, whole(*map(bare, args)))

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self.value)))

    def __getitem__(self, key: Any) -> Symbol:
        index = index_tree(key, self.writer)
        return self.writer.symbol(ast.Subscript(self.expression, index, ast.Load()), self.value[bare(key)])

    def __abs__(self) -> Any:
        return np.abs(self)

    def __invert__(self) -> Symbol:
        return self.writer.symbol(ast.UnaryOp(ast.Invert(), self.expression), ~self.value)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        new = np.reshape(self.value, shape, **options)
        if np.shape(new) == self.shape:
            return self
        return self.method("reshape", tuple(shape) if isinstance(shape, (tuple, list)) else shape, **options)

    def conjugate(self) -> Any:
        return self.method("conj") if self.dtype.kind == "c" else self

    conj = conjugate

    def astype(self, dtype: Any, **options: Any) -> Any:
        return self.method("astype", dtype)

    def copy(self) -> Symbol:
        return self

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise PlainNeeded("what becomes of an array here cannot be written down")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if options.pop("out", None) is not None or method == "at":
            raise NoProgram(f"{ufunc.__name__} writes into an array here, which has no text")
        if method == "__call__" and not options:
            if ufunc.__name__ in _OPERATORS:
                return binary(_OPERATORS[ufunc.__name__], ufunc, *inputs)
            if ufunc is np.negative:
                return -inputs[0]
            if ufunc is np.conjugate and inputs[0].dtype.kind != "c":
                return inputs[0]
        function = getattr(ufunc, method) if method != "__call__" else ufunc
        if ufunc.__name__ in _PARTS:
            whole, k = _PARTS[ufunc.__name__]
            call = ast.Call(
                ast.parse(f"scipy.special.{whole}", mode="eval").body, [tree(x, self.writer) for x in inputs], []
            )
            part = ast.Subscript(self.writer.block.atom(call, self.writer.row), ast.Constant(k), ast.Load())
            return self.writer.symbol(part, function(*map(bare, inputs)))
        return called(self.writer, function, _ufunc_name(ufunc, method), inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        module = (function.__module__ or "numpy").replace("numpy", "np", 1)
        if function in _INFORMATION:
            return function(*map(bare, args), **kwargs)
        if function is np.reshape and isinstance(args[0], Symbol) and len(args) == 2 and not kwargs:
            return args[0].reshape(args[1])
        if function is np.transpose and all(x is None for x in (*args[1:], *kwargs.values())):
            return args[0].T
        if function is np.moveaxis and isinstance(args[0], Symbol) and tuple(args[1:2]) == tuple(args[2:3]):
            return args[0]
        if function is np.real and isinstance(args[0], Symbol):
            return args[0].real
        if function is np.broadcast_to:
            if np.shape(bare(args[0])) == _as_shape(args[1]):
                return args[0]
            return Spread(self.writer, tree(args[0], self.writer), function(bare(args[0]), args[1]))
        return called(self.writer, function, f"{module}.{function.__name__}", args, kwargs)


# a row that is one of several results: the function, and which of them
_PARTS = {label: (whole, k) for whole, labels in SEVERAL.items() for k, label in enumerate(labels)}


def _as_shape(x: Any) -> tuple[int, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


class Spread(Symbol):
    """A symbol of which one number, or one row, stands for all: `few` is written where NumPy spreads it by itself, next
    to an array of the full shape; elsewhere it is spread before."""

    __slots__ = ("few",)

    def __init__(self, writer: Writer, few: ast.expr, value: Any) -> None:
        self.writer, self.few, self.value = writer, few, value

    @property
    def expression(self) -> ast.expr:  # type: ignore[override]  # computed where it is read
        call = ast.Call(_BROADCAST, [self.few, tree(self.shape, self.writer)], [])
        return self.writer.block.atom(call, self.writer.row)

    def made(self, expression: ast.expr, value: Any) -> Any:
        return self.writer.symbol(expression, value)

    def __neg__(self) -> Spread:
        few = self.writer.block.atom(simplified(ast.UnaryOp(ast.USub(), self.few)), self.writer.row)
        return Spread(self.writer, few, -self.value)


_BROADCAST = ast.parse("np.broadcast_to", mode="eval").body


def written_beside(x: Any, other: Any, writer: Writer) -> ast.expr:
    """The expression for an operand of an operator by entry, the other operand being `other`."""
    if isinstance(x, Spread) and not isinstance(other, Spread) and np.shape(bare(other)) == x.shape:
        return x.few
    return tree(x, writer)


_INFORMATION = {np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.common_type}


def _method(make: Callable[..., Any], reflected: bool) -> Callable[[Any, Any], Any]:
    return (lambda self, other: make(other, self)) if reflected else (lambda self, other: make(self, other))


def binary(kind: type[ast.operator], function: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """An operator of Python between symbols, or a symbol and a constant."""
    one = x if isinstance(x, Written) else y
    if not _goes_with(one, x) or not _goes_with(one, y):
        return NotImplemented
    with np.errstate(all="ignore"):
        value = function(_number(bare(x)), _number(bare(y)))
    if kind is ast.MatMult:
        left, right = tree(x, one.writer), tree(y, one.writer)
    else:
        left, right = written_beside(x, y, one.writer), written_beside(y, x, one.writer)
    return one.made(ast.BinOp(left, kind(), right), value)


def _number(x: Any) -> Any:
    """Numbers of Python as NumPy's, which divide by zero."""
    return np.float64(x) if type(x) is float else x


def _compared(kind: type[ast.cmpop], function: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    if not _goes_with(x, y):
        return NotImplemented
    condition = ast.Compare(tree(x, x.writer), [kind()], [tree(y, x.writer)])
    if isinstance(x, Entry):  # most often it is asked at once, and becomes a guard
        return Entry(x.writer, condition, function(bare(x), bare(y)))
    return x.made(condition, function(bare(x), bare(y)))


def _goes_with(one: Any, x: Any) -> bool:
    numbers = (type(one), np.generic, float, int, complex)
    return isinstance(x, numbers) or (isinstance(one, Symbol) and isinstance(x, (Symbol, np.ndarray)))


for _name, (_kind, _function) in _BINARY.items():
    for _reflected in (False, True):

        def _make(x: Any, y: Any, kind: Any = _kind, function: Any = _function) -> Any:
            return binary(kind, function, x, y)

        setattr(Written, f"__{'r' * _reflected}{_name}__", _method(_make, _reflected))
for _name, (_comparison, _function) in _COMPARE.items():

    def _compare(x: Any, y: Any, kind: Any = _comparison, function: Any = _function) -> Any:
        return _compared(kind, function, x, y)

    setattr(Written, f"__{_name}__", _compare)


def bare(x: Any) -> Any:
    """The value of a symbol, also in a tuple or a list."""
    if isinstance(x, Written):
        return x.value
    if type(x) in (tuple, list):
        return type(x)(map(bare, x))
    return x


_METHODS = frozenset(("np.sum", "np.mean", "np.prod", "np.max", "np.min"))


@cache
def _usual(function: Any) -> dict[str, Any]:
    """What a function does about axes without being told."""
    try:
        given = inspect.signature(function).parameters
    except (TypeError, ValueError):  # one written in C, as a method of a ufunc is
        return {}
    return {k: given[k].default for k in ("axis", "keepdims") if k in given}


def called(writer: Writer, function: Any, label: str, args: Any, kwargs: Any) -> Any:
    """A call of a function of NumPy; of one with several results, a symbol for each."""
    usual = {**_usual(function), "keepdims": False}
    options = {k: x for k, x in kwargs.items() if x is not np._NoValue and not (k in usual and x is usual[k])}
    if isinstance(options.get("axis"), tuple) and len(options["axis"]) == 1:
        options["axis"] = options["axis"][0]
    if label in _METHODS and isinstance(args[0], Symbol) and len(args) == 1:
        return args[0].method(label.removeprefix("np."), **options)
    call = ast.Call(
        ast.parse(label, mode="eval").body,
        [tree(x, writer) for x in args],
        [ast.keyword(k, tree(x, writer)) for k, x in options.items()],
    )
    with np.errstate(all="ignore"):
        value = function(*map(bare, args), **{k: bare(x) for k, x in options.items()})
    if isinstance(value, (tuple, list)):
        whole = writer.block.atom(call, writer.row)
        parts = [writer.symbol(ast.Subscript(whole, ast.Constant(k), ast.Load()), part) for k, part in enumerate(value)]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if not isinstance(value, (np.ndarray, np.generic, float, int, complex)):
        return value
    return writer.symbol(call, value)


def _ufunc_name(ufunc: Any, method: str) -> str:
    home = "np" if getattr(np, ufunc.__name__, None) is ufunc else "scipy.special"
    return f"{home}.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")


def tree(x: Any, writer: Writer) -> ast.expr:
    """The expression for an argument: a symbol, a number, an array, or a nesting of them. Raises NoProgram."""
    if isinstance(x, Written):
        return x.expression
    if isinstance(x, np.ndarray):
        return writer.constant(x)
    if isinstance(x, np.generic):
        if isinstance(x.item(), np.generic):
            raise NoProgram(f"a number of type {x.dtype.name} cannot be written down in a program")
        return tree(x.item(), writer)
    if isinstance(x, (float, int)) or x is None:
        return number(x)
    if isinstance(x, complex):
        if cmath.isfinite(x):  # kept whole: what is added to 0j is complex from there on
            return ast.Constant(x)
        return ast.BinOp(number(x.real), ast.Add(), ast.BinOp(number(x.imag), ast.Mult(), ast.Constant(1j)))
    if isinstance(x, (str, type(...))):
        return ast.Constant(x)
    if type(x) in (tuple, list):
        kind: Any = ast.Tuple if type(x) is tuple else ast.List
        return kind([tree(y, writer) for y in x], ast.Load())
    if isinstance(x, slice):
        return ast.Call(name("slice"), [tree(y, writer) for y in (x.start, x.stop, x.step)], [])
    if isinstance(x, np.dtype):
        return ast.Constant(x.name)
    if isinstance(x, type) and x.__module__ in ("builtins", "numpy"):
        return name(x.__name__) if x.__module__ == "builtins" else ast.parse(f"np.{x.__name__}", mode="eval").body
    raise NoProgram(f"{kind_of(x)} cannot be written down in a program")


def index_tree(key: Any, writer: Writer) -> ast.expr:
    """The expression inside the brackets of an index."""
    if isinstance(key, tuple):
        return ast.Tuple([index_tree(k, writer) for k in key], ast.Load())
    if isinstance(key, slice):
        ends = [None if k is None else tree(k, writer) for k in (key.start, key.stop, key.step)]
        return ast.Slice(*ends)
    return tree(key, writer)
