"""The house: which floor may import which, and what must not be imported at all."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ad_magic

HOME = Path(ad_magic.__file__).parent
FLOORS = [
    "rules",
    "engine",
    "transforms",
    "codegen",
    "check",
    "cell",
    "report",
    "panel",
    "arguments",
    "points",
    "declare",
    "calls",
    "cells",
    "showing",
    "magics",
]  # each may import those before it
FILES = sorted(p for p in HOME.rglob("*.py") if p.parent != HOME or p.stem != "__init__")


def floor_of(path: Path) -> str:
    return path.relative_to(HOME).parts[0].removesuffix(".py")


def imports(path: Path):
    """(module, whether it is only for the type checker) of each import in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checking = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            relative = ["ad_magic", *path.relative_to(HOME).parts[: -node.level]] if node.level else []
            yield ".".join([*relative, node.module or ""]).strip("."), node in checking
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node in checking) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HOME)))
def test_a_floor_imports_only_the_floors_above_it(path):
    own = FLOORS.index(floor_of(path))
    for module, only_types in imports(path):
        parts = module.split(".")
        if parts[0] == "ad_magic" and len(parts) > 1 and parts[1] in FLOORS and not only_types:
            assert FLOORS.index(parts[1]) <= own, f"{path.name} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HOME)))
def test_notebooks_and_widgets_are_known_only_downstairs(path):
    floor = floor_of(path)
    for module, _ in imports(path):
        top = module.split(".")[0]
        assert top != "IPython" or floor in ("panel", "arguments", "calls", "cells", "showing", "magics"), (
            f"{path.name} imports {module}"
        )
        assert top not in ("ipywidgets", "anywidget") or floor == "panel", f"{path.name} imports {module}"


def test_loading_the_extension_needs_neither_numpy_nor_widgets_nor_what_comes_later():
    """They take long to load."""
    source = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "ad_magic")
later = ["numpy", "ipywidgets", "anywidget", *(f"ad_magic.{floor}" for floor in ("transforms", "check", "panel"))]
print([name for name in later if name in sys.modules and name not in before])
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, cwd=HOME.parent)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout
