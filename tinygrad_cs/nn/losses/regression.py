"""Losses for numbers."""

from __future__ import annotations

from typing import Any

from .. import functional
from .loss import Loss

__all__ = ["MSELoss"]


class MSELoss(Loss):
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
