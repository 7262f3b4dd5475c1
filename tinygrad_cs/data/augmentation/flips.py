"""Mirror images."""

from __future__ import annotations

from ...engine.types import Array
from .augmentation import Augmentation, probability


class RandomHorizontalFlip(Augmentation):
    """Left and right exchanged with probability p: x[..., ::-1].

    Args:
        p: probability in [0, 1] that an image is flipped (default 0.5).

    What goes wrong: digits, letters and whatever else has a direction become something else.
    Raises `ArgumentError` for what is no probability.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.data.RandomHorizontalFlip(p=1)(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))
        array([[[[2., 1.],
                 [4., 3.]]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = probability("RandomHorizontalFlip", p)

    def _augment(self, images: Array, uniform: Array) -> Array:
        return images[..., ::-1].copy()


class RandomVerticalFlip(Augmentation):
    """Top and bottom exchanged with probability p: x[..., ::-1, :].

    Args:
        p: probability in [0, 1] that an image is flipped (default 0.5).

    What goes wrong: photographs have an up and a down; it is for those from above or through a
    microscope. Raises `ArgumentError` for what is no probability.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.data.RandomVerticalFlip(p=1)(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))
        array([[[[3., 4.],
                 [1., 2.]]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = probability("RandomVerticalFlip", p)

    def _augment(self, images: Array, uniform: Array) -> Array:
        return images[..., ::-1, :].copy()
