"""TRUST: independent derivatives to compare with, and what the comparison has found."""

from .compare import check
from .findings import CheckRow, Findings

__all__ = ["CheckRow", "Findings", "check"]
