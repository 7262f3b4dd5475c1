"""`Drawing`: a picture in the forms that files, notebooks and terminals want."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from ...engine.errors import ArgumentError
from .dot import to_dot
from .page import to_frame, to_html
from .picture import Picture
from .svg import to_svg
from .table import to_table


class Drawing:
    """A computation graph, drawn. `str()` is a table; notebooks show the picture.

    Attributes:
        svg: the picture as SVG text.
        dot: the graph in Graphviz' language.
        html: a page around the picture that zooms and moves.
    """

    def __init__(self, picture: Picture, downward: bool = False) -> None:
        self._picture = picture
        self._downward = downward

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text; shapes and colours are explained below it."""
        return to_svg(self._picture, self._downward)

    @cached_property
    def dot(self) -> str:
        """The graph in the DOT language."""
        return to_dot(self._picture, self._downward)

    @property
    def html(self) -> str:
        """A page of its own: the wheel zooms, the mouse moves."""
        return to_html(self.svg)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing to a file; the extension says how: .svg, .html, .dot or .gv.

        Returns the path. Raises `ArgumentError` for another extension.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in (".svg", ".html", ".htm", ".dot", ".gv"):
            raise ArgumentError(
                f"Drawing.save: expected a name that ends with .svg, .html, .dot or .gv, got "
                f"{path.name!r}; a browser prints the SVG as PNG or PDF"
            )
        content = self.svg if kind == ".svg" else self.html if "htm" in kind else self.dot
        path.write_text(content, encoding="utf-8")
        return path

    def __len__(self) -> int:
        """How many nodes are drawn."""
        return len(self._picture.boxes)

    def __str__(self) -> str:
        return to_table(self._picture)

    def __repr__(self) -> str:
        return f"<Drawing of {len(self)} nodes; print() it, or .save('graph.svg')>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        height = float(self.svg.split('height="', 1)[1].split('"', 1)[0])
        return to_frame(self.svg, height)
