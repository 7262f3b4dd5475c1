"""Images of a batch mixed in pairs, and their targets with them: `Mixup` and `CutMix`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from ...engine.types import Array
from ..checks import as_array, positive_integer, same_length
from ..preprocessing.parameters import Parameters
from .augmentation import draw, probability
from .cutout import rectangles
from .images import as_images, floating, like, number


class Mixing(Parameters):
    """Base of augmentations that pair the images of a batch: images and targets in and out.

    Which images meet depends on the batch, so the same generator gives the same result for the
    same batches only.
    """

    alpha: float
    num_classes: int | None
    p: float

    def __init__(self, alpha: float = 1.0, num_classes: int | None = None, p: float = 1.0) -> None:
        name = type(self).__name__
        self.alpha = number(name, "alpha", alpha)
        if not self.alpha > 0:
            raise ArgumentError(f"{name}: expected alpha > 0, got {alpha!r}; p=0 leaves it out")
        if num_classes is not None:
            positive_integer(name, "num_classes", num_classes)
        self.num_classes = num_classes
        self.p = probability(name, p)

    def __call__(
        self,
        images: Any,
        targets: Any = None,
        *,
        generator: np.random.Generator | int | None = None,
    ) -> tuple[Array, Array]:
        """Mixed images, and targets (N, classes) mixed as they are."""
        name = type(self).__name__
        array = as_images(name, images)
        if targets is None:
            raise ArgumentError(f"{name}: mixes targets too; write augment(images, targets)")
        soft = soft_targets(name, targets, self.num_classes)
        if len(array):
            same_length(name, [array, soft])
        random = draw(name, generator)
        partner = random.permutation(len(array))
        share = random.beta(self.alpha, self.alpha, len(array))
        uniform = random.random((len(array), 3))
        share[uniform[:, 0] >= self.p] = 1
        mixed, share = self._mixed(array, array[partner], share, uniform[:, 1:])
        weight = share[:, None].astype(soft.dtype)
        return mixed, weight * soft + (1 - weight) * soft[partner]

    def _mixed(
        self, images: Array, others: Array, share: Array, uniform: Array
    ) -> tuple[Array, Array]:
        """Mixed images and the share (N,) that the first has in each, which was asked for."""
        raise NotImplementedError


class Mixup(Mixing):
    """x = λ x_i + (1 - λ) x_j, y = λ y_i + (1 - λ) y_j, with λ ~ Beta(alpha, alpha).

    H. Zhang and others, mixup: Beyond Empirical Risk Minimization, 2018. The partners j are a
    permutation of the batch, and λ is drawn for each pair.

    Args:
        alpha: > 0; the smaller, the nearer is λ to 0 or 1 (default 1, uniform). The paper takes
            1 for CIFAR-10 and 0.1 to 0.4 for ImageNet.
        num_classes: how many, for targets that are labels (N,); targets may also be
            probabilities (N, classes).
        p: probability in [0, 1] that an image is mixed (default 1).

    Returns images and probabilities (N, classes), float32 for labels, as targets of
    `cross_entropy`. What goes wrong: accuracy on mixed training images says nothing; measure it
    on others. Raises `ArgumentError` for other arguments and without targets, `ShapeError` for
    lengths that differ, `IndexOutOfRange` for labels beyond the classes.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> images, labels = np.array([0.0, 1.0]).reshape(2, 1, 1, 1), np.array([0, 1])
        >>> mixed, targets = tg.data.Mixup(num_classes=2)(images, labels, generator=3)
        >>> mixed.ravel().round(2), targets.round(2)
        (array([0.14, 0.47]), array([[0.86, 0.14],
               [0.53, 0.47]], dtype=float32))
    """

    def _mixed(
        self, images: Array, others: Array, share: Array, uniform: Array
    ) -> tuple[Array, Array]:
        values = floating(images)
        weight = share.astype(values.dtype)[:, None, None, None]
        mixed = weight * values + (1 - weight) * others
        return (like(mixed, images) if images.dtype == np.uint8 else mixed), share


class CutMix(Mixing):
    """A rectangle of the image replaced by that of another, the targets mixed by area.

    S. Yun and others, CutMix: Regularization Strategy to Train Strong Classifiers with
    Localizable Features, 2019: with λ ~ Beta(alpha, alpha) the rectangle is H sqrt(1 - λ) high
    and W sqrt(1 - λ) wide, its middle uniform, cut off at the border; then
    y = λ' y_i + (1 - λ') y_j, with λ' the share of pixels that are left of image i.

    Args:
        alpha: > 0 (default 1, that of the paper).
        num_classes: how many, for targets that are labels (N,); targets may also be
            probabilities (N, classes).
        p: probability in [0, 1] that an image is mixed (default 1; the paper takes 0.5 for
            CIFAR).

    Returns and raises as `Mixup`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> images, labels = np.arange(2.0).reshape(2, 1, 1, 1) + np.zeros((4, 4)), np.array([0, 1])
        >>> mixed, targets = tg.data.CutMix(num_classes=2)(images, labels, generator=4)
        >>> mixed.mean((1, 2, 3)), targets[:, 1]
        (array([0.375, 0.875]), array([0.375, 0.875], dtype=float32))
    """

    def _mixed(
        self, images: Array, others: Array, share: Array, uniform: Array
    ) -> tuple[Array, Array]:
        height, width = images.shape[2:]
        lengths = (np.sqrt(1 - share)[:, None] * (height, width)).astype(np.intp)
        masks = rectangles(uniform, lengths, height, width)
        return np.where(masks[:, None], others, images), 1 - masks.mean(axis=(1, 2))


def soft_targets(where: str, targets: Any, classes: int | None) -> Array:
    """Labels (N,) as rows of 0 and 1 in float32; probabilities (N, classes) as they are."""
    array = as_array(where, targets)
    if array.ndim == 2 and array.dtype.kind == "f":
        if classes is not None and array.shape[1] != classes:
            raise ShapeError(
                f"{where}: expected targets of shape (N, {classes}), as num_classes={classes}, "
                f"got {array.shape}"
            )
        return array
    if array.ndim != 1 or array.dtype.kind not in "iu":
        problem = f"got {array.dtype} of shape {array.shape}"
        expected = f"{where}: expected labels, integers (N,), or probabilities (N, classes)"
        error = ShapeError if array.ndim not in (1, 2) else DTypeError
        raise error(f"{expected}, {problem}")
    if classes is None:
        raise ArgumentError(
            f"{where}: how many classes labels are of is not to be seen from a batch; write "
            f"{where}(num_classes=...)"
        )
    if len(array) and not (array.min() >= 0 and array.max() < classes):
        raise IndexOutOfRange(
            f"{where}: expected labels of 0 to {classes - 1}, got {array.min()} to {array.max()}"
        )
    rows: Array = np.eye(classes, dtype=np.float32)[array]
    return rows
