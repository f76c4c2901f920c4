"""TRUST: independent derivatives to compare with, and the report of the comparison."""

from .compare import check
from .report import CheckReport

__all__ = ["CheckReport", "check"]
