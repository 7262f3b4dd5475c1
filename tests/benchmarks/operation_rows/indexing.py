"""Taking a part; the cotangent is put back into zeros, repeated places adding up."""

from __future__ import annotations

from typing import Any

import numpy as np

from .row import Arrays, matrix, row, vector


def _with_places(rng: np.random.Generator, size: int) -> Arrays:
    return [*vector(rng, size), rng.integers(0, size, size)]


def _with_rows(rng: np.random.Generator, size: int) -> Arrays:
    """Rows of a table picked with repeats, as an embedding does."""
    (x,) = matrix(rng, size)
    return [x, rng.integers(0, len(x), len(x))]


def _with_mask(rng: np.random.Generator, size: int) -> Arrays:
    return [*vector(rng, size), rng.random(size) > 0.5]


def _along_rows(rng: np.random.Generator, size: int) -> Arrays:
    (x,) = matrix(rng, size)
    return [x, rng.integers(0, x.shape[1], x.shape)]


@row(lambda lib, x: x[1:-1])
def slice(x: Any) -> Any:
    def pull(g: Any) -> Any:
        out = np.zeros_like(x)
        out[1:-1] = g
        return out

    return x[1:-1], pull


@row(lambda lib, x, i: x[i], draw=_with_places)
def integer_array(x: Any, i: Any) -> Any:
    def pull(g: Any) -> Any:
        out = np.zeros_like(x)
        np.add.at(out, i, g)
        return out

    return x[i], pull


@row(lambda lib, x, i: x[i], draw=_with_rows)
def integer_rows(x: Any, i: Any) -> Any:
    def pull(g: Any) -> Any:
        out = np.zeros_like(x)
        np.add.at(out, i, g)
        return out

    return x[i], pull


@row(lambda lib, x, mask: x[mask], draw=_with_mask)
def boolean_mask(x: Any, mask: Any) -> Any:
    def pull(g: Any) -> Any:
        out = np.zeros_like(x)
        out[mask] = g
        return out

    return x[mask], pull


@row(
    lambda lib, x, i: lib.take_along_axis(x, i, 1),
    lambda lib, x, i: lib.gather(x, 1, i),
    draw=_along_rows,
)
def take_along_axis(x: Any, i: Any) -> Any:
    def pull(g: Any) -> Any:
        out = np.zeros_like(x)
        np.add.at(out, (np.arange(len(x))[:, None], i), g)
        return out

    return np.take_along_axis(x, i, 1), pull
