"""Where arrays stand in memory: views, the array that owns theirs, and the numbers of their entries."""

from __future__ import annotations

from typing import Any

from ad_magic.engine.active import LostDerivative, place_in_words
from ad_magic.engine.frames import user_frame
from ad_magic.rules.arrays.frozen import np


def owner(view: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array that owns the memory in which a view stands."""
    base: Any = view.base
    while base is not None:
        if isinstance(base, np.ndarray):
            view = base
        elif not isinstance(getattr(base, "base", None), np.ndarray):  # np.lib.stride_tricks puts an object between
            break
        base = base.base
    return view


def in_memory_order(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The entries of an array that fills its memory, as they lie there: a view."""
    if a.flags.forc:
        return a.reshape(-1, order="A")
    flat = a.transpose(sorted(range(a.ndim), key=lambda k: -a.strides[k])).reshape(-1)
    if not np.may_share_memory(flat, a) or flat.strides != (a.itemsize,):
        raise LostDerivative(
            f"{place_in_words(user_frame())}: an array with gaps in its memory cannot be written to; copy it first: "
            "a = np.array(a)"
        )
    return flat


def at_same_place(view: np.ndarray[Any, Any], root: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> Any:
    """The view on `other`, an array laid out as `root` is, that `view` is on `root`."""
    if view.shape == root.shape and view.strides == root.strides and view.dtype == root.dtype:
        return other
    offset = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    flat = in_memory_order(other)
    return np.ndarray(view.shape, view.dtype, buffer=flat, offset=offset, strides=view.strides)


def entries_as_they_lie(view: np.ndarray[Any, Any], order: Any) -> np.ndarray[Any, Any]:
    """The logical numbers of the entries of a view in the order "K" or "A", which asks for their places in memory."""
    root = owner(view)
    numbers = at_same_place(view, root, np.empty_like(root, subok=False))
    numbers = np.array(numbers, dtype=np.intp, order="K") if not view.size else numbers
    numbers[...] = np.arange(view.size).reshape(view.shape)
    return numbers.ravel(order).astype(np.intp)


def numbers_seen(view: np.ndarray[Any, Any], whole: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """For each entry of a view the logical number it has in `whole`, an array that fills the same memory."""
    root = owner(whole)
    numbers = np.empty_like(root, subok=False)
    at_same_place(whole, root, numbers)[...] = np.arange(whole.size).reshape(whole.shape)
    return np.real(at_same_place(view, root, numbers)).astype(np.intp)


def overlaps_itself(view: np.ndarray[Any, Any]) -> bool:
    """Whether two entries of a view may be the same place in memory."""
    if view.flags.forc:
        return False
    reach = view.itemsize
    for stride, size in sorted(zip(map(abs, view.strides), view.shape, strict=True)):
        if size > 1:
            if stride < reach:
                return True
            reach = stride * size
    return False
