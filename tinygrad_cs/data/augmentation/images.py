"""Batches of images: uint8 of 0 to 255 or floats of 0 to 1, both treated alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.errors import ArgumentError, DTypeError, ShapeError
from ...engine.types import Array
from ..checks import as_array
from ..preprocessing.scaling import check_images

_ROUNDING = 1e-4


def as_images(where: str, images: Any) -> Array:
    """`images` as an array (N, C, H, W) of uint8 or floats."""
    array = as_array(where, images)
    check_images(where, array)
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise DTypeError(
            f"{where}: expected images of uint8 (0 to 255) or floats (0 to 1), got {array.dtype}; "
            f"write x.astype(np.uint8)"
        )
    if 0 in array.shape[1:]:
        raise ShapeError(f"{where}: expected images with pixels, got shape {array.shape}")
    return array


def white(images: Array) -> float:
    """The value of full intensity: 255 for uint8, 1 for floats."""
    return 255.0 if images.dtype == np.uint8 else 1.0


def check_range(where: str, images: Array) -> None:
    """Raise `ArgumentError` for floats beyond 0 to 1, whose intensities have no known limits."""
    if images.dtype == np.uint8 or not images.size:
        return
    low, high = images.min(), images.max()
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        advice = (
            "divide by 255"
            if low >= 0 and 1 < high <= 255
            else "augment before standardising, not after"
        )
        raise ArgumentError(
            f"{where}: expected floating images with values in [0, 1], got values from {low:.6g} "
            f"to {high:.6g}; {advice}"
        )


def check_colors(where: str, images: Array, why: str) -> None:
    """Raise `ShapeError` for images that are not red, green and blue."""
    channels = images.shape[1]
    if channels != 3:
        advice = f"leave {why} out"
        if channels == 1:
            advice = f"grey images have no colour; {advice}, or write np.repeat(x, 3, axis=1)"
        raise ShapeError(
            f"{where}: {why} needs images with 3 channels, red, green and blue, got {channels} in "
            f"shape {images.shape}; {advice}"
        )


def floating(images: Array) -> Array:
    """Float32 for uint8, floats as they are; still of 0 to `white(images)`."""
    return images.astype(np.float32) if images.dtype == np.uint8 else images


def like(values: Array, images: Array) -> Array:
    """Fresh `values` of the scale of `images`, clipped to it, in its dtype; uint8 are rounded."""
    if images.dtype == np.uint8:
        np.rint(values, out=values)
    np.clip(values, 0, white(images), out=values)
    return values.astype(images.dtype, copy=False)


def pair_of_sizes(where: str, name: str, size: Any, minimum: int = 1) -> tuple[int, int]:
    """`size` as (height, width), from one whole number for both or two."""
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(sizes) != 2 or any(
        isinstance(s, bool) or not isinstance(s, (int, np.integer)) or s < minimum for s in sizes
    ):
        raise ArgumentError(
            f"{where}: expected {name} to be one or two integers >= {minimum} (height, width), "
            f"got {size!r}"
        )
    return int(sizes[0]), int(sizes[1])


def interval(
    where: str, name: str, value: Any, low: float = -math.inf, high: float = math.inf
) -> tuple[float, float]:
    """`value`, a pair of numbers in [low, high], the lower first."""
    try:
        first, last = (float(v) for v in value)
    except (TypeError, ValueError):
        first = last = math.nan
    if not (low <= first <= last <= high and math.isfinite(first) and math.isfinite(last)):
        raise ArgumentError(
            f"{where}: expected {name} to be two numbers in [{low:g}, {high:g}], the lower "
            f"first, got {value!r}"
        )
    return first, last


def number(where: str, name: str, value: Any, low: float = 0.0, high: float = math.inf) -> float:
    """`value`, a finite number in [low, high]."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not (real and math.isfinite(value) and low <= value <= high):
        raise ArgumentError(
            f"{where}: expected {name} to be a number in [{low:g}, {high:g}], got {value!r}"
        )
    return float(value)
