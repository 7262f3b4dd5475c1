"""The pictures of this folder: a landscape, and the loss over the learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...engine.errors import MissingDependency
from ...engine.types import np

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from .landscape import Landscape
    from .rates import RateRange

# Okabe and Ito's colours: every kind of colour vision tells them apart.
BLUE, ORANGE = "#0072B2", "#D55E00"


def _figure(where: str, width: float, height: float) -> tuple[Figure, Any]:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependency(
            f"{where}: pictures are drawn by matplotlib, which is not installed; "
            f'run pip install "tinygrad_cs[training]"'
        ) from error
    style: Any = {"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 120}
    # Figure instead of pyplot: no global state, and no window
    with rc_context(style):
        picture = Figure(figsize=(width, height), layout="constrained")
        return picture, picture.subplots()


def written(picture: Figure, path: str | Path | None) -> Figure:
    """The picture, which lies in a file now too, if there is a path."""
    if path is not None:
        picture.savefig(path)
    return picture


def landscape(found: Landscape) -> Figure:
    """See `Landscape.plot`."""
    picture, cell = _figure("Landscape.plot", 6, 4 if len(found.axes) == 1 else 5)
    names = ["direction 1", "direction 2"]
    if found.explained is not None:
        names = [f"component {k + 1} ({s:.0%})" for k, s in enumerate(found.explained)]
    loss = np.where(np.isfinite(found.loss), found.loss, np.nan)
    if len(found.axes) == 1:
        cell.plot(found.axes[0], loss, ".-", color=BLUE)
        cell.axvline(0, color="0.5", linewidth=1)
        if found.path is not None:
            across = np.interp(found.path[:, 0], found.axes[0], loss)
            cell.plot(found.path[:, 0], across, "o", color=ORANGE, label="trajectory")
            cell.legend()
        cell.set(xlabel=names[0], ylabel="loss", title="The loss along a line")
        cell.grid(alpha=0.3)
        return picture
    if np.isnan(loss).all():
        cell.set(xlabel=names[0], ylabel=names[1], title="The loss is nowhere finite")
        return picture
    lowest = float(np.nanmin(loss))
    # equal steps of the logarithm: valleys are shallow and walls are steep
    shown = np.log10(loss - lowest + 0.02 * max(float(np.nanmedian(loss)) - lowest, 1e-12))
    drawn = cell.contourf(*found.axes, shown.T, levels=20, cmap="viridis")
    bar = picture.colorbar(drawn, ax=cell)
    ticks = np.linspace(np.nanmin(shown), np.nanmax(shown), 6)
    offset = lowest - 10 ** float(np.nanmin(shown))
    bar.set_ticks(ticks, labels=[f"{10**tick + offset:.3g}" for tick in ticks])
    bar.set_label("loss")
    if found.path is not None:
        cell.plot(*found.path.T, ".-", color="white", linewidth=1.5)
        cell.plot(*found.path[0], "o", color="white", markersize=9, label="start")
    cell.plot(0, 0, "*", color=ORANGE, markersize=14, label="the model")
    if found.path is not None:
        cell.legend(facecolor="0.4", labelcolor="white")
    cell.set(xlabel=names[0], ylabel=names[1], title="The loss on a plane")
    return picture


def rate_range(found: RateRange) -> Figure:
    """See `RateRange.plot`."""
    picture, cell = _figure("RateRange.plot", 6, 4)
    cell.semilogx(found.lr, found.loss, ".", color="0.7", label="loss of a batch")
    cell.semilogx(found.lr, found.smoothed, color=BLUE, linewidth=2, label="smoothed")
    cell.axvline(found.suggestion, color=ORANGE, label=f"suggestion {found.suggestion:.2g}")
    low, first = float(found.smoothed.min()), float(np.median(found.smoothed[:5]))
    room = max(first - low, 1e-12)
    cell.set_ylim(low - 0.2 * room, first + 0.8 * room)
    cell.set(xlabel="learning rate", ylabel="loss", title="A training with a growing rate")
    cell.grid(alpha=0.3)
    cell.legend()
    return picture
