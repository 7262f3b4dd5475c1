"""Images of another size: each pixel a mean of those it covers, as products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.errors import ShapeError
from ...engine.types import Array
from .images import as_images, floating, like, pair_of_sizes


def resize(images: Any, size: int | tuple[int, int]) -> Array:
    """Images (N, C, H, W) resized to `size`, bilinearly, with antialiasing where they get smaller.

    Rows and columns are weighted by triangles around the centres of the new pixels, as wide as
    two pixels of the coarser of the two grids. One number is the length of both sides.

    Raises `ArgumentError` for sizes that are no integers >= 1, `ShapeError` for other shapes.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.data.resize(np.array([[[[0.0, 0.5, 1.0, 0.5]]]]), (1, 2)).round(3)
        array([[[[0.357, 0.714]]]])
    """
    array = as_images("resize", images)
    height, width = array.shape[2:]
    size = pair_of_sizes("resize", "size", size)
    whole = np.zeros(1)
    return resample(array, (whole, whole + height), (whole, whole + width), size)


def center_crop(images: Any, size: int | tuple[int, int]) -> Array:
    """The middle of images (N, C, H, W), `size` high and wide; the evaluation of random crops.

    Raises `ShapeError` for images smaller than that.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.data.center_crop(np.arange(9.0).reshape(1, 1, 3, 3), 1)
        array([[[[4.]]]])
    """
    array = as_images("center_crop", images)
    height, width = pair_of_sizes("center_crop", "size", size)
    check_fits("center_crop", array, (height, width))
    top, left = round((array.shape[2] - height) / 2), round((array.shape[3] - width) / 2)
    return array[:, :, top : top + height, left : left + width].copy()


def check_fits(where: str, images: Array, size: tuple[int, int]) -> None:
    """Raise `ShapeError` if images are smaller than a crop of them."""
    if images.shape[2] < size[0] or images.shape[3] < size[1]:
        raise ShapeError(
            f"{where}: expected images of at least {size[0]} by {size[1]} pixels, got shape "
            f"{images.shape}; give a smaller size, or resize(images, ...) first"
        )


def resample(
    images: Array,
    rows: tuple[Array, Array],
    columns: tuple[Array, Array],
    size: tuple[int, int],
) -> Array:
    """Parts of images, given by start and length (N,) or (1,) along both axes, as of one size."""
    values = floating(images)
    down = _weights(*rows, images.shape[2], size[0]).astype(values.dtype)
    across = _weights(*columns, images.shape[3], size[1]).astype(values.dtype)
    # (n, 1, h, H) @ (n, C, H, W) @ (n, 1, W, w)
    result = down[:, None] @ values @ across.transpose(0, 2, 1)[:, None]
    if images.dtype == np.uint8:
        return like(result, images)
    resized: Array = result.astype(images.dtype, copy=False)
    return resized


def _weights(start: Array, length: Array, pixels: int, size: int) -> Array:
    """What each of `pixels` gives to each of `size` new ones: (n, size, pixels), rows sum to 1."""
    step = length[:, None] / size
    centers = start[:, None] + (np.arange(size) + 0.5) * step
    reach = np.maximum(step, 1.0)
    positions = np.arange(pixels) + 0.5
    distance = np.abs(positions - centers[..., None]) / reach[..., None]
    weights = np.maximum(1 - distance, 0)
    inside = (positions > start[:, None]) & (positions < (start + length)[:, None])
    weights *= inside[:, None]
    weights /= weights.sum(axis=2, keepdims=True)
    return weights
