"""Precision, recall and their harmonic mean, per class or averaged over classes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from ...engine.types import Array, np
from .metric import Metric
from .predictions import check_average, count_of, decided

__all__ = ["F1Score", "Precision", "Recall"]


class _Retrieval(Metric):
    """Counts for each class how often it was hit, predicted and true.

    Args:
        average: 'macro' (default), the mean over the classes that occur, each counting the same;
            'micro', over all decisions together, each sample counting the same (for one label a
            sample this is the accuracy); None, an array with one value per class.
        num_classes: how many classes; by default as many as there are scores, or labels seen.
        threshold: for one score of two classes; see `Accuracy`.
        ignore_index: targets that do not count (default -100).

    0 / 0 counts as 0; a class that is neither predicted nor true has the value NaN and takes no
    part in 'macro'.
    """

    _title: ClassVar[str]
    _arguments = ("name", "average", "num_classes", "threshold", "ignore_index")
    hits: Array
    predicted: Array
    true: Array

    def __init__(
        self,
        average: str | None = "macro",
        num_classes: int | None = None,
        threshold: float | None = None,
        ignore_index: int = -100,
    ) -> None:
        check_average(type(self).__name__, average)
        self.average = average
        self.name = self._title if average is None else f"{average}_{self._title}"
        self.num_classes = num_classes
        self.threshold = threshold
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self) -> Self:
        """Forget all batches."""
        self.hits, self.predicted, self.true = np.zeros((3, self.num_classes or 0), np.int64)
        self.samples = 0
        return self

    def add(self, prediction: Any, target: Any) -> None:
        """Scores (N, C, ...) or classes (N, ...), and classes (N, ...)."""
        where = type(self).__name__
        predicted, true, known = decided(
            where, prediction, target, self.threshold, self.ignore_index
        )
        size = max(len(self.hits), count_of(where, self.num_classes, known, predicted, true))
        predicted, true = predicted.astype(np.int64), true.astype(np.int64)
        self.hits = _added(self.hits, true[predicted == true], size)
        self.predicted = _added(self.predicted, predicted, size)
        self.true = _added(self.true, true, size)
        self.samples += true.size

    def value(self) -> Any:
        """A number, or an array of one per class for `average=None`."""
        if self.average == "micro":
            return float(self.of(self.hits.sum(), self.predicted.sum(), self.true.sum()))
        occurs = self.predicted + self.true > 0
        each = np.where(occurs, self.of(self.hits, self.predicted, self.true), np.nan)
        return each if self.average is None else float(each[occurs].mean())

    def of(self, hits: Any, predicted: Any, true: Any) -> Any:
        """The score of these counts."""
        raise NotImplementedError


class Precision(_Retrieval):
    """Of the samples predicted to be of a class, the share that is.

    Args:
        average: 'macro' (default), 'micro', or None for one value per class.
        num_classes: how many classes; by default as many as there are scores, or labels seen.
        threshold: for one score of two classes; see `Accuracy`.
        ignore_index: targets that do not count (default -100).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> precision = tg.training.Precision(average=None)
        >>> precision.update(np.array([0, 1, 1]), np.array([0, 0, 1])).compute()
        array([1. , 0.5])
    """

    _title = "precision"

    def of(self, hits: Any, predicted: Any, true: Any) -> Any:
        """Hits / predicted, 0 where nothing was predicted."""
        return hits / np.maximum(predicted, 1)


class Recall(_Retrieval):
    """Of the samples of a class, the share that is predicted to be.

    Args:
        average: 'macro' (default), 'micro', or None for one value per class.
        num_classes: how many classes; by default as many as there are scores, or labels seen.
        threshold: for one score of two classes; see `Accuracy`.
        ignore_index: targets that do not count (default -100).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> recall = tg.training.Recall(average=None)
        >>> recall.update(np.array([0, 1, 1]), np.array([0, 0, 1])).compute()
        array([0.5, 1. ])
    """

    _title = "recall"

    def of(self, hits: Any, predicted: Any, true: Any) -> Any:
        """Hits / true, 0 where the class does not occur."""
        return hits / np.maximum(true, 1)


class F1Score(_Retrieval):
    """The harmonic mean of precision and recall: 2 hits / (predicted + true).

    C. J. van Rijsbergen, Information Retrieval, 1979. It is small as soon as one of both is: always
    naming the frequent class does not help, as it does with `Accuracy`.

    Args:
        average: 'macro' (default), the mean of the classes' values; 'micro', or None for one value
            per class.
        num_classes: how many classes; by default as many as there are scores, or labels seen.
        threshold: for one score of two classes; see `Accuracy`.
        ignore_index: targets that do not count (default -100).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> f1 = tg.training.F1Score().update(np.array([0, 1, 1]), np.array([0, 0, 1]))
        >>> round(f1.compute(), 4)
        0.6667
    """

    _title = "f1"

    def of(self, hits: Any, predicted: Any, true: Any) -> Any:
        """2 hits / (predicted + true)."""
        return 2 * hits / np.maximum(predicted + true, 1)


def _added(counts: Array, classes: Array, size: int) -> Array:
    more: Array = np.bincount(classes, minlength=size)
    more[: len(counts)] += counts
    return more
