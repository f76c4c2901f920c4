"""Every example in a docstring and in the README runs and prints what it says."""

from __future__ import annotations

import builtins
import doctest
import importlib
import pkgutil

import pytest

import ad_magic

MODULES = sorted(m.name for m in pkgutil.walk_packages(ad_magic.__path__, "ad_magic."))


@pytest.fixture(autouse=True)
def _no_underscore_is_left():
    """A doctest that shows a value leaves it in builtins, where IPython takes it for gettext's."""
    yield
    builtins.__dict__.pop("_", None)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_readme(root):
    result = doctest.testfile(str(root / "README.md"), module_relative=False)
    assert result.attempted >= 4
    assert result.failed == 0
