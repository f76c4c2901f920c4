"""Functions of JavaScript, called from Python: a Node process that the tests share. For tests only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ad_magic.codegen.jslibrary import DIRECT, KNOWN, source_of

NODE = shutil.which("node")

# Answers one line of JSON, [name, [arguments, …]], with one line: the values. JSON has no infinities: they are texts.
SERVER = """
const read = (x) => (Array.isArray(x) ? x.map(read) : Number(x));
const write = (x) => (Array.isArray(x) ? x.map(write) : Object.is(x, -0) ? "-0" : String(x));
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [name, points] = JSON.parse(line);
  console.log(JSON.stringify(points.map((point) => write(KNOWN[name](...read(point))))));
});
"""


def need_node() -> None:
    """Skip, or fail where Node is required."""
    if NODE is None:
        refuse = pytest.fail if os.environ.get("REQUIRE_NODE") == "1" else pytest.skip
        refuse("not found: node")


class Node:
    """A Node process that knows the functions: `node(name, points)` gives their values at the points."""

    def __init__(self, folder: Path) -> None:
        # each with what it needs and nothing else, as in a program that uses it alone
        alone = (f"{name}: (() => {{ {source_of([name])}\nreturn {DIRECT.get(name, name)}; }})()" for name in KNOWN)
        program = folder / "functions.js"
        program.write_text(f'"use strict";\nconst KNOWN = {{ {", ".join(alone)} }};\n{SERVER}', encoding="utf-8")
        self.process = subprocess.Popen([NODE, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, name, points):
        self.process.stdin.write(json.dumps([name, _texts(list(map(list, points)))]) + "\n")
        self.process.stdin.flush()
        return _numbers(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=10)


def _texts(x):
    return [_texts(y) for y in x] if isinstance(x, list) else repr(float(x)).replace("inf", "Infinity")


def _numbers(x):
    return [_numbers(y) for y in x] if isinstance(x, list) else float(x)
