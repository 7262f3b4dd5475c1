"""Losses for choosing one of several classes: how unlikely the right one was held."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any

from .... import ops
from ....engine.errors import ArgumentError
from ....engine.types import Array, np
from ....ops.axes import raw
from ....ops.reductions.losses import check_classes, soft_cross_entropy, softmax_cross_entropy
from ...foreign import described, is_foreign, with_shape
from .checks import (
    FLOATING,
    check_ignore_index,
    check_reduction,
    class_weights,
    reduce,
    refuse_empty_mean,
    refuse_integers,
)

__all__ = ["cross_entropy", "nll_loss"]


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(input)[target], fused: its gradient is (softmax - one-hot).

    With probabilities q as target it is -sum_c w_c q_c log softmax(input)_c. Label smoothing e
    mixes q with the uniform distribution, (1 - e) q + e / C (C. Szegedy and others, Rethinking the
    Inception Architecture for Computer Vision, 2016).

    Args:
        input: logits of shape (N, C), (N, C, d1, ...), or (C,) for one sample.
        target: integer classes of shape (N,), (N, d1, ...) or (); or probabilities, floating and
            of the shape of `input`, which sum to 1 over the classes.
        weight: w, one number for each class. A mean over integer classes is then divided by the
            sum of the weights of the targets, one over probabilities by the number of samples.
        ignore_index: a target that counts nothing, neither in a sum nor in a mean (default -100).
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        label_smoothing: e, from 0 (default) to 1.

    At chance level the loss is log C: what an untrained network should show. It takes logits: with
    a softmax before it, applied twice then, the loss cannot get below log(1 + (C - 1) / e) and
    training crawls.

    Raises `DTypeError` for targets that are neither integer nor of the shape of the logits,
    `ShapeError` for other shapes and for an empty batch, `IndexOutOfRange` for a class beyond C,
    `ArgumentError` for negative probabilities. Where every target is ignored the loss is 0, with a
    warning.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> logits = tg.tensor([[0.0, 0.0], [0.0, 0.0]], requires_grad=True)
        >>> loss = tg.nn.functional.cross_entropy(logits, np.array([0, 1]))
        >>> round(loss.item(), 4)
        0.6931
        >>> loss.backward()
        >>> logits.grad
        array([[-0.25,  0.25],
               [ 0.25, -0.25]], dtype=float32)
    """
    check_reduction(reduction, "cross_entropy")
    input = with_shape(input)
    if type(input.dtype) not in FLOATING:
        refuse_integers(input, "cross_entropy", target, "logits")
    if type(ignore_index) is not int:
        ignore_index = check_ignore_index(ignore_index, "cross_entropy")
    if is_foreign(target):
        target = np.asarray(target)
    if label_smoothing:
        label_smoothing = check_smoothing(label_smoothing, "cross_entropy")
    dtype = getattr(target, "dtype", None)
    if (dtype is None or dtype.kind == "f") and _are_probabilities(input, target):
        return _of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    classes, counted = check_classes(input, target, "cross_entropy", ignore_index)
    if not classes.size:
        refuse_empty_mean(input.shape, reduction, "cross_entropy")
    logits = input if input.ndim < 3 else ops.moveaxis(input, 1, -1)
    if weight is None and counted is None and not label_smoothing:
        return softmax_cross_entropy(logits, classes, reduction)
    factors = _factors(weight, classes, counted, logits.shape[-1], "cross_entropy")
    shares = _shares(classes, counted, weight, label_smoothing, logits)
    return _reduce_by(soft_cross_entropy(logits, shares), factors, reduction, "cross_entropy")


def check_smoothing(label_smoothing: Any, where: str) -> float:
    """`label_smoothing` as a Python number; raises `ArgumentError` unless it is from 0 to 1."""
    if not isinstance(label_smoothing, Real) or not 0 <= float(label_smoothing) <= 1:
        raise ArgumentError(
            f"{where}: label_smoothing must be a number from 0 to 1, got "
            f"{described(label_smoothing, where)}"
        )
    return float(label_smoothing)


def _are_probabilities(input: Any, target: Any) -> bool:
    """Floating and as many as there are logits."""
    values = raw(target)
    return bool(values.dtype.kind == "f" and values.shape == input.shape and input.ndim)


