"""After each epoch: how good the weights are, and which ones the model shall hold at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

from ..nn.module import Module
from ..optim import ExponentialMovingAverage
from .batches import Batch
from .best import Best
from .evaluation import evaluated
from .metrics import Metric


class Judge:
    """Validates the weights, or their average, and remembers the best ones.

    Args:
        model, loss, metrics: what is validated, and by what.
        batches: to validate on, or None.
        average: of the weights, or None.
        uses: what the average is for: "validation", "final".
        best: the best value of the monitored column so far.
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[..., Any],
        metrics: Mapping[str, Metric],
        batches: Iterable[Batch] | None,
        average: ExponentialMovingAverage | None,
        uses: frozenset[str],
        best: Best,
    ) -> None:
        self.model, self.loss, self.metrics, self.batches = model, loss, metrics, batches
        self.average, self.uses, self.best = average, uses, best

    def judge(self, row: dict[str, Any]) -> bool:
        """Add the validation to an epoch's row; returns whether the epoch is the best so far."""
        average = self.average if self._uses_average("validation") else None
        with nullcontext() if average is None else average.applied():
            if self.batches is not None:
                found = evaluated(self.model, self.batches, self.loss, self.metrics)
                row |= {f"validation_{name}": value for name, value in found.items()}
            best = self.best.see(row[self.best.monitor], row["epoch"])
            # weights are kept as they were validated
            if best and self.best.patience is not None:
                self.best.weights = self.model.state_dict()
        return best

    def put_final_weights(self) -> None:
        """Give the model the best weights where they were kept, else the average if it is used."""
        if self.best.weights is not None:
            self.model.load_state_dict(self.best.weights)
        elif self._uses_average("final"):
            self.average.copy_to()  # type: ignore[union-attr]

    def _uses_average(self, use: str) -> bool:
        return self.average is not None and bool(self.average.updates) and use in self.uses
