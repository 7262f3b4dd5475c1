"""What `metrics=` may be: metrics, their names, plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from ...engine.errors import ArgumentError
from ...engine.types import np
from .accuracy import Accuracy, TopKAccuracy
from .confusion import ConfusionMatrix
from .metric import Metric
from .regression import MeanAbsoluteError, MeanSquaredError, R2Score
from .retrieval import F1Score, Precision, Recall

__all__ = ["OfAllSamples"]

NAMED: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy,
    "top_5_accuracy": TopKAccuracy,
    "confusion_matrix": ConfusionMatrix,
    "precision": Precision,
    "recall": Recall,
    "f1": F1Score,
    "mean_squared_error": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "r2": R2Score,
}


class OfAllSamples(Metric):
    """A function of all predictions and all targets, which are kept until then.

    For what does not add up from batch to batch, such as the area under the ROC curve. The mean of
    its values over batches would be something else.

    Args:
        function: called with all predictions and all targets, each joined along axis 0.
        name: the column in a history (default: the function's name).
        higher_is_better: which direction is good (default True).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> worst = tg.training.OfAllSamples(lambda p, y: abs(p - y).max(), "worst", False)
        >>> worst.update(np.array([1.0]), np.array([3.0])).compute()
        2.0
    """

    _arguments = ("name", "function", "higher_is_better")

    def __init__(
        self,
        function: Callable[[Any, Any], Any],
        name: str | None = None,
        higher_is_better: bool = True,
    ) -> None:
        self.function = function
        self.name = str(name or getattr(function, "__name__", type(function).__name__))
        self.higher_is_better = higher_is_better
        super().__init__()

    def reset(self) -> Self:
        """Forget all batches."""
        self.predictions: list[Any] = []
        self.targets: list[Any] = []
        self.samples = 0
        return self

    def add(self, prediction: Any, target: Any) -> None:
        """Keep copies: a loader may use its memory again."""
        self.predictions.append(np.array(prediction))
        self.targets.append(np.array(target))
        self.samples += len(self.targets[-1])

    def value(self) -> Any:
        """What the function says."""
        found = self.function(np.concatenate(self.predictions), np.concatenate(self.targets))
        return float(found) if np.ndim(found) == 0 else np.asarray(found)


def chosen_metrics(where: str, metrics: Any) -> dict[str, Metric]:
    """The metrics by the name of their column, each with sums of its own."""
    if isinstance(metrics, Mapping):
        pairs = [(str(name), as_metric(where, entry)) for name, entry in metrics.items()]
    else:
        single = isinstance(metrics, (str, Metric)) or not isinstance(metrics, Iterable)
        found = [as_metric(where, entry) for entry in ([metrics] if single else metrics)]
        pairs = [(metric.name, metric) for metric in found]
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1 or name in RESERVED or name.startswith("validation_"):
            raise ArgumentError(
                f"{where}: the name {name!r} of a metric is taken; name metrics yourself: "
                f"metrics={{'my_{name}': ...}}"
            )
    return dict(pairs)


RESERVED = ("epoch", "loss", "lr", "seconds", "gradient_norm")
"""Columns that a history has without any metric."""


def as_metric(where: str, entry: Any) -> Metric:
    """One metric from a metric, a name or a function."""
    if isinstance(entry, Metric):
        return entry
    if isinstance(entry, str) and entry in NAMED:
        return NAMED[entry]()
    if isinstance(entry, type) and issubclass(entry, Metric):
        raise ArgumentError(
            f"{where}: expected a metric, got the class {entry.__name__}; write {entry.__name__}()"
        )
    if callable(entry):
        return OfAllSamples(entry)
    raise ArgumentError(
        f"{where}: expected metrics, functions of (prediction, target) or names out of "
        f"{', '.join(NAMED)}; got {entry!r}"
    )
