"""Zero-centring: the mean of the training part subtracted, per feature, pixel or channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.types import Array
from .scaling import Axes, EntrywiseTransformer, check_axis, check_images
from .statistics import Moments


class Averaging(EntrywiseTransformer):
    """A transformer that knows mean and deviation."""

    def _measured(self, where: str, block: Array) -> Moments:
        return Moments.of(block, self._axes(where, block))

    def _kept(self) -> Array | None:
        return self.mean

    @property
    def mean(self) -> Array | None:
        """Mean of the fitted data in float64, with the averaged axes kept at length 1."""
        return None if self._statistics is None else self._statistics.mean

    @property
    def count(self) -> int:
        """How many values each mean is of; 0 before `fit`."""
        return 0 if self._statistics is None else int(self._statistics.count)

    def _state_names(self) -> tuple[str, ...]:
        return ("count", "mean", "squares")

    def _load(self, arrays: dict[str, Array]) -> str:
        moments = Moments(**arrays)
        if moments.count.shape != () or moments.count < 1:
            return f"expected count to be one number >= 1, got {moments.count!r}"
        if moments.mean.shape[:1] != (1,) or moments.mean.shape != moments.squares.shape:
            shapes = f"{moments.mean.shape} and {moments.squares.shape}"
            return f"expected mean and squares of one shape (1, ...), got {shapes}"
        if moments.squares.min(initial=0) < 0:
            return "expected squares >= 0"
        self._statistics = moments
        return ""


class Center(Averaging):
    """Zero-centring: x - mean.

    All-positive inputs make the gradients of all weights of a neuron have one sign, so that
    descent zigzags; centred ones do not (lectures CS231n).

    Args:
        axis: what is averaged over: 0 (default) gives every feature its own mean, None all values
            one, (0, 2, 3) every channel of images. It has to include 0, the samples.

    Raises `ArgumentError` for an axis that is no integer or that the data lacks.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.data.Center().fit_transform([[1.0, 5.0], [3.0, 5.0]])
        array([[-1.,  0.],
               [ 1.,  0.]], dtype=float32)
    """

    def __init__(self, axis: Axes = 0) -> None:
        check_axis(type(self).__name__, axis)
        self.axis = axis

    def _forward(self, x: Array, dtype: np.dtype[Any]) -> Array:
        assert self.mean is not None
        result: Array = np.subtract(x, self.mean.astype(dtype), dtype=dtype)
        return result

    def _backward(self, z: Array, dtype: np.dtype[Any]) -> Array:
        assert self.mean is not None
        result: Array = np.add(z, self.mean.astype(dtype), dtype=dtype)
        return result


class MeanImage(Center):
    """The mean image (C, H, W) subtracted: every pixel of every channel has its own mean.

    The convention of AlexNet (A. Krizhevsky and others, 2012). The size of the images is fixed by
    it; crops are taken after, or the same crop of the mean image is subtracted.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> images = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 4), dtype=np.uint8)
        >>> scaler = tg.data.MeanImage().fit(images)
        >>> scaler.mean.shape, scaler.transform(images).dtype
        ((1, 3, 4, 4), dtype('float32'))
    """

    def __init__(self) -> None:
        super().__init__(axis=0)

    def _measured(self, where: str, block: Array) -> Moments:
        check_images(where, block)
        return super()._measured(where, block)


class ChannelMean(Center):
    """The mean of each channel subtracted, three numbers for colour images of any size.

    The convention of VGG (K. Simonyan and A. Zisserman, 2014).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> images = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 4), dtype=np.uint8)
        >>> tg.data.ChannelMean().fit(images).mean.shape
        (1, 3, 1, 1)
    """

    def __init__(self) -> None:
        super().__init__(axis=(0, 2, 3))

    def _measured(self, where: str, block: Array) -> Moments:
        check_images(where, block)
        return super()._measured(where, block)
