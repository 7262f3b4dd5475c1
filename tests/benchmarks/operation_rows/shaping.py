"""Moving entries around; where the value is a view, the gradient still needs its own memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .row import Arrays, matrix, row, sides, vector, vectors


def _shuffled(rng: np.random.Generator, size: int) -> Arrays:
    """No two alike: which of equal entries comes first is left open."""
    return [rng.permutation(size).astype(np.float32)]


@row(lambda lib, x: lib.reshape(x, sides(len(x))))
def reshape(x: Any) -> Any:
    return x.reshape(sides(len(x))), lambda g: g.reshape(x.shape).copy()


@row(lambda lib, x: x.T, draw=matrix)
def transpose(x: Any) -> Any:
    return x.T, lambda g: g.T.copy()


@row(
    lambda lib, x: lib.broadcast_to(x, (10, len(x))),
    draw=lambda rng, size: vector(rng, size // 10),
)
def broadcast_to(x: Any) -> Any:
    return np.broadcast_to(x, (10, len(x))), lambda g: g.sum(axis=0)


@row(lambda lib, a, b: lib.concat([a, b]), draw=vectors(2))
def concat(a: Any, b: Any) -> Any:
    n = len(a)
    return np.concatenate([a, b]), lambda g: (g[:n].copy(), g[n:].copy())


@row(lambda lib, a, b: lib.stack([a, b]), draw=vectors(2))
def stack(a: Any, b: Any) -> Any:
    return np.stack([a, b]), lambda g: (g[0].copy(), g[1].copy())


@row(
    lambda lib, x: lib.pad(x, ((1, 1), (2, 2))),
    lambda lib, x: lib.nn.functional.pad(x, (2, 2, 1, 1)),
    draw=matrix,
)
def pad(x: Any) -> Any:
    return np.pad(x, ((1, 1), (2, 2))), lambda g: g[1:-1, 2:-2].copy()


@row(lambda lib, x: lib.flip(x, 0), lambda lib, x: lib.flip(x, (0,)))
def flip(x: Any) -> Any:
    return x[::-1], lambda g: g[::-1].copy()


@row(lambda lib, x: lib.sort(x), lambda lib, x: lib.sort(x).values, draw=_shuffled)
def sort(x: Any) -> Any:
    order = np.argsort(x, kind="stable")

    def pull(g: Any) -> Any:
        out = np.empty_like(g)
        out[order] = g
        return out

    return x[order], pull
