"""Products of arrays, traces, norms, condition numbers as programs in other NumPy functions."""

from __future__ import annotations

import functools
import operator
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .composed_parts import Body, axes_of, double_only, operand

# ---- products ------------------------------------------------------------------------------------


def kron(a: Any, b: Any) -> Any:
    """Axes of a and b side by side, multiplied, merged in pairs."""
    a, b = operand(a), operand(b)
    n = max(np.ndim(a), np.ndim(b))
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    left = (1,) * (n - np.ndim(a)) + np.shape(a)
    right = (1,) * (n - np.ndim(b)) + np.shape(b)
    a = np.reshape(a, tuple(length for k in range(n) for length in (left[k], 1)))
    b = np.reshape(b, tuple(length for k in range(n) for length in (1, right[k])))
    return np.reshape(a * b, tuple(left[k] * right[k] for k in range(n)))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    """The vector product; a vector of two entries has 0 for its third."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = operand(a), operand(b)
    if np.ndim(a) < 1 or np.ndim(b) < 1:
        raise ValueError("At least one array has zero dimension")
    a = np.moveaxis(a, axes_of(axisa, np.ndim(a)), (-1,))
    b = np.moveaxis(b, axes_of(axisb, np.ndim(b)), (-1,))
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError("incompatible dimensions for cross product\n(dimension must be 2 or 3)")
    flat = a.shape[-1] == b.shape[-1] == 2
    if 2 in (a.shape[-1], b.shape[-1]):
        np.cross(np.zeros(a.shape[-1]), np.zeros(b.shape[-1]))  # warns of it, or refuses it from NumPy 2.5 on
    a0, a1, b0, b1 = a[..., 0], a[..., 1], b[..., 0], b[..., 1]
    third = a0 * b1 - a1 * b0
    if flat:
        return third
    (axisc,) = axes_of(axisc, np.ndim(third) + 1)
    zero = np.zeros((), int)
    a2 = a[..., 2] if a.shape[-1] == 3 else zero
    b2 = b[..., 2] if b.shape[-1] == 3 else zero
    return np.stack((a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, third), axis=axisc)


def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The vector product of vectors of three entries."""
    x1, x2 = operand(x1), operand(x2)
    if np.shape(x1)[axis] != 3 or np.shape(x2)[axis] != 3:
        raise ValueError(
            "Both input arrays must be (arrays of) 3-dimensional vectors, "
            f"but they are {np.shape(x1)[axis]} and {np.shape(x2)[axis]} dimensional instead."
        )
    return cross(x1, x2, axis=axis)


