"""Min-max scaling: the range of the training part mapped to a given one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.errors import ArgumentError
from ...engine.types import Array
from .scaling import Axes, EntrywiseTransformer, check_axis, divisor
from .statistics import Extremes


class MinMaxScaler(EntrywiseTransformer):
    """low + (high - low) (x - minimum) / (maximum - minimum), with those of the data fitted.

    Where the training part is constant, the divisor is taken as 1: the feature becomes `low`
    there.

    Args:
        feature_range: low and high, two finite numbers (default (0, 1)).
        clip: whether values beyond the training part's are clipped to the range (default False).
        axis: what the extremes are taken over, as of `Standardizer` (default 0: each feature).

    What goes wrong: a single outlier of the training part squeezes everything else together; use
    `Standardizer` there. Raises `ArgumentError` for a range that is none.

    Example:
        >>> import tinygrad_cs as tg
        >>> scaler = tg.data.MinMaxScaler((-1, 1)).fit([[0.0, 7.0], [4.0, 7.0]])
        >>> scaler.transform([[1.0, 7.0], [8.0, 8.0]])
        array([[-0.5, -1. ],
               [ 3. ,  1. ]], dtype=float32)
    """

    def __init__(
        self, feature_range: tuple[float, float] = (0, 1), clip: bool = False, axis: Axes = 0
    ) -> None:
        check_axis(type(self).__name__, axis)
        try:
            low, high = (float(value) for value in feature_range)
        except (TypeError, ValueError):
            low = high = 0.0
        if not -np.inf < low < high < np.inf:
            raise ArgumentError(
                f"MinMaxScaler: expected feature_range to be two finite numbers, the lower first, "
                f"got {feature_range!r}"
            )
        self.feature_range = feature_range
        self.clip = clip
        self.axis = axis

    @property
    def minimum(self) -> Array | None:
        """Smallest values of the fitted data, in float64, the axes kept at length 1."""
        return None if self._statistics is None else self._statistics.minimum

    @property
    def maximum(self) -> Array | None:
        """Largest values of the fitted data; shaped as `minimum`."""
        return None if self._statistics is None else self._statistics.maximum

    def _measured(self, where: str, block: Array) -> Extremes:
        return Extremes.of(block, self._axes(where, block))

    def _kept(self) -> Array | None:
        return self.minimum

    def _line(self, dtype: np.dtype[Any]) -> tuple[Array, Array, float]:
        """Where the range of the data begins, its length per unit of the result, and `low`."""
        low, high = (float(value) for value in self.feature_range)
        minimum, maximum = self._statistics.minimum, self._statistics.maximum
        length = np.where(maximum == minimum, 1.0, maximum - minimum)
        return minimum.astype(dtype), divisor(length / (high - low), dtype), low

    def _forward(self, x: Array, dtype: np.dtype[Any]) -> Array:
        minimum, length, low = self._line(dtype)
        result = np.subtract(x, minimum, dtype=dtype)
        result /= length
        result += low
        if self.clip:
            np.clip(result, *self.feature_range, out=result)
        return result

    def _backward(self, z: Array, dtype: np.dtype[Any]) -> Array:
        minimum, length, low = self._line(dtype)
        result = np.subtract(z, low, dtype=dtype)
        result *= length
        result += minimum
        return result

    def _state_names(self) -> tuple[str, ...]:
        return ("minimum", "maximum")

    def _load(self, arrays: dict[str, Array]) -> str:
        extremes = Extremes(**arrays)
        if extremes.minimum.shape[:1] != (1,) or extremes.minimum.shape != extremes.maximum.shape:
            shapes = f"{extremes.minimum.shape} and {extremes.maximum.shape}"
            return f"expected minimum and maximum of one shape (1, ...), got {shapes}"
        if (extremes.minimum > extremes.maximum).any():
            return "expected minimum <= maximum"
        self._statistics = extremes
        return ""
