"""Node, to run the scripts of the page without a page. Tests that need it skip where it is not found."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")


def run(script: str, expression: str, data: Any) -> Any:
    """What an expression in `data` gives after a script, through JSON; NaN and infinities travel as texts."""
    code = f"""{script}
const revive = (key, x) => (x !== null && typeof x === "object" && "float" in x ? Number(x.float) : x);
const keep = (key, x) => (typeof x === "number" && !Number.isFinite(x) ? {{ float: String(x) }} : x);
const data = JSON.parse(require("fs").readFileSync(0, "utf8"), revive);
process.stdout.write(JSON.stringify({expression}, keep));"""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.cjs"  # a program may be longer than a command line can be
        file.write_text(code, encoding="utf-8")
        done = subprocess.run([str(NODE), str(file)], input=json.dumps(_out(data)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(
        done.stdout, object_hook=lambda x: float(x["float"].replace("Infinity", "inf")) if "float" in x else x
    )


def _out(x: Any) -> Any:
    if isinstance(x, float) and (x != x or abs(x) == float("inf")):
        return {"float": str(x).replace("nan", "NaN").replace("inf", "Infinity")}
    if isinstance(x, dict):
        return {key: _out(value) for key, value in x.items()}
    return [_out(value) for value in x] if isinstance(x, list | tuple) else x
