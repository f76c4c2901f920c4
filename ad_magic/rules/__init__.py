"""CALCULUS: the derivative table. One row of data for each primitive; everything else is made from it."""

from .rule import Kink, Rule, by_entry, compile_expression, define, names_in, substitute
from .table import RULES

__all__ = ["RULES", "Kink", "Rule", "by_entry", "compile_expression", "define", "names_in", "substitute"]
