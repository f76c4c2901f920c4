"""A rule of the user's own by expressions against differences, where it is declared: at several points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from ad_magic.engine.operation import partial_of, value_of
from ad_magic.engine.own import Own

from .agreement import ratio
from .differences import judge, measure
from .verdict import DIFFERS, Comparison

ENOUGH = 8  # points at which a rule is checked
_MIXED = (0.37, -0.83, 1.9, -2.6, 0.052, 4.3)
_BETWEEN = (0.31, 0.74, 0.09, 0.52, 0.93, 0.18)  # places in an interval

Point = tuple[Any, ...]


def check_row(own: Own, at: Any = None, domain: Any = None) -> None:
    """Compare each partial with differences of the value. Raises ValueError, with one sentence, where one is wrong.

    `at` is a point or a list of points, each a number or a tuple of them; `domain` a pair (lo, hi), or one for each
    argument. Without both, points on either side of zero are tried, where the value is finite.
    """
    name, names = own.__name__, own.names
    value = value_of(own.rule)
    points = [_numbers(p, name, names) for p in listed(at)] if at is not None else list(tried(len(names), domain))
    checked = 0
    for point in points:
        try:
            z = value(*point)
            finite = math.isfinite(z)
        except (ArithmeticError, ValueError) as error:
            if at is not None:
                raise ValueError(
                    f"{name} cannot be checked at {at_words(names, point)}: its value raises {type(error).__name__}"
                ) from None
            continue
        except Exception as error:
            raise ValueError(
                f"the value of {name} raises {type(error).__name__} at {at_words(names, point)}: {error}"
            ) from error
        if not finite:
            continue
        for k in range(len(names)):
            _partial_at(own, point, z, k)
        checked += 1
        if checked == ENOUGH and at is None:
            break
    if not checked:
        where = "; ".join(at_words(names, p) for p in points[:3])
        raise ValueError(
            f"{name} cannot be checked: it has no finite value at {where}{', …' if len(points) > 3 else ''}; say where "
            "with at=[…] or domain=(lo, hi)"
        )


def _partial_at(own: Own, point: Point, z: float, k: int) -> None:
    name, names, rule = own.__name__, own.names, own.rule
    value = value_of(rule)
    got = partial_of(rule, k, point, z)

    def along(x: float) -> list[float]:
        return [value(*point[:k], x, *point[k + 1 :])]

    outcome = judge(measure(along, point[k], [z], [got]), 0, point[k], z, got, name=names[k])
    if outcome.word == DIFFERS:
        raise ValueError(
            f"{name}: at {at_words(names, point)} the partial for {names[k]} is declared as {shown(got)}, and "
            f"differences measure {shown(outcome.expected)}{hint(got, outcome)}"
        )


def hint(got: float, outcome: Comparison) -> str:
    said = ratio(got, outcome.expected)
    return f": {said}" if said else ""


def shown(x: float | None) -> str:
    return "something else" if x is None else f"{x:.6g}".replace("-", "−")


def at_words(names: Sequence[str], point: Point) -> str:
    return ", ".join(f"{name} = {short(x)}" for name, x in zip(names, point, strict=False))


def short(x: Any) -> str:
    shape = getattr(x, "shape", ())
    if shape:
        return f"an array of {' × '.join(map(str, shape))}"
    return f"{x:.6g}".replace("-", "−") if isinstance(x, float) else repr(x)


def listed(at: Any) -> list[Any]:
    """The points that a user names. Raises ValueError for none."""
    if isinstance(at, list) and not at:
        raise ValueError("at=[] names no point to check the rule at; leave it out, or name one")
    return list(at) if isinstance(at, list) else [at]


def _numbers(point: Any, name: str, names: Sequence[str]) -> Point:
    given = point if isinstance(point, tuple) else (point,)
    if len(given) != len(names) or not all(isinstance(x, (int, float)) for x in given):
        raise ValueError(
            f"{name} is checked at points ({', '.join(names)}); at= has {point!r}: each is a number, or a tuple of "
            f"{len(names)}"
        )
    return tuple(map(float, given))


def tried(count: int, domain: Any) -> Iterator[Point]:
    """Points, the arguments of each unlike one another."""
    if domain is not None:
        ends = _ends(count, domain)
        for j in range(len(_BETWEEN)):
            yield tuple(_inside(*pair, _BETWEEN[(j + 2 * k + j * k) % len(_BETWEEN)]) for k, pair in enumerate(ends))
        return
    for change in (lambda x: x, abs, lambda x: abs(x) / 5):  # on both sides, right of zero, between 0 and 1
        for j in range(len(_MIXED)):
            yield tuple(change(_MIXED[(j + 5 * k + j * k) % len(_MIXED)]) for k in range(count))


def _is_pair(x: Any) -> bool:
    numbers = isinstance(x, (tuple, list)) and len(x) == 2 and all(isinstance(end, (int, float)) for end in x)
    return numbers and x[0] < x[1]


def _ends(count: int, domain: Any) -> list[tuple[float, float]]:
    given = list(domain) if isinstance(domain, (tuple, list)) else [domain]
    pairs = [given] * count if all(isinstance(x, (int, float)) for x in given) else given
    if len(pairs) != count or not all(map(_is_pair, pairs)):
        raise ValueError(f"domain={domain!r} is no pair (lo, hi) with lo < hi, nor {count} of them")
    return [(float(lo), float(hi)) for lo, hi in pairs]


def _inside(lo: float, hi: float, place: float) -> float:
    """A number between lo and hi, which may be infinite."""
    if math.isinf(lo) or math.isinf(hi):
        far = 5 * place / (1.05 - place)  # from 0.2 to 40
        return math.tan(3 * (place - 0.5)) if math.isinf(lo) and math.isinf(hi) else lo + far if lo > -far else hi - far
    return lo + (hi - lo) * place
