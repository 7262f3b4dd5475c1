"""Zero mean and unit deviation, estimated on the training part and applied unchanged elsewhere."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..engine.errors import ArgumentError, GraphError, ShapeError
from ..engine.modes import default_dtype
from ..engine.types import Array
from .checks import as_array, same_length


class Standardizer:
    """Subtract the mean and divide by the standard deviation of the data given to `fit`.

    `axis` says what is averaged: 0 (default) gives every feature its own mean and deviation,
    None one of each for all values together (images, whose pixels share a unit), (0, 2, 3) one
    per channel of images of shape (n, channels, height, width). Where the data is constant, the
    deviation is taken as 1. Floating data keeps its dtype, integers become the default dtype.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> train, test = np.array([[0.0, 5.0], [4.0, 5.0]]), np.array([[6.0, 6.0]])
        >>> scaler = tg.data.Standardizer().fit(train)
        >>> scaler.transform(train).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]
        >>> scaler.transform(test).tolist()
        [[2.0, 1.0]]
    """

    mean: Array | None = None
    """Mean of the fitted data in float64, with the averaged axes kept at length 1."""
    deviation: Array | None = None
    """Standard deviation (of the population) in float64, 1 where it is 0; shaped as `mean`."""

    def __init__(self, axis: int | tuple[int, ...] | None = 0) -> None:
        self.axis = axis

    def fit(self, x: Any) -> Self:
        """Estimate mean and deviation from `x` of shape (n, ...), and return the standardizer.

        Raises `ArgumentError` for no samples, an axis that `x` lacks, NaN and infinity, and
        `DTypeError` for data that is not numeric.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.Standardizer(axis=None).fit([[1, 3], [1, 3]]).mean
            array([[2.]])
        """
        array = as_array("Standardizer.fit", x)
        same_length("Standardizer.fit", [array])
        axis = self.axis
        try:
            mean = array.mean(axis=axis, dtype=np.float64, keepdims=True)
        except np.exceptions.AxisError as error:
            raise ArgumentError(
                f"Standardizer.fit: expected axes of data of shape {array.shape}, got axis={axis!r}"
            ) from error
        if not np.isfinite(mean).all():
            raise ArgumentError(
                "Standardizer.fit: expected finite data, got NaN or infinity; drop these "
                "samples, x[np.isfinite(x).all(axis=1)], or fill them with np.nan_to_num(x)"
            )
        deviation = array.std(axis=axis, dtype=np.float64, keepdims=True)
        # Compared exactly: the deviation of a constant can come out as a rounding error, not 0.
        constant = array.max(axis=axis, keepdims=True) == array.min(axis=axis, keepdims=True)
        self.mean, self.deviation = mean, np.where(constant, 1.0, deviation)
        return self

    def transform(self, x: Any) -> Array:
        """`x` of the fitted shape (any number of samples), standardised; `x` is not changed.

        Raises `GraphError` before `fit` and `ShapeError` for other features than fitted.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.Standardizer().fit([0.0, 2.0]).transform([3.0]).tolist()
            [2.0]
        """
        if self.mean is None or self.deviation is None:
            raise GraphError(
                "Standardizer.transform: mean and deviation are not known yet; call "
                "fit(training_data) first, on the training part alone"
            )
        array = as_array("Standardizer.transform", x)
        dtype = array.dtype if array.dtype.kind == "f" else default_dtype()
        expected, came = self.mean.shape[1:], array.shape[1:]
        if array.ndim != self.mean.ndim or any(
            e not in (1, c) for e, c in zip(expected, came, strict=True)
        ):
            raise ShapeError(
                f"Standardizer.transform: expected shape (n, {', '.join(map(str, expected))}) "
                f"as fitted, got {array.shape}"
            )
        mean, deviation = self.mean.astype(dtype), self.deviation.astype(dtype)
        result: Array = (array - mean) / deviation
        return result
