"""What all tests share: nobody's own settings, one IPython shell, and the browser tests at the end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: the quick ones speak first, and Playwright's event loop is in nobody's way. Of several
    processes one runs them all: they share a server and a browser."""
    for item in items:
        if "browser" in Path(item.path).parent.parts[len(ROOT.parts) :]:
            item.add_marker("browser")
            item.add_marker(pytest.mark.xdist_group("browser"))
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


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
