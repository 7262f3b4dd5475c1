"""Losses as modules."""

from __future__ import annotations

from typing import Any

from . import functional
from .module import Module


class _Loss(Module):
    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = functional.check_reduction(reduction, type(self).__name__)


class CrossEntropyLoss(_Loss):
    """-log softmax(logits)[class], the loss for choosing one of C classes.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    Takes logits, not probabilities: a softmax before it would be applied twice, and training
    would crawl. At chance level the loss is log C.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> loss = tg.nn.CrossEntropyLoss()(tg.tensor([[0.0] * 10]), np.array([3]))
        >>> round(loss.item(), 4), round(float(np.log(10)), 4)
        (2.3026, 2.3026)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """`input` (N, C) logits, `target` (N,) integer classes."""
        return functional.cross_entropy(input, target, self.reduction)


class MSELoss(_Loss):
    """(prediction - target)^2, the loss for regression.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.MSELoss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(2.)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Two tensors of the same shape."""
        return functional.mse_loss(input, target, self.reduction)
