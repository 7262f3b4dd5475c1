"""Four small real data sets, from the files that scikit-learn ships: nothing is downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.errors import MissingDependency
from ..samples import Samples


def load_digits() -> Samples:
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
    return _samples("load_digits")


def load_iris() -> Samples:
    """Three species of iris flowers: measures (150, 4) float32 in cm and labels (150,) int64.

    The classes are in order, 50 of each: shuffle before splitting. Source: Fisher (1936), "The
    use of multiple measurements in taxonomic problems". Raises `MissingDependency` without
    scikit-learn.

    Example:
        >>> import tinygrad_cs as tg
        >>> flowers = tg.data.load_iris()
        >>> flowers.class_names, flowers.feature_names[2]
        (('setosa', 'versicolor', 'virginica'), 'petal length (cm)')
    """
    return _samples("load_iris")


def load_wine() -> Samples:
    """Wines of three growers: chemical measures (178, 13) float32 and labels (178,) int64.

    Features differ a thousandfold in size (`Standardizer`), and the classes are in order: shuffle
    before splitting. Source: UCI Wine. Raises `MissingDependency` without scikit-learn.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.data.load_wine()
        Samples(x=float32[178, 13], y=int64[178], classes=3)
    """
    return _samples("load_wine")


def load_breast_cancer() -> Samples:
    """Cell nuclei of 569 tumours: measures (569, 30) float32 and labels (569,) int64.

    Label 0 is malignant (212 samples), 1 benign (357). Features differ a thousandfold in size
    (`Standardizer`). Source: UCI Breast Cancer Wisconsin (Diagnostic). Raises `MissingDependency`
    without scikit-learn.

    Example:
        >>> import tinygrad_cs as tg
        >>> tumours = tg.data.load_breast_cancer()
        >>> tumours.class_names, tumours.x.shape
        (('malignant', 'benign'), (569, 30))
    """
    return _samples("load_breast_cancer")


def _samples(function: str) -> Samples:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise MissingDependency(
            f"{function}: this data set comes with scikit-learn, which is not installed; "
            f'run pip install "tinygrad_cs[demos]"'
        ) from error
    bunch: Any = getattr(datasets, function)()
    return Samples(
        bunch.data.astype(np.float32),
        bunch.target.astype(np.int64),
        map(str, bunch.feature_names),
        map(str, bunch.target_names),
    )
