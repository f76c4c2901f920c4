"""Where an operation of a run has no derivative: the reason, the slopes on either side, and the one that was taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ad_magic.engine.kinks import at_kink, entries_at_kink, kink_of_array
from ad_magic.engine.tape import Columns
from ad_magic.rules import Rule

from .number import number, plain


class Corner(NamedTuple):
    """Why an operation has no derivative here, and the slopes where it has one-sided ones."""

    why: str
    left: float | None = None
    right: float | None = None
    chosen: float | None = None


def corner(tape: Columns, index: int, text: str) -> Corner | None:
    """The corner that row `index` of a tape, written `text`, stands on; None where it has a derivative."""
    op = tape.ops[index]
    rule = op.rule
    if rule is None:
        return None
    if op.array:
        reason = kink_of_array(op, tape.arguments(index), tape.values[index])
        if reason:
            return Corner(f"{text}: {reason}")
    if rule.kink is None:
        return None
    arguments, z = tape.arguments(index), tape.values[index]
    if not hasattr(z, "shape"):
        if not at_kink(rule, arguments, z):
            return None
        return _told(rule, text, arguments, _taken(tape.partials(index)))
    entries = entries_at_kink(rule, arguments, z)
    if not entries:
        return None
    first = entries[0]
    taken = _taken([_entry(partial, first, z.shape) for partial in tape.partials(index)])
    return _told(rule, text, [_entry(x, first, z.shape) for x in arguments], taken, entries)


def _entry(x: Any, position: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """What stands at one entry of the result: of an operand, or of a local partial."""
    import numpy as np

    return np.broadcast_to(x, shape)[position].item()


def _taken(partials: Sequence[Any]) -> float | None:
    """The slope that was taken, where it is one number: of a tie each operand has the same."""
    numbers = {float(p) for p in partials if isinstance(p, (float, int))}
    return numbers.pop() if len(numbers) == 1 else None


def _told(
    rule: Rule, text: str, arguments: Sequence[float], taken: float | None, entries: Sequence[tuple[int, ...]] = ()
) -> Corner:
    kink = rule.kink
    assert kink is not None
    left, right = (None if slope is None else float(slope) for slope in (kink.left, kink.right))
    sides = [f"{said(x)} on the {side}" for x, side in ((left, "left"), (right, "right")) if x is not None]
    slopes = [f"slope {' and '.join(sides)}"] if sides else []
    if taken is not None:
        slopes.append(f"{said(taken)} is taken")
    at = ", ".join(f"{x:g}" for x in arguments[:2])
    where = ""
    if entries:
        first = f"[{', '.join(map(str, entries[0]))}]"
        where = f" in entry {first}" + (f" and {len(entries) - 1} more" if len(entries) > 1 else "")
    end = f" ({'; '.join(slopes)})" if slopes else ""
    return Corner(f"{text} has no derivative at {at}{where}: {kink.why}{end}", left, right, taken)


def said(x: complex) -> str:
    """A number in a sentence: "-1", "inf", "0.333333"."""
    return plain(number(x))
