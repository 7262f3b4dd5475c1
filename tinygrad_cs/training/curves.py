"""A history as a picture: losses, metrics and the learning rate over the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.errors import MissingDependency
from ..engine.types import np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .history import History

# Okabe and Ito's colours: every kind of colour vision tells them apart.
TRAINING, VALIDATION, OTHER = "#0072B2", "#D55E00", "#009E73"
NOT_DRAWN = ("epoch", "seconds")


def draw(history: History) -> Figure:
    """One panel for the loss, one for each metric, one for the learning rate."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise MissingDependency(
            "History.plot: curves are drawn by matplotlib, which is not installed; "
            'run pip install "tinygrad_cs[training]"'
        ) from error
    names = _panels(history)
    style: Any = {"axes.grid": True, "grid.alpha": 0.3, "axes.spines.top": False}
    # Figure instead of pyplot: no global state, and no window
    with rc_context(style | {"axes.spines.right": False, "figure.dpi": 120}):
        picture = Figure(figsize=(4.8 * max(1, len(names)), 3.6), layout="constrained")
        panels = picture.subplots(1, max(1, len(names)), squeeze=False)[0]
        for panel, name in zip(panels, names, strict=False):
            _curves(panel, history, name)
            panel.set(xlabel="epoch", ylabel=_label(name))
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    return picture


def _panels(history: History) -> list[str]:
    names = [name.removeprefix("validation_") for name in history.columns]
    return [
        name
        for name in dict.fromkeys(names)
        if name not in NOT_DRAWN
        and any(_numbers(history, prefix + name) is not None for prefix in ("", "validation_"))
    ]


def _curves(panel: Any, history: History, name: str) -> None:
    epochs = history["epoch"]
    training, validation = (_numbers(history, p + name) for p in ("", "validation_"))
    alone = validation is None
    if training is not None:
        colour = OTHER if name in ("lr", "gradient_norm") else TRAINING
        panel.plot(epochs, training, ".-", color=colour, label="training")
    if validation is not None:
        panel.plot(epochs, validation, ".--", color=VALIDATION, label="validation")
    if not alone:
        panel.legend()
        if history.best_epoch is not None:
            panel.axvline(history.best_epoch, color="0.6", linestyle=":", label="best")
    shown = np.concatenate([part for part in (training, validation) if part is not None])
    shown = shown[np.isfinite(shown)]
    if shown.size and shown.min() > 0 and shown.max() > 30 * shown.min():
        panel.set_yscale("log")


def _numbers(history: History, name: str) -> Any:
    """A column as an array, NaN where a value is missing; None where it is no curve."""
    if name not in history.columns:
        return None
    values = history[name]
    if any(isinstance(value, list) for value in values):
        return None
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _label(name: str) -> str:
    if name == "lr":
        return "learning rate (per step)"
    if name == "loss":
        return "loss (mean per sample)"
    if name == "gradient_norm":
        return "norm of the gradient before clipping"
    if "accuracy" in name:
        return f"{name.replace('_', ' ')} (share)"
    return name.replace("_", " ")
