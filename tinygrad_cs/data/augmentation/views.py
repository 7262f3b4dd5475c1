"""Views of images for testing: all crops, mirror images and sizes instead of a random one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine.errors import ArgumentError
from ...engine.types import Array
from ..preprocessing.parameters import Parameters
from .images import as_images, pair_of_sizes
from .resizing import center_crop, check_fits, resize


class FiveCrop(Parameters):
    """The four corners and the middle: five arrays (N, C, h, w).

    In this order: top left, top right, bottom left, bottom right, middle.

    Args:
        size: height and width of the crops, one integer or two.

    Raises `ArgumentError` for sizes that are no integers >= 1, `ShapeError` for smaller images.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> views = tg.data.FiveCrop(1)(np.arange(9.0).reshape(1, 1, 3, 3))
        >>> [view.item() for view in views]
        [0.0, 2.0, 6.0, 8.0, 4.0]
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = pair_of_sizes(type(self).__name__, "size", size)

    def __call__(self, images: Any) -> list[Array]:
        """Five arrays (N, C, h, w)."""
        array = as_images(type(self).__name__, images)
        height, width = self.size
        check_fits(type(self).__name__, array, self.size)
        bottom, right = array.shape[2] - height, array.shape[3] - width
        corners = [(0, 0), (0, right), (bottom, 0), (bottom, right)]
        views = [array[:, :, y : y + height, x : x + width].copy() for y, x in corners]
        return [*views, center_crop(array, self.size)]


class TenCrop(FiveCrop):
    """The five crops and their mirror images: ten arrays (N, C, h, w), as AlexNet was tested.

    A. Krizhevsky and others, 2012.

    Args:
        size: height and width of the crops, one integer or two.

    Raises as `FiveCrop`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> len(tg.data.TenCrop(24)(np.zeros((2, 3, 32, 32))))
        10
    """

    def __call__(self, images: Any) -> list[Array]:
        """Ten arrays (N, C, h, w)."""
        views = super().__call__(images)
        return views + [view[..., ::-1].copy() for view in views]


class FlipViews(Parameters):
    """The images and their mirror images; with `vertical=True` also both upside down.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> [view.ravel().tolist() for view in tg.data.FlipViews()(np.array([[[[1.0, 2.0]]]]))]
        [[1.0, 2.0], [2.0, 1.0]]
    """

    def __init__(self, vertical: bool = False) -> None:
        self.vertical = vertical

    def __call__(self, images: Any) -> list[Array]:
        """Two or four arrays of the shape of `images`."""
        array = as_images("FlipViews", images)
        views = [array.copy(), array[..., ::-1].copy()]
        if self.vertical:
            views += [view[..., ::-1, :].copy() for view in views]
        return views


class ScaleViews(Parameters):
    """The images in several sizes, for networks that end in global pooling.

    K. Simonyan and A. Zisserman, Very Deep Convolutional Networks, 2014 (VGG), section 3.2.

    Args:
        sizes: heights and widths, each one integer or two.

    Raises `ArgumentError` for sizes that are no integers >= 1, and without any.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> views = tg.data.ScaleViews([24, (32, 16)])(np.zeros((1, 3, 32, 32)))
        >>> [view.shape for view in views]
        [(1, 3, 24, 24), (1, 3, 32, 16)]
    """

    def __init__(self, sizes: Sequence[int | tuple[int, int]]) -> None:
        if not isinstance(sizes, (list, tuple)) or not sizes:
            raise ArgumentError(f"ScaleViews: expected a list of sizes, got {sizes!r}")
        self.sizes = [pair_of_sizes("ScaleViews", "each of sizes", size) for size in sizes]

    def __call__(self, images: Any) -> list[Array]:
        """An array (N, C, h, w) for each size."""
        return [resize(images, size) for size in self.sizes]
