"""Small rotations and shifts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.types import Array
from .augmentation import Augmentation, probability
from .images import floating, interval, like, number, white


class RandomAffine(Augmentation):
    """A rotation around the middle and a shift, both random, with bilinear interpolation.

    The new pixel at offset (x, y) from the middle shows what was at R (x - t_x, y - t_y), R the
    rotation back: a weighted mean of the four pixels around that place.

    Args:
        degrees: the angle is uniform in [-degrees, degrees], or between two numbers; positive is
            counter-clockwise.
        translate: largest shift to either side, as shares in [0, 1] of width and height (default
            (0, 0)); shifts are uniform, and not of whole pixels.
        fill: what comes in from outside, of 0 (black, default) to 1; uint8 get 255 times it.
        p: probability in [0, 1] that an image is moved (default 1).

    What goes wrong: every interpolation blurs; one rotation with a shift blurs once, two
    augmentations twice. Raises `ArgumentError` for other arguments.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = np.array([[[[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]]])
        >>> tg.data.RandomAffine((90, 90))(image).round(9)
        array([[[[0., 1., 0.],
                 [0., 0., 0.],
                 [0., 0., 0.]]]])
    """

    draws = 3

    def __init__(
        self,
        degrees: float | tuple[float, float],
        translate: tuple[float, float] = (0.0, 0.0),
        fill: float = 0.0,
        p: float = 1.0,
    ) -> None:
        if isinstance(degrees, (tuple, list)):
            self.degrees = interval("RandomAffine", "degrees", degrees)
        else:
            limit = number("RandomAffine", "degrees", degrees)
            self.degrees = -limit, limit
        shares: tuple[Any, ...] = tuple(translate) if isinstance(translate, (tuple, list)) else ()
        across, down = shares if len(shares) == 2 else (None, None)
        self.translate = (
            number("RandomAffine", "the first of two numbers in translate", across, 0, 1),
            number("RandomAffine", "the second of two numbers in translate", down, 0, 1),
        )
        self.fill = number("RandomAffine", "fill", fill, -np.inf)
        self.p = probability("RandomAffine", p)

    def _augment(self, images: Array, uniform: Array) -> Array:
        height, width = images.shape[2:]
        low, high = self.degrees
        angle = np.deg2rad(low + (high - low) * uniform[:, 0])
        shift = (2 * uniform[:, 1:] - 1) * (self.translate[0] * width, self.translate[1] * height)
        x = np.arange(width) - (width - 1) / 2 - shift[:, 0, None, None]
        y = np.arange(height)[:, None] - (height - 1) / 2 - shift[:, 1, None, None]
        cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
        # Rows count downwards, so that this sign of the sine turns counter-clockwise.
        rows = x * sin + y * cos + (height - 1) / 2
        columns = x * cos - y * sin + (width - 1) / 2
        result = _interpolated(floating(images), rows, columns, self.fill * white(images))
        return like(result, images) if images.dtype == np.uint8 else result


def _interpolated(images: Array, rows: Array, columns: Array, fill: float) -> Array:
    """Values (N, C, h, w) of images at places (N, h, w) between their pixels."""
    n, channels, height, width = images.shape
    # A frame of one pixel stands for everything outside; pixels lie with their channels together.
    framed = np.full((n, height + 2, width + 2, channels), fill, images.dtype)
    framed[:, 1:-1, 1:-1] = images.transpose(0, 2, 3, 1)
    pixels = framed.reshape(-1, channels)
    origin = (np.arange(n) * ((height + 2) * (width + 2)))[:, None, None]
    top, left = np.floor(rows), np.floor(columns)
    down, right = rows - top, columns - left
    result = np.zeros((*rows.shape, channels), images.dtype)
    for row, by_row in ((top, 1 - down), (top + 1, down)):
        inside_row = np.clip(row + 1, 0, height + 1).astype(np.intp) * (width + 2) + origin
        for column, by_column in ((left, 1 - right), (left + 1, right)):
            place = inside_row + np.clip(column + 1, 0, width + 1).astype(np.intp)
            weight = (by_row * by_column).astype(images.dtype)
            result += pixels.take(place, axis=0) * weight[..., None]
    return np.ascontiguousarray(result.transpose(0, 3, 1, 2))
