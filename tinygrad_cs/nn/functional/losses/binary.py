"""Losses for yes or no, one or several labels at once: of probabilities, and of logits."""

from __future__ import annotations

from typing import Any

from .... import ops
from ....engine.errors import ShapeError
from ....engine.types import np
from ....ops.axes import raw
from ....ops.reductions import losses as fused
from ...foreign import with_shape
from .checks import (
    beside,
    broadcasts,
    check_reduction,
    pair,
    reduce,
    refuse_where,
    rescaled,
)

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]


def _refuse_no_probabilities(input: Any, target: Any) -> None:
    for values, name, advice in (
        (
            raw(input),
            "the prediction",
            "apply sigmoid first, or better give logits to BCEWithLogitsLoss "
            "(binary_cross_entropy_with_logits), which does it without overflow",
        ),
        (raw(target), "the target", "labels are 0 or 1, or a probability between"),
    ):
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            wrong = ~((values >= 0) & (values <= 1))
            where = "binary_cross_entropy"
            refuse_where(wrong, values, where, f"{name} must be probabilities in [0, 1]", advice)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """-y log p - (1 - y) log(1 - p) for probabilities p, averaged over all entries by default.

    Args:
        input: probabilities in [0, 1], any shape.
        target: labels 0 and 1, or probabilities, of the same shape.
        weight: a factor for each entry, or what broadcasts to it; a mean stays divided by the
            number of entries.
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    At chance level, p = 1/2, the loss is log 2 = 0.6931. The logarithms end at -100, so that a
    sure and wrong prediction costs 100 rather than infinity; p and 1 - p are at least 1e-12 as
    divisors. A sigmoid before it rounds to 1 from about 17 on in float32, and what it rounds
    away is lost: `binary_cross_entropy_with_logits` does both at once.

    Raises `ArgumentError` for values outside [0, 1] (logits, mostly) and NaN, `ShapeError` for
    different shapes.

    Example:
        >>> import tinygrad_cs as tg
        >>> p, y = tg.tensor([0.5, 0.5]), tg.tensor([1.0, 0.0])
        >>> tg.nn.functional.binary_cross_entropy(p, y)
        tensor(0.6931472)
    """
    check_reduction(reduction, "binary_cross_entropy")
    input, target = pair(input, target, "binary_cross_entropy", reduction)
    _refuse_no_probabilities(input, target)
    if weight is None:
        return fused.binary_cross_entropy(input, target, reduction)
    losses = fused.binary_cross_entropy(input, target, "none")
    return reduce(rescaled(losses, weight, "binary_cross_entropy"), reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """-w y log p - (1 - y) log(1 - p) with p = sigmoid(input), fused: its gradient is p - y.

    Args:
        input: logits of any shape.
        target: labels 0 and 1, or probabilities, of the same shape.
        weight: a factor for each entry, or what broadcasts to it; a mean stays divided by the
            number of entries.
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        pos_weight: w, a factor for the part of the label 1, or what broadcasts to the target; as
            often as there are more labels 0 than 1, both count the same.

    At chance level, logits 0, the loss is log 2 = 0.6931. Logits of any size give finite values
    and gradients. Probabilities given here are squeezed by a second sigmoid into [0.5, 0.73]: the
    loss cannot get below 0.31 and training crawls.

    Raises `ShapeError` for different shapes, `ArgumentError` for a target outside [0, 1].

    Example:
        >>> import tinygrad_cs as tg
        >>> z = tg.tensor([0.0, 1000.0], requires_grad=True)
        >>> loss = tg.nn.functional.binary_cross_entropy_with_logits(z, tg.tensor([1.0, 1.0]))
        >>> round(loss.item(), 4)
        0.3466
        >>> loss.backward()
        >>> z.grad
        array([-0.25,  0.  ], dtype=float32)
    """
    name = "binary_cross_entropy_with_logits"
    check_reduction(reduction, name)
    input, target = pair(input, target, name, reduction)
    _refuse_no_labels(target, name)
    if weight is None and pos_weight is None:
        return fused.sigmoid_cross_entropy(input, target, reduction)
    if pos_weight is None:
        losses = fused.sigmoid_cross_entropy(input, target, "none")
    else:
        losses = _with_pos_weight(with_shape(input), with_shape(target), pos_weight, name)
    return reduce(losses if weight is None else rescaled(losses, weight, name), reduction)


def _refuse_no_labels(target: Any, where: str) -> None:
    values = raw(target)
    if not values.size:
        return
    least, most = np.minimum.reduce(values, axis=None), np.maximum.reduce(values, axis=None)
    if not (least >= 0 and most <= 1):
        wrong = ~((values >= 0) & (values <= 1))
        advice = "turn labels -1 and 1 into (y + 1) / 2; of missing labels leave the samples out"
        refuse_where(wrong, values, where, "the target must be 0, 1 or a probability", advice)


def _with_pos_weight(input: Any, target: Any, pos_weight: Any, where: str) -> Any:
    """With w y + 1 - y in place of 1: -log p = -log(1 - p) - z."""
    factor = beside(pos_weight, input)
    if not broadcasts(factor.shape, target.shape):
        raise ShapeError(
            f"{where}: pos_weight must broadcast to the target {target.shape}, as one number for "
            f"each label along the last axis does; got {factor.shape}"
        )
    shares = (factor - 1) * target + 1
    return (1 - target) * input - shares * ops.logsigmoid(input)
