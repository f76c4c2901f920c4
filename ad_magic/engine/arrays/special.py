"""scipy.special, where SciPy is installed."""

from __future__ import annotations

from typing import Any

SPECIAL: dict[Any, str] = {}  # ufunc of scipy.special -> row of the table
