"""Colours changed the way they vary over the training images: along their principal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ...engine.types import Array
from ..preprocessing.pca import PCA
from ..preprocessing.transformer import NotFittedError
from .augmentation import Augmentation, probability
from .images import as_images, check_colors, check_range, floating, like, number, white

_BLOCK = 2**18


class PCAColorJitter(Augmentation):
    """To every pixel of an image is added V (a₁ λ₁, a₂ λ₂, a₃ λ₃)ᵀ, with a ~ N(0, std²).

    A. Krizhevsky, I. Sutskever and G. Hinton, ImageNet Classification with Deep Convolutional
    Neural Networks, 2012 (AlexNet): V and λ are eigenvectors and eigenvalues of the 3 by 3
    covariance of the colours of all training pixels, here of values of 0 to 1 whatever the
    dtype. The result is clipped. `fit` it on the training images alone.

    Args:
        std: standard deviation of a (default 0.1, that of the paper).
        p: probability in [0, 1] that an image is changed (default 1).

    Raises `NotFittedError` before `fit`, `ArgumentError` for other arguments and for floating
    images beyond 0 to 1, `ShapeError` for images that have not three channels.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> images = np.random.default_rng(0).random((10, 3, 8, 8))
        >>> augment = tg.data.PCAColorJitter().fit(images)
        >>> shift = augment(images, generator=0) - images
        >>> shift.shape, augment.eigenvalues.shape
        ((10, 3, 8, 8), (3,))
    """

    draws = 4

    def __init__(self, std: float = 0.1, p: float = 1.0) -> None:
        self.std = number("PCAColorJitter", "std", std)
        self.p = probability("PCAColorJitter", p)
        self._pca = PCA()

    @property
    def eigenvalues(self) -> Array | None:
        """λ (3,), the largest first, in float64; None before `fit`."""
        return self._pca.explained_variance

    @property
    def eigenvectors(self) -> Array | None:
        """V (3, 3), a column for each eigenvalue; None before `fit`."""
        components = self._pca.components
        return None if components is None else components.T

    def fit(self, images: Any) -> Self:
        """Learn how colours vary from training images (N, 3, H, W), and return the augmentation.

        Raises as a call does.

        Example:
            >>> import numpy as np, tinygrad_cs as tg
            >>> grey = np.random.default_rng(0).random((10, 1, 8, 8)).repeat(3, axis=1)
            >>> tg.data.PCAColorJitter().fit(grey).eigenvectors[:, 0].round(4)
            array([0.5774, 0.5774, 0.5774])
        """
        array = as_images("PCAColorJitter.fit", images)
        check_colors("PCAColorJitter.fit", array, "PCAColorJitter")
        check_range("PCAColorJitter.fit", array)
        pca = PCA()
        count = max(1, _BLOCK // array[0, 0].size) if len(array) else 1
        for start in range(0, max(len(array), 1), count):
            block = array[start : start + count].transpose(0, 2, 3, 1).reshape(-1, 3)
            pca.partial_fit(block / white(array))
        self._pca = pca
        return self

    def state_dict(self) -> dict[str, Array]:
        """What was fitted, as arrays by name; raises `NotFittedError` before `fit`.

        Example:
            >>> import numpy as np, tinygrad_cs as tg
            >>> images = np.random.default_rng(0).random((10, 3, 8, 8))
            >>> sorted(tg.data.PCAColorJitter().fit(images).state_dict())
            ['components', 'count', 'explained_variance', 'mean', 'total_variance']
        """
        return self._pca.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> Self:
        """Take what `state_dict` returned; raises `StateDictError` for anything else.

        Example:
            >>> import numpy as np, tinygrad_cs as tg
            >>> images = np.random.default_rng(0).random((10, 3, 8, 8))
            >>> fitted = tg.data.PCAColorJitter().fit(images)
            >>> other = tg.data.PCAColorJitter().load_state_dict(fitted.state_dict())
            >>> bool((other.eigenvalues == fitted.eigenvalues).all())
            True
        """
        self._pca.load_state_dict(state)
        return self

    def _check(self, images: Array) -> None:
        if self.eigenvalues is None:
            raise NotFittedError(
                "PCAColorJitter: the colours are not known yet; call fit(training_images) first, "
                "on the training part alone"
            )
        check_colors("PCAColorJitter", images, "PCAColorJitter")
        check_range("PCAColorJitter", images)

    def _augment(self, images: Array, uniform: Array) -> Array:
        assert self.eigenvalues is not None and self.eigenvectors is not None
        amounts = self.std * _normal(uniform)[:, :3]
        shift = (amounts * self.eigenvalues) @ self.eigenvectors.T * white(images)
        values = floating(images)
        return like(values + shift.astype(values.dtype)[:, :, None, None], images)


def _normal(uniform: Array) -> Array:
    """Standard normal numbers from uniform ones, two from two (G. Box and M. Muller, 1958)."""
    half = uniform.shape[1] // 2
    radius = np.sqrt(-2 * np.log1p(-uniform[:, :half]))
    angle = 2 * np.pi * uniform[:, half:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
