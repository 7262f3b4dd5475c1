"""Losses for numbers."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.arguments import check_number
from .loss import Loss

__all__ = ["HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss"]


class MSELoss(Loss):
    """(prediction - target)^2, the loss for regression.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    A loss above the variance of the targets has learned nothing: predicting their mean gives it.
    An outlier pulls with all its distance; see `HuberLoss`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.MSELoss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(2.)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Two tensors of the same shape."""
        return functional.mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """|prediction - target|: every error pulls equally, outliers too.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    Its slope does not get smaller towards the target, so with a fixed learning rate predictions
    end up jumping around it.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.L1Loss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(1.)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Two tensors of the same shape."""
        return functional.l1_loss(input, target, self.reduction)


class SmoothL1Loss(Loss):
    """d^2 / (2 beta) for errors d up to beta, |d| - beta / 2 beyond.

    R. Girshick, Fast R-CNN, 2015; `HuberLoss` divided by beta.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        beta: where the square ends (default 1); 0 gives `L1Loss`.

    Raises `ArgumentError` for a negative `beta`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.SmoothL1Loss()(tg.tensor([0.0, 3.0]), tg.tensor([0.0, 0.0]))
        tensor(1.25)
    """

    _defaults = (("beta", 1.0),)

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = check_number(beta, "beta", "SmoothL1Loss")
        if self.beta:
            check_number(beta, "beta", "SmoothL1Loss", above=0)

    def forward(self, input: Any, target: Any) -> Any:
        """Two tensors of the same shape."""
        return functional.smooth_l1_loss(input, target, self.reduction, self.beta)


class HuberLoss(Loss):
    """d^2 / 2 for errors d up to delta, delta (|d| - delta / 2) beyond: outliers pull with delta.

    P. J. Huber, Robust Estimation of a Location Parameter, 1964.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        delta: where the square ends and the straight line begins (default 1).

    Raises `ArgumentError` for a `delta` that is not positive.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.HuberLoss()(tg.tensor([0.0, 3.0]), tg.tensor([0.0, 0.0]))
        tensor(1.25)
    """

    _defaults = (("delta", 1.0),)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = check_number(delta, "delta", "HuberLoss", above=0)

    def forward(self, input: Any, target: Any) -> Any:
        """Two tensors of the same shape."""
        return functional.huber_loss(input, target, self.reduction, self.delta)
