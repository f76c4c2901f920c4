"""The source of a cell, rewritten: each statement that carries a derivative is followed by that of its tangents."""

from .program import Interleaved, interleave
from .scopes import CannotInterleave

__all__ = ["CannotInterleave", "Interleaved", "interleave"]
