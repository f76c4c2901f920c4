"""Put %%grad on top of an ordinary numeric cell and see the derivative of every line.

In a notebook: `%load_ext ad_magic`. In a script: `from ad_magic import Dual, eps, primal`.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_HOME = {  # each public name and the module it lives in; imported when it is first used
    "Dual": "ad_magic.engine.dual",
    "eps": "ad_magic.engine.dual",
    "primal": "ad_magic.engine.record",
    "Result": "ad_magic.report.result",
    "growth": "ad_magic.report.growth",
    "exercise": "ad_magic.report.exercise",
    "sparsity": "ad_magic.report.sparsity",
    **dict.fromkeys(
        (
            "checkpoint",
            "fixed_point",
            "grad",
            "hessian",
            "hvp",
            "jacfwd",
            "jacobian",
            "jacrev",
            "jvp",
            "linearize",
            "root",
            "stop_gradient",
            "taylor",
            "value_and_grad",
            "vjp",
        ),
        "ad_magic.transforms",
    ),
    "explore": "ad_magic.calls",
    "rule": "ad_magic.declare",
    "fixed": "ipywidgets",
    "slider": "ad_magic.panel.slider",
    "trace": "ad_magic.calls",
}
__all__ = [*_HOME, "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ad_magic' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext ad_magic` does."""
    from ad_magic.magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext ad_magic` does: takes back all that loading added."""
    from ad_magic.magics import unload

    unload(shell)
