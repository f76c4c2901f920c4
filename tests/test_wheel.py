"""The wheel has all that the tree has: every module, every style sheet, every script, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory) -> Path:
    if not (root / "ad_magic").is_dir():
        pytest.skip("these tests stand beside an installed wheel: there is no tree to build one from")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.glob("*.whl")
    return file


def test_every_file_is_in_it(wheel: Path, root: Path):
    tree = {
        p.relative_to(root).as_posix()
        for p in (root / "ad_magic").rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == tree
    assert wheel.name == "ad_magic-0.1.0-py3-none-any.whl"  # pure Python, so it installs in the browser too


def test_metadata(wheel: Path):
    archive = zipfile.ZipFile(wheel)
    (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(archive.read(name))
    assert metadata["Name"] == "ad-magic"
    assert metadata["Requires-Python"] == ">=3.11"
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.split(">")[0] for line in needed) == ["anywidget", "ipython", "ipywidgets", "numpy", "traitlets"]
    assert any(n.endswith("licenses/LICENSE") for n in archive.namelist())


def test_it_imports_from_the_wheel_alone(wheel: Path, tmp_path: Path):
    """Not from the tree, and without anything of a notebook: importing stays light."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import sys, ad_magic; print(ad_magic.__file__); "
        "print([m for m in ('ipywidgets', 'anywidget', 'pandas', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=tmp_path, check=True
    )
    where, heavy = done.stdout.splitlines()
    assert Path(where).parent.parent == tmp_path
    assert heavy == "[]"
