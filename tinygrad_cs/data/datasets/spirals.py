"""Two spirals wound into each other: a small problem in the plane that no line can solve."""

from __future__ import annotations

import math

import numpy as np

from ...engine.errors import ArgumentError
from ..checks import as_generator, positive_integer
from ..samples import Samples
from .points import checked_noise, is_real, scattered


def two_spirals(
    n: int, noise: float = 0.1, turns: float = 1.5, seed: int | np.random.Generator = 0
) -> Samples:
    """Points (n, 2) float32 on two spiral arms, and the arm of each: labels (n,) int64, 0 or 1.

    The arms start half a unit from the origin and wind `turns` times around it; neighbouring
    arms lie one unit apart, so `noise`, the standard deviation of the points around their arm,
    is in units of that distance. Labels alternate. The same `seed` gives the same points. Raises
    `ArgumentError` for n < 1, negative noise and turns that are not positive.

    Example:
        >>> import tinygrad_cs as tg
        >>> points, labels = tg.data.two_spirals(4, noise=0)
        >>> points.shape, points.dtype, labels.tolist()
        ((4, 2), dtype('float32'), [0, 1, 0, 1])
    """
    n = positive_integer("two_spirals", "n", n)
    noise = checked_noise("two_spirals", noise)
    if not is_real(turns) or not 0 < turns < math.inf:
        raise ArgumentError(f"two_spirals: expected turns > 0, got {turns!r}")
    rng = as_generator("two_spirals", seed)
    labels = np.arange(n) % 2
    # An arm gets longer with its radius: drawing the square of it spreads the points evenly.
    first, last = 0.25, 0.25 + turns
    turn = np.sqrt(rng.uniform(first**2, last**2, size=n))
    radius, angle = 2 * turn, 2 * np.pi * turn + np.pi * labels
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return scattered(points, labels, noise, rng)
