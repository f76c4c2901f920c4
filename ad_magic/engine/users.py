"""Telling the user's own modules from libraries."""

from __future__ import annotations

import sys
import sysconfig
from typing import Any

_LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def in_library(file: str) -> bool:
    """Whether a source file is part of an installed library."""
    return file.startswith(_LIBRARIES)


def is_users(module: str | None) -> bool:
    """Whether a module (by name) is the user's own: `__main__`, or a file of his outside of the installed libraries.

    >>> is_users("__main__"), is_users("random")
    (True, False)
    """
    if module == "__main__":
        return True
    if not module or module.split(".")[0] in sys.stdlib_module_names or module.split(".")[0] == "ad_magic":
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and not in_library(file)


def is_users_code(namespace: dict[str, Any]) -> bool:
    """Whether functions with these globals are the user's own: those of his modules, and of a namespace that is no
    module's at all, which he has made himself (`exec(text, {})`).

    >>> is_users_code({}), is_users_code(vars(sys))
    (True, False)
    """
    name = namespace.get("__name__")
    if not isinstance(name, str):
        return True
    if name.partition(".")[0] in sys.modules or name.partition(".")[0] in sys.stdlib_module_names:
        return is_users(name)
    return True
