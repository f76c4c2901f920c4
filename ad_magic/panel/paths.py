"""The paths through a program that a panel has met: a run recorded for each, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ad_magic.cell.again import replayed
from ad_magic.codegen.javascript import otherwise
from ad_magic.engine.tape import PathChanged

KEPT = 8  # recordings

Evaluate = Callable[[dict[str, Any]], Any]  # inputs by name -> a Result; may raise anything


class Paths:
    """Results at other inputs, replayed from a recording where one of them holds there.

    A path has a number, 0 for the one that the panel began on. Results of one path differ in numbers alone.
    """

    def __init__(self, first: Any, evaluate: Evaluate) -> None:
        self.evaluate = evaluate
        self.first = first
        self.newest = 0
        self.known: dict[int, Any] = {0: first}  # in the order of use

    def at(self, inputs: dict[str, Any]) -> Any:
        """The Result at these inputs. Raises what the program raises there."""
        for number, base in reversed(self.known.items()):
            try:
                result = base.of(replayed(base.run, inputs))
            except Exception:  # another path, or an error: that of the cell itself has its line
                continue
            self._used(number, base)
            return result
        result = self.evaluate(inputs)
        if self.number(result) is None:
            self.newest += 1
            self._used(self.newest, result)
        return result

    def number(self, result: Any) -> int | None:
        """The number of the path that a result is on."""
        ops = result.run.tape.ops  # a replay shares them with its recording
        return next((number for number, base in self.known.items() if base.run.tape.ops is ops), None)

    def _used(self, number: int, base: Any) -> None:
        self.known.pop(number, None)
        self.known[number] = base
        while len(self.known) > KEPT:
            del self.known[next(k for k in self.known if k)]

    def otherwise(self, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """The decision that comes out otherwise at these inputs than where the panel began: {line, text}, or None."""
        try:
            replayed(self.first.run, inputs)
        except PathChanged as changed:
            run = self.first.run
            # a solver that has to run again is no decision
            return otherwise(run, changed.index) if 0 <= changed.index < len(run.tape) else None
        except Exception:
            return None
        return None
