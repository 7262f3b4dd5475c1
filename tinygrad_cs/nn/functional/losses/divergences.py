"""Losses for distributions: how far one is from another, and how likely data are under one."""

from __future__ import annotations

import math
from typing import Any

from .... import ops
from ....engine.errors import ShapeError
from ....ops.axes import raw
from ....ops.reductions.losses import kl_divergence, kl_divergence_of_logs, normal_log_loss
from ..arguments import check_number
from .checks import (
    broadcasts,
    check_reduction,
    pair,
    reduce,
    refuse_missing,
    refuse_where,
    shape_of,
)

__all__ = ["gaussian_nll_loss", "kl_div"]


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """Kullback-Leibler divergence, p (log p - log q) of each entry, from `input` = log q.

    S. Kullback and R. A. Leibler, On Information and Sufficiency, 1951.

    Args:
        input: logarithms of the predicted probabilities q, as `log_softmax` gives.
        target: the probabilities p, or their logarithms with `log_target`, of the same shape.
        reduction: `"batchmean"` is the divergence as it is defined, averaged over the first axis;
            `"mean"` (default, as in PyTorch) divides by the number of all entries; or `"sum"`,
            `"none"`.
        log_target: is the target log p? (Default False.)

    Where p is 0 the term is 0 with gradient 0, whatever q is. q = 0 where p is not costs infinity.
    It is not symmetric; equal distributions give 0, uniform q of C classes log C less the entropy
    of p. The usual mistake is q in place of log q: then the loss can be negative.

    Raises `ShapeError` for different shapes, `ArgumentError` for a negative probability or NaN.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> log_q, p = tg.tensor(np.log([[0.5, 0.5]])), tg.tensor([[1.0, 0.0]])
        >>> round(tg.nn.functional.kl_div(log_q, p, reduction="batchmean").item(), 4)
        0.6931
    """
    check_reduction(reduction, "kl_div", also=("batchmean",))
    input, target = pair(input, target, "kl_div", reduction)
    total = "sum" if reduction == "batchmean" else reduction
    divergence = kl_divergence_of_logs if log_target else kl_divergence
    loss = refuse_missing(divergence(input, target, total), target, "kl_div")
    if not log_target:
        value = getattr(loss, "_data", loss)
        if (value != value).any():
            values = raw(target)
            advice = "for logarithms of probabilities say log_target=True"
            expected = "the target holds probabilities, which are not negative"
            refuse_where(values < 0, values, "kl_div", expected, advice)
    shape = shape_of(input)
    return loss / shape[0] if reduction == "batchmean" and shape else loss


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """(log v + (input - target)^2 / v) / 2 with v = max(var, eps): a prediction with its variance.

    D. A. Nix and A. S. Weigend, Estimating the Mean and Variance of the Target Probability
    Distribution, 1994.

    Args:
        input, target: predictions and targets of the same shape.
        var: variances, of the same shape, of that shape without or with length 1 of its last axis,
            or one number.
        full: add log(2 pi) / 2 (default False).
        eps: least variance (default 1e-6); below it the gradient is that at `eps`.
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    It can be negative. At the best constant variance, the mean square error s, it is
    (log s + 1) / 2. Where variances shrink towards 0 the gradients of the predictions explode:
    predict a logarithm or use softplus, and a larger `eps`.

    Raises `ArgumentError` for a negative variance and a target with NaN, `ShapeError` for shapes
    that do not fit.

    Example:
        >>> import tinygrad_cs as tg
        >>> at, sure = tg.tensor([0.0]), tg.tensor([1.0])
        >>> tg.nn.functional.gaussian_nll_loss(at, tg.tensor([2.0]), sure)
        tensor(2.)
    """
    name = "gaussian_nll_loss"
    check_reduction(reduction, name)
    eps = check_number(eps, "eps", name, above=0)
    input, target = pair(input, target, name, reduction)
    var = _variances(var, shape_of(input), name)
    losses = normal_log_loss(ops.subtract(input, target), var, eps)
    if full:
        losses = losses + math.log(2 * math.pi) / 2
    return refuse_missing(reduce(losses, reduction), target, name)


def _variances(var: Any, shape: tuple[int, ...], where: str) -> Any:
    """Variances that broadcast to `shape`, none of them negative."""
    values = raw(var)
    if values.size and not values.min() >= 0:
        wrong = ~(values >= 0)
        advice = "predict its logarithm and use exp, or use softplus"
        refuse_where(wrong, values, where, "a variance is 0 or more", advice)
    if values.shape == shape or not values.ndim:
        return var
    if values.shape == shape[:-1]:
        return ops.expand_dims(var, -1)
    if values.ndim != len(shape) or not broadcasts(values.shape, shape):
        raise ShapeError(
            f"{where}: var must have the shape {shape} of the prediction, {shape[:-1]}, "
            f"{(*shape[:-1], 1)} or be one number, got {values.shape}"
        )
    return var
