"""Functions of arrays that a program in torch brings along, as `torch_library.py` has those of numbers."""

from __future__ import annotations

from typing import Any

from .shared_library import moved
from .torch_library import same

torch: Any = None  # the program imports them
np: Any = None


def cast(x: Any, kind: str) -> Any:
    """x.astype(kind)"""
    return x.to(getattr(torch, kind))


def at(x: Any, index: Any) -> Any:
    """x[index], also backwards"""
    return moved(x, lambda places: places[index])


def delete(x: Any, where: Any, axis: Any = None) -> Any:
    """np.delete"""
    return moved(x, lambda places: np.delete(places, where, axis))


def resize(x: Any, shape: Any) -> Any:
    """np.resize"""
    return moved(x, lambda places: np.resize(places, shape))


def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    """np.rollaxis"""
    return moved(x, lambda places: np.rollaxis(places, axis, start))


def total(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """x.sum(), over all axes or some."""
    return torch.sum(x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """x.mean(), over all axes or some."""
    return torch.mean(x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)


def greatest_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """x.max(); equal entries share the derivative."""
    return torch.amax(x, dim=() if axis is None else axis, keepdim=keepdims)


def least_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """x.min(); equal entries share the derivative."""
    return torch.amin(x, dim=() if axis is None else axis, keepdim=keepdims)


def product(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """x.prod(), over all axes or some."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for k in sorted((k % x.ndim for k in axes), reverse=True):
        x = torch.prod(x, dim=k, keepdim=keepdims)
    return x


def cumsum(x: Any, axis: Any = None) -> Any:
    """np.cumsum"""
    return torch.cumsum(x.reshape(-1), 0) if axis is None else torch.cumsum(x, axis)


def cumprod(x: Any, axis: Any = None) -> Any:
    """np.cumprod"""
    return torch.cumprod(x.reshape(-1), 0) if axis is None else torch.cumprod(x, axis)


def dot(a: Any, b: Any) -> Any:
    """np.dot"""
    a, b = same(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return torch.tensordot(a, b, dims=([a.ndim - 1], [max(b.ndim - 2, 0)])) if a.ndim + b.ndim > 4 else a @ b


def outer(a: Any, b: Any) -> Any:
    """np.outer"""
    a, b = same(a, b)
    return a.reshape(-1)[:, None] * b.reshape(-1)


def inner(a: Any, b: Any) -> Any:
    """np.inner"""
    a, b = same(a, b)
    return a * b if a.ndim == 0 or b.ndim == 0 else torch.tensordot(a, b, dims=([a.ndim - 1], [b.ndim - 1]))


def vdot(a: Any, b: Any) -> Any:
    """np.vdot"""
    a, b = same(a, b)
    return (a.reshape(-1).conj() * b.reshape(-1)).sum()


def einsum(formula: str, *operands: Any, optimize: Any = None) -> Any:
    """np.einsum"""
    return torch.einsum(formula, *same(*operands))


def reshape(x: Any, shape: Any, order: str = "C") -> Any:
    """np.reshape"""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if order != "F":
        return x.reshape(shape)
    return x.permute(*reversed(range(x.ndim))).reshape(shape[::-1]).permute(*reversed(range(len(shape))))


def ravel(x: Any, order: str = "C") -> Any:
    """np.ravel"""
    return (x.permute(*reversed(range(x.ndim))) if order == "F" else x).reshape(-1)


def transpose(x: Any, axes: Any = None) -> Any:
    """np.transpose"""
    return x.permute(*(reversed(range(x.ndim)) if axes is None else axes))


def concatenate(parts: Any, axis: Any = 0) -> Any:
    """np.concatenate"""
    parts = same(*parts)
    return torch.cat([x.reshape(-1) for x in parts]) if axis is None else torch.cat(parts, axis)


def column_stack(parts: Any) -> Any:
    """np.column_stack"""
    return torch.cat([x[:, None] if x.ndim == 1 else x for x in same(*parts)], 1)


def stack(parts: Any, axis: int = 0) -> Any:
    """np.stack"""
    return torch.stack(same(*parts), axis)


def append(x: Any, values: Any, axis: Any = None) -> Any:
    """np.append"""
    x, values = same(x, values)
    return torch.cat([x.reshape(-1), values.reshape(-1)]) if axis is None else torch.cat([x, values], axis)


def broadcast_to(x: Any, shape: Any) -> Any:
    """np.broadcast_to"""
    return torch.broadcast_to(x, (shape,) if isinstance(shape, int) else shape)


def flip(x: Any, axis: Any = None) -> Any:
    """np.flip"""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return torch.flip(x, tuple(axes))


def tile(x: Any, reps: Any) -> Any:
    """np.tile"""
    return torch.tile(x, (reps,) if isinstance(reps, int) else tuple(reps))


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    """np.repeat"""
    counts = torch.as_tensor(repeats, device=x.device)
    return torch.repeat_interleave(x.reshape(-1) if axis is None else x, counts, 0 if axis is None else axis)


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """np.take"""
    where = torch.as_tensor(indices, device=x.device)
    if axis is None:
        return x.reshape(-1)[where]
    return x[(*[slice(None)] * (axis % x.ndim), where)]


def take_along_axis(x: Any, indices: Any, axis: Any = -1) -> Any:
    """np.take_along_axis"""
    return torch.take_along_dim(x, torch.as_tensor(indices, device=x.device), axis)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """np.diagonal"""
    return torch.diagonal(x, offset, axis1, axis2)


def split(x: Any, parts: Any, axis: int = 0) -> Any:
    """np.split"""
    return torch.tensor_split(x, parts if isinstance(parts, int) else tuple(map(int, parts)), axis)


def pad(x: Any, width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """np.pad, with numbers or with entries of its own"""
    if mode != "constant":
        return moved(x, lambda places: np.pad(places, width, mode))
    shape = tuple(x.shape)
    places = np.pad(1 + np.arange(x.numel()).reshape(shape), width)  # 0 beside
    beside = torch.as_tensor(np.pad(np.zeros(shape), width, constant_values=constant_values)).to(x)
    return torch.cat([x.new_zeros(1), x.reshape(-1)])[torch.as_tensor(places)] + beside


def isin(x: Any, among: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """np.isin"""
    return torch.isin(*same(x, among), invert=invert)


def searchsorted(x: Any, values: Any, side: str = "left") -> Any:
    """np.searchsorted"""
    x, values = same(x, values)
    return torch.searchsorted(x.contiguous(), values.contiguous(), side=side)


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """np.digitize"""
    x, bins = same(x, bins)
    if bins[0] > bins[-1]:
        return len(bins) - torch.bucketize(x, bins.flip(0), right=not right)
    return torch.bucketize(x, bins, right=not right)


def imag(x: Any) -> Any:
    """np.imag"""
    return x.imag if x.is_complex() else torch.zeros_like(x)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002 - NumPy's name for it
    """np.linalg.norm"""
    return torch.linalg.norm(x.reshape(-1) if ord is None and axis is None and not keepdims else x, ord, axis, keepdims)


def meshgrid(*parts: Any, indexing: str = "xy") -> Any:
    """np.meshgrid"""
    return torch.meshgrid(*same(*parts), indexing=indexing)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """np.linalg.lstsq: the solution, the residuals, as far as torch has them"""
    a, b = same(a, b)
    x = torch.linalg.lstsq(a, b if b.ndim > 1 else b[:, None]).solution
    rest = ((a @ x - b.reshape(a.shape[0], -1)) ** 2).sum(0)
    return x.reshape(a.shape[1], *b.shape[1:]), rest if a.shape[0] > a.shape[1] else rest[:0]


def qr(a: Any, mode: str = "reduced") -> Any:
    """np.linalg.qr"""
    return torch.linalg.qr(a)[1] if mode == "r" else torch.linalg.qr(a, mode)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """np.linalg.svd"""
    return torch.linalg.svd(a, full_matrices) if compute_uv else torch.linalg.svdvals(a)