def vdot(a: Any, b: Any, /) -> Any:
    """Σ conj(a) b over all entries."""
    a, b = np.reshape(operand(a), -1), np.reshape(operand(b), -1)
    if len(a) != len(b):
        raise ValueError(f"cannot reshape array of size {len(a)} into shape ({len(b)},)")
    return np.dot(np.conjugate(a) if np.iscomplexobj(a) else a, b)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Σ conj(x1) x2 along one axis."""
    x1, x2 = np.moveaxis(operand(x1), axis, -1), np.moveaxis(operand(x2), axis, -1)
    if x1.shape[-1] != x2.shape[-1]:
        raise ValueError(f"vecdot: the axes have different lengths, {x1.shape[-1]} and {x2.shape[-1]}")
    return np.sum((np.conjugate(x1) if np.iscomplexobj(x1) else x1) * x2, axis=-1)


def matvec(x1: Any, x2: Any, /) -> Any:
    """Matrices times vectors, stacked."""
    return (operand(x1) @ operand(x2)[..., None])[..., 0]


def vecmat(x1: Any, x2: Any, /) -> Any:
    """Conjugated vectors times matrices, stacked."""
    x1 = operand(x1)
    return ((np.conjugate(x1) if np.iscomplexobj(x1) else x1)[..., None, :] @ operand(x2))[..., 0, :]


def linalg_outer(x1: Any, x2: Any, /) -> Any:
    """x1ᵢ x2ⱼ."""
    x1, x2 = operand(x1), operand(x2)
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(
            f"Input arrays must be one-dimensional, but they are x1.ndim={np.ndim(x1)} and x2.ndim={np.ndim(x2)}."
        )
    return np.outer(x1, x2)


def linalg_matmul(x1: Any, x2: Any, /) -> Any:
    """x1 @ x2."""
    return np.matmul(operand(x1), operand(x2))


def linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """np.tensordot."""
    return np.tensordot(operand(x1), operand(x2), axes=axes)


def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """The matrix product of a chain, in the order with the fewest multiplications.

    Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, section 15.2.
    """
    double_only("np.linalg.multi_dot", None, out)
    n = len(arrays)
    if n < 2:
        raise ValueError("Expecting at least two arrays.")
    factors = [operand(a) for a in arrays]
    if n == 2:
        return np.dot(factors[0], factors[1])
    for a in factors[1:-1]:
        if np.ndim(a) != 2:
            raise np.linalg.LinAlgError(f"{np.ndim(a)}-dimensional array given. Array must be two-dimensional")
    ends = np.ndim(factors[0]), np.ndim(factors[-1])
    if not set(ends) <= {1, 2}:
        raise np.linalg.LinAlgError(f"{max(ends)}-dimensional array given. Array must be two-dimensional")
    rows = [1 if np.ndim(factors[0]) == 1 else len(factors[0]), *(len(a) for a in factors[1:])]
    sizes = [*rows, 1 if ends[1] == 1 else factors[-1].shape[1]]

    @functools.cache
    def cheapest(i: int, j: int) -> tuple[int, int]:
        """The cost of the factors i to j, and the last factor of the left half."""
        if i == j:
            return 0, i
        return min(
            (cheapest(i, k)[0] + cheapest(k + 1, j)[0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
        )

    def product(i: int, j: int) -> Any:
        if i == j:
            return factors[i]
        k = cheapest(i, j)[1]
        return product(i, k) @ product(k + 1, j)

    return product(0, n - 1)


def matrix_power(a: Any, n: Any) -> Any:
    """Repeated squaring."""
    a = operand(a)
    if np.ndim(a) < 2:
        raise np.linalg.LinAlgError(f"{np.ndim(a)}-dimensional array given. Array must be at least two-dimensional")
    if a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    try:
        n = operator.index(n)
    except TypeError as error:
        raise TypeError("exponent must be an integer") from error
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), np.shape(a))
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:
        return a @ a @ a
    result, square = None, a
    while True:
        n, bit = divmod(n, 2)
        if bit:
            result = square if result is None else result @ square
        if not n:
            return result
        square = square @ square


# ---- traces, norms, condition --------------------------------------------------------------------


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """The sum of the diagonal."""
    double_only("np.trace", dtype, out)
    return np.sum(np.diagonal(operand(a), offset=offset, axis1=axis1, axis2=axis2), axis=-1)


def linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of the diagonal of the last two axes."""
    return trace(x, offset, -2, -1, dtype)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm over the last two axes."""
    return np.linalg.norm(operand(x), ord=ord, axis=(-2, -1), keepdims=keepdims)


def vector_norm(
    x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2
) -> Any:  # fmt: skip
    """The vector norm over any axes, as if they were one."""
    x = operand(x)
    axes = axes_of(axis, np.ndim(x))
    if axis is not None and not isinstance(axis, tuple):
        return np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)
    rest = tuple(k for k in range(np.ndim(x)) if k not in axes)
    merged = np.reshape(np.transpose(x, axes + rest), (-1, *(np.shape(x)[k] for k in rest)))
    norm = np.linalg.norm(merged, ord=ord, axis=0)
    return (
        np.reshape(norm, tuple(1 if k in axes else length for k, length in enumerate(np.shape(x))))
        if keepdims
        else norm
    )


def svdvals(x: Any, /) -> Any:
    """The singular values."""
    return np.linalg.svd(operand(x), compute_uv=False)


def cond(x: Any, p: Any = None) -> Any:
    """The quotient of the extreme singular values, or ‖x‖ ‖x⁻¹‖; infinite where x is singular."""
    x = operand(x)
    if np.size(x) == 0 and 0 in np.shape(x)[-2:]:
        raise np.linalg.LinAlgError("cond is not defined on empty arrays")
    with np.errstate(all="ignore"):
        if p is None or p in (2, -2):
            s = np.linalg.svd(x, compute_uv=False)
            least, greatest = s[..., -1], s[..., 0]
            result = np.true_divide(least, greatest) if p == -2 else np.true_divide(greatest, least)
        else:
            result = _norm_product(x, p)
    singular = np.isnan(result) & ~np.any(np.isnan(x), axis=(-2, -1))
    return np.where(singular, np.inf, result) if np.any(singular) else result


def _norm_product(x: Any, p: Any) -> Any:
    try:
        return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, axis=(-2, -1))
    except np.linalg.LinAlgError:
        if np.ndim(x) == 2 and x.shape[0] == x.shape[1] and p in ("fro", "nuc", np.inf, -np.inf, 1, -1):
            return np.inf  # singular
        if np.ndim(x) < 3:
            raise
        return np.stack([_norm_product(x[k], p) for k in range(len(x))])  # one of them is singular


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of a as a matrix from its last axes to its first `ind`."""
    a = operand(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = np.shape(a)
    rows = int(np.prod(shape[ind:], dtype=int))
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), shape[ind:] + shape[:ind])


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """x with tensordot(a, x) = b."""
    a, b = operand(a), operand(b)
    n = np.ndim(a)
    if axes is not None:
        order = list(range(n))
        for k in axes:
            order.remove(k)
            order.insert(n, k)
        a = np.transpose(a, order)
    shape = np.shape(a)[-(n - np.ndim(b)) :]
    size = int(np.prod(shape, dtype=int))
    if np.size(a) != size**2:
        raise np.linalg.LinAlgError(
            "Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])"
        )
    return np.reshape(np.linalg.solve(np.reshape(a, (size, size)), np.reshape(b, -1)), shape)


BODIES: dict[str, Body] = {
    "np.kron": kron,
    "np.cross": cross,
    "np.vdot": vdot,
    "np.vecdot": vecdot,
    "np.matvec": matvec,
    "np.vecmat": vecmat,
    "np.trace": trace,
    "np.linalg.cross": linalg_cross,
    "np.linalg.vecdot": vecdot,
    "np.linalg.outer": linalg_outer,
    "np.linalg.matmul": linalg_matmul,
    "np.linalg.tensordot": linalg_tensordot,
    "np.linalg.trace": linalg_trace,
    "np.linalg.multi_dot": multi_dot,
    "np.linalg.matrix_power": matrix_power,
    "np.linalg.matrix_norm": matrix_norm,
    "np.linalg.vector_norm": vector_norm,
    "np.linalg.svdvals": svdvals,
    "np.linalg.cond": cond,
    "np.linalg.tensorinv": tensorinv,
    "np.linalg.tensorsolve": tensorsolve,
}
