"""The computation graph as a picture: SVG, DOT, HTML and a table, drawn without other programs."""

from .draw import draw
from .drawing import Drawing

__all__ = ["Drawing", "draw"]
