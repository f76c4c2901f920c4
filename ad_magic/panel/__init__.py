"""MOVING: the panel with sliders. Importing this brings in ipywidgets; nothing above this floor does."""

from .registry import close_all, freeze_all
from .showing import show

__all__ = ["close_all", "freeze_all", "show"]
