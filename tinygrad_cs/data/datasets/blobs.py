"""Round clouds of points, one a class: what a linear classifier is good at."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.errors import ArgumentError
from ..checks import as_array, as_generator, positive_integer
from ..samples import Samples
from .points import checked_noise, scattered


def blobs(
    n: int,
    classes: int = 3,
    features: int = 2,
    noise: float = 1.0,
    centers: Any = None,
    seed: int | np.random.Generator = 0,
) -> Samples:
    """Normally distributed points (n, features) float32, and the class of each: (n,) int64.

    Class k is centred at `centers[k]`; without `centers`, of shape (classes, features), they are
    drawn uniformly between -10 and 10 and may lie near each other. `noise` is the standard
    deviation in every direction. Labels go round: 0, 1, 2, 0, ... The same `seed` gives the same
    points. Raises `ArgumentError` for n, classes or features < 1, negative noise, and centers
    that are not finite or of another shape; given centers decide on both numbers.

    Example:
        >>> import tinygrad_cs as tg
        >>> points, labels = tg.data.blobs(3, centers=[[0, 0, 1], [5, 5, 5]], noise=0)
        >>> points.tolist(), labels.tolist()
        ([[0.0, 0.0, 1.0], [5.0, 5.0, 5.0], [0.0, 0.0, 1.0]], [0, 1, 0])
    """
    n = positive_integer("blobs", "n", n)
    classes = positive_integer("blobs", "classes", classes)
    features = positive_integer("blobs", "features", features)
    noise = checked_noise("blobs", noise)
    rng = as_generator("blobs", seed)
    if centers is None:
        middle = rng.uniform(-10, 10, size=(classes, features))
    else:
        middle = as_array("blobs", centers)
        if middle.ndim != 2 or 0 in middle.shape or not np.isfinite(middle).all():
            raise ArgumentError(
                f"blobs: expected finite centers of shape (classes, features), got shape "
                f"{middle.shape}"
            )
    labels = np.arange(n) % len(middle)
    return scattered(middle[labels], labels, noise, rng)
