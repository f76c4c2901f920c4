"""Which frames are the user's, and which are ours."""

from __future__ import annotations

import sys
from types import CodeType, FrameType, TracebackType

_PACKAGE = __file__.rsplit("engine", 1)[0]


def is_ours(code: CodeType) -> bool:
    """Whether a code object is part of ad_magic, written or generated."""
    return code.co_filename.startswith(("<ad_magic ", _PACKAGE))


def user_frame() -> FrameType:
    """The nearest frame that is not ours: where the user's program called us."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_ours(frame.f_code):
        frame = frame.f_back
    return frame


def without_our_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback with only the frames of the user and of libraries."""
    kept = []
    while trace is not None:
        if not is_ours(trace.tb_frame.f_code):
            kept.append(trace)
        trace = trace.tb_next
    following: TracebackType | None = None
    for one in reversed(kept):
        one.tb_next = following
        following = one
    return following
