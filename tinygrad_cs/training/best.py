"""Which epoch was the best, and whether waiting for a better one still makes sense."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..engine.errors import ArgumentError
from ..engine.types import Array, np


class Best:
    """The best value of a monitored column so far, and since when it has not improved.

    Args:
        monitor: the column.
        higher: whether larger values are better.
        patience: epochs without improvement that are forgiven; None waits for ever.
        min_delta: smaller improvements do not count.

    Attributes:
        value, epoch: of the best epoch; infinite and None before the first.
        waited: epochs since then.
        weights: the model's state in that epoch, kept where there is a patience.
    """

    def __init__(self, monitor: str, higher: bool, patience: int | None, min_delta: float) -> None:
        self.monitor = monitor
        self.higher = higher
        self.patience = patience
        self.min_delta = min_delta
        self.value = -math.inf if higher else math.inf
        self.epoch: int | None = None
        self.waited = 0
        self.weights: dict[str, Array] | None = None

    def see(self, value: Any, epoch: int) -> bool:
        """Look at an epoch's value; returns whether it is the best. NaN never is."""
        if not isinstance(value, float) and np.ndim(value):
            raise ArgumentError(
                f"fit: cannot monitor {self.monitor!r}: it is no single number; monitor another "
                f"column, or give the metric an average"
            )
        value = float(value)
        better = value - self.value if self.higher else self.value - value
        if better > self.min_delta or (self.epoch is None and math.isfinite(value)):
            self.value, self.epoch, self.waited = value, epoch, 0
            return True
        self.waited += 1
        return False

    def reason_to_stop(self) -> str | None:
        """The sentence for the history, if patience is at its end."""
        if self.patience is None or self.waited <= self.patience:
            return None
        return (
            f"stopped early: {self.monitor.replace('_', ' ')} has not improved for {self.waited} "
            f"epochs; the weights are those of epoch {self.epoch}"
        )

    def state_dict(self) -> dict[str, Any]:
        """For `load_state_dict`."""
        return {
            "monitor": self.monitor,
            "value": self.value,
            "epoch": self.epoch,
            "waited": self.waited,
            "weights": None if self.weights is None else dict(self.weights),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; values of another column are of no use."""
        if state["monitor"] != self.monitor:
            return
        self.value, self.epoch, self.waited = state["value"], state["epoch"], state["waited"]
        self.weights = None if state["weights"] is None else dict(state["weights"])
