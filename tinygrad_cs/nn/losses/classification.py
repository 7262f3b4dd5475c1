"""Losses for choosing one of several classes."""

from __future__ import annotations

from typing import Any

from .. import functional
from .loss import Loss

__all__ = ["CrossEntropyLoss"]


class CrossEntropyLoss(Loss):
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
