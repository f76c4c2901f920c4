"""What a value may be, and along which seeds it has a tangent: the data-flow side of interleaving.

It follows the source, not a run: a `Sort` says what a value may be on any path. Lists, dicts and arrays are named by
the place in the source that makes them (a site), so that all names for one list share what is known of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

NUMERIC = frozenset({"number", "int"})
SEQUENCES = frozenset({"list", "tuple"})
NONE: frozenset[Any] = frozenset()
DEEP = 5  # tuples in tuples deeper than this are refused


class Nothing:
    """No known object."""


@dataclass(frozen=True)
class Sort:
    """What a value may be.

    `kinds` are among number, int, array, list, tuple, dict, function, object (a text, None, …) and unknown (a plain
    value of some kind); `seeds` those of the numbers; `sites` where the lists, dicts and arrays were made; `items`
    those of a tuple of fixed length; `functions` the user's functions; `known` the one object that it is.
    """

    kinds: frozenset[str] = NONE
    seeds: frozenset[str] = NONE
    sites: frozenset[Hashable] = NONE
    items: tuple[Sort, ...] | None = None
    functions: frozenset[Any] = NONE
    shape: tuple[int, ...] | None = None  # of an array, where it is known
    known: Any = field(default=Nothing, compare=False, hash=False)
    identity: int = 0  # of `known`, to compare by

    @property
    def bottom(self) -> bool:
        """Whether nothing is known yet."""
        return not self.kinds

    def may(self, *kinds: str) -> bool:
        """Whether it may be of one of these kinds."""
        return not self.kinds.isdisjoint(kinds)

    def only(self, *kinds: str) -> bool:
        """Whether it is of these kinds in any case."""
        return bool(self.kinds) and self.kinds <= set(kinds)


BOTTOM = Sort()


def array(site: Hashable, shape: tuple[int, ...] | None = None) -> Sort:
    """An array that is made at one place; of no dimension it is a number."""
    return Sort(frozenset({"array"}), sites=frozenset({site}), shape=shape)


def part_of_array(sort: Sort, seeds: frozenset[str]) -> Sort:
    """What an array gives for its first index: a number or a view of it."""
    if sort.shape is not None and len(sort.shape) == 1:
        return number(seeds)
    view = Sort(frozenset({"array"}), sites=sort.sites, shape=sort.shape[1:] if sort.shape else None)
    return view if sort.shape else join(view, number(seeds))


OBJECT = Sort(frozenset({"object"}))
UNKNOWN = Sort(frozenset({"unknown"}))
INT = Sort(frozenset({"int"}))


def number(seeds: Iterable[str] = ()) -> Sort:
    """A number with tangents along these seeds."""
    return Sort(frozenset({"number"}), frozenset(seeds))


def container(kind: str, site: Hashable) -> Sort:
    """A list, dict, tuple or array that is made at one place."""
    return Sort(frozenset({kind}), sites=frozenset({site}))


def known(thing: Any, kind: str = "object") -> Sort:
    """One object that is known."""
    return Sort(frozenset({kind}), known=thing, identity=id(thing))


def join(a: Sort, b: Sort) -> Sort:
    """What is either of two.

    >>> join(number("x"), INT).kinds == {"number", "int"}
    True
    """
    if a.bottom or a == b:
        return b
    if b.bottom:
        return a
    items = a.items
    if a.items is not None and b.items is not None:
        items = tuple(map(join, a.items, b.items)) if len(a.items) == len(b.items) else None
        if items is None:  # of different lengths: one sort for all of them
            joined = BOTTOM
            for x in (*a.items, *b.items):
                joined = join(joined, x)
            items = (joined,) * max(len(a.items), len(b.items))
    elif a.items is None:
        items = b.items
    same = a.known is not Nothing and a.identity == b.identity
    shape = a.shape if a.shape == b.shape or not b.may("array") else b.shape if not a.may("array") else None
    return Sort(
        a.kinds | b.kinds,
        a.seeds | b.seeds,
        a.sites | b.sites,
        items,
        a.functions | b.functions,
        shape,
        a.known if same else Nothing,
        a.identity if same else 0,
    )


@dataclass
class Contents:
    """What is known of the lists, dicts or arrays that one place makes."""

    seeds: set[str] = field(default_factory=set)  # along which it has a tangent
    element: Sort = BOTTOM
    whole: bool = False  # an array that may hold integers


class Heap:
    """What all the lists, dicts and arrays of a program may hold. It only grows."""

    def __init__(self) -> None:
        self.contents: dict[Hashable, Contents] = {}
        self.changed = False

    def at(self, site: Hashable) -> Contents:
        """The contents of a site."""
        return self.contents.setdefault(site, Contents())

    def seeds(self, sort: Sort, seen: frozenset[Hashable] = NONE) -> frozenset[str]:
        """Along which seeds a value of this sort has a tangent."""
        found = set(sort.seeds)
        for item in sort.items or ():
            found |= self.seeds(item, seen)
        for site in sort.sites - seen:
            found |= self.at(site).seeds | self.seeds(self.at(site).element, seen | {site})
        return frozenset(found)

    def element(self, sort: Sort) -> Sort:
        """What an element of it may be."""
        joined = BOTTOM
        for item in sort.items or ():
            joined = join(joined, item)
        for site in sort.sites:
            joined = join(joined, self.at(site).element)
        if sort.may("array"):
            joined = join(joined, part_of_array(sort, self.seeds(sort)))
        return joined if not joined.bottom else UNKNOWN

    def put(self, sort: Sort, element: Sort) -> None:
        """An element is put into what may be any of the sites."""
        for site in sort.sites:
            at = self.at(site)
            joined = join(at.element, element)
            if joined != at.element:
                at.element, self.changed = joined, True

    def carry(self, sort: Sort, seeds: Iterable[str], seen: set[Hashable] | None = None) -> None:
        """All that it holds has tangents along these seeds too, be they zero."""
        seen = set() if seen is None else seen
        for item in sort.items or ():
            self.carry(item, seeds, seen)
        for site in sort.sites - seen:
            seen.add(site)
            at = self.at(site)
            if not at.seeds.issuperset(seeds):
                at.seeds |= set(seeds)
                self.changed = True
            self.carry(at.element, seeds, seen)

    def settle(self, sort: Sort) -> None:
        """What has a tangent has one in all its parts."""
        self.carry(sort, self.seeds(sort))


def too_deep(sort: Sort, depth: int = 0) -> bool:
    """Whether tuples are nested deeper than is followed."""
    return depth > DEEP or any(too_deep(item, depth + 1) for item in sort.items or ())
