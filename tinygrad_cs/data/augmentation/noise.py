"""Noise on every pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.types import Array
from .augmentation import Augmentation, probability
from .images import check_range, floating, like, number, white


class GaussianNoise(Augmentation):
    """x + N(0, sigma²), drawn for every value by itself.

    Args:
        sigma: standard deviation, where 1 is from black to white; uint8 get 255 times it
            (default 0.1).
        clip: whether floating results are clipped to [0, 1] (default True); False for images
            that are standardised already. Results of uint8 always are.
        p: probability in [0, 1] that an image is changed (default 1).

    Raises `ArgumentError` for other arguments and, with `clip=True`, for floating images beyond
    0 to 1.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> noisy = tg.data.GaussianNoise(0.1)(np.full((50, 3, 9, 9), 0.5), generator=0)
        >>> print(f"{noisy.mean():.2f} {noisy.std():.2f}")
        0.50 0.10
    """

    draws = 1

    def __init__(self, sigma: float = 0.1, clip: bool = True, p: float = 1.0) -> None:
        self.sigma = number("GaussianNoise", "sigma", sigma)
        self.clip = clip
        self.p = probability("GaussianNoise", p)

    def _check(self, images: Array) -> None:
        if self.clip:
            check_range("GaussianNoise", images)

    def _augment(self, images: Array, uniform: Array) -> Array:
        values = floating(images)
        dtype: Any = np.float64 if values.dtype == np.float64 else np.float32
        noise: Array = np.empty(images.shape, dtype)
        seeds = (uniform[:, 0] * 2**53).astype(np.int64)
        # Each image has a generator of its own, so that its noise does not depend on the others.
        for seed, out in zip(seeds.tolist(), noise, strict=True):
            np.random.Generator(np.random.SFC64(seed)).standard_normal(out=out, dtype=dtype)
        noise *= self.sigma * white(images)
        noise += values
        if self.clip or images.dtype == np.uint8:
            return like(noise, images)
        return noise.astype(images.dtype, copy=False)
