"""What a program in torch brings along, besides the `shared_library`: what torch has no function for, or has otherwise.

The source of these functions becomes part of a program; nothing here runs otherwise, and torch is not imported.
"""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

torch: Any = None  # the program imports them
np: Any = None


def floats(x: Any, like: Any = None) -> Any:
    """Numbers as a tensor of floats; those of Python in double precision, or in that of their neighbours."""
    if isinstance(x, (list, tuple)):
        parts = [part if isinstance(part, (int, float)) else floats(part, like) for part in x]
        if any(isinstance(part, torch.Tensor) for part in parts):
            return torch.stack(same(*parts))
        x = np.array(x, dtype=float)
    device = None if like is None else like.device
    if not isinstance(x, torch.Tensor):
        kind = torch.float64 if isinstance(x, (int, float)) else None
        x = torch.as_tensor(x, dtype=kind, device=device)
    return x if x.is_floating_point() or x.is_complex() else x.to(torch.float64)


def same(*values: Any) -> Any:
    """Tensors of one type, on one device; numbers take those of the tensors."""
    tensors = [x for x in values if isinstance(x, torch.Tensor)]
    kind = reduce(torch.promote_types, [x.dtype for x in tensors])
    if not (kind.is_floating_point or kind.is_complex):
        kind = torch.float64
    return [torch.as_tensor(x, dtype=kind, device=tensors[0].device) for x in values]


def beside(x: Any, *inputs: Any) -> Any:
    """A constant array on the device of the inputs and, if it is one of floats, in their precision."""
    kind = reduce(torch.promote_types, [one.dtype for one in inputs])
    return x.to(inputs[0].device, kind if x.is_floating_point() else x.dtype)


def holds(condition: Any, otherwise: str) -> Any:
    """Whether a decision comes out as recorded: an error if not, a condition where vmap or a compiler cannot know."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return condition
    try:
        known = bool(condition)
    except RuntimeError:
        return condition
    if not known:
        raise AssertionError(otherwise)
    return True


def array_equal(a: Any, b: Any, equal_nan: bool = False) -> Any:
    """Whether two arrays are the same."""
    a, b = (x if isinstance(x, torch.Tensor) else floats(x) for x in (a, b))
    if a.shape != b.shape:
        return False
    b = b.to(a.device)
    return ((a == b) | ((a != a) & (b != b) & equal_nan)).all()


def written(flat: Any, places: Any, value: Any) -> Any:
    """The content after an assignment, as a new tensor."""
    flat, value = same(flat, value)
    whole = torch.arange(flat.numel(), device=flat.device)[places]
    return flat.index_put((whole,), value.broadcast_to(whole.shape))


def placed(shape: Any, places: Any, entries: Any) -> Any:
    """Zeros but for some entries, in flat order."""
    size = prod(shape) if isinstance(shape, tuple) else shape
    zeros = torch.zeros(size, dtype=entries.dtype, device=entries.device)
    where = torch.arange(size, device=entries.device)[places]
    return zeros.index_put((where,), entries.broadcast_to(where.shape), accumulate=True).reshape(shape)


def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """np.isclose"""
    a, b = same(a, b)
    return torch.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """np.allclose"""
    return isclose(a, b, rtol, atol, equal_nan).all()


def heaviside(a: Any, b: Any) -> Any:
    """np.heaviside"""
    a, b = same(a, b)
    return torch.where(a == 0, b, torch.where(a != a, a, (a > 0).to(a.dtype)))


def floor_quotient(a: Any, b: Any) -> Any:
    """a // b, whose derivative is zero"""
    a, b = same(a, b)
    return torch.round((a - torch.remainder(a, b)) / b)


def gamma(x: Any) -> Any:
    """math.gamma; below zero by reflection."""
    below = x < 0.5
    right = torch.exp(torch.lgamma(torch.where(below, 1 - x, x)))
    return torch.where(below, torch.pi / (torch.sin(torch.pi * torch.where(below, x, 0.5)) * right), right)


def cbrt(x: Any) -> Any:
    """The real cube root."""
    return torch.sign(x) * torch.abs(x) ** (1 / 3)


def where(condition: Any, a: Any, b: Any) -> Any:
    """np.where"""
    a, b = same(a, b)
    return torch.where(torch.as_tensor(condition, device=a.device), a, b)


def det(a: Any) -> Any:
    """np.linalg.det; of a singular matrix by its singular values: torch's own derivative is zero there."""
    singular = (torch.linalg.det(a.detach()) == 0)[..., None, None]
    other = torch.diag(1.0 + torch.arange(a.shape[-1])).to(a)  # what is not asked for must have derivatives too
    u, s, v = torch.linalg.svd(torch.where(singular, a, other))
    sign = torch.linalg.det(u.detach()) * torch.linalg.det(v.detach())
    regular = torch.linalg.det(torch.where(singular, other, a))
    return torch.where(singular[..., 0, 0], sign * s.prod(-1), regular)
