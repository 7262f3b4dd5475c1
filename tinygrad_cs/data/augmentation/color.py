"""Brightness, contrast, saturation and hue: one affine map of the colours for each image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.errors import ArgumentError
from ...engine.types import Array
from .augmentation import Augmentation, probability
from .images import check_colors, check_range, floating, interval, like, number

LUMA = np.array([0.299, 0.587, 0.114])
"""How bright red, green and blue are (ITU-R BT.601)."""
_YIQ = np.stack([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_RGB = np.linalg.inv(_YIQ)


class ColorJitter(Augmentation):
    """Random brightness, contrast, saturation and hue; results are clipped to the scale.

    With luma Y = 0.299 R + 0.587 G + 0.114 B, its mean m over the image, and factors b, c, s:
    brightness gives b x, contrast c x + (1 - c) m, saturation s x + (1 - s) Y; hue turns the
    colours in the plane of YIQ (NTSC) beside Y by an angle, which keeps their luma. All four are
    affine and commute, so their order, which other libraries draw, does not matter: here they
    are one 3 by 3 matrix and an offset, and clipped once, at the end.

    Args:
        brightness, contrast, saturation: the factor is uniform in [max(0, 1 - value), 1 + value],
            or between two numbers >= 0 (default 0: left alone).
        hue: in parts of a full turn: uniform in [-hue, hue], or between two numbers, of at most
            0.5 (default 0).
        p: probability in [0, 1] that an image is changed (default 1).

    Images with one channel have brightness and contrast. What goes wrong: where colour tells the
    classes apart, jittered hue erases it. Raises `ArgumentError` for other arguments and for
    floating images beyond 0 to 1, `ShapeError` for saturation and hue of grey images.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> darker = tg.data.ColorJitter(brightness=(0.5, 0.5))
        >>> darker(np.full((1, 3, 1, 1), 200, np.uint8)).ravel()
        array([100, 100, 100], dtype=uint8)
    """

    draws = 4

    def __init__(
        self,
        brightness: float | tuple[float, float] = 0.0,
        contrast: float | tuple[float, float] = 0.0,
        saturation: float | tuple[float, float] = 0.0,
        hue: float | tuple[float, float] = 0.0,
        p: float = 1.0,
    ) -> None:
        self.brightness = _factors("brightness", brightness)
        self.contrast = _factors("contrast", contrast)
        self.saturation = _factors("saturation", saturation)
        if not isinstance(hue, (tuple, list)):
            limit = number("ColorJitter", "hue", hue, 0, 0.5)
            hue = -limit, limit
        self.hue = interval("ColorJitter", "hue", hue, -0.5, 0.5)
        self.p = probability("ColorJitter", p)

    def _check(self, images: Array) -> None:
        check_range("ColorJitter", images)
        for name, neutral in (("saturation", (1, 1)), ("hue", (0, 0))):
            if getattr(self, name) != neutral:
                check_colors("ColorJitter", images, name)
        if images.shape[1] != 1:
            check_colors("ColorJitter", images, "ColorJitter")

    def _augment(self, images: Array, uniform: Array) -> Array:
        low, high = np.array([self.brightness, self.contrast, self.saturation, self.hue]).T
        brightness, contrast, saturation, turn = (low + (high - low) * uniform).T
        pixels = floating(images).reshape(*images.shape[:2], -1)
        means = pixels.mean(axis=2)
        scale = (brightness * contrast)[:, None, None]
        if images.shape[1] == 1:
            matrix, luma = scale, means[:, 0]
        else:
            matrix, luma = scale * color_matrices(saturation, turn), means @ LUMA
        offset = brightness * (1 - contrast) * luma
        result = matrix.astype(pixels.dtype) @ pixels
        result += offset.astype(pixels.dtype)[:, None, None]
        return like(result, images).reshape(images.shape)


def color_matrices(saturation: Array, turn: Array) -> Array:
    """Matrices (N, 3, 3) that scale and turn the colours beside luma, by parts of a full turn.

    In YIQ a colour beside luma is a point (I, Q) in a plane: it is turned and scaled there.
    Saturation commutes with the turn, and both keep luma and grey.
    """
    angle = 2 * np.pi * turn
    cos, sin = saturation * np.cos(angle), saturation * np.sin(angle)
    inner = np.zeros((len(turn), 3, 3))
    inner[:, 0, 0] = 1
    inner[:, 1, 1] = inner[:, 2, 2] = cos
    inner[:, 1, 2], inner[:, 2, 1] = -sin, sin
    matrices: Array = _RGB @ inner @ _YIQ
    return matrices


def _factors(name: str, value: Any) -> tuple[float, float]:
    if isinstance(value, (tuple, list)):
        return interval("ColorJitter", name, value, 0)
    try:
        amount = number("ColorJitter", name, value)
    except ArgumentError as error:
        raise ArgumentError(f"{error}, or two factors >= 0") from None
    return max(0.0, 1 - amount), 1 + amount
