"""Two moons and two circles: classes that a curve separates and no line does."""

from __future__ import annotations

import numpy as np

from ...engine.errors import ArgumentError
from ..checks import as_generator, positive_integer
from ..samples import Samples
from .points import checked_noise, is_real, scattered


def two_moons(n: int, noise: float = 0.1, seed: int | np.random.Generator = 0) -> Samples:
    """Points (n, 2) float32 on two half circles that hook into each other; labels (n,) int64.

    With t uniform in [0, π], class 0 is at (cos t, sin t) and class 1 at (1 - cos t, 1/2 - sin t);
    `noise` is the standard deviation of every coordinate around that. Labels alternate. The same
    `seed` gives the same points. Raises `ArgumentError` for n < 1 and negative noise.

    Example:
        >>> import tinygrad_cs as tg
        >>> points, labels = tg.data.two_moons(4, noise=0)
        >>> points.shape, points.dtype, labels.tolist()
        ((4, 2), dtype('float32'), [0, 1, 0, 1])
    """
    n = positive_integer("two_moons", "n", n)
    noise = checked_noise("two_moons", noise)
    rng = as_generator("two_moons", seed)
    labels = np.arange(n) % 2
    t = rng.uniform(0, np.pi, size=n)
    points = np.stack([np.cos(t), np.sin(t)], axis=1)
    points = np.where(labels[:, None] == 0, points, [1, 0.5] - points)
    return scattered(points, labels, noise, rng)


def two_circles(
    n: int, noise: float = 0.05, factor: float = 0.5, seed: int | np.random.Generator = 0
) -> Samples:
    """Points (n, 2) float32 on two circles around the origin; labels (n,) int64.

    Class 0 has radius 1, class 1 radius `factor`, between 0 and 1; `noise` is the standard
    deviation of every coordinate around the circle. Labels alternate. The same `seed` gives the
    same points. Raises `ArgumentError` for n < 1, negative noise and other factors.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> points, labels = tg.data.two_circles(4, noise=0, factor=0.25)
        >>> np.round(np.hypot(*points.T), 3).tolist(), labels.tolist()
        ([1.0, 0.25, 1.0, 0.25], [0, 1, 0, 1])
    """
    n = positive_integer("two_circles", "n", n)
    noise = checked_noise("two_circles", noise)
    if not is_real(factor) or not 0 < factor < 1:
        raise ArgumentError(f"two_circles: expected 0 < factor < 1, got {factor!r}")
    rng = as_generator("two_circles", seed)
    labels = np.arange(n) % 2
    radius = np.where(labels == 0, 1.0, factor)[:, None]
    angle = rng.uniform(0, 2 * np.pi, size=n)
    points = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return scattered(points, labels, noise, rng)
