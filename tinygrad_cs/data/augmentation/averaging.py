"""Test-time augmentation: the predictions for several views of an image averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...engine.arrays import to_array
from ...engine.errors import ArgumentError, ShapeError
from ...engine.modes import no_grad
from ...engine.types import Array
from ...ops.reductions.softmax import softmax
from .images import as_images

Views = Callable[[Array], Sequence[Array]]


def average_views(
    model: Callable[[Array], Any],
    images: Any,
    views: Views | Sequence[Views],
    *,
    logits: bool = True,
) -> Array:
    """Class probabilities (N, classes), averaged over views: p = 1/V Σ softmax(model(view)).

    Probabilities are averaged, not logits: one view with a huge logit does not outvote the
    others. Nothing is recorded.

    Args:
        model: a module in evaluation mode or a function, from images (N, C, h, w) to logits
            (N, classes); `lambda x: model(scaler.transform(x))` standardises views.
        images: (N, C, H, W).
        views: what makes views: `FiveCrop`, `TenCrop`, `FlipViews`, `ScaleViews` or any function
            from images to a list of images; a list of these takes the views of each view.
        logits: whether the model returns logits (default) or, if False, probabilities.

    Raises `ArgumentError` for a model in training mode and for views that give none, `ShapeError`
    for results that are not (N, classes).

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> nn, data = tg.nn, tg.data
        >>> _ = tg.manual_seed(0)
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> images = np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32)
        >>> views = [data.ScaleViews([28, 32]), data.TenCrop(24)]
        >>> p = data.average_views(model.eval(), images, views)
        >>> p.shape, p.sum(axis=1).round(5)
        ((2, 8), array([1., 1.], dtype=float32))
    """
    array = as_images("average_views", images)
    if getattr(model, "training", False):
        raise ArgumentError(
            "average_views: the model is in training mode, where dropout and batch statistics "
            "make predictions random; write model.eval() before"
        )
    shown = [array]
    for make in [views] if callable(views) else views:
        shown = [view for images in shown for view in make(images)]
    if not shown:
        raise ArgumentError("average_views: expected at least one view, got none")
    with no_grad():
        total = sum(_probabilities(model(view), len(array), logits) for view in shown)
    mean: Array = np.asarray(total) / len(shown)
    return mean


def _probabilities(result: Any, samples: int, logits: bool) -> Array:
    values = to_array(result)
    if values.ndim != 2 or len(values) != samples:
        raise ShapeError(
            f"average_views: expected the model to return shape ({samples}, classes), got "
            f"{values.shape}"
        )
    probabilities: Array = softmax(values, axis=1) if logits else values
    return probabilities
