"""A square of every image left out."""

from __future__ import annotations

import numpy as np

from ...engine.types import Array
from .augmentation import Augmentation, probability
from .images import number, pair_of_sizes, white


class Cutout(Augmentation):
    """A square at a random place set to `fill`, in all channels.

    T. DeVries and G. Taylor, Improved Regularization of Convolutional Neural Networks with
    Cutout, 2017: the middle of the square is any pixel with equal chance, so that squares at the
    border are cut off and some of the image is always seen.

    Args:
        size: side of the square in pixels, or height and width; the paper takes 16 for CIFAR-10
            and 8 for CIFAR-100.
        fill: what it is filled with, of 0 (default) to 1; uint8 get 255 times it.
        p: probability in [0, 1] that an image is cut (default 1).

    What goes wrong: black squares shift the mean of the images; after standardising, 0 is the
    mean, so put it there. Raises `ArgumentError` for other arguments.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.data.Cutout(2)(np.ones((1, 1, 3, 4)), generator=5)
        array([[[[1., 1., 1., 1.],
                 [1., 0., 0., 1.],
                 [1., 0., 0., 1.]]]])
    """

    draws = 2

    def __init__(self, size: int | tuple[int, int], fill: float = 0.0, p: float = 1.0) -> None:
        self.size = pair_of_sizes("Cutout", "size", size)
        self.fill = number("Cutout", "fill", fill, -np.inf)
        self.p = probability("Cutout", p)

    def _augment(self, images: Array, uniform: Array) -> Array:
        lengths = np.broadcast_to(np.array(self.size), uniform.shape)
        hidden = rectangles(uniform, lengths, images.shape[2], images.shape[3])
        fill = images.dtype.type(self.fill * white(images))
        return np.where(hidden[:, None], fill, images)


def rectangles(middles: Array, lengths: Array, height: int, width: int) -> Array:
    """Masks (N, height, width) of rectangles, cut off at the border.

    `middles` (N, 2) in [0, 1) are places in the image, `lengths` (N, 2) whole numbers of pixels.
    """
    first = (middles * (height, width)).astype(np.intp) - lengths // 2
    last = first + lengths
    rows, columns = np.arange(height), np.arange(width)
    inside_rows = (rows >= first[:, :1]) & (rows < last[:, :1])
    inside_columns = (columns >= first[:, 1:]) & (columns < last[:, 1:])
    masks: Array = inside_rows[:, :, None] & inside_columns[:, None, :]
    return masks
