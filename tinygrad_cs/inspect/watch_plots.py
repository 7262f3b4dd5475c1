"""The records of a watch as a picture: one panel for each statistic, one line for each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.errors import ArgumentError, MissingDependency
from ..engine.types import np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .watcher import Watch

PANELS = {
    "deviation": "deviation of the outputs",
    "saturated": "share of saturated entries",
    "dead": "share of dead units",
    "gradient": "norm of the gradient",
    "ratio": "update / weight",
}
LOGARITHMIC = ("deviation", "gradient", "ratio")
MOST_NAMED = 8
"""More lines than this are not named: the colours say their depth."""


def draw(watch: Watch) -> Figure:
    """Dark lines are the first layers, light ones the last."""
    try:
        from matplotlib import colormaps, rc_context
        from matplotlib.figure import Figure
        from matplotlib.ticker import PercentFormatter
    except ImportError as error:
        raise MissingDependency(
            "Watch.plot: statistics are drawn by matplotlib, which is not installed; "
            'run pip install "tinygrad_cs[training]"'
        ) from error
    panels = {column: lines for column in PANELS if (lines := _lines(watch, column))}
    if not panels:
        raise ArgumentError(
            f"Watch.plot: nothing was measured in {watch.steps} steps; watch.step() is called "
            f"after optimizer.step()"
        )
    style: Any = {"axes.grid": True, "grid.alpha": 0.3, "axes.spines.top": False}
    with rc_context(style | {"axes.spines.right": False, "figure.dpi": 100}):
        count = max(1, len(panels))
        picture = Figure(figsize=(4.2 * count, 3.4), layout="constrained")
        axes = picture.subplots(1, count, squeeze=False)[0]
        for axis, (column, lines) in zip(axes, panels.items(), strict=False):
            for i, (name, steps, values) in enumerate(lines):
                colour = colormaps["viridis"](0.9 * i / max(1, len(lines) - 1))
                axis.plot(steps, values, ".-", ms=4, lw=1.2, color=colour, label=name)
            axis.set(xlabel="step", title=PANELS[column])
            if column in LOGARITHMIC and any(np.nanmax(values) > 0 for *_, values in lines):
                axis.set_yscale("log")
            elif column not in LOGARITHMIC:
                axis.set_ylim(-0.02, 1.02)
                axis.yaxis.set_major_formatter(PercentFormatter(1))
            if column == "ratio":
                axis.axhline(1e-3, color="0.5", linestyle=":", label="usual: 0.001")
            if len(lines) <= MOST_NAMED:
                axis.legend(fontsize="x-small")
    return picture


def _lines(watch: Watch, column: str) -> list[tuple[str, list[int], Any]]:
    """Name, steps and values of each layer or weight matrix that has this statistic."""
    of_layers = column in ("deviation", "saturated", "dead")
    names = watch.layers if of_layers else watch.matrices or watch.parameters
    found = []
    for name in names:
        steps, values = watch.series(name, column)
        numbers = np.array([np.nan if v is None else v for v in values], dtype=float)
        if np.isfinite(numbers).any():
            found.append((name, steps, numbers))
    return found
