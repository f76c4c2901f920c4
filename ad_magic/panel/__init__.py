"""MOVING: the panel with sliders. Importing this brings in ipywidgets; nothing above this floor does."""

from .panel import show
from .registry import close_all

__all__ = ["close_all", "show"]
