"""How often the right class is found: first, or among the first k."""

from __future__ import annotations

from typing import Any, Self

from ...engine.errors import ArgumentError
from ...engine.types import np
from .metric import Metric
from .predictions import check_range, decided, scores_and_classes

__all__ = ["Accuracy", "TopKAccuracy"]


class Accuracy(Metric):
    """The share of samples whose class is right.

    With classes of unequal frequency it misleads: always saying "healthy" is right for 99 % of
    the samples where 1 % is ill. Look at `ConfusionMatrix` and `F1Score` then.

    Args:
        threshold: for scores of the target's shape (one per sample, or several labels each): class
            1 above it. 0.0 for logits (`BCEWithLogitsLoss`), 0.5 for probabilities. None (default):
            the largest score along axis 1 decides, and integers are decided already.
        ignore_index: targets that do not count (default -100, as in `CrossEntropyLoss`).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> accuracy = tg.training.Accuracy()
        >>> for logits, y in [([[2.0, 1.0], [0.0, 3.0]], [0, 1]), ([[1.0, 0.0]], [1])]:
        ...     _ = accuracy.update(np.array(logits), np.array(y))
        >>> round(accuracy.compute(), 4)
        0.6667
    """

    name = "accuracy"
    _arguments = ("name", "threshold", "ignore_index")
    right: int

    def __init__(self, threshold: float | None = None, ignore_index: int = -100) -> None:
        self.threshold = threshold
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self) -> Self:
        """Forget all batches."""
        self.right = self.samples = 0
        return self

    def add(self, prediction: Any, target: Any) -> None:
        """Scores (N, C, ...) or classes (N, ...), and classes (N, ...)."""
        predicted, true, _ = decided(
            "Accuracy", prediction, target, self.threshold, self.ignore_index
        )
        self.right += int(np.count_nonzero(predicted == true))
        self.samples += true.size

    def value(self) -> float:
        """The share that is right."""
        return self.right / self.samples


class TopKAccuracy(Metric):
    """The share of samples whose class is among the k with the largest scores.

    Of equal scores the class with the smaller number counts as larger, so that a model that gives
    every class the same score is not right about all of them.

    Args:
        k: how many guesses are allowed (default 5).
        ignore_index: targets that do not count (default -100).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> scores = np.array([[0.1, 0.5, 0.4], [0.6, 0.3, 0.1]])
        >>> tg.training.TopKAccuracy(k=2).update(scores, np.array([2, 2])).compute()
        0.5
    """

    _arguments = ("name", "k", "ignore_index")
    right: int

    def __init__(self, k: int = 5, ignore_index: int = -100) -> None:
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
            raise ArgumentError(f"TopKAccuracy: k must be a whole number of 1 or more, got {k!r}")
        self.k = int(k)
        self.name = f"top_{k}_accuracy"
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self) -> Self:
        """Forget all batches."""
        self.right = self.samples = 0
        return self

    def add(self, prediction: Any, target: Any) -> None:
        """Scores (N, C, ...) and classes (N, ...)."""
        scores, true = scores_and_classes("TopKAccuracy", prediction, target)
        if self.k > scores.shape[1]:
            raise ArgumentError(
                f"TopKAccuracy: the {self.k} largest of {scores.shape[1]} scores do not exist; "
                f"take a smaller k"
            )
        if true.size and true.min() < 0:
            kept = true != self.ignore_index
            scores, true = scores[kept], true[kept]
        check_range("TopKAccuracy", true, scores.shape[1])
        own = np.take_along_axis(scores, true[:, None].astype(np.intp), axis=1)
        before = np.arange(scores.shape[1]) < true[:, None]
        ahead = (scores > own) | ((scores == own) & before)
        # a comparison with NaN is False: a sample whose scores are NaN is not right
        found = (np.count_nonzero(ahead, axis=1) < self.k) & ~np.isnan(scores).any(axis=1)
        self.right += int(np.count_nonzero(found))
        self.samples += true.size

    def value(self) -> float:
        """The share that is right."""
        return self.right / self.samples
