"""Losses for numbers: squares for errors like a normal distribution's, less for outliers."""

from __future__ import annotations

from typing import Any

from .... import ops
from ....engine.errors import ShapeError
from ....ops.reductions.losses import absolute_error, huber_error, squared_error
from ..arguments import check_number
from .checks import (
    beside,
    check_reduction,
    pair,
    reduce,
    refuse_missing,
    rescaled,
    shape_of,
)

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def _weighted(losses: Any, weight: Any, reduction: str, where: str) -> Any:
    """The weighted losses, whose mean is divided by the sum of the weights."""
    if shape_of(weight) != losses.shape:
        raise ShapeError(
            f"{where}: the weight must have the shape of the prediction, {losses.shape}, got "
            f"{shape_of(weight)}"
        )
    factors = beside(weight, losses)
    if reduction == "mean":
        return ops.sum(losses * factors) / ops.sum(factors)
    return reduce(losses * factors, reduction)


def mse_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Any:
    """(input - target)^2, averaged over all entries by default.

    Args:
        input, target: predictions and targets of the same shape.
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        weight: a factor for each entry; a mean is then divided by the sum of the factors.

    Predicting the mean of the targets gives their variance: a loss above it has learned nothing.
    An outlier pulls with all its distance; see `huber_loss`.

    Raises `ShapeError` unless both have the same shape: (N, 1) against (N,) would broadcast to
    (N, N) and train on nonsense; `ArgumentError` for a target with NaN.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(2.)
    """
    check_reduction(reduction, "mse_loss")
    input, target = pair(input, target, "mse_loss", reduction)
    if weight is None:
        loss = squared_error(input, target, reduction)
    else:
        loss = _weighted(squared_error(input, target, "none"), weight, reduction, "mse_loss")
    return refuse_missing(loss, target, "mse_loss")


def l1_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Any:
    """|input - target|, averaged over all entries by default: every error pulls equally.

    Args:
        input, target: predictions and targets of the same shape.
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        weight: a factor for each entry; a mean is then divided by the sum of the factors.

    Its best constant prediction is the median. The slope does not get smaller towards the target,
    so with a fixed learning rate predictions end up jumping around it; the slope at 0 is 0.

    Raises `ShapeError` unless both have the same shape, `ArgumentError` for a target with NaN.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(1.)
    """
    check_reduction(reduction, "l1_loss")
    input, target = pair(input, target, "l1_loss", reduction)
    if weight is None:
        loss = absolute_error(input, target, reduction)
    else:
        loss = _weighted(absolute_error(input, target, "none"), weight, reduction, "l1_loss")
    return refuse_missing(loss, target, "l1_loss")


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """d^2 / (2 beta) for errors d up to beta, |d| - beta / 2 beyond: slope ±1 far away.

    R. Girshick, Fast R-CNN, 2015. It is `huber_loss` divided by beta.

    Args:
        input, target: predictions and targets of the same shape.
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        beta: where the square ends (default 1); 0 gives `l1_loss`.

    Raises `ShapeError` unless both have the same shape, `ArgumentError` for a negative `beta` and
    for a target with NaN.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.smooth_l1_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), "none")
        tensor([0.125, 2.5  ])
    """
    check_reduction(reduction, "smooth_l1_loss")
    if beta == 0:
        return l1_loss(input, target, reduction)
    beta = check_number(beta, "beta", "smooth_l1_loss", above=0)
    input, target = pair(input, target, "smooth_l1_loss", reduction)
    loss = huber_error(input, target, reduction, beta, 1 / beta)
    return refuse_missing(loss, target, "smooth_l1_loss")


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    """d^2 / 2 for errors d up to delta, delta (|d| - delta / 2) beyond: outliers pull with delta.

    P. J. Huber, Robust Estimation of a Location Parameter, 1964.

    Args:
        input, target: predictions and targets of the same shape.
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        delta: where the square ends and the straight line begins (default 1).
        weight: a factor for each entry; unlike in `mse_loss` a mean stays divided by the number of
            entries.

    Raises `ShapeError` unless both have the same shape, `ArgumentError` for a `delta` that is not
    positive and for a target with NaN.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.huber_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), "none")
        tensor([0.125, 2.5  ])
    """
    check_reduction(reduction, "huber_loss")
    delta = check_number(delta, "delta", "huber_loss", above=0)
    input, target = pair(input, target, "huber_loss", reduction)
    if weight is None:
        loss = huber_error(input, target, reduction, delta)
    else:
        losses = huber_error(input, target, "none", delta)
        loss = reduce(rescaled(losses, weight, "huber_loss"), reduction)
    return refuse_missing(loss, target, "huber_loss")
