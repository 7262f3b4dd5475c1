"""Inputs and targets that belong together, and the names of what they mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.errors import ArgumentError, ShapeError
from ..engine.types import Array
from .checks import as_array, same_length


class Samples(tuple[Array, Array]):
    """A pair of arrays (x, y) with one entry per sample along axis 0, and optional names.

    It unpacks like the tuple it is, `x, y = samples`, and goes as it is into whatever takes arrays
    side by side: `TensorDataset(*samples)`, `train_validation_test_split(*samples)`.

    Args:
        x: inputs of shape (n, ...), numbers.
        y: targets of shape (n, ...), numbers; labels of classes are integers from 0.
        feature_names: one name for each column of x, or none at all.
        class_names: `class_names[label]` is the name of the class, or none at all.

    Raises `ShapeError` where x and y have different lengths or x has not as many columns as there
    are names, and `ArgumentError` for no samples, for targets that are NaN and for labels without
    a name.

    Example:
        >>> import tinygrad_cs as tg
        >>> flowers = tg.data.Samples([[5.1, 3.5]], [0], class_names=["setosa"])
        >>> flowers
        Samples(x=float32[1, 2], y=int64[1], classes=1)
        >>> x, y = flowers
        >>> flowers.class_names[y[0]]
        'setosa'
    """

    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]

    def __new__(cls, x: Any, y: Any, feature_names: Any = (), class_names: Any = ()) -> Samples:
        """Checked here, so that every function of this folder returns samples that fit."""
        pair = as_array("Samples", x), as_array("Samples", y)
        same_length("Samples", pair)
        self = super().__new__(cls, pair)
        self.feature_names, self.class_names = tuple(feature_names), tuple(class_names)
        _check_names(self)
        return self

    @property
    def x(self) -> Array:
        """The inputs, shape (n, ...)."""
        return self[0]

    @property
    def y(self) -> Array:
        """The targets, shape (n, ...)."""
        return self[1]

    def __getnewargs__(self) -> Any:
        return *self, self.feature_names, self.class_names

    def __repr__(self) -> str:
        parts = [f"{name}={a.dtype}{list(a.shape)}" for name, a in zip("xy", self, strict=True)]
        if self.class_names:
            parts.append(f"classes={len(self.class_names)}")
        return f"Samples({', '.join(parts)})"


def _check_names(samples: Samples) -> None:
    x, y = samples
    missing = np.isnan(y) if y.dtype.kind == "f" else np.zeros(1, bool)
    if missing.any():
        raise ArgumentError(
            f"Samples: expected a target for every sample, got NaN in {np.count_nonzero(missing)} "
            f"places, first for sample {np.argwhere(missing)[0][0]}; leave these samples out"
        )
    features, classes = len(samples.feature_names), len(samples.class_names)
    if features and x.shape[1:] != (features,):
        raise ShapeError(
            f"Samples: expected x of shape (n, {features}) for {features} feature names, "
            f"got {x.shape}"
        )
    if classes and (y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= classes):
        raise ArgumentError(
            f"Samples: expected integer labels 0 to {classes - 1} for {classes} class names, "
            f"got {y.dtype} from {y.min()} to {y.max()}"
        )
