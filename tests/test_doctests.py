"""Every example in a docstring and in the README runs and prints what it says."""

from __future__ import annotations

import builtins
import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import ad_magic

MODULES = sorted(m.name for m in pkgutil.walk_packages(ad_magic.__path__, "ad_magic."))


@pytest.fixture(autouse=True)
def _as_in_a_new_process():
    """A doctest that shows a value leaves it in builtins, where IPython takes it for gettext's; and the cell of an
    earlier test may have told NumPy how to print."""
    with np.printoptions(precision=8, suppress=False, floatmode="maxprec", linewidth=75, threshold=1000):
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
