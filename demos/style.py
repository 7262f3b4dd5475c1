"""One look for every picture of the demos: colour-blind-safe, legible, drawn without a window."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Okabe and Ito's colours: every kind of colour vision tells them apart.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
STYLE = {
    "axes.prop_cycle": matplotlib.cycler(color=[BLUE, ORANGE, GREEN, PINK]),
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 150,
    "font.size": 11,
    "grid.alpha": 0.3,
    "lines.linewidth": 2,
}


def figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, Any]:
    """A figure of `width` by `height` inches, and its axes in an array (rows, columns)."""
    # Figure instead of pyplot: no global state, and Agg draws it whatever the machine has.
    with matplotlib.rc_context(STYLE):
        drawing = Figure(figsize=(width, height), layout="constrained")
        return drawing, drawing.subplots(rows, columns, squeeze=False)


def gallery(images: Any, titles: Any, captions: Any, colours: Any, columns: int = 6) -> Figure:
    """Grey images (n, height, width), dark where large, each with a coloured title above it."""
    rows = -(-len(images) // columns)
    drawing, cells = figure(10, 2.4 * rows, rows, columns)
    for cell in cells.flat[len(images) :]:
        cell.axis("off")
    for cell, image, title, caption, colour in zip(
        cells.flat, images, titles, captions, colours, strict=False
    ):
        cell.imshow(image, cmap="gray_r")
        cell.set(xticks=[], yticks=[], xlabel=caption)
        cell.set_title(title, color=colour, weight="bold")
        cell.spines[:].set(visible=True, color="0.8")
    return drawing
