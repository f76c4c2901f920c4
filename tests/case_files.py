"""The cells that must work, with their derivatives: `tests/cases/*.json`. For tests only.

Each has the source of an earlier cell (`setup`), the cell, its inputs and its output, the value and the derivative
from an independent oracle (`grad` by input of a scalar output, `jacobian` of an array), and what may be expected of it:
"ok", a flag, an error. `scalar.json` are cells of Python's numbers, `arrays.json` those of NumPy, `traps.json` small
programs, each of which some tool gets wrong.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ad_magic.report.result import Result

FOLDER = Path(__file__).parent / "cases"


def cases(*kinds: str) -> dict[str, dict[str, Any]]:
    """The cases of these files by their ids."""
    found = {}
    for kind in kinds or ("scalar", "arrays", "traps"):
        for case in json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8")):
            found[case["id"]] = {**case, "kind": kind}
    return found


def reference(value: Any) -> Any:
    """A number or an array as a case file writes it: nested lists, "inf" and "nan" as texts."""
    if isinstance(value, list):
        return np.array([reference(x) for x in value], dtype=float)
    return np.asarray(float(value), dtype=float)


def inputs_of(case: dict[str, Any]) -> dict[str, Any]:
    """The inputs of a case: numbers as they are, lists as arrays."""
    return {name: reference(x) if isinstance(x, list) else x for name, x in case["inputs"].items()}


def run_case(shell: Any, case: dict[str, Any], mode: str = "both") -> Result | BaseException:
    """The Result of a case in a shell that has the magics; its error where the cell raises one."""
    shell.reset(new_session=False)
    if case.get("setup"):
        assert shell.run_cell(case["setup"], silent=True).success
    shell.user_ns.update(inputs_of(case))
    line = f"%%grad {' '.join(case['inputs'])} --of {case['output']} --mode {mode} -o r_ -q"
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = shell.run_cell(f"{line}\n{case['cell']}", silent=True)
    error = done.error_in_exec or done.error_before_exec
    return error if error is not None else shell.user_ns["r_"]


def differs(got: Any, want: Any, rtol: float = 1e-9, atol: float = 1e-12) -> str:
    """Why one is not the other, relative to the largest number; empty where they are the same."""
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    if got.shape != want.shape:
        return f"shape {got.shape}, wanted {want.shape}"
    scale = float(np.max(np.abs(want), initial=0.0, where=np.isfinite(want))) if want.size else 0.0
    same = np.isclose(got, want, rtol=0, atol=rtol * scale + atol, equal_nan=True)
    return "" if same.all() else f"got {got}, wanted {want}"
