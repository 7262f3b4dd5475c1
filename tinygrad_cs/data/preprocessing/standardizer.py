"""Zero mean and unit deviation, estimated on the training part and applied unchanged elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.types import Array
from .centering import Averaging
from .scaling import Axes, check_axis, check_images, divisor
from .statistics import Moments


class Standardizer(Averaging):
    """Standardising: (x - mean) / deviation, with those of the data given to `fit`.

    The deviation is that of the population, as of `np.std`. Where the training part is constant,
    it is taken as 1: the feature becomes 0 there, and keeps its unit elsewhere.

    Args:
        axis: what is averaged over: 0 (default) gives every feature its own mean and deviation,
            None one of each for all values together (images, whose pixels share a unit),
            (0, 2, 3) one per channel of images (N, C, H, W). It has to include 0, the samples.

    What goes wrong: fitting on all data, or again on the test part, gives test data another unit
    than the network has learned. Raises `ArgumentError` for an axis that is no integer or that
    the data lacks.

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

    def __init__(self, axis: Axes = 0) -> None:
        check_axis(type(self).__name__, axis)
        self.axis = axis

    @property
    def deviation(self) -> Array | None:
        """Standard deviation (of the population) in float64, 1 where it is 0; shaped as `mean`."""
        return None if self._statistics is None else self._statistics.deviation

    def _forward(self, x: Array, dtype: np.dtype[Any]) -> Array:
        assert self.mean is not None and self.deviation is not None
        result: Array = np.subtract(x, self.mean.astype(dtype), dtype=dtype)
        result /= divisor(self.deviation, dtype)
        return result

    def _backward(self, z: Array, dtype: np.dtype[Any]) -> Array:
        assert self.mean is not None and self.deviation is not None
        result: Array = np.multiply(z, divisor(self.deviation, dtype), dtype=dtype)
        result += self.mean.astype(dtype)
        return result


class ChannelStandardizer(Standardizer):
    """Mean and deviation of each channel: (x - mean) / deviation for images of any size.

    The convention of ResNet and most networks since (K. He and others, 2015).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> images = np.random.default_rng(0).integers(0, 256, (9, 3, 8, 8), dtype=np.uint8)
        >>> z = tg.data.ChannelStandardizer().fit_transform(images)
        >>> z.mean((0, 2, 3)).round(4) + 0, z.std((0, 2, 3)).round(4)
        (array([0., 0., 0.], dtype=float32), array([1., 1., 1.], dtype=float32))
    """

    def __init__(self) -> None:
        super().__init__(axis=(0, 2, 3))

    def _measured(self, where: str, block: Array) -> Moments:
        check_images(where, block)
        return super()._measured(where, block)
