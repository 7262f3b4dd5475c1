"""Losses for yes or no: cross-entropy of a probability, and of its logit."""

from __future__ import annotations

from typing import Any

from ....engine.define import operation
from ....engine.types import np
from ...elementwise.exponential import log, log1p
from ...elementwise.extremes import maximum
from ...elementwise.logistic import sigmoid
from ...families import Case, Draw
from .shares import plainly, reduced, share, some_reduction, tiny, two_alike


def _sigmoid_reference(logits: Any, target: Any, reduction: str) -> Any:
    p = 1 / (1 + np.exp(-logits))
    return plainly(-(target * np.log(p) + (1 - target) * np.log(1 - p)), reduction)


@operation(
    keep={"residual": lambda logits, target: sigmoid(logits) - target},
    cases=two_alike,
    reference=_sigmoid_reference,
    dlogits=lambda g, residual, reduction: share(g, residual, reduction),
    dtarget=lambda g, logits, reduction: share(-g, logits, reduction),
)
def sigmoid_cross_entropy(logits: Any, target: Any, reduction: str = "mean") -> Any:
    """-y log p - (1 - y) log(1 - p) with p = sigmoid(logits), without overflow.

    In terms of the logit z it is max(z, 0) - z y + log(1 + e^-|z|), with slope p - y.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.sigmoid_cross_entropy(tg.tensor([1000.0]), tg.tensor([1.0]))
        tensor(0.)
    """
    e = np.exp(np.negative(np.abs(logits)))
    losses = np.maximum(logits, 0) - np.multiply(logits, target) + np.log1p(e)
    p = np.where(np.less(logits, 0), e, 1) / (1 + e)
    return reduced(losses, reduction), np.asarray(p - target)


LEAST_LOGARITHM = -100
"""Where logarithms of probabilities end, so that a sure and wrong prediction costs 100."""


def _logarithms(p: Any) -> tuple[Any, Any]:
    """log p and log(1 - p), which end at `LEAST_LOGARITHM`."""
    with np.errstate(divide="ignore"):
        return maximum(log(p), LEAST_LOGARITHM), maximum(log1p(-p), LEAST_LOGARITHM)


def _slope(p: Any, target: Any) -> Any:
    """(1 - y) / (1 - p) - y / p, finite and large at p = 0 and 1."""
    return (1 - target) / maximum(1 - p, tiny(p)) - target / maximum(p, tiny(p))


def _log_odds(p: Any) -> Any:
    yes, no = _logarithms(p)
    return yes - no


def _probability_cases(draw: Draw) -> Case:
    shape = draw.shape()
    return [draw.array(shape, (0.2, 0.8)), draw.array(shape)], some_reduction(draw)


@operation(
    cases=_probability_cases,
    reference=lambda p, target, reduction: plainly(
        -(target * np.log(p) + (1 - target) * np.log(1 - p)), reduction
    ),
    dp=lambda g, p, target, reduction: share(g, _slope(p, target), reduction),
    dtarget=lambda g, p, reduction: share(-g, _log_odds(p), reduction),
)
def binary_cross_entropy(p: Any, target: Any, reduction: str = "mean") -> Any:
    """-y log p - (1 - y) log(1 - p) for probabilities p; the logarithms end at -100.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.binary_cross_entropy(tg.tensor([0.0]), tg.tensor([1.0]))
        tensor(100.)
    """
    yes, no = _logarithms(np.asarray(p))
    return reduced(-(target * yes + np.subtract(1, target) * no), reduction)
