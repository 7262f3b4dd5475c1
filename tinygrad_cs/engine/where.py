"""Finds the user's line: the innermost frame outside this library and NumPy."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy

_INSIDE = (str(Path(__file__).parents[1]), str(Path(numpy.__file__).parent))


def user_line() -> str:
    """`file:line` of the innermost caller that is neither this library nor NumPy."""
    frame = sys._getframe(1)
    while frame.f_back is not None and (
        frame.f_code.co_filename.startswith(_INSIDE) or frame.f_code.co_filename == "<string>"
    ):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
