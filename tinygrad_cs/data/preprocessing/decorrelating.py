"""What PCA and ZCA have in common: the covariance over batches, its eigenvectors, two matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.errors import ArgumentError, GraphError
from ...engine.types import Array, Shape
from .statistics import Scatter, principal_axes
from .transformer import Transformer


class Decorrelating(Transformer):
    """Covariance over batches, its eigenvectors when they are first needed.

    The covariance takes d² float64 for samples of d values, its eigenvectors about 10 d³
    operations: seconds for a thousand values, half a minute for the 3072 of a 32 by 32 image.
    """

    eps: float

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        super()._forget()
        # Mean, axes (k, d), variances (k,) along them, and the variance of everything.
        self._found: tuple[Array, Array, Array, Array] | None = None
        self._shape: Shape | None = None
        self._samples = 0
        self._matrices: dict[tuple[str, np.dtype[Any]], Array] = {}

    def _limit(self, variances: Array, samples: int) -> int:
        """How many components are kept."""
        return len(variances)

    def _decomposition(self) -> tuple[Array, Array, Array, Array] | None:
        if self._found is None and self._statistics is not None:
            axes, variances = principal_axes(self._statistics.covariance)
            kept = self._limit(variances, self._samples)
            mean, total = self._statistics.mean, np.asarray(variances.sum())
            self._found = mean, axes[:kept], variances[:kept], total
        return self._found

    @property
    def mean(self) -> Array | None:
        """Mean of the fitted data in float64, shaped as a sample."""
        found = self._statistics.mean if self._statistics is not None else None
        if found is None and self._found is not None:
            found = self._found[0]
        return None if found is None or self._shape is None else found.reshape(self._shape)

    @property
    def components(self) -> Array | None:
        """The components as rows (k, d), unit vectors, that with the largest variance first.

        Of the two signs, the one in which the largest entry is positive.
        """
        found = self._decomposition()
        return None if found is None else found[1]

    @property
    def explained_variance(self) -> Array | None:
        """Variance (k,) of the fitted data along each component, of the population.

        scikit-learn's is larger by n / (n - 1).
        """
        found = self._decomposition()
        return None if found is None else found[2]

    @property
    def explained_variance_ratio(self) -> Array | None:
        """Share (k,) that each component has in the variance of the fitted data."""
        found = self._decomposition()
        return None if found is None else found[2] / (found[3] if found[3] > 0 else 1.0)

    def _input_shape(self) -> Shape | None:
        return self._shape

    def _measured(self, where: str, block: Array) -> Scatter:
        return Scatter.of(_rows(block))

    def _block_length(self, sample: int) -> int:
        # A block costs a d by d matrix, so it had better be as long as that.
        return max(sample, super()._block_length(sample))

    def _learn(self, method: str, x: Any, statistics: Any) -> None:
        if method == "partial_fit" and self._statistics is None and self._found is not None:
            raise GraphError(
                f"{type(self).__name__}.partial_fit: a loaded state has the components, not the "
                f"covariance they came from, and cannot be continued; call fit on all the data"
            )
        shape = np.shape(getattr(x, "_data", x))[1:]
        super()._learn(method, x, statistics)
        self._found, self._shape = None, shape
        self._samples = int(self._statistics.count)
        self._matrices = {}

    def _matrix(self, name: str, dtype: np.dtype[Any]) -> Array:
        """A matrix by which data is multiplied, made once for each dtype."""
        key = (name, dtype)
        if key not in self._matrices:
            self._matrices[key] = np.ascontiguousarray(self._made(name), dtype=dtype)
        return self._matrices[key]

    def _made(self, name: str) -> Array:
        raise NotImplementedError

    def _scales(self, power: float) -> Array:
        """(variance + eps)^power for each component, 0 for those without variance."""
        found = self._decomposition()
        assert found is not None
        variances = found[2]
        powers = np.where(variances > 0, variances + self.eps, 1.0) ** power
        return np.where(variances > 0, powers, 0.0)

    def _forward(self, x: Array, dtype: np.dtype[Any]) -> Array:
        rows = _rows(x)
        centred = np.subtract(rows, self._matrix("mean", dtype), dtype=dtype)
        return (centred @ self._matrix("forward", dtype)).reshape(len(x), *self._output())

    def _backward(self, z: Array, dtype: np.dtype[Any]) -> Array:
        assert self._shape is not None
        rows = _rows(z).astype(dtype, copy=False)
        result = rows @ self._matrix("backward", dtype)
        result += self._matrix("mean", dtype)
        return result.reshape(len(z), *self._shape)

    def _output(self) -> Shape:
        shape = self._output_shape()
        assert shape is not None
        return shape

    def _state_names(self) -> tuple[str, ...]:
        return ("count", "mean", "components", "explained_variance", "total_variance")

    def _state(self) -> dict[str, Array]:
        found = self._decomposition()
        assert found is not None and self._shape is not None
        mean, axes, variances, total = found
        values = np.array(self._samples), mean.reshape(self._shape), axes, variances, total
        return dict(zip(self._state_names(), values, strict=True))

    def _load(self, arrays: dict[str, Array]) -> str:
        count, mean, axes, variances, total = (arrays[name] for name in self._state_names())
        if count.shape != () or count < 1 or total.shape != ():
            return "expected count (>= 1) and total_variance to be single numbers"
        if variances.ndim != 1 or axes.shape != (len(variances), mean.size):
            return (
                f"expected components of shape (k, {mean.size}) and explained_variance (k,), got "
                f"{axes.shape} and {variances.shape}"
            )
        problem = self._load_problem(axes, variances)
        if not problem:
            self._forget()
            self._found = mean.reshape(-1), axes, variances, total
            self._shape, self._samples = mean.shape, int(count)
        return problem

    def _load_problem(self, axes: Array, variances: Array) -> str:
        return "expected explained_variance >= 0" if variances.min(initial=0) < 0 else ""


def _rows(x: Array) -> Array:
    """Samples as rows; -1 would not do for a batch of none."""
    return x.reshape(len(x), math.prod(x.shape[1:]))


def check_eps(name: str, eps: Any) -> None:
    """Raise `ArgumentError` for what cannot be added to a variance."""
    if isinstance(eps, bool) or not isinstance(eps, (int, float)) or not 0 <= eps < np.inf:
        raise ArgumentError(f"{name}: expected eps to be a number >= 0, got {eps!r}")
