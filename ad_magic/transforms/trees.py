"""Values that hold numbers: lists, tuples, dicts and dataclasses of them, one in another.

A *leaf* is a real number or an array of real numbers; what else a container holds (a name, a flag, None, a function) is
part of its shape. Dicts keep their order.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

IsLeaf = Callable[[Any], bool]


def leaves(tree: Any, is_leaf: IsLeaf) -> list[Any]:
    """The leaves of a tree, in order.

    >>> leaves({"w": [1.0, 2.0], "name": "a"}, lambda x: type(x) is float)
    [1.0, 2.0]
    """
    return list(_leaves(tree, is_leaf))


def _leaves(tree: Any, is_leaf: IsLeaf) -> Iterator[Any]:
    if is_leaf(tree):
        yield tree
        return
    for part in parts(tree):
        yield from _leaves(part, is_leaf)


def rebuilt(tree: Any, new: Iterable[Any], is_leaf: IsLeaf) -> Any:
    """A tree of the same shape with other leaves, taken in order; a leaf may become a tree itself.

    >>> rebuilt((1.0, {"b": 2.0}), [3.0, 4.0], lambda x: type(x) is float)
    (3.0, {'b': 4.0})
    """
    return _build(tree, iter(new), is_leaf)


def _build(part: Any, supply: Iterator[Any], is_leaf: IsLeaf) -> Any:
    if is_leaf(part):
        return next(supply)
    return _with_parts(part, [_build(x, supply, is_leaf) for x in parts(part)])


def is_container(x: Any) -> bool:
    """Whether x may hold leaves.

    >>> is_container([]), is_container("text")
    (True, False)
    """
    return isinstance(x, (list, tuple, dict)) or (dataclasses.is_dataclass(x) and not isinstance(x, type))


def same_shape(a: Any, b: Any, is_leaf: IsLeaf) -> bool:
    """Whether two trees have their leaves at the same places; the keys of dicts may stand in another order.

    >>> same_shape([1.0, (2.0,)], [3.0, (4.0,)], lambda x: type(x) is float)
    True
    """
    if is_leaf(a) or is_leaf(b):
        return is_leaf(a) and is_leaf(b)
    if not is_container(a):
        return not is_container(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_shape(a[key], b[key], is_leaf) for key in a)
    both = list(parts(a)), list(parts(b))
    return len(both[0]) == len(both[1]) and all(same_shape(x, y, is_leaf) for x, y in zip(*both, strict=True))


def leaves_like(tree: Any, other: Any, is_leaf: IsLeaf) -> list[Any]:
    """The leaves of another tree of the same shape, in the order of those of the first.

    >>> leaves_like({"a": 1.0, "b": 2.0}, {"b": 20.0, "a": 10.0}, lambda x: type(x) is float)
    [10.0, 20.0]
    """
    if is_leaf(tree):
        return [other]
    if isinstance(tree, dict):
        pairs = [(x, other[key]) for key, x in tree.items()]
    else:
        pairs = list(zip(parts(tree), parts(other), strict=True))
    return [leaf for x, y in pairs for leaf in leaves_like(x, y, is_leaf)]


def parts(x: Any) -> Iterable[Any]:
    """What a container holds, in order."""
    if isinstance(x, dict):
        return x.values()
    if isinstance(x, (list, tuple)):
        return x
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return [getattr(x, field.name) for field in dataclasses.fields(x)]
    return ()


def _with_parts(x: Any, new_parts: list[Any]) -> Any:
    if isinstance(x, dict):
        new = copy.copy(x)  # a defaultdict stays one
        new.update(zip(x, new_parts, strict=True))
        return new
    if isinstance(x, tuple):
        return type(x)(*new_parts) if hasattr(x, "_fields") else type(x)(new_parts)
    if isinstance(x, list):
        return type(x)(new_parts)
    if is_container(x):
        new = copy.copy(x)
        for field, part in zip(dataclasses.fields(x), new_parts, strict=True):
            object.__setattr__(new, field.name, part)  # also where it is frozen
        return new
    return x
