"""Sums, means, extremes and running sums; a gradient is spread back into memory of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from .row import Arrays, matrix, row, sides


def _near_one(rng: np.random.Generator, size: int) -> Arrays:
    """Numbers whose product over a long row is neither 0 nor infinite."""
    return [rng.uniform(0.9, 1.1, sides(size)).astype(np.float32)]


def _spread(g: Any, x: Any) -> Any:
    return np.broadcast_to(g, x.shape).copy()


@row(lambda lib, x: lib.sum(x))
def sum(x: Any) -> Any:
    return x.sum(), lambda g: _spread(g, x)


@row(lambda lib, x: lib.sum(x, axis=0), draw=matrix)
def sum_axis_0(x: Any) -> Any:
    return x.sum(axis=0), lambda g: _spread(g, x)


@row(lambda lib, x: lib.sum(x, axis=1), draw=matrix)
def sum_axis_1(x: Any) -> Any:
    return x.sum(axis=1), lambda g: _spread(g[:, None], x)


@row(lambda lib, x: lib.mean(x))
def mean(x: Any) -> Any:
    return x.mean(), lambda g: _spread(g / x.size, x)


@row(lambda lib, x: lib.max(x), lambda lib, x: lib.amax(x))
def max(x: Any) -> Any:
    y = x.max()

    def pull(g: Any) -> Any:
        largest = x == y
        return largest * (g / np.float32(np.count_nonzero(largest)))

    return y, pull


@row(lambda lib, x: lib.max(x, axis=1), lambda lib, x: lib.amax(x, dim=1), draw=matrix)
def max_axis_1(x: Any) -> Any:
    y = x.max(axis=1, keepdims=True)

    def pull(g: Any) -> Any:
        largest = x == y
        return largest * (g[:, None] / largest.sum(axis=1, keepdims=True, dtype=np.float32))

    return y[:, 0], pull


@row(lambda lib, x: lib.var(x, correction=0))
def var(x: Any) -> Any:
    centred = x - x.mean()
    return (centred * centred).mean(), lambda g: centred * (g * 2 / x.size)


@row(lambda lib, x: lib.var(x, axis=1, correction=0), draw=matrix)
def var_axis_1(x: Any) -> Any:
    centred = x - x.mean(axis=1, keepdims=True)
    return (centred * centred).mean(axis=1), lambda g: centred * (g * 2 / x.shape[1])[:, None]


@row(lambda lib, x: lib.logsumexp(x, axis=1), lambda lib, x: lib.logsumexp(x, dim=1), draw=matrix)
def logsumexp(x: Any) -> Any:
    peak = x.max(axis=1, keepdims=True)
    e = np.exp(x - peak)
    total = e.sum(axis=1, keepdims=True)
    return (np.log(total) + peak)[:, 0], lambda g: e * (g[:, None] / total)


@row(lambda lib, x: lib.prod(x, axis=1), lambda lib, x: lib.prod(x, dim=1), draw=_near_one)
def prod(x: Any) -> Any:
    y = x.prod(axis=1)
    return y, lambda g: (g * y)[:, None] / x


@row(lambda lib, x: lib.cumulative_sum(x, axis=0), lambda lib, x: lib.cumsum(x, axis=0))
def cumsum(x: Any) -> Any:
    return np.cumsum(x), lambda g: np.cumsum(g[::-1])[::-1]