def _of_probabilities(
    input: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Any:
    if ignore_index >= 0:
        raise ArgumentError(
            f"cross_entropy: ignore_index={ignore_index} names a class, but the target holds "
            f"probabilities; set the rows to leave out to 0"
        )
    values = raw(target)
    if values.size and not values.min() >= 0:
        raise ArgumentError(
            "cross_entropy: a target of the shape of the logits holds probabilities, which are "
            "not negative or NaN; give probabilities (softmax of a teacher's logits) or integer "
            "classes"
        )
    refuse_empty_mean(input.shape, reduction, "cross_entropy")
    shares = target if hasattr(target, "_data") else values.astype(input.dtype, copy=False)
    logits = input
    if input.ndim > 2:
        logits, shares = ops.moveaxis(input, 1, -1), ops.moveaxis(shares, 1, -1)
    count = logits.shape[-1]
    if smoothing:
        shares = shares * (1 - smoothing) + smoothing / count
    if weight is not None:
        shares = shares * class_weights(weight, count, "cross_entropy").astype(input.dtype)
    return reduce(soft_cross_entropy(logits, shares), reduction)


def _shares(
    classes: Array, counted: Array | None, weight: Any, smoothing: float, logits: Any
) -> Array:
    """How much each class of each sample counts: one-hot rows, smoothed and weighted."""
    count = logits.shape[-1]
    hot = np.equal(classes[..., None], np.arange(count))
    shares: Array = np.where(hot, 1 - smoothing + smoothing / count, smoothing / count)
    if weight is not None:
        shares = shares * raw(weight)
    if counted is not None:
        shares[~counted] = 0
    return shares.astype(logits.dtype)


def _factors(
    weight: Any, classes: Array, counted: Array | None, count: int, where: str
) -> Array | None:
    """The weight of each sample, 0 for ignored ones; None for 1 everywhere."""
    if weight is None:
        return counted
    weights = class_weights(weight, count, where)
    if counted is None:
        factors: Array = weights[classes]
    else:
        factors = np.where(counted, weights[np.where(counted, classes, 0)], 0)
    return factors


def _reduce_by(losses: Any, factors: Array | None, reduction: str, where: str) -> Any:
    """Losses that have their weights in them, reduced; a mean is divided by the weights' sum."""
    if factors is None:
        return reduce(losses, reduction)
    total = factors.sum().item()
    if total == 0 and losses.size:
        warnings.warn(
            f"{where}: every target is ignored or has weight 0, so the loss is 0 and nothing is "
            f"learned; look at ignore_index and at the labels",
            stacklevel=3,
        )
    if reduction == "none":
        return losses
    loss = ops.sum(losses)
    return loss / (total or 1.0) if reduction == "mean" else loss


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-w_y input[y] for logarithms of probabilities: the negative log-likelihood of the targets.

    Args:
        input: logarithms of probabilities, as `log_softmax` gives, of shape (N, C),
            (N, C, d1, ...), or (C,) for one sample.
        target: integer classes of shape (N,), (N, d1, ...) or ().
        weight: w, one number for each class; a mean is divided by the sum of those of the targets.
        ignore_index: a target that counts nothing, neither in a sum nor in a mean (default -100).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    At chance level the loss is log C. It takes any numbers: given logits or probabilities instead
    of logarithms it gets negative and falls without end. `cross_entropy` takes logits.

    Raises and warns as `cross_entropy` does.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> log_p = tg.log_softmax(tg.tensor([[0.0, 0.0]]))
        >>> tg.nn.functional.nll_loss(log_p, np.array([1]))
        tensor(0.6931472)
    """
    check_reduction(reduction, "nll_loss")
    input = with_shape(input)
    if type(input.dtype) not in FLOATING:
        refuse_integers(input, "nll_loss", target, "log-probabilities")
    ignore_index = check_ignore_index(ignore_index, "nll_loss")
    classes, counted = check_classes(input, target, "nll_loss", ignore_index)
    refuse_empty_mean(classes.shape, reduction, "nll_loss")
    axis = min(input.ndim, 2) - 1
    factors = _factors(weight, classes, counted, input.shape[axis], "nll_loss")
    places = classes if counted is None else np.where(counted, classes, 0)
    picked = ops.take_along_axis(input, np.expand_dims(places, axis), axis)
    losses = -ops.reshape(picked, classes.shape)
    if factors is not None:
        losses = ops.where(factors == 0, 0, losses * factors.astype(input.dtype))
    return _reduce_by(losses, factors, reduction, "nll_loss")
