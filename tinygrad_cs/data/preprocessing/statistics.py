"""Statistics that add up: of two batches they give, by `+`, those of both together.

Everything is float64 whatever the data. The textbook's sum of squares less the square of the sum
cancels where the mean is large beside the deviation; these formulas do not (B. Welford, 1962;
T. Chan, G. Golub and R. LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample
Variances, 1979).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ...engine.types import Array


@dataclass(frozen=True)
class Moments:
    """Mean and sum of squared deviations from it, with the axes averaged over kept at length 1."""

    count: Array
    """How many values each mean is of, an int64 of shape ()."""
    mean: Array
    squares: Array
    """Sum of (x - mean)²: exactly 0 where all values are equal, and only there."""

    @classmethod
    def of(cls, values: Array, axes: tuple[int, ...]) -> Self:
        """Mean and squared deviations of `values` over `axes`."""
        first = tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(values.ndim))
        reference = values[first].astype(np.float64)
        # Around one of the values, so that equal ones leave exact zeros and not rounding errors.
        around = values - reference
        offset = around.mean(axis=axes, keepdims=True)
        around -= offset
        squares = np.square(around, out=around).sum(axis=axes, keepdims=True)
        return cls(np.array(values.size // offset.size), reference + offset, squares)

    def __add__(self, other: Self) -> Self:
        """mean = mean_a + d n_b / n and squares = squares_a + squares_b + d² n_a n_b / n."""
        count = self.count + other.count
        difference = other.mean - self.mean
        mean = self.mean + difference * (other.count / count)
        between = np.square(difference) * (self.count * (other.count / count))
        return type(self)(np.asarray(count), mean, self.squares + other.squares + between)

    @property
    def deviation(self) -> Array:
        """sqrt(squares / count), that of the population; 1 where all values are equal."""
        return np.where(self.squares == 0, 1.0, np.sqrt(self.squares / self.count))


@dataclass(frozen=True)
class Extremes:
    """Smallest and largest value, with the axes looked over kept at length 1."""

    minimum: Array
    maximum: Array

    @classmethod
    def of(cls, values: Array, axes: tuple[int, ...]) -> Self:
        """The extremes of `values` over `axes`."""
        low = values.min(axis=axes, keepdims=True).astype(np.float64)
        return cls(low, values.max(axis=axes, keepdims=True).astype(np.float64))

    def __add__(self, other: Self) -> Self:
        low = np.minimum(self.minimum, other.minimum)
        return type(self)(low, np.maximum(self.maximum, other.maximum))


@dataclass(frozen=True)
class Scatter:
    """Mean vector (d,) and scatter matrix (d, d), the sum of (x - mean)(x - mean)ᵀ."""

    count: Array
    mean: Array
    scatter: Array

    @classmethod
    def of(cls, rows: Array) -> Self:
        """Mean and scatter of `rows` (n, d)."""
        reference = rows[0].astype(np.float64)
        around = rows - reference
        offset = around.mean(axis=0)
        around -= offset
        return cls(np.array(len(rows)), reference + offset, around.T @ around)

    def __add__(self, other: Self) -> Self:
        """As for `Moments`, with the outer product of the difference for its square."""
        count = self.count + other.count
        difference = other.mean - self.mean
        mean = self.mean + difference * (other.count / count)
        between = np.outer(difference, difference * (self.count * (other.count / count)))
        return type(self)(np.asarray(count), mean, self.scatter + other.scatter + between)

    @property
    def covariance(self) -> Array:
        """scatter / count, that of the population."""
        return self.scatter / self.count


def principal_axes(covariance: Array) -> tuple[Array, Array]:
    """Unit eigenvectors (as rows) and variances along them, the largest first.

    The sign of an eigenvector is arbitrary: here its largest entry is positive. Variances that
    are zero up to rounding are exactly 0, so that nothing is ever divided by them.
    """
    variances, vectors = np.linalg.eigh(covariance)
    variances, axes = variances[::-1].copy(), vectors.T[::-1]
    variances[variances <= variances[0] * len(variances) * np.finfo(np.float64).eps] = 0
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.where(axes[np.arange(len(axes)), largest] < 0, -1.0, 1.0)[:, None]
    return axes, variances
