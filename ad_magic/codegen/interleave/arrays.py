"""Arrays: refused so far."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from .layout import Line
from .sorts import UNKNOWN, Sort
from .statements import Statements
from .values import Value


class Arrays(Statements):
    """Arrays."""

    def driver(self, start: list[Line], body: list[Line], results: dict[str, Value]) -> list[Line]:
        """The function `derivative`, one run for each direction."""
        self.refuse("arrays cannot be interleaved yet")
        return []

    def product_of_arrays(self, node: ast.BinOp, left: Value, right: Value) -> Value:
        return self.refuse("arrays cannot be interleaved yet", node)

    def as_array(self, value: Value, args: Sequence[Value], node: ast.AST) -> Value:
        return self.refuse("arrays cannot be interleaved yet", node)

    def entry_of_array(self, sort: Sort, index: ast.expr) -> Sort:
        return UNKNOWN

    def attribute_of_array(self, node: ast.Attribute, value: Value) -> Value:
        return self.refuse("arrays cannot be interleaved yet", node)

    def is_numpy(self, thing: Any) -> bool:
        return (
            getattr(thing, "__module__", None) is not None and str(thing.__module__).split(".")[0] == "numpy"
        ) or hasattr(thing, "nin")

    def call_numpy(self, node: ast.Call, callee: Value, thing: Any) -> Value:
        return self.refuse("arrays cannot be interleaved yet", node)

    def method_of_array(self, node: ast.Call, function: ast.Attribute, value: Value) -> Value:
        return self.refuse("arrays cannot be interleaved yet", node)
