"""The primitives of sums, products and moves, by name."""

from __future__ import annotations

from ad_magic.rules.arrays import moves as _moves
from ad_magic.rules.arrays import products as _products
from ad_magic.rules.arrays import sums as _sums
from ad_magic.rules.arrays.rule import ArrayRule

PAIRS: dict[str, ArrayRule] = {rule.name: rule for rule in (*_sums.RULES, *_products.RULES, *_moves.RULES)}
