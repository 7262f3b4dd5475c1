"""Metrics of training in passing: batches are gathered, so that small ones cost next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.types import Array, np
from .metric import Metric

ENOUGH = 1 << 14
"""Numbers predicted until the metrics are told: what fits in the cache."""


class Gathering:
    """Metrics by name that get several batches at a time; it changes none of their values."""

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self.metrics = dict(metrics)
        self._predictions: list[Array] = []
        self._targets: list[Any] = []
        self._size = 0
        self._shapes: tuple[Any, ...] = ()

    def add(self, prediction: Any, target: Any) -> None:
        """Count a batch, now or later."""
        data = getattr(prediction, "_data", prediction)
        if not isinstance(data, np.ndarray) or not isinstance(target, np.ndarray):
            self._tell(data, target)
            return
        shapes = data.shape[1:], data.dtype, target.shape[1:], target.dtype
        if shapes != self._shapes:
            self.flush()
            self._shapes = shapes
        self._predictions.append(data)
        self._targets.append(target)
        self._size += data.size
        if self._size >= ENOUGH:
            self.flush()

    def flush(self) -> None:
        """Tell the metrics everything that is waiting."""
        self._join()
        if self._predictions:
            self._tell(self._predictions[0], self._targets[0])
        self._forget()

    def _join(self) -> None:
        """Make one batch of those that are waiting."""
        if len(self._predictions) > 1:
            self._predictions = [np.concatenate(self._predictions)]
            self._targets = [np.concatenate(self._targets)]

    def reset(self) -> None:
        """Forget all batches, told or waiting."""
        self._forget()
        for metric in self.metrics.values():
            metric.reset()

    def compute(self) -> dict[str, Any]:
        """The values by name."""
        if not self.metrics:
            return {}
        self.flush()
        return {name: metric.compute() for name, metric in self.metrics.items()}

    def state_dict(self) -> dict[str, Any]:
        """The sums by name, and what is waiting.

        It goes on waiting: told earlier than otherwise, sums would be rounded otherwise.
        """
        self._join()
        sums = {name: metric.state_dict() for name, metric in self.metrics.items()}
        return {"sums": sums, "waiting": [*self._predictions, *self._targets]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self._forget()
        for name, metric in self.metrics.items():
            metric.load_state_dict(state["sums"][name])
        if state["waiting"]:
            self.add(*state["waiting"])

    def _tell(self, prediction: Any, target: Any) -> None:
        for metric in self.metrics.values():
            metric.update(prediction, target)

    def _forget(self) -> None:
        self._predictions, self._targets, self._size = [], [], 0
