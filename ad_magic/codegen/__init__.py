"""PROGRAMS: source text from a recorded run, and from the cell itself."""

from .batch import curve
from .javascript import javascript
from .python import source
from .straight import straight
from .symbols import NoProgram

__all__ = ["NoProgram", "curve", "javascript", "source", "straight"]
