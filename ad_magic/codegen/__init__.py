"""PROGRAMS: source text from a tape. Begun: straight-line Python, of scalar inputs and one scalar output."""

from .straight import straight_line

__all__ = ["straight_line"]
