"""What the generated sets share: the check of their noise, and how noise is added."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.errors import ArgumentError
from ...engine.types import Array
from ..samples import Samples


def checked_noise(where: str, noise: Any) -> float:
    """`noise` as a standard deviation: a finite number of at least 0."""
    if not is_real(noise) or not 0 <= noise < math.inf:
        raise ArgumentError(f"{where}: expected noise >= 0, a standard deviation, got {noise!r}")
    return float(noise)


def is_real(value: Any) -> bool:
    """Whether `value` is a single real number."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def scattered(points: Array, labels: Array, noise: float, rng: np.random.Generator) -> Samples:
    """Labelled points, every coordinate moved by normal noise of this deviation."""
    moved = points + rng.normal(0, noise, size=points.shape)
    return Samples(moved.astype(np.float32), labels.astype(np.int64))
