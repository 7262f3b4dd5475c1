"""Which class is taken for which: the confusion matrix."""

from __future__ import annotations

from typing import Any, Self

from ...engine.types import Array, np
from .metric import Metric
from .predictions import count_of, decided

__all__ = ["ConfusionMatrix"]


class ConfusionMatrix(Metric):
    """Counts of true classes (rows) by predicted classes (columns).

    Args:
        num_classes: how many classes; by default as many as there are scores, or labels seen.
        threshold: for one score of two classes; see `Accuracy`.
        ignore_index: targets that do not count (default -100).

    Raises `IndexOutOfRange` for a class beyond `num_classes`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> matrix = tg.training.ConfusionMatrix()
        >>> matrix.update(np.array([0, 1, 1]), np.array([0, 0, 1])).compute()
        array([[1, 1],
               [0, 1]])
    """

    name = "confusion_matrix"
    _arguments = ("name", "num_classes", "threshold", "ignore_index")
    counts: Array

    def __init__(
        self,
        num_classes: int | None = None,
        threshold: float | None = None,
        ignore_index: int = -100,
    ) -> None:
        self.num_classes = num_classes
        self.threshold = threshold
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self) -> Self:
        """Forget all batches."""
        size = self.num_classes or 0
        self.counts = np.zeros((size, size), np.int64)
        self.samples = 0
        return self

    def add(self, prediction: Any, target: Any) -> None:
        """Scores (N, C, ...) or classes (N, ...), and classes (N, ...)."""
        where = type(self).__name__
        predicted, true, known = decided(
            where, prediction, target, self.threshold, self.ignore_index
        )
        size = count_of(where, self.num_classes, known, predicted, true)
        missing = size - len(self.counts)
        if missing > 0:
            self.counts = np.pad(self.counts, ((0, missing), (0, missing)))
        size = len(self.counts)
        pairs = true.astype(np.int64) * size + predicted
        self.counts += np.bincount(pairs, minlength=size * size).reshape(size, size)
        self.samples += true.size

    def value(self) -> Array:
        """The counts, a copy."""
        return self.counts.copy()
