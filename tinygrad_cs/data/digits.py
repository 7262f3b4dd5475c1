"""1,797 real handwritten digits, from the files that scikit-learn ships: nothing is downloaded."""

from __future__ import annotations

import numpy as np

from ..engine.errors import MissingDependency
from ..engine.types import Array


def load_digits() -> tuple[Array, Array]:
    """Handwritten digits 0 to 9: images (1797, 64) float32 and labels (1797,) int64.

    An image is 8 by 8 pixels, row by row (`images.reshape(-1, 8, 8)`), of ink 0 (none) to 16,
    raw. Source: UCI Optical Recognition of Handwritten Digits, its test part. Raises
    `MissingDependency` without scikit-learn.

    Example:
        >>> import tinygrad_cs as tg
        >>> images, labels = tg.data.load_digits()
        >>> images.shape, images.dtype, float(images.max()), labels[:5].tolist()
        ((1797, 64), dtype('float32'), 16.0, [0, 1, 2, 3, 4])
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise MissingDependency(
            "load_digits: the digits come with scikit-learn, which is not installed; "
            'run pip install "tinygrad_cs[demos]"'
        ) from error
    images, labels = datasets.load_digits(return_X_y=True)
    return images.astype(np.float32), labels.astype(np.int64)
