"""Products of matrices and tensors (Giles 2008, "Collected matrix derivative results", section 2)."""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .rule import ArrayRule, conj


def _turned(x: Any) -> Any:
    return conj(x).T if x.ndim == 2 else np.swapaxes(conj(x), -1, -2)


def _pull_matmul(k: int, g: Any, z: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1 and b.ndim == 1:
        return g * conj(b if k == 0 else a)
    if k == 0:
        if b.ndim == 1:
            return g[..., None] * conj(b)
        if a.ndim == 1:
            return np.matmul(conj(b), g[..., None])[..., 0]
        return g @ _turned(b)
    if a.ndim == 1:
        return conj(a)[:, None] * g[..., None, :]
    if b.ndim == 1:
        return np.matmul(_turned(a), g[..., None])[..., 0]
    return _turned(a) @ g


# ---- einsum --------------------------------------------------------------------------------------


def parsed(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """The subscripts of each operand and of the result, written out: no ellipsis, no implicit result.

    >>> parsed("ij,jk", [2, 2]), parsed("...j,j->...", [3, 1])
    ((['ij', 'jk'], 'ik'), (['ABj', 'j'], 'AB'))
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    free = iter(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in subscripts)
    counts = [n - len(t.replace("...", "")) if "..." in t else 0 for t, n in zip(terms, ndims, strict=True)]
    letters = "".join(next(free) for _ in range(max(counts, default=0)))
    terms = [t.replace("...", letters[len(letters) - c :]) for t, c in zip(terms, counts, strict=True)]
    if arrow:
        return terms, output.replace("...", letters)
    every = "".join(terms)
    return terms, letters + "".join(c for c in sorted(set(every) - set(letters)) if every.count(c) == 1)


def _value_einsum(*operands: Any, subscripts: str) -> Any:
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


def _pull_einsum(k: int, g: Any, z: Any, *operands: Any, subscripts: str) -> Any:
    shapes = [getattr(x, "shape", ()) for x in operands]  # the adjoint of a number is one, and may be an operand
    terms, output = parsed(subscripts, list(map(len, shapes)))
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            sizes[letter] = max(n, sizes.get(letter, 1))
    others = [(t, conj(x)) for j, (t, x) in enumerate(zip(terms, operands, strict=True)) if j != k]
    factors: list[tuple[str, Any]] = [(output, g), *others]
    free = (c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in "".join(terms))
    target = ""
    for letter in terms[k]:
        if letter in target:  # "ii": only the diagonal is used
            again = next(free)
            factors.append((letter + again, np.eye(sizes[letter])))
            target += again
        else:
            if not any(letter in t for t, _ in factors):  # it is summed over in this operand alone
                factors.append((letter, np.ones(sizes[letter])))
            target += letter
    result = f"{','.join(t for t, _ in factors)}->{target}"
    return np.einsum(result, *[x for _, x in factors], optimize=len(factors) > 2)


def _tensordot_subscripts(a: Any, b: Any, axes: Any) -> str:
    if isinstance(axes, int | np.integer):
        first: Any = range(a.ndim - axes, a.ndim)
        second: Any = range(axes)
    else:
        first, second = ([x] if isinstance(x, int | np.integer) else list(x) for x in axes)
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    left = [next(letters) for _ in range(a.ndim)]
    right = [next(letters) for _ in range(b.ndim)]
    for i, j in zip(first, second, strict=True):
        right[j % b.ndim] = left[i % a.ndim]
    shared = {left[i % a.ndim] for i in first}
    output = [c for c in left if c not in shared] + [c for c in right if c not in shared]
    return f"{''.join(left)},{''.join(right)}->{''.join(output)}"


def _pull_tensordot(k: int, g: Any, z: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    return _pull_einsum(k, g, z, a, b, subscripts=_tensordot_subscripts(a, b, axes))


RULES = (
    ArrayRule("matmul", np.matmul, ("a", "b"), (), _pull_matmul),
    ArrayRule("dot", np.dot, ("a", "b"), (), _pull_matmul),  # of at most two axes each
    ArrayRule("tensordot", np.tensordot, ("a", "b"), ("axes",), _pull_tensordot),
    ArrayRule("einsum", _value_einsum, (), ("subscripts",), _pull_einsum),
)
