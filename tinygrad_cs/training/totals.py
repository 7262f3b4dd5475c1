"""What the batches of the present epoch add up to, until it becomes a row of the history."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class Totals:
    """Sums over the batches of one epoch.

    Args:
        averages: is the loss of a batch the mean over its samples, and not their sum?

    Attributes:
        loss, samples: the sum of the losses of all samples, and how many they are.
        norm, updates: the sum of the gradients' norms over so many updates.
        lr: the rate of the last update, where a schedule changes it between updates, else NaN.
        seconds: spent in training so far.
    """

    def __init__(self, averages: bool) -> None:
        self._averages = averages
        self.reset()

    def reset(self) -> None:
        """Begin another epoch."""
        self.loss = self.norm = self.seconds = 0.0
        self.samples = self.updates = 0
        self.lr = math.nan

    def add(self, loss: float, samples: int) -> None:
        """Count one update."""
        self.loss += loss * samples if self._averages else loss
        self.samples += samples
        self.updates += 1

    @property
    def mean_loss(self) -> float:
        """The mean over the samples; NaN before the first."""
        return self.loss / self.samples if self.samples else math.nan

    def state_dict(self) -> dict[str, Any]:
        """All sums."""
        return {name: value for name, value in vars(self).items() if name != "_averages"}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        vars(self).update(state)
