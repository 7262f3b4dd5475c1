"""The network, the batch and the first weights that all libraries train on.

Drawn once in NumPy from a fixed seed, so that every library computes the same numbers and the
losses after twenty steps can be compared: equal losses mean equal work.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Problem:
    """A ReLU network with its batch; weights have the shape (out, in), as in PyTorch."""

    sizes: tuple[int, ...]
    layers: list[tuple[np.ndarray, np.ndarray]]
    x: np.ndarray
    y: np.ndarray
    rate: float = 1e-3


def draw(sizes: tuple[int, ...], batch: int) -> Problem:
    """Uniform weights in PyTorch's default range and a batch that cannot be learnt by heart.

    A timing runs thousands of steps on this one batch. Were the labels learnable, the loss
    would vanish, and fast libraries, which take more steps in the same time, would end up
    computing with zeros and denormal numbers. So every input occurs four times, three times
    with one label and once with another: the loss stays near 0.56, its gradients ordinary.
    """
    rng = np.random.default_rng(0)
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        bound = fan_in**-0.5
        w = rng.uniform(-bound, bound, (fan_out, fan_in)).astype(np.float32)
        layers.append((w, rng.uniform(-bound, bound, fan_out).astype(np.float32)))
    x = np.tile(rng.standard_normal((batch // 4, sizes[0])), (4, 1)).astype(np.float32)
    y = np.tile(rng.integers(0, sizes[-1], batch // 4), 4)
    y[: batch // 4] = (y[: batch // 4] + 1) % sizes[-1]
    return Problem(sizes, layers, x, y)
