"""How far numbers are off: mean squared and absolute error, and the share of variance explained."""

from __future__ import annotations

import math
from typing import Any, Self

from ...engine.errors import ShapeError
from ...engine.types import Array, np
from .metric import Metric
from .predictions import as_arrays

__all__ = ["MeanAbsoluteError", "MeanSquaredError", "R2Score"]


class _MeanError(Metric):
    higher_is_better = False
    total: float

    def reset(self) -> Self:
        """Forget all batches."""
        self.total, self.samples = 0.0, 0
        return self

    def value(self) -> float:
        """The mean over all entries."""
        return self.total / self.samples


class MeanSquaredError(_MeanError):
    """The mean of (prediction - target)^2 over all entries, in the square of the target's unit.

    Sums are kept in float64. A value above the variance of the targets has learned nothing:
    predicting their mean gives it.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> metric = tg.training.MeanSquaredError()
        >>> metric.update(np.array([1.0, 4.0]), np.array([1.0, 2.0])).compute()
        2.0
    """

    name = "mean_squared_error"

    def add(self, prediction: Any, target: Any) -> None:
        """Two arrays of the same shape (N, ...)."""
        difference = _difference("MeanSquaredError", prediction, target)
        self.total += float(np.vdot(difference, difference))
        self.samples += difference.size


class MeanAbsoluteError(_MeanError):
    """The mean of |prediction - target| over all entries, in the target's unit.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> metric = tg.training.MeanAbsoluteError()
        >>> metric.update(np.array([1.0, 4.0]), np.array([1.0, 2.0])).compute()
        1.0
    """

    name = "mean_absolute_error"

    def add(self, prediction: Any, target: Any) -> None:
        """Two arrays of the same shape (N, ...)."""
        difference = _difference("MeanAbsoluteError", prediction, target)
        self.total += float(np.abs(difference).sum())
        self.samples += difference.size


class R2Score(Metric):
    """The share of the targets' variance that is explained, 1 - sum (y - p)^2 / sum (y - mean y)^2.

    1 is perfect, 0 what predicting the mean achieves, below 0 worse than that. Targets of several
    columns (N, D) give the mean over the columns. Mean and squares are merged batch by batch in
    float64 (T. F. Chan, G. H. Golub and R. J. LeVeque, Updating Formulae and a Pairwise Algorithm
    for Computing Sample Variances, 1979), so that a large mean costs no digits. NaN where the
    targets are all equal: there is no variance to explain.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> y = np.array([1.0, 2.0, 3.0])
        >>> tg.training.R2Score().update(y + [0.0, 0.0, 1.0], y).compute()
        0.5
    """

    name = "r2"
    mean: Any
    spread: Any
    residual: Any

    def reset(self) -> Self:
        """Forget all batches."""
        self.mean = self.spread = self.residual = None
        self.samples = 0
        return self

    def add(self, prediction: Any, target: Any) -> None:
        """Two arrays of the same shape (N,) or (N, D)."""
        difference = _difference("R2Score", prediction, target)
        if difference.ndim > 2:
            raise ShapeError(
                f"R2Score: expected targets of shape (N,) or (N, D), got {difference.shape}; "
                f"write y.reshape(len(y), -1)"
            )
        count = len(difference)
        if not count:
            return
        y = np.asarray(target, np.float64).reshape(count, -1)
        residual = np.square(difference.reshape(count, -1)).sum(axis=0)
        mean = y.mean(axis=0)
        spread = np.square(y - mean).sum(axis=0)
        if self.mean is None:
            self.mean, self.spread, self.residual = mean, spread, residual
        elif self.mean.shape != mean.shape:
            raise ShapeError(
                f"R2Score: {mean.size} columns after batches of {self.mean.size}; call reset() "
                f"before other data"
            )
        else:
            shift, total = mean - self.mean, self.samples + count
            self.spread = self.spread + spread + shift**2 * (self.samples * count / total)
            self.mean = self.mean + shift * (count / total)
            self.residual = self.residual + residual
        self.samples += count

    def value(self) -> float:
        """The mean over the columns."""
        if (self.spread == 0).any():
            return math.nan
        return float((1 - self.residual / self.spread).mean())


def _difference(where: str, prediction: Any, target: Any) -> Array:
    prediction, target = as_arrays(where, prediction, target)
    if prediction.shape != target.shape:
        raise ShapeError(
            f"{where}: predictions of shape {prediction.shape} and targets of shape {target.shape} "
            f"differ; NumPy would pair every one with every other: write "
            f"prediction.reshape(target.shape)"
        )
    difference: Array = np.subtract(prediction, target, dtype=np.float64)
    return difference
