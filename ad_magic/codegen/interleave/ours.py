"""What of this package a program of the user's may call, and the program that is written does without."""

from __future__ import annotations

from typing import Any

from ad_magic.engine.own import Own
from ad_magic.transforms.checkpoints import ORIGINALS, checkpoint
from ad_magic.transforms.pairs import OwnPair
from ad_magic.transforms.stopping import stop_gradient


def is_ours(thing: Any) -> bool:
    """Whether it is something of this package that a program does without."""
    return thing is stop_gradient or thing is checkpoint or isinstance(thing, (Own, OwnPair))


def original(thing: Any) -> Any:
    """The function that a checkpoint was made of; any other thing itself."""
    try:
        while thing in ORIGINALS:
            thing = ORIGINALS[thing]
    except TypeError:  # it has no hash, or cannot be referred to weakly
        pass
    return thing
