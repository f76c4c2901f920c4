"""The complex step through a tape on which arrays are: what has moved by an imaginary part is computed again.

Of each row only the imaginary part is new; its real part is the recorded value. A function passes it on as its analytic
continuation does. Functions of NumPy that conjugate, take a modulus, order numbers or read one triangle are not
analytic as they stand: such a function has its continuation here, or the reason why there is none. No partial of the
table is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ad_magic.engine.operation import INPUT, value_of
from ad_magic.engine.tape import Columns
from ad_magic.rules import Rule
from ad_magic.rules.arrays.frozen import np
from ad_magic.rules.number import NotAnalytic

from .adjoints import shape_of
from .compose import ComposedOperation
from .moves import MoveOperation
from .operation import EntryOperation
from .perform import Part


def replay_complex(tape: Columns, inputs: Mapping[int, Any]) -> list[Any]:
    """The value of every row, where inputs (by row) have moved by a tiny imaginary part.

    A row that does not depend on them, or not so that it shows, has its recorded value. Raises NotAnalytic.
    """
    values: list[Any] = []
    flats: dict[int, Any] = {}
    moved: set[int] = set()
    with np.errstate(all="ignore"):
        for row, (op, left, right, z) in enumerate(zip(tape.ops, tape.left, tape.right, tape.values, strict=True)):
            if op is INPUT:
                found = inputs.get(row, z)
            elif op.rule is None:  # a decision stays as it was
                found = z
            elif op.memory:
                found = op.again(left, values, flats)
                if op.name == "look":
                    found = settled(op.name, found, z)
            elif moved.isdisjoint(op.parents(left, right)):
                found = z
            else:
                found = settled(op.name, _again(tape, op, left, right, values, z), z)
            if found is not z and _has_moved(found):
                moved.add(row)
            values.append(found)
    return values


def _has_moved(x: Any) -> bool:
    return any(map(_has_moved, x)) if isinstance(x, tuple) else bool(np.any(np.imag(x)))


def settled(name: str, found: Any, z: Any) -> Any:
    """The recorded value z with the imaginary part that was found; z itself where that is zero.

    Where z is infinite there is no slope: the imaginary part is NaN.
    """
    if isinstance(z, tuple):
        return tuple(settled(name, f, part) for f, part in zip(found, z, strict=True))
    if not np.iscomplexobj(found) or not _has_moved(found):
        return z
    if np.iscomplexobj(z):
        raise NotAnalytic(f"{name} gives complex numbers, and a complex step starts from real ones")
    imaginary = np.where(np.isfinite(z) | (np.imag(found) == 0), np.imag(found), np.nan)
    if not shape_of(z):
        return complex(float(z), float(imaginary))
    moved = np.array(z, dtype=complex)
    moved.imag = imaginary
    return moved


def _again(tape: Columns, op: Any, left: Any, right: Any, values: list[Any], z: Any) -> Any:
    """A row computed again with complex operands."""
    operands = op.arguments(left, right, values)
    if hasattr(op, "value_complex"):
        return op.value_complex(*operands)
    if not op.array:
        return value_of(op.rule, "complex")(*map(_as_number, operands))
    if isinstance(op, EntryOperation):
        return value_by_entry(op.rule, operands, z)
    if isinstance(op, ComposedOperation):
        inner = op.inner_at(op.arguments(left, right, tape.values))
        return _composed(op, inner, operands, z)
    if isinstance(op, MoveOperation):
        return _moved(op, operands, z)
    if isinstance(op, Part):
        return op.value(*operands)
    if _complex_part(z) or any(map(np.iscomplexobj, op.arguments(left, right, tape.values))):
        raise NotAnalytic(f"{op.name} is of complex numbers, and a complex step starts from real ones")
    if op.name in AS_THEY_STAND:
        return op.value(*operands)
    if op.name in CONTINUED:
        return CONTINUED[op.name](z, *operands, **op.options)
    raise NotAnalytic(REASONS.get(op.name, f"{op.name} is not known for complex numbers"))


def _complex_part(z: Any) -> bool:
    return any(map(np.iscomplexobj, z)) if isinstance(z, tuple) else np.iscomplexobj(z)


def _as_number(x: Any) -> Any:
    """A number of NumPy as one of Python."""
    if not isinstance(x, np.generic) and not (type(x) is np.ndarray and not x.ndim):
        return x
    number = x.item()
    return number.real if isinstance(number, complex) and not number.imag else number


def _composed(op: ComposedOperation, inner: Columns, operands: Sequence[Any], z: Any) -> Any:
    """A function written in others: the same through its own tape."""
    moved = {seed: x for seed, x in zip(op.seeds, operands, strict=True) if _has_moved(x)}
    values = replay_complex(inner, moved)
    results = [out if row is None else values[row] for row, out in op.outputs]
    return tuple(results) if isinstance(z, tuple) else results[0]


def _moved(op: MoveOperation, operands: Sequence[Any], z: Any) -> Any:
    """Entries that only move, to where they were recorded to go: an order of them is a decision."""
    out = np.array(z, dtype=complex)
    for (mask, places), x in zip(op.masks, operands, strict=True):
        out[mask] = np.reshape(x, -1)[places]
    return out


# ---- rows of the derivative table, entry by entry ------------------------------------------------

# NumPy's functions that are analytic, and keep the digits of a tiny imaginary part.
_ANALYTIC: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "exp": np.exp,
    "exp2": lambda a: np.exp(a * np.log(2.0)),
    "expm1": np.expm1,
    "sin": np.sin,
    "cos": np.cos,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
}


def value_by_entry(rule: Rule, operands: Sequence[Any], z: Any = None) -> Any:
    """A primitive of the table on arrays, of which some entries have an imaginary part; z is its value without.

    Raises NotAnalytic where an entry that has one is at a kink, or the primitive has no continuation.

    >>> from ad_magic.rules import RULES
    >>> value_by_entry(RULES["abs"], [np.array([-2 + 1e-20j, 3, 0])])
    array([2.-1.e-20j, 3.+0.e+00j, 0.+0.e+00j])
    """
    if z is None:
        from .by_entries import entry_function

        z = entry_function(rule.name)(*map(np.real, operands))
    moved = np.broadcast_to(np.any(np.broadcast_arrays(*(np.imag(x) != 0 for x in operands)), axis=0), shape_of(z))
    out = np.array(z, dtype=complex)
    whole = [np.broadcast_to(x, moved.shape)[moved] for x in operands]
    if rule.name == "square":
        out[moved] = whole[0] * whole[0]
    elif rule.name in _ANALYTIC:
        out[moved] = _ANALYTIC[rule.name](*whole)
    elif rule.name == "pow" and _is_whole(whole[1]):
        out[moved] = np.power(whole[0], np.real(whole[1]))  # by multiplication
    else:
        continued = value_of(rule, "complex")
        entries = zip(*(x.tolist() for x in whole), strict=True)
        out[moved] = [
            continued(*(x.real if type(x) is complex and not x.imag else x for x in entry)) for entry in entries
        ]
    return out


def _is_whole(exponent: Any) -> bool:
    real = np.real(exponent)
    return not np.any(np.imag(exponent)) and bool(np.all((real == np.rint(real)) & (np.abs(real) < 100)))


# ---- primitives with a function pair -------------------------------------------------------------

# Analytic as NumPy has them: sums of products, quotients, and entries that go to other places.
AS_THEY_STAND = frozenset({
    "sum", "mean", "prod", "cumsum", "cumprod", "matmul", "dot", "tensordot", "einsum", "item", "reshape", "transpose",
    "concatenate", "stack", "array", "where", "entries", "scattered", "placed", "inv", "solve", "det", "matrix_power",
    "lu", "expm", "fftshift", "ifftshift",
})  # fmt: skip

# Why there is no complex step: one line for the report.
_CONJUGATES = "{} conjugates complex numbers, which is not analytic"
REASONS: dict[str, str] = {
    **{name: _CONJUGATES.format(name) for name in ("qr", "eigh", "eigvalsh", "svd", "svdvals", "pinv", "lstsq")},
    **{name: f"{name} may give complex numbers in another order" for name in ("eig", "eigvals")},
    "angle": "angle is piecewise constant on real numbers",
}


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    """The greatest or the smallest by the real parts."""

    def continued(z: Any, x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
        real, imag = np.real(x), np.imag(x)
        chosen = real == function(real, axis=axis, keepdims=True, **options)
        if options.get("where") is not None:
            chosen = chosen & options["where"]
        found = np.max(np.where(chosen, imag, -np.inf), axis=axis, keepdims=True)
        if np.any(chosen & (imag != found)):
            raise NotAnalytic(f"{function.__name__} has no derivative at a tie")
        return 1j * np.reshape(np.where(found == -np.inf, 0.0, found), shape_of(z))

    return continued


def _slogdet(z: Any, a: Any) -> Any:
    """log det a is analytic; the phase of a complex determinant is its imaginary part."""
    sign = np.linalg.slogdet(a)[0]
    return z[0], 1j * np.imag(sign * z[0])


def _cholesky(z: Any, a: Any, upper: bool = False) -> Any:
    """a = L L^T, column by column, from the triangle that is read (Golub & Van Loan, 4.2)."""
    lower = np.swapaxes(a, -1, -2) if upper else a
    out = np.zeros(lower.shape, complex)
    for j in range(lower.shape[-1]):
        rest = lower[..., j:, j] - (out[..., j:, :j] @ out[..., j, :j, None])[..., 0]
        out[..., j:, j] = rest / np.sqrt(rest[..., :1])
    return np.swapaxes(out, -1, -2) if upper else out


def _norm(z: Any, x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    """The root of the sum of the squares; the other norms from the absolute values."""
    order = options.get("ord")
    matrix = len(axis) == 2 if isinstance(axis, tuple) else axis is None and order is not None and np.ndim(x) == 2
    along = axis if axis is not None or order is None else tuple(range(np.ndim(x)))
    if matrix and order not in (None, "fro"):
        if order in (2, -2, "nuc"):
            raise NotAnalytic(_CONJUGATES.format("the norm by singular values"))
        first, second = axis if isinstance(axis, tuple) else (0, 1)
        inner = first if abs(order) == 1 else second
        sums = np.sum(_sized(x), axis=inner, keepdims=True)
        return _extreme(np.max if order > 0 else np.min)(z, sums, axis=(first, second))
    if order in (None, "fro", 2):
        size = np.max(np.abs(np.real(x)), initial=0.0) or 1.0  # a square may overflow
        squares = np.sum((x / size) * (x / size), axis=along, keepdims=keepdims)
        return size * _except_at_zero(np.sqrt, squares)
    if order in (np.inf, -np.inf):
        return _extreme(np.max if order > 0 else np.min)(z, _sized(x), axis=along, keepdims=keepdims)
    if order == 0:
        return z
    powers = np.sum(_sized(x) ** order, axis=along, keepdims=keepdims)
    return _except_at_zero(lambda s: s ** (1 / order), powers)


def _sized(x: Any) -> Any:
    """|x| on either side of its corner."""
    if np.any((np.real(x) == 0) & (np.imag(x) != 0)):
        raise NotAnalytic("abs has no derivative at 0")
    return np.where(np.real(x) < 0, -x, x)


def _except_at_zero(root: Callable[..., Any], sums: Any) -> Any:
    """A root of sums. The square of a tiny imaginary number alone is negative."""
    if np.any((np.real(sums) <= 0) & (sums != 0)):
        raise NotAnalytic("norm has a corner at 0")
    return root(sums)


def _logsumexp(z: Any, a: Any, b: Any = 1.0, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.sum(b * np.exp(a - np.max(np.real(a))), axis=axis, keepdims=keepdims) + 0j)


def _softmax(z: Any, x: Any, axis: Any = None) -> Any:
    powers = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def _by_parts(function: Callable[..., Any]) -> Callable[..., Any]:
    """A linear function of real numbers that takes complex ones for something else."""

    def continued(z: Any, a: Any, **options: Any) -> Any:
        return 1j * function(np.imag(a), **options)

    return continued


# z is the recorded value; only the imaginary part of what is returned is used.
CONTINUED: dict[str, Callable[..., Any]] = {
    "max": _extreme(np.max),
    "min": _extreme(np.min),
    "slogdet": _slogdet,
    "cholesky": _cholesky,
    "norm": _norm,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": lambda z, x, axis=None: np.log(_softmax(z, x, axis)),
    "real": lambda z, a: a,
    "conj": lambda z, a: a,
    "imag": lambda z, a: z,
    "modulus": lambda z, a: _sized(a),
    "astype": lambda z, a, dtype: a,
    **{name: _by_parts(getattr(np.fft, name)) for name in ("irfft", "irfft2", "irfftn", "hfft")},
}
