"""What all tests share: nobody's own settings, one IPython shell, and the browser tests at the end."""

from __future__ import annotations

import gc
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

# Before IPython or Jupyter is imported anywhere: a test must not read the settings of the person who runs it, nor leave
# anything in his home.
_HOME = tempfile.TemporaryDirectory(prefix="ad-magic-tests-")
for _name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
    os.environ[_name] = str(Path(_HOME.name) / _name.lower())
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel of this environment, not one that the user has installed
os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"


# New examples each time for whoever works on the code, the same ones where a failure would be somebody else's.
hypothesis.settings.register_profile("ad_magic", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("ad_magic")


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Browser tests last: the quick ones speak first, and Playwright's event loop is in nobody's way. Of several
    processes three run them, for they wait more than they compute; each has a server and a browser, and about as many
    tests that open a notebook."""
    files = dict[Path, None].fromkeys(
        item.path for item in items if "browser" in item.path.parent.parts[len(ROOT.parts) :]
    )
    opened = Counter(item.path for item in items if not {"servers", "request"}.isdisjoint(item.fixturenames))
    group: dict[Path, str] = {}
    tests = [0, 0, 0]
    for file in sorted(files, key=lambda file: (-opened[file], file)):
        least = tests.index(min(tests))
        tests[least] += opened[file]
        group[file] = f"browser-{least}"
    for item in items:
        if item.path in group:
            item.add_marker("browser")
            item.add_marker(pytest.mark.xdist_group(group[item.path]))
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="module", autouse=True)
def _only_what_is_new_is_garbage() -> None:
    """A shell that is reset collects garbage: not each time among all libraries and all tests, that stay anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder. Beside a wheel it has the tests, but not the package."""
    return ROOT


@pytest.fixture(scope="session")
def _one_shell() -> Iterator:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(_one_shell) -> Iterator:
    """An IPython shell as a notebook's kernel has it, with an empty namespace and ad_magic not loaded."""
    _one_shell.reset(new_session=False)
    yield _one_shell
    if "ad_magic" in _one_shell.extension_manager.loaded:
        _one_shell.extension_manager.unload_extension("ad_magic")
    _one_shell.reset(new_session=False)


@pytest.fixture
def displayed(monkeypatch) -> Iterator[list[Any]]:
    """What panels display, instead of displaying it. Every test ends with as many widgets as it began with."""
    from ipywidgets.widgets.widget import _instances

    from ad_magic.panel import registry, showing, static, taylor

    outputs: list[Any] = []

    class Handle:
        def update(self, bundle, **options):
            outputs.append(bundle)

    def display(what, **options):
        outputs.append(what)
        return Handle()

    for module in (showing, static, taylor):
        monkeypatch.setattr(module, "display", display)
    before = set(_instances)
    yield outputs
    registry.close_all()
    assert set(_instances) == before


@pytest.fixture
def loaded(shell):
    """The shell with ad_magic loaded, and no colours in what it prints."""
    shell.run_line_magic("load_ext", "ad_magic")
    shell.colors = "nocolor"
    return shell


@pytest.fixture
def run(loaded):
    """run(line, cell, name=value …): the Result of a cell that knows these names, `math` and `np`."""
    loaded.run_cell("import math\nimport numpy as np", silent=True)

    def result(line: str, cell: str, **names: Any):
        loaded.user_ns.update(names)
        loaded.run_cell(f"%%grad {line} -o r -q\n{cell}", silent=True).raise_error()
        return loaded.user_ns["r"]

    return result


@pytest.fixture
def result(run):
    """result(cell, inputs): the same, the cell first."""
    return lambda cell, inputs: run(inputs, cell)


@pytest.fixture(scope="module")
def _cells(_one_shell) -> Iterator:
    from oracles import Cells

    made = Cells(_one_shell)
    yield made
    made.done()


@pytest.fixture
def cells(_cells):
    """Cells of one shell that knows nothing of those before: `plain`, and under %%grad."""
    return _cells.forget()


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Closing the panels leaves as many widgets as there were before; what a test has made itself is closed here."""
    from ipywidgets.widgets.widget import _instances

    from ad_magic.panel import registry

    before = set(_instances)
    yield
    registry.close_all()
    for key in set(_instances) - before:
        _instances[key].close()
